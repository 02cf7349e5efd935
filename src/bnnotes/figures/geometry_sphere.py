"""The figure that the source has lost: x̂, Δ̂ and û of one weight on their sphere."""

from __future__ import annotations

import numpy as np
from matplotlib.patches import Circle, Polygon
from matplotlib.patheffects import withStroke

from . import geometry_projection as projection
from . import style

FAINT = 0.35  # opacity of what lies behind
GRAY = "#9A9A9A"
LIMIT = 1.3
VERTICES = (style.X_HAT, style.DELTA, style.U)
LABELS = (r"$\hat x$", r"$\hat\Delta$", r"$\hat u$")
# Each side of the triangle: its look, the two corners, and the sample-space angle that it is.
SIDES = ((style.THETA1, 0, 1), (style.THETA2, 0, 2), (style.THETA3, 1, 2))
SIZES = (10, 8, 6)  # corners that fall together stay visible
MARK = 0.32  # radians from x̂ at which φ is drawn
HALO = [withStroke(linewidth=2.5, foreground="white")]


class Curve:
    """A curve on the sphere: a line in front, a faint one behind."""

    def __init__(self, ax, register, look, width=1.8, zorder=3, color=None):
        options = look.line(color=color or look.color, zorder=zorder)
        (front,) = ax.plot([], [], lw=width, **options)
        (behind,) = ax.plot(
            [], [], **{**options, "lw": 0.8 * width, "linestyle": (0, (1, 1.5)), "alpha": FAINT}
        )
        self.lines = register(front), register(behind)

    def draw(self, seen, points):
        """Show points (n, 3), or nothing where they are None."""
        parts = projection.split(seen, points) if points is not None else np.empty((2, 0, 2))
        for line, part in zip(self.lines, parts, strict=True):
            line.set_data(*part.T)


