"""The geometry of the weight and γ update: section 3 of the source.

Standardized columns Δ̂, û and x̂ are points on one sphere of radius √M_B in sample space. The
gradients of W and γ are functions of the angles between them, in radians.

Arrays and errors are as in `sample_space`. Angles want real numbers, and a column that is constant
over the samples, which has none, is refused.
"""

from typing import NamedTuple

import numpy as np

from .batchnorm import Normalized
from .checked import Array, Real, checked, require_variance
from .sample_space import center, mix, sample_mean


class Angles(NamedTuple):
    """θ1 between Δ̂_i and x̂_i, θ2 between û_j and x̂_i, θ3 between Δ̂_i and û_j.

    The dihedral angle φ at x̂_i is that between M Δ_i and M u_j. Where one of them is zero there is
    no such angle; what stands there is π/2, a convention and no right angle that was found.
    """

    theta1: Array["n"]
    theta2: Array["n n_prev"]
    theta3: Array["n n_prev"]
    dihedral: Array["n n_prev"]


def sigma(v):
    """σ(v), the standard deviation of each column."""
    centered = center(v)
    return np.sqrt(sample_mean(centered * centered))


def kappa(normalized):
    """κ = ⟨x̂²⟩ = σ²/(σ² + eps) of each neuron."""
    return sample_mean(normalized.x_hat**2)


def _standardize(name, v):
    std = sigma(v)
    require_variance(name, v, sample_mean(v), std)
    return center(v) / std


@checked
def standardize(v: Array["M_B n"]):
    """v̂ = (v − ⟨v⟩)/σ(v), a column of length √M_B (S28)."""
    return _standardize("v", v)


@checked
def correlation(a: Array["M_B 1|n"], b: Array["M_B n"]):
    """Corr(a, b) = â·b̂/M_B column by column, equation (4).

    >>> correlation([[1.0], [2.0], [3.0]], [[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]]).round(12)
    array([ 1., -1.])
    """
    return sample_mean(_standardize("a", a) * _standardize("b", b))


def _length(v):
    return np.sqrt((v * v).sum(axis=0))


@checked
def angle(a: Real["M_B 1|n"], b: Real["M_B n"]):
    """The angle between â and b̂, column by column.

    The arc cosine of `correlation`, computed as 2·atan2(|â − b̂|, |â + b̂|),
    which stays exact near 0 and π, where the arc cosine loses half the digits.
    """
    return _angle(_standardize("a", a), _standardize("b", b))


def _angle(a_hat, b_hat):
    return 2 * np.arctan2(_length(a_hat - b_hat), _length(a_hat + b_hat))


def error_angle(delta, normalized):
    """θ1 of each neuron, the angle between Δ̂ and x̂."""
    return _angle(_standardize("delta", delta), _standardize("normalized.x_hat", normalized.x_hat))


def unexplained(x_hat, v):
    """The direction of M v column by column, and where M v is zero to the rounding of v."""
    std = sigma(v)
    # Centered first: a mean far beyond σ would be rounded by the division.
    residual = mix(x_hat, center(v) / std)
    length = np.sqrt((np.abs(residual) ** 2).sum(axis=0))
    # σ(v) is 1 here, the rounding that of the largest entry.
    unit = np.finfo(length.dtype).eps * np.abs(v).max(axis=0) / np.abs(std)
    zero = length <= 1e3 * unit * np.sqrt(len(x_hat))
    return residual / np.where(zero, 1, length), zero


def _dihedral(x_hat, delta, u):
    """Angle between M Δ and M u of one neuron; π/2 by convention where one is zero to rounding."""
    (M_delta, no_delta), (M_u, no_u) = unexplained(x_hat, delta), unexplained(x_hat, u)
    return np.where(no_delta | no_u, u.dtype.type(np.pi / 2), _angle(M_delta, M_u))


@checked
def sample_angles(delta: Real["M_B n"], u_prev: Real["M_B n_prev"], x: Real["M_B n"]):
    """θ1, θ2, θ3 and φ for every weight W_ij, as in (5); x̂ may stand for x."""
    delta_hat = _standardize("delta", delta)
    u_hat = _standardize("u_prev", u_prev)
    x_hat = _standardize("x", x)
    neurons = [(x_hat[:, [i]], delta_hat[:, [i]]) for i in range(x.shape[1])]
    return Angles(
        theta1=_angle(delta_hat, x_hat),
        theta2=np.stack([_angle(x_i, u_hat) for x_i, _ in neurons]),
        theta3=np.stack([_angle(delta_i, u_hat) for _, delta_i in neurons]),
        dihedral=np.stack(
            [_dihedral(x_hat[:, [i]], delta[:, [i]], u_prev) for i in range(x.shape[1])]
        ),
    )


@checked
def weight_gradient(
    delta: Real["M_B n"], u_prev: Real["M_B n_prev"], normalized: Normalized, gamma: Real["n"]
):
    """∂C/∂W_ij from the angles, equation (5) BN.

    M_B γ_i σ(Δ_i)σ(u_j)/ς_i · [cosθ3 − κ_i cosθ1 cosθ2], the same number as
    `batchnorm.weight_gradient`.
    """
    theta1, theta2, theta3, _ = sample_angles(delta, u_prev, normalized.x_hat)
    amplitude = np.outer(gamma * sigma(delta) / normalized.std, sigma(u_prev))
    along_x_hat = (kappa(normalized) * np.cos(theta1))[:, np.newaxis] * np.cos(theta2)
    return len(delta) * amplitude * (np.cos(theta3) - along_x_hat)


@checked
def baseline_weight_gradient(delta: Real["M_B n"], u_prev: Real["M_B n_prev"]):
    """The baseline's ∂C/∂W_ij from the angles, equation (5) BL.

    M_B σ(Δ_i)σ(u_j) cosθ3 + M_B⟨Δ_i⟩⟨u_j⟩, the same number as
    `baseline.weight_gradient`.
    """
    delta_hat, u_hat = _standardize("delta", delta), _standardize("u_prev", u_prev)
    theta3 = np.stack([_angle(delta_hat[:, [i]], u_hat) for i in range(delta.shape[1])])
    varying = np.outer(sigma(delta), sigma(u_prev)) * np.cos(theta3)
    return len(delta) * (varying + np.outer(sample_mean(delta), sample_mean(u_prev)))


@checked
def gamma_gradient(delta: Real["M_B n"], normalized: Normalized):
    """∂C/∂γ_i = M_B √κ_i σ(Δ_i) cosθ1, equation (6).

    The same number as `bnnotes.batchnorm.gamma_gradient`.
    """
    theta1 = error_angle(delta, normalized)
    return len(delta) * np.sqrt(kappa(normalized)) * sigma(delta) * np.cos(theta1)
