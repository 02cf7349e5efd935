"""The list of experiments, and how their errors are measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Measured(NamedTuple):
    """Errors relative to the largest true entry.

    Attributes
    ----------
    printed : float
        Of the equation as the source prints it.
    corrected : float
        Of the equation as it should read.
    """

    printed: float
    corrected: float


class Experiment(NamedTuple):
    """One row: its function, and the smallest M_B that it makes sense for."""

    run: Callable
    smallest: int


EXPERIMENTS = {}


def experiment(id, smallest=2):
    """Register ``run(rng, M_B) -> (truth, printed, corrected)`` or a `Measured`."""

    def register(run):
        EXPERIMENTS[id] = Experiment(run, smallest)
        return run

    return register


def error(approximate, truth):
    scale = np.abs(truth).max() or 1.0
    return float(np.abs(approximate - truth).max() / scale)
