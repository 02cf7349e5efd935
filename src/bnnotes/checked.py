"""What a reader hands in is checked once, where it comes in.

A formula is a signature and an equation. The signature has the shapes::

    @checked
    def weight_gradient(delta: Array["M_B n"], u_prev: Array["M_B n_prev"]):
        return delta.T @ u_prev

The outermost call is checked, and it alone: what one formula hands to another has passed already.
A refusal is a ValueError, ``name: got …, wanted …``.
"""

import functools
import inspect
import math
import sys
from contextvars import ContextVar, copy_context
from typing import Annotated

import numpy as np

FORMULAS = []  # every checked function, in the order of the modules

MOST_NUMBERS = 10**9  # of an array that is made of others: 8 GB

_inside = ContextVar("inside", default=False)


class Array:
    """Annotation of an array by the names of its sizes: ``Array["M_B n"]``.

    The same name is the same size in every argument; ``"1|n"`` allows one column for all, ``"..."``
    any shape, or after others any further axes, the same in every argument. ``"M_B n in [0, 1]"``
    and ``"n > 0"`` bound the entries; ``"M_B n, standardized"`` wants columns like those of x̂.
    """

    def __class_getitem__(cls, shape):
        return Annotated[np.ndarray, shape, cls]


class Real(Array):
    """An `Array` of a formula that takes an absolute value: complex numbers are refused."""


NonNegative = Annotated[float, ">= 0"]


def checked(function):
    """Decorate a formula: its outermost call checks the arguments, as their annotations say."""
    annotations = inspect.get_annotations(function, eval_str=True)
    annotations.pop("return", None)
    wanted = {name: _wanted(a) for name, a in annotations.items()}
    signature = inspect.signature(function)
    real = any(shape[1] for shape in wanted.values() if isinstance(shape, tuple))

    @functools.wraps(function)
    def public(*args, **kwargs):
        if _inside.get():
            return function(*args, **kwargs)
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        sizes, given = {}, bound.arguments
        for name, shape in wanted.items():
            given[name] = _check(name, given[name], shape, sizes, real)
        result = unchecked(function, *bound.args, **bound.kwargs)
        if not finite(result):
            raise ValueError(_too_large({name: given[name] for name in wanted}))
        return result

    public.wanted, public.real = wanted, real
    if function.__name__ == function.__qualname__:  # no method: it needs an object
        FORMULAS.append(public)
    return public


def _wanted(annotation):
    """Return the shape of an annotation and whether it is `Real`, or a named tuple of such."""
    if hasattr(annotation, "_fields"):
        return annotation
    shape, *kind = annotation.__metadata__
    return shape, kind == [Real]


def unchecked(function, *args, **kwargs):
    """Return ``function(*args, **kwargs)``, in which no formula checks: the caller has."""
    # In a context of its own: whatever interrupts it, nothing stays switched off.
    return copy_context().run(_inside_of, function, args, kwargs)


def _inside_of(function, args, kwargs):
    _inside.set(True)
    # Finite numbers can still be too large; the result tells, and numpy need not.
    np.seterr(all="ignore")
    return function(*args, **kwargs)


def finite(result):
    """Whether all numbers are finite: of an array, or of a tuple of arrays."""
    if isinstance(result, tuple):
        return all(finite(part) for part in result)
    return bool(np.isfinite(result).all())


def _too_large(arguments):
    """Say which argument has the largest entry, or the smallest: the likely reason."""
    sizes = {}
    for name, value in arguments.items():
        for field, array in value._asdict().items() if hasattr(value, "_asdict") else [("", value)]:
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


def _check(name, value, wanted, sizes, real):
    if isinstance(wanted, type):
        instance(name, value, wanted, f"a {wanted.__name__}")
        fields = inspect.get_annotations(wanted, eval_str=True)
        parts = {
            field: _check(f"{name}.{field}", getattr(value, field), _wanted(kind), sizes, real)
            for field, kind in fields.items()
        }
        return wanted(**parts)
    shape, _ = wanted
    if shape == ">= 0":
        return number(name, value)
    standardized, shape = shape.endswith(", standardized"), shape.removesuffix(", standardized")
    shape, _, labels = shape.partition(" in ")
    shape, _, positive = shape.partition(" > ")
    array = sized(name, value, shape, sizes, real)
    if labels:
        unit_interval(name, array)
    if positive and not (array.real > 0).all():
        raise ValueError(f"{name}: got an entry that is not positive, wanted all > 0")
    if standardized:
        _require_standardized(name, array)
    return array


