"""Build the site of the book: `make site`.

Gathers the notebooks, the pages and a page per module in build/site/source, runs Sphinx over them,
and puts beside its pages what they load.
"""

import argparse
import ast
import hashlib
import importlib
import pkgutil
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import jinja2
import kept
import lean
from notebooks import prepare

import bnnotes
import browser_python

HERE = Path(__file__).parent
BOOK = HERE.parents[1] / "book"
TEMPLATES = jinja2.Environment(loader=jinja2.FileSystemLoader(HERE / "templates"), autoescape=True)


def gather(source, cache):
    """Write all that Sphinx reads; return the files of the pictures, in the cache."""
    shutil.rmtree(source, ignore_errors=True)
    (source / "api").mkdir(parents=True)
    for page in (HERE / "index.md", *HERE.glob("pages/*.md")):
        shutil.copy(page, source)
    write_gradient_page(source)
    write_run_page(source)
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


SUBJECTS = {
    "batchnorm_backward": "backward pass of batch normalization",
    "batchnorm_forward": "forward pass of batch normalization",
    "gamma_gradient": "∂C/∂γ",
    "beta_gradient": "∂C/∂β",
    "weight_gradient": "∂C/∂W below batch normalization, equation (1)",
    "previous_error": "error of the layer below, equation (2)",
    "layernorm_backward": "backward pass of LayerNorm",
    "rmsnorm_backward": "backward pass of RMSNorm",
    "instancenorm_backward": "backward pass of InstanceNorm",
    "frozen_batchnorm_backward": "backward pass of frozen batch normalization",
    "baseline_backpropagation": "a layer without normalization",
    "network": "a whole network",
}
SECONDS = 20  # for a review in the page


