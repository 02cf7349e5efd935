"""Copies of the notebooks to run elsewhere, and which of the runs a quick test samples."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from traitlets.config import Config

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.stem for path in (ROOT / "book").glob("*.ipynb"))
SECONDS = 300  # for a cell, on a busy machine
# The kernel warns on a connection that others on the machine could listen to.
ENCRYPTED = Config({"KernelManager": {"transport_encryption": "auto"}})


def sampled(cases, sample):
    """Mark the cases that are not in the sample as those that `make vary` alone runs."""
    assert set(sample) <= set(cases)
    return [
        case if case in sample else pytest.param(case, marks=pytest.mark.full) for case in cases
    ]


def read(name):
    return nbformat.read(ROOT / "book" / f"{name}.ipynb", as_version=4)


def client(notebook, folder):
    """Return what runs the cells of a notebook in a folder."""
    resources = {"metadata": {"path": str(folder)}}
    return NotebookClient(notebook, timeout=SECONDS, resources=resources, config=ENCRYPTED)


def copy(folder, *names):
    """Copy what strict nbval needs, and these notebooks, and return where they are now."""
    for name in ("pyproject.toml", ".ci/sanitize.cfg", *(f"book/{name}.ipynb" for name in names)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def compare(folder, *before, env=None, **options):
    """Run strict nbval on the notebooks in a folder; `before` stands before the command."""
    strict = ["--nbval", "--nbval-current-env", f"--nbval-cell-timeout={SECONDS}"]
    run_pytest(folder, *strict, "book", before=before, env=env, **options)


def run_pytest(folder, *arguments, before=(), env=None, **options):
    """Run pytest in a folder, and fail with its words if it does."""
    done = subprocess.run(
        [*before, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        encoding="utf-8",
        **options,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-1000:]
