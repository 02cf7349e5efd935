"""The usual gradient checks, which known mistakes they miss, and what review says of each."""

from __future__ import annotations

import html
import re
from typing import NamedTuple

import numpy as np

from .. import batchnorm, digits, network, review
from ..review import whole
from ..review.mistakes import FORWARD, GIVEN, MISTAKES, Layer, derivatives


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
    "ς for 1/ς",
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
    """Return the arrays of a random batch as a gradient check draws it, by the names of the book.

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
    """
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(M_B, n)) * rng.uniform(0.5, 3, n) + rng.normal(size=n)
    drawn = rng.uniform(0.5, 2, n) * rng.choice([-1, 1], n)
    beta, delta = rng.normal(size=n), rng.normal(size=(M_B, n))
    values = layer(x, np.ones(n) if gamma == "ones" else drawn, beta, eps, delta)
    if upstream != "random":
        values["delta"] = values["y"] if upstream == "y" else np.ones_like(x)
    return values


def layer(x, gamma, beta, eps, delta):
    """Return the arrays of one layer by the names of the book."""
    y, normalized = batchnorm.forward(x, gamma, beta, eps)
    given = {"x": x, "gamma": gamma, "beta": beta, "eps": eps, "delta": delta, "y": y}
    return {**given, "x_hat": normalized.x_hat, "mean": normalized.mean, "std": normalized.std}


def _given(values):
    """Return what is given, with the axis of pixels, and statistics that are not the batch's."""
    var = values["x"].var(axis=0)
    given = {**values, "running_mean": values["mean"] / 2 + 0.25, "running_var": var / 2 + 1.5}
    given = {name: given[name] for name in GIVEN}
    return given | {name: given[name][:, None] for name in ("x", "delta")}


def gradients(values, name=None):
    """Return ∂C/∂x, ∂C/∂γ and ∂C/∂β with a known mistake, or the right ones.

    Parameters
    ----------
    values : dict
        Of `batch`.
    name : str, optional
        Of the mistake.

    Returns
    -------
    Gradients
    """
    given = _given(values)
    made = MISTAKES[name].layer(given) if name else Layer(given)
    with np.errstate(all="ignore"):
        return batchnorm.Gradients(
            x=np.broadcast_to(made["dx"], given["x"].shape)[:, 0],
            gamma=np.reshape(made["dgamma"], -1),
            beta=np.reshape(made["dbeta"], -1),
        )


def difference(name, values, quantities=("x", "gamma", "beta"), own_forward=False):
    """Return how far the gradients with a mistake are from what a check compares them with.

    With `own_forward` that is the derivative of the forward pass with the same mistake. The
    difference is relative to the size that the quantity could have.
    """
    found = gradients(values, name)._asdict()
    truth = _own(name, values) if own_forward else gradients(values)._asdict()
    delta, size = np.abs(values["delta"]), np.abs(values["gamma"] / values["std"]).max()
    sums = delta.sum(axis=0).max() * max(1.0, np.abs(values["x_hat"]).max())
    scales = {"x": delta.max() * size, "gamma": sums, "beta": sums}
    return max(float(np.abs(found[q] - truth[q]).max()) / scales[q] for q in quantities)


def _own(name, values):
    """Return the derivatives of the forward pass with the mistake, by the complex step."""
    forward = {step: f for step, f in MISTAKES[name].steps.items() if step in FORWARD}
    found = derivatives(_given(values), forward)
    return {"x": found["dx"][:, 0], "gamma": found["dgamma"], "beta": found["dbeta"]}


def catches(check, name, M_B=8, seed=0):
    """Say whether a check sees a mistake; `M_B` is for checks without a batch size of their own."""
    values = batch(check.M_B or M_B, seed, check.upstream, check.gamma, check.eps)
    return difference(name, values, check.quantities, check.own_forward) > check.tolerance


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

    `M_B` is for checks without a batch size of their own.
    """
    return Table(
        {
            name: {title: catches(c, name, M_B, seed) for title, c in USUAL.items()}
            for name in GALLERY
        }
    )


def as_reader(name):
    """Return a known mistake as a function that a reader might have written.

    Parameters
    ----------
    name : str
        A key of `bnnotes.review.mistakes.MISTAKES` that one layer can have.

    Returns
    -------
    callable
        Returns ∂C/∂x, ∂C/∂γ and ∂C/∂β.
    """

    def wrong(delta, x, gamma, beta, eps, running_mean, running_var):
        given = dict(
            zip(GIVEN, (x, delta, gamma, beta, eps, running_mean, running_var), strict=True)
        )
        made = MISTAKES[name].layer(given | {"x": x[:, None], "delta": delta[:, None]})
        dx = np.broadcast_to(made["dx"], (len(x), 1, x.shape[1]))[:, 0]
        return dx, np.reshape(made["dgamma"], -1), np.reshape(made["dbeta"], -1)

    return wrong


class Gallery:
    """Known mistakes with what review says of them, shown as a table.

    Attributes
    ----------
    reports : dict of str to Report
    """

    def __init__(self, reports):
        self.reports = reports

    def __repr__(self):
        return "\n".join(f"{name} → {r.diagnosis}" for name, r in self.reports.items())

    def _repr_html_(self):
        rows = "".join(
            f'<tr><th scope="row" style="text-align:left">{html.escape(name)}</th>'
            f'<td style="text-align:left">{html.escape(report.diagnosis)}</td>'
            f'<td style="text-align:left">{_links(MISTAKES[name].origin)}</td></tr>'
            for name, report in self.reports.items()
        )
        head = "".join(
            f'<th scope="col" style="text-align:left">{t}</th>'
            for t in ("mistake", "review says", "met in")
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _links(markdown):
    """Return Markdown links as HTML."""
    return re.sub(r"\[([^]]+)\]\(([^)]+)\)", r'<a href="\2">\1</a>', html.escape(markdown))


def reviewed(*names):
    """Review known mistakes.

    Parameters
    ----------
    *names : str
        Keys of `bnnotes.review.mistakes.MISTAKES` that one layer can have.

    Returns
    -------
    Gallery
    """
    return Gallery({name: review.batchnorm_backward(as_reader(name)) for name in names})


def trained_accuracy(name=None, *, seed=0, epochs=5):
    """Return the held-out accuracy of the digits network trained with a mistake in its gradients.

    64 → 32 ReLU → ten sigmoid outputs, batches of 32, a learning rate of 0.3.

    Parameters
    ----------
    name : str, optional
        Of the mistake; None for the right gradients.
    seed : int
        Of the weights and the shuffles.
    epochs : int

    Returns
    -------
    float
    """
    data, rng = digits.load("ten"), np.random.default_rng(seed)
    net = network.create([64, 32, 10], batch_norm=True, activation="relu", rng=rng)
    replaced = MISTAKES[name].steps if name else {}
    for _ in range(epochs):
        for batch in network.batches(len(data.psi), 32, rng):
            values = {"network": net, "psi": data.psi[batch], "phi": data.phi[batch]}
            _descend(net, whole.evaluate(values, replaced), 0.3)
    return digits.accuracy(network.predict(net, data.psi_test), data.phi_test)


def _descend(net, gradients, rate):
    for l, each in enumerate(net.layers, 1):
        for kind, array in vars(each).items():
            setattr(each, kind, array - rate * gradients[f"{kind}{l}"])
