"""The pictures of chapter 2: BN forward, its kernel, and what it does to errors and predictions."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
from matplotlib.colors import SymLogNorm

from .. import baseline, batchnorm, digits, network, sample_space
from ..activations import sigmoid
from ..kept import kept
from . import look
from .explorer import Explorer, Grip, batch_size, slider
from .look import number, slots, stems
from .schematic import FAINT, SMALL, around, arrow, box, chain, links, neurons, sheet, write

NEURON = 16
SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
NOTHING = np.empty(0)

load = kept(digits.load)


@kept
def layer_input(neuron):
    """Return x of one hidden neuron of the digits network for 64 digits, shape (64,)."""
    net = digits.trained("ten", batch_norm=True, epochs=1)
    psi = load("ten").psi[: SIZES[-1]]
    x = psi @ net.layers[0].W[neuron]
    return x


def _epsilon():
    options = [(text, float(text)) for text in ("0", "1e-5", "0.001", "0.01", "0.1", "1")]
    return slider("ε", 0.0, options=options)


ROWS = {"x": (2.0, look.X), "x_hat": (1.0, look.X_HAT), "y": (0.0, look.Y)}


class Forward(NamedTuple):
    """One neuron's batch through BN; x̂ and y are empty where σ = 0 and ε = 0."""

    # (M_B,) or (0,)
    x: np.ndarray
    x_hat: np.ndarray
    y: np.ndarray
    # as the sliders stand
    beta: float
    eps: float


class Normalization(Explorer):
    """Hidden neuron 16 of the digits network: x, x̂ and y of a batch."""

    size = 7.4, 3.2
    places = 4
    M_B = batch_size(SIZES, 16)
    gamma = slider("γ", 1.5, min=-2.0, max=2.0, step=0.05)
    beta = slider("β", 1.0, min=-2.0, max=2.0, step=0.05)
    eps = _epsilon()

    def compute(self, M_B, gamma, beta, eps):
        x = layer_input(NEURON)[:M_B]
        if M_B == 1 and eps == 0:
            return Forward(x, NOTHING, NOTHING, beta, eps)
        y, normalized = batchnorm.forward(x[:, np.newaxis], [gamma], [beta], eps)
        return Forward(x, normalized.x_hat[:, 0], y[:, 0], beta, eps)

    def draw(self):
        ax = self.axes()
        self.figure.subplots_adjust(left=0.1, right=0.98, bottom=0.14, top=0.98)
        ax.set(xlim=(-7.2, 7.2), ylim=(-0.55, 2.4), yticks=[], xlabel="value")
        ax.spines["left"].set_visible(False)
        self._threads = self.line(ax, color="#CCCCCC", lw=0.7, zorder=1)
        self._rows = {name: self._row(ax, *row) for name, row in ROWS.items()}
        self._missing = self.words(
            ax, 0, 0.5, "", ha="center", va="center", color=look.BASELINE.color
        )

    def _row(self, ax, height, of):
        ax.axhline(height, color=look.INK, lw=0.4, zorder=0)
        ax.text(-0.02, height, of.label, color=of.ink, ha="right", va="center",
                fontsize=13, transform=ax.get_yaxis_transform())  # fmt: skip
        looks = {"ha": "center", "va": "center", "fontsize": 8.5, "zorder": 4}
        looks["bbox"] = {"fc": "white", "ec": "none", "alpha": 0.8, "pad": 1}
        return [
            self.line(ax, **of.points(alpha=0.65, markersize=6, zorder=3)),
            self.line(ax, color=of.color, lw=3, solid_capstyle="butt", zorder=2),
            self.line(ax, color=look.INK, marker="|", markersize=9, ls="none", zorder=4),
            self.words(ax, 0, height - 0.37, **looks),
        ]

    def update(self, result):
        samples = {name: getattr(result, name) for name in ROWS}
        for name, values in samples.items():
            self._update_row(name, values)
        present = [(v, ROWS[name][0]) for name, v in samples.items() if len(v)]
        threads = np.full((len(result.x), len(present) + 1, 2), np.nan)
        for k, (values, height) in enumerate(present):
            threads[:, k] = np.stack([values, np.full(len(values), height)], axis=1)
        self._threads.set_data(*threads.reshape(-1, 2).T)
        self._missing.set_text("" if len(result.y) else "σ = 0: nothing to divide by")

    def _update_row(self, name, values):
        points, spread, mean, label = self._rows[name]
        height = ROWS[name][0]
        points.set_data(values, np.full(len(values), height))
        for artist in (spread, mean, label):
            artist.set_visible(len(values) > 0)
        if len(values):
            center, sigma = values.mean(), values.std()
            spread.set_data([center - sigma, center + sigma], [height - 0.17] * 2)
            mean.set_data([center], [height - 0.17])
            label.set_x(center)
            label.set_text(f"{number(center)} ± {number(sigma)}")

    def handles(self, result, gamma, beta, **_):
        if not len(result.x_hat):
            return {}
        ax, height = self.figure.axes[0], ROWS["y"][0] - 0.17
        end = beta + gamma * result.x_hat.std()
        return {("beta",): Grip(ax, beta, height), ("gamma",): Grip(ax, end, height)}

    def say(self, result):
        x, x_hat, y, beta, eps = result
        if not len(x_hat):
            return "M_B = 1: the only x is its own mean, so σ = 0 and at ε = 0 there is no x̂"
        if len(x) == 1:
            return f"M_B = 1: x̂ = 0 and y = β = {number(beta)}, whatever the sample is"
        if len(x) == 2:
            unless = "whatever the two samples are" if eps == 0 else "a little inside ±1, by ε"
            return f"M_B = 2: x̂ = {number(min(x_hat))} and {number(max(x_hat))}, {unless}"
        return (
            f"M_B = {len(x)}: mean ± standard deviation of x {_spread(x)}, "
            f"of x̂ {_spread(x_hat)}, of y {_spread(y)}"
        )


