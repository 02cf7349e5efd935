"""The error on its way down through a deep network, and the rank on the way up."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.ticker import FixedLocator, NullLocator

from . import style
from .live import LiveFigure
from .sample_space import explanation, key

LOOKS = {"bn": style.BATCH_NORM, "baseline": style.BASELINE}
GRAY = style.BASELINE.color
# How far up, and how far down, the axis of ‖Δ‖² can reach.
DECADES = (3, 6, 12, 24, 36, 48, 60, 72, 96)


class DepthFigure(LiveFigure):
    """‖Δ‖² and the effective rank over the layers, medians with bands, BN beside baseline.

    Parameters
    ----------
    deepest : int
        The largest number of layers.
    largest : int
        The largest batch.
    """

    def __init__(self, deepest, largest):
        super().__init__(9.0, 3.3)
        self._error, self._rank = self.axes(1, 2)
        self.figure.subplots_adjust(left=0.085, right=0.985, bottom=0.16, top=0.9, wspace=0.24)
        marks = {"— BN": (0.0, style.BATCH_NORM.color), "- - baseline": (0.13, GRAY)}
        for ax in (self._error, self._rank):
            ax.set(xlim=(0, deepest + 4), yscale="log", xlabel="layer $l$")
            ax.xaxis.set_major_locator(FixedLocator([1, *range(10, deepest + 1, 10)]))
            ax.yaxis.set_minor_locator(NullLocator())
            key(ax, **marks)
        self._error.set_ylabel(r"$\Vert\Delta^l\Vert^2\;/\;\Vert\Delta^L\Vert^2$")
        self._rank.set_ylabel(r"effective rank of $y^l-\langle y^l\rangle$")
        self._rank.set(ylim=(0.85, 1.2 * largest))
        ticks = [2**k for k in range(int(math.log2(largest)) + 1)]
        self._rank.set_yticks(ticks, [str(tick) for tick in ticks])
        self._make_artists()

    def _make_artists(self):
        self._expected = self._line(self._error, color=style.INK, ls=":", lw=1.2)
        options = {"transform": self._error.transAxes, "va": "bottom"}
        self._expected_text = self.moving(self._error.text(0.42, 1.03, "", **options))
        self._top = self.moving(self._error.plot([], [], **style.DELTA.points(markersize=7))[0])
        options = {"color": style.DELTA.ink, "ha": "left", "va": "center"}
        self._enters = self.moving(self._error.text(0, 0, r"$\Delta^L$", **options))
        self._most = self._line(self._rank, color=style.INK, lw=style.THIN, ls=":")
        self._most_text = self.moving(self._rank.text(0.6, 1, "", va="bottom", fontsize=8))
        self._bands, self._lines = {}, {}
        for name, look in LOOKS.items():
            for ax in (self._error, self._rank):
                (band,) = ax.fill([], [], color=look.color, alpha=0.18, lw=0)
                self._bands[name, ax] = self.moving(band)
                self._lines[name, ax] = self._line(ax, **look.line())
        self._note = self.moving(explanation(self._error))
        self._note.set_position((0.68, 0.14))
        self._reach = None

    def _line(self, ax, **look):
        return self.moving(ax.plot([], [], **look)[0])

    def update(self, result):
        """Draw both networks.

        Parameters
        ----------
        result : object
            ``depth``, ``M_B``, ``width``; ``bn`` (or None) and ``baseline`` with ``norms``
            and ``ranks``, (seeds, depth), layer 1 first, 0 or nan where
            there is nothing; ``line``, the factor per layer to compare with, or None;
            ``explanation``.
        """
        layers = np.arange(1, result.depth + 1)
        curves = {name: getattr(result, name) for name in LOOKS}
        self._scale([c.norms for c in curves.values() if c is not None])
        for name, curve in curves.items():
            self._draw(name, self._error, layers, None if curve is None else curve.norms)
            self._draw(name, self._rank, layers, None if curve is None else curve.ranks)
        self._draw_expected(layers, result.line)
        self._top.set_data([result.depth], [1])
        self._enters.set_position((result.depth + 0.8, 1))
        most = min(result.M_B - 1, result.width)
        self._most.set_data([1, result.depth], [most, most])
        self._most_text.set_y(1.03 * max(most, 1))
        said = "the most possible" if most > 0 else "one sample: no spread, no rank"
        self._most_text.set_text(said)
        self._note.set_text(result.explanation)
        self._note.set_visible(bool(result.explanation))

    def _scale(self, norms):
        """Take the smallest axis that holds everything."""
        exponents = np.log10(np.concatenate([values[values > 0] for values in norms]))
        reach = tuple(_next_decades(value) for value in (-exponents.min(), exponents.max()))
        if reach != self._reach:
            self._reach = reach
            down, up = reach
            every = max(1, max(reach) // 3)
            ticks = [k for k in range(-96, 97, every) if -down <= k <= up]
            self._error.set_ylim(10.0**-down, 10.0**up)
            self._error.yaxis.set_major_locator(FixedLocator([10.0**k for k in ticks]))
            self.change_background(reach)

    def _draw_expected(self, layers, factor):
        self._expected.set_visible(factor is not None)
        self._expected_text.set_text("")
        if factor is not None:
            self._expected.set_data(layers, factor ** (layers[-1] - layers.astype(float)))
            self._expected_text.set_text(f"· · ·  × {factor:.2f} per layer")

    def _draw(self, name, ax, layers, values):
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


def _next_decades(value):
    return next((decades for decades in DECADES if decades >= 1.05 * value), DECADES[-1])
