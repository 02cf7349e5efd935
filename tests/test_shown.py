"""What a reader sees is the result: each artist's place, color and extent, each number in words.

The result itself is checked in the tests of its chapter; here it is recomputed from what is drawn.
"""

import itertools
import re

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from bnnotes.pictures import batchnorm, look, training


def numbers(text):
    """The numbers in a text after its batch size, as they are written."""
    found = re.findall(r"−?\d+(?:\.\d+)?%?", text.partition(":")[2] or text)
    return [float(n.rstrip("%").replace("−", "-")) for n in found]


def two(*values):
    return [round(float(value), 2) for value in values]


def percent(*shares):
    return [float(f"{100 * share:.0f}") for share in shares]


def same_color(artist, of):
    return to_rgb(artist.get_color()) == to_rgb(of.color)


def xy(line):
    return line.get_xydata()


@pytest.fixture(scope="module")
def made():
    """Each explorer once: its sliders move from test to test."""
    classes = [getattr(batchnorm, name) for name in ("Normalization", "Kernel", "Split")]
    classes += [batchnorm.MovedSample, batchnorm.ClassMix, training.NetworksInTraining]
    return {cls.__name__: cls() for cls in classes}


@pytest.mark.parametrize("M_B", [3, 8, 64])
def test_normalization(made, M_B):
    mine = made["Normalization"]
    mine.set(M_B=M_B, gamma=-1.2, beta=0.7, eps=0.1)
    result, heights, said = mine.result, [], []
    for name, of in (("x", look.X), ("x_hat", look.X_HAT), ("y", look.Y)):
        values = getattr(result, name)
        points, spread, mean, label = mine._rows[name]
        assert same_color(points, of) and same_color(spread, of)
        np.testing.assert_array_equal(points.get_xdata(), values)
        (height,) = set(points.get_ydata())
        heights.append(height)
        np.testing.assert_allclose(
            spread.get_xdata(), values.mean() + values.std() * np.array([-1, 1])
        )
        np.testing.assert_allclose(mean.get_xdata(), [values.mean()])
        said += two(values.mean(), values.std())
        assert numbers(label.get_text()) == said[-2:]
    assert sorted(heights, reverse=True) == heights  # from x above to y below
    assert numbers(mine.readout) == said
    threads = mine._threads.get_xydata().reshape(M_B, 4, 2)
    np.testing.assert_array_equal(threads[:, :3, 0], np.transpose(result[:3]))


@pytest.mark.parametrize(("M_B", "pushed"), list(itertools.product((3, 8, 64), (0.25, 1.0))))
def test_kernel(made, M_B, pushed):
    mine = made["Kernel"]
    mine.set(M_B=M_B, pushed=pushed, neuron=3, eps=0.01)
    kernel, x_hat, t = mine.result.kernel, mine.result.x_hat, mine.result.pushed
    assert t == round(pushed * (M_B - 1))
    # An entry in row s from above and column t from the left, one color for one value.
    np.testing.assert_array_equal(mine._map.get_array(), kernel)
    assert mine._map.get_extent() == [0, 1, 1, 0] and mine._map.origin == "upper"
    assert mine._map.axes.get_ylim() == (1, 0) and mine._map.axes.get_xlim() == (0, 1)
    assert mine._map.get_clim() == (-1, 1) and mine._map.get_cmap().name == look.SIGNED
    frame = xy(mine._frame)
    np.testing.assert_allclose(
        [frame.min(axis=0), frame.max(axis=0)], [[t / M_B, 0], [(t + 1) / M_B, 1]]
    )
    others = np.arange(M_B) != t
    np.testing.assert_array_equal(xy(mine._others), np.stack([x_hat, kernel[:, t]], 1)[others])
    np.testing.assert_array_equal(xy(mine._own), [[x_hat[t], kernel[t, t]]])
    np.testing.assert_array_equal(xy(mine._base), [[x_hat[t], 1]])
    column = np.delete(kernel[:, t], t)
    assert numbers(mine.readout) == two(kernel[t, t], column.min(), column.max())
    own, base = mine._labels
    assert (own.get_text(), base.get_text()) == ("$y_t$ itself", "baseline")
    assert base.get_position()[1] == 1


@pytest.mark.parametrize(("M_B", "epochs"), [(3, 1), (16, 0), (64, 5)])
def test_split(made, M_B, epochs):
    mine = made["Split"]
    mine.set(M_B=M_B, digit=3, epochs=epochs)
    result, looks = mine.result, (look.DELTA, look.GRADIENT, look.X_HAT, look.DELTA)
    parts = result.error, result.mean, result.along_x_hat, result.mixed
    shares = [part @ part / (result.error @ result.error) for part in parts]
    for (_, line, points, share), values, of, part in zip(
        mine._rows, parts, looks, shares, strict=True
    ):
        assert same_color(line, of) and same_color(points, of)
        np.testing.assert_array_equal(points.get_ydata(), values)
        assert (np.diff(points.get_xdata()) > 0).all()
        if share.get_text():
            assert numbers(share.get_text()) == percent(part)
    assert numbers(mine.readout) == percent(*shares[1:])
    words = mine.readout.partition(":")[2]
    assert words.index("β") < words.index("γ") < words.index("below")
    takers = [ax.texts[1].get_text() for ax in mine.figure.axes]
    assert takers == ["", "β takes", "γ takes", "passed below"]


