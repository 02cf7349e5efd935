"""Batch Normalization and its back-propagation: section 2 of the source.

One projection does it all: the error is mixed, ∂C/∂x = (γ/s)·M·Δ, and from
there the baseline's own formulas give the gradients.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from . import baseline
from ._inplace import plus, times
from ._validation import checked, require_variance
from .sample_space import center, mean_and_rest, mix, mixing_matrix, sample_mean, split


class Normalized(NamedTuple):
    """A normalized batch with the statistics that were taken out of it.

    Attributes
    ----------
    x_hat : ndarray, shape (M_B, n)
        x̂ = (x − mean)/std.
    mean : ndarray, shape (n,)
        Mean over the batch.
    std : ndarray, shape (n,)
        s = sqrt(var + eps), the variance divided by M_B.
    """

    x_hat: np.ndarray
    mean: np.ndarray
    std: np.ndarray


class Gradients(NamedTuple):
    """What `backward` returns: ∂C/∂x, ∂C/∂γ and ∂C/∂β.

    Attributes
    ----------
    x : ndarray, shape (M_B, n)
    gamma : ndarray, shape (n,)
    beta : ndarray, shape (n,)
    """

    x: np.ndarray
    gamma: np.ndarray
    beta: np.ndarray


@checked(x="M_B n", eps=">= 0")
def normalize(x, eps=0.0):
    """Return x̂ = (x − ⟨x⟩)/s with s = sqrt(σ² + eps), section 2 (S11).

    Parameters
    ----------
    x : array_like, shape (M_B, n)
        Input of the normalization, one column per neuron.
    eps : float
        Added to the variance; 0 as in the source.

    Returns
    -------
    Normalized

    Raises
    ------
    ValueError
        If a column is constant (so also if M_B = 1) and eps = 0, or if a
        variance overflows.

    Examples
    --------
    >>> normalize([[1.0], [3.0]]).x_hat
    array([[-1.],
           [ 1.]])
    """
    return divide_by_std(*mean_and_rest(x), eps)


def divide_by_std(mean, centered, eps, noise=None):
    """Return the `Normalized` of x = mean + centered, in the memory of `centered`. Unchecked.

    `noise`, if x has rounding errors of its own, is a function that returns them per column.
    """
    std = np.sqrt(sample_mean(centered * centered) + eps)
    require_variance("x", centered, mean, std, eps, noise)
    return Normalized(np.divide(centered, std, out=centered), mean, std)


@checked(x="M_B n", gamma="n", beta="n", eps=">= 0")
def forward(x, gamma, beta, eps=0.0):
    """Return y = γ x̂ + β and the normalized batch, section 2 (S10, S11).

    Parameters
    ----------
    x : array_like, shape (M_B, n)
        Input of the normalization.
    gamma, beta : array_like, shape (n,)
        Scale and shift of each neuron.
    eps : float
        Added to the variance.

    Returns
    -------
    y : ndarray, shape (M_B, n)
    normalized : Normalized

    Raises
    ------
    ValueError
        If shapes disagree, or a column is constant and eps = 0.
    """
    normalized = normalize.bare(x, eps)
    return scale_and_shift(normalized, gamma, beta), normalized


def scale_and_shift(normalized, gamma, beta):
    """Return y = γ x̂ + β, section 2 (S10). Unchecked."""
    return plus(gamma * normalized.x_hat, beta)


@checked(normalized="", gamma="n")
def kernel(normalized, gamma):
    """Return ∂y_si/∂x_ti for all samples s, t: equation (3), section 2.

    Parameters
    ----------
    normalized : Normalized
        From `normalize` or `forward`.
    gamma : array_like, shape (n,)
        Scale of each neuron.

    Returns
    -------
    ndarray, shape (M_B, M_B, n)
        Entry [s, t, i]. There is no entry across neurons (S26): it is zero.

    Raises
    ------
    ValueError
        If shapes disagree.
    """
    M = np.stack([mixing_matrix(x_hat) for x_hat in normalized.x_hat.T], axis=-1)
    return gamma / normalized.std * M


@checked(u_prev="M_B n_prev", normalized="", gamma="n")
def weight_jacobian(u_prev, normalized, gamma):
    """Return ∂y_si/∂W_ij, the second line of equation (1), section 2.

    Parameters
    ----------
    u_prev : array_like, shape (M_B, n_prev)
        Output of the previous layer.
    normalized : Normalized
        Of x = u_prev @ W.T.
    gamma : array_like, shape (n,)
        Scale of each neuron.

    Returns
    -------
    ndarray, shape (M_B, n, n_prev)
        Entry [s, i, j]. Neuron i does not depend on the weights of another.

    Raises
    ------
    ValueError
        If shapes disagree.
    """
    x_hat, _, std = normalized
    Mu = np.stack([mix(x_hat[:, [i]], u_prev) for i in range(len(std))], axis=1)
    return (gamma / std)[:, np.newaxis] * Mu


@checked(delta="M_B n", normalized="", gamma="n")
def backward(delta, normalized, gamma):
    """Return ∂C/∂x, ∂C/∂γ and ∂C/∂β from one split of the error, section 2.

    β takes the part of Δ along 1, γ the part along x̂, and everything below
    this layer gets what is left: (γ/s)·M·Δ.

    Parameters
    ----------
    delta : array_like, shape (M_B, n)
        Error ∂C/∂y.
    normalized : Normalized
        From `normalize` or `forward`.
    gamma : array_like, shape (n,)
        Scale of each neuron.

    Returns
    -------
    Gradients

    Raises
    ------
    ValueError
        If shapes disagree or an entry is not finite.
    """
    mean, along_x_hat, mixed = split(normalized.x_hat, delta)
    M_B = len(delta)
    x = times(mixed, gamma / normalized.std)
    return Gradients(x, M_B * along_x_hat, M_B * mean)


@checked(delta="M_B n", normalized="", gamma="n")
def input_error(delta, normalized, gamma):
    """Return ∂C/∂x = (γ/s)·M·Δ, the bracket of equation (2), section 2.

    Parameters
    ----------
    delta, normalized, gamma
        As in `backward`.

    Returns
    -------
    ndarray, shape (M_B, n)

    Raises
    ------
    ValueError
        If shapes disagree or an entry is not finite.
    """
    return backward.bare(delta, normalized, gamma).x


@checked(delta="M_B n", normalized="")
def gamma_gradient(delta, normalized):
    """Return ∂C/∂γ_i = Σ_s Δ_si x̂_si, section 2 (S13).

    Parameters
    ----------
    delta : array_like, shape (M_B, n)
        Error ∂C/∂y.
    normalized : Normalized
        From `normalize` or `forward`.

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    ValueError
        If shapes disagree or an entry is not finite.
    """
    return len(delta) * split(normalized.x_hat, delta).along_x_hat


def beta_gradient(delta):
    """Return ∂C/∂β_i = Σ_s Δ_si, section 2 (S12): the baseline's bias gradient.

    Parameters
    ----------
    delta : array_like, shape (M_B, n)
        Error ∂C/∂y.

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    ValueError
        If an entry is not finite.
    """
    return baseline.bias_gradient(delta)


@checked(delta="M_B n", u_prev="M_B n_prev", normalized="", gamma="n")
def weight_gradient(delta, u_prev, normalized, gamma):
    """Return ∂C/∂W_ij of x = u_prev @ W.T, equation (1), section 2.

    The mixed error has mean zero, so ⟨u⟩ may be subtracted from u. The
    result is the same, and its rounding error no longer grows with ⟨u⟩.

    Parameters
    ----------
    delta : array_like, shape (M_B, n)
        Error ∂C/∂y of this layer.
    u_prev : array_like, shape (M_B, n_prev)
        Output of the previous layer.
    normalized : Normalized
        Of x = u_prev @ W.T.
    gamma : array_like, shape (n,)
        Scale of each neuron.

    Returns
    -------
    ndarray, shape (n, n_prev)

    Raises
    ------
    ValueError
        If shapes disagree or an entry is not finite.
    """
    return baseline.weight_gradient(input_error(delta, normalized, gamma), center(u_prev))


@checked(delta="M_B n", W="n n_prev", normalized="", gamma="n", g_prime="M_B n_prev")
def previous_error(delta, W, normalized, gamma, g_prime):
    """Return Δ^l from Δ^{l+1}, equation (2), section 2.

    `delta`, `normalized` and `gamma` belong to layer l + 1.

    Parameters
    ----------
    delta : array_like, shape (M_B, n)
        Error of layer l + 1.
    W : array_like, shape (n, n_prev)
        Weights from layer l to layer l + 1.
    normalized : Normalized
        Of layer l + 1.
    gamma : array_like, shape (n,)
        Of layer l + 1.
    g_prime : array_like, shape (M_B, n_prev)
        g'(y^l), the array.

    Returns
    -------
    ndarray, shape (M_B, n_prev)
        Error of layer l.

    Raises
    ------
    ValueError
        If shapes disagree or an entry is not finite.
    """
    return baseline.previous_error(input_error(delta, normalized, gamma), W, g_prime)
