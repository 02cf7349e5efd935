"""Section 3 of the source, first part: the mixing matrix M, M u = 0, and scale invariance.

That both are what the source says is held by test_properties_sample_space.py.
"""

import tracemalloc

import numpy as np
import pytest
from cases import BATCH_SIZES, EPSILONS, assert_close, layer, plain_hat

from bnnotes import network, sample_space
from bnnotes.check import compare

M_BS = [*BATCH_SIZES, 6, 7, 11]


@pytest.mark.parametrize("M_B", M_BS)
def test_one_column_serves_all(M_B):
    x_hat = plain_hat(layer(M_B, n=1).x)
    v = np.random.default_rng(0).normal(size=(M_B, 5))
    repeated = np.repeat(x_hat, 5, axis=1)
    np.testing.assert_array_equal(sample_space.mix(x_hat, v), sample_space.mix(repeated, v))


@pytest.mark.parametrize("eps", EPSILONS)
@pytest.mark.parametrize("M_B", M_BS)
def test_split(M_B, eps):
    """v is the sum of its three parts; they are orthogonal at eps = 0."""
    case = layer(M_B, eps=eps)
    x_hat, v = plain_hat(case.x, eps), case.delta
    mean, along, mixed = sample_space.split(x_hat, v)
    assert_close(mean + along * x_hat + mixed, v, 1e-14)
    np.testing.assert_allclose(mixed.sum(axis=0), 0, atol=1e-13)
    if eps == 0:
        np.testing.assert_allclose((mixed * x_hat).sum(axis=0), 0, atol=1e-13)
        np.testing.assert_allclose(sample_space.mix(x_hat, mixed), mixed, atol=1e-13)


def test_a_million_samples():
    """O(M_B) in memory: a matrix would need 8 TB. Columns are independent."""
    rng = np.random.default_rng(0)
    x_hat, v = plain_hat(rng.normal(size=(1_000_000, 1))), rng.normal(size=(1_000_000, 2))
    sample_space.mix(plain_hat(x_hat[:10]), v[:10])
    tracemalloc.start()
    mixed = sample_space.mix(x_hat, v)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * v.nbytes
    np.testing.assert_allclose(mixed.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose((x_hat * mixed).mean(axis=0), 0, atol=1e-12)


def test_complex():
    """Linear in v and without conjugates: the complex step goes through."""
    case = layer(5)
    x_hat, v, w = plain_hat(case.x), case.delta, case.x
    got = sample_space.mix(x_hat, v + 1j * w)
    assert_close(got.real, sample_space.mix(x_hat, v), 1e-15)
    assert_close(got.imag, sample_space.mix(x_hat, w), 1e-14, scale=1.0)


def test_the_mean_of_u_may_be_zero():
    u = np.array([[-1.0], [1.0]])
    np.testing.assert_array_equal(sample_space.single_neuron_residual(u, [2.0]), 0)


def test_what_is_kept_between_calls_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        sample_space._averaging(4, np.dtype(float))[0] = 1.0


def test_without_eps_the_gradient_is_orthogonal_to_the_weights():
    one = np.ones(2)
    np.testing.assert_array_equal(sample_space.radial_weight_gradient(one, 2 * one, 3 * one), 0)


def test_one_sample_has_the_eigenvalue_zero_alone():
    assert sample_space.mixing_eigenvalues([0.0]).tolist() == [0.0]


def test_a_large_mean_costs_the_residual_no_digits():
    u = np.random.default_rng(5).normal(size=(16, 1))
    near, far = (sample_space.single_neuron_residual(u + mean, [0.3], 0.1) for mean in (0, 2.0**20))
    assert compare(residual=(near, far)).worst < 1e-9


@pytest.mark.parametrize(("u", "W"), [([[1.0], [2.0]], [0.0]), ([[2.0], [2.0]], [1.0])])
def test_without_eps_a_constant_input_is_refused(u, W):
    with pytest.raises(ValueError, match="W u: column 0 is constant"):
        sample_space.single_neuron_residual(u, W)
    assert np.isfinite(sample_space.single_neuron_residual(u, W, eps=1e-5)).all()


@pytest.mark.parametrize("eps", [0.0, 1e-8, 1e-2, 100.0])
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_the_slope_holds_in_every_layer_of_a_network(activation, eps):
    rng = np.random.default_rng(11)
    net = network.create([6, 5, 4, 3], batch_norm=True, activation=activation, eps=eps, rng=rng)
    for each in net.layers:
        each.gamma, each.beta = rng.normal(1, 0.3, (2, len(each.gamma)))
    psi, phi = rng.normal(size=(16, 6)), rng.integers(0, 2, size=(16, 3)).astype(float)
    gradients = network.cost_and_gradients(net, psi, phi)[1]
    steps = network.feed_forward(net, psi)
    for each, gradient, step in zip(net.layers, gradients, steps, strict=True):
        radial = (each.W * gradient.W).sum(axis=1)
        std = step.normalized.std
        slope = sample_space.radial_weight_gradient(gradient.gamma, each.gamma, std, eps)
        assert np.abs(radial - slope).max() < 1e-13
