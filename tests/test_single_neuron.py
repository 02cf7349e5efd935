"""The spectrum of M, what ε leaves of M·u, and scale invariance, against oracles of their own."""

import numpy as np
import pytest

from bnnotes import batchnorm, network, sample_space
from bnnotes.check import compare, complex_step

EPS = [0.0, 1e-8, 1e-5, 1e-2, 1.0, 100.0]


@pytest.mark.parametrize("eps", EPS)
@pytest.mark.parametrize("M_B", [2, 3, 4, 7, 64])
def test_the_eigenvalues_are_those_of_the_matrix(M_B, eps):
    x_hat = batchnorm.normalize(np.random.default_rng(M_B).normal(size=(M_B, 1)), eps).x_hat[:, 0]
    measured = np.linalg.eigvalsh(sample_space.mixing_matrix(x_hat))
    assert np.abs(measured - sample_space.mixing_eigenvalues(x_hat)).max() < 1e-13


def test_the_second_eigenvalue_is_eps_over_the_square_of_s():
    x_hat, _, std = batchnorm.normalize(np.random.default_rng(0).normal(size=(6, 1)), 0.3)
    assert sample_space.mixing_eigenvalues(x_hat[:, 0])[1] == pytest.approx(0.3 / std[0] ** 2)


def test_one_sample_has_the_eigenvalue_zero_alone():
    assert sample_space.mixing_eigenvalues([0.0]).tolist() == [0.0]


@pytest.mark.parametrize("eps", EPS)
@pytest.mark.parametrize("M_B", [2, 3, 8, 33])
def test_the_residual_is_what_mixing_leaves_of_the_only_input(M_B, eps):
    rng = np.random.default_rng(M_B)
    u, W = rng.normal(1.0, 2.0, size=(M_B, 1)), np.array([-3.0, -0.02, 0.5, 40.0])
    x_hat = batchnorm.normalize(u * W, eps).x_hat
    mixed = np.hstack([sample_space.mix(x_hat[:, [k]], u) for k in range(len(W))])
    predicted = sample_space.single_neuron_residual(u, W, eps)
    assert np.abs(mixed - predicted).max() < 1e-14 * np.abs(u).max()
    if eps == 0:
        assert not predicted.any()


@pytest.mark.parametrize("eps", EPS[2:])
@pytest.mark.parametrize("W", [-1.3, 0.0, 1e-3, 0.7])
def test_the_residual_gives_the_slope_of_y_over_w(W, eps):
    u, gamma = np.random.default_rng(3).normal(2.0, 1.0, size=(9, 1)), np.array([1.7])
    slope = complex_step(lambda W: batchnorm.forward(u * W, gamma, [0.4], eps)[0], [W])[:, 0]
    s = np.sqrt(W**2 * u.var() + eps)
    residual = sample_space.single_neuron_residual(u, [W], eps)
    closed_form = gamma * eps * (u - u.mean()) / s**3
    # Rounded like the terms that cancel in M·u, which are of the size of u.
    rounding = 1e-15 * np.abs(gamma / s * u).max()
    assert np.abs(slope - gamma / s * residual).max() < rounding
    assert np.abs(slope - closed_form).max() < rounding


def test_a_large_mean_costs_the_residual_no_digits():
    u = np.random.default_rng(5).normal(size=(16, 1))
    near, far = (sample_space.single_neuron_residual(u + mean, [0.3], 0.1) for mean in (0, 2.0**20))
    assert compare(residual=(near, far)).worst < 1e-9


@pytest.mark.parametrize(("u", "W"), [([[1.0], [2.0]], [0.0]), ([[2.0], [2.0]], [1.0])])
def test_without_eps_a_constant_input_is_refused(u, W):
    with pytest.raises(ValueError, match="W u: column 0 is constant"):
        sample_space.single_neuron_residual(u, W)
    assert np.isfinite(sample_space.single_neuron_residual(u, W, eps=1e-5)).all()


def test_single_precision_stays_single():
    u, W = np.ones((4, 1), np.float32) * np.arange(4, dtype=np.float32)[:, None], np.float32([2.0])
    assert sample_space.single_neuron_residual(u, W, 0.1).dtype == np.float32
    x_hat = np.float32([1, 1, -1, -1])
    assert sample_space.mixing_eigenvalues(x_hat).dtype == np.float32


@pytest.mark.parametrize("eps", EPS)
def test_the_slope_along_the_weights_themselves(eps):
    rng = np.random.default_rng(7)
    u, W = rng.normal(1.0, 1.0, size=(12, 5)), rng.normal(size=(4, 5))
    gamma, beta, delta = rng.normal(size=4), rng.normal(size=4), rng.normal(size=(12, 4))

    def cost(stretch):
        return (delta * batchnorm.forward(u @ (stretch[:, None] * W).T, gamma, beta, eps)[0]).sum()

    oracle = complex_step(cost, np.ones(4))
    normalized = batchnorm.normalize(u @ W.T, eps)
    gamma_gradient = batchnorm.gamma_gradient(delta, normalized)
    slope = sample_space.radial_weight_gradient(gamma_gradient, gamma, normalized.std, eps)
    scale = np.abs(gamma * gamma_gradient).max()
    assert np.abs(oracle - slope).max() < 1e-14 * scale
    if eps == 0:
        assert not slope.any()


@pytest.mark.parametrize("eps", EPS)
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_the_slope_holds_in_every_layer_of_a_network(activation, eps):
    rng = np.random.default_rng(11)
    net = network.create([6, 5, 4, 3], batch_norm=True, activation=activation, eps=eps, rng=rng)
    for layer in net.layers:
        layer.gamma, layer.beta = rng.normal(1, 0.3, (2, len(layer.gamma)))
    psi, phi = rng.normal(size=(16, 6)), rng.integers(0, 2, size=(16, 3)).astype(float)
    gradients = network.cost_and_gradients(net, psi, phi)[1]
    steps = network.feed_forward(net, psi)
    for layer, gradient, step in zip(net.layers, gradients, steps, strict=True):
        radial = (layer.W * gradient.W).sum(axis=1)
        std = step.normalized.std
        slope = sample_space.radial_weight_gradient(gradient.gamma, layer.gamma, std, eps)
        assert np.abs(radial - slope).max() < 1e-13


def test_without_eps_a_step_only_ever_lengthens_the_weights():
    rng = np.random.default_rng(13)
    net = network.create([6, 5, 3], batch_norm=True, activation="tanh", rng=rng)
    psi, phi = rng.normal(size=(40, 6)), rng.integers(0, 2, size=(40, 3)).astype(float)
    for _ in range(10):
        before = net.layers
        gradients = network.cost_and_gradients(net, psi[:8], phi[:8])[1]
        network.train(net, psi[:8], phi[:8], learning_rate=3.0, batch_size=8, epochs=1, rng=0)
        for old, new, gradient in zip(before, net.layers, gradients, strict=True):
            pythagoras = (old.W**2).sum(axis=1) + 9 * (gradient.W**2).sum(axis=1)
            assert (new.W**2).sum(axis=1) == pytest.approx(pythagoras, rel=1e-12)
