"""The explorers of chapter 1: the error at the output, and the noise of SGD."""

from __future__ import annotations

import functools
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np

from .. import baseline, digits, network
from ..activations import sigmoid
from ..check import complex_step
from ..figures import baseline as figures
from .base import Explorer, batch_size, slider

LOGITS = np.linspace(-12, 12, 97)

SAMPLES = 1400  # all training digits
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, SAMPLES)
STAGES = (0, 1, 2, 5, 10, 20, 40)  # epochs
BATCHES = 200  # at least, of each size


class OutputError(NamedTuple):
    """A batch of digits at the output, with its first sample moved.

    Attributes
    ----------
    M_B : int
    logit, label : float
        Of the moved sample.
    error : float
        M_B·Δ of the moved sample.
    logits, labels, errors : ndarray, shape (M_B − 1,)
        Of the other samples; the errors times M_B.
    cost, slope : float
        Cost of the batch, and its derivative by the moved logit, by complex step.
    axis, sigmoid, costs : ndarray
        Over the axis of logits: u, and the cost of the batch with the moved sample there.
    """

    M_B: int
    logit: float
    label: float
    error: float
    logits: np.ndarray
    labels: np.ndarray
    errors: np.ndarray
    cost: float
    slope: float
    axis: np.ndarray
    sigmoid: np.ndarray
    costs: np.ndarray


@functools.cache
def _held_out():
    """Logits and labels of the held-out digits, odd or even, after five epochs."""
    data = digits.load("odd")
    net = digits.trained("odd", epochs=5)
    return network.feed_forward(net, data.psi_test)[-1].y, data.phi_test


def _batch(M_B, logit, label):
    y, phi = (column[:M_B].copy() for column in _held_out())
    y[0], phi[0] = logit, label
    return y, phi


def _cost(M_B, label, logit):
    y, phi = _batch(M_B, 0.0, label)
    y = y.astype(np.result_type(y, logit))
    y[0] = logit
    return baseline.cross_entropy_from_logits(y, phi)


@functools.lru_cache(maxsize=1000)
def _costs(M_B, label):
    return np.array([_cost(M_B, label, logit) for logit in LOGITS])


def output_error_at(M_B, logit, label):
    """Return the `OutputError` of M_B held-out digits, the first one moved."""
    y, phi = _batch(M_B, logit, label)
    errors = M_B * baseline.output_error(sigmoid.g(y), phi)[:, 0]
    return OutputError(
        M_B,
        logit,
        label,
        errors[0],
        y[1:, 0],
        phi[1:, 0],
        errors[1:],
        _cost(M_B, label, logit),
        float(complex_step(functools.partial(_cost, M_B, label), logit)),
        LOGITS,
        sigmoid.g(LOGITS),
        _costs(M_B, label),
    )


def _say_error(result):
    who = "M_B = 1, this sample alone" if result.M_B == 1 else f"M_B = {result.M_B}"
    error, slope = (figures.signed(value) for value in (result.error / result.M_B, result.slope))
    return (
        f"{who}: (u − φ)/M_B = {error}; slope of the cost, by complex step, {slope}; "
        f"cost {result.cost:.2f}."
    )


def output_error():
    """Return the explorer of the error at the output, over logit and label of one sample."""
    return Explorer(
        "Error at the output, batch of held-out digits, one of them moved",
        output_error_at,
        figures.OutputErrorFigure(LOGITS[0], LOGITS[-1]),
        _say_error,
        M_B=batch_size((1, 2, 4, 8, 16, 32, 64, 128, 256), 8),
        logit=slider(
            widgets.FloatSlider, "logit of the moved one", value=2.0, min=-12, max=12, step=0.25
        ),
        label=slider(widgets.FloatSlider, "its label φ", value=0.0, min=0.0, max=1.0, step=0.05),
    )


