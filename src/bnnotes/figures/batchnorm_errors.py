"""Pictures of errors on their way through BN: section 2 of the source."""

from __future__ import annotations

import numpy as np

from . import style
from .live import LiveFigure


def slots(count):
    """Return where `count` samples stand on an axis from 0 to 1."""
    return (np.arange(count) + 0.5) / max(count, 1)


def stems(x, heights):
    """Return the points of a line that draws a stem for every height."""
    zeros = np.zeros(len(heights))
    return np.repeat(x, 3), np.stack([zeros, heights, zeros + np.nan], axis=1).ravel()


class SplitFigure(LiveFigure):
    """An error and its three parts below each other, one stem per sample."""

    ROWS = (
        ("error", r"$\Delta$", style.DELTA, ""),
        ("mean", r"$=\ \langle\Delta\rangle\,\mathbf{1}$", style.GRADIENT, "β takes"),
        ("along_x_hat", r"$+\ \langle\hat{x}\Delta\rangle\,\hat{x}$", style.X_HAT, "γ takes"),
        ("mixed", r"$+\ \mathbf{M}\Delta$", style.DELTA, "passed below"),
    )

    def __init__(self):
        super().__init__(7.4, 4.3)
        rows = self.axes(len(self.ROWS), 1)
        self.figure.subplots_adjust(left=0.17, right=0.82, bottom=0.09, top=0.98, hspace=0.28)
        self._rows = [self._row(ax, *row) for ax, row in zip(rows, self.ROWS, strict=True)]
        rows[-1].set_xlabel("samples of the batch, sorted by $x$")
        self._missing = self.moving(
            rows[0].text(0.5, 0, "", ha="center", va="center", color=style.BASELINE.color,
                         bbox={"fc": "white", "ec": "none"}, zorder=5)
        )  # fmt: skip

    def _row(self, ax, name, letter, look, taker):
        ax.set(xlim=(0, 1), ylim=(-1.05, 1.05), xticks=[], yticks=[-1, 0, 1])
        ax.spines["bottom"].set_visible(False)
        ax.axhline(0, color=style.INK, lw=0.4, zorder=0)
        beside = {"va": "center", "transform": ax.transAxes}
        ax.text(-0.06, 0.5, letter, color=look.ink, ha="right", fontsize=12, **beside)
        ax.text(1.03, 0.64, taker, fontsize=8.5, **beside)
        (line,) = ax.plot([], [], color=look.color, lw=1.4, zorder=2)
        (points,) = ax.plot([], [], **look.points(markersize=4.5, zorder=3))
        share = ax.text(1.03, 0.36, "", fontsize=11, color=look.ink, **beside)
        return name, *map(self.moving, (line, points, share))

    def update(self, result):
        """Draw an error and its parts.

        Parameters
        ----------
        result : object
            Has ``error``, ``mean``, ``along_x_hat`` and ``mixed``, arrays of
            shape (M_B,), all between −1 and 1, or all empty; and ``shares``, the
            three parts of the squared length.
        """
        percent = ["", *(f"{share:.0%}" for share in result.shares)]
        for (name, line, points, share), text in zip(self._rows, percent, strict=True):
            heights = getattr(result, name)
            x = slots(len(heights))
            line.set_data(*stems(x, heights))
            points.set_data(x, heights)
            share.set_text(text if len(heights) else "")
        self._missing.set_text("" if len(result.error) else "no x̂, no y, no error")


