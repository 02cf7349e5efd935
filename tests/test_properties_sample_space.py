"""The identities of section 3 of the ledger from S20 to S28: vectors over the samples."""

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from properties import (
    assert_within,
    batches,
    centered,
    hat,
    layers,
    rounding,
    spread,
    standardized_bound,
    std,
    true_weight_gradient,
    wide,
)

from bnnotes import batchnorm, check, geometry, sample_space

ZERO = st.just(0.0)


@given(batch=batches())
def test_S20_matrix(batch):
    """M = I − (O + X̂)/M_B is what `mix` applies; eigenvalues 0, ε/s² and 1."""
    M_B, normalized = batch.M_B, batch.normalized
    x_hat, bound = wide(normalized.x_hat), batch.mix_bound(batch.delta) * spread(batch.delta)
    mixed = sample_space.mix(normalized.x_hat, batch.delta)
    for i, own in enumerate(normalized.x_hat.T):
        M = sample_space.mixing_matrix(own)
        assert M.dtype == batch.dtype
        np.testing.assert_array_equal(M, M.T)
        printed = np.eye(M_B) - (np.ones((M_B, M_B)) + np.outer(x_hat[:, i], x_hat[:, i])) / M_B
        size = 1 + np.abs(np.outer(x_hat[:, i], x_hat[:, i])).max()
        assert_within(M, printed, rounding(6, batch.dtype) * size)
        assert_within(mixed[:, i], printed @ centered(wide(batch.delta))[:, i], 2 * bound[i])
        kappa = batch.kappa[i]
        wanted = np.array([0.0, 1 - kappa, *[1.0] * (M_B - 2)])
        allowed = 4 * batch.mix_bound(batch.x)[i] * M_B
        assert_within(np.linalg.eigvalsh(wide(M)), np.sort(wanted), allowed)
        assert_within(sample_space.mixing_eigenvalues(own), wanted, allowed, batch.dtype)
        # A projector of rank M_B − 2, or else M² − M has the eigenvalue κ(κ − 1).
        square = np.linalg.norm(wide(M) @ wide(M) - wide(M), 2)
        assert_within(square, kappa * (1 - kappa), 2 * allowed)


@given(case=layers(n_prev=3))
def test_S20_matrix_form(case):
    """∂C/∂W = (γ/s) Δ·M·u, neuron by neuron."""
    batch = case.batch
    truth, x_hat = true_weight_gradient(case, batch), wide(batch.normalized.x_hat)
    delta, u = centered(wide(case.delta)), centered(wide(case.u_prev))
    got = [
        gamma / s * delta[:, i] @ sample_space.mixing_matrix(x_hat[:, i]) @ u
        for i, (gamma, s) in enumerate(zip(wide(case.gamma), batch.s, strict=True))
    ]
    assert_within(np.array(got), truth, 2 * case.weight_bound())


@given(case=layers(n_prev=1, n=1, eps=ZERO))
def test_S21_S22_one_neuron(case):
    """x̂ = sign(W) û, and σ(u) = σ(x)/|W|."""
    batch, sign = case.batch, np.sign(case.W[0, 0])
    bound = 2 * (batch.hat_bound() + standardized_bound(case.u_prev))
    assume((bound < 0.01).all())
    assert_within(batch.normalized.x_hat, sign * hat(wide(case.u_prev)), bound, batch.dtype)
    ours = geometry.standardize(case.u_prev)
    assert_within(batch.normalized.x_hat, sign * ours, bound)
    sigma = std(wide(case.u_prev))
    assert_within(batch.normalized.std / abs(wide(case.W[0])), sigma, 2 * sigma * bound)


@given(batch=batches())
def test_S23_S28_length_of_x_hat(batch):
    """Σ x̂ = 0 and Σ x̂² = κ M_B; a standardized column has the length √M_B for every ε."""
    x_hat, bound = wide(batch.normalized.x_hat), batch.M_B * batch.hat_bound()
    assert_within(x_hat.sum(axis=0), np.zeros(len(bound)), bound)
    largest = np.abs(x_hat).max(axis=0)
    squares = batch.M_B * batch.kappa
    assert_within((x_hat**2).sum(axis=0), squares, 4 * bound * (largest + batch.hat_bound()))
    got, bound = geometry.standardize(batch.x), standardized_bound(batch.x)
    assert_within(got, hat(wide(batch.x)), 2 * bound, batch.dtype)
    heaviest = spread(batch.x) / batch._replace(eps=0.0).s
    squares = (wide(got) ** 2).sum(axis=0)
    assert_within(squares, np.full(len(bound), batch.M_B), 4 * batch.M_B * bound * heaviest)


