"""Section 1 of the source: the cost, its derivative, and logits without bounds.

The other equations are in test_formulas.py, and at any scale in test_properties_section_1.py.
"""

import numpy as np
import pytest
from cases import BATCH_SIZES, assert_close

from bnnotes import activations, baseline, check


@pytest.fixture(params=(1, *BATCH_SIZES))
def logits(request):
    """Logits y and labels φ, (M_B, 3)."""
    rng = np.random.default_rng(request.param)
    return rng.normal(0.4, 1.0, (request.param, 3)), (rng.random((request.param, 3)) < 0.5) * 1.0


def log_loss(u, phi):
    """The cost, term by term."""
    terms = (
        phi[s, i] * np.log(u[s, i]) + (1 - phi[s, i]) * np.log(1 - u[s, i])
        for s, i in np.ndindex(u.shape)
    )
    return -sum(terms) / len(u)


def test_cost(logits):
    y, phi = logits
    u = activations.sigmoid.g(y)
    expected = log_loss(u, phi)
    assert baseline.cross_entropy(u, phi) == pytest.approx(expected, rel=1e-13)
    assert baseline.cross_entropy_from_logits(y, phi) == pytest.approx(expected, rel=1e-13)


def test_output_error(logits):
    y, phi = logits
    truth = check.complex_step(lambda y: log_loss(1 / (1 + np.exp(-y)), phi), y)
    assert_close(baseline.output_error(activations.sigmoid.g(y), phi), truth, 1e-13)
    from_logits = check.complex_step(lambda y: baseline.cross_entropy_from_logits(y, phi), y)
    assert_close(from_logits, truth, 1e-13)


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-15), (np.float32, 1e-7)])
def test_large_logits(dtype, tolerance):
    y = np.array([[1000.0], [-1000.0], [1000.0], [-1000.0]], dtype)
    phi = np.array([[0.0], [1.0], [1.0], [0.0]], dtype)
    cost = baseline.cross_entropy_from_logits(y, phi)
    assert cost.dtype == dtype
    assert cost == pytest.approx(500.0, rel=tolerance)
    delta = baseline.output_error(activations.sigmoid.g(y), phi)
    assert delta.dtype == dtype
    np.testing.assert_array_equal(delta.ravel(), [0.25, -0.25, 0, 0])


def test_derivative_of_the_cost_at_large_logits():
    y = np.array([[1000.0], [-1000.0], [1000.0], [-1000.0], [0.0]])
    phi = np.array([[0.0], [1.0], [1.0], [0.0], [1.0]])
    derivative = check.complex_step(lambda y: baseline.cross_entropy_from_logits(y, phi), y)
    np.testing.assert_allclose(derivative.ravel(), [0.2, -0.2, 0, 0, -0.1], atol=1e-16)


def test_small_costs_keep_their_digits():
    """−log u of a confident and right prediction, where 1 − u has none left."""
    assert baseline.cross_entropy_from_logits([[50.0]], [[1.0]]) == pytest.approx(
        1.9287498479639178e-22, rel=1e-14
    )


@pytest.mark.parametrize("dtype, largest", [(np.float64, 37), (np.float32, 17)])
def test_the_printed_boundary_error_overflows_there(dtype, largest):
    """S4 as printed: ∂C/∂u · g' is nan from this y on, and not two before."""

    def printed(y):
        u = 1 / (1 + np.exp(-np.array([[y]], dtype)))
        with np.errstate(divide="ignore", invalid="ignore"):
            return ((u - 0) / (u * (1 - u)) * (u * (1 - u))).item()

    assert np.isfinite(printed(largest - 2))
    assert np.isnan(printed(largest))
    assert np.isnan(printed(largest + 5))


def test_certain_predictions():
    assert baseline.cross_entropy([[0.0, 1.0]], [[0.0, 1.0]]) == 0
    infinite = r"^u: got 0 at index \(0, 0\) where phi = 1, an infinite cost; wanted 0 < u < 1, or"
    with pytest.raises(ValueError, match=rf"{infinite} the logits y in cross_entropy_from_logits$"):
        baseline.cross_entropy([[0.0]], [[1.0]])
    with pytest.raises(ValueError, match=r"^u: got 1 at index \(1, 0\) where phi = 0.5"):
        baseline.cross_entropy([[0.5], [1.0]], [[1.0], [0.5]])
