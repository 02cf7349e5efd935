"""The oracles are checked too: on derivatives known in closed form."""

import numpy as np
import pytest

from bnnotes import check

METHODS = [(check.complex_step, 1e-14), (check.central_difference, 1e-9)]
both = pytest.mark.parametrize("derivative, tolerance", METHODS, ids=["complex", "central"])


@both
@pytest.mark.parametrize(
    "f, prime",
    [
        (np.sin, np.cos),
        (np.exp, np.exp),
        (lambda x: x**5, lambda x: 5 * x**4),
        (lambda x: 1 / np.sqrt(x**2 + 1), lambda x: -x / (x**2 + 1) ** 1.5),
    ],
)
def test_known_derivatives(derivative, tolerance, f, prime):
    x = np.random.default_rng(0).normal(size=7)
    np.testing.assert_allclose(derivative(f, x), np.diag(prime(x)), rtol=tolerance, atol=tolerance)


def test_the_complex_step_rounds_nothing_of_its_own():
    """A linear function has the derivative that it is made of, to the last digit.

    Else a derivative by a weight would lose mean/std digits of its inputs.
    """
    u = np.random.default_rng(0).normal(1e6, 1.0, 1000)
    np.testing.assert_array_equal(check.complex_step(lambda w: w * u, 0.7), u)


@both
def test_shapes(derivative, tolerance):
    """Shape of f(x), then shape of x."""
    A = np.random.default_rng(0).normal(size=(2, 3))
    B = np.random.default_rng(1).normal(size=(3, 4))
    jacobian = derivative(lambda A: A @ B, A)
    assert jacobian.shape == (2, 4, 2, 3)
    expected = np.einsum("ik,lj->ijkl", np.eye(2), B)
    np.testing.assert_allclose(jacobian, expected, atol=10 * tolerance)
    gradient = derivative(lambda A: (A @ B).sum(), A)
    np.testing.assert_allclose(gradient, np.tile(B.sum(axis=1), (2, 1)), atol=10 * tolerance)
    assert derivative(lambda x: x**2, 3.0) == pytest.approx(6, rel=tolerance)


@both
def test_x_is_not_changed(derivative, tolerance):
    x = np.arange(4.0)
    x.flags.writeable = False
    derivative(lambda x: (x**2).sum(), x)
    np.testing.assert_array_equal(x, np.arange(4.0))


@both
def test_a_function_that_writes_into_its_argument(derivative, tolerance):
    def f(x):
        total = (x**2).sum()
        x[...] = 0
        return total

    x = np.arange(1.0, 4.0)
    np.testing.assert_allclose(derivative(f, x), 2 * np.arange(1.0, 4.0), rtol=tolerance)
    np.testing.assert_array_equal(x, np.arange(1.0, 4.0))


@both
def test_integers_and_lists(derivative, tolerance):
    got = derivative(lambda x: (x**2).sum(), [1, 2, 3])
    np.testing.assert_allclose(got, [2, 4, 6], rtol=tolerance)


@both
def test_large_and_small_x(derivative, tolerance):
    for x in (1e-8, 1e8):
        got = derivative(lambda x: x**2, x)
        assert got == pytest.approx(2 * x, rel=1e-7, abs=1e-9)


def test_a_step_that_vanishes_raises_nothing():
    with np.errstate(all="raise"):
        assert check.complex_step(np.tanh, 400.0) == 0


def test_central_difference_of_what_is_not_complex_safe():
    x = np.array([-2.0, 0.5])
    np.testing.assert_allclose(
        check.central_difference(lambda x: np.abs(x).sum(), x), [-1, 1], rtol=1e-9
    )


@both
@pytest.mark.parametrize("wrong", [[1j], [np.nan], [np.inf], ["a"], [None], [[1.0], [1.0, 2.0]]])
def test_refuses(derivative, tolerance, wrong):
    with pytest.raises(ValueError, match=r"^x: got "):
        derivative(np.sum, wrong)


# Comparison.


def test_difference_is_relative_to_the_largest_entry():
    exact = np.array([[1.0, -200.0], [3.0, 4.0]])
    approximate = exact + np.array([[0.0, 0.0], [0.0, 2.0]])
    table = check.compare(pair=(exact, approximate))
    assert table.worst == table["pair"].difference == pytest.approx(0.01)
    assert (table["pair"].exact, table["pair"].approximate) == (-200, -200)


