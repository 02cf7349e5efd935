"""Section 3 of the source, first part: the mixing matrix M and M u = 0."""

import tracemalloc

import numpy as np
import pytest
from cases import BATCH_SIZES, EPSILONS, LAYERS, assert_close, every_layer, layer, plain_hat

from bnnotes import batchnorm, check, sample_space

M_BS = [*BATCH_SIZES, 6, 7, 11]


def one_neuron(M_B, eps=0.0, W=None):
    """Inputs u of one neuron, its weight, and x = W u."""
    rng = np.random.default_rng(M_B)
    u = rng.normal(1.0, 2.0, (M_B, 1))
    W = rng.normal() if W is None else W
    return u, W, plain_hat(W * u, eps)


@pytest.mark.parametrize("eps", EPSILONS)
@pytest.mark.parametrize("M_B", M_BS)
def test_matrix_form(M_B, eps):
    """S20: ∂C/∂W = (γ/σ) Δ·M·u, one neuron per layer."""
    u, W, x_hat = one_neuron(M_B, eps)
    gamma, delta = 1.7, np.random.default_rng(1).normal(size=M_B)
    truth = check.complex_step(lambda W: (delta * gamma * plain_hat(W * u, eps)[:, 0]).sum(), W)
    s = np.sqrt(np.var(W * u) + eps)
    got = gamma / s * delta @ sample_space.mixing_matrix(x_hat[:, 0]) @ u[:, 0]
    # The true value is 0 at eps = 0.
    assert_close(got, truth, 1e-13, scale=gamma / s * np.abs(u).max())


@pytest.mark.parametrize("M_B", M_BS)
def test_mixing_matrix_entry_by_entry(M_B):
    _, _, x_hat = one_neuron(M_B)
    M = sample_space.mixing_matrix(x_hat[:, 0])
    for s, t in np.ndindex(M_B, M_B):
        expected = (s == t) - 1 / M_B - x_hat[s, 0] * x_hat[t, 0] / M_B
        assert M[s, t] == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("eps", EPSILONS)
@pytest.mark.parametrize("M_B", M_BS)
def test_eigenvalues(M_B, eps):
    """0 on 1, eps/s² on x̂, 1 on everything else."""
    u, W, x_hat = one_neuron(M_B, eps)
    M = sample_space.mixing_matrix(x_hat[:, 0])
    rest = eps / (np.var(W * u) + eps)
    np.testing.assert_allclose(M @ np.ones(M_B), 0, atol=1e-14)
    np.testing.assert_allclose(M @ x_hat[:, 0], rest * x_hat[:, 0], atol=1e-14)
    expected = sorted([0.0, rest] + [1.0] * (M_B - 2))
    np.testing.assert_allclose(np.linalg.eigvalsh(M), expected, atol=1e-14)
    eigenvalues = sample_space.mixing_eigenvalues(x_hat[:, 0])
    np.testing.assert_allclose(eigenvalues, expected, atol=1e-14)


@pytest.mark.parametrize("M_B", M_BS)
def test_a_projector_only_without_eps(M_B):
    for eps in EPSILONS:
        M = sample_space.mixing_matrix(one_neuron(M_B, eps)[2][:, 0])
        np.testing.assert_allclose(M, M.T, atol=0)
        assert np.allclose(M @ M, M, atol=1e-14) == (eps == 0)
    M = sample_space.mixing_matrix(one_neuron(M_B)[2][:, 0])
    assert np.linalg.matrix_rank(M, tol=1e-10) == M_B - 2


@every_layer
def test_mix_is_the_matrix(case):
    x_hat = plain_hat(case.x, case.eps)
    expected = [
        sample_space.mixing_matrix(h) @ v for h, v in zip(x_hat.T, case.delta.T, strict=True)
    ]
    assert_close(sample_space.mix(x_hat, case.delta), np.array(expected).T, 1e-14, scale=1.0)


@pytest.mark.parametrize("M_B", M_BS)
def test_one_column_serves_all(M_B):
    _, _, x_hat = one_neuron(M_B)
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


@pytest.mark.parametrize("M_B", M_BS)
def test_mixing_reaches_other_samples(M_B):
    """S40: one sample moves, and x̂ of the others moves as (3) says; without BN none would."""
    case = layer(M_B)
    kernel = batchnorm.kernel(batchnorm.normalize(case.x), case.gamma)
    truth = check.complex_step(lambda x: case.y(x=x), case.x)
    for i in range(case.x.shape[1]):
        off = ~np.eye(M_B, dtype=bool)
        true = truth[:, i, :, i]
        s = case.x[:, i].std()
        scale = abs(case.gamma[i]) / s
        x_hat = plain_hat(case.x)[:, i]
        expected = -case.gamma[i] / (s * M_B) * (1 + np.outer(x_hat, x_hat))
        assert_close(true[off], expected[off], 1e-12, scale)
        assert_close(kernel[:, :, i][off], true[off], 1e-12, scale)
        assert M_B == 2 or np.abs(true[off]).max() > 0.01 * scale


