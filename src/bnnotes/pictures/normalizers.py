"""The pictures of chapter 8: which entries share their statistics, and several devices."""

from __future__ import annotations

import itertools
import textwrap
from typing import NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.patches import Rectangle

from .. import batchnorm, digits, network, normalizers
from ..kept import kept
from . import look
from .explorer import Explorer, batch_size, slider
from .look import explanation, key, slots

SIZES = 1, 2, 3, 4, 6, 8
FEATURES = 4
NAMES = "batch_norm", "ghost_norm", "layer_norm", "instance_norm", "group_norm", "rms_norm"
CELLS = 6  # of the image, per feature and sample; a gap follows
LIT, REST = colormaps["Blues"], colormaps["Greys"]
ROUNDING = 1e-9


class Sets(NamedTuple):
    """The entries that share their statistics with the first one."""

    name: str
    eps: float
    x: np.ndarray  # (M_B, n, pixels)
    # (M_B, n, pixels), bool, who shares with the first entry; None where there are no statistics
    together: np.ndarray | None = None
    # (M_B, n, pixels), how each entry of x̂ moves with the first of x, in units of 1/ς
    column: np.ndarray | None = None
    eigenvalues: np.ndarray | None = None  # (m,), of M on these entries, ascending
    kept: int = 0  # the rank of M on all entries
    why: str = ""  # why there are no statistics


@kept
def filtered():
    """Return four filters of 4 × 4 pixels on the first digits, (M_B, 4, 2, 2)."""
    images = digits.load("ten").psi[: SIZES[-1]].reshape(-1, 2, 4, 2, 4)
    filters = np.random.default_rng(0).normal(size=(FEATURES, 4, 4))
    return np.einsum("srpcq,fpq->sfrc", images, filters)


