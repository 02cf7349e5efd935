"""What the explorers and pictures of chapter 3 show."""

import functools
import math

import numpy as np
import pytest
from driving import positions

from bnnotes import digits, network
from bnnotes.check import complex_step
from bnnotes.pictures import sample_space as pictures


@functools.cache
def first_neuron():
    """The first digits, and x of a neuron, summed by hand."""
    psi = digits.load("ten").psi[: pictures.LARGEST]
    weights = network.create([64, 32, 10], batch_norm=True, activation="tanh", rng=0).layers[0].W
    return psi, (psi * weights[0]).sum(axis=1)


@functools.cache
def eight_digits():
    """The feature of the weight's explorer, by hand."""
    data = digits.load("odd")
    odd = data.phi[:, 0] == 1
    direction = data.psi[odd].mean(axis=0) - data.psi[~odd].mean(axis=0)
    return data.psi[:8] @ direction


def check_mixing(result, values):
    assert (result.M_B, result.eps) == (values["M_B"], values["eps"])
    if result.matrix is None:
        assert (result.M_B, result.eps) == (1, 0)
        return
    M_B, M = result.M_B, result.matrix
    x = first_neuron()[1][:M_B]
    kappa = x.var() / (x.var() + result.eps)
    direction = x - x.mean()
    assert np.abs(M - M.T).max() < 1e-14
    assert np.abs(M.sum(axis=1)).max() < 1e-13
    assert np.abs(M @ direction - (1 - kappa) * direction).max() < 1e-13
    assert np.trace(M) == pytest.approx(M_B - 1 - kappa, abs=1e-12)
    assert np.abs(M @ result.u - result.rest).max() < 1e-13
    assert np.abs(result.measured - result.predicted).max() < 1e-12
    if result.eps == 0:
        assert np.abs(M @ M - M).max() < 1e-13
        assert np.linalg.matrix_rank(M, tol=1e-9) == M_B - 2


def check_weight(result, values):
    u = eight_digits()
    assert (result.W, result.eps) == (round(values["W"], 2), values["eps"])
    W, eps, spread = result.W, result.eps, u - u.mean()
    assert np.abs(result.u - spread).max() < 1e-14
    undefined = (result.weights == 0) & (eps == 0)
    for curve in (result.y[0], result.share, result.share_predicted):
        assert (np.isnan(curve) == undefined).all()
    share = eps / (result.weights**2 * u.var() + eps) if eps else np.zeros(len(result.weights))
    off = np.abs(result.share - share)[~undefined]
    assert off.max() < 1e-14
    if W == 0 and eps == 0:
        assert np.isnan(result.rest).all()
        return
    # M·u with the matrix written out, entry by entry.
    x_hat = W * spread / math.sqrt(W**2 * u.var() + eps)
    M = np.eye(8) - (np.ones((8, 8)) + x_hat[:, None] * x_hat) / 8
    assert np.abs(M @ u - result.rest).max() < 1e-14
    assert np.abs(M @ u - result.rest_predicted).max() < 1e-14


def check_chain(result, values):
    assert (result.M_B, result.eps, result.step) == tuple(values.values())
    if result.W is None:
        assert (result.M_B, result.eps) == (1, 0)
        return
    assert np.abs(result.W[0] - pictures.WEIGHTS).max() == 0
    assert (result.gamma[0] == 1).all()
    assert 0 < result.cost < 1.5
    if result.eps == 0 or result.M_B == 1:
        assert np.ptp(result.W, axis=0).max() < 1e-13
    if result.eps == 0 and result.M_B == 2:
        assert np.ptp(result.gamma[:, :-1], axis=0).max() < 1e-13


CHECKS = {"Mixing": check_mixing, "Weight": check_weight, "Chain": check_chain}


# ---- the mixing matrix


@pytest.fixture(scope="module")
def mixing():
    return pictures.Mixing()


def test_the_vectors_are_what_their_names_say(mixing):
    psi, x = first_neuron()
    pixel, only, ones = (mixing.compute(M_B=16, eps=0.0, vector=name) for name in pictures.VECTORS)
    assert (pixel.u == psi[:16, pictures.PIXEL]).all()
    assert 0.1 < np.linalg.norm(pixel.rest) < np.linalg.norm(pixel.u - pixel.u.mean())
    assert np.abs(only.u - x[:16]).max() < 1e-14
    assert np.abs(only.rest).max() < 1e-14
    assert (ones.u == 1).all()
    assert np.abs(ones.rest).max() < 1e-14


def test_one_sample_is_explained(mixing):
    mixing.set(M_B=1, eps=0.0)
    assert "0/0" in mixing.readout
    assert mixing._explanation.get_visible()
    mixing.set(M_B=1, eps=1e-5)
    assert "only β can learn" in mixing.readout
    assert mixing.result.matrix.tolist() == [[0.0]]
    mixing.reset()
    assert not mixing._explanation.get_visible()


