"""What review found: a table in a notebook, text in a terminal, an assertion in a test."""

from __future__ import annotations

import html
import re
import warnings
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .. import table
from ..check import agreement
from . import diagnose
from .names import SAYS, SYMBOLS, symbol


class WrongGradient(AssertionError):
    """What `Report.raise_if_wrong` raises. Its message is the report."""


class Row(NamedTuple):
    """One quantity in one case."""

    case: str
    quantity: str  # in symbols
    exact: float
    approximate: float  # the right number and the reader's, where they differ most
    # Relative to the size that the quantity could have; nan where there is no number
    difference: float
    ok: bool
    trouble: str = ""  # why there is no number, or ""

    @property
    def agreement(self):
        """The difference as a bound that is the same on every machine."""
        if self.trouble:
            return self.trouble.split(":")[0]
        if not np.isfinite(self.difference):
            return f"is {self.approximate:g}"
        return agreement(self.difference, "the size it could have")


@dataclass(frozen=True, repr=False, eq=False)
class Report:
    """What review found out about the reader's code."""

    name: str  # of what was handed over
    subject: str  # what it was reviewed as
    # "right"; "own", right for its own forward pass, which is not batch normalization;
    # "wrong"; "unknown", it could not be run
    verdict: str
    diagnosis: str  # in words
    rows: tuple = ()  # one per case and quantity
    mistakes: tuple = ()  # names of the known mistakes in the diagnosis
    notes: tuple = ()  # how it was called, what was taken for what, and what else was noticed
    inputs: dict = None  # the arguments of the case to reproduce, as they were handed over
    case: str = ""  # its name
    quantity: str = ""  # the quantity that is off most there
    exact: object = None  # what it should be
    condition: str = ""  # what the verdict depends on, or ""

    @property
    def ok(self):
        """Whether it is right; code that loses digits, or is right for its own pass, is."""
        return self.verdict in ("right", "own")

    def raise_if_wrong(self):
        """Raise `WrongGradient`, an AssertionError with this report, unless it is ok.

        Warns where the verdict depends on something that the code cannot tell.
        """
        if not self.ok:
            raise WrongGradient(f"\n{self}\n\n{self.reproduce}")
        if self.condition:
            warnings.warn(f"{self.name}: {self.diagnosis}", stacklevel=2)

    @property
    def reproduce(self):
        """Python that makes the inputs of a wrong case and calls the function with them."""
        if not self.inputs:
            return "# it was never called by itself with arrays"
        with np.printoptions(**PRINTED):
            made = {name: _expression(value) for name, value in self.inputs.items()}
        function = self.name if self.name.isidentifier() else "f"
        lines = [
            f"# {self.subject}, the case {self.case}",
            *(f"{name} = {expression}" for name, expression in made.items()),
            f"{function}({', '.join(f'{name}={name}' for name in made)})",
        ]
        if self.exact is not None:
            with np.printoptions(**PRINTED | {"precision": 4, "suppress": True, "threshold": 40}):
                exact = str(np.asarray(self.exact)).splitlines()
            lines += [f"# {self.quantity} should be:", *(f"# {line}" for line in exact)]
        text = "\n".join(lines)
        imports = [line for name, line in IMPORTS.items() if name in text]
        return "\n".join([*imports, "", text])

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
        words = {
            "right": "right",
            "own": "right for its own forward pass",
            "wrong": "WRONG",
            "unknown": "could not be reviewed",
        }
        return f"{self.name}, reviewed as {self.subject}: {words[self.verdict]}"

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
        lines = [self._headline, f"diagnosis: {self.diagnosis}"]
        lines += [table.text(cells)] if len(cells) > 1 else []
        return "\n".join([*lines, *self._footnotes])

    def _repr_html_(self):
        head, *body = self._cells()
        rows = ((name, *map(html.escape, cells)) for name, *cells in body)
        notes = "".join(f"<li>{_marked(note)}</li>" for note in self._footnotes)
        return (
            f"<div><p><strong>{html.escape(self._headline)}</strong><br>"
            f"{_marked(self.diagnosis)}</p>"
            f"{table.html(head, *rows)}<ul>{notes}</ul></div>"
        )


def _marked(words):
    """Return words as HTML, with code between backticks."""
    return re.sub("`(.+?)`", r"<code>\1</code>", html.escape(words))


