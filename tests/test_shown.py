"""What a reader sees is the result: each artist's place, color and extent, each number in words.

The result itself is checked in the tests of its chapter; here it is recomputed from what is drawn.
One function for an explorer: it compares the artists with the result, and returns the numbers that
the readout must have. `AXES` and `KEYS` say what does not move.
"""

import ast
import itertools
import re
from pathlib import Path

import driving
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from bnnotes.pictures import gradient_checks as checks
from bnnotes.pictures import look, training, wrong_gradients
from bnnotes.pictures.explorer import registry
from bnnotes.pictures.normalizers import GLOBAL, LOCAL
from bnnotes.pictures.sample_space import VECTORS

REGISTRY = registry()
NUMBER = r"(?<![\w.‖])[+−-]?\d+(?:\.\d+)?(?:e[+-]\d+)?(?![\w.]*\d)[%°]?"


def numbers(text):
    """The numbers in a text, as they are written."""
    return re.findall(NUMBER, text.replace("\u00a0", " "))


def fixed(*values, digits=2, sign=""):
    """Values as a reader finds them: so many decimals, a true minus, no minus before a zero."""
    return [f"{round(float(v), digits) + 0:{sign}.{digits}f}".replace("-", "−") for v in values]


def short(*values):
    return [f"{v:.2g}" for v in values]


def percent(*shares):
    return [f"{100 * share:.0f}%" for share in shares]


def same(artist, of):
    """Whether an artist has the color and, where it has one, the marker of a look."""
    drawn = of.color if not hasattr(artist, "get_text") else of.ink
    assert np.allclose(to_rgb(artist.get_color()), to_rgb(drawn)), (artist, of)
    if getattr(artist, "get_marker", lambda: "None")() not in ("None", ""):
        assert artist.get_marker() == of.marker, (artist, of)


