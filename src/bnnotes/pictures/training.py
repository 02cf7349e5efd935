"""The pictures of chapter 6, many trainings, and the one that chapters 1 and 2 show while it runs.

And how long the weight vectors of a BN network are, step by step.
"""

from __future__ import annotations

import functools
import html
import math
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from .. import baseline, batchnorm, digits, geometry, network
from ..checked import ConstantFeature, count, finite, number, unchecked
from ..kept import kept
from . import look
from .explorer import Explorer, Image, batch_size, slider
from .geometry import EPOCHS, three_layers, views
from .live import Live

VERMILION = look.DELTA.color
LAYOUTS = {
    "baseline": look.BASELINE,
    "BN everywhere": look.BATCH_NORM,
    "BN hidden only": look.BN_HIDDEN,
}
TRAIN_MODE = look.Look(VERMILION, ":", "s", "BN, train mode")
LOOKS = {
    **LAYOUTS,
    "baseline, centered": look.Look("#009E73", "-.", "^", "baseline, centered"),
    "baseline, scaled": look.Look(look.Y.color, ":", "D", "baseline, scaled"),
    "BN everywhere, lengths held": look.Look(VERMILION, "--", "s", "BN, lengths held"),
    "BN everywhere, train mode": TRAIN_MODE,
    "BN hidden only, train mode": look.BN_HIDDEN._replace(linestyle=":", marker="d"),
}


def apart(heights, gap):
    """Return the heights of labels moved so that no two are nearer than `gap`, none above 1."""
    moved, previous = list(heights), -math.inf
    for k in np.argsort(heights, kind="stable"):
        moved[k] = previous = max(heights[k], previous + gap)
    excess = max(0.0, previous - 1.0)
    return [height - excess for height in moved]


class Curves(NamedTuple):
    """What a training has shown so far: one array per network, one entry per epoch."""

    cost: dict  # mean cost over the batches of each epoch, before their steps
    accuracy: dict  # held-out accuracy after each epoch


