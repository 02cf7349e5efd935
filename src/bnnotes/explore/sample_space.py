"""Explorers of chapter 3: the mixing matrix, and what it leaves of the only input of a neuron."""

from __future__ import annotations

import functools
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np

from .. import batchnorm, digits, sample_space
from ..figures.sample_space import MixingFigure
from ..figures.sample_space_weight import WeightFigure
from . import base
from .sample_space_chain import chain, odd_likeness

__all__ = ["chain", "mixing", "odd_likeness", "weight"]

LARGEST = 64
PIXEL = 42  # row 6, column 3 of the 8 × 8: it has a correlation of 0.7 with x
VECTORS = ("one of its 64 inputs", "its only input: u = x", "ones")
LIMIT = 2.0
ROUNDING = 1e-12


def _epsilon(options, value=0.0):
    choices = [(f"{eps:g}", eps) for eps in options]
    return base.slider(widgets.SelectionSlider, "ε", options=choices, value=value)


class Mixing(NamedTuple):
    """M of one neuron on one batch, and what it makes of a vector.

    Attributes
    ----------
    M_B : int
    eps : float
    matrix : ndarray, shape (M_B, M_B), or None
        None where x̂ is 0/0.
    measured, predicted : ndarray, shape (M_B,)
        Eigenvalues, ascending.
    u, rest : ndarray, shape (M_B,)
        A vector over the samples, and M u.
    explanation : str
        Why there is no matrix.
    """

    M_B: int
    eps: float
    matrix: np.ndarray | None = None
    measured: np.ndarray | None = None
    predicted: np.ndarray | None = None
    u: np.ndarray | None = None
    rest: np.ndarray | None = None
    explanation: str = ""


@functools.cache
def _first_neuron():
    """Return the first digits and, for them, x of one neuron of the untrained digits network."""
    psi = digits.load("ten").psi[:LARGEST]
    net = digits.trained("ten", batch_norm=True, epochs=0)
    return psi, psi @ net.layers[0].W[:1].T


def compute_mixing(M_B, eps, vector):
    """Return the `Mixing` of the first M_B digits."""
    psi, x = (v[:M_B] for v in _first_neuron())
    if M_B == 1 and eps == 0:
        why = "One sample:\nx is its own mean,\nso σ = 0 and x̂ = 0/0.\nBN needs ε > 0 here."
        return Mixing(M_B, eps, explanation=why)
    x_hat = batchnorm.normalize(x, eps).x_hat
    vectors = psi[:, [PIXEL]], x, np.ones_like(x)
    u = vectors[VECTORS.index(vector)]
    matrix = sample_space.mixing_matrix(x_hat[:, 0])
    return Mixing(
        *(M_B, eps, matrix),
        measured=np.linalg.eigvalsh(matrix),
        predicted=sample_space.mixing_eigenvalues(x_hat[:, 0]),
        u=u[:, 0],
        rest=sample_space.mix(x_hat, u)[:, 0],
    )


def _read_mixing(result):
    M_B, eps = result.M_B, result.eps
    state = f"M_B = {M_B}, ε = {eps:g}: "
    if result.matrix is None:
        return state + result.explanation.replace("\n", " ")
    if M_B == 1:
        return state + "x̂ = 0 and M = 0. y = β whatever x is: only β can learn."
    spectrum = f"{state}eigenvalues 0, {result.predicted[1] if eps else 0:.2g}"
    if M_B > 2:
        spectrum += f" and 1 ({M_B - 2}×)"
    elif not eps:
        spectrum += ", so M = 0: W and all below learn nothing"
    return f"{spectrum}. {_share(result)}."


def _share(result):
    spread = np.linalg.norm(result.u - result.u.mean())
    share = np.linalg.norm(result.rest) / spread if spread > ROUNDING else 0.0
    return f"|Mu| = {share:.2g}·|u − ⟨u⟩|" if share > ROUNDING else "Mu = 0"


