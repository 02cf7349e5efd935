"""Random layers for the tests, and what the tests ask of a result."""

from typing import NamedTuple

import numpy as np
import pytest

BATCH_SIZES = (2, 3, 4, 5, 32)
EPSILONS = (0.0, 0.1)
# (n_prev, n): one neuron per layer, more than one, and equal numbers, where shapes do not object.
WIDTHS = ((1, 1), (3, 2), (4, 4))


def plain_hat(x, eps=0.0):
    """x̂ as a textbook writes it: not the code of the package."""
    mean = x.mean(axis=0)
    return (x - mean) / np.sqrt(((x - mean) ** 2).mean(axis=0) + eps)


class Layer(NamedTuple):
    """A layer with BN between two others. C = Σ Δ y, so that Δ is given."""

    y_prev: np.ndarray
    W: np.ndarray
    gamma: np.ndarray
    beta: np.ndarray
    delta: np.ndarray
    eps: float

    @property
    def u_prev(self):
        return np.tanh(self.y_prev)

    @property
    def g_prime(self):
        return 1 - np.tanh(self.y_prev) ** 2

    @property
    def x(self):
        return self.u_prev @ self.W.T

    def y(self, x=None, gamma=None, beta=None):
        """The forward pass, written plainly."""
        x = self.x if x is None else x
        gamma = self.gamma if gamma is None else gamma
        beta = self.beta if beta is None else beta
        return gamma * plain_hat(x, self.eps) + beta

    def cost(self, **changes):
        return (self.delta * self.y(**changes)).sum()


def layer(M_B, n_prev=3, n=2, eps=0.0, seed=0):
    """Draw a layer with random Δ, γ other than 1, and weights of either sign."""
    rng = np.random.default_rng([seed, M_B, n_prev, n])
    return Layer(
        y_prev=rng.normal(0.3, 0.8, (M_B, n_prev)),
        W=rng.normal(size=(n, n_prev)),
        gamma=rng.choice([-1, 1], n) * rng.uniform(0.5, 2.0, n),
        beta=rng.normal(size=n),
        delta=rng.normal(0.4, 1.0, (M_B, n)),
        eps=eps,
    )


def layers(smallest=2):
    """Yield layers of every batch size, width and eps, and of random batch sizes."""
    for M_B in BATCH_SIZES:
        if M_B >= smallest:
            for n_prev, n in WIDTHS:
                for eps in EPSILONS:
                    yield layer(M_B, n_prev, n, eps)
    rng = np.random.default_rng(1)
    for seed in range(20):
        M_B = int(rng.integers(smallest, 13))
        yield layer(M_B, *rng.integers(1, 5, 2), eps=rng.choice(EPSILONS), seed=seed)


def assert_close(got, truth, tolerance=1e-12, scale=0.0):
    """Assert equality relative to the largest true entry, or to `scale` if that is larger.

    `scale` is the size of what was added up, where the truth may be zero.
    """
    got, truth = np.asarray(got), np.asarray(truth)
    assert got.shape == truth.shape
    scale = max(float(np.abs(truth).max()), scale)
    difference = np.abs(got - truth).max()
    assert difference <= tolerance * scale, f"off by {difference / scale:.2g} of the size"


LAYERS = tuple(layers())
every_layer = pytest.mark.parametrize(
    "case", LAYERS, ids=lambda case: f"M_B={len(case.x)}-{case.W.shape}-eps={case.eps}"
)
