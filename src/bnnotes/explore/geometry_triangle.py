"""The main explorer of chapter 4: batch size and three angles, on the sphere."""

from __future__ import annotations

import functools
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np

from .. import baseline, batchnorm, digits, geometry, network, sphere
from ..figures.geometry import TriangleFigure
from . import base

SIZES = (1, 2, 3, 4, 5, 6, 8, 16, 32, 64)
ONE_SAMPLE = "One sample equals its mean:\nno vector is left to draw."
NO_SIDE = 1e-9  # the sine of a side that φ cannot be measured from


class Triangle(NamedTuple):
    """A batch with the wished angles, as far as there is one, and what it makes of W and γ.

    Attributes
    ----------
    M_B : int
    points, wished : ndarray, shape (3, 3)
        x̂, Δ̂ and û of the batch, and as wished, each a row, length √M_B.
    spokes : ndarray, shape (n, 3)
        Directions of the samples' own axes; none if M_B > 4.
    angles : tuple of float
        θ1, θ2, θ3, φ of the batch, measured, in degrees.
    asked : tuple of float
        θ1, θ2, φ as the sliders stand, in degrees.
    gradients : tuple of float
        ∂C/∂W with BN over M_B γσ(Δ)σ(u)/σ(x), without BN over
        M_B σ(Δ)σ(u), and ∂C/∂γ over M_B σ(Δ).
    vectors : ndarray, shape (3, M_B)
        x̂, Δ̂ and û, entry by entry.
    azimuth, elevation : float
        Of the viewer, in degrees.
    explanation : str
        Why there is no picture.
    """

    M_B: int
    points: np.ndarray | None
    wished: np.ndarray | None
    spokes: np.ndarray | None
    angles: tuple | None
    asked: tuple
    gradients: tuple | None
    vectors: np.ndarray | None
    azimuth: float
    elevation: float
    explanation: str = ""


@functools.cache
def frame(M_B):
    """Return the directions of x̂, M Δ and M u of one weight on the first M_B digits."""
    data = digits.load("ten")
    psi, phi = data.psi[:M_B], data.phi[:M_B]
    net = network.create([64, 32, 10], batch_norm=True, activation="tanh", rng=0)
    hidden, output = network.feed_forward(net, psi)
    delta = baseline.output_error(output.u, phi)
    return sphere.frame(output.normalized.x_hat[:, 0], delta[:, 0], hidden.u[:, 0])


def compute_triangle(M_B, theta1, theta2, dihedral, azimuth, elevation):
    """Return the `Triangle` of these wishes, angles in degrees."""
    asked = theta1, theta2, dihedral
    if M_B == 1:
        return Triangle(M_B, *[None] * 4, asked, None, None, azimuth, elevation, ONE_SAMPLE)
    directions, wish = frame(M_B), np.radians(asked)
    vectors = np.column_stack(sphere.place(directions, *wish))
    x_hat, delta, u = (vectors[:, [k]] for k in range(3))
    measured = geometry.sample_angles(delta, u, x_hat)
    return Triangle(
        M_B,
        sphere.coordinates(directions, vectors),
        np.sqrt(M_B) * sphere.corners(*wish).T[:, sphere.UPRIGHT],
        _spokes(directions),
        tuple(float(np.degrees(angle).squeeze()) for angle in measured),
        asked,
        _gradients(x_hat, delta, u),
        vectors.T,
        azimuth,
        elevation,
    )


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


def _read_triangle(result):
    M_B, state = result.M_B, f"M_B = {result.M_B}: "
    if result.points is None:
        return state + "one sample equals its mean, so x̂ = 0/0. There is no triangle."
    theta1, theta2, theta3, dihedral = (_degrees(angle) for angle in result.angles)
    bn, bl, gamma = (f"{round(g, 2) + 0.0:.2f}".replace("-", "−") for g in result.gradients)
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


def triangle():
    """Return the explorer of the spherical triangle: batch size, θ1, θ2, φ, and the view."""
    largest = max(np.sqrt(M_B) * np.linalg.norm(frame(M_B), axis=1).max() for M_B in SIZES[1:])

    def degrees(name, value, low=0, high=180):
        return base.slider(widgets.IntSlider, name, min=low, max=high, step=5, value=value)

    return base.Explorer(
        "The spherical triangle of one weight",
        compute_triangle,
        TriangleFigure(largest),
        _read_triangle,
        M_B=base.batch_size(SIZES, 4),
        theta1=degrees("θ1, between Δ̂ and x̂", 60),
        theta2=degrees("θ2, between û and x̂", 50),
        dihedral=degrees("φ, the angle at x̂", 70),
        azimuth=degrees("view: azimuth", 35, -180, 180),
        elevation=degrees("view: elevation", 15, -90, 90),
    )
