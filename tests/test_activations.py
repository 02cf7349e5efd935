"""Activations and their derivatives, against the complex step and for inputs of any size."""

import copy
import pickle
import re

import numpy as np
import pytest

from bnnotes import activations, check, growth, network

ALL = tuple(activations.BY_NAME.values())
Y = np.random.default_rng(0).normal(0, 3, 40)


@pytest.mark.parametrize("activation", ALL, ids=repr)
def test_derivative(activation):
    truth = np.diag(check.complex_step(activation.g, Y))
    np.testing.assert_allclose(activation.g_prime(Y), truth, rtol=1e-13, atol=1e-15)


def test_sigmoid():
    np.testing.assert_allclose(activations.sigmoid.g(Y), 1 / (1 + np.exp(-Y)), atol=2e-16)


def test_relu():
    np.testing.assert_array_equal(activations.relu.g(Y), np.maximum(Y, 0))
    assert activations.relu.g(np.zeros(1)) == activations.relu.g_prime(np.zeros(1)) == 0


@pytest.mark.parametrize("activation", ALL, ids=repr)
def test_huge_input_is_finite(activation):
    y = np.array([-1e300, -1000.0, -40.0, 0.0, 40.0, 1000.0, 1e300])
    assert np.isfinite(activation.g(y)).all()
    assert np.isfinite(activation.g_prime(y)).all()


@pytest.mark.parametrize("activation", ALL, ids=repr)
def test_get(activation):
    assert activations.get(activation.name) is activation
    assert activations.get(activation) is activation


def test_get_takes_ones_own():
    cube = activations.Activation("cube", lambda y: y**3, lambda y: 3 * y**2)
    assert activations.get(cube) is cube


@pytest.mark.parametrize("wrong", ["softmax", "ReLU", None, np.tanh, 3])
def test_get_refuses_others(wrong):
    with pytest.raises(ValueError, match=r"^activation: got .*wanted .*sigmoid, tanh, relu"):
        activations.get(wrong)


def test_relu_of_complex_numbers_goes_by_the_real_part():
    """At 0 and below neither the number passes nor its imaginary part."""
    y = np.array([1e-30j, -1 + 2j, -0.0 - 1j, 3 + 4j])
    np.testing.assert_array_equal(activations.relu.g(y), [0, 0, 0, 3 + 4j])


def test_get_shows_what_it_got():
    with pytest.raises(ValueError, match=r"^activation: got .softmax., wanted an Activation or"):
        activations.get("softmax")
    for broken in (
        activations.Activation("half", np.sin, None),
        activations.Activation("half", 3, np.cos),
    ):
        with pytest.raises(ValueError, match=r"^activation: got Activation\('half'\) with g or"):
            activations.get(broken)


def test_ones_own_is_tried():
    """Each function on three numbers: an array comes back, of numbers, of that shape."""
    for returns in (0.5, [[1.0, 2.0, 3.0]], np.zeros(3), np.array([["a", "b", "c"]])):
        for pair in ((lambda y, u=returns: u, np.cos), (np.sin, lambda y, u=returns: u)):
            name = "g" if pair[1] is np.cos else "g_prime"
            says = rf"^activation: got {name} that returns {re.escape(repr(returns)[:9])}"
            shape = r"for \[\[-1\.0, 0\.5, 2\.0\]\], wanted an array of that shape$"
            with pytest.raises(ValueError, match=f"{says}.* {shape}"):
                activations.get(activations.Activation("own", *pair))
    with pytest.raises(ValueError, match=r"^activation: g_prime: got nan"):
        activations.get(activations.Activation("own", np.sin, lambda y: y * np.nan))