@pytest.mark.parametrize("M_B", [3, 8, 16])
def test_moved_sample(made, M_B):
    mine = made["MovedSample"]
    mine.set(M_B=M_B, shift=1.25)
    result = mine.result
    rows = (
        (result.batch_norm_before, result.batch_norm, look.BATCH_NORM),
        (result.baseline_before, result.baseline, look.BASELINE),
    )
    for (before, line, points), (old, new, of) in zip(mine._bars, rows, strict=True):
        assert same_color(line, of) and same_color(points, of)
        assert line.axes.texts[0].get_text() == of.label
        np.testing.assert_array_equal(before.get_ydata(), old)
        np.testing.assert_array_equal(points.get_ydata(), new)
    moved = np.abs(result.batch_norm - result.batch_norm_before)[1:].max()
    assert numbers(mine.readout) == [M_B - 1, *two(moved), 0]
    # The first digit stands first, on its feet, and in the frame.
    strip, image = mine._digits.get_array(), result.images[0]
    left, right = (round(edge * strip.shape[1] - half) for edge, half in (
        (xy(mine._frame)[:, 0].min(), -0.5), (xy(mine._frame)[:, 0].max(), 0.5)))  # fmt: skip
    np.testing.assert_array_equal(strip[:, left:right], image)
    assert mine._digits.get_extent() == [0, 1, 0, 1] and mine._digits.origin == "upper"


@pytest.mark.parametrize(("M_B", "share"), [(2, 0.5), (16, 0.25), (64, 0.875)])
def test_class_mix(made, M_B, share):
    mine = made["ClassMix"]
    mine.set(M_B=M_B, share=share)
    result, said = mine.result, []
    for (_, classes, mean, right), logits in zip(mine._rows, result[:2], strict=True):
        for points, of, odd in zip(classes, (look.CLASS_0, look.CLASS_1), (0, 1), strict=True):
            assert same_color(points, of) and points.get_marker() == of.marker
            np.testing.assert_array_equal(points.get_xdata(), logits[result.odd == odd])
        np.testing.assert_allclose(mean.get_xdata(), [logits.mean()])
        correct = np.mean((logits > 0) == result.odd)
        assert numbers(right.get_text()) == percent(correct)
        said += [*two(logits.mean()), *percent(correct)]
    assert f"{round(share * M_B)} of them odd" in mine.readout
    assert numbers(mine.readout.partition("odd")[2]) == said
    names = [text.get_text() for text in mine.figure.axes[0].texts]
    assert names[-2:] == ["even digit", "odd digit"]
    assert names.index("by its own\nbatch") < names.index("by the\ntraining data")


def test_networks_in_training(made):
    mine = made["NetworksInTraining"]
    mine.set(M_B=8, seed=2)
    sides = mine.result.baseline, mine.result.bn
    pairs = zip(mine._planes, mine._curves, sides, (look.BASELINE, look.BATCH_NORM), strict=True)
    said, test = [], training.plane()
    for (_, image, name, _), (_, line, label), side, of in pairs:
        np.testing.assert_array_equal(image.get_array(), side.prediction)
        reach = training.REACH
        assert image.get_extent() == [-reach, reach, -reach, reach] and image.origin == "lower"
        assert name.get_text() == f"{of.label}, {side.accuracy:.0%} right"
        assert label.get_text() == of.label and same_color(line, of)
        mean = [side.cost[max(0, k - 19) : k + 1].mean() for k in range(len(side.cost))]
        np.testing.assert_allclose(line.get_ydata(), np.clip(mean, *training.COSTS))
        assert list(line.get_xdata()) == list(range(200))
        # What is said is the mean of the last twenty, and the share that the picture names.
        said += [*percent(side.accuracy), *two(side.cost[-20:].mean())]
        # Row by row from below: the prediction at a held-out digit agrees with its side of 1/2.
        odd = test.phi_test[:, 0] > 0.5
        place = np.round((test.psi_test + reach) / (2 * reach) * (training.GRID - 1)).astype(int)
        inside = ((place >= 0) & (place < training.GRID)).all(axis=1)
        column, row = place[inside].T
        right = ((side.prediction[row, column] > 0.5) == odd[inside]).mean()
        assert right == pytest.approx(side.accuracy, abs=0.03)
    assert numbers(mine.readout) == said
    even, odd = (text.get_text() for text in mine.figure.texts[:2])
    assert (even, odd) == ("● 0 or 2", "▲ 7 or 9")
    for ax in mine.figure.axes[:2]:
        dots = [line for line in ax.lines if len(line.get_xdata())]
        for line, of, chosen in zip(dots, (training.EVEN, training.ODD), (0, 1), strict=True):
            assert same_color(line, of)
            wanted = test.psi_test[test.phi_test[:, 0] == chosen]
            np.testing.assert_array_equal(xy(line), wanted)
