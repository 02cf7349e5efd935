"""The explorers of chapter 5: what one node sends back, and what depth makes of it."""

from __future__ import annotations

import functools
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np

from .. import baseline, batchnorm, digits, geometry, network, propagation
from ..figures.propagation import NodeFigure
from . import base
from .propagation_depth import depth

__all__ = ["depth", "node"]

SIZES = (1, 2, 3, 4, 8, 16, 64, 256, 1400)
EPOCHS = (0, 1, 5, 20)
NODE = 3  # the output that says "this is a three"
SHOWN = 16
DEGREES = np.arange(0, 181, 5)


class Layer(NamedTuple):
    """The output layer of the digits network on the first M_B digits.

    Attributes
    ----------
    delta : ndarray, shape (M_B, 10)
        Its error, as training meets it.
    normalized : Normalized
    """

    delta: np.ndarray
    normalized: batchnorm.Normalized


class Node(NamedTuple):
    """A node whose error stands at θ1 from x̂, and what it sends back in units of σ(Δ)√M_B.

    Attributes
    ----------
    M_B : int
    theta1, eps : float
        In degrees; added to the variance.
    epoch : int
    kappa : float
    angles, measured, predicted : ndarray, shape (n,)
        The curve: by the formula of back-propagation, and from the angle.
    sent, gamma : float
        At θ1. ∂C/∂γ in units of M_B σ(Δ).
    own_angles, own_sent : ndarray, shape (10,)
        Of all ten nodes with the errors as they came.
    delta_hat, sent_entries : ndarray, shape (M_B,)
    explanation : str
        Why there is nothing; then ``sent`` is None.
    """

    M_B: int
    theta1: float
    eps: float
    epoch: int
    kappa: float = 0.0
    angles: np.ndarray | None = None
    measured: np.ndarray | None = None
    predicted: np.ndarray | None = None
    sent: float | None = None
    gamma: float | None = None
    own_angles: np.ndarray | None = None
    own_sent: np.ndarray | None = None
    delta_hat: np.ndarray | None = None
    sent_entries: np.ndarray | None = None
    explanation: str = ""


@functools.lru_cache(maxsize=200)
def output_layer(epoch, M_B, eps=0.0):
    """Return the `Layer` after some epochs of training; ε enters its own normalization alone."""
    data, net = digits.load("ten"), digits.trained("ten", batch_norm=True, epochs=epoch)
    step = network.feed_forward(net, data.psi[:M_B])[-1]
    delta = baseline.output_error(step.u, data.phi[:M_B])
    return Layer(delta, batchnorm.normalize(step.u_prev @ net.layers[-1].W.T, eps))


def _columns(normalized, k):
    """Return what belongs to some neurons of a layer."""
    return batchnorm.Normalized(normalized.x_hat[:, k], normalized.mean[k], normalized.std[k])


def _turned(delta, normalized, degrees):
    if len(delta) > 2:
        return propagation.turned(delta, normalized, np.radians(degrees))
    # Two samples: the vectors lie on one line, there is nothing to turn through.
    direction = np.where(degrees < 90, 1.0, -1.0) * geometry.standardize(normalized.x_hat)
    return delta.mean(axis=0) + geometry.sigma(delta) * direction


def _entries(delta, normalized):
    """Return s/γ ∂C/∂x, in units of σ(Δ): what goes back before the scale and the weights."""
    error = batchnorm.input_error(delta, normalized, np.ones(len(normalized.std)))
    return normalized.std * error / geometry.sigma(delta)


def _length(entries):
    return np.sqrt((entries**2).mean(axis=0))


@functools.lru_cache(maxsize=200)
def _curve(epoch, M_B, eps):
    """Return angles, measured and predicted lengths of the node, and the ten own ones."""
    delta, normalized = output_layer(epoch, M_B, eps)
    angles = DEGREES if M_B > 2 else np.array([0, 180])
    many = _columns(normalized, [NODE] * len(angles))
    there = _turned(delta[:, [NODE] * len(angles)], many, angles)
    predicted = propagation.node_magnitude(there, many) / geometry.sigma(there) / np.sqrt(M_B)
    own = np.degrees(geometry.error_angle(delta, normalized))
    own_sent = _length(_entries(delta, normalized))
    return angles, _length(_entries(there, many)), predicted, own, own_sent


def compute_node(M_B, theta1, eps, epoch):
    """Return the `Node` on the first M_B digits."""
    if M_B == 1:
        why = "One sample: no spread,\nso neither Δ̂ nor an angle."
        why += "\nε > 0: M = 0, nothing is sent back." if eps else "\nx̂ = 0/0."
        return Node(M_B, theta1, eps, epoch, explanation=why)
    if M_B == 2:
        theta1 = 0 if theta1 < 90 else 180
    delta, normalized = output_layer(epoch, M_B, eps)
    one = _columns(normalized, [NODE])
    there = _turned(delta[:, [NODE]], one, np.array([theta1]))
    angles, measured, predicted, own, own_sent = _curve(epoch, M_B, eps)
    entries = _entries(there, one)
    return Node(
        *(M_B, theta1, eps, epoch, float(geometry.kappa(one)[0])),
        *(angles, measured, predicted, float(_length(entries)[0])),
        float((batchnorm.gamma_gradient(there, one) / geometry.sigma(there) / M_B)[0]),
        *(own, own_sent, geometry.standardize(there)[:, 0], entries[:, 0]),
    )


def _read_node(result):
    state = f"M_B = {result.M_B}, ε = {result.eps:g}: "
    if result.sent is None:
        return state + result.explanation.replace("\n", " ")
    # Rounded before it is printed, so that there is no -0.00.
    sent, gamma = (round(v, 2) + 0.0 for v in (result.sent, result.gamma))
    at = f"θ1 = {result.theta1:.0f}°: the node sends back {sent:.2f}; γ gets {gamma:+.2f}"
    if result.M_B == 2:
        return f"{state}only 0° and 180° exist. {at}."
    return (
        f"{state}{at}. The ten errors as they came: {_median(result.own_sent):.2f} in the median."
    )


def _median(values):
    return float(np.median(values))


def node():
    """Return the explorer of a node: batch size, θ1, ε, training → what it sends back.

    Returns
    -------
    Explorer
    """

    def choice(name, options, value):
        labeled = [(f"{option:g}", option) for option in options]
        return base.slider(widgets.SelectionSlider, name, options=labeled, value=value)

    return base.Explorer(
        "What an output node of the digits network sends back, its error turned to θ1 from x̂",
        compute_node,
        NodeFigure(SHOWN),
        _read_node,
        M_B=base.batch_size(SIZES, 64),
        theta1=base.slider(widgets.IntSlider, "angle θ1 in degrees", value=60, min=0, max=180),
        eps=choice("ε", (0.0, 1e-5, 1e-2, 0.1, 1.0), 0.0),
        epoch=choice("epochs of training", EPOCHS, 1),
    )
