"""What the explorers and pictures of chapter 4 show."""

import itertools

import numpy as np
import pytest
from driving import positions, random_states

from bnnotes import digits, network
from bnnotes.check import complex_step
from bnnotes.pictures import geometry as pictures


def angle(a, b):
    return 2 * np.arctan2(np.linalg.norm(a - b), np.linalg.norm(a + b))


def mixing(x_hat):
    """M, written out."""
    return np.eye(len(x_hat)) - (1 + np.outer(x_hat, x_hat)) / len(x_hat)


def check_triangle(result, values):
    M_B = result.M_B
    assert result.asked == (values["theta1"], values["theta2"], values["dihedral"])
    if M_B == 1:
        assert result.points is None and result.explanation
        return
    x_hat, delta, u = result.vectors
    assert np.abs(result.vectors.mean(axis=1)).max() < 1e-12
    # The points are the vectors, seen in fewer dimensions.
    products = result.vectors @ result.vectors.T
    assert np.abs(result.points @ result.points.T - products).max() < 1e-12 * M_B
    assert np.abs(np.diag(products) - M_B).max() < 1e-11
    theta1, theta2, dihedral = np.radians(result.asked)
    if M_B > 2:
        assert abs(angle(delta, x_hat) - theta1) < 1e-11
        assert abs(angle(u, x_hat) - theta2) < 1e-11
    measured = np.radians(result.angles)
    assert abs(measured[2] - angle(delta, u)) < 1e-11
    bn, baseline, gamma = result.gradients
    assert abs(bn - delta @ mixing(x_hat) @ u / M_B) < 1e-12
    assert abs(baseline - delta @ u / M_B) < 1e-12
    assert abs(gamma - delta @ x_hat / M_B) < 1e-12
    product = np.sin(theta1) * np.sin(theta2) * np.cos(dihedral)
    if M_B > 3:
        assert abs(bn - product) < 1e-11
        assert np.abs(result.points - result.wished).max() < 1e-9
    elif M_B == 3:
        assert abs(abs(bn) - np.sin(theta1) * np.sin(theta2)) < 1e-11
    else:
        assert abs(bn) < 1e-13
    assert len(result.spokes) == (M_B if M_B <= 4 else 0)


def check_means(result, values):
    assert (result.M_B, result.offset, result.mean) == tuple(values.values())
    if result.M_B < 3:
        assert result.ratios.size == 0 and result.explanation
        return
    assert (result.ratios > 0).all()
    assert result.ratios.size == 120
    # BN does not see the offset; the baseline sees it through ⟨Δ⟩ alone.
    assert np.ptp(result.bn) < 1e-9 * result.bn.max()
    if result.mean == 0:
        assert np.ptp(result.baseline) < 1e-9 * result.baseline.max()
    else:
        largest = result.mean * pictures.OFFSETS[-1]
        assert abs(result.baseline[-1] - largest) < 1


def check_stops(result, values):
    assert (result.M_B, result.inputs) == tuple(values.values())
    if result.factors is None:
        assert result.M_B == 1
        return
    sin1, sin2, cos = result.factors
    gradient, cos3, cos1, spread = result.sizes
    steps = pictures.STEPS + 1
    assert sin1.shape == gradient.shape == cos3.shape == cos1.shape == spread.shape == (steps,)
    assert sin2.shape == cos.shape == (steps, result.inputs)
    assert np.abs(sin1**2 + cos1**2 - 1).max() < 1e-12
    for factor in (sin1, sin2, cos[~np.isnan(cos)], cos3):
        assert (factor > -1e-15).all() and (factor < 1 + 1e-15).all()
    assert result.rank == min(result.inputs, result.M_B - 1)  # of these digits


CHECKS = {
    "Triangle": check_triangle,
    "Means": check_means,
    "Stops": check_stops,
}


@pytest.mark.parametrize("name", CHECKS)
def test_one_sample_is_explained(name):
    explorer = getattr(pictures, name)()
    assert not explorer._note.get_text()
    explorer.set(M_B=1)
    assert "one sample" in explorer.readout.lower()
    assert explorer._note.get_text() == explorer.result.explanation != ""
    explorer.reset()
    assert not explorer._note.get_text()