class LiveTraining(Live):
    """Cost and held-out accuracy of up to three networks, drawn after every epoch.

    Show it before the training starts; it needs no kernel messages back, so it grows while the
    training cell runs. Without a browser it collects the same curves. Its `names` are some of
    ``"baseline"``, ``"BN everywhere"`` and ``"BN hidden only"``; a notebook shows its ``panel``.

    >>> live = LiveTraining(epochs=20)
    >>> callback = live.on_epoch("baseline", evaluate=lambda network: 0.5)
    """

    size = 8.4, 2.9

    def __init__(self, epochs, names=("baseline",)):
        self.epochs, self.names = count("epochs", epochs), tuple(names)
        if not self.names or not LAYOUTS.keys() >= set(self.names):
            raise ValueError(f"names: got {self.names}, wanted some of {', '.join(LAYOUTS)}")
        super().__init__()
        self._collected = {name: [] for name in self.names}
        self.image = Image(look.DPI * self.size[0])
        self.text = widgets.HTML()
        self.panel = widgets.VBox([self.text, self.image])
        self._show()

    @property
    def curves(self):
        """The curves so far, as `Curves` of plain arrays."""
        columns = {name: np.reshape(epochs, (-1, 2)).T for name, epochs in self._collected.items()}
        return Curves(*({name: column[k] for name, column in columns.items()} for k in (0, 1)))

    @property
    def readout(self):
        """The state in one line of text."""
        return "; ".join(self._state(name) for name in self.names)

    def _state(self, name):
        epochs = self._collected[name]
        if not epochs:
            return f"{name}: not yet trained"
        cost, accuracy = epochs[-1]
        return (
            f"{name}: epoch {len(epochs)} of {self.epochs}, cost {cost:.2g}, "
            f"held-out accuracy {accuracy:.1%}"
        )

    def on_epoch(self, name, evaluate):
        """Return a callback for ``network.train(..., on_epoch=...)``; its curve begins anew.

        ``evaluate(network)`` returns the held-out accuracy.
        """
        if name not in self.names:
            raise ValueError(f"name: got {name!r}, wanted one of {', '.join(self.names)}")
        epochs = self._collected[name] = []

        def show(epoch, network, history):
            cost = float(np.mean(history.cost[-history.steps_per_epoch :]))
            # At once: an interrupt leaves the curves whole.
            epochs.append((cost, number("evaluate", evaluate(network))))
            self._show()

        return show

    def still(self):
        """Return the curves as they stand as a `Picture` with alternative text.

        The text states bounds: the digits of a trained network are not the
        same on every machine, and notebooks are compared by their text.
        """
        bounds = "; ".join(self._bounds(name) for name in self.names)
        return look.still(self.figure, f"Cost and held-out accuracy per epoch. {bounds}.")

    def _bounds(self, name):
        if not self._collected[name]:
            return f"{name}: not yet trained"
        (first, _), (last, accuracy) = (self._collected[name][k] for k in (0, -1))
        level = max((level for level in (90, 70, 50) if 100 * accuracy > level), default=0)
        trend = "falls" if last < first else "does not fall"
        return f"{name}: the cost {trend}, the accuracy ends above {level}%"

    def _show(self):
        with look.settings():
            self.update(self.curves)
        alt = f"Cost and held-out accuracy per epoch. {self.readout}."
        self.image.show(self.png(), alt)
        self.text.value = html.escape(self.readout)

    def _repr_mimebundle_(self, **options):
        # The text stands for the widget wherever there is no kernel behind the page.
        text = f"Live training of {', '.join(self.names)}: it grows here while the next cell runs."
        return {**self.panel._repr_mimebundle_(**options), "text/plain": text}

    def draw(self):
        self._axes = self.axes(1, 2)
        self.figure.subplots_adjust(left=0.07, right=0.79, bottom=0.17, top=0.94, wspace=1.1)
        for ax, label in zip(self._axes, ("cost per epoch", "held-out accuracy"), strict=True):
            ax.set(xlabel="epoch", ylabel=label, xlim=(0, self.epochs + 0.5))
            ax.xaxis.get_major_locator().set_params(integer=True)
        self._lines = [{name: self._curve(ax, name) for name in self.names} for ax in self._axes]
        self._limits = None

    def _curve(self, ax, name):
        of = LAYOUTS[name]
        line = self.line(ax, **of.line(marker=of.marker, markersize=3.5, clip_on=False))
        beside = {"va": "center", "transform": ax.transAxes}
        return line, self.words(ax, 1.03, 0, color=of.ink, **beside)

    def update(self, result):
        costs, accuracies = (
            [value for values in curves.values() for value in values] for curves in result
        )
        top = 1.08 * max(costs, default=1.0)
        bottom = min(0.5, math.floor(10 * min(accuracies, default=1)) / 10)
        if (top, bottom) != self._limits:
            self._limits = None  # until all of it is done
            self._axes[0].set_ylim(0, top)
            self._axes[1].set_ylim(bottom, 1)
            self.redraw_background()
            self._limits = top, bottom
        self._update_axes(0, result.cost, "{:#.2g}")
        self._update_axes(1, result.accuracy, "{:.1%}")

    def _update_axes(self, axis, curves, form):
        low, high = self._axes[axis].get_ylim()
        for name, values in curves.items():
            line, text = self._lines[axis][name]
            line.set_data(1 + np.arange(len(values)), values)
            text.set_text(f"{name} {form.format(values[-1])}" if len(values) else "")
        begun = [name for name, values in curves.items() if len(values)]
        heights = apart([(curves[name][-1] - low) / (high - low) for name in begun], 0.085)
        for name, height in zip(begun, heights, strict=True):
            self._lines[axis][name][1].set_y(height)


