"""What one node sends back: its triangle, its length over θ1, its entries."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import FixedLocator

from . import style
from .live import LiveFigure
from .sample_space import explanation, key

SENT = style.GRADIENT
GRAY = style.BASELINE.color
ARC = np.linspace(0, 1, 61)
BOX = {"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.8}


class NodeFigure(LiveFigure):
    """The plane of x̂ and Δ̂; what is sent back over θ1; the same sample by sample.

    Parameters
    ----------
    shown : int
        At most so many samples of the batch are drawn.
    """

    def __init__(self, shown):
        super().__init__(9.0, 3.1)
        self._shown = shown
        plane, self._curve, self._samples = self.axes(1, 3)
        plane.set_position((0.01, 0.06, 0.33, 0.86))
        self._curve.set_position((0.405, 0.19, 0.3, 0.68))
        self._samples.set_position((0.775, 0.19, 0.215, 0.68))
        self._make_plane(plane)
        self._make_curve()
        self._make_samples()
        self._explanation = self.moving(explanation(self._curve))

    def _make_plane(self, ax):
        ax.set(xlim=(-1.28, 1.28), ylim=(-0.42, 1.3), aspect="equal")
        ax.set_axis_off()
        ax.plot(np.cos(np.pi * ARC), np.sin(np.pi * ARC), color="#C8C8C8", lw=style.THIN)
        ax.plot([-1, 1], [0, 0], color="#C8C8C8", lw=style.THIN)
        ax.text(0, -0.4, r"the half disk of radius $\sqrt{M_B}$", ha="center", color=GRAY)
        options = {"color": style.X_HAT.ink, "ha": "center", "va": "center", "size": 11}
        self.moving(ax.text(1.13, -0.05, r"$\hat x$", **options))
        self._x_hat = self._line(ax, style.X_HAT, lw=1.2, zorder=2)
        self._arc = self._line(ax, style.THETA1, lw=1.4, zorder=3)
        self._taken = self._line(ax, style.X_HAT, lw=5, solid_capstyle="butt", zorder=3)
        self._sent = self._line(ax, SENT, lw=2.4, zorder=4)
        self._delta = self._line(ax, style.DELTA, marker="s", markevery=[1], zorder=5)
        options = {"ha": "center", "va": "center", "bbox": BOX, "zorder": 6}
        self._labels = {
            name: self.moving(ax.text(0, 0, text, color=look.ink, **options))
            for name, text, look in (
                ("theta1", r"$\theta_1$", style.THETA1),
                ("delta", r"$\hat\Delta$", style.DELTA),
                ("sent", "sent back", SENT),
                ("taken", "taken out", style.X_HAT),
            )
        }

    def _line(self, ax, look, **options):
        return self.moving(ax.plot([], [], **look.line(**options))[0])

    def _make_curve(self):
        ax = self._curve
        ax.set(xlim=(-4, 184), ylim=(-0.03, 1.12), yticks=[0, 0.5, 1])
        ax.xaxis.set_major_locator(FixedLocator([0, 45, 90, 135, 180]))
        ax.xaxis.set_major_formatter("{x:.0f}°")
        ax.set(xlabel=r"$\theta_1$", ylabel=r"sent back, in $\sigma(\Delta)\sqrt{M_B}$")
        options = {"clip_on": False, "linestyle": "none", "color": GRAY, "zorder": 3}
        # S38 and S39: nothing at 0°, and the largest at 180°.
        ax.plot([0, 180], [0, 1], marker="x", markersize=9, markeredgewidth=2, **options)
        ax.text(176, 1.005, "the source", color=GRAY, ha="right", va="bottom")
        self._predicted = self.moving(ax.plot([], [], color=GRAY, lw=6, alpha=0.4)[0])
        self._measured = self.moving(ax.plot([], [], **SENT.points(markersize=2.5))[0])
        own = style.DELTA.points(markersize=5, alpha=0.65, mec="none", clip_on=False)
        self._own = self.moving(ax.plot([], [], **own)[0])
        here = SENT.points(markersize=9, fillstyle="none", mew=1.6, clip_on=False)
        self._here = self.moving(ax.plot([], [], **here)[0])
        key(
            ax,
            **{
                r"— from $\theta_1$": (-0.04, GRAY),
                "● measured": (0.25, style.INK),
                "■ the ten errors": (0.6, style.DELTA.ink),
            },
        )

    def _make_samples(self):
        ax = self._samples
        ax.set(xlim=(0, 1), ylim=(-1.08, 1.08), xticks=[], yticks=[-1, 0, 1])
        ax.axhline(0, color=style.INK, lw=style.THIN)
        self._connections = self.moving(ax.vlines([], [], [], color="#B0B0B0", lw=1))
        self._delta_s = self.moving(ax.plot([], [], **style.DELTA.points())[0])
        self._sent_s = self.moving(ax.plot([], [], **SENT.points(markersize=4))[0])
        options = {"transform": ax.transAxes, "ha": "center", "va": "top"}
        self._which = self.moving(ax.text(0.5, -0.05, "", **options))
        key(ax, **{r"■ $\hat\Delta$": (0.0, style.DELTA.ink), "● sent back": (0.22, style.INK)})

    def update(self, result):
        """Draw a node.

        Parameters
        ----------
        result : object
            ``M_B``, ``theta1`` in degrees, ``kappa``; over ``angles`` in
            degrees ``measured`` and ``predicted``; ``sent`` at θ1;
            ``own_angles`` and ``own_sent`` of the errors as they came;
            ``delta_hat`` and ``sent_entries`` (M_B,). Where ``sent`` is None,
            ``explanation`` says why.
        """
        defined = result.sent is not None
        for artist in self._moving:
            artist.set_visible(defined)
        self._explanation.set_visible(not defined)
        self._explanation.set_text(result.explanation)
        if defined:
            self._draw_plane(np.radians(result.theta1), result.kappa)
            self._draw_curve(result)
            self._draw_samples(result)

    def _draw_plane(self, theta1, kappa):
        cos, sin = np.cos(theta1), np.sin(theta1)
        self._x_hat.set_data([0, np.sqrt(kappa)], [0, 0])
        self._delta.set_data([0, cos], [0, sin])
        self._taken.set_data([0, kappa * cos], [0, 0])
        self._sent.set_data([kappa * cos, cos], [0, sin])
        self._arc.set_data(0.3 * np.cos(theta1 * ARC), 0.3 * np.sin(theta1 * ARC))
        half, outward = theta1 / 2, 1 if cos >= 0 else -1
        places = {
            "theta1": (0.45 * np.cos(half), 0.45 * np.sin(half)),
            "delta": (1.12 * cos, 0.14 + 1.02 * sin),
            "sent": ((1 + kappa) / 2 * cos + outward * 0.34, sin / 2),
            "taken": (kappa * cos / 2, -0.16),
        }
        length = np.hypot((1 - kappa) * cos, sin)
        shown = {
            "theta1": theta1 > 0.25,
            "delta": True,
            # Only where there is room for it, between the arc and the half circle.
            "sent": length > 0.35 and abs(cos) < 0.68,
            "taken": abs(kappa * cos) > 0.12,
        }
        for name, text in self._labels.items():
            text.set_position(places[name])
            text.set_visible(bool(shown[name]))

    def _draw_curve(self, result):
        self._predicted.set_data(result.angles, result.predicted)
        # Two samples have two angles, and nothing between them.
        between = len(result.angles) > 2
        self._predicted.set(linestyle="-" if between else "none", marker="" if between else "s")
        self._measured.set_data(result.angles, result.measured)
        self._own.set_data(result.own_angles, result.own_sent)
        self._here.set_data([result.theta1], [result.sent])

    def _draw_samples(self, result):
        shown = min(self._shown, result.M_B)
        places = (np.arange(shown) + 0.5) / shown
        delta, sent = (v[:shown] for v in (result.delta_hat, result.sent_entries))
        largest = np.abs([delta, sent]).max()
        delta, sent = delta / largest, sent / largest
        self._delta_s.set_data(places, delta)
        self._sent_s.set_data(places, sent)
        tops, feet = np.column_stack([places, delta]), np.column_stack([places, sent])
        self._connections.set_segments(np.stack([tops, feet], axis=1))
        of = f" of {result.M_B}" if shown < result.M_B else ""
        self._which.set_text(f"samples 1 … {shown}{of}")
