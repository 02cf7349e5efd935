"""The old way to say the shapes: ``@checked(delta="M_B n", normalized="")``. See `checked`."""

from . import checked as _checked
from .batchnorm import Normalized
from .checked import *  # noqa: F403


def checked(*, real=False, **wanted):
    """Decorate a formula with the shapes that its arguments must have."""
    wanted = {
        name: Normalized if name == "normalized" else (shape, real)
        for name, shape in wanted.items()
    }
    return lambda function: _checked.guard(function, wanted)