def at(line, x, y):
    np.testing.assert_allclose(line.get_xdata(), x, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(line.get_ydata(), y, rtol=1e-12, atol=1e-12)


def centers(n):
    """Where n samples stand between 0 and 1."""
    return np.linspace(0, 1, 2 * n + 1)[1::2]


def stem(line, x, heights):
    """Stems from 0 up or down, with the pen lifted between them."""
    drawn = line.get_xydata().reshape(-1, 3, 2)
    np.testing.assert_allclose(drawn[:, :2, 0], np.stack([x, x], 1), atol=1e-12)
    np.testing.assert_allclose(drawn[:, :2, 1], np.stack([0 * heights, heights], 1), atol=1e-12)
    assert np.isnan(drawn[:, 2, 1]).all()


def segments(collection):
    return np.array(collection.get_segments())


def sigmoid(y):
    return 1 / (1 + np.exp(-y))


# ---- chapter 1


def output_error(mine, result, M_B, logit, label):
    y = np.linspace(-12, 12, 97)
    u = sigmoid(logit)
    at(mine._moved, [logit], [u - label])
    at(mine._stem, [logit, logit], [0, u - label])
    # Every other sample lies on the curve of its own label, even or odd.
    for number, (points, of) in enumerate(
        zip(mine._classes, (look.CLASS_0, look.CLASS_1), strict=True)
    ):
        chosen = result.logits[result.labels == number]
        at(points, chosen, sigmoid(chosen) - number)
        at(mine._bounds[number], y, sigmoid(y) - number)
        same(points, of)
    at(mine._mixed, y, sigmoid(y) - label)
    same(mine._moved, look.DELTA)
    # The cost of the batch, and its tangent: as long at every slope.
    others = np.sum(np.logaddexp(0, result.logits) - result.labels * result.logits)
    costs = (others + np.logaddexp(0, y) - label * y) / M_B
    np.testing.assert_allclose(mine._cost.get_xydata(), np.stack([y, costs], 1), atol=1e-12)
    cost, slope = (others + np.logaddexp(0, logit) - label * logit) / M_B, (u - label) / M_B
    at(mine._touch, [logit], [cost])
    (x0, y0), (x1, y1) = mine._tangent.get_xydata()
    top = mine._tangent.axes.get_ylim()[1]
    largest = max((others + np.logaddexp(0, y) - φ * y).max() / M_B for φ in (0, 1))
    assert top == pytest.approx(1.06 * largest)
    np.testing.assert_allclose(
        [(y1 - y0) / (x1 - x0), (y0 + y1) / 2, x0 + x1, np.hypot(x1 - x0, (y1 - y0) * 24 / top)],
        [slope, cost, 2 * logit, 6],
        atol=1e-9,
    )
    signed = fixed(slope, digits=3, sign="+")
    assert mine._slope.get_text() == f"slope Δ = {signed[0]}"
    return [str(M_B), *signed, *signed, *fixed(cost)]


def noise(mine, result, M_B, epochs):
    sizes = np.array([2**k for k in range(11)] + [1400])
    at(mine._measured, sizes, result.measured)
    at(mine._predicted, sizes, result.predicted)
    legend = mine._here.axes.get_legend()
    named = dict(zip(legend.legend_handles, legend.texts, strict=True))
    names = ["single batches", "root mean square", r"predicted, $\propto\sqrt{1/M_B-1/M}$"]
    assert [text.get_text() for text in named.values()] == names
    looks = look.BASELINE.color, look.GRADIENT.color, look.INK
    assert [handle.get_color() for handle in named] == list(looks)
    (here,) = np.flatnonzero(sizes == M_B)
    at(mine._marked, [M_B], [result.measured[here]])
    assert list(mine._here.get_xdata()) == [M_B, M_B]
    np.testing.assert_array_equal(mine._batches.get_ydata(), result.noise[:200])
    beside = mine._batches.get_xdata() / M_B
    assert 0.85 < beside.min() < 0.95 or len(beside) == 1
    assert beside.max() < 1.15 and (np.diff(beside) > 0).all()
    # Each direction at its true angle, in a half circle that is one.
    angle = result.angle[:200]
    at(mine._tips, np.cos(angle), np.sin(angle))
    np.testing.assert_allclose(
        segments(mine._fan), [[(0, 0), (np.cos(a), np.sin(a))] for a in angle], atol=1e-12
    )
    assert mine._tips.axes.get_aspect() == 1
    middle = np.median(result.angle)
    at(mine._median, [0, 1.06 * np.cos(middle)], [0, 1.06 * np.sin(middle)])
    degrees = f"{np.rad2deg(middle):.0f}°"
    assert mine._median_text.get_text() == f"median {degrees}, dashed"
    if M_B == 1400:
        return ["1400"]
    noise = np.sqrt((result.noise**2).mean())
    return [str(M_B), degrees, *short(noise, result.predicted[here])]


# ---- chapter 2


def normalization(mine, result, M_B, eps, gamma, beta):
    heights, said = [], []
    for name, of in (("x", look.X), ("x_hat", look.X_HAT), ("y", look.Y)):
        values = getattr(result, name)
        points, spread, mean, label = mine._rows[name]
        same(points, of)
        same(spread, of)
        np.testing.assert_array_equal(points.get_xdata(), values)
        (height,) = set(points.get_ydata())
        heights.append(height)
        at(spread, values.mean() + values.std() * np.array([-1, 1]), [height - 0.17] * 2)
        at(mean, [values.mean()], [height - 0.17])
        said += fixed(values.mean(), values.std())
        assert numbers(label.get_text()) == said[-2:]
    assert sorted(heights, reverse=True) == heights  # from x above to y below
    threads = mine._threads.get_xydata().reshape(M_B, 4, 2)
    np.testing.assert_array_equal(threads[:, :3, 0], np.transpose(result[:3]))
    np.testing.assert_array_equal(threads[:, :3, 1], [heights] * M_B)
    grip = mine.handles(result, **mine.values)["gamma",]  # to the right where γ > 0
    assert grip.x == pytest.approx(beta + gamma * result.x_hat.std())
    return [str(M_B), *said]


def kernel(mine, result, M_B, pushed, neuron, eps):
    kernel, x_hat, t = result.kernel, result.x_hat, result.pushed
    assert t == round(pushed * (M_B - 1))
    # An entry in row s from above and column t from the left, one color for one value.
    np.testing.assert_array_equal(mine._map.get_array(), kernel)
    assert mine._map.get_extent() == [0, 1, 1, 0] and mine._map.origin == "upper"
    assert mine._map.get_clim() == (-1, 1) and mine._map.get_cmap().name == look.SIGNED
    frame = mine._frame.get_xydata()
    np.testing.assert_allclose(
        [frame.min(axis=0), frame.max(axis=0)], [[t / M_B, 0], [(t + 1) / M_B, 1]]
    )
    others = np.arange(M_B) != t
    at(mine._others, x_hat[others], kernel[others, t])
    same(mine._others, look.X_HAT)
    stem(mine._stems, x_hat, kernel[:, t])
    at(mine._own, [x_hat[t]], [kernel[t, t]])
    at(mine._base, [x_hat[t]], [1])
    same(mine._base, look.BASELINE)
    own, base = mine._labels
    assert (own.get_text(), base.get_text()) == ("$y_t$ itself", "baseline")
    assert base.get_position()[1] == 1 and own.get_position()[1] <= 0.9
    assert base.get_color() == look.BASELINE.color
    column = np.delete(kernel[:, t], t)
    return [str(M_B), *fixed(kernel[t, t], column.min(), column.max())]


def split(mine, result, M_B, digit, epochs):
    looks = (look.DELTA, look.GRADIENT, look.X_HAT, look.DELTA)
    parts = result.error, result.mean, result.along_x_hat, result.mixed
    shares = [part @ part / (result.error @ result.error) for part in parts]
    for (_, line, points, share), values, of, part in zip(
        mine._rows, parts, looks, shares, strict=True
    ):
        same(line, of)
        same(points, of)
        at(points, centers(M_B), values)
        stem(line, centers(M_B), values)
        assert share.get_text() in ("", *percent(part))
    assert [bool(row[3].get_text()) for row in mine._rows] == [False, True, True, True]
    takers = [ax.texts[1].get_text() for ax in mine.figure.axes]
    assert takers == ["", "β takes", "γ takes", "passed below"]
    words = mine.readout.partition(":")[2]
    assert words.index("β") < words.index("γ") < words.index("below")
    return [str(M_B), *percent(*shares[1:])]


def moved_sample(mine, result, M_B, shift):
    rows = (
        (result.batch_norm_before, result.batch_norm, look.BATCH_NORM),
        (result.baseline_before, result.baseline, look.BASELINE),
    )
    for (before, line, points), (old, new, of) in zip(mine._bars, rows, strict=True):
        same(line, of)
        same(points, of)
        assert line.axes.texts[0].get_text() == of.label
        at(before, centers(M_B), old)
        at(points, centers(M_B), new)
        stem(line, centers(M_B), new)
    at(mine._own, result.x[:1], [0])
    at(mine._others, result.x[1:], np.zeros(M_B - 1))
    # The first digit stands first, on its feet, and in the frame.
    strip, image = mine._digits.get_array(), result.images[0]
    frame = mine._frame.get_xdata()
    left, right = (
        round(frame.min() * strip.shape[1] + 0.5),
        round(frame.max() * strip.shape[1] - 0.5),
    )
    np.testing.assert_array_equal(strip[:, left:right], image)
    assert mine._digits.get_extent() == [0, 1, 0, 1] and mine._digits.origin == "upper"
    assert mine._digits.get_cmap().name == "gray_r" and mine._digits.get_clim() == (0, 1)
    moved = np.abs(result.batch_norm - result.batch_norm_before)[1:].max()
    return [str(M_B), str(M_B - 1), *fixed(moved), "0"]


def class_mix(mine, result, M_B, share):
    said = [str(M_B), str(round(share * M_B))]
    rows = zip(mine._rows, result[:2], (1, 0), strict=True)
    for (_, classes, mean, right), logits, height in rows:
        looks = (look.CLASS_0, look.CLASS_1)
        for points, of, odd in zip(classes, looks, (0, 1), strict=True):
            same(points, of)
            chosen = logits[result.odd == odd]
            at(points, chosen, np.full(len(chosen), height + (0.11 if odd else -0.11)))
        at(mean, [logits.mean()], [height])
        correct = percent(np.mean((logits > 0) == result.odd))
        assert numbers(right.get_text()) == correct
        said += [*fixed(logits.mean()), *correct]
    (ax,) = mine.figure.axes
    names = [text.get_text() for text in ax.texts if not text.get_animated()]
    assert names[2:] == ["by its own\nbatch", "by the\ntraining data", "even digit", "odd digit"]
    marks = [line.get_marker() for line in ax.lines if line.get_ydata()[:1] == [1.62]]
    assert marks == [look.CLASS_0.marker, look.CLASS_1.marker]
    return said


# ---- chapter 3


def mixing(mine, result, M_B, eps, vector):
    M = result.matrix
    np.testing.assert_array_equal(mine._image.get_array(), M)
    assert mine._image.get_extent() == [0, 1, 1, 0] and mine._image.origin == "upper"
    assert mine._image.get_clim() == (-1, 1) and mine._image.get_cmap().name == look.SIGNED
    entries = {text.get_position(): text for text in mine._entries if text.get_text()}
    assert len(entries) == (M_B**2 if M_B <= 4 else 0)
    for (x, y), text in entries.items():
        wanted = M[round(y * M_B - 0.5), round(x * M_B - 0.5)]
        assert float(text.get_text().replace("−", "-")) == pytest.approx(wanted, abs=0.0051)
        assert text.get_color() == ("white" if abs(wanted) > 0.4 else look.INK)
    eigenvalues = np.sort(np.linalg.eigvals(M).real)
    number = np.arange(1, M_B + 1)
    at(mine._measured, number, eigenvalues)
    np.testing.assert_array_equal(mine._measured.get_ydata(), result.measured)
    at(mine._predicted, number, eigenvalues)
    # The first is that of the ones, the second that of x̂.
    assert mine._on_x_hat.get_text().startswith("on x̂: ")
    height = eigenvalues[1] if abs(eigenvalues[1]) > 1e-12 else 0
    assert mine._on_x_hat.get_text().split(": ")[1] == f"{height:.2g}"
    assert mine._on_x_hat.get_position() == pytest.approx((2.5, min(max(height, 0.03), 0.9)))
    at(mine._u, centers(M_B), result.u)
    at(mine._rest, centers(M_B), M @ result.u)
    ends = np.stack([result.u, M @ result.u], axis=1)
    np.testing.assert_allclose(segments(mine._connections)[:, :, 1], ends, atol=1e-12)
    for label, letter in ((mine._columns, "t"), (mine._rows, "s")):
        assert label.get_text() == f"samples {letter} = 1 … {M_B}"
    said = [str(M_B), f"{eps:g}", "0", f"{height:.2g}"]
    if M_B > 2:
        said += ["1", str(M_B - 2)]
    elif eps == 0:
        said += ["0"]
    spread = result.u - result.u.mean()
    share = np.sqrt((M @ result.u) @ (M @ result.u) / (spread @ spread)) if spread.any() else 0
    return said + (short(share) if share > 1e-12 else ["0"])


def weight(mine, result, W, eps):
    for line, y in zip(mine._samples, result.y, strict=True):
        at(line, result.weights, y)
        same(line, look.Y)
    W = round(W, 2)
    u = result.u
    for line in mine._now:
        assert list(line.get_xdata()) == [W, W]
    # The sizes of M u and of u, with nothing below 1e-17.
    for line, share in (
        (mine._measured, result.share),
        (mine._predicted, result.share_predicted),
    ):
        at(line, result.weights, np.where(share < 1e-17, 1e-17, share))
    (here,) = np.flatnonzero(result.weights == W)[:1]
    at(mine._here, [W], [max(result.share[here], 1e-17)])
    at(mine._u, centers(8), u)
    at(mine._rest, centers(8), result.rest)
    at(mine._rest_predicted, centers(8), result.rest_predicted)
    assert mine._note.get_visible() == (eps == 0)
    said = [fixed(W, digits=1)[0].removesuffix(".0").replace("−", "-"), f"{eps:g}"]
    lengths = [np.sqrt(v @ v / (u @ u)) for v in (result.rest, result.rest_predicted)]
    if lengths[0] < 1e-12:
        return [*said, "1e-12", *short(lengths[1])]
    return [*said, *short(*lengths)]


def chain(mine, result, M_B, eps, step):
    x = np.arange(step + 1)
    for artists, values in ((mine._weight, result.W), (mine._gamma, result.gamma)):
        for l, (line, _) in enumerate(artists):
            at(line, x, values[: step + 1, l])
        shades = [to_rgb(line.get_color())[0] for line, _ in artists]
        assert shades == sorted(shades)  # the first layer is the darkest
        # Every layer is named once, at the height of where its curve ends.
        named = [(text.get_position(), text.get_text()) for _, text in artists if text.get_text()]
        found = []
        for (place, height), text in named:
            low, _, high = text.split("=")[1].partition("–")
            layers = [int(l) for l in low.split(",")]
            layers = list(range(layers[0], int(high) + 1)) if high else layers
            ends = values[step, np.array(layers) - 1]
            assert place == step and ends.min() - 1e-9 <= height <= ends.max() + 1e-9
            found += layers
        assert sorted(found) == [1, 2, 3, 4, 5]
    moves = []
    for (name, ls), (line, _) in zip(
        (("W", "-"), ("γ", "--"), ("β", ":")), mine._moved, strict=True
    ):
        at(line, x, np.maximum(result.moved[name][: step + 1], 1e-16))
        assert line.get_linestyle() == ls
        if name != "β":
            values = {"W": result.W, "γ": result.gamma}[name]
            far = np.abs(values - values[0]).max(axis=1)
            np.testing.assert_array_equal(result.moved[name], far)
        moves.append(result.moved[name][step])
    labels = [text.get_text() for _, text in mine._moved]
    assert sorted(re.findall(r"[Wγβ]", "".join(labels))) == ["W", "β", "γ"]
    said = [short(v)[0] if v > 1e-12 else "1e-12" for v in moves]
    return [str(M_B), f"{eps:g}", str(step), *said, *fixed(result.cost)]


# ---- chapter 4


def triangle(mine, result, M_B, azimuth, elevation, **asked):
    a, e = np.radians([azimuth, elevation])
    seen = np.array([[-np.sin(a), np.cos(a), 0],
                     [-np.sin(e) * np.cos(a), -np.sin(e) * np.sin(a), np.cos(e)],
                     [np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)]])  # fmt: skip
    corners = result.points / np.sqrt(M_B) @ seen.T
    ball, looks = mine._sphere, (look.X_HAT, look.DELTA, look.U)
    for dot, radius, corner, of in zip(ball.dots, ball._radii, corners, looks, strict=True):
        at(dot, corner[:1], corner[1:2])
        same(dot, of)
        assert (dot.get_alpha() == 1) == (corner[2] >= -1e-9)
        same(radius.lines[0], of)
    # A side lies on the great circle through its corners, in front where it is in front.
    sides = (look.THETA1, 0, 1), (look.THETA2, 0, 2), (look.THETA3, 1, 2)
    for curve, (of, p, q) in zip(ball._sides, sides, strict=True):
        for line, sign in zip(curve.lines, (1, -1), strict=True):
            same(line, of)
            flat = line.get_xydata().reshape(-1, 2)
            flat = flat[~np.isnan(flat).any(axis=1)]
            depth = sign * np.sqrt(np.maximum(1 - (flat**2).sum(axis=1), 0))
            normal = np.cross(corners[p], corners[q])
            off = np.abs(np.column_stack([flat, depth]) @ normal)
            assert not len(off) or np.median(off) < 1e-6
        if M_B == 2:  # a line has no sides
            assert not any(line.get_xydata().size for line in curve.lines)
            continue
        ends = np.concatenate([line.get_xydata()[[0, -1]] for line in curve.lines])
        for corner in (corners[p, :2], corners[q, :2]):
            assert np.nanmin(np.linalg.norm(ends - corner, axis=1)) < 1e-6
    same(ball._mark.lines[0], look.PHI)
    names = [r"$\hat x$", r"$\hat\Delta$", r"$\hat u$", r"$\theta_1$", r"$\theta_2$",
             r"$\theta_3$", r"$\varphi$", "1", "2", "3", "4"]  # fmt: skip
    assert [label.get_text() for label in ball.labels] == names
    inks = [*looks, look.THETA1, look.THETA2, look.THETA3, look.PHI]
    for label, of, near in zip(ball.labels, inks, [*corners, *[None] * 4], strict=False):
        same(label, of)
        if near is not None:
            assert np.linalg.norm(label.get_position() - near[:2]) < 0.6
    # The bars and the entries.
    x_hat, delta, u = result.vectors
    M = np.eye(M_B) - (1 + np.outer(x_hat, x_hat)) / M_B
    gradients = [delta @ M @ u / M_B, delta @ u / M_B, delta @ x_hat / M_B]
    for (bar, value), g, of in zip(
        mine._bars, gradients, (look.BATCH_NORM, look.BASELINE, look.BATCH_NORM), strict=True
    ):
        assert bar.get_width() == pytest.approx(g, abs=1e-9) and bar.get_visible()
        assert value.get_text() == fixed(g)[0]
        assert to_rgb(bar.get_edgecolor()) == to_rgb(of.color)
        assert (bar.get_y() + bar.get_height() / 2) == pytest.approx(value.get_position()[1])
    # The formula beside a bar has its value, at the angles as they were measured.
    names = r"\theta_1", r"\theta_2", r"\theta_3", r"\varphi"
    angles = dict(zip(names, np.radians(result.angles), strict=True))
    for tick, g in zip(mine.figure.axes[1].get_yticklabels(), gradients, strict=True):
        factors = re.findall(r"\\(sin|cos)(\\\w+)", tick.get_text())
        assert factors
        if M_B > 2:  # on a line there is no φ
            assert np.prod([getattr(np, f)(angles[a]) for f, a in factors]) == pytest.approx(g)
    for k, (line, entries) in enumerate(zip(mine._points, result.vectors, strict=True)):
        at(line, centers(M_B) + 0.22 * (k - 1) / M_B, entries)
        same(line, looks[k])
    assert f"= {np.sqrt(M_B):.2f}" in mine._radius.get_text()
    dimensions = {2: "1 dimension: a line", 3: "2 dimensions: a plane"}
    assert mine._dimensions.get_text() == dimensions.get(M_B, f"3 of {M_B - 1} dimensions")
    degrees = [f"{round(angle, 1) + 0:g}°" for angle in result.angles]
    wished = [f"{angle}°" for angle in asked.values()]
    gradients = fixed(*gradients)
    if M_B == 2:
        degrees = [*wished[:2], *degrees[:2]]
    elif M_B == 3:
        degrees = [wished[2], degrees[3], *degrees[:3]]
    return [str(M_B), *degrees, *gradients]


