"""What mutmut found, read from the files that it leaves."""

import contextlib
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import apply_mutant, get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from mutmut.utils.format_utils import orig_function_and_class_names_from_key

# A mutant that never ends, or ends the process, is noticed too.
KILLED = {"killed", "timeout", "segfault"}
# mutmut switches to a mutant after the import, when these have been called, or have been read.
AT_IMPORT = ("checked", "def ")


class Result(NamedTuple):
    """Of one module; the survivors as (module, function, line that was, line that is)."""

    mutants: int
    killed: int
    survivors: tuple


def read(module, folder):
    """Return the `Result` of a module that mutmut has run in this folder."""
    with contextlib.chdir(folder):
        path = Path("src", "bnnotes", f"{module}.py")
        data = SourceFileMutationData(path=path)
        data.load()
        status = {key: status_by_exit_code[code] for key, code in data.exit_code_by_key.items()}
        alive = [key for key, found in status.items() if found not in KILLED]
        found = {key: (module, _function(key), *_change(key, path)) for key in alive}
        survivors = tuple(
            change
            for key, change in found.items()
            if not (_runs_at_import(change) and _noticed_anew(key, path))
        )
    return Result(len(status), len(status) - len(survivors), survivors)


def _runs_at_import(change):
    _, function, was, _ = change
    return function == AT_IMPORT[0] or was.startswith(AT_IMPORT[1])


def _noticed_anew(key, path):
    """Whether the tests notice a mutant that stands in the source from the start."""
    before = path.read_text(encoding="utf-8")
    settings = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"]
    options = (
        settings["pytest_add_cli_args"] + settings["pytest_add_cli_args_test_selection"] + ["-x"]
    )
    try:
        apply_mutant(key)
        command = [sys.executable, "-B", "-m", "pytest", "-q", *options]
        environment = os.environ | {"PYTHONPATH": str(Path("src").resolve())}
        return subprocess.run(command, env=environment, capture_output=True).returncode == 1
    finally:
        path.write_text(before, encoding="utf-8")


def _function(key):
    function, owner = orig_function_and_class_names_from_key(key)
    return f"{owner}.{function}" if owner else function


def _change(key, path):
    """Return the changed lines before and after, each as one line."""
    lines = get_diff_for_mutant(key, path=path).splitlines()
    for sign in "-+":
        changed = [line[1:].strip() for line in lines if line[0] == sign and line[:3] != sign * 3]
        yield " ".join(changed)
