"""The pictures of chapter 5: what one node sends back, and what depth makes of it."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np
from matplotlib.ticker import FixedLocator, NullLocator

from .. import baseline, batchnorm, digits, geometry, growth, network, propagation
from ..checked import finite, unchecked
from ..kept import kept
from ..sample_space import center
from . import look
from .explorer import Explorer, batch_size, slider
from .look import explanation, key

NODE = 3  # the output that says "this is a three"
SHOWN = 16  # samples, at most
DEGREES = np.arange(0, 181, 5)
SENT = look.GRADIENT
GRAY = look.BASELINE.color
ARC = np.linspace(0, 1, 61)
BOX = {"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.8}


class Layer(NamedTuple):
    """The output layer of the digits network on the first M_B digits."""

    delta: np.ndarray  # (M_B, 10), its error, as training meets it
    normalized: batchnorm.Normalized


@functools.partial(kept, most=200)
def output_layer(epoch, M_B, eps=0.0):
    """Return the `Layer` after some epochs of training; ε enters its own normalization alone."""
    data, net = digits.load("ten"), digits.trained("ten", batch_norm=True, epochs=epoch)
    step = network.feed_forward(net, data.psi[:M_B])[-1]
    delta = baseline.output_error(step.u, data.phi[:M_B])
    return Layer(delta, batchnorm.normalize(step.u_prev @ net.layers[-1].W.T, eps))


def _columns(normalized, k):
    """Return what belongs to some neurons of a layer."""
    return batchnorm.Normalized(normalized.x_hat[:, k], normalized.mean[k], normalized.std[k])


def _turned(delta, normalized, degrees):
    if len(delta) > 2:
        return propagation.turned(delta, normalized, np.radians(degrees))
    # Two samples: the vectors lie on one line, there is nothing to turn through.
    direction = np.where(degrees < 90, 1.0, -1.0) * geometry.standardize(normalized.x_hat)
    return delta.mean(axis=0) + geometry.sigma(delta) * direction


def _entries(delta, normalized):
    """Return ς/γ ∂C/∂x, in units of σ(Δ): what goes back before the scale and the weights."""
    error = batchnorm.input_error(delta, normalized, np.ones(len(normalized.std)))
    return normalized.std * error / geometry.sigma(delta)


def _length(entries):
    return np.sqrt((entries**2).mean(axis=0))


@functools.partial(kept, most=200)
def _over_angles(epoch, M_B, eps):
    """Return angles, measured and predicted lengths of the node, and the ten own ones."""
    delta, normalized = output_layer(epoch, M_B, eps)
    angles = DEGREES if M_B > 2 else np.array([0, 180])
    many = _columns(normalized, [NODE] * len(angles))
    there = _turned(delta[:, [NODE] * len(angles)], many, angles)
    predicted = propagation.node_magnitude(there, many) / geometry.sigma(there) / np.sqrt(M_B)
    own = np.degrees(geometry.error_angle(delta, normalized))
    own_sent = _length(_entries(delta, normalized))
    return angles, _length(_entries(there, many)), predicted, own, own_sent


class Sent(NamedTuple):
    """A node whose error stands at θ1 from x̂, and what it sends back in units of σ(Δ)√M_B."""

    M_B: int
    # in degrees; added to the variance
    theta1: float
    eps: float
    epoch: int
    kappa: float = 0.0
    # (n,), the curve: by the formula of back-propagation, and from the angle
    angles: np.ndarray | None = None
    measured: np.ndarray | None = None
    predicted: np.ndarray | None = None
    # both at θ1; ∂C/∂γ in units of M_B σ(Δ)
    sent: float | None = None
    gamma: float | None = None
    # (10,), of all ten nodes with the errors as they came
    own_angles: np.ndarray | None = None
    own_sent: np.ndarray | None = None
    # (M_B,)
    delta_hat: np.ndarray | None = None
    sent_entries: np.ndarray | None = None
    explanation: str = ""  # why there is nothing; then ``sent`` is None


class Node(Explorer):
    """What an output node of the digits network sends back, its error turned to θ1 from x̂."""

    size = 9.0, 3.1
    M_B = batch_size((1, 2, 3, 4, 8, 16, 64, 256, 1400), 64)
    theta1 = slider("angle θ1 in degrees", 60, min=0, max=180)
    eps = slider("ε", 0.0, options=(0.0, 1e-5, 1e-2, 0.1, 1.0))
    epoch = slider("epochs of training", 1, options=(0, 1, 5, 20))

    def compute(self, M_B, theta1, eps, epoch):
        if M_B == 1:
            why = "One sample: no spread,\nso neither Δ̂ nor an angle."
            why += "\nε > 0: M = 0, nothing is sent back." if eps else "\nx̂ = 0/0."
            return Sent(M_B, theta1, eps, epoch, explanation=why)
        if M_B == 2:
            theta1 = 0 if theta1 < 90 else 180
        delta, normalized = output_layer(epoch, M_B, eps)
        one = _columns(normalized, [NODE])
        there = _turned(delta[:, [NODE]], one, np.array([theta1]))
        angles, measured, predicted, own, own_sent = _over_angles(epoch, M_B, eps)
        entries = _entries(there, one)
        return Sent(
            *(M_B, theta1, eps, epoch, float(geometry.kappa(one)[0])),
            *(angles, measured, predicted, float(_length(entries)[0])),
            float((batchnorm.gamma_gradient(there, one) / geometry.sigma(there) / M_B)[0]),
            *(own, own_sent, geometry.standardize(there)[:, 0], entries[:, 0]),
        )

    def draw(self):
        plane, curve, samples = self.axes(1, 3)
        plane.set_position((0.01, 0.06, 0.33, 0.86))
        curve.set_position((0.405, 0.19, 0.3, 0.68))
        samples.set_position((0.775, 0.19, 0.215, 0.68))
        self._draw_plane(plane)
        self._draw_curve(curve)
        self._draw_samples(samples)
        self._explanation = self.moving(explanation(curve))

    def _draw_plane(self, ax):
        ax.set(xlim=(-1.28, 1.28), ylim=(-0.42, 1.3), aspect="equal")
        ax.set_axis_off()
        ax.plot(np.cos(np.pi * ARC), np.sin(np.pi * ARC), color="#C8C8C8", lw=look.THIN)
        ax.plot([-1, 1], [0, 0], color="#C8C8C8", lw=look.THIN)
        ax.text(0, -0.4, r"the half disk of radius $\sqrt{M_B}$", ha="center", color=GRAY)
        options = {"color": look.X_HAT.ink, "ha": "center", "va": "center", "size": 11}
        self.words(ax, 1.13, -0.05, r"$\hat x$", **options)
        lines = (
            look.X_HAT.line(lw=1.2, zorder=2),
            look.THETA1.line(lw=1.4, zorder=3),
            look.X_HAT.line(lw=5, solid_capstyle="butt", zorder=3),
            SENT.line(lw=2.4, zorder=4),
            look.DELTA.line(marker="s", markevery=[1], zorder=5),
        )
        self._x_hat, self._arc, self._taken, self._sent, self._delta = (
            self.line(ax, **line) for line in lines
        )
        options = {"ha": "center", "va": "center", "bbox": BOX, "zorder": 6}
        self._labels = {
            name: self.words(ax, 0, 0, text, color=of.ink, **options)
            for name, text, of in (
                ("theta1", r"$\theta_1$", look.THETA1),
                ("delta", r"$\hat\Delta$", look.DELTA),
                ("sent", "sent back", SENT),
                ("taken", "taken out", look.X_HAT),
            )
        }

    def _draw_curve(self, ax):
        ax.set(xlim=(-4, 184), ylim=(-0.03, 1.12), yticks=[0, 0.5, 1])
        ax.xaxis.set_major_locator(FixedLocator([0, 45, 90, 135, 180]))
        ax.xaxis.set_major_formatter("{x:.0f}°")
        ax.set(xlabel=r"$\theta_1$", ylabel=r"sent back, in $\sigma(\Delta)\sqrt{M_B}$")
        options = {"clip_on": False, "linestyle": "none", "color": GRAY, "zorder": 3}
        # S38 and S39: nothing at 0°, and the largest at 180°.
        ax.plot([0, 180], [0, 1], marker="x", markersize=9, markeredgewidth=2, **options)
        ax.text(176, 1.005, "the source", color=GRAY, ha="right", va="bottom")
        self._predicted = self.line(ax, color=GRAY, lw=6, alpha=0.4)
        self._measured = self.line(ax, **SENT.points(markersize=2.5))
        own = look.DELTA.points(markersize=5, alpha=0.65, mec="none", clip_on=False)
        self._own = self.line(ax, **own)
        here = SENT.points(markersize=9, fillstyle="none", mew=1.6, clip_on=False)
        self._here = self.line(ax, **here)
        marks = {
            r"— from $\theta_1$": (-0.04, GRAY),
            "● measured": (0.25, look.INK),
            "■ the ten errors": (0.6, look.DELTA.ink),
        }
        key(ax, **marks)

    def _draw_samples(self, ax):
        ax.set(xlim=(0, 1), ylim=(-1.08, 1.08), xticks=[], yticks=[-1, 0, 1])
        ax.axhline(0, color=look.INK, lw=look.THIN)
        self._connections = self.moving(ax.vlines([], [], [], color="#B0B0B0", lw=1))
        self._delta_s = self.line(ax, **look.DELTA.points())
        self._sent_s = self.line(ax, **SENT.points(markersize=4))
        options = {"transform": ax.transAxes, "ha": "center", "va": "top"}
        self._which = self.words(ax, 0.5, -0.05, "", **options)
        key(ax, **{r"■ $\hat\Delta$": (0.0, look.DELTA.ink), "● sent back": (0.22, look.INK)})

    def update(self, result):
        if self.shows(self._explanation, result.explanation):
            self._update_plane(np.radians(result.theta1), result.kappa)
            self._update_curve(result)
            self._update_samples(result)

    def _update_plane(self, theta1, kappa):
        cos, sin = np.cos(theta1), np.sin(theta1)
        self._x_hat.set_data([0, np.sqrt(kappa)], [0, 0])
        self._delta.set_data([0, cos], [0, sin])
        self._taken.set_data([0, kappa * cos], [0, 0])
        self._sent.set_data([kappa * cos, cos], [0, sin])
        self._arc.set_data(0.3 * np.cos(theta1 * ARC), 0.3 * np.sin(theta1 * ARC))
        half, outward = theta1 / 2, 1 if cos >= 0 else -1
        places = {
            "theta1": (0.45 * np.cos(half), 0.45 * np.sin(half)),
            "delta": (1.12 * cos, 0.14 + 1.02 * sin),
            "sent": ((1 + kappa) / 2 * cos + outward * 0.34, sin / 2),
            "taken": (kappa * cos / 2, -0.16),
        }
        length = np.hypot((1 - kappa) * cos, sin)
        shown = {
            "theta1": theta1 > 0.25,
            "delta": True,
            # Only where there is room for it, between the arc and the half circle.
            "sent": length > 0.35 and abs(cos) < 0.68,
            "taken": abs(kappa * cos) > 0.12,
        }
        for name, text in self._labels.items():
            text.set_position(places[name])
            text.set_visible(bool(shown[name]))

    def _update_curve(self, result):
        self._predicted.set_data(result.angles, result.predicted)
        # Two samples have two angles, and nothing between them.
        between = len(result.angles) > 2
        self._predicted.set(linestyle="-" if between else "none", marker="" if between else "s")
        self._measured.set_data(result.angles, result.measured)
        self._own.set_data(result.own_angles, result.own_sent)
        self._here.set_data([result.theta1], [result.sent])

    def _update_samples(self, result):
        shown = min(SHOWN, result.M_B)
        places = (np.arange(shown) + 0.5) / shown
        delta, sent = (v[:shown] for v in (result.delta_hat, result.sent_entries))
        largest = np.abs([delta, sent]).max()
        delta, sent = delta / largest, sent / largest
        self._delta_s.set_data(places, delta)
        self._sent_s.set_data(places, sent)
        tops, feet = np.column_stack([places, delta]), np.column_stack([places, sent])
        self._connections.set_segments(np.stack([tops, feet], axis=1))
        of = f" of {result.M_B}" if shown < result.M_B else ""
        self._which.set_text(f"samples 1 … {shown}{of}")

    def say(self, result):
        state = f"M_B = {result.M_B}, ε = {result.eps:g}: "
        if result.sent is None:
            return state + result.explanation.replace("\n", " ")
        # Rounded before it is printed, so that there is no -0.00.
        sent, gamma = (round(v, 2) + 0.0 for v in (result.sent, result.gamma))
        at = f"θ1 = {result.theta1:.0f}°: the node sends back {sent:.2f}; γ gets {gamma:+.2f}"
        if result.M_B == 2:
            return f"{state}only 0° and 180° exist. {at}."
        own = float(np.median(result.own_sent))
        return f"{state}{at}. The ten errors as they came: {own:.2f} in the median."


DEEPEST = 40
BATCHES = (1, 2, 3, 4, 8, 16, 32)
WIDTHS = (8, 16, 32, 64)
SEEDS = range(5)
LOOKS = {"bn": look.BATCH_NORM, "baseline": look.BASELINE}
# How far up, and how far down, the axis of ‖Δ‖² can reach.
DECADES = (12, 24, 48, 96)


class Curves(NamedTuple):
    """A network of one kind, as created, from five seeds."""

    norms: np.ndarray  # (5, depth), ‖Δ^l‖² over ‖Δ^L‖², layer 1 first
    # (5, depth), effective rank of y^l − ⟨y^l⟩; nan where all samples are equal up to rounding
    ranks: np.ndarray

    @property
    def factor(self):
        """The median factor of ‖Δ‖² per layer; 0 where nothing arrives."""
        whole = float(np.median(self.norms[:, 0]))
        return whole ** (1 / (self.norms.shape[1] - 1))


class Networks(NamedTuple):
    """Both networks, side by side."""

    M_B: int
    depth: int
    width: int
    activation: str
    variance: float  # of a weight, times n_prev
    bn: Curves | None  # None at M_B = 1, where x̂ is 0/0
    baseline: Curves
    # the mean factor with BN at large width, all M_B − 1 directions filled alike
    formula: float | None
    holds: bool  # whether it lies between the five seeds
    explanation: str  # what is to be said of BN's error at M_B = 1 and 2


@functools.partial(kept, most=len(WIDTHS) * len(SEEDS))
def _weights(width, seed):
    sizes = [64] + [width] * DEEPEST
    net = network.create(sizes, batch_norm=False, activation="relu", rng=seed)
    return [layer.W for layer in net.layers]


def _layer(W, batch_norm):
    n = len(W)
    if batch_norm:
        return network.BatchNorm(W, np.ones(n), np.zeros(n))
    return network.Dense(W, np.zeros(n))


def _ranks(ys):
    """Return `growth.effective_rank` of every y − ⟨y⟩, of all layers at once."""
    M_B, n = ys[0].shape
    layers = np.concatenate(ys, axis=1).reshape(M_B, -1, n)
    varying = center(layers.reshape(M_B, -1)).reshape(layers.shape).transpose(1, 0, 2)
    largest, of_y = (np.abs(v).max(axis=axes) for v, axes in ((varying, (1, 2)), (layers, (0, 2))))
    some = largest > 1e-10 * of_y
    varying = varying[some] / largest[some, np.newaxis, np.newaxis]
    turned = varying.transpose(0, 2, 1)
    grams = varying @ turned if M_B <= n else turned @ varying
    ranks = np.full(len(ys), math.nan)
    ranks[some] = np.trace(grams, axis1=1, axis2=2) ** 2 / (grams * grams).sum(axis=(1, 2))
    return ranks


@functools.partial(kept, most=1000)
def _curves(batch_norm, M_B, depth, width, activation, variance):
    psi, scale = digits.load("ten").psi[:M_B], math.sqrt(variance)
    norms, ranks = [], []
    for seed in SEEDS:
        layers = [_layer(scale * W, batch_norm) for W in _weights(width, seed)[:depth]]
        net = network.Network(layers, network.get(activation))
        delta = np.random.default_rng(seed).standard_normal((M_B, width))
        # All of it is made here: to check it again takes longer than all that follows.
        of_errors, of_ranks = unchecked(_measured, net, psi, delta)
        norms.append(of_errors[::-1])
        ranks.append(of_ranks)
    if not finite(np.array(norms)):
        raise ValueError("the error overflows on its way down")
    return Curves(np.array(norms), np.array(ranks))


def _measured(net, psi, delta):
    """Return ‖Δ‖² from the top down and the rank of every y − ⟨y⟩."""
    steps, _ = network._forward(net, psi)
    return growth._norms(net, steps, delta), _ranks([step.y for step in steps])


class Depth(Explorer):
    """Error and rank in deep networks as created, BN beside baseline."""

    size = 9.0, 3.3
    second = "activation"
    M_B = batch_size(BATCHES, 32)
    depth = slider("layers", 30, min=2, max=DEEPEST)
    width = slider("neurons per layer", 64, options=WIDTHS)
    activation = slider("activation", "relu", options=("relu", "tanh", "sigmoid", "identity"))
    variance = slider("n · variance of W", 1.0, options=(0.5, 1.0, 2.0, 4.0))

    def compute(self, M_B, depth, width, activation, variance):
        state = M_B, depth, width, activation, variance
        why = {
            1: "BN, one sample: $\\hat{x}$ = 0/0",
            2: "BN, two samples: $\\mathbf{M}$ = 0,\nexactly nothing comes down",
        }.get(M_B, "")
        bn = _curves(True, *state) if M_B > 1 else None
        formula = growth.growth(activation) * growth.linear_growth(M_B) if M_B > 3 else None
        holds = formula is not None and _holds(formula, bn)
        return Networks(*state, bn, _curves(False, *state), formula, holds, why)

    def draw(self):
        self._error, self._rank = self.axes(1, 2)
        self.figure.subplots_adjust(left=0.085, right=0.985, bottom=0.16, top=0.9, wspace=0.24)
        marks = {"— BN": (0.0, look.BATCH_NORM.color), "- - baseline": (0.13, GRAY)}
        for ax in (self._error, self._rank):
            ax.set(xlim=(0, DEEPEST + 4), yscale="log", xlabel="layer $l$")
            ax.xaxis.set_major_locator(FixedLocator([1, *range(10, DEEPEST + 1, 10)]))
            ax.yaxis.set_minor_locator(NullLocator())
            key(ax, **marks)
        self.rescaled(self._error)
        self._error.set_ylabel(r"$\Vert\Delta^l\Vert^2\;/\;\Vert\Delta^L\Vert^2$")
        self._rank.set_ylabel(r"effective rank of $y^l-\langle y^l\rangle$")
        self._rank.set(ylim=(0.85, 1.2 * BATCHES[-1]))
        ticks = [2**k for k in range(BATCHES[-1].bit_length())]
        self._rank.set_yticks(ticks, [str(tick) for tick in ticks])
        self._draw_marks()
        self._bands, self._lines = {}, {}
        for name, of in LOOKS.items():
            for ax in (self._error, self._rank):
                (band,) = ax.fill([], [], color=of.color, alpha=0.18, lw=0)
                self._bands[name, ax] = self.moving(band)
                self._lines[name, ax] = self._line(ax, **of.line())
        self._note = self.moving(explanation(self._error))
        self._note.set_position((0.68, 0.14))

    def _draw_marks(self):
        self._expected = self._line(self._error, color=look.INK, ls=":", lw=1.2)
        options = {"transform": self._error.transAxes, "va": "bottom"}
        self._expected_text = self.words(self._error, 0.42, 1.03, "", **options)
        self._top = self._line(self._error, **look.DELTA.points(markersize=7))
        options = {"color": look.DELTA.ink, "ha": "left", "va": "center"}
        self._enters = self.words(self._error, 0, 0, r"$\Delta^L$", **options)
        self._most = self._line(self._rank, color=look.INK, lw=look.THIN, ls=":")
        self._most_text = self.words(self._rank, 0.6, 1, "", va="bottom", fontsize=8)

    def _line(self, ax, **options):
        return self.line(ax, **options)

    def update(self, result):
        layers = np.arange(1, result.depth + 1)
        curves = {name: getattr(result, name) for name in LOOKS}
        self._scale([c.norms for c in curves.values() if c is not None])
        for name, curve in curves.items():
            self._update_curve(name, self._error, layers, None if curve is None else curve.norms)
            self._update_curve(name, self._rank, layers, None if curve is None else curve.ranks)
        self._update_expected(layers, result.formula, result.holds)
        self._top.set_data([result.depth], [1])
        self._enters.set_position((result.depth + 0.8, 1))
        most = min(result.M_B - 1, result.width)
        self._most.set_data([1, result.depth], [most, most])
        self._most.set_visible(most > 0)  # the logarithm has no place for 0
        self._most_text.set_y(1.03 * max(most, 1))
        said = "the most possible" if most > 0 else "one sample: no spread, no rank"
        self._most_text.set_text(said)
        self._note.set_text(result.explanation)
        self._note.set_visible(bool(result.explanation))

    def _scale(self, norms):
        """Take the smallest of few axes that holds everything: most moves leave it as it is."""
        exponents = np.log10(np.concatenate([values[values > 0] for values in norms]))
        reach = tuple(_next_decades(value) for value in (-exponents.min(), exponents.max()))
        down, up = reach
        every = max(1, max(reach) // 3)
        ticks = [k for k in range(-96, 97, every) if -down <= k <= up]
        self._error.set_ylim(10.0**-down, 10.0**up)
        self._error.yaxis.set_major_locator(FixedLocator([10.0**k for k in ticks]))
        self.change_background(reach)

    def _update_expected(self, layers, factor, holds):
        self._expected.set_visible(factor is not None)
        self._expected_text.set_text("")
        if factor is not None:
            for artist in (self._expected, self._expected_text):
                artist.set_color(look.INK if holds else GRAY)
            self._expected.set_data(layers, factor ** (layers[-1] - layers.astype(float)))
            self._expected_text.set_text(f"· · ·  × {factor:.2f} per layer")

    def _update_curve(self, name, ax, layers, values):
        band, line = self._bands[name, ax], self._lines[name, ax]
        some = np.zeros(0, bool) if values is None else (values > 0).all(axis=0)
        if not some.sum() > 1:
            band.set_xy(np.full((1, 2), np.nan))
            line.set_data([], [])
            return
        x, values = layers[some], values[:, some]
        low, high = values.min(axis=0), values.max(axis=0)
        outline = np.concatenate([np.stack([x, high]), np.stack([x, low])[:, ::-1]], axis=1)
        band.set_xy(outline.T)
        line.set_data(x, np.median(values, axis=0))

    def say(self, result):
        where = f"M_B = {result.M_B}, {result.depth} layers of {result.width}: "
        factor = f"baseline × {_factor(result.baseline.factor)}"
        if result.M_B < 3:
            bn = (
                "BN has no error, x̂ = 0/0"
                if result.bn is None
                else "BN sends nothing below the top"
            )
            return f"{where}{bn}; ‖Δ‖² per layer in the {factor}."
        bn, without = (
            f"{name} × {_factor(curves.factor)} a layer, rank {_rank_at_the_top(curves)}"
            for name, curves in (("BN", result.bn), ("baseline", result.baseline))
        )
        most = min(result.M_B - 1, result.width)
        line = _say_line(result)
        return f"{where}{bn} of {most}; {without.replace(' a layer', '')}. {line}"


def _holds(formula, curves):
    """Whether a factor per layer lies between those of the five seeds."""
    factors = curves.norms[:, 0] ** (1 / (curves.norms.shape[1] - 1))
    return bool(factors.min() < formula < factors.max())


def _next_decades(value):
    return next((decades for decades in DECADES if decades >= 1.05 * value), DECADES[-1])


def _factor(value):
    return f"{value:.2f}" if value > 0.095 else f"{value:.1g}"


def _rank_at_the_top(curves):
    rank = np.median(curves.ranks[:, -1])
    return "none" if math.isnan(rank) else f"{rank:.1f}"


def _say_line(result):
    if result.formula is None:
        return "No line: infinite mean."
    formula = f"× {result.formula:.2f}"
    return f"Line: {formula}." if result.holds else f"Gray line: {formula}, off the seeds."


MARKS = ("o", "s", "^", "D")
SHADES = ("#000000", "#595959", "#8C8C8C", "#B5B5B5", "#D6D6D6")


def _beside(ax, place, text, gap, color=None):
    """Write to the right of a place, so many points away."""
    offset = {"xytext": (gap, 0), "textcoords": "offset points"}
    ax.annotate(text, place, va="center", color=color, annotation_clip=False, **offset)


@look.settings()
def factors(measured, limits):
    """Return a `Picture` of the factor of ‖Δ‖² of every layer beside its limit.

    Both by activation; layers from the top down.
    """
    figure, ax = look.chart(6.4, 3.0, left=0.11, right=0.73, bottom=0.17, top=0.96)
    layers = max(len(values) for values in measured.values())
    ax.set(xlim=(0.5, layers + 0.5), xlabel="layers passed, from the top down")
    ax.set(ylabel=r"$\Vert\Delta^l\Vert^2\;/\;\Vert\Delta^{l+1}\Vert^2$", ylim=(0.95, 1.6))
    ax.xaxis.set_major_locator(FixedLocator(range(1, layers + 1)))
    for (name, values), mark in zip(measured.items(), MARKS, strict=False):
        ax.axhline(limits[name], color=GRAY, lw=3, alpha=0.4)
        ax.plot(np.arange(1, len(values) + 1), values, color=look.INK, ls="none", marker=mark, ms=5)
        _beside(ax, (layers + 0.5, limits[name]), f"{name}, limit {limits[name]:.3f}", 10)
    said = ", ".join(f"{name} close to {limits[name]:.3f}" for name in measured)
    return look.still(figure, f"The factor of ‖Δ‖² over {layers} layers: {said}.")


@look.settings()
def shares(degrees, means):
    """Return a `Picture` of how the variance of g(z) is made up of degrees 1, 2, …

    By activation, as the mean degrees.
    """
    figure, ax = look.chart(6.4, 2.0, left=0.11, right=0.76, bottom=0.25, top=0.95)
    ax.set(xlim=(0, 1), ylim=(len(degrees) - 0.4, -0.6), xlabel="share of Var[g(z)]")
    ax.set_yticks(range(len(degrees)), list(degrees))
    ax.tick_params(axis="y", length=0)
    for row, (name, values) in enumerate(degrees.items()):
        left = 0.0
        for k, share in enumerate(values):
            color = SHADES[min(k, len(SHADES) - 1)]
            ax.barh(row, share, 0.6, left, color=color, ec="white", lw=0.6)
            if share > 0.045:
                ink = "white" if k < 3 else look.INK
                ax.text(left + share / 2, row, f"{k + 1}", color=ink, ha="center", va="center")
            left += share
        _beside(ax, (1, row), f"mean degree {means[name]:.3f}", 10)
    said = "; ".join(
        f"{name}: degree 1 has {values[0]:.0%}, the mean degree is {means[name]:.3f}"
        for name, values in degrees.items()
    )
    return look.still(figure, f"Shares of the degrees in the variance of g(z). {said}.")


@look.settings()
def explosion(curves, powers):
    """Return a `Picture` of ‖Δ‖² over the layers that it has passed, from the top down.

    The curves, ``"BN"`` and baselines, begin with 1; marked is where BN crosses powers of ten.
    """
    figure, ax = look.chart(7.2, 3.4, left=0.1, right=0.72, bottom=0.16, top=0.95)
    layers = max(len(values) for values in curves.values())
    ax.set(yscale="log", xlim=(0, layers), xlabel="layers passed, from the top down")
    ax.set_ylabel(r"$\Vert\Delta^l\Vert^2\;/\;\Vert\Delta^L\Vert^2$")
    lowest = min(values.min() for values in curves.values())
    ax.set_ylim(10.0 ** np.floor(np.log10(lowest)), 10.0 ** (max(powers) + 3))
    ax.yaxis.set_major_locator(FixedLocator(10.0 ** np.arange(-60, 60, 4)))
    ax.yaxis.set_minor_locator(NullLocator())
    for name, values in curves.items():
        of = look.BATCH_NORM if name == "BN" else look.BASELINE
        ax.plot(np.arange(len(values)), values, **of.line())
        _beside(ax, (len(values) - 1, values[-1]), name, 8, of.ink)
    crossings = {k: crossed(curves["BN"], k) for k in powers}
    for k, layer in crossings.items():
        ax.plot([layer, layer], [ax.get_ylim()[0], 10.0**k], color=look.INK, ls=":", lw=1)
        ax.plot([layer], [10.0**k], **look.BATCH_NORM.points())
        ax.annotate(
            f"{layer}", (layer, 10.0**k), xytext=(-4, 5), textcoords="offset points", ha="right"
        )
    said = ", ".join(f"1e{k} after {layer}" for k, layer in crossings.items())
    ends = {name: np.log10(v[-1]) for name, v in curves.items() if name != "BN"}
    others = ", ".join(f"{name}: 1e{power:.0f}" for name, power in ends.items())
    alt = f"‖Δ‖² with BN passes {said} layers. After {layers - 1} layers, {others}."
    return look.still(figure, alt)


def crossed(norms, power):
    """Return after how many layers ‖Δ‖² first passes a power of ten."""
    above = np.flatnonzero(norms > 10.0**power)
    if not above.size:
        raise ValueError(f"power: got {power}, wanted one that is passed")
    return int(above[0])


@look.settings()
def small_batches(sizes, values, predicted):
    """Return a `Picture` of the factor of ‖Δ‖² of linear layers over the batch size.

    `values` are measured, (sizes, layers); `predicted` are their means, inf where there is none.
    """
    figure, ax = look.chart(6.4, 3.0, left=0.11, right=0.97, bottom=0.17, top=0.9)
    ax.set(xscale="log", yscale="log", xlabel=r"batch size $M_B$", ylim=(0.9, 12))
    ax.set_ylabel(r"$\Vert\Delta^l\Vert^2\;/\;\Vert\Delta^{l+1}\Vert^2$")
    ax.xaxis.set_major_locator(FixedLocator(list(sizes)))
    ax.set_xticklabels([str(size) for size in sizes])
    ax.yaxis.set_major_locator(FixedLocator([1, 1.5, 2, 3, 5, 10]))
    ax.set_yticklabels(["1", "1.5", "2", "3", "5", "10"])
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_locator(NullLocator())
    finite = np.isfinite(predicted)
    fine = np.geomspace(np.array(sizes)[finite][0], sizes[-1], 200)
    ax.plot(fine, (fine - 2) / (fine - 3), color=GRAY, lw=4, alpha=0.5)
    for size, layers in zip(sizes, values, strict=True):
        ax.plot([size, size], np.quantile(layers, (0.1, 0.9)), color=look.INK, lw=1)
        ax.plot([size], [np.median(layers)], **look.BATCH_NORM.points())
        ax.plot([size], [layers.mean()], color=look.INK, marker="_", ms=11, ls="none")
    _beside(ax, (3, 9.5), "infinite mean", 8)
    ax.annotate("", (3, 11.5), xytext=(3, 7.5), arrowprops={"arrowstyle": "->", "color": look.INK})
    marks = {"● median": 0.0, "| eight layers in ten": 0.16, "– mean": 0.46}
    for text, place in marks.items():
        ax.text(place, 1.03, text, transform=ax.transAxes)
    ax.text(0.6, 1.03, r"— $(M_B-2)/(M_B-3)$", transform=ax.transAxes, color=GRAY)
    said = ", ".join(
        f"{np.median(layers):.2f} at {size}" for size, layers in zip(sizes, values, strict=True)
    )
    return look.still(figure, f"The median factor of ‖Δ‖² per linear layer by batch size: {said}.")


@look.settings()
def residual(curves, predicted):
    """Return a `Picture` of ‖Δ‖² below every residual block, both axes logarithmic.

    The curves, ``"with skips"`` and ``"without"``, are factors from block 1 up; so is `predicted`,
    with skips.
    """
    figure, ax = look.chart(6.4, 3.2, left=0.12, right=0.8, bottom=0.16, top=0.95)
    block = np.arange(1, len(predicted) + 1)
    ax.set(xscale="log", yscale="log", xlim=(block[-1] * 1.08, 0.9), xlabel="block $l$")
    ax.set_ylabel(r"$\Vert\Delta\Vert^2$ below block $l$, over that at the top")
    ticks = [l for l in (60, 30, 10, 5, 2, 1) if l <= block[-1]]
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.set_xticklabels([str(l) for l in ticks])
    ax.xaxis.set_minor_locator(NullLocator())
    ends = {name: np.cumprod(values[::-1])[::-1] for name, values in curves.items()}
    ax.plot(block, np.cumprod(predicted[::-1])[::-1], color=GRAY, lw=5, alpha=0.4)
    for name, style in (("with skips", "-"), ("without", ":")):
        ax.plot(block, ends[name], color=look.INK, ls=style, marker="o", ms=3)
        place = {"xytext": (8, 0), "textcoords": "offset points", "va": "center"}
        ax.annotate(name, (1, ends[name][0]), annotation_clip=False, **place)
    said = ", ".join(f"{name} by {values[0]:.1g}" for name, values in ends.items())
    return look.still(
        figure,
        f"Over {block[-1]} blocks, from the top down, ‖Δ‖² grows {said}; with skips it "
        "follows the predicted line.",
    )