def _spread(v):
    return f"{number(v.mean())} ± {number(v.std())}"


PUSHED = {"lowest": 0.0, "low": 0.25, "middle": 0.5, "high": 0.75, "highest": 1.0}


class Derivative(NamedTuple):
    """The kernel (3) of one neuron; empty where σ = 0 and ε = 0."""

    kernel: np.ndarray  # (M_B, M_B) or (0, 0), ∂y_s/∂x_t in units of γ/ς, samples sorted by x
    x_hat: np.ndarray  # (M_B,) or (0,), in the same order
    pushed: int  # the sample t whose x moves
    eps: float


class Kernel(Explorer):
    """Kernel (3) of one hidden neuron of the digits network."""

    size = 7.6, 3.7
    second = "eps"
    M_B = batch_size(SIZES, 8)
    neuron = slider("neuron", NEURON, min=0, max=31)
    pushed = slider("x that is pushed", 0.0, options=PUSHED)
    eps = _epsilon()

    def compute(self, M_B, neuron, pushed, eps):
        x = np.sort(layer_input(neuron)[:M_B])
        t = round(pushed * (M_B - 1))
        if M_B == 1 and eps == 0:
            return Derivative(np.empty((0, 0)), NOTHING, t, eps)
        normalized = batchnorm.normalize(x[:, np.newaxis], eps)
        # γ = ς gives the kernel in units of γ/ς.
        kernel = batchnorm.kernel(normalized, normalized.std)[:, :, 0]
        return Derivative(kernel, normalized.x_hat[:, 0], t, eps)

    def draw(self):
        map_axes, column_axes = self.axes(1, 2, width_ratios=(1, 1.25))
        self.figure.subplots_adjust(left=0.06, right=0.99, bottom=0.14, top=0.97, wspace=0.42)
        self._draw_map(map_axes)
        self._draw_axes(column_axes)

    def _draw_map(self, ax):
        # Off the diagonal the entries are of size 1/M_B: a linear scale would hide them.
        norm = SymLogNorm(linthresh=0.02, linscale=0.5, vmin=-1, vmax=1)
        self._map = self.moving(
            ax.imshow([[0.0]], cmap=look.SIGNED, norm=norm, extent=(0, 1, 1, 0), zorder=1)
        )
        bar = self.figure.colorbar(self._map, ax=ax, fraction=0.046, pad=0.04)
        bar.set_ticks([-1, -0.1, 0, 0.1, 1], labels=["−1", "−0.1", "0", "0.1", "1"])
        bar.minorticks_off()
        bar.outline.set_linewidth(look.THIN)
        ax.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(1, 0))
        ax.set_xlabel("$x_t$ is pushed, samples sorted by $x$")
        ax.set_ylabel("$y_s$ moves")
        for side in ("top", "right"):
            ax.spines[side].set_visible(True)
        self._frame = self.line(ax, color=look.INK, lw=1.2, zorder=2, clip_on=False)
        self._empty = self.words(
            ax, 0.5, 0.5, "", ha="center", va="center", color=look.INK, zorder=3
        )

    def _draw_axes(self, ax):
        ax.set(xlim=(-4.2, 4.2), ylim=(-0.62, 1.08))
        ax.set_xlabel(r"$\hat{x}_s$")
        ax.set_ylabel(r"$\partial y_s/\partial x_t$ in units of $\gamma/\varsigma$")
        ax.axhline(0, color=look.INK, lw=0.4, zorder=0)
        self._stems = self.line(ax, color=look.INK, lw=0.8, zorder=2)
        self._others = self.line(ax, "o", color=look.X_HAT.color, markersize=4.5, zorder=3)
        self._own = self.line(ax, "D", color=look.INK, markersize=6, zorder=4)
        base = look.BASELINE.points(markersize=7, markeredgewidth=1.6, zorder=4)
        self._base = self.line(ax, **base)
        self._labels = [
            self.words(ax, 0, 0, va="center", fontsize=8.5, color=color, zorder=5)
            for color in (look.INK, look.BASELINE.color)
        ]

    def update(self, result):
        kernel, x_hat, t = result.kernel, result.x_hat, result.pushed
        there = len(kernel) > 0
        self._map.set_data(kernel if there else [[0.0]])
        self._empty.set_text(_why_empty(kernel))
        edges = np.array([t, t + 1]) / max(len(kernel), 1)
        self._frame.set_data(edges[[0, 1, 1, 0, 0]], [0, 0, 1, 1, 0])
        self._frame.set_visible(not self._empty.get_text())
        self._update_column(kernel[:, t] if there else NOTHING, x_hat, t)

    def _update_column(self, column, x_hat, t):
        self._stems.set_data(*stems(x_hat, column))
        others = np.arange(len(column)) != t
        self._others.set_data(x_hat[others], column[others])
        at = x_hat[t : t + 1]
        self._own.set_data(at, column[t : t + 1])
        self._base.set_data(at, np.ones(len(at)))
        self._label_column(x_hat, column, t)

    def _label_column(self, x_hat, column, t):
        names = ("$y_t$ itself", "baseline") if len(column) else ("", "")
        own = column[t] if len(column) else 0.0
        x = x_hat[t] if len(column) else 0.0
        to_right = x < 1.5
        for label, name, y in zip(
            self._labels, names, (min(max(own, 0.06), 0.9), 1.0), strict=True
        ):
            label.set_text(name)
            label.set(x=x + (0.3 if to_right else -0.3), y=y, ha="left" if to_right else "right")

    def say(self, result):
        kernel, _, t, eps = result
        M_B = len(kernel)
        if M_B == 0:
            return "M_B = 1: σ = 0 and at ε = 0 there is no x̂, so there is no kernel"
        if M_B == 1:
            return "M_B = 1: the kernel is 0, since y = β however x moves"
        if M_B == 2 and eps == 0:
            return "M_B = 2: every entry is 0, since x̂ = ±1 however x moves"
        others = np.delete(kernel[:, t], t)
        return (
            f"M_B = {M_B}: pushing one x moves its own y by {number(kernel[t, t])}, "
            f"{_range(others)}, in units of γ/ς"
        )


