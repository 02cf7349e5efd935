"""The identities of section 1 of the ledger, for random layers of any size, scale and dtype."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from properties import DTYPES, M_BS, assert_within, columns, per_neuron, rounding, wide

from bnnotes import activations, baseline, check, network
from bnnotes.checked import unchecked

SMOOTH = st.sampled_from(["tanh", "sigmoid", "identity"])


@st.composite
def outputs(draw):
    """Logits y and labels φ, both (M_B, n)."""
    M_B, n, dtype = draw(M_BS), draw(st.integers(1, 3)), draw(DTYPES)
    y = draw(columns(M_B, n, dtype, (-6, 1), 0))
    kind = draw(st.sampled_from(["hard", "soft"]))
    phi = np.random.default_rng(M_B).random((M_B, n))
    return y, (phi.round() if kind == "hard" else phi).astype(dtype)


@st.composite
def baselines(draw):
    """u, W, b and Δ of a layer without BN, and g' of the layer below."""
    M_B, n_prev, n, dtype = draw(M_BS), *draw(st.tuples(*[st.integers(1, 4)] * 2)), draw(DTYPES)
    u, delta = draw(columns(M_B, n_prev, dtype)), draw(columns(M_B, n, dtype))
    W = draw(per_neuron(n * n_prev, dtype)).reshape(n, n_prev)
    y = draw(columns(M_B, n_prev, dtype, (-6, 1), 0))
    return u, W, draw(per_neuron(n, dtype)), delta, y


