"""Back-propagation without Batch Normalization: section 1 of the source.

The error Δ = ∂C/∂y carries the 1/M_B of the cost. Arrays and errors are as in `sample_space`.
"""

import numpy as np

from .activations import relu
from .checked import Array, checked
from .sample_space import sample_mean


@checked
def cross_entropy(u: Array["M_B n in [0, 1]"], phi: Array["M_B n in [0, 1]"]):
    """C = −(1/M_B) Σ_s [φ_s log u_s + (1 − φ_s) log(1 − u_s)], summed over the outputs (S1).

    Infinite, and refused, where a prediction is exactly 0 or 1 and the label is not. Where u comes
    from a sigmoid, prefer `cross_entropy_from_logits`, which cannot overflow.
    """
    impossible = ((u == 0) & (phi != 0)) | ((u == 1) & (phi != 1))
    if impossible.any():
        s, i = (int(k) for k in np.argwhere(impossible)[0])
        raise ValueError(
            f"u: got {u[s, i]:g} at index {(s, i)} where phi = {phi[s, i]:g}, an infinite cost; "
            "wanted 0 < u < 1, or the logits y in cross_entropy_from_logits"
        )
    # 0·log 0 = 0: where the label has no weight the logarithm is not taken.
    hit = phi * np.log(np.where(u == 0, 1, u))
    miss = (1 - phi) * np.log(np.where(u == 1, 1, 1 - u))
    return -(hit + miss).sum() / len(u)


@checked
def cross_entropy_from_logits(y: Array["M_B n"], phi: Array["M_B n in [0, 1]"]):
    """C of u = sigmoid(y) from y (S1, S4): log u and log(1 − u) are never formed.

    >>> float(cross_entropy_from_logits([[1000.0]], [[0.0]]))
    1000.0
    """
    # log(1 + e^y) = max(y, 0) + log(1 + e^−|y|), written without |·| for the complex step.
    larger = relu.g(y)
    softplus = larger + np.log1p(np.exp(y - 2 * larger))
    return (softplus - phi * y).sum() / len(y)


@checked
def boundary_error(cost_u: Array["M_B n"], g_prime: Array["M_B n"]):
    """Δ^L = ∂C/∂u^L · g'(y^L), the error at the last layer (S4, S14)."""
    return cost_u * g_prime


@checked
def output_error(u: Array["M_B n"], phi: Array["M_B n"]):
    """Δ^L = (u^L − φ)/M_B (S5), for sigmoid outputs with the cross-entropy and no other pair."""
    return (u - phi) / len(u)


@checked
def affine(u_prev: Array["M_B n_prev"], W: Array["n n_prev"], b: Array["n"]):
    """y_s = W u_s + b for every sample."""
    return u_prev @ W.T + b


@checked
def weight_gradient(delta: Array["M_B n"], u_prev: Array["M_B n_prev"]):
    """∂C/∂W_ij = Σ_s Δ_si u_sj (S7)."""
    return delta.T @ u_prev


@checked
def bias_gradient(delta: Array["M_B n"]):
    """∂C/∂b_i = Σ_s Δ_si (S8)."""
    M_B = len(delta)
    return M_B * sample_mean(delta)


@checked
def previous_error(delta: Array["M_B n"], W: Array["n n_prev"], g_prime: Array["M_B n_prev"]):
    """Δ^l_sj = g'(y^l_sj) Σ_i Δ^{l+1}_si W_ij (S6); `g_prime` is the array g'(y^l)."""
    return g_prime * (delta @ W)