def _range(others):
    if len(others) == 1:
        return f"the other by {number(others[0])}"
    return f"the others by {number(others.min())} to {number(others.max())}"


def _why_empty(kernel):
    """Say on a map without structure why there is none."""
    if len(kernel) == 0:
        return "no x̂, no kernel"
    return "every entry is 0" if np.abs(kernel).max() < 1e-9 else ""


PARTS = (
    ("error", r"$\Delta$", look.DELTA, ""),
    ("mean", r"$=\ \langle\Delta\rangle\,\mathbf{1}$", look.GRADIENT, "β takes"),
    ("along_x_hat", r"$+\ \langle\hat{x}\Delta\rangle\,\hat{x}$", look.X_HAT, "γ takes"),
    ("mixed", r"$+\ \mathbf{M}\Delta$", look.DELTA, "passed below"),
)


class Parts(NamedTuple):
    """M_B·Δ of one output neuron and its three parts, samples sorted by x."""

    # (M_B,) or (0,), M_B·Δ, and its parts along 1, along x̂, and the rest
    error: np.ndarray
    mean: np.ndarray
    along_x_hat: np.ndarray
    mixed: np.ndarray
    shares: np.ndarray  # (3,), of the squared length, in the same order


# How far the axes go: an error shrinks as the network learns.
REACHES = (0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2)


