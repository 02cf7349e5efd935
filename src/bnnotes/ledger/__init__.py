"""Every equation and claim of the source: verdict, correction, function, test, cell.

A verdict is about the source as it is, with ε = 0. Where the book has another equation for ε > 0,
the mark ε stands beside the verdict.

The rows are data, in rows.toml, and each has an experiment in section_1 to 3, which measures it.
Of both are made the boxes of the chapters, the errata and what ``python -m bnnotes.ledger`` prints.
What does not fit is refused with a `ValueError` that says what was wanted.
"""

from __future__ import annotations

import functools
import itertools
import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from importlib import resources

from .. import table as tables
from ..checked import choice, instance, shown, whole
from . import section_1, section_2  # noqa: F401  they fill EXPERIMENTS, as section_3 does
from .experiment import BEYOND, CASES, EXPERIMENTS, agreement, measure, typical, worst_now
from .section_3 import baseline_over_bn

__all__ = [
    "BEYOND",
    "CASES",
    "EXPERIMENTS",
    "MARKS",
    "Row",
    "agreement",
    "baseline_over_bn",
    "box",
    "boxes",
    "counted",
    "measure",
    "row",
    "rows",
    "table",
    "typical",
    "worst_now",
]

MARKS = {"holds": "✓", "condition": "△", "false": "✗"}
GENERALIZED = "ε"
# How a box words what was measured, unless the row has words of its own; what holds needs none.
OFF = "As printed it is off by {printed:.2g} of the true size."


@dataclass(frozen=True)
class Row:
    """One equation or claim of the source; what its fields are, the head of rows.toml says."""

    id: str  # "S1", or "(1)" to "(6)"; (5) is "(5) BN" and "(5) BL"
    section: int
    kind: str
    what: str
    statement: str
    verdict: str
    functions: tuple
    tests: tuple
    cells: tuple
    off: bool
    correction: str = ""
    needs: str = "condition"
    epsilon: str = ""
    measured: str = ""
    beyond: str = ""

    @property
    def mark(self):
        """✓, △ or ✗, and ε beside it where the book generalizes the row."""
        return f"{MARKS[self.verdict]} {GENERALIZED if self.epsilon else ''}".rstrip()

    @property
    def heading(self):
        """The verdict in words."""
        if self.verdict == "condition":
            return f"Needs a {self.needs}"
        return {"holds": "Holds", "false": "The source errs here"}[self.verdict]


def _row(entry):
    """Return the `Row` of an entry of rows.toml; its experiment's tests follow from the verdict."""
    entry = {key: tuple(v) if isinstance(v, list) else v for key, v in entry.items()}
    off = entry.setdefault("off", entry["verdict"] != "holds")
    own = ["printed_fails", "corrected_holds"] if off else ["printed_holds"]
    own += ["beyond"] if entry["id"] in BEYOND else []
    tests = (f"tests/test_errata.py::test_{name}[{entry['id']}]" for name in own)
    return Row(**{**entry, "tests": (*entry["tests"], *tests)})


@functools.cache
def _table():
    text = resources.files(__package__).joinpath("rows.toml").read_text(encoding="utf-8")
    return {entry["id"]: _row(entry) for entry in tomllib.loads(text)["row"]}


def rows():
    """Return all rows in the order of the source.

    >>> [row.id for row in rows()][:3]
    ['S1', 'S2', 'S3']
    """
    return list(_table().values())


def row(id):
    """Return the `Row` of that id.

    >>> row("S17").verdict
    'false'
    """
    return _table()[choice("id", id, _table())]


def counted():
    """Return how many rows there are of each verdict, in a sentence."""
    of = Counter(entry.verdict for entry in rows())
    with_eps = sum(bool(entry.epsilon) for entry in rows())
    return (
        f"{len(rows())} rows: {of['holds']} hold, {of['condition']} need a condition or a "
        f"correction, {of['false']} are false; {with_eps} are generalized for ε > 0"
    )


