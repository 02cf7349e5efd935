"""Growth of errors with depth, against what it is in the limit and against the complex step."""

import itertools
import math
import re

import numpy as np
import pytest

from bnnotes import activations, growth, network
from bnnotes.check import complex_step

LIMITS = {"relu": math.pi / (math.pi - 1), "tanh": 1.178, "sigmoid": 1.034, "identity": 1.0}


@pytest.mark.parametrize("name", LIMITS)
def test_growth(name):
    assert growth.growth(name) == pytest.approx(LIMITS[name], abs=5e-4)
    # By a plain sum over a fine grid, which no quadrature rule enters.
    z = np.linspace(-10, 10, 200001)
    weight = np.exp(-z * z / 2) / np.exp(-z * z / 2).sum()
    g = {
        "relu": np.maximum(z, 0),
        "tanh": np.tanh(z),
        "sigmoid": 1 / (1 + np.exp(-z)),
        "identity": z,
    }[name]
    slope = np.gradient(g, z)
    variance = weight @ g**2 - (weight @ g) ** 2
    assert growth.growth(name) == pytest.approx(weight @ slope**2 / variance, rel=1e-4)


@pytest.mark.parametrize("name", LIMITS)
def test_growth_is_the_mean_degree(name):
    shares = growth.degrees(name, 60)
    assert (shares >= 0).all()
    assert shares.sum() <= 1 + 1e-9
    mean = shares @ np.arange(1, 61)
    # The degrees of ReLU fall off slowly.
    assert mean == pytest.approx(growth.growth(name), abs=0.06 if name == "relu" else 1e-4)


def test_the_degrees_are_those_of_the_series_up_to_the_highest():
    """ReLU: (k − 3)!!²/(2π k! Var) at even k; a linear g has degree 1 alone."""
    shares, k = growth.degrees("relu", 1000), np.arange(4, 1001, 2)
    ratio = (k - 3.0) ** 2 / (k * (k - 1.0))  # of each to the one two degrees below
    assert shares[k - 1] == pytest.approx(shares[k - 3] * ratio, rel=1e-9)
    assert growth.degrees("identity", 1000)[1:].max() < 1e-20
    with pytest.raises(ValueError, match=r"^highest: got 1001, wanted at most 1000$"):
        growth.degrees("relu", 1001)


@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid"])
def test_wide_networks_come_within_one_percent(name):
    factors = growth.measured_growth(name, M_B=512, width=1024, depth=10, rng=3, dtype=np.float32)
    assert factors.shape == (9,)
    assert np.exp(np.log(factors).mean()) == pytest.approx(growth.growth(name), rel=0.01)


@pytest.mark.parametrize("M_B", [6, 8, 16])
def test_linear_growth(M_B):
    runs = [
        growth.measured_growth("identity", M_B=M_B, width=256, depth=8, rng=k) for k in range(6)
    ]
    assert np.mean(runs) == pytest.approx((M_B - 2) / (M_B - 3), rel=0.08)
    assert growth.linear_growth(M_B) == pytest.approx((M_B - 2) / (M_B - 3))


@pytest.mark.parametrize(("M_B", "rank"), [(64, 12), (16, 15), (10, 8)])
def test_linear_growth_by_rank(M_B, rank):
    """The first factor from the top, whose error has no preferred direction yet."""
    sizes = {"M_B": M_B, "width": 256, "depth": 2, "rank": rank}
    runs = [growth.measured_growth("identity", rng=k, **sizes)[0] for k in range(24)]
    expected = rank / (rank - 2) * (M_B - 2) / (M_B - 1)
    assert np.mean(runs) == pytest.approx(expected, rel=0.03)
    assert growth.linear_growth(M_B, rank) == pytest.approx(expected)


def test_an_error_leaves_the_directions_of_the_inputs():
    """Below full rank the factor rises from layer to layer, towards r/(r − 2)."""
    M_B, r, depth = 10, 6, 13
    sizes = {"M_B": M_B, "width": 1024, "depth": depth, "rank": r, "dtype": np.float32}
    runs = [growth.measured_growth("identity", rng=k, **sizes) for k in range(3)]
    # What Δ keeps outside and inside of the r directions, after all layers.
    outside, inside = (M_B - 1 - r) / (M_B - 1), r / (M_B - 1) * (1 - 1 / r) ** (depth - 1)
    whole = (depth - 1) * math.log(r / (r - 2)) + math.log(outside + inside)
    found = np.mean([np.log(run).sum() for run in runs])
    assert found / (depth - 1) == pytest.approx(whole / (depth - 1), abs=0.02)
    first = math.log(growth.linear_growth(M_B, r))
    assert found / (depth - 1) > first + 0.03


