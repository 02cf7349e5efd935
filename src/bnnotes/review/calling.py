"""Call the reader's function in the form in which it wants its arrays, and read what it returns."""

from __future__ import annotations

import copy
import sys
import types
import warnings
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from .names import SETTINGS, match

# What has a row per sample, what has an entry per neuron. The rest is handed as it is.
BATCHES = {
    *("delta", "x", "x_hat", "y", "centered", "u_prev", "g_prime", "y_prev", "x_hat_prev"),
    *("psi", "phi"),
}
NEURONS = {
    *("mean", "std", "var", "inv_std", "var_eps", "gamma", "beta", "b"),
    *("running_mean", "running_var", "gamma_prev", "std_prev"),
}


class Layout(NamedTuple):
    """How the reader's function wants its arrays.

    Attributes
    ----------
    name : str
    batch, neurons : callable
        Turn an array (M_B, n) or (n,) of the book into the reader's.
    back : callable
        Turns a batch of the reader's into one of the book's, given M_B.
    """

    name: str
    batch: Callable
    neurons: Callable
    back: Callable


def _images(array):
    """Return (M_B, n) as (N, n, H, W), with more than one pixel where M_B allows."""
    M_B, n = array.shape
    pixels = (2, 2) if M_B % 4 == 0 else (1, 1)
    return array.reshape(-1, *pixels, n).transpose(0, 3, 1, 2)


def _from_images(array):
    return array.transpose(0, 2, 3, 1).reshape(-1, array.shape[1])


def _same(array):
    return array


SAMPLES, FEATURES, IMAGES = "sample-major", "feature-major", "images"
_vectors = {
    "flat": _same,
    "row": lambda v: v[np.newaxis],
    "column": lambda v: v[:, np.newaxis],
    "pixel": lambda v: v[np.newaxis, :, np.newaxis, np.newaxis],
}
LAYOUTS = (
    Layout(SAMPLES, _same, _vectors["flat"], _same),
    Layout(SAMPLES, _same, _vectors["row"], _same),
    Layout(FEATURES, np.transpose, _vectors["column"], np.transpose),
    Layout(FEATURES, np.transpose, _vectors["flat"], np.transpose),
    Layout(IMAGES, _images, _vectors["flat"], _from_images),
    Layout(IMAGES, _images, _vectors["pixel"], _from_images),
)


class Convention(NamedTuple):
    """Everything that has to be found out before the reader's function can be judged.

    Attributes
    ----------
    layout : Layout
    torch : bool
        Hand over tensors.
    meanings : dict
        Arguments that may stand for another quantity than their name says.
    eps : float or None
        An eps that the function seems to have built in; None where it is told.
    activation : str or None
        The same for the activation of a network.
    transposed : bool
        W is stored as (n_prev, n).
    """

    layout: Layout
    torch: bool = False
    meanings: Mapping = types.MappingProxyType({})
    eps: float | None = None
    activation: str | None = None
    transposed: bool = False


class Result(NamedTuple):
    """What the reader's function returned, read.

    Attributes
    ----------
    found : dict of str to ndarray
        By quantity, in the shapes of the book.
    transposed : tuple of str
        Matrices that came transposed.
    misshaped : tuple of str
        What is said of results with a wrong shape, where others have the right one.
    dtype : numpy dtype or None
    """

    found: dict
    transposed: tuple = ()
    misshaped: tuple = ()
    dtype: object = None


class Outcome(NamedTuple):
    """What the reader's function did with one case.

    Attributes
    ----------
    arguments : dict
        As handed over.
    found : dict of str to ndarray
        What it returned, by quantity, in the shapes of the book.
    trouble : str
        An exception or a wrong shape, or "".
    warned : tuple of str
    changed : tuple of str
        Arguments that it wrote into.
    transposed, misshaped, dtype
        As in `Result`.
    asked : frozenset of str
        Quantities that it took out of its cache.
    """

    arguments: dict
    found: dict
    trouble: str = ""
    warned: tuple = ()
    changed: tuple = ()
    transposed: tuple = ()
    misshaped: tuple = ()
    dtype: object = None
    asked: frozenset = frozenset()


class Cache(dict):
    """What the reader's own forward pass may have kept: a dict, a tuple or a ctx, all at once."""

    def __init__(self, hand, roles, unpacked):
        super().__init__()
        self.asked = set()
        self._hand, self._roles, self._unpacked = hand, roles, unpacked

    def __missing__(self, name):
        if isinstance(name, int) and name < len(self._unpacked):
            return self._pick(self._unpacked[name])
        role = match([str(name)], self._roles).get(str(name))
        if role is None:
            raise KeyError(name)
        self[name] = self._pick(role)
        return self[name]

    def get(self, name, default=None):
        try:
            return self[name]
        except KeyError:
            return default

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        if name in ("saved_tensors", "saved_variables"):
            return tuple(self)
        if name == "needs_input_grad":
            return (True,) * 8
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __iter__(self):
        if not self._unpacked:
            raise TypeError(
                "review cannot tell what the cache holds; put two lines around the function, "
                "see help(bnnotes.review)"
            )
        return iter([self._pick(role) for role in self._unpacked])

    def __len__(self):
        return len(self._unpacked)

    def kept(self):
        """Return what was asked for, in the form in which it was."""
        return tuple(self) if self._unpacked else dict(self.items())

    def _pick(self, role):
        if role is None:
            return None
        self.asked.add(role)
        return self._hand(role)


