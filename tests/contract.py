"""The input contract as data: every public function, a call that works, and what else may come.

What is to happen is written here by rule, and the exceptions with their reason; it is never taken
from what the code does. test_contract.py asks the code, and writes the page of the book.

Each argument is described by a line. An array has names of sizes, "M_B n". A star marks a size that
no other argument shares, "1|n" one column for all. "varies" is an array whose constant columns are
refused, since the formula divides by their standard deviation; "samples" one that wants more than a
single sample, for the same reason further on; "[0, 1]" and "> 0" bound the entries. What is no
array has a word: number (>= 0), real, count and its minimum, choice, generator, network, flag,
function, activation, normalized; with a question mark None works too. "given" is not varied.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from cases import layer

from bnnotes import (
    activations,
    baseline,
    batchnorm,
    check,
    digits,
    errata,
    geometry,
    growth,
    ledger,
    network,
    propagation,
    review,
    sample_space,
    source,
    sphere,
    sweep,
)

CASE = layer(6, 3, 2)
NORMALIZED = batchnorm.normalize(CASE.x)
NET = network.create([3, 4, 2], batch_norm=True, activation="tanh", rng=0)
NEURON = network.create([3, 1], batch_norm=True, activation="tanh", rng=0)
STEPS = network.feed_forward(NET, CASE.u_prev)
LABELS = (CASE.delta > 0).astype(float)
DIRECTIONS = sphere.frame(CASE.x[:, 0], CASE.delta[:, 0], CASE.u_prev[:, 0])
RUN = sweep.Run(True, 0.5, 512, 0, epochs=1, hidden=(4,))
OUTCOME = sweep.Outcome((0.5,), 0.5, 0.5, 0.5, "")


class Row(NamedTuple):
    """A public function.

    Attributes
    ----------
    function : callable
    wants : dict of str to str
        Each argument, as said above.
    values : dict
        A call that works.
    real : bool
        Complex numbers are refused.
    exceptions : dict of (str, str) to tuple (str, str)
        By kind and argument: the outcome and the reason, where the rule does not hold.
    """

    function: Callable
    wants: dict
    values: dict
    real: bool
    exceptions: dict

    @property
    def name(self):
        return f"{self.function.__module__.removeprefix('bnnotes.')}.{self.function.__qualname__}"

    @property
    def arrays(self):
        return [name for name, wanted in self.wants.items() if is_array(wanted)]


WORDS = {
    *("number", "real", "count", "choice", "generator", "network", "flag", "function"),
    *("activation", "normalized", "given"),
}


def word(wanted):
    """The first word of a description, without its question mark."""
    return wanted.split()[0].rstrip("?")


def is_array(wanted):
    return word(wanted) not in WORDS


def sizes(wanted):
    """The names of the sizes of an array."""
    words = wanted.split("[")[0].split(">")[0].split()
    return [each for each in words if each not in ("varies", "samples")]


# What an argument of that name is in a call that works; a row can say otherwise.
VALUES = {
    "u": 1 / (1 + np.exp(-CASE.delta)),
    "phi": LABELS,
    "y": CASE.delta,
    "cost_u": CASE.delta,
    "g_prime": CASE.g_prime,
    "u_prev": CASE.u_prev,
    "W": CASE.W,
    "b": CASE.gamma,
    "delta": CASE.delta,
    "gamma": CASE.gamma,
    "beta": CASE.beta,
    "x": CASE.x,
    "x_hat": NORMALIZED.x_hat,
    "std": NORMALIZED.std,
    "normalized": NORMALIZED,
    "eps": 0.0,
    "a": CASE.delta,
    "v": CASE.delta,
    "gamma_gradient": CASE.gamma,
    "theta1": 0.5,
    "theta2": 1.0,
    "network": NET,
    "psi": CASE.u_prev,
    "rng": 0,
    "seed": 0,
    "M_B": 8,
    "activation": "tanh",
    "learning_rate": 0.1,
    "frame": DIRECTIONS,
    "cases": 1,
}


def row(function, *, real=False, values=(), exceptions=(), **wants):
    called = {name: in_order(dict(values).get(name, VALUES.get(name))) for name in wants}
    return Row(function, wants, called, real, dict(exceptions))


def in_order(value):
    """A column of an array in memory of its own: a sum over strides rounds in another way."""
    return np.array(value, order="C") if isinstance(value, np.ndarray) else value


def neuron(**more):
    """The arguments of a layer of one neuron."""
    return {**more, "phi": LABELS[:, :1], "neuron": NEURON}


def waves(x):
    return np.sin(x).sum()


ANGLE = {"theta1": "real", "theta2": "real", "dihedral": "real"}
ANGLES = {"dihedral": 2.0}
DOWN = {
    "delta": "M_B n",
    "W": "n n_prev",
    "normalized": "normalized",
    "gamma": "n",
    "g_prime": "M_B n_prev",
}
EXACT = "a prediction of exactly 0 or 1 costs infinitely much where it is not the label"
SPACE = "a space has three directions"
SUMS = "its sums are Python's numbers"
COARSE = "the difference quotient loses the digits of float32"
WIDER = "the complex step is taken in complex128"
OPTIONS = {"layout": "choice?", "f": "function"}
# A review reports what it is handed; a thing that is no function is a line of the report.
NO_FUNCTION = {("a function", "f"): ("works", "the report says what it got, and is not ok")}


def my_backward(delta, x_hat, std, gamma):
    """∂C/∂x, as a reader may write it."""
    mixed = delta - delta.mean(axis=0) - x_hat * (delta * x_hat).mean(axis=0)
    return gamma / std * mixed


def my_forward(x, gamma, beta, eps):
    return gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps) + beta


def my_weights(delta, u_prev, x_hat, std, gamma):
    return my_backward(delta, x_hat, std, gamma).T @ u_prev


def my_error(delta, W, x_hat, std, gamma, g_prime):
    return my_backward(delta, x_hat, std, gamma) @ W * g_prime


def my_baseline(delta, u_prev, W, g_prime):
    return delta @ W * g_prime, delta.T @ u_prev, delta.sum(axis=0)


def my_network(network, psi, phi):
    from bnnotes.network import cost_and_gradients

    return cost_and_gradients(network, psi, phi)


def reviewed(function, f, **wants):
    return row(function, **OPTIONS, **wants, values={"f": f}, exceptions=NO_FUNCTION)


ROWS = [
    row(activations.get, activation="activation"),
    # Section 1.
    row(
        baseline.cross_entropy,
        u="M_B n [0, 1]",
        phi="M_B n [0, 1]",
        exceptions={
            ("integers", "u"): ("refused", EXACT),
            ("small integers", "u"): ("refused", EXACT),
            ("booleans", "u"): ("refused", EXACT),
        },
    ),
    row(baseline.cross_entropy_from_logits, y="M_B n", phi="M_B n [0, 1]"),
    row(baseline.boundary_error, cost_u="M_B n", g_prime="M_B n", values={"g_prime": CASE.x}),
    row(baseline.output_error, u="M_B n", phi="M_B n"),
    row(baseline.affine, u_prev="M_B* n_prev", W="n n_prev", b="n"),
    row(baseline.weight_gradient, delta="M_B n*", u_prev="M_B n_prev*"),
    row(baseline.bias_gradient, delta="M_B* n*"),
    row(baseline.previous_error, delta="M_B n", W="n n_prev", g_prime="M_B n_prev"),
    # Section 2.
    row(batchnorm.normalize, x="M_B* n* varies", eps="number"),
    row(batchnorm.forward, x="M_B* n varies", gamma="n", beta="n", eps="number"),
    row(batchnorm.kernel, normalized="normalized", gamma="n"),
    row(batchnorm.weight_jacobian, u_prev="M_B n_prev*", normalized="normalized", gamma="n"),
    row(batchnorm.backward, delta="M_B n", normalized="normalized", gamma="n"),
    row(batchnorm.input_error, delta="M_B n", normalized="normalized", gamma="n"),
    row(batchnorm.gamma_gradient, delta="M_B n", normalized="normalized"),
    row(batchnorm.beta_gradient, delta="M_B* n*"),
    row(
        batchnorm.weight_gradient,
        delta="M_B n",
        u_prev="M_B n_prev*",
        normalized="normalized",
        gamma="n",
    ),
    row(batchnorm.previous_error, **DOWN),
    # Section 3.
    row(sample_space.mix, x_hat="M_B 1|n", v="M_B n"),
    row(sample_space.mixing_matrix, x_hat="M_B*", values={"x_hat": NORMALIZED.x_hat[:, 0]}),
    row(sample_space.mixing_eigenvalues, x_hat="M_B*", values={"x_hat": NORMALIZED.x_hat[:, 0]}),
    row(
        sample_space.single_neuron_residual,
        u="M_B* 1|n varies",
        W="n",
        eps="number",
        values={"W": CASE.gamma, "u": CASE.delta},
        exceptions={("booleans", "W"): ("refused", "W = 0 makes W u constant")},
    ),
    row(
        sample_space.radial_weight_gradient,
        gamma_gradient="n",
        gamma="n",
        std="n > 0",
        eps="number",
        values={"eps": 0.1},
    ),
    row(geometry.standardize, v="M_B* n* varies"),
    row(geometry.correlation, a="M_B 1|n varies", b="M_B n varies", values={"b": CASE.x}),
    row(geometry.angle, a="M_B 1|n varies", b="M_B n varies", values={"b": CASE.x}, real=True),
    row(
        geometry.sample_angles,
        delta="M_B n varies",
        u_prev="M_B n_prev* varies",
        x="M_B n varies",
        real=True,
    ),
    row(
        geometry.weight_gradient,
        delta="M_B n varies",
        u_prev="M_B n_prev* varies",
        normalized="normalized",
        gamma="n",
        real=True,
    ),
    row(
        geometry.baseline_weight_gradient,
        delta="M_B n* varies",
        u_prev="M_B n_prev* varies",
        real=True,
    ),
    row(geometry.gamma_gradient, delta="M_B n varies", normalized="normalized", real=True),
    row(propagation.previous_error_from_angles, **{**DOWN, "delta": "M_B n varies"}, real=True),
    row(propagation.node_magnitude, delta="M_B n varies", normalized="normalized", real=True),
    row(
        propagation.turned,
        delta="M_B n varies",
        normalized="normalized",
        theta1="n",
        values={"theta1": np.array([0.5, 2.5])},
        real=True,
    ),
    # Whole networks.
    row(
        network.create,
        sizes="given",
        batch_norm="flag",
        activation="activation",
        eps="number",
        rng="generator",
        values={"sizes": [3, 2], "batch_norm": True},
    ),
    row(network.feed_forward, network="network", psi="M_B* n_0 samples"),
    row(
        network.batches,
        samples="count 1",
        batch_size="count 1",
        rng="generator",
        values={"samples": 8, "batch_size": 4},
    ),
    row(
        network.cost_and_gradients,
        network="network",
        psi="M_B n_0 samples",
        phi="M_B n_L [0, 1]",
    ),
    row(
        network.train,
        network="network",
        psi="M_B n_0 samples",
        phi="M_B n_L [0, 1]",
        learning_rate="number",
        batch_size="count 1",
        epochs="count 0",
        rng="generator",
        weight_decay="number",
        progress="function",
        on_epoch="function?",
        on_step="function?",
        values={
            "batch_size": 3,
            "epochs": 2,
            "weight_decay": 0.01,
            "progress": iter,
        },
        real=True,
    ),
    row(network.hold_lengths, network="network", real=True),
    row(network.population_statistics, network="network", psi="M_B* n_0 samples"),
    row(network.predict, network="network", psi="M_B* n_0 samples", statistics="given"),
    # Derivatives by other means.
    row(
        check.complex_step,
        f="function",
        x="any",
        values={"f": waves},
        exceptions={("float32", ""): ("float64", WIDER)},
        real=True,
    ),
    row(
        check.central_difference,
        f="function",
        x="any",
        values={"f": waves},
        exceptions={
            ("float32", ""): ("coarse", COARSE),
            ("longdouble", ""): ("coarse", "float64 has fewer digits to lose"),
        },
        real=True,
    ),
    row(
        check.compare,
        third="given",
        values={"third": (1 / 3, 0.3333)},
    ),
    # Beyond the source.
    row(growth.growth, activation="activation"),
    row(growth.linear_growth, M_B="count 4"),
    row(growth.degrees, activation="activation", highest="count 1", values={"highest": 3}),
    row(
        growth.error_norms,
        network="network",
        steps="given",
        delta="M_B n_L",
        values={"steps": STEPS},
        real=True,
        exceptions={
            ("one sample", ""): ("refused", "its steps are of six samples"),
            ("float32", ""): ("float64", SUMS),
            ("longdouble", ""): ("float64", SUMS),
        },
    ),
    row(
        growth.measured_growth,
        activation="activation",
        M_B="count 3",
        width="count 1",
        depth="count 2",
        rng="generator",
        batch_norm="flag",
        values={"width": 3, "depth": 2, "batch_norm": True},
    ),
    row(growth.effective_rank, v="M_B* n*", real=True),
    row(
        sphere.frame,
        x="M_B varies",
        delta="M_B varies",
        u="M_B varies",
        values={"x": CASE.x[:, 0], "delta": CASE.delta[:, 0], "u": CASE.u_prev[:, 0]},
        real=True,
        exceptions={("longdouble", ""): ("float64", "numpy's QR has no longdouble")},
    ),
    row(
        sphere.coordinates,
        frame="M_B k*",
        v="M_B n*",
        real=True,
        exceptions={("wider", "frame"): ("refused", SPACE)},
    ),
    row(
        sphere.reachable, M_B="count 2", theta1="number", theta2="number", dihedral="number"
    )._replace(values={"M_B": 8, "theta1": 0.5, "theta2": 1.0, "dihedral": 2.0}),
    row(sphere.corners, **ANGLE, values=ANGLES),
    row(
        sphere.place,
        frame="M_B* k* samples",
        theta1="number",
        theta2="number",
        dihedral="number",
        values=ANGLES,
        real=True,
        exceptions={("wider", "frame"): ("refused", SPACE)},
    ),
    row(
        sphere.partial_correlation,
        a="M_B 1|n varies",
        b="M_B n varies",
        x="M_B varies",
        values={"b": CASE.g_prime[:, :2], "x": CASE.x[:, 0]},
    ),
    row(
        sphere.mean_correlation,
        u="M_B* n* samples",
        values={"u": CASE.u_prev},
        exceptions={("constant", "u"): ("works", "constant neurons are left out")},
    ),
    row(
        sphere.train_neuron,
        neuron="network",
        psi="M_B n_0 varies",
        phi="M_B n_L [0, 1]",
        parameters="given",
        learning_rate="number",
        steps="count 0",
        values=neuron(parameters=["W", "gamma"], steps=2),
        real=True,
    ),
    # Data, and many trainings.
    row(
        digits.load,
        labels="choice",
        samples_test="count 1",
        seed="generator",
        values={"labels": "odd", "samples_test": 397},
    ),
    row(
        digits.trained,
        labels="choice",
        batch_norm="flag",
        epochs="count 0",
        values={"labels": "odd", "batch_norm": False, "epochs": 0},
    ),
    row(digits.accuracy, u="M n", phi="M n", real=True),
    row(sweep.train_one, run="given", values={"run": RUN}),
    row(sweep.processes, workers="count 1", values={"workers": 1}),
    row(
        sweep.run,
        runs="given",
        executor="given",
        results="given",
        progress="function",
        values={"runs": [RUN], "results": {RUN: OUTCOME}, "progress": iter},
    ),
    row(
        sweep.band,
        results="given",
        over="choice",
        value="choice",
        values={"results": {RUN: OUTCOME}, "over": "seed", "value": "accuracy"},
    ),
    # What the book says of the source.
    row(
        errata.measure,
        id="choice",
        M_B="count 2",
        seed="generator",
        beyond="flag",
        values={"id": "S23", "beyond": False},
    ),
    row(
        errata.typical,
        id="choice",
        M_B="count 2",
        cases="count 1",
        beyond="flag",
        values={"id": "S23", "beyond": False},
    ),
    row(errata.worst_now, id="choice", M_B="count 2", cases="count 1", values={"id": "(3)"}),
    row(errata.agreement, difference="number", values={"difference": 1e-9}),
    row(
        errata.baseline_over_bn,
        offset="number",
        M_B="count 3",
        seed="generator",
        draws="count 1",
        values={"offset": 1.0, "draws": 3},
    ),
    row(ledger.rows),
    row(ledger.counted),
    row(ledger.row, id="choice", values={"id": "S17"}),
    row(ledger.box, id="choice", evidence="given", values={"id": "S1", "evidence": "0"}),
    row(ledger.boxes, notebook="choice", values={"notebook": "1_baseline"}),
    row(ledger.error_now, entry="given", values={"entry": ledger.row("S1")}),
    row(ledger.table, section="choice?", values={"section": 1}),
    row(ledger.main),
    row(source.show),
    # Review: what a reader's own function does is reported, never raised.
    reviewed(review.batchnorm_backward, my_backward),
    reviewed(review.batchnorm_forward, my_forward),
    reviewed(review.gamma_gradient, lambda delta, x_hat: (delta * x_hat).sum(axis=0)),
    reviewed(review.beta_gradient, lambda delta: delta.sum(axis=0)),
    reviewed(review.weight_gradient, my_weights, weights="choice?"),
    reviewed(review.previous_error, my_error, weights="choice?"),
    reviewed(review.baseline_backpropagation, my_baseline, weights="choice?"),
    reviewed(review.network, my_network, weights="choice?"),
    row(
        review.case,
        subject="choice",
        name="choice",
        values={"subject": "batchnorm_backward", "name": "M_B = 3"},
    ),
]

MODULES = (
    *(activations, baseline, batchnorm, sample_space, geometry, propagation, network, check),
    *(growth, sphere, digits, sweep, errata, ledger, source, review),
)


# What may come in the place of an array.


class Duck:
    """An object that gives an array when asked, as tensors and tables do."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array