class Sphere:
    """Artists of the spherical triangle on one pair of axes, limits ±1.3.

    Parameters
    ----------
    ax : Axes
    register : callable
        Takes every artist that moves and returns it.
    """

    def __init__(self, ax, register):
        ax.set(xlim=(-LIMIT, LIMIT), ylim=(-LIMIT, LIMIT), aspect="equal")
        ax.set_axis_off()
        self._ball = register(Circle((0, 0), 1, fc="white", ec=GRAY, lw=style.THIN, zorder=0))
        self._plane = register(Polygon(np.zeros((3, 2)), fc="#EEEEEE", ec="none", zorder=0))
        ax.add_patch(self._ball)
        ax.add_patch(self._plane)
        plain = style.Look(GRAY, "-", "", "")
        self._rim = Curve(ax, register, plain, style.THIN, 1)
        self._equator = Curve(ax, register, plain, style.THIN, 1)
        self._stop = Curve(ax, register, style.PHI, 1.0, 2)
        self._line = register(ax.plot([], [], color=GRAY, lw=1.5, zorder=1)[0])
        self._spokes = [Curve(ax, register, plain, style.THIN, 1) for _ in range(4)]
        self._sides = [Curve(ax, register, look, 2.2, 4) for look, *_ in SIDES]
        self._mark = Curve(ax, register, style.PHI, 1.4, 4)
        self._radii = [
            Curve(ax, register, style.Look(v.color, "-", "", ""), 1.2, 3) for v in VERTICES
        ]
        self._wishes = [
            Curve(ax, register, style.Look(v.color, ":", "", ""), 1.0, 3) for v in VERTICES
        ]
        self._ghosts = [self._dot(ax, register, v, mfc="white", alpha=0.6) for v in VERTICES]
        self.dots = [self._dot(ax, register, v, ms=n) for v, n in zip(VERTICES, SIZES, strict=True)]
        names = [(t, v.ink, 12) for t, v in zip(LABELS, VERTICES, strict=True)]
        names += [(look.label, look.ink, 10) for look, *_ in SIDES]
        names += [(style.PHI.label, style.PHI.ink, 10)]
        names += [(str(s), style.BASELINE.ink, 8.5) for s in (1, 2, 3, 4)]
        look = {"ha": "center", "va": "center", "path_effects": HALO, "zorder": 6}
        self.labels = [
            register(ax.text(0, 0, text, color=color, fontsize=size, **look))
            for text, color, size in names
        ]

    @staticmethod
    def _dot(ax, register, look, **options):
        return register(ax.plot([], [], **look.points(zorder=5, **options))[0])

    def draw(self, M_B, points, wished, spokes, azimuth, elevation):
        """Show the triangle.

        Parameters
        ----------
        M_B : int
        points : ndarray, shape (3, 3)
            x̂, Δ̂ and û, one a row, on the unit sphere.
        wished : ndarray, shape (3, 3)
            Where they would be in a larger batch.
        spokes : ndarray, shape (n, 3)
            Directions of the samples' own axes, none if M_B > 4.
        azimuth, elevation : float
            Of the viewer, in degrees.
        """
        seen = projection.view(azimuth, elevation)
        self._space(M_B, seen)
        wanted = self._triangle(M_B, seen, points)
        self._unmet(seen, points, wished)
        wanted += self._axes(seen, spokes)
        self._write(wanted, seen.project(points))

    def _space(self, M_B, seen):
        """The space that vectors of mean 0 have: a sphere, a circle, two points."""
        self._ball.set_visible(M_B > 3)
        plane = projection.circle([0, 1, 0])
        self._plane.set_visible(M_B == 3)
        self._plane.set_xy(seen.project(plane))
        self._rim.draw(seen, plane if M_B == 3 else None)
        self._equator.draw(seen, projection.circle([0, 0, 1]) if M_B > 3 else None)
        self._stop.draw(seen, projection.circle([1, 0, 0]) if M_B > 3 else None)
        line = seen.project(np.array([[0, 0, -1.0], [0, 0, 1.0]])) if M_B == 2 else np.empty((0, 2))
        self._line.set_data(*line.T)

    def _triangle(self, M_B, seen, points):
        """Draw radii, corners, sides and φ; return where their labels want to stand."""
        flat = seen.project(points)
        for radius, dot, point in zip(self._radii, self.dots, points, strict=True):
            radius.draw(seen, np.linspace(0, 1, 33)[:, np.newaxis] * point)
            front = seen.depth(point) >= -projection.CLOSE
            dot.set_data(*seen.project(point)[:, np.newaxis])
            dot.set_alpha(1 if front else FAINT)
        center = flat.mean(axis=0)
        wanted = list(flat + 0.16 * _outward(flat, center))
        for curve, (_, a, b) in zip(self._sides, SIDES, strict=True):
            along = projection.arc(points[a], points[b], points[3 - a - b]) if M_B > 2 else None
            curve.draw(seen, along)
            long = along is not None and np.linalg.norm(points[a] - points[b]) > 0.15
            middle = seen.project(along[len(along) // 2]) if long else None
            # Away from the corner on the other side.
            wanted.append(middle + 0.12 * _outward(middle, flat[3 - a - b]) if long else None)
        return [*wanted, self._angle(M_B, seen, points)]

    def _angle(self, M_B, seen, points):
        """Draw φ between the two sides that meet at x̂."""
        x_hat, *others = points
        sides = [p - (p @ x_hat) * x_hat for p in others]
        if M_B < 4 or min(np.linalg.norm(side) for side in sides) < 1e-6:
            self._mark.draw(seen, None)
            return None
        between = projection.arc(*(projection.unit(side) for side in sides), (0, 1, 0))
        self._mark.draw(seen, np.cos(MARK) * x_hat + np.sin(MARK) * between)
        return seen.project(np.cos(0.55) * x_hat + np.sin(0.55) * between[len(between) // 2])

    def _unmet(self, seen, points, wished):
        """Draw a hollow point where a vector should be and cannot, and the way to where it is."""
        for way, ghost, point, wish in zip(self._wishes, self._ghosts, points, wished, strict=True):
            unmet = np.linalg.norm(point - wish) > 1e-6
            way.draw(seen, projection.arc(wish, point) if unmet else None)
            ghost.set_data(*(seen.project(wish)[:, np.newaxis] if unmet else np.empty((2, 0))))

    def _axes(self, seen, spokes):
        """Draw the samples' own axes; return where their numbers want to stand."""
        wanted = []
        for k, curve in enumerate(self._spokes):
            shown = k < len(spokes)
            along = np.linspace(0, 1, 9)[:, np.newaxis] * spokes[k] if shown else None
            curve.draw(seen, along)
            wanted.append(1.1 * seen.project(spokes[k]) if shown else None)
        return wanted

    def _write(self, wanted, corners):
        shown = [k for k, place in enumerate(wanted) if place is not None]
        for label in self.labels:
            label.set_visible(False)
        places = projection.apart(np.array([wanted[k] for k in shown]), corners, 0.15, 1.23)
        for k, place in zip(shown, places, strict=True):
            self.labels[k].set(position=place, visible=True)

    def hide(self):
        """Show no triangle and no space."""
        nowhere = projection.view(0, 0)
        single = self._rim, self._equator, self._stop, self._mark
        for curve in (*single, *self._sides, *self._radii, *self._wishes, *self._spokes):
            curve.draw(nowhere, None)
        for line in (self._line, *self._ghosts, *self.dots):
            line.set_data([], [])
        for artist in (self._ball, self._plane, *self.labels):
            artist.set_visible(False)


def _outward(points, center):
    away = projection.unit(points - center)
    return np.where(np.linalg.norm(away, axis=-1, keepdims=True) > 0, away, [0.0, 1.0])