STEPS = 200
WIDTH = 16  # neurons per hidden layer
DIGITS = (0, 2, 7, 9)  # even against odd: no straight line separates them in two dimensions
SIZES = (1, 2, 3, 4, 8, 16, 32, 64, 128, 256)
RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
ACTIVATIONS = (("ReLU", "relu"), ("tanh", "tanh"), ("sigmoid", "sigmoid"))
GRID = 56  # points a side of the picture of a prediction
REACH = 2.3  # of the axes, in standard deviations
COSTS = 0.03, 10.0  # what lies beyond is drawn at the border
WINDOW = 20  # steps of the running mean
# Light, so that the points stand out; a jump at 1/2, where the decision falls.
REGIONS = LinearSegmentedColormap.from_list(
    "regions", [(0, "#7FB8DA"), (0.5, "#D3E7F3"), (0.5, "#FBE8BE"), (1, "#F2C25B")]
)
# Darker than the classes' own colors, legible on the light regions.
EVEN = look.CLASS_0._replace(color="#005A8C")
ODD = look.CLASS_1._replace(color="#8A5A00")


class Plane(NamedTuple):
    """Digits 0, 2, 7 and 9 in their first two principal components; even is 0, odd is 1."""

    # psi (M, 2), in standard deviations of the training digits, and phi (M, 1)
    psi: np.ndarray
    phi: np.ndarray
    psi_test: np.ndarray
    phi_test: np.ndarray


@kept
def plane():
    """Return the `Plane`, in float32: rounding is not what this explorer shows."""
    data = digits.load("ten")
    train, test = (np.isin(phi.argmax(axis=1), DIGITS) for phi in (data.phi, data.phi_test))
    pixels = data.psi[train]
    directions = np.linalg.svd(pixels - pixels.mean(axis=0), full_matrices=False)[2][:2]
    # The sign of a direction is free; the largest pixel decides.
    directions *= np.sign(directions[[0, 1], np.abs(directions).argmax(axis=1)])[:, np.newaxis]
    std = ((pixels - pixels.mean(axis=0)) @ directions.T).std(axis=0)
    psi, psi_test = (
        ((some - pixels.mean(axis=0)) @ directions.T / std).astype(np.float32)
        for some in (pixels, data.psi_test[test])
    )
    phi, phi_test = (
        (some.argmax(axis=1)[:, np.newaxis] % 2).astype(np.float32)
        for some in (data.phi[train], data.phi_test[test])
    )
    return Plane(psi, phi, psi_test, phi_test)


@kept
def grid():
    """Return the points of the picture of a prediction, row by row from below, (GRID², 2)."""
    side = np.linspace(-REACH, REACH, GRID, dtype=np.float32)
    return np.stack([axis.ravel() for axis in np.meshgrid(side, side)], axis=1)


class Side(NamedTuple):
    """One network after its training."""

    cost: np.ndarray  # (steps,), of every batch before its step
    moved: float  # largest change of any parameter below the top layer, and of W at the top
    # (GRID, GRID), u^L over the plane, in inference mode. None, as the other two, of a training
    # that stopped.
    prediction: np.ndarray | None
    accuracy: float | None  # on the held-out digits, in inference mode
    stopped: str  # why the training ended early


class Both(NamedTuple):
    """Baseline and BN, trained from the same weights on the same batches."""

    M_B: int
    learning_rate: float
    baseline: Side
    bn: Side


@functools.partial(kept, most=64)
def draws(M_B, seed):
    """Return the samples of each of the STEPS batches: whole epochs of `network.batches`."""
    rng, found = np.random.default_rng(seed), []
    while len(found) < STEPS:
        found.extend(network.batches(len(plane().psi), M_B, rng))
    return np.stack(found[:STEPS])


