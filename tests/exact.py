"""BN and its gradients in 50 digits, and how far ours are from them."""

from typing import NamedTuple

import mpmath
import numpy as np

from bnnotes import batchnorm

DIGITS = 50


class Layer(NamedTuple):
    """One neuron with all that its BN needs: arrays of shape (M_B,), and numbers."""

    x: np.ndarray
    delta: np.ndarray
    gamma: float
    beta: float
    eps: float = 0.0


class Errors(NamedTuple):
    """Largest error of each result, relative to its scale."""

    y: float  # to the largest entry of y
    x: float  # ∂C/∂x, to (γ/s)·max|Δ|
    gamma: float  # ∂C/∂γ, to Σ|Δ x̂|
    beta: float  # ∂C/∂β, to Σ|Δ|


def layer(M_B, ratio=0.0, std=1.0, seed=0, eps=0.0):
    """Return a neuron with inputs of mean ratio·std, and an error with a mean of its own."""
    rng = np.random.default_rng([seed, M_B])
    x = std * (ratio + rng.standard_normal(M_B))
    delta = rng.normal(0.3, 1.0, M_B) / M_B
    return Layer(x, delta, float(rng.uniform(0.5, 2)), float(rng.normal()), eps)


def results(case):
    """Return ours: y, ∂C/∂x, ∂C/∂γ, ∂C/∂β."""
    y, normalized = batchnorm.forward(case.x[:, np.newaxis], [case.gamma], [case.beta], case.eps)
    gradients = batchnorm.backward(case.delta[:, np.newaxis], normalized, [case.gamma])
    return y[:, 0], gradients.x[:, 0], gradients.gamma[0], gradients.beta[0]


def errors(case, got):
    """Return the `Errors` of y, ∂C/∂x, ∂C/∂γ and ∂C/∂β; the inputs themselves are exact."""
    with mpmath.workdps(DIGITS):
        x, delta = ([mpmath.mpf(float(v)) for v in some] for some in (case.x, case.delta))
        gamma, beta, M_B = mpmath.mpf(case.gamma), mpmath.mpf(case.beta), len(x)
        mean = mpmath.fsum(x) / M_B
        s = mpmath.sqrt(mpmath.fsum((v - mean) ** 2 for v in x) / M_B + case.eps)
        hat = [(v - mean) / s for v in x]
        products = [d * h for d, h in zip(delta, hat, strict=True)]
        sums = mpmath.fsum(products), mpmath.fsum(delta)
        y = [gamma * h + beta for h in hat]
        dx = [
            gamma / s * (d - sums[1] / M_B - h * sums[0] / M_B)
            for d, h in zip(delta, hat, strict=True)
        ]
        scales = (
            max(abs(v) for v in y),
            abs(gamma) / s * max(abs(d) for d in delta),
            mpmath.fsum(abs(p) for p in products),
            mpmath.fsum(abs(d) for d in delta),
        )
        worst = [
            max(
                abs(mpmath.mpf(float(g)) - t)
                for g, t in zip(np.atleast_1d(ours), true, strict=True)
            )
            for ours, true in zip(got, (y, dx, [sums[0]], [sums[1]]), strict=True)
        ]
        return Errors(*(float(w / scale) for w, scale in zip(worst, scales, strict=True)))
