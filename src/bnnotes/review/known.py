"""The known mistakes: what each is called, what review says of it, where it was met.

The table that the diagnosis, the gallery of chapter 7 and the tests read is
data, in known.toml. The functions are in `mistakes` and `more_mistakes`.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import NamedTuple

import numpy as np

from ..batchnorm import Gradients
from . import mistakes, more_mistakes, steps
from .cases import layer


class Mistake(NamedTuple):
    """A known mistake.

    Attributes
    ----------
    name : str
        In a few words.
    group : str
        Of the gallery.
    says : str
        The diagnosis.
    steps : dict of str to callable
        The steps of the backward pass that it replaces.
    origin : str
        Where it was met, in Markdown; may be empty.
    term : str
        ``"mean"`` or ``"x̂"`` where it touches one term of the bracket alone.
    """

    name: str
    group: str
    says: str
    steps: dict
    origin: str = ""
    term: str = ""

    @property
    def functions(self):
        """Its short functions."""
        return tuple(self.steps.values())

    @property
    def needs(self):
        """The names of the arguments of its functions."""
        return {name for function in self.functions for name in steps.parameters(function)}

    def with_eps(self, eps):
        """Return the mistake with an eps of its own, as where a function has one built in."""
        replaced = {step: steps.fixed(f, eps=eps) for step, f in self.steps.items()}
        return self._replace(says=f"{self.says} (it has eps = {eps:g} built in)", steps=replaced)

    def backward(self, delta, x, gamma, eps=0.0):
        """Return ∂C/∂x, ∂C/∂γ and ∂C/∂β of one layer, with this mistake in them.

        Parameters
        ----------
        delta, x : ndarray, shape (M_B, n)
        gamma : ndarray, shape (n,)
        eps : float

        Returns
        -------
        Gradients
        """
        values = layer(x, gamma, np.zeros_like(gamma), eps, delta)
        return Gradients(**steps.evaluate(values, self.steps, ("x", "gamma", "beta")))


def _function(name):
    return getattr(mistakes, name, None) or getattr(more_mistakes, name)


def _read():
    """Yield the mistakes of known.toml."""
    text = resources.files(__package__).joinpath("known.toml").read_text(encoding="utf-8")
    for entry in tomllib.loads(text)["mistake"]:
        replaced = {step: _function(name) for step, name in entry.pop("steps").items()}
        yield Mistake(**entry, steps=replaced)


MISTAKES = {mistake.name: mistake for mistake in _read()}
GROUPS = tuple(dict.fromkeys(mistake.group for mistake in MISTAKES.values()))
