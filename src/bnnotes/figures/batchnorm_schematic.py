"""The schematic of section 2: a network with BN, its notation and its flows."""

from __future__ import annotations

import itertools

from . import picture, style
from .network_schematic import (
    FAINT,
    SMALL,
    around,
    arrow,
    box,
    chain,
    links,
    neurons,
    sheet,
    write,
)

# Where things stand on the horizontal axis: the same map, forward and backward, in one column.
U_PREV, WEIGHTS, X, NORM, X_HAT, SCALE, Y, G, U, DOTS, COST = (
    0.4, 1.2, 1.95, 2.8, 3.65, 4.5, 5.3, 5.95, 6.6, 7.05, 7.6,
)  # fmt: skip
MIDDLE, FORWARD, BACKWARD = 4.2, 1.95, 0.98
DASHED = {"linestyle": (0, (3, 1.5))}


def batch_normalization():
    """Return the schematic of section 2, its notation and its flows, as a `Picture`."""
    figure, ax = sheet(8.0, 5.35)
    _network(ax)
    _forward(ax)
    _backward(ax)
    return picture.still(
        figure,
        "Above, a layer with BN: every u of layer l-1 is linked to every x of layer l by a weight, "
        "but each x has its own x-hat, its own y and its own u. Below, the flows. Forward: "
        "u is multiplied by W, which gives x; the mean and standard deviation of x over all "
        "samples of the batch are taken out, which gives x-hat; gamma and beta give y; g gives u "
        "of layer l, and so on to the cost C. The mean and standard deviation are the only "
        "place where samples meet. Backward: the error is multiplied by g', which gives Delta of "
        "layer l. Its sum is the gradient of beta, its sum with x-hat that of gamma. M Delta times "
        "gamma over sigma is the error at x; with u of layer l-1 it gives the gradient of W.",
    )


def _network(ax):
    columns = {
        U_PREV + 0.2: (3, style.U),
        X: (4, style.X),
        X_HAT: (4, style.X_HAT),
        Y: (4, style.Y),
        U: (4, style.U),
    }
    layers = [
        (x, [MIDDLE + 0.36 * (k - (n - 1) / 2) for k in range(n)], look.color)
        for x, (n, look) in columns.items()
    ]
    links(ax, *layers[0][:2], *layers[1][:2])
    for (x_prev, heights, _), (x, _, _) in itertools.pairwise(layers[1:]):
        for height in heights:
            ax.plot([x_prev, x], [height, height], color=FAINT, lw=style.THIN, zorder=1)
    for x, heights, color in layers:
        neurons(ax, x, heights, color)
    names = ("$u^{l-1}$", "$x^l$", r"$\hat{x}^l$", "$y^l$", "$u^l$")
    for (x, _, color), name in zip(layers, names, strict=True):
        write(ax, x, MIDDLE - 0.86, name, color=style.legible(color))
    for left, right, text in (
        (U_PREV + 0.2, X, "$W$ joins neurons"),
        (X, X_HAT, "each neuron alone,\nall samples together"),
        (X_HAT, Y, "each neuron alone"),
        (Y, U, "each neuron alone"),
    ):
        write(ax, (left + right) / 2, MIDDLE + 0.76, text, 7.5, va="bottom")


def _forward(ax):
    u, row = style.U.color, FORWARD
    stops = (
        (U_PREV, 0.5), (WEIGHTS, 0.6), (X, 0.32), (NORM, 0.95), (X_HAT, 0.32), (SCALE, 0.9),
        (Y, 0.32), (G, 0.4), (U, 0.32), (DOTS, 0.3), (COST, 0.4),
    )  # fmt: skip
    chain(ax, row, [around(*stop) for stop in stops], u)
    for x, text, look in (
        (U_PREV, "$u^{l-1}$", style.U),
        (X, "$x^l$", style.X),
        (X_HAT, r"$\hat{x}^l$", style.X_HAT),
        (Y, "$y^l$", style.Y),
        (U, "$u^l$", style.U),
        (DOTS, r"$\cdots$", style.U),
    ):
        write(ax, x, row, text, color=look.ink)
    box(ax, WEIGHTS, row, "$Wu$", 0.6)
    box(ax, NORM, row, r"$(x-\mu)/\sigma$", 0.95)
    box(ax, SCALE, row, r"$\gamma\hat{x}+\beta$", 0.9)
    box(ax, G, row, "$g$", 0.4)
    box(ax, COST, row, "$C$", 0.4)
    # The batch comes in here and nowhere else.
    box(ax, NORM, row + 0.75, r"$\mu,\ \sigma$ over all $s$", 1.35, 0.36, ec=style.X.color, lw=1.4)
    arrow(ax, (X + 0.05, row + 0.2), (NORM - 0.62, row + 0.6), style.X.color)
    arrow(ax, (NORM, row + 0.57), (NORM, row + 0.23), style.X.color)
    write(ax, NORM + 0.78, row + 0.75, "here samples meet", SMALL, ha="left")
    write(ax, (G + COST) / 2, row + 0.45, "forward", SMALL, color=style.U.ink)


def _backward(ax):
    delta, row = style.DELTA.color, BACKWARD
    stops = (
        (COST, 0.0), (DOTS, 0.3), (G, 0.75), (Y, 0.32), (NORM, 1.0), (X + 0.07, 0.3),
        (WEIGHTS, 1.1),
    )  # fmt: skip
    chain(ax, row, [around(*stop) for stop in stops], delta, **DASHED)
    arrow(ax, (COST, FORWARD - 0.23), (COST, row), delta, arrowstyle="-", **DASHED)
    write(ax, DOTS, row, r"$\cdots$", color=style.DELTA.ink)
    box(ax, G, row, r"$\odot\,g'(y)$", 0.75)
    write(ax, Y, row, r"$\Delta^l$", color=style.DELTA.ink)
    box(ax, NORM, row, r"$(\gamma/\sigma)\,\mathbf{M}\Delta$", 1.0)
    write(ax, X + 0.07, row, r"$\frac{\partial C}{\partial x^l}$", 13, color=style.DELTA.ink)
    box(ax, WEIGHTS, row, r"$\sum_s(\partial C/\partial x_s)\,u_s$", 1.1)
    arrow(ax, (U_PREV, FORWARD - 0.2), (U_PREV, row), style.U.color, arrowstyle="-")
    arrow(ax, (U_PREV, row), (WEIGHTS - 0.55, row), style.U.color)
    write(ax, (G + COST) / 2 + 0.2, row - 0.4, "backward", SMALL, color=style.DELTA.ink)
    below = row - 0.66
    arrow(ax, (WEIGHTS, row - 0.23), (WEIGHTS, below + 0.16))
    write(ax, WEIGHTS, below, r"$\partial C/\partial W$")
    for x, sum_, gradient in (
        (Y - 0.55, r"$\sum_s\Delta\hat{x}$", r"$\partial C/\partial\gamma$"),
        (Y + 0.55, r"$\sum_s\Delta$", r"$\partial C/\partial\beta$"),
    ):
        arrow(ax, (Y, row - 0.18), (x, below + 0.18), delta, **DASHED)
        write(ax, x + (0.16 if x > Y else -0.16), row - 0.42, sum_, SMALL)
        write(ax, x, below, gradient)
