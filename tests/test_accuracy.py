"""Rounding errors against 50 digits: 1e-15, whatever the mean and the variance."""

import numpy as np
import pytest
from exact import errors, layer, results

BOUND = 1e-15
M_BS = [2, 3, 4, 5, 7, 8, 16, 31, 100, 256, 1000, 4096]


@pytest.mark.parametrize("ratio", [0.0, 1.0, 1e2, 1e4, 1e6, 1e8, -1e8])
@pytest.mark.parametrize("M_B", M_BS)
def test_any_mean(M_B, ratio):
    for seed in range(40 if M_B < 100 else 2):
        case = layer(M_B, ratio, seed=seed)
        assert max(errors(case, results(case))) <= BOUND


@pytest.mark.parametrize("std", [1e-6, 1e-3, 1e3, 1e6])
@pytest.mark.parametrize("ratio", [0.0, 1e4, 1e8])
@pytest.mark.parametrize("M_B", [2, 3, 32, 257])
def test_any_variance(M_B, ratio, std):
    """A variance of 1e-12 is as good as any other."""
    for seed in range(10 if M_B < 100 else 1):
        case = layer(M_B, ratio, std, seed)
        assert max(errors(case, results(case))) <= BOUND


@pytest.mark.parametrize("eps", [1e-12, 1e-5, 0.1])
@pytest.mark.parametrize("ratio", [0.0, 1e8])
@pytest.mark.parametrize("M_B", [2, 3, 32, 257])
def test_with_eps(M_B, ratio, eps):
    for seed in range(10 if M_B < 100 else 1):
        case = layer(M_B, ratio, seed=seed, eps=eps)
        assert max(errors(case, results(case))) <= BOUND


@pytest.mark.parametrize("std", [1e-6, 1.0, 1e3])
@pytest.mark.parametrize("ratio", [0.0, 1e4, 1e8])
def test_exactly_zero_at_two_samples(ratio, std):
    """What mathematics says is zero, is 0.0."""
    for seed in range(300):
        case = layer(2, ratio, std, seed)
        np.testing.assert_array_equal(results(case)[1], 0)


def test_the_measure_sees_a_single_wrong_bit():
    case = layer(8, 1e8)
    y, dx, dgamma, dbeta = results(case)
    dx[3] += 1e-14 * np.abs(dx).max()
    assert errors(case, (y, dx, dgamma, dbeta)).x > BOUND
