"""Readers are shown the code that runs."""

import pytest

from bnnotes import baseline, batchnorm, sample_space
from bnnotes.source import show


def test_a_signature_and_an_equation():
    assert repr(show(batchnorm.input_error)) == (
        'def input_error(delta: Array["M_B n"], normalized: Normalized, gamma: Array["n"]):\n'
        "    return gamma / normalized.std * mix(normalized.x_hat, delta)"
    )


def test_it_runs():
    """What is shown, executed, computes the same."""
    namespace = dict(vars(sample_space))
    exec(compile(repr(show(sample_space.split)), "shown", "exec"), namespace)
    assert namespace["split"] is not sample_space.split
    arguments = sample_space.np.array([[[1.0], [-1.0], [0.0]], [[0.3], [5.0], [2.0]]])
    for shown, real in zip(
        namespace["split"](*arguments), sample_space.split(*arguments), strict=True
    ):
        assert (shown == real).all()


def test_several():
    one, two = show(baseline.affine), show(baseline.bias_gradient)
    assert repr(show(baseline.affine, baseline.bias_gradient)) == f"{one!r}\n\n\n{two!r}"


def test_classes_and_comments():
    shown = repr(show(sample_space.Split, sample_space.sample_mean))
    assert shown.startswith('class Split(NamedTuple):\n    mean: Array["n"]\n')
    assert "three parts" not in shown
    assert "# A product with ones" in shown


def test_other_decorators_stay():
    assert repr(show(sample_space._averaging)).startswith("@functools.partial(kept, most=16)")


def test_markdown_is_python():
    markdown = show(baseline.affine)._repr_markdown_()
    assert markdown.startswith("```python\ndef affine(")
    assert markdown.endswith("return u_prev @ W.T + b\n```")


def test_what_has_no_source():
    within = {
        "a dict": lambda x: x,
    }
    for function in (len, within["a dict"]):
        with pytest.raises(ValueError, match=r"^functions: got <.*, wanted functions or classes"):
            show(function)
