"""Checks of what the reader hands in, done once, at the public boundary.

A public formula is decorated with the shapes of its arguments::

    @checked(delta="M_B n", u_prev="M_B n_prev")
    def weight_gradient(delta, u_prev):
        return delta.T @ u_prev

The decorated function checks and then calls the body. The body alone is
``weight_gradient.bare``: loops that have checked on entry call that.
"""

from __future__ import annotations

import functools
import inspect
import math
import warnings

import numpy as np


class UnusableFeature(ValueError):
    """A feature that cannot be divided by its standard deviation.

    Attributes
    ----------
    neuron : int
        Its column.
    """

    def __init__(self, message, neuron):
        super().__init__(message)
        self.neuron = neuron


class ConstantFeature(UnusableFeature):
    """A feature without variance where the formula divides by it."""


def checked(*, real=False, **wanted):
    """Decorate a formula with the shapes that its arguments must have.

    Parameters
    ----------
    real : bool
        Refuse complex arrays: for formulas that take an absolute value.
    **wanted : str
        For each argument its shape as names of sizes, ``"M_B n"``. The same
        name is the same size in every argument. ``"1|n"`` allows the one
        broadcast that the formulas know. ``"M_B n in [0, 1]"`` bounds the
        entries too, and so does ``"n > 0"``. ``">= 0"`` is a finite number.
    """

    def decorate(function):
        signature = inspect.signature(function)

        @functools.wraps(function)
        def public(*args, **kwargs):
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            sizes = {}
            for name, shape in wanted.items():
                bound.arguments[name] = _check(name, bound.arguments[name], shape, sizes, real)
            # Finite numbers can still be too large; that is said here, not by numpy's warnings.
            with np.errstate(all="ignore"):
                result = function(*bound.args, **bound.kwargs)
            if not finite(result):
                raise ValueError(_too_large(bound.arguments, wanted))
            return result

        public.bare = function
        return public

    return decorate


def finite(result):
    """Whether all numbers are finite: of an array, or of a tuple of arrays."""
    if isinstance(result, tuple):
        return all(finite(part) for part in result)
    return bool(np.isfinite(result).all())


def _too_large(arguments, wanted):
    """Say which argument has the largest entry, or the smallest: the likely reason."""
    sizes = {}
    for name in wanted:
        value = arguments[name]
        parts = value._asdict() if name == "normalized" else {"": value}
        for field, array in parts.items():
            entries = np.abs(array)[np.abs(array) > 0]
            if entries.size:
                sizes[f"{name}.{field}".rstrip(".")] = float(entries.max()), float(entries.min())
    large = max(sizes, key=lambda name: sizes[name][0])
    small = min(sizes, key=lambda name: sizes[name][1])
    if sizes[large][0] * sizes[small][1] >= 1:
        got, wanted = f"{large}: got entries up to {sizes[large][0]:.1e}", "smaller"
    else:
        got, wanted = f"{small}: got entries down to {sizes[small][1]:.1e}", "larger"
    return f"{got}, and the result overflows; wanted {wanted}"


def _check(name, value, shape, sizes, real):
    if shape == ">= 0":
        return number(name, value)
    if name == "normalized":
        return _normalized(value, sizes, real)
    shape, _, labels = shape.partition(" in ")
    shape, _, positive = shape.partition(" > ")
    array = sized(name, value, shape, sizes, real)
    if labels:
        unit_interval(name, array)
    if positive and not (array.real > 0).all():
        raise ValueError(f"{name}: got an entry that is not positive, wanted all > 0")
    return array


def _normalized(value, sizes, real):
    fields = ("x_hat", "mean", "std")
    if not (isinstance(value, tuple) and all(hasattr(value, field) for field in fields)):
        raise ValueError(
            f"normalized: got {type(value).__name__}, wanted what batchnorm.normalize returns"
        )
    shapes = ("M_B n", "n", "n")
    checked_fields = {
        field: sized(f"normalized.{field}", getattr(value, field), shape, sizes, real)
        for field, shape in zip(fields, shapes, strict=True)
    }
    if not (checked_fields["std"].real > 0).all():
        raise ValueError("normalized.std: got an entry that is not positive, wanted all > 0")
    return value._replace(**checked_fields)


