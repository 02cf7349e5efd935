"""What a refusal says: which argument, what it got, what would be right."""

import math
from typing import NamedTuple

import numpy as np
import pytest

from bnnotes import _validation
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
