"""The identities of section 2 of the ledger, for random layers of any size, scale and dtype."""

import numpy as np
from hypothesis import given
from properties import (
    assert_within,
    batches,
    centered,
    hat,
    layers,
    rounding,
    spread,
    std,
    true_input_error,
    true_previous_error,
    true_weight_gradient,
    wide,
)

from bnnotes import baseline, batchnorm, check


@given(case=layers())
def test_S10_S11_forward(case):
    """x, x̂, y from W and u; a constant added to x is taken out again."""
    batch = case.batch
    x = wide(case.u_prev) @ wide(case.W).T
    got = baseline.affine(case.u_prev, case.W, np.zeros_like(case.gamma))
    assert_within(got, x, batch.noise, batch.dtype)
    y, normalized = batchnorm.forward(batch.x, case.gamma, case.beta, case.eps)
    bound = 2 * batch.hat_bound()
    assert_within(normalized.x_hat, hat(x, case.eps), bound, batch.dtype)
    size = np.abs(wide(case.gamma)) * np.abs(hat(x, case.eps)) + np.abs(wide(case.beta))
    bound = np.abs(wide(case.gamma)) * bound + rounding(4, batch.dtype) * size
    assert_within(y, batch.y(x=x), bound, batch.dtype)
    # The dead bias: its gradient is the sum of ∂C/∂x over the samples.
    total = batchnorm.input_error(case.delta, normalized, case.gamma).sum(axis=0)
    assert_within(total, 0 * total, batch.M_B * batch.error_bound())


@given(case=layers())
def test_eq1_weight_gradient(case):
    """∂C/∂W = Σ_s Δ_s ∂y_s/∂W, the printed bracket and the function."""
    batch = case.batch
    truth, bound = true_weight_gradient(case, batch), case.weight_bound()
    normalized = batch.normalized
    got = batchnorm.weight_gradient(case.delta, case.u_prev, normalized, case.gamma)
    assert_within(got, truth, bound, batch.dtype)
    jacobian = batchnorm.weight_jacobian(case.u_prev, normalized, case.gamma)
    printed = np.einsum("si,sij->ij", wide(case.delta), wide(jacobian))
    # Summed with Δ as it is, not centered.
    size = batch.M_B * np.outer(batch.scale * np.abs(wide(case.delta)).max(axis=0), np.ones(1))
    extra = 2 * size * batch.mix_bound(batch.x)[:, np.newaxis] * spread(case.u_prev)
    assert_within(printed, truth, bound + extra)


@given(case=layers())
def test_eq2_S46_previous_error(case):
    """Δ^l from Δ^{l+1}: Wᵀ, and l + 1 on γ, σ and x̂."""
    batch = case.batch
    truth = true_previous_error(case, batch)
    got = batchnorm.previous_error(case.delta, case.W, batch.normalized, case.gamma, case.g_prime)
    assert_within(got, truth, case.previous_bound(), batch.dtype)


@given(batch=batches())
def test_eq2_input_error(batch):
    """The bracket of (2) alone: ∂C/∂x = (γ/s) M Δ, for x of any mean."""
    got = batchnorm.backward(batch.delta, batch.normalized, batch.gamma).x
    assert_within(got, true_input_error(batch), batch.error_bound(), batch.dtype)


@given(batch=batches())
def test_S12_beta_gradient(batch):
    """∂C/∂β = Σ_s Δ_s."""
    truth = check.complex_step(lambda beta: batch.cost(beta=beta), batch.beta)
    bound = 2 * rounding(batch.M_B + 4, batch.dtype) * np.abs(wide(batch.delta)).sum(axis=0)
    assert_within(batchnorm.beta_gradient(batch.delta), truth, bound, batch.dtype)
    got = batchnorm.backward(batch.delta, batch.normalized, batch.gamma).beta
    assert_within(got, truth, bound, batch.dtype)


@given(batch=batches())
def test_S13_gamma_gradient(batch):
    """∂C/∂γ = Σ_s Δ_s x̂_s; the mean of Δ adds nothing, since x̂ has none."""
    truth = check.complex_step(lambda gamma: batch.centered_cost(gamma=gamma), batch.gamma)
    bound = 2 * batch.M_B * spread(batch.delta) * batch.mix_bound(batch.delta)
    got = batchnorm.gamma_gradient(batch.delta, batch.normalized)
    assert_within(got, truth, bound, batch.dtype)
    got = batchnorm.backward(batch.delta, batch.normalized, batch.gamma).gamma
    assert_within(got, truth, bound, batch.dtype)


@given(batch=batches())
def test_S14_boundary(batch):
    """Behind BN too Δ^L = ∂C/∂u · g'(y), here for Σ u²/2; the logits of any batch have mean β."""
    y = batch.y()
    truth = check.complex_step(lambda y: (np.tanh(y) ** 2).sum() / 2, y)
    u = np.tanh(y)
    got = baseline.boundary_error(u, (1 - u) * (1 + u))
    assert_within(got, truth, rounding(32, float))
    ours, _ = batchnorm.forward(batch.x, batch.gamma, batch.beta, batch.eps)
    size = np.abs(wide(batch.gamma)) * np.abs(hat(wide(batch.x), batch.eps)).max(axis=0)
    bound = np.abs(wide(batch.gamma)) * batch.hat_bound()
    bound = bound + rounding(batch.M_B + 6, batch.dtype) * (size + np.abs(wide(batch.beta)))
    assert_within(wide(ours).mean(axis=0), wide(batch.beta), bound)


