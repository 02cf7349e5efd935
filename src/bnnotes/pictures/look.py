"""One look per quantity, the same in the whole book, and stills with alternative text.

Colors are from the Okabe–Ito palette, which color-blind readers can tell apart; the light ones are
darkened until they stand out from white. Line style and marker are the second cue.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import html
import io
import threading
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.colors import FuncNorm, to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from PIL import Image

DPI = 100
FONT_SIZE, SMALLEST = 9, 8  # points
INK = "#222222"
THIN = 0.8
FAINT = "#BBBBBB"

# Diverging, for signed entries; white is zero.
SIGNED = "RdBu_r"


@functools.cache
def legible(color):
    """Return a color darkened until its contrast to white is that of legible text, 4.5 : 1."""
    rgb, share = np.array(to_rgb(color)), 1.0
    while _luminance(share * rgb) > 1.05 / 4.5 - 0.05:
        share -= 0.01
    return to_hex(share * rgb)


def _luminance(rgb):
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ (0.2126, 0.7152, 0.0722)


class Look(NamedTuple):
    """Color, line style, marker and label of one quantity."""

    color: str
    linestyle: str
    marker: str
    label: str

    @property
    def ink(self):
        """The color for text, dark enough to read."""
        return legible(self.color)

    def line(self, **changes):
        """Return keyword arguments for a line."""
        return {"color": self.color, "linestyle": self.linestyle, **changes}

    def points(self, **changes):
        """Return keyword arguments for points without a line."""
        return {"color": self.color, "linestyle": "none", "marker": self.marker, **changes}


DELTA = Look("#D55E00", "-", "s", r"$\Delta$")
X = Look("#3D9BD3", "-", "v", r"$x$")
X_HAT = Look("#0072B2", "-", "o", r"$\hat{x}$")
Y = Look("#CC79A7", "-", "D", r"$y$")
U = Look("#009E73", "-", "^", r"$u$")
GRADIENT = Look("#000000", "-", "o", "gradient")
# Chapter 7 alone, where y stands in no picture.
WRONG = Look("#CC79A7", ":", "D", "wrong gradient")
BATCH_NORM = Look("#000000", "-", "o", "BN")
BN_HIDDEN = Look("#0072B2", "-", "v", "BN hidden only")
BASELINE = Look("#767676", "--", "x", "baseline")
THETA1 = Look("#C28400", "-", "o", r"$\theta_1$")
THETA2 = Look("#3D9BD3", "--", "^", r"$\theta_2$")
THETA3 = Look("#CC79A7", "-.", "s", r"$\theta_3$")
PHI = Look("#222222", ":", "D", r"$\varphi$")

# Two classes of samples.
CLASS_0 = Look("#0072B2", "-", "o", "class 0")
CLASS_1 = Look("#C28400", "--", "^", "class 1")

RC = {
    "font.size": FONT_SIZE,
    "font.family": "DejaVu Sans",
    "axes.linewidth": THIN,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": THIN,
    "ytick.major.width": THIN,
    "text.color": INK,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
}

STRIP = 0.25  # inches, of a note below a picture or a heading above it
# A slider may be answered in one thread while a cell runs in another, and matplotlib has its
# settings in common for all: two that draw at once could leave the look of the book behind.
ONE_AT_A_TIME = threading.RLock()
# All settings, whatever the reader has set; but for the backend, which draws nothing here.
_ALL = mpl.rcParamsDefault.copy() | mpl.RcParams(RC)
del _ALL["backend"]
# numpy's own answers to what overflows: a reader's may be to raise where a small number vanishes.
_NUMPY = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}


@contextlib.contextmanager
def settings():
    """Draw in the look of the book; other threads wait with theirs."""
    with ONE_AT_A_TIME, mpl.rc_context(), numpy_settings():
        dict.update(mpl.rcParams, _ALL)  # as rc_context itself: checking all takes longer than that
        yield


def numpy_settings():
    """Compute for a picture, whatever the reader has told numpy about overflow."""
    return np.errstate(**_NUMPY, call=None)


def new_figure(width, height):
    """Return a figure of `width` × `height` inches in the look of the book."""
    with settings():
        return Figure(figsize=(width, height), dpi=DPI)


def new_axes(figure, rows=1, columns=1, **options):
    """Return new axes in the look of the book, as `Figure.subplots` does."""
    with settings():
        return figure.subplots(rows, columns, **options)


def chart(width, height, columns=1, sharey=False, **edges):
    """Return a figure for a still, and its axes within the edges of `Figure.subplots_adjust`."""
    figure = new_figure(width, height)
    axes = new_axes(figure, 1, columns, sharey=sharey)
    figure.subplots_adjust(**edges)
    return figure, axes


def explanation(ax):
    """Return a boxed text in the middle of the axes, for where there is nothing to draw."""
    return ax.text(
        *(0.5, 0.55, ""),
        transform=ax.transAxes,
        ha="center",
        va="center",
        linespacing=1.4,
        bbox={"facecolor": "white", "edgecolor": INK, "boxstyle": "round,pad=0.6"},
    )


def key(ax, **entries):
    """Write what the marks mean above the axes: their places from 0 to 1, texts and colors."""
    for text, (place, color) in entries.items():
        ax.text(place, 1.03, text, color=color, transform=ax.transAxes, va="bottom")


def signed_root(v):
    return np.sign(v) * np.sqrt(np.abs(v))


def signed_norm():
    """Return a scale of roots, so that −1/M_B can be told from 0 beside a diagonal near 1."""
    return FuncNorm((signed_root, lambda v: np.sign(v) * v**2), vmin=-1, vmax=1)


def signed_bar(figure, colors, ax):
    """Draw the color bar of what has this scale."""
    bar = figure.colorbar(colors, ax=ax, ticks=[-1, -0.25, 0, 0.25, 1], fraction=0.05)
    bar.ax.set_yticklabels(["−1", "−¼", "0", "¼", "1"])
    bar.outline.set_linewidth(THIN)


def spectrum(ax, largest):
    """Prepare axes for up to so many eigenvalues of M, over their number."""
    ticks = [2**k for k in range(largest.bit_length())]
    ax.set(xscale="log", xlim=(0.8, 1.3 * largest), ylim=(-0.06, 1.1))
    ax.set(xticks=ticks, xticklabels=ticks, yticks=[0, 0.5, 1])
    ax.minorticks_off()
    ax.set(xlabel="number of the eigenvalue", ylabel=r"eigenvalue of $\mathbf{M}$")


def number(value, decimals=2, sign=""):
    """Return a number with so many decimals, a true minus, and no minus before 0.00."""
    return f"{round(float(value), decimals) + 0:{sign}.{decimals}f}".replace("-", "−")


def slots(count):
    """Return where `count` samples stand on an axis from 0 to 1."""
    return (np.arange(count) + 0.5) / max(count, 1)


def stems(x, heights):
    """Return the points of a line that draws a stem for every height."""
    zeros = np.zeros(len(heights))
    return np.repeat(x, 3), np.stack([zeros, heights, zeros + np.nan], axis=1).ravel()


class Picture:
    """A still with its alternative text.

    Attributes
    ----------
    png : bytes
    alt : str
        What the picture shows, for those who do not see it.
    width : int
        In CSS pixels; the image itself is finer.
    """

    def __init__(self, png, alt, width):
        self.png, self.alt, self.width = png, alt, width

    def __repr__(self):
        return self.alt

    def _repr_mimebundle_(self, include=None, exclude=None):
        # As HTML alone: JupyterLab gives a plain image no alternative text.
        encoded = base64.b64encode(self.png).decode()
        tag = (
            f'<img alt="{html.escape(self.alt)}" width="{self.width}" '
            f'src="data:image/png;base64,{encoded}">'
        )
        return {"text/html": tag, "text/plain": self.alt}


def still(figure, alt, note=""):
    """Return a matplotlib figure as a `Picture`, twice as fine as the screen.

    A note is written on a strip of its own below the figure.
    """
    return below_each_other([panel(figure, note)], alt)


def panel(figure, note="", heading=""):
    """Return a figure as an image, a note on a strip below it, a heading on one above."""
    width, height = figure.get_size_inches()
    below, above = (STRIP if text else 0 for text in (note, heading))
    out = io.BytesIO()
    with settings(), contextlib.ExitStack() as afterwards:
        for y, text, color in (
            (-below / 2, note, BASELINE.color),
            (height + above / 2, heading, INK),
        ):
            options = {"va": "center", "color": color, "in_layout": False}
            afterwards.callback(figure.text(0.01, y / height, text, **options).remove)
        figure.savefig(
            out,
            format="png",
            dpi=2 * DPI,
            bbox_inches=Bbox([[0, -below], [width, height + above]]),
            metadata={"Software": None},  # its version would make every update a change
            pil_kwargs={"compress_level": 0},  # it is read below, and kept nowhere
        )
    return Image.open(out).convert("RGB")


def below_each_other(panels, alt):
    """Return panels of one width as one `Picture`."""
    width, height = panels[0].width, sum(image.height for image in panels)
    joined = Image.new("RGB", (width, height))
    for k, image in enumerate(panels):
        joined.paste(image, (0, sum(above.height for above in panels[:k])))
    out = io.BytesIO()
    few_colors(joined).save(out, "png", optimize=True)
    return Picture(out.getvalue(), alt, round(width / 2))


def few_colors(image):
    """Return an RGB image with a palette of 256 colors, in which it takes a third of the room.

    The most frequent colors stay as they are, so that in a heat map a zero is as white as it was;
    the rest of the palette are those that lie farthest from these.
    """
    found = image.getcolors(image.width * image.height)
    colors = np.array([color for _, color in sorted(found, reverse=True)], np.int32)
    palette = list(colors[:192])
    off = np.min([_apart(colors, color) for color in palette], axis=0)
    while len(palette) < 256 and off.any():
        palette.append(colors[off.argmax()])
        off = np.minimum(off, _apart(colors, palette[-1]))
    nearest = np.argmin([_apart(colors, color) for color in palette], axis=0)
    places = np.zeros(256**3, np.uint8)  # in the palette, of each color
    places[colors @ _BYTES] = nearest
    indexed = Image.fromarray(places[np.asarray(image, np.int32) @ _BYTES])
    indexed.putpalette(np.array(palette, np.uint8).tobytes())
    return indexed


_BYTES = np.array([256**2, 256, 1], np.int32)


def _apart(colors, color):
    return ((colors - color) ** 2).sum(axis=1)