def two_digits(value):
    return np.format_float_positional(value, 2, fractional=False, trim="k").rstrip(".")


def means(mine, result, M_B, offset, mean):
    # The bars have the share of the weights whose ratio lies between their edges, in powers of 10.
    ratios = np.clip(np.log10(result.ratios), -2, 6 - 1e-9)
    for k, bar in enumerate(mine._bars):
        low = -2 + 0.25 * k
        assert (bar.get_x(), bar.get_width()) == (low, 0.25)
        inside = (ratios >= low) & (ratios < low + 0.25)
        assert bar.get_height() == pytest.approx(inside.mean(), abs=1e-12)
    middle = np.median(result.ratios)
    np.testing.assert_allclose(mine._middle.get_xdata(), np.log10([middle, middle]))
    assert mine._median.get_text() == f"median {two_digits(middle)}"
    assert set(mine._here.get_xdata()) == {[0, 0.1, 1, 10, 100, 1000].index(offset)}
    rows = (result.bn, look.BATCH_NORM), (result.baseline, look.BASELINE)
    for line, name, (values, of) in zip(mine._curves, mine._names, rows, strict=True):
        at(line, range(6), values)
        same(line, of)
        same(name, of)
        assert name.get_text() == of.label
        assert abs(np.log10(name.get_position()[1] / values[-1])) < 0.3
    low, high = np.percentile(result.ratios, [10, 90])
    numbers = [f"{M_B}", f"{offset:g}", f"{mean:g}", "1"]
    return numbers + [two_digits(v) for v in (middle, low, high)]