@given(batch=batches())
def test_S15_derivative_of_the_variance(batch):
    """∂σ²/∂x = 2 (x − μ)/M_B, through the function that computes it."""
    truth = check.complex_step(lambda x: batchnorm.normalize(x, batch.eps).std ** 2, batch.x)
    x_hat, _, s = batch.normalized
    got = 2 / batch.M_B * s * x_hat
    assert got.dtype == batch.dtype
    bound = 4 / batch.M_B * batch.s * batch.hat_bound()
    for i in range(len(s)):
        assert_within(got[:, i], truth[i, :, i], bound[i])


@given(batch=batches())
def test_eq3_kernel(batch):
    """∂y_s/∂x_t for all s and t."""
    truth = check.complex_step(lambda x: batch.y(x=x), batch.x)
    got = batchnorm.kernel(batch.normalized, batch.gamma)
    # The columns of M are M applied to unit vectors, of spread 1 and near zero.
    bound = 4 * batch.scale * batch.mix_bound(batch.x)
    for i in range(len(batch.gamma)):
        assert_within(got[:, :, i], truth[:, i, :, i], bound[i], batch.dtype)


@given(case=layers(n_prev=1, n=1))
def test_S16_S17_one_neuron(case):
    """The chain rule sample by sample, and what it becomes with the kernel plugged in."""
    batch = case.batch
    truth, bound = true_previous_error(case, batch), case.previous_bound()
    kernel = wide(batchnorm.kernel(batch.normalized, case.gamma))[:, :, 0]
    W, delta, g_prime = float(case.W[0, 0]), wide(case.delta)[:, 0], wide(case.g_prime)[:, 0]
    chain = [
        sum(delta[t] * kernel[t, s] for t in range(batch.M_B)) * W * g_prime[s]
        for s in range(batch.M_B)
    ]
    # Δ is not centered before it is summed up.
    size = np.abs(delta).sum() * batch.scale * abs(W) * np.abs(wide(case.g_prime))
    extra = 4 * size * batch.mix_bound(batch.x)
    assert_within(np.array(chain)[:, np.newaxis], truth, bound + extra)
    x_hat, s = hat(wide(batch.x), case.eps)[:, 0], batch.s[0]
    bracket = delta - delta.mean() - x_hat * (delta * x_hat).mean()
    plugged = float(case.gamma[0]) * W * g_prime / s * bracket
    assert_within(plugged[:, np.newaxis], truth, bound + extra)


@given(case=layers())
def test_S18_S19_weight_jacobian(case):
    """∂y_sk/∂W_ij has three indices and a δ_ik, and is the kernel applied to u."""
    batch = case.batch
    truth = check.complex_step(lambda W: batch.y(x=wide(case.u_prev) @ W.T), case.W)
    got = batchnorm.weight_jacobian(case.u_prev, batch.normalized, case.gamma)
    assert got.shape == (batch.M_B, *case.W.shape)
    kernel = wide(batchnorm.kernel(batch.normalized, case.gamma))
    through = np.einsum("sti,tj->sij", kernel, centered(wide(case.u_prev)))
    far = batch.mix_bound(batch.x)[:, np.newaxis] * (
        1
        + rounding(batch.M_B, batch.dtype)
        * np.abs(wide(case.u_prev)).max(axis=0)
        / spread(case.u_prev)
    )
    bound = 2 * batch.M_B * batch.scale[:, np.newaxis] * far * spread(case.u_prev)
    for i in range(len(case.W)):
        assert_within(got[:, i], truth[:, i, i], bound[i], batch.dtype)
        assert_within(through[:, i], truth[:, i, i], bound[i])
        for k in set(range(len(case.W))) - {i}:
            np.testing.assert_array_equal(truth[:, i, k], 0)


@given(batch=batches(smallest=3))
def test_S40_S45_mixing(batch):
    """One sample moves the others by −γ/(s M_B)·(1 + x̂_s x̂_t), and none without BN."""
    kernel = wide(batchnorm.kernel(batch.normalized, batch.gamma))
    x_hat, bound = hat(wide(batch.x), batch.eps), 4 * batch.scale * batch.mix_bound(batch.x)
    off = ~np.eye(batch.M_B, dtype=bool)
    for i, gamma in enumerate(wide(batch.gamma)):
        wanted = -gamma / (batch.s[i] * batch.M_B) * (1 + np.outer(x_hat[:, i], x_hat[:, i]))
        assert_within(kernel[:, :, i][off], wanted[off], bound[i])
        diagonal = wanted + gamma / std(wide(batch.x), batch.eps)[i]
        assert_within(kernel[:, :, i][~off], diagonal[~off], bound[i])
    without = check.complex_step(
        lambda x: baseline.affine(x, np.diag(wide(batch.gamma)), wide(batch.beta)), batch.x
    )
    without = np.moveaxis(without, 1, 2)
    np.testing.assert_array_equal(without[off], 0)
