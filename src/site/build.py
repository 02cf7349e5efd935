"""Build the site of the book: `make site`.

Gathers the notebooks, the pages and a page per module in build/site/source, runs Sphinx over them,
and puts beside its pages what they load.
"""

import argparse
import importlib
import importlib.util
import pkgutil
import re
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from notebooks import prepare

import bnnotes

HERE = Path(__file__).parent
BOOK = HERE.parents[1] / "book"
MATHJAX = (
    "startup.js",
    "core.js",
    "input/tex.js",
    "output/chtml.js",
    "output/chtml/fonts/tex.js",
    "output/chtml/fonts/woff-v2",
    "a11y/assistive-mml.js",
)


def gather(source, cache):
    """Write all that Sphinx reads; return the files of the pictures, in the cache."""
    shutil.rmtree(source, ignore_errors=True)
    (source / "api").mkdir(parents=True)
    for page in (HERE / "index.md", *HERE.glob("pages/*.md")):
        shutil.copy(page, source)
    for name in modules(bnnotes):
        package = importlib.import_module(name)
        # A package that names nothing of its own is what its modules are.
        parts = modules(package) if hasattr(package, "__path__") else []
        text = automodule(name, "=")
        if not hasattr(package, "__all__"):
            text += "".join(automodule(part, "-") for part in parts)
        page = source / "api" / f"{name.removeprefix('bnnotes.')}.rst"
        page.write_text(text, encoding="utf-8")
    # The explorers take their time.
    with ProcessPoolExecutor() as workers:
        paths = sorted(BOOK.glob("*.ipynb"))
        return set().union(*workers.map(partial(prepare, source=source, cache=cache), paths))


def modules(package):
    """Return the names of the public modules of a package."""
    found = pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    return [module.name for module in found if "._" not in module.name]


def automodule(name, underline):
    """Return the directive that shows the docstrings of a module, under a title."""
    return f"{name}\n{underline * len(name)}\n\n.. automodule:: {name}\n   :members:\n\n"


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


def put_pictures(pictures, cache, html):
    """Copy the pictures that the pages show."""
    (html / "pictures").mkdir()
    for name in pictures:
        shutil.copy(cache / name, html / "pictures")


def remove_unused(html):
    """Remove what the theme brings and no page loads."""
    for unused in ("scripts/fontawesome.js", "*macros.html", "**/*.map", "**/*.LICENSE.txt"):
        for path in (html / "_static").glob(unused):
            path.unlink()
    # Of two thousand icons the pages show a dozen.
    pages = "".join(page.read_text(encoding="utf-8") for page in html.rglob("*.html"))
    shown = set(re.findall(r"fa-[\w-]+", pages))
    style = html / "_static/styles/pydata-sphinx-theme.css"
    rule = re.compile(r'((?:\.fa-[\w-]+,?)+)\{--fa:"[^"]*"\}')
    rules = style.read_text(encoding="utf-8")
    kept = rule.sub(lambda icon: icon[0] if shown & set(icon[1][1:].split(",.")) else "", rules)
    style.write_text(kept, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the pages go into html/ in it")
    folder = parser.parse_args().folder
    html, cache = folder / "html", folder / "pictures"
    cache.mkdir(parents=True, exist_ok=True)
    pictures = gather(folder / "source", cache)
    # A page that the book has no more must not stay behind.
    shutil.rmtree(html, ignore_errors=True)
    run_sphinx(folder / "source", html, folder / "doctrees")
    put_mathjax(html)
    put_pictures(pictures, cache, html)
    remove_unused(html)
    print(f"The site is in {html}; open {html / 'index.html'}")


if __name__ == "__main__":
    main()
