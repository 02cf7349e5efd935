"""Pictures of sample space that keep every angle, and experiments with them. Beyond the source.

x̂, Δ̂ and û of one weight span at most three dimensions of sample space.
Coordinates in an orthonormal basis of these keep all lengths and angles, so
three points on an ordinary sphere of radius √M_B say everything that the
gradient of that weight depends on. What does not fit is refused with a
`ValueError` that says what was wanted.
"""

import math
from typing import NamedTuple

import numpy as np

from . import baseline
from .checked import Array, Real, checked, count, instance, limits, number, shown, unchecked
from .geometry import Angles, _standardize, sample_angles, sigma, unexplained
from .network import (
    Network,
    _inputs_and_labels,
    _require_network,
    cost_and_gradients,
    feed_forward,
)
from .sample_space import sample_mean

# Which column of a frame is drawn along x, y, z: x̂ points up, Δ̂ lies in the plane of x and z.
UPRIGHT = [1, 2, 0]
MOST_STEPS = 10**6  # a record is kept of each


class Vectors(NamedTuple):
    """The three vectors of one weight, each of mean 0 and length √M_B.

    Attributes
    ----------
    x_hat, delta, u : ndarray, shape (M_B,)
        x̂, Δ̂ and û.
    """

    x_hat: np.ndarray
    delta: np.ndarray
    u: np.ndarray


@checked
def frame(x: Real["M_B"], delta: Real["M_B"], u: Real["M_B"]):
    """Orthonormal directions of sample space along x̂, M Δ and what is left of M u."""
    named = {"x": x, "delta": delta, "u": u}
    columns = np.hstack([_standardize(name, v[:, np.newaxis]) for name, v in named.items()])
    # numpy's QR knows float32 and float64 alone.
    Q, R = np.linalg.qr(columns.astype(columns.dtype if columns.itemsize < 8 else float))
    return np.where(np.diagonal(R) < 0, -Q, Q)


@checked
def coordinates(frame: Real["M_B k"], v: Real["M_B n"]):
    """The columns of v as points in space, the first direction of the frame upward.

    For vectors within the frame all lengths and angles stay what they are
    in sample space.
    """
    _require_space(frame)
    points = np.zeros((v.shape[1], 3), v.dtype)
    points[:, : frame.shape[1]] = v.T @ frame
    return points[:, UPRIGHT]


def _require_space(frame):
    if frame.shape[1] > 3:
        raise ValueError(f"frame: got {frame.shape[1]} columns, wanted at most 3")


def reachable(M_B, theta1, theta2, dihedral):
    """Return θ1, θ2, φ, or the nearest angles that a batch of M_B samples can have.

    Vectors of mean 0 have M_B − 1 dimensions. In a plane, M_B = 3, φ is 0
    or π. On a line, M_B = 2, so are θ1 and θ2, and φ has no meaning.

    Parameters
    ----------
    M_B : int
        At least 2.
    theta1, theta2, dihedral : float
        In radians, between 0 and π.

    Returns
    -------
    tuple of float

    Examples
    --------
    >>> reachable(3, 1.0, 2.0, 0.5)
    (1.0, 2.0, 0.0)
    """
    count("M_B", M_B, minimum=2)
    angles = {"theta1": theta1, "theta2": theta2, "dihedral": dihedral}
    for name, angle in angles.items():
        if number(name, angle) > math.pi:
            raise ValueError(f"{name}: got {angle:.16g}, wanted an angle from 0 to π")
    theta1, theta2, dihedral = map(float, angles.values())
    if M_B == 2:
        return _flat(theta1), _flat(theta2), dihedral
    return theta1, theta2, _flat(dihedral) if M_B == 3 else dihedral


def _flat(angle):
    return 0.0 if angle <= math.pi / 2 else math.pi


def corners(theta1, theta2, dihedral):
    """Return x̂, Δ̂ and û with these angles between them, on the unit sphere of a frame.

    Parameters
    ----------
    theta1, theta2, dihedral : float
        In radians.

    Returns
    -------
    ndarray, shape (3, 3)
        One vector a column; a row for each direction of the frame.
    """
    angles = {"theta1": theta1, "theta2": theta2, "dihedral": dihedral}
    theta1, theta2, dihedral = (number(*angle, minimum=-math.inf) for angle in angles.items())
    return np.array(
        [
            [1, math.cos(theta1), math.cos(theta2)],
            [0, math.sin(theta1), math.sin(theta2) * math.cos(dihedral)],
            [0, 0, math.sin(theta2) * math.sin(dihedral)],
        ]
    )


@checked
def place(frame: Real["M_B k"], theta1, theta2, dihedral):
    """x̂, Δ̂ and û of a batch with these angles, as far as M_B samples allow."""
    _require_space(frame)
    M_B = len(frame)
    if M_B < 2:
        raise ValueError(f"frame: got {M_B} sample, wanted at least 2")
    directions = frame[:, : M_B - 1]  # those in which vectors of mean 0 can point
    along = np.column_stack([directions, np.ones(M_B)])
    off = directions.T @ along - np.eye(directions.shape[1], along.shape[1])
    if not (np.abs(off) <= limits(frame.dtype)[1]).all():
        got = "got columns that are not orthonormal and of mean 0"
        raise ValueError(f"frame: {got}, wanted those of three vectors in `frame`")
    unit = corners(*reachable(M_B, theta1, theta2, dihedral)).astype(frame.dtype)
    unit, beyond = np.split(unit, [directions.shape[1]])
    if (np.abs(beyond) > limits(frame.dtype)[1]).any():
        got = f"got {directions.shape[1]} of the directions that vectors with these angles point in"
        raise ValueError(f"frame: {got}, wanted all of them")
    return Vectors(*(math.sqrt(M_B) * directions @ unit).T)