def reported(name, subject, verdict, tried=()):
    """Return the `Report` of a verdict, and of what else is to be said of how it was called."""
    way = verdict.way
    rows = tuple(row for e in verdict.evidence for row in _rows(e))
    lost = diagnose.digits_lost(subject, verdict) if verdict.kind == "right" else ""
    text = verdict.text if verdict.kind != "right" else _praise(verdict, lost)
    inputs, case, quantity, exact = {}, "", "", None
    worst = _worst(verdict.evidence)
    if worst is not None:
        case, quantity = worst.case.name, ""
        inputs = way.inputs(worst.case.values)
        bad = max(worst.found, key=worst.error, default=None)
        if bad:
            quantity = symbol(bad)
            exact = worst.truth[bad]
            if bad in ("dx", "y"):
                exact = way.form.layout.hand(np.asarray(exact))
    notes = [*verdict.notes, *tried, *_how(way)]
    return Report(
        name,
        subject.name,
        verdict.kind,
        text,
        rows,
        verdict.mistakes,
        tuple(dict.fromkeys(notes)),
        inputs,
        case,
        quantity,
        exact,
        verdict.condition,
    )


def _praise(verdict, lost):
    """Return the words for right code; what it depends on comes first."""
    quantities = dict.fromkeys(q for e in verdict.evidence for q in e.found)
    names = ", ".join(symbol(q) for q in quantities)
    if len(quantities) > 5:
        names = f"{symbol(next(iter(quantities)))} and {len(quantities) - 1} more"
    if verdict.condition:
        return f"right only if {verdict.condition}"
    if lost:
        return lost
    coarse = [note for note in verdict.notes if "digits of float32" in note]
    if coarse:
        return f"right: {names}; {coarse[0]}"
    text = f"right: {names} to 1e-9 or better"
    more = [
        n
        for n in verdict.notes
        if n.startswith(("it does not", "it takes no γ", "it gives", "it fails"))
    ]
    return "; ".join([text, *more])


def _how(way):
    """Yield how the code was called, and what was taken for what."""
    if way is None:
        return
    yield f"{way.how}, with arrays {way.form.layout.axes}" + (
        " as torch tensors" if way.form.tensors else ""
    )
    told = {k: SAYS.get(r, SYMBOLS.get(r, r)) for k, r in way.taken.items() if r}
    if told:
        yield "taken for: " + ", ".join(f"`{name}` {what}" for name, what in told.items())


def _worst(evidence):
    """Return the evidence to reproduce: that of a small case that is wrong."""
    bad = [e for e in evidence if e.wrong or e.outcome.trouble or e.outcome.shapes]
    return min(bad or evidence, key=lambda e: e.case.values["M_B"] != 3, default=None)


def _rows(e):
    """Yield a `Row` per quantity of one case."""
    if not e.found:
        yield Row(e.case.name, "", np.nan, np.nan, np.nan, False, e.outcome.trouble or "no number")
    for q, found in e.found.items():
        exact = np.broadcast_to(e.truth[q], found.shape)
        with np.errstate(all="ignore"):
            apart = np.nan_to_num(np.abs(found - exact), nan=np.inf, posinf=np.inf)
        if not np.isfinite(apart).all() and not np.isfinite(exact).all():
            apart = np.zeros(found.shape)
        where = np.unravel_index(np.argmax(apart), found.shape)
        error = e.error(q)
        error = error if np.isfinite(found[where]) else np.nan
        ok = q not in e.wrong
        yield Row(e.case.name, symbol(q), float(exact[where]), float(found[where]), error, ok)


def _rank(row):
    """Order rows by what there is to see in them; rounding in float32 comes last."""
    rounded = row.case.startswith(("float32", "mean/std"))
    bad = np.inf if np.isnan(row.difference) else row.difference
    return not row.ok, not rounded, not row.trouble, bad


def _short(number):
    # What is zero but for rounding is another number on another machine.
    return f"{number + 0.0:.4g}" if abs(number) > 1e-9 else "0"


# numpy's own, whatever the reader has set.
PRINTED = {
    "precision": 8,
    "threshold": 1000,
    "edgeitems": 3,
    "linewidth": 75,
    "suppress": False,
    "nanstr": "nan",
    "infstr": "inf",
    "formatter": None,
    "sign": "-",
    "floatmode": "maxprec",
    "legacy": False,
}
IMPORTS = {"np.array(": "import numpy as np", "torch.tensor(": "import torch"}


def _expression(value):
    """Return Python that makes an array, or a container of arrays."""
    if hasattr(value, "detach"):
        return f"torch.tensor({_numbers(value.detach().cpu().numpy())}, dtype={value.dtype})"
    if isinstance(value, np.ndarray):
        dtype = ", dtype=np.float32" if value.dtype == np.float32 else ""
        return f"np.array({_numbers(value)}{dtype})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k!r}: {_expression(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)) or type(value).__name__ == "Stand":
        return f"({', '.join(map(_expression, value))},)"
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
