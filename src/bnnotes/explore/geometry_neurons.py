"""Measurements of S33: do the neurons of a layer become alike, with BN and without?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .. import digits, network, sphere

WIDTH = 128
LAYERS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 40, 50, 60, 70, 80, 90, 100)
HIDDEN, HIDDEN_WIDTH = (1, 2, 4, 8), 32
KINDS = {"BN": True, "baseline": False}


class Trained(NamedTuple):
    """The last hidden layer of trained digits networks.

    Attributes
    ----------
    correlation : dict of str to dict of int to ndarray, shape (seeds, 2)
        Mean |Corr| before and after, by kind and number of hidden layers.
    accuracy : dict of str to dict of int to float
        Held-out accuracy, median over the seeds.
    """

    correlation: dict
    accuracy: dict


def over_depth(batch_norm, M_B, seed):
    """Return mean |Corr| of some layers of an untrained ReLU network on the first M_B digits."""
    sizes = [64, *[WIDTH] * LAYERS[-1], 1]
    net = network.create(sizes, batch_norm=batch_norm, activation="relu", rng=seed)
    steps = network.feed_forward(net, digits.load("ten").psi[:M_B])
    return np.array([sphere.mean_correlation(steps[layer - 1].u) for layer in LAYERS])


def untrained(seeds, M_B=128, progress=iter):
    """Return `over_depth` of every seed for both kinds, as arrays (seeds, layers)."""
    runs = [(kind, seed) for seed in seeds for kind in KINDS]
    curves = {kind: [] for kind in KINDS}
    for kind, seed in progress(runs):
        curves[kind].append(over_depth(KINDS[kind], M_B, seed))
    return {kind: np.array(values) for kind, values in curves.items()}


def trained(seeds, epochs=6, progress=iter):
    """Train ReLU digits networks of both kinds and several depths, and return `Trained`."""
    data, runs = digits.load("ten"), [(k, n, s) for n in HIDDEN for k in KINDS for s in seeds]
    correlation = {kind: {hidden: [] for hidden in HIDDEN} for kind in KINDS}
    right = {kind: {hidden: [] for hidden in HIDDEN} for kind in KINDS}
    for kind, hidden, seed in progress(runs):
        sizes = [64, *[HIDDEN_WIDTH] * hidden, 10]
        net = network.create(sizes, batch_norm=KINDS[kind], activation="relu", rng=seed)
        before, _ = _measure(net, data)
        options = {"learning_rate": 0.3, "batch_size": 64, "epochs": epochs, "rng": seed}
        network.train(net, data.psi, data.phi, **options)
        after, accuracy = _measure(net, data)
        correlation[kind][hidden].append((before, after))
        right[kind][hidden].append(accuracy)
    return Trained(
        {k: {n: np.array(v) for n, v in by.items()} for k, by in correlation.items()},
        {k: {n: float(np.median(v)) for n, v in by.items()} for k, by in right.items()},
    )


def _measure(net, data):
    """Return mean |Corr| in the last hidden layer, and the accuracy, on the held-out digits."""
    steps = network.feed_forward(net, data.psi_test)
    return sphere.mean_correlation(steps[-2].u), digits.accuracy(steps[-1].u, data.phi_test)
