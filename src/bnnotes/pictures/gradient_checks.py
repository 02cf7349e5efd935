"""The usual gradient checks, which known mistakes they miss, and what review says of each."""

from __future__ import annotations

import html
import re
from typing import NamedTuple

import numpy as np

from .. import batchnorm, digits, network, review, table
from ..review.mistakes import FORWARD, GIVEN, MISTAKES, Layer, derivatives, in_network


class Check(NamedTuple):
    """A gradient check as people write it: its Δ and γ, and what it compares how closely."""

    upstream: str = "random"  # or "ones", "y"
    gamma: str = "random"  # or "ones"
    M_B: int | None = None  # None where the caller chooses
    eps: float = 1e-5
    tolerance: float = 1e-4  # relative to what the gradient could be
    quantities: tuple = ("x", "gamma", "beta")
    own_forward: bool = False  # compared with the forward pass that has the same mistake


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

# One layer, every group of steps, the best known first.
GALLERY = {
    "missing terms": ("missing mean term", "missing x̂ term", "statistics as constants"),
    "wrong factors": (
        "sum for mean in the x̂ term",
        "−1/2 dropped",
        "n − 1 in the variance's gradient only",
        "∂σ²/∂μ counted as non-zero",
    ),
    "wrong statistics": (
        "n − 1 in the variance",
        "n − 1 everywhere",
        "eps outside the root, in both passes",
        "square for square root, in both passes",
        "inference mode",
    ),
    "wrong scale": ("γ left out", "ς for 1/ς", "eps missing in the backward pass"),
    "wrong index": ("x for x̂", "means over the neurons", "means over everything"),
    "wrong sums": ("γ: mean for sum", "γ: x for x̂", "β: times γ", "γ and β swapped"),
}
# Other functions that people choose, each with its right gradient: no check should catch them.
CONVENTIONS = "n − 1 everywhere", "eps outside the root, in both passes"
CHECKED = tuple(name for of in GALLERY.values() for name in of if name not in CONVENTIONS)


def batch(M_B, seed=0, upstream="random", gamma="random", eps=1e-5, n=4):
    """Return the arrays of a random batch as a `Check` draws it, by the names of the book."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(M_B, n)) * rng.uniform(0.5, 3, n) + rng.normal(size=n)
    drawn = rng.uniform(0.5, 2, n) * rng.choice([-1, 1], n)
    beta, delta = rng.normal(size=n), rng.normal(size=(M_B, n))
    return layer(x, np.ones(n) if gamma == "ones" else drawn, beta, eps, delta, upstream)


def layer(x, gamma, beta, eps, delta, upstream="random"):
    """Return the arrays of one layer by the names of the book."""
    y, normalized = batchnorm.forward(x, gamma, beta, eps)
    delta = {"random": delta, "ones": np.ones_like(y), "y": y}[upstream]
    given = {"x": x, "gamma": gamma, "beta": beta, "eps": eps, "delta": delta, "y": y}
    return {**given, "x_hat": normalized.x_hat, "mean": normalized.mean, "std": normalized.std}


def _given(values):
    """Return what is given, with the axis of pixels, and statistics that are not the batch's."""
    var = values["x"].var(axis=0)
    given = {**values, "running_mean": values["mean"] / 2 + 0.25, "running_var": var / 2 + 1.5}
    given = {name: given[name] for name in GIVEN}
    return given | {name: given[name][:, None] for name in ("x", "delta")}


def gradients(values, name=None):
    """Return ∂C/∂x, ∂C/∂γ and ∂C/∂β of such arrays with a known mistake, or the right ones."""
    given = _given(values)
    with np.errstate(all="ignore"):
        return batchnorm.Gradients(*_made(MISTAKES[name].layer(given) if name else Layer(given)))


def _made(layer):
    M_B, _, n = layer["x"].shape
    dx = np.broadcast_to(layer["dx"], (M_B, 1, n))[:, 0]
    return dx, np.reshape(layer["dgamma"], -1), np.reshape(layer["dbeta"], -1)


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


class Caught:
    """Which mistakes which checks catch: ``caught`` by mistake, then by check."""

    def __init__(self, caught):
        self.caught = caught

    def missed(self, check):
        """Return the names of the mistakes that a check misses."""
        return [name for name, row in self.caught.items() if not row[check]]

    def __repr__(self):
        lines = [f"{check}: misses {', '.join(self.missed(check)) or 'none'}" for check in USUAL]
        return "\n".join(lines)

    def _repr_html_(self):
        words = {True: "caught", False: "<b>missed</b>"}
        rows = ([name, *map(words.get, row.values())] for name, row in self.caught.items())
        return table.html(["mistake", *USUAL], *rows)


