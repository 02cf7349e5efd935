"""What a reader can hand to a network in a wrong way, and in other forms of the right one."""

import re

import numpy as np
import pytest

from bnnotes import network


def made(batch_norm=True, eps=0.0):
    net = network.create([3, 4, 2], batch_norm=batch_norm, activation="tanh", eps=eps, rng=0)
    rng = np.random.default_rng(1)
    return net, rng.normal(size=(12, 3)), (rng.random((12, 2)) < 0.5).astype(float)


@pytest.mark.parametrize(
    "changes, name",
    [
        ({"sizes": [3]}, "sizes"),
        ({"sizes": []}, "sizes"),
        ({"sizes": 3}, "sizes"),
        ({"sizes": None}, "sizes"),
        ({"sizes": [3, 0]}, "sizes"),
        ({"sizes": [3, -1]}, "sizes"),
        ({"sizes": [3, 2.5]}, "sizes"),
        ({"sizes": [3, "4"]}, "sizes"),
        ({"sizes": [3, True]}, "sizes"),
        ({"activation": "softplus"}, "activation"),
        ({"activation": None}, "activation"),
        ({"eps": -1.0}, "eps"),
        ({"eps": np.nan}, "eps"),
    ],
)
def test_create(changes, name):
    arguments = {"sizes": [3, 2], "batch_norm": True, "activation": "relu", "eps": 0.0, "rng": 0}
    arguments.update(changes)
    with pytest.raises(ValueError, match=rf"^{name}: got .*wanted"):
        network.create(arguments.pop("sizes"), **arguments)


WRONG_INPUTS = [
    ({"psi": np.zeros(3)}, "psi"),
    ({"psi": np.zeros((12, 4))}, "psi"),
    ({"psi": np.zeros((0, 3))}, "psi"),
    ({"psi": np.full((12, 3), np.nan)}, "psi"),
    ({"psi": np.full((12, 3), None)}, "psi"),
    ({"psi": [[1.0, 2.0, 3.0], [1.0]]}, "psi"),
    ({"psi": np.ma.masked_less(np.ones((12, 3)), 2)}, "psi"),
]
WRONG_LABELS = [
    ({"phi": np.zeros((12, 1))}, "phi"),
    ({"phi": np.zeros((11, 2))}, "phi"),
    ({"phi": np.zeros(12)}, "phi"),
    ({"phi": np.full((12, 2), 2.0)}, "phi"),
    ({"phi": np.full((12, 2), -1)}, "phi"),
    ({"phi": np.full((12, 2), np.nan)}, "phi"),
]
WRONG_TRAINING = [
    ({"learning_rate": -0.1}, "learning_rate"),
    ({"learning_rate": np.nan}, "learning_rate"),
    ({"learning_rate": "fast"}, "learning_rate"),
    ({"learning_rate": [0.1]}, "learning_rate"),
    ({"batch_size": 13}, "batch_size"),
    ({"batch_size": 0}, "batch_size"),
    ({"batch_size": 4.0}, "batch_size"),
    ({"batch_size": True}, "batch_size"),
    ({"epochs": -1}, "epochs"),
    ({"epochs": 1.5}, "epochs"),
    ({"epochs": 10**9}, "epochs"),
]


@pytest.mark.parametrize("changes, name", WRONG_INPUTS + WRONG_LABELS)
def test_cost_and_gradients(changes, name):
    net, psi, phi = made()
    with pytest.raises(ValueError, match=rf"^{name}: got .*wanted"):
        network.cost_and_gradients(net, **{"psi": psi, "phi": phi, **changes})


@pytest.mark.parametrize("changes, name", WRONG_INPUTS)
def test_predict(changes, name):
    net, psi, _ = made()
    statistics = network.population_statistics(net, psi)
    for f in (
        lambda psi: network.predict(net, psi),
        lambda psi: network.predict(net, psi, statistics),
        lambda psi: network.population_statistics(net, psi),
    ):
        with pytest.raises(ValueError, match=rf"^{name}: got .*wanted"):
            f(changes["psi"])


@pytest.mark.parametrize("changes, name", WRONG_INPUTS + WRONG_LABELS + WRONG_TRAINING)
def test_train(changes, name):
    net, psi, phi = made()
    before = net.layers
    settings = {"learning_rate": 0.1, "batch_size": 4, "epochs": 1, "rng": 0}
    with pytest.raises(ValueError, match=rf"^{name}: got .*wanted"):
        network.train(net, **{"psi": psi, "phi": phi, **settings, **changes})
    assert net.layers is before