@checked
def partial_correlation(a: Array["M_B 1|n"], b: Array["M_B n"], x: Array["M_B"]):
    """The correlation of a and b given x: that of what x does not explain of them.

    The cosine of φ, if a is Δ and b is u. A column that x explains up to rounding has none.
    """
    x_hat, rest = _standardize("x", x[:, np.newaxis]), []
    for name, v in (("a", a), ("b", b)):
        _standardize(name, v)
        direction, zero = unexplained(x_hat, v)
        if zero.any():
            why = f"got column {int(zero.argmax())}, which x explains up to rounding"
            raise ValueError(f"{name}: {why}, wanted one that it does not")
        rest.append(direction)
    return (rest[0] * rest[1]).sum(axis=0)


@checked
def mean_correlation(u: Real["M_B n"]):
    """The mean of |Corr(u_j, u_k)| over all pairs of different neurons.

    Neurons that are constant over the batch up to rounding, σ ≤ 64 rounding units of their mean,
    have no correlation and are left out.
    """
    u = u[:, sigma(u) > 64 * np.finfo(u.dtype).eps * np.abs(sample_mean(u))]
    n = u.shape[1]
    if n < 2:
        raise ValueError(f"u: got {n} neurons that vary over the samples, wanted at least 2")
    u_hat = _standardize("u", u)
    return float((np.abs(u_hat.T @ u_hat / len(u)).sum() - n) / (n * (n - 1)))


class Path(NamedTuple):
    """What `train_neuron` saw before its first step, between all steps, and after its last.

    Attributes
    ----------
    cost : ndarray, shape (steps + 1,)
    gradient : ndarray, shape (steps + 1, n_prev)
        ∂C/∂W.
    mean, sigma : ndarray, shape (steps + 1,)
        ⟨Δ⟩/σ(Δ) and σ(Δ).
    angles : Angles
        theta1 of shape (steps + 1,), the others (steps + 1, n_prev).
    """

    cost: np.ndarray
    gradient: np.ndarray
    mean: np.ndarray
    sigma: np.ndarray
    angles: Angles


def train_neuron(neuron, psi, phi, *, parameters, learning_rate, steps):
    """Train a network of one neuron on one batch, some of its parameters alone.

    Parameters
    ----------
    neuron : Network
        Sizes [n_prev, 1]. Changed in place.
    psi : array_like, shape (M_B, n_prev)
        Inputs u.
    phi : array_like, shape (M_B, 1)
        Labels.
    parameters : sequence of str
        Names of the parameters that learn, ``["W"]`` or ``["W", "gamma", "beta"]``.
    learning_rate : float
    steps : int

    Returns
    -------
    Path
    """
    _require_network("neuron", neuron)
    if len(neuron.layers) != 1 or neuron.sizes[1] != 1:
        raise ValueError(f"neuron: got sizes {neuron.sizes}, wanted [n_prev, 1]")
    names, learning_rate = vars(neuron.layers[0]), number("learning_rate", learning_rate)
    instance("parameters", parameters, (list, tuple, set), "a list of names")
    if unknown := [p for p in parameters if not isinstance(p, str) or p not in names]:
        raise ValueError(f"parameters: got {shown(unknown)}, wanted some of {', '.join(names)}")
    psi, phi = _inputs_and_labels(neuron, psi, phi, real=True)
    steps = count("steps", steps, minimum=0, maximum=MOST_STEPS)
    with np.errstate(all="ignore"):
        _standardize("psi", psi)  # a constant input has no angle
        records = unchecked(list, _steps(neuron, psi, phi, parameters, learning_rate, steps))
        cost, gradient, y, delta = (np.array(column) for column in zip(*records, strict=True))
        # As of a layer that has a neuron for each step.
        angles = unchecked(sample_angles, delta.T, psi, y.T)
        spread = sigma(delta.T)
        return Path(cost, gradient, sample_mean(delta.T) / spread, spread, angles)


def _steps(neuron, psi, phi, parameters, learning_rate, steps):
    """Yield cost, ∂C/∂W, y and Δ before each step and after the last."""
    for _ in range(steps):
        gradients, record = _look(neuron, psi, phi)
        yield record
        layer = dict(vars(neuron.layers[0]))
        for name in set(parameters):
            layer[name] = layer[name] - learning_rate * getattr(gradients, name)
        neuron.layers = [type(neuron.layers[0])(**layer)]
    yield _look(neuron, psi, phi)[1]


def _look(neuron: Network, psi, phi):
    """Return the gradients of the only layer, and cost, ∂C/∂W, y and Δ."""
    cost, (gradients,) = cost_and_gradients(neuron, psi, phi)
    (step,) = feed_forward(neuron, psi)
    delta = baseline.output_error(step.u, phi)
    return gradients, (cost, gradients.W[0], step.y[:, 0], delta[:, 0])
