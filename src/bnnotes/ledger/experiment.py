"""Every row, measured: the list of experiments, and how their errors are counted.

Each experiment takes a random case, evaluates an equation as printed and as corrected, and compares
both with the truth. The truth comes from the forward pass by the complex step, not from the
formulas of this package. The one place of formulas that are printed but wrong.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .. import check
from ..checked import choice, count, generator, instance
from .forward import EPS

MOST = 1000  # samples or cases: some rows form a matrix of all pairs of samples
CASES = 15  # behind a number in a box; odd, so that one of them is the median


class Measured(NamedTuple):
    """Errors relative to the largest true entry.

    Of the equation as printed, and as it should read; for a row that holds, of this package's
    function.
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


def measure(id, M_B=8, seed=0, *, beyond=False):
    """Return how far a row is off in a random case as printed, and as corrected.

    With `beyond` it is measured outside of what the source says, at ε > 0 for most rows.

    >>> printed, corrected = measure("S22")
    >>> round(printed, 12), corrected < 1e-12
    (2.0, True)
    """
    instance("beyond", beyond, (bool, np.bool_), "True or False")
    experiments = BEYOND if beyond else EXPERIMENTS
    run, smallest = experiments[choice("id", id, experiments)]
    M_B = count("M_B", M_B, minimum=smallest, maximum=MOST)
    result = run(generator("seed", seed), M_B)
    if isinstance(result, Measured):
        return result
    truth, printed, corrected = result
    return Measured(error(printed, truth), error(corrected, truth))


class Typical(NamedTuple):
    """Over random cases the median as printed, the worst as corrected, the worst as printed."""

    printed: float
    corrected: float
    exact: float


def typical(id, M_B=8, cases=CASES, *, beyond=False):
    """Return the `Typical` errors of `measure` over seeds 0, 1, …; an odd number of them."""
    seeds = range(count("cases", cases, maximum=MOST))
    measured = (measure(id, M_B, seed, beyond=beyond) for seed in seeds)
    printed, corrected = zip(*measured, strict=True)
    return Typical(sorted(printed)[cases // 2], max(corrected), max(printed))


def worst_now(id, M_B=8, cases=CASES):
    """Return the worst error of the package today over random cases, for any row.

    At ε = 0 and where the book goes beyond the source; where a row needs more samples than M_B, so
    many.

    >>> worst_now("(3)") < 1e-12
    True
    """
    choice("id", id, EXPERIMENTS)
    M_B = count("M_B", M_B, minimum=2, maximum=MOST)
    both = ((False, EXPERIMENTS), (True, BEYOND))
    return max(
        typical(id, max(M_B, listed[id].smallest), cases, beyond=beyond).corrected
        for beyond, listed in both
        if id in listed
    )


def agreement(difference):
    """Return an error as the bound that `bnnotes.check.compare` prints.

    >>> agreement(3e-16)
    'agrees to 1e-12'
    """
    return check.agreement(difference)
