"""The examples in the docstrings run, and every public function says what it takes and returns."""

import doctest
import importlib
import inspect
import pkgutil
import re

import pytest

import bnnotes
from bnnotes.checked import FORMULAS

MODULES = sorted(module.name for module in pkgutil.walk_packages(bnnotes.__path__, "bnnotes."))


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    module = importlib.import_module(name)
    assert module.__doc__
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0


def test_there_are_examples():
    attempted = [doctest.testmod(importlib.import_module(name)).attempted for name in MODULES]
    assert sum(attempted) > 15


# What readers call. Explorers and figures belong to their chapters.
PUBLIC = ("activations", "digits", "source", *bnnotes.__all__)


def public(kind):
    for name in sorted({f"bnnotes.{module}" for module in PUBLIC} & set(MODULES)):
        module = importlib.import_module(name)
        for attribute, value in vars(module).items():
            own = getattr(value, "__module__", None) == name and not attribute.startswith("_")
            if own and kind(value):
                yield pytest.param(value, id=f"{name.removeprefix('bnnotes.')}.{attribute}")


def section(docstring, title):
    """The lines below a numpydoc heading, or None."""
    found = re.search(rf"^{title}\n-{{{len(title)}}}\n((?:.+\n?|\n(?!\S+\n-))*)", docstring, re.M)
    return found and found[1]


def first_paragraph(function):
    docstring = inspect.getdoc(function)
    assert docstring
    first = docstring.split("\n\n")[0]
    assert first.endswith(".") or first.endswith(":")
    return first


# The signature of a formula says what it takes, and the head of its module what it refuses.
for name in MODULES:  # each enters its formulas into the list
    importlib.import_module(name)
FORMULA_MODULES = {formula.__module__ for formula in FORMULAS} | {
    *("bnnotes.check", "bnnotes.ledger", "bnnotes.source")
}


@pytest.mark.parametrize("function", list(public(inspect.isfunction)))
def test_numpydoc(function):
    first_paragraph(function)
    if function.__module__ in FORMULA_MODULES:
        return
    docstring, parameters = inspect.getdoc(function), inspect.signature(function).parameters
    if parameters:
        listed = section(docstring, "Parameters")
        assert listed, "no section Parameters"
        names = {
            name.strip(" *")
            for line in re.findall(r"^(\S[^:\n]*?)(?: :.*)?$", listed, re.M)
            for name in line.split(",")
        }
        assert names == set(parameters), names ^ set(parameters)
    returns = inspect.getsource(function).count("return ") > docstring.count("return ")
    if returns and not inspect.isgeneratorfunction(function):
        assert section(docstring, "Returns"), "no section Returns"


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda formula: formula.__qualname__)
def test_a_formula_says_its_equation_in_one_line(formula):
    assert "\n" not in first_paragraph(formula)


@pytest.mark.parametrize("cls", list(public(inspect.isclass)))
def test_classes_say_what_they_are(cls):
    docstring = inspect.getdoc(cls)
    assert docstring and not docstring.startswith(f"{cls.__name__}(")
