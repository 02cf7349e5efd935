"""What a still shows is what it was given: each picture of the book that is no explorer."""

import numpy as np
import pytest
import seen
from matplotlib.colors import to_rgb
from matplotlib.text import Annotation
from test_shown import at, same

from bnnotes.pictures import (
    baseline,
    batchnorm,
    errata,
    geometry,
    look,
    normalizers,
    propagation,
    sample_space,
    training,
    wrong_gradients,
)
from bnnotes.sweep import Band

rng = np.random.default_rng(0)


@pytest.fixture
def drawn(monkeypatch, request):
    """Draw a picture; return its figure, alternative text and axes, before they become pixels."""
    found = []

    def still(figure, alt, note=""):
        found.extend([*seen.look_of(figure), seen.words(alt), note])
        return figure, alt, figure.axes

    monkeypatch.setattr(look, "still", still)
    monkeypatch.setitem(globals(), "rng", np.random.default_rng(0))  # whatever ran before
    yield lambda picture, *arguments: picture(*arguments)
    seen.unchanged(request.node.name, found)


def lines(ax, n):
    """The points of the axes' lines that have n of them."""
    return [line for line in ax.lines if len(line.get_xdata()) == n]


def texts(ax):
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("chapter", [baseline, batchnorm])
def test_schematic(drawn, chapter):
    drawn(chapter.network_schematic)


def test_wall(drawn):
    drawn(normalizers.wall)


def test_samples(drawn):
    psi = rng.random((2, 64))
    _, alt, axes = drawn(baseline.samples, psi, ["a", "b"], "two")
    for ax, image, caption in zip(axes, psi, "ab", strict=True):
        (shown,) = ax.images
        np.testing.assert_array_equal(shown.get_array(), image.reshape(8, 8))
        assert shown.get_cmap().name == "gray_r" and shown.get_clim() == (0, 1)
        assert shown.origin == "upper" and texts(ax) == [caption]
    assert alt == "two"


def test_precision_of_the_logits(drawn):
    y = np.linspace(0, 50, 51)
    errors = {
        "float64": np.where(y <= 36, 1e-9, np.nan),
        "float32": np.where(y <= 17, 1e-3, np.nan),
    }
    _, alt, (ax,) = drawn(baseline.precision, y, errors)
    for line, error in zip(lines(ax, 51), errors.values(), strict=True):
        np.testing.assert_array_equal(line.get_xydata(), np.stack([y, error], 1))
    assert [line.get_xdata()[0] for line in lines(ax, 2)] == [36, 17]
    assert texts(ax) == [
        f"{d}:\nno number\nbeyond {k}" for d, k in (("float64", 36), ("float32", 17))
    ]
    assert "float64 beyond 36, float32 beyond 17" in alt
    assert ax.get_xlim() == (0, 50) and ax.get_yscale() == "log"


@pytest.mark.parametrize(("last", "said"), [(1.2, "only grows"), (1.05, "grows and shrinks")])
def test_lengths_of_the_weights(drawn, last, said):
    squares = np.array([[1.0, 2.0], [1.1, 2.1], [last, 2.2]])
    stretches, costs = (
        np.array([0.125, 1, 8]),
        {0.0: np.full(3, 0.8), 0.1: np.array([1.2, 0.9, 0.8])},
    )
    _, alt, (left, right) = drawn(sample_space.lengths, stretches, costs, squares)
    for line, cost, style in zip(left.lines, costs.values(), ("-", "--"), strict=True):
        at(line, stretches, cost)
        assert line.get_linestyle() == style
    assert texts(left) == ["ε = 0", "ε = 0.1"]
    for line, column in zip(right.lines, squares.T, strict=True):
        at(line, range(3), column)
    assert said in alt and "2 neurons over 2 steps" in alt
    assert [label.get_text() for label in left.get_xticklabels()] == ["⅛", "½", "1", "2", "8"]


