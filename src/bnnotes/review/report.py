"""What review found: a table in a notebook, text in a terminal, an assertion in a test."""

from __future__ import annotations

import html
import unicodedata
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..activations import Activation
from ..check import Row as Compared
from ..network import Network


class WrongGradient(AssertionError):
    """What `Report.raise_if_wrong` raises. Its message is the report."""


class Row(NamedTuple):
    """One quantity in one case.

    Attributes
    ----------
    case : str
    quantity : str
        In symbols.
    exact, approximate : float
        The right number and the reader's, where they differ most.
    difference : float
        Relative to the size that the quantity could have; nan where there is no number.
    ok : bool
    trouble : str
        Why there is no number, or "".
    """

    case: str
    quantity: str
    exact: float
    approximate: float
    difference: float
    ok: bool
    trouble: str = ""

    @property
    def agreement(self):
        """The difference as a bound that is the same on every machine."""
        if self.trouble:
            return self.trouble.split(":")[0]
        if not np.isfinite(self.difference):
            return f"is {self.approximate:g}"
        return Compared("", self.exact, self.approximate, self.difference).agreement


@dataclass(frozen=True, repr=False)
class Report:
    """What review found out about a function.

    Attributes
    ----------
    name : str
        Of the reader's function.
    subject : str
        What it was reviewed as.
    ok : bool
        Whether it is right. A right function that loses digits is right.
    diagnosis : str
        In words.
    rows : tuple of report.Row
        One per case and quantity.
    mistakes : tuple of str
        Names of the known mistakes in the diagnosis.
    notes : tuple of str
        How it was called, and what else was noticed.
    inputs : dict
        The arguments of the case to reproduce, as they were handed over.
    case : str
        Its name.
    quantity : str
        The quantity that is off most there.
    exact : ndarray
        What it should be.
    """

    name: str
    subject: str
    ok: bool
    diagnosis: str
    rows: tuple = ()
    mistakes: tuple = ()
    notes: tuple = ()
    inputs: dict = None
    case: str = ""
    quantity: str = ""
    exact: object = None

    def raise_if_wrong(self):
        """Raise `WrongGradient`, an AssertionError with this report, unless it is ok."""
        if not self.ok:
            raise WrongGradient(f"\n{self}\n\n{self.reproduce}")

    @property
    def reproduce(self):
        """Python that makes the inputs of a wrong case and calls the function with them."""
        if not self.inputs:
            return "# the function was never called"
        made = {name: self._made(value) for name, value in self.inputs.items()}
        function = self.name if self.name.isidentifier() else "f"
        lines = [
            f"# {self.subject}, the case {self.case}",
            *(f"{name} = {expression}" for name, expression in made.items()),
            f"{function}({', '.join(f'{name}={name}' for name in made)})",
        ]
        if self.exact is not None:
            with np.printoptions(precision=4, suppress=True, threshold=40):
                exact = str(np.asarray(self.exact)).splitlines()
            lines += [f"# {self.quantity} should be:", *(f"# {line}" for line in exact)]
        text = "\n".join(lines)
        imports = [line for name, line in IMPORTS.items() if name in text]
        return "\n".join([*imports, "", text])

    def _made(self, value):
        """Return Python that makes an argument."""
        if isinstance(value, Network):
            return f'review.case("{self.subject}", "{self.case}")["network"]'
        return _expression(value)

    def _summary(self):
        """Return a row per quantity: the worst where it is wrong, else one for all cases."""
        by_quantity = {}
        for row in self.rows:
            by_quantity.setdefault(row.quantity, []).append(row)
        for rows in by_quantity.values():
            if all(row.ok for row in rows):
                # Which right case rounds worst is chance; only the bound is worth telling.
                worst = max(rows, key=_rank).difference
                yield rows[0]._replace(case=f"all {len(rows)}", difference=worst)
            else:
                yield max(rows, key=_rank)

    @property
    def _headline(self):
        return f"{self.name}, reviewed as {self.subject}: {'right' if self.ok else 'WRONG'}"

    def _cells(self):
        yield "", "case", "exact", "yours", "agreement"
        for row in self._summary():
            numbers = ("", "") if row.trouble else (_short(row.exact), _short(row.approximate))
            yield row.quantity, row.case, *numbers, row.agreement

    @property
    def _footnotes(self):
        how = () if self.ok or not self.inputs else ("to see it: print(report.reproduce)",)
        return (*self.notes, *how)

    def __repr__(self):
        cells = list(self._cells())
        widths = [max(_width(line[k]) for line in cells) for k in range(5)]
        table = [
            "  ".join(
                cell + " " * (width - _width(cell))
                for cell, width in zip(line, widths, strict=True)
            ).rstrip()
            for line in cells
        ]
        lines = [self._headline, f"diagnosis: {self.diagnosis}"]
        lines += table if len(table) > 1 else []
        return "\n".join([*lines, *self._footnotes])

    def _repr_html_(self):
        head, *body = self._cells()
        escaped = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in head)
        rows = "".join(
            f'<tr><th scope="row">{html.escape(line[0])}</th>'
            + "".join(f"<td>{html.escape(cell)}</td>" for cell in line[1:])
            + "</tr>"
            for line in body
        )
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self._footnotes)
        return (
            f"<div><p><strong>{html.escape(self._headline)}</strong><br>"
            f"{html.escape(self.diagnosis)}</p>"
            f"<table><thead><tr>{escaped}</tr></thead><tbody>{rows}</tbody></table>"
            f"<ul>{notes}</ul></div>"
        )


def _rank(row):
    """Order rows by what there is to see in them; rounding in float32 comes last."""
    rounded = row.case == "float32" or row.case.startswith("mean/std")
    bad = np.inf if np.isnan(row.difference) else row.difference
    return not row.ok, not rounded, not row.trouble, bad


def _width(text):
    """Return how many columns a text takes: the hat of x̂ takes none."""
    return sum(not unicodedata.combining(character) for character in text)


def _short(number):
    return f"{number + 0.0:.4g}"


IMPORTS = {
    "np.array(": "import numpy as np",
    "torch.tensor(": "import torch",
    "review.case(": "from bnnotes import review",
    "activations.get(": "from bnnotes import activations",
    "Normalized(": "from bnnotes.batchnorm import Normalized",
    "LayerDict(": "from bnnotes.review.whole import LayerDict",
}


def _expression(value):
    """Return Python that makes an array, or a container of arrays."""
    if hasattr(value, "detach"):
        return f"torch.tensor({_numbers(value.detach().cpu().numpy())}, dtype={value.dtype})"
    if isinstance(value, np.ndarray):
        dtype = ", dtype=np.float32" if value.dtype == np.float32 else ""
        return f"np.array({_numbers(value)}{dtype})"
    if isinstance(value, Activation):
        return f"activations.get({value.name!r})"
    fields = value._asdict() if hasattr(value, "_asdict") else value
    if isinstance(fields, dict):
        if type(value) is dict:
            return "{" + ", ".join(f"{k!r}: {_expression(v)}" for k, v in value.items()) + "}"
        given = ", ".join(f"{k}={_expression(v)}" for k, v in fields.items())
        return f"{type(value).__name__}({given})"
    if isinstance(value, (list, tuple)):
        listed = ", ".join(map(_expression, value))
        return f"[{listed}]" if isinstance(value, list) else f"({listed},)"
    return repr(value)


def _numbers(array):
    """Return the digits of an array, as few as give the same numbers again."""
    return np.array2string(
        array,
        separator=", ",
        threshold=10**6,
        max_line_width=88,
        formatter={"float_kind": lambda number: str(number + 0.0)},
    )
