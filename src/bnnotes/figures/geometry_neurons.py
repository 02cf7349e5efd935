"""How much the neurons of a layer resemble each other, with and without BN."""

from __future__ import annotations

import numpy as np

from . import picture, style

LOOKS = {"BN": style.BATCH_NORM, "baseline": style.BASELINE}


def correlations(layers, deep, trained):
    """Return both measurements of correlation between neurons as a `Picture`.

    Parameters
    ----------
    layers : sequence of int
        Which layers `deep` is of.
    deep : dict of str to ndarray, shape (seeds, layers)
        Mean |Corr| before any training, for "BN" and "baseline".
    trained : dict of str to dict of int to ndarray, shape (seeds, 2)
        For the same names and some numbers of hidden layers, mean |Corr| of
        the last hidden layer before and after training.

    Returns
    -------
    Picture
    """
    figure = picture.new_figure(8.4, 3.2)
    left, right = picture.new_axes(figure, 1, 2)
    figure.subplots_adjust(left=0.08, right=0.89, bottom=0.17, top=0.95, wspace=0.5)
    for ax in (left, right):
        ax.set(ylim=(0, 1), ylabel="mean |Corr| between neurons")
    _depth(left, layers, deep)
    _training(right, trained)
    return picture.still(
        figure,
        "Left: mean correlation between neurons over 100 layers of untrained ReLU networks, bands "
        "over seeds. With batch normalization it stays below 0.3; without, it rises, and at layer "
        "100 every seed is higher than with batch normalization. Right: the last hidden layer of "
        "digits networks, before and after training, over the number of hidden layers. With one or "
        "two hidden layers the two kinds differ little; with eight the baseline is higher.",
    )


def _depth(ax, layers, deep):
    ax.set(xlabel="layer, before any training", xlim=(1, 100), xticks=[1, 25, 50, 75, 100])
    for name, values in deep.items():
        look = LOOKS[name]
        ax.fill_between(layers, *_ends(values), color=look.color, alpha=0.18, lw=0)
        ax.plot(layers, np.median(values, axis=0), **look.line())
        ax.text(101.5, np.median(values[:, -1]), name, color=look.ink, va="center")


def _ends(values):
    return values.min(axis=0), values.max(axis=0)


def _training(ax, trained):
    depths = list(next(iter(trained.values())))
    ax.set(xlabel="hidden layers", xlim=(-0.5, len(depths) - 0.5))
    ax.set_xticks(range(len(depths)), depths)
    for side, (name, by_depth) in enumerate(trained.items()):
        look = LOOKS[name]
        for place, values in enumerate(by_depth.values()):
            x = place + 0.24 * (side - 0.5)
            before, after = np.median(values, axis=0)
            ends = [values[:, 1].min(), values[:, 1].max()]
            ax.plot([x + 0.06] * 2, ends, color=look.color, lw=5, alpha=0.25)
            ax.plot([x - 0.06], [before], ms=6, mfc="white", **{**look.points(), "marker": "o"})
            ax.plot([x + 0.06], [after], ms=7, **look.points())
    ax.plot([0.03], [0.94], ms=6, mfc="white", transform=ax.transAxes, **style.BATCH_NORM.points())
    ax.text(0.07, 0.94, "before training", transform=ax.transAxes, va="center")
    for row, look in enumerate(LOOKS.values()):
        ax.plot([0.03], [0.86 - 0.08 * row], ms=6, transform=ax.transAxes, **look.points())
        text = f"{look.label}, trained"
        ax.text(0.07, 0.86 - 0.08 * row, text, color=look.ink, transform=ax.transAxes, va="center")