def test_correlations(drawn):
    deep = {name: rng.random((3, len(geometry.DEPTHS))) for name in ("BN", "baseline")}
    trained = {name: {n: rng.random((3, 2)) for n in geometry.HIDDEN} for name in deep}
    _, _, (left, right) = drawn(geometry.correlations, deep, trained)
    looks = {"BN": look.BATCH_NORM, "baseline": look.BASELINE}
    for line, text, band, (name, values) in zip(
        left.lines, left.texts, left.collections, deep.items(), strict=True
    ):
        at(line, geometry.DEPTHS, np.median(values, axis=0))
        same(line, looks[name])
        same(text, looks[name])
        assert text.get_text() == name
        assert text.get_position()[1] == np.median(values[:, -1])
        heights = band.get_paths()[0].vertices[:, 1]
        assert (heights.min(), heights.max()) == (values.min(), values.max())
    drawn = iter(right.lines)
    for name, by_depth in trained.items():
        for values in by_depth.values():
            spread, before, after = (next(drawn) for _ in range(3))
            assert sorted(spread.get_ydata()) == [values[:, 1].min(), values[:, 1].max()]
            assert before.get_ydata() == np.median(values[:, 0])
            assert after.get_ydata() == np.median(values[:, 1])
            assert before.get_markerfacecolor() == "white" != after.get_markerfacecolor()
            assert before.get_xdata() < after.get_xdata() == spread.get_xdata()[0]
            for line in (spread, before, after):
                assert line.get_color() == looks[name].color
    assert texts(right) == ["before training", "BN, trained", "baseline, trained"]


def four_samples(rank):
    """Three inputs of this rank, x̂ and Δ of some W, and those of a W that rests."""
    q = np.linalg.qr(np.column_stack([np.ones(4), rng.normal(size=(4, 3))]))[0][:, 1:]
    u = q[:, :rank] @ rng.normal(size=(rank, 3))
    x_hats = [2 * x / np.linalg.norm(x) for x in u @ rng.normal(size=(2, 3, 1))]
    unreached = q[:, rank:] @ np.full((3 - rank, 1), 0.2)
    errors = unreached + 0.2 * q[:, :1] + 0.1, unreached + 0.3 * x_hats[1] + 0.1
    return 2 * u / np.linalg.norm(u, axis=0), *zip(x_hats, errors, strict=True)


def test_ranks(drawn):
    neurons = {rank: four_samples(rank) for rank in (1, 2, 3)}
    _, alt, axes = drawn(geometry.ranks, neurons)
    spans = {1: "a point", 2: "a line", 3: "the plane"}
    for k, ax in enumerate(axes):
        rests, rank = k > 2, k % 3 + 1
        u, *moments = neurons[rank]
        x_hat, delta = moments[rests]
        M = np.eye(4) - (1 + x_hat @ x_hat.T) / 4
        vectors = np.hstack([M @ u, 4 * M @ delta]).T
        zero = np.linalg.norm(vectors, axis=1) < 1e-9
        assert zero.tolist() == [rank == 1] * 3 + [rank == 3 and rests]
        # All lengths and angles are those of sample space.
        arrows = [text for text in ax.texts if isinstance(text, Annotation)]
        tips = np.array([arrow.xy for arrow in arrows])
        np.testing.assert_allclose(tips @ tips.T, vectors[~zero] @ vectors[~zero].T, atol=1e-12)
        assert {arrow.xyann for arrow in arrows} == {(0, 0)}
        right = M[:, 0] if rank == 1 else vectors[0]
        along = vectors[~zero] @ right / np.linalg.norm(right)
        np.testing.assert_allclose(tips[:, 0], along, atol=1e-12)
        assert next((y for y in tips[:, 1] if abs(y) > 1e-9), 1) > 0
        # Each arrow has its color, and its name near its tip.
        looks = [look.U] * (3 - zero[:3].sum()) + [look.DELTA] * (1 - zero[3])
        names = [rf"$\mathbf{{M}}u_{j}$" for j in (1, 2, 3)] + [r"$\mathbf{M}\Delta$"]
        said = {text.get_text(): text for text in ax.texts if text.get_text()}
        for arrow, of, name in zip(arrows, looks, np.array(names)[~zero], strict=True):
            assert arrow.arrow_patch.get_edgecolor()[:3] == to_rgb(of.color)
            label = said.pop(name)
            same(label, of)
            assert np.linalg.norm(label.get_position() - np.array(arrow.xy)) < 0.8
        if zero.any():
            together = " = ".join(name.strip("$") for name in np.array(names)[zero])
            same(said.pop(f"${together} = 0$"), look.U if rank == 1 else look.DELTA)
        head = [] if rests else [f"$r$ = {rank}: {spans[rank]}"]
        side = ["at the stop" if rests else "before the first step"] if rank == 1 else []
        assert list(said) == head + side
        # Pale green: a point, a line or all of the disc; and the mark of a right angle.
        (disc,) = ax.patches
        assert disc.get_radius() == 2 and disc.center == (0, 0)
        assert (disc.get_facecolor()[:3] == to_rgb(geometry.PALE)) == (rank == 3)
        pale = [
            line.get_xydata().tolist() for line in ax.lines if line.get_color() == geometry.PALE
        ]
        assert pale == {1: [[[0, 0]]], 2: [[[-2, 0], [2, 0]]], 3: []}[rank]
        assert len(lines(ax, 3)) == (rank == 2 and rests)
        length = np.linalg.norm(vectors[3])
        angle = np.degrees(np.arccos(abs(along[-1]) / length)) if rank == 2 else 0
        told = f"{length:.2f} long" + (f" at {angle:.0f}° to it" if rank == 2 else "")
        assert ("zero" if zero[3] else told) + (" after" if rests else " before") in alt
        assert f"r = {rank}: they span {spans[rank]}" in alt


