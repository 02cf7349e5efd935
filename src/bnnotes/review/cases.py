"""Batches on which no known mistake can hide, in every layout.

Random Δ, γ far from 1 and of both signs, a mean that is not 0, batches from 1
to 130, eps of 0 and not, a constant feature, as many samples as neurons,
float32, and a mean that is large beside the standard deviation. The numbers
have two decimals, so that they can be printed and copied.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from .mistakes import Layer

NEURONS, PREVIOUS = 4, 6  # few batches have as many samples: an array has only one right shape
PIXELS = 2, 3  # H, W
FULL = {
    *("x", "delta", "x_hat", "centered", "y", "delta_hat", "g_prime", "u_prev", "y_prev"),
    "x_hat_prev",
}
NUMBERS = {"eps", "M_B", "n", "N", "P"}


class Case(NamedTuple):
    """One batch with everything that a function of it may ask for.

    Attributes
    ----------
    name : str
    kind : str
        ``"plain"``, ``"one"``, ``"constant"``, ``"width"``, ``"float32"`` or ``"large mean"``.
    values : Layer
        Arrays by the names of the book, with the axes (M_B, pixels, n).
    """

    name: str
    kind: str
    values: dict

    def with_eps(self, eps):
        """Return the same case with another eps."""
        return self._replace(values=Layer({**self.given, "eps": eps}))

    @property
    def given(self):
        """What is given, without what was made of it."""
        names = {*GIVEN, *DENSE} & self.values.keys()
        return {name: self.values[name] for name in names}


GIVEN = "x", "delta", "gamma", "beta", "eps", "running_mean", "running_var"
DENSE = "u_prev", "W", "b", "g_prime", "y_prev", "gamma_prev", "std_prev", "x_hat_prev"


class Layout(NamedTuple):
    """How the reader's arrays lie.

    Attributes
    ----------
    name : str
    axes : str
        As it is written.
    order : tuple of int
        Of the axes sample, row, column, neuron of the book.
    kept : tuple of int
        The shape of γ where it keeps its axes; −1 is the number of neurons.
    """

    name: str
    axes: str
    order: tuple
    kept: tuple

    @property
    def pixels(self):
        """Height and width of its images."""
        return {2: (1, 1), 3: (1, 6), 4: PIXELS}[len(self.order)]

    def hand(self, array):
        """Return (M_B, pixels, n) as the reader has it."""
        M, _, n = array.shape
        image = array.reshape(M, *self.pixels, n)
        if len(self.order) < 4:
            image = image[:, 0] if len(self.order) == 3 else image[:, 0, 0]
        return np.array(image.transpose(self.order), order="C")

    def take(self, array, M):
        """Return what the reader gave as (M_B, pixels, n), or None if its shape is another."""
        n = array.size // (M * self.pixels[0] * self.pixels[1])
        full = self.hand(np.empty((M, self.pixels[0] * self.pixels[1], n))).shape
        if array.shape != full:
            return None
        return array.transpose(np.argsort(self.order)).reshape(M, -1, n)


SAMPLES = Layout("sample-major", "(M_B, n)", (0, 1), (1, -1))
FEATURES = Layout("feature-major", "(n, M_B)", (1, 0), (-1, 1))
IMAGES = Layout("images", "(N, C, H, W)", (0, 3, 1, 2), (1, -1, 1, 1))
LAST = Layout("channels-last", "(N, H, W, C)", (0, 1, 2, 3), (1, 1, 1, -1))
SERIES = Layout("series", "(N, C, L)", (0, 2, 1), (1, -1, 1))
SEQUENCE = Layout("sequence", "(N, L, C)", (0, 1, 2), (1, 1, -1))
_ALL = (SAMPLES, FEATURES, IMAGES, LAST, SERIES, SEQUENCE)
LAYOUTS = {layout.name: layout for layout in _ALL}


def round_(values):
    return np.round(values, 2)


def affine(rng, n):
    """Return γ of both signs and β."""
    gamma = round_(rng.uniform(0.5, 2.0, n)) * rng.choice([-1.0, 1.0], n)
    return gamma, round_(rng.normal(size=n))


def batch(rng, M_B, P, n, mean=1.0):
    """Return columns with standard deviations of 0.5 to 3 and the wanted mean/std."""
    std = np.linspace(0.5, 3.0, n)
    return round_(std * (rng.normal(size=(M_B, P, n)) + mean * rng.choice([-1.0, 1.0], n)))


def layer(seed, M_B, P=1, n=NEURONS, eps=0.0, mean=1.0, constant=False):
    """Return the values of one batch-normalization layer."""
    rng = np.random.default_rng(seed)
    x = batch(rng, M_B, P, n, mean)
    if constant:
        x[..., 1 % n] = 1.5
    gamma, beta = affine(rng, n)
    delta = round_(rng.normal(size=x.shape) + rng.normal(size=n))
    running = round_(rng.normal(size=n)), round_(rng.uniform(1.0, 3.0, n))
    return _layer(x, delta, gamma, beta, eps, *running)


def _layer(*given, **more):
    return Layer({**dict(zip(GIVEN, given, strict=True)), **more})


def dense(seed, M_B, P=1, n=NEURONS, eps=0.0, mean=1.0, constant=False, n_prev=PREVIOUS):
    """Return the values of a layer x = W u with batch normalization, and of the one below."""
    rng = np.random.default_rng(seed)
    gamma_prev, beta_prev = affine(rng, n_prev)
    below = Layer({"x": batch(rng, M_B, 1, n_prev), "eps": eps})
    below |= {"gamma": gamma_prev, "beta": beta_prev}
    y_prev = below["y"]
    u_prev = np.tanh(y_prev)
    g_prime = 1 - u_prev**2
    # tanh stays within 1; a large mean has to be put on.
    u_prev = u_prev + (mean if mean > 1 else 0.0)
    W = round_(rng.normal(size=(n, n_prev)))
    if constant:
        W[1] = 0.0
    gamma, beta = affine(rng, n)
    delta = round_(rng.normal(size=(M_B, 1, n)) + rng.normal(size=n))
    running = round_(rng.normal(size=n)), round_(rng.uniform(1.0, 3.0, n))
    return _layer(
        *(u_prev @ W.T, delta, gamma, beta, eps, *running),
        u_prev=u_prev,
        W=W,
        b=round_(rng.normal(size=n)),
        g_prime=g_prime,
        y_prev=y_prev,
        gamma_prev=gamma_prev,
        std_prev=below["std"],
        x_hat_prev=below["x_hat"],
    )


def single(values):
    """Return given values in float32."""
    return Layer(
        {k: v.astype(np.float32) if isinstance(v, np.ndarray) else v for k, v in values.items()}
    )


@functools.cache
def cases(made=layer, layout=SAMPLES, n=None):
    """Return the cases, the one that is tried first in front."""
    fixed, n = n is not None, n or NEURONS
    kind, made = made, functools.partial(made, n=n)
    H, W = layout.pixels
    P = H * W
    found = [
        Case("M_B = 5, eps = 0.1", "plain", made(45, 5, P, eps=0.1)),
        *(Case(f"M_B = {M}", "plain", made(M, M, P)) for M in (5, 2, 3, 32)),
        *(Case(f"M_B = {M}, eps = 0.1", "plain", made(40 + M, M, P, eps=0.1)) for M in (2, 32)),
        Case("M_B = 6, eps = 1e-05", "plain", made(46, 6, P, eps=1e-5)),
        Case(f"M_B = n = {n}, eps = 0.1", "plain", made(70, max(n, 2), P, eps=0.1)),
        Case("constant feature, eps = 0.01", "constant", made(60, 5, P, eps=0.01, constant=True)),
        Case("M_B = 1, eps = 0.1", "one", made(41, 1, P, eps=0.1)),
        Case("float32, eps = 0.1", "float32", single(made(80, 32, P, eps=0.1))),
        Case("mean/std = 1e4", "large mean", made(90, 32, P, mean=1e4)),
    ]
    if kind is layer:
        zero = made(61, 5, P, eps=0.1)
        zero["gamma"][1 % n], zero["delta"][..., 2 % n] = 0.0, 0.0
        found += [
            Case("γ and Δ of a neuron 0, eps = 0.1", "plain", zero),
            Case("M_B = 130, eps = 0.1", "plain", made(71, 130, P, eps=0.1)),
        ]
        if not fixed:
            found += [
                Case("7 neurons, eps = 0.1", "width", made(72, 5, P, n=7, eps=0.1)),
                Case("1 neuron, eps = 0.1", "width", made(74, 5, P, n=1, eps=0.1)),
            ]
    else:
        square = made(73, 5, P, eps=0.1, n_prev=NEURONS)
        found.insert(1, Case("square layer, eps = 0.1", "plain", square))
    return found
