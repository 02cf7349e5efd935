"""The pictures of chapter 7: where a mistake lives in the gradient, and which check sees it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

from .. import baseline, digits, network, sample_space
from ..activations import sigmoid
from ..kept import kept
from . import gradient_checks as checks
from . import look
from .explorer import Explorer, batch_size, slider
from .look import slots, stems

SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
DIGIT = 6
NOTHING = np.empty(0)
ROUNDING = 1e-12  # what is smaller is 0
# Those that show in ∂C/∂x.
IN_X = tuple(
    name for group, names in checks.GALLERY.items() for name in names if group != "wrong sums"
)

load = kept(digits.load)


@kept
def _output_layer():
    """Return u of the hidden layer, the labels and the output layer of the digits network."""
    net, data = digits.trained("ten", batch_norm=True, epochs=1), load("ten")
    hidden = network.feed_forward(net, data.psi[: SIZES[-1]])[0].u
    return hidden, data.phi[: SIZES[-1]], net.layers[-1]


@kept
def _drawn():
    """Return a drawn Δ with a part along 1 and a part along x̂, so that neither hides."""
    u, _, last = _output_layer()
    rng = np.random.default_rng(3)
    x = u @ last.W.T
    lean = rng.choice([-1.0, 1.0], (2, 10)) * rng.uniform(0.5, 1.0, (2, 10))
    noise = 0.6 * rng.normal(size=x.shape)
    return noise + lean[0] + lean[1] * (x - x.mean(axis=0)) / x.std(axis=0)


UPSTREAM = {
    "drawn": lambda values, phi: _drawn()[: len(phi)],
    "of the digits": lambda values, phi: (
        len(phi) * baseline.output_error(sigmoid.g(values["y"]), phi)
    ),
    "1": lambda values, phi: np.ones_like(values["y"]),
    "y": lambda values, phi: values["y"],
    "x̂": lambda values, phi: values["x_hat"],
}


@kept
def layer_of_digits(M_B, eps, upstream):
    """Return the values of the output layer for the first M_B digits; Δ is times M_B."""
    u, phi, last = _output_layer()
    x = u[:M_B] @ last.W.T
    values = checks.layer(x, last.gamma, last.beta, eps, np.zeros_like(x))
    return {**values, "delta": UPSTREAM[upstream](values, phi[:M_B])}


# Its difference is drawn in parts: the last is what is left.
PARTS = (
    ("along 1", look.GRADIENT),
    # No formula: matplotlib keeps some kilobytes of each new one for good.
    ("along x̂", look.X_HAT),
    ("the rest", look.DELTA),
)


class Residual(NamedTuple):
    """A true and a wrong ∂C/∂x of one neuron, samples sorted by x; empty at M_B = 1.

    `parts` are those of wrong − true, `shares` those of its squared length, zeros where there is
    no difference; `off` says how large the difference is.
    """

    name: str
    M_B: int
    true: np.ndarray = NOTHING
    wrong: np.ndarray = NOTHING
    parts: np.ndarray = np.empty((3, 0))
    shares: np.ndarray = np.zeros(3)
    off: str = "nothing to compare"


def residual(values, name):
    """Return the `Residual` of a mistake at the output for the digit 6."""
    with np.errstate(all="ignore"):
        true, wrong = (checks.gradients(values, n).x[:, DIGIT] for n in (None, name))
    order = np.argsort(values["x"][:, DIGIT])
    x_hat, true, wrong = values["x_hat"][order, DIGIT], true[order], wrong[order]
    difference = wrong - true
    mean, along, _ = sample_space.split(x_hat[:, np.newaxis], difference[:, np.newaxis])
    # With eps > 0 x̂ is shorter than √M_B; the part along it is the whole projection.
    along = along / sample_space.sample_mean(x_hat * x_hat)
    first, second = np.full_like(x_hat, mean[0]), along * x_hat
    parts = np.array([first, second, difference - first - second])
    lengths = (parts * parts).sum(axis=1)
    noise = 1e-20 * max(1.0, float(np.abs(values["delta"]).max())) ** 2
    shares = lengths / lengths.sum() if lengths.sum() > noise else np.zeros(3)
    return Residual(name, len(true), true, wrong, parts, shares, _off(true, difference))


def _off(true, difference):
    size, off = np.abs(true).max(), np.abs(difference).max()
    if off < ROUNDING:
        return "equal"
    if size < ROUNDING:
        return "the true one is 0"
    return f"off by {off / size:.0%}" if off < 10 * size else f"off by a factor of {off / size:.0f}"


class Row:
    """Two axes: a wrong gradient beside the true one, and the difference in its three parts."""

    def __init__(self, left, right, note=lambda artist: artist):
        self.note = note  # what becomes of an artist that moves
        for ax in (left, right):
            ax.set(xlim=(0, 1), ylim=(-1.12, 1.12), xticks=[], yticks=[])
            ax.spines[["left", "bottom"]].set_visible(False)
            ax.axhline(0, color=look.INK, lw=0.5, zorder=0)
        left.set_yticks([-1, 0, 1])
        left.spines["left"].set_visible(True)
        left.set_ylabel("longest stem = 1")
        self.name = note(left.text(0, 1.02, "", transform=left.transAxes, fontsize=8.5))
        self.true = self._samples(left, look.GRADIENT, markersize=5)
        self.wrong = self._samples(left, look.WRONG, markersize=5, mfc="white")
        self.parts = [self._samples(right, of, markersize=3) for _, of in PARTS]
        beside = {"transform": right.transAxes, "va": "center", "fontsize": 8.5}
        self.shares = [
            note(right.text(1.02, 0.86 - 0.3 * k, "", color=of.ink, **beside))
            for k, (_, of) in enumerate(PARTS)
        ]

    def _samples(self, ax, of, **points):
        (line,) = ax.plot([], [], color=of.color, lw=1.3, zorder=2)
        (heads,) = ax.plot([], [], **of.points(zorder=3, **points))
        return self.note(line), self.note(heads)

    def show(self, residual):
        M_B = len(residual.true)
        self.name.set_text(f"{residual.name}: {residual.off}")
        arrays = np.stack([residual.true, residual.wrong, *residual.parts])
        # The two axes of a row have one unit, in which the longest stem is 1; rounding stays small.
        longest = np.abs(arrays).max(initial=0.0)
        arrays = arrays / (longest if longest > ROUNDING else 1.0)
        slot = 1 / max(M_B, 1)
        for artists, array, shift in zip(
            (self.true, self.wrong), arrays[:2], (-0.16, 0.16), strict=True
        ):
            _set(artists, slots(M_B) + shift * slot, array, 5)
        for k, (artists, array) in enumerate(zip(self.parts, arrays[2:], strict=True)):
            shown = array if residual.shares[k] > 5e-4 else NOTHING
            _set(artists, (slots(M_B) + 0.26 * (k - 1) * slot)[: len(shown)], shown, 3.5)
        for text, share, (label, _) in zip(self.shares, residual.shares, PARTS, strict=True):
            text.set_text(f"{label}: {share:.0%}" if any(residual.shares) else "")


def _set(artists, x, heights, largest):
    line, heads = artists
    line.set_data(*stems(x, heights))
    line.set_linewidth(1.3 if len(x) <= 24 else 0.8)
    heads.set_data(x, heights)
    heads.set_markersize(min(largest, 90 / max(len(x), 1)))


def _pairs(figure, count):
    """Return `count` pairs of axes for a `Row` each, and name once what is drawn."""
    height = figure.get_figheight()
    axes = look.new_axes(figure, count, 2, squeeze=False, width_ratios=(1, 1.15))
    edges = {"left": 0.075, "right": 0.86, "bottom": 0.38 / height, "top": 1 - 0.42 / height}
    figure.subplots_adjust(**edges, wspace=0.07, hspace=0.32)
    for ax in axes[-1]:
        ax.set_xlabel("samples, sorted by $x$")
    y = 1 - 0.13 / height
    for x, of, text, fill in (
        (0.19, look.GRADIENT, r"true $\partial C/\partial x$", look.GRADIENT.color),
        (0.33, look.WRONG, "wrong", "white"),
    ):
        mark = of.points(markersize=5, mfc=fill)
        figure.add_artist(Line2D([x], [y], transform=figure.transFigure, **mark))
        figure.text(x + 0.012, y, text, va="center", color=of.ink, fontsize=9)
    figure.text(0.66, y, "wrong − true, in three parts", va="center", ha="center")
    return axes


class Gallery(Explorer):
    """∂C/∂x at the output for the digit 6 of the digits network, with a mistake."""

    size = 8.4, 2.8
    M_B = batch_size(SIZES, 16)
    mistake = slider("mistake", "missing x̂ term", options=IN_X)
    upstream = slider("Δ", "drawn", options=tuple(UPSTREAM))
    eps = slider(
        "ε", 0.1, options=[(text, float(text)) for text in ("0", "0.001", "0.01", "0.1", "1")]
    )

    def compute(self, M_B, mistake, upstream, eps):
        if M_B == 1:
            return Residual(mistake, M_B)  # at eps = 0 there is no x̂; with eps x̂ = 0
        return residual(layer_of_digits(M_B, eps, upstream), mistake)

    def draw(self):
        ((left, right),) = _pairs(self.figure, 1)
        self._row = Row(left, right, self.moving)

    def update(self, result):
        self._row.show(result)

    def say(self, result):
        review, M_B = f"Review: {diagnosis(result.name)}", result.M_B
        if M_B == 1:
            return f"M_B = 1: ∂C/∂x is 0, or at ε = 0 not defined. {review}"
        if result.off == "equal":
            zero = "both 0" if not np.abs(result.true).max() > ROUNDING else "equal"
            return (
                f"M_B = {M_B}: true and wrong ∂C/∂x are {zero}, so this Δ shows nothing. {review}"
            )
        if M_B == 2 and result.off == "the true one is 0":
            return f"M_B = 2: the true ∂C/∂x is 0, nothing is left to learn below. {review}"
        return f"M_B = {M_B}: {result.off}. {review}"


@kept
def diagnosis(name):
    """Return what review says of a mistake."""
    return checks.reviewed(name).reports[name].diagnosis


def group(name, M_B=16):
    """Show what review says of a group of mistakes, and return the `Picture` of those in ∂C/∂x."""
    names = checks.GALLERY[name]
    said, pictured = checks.reviewed(*names), [one for one in names if one in IN_X]
    if not pictured:
        return said
    # Not above: where a page draws the explorers there is no IPython.
    from IPython.display import display

    display(said)
    return below_each_other(*pictured, M_B=M_B)


@look.settings()
def below_each_other(*names, M_B=16, eps=0.1):
    """Return a `Picture` of several mistakes at the same output and batch."""
    residuals = [residual(layer_of_digits(M_B, eps, "drawn"), name) for name in names]
    figure = look.new_figure(8.4, 0.8 + 1.15 * len(names))
    for pair, shown in zip(_pairs(figure, len(names)), residuals, strict=True):
        Row(*pair).show(shown)
    return look.still(
        figure,
        f"∂C/∂x of {M_B} digits at one output, true and wrong, and the difference in its parts "
        f"along 1, along x̂ and the rest. " + "; ".join(map(_alt, residuals)),
    )


def _alt(shown):
    parts = ", ".join(f"{s:.0%} {label}" for s, (label, _) in zip(shown.shares, PARTS, strict=True))
    return f"{shown.name}: {shown.off}, {parts}"


CHECK_SIZES = (1, 2, 3, 4, 8, 16, 32, 64, 128, 256)


@kept
def pixels():
    """Return x of four neurons of layer 1 of the digits network, and a drawn Δ, γ and β."""
    net, data = digits.trained("ten", batch_norm=True, epochs=1), load("ten")
    rng = np.random.default_rng(0)
    x = data.psi[: CHECK_SIZES[-1]] @ net.layers[0].W[12:16].T
    gamma = rng.uniform(0.5, 2, 4) * np.array([1, -1, 1, -1])
    return x, rng.normal(size=x.shape), gamma, rng.normal(size=4)


@kept
def differences(M_B, upstream, gamma, eps):
    """Return how far each mistake of the gallery is from the true gradients."""
    x, delta, drawn, beta = pixels()
    scale = np.ones(4) if gamma == "1" else drawn
    values = checks.layer(x[:M_B], scale, beta, eps, delta[:M_B], upstream)
    with np.errstate(all="ignore"):
        return np.array([checks.difference(name, values) for name in checks.CHECKED])


class Checked(NamedTuple):
    """The difference of each mistake, empty at M_B = 1, and what a check tolerates."""

    differences: np.ndarray
    tolerance: float
    M_B: int


class GradientCheck(Explorer):
    """A gradient check at four neurons of the digits network, and the mistakes it catches."""

    size = 8.4, 0.8 + 0.185 * len(checks.CHECKED)
    M_B = batch_size(CHECK_SIZES, 8)
    upstream = slider("Δ", "ones", options=("ones", "y", "random"))
    gamma = slider("γ", "1", options=("1", "drawn"))
    eps = slider("ε", 1e-5, options=[(text, float(text)) for text in ("0", "1e-5", "0.001", "0.1")])
    tolerance = slider("tolerance", 1e-4, base=10, min=-9, max=-1, step=1, readout_format=".0e")

    def compute(self, M_B, upstream, gamma, eps, tolerance):
        there = differences(M_B, upstream, gamma, eps) if M_B > 1 else NOTHING
        return Checked(there, tolerance, M_B)

    def draw(self):
        ax, count, height = self.axes(), len(checks.CHECKED), self.size[1]
        self.figure.subplots_adjust(
            left=0.33, right=0.91, bottom=0.5 / height, top=1 - 0.3 / height
        )
        ax.set(xscale="log", xlim=(LOWEST, HIGHEST), ylim=(count - 0.5, -0.6))
        ax.set_xticks([1e-16, 1e-12, 1e-8, 1e-4, 1])
        ax.minorticks_off()
        ax.set_yticks(range(count), checks.CHECKED, fontsize=8.5)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.set_xlabel("difference from the true gradients, relative to what they could be")
        # One artist for all bars, and two for their heads: drawing each takes as long as all.
        self._bars = self.moving(LineCollection([], lw=1.6, zorder=2))
        ax.add_collection(self._bars, autolim=False)
        self._caught, self._missed = (
            self.line(ax, **of.points(marker="o", ms=6, mfc=fill, zorder=3))
            for of, fill in ((look.GRADIENT, look.GRADIENT.color), (look.BASELINE, "white"))
        )
        beside = {"transform": ax.get_yaxis_transform(), "va": "center", "fontsize": 8.5}
        self._verdicts = [self.words(ax, 1.01, k, "", **beside) for k in range(count)]
        self._limit = self.line(ax, color=look.THETA1.color, lw=2, zorder=1)
        self._says = self.words(
            ax, 1, -0.75, "tolerance", color=look.INK, ha="center", va="bottom", fontsize=8.5
        )

    def update(self, result):
        tolerance, count = result.tolerance, len(self._verdicts)
        self._limit.set_data([tolerance, tolerance], [-0.6, count - 0.5])
        self._says.set_x(tolerance)
        values = result.differences if len(result.differences) else np.full(count, np.nan)
        rows, caught = np.arange(count), values > tolerance
        shown = np.clip(values, 1e-16, HIGHEST)
        looks = [look.GRADIENT if some else look.BASELINE for some in caught]
        ends = np.stack([np.full(count, LOWEST), rows, shown, rows], axis=1)
        self._bars.set_segments(ends[~np.isnan(values)].reshape(-1, 2, 2))
        self._bars.set(color=[of.color for of in looks], linestyle=[of.linestyle for of in looks])
        self._caught.set_data(shown[caught], rows[caught])
        self._missed.set_data(shown[~caught], rows[~caught])
        for text, value, of, some in zip(self._verdicts, values, looks, caught, strict=True):
            word = "caught" if some else "missed"
            text.set(text="" if np.isnan(value) else word, color=of.ink)

    def say(self, result):
        if result.M_B == 1:
            return "M_B = 1: x̂ is 0, or at ε = 0 not defined; there is no ∂C/∂x to check"
        count = len(result.differences)
        caught = int((result.differences > result.tolerance).sum())
        return (
            f"M_B = {result.M_B}: this check catches {caught} of {count} mistakes "
            f"and misses {count - caught}"
        )


LOWEST, HIGHEST = 1e-17, 1e3  # the ends of the axis of differences
