"""Derivatives by other means, and how closely two results agree."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

import numpy as np

from . import table
from .checked import finite, function, number, numeric, room, shown

LARGEST = float(np.finfo(float).max)


def complex_step(f: Callable, x):
    """f'(x) = Im f(x + ih)/h with h so small that its square vanishes.

    No difference is taken, so no digit is lost: about 2e-16 relative. f takes an array shaped like
    x, real, and works on complex numbers with no absolute value and no conjugate. The result has
    the shape of f(x), a number or an array, followed by that of x.

    >>> complex_step(lambda x: (x**3).sum(), [1.0, 2.0])
    array([ 3., 12.])
    """
    # A power of two: multiplying by it and dividing again rounds nothing.
    f, x, h = function("f", f), _real(x), 2.0**-100

    def quotient(index):
        shifted = x.astype(np.result_type(x, np.complex128))
        shifted[index] += 1j * h
        with np.errstate(under="ignore"):  # so small a step may vanish
            value = _value(f(shifted))
        if value.dtype.kind != "c":
            why = "wanted a complex one: no absolute value, no real part"
            raise ValueError(f"f: got a real result of a complex argument, {why}")
        with np.errstate(all="ignore"):
            return value.imag / h

    return _derivative(x, quotient)


def central_difference(f: Callable, x):
    """f'(x) = (f(x + h) − f(x − h))/2h with h = ∛ε·max(1, |x|), ε the rounding unit.

    About 3e-11 relative at best, for any f; arguments and result are those of `complex_step`.

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


def _derivative(x, quotient):
    """`quotient(index)` of every entry of x, stacked on new last axes."""
    if x.size == 0:
        raise ValueError(f"x: got shape {x.shape}, wanted at least one entry")
    indices = np.ndindex(x.shape)
    columns = [quotient(next(indices))]
    room(f"x: got shape {x.shape}", x.size * columns[0].size)
    columns += map(quotient, indices)
    _require_same({column.shape for column in columns})
    slopes = np.stack(columns, axis=-1).reshape(columns[0].shape + x.shape)
    if not finite(slopes):
        raise ValueError("f: its derivative overflows; wanted smaller numbers")
    return slopes


def _require_same(shapes):
    if len(shapes) > 1:
        raise ValueError(f"f: got results of shapes {sorted(shapes)}, wanted the same for every x")


def _value(value):
    # A copy: f may write into its array again.
    return np.array(numeric("f", value))


def _real(x):
    x = numeric("x", x)
    if x.dtype.kind == "c":
        raise ValueError("x: got complex numbers, wanted real ones")
    return x


def agreement(difference, size="its size"):
    """Return a relative difference in words: a bound, which is the same on every machine.

    >>> agreement(3e-16)
    'agrees to 1e-12'
    """
    number("difference", difference)
    for exponent in (12, 9, 6, 3):
        if difference <= 10.0**-exponent:
            return f"agrees to 1e-{exponent}"
    return f"differs by {difference:.1g} of {size}"


class Row(NamedTuple):
    """One compared pair: its largest exact entry, the entry there, the difference."""

    name: str
    exact: complex
    approximate: complex
    difference: float

    @property
    def agreement(self):
        """The difference in words."""
        return agreement(self.difference)


@dataclass(frozen=True, repr=False)
class Comparison:
    """What `compare` returns, shown as a table; ``row.difference`` is exact, the bound is not."""

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
            # What rounding left of a zero is another number on every machine.
            rounded = row.exact == 0 and row.difference <= 1e-12
            approximate = "0" if rounded else f"{row.approximate:.4g}"
            yield row.name, f"{row.exact:.4g}", approximate, row.agreement

    def __repr__(self):
        return table.text(self._cells())


def _tolerance(value):
    number = numeric("tolerance", value)
    if number.shape or number.dtype.kind == "c" or not number > 0:
        raise ValueError(f"tolerance: got {shown(value)}, wanted a positive number")
    return float(number)