class Split(Explorer):
    """Error at one output of the digits network, split in three."""

    size = 7.4, 4.3
    second = "epochs"
    M_B = batch_size(SIZES, 16)
    digit = slider("output for the digit", 6, min=0, max=9)
    epochs = slider("epochs trained", 0, options=(0, 1, 2, 5, 10, 20))

    def compute(self, M_B, digit, epochs):
        if M_B == 1:
            return Parts(NOTHING, NOTHING, NOTHING, NOTHING, np.zeros(3))
        net, data = digits.trained("ten", batch_norm=True, epochs=epochs), load("ten")
        last = network.feed_forward(net, data.psi[:M_B])[-1]
        x_hat = last.normalized.x_hat[:, [digit]]
        order = np.argsort(x_hat[:, 0])
        error = M_B * baseline.output_error(last.u, data.phi[:M_B])[order][:, [digit]]
        x_hat = x_hat[order]
        mean, along_x_hat, mixed = sample_space.split(x_hat, error)
        parts = [np.full(M_B, mean), (along_x_hat * x_hat)[:, 0], mixed[:, 0]]
        lengths = np.array([part @ part for part in parts])
        return Parts(error[:, 0], *parts, lengths / (error[:, 0] @ error[:, 0]))

    def draw(self):
        rows = self.axes(len(PARTS), 1)
        self.figure.subplots_adjust(left=0.17, right=0.82, bottom=0.09, top=0.98, hspace=0.28)
        self._rows = [self._row(ax, *row) for ax, row in zip(rows, PARTS, strict=True)]
        rows[-1].set_xlabel("samples of the batch, sorted by $x$")
        self._missing = self.moving(
            rows[0].text(0.5, 0, "", ha="center", va="center", color=look.BASELINE.color,
                         bbox={"fc": "white", "ec": "none"}, zorder=5)
        )  # fmt: skip

    def _row(self, ax, name, letter, of, taker):
        self.rescaled(ax)
        ax.set(xlim=(0, 1), xticks=[])
        ax.spines["bottom"].set_visible(False)
        ax.axhline(0, color=look.INK, lw=0.4, zorder=0)
        beside = {"va": "center", "transform": ax.transAxes}
        ax.text(-0.06, 0.5, letter, color=of.ink, ha="right", fontsize=12, **beside)
        ax.text(1.03, 0.64, taker, fontsize=8.5, **beside)
        line = self.line(ax, color=of.color, lw=1.4, zorder=2)
        points = self.line(ax, **of.points(markersize=4.5, zorder=3))
        return name, line, points, self.words(ax, 1.03, 0.36, fontsize=11, color=of.ink, **beside)

    def update(self, result):
        largest = max(np.abs(rows).max(initial=0) for rows in result[:4])
        reach = next(reach for reach in REACHES if reach >= largest)
        for ax in self.figure.axes:
            ax.set_ylim(-1.12 * reach, 1.12 * reach)
            ax.set_yticks([-reach, 0, reach], [f"−{reach:g}", "0", f"{reach:g}"])
        self.change_background(reach)
        percent = ["", *(f"{share:.0%}" for share in result.shares)]
        for (name, line, points, share), text in zip(self._rows, percent, strict=True):
            heights = getattr(result, name)
            x = slots(len(heights))
            line.set_data(*stems(x, heights))
            points.set_data(x, heights)
            share.set_text(text if len(heights) else "")
        self._missing.set_text("" if len(result.error) else "no x̂, no y, no error")

    def say(self, result):
        M_B = len(result.error)
        if M_B == 0:
            return "M_B = 1: at ε = 0 there is no x̂, so no prediction and no error"
        beta, gamma, below = result.shares
        all_of_it = ": nothing is left to learn below" if M_B == 2 else ""
        return (
            f"M_B = {M_B}: of the squared error β takes {beta:.0%}, γ takes {gamma:.0%}, "
            f"{below:.0%} is passed below{all_of_it}"
        )


MOVED_OUTPUT = 4


class Moved(NamedTuple):
    """M_B·∂C/∂x of every sample, before and after the first x moved."""

    # (M_B,) or (0,)
    batch_norm: np.ndarray
    batch_norm_before: np.ndarray
    # (M_B,)
    baseline: np.ndarray
    baseline_before: np.ndarray
    images: np.ndarray  # (M_B, 8, 8)
    # (M_B,) or (0,), of the network with BN, the first one moved, in σ(x) from the mean of many
    # samples
    x: np.ndarray


@kept
def _output_input(batch_norm, M_B):
    """Return x of the output neuron, shape (M_B, 1), for the first M_B digits, and its layer."""
    net = digits.trained("ten", batch_norm=batch_norm, epochs=1)
    steps = network.feed_forward(net, load("ten").psi[:M_B])
    layer = net.layers[-1]
    return steps[-1].u_prev @ layer.W[[MOVED_OUTPUT]].T, layer


@kept
def _unit(batch_norm):
    """Return σ of that x over many samples: what a step of the slider is counted in."""
    return _output_input(batch_norm, SIZES[-1])[0].std()


