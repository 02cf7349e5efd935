"""Review of a whole network's cost and gradients."""

from __future__ import annotations

import copy
import functools
import re
from collections.abc import Mapping

import numpy as np

from .. import baseline, network
from ..activations import BY_NAME
from . import call, names
from .compare import LOOSE, Evidence, Found, Subject
from .diagnose import Search, Verdict, factor
from .mistakes import BATCH, FEATURES, LAYOUTS, MISTAKES, SAMPLES, Case, Layer
from .report import reported

NAMES = {
    "network": "network net model",
    "layers": "layers params parameters theta",
    "Ws": "ws w weights",
    "gammas": "gammas gamma",
    "betas": "betas beta",
    "bs": "bs b biases",
    "psi": "psi ψ x xs input inputs data xbatch u0",
    "phi": "phi φ t target targets label labels y ys ybatch onehot",
    "eps": "eps epsilon ε",
    "activation": "activation act",
}
LISTS = {"Ws": "W", "gammas": "gamma", "betas": "beta", "bs": "b"}
SIZES, SQUARE = (6, 5, 4, 3), (5, 4, 4, 4)
BELOW = ("gamma_prev", "std_prev", "x_hat_prev")
BASELINE = {"y": "x + b", "bracket": "delta", "scale": "1"}


class LayerDict(dict):
    """The parameters of a layer, as a dict and by attribute."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def values(seed, M_B, batch_norm, eps=0.0, activation="tanh", sizes=SIZES, soft=False):
    """Return a network of random parameters, inputs and labels; `soft` ones between 0 and 1."""
    rng = np.random.default_rng(seed)
    net = network.create(sizes, batch_norm=batch_norm, activation=activation, eps=eps, rng=rng)
    for each in net.layers:
        for name, value in vars(each).items():
            if name != "W":
                sign = rng.choice([-1.0, 1.0], value.shape)
                value = sign * rng.uniform(0.5, 1.5, value.shape)
            setattr(each, name, np.round(value, 2))
    phi = rng.uniform(size=(M_B, sizes[-1]))
    return complete(net, np.round(rng.normal(size=(M_B, sizes[0])), 2), np.round(phi, 2 * soft))


def complete(net, psi, phi):
    """Return what a function of a network may ask for."""
    kinds = vars(net.layers[0])
    return {
        "network": net,
        "layers": [LayerDict(vars(each)) for each in net.layers],
        **{k: [vars(each)[v] for each in net.layers] for k, v in LISTS.items() if v in kinds},
        **{"psi": psi, "phi": phi, "eps": net.eps, "activation": net.activation},
        **{"M_B": len(psi), "N": len(psi), "n": psi.shape[1], "P": 1},
    }


@functools.cache
def cases(batch_norm):
    """Return the cases that cannot mask a mistake."""
    eps = 0.1 if batch_norm else 0.0
    found = [("M_B = 5", 5, 5, {"eps": eps}), ("M_B = 3", 3, 3, {}), ("M_B = 2", 2, 2, {})]
    found += [("M_B = 32", 32, 32, {"eps": eps}), ("square layers", 70, 5, {"sizes": SQUARE})]
    found += [("soft labels", 71, 5, {"soft": True, "eps": eps})]
    found += [("relu, two layers", 72, 5, {"sizes": SIZES[1:], "activation": "relu", "eps": eps})]
    found += [("M_B = 130", 73, 130, {"eps": eps})]
    return [Case(name, "plain", values(s, M, batch_norm, **more)) for name, s, M, more in found]


def truth(given):
    """Return the cost and all gradients by quantity."""
    cost, gradients = network.cost_and_gradients(given["network"], given["psi"], given["phi"])
    found = {"cost": np.asarray(cost)}
    for l, gradient in enumerate(gradients, 1):
        found |= {f"{kind}{l}": array for kind, array in vars(gradient).items()}
    return found


def evaluate(given, steps, batch_norm=True):
    """Return the cost and all gradients with some steps replaced in every layer."""
    net, u = given["network"], given["psi"][:, None]
    base = {} if batch_norm else BASELINE
    here = {k: f for k, f in steps.items() if not any(name in f for name in BELOW)}
    layers, below = [], None
    for each, activation in zip(net.layers, net.activations, strict=True):
        made = {**vars(each), "x": u @ each.W.T, "u_prev": u, "eps": net.eps}
        made |= {
            f"{k}_prev": below[k]
            for k in ("gamma", "std", "x_hat", "y")
            if below is not None and (batch_norm or k == "y")
        }
        if below is not None:
            made["g_prime"] = net.activations[len(layers) - 1].g_prime(below["y"])
        layers.append(below := Layer(made, {**base, **here}))
        u = activation.g(below["y"])
    phi = given["phi"][:, None]
    last = {
        "u": u,
        "phi": phi,
        "M_B": len(phi),
        "g_prime_out": net.activations[-1].g_prime(below["y"]),
    }
    found = {"cost": np.asarray(baseline.cross_entropy_from_logits(below["y"][:, 0], given["phi"]))}
    delta = Layer(last, steps)["output"]
    for l in reversed(range(len(layers))):
        own = {k: f for k, f in here.items() if l or ("g_prime" not in f and "y_prev" not in f)}
        v = Layer({**layers[l], "delta": delta}, {**base, **own})
        for kind in vars(net.layers[l]):
            found[f"{kind}{l + 1}"] = v["d" + kind].reshape(vars(net.layers[l])[kind].shape)
        if l:
            # What needs the layer below is a mistake in passing the error on to it.
            delta = Layer({**layers[l], "delta": delta}, {**base, **steps})["below"]
    return found


class NetworkWay(call.Way):
    """A function of a network, and how it wants its arrays."""

    def __init__(self, f, roles, layout, transposed, activation, kinds):
        self.f, self.roles, self.kinds = f, roles, kinds
        self.form = call.Form(layout, transposed=transposed)
        self.activation, self.taken = activation, {}
        self.how = f"called as {names.name_of(f)}({', '.join(roles)})"
        if activation:
            self.how += f"; its activation is {activation}"

    def turned(self, kind, array):
        turn = array.T if kind == "W" and self.form.transposed else array
        if kind != "W" and self.form.layout is FEATURES:
            turn = turn[:, None]
        return turn.copy()

    def inputs(self, given):
        found = {}
        for name, role in self.roles.items():
            value = given[role]
            if role in ("psi", "phi"):
                found[name] = (value.T if self.form.layout is FEATURES else value).copy()
            elif role in LISTS:
                found[name] = [self.turned(LISTS[role], array) for array in value]
            elif role == "layers":
                found[name] = [
                    LayerDict((k, self.turned(k, v)) for k, v in each.items()) for each in value
                ]
            else:
                found[name] = copy.deepcopy(value)
        return found

    def backward(self, given):
        passed = self.inputs(given)
        returned, trouble = call.guarded(self.f, **passed)
        if trouble:
            return call.Outcome({}, trouble=trouble)
        try:
            return call.Outcome(self.read(returned, given))
        except ValueError as error:
            return call.Outcome({}, trouble=str(error))

    def read(self, returned, given):
        """Return the cost and the gradients by quantity, in the shapes of the book."""
        cost, entries = read(returned, self.kinds, len(given["network"].layers))
        found = {} if cost is None else {"cost": call.as_array(cost).astype(float).reshape(())}
        for l, (entry, each) in enumerate(zip(entries, given["network"].layers, strict=True), 1):
            for kind in self.kinds:
                array, want = call.as_array(entry.get(kind)), vars(each)[kind]
                if entry.get(kind) is None:
                    continue
                if kind == "W" and self.form.transposed and array.ndim == 2:
                    array = array.T
                if kind != "W" and array.size == want.size:
                    array = array.reshape(want.shape)
                if array.shape != want.shape:
                    shape = want.shape
                    raise ValueError(
                        f"{names.symbol(f'{kind}{l}')} has the shape {array.shape}, wanted {shape}"
                    )
                found[f"{kind}{l}"] = array.astype(float)
        return found


def read(returned, kinds, count):
    """Return the cost, or None, and a dict of gradients per layer, from whatever containers."""
    if returned is None:
        raise ValueError("it returned None; is there a return?")
    cost, gradients = None, returned
    if isinstance(returned, Mapping):
        known = [k for k in returned if str(k).casefold() in ("cost", "loss", "c", "j")]
        if known:
            cost = returned[known[0]]
            rest = {k: v for k, v in returned.items() if k != known[0]}
            gradients = next(iter(rest.values())) if len(rest) == 1 else rest
    elif isinstance(returned, tuple) and returned and np.ndim(call.as_array(returned[0])) == 0:
        cost = returned[0]
        gradients = returned[1] if len(returned) == 2 else returned[1:]
    layers = _layers(gradients, kinds)
    if len(layers) != count:
        raise ValueError(f"it returned gradients of {len(layers)} layers, wanted {count}")
    return cost, layers


def _kind(name, kinds):
    short = name.casefold().removeprefix("grad_").removeprefix("d").strip("_").rstrip("s")
    known = {"w": "W", "weight": "W", "gamma": "gamma", "beta": "beta", "b": "b", "bia": "b"}
    found = known.get(short)
    return found if found in kinds else None


def _layers(gradients, kinds):
    entries = gradients if isinstance(gradients, Mapping) else getattr(gradients, "_asdict", dict)()
    if entries and all(isinstance(value, (list, tuple)) for value in entries.values()):
        return _by_layer({_kind(name, kinds): value for name, value in entries.items()})
    if entries:
        found = {}
        for name, value in entries.items():
            parts = re.fullmatch(r"(.*?)_?(\d+)", name)
            if parts and _kind(parts[1], kinds):
                found.setdefault(int(parts[2]), {})[_kind(parts[1], kinds)] = value
        return [found[number] for number in sorted(found)]
    if not isinstance(gradients, (list, tuple)):
        raise ValueError(f"its gradients are a {type(gradients).__name__}, wanted a list of layers")
    lists = [isinstance(each, (list, tuple)) for each in gradients]
    if len(gradients) == len(kinds) and all(lists):
        # Three layers of three arrays, or three lists of an array per layer: the shapes tell.
        if all(np.ndim(call.as_array(each)) == 2 for each in gradients[0]):
            return _by_layer(dict(zip(kinds, gradients, strict=True)))
    return [_entry(each, kinds) for each in gradients]


def _by_layer(lists):
    lists = {kind: values_ for kind, values_ in lists.items() if kind}
    count = len(next(iter(lists.values()), ()))
    return [{kind: values_[l] for kind, values_ in lists.items()} for l in range(count)]


def _entry(each, kinds):
    named = each if isinstance(each, Mapping) else getattr(each, "__dict__", {})
    if named:
        return {_kind(name, kinds): value for name, value in named.items()}
    if not isinstance(each, (list, tuple)):
        raise ValueError(f"the gradients of a layer are a {type(each).__name__}, wanted a list")
    return dict(zip(kinds, each, strict=False))


class NetworkSearch(Search):
    """The comparison of known mistakes, made in every layer, with what came back."""

    def predicted(self, e, steps, own, eps):
        key = id(e), tuple(steps.items())
        if key not in self._memo:
            try:
                with np.errstate(all="ignore"):
                    self._memo[key] = evaluate(e.case.values, steps, "gamma1" in e.truth)
            except (ValueError, KeyError, NameError, TypeError):
                self._memo[key] = {}
        return self._memo[key]

    def explain(self):
        rows = self.rows(self.names, None)
        if rows:
            text = list(dict.fromkeys(m.says for m in rows))
            return "; or: ".join(text[:3]), tuple(m.name for m in rows[:3]), 1
        gradients = [q for q in self.names if q != "cost"]
        if "cost" not in self.wrong:
            pairs = [
                (
                    e,
                    *(
                        np.concatenate([np.ravel(v[q]) for q in gradients if q in e.found])
                        for v in (e.found, e.truth)
                    ),
                )
                for e in self.evidence
            ]
            said = factor(pairs)
            if said:
                return f"every gradient {said}", (), 1
        return self._located(gradients), (), 100

    def _located(self, gradients):
        """Say in which layers the error is."""
        said, bad = ["no known mistake explains it"], [q for q in gradients if q in self.wrong]
        if "cost" in self.names:
            where = "wrong: look at the forward pass" if "cost" in self.wrong else "right"
            said.append(f"the cost is {where}")
        if bad and len(bad) == len(gradients):
            said.append("every gradient is wrong")
        elif bad:
            top = max(int(q[-1]) for q in bad)
            said.append("wrong: " + ", ".join(map(names.symbol, bad)))
            said.append(f"all others are right; coming from the output, it begins at layer {top}")
        return "; ".join(said)


def _evidence(way, case, eps=None):
    net = case.values["network"]
    activation = BY_NAME[way.activation] if way.activation else net.activation
    net = network.Network(net.layers, activation, net.eps if eps is None else eps)
    case = case._replace(values=complete(net, case.values["psi"], case.values["phi"]))
    right = truth(case.values)
    largest = max(float(np.abs(array).max()) for q, array in right.items() if q != "cost")
    scales = {q: largest if q != "cost" else max(1.0, float(right[q])) for q in right}
    return Evidence(case, way.backward(case.values), right, scales)


def _solved(way, case):
    """Return the ε that a network has built in: with it the cost is the reader's."""
    given = case.values
    found = way.backward(given).found.get("cost")
    if found is None:
        return 0.0
    net = given["network"]
    activation = BY_NAME[way.activation] if way.activation else net.activation

    def apart(eps):
        other = network.Network(net.layers, activation, eps)
        return network.cost_and_gradients(other, given["psi"], given["phi"])[0] - float(found)

    eps = 1e-5
    for _ in range(20):
        slope = (apart(eps * 1.001 + 1e-12) - apart(eps)) / (eps * 0.001 + 1e-12)
        step = apart(eps) / slope if slope else 0.0
        eps = max(eps - step, 0.0) if abs(step) < 1 else eps
        if abs(step) < 1e-13:
            break
    short = float(f"{eps:.3g}")
    return short if abs(short - eps) <= 1e-3 * eps + 1e-11 else eps


