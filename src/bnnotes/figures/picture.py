"""Stills with alternative text."""

from __future__ import annotations

import base64
import contextlib
import html
import io
import threading

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from PIL import Image

from . import style

NOTE_HEIGHT = 0.25  # inches
# A slider may be answered in one thread while a cell runs in another, and matplotlib has its
# settings in common for all: two that draw at once could leave the look of the book behind.
_DRAWING = threading.RLock()


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
        # JupyterLab gives a plain image no alternative text, so it gets the picture as Markdown.
        encoded = base64.b64encode(self.png).decode()
        tag = (
            f'<img alt="{html.escape(self.alt)}" width="{self.width}" '
            f'src="data:image/png;base64,{encoded}">'
        )
        data = {"image/png": self.png, "text/markdown": tag, "text/plain": self.alt}
        return data, {"image/png": {"alt": self.alt, "width": self.width}}


@contextlib.contextmanager
def look():
    """Draw in the look of the book; other threads wait with theirs."""
    with _DRAWING, mpl.rc_context(style.RC):
        yield


def new_figure(width, height):
    """Return a figure of `width` × `height` inches in the look of the book."""
    with look():
        return Figure(figsize=(width, height), dpi=100)


def new_axes(figure, rows=1, columns=1, **options):
    """Return new axes in the look of the book, as `Figure.subplots` does."""
    with look():
        return figure.subplots(rows, columns, **options)


def still(figure, alt, note=""):
    """Return a matplotlib figure as a `Picture`, twice as fine as the screen.

    A note is written on a strip of its own below the figure.
    """
    width, height = figure.get_size_inches()
    strip = NOTE_HEIGHT if note else 0
    out = io.BytesIO()
    with look():
        written = figure.text(
            0.01,
            -strip / 2 / height,
            note,
            va="center",
            color=style.BASELINE.color,
            in_layout=False,
        )
        figure.savefig(
            out,
            format="png",
            dpi=2 * figure.dpi,
            bbox_inches=Bbox([[0, -strip], [width, height]]),
            metadata={"Software": None},  # its version would make every update a change
        )
        written.remove()
    return Picture(_small(out), alt, round(width * figure.dpi))


def _small(png):
    """Return the PNG with a palette of 256 colors, a third of the size."""
    out = io.BytesIO()
    with Image.open(png) as image:
        # Of the methods this one keeps the small steps of a color bar.
        method, dither = Image.Quantize.MAXCOVERAGE, Image.Dither.NONE
        palette = image.convert("RGB").quantize(256, method, dither=dither)
        palette.save(out, "png", optimize=True)
    return out.getvalue()
