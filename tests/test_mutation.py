"""What `make mutants` starts from: sources that mean the same, and a list that is not outdated."""

import ast
import sys
import tomllib
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "src" / "bnnotes"
sys.path.insert(0, str(TESTS / "mutation"))
from stage import undecorated  # noqa: E402

SURVIVORS = tomllib.loads((TESTS / "mutation" / "survivors.toml").read_text(encoding="utf-8"))
GROUPS = SURVIVORS["survivors"]


def functions(source):
    tree = ast.parse(source)
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.stem)
def test_every_decorator_is_applied_below_its_function(path):
    source = path.read_text(encoding="utf-8")
    before, after = functions(source), functions(undecorated(source))
    assert [f.name for f in before] == [f.name for f in after]
    applied = undecorated(source).count("\n") - source.count("\n")
    assert applied == sum(bool(f.decorator_list) for f in before)
    assert not any(f.decorator_list for f in after)


def test_what_is_undecorated_means_the_same():
    source = '''
def add(n):
    return lambda f: lambda x: f(x) + n

def times(n):
    return lambda f: lambda x: f(x) * n

def outer():
    @add(1)
    @times(10)
    def inner(x):
        """Say."""
        return x

    return inner

class Thing:
    @property
    def seven(self):
        return 7

@add(100)
def last(x):
    return outer()(x)
'''
    results = []
    for version in (source, undecorated(source)):
        names = {}
        exec(version, names)
        results.append((names["outer"]()(2), names["Thing"]().seven, names["last"](3)))
    assert results[0] == results[1] == (21, 7, 131)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group["module"])
def test_a_survivor_stands_in_the_source_and_has_a_reason(group):
    source = " ".join((PACKAGE / f"{group['module']}.py").read_text(encoding="utf-8").split())
    assert group["reason"].endswith(".") and group["mutants"]
    for function, was, now in group["mutants"]:
        assert f"def {function.split('.')[-1]}(" in source
        assert " ".join(was.split()) in source
        assert was != now
