"""The pictures of chapter 1 that do not move, and the two of its explorers."""

from __future__ import annotations

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.patches import Arc, FancyArrowPatch

from . import style
from .live import LiveFigure

FAINT = "#BBBBBB"
SHOWN = 200  # single batches in a picture


def signed(value):
    """Return a number with its sign and three decimals, a true minus, and no minus before 0.000."""
    return f"{round(float(value), 3) + 0:+.3f}".replace("-", "−")


class OutputErrorFigure(LiveFigure):
    """The error of every sample over its logit, and the cost over the logit of one.

    Parameters
    ----------
    low, high : float
        Ends of the logit axis.
    """

    def __init__(self, low, high):
        super().__init__(8.0, 3.2)
        self.figure.subplots_adjust(left=0.09, right=0.985, bottom=0.16, top=0.96, wspace=0.27)
        left, right = self.axes(1, 2)
        self._errors(left, low, high)
        self._costs(right, low, high)

    def _errors(self, ax, low, high):
        ax.set(
            xlim=(low - 0.7, high + 0.7),
            ylim=(-1.1, 1.1),
            yticks=(-1, -0.5, 0, 0.5, 1),
            xlabel="logit $y$",
            ylabel=r"$M_B\,\Delta = u-\phi$",
        )
        ax.axhline(0, color=FAINT, lw=style.THIN, zorder=0)
        even, odd, delta = style.CLASS_0, style.CLASS_1, style.DELTA
        ax.text(0.97 * high, 0.72, r"even, $\phi=0$", color=even.ink, ha="right")
        ax.text(0.97 * low, -0.78, r"odd, $\phi=1$", color=odd.ink, ha="left")
        lines = (
            ax.plot([], [], color=FAINT, lw=1)[0],
            ax.plot([], [], color=FAINT, lw=1)[0],
            ax.plot([], [], color=delta.color, lw=1, linestyle="--")[0],
            ax.plot([], [], **even.points(alpha=0.6))[0],
            ax.plot([], [], **odd.points(alpha=0.6))[0],
            ax.plot([], [], color=delta.color, lw=2, solid_capstyle="butt")[0],
            ax.plot([], [], **delta.points(ms=8))[0],
        )
        self._bounds, self._mixed = lines[:2], lines[2]
        self._classes, self._stem, self._moved = lines[3:5], lines[5], lines[6]
        for line in lines:
            self.moving(line)

    def _costs(self, ax, low, high):
        ax.set(
            xlim=(low - 0.7, high + 0.7),
            ylim=(0, high + 0.7),
            xlabel="logit $y$ of the moved sample",
            ylabel="cost $C$ of the batch",
        )
        delta = style.DELTA
        (self._cost,) = ax.plot([], [], color=style.INK)
        (self._tangent,) = ax.plot([], [], color=delta.color, lw=2)
        (self._touch,) = ax.plot([], [], **delta.points(ms=8, clip_on=False))
        self._slope = ax.text(0.5, 0.93, "", color=delta.ink, ha="center", transform=ax.transAxes)
        for artist in (self._cost, self._tangent, self._touch, self._slope):
            self.moving(artist)

    def update(self, result):
        """Draw the batch with its moved sample.

        Parameters
        ----------
        result : object
            ``logit`` and ``error`` times M_B of the moved sample; ``logits``,
            ``labels`` and ``errors`` of the others; ``axis`` with the
            ``sigmoid`` and the ``costs`` over it; ``label``, ``cost``, ``slope``.
        """
        for line, label in zip((*self._bounds, self._mixed), (0, 1, result.label), strict=True):
            line.set_data(result.axis, result.sigmoid - label)
        for line, label in zip(self._classes, (0, 1), strict=True):
            of_class = result.labels == label
            line.set_data(result.logits[of_class], result.errors[of_class])
        self._stem.set_data([result.logit, result.logit], [0, result.error])
        self._moved.set_data([result.logit], [result.error])
        self._cost.set_data(result.axis, result.costs)
        self._touch.set_data([result.logit], [result.cost])
        run = np.array([-3, 3]) / np.hypot(1, result.slope)
        self._tangent.set_data(result.logit + run, result.cost + result.slope * run)
        # No formula: matplotlib keeps some kilobytes of each new one for good.
        self._slope.set_text(f"slope Δ = {signed(result.slope)}")


