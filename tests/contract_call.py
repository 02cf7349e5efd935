"""Ask a function of the contract: what it did, and whether it did anything else."""

from __future__ import annotations

import copy
import inspect
import re

import numpy as np
from contract import CASE, MODULES, Row, sizes

from bnnotes import batchnorm, network
from bnnotes.network import Network

REFUSALS = ValueError, TypeError


def arrays(value, seen=None):
    """Yield all arrays in a value: of lists, dicts, named tuples and objects, however deep."""
    seen = set() if seen is None else seen
    if id(value) in seen or isinstance(value, (type, np.ma.MaskedArray)):
        return
    seen.add(id(value))
    if isinstance(value, (np.ndarray, np.generic)):
        yield np.asarray(value)
        return
    if isinstance(value, dict):
        value = list(value.values())
    elif type(value).__module__.startswith("bnnotes") and hasattr(value, "__dict__"):
        value = list(vars(value).values())
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from arrays(each, seen)


def frozen(value):
    """A record of all that a caller's value holds, to compare with afterwards."""
    return [(array.shape, array.dtype, array.tobytes()) for array in arrays(value)]


def call(row: Row, **changes):
    """Return the result, or the error that says what is wrong; anything else is raised."""
    given = {**row.values, **changes}
    before = {name: frozen(value) for name, value in given.items()}
    masks = {n: v.mask.copy() for n, v in given.items() if isinstance(v, np.ma.MaskedArray)}
    # Training replaces the layers of its network; their arrays stay what they are.
    kept = {n: list(v.layers) for n, v in given.items() if usable(v)}
    try:
        return _called(row, given)
    except REFUSALS as error:
        return error
    finally:
        for name, layers in kept.items():
            given[name].layers = layers
        assert {name: frozen(value) for name, value in given.items()} == before, "changed"
        for name, mask in masks.items():
            np.testing.assert_array_equal(given[name].mask, mask)


def usable(value):
    return isinstance(value, Network) and isinstance(value.layers, list)


def _called(row, given):
    result = row.function(**given)
    if inspect.isgenerator(result):
        result = list(result)
    for part in arrays(result):
        if part.dtype.kind in "fc":
            assert np.isfinite(part).all(), "a result that is not finite"
    if row.function is network.train:
        result = result, given["network"].layers
    return copy.copy(result)


def public():
    """All functions that the modules define for readers; "Unchecked." says that one is a part."""
    for module in MODULES:
        for name, function in vars(module).items():
            own = getattr(function, "__module__", "") == module.__name__
            if inspect.isfunction(function) and own and not name.startswith("_"):
                yield function


def unchecked(function):
    return "Unchecked." in inspect.getdoc(function).split("\n\n")[0]


def same(row, result, wanted, tolerance=0.0):
    """Assert that two results are the same: shapes, and numbers up to a tolerance."""
    assert not isinstance(result, Exception), f"{row.name}: {result}"
    assert not isinstance(wanted, Exception), f"{row.name}: {wanted}"
    got, wanted = list(arrays(result)), list(arrays(wanted))
    assert len(got) == len(wanted)
    for a, b in zip(got, wanted, strict=True):
        assert a.shape == b.shape
        if tolerance and a.dtype.kind in "fc":
            scale = max(1.0, float(np.abs(b).max(initial=0)))
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * scale)
        else:
            np.testing.assert_array_equal(a, b)


def said(error, names, wanted_of="wanted"):
    """Assert that an error names an argument, and says what it got and what was wanted."""
    assert isinstance(error, REFUSALS), f"it took this and returned {error!r:.100}"
    text = str(error)
    assert any(re.search(rf"(^|\W){re.escape(name)}(\W|$)", text) for name in names), text
    assert wanted_of in text, text
    # Where an array is constant, or overflows, the message says that instead of "got".
    assert re.search("got|constant|M_B = 1|overflow|underflow", text), text
    assert len(text) < 700, text


def plain(made):
    """What arrives in the formulas: the same numbers in a plain array, float64 or complex."""
    array = np.array(getattr(made, "array", made))
    return array.real.astype(float) if array.dtype.kind in "biufc" else array


def cut(value, wanted):
    """The first sample of an array of samples; other arrays as they are."""
    return value[:1] if sizes(wanted)[0].rstrip("*") in ("M_B", "M") else value


def one_sample(row):
    """All arguments with the first sample alone; x̂ of one sample needs an eps."""
    changes = {name: cut(row.values[name], row.wants[name]) for name in row.arrays}
    if "normalized" in row.wants:
        changes["normalized"] = batchnorm.normalize(CASE.x[:1], 0.1)
    return changes


def as_dtype(value, dtype):
    """A value with all its arrays in another dtype."""
    if isinstance(value, np.ndarray):
        return value.astype(dtype) if value.dtype.kind == "f" else value
    if isinstance(value, Network):
        layers = [
            type(each)(**{name: array.astype(dtype) for name, array in vars(each).items()})
            for each in value.layers
        ]
        return Network(layers, value.activation, value.eps)
    if hasattr(value, "_replace"):
        return value._replace(**{k: as_dtype(v, dtype) for k, v in value._asdict().items()})
    if isinstance(value, list):
        return [as_dtype(each, dtype) for each in value]
    return value


def in_dtype(row, dtype):
    return {name: as_dtype(value, dtype) for name, value in row.values.items()}
