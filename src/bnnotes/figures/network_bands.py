"""Medians and ranges over seeds."""

from __future__ import annotations

import numpy as np

from . import picture, style

TRAIN_MODE = style.Look("#D55E00", ":", "s", "BN, train mode")

LOOKS = {
    "baseline": style.BASELINE,
    "baseline, centered": style.Look("#009E73", "-.", "^", "baseline, centered"),
    "baseline, scaled": style.Look(style.Y.color, ":", "D", "baseline, scaled"),
    "BN everywhere": style.BATCH_NORM,
    "BN everywhere, lengths held": style.Look("#D55E00", "--", "s", "BN, lengths held"),
    "BN everywhere, train mode": TRAIN_MODE,
    "inference mode": style.BATCH_NORM,
    "BN hidden only": style.BN_HIDDEN,
    "BN hidden only, train mode": style.BN_HIDDEN._replace(linestyle=":", marker="d"),
}


def _band(ax, band, look, name=None):
    ax.fill_between(band.axis, band.low, band.high, color=look.color, alpha=0.18, lw=0)
    ax.plot(band.axis, band.median, **look.line(marker=look.marker), clip_on=False, label=name)
    stopped = band.axis[band.stopped > 0]
    cross = {"marker": "X", "ms": 8, "mec": "white", "clip_on": False, "zorder": 3}
    ax.plot(stopped, np.zeros(len(stopped)), **look.points(**cross))


def rates(panels, chance, alt):
    """Return held-out accuracy over the learning rate, one panel per batch size.

    Parameters
    ----------
    panels : dict
        Batch size → {name: band}. A name is one of LOOKS; a band has axis, median, low, high,
        and stopped: a cross stands at the bottom where some of its trainings did not end.
    chance : float
        Accuracy of a guess.
    alt : str

    Returns
    -------
    Picture
    """
    figure = picture.new_figure(8.4, 3.2)
    axes = np.atleast_1d(picture.new_axes(figure, 1, len(panels), sharey=True))
    figure.subplots_adjust(left=0.08, right=0.99, bottom=0.28, top=0.9, wspace=0.12)
    for ax, (M_B, bands) in zip(axes, panels.items(), strict=True):
        for name, band in bands.items():
            _band(ax, band, LOOKS[name], name)
        ax.axhline(chance, color=style.INK, lw=0.5, ls=":")
        ax.set(xscale="log", ylim=(0, 1), xlabel="learning rate η")
        rates = next(iter(bands.values())).axis
        ax.set_xticks(rates, [f"{x:g}" for x in rates])
        ax.minorticks_off()
        ax.text(0.5, 1.05, f"$M_B$ = {M_B}", transform=ax.transAxes, ha="center")
    axes[0].set_ylabel("held-out accuracy")
    axes[0].text(axes[0].get_xlim()[0] * 1.2, chance + 0.02, "chance", fontsize=8)
    names = axes[0].get_legend_handles_labels()
    figure.legend(*names, frameon=False, loc="lower center", ncols=len(bands))
    return picture.still(figure, alt)


def modes(bands, chance, alt):
    """Return held-out accuracy over the batch size.

    Parameters
    ----------
    bands : dict of str to Band
        A name is one of LOOKS.
    chance : float
    alt : str

    Returns
    -------
    Picture
    """
    figure = picture.new_figure(8.0, 3.2)
    ax = picture.new_axes(figure)
    figure.subplots_adjust(left=0.08, right=0.66, bottom=0.17, top=0.95)
    for name, band in bands.items():
        _band(ax, band, LOOKS[name], name)
    ax.axhline(chance, color=style.INK, lw=0.5, ls=":")
    ax.set(xscale="log", ylim=(0, 1), xlabel="batch size $M_B$", ylabel="held-out accuracy")
    ax.set_xticks(band.axis, [str(x) for x in band.axis])
    ax.minorticks_off()
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return picture.still(figure, alt)


def mix(share, modes, alt):
    """Return accuracy over the share of one class in the batch, median and range.

    Parameters
    ----------
    share : ndarray, shape (n,)
    modes : dict of str to ndarray, shape (batches, n)
        A name is one of LOOKS.
    alt : str

    Returns
    -------
    Picture
    """
    figure = picture.new_figure(7.6, 2.9)
    ax = picture.new_axes(figure)
    figure.subplots_adjust(left=0.09, right=0.64, bottom=0.18, top=0.95)
    for name, rows in modes.items():
        look = LOOKS[name]
        low, high = rows.min(axis=0), rows.max(axis=0)
        ax.fill_between(share, low, high, color=look.color, alpha=0.14, lw=0)
        marked = look.line(marker=look.marker, label=name, clip_on=False)
        ax.plot(share, np.median(rows, axis=0), **marked)
    ax.set(
        xlim=(0, 1),
        ylim=(0.3, 1.02),
        xlabel="share of odd digits in the batch",
        ylabel="share of right answers",
    )
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return picture.still(figure, alt)


def lengths(curves, predicted, alt):
    """Return ‖W_i‖² of every neuron over the steps, without and with weight decay.

    Parameters
    ----------
    curves : sequence of two ndarrays, shape (steps, n)
    predicted : ndarray, shape (n,)
        Where the lengths with decay are to settle.
    alt : str

    Returns
    -------
    Picture
    """
    figure = picture.new_figure(8.4, 2.9)
    axes = picture.new_axes(figure, 1, 2)
    figure.subplots_adjust(left=0.08, right=0.97, bottom=0.18, top=0.88, wspace=0.28)
    texts = "no decay: it never shrinks", "with decay: it settles (dotted: predicted)"
    for ax, rows, text in zip(axes, curves, texts, strict=True):
        ax.plot(rows, color=style.GRADIENT.color, lw=0.8, alpha=0.6)
        ax.set(xlim=(0, len(rows)), ylim=(0, None), xlabel="step")
        ax.text(0.5, 1.05, text, transform=ax.transAxes, ha="center")
    axes[0].set_ylabel("$\\Vert W_i\\Vert^2$, one line a neuron")
    for level in predicted:
        axes[1].plot(
            [len(curves[1]) * 0.5, len(curves[1])], [level] * 2, color="#D55E00", ls=":", lw=1.4
        )
    return picture.still(figure, alt)
