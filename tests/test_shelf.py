"""`python -m bnnotes` brings the book, and loses nothing that the reader has made."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bnnotes.__main__ import BOOK, FIRST, bring, content_ids

NAMES = sorted(path.name for path in BOOK.glob("*.ipynb"))


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
    # Of two cells of one content the second has another id.
    cells.insert(1, {**cells[0], "id": content_ids([cells[0]] * 2)[1]})
    del cells[0]


@pytest.mark.parametrize("change", [an_answer, a_cell_more, a_cell_less])
def test_what_the_reader_wrote_stays(change, tmp_path):
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


def test_a_notebook_that_was_only_run_is_brought_up_to_date(tmp_path):
    bring(BOOK, tmp_path)
    changed(tmp_path / FIRST, lambda cells: [cell.pop("outputs", None) for cell in cells])
    assert bring(BOOK, tmp_path) == []
    assert (tmp_path / FIRST).read_bytes() == (BOOK / FIRST).read_bytes()


@pytest.mark.skipif(not shutil.which("git"), reason="hatchling asks git what is left out")
def test_the_wheel_holds_the_package_and_the_notebooks(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=BOOK.parent, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    inside = {Path(name) for name in zipfile.ZipFile(wheel).namelist()}
    package = BOOK.parent / "src"
    expected = {p.relative_to(package) for p in package.rglob("*.py")}
    assert expected <= inside
    assert {Path("bnnotes/book") / name for name in NAMES} <= inside
    assert {Path("bnnotes") / name for name in ("digits.npz", "pictures/page.js")} <= inside
    assert not [
        path
        for path in inside
        if path.parts[0] not in ("bnnotes", wheel.stem) and not path.parts[0].endswith(".dist-info")
    ]
