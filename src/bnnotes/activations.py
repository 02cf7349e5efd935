"""Activation functions g and their derivatives, section 1 of the source.

Both are functions of the pre-activation y. They accept complex y, so that
the complex step can differentiate through them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ._validation import numeric, shown


class Activation(NamedTuple):
    """An activation function with its derivative.

    Attributes
    ----------
    name : str
        The name that `create` of `bnnotes.network` accepts.
    g : callable
        u = g(y), elementwise.
    g_prime : callable
        g'(y), elementwise; the same shape as y.
    """

    name: str
    g: Callable
    g_prime: Callable

    def __repr__(self):
        return f"Activation({self.name!r})"


def _numbers(y):
    """Return y as an array; one that is an array of such numbers already costs nothing."""
    return y if type(y) is np.ndarray and y.dtype.kind in "fc" else numeric("y", y)


def _sigmoid(y):
    # 1/(1 + exp(-y)) without the exponential that overflows.
    return 0.5 * (1.0 + np.tanh(0.5 * _numbers(y)))


def _sigmoid_prime(y):
    t = np.tanh(0.5 * _numbers(y))
    return 0.25 * (1.0 - t) * (1.0 + t)


def _tanh(y):
    return np.tanh(_numbers(y))


def _tanh_prime(y):
    t = np.tanh(_numbers(y))
    return (1.0 - t) * (1.0 + t)


def _relu(y):
    y = _numbers(y)
    # Complex numbers have no order; for real ones maximum is several times faster.
    return np.where(y.real > 0, y, 0) if y.dtype.kind == "c" else np.maximum(y, 0)


def _relu_prime(y):
    y = _numbers(y)
    return (y.real > 0).astype(y.dtype)


def _ones(y):
    return np.ones_like(_numbers(y))


sigmoid = Activation("sigmoid", _sigmoid, _sigmoid_prime)
tanh = Activation("tanh", _tanh, _tanh_prime)
relu = Activation("relu", _relu, _relu_prime)
identity = Activation("identity", _numbers, _ones)

BY_NAME = {a.name: a for a in (sigmoid, tanh, relu, identity)}


def _try(activation):
    """Refuse an activation of the reader's whose g or g' gives no numbers, or another shape."""
    y = np.array([[-1.0, 0.5, 2.0]])
    for name in ("g", "g_prime"):
        u = getattr(activation, name)(y.copy())
        if not (isinstance(u, np.ndarray) and u.shape == y.shape and u.dtype.kind in "biufc"):
            raise ValueError(
                f"activation: got {name} that returns {shown(u)} for {y.tolist()}, "
                "wanted an array of that shape"
            )
        numeric(f"activation: {name}", u)


def get(activation):
    """Return `activation` itself, or the one of that name.

    Parameters
    ----------
    activation : Activation or str
        ``"sigmoid"``, ``"tanh"``, ``"relu"``, ``"identity"``, or an
        `Activation` of your own.

    Returns
    -------
    Activation

    Raises
    ------
    ValueError
        If it is neither.

    Examples
    --------
    >>> get("tanh")
    Activation('tanh')
    """
    if isinstance(activation, Activation):
        if not (callable(activation.g) and callable(activation.g_prime)):
            got = f"activation: got {shown(activation)}"
            raise ValueError(f"{got} with g or g_prime that is none, wanted two functions")
        if BY_NAME.get(activation.name) is not activation:
            _try(activation)
        return activation
    if isinstance(activation, str) and activation in BY_NAME:
        return BY_NAME[activation]
    raise ValueError(
        f"activation: got {shown(activation)}, wanted an Activation or one of {', '.join(BY_NAME)}"
    )
