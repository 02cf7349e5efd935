"""Schematics of a network: neurons, boxes and arrows, and the baseline drawn with them.

A sheet has coordinates in inches, x to the right and y up. Every primitive
draws on a sheet and returns nothing.
"""

from __future__ import annotations

import itertools

from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from . import picture, style

RADIUS = 0.13
FAINT = "#BBBBBB"
LARGE, SMALL = 11, 8.5


def sheet(width, height):
    """Return a figure and its only axes, without frame, one unit per inch."""
    figure = picture.new_figure(width, height)
    ax = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height), aspect="equal")
    ax.set_axis_off()
    return figure, ax


def neurons(ax, x, heights, color=style.INK):
    """Draw one layer: a circle at every height."""
    for y in heights:
        ax.add_patch(Circle((x, y), RADIUS, fc="white", ec=color, lw=1.2, zorder=3))


def links(ax, x_prev, heights_prev, x, heights):
    """Connect every neuron of one layer with every neuron of the next."""
    for y_prev in heights_prev:
        for y in heights:
            ax.plot([x_prev, x], [y_prev, y], color=FAINT, lw=style.THIN, zorder=1)


def box(ax, x, y, text, width=0.9, height=0.46, **options):
    """Draw an operation: text in a rounded box around (x, y)."""
    look = {"fc": "white", "ec": style.INK, "lw": style.THIN, "zorder": 3, **options}
    corner = (x - width / 2, y - height / 2)
    shape = "round,pad=0,rounding_size=0.08"
    ax.add_patch(FancyBboxPatch(corner, width, height, boxstyle=shape, **look))
    write(ax, x, y, text)


def write(ax, x, y, text, size=LARGE, **options):
    """Write text centered at (x, y)."""
    look = {"ha": "center", "va": "center", "fontsize": size, "zorder": 4, **options}
    ax.text(x, y, text, **look)


def arrow(ax, start, end, color=style.INK, **options):
    """Draw a straight arrow from `start` to `end`."""
    look = {"arrowstyle": "-|>", "mutation_scale": 11, "lw": 1.4, "shrinkA": 0, "shrinkB": 0}
    ax.add_patch(FancyArrowPatch(start, end, color=color, zorder=2, **{**look, **options}))


def chain(ax, y, spans, color, **options):
    """Draw arrows at height y from span to span, in the order given.

    Parameters
    ----------
    spans : sequence of (float, float)
        Left and right edge of what stands at each stop. The next stop may
        be to the right or to the left.
    """
    for (left, right), (next_left, next_right) in itertools.pairwise(spans):
        if next_left >= right:
            arrow(ax, (right, y), (next_left, y), color, **options)
        else:
            arrow(ax, (left, y), (next_right, y), color, **options)


def around(x, width):
    """Return the span of something `width` wide at x, for `chain`."""
    return x - width / 2, x + width / 2


def baseline():
    """Return the schematic of section 1, its notation and its flows, as a `Picture`."""
    figure, ax = sheet(8.0, 4.8)
    _network(ax)
    _forward(ax, 1.72)
    _backward(ax, 1.72, 0.82)
    return picture.still(
        figure,
        "Above, a network of fully connected layers 1 to L: the inputs psi are u of layer 1, a "
        "weight W_ij links neuron j of layer l-1 to neuron i of layer l, and u of layer L is the "
        "prediction. Below, its flows. Forward: u of layer l-1 is multiplied by W, b is added, "
        "which gives y; the activation g gives u of layer l, and so on to the cost C. Backward: "
        "the error Delta of layer l+1 goes through W transposed and is multiplied by g'(y), "
        "which gives Delta of layer l. Delta and u of layer l-1 meet in the gradient of W; "
        "Delta alone gives the gradient of b.",
    )


# Where things stand on the horizontal axis: the same map, forward and backward, in one column.
U_PREV, AFFINE, Y, G, U, AFFINE_NEXT, Y_NEXT, DOTS, COST = (
    0.42, 1.45, 2.55, 3.35, 4.15, 5.1, 6.05, 6.61, 7.42,
)  # fmt: skip


