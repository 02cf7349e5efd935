"""What the sliders of a page ask of Python, in a worker of the browser."""

import importlib

from positions import positions

_explorers = {}


def draw(key, places, sharpness):
    """Return the picture of an explorer where its sliders stand at these places, and its words.

    Each picture is drawn by the class that a notebook shows, with `sharpness` pixels per pixel of
    the page: its PNG, its readout and its alternative text.
    """
    explorer = _explorer(key, sharpness)
    controls = explorer.controls.items()
    places = dict(zip(explorer.controls, places, strict=True))
    explorer.set(**{name: positions(control)[places[name]][1] for name, control in controls})
    return explorer.image.png, explorer.readout, explorer.image.tooltip


def _explorer(key, sharpness):
    if key not in _explorers:
        module, _, name = key.rpartition(".")
        explorer = getattr(importlib.import_module(f"bnnotes.pictures.{module}"), name)()
        explorer.figure.set_dpi(sharpness * explorer.figure.dpi)
        explorer.redraw_background()
        explorer.forget()
        _explorers[key] = explorer
    return _explorers[key]
