"""The known mistakes: a layer is a walk through named steps, a mistake replaces some of them.

Arrays have three axes, (M_B, pixels, n), so that one formula holds for layers
and for images; a layer of a plain network has one pixel. mistakes.toml has one
row a mistake. A row with ``is`` is another forward pass, and its gradients are
the derivatives of its own y.
"""

from __future__ import annotations

import functools
import math
import re
import tomllib
from collections import ChainMap
from importlib import resources
from typing import NamedTuple

import numpy as np

from .. import baseline, network

RIGHT = {
    "mean": "avg(x)",
    "centered": "x - mean",
    "var": "avg(centered**2)",
    "std": "sqrt(var + eps)",
    "x_hat": "centered / std",
    "y": "gamma * x_hat + beta",
    "error": "gamma * delta",
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
    "mean_delta": "avg(delta)",
    "sum_delta_centered": "total(delta * centered)",
    "mean_delta_centered": "avg(delta * centered)",
    # What a function is handed: another ε than that of its forward pass, where that uses none.
    "eps_given": "eps",
}

SUMS = {"dgamma", "dbeta", "dW", "db", "below", "output", "mean_delta", "sum_delta_centered"}
FORWARD = ("mean", "centered", "var", "std", "x_hat", "y")
GIVEN = "x", "delta", "gamma", "beta", "eps", "running_mean", "running_var"
DENSE = "u_prev", "W", "b", "g_prime", "y_prev", "gamma_prev", "std_prev", "x_hat_prev"


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


