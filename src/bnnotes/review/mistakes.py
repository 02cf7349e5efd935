"""The known mistakes: a layer is a walk through named steps, a mistake replaces some of them.

Arrays have three axes, (M_B, pixels, n), so that one formula holds for layers
and for images; a layer of a plain network has one pixel. mistakes.toml has one
row a mistake. A row with ``is`` is another forward pass, and its gradients are
the derivatives of its own y.
"""

from __future__ import annotations

import functools
import tomllib
from importlib import resources
from typing import NamedTuple

import numpy as np

RIGHT = {
    "mean": "avg(x)",
    "centered": "x - mean",
    "var": "avg(centered**2)",
    "std": "sqrt(var + eps)",
    "x_hat": "centered / std",
    "y": "gamma * x_hat + beta",
    "bracket": "delta - avg(delta) - x_hat * avg(delta * x_hat)",
    "scale": "gamma / std",
    "dx": "scale * bracket",
    "dgamma": "total(delta * x_hat)",
    "dbeta": "total(delta)",
    # Of a layer x = W u, and of the one below.
    "dW": "outer(dx, u_prev)",
    "below": "dx @ W * g_prime",
    "db": "total(delta)",
    "output": "(u - phi) / M_B",
    # What a function may ask for besides.
    "sigma": "sqrt(var)",
    "inv_std": "1 / std",
    "var_eps": "std**2",
    "inv_var": "1 / std**2",
    "delta_hat": "gamma * delta",
    "mean_delta": "avg(delta)",
    "mean_delta_x_hat": "avg(delta * x_hat)",
    "sum_delta_centered": "total(delta * centered)",
    "mean_delta_centered": "avg(delta * centered)",
}

FORWARD = ("mean", "centered", "var", "std", "x_hat", "y")


def _over(*axes):
    return lambda a: a.mean(axis=axes, keepdims=True)


def total(a):
    return a.sum(axis=(-3, -2), keepdims=True)


