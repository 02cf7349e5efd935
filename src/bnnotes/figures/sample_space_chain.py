"""A chain of single neurons in training: where W, γ and β of its layers go."""

from __future__ import annotations

import numpy as np

from . import style
from .live import LiveFigure
from .sample_space import explanation

FLOOR = 1e-16  # no move at all is drawn here: the logarithm has no place for it
# Dark to light from the first layer to the last, and labeled as well.
SHADES = ("#000000", "#3D3D3D", "#6B6B6B", "#8C8C8C", "#A6A6A6")
MOVES = {"W": "-", "γ": "--", "β": ":"}


class ChainFigure(LiveFigure):
    """W and γ of every layer over the steps, and how far W, γ and β have moved.

    Parameters
    ----------
    steps : int
        Of the whole training.
    layers : int
        At most five.
    """

    def __init__(self, steps, layers):
        super().__init__(9.0, 3.0)
        self._axes = self.axes(1, 3)
        self.figure.subplots_adjust(left=0.06, right=0.945, bottom=0.17, top=0.95, wspace=0.62)
        for ax in self._axes:
            ax.set(xlabel="training step", xlim=(0, steps))
        weight, gamma, moved = self._axes
        weight.set(ylabel=r"$W$ of each layer", ylim=(-2, 2), yticks=range(-2, 3))
        gamma.set(ylabel=r"$\gamma$ of each layer", ylim=(-3, 3), yticks=range(-3, 4))
        moved.set(ylabel="largest move since step 0", yscale="log", ylim=(FLOOR / 3, 30))
        ticks = {FLOOR: "0", 1e-12: "$10^{-12}$", 1e-8: "$10^{-8}$", 1e-4: "$10^{-4}$", 1: "1"}
        moved.set_yticks(list(ticks), ticks.values())
        moved.minorticks_off()
        self._weight = self._lines(weight, [{"color": shade} for shade in SHADES[:layers]])
        self._gamma = self._lines(gamma, [{"color": shade} for shade in SHADES[:layers]])
        self._moved = self._lines(moved, [{"color": style.INK, "ls": ls} for ls in MOVES.values()])
        self._explanation = self.moving(explanation(gamma))

    def _lines(self, ax, looks):
        """Return for each look a line and a label at its end."""
        end = {"marker": "o", "markersize": 3.5, "markevery": [-1], "clip_on": False}
        lines = [self.moving(ax.plot([], [], **end, **look)[0]) for look in looks]
        return [(line, self.moving(ax.text(0, 0, "", va="center", fontsize=8))) for line in lines]

    def update(self, result):
        """Draw the training up to one step.

        Parameters
        ----------
        result : object
            ``step``; ``W`` and ``gamma`` (steps + 1, layers); ``moved``, a dict
            of W, γ and β to (steps + 1,). ``W`` is None where there is no
            training, and ``explanation`` says why.
        """
        defined = result.W is not None
        for artist in self._moving:
            artist.set_visible(defined)
        self._explanation.set_visible(not defined)
        self._explanation.set_text(result.explanation)
        if not defined:
            return
        seen = slice(0, result.step + 1)
        weight, gamma, moved = self._axes
        self._draw(weight, self._weight, result.W[seen].T, _layers)
        self._draw(gamma, self._gamma, result.gamma[seen].T, _layers)
        moves = [np.maximum(result.moved[name][seen], FLOOR) for name in MOVES]
        self._draw(moved, self._moved, moves, lambda ks: ", ".join(list(MOVES)[k] for k in ks))

    def _draw(self, ax, artists, curves, name):
        """Draw the curves; those that end side by side share a label."""
        to_axes = ax.transScale + ax.transLimits
        ends = [to_axes.transform((0, curve[-1]))[1] for curve in curves]
        for (line, text), curve in zip(artists, curves, strict=True):
            line.set_data(np.arange(len(curve)), curve)
            text.set_text("")
        for group in side_by_side(ends):
            height = np.mean([ends[k] for k in group])
            text = artists[group[0]][1]
            text.set_position((len(curves[0]) - 1, to_axes.inverted().transform((0, height))[1]))
            text.set_text(f"  {name(group)}")


def side_by_side(heights, apart=0.07):
    """Return the numbers 0, 1, … of the heights, grouped where neighbors are less than `apart`."""
    groups = []
    for k in map(int, np.argsort(heights)):
        if groups and heights[k] - heights[groups[-1][-1]] < apart:
            groups[-1].append(k)
        else:
            groups.append([k])
    return [sorted(group) for group in groups]


def _layers(numbers):
    """Name layers, counted from 1: "l = 2", "l = 1–4", "l = 1, 3"."""
    numbers = [k + 1 for k in numbers]
    run = len(numbers) > 1 and numbers[-1] - numbers[0] == len(numbers) - 1
    listed = f"{numbers[0]}–{numbers[-1]}" if run else ", ".join(map(str, numbers))
    return f"$l$ = {listed}"
