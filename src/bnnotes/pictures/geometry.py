"""The pictures of chapter 4: angles in sample space, and what they make of W and γ.

And one of the questions: whether the neurons of a layer become alike.
"""

from __future__ import annotations

import copy
import functools
import itertools
from typing import NamedTuple

import numpy as np
from matplotlib.patches import Circle, Polygon
from matplotlib.patheffects import withStroke

from .. import baseline, batchnorm, digits, geometry, growth, network, sample_space, sphere
from ..kept import kept
from . import look
from .explorer import Explorer, Grip, batch_size, slider
from .look import number

NO_SIDE = 1e-6  # the sine of a side that φ cannot be measured from
GRAY = "#9A9A9A"
HALO = [withStroke(linewidth=2.5, foreground="white")]

load = kept(digits.load)


# ---- drawing on a sphere: an orthographic view, great circles, labels that keep apart
#
# mplot3d redraws everything at every move. A sphere seen from far away needs two products with the
# line of sight and no more.

CLOSE = 1e-9


class View(NamedTuple):
    """Three orthonormal directions of a viewer far away."""

    # (3,), in the picture, in the picture, and from the picture to the eye
    right: np.ndarray
    up: np.ndarray
    toward: np.ndarray

    def project(self, points):
        """Return the picture coordinates (…, 2) of points (…, 3)."""
        return np.stack([points @ self.right, points @ self.up], axis=-1)

    def depth(self, points):
        """Return how far points (…, 3) are in front of the center."""
        return points @ self.toward


def view(azimuth, elevation):
    """Return the view from these angles, in degrees; the third axis points up."""
    a, e = np.radians([azimuth, elevation])
    right = np.array([-np.sin(a), np.cos(a), 0.0])
    toward = np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)])
    return View(right, np.cross(toward, right), toward)


def unit(v):
    """Return v scaled to length 1; 0 stays."""
    length = np.linalg.norm(v, axis=-1, keepdims=True)
    return v / np.where(length > CLOSE, length, 1)


def arc(start, end, via=(0.0, 0.0, 1.0), points=65):
    """Return points of the great circle from `start` to `end`, the short way.

    Where the two are opposite, every way is short: the one that passes `via`.
    """
    start, end = np.asarray(start, float), np.asarray(end, float)
    radius = np.linalg.norm(start)
    a, b = unit(start), unit(end)
    ahead = b - (a @ b) * a
    if np.linalg.norm(ahead) < 1e-6:
        ahead = _across(a, np.asarray(via, float))
    angle = 2 * np.arctan2(np.linalg.norm(a - b), np.linalg.norm(a + b))
    t = np.linspace(0, angle, points)[:, np.newaxis]
    return radius * (np.cos(t) * a + np.sin(t) * unit(ahead))


def _across(a, via):
    """Return a direction perpendicular to a, toward `via` if that says one."""
    across = via - (a @ via) * a
    if np.linalg.norm(across) < 1e-6:
        across = np.cross(a, np.eye(3)[np.argmin(np.abs(a))])
    return across


def circle(pole):
    """Return the great circle whose pole this is, shape (145, 3)."""
    pole = unit(np.asarray(pole, float))
    e = unit(_across(pole, np.array([1.0, 0.0, 0.0])))
    f = np.cross(pole, e)
    t = np.linspace(0, 2 * np.pi, 145)[:, np.newaxis]
    return np.cos(t) * e + np.sin(t) * f


def split(seen, points):
    """Return picture coordinates of a curve twice: its front and its hidden part.

    The other part of each is nan, where matplotlib lifts the pen.
    """
    flat, front = seen.project(points), seen.depth(points) >= -CLOSE
    # Each part reaches one point into the other, so that no gap is seen between them.
    reach = front | np.roll(front, 1) & _inner(front) | np.roll(front, -1) & _inner(front)
    return np.where(reach[:, np.newaxis], flat, np.nan), np.where(
        front[:, np.newaxis], np.nan, flat
    )


def _inner(mask):
    inner = np.ones(len(mask), bool)
    inner[[0, -1]] = False
    return inner


def apart(wanted, fixed, distance, limit):
    """Move labels, (n, 2), until none is closer to another or to a fixed point than `distance`.

    They stay within a circle of radius `limit`.
    """
    n = len(wanted)
    # Two on the very same spot part along directions of their own.
    turn = 2.4 * np.arange(n)
    own = np.stack([np.cos(turn), np.sin(turn)], axis=-1)[:, np.newaxis]
    moved, itself = np.array(wanted, float), np.eye(n, n + len(fixed), dtype=bool)
    for _ in range(60):
        gap = moved[:, np.newaxis] - np.vstack([moved, fixed])
        length = np.hypot(*np.moveaxis(gap, -1, 0))
        missing = np.where(itself, 0, np.maximum(distance - length, 0))
        if not missing.any():
            break
        away = np.where(
            (length < CLOSE)[..., np.newaxis], own, gap / np.maximum(length, CLOSE)[..., np.newaxis]
        )
        moved = moved + 0.5 * (missing[..., np.newaxis] * away).sum(axis=1)
        far = np.linalg.norm(moved, axis=1, keepdims=True)
        moved = moved * np.minimum(1, limit / np.maximum(far, CLOSE))
    return moved


# ---- the figure that the source has lost: x̂, Δ̂ and û of one weight on their sphere

FAINT = 0.35  # opacity of what lies behind
LIMIT = 1.3
# Corners that fall together stay visible, by their sizes.
CORNERS = (
    (r"$\hat x$", look.X_HAT, 10),
    (r"$\hat\Delta$", look.DELTA, 8),
    (r"$\hat u$", look.U, 6),
)
# Each side of the triangle: its look and its two corners.
SIDES = ((look.THETA1, 0, 1), (look.THETA2, 0, 2), (look.THETA3, 1, 2))
MARK = 0.32  # radians from x̂ at which φ is drawn


class Curve:
    """A curve on the sphere: a line in front, a faint one behind."""

    def __init__(self, ax, register, width, zorder, **line):
        (front,) = ax.plot([], [], lw=width, zorder=zorder, **line)
        behind = {**line, "lw": 0.8 * width, "linestyle": (0, (1, 1.5)), "alpha": FAINT}
        self.lines = register(front), register(ax.plot([], [], zorder=zorder, **behind)[0])

    def draw(self, seen, points):
        """Show points (n, 3), or nothing where they are None."""
        parts = split(seen, points) if points is not None else np.empty((2, 0, 2))
        for line, part in zip(self.lines, parts, strict=True):
            line.set_data(*part.T)


