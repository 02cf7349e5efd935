"""The main explorer of chapter 6: two networks, trained anew at every move of a slider."""

from __future__ import annotations

import functools
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np

from .. import digits, network
from ..checked import ConstantFeature, finite, unchecked
from ..figures.network_live import LiveTrainingFigure
from . import base

STEPS = 200
WIDTH = 16  # neurons per hidden layer
DIGITS = (0, 2, 7, 9)  # even against odd: no straight line separates them in two dimensions
SIZES = (1, 2, 3, 4, 8, 16, 32, 64, 128, 256)
RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
ACTIVATIONS = (("ReLU", "relu"), ("tanh", "tanh"), ("sigmoid", "sigmoid"))
GRID = 56  # points a side of the picture of a prediction
REACH = 2.3  # of the axes, in standard deviations


class Plane(NamedTuple):
    """Digits 0, 2, 7 and 9 in their first two principal components; even is 0, odd is 1.

    Attributes
    ----------
    psi, psi_test : ndarray, shape (M, 2)
        In standard deviations of the training digits.
    phi, phi_test : ndarray, shape (M, 1)
    """

    psi: np.ndarray
    phi: np.ndarray
    psi_test: np.ndarray
    phi_test: np.ndarray


@functools.cache
def plane():
    """Return the `Plane`, in float32: rounding is not what this explorer shows."""
    data = digits.load("ten")
    train, test = (np.isin(phi.argmax(axis=1), DIGITS) for phi in (data.phi, data.phi_test))
    pixels = data.psi[train]
    directions = np.linalg.svd(pixels - pixels.mean(axis=0), full_matrices=False)[2][:2]
    # The sign of a direction is free; the largest pixel decides.
    directions *= np.sign(directions[[0, 1], np.abs(directions).argmax(axis=1)])[:, np.newaxis]
    std = ((pixels - pixels.mean(axis=0)) @ directions.T).std(axis=0)
    psi, psi_test = (
        ((some - pixels.mean(axis=0)) @ directions.T / std).astype(np.float32)
        for some in (pixels, data.psi_test[test])
    )
    phi, phi_test = (
        (some.argmax(axis=1)[:, np.newaxis] % 2).astype(np.float32)
        for some in (data.phi[train], data.phi_test[test])
    )
    return Plane(psi, phi, psi_test, phi_test)


@functools.cache
def grid():
    """Return the points of the picture of a prediction, row by row from below, (GRID², 2)."""
    side = np.linspace(-REACH, REACH, GRID, dtype=np.float32)
    return np.stack([axis.ravel() for axis in np.meshgrid(side, side)], axis=1)


class Side(NamedTuple):
    """One network after its training.

    Attributes
    ----------
    cost : ndarray, shape (steps,)
        Of every batch before its step.
    moved : float or None
        Largest change of any parameter below the top layer, and of W at the top.
    prediction : ndarray, shape (GRID, GRID), or None
        u^L over the plane, in inference mode. None, as the other two, of a training that stopped.
    accuracy : float or None
        On the held-out digits, in inference mode.
    stopped : str
        Why the training ended early.
    """

    cost: np.ndarray
    moved: float
    prediction: np.ndarray | None
    accuracy: float | None
    stopped: str


class Live(NamedTuple):
    """Baseline and BN, trained from the same weights on the same batches.

    Attributes
    ----------
    M_B : int
    learning_rate : float
    baseline, bn : Side
    """

    M_B: int
    learning_rate: float
    baseline: Side
    bn: Side


@functools.lru_cache(maxsize=64)
def draws(M_B, seed):
    """Return the samples of each of the STEPS batches: whole epochs of `network.batches`."""
    rng, found = np.random.default_rng(seed), []
    while len(found) < STEPS:
        found.extend(network.batches(len(plane().psi), M_B, rng))
    return np.stack(found[:STEPS])


