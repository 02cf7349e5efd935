"""A neuron in training: which of the three factors of its gradient goes to zero."""

from __future__ import annotations

import itertools

import numpy as np

from . import style
from .live import LiveFigure

LEAST = 1e-8  # what is smaller is drawn here
TICKS = (
    [1, 1e-2, 1e-4, 1e-6, LEAST],
    ["1", "$10^{-2}$", "$10^{-4}$", "$10^{-6}$", r"$\leq 10^{-8}$"],
)
FACTORS = (
    (r"$\sin\theta_1$", style.THETA1),
    (r"$\sin\theta_2$", style.THETA2),
    (r"$|\cos\varphi|$", style.PHI),
)


class StopsFigure(LiveFigure):
    """Three factors over the steps on the left, gradient and correlation on the right.

    Parameters
    ----------
    steps : int
        Of the whole training.
    join : int
        The step at which γ and β begin to learn too.
    inputs : int
        How many weights the neuron has at most.
    """

    def __init__(self, steps, join, inputs):
        super().__init__(8.4, 3.4)
        self.figure.subplots_adjust(left=0.09, right=0.88, bottom=0.16, top=0.9, wspace=0.62)
        self._axes = self.axes(1, 2)
        for ax in self._axes:
            ax.set(yscale="log", ylim=(LEAST / 2, 3), xlim=(0, steps), xlabel="step")
            ax.set_yticks(*TICKS)
            ax.minorticks_off()
            ax.axvline(join, color=style.INK, lw=style.THIN, ls=":")
            for x, who in ((join / 2, "W alone"), ((join + steps) / 2, "W, γ and β")):
                ax.text(x, 1.03, who, ha="center", transform=ax.get_xaxis_transform())
        self._axes[0].set_ylabel("factors of $\\partial C/\\partial W$")
        left, right = self._axes
        self._factors = [
            [self._curve(left, look, width) for _ in range(count)]
            for (_, look), count, width in zip(
                FACTORS, (1, inputs, inputs), (2.2, 1.2, 1.0), strict=True
            )
        ]
        self._names = [self._name(left, text, look.ink) for text, look in FACTORS]
        looks = (style.GRADIENT, style.THETA3, style.THETA1, style.DELTA)
        texts = (
            r"$|\partial C/\partial W|$",
            r"$|\cos\theta_3|$",
            r"$|\cos\theta_1|$",
            r"$M_B\,\sigma(\Delta)$",
        )
        widths = (1.8, 1.2, 2.8, 1.4)  # the two angles often run together
        self._sizes = [self._curve(right, *pair) for pair in zip(looks, widths, strict=True)]
        self._sizes[2].set_zorder(1)
        self._size_names = [
            self._name(right, text, look.ink) for text, look in zip(texts, looks, strict=True)
        ]
        right.set_ylabel("sizes, the largest of the inputs")
        place = {"ha": "center", "va": "center", "transform": left.transAxes}
        above = {"fontsize": 10, "backgroundcolor": "white", "zorder": 5}
        self._note = self.moving(left.text(0.5, 0.5, "", **place, **above))

    def _curve(self, ax, look, width):
        return self.moving(ax.plot([], [], lw=width, **look.line())[0])

    def _name(self, ax, text, color):
        label = ax.text(1.03, 0, text, color=color, va="center", transform=ax.get_yaxis_transform())
        return self.moving(label)

    def update(self, result):
        """Draw the path of the training.

        Parameters
        ----------
        result : object
            With factors: sinθ1 (steps,), sinθ2 and |cosφ| (steps, inputs),
            nan where φ has no meaning, or None; sizes: four arrays (steps,); explanation.
        """
        self._note.set_text(result.explanation)
        none = result.factors is None
        for name in (*self._names, *self._size_names):
            name.set_visible(not none)
        if none:
            for line in (*(line for lines in self._factors for line in lines), *self._sizes):
                line.set_data([], [])
            return
        ends = []
        for lines, values in zip(self._factors, result.factors, strict=True):
            columns = np.maximum(values.reshape(len(values), -1), LEAST)
            for line, column in itertools.zip_longest(lines, columns.T, fillvalue=()):
                line.set_data(np.arange(len(column)), column)
            # Where the last has no meaning, its name stands beside the last that has.
            known = columns[~np.isnan(columns).any(axis=1)]
            ends.append(np.exp(np.log(known[-1]).mean()) if len(known) else LEAST)
            self._names[len(ends) - 1].set_visible(len(known) > 0)
        self._spread(self._names, ends)
        for line, values in zip(self._sizes, result.sizes, strict=True):
            line.set_data(np.arange(len(values)), np.maximum(values, LEAST))
        self._spread(self._size_names, [max(values[-1], LEAST) for values in result.sizes])

    def _spread(self, names, heights):
        """Put the names beside the ends of their curves, none on another."""
        order, gap = np.argsort(heights, kind="stable"), 0.75
        places, high = np.log10(heights), 0.2 + gap
        for k in order[::-1]:
            places[k] = high = min(places[k], high - gap)
        low = np.log10(LEAST) - gap
        for k in order:
            places[k] = low = max(places[k], low + gap)
            names[k].set_y(10**low)
