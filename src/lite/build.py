"""Write the book as a JupyterLite site, whose kernels are Pyodide in the browser, for `make lite`.

The pages ask outside for Pyodide and for the packages that it holds, numpy among them. A browser
has no processes, so the sweeps of chapter 6 do not run there.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[2]
# What a chapter imports and a Pyodide kernel lacks; bnnotes itself comes with the site.
NEEDED = "numpy ipywidgets matplotlib pillow scikit-learn tqdm bnnotes"


def stage(folder):
    """Copy the notebooks, each with a first cell that installs what it needs."""
    folder.mkdir(parents=True)
    for path in sorted((ROOT / "book").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        install = nbformat.v4.new_code_cell(f"%pip install -q {NEEDED}", id="install")
        notebook.cells.insert(0, install)
        notebook.metadata.kernelspec = {"display_name": "Python (Pyodide)", "name": "python"}
        nbformat.write(notebook, folder / path.name)


def build(out):
    """Write the site in a folder, which is made anew."""
    shutil.rmtree(out, ignore_errors=True)
    stage(out / "book")
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", out, ROOT]
    subprocess.run(wheel, check=True)
    (wheel,) = out.glob("*.whl")
    options = ["--contents", "book", "--piplite-wheels", wheel.name, "--output-dir", "html"]
    command = [sys.executable, "-m", "jupyterlite_core", "build", *options]
    # Settings of the site alone: none of the person.
    subprocess.run(command, cwd=out, env={**os.environ, "JUPYTER_PREFER_ENV_PATH": "1"}, check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="the folder, as in build/lite")
    build(parser.parse_args().out.resolve())


if __name__ == "__main__":
    main()
