"""The pictures of chapter 3: the mixing matrix, and what it leaves of a neuron's only input."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from .. import batchnorm, digits, network, sample_space
from ..kept import kept
from . import look
from .explorer import Explorer, Grip, batch_size, slider
from .look import explanation, key, slots

LARGEST = 64
PIXEL = 42  # row 6, column 3 of the 8 × 8: it has a correlation of 0.7 with x
VECTORS = ("one of its 64 inputs", "its only input: u = x", "ones")
# Up to this batch size every entry of the heat map is also written as a number.
WRITTEN = 4
ROUNDING = 1e-12


class Batch(NamedTuple):
    """M of one neuron on one batch, and what it makes of a vector."""

    M_B: int
    eps: float
    matrix: np.ndarray | None = None  # (M_B, M_B), None where x̂ is 0/0
    # (M_B,), eigenvalues, ascending
    measured: np.ndarray | None = None
    predicted: np.ndarray | None = None
    # (M_B,), a vector over the samples, and M u
    u: np.ndarray | None = None
    rest: np.ndarray | None = None
    explanation: str = ""  # why there is no matrix


@kept
def _first_neuron():
    """Return the first digits and, for them, x of one neuron of the untrained digits network."""
    psi = digits.load("ten").psi[:LARGEST]
    net = digits.trained("ten", batch_norm=True, epochs=0)
    return psi, psi @ net.layers[0].W[:1].T


def _short(value):
    """Two digits; 0 where only rounding is left."""
    return f"{value:.2g}".replace("-", "−") if abs(value) > 1e-12 else "0"


def _entry(value):
    """Two places, in few characters."""
    text = f"{value:.2f}".replace("0.", ".").replace("-", "−")
    return "0" if text in (".00", "−.00") else text


class Mixing(Explorer):
    """The mixing matrix M of a neuron of the digits network, on its first batch."""

    size = 9.0, 3.0
    M_B = batch_size(range(1, LARGEST + 1), 8)
    eps = slider("ε", 0.0, options=(0.0, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0))
    vector = slider("u", VECTORS[0], options=VECTORS)

    def compute(self, M_B, eps, vector):
        psi, x = (v[:M_B] for v in _first_neuron())
        if M_B == 1 and eps == 0:
            why = "One sample:\nx is its own mean,\nso σ = 0 and x̂ = 0/0.\nBN needs ε > 0 here."
            return Batch(M_B, eps, explanation=why)
        x_hat = batchnorm.normalize(x, eps).x_hat
        vectors = psi[:, [PIXEL]], x, np.ones_like(x)
        u = vectors[VECTORS.index(vector)]
        matrix = sample_space.mixing_matrix(x_hat[:, 0])
        return Batch(
            *(M_B, eps, matrix),
            measured=np.linalg.eigvalsh(matrix),
            predicted=sample_space.mixing_eigenvalues(x_hat[:, 0]),
            u=u[:, 0],
            rest=sample_space.mix(x_hat, u)[:, 0],
        )

    def draw(self):
        heat, spectrum, vectors = self.axes(1, 3, width_ratios=(1.0, 1.1, 1.35))
        self.figure.subplots_adjust(left=0.04, right=0.985, bottom=0.17, top=0.9, wspace=0.5)
        self._draw_heat_map(heat)
        self._draw_eigenvalues(spectrum)
        self._draw_entries(vectors)
        self._explanation = self.moving(explanation(spectrum))

    def _draw_heat_map(self, ax):
        ax.set(xticks=[], yticks=[], ylabel="sample s")
        ax.spines[["top", "right"]].set_visible(True)
        signed = {"cmap": look.SIGNED, "norm": look.signed_norm()}
        self._image = self.moving(ax.imshow(np.zeros((1, 1)), extent=(0, 1, 1, 0), **signed))
        look.signed_bar(self.figure, self._image, ax)
        centered = {"ha": "center", "va": "center", "fontsize": 8}
        self._entries = [self.words(ax, 0, 0, "", **centered) for _ in range(WRITTEN**2)]
        self._columns = self._sample_label(ax)

    def _sample_label(self, ax):
        return self.words(ax, 0.5, -0.04, "", transform=ax.transAxes, ha="center", va="top")

    def _draw_eigenvalues(self, ax):
        look.spectrum(ax, LARGEST)
        predicted = {"marker": "_", "markersize": 13, "color": look.BASELINE.color}
        self._predicted = self.line(ax, linestyle="none", clip_on=False, **predicted)
        measured = look.GRADIENT.points(markersize=4, clip_on=False)
        self._measured = self.line(ax, **measured)
        self._on_x_hat = self.words(ax, 2.5, 0, "", color=look.X_HAT.ink, ha="left", va="center")
        key(ax, **{"— predicted": (0.0, look.BASELINE.color), "● measured": (0.45, look.INK)})

    def _draw_entries(self, ax):
        # The samples of a batch fill the axis from 0 to 1, however many they are.
        ax.set(xlim=(-0.02, 1.02), xticks=[], ylim=(-1.15, 1.15), yticks=[-1, 0, 1])
        ax.axhline(0, color=look.INK, linewidth=look.THIN)
        u, rest = look.U, look.GRADIENT
        self._connections = self.moving(ax.vlines([], [], [], color="#B0B0B0", linewidth=1))
        self._u = self.line(ax, **u.points())
        self._rest = self.line(ax, **rest.points(markersize=4))
        key(ax, **{"▲ u": (0.0, u.ink), r"● $\mathbf{M}$u": (0.15, rest.color)})
        self._rows = self._sample_label(ax)

    def update(self, result):
        if self.shows(self._explanation, result.explanation):
            self._update_matrix(result)
            self._update_spectrum(result)
            self._update_vectors(result)

    def _update_matrix(self, result):
        self._image.set_data(result.matrix)
        last = f" … {result.M_B}" if result.M_B > 1 else ""
        # No mathematics in texts that change: laying it out takes longer than all the rest.
        self._columns.set_text(f"samples t = 1{last}")
        self._rows.set_text(f"samples s = 1{last}")
        written = result.matrix if result.M_B <= WRITTEN else np.empty((0, 0))
        for text in self._entries:
            text.set_text("")
        for text, ((s, t), entry) in zip(self._entries, np.ndenumerate(written), strict=False):
            text.set_position(((t + 0.5) / result.M_B, (s + 0.5) / result.M_B))
            text.set(text=_entry(entry), color="white" if abs(entry) > 0.4 else look.INK)

    def _update_spectrum(self, result):
        numbers = 1 + np.arange(result.M_B)
        self._predicted.set_data(numbers, result.predicted)
        self._measured.set_data(numbers, result.measured)
        self._on_x_hat.set_visible(result.M_B > 1)
        if result.M_B > 1:
            height = result.predicted[1]
            # Below the row of ones, where it would cover them.
            self._on_x_hat.set_y(min(max(height, 0.03), 0.9))
            # No formula: matplotlib keeps some kilobytes of each new one for good.
            self._on_x_hat.set_text(f"on x̂: {_short(height)}")

    def _update_vectors(self, result):
        places = slots(result.M_B)
        self._u.set_data(places, result.u)
        self._rest.set_data(places, result.rest)
        tops, feet = np.column_stack([places, result.u]), np.column_stack([places, result.rest])
        self._connections.set_segments(np.stack([tops, feet], axis=1))

    def say(self, result):
        M_B, eps = result.M_B, result.eps
        state = f"M_B = {M_B}, ε = {eps:g}: "
        if result.matrix is None:
            return state + result.explanation.replace("\n", " ")
        if M_B == 1:
            return state + "x̂ = 0 and M = 0. y = β whatever x is: only β can learn."
        spectrum = f"{state}eigenvalues 0, {result.predicted[1] if eps else 0:.2g}"
        if M_B > 2:
            spectrum += f" and 1 ({M_B - 2}×)"
        elif not eps:
            spectrum += ", so M = 0: W and all below learn nothing"
        return f"{spectrum}. {_share(result)}."


def _share(result):
    spread = np.linalg.norm(result.u - result.u.mean())
    share = np.linalg.norm(result.rest) / spread if spread > ROUNDING else 0.0
    return f"|Mu| = {share:.2g}·|u − ⟨u⟩|" if share > ROUNDING else "Mu = 0"


LIMIT = 2.0
ZERO = 1e-17  # exact zeros are drawn here, where the logarithm has no place for them


class Weights(NamedTuple):
    """A neuron with one input, over its weight."""

    W: float
    eps: float
    weights: np.ndarray  # (n,), the weights of the curves; 0 is among them
    y: np.ndarray  # (M_B, n), at γ = 1 and β = 0; nan where x̂ is 0/0
    # (n,), |M u| / |u − ⟨u⟩|, measured and predicted; nan where x̂ is 0/0
    share: np.ndarray
    share_predicted: np.ndarray
    u: np.ndarray  # (M_B,), u − ⟨u⟩
    # (M_B,), M u at W itself; nan where x̂ is 0/0
    rest: np.ndarray
    rest_predicted: np.ndarray


def odd_likeness(data):
    """Return one number per digit: how much it looks like the mean odd and not the mean even one.

    The projection on the difference of the two mean images, shape (M, 1).
    """
    odd = data.phi[:, 0] == 1
    direction = data.psi[odd].mean(axis=0) - data.psi[~odd].mean(axis=0)
    return (data.psi @ direction)[:, np.newaxis]


@kept
def _only_input():
    return odd_likeness(digits.load("odd"))[:8]


@kept
def _weights():
    """Return the weights of the curves: every place of the slider, and many close to 0."""
    near = np.logspace(-6, -1.5, 28)
    return np.sort(np.concatenate([np.linspace(-LIMIT, LIMIT, 81).round(2), near, -near]))


class Weight(Explorer):
    """One weight and its only input, on eight digits."""

    size = 9.0, 3.0
    W = slider("weight W", 0.5, min=-LIMIT, max=LIMIT, step=0.1)
    eps = slider("ε", 1e-5, options=(0.0, *(10.0**k for k in range(-12, 1))))

    def compute(self, W, eps):
        # The slider's 0 may come as 1e-17; to two places it is 0.
        W, u = round(W, 2), _only_input()
        weights = np.append(_weights(), W)
        here = len(weights) - 1
        defined = (weights != 0) | (eps > 0)
        y, rest, predicted = np.full((3, len(u), len(weights)), np.nan)
        y[:, defined] = batchnorm.normalize(u * weights[defined], eps).x_hat
        rest[:, defined] = sample_space.mix(y[:, defined], np.repeat(u, defined.sum(), axis=1))
        predicted[:, defined] = sample_space.single_neuron_residual(u, weights[defined], eps)
        centered = sample_space.center(u)[:, 0]
        share, share_predicted = (
            np.linalg.norm(v[:, :here], axis=0) / np.linalg.norm(centered)
            for v in (rest, predicted)
        )
        curves = weights[:here], y[:, :here], share, share_predicted
        return Weights(W, eps, *curves, centered, rest[:, here], predicted[:, here])

    def draw(self):
        output, share, vectors = self.axes(1, 3)
        self.figure.subplots_adjust(left=0.06, right=0.985, bottom=0.17, top=0.92, wspace=0.38)
        self._draw_output(output)
        self._draw_share(share)
        self._draw_vectors(vectors, 1.15 * np.abs(sample_space.center(_only_input())).max())

    def _draw_output(self, ax):
        ax.set(xlabel=r"$W$", ylabel=r"$y$ of each sample", xlim=(-LIMIT, LIMIT), ylim=(-2.5, 2.5))
        self._now = [self._vertical(ax)]
        self._now[0].set(marker="^", markevery=[0], markersize=9, clip_on=False)  # to be dragged
        self._samples = [self.line(ax, **look.Y.line(linewidth=1.2)) for _ in _only_input()]

    def _vertical(self, ax):
        return self.moving(ax.axvline(0, color=look.INK, linewidth=look.THIN, linestyle=":"))

    def _draw_share(self, ax):
        ax.set(yscale="log", ylim=(ZERO / 3, 5), xlim=(-LIMIT, LIMIT), xlabel=r"$W$")
        ax.set(ylabel=r"$|\mathbf{M}u|\;/\;|u-\langle u\rangle|$")
        ax.set_yticks(
            [ZERO, 1e-12, 1e-8, 1e-4, 1], ["0", *(f"$10^{{{k}}}$" for k in (-12, -8, -4, 0))]
        )
        ax.minorticks_off()
        band = {"color": look.BASELINE.color, "linewidth": 7, "alpha": 0.5}
        self._predicted = self.line(ax, **band)
        self._measured = self.line(ax, **look.GRADIENT.points(markersize=2.5))
        self._here = self.line(ax, **look.GRADIENT.points(markersize=8, fillstyle="none"))
        self._now.append(self._vertical(ax))
        self._note = self.moving(explanation(ax))
        key(ax, **{"— predicted": (0.0, band["color"]), "● measured": (0.45, look.INK)})

    def _draw_vectors(self, ax, reach):
        ax.set(xticks=[], xlabel=r"samples $s$", xlim=(0, 1), ylim=(-reach, reach))
        ax.axhline(0, color=look.INK, linewidth=look.THIN)
        squares = {"marker": "s", "markersize": 10, "fillstyle": "none"}
        self._u = self.line(ax, **look.U.points())
        self._rest_predicted = self.line(ax, linestyle="none", color=look.BASELINE.color, **squares)
        self._rest = self.line(ax, **look.GRADIENT.points(markersize=4))
        self._undefined = self.moving(explanation(ax))
        rest = {r"● $\mathbf{M}$u": (0.37, look.INK), "□ predicted": (0.6, look.BASELINE.color)}
        key(ax, **{"▲ u − ⟨u⟩": (0.0, look.U.ink)}, **rest)

    def update(self, result):
        self._update_output(result)
        self._update_share(result)
        self._update_vectors(result)
        for line in self._now:
            line.set_xdata([result.W, result.W])

    def _update_output(self, result):
        for line, y in zip(self._samples, result.y, strict=True):
            line.set_data(result.weights, y)

    def _update_share(self, result):
        predicted, measured = (np.maximum(v, ZERO) for v in (result.share_predicted, result.share))
        self._predicted.set_data(result.weights, predicted)
        self._measured.set_data(result.weights, measured)
        here = np.interp(result.W, result.weights, measured)
        self._here.set_data([result.W], [here])
        none = not np.nanmax(result.share_predicted) > 0
        self._note.set_text("predicted: exactly 0\nmeasured: rounding" if none else "")
        self._note.set_visible(none)

    def _update_vectors(self, result):
        places = (np.arange(len(result.u)) + 0.5) / len(result.u)
        self._u.set_data(places, result.u)
        self._rest.set_data(places, result.rest)
        self._rest_predicted.set_data(places, result.rest_predicted)
        undefined = bool(np.isnan(result.rest).any())
        self._undefined.set_text("W = 0 and ε = 0:\nx̂ = 0/0" if undefined else "")
        self._undefined.set_visible(undefined)

    def handles(self, result, W, eps):
        output, *_ = self.figure.axes
        return {("W",): Grip(output, W, output.get_ylim()[0])}

    def say(self, result):
        W, eps = result.W, result.eps
        state = f"W = {W:g}, ε = {eps:g}: "
        if W == 0 and eps == 0:
            return state + "x = 0 for every sample, so x̂ = 0/0. y jumps here and has no slope."
        if W == 0:
            slope = eps**-0.5
            return state + f"x̂ = 0, so M takes away the mean alone. ∂y/∂W = {slope:.3g}·γ(u − ⟨u⟩)."
        spread = np.linalg.norm(result.u)
        measured, predicted = (
            np.linalg.norm(v) / spread for v in (result.rest, result.rest_predicted)
        )
        if measured < ROUNDING:
            return state + f"|Mu| is less than 1e-12 of |u − ⟨u⟩|, predicted {predicted:.2g}."
        return state + f"|Mu| is {measured:.2g} of |u − ⟨u⟩|, predicted {predicted:.2g}."


# One is negative, so the chain begins by taking odd for even. What will turn it round?
WEIGHTS = (0.6, 1.2, -1.0, 1.6, 0.2)
LAYERS = len(WEIGHTS)
STEPS = 300
LEARNING_RATE = 0.2
EPS = (0.0, 1e-5, 1e-4, 1e-3, 1e-2)
FLOOR = 1e-16  # no move at all is drawn here: the logarithm has no place for it
# Dark to light from the first layer to the last, and labeled as well.
SHADES = ("#000000", "#3D3D3D", "#6B6B6B", "#8C8C8C", "#A6A6A6")
MOVES = {"W": "-", "γ": "--", "β": ":"}


class Training(NamedTuple):
    """Every state of one training."""

    # (STEPS + 1, LAYERS)
    W: np.ndarray
    gamma: np.ndarray
    beta: np.ndarray


class State(NamedTuple):
    """A training up to one step."""

    M_B: int
    eps: float
    step: int
    # (STEPS + 1, LAYERS), None where the training cannot begin
    W: np.ndarray | None = None
    gamma: np.ndarray | None = None
    # (STEPS + 1,), for W, γ and β the largest distance of a layer from where it began
    moved: dict | None = None
    cost: float | None = None  # on all digits
    explanation: str = ""  # why there is no training


@kept
def _data():
    data = digits.load("odd")
    return odd_likeness(data), data.phi


@kept
def _train(M_B, eps):
    """Train a chain of single neurons step by step and keep every state."""
    psi, phi = _data()
    rng = np.random.default_rng(0)
    sizes = [1] * (LAYERS + 1)
    net = network.create(sizes, batch_norm=True, activation="tanh", eps=eps, rng=1)
    for layer, W in zip(net.layers, WEIGHTS, strict=True):
        layer.W = np.array([[W]])
    epochs = itertools.chain.from_iterable(
        network.batches(len(psi), M_B, rng) for _ in range(STEPS)
    )
    layers = [net.layers]
    for batch in itertools.islice(epochs, STEPS):
        options = {"learning_rate": LEARNING_RATE, "batch_size": M_B, "epochs": 1, "rng": 0}
        network.train_whole(net, psi[batch], phi[batch], **options)
        layers.append(net.layers)
    states = [
        [[getattr(layer, name).item() for layer in state] for state in layers]
        for name in ("W", "gamma", "beta")
    ]
    return Training(*map(np.array, states))


def _network(training, step, eps):
    """Return the chain as it was after a step."""
    rows = (of[step] for of in training)
    layers = [
        network.BatchNorm(np.array([[W]]), np.array([gamma]), np.array([beta]))
        for W, gamma, beta in zip(*rows, strict=True)
    ]
    return network.Network(layers, network.get("tanh"), eps)


class Chain(Explorer):
    """A chain of 5 single neurons in training on the digits."""

    size = 9.0, 3.0
    second = "step"
    M_B = batch_size((1, 2, 3, 8, 64), 8)
    eps = slider("ε", 0.0, options=EPS)
    step = slider("training step", STEPS, min=0, max=STEPS)

    def compute(self, M_B, eps, step):
        if M_B == 1 and eps == 0:
            why = "One sample:\nσ = 0 and x̂ = 0/0.\nThe training cannot begin."
            return State(M_B, eps, step, explanation=why)
        training = _train(M_B, eps)
        named = {"W": training.W, "γ": training.gamma, "β": training.beta}
        moved = {name: np.abs(v - v[0]).max(axis=1) for name, v in named.items()}
        cost = network.cost_and_gradients(_network(training, step, eps), *_data())[0]
        return State(M_B, eps, step, training.W, training.gamma, moved, float(cost))

    def draw(self):
        self._panels = self.axes(1, 3)
        self.figure.subplots_adjust(left=0.06, right=0.945, bottom=0.17, top=0.95, wspace=0.62)
        for ax in self._panels:
            ax.set(xlabel="training step", xlim=(0, STEPS))
        weight, gamma, moved = self._panels
        weight.set(ylabel=r"$W$ of each layer", ylim=(-2, 2), yticks=range(-2, 3))
        gamma.set(ylabel=r"$\gamma$ of each layer", ylim=(-3, 3), yticks=range(-3, 4))
        moved.set(ylabel="largest move since step 0", yscale="log", ylim=(FLOOR / 3, 30))
        ticks = {FLOOR: "0", 1e-12: "$10^{-12}$", 1e-8: "$10^{-8}$", 1e-4: "$10^{-4}$", 1: "1"}
        moved.set_yticks(list(ticks), ticks.values())
        moved.minorticks_off()
        self._weight = self._lines(weight, [{"color": shade} for shade in SHADES])
        self._gamma = self._lines(gamma, [{"color": shade} for shade in SHADES])
        self._moved = self._lines(moved, [{"color": look.INK, "ls": ls} for ls in MOVES.values()])
        self._explanation = self.moving(explanation(gamma))

    def _lines(self, ax, looks):
        """Return for each look a line and a label at its end."""
        end = {"marker": "o", "markersize": 3.5, "markevery": [-1], "clip_on": False}
        lines = [self.line(ax, **end, **one) for one in looks]
        return [(line, self.words(ax, 0, 0, "", va="center", fontsize=8)) for line in lines]

    def update(self, result):
        if not self.shows(self._explanation, result.explanation):
            return
        seen = slice(0, result.step + 1)
        weight, gamma, moved = self._panels
        self._update_panel(weight, self._weight, result.W[seen].T, _layers)
        self._update_panel(gamma, self._gamma, result.gamma[seen].T, _layers)
        moves = [np.maximum(result.moved[name][seen], FLOOR) for name in MOVES]
        self._update_panel(
            moved, self._moved, moves, lambda ks: ", ".join(list(MOVES)[k] for k in ks)
        )

    def _update_panel(self, ax, artists, curves, name):
        """Draw the curves; those that end side by side share a label."""
        to_axes = ax.transScale + ax.transLimits
        ends = [to_axes.transform((0, curve[-1]))[1] for curve in curves]
        for (line, text), curve in zip(artists, curves, strict=True):
            line.set_data(np.arange(len(curve)), curve)
            text.set_text("")
        for group in side_by_side(ends):
            height = np.mean([ends[k] for k in group])
            text = artists[group[0]][1]
            text.set_position((len(curves[0]) - 1, to_axes.inverted().transform((0, height))[1]))
            text.set_text(f"  {name(group)}")

    def say(self, result):
        state = f"M_B = {result.M_B}, ε = {result.eps:g}, step {result.step}: "
        if result.W is None:
            return state + result.explanation.replace("\n", " ")
        moves = ", ".join(f"{name} {_move(v[result.step])}" for name, v in result.moved.items())
        return f"{state}largest moves: {moves}. Cost on all digits {result.cost:.2f}."


def _move(distance):
    return f"{distance:.2g}" if distance > 1e-12 else "< 1e-12"


def side_by_side(heights):
    """Return the numbers 0, 1, … of the heights, grouped where neighbors are close."""
    groups = []
    for k in map(int, np.argsort(heights)):
        if groups and heights[k] - heights[groups[-1][-1]] < 0.07:
            groups[-1].append(k)
        else:
            groups.append([k])
    return [sorted(group) for group in groups]


def _layers(numbers):
    """Name layers, counted from 1: "l = 2", "l = 1–4", "l = 1, 3"."""
    numbers = [k + 1 for k in numbers]
    run = len(numbers) > 1 and numbers[-1] - numbers[0] == len(numbers) - 1
    listed = f"{numbers[0]}–{numbers[-1]}" if run else ", ".join(map(str, numbers))
    return f"$l$ = {listed}"


LINES = ("-", "--", ":")


@look.settings()
def lengths(stretches, costs, squares):
    """Return a `Picture` of the cost over a stretch of the weights, and |W_i|² over a training.

    The costs are by eps, up to three; the squares of each neuron, (steps + 1, n).
    """
    figure, (over_stretch, over_steps) = look.chart(
        8.0, 2.9, left=0.08, right=0.98, bottom=0.17, top=0.95, wspace=0.42, columns=2
    )
    over_stretch.set(xscale="log", xlabel="stretch of the weights", ylabel="cost")
    over_stretch.set_xticks([0.125, 0.5, 1, 2, 8], ["⅛", "½", "1", "2", "8"])
    over_stretch.minorticks_off()
    for (eps, cost), line in zip(costs.items(), LINES, strict=False):
        over_stretch.plot(stretches, cost, color=look.INK, linestyle=line)
        beside = {"xytext": (14, 3), "textcoords": "offset points", "va": "bottom"}
        over_stretch.annotate(f"ε = {eps:g}", (stretches[0], cost[0]), **beside)
    over_steps.plot(squares, color=look.INK, linewidth=0.7, alpha=0.6)
    over_steps.set(xlabel="training step", ylabel=r"$|W_i|^2$ of each neuron", xlim=(0, None))
    grown = np.diff(squares, axis=0).min() >= 0
    return look.still(
        figure,
        f"Left: the cost over a stretch of the weights is flat at ε = 0 and not for ε > 0. "
        f"Right: |W_i|² of {squares.shape[1]} neurons over {len(squares) - 1} steps "
        f"{'only grows' if grown else 'grows and shrinks'}.",
    )
