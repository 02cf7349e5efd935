"""A copy of the tree in which mutmut finds every formula."""

import ast
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]

CONFTEST = """
import sys


def pytest_sessionstart():
    # What an earlier run of the tests has kept was computed without the mutant.
    for name, module in list(sys.modules.items()):
        if name.startswith("bnnotes"):
            for value in vars(module).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()
"""

# A mutant that loops forever is given up after some 15 seconds.
SETTINGS = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = ["src/bnnotes/{module}.py"]
pytest_add_cli_args = [
    "-o", "addopts=--strict-markers", "-p", "no:cacheprovider", "-p", "no:nbval", "-m", "not full",
    # It looks at the modules, in which it would find what mutmut adds.
    "-k", "not of_a_formula_module",
]
pytest_add_cli_args_test_selection = [{tests}]
timeout_constant = 0.5
timeout_multiplier = 10.0
use_git_change_detection = false
"""


def undecorated(source):
    """Return the source with ``@d`` over a function written as ``f = d(f)`` below it.

    It means the same. mutmut passes over decorated functions, and most formulas are.
    """
    lines = source.splitlines(keepends=True)
    # From the last line up, so that the numbers of the lines before stay.
    functions = sorted(_decorated(ast.parse(source)), key=lambda f: (-f.end_lineno, f.lineno))
    for function in functions:
        indent = " " * function.col_offset
        applied = function.name
        for decorator in reversed(function.decorator_list):
            applied = f"{ast.unparse(decorator)}({applied})"
        lines.insert(function.end_lineno, f"{indent}{function.name} = {applied}\n")
        # Lines that stay empty keep the numbers of the lines above.
        for k in range(function.decorator_list[0].lineno - 1, function.lineno - 1):
            lines[k] = "\n"
    return "".join(lines)


def _decorated(tree):
    """Yield the decorated functions that mutmut passes over."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            names = {ast.unparse(decorator) for decorator in node.decorator_list}
            if not names <= {"staticmethod", "classmethod"}:
                yield node


def stage(module, tests, folder):
    """Write the tree for the mutants of one module and the tests that must kill them."""
    shutil.rmtree(folder, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src", folder / "src", ignore=ignored)
    (folder / "tests").mkdir()
    for path in (ROOT / "tests").glob("*.py"):
        if not path.name.startswith("test_") or path.name in tests:
            shutil.copy(path, folder / "tests")
    (folder / "tests" / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    path = folder / "src" / "bnnotes" / f"{module}.py"
    path.write_text(undecorated(path.read_text(encoding="utf-8")), encoding="utf-8")
    named = ", ".join(f'"tests/{name}"' for name in tests)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project += SETTINGS.format(module=module, tests=named)
    (folder / "pyproject.toml").write_text(project, encoding="utf-8")