def stops(mine, result, M_B, inputs):
    rows = [*zip(mine._factors, result.factors, (look.THETA1, look.THETA2, look.PHI), strict=True)]
    looks = look.GRADIENT, look.THETA3, look.THETA1, look.DELTA
    rows += zip(mine._sizes, result.sizes, looks, strict=True)
    texts = [r"$\sin\theta_1$", r"$\sin\theta_2$", r"$|\cos\varphi|$", r"$|\partial C/\partial W|$",
             r"$|\cos\theta_3|$", r"$|\cos\theta_1|$", r"$M_B\,\sigma(\Delta)$"]  # fmt: skip
    for ((lines, name), values, of), text in zip(rows, texts, strict=True):
        columns = np.maximum(np.atleast_2d(values.T), 1e-8)
        for line, column in zip(lines, columns, strict=False):
            at(line, range(1001), column)
            same(line, of)
        assert all(not len(line.get_xdata()) for line in lines[len(columns) :])
        same(name, of)
        assert name.get_text() == text
    for group in (mine._factors, mine._sizes):
        # The names stand in the order of the curves' ends, if one lies well above the other.
        ends = [[np.array(line.get_ydata(), float) for line in lines] for lines, _ in group]
        ends = [np.log10([y[~np.isnan(y)][-1] for y in ys if (y > 0).any()]) for ys in ends]
        ends = [end.mean() if len(end) else 0.0 for end in ends]
        heights = [np.log10(name.get_position()[1]) for _, name in group]
        for k, (end, height) in enumerate(zip(ends, heights, strict=True)):
            if min(abs(end - other) for other in ends[:k] + ends[k + 1 :]) > 1.5:  # it is alone
                assert height == pytest.approx(end, abs=0.01) or not -7 < end < -0.6
        for (a, h), (b, g) in itertools.combinations(zip(ends, heights, strict=True), 2):
            assert not a > b + 1 or h > g
    rank, words = str(result.rank), mine.readout
    if result.rank == 1:
        assert "W alone never moves" in words
        said = []
    elif "sinθ1 = 0" in words:
        said = ["0"]
        assert result.factors[0][400] < 1e-4
    elif "stops at φ" in words:
        said = ["90°", *fixed(result.factors[0][400], result.factors[1][400].min())]
        assert result.factors[2][400].max() < 1e-4
    else:
        said = ["400", *fixed(result.factors[0][400])]
        assert result.sizes[0][400] > 1e-4
    if "still falls" in words:
        left = result.sizes[3][-1] / result.sizes[3][0]
        said.append(f"{100 * left:.1f}%")
    else:
        assert max(result.sizes[1][-1], result.sizes[2][-1]) < 1e-3
    return [str(M_B), rank, *said]


# ---- chapter 5


def node(mine, result, M_B, theta1, eps, epoch):
    kappa, t = result.kappa, np.radians(result.theta1)
    x, y = np.cos(t), np.sin(t)
    at(mine._x_hat, [0, np.sqrt(kappa)], [0, 0])
    at(mine._delta, [0, x], [0, y])
    at(mine._taken, [0, kappa * x], [0, 0])
    at(mine._sent, [kappa * x, x], [0, y])
    arc = mine._arc.get_xydata()
    np.testing.assert_allclose(np.hypot(*arc.T), 0.3)
    np.testing.assert_allclose(np.arctan2(*arc[[0, -1], ::-1].T), [0, t], atol=1e-12)
    looks = look.X_HAT, look.DELTA, look.X_HAT, look.GRADIENT, look.THETA1
    lines = mine._x_hat, mine._delta, mine._taken, mine._sent, mine._arc
    for line, of in zip(lines, looks, strict=True):
        same(line, of)
    texts = {"theta1": (r"$\theta_1$", look.THETA1), "delta": (r"$\hat\Delta$", look.DELTA),
             "sent": ("sent back", look.GRADIENT), "taken": ("taken out", look.X_HAT)}  # fmt: skip
    for name, (text, of) in texts.items():
        assert mine._labels[name].get_text() == text
        same(mine._labels[name], of)
    # The length of what is sent is what the middle says.
    at(mine._here, [result.theta1], [np.hypot((1 - kappa) * x, y)])
    assert result.sent == pytest.approx(np.hypot((1 - kappa) * x, y), abs=1e-7)
    angles = np.radians(result.angles)
    wanted = np.hypot((1 - kappa) * np.cos(angles), np.sin(angles))
    for line in (mine._predicted, mine._measured):
        np.testing.assert_allclose(
            line.get_xydata(), np.stack([result.angles, wanted], 1), atol=1e-7
        )
    at(mine._own, result.own_angles, result.own_sent)
    # The source: nothing at 0°, all at 180°.
    (crosses,) = (line for line in mine._own.axes.lines if line.get_marker() == "x")
    at(crosses, [0, 180], [0, 1])
    shown = min(16, M_B)
    arrays = np.stack([result.delta_hat, result.sent_entries])[:, :shown]
    arrays = arrays / np.abs(arrays).max()
    for line, values, of in zip(
        (mine._delta_s, mine._sent_s), arrays, (look.DELTA, look.GRADIENT), strict=True
    ):
        at(line, centers(shown), values)
        same(line, of)
    np.testing.assert_allclose(segments(mine._connections)[:, :, 1], arrays.T)
    assert mine._which.get_text() == f"samples 1 … {shown}" + f" of {M_B}" * (M_B > 16)
    sent = [f"{result.theta1:g}°", *fixed(result.sent), f"{round(result.gamma, 2) + 0:+.2f}"]
    state = [str(M_B), f"{eps:g}"]
    if M_B == 2:
        return [*state, "0°", "180°", *sent]
    return [*state, *sent, *fixed(np.median(result.own_sent))]


def per_layer(curves):
    value = np.median(curves.norms[:, 0]) ** (1 / (curves.norms.shape[1] - 1))
    return f"{value:.2f}" if value > 0.095 else f"{value:.1g}"


def depth(mine, result, M_B, depth, width, activation, variance):
    layers = np.arange(1, depth + 1)
    looks = {"bn": look.BATCH_NORM, "baseline": look.BASELINE}
    for (name, ax), line in mine._lines.items():
        same(line, looks[name])
        curves = getattr(result, name)
        values = curves.norms if ax is mine.figure.axes[0] else curves.ranks
        kept = ~np.isnan(values).any(axis=0) & (values > 0).all(axis=0)
        at(line, layers[kept], np.median(values[:, kept], axis=0))
        # From the lowest to the highest of the seeds.
        band = mine._bands[name, ax].get_xy()
        for l, column in zip(layers[kept], values[:, kept].T, strict=True):
            heights = band[band[:, 0] == l, 1]
            assert (heights.min(), heights.max()) == (column.min(), column.max())
        assert to_rgb(mine._bands[name, ax].get_facecolor()) == to_rgb(looks[name].color)
    at(mine._top, [depth], [1])
    assert mine._enters.get_position() == (depth + 0.8, 1)
    most = min(M_B - 1, width)
    at(mine._most, [1, depth], [most, most])
    assert mine._most_text.get_text() == "the most possible"
    low, high = mine._top.axes.get_ylim()
    norms = np.concatenate([c.norms.ravel() for c in (result.bn, result.baseline)])
    assert low < norms[norms > 0].min() and norms.max() < high
    said = [str(M_B), str(depth), str(width)]
    for curves in (result.bn, result.baseline):
        said += [per_layer(curves), *fixed(np.median(curves.ranks[:, -1]), digits=1)]
    said.insert(5, str(most))
    if result.formula is not None:
        factor = fixed(result.formula)
        at(mine._expected, layers, result.formula ** (depth - layers.astype(float)))
        assert mine._expected_text.get_text() == f"· · ·  × {factor[0]} per layer"
    assert mine._expected.get_visible() == (result.formula is not None)
    return said + (fixed(result.formula) if result.formula else [])


# ---- chapter 6


