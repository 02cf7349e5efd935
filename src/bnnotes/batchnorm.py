"""Batch Normalization and its back-propagation: section 2 of the source.

One projection does it all: the error is mixed, ∂C/∂x = (γ/ς)·M·Δ, and from there the baseline's
own formulas give the gradients. Arrays and errors are as in `sample_space`.
"""

from typing import NamedTuple

import numpy as np

from . import baseline
from .checked import Array, NonNegative, checked, require_variance, room
from .sample_space import center, mean_and_rest, mix, mixing_matrix, sample_mean, split


class Normalized(NamedTuple):
    """A normalized batch, x̂ = (x − mean)/std, with what was taken out of it.

    `std` is ς = sqrt(σ² + eps), the variance divided by M_B.
    """

    x_hat: Array["M_B n, standardized"]
    mean: Array["n"]
    std: Array["n > 0"]


class Gradients(NamedTuple):
    """∂C/∂x, ∂C/∂γ and ∂C/∂β."""

    x: Array["M_B n"]
    gamma: Array["n"]
    beta: Array["n"]


@checked
def normalize(x: Array["M_B n"], eps: NonNegative = 0.0) -> Normalized:
    """x̂ = (x − ⟨x⟩)/ς with ς = sqrt(σ² + eps) (S11).

    A column that is constant, as all are at M_B = 1, is refused at eps = 0.

    >>> normalize([[1.0], [3.0]]).x_hat
    array([[-1.],
           [ 1.]])
    """
    return divide_by_std(*mean_and_rest(x), eps)


def divide_by_std(mean, x_tilde, eps, noise=None):
    """x̂ = x̃/ς, the `Normalized` of x = mean + x̃.

    `noise`, if x has rounding errors of its own, is a function that returns them per column.
    """
    std = np.sqrt(sample_mean(x_tilde**2) + eps)
    require_variance("x", x_tilde, mean, std, eps, noise)
    return Normalized(x_tilde / std, mean, std)


@checked
def forward(x: Array["M_B n"], gamma: Array["n"], beta: Array["n"], eps: NonNegative = 0.0):
    """y = γ x̂ + β, and the `Normalized` x̂ (S10, S11)."""
    normalized = normalize(x, eps)
    return gamma * normalized.x_hat + beta, normalized


@checked
def kernel(normalized: Normalized, gamma: Array["n"]):
    """∂y_si/∂x_ti = (γ_i/ς_i) M_st, equation (3), as an array [s, t, i].

    There is no entry across neurons (S26): it is zero.
    """
    M_B, n = normalized.x_hat.shape
    room(f"normalized.x_hat: got shape {(M_B, n)}", M_B * M_B * n)
    M = np.stack([mixing_matrix(x_hat) for x_hat in normalized.x_hat.T], axis=-1)
    return gamma / normalized.std * M


@checked
def weight_jacobian(u_prev: Array["M_B n_prev"], normalized: Normalized, gamma: Array["n"]):
    """∂y_si/∂W_ij = (γ_i/ς_i) (M u_j)_s, second line of equation (1), as an array [s, i, j]."""
    x_hat, _, std = normalized
    room(f"u_prev: got shape {u_prev.shape} for {len(std)} neurons", u_prev.size * len(std))
    Mu = np.stack([mix(x_hat[:, [i]], u_prev) for i in range(len(std))], axis=1)
    return (gamma / std)[:, np.newaxis] * Mu


@checked
def backward(delta: Array["M_B n"], normalized: Normalized, gamma: Array["n"]) -> Gradients:
    """∂C/∂x, ∂C/∂γ and ∂C/∂β from one split of the error.

    β takes the part of Δ along 1, γ the part along x̂, and everything below gets (γ/ς)·M·Δ.
    """
    mean, along_x_hat, mixed = split(normalized.x_hat, delta)
    M_B = len(delta)
    return Gradients(gamma / normalized.std * mixed, M_B * along_x_hat, M_B * mean)


@checked
def input_error(delta: Array["M_B n"], normalized: Normalized, gamma: Array["n"]):
    """∂C/∂x = (γ/ς)·M·Δ, the bracket of equation (2)."""
    return gamma / normalized.std * mix(normalized.x_hat, delta)


@checked
def gamma_gradient(delta: Array["M_B n"], normalized: Normalized):
    """∂C/∂γ_i = Σ_s Δ_si x̂_si (S13)."""
    M_B = len(delta)
    return M_B * split(normalized.x_hat, delta).along_x_hat


@checked
def beta_gradient(delta: Array["M_B n"]):
    """∂C/∂β_i = Σ_s Δ_si (S12): the baseline's bias gradient."""
    return baseline.bias_gradient(delta)


@checked
def weight_gradient(
    delta: Array["M_B n"], u_prev: Array["M_B n_prev"], normalized: Normalized, gamma: Array["n"]
):
    """∂C/∂W_ij = Σ_s (∂C/∂x_si) ũ_sj of x = W u, equation (1).

    ∂C/∂x has mean zero, so ũ = u − ⟨u⟩ may stand for u. The result is the same, and its rounding
    error no longer grows with ⟨u⟩.
    """
    return baseline.weight_gradient(input_error(delta, normalized, gamma), center(u_prev))


@checked
def previous_error(
    delta: Array["M_B n"],
    W: Array["n n_prev"],
    normalized: Normalized,
    gamma: Array["n"],
    g_prime: Array["M_B n_prev"],
):
    """Δ^l = g'(y^l) ∂C/∂x W, equation (2); `delta`, `normalized` and `gamma` are of layer l + 1."""
    return baseline.previous_error(input_error(delta, normalized, gamma), W, g_prime)
