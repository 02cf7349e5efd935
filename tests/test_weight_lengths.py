"""The lengths of the weight vectors of chapter 6, against steps of our own and autograd."""

import numpy as np
import oracles
import pytest

from bnnotes import digits, network
from bnnotes.pictures import training

M_B, SAMPLES, SEED = 16, 72, 3
RATES = {"learning_rate": 0.3, "weight_decay": 0.05}


@pytest.fixture(scope="module")
def data():
    found = digits.load("ten")
    return found.psi[:SAMPLES], found.phi[:SAMPLES]


def follow(data, **changes):
    options = {**RATES, "epochs": 2, "batch_size": M_B, "seed": SEED, **changes}
    return training.follow(*data, **options)


def start(data, seed=SEED):
    """The network that `follow` begins with."""
    psi, phi = data
    sizes = [psi.shape[1], 16, phi.shape[1]]
    return network.create(sizes, batch_norm=True, activation="tanh", rng=seed)


def by_autograd(data, steps, learning_rate, weight_decay, seed=SEED):
    """‖W_i‖² and ‖∂C/∂W_i‖² of each step, with the gradients of HIPS autograd."""
    psi, phi = data
    parameters, rng = oracles.parameters(start(data, seed)), np.random.default_rng(seed)
    squares, gradients = [], []
    while len(squares) < steps:
        for batch in network.batches(len(psi), M_B, rng):
            _, slopes = oracles.cost_and_gradients(parameters, psi[batch], phi[batch], "tanh", 0.0)
            squares.append((parameters[0][0] ** 2).sum(axis=1))
            gradients.append((slopes[0][0] ** 2).sum(axis=1))
            parameters = [
                (
                    W - learning_rate * (dW + weight_decay * W),
                    gamma - learning_rate * dgamma,
                    beta - learning_rate * dbeta,
                )
                for (W, gamma, beta), (dW, dgamma, dbeta) in zip(parameters, slopes, strict=True)
            ]
    return np.array(squares[:steps]), np.array(gradients[:steps])


def test_one_row_per_step_and_one_column_per_neuron(data):
    for epochs in (1, 2):
        squares, gradients = follow(data, epochs=epochs)
        # The incomplete last batch of each epoch is left out.
        assert squares.shape == gradients.shape == (epochs * (SAMPLES // M_B), 16)


@pytest.mark.parametrize("weight_decay", [0.0, 0.05])
def test_lengths_and_gradients_are_those_of_autograd(data, weight_decay):
    squares, gradients = follow(data, weight_decay=weight_decay)
    wanted = by_autograd(data, len(squares), 0.3, weight_decay)
    # Eight steps: rounding has not grown yet.
    np.testing.assert_allclose(squares, wanted[0], rtol=1e-9)
    np.testing.assert_allclose(gradients, wanted[1], rtol=1e-7)


def test_the_first_row_is_before_the_first_step(data):
    squares, _ = follow(data, epochs=1)
    np.testing.assert_array_equal(squares[0], (start(data).layers[0].W ** 2).sum(axis=1))


@pytest.mark.parametrize("weight_decay", [0.0, 0.05, 0.5])
def test_a_length_changes_by_decay_and_by_the_square_of_the_step(data, weight_decay):
    """‖W‖² ← (1 − ηλ)²‖W‖² + η²‖∇‖², since ∇ stands at right angles to W at ε = 0."""
    squares, gradients = follow(data, weight_decay=weight_decay)
    eta = RATES["learning_rate"]
    wanted = (1 - eta * weight_decay) ** 2 * squares[:-1] + eta**2 * gradients[:-1]
    np.testing.assert_allclose(squares[1:], wanted, rtol=1e-10)
    if weight_decay == 0:
        assert (np.diff(squares, axis=0) > 0).all()


def test_the_decay_is_not_in_the_gradient(data):
    _, without = follow(data, weight_decay=0.0)
    _, with_decay = follow(data, weight_decay=0.5)
    np.testing.assert_allclose(with_decay[0], without[0], rtol=1e-10)
    assert not np.allclose(with_decay[3], without[3], rtol=1e-3)


def test_the_seed_decides(data):
    one, again, other = (follow(data, epochs=1, seed=seed)[0] for seed in (SEED, SEED, SEED + 1))
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one, other)


def test_the_samples_stay_as_they_were(data):
    before = [array.copy() for array in data]
    follow(data, epochs=1)
    for array, copy in zip(data, before, strict=True):
        np.testing.assert_array_equal(array, copy)


def by_rule(data, rule, steps=6):
    """The first layer's W after each step, with the gradients of HIPS autograd."""
    psi, phi = data
    parameters, rng = oracles.parameters(start(data)), np.random.default_rng(SEED)
    batches = [b for _ in range(2) for b in network.batches(len(psi), M_B, rng)]
    found = []
    for n, batch in enumerate(batches[:steps], start=1):
        _, slopes = oracles.cost_and_gradients(parameters, psi[batch], phi[batch], "tanh", 0.0)
        found.append(parameters[0][0])
        parameters = [
            (rule(l, n, W, 0.3 * dW), gamma - 0.3 * dgamma, beta - 0.3 * dbeta)
            for l, ((W, gamma, beta), (dW, dgamma, dbeta)) in enumerate(
                zip(parameters, slopes, strict=True)
            )
        ]
    return found


def squares_by_rule(data, rule):
    return np.array([(W**2).sum(axis=1) for W in by_rule(data, rule)])


def test_the_heavy_ball_remembers_its_steps(data):
    velocity = {}

    def rule(l, n, W, down):
        velocity[l] = 0.9 * velocity.get(l, 0) - down
        return W + velocity[l]

    squares, _ = follow(data, weight_decay=0.0, rule=training.heavy_ball)
    np.testing.assert_allclose(squares[:6], squares_by_rule(data, rule), rtol=1e-8)


def test_adam_is_that_of_its_paper(data):
    moments = {}

    def rule(l, n, W, down):
        m, v = moments.get(l, (0, 0))
        moments[l] = m, v = 0.9 * m + 0.1 * down, 0.999 * v + 0.001 * down**2
        m, v = m / (1 - 0.9**n), v / (1 - 0.999**n)
        return W - 1e-3 * m / (np.sqrt(v) + 1e-12)

    squares, _ = follow(data, weight_decay=0.0, rule=training.adam)
    np.testing.assert_allclose(squares[:6], squares_by_rule(data, rule), rtol=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_the_heavy_ball_never_shortens_and_adam_does(data, seed):
    """W·v stays >= 0, since W' · v' = W · v' + |v'|² and W · v' = μ W · v."""
    options = {"weight_decay": 0.0, "epochs": 10, "seed": seed}
    ball, adam = (
        follow(data, rule=rule, **options)[0] for rule in (training.heavy_ball, training.adam)
    )
    assert (np.diff(ball, axis=0) > 0).all()
    assert (np.diff(adam, axis=0) < 0).any()