def write_gradient_page(source):
    """Write the page that reviews its reader's code, with the README's function in it."""
    readme = (HERE.parents[1] / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    function, layer = (
        block.partition(end)[0].replace("from bnnotes import review\n", "").strip() + "\n"
        for word, end in (
            ("def batchnorm_backward", "\n\nprint("),
            ("class Layer", "\n\ndef test_"),
        )
        for block in blocks
        if word in block
    )
    shown = [("The README's function", function), ("A class", layer)]
    for path in sorted((HERE / "examples").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        title = ast.get_docstring(ast.parse(text))
        shown.append((title, text.partition('"""\n\n')[2]))
    page = TEMPLATES.get_template("gradient.md").render(
        examples=[{"title": title, "text": text} for title, text in shown],
        subjects=SUBJECTS,
        seconds=SECONDS,
    )
    (source / "gradient.md").write_text(page, encoding="utf-8")


def write_run_page(source):
    """Write the page that says how to run the book: what the README says of it."""
    readme = (HERE.parents[1] / "README.md").read_text(encoding="utf-8")
    ways = readme.partition("## Two commands\n")[2].partition("\n## The book as pages")[0]
    (source / "run.md").write_text(f"# How to run it\n{ways}", encoding="utf-8")


def modules(package):
    """Return the names of the public modules of a package."""
    found = pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    return [module.name for module in found if "._" not in module.name]


def automodule(name, underline):
    """Return the directive that shows the docstrings of a module, under a title."""
    return f"{name}\n{underline * len(name)}\n\n.. automodule:: {name}\n   :members:\n\n"


def run_sphinx(source, html, doctrees, **settings):
    # Every warning is an error, once all of them have been seen.
    command = ["-b", "html", "-c", HERE, "-d", doctrees]
    command += [part for pair in settings.items() for part in ("-D", "=".join(pair))]
    command += ["-q", "-W", "--keep-going", source, html]
    subprocess.run([sys.executable, "-m", "sphinx", *command], check=True)


def put_pictures(pictures, cache, html):
    """Copy the pictures that the pages show."""
    (html / "pictures").mkdir()
    for name in pictures:
        shutil.copy(cache / name, html / "pictures")


def repository():
    """Return where the project is, if it says so."""
    project = tomllib.loads((HERE.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    return project["project"].get("urls", {}).get("Repository", "")


def put_notebooks(html):
    (html / "notebooks").mkdir()
    for path in BOOK.glob("*.ipynb"):
        shutil.copy(path, html / "notebooks")


def find_lite(wanted):
    """Return the folder of the JupyterLite pages, if they go beside these, and their address."""
    if wanted:
        return None, f"{wanted.rstrip('/')}/"
    built = HERE.parents[1] / "build/lite/html"
    return (built, "lite/") if built.is_dir() else (None, "")


def find_pyodide(wanted):
    """Return the folder of Pyodide, if the site has its own, and its address in the pages."""
    if wanted:
        return None, f"{wanted.rstrip('/')}/"
    try:
        return browser_python.fetch(HERE.parents[1] / "build/pyodide"), "_static/pyodide/"
    except browser_python.Missing as missing:
        print(f"THE PAGES RUN NO PYTHON, sliders have frames alone: {missing}", file=sys.stderr)
        return None, ""


def put_python(pyodide, html, cache):
    """Pack the book with what the pages ask of it, and where the site has its own Pyodide, that.

    What the frames have computed is in the cache.
    """
    place = html / "_static/python"
    place.mkdir()
    package = Path(bnnotes.__file__).parent
    files = {path: path.relative_to(package.parent) for path in package.rglob("*.*")}
    files |= {path: path.name for path in (*HERE.glob("worker/*.py"), HERE / "positions.py")}
    with zipfile.ZipFile(place / "bnnotes.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path, name in sorted(files.items()):
            if path.is_file() and path.suffix != ".pyc":
                archive.write(path, name)
        for module, results in kept.join(sorted(cache.glob("*.pickle"))).items():
            archive.writestr(f"kept/{module}.pickle", results)
    if pyodide:
        (html / "_static/pyodide").mkdir()
        for name in ("pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm", "pyodide-lock.json"):
            shutil.copy(pyodide / name, html / "_static/pyodide")
        for path in packed(pyodide).glob("*.zip"):
            shutil.copy(path, place)
        pack(pyodide, place)


def packed(pyodide):
    """Return the folder of Pyodide's packages, compiled; made anew where the packing changed."""
    parts = (HERE / "pack.cjs", HERE / "worker/page_pack.py", pyodide / "pyodide-lock.json")
    digest = hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()
    folder = pyodide / f"packed-{digest[:16]}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=pyodide) as scratch:
            pack(pyodide, scratch, *browser_python.PICTURES)
            shutil.copytree(scratch, folder)
    return folder


def pack(pyodide, out, *packages):
    command = ["node", HERE / "pack.cjs", pyodide, HERE / "worker/page_pack.py", out, *packages]
    subprocess.run(command, check=True, capture_output=True)


def remove_unused(html):
    """Remove what the theme brings and no page loads."""
    for unused in ("scripts/fontawesome.js", "*macros.html", "**/*.map", "**/*.LICENSE.txt"):
        for path in (html / "_static").glob(unused):
            path.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the pages go into html/ in it")
    parser.add_argument(
        "--pyodide",
        metavar="URL",
        help=f"load Python from there instead: {browser_python.DISTRIBUTION}",
    )
    parser.add_argument(
        "--lite",
        metavar="URL",
        help="where the JupyterLite pages are; else those of `make lite` come along, once built",
    )
    given = parser.parse_args()
    folder = given.folder
    html, cache = folder / "html", folder / "pictures"
    cache.mkdir(parents=True, exist_ok=True)
    pyodide, address = find_pyodide(given.pyodide)
    lite, place = find_lite(given.lite)
    pictures = gather(folder / "source", cache)
    # A page that the book has no more must not stay behind.
    shutil.rmtree(html, ignore_errors=True)
    settings = {"pyodide": address, "lite": place, "repository": repository()}
    run_sphinx(folder / "source", html, folder / "doctrees", **settings)
    remove_unused(html)
    lean.cut(html)
    put_notebooks(html)
    if address:
        put_python(pyodide, html, cache)
    put_pictures(pictures, cache, html)
    if lite:
        shutil.copytree(lite, html / "lite")
    print(f"The site is in {html}; open {html / 'index.html'}")


if __name__ == "__main__":
    main()
