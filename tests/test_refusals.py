"""What a refusal says: which argument, what it got, what would be right."""

import math
from typing import NamedTuple

import numpy as np
import pytest

from bnnotes import _validation, batchnorm
from bnnotes._validation import ConstantFeature, UnusableFeature, require_variance, shown


def said(refuse, *args, **kwargs):
    with pytest.raises(ValueError) as caught:
        refuse(*args, **kwargs)
    return str(caught.value)


class Silent:
    def __repr__(self):
        raise RuntimeError


class Normalized(NamedTuple):
    x_hat: np.ndarray
    std: np.ndarray


def test_a_value_is_shown_in_one_line_of_at_most_60_characters():
    assert shown("a\n b") == repr("a\n b")
    assert shown(np.array([[1], [2]])) == "array([[1], [2]])"
    assert shown("x" * 58) == f"'{'x' * 58}'"
    assert shown("x" * 59) == f"'{'x' * 56}..."
    assert shown(Silent()) == "a Silent"


@pytest.mark.parametrize(
    ("minimum", "wanted"),
    [
        (0.0, "a finite number >= 0"),
        (2.5, "a finite number >= 2.5"),
        (-math.inf, "a finite number"),
    ],
)
def test_a_number_that_is_none_is_shown_with_the_bound(minimum, wanted):
    text = said(_validation.number, "eta", "7", minimum=minimum)
    assert text == f"eta: got '7', wanted {wanted}"


@pytest.mark.parametrize("value", [[1.0], np.ones(1), np.ones((1, 1))])
def test_an_array_is_no_number(value):
    assert said(_validation.number, "eta", value).startswith("eta: got ")


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["a"], "'a'"),
        (["a", "b"], "'a' or 'b'"),
        (["a", "b", "c"], "'a', 'b' or 'c'"),
        (["a", "b", "c", "d"], "one of a, b, c, d"),
        (["a, b", "c", "d", "e"], "one of a, b; c; d; e"),
    ],
)
def test_a_choice_names_all_options(options, wanted):
    assert said(_validation.choice, "kind", "z", options) == f"kind: got 'z', wanted {wanted}"


@pytest.mark.parametrize(
    ("check", "options"),
    [
        (_validation.instance, (float, "a float")),
        (_validation.function, ()),
        (_validation.generator, ()),
        (_validation.float_dtype, ()),
        (_validation.count, ()),
    ],
)
def test_what_was_got_is_shown(check, options):
    assert said(check, "x", "this", *options).startswith("x: got 'this', wanted ")


@pytest.mark.parametrize(
    ("delta", "std", "wanted"),
    [
        ([-1e200, 0, 3], [2.0, 1e-3], "delta: got entries up to 1.0e+200, and {}smaller"),
        ([5.0, 0, 3], [2.0, 1e100], "normalized.std: got entries up to 1.0e+100, and {}smaller"),
        ([5.0, 0, 3], [2.0, 1e-99], "normalized.std: got entries down to 1.0e-99, and {}larger"),
        ([5.0, 1e-98, 3], [2.0, 1.0], "delta: got entries down to 1.0e-98, and {}larger"),
    ],
)
def test_the_likely_reason_of_an_overflow_is_named(delta, std, wanted):
    arguments = {
        "delta": np.array(delta),
        "normalized": Normalized(np.zeros(2), np.array(std)),
    }
    text = _validation._too_large(arguments, arguments)
    assert text == wanted.format("the result overflows; wanted ")


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
    assert "column 1 is constant over the samples up to rounding; wanted eps > 0" in str(
        caught.value
    )
    require_variance("v", v, v.mean(axis=0), std)
    require_variance("v", v, v.mean(axis=0), std, noise=lambda: np.array([0.0, 5e-10]))


SMALLEST = _validation.limits(np.dtype(float))[2]


