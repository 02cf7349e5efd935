"""Experiments on section 1 of the source: the baseline."""

import numpy as np

from .. import check
from .experiment import experiment
from .forward import g, g_prime, sigmoid


def log_loss(u, phi):
    return -(phi * np.log(u) + (1 - phi) * np.log(1 - u)).sum()


def labels(rng, shape):
    return (rng.random(shape) < 0.5).astype(float)


@experiment("S1")
def cost_of_all_samples(rng, M_B):
    y, phi, M = rng.normal(size=(M_B, 2)), labels(rng, (M_B, 2)), 4 * M_B
    truth = check.complex_step(lambda y: log_loss(sigmoid(y), phi) / M_B, y)
    printed = check.complex_step(lambda y: log_loss(sigmoid(y), phi) / M, y)
    return truth, printed, (sigmoid(y) - phi) / M_B


@experiment("S4")
def overflow(rng, M_B):
    y, phi = np.full((M_B, 1), 40.0), np.zeros((M_B, 1))
    # log(1 + e^y) for y > 0, where the exponential stays small.
    truth = check.complex_step(lambda y: (y + np.log(1 + np.exp(-y))).sum() / M_B, y)
    u = sigmoid(y)
    with np.errstate(divide="ignore", invalid="ignore"):
        cost_u = (u - phi) / (u * (1 - u)) / M_B
        printed = cost_u * (u * (1 - u))
    return truth, printed, (u - phi) / M_B


@experiment("S5")
def squared_error(rng, M_B):
    y, phi = rng.normal(size=(M_B, 2)), labels(rng, (M_B, 2))
    truth = check.complex_step(lambda y: ((sigmoid(y) - phi) ** 2).sum() / (2 * M_B), y)
    u = sigmoid(y)
    return truth, (u - phi) / M_B, (u - phi) / M_B * (u * (1 - u))


@experiment("S6")
def transpose(rng, M_B, n=4):
    y, W, b = rng.normal(size=(M_B, n)), rng.normal(size=(n, n)), rng.normal(size=n)
    delta1 = rng.normal(size=(M_B, n))
    truth = check.complex_step(lambda y: (delta1 * (g(y) @ W.T + b)).sum(), y)
    # Row s of `delta1 @ W.T` is W Δ_s, of `delta1 @ W` it is Wᵀ Δ_s.
    return truth, delta1 @ W.T * g_prime(y), delta1 @ W * g_prime(y)


@experiment("S9")
def all_four(rng, M_B, n=4):
    u0, phi = rng.normal(size=(M_B, n)), labels(rng, (M_B, 1))
    W1, W2, W3 = rng.normal(size=(n, n)), rng.normal(size=(n, n)), rng.normal(size=(1, n))

    def cost(W1):
        return log_loss(sigmoid(g(g(u0 @ W1.T) @ W2.T) @ W3.T), phi) / M_B

    y1 = u0 @ W1.T
    y2 = g(y1) @ W2.T
    delta3 = (sigmoid(g(y2) @ W3.T) - phi) / M_B
    # The shapes of the output layer allow only the transpose.
    delta2 = delta3 @ W3 * g_prime(y2)
    printed = (delta2 @ W2.T * g_prime(y1)).T @ u0
    corrected = (delta2 @ W2 * g_prime(y1)).T @ u0
    return check.complex_step(cost, W1), printed, corrected
