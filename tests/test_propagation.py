"""Section 3 of the source, last part: what a node sends back."""

import numpy as np
import pytest
from cases import EPSILONS, LAYERS, assert_close, every_layer, layer, plain_hat

from bnnotes import batchnorm, check, propagation


def true_previous_error(case):
    return check.complex_step(lambda y: case.cost(x=np.tanh(y) @ case.W.T), case.y_prev)


def natural(case):
    s = np.sqrt(case.x.var(axis=0) + case.eps)
    return (np.abs(case.gamma) / s).max() * np.abs(case.delta).max()


@every_layer
def test_five_lines(case):
    """S36: from the kernel and from the averages, index by index."""
    truth, M_B = true_previous_error(case), len(case.x)
    kernel = batchnorm.kernel(batchnorm.normalize(case.x, case.eps), case.gamma)
    x_hat, s = plain_hat(case.x, case.eps), np.sqrt(case.x.var(axis=0) + case.eps)
    second = np.einsum("si,tk,ki,tsk->si", case.g_prime, case.delta, case.W, kernel)
    delta = case.delta
    bracket = delta - delta.mean(axis=0) - x_hat * (delta * x_hat).mean(axis=0)
    fourth = np.einsum("si,ki,k,sk->si", case.g_prime, case.W, case.gamma / s, bracket)
    delta_hat, sigma = plain_hat(delta), delta.std(axis=0)
    bracket = delta_hat - x_hat * (delta_hat * x_hat).mean(axis=0)
    fifth = np.einsum("si,ki,k,sk->si", case.g_prime, case.W, case.gamma / s * sigma, bracket)
    for line in (second, fourth, fifth):
        assert_close(line, truth, 1e-12, natural(case) * np.sqrt(M_B))


@every_layer
def test_previous_error_from_angles(case):
    """S37, with an angle per node and √κ."""
    got = propagation.previous_error_from_angles(
        case.delta, case.W, batchnorm.normalize(case.x, case.eps), case.gamma, case.g_prime
    )
    assert_close(got, true_previous_error(case), 1e-12, natural(case))


@every_layer
def test_node_magnitude(case):
    """S38, S39: |M Δ| from the true ∂C/∂x, for every eps."""
    truth = check.complex_step(lambda x: case.cost(x=x), case.x)
    s = np.sqrt(case.x.var(axis=0) + case.eps)
    expected = np.linalg.norm(truth * s / case.gamma, axis=0)
    got = propagation.node_magnitude(case.delta, batchnorm.normalize(case.x, case.eps))
    assert_close(got, expected, 1e-12, np.linalg.norm(case.delta, axis=0).max())


@pytest.mark.parametrize("eps", EPSILONS)
@pytest.mark.parametrize("M_B", [3, 4, 32])
def test_silence_at_both_ends(M_B, eps):
    """S38, S39: nothing at 0° and at 180°, most at 90°; with eps the part 1 − κ stays."""
    case = layer(M_B, 3, 1, eps)
    x_hat = plain_hat(case.x)
    across = plain_hat(case.delta - x_hat * (x_hat * case.delta).mean())
    normalized = batchnorm.normalize(case.x, eps)
    kappa = case.x.var() / (case.x.var() + eps)
    degrees = np.arange(0, 181, 10)
    lengths = []
    for theta in np.radians(degrees):
        delta = np.cos(theta) * x_hat + np.sin(theta) * across
        true = check.complex_step(lambda x, d=delta: (d * plain_hat(x, eps)).sum(), case.x)
        lengths.append(np.linalg.norm(true) * normalized.std[0] / np.sqrt(M_B))
        got = propagation.node_magnitude(delta, normalized)[0] / np.sqrt(M_B)
        assert got == pytest.approx(lengths[-1], abs=1e-12)
        corrected = np.sqrt(1 - kappa * (2 - kappa) * np.cos(theta) ** 2)
        assert got == pytest.approx(corrected, abs=1e-7)
    assert degrees[np.argmax(lengths)] == 90
    assert lengths[9] == pytest.approx(1, abs=1e-12)
    assert lengths[0] == pytest.approx(1 - kappa, abs=1e-12)
    assert lengths[-1] == pytest.approx(1 - kappa, abs=1e-12)


def test_float32():
    for case in LAYERS:
        low = case.as_float32()
        normalized, normalized32 = (batchnorm.normalize(c.x, c.eps) for c in (case, low))
        got = propagation.previous_error_from_angles(
            low.delta, low.W, normalized32, low.gamma, low.g_prime
        )
        truth = propagation.previous_error_from_angles(
            case.delta, case.W, normalized, case.gamma, case.g_prime
        )
        assert got.dtype == np.float32
        scale = max(1.0, natural(case)) * max(1.0, (1 / case.x.std(axis=0)).max())
        assert_close(got, truth, 2e-5, scale)
        got = propagation.node_magnitude(low.delta, normalized32)
        assert got.dtype == np.float32


@pytest.mark.parametrize("eps", EPSILONS)
@pytest.mark.parametrize("M_B", [3, 4, 32])
def test_turned(M_B, eps):
    """S39: the wanted angle is reached, mean and σ are kept, and the plane is not left."""
    case = layer(M_B, 3, 5, eps)
    normalized = batchnorm.normalize(case.x, eps)
    theta1 = np.radians([0.0, 30.0, 90.0, 150.0, 180.0])
    got = propagation.turned(case.delta, normalized, theta1)
    x_hat, delta_hat = plain_hat(case.x), plain_hat(case.delta)
    assert_close((x_hat * plain_hat(got)).mean(axis=0), np.cos(theta1), 1e-12, 1.0)
    assert_close(got.mean(axis=0), case.delta.mean(axis=0), 1e-12, 1.0)
    assert_close(got.std(axis=0), case.delta.std(axis=0), 1e-12, 1.0)
    for k in range(5):
        plane = np.column_stack([x_hat[:, k], delta_hat[:, k]])
        inside = plane @ np.linalg.lstsq(plane, plain_hat(got)[:, k], rcond=None)[0]
        assert_close(inside, plain_hat(got)[:, k], 1e-10, 1.0)
    back = propagation.turned(case.delta, normalized, np.arccos((x_hat * delta_hat).mean(axis=0)))
    assert_close(back, case.delta, 1e-10, 1.0)


def test_two_samples_cannot_be_turned():
    case = layer(2, 3, 2)
    with pytest.raises(ValueError, match=r"^delta: got a column along x̂, wanted .* part M Δ to"):
        propagation.turned(case.delta, batchnorm.normalize(case.x), np.ones(2))


@pytest.mark.parametrize("scale", [1e-10, 1e10])
def test_a_small_error_turns_as_a_large_one_does(scale):
    case, theta1 = layer(8, 3, 2), np.array([0.3, 2.0])
    normalized = batchnorm.normalize(case.x)
    got = propagation.turned(scale * case.delta, normalized, theta1)
    assert_close(got / scale, propagation.turned(case.delta, normalized, theta1), 1e-13)


def test_a_constant_x_hat_is_named():
    case = layer(8, 3, 2)
    normalized = batchnorm.normalize(case.x)
    normalized.x_hat[:, 1] = 0.0
    with pytest.raises(ValueError, match=r"^normalized\.x_hat: column 1 is constant"):
        propagation.turned(case.delta, normalized, np.ones(2))
