"""Isometric coordinates, batches with given angles, and a neuron in training, by other means."""

import copy
import itertools
import math

import numpy as np
import pytest

from bnnotes import geometry, network, sphere
from bnnotes.check import complex_step

SIZES = [2, 3, 4, 5, 8, 33]


def angle(a, b):
    return 2 * np.arctan2(np.linalg.norm(a - b), np.linalg.norm(a + b))


def hat(v):
    v = v - v.mean()
    return v / np.sqrt((v * v).mean())


def three(M_B, seed=0):
    """Vectors x, Δ, u over the samples."""
    return np.random.default_rng([seed, M_B]).normal(1.0, 2.0, size=(3, M_B))


@pytest.mark.parametrize("M_B", SIZES)
def test_coordinates_keep_lengths_and_angles(M_B):
    x, delta, u = three(M_B)
    hats = np.stack([hat(v) for v in (x, delta, u)])
    points = sphere.coordinates(sphere.frame(x, delta, u), hats.T)
    assert points.shape == (3, 3)
    assert np.abs(np.linalg.norm(points, axis=1) - np.sqrt(M_B)).max() < 1e-12
    for a in range(3):
        for b in range(a):
            assert abs(angle(points[a], points[b]) - angle(hats[a], hats[b])) < 1e-12


@pytest.mark.parametrize("M_B", SIZES)
def test_the_frame_stands_upright(M_B):
    x, delta, u = three(M_B)
    frame = sphere.frame(x, delta, u)
    assert np.abs(frame.T @ frame - np.eye(min(3, M_B))).max() < 1e-14
    points = sphere.coordinates(frame, np.stack([hat(v) for v in (x, delta, u)]).T)
    # x̂ up, Δ̂ in the plane of the first and the third axis, û on one side of it.
    assert np.abs(points[0] - [0, 0, np.sqrt(M_B)]).max() < 1e-13 * M_B
    assert abs(points[1, 1]) < 1e-13 * M_B and points[1, 0] > -1e-13 * M_B
    assert points[2, 1] > -1e-13 * M_B


def test_vectors_that_fall_together_keep_their_angles():
    x, _, u = three(6)
    for delta in (2 * x + 1, -x, u):
        hats = np.stack([hat(v) for v in (x, delta, u)])
        points = sphere.coordinates(sphere.frame(x, delta, u), hats.T)
        assert np.abs(points @ points.T - hats @ hats.T).max() < 1e-13


def test_the_frame_names_a_constant_vector():
    with pytest.raises(ValueError, match="delta: column 0 is constant"):
        sphere.frame([1.0, 2.0, 4.0], [3.0, 3.0, 3.0], [0.0, 1.0, 0.0])


@pytest.mark.parametrize("M_B", [4, 5, 8, 33])
def test_a_batch_has_the_angles_that_were_wished(M_B):
    frame = sphere.frame(*three(M_B))
    for wish in np.random.default_rng(M_B).uniform(0.1, np.pi - 0.1, size=(20, 3)):
        x_hat, delta, u = sphere.place(frame, *wish)
        theta1, theta2, _, dihedral = geometry.sample_angles(
            delta[:, None], u[:, None], 3 * x_hat[:, None] + 1
        )
        got = [theta1.item(), theta2.item(), dihedral.item()]
        assert np.abs(np.array(got) - wish).max() < 1e-12
        for v in (x_hat, delta, u):
            assert abs(v.mean()) < 1e-12
            assert abs(v @ v - M_B) < 1e-12


def test_three_samples_keep_the_sides_and_flatten_the_triangle():
    frame = sphere.frame(*three(3))
    for dihedral, flat in ((0.4, 0.0), (1.6, np.pi)):
        x_hat, delta, u = sphere.place(frame, 1.0, 0.7, dihedral)
        assert angle(delta, x_hat) == pytest.approx(1.0, abs=1e-12)
        assert angle(u, x_hat) == pytest.approx(0.7, abs=1e-12)
        side = 0.3 if flat == 0 else 1.7
        assert angle(delta, u) == pytest.approx(side, abs=1e-12)


@pytest.mark.parametrize("theta1", [0.2, 3.0])
@pytest.mark.parametrize("theta2", [1.5, 1.7])
def test_two_samples_have_one_direction(theta1, theta2):
    x_hat, delta, u = sphere.place(sphere.frame(*three(2)), theta1, theta2, 1.0)
    assert np.abs(delta - np.sign(np.cos(theta1)) * x_hat).max() < 1e-15
    assert np.abs(u - np.sign(np.cos(theta2)) * x_hat).max() < 1e-15