@functools.partial(kept, most=64)
def train_side(batch_norm, M_B, learning_rate, depth, activation, seed):
    """Return one `Side`: STEPS steps of SGD from the weights of that seed."""
    data = plane()
    net = network.create(
        [2, *[WIDTH] * depth, 1], batch_norm=batch_norm, activation=activation, rng=seed
    )
    for layer in net.layers:
        for name, value in vars(layer).items():
            setattr(layer, name, value.astype(np.float32))
    start, history, stopped = net.layers, network.History(), ""
    psi, phi, rates = data.psi, data.phi, (learning_rate, 0.0)
    try:
        for batch in draws(M_B, seed):
            samples = psi[batch], phi[batch]
            cost, net.layers = unchecked(network._step, net, *samples, rates, history)
            history.cost.append(cost)
        if not all(finite(array) for layer in net.layers for array in vars(layer).values()):
            raise network.TrainingStopped("a weight overflows", history)
        prediction, accuracy = _predicted(net)
        moved = _moved(start, net.layers)
    except ValueError as error:  # a batch without variance, or an overflow
        constant = any(isinstance(e, ConstantFeature) for e in (error, error.__context__))
        stopped = f"{'no variance' if constant else 'overflow'} at step {len(history.cost)}"
        moved = prediction = accuracy = None
    return Side(np.array(history.cost), moved, prediction, accuracy, stopped)


def _predicted(net):
    """Return the prediction over the plane and the held-out accuracy, in inference mode."""
    data = plane()
    statistics = network.population_statistics(net, data.psi)
    u = network.predict(net, np.concatenate([grid(), data.psi_test]), statistics)
    accuracy = digits.accuracy(u[len(grid()) :], data.phi_test)
    return u[: len(grid())].reshape(GRID, GRID), accuracy


def _moved(before, after):
    """Return the largest change of what M decides on: all but the top layer's γ, β and b."""
    pairs = [
        (getattr(a, name), getattr(b, name), l, name)
        for l, (a, b) in enumerate(zip(before, after, strict=True))
        for name in vars(a)
    ]
    top = len(before) - 1
    return max(float(np.abs(b - a).max()) for a, b, l, name in pairs if l < top or name == "W")