def test_width_does_not_raise_a_rank():
    small = growth.linear_growth(64)
    runs = [
        growth.measured_growth("identity", M_B=64, width=512, depth=6, rank=5, rng=k)
        for k in range(2)
    ]
    assert np.mean(runs) > 1.5 > 1.02 > small


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((3,), r"^M_B: got 3, wanted at least 4; at 3 the mean is infinite$"),
        ((1, 3), r"^M_B: got 1, wanted at least 4"),
        ((64, 2), r"^rank: got 2, wanted 3 to 63; at 2 the mean is infinite$"),
        ((64, 64), r"^rank: got 64, wanted 3 to 63, the most that M_B samples fill$"),
        ((64, 2.5), r"^rank: got 2.5, wanted an integer"),
    ],
)
def test_what_linear_growth_wants(arguments, why):
    with pytest.raises(ValueError, match=why):
        growth.linear_growth(*arguments)


@pytest.mark.parametrize("beta", [-1.5, -1.0, 0.0, 0.5, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("gamma", [1.0, 0.5, -2.0])
def test_growth_of_a_shifted_relu(gamma, beta):
    """In closed form: a = β/|γ|, and E[relu(z + a)^k] from the normal distribution."""
    a = beta / abs(gamma)
    below, density = math.erfc(-a / math.sqrt(2)) / 2, math.exp(-a * a / 2)
    density /= math.sqrt(2 * math.pi)
    variance = (1 + a * a) * below + a * density - (a * below + density) ** 2
    got = growth.growth("relu", gamma=gamma, beta=beta)
    assert got == pytest.approx(below / variance, rel=1e-12)
    assert got >= 1


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "relu"])
@pytest.mark.parametrize(("gamma", "beta"), [(0.3, 0.2), (3.0, -1.0), (30.0, 5.0)])
def test_growth_with_gamma_and_beta_is_that_of_another_activation(name, gamma, beta):
    g = activations.BY_NAME[name]
    shifted = activations.Activation(
        "shifted",
        lambda z: g.g(gamma * z + beta),
        lambda z: gamma * g.g_prime(gamma * z + beta),
    )
    shares = growth.degrees(shifted, 400) if name != "relu" and gamma < 1 else None
    got = growth.growth(name, gamma=gamma, beta=beta)
    if shares is not None:
        assert shares @ np.arange(1, 401) == pytest.approx(got, rel=1e-6)
    # Its kink is not at 0 any more, where the nodes are dense.
    assert growth.growth(shifted) == pytest.approx(got, rel=1e-2)


@pytest.mark.parametrize(
    ("name", "gamma", "beta"), [("relu", 1.0, 1.0), ("relu", 0.5, 1.0), ("tanh", 3.0, 0.5)]
)
def test_networks_with_gamma_and_beta(name, gamma, beta):
    sizes = {"M_B": 256, "width": 256, "depth": 8, "rng": 1, "dtype": np.float32}
    found = growth.measured_growth(name, gamma=gamma, beta=beta, **sizes)
    expected = growth.growth(name, gamma=gamma, beta=beta)
    assert np.exp(np.log(found).mean()) == pytest.approx(expected, rel=0.03)


def test_the_limit_of_relu_does_not_hold_below_beta_0():
    """There the lengths of the samples come apart, and few of them make the variance."""
    sizes = {"M_B": 256, "width": 256, "depth": 14, "rng": 1, "dtype": np.float32}
    found = growth.measured_growth("relu", beta=-1.0, **sizes)
    assert np.exp(np.log(found).mean()) < 0.85 * growth.growth("relu", beta=-1.0)


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
@pytest.mark.parametrize(
    ("shift", "said"),
    [
        ({"gamma": 0}, "gamma: got 0, wanted a size from 1e-06 to 1e+06"),
        ({"gamma": 1e-15}, "gamma: got 1e-15, wanted a size from 1e-06 to 1e+06"),
        ({"gamma": -1e200}, "gamma: got -1e+200, wanted a size from 1e-06 to 1e+06"),
        ({"beta": 15.0000001}, "beta: got 15.0000001, wanted a size up to 15"),
        ({"beta": -19.9}, "beta: got -19.9, wanted a size up to 15"),
        ({"beta": 1e300, "gamma": 3.0}, "beta: got 1e+300, wanted a size up to 45"),
    ],
)
def test_growth_names_what_it_cannot_resolve(activation, shift, said):
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        growth.growth(activation, **shift)