# ---- the triangle


@pytest.fixture(scope="module")
def triangle():
    return pictures.Triangle()


def on_page(triangle):
    """Where x̂, Δ̂ and û are drawn, picture coordinates (3, 2); the sphere has radius 1."""
    return np.array([dot.get_data() for dot in triangle._sphere.dots], float)[:, :, 0]


def seen(azimuth, elevation):
    """Right and up of a viewer, from rotation matrices about two axes."""
    a, e = np.radians([azimuth, elevation])
    turn = np.array([[np.cos(a), np.sin(a), 0], [-np.sin(a), np.cos(a), 0], [0, 0, 1]])
    tilt = np.array([[np.cos(e), 0, np.sin(e)], [0, 1, 0], [-np.sin(e), 0, np.cos(e)]])
    # After both, the viewer stands on the first axis.
    return (tilt @ turn)[1:]


def test_angles_measured_off_the_drawn_points_are_those_of_sample_space(triangle):
    """Two views of the figure give every corner back in three dimensions, as two eyes do."""
    rng, views = np.random.default_rng(7), [(35, 15), (110, -40)]
    lines = np.vstack([seen(*view) for view in views])
    for M_B in positions(triangle.controls["M_B"])[1:]:
        for theta1, theta2, dihedral in 5 * rng.integers(0, 37, size=(4, 3)):
            corners = []
            for azimuth, elevation in views:
                wish = {"theta1": int(theta1), "theta2": int(theta2), "dihedral": int(dihedral)}
                triangle.set(M_B=M_B, azimuth=azimuth, elevation=elevation, **wish)
                corners.append(on_page(triangle))
            drawn = np.linalg.lstsq(lines, np.hstack(corners).T, rcond=None)[0].T
            vectors = triangle.result.vectors
            for a, b in itertools.combinations(range(3), 2):
                difference = angle(drawn[a], drawn[b]) - angle(vectors[a], vectors[b])
                assert abs(difference) < 1e-12
    triangle.reset()


def test_dihedral_measured_off_the_drawn_points_is_that_of_the_residuals(triangle):
    lines = np.vstack([seen(35, 15), seen(110, -40)])
    for wish in ((60, 50, 70), (120, 95, 15), (35, 150, 165)):
        corners = []
        for azimuth, elevation in ((35, 15), (110, -40)):
            angles = dict(zip(("theta1", "theta2", "dihedral"), wish, strict=True))
            triangle.set(M_B=16, azimuth=azimuth, elevation=elevation, **angles)
            corners.append(on_page(triangle))
        x_hat, delta, u = np.linalg.lstsq(lines, np.hstack(corners).T, rcond=None)[0].T
        normals = np.cross(x_hat, delta), np.cross(x_hat, u)
        off_the_picture = angle(*(n / np.linalg.norm(n) for n in normals))
        x, d, v = triangle.result.vectors
        rest = [mixing(x) @ w for w in (d, v)]
        in_sample_space = angle(*(w / np.linalg.norm(w) for w in rest))
        assert abs(off_the_picture - in_sample_space) < 1e-12
        assert abs(in_sample_space - np.radians(wish[2])) < 1e-12
    triangle.reset()


@pytest.mark.parametrize("M_B", [2, 3, 4])
def test_the_entries_are_shadows_on_the_axes_of_the_samples(triangle, M_B):
    result = triangle.compute(M_B, 60, 50, 70, 0, 0)
    assert np.abs(np.linalg.norm(result.spokes, axis=1) - 1).max() < 1e-12
    # Two axes of M_B samples, without their mean, have this cosine.
    cosines = result.spokes @ result.spokes.T + np.eye(M_B) * (-1 / (M_B - 1) - 1)
    assert np.abs(cosines + 1 / (M_B - 1)).max() < 1e-12
    shadows = np.sqrt(1 - 1 / M_B) * result.points @ result.spokes.T
    assert np.abs(shadows - result.vectors).max() < 1e-12


