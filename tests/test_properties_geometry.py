"""The identities of section 3 of the ledger from (4) to S35: both gradients as angles."""

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from properties import (
    assert_within,
    batches,
    centered,
    hat,
    layers,
    per_neuron,
    rounding,
    spread,
    standardized_bound,
    std,
    true_weight_gradient,
    wide,
)

from bnnotes import baseline, batchnorm, check, geometry, sample_space

ZERO = st.just(0.0)


def corr(a, b):
    """Corr(a_i, b_j) of all columns, in wide numbers."""
    return hat(wide(a)).T @ hat(wide(b)) / len(a)


def amplitude(case, batch):
    """M_B γ σ(Δ)σ(u)/ς of every weight."""
    per_column = batch.M_B * wide(case.gamma) * std(wide(case.delta)) / batch.s
    return np.outer(per_column, std(wide(case.u_prev)))


def angle_bound(case, batch):
    """Bound of the error of the bracket of (4) and (5): three cosines, κ, and the amplitude."""
    of_x = standardized_bound(batch.x, batch.noise)[:, np.newaxis]
    of_delta = standardized_bound(case.delta)[:, np.newaxis]
    each = of_x + of_delta + standardized_bound(case.u_prev)
    assume((each < 0.01).all())
    return 2 * np.abs(amplitude(case, batch)) * (12 * each + rounding(20, batch.dtype))


@given(case=layers())
def test_eq4_correlations(case):
    """M_B γ σ(Δ)σ(u)/ς (Corr(Δ, u) − ⟨Δ̂x̂⟩⟨ûx̂⟩) with BN's own x̂, whatever ε."""
    batch, bound = case.batch, angle_bound(case, case.batch)
    truth, x_hat = true_weight_gradient(case, batch), hat(wide(batch.x), case.eps)
    own = np.stack(
        [geometry.correlation(case.delta[:, [i]], case.u_prev) for i in range(len(case.W))]
    )
    assert own.dtype == batch.dtype
    of_delta = (hat(wide(case.delta)) * x_hat).mean(axis=0)[:, np.newaxis]
    bracket = wide(own) - of_delta * (x_hat.T @ hat(wide(case.u_prev)) / batch.M_B)
    assert_within(amplitude(case, batch) * bracket, truth, bound + case.weight_bound())


@given(case=layers())
def test_eq5_BN_angles(case):
    """M_B γ σ(Δ)σ(u)/s [cosθ3 − κ cosθ1 cosθ2] is ∂C/∂W."""
    batch = case.batch
    got = geometry.weight_gradient(case.delta, case.u_prev, batch.normalized, case.gamma)
    bound = angle_bound(case, batch)
    assert_within(got, true_weight_gradient(case, batch), bound + case.weight_bound(), batch.dtype)


@given(case=layers())
def test_eq5_BL_angles(case):
    """M_B σ(Δ)σ(u) cosθ3 + M_B ⟨Δ⟩⟨u⟩ is Σ_s Δ_s u_s."""
    truth = wide(case.delta).T @ wide(case.u_prev)
    got = geometry.baseline_weight_gradient(case.delta, case.u_prev)
    varying = len(case.delta) * np.outer(std(wide(case.delta)), std(wide(case.u_prev)))
    each = standardized_bound(case.delta)[:, np.newaxis] + standardized_bound(case.u_prev)
    assume((each < 0.01).all())
    k = rounding(4 * len(case.delta) + 24, case.W.dtype)
    added = np.abs(wide(case.delta)).T @ np.abs(wide(case.u_prev))
    largest = np.outer(
        np.abs(wide(case.delta)).max(axis=0), np.abs(wide(case.u_prev)).max(axis=0)
    ) * len(case.delta)
    bound = varying * (8 * each + k) + k * (added + largest)
    assert_within(got, truth, bound, case.W.dtype)
    assert_within(baseline.weight_gradient(case.delta, case.u_prev), truth, k * added)


