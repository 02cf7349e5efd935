"""What a reader can hand in wrong: a ValueError that names the argument, and no numpy warning."""

import copy
import re

import numpy as np
import pytest
from cases import layer

from bnnotes import baseline, batchnorm, geometry, network, propagation, sample_space

CASE = layer(6, 3, 2)
NORMALIZED = batchnorm.normalize(CASE.x)
PROBABILITIES = 1 / (1 + np.exp(-CASE.delta))
LABELS = (CASE.delta > 0).astype(float)

DELTA, U, W, GAMMA, G = CASE.delta, CASE.u_prev, CASE.W, CASE.gamma, CASE.g_prime
BACKWARD = {"delta": DELTA, "normalized": NORMALIZED, "gamma": GAMMA}
DOWN = {"delta": DELTA, "W": W, "normalized": NORMALIZED, "gamma": GAMMA, "g_prime": G}
UPDATE = {"delta": DELTA, "u_prev": U, "normalized": NORMALIZED, "gamma": GAMMA}

# Every public formula with arguments that fit.
FORMULAS = {
    baseline.cross_entropy: {"u": PROBABILITIES, "phi": LABELS},
    baseline.cross_entropy_from_logits: {"y": DELTA, "phi": LABELS},
    baseline.boundary_error: {"cost_u": DELTA, "g_prime": PROBABILITIES},
    baseline.output_error: {"u": PROBABILITIES, "phi": LABELS},
    baseline.affine: {"u_prev": U, "W": W, "b": GAMMA},
    baseline.weight_gradient: {"delta": DELTA, "u_prev": U},
    baseline.bias_gradient: {"delta": DELTA},
    baseline.previous_error: {"delta": DELTA, "W": W, "g_prime": G},
    sample_space.mixing_matrix: {"x_hat": NORMALIZED.x_hat[:, 0]},
    sample_space.mixing_eigenvalues: {"x_hat": NORMALIZED.x_hat[:, 0]},
    sample_space.mix: {"x_hat": NORMALIZED.x_hat, "v": DELTA},
    sample_space.single_neuron_residual: {"u": DELTA, "W": GAMMA, "eps": 0.1},
    sample_space.radial_weight_gradient: {
        "gamma_gradient": GAMMA,
        "gamma": GAMMA,
        "std": NORMALIZED.std,
        "eps": 0.1,
    },
    batchnorm.normalize: {"x": CASE.x, "eps": 0.1},
    batchnorm.forward: {"x": CASE.x, "gamma": GAMMA, "beta": CASE.beta, "eps": 0.1},
    batchnorm.kernel: {"normalized": NORMALIZED, "gamma": GAMMA},
    batchnorm.weight_jacobian: {"u_prev": U, "normalized": NORMALIZED, "gamma": GAMMA},
    batchnorm.backward: BACKWARD,
    batchnorm.input_error: BACKWARD,
    batchnorm.gamma_gradient: {"delta": DELTA, "normalized": NORMALIZED},
    batchnorm.beta_gradient: {"delta": DELTA},
    batchnorm.weight_gradient: UPDATE,
    batchnorm.previous_error: DOWN,
    geometry.standardize: {"v": DELTA},
    geometry.correlation: {"a": DELTA, "b": CASE.x},
    geometry.angle: {"a": DELTA, "b": CASE.x},
    geometry.sample_angles: {"delta": DELTA, "u_prev": U, "x": CASE.x},
    geometry.weight_gradient: UPDATE,
    geometry.baseline_weight_gradient: {"delta": DELTA, "u_prev": U},
    geometry.gamma_gradient: {"delta": DELTA, "normalized": NORMALIZED},
    propagation.previous_error_from_angles: DOWN,
    propagation.node_magnitude: {"delta": DELTA, "normalized": NORMALIZED},
    propagation.turned: {
        "delta": DELTA,
        "normalized": NORMALIZED,
        "theta1": np.linspace(0.5, 2.5, DELTA.shape[1]),
    },
}
ANGLES = {
    *(geometry.angle, geometry.sample_angles, geometry.weight_gradient),
    *(geometry.baseline_weight_gradient, geometry.gamma_gradient),
    *(propagation.previous_error_from_angles, propagation.node_magnitude, propagation.turned),
}


def named(function):
    return f"{function.__module__.removeprefix('bnnotes.')}.{function.__name__}"


