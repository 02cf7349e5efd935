"""The usual gradient checks, and which known mistakes they miss."""

from __future__ import annotations

import html
from typing import NamedTuple

import numpy as np

from .. import batchnorm
from ..check import central_difference
from . import steps
from .cases import layer
from .known import MISTAKES


class Check(NamedTuple):
    """A gradient check as people write it.

    Attributes
    ----------
    upstream : {"random", "ones", "y"}
        The error Δ at the output.
    gamma : {"random", "ones"}
    M_B : int or None
        The batch size; None where the caller chooses.
    eps : float
    tolerance : float
        Of the difference, relative to what the gradient could be.
    quantities : tuple of str
        What is compared: ``x``, ``gamma``, ``beta``.
    own_forward : bool
        Whether the backward pass is compared with the forward pass that has the same mistake.
    """

    upstream: str = "random"
    gamma: str = "random"
    M_B: int | None = None
    eps: float = 1e-5
    tolerance: float = 1e-4
    quantities: tuple = ("x", "gamma", "beta")
    own_forward: bool = False


# Each but the last has one weakness, and all but the last have a small eps.
USUAL = {
    "Δ = 1": Check(upstream="ones"),
    "Δ = y": Check(upstream="y"),
    "γ = 1": Check(gamma="ones"),
    "M_B = 2": Check(M_B=2, eps=0.0),
    "M_B = 256, tolerance 0.01": Check(M_B=256, tolerance=1e-2),
    "only ∂C/∂γ and ∂C/∂β": Check(quantities=("gamma", "beta")),
    "own forward pass": Check(own_forward=True),
    "random Δ and γ": Check(),
    "random Δ and γ, ε = 0.1": Check(eps=0.1, tolerance=1e-6),
}

# Those of the gallery: one layer, every group of steps, the best known first.
GALLERY = (
    "missing mean term",
    "missing x̂ term",
    "statistics as constants",
    "sum for mean in the x̂ term",
    "−1/2 dropped",
    "n − 1 in the variance's gradient only",
    "∂σ²/∂μ counted as non-zero",
    "n − 1 in the variance",
    "n − 1 everywhere",
    "eps outside the root, in both passes",
    "square for square root, in both passes",
    "inference mode",
    "γ left out",
    "s for 1/s",
    "eps missing in the backward pass",
    "x for x̂",
    "means over the neurons",
    "means over everything",
    "γ: mean for sum",
    "γ: x for x̂",
    "β: times γ",
    "γ and β swapped",
)


def batch(M_B, seed=0, upstream="random", gamma="random", eps=1e-5, n=4):
    """Return the values of a random batch as a gradient check draws it.

    Parameters
    ----------
    M_B : int
    seed : int
    upstream : {"random", "ones", "y"}
        Δ.
    gamma : {"random", "ones"}
    eps : float
    n : int
        Number of neurons.

    Returns
    -------
    dict
        Arrays by the names of the book.
    """
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(M_B, n)) * rng.uniform(0.5, 3, n) + rng.normal(size=n)
    drawn = rng.uniform(0.5, 2, n) * rng.choice([-1, 1], n)
    beta, delta = rng.normal(size=n), rng.normal(size=(M_B, n))
    scale = np.ones(n) if gamma == "ones" else drawn
    values = layer(x, scale, beta, eps, delta)
    if upstream != "random":
        values["delta"] = values["y"] if upstream == "y" else np.ones_like(x)
    return values


def difference(mistake, values, quantities=("x", "gamma", "beta"), own_forward=False):
    """Return how far the gradients with a mistake are from what a check compares them with.

    Parameters
    ----------
    mistake : Mistake
    values : dict
        Of `batch`.
    quantities : tuple of str
    own_forward : bool
        Compare with the derivative of the forward pass that has the same mistake.

    Returns
    -------
    float
        The largest difference, relative to the size that the quantity could have.
    """
    found = steps.evaluate(values, mistake.steps, quantities)
    truth = _own(mistake, values) if own_forward else _right(values)
    delta, size = np.abs(values["delta"]), np.abs(values["gamma"] / values["std"]).max()
    sums = delta.sum(axis=0).max() * max(1.0, np.abs(values["x_hat"]).max())
    scales = {"x": delta.max() * size, "gamma": sums, "beta": sums}
    return max(float(np.abs(found[q] - truth[q]).max()) / scales[q] for q in quantities)


def _right(values):
    gradients = batchnorm.backward.bare(values["delta"], values["normalized"], values["gamma"])
    return gradients._asdict()


def _own(mistake, values):
    """Return the derivatives of the forward pass with the mistake, by central differences."""
    kept = {name: values[name] for name in ("running_mean", "running_var")}

    def cost(**changed):
        given = {name: values[name] for name in ("x", "gamma", "beta")} | changed
        v = layer(**given, eps=values["eps"], delta=values["delta"], **kept)
        replaced = {k: f for k, f in mistake.steps.items() if k in ("statistics", "affine")}
        return (values["delta"] * steps.evaluate(v, replaced, ("y",))["y"]).sum()

    return {
        name: central_difference(lambda v, name=name: cost(**{name: v}), values[name])
        for name in ("x", "gamma", "beta")
    }


def catches(check, mistake, M_B=8, seed=0):
    """Say whether a check sees a mistake.

    Parameters
    ----------
    check : Check
    mistake : Mistake
    M_B : int
        Where the check has no batch size of its own.
    seed : int

    Returns
    -------
    bool
    """
    values = batch(check.M_B or M_B, seed, check.upstream, check.gamma, check.eps)
    return difference(mistake, values, check.quantities, check.own_forward) > check.tolerance


class Table:
    """Mistakes and checks: which are caught.

    Attributes
    ----------
    caught : dict of str to dict of str to bool
        By mistake, then by check.
    """

    def __init__(self, caught):
        self.caught = caught

    def missed(self, check):
        """Return the names of the mistakes that a check misses."""
        return [name for name, row in self.caught.items() if not row[check]]

    def __repr__(self):
        lines = [f"{check}: misses {', '.join(self.missed(check)) or 'none'}" for check in USUAL]
        return "\n".join(lines)

    def _repr_html_(self):
        head = "".join(f'<th scope="col">{html.escape(check)}</th>' for check in USUAL)
        rows = "".join(
            f'<tr><th scope="row" style="text-align:left">{html.escape(name)}</th>'
            + "".join(f"<td>{'caught' if seen else '<b>missed</b>'}</td>" for seen in row.values())
            + "</tr>"
            for name, row in self.caught.items()
        )
        return f"<table><thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody></table>"


def table(M_B=8, seed=0):
    """Return which of the gallery's mistakes each usual check catches.

    Parameters
    ----------
    M_B, seed : int
        Of the batch, where a check has no batch size of its own.

    Returns
    -------
    Table
    """
    return Table(
        {
            name: {title: catches(c, MISTAKES[name], M_B, seed) for title, c in USUAL.items()}
            for name in GALLERY
        }
    )
