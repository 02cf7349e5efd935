"""The pictures of chapter 5 that do not move: factors per layer, degrees, the explosion."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import FixedLocator, NullLocator

from . import picture, style

MARKS = ("o", "s", "^", "D")
SHADES = ("#000000", "#595959", "#8C8C8C", "#B5B5B5", "#D6D6D6")
INK, GRAY = style.INK, style.BASELINE.color


def factors(measured, limits):
    """Draw the factor of ‖Δ‖² of every layer beside its limit.

    Parameters
    ----------
    measured : dict of str to ndarray, shape (layers,)
        By activation, from the top down.
    limits : dict of str to float

    Returns
    -------
    Picture
    """
    figure = picture.new_figure(6.4, 3.0)
    ax = picture.new_axes(figure)
    figure.subplots_adjust(left=0.11, right=0.73, bottom=0.17, top=0.96)
    layers = max(len(values) for values in measured.values())
    ax.set(xlim=(0.5, layers + 0.5), xlabel="layers passed, from the top down")
    ax.set(ylabel=r"$\Vert\Delta^l\Vert^2\;/\;\Vert\Delta^{l+1}\Vert^2$", ylim=(0.95, 1.6))
    ax.xaxis.set_major_locator(FixedLocator(range(1, layers + 1)))
    for (name, values), mark in zip(measured.items(), MARKS, strict=False):
        ax.axhline(limits[name], color=GRAY, lw=3, alpha=0.4)
        ax.plot(np.arange(1, len(values) + 1), values, color=INK, ls="none", marker=mark, ms=5)
        place = {"xytext": (10, 0), "textcoords": "offset points", "va": "center"}
        text = f"{name}, limit {limits[name]:.3f}"
        ax.annotate(text, (layers + 0.5, limits[name]), annotation_clip=False, **place)
    said = ", ".join(f"{name} close to {limits[name]:.3f}" for name in measured)
    return picture.still(figure, f"The factor of ‖Δ‖² over {layers} layers: {said}.")


def shares(degrees, means):
    """Draw how the variance of g(z) is made up of degrees.

    Parameters
    ----------
    degrees : dict of str to ndarray, shape (highest,)
        By activation, the shares of degrees 1, 2, …
    means : dict of str to float
        Mean degree.

    Returns
    -------
    Picture
    """
    figure = picture.new_figure(6.4, 2.0)
    ax = picture.new_axes(figure)
    figure.subplots_adjust(left=0.11, right=0.76, bottom=0.25, top=0.95)
    ax.set(xlim=(0, 1), ylim=(len(degrees) - 0.4, -0.6), xlabel="share of Var[g(z)]")
    ax.set_yticks(range(len(degrees)), list(degrees))
    ax.tick_params(axis="y", length=0)
    for row, (name, values) in enumerate(degrees.items()):
        left = 0.0
        for k, share in enumerate(values):
            color = SHADES[min(k, len(SHADES) - 1)]
            ax.barh(row, share, 0.6, left, color=color, ec="white", lw=0.6)
            if share > 0.045:
                ink = "white" if k < 3 else INK
                ax.text(left + share / 2, row, f"{k + 1}", color=ink, ha="center", va="center")
            left += share
        place = {"xytext": (10, 0), "textcoords": "offset points", "va": "center"}
        ax.annotate(f"mean degree {means[name]:.3f}", (1, row), annotation_clip=False, **place)
    said = "; ".join(
        f"{name}: degree 1 has {values[0]:.0%}, the mean degree is {means[name]:.3f}"
        for name, values in degrees.items()
    )
    return picture.still(figure, f"Shares of the degrees in the variance of g(z). {said}.")


def explosion(curves, powers):
    """Draw ‖Δ‖² over the layers that it has passed.

    Parameters
    ----------
    curves : dict of str to ndarray, shape (layers,)
        ``"BN"`` and baselines, from the top down, beginning with 1.
    powers : sequence of int
        Powers of ten to mark where BN crosses them.

    Returns
    -------
    Picture
    """
    figure = picture.new_figure(7.2, 3.4)
    ax = picture.new_axes(figure)
    figure.subplots_adjust(left=0.1, right=0.72, bottom=0.16, top=0.95)
    layers = max(len(values) for values in curves.values())
    ax.set(yscale="log", xlim=(0, layers), xlabel="layers passed, from the top down")
    ax.set_ylabel(r"$\Vert\Delta^l\Vert^2\;/\;\Vert\Delta^L\Vert^2$")
    lowest = min(values.min() for values in curves.values())
    ax.set_ylim(10.0 ** np.floor(np.log10(lowest)), 10.0 ** (max(powers) + 3))
    ax.yaxis.set_major_locator(FixedLocator(10.0 ** np.arange(-60, 60, 4)))
    ax.yaxis.set_minor_locator(NullLocator())
    for name, values in curves.items():
        look = style.BATCH_NORM if name == "BN" else style.BASELINE
        ax.plot(np.arange(len(values)), values, **look.line())
        place = {"xytext": (8, 0), "textcoords": "offset points", "va": "center"}
        end = (len(values) - 1, values[-1])
        ax.annotate(name, end, color=look.ink, annotation_clip=False, **place)
    crossings = {k: crossed(curves["BN"], k) for k in powers}
    for k, layer in crossings.items():
        ax.plot([layer, layer], [ax.get_ylim()[0], 10.0**k], color=INK, ls=":", lw=1)
        ax.plot([layer], [10.0**k], **style.BATCH_NORM.points())
        ax.annotate(
            f"{layer}", (layer, 10.0**k), xytext=(-4, 5), textcoords="offset points", ha="right"
        )
    said = ", ".join(f"1e{k} after {layer}" for k, layer in crossings.items())
    ends = {name: np.log10(v[-1]) for name, v in curves.items() if name != "BN"}
    others = ", ".join(f"{name}: 1e{power:.0f}" for name, power in ends.items())
    alt = f"‖Δ‖² with BN passes {said} layers. After {layers - 1} layers, {others}."
    return picture.still(figure, alt)


def crossed(norms, power):
    """Return after how many layers ‖Δ‖² first passes a power of ten."""
    above = np.flatnonzero(norms > 10.0**power)
    if not above.size:
        raise ValueError(f"power: got {power}, wanted one that is passed")
    return int(above[0])


def small_batches(sizes, values, predicted):
    """Draw the factor of ‖Δ‖² of linear layers over the batch size.

    Parameters
    ----------
    sizes : sequence of int
    values : ndarray, shape (sizes, layers)
        Measured, of many layers.
    predicted : sequence of float
        Their means, inf where there is none.

    Returns
    -------
    Picture
    """
    figure = picture.new_figure(6.4, 3.0)
    ax = picture.new_axes(figure)
    figure.subplots_adjust(left=0.11, right=0.97, bottom=0.17, top=0.9)
    ax.set(xscale="log", yscale="log", xlabel=r"batch size $M_B$", ylim=(0.9, 12))
    ax.set_ylabel(r"$\Vert\Delta^l\Vert^2\;/\;\Vert\Delta^{l+1}\Vert^2$")
    ax.xaxis.set_major_locator(FixedLocator(list(sizes)))
    ax.set_xticklabels([str(size) for size in sizes])
    ax.yaxis.set_major_locator(FixedLocator([1, 1.5, 2, 3, 5, 10]))
    ax.set_yticklabels(["1", "1.5", "2", "3", "5", "10"])
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_locator(NullLocator())
    finite = np.isfinite(predicted)
    fine = np.geomspace(np.array(sizes)[finite][0], sizes[-1], 200)
    ax.plot(fine, (fine - 2) / (fine - 3), color=GRAY, lw=4, alpha=0.5)
    for size, layers in zip(sizes, values, strict=True):
        ax.plot([size, size], np.quantile(layers, (0.1, 0.9)), color=INK, lw=1)
        ax.plot([size], [np.median(layers)], **style.BATCH_NORM.points())
        ax.plot([size], [layers.mean()], color=INK, marker="_", ms=11, ls="none")
    ax.annotate(
        "infinite mean", (3, 9.5), ha="left", xytext=(8, 0), textcoords="offset points", va="center"
    )
    ax.annotate("", (3, 11.5), xytext=(3, 7.5), arrowprops={"arrowstyle": "->", "color": INK})
    marks = {"● median": 0.0, "| eight layers in ten": 0.16, "– mean": 0.46}
    for text, place in marks.items():
        ax.text(place, 1.03, text, transform=ax.transAxes)
    ax.text(0.6, 1.03, r"— $(M_B-2)/(M_B-3)$", transform=ax.transAxes, color=GRAY)
    said = ", ".join(
        f"{np.median(layers):.2f} at {size}" for size, layers in zip(sizes, values, strict=True)
    )
    return picture.still(
        figure, f"The median factor of ‖Δ‖² per linear layer by batch size: {said}."
    )
