"""The README's code runs and prints what the README says."""

import contextlib
import io
import re
from pathlib import Path

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_code_prints_the_numbers_shown():
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    (shown,) = re.findall(r"```text\n(.*?)```", README, flags=re.DOTALL)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    assert printed.getvalue() == shown
    assert len([line for line in code.splitlines() if line]) == 8


def test_every_file_it_names_exists():
    root = Path(__file__).parent.parent
    for name in re.findall(r'src="([^"]+)"', README) + re.findall(
        r"`([\w./-]+\.(?:txt|yml))`", README
    ):
        assert (root / name).exists(), name