def test_factors_and_shares(drawn):
    measured, limits = {"relu": np.array([1.5, 1.48]), "tanh": np.array([1.1, 1.2])}, {}
    limits.update(relu=1.467, tanh=1.18)
    _, alt, (ax,) = drawn(propagation.factors, measured, limits)
    shown = iter(ax.lines)
    for name, mark in (("relu", "o"), ("tanh", "s")):
        assert set(next(shown).get_ydata()) == {limits[name]}
        line = next(shown)
        at(line, [1, 2], measured[name])
        assert line.get_marker() == mark
    assert texts(ax) == ["relu, limit 1.467", "tanh, limit 1.180"]
    assert "2 layers: relu close to 1.467, tanh close to 1.180" in alt
    degrees = {"relu": np.array([0.7, 0.25, 0.05]), "sign": np.array([0.6, 0.4])}
    _, alt, (ax,) = drawn(propagation.shares, degrees, {"relu": 1.35, "sign": 1.4})
    bars = [(bar.get_x(), bar.get_width(), bar.get_y() + 0.3) for bar in ax.patches]
    wanted = [(0, 0.7, 0), (0.7, 0.25, 0), (0.95, 0.05, 0), (0, 0.6, 1), (0.6, 0.4, 1)]
    np.testing.assert_allclose(bars, wanted, atol=1e-12)
    assert texts(ax) == ["1", "2", "3", "mean degree 1.350", "1", "2", "mean degree 1.400"]
    assert "relu: degree 1 has 70%, the mean degree is 1.350" in alt
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first is above


def test_explosion(drawn):
    curves = {"BN": 10.0 ** np.arange(0, 12, 1.5), "relu": 0.5 ** np.arange(8)}
    _, alt, (ax,) = drawn(propagation.explosion, curves, (4, 8))
    for line, (name, values) in zip(lines(ax, 8), curves.items(), strict=True):
        at(line, range(8), values)
        same(line, look.BATCH_NORM if name == "BN" else look.BASELINE)
    assert texts(ax) == ["BN", "relu", "3", "6"]
    assert "passes 1e4 after 3, 1e8 after 6 layers. After 7 layers, relu: 1e-2." in alt
    with pytest.raises(ValueError, match="power: got 20"):
        propagation.crossed(curves["BN"], 20)


