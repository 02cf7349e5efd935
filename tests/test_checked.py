"""Every public formula with everything that a reader may hand in; arguments from its signature.

Warnings are errors here as everywhere, so that whatever happens below happens without a word of
numpy.
"""

import importlib
import inspect
import math
import pkgutil
import re
import threading
from pathlib import Path

import numpy as np
import pytest
from cases import plain_hat

import bnnotes
from bnnotes import baseline, batchnorm, normalizers, sample_space
from bnnotes.checked import (
    FORMULAS,
    Array,
    ConstantFeature,
    NonNegative,
    UnusableFeature,
    checked,
    choice,
    count,
    float_dtype,
    function,
    generator,
    instance,
    limits,
    number,
    require_variance,
    shown,
    unchecked,
)

SIZES = {"M_B": 6, "n": 2, "n_prev": 3, "k": 3, "parts": 1, "groups": 2}
# Each module of the folder enters its formulas into the list.
for module in pkgutil.iter_modules(bnnotes.__path__, "bnnotes."):
    importlib.import_module(module.name)
# The methods of one normalizer stand for those of all.
FORMULAS += [getattr(normalizers.batch_norm, name) for name in ("forward", "backward", "mix")]


def named(formula):
    if inspect.ismethod(formula):
        return f"normalizers.batch_norm.{formula.__name__}"
    return f"{formula.__module__.removeprefix('bnnotes.')}.{formula.__name__}"


# Arguments that fit.


def tokens(shape):
    """The names of the axes; further axes are none here."""
    return (
        ["M_B", "n"]
        if shape == "..."
        else re.split(" in | > |, st", shape)[0].removesuffix(" ...").split()
    )


def array(name, shape):
    """Random entries, another for each name; but labels agree with predictions."""
    size = [SIZES[token.removeprefix("1|")] for token in tokens(shape)]
    if " in " in shape:
        return np.random.default_rng(0).uniform(0.1, 0.9, size)
    entries = np.random.default_rng(list(name.encode())).normal(0.3, 1.0, size)
    if name == "frame":
        return np.linalg.qr(entries - entries.mean(axis=0))[0]
    if "standardized" in shape:
        return plain_hat(entries)
    return np.abs(entries) + 0.5 if " > " in shape else entries


def value(name, wanted):
    if isinstance(wanted, type):
        x = array("x", "M_B n")
        if wanted is normalizers.Normalized:
            return normalizers.batch_norm.forward(x, [1, 1], [0, 0])[1]
        return batchnorm.normalize(x)
    return 0.1 if wanted[0] == ">= 0" else array(name, wanted[0])


def arguments(formula):
    """A call that works; what the decorator does not know is a number."""
    parameters = inspect.signature(formula).parameters
    known = {name: value(name, wanted) for name, wanted in formula.wanted.items()}
    others = {n: 0.5 for n, p in parameters.items() if n not in known and p.default is p.empty}
    return known | others


def arrays(formula):
    """The shape of each array, those of a `Normalized` by a name with a dot."""
    for name, wanted in formula.wanted.items():
        if isinstance(wanted, type):
            for field, kind in inspect.get_annotations(wanted).items():
                if kind is not NonNegative:
                    yield f"{name}.{field}", kind.__metadata__[0]
        elif wanted[0] != ">= 0":
            yield name, wanted[0]


def replaced(given, path, new):
    """The arguments with one array replaced: new(array)."""
    name, _, field = path.partition(".")
    if not field:
        return given | {name: new(given[name])}
    return given | {name: given[name]._replace(**{field: new(getattr(given[name], field))})}


def parts(result):
    if isinstance(result, tuple):
        return [part for each in result for part in parts(each)]
    return [np.asarray(result)]


