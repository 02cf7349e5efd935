"""Section 2 of the source: every equation against the complex step."""

import numpy as np
import pytest
from cases import BATCH_SIZES, EPSILONS, LAYERS, assert_close, every_layer, layer, plain_hat
from oracles import exact_input_error

from bnnotes import baseline, batchnorm, check, sample_space


def natural(case):
    """Size of ∂C/∂x before the projection: the scale where the true gradient is zero."""
    s = np.sqrt(case.x.var(axis=0) + case.eps)
    return (np.abs(case.gamma) / s).max() * np.abs(case.delta).max()


@every_layer
def test_normalize(case):
    """S11, S23: x̂, its mean and its length."""
    x_hat, mean, std = batchnorm.normalize(case.x, case.eps)
    assert_close(x_hat, plain_hat(case.x, case.eps), 1e-13)
    assert_close(mean, case.x.mean(axis=0), 1e-14, scale=1.0)
    assert_close(std, np.sqrt(case.x.var(axis=0) + case.eps), 1e-14)
    np.testing.assert_allclose(x_hat.sum(axis=0), 0, atol=1e-13)
    kappa = case.x.var(axis=0) / (case.x.var(axis=0) + case.eps)
    np.testing.assert_allclose((x_hat**2).sum(axis=0), kappa * len(x_hat), rtol=1e-13)


@every_layer
def test_forward(case):
    """S10, S11, S25."""
    y, normalized = batchnorm.forward(case.x, case.gamma, case.beta, case.eps)
    assert_close(y, case.y(), 1e-13)
    assert_close(normalized.x_hat, plain_hat(case.x, case.eps), 1e-13)


@every_layer
def test_derivative_of_the_variance(case):
    """S15: ∂σ²/∂x = 2 (x − μ)/M_B, through normalize itself."""
    truth = check.complex_step(lambda x: batchnorm.normalize(x, case.eps).std ** 2, case.x)
    centered = case.x - case.x.mean(axis=0)
    for i in range(case.x.shape[1]):
        assert_close(2 / len(case.x) * centered[:, i], truth[i, :, i], 1e-13, scale=1.0)


@every_layer
def test_kernel(case):
    """(3) and S26: also zero across neurons."""
    kernel = batchnorm.kernel(batchnorm.normalize(case.x, case.eps), case.gamma)
    truth = check.complex_step(lambda x: case.y(x=x), case.x)
    n = case.x.shape[1]
    scale = (np.abs(case.gamma) / np.sqrt(case.x.var(axis=0) + case.eps)).max()
    for i in range(n):
        assert_close(kernel[:, :, i], truth[:, i, :, i], 1e-12, scale)
        for j in set(range(n)) - {i}:
            np.testing.assert_array_equal(truth[:, i, :, j], 0)


@every_layer
def test_weight_jacobian(case):
    """(1), second line, S18 and the three indices of S19."""
    jacobian = batchnorm.weight_jacobian(
        case.u_prev, batchnorm.normalize(case.x, case.eps), case.gamma
    )
    truth = check.complex_step(lambda W: case.y(x=case.u_prev @ W.T), case.W)
    n = len(case.W)
    scale = (np.abs(case.gamma) / np.sqrt(case.x.var(axis=0) + case.eps)).max()
    for i in range(n):
        assert_close(jacobian[:, i], truth[:, i, i], 1e-12, scale)
        for k in set(range(n)) - {i}:
            np.testing.assert_array_equal(truth[:, i, k], 0)


@every_layer
def test_backward(case):
    """(2) up to W: ∂C/∂x."""
    normalized = batchnorm.normalize(case.x, case.eps)
    gradients = batchnorm.backward(case.delta, normalized, case.gamma)
    truth = check.complex_step(lambda x: case.cost(x=x), case.x)
    assert_close(gradients.x, truth, 1e-12, natural(case))
    np.testing.assert_array_equal(
        gradients.x, batchnorm.input_error(case.delta, normalized, case.gamma)
    )
    np.testing.assert_array_equal(gradients.gamma, batchnorm.gamma_gradient(case.delta, normalized))
    assert_close(gradients.beta, batchnorm.beta_gradient(case.delta), 1e-14, scale=1.0)


@every_layer
def test_gamma_and_beta_gradient(case):
    """S12, S13."""
    normalized = batchnorm.normalize(case.x, case.eps)
    for got, truth in (
        (
            batchnorm.gamma_gradient(case.delta, normalized),
            check.complex_step(lambda gamma: case.cost(gamma=gamma), case.gamma),
        ),
        (
            batchnorm.beta_gradient(case.delta),
            check.complex_step(lambda beta: case.cost(beta=beta), case.beta),
        ),
    ):
        assert_close(got, truth, 1e-13, scale=1.0)


@every_layer
def test_weight_gradient(case):
    """(1)."""
    normalized = batchnorm.normalize(case.x, case.eps)
    got = batchnorm.weight_gradient(case.delta, case.u_prev, normalized, case.gamma)
    truth = check.complex_step(lambda W: case.cost(x=case.u_prev @ W.T), case.W)
    assert_close(got, truth, 1e-12, natural(case))