def _shifted(batch_norm, M_B, shift):
    x, layer = _output_input(batch_norm, M_B)
    x = x.copy()
    x[0] += shift * _unit(batch_norm)
    phi = load("ten").phi[:M_B, [MOVED_OUTPUT]]
    return x, layer, phi


def _from_mean(x):
    """Return x, (M_B,), of the network with BN in those units, from its mean over many samples."""
    return (x[:, 0] - _output_input(True, SIZES[-1])[0].mean()) / _unit(True)


def _gradient_with(M_B, shift):
    x, layer, phi = _shifted(True, M_B, shift)
    gamma, beta = layer.gamma[[MOVED_OUTPUT]], layer.beta[[MOVED_OUTPUT]]
    y, normalized = batchnorm.forward(x, gamma, beta)
    delta = baseline.output_error(sigmoid.g(y), phi)
    return M_B * batchnorm.input_error(delta, normalized, gamma)[:, 0]


def _gradient_without(M_B, shift):
    x, layer, phi = _shifted(False, M_B, shift)
    return M_B * baseline.output_error(sigmoid.g(x + layer.b[[MOVED_OUTPUT]]), phi)[:, 0]


class MovedSample(Explorer):
    """∂C/∂x at the output for the digit 4 of the digits network, with BN and without.

    One output of the digits network and of its baseline, both after one epoch.
    """

    size = 7.4, 5.0
    M_B = batch_size(SIZES[:8], 8)
    shift = slider("move one x, in σ(x)", 0.0, min=-2.5, max=2.5, step=0.05)

    def compute(self, M_B, shift):
        with_bn, x = (NOTHING, NOTHING), NOTHING
        if M_B > 1:
            with_bn = _gradient_with(M_B, shift), _gradient_with(M_B, 0.0)
            x = _from_mean(_shifted(True, M_B, shift)[0])
        without = _gradient_without(M_B, shift), _gradient_without(M_B, 0.0)
        return Moved(*with_bn, *without, load("ten").psi[:M_B].reshape(M_B, 8, 8), x)

    def draw(self):
        above, below, strip, line = self.axes(4, 1, height_ratios=(1, 1, 0.42, 0.3))
        self.figure.subplots_adjust(left=0.09, right=0.89, bottom=0.1, top=0.98, hspace=0.25)
        self._bars = [
            self._draw_bars(above, look.BATCH_NORM),
            self._draw_bars(below, look.BASELINE),
        ]
        self._draw_strip(strip)
        self._draw_line(line)
        self._missing = self.words(
            above, 0.5, 0.5, "", ha="center", va="center", color=look.BASELINE.color
        )

    def _draw_bars(self, ax, of):
        ax.set(xlim=(0, 1), ylim=(-1.1, 1.1), xticks=[], yticks=[-1, 0, 1])
        ax.set_ylabel(r"$M_B\,\partial C/\partial x_s$")
        ax.spines["bottom"].set_visible(False)
        ax.axhline(0, color=look.INK, lw=0.4, zorder=0)
        ax.text(1.01, 0.5, of.label, color=of.ink, va="center", transform=ax.transAxes)
        return [
            self.line(ax, "o", mfc="white", mec="#AAAAAA", markersize=8, zorder=2),
            self.line(ax, **of.line(lw=2, zorder=1)),
            self.line(ax, **of.points(markersize=6, zorder=3)),
        ]

    def _draw_strip(self, ax):
        ax.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[])
        for side in ("left", "bottom"):
            ax.spines[side].set_visible(False)
        self._digits = self.moving(
            ax.imshow(
                [[0.0]], cmap="gray_r", vmin=0, vmax=1, aspect="auto", zorder=1, extent=(0, 1, 0, 1)
            )
        )
        self._frame = self.line(ax, color=look.THETA1.color, lw=2, zorder=2, clip_on=False)

    def _draw_line(self, ax):
        ax.set(xlim=(-5, 5), ylim=(-1, 1), yticks=[], xlabel=r"$x$ with BN, in $\sigma(x)$")
        ax.spines["left"].set_visible(False)
        ax.text(1.01, 0.5, "this x\nmoves", va="center", transform=ax.transAxes)
        self._others = self.line(ax, **look.X.points(alpha=0.65, zorder=2))
        large = {"markersize": 11, "mec": look.THETA1.color, "mew": 2}
        self._own = self.line(ax, **look.X.points(**large))

    def update(self, result):
        self._others.set_data(result.x[1:], np.zeros(len(result.x[1:])))
        self._own.set_data(result.x[:1], np.zeros(len(result.x[:1])))
        pairs = (
            (result.batch_norm_before, result.batch_norm),
            (result.baseline_before, result.baseline),
        )
        for (before, line, points), (old, new) in zip(self._bars, pairs, strict=True):
            x = slots(len(new))
            before.set_data(x, old)
            line.set_data(*stems(x, new))
            points.set_data(x, new)
        self._missing.set_text(
            "" if len(result.batch_norm) else "no x̂, so nothing to differentiate"
        )
        self._update_strip(result.images)

    def _update_strip(self, images):
        # The strip holds square images: as wide as a slot at the most, centered in it.
        count, height = len(images), images.shape[1]
        box = self._digits.axes.get_window_extent()
        wide = max(height, round(height * box.width / box.height / count))
        left = (wide - height) // 2
        strip = np.zeros((height, count, wide))
        strip[:, :, left : left + height] = images.transpose(1, 0, 2)
        self._digits.set_data(strip.reshape(height, -1))
        edges = np.array([left - 0.5, left + height + 0.5]) / (wide * count)
        self._frame.set_data(edges[[0, 1, 1, 0, 0]], [0, 0, 1, 1, 0])

    def handles(self, result, M_B, shift):
        if not len(result.x):
            return {}
        start = _from_mean(_output_input(True, M_B)[0])[0]
        return {("shift",): Grip(self.figure.axes[3], start + shift, 0.0)}

    def say(self, result):
        M_B = len(result.baseline)
        if M_B == 1:
            return "M_B = 1: with BN at ε = 0 there is no x̂ and no gradient; the baseline has one"
        if M_B == 2:
            return "M_B = 2: with BN both gradients are 0 wherever x goes"
        if (result.baseline == result.baseline_before).all():
            return f"M_B = {M_B}: the first x stands where the network puts it"
        others = np.abs(result.batch_norm - result.batch_norm_before)[1:]
        still = np.abs(result.baseline - result.baseline_before)[1:].max()
        return (
            f"M_B = {M_B}: the gradients of the {M_B - 1} others move by up to {others.max():.2f} "
            f"with BN, by {still:.0f} without"
        )