def assert_same(got, expected, tolerance=0.0):
    for a, b in zip(parts(got), parts(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * max(1, np.abs(b).max()))


# What is refused.


def with_entry(entry):
    def changed(v):
        v = v.copy()
        v[(-1,) * v.ndim] = entry
        return v

    return changed


def longer(axis, shape):
    """By two: a single column and one more could be the two features. Twice, x̂ stays one."""
    doubled = "standardized" in shape
    return lambda v: np.concatenate([v, v if doubled else v.take([0, 0], axis)], axis)


class Tensor:
    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("it requires grad")


WRONG = {
    "NaN": with_entry(math.nan),
    "inf": with_entry(-math.inf),
    "words": lambda v: v.astype(str),
    "a word": lambda v: "delta",
    "nothing": lambda v: None,
    "objects": lambda v: v.astype(object),
    "a mask": lambda v: np.ma.array(v, mask=False),
    "rows of different lengths": lambda v: [[1.0], [1.0, 2.0]],
    "an axis too many": lambda v: v[np.newaxis],
    "an axis too few": lambda v: v[0],
    "a number": lambda v: 1.0,
    "no sample": lambda v: v[:0],
    "a tensor that will not be read": lambda v: Tensor(),
}
ANY_SHAPE = "an axis too many", "an axis too few", "a number", "no sample"
CASES = [
    pytest.param(formula, path, shape, id=f"{named(formula)}-{path}")
    for formula in FORMULAS
    for path, shape in arrays(formula)
]


def refusal(formula, given):
    with pytest.raises(ValueError) as caught:
        formula(**given)
    assert re.match(r"[\w. ]+: .*wanted ", str(caught.value))
    return str(caught.value)


@pytest.mark.parametrize("formula, path, shape", CASES)
def test_wrong_arrays(formula, path, shape):
    given = arguments(formula)
    for what, wrong in WRONG.items():
        if "..." not in shape or what not in ANY_SHAPE:
            assert refusal(formula, replaced(given, path, wrong)).startswith(f"{path}: got "), what
    if " in " in shape:
        assert "wanted [0, 1]" in refusal(formula, replaced(given, path, with_entry(2.0)))
    if " > " in shape:
        assert "wanted all > 0" in refusal(formula, replaced(given, path, with_entry(0.0)))
    if "standardized" in shape:
        for wrong in (lambda v: v + 0.1, lambda v: 1.1 * v):
            says = refusal(formula, replaced(given, path, wrong))
            assert "wanted x̂, of mean 0 and mean square at most 1" in says
    if formula.real:
        says = refusal(formula, replaced(given, path, lambda v: v + 0j))
        assert says == f"{path}: got complex numbers, wanted real ones"


@pytest.mark.parametrize("formula, path, shape", CASES)
def test_sizes_that_disagree(formula, path, shape):
    others = [tokens(s) for p, s in arrays(formula) if p != path]
    for axis, token in enumerate(tokens(shape)):
        if any(token.removeprefix("1|") in map(lambda t: t.removeprefix("1|"), o) for o in others):
            says = refusal(formula, replaced(arguments(formula), path, longer(axis, shape)))
            assert re.match(r"[\w.]+: got shape .* wanted .* on axis \d, as in [\w.]+$", says)


@pytest.mark.parametrize("formula", FORMULAS, ids=named)
def test_wrong_settings(formula):
    for name, wanted in formula.wanted.items():
        if isinstance(wanted, type):
            for wrong in (np.ones((6, 2)), None, (1, 2, 3), "delta"):
                says = refusal(formula, arguments(formula) | {name: wrong})
                assert says.endswith(f"wanted a {wanted.__name__}")
        elif wanted[0] == ">= 0":
            for wrong in (-1e-9, math.nan, math.inf, "0.1", None, 1j, [0.1], np.ones(1)):
                says = refusal(formula, arguments(formula) | {name: wrong})
                assert re.match(rf"{name}: got .*, wanted a finite number >= 0$", says)


@pytest.mark.parametrize("formula", FORMULAS, ids=named)
@pytest.mark.parametrize("what", ["a constant feature", "one sample"])
def test_no_variance(formula, what):
    """A formula that divides by the standard deviation says so; the others give a result."""

    def changed(v):
        return v[:1] if what == "one sample" else v * [0, 1] + [0.1, 0] if len(v.T) == 2 else v

    given = {n: 0.0 if n == "eps" else v for n, v in arguments(formula).items()}
    for path, shape in arrays(formula):
        if tokens(shape)[0] == "M_B" and (what == "one sample" or tokens(shape)[-1] == "n"):
            given = replaced(given, path, changed)
    try:
        result = formula(**given)
    except ValueError as error:
        why = r"column 0 is constant over the samples|M_B = 1|1 sample|that vary|along x̂"
        why += r"|1 entry|constant entries|of mean .* mean square"
        assert re.search(rf"({why}).*wanted", str(error)), error
    else:
        assert all(np.isfinite(part).all() for part in parts(result))


# What is taken.


def read_only(v):
    v = v.copy()
    v.flags.writeable = False
    return v


FORMS = {
    "read-only": read_only,
    "lists": np.ndarray.tolist,
    "by columns": np.asfortranarray,
    "with gaps": lambda v: np.repeat(v, 3, axis=-1)[..., ::3],
    "backwards": lambda v: v[::-1].copy()[::-1],
    "integers": lambda v: np.ceil(2 * np.abs(v)).astype(int) * np.sign(v).astype(int),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("formula", FORMULAS, ids=named)
def test_other_forms(formula, form):
    given = plain = arguments(formula)
    for path, shape in arrays(formula):
        make = FORMS[form]
        if form == "integers" and " in " in shape:
            make = lambda v: (v > 0.5).astype(int)  # noqa: E731
        if form == "integers" and "standardized" in shape:
            make = lambda v: np.ones_like(v, int) - 2 * (np.indices(v.shape)[0] % 2)  # noqa: E731
        if form == "integers" and path == "frame":
            make = np.copy  # no integers are of length 1 and mean 0
        given = replaced(given, path, make)
        plain = replaced(plain, path, lambda v, make=make: np.array(make(v), float, order="C"))
    result = formula(**given)
    # Another order in memory can change the order of a sum.
    assert_same(result, formula(**plain), 1e-12)
    assert all(part.dtype == np.float64 for part in parts(result))


@pytest.mark.parametrize("order", "<>")
def test_half_precision_is_widened_in_either_byte_order(order):
    x = np.array([[1.0], [2.0], [4.0]])
    normalized = batchnorm.normalize(x.astype(f"{order}f2"))
    assert_same(normalized, batchnorm.normalize(x), 0)
    assert all(part.dtype == np.float64 for part in parts(normalized))


@pytest.mark.parametrize("formula", FORMULAS, ids=named)
def test_float32_stays(formula):
    given = arguments(formula)
    for path, _ in arrays(formula):
        given = replaced(given, path, lambda v: v.astype(np.float32))
    result = formula(**given)
    assert all(part.dtype == np.float32 for part in parts(result) if part.ndim)
    assert_same(result, formula(**arguments(formula)), 1e-4)


@pytest.mark.parametrize("formula", FORMULAS, ids=named)
def test_the_arguments_stay_and_the_result_is_the_callers(formula):
    given = arguments(formula)
    handed = [part for v in given.values() for part in parts(v)]
    before = [part.copy() for part in handed]
    for part in parts(formula(**given)):
        assert not any(np.may_share_memory(part, array) for array in handed)
    for part, kept in zip(handed, before, strict=True):
        np.testing.assert_array_equal(part, kept)


@pytest.mark.parametrize("formula", FORMULAS, ids=named)
def test_huge_and_tiny_numbers(formula):
    """A finite result, or words; never NaN, and no warning of numpy."""
    for path, shape in arrays(formula):
        if " in " not in shape:
            for scale in (1e300, 1e-300):
                try:
                    result = formula(**replaced(arguments(formula), path, lambda v: scale * v))  # noqa: B023
                except ValueError as error:
                    why = "overflow|underflow|constant|that vary|x̂|not orthonormal"
                    assert re.search(why, str(error)), error
                else:
                    assert all(np.isfinite(part).all() for part in parts(result))


# The list of formulas.


def test_every_public_formula_is_tested_by_name():
    tests = {path: path.read_text() for path in Path(__file__).parent.glob("test_*.py")}
    del tests[Path(__file__)]
    for formula in FORMULAS:
        if not formula.__name__.startswith("_"):
            found = re.compile(rf"\b{re.escape(named(formula))}\b")
            assert any(map(found.search, tests.values())), f"no test calls {named(formula)}"


def test_every_function_of_a_formula_module_is_checked():
    """But for those parts that the formulas of several modules share."""
    parts = {"sample_mean", "mean_and_rest", "center", "divide_by_std"}
    for module in (baseline, batchnorm, sample_space):
        for name, f in vars(module).items():
            if inspect.isfunction(f) and f.__module__ == module.__name__ and name[0] != "_":
                assert (f in FORMULAS) != (name in parts), name


# The decorator.


@checked
def halved(v: Array["M_B n"], eps: NonNegative = 0.0):
    return v / 2 + eps


@checked
def quartered(v: "Array['M_B n']"):
    # Not what it takes: inside of a formula nothing is checked.
    assert np.isnan(halved(np.array([math.nan]), -1.0)).all()
    return halved(halved(v))


FORMULAS.remove(halved)
FORMULAS.remove(quartered)


def test_the_outermost_call_alone_is_checked():
    assert quartered([[4, 8]]).tolist() == [[1, 2]]
    with pytest.raises(ValueError, match=r"^v: got shape \(1,\), wanted \(M_B, n\)$"):
        quartered([1.0])
    assert np.isnan(unchecked(halved, math.nan))
    with pytest.raises(ValueError, match=r"^v: got "):
        halved(math.nan)


def test_another_thread_is_outside():
    said = []

    def other():
        with pytest.raises(ValueError) as caught:
            halved("v")
        said.append(str(caught.value))

    def inside():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()

    # A new thread has a context of its own.
    unchecked(inside)
    assert said == ["v: got a str, wanted an array of numbers"]


def test_an_interrupt_leaves_the_checks_on():
    def interrupted():
        raise KeyboardInterrupt

    before = np.geterr()
    with pytest.raises(KeyboardInterrupt):
        unchecked(interrupted)
    with pytest.raises(ValueError, match=r"^v: got "):
        halved("v")
    assert np.geterr() == before


def test_it_reads_as_the_function_that_it_is():
    assert halved.__name__ == "halved"
    assert list(inspect.signature(halved).parameters) == ["v", "eps"]
    with pytest.raises(TypeError, match="missing a required argument: 'v'"):
        halved()


@pytest.mark.parametrize(
    ("name", "scale", "what", "wanted"),
    [
        ("delta", 1e200, "up to 1.0e+200", "smaller"),
        ("gamma", 1e200, "up to 1.0e+200", "smaller"),
        ("normalized.std", 1e-309, "down to 1.0e-309", "larger"),
    ],
)
def test_the_likely_reason_of_an_overflow_is_named(name, scale, what, wanted):
    x_hat, std = np.array([[1.0], [-1.0], [0.0]]), np.array([1e-120])
    given = {
        "delta": np.array([[1.0], [0.0], [0.0]]),
        "normalized": batchnorm.Normalized(x_hat, np.zeros(1), std),
        "gamma": np.ones(1),
    }
    says = said(batchnorm.input_error, **replaced(given, name, lambda v: v * (scale / v.max())))
    assert says == f"{name}: got entries {what}, and the result overflows; wanted {wanted}"


# What is refused beside arrays.


def said(refuse, *args, **kwargs):
    with pytest.raises(ValueError) as caught:
        refuse(*args, **kwargs)
    return str(caught.value)


def test_a_value_is_shown_in_one_line_of_at_most_60_characters():
    assert shown(np.array([[1], [2]])) == "array([[1], [2]])"
    assert shown("x" * 58) == f"'{'x' * 58}'"
    assert shown("x" * 59) == f"'{'x' * 56}..."
    assert shown(10**5000) == "<int>"  # Python refuses to write it


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["a"], "'a'"),
        (["a", "b", "c"], "'a', 'b' or 'c'"),
        (["a", "b", "c", "d"], "one of a, b, c, d"),
        (["a, b", "c", "d", "e"], "one of a, b; c; d; e"),
    ],
)
def test_a_choice_names_all_options(options, wanted):
    assert said(choice, "kind", "z", options) == f"kind: got 'z', wanted {wanted}"
    assert choice("kind", options[0], options) == options[0]


