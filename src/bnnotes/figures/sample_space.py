"""The mixing matrix, its spectrum, and what it leaves of a vector over the samples."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import FuncNorm

from . import style
from .live import LiveFigure

# Up to this batch size every entry of the heat map is also written as a number.
WRITTEN = 4


def _signed_root(v):
    return np.sign(v) * np.sqrt(np.abs(v))


def _signed_square(v):
    return np.sign(v) * v**2


def _short(value):
    """Two digits; 0 where only rounding is left."""
    return f"{value:.2g}".replace("-", "−") if abs(value) > 1e-12 else "0"


def _entry(value):
    """Two places, in few characters."""
    text = f"{value:.2f}".replace("0.", ".").replace("-", "−")
    return "0" if text in (".00", "−.00") else text


def explanation(ax):
    """Return a boxed text in the middle of the axes, for where there is nothing to draw."""
    return ax.text(
        *(0.5, 0.55, ""),
        transform=ax.transAxes,
        ha="center",
        va="center",
        linespacing=1.4,
        bbox={"facecolor": "white", "edgecolor": style.INK, "boxstyle": "round,pad=0.6"},
    )


def key(ax, **entries):
    """Write what the marks mean above the axes: their places from 0 to 1, texts and colors."""
    for text, (place, color) in entries.items():
        ax.text(place, 1.03, text, color=color, transform=ax.transAxes, va="bottom")


class MixingFigure(LiveFigure):
    """M as a heat map, its eigenvalues, and M u beside u.

    Parameters
    ----------
    largest : int
        The largest batch size that is shown.
    """

    def __init__(self, largest):
        super().__init__(9.0, 3.0)
        heat, spectrum, vectors = self.axes(1, 3, width_ratios=(1.0, 1.1, 1.35))
        self.figure.subplots_adjust(left=0.04, right=0.985, bottom=0.17, top=0.9, wspace=0.5)
        self._make_heat_map(heat)
        self._make_spectrum(spectrum, largest)
        self._make_vectors(vectors)
        self._explanation = self.moving(explanation(spectrum))

    def _make_heat_map(self, ax):
        ax.set(xticks=[], yticks=[], ylabel="sample s")
        ax.spines[["top", "right"]].set_visible(True)
        # Roots of the entries, so that −1/M_B can be told from 0 beside a diagonal near 1.
        norm = FuncNorm((_signed_root, _signed_square), vmin=-1, vmax=1)
        self._image = self.moving(
            ax.imshow(np.zeros((1, 1)), cmap=style.SIGNED, norm=norm, extent=(0, 1, 1, 0))
        )
        bar = self.figure.colorbar(self._image, ax=ax, ticks=[-1, -0.25, 0, 0.25, 1], fraction=0.05)
        bar.ax.set_yticklabels(["−1", "−¼", "0", "¼", "1"])
        bar.outline.set_linewidth(style.THIN)
        centered = {"ha": "center", "va": "center", "fontsize": 8}
        self._entries = [self.moving(ax.text(0, 0, "", **centered)) for _ in range(WRITTEN**2)]
        self._columns = self._sample_label(ax)

    def _sample_label(self, ax):
        return self.moving(ax.text(0.5, -0.04, "", transform=ax.transAxes, ha="center", va="top"))

    def _make_spectrum(self, ax, largest):
        ax.set(xscale="log", xlim=(0.8, 1.3 * largest), ylim=(-0.06, 1.1))
        ticks = [2**k for k in range(largest.bit_length()) if 2**k <= largest]
        ax.set(xticks=ticks, xticklabels=ticks, yticks=[0, 0.5, 1])
        ax.minorticks_off()
        ax.set(xlabel="number of the eigenvalue", ylabel=r"eigenvalue of $\mathbf{M}$")
        predicted = {"marker": "_", "markersize": 13, "color": style.BASELINE.color}
        self._predicted = self.moving(
            ax.plot([], [], linestyle="none", clip_on=False, **predicted)[0]
        )
        measured = style.GRADIENT.points(markersize=4, clip_on=False)
        self._measured = self.moving(ax.plot([], [], **measured)[0])
        self._on_x_hat = self.moving(
            ax.text(2.5, 0, "", color=style.X_HAT.ink, ha="left", va="center")
        )
        key(ax, **{"— predicted": (0.0, style.BASELINE.color), "● measured": (0.45, style.INK)})

    def _make_vectors(self, ax):
        # The samples of a batch fill the axis from 0 to 1, however many they are.
        ax.set(xlim=(-0.02, 1.02), xticks=[], ylim=(-1.15, 1.15), yticks=[-1, 0, 1])
        ax.axhline(0, color=style.INK, linewidth=style.THIN)
        u, rest = style.U, style.GRADIENT
        self._connections = self.moving(ax.vlines([], [], [], color="#B0B0B0", linewidth=1))
        self._u = self.moving(ax.plot([], [], **u.points())[0])
        self._rest = self.moving(ax.plot([], [], **rest.points(markersize=4))[0])
        key(ax, **{"▲ u": (0.0, u.ink), r"● $\mathbf{M}$u": (0.15, rest.color)})
        self._rows = self._sample_label(ax)

    def update(self, result):
        """Draw a batch.

        Parameters
        ----------
        result : object
            Its ``matrix`` (M_B, M_B), ``measured`` and ``predicted``
            eigenvalues (M_B,), ``u`` and ``rest`` (M_B,), and ``M_B``; where
            ``matrix`` is None, ``explanation`` says why.
        """
        defined = result.matrix is not None
        for artist in self._moving:
            artist.set_visible(defined)
        self._explanation.set_visible(not defined)
        self._explanation.set_text(result.explanation)
        if defined:
            self._draw_matrix(result)
            self._draw_spectrum(result)
            self._draw_vectors(result)

    def _draw_matrix(self, result):
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
            text.set(text=_entry(entry), color="white" if abs(entry) > 0.4 else style.INK)

    def _draw_spectrum(self, result):
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

    def _draw_vectors(self, result):
        places = (np.arange(result.M_B) + 0.5) / result.M_B
        self._u.set_data(places, result.u)
        self._rest.set_data(places, result.rest)
        tops, feet = np.column_stack([places, result.u]), np.column_stack([places, result.rest])
        self._connections.set_segments(np.stack([tops, feet], axis=1))