def _network(ax):
    """The layers, with one weight picked out."""
    middle, counts = 3.9, {0.9: 3, 2.85: 3, 5.0: 4, 7.05: 2}
    layers = [(x, [middle + 0.37 * (k - (n - 1) / 2) for k in range(n)]) for x, n in counts.items()]
    links(ax, *layers[1], *layers[2])
    for layer in layers:
        neurons(ax, *layer, style.U.color)
    for x in (1.87, 6.02):
        write(ax, x, middle, r"$\cdots$", 14)
    (x_j, heights_j), (x_i, heights_i) = layers[1:3]
    start, end = (x_j, heights_j[-1]), (x_i, heights_i[-1])
    arrow(ax, start, end, lw=1.8, shrinkA=10, shrinkB=10)
    write(ax, *start, "$j$", SMALL)
    write(ax, *end, "$i$", SMALL)
    write(ax, (x_j + x_i) / 2, 4.62, r"$W_{ij}^{\,l-1,l}$")
    names = ("layer 1", "layer $l-1$", "layer $l$", "layer $L$")
    outputs = (r"$u^1=\psi$", r"$u^{l-1}$", r"$u^l$", r"$u^L$ predicts $\phi$")
    for (x, _), name, output in zip(layers, names, outputs, strict=True):
        write(ax, x, 3.1, name, SMALL)
        write(ax, x, 2.85, output, color=style.U.ink)


def _forward(ax, row):
    u, y = style.U.color, style.Y.color
    spans = [
        around(U_PREV, 0.5),
        around(AFFINE, 0.9),
        around(Y, 0.32),
        around(G, 0.5),
        around(U, 0.32),
        around(AFFINE_NEXT, 0.9),
        around(Y_NEXT, 0.44),
        around(DOTS, 0.3),
        around(COST, 0.5),
    ]
    chain(ax, row, spans, u)
    for x, text, color in (
        (U_PREV, "$u^{l-1}$", u),
        (Y, "$y^l$", y),
        (U, "$u^l$", u),
        (Y_NEXT, "$y^{l+1}$", y),
        (DOTS, r"$\cdots$", u),
    ):
        write(ax, x, row, text, color=style.legible(color))
    for x, parameters in ((AFFINE, "$W^{l-1,l},\\ b^l$"), (AFFINE_NEXT, "$W^{l,l+1},\\ b^{l+1}$")):
        box(ax, x, row, "$Wu+b$")
        arrow(ax, (x, row + 0.5), (x, row + 0.23))
        write(ax, x, row + 0.63, parameters)
    box(ax, G, row, "$g$", 0.5)
    write(ax, (Y + U) / 2, row + 0.45, "forward", SMALL, color=style.U.ink)
    box(ax, COST, row, "$C$", 0.5)


def _backward(ax, above, row):
    delta, u = style.DELTA.color, style.U.color
    dashed = {"linestyle": (0, (3, 1.5))}
    spans = [
        around(COST, 0.95),
        around(DOTS, 0.3),
        around(Y_NEXT, 0.52),
        around(AFFINE_NEXT, 0.9),
        around(G, 0.95),
        around(Y, 0.32),
        around(AFFINE, 1.2),
    ]
    chain(ax, row, spans, delta, **dashed)
    arrow(ax, (COST, above - 0.23), (COST, row + 0.23), delta, **dashed)
    box(ax, COST, row, r"$\frac{1}{M_B}(u^L-\phi)$", 0.95)
    write(ax, DOTS, row, r"$\cdots$", color=style.DELTA.ink)
    write(ax, Y_NEXT, row, r"$\Delta^{l+1}$", color=style.DELTA.ink)
    box(ax, AFFINE_NEXT, row, r"$W^{\mathsf{T}}\Delta$")
    box(ax, G, row, r"$\odot\,g'(y^l)$", 0.95)
    write(ax, Y, row, r"$\Delta^l$", color=style.DELTA.ink)
    box(ax, AFFINE, row, r"$\sum_s\Delta_s^l\,u_s^{l-1}$", 1.2)
    # What the backward flow takes from the forward one.
    arrow(ax, (U_PREV, above - 0.2), (U_PREV, row), u, arrowstyle="-")
    arrow(ax, (U_PREV, row), (AFFINE - 0.6, row), u)
    write(ax, (G + AFFINE_NEXT) / 2, row - 0.45, "backward", SMALL, color=style.DELTA.ink)
    below = row - 0.62
    arrow(ax, (AFFINE, row - 0.23), (AFFINE, below + 0.16))
    write(ax, AFFINE, below, r"$\partial C/\partial W^{l-1,l}$")
    arrow(ax, (Y, row - 0.18), (Y, below + 0.16), delta, **dashed)
    write(ax, Y + 0.2, row - 0.36, r"$\sum_s$", SMALL)
    write(ax, Y + 0.1, below, r"$\partial C/\partial b^l$")
