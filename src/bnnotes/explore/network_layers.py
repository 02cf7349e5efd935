"""Explorer of the layers of a network in training: their angles, and BL's amplitude over BN's."""

from __future__ import annotations

import functools
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np

from .. import baseline, batchnorm, digits, geometry, growth, network
from ..figures.network_layers import LayersInTrainingFigure
from . import base
from .network import Retrained

SIZES = [64, 24, 12, 10]
EPOCHS = (0, 1, 2, 4, 8, 16, 32)
BATCHES = (1, 2, 3, 4, 8, 16, 64, 256, 1400)
LAYERS = (1, 2, 3)


class View(NamedTuple):
    """What one layer of a BN network sees of a batch.

    Attributes
    ----------
    delta : ndarray, shape (M_B, n)
    u_prev : ndarray, shape (M_B, n_prev)
    normalized : Normalized
    gamma : ndarray, shape (n,)
    """

    delta: np.ndarray
    u_prev: np.ndarray
    normalized: batchnorm.Normalized
    gamma: np.ndarray


def views(net, psi, phi):
    """Return the `View` of every layer, the first layer first."""
    steps, found = network.feed_forward(net, psi), []
    errors = list(growth.errors(net, steps, baseline.output_error(steps[-1].u, phi)))
    for layer, step, delta in zip(net.layers, steps, errors[::-1], strict=True):
        varying = np.ptp(step.u_prev, axis=0) > 0  # some pixels are white in every image
        found.append(View(delta, step.u_prev[:, varying], step.normalized, layer.gamma))
    return found


@functools.cache
def stages():
    """Return the digits network of this explorer after each of EPOCHS epochs of training."""
    data = digits.load("ten")
    net = network.create(SIZES, batch_norm=True, activation="tanh", rng=0)
    layers = [net.layers]
    options = {"learning_rate": 0.3, "batch_size": 64, "epochs": EPOCHS[-1], "rng": 0}

    def keep(epoch, net, history):
        layers.append(net.layers)

    network.train(net, data.psi, data.phi, on_epoch=keep, **options)
    return [network.Network(layers[epoch], net.activation) for epoch in EPOCHS]


def amplitude(view):
    """Return ‖∂C/∂W‖ by the baseline's equation (5) over that by BN's, from one Δ and u."""
    delta, u_prev, normalized, gamma = view
    bl = baseline.weight_gradient(delta, u_prev)
    bn = batchnorm.weight_gradient(delta, u_prev, normalized, gamma)
    return float(np.linalg.norm(bl) / np.linalg.norm(bn))


def folded(angle):
    """Return how far an angle is from 0° or 180°, whichever is nearer, in degrees."""
    return np.degrees(np.minimum(angle, np.pi - angle))


@functools.cache
def measured(M_B):
    """Return medians of the folded angles (layer, epoch, 4), and amplitudes (layer, epoch)."""
    data = digits.load("ten")
    medians = np.empty((len(LAYERS), len(EPOCHS), 4))
    ratios = np.empty((len(LAYERS), len(EPOCHS)))
    for e, net in enumerate(stages()):
        for l, view in enumerate(views(net, data.psi[:M_B], data.phi[:M_B])):
            angles = geometry.sample_angles(view.delta, view.u_prev, view.normalized.x_hat)
            medians[l, e] = [np.median(folded(angle)) for angle in angles]
            ratios[l, e] = amplitude(view)
    return medians, ratios


class LayersInTraining(NamedTuple):
    """The angles of one layer and the amplitudes of all, epoch by epoch.

    Attributes
    ----------
    M_B, layer : int
    angles : ndarray, shape (epochs, 4), or None
        Medians of θ1, θ2, θ3 and φ, folded to 0…90°.
    ratios : ndarray, shape (layers, epochs), or None
        BL's amplitude over BN's.
    explanation : str
        Why there are none.
    """

    M_B: int
    layer: int
    angles: np.ndarray | None
    ratios: np.ndarray | None
    explanation: str = ""


def compute_layers(M_B, layer):
    """Return `LayersInTraining` of the first M_B digits."""
    if M_B == 1:
        return LayersInTraining(M_B, layer, None, None, "One sample has no x̂, so no angle.")
    if M_B == 2:
        why = "Two samples: M = 0, no W has a gradient, and below the top there is no error."
        return LayersInTraining(M_B, layer, None, None, why)
    medians, ratios = measured(M_B)
    return LayersInTraining(M_B, layer, medians[layer - 1], ratios)


def _read_layers(result):
    if result.explanation:
        return f"M_B = {result.M_B}: {result.explanation}"
    first, last = result.angles[0], result.angles[-1]
    moves = ", ".join(
        f"{name} {a:.0f}° → {b:.0f}°"
        for name, a, b in zip(("θ1", "θ2", "θ3", "φ"), first, last, strict=True)
    )
    ratio = result.ratios[result.layer - 1]
    return (
        f"M_B = {result.M_B}, layer {result.layer}, start → epoch {EPOCHS[-1]}: {moves}; "
        f"BL/BN {ratio[0]:.2g} → {ratio[-1]:.2g}."
    )


def _in_words(result):
    where = f"M_B = {result.M_B}, layer {result.layer}"
    if result.explanation:
        return f"{where}: {result.explanation}"
    if result.M_B == 3:
        return f"{where}: φ is 0°, all vectors lie in a plane."
    change = result.angles[-1, 0] - result.angles[0, 0]
    moves = "rises" if change > 15 else "falls" if change < -15 else "stays within 15°"
    return f"{where}: from start to end θ1 {moves}."


def layers_in_training():
    """Return the explorer of the layers in training: batch size, layer."""
    return Retrained(
        "Angles of the layers of the digits network in training",
        compute_layers,
        LayersInTrainingFigure(EPOCHS, len(LAYERS)),
        _read_layers,
        _in_words,
        M_B=base.batch_size(BATCHES, 256),
        layer=base.slider(widgets.IntSlider, "layer", value=3, min=1, max=3),
    )