def networks_in_training(mine, result, M_B, **others):
    sides = result.baseline, result.bn
    pairs = zip(mine._planes, mine._curves, sides, (look.BASELINE, look.BATCH_NORM), strict=True)
    said, test, reach = [str(M_B), "200"], training.plane(), 2.3
    for (_, image, name, _), (_, line, label), side, of in pairs:
        np.testing.assert_array_equal(image.get_array(), side.prediction)
        assert image.get_extent() == [-reach, reach, -reach, reach] and image.origin == "lower"
        assert image.get_clim() == (0, 1)
        assert name.get_text() == f"{of.label}, {side.accuracy:.0%} right"
        assert label.get_text() == of.label
        for artist in (line, name, label):
            same(artist, of)
        mean = [side.cost[max(0, k - 19) : k + 1].mean() for k in range(len(side.cost))]
        at(line, range(200), np.clip(mean, 0.03, 10))
        end = np.log(np.clip(mean[-1], 0.03, 10) / 0.03) / np.log(10 / 0.03)
        assert abs(label.get_position()[1] - end) < 0.04
        # What is said is the mean of the last twenty, and the share that the picture names.
        said += [*percent(side.accuracy), *fixed(side.cost[-20:].mean())]
        # Row by row from below: the prediction at a held-out digit agrees with its side of 1/2.
        odd = test.phi_test[:, 0] > 0.5
        place = np.round((test.psi_test + reach) / (2 * reach) * (training.GRID - 1)).astype(int)
        inside = ((place >= 0) & (place < training.GRID)).all(axis=1)
        column, row = place[inside].T
        right = ((side.prediction[row, column] > 0.5) == odd[inside]).mean()
        assert right == pytest.approx(side.accuracy, abs=0.03)
    bl, bn = (side.cost[-20:].mean() for side in sides)
    where = "above" if bn > 1.5 * bl else "below" if 1.5 * bn < bl else "near"
    assert mine.tell(result) == f"M_B = {M_B}: BN's cost ends {where} the baseline's."
    # The lower half of the colors is that of the even digits, blue.
    below, above = image.get_cmap()([0.1, 0.9])
    assert below[2] > below[0] and above[0] > above[2]
    for ax in mine.figure.axes[:2]:
        dots = [line for line in ax.lines if len(line.get_xdata())]
        for line, of, chosen in zip(dots, (training.EVEN, training.ODD), (0, 1), strict=True):
            same(line, of)
            wanted = test.psi_test[test.phi_test[:, 0] == chosen]
            np.testing.assert_array_equal(line.get_xydata(), wanted)
    return said


def layers_in_training(mine, result, M_B, layer):
    angles = [look.THETA1, look.THETA2, look.THETA3, look.PHI]
    ratios = np.clip(result.ratios, 0.03, 30)
    places = np.log(ratios[:, -1] / 0.03) / np.log(1000)
    rows = [(mine._angles, result.angles.T, angles, (result.angles[-1] + 2) / 94)]
    rows += [(mine._ratios, ratios, training.LAYERS, places)]
    for curves, values, looks, ends in rows:
        heights = [name.get_position()[1] for _, name in curves]
        assert np.diff(np.sort(heights)).min() > 0.084
        for (line, name), row, of, end in zip(curves, values, looks, ends, strict=True):
            at(line, range(7), row)
            same(line, of)
            same(name, of)
            assert name.get_text() == of.label
            assert abs(name.get_position()[1] - end) < 0.3
    bold = [name.get_fontweight() == "bold" for _, name in mine._ratios]
    assert bold == [l == layer for l in (1, 2, 3)]
    said = [str(M_B), str(layer), "32"]
    for first, last in zip(result.angles[0], result.angles[-1], strict=True):
        said += [f"{first:.0f}°", f"{last:.0f}°"]
    return said + short(*result.ratios[layer - 1, [0, -1]])


# ---- chapter 7


def gallery(mine, result, M_B, mistake, upstream, eps):
    # The parts are along 1, along x̂, and orthogonal to both.
    first, second, rest = result.parts
    np.testing.assert_allclose(first + second + rest, result.wrong - result.true, atol=1e-12)
    assert np.ptp(first) < 1e-12
    products = second.sum(), rest.sum(), second @ rest
    arrays = np.stack([result.true, result.wrong, *result.parts])
    np.testing.assert_allclose(products, 0, atol=1e-12 * max(1, np.abs(arrays).max() ** 2))
    arrays = arrays / np.abs(arrays).max()
    row, slots = mine._row, centers(M_B)
    both = (row.true, look.GRADIENT, -0.16), (row.wrong, look.WRONG, 0.16)
    parts = [
        (artists, of, 0.26 * k)
        for artists, of, k in zip(
            row.parts, (look.GRADIENT, look.X_HAT, look.DELTA), (-1, 0, 1), strict=True
        )
    ]
    lengths = (result.parts**2).sum(axis=1)
    shares = lengths / lengths.sum()
    for k, ((line, heads), of, shift) in enumerate([*both, *parts]):
        same(line, of)
        same(heads, of)
        if k < 2 or shares[k - 2] > 5e-4:
            at(heads, slots + shift / M_B, arrays[k])
            stem(line, slots + shift / M_B, arrays[k])
        else:
            assert not len(heads.get_xdata())
    labels = [text.get_text() for text in row.shares]
    said = percent(*shares)
    assert labels == [
        f"{n}: {s}" for n, s in zip(("along 1", "along x̂", "the rest"), said, strict=True)
    ]
    size, off = np.abs(result.true).max(), np.abs(result.wrong - result.true).max()
    told = percent(off / size)[0] if off < 10 * size else f"a factor of {off / size:.0f}"
    assert row.name.get_text() == f"{mistake}: off by {told}"
    assert (
        mine.readout == f"M_B = {M_B}: off by {told}. Review: {wrong_gradients.diagnosis(mistake)}"
    )
    return numbers(mine.readout)


def gradient_check(mine, result, M_B, tolerance, **others):
    caught = result.differences > tolerance
    shown = np.clip(result.differences, 1e-16, 1e3)
    rows = np.arange(len(checks.CHECKED))
    at(mine._caught, shown[caught], rows[caught])
    at(mine._missed, shown[~caught], rows[~caught])
    at(mine._limit, [tolerance, tolerance], [-0.6, len(checks.CHECKED) - 0.5])
    assert mine._says.get_position()[0] == tolerance
    bars = segments(mine._bars)
    np.testing.assert_array_equal(bars[:, 1], np.stack([shown, rows], 1))
    assert (bars[:, 0, 0] == 1e-17).all() and (bars[:, 0, 1] == rows).all()
    for text, some, color in zip(mine._verdicts, caught, mine._bars.get_color(), strict=True):
        of = look.GRADIENT if some else look.BASELINE
        assert text.get_text() == ("caught" if some else "missed")
        same(text, of)
        assert to_rgb(color) == to_rgb(of.color)
    assert to_rgb(mine._missed.get_markerfacecolor()) == (1, 1, 1)
    names = [text.get_text() for text in mine.figure.axes[0].get_yticklabels()]
    assert names == list(checks.CHECKED)
    return [str(M_B), str(caught.sum()), "20", str((~caught).sum())]


# ---- chapter 8


def groups(mine, result, M_B, name, eps, groups, pixels):
    side = 1 if pixels == "1" else 2
    together, column = result.together, result.column
    images = mine._x.get_array(), mine._moved.get_array()
    for image in (mine._x, mine._moved):
        assert image.get_extent() == [0, 4, M_B, 0] and image.origin == "upper"
    for (s, f, p), shares in np.ndenumerate(together):
        # The middle of a pixel in the tile of its sample and feature.
        y, x = ((k + 0.5) * 6 / side for k in divmod(p, side))
        color, moved = (image[7 * s + int(y), 7 * f + int(x)] for image in images)
        blue, gray = color[2] - color[0] > 0.05, np.ptp(color) < 0.05
        assert blue if shares else gray
        if not shares:
            assert np.ptp(moved) < 1e-9 and moved[0] == pytest.approx(0.93)
        elif abs(column[s, f, p]) > 0.01:
            assert (moved[0] > moved[2]) == (column[s, f, p] > 0)  # red up, blue down
    keys = {text.get_text(): text for ax in mine.figure.axes for text in ax.texts}
    same(keys["■ share statistics"], look.X_HAT)
    same(keys["■ x"], look.BASELINE)
    m, values = together.sum(), result.x[together]
    if name != "rms_norm":
        x_hat = (values - values.mean()) / np.sqrt(values.var() + eps)
        moved = (np.arange(m) == 0) - (1 + x_hat[0] * x_hat) / m
        np.testing.assert_allclose(column[together], moved, atol=1e-12)
    at(mine._eigenvalues, np.arange(1, m + 1), result.eigenvalues)
    assert (mine._frame.get_width(), mine._frame.get_height()) == pytest.approx((6 / 7 / side,) * 2)
    assert mine._frame.get_xy() == (0, 0)
    ending = ["0"] if result.kept == 0 else []
    return [str(M_B), f"{eps:g}", str(m), str(result.kept), str(result.x.size), *ending]


