"""Section 3 of the source, last part: what a node sends back."""

import numpy as np
import pytest
from cases import EPSILONS, assert_close, layer, plain_hat

from bnnotes import batchnorm, propagation


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