def test_small_batches_and_residual(drawn):
    sizes, values = (3, 4, 8), rng.random((3, 50)) + 1
    _, alt, (ax,) = drawn(propagation.small_batches, sizes, values, [np.inf, 2.0, 1.2])
    curve, *marks = ax.lines
    x, y = curve.get_data()
    np.testing.assert_allclose(y, 1 + 1 / (x - 3))
    assert (x[0], x[-1]) == pytest.approx((4, 8))
    for k, (size, row) in enumerate(zip(sizes, values, strict=True)):
        spread, median, mean = marks[3 * k : 3 * k + 3]
        at(spread, [size, size], np.percentile(row, [10, 90]))
        assert (median.get_marker(), mean.get_marker()) == ("o", "_")
        at(median, [size], [np.median(row)])
        at(mean, [size], [row.mean()])
        assert f"{np.median(row):.2f} at {size}" in alt
    assert {"● median", "| eight layers in ten", "– mean"} <= set(texts(ax))
    curves = {"with skips": np.array([1.5, 1.2, 1.1]), "without": np.array([2.0, 2.0, 3.0])}
    predicted = np.array([1.4, 1.3, 1.1])
    _, alt, (ax,) = drawn(propagation.residual, curves, predicted)
    wide, with_skips, without = ax.lines
    for line, factors in ((wide, predicted), (with_skips, curves["with skips"]),
                          (without, curves["without"])):  # fmt: skip
        at(line, [1, 2, 3], [factors[l:].prod() for l in range(3)])
    assert (with_skips.get_linestyle(), without.get_linestyle()) == ("-", ":")
    assert texts(ax) == ["with skips", "without"] and ax.get_xlim()[0] > ax.get_xlim()[1]
    assert "with skips by 2, without by 1e+01" in alt and "Over 3 blocks" in alt


def test_precision_of_the_variance(drawn):
    ratios, ways = np.array([1.0, 10.0]), ("one pass", "centered")
    errors = {(f, way): rng.random(2) * [1e-8, 1] for f in normalizers.FORMATS for way in ways}
    _, _, (ax,) = drawn(normalizers.precision, ratios, errors)
    for line, ((name, way), error) in zip(ax.lines, errors.items(), strict=False):
        at(line, ratios, np.maximum(error, 1e-9))
        assert line.get_linestyle() == {"one pass": "-", "centered": ":"}[way]
        assert line.get_color() == normalizers.FORMATS[name].color
        assert (line.get_markerfacecolor() == "white") == (way == "centered")
    once, centered, _ = ax.lines[6:]
    at(once, ratios, ratios**2 / 256)
    at(centered, ratios, 1 / 256 + (ratios / 256) ** 2)
    assert (once.get_linestyle(), centered.get_linestyle()) == ("-", ":")
    names = [text.get_text() for text in ax.get_legend().texts]
    assert names == [f"{name}, {way}" for name, way in errors]


def test_rates_and_modes(drawn):
    axis = np.array([1.0, 2.0, 4.0])

    def band():
        low, median, high = np.sort(rng.random((3, 3)), axis=0)
        return Band(axis, median, low, high, np.array([0, 0, 1]))

    bands = {"baseline": band(), "BN everywhere": band()}
    figure, _, axes = drawn(training.rates, {8: bands, 64: bands}, 0.1, "rates")
    _, _, (alone,) = drawn(training.modes, bands, 0.1, "modes")
    for ax in (*axes, alone):
        curves = [line for line in ax.lines if line.get_label() in bands]
        for line, shade, (name, shown) in zip(curves, ax.collections, bands.items(), strict=True):
            at(line, axis, shown.median)
            same(line, training.LOOKS[name])
            assert (
                line.get_label() == name and line.get_linestyle() == training.LOOKS[name].linestyle
            )
            heights = shade.get_paths()[0].vertices[:, 1]
            assert (heights.min(), heights.max()) == (shown.low.min(), shown.high.max())
        crosses = [line for line in ax.lines if line.get_marker() == "X"]
        assert [line.get_xydata().tolist() for line in crosses] == [[[4, 0]]] * 2
        assert set(ax.lines[-1].get_ydata()) == {0.1} and ax.get_ylim() == (0, 1)
    assert [texts(ax)[0] for ax in axes] == ["$M_B$ = 8", "$M_B$ = 64"]
    labels = [ax.get_xlabel() for ax in (*axes, alone)]
    assert labels == ["learning rate η", "learning rate η", "batch size $M_B$"]
    for legend in (figure.legends[0], alone.get_legend()):
        assert [text.get_text() for text in legend.texts] == list(bands)


