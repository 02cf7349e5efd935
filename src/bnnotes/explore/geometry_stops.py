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
SHOWN = (0, 5, 10, 20, 50, 100, 200, JOIN, 405, 410, 420, 450, 500, 600, 800, STEPS)
INPUTS = 4
SMALL, ZERO, FAR = 1e-3, 1e-4, 0.05
NO_SIDE = 1e-6  # the sine of a side that φ cannot be measured from


class Stops(NamedTuple):
    """A training and the step that is looked at.

    Attributes
    ----------
    M_B, step : int
    factors : tuple of ndarray, or None
        sinθ1 (steps,), sinθ2 and |cosφ| (steps, inputs); nan where φ has no meaning.
    sizes : tuple of ndarray
        Largest |∂C/∂W| and |cosθ3| of the inputs, and |cosθ1|, each (steps,).
    explanation : str
        Why there is no training.
    """

    M_B: int
    step: int
    factors: tuple | None
    sizes: tuple | None
    explanation: str = ""


def quadrants(M_B):
    """Return the ink in the four quadrants of the first M_B digits, and whether each is odd."""
    data = digits.load("odd")
    ink = data.psi[:M_B].reshape(-1, 2, 4, 2, 4).sum(axis=(2, 4)).reshape(-1, INPUTS)
    return ink, data.phi[:M_B]


@functools.cache
def _paths(M_B):
    """Return sines, cosines and sizes of both halves of the training, joined."""
    ink, phi = quadrants(M_B)
    psi = geometry.standardize(ink)
    neuron = network.create([INPUTS, 1], batch_norm=True, activation="identity", rng=0)
    halves = [
        sphere.train_neuron(neuron, psi, phi, parameters=names, learning_rate=rate, steps=n)
        for names, rate, n in ((["W"], 2.0, JOIN), (["W", "gamma", "beta"], 0.8, STEPS - JOIN))
    ]
    theta1, theta2, theta3, dihedral = (
        np.concatenate([half.angles[k] for half in halves])[: STEPS + 1] for k in range(4)
    )
    gradient = np.concatenate([half.gradient for half in halves])[: STEPS + 1]
    sines = np.sin(theta1), np.sin(theta2)
    meaning = (sines[0] > NO_SIDE)[:, np.newaxis] & (sines[1] > NO_SIDE)
    factors = *sines, np.where(meaning, np.abs(np.cos(dihedral)), np.nan)
    sizes = np.abs(gradient).max(axis=1), np.abs(np.cos(theta3)).max(axis=1), np.abs(np.cos(theta1))
    return factors, sizes


def compute_stops(M_B, step):
    """Return the `Stops` of the first M_B digits at this step."""
    if M_B == 1:
        why = "One sample: x̂ = 0/0,\nthere is nothing to train."
        return Stops(M_B, step, None, None, why)
    return Stops(M_B, step, *_paths(M_B))


def _range(values):
    low, high = (f"{value:.2f}" for value in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"


def _read_stops(result):
    state = f"M_B = {result.M_B}, step {result.step}: "
    if result.factors is None:
        return state + " ".join(result.explanation.split())
    sin1, sin2, cos = (factor[result.step] for factor in result.factors)
    last = "φ without meaning" if np.isnan(cos).any() else f"|cosφ| {_range(cos)}"
    factors = f"sinθ1 {sin1:.2f}, sinθ2 {_range(sin2)}, {last}"
    return f"{state}{factors}. {_why(result)}."


def _why(result):
    """Say what holds W at this step."""
    gradient, cos3, cos1 = (size[result.step] for size in result.sizes)
    sin1, sin2, cos = (factor[result.step] for factor in result.factors)
    if result.M_B == 2:
        return "Every gradient of W is zero from the start"
    if gradient > ZERO:
        return "W still moves"
    if cos3 < SMALL and cos1 < SMALL:
        return "Δ is uncorrelated with every input: the baseline's stop"
    if sin1 < ZERO:
        return "W stands still because sinθ1 = 0"
    if cos.max() < ZERO and min(sin1, *sin2) > FAR:
        return "W stands still because φ = 90°, the third condition"
    return f"W still moves a little, |∂C/∂W| is {gradient:.0e}"


def stops():
    """Return the explorer of a neuron in training: batch size and step."""
    return base.Explorer(
        "One neuron on the ink of four quadrants, W trained alone and then with γ and β",
        compute_stops,
        StopsFigure(STEPS, JOIN, INPUTS),
        _read_stops,
        M_B=base.batch_size(SIZES, 64),
        step=base.slider(
            widgets.SelectionSlider, "step", options=[(str(n), n) for n in SHOWN], value=JOIN
        ),
    )