def test_no_label_covers_another(triangle):
    for _ in random_states(triangle, 60, np.random.default_rng(3)):
        labels = [label for label in triangle._sphere.labels if label.get_visible()]
        boxes = [label.get_window_extent() for label in labels]
        for a, b in itertools.combinations(boxes, 2):
            wide = min(a.x1, b.x1) - max(a.x0, b.x0)
            high = min(a.y1, b.y1) - max(a.y0, b.y0)
            assert min(wide, high) < 4


def test_small_batches_say_why_the_wish_is_not_met(triangle):
    triangle.set(M_B=3, dihedral=60)
    assert "a plane: φ asked 60°, got 0°" in triangle.readout
    triangle.set(dihedral=120)
    assert "a plane: φ asked 120°, got 180°" in triangle.readout
    triangle.set(M_B=2, theta1=100, theta2=20)
    assert "a line: asked θ1 100°, θ2 20°, got 180°, 0°" in triangle.readout
    triangle.set(M_B=1)
    assert "0/0" in triangle.readout
    triangle.reset()


def test_what_lies_behind_is_drawn_faint(triangle):
    opacity = {}
    for elevation in (90, -90):
        triangle.set(elevation=elevation)
        opacity[elevation] = triangle._sphere.dots[0].get_alpha()
    assert opacity[-90] < 0.5 < opacity[90] == 1
    triangle.reset()


# ---- the projection


def test_a_view_is_orthonormal_and_looks_from_where_it_says():
    for azimuth, elevation in ((0, 0), (35, 15), (-120, 80), (10, -90)):
        view = pictures.view(azimuth, elevation)
        axes = np.stack(view)
        assert np.abs(axes @ axes.T - np.eye(3)).max() < 1e-14
        assert np.linalg.det(axes) == pytest.approx(1)
        assert np.abs(axes[:2] - seen(azimuth, elevation)).max() < 1e-14


def test_an_arc_is_the_shortest_way_on_the_sphere():
    rng = np.random.default_rng(0)
    for a, b in rng.normal(size=(20, 2, 3)):
        a, b = 2 * a / np.linalg.norm(a), 2 * b / np.linalg.norm(b)
        arc = pictures.arc(a, b)
        assert np.abs(arc[0] - a).max() < 1e-14 and np.abs(arc[-1] - b).max() < 1e-12
        assert np.abs(np.linalg.norm(arc, axis=1) - 2).max() < 1e-14
        assert np.abs(arc @ np.cross(a, b)).max() < 1e-12
        steps = [angle(p, q) for p, q in itertools.pairwise(arc)]
        assert np.ptp(steps) < 1e-12
        assert sum(steps) == pytest.approx(angle(a, b), abs=1e-12)


