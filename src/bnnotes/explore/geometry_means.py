"""Explorer of S29: what the means of u and Δ do to both gradients."""

from __future__ import annotations

import functools
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np

from .. import baseline, batchnorm, geometry
from ..figures.geometry_means import MeansFigure
from . import base, geometry_network

SIZES = (1, 2, 3, 4, 8, 16, 64, 256, 1024)
OFFSETS = (0.0, 0.1, 1.0, 10.0, 100.0, 1000.0)
MEANS = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)
EPOCH, LAYER = 4, 3


class Means(NamedTuple):
    """Both gradients of all weights of a layer, Δ and u shifted to the wished means.

    Attributes
    ----------
    M_B : int
    offset, mean : float
        ⟨u⟩/σ(u) and ⟨Δ⟩/σ(Δ).
    ratios : ndarray, shape (weights,)
        |∂C/∂W| of the baseline over that of BN with γ/σ(x) = 1, that is, over its bracket;
        empty where there is none.
    bn, baseline : ndarray, shape (offsets,), or None
        Median of |∂C/∂W| over M_B σ(Δ)σ(u), γ/σ(x) = 1, at every offset.
    place : int
        Which offset.
    explanation : str
        Why there are no ratios.
    """

    M_B: int
    offset: float
    mean: float
    ratios: np.ndarray
    bn: np.ndarray | None
    baseline: np.ndarray | None
    place: int
    explanation: str = ""

    @property
    def median(self):
        """The median ratio in two digits."""
        return _two(np.median(self.ratios)) if self.ratios.size else ""


@functools.lru_cache(maxsize=256)
def _gradients(M_B, offset, mean):
    """Return |∂C/∂W| over M_B, without and with BN, at σ(Δ) = σ(u) = 1 and γ/σ(x) = 1."""
    delta, u_prev, normalized = geometry_network.look(EPOCH, LAYER, M_B)
    delta = geometry.standardize(delta) + mean
    u = geometry.standardize(u_prev) + offset
    ones = np.ones(delta.shape[1])
    with_bn = batchnorm.weight_gradient(delta, u, normalized._replace(std=ones), ones)
    return tuple(np.abs(g).ravel() / M_B for g in (baseline.weight_gradient(delta, u), with_bn))


def compute_means(M_B, offset, mean):
    """Return the `Means` of the first M_B digits."""
    place, none = OFFSETS.index(offset), np.empty(0)
    if M_B == 1:
        why = "One sample: x̂ = 0/0,\nthere is no gradient with BN."
        return Means(M_B, offset, mean, none, None, None, place, why)
    medians = [[np.median(g) for g in _gradients(M_B, value, mean)] for value in OFFSETS]
    without, with_bn = np.array(medians).T
    if M_B == 2:
        why = "Two samples: with BN every\ngradient is zero, no ratio exists."
        return Means(M_B, offset, mean, none, np.zeros(len(OFFSETS)), without, place, why)
    g_baseline, g_bn = _gradients(M_B, offset, mean)
    return Means(M_B, offset, mean, g_baseline / g_bn, with_bn, without, place)


def _read_means(result):
    state = f"M_B = {result.M_B}, ⟨u⟩ = {result.offset:g} σ(u), ⟨Δ⟩ = {result.mean:g} σ(Δ): "
    if result.explanation:
        return state + " ".join(result.explanation.split())
    low, middle, high = np.quantile(result.ratios, (0.1, 0.5, 0.9))
    return (
        f"{state}baseline over BN, γ/σ(x) = 1: median {_two(middle)}, "
        f"eight weights in ten {_two(low)} to {_two(high)}."
    )


def _two(value):
    """Two digits, never in powers of ten."""
    return f"{float(f'{value:#.2g}'):.0f}" if value >= 10 else f"{value:#.2g}"


def means():
    """Return the explorer of the ratio: batch size, ⟨u⟩/σ(u), ⟨Δ⟩/σ(Δ)."""

    def choice(name, options, value):
        labeled = [(f"{option:g}", option) for option in options]
        return base.slider(widgets.SelectionSlider, name, options=labeled, value=value)

    return base.Explorer(
        "The baseline's gradient over that with BN, layer 3 of the three-layer digits network",
        compute_means,
        MeansFigure(OFFSETS),
        _read_means,
        M_B=base.batch_size(SIZES, 64),
        offset=choice("offset ⟨u⟩/σ(u)", OFFSETS, 10.0),
        mean=choice("mean ⟨Δ⟩/σ(Δ)", MEANS, 0.3),
    )
