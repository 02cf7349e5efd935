"""The explorers that a notebook shows, without running it."""

import nbformat

from bnnotes.pictures.explorer import registry


def explorers(path):
    """Return the explorers of a notebook by the ids of the cells whose outputs hold their keys."""
    known, shown = registry(), {}
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", ()):
            if key := output.get("metadata", {}).get("explorer"):
                shown[cell.id] = known[key]()
    return shown