@pytest.mark.parametrize(
    ("refuse", "more", "wanted"),
    [
        (number, (), "a finite number >= 0"),
        (instance, (float, "a float"), "a float"),
        (function, (), "a function"),
        (generator, (), "a numpy.random.Generator or an integer >= 0"),
        (float_dtype, (), "float64, float32 or longdouble"),
        (count, (), "an integer >= 1"),
    ],
)
def test_what_was_got_is_shown(refuse, more, wanted):
    assert said(refuse, "x", "this", *more) == f"x: got 'this', wanted {wanted}"


def test_settings_that_fit():
    assert number("x", np.float32(0.5)) == number("x", -0.5, minimum=-1) + 1 == 0.5
    assert count("x", np.int8(3), minimum=3) == 3
    assert generator("x", [1, 2]).random() == np.random.default_rng([1, 2]).random()
    assert float_dtype("x", "float32") == float_dtype("x", np.float32) == np.float32
    for wrong in (True, 2.0, 0, 10**400):
        assert said(count, "x", wrong).startswith("x: got ")
    for wrong in (None, int, np.float16, complex, np.array([1, 2]), "no dtype"):
        assert said(float_dtype, "x", wrong).startswith("x: got ")
    for wrong in (None, [], -1, [1, -1], True):
        assert said(generator, "x", wrong).startswith("x: got ")