every_formula = pytest.mark.parametrize("formula", FORMULAS, ids=named)
EVERY_ARRAY = [
    pytest.param(formula, name, id=f"{named(formula)}-{name}")
    for formula, arguments in FORMULAS.items()
    for name, value in arguments.items()
    if isinstance(value, np.ndarray)
]
every_array = pytest.mark.parametrize("formula, name", EVERY_ARRAY)


def call(formula, **changes):
    return formula(**{**FORMULAS[formula], **changes})


def refuses(formula, name, value):
    with pytest.raises(ValueError, match=rf"^{re.escape(name)}\b.*wanted"):
        call(formula, **{name: value})


def parts(result):
    """All arrays of a result."""
    if isinstance(result, tuple):
        return [array for part in result for array in parts(part)]
    return [np.asarray(result)]


def assert_equal(got, expected, exactly=True):
    got, expected = parts(got), parts(expected)
    for a, b in zip(got, expected, strict=True):
        if exactly:
            np.testing.assert_array_equal(a, b)
        else:
            np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-13)


def test_no_formula_is_left_out():
    modules = (baseline, batchnorm, geometry, propagation, sample_space)
    public = {f for module in modules for f in vars(module).values() if hasattr(f, "bare")}
    assert public - set(FORMULAS) == set()


# Wrong arguments.


@every_array
def test_wrong_rank(formula, name):
    value = FORMULAS[formula][name]
    refuses(formula, name, value[0])
    refuses(formula, name, value[np.newaxis])
    refuses(formula, name, 1.0)
    refuses(formula, name, None)


@every_array
def test_wrong_size(formula, name):
    """One row more or one column more than the other arguments have."""
    value = FORMULAS[formula][name]
    for axis in range(value.ndim):
        longer = np.concatenate([value, value.take([0], axis)], axis)
        sizes = {k: np.shape(v) for k, v in FORMULAS[formula].items() if isinstance(v, np.ndarray)}
        if len(FORMULAS[formula]) > 1 and not free(formula, name, axis):
            with pytest.raises(ValueError, match=r"^[\w.]+: got shape .* wanted .* as in [\w.]+$"):
                call(formula, **{name: longer})
        assert sizes
        empty = value[:0] if axis == 0 else value[:, :0]
        refuses(formula, name, empty)


def free(formula, name, axis):
    """Whether no other argument shares this size."""
    return (named(formula), name, axis) in {
        ("baseline.affine", "u_prev", 0),
        ("baseline.weight_gradient", "delta", 1),
        ("baseline.weight_gradient", "u_prev", 1),
        ("batchnorm.normalize", "x", 0),
        ("batchnorm.normalize", "x", 1),
        ("batchnorm.forward", "x", 0),
        ("batchnorm.weight_gradient", "u_prev", 1),
        ("batchnorm.weight_jacobian", "u_prev", 1),
        ("geometry.weight_gradient", "u_prev", 1),
        ("geometry.baseline_weight_gradient", "delta", 1),
        ("geometry.baseline_weight_gradient", "u_prev", 1),
        ("geometry.sample_angles", "u_prev", 1),
        ("sample_space.single_neuron_residual", "u", 0),
    }


@every_array
def test_no_number(formula, name):
    value = FORMULAS[formula][name]
    for wrong in (np.nan, np.inf, -np.inf):
        changed = value.copy()
        changed.flat[-1] = wrong
        refuses(formula, name, changed)
    refuses(formula, name, value.astype(object))
    refuses(formula, name, value.astype(str))
    refuses(formula, name, np.full(value.shape, "2020-01-01", "datetime64[D]"))
    refuses(formula, name, np.ma.array(value, mask=value > 0))
    if value.ndim == 2:
        refuses(formula, name, [[1.0, 2.0], [3.0]])


@pytest.mark.parametrize("formula", sorted(ANGLES, key=named), ids=named)
def test_angles_are_real(formula):
    for name, value in FORMULAS[formula].items():
        if isinstance(value, np.ndarray):
            with pytest.raises(ValueError, match=rf"^{name}: got complex numbers, wanted real"):
                call(formula, **{name: value + 0j})
    if "normalized" in FORMULAS[formula]:
        shifted = NORMALIZED._replace(x_hat=NORMALIZED.x_hat + 0j)
        with pytest.raises(ValueError, match=r"^normalized\.x_hat: got complex"):
            call(formula, normalized=shifted)


