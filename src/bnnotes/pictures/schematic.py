"""What the schematics of a network are drawn with: neurons, boxes and arrows.

A sheet has coordinates in inches, x to the right and y up. Every primitive
draws on a sheet and returns nothing.
"""

from __future__ import annotations

import itertools

from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from . import look
from .look import FAINT, INK

RADIUS = 0.13
LARGE, SMALL = 11, 8.5


def sheet(width, height):
    """Return a figure and its only axes, without frame, one unit per inch."""
    figure = look.new_figure(width, height)
    ax = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height), aspect="equal")
    ax.set_axis_off()
    return figure, ax


def neurons(ax, x, heights, color=INK):
    """Draw one layer: a circle at every height."""
    for y in heights:
        ax.add_patch(Circle((x, y), RADIUS, fc="white", ec=color, lw=1.2, zorder=3))


def links(ax, x_prev, heights_prev, x, heights):
    """Connect every neuron of one layer with every neuron of the next."""
    for y_prev in heights_prev:
        for y in heights:
            ax.plot([x_prev, x], [y_prev, y], color=FAINT, lw=look.THIN, zorder=1)


def box(ax, x, y, text, width=0.9, height=0.46, **options):
    """Draw an operation: text in a rounded box around (x, y)."""
    options = {"fc": "white", "ec": INK, "lw": look.THIN, "zorder": 3, **options}
    corner = (x - width / 2, y - height / 2)
    shape = "round,pad=0,rounding_size=0.08"
    ax.add_patch(FancyBboxPatch(corner, width, height, boxstyle=shape, **options))
    write(ax, x, y, text)


def write(ax, x, y, text, size=LARGE, **options):
    """Write text centered at (x, y)."""
    options = {"ha": "center", "va": "center", "fontsize": size, "zorder": 4, **options}
    ax.text(x, y, text, **options)


def arrow(ax, start, end, color=INK, **options):
    """Draw a straight arrow from `start` to `end`."""
    shape = {"arrowstyle": "-|>", "mutation_scale": 11, "lw": 1.4, "shrinkA": 0, "shrinkB": 0}
    ax.add_patch(FancyArrowPatch(start, end, color=color, zorder=2, **{**shape, **options}))


def chain(ax, y, spans, color, **options):
    """Draw arrows at height y from span to span, in the order given.

    A span is the left and right edge of what stands at a stop; the next may be to either side.
    """
    for (left, right), (next_left, next_right) in itertools.pairwise(spans):
        if next_left >= right:
            arrow(ax, (right, y), (next_left, y), color, **options)
        else:
            arrow(ax, (left, y), (next_right, y), color, **options)


def around(x, width):
    """Return the span of something `width` wide at x, for `chain`."""
    return x - width / 2, x + width / 2
