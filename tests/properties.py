"""Random layers for the identities of the ledger, and how far rounding may take a result.

A bound is never guessed. It is the number of roundings on the way times what was added up,
taken by absolute value (Higham, Accuracy and Stability of Numerical Algorithms, chapter 3).
What enters it: M_B, the largest |x̂| (how much one sample weighs), and mean/spread (what the
first subtraction of the mean leaves for the second).
"""

import functools
import os
import tempfile
from typing import NamedTuple

import numpy as np
from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

from bnnotes import batchnorm, check

# What hypothesis keeps between runs would land in the tree, and make a run depend on the last one.
_home = tempfile.TemporaryDirectory(prefix="hypothesis-")
set_hypothesis_home_dir(_home.name)
_same = {"deadline": None, "database": None}
settings.register_profile("ci", max_examples=30, derandomize=True, **_same)
# `make properties`: others at each run.
settings.register_profile("deep", max_examples=1000, derandomize=False, print_blob=True, **_same)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

M_BS = st.one_of(st.integers(2, 9), st.sampled_from([16, 31, 64]))
DTYPES = st.sampled_from([np.float64, np.float32])
EPS = st.one_of(st.just(0.0), st.sampled_from([1e-12, 1e-8, 1e-5, 1e-2, 1.0, 100.0]))


def rounding(k, dtype):
    """γ_k = ku/(1 − ku): the relative error of k roundings one after the other."""
    ku = k * float(np.finfo(dtype).eps) / 2
    return ku / (1 - ku)


# The forward pass, written once more: no code of the package, float64 or complex128.


def centered(x):
    """x − ⟨x⟩, twice, so that a large mean costs no digits."""
    once = x - x.mean(axis=0)
    return once - once.mean(axis=0)


def std(x, eps=0.0):
    return np.sqrt((centered(x) ** 2).mean(axis=0) + eps)


def hat(x, eps=0.0):
    return centered(x) / std(x, eps)


def spread(v):
    """Largest |v − ⟨v⟩| of each column."""
    return np.abs(centered(wide(v))).max(axis=0)


def wide(v):
    """The same numbers in float64, or complex128."""
    return np.asarray(v, complex if np.iscomplexobj(v) else float)


def off_center(v):
    """max|v|/spread of each column: how far it lies from zero."""
    return np.abs(wide(v)).max(axis=0) / spread(v)


def standardized_bound(v, noise=0.0):
    """Bound of the error of v̂ = (v − ⟨v⟩)/σ(v), entry by entry, of each column."""
    M_B, sigma = len(v), std(wide(v))
    heaviest = 1 + spread(v) / sigma
    own = rounding(2 * M_B + 12, v.dtype) * (1 + rounding(M_B, v.dtype) * off_center(v))
    return (own + noise / sigma) * heaviest**2


class Batch(NamedTuple):
    """The input of one normalization. C = Σ Δ y, so that Δ is given.

    `noise` is the error of x itself, one number per column; 0 where x is what was drawn.
    """

    x: np.ndarray
    delta: np.ndarray
    gamma: np.ndarray
    beta: np.ndarray
    eps: float
    noise: np.ndarray | float = 0.0

    @property
    def M_B(self):
        return len(self.x)

    @property
    def dtype(self):
        return self.x.dtype

    @property
    def normalized(self):
        """What the package makes of it."""
        return batchnorm.normalize(self.x, self.eps)

    @property
    def s(self):
        return std(wide(self.x), self.eps)

    @property
    def scale(self):
        """|γ|/s: what every derivative by x is multiplied by."""
        return np.abs(wide(self.gamma)) / self.s

    @property
    def kappa(self):
        return (std(wide(self.x)) / self.s) ** 2

    def y(self, x=None, gamma=None, beta=None):
        """The forward pass in wide numbers."""
        x, gamma, beta = (
            wide(own if given is None else given)
            for own, given in ((self.x, x), (self.gamma, gamma), (self.beta, beta))
        )
        return gamma * hat(x, self.eps) + beta

    def cost(self, **changes):
        return (wide(self.delta) * self.y(**changes)).sum()

    def centered_cost(self, **changes):
        """The cost less ⟨Δ⟩ Σ y = ⟨Δ⟩ M_B β: its derivatives by all but β are the same.

        A large ⟨Δ⟩ would leave rounding errors in them.
        """
        return (centered(wide(self.delta)) * self.y(**changes)).sum()

    def hat_bound(self):
        """Bound of the error of x̂."""
        own = rounding(2 * self.M_B + 12, self.dtype)
        own *= 1 + rounding(self.M_B, self.dtype) * off_center(self.x)
        return (own + self.noise / self.s) * self._heaviest**2

    def mix_bound(self, v):
        """Bound of the error of M v relative to the spread of v, columns of the same neurons."""
        k, far = rounding(4 * self.M_B + 24, self.dtype), off_center(self.x) + off_center(v)
        own = k * (1 + rounding(self.M_B, self.dtype) * far) * self._heaviest**3
        bound = own + self.noise / self.s * self._heaviest**4
        assume((bound < 0.01).all())  # beyond that a bound bounds nothing
        return bound

    @property
    def _heaviest(self):
        return 1 + spread(self.x) / self.s

    def error_bound(self):
        """Bound of the error of ∂C/∂x, of each column; twice, since the truth rounds too."""
        return 2 * self.scale * spread(self.delta) * self.mix_bound(self.delta)