@st.composite
def networks(draw, batch_norm=False, eps=0.0):
    """A network of up to three layers with random parameters, inputs and labels."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=2, max_size=4))
    M_B, dtype, seed = draw(M_BS), draw(DTYPES), draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    net = network.create(sizes, batch_norm=batch_norm, activation=draw(SMOOTH), eps=eps, rng=rng)
    for layer in net.layers:
        for name, value in vars(layer).items():
            moved = value + rng.normal(size=value.shape) * (name != "W")
            setattr(layer, name, moved.astype(dtype))
    psi = draw(columns(M_B, sizes[0], dtype, (-3, 1), 1))
    return net, psi, (rng.random((M_B, sizes[-1])) < 0.5).astype(dtype)


def softplus(y):
    """log(1 + e^y); complex y too."""
    larger = np.where(y.real > 0, y, 0)
    return larger + np.log1p(np.exp(y - 2 * larger))


def wide_cost(y, phi):
    return (softplus(y) - phi * y).sum() / len(y)


def wide_network(parameters, activation, psi):
    """y^L, plainly, and the largest |W||u| + |b| of every layer."""
    u, added = psi, []
    for l, (W, b) in enumerate(parameters):
        added.append((np.abs(u) @ np.abs(W).T + np.abs(b)).max())
        y = u @ W.T + b
        u = y if l == len(parameters) - 1 else activation.g(y)
    return y, added


def arrays(net):
    return [(wide(layer.W), wide(layer.b)) for layer in net.layers]


def network_bounds(net, psi, phi):
    """Bounds of the errors of the cost, and of the gradients of every layer."""
    _, added = wide_network(arrays(net), net.activation, wide(psi))
    # |g'| and |g''| are at most 1: an error of y is passed on at most so large, times the sum of
    # a row of |W|, and the slope changes by as much.
    passed = math.prod(
        max(1.0, *(np.abs(W).sum(axis=k).max() for k in (0, 1))) for W, _ in arrays(net)
    )
    forward = rounding(20, psi.dtype) * sum(added) * passed
    k = rounding(psi.size + 20, psi.dtype)
    inputs = [max(np.abs(wide(psi)).max(), 1), *(size + 1 for size in added[:-1])]
    each = 2 * (forward * len(added) + k) * passed * phi.shape[1]
    return (forward + k * (1 + added[-1])) * phi.shape[1], [each * size for size in inputs]


@given(case=outputs())
def test_S1_cost(case):
    """C = −(1/M_B) Σ_s [φ log u + (1 − φ) log(1 − u)]: the brackets hold both terms."""
    y, phi = case
    # A prediction of exactly 0 or 1 has a cost of its own test.
    u = np.clip(activations.sigmoid.g(y), 1e-6, 1 - 1e-6).astype(y.dtype)
    terms = [
        -(p * math.log(v) + (1 - p) * math.log1p(-v))
        for v, p in zip(wide(u).flat, wide(phi).flat, strict=True)
    ]
    k = rounding(u.size + 8, y.dtype)
    # 1 − u rounds by itself where u is small.
    bound = k * (sum(terms) + u.size / (1 - wide(u).max())) / len(u)
    assert_within(baseline.cross_entropy(u, phi), math.fsum(terms) / len(u), bound)
    # From the logits: no 1 − u, and the cost of the same predictions.
    bound = k * (softplus(wide(y)) + np.abs(wide(phi * y))).sum() / len(y)
    got = baseline.cross_entropy_from_logits(y, phi)
    assert_within(got, wide_cost(wide(y), wide(phi)), 2 * bound, y.dtype)


@given(case=networks())
def test_S2_output(case):
    """u^L = g(y^L), layer by layer, and nothing else."""
    net, psi, _ = case
    steps = network.feed_forward(net, psi)
    for step, layer, activation in zip(steps, net.layers, net.activations, strict=True):
        np.testing.assert_array_equal(step.u, activation.g(step.y))
        size = np.abs(wide(step.u_prev)) @ np.abs(wide(layer.W)).T + np.abs(wide(layer.b))
        truth = wide(step.u_prev) @ wide(layer.W).T + wide(layer.b)
        bound = 2 * rounding(layer.W.shape[1] + 2, psi.dtype) * size
        assert_within(step.y, truth, bound, psi.dtype)
    np.testing.assert_array_equal(network.predict(net, psi), steps[-1].u)


@given(case=networks(), learning_rate=st.floats(0, 10), seed=st.integers(0, 99), data=st.data())
def test_S3_S42_S43_descent(case, learning_rate, seed, data):
    """Batches part the shuffled samples; a step is W − η ∂C/∂W of its batch."""
    net, psi, phi = case
    batch_size = data.draw(st.integers(1, len(psi)))
    order = list(network.batches(len(psi), batch_size, np.random.default_rng(seed)))
    assert {len(batch) for batch in order} == {batch_size}
    assert len({int(s) for batch in order for s in batch}) == len(order) * batch_size
    assert len(order) == len(psi) // batch_size
    before = net.layers
    cost, gradients = network.cost_and_gradients(net, psi, phi)
    cost_bound, bounds = network_bounds(net, psi, phi)
    options = {"learning_rate": learning_rate, "batch_size": len(psi), "epochs": 1, "rng": seed}
    history = network.train(net, psi, phi, **options)
    assert_within(np.array(history.cost), np.array([cost]), cost_bound)
    for old, gradient, bound, new in zip(before, gradients, bounds, net.layers, strict=True):
        for name, value in vars(new).items():
            step = wide(getattr(old, name)), learning_rate * wide(getattr(gradient, name))
            rounded = rounding(3, psi.dtype) * (np.abs(step[0]) + np.abs(step[1]))
            allowed = 2 * learning_rate * bound + rounded
            assert_within(value, step[0] - step[1], allowed, psi.dtype)


@given(case=outputs(), activation=SMOOTH)
def test_S4_boundary_error(case, activation):
    """Δ^L = ∂C/∂u · g'(y), for the cost Σ (u − φ)²/2."""
    (y, phi), (_, g, g_prime) = case, activations.get(activation)
    truth = check.complex_step(lambda y: ((g(y) - phi) ** 2).sum() / 2, y)
    got = baseline.boundary_error(g(y) - phi, g_prime(y))
    # The roundings of u, of u − φ, of g' and of the product; u is at most 1, or y itself.
    bound = rounding(16, y.dtype) * (2 + np.abs(wide(y)))
    assert_within(got, truth, bound, y.dtype)