@given(case=layers(eps=ZERO), power=st.integers(-20, 20), a=st.floats(0.1, 10))
def test_S29_amplitude(case, power, a):
    """∂C/∂W goes like σ(Δ)σ(u)/σ(x): all of u times c changes nothing, W times c divides by c."""

    def gradient(case):
        batch = case.batch
        return batchnorm.weight_gradient(case.delta, case.u_prev, batch.normalized, case.gamma)

    before = gradient(case)
    # Powers of two round nothing: these hold to the last digit.
    c = np.asarray(2.0**power, case.W.dtype)
    np.testing.assert_array_equal(gradient(case._replace(u_prev=c * case.u_prev)), before)
    np.testing.assert_array_equal(gradient(case._replace(W=c * case.W)), before / c)
    # −W turns x̂ and y round; with the same Δ that is no other gradient.
    np.testing.assert_array_equal(gradient(case._replace(W=-case.W)), before)
    np.testing.assert_array_equal(gradient(case._replace(delta=c * case.delta)), c * before)
    a = np.asarray(a, case.W.dtype)
    scaled = case._replace(W=a * case.W)
    assert_within(gradient(scaled), wide(before) / a, 2 * case.weight_bound() / a, case.W.dtype)
    # One neuron's own σ(u) counts where σ(x) stays: undo it in its weights.
    only = np.ones(case.W.shape[1], case.W.dtype)
    only[0] = c
    one = case._replace(u_prev=case.u_prev * only, W=case.W / only)
    np.testing.assert_array_equal(gradient(one), before * only)


@given(case=layers(smallest=3))
def test_S30_baseline_stops(case):
    """Without correlation the baseline's gradient is M_B⟨Δ⟩⟨u⟩: 0 if one of the means is."""
    u_hat = hat(wide(case.u_prev[:, [0]]))
    away = centered(wide(case.delta))
    away = away - u_hat * (u_hat * away).mean(axis=0)
    size = spread(case.delta) + 0 * away
    mean = wide(case.gamma)
    got = geometry.sigma(away)
    assume((got > 1e-3 * spread(case.delta)).all())
    u = wide(case.u_prev[:, [0]])
    k = len(u) * rounding(8 * len(u) + 24, float) * (1 + spread(u_hat)) ** 2
    for offset in (0 * mean, mean):
        truth = len(u) * np.outer(offset, u.mean(axis=0))
        added = np.outer(size.max(axis=0) + np.abs(offset), np.abs(u).max(axis=0))
        for f in (baseline.weight_gradient, geometry.baseline_weight_gradient):
            # The angle sees Δ through its length, so what rounds is relative to that.
            assert_within(f(away + offset, u), truth, 1e3 * k * added)


def aligned(batch, length):
    """Δ = ⟨Δ⟩ + length·x̂ of every neuron."""
    mean = wide(batch.delta).mean(axis=0)
    scale = length * spread(batch.delta) / spread(batch.x)
    return (mean + scale * centered(wide(batch.x))).astype(batch.dtype)


@given(case=layers(dtypes=st.just(np.float64)), sign=st.sampled_from([-1, 1]))
def test_S31_sin_theta1_is_zero(case, sign):
    """Δ̂ = ±x̂: W rests at ε = 0, else (1 − κ) cosθ1 cosθ2 is left; and γ learns."""
    batch = case.batch
    delta = aligned(batch, sign)
    batch, case = batch._replace(delta=delta), case._replace(delta=delta)
    assume((spread(delta) > 0).all() and (standardized_bound(delta) < 0.01).all())
    wanted = (1 - batch.kappa)[:, np.newaxis] * sign * corr(batch.x, case.u_prev)
    wanted = amplitude(case, batch) * wanted
    if case.eps == 0:
        wanted = 0 * wanted
    # Δ is rounded when it is made, relative to its largest entry.
    made = standardized_bound(delta) + rounding(4, float) * np.abs(delta).max(axis=0) / std(delta)
    made = made * 4 * (1 + spread(batch.x) / std(wide(batch.x)))
    made = np.abs(amplitude(case, batch)) * made[:, np.newaxis]
    bound = case.weight_bound() + made
    got = batchnorm.weight_gradient(delta, case.u_prev, batch.normalized, case.gamma)
    assert_within(got, wanted, bound)
    bound = bound + angle_bound(case, batch)
    got = geometry.weight_gradient(delta, case.u_prev, batch.normalized, case.gamma)
    assert_within(got, wanted, bound)
    gamma_gradient = batchnorm.gamma_gradient(delta, batch.normalized)
    assert (np.sign(gamma_gradient) == sign).all()


