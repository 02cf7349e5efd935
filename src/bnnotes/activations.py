"""Activation functions g and their derivatives, section 1 of the source.

Both are functions of the pre-activation y. They accept complex y, so that
the complex step can differentiate through them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


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


def _sigmoid(y):
    # 1/(1 + exp(-y)) without the exponential that overflows.
    return 0.5 * (1.0 + np.tanh(0.5 * y))


def _sigmoid_prime(y):
    t = np.tanh(0.5 * y)
    return 0.25 * (1.0 - t) * (1.0 + t)


def _tanh_prime(y):
    t = np.tanh(y)
    return (1.0 - t) * (1.0 + t)


def _relu(y):
    # Complex numbers have no order; for real ones maximum is several times faster.
    return np.where(y.real > 0, y, 0) if y.dtype.kind == "c" else np.maximum(y, 0)


def _relu_prime(y):
    return (y.real > 0).astype(y.dtype)


sigmoid = Activation("sigmoid", _sigmoid, _sigmoid_prime)
tanh = Activation("tanh", np.tanh, _tanh_prime)
relu = Activation("relu", _relu, _relu_prime)
identity = Activation("identity", np.asarray, np.ones_like)

BY_NAME = {a.name: a for a in (sigmoid, tanh, relu, identity)}


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
        return activation
    if isinstance(activation, str) and activation in BY_NAME:
        return BY_NAME[activation]
    raise ValueError(
        f"activation: got {activation!r}, wanted an Activation or one of {', '.join(BY_NAME)}"
    )
