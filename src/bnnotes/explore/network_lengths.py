"""How long the weight vectors of a BN network are, step by step."""

from __future__ import annotations

import numpy as np

from .. import network


def heavy_ball(step, state, mu=0.9):
    """Return the heavy ball's step for that of plain SGD; `state` is a dict of its own."""
    state["v"] = mu * state.get("v", 0.0) + step
    return state["v"]


def adam(step, state, rate=1e-3, keep=(0.9, 0.999)):
    """Return Adam's step for that of plain SGD; `state` is a dict of its own."""
    state["n"] = n = state.get("n", 0) + 1
    for k, (moment, share) in enumerate(zip((step, step**2), keep, strict=True)):
        state[k] = share * state.get(k, 0.0) + (1 - share) * moment
    mean, square = (state[k] / (1 - share**n) for k, share in enumerate(keep))
    return rate * mean / (np.sqrt(square) + 1e-12)


def follow(psi, phi, *, learning_rate, weight_decay, epochs, batch_size, seed, rule=None):
    """Return ‖W_i‖² and ‖∂C/∂W_i‖² of the first layer at every step.

    Parameters
    ----------
    psi, phi : ndarray
        The samples, with ten labels.
    learning_rate, weight_decay : float
    epochs, batch_size, seed : int
    rule : callable, optional
        ``rule(step, state)`` returns the step of every W for that of plain SGD, as `heavy_ball`.

    Returns
    -------
    squares, gradients : ndarray, shape (steps, 16)
        Before the step, and of the plain step without its decay.
    """
    sizes, squares, gradients = [psi.shape[1], 16, phi.shape[1]], [], []
    net = network.create(sizes, batch_norm=True, activation="tanh", rng=seed)
    states = [{} for _ in net.layers]
    rates = {"learning_rate": learning_rate, "weight_decay": weight_decay}

    def on_step(layers):
        W = net.layers[0].W
        gradient = (W - layers[0].W) / learning_rate - weight_decay * W
        for old, new, state in zip(net.layers, layers, states, strict=True):
            new.W = old.W + rule(new.W - old.W, state) if rule else new.W
        squares.append((W**2).sum(axis=1))
        gradients.append((gradient**2).sum(axis=1))

    options = {"batch_size": batch_size, "epochs": epochs, "rng": seed, "on_step": on_step}
    network.train(net, psi, phi, **rates, **options)
    return np.array(squares), np.array(gradients)
