"""How errors grow and representations spread with depth, before any training.

Section 3 of the source stops at one layer. Here its equation (2) is applied
many times, to networks as they are created. What does not fit is refused with
a `ValueError` that says what was wanted; so is an activation that does not
vary, and an error that vanishes or overflows on its way down.
"""

import math
from collections.abc import Iterator

import numpy as np

from . import baseline, batchnorm
from .activations import get
from .checked import (
    MOST_NUMBERS,
    Real,
    checked,
    count,
    finite,
    float_dtype,
    generator,
    instance,
    number,
    room,
    sized,
    unchecked,
)
from .network import Dense, Step, _require_network, create, feed_forward
from .sample_space import center

HIGHEST = 10**3  # beyond, a polynomial turns too often for the nodes to see it
HIGHEST_BRANCH = 100  # layers in a block
MOST_LAYERS = 10**5  # some seconds where they are narrow
FARTHEST = 20.0  # beyond it the density of N(0, 1) is below 1e-87
FARTHEST_KINK = 15.0  # what lies beyond it is still resolved
STEEPEST = 1e6


def growth(activation, *, gamma=1.0, beta=0.0):
    """Return γ²E[g'(y)²]/Var[g(y)], y = γz + β, z ~ N(0, 1): the factor of ‖Δ‖² per layer with BN.

    At initialization with independent Gaussian weights and no skip
    connection, every layer with this γ and β, in the limit of large width and
    of batches that fill many directions (Yang et al. 2019). Its samples must
    stay of like lengths, which ReLU does not do to them for β < 0. For a g
    without jumps never below 1, and 1 for an affine g alone: it is the mean
    of `degrees`, those of z ↦ g(γz + β).

    Parameters
    ----------
    activation : Activation or str
        Smooth but for a kink at y = 0; others lose digits.
    gamma, beta : float
        |γ| from 1e-6 to 1e6, |β| up to 15 max(1, |γ|): beyond, rounding and the tails decide.

    Returns
    -------
    float

    Examples
    --------
    >>> [round(growth(name), 3) for name in ("relu", "tanh", "sigmoid", "identity")]
    [1.467, 1.178, 1.034, 1.0]
    >>> round(growth("relu", beta=1.0), 3)
    1.12
    """
    slope, variance = _moments(activation, gamma, beta)
    return float(slope / variance)


def _moments(activation, gamma=1.0, beta=0.0):
    """Return γ²E[g'(y)²] and Var[g(y)]."""
    activation = get(activation)
    gamma, beta = (
        number(name, v, minimum=-math.inf) for name, v in (("gamma", gamma), ("beta", beta))
    )
    if not 1 / STEEPEST <= abs(gamma) <= STEEPEST:
        wanted = f"a size from {1 / STEEPEST:g} to {STEEPEST:g}"
        raise ValueError(f"gamma: got {gamma:.16g}, wanted {wanted}")
    if abs(beta) > FARTHEST_KINK * max(1, abs(gamma)):
        wanted = f"a size up to {FARTHEST_KINK * max(1, abs(gamma)):g}"
        raise ValueError(f"beta: got {beta:.16g}, wanted {wanted}")
    z, weight = _normal(-beta / gamma)
    y = gamma * z + beta
    with np.errstate(all="ignore"):
        g = _varying(activation, y, weight)
        return gamma**2 * (weight @ activation.g_prime(y) ** 2), weight @ (g * g)


