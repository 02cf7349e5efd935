"""Section 1 of the source: every equation against the complex step."""

import numpy as np
import pytest
from cases import BATCH_SIZES, assert_close

from bnnotes import activations, baseline, check

SHAPES = [(M_B, n_prev, n) for M_B in (1, *BATCH_SIZES) for n_prev, n in [(1, 1), (4, 3), (4, 4)]]


class Batch:
    """One layer y = W g(y_prev) + b and labels."""

    def __init__(self, M_B, n_prev, n):
        rng = np.random.default_rng([M_B, n_prev, n])
        self.y_prev = rng.normal(size=(M_B, n_prev))
        self.W, self.b = rng.normal(size=(n, n_prev)), rng.normal(size=n)
        self.delta = rng.normal(0.4, 1.0, (M_B, n))
        self.phi = (rng.random((M_B, n)) < 0.5).astype(float)

    def cost(self, y_prev=None, W=None, b=None):
        """C = Σ Δ y, so that Δ is given."""
        y_prev = self.y_prev if y_prev is None else y_prev
        W, b = self.W if W is None else W, self.b if b is None else b
        return sum(
            self.delta[s, i] * ((W[i] * np.tanh(y_prev[s])).sum() + b[i])
            for s, i in np.ndindex(self.delta.shape)
        )


@pytest.fixture(params=SHAPES, ids=str)
def batch(request):
    return Batch(*request.param)


def log_loss(u, phi):
    """The cost, term by term."""
    terms = (
        phi[s, i] * np.log(u[s, i]) + (1 - phi[s, i]) * np.log(1 - u[s, i])
        for s, i in np.ndindex(u.shape)
    )
    return -sum(terms) / len(u)


def test_affine(batch):
    u = np.tanh(batch.y_prev)
    expected = np.einsum("ij,sj->si", batch.W, u) + batch.b
    assert_close(baseline.affine(u, batch.W, batch.b), expected, 1e-14)


def test_weight_gradient(batch):
    truth = check.complex_step(lambda W: batch.cost(W=W), batch.W)
    assert_close(baseline.weight_gradient(batch.delta, np.tanh(batch.y_prev)), truth, 1e-13)


def test_bias_gradient(batch):
    truth = check.complex_step(lambda b: batch.cost(b=b), batch.b)
    assert_close(baseline.bias_gradient(batch.delta), truth, 1e-13, scale=1.0)


def test_previous_error(batch):
    truth = check.complex_step(lambda y: batch.cost(y_prev=y), batch.y_prev)
    g_prime = activations.tanh.g_prime(batch.y_prev)
    assert_close(baseline.previous_error(batch.delta, batch.W, g_prime), truth, 1e-13)


def test_cost(batch):
    y, u = batch.delta, activations.sigmoid.g(batch.delta)
    expected = log_loss(u, batch.phi)
    assert baseline.cross_entropy(u, batch.phi) == pytest.approx(expected, rel=1e-13)
    assert baseline.cross_entropy_from_logits(y, batch.phi) == pytest.approx(expected, rel=1e-13)


def test_soft_labels(batch):
    u, phi = activations.sigmoid.g(batch.delta), np.full(batch.delta.shape, 0.25)
    expected = log_loss(u, phi)
    assert baseline.cross_entropy(u, phi) == pytest.approx(expected, rel=1e-13)
    assert baseline.cross_entropy_from_logits(batch.delta, phi) == pytest.approx(
        expected, rel=1e-13
    )


def test_output_error(batch):
    y = batch.delta
    truth = check.complex_step(lambda y: log_loss(1 / (1 + np.exp(-y)), batch.phi), y)
    u = activations.sigmoid.g(y)
    assert_close(baseline.output_error(u, batch.phi), truth, 1e-13)
    from_logits = check.complex_step(lambda y: baseline.cross_entropy_from_logits(y, batch.phi), y)
    assert_close(from_logits, truth, 1e-13)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "identity"])
def test_boundary_error(batch, activation):
    """Any cost and any activation: here Σ u⁴."""
    g, g_prime = activations.get(activation)[1:]
    truth = check.complex_step(lambda y: (g(y) ** 4).sum(), batch.delta)
    got = baseline.boundary_error(4 * g(batch.delta) ** 3, g_prime(batch.delta))
    assert_close(got, truth, 1e-13)


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


@pytest.mark.parametrize("M_B", BATCH_SIZES)
def test_float32(M_B):
    batch = Batch(M_B, 4, 3)
    for exact, arguments in (
        (baseline.weight_gradient, (batch.delta, batch.y_prev)),
        (baseline.bias_gradient, (batch.delta,)),
        (baseline.previous_error, (batch.delta, batch.W, batch.y_prev)),
        (baseline.affine, (batch.y_prev, batch.W, batch.b)),
        (baseline.output_error, (batch.delta, batch.phi)),
        (baseline.cross_entropy_from_logits, (batch.delta, batch.phi)),
    ):
        got = exact(*(argument.astype(np.float32) for argument in arguments))
        assert got.dtype == np.float32
        assert_close(got, exact(*arguments), 2e-6, scale=1.0)
