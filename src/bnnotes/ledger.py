"""Every equation and claim of the source: verdict, correction, function, test, cell.

A verdict is about the source as it is, with ε = 0. Where the book has another
equation for ε > 0, the mark ε stands beside the verdict.

The rows are data, in ledger.toml. The boxes of the chapters, the errata and
the table of ``python -m bnnotes.ledger`` are all made from them.
"""

from __future__ import annotations

import functools
import itertools
import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from importlib import resources

from . import errata
from .checked import choice, instance, shown, whole

MARKS = {"holds": "✓", "condition": "△", "false": "✗"}
GENERALIZED = "ε"
# How a box words what was measured, unless the row has words of its own.
HOLDS = "As printed it {exact}."
OFF = "As printed it is off by {printed:.2g} of the true size. As corrected it {corrected}."
WITH_EPS = (
    "At $\\varepsilon = 0.3$ the printed equation is off by {printed:.2g} of the true size; "
    "generalized, it {corrected}."
)


@dataclass(frozen=True)
class Row:
    """One equation or claim of the source.

    Attributes
    ----------
    id : str
        ``"S1"`` to ``"S55"``, ``"(1)"`` to ``"(6)"``; (5) is ``"(5) BN"`` and ``"(5) BL"``.
    section : int
        Of the source.
    kind : {"equation", "claim"}
    what : str
        A name in a few words.
    statement : str
        What the source prints, Markdown with LaTeX; what is left out is marked […].
    verdict : {"holds", "condition", "false"}
    functions : tuple of str
        Of bnnotes, ``"batchnorm.kernel"``.
    tests : tuple of str
        Node ids of pytest.
    cells : tuple of str
        ``"2_batch_normalization#S17"``: a notebook and the tag of a cell in it.
    correction : str
        How it should read; for a row that holds, what to mind. May be empty there.
    needs : {"condition", "correction"}
        What a row with the verdict "condition" lacks.
    epsilon : str
        What the book makes of it for ε > 0; empty where nothing changes.
    measured : str
        How the numbers of `bnnotes.errata.typical` are worded, if not as usual.
    beyond : str
        The same for those outside of what the source says.
    """

    id: str
    section: int
    kind: str
    what: str
    statement: str
    verdict: str
    functions: tuple
    tests: tuple
    cells: tuple
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


@functools.cache
def _table():
    text = resources.files(__package__).joinpath("ledger.toml").read_text(encoding="utf-8")
    listed = ("functions", "tests", "cells")
    return tuple(
        Row(**{key: tuple(value) if key in listed else value for key, value in entry.items()})
        for entry in tomllib.loads(text)["row"]
    )


def rows():
    """Return all rows in the order of the source.

    Returns
    -------
    list of Row

    Examples
    --------
    >>> [row.id for row in rows()][:3]
    ['S1', 'S2', 'S3']
    """
    return list(_table())


def row(id):
    """Return the row of that id.

    Parameters
    ----------
    id : str
        ``"S17"`` or ``"(4)"``.

    Returns
    -------
    Row

    Raises
    ------
    ValueError
        If there is none.

    Examples
    --------
    >>> row("S17").verdict
    'false'
    """
    entries = {entry.id: entry for entry in _table()}
    return entries[choice("id", id, entries)]


