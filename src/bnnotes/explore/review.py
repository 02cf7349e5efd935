"""Explorers of chapter 7: where a mistake lives in the gradient, and which check sees it."""

from __future__ import annotations

import functools
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np

from .. import baseline, digits, network, sample_space
from ..figures.review import CheckFigure, ResidualFigure
from . import review_checks as checks
from .base import Explorer, batch_size, slider

SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
DIGIT = 6
NOTHING = np.empty(0)
UPSTREAM = {"drawn": "drawn", "of the digits": "digits", "1": "ones", "y": "y", "x̂": "x_hat"}
# Those that show in ∂C/∂x.
IN_X = tuple(name for name in checks.GALLERY if not name.startswith(("γ: ", "β: ", "γ and β")))


@functools.cache
def _output_layer():
    """Return u of the hidden layer, the labels and the output layer of the digits network."""
    net, data = digits.trained("ten", batch_norm=True, epochs=1), digits.load("ten")
    hidden = network.feed_forward(net, data.psi[: SIZES[-1]])[0].u
    return hidden, data.phi[: SIZES[-1]], net.layers[-1]


@functools.cache
def _drawn():
    """Return a drawn Δ with a part along 1 and a part along x̂, so that neither hides."""
    u, _, last = _output_layer()
    rng = np.random.default_rng(3)
    x = u @ last.W.T
    lean = rng.choice([-1.0, 1.0], (2, 10)) * rng.uniform(0.5, 1.0, (2, 10))
    noise = 0.6 * rng.normal(size=x.shape)
    return noise + lean[0] + lean[1] * (x - x.mean(axis=0)) / x.std(axis=0)


@functools.cache
def _values(M_B, eps, upstream):
    """Return the values of the output layer for the first M_B digits; Δ is times M_B."""
    u, phi, last = _output_layer()
    x = u[:M_B] @ last.W.T
    values = checks.layer(x, last.gamma, last.beta, eps, np.zeros_like(x))
    y = values["y"]
    if upstream == "digits":
        delta = M_B * baseline.output_error(0.5 * (1 + np.tanh(y / 2)), phi[:M_B])
    else:
        delta = {
            "drawn": _drawn()[:M_B],
            "ones": np.ones_like(y),
            "y": y,
            "x_hat": values["x_hat"],
        }[upstream]
    return {**values, "delta": delta}


class Residual(NamedTuple):
    """A true and a wrong ∂C/∂x of one neuron, and their difference; samples sorted by x.

    Attributes
    ----------
    name : str
        Of the mistake.
    true, wrong : ndarray, shape (M_B,) or (0,)
    mean, along_x_hat, rest : ndarray, shape (M_B,) or (0,)
        The parts of wrong − true.
    shares : ndarray, shape (3,)
        Of the squared length of the difference; zeros where there is none.
    off : str
        The largest difference, relative to the largest true entry.
    """

    name: str
    true: np.ndarray
    wrong: np.ndarray
    mean: np.ndarray
    along_x_hat: np.ndarray
    rest: np.ndarray
    shares: np.ndarray
    off: str


class Residuals(NamedTuple):
    """What the figure draws, and what the readout needs.

    Attributes
    ----------
    residuals : tuple of Residual
    M_B : int
    eps : float
    upstream : str
    """

    residuals: tuple
    M_B: int
    eps: float
    upstream: str


def residual(values, name, neuron):
    """Return the `Residual` of a mistake in one neuron.

    Parameters
    ----------
    values : dict
        Of a layer, as `review_checks.layer` makes them.
    name : str
        Of the mistake.
    neuron : int

    Returns
    -------
    Residual
    """
    with np.errstate(all="ignore"):
        true = checks.gradients(values).x[:, neuron]
        wrong = checks.gradients(values, name).x[:, neuron]
    order = np.argsort(values["x"][:, neuron])
    x_hat, true, wrong = values["x_hat"][order, neuron], true[order], wrong[order]
    difference = wrong - true
    mean, along, _ = sample_space.split(x_hat[:, np.newaxis], difference[:, np.newaxis])
    # With eps > 0 x̂ is shorter than √M_B; the part along it is the whole projection.
    along = along / sample_space.sample_mean(x_hat * x_hat)
    parts = [np.full_like(x_hat, mean[0]), along * x_hat]
    parts.append(difference - parts[0] - parts[1])
    lengths = np.array([part @ part for part in parts])
    noise = 1e-20 * max(1.0, float(np.abs(values["delta"]).max())) ** 2
    shares = lengths / lengths.sum() if lengths.sum() > noise else np.zeros(3)
    return Residual(name, true, wrong, *parts, shares, _off(true, difference))


def _off(true, difference):
    size, off = np.abs(true).max(), np.abs(difference).max()
    if off < 1e-12:
        return "equal"
    if size < 1e-12:
        return "the true one is 0"
    return f"off by {off / size:.0%}" if off < 10 * size else f"off by a factor of {off / size:.0f}"


def _residuals(M_B, mistake, upstream, eps):
    if M_B == 1:
        # At eps = 0 there is no x̂; with eps x̂ = 0, and n − 1 is 0.
        nothing = Residual(mistake, *[NOTHING] * 5, np.zeros(3), "nothing to compare")
        return Residuals((nothing,), M_B, eps, upstream)
    values = _values(M_B, eps, UPSTREAM[upstream])
    return Residuals((residual(values, mistake, DIGIT),), M_B, eps, upstream)


@functools.cache
def diagnosis(name):
    """Return what review says of a mistake."""
    return checks.reviewed(name).reports[name].diagnosis


