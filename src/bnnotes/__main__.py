"""Open the book in JupyterLab: `python -m bnnotes`.

The notebooks are copied into a folder of the reader's own. One whose cells the reader has changed
stays as it is; any other follows the book.
"""

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
# A wheel brings the notebooks along; in a checkout they are where they are written.
BOOK = HERE / "book" if (HERE / "book").is_dir() else HERE.parents[1] / "book"
FIRST = "0_start_here.ipynb"
STYLE = HERE / "pictures" / "custom"  # where JupyterLab finds its custom.css
MARK = "bnnotes"  # in the metadata of a copy


def content_ids(cells):
    """Return an id for each cell that depends on its content alone, as the book's cells have it."""
    taken, result = {}, []
    for cell in cells:
        text = f"{cell['cell_type']}\n{''.join(cell['source'])}"
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        taken[digest] = taken.get(digest, 0) + 1
        result.append(digest if taken[digest] == 1 else f"{digest}-{taken[digest]}")
    return result


def bring(book, folder):
    """Copy the notebooks, and return the names of those that stay since someone changed them.

    Each copy carries a mark of the cells that it came with. Running it leaves the mark true;
    writing in it, or adding, taking away or moving a cell, does not.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = []
    for path in sorted(book.glob("*.ipynb")):
        own, notebook = folder / path.name, json.loads(path.read_text(encoding="utf-8"))
        notebook["metadata"][MARK] = _mark(notebook)
        if own.exists() and (came := _untouched(own)) is None:
            kept.append(own.name)
        elif not own.exists() or came != notebook["metadata"][MARK]:
            # Whole or not at all: half a notebook would be taken for the reader's.
            part = own.with_suffix(".part")
            part.write_text(json.dumps(notebook, ensure_ascii=False, indent=1), encoding="utf-8")
            part.replace(own)
    return kept


def _mark(notebook):
    return hashlib.sha256(" ".join(content_ids(notebook["cells"])).encode()).hexdigest()


def _untouched(path):
    """Return the mark of a copy, or None if its cells are others than those it came with."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        mark = _mark(notebook)
        return mark if notebook["metadata"][MARK] == mark else None
    except (ValueError, KeyError, TypeError):
        return None  # not as the book wrote it, so it is somebody's


def options(folder):
    """Return the options of JupyterLab: it answers nobody but this machine and its token."""
    displayed = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return [
        "--ServerApp.ip=localhost",
        f"--ServerApp.root_dir={folder.resolve()}",
        "--ServerApp.log_level=ERROR",
        "--LabApp.log_level=ERROR",
        f"--LabApp.default_url=/lab/tree/{FIRST}",
        "--LabApp.custom_css=True",
        f"--ServerApp.tornado_settings={ {'static_custom_path': [str(STYLE)]} }",
        "--KernelManager.transport_encryption=auto",
        # macOS and Windows have a display without saying so.
        *(["--no-browser"] if sys.platform == "linux" and not displayed else []),
        *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
    ]


def main():
    parser = argparse.ArgumentParser(prog="python -m bnnotes", description=__doc__)
    help = "where your notebooks are, bnnotes-book by default; what follows goes to JupyterLab"
    parser.add_argument("folder", nargs="?", type=Path, default=Path("bnnotes-book"), help=help)
    # The folder comes first: what stands behind an option, as in --port 8889, is not one.
    own = len(sys.argv) > 1 and (sys.argv[1] in ("-h", "--help") or sys.argv[1][:1] != "-")
    arguments, others = parser.parse_args(sys.argv[1 : 1 + own]), sys.argv[1 + own :]
    try:
        from jupyterlab.labapp import LabApp
    except ImportError:
        sys.exit("The book is read in JupyterLab: pip install 'bnnotes[book]'")
    try:
        kept = bring(BOOK, arguments.folder)
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}. Another place: python -m bnnotes FOLDER")
    if kept:
        print(f"As you left them, with your changes: {', '.join(kept)}")
    print(f"Your notebooks are in {arguments.folder}, and open in a browser;")
    print("where none opens, at the address below. Ctrl-C twice ends it.", flush=True)
    LabApp.launch_instance([*options(arguments.folder), *others])


if __name__ == "__main__":
    main()