@pytest.mark.parametrize(
    "formula", [f for f, arguments in FORMULAS.items() if "normalized" in arguments], ids=named
)
def test_normalized(formula):
    refuses(formula, "normalized", NORMALIZED.x_hat)
    refuses(formula, "normalized", None)
    refuses(formula, "normalized", (1, 2, 3))
    refuses(formula, "normalized", NORMALIZED._replace(std=NORMALIZED.std * 0))
    refuses(formula, "normalized", NORMALIZED._replace(std=NORMALIZED.std[:1]))
    refuses(formula, "normalized", NORMALIZED._replace(x_hat=NORMALIZED.x_hat * np.nan))
    other = layer(6, 3, 3)
    with pytest.raises(ValueError, match=r"wanted .* with n = "):
        call(formula, normalized=batchnorm.normalize(other.x))
    other = layer(7, 3, 2)
    if formula is not batchnorm.kernel:
        with pytest.raises(ValueError, match=r"wanted .* with M_B = "):
            call(formula, normalized=batchnorm.normalize(other.x))


@pytest.mark.parametrize(
    "formula", [f for f, arguments in FORMULAS.items() if "eps" in arguments], ids=named
)
@pytest.mark.parametrize(
    "eps", [-1e-9, np.nan, np.inf, "0.1", None, 1j, np.complex128(1), [0.1], np.array([0.1]), []]
)
def test_eps(formula, eps):
    refuses(formula, "eps", eps)


@every_array
def test_a_constant_feature(formula, name):
    """At eps = 0 it has no direction; formulas that only add and multiply take it."""
    value = FORMULAS[formula][name]
    divides = {
        ("batchnorm.normalize", "x"),
        ("batchnorm.forward", "x"),
        ("sample_space.single_neuron_residual", "u"),
        ("geometry.standardize", "v"),
        ("geometry.correlation", "a"),
        ("geometry.correlation", "b"),
        ("geometry.angle", "a"),
        ("geometry.angle", "b"),
        *((named(f), n) for f in ANGLES for n in ("delta", "u_prev", "x")),
    }
    for constant in (0.0, 0.1, 1e8 / 3):
        changed = value.copy()
        changed[..., -1] = constant
        eps = {"eps": 0.0} if "eps" in FORMULAS[formula] else {}
        if (named(formula), name) in divides:
            shown = "W u" if "single" in named(formula) else name
            message = rf"^{shown}: column \d is constant over the samples"
            with pytest.raises(ValueError, match=message):
                call(formula, **{name: changed}, **eps)
        if eps and (named(formula), name) in divides:
            # With eps it is usable, however small eps is.
            for small in (0.1, 1e-12, 1e-30):
                assert all(
                    np.isfinite(a).all()
                    for a in parts(call(formula, **{name: changed, "eps": small}))
                )


def test_one_sample():
    """M_B = 1: no x̂ at eps = 0, x̂ = 0 and a gradient of exactly 0 at eps > 0."""
    x = np.array([[3.0, -2.0]])
    with pytest.raises(ValueError, match=r"^x: M_B = 1, so the standard deviation is 0.*eps > 0"):
        batchnorm.normalize(x)
    normalized = batchnorm.normalize(x, 0.1)
    np.testing.assert_array_equal(normalized.x_hat, 0)
    for f in (batchnorm.input_error, batchnorm.backward):
        assert (parts(f(x, normalized, [1.0, 1.0]))[0] == 0).all()
    np.testing.assert_array_equal(batchnorm.weight_gradient(x, x, normalized, [1.0, 1.0]), 0)
    with pytest.raises(ValueError, match=r"^delta: M_B = 1"):
        geometry.gamma_gradient(x, normalized)
    np.testing.assert_array_equal(sample_space.mixing_matrix([0.0]), [[0.0]])
    np.testing.assert_array_equal(sample_space.mixing_eigenvalues([0.0]), [0.0])


@pytest.mark.parametrize("outside", [-0.01, 1.01, 7.0])
def test_labels_outside_of_0_to_1(outside):
    phi = LABELS.copy()
    phi[2, 1] = outside
    for f, first in (
        (baseline.cross_entropy, PROBABILITIES),
        (baseline.cross_entropy_from_logits, DELTA),
    ):
        with pytest.raises(ValueError, match=rf"^phi: got {outside:g} at index \(2, 1\)"):
            f(first, phi)
    with pytest.raises(ValueError, match=r"^u: got .* wanted \[0, 1\]"):
        baseline.cross_entropy(phi, LABELS)