@pytest.mark.parametrize("W", [-3.0, -1e-3, 1e-3, 0.5, 1e3])
@pytest.mark.parametrize("M_B", M_BS)
def test_Mu_is_zero(M_B, W):
    """S24: for every W other than 0."""
    u, W, _ = one_neuron(M_B, W=W)
    x_hat = batchnorm.normalize(W * u).x_hat
    np.testing.assert_allclose(sample_space.mix(x_hat, u), 0, atol=1e-14 * np.abs(u).max())
    truth = check.complex_step(lambda W: plain_hat(W * u), W)
    np.testing.assert_allclose(truth, 0, atol=1e-14 * np.abs(u / W).max())
    np.testing.assert_array_equal(sample_space.single_neuron_residual(u, [W]), 0)


@pytest.mark.parametrize("eps", [1e-8, 0.1, 100.0])
@pytest.mark.parametrize("W", [-3.0, -0.1, 0.0, 0.5])
@pytest.mark.parametrize("M_B", M_BS)
def test_residual_with_eps(M_B, W, eps):
    """S24: M u = ũ·eps/(W²σ̃² + eps), and ∂y/∂W = γ·eps·ũ/s³."""
    u, W, x_hat = one_neuron(M_B, eps, W)
    variance = W**2 * np.var(u) + eps
    expected = (u - u.mean()) * eps / variance
    scale = np.abs(u).max()
    assert_close(sample_space.mix(x_hat, u), expected, 1e-13, scale)
    assert_close(sample_space.single_neuron_residual(u, [W], eps), expected, 1e-13, scale)
    gamma = 1.3
    truth = check.complex_step(lambda W: gamma * plain_hat(W * u, eps), W)
    assert_close(gamma * expected / np.sqrt(variance), truth, 1e-12, gamma * scale / variance**0.5)


def test_one_neuron():
    """S21, S22: x̂ = sign(W) û and σ(u) = σ(x)/|W|."""
    for W in (-2.0, 3.0):
        u, W, x_hat = one_neuron(8, W=W)
        assert_close(x_hat, np.sign(W) * plain_hat(u), 1e-13)
        normalized = batchnorm.normalize(W * u)
        assert_close(normalized.x_hat, x_hat, 1e-13)
        assert_close(normalized.std / abs(W), u.std(axis=0), 1e-14)


@every_layer
def test_radial_weight_gradient(case):
    """Σ_j W_ij ∂C/∂W_ij: the slope of the cost when all weights of a neuron grow."""
    truth = check.complex_step(
        lambda t: case.cost(x=case.u_prev @ (t[:, np.newaxis] * case.W).T), np.ones(len(case.W))
    )
    normalized = batchnorm.normalize(case.x, case.eps)
    got = sample_space.radial_weight_gradient(
        batchnorm.gamma_gradient(case.delta, normalized), case.gamma, normalized.std, case.eps
    )
    assert_close(got, truth, 1e-12, scale=1.0)
    if case.eps == 0:
        np.testing.assert_array_equal(got, 0)


def test_two_samples_leave_exactly_nothing():
    rng = np.random.default_rng(0)
    for _ in range(200):
        x = rng.normal(rng.choice([0, 1e4, 1e8]), 1.0, (2, 3))
        v = rng.normal(rng.choice([0, 1e4, 1e8]), 1.0, (2, 3))
        np.testing.assert_array_equal(sample_space.mix(batchnorm.normalize(x).x_hat, v), 0)


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


def test_float32():
    for case in LAYERS:
        x_hat = plain_hat(case.x, case.eps)
        got = sample_space.mix(x_hat.astype(np.float32), case.delta.astype(np.float32))
        assert got.dtype == np.float32
        assert_close(got, sample_space.mix(x_hat, case.delta), 2e-6, scale=1.0)
        M = sample_space.mixing_matrix(x_hat[:, 0].astype(np.float32))
        assert M.dtype == np.float32


def test_complex():
    """Linear in v and without conjugates: the complex step goes through."""
    case = layer(5)
    x_hat, v, w = plain_hat(case.x), case.delta, case.x
    got = sample_space.mix(x_hat, v + 1j * w)
    assert_close(got.real, sample_space.mix(x_hat, v), 1e-15)
    assert_close(got.imag, sample_space.mix(x_hat, w), 1e-14, scale=1.0)


def test_a_weight_of_zero_leaves_nothing_to_normalize():
    u = np.array([[-1.0, -2.0], [1.0, 5.0], [0.0, 0.0]])
    with pytest.raises(ValueError, match=r"^W u: column 1 is constant"):
        sample_space.single_neuron_residual(u, [2.0, 0.0])


def test_the_mean_of_u_may_be_zero():
    u = np.array([[-1.0], [1.0]])
    np.testing.assert_array_equal(sample_space.single_neuron_residual(u, [2.0]), 0)


def test_what_is_kept_between_calls_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        sample_space._averaging(4, np.dtype(float))[0] = 1.0


def test_without_eps_the_gradient_is_orthogonal_to_the_weights():
    one = np.ones(2)
    np.testing.assert_array_equal(sample_space.radial_weight_gradient(one, 2 * one, 3 * one), 0)