def devices(mine, result, M_B, ranks, shards, sums):
    np.testing.assert_array_equal(mine._heat.get_array(), result.matrix)
    assert mine._heat.get_extent() == [0, 1, 1, 0] and mine._heat.origin == "upper"
    assert mine._heat.get_clim() == (-1, 1) and mine._heat.get_cmap().name == look.SIGNED
    at(mine._exact, centers(M_B), result.exact)
    at(mine._here, centers(M_B), result.here)
    same(mine._here, look.GRADIENT)
    inner = [sum(result.sizes[:k]) / M_B for k in range(1, len(result.sizes))]
    rows, columns = mine._borders
    np.testing.assert_allclose(segments(rows), [[(0, e), (1, e)] for e in inner])
    np.testing.assert_allclose(segments(columns), [[(e, 0), (e, 1)] for e in inner])
    np.testing.assert_allclose(segments(mine._ranks)[:, :, 0], np.stack([inner, inner], 1))
    off = result.here - result.exact
    off = np.sqrt(off @ off / (result.exact @ result.exact))
    sizes = [str(size) for size in result.sizes]
    return sizes + (percent(off) if off > 1e-9 else [])


# Where each explorer is looked at: the sliders' values in their order, the last ones may stay.
SHOWN = {
    "baseline.OutputError": (
        *(output_error, (16, 1.0, 0.0), (16, 1.0, 0.25), (16, 1.0, 1.0)),
        *((1, -12.0, 1.0), (256, 9.0, 0.0)),
    ),
    "baseline.Noise": (noise, (4, 10), (1, 5), (1400, 2)),
    "batchnorm.Normalization": (normalization, *((M_B, -1.2, 0.7, 0.1) for M_B in (3, 8, 64))),
    "batchnorm.Kernel": (
        *(kernel, (3, 3, 0.25, 0.01), (8, 3, 1.0, 0.01)),
        *((64, 3, 0.0, 0.01), (64, 3, 0.5, 0.01)),
    ),
    "batchnorm.Split": (split, (2, 3, 1), (3, 3, 1), (16, 3, 0), (64, 3, 5)),
    "batchnorm.MovedSample": (moved_sample, (3, 1.25), (8, 1.25), (16, 1.25)),
    "batchnorm.ClassMix": (class_mix, (2, 0.5), (16, 0.25), (64, 0.875)),
    "sample_space.Mixing": (
        *(mixing, (2, 0.0, VECTORS[0]), (3, 0.0, VECTORS[0]), (4, 0.1, VECTORS[1])),
        *((16, 10.0, VECTORS[0]), (64, 0.0, VECTORS[2])),
    ),
    "sample_space.Weight": (weight, (0.5, 1e-5), (-1.0, 0.1), (2.0, 0.0)),
    "sample_space.Chain": (chain, (8, 0.0, 300), (8, 1e-3, 120), (2, 0.0, 7), (64, 1e-2, 0)),
    "geometry.Triangle": (
        *(triangle, (4, 60, 50, 70, 35, 15), (32, 120, 40, 155, -100, -35)),
        *((3, 70, 55, 130, 20, 40), (64, 35, 140, 45, 170, 60), (2, 100, 20, 90, 35, 15)),
    ),
    "geometry.Means": (means, (64, 10.0, 0.3), (3, 0.0, 1.0), (1024, 1000.0, 0.1)),
    "geometry.Stops": (stops, (64, 4), (4, 4), (64, 1), (10, 4)),
    "propagation.Node": (node, (64, 60, 0.0, 1), (3, 150, 0.1, 5), (2, 40, 1.0, 0)),
    "propagation.Depth": (
        *(depth, (32, 30, 64, "relu", 2.0), (8, 12, 64, "identity", 2.0)),
        (3, 5, 8, "tanh", 0.5),
    ),
    "training.NetworksInTraining": (
        *(networks_in_training, (8, 0.3, 2, "relu", 2), (64, 0.01, 4, "sigmoid", 0)),
    ),
    "training.LayersInTraining": (layers_in_training, (256, 2), (16, 1)),
    "wrong_gradients.Gallery": (
        *(gallery, (16, "missing x̂ term", "drawn", 0.1), (3, "missing mean term", "drawn", 0.0)),
        *((64, "ς for 1/ς", "drawn", 0.01), (64, "sum for mean in the x̂ term", "drawn", 0.1)),
    ),
    "wrong_gradients.GradientCheck": (
        *(gradient_check, (8, "ones", "1", 1e-5, 1e-4), (8, "random", "drawn", 1e-5, 1e-2)),
    ),
    "normalizers.Groups": (
        *(groups, (4, "group_norm", 0.0, 2, "2 × 2"), (8, "batch_norm", 0.1, 2, "1")),
        *((2, "batch_norm", 0.0, 2, "1"), (3, "rms_norm", 0.0, 2, "2 × 2")),
    ),
    "normalizers.Devices": (
        *(devices, (12, 3, "unequal", LOCAL), (24, 4, "unequal", GLOBAL), (8, 2, "equal", LOCAL)),
    ),
}


def test_every_explorer_is_here():
    assert set(SHOWN) == set(AXES) == set(SLIDERS) == set(REGISTRY)


@pytest.fixture(scope="module", params=SHOWN)
def mine(request):
    return REGISTRY[request.param]()


def test_what_is_drawn_and_said_is_the_result(mine):
    shown, *states = SHOWN[mine.key]
    for state in states:
        values = dict(zip(mine.sliders, state, strict=False))
        mine.set(**values)
        said = shown(mine, mine.result, **values)
        assert numbers(mine.readout) == said, mine.readout


def test_a_kernel_is_called_empty_where_every_entry_is_0():
    mine = REGISTRY["batchnorm.Kernel"]()
    for eps in mine.controls["eps"]._options_values:
        mine.set(M_B=2, eps=eps)
        none = np.abs(mine.result.kernel).max() < 1e-9
        assert mine._empty.get_text() == ("every entry is 0" if none else "")
        assert none == (eps == 0)


def test_a_weight_says_its_slope_at_0_and_what_a_tiny_eps_leaves():
    mine = REGISTRY["sample_space.Weight"]()
    mine.set(W=0.0, eps=1e-4)
    assert "∂y/∂W = 100·γ(u − ⟨u⟩)" in mine.readout
    mine.set(W=2.0, eps=1e-10)
    share = np.linalg.norm(mine.result.rest) / np.linalg.norm(mine.result.u)
    assert 1e-12 < share < 1e-9 and f"|Mu| is {share:.2g} of" in mine.readout


# ---- what does not move