def _ways(f, batch_norm, layout, weights):
    kinds = ("W", "gamma", "beta") if batch_norm else ("W", "b")
    lists = {"Ws", "gammas", "betas"} if batch_norm else {"Ws", "bs"}
    offered = {"network", "layers", "psi", "phi", "eps", "activation"} | lists
    named = names.parameters(f)
    if named is None:
        raise call.Unreadable("its arguments have no names; wrap it in a function that has")
    roles = {}
    for name, parameter in named.items():
        role = next(
            (
                r
                for r, known in NAMES.items()
                if r in offered and names.squash(name) in known.split() and r not in roles.values()
            ),
            None,
        )
        if role:
            roles[name] = role
        elif parameter.default is parameter.empty:
            wanted = ", ".join(r for r in NAMES if r in offered)
            raise call.Unreadable(f"review met the argument `{name}`; wanted some of {wanted}")
    has = {"network", "activation"} & set(roles.values())
    for chosen in [LAYOUTS[layout]] if layout else [SAMPLES, FEATURES]:
        for transposed in (False, True) if weights is None else (weights == "(n_prev, n)",):
            for activation in (None,) if has else ("tanh", "relu", "sigmoid"):
                yield NetworkWay(f, roles, chosen, transposed, activation, kinds)


def review(f, batch_norm=True, layout=None, weights=None):
    """Return the `Report` on a function of a network."""
    name = "network" if batch_norm else "network without batch normalization"
    steps = {"output", "dW", "below"} | (set() if batch_norm else {"db"})
    subject = Subject(name, ("cost",))
    rows = [m for m in map(BATCH.has, MISTAKES.values()) if m and not m.other]
    rows = [m for m in rows if (batch_norm or m.steps.keys() <= steps)]
    try:
        if not callable(f):
            raise call.Unreadable(f"got {type(f).__name__}, wanted a function")
        verdict = _judged(subject, rows, list(_ways(f, batch_norm, layout, weights)), batch_norm)
    except call.Unreadable as trouble:
        verdict = Verdict("unknown", str(trouble), parts=999)
    return reported(names.name_of(f), subject, verdict)