class Mix(NamedTuple):
    """Logits of one batch of odd and even digits."""

    own: np.ndarray  # (M_B,) or (0,), normalized by the batch itself
    population: np.ndarray  # (M_B,), normalized by the statistics of the training data
    odd: np.ndarray  # (M_B,), bool
    # share of right predictions
    right_own: float
    right_population: float


@kept
def _two_classes():
    """Return the network, its population statistics, and held-out even and odd digits."""
    net, data = digits.trained("odd", batch_norm=True, epochs=1), load("odd")
    odd = data.phi_test[:, 0] == 1
    statistics = network.population_statistics(net, data.psi)
    return net, statistics, data.psi_test[~odd], data.psi_test[odd]


def _logits(u):
    return np.log(u / (1 - u))[:, 0]


NORMALIZED = (("own", "by its own\nbatch"), ("population", "by the\ntraining data"))
REACH = 9.0  # of the axis of logits


class ClassMix(Explorer):
    """Logits of a batch of odd and even digits, normalized in two ways.

    Held-out digits, odd or even, in the digits network after one epoch (S14).
    """

    size = 7.4, 2.9
    M_B = batch_size(SIZES, 32)
    share = slider("share of odd digits", 0.5, min=0.0, max=1.0, step=0.125, readout_format=".3f")

    def compute(self, M_B, share):
        net, statistics, even_psi, odd_psi = _two_classes()
        count = round(share * M_B)
        psi = np.concatenate([even_psi[: M_B - count], odd_psi[:count]])
        odd = np.arange(M_B) >= M_B - count
        own = network.feed_forward(net, psi)[-1].y[:, 0] if M_B > 1 else NOTHING
        population = _logits(network.predict(net, psi, statistics))
        right = [float(((y > 0) == odd).mean()) if len(y) else 0.0 for y in (own, population)]
        return Mix(own, population, odd, *right)

    def draw(self):
        ax = self.axes()
        self.figure.subplots_adjust(left=0.17, right=0.87, bottom=0.17, top=0.88)
        ax.set(xlim=(-REACH, REACH), ylim=(-0.5, 1.5), yticks=[])
        ax.set_xlabel("logit $y^L$: prediction even on the left of 0, odd on the right")
        ax.spines["left"].set_visible(False)
        ax.axvline(0, color=look.INK, lw=0.8, zorder=0)
        ax.text(-1.06 * REACH, 1.62, "normalized", va="center", ha="right")
        ax.text(1.05 * REACH, 1.62, "right", va="center")
        self._rows = [self._row(ax, 1 - k, *row) for k, row in enumerate(NORMALIZED)]
        self._legend(ax)

    def _row(self, ax, height, name, label):
        ax.axhline(height, color=look.INK, lw=0.4, zorder=0)
        ax.text(-1.06 * REACH, height, label, va="center", ha="right", fontsize=8.5)
        classes = [
            self.line(ax, **of.points(markersize=6.5, alpha=0.7, zorder=3))
            for of in (look.CLASS_0, look.CLASS_1)
        ]
        mean = self.line(ax, "|", color=look.INK, markersize=26, mew=1.5, zorder=4)
        return name, classes, mean, self.words(ax, 1.05 * REACH, height, va="center", fontsize=11)

    def _legend(self, ax):
        for x, of, name in (
            (-0.62, look.CLASS_0, "even digit"),
            (0.12, look.CLASS_1, "odd digit"),
        ):
            ax.plot([x * REACH], [1.62], **of.points(markersize=6.5, clip_on=False))
            ax.text((x + 0.035) * REACH, 1.62, name, va="center")

    def update(self, result):
        for name, classes, mean, share in self._rows:
            logits, height = getattr(result, name), self._height(name)
            for points, wanted in zip(classes, (False, True), strict=True):
                chosen = logits[result.odd == wanted] if len(logits) else logits
                # One class a little above the line, the other below.
                offset = 0.11 if wanted else -0.11
                points.set_data(chosen, np.full(len(chosen), height + offset))
            mean.set_data([logits.mean()], [height]) if len(logits) else mean.set_data([], [])
            share.set_text(f"{getattr(result, 'right_' + name):.0%}" if len(logits) else "no x̂")

    def _height(self, name):
        return 1.0 if name == "own" else 0.0

    def say(self, result):
        M_B = len(result.odd)
        mix = f"M_B = {M_B}, {result.odd.sum()} of them odd"
        if M_B == 1:
            return f"{mix}: its own batch gives no x̂; the training data decides"
        own, population = number(result.own.mean()), number(result.population.mean())
        return (
            f"{mix}. By its own batch: mean logit {own}, {result.right_own:.0%} right. "
            f"By the training data: {population}, {result.right_population:.0%} right"
        )