def test_two_samples_leave_nothing(mixing):
    for vector in pictures.VECTORS:
        mixing.set(M_B=2, eps=0.0, vector=vector)
        assert np.abs(mixing.result.matrix).max() < 1e-15
        assert np.abs(mixing.result.rest).max() < 1e-15
        assert "learn nothing" in mixing.readout
    mixing.reset()


# ---- one weight through 0


@pytest.fixture(scope="module")
def weight():
    return pictures.Weight()


def test_the_slider_passes_through_zero_and_says_what_happens(weight):
    assert 0.0 in positions(weight.controls["W"])
    weight.set(W=0.0, eps=0.0)
    assert "0/0" in weight.readout
    weight.set(W=1e-17, eps=0.01)  # as a browser may send it
    assert "∂y/∂W = 10·γ(u − ⟨u⟩)" in weight.readout
    assert np.abs(weight.result.rest - weight.result.u).max() < 1e-14
    weight.reset()


def test_y_jumps_from_one_side_to_the_other(weight):
    result = weight.compute(W=0.5, eps=0.0)
    left, right = result.y[:, 0], result.y[:, -1]
    assert np.abs(left + right).max() < 1e-14
    assert np.abs(result.y[:, result.weights > 0] - right[:, None]).max() < 1e-13


# ---- the chain in training


@pytest.fixture(scope="module")
def chain():
    return pictures.Chain()


def test_the_first_steps_follow_the_gradient():
    psi, phi = pictures._data()
    training = pictures._train(4, 1e-3)
    batches = network.batches(len(psi), 4, np.random.default_rng(0))
    for step, batch in zip(range(3), batches, strict=False):
        start = np.stack([training.W[step], training.gamma[step], training.beta[step]])

        def cost(parameters, batch=batch):
            u = psi[batch, 0]
            for l, (W, gamma, beta) in enumerate(parameters.T):
                x = W * u - (W * u).mean()
                y = gamma * x / np.sqrt((x**2).mean() + 1e-3) + beta
                u = np.tanh(y) if l + 1 < len(parameters.T) else 1 / (1 + np.exp(-y))
            label = phi[batch, 0]
            return -(label * np.log(u) + (1 - label) * np.log(1 - u)).mean()

        moved = start - pictures.LEARNING_RATE * complex_step(cost, start)
        after = [training.W[step + 1], training.gamma[step + 1], training.beta[step + 1]]
        assert np.abs(moved - after).max() < 1e-12


def test_without_eps_no_weight_moves_and_gamma_and_beta_do(chain):
    for M_B in positions(chain.controls["M_B"])[1:]:
        chain.set(M_B=M_B, eps=0.0)
        moved = chain.result.moved
        assert moved["W"].max() < 1e-13
        assert moved["γ"][-1] > 0.1
        assert moved["β"].max() > 0.1
    chain.reset()


def test_with_eps_the_weights_drift_the_more_the_larger_it_is(chain):
    drifts = []
    for eps in positions(chain.controls["eps"]):
        chain.set(eps=eps)
        drifts.append(chain.result.moved["W"][-1])
    assert drifts[0] < 1e-13 < 1e-4 < drifts[1]
    assert drifts == sorted(drifts)
    chain.reset()


def test_the_sign_is_turned_by_gamma_or_if_eps_allows_by_a_weight(chain):
    for eps, turns in ((0.0, "gamma"), (1e-4, "gamma"), (1e-3, "W"), (1e-2, "W")):
        result = chain.compute(M_B=8, eps=eps, step=chain.controls["step"].max)
        assert math.prod(np.sign(result.W[0] * result.gamma[0])) < 0
        assert math.prod(np.sign(result.W[-1] * result.gamma[-1])) > 0
        turned = {name: (getattr(result, name)[-1] < 0).sum() for name in ("W", "gamma")}
        assert turned == ({"W": 1, "gamma": 1} if turns == "gamma" else {"W": 2, "gamma": 0})


def test_two_samples_teach_the_top_layer_alone(chain):
    result = chain.compute(M_B=2, eps=0.0, step=300)
    below, top = np.abs(result.gamma - 1).max(axis=0)[:-1], abs(result.gamma[-1, -1] - 1)
    assert below.max() < 1e-13
    assert top > 0.5


def test_one_sample_is_explained_in_the_chain(chain):
    chain.set(M_B=1, eps=0.0)
    assert "cannot begin" in chain.readout
    chain.set(M_B=1, eps=1e-3)
    moved = chain.result.moved
    assert moved["W"].max() == moved["γ"].max() == 0
    assert moved["β"].max() > 0.1
    chain.reset()


def test_the_cost_is_that_of_the_step(chain):
    start = chain.compute(M_B=64, eps=0.0, step=0).cost
    end = chain.compute(M_B=64, eps=0.0, step=300).cost
    # Odd taken for even is worse than guessing; after the training it is better.
    assert end < math.log(2) < start