def sized(name, value, shape, sizes, real=False):
    """Return `value` as an array of finite numbers of the wanted shape.

    Sizes met for the first time are entered into `sizes`; later arguments
    must agree with them.
    """
    array = numeric(name, value)
    if real and array.dtype.kind == "c":
        raise ValueError(f"{name}: got complex numbers, wanted real ones")
    tokens = shape.split()
    described = ", ".join(tokens) + ("," if len(tokens) == 1 else "")
    if array.ndim != len(tokens):
        raise ValueError(f"{name}: got shape {array.shape}, wanted ({described})")
    for axis, (token, got) in enumerate(zip(tokens, array.shape, strict=True)):
        symbol = token.removeprefix("1|")
        if got == 0:
            raise ValueError(f"{name}: got shape {array.shape}, wanted at least one entry per axis")
        if token.startswith("1|") and got == 1:
            continue
        want, source = sizes.setdefault(symbol, (got, name))
        if got != want:
            raise ValueError(
                f"{name}: got shape {array.shape}, wanted ({described}) "
                f"with {symbol} = {want} on axis {axis}, as in {source}"
            )
    return array


def numeric(name, value):
    """Return `value` as a float or complex array, or say why it is none.

    float32 and wider stay as they are; booleans, integers and float16
    become float64.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise ValueError(f"{name}: got a masked array, wanted one without a mask")
    array = value if type(value) is np.ndarray else _array(name, value)
    if array.dtype.kind in "biu" or array.dtype == np.float16:
        array = array.astype(np.float64)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype.kind not in "fc":
        got = f"dtype {array.dtype}" if array.ndim else f"a {type(value).__name__}"
        raise ValueError(f"{name}: got {got}, wanted an array of numbers")
    if not finite(array):
        index = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{name}: got {array[index]} at index {index}, wanted finite numbers")
    return array


def _array(name, value):
    """Return `value`, of any type, as a plain array."""
    if isinstance(value, (list, tuple)):
        if any(isinstance(row, np.ma.MaskedArray) for row in value):
            raise ValueError(f"{name}: got a masked array in a list, wanted one without a mask")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return np.asarray(value)
    except (MemoryError, RecursionError):
        raise
    except Exception as error:
        if isinstance(value, (list, tuple)) and isinstance(error, ValueError):
            raise ValueError(f"{name}: got rows of different lengths, wanted an array") from None
        raise ValueError(
            f"{name}: got a {type(value).__name__} that gives no array "
            f"({type(error).__name__}: {error}); wanted an array of numbers"
        ) from None


def number(name, value, *, minimum=0.0):
    """Return `value` as a finite float of at least `minimum`."""
    wanted = "a finite number" + (f" >= {minimum:g}" if minimum > -math.inf else "")
    try:
        scalar = isinstance(value, (int, float)) or (
            not isinstance(value, np.ma.MaskedArray)
            and np.asarray(value).dtype.kind in "biuf"
            and np.ndim(value) == 0
        )
        result = float(value) if scalar else math.nan
    except Exception:
        # A number too large for a float, or an object that gives none.
        result = math.nan
    if not (math.isfinite(result) and result >= minimum):
        raise ValueError(f"{name}: got {shown(value)}, wanted {wanted}")
    return result


def shown(value):
    """Return `value` as it is written, cut where that is long."""
    try:
        text = " ".join(repr(value).split())
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."


def choice(name, value, options):
    """Return `value`, one of some names."""
    if not isinstance(value, str) or value not in options:
        raise ValueError(f"{name}: got {shown(value)}, wanted {_one_of(list(options))}")
    return value


def _one_of(options):
    if len(options) < 4:
        *first, last = map(repr, options)
        return f"{', '.join(first)} or {last}" if first else last
    separator = "; " if any("," in option for option in options) else ", "
    return f"one of {separator.join(options)}"


def instance(name, value, kind, wanted):
    """Return `value`, or say that it is none of `kind`."""
    if not isinstance(value, kind):
        raise ValueError(f"{name}: got {shown(value)}, wanted {wanted}")
    return value


def function(name, value):
    """Return `value`, which can be called."""
    if not callable(value):
        raise ValueError(f"{name}: got {shown(value)}, wanted a function")
    return value


_SOURCES = np.random.Generator, np.random.BitGenerator, np.random.SeedSequence


def generator(name, value):
    """Return the random numbers of a generator or of a seed; not of a seed left open."""
    # numpy is not asked to try: a list that holds itself crashes it.
    seeds = value if isinstance(value, (list, tuple)) and value else [value]
    if isinstance(value, _SOURCES) or all(whole(seed) and seed >= 0 for seed in seeds):
        return np.random.default_rng(value)
    raise ValueError(
        f"{name}: got {shown(value)}, wanted a numpy.random.Generator or an integer >= 0"
    )


def float_dtype(name, value):
    """Return `value` as a dtype of real floating-point numbers that no rounding makes useless."""
    try:
        dtype = None if value is None else np.dtype(value)
    except Exception:
        dtype = None
    if dtype is None or dtype.kind != "f" or dtype == np.float16:
        raise ValueError(f"{name}: got {shown(value)}, wanted float64, float32 or longdouble")
    return dtype


def whole(value):
    """Whether `value` is an integer. To Python True is one, and to numpy a span of time."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.timedelta64))


