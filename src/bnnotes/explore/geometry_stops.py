"""Explorer of the stop conditions: one neuron trained, W alone, then γ and β too."""

from __future__ import annotations

import functools
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np

from .. import digits, geometry, network, sphere
from ..figures.geometry_stops import StopsFigure
from . import base

SIZES = (1, 2, 3, 4, 5, 6, 10, 16, 32, 64)
JOIN, STEPS = 400, 1000
INPUTS = 4
SMALL, ZERO, FAR = 1e-3, 1e-4, 0.05
NO_SIDE = 1e-6  # the sine of a side that φ cannot be measured from


class Stops(NamedTuple):
    """A training of a neuron, W alone and then with γ and β.

    Attributes
    ----------
    M_B, inputs : int
    rank : int
        Of the centered inputs.
    factors : tuple of ndarray, or None
        sinθ1 (steps,), sinθ2 and |cosφ| (steps, inputs); nan where φ has no meaning.
    sizes : tuple of ndarray, or None
        Largest |∂C/∂W| and |cosθ3| of the inputs, |cosθ1|, and M_B σ(Δ), each (steps,).
    explanation : str
        Why there is no training.
    """

    M_B: int
    inputs: int
    rank: int
    factors: tuple | None
    sizes: tuple | None
    explanation: str = ""


def quadrants(M_B):
    """Return the ink in the four quadrants of the first M_B digits, and whether each is odd."""
    data = digits.load("odd")
    ink = data.psi[:M_B].reshape(-1, 2, 4, 2, 4).sum(axis=(2, 4)).reshape(-1, INPUTS)
    return ink, data.phi[:M_B]


@functools.cache
def _paths(M_B, inputs):
    """Return the rank, and sines, cosines and sizes of both halves of the training, joined."""
    ink, phi = quadrants(M_B)
    psi = geometry.standardize(ink[:, :inputs])
    neuron = network.create([inputs, 1], batch_norm=True, activation="identity", rng=0)
    halves = [
        sphere.train_neuron(neuron, psi, phi, parameters=names, learning_rate=rate, steps=n)
        for names, rate, n in ((["W"], 2.0, JOIN), (["W", "gamma", "beta"], 0.8, STEPS - JOIN))
    ]

    def joined(column):
        return np.concatenate([column(half) for half in halves])[: STEPS + 1]

    theta1, theta2, theta3, dihedral = (joined(lambda half, k=k: half.angles[k]) for k in range(4))
    gradient, spread = joined(lambda half: half.gradient), joined(lambda half: half.sigma)
    sines = np.sin(theta1), np.sin(theta2)
    meaning = (sines[0] > NO_SIDE)[:, np.newaxis] & (sines[1] > NO_SIDE)
    factors = *sines, np.where(meaning, np.abs(np.cos(dihedral)), np.nan)
    sizes = np.abs(gradient).max(axis=1), np.abs(np.cos(theta3)).max(axis=1)
    return np.linalg.matrix_rank(psi), factors, (*sizes, np.abs(np.cos(theta1)), M_B * spread)


def compute_stops(M_B, inputs):
    """Return the `Stops` of the first M_B digits and that many quadrants."""
    if M_B == 1:
        why = "One sample: x̂ = 0/0,\nthere is nothing to train."
        return Stops(M_B, inputs, 0, None, None, why)
    return Stops(M_B, inputs, *_paths(M_B, inputs))


def _read_stops(result):
    state = f"M_B = {result.M_B}, "
    if result.factors is None:
        return state + " ".join(result.explanation.split())
    return f"{state}r = {result.rank}: W alone {_alone(result)}; with γ, β {_together(result)}."


def _alone(result):
    """Say what holds W while γ and β stay."""
    sin1, sin2, cos = (factor[JOIN] for factor in result.factors)
    if result.rank == 1:
        return "never moves"
    if result.sizes[0][JOIN] > ZERO:
        return f"still moves at step {JOIN}, sinθ1 {sin1:.2f}"
    if sin1 < ZERO:
        return "stops at sinθ1 = 0"
    if cos.max() < ZERO and min(sin1, *sin2) > FAR:
        return f"stops at φ = 90° (sinθ1 {sin1:.2f}, sinθ2 from {sin2.min():.2f})"
    return f"hardly moves, |∂C/∂W| is {result.sizes[0][JOIN]:.0e}"


def _together(result):
    """Say what holds all parameters at the end."""
    _, cos3, cos1, spread = (size[-1] for size in result.sizes)
    if max(cos3, cos1) < SMALL:
        return "all stop where the baseline does"
    return f"σ(Δ) still falls, to {spread / result.sizes[3][0]:.1%} of its start"


def stops():
    """Return the explorer of a neuron in training: batch size and number of inputs."""
    inputs = [(str(n), n) for n in range(1, INPUTS + 1)]
    return base.Explorer(
        "One neuron on the ink of four quadrants, W trained alone and then with γ and β",
        compute_stops,
        StopsFigure(STEPS, JOIN, INPUTS),
        _read_stops,
        M_B=base.batch_size(SIZES, 64),
        inputs=base.slider(widgets.SelectionSlider, "inputs", options=inputs, value=INPUTS),
    )
