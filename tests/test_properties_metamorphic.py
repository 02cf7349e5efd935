"""Relations between two results: what a change of the input must do, and what it must not."""

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from properties import (
    DTYPES,
    M_BS,
    Batch,
    assert_within,
    batches,
    centered,
    columns,
    hat,
    layers,
    per_neuron,
    rounding,
    spread,
    std,
    wide,
)

from bnnotes import batchnorm, network, sample_space


def gradients(batch, normalized=None):
    """∂C/∂x, ∂C/∂γ, ∂C/∂β of the package, in wide numbers."""
    normalized = batch.normalized if normalized is None else normalized
    return tuple(map(wide, batchnorm.backward(batch.delta, normalized, batch.gamma)))


def bounds(batch):
    """Bounds of the errors of these three."""
    sums = 2 * batch.M_B * spread(batch.delta) * batch.mix_bound(batch.delta)
    beta = rounding(batch.M_B + 4, batch.dtype) * np.abs(wide(batch.delta)).sum(axis=0)
    return batch.error_bound(), sums, 2 * beta


def reordered(batch, order):
    return batch._replace(x=batch.x[order], delta=batch.delta[order])


@given(batch=batches(), seed=st.integers(0, 99))
def test_permuted_samples_give_permuted_errors(batch, seed):
    """∂C/∂x moves along; γ and β do not see the order."""
    order = np.random.default_rng(seed).permutation(batch.M_B)
    before, after = gradients(batch), gradients(reordered(batch, order))
    for one, other, bound in zip(
        (before[0][order], *before[1:]), after, bounds(batch), strict=True
    ):
        assert_within(other, one, 2 * bound)


@given(batch=batches(n=3), order=st.permutations(range(3)))
def test_permuted_neurons_do_not_meet(batch, order):
    order = list(order)
    moved = Batch(
        batch.x[:, order], batch.delta[:, order], batch.gamma[order], batch.beta[order], batch.eps
    )
    for one, other, bound in zip(gradients(batch), gradients(moved), bounds(batch), strict=True):
        assert_within(other, one[..., order], 2 * bound[order])


@given(batch=batches(), k=st.integers(-20, 20), sign=st.sampled_from([-1, 1]))
def test_scale_of_x_is_not_seen(batch, k, sign):
    """x and eps: c·x with c²·eps gives the same y and ∂C/∂x over c, to the last digit for c = 2^k.

    c < 0 turns x̂ round.
    """
    c = np.asarray(sign * 2.0**k, batch.dtype)
    scaled = batch._replace(x=c * batch.x, eps=float(c) ** 2 * batch.eps)
    one, other = batch.normalized, scaled.normalized
    np.testing.assert_array_equal(other.x_hat, sign * one.x_hat)
    np.testing.assert_array_equal(other.std, abs(c) * one.std)
    before, after = gradients(batch), gradients(scaled)
    np.testing.assert_array_equal(after[0], before[0] / abs(c))
    np.testing.assert_array_equal(after[1], sign * before[1])
    np.testing.assert_array_equal(after[2], before[2])


