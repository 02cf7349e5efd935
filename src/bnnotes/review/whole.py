"""Review of a whole network's cost and gradients."""

from __future__ import annotations

import copy
import functools

import numpy as np

from .. import baseline, network
from ..activations import BY_NAME
from . import patterns, reading, steps
from .calling import FEATURES, SAMPLES, Misread, Result, as_array, fit, shape_in
from .cases import Case, layer
from .known import MISTAKES

_LISTS = {"Ws": "W", "gammas": "gamma", "betas": "beta", "bs": "b"}
SIZES, SQUARE = (6, 5, 4, 3), (5, 4, 4, 4)
PARTS = {"statistics", "affine", "bracket", "scale", "gamma", "beta", "weight", "previous"}
_BELOW = {"gamma_prev", "std_prev", "x_hat_prev"}


class LayerDict(dict):
    """The parameters of a layer, as a dict and by attribute."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class NetworkSubject:
    """A function that takes a network, inputs and labels and returns the cost and all gradients.

    Parameters
    ----------
    batch_norm : bool
    """

    layouts = (SAMPLES, FEATURES)
    optional = ()

    def __init__(self, batch_norm):
        self.batch_norm = batch_norm
        self.name = "network" if batch_norm else "network without batch normalization"
        self.kinds = ("W", "gamma", "beta") if batch_norm else ("W", "b")
        lists = {"Ws", "gammas", "betas"} if batch_norm else {"Ws", "bs"}
        self.roles = frozenset({"network", "layers", *lists, "psi", "phi", "eps", "activation"})
        layers = range(1, len(SIZES))
        self.quantities = ("cost", *(f"{kind}{l}" for l in layers for kind in self.kinds))
        self.has_eps = batch_norm
        self.parts = {*PARTS, "output"} if batch_norm else {"previous", "weight", "bias", "output"}

    @functools.cached_property
    def symbols(self):
        """How each quantity is written."""
        greek = {"gamma": "γ", "beta": "β"}
        found = {"cost": "C"}
        for quantity in self.quantities[1:]:
            kind, number = quantity[:-1], quantity[-1]
            found[quantity] = f"∂C/∂{greek.get(kind, kind)} of layer {number}"
        return found

    @functools.cached_property
    def mistakes(self):
        """The known mistakes that can be made here."""
        own = {"dx", "u_prev", "W", "g_prime", "y_prev", "u", "phi", "g_prime_out", *_BELOW}
        given = own | set(layer(np.eye(2), np.ones(2), np.ones(2), 1.0, np.eye(2)))
        return [
            mistake
            for mistake in MISTAKES.values()
            if mistake.steps.keys() <= self.parts and mistake.needs <= given
        ]

    @functools.cached_property
    def cases(self):
        """The cases that cannot mask a mistake, the one that is tried first in front."""
        eps = 0.1 if self.batch_norm else 0.0
        found = [Case(f"M_B = {M_B}", "plain", self._values(M_B, M_B)) for M_B in (5, 2, 3, 32)]
        if self.batch_norm:
            found += [
                Case(f"M_B = {M_B}, eps = 0.1", "eps", self._values(40 + M_B, M_B, 0.1))
                for M_B in (5, 2, 32)
            ]
            constant = self._values(60, 5, 0.01, constant=True)
            found.append(Case("constant feature, eps = 0.01", "constant", constant))
        found.append(Case("square layers", "square", self._values(70, 5, eps, sizes=SQUARE)))
        return found

    def _values(self, seed, M_B, eps=0.0, activation="tanh", sizes=SIZES, constant=False):
        rng = np.random.default_rng(seed)
        net = network.create(
            sizes, batch_norm=self.batch_norm, activation=activation, eps=eps, rng=rng
        )
        for each in net.layers:
            for name, value in vars(each).items():
                if name != "W":
                    sign = rng.choice([-1.0, 1.0], value.shape)
                    value = sign * rng.uniform(0.5, 1.5, value.shape)
                setattr(each, name, np.round(value, 2))
        if constant:
            net.layers[0].W[1] = 0.0
        psi = np.round(rng.normal(size=(M_B, sizes[0])), 2)
        phi = np.round(rng.uniform(size=(M_B, sizes[-1])))
        return self._complete(net, psi, phi)

    def _complete(self, net, psi, phi):
        return {
            "network": net,
            "layers": [LayerDict(vars(each)) for each in net.layers],
            **{
                listed: [vars(each)[kind] for each in net.layers]
                for listed, kind in _LISTS.items()
                if kind in self.kinds
            },
            "psi": psi,
            "phi": phi,
            "eps": net.eps,
            "activation": net.activation,
            "M_B": len(psi),
        }

    def adapt(self, case, convention):
        """Return the case with the activation and the eps of a convention, or None."""
        net = case.values["network"]
        if convention.eps is not None:
            if case.kind == "constant" and not convention.eps:
                return None
            if case.kind == "eps":
                return None
        activation = BY_NAME[convention.activation] if convention.activation else net.activation
        eps = net.eps if convention.eps is None else convention.eps
        net = network.Network(net.layers, activation, eps)
        return case._replace(values=self._complete(net, case.values["psi"], case.values["phi"]))

    def activations(self, roles):
        """Return the activations that a function may have built in."""
        return (None,) if {"network", "activation"} & roles else ("tanh", "relu", "sigmoid")

    def rank(self, evidence, tolerance):
        """Return how far from right a way of calling is; its cost counts before its gradients."""
        errors = {q: evidence.error(q) for q in evidence.found}
        wrong = not max(errors.values()) <= tolerance
        return wrong, not errors.get("cost", 0.0) <= tolerance

    def truth(self, values):
        """Return the cost and all gradients."""
        cost, gradients = network.cost_and_gradients(
            values["network"], values["psi"], values["phi"]
        )
        found = {"cost": np.asarray(cost)}
        for l, gradient in enumerate(gradients, 1):
            found |= {f"{kind}{l}": vars(gradient)[kind] for kind in self.kinds}
        return found

    def scales(self, values):
        """Return the size of the largest gradient, for all of them, and that of the cost."""
        truth = self.truth(values)
        largest = max(float(np.abs(array).max()) for q, array in truth.items() if q != "cost")
        return {q: largest if q != "cost" else max(1.0, float(truth[q])) for q in truth}

    def evaluate(self, values, replaced, quantities=None, memo=None):
        """Return the cost and all gradients with some steps replaced."""
        net, step = values["network"], {**steps.RIGHT, **replaced}
        layers = list(self._forward(net, values["psi"], step, replaced))
        last = layers[-1]
        cost = baseline.cross_entropy_from_logits.bare(last["y"], values["phi"])
        known = {
            "u": last["u"],
            "phi": values["phi"],
            "M_B": len(last["u"]),
            "g_prime_out": net.activations[-1].g_prime(last["y"]),
        }
        found, delta = {"cost": np.asarray(cost)}, steps.call(step["output"], known)
        for l in reversed(range(len(layers))):
            v = {**layers[l], "delta": delta}
            below = layers[l - 1] if l else None
            if below:
                v |= {name: below[name.removesuffix("_prev")] for name in _BELOW if self.batch_norm}
                v["y_prev"] = below["y"]
                v["g_prime"] = net.activations[l - 1].g_prime(below["y"])
            down = self._gradients(v, step, replaced, found, l + 1, bool(below))
            if below:
                delta = steps.call(step["previous"], {**v, "dx": down})
        return found

    def _forward(self, net, psi, step, replaced):
        u = psi
        for each, activation in zip(net.layers, net.activations, strict=True):
            if self.batch_norm:
                v = layer(u @ each.W.T, each.gamma, each.beta, net.eps, None)
                if "statistics" in replaced:
                    v["x_hat"], v["std"] = steps.call(step["statistics"], v)
                v["y"] = steps.call(step["affine"], v)
            else:
                v = {"y": u @ each.W.T + each.b, "M_B": len(u)}
            v |= {"u_prev": u, "W": each.W}
            v["u"] = u = activation.g(v["y"])
            yield v

    def _gradients(self, v, step, replaced, found, l, below):
        """Enter the gradients of one layer into `found`; return the error at its x."""
        if not self.batch_norm:
            weight = replaced.get("weight", steps.weight)
            found[f"b{l}"] = steps.call(step["bias"], v)
            v["dx"] = v["delta"]
            if below or "g_prime" not in steps.parameters(weight):
                found[f"W{l}"] = steps.call(weight, v)
            else:
                found[f"W{l}"] = steps.call(steps.weight, v)
            return v["delta"]
        found[f"gamma{l}"] = steps.call(step["gamma"], v)
        found[f"beta{l}"] = steps.call(step["beta"], v)
        own, down = {}, {}
        for name in ("scale", "bracket"):
            # What needs the layer below is a mistake in passing the error on to it.
            from_below = set(steps.parameters(step[name])) & _BELOW
            own[name] = steps.RIGHT[name] if from_below else step[name]
            down[name] = step[name] if below else own[name]
        v["dx"] = steps.call(own["scale"], v) * steps.call(own["bracket"], v)
        weight = step["weight"]
        if not below and "g_prime" in steps.parameters(weight):
            weight = steps.RIGHT["weight"]
        found[f"W{l}"] = steps.call(weight, v)
        return steps.call(down["scale"], v) * steps.call(down["bracket"], v)

    def hand(self, role, value, convention):
        """Return a copy of a list of parameters in the reader's layout."""

        def turned(kind, array):
            if kind == "W":
                return (array.T if convention.transposed else array).copy()
            return convention.layout.neurons(array).copy()

        if role in _LISTS:
            return [turned(_LISTS[role], array) for array in value]
        if role == "layers":
            return [LayerDict((k, turned(k, v)) for k, v in each.items()) for each in value]
        return copy.deepcopy(value)

    def read(self, returned, values, convention):
        """Return the cost and the gradients by quantity, in the shapes of the book."""
        layers = values["network"].layers
        cost, entries = reading.read(returned, self.kinds, len(layers))
        found = {} if cost is None else {"cost": as_array(cost).astype(float).reshape(())}
        transposed, dtype = set(), None
        for l, (entry, parameters) in enumerate(zip(entries, layers, strict=True), 1):
            for kind in self.kinds:
                if entry.get(kind) is None:
                    continue
                array, want = as_array(entry[kind]), vars(parameters)[kind]
                fitted = fit(array, kind, want, convention)
                if fitted is None:
                    name, shape = self.symbols[f"{kind}{l}"], shape_in(convention, kind, want)
                    raise Misread(f"{name} has the shape {array.shape}, wanted {shape}")
                found[f"{kind}{l}"] = fitted[0].astype(float)
                dtype = dtype or array.dtype
                if fitted[1]:
                    transposed.add(f"W{l}")
        return Result(found, tuple(sorted(transposed)), (), dtype)

    def locate(self, evidence, wrong, tolerance):
        """Say in which layers the error is."""
        returned = [q for q in self.quantities if q in evidence[0].found]
        gradients = [q for q in returned if q in wrong and q != "cost"]
        if "cost" not in wrong:
            said = patterns.factor([self._all(e, returned) for e in evidence], tolerance)
            if said:
                return f"every gradient {said}"
        said = ["no known mistake explains it"]
        if "cost" in returned:
            where = "wrong: look at the forward pass" if "cost" in wrong else "right"
            said.append(f"the cost is {where}")
        if len(gradients) == len(returned) - ("cost" in returned):
            said.append("every gradient is wrong")
        elif gradients:
            top = max(int(q[-1]) for q in gradients)
            said.append("wrong: " + ", ".join(self.symbols[q] for q in gradients))
            said.append(f"all others are right; coming from the output, it begins at layer {top}")
        return "; ".join(said)

    def _all(self, e, returned):
        """Return the values of a case, all gradients returned, and the right ones."""
        arrays = [
            np.concatenate([np.ravel(some[q]) for q in returned if q != "cost"])
            for some in (e.found, e.truth)
        ]
        return e.values, *arrays


NETWORK, BASELINE_NETWORK = NetworkSubject(True), NetworkSubject(False)
