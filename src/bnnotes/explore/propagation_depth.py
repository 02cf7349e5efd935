"""The explorer of depth: how errors grow on their way down, and what rank is left on the way up."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np

from .. import digits, growth, network
from ..figures.propagation_depth import DepthFigure
from ..sample_space import center
from . import base

SIZES = (1, 2, 3, 4, 8, 16, 32)
WIDTHS = (8, 16, 32, 64)
ACTIVATIONS = ("relu", "tanh", "sigmoid", "identity")
VARIANCES = (0.5, 1.0, 2.0, 4.0)
DEEPEST = 40
SEEDS = range(5)
CLOSE = 0.007  # per layer


class Curves(NamedTuple):
    """A network of one kind, as created, from five seeds.

    Attributes
    ----------
    norms : ndarray, shape (5, depth)
        ‖Δ^l‖² over ‖Δ^L‖², layer 1 first.
    ranks : ndarray, shape (5, depth)
        Effective rank of y^l − ⟨y^l⟩; nan where all samples are equal up to rounding.
    """

    norms: np.ndarray
    ranks: np.ndarray

    @property
    def factor(self):
        """The median factor of ‖Δ‖² per layer; 0 where nothing arrives."""
        whole = float(np.median(self.norms[:, 0]))
        return whole ** (1 / (self.norms.shape[1] - 1))


class Depth(NamedTuple):
    """Both networks, side by side.

    Attributes
    ----------
    M_B, depth, width : int
    activation : str
    variance : float
        Of a weight, times n_prev.
    bn : Curves or None
        None at M_B = 1, where x̂ is 0/0.
    baseline : Curves
    formula : float or None
        The mean factor with BN at large width, all M_B − 1 directions filled alike.
    line : float or None
        The same where it lies between the five seeds.
    explanation : str
        What is to be said of BN's error at M_B = 1 and 2.
    """

    M_B: int
    depth: int
    width: int
    activation: str
    variance: float
    bn: Curves | None
    baseline: Curves
    formula: float | None
    line: float | None
    explanation: str


@functools.lru_cache(maxsize=len(WIDTHS) * len(SEEDS))
def _weights(width, seed):
    sizes = [64] + [width] * DEEPEST
    net = network.create(sizes, batch_norm=False, activation="relu", rng=seed)
    return [layer.W for layer in net.layers]


def _layer(W, batch_norm):
    n = len(W)
    if batch_norm:
        return network.BatchNorm(W, np.ones(n), np.zeros(n))
    return network.Dense(W, np.zeros(n))


def _rank(y):
    varying = center(y)
    if np.abs(varying).max() <= 1e-10 * np.abs(y).max():
        return math.nan
    return growth.effective_rank(varying)


@functools.lru_cache(maxsize=1000)
def _curves(batch_norm, M_B, depth, width, activation, variance):
    psi, scale = digits.load("ten").psi[:M_B], math.sqrt(variance)
    norms, ranks = [], []
    for seed in SEEDS:
        layers = [_layer(scale * W, batch_norm) for W in _weights(width, seed)[:depth]]
        net = network.Network(layers, network.get(activation))
        delta = np.random.default_rng(seed).standard_normal((M_B, width))
        steps = network.feed_forward(net, psi)
        norms.append(growth.error_norms(net, steps, delta)[::-1])
        ranks.append([_rank(step.y) for step in steps])
    return Curves(np.array(norms), np.array(ranks))


def compute_depth(M_B, depth, width, activation, variance):
    """Return the `Depth` of networks on the first M_B digits, a random error at their top."""
    state = M_B, depth, width, activation, variance
    why = {
        1: "BN, one sample: $\\hat{x}$ = 0/0",
        2: "BN, two samples: $\\mathbf{M}$ = 0,\nexactly nothing comes down",
    }.get(M_B, "")
    bn = _curves(True, *state) if M_B > 1 else None
    formula = growth.growth(activation) * growth.linear_growth(M_B) if M_B > 3 else None
    line = formula if formula and _holds(formula, bn) else None
    return Depth(*state, bn, _curves(False, *state), formula, line, why)


def _holds(formula, curves):
    """Whether a factor per layer lies between those of the five seeds, but for a little."""
    factors = curves.norms[:, 0] ** (1 / (curves.norms.shape[1] - 1))
    return factors.min() < (1 + CLOSE) * formula and formula < (1 + CLOSE) * factors.max()


def _factor(value):
    return f"{value:.2f}" if value > 0.095 else f"{value:.1g}"


def _read_depth(result):
    where = f"M_B = {result.M_B}, {result.depth} layers of {result.width}: "
    factor = f"baseline × {_factor(result.baseline.factor)}"
    if result.M_B < 3:
        bn = "BN has no error, x̂ = 0/0" if result.bn is None else "BN sends nothing below the top"
        return f"{where}{bn}; ‖Δ‖² per layer in the {factor}."
    bn, without = (
        f"{name} × {_factor(curves.factor)} a layer, rank {_rank_at_the_top(curves)}"
        for name, curves in (("BN", result.bn), ("baseline", result.baseline))
    )
    most = min(result.M_B - 1, result.width)
    return f"{where}{bn} of {most}; {without.replace(' a layer', '')}. {_read_formula(result)}"


def _rank_at_the_top(curves):
    rank = np.median(curves.ranks[:, -1])
    return "none" if math.isnan(rank) else f"{rank:.1f}"


def _read_formula(result):
    if result.formula is None:
        return "No line: infinite mean."
    formula = f"× {result.formula:.2f}"
    if result.line is not None:
        return f"Line: {formula}."
    if result.M_B == 4:
        return f"No line: {formula}, a rare mean."
    wanted = "larger M_B" if result.activation != "identity" and result.M_B == 8 else "full rank"
    return f"No line: {formula} wants {wanted}."


def depth():
    """Return the explorer of depth: batch size, layers, width, activation, weights → growth, rank.

    Returns
    -------
    Explorer
    """

    def choice(name, options, value):
        return base.slider(widgets.SelectionSlider, name, options=options, value=value)

    return base.Explorer(
        "Error and rank in deep networks as created, BN beside baseline",
        compute_depth,
        DepthFigure(DEEPEST, max(SIZES)),
        _read_depth,
        M_B=base.batch_size(SIZES, 32),
        depth=base.slider(widgets.IntSlider, "layers", value=30, min=2, max=DEEPEST),
        width=choice("neurons per layer", [(str(n), n) for n in WIDTHS], 64),
        activation=choice("activation", [(a, a) for a in ACTIVATIONS], "relu"),
        variance=choice("n · variance of W", [(f"{v:g}", v) for v in VARIANCES], 1.0),
    )
