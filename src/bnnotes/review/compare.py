"""Compare what came back with the truth, in every case.

The truth is the derivative of the reader's own forward pass where there is
one, and beside it the closed form of the book.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from .. import network
from .mistakes import (
    BASELINE,
    BATCH,
    FORWARD,
    MISTAKES,
    Case,
    Layer,
    cases,
    completed,
    evaluated,
    layer,
    network_cases,
    values_given,
)
from .names import OFFERED

TIGHT, LOOSE = 1e-9, 1e-6  # relative to what a quantity could be
TOLERANCE = {"float32": 1e-5, "large mean": 1e-5}


class Evidence(NamedTuple):
    """One case with what came back."""

    case: object
    outcome: object
    truth: dict
    scales: dict  # the size that each quantity could have: at M_B = 2 the true ∂C/∂x is 0

    @property
    def found(self):
        """What came back, by quantity."""
        return self.outcome.found

    def off(self, name, predicted, open_=False):
        """Return how far what came back is from an array, relative to its scale.

        With `open_`, an entry that is not defined may be anything.
        """
        return off(self.found[name], predicted, self.scales[name], open_)

    def error(self, name):
        """Return how far what came back is from the truth."""
        return self.off(name, self.truth[name])

    @property
    def tolerance(self):
        """How far it may be."""
        return TOLERANCE.get(self.case.kind, LOOSE)

    @property
    def wrong(self):
        """The quantities that differ from the truth."""
        return [q for q in self.found if not self.error(q) <= self.tolerance]


def off(found, predicted, scale, open_=False):
    """Return the largest difference relative to a scale; not a number twice is no difference."""
    predicted = np.reshape(predicted, found.shape)
    with np.errstate(all="ignore"):
        finite = np.isfinite(predicted)
        if not finite.all():
            if not open_ and (np.isfinite(found) != finite).any():
                return np.inf
            found, predicted = found[finite], predicted[finite]
        difference = float(np.abs(found - predicted).max(initial=0.0))
        largest = float(np.abs(predicted).max(initial=0.0))
    return difference / max(scale, largest, 1e-300) if np.isfinite(difference) else np.inf


def truth_of(values, wanted, steps=None, own=False):
    """Return the wanted quantities in float64, in the shapes of the book."""
    given = {
        k: v.astype(float) if getattr(v, "dtype", None) == np.float32 else v
        for k, v in values_given(values).items()
    }
    with np.errstate(all="ignore"):
        made = evaluated(given, steps or {}, own)
        return {q: shaped(q, made[q], given) for q in wanted}


def shaped(name, array, given):
    """Return what a formula gives in the shape of the book."""
    if name in ("dx", "y", "x_hat"):
        return np.broadcast_to(array, given["x"].shape)
    if name in ("dgamma", "dbeta", "db", "mean", "std", "var"):
        n = given["x"].shape[-1]
        return (
            np.broadcast_to(np.asarray(array), (1, 1, n)).reshape(n)
            if np.size(array) in (1, n)
            else np.full(n, np.nan)
        )
    return array


def scales_of(values, wanted):
    """Return the size that each quantity could have."""
    with np.errstate(all="ignore"):
        delta = np.abs(values["delta"]).astype(float)
        slope = np.abs(values["gamma"] / values["std"])
        x_hat = np.abs(values["x_hat"])
        largest = float(delta.max())
        summed = float(delta.sum(axis=(0, 1)).max())
        bound = largest * _finite_max(slope)
        found = {
            "dx": bound,
            "dgamma": max(float(np.nan_to_num((delta * x_hat).sum(axis=(0, 1))).max()), largest),
            "dbeta": summed,
            "db": summed,
            "y": _finite_max(np.abs(values["gamma"])) * _finite_max(x_hat)
            + _finite_max(np.abs(values["beta"])),
        }
        for name in {"x_hat", "mean", "std", "var"} & set(wanted):
            found[name] = _finite_max(np.abs(values[name]))
        if "u_prev" in values:
            found["dW"] = bound * len(delta) * float(np.abs(values["u_prev"]).max())
            found["below"] = bound * float(np.abs(values["W"]).sum(axis=0).max())
    return {q: found[q] or 1.0 for q in wanted}


def _finite_max(array):
    array = np.asarray(array, float)
    return float(array[np.isfinite(array)].max(initial=0.0)) or 1.0


class Subject(NamedTuple):
    """One thing that can be reviewed."""

    name: str  # of the public door
    wanted: tuple  # the quantities that the reader's function may return, in this order
    made: object = layer  # makes a batch: `layer` or `dense` of `cases`
    offered: frozenset = frozenset(OFFERED)  # what its arguments may be
    kind: object = BATCH  # of normalization
    optional: tuple = ()  # quantities that are reviewed where they come under their name

    def batch(self, *args, **more):
        """Return the values of one batch; see `layer` and `dense` of `mistakes`."""
        return self.made(*args, **{"n": self.kind.widths[0], **more}, kind=self.kind)

    @property
    def forward(self):
        """The door of the forward pass that belongs to a backward pass."""
        return f"review.{self.name.replace('_back', '_for')}"

    @property
    def mistakes(self):
        """The known mistakes that can be made here."""
        return _mistakes(self.kind, self.wanted, self.made is not layer)

    def look(self, way, named=False):
        """Return the `Found` of a way in the first case, or why it failed.

        With `named`, None where the forward pass is none that has a name.
        """
        n = {"n": way.n} if way.n else {}
        M, P = 5, way.form.layout.pixels[0] * way.form.layout.pixels[1]
        if P > 1 and way.has_forward:
            M = 3
        values = self.batch(45, M, P, eps=0.1, **n)
        case = Case("first", "plain", values)
        outcome = way.backward(values)
        if outcome.trouble and self.made is not layer:
            # A square layer lets W through where Wᵀ belongs.
            values = self.batch(45, M, P, eps=0.1, n_prev=values["W"].shape[0])
            case, outcome = Case("first", "plain", values), way.backward(values)
        if outcome.trouble and not (way.has_forward and outcome.y is not None):
            return outcome.trouble
        ones = not way.gamma_taken and bool({"dx", "y", "dW", "below"} & set(self.wanted))
        ones = ones and self.kind is not BASELINE
        if ones:
            values = without_gamma(values)
            outcome = way.backward(values)
        forward, candidates, eps, unused = None, (), None, False
        if way.has_forward and outcome.y is not None:
            eps, unused, forward = _of_forward(way, values, outcome, self.wanted != ("y",))
            if self.wanted == ("y",):
                candidates, forward = (eps, 0.0), None
        elif "dx" in self.wanted:
            eps, unused, candidates = _of_backward(way, values, outcome)
        if named and forward is not None and forward.steps is None:
            return None
        if eps is not None:
            case = case._replace(values=values).with_eps(eps, unused)
            outcome = way.backward(case.values) if not way.has_forward else outcome
        else:
            case = case._replace(values=values)
        truth, scales = self.truth(way, case, forward)
        evidence = Evidence(case, outcome, truth, scales)
        return Found(way, case, evidence, eps, tuple(candidates), unused, ones, forward)

    def truth(self, way, case, forward):
        """Return the truth of a case, and the scales."""
        wanted = (*self.wanted, *self.optional)
        if forward is None:
            truth = truth_of(case.values, wanted)
        elif forward.steps is None:
            truth = numerical(way, case.values) or truth_of(case.values, self.wanted)
            truth = {q: shaped(q, truth[q], case.values) for q in self.wanted}
        else:
            truth = truth_of(case.values, self.wanted, forward.steps, own=True)
        return truth, scales_of(case.values, wanted)

    def cases(self, found, few=False):
        """Return the cases for a way, with the ε that it has."""
        way = found.way
        every = cases(self.made, way.form.layout, way.n, self.kind)
        if self.kind is BASELINE:
            # Where M_B = n, no shape tells ∂C/∂W from Δ of the layer below.
            told = [c for c in every if len(c.values["x"]) != c.values["x"].shape[-1]]
            every = [c for c in told if c.kind != "constant"]
        kept = []
        for case in every:
            if found.forward and case.kind in ("constant", "one", "width"):
                continue
            if found.eps is not None:
                if case.kind in ("constant", "one") and not found.eps:
                    continue
                case = case.with_eps(found.eps, found.unused)
                # As it was made: float32 stays float32.
                case = case._replace(name=case.name.split(", eps")[0])
            if found.ones:
                case = case._replace(values=without_gamma(case.values))
            kept.append(case)
        names = [c.name for c in kept]
        kept = [c for k, c in enumerate(kept) if c.name not in names[:k]]
        return kept[:6] if few else kept

    def gather(self, found, few=False):
        """Return the `Evidence` of all cases."""
        evidence = []
        for case in self.cases(found, few):
            if found.forward and found.forward.steps is None and case.name != "M_B = 3":
                continue
            outcome = found.way.backward(case.values)
            if case.kind == "one" and (outcome.trouble or outcome.shapes):
                continue
            truth, scales = self.truth(found.way, case, found.forward)
            evidence.append(Evidence(case, outcome, truth, scales))
        positive = [e for e in evidence if e.case.values["eps"]]
        refused = all(e.outcome.trouble for e in evidence if not e.case.values["eps"])
        return positive if positive and refused and found.way.eps_taken else evidence


@functools.cache
def _mistakes(kind, wanted, dense):
    touched = {*wanted, *FORWARD}
    if {"dx", "dW", "below"} & touched:
        touched |= {"error", "bracket", "scale", "dx"}
    made = filter(None, map(kind.has, MISTAKES.values()))
    return [
        m
        for m in made
        if touched & m.steps.keys() and "output" not in m.steps and (dense or not needs_dense(m))
    ]


def needs_dense(mistake):
    text = " ".join(mistake.steps.values())
    return any(word in text for word in ("_prev", "W", "g_prime", "outer"))


def without_gamma(values):
    """Return the same layer with γ = 1 and β = 0."""
    gamma = np.ones_like(values["gamma"])
    return Layer({**values_given(values), "gamma": gamma, "beta": 0 * gamma})


# Truth by differences.


def numerical(way, values):
    """Return the derivatives of C = ΣΔ y of the reader's forward pass, or None where it fails.

    Central differences with steps h and h/2, and Richardson's combination of both.
    """
    delta = values["delta"]

    def cost(**changed_):
        y, trouble = way.forward(Layer({**values_given(values), **changed_}))
        return np.nan if trouble else float((delta * y).sum())

    def slope(name, base, index, step):
        ends = []
        for sign in (1, -1):
            moved = base.copy()
            moved[index] += sign * step
            ends.append((cost(**{name: moved}), moved[index]))
        return (ends[0][0] - ends[1][0]) / (ends[0][1] - ends[1][1])

    found = {}
    for name, h in (("x", 4e-3), ("gamma", 0.05), ("beta", 0.05)):
        base = np.asarray(values[name], float)
        slopes = found["d" + name] = np.empty(base.shape)
        for index in np.ndindex(base.shape):
            half, full = (slope(name, base, index, step) for step in (h / 2, h))
            slopes[index] = (4 * half - full) / 3
    return found if all(np.isfinite(v).all() for v in found.values()) else None


# ε.


def without_variance(way, values):
    """Return what may be the ε that a backward pass has built in.

    Where x does not vary and Δ has no mean along any axis, only ε is left:
    ∂C/∂x = γΔ/√ε.
    """
    kind = values.get("kind", BATCH)
    x = np.full_like(values["x"], 0.75 * kind.centers)
    noise = np.random.default_rng(5).normal(size=x.shape)
    for axis in range(3):
        if x.shape[axis] > 1:
            noise = noise - noise.mean(axis=axis, keepdims=True)
    noise = noise - kind.avg(noise)
    n = x.shape[-1]
    given = {**values_given(values), "x": x, "delta": noise, "gamma": np.ones(n)}
    given |= {"running_mean": np.full(n, 0.75), "running_var": np.zeros(n), "eps": 0.1}
    # Of the backward pass alone: what a forward pass would have kept at ε = 0.
    given |= {"x_hat": np.zeros_like(x), "y": np.zeros_like(x) + values["beta"]}
    found = way.backward(Layer(given)).found.get("dx")
    if found is None or not np.isfinite(found).all():
        return [0.0]
    slope = float((found * noise).sum() / max((noise * noise).sum(), 1e-300))
    if not slope > 1e-6 or np.abs(found - slope * noise).max() > 1e-6 * np.abs(found).max():
        return [0.0]
    return [tidy(slope**-2), tidy(1 / slope), tidy(slope**-0.5), 0.0]


def of_output(y, values, steps=None, inside=True):
    """Return the ε that the reader's own y has, or None: (γ(x − μ)/(y − β))² − σ²."""
    given = values_given(values)
    made = Layer(given, steps)
    shift = Layer({**given, "x_hat": 0.0}, steps)["y"]
    slope = Layer({**given, "x_hat": 1.0}, steps)["y"] - shift
    with np.errstate(all="ignore"):
        std, var = slope * made["centered"] / (y - shift), made["var"]
        found = np.broadcast_to(std**2 - var if inside else std - np.sqrt(var), y.shape)
        weight = np.abs(np.broadcast_to(made["centered"], y.shape))
    found = found[np.isfinite(found) & (weight > 0.3 * weight.max())]
    # No number is within 1e-6 of all of them: the median is not needed to see that.
    if not len(found) or np.ptp(found) > 2e-6 * max(1.0, np.abs(found).max()):
        return None
    middle = float(np.median(found))
    if np.abs(found - middle).max() > 1e-6 * max(1.0, abs(middle)) or middle < -1e-9:
        return None
    return tidy(max(middle, 0.0) if middle > 1e-13 else 0.0)