def running_mean(values):
    """Return the mean of the last WINDOW values at each place, of fewer at the beginning."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    stop = np.arange(1, len(values) + 1)
    start = np.maximum(stop - WINDOW, 0)
    return (total[stop] - total[start]) / (stop - start)


class NetworksInTraining(Explorer):
    """Baseline and BN everywhere in training, digits 0, 2, 7 and 9 in two principal components.

    Both networks are trained anew at every move of a slider.
    """

    size = 8.4, 3.05
    M_B = batch_size(SIZES, 32)
    learning_rate = slider("learning rate η", 0.3, options=RATES)
    depth = slider("hidden layers", 2, min=1, max=4)
    activation = slider("activation", "relu", options=ACTIVATIONS)
    seed = slider("seed", 0, min=0, max=9)

    def compute(self, M_B, learning_rate, depth, activation, seed):
        options = M_B, learning_rate, depth, activation, seed
        return Both(M_B, learning_rate, train_side(False, *options), train_side(True, *options))

    def draw(self):
        left, right, curves = self.axes(1, 3)
        left.set_position((0.035, 0.1, 0.3, 0.8))
        right.set_position((0.35, 0.1, 0.3, 0.8))
        left.set_ylabel("second component")
        curves.set_position((0.725, 0.19, 0.17, 0.71))
        sides = (left, look.BASELINE), (right, look.BATCH_NORM)
        self._planes = [self._draw_plane(*side) for side in sides]
        for x, color, text in (
            (0.04, look.INK, "held-out digits:"),
            (0.17, EVEN.color, "● 0 or 2"),
            (0.26, ODD.color, "▲ 7 or 9"),
        ):
            self.figure.text(x, 0.95, text, color=color, va="center")
        self._draw_curves(curves)

    def _draw_plane(self, ax, of):
        ax.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), xticks=[], yticks=[])
        ax.set(aspect="equal", xlabel="first component")
        for spine in ax.spines.values():
            spine.set_visible(True)
        image = ax.imshow(
            np.full((2, 2), 0.5),
            cmap=REGIONS,
            vmin=0,
            vmax=1,
            origin="lower",
            extent=(-REACH, REACH, -REACH, REACH),
            interpolation="nearest",
            zorder=0,
        )
        self.moving(image)
        points, odd = plane().psi_test, plane().phi_test[:, 0] > 0.5
        for chosen, kind in ((~odd, EVEN), (odd, ODD)):
            (dots,) = ax.plot(*points[chosen].T, **kind.points(ms=3.4, mec="white", mew=0.3))
            self.moving(dots)
        aligned = {
            "transform": ax.transAxes,
            "bbox": {"boxstyle": "round,pad=0.25", "fc": "white", "ec": "none", "alpha": 0.85},
            "zorder": 3,
        }
        name = ax.text(0.03, 0.97, "", va="top", color=of.ink, **aligned)
        note = ax.text(0.5, 0.5, "", ha="center", va="center", **aligned)
        return of, image, self.moving(name), self.moving(note)

    def _draw_curves(self, ax):
        ax.set(xlim=(0, STEPS), ylim=COSTS, yscale="log", xlabel="step")
        ax.set_ylabel("cost, mean of 20 batches")
        ax.set_xticks([0, STEPS // 2, STEPS])
        ax.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
        self._curves = []
        beside = {"va": "center", "transform": ax.transAxes}
        for of in (look.BASELINE, look.BATCH_NORM):
            line = self.line(ax, **of.line())
            self._curves.append((of, line, self.words(ax, 1.04, 0, color=of.ink, **beside)))

    def update(self, result):
        sides = result.baseline, result.bn
        for (of, image, name, note), side in zip(self._planes, sides, strict=True):
            image.set_visible(side.prediction is not None)
            if side.prediction is not None:
                image.set_data(side.prediction)
            right = f", {side.accuracy:.0%} right" if side.accuracy is not None else ""
            name.set_text(f"{of.label}{right}")
            none = side.stopped and not len(side.cost)
            note.set_text("one sample:\nno variance, no $\\hat{x}$" if none else side.stopped)
        heights = []
        for (of, line, text), side in zip(self._curves, sides, strict=True):
            smooth = np.clip(running_mean(side.cost), *COSTS)
            line.set_data(np.arange(len(smooth)), smooth)
            text.set_text(of.label if len(smooth) else "")
            heights.append(_share(smooth[-1], *COSTS) if len(smooth) else 0.0)
        for (_, _, text), height in zip(self._curves, _around_middle(*heights), strict=True):
            text.set_y(height)

    def say(self, result):
        if result.M_B == 1:
            return (
                "M_B = 1: a single sample has no variance, so BN has no x̂ at ε = 0; "
                f"{_say_side('baseline', result.baseline)}."
            )
        both = f"{_say_side('baseline', result.baseline)}, {_say_side('BN', result.bn)}"
        if result.M_B == 2 and not result.bn.stopped:
            return f"M_B = 2: with BN the largest change of a W is {result.bn.moved:.2g}; {both}."
        return f"M_B = {result.M_B}, held-out digits after {STEPS} steps: {both}."

    def tell(self, result):
        if result.M_B == 1:
            return "M_B = 1: the baseline learns, BN has no x̂."
        if result.baseline.stopped or result.bn.stopped:
            return f"M_B = {result.M_B}: not every training reached its end."
        ratio = result.bn.cost[-20:].mean() / result.baseline.cost[-20:].mean()
        where = "above" if ratio > 1.5 else "below" if ratio < 1 / 1.5 else "near"
        return f"M_B = {result.M_B}: BN's cost ends {where} the baseline's."


def _say_side(name, side):
    if side.stopped:
        return f"{name} stopped: {side.stopped}"
    cost = side.cost[-20:].mean()
    return f"{name} {side.accuracy:.0%} right at cost {cost:.2f}"


def _share(value, low, high):
    """Return where a value stands on a logarithmic axis, from 0 to 1."""
    return np.log(value / low) / np.log(high / low)


def _around_middle(a, b, gap=0.075):
    """Move the labels of two curves apart where they would touch."""
    if abs(a - b) < gap:
        middle, sign = (a + b) / 2, 1 if a >= b else -1
        return middle + sign * gap / 2, middle - sign * gap / 2
    return a, b


def _bands(ax, bands, chance, label):
    for name, band in bands.items():
        of = LOOKS[name]
        ax.fill_between(band.axis, band.low, band.high, color=of.color, alpha=0.18, lw=0)
        ax.plot(band.axis, band.median, **of.line(marker=of.marker), clip_on=False, label=name)
        stopped = band.axis[band.stopped > 0]
        cross = {"marker": "X", "ms": 8, "mec": "white", "clip_on": False, "zorder": 3}
        ax.plot(stopped, np.zeros(len(stopped)), **of.points(**cross))
    ax.axhline(chance, color=look.INK, lw=0.5, ls=":")
    ax.set(xscale="log", ylim=(0, 1), xlabel=label)
    ax.set_xticks(band.axis, [f"{x:g}" for x in band.axis])
    ax.minorticks_off()


@look.settings()
def rates(panels, chance, alt):
    """Return a `Picture` of held-out accuracy over the learning rate, one panel per batch size.

    `panels` are {name: `sweep.Band`} by batch size, a name one of LOOKS; `chance` is the accuracy
    of a guess. A cross stands at the bottom where some of the trainings did not end.
    """
    edges = {"left": 0.08, "right": 0.99, "bottom": 0.28, "top": 0.9, "wspace": 0.12}
    figure, axes = look.chart(8.4, 3.2, columns=len(panels), sharey=True, **edges)
    axes = np.atleast_1d(axes)
    for ax, (M_B, bands) in zip(axes, panels.items(), strict=True):
        _bands(ax, bands, chance, "learning rate η")
        ax.text(0.5, 1.05, f"$M_B$ = {M_B}", transform=ax.transAxes, ha="center")
    axes[0].set_ylabel("held-out accuracy")
    axes[0].text(axes[0].get_xlim()[0] * 1.2, chance + 0.02, "chance", fontsize=8)
    names = axes[0].get_legend_handles_labels()
    figure.legend(*names, frameon=False, loc="lower center", ncols=len(bands))
    return look.still(figure, alt)


@look.settings()
def modes(bands, chance, alt):
    """Return a `Picture` of held-out accuracy over the batch size, as `rates`."""
    figure, ax = look.chart(8.0, 3.2, left=0.08, right=0.66, bottom=0.17, top=0.95)
    _bands(ax, bands, chance, "batch size $M_B$")
    ax.set_ylabel("held-out accuracy")
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return look.still(figure, alt)


BATCHES = (1, 2, 3, 4, 8, 16, 64, 256, 1400)
ANGLES = look.THETA1, look.THETA2, look.THETA3, look.PHI
# Told apart by marker and line, the first lightest.
LAYERS = (
    look.Look("#767676", ":", "v", "layer 1"),
    look.Look("#4A4A4A", "--", "s", "layer 2"),
    look.Look("#000000", "-", "o", "layer 3"),
)
RATIOS = 0.03, 30.0


def stages():
    """Return the digits network of `LayersInTraining` after each of EPOCHS epochs of training."""
    return list(three_layers().values())


def amplitude(view):
    """Return ‖∂C/∂W‖ by the baseline's equation (5) over that by BN's, from one Δ and u."""
    delta, u_prev, normalized, gamma = view
    bl = baseline.weight_gradient(delta, u_prev)
    bn = batchnorm.weight_gradient(delta, u_prev, normalized, gamma)
    return float(np.linalg.norm(bl) / np.linalg.norm(bn))


def folded(angle):
    """Return how far an angle is from 0° or 180°, whichever is nearer, in degrees."""
    return np.degrees(np.minimum(angle, np.pi - angle))


@kept
def measured(M_B):
    """Return medians of the folded angles (layer, epoch, 4), and amplitudes (layer, epoch)."""
    data = digits.load("ten")
    medians = np.empty((len(LAYERS), len(EPOCHS), 4))
    ratios = np.empty((len(LAYERS), len(EPOCHS)))
    for e, net in enumerate(stages()):
        for l, view in enumerate(views(net, data.psi[:M_B], data.phi[:M_B])):
            angles = geometry.sample_angles(view.delta, view.u_prev, view.normalized.x_hat)
            medians[l, e] = [np.median(folded(angle)) for angle in angles]
            ratios[l, e] = amplitude(view)
    return medians, ratios


class Layers(NamedTuple):
    """The angles of one layer and the amplitudes of all, epoch by epoch."""

    M_B: int
    layer: int
    angles: np.ndarray | None  # (epochs, 4), medians of θ1, θ2, θ3 and φ, folded to 0…90°
    ratios: np.ndarray | None  # (layers, epochs), BL's amplitude over BN's
    explanation: str = ""  # why there are none


class LayersInTraining(Explorer):
    """Angles of the layers of the digits network in training."""

    size = 8.4, 3.1
    M_B = batch_size(BATCHES, 256)
    layer = slider("layer", 3, min=1, max=3)

    def compute(self, M_B, layer):
        if M_B == 1:
            return Layers(M_B, layer, None, None, "One sample has no x̂, so no angle.")
        if M_B == 2:
            why = "Two samples: M = 0, no W has a gradient, and below the top there is no error."
            return Layers(M_B, layer, None, None, why)
        medians, ratios = measured(M_B)
        return Layers(M_B, layer, medians[layer - 1], ratios)

    def draw(self):
        angles, ratios = self.axes(1, 2)
        self.figure.subplots_adjust(left=0.09, right=0.9, bottom=0.17, top=0.94, wspace=0.55)
        for ax in (angles, ratios):
            ax.set(xlim=(-0.2, len(EPOCHS) - 0.8), xlabel="epoch of the training")
            ax.set_xticks(range(len(EPOCHS)), EPOCHS)
        angles.set(ylim=(-2, 92), yticks=[0, 30, 60, 90])
        angles.set_ylabel("median angle, folded to 0…90°")
        angles.axhline(90, color=look.INK, lw=0.5)
        ratios.set(ylim=RATIOS, yscale="log")
        ratios.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
        ratios.set_ylabel("length of ∂C/∂W, BL over BN")
        ratios.axhline(1, color=look.INK, lw=0.5)
        self._angles = [self._curve(angles, of) for of in ANGLES]
        self._ratios = [self._curve(ratios, of) for of in LAYERS]
        note = {"ha": "center", "va": "center", "fontsize": 10}
        self._note = self.words(angles, 0.5, 0.5, "", transform=angles.transAxes, **note)

    def _curve(self, ax, of):
        line = self.line(ax, **of.line(marker=of.marker))
        beside = {"va": "center", "transform": ax.transAxes}
        return line, self.words(ax, 1.04, 0, of.label, color=of.ink, **beside)

    def update(self, result):
        broken = result.explanation.replace(": ", ":\n").replace(", ", ",\n")
        if self.shows(self._note, broken):
            angles, ratios = result.angles.T, np.clip(result.ratios, *RATIOS)
            self._update_curves(self._angles, angles, (angles[:, -1] + 2) / 94)
            self._update_curves(self._ratios, ratios, _share(ratios[:, -1], *RATIOS))
        for l, (line, name) in enumerate(self._ratios):
            chosen = l + 1 == result.layer
            line.set_linewidth(2.4 if chosen else 1.2)
            name.set_fontweight("bold" if chosen else "normal")

    def _update_curves(self, curves, rows, ends):
        for (line, name), row, height in zip(curves, rows, apart(ends, 0.085), strict=True):
            line.set_data(range(len(row)), row)
            name.set_y(height)

    def say(self, result):
        if result.explanation:
            return f"M_B = {result.M_B}: {result.explanation}"
        first, last = result.angles[0], result.angles[-1]
        moves = ", ".join(
            f"{name} {a:.0f}° → {b:.0f}°"
            for name, a, b in zip(("θ1", "θ2", "θ3", "φ"), first, last, strict=True)
        )
        ratio = result.ratios[result.layer - 1]
        return (
            f"M_B = {result.M_B}, layer {result.layer}, start → epoch {EPOCHS[-1]}: {moves}; "
            f"BL/BN {ratio[0]:.2g} → {ratio[-1]:.2g}."
        )

    def tell(self, result):
        where = f"M_B = {result.M_B}, layer {result.layer}"
        if result.explanation:
            return f"{where}: {result.explanation}"
        if result.M_B == 3:
            return f"{where}: φ is 0°, all vectors lie in a plane."
        change = result.angles[-1, 0] - result.angles[0, 0]
        moves = "rises" if change > 15 else "falls" if change < -15 else "stays within 15°"
        return f"{where}: from start to end θ1 {moves}."


def heavy_ball(step, state, mu=0.9):
    """Return the heavy ball's step for that of plain SGD; `state` is a dict of its own."""
    state["v"] = mu * state.get("v", 0.0) + step
    return state["v"]