@given(
    M_B=st.sampled_from([2, 4, 8, 16, 32]),
    shift=st.integers(-(2**20), 2**20),
    seed=st.integers(0, 999),
    eps=st.sampled_from([0.0, 1e-5, 1.0]),
    dtype=DTYPES,
)
def test_a_shift_of_x_is_not_seen_to_the_last_digit(M_B, shift, seed, eps, dtype):
    """Where M_B is a power of two and x whole, every mean is exact."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-4, 5, (M_B, 2))
    x[0] = x[1] + 1
    one, other = (batchnorm.normalize(v.astype(dtype), eps) for v in (x, x + shift % 2**18))
    np.testing.assert_array_equal(one.x_hat, other.x_hat)
    np.testing.assert_array_equal(one.std, other.std)


@given(batch=batches(), offset=per_neuron(3, np.float64))
def test_a_shift_of_x_is_not_seen(batch, offset):
    """For any x: but for what is rounded when the shift is added."""
    offset = offset[: len(batch.gamma)] * spread(batch.x)
    moved = (wide(batch.x) + offset).astype(batch.dtype)
    largest = np.abs(wide(moved)).max(axis=0)
    shifted = batch._replace(x=moved, noise=rounding(1, batch.dtype) * largest)
    assume((shifted.noise < 1e-3 * std(wide(batch.x))).all())
    found = bounds(shifted)
    for one, other, bound in zip(gradients(batch), gradients(shifted), found, strict=True):
        assert_within(other, one, 2 * bound)


def twice(v):
    return np.concatenate([v, v])


@given(batch=batches())
def test_a_batch_twice(batch):
    """The statistics stay. Δ carries the 1/M_B of the mean cost: it halves, and ∂C/∂x with it.

    The gradients of γ and β are sums over twice as many samples of half the error: they stay.
    """
    double = batch._replace(x=twice(batch.x), delta=twice(batch.delta) / 2)
    before, after, found = gradients(batch), gradients(double), bounds(double)
    wanted = twice(before[0]) / 2, *before[1:]
    for one, other, bound in zip(wanted, after, found, strict=True):
        assert_within(other, one, 2 * bound)
    one, other = batch.normalized, double.normalized
    assert_within(other.x_hat, twice(wide(one.x_hat)), 2 * double.hat_bound(), batch.dtype)


@given(
    M_B=M_BS,
    sizes=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    seed=st.integers(0, 2**32 - 1),
    batch_norm=st.booleans(),
)
def test_a_network_sees_a_batch_twice_as_once(M_B, sizes, seed, batch_norm):
    """Cost and gradients are those of the batch; and neurons have no order."""
    rng = np.random.default_rng(seed)
    eps = 0.1 if batch_norm else 0.0
    net = network.create(sizes, batch_norm=batch_norm, activation="tanh", eps=eps, rng=rng)
    psi = rng.normal(size=(M_B, sizes[0]))
    phi = (rng.random((M_B, sizes[-1])) < 0.5).astype(float)
    cost, found = network.cost_and_gradients(net, psi, phi)
    again, double = network.cost_and_gradients(net, twice(psi), twice(phi))
    order = [rng.permutation(n) for n in sizes]
    order[0], order[-1] = np.arange(sizes[0]), np.arange(sizes[-1])
    permuted = [
        type(layer)(
            layer.W[np.ix_(order[l + 1], order[l])],
            *(v[order[l + 1]] for name, v in vars(layer).items() if name != "W"),
        )
        for l, layer in enumerate(net.layers)
    ]
    moved = network.Network(permuted, net.activation, eps)
    third, by_order = network.cost_and_gradients(moved, psi, phi)
    # Four layers of weights near 1 over s ≥ √0.1: each passes an error on at most so large.
    growth = np.prod([(1 + np.abs(layer.W).sum()) / np.sqrt(0.1) for layer in net.layers])
    tolerance = rounding(40 * M_B * len(sizes), float) * growth * (1 + np.abs(psi).max()) ** 2
    assume(tolerance < 1e-3)
    for other in (again, third):
        assert_within(other, cost, tolerance)
    for l, (one, two, three) in enumerate(zip(found, double, by_order, strict=True)):
        for name, value in vars(one).items():
            assert_within(vars(two)[name], value, tolerance)
            rows = order[l + 1]
            index = np.ix_(rows, order[l]) if name == "W" else rows
            assert_within(vars(three)[name], value[index], tolerance)


@st.composite
def halves(draw):
    """Two batches of the same neurons, of different means and scales."""
    M_B, n, dtype = draw(st.integers(2, 9)), draw(st.integers(1, 3)), draw(DTYPES)
    scales, near = ((-1, 1), 1)
    x, delta = ([draw(columns(M_B, n, dtype, scales, near)) for _ in range(2)] for _ in range(2))
    gamma, eps = draw(per_neuron(n, dtype)), draw(st.sampled_from([0.0, 1e-2, 1.0]))
    return [Batch(a, d, gamma, 0 * gamma, eps) for a, d in zip(x, delta, strict=True)]


@given(both=halves())
def test_ghost_batches(both):
    """Each half by its own statistics is a layer of its own, and not BN of the whole.

    The whole sees σ² = ⟨σ_h²⟩ + Var(μ_h): it agrees with its halves where their means and
    variances do. From the halves it needs two numbers a neuron each way, the sums that
    synchronized BN exchanges.
    """
    one, two = both
    whole = one._replace(
        x=np.concatenate([one.x, two.x]), delta=np.concatenate([one.delta, two.delta])
    )
    # Ghost BN: the halves side by side are neurons that do not meet.
    side_by_side = batchnorm.normalize(np.hstack([one.x, two.x]), one.eps).x_hat
    ghost = np.hstack([half.normalized.x_hat for half in both])
    assert_within(
        side_by_side, wide(ghost), 2 * np.concatenate([half.hat_bound() for half in both])
    )
    # The statistics of the whole from those of its halves.
    normalized = [half.normalized for half in both]
    means = np.stack([wide(part.mean) for part in normalized])
    variances = np.stack([wide(part.std) ** 2 for part in normalized])
    s2 = variances.mean(axis=0) + means.var(axis=0)
    largest = np.abs(wide(whole.x)).max(axis=0)
    k = rounding(8 * whole.M_B + 24, whole.dtype)
    assert_within(wide(whole.normalized.std) ** 2, s2, 4 * k * (largest**2 + whole.eps))
    x_hat = wide(whole.normalized.x_hat)
    for h, part in enumerate(normalized):
        rows = slice(h * one.M_B, (h + 1) * one.M_B)
        moved = (part.std * wide(part.x_hat) + means[h] - means.mean(axis=0)) / np.sqrt(s2)
        allowed = 4 * k * (1 + largest / whole.s) ** 3
        assert_within(x_hat[rows], moved, allowed)
    # Backwards: ⟨Δ⟩ and ⟨Δ x̂⟩ of the whole are the means of what the halves send.
    delta = wide(whole.delta)
    parts = np.split(delta, 2), np.split(x_hat, 2)
    sums = [(d.sum(axis=0), (d * h).sum(axis=0)) for d, h in zip(*parts, strict=True)]
    mean, along = (sum(pair) / whole.M_B for pair in zip(*sums, strict=True))
    error = wide(whole.gamma) / np.sqrt(s2) * (delta - mean - x_hat * along)
    allowed = (
        whole.error_bound()
        + 8 * k * whole.scale * np.abs(delta).max(axis=0) * (1 + largest / whole.s) ** 3
    )
    assert_within(gradients(whole)[0], error, allowed)
    # And it is another thing: the kernel of the whole joins the halves.
    kernel = wide(batchnorm.kernel(whole.normalized, np.ones_like(whole.gamma)))
    across = kernel[: one.M_B, one.M_B :]
    joined = -(1 + np.einsum("si,ti->sti", *np.split(x_hat, 2))) / (whole.s * whole.M_B)
    assert_within(across, joined, 4 / whole.s * whole.mix_bound(whole.x))


@given(batch=batches())
def test_the_sign_of_gamma(batch):
    """−γ turns ∂C/∂x round to the last digit; for the same Δ, γ and β learn the same."""
    before, after = gradients(batch), gradients(batch._replace(gamma=-batch.gamma))
    np.testing.assert_array_equal(after[0], -before[0])
    np.testing.assert_array_equal(after[1], before[1])
    np.testing.assert_array_equal(after[2], before[2])


@given(batch=batches(), a=st.floats(-4, 4), k=st.integers(-20, 20), data=st.data())
def test_linear_in_the_error(batch, a, k, data):
    """To the last digit under powers of two; else up to the rounding of the sum."""
    other = data.draw(columns(batch.M_B, len(batch.gamma), batch.dtype))
    exact = gradients(batch._replace(delta=(batch.dtype.type(2.0**k) * batch.delta)))
    for one, two in zip(gradients(batch), exact, strict=True):
        np.testing.assert_array_equal(two, 2.0**k * one)
    second = batch._replace(delta=other)
    added = (wide(batch.delta) + a * wide(other)).astype(batch.dtype)
    assume((spread(added) > 0).all())
    total = batch._replace(delta=added)
    lost = rounding(2, batch.dtype) * np.abs(wide(added)).max(axis=0)
    heaviest = (1 + spread(batch.x) / batch.s) ** 2
    rounded = batch.scale * lost * heaviest, batch.M_B * lost * heaviest, batch.M_B * lost
    parts = zip(gradients(batch), gradients(second), gradients(total), rounded, strict=True)
    each = zip(bounds(batch), bounds(second), bounds(total), strict=True)
    for (one, two, three, extra), (b1, b2, b3) in zip(parts, each, strict=True):
        assert_within(three, one + a * two, b1 + abs(a) * b2 + b3 + extra)


@given(batch=batches(), data=st.data())
def test_mix_projects(batch, data):
    """M v ⟂ 1; along x̂ is left (1 − κ)⟨x̂v⟩; twice is once at ε = 0; and M is symmetric."""
    x_hat, v, M_B = batch.normalized.x_hat, batch.delta, batch.M_B
    bound, kappa = batch.mix_bound(v) * spread(v), batch.kappa
    mixed, hats = wide(sample_space.mix(x_hat, v)), wide(x_hat)
    heaviest = 1 + spread(batch.x) / batch.s
    along = (hats * centered(wide(v))).mean(axis=0)
    assert_within(mixed.mean(axis=0), 0 * along, 2 * bound)
    left = (hats * mixed).mean(axis=0)
    assert_within(left, (1 - kappa) * along, 4 * heaviest * bound)
    again = wide(sample_space.mix(x_hat, mixed.astype(batch.dtype)))
    # Of what is left along x̂ the second time takes its part too.
    wanted = mixed - hats * ((1 - kappa) * along)
    assert_within(again, wanted, 8 * heaviest**2 * bound)
    w = data.draw(columns(M_B, len(batch.gamma), batch.dtype))
    other = wide(sample_space.mix(x_hat, w))
    one = (centered(wide(w)) * mixed).sum(axis=0)
    two = (other * centered(wide(v))).sum(axis=0)
    sides = bound * spread(w) + batch.mix_bound(w) * spread(w) * spread(v)
    assert_within(one, two, 2 * M_B * sides)


@given(batch=batches())
def test_the_lengths_of_the_parts(batch):
    """‖v‖² = M_B(⟨v⟩² + (2 − κ)⟨x̂v⟩²) + ‖Mv‖², at ε = 0 by Pythagoras."""
    v, M_B = wide(batch.delta), batch.M_B
    mean, along, mixed = sample_space.split(batch.normalized.x_hat, batch.delta)
    parts = M_B * (wide(mean) ** 2 + (2 - batch.kappa) * wide(along) ** 2)
    parts = parts + (wide(mixed) ** 2).sum(axis=0)
    size = M_B * spread(v) ** 2 * batch.mix_bound(batch.delta) * 8
    heaviest = (1 + spread(batch.x) / batch.s) ** 2
    k = rounding(2 * M_B + 24, batch.dtype) * M_B * (np.abs(v).max(axis=0) ** 2)
    assert_within(parts, (v**2).sum(axis=0), size * heaviest + k)


@given(batch=batches(eps=st.just(0.0)), data=st.data())
def test_two_samples_leave_exactly_nothing(batch, data):
    """M = 0 at M_B = 2 and ε = 0: not a last digit is left, whatever scale and mean."""
    first = data.draw(st.integers(0, batch.M_B - 2))
    x = batch.x[first : first + 2]
    assume((x[0] != x[1]).all())
    pair = batch._replace(x=x, delta=batch.delta[first : first + 2])
    np.testing.assert_array_equal(gradients(pair)[0], 0)
    np.testing.assert_array_equal(np.abs(hat(wide(x))).round(12), 1)


@given(case=layers())
def test_no_argument_is_written_to(case):
    arrays = [case.u_prev, case.g_prime, case.W, case.delta, case.gamma, case.beta]
    for array in arrays:
        array.flags.writeable = False
    batch = case.batch
    batch.x.flags.writeable = False
    normalized = batch.normalized
    for part in normalized:
        part.flags.writeable = False
    batchnorm.weight_gradient(case.delta, case.u_prev, normalized, case.gamma)
    batchnorm.previous_error(case.delta, case.W, normalized, case.gamma, case.g_prime)
    sample_space.mix(normalized.x_hat, case.delta)
    batchnorm.kernel(normalized, case.gamma)