# Features that cannot be divided by their standard deviation.


def test_an_unusable_feature_names_its_neuron():
    v = np.array([[0.0, 1.0, 5.0], [1.0, 1.0, 7.0]])
    for bad, kind, eps in [(0.0, ConstantFeature, 0.0), (math.inf, UnusableFeature, 1.0)]:
        with pytest.raises(kind) as caught:
            require_variance("v", v, v.mean(axis=0), np.array([0.5, bad, 1.0]), eps)
        assert caught.value.neuron == 1
        assert "column 1 " in str(caught.value)


def test_of_two_unusable_features_the_second_is_found_where_eps_saves_the_first():
    v = np.array([[0.0, 1.0], [0.0, 2.0]])
    with pytest.raises(UnusableFeature) as caught:
        require_variance("v", v, v.mean(axis=0), np.array([1e-300, math.inf]), 1e-6)
    assert caught.value.neuron == 1


@pytest.mark.parametrize("noise", [1e-9, 2e-9])
def test_a_feature_that_varies_as_its_rounding_is_constant(noise):
    v, std = np.array([[0.0, 1.0], [1.0, 1 + 2e-9]]), np.array([0.5, 1e-9])
    with pytest.raises(ConstantFeature) as caught:
        require_variance("v", v, v.mean(axis=0), std, noise=lambda: np.array([0.0, noise]))
    assert caught.value.neuron == 1
    says = "column 1 is constant over the samples up to rounding; wanted eps > 0"
    assert says in str(caught.value)
    require_variance("v", v, v.mean(axis=0), std)
    require_variance("v", v, v.mean(axis=0), std, noise=lambda: np.array([0.0, 5e-10]))


def test_a_feature_whose_variance_just_vanishes_is_constant():
    smallest = limits(np.dtype(float))[2]
    v, std = np.array([[0.0, -smallest], [1.0, smallest]]), np.array([0.5, smallest])
    assert said(require_variance, "v", v, np.zeros(2), std) == (
        "v: column 1 varies so little that its variance underflows; "
        "wanted eps > 0 or larger numbers"
    )


@pytest.mark.parametrize(("std", "mean"), [(1.0, 1.5), (0.5, 0.6), (20.0, 21.0)])
def test_the_rounding_decides_where_the_mean_hides_the_variance(std, mean):
    std = np.array([std * limits(np.dtype(float))[1]])
    v = mean + np.array([[-1.0], [1.0]]) * std
    with pytest.raises(ConstantFeature, match="up to rounding"):
        require_variance("v", v, np.array([mean]), std, noise=lambda: 2 * std)
