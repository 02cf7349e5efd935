"""The pictures of chapter 1: the baseline, the error at its output, and the noise of SGD."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.patches import Arc, FancyArrowPatch

from .. import baseline, digits, network
from ..activations import sigmoid
from ..check import complex_step
from ..kept import kept
from . import look
from .explorer import Explorer, batch_size, slider
from .look import FAINT, number
from .schematic import SMALL, around, arrow, box, chain, links, neurons, sheet, write

LOGITS = np.linspace(-12, 12, 97)
SIGMOID = sigmoid.g(LOGITS)
SAMPLES = 1400  # all training digits
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, SAMPLES)
STAGES = (0, 1, 2, 5, 10, 20, 40)  # epochs
BATCHES = 200  # at least, of each size
SHOWN = 200  # single batches in a picture
DTYPE_LOOKS = {
    "float64": {"color": look.INK, "marker": "o"},
    "float32": {"color": look.DELTA.color, "marker": "x"},
}


class Outputs(NamedTuple):
    """A batch of digits at the output, with its first sample moved."""

    M_B: int
    # of the moved sample
    logit: float
    label: float
    error: float  # M_B·Δ of the moved sample
    # (M_B − 1,), of the other samples; the errors times M_B
    logits: np.ndarray
    labels: np.ndarray
    errors: np.ndarray
    # cost of the batch, and its derivative by the moved logit, by complex step
    cost: float
    slope: float
    costs: np.ndarray  # the cost of the batch with the moved sample at each of LOGITS


@kept
def _held_out():
    """Logits and labels of the held-out digits, odd or even, after five epochs."""
    data = digits.load("odd")
    net = digits.trained("odd", epochs=5)
    return network.feed_forward(net, data.psi_test)[-1].y, data.phi_test


def _batch(M_B, logit, label):
    y, phi = (column[:M_B].copy() for column in _held_out())
    y[0], phi[0] = logit, label
    return y, phi


def _cost(M_B, label, logit):
    y, phi = _batch(M_B, 0.0, label)
    y = y.astype(np.result_type(y, logit))
    y[0] = logit
    return baseline.cross_entropy_from_logits(y, phi)


@functools.partial(kept, most=1000)
def _costs(M_B, label):
    return np.array([_cost(M_B, label, logit) for logit in LOGITS])


class OutputError(Explorer):
    """Error at the output, batch of held-out digits, one of them moved."""

    size = 8.0, 3.2
    M_B = batch_size((1, 2, 4, 8, 16, 32, 64, 128, 256), 8)
    logit = slider("logit of the moved one", 2.0, min=-12, max=12, step=0.25)
    label = slider("its label φ", 0.0, min=0.0, max=1.0, step=0.05)

    def compute(self, M_B, logit, label):
        y, phi = _batch(M_B, logit, label)
        errors = M_B * baseline.output_error(sigmoid.g(y), phi)[:, 0]
        cost = _cost(M_B, label, logit)
        slope = float(complex_step(functools.partial(_cost, M_B, label), logit))
        others = y[1:, 0], phi[1:, 0], errors[1:]
        return Outputs(M_B, logit, label, errors[0], *others, cost, slope, _costs(M_B, label))

    def draw(self):
        left, right = self.axes(1, 2)
        self.figure.subplots_adjust(left=0.09, right=0.985, bottom=0.16, top=0.96, wspace=0.27)
        low, high = LOGITS[0], LOGITS[-1]
        self._draw_errors(left, low, high)
        self._right = right
        self._draw_costs(right, low, high)

    def _draw_errors(self, ax, low, high):
        ax.set(
            xlim=(low - 0.7, high + 0.7),
            ylim=(-1.1, 1.1),
            yticks=(-1, -0.5, 0, 0.5, 1),
            xlabel="logit $y$",
            ylabel=r"$M_B\,\Delta = u-\phi$",
        )
        ax.axhline(0, color=FAINT, lw=look.THIN, zorder=0)
        even, odd, delta = look.CLASS_0, look.CLASS_1, look.DELTA
        ax.text(0.97 * high, 0.72, r"even, $\phi=0$", color=even.ink, ha="right")
        ax.text(0.97 * low, -0.78, r"odd, $\phi=1$", color=odd.ink, ha="left")
        self._bounds = [self.line(ax, color=FAINT, lw=1) for _ in range(2)]
        self._mixed = self.line(ax, color=delta.color, lw=1, linestyle="--")
        self._classes = [self.line(ax, **of.points(alpha=0.6)) for of in (even, odd)]
        self._stem = self.line(ax, color=delta.color, lw=2, solid_capstyle="butt")
        self._moved = self.line(ax, **delta.points(ms=8))

    def _draw_costs(self, ax, low, high):
        ax.set(
            xlim=(low - 0.7, high + 0.7),
            xlabel="logit $y$ of the moved sample",
            ylabel="cost $C$ of the batch",
        )
        delta = look.DELTA
        self.rescaled(ax)
        self._cost = self.line(ax, color=look.INK)
        self._tangent = self.line(ax, color=delta.color, lw=2)
        self._touch = self.line(ax, **delta.points(ms=8, clip_on=False))
        above = {"ha": "center", "transform": ax.transAxes}
        self._slope = self.words(ax, 0.5, 0.93, color=delta.ink, **above)

    def update(self, result):
        for line, label in zip((*self._bounds, self._mixed), (0, 1, result.label), strict=True):
            line.set_data(LOGITS, SIGMOID - label)
        for line, label in zip(self._classes, (0, 1), strict=True):
            of_class = result.labels == label
            line.set_data(result.logits[of_class], result.errors[of_class])
        self._stem.set_data([result.logit, result.logit], [0, result.error])
        self._moved.set_data([result.logit], [result.error])
        self._cost.set_data(LOGITS, result.costs)
        self._touch.set_data([result.logit], [result.cost])
        # The cost is a mean: on one scale for all batches that of a large one would look flat.
        top = 1.06 * max(_costs(result.M_B, label).max() for label in (0.0, 1.0))
        self._right.set_ylim(0, top)
        self.change_background(result.M_B)
        run = np.array([-3, 3]) / np.hypot(1, result.slope * np.ptp(LOGITS) / top)
        self._tangent.set_data(result.logit + run, result.cost + result.slope * run)
        # No formula: matplotlib keeps some kilobytes of each new one for good.
        self._slope.set_text(f"slope Δ = {number(result.slope, 3, '+')}")

    def say(self, result):
        who = "M_B = 1, this sample alone" if result.M_B == 1 else f"M_B = {result.M_B}"
        error, slope = (number(v, 3, "+") for v in (result.error / result.M_B, result.slope))
        return (
            f"{who}: (u − φ)/M_B = {error}; slope of the cost, by complex step, {slope}; "
            f"cost {result.cost:.2f}."
        )


class Batches(NamedTuple):
    """Gradients of many batches of one size, compared with the gradient of all samples."""

    M_B: int
    epochs: int
    angle: np.ndarray  # (batches,), between each batch's gradient and the full one, in radians
    noise: np.ndarray  # (batches,), length of their difference, relative to the full gradient
    sizes: np.ndarray  # all batch sizes that the slider has
    # root mean square of the noise for each of them; nan for all samples, where there is none
    measured: np.ndarray
    predicted: np.ndarray


@kept
def _products(epochs):
    """Scalar products of all sample gradients, in units of the full gradient's square.

    In a layer the gradient of a sample is Δ uᵀ for W and Δ for b, so that two samples have
    the product (Δ·Δ')(u·u' + 1).
    """
    data, net = digits.load("ten"), digits.trained("ten", epochs=epochs)
    below, above = network.feed_forward(net, data.psi)
    delta_above = baseline.output_error(above.u, data.phi)
    g_prime = net.activations[0].g_prime(below.y)
    delta_below = baseline.previous_error(delta_above, net.layers[1].W, g_prime)
    pairs = (delta_below, below.u_prev), (delta_above, above.u_prev)
    products = sum((delta @ delta.T) * (u @ u.T + 1) for delta, u in pairs)
    return products / products.mean()


@kept
def _directions(epochs, M_B):
    """Parts along and across the full gradient, of the gradients of whole shuffles of batches."""
    products, rng = _products(epochs), np.random.default_rng(M_B)
    batches = []
    while len(batches) < BATCHES:
        batches.extend(network.batches(SAMPLES, M_B, rng))
    mean = products.mean(axis=0)
    along = np.array([mean[batch].mean() for batch in batches])
    squares = np.array([products[batch].sum(axis=0)[batch].sum() for batch in batches]) / M_B**2
    return along, np.sqrt(np.maximum(squares - along**2, 0))


@kept
def _curves(epochs):
    """Noise over the batch size, measured and predicted."""
    sizes = np.array(SIZES)
    measured = np.full(len(sizes), np.nan)
    for k, M_B in enumerate(SIZES[:-1]):
        along, across = _directions(epochs, M_B)
        measured[k] = np.sqrt(np.mean((along - 1) ** 2 + across**2))
    # Of samples drawn without replacement: variance/M_B · (1 − M_B/M).
    variance = (np.trace(_products(epochs)) - SAMPLES) / (SAMPLES - 1)
    left_out = np.where(sizes < SAMPLES, 1 - sizes / SAMPLES, np.nan)
    return sizes, measured, np.sqrt(variance / sizes * left_out)


class Noise(Explorer):
    """Noise of the batch gradient, ten-class digits network."""

    size = 8.0, 3.5
    places = 3
    M_B = batch_size(SIZES, 8)
    epochs = slider("epochs trained", 5, options=STAGES)

    def compute(self, M_B, epochs):
        along, across = _directions(epochs, M_B)
        noise = np.hypot(along - 1, across)
        return Batches(M_B, epochs, np.arctan2(across, along), noise, *_curves(epochs))

    def draw(self):
        left, right = self.axes(1, 2, width_ratios=(1, 1.15))
        self.figure.subplots_adjust(left=0.085, right=0.985, bottom=0.145, top=0.96, wspace=0.12)
        self._draw_amounts(left)
        self._draw_fan(right)

    def _draw_amounts(self, ax):
        ax.set(
            xscale="log",
            yscale="log",
            xlim=(0.75, 1.4 * SAMPLES),
            ylim=(0.006, 400),
            xlabel="batch size $M_B$",
            ylabel="noise, relative to the gradient",
        )
        ticks = (1, 4, 16, 64, 256, SAMPLES)
        ax.set_xticks(ticks, [str(tick) for tick in ticks])
        ax.set_yticks((0.01, 0.1, 1, 10, 100), ("0.01", "0.1", "1", "10", "100"))
        ax.minorticks_off()
        ax.axhline(1, color=FAINT, lw=look.THIN, zorder=0)
        self._here = self.moving(ax.axvline(1, 0.27, color=FAINT, lw=look.THIN, zorder=0))
        small = {"ms": 4, "alpha": 0.5, "mew": 0, "label": "single batches"}
        self._batches = self.line(ax, ".", color=look.BASELINE.color, **small)
        one = look.GRADIENT.points(ms=4.5)
        self._measured = self.line(ax, label="root mean square", **one)
        label = r"predicted, $\propto\sqrt{1/M_B-1/M}$"
        self._predicted = self.line(ax, ":", color=look.INK, lw=1.2, label=label)
        self._marked = self.line(ax, "o", mfc="none", color=look.INK, ms=11, mew=1.2)
        ax.legend(loc="lower left", frameon=False, fontsize=8, handlelength=1.6)

    def _draw_fan(self, ax):
        ax.set(xlim=(-1.15, 1.15), ylim=(-0.28, 1.4), aspect="equal")
        ax.set_axis_off()
        ax.add_patch(Arc((0, 0), 2, 2, theta1=0, theta2=180, color=FAINT, lw=look.THIN))
        aligned = {"ha": "center", "va": "center", "fontsize": 8}
        gray = look.BASELINE.color
        for degrees in (0, 45, 90, 135, 180):
            x, y = _at(degrees)
            ax.plot([0.97 * x, 1.03 * x], [0.97 * y, 1.03 * y], color=look.INK, lw=look.THIN)
            below = -0.1 if y < 0.01 else 1.12 * y
            ax.text(1.12 * x if y > 0.01 else x, below, f"{degrees}°", color=gray, **aligned)
        head = {"arrowstyle": "-|>", "mutation_scale": 14, "lw": 2, "shrinkA": 0, "shrinkB": 0}
        ax.add_patch(FancyArrowPatch((0, 0), (1, 0), color=look.GRADIENT.color, **head))
        ax.text(0.5, -0.1, "full gradient", ha="center", va="center")
        ax.text(0, -0.23, "gray: the directions of single batches", color=gray, **aligned)
        self._fan = self.moving(LineCollection([], colors=gray, lw=0.7, alpha=0.35))
        ax.add_collection(self._fan)
        self._tips = self.line(ax, ".", color=gray, ms=4, alpha=0.5, mew=0)
        self._median = self.line(ax, "--", color=look.INK, lw=1.4, dashes=(4, 2))
        self._median_text = self.words(ax, 0, 1.3, ha="center", va="center")

    def update(self, result):
        self._here.set_xdata([result.M_B, result.M_B])
        noise, angle = result.noise[:SHOWN], result.angle[:SHOWN]
        self._batches.set_data(result.M_B * np.exp(np.linspace(-0.12, 0.12, len(noise))), noise)
        self._measured.set_data(result.sizes, result.measured)
        self._predicted.set_data(result.sizes, result.predicted)
        current = result.sizes == result.M_B
        self._marked.set_data(result.sizes[current], result.measured[current])
        tips = np.stack(_at(np.degrees(angle)), axis=1)
        self._fan.set_segments([((0, 0), tip) for tip in tips])
        self._tips.set_data(*tips.T)
        median = np.degrees(np.median(result.angle))
        x, y = _at(median)
        self._median.set_data([0, 1.06 * x], [0, 1.06 * y])
        self._median_text.set_text(f"median {median:.0f}°, dashed")

    def say(self, result):
        if result.M_B == SAMPLES:
            return f"M_B = {SAMPLES}, all samples: this is the full gradient, there is no noise."
        current = result.sizes == result.M_B
        measured, predicted = result.measured[current][0], result.predicted[current][0]
        who = "M_B = 1, a single sample" if result.M_B == 1 else f"M_B = {result.M_B}"
        return (
            f"{who}: median angle to the full gradient {np.degrees(np.median(result.angle)):.0f}°, "
            f"noise {measured:.2g} times the gradient (predicted {predicted:.2g})."
        )


def _at(degrees):
    return np.cos(np.radians(degrees)), np.sin(np.radians(degrees))


@look.settings()
def samples(psi, captions, alt):
    """Return a `Picture` of digits in one row, each with its caption."""
    figure, axes = look.chart(
        8.0, 1.15, left=0.01, right=0.99, bottom=0.02, top=0.78, wspace=0.15, columns=len(captions)
    )
    for ax, image, caption in zip(axes, np.reshape(psi, (-1, 8, 8)), captions, strict=True):
        # Dark ink on white paper.
        ax.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        ax.set_axis_off()
        ax.text(0.5, 1.1, caption, ha="center", va="bottom", transform=ax.transAxes)
    return look.still(figure, alt)


@look.settings()
def precision(y, errors):
    """Return a `Picture` of the error of a form that overflows, over the logits y, ascending.

    `errors` are relative, for "float64" and "float32", and nan where the form gave no number.
    """
    figure, ax = look.chart(6.4, 2.9, left=0.12, right=0.97, bottom=0.17, top=0.95)
    ax.set(xlabel="logit $y$, label 0", ylabel="relative error of $\\Delta$")
    ax.set(yscale="log", xlim=(y[0], y[-1]), ylim=(1e-17, 10))
    ax.minorticks_off()
    ends = []
    for dtype, error in errors.items():
        points = DTYPE_LOOKS[dtype]
        ax.plot(y, error, ls="none", ms=2.5, clip_on=False, **points)
        end = y[np.flatnonzero(np.isfinite(error))[-1]]
        ends.append(f"{dtype} beyond {end:.0f}")
        ax.axvline(end, color=points["color"], lw=look.THIN, linestyle=":")
        said = {"color": look.legible(points["color"]), "ha": "left", "va": "center", "fontsize": 8}
        ax.text(end + 0.5, 0.1, f"{dtype}:\nno number\nbeyond {end:.0f}", **said)
    return look.still(
        figure,
        "The relative error of the output error as printed in S4 grows like exp(y), until there "
        f"is no number any more: {', '.join(ends)}.",
    )


@look.settings()
def network_schematic():
    """Return the schematic of section 1, its notation and its flows, as a `Picture`."""
    figure, ax = sheet(8.0, 4.8)
    _network(ax)
    _forward(ax, 1.72)
    _backward(ax, 1.72, 0.82)
    return look.still(
        figure,
        "Above, a network of fully connected layers 1 to L: the inputs psi are u of layer 1, a "
        "weight W_ij links neuron j of layer l-1 to neuron i of layer l, and u of layer L is the "
        "prediction. Below, its flows. Forward: u of layer l-1 is multiplied by W, b is added, "
        "which gives y; the activation g gives u of layer l, and so on to the cost C. Backward: "
        "the error Delta of layer l+1 goes through W transposed and is multiplied by g'(y), "
        "which gives Delta of layer l. Delta and u of layer l-1 meet in the gradient of W; "
        "Delta alone gives the gradient of b.",
    )


# Where things stand on the horizontal axis: the same map, forward and backward, in one column.
U_PREV, AFFINE, Y, G, U, AFFINE_NEXT, Y_NEXT, DOTS, COST = (
    0.42, 1.45, 2.55, 3.35, 4.15, 5.1, 6.05, 6.61, 7.42,
)  # fmt: skip


def _network(ax):
    """The layers, with one weight picked out."""
    middle, counts = 3.9, {0.9: 3, 2.85: 3, 5.0: 4, 7.05: 2}
    layers = [(x, [middle + 0.37 * (k - (n - 1) / 2) for k in range(n)]) for x, n in counts.items()]
    links(ax, *layers[1], *layers[2])
    for layer in layers:
        neurons(ax, *layer, look.U.color)
    for x in (1.87, 6.02):
        write(ax, x, middle, r"$\cdots$", 14)
    (x_j, heights_j), (x_i, heights_i) = layers[1:3]
    start, end = (x_j, heights_j[-1]), (x_i, heights_i[-1])
    arrow(ax, start, end, lw=1.8, shrinkA=10, shrinkB=10)
    write(ax, *start, "$j$", SMALL)
    write(ax, *end, "$i$", SMALL)
    write(ax, (x_j + x_i) / 2, 4.62, r"$W_{ij}^{\,l-1,l}$")
    names = ("layer 1", "layer $l-1$", "layer $l$", "layer $L$")
    outputs = (r"$u^1=\psi$", r"$u^{l-1}$", r"$u^l$", r"$u^L$ predicts $\phi$")
    for (x, _), name, output in zip(layers, names, outputs, strict=True):
        write(ax, x, 3.1, name, SMALL)
        write(ax, x, 2.85, output, color=look.U.ink)


def _forward(ax, row):
    u, y = look.U.color, look.Y.color
    spans = [
        around(U_PREV, 0.5),
        around(AFFINE, 0.9),
        around(Y, 0.32),
        around(G, 0.5),
        around(U, 0.32),
        around(AFFINE_NEXT, 0.9),
        around(Y_NEXT, 0.44),
        around(DOTS, 0.3),
        around(COST, 0.5),
    ]
    chain(ax, row, spans, u)
    for x, text, color in (
        (U_PREV, "$u^{l-1}$", u),
        (Y, "$y^l$", y),
        (U, "$u^l$", u),
        (Y_NEXT, "$y^{l+1}$", y),
        (DOTS, r"$\cdots$", u),
    ):
        write(ax, x, row, text, color=look.legible(color))
    for x, parameters in ((AFFINE, "$W^{l-1,l},\\ b^l$"), (AFFINE_NEXT, "$W^{l,l+1},\\ b^{l+1}$")):
        box(ax, x, row, "$Wu+b$")
        arrow(ax, (x, row + 0.5), (x, row + 0.23))
        write(ax, x, row + 0.63, parameters)
    box(ax, G, row, "$g$", 0.5)
    write(ax, (Y + U) / 2, row + 0.45, "forward", SMALL, color=look.U.ink)
    box(ax, COST, row, "$C$", 0.5)


def _backward(ax, above, row):
    delta, u = look.DELTA.color, look.U.color
    dashed = {"linestyle": (0, (3, 1.5))}
    spans = [
        around(COST, 0.95),
        around(DOTS, 0.3),
        around(Y_NEXT, 0.52),
        around(AFFINE_NEXT, 0.9),
        around(G, 0.95),
        around(Y, 0.32),
        around(AFFINE, 1.2),
    ]
    chain(ax, row, spans, delta, **dashed)
    arrow(ax, (COST, above - 0.23), (COST, row + 0.23), delta, **dashed)
    box(ax, COST, row, r"$\frac{1}{M_B}(u^L-\phi)$", 0.95)
    write(ax, DOTS, row, r"$\cdots$", color=look.DELTA.ink)
    write(ax, Y_NEXT, row, r"$\Delta^{l+1}$", color=look.DELTA.ink)
    box(ax, AFFINE_NEXT, row, r"$W^{\mathsf{T}}\Delta$")
    box(ax, G, row, r"$\odot\,g'(y^l)$", 0.95)
    write(ax, Y, row, r"$\Delta^l$", color=look.DELTA.ink)
    box(ax, AFFINE, row, r"$\sum_s\Delta_s^l\,u_s^{l-1}$", 1.2)
    # What the backward flow takes from the forward one.
    arrow(ax, (U_PREV, above - 0.2), (U_PREV, row), u, arrowstyle="-")
    arrow(ax, (U_PREV, row), (AFFINE - 0.6, row), u)
    write(ax, (G + AFFINE_NEXT) / 2, row - 0.45, "backward", SMALL, color=look.DELTA.ink)
    below = row - 0.62
    arrow(ax, (AFFINE, row - 0.23), (AFFINE, below + 0.16))
    write(ax, AFFINE, below, r"$\partial C/\partial W^{l-1,l}$")
    arrow(ax, (Y, row - 0.18), (Y, below + 0.16), delta, **dashed)
    write(ax, Y + 0.2, row - 0.36, r"$\sum_s$", SMALL)
    write(ax, Y + 0.1, below, r"$\partial C/\partial b^l$")
