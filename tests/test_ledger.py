"""The ledger is complete, and everything it names exists."""

import ast
import importlib
import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import seen

from bnnotes import checked, ledger
from bnnotes.ledger.forward import EPS

ROOT = Path(__file__).parent.parent
IDS = [row.id for row in ledger.rows()]
FORMULAS = ("baseline", "batchnorm", "geometry", "propagation", "sample_space")
# Not by a rule, so that a row whose verdict is changed by mistake is noticed.
FALSE = {"S17", "S39", "S51", "S53"}
CONDITION = {
    *("S1", "S6", "S9", "S16", "S19", "S21", "S22", "S28", "S29", "S35"),
    *("S42", "S44", "S45", "S48", "S49", "S50", "S52", "S54"),
}
EPSILON = {
    *("S11", "(1)", "(2)", "(3)", "S18", "S20", "S23", "S24", "S25", "S26", "S27", "S28"),
    *("(4)", "(5) BN", "S31", "S32", "S34", "(6)", "S36", "S37", "S38", "S39"),
}
every_row = pytest.mark.parametrize("row", ledger.rows(), ids=IDS)


def test_every_equation_and_claim_has_a_row():
    claims = {f"S{k}" for k in range(1, 56)}
    equations = {"(1)", "(2)", "(3)", "(4)", "(5) BN", "(5) BL", "(6)"}
    assert set(IDS) == claims | equations
    assert len(IDS) == len(set(IDS)) == 62


def test_verdicts():
    assert {row.id for row in ledger.rows() if row.verdict == "false"} == FALSE
    assert {row.id for row in ledger.rows() if row.verdict == "condition"} == CONDITION
    assert {row.id for row in ledger.rows() if row.epsilon} == EPSILON


def test_counted():
    """Whatever is typed in the texts, no number of rows is."""
    assert ledger.counted() == (
        f"62 rows: {62 - len(FALSE | CONDITION)} hold, {len(CONDITION)} need a condition or a "
        f"correction, {len(FALSE)} are false; {len(EPSILON)} are generalized for ε > 0"
    )
    texts = [ROOT / "README.md", *(ROOT / "src" / "text").glob("*.md")]
    for path in texts:
        assert not re.search(r"\b\d+ (of the \d+ )?rows\b", path.read_text(encoding="utf-8")), path


def test_the_order_is_that_of_the_source():
    sections = [row.section for row in ledger.rows()]
    assert sections == sorted(sections)
    numbered = [int(id[1]) for id in IDS if id.startswith("(")]
    assert numbered == sorted(numbered)


@every_row
def test_row(row):
    assert row.section in (1, 2, 3)
    assert row.kind in ("equation", "claim")
    assert row.verdict in ledger.MARKS
    assert row.needs in ("condition", "correction")
    assert row.what and row.statement
    assert row.tests and row.functions and row.cells
    assert row.correction or row.verdict == "holds"
    fails = row.verdict != "holds" and row.id != "S19"  # see test_errata
    expected = ["printed_fails", "corrected_holds"] if fails else ["printed_holds"]
    if row.id in ledger.BEYOND:
        expected.append("beyond")
    own = [test for test in row.tests if "[" in test]
    assert own == [f"tests/test_errata.py::test_{name}[{row.id}]" for name in expected]


def mathematics(text):
    """The parts of a Markdown text between dollar signs; fails where they do not pair."""
    parts = text.split("$")
    assert len(parts) % 2 == 1, f"odd number of dollar signs: {text}"
    return parts[1::2]


@every_row
def test_markdown(row):
    for text in (row.statement, row.correction, row.epsilon):
        for formula in mathematics(text):
            assert formula == formula.strip()
            assert formula.count("{") == formula.count("}")
            assert len(re.findall(r"\\left\b", formula)) == len(re.findall(r"\\right\b", formula))
            # Markdown and tables would take these for their own.
            assert not re.search(r"\\[{}|,;!]|[<>|]$|\n", formula), formula
            assert "|" not in formula
        assert "\n" not in text