# Where things stand on the horizontal axis: the same map, forward and backward, in one column.
U_PREV, WEIGHTS, X, NORM, X_HAT, SCALE, Y, G, U, DOTS, COST = (
    0.4, 1.2, 1.95, 2.8, 3.65, 4.5, 5.3, 5.95, 6.6, 7.05, 7.6,
)  # fmt: skip
MIDDLE, FORWARD, BACKWARD = 4.2, 1.95, 0.98
DASHED = {"linestyle": (0, (3, 1.5))}


@look.settings()
def network_schematic():
    """Return the schematic of section 2, its notation and its flows, as a `Picture`."""
    figure, ax = sheet(8.0, 5.35)
    _network(ax)
    _forward(ax)
    _backward(ax)
    return look.still(
        figure,
        "Above, a layer with BN: every u of layer l-1 is linked to every x of layer l by a weight, "
        "but each x has its own x-hat, its own y and its own u. Below, the flows. Forward: "
        "u is multiplied by W, which gives x; the mean and standard deviation of x over all "
        "samples of the batch are taken out, which gives x-hat; gamma and beta give y; g gives u "
        "of layer l, and so on to the cost C. The mean and standard deviation are the only "
        "place where samples meet. Backward: the error is multiplied by g', which gives Delta of "
        "layer l. Its sum is the gradient of beta, its sum with x-hat that of gamma. M Delta times "
        "gamma over the divisor is the error at x; with u of layer l-1 it gives the gradient of W.",
    )


def _network(ax):
    columns = {
        U_PREV + 0.2: (3, look.U),
        X: (4, look.X),
        X_HAT: (4, look.X_HAT),
        Y: (4, look.Y),
        U: (4, look.U),
    }
    layers = [
        (x, [MIDDLE + 0.36 * (k - (n - 1) / 2) for k in range(n)], of.color)
        for x, (n, of) in columns.items()
    ]
    links(ax, *layers[0][:2], *layers[1][:2])
    for (x_prev, heights, _), (x, _, _) in itertools.pairwise(layers[1:]):
        for height in heights:
            ax.plot([x_prev, x], [height, height], color=FAINT, lw=look.THIN, zorder=1)
    for x, heights, color in layers:
        neurons(ax, x, heights, color)
    names = ("$u^{l-1}$", "$x^l$", r"$\hat{x}^l$", "$y^l$", "$u^l$")
    for (x, _, color), name in zip(layers, names, strict=True):
        write(ax, x, MIDDLE - 0.86, name, color=look.legible(color))
    for left, right, text in (
        (U_PREV + 0.2, X, "$W$ joins neurons"),
        (X, X_HAT, "each neuron alone,\nall samples together"),
        (X_HAT, Y, "each neuron alone"),
        (Y, U, "each neuron alone"),
    ):
        write(ax, (left + right) / 2, MIDDLE + 0.76, text, 7.5, va="bottom")


