"""Weight decay, and the length of a weight vector that the cost does not see."""

import copy

import numpy as np
import pytest

from bnnotes import digits, network

RATES = {"learning_rate": 0.3, "epochs": 1, "rng": 0}


@pytest.fixture
def batch():
    data = digits.load("ten")
    return data.psi[:32], data.phi[:32]


@pytest.mark.parametrize("batch_norm", [False, True])
def test_one_step_with_decay(batch, batch_norm):
    net = network.create([64, 8, 10], batch_norm=batch_norm, activation="tanh", rng=1)
    before, (_, gradients) = net.layers, network.cost_and_gradients(net, *batch)
    network.train(net, *batch, batch_size=32, weight_decay=0.2, **RATES)
    for old, gradient, new in zip(before, gradients, net.layers, strict=True):
        for name, value in vars(new).items():
            decay = 0.2 * old.W if name == "W" else 0
            wanted = getattr(old, name) - 0.3 * (getattr(gradient, name) + decay)
            # One batch, but its samples are shuffled: the sums round differently.
            np.testing.assert_allclose(value, wanted, rtol=1e-11, atol=1e-14)


def test_no_decay_is_the_same_training(batch):
    one = network.create([64, 8, 10], batch_norm=True, activation="tanh", rng=1)
    other = copy.deepcopy(one)
    network.train(one, *batch, batch_size=8, **RATES)
    network.train(other, *batch, batch_size=8, weight_decay=0.0, **RATES)
    assert all((a.W == b.W).all() for a, b in zip(one.layers, other.layers, strict=True))


@pytest.mark.parametrize("value", [-0.1, float("nan"), "much"])
def test_a_decay_that_is_none(batch, value):
    net = network.create([64, 8, 10], batch_norm=True, activation="tanh", rng=1)
    with pytest.raises(ValueError, match="weight_decay"):
        network.train(net, *batch, batch_size=8, weight_decay=value, **RATES)


def test_without_eps_a_step_lengthens_by_its_square(batch):
    net = network.create([64, 8, 10], batch_norm=True, activation="tanh", rng=1)
    before, (_, gradients) = net.layers, network.cost_and_gradients(net, *batch)
    network.train(net, *batch, batch_size=32, **RATES)
    for old, gradient, new in zip(before, gradients, net.layers, strict=True):
        grown = (new.W**2).sum(axis=1) - (old.W**2).sum(axis=1)
        np.testing.assert_allclose(grown, 0.3**2 * (gradient.W**2).sum(axis=1), rtol=1e-10)