def test_lengths_in_training(drawn):
    curves = rng.random((4, 2)), rng.random((6, 2))
    _, _, (left, right) = drawn(training.lengths, curves, [0.5, 0.7], "lengths")
    for ax, rows, text in ((left, curves[0], "without decay"), (right, curves[1], "with decay")):
        for line, column in zip(ax.lines, rows.T, strict=False):
            at(line, range(len(rows)), column)
        assert texts(ax) == [text] and ax.get_xlim() == (0, len(rows))
    assert len(left.lines) == 2
    for line, level in zip(right.lines[2:], (0.5, 0.7), strict=True):
        at(line, [3, 6], [level] * 2)


def test_errata(drawn):
    names, printed = ["S1", "S2"], np.array([[0.5, 0.1], [0.02, 3.0]])
    corrected = np.array([[1e-15, 0.0], [1e-16, 2e-16]])
    _, alt, (ax,) = drawn(errata.errors, names, printed, corrected, 1e-12, "as corrected")
    shown = lines(ax, 2)
    crosses, circles = [line for line in shown if line.get_marker() == "x"], shown[2:4]
    for k, line in enumerate(crosses):
        at(line, printed[:, k], [0, 1])
    for k, line in enumerate(circles):
        at(line, np.maximum(corrected[:, k], 1e-18), [0, 1])
        assert line.get_markerfacecolor() == "white"
    assert [label.get_text() for label in ax.get_yticklabels()] == names
    assert ax.get_ylim() == (1.5, -0.5) and set(shown[4].get_xdata()) == {1e-12}
    ticks = dict(zip(ax.get_xticks(), [t.get_text() for t in ax.get_xticklabels()], strict=True))
    assert ticks.pop(1e-18) == "0"
    assert all(float(text) == place for place, text in ticks.items())
    keys = [line.get_marker() for line in lines(ax, 1)]
    assert dict(zip(texts(ax), keys, strict=True)) == {"as corrected": "o", "as printed": "x"}
    assert (
        "2 rows of the ledger, 2 random cases each. As printed every error is above 2e-02." in alt
    )
    assert "As corrected every error is below 1e-12." in alt


def test_a_group_of_mistakes(drawn):
    names = "missing mean term", "missing x̂ term", "ς for 1/ς"
    figure, alt, axes = drawn(wrong_gradients.below_each_other, *names)
    for name, left, right in zip(names, axes[::2], axes[1::2], strict=True):
        shares = texts(right)
        off = texts(left)[0].removeprefix(f"{name}: ")
        said = ", ".join(" ".join(reversed(share.split(": "))) for share in shares)
        assert f"{name}: {off}, {said}" in alt
    assert alt.startswith("∂C/∂x of 16 digits")
    keys = [text.get_text() for text in figure.texts]
    assert keys == [r"true $\partial C/\partial x$", "wrong", "wrong − true, in three parts"]


def test_the_looks_are_those_that_the_text_names():
    """The words of the book for a color: what it calls orange must not become blue."""
    hues = {"DELTA": "orange", "X_HAT": "blue", "U": "green", "WRONG": "pink", "Y": "pink"}
    reach = {"orange": (0, 1, 2), "blue": (2, 1, 0), "green": (1, 2, 0), "pink": (0, 2, 1)}
    for name, hue in hues.items():
        assert list(np.argsort(to_rgb(getattr(look, name).color))[::-1]) == list(reach[hue])
    labels = {"X": r"$x$", "X_HAT": r"$\hat{x}$", "Y": r"$y$", "U": r"$u$", "DELTA": r"$\Delta$",
              "BATCH_NORM": "BN", "BASELINE": "baseline"}  # fmt: skip
    assert {name: getattr(look, name).label for name in labels} == labels
