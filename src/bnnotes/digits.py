"""Real data for the book: scikit-learn's handwritten digits, offline."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Digits(NamedTuple):
    """Images and labels, shuffled and split.

    Attributes
    ----------
    psi, psi_test : ndarray, shape (M, 64)
        Pixels, 8 × 8, between 0 and 1.
    phi, phi_test : ndarray, shape (M, n)
        Labels: one column (1 = odd), or ten columns (1 = this digit).
    """

    psi: np.ndarray
    phi: np.ndarray
    psi_test: np.ndarray
    phi_test: np.ndarray


def load(labels="odd", *, samples_test=397, seed=0, dtype=np.float64):
    """Return the 1797 handwritten digits that scikit-learn ships.

    Parameters
    ----------
    labels : {"odd", "ten"}
        One output, odd or even; or ten outputs, one per digit.
    samples_test : int
        Held out from the training.
    seed : int
        Of the shuffle before the split.
    dtype : dtype
        float64 or float32.

    Returns
    -------
    Digits

    Raises
    ------
    ValueError
        If `labels` is neither.
    """
    from sklearn.datasets import load_digits

    if labels not in ("odd", "ten"):
        raise ValueError(f"labels: got {labels!r}, wanted 'odd' or 'ten'")
    pixels, digit = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(digit))
    psi, digit = (pixels[order] / 16).astype(dtype), digit[order]
    phi = digit[:, np.newaxis] % 2 if labels == "odd" else np.eye(10)[digit]
    phi = phi.astype(dtype)
    return Digits(psi[samples_test:], phi[samples_test:], psi[:samples_test], phi[:samples_test])


def accuracy(u, phi):
    """Return the share of samples whose prediction is right.

    Parameters
    ----------
    u : ndarray, shape (M, n)
        Predictions: above or below 1/2 for one output, the largest for several.
    phi : ndarray, shape (M, n)
        Labels.

    Returns
    -------
    float
    """
    if phi.shape[1] == 1:
        return float(((u > 0.5) == (phi > 0.5)).mean())
    return float((u.argmax(axis=1) == phi.argmax(axis=1)).mean())