def train_side(batch_norm, M_B, learning_rate, depth, activation, seed):
    """Return one `Side`: STEPS steps of SGD from the weights of that seed."""
    data = plane()
    net = network.create(
        [2, *[WIDTH] * depth, 1], batch_norm=batch_norm, activation=activation, rng=seed
    )
    for layer in net.layers:
        for name, value in vars(layer).items():
            setattr(layer, name, value.astype(np.float32))
    start, history, stopped = net.layers, network.History(), ""
    psi, phi, rates = data.psi, data.phi, (learning_rate, 0.0)
    try:
        for batch in draws(M_B, seed):
            samples = psi[batch], phi[batch]
            cost, net.layers = unchecked(network._step, net, *samples, rates, history)
            history.cost.append(cost)
        if not all(finite(array) for layer in net.layers for array in vars(layer).values()):
            raise network.TrainingStopped("a weight overflows", history)
        prediction, accuracy = _predicted(net)
        moved = _moved(start, net.layers)
    except ValueError as error:  # a batch without variance, or an overflow
        constant = any(isinstance(e, ConstantFeature) for e in (error, error.__context__))
        stopped = f"{'no variance' if constant else 'overflow'} at step {len(history.cost)}"
        moved = prediction = accuracy = None
    return Side(np.array(history.cost), moved, prediction, accuracy, stopped)


def _predicted(net):
    """Return the prediction over the plane and the held-out accuracy, in inference mode."""
    data = plane()
    statistics = network.population_statistics(net, data.psi)
    u = network.predict(net, np.concatenate([grid(), data.psi_test]), statistics)
    accuracy = digits.accuracy(u[len(grid()) :], data.phi_test)
    return u[: len(grid())].reshape(GRID, GRID), accuracy


def _moved(before, after):
    """Return the largest change of what M decides on: all but the top layer's γ, β and b."""
    pairs = [
        (getattr(a, name), getattr(b, name), l, name)
        for l, (a, b) in enumerate(zip(before, after, strict=True))
        for name in vars(a)
    ]
    top = len(before) - 1
    return max(float(np.abs(b - a).max()) for a, b, l, name in pairs if l < top or name == "W")


def compute_live(M_B, learning_rate, depth, activation, seed):
    """Return the `Live` result of 200 steps with and without BN."""
    options = M_B, learning_rate, depth, activation, seed
    return Live(M_B, learning_rate, train_side(False, *options), train_side(True, *options))


class Retrained(base.Explorer):
    """An explorer of trainings; the text that stands for its picture has words for digits.

    The last digits of a training differ from machine to machine, and notebooks are compared by
    their text. The readout beside the picture has the digits.
    """

    def __init__(self, name, compute, figure, readout, words, **controls):
        self._words = words
        super().__init__(name, compute, figure, readout, **controls)

    def _describe(self, result):
        return f"{self.name}. {self._words(result)}"


def _in_words(result):
    if result.M_B == 1:
        return "M_B = 1: the baseline learns, BN has no x̂."
    if result.baseline.stopped or result.bn.stopped:
        return f"M_B = {result.M_B}: not every training reached its end."
    ratio = result.bn.cost[-20:].mean() / result.baseline.cost[-20:].mean()
    where = "above" if ratio > 1.5 else "below" if ratio < 1 / 1.5 else "near"
    return f"M_B = {result.M_B}: BN's cost ends {where} the baseline's."


def _say_side(name, side):
    if side.stopped:
        return f"{name} stopped: {side.stopped}"
    cost = side.cost[-20:].mean()
    return f"{name} {side.accuracy:.0%} right at cost {cost:.2f}"


def _read_live(result):
    if result.M_B == 1:
        return (
            "M_B = 1: a single sample has no variance, so BN has no x̂ at ε = 0; "
            f"{_say_side('baseline', result.baseline)}."
        )
    both = f"{_say_side('baseline', result.baseline)}, {_say_side('BN', result.bn)}"
    if result.M_B == 2 and not result.bn.stopped:
        return f"M_B = 2: with BN the largest change of a W is {result.bn.moved:.2g}; {both}."
    return f"M_B = {result.M_B}, held-out digits after {STEPS} steps: {both}."


def live_training():
    """Return the explorer that trains baseline and BN anew at every move."""
    data = plane()
    return Retrained(
        "Baseline and BN everywhere in training, digits 0, 2, 7 and 9 in two principal components",
        compute_live,
        LiveTrainingFigure(STEPS, REACH, data.psi_test, data.phi_test[:, 0] > 0.5),
        _read_live,
        _in_words,
        M_B=base.batch_size(SIZES, 32),
        learning_rate=base.slider(
            widgets.SelectionSlider,
            "learning rate η",
            options=[(f"{rate:g}", rate) for rate in RATES],
            value=0.3,
        ),
        depth=base.slider(widgets.IntSlider, "hidden layers", value=2, min=1, max=4),
        activation=base.slider(
            widgets.SelectionSlider, "activation", options=ACTIVATIONS, value="relu"
        ),
        seed=base.slider(widgets.IntSlider, "seed", value=0, min=0, max=9),
    )