def halves(a):
    """Return the mean of each half of the batch, at every sample of it."""
    half = max(a.shape[-3] // 2, 1)
    parts = [a[..., :half, :, :], a[..., half:, :, :]]
    means = [avg(part) + 0 * part for part in parts if part.size]
    return np.concatenate(means, axis=-3)


def over_groups(a, size=2):
    """Return the mean of each group of two neurons of one sample, at every neuron of it."""
    parts = [a[..., k : k + size] for k in range(0, a.shape[-1], size)]
    return np.concatenate([over_sample(part) + 0 * part for part in parts], axis=-1)


def mixed(a):
    """Return what stands at (sample, pixel, channel) after a reshape without its transpose."""
    return np.swapaxes(a, -1, -2).reshape(a.shape)


def unmixed(a):
    M_B, P, n = a.shape[-3:]
    return np.swapaxes(a.reshape(*a.shape[:-3], M_B, n, P), -1, -2)


def outer(dx, u_prev):
    """Return ∂C/∂W = Σ dx uᵀ, shape (n, n_prev)."""
    return np.einsum("...spi,...spj->...ij", dx, u_prev)


def larger(a, b):
    return np.where(np.real(a) > np.real(b), a, b + 0 * a)


avg, over_images, over_pixels = _over(-3, -2), _over(-3), _over(-2)

over_neurons, over_sample, over_everything = _over(-1), _over(-2, -1), _over(-3, -2, -1)


_FUNCTIONS = {
    f.__name__: f for f in (total, halves, over_groups, mixed, unmixed, outer, larger)
} | {
    "avg": avg,
    "over_images": over_images,
    "over_pixels": over_pixels,
    "over_neurons": over_neurons,
    "over_sample": over_sample,
    "over_everything": over_everything,
    "sqrt": np.sqrt,
}


_FUNCTIONS["__builtins__"] = {}


_COMPILED = {}


class Layer(dict):
    """The values of one layer: what is given, and whatever a step makes of it when asked for.

    Parameters
    ----------
    given : dict
        At least x, gamma, beta, eps; delta for the backward pass.
    steps : dict of str to str
        Formulas that stand in for those of `RIGHT`.
    """

    def __init__(self, given, steps=None):
        super().__init__(given)
        self.steps = steps or {}
        if "x" in given:
            M, P, n = given["x"].shape[-3:]
            self |= {"M_B": M * P, "N": M, "P": P, "n": n}

    def __missing__(self, name):
        formula = self.steps.get(name) or RIGHT.get(name)
        if formula is None:
            raise KeyError(name)
        if formula not in _COMPILED:
            _COMPILED[formula] = compile(formula, f"<{name}>", "eval")
        value = self[name] = eval(_COMPILED[formula], _FUNCTIONS, self)
        return value


class Mistake(NamedTuple):
    """A known mistake."""

    name: str  # in a few words
    group: str  # of the gallery
    says: str  # the diagnosis
    steps: dict  # the formulas that it replaces
    other: str = ""  # what forward pass this is the gradient of; "" where it is that of none
    origin: str = ""  # where it was met, in Markdown; may be empty
    term: str = ""  # "mean" or "x̂" where it touches one term of the bracket alone

    def __str__(self):
        """Its formulas, each beside the right one."""
        lines = []
        for step, formula in self.steps.items():
            lines.append(f"{step} = {formula}")
            lines.append(f"{' ' * len(step)}   instead of {RIGHT[step]}")
        if self.other:
            lines.append("and the derivatives of its own y")
        return "\n".join(lines)

    def layer(self, given):
        """Return the `Layer` with this mistake."""
        return evaluated(given, self.steps, bool(self.other))


def evaluated(given, steps, own=False):
    """Return the `Layer` of some steps; with `own`, its gradients are those of its own y."""
    found = Layer(given, steps)
    if own:
        found |= derivatives(given, steps)
    return found


def derivatives(given, steps):
    """Return ∂C/∂x, ∂C/∂γ and ∂C/∂β of C = ΣΔ y by the complex step, all entries at once."""
    h, delta = 2.0**-100, given["delta"]
    found = {}
    for name in ("x", "gamma", "beta"):
        value = np.asarray(given[name], float)
        steps_of = np.eye(value.size).reshape(value.size, *value.shape)
        if value.ndim == 1:
            steps_of = steps_of[:, None, None, :]
        y = Layer({**given, name: value + 1j * h * steps_of}, steps)["y"]
        slopes = (delta * np.imag(y)).sum(axis=(-3, -2, -1)) / h
        slopes = np.broadcast_to(slopes, (value.size,)).reshape(value.shape)
        found["d" + name] = slopes
    return found


def _read():
    text = resources.files(__package__).joinpath("mistakes.toml").read_text(encoding="utf-8")
    for group, rows in tomllib.loads(text).items():
        for name, row in rows.items():
            words = {key: row.pop(key, "") for key in ("says", "is", "term", "origin")}
            other = words.pop("is")
            yield Mistake(name, **words, group=group, steps=row, other=other)


MISTAKES = {mistake.name: mistake for mistake in _read()}

# Batches.

NEURONS, PREVIOUS = 4, 6  # few batches have as many samples: an array has only one right shape

PIXELS = 2, 3  # H, W


FULL = {
    *("x", "delta", "x_hat", "centered", "y", "delta_hat", "g_prime", "u_prev", "y_prev"),
    "x_hat_prev",
}


NUMBERS = {"eps", "M_B", "n", "N", "P"}


class Case(NamedTuple):
    """One batch with everything that a function of it may ask for."""

    name: str
    kind: str  # "plain", "one", "constant", "width", "float32" or "large mean"
    values: dict  # arrays by the names of the book, with the axes (M_B, pixels, n)

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
    """How the reader's arrays lie."""

    name: str
    axes: str  # as it is written
    order: tuple  # of the axes sample, row, column, neuron of the book
    kept: tuple  # the shape of γ where it keeps its axes; −1 is the number of neurons

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