def _require_standardized(name, array):
    """Refuse what is no x̂: its mean is 0, its mean square 1, or less with ε, up to rounding."""
    rounding = float(np.finfo(array.dtype).eps) ** (1 / 3)
    with np.errstate(all="ignore"):
        mean, square = (part.real.mean(axis=0) for part in (array, array**2))
    off = np.atleast_1d((np.abs(mean) > rounding) | (square > 1 + rounding))
    if off.any():
        i = int(off.argmax())
        got = f"{name}: got column {i} of mean {np.atleast_1d(mean)[i]:.2g}"
        got += f" and mean square {np.atleast_1d(square)[i]:.8g}"
        raise ValueError(f"{got}, wanted x̂, of mean 0 and mean square at most 1")


def room(got, numbers):
    """Refuse to make an array that no machine has memory for: a typing error should not fill it."""
    if numbers > MOST_NUMBERS:
        raise ValueError(f"{got}, {numbers:.0e} numbers; wanted at most {MOST_NUMBERS:.0e}")


def sized(name, value, shape, sizes, real=False):
    """Return `value` as an array of finite numbers of the wanted shape.

    Sizes met for the first time are entered into `sizes`; later arguments must agree with them.
    """
    array = numeric(name, value)
    if real and array.dtype.kind == "c":
        raise ValueError(f"{name}: got complex numbers, wanted real ones")
    tokens = shape.split()
    if tokens == ["..."]:
        return array
    got = f"{name}: got shape {array.shape}"
    wanted = f"wanted ({', '.join(tokens)}{',' if len(tokens) == 1 else ''})"
    more = tokens[-1] == "..."
    tokens = tokens[: len(tokens) - more]
    if array.ndim < len(tokens) or (array.ndim > len(tokens) and not more):
        raise ValueError(f"{got}, {wanted}")
    if array.size == 0:
        raise ValueError(f"{got}, wanted at least one entry per axis")
    for axis, (token, size) in enumerate(zip(tokens, array.shape, strict=False)):
        if token.startswith("1|") and size == 1:
            continue
        symbol = token.removeprefix("1|")
        want, source = sizes.setdefault(symbol, (size, name))
        if size != want:
            raise ValueError(
                f"{got}, {wanted} with {symbol} = {want} on axis {axis}, as in {source}"
            )
    if more:
        further = array.shape[len(tokens) :]
        want, source = sizes.setdefault("...", (further, name))
        if further != want:
            raise ValueError(f"{got}, {wanted} with {want} for ..., as in {source}")
    return array


def numeric(name, value):
    """Return `value` as an array of finite numbers, or say why it is none.

    float32 and wider stay as they are; booleans, integers and float16 become float64.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise ValueError(f"{name}: got a masked array, wanted one without a mask")
    try:
        array = np.asarray(value)
    except Exception as error:
        got = f"a {type(value).__name__} that is none, {type(error).__name__}: {error}"
        got = "rows of different lengths" if isinstance(value, (list, tuple)) else got
        raise ValueError(f"{name}: got {got}, wanted an array") from error
    if array.dtype.kind in "biu" or array.dtype.str[1:] == "f2":
        array = array.astype(np.float64)
    if array.dtype.kind not in "fc":
        got = f"dtype {array.dtype}" if array.ndim else f"a {type(value).__name__}"
        raise ValueError(f"{name}: got {got}, wanted an array of numbers")
    if not finite(array):
        index = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{name}: got {array[index]} at index {index}, wanted finite numbers")
    return array


def unit_interval(name, array):
    """Refuse entries outside [0, 1], such as labels 1..10."""
    outside = (array.real < 0) | (array.real > 1)
    if outside.any():
        index = tuple(int(k) for k in np.argwhere(outside)[0])
        raise ValueError(f"{name}: got {array[index]:.16g} at index {index}, wanted [0, 1]")


def number(name, value, *, minimum=0.0):
    """Return `value` as a finite float of at least `minimum`."""
    single = not isinstance(value, (list, tuple)) and np.ndim(value) == 0
    result = float(value) if single and np.asarray(value).dtype.kind in "biuf" else math.nan
    if not (math.isfinite(result) and result >= minimum):
        wanted = "a finite number" + (f" >= {minimum:g}" if minimum > -math.inf else "")
        raise ValueError(f"{name}: got {shown(value)}, wanted {wanted}")
    return result


def whole(value):
    """Whether `value` is an integer. To Python True is one, to numpy a duration."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.timedelta64))


