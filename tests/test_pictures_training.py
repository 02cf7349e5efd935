"""What the explorers of chapter 6 show."""

import numpy as np
import pytest

from bnnotes import batchnorm, digits, network
from bnnotes.pictures import training as pictures


def first_cost(result, batch_norm, depth, activation, seed):
    """The cost before the first step, written out without the module's formulas."""
    net = network.create(
        [2, *[pictures.WIDTH] * depth, 1], batch_norm=batch_norm, activation=activation, rng=seed
    )
    batch = pictures.draws(result.M_B, seed)[0]
    g = {
        "relu": lambda y: np.maximum(y, 0),
        "tanh": np.tanh,
        "sigmoid": lambda y: 1 / (1 + np.exp(-y)),
    }
    u = pictures.plane().psi[batch].astype(float)
    for l, layer in enumerate(net.layers):
        y = u @ layer.W.T
        if batch_norm:
            y = (y - y.mean(axis=0)) / y.std(axis=0)
        u = g[activation](y) if l < depth else y
    phi = pictures.plane().phi[batch]
    return float(np.mean(np.logaddexp(0, u) - phi * u))


def check_side(side, result, batch_norm, values):
    if side.stopped:
        assert side.prediction is None and side.accuracy is None and side.moved is None
        assert side.stopped.endswith(f"at step {len(side.cost)}")
        assert len(side.cost) <= pictures.STEPS
    else:
        assert len(side.cost) == pictures.STEPS
        assert side.prediction.shape == (pictures.GRID, pictures.GRID)
        assert 0 <= side.prediction.min() and side.prediction.max() <= 1
        assert 0 <= side.accuracy <= 1
    assert np.isfinite(side.cost).all()
    if len(side.cost):
        shape = [values[name] for name in ("depth", "activation", "seed")]
        wanted = first_cost(result, batch_norm, *shape)
        assert side.cost[0] == pytest.approx(wanted, rel=2e-3 if result.M_B > 2 else 0.05)


def check_networks(result, values):
    check_side(result.baseline, result, False, values)
    assert result.M_B == values["M_B"]
    assert result.baseline.stopped or result.baseline.moved > 0
    if result.M_B == 1:
        assert "no variance" in result.bn.stopped and len(result.bn.cost) == 0
    else:
        check_side(result.bn, result, True, values)
        # M = 0 with two samples: no W and nothing below the top can move, not by a last digit.
        assert result.bn.stopped or (result.bn.moved == 0) == (result.M_B == 2)


def test_networks_at_the_ends():
    explorer = pictures.NetworksInTraining()
    explorer.set(M_B=1)
    assert explorer.readout.startswith("M_B = 1: a single sample has no variance")
    explorer.set(M_B=2)
    assert "the largest change of a W is 0;" in explorer.readout


def test_a_side_is_a_training_of_the_module():
    data, M_B, seed = pictures.plane(), 64, 3
    for batch_norm in (False, True):
        net = network.create([2, 16, 1], batch_norm=batch_norm, activation="tanh", rng=seed)
        for layer in net.layers:
            for name, value in vars(layer).items():
                setattr(layer, name, value.astype(np.float32))
        options = {"learning_rate": 0.3, "batch_size": M_B, "epochs": 1, "rng": seed}
        history = network.train(net, data.psi, data.phi, **options)
        side = pictures.train_side(batch_norm, M_B, 0.3, 1, "tanh", seed)
        assert len(history.cost) > 5
        assert list(side.cost[: len(history.cost)]) == history.cost


def test_each_batch_holds_different_samples():
    for M_B in pictures.SIZES:
        assert pictures.draws(M_B, 0).shape == (pictures.STEPS, M_B)
        assert all(len(set(batch)) == M_B for batch in pictures.draws(M_B, 0))


def test_the_plane_is_made_of_the_digits():
    data, source = pictures.plane(), digits.load("ten")
    chosen = np.isin(source.phi.argmax(axis=1), pictures.DIGITS)
    assert len(data.psi) == chosen.sum()
    np.testing.assert_allclose(data.psi.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(np.cov(data.psi.T, ddof=0), np.eye(2), atol=1e-5)
    assert np.abs(np.concatenate([data.psi_test, data.psi])).max() <= pictures.REACH


def check_layers(result, values):
    assert (result.M_B, result.layer) == (values["M_B"], values["layer"])
    assert (result.angles is None) == (result.M_B <= 2) == bool(result.explanation)
    if result.angles is None:
        return
    assert result.angles.min() >= 0 and result.angles.max() <= 90
    assert (result.ratios > 0).all() and np.isfinite(result.ratios).all()
    if result.M_B == 3:  # all vectors lie in one plane
        assert result.angles[:, 3].max() < 1e-4


def test_views_give_the_gradients_of_the_network():
    data, net = digits.load("ten"), pictures.stages()[1]
    psi, phi = data.psi[:32], data.phi[:32]
    _, gradients = network.cost_and_gradients(net, psi, phi)
    for l, view in enumerate(pictures.views(net, psi, phi)):
        gamma = (view.delta * view.normalized.x_hat).sum(axis=0)
        np.testing.assert_allclose(gamma, gradients[l].gamma, rtol=1e-9, atol=1e-12)


def test_the_angles_of_a_layer_are_medians_between_0_and_90_degrees():
    data, e = digits.load("ten"), 3
    net = pictures.stages()[e]
    steps = network.feed_forward(net, data.psi[:16])
    delta = (steps[-1].u - data.phi[:16]) / 16
    u = steps[-1].u_prev
    rows = [v - v.mean(axis=0) for v in (steps[-1].normalized.x_hat, delta, u)]
    x, d, u = (v / np.linalg.norm(v, axis=0) for v in rows)
    cos1, cos2, cos3 = (x * d).sum(axis=0), x.T @ u, d.T @ u
    sines = np.sqrt(1 - cos1**2)[:, np.newaxis] * np.sqrt(1 - cos2**2)
    cos = cos1, cos2, cos3, (cos3 - cos1[:, np.newaxis] * cos2) / sines
    angles = [np.median(np.degrees(np.arccos(np.abs(c)))) for c in cos]
    np.testing.assert_allclose(pictures.measured(16)[0][2, e], angles, rtol=1e-6)


def test_the_amplitude_by_the_kernel():
    net, data = pictures.stages()[2], digits.load("ten")
    view = pictures.views(net, data.psi[:16], data.phi[:16])[1]
    jacobian = batchnorm.weight_jacobian(view.u_prev, view.normalized, view.gamma)
    bn = np.einsum("si,sij->ij", view.delta, jacobian)
    bl = np.einsum("si,sj->ij", view.delta, view.u_prev)
    wanted = np.sqrt((bl**2).sum() / (bn**2).sum())
    assert pictures.amplitude(view) == pytest.approx(wanted, rel=1e-9)


def test_every_look_of_the_bands_has_two_cues():
    looks = pictures.LOOKS.values()
    cues = [(l.color, l.linestyle, l.marker) for l in looks]
    assert len(set(cues)) == len(cues)


CHECKS = {"NetworksInTraining": check_networks, "LayersInTraining": check_layers}