@pytest.mark.parametrize("M_B", SIZES)
def test_reachable_angles_are_the_nearest(M_B):
    for wish in np.random.default_rng(M_B).uniform(0, np.pi, size=(20, 3)):
        got = sphere.reachable(M_B, *wish)
        free = {2: (), 3: (0, 1)}.get(M_B, (0, 1, 2))
        for k in free:
            assert got[k] == wish[k]
        for k in {2: (0, 1), 3: (2,)}.get(M_B, ()):
            assert got[k] == min((0.0, np.pi), key=lambda end, k=k: abs(end - wish[k]))


@pytest.mark.parametrize("name", ["theta1", "theta2", "dihedral"])
@pytest.mark.parametrize("wrong", [-0.1, 3.1415927, 2 * np.pi])
def test_what_is_no_angle_between_vectors_is_refused(name, wrong):
    angles = dict.fromkeys(("theta1", "theta2", "dihedral"), np.pi) | {name: wrong}
    with pytest.raises(ValueError, match=f"^{name}: got {wrong:.16g}, wanted "):
        sphere.reachable(2, **angles)


def test_one_sample_has_no_angles():
    with pytest.raises(ValueError, match="M_B: got 1"):
        sphere.reachable(1, 0.1, 0.2, 0.3)
    with pytest.raises(ValueError, match="frame: got 1 sample"):
        sphere.place([[1.0]], 0.1, 0.2, 0.3)


@pytest.mark.parametrize("M_B", [4, 9, 40])
def test_partial_correlation_is_that_of_the_residuals_of_a_regression(M_B):
    rng = np.random.default_rng(M_B)
    x = rng.normal(size=M_B)
    a = rng.normal(size=(M_B, 1)) + 2 * x[:, None]
    b = rng.normal(size=(M_B, 3)) - x[:, None] + 5
    given = np.column_stack([np.ones(M_B), x])
    rest = [v - given @ np.linalg.lstsq(given, v, rcond=None)[0] for v in (a, b)]
    textbook = [np.corrcoef(rest[0][:, 0], column)[0, 1] for column in rest[1].T]
    got = sphere.partial_correlation(a, b, x)
    assert np.abs(got - textbook).max() < 1e-12
    dihedral = geometry.sample_angles(a, b, x[:, None]).dihedral[0]
    assert np.abs(got - np.cos(dihedral)).max() < 1e-12


def test_mean_correlation_over_pairs():
    u = np.random.default_rng(1).normal(3.0, 1.0, size=(20, 6))
    u[:, 3] = u[:, 0] + 0.1 * u[:, 1]
    r = np.abs(np.corrcoef(u.T))
    pairs = r[np.triu_indices(6, 1)]
    assert sphere.mean_correlation(u) == pytest.approx(pairs.mean(), abs=1e-13)


def test_neurons_that_do_not_vary_are_left_out():
    u = np.random.default_rng(2).normal(size=(20, 3))
    padded = np.column_stack([u[:, :2], np.full(20, 7.3), u[:, 2], np.zeros(20)])
    assert sphere.mean_correlation(padded) == pytest.approx(sphere.mean_correlation(u), abs=1e-14)
    with pytest.raises(ValueError, match="u: got 1 neurons that vary"):
        sphere.mean_correlation(padded[:, 2:])


# ---- one neuron in training


def neuron(batch_norm, seed=0):
    net = network.create([3, 1], batch_norm=batch_norm, activation="identity", rng=seed)
    rng = np.random.default_rng(seed)
    return net, rng.normal(size=(12, 3)), (rng.random((12, 1)) < 0.5).astype(float)


def cost_by_hand(parameters, psi, phi):
    """Cost of the neuron with BN; parameters are W (3), γ, β."""
    x = psi @ parameters[:3]
    x = x - x.mean()
    y = parameters[3] * x / np.sqrt((x * x).mean()) + parameters[4]
    u = 1 / (1 + np.exp(-y))
    return -(phi[:, 0] * np.log(u) + (1 - phi[:, 0]) * np.log(1 - u)).mean()