def tidy(eps, relative=1e-5, absolute=1e-13):
    """Return ε with as few digits as it was meant to have."""
    short = float(f"{eps:.3g}") if np.isfinite(eps) else 0.0
    return short if abs(short - eps) <= relative * eps + absolute else eps


# The walk: every way of calling, the first case, then all cases.


class Found(NamedTuple):
    """A way of calling that gave something, and how it went in the first case."""

    way: object
    case: object
    evidence: object
    eps: object  # built in, or None
    candidates: tuple
    unused: bool
    ones: bool
    forward: object = None


class Forward(NamedTuple):
    """A forward pass that is not the book's: its name and steps; no steps where it is unknown."""

    name: str
    says: str
    steps: dict | None


@functools.cache
def _forwards(kind):
    """Return the known mistakes of a forward pass: those that are meant, and those that are not."""
    every = [m for m in map(kind.has, MISTAKES.values()) if m and not needs_dense(m)]
    rest = [m for m in every if not m.other and m.steps.keys() <= set(FORWARD)]
    return [m for m in every if m.other] + rest


def _of_forward(way, values, outcome, named):
    """Return the ε of a forward pass, whether the ε it takes is unused, and what else it is."""
    y, unused, eps = outcome.y, False, None
    if way.eps_taken:
        other, _ = way.forward(Layer({**values_given(values), "eps": 3.0}))
        unused = other is not None and off(other, y, 1.0) < 1e-12
    built_in = unused or not way.eps_taken
    scale = float(np.abs(y).max()) or 1.0
    eps = of_output(y, values) if built_in else values["eps"]
    if built_in and eps and eps < 1e-3:
        # Where the variance is as small as ε, ε has all its digits.
        small = Layer({**values_given(values), "x": values["x"] * eps**0.5})
        again, _ = way.forward(small)
        eps = (again is not None and of_output(again, small)) or eps
    if eps is not None and off(y, Layer({**values_given(values), "eps": eps})["y"], scale) < TIGHT:
        return (eps if built_in else None), unused, None
    eps, found = 0.0, Forward("", "", None)
    if named:
        gamma_one = bool((values["gamma"] == 1).all())
        known = _known_forward(
            values["kind"], y.shape, gamma_one, built_in, y.astype(float).tobytes()
        )
        eps, found = known or (eps, found)
    return (eps if built_in else None), unused, found


