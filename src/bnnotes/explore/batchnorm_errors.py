"""Explorers of section 2: what BN does to errors and to predictions."""

from __future__ import annotations

import functools
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np

from .. import baseline, batchnorm, digits, network, sample_space
from ..activations import sigmoid
from ..figures.batchnorm import number
from ..figures.batchnorm_errors import ClassMixFigure, MovedFigure, SplitFigure
from .base import Explorer, batch_size, slider

SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
NOTHING = np.empty(0)

trained = functools.cache(digits.trained)
load = functools.cache(digits.load)


class Parts(NamedTuple):
    """M_B·Δ of one output neuron and its three parts, samples sorted by x.

    Attributes
    ----------
    error, mean, along_x_hat, mixed : ndarray, shape (M_B,) or (0,)
        M_B·Δ, and its parts along 1, along x̂, and the rest.
    shares : ndarray, shape (3,)
        Of the squared length, in the same order.
    """

    error: np.ndarray
    mean: np.ndarray
    along_x_hat: np.ndarray
    mixed: np.ndarray
    shares: np.ndarray


def _parts(M_B, digit, epochs):
    if M_B == 1:
        return Parts(NOTHING, NOTHING, NOTHING, NOTHING, np.zeros(3))
    net, data = trained("ten", batch_norm=True, epochs=epochs), load("ten")
    last = network.feed_forward(net, data.psi[:M_B])[-1]
    x_hat = last.normalized.x_hat[:, [digit]]
    order = np.argsort(x_hat[:, 0])
    error = M_B * baseline.output_error(last.u, data.phi[:M_B])[order][:, [digit]]
    x_hat = x_hat[order]
    mean, along_x_hat, mixed = sample_space.split(x_hat, error)
    parts = [np.full(M_B, mean), (along_x_hat * x_hat)[:, 0], mixed[:, 0]]
    lengths = np.array([part @ part for part in parts])
    return Parts(error[:, 0], *parts, lengths / (error[:, 0] @ error[:, 0]))


def _say_parts(result):
    M_B = len(result.error)
    if M_B == 0:
        return "M_B = 1: at ε = 0 there is no x̂, so no prediction and no error"
    beta, gamma, below = result.shares
    all_of_it = ": nothing is left to learn below" if M_B == 2 else ""
    return (
        f"M_B = {M_B}: of the squared error β takes {beta:.0%}, γ takes {gamma:.0%}, "
        f"{below:.0%} is passed below{all_of_it}"
    )


def split():
    """Return the explorer of an error's three parts, at one output of the digits network.

    Returns
    -------
    Explorer
        Sliders: batch size, output neuron, epochs of training.
    """
    return Explorer(
        "Error at one output of the digits network, split in three",
        _parts,
        SplitFigure(),
        _say_parts,
        M_B=batch_size(SIZES, 16),
        digit=slider(widgets.IntSlider, "output for the digit", value=6, min=0, max=9),
        epochs=slider(
            widgets.SelectionSlider, "epochs trained", options=(0, 1, 2, 5, 10, 20), value=0
        ),
    )


MOVED_OUTPUT = 4


class Moved(NamedTuple):
    """M_B·∂C/∂x of every sample, before and after the first x moved.

    Attributes
    ----------
    batch_norm, batch_norm_before : ndarray, shape (M_B,) or (0,)
    baseline, baseline_before : ndarray, shape (M_B,)
    images : ndarray, shape (M_B, 8, 8)
    """

    batch_norm: np.ndarray
    batch_norm_before: np.ndarray
    baseline: np.ndarray
    baseline_before: np.ndarray
    images: np.ndarray


@functools.cache
def _output_input(batch_norm, M_B):
    """Return x of the output neuron, shape (M_B, 1), for the first M_B digits, and its layer."""
    net = trained("ten", batch_norm=batch_norm, epochs=1)
    steps = network.feed_forward(net, load("ten").psi[:M_B])
    layer = net.layers[-1]
    return steps[-1].u_prev @ layer.W[[MOVED_OUTPUT]].T, layer


@functools.cache
def _unit(batch_norm):
    """Return σ of that x over many samples: what a step of the slider is counted in."""
    return _output_input(batch_norm, SIZES[-1])[0].std()


def _shifted(batch_norm, M_B, shift):
    x, layer = _output_input(batch_norm, M_B)
    x = x.copy()
    x[0] += shift * _unit(batch_norm)
    phi = load("ten").phi[:M_B, [MOVED_OUTPUT]]
    return x, layer, phi


def _gradient_with(M_B, shift):
    x, layer, phi = _shifted(True, M_B, shift)
    gamma, beta = layer.gamma[[MOVED_OUTPUT]], layer.beta[[MOVED_OUTPUT]]
    y, normalized = batchnorm.forward(x, gamma, beta)
    delta = baseline.output_error(sigmoid.g(y), phi)
    return M_B * batchnorm.input_error(delta, normalized, gamma)[:, 0]


