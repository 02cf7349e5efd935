"""Real data for the book: 1797 handwritten digits of 8 × 8 pixels, offline.

They are the test set of E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits"
(UCI Machine Learning Repository, 1998), in the order in which scikit-learn ships them.
What does not fit is refused with a `ValueError` that says what was wanted.
"""

from __future__ import annotations

import copy
import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np

from . import network
from .checked import choice, count, float_dtype, generator, sized
from .kept import kept

LABELS = ("odd", "ten")
MOST_EPOCHS = 1000  # some seconds, and a network is kept of each


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
    """Return the handwritten digits, shuffled and split.

    Parameters
    ----------
    labels : {"odd", "ten"}
        One output, odd or even; or ten outputs, one per digit.
    samples_test : int
        Held out from the training.
    seed : int or numpy.random.Generator
        Of the shuffle before the split.
    dtype : dtype
        float64, float32 or longdouble.

    Returns
    -------
    Digits

    Examples
    --------
    >>> data = load("ten")
    >>> data.psi.shape, data.phi.shape, data.psi_test.shape
    ((1400, 64), (1400, 10), (397, 64))
    """
    choice("labels", labels, LABELS)
    dtype, rng = float_dtype("dtype", dtype), generator("seed", seed)
    pixels, digit = _shipped()
    samples_test = count("samples_test", samples_test)
    if samples_test >= len(digit):
        raise ValueError(
            f"samples_test: got {samples_test}, wanted fewer than the {len(digit)} samples"
        )
    order = rng.permutation(len(digit))
    psi, digit = (pixels[order] / 16).astype(dtype), digit[order]
    phi = digit[:, np.newaxis] % 2 if labels == "odd" else np.eye(10)[digit]
    phi = phi.astype(dtype)
    return Digits(psi[samples_test:], phi[samples_test:], psi[:samples_test], phi[:samples_test])


@kept
def _shipped():
    with np.load(Path(__file__).with_suffix(".npz")) as stored:
        return stored["pixels"], stored["digits"]


def trained(labels="odd", *, batch_norm=False, epochs=20):
    """Return "the digits network" of the explorers: 64 → 32 ReLU → sigmoid outputs, trained.

    The training is `load`'s with batches of 32 and a learning rate of 0.3,
    seeded. Each is trained once per session.

    Parameters
    ----------
    labels : {"odd", "ten"}
        As in `load`.
    batch_norm : bool or "hidden"
        Where BN stands, as in `network.create`.
    epochs : int
        From 0, the network as created, to 1000.

    Returns
    -------
    Network
        A copy, yours to change.
    """
    epochs = count("epochs", epochs, minimum=0, maximum=MOST_EPOCHS)
    labels, batch_norm = choice("labels", labels, LABELS), network._layout(batch_norm)
    for epoch in range(epochs + 1):  # one by one, so that each finds the one before
        net = _stage(labels, batch_norm, epoch)
    return copy.deepcopy(net)


@functools.cache
def _stage(labels, batch_norm, epoch):
    data = load(labels)
    if epoch == 0:
        sizes = [64, 32, data.phi.shape[1]]
        return network.create(sizes, batch_norm=batch_norm, activation="relu", rng=0)
    net = copy.deepcopy(_stage(labels, batch_norm, epoch - 1))
    options = {"learning_rate": 0.3, "batch_size": 32, "epochs": 1, "rng": epoch}
    network.train_whole(net, data.psi, data.phi, **options)
    return net


def accuracy(u, phi):
    """Return the share of samples whose prediction is right.

    Parameters
    ----------
    u : array_like, shape (M, n)
        Predictions: above or below 1/2 for one output, the largest for several.
    phi : array_like, shape (M, n)
        Labels.

    Returns
    -------
    float
    """
    sizes = {}
    u, phi = sized("u", u, "M n", sizes, real=True), sized("phi", phi, "M n", sizes, real=True)
    if phi.shape[1] == 1:
        return float(((u > 0.5) == (phi > 0.5)).mean())
    return float((u.argmax(axis=1) == phi.argmax(axis=1)).mean())