def test_an_arc_between_opposite_points_passes_where_it_should():
    up, via = np.array([0, 0, 1.0]), np.array([0.6, 0.8, 0.0])
    arc = pictures.arc(up, -up, via)
    assert np.abs(arc[len(arc) // 2] - via).max() < 1e-12
    # Where the way says nothing, any will do.
    assert np.abs(np.linalg.norm(pictures.arc(up, -up, up), axis=1) - 1).max() < 1e-14


def test_the_two_parts_of_a_curve_are_the_curve():
    view, circle = pictures.view(20, 30), pictures.circle([1, 2, 3])
    front, behind = pictures.split(view, circle)
    depth = circle @ view.toward
    clear = np.abs(depth) > 0.1
    assert (np.isnan(front).any(axis=1) == (depth < 0))[clear].all()
    assert (np.isnan(behind).any(axis=1) == (depth > 0))[clear].all()


def test_labels_keep_apart():
    wanted = np.array([[0.0, 0.0], [0.0, 0.0], [0.05, 0.0], [1.3, 0.0]])
    moved = pictures.apart(wanted, np.array([[0.0, 0.02]]), 0.15, 1.2)
    everything = np.vstack([moved, [[0.0, 0.02]]])
    gaps = [np.linalg.norm(a - b) for a, b in itertools.combinations(everything, 2)]
    assert min(gaps) > 0.14
    assert np.linalg.norm(moved, axis=1).max() <= 1.2 + 1e-12


# ---- the means


@pytest.fixture(scope="module")
def means():
    return pictures.Means()


def test_the_ratio_is_that_of_the_two_gradients_by_hand(means):
    data = digits.load("ten")
    layers = pictures.views(pictures.three_layers()[4], data.psi[:16], data.phi[:16])
    delta, u_prev, normalized, _ = layers[2]
    result = means.compute(16, 10.0, 0.3)
    ratios = []
    for i, j in itertools.product(range(10), range(12)):
        d = (delta[:, i] - delta[:, i].mean()) / delta[:, i].std() + 0.3
        u = (u_prev[:, j] - u_prev[:, j].mean()) / u_prev[:, j].std() + 10
        ratios.append(abs(d @ u / (d @ mixing(normalized.x_hat[:, i]) @ u)))
    assert np.abs(result.ratios / ratios - 1).max() < 1e-6


def test_orders_of_magnitude_need_both_means(means):
    medians = {
        offset: np.median(means.compute(64, offset, 0.3).ratios) for offset in (0.0, 10.0, 1000.0)
    }
    assert 1 < medians[0.0] < 3 and 20 < medians[10.0] < 90 and 2000 < medians[1000.0] < 9000
    assert np.median(means.compute(64, 1000.0, 0.0).ratios) < 3


# ---- the ranks


@pytest.mark.parametrize("seed", range(5))
def test_what_the_inputs_reach_decides_where_the_error_stops(seed):
    """Squared error: W climbs to x̂ along the part of the target that the inputs span."""
    rng, neurons, heights = np.random.default_rng(seed), {}, {}
    q = np.linalg.qr(np.column_stack([np.ones(4), rng.normal(size=(4, 3))]))[0][:, 1:]
    target = rng.normal(size=(4, 1))
    for rank in (1, 2, 3):
        span = q[:, :rank]
        starts, ends = rng.normal(size=(rank, 1)), span.T @ target
        x_hats = [span @ (2 * w / np.linalg.norm(w)) for w in (starts, ends)]
        u = span @ rng.normal(size=(rank, 4))
        moments = [(x_hat, (0.7 * x_hat + 0.2 - target) / 4) for x_hat in x_hats]
        neurons[rank] = 2 * u / np.linalg.norm(u, axis=0), *moments
        drawn = [pictures._plane(neurons[rank][0], *moment) for moment in moments]
        assert [plane.span for plane in drawn] == [rank - 1] * 2
        heights[rank] = [abs(plane.vectors[-1, 1]) for plane in drawn]
        lengths = [np.linalg.norm(plane.vectors[-1]) for plane in drawn]
        if rank == 1:
            assert lengths[0] == pytest.approx(lengths[1])
    unreached = abs(q[:, 2] @ target)
    assert heights[2] == pytest.approx([unreached[0]] * 2)
    _, line, plane = pictures.ranks(neurons).alt.split("; ")[1:]
    assert " at 90° to it after. " in line and plane.endswith(" before, zero after.")


# ---- the stops


@pytest.fixture(scope="module")
def stops():
    return pictures.Stops()


@pytest.mark.parametrize("inputs", [1, 2, 3, 4])
@pytest.mark.parametrize("M_B", [2, 3, 4, 5, 64])
def test_the_rank_of_the_inputs_decides_which_condition_stops_w(stops, M_B, inputs):
    result = stops.compute(M_B=M_B, inputs=inputs)
    said = stops.say(result)
    sin1, sin2, cos = (factor[pictures.JOIN] for factor in result.factors)
    gradient, rank = result.sizes[0], min(inputs, M_B - 1)
    if (M_B, inputs) == (4, 3):  # these inputs are nearly of rank 2, and W is slow
        assert sin1 < 0.1 and "W alone still moves at step 400" in said
        return
    assert gradient[pictures.JOIN] < 1e-6
    if rank == 1:
        assert gradient.max() < 1e-12 and sin2.max() < 1e-7
        assert "W alone never moves" in said
    elif rank == M_B - 1:
        assert sin1 < 1e-4 < 0.1 < sin2.min() and gradient[0] > 1e-4
        assert "W alone stops at sinθ1 = 0" in said
    else:
        assert cos.max() < 1e-4 < 0.1 < min(sin1, *sin2)
        assert "W alone stops at φ = 90°" in said


def test_gamma_and_beta_lead_to_the_stop_of_the_baseline(stops):
    assert "all stop where the baseline does" in stops.readout
    gradient, cos3, cos1, spread = (size[-1] for size in stops.result.sizes)
    assert max(gradient, cos3, cos1) < 1e-6 < 0.1 < spread
    assert stops.result.sizes[2][pictures.JOIN] > 0.2


def test_labels_that_can_be_reached_end_by_a_small_error_and_no_angle(stops):
    stops.set(M_B=10)
    _, cos3, cos1, spread = stops.result.sizes
    assert min(cos3[-1], cos1[-1]) > 0.1 and (np.diff(spread[pictures.JOIN + 1 :]) < 0).all()
    assert spread[-1] < 0.1 * spread[0]
    assert "σ(Δ) still falls" in stops.readout
    stops.reset()


def test_the_quadrants_hold_all_the_ink():
    ink, phi = pictures.quadrants(20)
    data = digits.load("odd")
    assert np.abs(ink.sum(axis=1) - data.psi[:20].sum(axis=1)).max() < 1e-12
    image = data.psi[3].reshape(8, 8)
    corners = [image[:4, :4], image[:4, 4:], image[4:, :4], image[4:, 4:]]
    assert np.abs(ink[3] - [c.sum() for c in corners]).max() < 1e-12
    assert (phi == data.phi[:20]).all()


# ---- real layers


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_the_error_of_a_layer_is_the_slope_of_the_cost(layer):
    """∂C/∂y of the layer, by the complex step through the layers above, written out."""
    M_B, net = 6, pictures.three_layers()[2]
    psi, phi = (v[:M_B] for v in (digits.load("ten").psi, digits.load("ten").phi))
    view = pictures.views(net, psi, phi)[layer - 1]
    own = net.layers[layer - 1]
    y = own.gamma * view.normalized.x_hat + own.beta

    def cost(y):
        for above in net.layers[layer:]:
            x = np.tanh(y) @ above.W.T
            x = x - x.mean(axis=0)
            y = above.gamma * x / np.sqrt((x * x).mean(axis=0)) + above.beta
        u = 1 / (1 + np.exp(-y))
        return -(phi * np.log(u) + (1 - phi) * np.log(1 - u)).sum() / M_B

    assert np.abs(complex_step(cost, y) - view.delta).max() < 1e-13


# ---- neurons


def test_depth_and_training():
    waited = []

    def progress(runs):
        waited.append(len(runs))
        return runs

    deep = pictures.untrained(range(2), M_B=32, progress=progress)
    trained = pictures.trained(range(1), epochs=1, progress=progress)
    assert waited == [4, 8]
    for kind in ("BN", "baseline"):
        assert deep[kind].shape == (2, len(pictures.DEPTHS))
        assert list(trained.correlation[kind]) == list(pictures.HIDDEN)
        for values in (deep[kind], *trained.correlation[kind].values()):
            assert ((0 < values) & (values < 1)).all()
    # Untrained, on so many of the training digits.
    layers = [64, *[pictures.WIDTH] * pictures.DEPTHS[-1], 1]
    W = network.create(layers, batch_norm=False, activation="relu", rng=1).layers[0].W
    u = np.maximum(digits.load("ten").psi[:32] @ W.T, 0)
    seen = np.abs(np.corrcoef(u[:, u.any(axis=0)].T))
    mean = (seen.sum() - len(seen)) / (seen.size - len(seen))
    assert deep["baseline"][1, 0] == pytest.approx(mean)
    # Before the training: of the last hidden layer, on the held-out digits.
    psi = digits.load("ten").psi_test
    net = network.create([64, 32, 32, 10], batch_norm=False, activation="relu", rng=0)
    u = np.maximum(np.maximum(psi @ net.layers[0].W.T, 0) @ net.layers[1].W.T, 0)
    off_diagonal = ~np.eye(32, dtype=bool)
    mean = np.abs(np.corrcoef(u.T))[off_diagonal].mean()
    assert trained.correlation["baseline"][2][0, 0] == pytest.approx(mean)
    assert deep["BN"][:, -1].max() < deep["baseline"][:, -1].min()
    picture = pictures.correlations(deep, trained.correlation)
    assert picture.png.startswith(b"\x89PNG") and picture.alt