@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_layer_has_its_own_attributes_alone(batch_norm):
    """What a reader keeps there, such as a velocity, is no parameter."""
    for change in (lambda l: setattr(l, "m", 0 * l.W[:, 0]), lambda l: delattr(l, "W")):
        net, psi, phi = made(batch_norm)
        change(net.layers[1])
        with pytest.raises(ValueError, match=r"^network.layers\[1\]: got attributes .*wanted W, "):
            network.train(net, psi, phi, learning_rate=0.1, batch_size=4, epochs=1, rng=0)


def test_a_label_is_shown_as_it_is():
    net, psi, phi = made()
    with pytest.raises(ValueError, match=r"got 1.000000000001 at index .*wanted \[0, 1\]"):
        network.cost_and_gradients(net, psi, phi * (1 + 1e-12))


def test_statistics():
    net, psi, _ = made()
    statistics = network.population_statistics(net, psi)
    mean, std = statistics[0]
    bare, _, _ = made(batch_norm=False)
    for wrong, name in (
        (statistics[:1], "statistics"),
        ([(mean[:1], std), statistics[1]], "statistics"),
        ([(mean, std[:1]), statistics[1]], "statistics"),
        ([(mean, 0 * std), statistics[1]], "statistics"),
        ([(mean * np.nan, std), statistics[1]], "statistics"),
    ):
        with pytest.raises(ValueError, match=rf"^{name}.*: got .*wanted"):
            network.predict(net, psi, wrong)
    with pytest.raises(ValueError, match=r"^statistics\[0\]: got .* wanted None"):
        network.predict(bare, psi, statistics)


def test_one_sample_in_a_network():
    net, psi, phi = made()
    for f in (
        lambda: network.cost_and_gradients(net, psi[:1], phi[:1]),
        lambda: network.predict(net, psi[:1]),
        lambda: network.population_statistics(net, psi[:1]),
    ):
        with pytest.raises(ValueError, match=r"^layer 1, neuron 0: x: M_B = 1"):
            f()
    settings = {"learning_rate": 0.1, "epochs": 1, "rng": 0}
    with pytest.raises(ValueError, match=r"^step 0, layer 1, neuron 0: x: M_B = 1"):
        network.train(net, psi, phi, batch_size=1, **settings)
    net, psi, phi = made(eps=0.1)
    cost, gradients = network.cost_and_gradients(net, psi[:1], phi[:1])
    assert np.isfinite(cost)
    assert all((gradient.W == 0).all() for gradient in gradients)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("scale", [1e155, 1e200, 1e307])
def test_huge_inputs_of_a_network(scale, batch_norm):
    net, psi, phi = made(batch_norm)
    psi = psi / np.abs(psi).max() * scale
    for f in (
        lambda: network.cost_and_gradients(net, psi, phi)[0],
        lambda: network.predict(net, psi),
        lambda: network.train(net, psi, phi, learning_rate=0.1, batch_size=4, epochs=1, rng=0).cost,
    ):
        try:
            result = f()
        except ValueError as error:
            assert batch_norm and re.search("variance of column . overflows", str(error))
        else:
            assert np.isfinite(result).all()


@pytest.mark.parametrize("batch_norm", [False, True])
def test_other_forms_of_data(batch_norm):
    net, psi, phi = made(batch_norm)
    psi = np.round(8 * psi)
    cost, gradients = network.cost_and_gradients(net, psi, phi)
    frozen = psi.copy()
    frozen.flags.writeable = False
    for same_psi, same_phi in (
        (psi.astype(int), phi.astype(int)),
        (psi.tolist(), phi.astype(bool)),
        (np.asfortranarray(psi), np.asfortranarray(phi)),
        (np.repeat(psi, 2, axis=0)[::2], phi),
        (frozen, phi),
    ):
        again, same = network.cost_and_gradients(net, same_psi, same_phi)
        assert again == pytest.approx(cost, rel=1e-13)
        for a, b in zip(gradients, same, strict=True):
            for name, value in vars(a).items():
                np.testing.assert_allclose(vars(b)[name], value, rtol=1e-11, atol=1e-13)
    network.train(net, frozen, phi, learning_rate=0.1, batch_size=4, epochs=2, rng=0)
    np.testing.assert_array_equal(frozen, psi)
