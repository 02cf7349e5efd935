"""Explorer of real layers: the weights of the three-layer digits network in θ1, θ2 and φ."""

from __future__ import annotations

import functools
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np

from .. import geometry
from ..figures.geometry_layers import LayersFigure
from . import base, geometry_network

SIZES = (1, 2, 3, 4, 6, 8, 16, 64, 256, 1400)
LAYERS = (1, 2, 3)
NO_SIDE = 1e-6  # the sine of a side that φ cannot be measured from


class Layer(NamedTuple):
    """The angles of all weights of a layer on one batch.

    Attributes
    ----------
    M_B, layer, epoch : int
    theta1 : ndarray, shape (n,), or None
    theta2, dihedral : ndarray, shape (n, n_prev), or None
        In radians.
    factors : tuple of ndarray, or None
        |sinθ1|, |sinθ2| and |cosφ|, one entry a weight; the last only of weights where φ has a
        meaning.
    chance : float or None
        Median of |cosφ| for random directions in as many dimensions.
    explanation : str
        Why there are no angles.
    """

    M_B: int
    layer: int
    epoch: int
    theta1: np.ndarray | None
    theta2: np.ndarray | None
    dihedral: np.ndarray | None
    factors: tuple | None
    chance: float | None
    explanation: str = ""


@functools.cache
def chance(dimensions):
    """Return the median of |cos| between two random directions in so many dimensions."""
    v = np.random.default_rng(0).standard_normal((4001, dimensions))
    return float(np.median(np.abs(v[:, 0]) / np.linalg.norm(v, axis=1)))


def compute_layer(M_B, layer, epoch):
    """Return the `Layer` on the first M_B digits of the training set."""
    why = ""
    if M_B == 1:
        why = "One sample: x̂ = 0/0, so there are no angles."
    elif M_B == 2 and layer < LAYERS[-1]:
        why = f"Two samples: no error comes down from layer {layer + 1},\nso Δ has no direction."
    if why:
        return Layer(M_B, layer, epoch, *[None] * 5, why)
    delta, u_prev, normalized = geometry_network.look(epoch, layer, M_B)
    varying = np.ptp(u_prev, axis=0) > 0  # some pixels are white in every image
    angles = geometry.sample_angles(delta, u_prev[:, varying], normalized.x_hat)
    sin1 = np.broadcast_to(np.sin(angles.theta1)[:, np.newaxis], angles.theta2.shape)
    sin2, cos = np.sin(angles.theta2), np.abs(np.cos(angles.dihedral))
    factors = sin1.ravel(), sin2.ravel(), cos[np.minimum(sin1, sin2) > NO_SIDE]
    usual = chance(M_B - 2) if M_B > 2 else None
    return Layer(M_B, layer, epoch, angles.theta1, angles.theta2, angles.dihedral, factors, usual)


def _read_layer(result):
    state = f"M_B = {result.M_B}, layer {result.layer}, epoch {result.epoch}: "
    if result.factors is None:
        return state + " ".join(result.explanation.split())
    sin1, sin2, cos = result.factors
    sines = f"|sinθ1| {np.median(sin1):.2f}, |sinθ2| {np.median(sin2):.2f}"
    if not cos.size:
        return f"{state}all vectors on one line, {sines}, no φ. No W learns."
    last = f"|cosφ| {np.median(cos):.2f}"
    if result.M_B == 3:
        return f"{state}a plane, φ is 0° or 180°. Medians {sines}, {last}."
    return f"{state}medians {sines}, {last}; {result.chance:.2f} for random directions."


def layers():
    """Return the explorer of real layers: batch size, layer, epoch."""

    def choice(name, options, value):
        labeled = [(str(option), option) for option in options]
        return base.slider(widgets.SelectionSlider, name, options=labeled, value=value)

    return base.Explorer(
        "The weights of the three-layer digits network as points in θ1, θ2 and φ",
        compute_layer,
        LayersFigure(),
        _read_layer,
        M_B=base.batch_size(SIZES, 64),
        layer=choice("layer", LAYERS, 2),
        epoch=choice("epoch of the training", geometry_network.EPOCHS, 8),
    )
