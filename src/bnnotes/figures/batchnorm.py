"""Pictures of the forward pass and of the kernel: section 2 of the source."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import SymLogNorm

from . import style
from .live import LiveFigure

ROWS = {"x": (2.0, style.X), "x_hat": (1.0, style.X_HAT), "y": (0.0, style.Y)}


class NormalizationFigure(LiveFigure):
    """One neuron's batch on three lines above each other: x, x̂, y.

    Parameters
    ----------
    reach : float
        The axis goes from −reach to reach.
    """

    def __init__(self, reach):
        super().__init__(7.4, 3.2)
        ax = self.axes()
        self.figure.subplots_adjust(left=0.1, right=0.98, bottom=0.14, top=0.98)
        ax.set(xlim=(-reach, reach), ylim=(-0.55, 2.4), yticks=[], xlabel="value")
        ax.spines["left"].set_visible(False)
        self._threads = self.moving(ax.plot([], [], color="#CCCCCC", lw=0.7, zorder=1)[0])
        self._rows = {name: self._row(ax, *row) for name, row in ROWS.items()}
        self._missing = self.moving(
            ax.text(0, 0.5, "", ha="center", va="center", color=style.BASELINE.color)
        )

    def _row(self, ax, height, look):
        ax.axhline(height, color=style.INK, lw=0.4, zorder=0)
        ax.text(-0.02, height, look.label, color=look.ink, ha="right", va="center",
                fontsize=13, transform=ax.get_yaxis_transform())  # fmt: skip
        (points,) = ax.plot([], [], **look.points(alpha=0.65, markersize=6, zorder=3))
        (spread,) = ax.plot([], [], color=look.color, lw=3, solid_capstyle="butt", zorder=2)
        (mean,) = ax.plot([], [], color=style.INK, marker="|", markersize=9, ls="none", zorder=4)
        label = ax.text(0, height - 0.37, "", ha="center", va="center", fontsize=8.5, zorder=4,
                        bbox={"fc": "white", "ec": "none", "alpha": 0.8, "pad": 1})  # fmt: skip
        return [self.moving(artist) for artist in (points, spread, mean, label)]

    def update(self, result):
        """Draw the samples, their mean and one standard deviation to each side.

        Parameters
        ----------
        result : object
            Has ``x``, ``x_hat`` and ``y``, arrays of shape (M_B,), the last
            two empty where the batch cannot be normalized.
        """
        samples = {name: getattr(result, name) for name in ROWS}
        for name, values in samples.items():
            self._draw_row(name, values)
        present = [(v, ROWS[name][0]) for name, v in samples.items() if len(v)]
        threads = np.full((len(result.x), len(present) + 1, 2), np.nan)
        for k, (values, height) in enumerate(present):
            threads[:, k] = np.stack([values, np.full(len(values), height)], axis=1)
        self._threads.set_data(*threads.reshape(-1, 2).T)
        self._missing.set_text("" if len(result.y) else "σ = 0: nothing to divide by")

    def _draw_row(self, name, values):
        points, spread, mean, label = self._rows[name]
        height = ROWS[name][0]
        points.set_data(values, np.full(len(values), height))
        for artist in (spread, mean, label):
            artist.set_visible(len(values) > 0)
        if len(values):
            center, sigma = values.mean(), values.std()
            spread.set_data([center - sigma, center + sigma], [height - 0.17] * 2)
            mean.set_data([center], [height - 0.17])
            label.set_x(center)
            label.set_text(f"{number(center)} ± {number(sigma)}")


def number(value):
    """Return a number with two decimals, a true minus, and no minus before 0.00."""
    return f"{round(float(value), 2) + 0:.2f}".replace("-", "−")


class KernelFigure(LiveFigure):
    """The kernel (3) of one neuron as a heat map, and one of its columns.

    Parameters
    ----------
    reach : float
        Of the axis of x̂, to both sides.
    """

    def __init__(self, reach):
        super().__init__(7.6, 3.7)
        map_axes, column_axes = self.axes(1, 2, width_ratios=(1, 1.25))
        self.figure.subplots_adjust(left=0.06, right=0.99, bottom=0.14, top=0.97, wspace=0.42)
        self._make_map(map_axes)
        self._make_column(column_axes, reach)

    def _make_map(self, ax):
        # Off the diagonal the entries are of size 1/M_B: a linear scale would hide them.
        norm = SymLogNorm(linthresh=0.02, linscale=0.5, vmin=-1, vmax=1)
        self._map = self.moving(
            ax.imshow([[0.0]], cmap=style.SIGNED, norm=norm, extent=(0, 1, 1, 0), zorder=1)
        )
        bar = self.figure.colorbar(self._map, ax=ax, fraction=0.046, pad=0.04)
        bar.set_ticks([-1, -0.1, 0, 0.1, 1], labels=["−1", "−0.1", "0", "0.1", "1"])
        bar.minorticks_off()
        bar.outline.set_linewidth(style.THIN)
        ax.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(1, 0))
        ax.set_xlabel("$x_t$ is pushed, samples sorted by $x$")
        ax.set_ylabel("$y_s$ moves")
        for side in ("top", "right"):
            ax.spines[side].set_visible(True)
        (self._frame,) = ax.plot([], [], color=style.INK, lw=1.2, zorder=2, clip_on=False)
        self.moving(self._frame)
        self._empty = self.moving(
            ax.text(0.5, 0.5, "", ha="center", va="center", color=style.INK, zorder=3)
        )

    def _make_column(self, ax, reach):
        ax.set(xlim=(-reach, reach), ylim=(-0.62, 1.08))
        ax.set_xlabel(r"$\hat{x}_s$")
        ax.set_ylabel(r"$\partial y_s/\partial x_t$ in units of $\gamma/s$")
        ax.axhline(0, color=style.INK, lw=0.4, zorder=0)
        stems = ax.plot([], [], color=style.INK, lw=0.8, zorder=2)
        others = ax.plot([], [], "o", color=style.X_HAT.color, markersize=4.5, zorder=3)
        own = ax.plot([], [], "D", color=style.INK, markersize=6, zorder=4)
        base = ax.plot([], [], **style.BASELINE.points(markersize=7, markeredgewidth=1.6, zorder=4))
        labels = [ax.text(0, 0, "", va="center", fontsize=8.5, color=color, zorder=5)
                  for color in (style.INK, style.BASELINE.color)]  # fmt: skip
        artists = [*stems, *others, *own, *base, *labels]
        self._stems, self._others, self._own, self._base, *self._labels = map(self.moving, artists)

    def update(self, result):
        """Draw the kernel.

        Parameters
        ----------
        result : object
            Has ``kernel``, shape (M_B, M_B), in units of γ/s, samples sorted
            by x; ``x_hat``, shape (M_B,); and ``pushed``, the index t of the
            column. Kernel and x̂ are empty where the batch cannot be normalized.
        """
        kernel, x_hat, t = result.kernel, result.x_hat, result.pushed
        there = len(kernel) > 0
        self._map.set_data(kernel if there else [[0.0]])
        self._empty.set_text(_why_empty(kernel))
        edges = np.array([t, t + 1]) / max(len(kernel), 1)
        self._frame.set_data(edges[[0, 1, 1, 0, 0]], [0, 0, 1, 1, 0])
        self._frame.set_visible(not self._empty.get_text())
        self._draw_column(kernel[:, t] if there else np.empty(0), x_hat, t)

    def _draw_column(self, column, x_hat, t):
        zeros = np.zeros(len(column))
        self._stems.set_data(
            np.repeat(x_hat, 3), np.stack([zeros, column, zeros + np.nan], axis=1).ravel()
        )
        others = np.arange(len(column)) != t
        self._others.set_data(x_hat[others], column[others])
        at = x_hat[t : t + 1]
        self._own.set_data(at, column[t : t + 1])
        self._base.set_data(at, np.ones(len(at)))
        self._label_column(x_hat, column, t)

    def _label_column(self, x_hat, column, t):
        names = ("$y_t$ itself", "baseline") if len(column) else ("", "")
        own = column[t] if len(column) else 0.0
        x = x_hat[t] if len(column) else 0.0
        to_right = x < 1.5
        for label, name, y in zip(
            self._labels, names, (min(max(own, 0.06), 0.9), 1.0), strict=True
        ):
            label.set_text(name)
            label.set(x=x + (0.3 if to_right else -0.3), y=y, ha="left" if to_right else "right")


def _why_empty(kernel):
    """Say on a map without structure why there is none."""
    if len(kernel) == 0:
        return "no x̂, no kernel"
    return "every entry is 0" if np.abs(kernel).max() < 1e-9 else ""
