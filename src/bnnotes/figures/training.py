"""The picture of a training: cost and held-out accuracy, epoch by epoch."""

from __future__ import annotations

import math

import numpy as np

from . import style
from .live import LiveFigure

LOOKS = {
    "baseline": style.BASELINE,
    "BN everywhere": style.BATCH_NORM,
    "BN hidden only": style.BN_HIDDEN,
}

# The labels of two curves keep this distance, as a share of the axis.
APART = 0.085


class TrainingFigure(LiveFigure):
    """Cost per epoch on the left, held-out accuracy on the right.

    Parameters
    ----------
    epochs : int
        How many the whole training has.
    names : sequence of str
        The networks, some of LOOKS.

    Raises
    ------
    ValueError
        If a name is none of them.
    """

    def __init__(self, epochs, names):
        unknown = [name for name in names if name not in LOOKS]
        if unknown or not names:
            raise ValueError(f"names: got {tuple(names)}, wanted some of {', '.join(LOOKS)}")
        super().__init__(8.4, 2.9)
        self.figure.subplots_adjust(left=0.07, right=0.79, bottom=0.17, top=0.94, wspace=1.1)
        self._axes = self.axes(1, 2)
        for ax, label in zip(self._axes, ("cost per epoch", "held-out accuracy"), strict=True):
            ax.set(xlabel="epoch", ylabel=label, xlim=(0, epochs + 0.5))
            ax.xaxis.get_major_locator().set_params(integer=True)
        self._curves = [{name: self._curve(ax, name) for name in names} for ax in self._axes]
        self._limits = None
        self._scale(1.0, 0.5)

    def _curve(self, ax, name):
        look = LOOKS[name]
        marked = look.line(marker=look.marker, markersize=3.5, clip_on=False)
        (line,) = ax.plot([], [], **marked)
        text = ax.text(1.03, 0, "", color=look.ink, va="center", transform=ax.transAxes)
        return self.moving(line), self.moving(text)

    def _scale(self, top, bottom):
        """Fit the axes to the largest cost and the smallest accuracy."""
        if (top, bottom) != self._limits:
            self._limits = top, bottom
            self._axes[0].set_ylim(0, top)
            self._axes[1].set_ylim(bottom, 1)
            self.redraw_background()

    def update(self, result):
        """Draw the epochs so far.

        Parameters
        ----------
        result : object
            Its ``cost`` and ``accuracy`` map each name to an array with one
            entry per epoch, possibly empty.
        """
        costs, accuracies = (
            [value for values in curves.values() for value in values]
            for curves in (result.cost, result.accuracy)
        )
        self._scale(
            1.08 * max(costs, default=1.0),
            min(0.5, math.floor(10 * min(accuracies, default=1)) / 10),
        )
        self._draw(0, result.cost, "{:#.2g}")
        self._draw(1, result.accuracy, "{:.1%}")

    def _draw(self, axis, curves, form):
        low, high = self._axes[axis].get_ylim()
        for name, values in curves.items():
            line, text = self._curves[axis][name]
            line.set_data(1 + np.arange(len(values)), values)
            text.set_text(f"{name} {form.format(values[-1])}" if len(values) else "")
        last = {
            name: (values[-1] - low) / (high - low)
            for name, values in curves.items()
            if len(values)
        }
        for name, height in _apart(last).items():
            self._curves[axis][name][1].set_y(height)


def _apart(heights):
    """Move labels up until none covers another, then all down if the top one leaves the axis."""
    moved, previous = {}, -math.inf
    for name in sorted(heights, key=heights.get):
        moved[name] = previous = max(heights[name], previous + APART)
    excess = max(0.0, previous - 1.0)
    return {name: height - excess for name, height in moved.items()}