# Arguments that fit, in every form that they can have.


@every_array
def test_other_forms(formula, name):
    value = FORMULAS[formula][name]
    expected = call(formula)
    read_only = value.copy()
    read_only.flags.writeable = False
    assert_equal(call(formula, **{name: read_only}), expected)
    assert_equal(call(formula, **{name: value.tolist()}), expected)
    assert_equal(call(formula, **{name: value.astype(value.dtype.newbyteorder())}), expected)
    # Another order in memory can change the order of a sum.
    assert_equal(call(formula, **{name: np.asfortranarray(value)}), expected, exactly=False)
    strided = np.repeat(value, 3, axis=-1)[..., ::3]
    assert not strided.flags.c_contiguous
    assert_equal(call(formula, **{name: strided}), expected, exactly=False)
    backwards = value[::-1].copy()[::-1]
    assert_equal(call(formula, **{name: backwards}), expected, exactly=False)


@every_array
def test_integers(formula, name):
    value = np.round(4 * FORMULAS[formula][name]).astype(int)
    if name in ("u", "phi", "x_hat", "std") and "sample_space.single" not in named(formula):
        value = (np.abs(FORMULAS[formula][name]) > 0.1).astype(int)
    if named(formula) == "baseline.cross_entropy":
        value = LABELS.astype(int)
        both = {"u": value, "phi": value}
        assert baseline.cross_entropy(**both) == 0
        return
    for integers in (value, value.astype(np.int8), value.tolist()):
        got = call(formula, **{name: integers})
        assert_equal(got, call(formula, **{name: value.astype(float)}))
        assert all(part.dtype == np.float64 for part in parts(got))


@every_formula
def test_arguments_are_not_changed(formula):
    arguments = copy.deepcopy(FORMULAS[formula])
    first = copy.deepcopy(call(formula))
    result = formula(**arguments)
    for name, value in arguments.items():
        assert_equal(value, FORMULAS[formula][name])
    # And what comes back is the caller's: writing into it changes no argument.
    for part in parts(result):
        if part.ndim:
            part[...] = -1.0
    for name, value in arguments.items():
        assert_equal(value, FORMULAS[formula][name])
    assert_equal(call(formula), first)


@every_formula
def test_float32_stays(formula):
    def low(value):
        if isinstance(value, tuple):
            return value._replace(**{k: low(v) for k, v in value._asdict().items()})
        return value.astype(np.float32) if isinstance(value, np.ndarray) else value

    result = formula(**{name: low(value) for name, value in FORMULAS[formula].items()})
    for part in parts(result):
        assert part.dtype == np.float32


@pytest.mark.parametrize("formula", [f for f in FORMULAS if f not in ANGLES], ids=named)
def test_the_complex_step_goes_through(formula):
    """No conjugate, no absolute value: along a random direction of all arguments at once."""
    arguments, rng = FORMULAS[formula], np.random.default_rng(0)

    def direction(value):
        if isinstance(value, tuple):
            return value._replace(**{k: direction(v) for k, v in value._asdict().items()})
        return rng.normal(size=np.shape(value)) if isinstance(value, np.ndarray) else None

    def moved(value, along, h):
        if isinstance(value, tuple):
            pairs = zip(value, along, strict=True)
            return value._replace(
                **dict(zip(value._fields, (moved(v, a, h) for v, a in pairs), strict=True))
            )
        return value if along is None else value + h * along

    # Labels stay, at the ends of [0, 1].
    along = {name: None if name == "phi" else direction(v) for name, v in arguments.items()}

    def at(h):
        return parts(formula(**{name: moved(v, along[name], h) for name, v in arguments.items()}))

    for above, below, complex_step in zip(at(1e-6), at(-1e-6), at(1e-30j), strict=True):
        np.testing.assert_allclose(
            complex_step.imag / 1e-30, (above - below) / 2e-6, rtol=1e-6, atol=1e-6
        )


