"""Drawing on a sphere: an orthographic view, great circles, labels that keep apart.

mplot3d redraws everything at every move. A sphere seen from far away needs
two products with the line of sight and no more.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

CLOSE = 1e-9


class View(NamedTuple):
    """Three orthonormal directions of a viewer far away.

    Attributes
    ----------
    right, up, toward : ndarray, shape (3,)
        In the picture, in the picture, and from the picture to the eye.
    """

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

    Parameters
    ----------
    start, end : array_like, shape (3,)
        Of equal length.
    via : array_like, shape (3,)
        Where to pass, if the two are opposite and every way is short.
    points : int

    Returns
    -------
    ndarray, shape (points, 3)
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


def circle(pole, radius=1.0, points=145):
    """Return the great circle whose pole this is, shape (points, 3)."""
    pole = unit(np.asarray(pole, float))
    e = unit(_across(pole, np.array([1.0, 0.0, 0.0])))
    f = np.cross(pole, e)
    t = np.linspace(0, 2 * np.pi, points)[:, np.newaxis]
    return radius * (np.cos(t) * e + np.sin(t) * f)


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


def apart(wanted, fixed, distance, limit, rounds=60):
    """Move labels until no two are close to each other or to a fixed point.

    Parameters
    ----------
    wanted : ndarray, shape (n, 2)
        Where the labels would stand if each were alone.
    fixed : ndarray, shape (m, 2)
        What they must not cover.
    distance : float
        To keep.
    limit : float
        Labels stay within a circle of this radius.

    Returns
    -------
    ndarray, shape (n, 2)
    """
    n = len(wanted)
    # Two on the very same spot part along directions of their own.
    turn = 2.4 * np.arange(n)
    own = np.stack([np.cos(turn), np.sin(turn)], axis=-1)[:, np.newaxis]
    moved, itself = np.array(wanted, float), np.eye(n, n + len(fixed), dtype=bool)
    for _ in range(rounds):
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
