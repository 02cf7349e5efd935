"""The explorer of a chain of single neurons in training: its W stay where they began."""

from __future__ import annotations

import functools
import itertools
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np

from .. import digits, network
from ..figures.sample_space_chain import ChainFigure
from . import base

# One is negative, so the chain begins by taking odd for even. What will turn it round?
WEIGHTS = (0.6, 1.2, -1.0, 1.6, 0.2)
LAYERS = len(WEIGHTS)
STEPS = 300
LEARNING_RATE = 0.2
EPS = (0.0, 1e-5, 1e-4, 1e-3, 1e-2)


def odd_likeness(data):
    """Return one number per digit: how much it looks like the mean odd and not the mean even one.

    The projection on the difference of the two mean images.

    Parameters
    ----------
    data : Digits
        With the labels "odd".

    Returns
    -------
    ndarray, shape (M, 1)
    """
    odd = data.phi[:, 0] == 1
    direction = data.psi[odd].mean(axis=0) - data.psi[~odd].mean(axis=0)
    return (data.psi @ direction)[:, np.newaxis]


class Training(NamedTuple):
    """Every state of one training.

    Attributes
    ----------
    layers : list of lists
        ``layers[step]`` are the layers after that many steps.
    W, gamma, beta : ndarray, shape (STEPS + 1, LAYERS)
    """

    layers: list
    W: np.ndarray
    gamma: np.ndarray
    beta: np.ndarray


class Chain(NamedTuple):
    """A training up to one step.

    Attributes
    ----------
    M_B : int
    eps : float
    step : int
    W, gamma : ndarray, shape (STEPS + 1, LAYERS), or None
        None where the training cannot begin.
    moved : dict of str to ndarray, shape (STEPS + 1,)
        For W, γ and β the largest distance of a layer from where it began.
    cost : float
        On all digits.
    explanation : str
        Why there is no training.
    """

    M_B: int
    eps: float
    step: int
    W: np.ndarray | None = None
    gamma: np.ndarray | None = None
    moved: dict | None = None
    cost: float | None = None
    explanation: str = ""


@functools.cache
def _data():
    data = digits.load("odd")
    return odd_likeness(data), data.phi


@functools.cache
def _train(M_B, eps):
    """Train a chain of single neurons step by step and keep every state."""
    psi, phi = _data()
    rng = np.random.default_rng(0)
    sizes = [1] * (LAYERS + 1)
    net = network.create(sizes, batch_norm=True, activation="tanh", eps=eps, rng=1)
    for layer, W in zip(net.layers, WEIGHTS, strict=True):
        layer.W = np.array([[W]])
    epochs = itertools.chain.from_iterable(
        network.batches(len(psi), M_B, rng) for _ in range(STEPS)
    )
    layers = [net.layers]
    for batch in itertools.islice(epochs, STEPS):
        options = {"learning_rate": LEARNING_RATE, "batch_size": M_B, "epochs": 1, "rng": 0}
        network.train(net, psi[batch], phi[batch], **options)
        layers.append(net.layers)
    states = [
        [[getattr(layer, name).item() for layer in state] for state in layers]
        for name in ("W", "gamma", "beta")
    ]
    return Training(layers, *map(np.array, states))


def compute_chain(M_B, eps, step):
    """Return the `Chain` after `step` steps."""
    if M_B == 1 and eps == 0:
        why = "One sample:\nσ = 0 and x̂ = 0/0.\nThe training cannot begin."
        return Chain(M_B, eps, step, explanation=why)
    training = _train(M_B, eps)
    named = {"W": training.W, "γ": training.gamma, "β": training.beta}
    moved = {name: np.abs(v - v[0]).max(axis=1) for name, v in named.items()}
    net = network.Network(training.layers[step], network.get("tanh"), eps)
    cost = network.cost_and_gradients(net, *_data())[0]
    return Chain(M_B, eps, step, training.W, training.gamma, moved, float(cost))


def _read_chain(result):
    state = f"M_B = {result.M_B}, ε = {result.eps:g}, step {result.step}: "
    if result.W is None:
        return state + result.explanation.replace("\n", " ")
    moves = ", ".join(f"{name} {_move(v[result.step])}" for name, v in result.moved.items())
    return f"{state}largest moves: {moves}. Cost on all digits {result.cost:.2f}."


def _move(distance):
    return f"{distance:.2g}" if distance > 1e-12 else "< 1e-12"


def chain():
    """Return the explorer of the chain: batch size, ε, training step → W, γ, and their moves.

    Returns
    -------
    Explorer
    """
    return base.Explorer(
        f"A chain of {LAYERS} single neurons in training on the digits",
        compute_chain,
        ChainFigure(STEPS, LAYERS),
        _read_chain,
        M_B=base.batch_size((1, 2, 3, 8, 64), 8),
        eps=base.slider(
            widgets.SelectionSlider, "ε", options=[(f"{e:g}", e) for e in EPS], value=0.0
        ),
        step=base.slider(widgets.IntSlider, "training step", value=STEPS, min=0, max=STEPS),
    )
