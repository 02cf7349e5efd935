"""How much larger the baseline's gradient is than BN's at γ/σ(x) = 1, over the means of u and Δ."""

from __future__ import annotations

import numpy as np

from . import style
from .live import LiveFigure

EDGES = np.arange(-2, 6.01, 0.25)  # of log10 of the ratio
LEAST, MOST = 1e-3, 3e3


class MeansFigure(LiveFigure):
    """A histogram of the ratio over all weights; the medians of both gradients over the offset.

    Parameters
    ----------
    offsets : sequence of float
        ⟨u⟩/σ(u), the positions of the right axis.
    """

    def __init__(self, offsets):
        super().__init__(8.4, 3.2)
        self.figure.subplots_adjust(left=0.08, right=0.9, bottom=0.17, top=0.93, wspace=0.3)
        self._left, self._right = self.axes(1, 2)
        self._make_histogram()
        self._make_curves(offsets)

    def _make_histogram(self):
        ax = self._left
        powers = range(-2, 7, 2)
        ax.set(xlim=(-2, 6), ylim=(0, 0.5), ylabel="share of the weights")
        ax.set_xlabel(r"size of baseline's gradient over BN's, $\gamma/\sigma(x) = 1$")
        ax.set_xticks(powers, ["1" if p == 0 else f"$10^{{{p}}}$" for p in powers])
        ax.axvline(0, color=style.INK, lw=style.THIN, ls=":")
        bars = ax.bar(EDGES[:-1], 0, 0.25, align="edge", color="#BBBBBB", ec="white", lw=0.5)
        self._bars = [self.moving(bar) for bar in bars]
        self._middle = self.moving(ax.axvline(0, color=style.INK, lw=1.6))
        self._median = self.moving(ax.text(0, 0.47, "", va="center"))
        above = {"backgroundcolor": "white", "zorder": 5}
        self._note = self.moving(
            ax.text(2, 0.25, "", ha="center", va="center", fontsize=10, **above)
        )

    def _make_curves(self, offsets):
        ax, places = self._right, np.arange(len(offsets))
        ax.set(yscale="log", ylim=(LEAST, MOST), xlim=(-0.3, len(offsets) - 0.7))
        ax.set_xlabel(r"offset $\langle u\rangle/\sigma(u)$")
        ax.set_ylabel(r"median size at $\gamma/\sigma(x) = 1$")
        ax.set_xticks(places, [f"{offset:g}" for offset in offsets])
        self._here = self.moving(ax.axvline(0, color=style.INK, lw=style.THIN, ls=":"))
        self._curves, self._names = [], []
        for look in (style.BATCH_NORM, style.BASELINE):
            line = ax.plot(places, np.ones(len(places)), marker=look.marker, **look.line())[0]
            name = ax.text(len(offsets) - 0.8, 1, look.label, color=look.ink, va="center")
            self._curves.append(self.moving(line))
            self._names.append(self.moving(name))

    def update(self, result):
        """Draw the ratios at this offset, and the medians at all offsets.

        Parameters
        ----------
        result : object
            With ratios (one a weight, or empty), median (in words), bn and
            baseline (medians, one an offset, or None), place (index of the
            offset), explanation.
        """
        self._note.set_text(result.explanation)
        self._here.set_xdata([result.place] * 2)
        some = result.ratios.size > 0
        middle = np.log10(np.median(result.ratios)) if some else 0.0
        self._show_histogram(result.ratios, middle, some)
        self._median.set_text(f"median {result.median}")
        medians = (result.bn, result.baseline)
        for line, name, values in zip(self._curves, self._names, medians, strict=True):
            shown = values is not None and values.max() > LEAST
            for artist in (line, name):
                artist.set_visible(bool(shown))
            if shown:
                line.set_ydata(values)
                name.set_y(values[-1])
        if all(name.get_visible() for name in self._names):
            self._part()

    def _show_histogram(self, ratios, middle, some):
        inside = np.clip(np.log10(ratios), EDGES[0] + 1e-9, EDGES[-1] - 1e-9)
        shares = np.histogram(inside, EDGES)[0] / max(len(ratios), 1)
        for bar, share in zip(self._bars, shares, strict=True):
            bar.set_height(share)
        self._middle.set_visible(some)
        self._median.set_visible(some)
        self._middle.set_xdata([middle] * 2)
        left = middle > 3
        self._median.set(x=middle + (-0.15 if left else 0.15), ha="right" if left else "left")

    def _part(self):
        """Keep the two names apart where the curves end together."""
        low, high = sorted(self._names, key=lambda name: name.get_position()[1])
        y_low, y_high = low.get_position()[1], high.get_position()[1]
        if y_high / y_low < 3:
            center = np.sqrt(y_low * y_high)
            low.set_y(center / np.sqrt(3))
            high.set_y(center * np.sqrt(3))
