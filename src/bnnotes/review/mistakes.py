"""The known mistakes: a layer is a walk through named steps, a mistake replaces some of them.

Arrays have three axes, (M_B, pixels, n), so that one formula holds for layers
and for images; a layer of a plain network has one pixel. mistakes.toml has one
row a mistake. A row with ``is`` is another forward pass, and its gradients are
the derivatives of its own y.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import NamedTuple

import numpy as np

RIGHT = {
    "mean": "avg(x)",
    "centered": "x - mean",
    "var": "avg(centered**2)",
    "std": "sqrt(var + eps)",
    "x_hat": "centered / std",
    "y": "gamma * x_hat + beta",
    "bracket": "delta - avg(delta) - x_hat * avg(delta * x_hat)",
    "scale": "gamma / std",
    "dx": "scale * bracket",
    "dgamma": "total(delta * x_hat)",
    "dbeta": "total(delta)",
    # Of a layer x = W u, and of the one below.
    "dW": "outer(dx, u_prev)",
    "below": "dx @ W * g_prime",
    "db": "total(delta)",
    "output": "(u - phi) / M_B",
    # What a function may ask for besides.
    "sigma": "sqrt(var)",
    "inv_std": "1 / std",
    "var_eps": "std**2",
    "inv_var": "1 / std**2",
    "delta_hat": "gamma * delta",
    "mean_delta": "avg(delta)",
    "mean_delta_x_hat": "avg(delta * x_hat)",
    "sum_delta_centered": "total(delta * centered)",
    "mean_delta_centered": "avg(delta * centered)",
}
FORWARD = ("mean", "centered", "var", "std", "x_hat", "y")


def _over(*axes):
    return lambda a: a.mean(axis=axes, keepdims=True)


def total(a):
    return a.sum(axis=(-3, -2), keepdims=True)


def halves(a):
    """Return the mean of each half of the batch, at every sample of it."""
    half = max(a.shape[-3] // 2, 1)
    parts = [a[..., :half, :, :], a[..., half:, :, :]]
    means = [avg(part) + 0 * part for part in parts if part.size]
    return np.concatenate(means, axis=-3)


def over_groups(a, size=2):
    """Return the mean of each group of two neurons of one sample, at every neuron of it."""
    parts = [a[..., k : k + size] for k in range(0, a.shape[-1], size)]
    return np.concatenate([over_sample(part) + 0 * part for part in parts], axis=-1)


def mixed(a):
    """Return what stands at (sample, pixel, channel) after a reshape without its transpose."""
    return np.swapaxes(a, -1, -2).reshape(a.shape)


def unmixed(a):
    M_B, P, n = a.shape[-3:]
    return np.swapaxes(a.reshape(*a.shape[:-3], M_B, n, P), -1, -2)


def outer(dx, u_prev):
    """Return ∂C/∂W = Σ dx uᵀ, shape (n, n_prev)."""
    return np.einsum("...spi,...spj->...ij", dx, u_prev)


def larger(a, b):
    return np.where(np.real(a) > np.real(b), a, b + 0 * a)


avg, over_images, over_pixels = _over(-3, -2), _over(-3), _over(-2)
over_neurons, over_sample, over_everything = _over(-1), _over(-2, -1), _over(-3, -2, -1)
_FUNCTIONS = {
    f.__name__: f for f in (total, halves, over_groups, mixed, unmixed, outer, larger)
} | {
    "avg": avg,
    "over_images": over_images,
    "over_pixels": over_pixels,
    "over_neurons": over_neurons,
    "over_sample": over_sample,
    "over_everything": over_everything,
    "sqrt": np.sqrt,
}
_FUNCTIONS["__builtins__"] = {}
_COMPILED = {}


class Layer(dict):
    """The values of one layer: what is given, and whatever a step makes of it when asked for.

    Parameters
    ----------
    given : dict
        At least x, gamma, beta, eps; delta for the backward pass.
    steps : dict of str to str
        Formulas that stand in for those of `RIGHT`.
    """

    def __init__(self, given, steps=None):
        super().__init__(given)
        self.steps = steps or {}
        if "x" in given:
            M, P, n = given["x"].shape[-3:]
            self |= {"M_B": M * P, "N": M, "P": P, "n": n}

    def __missing__(self, name):
        formula = self.steps.get(name) or RIGHT.get(name)
        if formula is None:
            raise KeyError(name)
        if formula not in _COMPILED:
            _COMPILED[formula] = compile(formula, f"<{name}>", "eval")
        value = self[name] = eval(_COMPILED[formula], _FUNCTIONS, self)
        return value


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
    steps : dict of str to str
        The formulas that it replaces.
    other : str
        What forward pass this is the gradient of; "" where it is that of none.
    origin : str
        Where it was met, in Markdown; may be empty.
    term : str
        ``"mean"`` or ``"x̂"`` where it touches one term of the bracket alone.
    """

    name: str
    group: str
    says: str
    steps: dict
    other: str = ""
    origin: str = ""
    term: str = ""

    def __str__(self):
        """Its formulas, each beside the right one."""
        lines = []
        for step, formula in self.steps.items():
            lines.append(f"{step} = {formula}")
            lines.append(f"{' ' * len(step)}   instead of {RIGHT[step]}")
        if self.other:
            lines.append("and the derivatives of its own y")
        return "\n".join(lines)

    def layer(self, given):
        """Return the `Layer` with this mistake."""
        return evaluated(given, self.steps, bool(self.other))


def evaluated(given, steps, own=False):
    """Return the `Layer` of some steps; with `own`, its gradients are those of its own y."""
    found = Layer(given, steps)
    if own:
        found |= derivatives(given, steps)
    return found


def derivatives(given, steps):
    """Return ∂C/∂x, ∂C/∂γ and ∂C/∂β of C = ΣΔ y by the complex step, all entries at once."""
    h, delta = 2.0**-100, given["delta"]
    found = {}
    for name in ("x", "gamma", "beta"):
        value = np.asarray(given[name], float)
        steps_of = np.eye(value.size).reshape(value.size, *value.shape)
        if value.ndim == 1:
            steps_of = steps_of[:, None, None, :]
        y = Layer({**given, name: value + 1j * h * steps_of}, steps)["y"]
        slopes = (delta * np.imag(y)).sum(axis=(-3, -2, -1)) / h
        slopes = np.broadcast_to(slopes, (value.size,)).reshape(value.shape)
        found["d" + name] = slopes
    return found


def _read():
    text = resources.files(__package__).joinpath("mistakes.toml").read_text(encoding="utf-8")
    for group, rows in tomllib.loads(text).items():
        for row in rows:
            words = {key: row.pop(key, "") for key in ("name", "says", "is", "term", "origin")}
            other = words.pop("is")
            yield Mistake(**words, group=group, steps=row, other=other)


MISTAKES = {mistake.name: mistake for mistake in _read()}
GROUPS = tuple(dict.fromkeys(mistake.group for mistake in MISTAKES.values()))