def residual_growth(activation, blocks, *, layers=1):
    """Return 1 + f^k/(l − 1 + 1/Var[g(y)]), the factor of ‖Δ‖² of residual block l, f = `growth`.

    Block l adds to its input h the output of k = `layers` layers
    h ↦ W g(BN(h)), in the limit of `growth`. Their product over the blocks
    grows as their number to the power f^k.

    Parameters
    ----------
    activation : Activation or str
    blocks : int
    layers : int
        k, in the branch of each block.

    Returns
    -------
    ndarray, shape (blocks,)
        From block 1, the lowest, whose input has the variance 1.

    Examples
    --------
    >>> residual_growth("relu", 3).round(2)
    array([1.5 , 1.37, 1.3 ])
    """
    slope, variance = _moments(activation)
    before = np.arange(count("blocks", blocks, maximum=MOST_NUMBERS)) + 1 / variance
    return 1 + (slope / variance) ** count("layers", layers, maximum=HIGHEST_BRANCH) / before


def measured_residual_growth(activation, *, M_B, width, blocks, rng, layers=1, skip=True):
    """Return ‖Δ‖² below over above each block of a random residual network on random inputs.

    Parameters
    ----------
    activation : Activation or str
    M_B, width, blocks : int
    rng : numpy.random.Generator or int
        The source of inputs, weights and error, or its seed.
    layers : int
        In the branch of each block.
    skip : bool
        False leaves the branches alone.

    Returns
    -------
    ndarray, shape (blocks,)
        From block 1, the lowest.
    """
    activation, rng = get(activation), generator("rng", rng)
    layers = count("layers", layers, maximum=MOST_LAYERS)
    _require_sizes(M_B, width, count("blocks", blocks) * layers, True, name="blocks")
    skip = instance("skip", skip, (bool, np.bool_), "True or False")
    factors = unchecked(_factors, activation, M_B, width, blocks, layers, skip, rng)
    if not finite(factors):
        why = "the error overflows or vanishes on its way down"
        raise ValueError(f"blocks: got {blocks} of {layers} layers, and {why}; wanted fewer")
    return factors


def _factors(activation, M_B, width, blocks, layers, skip, rng):
    h, gamma, branches = rng.standard_normal((M_B, width)), np.ones(width), []
    for _ in range(blocks):
        branch, passed = h, []
        for _ in range(layers):
            W = rng.standard_normal((width, width)) / math.sqrt(width)
            normalized = batchnorm.normalize(branch)
            passed.append((W, normalized))
            branch = activation.g(normalized.x_hat) @ W.T
        branches.append(passed)
        h = h + branch if skip else branch
    delta = center(rng.standard_normal((M_B, width)))
    factors = []
    for passed in reversed(branches):
        error = delta
        for W, normalized in reversed(passed):
            # γ = 1 and β = 0, so y is x̂.
            error = baseline.previous_error(error, W, activation.g_prime(normalized.x_hat))
            error = batchnorm.input_error(error, normalized, gamma)
        below = delta + error if skip else error
        factors.append(float((below * below).sum() / (delta * delta).sum()))
        delta = below
    return np.array(factors[::-1])


def _normal(kink=0.0):
    """Return nodes z and weights of N(0, 1), denser towards a kink and split there."""
    apart = 2.0 ** np.arange(-40, 6)
    edges = np.concatenate([kink - apart[::-1], [kink], kink + apart])
    even = np.linspace(-FARTHEST, FARTHEST, 81)
    edges = np.unique(np.clip(np.concatenate([edges, even]), -FARTHEST, FARTHEST))
    nodes, weight = np.polynomial.legendre.leggauss(16)
    middle, half = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
    z = (middle[:, None] + half[:, None] * nodes).ravel()
    weight = (half[:, None] * weight).ravel() * np.exp(-z * z / 2)
    return z, weight / weight.sum()


def _varying(activation, y, weight):
    """Return g(y) − E[g(y)], or refuse an activation of which rounding leaves no more."""
    g = activation.g(y)
    mean = weight @ g
    if not 1e-10 * abs(mean) < math.sqrt(weight @ (g - mean) ** 2) < math.inf:
        raise ValueError(f"activation: got {activation.name}, wanted one that varies")
    return g - mean


