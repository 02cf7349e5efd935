"""Every row of the ledger, measured. The one place of formulas that are printed but wrong.

Each experiment takes a random case, evaluates an equation as printed and as
corrected, and compares both with the truth. The truth comes from the forward
pass by the complex step, not from the formulas of this package.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .. import check
from ..checked import choice, count, finite, generator, instance, number
from . import section_1, section_2, section_3  # noqa: F401  they fill EXPERIMENTS
from .experiment import BEYOND, EXPERIMENTS, Measured, error
from .forward import hat, mean

CASES = 15  # behind a number in a box; odd, so that one of them is the median


class Typical(NamedTuple):
    """Errors over random cases.

    Attributes
    ----------
    printed : float
        The median of the equation as the source prints it.
    corrected : float
        The worst of the equation as it should read.
    exact : float
        The worst of the equation as the source prints it.
    """

    printed: float
    corrected: float
    exact: float


def measure(id, M_B=8, seed=0, *, beyond=False):
    """Return how far a row of the ledger is off as printed, and as corrected.

    Parameters
    ----------
    id : str
        A row of the ledger; with `beyond`, a key of `BEYOND`.
    M_B : int
        Batch size of the random case.
    seed : int
        Of the random case.
    beyond : bool
        Measure outside of what the source says, at ε > 0 for most rows.

    Returns
    -------
    Measured

    Raises
    ------
    ValueError
        If there is no such experiment, or the batch is too small for it.

    Examples
    --------
    >>> printed, corrected = measure("S22")
    >>> round(printed, 12), corrected < 1e-12
    (2.0, True)
    """
    experiments = (
        BEYOND if instance("beyond", beyond, (bool, np.bool_), "True or False") else EXPERIMENTS
    )
    run, smallest = experiments[choice("id", id, experiments)]
    M_B = count("M_B", M_B, minimum=smallest)
    result = run(generator("seed", seed), M_B)
    if isinstance(result, Measured):
        return result
    truth, printed, corrected = result
    return Measured(error(printed, truth), error(corrected, truth))


def typical(id, M_B=8, cases=CASES, *, beyond=False):
    """Return the median and the worst error as printed and the worst as corrected.

    Parameters
    ----------
    id, M_B, beyond
        As in `measure`.
    cases : int
        Seeds 0, 1, …; an odd number of them.

    Returns
    -------
    Typical

    Raises
    ------
    ValueError
        As `measure`.
    """
    seeds = range(count("cases", cases))
    measured = (measure(id, M_B, seed, beyond=beyond) for seed in seeds)
    printed, corrected = zip(*measured, strict=True)
    return Typical(sorted(printed)[cases // 2], max(corrected), max(printed))


def worst_now(id, M_B=8, cases=CASES):
    """Return the worst error of the package today, over random cases, for any row.

    Parameters
    ----------
    id : str
        A row of the ledger.
    M_B : int
        Batch size of the random cases; where a row needs more samples, so many.
    cases : int
        Seeds 0, 1, …

    Returns
    -------
    float
        Of the function as it stands, or of the equation as corrected, at ε = 0
        and where the book goes beyond the source, relative to the largest true entry.

    Raises
    ------
    ValueError
        If there is no such row.

    Examples
    --------
    >>> worst_now("(3)") < 1e-12
    True
    """
    choice("id", id, EXPERIMENTS)
    M_B, cases = count("M_B", M_B, minimum=2), count("cases", cases)
    both = ((False, EXPERIMENTS), (True, BEYOND))
    return max(
        typical(id, max(M_B, listed[id].smallest), cases, beyond=beyond).corrected
        for beyond, listed in both
        if id in listed
    )


def agreement(difference):
    """Return an error as the bound that `bnnotes.check.compare` prints.

    Parameters
    ----------
    difference : float

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If `difference` is no number or negative.

    Examples
    --------
    >>> agreement(3e-16)
    'agrees to 1e-12'
    """
    return check.Row("", 1.0, 1.0, number("difference", difference)).agreement


def baseline_over_bn(offset, M_B=64, seed=0, draws=2000):
    """Return the median of |∂C/∂W| without BN over that with BN (S29).

    Random Δ with ⟨Δ⟩ = 0.3 σ(Δ), random u with ⟨u⟩ = offset · σ(u), both up
    to sampling, and x = W u of many other neurons with γ/σ(x) = 1.

    Parameters
    ----------
    offset : float
        Mean of u in units of its standard deviation.
    M_B : int
        Batch size, at least 3.
    seed : int
        Of the random cases.
    draws : int
        How many cases.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the batch is too small, or an argument does not fit.

    Examples
    --------
    >>> f"{baseline_over_bn(1000.0):.1g}"
    '4e+03'
    """
    rng, offset = generator("seed", seed), number("offset", offset)
    shape = (count("M_B", M_B, minimum=3), count("draws", draws))
    delta, u, x = (
        rng.normal(0.3, 1.0, shape),
        rng.normal(offset, 1.0, shape),
        rng.normal(size=shape),
    )
    x_hat, centered = hat(x), delta - mean(delta)
    with np.errstate(all="ignore"):
        bn = ((centered - x_hat * mean(x_hat * centered)) * (u - mean(u))).sum(axis=0)
        ratio = float(np.median(np.abs((delta * u).sum(axis=0) / bn)))
    if not finite(ratio):
        raise ValueError(f"offset: got {offset:.1e}, where u does not vary; wanted a smaller one")
    return ratio