@pytest.mark.parametrize("beta", [0.0, 1.0, 15.0])
@pytest.mark.parametrize("gamma", [1e-6, -1.0, 1e6])
def test_growth_within_what_it_resolves(gamma, beta):
    """An affine g does not grow; one that rounding hides is no number."""
    assert growth.growth("identity", gamma=gamma, beta=beta) == pytest.approx(1, abs=1e-8)
    with pytest.raises(ValueError, match=r"^activation: got tanh, wanted one that varies$"):
        growth.growth("tanh", gamma=1e-6, beta=15.0)


def test_a_reader_whose_numpy_raises_gets_the_same_growth():
    bell = activations.Activation(
        "bell", lambda y: np.exp(-y * y), lambda y: -2 * y * np.exp(-y * y)
    )
    sizes = {"M_B": 8, "width": 4, "rng": 0}
    measures = (
        growth.growth,
        growth.degrees,
        lambda g: growth.measured_growth(g, depth=3, **sizes),
        lambda g: growth.measured_residual_growth(g, blocks=3, **sizes),
    )
    wanted = [measure(bell) for measure in measures]
    with np.errstate(all="raise"):
        for measure, value in zip(measures, wanted, strict=True):
            np.testing.assert_array_equal(measure(bell), value)


def test_a_rank_beyond_the_batch_is_refused():
    for M_B, width, most in ((8, 16, 7), (32, 16, 16)):
        sizes = {"M_B": M_B, "width": width, "depth": 2, "rng": 0}
        with pytest.raises(ValueError, match=f"^rank: got {most + 1}, wanted at most {most}$"):
            growth.measured_growth("identity", rank=most + 1, **sizes)
        assert growth.measured_growth("identity", rank=most, **sizes).shape == (1,)


def test_the_baseline_vanishes():
    factors = growth.measured_growth("relu", M_B=64, width=256, depth=8, rng=0, batch_norm=False)
    assert np.exp(np.log(factors).mean()) == pytest.approx(0.5, rel=0.1)


@pytest.mark.parametrize("kinds", list(itertools.product((True, False), repeat=3)), ids=str)
def test_errors_are_derivatives_in_every_mixture_of_layers(kinds):
    rng = np.random.default_rng(1)
    sizes, options = [3, 4, 5, 2], {"activation": "tanh", "rng": 1}
    pure = {kind: network.create(sizes, batch_norm=kind, **options) for kind in (True, False)}
    layers = [pure[kind].layers[l] for l, kind in enumerate(kinds)]
    net = network.Network(layers, pure[True].activation)
    psi, delta = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
    steps = network.feed_forward(net, psi)

    def cost(y, l):
        for layer, g in zip(net.layers[l + 1 :], net.activations[l:], strict=False):
            y = layer.pre_activation(g.g(y), net.eps)[0]
        return (delta * y).sum()

    found = list(growth.errors(net, steps, delta))[::-1]
    assert len(found) == 3
    for l, error in enumerate(found):
        truth = complex_step(lambda y, l=l: cost(y, l), steps[l].y)
        assert np.abs(truth - error).max() < 1e-12
    squares = np.array([(error**2).sum() for error in found[::-1]])
    norms = growth.error_norms(net, steps, delta)
    assert norms == pytest.approx(squares / squares[0])
    for size in (2.0**-1000, 2.0**-530, 2.0**530, 2.0**1000):  # whose squares vanish or overflow
        assert growth.error_norms(net, steps, size * delta) == pytest.approx(norms)


