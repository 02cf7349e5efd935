"""The picture of chapter 3 that does not move: the cost and the length of the weights."""

from __future__ import annotations

import numpy as np

from . import picture, style

LINES = ("-", "--", ":")


def lengths(stretches, costs, squares):
    """Draw the cost over a stretch of the weights, and the squared lengths over a training.

    Parameters
    ----------
    stretches : ndarray, shape (n,)
        Factors of the weights, ascending, on a logarithmic axis.
    costs : dict of float to ndarray of shape (n,)
        For up to three eps the cost at each stretch.
    squares : ndarray, shape (steps + 1, neurons)
        |W_i|² of each neuron before the first step and after every step.

    Returns
    -------
    Picture
    """
    figure = picture.new_figure(8.0, 2.9)
    over_stretch, over_steps = picture.new_axes(figure, 1, 2)
    figure.subplots_adjust(left=0.08, right=0.98, bottom=0.17, top=0.95, wspace=0.42)
    over_stretch.set(xscale="log", xlabel="stretch of the weights", ylabel="cost")
    over_stretch.set_xticks([0.125, 0.5, 1, 2, 8], ["⅛", "½", "1", "2", "8"])
    over_stretch.minorticks_off()
    for (eps, cost), line in zip(costs.items(), LINES, strict=False):
        over_stretch.plot(stretches, cost, color=style.INK, linestyle=line)
        beside = {"xytext": (14, 3), "textcoords": "offset points", "va": "bottom"}
        over_stretch.annotate(f"ε = {eps:g}", (stretches[0], cost[0]), **beside)
    over_steps.plot(squares, color=style.INK, linewidth=0.7, alpha=0.6)
    over_steps.set(xlabel="training step", ylabel=r"$|W_i|^2$ of each neuron", xlim=(0, None))
    grown = np.diff(squares, axis=0).min() >= 0
    return picture.still(
        figure,
        f"Left: the cost over a stretch of the weights is flat at ε = 0 and not for ε > 0. "
        f"Right: |W_i|² of {squares.shape[1]} neurons over {len(squares) - 1} steps "
        f"{'only grows' if grown else 'grows and shrinks'}.",
    )