# The panels from left to right: labels, limits (None where they follow the data), logarithmic axes.
AXES = {
    "baseline.OutputError": [
        ("logit $y$", r"$M_B\,\Delta = u-\phi$", (-12.7, 12.7), (-1.1, 1.1), ""),
        ("logit $y$ of the moved sample", "cost $C$ of the batch", (-12.7, 12.7), None, ""),
    ],
    "baseline.Noise": [
        ("batch size $M_B$", "noise, relative to the gradient", (0.75, 1960), (0.006, 400), "xy"),
        ("", "", (-1.15, 1.15), (-0.28, 1.4), ""),
    ],
    "batchnorm.Normalization": [
        ("value", "", (-7.2, 7.2), (-0.55, 2.4), ""),
    ],
    "batchnorm.Kernel": [
        ("$x_t$ is pushed, samples sorted by $x$", "$y_s$ moves", (0, 1), (1, 0), ""),
        (r"$\hat{x}_s$", r"$\partial y_s/\partial x_t$ in units of $\gamma/\varsigma$",
         (-4.2, 4.2), (-0.62, 1.08), ""),
        ("", "", (0, 1), (-1, 1), ""),
    ],
    "batchnorm.Split": [
        ("", "", (0, 1), None, ""),
        ("", "", (0, 1), None, ""),
        ("", "", (0, 1), None, ""),
        ("samples of the batch, sorted by $x$", "", (0, 1), None, ""),
    ],
    "batchnorm.MovedSample": [
        ("", r"$M_B\,\partial C/\partial x_s$", (0, 1), (-1.1, 1.1), ""),
        ("", r"$M_B\,\partial C/\partial x_s$", (0, 1), (-1.1, 1.1), ""),
        ("", "", (0, 1), (0, 1), ""),
        (r"$x$ with BN, in $\sigma(x)$", "", (-5, 5), (-1, 1), ""),
    ],
    "batchnorm.ClassMix": [
        ("logit $y^L$: prediction even on the left of 0, odd on the right", "",
         (-9, 9), (-0.5, 1.5), ""),
    ],
    "geometry.Triangle": [
        ("", "", (-1.3, 1.3), (-1.3, 1.3), ""),
        ("size, in units of its amplitude", "", (-1.03, 1.03), (2.6, -0.6), ""),
        ("samples of the batch", "entry", (0, 1), None, ""),
    ],
    "geometry.Means": [
        (r"size of baseline's gradient over BN's, $\gamma/\sigma(x) = 1$", "share of the weights",
         (-2, 6), (0, 0.5), ""),
        (r"offset $\langle u\rangle/\sigma(u)$", r"median size at $\gamma/\sigma(x) = 1$",
         (-0.3, 5.3), (0.001, 3000), "y"),
    ],
    "geometry.Stops": [
        ("step", r"factors of $\partial C/\partial W$", (0, 1000), (5e-09, 3), "y"),
        ("step", "sizes, the largest of the inputs", (0, 1000), (5e-09, 3), "y"),
    ],
    "normalizers.Groups": [
        ("features", "samples", (0, 4), (8, 0), ""),
        ("number of the eigenvalue", r"eigenvalue of $\mathbf{M}$", (0.8, 41.6), (-0.06, 1.1), "x"),
        ("features", "samples", (0, 4), (8, 0), ""),
        ("", "", (0, 1), (-1, 1), ""),
    ],
    "normalizers.Devices": [
        ("sample t", "sample s", (0, 1), (1, 0), ""),
        ("samples, rank by rank", r"$M_B\,\partial C/\partial x$", (0, 1), (-1.2, 1.2), ""),
    ],
    "propagation.Node": [
        ("", "", (-1.28, 1.28), (-0.42, 1.3), ""),
        (r"$\theta_1$", r"sent back, in $\sigma(\Delta)\sqrt{M_B}$", (-4, 184), (-0.03, 1.12), ""),
        ("", "", (0, 1), (-1.08, 1.08), ""),
    ],
    "propagation.Depth": [
        ("layer $l$", r"$\Vert\Delta^l\Vert^2\;/\;\Vert\Delta^L\Vert^2$", (0, 44), None, "y"),
        ("layer $l$", r"effective rank of $y^l-\langle y^l\rangle$", (0, 44), (0.85, 38.4), "y"),
    ],
    "sample_space.Mixing": [
        ("", "sample s", (0, 1), (1, 0), ""),
        ("number of the eigenvalue", r"eigenvalue of $\mathbf{M}$", (0.8, 83.2), (-0.06, 1.1), "x"),
        ("", "", (-0.02, 1.02), (-1.15, 1.15), ""),
        ("", "", (0, 1), (-1, 1), ""),
    ],
    "sample_space.Weight": [
        ("$W$", "$y$ of each sample", (-2, 2), (-2.5, 2.5), ""),
        ("$W$", r"$|\mathbf{M}u|\;/\;|u-\langle u\rangle|$", (-2, 2), (3.333e-18, 5), "y"),
        ("samples $s$", "", (0, 1), None, ""),
    ],
    "sample_space.Chain": [
        ("training step", "$W$ of each layer", (0, 300), (-2, 2), ""),
        ("training step", r"$\gamma$ of each layer", (0, 300), (-3, 3), ""),
        ("training step", "largest move since step 0", (0, 300), (3.333e-17, 30), "y"),
    ],
    "training.NetworksInTraining": [
        ("first component", "second component", (-2.3, 2.3), (-2.3, 2.3), ""),
        ("first component", "", (-2.3, 2.3), (-2.3, 2.3), ""),
        ("step", "cost, mean of 20 batches", (0, 200), (0.03, 10), "y"),
    ],
    "training.LayersInTraining": [
        ("epoch of the training", "median angle, folded to 0…90°", (-0.2, 6.2), (-2, 92), ""),
        ("epoch of the training", "length of ∂C/∂W, BL over BN", (-0.2, 6.2), (0.03, 30), "y"),
    ],
    "wrong_gradients.Gallery": [
        ("samples, sorted by $x$", "longest stem = 1", (0, 1), (-1.12, 1.12), ""),
        ("samples, sorted by $x$", "", (0, 1), (-1.12, 1.12), ""),
    ],
    "wrong_gradients.GradientCheck": [
        ("difference from the true gradients, relative to what they could be", "",
         (1e-17, 1000), (19.5, -0.6), "x"),
    ],
}  # fmt: skip

# From where to where each slider goes, as the page says it.
SLIDERS = {
    "baseline.Noise": "M_B 1…1400; epochs trained 0…40",
    "baseline.OutputError": "M_B 1…256; logit of the moved one −12.00…12.00; its label φ 0.00…1.00",
    "batchnorm.ClassMix": "M_B 1…64; share of odd digits 0.000…1.000",
    "batchnorm.Kernel": "M_B 1…64; neuron 0…31; x that is pushed lowest…highest; ε 0…1",
    "batchnorm.MovedSample": "M_B 1…16; move one x, in σ(x) −2.50…2.50",
    "batchnorm.Normalization": "M_B 1…64; γ −2.00…2.00; β −2.00…2.00; ε 0…1",
    "batchnorm.Split": "M_B 1…64; output for the digit 0…9; epochs trained 0…20",
    "geometry.Means": "M_B 1…1024; offset ⟨u⟩/σ(u) 0…1000; mean ⟨Δ⟩/σ(Δ) 0…1",
    "geometry.Stops": "M_B 1…64; inputs 1…4",
    "geometry.Triangle": (
        "M_B 1…64; θ1, between Δ̂ and x̂ 0…180; θ2, between û and x̂ 0…180; φ, the angle at x̂ "
        "0…180; view: azimuth −180…180; view: elevation −90…90"
    ),
    "normalizers.Devices": (
        "M_B 1…24; ranks 1…4; shards equal…unequal; sums global (SyncBN)…local (ghost)"
    ),
    "normalizers.Groups": (
        "M_B 1…8; normalizer batch_norm…rms_norm; ε 0…1; groups or ghost batches 1…4; pixels 1…2 "
        "× 2"
    ),
    "propagation.Depth": (
        "M_B 1…32; layers 2…40; neurons per layer 8…64; activation relu…identity; n · variance of "
        "W 0.5…4"
    ),
    "propagation.Node": "M_B 1…1400; angle θ1 in degrees 0…180; ε 0…1; epochs of training 0…20",
    "sample_space.Chain": "M_B 1…64; ε 0…0.01; training step 0…300",
    "sample_space.Mixing": "M_B 1…64; ε 0…10; u one of its 64 inputs…ones",
    "sample_space.Weight": "weight W −2.00…2.00; ε 0…1",
    "training.LayersInTraining": "M_B 1…1400; layer 1…3",
    "training.NetworksInTraining": (
        "M_B 1…256; learning rate η 0.01…10; hidden layers 1…4; activation ReLU…sigmoid; seed 0…9"
    ),
    "wrong_gradients.Gallery": (
        "M_B 1…64; mistake missing mean term…means over everything; Δ drawn…x̂; ε 0…1"
    ),
    "wrong_gradients.GradientCheck": (
        "M_B 1…256; Δ ones…random; γ 1…drawn; ε 0…0.1; tolerance 1e−09…1e−01"
    ),
}

