"""`python -m bnnotes` brings the book, and loses nothing that the reader has made."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bnnotes.__main__ import BOOK, FIRST, bring, main, options

NAMES = sorted(path.name for path in BOOK.glob("*.ipynb"))


def only_notebooks(_, names):
    return [name for name in names if not name.endswith(".ipynb")]


def changed(path, change):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    change(notebook["cells"])
    path.write_text(json.dumps(notebook), encoding="utf-8")


def test_every_notebook_is_brought(tmp_path):
    assert bring(BOOK, tmp_path / "new" / "folder") == []
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == NAMES
    assert FIRST in NAMES


def an_answer(cells):
    cells[-1]["source"] = ["1 + 1"]


def a_cell_more(cells):
    cells.append({**cells[-1], "id": "new"})


def a_cell_less(cells):
    del cells[1]


def two_cells_swapped(cells):
    cells[1], cells[2] = cells[2], cells[1]


@pytest.mark.parametrize("change", [an_answer, a_cell_more, a_cell_less, two_cells_swapped])
def test_what_the_reader_changed_stays(change, tmp_path):
    bring(BOOK, tmp_path)
    changed(tmp_path / NAMES[1], change)
    mine = (tmp_path / NAMES[1]).read_bytes()
    assert bring(BOOK, tmp_path) == [NAMES[1]]
    assert (tmp_path / NAMES[1]).read_bytes() == mine


@pytest.mark.parametrize("text", ["", "no notebook", "[]", '{"cells": [{}]}'])
def test_a_file_of_the_reader_stays_whatever_it_is(text, tmp_path):
    (tmp_path / FIRST).write_text(text, encoding="utf-8")
    assert bring(BOOK, tmp_path) == [FIRST]
    assert (tmp_path / FIRST).read_text(encoding="utf-8") == text


def run(cells):
    for cell in cells:
        cell.pop("outputs", None)


def test_a_notebook_that_was_only_run_follows_the_book(tmp_path):
    book, folder = shutil.copytree(BOOK, tmp_path / "book", ignore=only_notebooks), tmp_path / "own"
    bring(book, folder)
    changed(folder / FIRST, run)
    ran = (folder / FIRST).read_bytes()
    assert bring(book, folder) == []
    assert (folder / FIRST).read_bytes() == ran  # the book is the same: the outputs stay
    changed(book / FIRST, an_answer)
    assert bring(book, folder) == []
    cells = [json.loads((of / FIRST).read_text(encoding="utf-8"))["cells"] for of in (book, folder)]
    assert cells[0] == cells[1]


def test_a_notebook_that_is_not_of_the_book_stays(tmp_path):
    shutil.copy(BOOK / NAMES[0], tmp_path / NAMES[1])
    assert bring(BOOK, tmp_path) == [NAMES[1]]


def test_a_notebook_that_was_brought_by_half_is_brought_again(tmp_path, monkeypatch):
    def half(path, text, **options):
        path.write_bytes(text[:1000].encode())
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Path, "write_text", half)
        bring(BOOK, tmp_path)
    test_every_notebook_is_brought(tmp_path)
    assert bring(BOOK, tmp_path) == []


@pytest.mark.parametrize(
    ("given", "folder", "others"),
    [
        ([], "bnnotes-book", []),
        (["mine"], "mine", []),
        (["--port", "8889"], "bnnotes-book", ["--port", "8889"]),
        (["mine", "--port", "8889"], "mine", ["--port", "8889"]),
    ],
)
def test_what_follows_the_folder_is_jupyterlabs(given, folder, others, tmp_path, monkeypatch):
    labapp, launched = pytest.importorskip("jupyterlab.labapp"), []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["bnnotes", *given])
    monkeypatch.setattr(labapp.LabApp, "launch_instance", launched.extend)
    main()
    assert launched == [*options(Path(folder)), *others]
    assert [path.name for path in tmp_path.iterdir()] == [folder]


def test_a_folder_that_cannot_be_is_refused_in_words(tmp_path):
    (tmp_path / "taken").touch()
    told = subprocess.run(
        [sys.executable, "-m", "bnnotes", str(tmp_path / "taken")], capture_output=True, text=True
    )
    assert told.returncode == 1
    assert told.stderr.strip().endswith("Another place: python -m bnnotes FOLDER")
    assert len(told.stderr.splitlines()) == 1


def test_the_wheel_holds_the_package_and_the_notebooks(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=BOOK.parent, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    inside = {Path(name) for name in zipfile.ZipFile(wheel).namelist()}
    package = BOOK.parent / "src"
    expected = {p.relative_to(package) for p in (package / "bnnotes").rglob("*.py")}
    assert expected <= inside
    assert {Path("bnnotes/book") / name for name in NAMES} <= inside
    brought = "digits.npz", *(f"pictures/{name}" for name in ("drag.js", "page.js"))
    brought += ("pictures/custom/custom.css",)
    assert {Path("bnnotes") / name for name in brought} <= inside
    tops = {path.parts[0] for path in inside}
    assert tops == {"bnnotes", next(top for top in tops if top.endswith(".dist-info"))}
