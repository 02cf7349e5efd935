"""The stored notebooks are those of their texts, run from top to bottom, and carry nothing else.

`make notebooks` makes them so. That their outputs are also right is tested by `pytest --nbval`,
which `make test` runs.
"""

import importlib.util
import json
import re
from pathlib import Path

import jupytext
import nbformat
import pytest

from bnnotes.__main__ import content_ids

BOOK = Path(__file__).parent.parent / "book"
NOTEBOOKS = {path.stem: path for path in sorted(BOOK.glob("*.ipynb"))}
TEXTS = {path.stem: path for path in sorted((BOOK.parent / "src" / "text").glob("*.md"))}
SPEC = importlib.util.spec_from_file_location("writer", BOOK.parent / ".ci/notebooks.py")
writer = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(writer)

LINES = 12  # at most, in a code cell
UNCOMPARED = {"nbval-ignore-output", "nbval-skip", "nbval-raises-exception", "raises-exception"}
UNCOMPARED_COMMENT = re.compile(
    r"#\s*(NBVAL_(IGNORE_OUTPUT|SKIP|RAISES_EXCEPTION|VARIABLE_OUTPUT)|PYTEST_VALIDATE_IGNORE)"
)
# A folder of someone's, or where an object lay in memory.
PRIVATE = re.compile(
    rf"{re.escape(str(BOOK.parent))}|/(home|root|Users|tmp)/|[A-Z]:\\\\Users|\b0x[0-9a-f]{{6,}}\b"
)
# The token of a server, a key in a usual form, or a name given to a secret.
SECRET = re.compile(
    r"[?&]token=\w|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|\b(AKIA|ghp_|github_pat_|sk-|hf_|glpat-|xox[bp]-)\w{8,}"
    r"|(password|passwd|secret|api_?key|access_?token)\W{0,3}[=:]\W{0,3}\w",
    re.IGNORECASE,
)


@pytest.fixture(params=NOTEBOOKS, scope="module")
def name(request):
    return request.param


@pytest.fixture(scope="module")
def notebook(name):
    return nbformat.read(NOTEBOOKS[name], as_version=4)


@pytest.fixture(scope="module")
def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def outputs(code):
    return [output for cell in code for output in cell.outputs]


def cells(notebook):
    return [(c.cell_type, c.source, sorted(c.metadata.get("tags", []))) for c in notebook.cells]


def test_every_notebook_has_a_text_and_every_text_a_notebook():
    assert NOTEBOOKS
    assert NOTEBOOKS.keys() == TEXTS.keys()


def test_the_notebook_is_that_of_its_text(name, notebook):
    assert cells(notebook) == cells(jupytext.read(TEXTS[name])), f"run: make notebooks NAME={name}"


def test_the_ids_are_those_of_the_cells(name, notebook):
    # Others mark an edit made in the notebook itself, and `make bench` stops at it.
    assert [cell.id for cell in notebook.cells] == content_ids(notebook.cells), (
        f"run: make notebooks NAME={name}"
    )


def test_an_edit_in_the_notebook_itself_is_known(tmp_path, monkeypatch):
    text = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")])
    monkeypatch.setattr(writer, "BOOK", tmp_path)
    assert not writer.has_edits("some", text)  # no notebook yet

    def stored(source, cell_id):
        cell = nbformat.v4.new_code_cell(source, id=cell_id)
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "some.ipynb")
        return writer.has_edits("some", text)

    (now,), (before,) = (
        content_ids([nbformat.v4.new_code_cell(source)]) for source in ("1 + 1", "1 + 2")
    )
    assert not stored("1 + 1", now)
    assert not stored("1 + 2", before)  # written from an older text
    assert stored("1 + 3", now)
    assert stored("1 + 2", "stale")


def test_the_notebook_is_valid(notebook):
    nbformat.validate(notebook)


def test_every_code_cell_was_run_in_order(code):
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))


def test_no_cell_failed_or_warned(outputs):
    assert not [o for o in outputs if o.output_type == "error" or o.get("name") == "stderr"]


def test_the_first_code_cell_holds_the_parameters(code):
    tagged = [i for i, cell in enumerate(code) if "parameters" in cell.metadata.get("tags", [])]
    assert tagged == [0]


def test_code_cells_are_short(code):
    long = [cell.source for cell in code if len(cell.source.splitlines()) > LINES]
    assert not long


def test_nine_in_ten_of_the_cells_that_print_are_compared(code):
    def compared(cell):
        tags = {tag.replace("_", "-") for tag in cell.metadata.get("tags", [])}
        return not tags & UNCOMPARED and not UNCOMPARED_COMMENT.search(cell.source)

    printing = [cell for cell in code if cell.outputs or not compared(cell)]
    assert sum(map(compared, printing)) >= 0.9 * len(printing)


def test_every_picture_says_what_it_shows(outputs):
    for output in outputs:
        for kind in output.get("data", {}):
            if kind.startswith("image/"):
                assert output.metadata.get(kind, {}).get("alt", "").strip()


def test_no_widget_is_stored(notebook, outputs):
    assert "widgets" not in notebook.metadata
    # It would point to a widget in a kernel that has gone, under a name that is new in each run.
    assert not [kind for o in outputs for kind in o.get("data", {}) if "widget" in kind]


def test_the_kernel_is_any_python_3(notebook):
    assert notebook.metadata.kernelspec.name == "python3"
    assert "version" not in notebook.metadata.get("language_info", {})


def test_nothing_tells_whose_machine_it_was(notebook):
    lean = nbformat.from_dict(notebook)
    for cell in lean.cells:
        for output in cell.get("outputs", []):
            for kind in [kind for kind in output.get("data", {}) if kind.startswith("image/")]:
                del output.data[kind]  # base64 spells anything
    found = PRIVATE.search(json.dumps(lean, ensure_ascii=False))
    assert not found, f"{found.group()} in {found.string[max(found.start() - 80, 0) :][:200]}"


def test_there_is_no_secret(name):
    # Pictures are left out: any few letters occur in so much base64.
    text = re.sub(r"[A-Za-z0-9+/=\\n]{500,}", "", NOTEBOOKS[name].read_text(encoding="utf-8"))
    assert not SECRET.search(text)


@pytest.mark.parametrize(
    "text",
    [
        "http://localhost:8888/lab?token=ab12",
        "ghp_0123456789abcdef",
        'password = "x"',
        "API_KEY: x",
    ],
)
def test_a_secret_would_be_found(text):
    assert SECRET.search(text)
