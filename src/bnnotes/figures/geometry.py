"""The main figure of chapter 4: triangle, gradients and the vectors behind them."""

from __future__ import annotations

import numpy as np

from . import style
from .geometry_sphere import GRAY, LABELS, VERTICES, Sphere
from .live import LiveFigure

BARS = (
    (
        "BN $\\partial C/\\partial W$\n$\\sin\\theta_1\\,\\sin\\theta_2\\,\\cos\\varphi$",
        style.BATCH_NORM,
    ),
    ("baseline $\\partial C/\\partial W$\n$\\cos\\theta_3$", style.BASELINE),
    ("BN $\\partial C/\\partial\\gamma$\n$\\cos\\theta_1$", style.BATCH_NORM),
)


class TriangleFigure(LiveFigure):
    """The sphere on the left; three gradients and the entries of three vectors on the right.

    Parameters
    ----------
    largest : float
        The largest size that an entry of a vector can have.
    """

    def __init__(self, largest):
        super().__init__(8.4, 4.3)
        options = {"width_ratios": (4.3, 3.6), "height_ratios": (1.35, 1.1)}
        (ball, self._bars), (rest, self._entries) = self.axes(2, 2, gridspec_kw=options)
        rest.remove()
        self.figure.subplots_adjust(
            left=0, right=0.925, bottom=0.08, top=0.97, wspace=0.42, hspace=0.5
        )
        ball.set_position((0.0, 0.0, 4.3 / 8.4, 1.0))
        self._sphere = Sphere(ball, self.moving)
        self._note = self.moving(ball.text(0, 0, "", ha="center", va="center", fontsize=10))
        self._radius = self.moving(ball.text(-1.27, -1.27, ""))
        self._dimensions = self.moving(ball.text(1.27, -1.27, "", ha="right"))
        self._make_bars()
        self._make_entries(largest)

    def _make_bars(self):
        ax = self._bars
        ax.set(xlim=(-1, 1), ylim=(2.6, -0.6), xlabel="size, in units of its amplitude")
        ax.axvline(0, color=style.INK, lw=style.THIN)
        ax.set_yticks(range(3), [label for label, _ in BARS])
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        self._patches, self._values = [], []
        for row, (_, look) in enumerate(BARS):
            fill = (
                {"fc": "white", "ls": look.linestyle}
                if look is style.BASELINE
                else {"fc": look.color}
            )
            (bar,) = ax.barh(row, 0, 0.42, ec=look.color, lw=1.4, **fill)
            self._patches.append(self.moving(bar))
            value = ax.text(1.03, row, "", va="center", transform=ax.get_yaxis_transform())
            self._values.append(self.moving(value))

    def _make_entries(self, largest):
        ax = self._entries
        ax.set(
            xlim=(0, 1),
            ylim=(-largest, largest),
            xticks=[],
            xlabel="samples of the batch",
            ylabel="entry",
        )
        ax.spines["bottom"].set_visible(False)
        ax.axhline(0, color=GRAY, lw=style.THIN)
        self._points = [self.moving(ax.plot([], [], ms=4, **look.points())[0]) for look in VERTICES]
        for k, (name, look) in enumerate(zip(LABELS, VERTICES, strict=True)):
            place = ax.transAxes
            ax.text(
                1.04,
                0.85 - 0.33 * k,
                name,
                color=look.ink,
                transform=place,
                va="center",
                fontsize=11,
            )
            ax.plot(
                [1.13], [0.85 - 0.33 * k], transform=place, clip_on=False, ms=4, **look.points()
            )

    @property
    def corners(self):
        """The markers of x̂, Δ̂ and û."""
        return self._sphere.dots

    @property
    def labels(self):
        """The names of corners, sides, φ and samples."""
        return self._sphere.labels

    @property
    def drawn(self):
        """Where x̂, Δ̂ and û are drawn: picture coordinates (3, 2), the sphere of radius 1."""
        return np.array([dot.get_data() for dot in self.corners], float)[:, :, 0]

    def update(self, result):
        """Draw the triangle, its gradients, its vectors.

        Parameters
        ----------
        result : object
            With M_B, points, wished, spokes, azimuth, elevation, gradients
            (three numbers between −1 and 1), vectors (3, M_B), explanation.
        """
        self._note.set_text(result.explanation)
        if result.points is None:
            self._sphere.hide()
            gradients, vectors = (), np.empty((3, 0))
            self._radius.set_text("")
        else:
            unit = np.sqrt(result.M_B)
            corners = result.points / unit, result.wished / unit
            self._sphere.draw(result.M_B, *corners, result.spokes, result.azimuth, result.elevation)
            gradients, vectors = result.gradients, result.vectors
            self._radius.set_text(rf"radius $\sqrt{{M_B}}$ = {unit:.2f}")
        self._dimensions.set_text(_dimensions(result.M_B))
        self._show_bars(gradients)
        self._show_entries(vectors)

    def _show_bars(self, gradients):
        for k, (bar, value) in enumerate(zip(self._patches, self._values, strict=True)):
            bar.set_visible(bool(len(gradients)))
            value.set_text("")
            if len(gradients):
                bar.set_width(gradients[k])
                # No "−0.00": a zero has no sign.
                value.set_text(f"{round(gradients[k], 2) + 0.0:.2f}".replace("-", "−"))

    def _show_entries(self, vectors):
        slots = vectors.shape[1]
        for k, (line, entries) in enumerate(zip(self._points, vectors, strict=True)):
            line.set_markersize(4 if slots < 20 else 2.5)
            line.set_data((np.arange(slots) + 0.5 + 0.22 * (k - 1)) / max(slots, 1), entries)


def _dimensions(M_B):
    """Return how much of sample space, without its mean, the picture shows."""
    few = {1: "", 2: "1 dimension: a line", 3: "2 dimensions: a plane"}
    return few.get(M_B, f"3 of {M_B - 1} dimensions")
