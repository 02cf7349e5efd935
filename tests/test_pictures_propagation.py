"""What the explorers of chapter 5 show."""

import math

import numpy as np
import pytest

from bnnotes import growth
from bnnotes.pictures import look
from bnnotes.pictures import propagation as pictures


def check_node(result, values):
    assert (result.M_B, result.eps, result.epoch) == (
        values["M_B"],
        values["eps"],
        values["epoch"],
    )
    if result.M_B == 1:
        assert result.sent is None and result.explanation
        return
    if result.M_B > 2:
        assert result.theta1 == values["theta1"]
    else:
        assert result.theta1 in (0, 180)
    _, normalized = pictures.output_layer(values["epoch"], result.M_B, result.eps)
    spread = normalized.std[pictures.NODE] ** 2
    kappa = (spread - result.eps) / spread
    assert result.kappa == pytest.approx(kappa, abs=1e-9)
    theta = math.radians(result.theta1)
    expected = math.hypot(math.sin(theta), (1 - kappa) * math.cos(theta))
    assert result.sent == pytest.approx(expected, abs=1e-7)
    assert result.gamma == pytest.approx(math.sqrt(kappa) * math.cos(theta), abs=1e-7)
    assert np.abs(result.measured - result.predicted).max() < 1e-9
    # Δ̂ is as long as all standardized vectors, and M writes the mean out of what is sent.
    assert (result.delta_hat**2).mean() == pytest.approx(1)
    assert abs(result.sent_entries.mean()) < 1e-9
    assert math.sqrt((result.sent_entries**2).mean()) == pytest.approx(result.sent, abs=1e-9)


def check_depth(result, values):
    state = (result.M_B, result.depth, result.width, result.activation, result.variance)
    assert state == tuple(values.values())
    shape = (5, result.depth)
    assert result.baseline.norms.shape == result.baseline.ranks.shape == shape
    assert (result.baseline.norms[:, -1] == 1).all()
    if result.M_B == 1:
        assert result.bn is None
        return
    assert (result.bn.norms[:, -1] == 1).all()
    assert np.isfinite(result.bn.norms).all()
    most = min(result.M_B - 1, result.width) + 1e-6
    for ranks in (result.bn.ranks, result.baseline.ranks):
        ranks = ranks[np.isfinite(ranks)]
        assert ((1 - 1e-9 <= ranks) & (ranks <= most)).all()
    if result.M_B == 2:
        assert (result.bn.norms[:, :-1] < 1e-18).all()
    check_line(result)


def check_line(result):
    """The line is the formula; it holds where it ends between the five seeds."""
    if result.M_B < 4:
        assert result.formula is None and not result.holds
        return
    M_B, activation = result.M_B, result.activation
    expected = growth.growth(activation) * (M_B - 2) / (M_B - 3)
    assert result.formula == pytest.approx(expected)
    ends, expected = result.bn.norms[:, 0], result.formula ** (result.depth - 1)
    assert result.holds == (ends.min() < expected < ends.max())


CHECKS = {"Node": check_node, "Depth": check_depth}


def test_no_sample_leaves_its_panel():
    node = pictures.Node()
    for M_B in (2, 8, 64, 1400):
        for theta1 in range(0, 181, 15):
            node.set(M_B=M_B, theta1=theta1, epoch=20)
            (low, high), drawn = node._delta_s.axes.get_ylim(), []
            for line in (node._delta_s, node._sent_s):
                drawn.extend(line.get_ydata())
            assert low < min(drawn) and max(drawn) < high
            assert max(np.abs(drawn)) == pytest.approx(1)


def test_bn_does_not_see_the_variance_of_the_weights():
    depth = pictures.Depth()
    norms = [depth.compute(16, 20, 32, "relu", v).bn.norms for v in (0.5, 4.0)]
    assert norms[0] == pytest.approx(norms[1], rel=1e-6)


@pytest.mark.parametrize(
    ("state", "color", "why"),
    [
        ((8, 30, 64, "identity", 1.0), look.INK, "Line: × 1.20."),
        ((32, 30, 64, "identity", 1.0), pictures.GRAY, "Gray line: × 1.03, off the seeds."),
        ((8, 30, 64, "tanh", 1.0), pictures.GRAY, "Gray line: × 1.41, off the seeds."),
        ((3, 30, 64, "relu", 1.0), None, "No line: infinite mean."),
    ],
)
def test_the_line_is_gray_where_it_misses(state, color, why):
    depth = pictures.Depth()
    depth.set(**dict(zip(depth.controls, state, strict=True)))
    assert depth.readout.endswith(why)
    assert depth._expected.get_visible() == (color is not None)
    if color:
        assert depth._expected.get_color() == depth._expected_text.get_color() == color
