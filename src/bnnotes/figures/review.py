"""Pictures of wrong gradients: chapter 7."""

from __future__ import annotations

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

from . import style
from .live import LiveFigure

PARTS = (
    ("mean", "along 1", style.GRADIENT),
    # No formula: matplotlib keeps some kilobytes of each new one for good.
    ("along_x_hat", "along x̂", style.X_HAT),
    ("rest", "the rest", style.DELTA),
)
# A row holds two axes: this many inches, and this many for what stands around them.
ROW, AROUND = 1.15, 0.8


def slots(count, shift=0.0):
    """Return where `count` samples stand on an axis from 0 to 1, `shift` slots aside."""
    return (np.arange(count) + 0.5 + shift) / max(count, 1)


def stems(x, heights):
    """Return the points of a line that draws a stem for every height."""
    zeros = np.zeros(len(heights))
    return np.repeat(x, 3), np.stack([zeros, heights, zeros + np.nan], axis=1).ravel()


class ResidualFigure(LiveFigure):
    """Wrong gradients beside the true one, and the difference in its three parts.

    Parameters
    ----------
    rows : int
        How many mistakes are drawn below each other.
    """

    def __init__(self, rows=1):
        height = AROUND + (2.0 if rows == 1 else ROW * rows)
        super().__init__(8.2, height)
        axes = self.axes(rows, 2, squeeze=False, width_ratios=(1, 1.15))
        self.figure.subplots_adjust(
            left=0.035,
            right=0.86,
            bottom=0.38 / height,
            top=1 - 0.42 / height,
            wspace=0.07,
            hspace=0.32,
        )
        self._rows = [self._row(*pair) for pair in axes]
        self._key(height)
        for ax in axes[-1]:
            ax.set_xlabel("samples, sorted by $x$")

    def _row(self, left, right):
        for ax in (left, right):
            ax.set(xlim=(0, 1), ylim=(-1.12, 1.12), xticks=[], yticks=[])
            for side in ("left", "bottom"):
                ax.spines[side].set_visible(False)
            ax.axhline(0, color=style.INK, lw=0.5, zorder=0)
        name = self.moving(left.text(0, 1.02, "", transform=left.transAxes, fontsize=8.5))
        true = self._samples(left, style.GRADIENT, markersize=5)
        wrong = self._samples(left, style.WRONG, markersize=5, mfc="white")
        parts = [self._samples(right, look, markersize=3) for *_, look in PARTS]
        shares = [
            self.moving(
                right.text(
                    *(1.02, 0.86 - 0.3 * k, ""),
                    color=look.ink,
                    transform=right.transAxes,
                    va="center",
                    fontsize=8.5,
                )
            )
            for k, (_, _, look) in enumerate(PARTS)
        ]
        return name, true, wrong, parts, shares

    def _samples(self, ax, look, **points):
        (line,) = ax.plot([], [], color=look.color, lw=1.3, zorder=2)
        (heads,) = ax.plot([], [], **look.points(zorder=3, **points))
        return self.moving(line), self.moving(heads)

    def _key(self, height):
        """Name what is drawn, once, above the first row."""
        y = 1 - 0.13 / height
        self._mark(0.19, y, style.GRADIENT, r"true $\partial C/\partial x$", {})
        self._mark(0.33, y, style.WRONG, "wrong", {"mfc": "white"})
        self.figure.text(0.66, y, "wrong − true, in three parts", va="center", ha="center")

    def _mark(self, x, y, look, text, more):
        marker = Line2D(
            [x], [y], transform=self.figure.transFigure, **look.points(markersize=5, **more)
        )
        self.figure.add_artist(marker)
        self.figure.text(x + 0.012, y, text, va="center", color=look.ink, fontsize=9)

    def update(self, result):
        """Draw mistakes.

        Parameters
        ----------
        result : object
            Its ``residuals`` are one object per row, each with a ``name``;
            ``off``, how large the difference is, in words;
            ``true`` and ``wrong``, shape (M_B,); ``mean``, ``along_x_hat`` and
            ``rest``, the parts of their difference; and ``shares``, the three
            parts of its squared length. Arrays are empty where there is
            nothing to draw.
        """
        for row, residual in zip(self._rows, result.residuals, strict=True):
            self._draw(*row, residual)

    def _draw(self, name, true, wrong, parts, shares, residual):
        name.set_text(f"{residual.name}: {residual.off}")
        arrays = [getattr(residual, key) for key, _, _ in PARTS]
        both = [residual.true, residual.wrong]
        # The two axes of a row have one unit, in which the longest stem is 1.
        unit = max((np.abs(v).max() for v in (*both, *arrays) if len(v)), default=0.0) or 1.0
        count = len(residual.true)
        for artists, array, shift in zip((true, wrong), both, (-0.16, 0.16), strict=True):
            _set(artists, slots(count, shift), array / unit, 5)
        for k, (artists, array) in enumerate(zip(parts, arrays, strict=True)):
            shown = array / unit if residual.shares[k] > 5e-4 else array[:0]
            _set(artists, slots(count, 0.26 * (k - 1))[: len(shown)], shown, 3.5)
        for text, share, (_, label, _) in zip(shares, residual.shares, PARTS, strict=True):
            text.set_text(f"{label}: {share:.0%}" if count and any(residual.shares) else "")


