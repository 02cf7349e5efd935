"""Arithmetic in the memory of the first operand, where that can hold the result."""

import numpy as np
import pytest

from bnnotes._inplace import plus, times

OPERATIONS = pytest.mark.parametrize(("operation", "plain"), [(plus, np.add), (times, np.multiply)])


@OPERATIONS
def test_the_result_takes_the_place_of_the_first_operand(operation, plain):
    fresh, row = np.arange(6.0).reshape(3, 2), np.array([2.0, 5.0])
    wanted = plain(fresh, row)
    result = operation(fresh, row)
    assert result is fresh
    np.testing.assert_array_equal(result, wanted)


@OPERATIONS
@pytest.mark.parametrize("kinds", [(np.float64, np.complex128), (np.float32, np.float64)])
def test_a_result_of_another_kind_is_a_new_array(operation, plain, kinds):
    fresh, other = np.ones(3, kinds[0]), np.full(3, 3, kinds[1])
    result = operation(fresh, other)
    assert result.dtype == kinds[1]
    np.testing.assert_array_equal(result, plain(fresh, other))
    np.testing.assert_array_equal(fresh, 1)
