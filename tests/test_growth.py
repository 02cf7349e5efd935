"""Growth of errors with depth, against what it is in the limit and against the complex step."""

import math

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


def test_linear_growth_wants_four_samples():
    for M_B in (1, 2, 3):
        with pytest.raises(ValueError, match="M_B"):
            growth.linear_growth(M_B)


def test_the_baseline_vanishes():
    factors = growth.measured_growth("relu", M_B=64, width=256, depth=8, rng=0, batch_norm=False)
    assert np.exp(np.log(factors).mean()) == pytest.approx(0.5, rel=0.1)


@pytest.mark.parametrize("batch_norm", [True, False, "hidden"])
def test_errors_are_derivatives(batch_norm):
    rng = np.random.default_rng(1)
    net = network.create([3, 4, 5, 2], batch_norm=batch_norm, activation="tanh", rng=rng)
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
    assert growth.error_norms(net, steps, delta) == pytest.approx(squares / squares[0])


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


def test_the_smallest_batch_with_a_mean_is_four():
    assert growth.linear_growth(4) == 2
    with pytest.raises(ValueError, match=r"^M_B: got 3, wanted at least 4"):
        growth.linear_growth(3)


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


def test_forty_degrees_are_the_default():
    assert growth.degrees("tanh").shape == (40,)