@given(case=outputs())
def test_S5_S41_output_error(case):
    """(u − φ)/M_B: a sigmoid, the cross-entropy, the mean over the batch."""
    y, phi = case
    truth = check.complex_step(lambda y: wide_cost(y, wide(phi)), y)
    got = baseline.output_error(activations.sigmoid.g(y), phi)
    assert_within(got, truth, rounding(16, y.dtype) / len(y), y.dtype)
    # The general way, S4, is the same number: (u − φ)/(u(1 − u)) · g'.
    u, slope = (f(wide(y)) for f in activations.sigmoid[1:])
    with np.errstate(invalid="ignore", divide="ignore"):
        cost_u = (u - phi) / (u * (1 - u)) / len(y)
    general = unchecked(baseline.boundary_error, cost_u, slope)
    general = np.where(np.abs(wide(y)) < 15, general, truth)
    assert_within(general, truth, rounding(64, float) * np.exp(15))


@given(case=baselines(), activation=SMOOTH)
def test_S6_previous_error(case, activation):
    """Δ^l = (Wᵀ Δ^{l+1}) ⊙ g'(y^l), with the bias of layer l + 1."""
    (_, W, b, delta, y), (_, g, g_prime) = case, activations.get(activation)
    truth = check.complex_step(lambda y: (wide(delta) * (g(y) @ wide(W).T + b)).sum(), y)
    added = np.abs(wide(delta)) @ np.abs(wide(W))
    bound = 2 * rounding(len(W) + 12, y.dtype) * added
    # The truth sums over all samples at once.
    bound = bound + rounding(delta.size, float) * added.max()
    assert_within(baseline.previous_error(delta, W, g_prime(y)), truth, bound, y.dtype)


@given(case=baselines())
def test_S7_S8_weight_and_bias_gradient(case):
    """∂C/∂W = Σ_s Δ_s u_s and ∂C/∂b = Σ_s Δ_s, of C = Σ Δ y with y = W u + b."""
    u, W, b, delta, _ = case
    k = 2 * rounding(len(u) + 4, u.dtype)
    truth = check.complex_step(lambda W: (wide(delta) * (wide(u) @ W.T)).sum(), W)
    added = np.abs(wide(delta)).T @ np.abs(wide(u))
    assert_within(baseline.weight_gradient(delta, u), truth, k * added, u.dtype)
    truth = check.complex_step(
        lambda b: (wide(delta) * (baseline.affine(wide(u), wide(W), b))).sum(), b
    )
    bound = k * np.abs(wide(delta)).sum(axis=0)
    assert_within(baseline.bias_gradient(delta), truth, bound, u.dtype)


@given(case=networks())
def test_S9_all_four(case):
    """The four equations together are the derivatives of the cost of a whole network."""
    net, psi, phi = case
    cost, gradients = network.cost_and_gradients(net, psi, phi)
    cost_bound, bounds = network_bounds(net, psi, phi)

    def true_cost(parameters):
        return wide_cost(wide_network(parameters, net.activation, wide(psi))[0], wide(phi))

    assert_within(cost, true_cost(arrays(net)), cost_bound)
    for l, (layer, gradient) in enumerate(zip(net.layers, gradients, strict=True)):
        above, (W, b), below = arrays(net)[:l], arrays(net)[l], arrays(net)[l + 1 :]
        by_W = check.complex_step(lambda W: true_cost([*above, (W, b), *below]), layer.W)  # noqa: B023
        by_b = check.complex_step(lambda b: true_cost([*above, (W, b), *below]), layer.b)  # noqa: B023
        assert_within(gradient.W, by_W, bounds[l], psi.dtype)
        assert_within(gradient.b, by_b, bounds[l], psi.dtype)
