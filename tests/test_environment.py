"""The files that make the environment agree with one another."""

import re
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import bnnotes

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
# What conda-forge calls otherwise.
FROM_CONDA = {"matplotlib-base": "matplotlib"}
# Nothing in the book or its tests needs these; conda and the constraints leave them out.
OPTIONAL = {"bench", "browser", "cluster", "lite", "mpi", "site"}


def direct():
    """Return the requirements of pyproject.toml, those of the book and its tests too."""
    extras = PROJECT["optional-dependencies"]
    needed = [lines for name, lines in extras.items() if name not in OPTIONAL]
    return [Requirement(line) for line in sum(needed, PROJECT["dependencies"])]


def bounds(requirements):
    return {
        FROM_CONDA.get(name := canonicalize_name(r.name), name): str(r.specifier)
        for r in requirements
    }


def pinned(file="constraints.txt"):
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_conda_and_pip_ask_for_the_same_packages():
    conda = [Requirement(line) for line in ENVIRONMENT["dependencies"] if isinstance(line, str)]
    conda = bounds(conda)
    assert conda.pop("python") == PROJECT["requires-python"]
    assert conda.pop("pip") == ""
    assert conda == bounds(direct())


def test_conda_leaves_only_the_package_itself_to_pip():
    assert ENVIRONMENT["channels"] == ["conda-forge"]
    assert [line for line in ENVIRONMENT["dependencies"] if isinstance(line, dict)] == [
        {"pip": ["-e ."]}
    ]


@pytest.mark.parametrize("requirement", direct(), ids=str)
def test_every_dependency_has_a_lower_bound_and_no_upper_one(requirement):
    assert [s.operator for s in requirement.specifier] == [">="]


def test_a_constraint_is_a_name_and_a_version():
    # No address, no path on someone's machine.
    plain = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9._]+")
    assert not [line for line in pinned() if not plain.fullmatch(line)]


def test_the_constraints_meet_the_bounds():
    versions = {}
    for name, version in (line.split("==") for line in pinned()):
        assert canonicalize_name(name) not in versions, "twice"
        versions[canonicalize_name(name)] = version
    assert PROJECT["name"] not in versions
    for requirement in direct():
        assert versions[canonicalize_name(requirement.name)] in requirement.specifier


@pytest.mark.parametrize(
    "extra, folder",
    [
        ("browser", "tests/browser"),
        ("lite", "src/lite"),
        ("site", "src/site"),
    ],
)
def test_the_constraints_of_an_extra_add_to_the_others_and_meet_the_bounds(extra, folder):
    lines = [line.split("==") for line in pinned(f"{folder}/constraints.txt")]
    more = {canonicalize_name(name): version for name, version in lines}
    of_the_book = dict(line.split("==") for line in pinned())
    of_the_book = {canonicalize_name(name): version for name, version in of_the_book.items()}
    assert not more.keys() & of_the_book.keys()
    for line in PROJECT["optional-dependencies"][extra]:
        requirement = Requirement(line)
        version = (of_the_book | more)[canonicalize_name(requirement.name)]
        assert version in requirement.specifier


def test_the_constraints_hold_for_the_first_python_3_11():
    # Some packages drop early patch releases, which stable distributions keep for years.
    # Another system lacks some of the packages, and `make test-oldest` has other versions.
    here = {f"{canonicalize_name(d.name)}=={d.version}": d for d in distributions()}
    lines = [line.split("==") for line in pinned()]
    found = [here.get(f"{canonicalize_name(name)}=={version}") for name, version in lines]
    wanted = {d.name: d.metadata.get("Requires-Python", "") for d in found if d}
    assert wanted
    assert not {name: want for name, want in wanted.items() if "3.11.0" not in SpecifierSet(want)}


def test_every_dependency_says_why_it_is_needed():
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    for requirement in direct():
        (line,) = [line for line in lines if line.strip().startswith(f'"{requirement}"')]
        assert "#" in line


def test_one_version_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert PROJECT["version"] == bnnotes.__version__ == citation["version"]


def test_the_workflow_runs_what_the_project_runs():
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))
    job = workflow["jobs"]["test"]
    assert job["steps"][-1]["run"] == "bash .ci/run"
    matrix = job["strategy"]["matrix"]
    assert f">={matrix['python'][0]}" == PROJECT["requires-python"]
    assert len({system["name"].split("-")[0] for system in matrix["system"]}) == 3
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for name in ("ends", "site"):
        job = workflow["jobs"][name]
        assert job["steps"][-1]["run"] == "make ${{ matrix.target }}"
        for target in job["strategy"]["matrix"]["target"]:
            assert f"\n{target}:" in makefile
