"""Read the gradients of a whole network, in whatever containers they come."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from .calling import Misread, as_array
from .names import match_output
from .subjects import mapping


def read(returned, kinds, count):
    """Return the cost, or None, and a dict of gradients per layer.

    Parameters
    ----------
    returned : object
        (cost, gradients) or a dict of them. The gradients are a list of
        layers, each an object, a dict or a tuple; or a dict or a tuple of
        lists; or a dict of ``"W1"``, ``"gamma1"`` and so on.
    kinds : tuple of str
        ``("W", "gamma", "beta")``.
    count : int
        How many layers there are.
    """
    cost, gradients = _split(returned)
    layers = _layers(gradients, kinds)
    if len(layers) != count:
        raise Misread(f"it returned gradients of {len(layers)} layers, wanted {count}")
    return cost, layers


def _scalar(value):
    try:
        return as_array(value).size == 1 and as_array(value).ndim <= 1
    except Misread:
        return False


def _split(returned):
    """Return the cost, or None, and the gradients."""
    if returned is None:
        raise Misread("it returned None; is there a return?")
    if isinstance(returned, Mapping):
        for name in returned:
            if str(name).casefold() in ("cost", "loss", "c", "j"):
                rest = {k: v for k, v in returned.items() if k != name}
                return returned[name], next(iter(rest.values())) if len(rest) == 1 else rest
        return None, returned
    if isinstance(returned, tuple) and returned and _scalar(returned[0]):
        return returned[0], returned[1] if len(returned) == 2 else returned[1:]
    return None, returned


def _kind(name, kinds):
    """Return the kind of parameter that a name such as ``"dW"`` or ``"grad_gammas"`` says."""
    if name.casefold() in ("db", "b", "bs", "dbs", "bias", "dbias") and "b" in kinds:
        return "b"
    return match_output(name, kinds) or match_output(name.removesuffix("s"), kinds)


def _layers(gradients, kinds):
    """Return the gradients as one dict per layer."""
    entries = mapping(gradients)
    if entries and all(isinstance(value, (list, tuple)) for value in entries.values()):
        named = {_kind(name, kinds): value for name, value in entries.items()}
        return _by_layer({kind: named[kind] for kind in kinds if kind in named})
    if entries:
        return _numbered(entries, kinds)
    if not isinstance(gradients, (list, tuple)):
        raise Misread(f"its gradients are a {type(gradients).__name__}, wanted a list of layers")
    if len(gradients) == len(kinds) and all(map(_is_list, gradients)):
        # Three layers of three arrays, or three lists of an array per layer: the shapes tell.
        if all(np.ndim(as_array(each)) == 2 for each in gradients[0]):
            return _by_layer(dict(zip(kinds, gradients, strict=True)))
    return [_entry(each, kinds) for each in gradients]


def _is_list(value):
    return isinstance(value, (list, tuple)) and not mapping(value)


def _by_layer(lists):
    count = len(next(iter(lists.values()), ()))
    return [{kind: values[l] for kind, values in lists.items()} for l in range(count)]


def _numbered(entries, kinds):
    found = {}
    for name, value in entries.items():
        parts = re.fullmatch(r"(.*?)_?(\d+)", name)
        kind = parts and _kind(parts[1], kinds)
        if kind:
            found.setdefault(int(parts[2]), {})[kind] = value
    return [found[number] for number in sorted(found)]


def _entry(each, kinds):
    """Return the gradients of one layer by kind."""
    named = mapping(each) or (vars(each) if hasattr(each, "__dict__") else {})
    if named:
        return {_kind(name, kinds): value for name, value in named.items()}
    if not isinstance(each, (list, tuple)):
        raise Misread(f"the gradients of a layer are a {type(each).__name__}, wanted W, γ and β")
    return dict(zip(kinds, each, strict=False))
