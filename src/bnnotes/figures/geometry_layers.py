"""All weights of a layer as points in θ1, θ2, φ, and the three factors of their gradients."""

from __future__ import annotations

import numpy as np
from matplotlib.patches import Wedge

from . import style
from .geometry_sphere import GRAY, HALO
from .live import LiveFigure

EDGES = np.linspace(0, 1, 26)
FACTORS = (
    (r"$|\sin\theta_1|$", style.THETA1),
    (r"$|\sin\theta_2|$", style.THETA2),
    (r"$|\cos\varphi|$", style.PHI),
)


class LayersFigure(LiveFigure):
    """The sphere unrolled from x̂ on the left; histograms of the three factors on the right."""

    def __init__(self):
        super().__init__(8.4, 3.6)
        self._map, *self._rows = self.axes(4, 1)
        self._map.set_position((0.0, 0.02, 0.61, 0.96))
        for k, row in enumerate(self._rows):
            row.set_position((0.71, 0.75 - 0.27 * k, 0.2, 0.19))
        self._make_map()
        self._make_rows()

    def _make_map(self):
        ax = self._map
        ax.set(xlim=(-1.17, 1.17), ylim=(-0.22, 1.12), aspect="equal")
        ax.set_axis_off()
        ax.add_patch(Wedge((0, 0), 1, 0, 180, fc="white", ec=GRAY, lw=style.THIN, zorder=0))
        for degrees in (45, 90, 135):
            t = np.radians(np.linspace(0, 180, 91))
            r = degrees / 180
            ax.plot(r * np.cos(t), r * np.sin(t), color=GRAY, lw=0.5, zorder=1)
        ax.plot([0, 0], [0, 1], **style.PHI.line(lw=1.2, zorder=1))
        for degrees in (45, 90, 135, 180):
            ax.text(-degrees / 180, -0.055, f"{degrees}°", ha="center", va="top", fontsize=8)
        ax.text(-0.5, -0.17, r"angle to $\hat x$", ha="center", va="center")
        for degrees in (0, 45, 90, 135, 180):
            text = rf"$\varphi$ = {degrees}°" if degrees == 90 else f"{degrees}°"
            x, y = 1.07 * np.cos(np.radians(degrees)), 1.07 * np.sin(np.radians(degrees))
            ax.text(x, y + 0.03 * (degrees % 180 == 0), text, ha="center", va="center", fontsize=8)
        ax.text(
            0.5,
            -0.17,
            r"$\hat\Delta$, at $\theta_1$",
            color=style.DELTA.ink,
            ha="center",
            va="center",
        )
        ax.text(-0.9, 1.0, r"$\hat u$, at $\theta_2$ and $\varphi$", color=style.U.ink, ha="center")
        options = {"clip_on": False, "mec": "none"}
        u = ax.plot([], [], ms=4.5, alpha=0.45, zorder=3, **style.U.points(**options))[0]
        delta = ax.plot([], [], ms=6, alpha=0.7, zorder=4, **style.DELTA.points(**options))[0]
        (x_hat,) = ax.plot([0], [0], ms=9, zorder=2, **style.X_HAT.points(clip_on=False))
        self._u, self._delta, self._x_hat = (self.moving(line) for line in (u, delta, x_hat))
        ax.text(0, -0.1, r"$\hat x$", color=style.X_HAT.ink, ha="center", va="center", fontsize=11)
        self._note = self.moving(
            ax.text(0, 0.4, "", ha="center", va="center", fontsize=10, path_effects=HALO, zorder=6)
        )

    def _make_rows(self):
        self._bars, self._middles, self._values = [], [], []
        for ax, (text, look) in zip(self._rows, FACTORS, strict=True):
            ax.set(xlim=(0, 1), ylim=(0, 1.05), yticks=[], xticks=[0, 0.5, 1])
            ax.set_ylabel(text, rotation=0, ha="right", va="center")
            ax.tick_params(labelbottom=ax is self._rows[-1])
            color = GRAY if look is style.PHI else look.color
            bars = ax.bar(EDGES[:-1], 0, 1 / 25, align="edge", color=color, ec="white", lw=0.4)
            self._bars.append([self.moving(bar) for bar in bars])
            self._middles.append(self.moving(ax.axvline(0, color=style.INK, lw=1.6)))
            value = ax.text(1.06, 0.5, "", va="center", transform=ax.transAxes)
            self._values.append(self.moving(value))
        last = self._rows[-1]
        last.set_xlabel("line: median\ndotted: random directions")
        (self._chance,) = last.plot([], [], color=style.INK, lw=1.2, ls=":")
        self.moving(self._chance)

    def update(self, result):
        """Draw the weights of a layer.

        Parameters
        ----------
        result : object
            With theta1 (n,), theta2 and dihedral (n, n_prev) in radians, or None
            each; factors: three arrays; chance: |cosφ| of random
            directions in the median, or None; explanation.
        """
        self._note.set_text(result.explanation)
        some = result.theta2 is not None
        radius = result.theta2.ravel() / np.pi if some else np.empty(0)
        dihedral = result.dihedral.ravel() if some else np.empty(0)
        self._u.set_data(radius * np.cos(dihedral), radius * np.sin(dihedral))
        theta1 = result.theta1 / np.pi if some else np.empty(0)
        self._delta.set_data(theta1, 0 * theta1)
        chance = [result.chance] * 2 if result.chance is not None else []
        self._chance.set_data(chance, [0, 1] if chance else [])
        for k, (bars, middle, value) in enumerate(
            zip(self._bars, self._middles, self._values, strict=True)
        ):
            factor = result.factors[k] if some else np.empty(0)
            counts = np.histogram(np.clip(factor, 0, 1), EDGES)[0]
            for bar, height in zip(bars, counts / max(counts.max(), 1), strict=True):
                bar.set_height(height)
            middle.set_visible(factor.size > 0)
            median = np.median(factor) if factor.size else 0.0
            middle.set_xdata([median] * 2)
            value.set_text(f"{median:.2f}" if factor.size else "")
