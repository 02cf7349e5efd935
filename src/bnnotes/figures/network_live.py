"""Two networks in training: what they predict over a plane, and their cost, step by step."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from . import style
from .live import LiveFigure

# Light, so that the points stand out; a jump at 1/2, where the decision falls.
REGIONS = LinearSegmentedColormap.from_list(
    "regions", [(0, "#7FB8DA"), (0.5, "#D3E7F3"), (0.5, "#FBE8BE"), (1, "#F2C25B")]
)
LOW, HIGH = 0.03, 10.0  # of the cost; what lies beyond is drawn at the border
WINDOW = 20  # steps of the running mean


def running_mean(values):
    """Return the mean of the last WINDOW values at each place, of fewer at the beginning."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    stop = np.arange(1, len(values) + 1)
    start = np.maximum(stop - WINDOW, 0)
    return (total[stop] - total[start]) / (stop - start)


class LiveTrainingFigure(LiveFigure):
    """The plane as the baseline and as BN see it, and both cost curves.

    Parameters
    ----------
    steps : int
        Of a whole training.
    reach : float
        Of the axes of the plane, to each side.
    points : ndarray, shape (M, 2)
        Held-out samples.
    odd : ndarray of bool, shape (M,)
        Their class.
    """

    def __init__(self, steps, reach, points, odd):
        super().__init__(8.4, 3.05)
        left, right, curves = self.axes(1, 3)
        left.set_position((0.01, 0.1, 0.31, 0.8))
        right.set_position((0.335, 0.1, 0.31, 0.8))
        curves.set_position((0.725, 0.19, 0.17, 0.71))
        self._planes = [
            self._plane(ax, reach, points, odd, look)
            for ax, look in ((left, style.BASELINE), (right, style.BATCH_NORM))
        ]
        for x, look, text in (
            (0.315, style.CLASS_0, "● 0 or 2"),
            (0.345, style.CLASS_1, "▲ 7 or 9"),
        ):
            align = "right" if look is style.CLASS_0 else "left"
            self.figure.text(x, 0.045, text, color=_dark(look), ha=align, va="center")
        self._make_curves(curves, steps)

    def _plane(self, ax, reach, points, odd, look):
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[])
        ax.set_aspect("equal")
        for spine in ax.spines.values():
            spine.set_visible(True)
        image = ax.imshow(
            np.full((2, 2), 0.5),
            cmap=REGIONS,
            vmin=0,
            vmax=1,
            origin="lower",
            extent=(-reach, reach, -reach, reach),
            interpolation="nearest",
            zorder=0,
        )
        self.moving(image)
        for chosen, kind in ((~odd, style.CLASS_0), (odd, style.CLASS_1)):
            dots = kind.points(ms=3.4, mec="white", mew=0.3, color=_dark(kind), zorder=2)
            self.moving(ax.plot(*points[chosen].T, **dots)[0])
        box = {"boxstyle": "round,pad=0.25", "fc": "white", "ec": "none", "alpha": 0.85}
        name = ax.text(
            0.03, 0.97, "", transform=ax.transAxes, va="top", color=look.ink, bbox=box, zorder=3
        )
        note = ax.text(
            0.5, 0.5, "", transform=ax.transAxes, ha="center", va="center", bbox=box, zorder=3
        )
        return look, image, self.moving(name), self.moving(note)

    def _make_curves(self, ax, steps):
        ax.set(xlim=(0, steps), ylim=(LOW, HIGH), yscale="log", xlabel="step")
        ax.set_ylabel("cost, mean of 20 batches")
        ax.set_xticks([0, steps // 2, steps])
        ax.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
        self._curves = []
        for look in (style.BASELINE, style.BATCH_NORM):
            (line,) = ax.plot([], [], **look.line())
            text = ax.text(1.04, 0, "", transform=ax.transAxes, va="center", color=look.ink)
            self._curves.append((look, self.moving(line), self.moving(text)))

    def update(self, result):
        """Draw both networks.

        Parameters
        ----------
        result : object
            With ``baseline`` and ``bn``, each with cost (steps,), prediction (n, n) or None,
            accuracy or None, and stopped.
        """
        sides = result.baseline, result.bn
        for (look, image, name, note), side in zip(self._planes, sides, strict=True):
            image.set_visible(side.prediction is not None)
            if side.prediction is not None:
                image.set_data(side.prediction)
            right = f", {side.accuracy:.0%} right" if side.accuracy is not None else ""
            name.set_text(f"{look.label}{right}")
            note.set_text(_reason(side))
        heights = []
        for (look, line, text), side in zip(self._curves, sides, strict=True):
            smooth = np.clip(running_mean(side.cost), LOW, HIGH)
            line.set_data(np.arange(len(smooth)), smooth)
            last = smooth[-1] if len(smooth) else None
            text.set_text(f"{look.label}" if last is not None else "")
            share = 0.0 if last is None else np.log(last / LOW) / np.log(HIGH / LOW)
            heights.append(share)
        for (_, _, text), height in zip(self._curves, _apart(heights), strict=True):
            text.set_y(height)


def _dark(look):
    """A darker shade of a class, legible on the light regions."""
    return {"#0072B2": "#005A8C", "#C28400": "#8A5A00"}[look.color]


def _reason(side):
    if not side.stopped:
        return ""
    if not len(side.cost):
        return "one sample:\nno variance, no $\\hat{x}$"
    return side.stopped


def _apart(heights, gap=0.075):
    """Move the labels of two curves apart where they would touch."""
    a, b = heights
    if abs(a - b) < gap:
        middle, sign = (a + b) / 2, 1 if a >= b else -1
        return middle + sign * gap / 2, middle - sign * gap / 2
    return a, b