def compare(**pairs):
    """The `Comparison` of named pairs (exact, approximate) of numbers or of arrays.

    The table shows the largest entry of the exact array and the other's entry in its place. The
    difference is the largest over all entries, divided by the largest exact one (or not, if 0), at
    most the largest float.

    >>> compare(third=(1 / 3, 0.3333333333))
           exact   approximate  agreement
    third  0.3333  0.3333       agrees to 1e-9
    """
    return _compared(pairs)


def _compared(pairs, zero=0.0):
    if not pairs:
        raise ValueError("compare: got no pair, wanted name=(exact, approximate)")
    return Comparison(tuple(_row(name, pair, zero) for name, pair in pairs.items()))


class Checks:
    """All pairs that a chapter compares: each is made in silence, all are shown together.

    ``checks(times, name=(exact, approximate))`` wants a difference of at most `times` (1 if it is
    left out) the tolerance, and keeps the row under its name. An exact array that is nowhere larger
    than the tolerance is taken for 0. On a page the table is folded.

    >>> checks = Checks(1e-9)
    >>> checks(third=(1 / 3, 0.3333333333), half=(0.5, 0.5))
    >>> checks
    2 comparisons, each agrees to 1e-9 or better
           exact   approximate  agreement
    third  0.3333  0.3333       agrees to 1e-9
    half   0.5     0.5          agrees to 1e-12
    """

    def __init__(self, tolerance):
        self.tolerance, self._rows = _tolerance(tolerance), {}

    def __call__(self, times=1, /, **pairs):
        # Rounding is all that is left of an exact 0, and is no size to compare with.
        found, most = _compared(pairs, zero=self.tolerance), number("times", times) * self.tolerance
        if found.worst > most:
            raise AssertionError(f"wanted a difference up to {most:g}, got\n{found}")
        # By name: a cell that is run again counts once.
        self._rows |= {row.name: row for row in found.rows}

    def _line(self):
        if not self._rows:
            return "no comparison yet"
        worst = max(self._rows.values(), key=lambda row: row.difference)
        many = f"{len(self._rows)} comparison{'s' * (len(self._rows) > 1)}"
        agrees = worst.agreement.startswith("agrees")
        return f"{many}, {f'each {worst.agreement} or better' if agrees else 'one differs'}"

    def __repr__(self):
        rows = tuple(self._rows.values())
        return f"{self._line()}\n{Comparison(rows)!r}" if rows else self._line()

    def _repr_html_(self):
        head, *rows = Comparison(tuple(self._rows.values()))._cells()
        body = ([name, *map(escape, cells)] for name, *cells in rows)
        summary = f"<summary>{escape(self._line())}</summary>"
        return f"<details>{summary}{table.html(head, *body)}</details>"


def _row(name, pair, zero):
    if not isinstance(pair, (list, tuple)) or len(pair) != 2:
        raise ValueError(f"{name}: got {shown(pair)}, wanted a pair (exact, approximate)")
    exact, approximate = numeric(name, pair[0]), numeric(name, pair[1])
    if exact.shape != approximate.shape:
        raise ValueError(f"{name}: got shapes {exact.shape} and {approximate.shape}, wanted equal")
    if exact.size == 0:
        raise ValueError(f"{name}: got empty arrays, wanted at least one entry")
    with np.errstate(all="ignore"):
        if not finite((exact.astype(complex), approximate.astype(complex))):
            raise ValueError(f"{name}: got a number beyond {LARGEST:.0e}, wanted smaller ones")
        # In units of a power of two, which rounds nothing, so that no length overflows.
        largest = max(np.abs(exact.real).max(), np.abs(exact.imag).max())
        if largest <= zero:
            exact, largest = 0 * exact, 0 * largest
        unit = np.ldexp(np.ones_like(largest), np.frexp(largest or largest + 1)[1] - 1)
        scaled, other = exact / unit, approximate / unit
        where = np.unravel_index(np.argmax(np.abs(scaled)), exact.shape)
        difference = float(np.abs(scaled - other).max() / (np.abs(scaled[where]) or 1.0))
    return Row(name, exact[where].item(), approximate[where].item(), min(difference, LARGEST))
