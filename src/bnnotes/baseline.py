"""Back-propagation without Batch Normalization: section 1 of the source.

Arrays are sample-major: a row is a sample, a column a neuron. The error
Δ = ∂C/∂y carries the 1/M_B of the cost. Of the two spellings of a matrix product,
``a.dot(b)`` starts half a microsecond sooner than ``a @ b``.
"""

from __future__ import annotations

import numpy as np

from ._inplace import plus, times
from ._validation import checked
from .activations import relu
from .sample_space import sample_sum


@checked(u="M_B n in [0, 1]", phi="M_B n in [0, 1]")
def cross_entropy(u, phi):
    """Return the cost C of predictions u, section 1 (S1).

    C = −(1/M_B) Σ_s [φ_s log u_s + (1 − φ_s) log(1 − u_s)], summed over the
    outputs. Where the prediction comes from a sigmoid, prefer
    `cross_entropy_from_logits`, which cannot overflow.

    Parameters
    ----------
    u : array_like, shape (M_B, n)
        Predictions in [0, 1].
    phi : array_like, shape (M_B, n)
        Labels in [0, 1].

    Returns
    -------
    float
        The cost, averaged over the samples.

    Raises
    ------
    ValueError
        If an entry is outside [0, 1], or if the cost is infinite because a
        prediction is exactly 0 or 1 and the label is not.
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


@checked(y="M_B n", phi="M_B n in [0, 1]")
def cross_entropy_from_logits(y, phi):
    """Return the cost C of u = sigmoid(y), computed from y, section 1 (S1, S4).

    The same cost as ``cross_entropy(sigmoid.g(y), phi)``, without its
    overflow: log u and log(1 − u) are never formed.

    Parameters
    ----------
    y : array_like, shape (M_B, n)
        Pre-activations of the sigmoid output layer (logits).
    phi : array_like, shape (M_B, n)
        Labels in [0, 1].

    Returns
    -------
    float
        The cost, averaged over the samples.

    Raises
    ------
    ValueError
        If shapes disagree, an entry is not finite, or a label is outside [0, 1].

    Examples
    --------
    >>> float(cross_entropy_from_logits([[1000.0]], [[0.0]]))
    1000.0
    """
    # log(1 + e^y) = max(y, 0) + log(1 + e^−|y|), written without |·| for the complex step.
    larger = relu.g(y)
    softplus = larger + np.log1p(np.exp(y - 2 * larger))
    return (softplus - phi * y).sum() / len(y)


@checked(cost_u="M_B n", g_prime="M_B n")
def boundary_error(cost_u, g_prime):
    """Return Δ^L = ∂C/∂u^L · g'(y^L), the error at the last layer (S4, S14).

    Parameters
    ----------
    cost_u : array_like, shape (M_B, n)
        ∂C/∂u^L.
    g_prime : array_like, shape (M_B, n)
        g'(y^L), the array.

    Returns
    -------
    ndarray, shape (M_B, n)

    Raises
    ------
    ValueError
        If shapes disagree or an entry is not finite.
    """
    return cost_u * g_prime


@checked(u="M_B n", phi="M_B n")
def output_error(u, phi):
    """Return Δ^L = (u^L − φ)/M_B, section 1 (S5).

    Holds for sigmoid outputs with the cross-entropy averaged over the
    batch, and for no other pair.

    Parameters
    ----------
    u : array_like, shape (M_B, n)
        Predictions, the sigmoid of y^L.
    phi : array_like, shape (M_B, n)
        Labels.

    Returns
    -------
    ndarray, shape (M_B, n)

    Raises
    ------
    ValueError
        If shapes disagree or an entry is not finite.
    """
    return (u - phi) / len(u)


@checked(u_prev="M_B n_prev", W="n n_prev", b="n")
def affine(u_prev, W, b):
    """Return y = W u + b for every sample, section 1.

    Parameters
    ----------
    u_prev : array_like, shape (M_B, n_prev)
        Output of the previous layer.
    W : array_like, shape (n, n_prev)
        Weights W_ij, from neuron j to neuron i.
    b : array_like, shape (n,)
        Bias.

    Returns
    -------
    ndarray, shape (M_B, n)

    Raises
    ------
    ValueError
        If shapes disagree or an entry is not finite.
    """
    return plus(u_prev.dot(W.T), b)


@checked(delta="M_B n", u_prev="M_B n_prev")
def weight_gradient(delta, u_prev):
    """Return ∂C/∂W_ij = Σ_s Δ_si u_sj, section 1 (S7).

    Parameters
    ----------
    delta : array_like, shape (M_B, n)
        Error ∂C/∂y of this layer.
    u_prev : array_like, shape (M_B, n_prev)
        Output of the previous layer.

    Returns
    -------
    ndarray, shape (n, n_prev)

    Raises
    ------
    ValueError
        If shapes disagree or an entry is not finite.
    """
    return delta.T.dot(u_prev)


@checked(delta="M_B n")
def bias_gradient(delta):
    """Return ∂C/∂b_i = Σ_s Δ_si, section 1 (S8).

    Parameters
    ----------
    delta : array_like, shape (M_B, n)
        Error ∂C/∂y of this layer.

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    ValueError
        If an entry is not finite.
    """
    return sample_sum(delta)


@checked(delta="M_B n", W="n n_prev", g_prime="M_B n_prev")
def previous_error(delta, W, g_prime):
    """Return Δ^l_sj = g'(y^l_sj) Σ_i Δ^{l+1}_si W_ij, section 1 (S6).

    Parameters
    ----------
    delta : array_like, shape (M_B, n)
        Error of layer l + 1.
    W : array_like, shape (n, n_prev)
        Weights from layer l to layer l + 1.
    g_prime : array_like, shape (M_B, n_prev)
        g'(y^l), the array.

    Returns
    -------
    ndarray, shape (M_B, n_prev)
        Error of layer l.

    Raises
    ------
    ValueError
        If shapes disagree or an entry is not finite.
    """
    return times(delta.dot(W), g_prime)
