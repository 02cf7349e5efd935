"""How long the weight vectors of a BN network are, step by step."""

from __future__ import annotations

import numpy as np

from .. import network


def follow(psi, phi, *, learning_rate, weight_decay, epochs, batch_size, seed):
    """Return ‖W_i‖² and ‖∂C/∂W_i‖² of the first layer at every step.

    Parameters
    ----------
    psi, phi : ndarray
        The samples, with ten labels.
    learning_rate, weight_decay : float
    epochs, batch_size, seed : int

    Returns
    -------
    squares, gradients : ndarray, shape (steps, 16)
        Before the step, and of the step without its decay.
    """
    sizes, squares, gradients = [psi.shape[1], 16, phi.shape[1]], [], []
    net = network.create(sizes, batch_norm=True, activation="tanh", rng=seed)
    rates = {"learning_rate": learning_rate, "weight_decay": weight_decay}

    def on_step(layers):
        W = net.layers[0].W
        gradient = (W - layers[0].W) / learning_rate - weight_decay * W
        squares.append((W**2).sum(axis=1))
        gradients.append((gradient**2).sum(axis=1))

    options = {"batch_size": batch_size, "epochs": epochs, "rng": seed, "on_step": on_step}
    network.train(net, psi, phi, **rates, **options)
    return np.array(squares), np.array(gradients)
