"""The three-layer digits network of chapter 4, and what one of its layers sees."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from .. import baseline, batchnorm, digits, network

SIZES = [64, 24, 12, 10]
EPOCHS = (0, 1, 2, 4, 8, 16, 32)


class LayerView(NamedTuple):
    """Error, input and normalization of one layer on one batch.

    Attributes
    ----------
    delta : ndarray, shape (M_B, n)
    u_prev : ndarray, shape (M_B, n_prev)
    normalized : Normalized
    """

    delta: np.ndarray
    u_prev: np.ndarray
    normalized: batchnorm.Normalized


@functools.cache
def data():
    """Return the digits with ten labels."""
    return digits.load("ten")


@functools.cache
def trained():
    """Return the digits network after some epochs of training, by epoch."""
    net = network.create(SIZES, batch_norm=True, activation="tanh", rng=0)
    layers = {0: net.layers}

    def keep(epoch, net, history):
        layers[epoch + 1] = net.layers

    options = {"learning_rate": 0.3, "batch_size": 64, "epochs": EPOCHS[-1], "rng": 0}
    network.train(net, data().psi, data().phi, on_epoch=keep, **options)
    return {epoch: network.Network(layers[epoch], net.activation) for epoch in EPOCHS}


@functools.lru_cache(maxsize=256)
def look(epoch, layer, M_B):
    """Return what a layer (from 1) of the digits network sees of the first M_B digits."""
    net = trained()[epoch]
    steps = network.feed_forward(net, data().psi[:M_B])
    delta = baseline.output_error(steps[-1].u, data().phi[:M_B])
    for l in range(len(steps) - 1, layer - 1, -1):
        above, g_prime = net.layers[l], net.activations[l - 1].g_prime(steps[l - 1].y)
        delta = batchnorm.previous_error(delta, above.W, steps[l].normalized, above.gamma, g_prime)
    return LayerView(delta, steps[layer - 1].u_prev, steps[layer - 1].normalized)
