"""A notebook as it goes into the site: its stored outputs, its explorers alive."""

import base64
import hashlib
import io
import json
import pickle
import re
from pathlib import Path

import kept
import nbformat
from explorers import explorers
from frames import Frames, save
from PIL import Image

import bnnotes

STYLE = re.compile(r'style="text-align:(left|right)"')
# A picture as `bnnotes.pictures` stores it.
PICTURE = re.compile(
    r'<img alt="(?P<alt>[^"]*)" width="(?P<width>\d+)" '
    r'src="data:image/png;base64,(?P<png>[^"]*)">'
)
FINE = 1.5  # pixels of a still per pixel of the page


def prepare(path, source, cache):
    """Write the notebook at `path` into `source`; its pictures are kept in `cache`.

    Returns
    -------
    set of str
        The files of the pictures.
    """
    notebook = nbformat.read(path, as_version=4)
    alive = living(path, cache)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            stored = PICTURE.fullmatch(data.get("text/html", ""))
            if cell.id in alive and stored:
                output.data, output.metadata = {"text/html": alive[cell.id]}, {}
            elif stored:
                output.data["text/html"] = still(stored, cache)
            elif "text/html" in data:
                # The policy of the page allows no style of its own.
                data["text/html"] = re.sub(STYLE, r'class="\1"', data["text/html"])
    nbformat.write(notebook, source / path.name)
    return set(re.findall(r"\w+\.webp", (source / path.name).read_text(encoding="utf-8")))


def still(stored, cache):
    """Return a stored picture as HTML, with its alternative text, the pixels in a file."""
    alt, width, png = stored["alt"], int(stored["width"]), base64.b64decode(stored["png"])
    with Image.open(io.BytesIO(png)) as picture:
        height = round(picture.height * width / picture.width)
        # It is stored twice as fine as the page; this much still looks sharp on a fine screen.
        smaller = round(FINE * width), round(FINE * height)
        picture = picture.convert("RGB").resize(smaller, Image.Resampling.LANCZOS)
        file = save(picture, cache, key=png + str(FINE).encode())
    return f'<img src="{file}" alt="{alt}" width="{width}" height="{height}" loading="lazy">'


def living(path, cache):
    """Return the HTML of each explorer by the id of its cell; made anew where something changed."""
    made = cache / f"{path.stem}.json"
    key = _key(path)
    if made.exists():
        stored = json.loads(made.read_text(encoding="utf-8"))
        if stored["key"] == key:
            return stored["explorers"]
    alive = {}
    with kept.keeping() as computed:
        for id, explorer in explorers(path).items():
            alive[id] = Frames(explorer).write(cache)
            kept.ask(explorer, computed)
    (cache / f"{path.stem}.pickle").write_bytes(pickle.dumps(computed.found))
    made.write_text(json.dumps({"key": key, "explorers": alive}), encoding="utf-8")
    return alive


def _key(path):
    """Return a digest of all that the explorers of a notebook are made of."""
    package, here = Path(bnnotes.__file__).parent, Path(__file__).parent
    parts = [
        path,
        here / "frames.py",
        here / "kept.py",
        here / "templates/explorer.html",
        here / "positions.py",
        *sorted(package.rglob("*.*")),
    ]
    return hashlib.sha256(
        b"".join(part.read_bytes() for part in parts if part.suffix != ".pyc")
    ).hexdigest()