def linear_growth(M_B, rank=None):
    """Return r/(r − 2)·(M_B − 2)/(M_B − 1), the mean factor of ‖Δ‖² per linear layer with BN.

    In the limit of large width, where the centered inputs fill r = `rank`
    directions of sample space alike, and Δ all M_B − 1. At r = M_B − 1 it is
    (M_B − 2)/(M_B − 3) in every layer. Below, Δ loses its part in the r
    directions, and the factor rises towards r/(r − 2) on the way down.

    Parameters
    ----------
    M_B : int
        Batch size, from 4. At 3 the mean is infinite, below there is no error.
    rank : int, optional
        From 3 to M_B − 1, which is the default. At 2 the mean is infinite.

    Returns
    -------
    float

    Examples
    --------
    >>> linear_growth(4)
    2.0
    >>> round(linear_growth(64, rank=6), 3)
    1.476
    """
    M_B = count("M_B", M_B)
    if M_B < 4:
        raise ValueError(f"M_B: got {M_B}, wanted at least 4; at 3 the mean is infinite")
    r = M_B - 1 if rank is None else count("rank", rank)
    if not 3 <= r <= M_B - 1:
        why = "; at 2 the mean is infinite" if r < 3 else ", the most that M_B samples fill"
        raise ValueError(f"rank: got {r}, wanted 3 to {M_B - 1}{why}")
    return r / (r - 2) * (M_B - 2) / (M_B - 1)


