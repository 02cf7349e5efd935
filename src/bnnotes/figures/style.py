"""One look per quantity, the same in the whole book.

Colors are from the Okabe–Ito palette, which color-blind readers can tell
apart. Line style and marker are the second cue.
"""

from __future__ import annotations

from typing import NamedTuple

FONT_SIZE = 9
INK = "#222222"
THIN = 0.8

# Diverging, for signed entries; white is zero.
SIGNED = "RdBu_r"


class Look(NamedTuple):
    """Color, line style, marker and label of one quantity."""

    color: str
    linestyle: str
    marker: str
    label: str

    def line(self, **changes):
        """Return keyword arguments for a line."""
        return {"color": self.color, "linestyle": self.linestyle, **changes}

    def points(self, **changes):
        """Return keyword arguments for points without a line."""
        return {"color": self.color, "linestyle": "none", "marker": self.marker, **changes}


DELTA = Look("#D55E00", "-", "s", r"$\Delta$")
X = Look("#56B4E9", "-", "v", r"$x$")
X_HAT = Look("#0072B2", "-", "o", r"$\hat{x}$")
Y = Look("#CC79A7", "-", "D", r"$y$")
U = Look("#009E73", "-", "^", r"$u$")
GRADIENT = Look("#000000", "-", "o", "gradient")
# Chapter 7 alone, where y stands in no picture.
WRONG = Look("#CC79A7", ":", "D", "wrong gradient")
BATCH_NORM = Look("#000000", "-", "o", "BN")
BASELINE = Look("#767676", "--", "x", "baseline")
THETA1 = Look("#E69F00", "-", "o", r"$\theta_1$")
THETA2 = Look("#56B4E9", "--", "^", r"$\theta_2$")
THETA3 = Look("#CC79A7", "-.", "s", r"$\theta_3$")
PHI = Look("#222222", ":", "D", r"$\varphi$")

# Two classes of samples.
CLASS_0 = Look("#0072B2", "-", "o", "class 0")
CLASS_1 = Look("#E69F00", "--", "^", "class 1")

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
