"""The forward pass, written out once more, so that the truth shares nothing with the formulas."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .. import check

EPS = 0.3  # where an experiment needs eps > 0


def mean(v):
    return v.mean(axis=0)


def std(v, eps=0.0):
    return np.sqrt(mean((v - mean(v)) ** 2) + eps)


def hat(v, eps=0.0):
    return (v - mean(v)) / std(v, eps)


def kappa(v, eps):
    return std(v) ** 2 / std(v, eps) ** 2


def corr(a, b):
    """Corr(a_i, b_j) of all columns, or of two vectors."""
    return hat(a).T @ hat(b) / len(a)


def g(y):
    return np.tanh(y)


def g_prime(y):
    return 1 - np.tanh(y) ** 2


def sigmoid(y):
    return 1 / (1 + np.exp(-y))


def length(v):
    return np.sqrt((v * v).sum(axis=0))


class Case(NamedTuple):
    """Layers l and l + 1, whose letters end in 1. C = Σ Δ^{l+1} y^{l+1}, so that Δ^{l+1} is given.

    With one neuron per layer x, y, u, Δ are vectors and W, γ, β numbers.
    """

    x: np.ndarray
    gamma: np.ndarray
    beta: np.ndarray
    W: np.ndarray
    gamma1: np.ndarray
    delta1: np.ndarray
    eps: float

    @property
    def y(self):
        return self.gamma * hat(self.x, self.eps) + self.beta

    @property
    def u(self):
        return g(self.y)

    @property
    def x1(self):
        return weighted(self.W, self.u)

    def cost(self, u, W, gamma1):
        """The forward pass from u^l to C. β^{l+1} adds a constant and is left out."""
        return (self.delta1 * gamma1 * hat(weighted(W, u), self.eps)).sum()

    def true_delta(self):
        return check.complex_step(lambda y: self.cost(g(y), self.W, self.gamma1), self.y)

    def true_weight_gradient(self):
        return check.complex_step(lambda W: self.cost(self.u, W, self.gamma1), self.W)

    def true_gamma1_gradient(self):
        return check.complex_step(lambda gamma1: self.cost(self.u, self.W, gamma1), self.gamma1)


def weighted(W, u):
    return u @ W.T if np.ndim(W) else W * u


def draw(rng, M_B, n=4, n1=4, eps=0.0):
    """Draw a random case; n = n1 = () makes one neuron per layer."""
    below, above = np.empty(n).shape, np.empty(n1).shape
    return Case(
        x=rng.normal(1.0, 2.0, (M_B, *below)),
        gamma=rng.uniform(0.5, 2.0, below),
        beta=rng.normal(size=below),
        W=rng.normal(size=above + below),
        gamma1=rng.uniform(0.5, 2.0, above),
        delta1=rng.normal(0.3, 1.0, (M_B, *above)),
        eps=eps,
    )
