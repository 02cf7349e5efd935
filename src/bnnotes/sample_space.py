"""Vectors over the samples of one batch: section 3 of the source.

Everything that Batch Normalization adds to back-propagation is the
projection M of this module. The rest of the package calls it.

A column v of a batch is a vector with one entry per sample. It splits into
three parts that are orthogonal to each other when eps = 0::

    v  =  ⟨v⟩ 1  +  ⟨x̂ v⟩ x̂  +  M v
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from ._validation import checked, require_variance


class Split(NamedTuple):
    """The three parts of v: ``mean + along_x_hat * x_hat + mixed``.

    Attributes
    ----------
    mean : ndarray, shape (n,)
        ⟨v⟩, the part along 1.
    along_x_hat : ndarray, shape (n,)
        ⟨x̂ v⟩, the part along x̂.
    mixed : ndarray, shape (M_B, n)
        M v, what is left.
    """

    mean: np.ndarray
    along_x_hat: np.ndarray
    mixed: np.ndarray


@functools.lru_cache(maxsize=16)
def _averaging(M_B, dtype):
    """Return the row of M_B entries 1/M_B."""
    row = np.ones(M_B, dtype) / M_B
    row.flags.writeable = False
    return row


def sample_mean(v):
    """Return ⟨v⟩, the mean over the samples (axis 0). Unchecked."""
    # A product with ones, each over M_B, is several times faster than np.mean on small batches.
    return _averaging(len(v), v.dtype).dot(v)


def sample_sum(v):
    """Return Σ_s v_s, the sum over the samples (axis 0). Unchecked."""
    return len(v) * sample_mean(v)


def mean_and_rest(v):
    """Return ⟨v⟩ and v − ⟨v⟩, columns of exactly mean zero up to one rounding. Unchecked.

    The mean of a large column is rounded. The second subtraction takes
    away what that rounding left, so the error does not grow with mean/std.
    """
    average = _averaging(len(v), v.dtype)
    mean = average.dot(v)
    rest = v - mean
    rest -= average.dot(rest)
    return mean, rest


def center(v):
    """Return v − ⟨v⟩, as exact as `mean_and_rest`. Unchecked."""
    return mean_and_rest(v)[1]


def split(x_hat, v):
    """Return the `Split` of v into its parts along 1, along x̂, and M v. Unchecked."""
    mean, rest = mean_and_rest(v)
    part = x_hat * rest
    along_x_hat = sample_mean(part)
    # In place: new memory for a large array takes longer to get than to fill.
    part = np.multiply(x_hat, along_x_hat, out=part)
    return Split(mean, along_x_hat, np.subtract(rest, part, out=part))


@checked(x_hat="M_B 1|n", v="M_B n")
def mix(x_hat, v):
    """Return M v = v − ⟨v⟩ − x̂⟨x̂ v⟩, column by column.

    The bracket of equations (1), (2) and (3), section 2. It costs O(M_B)
    per column; the matrix M is never formed.

    Parameters
    ----------
    x_hat : array_like, shape (M_B, n) or (M_B, 1)
        Normalized input of each neuron. One column serves all columns of v.
    v : array_like, shape (M_B, n)
        Vectors over the samples.

    Returns
    -------
    ndarray, shape (M_B, n)

    Raises
    ------
    ValueError
        If shapes disagree or an entry is not a finite number.

    Examples
    --------
    With two samples nothing is left:

    >>> mix([[1.0], [-1.0]], [[0.3], [5.0]])
    array([[0.],
           [0.]])
    """
    return split(x_hat, v).mixed


@checked(x_hat="M_B")
def mixing_matrix(x_hat):
    """Return M = I − (O + X̂)/M_B of one neuron, section 3 (S20).

    For reading and plotting. To apply M use `mix`, which needs no matrix.

    Parameters
    ----------
    x_hat : array_like, shape (M_B,)
        Normalized input of one neuron.

    Returns
    -------
    ndarray, shape (M_B, M_B)
        Symmetric. At eps = 0 a projector of rank M_B − 2.

    Raises
    ------
    ValueError
        If `x_hat` is not one column of finite numbers.

    Examples
    --------
    >>> mixing_matrix([1.0, -1.0])
    array([[0., 0.],
           [0., 0.]])
    """
    M_B = len(x_hat)
    identity = np.eye(M_B, dtype=x_hat.dtype)
    return identity - (1 + np.outer(x_hat, x_hat)) / M_B


@checked(x_hat="M_B")
def mixing_eigenvalues(x_hat):
    """Return the eigenvalues of M of one neuron, ascending, section 3 (S20).

    0 on the vector of ones, 1 − ⟨x̂²⟩ = eps/s² on x̂, and 1 on the M_B − 2
    directions that are orthogonal to both. A single sample has the first alone.

    Parameters
    ----------
    x_hat : array_like, shape (M_B,)
        Normalized input of one neuron: its mean is 0.

    Returns
    -------
    ndarray, shape (M_B,)

    Raises
    ------
    ValueError
        If `x_hat` is not one column of finite numbers.

    Examples
    --------
    >>> mixing_eigenvalues([1.0, 1.0, -1.0, -1.0])
    array([0., 0., 1., 1.])
    """
    eigenvalues = np.ones(len(x_hat), x_hat.dtype)
    eigenvalues[:2] = [0, 1 - sample_mean(x_hat**2)][: len(x_hat)]
    return eigenvalues


@checked(u="M_B 1|n", W="n", eps=">= 0")
def single_neuron_residual(u, W, eps=0.0):
    """Return M u = ũ·eps/(W²σ̃² + eps) of a neuron whose only input is u, section 3 (S24).

    ũ = u − ⟨u⟩, and σ̃ is the standard deviation of u. Exactly 0 at eps = 0, for
    every W that is not 0. Column by column: each is a neuron of its own.

    Parameters
    ----------
    u : array_like, shape (M_B, n) or (M_B, 1)
        The only input of each neuron. One column serves all weights.
    W : array_like, shape (n,)
        Its weight.
    eps : float
        Added to the variance of x = W u.

    Returns
    -------
    ndarray, shape (M_B, n)

    Raises
    ------
    ValueError
        If W u is constant over the samples (W = 0 is enough) and eps = 0.

    Examples
    --------
    >>> single_neuron_residual([[1.0], [3.0]], [2.0], eps=1.0)
    array([[-0.2],
           [ 0.2]])
    """
    centered = center(u)
    variance = W**2 * sample_mean(centered**2) + eps
    require_variance("W u", u * W, W * sample_mean(u), np.sqrt(variance), eps)
    return centered * (eps / variance)


@checked(gamma_gradient="n", gamma="n", std="n > 0", eps=">= 0")
def radial_weight_gradient(gamma_gradient, gamma, std, eps=0.0):
    """Return Σ_j W_ij ∂C/∂W_ij = γ_i eps/s_i² · ∂C/∂γ_i, beyond the source.

    The slope of the cost along the weights of neuron i themselves. It is 0
    at eps = 0: there the cost does not see the length of W_i.

    Parameters
    ----------
    gamma_gradient : array_like, shape (n,)
        ∂C/∂γ.
    gamma : array_like, shape (n,)
        Scale of each neuron.
    std : array_like, shape (n,)
        s = sqrt(σ² + eps).
    eps : float
        The same eps.

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    ValueError
        If shapes disagree, an entry is not finite, or one of std not positive.
    """
    return gamma * (eps / std**2) * gamma_gradient