def adam(step, state, rate=1e-3, keep=(0.9, 0.999)):
    """Return Adam's step for that of plain SGD; `state` is a dict of its own."""
    state["n"] = n = state.get("n", 0) + 1
    for k, (moment, share) in enumerate(zip((step, step**2), keep, strict=True)):
        state[k] = share * state.get(k, 0.0) + (1 - share) * moment
    mean, square = (state[k] / (1 - share**n) for k, share in enumerate(keep))
    return rate * mean / (np.sqrt(square) + 1e-12)


def follow(psi, phi, *, learning_rate, weight_decay, epochs, batch_size, seed, rule=None):
    """Return ‖W_i‖² and ‖∂C/∂W_i‖² of the first layer at every step, (steps, 16).

    Before the step, and of the plain step without its decay; ``rule(step, state)`` returns the step
    of every W for that of plain SGD, as `heavy_ball`.
    """
    sizes, squares, gradients = [psi.shape[1], 16, phi.shape[1]], [], []
    net = network.create(sizes, batch_norm=True, activation="tanh", rng=seed)
    states = [{} for _ in net.layers]
    rates = {"learning_rate": learning_rate, "weight_decay": weight_decay}

    def on_step(layers):
        W = net.layers[0].W
        gradient = (W - layers[0].W) / learning_rate - weight_decay * W
        for old, new, state in zip(net.layers, layers, states, strict=True):
            new.W = old.W + rule(new.W - old.W, state) if rule else new.W
        squares.append((W**2).sum(axis=1))
        gradients.append((gradient**2).sum(axis=1))

    options = {"batch_size": batch_size, "epochs": epochs, "rng": seed, "on_step": on_step}
    network.train_whole(net, psi, phi, **rates, **options)
    return np.array(squares), np.array(gradients)


@look.settings()
def lengths(curves, predicted, alt):
    """Return a `Picture` of ‖W_i‖² over the steps, without and with weight decay.

    `predicted` is where the lengths with decay are to settle.
    """
    figure, axes = look.chart(
        8.4, 2.9, left=0.08, right=0.97, bottom=0.18, top=0.88, wspace=0.28, columns=2
    )
    texts = "without decay", "with decay"
    for ax, rows, text in zip(axes, curves, texts, strict=True):
        ax.plot(rows, color=look.GRADIENT.color, lw=0.8, alpha=0.6)
        ax.set(xlim=(0, len(rows)), ylim=(0, None), xlabel="step")
        ax.text(0.5, 1.05, text, transform=ax.transAxes, ha="center")
    axes[0].set_ylabel("$\\Vert W_i\\Vert^2$, one line a neuron")
    for level in predicted:
        axes[1].plot(
            [len(curves[1]) * 0.5, len(curves[1])], [level] * 2, color=VERMILION, ls=":", lw=1.4
        )
    return look.still(figure, alt)
