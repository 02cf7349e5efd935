"""The identities of section 3 of the ledger from S36 on: what a node sends back."""

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
    true_input_error,
    true_previous_error,
    wide,
)

from bnnotes import batchnorm, propagation


def angle_bound(batch):
    """Bound of the error of σ(Δ)[Δ̂ − √κ cosθ1 x̂], of each column."""
    each = standardized_bound(batch.delta) + standardized_bound(batch.x, batch.noise)
    assume((each < 0.01).all())
    heaviest = 1 + spread(batch.x) / std(wide(batch.x))
    k = rounding(20, batch.dtype)
    return std(wide(batch.delta)) * heaviest * (8 * each + k)


@given(case=layers())
def test_S36_five_lines(case):
    """The kernel between samples and neurons, the averages, and the hatted vectors."""
    batch = case.batch
    truth, bound = true_previous_error(case, batch), 2 * case.previous_bound()
    g_prime, W = wide(case.g_prime), wide(case.W)
    delta, x_hat = centered(wide(case.delta)), hat(wide(batch.x), case.eps)
    kernel = wide(batchnorm.kernel(batch.normalized, case.gamma))
    second = g_prime * np.einsum("tk,ki,tsk->si", delta, W, kernel)
    # Its sum over t has M_B terms where `mix` has one difference.
    assert_within(second, truth, batch.M_B * bound)
    scale = wide(case.gamma) / batch.s
    fourth = g_prime * ((scale * (delta - x_hat * (delta * x_hat).mean(axis=0))) @ W)
    assert_within(fourth, truth, bound)
    delta_hat, sigma = hat(wide(case.delta)), std(wide(case.delta))
    bracket = delta_hat - x_hat * (delta_hat * x_hat).mean(axis=0)
    fifth = g_prime * ((scale * sigma * bracket) @ W)
    assert_within(fifth, truth, bound)


@given(case=layers())
def test_S37_from_angles(case):
    """g' ⊙ Σ_k W_ki γ_k/s_k σ(Δ_k) (Δ̂_k − √κ_k cosθ1_k x̂_k)."""
    batch = case.batch
    got = propagation.previous_error_from_angles(
        case.delta, case.W, batch.normalized, case.gamma, case.g_prime
    )
    sent = 2 * batch.scale * angle_bound(batch)
    bound = np.abs(wide(case.g_prime)) * (sent @ np.abs(wide(case.W)))
    bound = bound + case.previous_bound()
    assert_within(got, true_previous_error(case, batch), bound, batch.dtype)


@given(batch=batches(dtypes=st.just(np.float64)), sign=st.sampled_from([-1, 1]))
def test_S38_silence(batch, sign):
    """Δ̂ = ±x̂: a node sends back the part 1 − κ of its error, nothing at ε = 0."""
    centered_x = centered(wide(batch.x))
    delta = sign * spread(batch.delta) / spread(batch.x) * centered_x
    delta = delta + wide(batch.delta).mean(axis=0)
    assume((standardized_bound(delta) < 0.01).all())
    batch = batch._replace(delta=delta)
    length = std(delta) * np.sqrt(batch.M_B)
    # Δ is rounded when it is made, relative to its largest entry; of sinθ1 nothing else is left.
    made = rounding(4, float) * np.abs(delta).max(axis=0) * np.sqrt(batch.M_B)
    bound = 16 * (length * (standardized_bound(delta) + standardized_bound(batch.x)) + made)
    got = propagation.node_magnitude(delta, batch.normalized)
    assert_within(got, (1 - batch.kappa) * length, bound)
    mixed = batchnorm.input_error(delta, batch.normalized, np.ones_like(batch.gamma)) * batch.s
    assert_within(np.linalg.norm(mixed, axis=0), (1 - batch.kappa) * length, bound)


@given(batch=batches())
def test_S39_magnitude(batch):
    """|M Δ| = σ(Δ)√M_B √(1 − κ(2 − κ)cos²θ1), from the true ∂C/∂x."""
    unit = batch._replace(gamma=np.ones_like(batch.gamma))
    truth = true_input_error(unit) * unit.s
    each = 16 * angle_bound(batch) + spread(batch.delta) * batch.mix_bound(batch.delta)
    bound = np.sqrt(batch.M_B) * each
    got = propagation.node_magnitude(batch.delta, batch.normalized)
    assert_within(got, np.linalg.norm(truth, axis=0), bound, batch.dtype)
    cos = (hat(wide(batch.delta)) * hat(wide(batch.x))).mean(axis=0)
    squares = (
        batch.M_B * std(wide(batch.delta)) ** 2 * (1 - batch.kappa * (2 - batch.kappa) * cos**2)
    )
    largest = np.sqrt(batch.M_B) * std(wide(batch.delta))
    assert_within(wide(got) ** 2, squares, bound * (4 * largest + bound))
    # 90° is the most that any angle sends; ε only adds to the rest.
    assert (got <= largest + bound).all()


@given(
    batch=batches(smallest=3, dtypes=st.just(np.float64)),
    theta=st.lists(st.floats(0, np.pi), min_size=3, max_size=3),
)
def test_S39_turned(batch, theta):
    """Turned to θ1, a node sends σ(Δ)√M_B √(sin²θ1 + (1 − κ)² cos²θ1)."""
    theta = np.array(theta[: len(batch.gamma)])
    rest = centered(batch.delta)
    x_hat = hat(batch.x)
    rest = rest - x_hat * (x_hat * rest).mean(axis=0)
    assume((std(rest) > 1e-3 * std(batch.delta)).all())
    delta = propagation.turned(batch.delta, batch.normalized, theta)
    largest = std(batch.delta) * np.sqrt(batch.M_B)
    # The direction of M Δ is as exact as M Δ beside its length; Δ is rounded when it is made.
    direction = spread(batch.delta) / std(rest) * batch.mix_bound(batch.delta)
    each = direction + standardized_bound(batch.delta) + standardized_bound(batch.x)
    made = rounding(batch.M_B + 8, float) * np.abs(batch.delta).max(axis=0)
    bound = 16 * (largest * each + np.sqrt(batch.M_B) * made)
    assert_within(delta.mean(axis=0), batch.delta.mean(axis=0), bound)
    assert_within(std(delta), std(batch.delta), bound)
    wanted = largest * np.hypot(np.sin(theta), (1 - batch.kappa) * np.cos(theta))
    assert_within(propagation.node_magnitude(delta, batch.normalized), wanted, bound)
