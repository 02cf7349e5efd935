"""How errors grow and representations spread with depth, before any training.

Section 3 of the source stops at one layer. Here its equation (2) is applied
many times, to networks as they are created.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from . import baseline
from ._validation import checked, count, finite, float_dtype, generator, instance, sized
from .activations import get, relu
from .network import Step, _require_network, create, feed_forward
from .sample_space import center

NODES = 200


def growth(activation):
    """Return E[g'(z)²]/Var[g(z)] for z ~ N(0, 1): the factor of ‖Δ‖² per layer with BN.

    In the limit of large width and batch, at initialization (Yang et al. 2019).
    Never below 1, and 1 for a linear g alone: it is the mean of `degrees`.

    Parameters
    ----------
    activation : Activation or str

    Returns
    -------
    float
        π/(π − 1) exactly for ReLU; for others by Gauss–Hermite quadrature,
        which wants a smooth g.

    Raises
    ------
    ValueError
        If there is no such activation, or g does not vary.

    Examples
    --------
    >>> [round(growth(name), 3) for name in ("relu", "tanh", "sigmoid", "identity")]
    [1.467, 1.178, 1.034, 1.0]
    """
    activation = get(activation)
    if activation is relu:
        # E[g'²] = 1/2 and Var[g] = 1/2 − 1/2π: the kink would slow the quadrature down.
        return math.pi / (math.pi - 1)
    z, weight = np.polynomial.hermite_e.hermegauss(NODES)
    weight = weight / weight.sum()
    g = activation.g(z)
    variance = weight @ (g - weight @ g) ** 2
    if not variance > 0:
        raise ValueError(f"activation: got {activation.name}, wanted one that varies")
    return float(weight @ activation.g_prime(z) ** 2 / variance)


def linear_growth(M_B):
    """Return (M_B − 2)/(M_B − 3), the mean factor of ‖Δ‖² per linear layer with BN.

    In the limit of large width, for a batch of any size.

    Parameters
    ----------
    M_B : int
        Batch size, from 4. At 3 the mean is infinite, below there is no error.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If M_B < 4.

    Examples
    --------
    >>> linear_growth(4)
    2.0
    """
    M_B = count("M_B", M_B)
    if M_B < 4:
        raise ValueError(f"M_B: got {M_B}, wanted at least 4; at 3 the mean is infinite")
    return (M_B - 2) / (M_B - 3)


def degrees(activation, highest=40):
    """Return the share of Var[g(z)] in each degree 1, …, `highest`, z ~ N(0, 1).

    g is expanded in Hermite polynomials, which are uncorrelated. `growth` is
    the mean degree: a derivative multiplies the square of degree k by k.

    Parameters
    ----------
    activation : Activation or str
    highest : int

    Returns
    -------
    ndarray, shape (highest,)
        The rest to 1 belongs to higher degrees.

    Raises
    ------
    ValueError
        If there is no such activation, or g does not vary.

    Examples
    --------
    >>> degrees("relu", 4).round(3)
    array([0.733, 0.233, 0.   , 0.019])
    """
    z = np.linspace(-12, 12, 24001)
    weight = np.exp(-z * z / 2)
    weight = weight / weight.sum()
    activation = get(activation)
    g = activation.g(z)
    g = g - weight @ g
    variance = weight @ (g * g)
    if not variance > 0:
        raise ValueError(f"activation: got {activation.name}, wanted one that varies")
    before, polynomial = 0.0, 1.0
    shares = np.empty(count("highest", highest))
    for k in range(len(shares)):
        after = (z * polynomial - math.sqrt(k) * before) / math.sqrt(k + 1)
        before, polynomial = polynomial, after
        shares[k] = (weight @ (g * polynomial)) ** 2
    return shares / variance


def errors(network, steps, delta) -> Iterator[np.ndarray]:
    """Yield Δ^L, Δ^{L−1}, …, Δ^1: equation (2), or S6 without BN, layer after layer. Unchecked.

    Parameters
    ----------
    network : Network
    steps : list of Step
        From `bnnotes.network.feed_forward`.
    delta : ndarray, shape (M_B, n_L)
        The error at the top, any.

    Yields
    ------
    ndarray, shape (M_B, n_l)
    """
    yield delta
    for l in reversed(range(1, len(steps))):
        layer, step = network.layers[l], steps[l]
        g_prime = network.activations[l - 1].g_prime(steps[l - 1].y)
        error = layer.input_error(delta, step.normalized)
        delta = baseline.previous_error.bare(error, layer.W, g_prime)
        yield delta


def error_norms(network, steps, delta):
    """Return ‖Δ^L‖², ‖Δ^{L−1}‖², …, ‖Δ^1‖², in units of the first.

    Parameters
    ----------
    network, steps, delta
        As in `errors`.

    Returns
    -------
    ndarray, shape (L,)

    Raises
    ------
    ValueError
        If an argument does not fit, Δ^L is 0 everywhere, or an error overflows.
    """
    _require_network("network", network)
    instance("steps", steps, (list, tuple), "what network.feed_forward returns")
    if len(steps) != len(network.layers):
        raise ValueError(f"steps: got {len(steps)}, wanted one for each of {len(network.layers)}")
    for step in steps:
        instance("steps", step, Step, "what network.feed_forward returns")
    M_B, n_L = steps[-1].y.shape
    sizes = {"M_B": (M_B, "steps"), "n_L": (n_L, "steps")}
    delta = sized("delta", delta, "M_B n_L", sizes, real=True)
    if not delta.any():
        raise ValueError("delta: got zeros, wanted at least one entry that is not 0")
    with np.errstate(all="ignore"):
        squares = [float((error * error).sum()) for error in errors(network, steps, delta)]
        norms = np.array(squares) / squares[0]
    if not finite(norms):
        raise ValueError("delta: the error overflows on its way down; wanted fewer layers")
    return norms


def _require_sizes(M_B, width, depth, batch_norm):
    instance("batch_norm", batch_norm, (bool, np.bool_), "True or False")
    # One sample has no error that is centered; of two BN leaves none, but for its rounding.
    count("M_B", M_B, minimum=3 if batch_norm else 2)
    count("width", width)
    count("depth", depth, minimum=2)


def measured_growth(activation, *, M_B, width, depth, rng, batch_norm=True, dtype=np.float64):
    """Return ‖Δ^l‖²/‖Δ^{l+1}‖² of each layer of a random network on random inputs.

    Inputs and the error at the top are N(0, 1), and the error is centered:
    its mean would go to β alone.

    Parameters
    ----------
    activation : Activation or str
    M_B, width : int
        Batch size, and neurons of every layer and of the input.
    depth : int
        Number of layers, at least 2.
    rng : numpy.random.Generator or int
        The source of weights, inputs and error, or its seed.
    batch_norm : bool
    dtype : dtype

    Returns
    -------
    ndarray, shape (depth − 1,)
        From the top down.

    Raises
    ------
    ValueError
        If an argument does not fit, such as M_B < 3 with BN or M_B < 2
        without, or the error vanishes or overflows on its way down.
    """
    rng, dtype = generator("rng", rng), float_dtype("dtype", dtype)
    _require_sizes(M_B, width, depth, batch_norm)
    sizes = [width] * (depth + 1)
    network = create(sizes, batch_norm=batch_norm, activation=activation, rng=rng)
    for layer in network.layers:
        for name, array in vars(layer).items():
            setattr(layer, name, array.astype(dtype))
    psi, delta = rng.standard_normal((2, M_B, width)).astype(dtype)
    norms = error_norms(network, feed_forward(network, psi), center(delta))
    if not norms.all():
        raise ValueError(f"depth: got {depth}, and no error is left; wanted fewer layers")
    return norms[1:] / norms[:-1]


@checked(real=True, v="M_B n")
def effective_rank(v):
    """Return (Σλ)²/Σλ², λ the squared singular values: how many directions v fills.

    Between 1, all samples on one line through 0, and min(M_B, n), all
    directions alike. Also called the participation ratio.

    Parameters
    ----------
    v : array_like, shape (M_B, n)

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If v is zero everywhere, or not real.

    Examples
    --------
    >>> effective_rank([[1.0, 0.0], [0.0, 1.0]])
    2.0
    """
    largest = np.abs(v).max()
    if largest == 0:
        raise ValueError("v: got zeros, wanted at least one entry that is not 0")
    v = v / largest
    gram = v @ v.T if len(v) <= v.shape[1] else v.T @ v
    return float(np.trace(gram) ** 2 / (gram * gram).sum())