@pytest.mark.parametrize("names", [["W"], ["gamma", "beta"], ["W", "gamma", "beta"]])
def test_the_named_parameters_descend_and_the_others_stay(names):
    net, psi, phi = neuron(batch_norm=True)
    layer = net.layers[0]
    expected = np.concatenate([layer.W[0], layer.gamma, layer.beta])
    moving = np.array([name in names for name in ["W"] * 3 + ["gamma", "beta"]])
    costs = []
    for _ in range(5):
        costs.append(cost_by_hand(expected, psi, phi))
        slope = complex_step(lambda p: cost_by_hand(p, psi, phi), expected)
        expected = expected - 0.3 * moving * slope
    path = sphere.train_neuron(net, psi, phi, parameters=names, learning_rate=0.3, steps=5)
    layer = net.layers[0]
    got = np.concatenate([layer.W[0], layer.gamma, layer.beta])
    assert np.abs(got - expected).max() < 1e-13
    assert np.abs(path.cost[:-1] - costs).max() < 1e-13
    slope = complex_step(lambda p: cost_by_hand(p, psi, phi), expected)
    assert np.abs(path.gradient[-1] - slope[:3]).max() < 1e-14


def test_the_path_holds_the_angles_before_every_step_and_after_the_last():
    net, psi, phi = neuron(batch_norm=True, seed=4)
    start = net.layers[0].W.copy()
    path = sphere.train_neuron(net, psi, phi, parameters=["W"], learning_rate=0.5, steps=7)
    shapes = {v.shape for v in (path.cost, path.mean, path.sigma, path.angles.theta1)}
    assert shapes == {(8,)}
    assert path.gradient.shape == path.angles.theta2.shape == path.angles.dihedral.shape == (8, 3)
    for k, W in ((0, start), (-1, net.layers[0].W)):
        x_hat = hat(psi @ W[0])
        delta = (1 / (1 + np.exp(-x_hat)) - phi[:, 0]) / 12
        assert path.angles.theta1[k] == pytest.approx(angle(hat(delta), x_hat), abs=1e-12)
        for j in range(3):
            theta3 = angle(hat(delta), hat(psi[:, j]))
            assert path.angles.theta3[k, j] == pytest.approx(theta3, abs=1e-12)
        assert path.mean[k] == pytest.approx(delta.mean() / delta.std(), abs=1e-12)
        assert path.sigma[k] == pytest.approx(delta.std(), rel=1e-12)


@pytest.mark.parametrize("seed", range(2))
def test_w_alone_stops_at_the_third_condition_and_all_together_at_the_baselines(seed):
    rng = np.random.default_rng(seed)
    psi = geometry.standardize(rng.normal(size=(40, 3)))
    phi = (psi[:, :1] + 2 * rng.normal(size=(40, 1)) > 0.3).astype(float)
    options = {"learning_rate": 1.0, "steps": 600}
    net = network.create([3, 1], batch_norm=True, activation="identity", rng=seed)
    alone = sphere.train_neuron(net, psi, phi, parameters=["W"], **options)
    assert np.abs(alone.gradient[-1]).max() < 1e-9
    assert np.abs(np.cos(alone.angles.dihedral[-1])).max() < 1e-6
    assert np.sin(alone.angles.theta1[-1]) > 0.05 and np.sin(alone.angles.theta2[-1]).min() > 0.05
    joined = sphere.train_neuron(net, psi, phi, parameters=["W", "gamma", "beta"], **options)
    plain = network.create([3, 1], batch_norm=False, activation="identity", rng=seed)
    without = sphere.train_neuron(plain, psi, phi, parameters=["W", "b"], **options)
    assert joined.cost[-1] == pytest.approx(without.cost[-1], abs=1e-8)
    assert joined.cost[-1] < alone.cost[-1] - 1e-4
    assert np.abs(np.cos(joined.angles.theta3[-1])).max() < 1e-3


def test_training_refuses_other_networks():
    net = network.create([3, 2], batch_norm=True, activation="tanh", rng=0)
    with pytest.raises(ValueError, match=r"neuron: got sizes \[3, 2\]"):
        sphere.train_neuron(net, None, None, parameters=["W"], learning_rate=0.1, steps=1)
    net, psi, phi = neuron(batch_norm=True)
    with pytest.raises(ValueError, match=r"parameters: got \['b'\], wanted some of W, gamma, beta"):
        sphere.train_neuron(net, psi, phi, parameters=["W", "b"], learning_rate=0.1, steps=1)
    with pytest.raises(ValueError, match="steps: got -1"):
        sphere.train_neuron(net, psi, phi, parameters=["W"], learning_rate=0.1, steps=-1)


def test_the_middle_between_flat_and_folded_is_flat():
    assert sphere.reachable(3, 1.0, 2.0, np.pi / 2) == (1.0, 2.0, 0.0)
    assert sphere.reachable(2, np.pi / 2, 2.0, 0.5) == (0.0, np.pi, 0.5)


