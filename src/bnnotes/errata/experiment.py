"""The list of experiments, and how their errors are measured."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .forward import EPS


class Measured(NamedTuple):
    """Errors relative to the largest true entry.

    Attributes
    ----------
    printed : float
        Of the equation as the source prints it.
    corrected : float
        Of the equation as it should read; for a row that holds, of this package's function.
    """

    printed: float
    corrected: float


class Experiment(NamedTuple):
    """One row: its function, and the smallest M_B that it makes sense for."""

    run: Callable
    smallest: int


EXPERIMENTS = {}  # every row, as the source has it: ε = 0
BEYOND = {}  # outside of what the source says: ε > 0, or what a row that holds leaves to mind


def experiment(*ids, smallest=2, eps=False):
    """Register ``run(rng, M_B) -> (truth, printed, corrected)`` or a `Measured`.

    With `eps` it also takes ``eps``, and the same is measured at eps > 0 for `BEYOND`.
    """

    def register(run):
        for id in ids:
            EXPERIMENTS[id] = Experiment(run, smallest)
            if eps:
                BEYOND[id] = Experiment(functools.partial(run, eps=EPS), smallest)
        return run

    return register


def beyond(id, smallest=2):
    """Register what is measured outside of what the source says."""

    def register(run):
        BEYOND[id] = Experiment(run, smallest)
        return run

    return register


def error(approximate, truth):
    scale = np.abs(truth).max() or 1.0
    return float(np.abs(approximate - truth).max() / scale)