def test_one_that_writes_into_its_argument_is_refused_wherever_it_comes_in():
    def in_place(f):
        return lambda y: f(y, out=y)

    for name, pair in (
        ("g", (in_place(np.tanh), np.cos)),
        ("g_prime", (np.tanh, in_place(np.cos))),
    ):
        own, psi = activations.Activation("own", *pair), np.ones((4, 3))
        says = rf"^activation: got {name} that writes into its argument, wanted one that returns"
        with pytest.raises(ValueError, match=says):
            network.create([3, 2, 1], batch_norm=True, activation=own, rng=0)
        net = network.create([3, 2, 1], batch_norm=False, activation="tanh", rng=0)
        net.activation = own
        with pytest.raises(ValueError, match=says):
            network.cost_and_gradients(net, psi, psi[:, :1])


def clipped(y):
    y[y > 30] = 30
    return np.log1p(np.exp(y))


def kept(y, kept=np.empty(1000)):  # noqa: B008  that it is one for all calls is the mistake
    return np.tanh(y, out=kept[: y.size].reshape(y.shape))


@pytest.mark.parametrize(
    ("f", "into"), [(clipped, "its argument"), (kept, "what it returned before")]
)
def test_one_that_writes_where_others_still_read_is_refused(f, into):
    for name, pair in (("g", (f, np.cos)), ("g_prime", (np.tanh, f))):
        says = rf"^activation: got {name} that writes into {into}, wanted one that returns a new"
        with pytest.raises(ValueError, match=says):
            activations.get(activations.Activation("own", *pair))


def softmax(y):
    return np.exp(y) / np.exp(y).sum(axis=0)


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        ((lambda y: np.tanh(y).astype(np.float32), np.cos), "g that returns float32 for float64"),
        ((np.tanh, lambda y: 1 - np.tanh(y) ** 2 + 0j), "g_prime that returns complex128"),
        ((softmax, softmax), "g whose numbers depend on the others"),
        ((lambda y: y * np.random.default_rng().random(y.shape), np.cos), "g .*or on chance"),
        ((activations.sigmoid.g, lambda u: u * (1 - u)), "g_prime that is not the slope of g"),
        ((activations.tanh.g_prime, activations.tanh.g), "g_prime that is not the slope of g"),
        ((abs, lambda y: np.where(y > 0, 1.0, -0.5)), "g_prime that is not the slope of g"),
    ],
)
def test_what_would_give_wrong_gradients_is_refused(pair, says):
    with pytest.raises(ValueError, match=f"^activation: got {says}.*[,;] wanted "):
        activations.get(activations.Activation("own", *pair))


def test_kinks_steps_and_numbers_of_other_kinds_are_taken():
    psi, phi = np.random.default_rng(0).normal(size=(8, 3)), np.ones((8, 2))
    for g, g_prime in (
        (lambda y: np.where(y > 0, y, 0.1 * y), lambda y: np.where(y > 0, 1, 0.1)),
        (lambda y: np.maximum(y, 0), lambda y: y > 0),
        (np.floor, np.zeros_like),
        (lambda y: np.round(10 * y).astype(int), lambda y: 0 * y),
    ):
        own = activations.Activation("own", g, g_prime)
        net = network.create([3, 4, 2], batch_norm=True, activation=own, eps=0.1, rng=0)
        assert np.isfinite(network.cost_and_gradients(net, psi, phi)[0])
    net = network.create([3, 1, 2], batch_norm=True, activation=own, rng=0)
    for layer in net.layers:
        layer.W = np.full(layer.W.shape, 0.1)
    net.layers[0].gamma[:] = 0  # all u are equal: the words need the rounding of integers
    with pytest.raises(ValueError, match="layer 2, neuron 0: x: column 0 is constant"):
        network.feed_forward(net, psi)


@pytest.mark.parametrize("activation", ALL, ids=repr)
def test_a_copy_is_the_same_activation(activation):
    for other in (copy.deepcopy(activation), pickle.loads(pickle.dumps(activation))):
        assert other == activation and activations.get(other) == activation
        assert growth.growth(other) == growth.growth(activation)
    assert growth.growth(copy.deepcopy(activations.relu)) == pytest.approx(
        np.pi / (np.pi - 1), rel=1e-12
    )