def test_effective_rank():
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(20, 7)))[0]
    assert growth.effective_rank(basis) == pytest.approx(7)
    assert growth.effective_rank(1e-200 * basis.T) == pytest.approx(7)
    assert growth.effective_rank(np.outer(rng.normal(size=5), rng.normal(size=9))) == (
        pytest.approx(1)
    )
    v = rng.normal(size=(6, 9))
    squares = np.linalg.svd(v, compute_uv=False) ** 2
    expected = squares.sum() ** 2 / (squares**2).sum()
    assert growth.effective_rank(v) == pytest.approx(expected)
    with pytest.raises(ValueError, match="v: got zeros"):
        growth.effective_rank(np.zeros((2, 3)))


def test_an_activation_that_does_not_vary_is_named():
    flat = activations.Activation("flat", np.zeros_like, np.zeros_like)
    for of in (growth.growth, growth.degrees):
        with pytest.raises(ValueError, match=r"^activation: got flat, wanted one that varies"):
            of(flat)


@pytest.fixture
def step_by_step():
    """A network with its steps, and an error that fits."""
    rng = np.random.default_rng(0)
    net = network.create([3, 4, 2], batch_norm=True, activation="tanh", rng=rng)
    return net, network.feed_forward(net, rng.normal(size=(5, 3))), rng.normal(size=(5, 2))


@pytest.mark.parametrize(
    ("shape", "why"),
    [
        (
            (4, 2),
            r"delta: got shape \(4, 2\), wanted \(M_B, n_L\) with M_B = 5 on axis 0, as in steps",
        ),
        (
            (5, 3),
            r"delta: got shape \(5, 3\), wanted \(M_B, n_L\) with n_L = 2 on axis 1, as in steps",
        ),
    ],
)
def test_an_error_of_another_shape_than_the_steps_is_refused(step_by_step, shape, why):
    net, steps, _ = step_by_step
    with pytest.raises(ValueError, match=why):
        growth.error_norms(net, steps, np.ones(shape))


def test_the_steps_of_another_network_are_refused(step_by_step):
    net, steps, delta = step_by_step
    psi, options = steps[0].u_prev, {"activation": "tanh", "rng": 0}
    for sizes, batch_norm in (([3, 4, 2], "hidden"), ([3, 4, 2], False), ([3, 5, 2], True)):
        other = network.create(sizes, batch_norm=batch_norm, **options)
        for of, others in ((other, steps), (net, network.feed_forward(other, psi))):
            with pytest.raises(ValueError, match=r"^steps: got those of another network, wanted"):
                growth.error_norms(of, others, delta)


@pytest.mark.parametrize("steps", [None, [1, 2]])
def test_what_are_no_steps_is_refused(step_by_step, steps):
    net, _, delta = step_by_step
    with pytest.raises(ValueError, match=r"^steps: .*wanted what network.feed_forward returns$"):
        growth.error_norms(net, steps, delta)


@pytest.mark.parametrize(("batch_norm", "smallest"), [(True, 3), (False, 2)])
def test_growth_is_measured_from_the_smallest_batch_with_an_error(batch_norm, smallest):
    sizes = {"width": 6, "depth": 3, "rng": 0, "batch_norm": batch_norm}
    assert (growth.measured_growth("tanh", M_B=smallest, **sizes) > 0).all()
    with pytest.raises(ValueError, match=f"^M_B: got {smallest - 1}, wanted .*{smallest}"):
        growth.measured_growth("tanh", M_B=smallest - 1, **sizes)


@pytest.mark.parametrize(
    "sizes", [(10**9, 10**3, 3), (4, 10**5, 3), (4, 4, 10**9), (10**4, 10, 10**5)]
)
def test_a_measurement_that_no_machine_could_make_is_refused(sizes):
    M_B, width, depth = sizes
    with pytest.raises(ValueError, match=r"^depth: got .*wanted at most"):
        growth.measured_growth("relu", M_B=M_B, width=width, depth=depth, rng=0)
    with pytest.raises(ValueError, match=r"^blocks: got .*wanted at most"):
        growth.measured_residual_growth("relu", M_B=M_B, width=width, blocks=depth, rng=0)
    with pytest.raises(ValueError, match=r"^blocks: got .*wanted at most"):
        growth.residual_growth("relu", 10**12)


