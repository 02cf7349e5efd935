"""Error propagation read in sample space: section 3 of the source, its last part.

Arrays, angles and errors are as in `geometry`.
"""

import math

import numpy as np

from . import baseline
from .batchnorm import Normalized
from .checked import Real, checked, limits, require_variance
from .geometry import _standardize, error_angle, kappa, sigma, standardize
from .sample_space import split


@checked
def previous_error_from_angles(
    delta: Real["M_B n"],
    W: Real["n n_prev"],
    normalized: Normalized,
    gamma: Real["n"],
    g_prime: Real["M_B n_prev"],
):
    """Δ^l from the angles θ1 of layer l + 1 (S37).

    g'(y_j) ⊙ Σ_k W_kj (γ_k/ς_k) σ(Δ_k) [Δ̂_k − √κ_k cosθ1_k x̂_k], the same
    numbers as `bnnotes.batchnorm.previous_error`.
    """
    x_hat, _, std = normalized
    cos_theta1 = np.cos(error_angle(delta, normalized))
    direction = standardize(delta) - np.sqrt(kappa(normalized)) * cos_theta1 * x_hat
    return baseline.previous_error(gamma / std * sigma(delta) * direction, W, g_prime)


@checked
def node_magnitude(delta: Real["M_B n"], normalized: Normalized):
    """|M Δ_k|, what each node sends back before γ/ς and W (S39).

    σ(Δ_k)√M_B·|sinθ1| at eps = 0: zero at θ1 = 0 and at θ1 = π, largest at
    π/2. For eps > 0 the sine becomes √(sin²θ1 + (1 − κ)² cos²θ1).
    """
    theta1 = error_angle(delta, normalized)
    residual = np.hypot(np.sin(theta1), (1 - kappa(normalized)) * np.cos(theta1))
    return sigma(delta) * math.sqrt(len(delta)) * residual


@checked
def turned(delta: Real["M_B n"], normalized: Normalized, theta1: Real["n"]):
    """Δ turned to the angles θ1 from x̂, with its mean and σ(Δ) kept (S39).

    It is turned within the plane of x̂ and M Δ, so a column without M Δ is refused: at M_B = 2, and
    where Δ lies along x̂.
    """
    x_direction = _standardize("normalized.x_hat", normalized.x_hat)
    mean, _, rest = split(x_direction, delta)
    require_variance("delta", delta, mean, sigma(delta))
    length = sigma(rest)
    rounding, _, _ = limits(length.dtype)
    if not (length > 1e3 * rounding * sigma(delta)).all():
        raise ValueError("delta: got a column along x̂, wanted one with a part M Δ to turn to")
    direction = np.cos(theta1) * x_direction + np.sin(theta1) * rest / length
    return mean + sigma(delta) * direction
