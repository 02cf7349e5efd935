"""Build the site of the book: `make site`.

Gathers the notebooks, the pages and a page per module in build/site/source, runs Sphinx over them,
and puts beside its pages what they load.
"""

import argparse
import importlib.util
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

import bnnotes

HERE = Path(__file__).parent
BOOK = HERE.parent
MATHJAX = (
    "startup.js",
    "core.js",
    "input/tex.js",
    "output/chtml.js",
    "output/chtml/fonts/tex.js",
    "output/chtml/fonts/woff-v2",
    "a11y/assistive-mml.js",
)


def gather(source):
    """Write all that Sphinx reads."""
    shutil.rmtree(source, ignore_errors=True)
    (source / "api").mkdir(parents=True)
    for page in (HERE / "index.md", *HERE.glob("pages/*.md")):
        shutil.copy(page, source)
    for path in BOOK.glob("*.ipynb"):
        nbformat.write(nbformat.read(path, as_version=4), source / path.name)
    for name in modules():
        title = f"{name}\n{'=' * len(name)}\n\n"
        page = source / "api" / f"{name.removeprefix('bnnotes.')}.rst"
        page.write_text(f"{title}.. automodule:: {name}\n   :members:\n", encoding="utf-8")


def modules():
    """Return the names of the public modules."""
    found = pkgutil.iter_modules(bnnotes.__path__, "bnnotes.")
    return [module.name for module in found if "._" not in module.name]


def run_sphinx(source, html, doctrees):
    # Every warning is an error, once all of them have been seen.
    command = ["-b", "html", "-c", HERE, "-d", doctrees, "-q", "-W", "--keep-going", source, html]
    subprocess.run([sys.executable, "-m", "sphinx", *command], check=True)


def put_mathjax(html):
    """Copy the parts of MathJax that mathjax.js names."""
    package = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent
    for name in MATHJAX:
        part, place = package / "static/mathjax" / name, html / "_static/mathjax" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if part.is_dir():
            shutil.copytree(part, place, dirs_exist_ok=True)
        else:
            shutil.copy(part, place)


def remove_unused(html):
    """Remove what the theme brings and no page loads."""
    for unused in ("scripts/fontawesome.js", "**/*.map", "**/*.LICENSE.txt"):
        for path in (html / "_static").glob(unused):
            path.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the pages go into html/ in it")
    folder = parser.parse_args().folder
    html = folder / "html"
    gather(folder / "source")
    run_sphinx(folder / "source", html, folder / "doctrees")
    put_mathjax(html)
    remove_unused(html)
    print(f"The site is in {html}; open {html / 'index.html'}")


if __name__ == "__main__":
    main()