def caught(M_B=8, seed=0):
    """Return which mistakes of the gallery each usual check catches; `M_B` as in `catches`."""
    return Caught(
        {
            name: {title: bool(catches(c, name, M_B, seed)) for title, c in USUAL.items()}
            for name in CHECKED
        }
    )


def as_reader(name):
    """Return a known mistake as a function that a reader might have written."""

    def wrong(delta, x, gamma, beta, eps, running_mean, running_var):
        given = dict(
            zip(GIVEN, (x, delta, gamma, beta, eps, running_mean, running_var), strict=True)
        )
        return _made(MISTAKES[name].layer(given | {"x": x[:, None], "delta": delta[:, None]}))

    return wrong


class Reviewed:
    """Known mistakes with what review says of them: ``reports`` by mistake."""

    def __init__(self, reports):
        self.reports = reports

    def __repr__(self):
        return "\n".join(f"{name} → {r.diagnosis}" for name, r in self.reports.items())

    def _repr_html_(self):
        return table.html(
            ["mistake", "its formula", "review says", "met in"],
            *(
                (
                    name,
                    "<br>".join(f"<code>{k} = {f}</code>" for k, f in MISTAKES[name].steps.items()),
                    html.escape(report.diagnosis),
                    _links(MISTAKES[name].origin),
                )
                for name, report in self.reports.items()
            ),
        )


def _links(markdown):
    """Return Markdown links as HTML."""
    return re.sub(r"\[([^]]+)\]\(([^)]+)\)", r'<a href="\2">\1</a>', html.escape(markdown))


def reviewed(*names):
    """Hand known mistakes to review, as functions."""
    return Reviewed({name: review.batchnorm_backward(as_reader(name)) for name in names})


def quotient_error(kind, h):
    """Return how far central differences of step h in a format are from the true ∂C/∂x.

    The median of twelve random batches of six, each relative to its largest entry.
    """
    return float(np.median([_quotient_error(kind, h, seed) for seed in range(12)]))


def _quotient_error(kind, h, seed):
    values = batch(6, seed, eps=1e-5)
    x, delta, gamma = (values[name].astype(kind) for name in ("x", "delta", "gamma"))
    found = np.zeros(x.shape)

    def cost(place, step):
        moved = x.copy()
        moved[place] += kind(step)
        centered = moved - moved.mean(axis=0)
        std = np.sqrt((centered * centered).mean(axis=0) + kind(values["eps"]))
        return float((delta * gamma * centered / std).sum()), float(moved[place])

    for place in np.ndindex(x.shape):
        (above, right), (below, left) = cost(place, h), cost(place, -h)
        found[place] = (above - below) / (right - left)
    exact = gradients(values).x
    return np.abs(found - exact).max() / np.abs(exact).max()


class Trained(NamedTuple):
    """What a mistake does to a network."""

    off: float  # length of wrong − right over that of the right gradient, at the first step
    accuracy: float  # on digits that were held out


def trained(name=None, *, seed=0, epochs=5):
    """Train the digits network with a mistake in its gradients, or with the right ones.

    64 → 32 ReLU → ten sigmoid outputs, batches of 32, a learning rate of 0.3.
    """
    replaced = MISTAKES[name].steps if name else {}
    if "running_mean" in replaced.values():
        raise ValueError(
            f"name: got {name!r}, whose stored statistics a network in training does not have; "
            "wanted a mistake in the statistics of a batch"
        )
    data, rng, off = digits.load("ten"), np.random.default_rng(seed), None
    net = network.create([64, 32, 10], batch_norm=True, activation="relu", rng=rng)
    for _ in range(epochs):
        for batch in network.batches(len(data.psi), 32, rng):
            values = {"network": net, "psi": data.psi[batch], "phi": data.phi[batch]}
            found = in_network(values, replaced)
            if off is None:
                off = _off(found, in_network(values, {}))
            _descend(net, found, 0.3)
    return Trained(off, digits.accuracy(network.predict(net, data.psi_test), data.phi_test))


def _off(wrong, right):
    wrong, right = (
        np.concatenate([g.ravel() for name, g in v.items() if name != "cost"])
        for v in (wrong, right)
    )
    return float(np.linalg.norm(wrong - right) / np.linalg.norm(right))


def _descend(net, gradients, rate):
    for l, each in enumerate(net.layers, 1):
        for kind, array in vars(each).items():
            setattr(each, kind, array - rate * gradients[f"{kind}{l}"])