def test_an_exact_zero_is_compared_absolutely():
    assert check.compare(zero=(0.0, 0.25)).worst == 0.25
    assert check.compare(zero=(np.zeros(3), np.zeros(3))).worst == 0


@pytest.mark.parametrize(
    "difference, words",
    [
        (0.0, "agrees to 1e-12"),
        (9e-13, "agrees to 1e-12"),
        (2e-12, "agrees to 1e-9"),
        (2e-9, "agrees to 1e-6"),
        (2e-6, "agrees to 1e-3"),
        (2e-3, "differs by 0.002 of its size"),
        (3.0, "differs by 3 of its size"),
    ],
)
def test_words(difference, words):
    assert check.compare(a=(1.0, 1.0 + difference))["a"].agreement == words


@pytest.mark.parametrize("exponent", [12, 9, 6, 3])
def test_a_bound_holds_its_end(exponent):
    end = 10.0**-exponent
    assert check.Row("a", 1.0, 1.0, end).agreement == f"agrees to 1e-{exponent}"
    assert check.Row("a", 1.0, 1.0, np.nextafter(end, 1)).agreement != f"agrees to 1e-{exponent}"


@pytest.mark.parametrize("x, step", [(0.5, 1.0), (-1.5, 1.5), (3e8, 3e8)])
def test_the_step_of_a_central_difference(x, step):
    """h = ∛ε·max(1, |x|), as the docstring says."""
    seen = []
    check.central_difference(lambda v: seen.append(v.item()) or v.sum(), [x])
    above, below = seen
    assert (above - below) / 2 == pytest.approx(np.cbrt(np.finfo(float).eps) * step, rel=1e-4)


def test_table():
    table = check.compare(
        one=(1 / 3, 1 / 3), seventeen=(np.array([1.0, 17.0]), np.array([1.0, 16.0]))
    )
    assert repr(table).splitlines() == [
        "           exact   approximate  agreement",
        "one        0.3333  0.3333       agrees to 1e-12",
        "seventeen  17      16           differs by 0.06 of its size",
    ]
    assert table.worst == pytest.approx(1 / 17)
    assert [row.name for row in table.rows] == ["one", "seventeen"]


def test_the_order_of_exact_and_approximate_matters():
    assert check.compare(a=(2.0, 1.0)).worst == 0.5
    assert check.compare(a=(1.0, 2.0)).worst == 1.0


def test_complex_numbers():
    assert check.compare(a=(3 + 4j, 3 + 4.5j)).worst == pytest.approx(0.1)


def test_huge_numbers():
    assert check.compare(a=(1e308, -1e308)).worst == 2
    assert check.compare(a=(1.7e308 + 1.7e308j, 1 + 0j)).worst == pytest.approx(1)
    assert check.compare(a=([1e308j, 2e300], [0, 2e300])).worst == 1
    assert check.compare(a=(1e-308, 1e308)).worst == check.LARGEST
    assert check.compare(a=(5e-324, -5e-324)).worst == 2
    assert "differs by 2e+308" in repr(check.compare(a=(1e-308, 1e308)))


@pytest.mark.skipif(np.finfo(np.longdouble).max < 1e309, reason="here it is no longer than float")
def test_numbers_that_no_float_holds_are_refused():
    huge = np.longdouble("1e4000")
    for pair in ((huge, np.longdouble("1e3990")), (1.0, huge), (huge * 1j, huge)):
        with pytest.raises(ValueError, match=r"^a: got a number beyond 2e\+308"):
            check.compare(a=pair)
    close = np.longdouble(1) + 2 * np.finfo(np.longdouble).eps
    assert 0 < check.compare(a=(np.longdouble(1), close)).worst < 1e-18


@pytest.mark.parametrize(
    "pair, message",
    [
        ((np.zeros(2), np.zeros(3)), r"^pair: got shapes \(2,\) and \(3,\)"),
        ((np.zeros((2, 1)), np.zeros(2)), "^pair: got shapes"),
        ((np.nan, 1.0), "^pair: got nan"),
        ((1.0, np.inf), "^pair: got inf"),
        (([], []), "^pair: got empty arrays"),
        (("a", "b"), "^pair: got a str"),
    ],
)
def test_compare_refuses(pair, message):
    with pytest.raises(ValueError, match=message):
        check.compare(pair=pair)


def test_compare_needs_a_pair():
    with pytest.raises(ValueError, match=r"^compare: got no pair"):
        check.compare()