def test_a_measurement_says_what_it_wants():
    with pytest.raises(ValueError, match=r"^batch_norm: .*wanted True or False$"):
        growth.measured_growth("tanh", M_B=4, width=3, depth=2, rng=0, batch_norm=1)
    with pytest.raises(
        ValueError, match=r"^depth: got 30, and no error is left; wanted fewer layers$"
    ):
        growth.measured_growth("relu", M_B=4, width=1, depth=30, rng=0, batch_norm=False)


def test_a_measurement_computes_in_the_dtype_asked_for(monkeypatch):
    seen = []
    norms = growth.error_norms

    def spy(net, steps, delta):
        seen.extend([delta.dtype, steps[0].u_prev.dtype])
        seen.extend(array.dtype for layer in net.layers for array in vars(layer).values())
        return norms(net, steps, delta)

    monkeypatch.setattr(growth, "error_norms", spy)
    growth.measured_growth("tanh", M_B=4, width=3, depth=2, rng=0, dtype=np.float32)
    assert len(seen) == 8 and set(seen) == {np.dtype(np.float32)}


@pytest.mark.parametrize(("name", "layers"), [("relu", 1), ("tanh", 1), ("relu", 2)])
def test_residual_blocks(name, layers):
    """The base of the growth becomes its exponent."""
    sizes = {"M_B": 256, "width": 256, "blocks": 40, "layers": layers}
    runs = [growth.measured_residual_growth(name, rng=seed, **sizes) for seed in range(3)]
    measured = np.exp(np.log(runs).mean(axis=0))
    predicted = growth.residual_growth(name, 40, layers=layers)
    assert measured == pytest.approx(predicted, rel=0.03)
    exponent = growth.growth(name) ** layers
    many = np.log(growth.residual_growth(name, 40000, layers=layers)).cumsum()
    assert (many[-1] - many[19999]) / math.log(2) == pytest.approx(exponent, rel=1e-3)


def test_without_skips_residual_blocks_are_layers():
    sizes = {"M_B": 256, "width": 256, "blocks": 10, "rng": 1}
    measured = growth.measured_residual_growth("relu", skip=False, **sizes)
    assert np.exp(np.log(measured[1:]).mean()) == pytest.approx(LIMITS["relu"], rel=0.05)


def test_the_error_of_residual_blocks_is_a_derivative():
    """Of two blocks, written as one function of the input."""
    rng, M_B, n = np.random.default_rng(7), 5, 4
    h, W_1, W_2 = (rng.standard_normal(shape) for shape in ((M_B, n), (n, n), (n, n)))

    def block(h, W):
        x = h - h.mean(axis=0)
        return h + np.tanh(x / np.sqrt((x**2).mean(axis=0))) @ W.T / math.sqrt(n)

    delta = rng.standard_normal((M_B, n))
    delta -= delta.mean(axis=0)
    above = complex_step(lambda h: (delta * block(h, W_2)).sum(), block(h, W_1))
    below = complex_step(lambda h: (delta * block(block(h, W_1), W_2)).sum(), h)
    squares = [(v**2).sum() for v in (delta, above, below)]
    measured = growth.measured_residual_growth("tanh", M_B=M_B, width=n, blocks=2, rng=7)
    assert measured == pytest.approx([squares[2] / squares[1], squares[1] / squares[0]])


@pytest.mark.parametrize("wrong", [{"blocks": 0}, {"layers": 0}, {"skip": 1}, {"M_B": 2}])
def test_residual_blocks_say_what_they_want(wrong):
    right = {"M_B": 8, "width": 4, "blocks": 2, "rng": 0}
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}: got"):
        growth.measured_residual_growth("relu", **{**right, **wrong})


def test_a_factor_of_residual_blocks_that_overflows_is_refused():
    with pytest.raises(ValueError, match=r"^blocks: got 20000 of 1 layers, and the error overf"):
        growth.measured_residual_growth("relu", M_B=8, width=4, blocks=20000, skip=False, rng=0)
    assert growth.residual_growth("identity", 2, layers=100) == pytest.approx([2, 1.5])
    step = activations.Activation("step", lambda y: 1.0 * (y > 0), lambda y: 0.0 * y)
    assert growth.residual_growth(step, 2).tolist() == [1, 1]
    with pytest.raises(ValueError, match=r"^layers: got 10000, wanted at most 100"):
        growth.residual_growth("relu", 2, layers=10**4)
