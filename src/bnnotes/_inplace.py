"""Arithmetic in the memory of its first operand.

For an intermediate result that nobody else holds. New memory for a large
array takes longer to get than the operation takes. Where the dtype of the
first operand cannot hold the result, the result is a new array: so the
complex step can make any one of the operands complex.
"""

from __future__ import annotations

import numpy as np


def plus(fresh, other):
    """Return fresh + other."""
    return np.add(fresh, other, out=fresh if fresh.dtype == other.dtype else None)


def times(fresh, other):
    """Return fresh · other, entry by entry."""
    return np.multiply(fresh, other, out=fresh if fresh.dtype == other.dtype else None)