def hand_over(values, binding, convention, subject):
    """Return the reader's arguments and pairs of what was handed over and a copy of it."""
    pairs = {}

    def hand(role, name=None):
        meaning = convention.meanings.get(role, role)
        value = values[meaning]
        if isinstance(value, np.ndarray) and value.ndim:
            value = _in_layout(value, meaning, convention)
            pairs[name or role] = value, value.copy() if not convention.torch else value.clone()
        elif hasattr(subject, "hand"):
            value = subject.hand(role, value, convention)
            pairs[name or role] = value, copy.deepcopy(value)
        return value

    arguments = {}
    for name, role in binding.roles.items():
        if role == "cache":
            arguments[name] = Cache(hand, subject.roles - {"cache"}, binding.unpacked)
        elif role == "bn_param":
            arguments[name] = {"mode": "train", "eps": values["eps"], "momentum": 0.9}
        elif role in SETTINGS:
            arguments[name] = SETTINGS[role]
        else:
            arguments[name] = hand(role, name)
    return arguments, pairs


def _in_layout(array, role, convention):
    """Return a copy of an array in the reader's layout, a tensor where one is wanted."""
    if role in BATCHES:
        array = convention.layout.batch(array)
    elif role in NEURONS:
        array = convention.layout.neurons(array)
    elif role == "W" and convention.transposed:
        array = array.T
    array = np.array(array, order="C")
    return sys.modules["torch"].tensor(array) if convention.torch else array


def call(f, values, binding, convention, subject):
    """Return the `Outcome` of the reader's function on one case. Nothing is raised through."""
    arguments, pairs = {}, {}
    # Whatever the session has turned off, this report mentions it.
    told = np.errstate(divide="warn", over="warn", invalid="warn")
    with warnings.catch_warnings(record=True) as caught, told:
        warnings.simplefilter("always")
        try:
            arguments, pairs = hand_over(values, binding, convention, subject)
            returned = f(**arguments)
            result, trouble = subject.read(returned, values, convention), ""
        except (Exception, SystemExit) as error:
            result = Result({})
            trouble = str(error) if isinstance(error, Misread) else _say(error)
    return Outcome(
        {name: _as_handed(name, value, pairs) for name, value in arguments.items()},
        result.found,
        trouble,
        tuple(dict.fromkeys(f"{type(w.message).__name__}: {w.message}" for w in caught)),
        tuple(name for name, pair in pairs.items() if _changed(*pair)),
        result.transposed,
        result.misshaped,
        result.dtype,
        _asked(arguments),
    )


def _as_handed(name, value, pairs):
    """Return an argument as it was before the function could write into it."""
    if isinstance(value, Cache):
        return value.kept()
    return pairs[name][1] if name in pairs else value


def _asked(arguments):
    caches = [value for value in arguments.values() if isinstance(value, Cache)]
    return frozenset(role for cache in caches for role in cache.asked)


def _say(error):
    return f"it raised {type(error).__name__}: {error}".rstrip(": ")


def _changed(value, original):
    """Say whether the function wrote into what it was handed."""
    before, after = list(_arrays(original)), list(_arrays(value))
    return len(before) != len(after) or not all(
        a.shape == b.shape and np.array_equal(a, b, equal_nan=True)
        for a, b in zip(before, after, strict=True)
    )


def _arrays(value):
    """Yield the arrays in a list, a dict or an object, however deep."""
    if isinstance(value, dict):
        value = list(value.values())
    elif not isinstance(value, (list, tuple, np.ndarray)) and hasattr(value, "__dict__"):
        if not hasattr(value, "detach"):
            value = list(vars(value).values())
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from _arrays(each)
    elif isinstance(value, np.ndarray) or hasattr(value, "detach"):
        yield as_array(value)


class Misread(ValueError):
    """A result that cannot be read."""


def as_array(value):
    """Return what the reader's function returned as a real array, whatever library made it."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    try:
        array = np.asarray(value)
    except Exception as error:
        raise Misread(f"it returned a {type(value).__name__}, no array: {error}") from None
    if array.dtype.kind not in "fiub":
        raise Misread(f"it returned {array.dtype} in a {type(value).__name__}, wanted real numbers")
    return array


def fit(array, quantity, want, convention):
    """Return the array in the shape of the book, and whether it came transposed; or None.

    Parameters
    ----------
    array : ndarray
    quantity : str
    want : ndarray
        The right result.
    convention : Convention
    """
    want = np.asarray(want)
    if quantity in BATCHES_OUT:
        if array.shape == convention.layout.batch(want).shape:
            return convention.layout.back(array), False
    elif want.ndim == 2:
        if convention.transposed:
            want = want.T
        if array.shape == want.shape:
            return array.T if convention.transposed else array, False
        if array.shape == want.T.shape:
            return array if convention.transposed else array.T, True
    elif array.size == want.size and array.ndim <= 4 and max(array.shape, default=1) == want.size:
        return array.reshape(want.shape), False
    return None


BATCHES_OUT = {"x", "y", "x_hat", "previous_error"}


def shape_in(convention, quantity, want):
    """Return the shape that the reader's result should have."""
    want = np.asarray(want)
    if quantity in BATCHES_OUT:
        return convention.layout.batch(want).shape
    return want.T.shape if convention.transposed else want.shape