class Sphere:
    """Artists of the spherical triangle on one pair of axes; `register` takes those that move.

    Its `dots` are the markers of x̂, Δ̂ and û, its `labels` the names of corners, sides, φ and
    samples.
    """

    def __init__(self, ax, register):
        ax.set(xlim=(-LIMIT, LIMIT), ylim=(-LIMIT, LIMIT), aspect="equal")
        ax.set_axis_off()
        self._ball = register(Circle((0, 0), 1, fc="white", ec=GRAY, lw=look.THIN, zorder=0))
        self._plane = register(Polygon(np.zeros((3, 2)), fc="#EEEEEE", ec="none", zorder=0))
        ax.add_patch(self._ball)
        ax.add_patch(self._plane)
        curve = functools.partial(Curve, ax, register)
        self._rim, self._equator = (curve(look.THIN, 1, color=GRAY) for _ in range(2))
        self._stop = curve(1.0, 2, **look.PHI.line())
        self._line = register(ax.plot([], [], color=GRAY, lw=1.5, zorder=1)[0])
        self._spokes = [curve(look.THIN, 1, color=GRAY) for _ in range(4)]
        self._sides = [curve(2.2, 4, **of.line()) for of, *_ in SIDES]
        self._mark = curve(1.4, 4, **look.PHI.line())
        colors = [of.color for _, of, _ in CORNERS]
        self._radii = [curve(1.2, 3, color=color) for color in colors]
        self._wishes = [curve(1.0, 3, color=color, linestyle=":") for color in colors]

        def dot(of, **options):
            return register(ax.plot([], [], **of.points(zorder=5, **options))[0])

        self._ghosts = [dot(of, mfc="white", alpha=0.6) for _, of, _ in CORNERS]
        self.dots = [dot(of, ms=size) for _, of, size in CORNERS]
        names = [(text, of.ink, 12) for text, of, _ in CORNERS]
        names += [(of.label, of.ink, 10) for of, *_ in SIDES]
        names += [(look.PHI.label, look.PHI.ink, 10)]
        names += [(str(s), look.BASELINE.ink, 8.5) for s in (1, 2, 3, 4)]
        place = {"ha": "center", "va": "center", "path_effects": HALO, "zorder": 6}
        self.labels = [
            register(ax.text(0, 0, text, color=color, fontsize=size, **place))
            for text, color, size in names
        ]

    def draw(self, M_B, points, wished, spokes, azimuth, elevation):
        """Show the triangle of x̂, Δ̂ and û, (3, 3), seen from azimuth and elevation in degrees.

        `wished` is where they would be in a larger batch; `spokes` are the directions of the
        samples' own axes, none if M_B > 4.
        """
        seen = view(azimuth, elevation)
        self._space(M_B, seen)
        wanted = self._triangle(M_B, seen, points)
        self._unmet(seen, points, wished)
        wanted += self._axes(seen, spokes)
        self._write(wanted, seen.project(points))

    def _space(self, M_B, seen):
        """The space that vectors of mean 0 have: a sphere, a circle, two points."""
        self._ball.set_visible(M_B > 3)
        plane = circle([0, 1, 0])
        self._plane.set_visible(M_B == 3)
        self._plane.set_xy(seen.project(plane))
        self._rim.draw(seen, plane if M_B == 3 else None)
        self._equator.draw(seen, circle([0, 0, 1]) if M_B > 3 else None)
        self._stop.draw(seen, circle([1, 0, 0]) if M_B > 3 else None)
        line = seen.project(np.array([[0, 0, -1.0], [0, 0, 1.0]])) if M_B == 2 else np.empty((0, 2))
        self._line.set_data(*line.T)

    def _triangle(self, M_B, seen, points):
        """Draw radii, corners, sides and φ; return where their labels want to stand."""
        flat = seen.project(points)
        for radius, dot, point in zip(self._radii, self.dots, points, strict=True):
            radius.draw(seen, np.linspace(0, 1, 33)[:, np.newaxis] * point)
            front = seen.depth(point) >= -CLOSE
            dot.set_data(*seen.project(point)[:, np.newaxis])
            dot.set_alpha(1 if front else FAINT)
        center = flat.mean(axis=0)
        wanted = list(flat + 0.16 * _outward(flat, center))
        for curve, (_, a, b) in zip(self._sides, SIDES, strict=True):
            along = arc(points[a], points[b], points[3 - a - b]) if M_B > 2 else None
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
        between = arc(*(unit(side) for side in sides), (0, 1, 0))
        self._mark.draw(seen, np.cos(MARK) * x_hat + np.sin(MARK) * between)
        return seen.project(np.cos(0.55) * x_hat + np.sin(0.55) * between[len(between) // 2])

    def _unmet(self, seen, points, wished):
        """Draw a hollow point where a vector should be and cannot, and the way to where it is."""
        for way, ghost, point, wish in zip(self._wishes, self._ghosts, points, wished, strict=True):
            unmet = np.linalg.norm(point - wish) > 1e-6
            way.draw(seen, arc(wish, point) if unmet else None)
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
        places = apart(np.array([wanted[k] for k in shown]), corners, 0.15, 1.23)
        for k, place in zip(shown, places, strict=True):
            self.labels[k].set(position=place, visible=True)

    def hide(self):
        """Show no triangle and no space."""
        single = self._rim, self._equator, self._stop, self._mark
        for curve in (*single, *self._sides, *self._radii, *self._wishes, *self._spokes):
            curve.draw(None, None)
        for line in (self._line, *self._ghosts, *self.dots):
            line.set_data([], [])
        for artist in (self._ball, self._plane, *self.labels):
            artist.set_visible(False)


def _outward(points, center):
    away = unit(points - center)
    return np.where(np.linalg.norm(away, axis=-1, keepdims=True) > 0, away, [0.0, 1.0])


SIZES = (1, 2, 3, 4, 5, 6, 8, 16, 32, 64)
ONE_SAMPLE = "One sample equals its mean:\nno vector is left to draw."
BARS = (
    ("BN $\\partial C/\\partial W$\n$\\sin\\theta_1\\,\\sin\\theta_2\\,\\cos\\varphi$",
     look.BATCH_NORM),
    ("baseline $\\partial C/\\partial W$\n$\\cos\\theta_3$", look.BASELINE),
    ("BN $\\partial C/\\partial\\gamma$\n$\\cos\\theta_1$", look.BATCH_NORM),
)  # fmt: skip


class Placed(NamedTuple):
    """A batch with the wished angles, as far as there is one, and what it makes of W and γ."""

    M_B: int
    asked: tuple  # θ1, θ2, φ as the sliders stand, in degrees
    # of the viewer, in degrees
    azimuth: float
    elevation: float
    # (3, 3), x̂, Δ̂ and û of the batch, and as wished, each a row, length √M_B
    points: np.ndarray | None = None
    wished: np.ndarray | None = None
    spokes: np.ndarray | None = None  # (n, 3), directions of the samples' own axes; none if M_B > 4
    angles: tuple = ()  # θ1, θ2, θ3, φ of the batch, measured, in degrees
    # ∂C/∂W with BN over M_B γσ(Δ)σ(u)/σ(x), without BN over M_B σ(Δ)σ(u), and ∂C/∂γ over M_B σ(Δ)
    gradients: tuple = ()
    vectors: np.ndarray = np.empty((3, 0))  # (3, M_B), x̂, Δ̂ and û, entry by entry
    explanation: str = ""  # why there is no picture


@kept
def frame(M_B):
    """Return the directions of x̂, M Δ and M u of one weight on the first M_B digits."""
    psi, phi = load("ten").psi[:M_B], load("ten").phi[:M_B]
    net = network.create([64, 32, 10], batch_norm=True, activation="tanh", rng=0)
    hidden, output = network.feed_forward(net, psi)
    delta = baseline.output_error(output.u, phi)
    return sphere.frame(output.normalized.x_hat[:, 0], delta[:, 0], hidden.u[:, 0])


def _spokes(directions):
    """Return where the samples' own axes point, while the picture holds all of sample space."""
    M_B = len(directions)
    if M_B > 4:
        return np.empty((0, 3))
    axes = sphere.coordinates(directions[:, : M_B - 1], np.eye(M_B))
    return axes / np.linalg.norm(axes, axis=1, keepdims=True)


def _gradients(x_hat, delta, u):
    """Return the gradients of W and γ; σ(x) = σ(Δ) = σ(u) = 1 here, and no mean is left."""
    M_B, normalized, gamma = len(x_hat), batchnorm.normalize(x_hat), np.ones(1)
    gradients = (
        batchnorm.weight_gradient(delta, u, normalized, gamma),
        baseline.weight_gradient(delta, u),
        batchnorm.gamma_gradient(delta, normalized),
    )
    return tuple(gradient.item() / M_B for gradient in gradients)


def _degrees(angle):
    return f"{round(angle, 1) + 0.0:g}°"


def _turn(description, value, low=0, high=180):
    return slider(description, value, min=low, max=high, step=5)


class Triangle(Explorer):
    """The spherical triangle of one weight."""

    size = 8.4, 4.3
    M_B = batch_size(SIZES, 4)
    theta1 = _turn("θ1, between Δ̂ and x̂", 60)
    theta2 = _turn("θ2, between û and x̂", 50)
    dihedral = _turn("φ, the angle at x̂", 70)
    azimuth = _turn("view: azimuth", 35, -180, 180)
    elevation = _turn("view: elevation", 15, -90, 90)

    def compute(self, M_B, theta1, theta2, dihedral, azimuth, elevation):
        stand = M_B, (theta1, theta2, dihedral), azimuth, elevation
        if M_B == 1:
            return Placed(*stand, explanation=ONE_SAMPLE)
        directions, wish = frame(M_B), np.radians((theta1, theta2, dihedral))
        vectors = np.column_stack(sphere.place(directions, *wish))
        x_hat, delta, u = (vectors[:, [k]] for k in range(3))
        measured = geometry.sample_angles(delta, u, x_hat)
        return Placed(
            *stand,
            points=sphere.coordinates(directions, vectors),
            wished=np.sqrt(M_B) * sphere.corners(*wish).T[:, sphere.UPRIGHT],
            spokes=_spokes(directions),
            angles=tuple(float(np.degrees(angle).squeeze()) for angle in measured),
            gradients=_gradients(x_hat, delta, u),
            vectors=vectors.T,
        )

    def draw(self):
        options = {"width_ratios": (4.3, 3.6), "height_ratios": (1.35, 1.1)}
        (ball, bars), (rest, entries) = self.axes(2, 2, gridspec_kw=options)
        rest.remove()
        self.figure.subplots_adjust(
            left=0, right=0.925, bottom=0.08, top=0.97, wspace=0.42, hspace=0.5
        )
        ball.set_position((0.0, 0.0, 4.3 / 8.4, 1.0))
        self._sphere = Sphere(ball, self.moving)
        self._note = self.words(ball, 0, 0, "", ha="center", va="center", fontsize=10)
        self._radius = self.words(ball, -1.27, -1.27, "")
        self._dimensions = self.words(ball, 1.27, -1.27, "", ha="right")
        self._draw_bars(bars)
        self._draw_entries(entries)

    def _draw_bars(self, ax):
        ax.set(xlim=(-1.03, 1.03), ylim=(2.6, -0.6), xlabel="size, in units of its amplitude")
        ax.axvline(0, color=look.INK, lw=look.THIN)
        ax.set_yticks(range(3), [label for label, _ in BARS])
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        self._bars = []
        for row, (_, of) in enumerate(BARS):
            hollow = {"fc": "white", "ls": of.linestyle}
            fill = hollow if of is look.BASELINE else {"fc": of.color}
            (bar,) = ax.barh(row, 0, 0.42, ec=of.color, lw=1.4, **fill)
            value = ax.text(1.03, row, "", va="center", transform=ax.get_yaxis_transform())
            self._bars.append((self.moving(bar), self.moving(value)))

    def _draw_entries(self, ax):
        largest = max(np.sqrt(M_B) * np.linalg.norm(frame(M_B), axis=1).max() for M_B in SIZES[1:])
        ax.set(xlim=(0, 1), ylim=(-largest, largest), xticks=[])
        ax.set(xlabel="samples of the batch", ylabel="entry")
        ax.spines["bottom"].set_visible(False)
        ax.axhline(0, color=GRAY, lw=look.THIN)
        self._points = []
        for k, (name, of, _) in enumerate(CORNERS):
            self._points.append(self.line(ax, ms=4, **of.points()))
            y, beside = 0.85 - 0.33 * k, {"transform": ax.transAxes}
            ax.text(1.04, y, name, color=of.ink, va="center", fontsize=11, **beside)
            ax.plot([1.13], [y], ms=4, **of.points(clip_on=False, **beside))

    def update(self, result):
        M_B, radius = result.M_B, np.sqrt(result.M_B)
        self._note.set_text(result.explanation)
        if result.points is None:
            self._sphere.hide()
        else:
            corners = result.points / radius, result.wished / radius
            self._sphere.draw(M_B, *corners, result.spokes, result.azimuth, result.elevation)
        self._radius.set_text("" if M_B == 1 else rf"radius $\sqrt{{M_B}}$ = {radius:.2f}")
        few = {1: "", 2: "1 dimension: a line", 3: "2 dimensions: a plane"}
        self._dimensions.set_text(few.get(M_B, f"3 of {M_B - 1} dimensions"))
        for (bar, value), g in itertools.zip_longest(self._bars, result.gradients):
            bar.set_visible(g is not None)
            bar.set_width(g or 0.0)
            value.set_text("" if g is None else number(g))
        slots = result.vectors.shape[1]
        for k, (line, entries) in enumerate(zip(self._points, result.vectors, strict=True)):
            line.set_markersize(4 if slots < 20 else 2.5)
            line.set_data((np.arange(slots) + 0.5 + 0.22 * (k - 1)) / max(slots, 1), entries)

    def handles(self, result, theta1, theta2, dihedral, azimuth, elevation, **_):
        if result.points is None:
            return {}
        ball, turned = self.figure.axes[0], -np.radians([azimuth, elevation])
        wished = sphere.corners(*np.radians((theta1, theta2, dihedral))).T[:, sphere.UPRIGHT]
        _, delta, u = view(azimuth, elevation).project(wished)
        return {
            ("theta1",): Grip(ball, *delta),
            ("theta2", "dihedral"): Grip(ball, *u),
            # Half a turn of the view takes a point of the sphere from one rim to the other.
            ("azimuth", "elevation"): Grip(ball, *turned, everywhere=True),
        }

    def say(self, result):
        M_B, state = result.M_B, f"M_B = {result.M_B}: "
        if result.points is None:
            return state + "one sample equals its mean, so x̂ = 0/0. There is no triangle."
        theta1, theta2, theta3, dihedral = map(_degrees, result.angles)
        bn, bl, gamma = map(number, result.gradients)
        numbers = f"∂C/∂W: BN {bn}, baseline {bl}. ∂C/∂γ: {gamma}."
        asked = [_degrees(angle) for angle in result.asked]
        if M_B == 2:
            got = f"asked θ1 {asked[0]}, θ2 {asked[1]}, got {theta1}, {theta2}"
            return f"M_B = 2, a line: {got}. {numbers}"
        angles = f"θ1 {theta1}, θ2 {theta2}, θ3 {theta3}"
        if min(np.sin(np.radians(result.angles[:2]))) < NO_SIDE:
            return f"{state}{angles}, no φ. {numbers}"
        if M_B == 3:
            return f"M_B = 3, a plane: φ asked {asked[2]}, got {dihedral}. {angles}. {numbers}"
        return f"{state}{angles}, φ {dihedral}. {numbers}"


# ---- the three-layer digits network, and what one of its layers sees

WIDTHS = (64, 24, 12, 10)
EPOCHS = (0, 1, 2, 4, 8, 16, 32)


class LayerView(NamedTuple):
    """What one layer of a BN network sees of a batch."""

    delta: np.ndarray  # (M_B, n)
    u_prev: np.ndarray  # (M_B, n_prev)
    normalized: batchnorm.Normalized
    gamma: np.ndarray  # (n,)


def views(net, psi, phi):
    """Return the `LayerView` of every layer, the first layer first."""
    steps, found = network.feed_forward(net, psi), []
    errors = list(growth.errors(net, steps, baseline.output_error(steps[-1].u, phi)))
    for layer, step, delta in zip(net.layers, steps, errors[::-1], strict=True):
        varying = np.ptp(step.u_prev, axis=0) > 0  # some pixels are white in every image
        found.append(LayerView(delta, step.u_prev[:, varying], step.normalized, layer.gamma))
    return found


def three_layers():
    """Return the three-layer digits network after some epochs of training, by epoch: copies."""
    return copy.deepcopy(_three_layers())


@kept
def _three_layers():
    net = network.create(WIDTHS, batch_norm=True, activation="tanh", rng=0)
    layers = {0: net.layers}

    def keep(epoch, net, history):
        layers[epoch + 1] = net.layers

    options = {"learning_rate": 0.3, "batch_size": 64, "epochs": EPOCHS[-1], "rng": 0}
    network.train_whole(net, load("ten").psi, load("ten").phi, on_epoch=keep, **options)
    return {epoch: network.Network(layers[epoch], net.activation) for epoch in EPOCHS}


# ---- S29: what the means of u and Δ do to both gradients

OFFSETS = (0.0, 0.1, 1.0, 10.0, 100.0, 1000.0)
RATIOS = np.arange(-2, 6.01, 0.25)  # edges of the histogram, log10
LEAST_SIZE, LARGEST_SIZE = 1e-3, 3e3


class Gradients(NamedTuple):
    """Both gradients of all weights of a layer, Δ and u shifted to the wished means."""

    M_B: int
    # ⟨u⟩/σ(u) and ⟨Δ⟩/σ(Δ)
    offset: float
    mean: float
    # (weights,), |∂C/∂W| of the baseline over that of BN with γ/σ(x) = 1, that is, over its
    # bracket; empty where there is none
    ratios: np.ndarray = np.empty(0)
    # (offsets,), median of |∂C/∂W| over M_B σ(Δ)σ(u), γ/σ(x) = 1, at every offset
    bn: np.ndarray | None = None
    baseline: np.ndarray | None = None
    explanation: str = ""  # why there are no ratios


@functools.partial(kept, most=256)
def _shifted_gradients(M_B, offset, mean):
    """Return |∂C/∂W| over M_B, without and with BN, at σ(Δ) = σ(u) = 1 and γ/σ(x) = 1."""
    data = load("ten")
    *_, (delta, u_prev, normalized, _) = views(three_layers()[4], data.psi[:M_B], data.phi[:M_B])
    delta = geometry.standardize(delta) + mean
    u = geometry.standardize(u_prev) + offset
    ones = np.ones(delta.shape[1])
    with_bn = batchnorm.weight_gradient(delta, u, normalized._replace(std=ones), ones)
    return tuple(np.abs(g).ravel() / M_B for g in (baseline.weight_gradient(delta, u), with_bn))


def _two(value):
    """Two digits, never in powers of ten."""
    return f"{float(f'{value:#.2g}'):.0f}" if value >= 10 else f"{value:#.2g}"


class Means(Explorer):
    """The baseline's gradient over that with BN, layer 3 of the three-layer digits network."""

    size = 8.4, 3.2
    places = 3
    M_B = batch_size((1, 2, 3, 4, 8, 16, 64, 256, 1024), 64)
    offset = slider("offset ⟨u⟩/σ(u)", 10.0, options=OFFSETS)
    mean = slider("mean ⟨Δ⟩/σ(Δ)", 0.3, options=(0.0, 0.01, 0.03, 0.1, 0.3, 1.0))

    def compute(self, M_B, offset, mean):
        if M_B == 1:
            why = "One sample: x̂ = 0/0,\nthere is no gradient with BN."
            return Gradients(M_B, offset, mean, explanation=why)
        medians = [[np.median(g) for g in _shifted_gradients(M_B, o, mean)] for o in OFFSETS]
        without, with_bn = np.array(medians).T
        if M_B == 2:
            why = "Two samples: with BN every\ngradient is zero, no ratio exists."
            zeros = np.zeros(len(OFFSETS))
            return Gradients(M_B, offset, mean, bn=zeros, baseline=without, explanation=why)
        g_baseline, g_bn = _shifted_gradients(M_B, offset, mean)
        return Gradients(M_B, offset, mean, g_baseline / g_bn, with_bn, without)

    def draw(self):
        self.figure.subplots_adjust(left=0.08, right=0.9, bottom=0.17, top=0.93, wspace=0.3)
        left, right = self.axes(1, 2)
        self._draw_histogram(left)
        self._draw_curves(right)

    def _draw_histogram(self, ax):
        powers = range(-2, 7, 2)
        ax.set(xlim=(-2, 6), ylim=(0, 0.5), ylabel="share of the weights")
        ax.set_xlabel(r"size of baseline's gradient over BN's, $\gamma/\sigma(x) = 1$")
        ax.set_xticks(powers, ["1" if p == 0 else f"$10^{{{p}}}$" for p in powers])
        ax.axvline(0, color=look.INK, lw=look.THIN, ls=":")
        bars = ax.bar(RATIOS[:-1], 0, 0.25, align="edge", color=look.FAINT, ec="white", lw=0.5)
        self._bars = [self.moving(bar) for bar in bars]
        self._middle = self.moving(ax.axvline(0, color=look.INK, lw=1.6))
        self._median = self.words(ax, 0, 0.47, "", va="center")
        above = {"backgroundcolor": "white", "zorder": 5}
        self._note = self.words(ax, 2, 0.25, "", ha="center", va="center", fontsize=10, **above)

    def _draw_curves(self, ax):
        places = np.arange(len(OFFSETS))
        ax.set(yscale="log", ylim=(LEAST_SIZE, LARGEST_SIZE), xlim=(-0.3, len(OFFSETS) - 0.7))
        ax.set_xlabel(r"offset $\langle u\rangle/\sigma(u)$")
        ax.set_ylabel(r"median size at $\gamma/\sigma(x) = 1$")
        ax.set_xticks(places, [f"{offset:g}" for offset in OFFSETS])
        self._here = self.moving(ax.axvline(0, color=look.INK, lw=look.THIN, ls=":"))
        self._curves, self._names = [], []
        for of in (look.BATCH_NORM, look.BASELINE):
            (line,) = ax.plot(places, np.ones(len(places)), marker=of.marker, **of.line())
            name = ax.text(len(OFFSETS) - 0.8, 1, of.label, color=of.ink, va="center")
            self._curves.append(self.moving(line))
            self._names.append(self.moving(name))

    def update(self, result):
        self._note.set_text(result.explanation)
        self._here.set_xdata([OFFSETS.index(result.offset)] * 2)
        self._update_histogram(result.ratios)
        medians = (result.bn, result.baseline)
        for line, name, values in zip(self._curves, self._names, medians, strict=True):
            shown = bool(values is not None and values.max() > LEAST_SIZE)
            line.set_visible(shown)
            name.set_visible(shown)
            if shown:
                line.set_ydata(values)
                name.set_y(values[-1])
        if all(name.get_visible() for name in self._names):
            self._part()

    def _update_histogram(self, ratios):
        inside = np.clip(np.log10(ratios), RATIOS[0] + 1e-9, RATIOS[-1] - 1e-9)
        shares = np.histogram(inside, RATIOS)[0] / max(len(ratios), 1)
        for bar, share in zip(self._bars, shares, strict=True):
            bar.set_height(share)
        self._middle.set_visible(ratios.size > 0)
        self._median.set_visible(ratios.size > 0)
        if ratios.size:
            median = np.median(ratios)
            middle, left = np.log10(median), np.log10(median) > 3
            self._middle.set_xdata([middle] * 2)
            self._median.set_text(f"median {_two(median)}")
            self._median.set(x=middle + (-0.15 if left else 0.15), ha="right" if left else "left")

    def _part(self):
        """Keep the two names apart where the curves end together."""
        low, high = sorted(self._names, key=lambda name: name.get_position()[1])
        y_low, y_high = low.get_position()[1], high.get_position()[1]
        if y_high / y_low < 3:
            center = np.sqrt(y_low * y_high)
            low.set_y(center / np.sqrt(3))
            high.set_y(center * np.sqrt(3))

    def say(self, result):
        state = f"M_B = {result.M_B}, ⟨u⟩ = {result.offset:g} σ(u), ⟨Δ⟩ = {result.mean:g} σ(Δ): "
        if result.explanation:
            return state + " ".join(result.explanation.split())
        low, middle, high = np.quantile(result.ratios, (0.1, 0.5, 0.9))
        return (
            f"{state}baseline over BN, γ/σ(x) = 1: median {_two(middle)}, "
            f"eight weights in ten {_two(low)} to {_two(high)}."
        )


# ---- M Δ and the M u_j of a neuron with four samples, in the plane where they live

PALE = "#C9E9DE"  # u's green, faint enough to stand behind arrows
UNSEEN = 1e-3  # shorter than that is no arrow
DISC, HALF = 2.0, 2.45  # the length of a hatted vector, √M_B, and half the height of a panel
SPANS = ("a point", "a line", "the plane")


class Plane(NamedTuple):
    """What of a neuron lives in the plane that is orthogonal to 1 and x̂."""

    vectors: np.ndarray  # (inputs + 1, 2), the M u_j, and M Δ times M_B
    span: int  # the dimensions that the M u_j span


def _plane(u, x_hat, delta):
    """Return the `Plane` of four samples, M u_1 to the right, the first that leaves its line up.

    Where M u_1 is zero, the axis of the first sample stands to the right.
    """
    vectors = sample_space.mix(x_hat, np.column_stack([u, 4 * delta, np.eye(4)[:, 0]])).T
    right = vectors[0 if np.linalg.norm(vectors[0]) > UNSEEN else -1]
    axes = np.linalg.qr(np.column_stack([np.ones(4), x_hat, right]), mode="complete")[0][:, 2:]
    flat = vectors[:-1] @ axes * [np.sign(right @ axes[:, 0]), 1]
    off = flat[np.abs(flat[:, 1]) > UNSEEN, 1]
    flat = flat * [1, np.sign(off[0]) if len(off) else 1]
    return Plane(flat, int(np.linalg.matrix_rank(flat[:-1], tol=UNSEEN)))


@look.settings()
def ranks(neurons):
    """Return a `Picture` of M Δ and the M u_j of neurons with four samples, by their rank.

    Of each: its standardized inputs, then x̂ and Δ before the first step, and both at the stop.
    """
    figure = look.new_figure(8.4, 5.1)
    columns, told = look.new_axes(figure, 2, len(neurons)).T, []
    figure.subplots_adjust(left=0.03, right=1, bottom=0, top=0.95, wspace=0, hspace=0)
    for (rank, (u, *moments)), column in zip(neurons.items(), columns, strict=True):
        planes = [_plane(u, *moment) for moment in moments]
        for ax, plane in zip(column, planes, strict=True):
            _draw_plane(ax, plane)
        span, (before, after) = SPANS[planes[-1].span], map(_told, planes)
        column[0].text(0, HALF, f"$r$ = {rank}: {span}", ha="center", va="bottom", fontsize=11)
        told.append(f"r = {rank}: they span {span}; M Δ is {before} before, {after} after.")
    for ax, when in zip(columns[0], ("before the first step", "at the stop"), strict=True):
        ax.text(-2.6, 0, when, rotation=90, ha="center", va="center", fontsize=10)
    return look.still(
        figure,
        "The M u_j of a neuron, and M Δ four times as long, as arrows in the plane orthogonal to 1 "
        f"and x̂, before its first step and at its stop. {' '.join(told)}",
    )


def _told(plane):
    """Say how long M Δ is drawn, and how it stands to a line of the M u_j."""
    x, y = np.abs(plane.vectors[-1])
    if np.hypot(x, y) < UNSEEN:
        return "zero"
    angle = f" at {np.degrees(np.arctan2(y, x)):.0f}° to it" if plane.span == 1 else ""
    return f"{number(np.hypot(x, y))} long{angle}"


def _draw_plane(ax, plane):
    ax.set(xlim=(-1.15 * HALF, 1.15 * HALF), ylim=(-HALF, HALF), aspect="equal")
    ax.set_axis_off()
    _draw_span(ax, plane.span)
    names = [(rf"\mathbf{{M}}u_{j}", look.U) for j in range(1, len(plane.vectors))]
    names += [(r"\mathbf{M}\Delta", look.DELTA)]
    lengths = np.linalg.norm(plane.vectors, axis=1)
    labels, zeros, of_line = [], [], plane.span == 1
    for vector, length, (name, of) in zip(plane.vectors, lengths, names, strict=True):
        if length < UNSEEN:
            zeros.append((name, of))
            continue
        arrow = {"arrowstyle": "-|>", "lw": 2.6 if of is look.DELTA else 1.5, "color": of.color}
        ax.annotate("", vector, (0, 0), arrowprops={**arrow, "shrinkA": 0, "shrinkB": 0}, zorder=3)
        aside = np.array([0, -1]) if of_line and of is look.U else vector / length
        labels.append((name, of, vector + 0.32 * aside))
    if zeros:
        labels.append((" = ".join(name for name, _ in zeros) + " = 0", zeros[0][1], (0, -0.4)))
    if of_line and abs(plane.vectors[-1, 0]) < UNSEEN < lengths[-1]:
        ax.plot([0.22, 0.22, 0], [0, 0.22, 0.22], color=look.INK, lw=look.THIN, zorder=4)
    # Names on a line keep as far apart as they are wide; elsewhere off the tips too.
    tips, distance = (np.empty((0, 2)), 0.7) if of_line else (plane.vectors, 0.3)
    places = apart(np.array([place for *_, place in labels]), tips, distance, HALF)
    for (name, of, _), place in zip(labels, places, strict=True):
        style = {"color": of.ink, "fontsize": 10, "path_effects": HALO, "zorder": 5}
        ax.text(*place, f"${name}$", ha="center", va="center", **style)


def _draw_span(ax, span):
    """Draw the plane, as a disc, and of it what the M u_j span."""
    fill = PALE if span == 2 else "white"
    ax.add_patch(Circle((0, 0), DISC, fc=fill, ec=GRAY, lw=look.THIN, zorder=0))
    if span == 1:
        ax.plot([-DISC, DISC], [0, 0], color=PALE, lw=9, solid_capstyle="butt", zorder=1)
    if span == 0:
        ax.plot([0], [0], color=PALE, marker="o", ms=13, zorder=1)


# ---- the stop conditions: one neuron trained, W alone, then γ and β too

INPUTS = 4
JOIN, STEPS = 400, 1000  # γ and β begin to learn; the end
SMALL, ZERO, FAR = 1e-3, 1e-4, 0.05
LEAST = 1e-8  # what is smaller is drawn here
POWERS = (
    [1, 1e-2, 1e-4, 1e-6, LEAST],
    ["1", "$10^{-2}$", "$10^{-4}$", "$10^{-6}$", r"$\leq 10^{-8}$"],
)


class Path(NamedTuple):
    """A training of a neuron, W alone and then with γ and β."""

    M_B: int
    inputs: int
    rank: int = 0  # of the centered inputs
    # sinθ1 (steps,), sinθ2 and |cosφ| (steps, inputs); nan where φ has no meaning
    factors: tuple | None = None
    # largest |∂C/∂W| and |cosθ3| of the inputs, |cosθ1|, and M_B σ(Δ), each (steps,)
    sizes: tuple | None = None
    explanation: str = ""  # why there is no training


def quadrants(M_B):
    """Return the ink in the four quadrants of the first M_B digits, and whether each is odd."""
    data = load("odd")
    ink = data.psi[:M_B].reshape(-1, 2, 4, 2, 4).sum(axis=(2, 4)).reshape(-1, INPUTS)
    return ink, data.phi[:M_B]


@kept
def _training(M_B, inputs):
    """Return the rank, and sines, cosines and sizes of both halves of the training, joined."""
    ink, phi = quadrants(M_B)
    psi = geometry.standardize(ink[:, :inputs])
    neuron = network.create([inputs, 1], batch_norm=True, activation="identity", rng=0)
    halves = [
        sphere.train_neuron(neuron, psi, phi, parameters=names, learning_rate=rate, steps=n)
        for names, rate, n in ((["W"], 2.0, JOIN), (["W", "gamma", "beta"], 0.8, STEPS - JOIN))
    ]

    def joined(column):
        return np.concatenate([column(half) for half in halves])[: STEPS + 1]

    theta1, theta2, theta3, dihedral = (joined(lambda half, k=k: half.angles[k]) for k in range(4))
    gradient, spread = joined(lambda half: half.gradient), joined(lambda half: half.sigma)
    sines = np.sin(theta1), np.sin(theta2)
    meaning = (sines[0] > NO_SIDE)[:, np.newaxis] & (sines[1] > NO_SIDE)
    factors = *sines, np.where(meaning, np.abs(np.cos(dihedral)), np.nan)
    sizes = np.abs(gradient).max(axis=1), np.abs(np.cos(theta3)).max(axis=1)
    return np.linalg.matrix_rank(psi), factors, (*sizes, np.abs(np.cos(theta1)), M_B * spread)


class Stops(Explorer):
    """One neuron on the ink of four quadrants, W trained alone and then with γ and β."""

    size = 8.4, 3.4
    places = 3
    M_B = batch_size((1, 2, 3, 4, 5, 6, 10, 16, 32, 64), 64)
    inputs = slider("inputs", INPUTS, options=range(1, INPUTS + 1))

    def compute(self, M_B, inputs):
        if M_B == 1:
            why = "One sample: x̂ = 0/0,\nthere is nothing to train."
            return Path(M_B, inputs, explanation=why)
        return Path(M_B, inputs, *_training(M_B, inputs))

    def draw(self):
        self.figure.subplots_adjust(left=0.09, right=0.88, bottom=0.16, top=0.9, wspace=0.62)
        left, right = self.axes(1, 2)
        for ax in (left, right):
            ax.set(yscale="log", ylim=(LEAST / 2, 3), xlim=(0, STEPS), xlabel="step")
            ax.set_yticks(*POWERS)
            ax.minorticks_off()
            ax.axvline(JOIN, color=look.INK, lw=look.THIN, ls=":")
            for x, who in ((JOIN / 2, "W alone"), ((JOIN + STEPS) / 2, "W, γ and β")):
                ax.text(x, 1.03, who, ha="center", transform=ax.get_xaxis_transform())
        left.set_ylabel("factors of $\\partial C/\\partial W$")
        right.set_ylabel("sizes, the largest of the inputs")
        self._factors = [
            self._curves(left, r"$\sin\theta_1$", look.THETA1, 2.2),
            self._curves(left, r"$\sin\theta_2$", look.THETA2, 1.2, INPUTS),
            self._curves(left, r"$|\cos\varphi|$", look.PHI, 1.0, INPUTS),
        ]
        # The two angles often run together: one is wide, and behind.
        self._sizes = [
            self._curves(right, r"$|\partial C/\partial W|$", look.GRADIENT, 1.8),
            self._curves(right, r"$|\cos\theta_3|$", look.THETA3, 1.2),
            self._curves(right, r"$|\cos\theta_1|$", look.THETA1, 2.8, zorder=1),
            self._curves(right, r"$M_B\,\sigma(\Delta)$", look.DELTA, 1.4),
        ]
        place = {"ha": "center", "va": "center", "transform": left.transAxes}
        above = {"fontsize": 10, "backgroundcolor": "white", "zorder": 5}
        self._note = self.words(left, 0.5, 0.5, "", **place, **above)

    def _curves(self, ax, text, of, width, count=1, zorder=2):
        """Return curves of one quantity, and its name."""
        beside = {"va": "center", "transform": ax.get_yaxis_transform()}
        name = self.words(ax, 1.03, 0, text, color=of.ink, **beside)
        return [self.line(ax, **of.line(lw=width, zorder=zorder)) for _ in range(count)], name

    def update(self, result):
        self._note.set_text(result.explanation)
        for rows, quantities in ((self._factors, result.factors), (self._sizes, result.sizes)):
            ends = []
            for (lines, name), values in zip(rows, quantities or [None] * len(rows), strict=True):
                columns = np.empty((0, 0))
                if values is not None:
                    columns = np.maximum(values.reshape(len(values), -1), LEAST)
                for line, column in itertools.zip_longest(lines, columns.T, fillvalue=()):
                    line.set_data(np.arange(len(column)), column)
                # Where the last has no meaning, its name stands beside the last that has.
                known = columns[~np.isnan(columns).any(axis=1)]
                ends.append(np.exp(np.log(known[-1]).mean()) if len(known) else LEAST)
                name.set_visible(len(known) > 0)
            _spread([name for _, name in rows], ends)

    def say(self, result):
        state = f"M_B = {result.M_B}, "
        if result.factors is None:
            return state + " ".join(result.explanation.split())
        return f"{state}r = {result.rank}: W alone {_alone(result)}; with γ, β {_together(result)}."


def _spread(names, heights):
    """Put the names beside the ends of their curves, none on another."""
    order, gap = np.argsort(heights, kind="stable"), 0.75
    places, high = np.log10(heights), 0.2 + gap
    for k in order[::-1]:
        places[k] = high = min(places[k], high - gap)
    low = np.log10(LEAST) - gap
    for k in order:
        places[k] = low = max(places[k], low + gap)
        names[k].set_y(10**low)


def _alone(result):
    """Say what holds W while γ and β stay."""
    sin1, sin2, cos = (factor[JOIN] for factor in result.factors)
    if result.rank == 1:
        return "never moves"
    if result.sizes[0][JOIN] > ZERO:
        return f"still moves at step {JOIN}, sinθ1 {sin1:.2f}"
    if sin1 < ZERO:
        return "stops at sinθ1 = 0"
    if cos.max() < ZERO and min(sin1, *sin2) > FAR:
        return f"stops at φ = 90° (sinθ1 {sin1:.2f}, sinθ2 from {sin2.min():.2f})"
    return f"hardly moves, |∂C/∂W| is {result.sizes[0][JOIN]:.0e}"


def _together(result):
    """Say what holds all parameters at the end."""
    _, cos3, cos1, spread = (size[-1] for size in result.sizes)
    if max(cos3, cos1) < SMALL:
        return "all stop where the baseline does"
    return f"σ(Δ) still falls, to {spread / result.sizes[3][0]:.1%} of its start"


# ---- questions, S52: do the neurons of a layer become alike, with BN and without?

WIDTH = 128
DEPTHS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 40, 50, 60, 70, 80, 90, 100)
HIDDEN, HIDDEN_WIDTH = (1, 2, 4, 8), 32
KINDS = {"BN": True, "baseline": False}
LOOKS = {"BN": look.BATCH_NORM, "baseline": look.BASELINE}


class Trained(NamedTuple):
    """The last hidden layer of trained digits networks."""

    # (seeds, 2), mean |Corr| before and after, by kind and number of hidden layers
    correlation: dict
    accuracy: dict  # held-out accuracy, median over the seeds


def _over_depth(batch_norm, M_B, seed):
    """Return mean |Corr| of some layers of an untrained ReLU network on the first M_B digits."""
    sizes = [64, *[WIDTH] * DEPTHS[-1], 1]
    net = network.create(sizes, batch_norm=batch_norm, activation="relu", rng=seed)
    steps = network.feed_forward(net, load("ten").psi[:M_B])
    return np.array([sphere.mean_correlation(steps[layer - 1].u) for layer in DEPTHS])


def untrained(seeds, M_B=128, progress=iter):
    """Return mean |Corr| over the depth, (seeds, depths), of untrained networks of both kinds."""
    runs = [(kind, seed) for seed in seeds for kind in KINDS]
    curves = {kind: [] for kind in KINDS}
    for kind, seed in progress(runs):
        curves[kind].append(_over_depth(KINDS[kind], M_B, seed))
    return {kind: np.array(values) for kind, values in curves.items()}


def trained(seeds, epochs=6, progress=iter):
    """Train ReLU digits networks of both kinds and several depths, and return `Trained`."""
    data, runs = load("ten"), [(k, n, s) for n in HIDDEN for k in KINDS for s in seeds]
    correlation = {kind: {hidden: [] for hidden in HIDDEN} for kind in KINDS}
    right = {kind: {hidden: [] for hidden in HIDDEN} for kind in KINDS}
    for kind, hidden, seed in progress(runs):
        sizes = [64, *[HIDDEN_WIDTH] * hidden, 10]
        net = network.create(sizes, batch_norm=KINDS[kind], activation="relu", rng=seed)
        before, _ = _measure(net, data)
        options = {"learning_rate": 0.3, "batch_size": 64, "epochs": epochs, "rng": seed}
        network.train_whole(net, data.psi, data.phi, **options)
        after, accuracy = _measure(net, data)
        correlation[kind][hidden].append((before, after))
        right[kind][hidden].append(accuracy)
    return Trained(
        {k: {n: np.array(v) for n, v in by.items()} for k, by in correlation.items()},
        {k: {n: float(np.median(v)) for n, v in by.items()} for k, by in right.items()},
    )


def _measure(net, data):
    """Return mean |Corr| in the last hidden layer, and the accuracy, on the held-out digits."""
    steps = network.feed_forward(net, data.psi_test)
    return sphere.mean_correlation(steps[-2].u), digits.accuracy(steps[-1].u, data.phi_test)


@look.settings()
def correlations(deep, correlation):
    """Return both measurements as a `Picture`: of `untrained`, and of `trained` its correlation."""
    figure, (left, right) = look.chart(
        8.4, 3.2, left=0.08, right=0.89, bottom=0.17, top=0.95, wspace=0.5, columns=2
    )
    for ax in (left, right):
        ax.set(ylim=(0, 1), ylabel="mean |Corr| between neurons")
    _depth(left, deep)
    _before_and_after(right, correlation)
    return look.still(
        figure,
        "Left: mean correlation between neurons over 100 layers of untrained ReLU networks, bands "
        "over seeds. With batch normalization it stays below 0.3; without, it rises, and at layer "
        "100 every seed is higher than with batch normalization. Right: the last hidden layer of "
        "digits networks, before and after training, over the number of hidden layers. With one or "
        "two hidden layers the two kinds differ little; with eight the baseline is higher.",
    )


def _depth(ax, deep):
    ax.set(xlabel="layer, before any training", xlim=(1, 100), xticks=[1, 25, 50, 75, 100])
    for name, values in deep.items():
        of, ends = LOOKS[name], (values.min(axis=0), values.max(axis=0))
        ax.fill_between(DEPTHS, *ends, color=of.color, alpha=0.18, lw=0)
        ax.plot(DEPTHS, np.median(values, axis=0), **of.line())
        ax.text(101.5, np.median(values[:, -1]), name, color=of.ink, va="center")


def _before_and_after(ax, correlation):
    ax.set(xlabel="hidden layers", xlim=(-0.5, len(HIDDEN) - 0.5))
    ax.set_xticks(range(len(HIDDEN)), HIDDEN)
    for side, (name, by_depth) in enumerate(correlation.items()):
        of = LOOKS[name]
        for place, values in enumerate(by_depth.values()):
            x = place + 0.24 * (side - 0.5)
            before, after = np.median(values, axis=0)
            ends = [values[:, 1].min(), values[:, 1].max()]
            ax.plot([x + 0.06] * 2, ends, color=of.color, lw=5, alpha=0.25)
            ax.plot([x - 0.06], [before], ms=6, mfc="white", **{**of.points(), "marker": "o"})
            ax.plot([x + 0.06], [after], ms=7, **of.points())
    ax.plot([0.03], [0.94], ms=6, mfc="white", transform=ax.transAxes, **look.BATCH_NORM.points())
    ax.text(0.07, 0.94, "before training", transform=ax.transAxes, va="center")
    for row, of in enumerate(LOOKS.values()):
        ax.plot([0.03], [0.86 - 0.08 * row], ms=6, transform=ax.transAxes, **of.points())
        text = f"{of.label}, trained"
        ax.text(0.07, 0.86 - 0.08 * row, text, color=of.ink, transform=ax.transAxes, va="center")
