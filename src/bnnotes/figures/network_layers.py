"""The layers of a network in training: four angles, and BL's amplitude over BN's."""

from __future__ import annotations

import numpy as np

from . import style
from .live import LiveFigure

LOOKS = (style.THETA1, style.THETA2, style.THETA3, style.PHI)
LOW, HIGH = 0.03, 30.0  # of the ratio
# Layers are told apart by marker and line, the first lightest.
LAYER_LOOKS = (("#767676", ":", "v"), ("#4A4A4A", "--", "s"), ("#000000", "-", "o"))


class LayersInTrainingFigure(LiveFigure):
    """Medians of the folded angles of a layer on the left, ratios of all layers on the right.

    Parameters
    ----------
    epochs : sequence of int
    layers : int
    """

    def __init__(self, epochs, layers):
        super().__init__(8.4, 3.1)
        self.figure.subplots_adjust(left=0.09, right=0.9, bottom=0.17, top=0.94, wspace=0.55)
        self._angles, self._ratios = self.axes(1, 2)
        self._places = np.arange(len(epochs))
        for ax in (self._angles, self._ratios):
            ax.set(xlim=(-0.2, len(epochs) - 0.8), xlabel="epoch of the training")
            ax.set_xticks(self._places, [str(epoch) for epoch in epochs])
        self._angles.set(ylim=(-2, 92), yticks=[0, 30, 60, 90])
        self._angles.set_ylabel("median angle, folded to 0…90°")
        self._angles.axhline(90, color=style.INK, lw=0.5)
        self._ratios.set(ylim=(LOW, HIGH), yscale="log")
        self._ratios.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
        self._ratios.set_ylabel("length of ∂C/∂W, BL over BN")
        self._ratios.axhline(1, color=style.INK, lw=0.5)
        self._lines = [
            self._line(self._angles, look.label, look.line(marker=look.marker)) for look in LOOKS
        ]
        self._curves = [
            self._line(
                self._ratios,
                f"layer {l + 1}",
                dict(zip(("color", "linestyle", "marker"), LAYER_LOOKS[l], strict=True)),
            )
            for l in range(layers)
        ]
        note = {"ha": "center", "va": "center", "fontsize": 10}
        center = self._angles.transAxes
        self._note = self.moving(self._angles.text(0.5, 0.5, "", transform=center, **note))

    def _line(self, ax, label, look):
        (line,) = ax.plot([], [], **look)
        name = ax.text(1.04, 0, label, transform=ax.transAxes, va="center")
        name.set_color(style.legible(look["color"]))
        return self.moving(line), self.moving(name)

    def update(self, result):
        """Draw one layer's angles and all ratios.

        Parameters
        ----------
        result : object
            With angles (epochs, 4) in degrees and ratios (layers, epochs), or None each;
            layer, from 1; explanation.
        """
        some = result.angles is not None
        self._note.set_text(_wrapped(result.explanation))
        angles = result.angles.T if some else [None] * len(self._lines)
        ratios = np.clip(result.ratios, LOW, HIGH) if some else [None] * len(self._curves)
        self._draw(self._lines, angles, lambda v: (v + 2) / 94, 0.085)
        self._draw(self._curves, ratios, lambda v: np.log(v / LOW) / np.log(HIGH / LOW), 0.085)
        for l, (line, name) in enumerate(self._curves):
            chosen = l + 1 == result.layer
            line.set_linewidth(2.4 if chosen else 1.2)
            name.set_fontweight("bold" if chosen else "normal")

    def _draw(self, lines, rows, share, gap):
        for (line, name), row in zip(lines, rows, strict=True):
            line.set_visible(row is not None)
            name.set_visible(row is not None)
            if row is not None:
                line.set_data(self._places, row)
        if rows[0] is None:
            return
        heights = apart([float(share(row[-1])) for row in rows], gap)
        for (_, name), height in zip(lines, heights, strict=True):
            name.set_y(height)


def apart(heights, gap):
    """Return the heights of labels moved so that no two are nearer than `gap`, none above 1."""
    moved, previous = list(heights), -np.inf
    for k in np.argsort(heights, kind="stable"):
        moved[k] = previous = max(heights[k], previous + gap)
    excess = max(0.0, previous - 1.0)
    return [height - excess for height in moved]


def _wrapped(text):
    return text.replace(": ", ":\n").replace(", ", ",\n")