@every_formula
def test_huge_numbers(formula):
    """Finite, or a message: never a warning, and never inf or nan."""
    for name, value in FORMULAS[formula].items():
        if not isinstance(value, np.ndarray):
            continue
        for scale in (1e100, 1e200, 1e307):
            changed = value / np.abs(value).max() * scale
            try:
                result = call(formula, **{name: changed})
            except ValueError as error:
                assert re.match(r"[\w. ]+: .*wanted", str(error))
            else:
                assert all(np.isfinite(part).all() for part in parts(result))


@every_formula
def test_tiny_numbers(formula):
    for name, value in FORMULAS[formula].items():
        if not isinstance(value, np.ndarray):
            continue
        for scale in (1e-100, 1e-200, 1e-307):
            changed = value / np.abs(value).max() * scale
            eps = {"eps": 0.0} if "eps" in FORMULAS[formula] else {}
            try:
                result = call(formula, **{name: changed}, **eps)
            except ValueError as error:
                assert re.match(r"[\w. ]+: .*wanted", str(error))
            else:
                assert all(np.isfinite(part).all() for part in parts(result))


# Networks.


def made(batch_norm=True, eps=0.0):
    net = network.create([3, 4, 2], batch_norm=batch_norm, activation="tanh", eps=eps, rng=0)
    rng = np.random.default_rng(1)
    return net, rng.normal(size=(12, 3)), (rng.random((12, 2)) < 0.5).astype(float)


@pytest.mark.parametrize(
    "changes, name",
    [
        ({"sizes": [3]}, "sizes"),
        ({"sizes": []}, "sizes"),
        ({"sizes": 3}, "sizes"),
        ({"sizes": None}, "sizes"),
        ({"sizes": [3, 0]}, "sizes"),
        ({"sizes": [3, -1]}, "sizes"),
        ({"sizes": [3, 2.5]}, "sizes"),
        ({"sizes": [3, "4"]}, "sizes"),
        ({"sizes": [3, True]}, "sizes"),
        ({"activation": "softplus"}, "activation"),
        ({"activation": None}, "activation"),
        ({"eps": -1.0}, "eps"),
        ({"eps": np.nan}, "eps"),
    ],
)
def test_create(changes, name):
    arguments = {"sizes": [3, 2], "batch_norm": True, "activation": "relu", "eps": 0.0, "rng": 0}
    arguments.update(changes)
    with pytest.raises(ValueError, match=rf"^{name}: got .*wanted"):
        network.create(arguments.pop("sizes"), **arguments)


WRONG_INPUTS = [
    ({"psi": np.zeros(3)}, "psi"),
    ({"psi": np.zeros((12, 4))}, "psi"),
    ({"psi": np.zeros((0, 3))}, "psi"),
    ({"psi": np.full((12, 3), np.nan)}, "psi"),
    ({"psi": np.full((12, 3), None)}, "psi"),
    ({"psi": [[1.0, 2.0, 3.0], [1.0]]}, "psi"),
    ({"psi": np.ma.masked_less(np.ones((12, 3)), 2)}, "psi"),
]
WRONG_LABELS = [
    ({"phi": np.zeros((12, 1))}, "phi"),
    ({"phi": np.zeros((11, 2))}, "phi"),
    ({"phi": np.zeros(12)}, "phi"),
    ({"phi": np.full((12, 2), 2.0)}, "phi"),
    ({"phi": np.full((12, 2), -1)}, "phi"),
    ({"phi": np.full((12, 2), np.nan)}, "phi"),
]
WRONG_TRAINING = [
    ({"learning_rate": -0.1}, "learning_rate"),
    ({"learning_rate": np.nan}, "learning_rate"),
    ({"learning_rate": "fast"}, "learning_rate"),
    ({"learning_rate": [0.1]}, "learning_rate"),
    ({"batch_size": 13}, "batch_size"),
    ({"batch_size": 0}, "batch_size"),
    ({"batch_size": 4.0}, "batch_size"),
    ({"batch_size": True}, "batch_size"),
    ({"epochs": -1}, "epochs"),
    ({"epochs": 1.5}, "epochs"),
]


@pytest.mark.parametrize("changes, name", WRONG_INPUTS + WRONG_LABELS)
def test_cost_and_gradients(changes, name):
    net, psi, phi = made()
    with pytest.raises(ValueError, match=rf"^{name}: got .*wanted"):
        network.cost_and_gradients(net, **{"psi": psi, "phi": phi, **changes})