class MovedFigure(LiveFigure):
    """∂C/∂x of every sample, with BN above and without below, before and after one x moved."""

    def __init__(self):
        super().__init__(7.4, 4.4)
        above, below, strip = self.axes(3, 1, height_ratios=(1, 1, 0.42))
        self.figure.subplots_adjust(left=0.09, right=0.89, bottom=0.1, top=0.98, hspace=0.12)
        self._bars = [
            self._make_bars(above, style.BATCH_NORM),
            self._make_bars(below, style.BASELINE),
        ]
        self._make_strip(strip)
        self._missing = self.moving(
            above.text(0.5, 0.5, "", ha="center", va="center", color=style.BASELINE.color)
        )

    def _make_bars(self, ax, look):
        ax.set(xlim=(0, 1), ylim=(-1.1, 1.1), xticks=[], yticks=[-1, 0, 1])
        ax.set_ylabel(r"$M_B\,\partial C/\partial x_s$")
        ax.spines["bottom"].set_visible(False)
        ax.axhline(0, color=style.INK, lw=0.4, zorder=0)
        ax.text(1.01, 0.5, look.label, color=look.ink, va="center", transform=ax.transAxes)
        (before,) = ax.plot([], [], "o", mfc="white", mec="#AAAAAA", markersize=8, zorder=2)
        (line,) = ax.plot([], [], **look.line(lw=2, zorder=1))
        (points,) = ax.plot([], [], **look.points(markersize=6, zorder=3))
        return [self.moving(artist) for artist in (before, line, points)]

    def _make_strip(self, ax):
        ax.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[])
        for side in ("left", "bottom"):
            ax.spines[side].set_visible(False)
        self._digits = self.moving(
            ax.imshow(
                [[0.0]], cmap="gray_r", vmin=0, vmax=1, aspect="auto", zorder=1, extent=(0, 1, 0, 1)
            )
        )
        (self._frame,) = ax.plot([], [], color=style.THETA1.color, lw=2, zorder=2, clip_on=False)
        self.moving(self._frame)
        self._says = self.moving(
            ax.text(0, -0.08, "this x moves", ha="left", va="top", fontsize=8.5)
        )

    def update(self, result):
        """Draw the gradients.

        Parameters
        ----------
        result : object
            Has ``batch_norm``, ``batch_norm_before``, ``baseline`` and
            ``baseline_before``, arrays of shape (M_B,), the first two empty
            where the batch cannot be normalized; and ``images``, shape (M_B, 8, 8).
        """
        pairs = (
            (result.batch_norm_before, result.batch_norm),
            (result.baseline_before, result.baseline),
        )
        for (before, line, points), (old, new) in zip(self._bars, pairs, strict=True):
            x = slots(len(new))
            before.set_data(x, old)
            line.set_data(*stems(x, new))
            points.set_data(x, new)
        self._missing.set_text(
            "" if len(result.batch_norm) else "no x̂, so nothing to differentiate"
        )
        self._draw_strip(result.images)

    def _draw_strip(self, images):
        # The strip holds square images: as wide as a slot at the most, centered in it.
        count, height = len(images), images.shape[1]
        box = self._digits.axes.get_window_extent()
        wide = max(height, round(height * box.width / box.height / count))
        left = (wide - height) // 2
        strip = np.zeros((height, count, wide))
        strip[:, :, left : left + height] = images.transpose(1, 0, 2)
        self._digits.set_data(strip.reshape(height, -1))
        edges = np.array([left - 0.5, left + height + 0.5]) / (wide * count)
        self._frame.set_data(edges[[0, 1, 1, 0, 0]], [0, 0, 1, 1, 0])
        self._says.set_x(edges[0])


class ClassMixFigure(LiveFigure):
    """Logits of one batch of two classes, normalized in two ways."""

    ROWS = (("own", "by its own\nbatch"), ("population", "by the\ntraining data"))

    def __init__(self, reach):
        super().__init__(7.4, 2.9)
        ax = self.axes()
        self.figure.subplots_adjust(left=0.17, right=0.87, bottom=0.17, top=0.88)
        ax.set(xlim=(-reach, reach), ylim=(-0.5, 1.5), yticks=[])
        ax.set_xlabel("logit $y^L$: prediction even on the left of 0, odd on the right")
        ax.spines["left"].set_visible(False)
        ax.axvline(0, color=style.INK, lw=0.8, zorder=0)
        ax.text(-1.06 * reach, 1.62, "normalized", va="center", ha="right")
        ax.text(1.05 * reach, 1.62, "right", va="center")
        self._rows = [self._row(ax, 1 - k, reach, *row) for k, row in enumerate(self.ROWS)]
        self._legend(ax, reach)

    def _row(self, ax, height, reach, name, label):
        ax.axhline(height, color=style.INK, lw=0.4, zorder=0)
        ax.text(-1.06 * reach, height, label, va="center", ha="right", fontsize=8.5)
        classes = []
        for look in (style.CLASS_0, style.CLASS_1):
            (points,) = ax.plot([], [], **look.points(markersize=6.5, alpha=0.7, zorder=3))
            classes.append(self.moving(points))
        (mean,) = ax.plot([], [], "|", color=style.INK, markersize=26, mew=1.5, zorder=4)
        share = ax.text(1.05 * reach, height, "", va="center", fontsize=11)
        return name, classes, self.moving(mean), self.moving(share)

    def _legend(self, ax, reach):
        for x, look, name in (
            (-0.62, style.CLASS_0, "even digit"),
            (0.12, style.CLASS_1, "odd digit"),
        ):
            ax.plot([x * reach], [1.62], **look.points(markersize=6.5, clip_on=False))
            ax.text((x + 0.035) * reach, 1.62, name, va="center")

    def update(self, result):
        """Draw the logits.

        Parameters
        ----------
        result : object
            Has ``own`` and ``population``, logits of shape (M_B,), the first
            empty where the batch cannot be normalized; ``odd``, booleans of
            the same shape; and ``right_own``, ``right_population``, the share
            of right predictions.
        """
        for name, classes, mean, share in self._rows:
            logits, height = getattr(result, name), self._height(name)
            for points, wanted in zip(classes, (False, True), strict=True):
                chosen = logits[result.odd == wanted] if len(logits) else logits
                # One class a little above the line, the other below.
                offset = 0.11 if wanted else -0.11
                points.set_data(chosen, np.full(len(chosen), height + offset))
            mean.set_data([logits.mean()], [height]) if len(logits) else mean.set_data([], [])
            share.set_text(f"{getattr(result, 'right_' + name):.0%}" if len(logits) else "no x̂")

    def _height(self, name):
        return 1.0 if name == "own" else 0.0
