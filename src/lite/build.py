"""Write the book as a JupyterLite site, whose kernels are Pyodide in the browser, for `make lite`.

With `--inside` Pyodide comes with the site, which then asks for nothing outside; else the pages
take it from its own distribution.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
import browser_python  # noqa: E402  it lies above, beside the site

# What a kernel in the browser is made of, and what the notebooks import.
ROOTS = (*browser_python.PICTURES, "ipython", "jedi", "micropip", "sqlite3", "ssl")
# They come with the site, since Pyodide's distribution lacks them.
WHEELS = ("comm", "ipywidgets", "jupyterlab-widgets", "pyodide-http", "tqdm")
FIRST = "0_start_here.ipynb"
# Pyodide's own tqdm is older, and is not among its packages that can be had.
NEEDED = [*browser_python.PICTURES, "ipywidgets", "tqdm>=4.67", "bnnotes"]
# A phone has no room for JupyterLab's columns.
NARROW = "if (innerWidth < 600) location.replace(`../notebooks/index.html${location.search}`);"
INSTALL = f"""\
import logging
import warnings

import piplite

await piplite.install({json.dumps(NEEDED)})
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
warnings.filterwarnings("ignore", "tqdm:disabling monitor")"""


def stage(folder):
    """Copy the notebooks, each with a first cell that installs what it needs."""
    folder.mkdir(parents=True)
    for path in sorted((ROOT / "book").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        notebook.cells.insert(0, nbformat.v4.new_code_cell(INSTALL, id="install"))
        notebook.metadata.kernelspec = {"display_name": "Python (Pyodide)", "name": "python"}
        # Not nbformat.write, which splits texts into lines: the pages would join them by commas.
        text = json.dumps(notebook, ensure_ascii=False)
        (folder / path.name).write_text(text, encoding="utf-8")


def pip(*arguments):
    subprocess.run([sys.executable, "-m", "pip", *map(str, arguments), "--quiet"], check=True)


def build(out, inside):
    """Write the site in a folder, which is made anew, with Pyodide `inside` or not."""
    shutil.rmtree(out, ignore_errors=True)
    stage(out / "book")
    pip("wheel", "--no-deps", "--wheel-dir", out, ROOT)
    pinned = "--constraint", ROOT / "constraints.txt", "--constraint", HERE / "constraints.txt"
    pip("download", "--no-deps", "--dest", out, *pinned, *WHEELS)
    options = ["--contents", "book", "--output-dir", "html"]
    for wheel in sorted(out.glob("*.whl")):
        options += ["--piplite-wheels", wheel.name]
    place = "./static/pyodide/" if inside else browser_python.DISTRIBUTION
    kernel = {"@jupyterlite/pyodide-kernel-extension:kernel": {"pyodideUrl": f"{place}pyodide.js"}}
    config = {"appName": "bnnotes", "exposeAppInBrowser": True, "litePluginSettings": kernel}
    lite = {"jupyter-lite-schema-version": 0, "jupyter-config-data": config}
    (out / "jupyter-lite.json").write_text(json.dumps(lite), encoding="utf-8")
    command = [sys.executable, "-m", "jupyterlite_core", "build", *options]
    # Settings of the site alone: none of the person.
    subprocess.run(command, cwd=out, env={**os.environ, "JUPYTER_PREFER_ENV_PATH": "1"}, check=True)
    if inside:
        shutil.copytree(inside, out / "html" / "static" / "pyodide")
    script = (HERE / "missing.js").read_text(encoding="utf-8")
    script = script.replace("PYODIDE", f"{place}pyodide.js")
    for name, part, more in (
        ("lab", "</head>", NARROW),
        ("lab", "</body>", script),
        ("notebooks", "</body>", script),
    ):
        page = out / "html" / name / "index.html"
        text = page.read_text(encoding="utf-8").replace(part, f"<script>{more}</script>{part}")
        page.write_text(text, encoding="utf-8")
    # Its root opens an empty launcher; a reader wants the first chapter.
    page = (HERE / "index.html").read_text(encoding="utf-8")
    (out / "html" / "index.html").write_text(page.replace("FIRST", FIRST), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="the folder, as in build/lite")
    parser.add_argument(
        "--inside", action="store_true", help="with Pyodide in the site, if it is had"
    )
    arguments = parser.parse_args()
    out, inside = arguments.out.resolve(), None
    if arguments.inside:
        try:
            inside = browser_python.fetch(out.parent / "pyodide-lite", ROOTS)
        except browser_python.Missing as why:
            print(f"Pyodide cannot be had here: {why}", file=sys.stderr)
    build(out, inside)


if __name__ == "__main__":
    main()
