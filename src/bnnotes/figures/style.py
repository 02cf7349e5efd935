"""One look per quantity, the same in the whole book.

Colors are from the Okabe–Ito palette, which color-blind readers can tell
apart; the light ones are darkened until they stand out from white. Line
style and marker are the second cue.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from matplotlib.colors import to_hex, to_rgb

FONT_SIZE = 9
INK = "#222222"
THIN = 0.8

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
