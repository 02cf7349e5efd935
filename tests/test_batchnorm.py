"""Section 2 of the source: how exact its formulas are, and where they end.

That they hold is in test_formulas.py, and at any scale in test_properties_section_2.py.
"""

import numpy as np
import pytest
from cases import EPSILONS, assert_close, layer, plain_hat
from oracles import exact_input_error

from bnnotes import batchnorm, check, sample_space


@pytest.mark.parametrize("offset", [0.0, 10.0, 1e4, 1e8])
def test_two_samples_have_exactly_no_gradient(offset):
    """M_B = 2, eps = 0: 0.0 in floating point, not only up to rounding."""
    rng = np.random.default_rng(0)
    for _ in range(100):
        x, delta = rng.normal(offset, 1.0, (2, 4)), rng.normal(offset, 1.0, (2, 4))
        normalized = batchnorm.normalize(x)
        np.testing.assert_array_equal(np.abs(normalized.x_hat), 1)
        assert (batchnorm.input_error(delta, normalized, rng.normal(size=4)) == 0).all()
        u = rng.normal(offset, 1.0, (2, 3))
        assert (batchnorm.weight_gradient(delta, u, normalized, np.ones(4)) == 0).all()


@pytest.mark.parametrize("ratio", [1e2, 1e4, 1e6, 1e8])
@pytest.mark.parametrize("eps", EPSILONS)
def test_rounding_error_of_the_input_error(ratio, eps):
    """It does not grow with mean/std; the input itself is taken as exact."""
    rng = np.random.default_rng(0)
    for M_B in (3, 4, 9):
        x = rng.normal(ratio, 1.0, M_B)
        delta = rng.normal(ratio, 1.0, M_B)
        truth = exact_input_error(delta, x, 1.7, eps)
        normalized = batchnorm.normalize(x[:, np.newaxis], eps)
        got = batchnorm.input_error(delta[:, np.newaxis], normalized, [1.7])
        assert_close(got[:, 0], truth, 2e-14, scale=1.0)


@pytest.mark.parametrize("ratio", [1e2, 1e4, 1e6, 1e8])
def test_rounding_error_of_the_weight_gradient(ratio):
    """It grows at most like mean/std, that of x = W u, and not like the square."""
    rng = np.random.default_rng(0)
    # Powers of two and few digits, so that x = u W holds exactly.
    u = np.round(rng.normal(0.0, 64.0, (8, 2))) / 64 + 2.0 ** np.round(np.log2(ratio))
    W, gamma, delta = np.array([[1.0, 0.5]]), np.array([1.7]), rng.normal(0.4, 1.0, (8, 1))
    x = u @ W.T
    truth = exact_input_error(delta[:, 0], x[:, 0], 1.7) @ (u - u.mean(axis=0))
    normalized = batchnorm.normalize(x)
    got = batchnorm.weight_gradient(delta, u, normalized, gamma)
    assert_close(got[0], truth, 1e-14)


def test_large_and_small_numbers():
    """The variance neither overflows nor vanishes unseen: a result or a clear message."""
    delta, gamma = np.array([[1.0], [2.0], [-1.0]]), np.ones(1)
    x = np.array([[1.0], [2.0], [4.0]])
    for scale in (1e-150, 1e-100, 1e100, 1e150):
        normalized = batchnorm.normalize(scale * x)
        assert_close(normalized.x_hat, plain_hat(x), 1e-14)
        got = batchnorm.input_error(delta, normalized, gamma)
        truth = exact_input_error(delta[:, 0], x[:, 0], 1.0)
        assert_close(scale * got[:, 0], truth, 1e-13)


@pytest.mark.parametrize("eps", EPSILONS)
@pytest.mark.parametrize("scale", [1e160, 1e200, 1e300, 1.7e308])
def test_overflow_is_named(scale, eps):
    x = scale * np.array([[1.0, -1.0], [-1.0, 0.5], [0.25, 1.0]])
    for f in (
        lambda: batchnorm.normalize(x, eps),
        lambda: batchnorm.forward(x, [1.0, 1.0], [0.0, 0.0], eps),
    ):
        with pytest.raises(ValueError, match=r"^x: .*variance.*overflow"):
            f()


@pytest.mark.parametrize("scale", [1e-170, 1e-200, 1e-300, 5e-324])
def test_underflow_is_named(scale):
    """Not constant, but with a variance that rounds to zero."""
    x = np.array([[0.0], [0.0], [4 * scale]])
    with pytest.raises(ValueError, match=r"^x: .*column 0"):
        batchnorm.normalize(x)
    assert np.isfinite(batchnorm.normalize(x, 0.1).x_hat).all()


def test_complex_step_through_the_closed_forms():
    """No conjugate and no absolute value: the formulas can be differentiated in turn."""
    case = layer(6)

    def squared(x):
        normalized = batchnorm.normalize(x, 0.1)
        return (batchnorm.input_error(case.delta, normalized, case.gamma) ** 2).sum()

    truth = check.central_difference(squared, case.x)
    assert_close(check.complex_step(squared, case.x), truth, 1e-8)


def test_a_feature_within_its_rounding_errors_is_constant():
    """`noise` knows how far apart rounding alone can put equal entries."""
    mean, centered = np.array([1.0]), np.array([[1e-16], [-1e-16]])
    with pytest.raises(ValueError, match=r"^x: column 0 is constant .* up to rounding"):
        batchnorm.divide_by_std(mean, centered.copy(), 0.0, lambda: np.array([1e-15]))
    x_hat = batchnorm.divide_by_std(mean, centered.copy(), 0.0, lambda: np.array([1e-17])).x_hat
    assert_close(x_hat, [[1.0], [-1.0]], 1e-15)


def test_an_array_that_no_machine_has_memory_for_is_refused():
    x, square = np.tile([[1.0], [-1.0]], (20_000, 2)), np.tile([[1.0], [-1.0]], (500, 1001))
    for call in (
        lambda: sample_space.mixing_matrix(x[:, 0]),
        lambda: batchnorm.kernel(batchnorm.normalize(x), np.ones(2)),
        lambda: batchnorm.weight_jacobian(square, batchnorm.normalize(square), np.ones(1001)),
        lambda: check.complex_step(lambda x: x, x),
    ):
        with pytest.raises(ValueError, match=r"numbers; wanted at most 1e\+09$"):
            call()