@every_row
def test_functions_exist(row):
    for name in row.functions:
        module, function = name.split(".")
        assert callable(getattr(importlib.import_module(f"bnnotes.{module}"), function))


def functions_of(path):
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@every_row
def test_tests_exist(row):
    for node in row.tests:
        path, _, name = node.partition("::")
        function, _, parameter = name.partition("[")
        assert function.startswith("test_")
        assert function in functions_of(path), node
        if parameter:
            assert path == "tests/test_errata.py"
            assert parameter == f"{row.id}]"
            assert row.id in ledger.EXPERIMENTS


@every_row
def test_cells_exist(row):
    for cell in row.cells:
        notebook, _, tag = cell.partition("#")
        path = ROOT / "book" / f"{notebook}.ipynb"
        expected = f"eq-{row.id[1]}" if row.id.startswith("(") else row.id
        assert tag == expected
        if path.exists():
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            tags = {tag for c in cells for tag in c["metadata"].get("tags", ())}
            assert tag in tags, f"{path.name} has no cell with the tag {tag}"


def tagged_code_cells():
    for path in sorted((ROOT / "book").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for tag in cell["metadata"].get("tags", ()):
                yield path.stem, tag


def test_every_tag_of_a_row_is_in_the_ledger():
    """The other way: a cell that carries a row's id is listed there."""
    listed = {tuple(cell.split("#")) for row in ledger.rows() for cell in row.cells}
    for notebook, tag in tagged_code_cells():
        if re.fullmatch(r"S\d+|eq-\d", tag) and notebook != "errata":
            assert (notebook, tag) in listed


def public_formulas():
    for name in FORMULAS:
        importlib.import_module(f"bnnotes.{name}")
    for function in checked.FORMULAS:
        module, name = function.__module__.removeprefix("bnnotes."), function.__name__
        if module in FORMULAS and not name.startswith("_"):
            yield f"{module}.{name}"


def test_every_public_formula_belongs_to_a_row():
    named = {function for row in ledger.rows() for function in row.functions}
    formulas = set(public_formulas())
    assert len(formulas) > 25
    assert formulas - named == set()


# Boxes.


@every_row
def test_box(row):
    box = ledger.box(row.id)
    plain, markdown = repr(box), box._repr_markdown_().replace(r"\displaystyle ", "")
    assert plain.startswith(f"{row.mark} {row.heading} · {row.id} · {row.what}\nAs printed: ")
    assert row.statement in plain and row.statement in markdown
    assert row.correction in plain and row.correction in markdown
    assert ("Generalized here for ε > 0: " in plain) == bool(row.epsilon) == ("ε" in row.mark)
    assert row.epsilon in plain and row.epsilon in markdown
    named = "Mind" if row.verdict == "holds" else "As it should read"
    assert (f"\n{named}: {row.correction}" in plain) == bool(row.correction)
    # What holds and needs no words of its own has nothing to tell but that it agrees.
    told = row.verdict != "holds" or row.measured or row.beyond
    assert ("Measured: " in plain) == bool(told)
    assert " at 0x" not in plain
    # One quotation: no line falls out of it.
    assert all(line.startswith(">") for line in markdown.split("\n"))
    assert mathematics(plain) is not None
    for line in markdown.split("\n"):
        assert line.count("$") % 2 == 0


@every_row
def test_measured_words(row):
    measured = repr(ledger.box(row.id)).partition("Measured: ")[2]
    assert not re.search(r"\{|differs by", re.sub(r"\$[^$]*\$", "", measured))
    assert not measured or re.search(r"\d|nan", measured)
    said = re.search(r"\{(corrected|exact)\}", row.measured + row.beyond)
    assert ("agrees to 1e-12" in measured) == bool(said)
    assert set(re.findall(r"varepsilon = ([\d.]+)\$", measured)) <= {"0", f"{EPS:g}"}


def test_the_boxes_are_as_they_were_read():
    boxes = [ledger.box(id)._repr_markdown_() for id in IDS]
    seen.unchanged("the boxes of the ledger", [seen.words(box) for box in boxes])


def test_box_with_evidence():
    box = ledger.box("S33", evidence="a ratio of 2.50")
    assert "Measured: a ratio of 2.50" in repr(box)
    assert "*Measured:* a ratio of 2.50" in box._repr_markdown_()
    assert "agrees" not in repr(box)


CHAPTERS = list(dict.fromkeys(row.cells[0].partition("#")[0] for row in ledger.rows()))


def test_boxes_of_the_chapters():
    """Every row that is wrong, once, in the order of the source."""
    assert len(CHAPTERS) == 5
    shown = [box.row.id for chapter in CHAPTERS for box in ledger.boxes(chapter)]
    assert shown == [row.id for row in ledger.rows() if row.verdict != "holds"]
    minded = [box.row.id for c in CHAPTERS for box in ledger.boxes(c, ["holds"])]
    holds = (row for row in ledger.rows() if row.verdict == "holds")
    assert minded == [row.id for row in holds if row.correction or row.epsilon]


def test_boxes_are_shown_one_below_the_other():
    boxes = ledger.boxes("5_error_propagation", ["holds", "false"])
    ids = ("S55", "S36", "S37", "S38", "S39")
    assert repr(boxes) == "\n\n".join(map(repr, map(ledger.box, ids)))
    blocks = re.split(r"\n\n(?!>)", boxes._repr_markdown_())
    assert [block.startswith(">") for block in blocks] == [True, *[False] * 4]
    assert boxes._repr_markdown_().count("· S37**") == boxes._repr_markdown_().count("· S39**") == 1
    with pytest.raises(ValueError, match=r"^notebook: got '7', wanted one of 1_baseline, "):
        ledger.boxes("7")


def test_headings():
    assert ledger.row("S17").heading == "The source errs here"
    assert ledger.row("S29").heading == "Needs a condition"
    assert ledger.row("S16").heading == "Needs a correction"
    assert ledger.row("(3)").heading == "Holds"
    assert [ledger.row(id).mark for id in ("S2", "(3)", "S28", "S17")] == ["✓", "✓ ε", "△ ε", "✗"]


@pytest.mark.parametrize("wrong", ["S0", "S56", "17", "(5)", None])
def test_no_such_row(wrong):
    for f in (ledger.row, ledger.box):
        with pytest.raises(ValueError, match=r"^id: got .*, wanted one of S1, "):
            f(wrong)


def test_rows_cannot_be_changed_by_a_reader():
    ledger.rows().clear()
    assert len(ledger.rows()) == 62
    with pytest.raises(AttributeError):
        ledger.row("S1").verdict = "holds"


def test_the_table_on_the_command_line():
    printed = subprocess.run(
        [sys.executable, "-W", "error", "-m", "bnnotes.ledger"],
        capture_output=True,
        encoding="utf-8",
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    assert printed.stderr == ""
    lines = printed.stdout.splitlines()
    found = [line for line in lines if re.match(r"(S\d+|\(\d\)( B[NL])?) +[✓△✗]( ε)? ", line)]
    assert len(found) == 62
    for row in ledger.rows():
        for name in itertools.chain(row.functions, row.tests, row.cells):
            assert name in printed.stdout


def test_table_of_a_section():
    text = repr(ledger.table(2))
    assert "S17" in text and "S20" not in text
    with pytest.raises(ValueError, match="section: got 4, wanted"):
        ledger.table(4)


def test_table_links_to_notebooks_that_exist():
    links = set(re.findall(r"\]\(([^)]+)\)", ledger.table()._repr_markdown_()))
    assert {f"{name}.ipynb" for name in ("1_baseline", "5_error_propagation")} <= links
    for link in links:
        assert (ROOT / "book" / link).exists(), link


def test_table_says_what_is_measured_now():
    shown = ledger.table()._repr_markdown_().splitlines()[2:]
    assert len(shown) == len(ledger.rows())
    assert all("agrees to 1e-12" in line for line in shown)


def test_the_command_line_takes_no_row():
    shell = [sys.executable, "-m", "bnnotes.ledger", "S22"]
    refused = subprocess.run(shell, capture_output=True, encoding="utf-8")
    assert refused.returncode == 2 and "unrecognized arguments: S22" in refused.stderr