def _gradient_without(M_B, shift):
    x, layer, phi = _shifted(False, M_B, shift)
    return M_B * baseline.output_error(sigmoid.g(x + layer.b[[MOVED_OUTPUT]]), phi)[:, 0]


def _moved(M_B, shift):
    with_bn = (NOTHING, NOTHING)
    if M_B > 1:
        with_bn = _gradient_with(M_B, shift), _gradient_with(M_B, 0.0)
    without = _gradient_without(M_B, shift), _gradient_without(M_B, 0.0)
    return Moved(*with_bn, *without, load("ten").psi[:M_B].reshape(M_B, 8, 8))


def _say_moved(result):
    M_B = len(result.baseline)
    if M_B == 1:
        return "M_B = 1: with BN at ε = 0 there is no x̂ and no gradient; the baseline has one"
    if M_B == 2:
        return "M_B = 2: with BN both gradients are 0 wherever x goes"
    if (result.baseline == result.baseline_before).all():
        return f"M_B = {M_B}: the first x stands where the network puts it"
    others = np.abs(result.batch_norm - result.batch_norm_before)[1:]
    still = np.abs(result.baseline - result.baseline_before)[1:].max()
    return (
        f"M_B = {M_B}: the gradients of the {M_B - 1} others move by up to {others.max():.2f} "
        f"with BN, by {still:.0f} without"
    )


def moved_sample():
    """Return the explorer that moves x of one sample and shows the gradients of all.

    One output of the digits network and of its baseline, both after one epoch.

    Returns
    -------
    Explorer
        Sliders: batch size, shift of the first sample's x in units of σ(x).
    """
    return Explorer(
        f"∂C/∂x of every sample at the output for the digit {MOVED_OUTPUT} of the digits network, "
        "with BN and without",
        _moved,
        MovedFigure(),
        _say_moved,
        M_B=batch_size(SIZES[:8], 8),
        shift=slider(
            widgets.FloatSlider, "move one x, in σ(x)", value=0.0, min=-2.5, max=2.5, step=0.05
        ),
    )


class ClassMix(NamedTuple):
    """Logits of one batch of odd and even digits.

    Attributes
    ----------
    own : ndarray, shape (M_B,) or (0,)
        Normalized by the batch itself.
    population : ndarray, shape (M_B,)
        Normalized by the statistics of the training data.
    odd : ndarray of bool, shape (M_B,)
    right_own, right_population : float
        Share of right predictions.
    """

    own: np.ndarray
    population: np.ndarray
    odd: np.ndarray
    right_own: float
    right_population: float


@functools.cache
def _two_classes():
    """Return the network, its population statistics, and held-out even and odd digits."""
    net, data = trained("odd", batch_norm=True, epochs=1), load("odd")
    odd = data.phi_test[:, 0] == 1
    statistics = network.population_statistics(net, data.psi)
    return net, statistics, data.psi_test[~odd], data.psi_test[odd]


def _logits(u):
    return np.log(u / (1 - u))[:, 0]


def _class_mix(M_B, share):
    net, statistics, even_psi, odd_psi = _two_classes()
    count = round(share * M_B)
    psi = np.concatenate([even_psi[: M_B - count], odd_psi[:count]])
    odd = np.arange(M_B) >= M_B - count
    own = network.feed_forward(net, psi)[-1].y[:, 0] if M_B > 1 else NOTHING
    population = _logits(network.predict(net, psi, statistics))
    right = [float(((y > 0) == odd).mean()) if len(y) else 0.0 for y in (own, population)]
    return ClassMix(own, population, odd, *right)


def _say_class_mix(result):
    M_B = len(result.odd)
    mix = f"M_B = {M_B}, {result.odd.sum()} of them odd"
    if M_B == 1:
        return f"{mix}: its own batch gives no x̂; the training data decides"
    own, population = number(result.own.mean()), number(result.population.mean())
    return (
        f"{mix}. By its own batch: mean logit {own}, {result.right_own:.0%} right. "
        f"By the training data: {population}, {result.right_population:.0%} right"
    )


def class_mix():
    """Return the explorer of predictions that depend on the batch's mix of classes (S14).

    Held-out digits, odd or even, in the digits network after one epoch.

    Returns
    -------
    Explorer
        Sliders: batch size, share of odd digits.
    """
    return Explorer(
        "Logits of a batch of odd and even digits, normalized in two ways",
        _class_mix,
        ClassMixFigure(reach=9.0),
        _say_class_mix,
        M_B=batch_size(SIZES, 32),
        share=slider(
            widgets.FloatSlider,
            "share of odd digits",
            value=0.5,
            min=0.0,
            max=1.0,
            step=0.125,
            readout_format=".3f",
        ),
    )