class Noise(NamedTuple):
    """Gradients of many batches of one size, compared with the gradient of all samples.

    Attributes
    ----------
    M_B, epochs : int
    angle : ndarray, shape (batches,)
        Between each batch's gradient and the full one, in radians.
    noise : ndarray, shape (batches,)
        Length of their difference, relative to the full gradient.
    sizes : ndarray
        All batch sizes that the slider has.
    measured, predicted : ndarray
        Root mean square of the noise for each of them; nan for all samples,
        where there is none.
    """

    M_B: int
    epochs: int
    angle: np.ndarray
    noise: np.ndarray
    sizes: np.ndarray
    measured: np.ndarray
    predicted: np.ndarray


def sample_gradients(net, psi, phi):
    """Return the gradient of every sample alone, as rows.

    Parameters
    ----------
    net : Network
    psi : ndarray, shape (M, n_0)
    phi : ndarray, shape (M, n_L)

    Returns
    -------
    ndarray, shape (M, number of parameters)
        Without BN their mean over a batch is the gradient of the batch.
    """
    rows = []
    for s in range(len(psi)):
        _, gradients = network.cost_and_gradients(net, psi[s : s + 1], phi[s : s + 1])
        arrays = [array for layer in gradients for array in vars(layer).values()]
        rows.append(np.concatenate([array.ravel() for array in arrays]))
    return np.stack(rows)


@functools.cache
def _products(epochs):
    """Scalar products of all sample gradients, in units of the full gradient's square."""
    data = digits.load("ten")
    net = digits.trained("ten", epochs=epochs)
    G = sample_gradients(net, data.psi, data.phi)
    full = G.mean(axis=0)
    return (G @ G.T) / (full @ full)


@functools.cache
def _directions(epochs, M_B):
    """Parts along and across the full gradient, of the gradients of whole shuffles of batches."""
    products, rng = _products(epochs), np.random.default_rng(M_B)
    batches = []
    while len(batches) < BATCHES:
        batches.extend(network.batches(SAMPLES, M_B, rng))
    shares = np.zeros((len(batches), SAMPLES))
    np.put_along_axis(shares, np.stack(batches), 1 / M_B, axis=1)
    along = shares @ products.mean(axis=0)
    squares = np.einsum("rs,rs->r", shares @ products, shares)
    return along, np.sqrt(np.maximum(squares - along**2, 0))


@functools.cache
def _curves(epochs):
    """Noise over the batch size, measured and predicted."""
    sizes = np.array(SIZES)
    measured = np.full(len(sizes), np.nan)
    for k, M_B in enumerate(SIZES[:-1]):
        along, across = _directions(epochs, M_B)
        measured[k] = np.sqrt(np.mean((along - 1) ** 2 + across**2))
    # Of samples drawn without replacement: variance/M_B · (1 − M_B/M).
    variance = (np.trace(_products(epochs)) - SAMPLES) / (SAMPLES - 1)
    left_out = np.where(sizes < SAMPLES, 1 - sizes / SAMPLES, np.nan)
    return sizes, measured, np.sqrt(variance / sizes * left_out)


def noise_at(M_B, epochs):
    """Return the `Noise` of batches of size M_B, after so many epochs of training."""
    along, across = _directions(epochs, M_B)
    noise = np.hypot(along - 1, across)
    return Noise(M_B, epochs, np.arctan2(across, along), noise, *_curves(epochs))


def _say_noise(result):
    if result.M_B == SAMPLES:
        return f"M_B = {SAMPLES}, all samples: this is the full gradient, there is no noise."
    current = result.sizes == result.M_B
    measured, predicted = result.measured[current][0], result.predicted[current][0]
    who = "M_B = 1, a single sample" if result.M_B == 1 else f"M_B = {result.M_B}"
    return (
        f"{who}: median angle to the full gradient {np.degrees(np.median(result.angle)):.0f}°, "
        f"noise {measured:.2g} times the gradient (predicted {predicted:.2g})."
    )


def gradient_noise():
    """Return the explorer of the batch size against the noise of the SGD direction."""
    return Explorer(
        "Noise of the batch gradient, ten-class digits network",
        noise_at,
        figures.NoiseFigure(SAMPLES),
        _say_noise,
        M_B=batch_size(SIZES, 8),
        epochs=slider(
            widgets.SelectionSlider,
            "epochs trained",
            options=[(str(n), n) for n in STAGES],
            value=5,
        ),
    )