class NoiseFigure(LiveFigure):
    """Noise of the batch gradient over the batch size, and the directions of the batches.

    Parameters
    ----------
    samples : int
        M, all samples: the right end of the axis.
    """

    def __init__(self, samples):
        super().__init__(8.0, 3.5)
        self.figure.subplots_adjust(left=0.085, right=0.985, bottom=0.145, top=0.96, wspace=0.12)
        left, right = self.axes(1, 2, width_ratios=(1, 1.15))
        self._amounts(left, samples)
        self._directions(right)

    def _amounts(self, ax, samples):
        ax.set(
            xscale="log",
            yscale="log",
            xlim=(0.75, 1.4 * samples),
            ylim=(0.006, 400),
            xlabel="batch size $M_B$",
            ylabel="noise, relative to the gradient",
        )
        ticks = (1, 4, 16, 64, 256, samples)
        ax.set_xticks(ticks, [str(tick) for tick in ticks])
        ax.set_yticks((0.01, 0.1, 1, 10, 100), ("0.01", "0.1", "1", "10", "100"))
        ax.minorticks_off()
        ax.axhline(1, color=FAINT, lw=style.THIN, zorder=0)
        here = ax.axvline(1, 0.27, color=FAINT, lw=style.THIN, zorder=0)
        (batches,) = ax.plot(
            [], [], ".", color=style.BASELINE.color, ms=4, alpha=0.5, mew=0, label="single batches"
        )
        (measured,) = ax.plot([], [], label="root mean square", **style.GRADIENT.points(ms=4.5))
        (predicted,) = ax.plot(
            [], [], ":", color=style.INK, lw=1.2, label=r"predicted, $\propto\sqrt{1/M_B-1/M}$"
        )
        (marked,) = ax.plot([], [], "o", mfc="none", color=style.INK, ms=11, mew=1.2)
        ax.legend(loc="lower left", frameon=False, fontsize=8, handlelength=1.6)
        lines = (here, batches, measured, predicted, marked)
        self._here, self._batches, self._measured, self._predicted, self._marked = map(
            self.moving, lines
        )

    def _directions(self, ax):
        ax.set(xlim=(-1.15, 1.15), ylim=(-0.28, 1.4), aspect="equal")
        ax.set_axis_off()
        ax.add_patch(Arc((0, 0), 2, 2, theta1=0, theta2=180, color=FAINT, lw=style.THIN))
        aligned = {"ha": "center", "va": "center", "fontsize": 8}
        gray = style.BASELINE.color
        for degrees in (0, 45, 90, 135, 180):
            x, y = _at(degrees)
            ax.plot([0.97 * x, 1.03 * x], [0.97 * y, 1.03 * y], color=style.INK, lw=style.THIN)
            below = -0.1 if y < 0.01 else 1.12 * y
            ax.text(1.12 * x if y > 0.01 else x, below, f"{degrees}°", color=gray, **aligned)
        look = {"arrowstyle": "-|>", "mutation_scale": 14, "lw": 2, "shrinkA": 0, "shrinkB": 0}
        ax.add_patch(FancyArrowPatch((0, 0), (1, 0), color=style.GRADIENT.color, **look))
        ax.text(0.5, -0.1, "full gradient", ha="center", va="center")
        ax.text(0, -0.23, "gray: the directions of single batches", color=gray, **aligned)
        self._fan = self.moving(LineCollection([], colors=gray, lw=0.7, alpha=0.35))
        ax.add_collection(self._fan)
        (tips,) = ax.plot([], [], ".", color=gray, ms=4, alpha=0.5, mew=0)
        (median,) = ax.plot([], [], "--", color=style.INK, lw=1.4, dashes=(4, 2))
        text = ax.text(0, 1.3, "", ha="center", va="center")
        self._tips, self._median, self._median_text = map(self.moving, (tips, median, text))

    def update(self, result):
        """Draw the batches of one size at one stage of the training.

        Parameters
        ----------
        result : object
            ``M_B``; ``noise`` and ``angle`` of each batch; ``sizes`` with
            ``measured`` and ``predicted``, nan where there is no noise.
        """
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


def _at(degrees):
    return np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