@every_layer
def test_covariance_form(case):
    """S27, as printed."""
    x_hat = plain_hat(case.x, case.eps)
    M_B, s = len(x_hat), np.sqrt(case.x.var(axis=0) + case.eps)
    truth = check.complex_step(lambda W: case.cost(x=case.u_prev @ W.T), case.W)
    for i, j in np.ndindex(case.W.shape):
        delta, u, h = case.delta[:, i], case.u_prev[:, j], x_hat[:, i]
        bracket = (delta * u).mean() - delta.mean() * u.mean() - (delta * h).mean() * (u * h).mean()
        printed = M_B * case.gamma[i] / s[i] * bracket
        assert_close(printed, truth[i, j], 1e-12, natural(case))


@every_layer
def test_previous_error(case):
    """(2), S16, S17 with the right index, S36."""
    normalized = batchnorm.normalize(case.x, case.eps)
    got = batchnorm.previous_error(case.delta, case.W, normalized, case.gamma, case.g_prime)
    truth = check.complex_step(lambda y: case.cost(x=np.tanh(y) @ case.W.T), case.y_prev)
    assert_close(got, truth, 1e-12, natural(case))


@pytest.mark.parametrize("eps", EPSILONS)
@pytest.mark.parametrize("M_B", [3, 4, 32])
def test_mean_of_ten_standard_deviations(M_B, eps):
    """The bound 1e-12 holds up to mean/std = 10, in u and in x."""
    rng = np.random.default_rng(M_B)
    case = layer(M_B, 3, 2, eps)
    x = rng.normal(10.0, 1.0, case.x.shape)
    normalized = batchnorm.normalize(x, eps)
    truth = check.complex_step(lambda x: case.cost(x=x), x)
    assert_close(batchnorm.input_error(case.delta, normalized, case.gamma), truth, 1e-12, 1.0)
    u = rng.normal(10.0, 1.0, case.u_prev.shape)
    normalized = batchnorm.normalize(u @ case.W.T, eps)
    truth = check.complex_step(lambda W: case.cost(x=u @ W.T), case.W)
    got = batchnorm.weight_gradient(case.delta, u, normalized, case.gamma)
    assert_close(got, truth, 1e-12, 1.0)


@pytest.mark.parametrize("activation", [np.tanh, np.sin], ids=["tanh", "sin"])
@pytest.mark.parametrize("M_B", BATCH_SIZES)
def test_boundary_error_before_bn(M_B, activation):
    """S14: a cost of u^L whose y^L comes out of BN."""
    case = layer(M_B)
    g_prime = {np.tanh: lambda y: 1 - np.tanh(y) ** 2, np.sin: np.cos}[activation]
    y, normalized = batchnorm.forward(case.x, case.gamma, case.beta)
    delta = baseline.boundary_error(3 * activation(y) ** 2, g_prime(y))
    got = batchnorm.input_error(delta, normalized, case.gamma)
    truth = check.complex_step(lambda x: (activation(case.y(x=x)) ** 3).sum(), case.x)
    assert_close(got, truth, 1e-12, scale=1.0)


@every_layer
def test_a_bias_before_bn_has_no_gradient(case):
    """S10: the bias that the source leaves out."""
    got = batchnorm.input_error(case.delta, batchnorm.normalize(case.x, case.eps), case.gamma).sum(
        axis=0
    )
    truth = check.complex_step(lambda b: case.cost(x=case.x + b), case.beta)
    scale = natural(case)
    np.testing.assert_allclose(got, 0, atol=1e-13 * scale)
    np.testing.assert_allclose(truth, 0, atol=1e-13 * scale)


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


def test_float32():
    for case in LAYERS:
        low = case.as_float32()
        normalized = batchnorm.normalize(case.x, case.eps)
        normalized32 = batchnorm.normalize(low.x, low.eps)
        if len(case.x) == 2 and case.eps == 0:
            assert (batchnorm.input_error(low.delta, normalized32, low.gamma) == 0).all()
        for f, arguments, arguments32 in (
            (
                batchnorm.weight_gradient,
                (case.delta, case.u_prev, normalized, case.gamma),
                (low.delta, low.u_prev, normalized32, low.gamma),
            ),
            (
                batchnorm.previous_error,
                (case.delta, case.W, normalized, case.gamma, case.g_prime),
                (low.delta, low.W, normalized32, low.gamma, low.g_prime),
            ),
            (
                batchnorm.gamma_gradient,
                (case.delta, normalized),
                (low.delta, normalized32),
            ),
            (batchnorm.kernel, (normalized, case.gamma), (normalized32, low.gamma)),
        ):
            got = f(*arguments32)
            assert got.dtype == np.float32
            # x itself is rounded: an error of 1e-7 in x is one of 1e-7/σ in x̂.
            scale = max(1.0, natural(case)) * max(1.0, (1 / case.x.std(axis=0)).max())
            assert_close(got, f(*arguments), 2e-5, scale)


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