@functools.lru_cache(maxsize=64)  # many ways of calling give the same y
def _known_forward(kind, shape, gamma_one, built_in, y):
    """Return the ε and the `Forward` of what gave y in the first case, or None."""
    values = layer(45, *shape, eps=0.1, kind=kind)
    values = without_gamma(values) if gamma_one else values
    given, y = values_given(values), np.frombuffer(y).reshape(shape)
    scale = float(np.abs(y).max()) or 1.0
    for row in _forwards(kind):
        options = [values["eps"]]
        if built_in:
            options = [of_output(y, values, row.steps), 0.0]
            options.append(of_output(y, values, row.steps, inside=False))
        for option in options:
            if option is None:
                continue
            with np.errstate(all="ignore"):
                made = Layer({**given, "eps": option}, row.steps)["y"]
            if np.shape(made) == shape and off(y, made, scale) < TIGHT:
                return option, Forward(row.name, row.other or row.says, row.steps)
    return None


def _of_backward(way, values, outcome):
    """Return the ε built into a backward pass, whether the one it takes is unused, candidates."""
    if way.statistics_given or "dx" not in outcome.found:
        return None, False, ()
    unused = False
    if way.eps_taken:
        other = Layer(dict(values))
        other["eps"] = 3.0
        again = way.backward(other).found
        unused = again.keys() == outcome.found.keys() and all(
            np.array_equal(again[q], outcome.found[q], equal_nan=True) for q in again
        )
        if not unused:
            return None, False, ()
    candidates = without_variance(way, values)
    return candidates[0], unused, candidates