def degrees(activation, highest=40):
    """Return the share of Var[g(z)] in each degree 1, …, `highest`, z ~ N(0, 1).

    g is expanded in Hermite polynomials, which are uncorrelated. `growth` is
    the mean degree: a derivative multiplies the square of degree k by k.

    Parameters
    ----------
    activation : Activation or str
    highest : int
        Up to 1000.

    Returns
    -------
    ndarray, shape (highest,)
        The rest to 1 belongs to higher degrees.

    Examples
    --------
    >>> degrees("relu", 4).round(3)
    array([0.733, 0.233, 0.   , 0.019])
    """
    activation = get(activation)
    z, weight = _normal()
    shares = np.empty(count("highest", highest, maximum=HIGHEST))
    with np.errstate(all="ignore"):
        g = _varying(activation, z, weight)
        before, polynomial = 0.0, 1.0
        for k in range(len(shares)):
            after = (z * polynomial - math.sqrt(k) * before) / math.sqrt(k + 1)
            before, polynomial = polynomial, after
            shares[k] = (weight @ (g * polynomial)) ** 2
        return shares / (weight @ (g * g))


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
        delta = baseline.previous_error(error, layer.W, g_prime)
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
    """
    _require_network("network", network)
    instance("steps", steps, (list, tuple), "what network.feed_forward returns")
    if len(steps) != len(network.layers):
        raise ValueError(f"steps: got {len(steps)}, wanted one for each of {len(network.layers)}")
    for layer, step in zip(network.layers, steps, strict=True):
        instance("steps", step, Step, "what network.feed_forward returns")
        if step.y.shape[1] != len(layer.W) or isinstance(layer, Dense) != (step.normalized is None):
            raise ValueError(f"steps: got those of another network, wanted those of {network}")
    M_B, n_L = steps[-1].y.shape
    sizes = {"M_B": (M_B, "steps"), "n_L": (n_L, "steps")}
    delta = sized("delta", delta, "M_B n_L", sizes, real=True)
    if not delta.any():
        raise ValueError("delta: got zeros, wanted at least one entry that is not 0")
    # In units of a power of two, which rounds nothing, so that no square vanishes or overflows.
    delta = np.ldexp(delta, -np.frexp(np.abs(delta).max())[1])
    norms = unchecked(_norms, network, steps, delta)
    if not finite(norms):
        raise ValueError("delta: the error overflows on its way down; wanted fewer layers")
    return norms


def _norms(network, steps, delta):
    squares = [float((error * error).sum()) for error in errors(network, steps, delta)]
    return np.array(squares) / squares[0]


def _require_sizes(M_B, width, depth, batch_norm, name="depth"):
    instance("batch_norm", batch_norm, (bool, np.bool_), "True or False")
    # One sample has no error that is centered; of two BN leaves none, but for its rounding.
    count("M_B", M_B, minimum=3 if batch_norm else 2)
    count("width", width)
    count(name, depth, maximum=MOST_LAYERS)
    if name == "depth":
        count(name, depth, minimum=2)
    got = f"{name}: got {depth} of width {width} at M_B = {M_B}"
    room(got, int(depth) * int(width) * (int(M_B) + int(width)))


def measured_growth(
    activation,
    *,
    M_B,
    width,
    depth,
    rng,
    batch_norm=True,
    gamma=1.0,
    beta=0.0,
    rank=None,
    dtype=np.float64,
):
    """Return ‖Δ^l‖²/‖Δ^{l+1}‖² of each layer of a random network on random inputs.

    Inputs and the error at the top are N(0, 1), and the error is centered:
    its mean would go to β alone.

    Parameters
    ----------
    activation : Activation or str
    M_B, width : int
        Batch size, from 3 with BN and from 2 without, and neurons of every layer.
    depth : int
        Number of layers, at least 2.
    rng : numpy.random.Generator or int
        The source of weights, inputs and error, or its seed.
    batch_norm : bool
    gamma, beta : float
        Of every layer with BN.
    rank : int, optional
        The centered inputs fill so many directions of sample space, alike; at
        most M_B − 1 and the width. Otherwise they are as many as `width`.
    dtype : dtype

    Returns
    -------
    ndarray, shape (depth − 1,)
        From the top down.
    """
    rng, dtype = generator("rng", rng), float_dtype("dtype", dtype)
    _require_sizes(M_B, width, depth, batch_norm)
    gamma, beta = (
        number(name, v, minimum=-math.inf) for name, v in (("gamma", gamma), ("beta", beta))
    )
    sizes = [width] * (depth + 1)
    network = create(sizes, batch_norm=batch_norm, activation=activation, rng=rng)
    for layer in network.layers:
        if batch_norm:
            layer.gamma, layer.beta = gamma * layer.gamma, layer.beta + beta
        for name, array in vars(layer).items():
            setattr(layer, name, array.astype(dtype))
    psi, delta = rng.standard_normal((2, M_B, width))
    if rank is not None:
        psi = _alike(psi, rank)
    psi, delta = psi.astype(dtype), delta.astype(dtype)
    norms = error_norms(network, feed_forward(network, psi), center(delta))
    if not norms.all():
        raise ValueError(f"depth: got {depth}, and no error is left; wanted fewer layers")
    return norms[1:] / norms[:-1]


def _alike(psi, rank):
    """Return inputs that fill `rank` directions orthogonal to 1 alike; the other inputs are 0."""
    M_B, width = psi.shape
    rank, most = count("rank", rank), min(M_B - 1, width)
    if rank > most:
        raise ValueError(f"rank: got {rank}, wanted at most {most}")
    filled = np.linalg.qr(center(psi[:, :rank]))[0]
    return np.hstack([filled, np.zeros((M_B, width - rank))])


@checked
def effective_rank(v: Real["M_B n"]):
    """(Σλ)²/Σλ², λ the squared singular values: how many directions v fills.

    Between 1, all samples on one line through 0, and min(M_B, n), all
    directions alike. Also called the participation ratio.

    >>> effective_rank([[1.0, 0.0], [0.0, 1.0]])
    2.0
    """
    largest = np.abs(v).max()
    if largest == 0:
        raise ValueError("v: got zeros, wanted at least one entry that is not 0")
    v = v / largest
    gram = v @ v.T if len(v) <= v.shape[1] else v.T @ v
    return float(np.trace(gram) ** 2 / (gram * gram).sum())
