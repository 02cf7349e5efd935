"""The gallery of chapter 7: what review says of mistakes, and how far they get in training."""

from __future__ import annotations

import html
import re

import numpy as np

from .. import digits, network
from . import steps, subjects, whole
from .cases import layer
from .examine import examine
from .known import MISTAKES


def as_reader(name):
    """Return a known mistake as a function that a reader might have written.

    Parameters
    ----------
    name : str
        A key of `bnnotes.review.known.MISTAKES` that one layer can have.

    Returns
    -------
    callable
        Returns ∂C/∂x, ∂C/∂γ and ∂C/∂β.
    """
    replaced = MISTAKES[name].steps

    def wrong(delta, x, gamma, beta, eps, running_mean, running_var):
        more = {"running_mean": running_mean, "running_var": running_var}
        values = {**layer(x, gamma, beta, eps, delta), **more}
        found = steps.evaluate(values, replaced, ("x", "gamma", "beta"))
        return found["x"], found["gamma"], found["beta"]

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
        Keys of `bnnotes.review.known.MISTAKES` that one layer can have.

    Returns
    -------
    Gallery
    """
    return Gallery({n: examine(as_reader(n), subjects.BATCHNORM_BACKWARD) for n in names})


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
            _descend(net, whole.NETWORK.evaluate(values, replaced), 0.3)
    return digits.accuracy(network.predict(net, data.psi_test), data.phi_test)


def _descend(net, gradients, rate):
    for l, each in enumerate(net.layers, 1):
        for kind, array in vars(each).items():
            setattr(each, kind, array - rate * gradients[f"{kind}{l}"])