class Layer(NamedTuple):
    """A layer with BN, and what lies below it: u_prev = g(y_prev), its slope g_prime."""

    u_prev: np.ndarray
    g_prime: np.ndarray
    W: np.ndarray
    delta: np.ndarray
    gamma: np.ndarray
    beta: np.ndarray
    eps: float

    @property
    def batch(self):
        """Its x = u Wᵀ as a `Batch`, with the error of that product."""
        added = np.abs(wide(self.u_prev)) @ np.abs(wide(self.W)).T
        noise = 2 * rounding(self.W.shape[1] + 1, self.W.dtype) * added.max(axis=0)
        x = self.u_prev @ self.W.T
        # Rounding may leave a column nearly or exactly constant: no identity is about that.
        assume((noise < 1e-3 * std(wide(x))).all())
        return Batch(x, self.delta, self.gamma, self.beta, self.eps, noise)

    def weight_bound(self):
        """Bound of the error of ∂C/∂W, (n, n_prev)."""
        return len(self.u_prev) * np.outer(self.batch.error_bound(), 2 * spread(self.u_prev))

    def previous_bound(self):
        """Bound of the error of the Δ below, (M_B, n_prev)."""
        roundings = rounding(len(self.W) + 2, self.W.dtype)
        batch = self.batch
        sent = batch.error_bound() + 2 * roundings * batch.scale * spread(self.delta) * (
            batch._heaviest**2
        )
        return np.abs(wide(self.g_prime)) * (sent @ np.abs(wide(self.W)))


# The truth: the complex step through that forward pass.


def true_input_error(batch):
    return check.complex_step(lambda x: batch.centered_cost(x=x), batch.x)


def true_weight_gradient(case, batch):
    return check.complex_step(lambda W: batch.centered_cost(x=wide(case.u_prev) @ W.T), case.W)


def true_previous_error(case, batch):
    by_u = check.complex_step(lambda u: batch.centered_cost(x=u @ wide(case.W).T), case.u_prev)
    return by_u * wide(case.g_prime)


# Strategies. Each is made once, and draws as little as it can: drawing takes longer than the tests.

# The simplest first: hypothesis looks for a failure that is as simple as can be.
EXPONENTS = tuple(sorted(range(-6, 7), key=abs))
NUMBERS = (1.0, *(s * c * 10.0**k for k in EXPONENTS for s in (1, -1) for c in (1.3, 0.7)))


@functools.cache
def powers(low, high):
    return st.sampled_from([10.0**k for k in EXPONENTS if low <= k <= high])


@functools.cache
def several(entries, n):
    """A list of n entries."""
    return st.lists(entries, min_size=n, max_size=n)


@functools.cache
def offsets(furthest):
    """0, or ±10^k up to 10^furthest."""
    return st.sampled_from([0.0, *(s * 10.0**k for k in range(furthest + 1) for s in (1, -1))])


@functools.cache
def at_least(smallest):
    return M_BS.filter(lambda M_B: M_B >= smallest)


SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.integers(1, 3)
KINDS = st.sampled_from(["normal", "few", "outlier", "drawn"])
ENTRIES = st.integers(-64, 64)


@functools.cache
@st.composite
def columns(draw, M_B, n, dtype, scales=(-6, 6), furthest=6):
    """Columns that vary: of any scale, of a mean up to 10^furthest times that scale."""
    kind, rng = draw(KINDS), np.random.default_rng(draw(SEEDS))
    if kind == "drawn" and M_B * n <= 12:
        v = np.array(draw(several(ENTRIES, M_B * n))).reshape(M_B, n) / 64
    elif kind == "few":
        v = rng.integers(-2, 3, (M_B, n)).astype(float)
    else:
        v = rng.standard_normal((M_B, n))
        if kind == "outlier":
            v[1:] *= 0.01
    # A constant column has no x̂.
    v[0, np.ptp(v, axis=0) < 1e-3] += 1
    scale = np.array(draw(several(powers(*scales), n)))
    v = (scale * (v + np.array(draw(several(offsets(furthest), n))))).astype(dtype)
    # float32 sees only what is left beside the offset.
    assume((spread(v) > 0.1 * scale).all())
    return v


@functools.cache
def per_neuron(n, dtype, zero=True):
    """γ or β: either sign, any scale, sometimes zero."""
    entries = st.sampled_from((*NUMBERS[:5], 0.0, *NUMBERS[5:]) if zero else NUMBERS)
    return several(entries, n).map(lambda v: np.array(v, dtype))


@functools.cache
@st.composite
def batches(draw, smallest=2, eps=EPS, n=None, dtypes=DTYPES):
    """A `Batch` of any size, scale and dtype."""
    M_B, dtype = draw(at_least(smallest)), draw(dtypes)
    n = draw(SIZES) if n is None else n
    x, delta = draw(columns(M_B, n, dtype)), draw(columns(M_B, n, dtype))
    gamma, beta = draw(per_neuron(n, dtype)), draw(per_neuron(n, dtype))
    return Batch(x, delta, gamma, beta, draw(eps))


@functools.cache
@st.composite
def layers(draw, smallest=2, eps=EPS, n_prev=None, n=None, dtypes=DTYPES):
    """A `Layer` of any size, scale and dtype; in float32 means stay near, since x is computed."""
    M_B, dtype = draw(at_least(smallest)), draw(dtypes)
    n_prev, n = (draw(SIZES) if k is None else k for k in (n_prev, n))
    scale = draw(st.sampled_from(range(-6, 6)))
    # Within one layer the scales lie close together, or one input would be all of x.
    near = scale, scale + 1
    u_prev = draw(columns(M_B, n_prev, dtype, near, 6 if dtype == np.float64 else 1))
    g_prime = np.random.default_rng(M_B).uniform(-1, 1, (M_B, n_prev)).astype(dtype)
    W = draw(per_neuron(n * n_prev, dtype, zero=False)).reshape(n, n_prev)
    W = (np.sign(W) * (0.25 + np.abs(W) / np.abs(W).max())).astype(dtype)
    W *= np.array(draw(several(powers(-3, 3), n)), dtype)[:, np.newaxis]
    delta = draw(columns(M_B, n, dtype))
    gamma, beta = draw(per_neuron(n, dtype)), draw(per_neuron(n, dtype))
    return Layer(u_prev, g_prime, W, delta, gamma, beta, draw(eps))


def assert_within(got, truth, bound, dtype=None):
    """Assert |got − truth| ≤ bound in every entry, and the dtype of `got` where it is asked for."""
    got, truth = np.asarray(got), np.asarray(truth)
    assert got.shape == truth.shape
    assert dtype is None or got.dtype == dtype
    # What underflows on the way is lost whatever the bound.
    least = 64 * float(np.finfo(got.dtype).tiny)
    bound = np.broadcast_to(bound, truth.shape) + least
    difference = np.abs(wide(got) - wide(truth))
    worst = np.unravel_index(np.argmax(difference / bound), truth.shape)
    ratio = (difference / bound)[worst]
    assert ratio <= 1, f"{got[worst]} is off {truth[worst]} by {ratio:.3g} times its bound"
    return ratio
