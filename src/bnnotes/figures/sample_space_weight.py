"""One weight, one input: y, and what M leaves of the input, as the weight passes through 0."""

from __future__ import annotations

import numpy as np

from . import style
from .live import LiveFigure
from .sample_space import explanation, key

FLOOR = 1e-17  # exact zeros are drawn here, where the logarithm has no place for them


class WeightFigure(LiveFigure):
    """y of every sample over W, the share that M leaves of u over W, and M u per sample.

    Parameters
    ----------
    limit : float
        W is shown from −limit to limit.
    reach : float
        The largest |u − ⟨u⟩|.
    """

    def __init__(self, limit, reach):
        super().__init__(9.0, 3.0)
        output, share, vectors = self.axes(1, 3)
        self.figure.subplots_adjust(left=0.055, right=0.985, bottom=0.17, top=0.92, wspace=0.38)
        self._make_output(output, limit)
        self._make_share(share, limit)
        self._make_vectors(vectors, 1.15 * reach)

    def _make_output(self, ax, limit):
        ax.set(xlabel=r"$W$", ylabel=r"$y$ of each sample", xlim=(-limit, limit), ylim=(-2.5, 2.5))
        self._samples = []
        self._output = ax
        self._now = [self._vertical(ax)]

    def _vertical(self, ax):
        return self.moving(ax.axvline(0, color=style.INK, linewidth=style.THIN, linestyle=":"))

    def _make_share(self, ax, limit):
        ax.set(yscale="log", ylim=(FLOOR / 3, 5), xlim=(-limit, limit), xlabel=r"$W$")
        ax.set(ylabel=r"$|\mathbf{M}u|\;/\;|u-\langle u\rangle|$")
        ax.set_yticks(
            [FLOOR, 1e-12, 1e-8, 1e-4, 1], ["0", *(f"$10^{{{k}}}$" for k in (-12, -8, -4, 0))]
        )
        ax.minorticks_off()
        look = {"color": style.BASELINE.color, "linewidth": 7, "alpha": 0.5}
        self._predicted = self.moving(ax.plot([], [], **look)[0])
        self._measured = self.moving(ax.plot([], [], **style.GRADIENT.points(markersize=2.5))[0])
        self._here = self.moving(
            ax.plot([], [], **style.GRADIENT.points(markersize=8, fillstyle="none"))[0]
        )
        self._now.append(self._vertical(ax))
        self._note = self.moving(explanation(ax))
        key(ax, **{"— predicted": (0.0, look["color"]), "● measured": (0.45, style.INK)})

    def _make_vectors(self, ax, reach):
        ax.set(xticks=[], xlabel=r"samples $s$", xlim=(0, 1), ylim=(-reach, reach))
        ax.axhline(0, color=style.INK, linewidth=style.THIN)
        squares = {"marker": "s", "markersize": 10, "fillstyle": "none"}
        self._u = self.moving(ax.plot([], [], **style.U.points())[0])
        self._rest_predicted = self.moving(
            ax.plot([], [], linestyle="none", color=style.BASELINE.color, **squares)[0]
        )
        self._rest = self.moving(ax.plot([], [], **style.GRADIENT.points(markersize=4))[0])
        self._undefined = self.moving(explanation(ax))
        rest = {r"● $\mathbf{M}$u": (0.37, style.INK), "□ predicted": (0.6, style.BASELINE.color)}
        key(ax, **{"▲ u − ⟨u⟩": (0.0, style.U.ink)}, **rest)

    def update(self, result):
        """Draw one weight and one ε.

        Parameters
        ----------
        result : object
            ``W``; over ``weights`` (n,): ``y`` (M_B, n), ``share`` and
            ``share_predicted`` (n,), nan where undefined; at W itself:
            ``u`` centered (M_B,), ``rest`` and ``rest_predicted`` (M_B,), nan
            where undefined.
        """
        self._draw_output(result)
        self._draw_share(result)
        self._draw_vectors(result)
        for line in self._now:
            line.set_xdata([result.W, result.W])

    def _draw_output(self, result):
        while len(self._samples) < len(result.y):
            (line,) = self._output.plot([], [], **style.Y.line(linewidth=1.2))
            self._samples.append(self.moving(line))
        for line, y in zip(self._samples, result.y, strict=True):
            line.set_data(result.weights, y)

    def _draw_share(self, result):
        predicted, measured = (np.maximum(v, FLOOR) for v in (result.share_predicted, result.share))
        self._predicted.set_data(result.weights, predicted)
        self._measured.set_data(result.weights, measured)
        here = np.interp(result.W, result.weights, measured)
        self._here.set_data([result.W], [here])
        none = not np.nanmax(result.share_predicted) > 0
        self._note.set_text("predicted: exactly 0\nmeasured: rounding" if none else "")
        self._note.set_visible(none)

    def _draw_vectors(self, result):
        places = (np.arange(len(result.u)) + 0.5) / len(result.u)
        self._u.set_data(places, result.u)
        self._rest.set_data(places, result.rest)
        self._rest_predicted.set_data(places, result.rest_predicted)
        undefined = bool(np.isnan(result.rest).any())
        self._undefined.set_text("W = 0 and ε = 0:\nx̂ = 0/0" if undefined else "")
        self._undefined.set_visible(undefined)
