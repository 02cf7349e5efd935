"""What mutmut found, read from the files that it leaves."""

import contextlib
from pathlib import Path
from typing import NamedTuple

from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from mutmut.utils.format_utils import orig_function_and_class_names_from_key

# A mutant that never ends, or ends the process, is noticed too.
KILLED = {"killed", "timeout", "segfault"}


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
        survivors = tuple((module, _function(key), *_change(key, path)) for key in alive)
    return Result(len(status), len(status) - len(alive), survivors)


def _function(key):
    function, owner = orig_function_and_class_names_from_key(key)
    return f"{owner}.{function}" if owner else function


def _change(key, path):
    """Return the changed lines before and after, each as one line."""
    lines = get_diff_for_mutant(key, path=path).splitlines()
    for sign in "-+":
        changed = [line[1:].strip() for line in lines if line[0] == sign and line[:3] != sign * 3]
        yield " ".join(changed)