@given(case=layers(n_prev=1, n=1))
def test_S24_rest_of_Mu(case):
    """M u = ũ ε/(W²σ̃² + ε), which is 0 at ε = 0; and ∂y/∂W = γ ε ũ/s³."""
    batch, u, W = case.batch, wide(case.u_prev), float(case.W[0, 0])
    truth = centered(u) * case.eps / (W**2 * std(u) ** 2 + case.eps)
    got = sample_space.mix(batch.normalized.x_hat, case.u_prev)
    bound = 2 * spread(case.u_prev) * batch.mix_bound(case.u_prev)
    assert_within(got, truth, bound, batch.dtype)
    closed = sample_space.single_neuron_residual(case.u_prev, case.W[0], case.eps)
    # No cancellation: every factor is a sum of positive numbers.
    tight = (
        4
        * spread(case.u_prev)
        * (rounding(4 * batch.M_B + 24, batch.dtype))
        * (1 + rounding(batch.M_B, batch.dtype) * np.abs(u).max() / spread(case.u_prev))
    )
    assert_within(closed, truth, tight, batch.dtype)
    if case.eps == 0:
        np.testing.assert_array_equal(closed, 0)
    slope = check.complex_step(lambda W: batch.y(x=u @ W.T), case.W)[:, :, 0, 0]
    jacobian = batchnorm.weight_jacobian(case.u_prev, batch.normalized, case.gamma)[:, :, 0]
    assert_within(slope, wide(case.gamma) / batch.s * truth, batch.scale * bound)
    assert_within(jacobian, slope, 2 * batch.scale * bound, batch.dtype)


@given(case=layers())
def test_S24_scale_invariance(case):
    """Its several-neuron form: Σ_j W_ij ∂C/∂W_ij = γ_i ε/s_i² · ∂C/∂γ_i."""
    batch = case.batch
    gradient = batchnorm.weight_gradient(case.delta, case.u_prev, batch.normalized, case.gamma)
    along = (wide(case.W) * wide(gradient)).sum(axis=1)
    closed = sample_space.radial_weight_gradient(
        batchnorm.gamma_gradient(case.delta, batch.normalized),
        case.gamma,
        batch.normalized.std,
        case.eps,
    )
    bound = (np.abs(wide(case.W)) * case.weight_bound()).sum(axis=1)
    truth = check.complex_step(
        lambda t: batch.centered_cost(x=wide(batch.x) * t), np.ones(len(case.gamma))
    )
    # The truth goes along x as it was rounded.
    rounded = batch.scale * spread(case.delta) * batch.noise * (1 + spread(batch.x) / batch.s) ** 2
    assert_within(along, truth, 2 * bound + batch.M_B * rounded)
    own = batch.M_B * batch.error_bound() * spread(batch.x)
    assert_within(closed, truth, own * (1 + rounding(4, batch.dtype)), batch.dtype)
    if case.eps == 0:
        np.testing.assert_array_equal(closed, 0)


@given(case=layers())
def test_S25_several_neurons(case):
    """x_si = Σ_j W_ij u_sj, index by index; each neuron has the statistics of its own."""
    batch = case.batch
    for i in range(len(case.W)):
        x = sum(wide(case.W)[i, j] * wide(case.u_prev)[:, j] for j in range(case.W.shape[1]))
        assert_within(batch.x[:, i], x, batch.noise[i], batch.dtype)
        alone = batchnorm.forward(batch.x[:, [i]], case.gamma[[i]], case.beta[[i]], case.eps)[0][
            :, 0
        ]
        together = batchnorm.forward(batch.x, case.gamma, case.beta, case.eps)[0][:, i]
        bound = np.abs(wide(case.gamma))[i] * 2 * batch.hat_bound()[i]
        size = bound + rounding(4, batch.dtype) * np.abs(wide(case.beta))[i]
        assert_within(together, wide(alone), size + bound)


@given(batch=batches())
def test_S26_no_kernel_across_neurons(batch):
    """∂y_si/∂x_tj is 0 for i ≠ j, and the kernel of neuron i is that of a layer of its own."""
    truth = check.complex_step(
        lambda x: batchnorm.forward(x, batch.gamma, batch.beta, batch.eps)[0], batch.x
    )
    bound = 4 * batch.scale * batch.mix_bound(batch.x)
    kernel = batchnorm.kernel(batch.normalized, batch.gamma)
    for i in range(len(batch.gamma)):
        assert_within(kernel[:, :, i], truth[:, i, :, i], bound[i])
        for j in set(range(len(batch.gamma))) - {i}:
            np.testing.assert_array_equal(truth[:, i, :, j], 0)


@given(case=layers())
def test_S27_covariances(case):
    """M_B γ/s (⟨Δu⟩ − ⟨Δ⟩⟨u⟩ − ⟨Δx̂⟩⟨ux̂⟩), as printed: the bound knows what cancels."""
    batch, M_B = case.batch, len(case.delta)
    delta, u, x_hat = wide(case.delta), wide(case.u_prev), hat(wide(batch.x), case.eps)
    bracket = (
        delta.T @ u / M_B
        - np.outer(delta.mean(axis=0), u.mean(axis=0))
        - (delta * x_hat).mean(axis=0)[:, np.newaxis] * (x_hat.T @ u / M_B)
    )
    printed = M_B * (wide(case.gamma) / batch.s)[:, np.newaxis] * bracket
    got = batchnorm.weight_gradient(case.delta, case.u_prev, batch.normalized, case.gamma)
    largest = 1 + np.abs(x_hat).max(axis=0) ** 2
    cancelled = np.outer(largest * np.abs(delta).max(axis=0), np.abs(u).max(axis=0))
    k = 2 * M_B * rounding(4 * M_B + 24, float) * batch.scale[:, np.newaxis]
    # x̂ is rounded in its mean too, which meets the means of Δ and of u.
    bound = case.weight_bound() + k * cancelled * (1 + np.abs(x_hat).max())
    assert_within(printed, wide(got), bound)