class Box:
    """A row with its measured numbers, as a marked box on the page."""

    def __init__(self, row, evidence):
        self.row, self.evidence = row, evidence

    @property
    def parts(self):
        """Pairs of a label and its text."""
        row = self.row
        correct = "Mind" if row.verdict == "holds" else "As it should read"
        pairs = (
            ("As printed", row.statement),
            (correct, row.correction),
            ("Generalized here for ε > 0", row.epsilon),
            ("Measured", self.evidence),
        )
        return [(label, text) for label, text in pairs if text]

    def __repr__(self):
        head = f"{self.row.mark} {self.row.heading} · {self.row.id} · {self.row.what}"
        return "\n".join([head, *(f"{label}: {text}" for label, text in self.parts)])

    def _repr_markdown_(self):
        row = self.row
        lines = [f"**{row.mark} {row.heading} · {row.id}** · {row.what}"]
        for label, text in self.parts:
            alone = text.startswith("$") and text.count("$") == 2 and text.endswith("$")
            # An equation alone stands on its own line; one line, since a break would let
            # the mark of the quotation into the equation.
            lines += [f"*{label}:*", f"${text}$"] if alone else [f"*{label}:* {_legible(text)}"]
        return "\n>\n".join(f"> {line}" for line in lines)


def box(id, evidence=None):
    """Return the marked `Box` of a row, with what was measured, in Markdown.

    Without `evidence` that is what `typical` finds.
    """
    entry = row(id)
    instance("evidence", evidence, (str, type(None)), "text or None")
    return Box(entry, _measured(entry) if evidence is None else evidence)


def _legible(text):
    """Keep fractions and sums within a line as large as on a line of their own."""
    return re.sub(r"\$([^$]*\\(?:frac|sum)[^$]*)\$", r"$\\displaystyle \1$", text)


class Boxes(list):
    """Boxes one below the other."""

    def __repr__(self):
        return "\n\n".join(map(repr, self))

    def _repr_markdown_(self):
        # The comment keeps two quotations from becoming one.
        return "\n\n<!-- -->\n\n".join(box._repr_markdown_() for box in self)


def boxes(notebook, verdicts=("condition", "false")):
    """Return the `Boxes` of all rows of such verdicts that belong to a chapter.

    In the order of the source; rows that hold are shown only if there is something to mind or to
    generalize.
    """
    chapters = {entry.id: entry.cells[0].partition("#")[0] for entry in rows()}
    choice("notebook", notebook, dict.fromkeys(chapters.values()))
    instance("verdicts", verdicts, (list, tuple, set), "a list of verdicts")
    for verdict in verdicts:
        choice("verdicts", verdict, MARKS)
    return Boxes(
        box(entry.id)
        for entry in rows()
        if chapters[entry.id] == notebook
        and entry.verdict in verdicts
        and (entry.correction or entry.epsilon)
    )


def _measured(entry):
    words = [_worded(entry.measured or ("" if entry.verdict == "holds" else OFF), entry.id)]
    if entry.beyond:
        words.append(_worded(entry.beyond, entry.id, beyond=True))
    return " ".join(filter(None, words))


def _worded(words, id, beyond=False):
    found = typical(id, beyond=beyond)
    return words.format(
        printed=found.printed,
        number=found.corrected,
        corrected=agreement(found.corrected),
        exact="" if beyond else agreement(found.exact),
    )


class Table:
    """Rows of the ledger with what was measured now, as a table on the page."""

    def __init__(self, rows):
        self.rows = list(rows)

    def __repr__(self):
        lines = [("id", "", "what", "error now", "functions", "tests", "cells")]
        for entry in self.rows:
            columns = *([cell] for cell in _named(entry)), entry.functions, entry.tests, entry.cells
            # Long lists go down, not across.
            lines += itertools.zip_longest(*columns, fillvalue="")
        return tables.text(lines)

    def _repr_markdown_(self):
        lines = (
            (
                *_named(entry),
                [f"`{function}`" for function in entry.functions],
                [f"`{test.removeprefix('tests/')}`" for test in entry.tests],
                [_link(cell) for cell in entry.cells],
            )
            for entry in self.rows
        )
        head = ("id", "", "what", "error now", "function", "tests", "cell")
        return tables.markdown(head, *lines)


def _named(entry):
    return entry.id, entry.mark, entry.what, _error_now(entry.id)


def _link(cell):
    notebook, _, tag = cell.partition("#")
    return f"[{notebook}]({notebook}.ipynb) `{tag}`"


@functools.cache
def _error_now(id):
    """Return how closely the code of a row agrees with the forward pass now, as a bound."""
    return agreement(worst_now(id))


def table(section=None):
    """Return the rows of a section of the source, or all, as a `Table`, measured now."""
    sections = sorted({entry.section for entry in rows()})
    if section is not None and not (whole(section) and section in sections):
        raise ValueError(f"section: got {shown(section)}, wanted one of {sections}")
    return Table(entry for entry in rows() if section in (None, entry.section))