def count(name, value, *, minimum=1):
    """Return `value` as an int of at least `minimum`."""
    if not whole(value) or value < minimum:
        raise ValueError(f"{name}: got {shown(value)}, wanted an integer >= {minimum}")
    return int(value)


def unit_interval(name, array):
    """Refuse entries outside [0, 1], such as labels 1..10."""
    outside = (array.real < 0) | (array.real > 1)
    if outside.any():
        index = tuple(int(k) for k in np.argwhere(outside)[0])
        raise ValueError(f"{name}: got {array[index]:g} at index {index}, wanted [0, 1]")


@functools.cache
def limits(dtype):
    """Return the rounding unit of a dtype, its root, and the root of the smallest number."""
    info = np.finfo(dtype)
    return float(info.eps), math.sqrt(info.eps), math.sqrt(info.tiny)


def require_variance(name, v, mean, std, eps=0.0, noise=None):
    """Raise `UnusableFeature` where a column of `v` cannot be divided by `std`.

    `v` may have lost its mean. `std` holds `eps` already; a positive one makes
    every column usable that does not overflow. Rounding gives a constant
    column a tiny standard deviation instead of 0, so suspicious columns are
    compared entry by entry, and with their rounding errors, `noise()`.
    """
    _, relative, smallest = limits(std.dtype)
    # Nearly always all is well, and two lengths and the smallest std are enough to see that.
    low, length = np.minimum.reduce(std.real), mean.real.dot(mean.real)
    if smallest < low and length < (low / relative / 2) ** 2 and std.real.dot(std.real) < math.inf:
        return
    usable = (std.real > relative * np.abs(mean) + smallest) & (std.real < math.inf)
    if usable.all():
        return
    for i in (int(k) for k in np.flatnonzero(~usable)):
        if not np.isfinite(std[i]):
            raise UnusableFeature(
                f"{name}: the variance of column {i} overflows; wanted smaller numbers", i
            )
        if eps > 0:
            continue
        if (v[:, i] == v[0, i]).all():
            why = "M_B = 1" if len(v) == 1 else f"column {i} is constant over the samples"
            raise ConstantFeature(
                f"{name}: {why}, so the standard deviation is 0; wanted eps > 0 or a varying one", i
            )
        if std[i].real <= smallest:
            raise ConstantFeature(
                f"{name}: column {i} varies so little that its variance underflows; "
                "wanted eps > 0 or larger numbers",
                i,
            )
        if noise is not None and std[i].real <= noise()[i]:
            raise ConstantFeature(
                f"{name}: column {i} is constant over the samples up to rounding; "
                "wanted eps > 0 or a varying one",
                i,
            )