class Refusing:
    """An object that gives no array, as a tensor on another device."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("it lives on another device")


class Subclass(np.ndarray):
    """An array of a subclass, whose arithmetic is another."""

    def __add__(self, other):
        raise AssertionError("the arithmetic of a subclass was used")

    __mul__ = __matmul__ = __sub__ = __add__


def frozen(v):
    v = v.copy()
    v.flags.writeable = False
    return v


def spread(v):
    """Every third entry of a larger array."""
    return np.repeat(v, 3, axis=-1)[..., ::3]


def backwards(v):
    return v[::-1].copy()[::-1]


def with_entry(entry):
    def changed(v):
        v = v.copy()
        v.flat[-1] = entry
        return v

    return changed


def structured(v):
    table = np.zeros(v.shape, [("value", float), ("weight", float)])
    table["value"] = v
    return table


def last_constant(v):
    v = v.copy()
    v[..., -1 if v.ndim > 1 else slice(None)] = 0.7
    return v


def scaled(size):
    return lambda v: v / np.abs(v).max() * size


class Kind(NamedTuple):
    """Something that may come in the place of an array.

    Attributes
    ----------
    name : str
    column : str
        Of the page.
    make : callable
        From the array of the call that works.
    outcome : str
        "works": the result of the same numbers as a plain float64 array. "refused": a ValueError
        that names the argument. "either": finite, or a ValueError.
    exactly : bool
        To the last bit; else up to the rounding of a sum in another order.
    """

    name: str
    column: str
    make: Callable
    outcome: str
    exactly: bool = True


FORMS = "lists, read-only, any order"
NARROW = "int, bool, float16"
NONE = "no numbers"
KINDS = [
    Kind("a scalar", "rank", lambda v: 1.0, "refused"),
    Kind("one axis less", "rank", lambda v: v[0], "refused"),
    Kind("one axis more", "rank", lambda v: v[np.newaxis], "refused"),
    Kind("no samples", "empty", lambda v: v[:0], "refused"),
    Kind("no neurons", "empty", lambda v: v[..., :0], "refused"),
    Kind("NaN", "NaN, ±inf", with_entry(np.nan), "refused"),
    Kind("inf", "NaN, ±inf", with_entry(np.inf), "refused"),
    Kind("-inf", "NaN, ±inf", with_entry(-np.inf), "refused"),
    Kind("objects", NONE, lambda v: v.astype(object), "refused"),
    Kind("strings", NONE, lambda v: v.astype(str), "refused"),
    Kind("dates", NONE, lambda v: np.full(v.shape, "2020-01-01", "datetime64[D]"), "refused"),
    Kind("a structured array", NONE, structured, "refused"),
    Kind("None", NONE, lambda v: None, "refused"),
    Kind("a dict", NONE, lambda v: {"array": v}, "refused"),
    Kind("a generator", NONE, lambda v: (entry for entry in v), "refused"),
    Kind("rows of different lengths", NONE, lambda v: [[1.0, 2.0], [3.0]], "refused"),
    Kind("integers without end", NONE, lambda v: [[10**400]] * len(v), "refused"),
    Kind("an object that gives no array", NONE, lambda v: Refusing(), "refused"),
    Kind("a masked array", "masked", lambda v: np.ma.array(v, mask=v > v.mean()), "refused"),
    Kind("a list of masked rows", "masked", lambda v: [np.ma.masked_less(v, 0)], "refused"),
    Kind("a list", FORMS, lambda v: v.tolist(), "works"),
    Kind("a tuple", FORMS, lambda v: tuple(v.tolist()), "works"),
    Kind("read-only", FORMS, frozen, "works"),
    Kind("Fortran order", FORMS, np.asfortranarray, "works", False),
    Kind("not contiguous", FORMS, spread, "works", False),
    Kind("negative strides", FORMS, backwards, "works", False),
    Kind("other byte order", FORMS, lambda v: v.astype(v.dtype.newbyteorder()), "works", False),
    Kind("a subclass of ndarray", FORMS, lambda v: v.view(Subclass), "works"),
    Kind("an object with __array__", FORMS, Duck, "works"),
    Kind("integers", NARROW, lambda v: np.round(4 * v).astype(int), "works"),
    Kind("small integers", NARROW, lambda v: np.round(4 * v).astype(np.int8), "works"),
    Kind("booleans", NARROW, lambda v: v > np.median(v, axis=0), "works"),
    Kind("float16", NARROW, lambda v: v.astype(np.float16), "works"),
    Kind("huge", "1e±300", scaled(1e300), "either"),
    Kind("tiny", "1e±300", scaled(1e-300), "either"),
    Kind("smallest of all", "1e±300", scaled(5e-324), "either"),
    Kind("constant", "constant", last_constant, "by rule"),
    Kind("complex", "complex", lambda v: v + 0j, "by rule", False),
    Kind("longer", "shapes differ", lambda v: np.concatenate([v, v[:1]]), "by rule"),
    Kind("wider", "shapes differ", lambda v: np.concatenate([v, v[..., :1]], -1), "by rule"),
    Kind("outside [0, 1]", "outside [0, 1]", with_entry(1.5), "by rule"),
    Kind("zero", "std ≤ 0", with_entry(0.0), "by rule"),
]
# Of all arrays of a call at once.
WHOLE = [
    Kind("one sample", "M_B = 1", lambda v: v[:1], "by rule"),
    Kind("float32", "float32", lambda v: v.astype(np.float32), "works"),
    Kind("longdouble", "longdouble", lambda v: v.astype(np.longdouble), "works"),
]


def within(value, wanted, kind):
    """The value of a kind, with its bounds kept where the kind is about something else."""
    made = kind.make(value)
    if kind.column in (NARROW, "1e±300") and isinstance(made, np.ndarray):
        if "[0, 1]" in wanted:
            return np.clip(made, 0, 1)
        if "> 0" in wanted:
            return np.maximum(np.abs(made), 1).astype(made.dtype)
    return made


def expected(row, kind, name):
    """The outcome that the rules demand of a kind in the place of one array, or None."""
    if (kind.name, name) in row.exceptions:
        return row.exceptions[kind.name, name][0]
    wanted = row.wants[name]
    axes = sizes(wanted)
    if kind.name in ("one axis less", "one axis more", "a scalar") and axes == ["any"]:
        return None
    if kind.name == "constant":
        return "refused" if "varies" in wanted else "works"
    if kind.name == "complex":
        return "refused" if row.real else "works"
    if kind.name in ("longer", "wider"):
        if axes == ["any"] or (kind.name == "wider" and len(axes) == 1):
            return None
        return "works" if axes[0 if kind.name == "longer" else -1].endswith("*") else "refused"
    if kind.name == "outside [0, 1]":
        return "refused" if "[0, 1]" in wanted else None
    if kind.name == "zero":
        return "refused" if "> 0" in wanted else None
    if kind.name == "no neurons" and len(axes) == 1:
        return None
    return kind.outcome


def expected_of_one_sample(row):
    """The outcome that the rules demand of a batch of one sample, or None."""
    if ("one sample", "") in row.exceptions:
        return row.exceptions["one sample", ""][0]
    if not any(
        size.rstrip("*") in ("M_B", "M") for n in row.arrays for size in sizes(row.wants[n])
    ):
        return None
    divides = any({"varies", "samples"} & set(row.wants[name].split()) for name in row.arrays)
    return "refused" if divides else "works"


# What may come in the place of what is no array.

DAY = np.timedelta64(1, "D")  # an integer to numpy
HERSELF = [[]]
HERSELF.append(HERSELF)
NOTHING = types.SimpleNamespace()
NO_NUMBER = [-1.0, np.nan, np.inf, None, "0.1", 1j, [0.1], np.array([0.1]), 10**400, np.ma.masked]
NO_NUMBER += [np.timedelta64(1), object(), {}, Refusing()]


def other_networks():
    """Networks that cannot be: without layers, with arrays that do not fit, or with none."""

    def changed(**arrays):
        layers = [network.BatchNorm(**vars(each)) for each in NET.layers]
        for name, array in arrays.items():
            setattr(layers[1], name, array)
        return network.Network(layers, NET.activation)

    return [
        network.Network([], NET.activation),
        network.Network(None, NET.activation),
        network.Network([NOTHING], NET.activation),
        network.Network(NET.layers, "tanh"),
        network.Network(NET.layers, NET.activation, -1.0),
        changed(W=NET.layers[1].W[:, :-1]),
        changed(W=NET.layers[1].W[0]),
        changed(W=NET.layers[1].W * np.nan),
        changed(W=NET.layers[1].W.tolist()),
        changed(gamma=NET.layers[1].gamma[:1]),
        changed(gamma=None),
        changed(beta=NET.layers[1].beta.astype(str)),
    ]


WRONG = {
    "number": NO_NUMBER,
    "real": [value for value in NO_NUMBER if value is not NO_NUMBER[0]],
    "count": [
        -1,
        2.5,
        4.0,
        True,
        "4",
        None,
        np.nan,
        [4],
        np.array([4]),
        4j,
        object(),
        Refusing(),
        DAY,
    ],
    "choice": ["nothing of the kind", "", 3.5, ["odd"], {}, np.array(["odd", "ten"]), b"odd", None],
    "generator": ["seed", -1, 1.5, True, ["a"], {}, np.nan, None, HERSELF, DAY],
    "flag": [None, "yes", 1, 0.0, [], np.array([True, False])],
    "function": [3, "print", [], NOTHING, None],
    "activation": ["softplus", 3, ["tanh"], {}, np.tanh, activations.Activation("a", 1, 2), None],
    "network": [None, 3, "net", {}, [], NET.layers, NOTHING, *other_networks()],
    "normalized": [
        *(
            None,
            (1, 2, 3),
            NORMALIZED.x_hat,
            NOTHING,
            types.SimpleNamespace(**NORMALIZED._asdict()),
        ),
        NORMALIZED._replace(std=0 * NORMALIZED.std),
        NORMALIZED._replace(std=NORMALIZED.std[:1]),
        NORMALIZED._replace(x_hat=np.nan * NORMALIZED.x_hat),
        NORMALIZED._replace(x_hat=NORMALIZED.x_hat.astype(object)),
        NORMALIZED._replace(mean=None),
    ],
}
# And what works as the same number written plainly does.
RIGHT = {
    "number": [np.float32, np.float64, np.longdouble, np.float16, np.array],
    "real": [np.float32, np.float64, np.longdouble, np.array],
    "count": [np.int64, np.int16, np.uint16],
    "generator": [np.int64, np.random.default_rng, lambda seed: np.random.SeedSequence(seed)],
    "flag": [np.bool_],
    "normalized": [lambda n: n._replace(x_hat=np.asfortranarray(n.x_hat))],
}


def wrong(wanted):
    """All that is refused in the place of an argument."""
    values = WRONG.get(word(wanted), [])
    if word(wanted) == "count":
        values = [int(wanted.split()[1]) - 1, *values]
    return values[:-1] if "?" in wanted else values


def mine(g, g_prime=np.ones_like):
    return activations.Activation("mine", g, g_prime)


# Calls at the edge of what works, and what happens then.
EDGES = [
    ("a learning rate of 0", network.train, {"learning_rate": 0.0}, "no weight changes"),
    ("no epoch", network.train, {"epochs": 0}, "no weight changes"),
    (
        "6 samples in batches of 4",
        network.train,
        {"batch_size": 4},
        "the 2 that are left make no batch in this epoch",
    ),
    ("6 samples in one batch of 6", network.train, {"batch_size": 6}, "one step an epoch"),
    (
        "a constant feature with eps = 0.1",
        batchnorm.normalize,
        {"x": last_constant(CASE.x), "eps": 0.1},
        "x̂ = 0",
    ),
    ("one sample with eps = 0.1", batchnorm.normalize, {"x": CASE.x[:1], "eps": 0.1}, "x̂ = 0"),
    ("eps as small as it can be", batchnorm.normalize, {"eps": 5e-324}, "as eps = 0"),
    ("γ = 0", batchnorm.backward, {"gamma": 0 * CASE.gamma}, "∂C/∂x = 0"),
    ("-0.0", baseline.bias_gradient, {"delta": -0.0 * CASE.delta}, "0"),
    ("labels of 0 and 1 as booleans", network.train, {"phi": LABELS > 0}, "as 0.0 and 1.0"),
]

# Calls that are wrong in a way of their own: what is said begins with the name.
SINGLES = [
    (network.create, {"sizes": [3]}, "sizes"),
    (network.create, {"sizes": []}, "sizes"),
    (network.create, {"sizes": 3}, "sizes"),
    (network.create, {"sizes": None}, "sizes"),
    (network.create, {"sizes": "32"}, "sizes"),
    (network.create, {"sizes": {3, 2}}, "sizes"),
    (network.create, {"sizes": [3, 0]}, "sizes"),
    (network.create, {"sizes": [3, -1]}, "sizes"),
    (network.create, {"sizes": [3, 2.5]}, "sizes"),
    (network.create, {"sizes": [3, True]}, "sizes"),
    (network.create, {"sizes": [[3], [2]]}, "sizes"),
    (network.create, {"sizes": [10**9, 10**9]}, "sizes"),
    (network.create, {"sizes": [10**30, 1]}, "sizes"),
    (network.train, {"batch_size": 7}, "batch_size"),
    (network.train, {"progress": lambda epochs: None}, "progress"),
    (network.train, {"on_epoch": lambda e, net, h: net.layers.clear()}, "network.layers"),
    (network.create, {"activation": mine(lambda y: None)}, "activation"),
    (network.create, {"activation": mine(lambda y: y[:, :1])}, "activation"),
    (network.create, {"activation": mine(lambda y: y * np.nan)}, "activation"),
    (network.create, {"activation": mine(lambda y: y, lambda y: 1.0)}, "activation"),
    (network.batches, {"batch_size": 9}, "batch_size"),
    (network.predict, {"statistics": 3}, "statistics"),
    (network.predict, {"statistics": []}, "statistics"),
    (network.predict, {"statistics": [1, 2]}, "statistics[0]"),
    (network.predict, {"statistics": [(1,), (2,)]}, "statistics[0]"),
    (network.predict, {"statistics": [(None, None)] * 2}, "statistics[0].mean"),
    (network.predict, {"statistics": [(np.ones(4), np.zeros(4))] * 2}, "statistics[0].std"),
    (growth.error_norms, {"steps": None}, "steps"),
    (growth.error_norms, {"steps": STEPS[:1]}, "steps"),
    (growth.error_norms, {"steps": [1, 2]}, "steps"),
    (growth.error_norms, {"delta": 0 * CASE.delta}, "delta"),
    (growth.effective_rank, {"v": 0 * CASE.delta}, "v"),
    (growth.measured_growth, {"M_B": 2}, "M_B"),
    (growth.measured_growth, {"dtype": int}, "dtype"),
    (growth.measured_growth, {"dtype": "numbers"}, "dtype"),
    (growth.measured_growth, {"dtype": complex}, "dtype"),
    (digits.load, {"dtype": np.float16}, "dtype"),
    (digits.load, {"dtype": None}, "dtype"),
    (digits.load, {"samples_test": 1797}, "samples_test"),
    (check.compare, {"third": 1.0}, "third"),
    (check.compare, {"third": (1.0,)}, "third"),
    (check.compare, {"third": (1.0, None)}, "third"),
    (check.compare, {"third": ([1.0], [1.0, 2.0])}, "third"),
    (check.compare, {"third": ([], [])}, "third"),
    (check.compare, {"third": ("a", "b")}, "third"),
    (check.compare, {"third": (np.nan, 1.0)}, "third"),
    (check.complex_step, {"f": lambda x: "text"}, "f"),
    (check.complex_step, {"f": lambda x: None}, "f"),
    (check.complex_step, {"f": lambda x: x * np.nan}, "f"),
    (check.central_difference, {"f": lambda x: x.astype(object)}, "f"),
    (check.central_difference, {"f": lambda x: x[x > CASE.x]}, "f"),
    (check.complex_step, {"f": lambda x: x[: int((np.argmax(x.imag) > 0) + 1)]}, "f"),
    (sphere.train_neuron, {"neuron": NET}, "neuron"),
    (sphere.train_neuron, {"parameters": ["b"]}, "parameters"),
    (sphere.train_neuron, {"parameters": None}, "parameters"),
    (sphere.train_neuron, {"parameters": [["W"]]}, "parameters"),
    (sphere.train_neuron, {"parameters": "W"}, "parameters"),
    (sphere.train_neuron, {"parameters": [CASE.W, CASE.W]}, "parameters"),
    (sweep.train_one, {"run": None}, "run"),
    (sweep.train_one, {"run": RUN._replace(labels=["odd"])}, "labels"),
    (sweep.train_one, {"run": RUN._replace(inputs=None)}, "inputs"),
    (sweep.train_one, {"run": RUN._replace(hidden=None)}, "hidden"),
    (sweep.train_one, {"run": RUN._replace(hidden=(0,))}, "sizes"),
    (sweep.train_one, {"run": RUN._replace(batch_norm="no")}, "batch_norm"),
    (sweep.train_one, {"run": RUN._replace(learning_rate=-1)}, "learning_rate"),
    (sweep.train_one, {"run": RUN._replace(seed=None)}, "rng"),
    (sweep.run, {"runs": None}, "runs"),
    (sweep.run, {"runs": RUN}, "runs"),
    (sweep.run, {"runs": np.array(3.0)}, "runs"),
    (errata.baseline_over_bn, {"offset": 1e308}, "offset"),
    (sweep.run, {"runs": [1]}, "runs"),
    (sweep.run, {"runs": [RUN._replace(hidden=[4])]}, "runs"),
    (sweep.run, {"executor": 3}, "executor"),
    (sweep.run, {"results": []}, "results"),
    (sweep.band, {"results": None}, "results"),
    (sweep.band, {"results": {}}, "fixed"),
    (sweep.band, {"results": {1: 2}}, "results"),
    (sweep.band, {"value": "stopped"}, "value"),
    (sweep.band, {"depth": 3}, "fixed"),
    (ledger.box, {"evidence": 3}, "evidence"),
    (ledger.boxes, {"verdicts": "false"}, "verdicts"),
    (ledger.boxes, {"verdicts": ["wrong"]}, "verdicts"),
    (ledger.error_now, {"entry": "S1"}, "entry"),
    (review.network, {"batch_norm": None}, "batch_norm"),
]
