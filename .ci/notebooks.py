"""Write the notebooks from their texts, and what goes with it, for the Makefile.

The text in src/text/ is the source. A notebook is a function of it: the same text gives the same
cells with the same ids and, run anywhere, no trace of when, where and by which versions.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
from jupytext.config import load_jupytext_config
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config

from bnnotes.__main__ import content_ids

ROOT = Path(__file__).parent.parent
BOOK = ROOT / "book"
TEXT = ROOT / "src" / "text"
CONFIG = load_jupytext_config(str(ROOT))
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
# What stands for a bar of tqdm, which knows its beginning alone.
BAR = re.compile(r" *0%\|.*\| 0/(\d+) \[")
SECONDS = 60  # for a cell
# The kernel warns on a connection that others on the machine could listen to.
ENCRYPTED = Config({"KernelManager": {"transport_encryption": "auto"}})


def read_text(name):
    return jupytext.read(TEXT / f"{name}.md", config=CONFIG)


def write_text(notebook, name):
    header = {"kernelspec": KERNEL, "jupytext": {"default_lexer": "ipython3"}}
    notebook = nbformat.from_dict({**notebook, "metadata": header})
    text = jupytext.writes(notebook, fmt="md:myst", config=CONFIG)
    path = TEXT / f"{name}.md"
    if not path.exists() or text != path.read_text(encoding="utf-8"):
        path.write_text(text, encoding="utf-8")


def read_notebook(name):
    return nbformat.read(BOOK / f"{name}.ipynb", as_version=4)


def has_edits(name, text):
    """Say whether someone changed the notebook itself, to other cells than those of the text."""
    if not (BOOK / f"{name}.ipynb").exists():
        return False
    stored = read_notebook(name)
    return (
        [cell.id for cell in stored.cells] != content_ids(stored.cells) != content_ids(text.cells)
    )


def rebuild(name):
    """Run the text and write the notebook."""
    notebook = read_text(name)
    if has_edits(name, notebook):
        sys.exit(
            f"book/{name}.ipynb has edits that src/text/{name}.md lacks: "
            f"`make adopt NAME={name}` takes all its cells into the text, "
            f"`rm book/{name}.ipynb` gives them up"
        )
    write_text(notebook, name)
    for cell, cell_id in zip(notebook.cells, content_ids(notebook.cells), strict=True):
        cell.id = cell_id
    try:
        NotebookClient(
            notebook,
            timeout=SECONDS,
            kernel_name=KERNEL["name"],
            resources={"metadata": {"path": str(BOOK)}},
            store_widget_state=False,
            record_timing=False,
            coalesce_streams=True,
            config=ENCRYPTED,
        ).execute()
    except CellExecutionError as error:
        sys.exit(f"book/{name}.ipynb stays as it was; a cell of the text fails:\n{error}")
    # The client has added the exact version of Python.
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            # A view points to a widget in a kernel that has gone. Without it, a page shows the
            # picture or the words that stand for the widget until the cell is run.
            data = output.get("data", {})
            if data.pop(WIDGET_VIEW, None) and (bar := BAR.match(data["text/plain"])):
                data["text/plain"] = "{0} of {0}".format(*bar.groups())
    nbformat.write(notebook, BOOK / f"{name}.ipynb")


def adopt(name):
    """Take the cells of the notebook into the text."""
    write_text(read_notebook(name), name)


def tidy(name):
    """Apply ruff to the code cells of the text."""
    code = nbformat.writes(read_text(name))
    ruff = [sys.executable, "-m", "ruff", "--quiet"]
    for command in (["check", "--fix", "--exit-zero"], ["format"]):
        code = subprocess.run(
            [*ruff, *command, f"--stdin-filename=book/{name}.ipynb", "-"],
            input=code,
            text=True,
            encoding="utf-8",
            stdout=subprocess.PIPE,
            cwd=ROOT,
            check=True,
        ).stdout
    write_text(nbformat.reads(code, as_version=4), name)


def main():
    tasks = {"rebuild": rebuild, "adopt": adopt, "tidy": tidy}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=tasks)
    parser.add_argument("names", nargs="*", help="as in src/text/, without the ending; else all")
    arguments = parser.parse_args()
    if arguments.task == "adopt" and not arguments.names:
        sys.exit("name the notebook whose cells the text should take: make adopt NAME=...")
    folder = BOOK if arguments.task == "adopt" else TEXT
    known = sorted(path.stem for path in folder.iterdir() if path.suffix in (".ipynb", ".md"))
    for name in arguments.names or known:
        if name not in known:
            sys.exit(f"got NAME={name}, wanted one of: {', '.join(known)}")
        print(f"{arguments.task} {name}", flush=True)
        tasks[arguments.task](name)


if __name__ == "__main__":
    main()
