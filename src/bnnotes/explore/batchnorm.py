"""Explorers of section 2: the forward pass and the kernel."""

from __future__ import annotations

import functools
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np

from .. import batchnorm, digits
from ..figures.batchnorm import KernelFigure, NormalizationFigure, number
from .base import Explorer, batch_size, slider
from .batchnorm_errors import class_mix, moved_sample, split

__all__ = ["class_mix", "kernel", "layer_input", "moved_sample", "normalization", "split"]

NEURON = 16
SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)


@functools.cache
def layer_input(neuron):
    """Return x of one hidden neuron of the digits network for 64 digits, shape (64,)."""
    net = digits.trained("ten", batch_norm=True, epochs=1)
    psi = digits.load("ten").psi[: SIZES[-1]]
    x = psi @ net.layers[0].W[neuron]
    x.flags.writeable = False
    return x


def epsilon():
    """Return the slider over ε, from 0."""
    options = [(text, float(text)) for text in ("0", "1e-5", "0.001", "0.01", "0.1", "1")]
    return slider(widgets.SelectionSlider, "ε", options=options, value=0.0)


class Forward(NamedTuple):
    """One neuron's batch through BN; x̂ and y are empty where σ = 0 and ε = 0.

    Attributes
    ----------
    x, x_hat, y : ndarray, shape (M_B,) or (0,)
    beta, eps : float
        As the sliders stand.
    """

    x: np.ndarray
    x_hat: np.ndarray
    y: np.ndarray
    beta: float
    eps: float


def _forward(M_B, gamma, beta, eps):
    x = layer_input(NEURON)[:M_B]
    if M_B == 1 and eps == 0:
        nothing = np.empty(0)
        return Forward(x, nothing, nothing, beta, eps)
    y, normalized = batchnorm.forward(x[:, np.newaxis], [gamma], [beta], eps)
    return Forward(x, normalized.x_hat[:, 0], y[:, 0], beta, eps)


def _say_forward(result):
    x, x_hat, y, beta, eps = result
    if not len(x_hat):
        return "M_B = 1: the only x is its own mean, so σ = 0 and at ε = 0 there is no x̂"
    if len(x) == 1:
        return f"M_B = 1: x̂ = 0 and y = β = {number(beta)}, whatever the sample is"
    if len(x) == 2:
        unless = "whatever the two samples are" if eps == 0 else "a little inside ±1, by ε"
        return f"M_B = 2: x̂ = {number(min(x_hat))} and {number(max(x_hat))}, {unless}"
    return (
        f"M_B = {len(x)}: mean ± standard deviation of x {_spread(x)}, "
        f"of x̂ {_spread(x_hat)}, of y {_spread(y)}"
    )


def _spread(v):
    return f"{number(v.mean())} ± {number(v.std())}"


def normalization():
    """Return the explorer x → x̂ → y of one neuron of the digits network.

    Returns
    -------
    Explorer
        Sliders: batch size, γ, β, ε.
    """
    return Explorer(
        f"Hidden neuron {NEURON} of the digits network: x, x̂ and y of a batch",
        _forward,
        NormalizationFigure(reach=7.2),
        _say_forward,
        M_B=batch_size(SIZES, 16),
        gamma=slider(widgets.FloatSlider, "γ", value=1.5, min=-2.0, max=2.0, step=0.05),
        beta=slider(widgets.FloatSlider, "β", value=1.0, min=-2.0, max=2.0, step=0.05),
        eps=epsilon(),
    )


class Kernel(NamedTuple):
    """The kernel (3) of one neuron; empty where σ = 0 and ε = 0.

    Attributes
    ----------
    kernel : ndarray, shape (M_B, M_B) or (0, 0)
        ∂y_s/∂x_t in units of γ/s, samples sorted by x.
    x_hat : ndarray, shape (M_B,) or (0,)
        In the same order.
    pushed : int
        The sample t whose x moves.
    eps : float
    """

    kernel: np.ndarray
    x_hat: np.ndarray
    pushed: int
    eps: float


PUSHED = {"lowest": 0.0, "low": 0.25, "middle": 0.5, "high": 0.75, "highest": 1.0}


def _kernel(M_B, neuron, pushed, eps):
    x = np.sort(layer_input(neuron)[:M_B])
    t = round(pushed * (M_B - 1))
    if M_B == 1 and eps == 0:
        return Kernel(np.empty((0, 0)), np.empty(0), t, eps)
    normalized = batchnorm.normalize(x[:, np.newaxis], eps)
    # γ = s gives the kernel in units of γ/s.
    kernel = batchnorm.kernel(normalized, normalized.std)[:, :, 0]
    return Kernel(kernel, normalized.x_hat[:, 0], t, eps)


def _say_kernel(result):
    kernel, _, t, eps = result
    M_B = len(kernel)
    if M_B == 0:
        return "M_B = 1: σ = 0 and at ε = 0 there is no x̂, so there is no kernel"
    if M_B == 1:
        return "M_B = 1: the kernel is 0, since y = β however x moves"
    if M_B == 2 and eps == 0:
        return "M_B = 2: every entry is 0, since x̂ = ±1 however x moves"
    others = np.delete(kernel[:, t], t)
    return (
        f"M_B = {M_B}: pushing one x moves its own y by {number(kernel[t, t])}, "
        f"{_range(others)}, in units of γ/s"
    )


def _range(others):
    if len(others) == 1:
        return f"the other by {number(others[0])}"
    return f"the others by {number(others.min())} to {number(others.max())}"


def kernel():
    """Return the explorer of the kernel (3) of one neuron of the digits network.

    Returns
    -------
    Explorer
        Sliders: batch size, hidden neuron, sample that is pushed, ε.
    """
    return Explorer(
        "Kernel (3) of one hidden neuron of the digits network",
        _kernel,
        KernelFigure(reach=4.2),
        _say_kernel,
        M_B=batch_size(SIZES, 8),
        neuron=slider(widgets.IntSlider, "neuron", value=NEURON, min=0, max=31),
        pushed=slider(widgets.SelectionSlider, "x that is pushed", options=PUSHED, value=1.0),
        eps=epsilon(),
    )
