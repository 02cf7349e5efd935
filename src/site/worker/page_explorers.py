"""What the sliders of a page ask of Python, in a worker of the browser."""

import importlib
import warnings

from positions import positions

# The pages have no matplotlib in three dimensions, and need none.
warnings.filterwarnings("ignore", "Unable to import Axes3D")

from bnnotes.pictures import look  # noqa: E402

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
        module = importlib.import_module(f"bnnotes.pictures.{module}")
        new_figure = look.new_figure

        def finer(width, height):
            figure = new_figure(width, height)
            figure.set_dpi(sharpness * figure.dpi)
            return figure

        # From the start, since each explorer draws itself when it is made.
        look.new_figure = finer
        try:
            _explorers[key] = getattr(module, name)()
        finally:
            look.new_figure = new_figure
    return _explorers[key]