def test_corners_of_negative_angles_are_mirrored():
    mirrored = np.array([[1, 1, 1], [1, -1, -1], [1, 1, -1]])
    got = sphere.corners(-0.4, -0.9, 0.3)
    np.testing.assert_allclose(got, mirrored * sphere.corners(0.4, 0.9, 0.3), rtol=1e-15)


def test_neurons_that_vary_by_rounding_alone_are_left_out():
    """Against their mean, not against 1; all others count, however large their mean."""
    rng = np.random.default_rng(0)
    u = 1e-3 * hat(rng.normal(size=8))[:, np.newaxis] * [1.0, -2.0] + 1e-9
    almost = 100 * (1 + np.finfo(float).eps * rng.integers(-3, 4, size=8))
    assert sphere.mean_correlation(u) == pytest.approx(1)
    assert sphere.mean_correlation(np.column_stack([u, almost])) == pytest.approx(1)
    u = rng.normal(size=(20, 3))
    for mean in ([2e6, 0, 0], 1e7, [1e9, -1e8, 0], 1e10):
        assert sphere.mean_correlation(u + mean) == pytest.approx(sphere.mean_correlation(u), 1e-5)


def test_what_x_explains_up_to_rounding_has_no_partial_correlation():
    rng = np.random.default_rng(0)
    for M_B, mean in itertools.product((3, 8, 64), (0, 1e3, 1e8)):
        x, other = rng.normal(size=M_B), rng.normal(size=(M_B, 2))
        of_x = (3 * x + mean)[:, np.newaxis]
        with pytest.raises(ValueError, match=r"^a: got column 0, which x explains up to rounding"):
            sphere.partial_correlation(of_x, other, x)
        with pytest.raises(ValueError, match=r"^b: got column 1, which x explains"):
            sphere.partial_correlation(other[:, :1], np.hstack([other[:, 1:], of_x]), x)
        # Nor is there an angle there: the convention stands for it.
        angles = geometry.sample_angles(other, of_x, x[:, np.newaxis] * [1.0, -2.0])
        np.testing.assert_array_equal(angles.dihedral, np.pi / 2)
        # A part of its own, small but no rounding, is measured.
        own = sphere.partial_correlation(of_x + 1e-4 * other[:, :1], other[:, :1], x)
        np.testing.assert_allclose(own, 1, atol=1e-3)


def test_what_is_no_frame_is_refused():
    frame = sphere.frame(*three(8))
    for wrong in (2 * frame, frame + 0.1, frame[:, [0, 0, 1]], np.eye(8)[:, :3]):
        with pytest.raises(ValueError, match=r"^frame: got .* not orthonormal and of mean 0"):
            sphere.place(wrong, 1.0, 2.0, 0.5)


def test_a_frame_of_too_few_directions_is_refused():
    rng = np.random.default_rng(0)
    for M_B in (4, 8, 64):
        frame = sphere.frame(*rng.normal(size=(3, M_B)))
        for columns in (1, 2):
            with pytest.raises(ValueError, match=f"^frame: got {columns} of the directions"):
                sphere.place(frame[:, :columns], 1.0, 2.0, 0.5)
        # In a plane two are enough.
        for v in sphere.place(frame[:, :2], 1.0, 2.0, math.pi):
            assert v @ v == pytest.approx(M_B, rel=1e-12)


def test_a_training_of_no_steps_looks_once():
    rng = np.random.default_rng(0)
    neuron = network.create([3, 1], batch_norm=True, activation="tanh", rng=0)
    psi, phi = rng.normal(size=(6, 3)), np.array([[0.0], [1.0]] * 3)
    options = {"learning_rate": 0.1, "steps": 0}
    path = sphere.train_neuron(neuron, psi, phi, parameters=["W"], **options)
    assert path.cost.shape == (1,) and path.gradient.shape == (1, 3)
    assert path.cost[0] == network.cost_and_gradients(neuron, psi, phi)[0]
    twice, once = (
        sphere.train_neuron(
            copy.deepcopy(neuron), psi, phi, parameters=names, learning_rate=0.1, steps=1
        )
        for names in (["W", "W"], ["W"])
    )
    assert (twice.cost == once.cost).all()
    with pytest.raises(ValueError, match=r"^parameters: got 'W', wanted a list of names"):
        sphere.train_neuron(neuron, psi, phi, parameters="W", **options)
    with pytest.raises(ValueError, match=r"^psi: got .*complex"):
        sphere.train_neuron(neuron, psi + 1j, phi, parameters=["W"], **options)