def count(name, value, *, minimum=1, maximum=sys.maxsize):
    """Return `value` as an int within these bounds."""
    if not whole(value) or value < minimum:
        raise ValueError(f"{name}: got {shown(value)}, wanted an integer >= {minimum}")
    if value > maximum:
        raise ValueError(f"{name}: got {shown(value)}, wanted at most {maximum}")
    return int(value)


def shown(value):
    """Return `value` as it is written, cut where that is long."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # an integer of thousands of digits has no text, for one
        text = f"<{type(value).__name__}>"
    return text if len(text) <= 60 else f"{text[:57]}..."


def choice(name, value, options):
    """Return `value`, one of some names."""
    if isinstance(value, str) and value in options:
        return value
    if len(options) < 4:
        *first, last = map(repr, options)
        one_of = f"{', '.join(first)} or {last}" if first else last
    else:
        one_of = "one of " + ("; " if any("," in each for each in options) else ", ").join(options)
    raise ValueError(f"{name}: got {shown(value)}, wanted {one_of}")


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


def generator(name, value):
    """Return the random numbers of a generator or of a seed; not of a seed left open."""
    seeds = value if isinstance(value, (list, tuple)) and value else [value]
    sources = np.random.Generator, np.random.BitGenerator, np.random.SeedSequence
    if isinstance(value, sources) or all(whole(seed) and seed >= 0 for seed in seeds):
        return np.random.default_rng(value)
    wanted = "a numpy.random.Generator or an integer >= 0"
    raise ValueError(f"{name}: got {shown(value)}, wanted {wanted}")


def float_dtype(name, value):
    """Return `value` as a dtype of real floating-point numbers that no rounding makes useless."""
    for dtype in np.float64, np.float32, np.longdouble:
        if isinstance(value, (str, type, np.dtype)) and value == np.dtype(dtype):
            return np.dtype(dtype)
    raise ValueError(f"{name}: got {shown(value)}, wanted float64, float32 or longdouble")


class UnusableFeature(ValueError):
    """A feature that cannot be divided by its standard deviation; ``neuron`` is its column."""

    # Without a value for those that pickle: they make it of its message, and then set the others.
    def __init__(self, message, neuron=None):
        super().__init__(message)
        self.neuron = neuron


class ConstantFeature(UnusableFeature):
    """A feature without variance where the formula divides by it."""


@functools.cache
def limits(dtype):
    """Return the rounding unit of a dtype, its root, and the root of the smallest number."""
    info = np.finfo(dtype)
    return float(info.eps), math.sqrt(info.eps), math.sqrt(info.tiny)


def require_variance(name, v, mean, std, eps=0.0, noise=None):
    """Raise `UnusableFeature` where a column of `v` cannot be divided by `std`.

    `v` may have lost its mean. `std` holds `eps` already; a positive one makes every column usable
    that does not overflow. Rounding gives a constant column a tiny standard deviation instead of 0,
    so suspicious columns are compared entry by entry, and with their rounding errors, `noise()`.
    """
    _, relative, smallest = limits(std.dtype)
    # Nearly always all is well, and two lengths and the smallest std are enough to see that.
    low, length = np.minimum.reduce(std.real), mean.real.dot(mean.real)
    if smallest < low and length < (low / relative / 2) ** 2 and std.real.dot(std.real) < math.inf:
        return
    usable = (std.real > relative * np.abs(mean) + smallest) & (std.real < math.inf)
    for i in (int(k) for k in np.flatnonzero(~usable)):
        if not np.isfinite(std[i]):
            why = f"the variance of column {i} overflows; wanted smaller numbers"
            raise UnusableFeature(f"{name}: {why}", i)
        if eps > 0:
            continue
        constant = f"column {i} is constant over the samples"
        if (v[:, i] == v[0, i]).all():
            why = "M_B = 1" if len(v) == 1 else constant
            why += ", so the standard deviation is 0; wanted eps > 0 or a varying one"
        elif std[i].real <= smallest:
            why = f"column {i} varies so little that its variance underflows"
            why += "; wanted eps > 0 or larger numbers"
        elif noise is not None and std[i].real <= noise()[i]:
            why = f"{constant} up to rounding; wanted eps > 0 or a varying one"
        else:
            continue
        raise ConstantFeature(f"{name}: {why}", i)