# What the keys say, and of which artist; its mark stands before the words.
KEYS = {
    "baseline.OutputError": {
        r"even, $\phi=0$": lambda m: m._classes[0],
        r"odd, $\phi=1$": lambda m: m._classes[1],
    },
    "geometry.Triangle": {
        r"$\hat x$": lambda m: m._points[0],
        r"$\hat\Delta$": lambda m: m._points[1],
        r"$\hat u$": lambda m: m._points[2],
    },
    "normalizers.Devices": {
        "○ on one device": lambda m: m._exact,
        "● here": lambda m: m._here,
    },
    "propagation.Node": {
        r"— from $\theta_1$": lambda m: m._predicted,
        "● measured": lambda m: m._measured,
        "■ the ten errors": lambda m: m._own,
        r"■ $\hat\Delta$": lambda m: m._delta_s,
        "● sent back": lambda m: m._sent_s,
    },
    "propagation.Depth": {
        "— BN": lambda m: m._lines["bn", m._error],
        "- - baseline": lambda m: m._lines["baseline", m._rank],
    },
    "sample_space.Mixing": {
        "— predicted": lambda m: m._predicted,
        "● measured": lambda m: m._measured,
        "▲ u": lambda m: m._u,
        r"● $\mathbf{M}$u": lambda m: m._rest,
    },
    "sample_space.Weight": {
        "— predicted": lambda m: m._predicted,
        "● measured": lambda m: m._measured,
        "▲ u − ⟨u⟩": lambda m: m._u,
        r"● $\mathbf{M}$u": lambda m: m._rest,
        "□ predicted": lambda m: m._rest_predicted,
    },
    "training.NetworksInTraining": {
        "● 0 or 2": lambda m: m.figure.axes[0].lines[0],
        "▲ 7 or 9": lambda m: m.figure.axes[1].lines[1],
    },
    "wrong_gradients.Gallery": {
        r"true $\partial C/\partial x$": lambda m: m._row.true[1],
        "wrong": lambda m: m._row.wrong[1],
    },
}
MARKS = {"■": "s", "●": "o", "▲": "^", "□": "s", "○": "o", "—": "-", "- -": "--"}


def test_the_axes_are_what_they_say(mine):
    axes = mine.figure.axes
    for ax, (x, y, xlim, ylim, logarithmic) in zip(axes, AXES[mine.key], strict=True):
        assert (ax.get_xlabel(), ax.get_ylabel()) == (x, y)
        assert ax.get_xlim() == pytest.approx(xlim, rel=1e-3)
        assert ylim is None or ax.get_ylim() == pytest.approx(ylim, rel=1e-3)
        scales = ax.get_xscale(), ax.get_yscale()
        assert [scale == "log" for scale in scales] == ["x" in logarithmic, "y" in logarithmic]
        low, high = ax.get_position().get_points()
        assert (low >= -1e-9).all() and (high <= 1 + 1e-9).all()


def test_each_slider_goes_from_end_to_end(mine):
    said = []
    for control in mine.controls.values():
        low, *_, high = driving.positions(control)
        name = control.description.removeprefix("batch size ")
        said.append(f"{name} {label(control, low)}…{label(control, high)}")
    assert "; ".join(said) == SLIDERS[mine.key]


# A zero that the logarithm has no place for, and where places are counted or are exponents.
FLOORS = {"0": (1e-17, 1e-16), r"$\leq 10^{-8}$": (1e-8,)}
COUNTED = {
    ("geometry.Means", 0): lambda place: 10.0**place,
    ("geometry.Means", 1): lambda place: (0, 0.1, 1, 10, 100, 1000)[round(place)],
    ("training.LayersInTraining", 0): lambda place: (0, 1, 2, 4, 8, 16, 32)[round(place)],
    ("training.LayersInTraining", 1): lambda place: (0, 1, 2, 4, 8, 16, 32)[round(place)],
}


def test_every_number_on_an_axis_stands_at_its_place(mine):
    mine.figure.canvas.draw()
    for k, ax in enumerate(mine.figure.axes):
        counted = COUNTED.get((mine.key, k), float)
        for axis, value in ((ax.xaxis, counted), (ax.yaxis, float)):
            for tick in axis.get_major_ticks():
                text, place = tick.label1.get_text().replace("−", "-"), tick.get_loc()
                power = re.search(r"10\^\{(-?\d+)\}", text)
                if place in FLOORS.get(text, ()):
                    continue
                if power:
                    assert value(place) == pytest.approx(10.0 ** int(power[1]))
                elif re.fullmatch(r"-?([\d.]+°?|[¼½])", text):
                    said = float(text.rstrip("°").replace("¼", "0.25").replace("½", "0.5"))
                    assert value(place) == pytest.approx(said)


def test_a_key_names_the_artist_that_looks_like_it(mine):
    mine.reset()
    for text, artist in KEYS.get(mine.key, {}).items():
        artist = artist(mine)
        found = [t for t in (*artist.axes.texts, *mine.figure.texts) if t.get_text() == text]
        assert len(found) == 1, text
        color = look.legible(artist.get_color())
        hollow = artist.get_markerfacecolor() in ("white", "none") and artist.get_marker() == "o"
        if hollow and artist.get_markeredgecolor() != artist.get_color():
            color = artist.get_markeredgecolor()
        # The black of a gradient and that of the ink are one.
        off = np.subtract(to_rgb(found[0].get_color()), to_rgb(color))
        assert np.abs(off).max() < 0.14, text
        for mark, wanted in MARKS.items():
            if text.startswith(mark):
                assert wanted in (
                    artist.get_marker(),
                    artist.get_linestyle(),
                    "-" * (artist.get_marker() == "_"),
                ), text
                empty = artist.get_fillstyle() == "none" or artist.get_markerfacecolor() == "white"
                assert empty == (mark in "□○")


# ---- the stills of the book


def stills():
    """The states of each explorer's stills in the chapters, by key."""
    found = {}
    for path in (Path(__file__).parents[1] / "src" / "text").glob("*.md"):
        text = path.read_text(encoding="utf-8")
        keys = driving.made(text)
        for name, said in re.findall(r"^(\w+)\.stills\((.*?)\)\n(?:```|\w)", text, re.M | re.S):
            call = ast.parse(f"f({said})", mode="eval").body
            states = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
            found.setdefault(keys[name], []).append(states)
    return found


STILLS = stills()


def test_the_stills_of_the_book_are_found():
    assert sum(map(len, STILLS.values())) >= 20 and set(STILLS) == set(REGISTRY)


def label(control, value):
    """What stands beside a slider in the page."""
    if hasattr(control, "options"):
        names = dict(zip(control._options_values, control._options_labels, strict=True))
        return names[value]
    return format(value, control.readout_format).replace("-", "−")


def test_a_still_of_the_book_shows_what_the_sliders_show(mine, monkeypatch):
    mine.reset()
    monkeypatch.setattr(look, "panel", lambda figure, heading="": (heading, mine.png()))
    monkeypatch.setattr(look, "below_each_other", lambda panels, alt: (panels, alt))
    for states in STILLS[mine.key]:
        panels, alt = mine.stills(**states)
        told = [mine.title + "."]
        varied = [name for name, value in states.items() if isinstance(value, tuple)]
        for k, (heading, png) in enumerate(panels):
            state = {name: v[k] if name in varied else v for name, v in states.items()}
            mine.reset()
            mine.set(**state)
            assert png == mine.image.png, state
            told.append(f"{k + 1}. {mine.tell(mine.result).removesuffix('.')}.")
            said = [
                f"{mine.controls[name].description}: {label(mine.controls[name], state[name])}"
                for name in varied
            ]
            assert heading == ", ".join(said)
        assert alt == " ".join(told)
    mine.reset()