def mixing():
    """Return the explorer of M: batch size and ε → heat map, spectrum, M u beside u.

    Returns
    -------
    Explorer
    """
    return base.Explorer(
        "The mixing matrix M of a neuron of the digits network, on its first batch",
        compute_mixing,
        MixingFigure(LARGEST),
        _read_mixing,
        M_B=base.batch_size(range(1, LARGEST + 1), 8),
        eps=_epsilon((0.0, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)),
        vector=base.slider(widgets.SelectionSlider, "u", options=VECTORS, value=VECTORS[0]),
    )


class Weight(NamedTuple):
    """A neuron with one input, over its weight.

    Attributes
    ----------
    W, eps : float
    weights : ndarray, shape (n,)
        The weights of the curves; 0 is among them.
    y : ndarray, shape (M_B, n)
        At γ = 1 and β = 0; nan where x̂ is 0/0.
    share, share_predicted : ndarray, shape (n,)
        |M u| / |u − ⟨u⟩|, measured and predicted; nan where x̂ is 0/0.
    u : ndarray, shape (M_B,)
        u − ⟨u⟩.
    rest, rest_predicted : ndarray, shape (M_B,)
        M u at W itself; nan where x̂ is 0/0.
    """

    W: float
    eps: float
    weights: np.ndarray
    y: np.ndarray
    share: np.ndarray
    share_predicted: np.ndarray
    u: np.ndarray
    rest: np.ndarray
    rest_predicted: np.ndarray


@functools.cache
def _only_input():
    return odd_likeness(digits.load("odd"))[:8]


@functools.cache
def _weights():
    """Return the weights of the curves: every place of the slider, and many close to 0."""
    near = np.logspace(-6, -1.5, 28)
    return np.sort(np.concatenate([np.linspace(-LIMIT, LIMIT, 81).round(2), near, -near]))


def compute_weight(W, eps):
    """Return the `Weight` of the first eight digits."""
    # The slider's 0 may come as 1e-17; to two places it is 0.
    W, u = round(W, 2), _only_input()
    weights = np.append(_weights(), W)
    here = len(weights) - 1
    defined = (weights != 0) | (eps > 0)
    y, rest, predicted = np.full((3, len(u), len(weights)), np.nan)
    y[:, defined] = batchnorm.normalize(u * weights[defined], eps).x_hat
    rest[:, defined] = sample_space.mix(y[:, defined], np.repeat(u, defined.sum(), axis=1))
    predicted[:, defined] = sample_space.single_neuron_residual(u, weights[defined], eps)
    centered = sample_space.center(u)[:, 0]
    share, share_predicted = (
        np.linalg.norm(v[:, :here], axis=0) / np.linalg.norm(centered) for v in (rest, predicted)
    )
    curves = weights[:here], y[:, :here], share, share_predicted
    return Weight(W, eps, *curves, centered, rest[:, here], predicted[:, here])


def _read_weight(result):
    W, eps = result.W, result.eps
    state = f"W = {W:g}, ε = {eps:g}: "
    if W == 0 and eps == 0:
        return state + "x = 0 for every sample, so x̂ = 0/0. y jumps here and has no slope."
    if W == 0:
        slope = eps**-0.5
        return state + f"x̂ = 0, so M takes away the mean alone. ∂y/∂W = {slope:.3g}·γ(u − ⟨u⟩)."
    spread = np.linalg.norm(result.u)
    measured, predicted = (np.linalg.norm(v) / spread for v in (result.rest, result.rest_predicted))
    if measured < ROUNDING:
        return state + f"|Mu| is less than 1e-12 of |u − ⟨u⟩|, predicted {predicted:.2g}."
    return state + f"|Mu| is {measured:.2g} of |u − ⟨u⟩|, predicted {predicted:.2g}."


def weight():
    """Return the explorer of one weight through 0: W and ε → what M leaves of the only input.

    Returns
    -------
    Explorer
    """
    reach = np.abs(sample_space.center(_only_input())).max()
    return base.Explorer(
        "One weight and its only input, on eight digits",
        compute_weight,
        WeightFigure(LIMIT, reach),
        _read_weight,
        W=base.slider(widgets.FloatSlider, "weight W", value=0.5, min=-LIMIT, max=LIMIT, step=0.1),
        eps=_epsilon((0.0, *(10.0**k for k in range(-12, 1))), value=1e-5),
    )