class Network(Subject):
    """The cost and all gradients of a network."""

    @property
    def batch_norm(self):
        """Whether its layers normalize."""
        return self.kind is BATCH

    @property
    def mistakes(self):
        """The known mistakes that can be made in every layer."""
        steps = {"output", "dW", "below"} | (set() if self.batch_norm else {"db"})
        rows = [m for m in map(BATCH.has, MISTAKES.values()) if m and not m.other]
        # A network keeps no running statistics.
        rows = [m for m in rows if "running" not in "".join(m.steps.values())]
        return [m for m in rows if self.batch_norm or m.steps.keys() <= steps]

    def look(self, way, named=False):
        """Return the `Found` of a way in the first case, or why it failed."""
        case, eps = network_cases(self.batch_norm)[0], None
        if self.batch_norm and not {"eps", "network"} & set(way.roles.values()):
            eps = _of_cost(way, case.values)
        found = Found(way, case, None, eps, (), False, False)
        evidence = self.evidence(case, found)
        return evidence.outcome.trouble or found._replace(evidence=evidence)

    def gather(self, found, few=False):
        """Return the `Evidence` of all cases."""
        every = network_cases(self.batch_norm)
        # With ε = 0 built in, as in the source, one sample has no x̂.
        kept = [c for c in every if found.eps != 0 or len(c.values["psi"]) > 1]
        return [self.evidence(case, found) for case in kept]

    def evidence(self, case, found):
        """Return the `Evidence` of one case."""
        given, net = case.values, found.way.network(case.values, found.eps)
        case = case._replace(values=completed(net, given["psi"], given["phi"]))
        cost, gradients = network.cost_and_gradients(net, given["psi"], given["phi"])
        truth = {"cost": np.asarray(cost)}
        for l, gradient in enumerate(gradients, 1):
            truth |= {f"{kind}{l}": array for kind, array in vars(gradient).items()}
        largest = max(float(np.abs(array).max()) for q, array in truth.items() if q != "cost")
        scales = dict.fromkeys(truth, largest) | {"cost": max(1.0, float(cost))}
        return Evidence(case, found.way.backward(case.values), truth, scales)


def _of_cost(way, given):
    """Return the ε that a network has built in: with it the cost is the reader's."""
    found = way.backward(given).found.get("cost")
    if found is None:
        return 0.0

    def apart(eps):
        net = way.network(given, eps)
        return network.cost_and_gradients(net, given["psi"], given["phi"])[0] - float(found)

    eps = 1e-5
    for _ in range(20):
        slope = (apart(eps * 1.001 + 1e-12) - apart(eps)) / (eps * 0.001 + 1e-12)
        step = apart(eps) / slope if slope else 0.0
        eps = max(eps - step, 0.0) if abs(step) < 1 else eps
        if abs(step) < 1e-13:
            break
    return tidy(eps, 1e-3, 1e-11) if eps > 1e-11 else 0.0
