"""What can be reviewed: the arguments on offer, the right result, the steps that can err."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping

import numpy as np

from .. import batchnorm
from . import steps
from .calling import FEATURES, IMAGES, SAMPLES, Misread, Result, as_array, fit, shape_in
from .cases import cases, dense, normalization, with_eps
from .known import MISTAKES
from .names import match_output

SYMBOLS = {
    "x": "∂C/∂x",
    "gamma": "∂C/∂γ",
    "beta": "∂C/∂β",
    "W": "∂C/∂W",
    "b": "∂C/∂b",
    "previous_error": "Δ of the layer below",
    "y": "y",
    "x_hat": "x̂",
    "mean": "mean",
    "std": "s",
    "var": "variance",
}

_ONE_LAYER = {
    *("delta", "x", "x_hat", "normalized", "mean", "std", "var", "inv_std", "var_eps"),
    *("centered", "gamma", "beta", "eps", "y", "M_B", "running_mean", "running_var"),
    *("cache", "bn_param", "training", "mode", "momentum"),
}
_DENSE = {
    *("u_prev", "W", "b", "g_prime", "y_prev", "gamma_prev", "std_prev", "x_hat_prev"),
}


class Subject:
    """One thing that review can judge.

    Parameters
    ----------
    name : str
        Of the public function.
    quantities : tuple of str
        What the reader's function may return, in this order.
    roles : set of str
        What its arguments may be.
    values : callable
        Makes a batch: `normalization` or `dense` of `cases`.
    parts : set of str
        The steps in which it can err.
    base : dict
        Steps that are other than in `steps.RIGHT`.
    optional : tuple of str
        Quantities that are checked where they come under their name.
    """

    def __init__(self, name, quantities, roles, values, parts, base=None, optional=()):
        self.name, self.quantities, self.roles = name, quantities, frozenset(roles)
        self.parts, self.base, self.optional = parts, base or {}, optional
        self._values = values

    symbols = SYMBOLS
    layouts = (SAMPLES, FEATURES, IMAGES)

    @property
    def has_eps(self):
        """Whether eps is in its formulas."""
        return not self.base

    @functools.cached_property
    def cases(self):
        """The cases that cannot mask a mistake, the one that is tried first in front."""
        return cases(self._values, batch_norm=self.has_eps, square=self._values is dense)

    def large_means(self, ratio, count=24):
        """Return batches whose mean is `ratio` standard deviations, for counting lost digits."""
        return [self._values(900 + seed, 5, mean=ratio) for seed in range(count)]

    @functools.cached_property
    def mistakes(self):
        """The known mistakes that can be made here."""
        offered = {*self.cases[0].values, "dx"}
        return [
            mistake
            for mistake in MISTAKES.values()
            if mistake.steps.keys() <= self.parts and mistake.needs <= offered
        ]

    def truth(self, values):
        """Return the right result of every quantity, in float64."""
        values = {
            name: value.astype(float) if getattr(value, "dtype", None) == np.float32 else value
            for name, value in values.items()
        }
        x, gamma, eps = values["x"], values["gamma"], values["eps"]
        y, normalized = batchnorm.forward.bare(x, gamma, values["beta"], eps)
        if self.base:
            found = steps.evaluate(values, self.base, self.quantities)
        else:
            found = self._from_the_book(values, normalized)
        return {**found, "y": y, **normalized._asdict(), "var": values["var"]}

    def _from_the_book(self, values, normalized):
        delta, gamma = values["delta"], values["gamma"]
        found = batchnorm.backward.bare(delta, normalized, gamma)._asdict()
        if "u_prev" in values:
            u_prev, W, g_prime = values["u_prev"], values["W"], values["g_prime"]
            found["W"] = batchnorm.weight_gradient.bare(delta, u_prev, normalized, gamma)
            found["previous_error"] = batchnorm.previous_error.bare(
                delta, W, normalized, gamma, g_prime
            )
        return found

    def scales(self, values):
        """Return the size that each quantity could have; errors are relative to it.

        At M_B = 2 the true ∂C/∂x is 0, so its own size would not do.
        """
        delta, x_hat = np.abs(values["delta"]), np.abs(values["x_hat"])
        summed = delta.sum(axis=0).max()
        bound = delta.max() * np.abs(values["gamma"] / values["std"]).max()
        found = {
            "x": bound,
            "gamma": (delta * x_hat).sum(axis=0).max(),
            "beta": summed,
            "y": np.abs(values["gamma"]).max() * x_hat.max() + np.abs(values["beta"]).max(),
            **{name: np.abs(values[name]).max() for name in ("x_hat", "mean", "std", "var")},
        }
        if "u_prev" in values:
            u, size = values["u_prev"], summed if self.base else bound * len(delta)
            u = u if self.base else u - u.mean(axis=0)
            found["W"] = size * np.abs(u).max()
            carried = delta.max() if self.base else bound
            found["previous_error"] = carried * np.abs(values["W"]).sum(axis=0).max()
            found["b"] = summed
        return {name: float(size) for name, size in found.items()}

    def evaluate(self, values, replaced, quantities=None, memo=None):
        """Return the quantities as they come out with some steps replaced."""
        wanted = quantities or self.quantities
        return steps.evaluate(values, {**self.base, **replaced}, wanted, memo)

    def adapt(self, case, convention):
        """Return the case with the eps that a function has built in, or None if it has none."""
        if convention.eps is None or case.kind == "float32":
            return case
        if case.kind == "constant":
            return with_eps(case, convention.eps) if convention.eps else None
        return None if case.values["eps"] else with_eps(case, convention.eps)

    def activations(self, roles):
        """Return the activations that a function may have built in: here it has none."""
        return (None,)

    def rank(self, evidence, tolerance):
        """Return how far from right a way of calling is."""
        return not max(evidence.error(q) for q in evidence.found) <= tolerance, False

    def read(self, returned, values, convention):
        """Return what the reader's function returned, by quantity, in the shapes of the book.

        Returns
        -------
        Result

        Raises
        ------
        Misread
            If it cannot be read.
        """
        truth = self.truth(values)
        pairs = list(self._named(returned))
        if not pairs:
            pairs = self._by_place(returned, truth, convention)
        found, transposed, misshaped, dtype = {}, [], [], None
        for quantity, value in pairs:
            array = as_array(value)
            fitted = fit(array, quantity, truth[quantity], convention)
            if fitted is None:
                want = shape_in(convention, quantity, truth[quantity])
                symbol = self.symbols[quantity]
                misshaped.append(f"{symbol} has the shape {array.shape}, wanted {want}")
                continue
            found[quantity] = fitted[0].astype(float)
            if fitted[1]:
                transposed.append(quantity)
            dtype = dtype or array.dtype
        if misshaped and not found:
            raise Misread("; ".join(misshaped))
        return Result(found, tuple(transposed), tuple(misshaped), dtype)

    def _named(self, returned):
        """Yield pairs of a quantity and a value from a dict, a named tuple or an object."""
        items = mapping(returned)
        known = (*self.quantities, *self.optional)
        taken = set()
        for name, value in items.items():
            quantity = match_output(name, known)
            if quantity and quantity not in taken and value is not None:
                taken.add(quantity)
                yield quantity, value

    def _by_place(self, returned, truth, convention):
        """Return pairs of a quantity and a value from a tuple: by shape, then by order."""
        if returned is None:
            raise Misread("it returned None; is there a return?")
        values = list(returned) if isinstance(returned, tuple) else [returned]
        if isinstance(returned, list) and _ragged(returned):
            values = list(returned)
        values = [value for value in values if value is not None]
        free, pairs = list(self.quantities), []
        for value in values:
            quantity = next((q for q in free if _fits(value, q, truth[q], convention)), None)
            if quantity:
                free.remove(quantity)
                pairs.append((quantity, value))
            elif self.optional:  # (y, cache) of a forward pass: what comes after y may be anything
                pairs += [pair for pair in self._named(value) if pair[0] not in self.quantities]
            elif len(values) <= len(self.quantities):
                pairs.append((next(q for q in self.quantities if q in free), value))
                free.remove(pairs[-1][0])
        if not any(quantity in self.quantities for quantity, _ in pairs):
            shapes = ", ".join(str(as_array(value).shape) for value in values) or "nothing"
            want = shape_in(convention, self.quantities[0], truth[self.quantities[0]])
            raise Misread(
                f"it returned {shapes}, wanted {self.symbols[self.quantities[0]]} with shape {want}"
            )
        return pairs


def mapping(value):
    """Return a dict, a named tuple or a dataclass as a dict; anything else as an empty one."""
    if isinstance(value, Mapping):
        return {str(name): entry for name, entry in value.items()}
    if hasattr(value, "_asdict"):
        return value._asdict()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return vars(value)
    if type(value).__name__ == "SimpleNamespace":
        return vars(value)
    return {}


def _ragged(value):
    try:
        return np.asarray(value).dtype.kind == "O"
    except Exception:
        return True


def _fits(value, quantity, want, convention):
    try:
        return fit(as_array(value), quantity, want, convention) is not None
    except Misread:
        return False


_BACKWARD = {"bracket", "scale", "statistics"}

BATCHNORM_BACKWARD = Subject(
    "batchnorm_backward",
    ("x", "gamma", "beta"),
    _ONE_LAYER,
    normalization,
    {*_BACKWARD, "gamma", "beta"},
)
BATCHNORM_FORWARD = Subject(
    "batchnorm_forward",
    ("y",),
    _ONE_LAYER - {"delta", "y", "x_hat", "normalized", "centered", "cache"},
    normalization,
    {"statistics", "affine"},
    optional=("x_hat", "mean", "std", "var"),
)
GAMMA_GRADIENT = Subject(
    "gamma_gradient", ("gamma",), _ONE_LAYER, normalization, {"gamma", "statistics"}
)
BETA_GRADIENT = Subject("beta_gradient", ("beta",), _ONE_LAYER, normalization, {"beta"})
WEIGHT_GRADIENT = Subject(
    "weight_gradient", ("W",), _ONE_LAYER | _DENSE - {"b"}, dense, {*_BACKWARD, "weight"}
)
PREVIOUS_ERROR = Subject(
    "previous_error",
    ("previous_error",),
    _ONE_LAYER | _DENSE - {"b"},
    dense,
    {*_BACKWARD, "previous"},
)
BASELINE = Subject(
    "baseline_backpropagation",
    ("previous_error", "W", "b"),
    {"delta", "u_prev", "W", "b", "g_prime", "y_prev", "M_B", "cache"},
    dense,
    {"previous", "weight", "bias"},
    base={"input_error": lambda delta: delta},
)
ALL = (
    BATCHNORM_BACKWARD,
    BATCHNORM_FORWARD,
    GAMMA_GRADIENT,
    BETA_GRADIENT,
    WEIGHT_GRADIENT,
    PREVIOUS_ERROR,
    BASELINE,
)