@given(batch=batches(smallest=4, n=1, eps=ZERO, dtypes=st.just(np.float64)), data=st.data())
def test_S32_S51_sin_theta2_is_zero(batch, data):
    """û = ±x̂ stops W too, and so does φ = 90°: MΔ ⟂ Mu, with both sines far from 0."""
    normalized, gamma = batch.normalized, batch.gamma
    c, offset = data.draw(per_neuron(2, np.float64, zero=False))
    along = c * wide(normalized.x_hat) + offset
    size = 8 * batch.scale * batch.M_B * spread(batch.delta)
    k = size * batch.mix_bound(batch.delta)
    assume((spread(along) > 1e-6 * np.abs(along).max()).all())
    got = batchnorm.weight_gradient(batch.delta, along, normalized, gamma)
    # û is rounded when it is made, relative to its largest entry.
    made = rounding(2, float) * np.abs(along).max() * (1 + spread(batch.x) / batch.s) ** 2
    assert_within(got, 0 * got, k * spread(along) + size * made)
    # φ = 90°: take from Mu its part along MΔ.
    across = sample_space.mix(normalized.x_hat, batch.delta)
    v = np.random.default_rng(batch.M_B).standard_normal((batch.M_B, 1))
    rest = sample_space.mix(normalized.x_hat, v)
    assume((geometry.sigma(across) > 1e-2 * geometry.sigma(batch.delta)).all())
    rest = rest - across * (across * rest).sum() / (across**2).sum()
    u = rest + 0.5 * wide(normalized.x_hat)
    assume((geometry.sigma(rest) > 1e-2).all())
    got = batchnorm.weight_gradient(batch.delta, u, normalized, gamma)
    assert_within(got, 0 * got, 1e2 * k * spread(u))
    angles = geometry.sample_angles(batch.delta, u, normalized.x_hat)
    reach = 1e4 * (standardized_bound(batch.delta) + batch.hat_bound())
    assert_within(angles.dihedral, np.full((1, 1), np.pi / 2), reach)


@given(case=layers(), data=st.data())
def test_S33_aligned_neurons(case, data):
    """û_k ∥ û_j: their gradients stand in the ratio σ_k/σ_j, with its sign."""
    a = 2.0 ** data.draw(st.integers(-10, 10)) * data.draw(st.sampled_from([-1, 1]))
    batch = case.batch
    a = np.asarray(a, batch.dtype)
    u = np.column_stack([case.u_prev[:, 0], a * case.u_prev[:, 0]])
    got = batchnorm.weight_gradient(case.delta, u, batch.normalized, case.gamma)
    np.testing.assert_array_equal(got[:, 1], a * got[:, 0])
    # A shift is not seen either, but rounds.
    shifted = case.u_prev[:, [0]] + spread(case.u_prev)[0].astype(batch.dtype)
    got = batchnorm.weight_gradient(case.delta, shifted, batch.normalized, case.gamma)
    before = batchnorm.weight_gradient(case.delta, u[:, [0]], batch.normalized, case.gamma)
    size = batch.M_B * batch.scale * spread(case.delta) * (1 + spread(batch.x) / batch.s) ** 2
    rounded = 2 * rounding(2, batch.dtype) * np.abs(wide(shifted)).max() * size[:, np.newaxis]
    assert_within(got, wide(before), 2 * case.weight_bound()[:, [0]] + rounded)


@given(batch=batches())
def test_S34_eq6_gamma_gradient(batch):
    """∂C/∂γ = √κ σ(Δ) M_B cosθ1 = √κ σ(Δ) M_B Corr(Δ̂, x̂)."""
    truth = check.complex_step(lambda gamma: batch.centered_cost(gamma=gamma), batch.gamma)
    each = standardized_bound(batch.delta) + standardized_bound(batch.x)
    assume((each < 0.01).all())
    size = batch.M_B * std(wide(batch.delta)) * np.sqrt(batch.kappa)
    bound = 16 * size * (each + rounding(20, batch.dtype))
    got = geometry.gamma_gradient(batch.delta, batch.normalized)
    assert_within(got, truth, bound, batch.dtype)
    correlation = geometry.correlation(batch.delta, batch.normalized.x_hat)
    assert_within(size * wide(correlation), truth, bound)


@given(batch=batches(smallest=3, dtypes=st.just(np.float64)))
def test_S35_S53_gamma_stays(batch):
    """No correlation of Δ and x: ∂C/∂γ = 0."""
    x_hat = hat(wide(batch.x))
    delta = centered(wide(batch.delta))
    delta = delta - x_hat * (x_hat * delta).mean(axis=0)
    bound = 8 * batch.M_B * spread(batch.delta) * batch.mix_bound(batch.delta)
    got = batchnorm.gamma_gradient(delta, batch.normalized)
    assert_within(got, 0 * got, bound)
