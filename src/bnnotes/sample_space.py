"""Vectors over the samples of one batch: section 3 of the source.

A column v of a batch is a vector with one entry per sample. It splits into three parts that are
orthogonal to each other when eps = 0::

    v  =  ⟨v⟩ 1  +  ⟨x̂ v⟩ x̂  +  M v

All that Batch Normalization adds to back-propagation is the projection M.

Here and in all formulas arrays are sample-major: a row is a sample, a column a neuron. What does
not have the shapes of the signature, is not finite, or is no x̂ where one is wanted, is refused
with a ValueError. Complex numbers are not, so that the complex step can differentiate.
"""

import functools
from typing import NamedTuple

import numpy as np

from .checked import Array, NonNegative, checked, require_variance, room
from .kept import kept


class Split(NamedTuple):
    """The three parts of v: ``mean + along_x_hat * x_hat + mixed``."""

    mean: Array["n"]
    along_x_hat: Array["n"]
    mixed: Array["M_B n"]


@functools.partial(kept, most=16)
def _averaging(M_B, dtype):
    """A row of M_B entries 1/M_B."""
    return np.ones(M_B, dtype) / M_B


def sample_mean(v):
    """⟨v⟩, the mean over the samples."""
    # A product with ones, each over M_B, is several times faster than np.mean on small batches;
    # and so is dot than @ for a single row.
    return _averaging(len(v), v.dtype).dot(v)


def mean_and_rest(v):
    """⟨v⟩ and ṽ = v − ⟨v⟩."""
    mean = sample_mean(v)
    rest = v - mean
    # The mean of a large column is rounded. The second subtraction takes away what that left, so
    # the error does not grow with mean/std.
    return mean, rest - sample_mean(rest)


def center(v):
    """ṽ = v − ⟨v⟩."""
    return mean_and_rest(v)[1]


@checked
def split(x_hat: Array["M_B 1|n, standardized"], v: Array["M_B n"]) -> Split:
    """v = ⟨v⟩ 1 + ⟨x̂ v⟩ x̂ + M v in its three parts; one column x̂ serves all columns of v."""
    mean, rest = mean_and_rest(v)
    along_x_hat = sample_mean(x_hat * rest)
    return Split(mean, along_x_hat, rest - along_x_hat * x_hat)


@checked
def mix(x_hat: Array["M_B 1|n, standardized"], v: Array["M_B n"]):
    """M v = v − ⟨v⟩ − x̂⟨x̂ v⟩, the bracket of equations (1), (2) and (3).

    It costs O(M_B) per column; the matrix M is never formed. With two samples nothing is left:

    >>> mix([[1.0], [-1.0]], [[0.3], [5.0]])
    array([[0.],
           [0.]])
    """
    return split(x_hat, v).mixed


@checked
def mixing_matrix(x_hat: Array["M_B, standardized"]):
    """M = I − (O + X̂)/M_B of one neuron (S20), for reading and plotting.

    At eps = 0 a projector of rank M_B − 2:

    >>> mixing_matrix([1.0, -1.0])
    array([[0., 0.],
           [0., 0.]])
    """
    M_B = len(x_hat)
    room(f"x_hat: got M_B = {M_B}", M_B * M_B)
    return np.eye(M_B, dtype=x_hat.dtype) - (1 + np.outer(x_hat, x_hat)) / M_B


@checked
def mixing_eigenvalues(x_hat: Array["M_B, standardized"]):
    """The eigenvalues of M of one neuron, ascending (S20).

    0 on the vector of ones, 1 − ⟨x̂²⟩ = eps/ς² on x̂, and 1 on the M_B − 2 directions that are
    orthogonal to both. A single sample has the first alone.

    >>> mixing_eigenvalues([1.0, 1.0, -1.0, -1.0])
    array([0., 0., 1., 1.])
    """
    eigenvalues = np.ones(len(x_hat), x_hat.dtype)
    eigenvalues[:2] = [0, 1 - sample_mean(x_hat**2)][: len(x_hat)]
    return eigenvalues


@checked
def single_neuron_residual(u: Array["M_B 1|n"], W: Array["n"], eps: NonNegative = 0.0):
    """M u = ũ eps/(W²σ(u)² + eps) of a neuron whose only input is u (S24).

    Exactly 0 at eps = 0, for every W that is not 0. Column by column: each is a neuron of its own.

    >>> single_neuron_residual([[1.0], [3.0]], [2.0], eps=1.0)
    array([[-0.2],
           [ 0.2]])
    """
    u_tilde = center(u)
    variance = W**2 * sample_mean(u_tilde**2) + eps
    require_variance("W u", u * W, W * sample_mean(u), np.sqrt(variance), eps)
    return u_tilde * (eps / variance)


@checked
def radial_weight_gradient(
    gamma_gradient: Array["n"], gamma: Array["n"], std: Array["n > 0"], eps: NonNegative = 0.0
):
    """Σ_j W_ij ∂C/∂W_ij = γ_i eps/ς_i² ∂C/∂γ_i, beyond the source.

    The slope of the cost along the weights of neuron i themselves. It is 0 at eps = 0: there the
    cost does not see the length of W_i.
    """
    return gamma * (eps / std**2) * gamma_gradient