def _set(artists, x, heights, largest):
    line, heads = artists
    line.set_data(*stems(x, heights))
    line.set_linewidth(1.3 if len(x) <= 24 else 0.8)
    heads.set_data(x, heights)
    heads.set_markersize(min(largest, 90 / max(len(x), 1)))


class CheckFigure(LiveFigure):
    """How far each wrong gradient is from the true one, beside the tolerance of a check.

    Parameters
    ----------
    names : sequence of str
        Of the mistakes, from top to bottom.
    """

    LOWEST, HIGHEST = 1e-17, 1e3

    def __init__(self, names):
        height = 0.9 + 0.2 * len(names)
        super().__init__(8.2, height)
        self._ax = ax = self.axes()
        self.figure.subplots_adjust(
            left=0.33, right=0.91, bottom=0.5 / height, top=1 - 0.3 / height
        )
        ax.set(xscale="log", xlim=(self.LOWEST, self.HIGHEST), ylim=(len(names) - 0.5, -0.6))
        ax.set_xticks([1e-16, 1e-12, 1e-8, 1e-4, 1])
        ax.minorticks_off()
        ax.set_yticks(range(len(names)), names, fontsize=8.5)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.set_xlabel("difference from the true gradients, relative to what they could be")
        (self._limit,) = ax.plot([], [], color=style.THETA1.color, lw=2, zorder=1)
        self._says = ax.text(
            1, -0.75, "", color=style.INK, ha="center", va="bottom", fontsize=8.5, clip_on=False
        )
        # One artist for all bars, and two for their heads: drawing each takes as long as all.
        self._bars = self.moving(LineCollection([], lw=1.6, zorder=2))
        ax.add_collection(self._bars, autolim=False)
        self._caught = self._heads(ax, style.GRADIENT, {})
        self._missed = self._heads(ax, style.BASELINE, {"mfc": "white"})
        self._verdicts = [self._verdict(ax, k) for k in range(len(names))]
        self.moving(self._limit)
        self.moving(self._says)

    def _heads(self, ax, look, more):
        return self.moving(ax.plot([], [], **look.points(marker="o", ms=6, zorder=3, **more))[0])

    def _verdict(self, ax, k):
        options = {"transform": ax.get_yaxis_transform(), "va": "center", "fontsize": 8.5}
        return self.moving(ax.text(1.01, k, "", **options))

    def update(self, result):
        """Draw the differences.

        Parameters
        ----------
        result : object
            Has ``differences``, one number per name, and ``tolerance``. The
            differences are empty where there is nothing to compare.
        """
        tolerance, count = result.tolerance, len(self._verdicts)
        self._limit.set_data([tolerance, tolerance], [-0.6, count - 0.5])
        self._says.set_x(tolerance)
        self._says.set_text("tolerance")
        values = np.asarray(result.differences if len(result.differences) else [np.nan] * count)
        rows, caught = np.arange(count), values > tolerance
        shown = np.clip(values, 1e-16, self.HIGHEST)
        looks = [style.GRADIENT if some else style.BASELINE for some in caught]
        ends = np.stack([np.full(count, self.LOWEST), rows, shown, rows], axis=1)
        self._bars.set_segments(ends[~np.isnan(values)].reshape(-1, 2, 2))
        self._bars.set(
            color=[look.color for look in looks], linestyle=[look.linestyle for look in looks]
        )
        self._caught.set_data(shown[caught], rows[caught])
        self._missed.set_data(shown[~caught], rows[~caught])
        for text, value, look, some in zip(self._verdicts, values, looks, caught, strict=True):
            word = "caught" if some else "missed"
            text.set(text="" if np.isnan(value) else word, color=look.ink)