def over_groups(a, groups=2, turned=False):
    """Return the mean of each group of neurons of one sample, at every neuron of it.

    A group is of neighbours; `turned`, its neurons are as far apart as there are groups.
    """
    *rest, n = a.shape
    if n % groups:
        return np.nan * a[..., :1, :]  # no such groups: they explain nothing
    shape = (n // groups, groups) if turned else (groups, n // groups)
    parts = a.reshape(*rest, *shape)
    axes = (-3, -2) if turned else (-3, -1)
    means = parts.mean(axis=axes, keepdims=True)
    return np.broadcast_to(means, (*rest[:-1], 1, *shape)).reshape(*rest[:-1], 1, n)


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


avg = over_batch = _over(-3, -2)
over_images, over_pixels = _over(-3), _over(-2)
over_neurons, over_sample, over_everything = _over(-1), _over(-2, -1), _over(-3, -2, -1)
_NAMES = "avg total halves over_groups mixed unmixed outer larger over_batch over_images"
_NAMES += " over_pixels over_neurons over_sample over_everything"
_FUNCTIONS = {name: globals()[name] for name in _NAMES.split()}
_FUNCTIONS |= {"sqrt": np.sqrt, "__builtins__": {}}
_KNOWN = {*RIGHT, *_FUNCTIONS, *GIVEN, *DENSE, "M_B", "N", "P", "n", "u", "phi", "g_prime_out"}
_KNOWN |= {"raw", "weight", "over_turned", "T"}
_COMPILED = {}


class Kind:
    """A kind of normalization: who is averaged, what its steps are, how it is told.

    A row of mistakes.toml is written for batch normalization. Of another kind `avg` is the mean
    over its own set of entries, `total` the sum over it and `M_B` the count m; and where γ differs
    within a set, `delta` stands for γΔ in the bracket, whose scale is then 1/ς. What it is not in
    the steps of, ∂C/∂γ and ∂C/∂β, are sums over samples and pixels as ever.
    """

    def __init__(
        self, name, says, over=(), steps=None, layouts=None, size="m", groups=None, **more
    ):
        self.name, self.says, self.over, self.size = name, says, over, size
        self.steps, self.groups = steps or {}, groups
        self.layouts = layouts or tuple(LAYOUTS)
        self.centers = "avg(x**2)" not in self.steps.values()  # else there is no β either
        self.settings = more | ({"groups": groups} if groups else {})
        self.last = ("feature-major",) if over else ()  # layouts that are tried where no other fits
        self.within = bool(over)  # a set lies within a sample, and γ within a mean

    def avg(self, a):
        """Return the mean over each set."""
        if self.groups:
            return over_groups(a, self.groups)
        return a.mean(axis=self.over or (-3, -2), keepdims=True)

    def count(self, shape):
        """Return how many entries a set of an array of this shape has."""
        axes = self.over or (-3, -2)
        return math.prod(shape[axis] for axis in axes) // (self.groups or 1)

    def scope(self, step, layer):
        """Return what names mean in the formula of a step."""
        if not self.within or step in SUMS:
            return layer
        m = self.count(layer["x"].shape)
        found = {"avg": self.avg, "total": lambda a: m * self.avg(a), "M_B": m}
        found |= {"over_turned": lambda a: over_groups(a, self.groups, True)}
        if step in ("bracket", "scale"):
            found |= {"raw": layer["delta"], "weight": layer["gamma"]}
            found |= {"delta": layer["error"], "gamma": 1.0}
        return ChainMap(found, layer)

    def once(self, a):
        """Return what is the same on all of a set once."""
        return a[..., :: a.shape[-1] // self.groups] if self.groups else a

    @property
    def widths(self):
        """Return how many neurons the cases have: the usual number and two others."""
        return [self.groups * k for k in (3, 4, 2)] if self.groups else [NEURONS, 40, 1]

    def setting(self, role, usual):
        """Return a setting that code may ask for."""
        return self.settings.get(role, usual)

    def has(self, mistake):
        """Return the mistake as it is made in this kind, or None where it is none."""
        steps = mistake.steps
        if mistake.of and self.name not in mistake.of.split():
            return None
        if self is BATCH or (self is BASELINE and steps.keys() <= {"dW", "below", "db"}):
            return mistake
        replaced = self.steps.keys() & steps.keys() - {"y"}
        if not mistake.of and _AXES.search(" ".join(steps.values())):
            return None
        if replaced == {"bracket"} and self.within and mistake.term == "x̂":
            # Without the mean only the x̂ term is left.
            steps = {"bracket": f"{steps['bracket']} + avg(delta)"}
        elif replaced and not mistake.of:
            return None
        if "batch" not in (mistake.of or "batch"):
            return mistake._replace(steps=steps)
        words = {key: self.told(getattr(mistake, key), steps) for key in ("says", "other")}
        return mistake._replace(steps=steps, **words)

    def told(self, text, steps=()):
        """Return words for batch normalization as they are of this kind."""
        if not self.within:
            return text.replace("batch normalization", self.says)
        for old, new in (("batch normalization", self.says), ("M_B", self.size)):
            text = text.replace(old, new)
        if not SUMS & set(steps):
            for old, new in (("⟨Δ", "⟨γΔ"), ("ΣΔ", "ΣγΔ"), ("γ/", "1/")):
                text = text.replace(old, new)
        return text


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
        kind = self.get("kind") or BATCH
        formula = self.steps.get(name) or kind.steps.get(name) or RIGHT.get(name)
        if formula is None:
            raise KeyError(name)
        if formula not in _COMPILED:
            _COMPILED[formula] = compile(formula, f"<{name}>", "eval")
        value = self[name] = eval(_COMPILED[formula], _FUNCTIONS, kind.scope(name, self))
        return value


class Mistake(NamedTuple):
    """A known mistake."""

    name: str  # in a few words
    group: str  # of the gallery
    says: str  # the diagnosis
    steps: dict  # the formulas that it replaces
    other: str = ""  # what forward pass this is the gradient of; "" where it is that of none
    origin: str = ""  # where it was met, in Markdown; may be empty
    of: str = ""  # the kinds of normalization that it is made in; "" is all where no axis is named

    @property
    def term(self):
        """The one term of the bracket that it touches, "mean" or "x̂", or ""."""
        formula, (mean, x_hat) = self.steps.get("bracket", ""), RIGHT["bracket"].split(" - x_hat")
        if len(self.steps) > 1 or formula == RIGHT["bracket"]:
            return ""
        if formula.startswith(("delta - ", "delta + ")) and formula.endswith(f" - x_hat{x_hat}"):
            return "mean"
        return "x̂" if formula.startswith(mean) else ""

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
            keys = "says", "is", "both", "avg", "origin", "of"
            says, other, both, mean, origin, of = (row.pop(key, "") for key in keys)
            if over := row.pop("over", ""):
                row = {"mean": f"{over}(x)", "var": f"{over}(centered**2)", **row}
            plain = Mistake(name, group, says, row, other, origin, of)
            yield from _of_mean(plain, mean) if mean else [plain]
            if both:
                name, says = f"{name}, in both passes", f"{says}, in both passes"
                yield plain._replace(name=name, says=says, other=both)


def _of_mean(row, mean):
    """Yield the mistakes that have a wrong mean in both terms of the bracket, and in one.

    Over a wrong axis ⟨x̂⟩ is not 0, so that code whose mean term is that of both paths to x − μ
    gives other numbers than code that leaves ⟨x̂⟩ out.
    """
    delta = "γΔ" if "batch" not in (row.of or "batch") else "Δ"
    one, other = f"⟨{delta}⟩", f"⟨{delta} x̂⟩"
    for where, a, b in (
        ("", mean, mean),
        (" in the mean term", mean, "avg({})"),
        (" in the x̂ term", "avg({})", mean),
    ):
        means = one if "mean" in where else other
        words = {"means": means, "s": "s", "terms": where[4:], "are": "is", "a mean": means}
        words["sums"] = means.replace("⟨", "Σ").replace("⟩", "")
        if not where:
            words = {"means": "both means", "s": "", "terms": "both terms", "are": "are"}
            words |= {"a mean": f"{one} and {other}", "sums": f"Σ{delta} and Σ{delta} x̂"}
        # Without the mean only the x̂ term is left.
        of = row.of if "x̂" in where else row.of.replace(" rms", "")
        says, along = row.says.format_map(words), b.format("delta * x_hat")
        bracket = f"delta - {a.format('delta')} - x_hat * {along}"
        yield row._replace(name=row.name + where, says=says, steps={"bracket": bracket}, of=of)
        if (
            mean.startswith("over_")
            and "every" not in mean
            and "x̂" not in where
            and not of.strip("batch")
        ):
            name = f"{row.name}{where}, of x − μ"
            bracket = f"delta - {a.format('delta')} - x_hat * {along}"
            bracket += f" + {a.format(f'x_hat * {along}')}"
            yield row._replace(name=name, says=says, steps={"bracket": bracket}, of="batch")


def _checked(row):
    """Return a row all of whose names are known: one that is not would fit nothing, in silence."""
    for step, formula in row.steps.items():
        for name in {step} - RIGHT.keys() | set(compile(formula, step, "eval").co_names) - _KNOWN:
            raise ValueError(f"mistakes.toml, {row.name}: {step} = {formula}: no name is {name}")
    return row


MISTAKES = {row.name: row for row in map(_checked, _read())}

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

    def with_eps(self, eps, unused=False):
        """Return the same case with another eps; one that is unused is handed over all the same."""
        given = {"eps_given": self.values["eps"]} if unused else {}
        return self._replace(values=Layer({**values_given(self.values), **given, "eps": eps}))


def values_given(values):
    """Return what is given of a layer, without what was made of it."""
    return {name: values[name] for name in (*GIVEN, *DENSE, "kind", "eps_given") if name in values}


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
        M, P, n = array.shape
        image = array.reshape(M, *(self.pixels if P > 1 else (1, 1)), n)
        if len(self.order) < 4:
            image = image[:, 0] if len(self.order) == 3 else image[:, 0, 0]
        return np.array(image.transpose(self.order), order="C")

    def reduced(self, array, kept, kind):
        """Return what a set has once as the reader has it: with the axes of x, or without."""
        array = self.hand(array)
        if kept:
            return np.expand_dims(array, 2) if kind.groups else array
        gone = {(-1,): (3,), (-2, -1): (1, 2, 3), (-2,): (1, 2)}[kind.over]
        gone = [axis for axis in gone if not (kind.groups and axis == 3)]
        return array.squeeze(tuple(k for k, axis in enumerate(self.axis_numbers) if axis in gone))

    @property
    def axis_numbers(self):
        """Return which of sample, row, column, neuron its axes are."""
        here = {2: (0, 3), 3: (0, 2, 3), 4: (0, 1, 2, 3)}[len(self.order)]
        return [here[k] for k in self.order]

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


def layer(seed, M_B, P=1, n=NEURONS, eps=0.0, mean=1.0, constant=False, kind=None):
    """Return the values of one layer that normalizes."""
    rng, kind = np.random.default_rng(seed), kind or BATCH
    x = batch(rng, M_B, P, n, 1.0 if kind.within else mean)
    if kind.within:
        x += mean * (mean > 1)
    if constant:
        # The first set is: without a mean, 0.
        chosen = np.zeros(x.shape)
        chosen[0, 0, 1 % n] = 1.0
        x[np.broadcast_to(kind.avg(chosen), x.shape) > 0] = 1.5 * kind.centers
    gamma, beta = affine(rng, n)
    delta = round_(rng.normal(size=x.shape) + rng.normal(size=n))
    running = round_(rng.normal(size=n)), round_(rng.uniform(1.0, 3.0, n))
    return _layer(x, delta, gamma, beta * kind.centers, eps, *running, kind=kind)


def _layer(*given, **more):
    return Layer({**dict(zip(GIVEN, given, strict=True)), **more})


def dense(seed, M_B, P=1, n=NEURONS, eps=0.0, mean=1.0, constant=False, kind=None, n_prev=PREVIOUS):
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
        kind=kind or BATCH,
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


BATCH = Kind("batch", "batch normalization")
BASELINE = Kind("baseline", "the baseline", steps={"bracket": "delta", "scale": "1"})

FROZEN = Kind(
    "frozen",
    "frozen batch normalization",
    steps={"mean": "running_mean", "var": "running_var", "bracket": "delta"},
    training=False,
    mode="test",
)

_RMS = {"mean": "0 * avg(x)", "var": "avg(x**2)", "bracket": "delta - x_hat * avg(delta * x_hat)"}

_WHOLE = ("images", "series", "channels-last", "sequence")
_ROWS = ("sample-major", "sequence", "channels-last", "feature-major", "images", "series")

# Where there are pixels, some average over all of a sample, others over the neurons of a pixel.
LAYERS = (
    Kind("layer", "layer normalization", (-1,), None, _ROWS, "n"),
    Kind("layer", "layer normalization", (-2, -1), None, _WHOLE, "n·H·W"),
)

INSTANCES = (Kind("instance", "instance normalization", (-2,), None, _WHOLE, "H·W"),)

ROOTS = (
    Kind("rms", "RMS normalization", (-1,), _RMS, _ROWS, "n"),
    Kind("rms", "RMS normalization", (-2, -1), _RMS, _WHOLE, "n·H·W"),
)


@functools.cache
def grouped(groups):
    """Return the kinds of group normalization with so many groups."""
    says = f"group normalization with {groups} groups"
    layouts = ("images", "channels-last", "series", "sequence", "sample-major")
    return (Kind("group", says, (-2, -1), None, layouts, "m", groups),)


@functools.cache
def cases(made=layer, layout=SAMPLES, n=None, kind=BATCH):
    """Return the cases, the one that is tried first in front."""
    usual, wide, narrow = kind.widths
    fixed, n = n is not None, n or usual
    of_layer, made = made is layer, functools.partial(made, n=n, kind=kind)
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
    zero = made(61, 5, P, eps=0.1)
    zero["gamma"][1 % n], zero["delta"][..., 2 % n] = 0.0, 0.0
    found += [
        Case("γ and Δ of a neuron 0, eps = 0.1", "plain", zero),
        Case("M_B = 130, eps = 0.1", "plain", made(71, 130, P, eps=0.1)),
    ]
    if not fixed:
        small, large = made(72, 5, P, n=wide, eps=0.1), made(74, 5, P, n=narrow, eps=0.1)
        small["delta"], large["delta"] = small["delta"] * 1e-6, large["delta"] * 1e6
        found += [
            Case(_neurons(wide, "1e-6"), "width", small),
            Case(_neurons(narrow, "1e6"), "width", large),
        ]
    if not of_layer:
        square = made(73, 5, P, eps=0.1, n_prev=NEURONS)
        found.insert(1, Case("square layer, eps = 0.1", "plain", square))
    return found


def _neurons(n, size):
    return f"{n} neuron{'s' * (n > 1)}, Δ of {size}, eps = 0.1"


# Networks.

LISTS = {"Ws": "W", "gammas": "gamma", "betas": "beta", "bs": "b"}
SIZES, SQUARE = (6, 5, 4, 3), (5, 4, 4, 4)


class Parameters(dict):
    """The parameters of a layer, as a dict and by attribute."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def network_values(seed, M_B, batch_norm, eps=0.0, activation="tanh", sizes=SIZES, soft=False):
    """Return a network of random parameters, inputs and labels; `soft` ones between 0 and 1."""
    rng = np.random.default_rng(seed)
    net = network.create(sizes, batch_norm=batch_norm, activation=activation, eps=eps, rng=rng)
    for each in net.layers:
        for name, value in vars(each).items():
            if name != "W":
                sign = rng.choice([-1.0, 1.0], value.shape)
                value = sign * rng.uniform(0.5, 1.5, value.shape)
            setattr(each, name, np.round(value, 2))
    phi = rng.uniform(size=(M_B, sizes[-1]))
    return completed(net, np.round(rng.normal(size=(M_B, sizes[0])), 2), np.round(phi, 2 * soft))


def completed(net, psi, phi):
    """Return what a function of a network may ask for."""
    kinds = vars(net.layers[0])
    return {
        "network": net,
        "layers": [Parameters(vars(each)) for each in net.layers],
        **{k: [vars(each)[v] for each in net.layers] for k, v in LISTS.items() if v in kinds},
        **{"psi": psi, "phi": phi, "eps": net.eps, "activation": net.activation},
        **{"M_B": len(psi), "N": len(psi), "n": psi.shape[1], "P": 1},
    }


@functools.cache
def network_cases(batch_norm):
    """Return the cases that cannot mask a mistake."""
    eps = 0.1 if batch_norm else 0.0
    found = [("M_B = 5", 5, 5, {"eps": eps}), ("M_B = 3", 3, 3, {}), ("M_B = 2", 2, 2, {})]
    found += [("M_B = 32", 32, 32, {"eps": eps}), ("square layers", 70, 5, {"sizes": SQUARE})]
    found += [("soft labels", 71, 5, {"soft": True, "eps": eps})]
    found += [("relu, two layers", 72, 5, {"sizes": SIZES[1:], "activation": "relu", "eps": eps})]
    found += [("M_B = 130", 73, 130, {"eps": eps})]
    one = {"sizes": (5, 3), "eps": 1e-5 * batch_norm}
    said = "one layer" + ", eps = 1e-05" * batch_norm
    found += [("M_B = 1", 74, 1, {"eps": eps}), (said, 75, 5, one)]
    narrow = {"sizes": (5, 1, 1), "activation": "sigmoid", "eps": eps}
    found += [("layers of one neuron, sigmoid", 76, 6, narrow)]
    found += [("parameters of a neuron 0, identity", 77, 5, {"activation": "identity", "eps": eps})]
    make = functools.partial(network_values, batch_norm=batch_norm)
    made = [Case(name, "plain", make(seed, M, **more)) for name, seed, M, more in found]
    for name, array in vars(made[-1].values["network"].layers[1]).items():
        if name != "W":
            array[0] = 0.0
    return made


def in_network(given, steps, batch_norm=True):
    """Return the cost and all gradients with some steps replaced in every layer."""
    net, u = given["network"], given["psi"][:, None]
    base = {} if batch_norm else {"y": "x + b", **BASELINE.steps}
    here = {k: f for k, f in steps.items() if not any(name in f for name in DENSE[-3:])}
    layers, below = [], None
    for each, activation in zip(net.layers, net.activations, strict=True):
        made = {**vars(each), "x": u @ each.W.T, "u_prev": u, "eps": net.eps}
        made |= {
            f"{k}_prev": below[k]
            for k in ("gamma", "std", "x_hat", "y")
            if below is not None and (batch_norm or k == "y")
        }
        if below is not None:
            made["g_prime"] = net.activations[len(layers) - 1].g_prime(below["y"])
        layers.append(below := Layer(made, {**base, **here}))
        u = activation.g(below["y"])
    phi = given["phi"][:, None]
    last = {"u": u, "phi": phi, "M_B": len(phi)}
    last["g_prime_out"] = net.activations[-1].g_prime(below["y"])
    found = {"cost": np.asarray(baseline.cross_entropy_from_logits(below["y"][:, 0], given["phi"]))}
    delta = Layer(last, steps)["output"]
    for l in reversed(range(len(layers))):
        own = {k: f for k, f in here.items() if l or ("g_prime" not in f and "y_prev" not in f)}
        v = Layer({**layers[l], "delta": delta}, {**base, **own})
        for kind in vars(net.layers[l]):
            found[f"{kind}{l + 1}"] = v["d" + kind].reshape(vars(net.layers[l])[kind].shape)
        if l:
            # What needs the layer below is a mistake in passing the error on to it.
            delta = Layer({**layers[l], "delta": delta}, {**base, **steps})["below"]
    return found


_AXES = re.compile(
    r"\b(over_\w+|halves|(un)?mixed|running_\w+|[NPnW]|\w+_prev|g_prime\w*|outer|output|u|phi)\b"
)