def counted():
    """Return how many rows there are of each verdict, in a sentence.

    Returns
    -------
    str
    """
    of = Counter(entry.verdict for entry in _table())
    with_eps = sum(bool(entry.epsilon) for entry in _table())
    return (
        f"{len(_table())} rows: {of['holds']} hold, {of['condition']} need a condition or a "
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
    """Return the marked box of a row.

    Parameters
    ----------
    id : str
        As in `row`.
    evidence : str, optional
        What was measured, Markdown; without it the numbers of
        `bnnotes.errata.typical`.

    Returns
    -------
    Box
        Shown as a box in a notebook.

    Raises
    ------
    ValueError
        If there is no such row.
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
    """Return the boxes of all rows that belong to a chapter, in the order of the source.

    Parameters
    ----------
    notebook : str
        Its name, ``"2_batch_normalization"``.
    verdicts : sequence of str
        Which rows; rows that hold are shown only if there is something to mind
        or to generalize.

    Returns
    -------
    Boxes

    Raises
    ------
    ValueError
        If no row belongs to the chapter.
    """
    names = dict.fromkeys(entry.cells[0].partition("#")[0] for entry in _table())
    choice("notebook", notebook, names)
    instance("verdicts", verdicts, (list, tuple, set), "a list of verdicts")
    for verdict in verdicts:
        choice("verdicts", verdict, MARKS)
    of_chapter = [entry for entry in _table() if entry.cells[0].startswith(f"{notebook}#")]
    return Boxes(
        box(entry.id)
        for entry in of_chapter
        if entry.verdict in verdicts and (entry.correction or entry.epsilon)
    )


def _measured(entry):
    words = [_worded(entry.measured or (HOLDS if entry.verdict == "holds" else OFF), entry.id)]
    if entry.id in errata.BEYOND:
        words.append(_worded(entry.beyond or WITH_EPS, entry.id, beyond=True))
    cases = f"({errata.CASES} random cases: medians of what is off, the worst of what agrees.)"
    return " ".join([*words, cases])


def _worded(words, id, beyond=False):
    typical = errata.typical(id, beyond=beyond)
    return words.format(
        printed=typical.printed,
        number=typical.corrected,
        corrected=errata.agreement(typical.corrected),
        exact="" if beyond else errata.agreement(typical.exact),
    )


class Table:
    """Rows of the ledger with what was measured now, as a table on the page."""

    def __init__(self, rows):
        self.rows = list(rows)

    def __repr__(self):
        lines = list(self._lines())
        widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
        padded = (
            "  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) for line in lines
        )
        return "\n".join(line.rstrip() for line in padded)

    def _lines(self):
        """Yield the table, a tuple of seven cells a line; long lists go down, not across."""
        yield "id", "", "what", "error now", "functions", "tests", "cells"
        for entry in self.rows:
            head = [entry.id], [entry.mark], [entry.what], [error_now(entry)]
            columns = *head, entry.functions, entry.tests, entry.cells
            yield from itertools.zip_longest(*columns, fillvalue="")

    def _repr_markdown_(self):
        lines = ["| id | | what | error now | function | tests | cell |", "|---" * 7 + "|"]
        for entry in self.rows:
            cells = (
                entry.id,
                entry.mark,
                entry.what,
                error_now(entry),
                "<br>".join(f"`{function}`" for function in entry.functions),
                "<br>".join(f"`{_short(test)}`" for test in entry.tests),
                "<br>".join(_link(cell) for cell in entry.cells),
            )
            lines.append(f"| {' | '.join(cells)} |")
        return "\n".join(lines)


def _short(test):
    """A node id without the folder, which is the same for all."""
    return test.removeprefix("tests/")


def _link(cell):
    notebook, _, tag = cell.partition("#")
    return f"[{notebook}]({notebook}.ipynb) `{tag}`"


def error_now(entry):
    """Return how closely the code of a row agrees with the forward pass now.

    Parameters
    ----------
    entry : Row

    Returns
    -------
    str
        A bound over random cases, the same on every machine.

    Raises
    ------
    ValueError
        If it is no row.
    """
    instance("entry", entry, Row, "what ledger.row returns")
    return _error_now(entry.id)


@functools.cache
def _error_now(id):
    return errata.agreement(errata.worst_now(id))


def table(section=None):
    """Return the ledger as a table, measured now.

    Parameters
    ----------
    section : int, optional
        Of the source; without it, all rows.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        If the source has no such section.
    """
    sections = sorted({entry.section for entry in _table()})
    if section is not None and not (whole(section) and section in sections):
        raise ValueError(f"section: got {shown(section)}, wanted one of {sections}")
    return Table(entry for entry in _table() if section in (None, entry.section))


def main():
    """Print every row: id, verdict, what, error now, functions, tests, cells."""
    print(table())


if __name__ == "__main__":
    main()
