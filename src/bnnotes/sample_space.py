"""Vectors over the samples of one batch: section 3 of the source.

Everything that Batch Normalization adds to back-propagation is the
projection M of this module. The rest of the package calls it.

A column v of a batch is a vector with one entry per sample. It splits into
three parts that are orthogonal to each other when eps = 0::

    v  =  ⟨v⟩ 1  +  ⟨x̂ v⟩ x̂  +  M v
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ._validation import checked


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


def sample_mean(v):
    """Return ⟨v⟩, the mean over the samples (axis 0). Unchecked."""
    # A product with ones is several times faster than np.mean on small batches.
    return np.ones(len(v), v.dtype) @ v / len(v)


def center(v):
    """Return v − ⟨v⟩, columns of exactly mean zero up to one rounding. Unchecked.

    The mean of a large column is rounded. The second subtraction takes
    away what that rounding left, so the error does not grow with mean/std.
    """
    v = v - sample_mean(v)
    return v - sample_mean(v)


def split(x_hat, v):
    """Return the `Split` of v into its parts along 1, along x̂, and M v. Unchecked."""
    mean = sample_mean(v)
    centered = center(v)
    along_x_hat = sample_mean(x_hat * centered)
    return Split(mean, along_x_hat, centered - x_hat * along_x_hat)


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
