"""The pictures of chapter 1 that do not move."""

from __future__ import annotations

import numpy as np

from . import picture, style

DTYPE_LOOKS = {
    "float64": {"color": style.INK, "marker": "o"},
    "float32": {"color": style.DELTA.color, "marker": "x"},
}


def samples(psi, captions, alt):
    """Draw images of digits in one row, each with its caption.

    Parameters
    ----------
    psi : array_like, shape (n, 64)
        Pixels between 0 and 1, 8 × 8.
    captions : sequence of str
    alt : str
        What the row shows, for those who do not see it.

    Returns
    -------
    Picture
    """
    figure = picture.new_figure(8.0, 1.15)
    axes = picture.new_axes(figure, 1, len(captions))
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.02, top=0.78, wspace=0.15)
    for ax, image, caption in zip(axes, np.reshape(psi, (-1, 8, 8)), captions, strict=True):
        # Dark ink on white paper.
        ax.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        ax.set_axis_off()
        ax.text(0.5, 1.1, caption, ha="center", va="bottom", transform=ax.transAxes)
    return picture.still(figure, alt)


def precision(y, errors):
    """Draw the relative error of a form that overflows, over the logit.

    Parameters
    ----------
    y : ndarray, shape (n,)
        Logits, ascending.
    errors : dict of str to ndarray
        For "float64" and "float32" the relative error at each logit, nan
        where the form gave no number.

    Returns
    -------
    Picture
    """
    figure = picture.new_figure(6.4, 2.9)
    ax = picture.new_axes(figure)
    figure.subplots_adjust(left=0.12, right=0.97, bottom=0.17, top=0.95)
    ax.set(xlabel="logit $y$, label 0", ylabel="relative error of $\\Delta$")
    ax.set(yscale="log", xlim=(y[0], y[-1]), ylim=(1e-17, 10))
    ax.minorticks_off()
    ends = []
    for dtype, error in errors.items():
        look = DTYPE_LOOKS[dtype]
        ax.plot(y, error, ls="none", ms=2.5, clip_on=False, **look)
        end = y[np.flatnonzero(np.isfinite(error))[-1]]
        ends.append(f"{dtype} beyond {end:.0f}")
        ax.axvline(end, color=look["color"], lw=style.THIN, linestyle=":")
        said = {"color": style.legible(look["color"]), "ha": "left", "va": "center", "fontsize": 8}
        ax.text(end + 0.5, 0.1, f"{dtype}:\nno number\nbeyond {end:.0f}", **said)
    return picture.still(
        figure,
        "The relative error of the output error as printed in S4 grows like exp(y), until there "
        f"is no number any more: {', '.join(ends)}.",
    )