def _say_residual(result):
    (shown,), M_B = result.residuals, result.M_B
    said = f"Review: {diagnosis(shown.name)}"
    if M_B == 1:
        return f"M_B = 1: ∂C/∂x is 0, or at ε = 0 not defined. {said}"
    if shown.off == "equal":
        zero = "both 0" if not np.abs(shown.true).max() > 1e-12 else "equal"
        return f"M_B = {M_B}: true and wrong ∂C/∂x are {zero}, so this Δ shows nothing. {said}"
    if M_B == 2 and shown.off == "the true one is 0":
        return f"M_B = 2: the true ∂C/∂x is 0, nothing is left to learn below. {said}"
    return f"M_B = {M_B}: {shown.off}. {said}"


def gallery():
    """Return the explorer of the known mistakes, at one output of the digits network.

    Returns
    -------
    Explorer
        Controls: batch size, mistake, upstream error, ε.
    """
    return Explorer(
        f"∂C/∂x at the output for the digit {DIGIT} of the digits network, with a mistake",
        _residuals,
        ResidualFigure(),
        _say_residual,
        M_B=batch_size(SIZES, 16),
        mistake=slider(widgets.SelectionSlider, "mistake", options=IN_X, value="missing x̂ term"),
        upstream=slider(widgets.SelectionSlider, "Δ", options=tuple(UPSTREAM), value="drawn"),
        eps=slider(
            widgets.SelectionSlider,
            "ε",
            options=[(text, float(text)) for text in ("0", "0.001", "0.01", "0.1", "1")],
            value=0.1,
        ),
    )


def group(*names, M_B=16, eps=0.1):
    """Return a still of several mistakes below each other, at the same output and batch.

    Parameters
    ----------
    *names : str
        Of the mistakes.
    M_B : int
    eps : float

    Returns
    -------
    Picture
    """
    values = _values(M_B, eps, "drawn")
    result = Residuals(tuple(residual(values, name, DIGIT) for name in names), M_B, eps, "drawn")
    figure = ResidualFigure(len(names))
    figure.update(result)
    return figure.still(
        f"∂C/∂x of {M_B} digits at one output, true and wrong, and the difference in its parts "
        f"along 1, along x̂ and the rest. " + "; ".join(map(_alt, result.residuals))
    )


def _alt(shown):
    mean, along, rest = (f"{share:.0%}" for share in shown.shares)
    parts = f"{mean} along 1, {along} along x̂, {rest} the rest"
    return f"{shown.name}: {shown.off}, {parts}"


class Differences(NamedTuple):
    """How far each mistake of the gallery is from the true gradients.

    Attributes
    ----------
    differences : ndarray, shape (22,) or (0,)
    tolerance : float
    M_B : int
    """

    differences: np.ndarray
    tolerance: float
    M_B: int


CHECK_SIZES = (1, 2, 3, 4, 8, 16, 32, 64, 128, 256)


@functools.cache
def _pixels():
    """Return x of four neurons of layer 1 of the digits network, and a drawn Δ and γ."""
    net, data = digits.trained("ten", batch_norm=True, epochs=1), digits.load("ten")
    rng = np.random.default_rng(0)
    x = data.psi[: CHECK_SIZES[-1]] @ net.layers[0].W[12:16].T
    gamma = rng.uniform(0.5, 2, 4) * np.array([1, -1, 1, -1])
    return x, rng.normal(size=x.shape), gamma, rng.normal(size=4)


@functools.cache
def _checked(M_B, upstream, gamma, eps):
    x, delta, drawn, beta = _pixels()
    scale = np.ones(4) if gamma == "1" else drawn
    values = checks.layer(x[:M_B], scale, beta, eps, delta[:M_B])
    if upstream != "random":
        values["delta"] = np.ones_like(x[:M_B]) if upstream == "ones" else values["y"]
    with np.errstate(all="ignore"):
        return np.array([checks.difference(name, values) for name in checks.GALLERY])


def _differences(M_B, upstream, gamma, eps, tolerance):
    if M_B == 1:
        return Differences(NOTHING, tolerance, M_B)
    return Differences(_checked(M_B, upstream, gamma, eps), tolerance, M_B)


def _say_check(result):
    if result.M_B == 1:
        return "M_B = 1: x̂ is 0, or at ε = 0 not defined; there is no ∂C/∂x to check"
    missed = int((result.differences <= result.tolerance).sum())
    return (
        f"M_B = {result.M_B}: this check catches {len(result.differences) - missed} of "
        f"{len(result.differences)} mistakes and misses {missed}"
    )


def gradient_check():
    """Return the explorer of a gradient check: which mistakes it catches.

    Four neurons of layer 1 of the digits network, with a drawn Δ and γ.

    Returns
    -------
    Explorer
        Controls: batch size, Δ, γ, ε, tolerance.
    """
    return Explorer(
        "A gradient check at four neurons of the digits network, and the mistakes it catches",
        _differences,
        CheckFigure(checks.GALLERY),
        _say_check,
        M_B=batch_size(CHECK_SIZES, 8),
        upstream=slider(
            widgets.SelectionSlider, "Δ", options=("ones", "y", "random"), value="ones"
        ),
        gamma=slider(widgets.SelectionSlider, "γ", options=("1", "drawn"), value="1"),
        eps=slider(
            widgets.SelectionSlider,
            "ε",
            options=[(text, float(text)) for text in ("0", "1e-5", "0.001", "0.1")],
            value=1e-5,
        ),
        tolerance=slider(
            widgets.FloatLogSlider,
            "tolerance",
            value=1e-4,
            base=10,
            min=-9,
            max=-1,
            step=1,
            readout_format=".0e",
        ),
    )