@pytest.mark.parametrize("changes, name", WRONG_INPUTS)
def test_predict(changes, name):
    net, psi, _ = made()
    statistics = network.population_statistics(net, psi)
    for f in (
        lambda psi: network.predict(net, psi),
        lambda psi: network.predict(net, psi, statistics),
        lambda psi: network.population_statistics(net, psi),
    ):
        with pytest.raises(ValueError, match=rf"^{name}: got .*wanted"):
            f(changes["psi"])


@pytest.mark.parametrize("changes, name", WRONG_INPUTS + WRONG_LABELS + WRONG_TRAINING)
def test_train(changes, name):
    net, psi, phi = made()
    before = net.layers
    settings = {"learning_rate": 0.1, "batch_size": 4, "epochs": 1, "rng": 0}
    with pytest.raises(ValueError, match=rf"^{name}: got .*wanted"):
        network.train(net, **{"psi": psi, "phi": phi, **settings, **changes})
    assert net.layers is before


def test_statistics():
    net, psi, _ = made()
    statistics = network.population_statistics(net, psi)
    mean, std = statistics[0]
    bare, _, _ = made(batch_norm=False)
    for wrong, name in (
        (statistics[:1], "statistics"),
        ([(mean[:1], std), statistics[1]], "statistics"),
        ([(mean, std[:1]), statistics[1]], "statistics"),
        ([(mean, 0 * std), statistics[1]], "statistics"),
        ([(mean * np.nan, std), statistics[1]], "statistics"),
    ):
        with pytest.raises(ValueError, match=rf"^{name}.*: got .*wanted"):
            network.predict(net, psi, wrong)
    with pytest.raises(ValueError, match=r"^statistics\[0\]: got .* wanted None"):
        network.predict(bare, psi, statistics)


def test_one_sample_in_a_network():
    net, psi, phi = made()
    for f in (
        lambda: network.cost_and_gradients(net, psi[:1], phi[:1]),
        lambda: network.predict(net, psi[:1]),
        lambda: network.population_statistics(net, psi[:1]),
    ):
        with pytest.raises(ValueError, match=r"^layer 1, neuron 0: x: M_B = 1"):
            f()
    settings = {"learning_rate": 0.1, "epochs": 1, "rng": 0}
    with pytest.raises(ValueError, match=r"^step 0, layer 1, neuron 0: x: M_B = 1"):
        network.train(net, psi, phi, batch_size=1, **settings)
    net, psi, phi = made(eps=0.1)
    cost, gradients = network.cost_and_gradients(net, psi[:1], phi[:1])
    assert np.isfinite(cost)
    assert all((gradient.W == 0).all() for gradient in gradients)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("scale", [1e155, 1e200, 1e307])
def test_huge_inputs_of_a_network(scale, batch_norm):
    net, psi, phi = made(batch_norm)
    psi = psi / np.abs(psi).max() * scale
    for f in (
        lambda: network.cost_and_gradients(net, psi, phi)[0],
        lambda: network.predict(net, psi),
        lambda: network.train(net, psi, phi, learning_rate=0.1, batch_size=4, epochs=1, rng=0).cost,
    ):
        try:
            result = f()
        except ValueError as error:
            assert batch_norm and re.search("variance of column . overflows", str(error))
        else:
            assert np.isfinite(result).all()


@pytest.mark.parametrize("batch_norm", [False, True])
def test_other_forms_of_data(batch_norm):
    net, psi, phi = made(batch_norm)
    psi = np.round(8 * psi)
    cost, gradients = network.cost_and_gradients(net, psi, phi)
    frozen = psi.copy()
    frozen.flags.writeable = False
    for same_psi, same_phi in (
        (psi.astype(int), phi.astype(int)),
        (psi.tolist(), phi.astype(bool)),
        (np.asfortranarray(psi), np.asfortranarray(phi)),
        (np.repeat(psi, 2, axis=0)[::2], phi),
        (frozen, phi),
    ):
        again, same = network.cost_and_gradients(net, same_psi, same_phi)
        assert again == pytest.approx(cost, rel=1e-13)
        for a, b in zip(gradients, same, strict=True):
            for name, value in vars(a).items():
                np.testing.assert_allclose(vars(b)[name], value, rtol=1e-11, atol=1e-13)
    network.train(net, frozen, phi, learning_rate=0.1, batch_size=4, epochs=2, rng=0)
    np.testing.assert_array_equal(frozen, psi)
