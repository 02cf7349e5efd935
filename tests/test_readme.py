"""The README's code runs and prints what the README says."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from bnnotes import review

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


CODE = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
SHOWN = re.findall(r"```text\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.parametrize("code, shown", list(zip(CODE, SHOWN, strict=True)))
def test_the_code_prints_what_is_shown(code, shown):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    assert printed.getvalue() == shown


def test_the_torch_function_is_right():
    torch = pytest.importorskip("torch")
    (code,) = re.findall(r"```py\n(.*?)```", README, flags=re.DOTALL)
    made = {"torch": torch, "review": review}
    exec(compile(code, "README.md", "exec"), made)
    assert review.batchnorm_backward(made["BatchNorm"]).ok


def test_the_module_in_eight_lines():
    assert len([line for line in CODE[0].splitlines() if line]) == 8


def test_every_file_it_names_exists():
    root = Path(__file__).parent.parent
    pictures = re.findall(r'src="([^"]+)"', README)
    files = re.findall(r"`([\w./-]+\.(?:txt|yml|md))`", README)
    assert pictures and files
    for name in pictures + files:
        assert (root / name).exists(), name


def test_every_target_it_names_exists():
    makefile = (Path(__file__).parent.parent / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"\bmake ([a-z][a-z-]+)\b", README))
    assert {"read", "test", "site"} <= targets
    assert targets <= set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))


def test_help_lists_ten_commands_and_help_all_the_rest():
    makefile = (Path(__file__).parent.parent / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (help .*)$", makefile, flags=re.MULTILINE)
    marks = dict(re.findall(r"^([a-z-]+):.* (###?) \w", makefile, flags=re.MULTILINE))
    assert set(phony.split()) - marks.keys() == {"test-lax"}  # a part of others
    assert list(marks.values()).count("##") <= 10


def test_every_notebook_has_its_line():
    listed = re.findall(r"^\| `(\w+)` \|", README, flags=re.MULTILINE)
    assert listed == sorted(
        path.stem for path in (Path(__file__).parent.parent / "book").glob("*.ipynb")
    )


def test_contributing_tells_of_every_target():
    root = Path(__file__).parent.parent
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (help .*)$", makefile, flags=re.MULTILINE)
    table = (root / "CONTRIBUTING.md").read_text(encoding="utf-8").split("| command |")[1]
    rows = [row for row in table.splitlines() if row.startswith("| `make ")]
    assert set(re.findall(r"`make ([a-z-]+)`", "".join(rows))) == set(phony.split())
    assert all(len(row.strip("| ").split(" | ")) == 3 for row in rows)