def _judged(subject, rows, ways, batch_norm):
    live, troubles = [], []
    for way in ways:
        eps = None
        if batch_norm and not {"eps", "network"} & set(way.roles.values()):
            eps = _solved(way, cases(batch_norm)[0])
        evidence = [_evidence(way, case, eps) for case in cases(batch_norm)]
        good = [e for e in evidence if e.found]
        if not good:
            troubles.append((evidence[0].outcome.trouble, way))
            continue
        notes = (f"eps = {eps:g} is built in; it was found from what it returns",) if eps else ()
        failed = [e for e in evidence if e.outcome.trouble]
        if not failed and not any(e.wrong for e in evidence):
            return Verdict("right", "", (), 0, evidence, way, notes=notes)
        live.append((way, good, notes, failed))
    if not live:
        text, way = troubles[0]
        return Verdict("unknown", f"it failed: {text}", parts=900, way=way)
    verdicts = []
    for way, good, notes, failed in sorted(live, key=lambda entry: _cost_off(entry[1])):
        found = Found(way, good[0].case, good[0], None, (), False, False)
        search = NetworkSearch(subject._replace(), found, good, False)
        search.names = list(good[0].found)
        search.wrong = [q for q in search.names if any(q in e.wrong for e in good)]
        search.rows = functools.partial(_rows, search, rows)
        text, names, parts = search.explain()
        if failed and not search.wrong:
            text = f"it failed in the case {failed[0].case.name}: {failed[0].outcome.trouble}"
        verdicts.append(Verdict("wrong", text, names, parts, good, way, notes=notes))
        if parts <= 1:
            break
    return min(verdicts, key=lambda v: v.parts)


def _rows(search, rows, names, eps):
    return [m for m in rows if search.fits(m.steps, names, False, eps)]


def _cost_off(evidence):
    return max(e.error("cost") if "cost" in e.found else 0.0 for e in evidence) > LOOSE