def normalizer(name, groups, M_B):
    """Return a normalizer by its name; ghost batches are `groups` parts of the batch."""
    if name == "group_norm":
        return normalizers.group_norm(groups)
    if name == "ghost_norm":
        return normalizers.ghost_norm(max(M_B // groups, 1))
    return getattr(normalizers, name)


class Groups(Explorer):
    """Who shares statistics with one entry of x, and what M does there.

    Four filters on the first digits; x is samples × features × pixels.
    """

    size = 9.0, 3.5
    second = "name"
    M_B = batch_size(SIZES, 4)
    name = slider("normalizer", "group_norm", options=NAMES)
    eps = slider("ε", 0.0, options=(0.0, 1e-3, 1e-1, 1.0))
    groups = slider("groups or ghost batches", 2, options=[1, 2, 4])
    pixels = slider("pixels", "2 × 2", options=["1", "2 × 2"])

    def compute(self, M_B, name, eps, groups, pixels):
        x = filtered()[:M_B]
        x = x[:, :, 0, 1] if pixels == "1" else x
        flat = x.reshape(M_B, FEATURES, -1)
        try:
            chosen = normalizer(name, groups, M_B)
            normalized = chosen.forward(x, np.ones(FEATURES), np.zeros(FEATURES), eps)[1]
        except ValueError as error:
            return Sets(name, eps, flat, why=str(error))
        units = np.eye(x.size).reshape(-1, *x.shape)
        M = np.array([chosen.mix(normalized, unit).ravel() for unit in units])
        together = self._together(chosen, x.shape)
        lit = together.ravel()
        return Sets(
            *(name, eps, flat, together.reshape(flat.shape), M[0].reshape(flat.shape)),
            eigenvalues=np.linalg.eigvalsh(M[np.ix_(lit, lit)]),
            kept=int(np.linalg.matrix_rank(M, tol=ROUNDING)),
        )

    def _together(self, chosen, shape):
        parts, groups = chosen.cut(shape)
        together = np.zeros(shape, bool)
        together[: shape[0] // parts, : shape[1] // groups] = True
        return together

    def draw(self):
        entries, spectrum, column = self.axes(1, 3, width_ratios=(1.0, 1.25, 1.0))
        self.figure.subplots_adjust(left=0.045, right=0.94, bottom=0.15, top=0.9, wspace=0.32)
        self._x = self._draw_entries(entries)
        key(
            entries,
            **{"■ share statistics": (0.0, look.X_HAT.ink), "■ x": (0.8, look.BASELINE.ink)},
        )
        self._moved = self._draw_entries(column)
        key(column, **{"x̂ moved by the framed x": (0.0, look.INK)})
        frame = Rectangle((0, 0), 1, 1, fill=False, ec=look.THETA1.color, lw=2, zorder=3)
        self._frame = self.moving(column.add_patch(frame))
        look.signed_bar(self.figure, ScalarMappable(look.signed_norm(), look.SIGNED), column)
        look.spectrum(spectrum, SIZES[-1] * FEATURES)
        points = look.GRADIENT.points(markersize=4, clip_on=False)
        self._eigenvalues = self.line(spectrum, **points)
        self._explanation = self.moving(explanation(spectrum))

    def _draw_entries(self, ax):
        ax.set(xlim=(0, FEATURES), ylim=(SIZES[-1], 0), xticks=[], yticks=[])
        ax.set(xlabel="features", ylabel="samples")
        ax.spines[["left", "bottom"]].set_visible(False)
        return self.moving(ax.imshow(np.ones((1, 1, 3)), aspect="auto", interpolation="nearest"))

    def update(self, result):
        defined = result.together is not None
        for artist in (self._moved, self._eigenvalues, self._frame):
            artist.set_visible(defined)
        self._explanation.set_visible(not defined)
        self._explanation.set_text("\n".join(textwrap.wrap(result.why, 34)))
        shade = (result.x - filtered().min()) / np.ptp(filtered()) * 0.6 + 0.25
        lit = result.together if defined else np.zeros(result.x.shape, bool)
        colors = np.where(lit[..., None], LIT(shade), REST(0.7 * shade))[..., :3]
        _show(self._x, colors)
        if defined:
            root = (1 + look.signed_root(result.column)) / 2
            moved = colormaps[look.SIGNED](root)[..., :3]
            moved[~lit] = 0.93
            _show(self._moved, moved)
            self._eigenvalues.set_data(1 + np.arange(lit.sum()), result.eigenvalues)
            side = CELLS / (CELLS + 1)
            pixel = side / (1 if result.x.shape[2] == 1 else 2)
            self._frame.set(width=pixel, height=pixel)

    def say(self, result):
        if result.together is None:
            return f"M_B = {len(result.x)}. {result.why}"
        m, size = int(result.together.sum()), result.x.size
        state = f"{result.name}, M_B = {len(result.x)}, ε = {result.eps:g}: "
        share = "1 entry is alone" if m == 1 else f"{m} entries share"
        ending = ", so ∂C/∂x is 0 for every error" if result.kept == 0 else ""
        return f"{state}{share}; M keeps {result.kept} of {size} directions{ending}"


def _show(image, colors):
    """Show an array (M_B, n, pixels, 3): a tile for each sample and feature, with gaps between."""
    M_B, n, pixels, _ = colors.shape
    side = 1 if pixels == 1 else 2
    tiles = np.ones((M_B, CELLS + 1, n, CELLS + 1, 3))
    square = colors.reshape(M_B, n, side, side, 3).transpose(0, 2, 1, 3, 4)
    square = square.repeat(CELLS // side, 1).repeat(CELLS // side, 3)
    tiles[:, :CELLS, :, :CELLS] = square
    image.set_data(tiles.reshape(M_B * (CELLS + 1), n * (CELLS + 1), 3))
    image.set_extent((0, n, M_B, 0))


class Shards(NamedTuple):
    """One neuron on several devices."""

    sizes: tuple  # samples of each rank
    sums: str
    # (M_B, M_B), M of all samples; None where a rank has no statistics
    matrix: np.ndarray | None = None
    # (M_B,), M_B ∂C/∂x with these sums, and on one device
    here: np.ndarray | None = None
    exact: np.ndarray | None = None
    why: str = ""


LARGEST = 24
UNEQUAL = {1: (1,), 2: (1, 2), 3: (1, 2, 3), 4: (1, 2, 4, 5)}
GLOBAL, LOCAL = "global (SyncBN)", "local (ghost)"


def shard_sizes(M_B, ranks, unequal):
    """Return the samples of each rank, as near to the wanted shares as whole samples are."""
    shares = np.cumsum(UNEQUAL[ranks] if unequal else np.ones(ranks))
    ends = np.round(M_B * shares / shares[-1] - 1e-9).astype(int)
    return tuple(int(size) for size in np.diff(ends, prepend=0) if size)


@kept
def at_the_output():
    """Return x, M_B·Δ and γ of the output neuron "5" of the digits network after one epoch."""
    data, net = digits.load("ten"), digits.trained("ten", batch_norm=True, epochs=1)
    psi, phi = data.psi[:LARGEST], data.phi[:LARGEST]
    below, top = network.feed_forward(net, psi)
    x = below.u @ net.layers[-1].W.T
    return x[:, [5]], (top.u - phi)[:, [5]], net.layers[-1].gamma[[5]]


class Devices(Explorer):
    """M and ∂C/∂x of one neuron whose batch lies on several devices."""

    size = 9.0, 3.3
    second = "ranks"
    M_B = batch_size((1, 2, 3, 4, 6, 8, 12, 16, LARGEST), 12)
    ranks = slider("ranks", 3, options=[1, 2, 3, 4])
    shards = slider("shards", "unequal", options=["equal", "unequal"])
    sums = slider("sums", LOCAL, options=[GLOBAL, LOCAL])

    def compute(self, M_B, ranks, shards, sums):
        x, delta, gamma = (v if len(v) == 1 else v[:M_B] for v in at_the_output())
        sizes = shard_sizes(M_B, ranks, shards == "unequal")
        ends = np.cumsum((0, *((M_B,) if sums == GLOBAL else sizes)))
        matrix, here = np.zeros((M_B, M_B)), np.zeros((M_B, 1))
        try:
            exact = batchnorm.input_error(delta, batchnorm.normalize(x), gamma)
            for start, end in itertools.pairwise(ends):
                part = slice(start, end)
                normalized = batchnorm.normalize(x[part])
                matrix[part, part] = batchnorm.kernel(normalized, normalized.std)[:, :, 0]
                here[part] = batchnorm.input_error(delta[part], normalized, gamma)
        except ValueError:
            alone = "The batch" if M_B == 1 else "A rank"
            return Shards(sizes, sums, why=f"{alone} has one sample:\nat ε = 0 it has no x̂.")
        matrix[np.abs(matrix) < ROUNDING] = 0
        return Shards(sizes, sums, matrix, here[:, 0], exact[:, 0])

    def draw(self):
        heat, bars = self.axes(1, 2, width_ratios=(1.0, 2.1))
        self.figure.subplots_adjust(left=0.05, right=0.985, bottom=0.13, top=0.9, wspace=0.3)
        heat.set(xticks=[], yticks=[], xlabel="sample t", ylabel="sample s")
        heat.set(xlim=(0, 1), ylim=(1, 0))
        signed = {"cmap": look.SIGNED, "norm": look.signed_norm(), "aspect": "auto"}
        self._heat = self.moving(heat.imshow(np.zeros((1, 1)), extent=(0, 1, 1, 0), **signed))
        self._borders = (
            self.moving(heat.hlines([], 0, 1, color=look.THETA1.color, lw=1.5)),
            self.moving(heat.vlines([], 0, 1, color=look.THETA1.color, lw=1.5)),
        )
        key(heat, **{r"$\mathbf{M}$, ranks framed": (0.0, look.INK)})
        bars.set(xlim=(0, 1), xticks=[], ylim=(-1.2, 1.2), xlabel="samples, rank by rank")
        bars.set_ylabel(r"$M_B\,\partial C/\partial x$")
        bars.axhline(0, color=look.INK, lw=look.THIN)
        self._ranks = self.moving(bars.vlines([], -1.2, 1.2, color=look.THETA1.color, lw=1.5))
        one = {"marker": "o", "mfc": "white", "mec": look.BASELINE.color, "markersize": 9}
        self._exact = self.line(bars, linestyle="none", **one)
        self._here = self.line(bars, **look.GRADIENT.points(markersize=5))
        key(bars, **{"○ on one device": (0.0, look.BASELINE.color), "● here": (0.3, look.INK)})
        self._explanation = self.moving(explanation(bars))

    def update(self, result):
        defined = result.matrix is not None
        self._explanation.set_visible(not defined)
        self._explanation.set_text(result.why)
        for artist in (self._heat, self._exact, self._here):
            artist.set_visible(defined)
        M_B = sum(result.sizes)
        inner = np.cumsum(result.sizes)[:-1] / M_B
        rows, columns = self._borders
        rows.set_segments([[(0, end), (1, end)] for end in inner])
        columns.set_segments([[(end, 0), (end, 1)] for end in inner])
        self._ranks.set_segments([[(end, -1.2), (end, 1.2)] for end in inner])
        if defined:
            places = slots(M_B)
            self._heat.set_data(result.matrix)
            self._exact.set_data(places, result.exact)
            self._here.set_data(places, result.here)

    def say(self, result):
        sizes = " + ".join(map(str, result.sizes))
        state = f"M_B = {sizes}, {result.sums} sums: "
        if result.matrix is None:
            return state + result.why.replace("\n", " ")
        length = np.linalg.norm(result.exact)
        if length < ROUNDING:
            return state + "∂C/∂x is 0 on one device, for two samples leave no direction"
        off = np.linalg.norm(result.here - result.exact) / length
        if off < ROUNDING:
            return state + "∂C/∂x is that of one device"
        return state + f"∂C/∂x is off by {off:.0%} of its length"


FORMATS = {"bfloat16": look.DELTA, "float16": look.X_HAT, "float32": look.U}


@look.settings()
def precision(ratios, errors):
    """Return the errors of the variance in low precision, over mean/σ, as a `Picture`.

    The errors are by format, and "one pass" or "centered". Thin, what bfloat16 may do: r (μ/σ)² in
    one pass, r + (r μ/σ)² centered, r = 2⁻⁸.
    """
    figure, ax = look.chart(6.4, 3.1, left=0.11, right=0.71, bottom=0.16, top=0.96)
    ax.set(xscale="log", yscale="log", ylim=(1e-9, 30), xlabel="mean/σ of the column")
    ax.set_ylabel("relative error of the variance")
    for (name, way), error in errors.items():
        of, one_pass = FORMATS[name], way == "one pass"
        marker = {"marker": of.marker, "mfc": of.color if one_pass else "white", "markersize": 4}
        style = {"linestyle": "-" if one_pass else ":", "label": f"{name}, {way}"}
        ax.plot(ratios, np.maximum(error, 1e-9), color=of.color, **style, **marker)
    r, ratios = 2.0**-8, np.asarray(ratios)
    for bound, style in ((r * ratios**2, "-"), (r + (r * ratios) ** 2, ":")):
        ax.plot(ratios, bound, color=look.INK, lw=look.THIN, linestyle=style)
    ax.axhline(1, color=look.INK, lw=look.THIN)
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    formats = ", ".join(dict.fromkeys(name for name, _ in errors))
    return look.still(
        figure,
        f"The relative error of the variance over mean/sigma, on logarithmic axes: {formats}. "
        "The one-pass variance, the mean of the squares minus the square of "
        "the mean, loses two digits for each digit of the ratio until it reaches 1, where nothing "
        "is right; the centered one stays below r + (r mean/sigma)², r = 1/256, in bfloat16.",
    )


# fmt: off
WALL = (
    ("forward", r"$\hat{x}=(x-\langle x\rangle)/\varsigma,\quad \varsigma^2=\sigma^2+"
     r"\varepsilon,\quad y=\gamma\odot\hat{x}+\beta$;   RMSNorm $\hat{x}=x/\varsigma$, "
     r"$\varsigma^2=\langle x^2\rangle+\varepsilon$"),
    ("backward", r"$\partial C/\partial x=\frac{1}{\varsigma}\,\mathbf{M}(\gamma\odot\Delta),\quad"
     r"\partial C/\partial\gamma=\Sigma\,\Delta\hat{x},\quad\partial C/\partial\beta=\Sigma\,"
     r"\Delta$"),
    ("projector", r"$\mathbf{M}v=v-\langle v\rangle-\hat{x}\langle\hat{x}v\rangle$,   "
     r"RMSNorm without $\langle v\rangle$"),
    ("kernel", r"$\partial\hat{x}_a/\partial x_b=\frac{1}{\varsigma}\,[\delta_{ab}-\frac{1}{m}(1+"
     r"\hat{x}_a\hat{x}_b)]$" "  in a set, 0 across sets; RMSNorm without the 1"),
    ("rank", r"eigenvalues 0 on $\mathbf{1}$ (not RMSNorm), $\varepsilon/\varsigma^2$ on $\hat{x}$,"
     r" 1 on the rest; at $\varepsilon=0$ rank $m-2$, RMSNorm $m-1$"),
    ("relatives", "BN: a feature of the batch.   Ghost BN: a feature of a part of the batch."),
    ("", "LayerNorm, RMSNorm: a sample.   InstanceNorm: a feature of a sample.   "
     "GroupNorm: n/G of them."),
    ("conv", r"pixels join their feature: $m=M_B\cdot H\cdot W$ in every mean, never $M_B$ alone"),
    ("masked", r"$\partial C/\partial x_s=\frac{\gamma}{\varsigma}\,[\Delta_s-w_s(\Sigma\,\Delta+"
     r"\hat{x}_s\,\Sigma\,\Delta\hat{x})/\Sigma\,w]$"),
    ("eval", r"$\mathbf{M}=\mathbf{I}$: $\partial C/\partial x=(\gamma/\varsigma_r)\,\Delta$;   "
     r"fold: $W'=(\gamma/\varsigma_r)\,W$, $b'=\beta+(\gamma/\varsigma_r)(b-\mu_r)$"),
    ("devices", r"forward: sum $(m,\ \Sigma\,x)$, then $\Sigma(x-\mu)^2$;   backward: sum "
     r"$(\Sigma\,\Delta,\ \Sigma\,\Delta\hat{x})$"),
    ("fused form", r"$\partial C/\partial x=A\Delta+Bx+D$:  $A=\gamma/\varsigma$,  "
     r"$B=-\gamma\langle\Delta\hat{x}\rangle/\varsigma^2$,  "
     r"$D=-A\langle\Delta\rangle-B\mu$"),
    ("precision", r"means and sums in float32 at least; the variance centered, never "
     r"$\langle x^2\rangle-\langle x\rangle^2$"),
    ("sound check", r"float64, complex step, random $\Delta$, $\gamma\neq1$, sets of 3 and more, "
     r"$\varepsilon=0$ and $\varepsilon>0$"),
)
# fmt: on


def wall_sheet():
    """Return the page to pin to the wall as a matplotlib figure; its `savefig` writes a PDF."""
    figure = look.new_figure(8.4, 5.4)
    with look.settings():
        for k, (name, formula) in enumerate(WALL):
            height = 0.96 - k * 0.071
            figure.text(0.02, height, name, color=look.X_HAT.ink, weight="bold", va="center")
            figure.text(0.15, height, formula, va="center", fontsize=10)
    return figure


@look.settings()
def wall():
    """Return the page to pin to the wall as a `Picture`."""
    return look.still(
        wall_sheet(),
        "One page of formulas, those of this chapter: forward, backward, the projector, the "
        "kernel, its rank, the relatives and the sets of each, convolutions, masks, evaluation and "
        "folding, devices, the fused form, precision, and what a sound check needs.",
    )