def _forward(ax):
    u, row = look.U.color, FORWARD
    stops = (
        (U_PREV, 0.5), (WEIGHTS, 0.6), (X, 0.32), (NORM, 0.95), (X_HAT, 0.32), (SCALE, 0.9),
        (Y, 0.32), (G, 0.4), (U, 0.32), (DOTS, 0.3), (COST, 0.4),
    )  # fmt: skip
    chain(ax, row, [around(*stop) for stop in stops], u)
    for x, text, of in (
        (U_PREV, "$u^{l-1}$", look.U),
        (X, "$x^l$", look.X),
        (X_HAT, r"$\hat{x}^l$", look.X_HAT),
        (Y, "$y^l$", look.Y),
        (U, "$u^l$", look.U),
        (DOTS, r"$\cdots$", look.U),
    ):
        write(ax, x, row, text, color=of.ink)
    box(ax, WEIGHTS, row, "$Wu$", 0.6)
    box(ax, NORM, row, r"$(x-\mu)/\varsigma$", 0.95)
    box(ax, SCALE, row, r"$\gamma\hat{x}+\beta$", 0.9)
    box(ax, G, row, "$g$", 0.4)
    box(ax, COST, row, "$C$", 0.4)
    # The batch comes in here and nowhere else.
    box(
        ax, NORM, row + 0.75, r"$\mu,\ \varsigma$ over all $s$", 1.35, 0.36, ec=look.X.color, lw=1.4
    )
    arrow(ax, (X + 0.05, row + 0.2), (NORM - 0.62, row + 0.6), look.X.color)
    arrow(ax, (NORM, row + 0.57), (NORM, row + 0.23), look.X.color)
    write(ax, NORM + 0.78, row + 0.75, "here samples meet", SMALL, ha="left")
    write(ax, (G + COST) / 2, row + 0.45, "forward", SMALL, color=look.U.ink)


def _backward(ax):
    delta, row = look.DELTA.color, BACKWARD
    stops = (
        (COST, 0.0), (DOTS, 0.3), (G, 0.75), (Y, 0.32), (NORM, 1.0), (X + 0.07, 0.3),
        (WEIGHTS, 1.1),
    )  # fmt: skip
    chain(ax, row, [around(*stop) for stop in stops], delta, **DASHED)
    arrow(ax, (COST, FORWARD - 0.23), (COST, row), delta, arrowstyle="-", **DASHED)
    write(ax, DOTS, row, r"$\cdots$", color=look.DELTA.ink)
    box(ax, G, row, r"$\odot\,g'(y)$", 0.75)
    write(ax, Y, row, r"$\Delta^l$", color=look.DELTA.ink)
    box(ax, NORM, row, r"$(\gamma/\varsigma)\,\mathbf{M}\Delta$", 1.0)
    write(ax, X + 0.07, row, r"$\frac{\partial C}{\partial x^l}$", 13, color=look.DELTA.ink)
    box(ax, WEIGHTS, row, r"$\sum_s(\partial C/\partial x_s)\,u_s$", 1.1)
    arrow(ax, (U_PREV, FORWARD - 0.2), (U_PREV, row), look.U.color, arrowstyle="-")
    arrow(ax, (U_PREV, row), (WEIGHTS - 0.55, row), look.U.color)
    write(ax, (G + COST) / 2 + 0.2, row - 0.4, "backward", SMALL, color=look.DELTA.ink)
    below = row - 0.66
    arrow(ax, (WEIGHTS, row - 0.23), (WEIGHTS, below + 0.16))
    write(ax, WEIGHTS, below, r"$\partial C/\partial W$")
    for x, sum_, gradient in (
        (Y - 0.55, r"$\sum_s\Delta\hat{x}$", r"$\partial C/\partial\gamma$"),
        (Y + 0.55, r"$\sum_s\Delta$", r"$\partial C/\partial\beta$"),
    ):
        arrow(ax, (Y, row - 0.18), (x, below + 0.18), delta, **DASHED)
        write(ax, x + (0.16 if x > Y else -0.16), row - 0.42, sum_, SMALL)
        write(ax, x, below, gradient)