def test_a_row_is_asked_for_by_name():
    table = check.compare(one=(1.0, 1.0), two=(2.0, 2.0))
    with pytest.raises(KeyError, match="got 'three', wanted one of one, two"):
        table["three"]


def test_what_is_no_pair_is_shown():
    with pytest.raises(ValueError, match=r"^pair: got \(1\.0, 2\.0, 3\.0\), wanted a pair"):
        check.compare(pair=(1.0, 2.0, 3.0))


def test_a_function_that_overflows_is_named_without_a_warning_of_numpy():
    with pytest.raises(ValueError, match=r"^f: "):
        check.central_difference(lambda x: 1e308 * x, [1e5])
    with pytest.raises(ValueError, match=r"^f: its derivative overflows; wanted smaller numbers$"):
        check.complex_step(lambda x: 1e300 * x**20, [2.5])
    with pytest.raises(ValueError, match=r"^difference: got nan, wanted a finite number >= 0$"):
        check.agreement(np.nan)


def test_what_rounding_left_of_a_zero_is_not_shown():
    assert repr(check.compare(zero=(0.0, 5.551e-17))).split()[-5:-3] == ["0", "0"]
    assert repr(check.compare(zero=(0.0, 2e-12))).split()[-5:-3] == ["0", "2e-12"]


# Checks.


def test_checks_are_silent_counted_once_and_shown_together():
    checks = check.Checks(1e-6)
    assert repr(checks) == "no comparison yet"
    for _ in range(2):
        assert checks(**{"a < b": (1.0, 1.0), "b": (1.0, 1.0 + 1e-7)}) is None
    checks(c=(2.0, 2.0))
    first, *table = repr(checks).splitlines()
    assert first == "3 comparisons, each agrees to 1e-6 or better"
    assert [line.split()[0] for line in table[1:]] == ["a", "b", "c"]
    page = checks._repr_html_()
    assert page.startswith(f"<details><summary>{first}</summary>")
    assert page.count("<tr>") == 4 and "a &lt; b" in page
    checks(1e9, off=(1.0, 1.5))
    assert repr(checks).startswith("4 comparisons, one differs\n")


def test_a_check_that_fails_says_what_it_found_and_is_not_counted():
    checks = check.Checks(1e-6)
    with pytest.raises(AssertionError, match=r"up to 1e-06, got\n(?s:.*)differs by 0\.5 of its"):
        checks(right=(1.0, 1.0), wrong=(1.0, 1.5))
    assert repr(checks) == "no comparison yet"
    with pytest.raises(ValueError, match=r"^pair: got shapes"):
        checks(pair=([1.0], [1.0, 2.0]))


def test_a_check_may_be_wider_by_a_number():
    checks = check.Checks(1e-9)
    checks(100, near=(1.0, 1.0 + 1e-8))
    with pytest.raises(AssertionError, match="up to 1e-09"):
        checks(far=(1.0, 1.0 + 1e-8))
    assert "near" in repr(checks) and "far" not in repr(checks)


def test_what_rounding_leaves_of_a_zero_is_no_size_to_compare_with():
    checks = check.Checks(1e-9)
    checks(rounded=([1e-16, -1e-17], [0.0, 2e-17]))
    assert repr(checks).split()[-6:-3] == ["rounded", "0", "0"]
    with pytest.raises(AssertionError, match="up to 1e-09"):
        checks(wrong=([1e-16, -1e-17], [0.0, 1e-8]))


@pytest.mark.parametrize("wrong", [0, -1e-9, np.nan, 1j, [1e-9], "1e-9", None])
def test_checks_need_a_tolerance(wrong):
    with pytest.raises(ValueError, match=r"^tolerance: got "):
        check.Checks(wrong)


@pytest.mark.parametrize("wrong", [-1, np.nan, np.inf, "2", None, [2]])
def test_how_many_times_is_a_number(wrong):
    with pytest.raises(ValueError, match=r"^times: got .*, wanted a finite number >= 0$"):
        check.Checks(1e-9)(wrong, far=(1.0, 2.0))


@pytest.mark.parametrize("f", [np.abs, np.real, lambda x: np.linalg.norm(x), lambda x: 3.0])
def test_the_complex_step_wants_a_complex_result(f):
    with pytest.raises(ValueError, match=r"^f: got a real result of a complex argument, wanted"):
        check.complex_step(f, [1.0, 2.0])
