"""Derivatives by other means, and how closely two results agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ._validation import function, numeric, shown


def _derivative(x, quotient):
    """Stack `quotient(index)` over every entry of x on new last axes."""
    if x.size == 0:
        raise ValueError(f"x: got shape {x.shape}, wanted at least one entry")
    columns = [np.asarray(quotient(index)) for index in np.ndindex(x.shape)]
    _require_same({column.shape for column in columns})
    return np.stack(columns, axis=-1).reshape(columns[0].shape + x.shape)


def complex_step(f, x):
    """Return the derivative of f at x by the complex step.

    f'(x) = Im f(x + ih)/h with h so small that its square vanishes. No
    difference is taken, so no digit is lost: about 2e-16 relative.

    Parameters
    ----------
    f : callable
        Takes an array shaped like x; works on complex numbers, with no
        absolute value and no conjugate. Returns a number or an array.
    x : array_like
        Real.

    Returns
    -------
    ndarray
        Shape of f(x) followed by the shape of x.

    Raises
    ------
    ValueError
        If x is complex or not finite.

    Examples
    --------
    >>> complex_step(lambda x: (x**3).sum(), [1.0, 2.0])
    array([ 3., 12.])
    """
    # A power of two: multiplying by it and dividing again rounds nothing.
    f, x, h = function("f", f), _real(x), 2.0**-100

    def quotient(index):
        shifted = x.astype(np.result_type(x, np.complex128))
        shifted[index] += 1j * h
        return _value(f(shifted)).imag / h

    return _derivative(x, quotient)


def central_difference(f, x):
    """Return the derivative of f at x by central differences.

    (f(x + h) − f(x − h))/2h with h = ∛ε·max(1, |x|), ε the rounding unit:
    about 3e-11 relative at best. Works for any f.

    Parameters
    ----------
    f : callable
        Takes an array shaped like x; returns a number or an array.
    x : array_like
        Real.

    Returns
    -------
    ndarray
        Shape of f(x) followed by the shape of x.

    Raises
    ------
    ValueError
        If x is complex or not finite.

    Examples
    --------
    >>> central_difference(lambda x: (x**2).sum(), [1.0, 3.0]).round(6)
    array([2., 6.])
    """
    f, x = function("f", f), _real(x)

    def quotient(index):
        h = np.cbrt(np.finfo(x.dtype).eps) * max(1.0, abs(x[index]))
        above, below = x.copy(), x.copy()
        above[index] += h
        below[index] -= h
        # Taken now, since f may write into its argument.
        width = above[index] - below[index]
        with np.errstate(over="ignore"):
            high, low = _value(f(above)), _value(f(below))
            _require_same({high.shape, low.shape})
            return _value((high - low) / width)

    return _derivative(x, quotient)


def _require_same(shapes):
    if len(shapes) > 1:
        raise ValueError(f"f: got results of shapes {sorted(shapes)}, wanted the same for every x")


def _value(value):
    """Return what f gave as an array of finite numbers, one that f may write into again."""
    return np.array(numeric("f", value))


def _real(x):
    x = numeric("x", x)
    if x.dtype.kind == "c":
        raise ValueError("x: got complex numbers, wanted real ones")
    return x


class Row(NamedTuple):
    """One compared pair: its largest exact entry, the entry there, the difference."""

    name: str
    exact: complex
    approximate: complex
    difference: float

    @property
    def agreement(self):
        """The difference as a bound that is the same on every machine."""
        for exponent in (12, 9, 6, 3):
            if self.difference <= 10.0**-exponent:
                return f"agrees to 1e-{exponent}"
        return f"differs by {self.difference:.1g} of its size"


@dataclass(frozen=True, repr=False)
class Comparison:
    """What `compare` returns; shown as a table.

    Attributes
    ----------
    rows : tuple of Row
        ``row.difference`` is the exact number behind each printed bound.
    """

    rows: tuple

    @property
    def worst(self):
        """The largest difference of all rows."""
        return max(row.difference for row in self.rows)

    def __getitem__(self, name):
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(f"got {name!r}, wanted one of {', '.join(row.name for row in self.rows)}")

    def _cells(self):
        yield "", "exact", "approximate", "agreement"
        for row in self.rows:
            yield row.name, f"{row.exact:.4g}", f"{row.approximate:.4g}", row.agreement

    def __repr__(self):
        cells = list(self._cells())
        widths = [max(len(line[k]) for line in cells) for k in range(4)]
        lines = ("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in cells)
        return "\n".join(line.rstrip() for line in lines)


def compare(**pairs):
    """Return a table exact · approximate · agreement of named pairs.

    Parameters
    ----------
    **pairs : tuple (exact, approximate)
        Numbers, or arrays of equal shape. The table shows the largest entry
        of the exact one and the entry of the other in the same place.

    Returns
    -------
    Comparison
        The difference is the largest over all entries, divided by the
        largest exact entry (or not, where that is 0).

    Raises
    ------
    ValueError
        If the two shapes of a pair differ or an entry is not finite.

    Examples
    --------
    >>> compare(third=(1 / 3, 0.3333333333))
           exact   approximate  agreement
    third  0.3333  0.3333       agrees to 1e-9
    """
    if not pairs:
        raise ValueError("compare: got no pair, wanted name=(exact, approximate)")
    return Comparison(tuple(_row(name, pair) for name, pair in pairs.items()))


def _row(name, pair):
    if not isinstance(pair, (list, tuple)) or len(pair) != 2:
        raise ValueError(f"{name}: got {shown(pair)}, wanted a pair (exact, approximate)")
    exact, approximate = pair
    exact, approximate = numeric(name, exact), numeric(name, approximate)
    if exact.shape != approximate.shape:
        raise ValueError(f"{name}: got shapes {exact.shape} and {approximate.shape}, wanted equal")
    if exact.size == 0:
        raise ValueError(f"{name}: got empty arrays, wanted at least one entry")
    where = np.unravel_index(np.argmax(np.abs(exact)), exact.shape)
    scale = float(np.abs(exact[where])) or 1.0
    with np.errstate(over="ignore"):
        difference = float(np.abs(exact - approximate).max()) / scale
    return Row(name, exact[where].item(), approximate[where].item(), difference)
