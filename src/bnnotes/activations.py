"""Activation functions g and their derivatives g', elementwise: section 1 of the source.

Both are functions of the pre-activation y. Arrays and errors are as in `sample_space`.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .checked import Array, checked, numeric, shown


class Activation(NamedTuple):
    """An activation function with its derivative: u = g(y), and g'(y) of the same shape.

    One of your own is tried where it comes in: each number of its own y, new arrays, g' the slope.
    """

    name: str
    g: Callable
    g_prime: Callable

    def __repr__(self):
        return f"Activation({self.name!r})"


@checked
def _sigmoid(y: Array["..."]):
    """g(y) = 1/(1 + e^−y), without the exponential that overflows."""
    return 0.5 * (1 + np.tanh(0.5 * y))


@checked
def _sigmoid_prime(y: Array["..."]):
    """g'(y) = g(y) (1 − g(y))."""
    t = np.tanh(0.5 * y)
    return 0.25 * (1 - t) * (1 + t)


@checked
def _tanh(y: Array["..."]):
    """g(y) = tanh y."""
    return np.tanh(y)


@checked
def _tanh_prime(y: Array["..."]):
    """g'(y) = 1 − tanh² y."""
    t = np.tanh(y)
    return (1 - t) * (1 + t)


@checked
def _relu(y: Array["..."]):
    """g(y) = max(y, 0), by the real part."""
    # Complex numbers have no order; for real ones maximum is several times faster.
    return np.where(y.real > 0, y, 0) if y.dtype.kind == "c" else np.maximum(y, 0)


@checked
def _relu_prime(y: Array["..."]):
    """g'(y) = 1 where y > 0, else 0."""
    return (y.real > 0).astype(y.dtype)


@checked
def _identity(y: Array["..."]):
    """g(y) = y."""
    return y.copy()


@checked
def _identity_prime(y: Array["..."]):
    """g'(y) = 1."""
    return np.ones_like(y)


sigmoid = Activation("sigmoid", _sigmoid, _sigmoid_prime)
tanh = Activation("tanh", _tanh, _tanh_prime)
relu = Activation("relu", _relu, _relu_prime)
identity = Activation("identity", _identity, _identity_prime)

FARTHEST = 100.0  # of y, where an activation of the reader's is tried
BY_NAME = {a.name: a for a in (sigmoid, tanh, relu, identity)}


def get(activation):
    """Return `activation` itself, or the one of that name.

    >>> get("tanh")
    Activation('tanh')
    """
    if isinstance(activation, str) and activation in BY_NAME:
        return BY_NAME[activation]
    if not isinstance(activation, Activation):
        names = ", ".join(BY_NAME)
        got = f"activation: got {shown(activation)}"
        raise ValueError(f"{got}, wanted an Activation or one of {names}")
    if activation not in BY_NAME.values():
        with np.errstate(all="ignore"):
            _try(activation)
    return activation


def _try(activation):
    """Refuse an activation of the reader's that gives no numbers, or other ones than g and g'."""
    y = np.array([[-1.0, 0.5, 2.0]])
    for name in ("g", "g_prime"):
        g = getattr(activation, name)
        if not callable(g):
            got = f"activation: got {shown(activation)}"
            raise ValueError(f"{got} with g or g_prime that is none, wanted two functions")
        u = g(y.copy())
        if not (isinstance(u, np.ndarray) and u.shape == y.shape and u.dtype.kind in "biufc"):
            got = f"activation: got {name} that returns {shown(u)} for {y.tolist()}"
            raise ValueError(f"{got}, wanted an array of that shape")
        if u.dtype.kind == "c" or (u.dtype.kind == "f" and u.dtype.itemsize < y.dtype.itemsize):
            got = f"activation: got {name} that returns {u.dtype} for {y.dtype}"
            raise ValueError(f"{got}, wanted {y.dtype}")
        numeric(f"activation: {name}", u)
        # What it does to an array may depend on the numbers: where it clips them, for one.
        many = np.linspace(-FARTHEST, FARTHEST, 401)[:, np.newaxis]
        seen = many.copy()
        first = g(seen)
        before = first.copy()
        g(-many)
        alone = g(many[::-3].reshape(2, -1))
        if not np.array_equal(seen, many):
            got = f"activation: got {name} that writes into its argument"
            raise ValueError(f"{got}, wanted one that returns a new array")
        if not np.array_equal(first, before, equal_nan=True):
            got = f"activation: got {name} that writes into what it returned before"
            raise ValueError(f"{got}, wanted one that returns a new array")
        if not np.allclose(alone.ravel(), before[::-3].ravel(), equal_nan=True):
            got = f"activation: got {name} whose numbers depend on the others of their array"
            raise ValueError(f"{got}, or on chance; wanted one number of each y")
    _try_slope(activation)


def _try_slope(activation):
    """Refuse a g' that is not the derivative of g, such as one that is written in u = g(y)."""
    y, h = np.linspace(-3.0, 3.0, 62)[:, np.newaxis], 1e-5
    below, here, above = (np.asarray(activation.g(y + d), float) for d in (-h, 0.0, h))
    right, left = (above - here) / h, (here - below) / h
    apart = np.abs(activation.g_prime(y) - (right + left) / 2)
    # A kink, a jump or a step have no slope that differences could tell.
    smooth = np.isfinite(apart) & (np.abs(right - left) < 1e-3)
    off = smooth & (apart > 1e-3 * (1 + np.abs(right)))
    if off.sum() > smooth.sum() / 4:
        at = float(y[off][0])
        got = f"activation: got g_prime that is not the slope of g at y = {at:.2g}"
        raise ValueError(f"{got}, wanted the derivative g', a function of y")
