"""What is made once and kept for all who ask: none of them can change it for the others."""

import dataclasses
import functools

import numpy as np


def frozen(value):
    """Return `value`, with each array in it read-only."""
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif dataclasses.is_dataclass(value):
        frozen(list(vars(value).values()))
    elif isinstance(value, (tuple, list, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            frozen(part)
    return value


def kept(function, most=None):
    """Return `function` with its results kept, at most so many, and `frozen`."""

    @functools.lru_cache(most)
    @functools.wraps(function)
    def first(*args, **kwargs):
        return frozen(function(*args, **kwargs))

    return first
