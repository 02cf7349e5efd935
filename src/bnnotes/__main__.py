"""Open the book in JupyterLab: `python -m bnnotes`.

The notebooks are copied into a folder of the reader's own. One that the reader has written in
stays as it is; any other is brought up to date.
"""

import argparse
import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
# A wheel brings the notebooks along; in a checkout they are where they are written.
BOOK = HERE / "book" if (HERE / "book").is_dir() else HERE.parents[1] / "book"
FIRST = "0_start_here.ipynb"


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
    """Copy the notebooks, and return the names of those that stay since someone wrote in them."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = []
    for path in sorted(book.glob("*.ipynb")):
        own = folder / path.name
        if own.exists() and _written(own):
            kept.append(own.name)
        else:
            shutil.copyfile(path, own)
    return kept


def _written(path):
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return [cell["id"] for cell in cells] != content_ids(cells)
    except (ValueError, KeyError, TypeError):
        return True  # not as the book wrote it, so it is somebody's


def options(folder):
    """Return the options of JupyterLab: it answers nobody but this machine and its token."""
    displayed = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return [
        "--ServerApp.ip=localhost",
        f"--ServerApp.root_dir={folder.resolve()}",
        "--ServerApp.log_level=ERROR",
        "--LabApp.log_level=ERROR",
        f"--LabApp.default_url=/lab/tree/{FIRST}",
        "--KernelManager.transport_encryption=auto",
        # macOS and Windows have a display without saying so.
        *(["--no-browser"] if sys.platform == "linux" and not displayed else []),
        *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
    ]


def main():
    parser = argparse.ArgumentParser(prog="python -m bnnotes", description=__doc__)
    help = "where your notebooks are, bnnotes-book by default; other options go to JupyterLab"
    parser.add_argument("folder", nargs="?", type=Path, default=Path("bnnotes-book"), help=help)
    arguments, others = parser.parse_known_args()
    try:
        from jupyterlab.labapp import LabApp
    except ImportError:
        sys.exit("The book is read in JupyterLab: pip install 'bnnotes[book]'")
    kept = bring(BOOK, arguments.folder)
    if kept:
        print(f"As you left them, with what you wrote: {', '.join(kept)}")
    print(f"Your notebooks are in {arguments.folder}, and open in a browser;")
    print("where none opens, at the address below. Ctrl-C twice ends it.", flush=True)
    LabApp.launch_instance([*options(arguments.folder), *others])


if __name__ == "__main__":
    main()