def test_a_feature_whose_variance_just_vanishes_is_constant():
    v, std = np.array([[0.0, -SMALLEST], [1.0, SMALLEST]]), np.array([0.5, SMALLEST])
    with pytest.raises(ConstantFeature) as caught:
        require_variance("v", v, np.zeros(2), std)
    assert caught.value.neuron == 1
    assert str(caught.value) == (
        "v: column 1 varies so little that its variance underflows; "
        "wanted eps > 0 or larger numbers"
    )


@pytest.mark.parametrize(("std", "mean"), [(1.0, 1.5), (0.5, 0.6), (20.0, 21.0)])
def test_the_rounding_decides_where_the_mean_hides_the_variance(std, mean):
    std = np.array([std * _validation.limits(np.dtype(float))[1]])
    v = mean + np.array([[-1.0], [1.0]]) * std
    with pytest.raises(ConstantFeature, match="up to rounding"):
        require_variance("v", v, np.array([mean]), std, noise=lambda: 2 * std)


@pytest.mark.parametrize(
    ("shape", "got", "wanted"),
    [
        ("n", np.ones((2, 3)), "got shape (2, 3), wanted (n,)"),
        ("M_B n", np.ones(2), "got shape (2,), wanted (M_B, n)"),
        ("n", np.ones(2), "got shape (2,), wanted (n,) with n = 3 on axis 0, as in u"),
        ("1|M_B n", np.ones((1, 2)), "wanted (1|M_B, n) with n = 3 on axis 1, as in u"),
    ],
)
def test_a_wrong_shape_is_shown_beside_the_right_one(shape, got, wanted):
    assert said(_validation.sized, "v", got, shape, {"n": (3, "u")}).endswith(wanted)


def test_complex_numbers_are_refused_only_where_asked():
    assert _validation.sized("v", np.ones(2, complex), "n", {}).dtype == complex
    text = said(_validation.sized, "v", np.ones(2, complex), "n", {}, real=True)
    assert text == "v: got complex numbers, wanted real ones"


def test_the_order_of_the_bytes_goes_and_the_precision_stays():
    assert _validation.numeric("v", np.ones(2, ">f4")).dtype == np.dtype("=f4")
    assert _validation.numeric("v", np.ones(2, np.float16)).dtype == np.float64


class Broken:
    def __array__(self, dtype=None, copy=None):
        raise ValueError("no numbers")


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (np.array(["a"]), "got dtype <U1, wanted an array of numbers"),
        ("a", "got a str, wanted an array of numbers"),
        ([[1.0], [1.0, 2.0]], "got rows of different lengths, wanted an array"),
        (Broken(), "got a Broken that gives no array (ValueError: no numbers); wanted an array"),
    ],
)
def test_what_gives_no_numbers_is_named(value, wanted):
    assert said(_validation.numeric, "v", value).startswith(f"v: {wanted}")


def test_a_list_of_seeds_is_a_seed():
    ours, theirs = _validation.generator("rng", [1, 2]), np.random.default_rng([1, 2])
    assert ours.random() == theirs.random()


def test_on_the_edge_the_larger_number_is_blamed_for_an_overflow():
    arguments = {"delta": np.array([4.0]), "gamma": np.array([0.25])}
    assert "entries up to 4.0e+00" in _validation._too_large(arguments, arguments)


def test_an_argument_by_name_alone_arrives():
    @_validation.checked(x="n")
    def scaled(x, *, by):
        return by * x

    assert scaled([1.0, 2.0], by=3.0).tolist() == [3.0, 6.0]


def test_a_part_of_normalized_that_does_not_fit_is_named():
    normalized = batchnorm.normalize(np.arange(6.0).reshape(3, 2) ** 2)
    delta, gamma = np.ones((3, 2)), np.ones(2)
    text = said(batchnorm.backward, delta, "this", gamma)
    assert text == "normalized: got str, wanted what batchnorm.normalize returns"
    for field, value in (("x_hat", np.ones((3, 1))), ("mean", np.ones(1)), ("std", np.ones(1))):
        text = said(batchnorm.backward, delta, normalized._replace(**{field: value}), gamma)
        assert text.startswith(f"normalized.{field}: got shape ")
        assert "with n = 2 on axis" in text
