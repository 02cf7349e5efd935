"""What the sliders of a page ask of Python, in a worker of the browser."""

import functools
import importlib
import pickle
import warnings
from pathlib import Path

from positions import positions

# The pages have no matplotlib in three dimensions, and need none.
warnings.filterwarnings("ignore", "Unable to import Axes3D")

from bnnotes.pictures import look  # noqa: E402
from bnnotes.pictures.explorer import Explorer  # noqa: E402

# Nothing is drawn for widgets, which a page has not.
Explorer._show = lambda explorer: None
_explorers = {}


def draw(key, places, sharpness):
    """Return the picture of an explorer where its sliders stand at these places, and its words.

    Each picture is drawn by the class that a notebook shows, with `sharpness` pixels per pixel of
    the page: its pixels as RGBA, its width, its readout and its alternative text.
    """
    explorer = _explorer(key)
    if explorer.figure.dpi != sharpness * look.DPI:
        explorer.sharpen(sharpness)
    stops = map(positions, explorer.controls.values())
    with look.settings():
        result = explorer._computed(*(of[k][1] for of, k in zip(stops, places, strict=True)))
        explorer.update(result)
        rgba = explorer.rgba()
    # What the page is given is a copy.
    return rgba.reshape(-1), rgba.shape[1], explorer.say(result), explorer._describe(result)


def _explorer(key):
    if key not in _explorers:
        module, _, name = key.rpartition(".")
        _explorers[key] = getattr(_module(module), name)()
    return _explorers[key]


@functools.cache
def _module(name):
    """Return a module of pictures, which knows what was computed when the site was built."""
    module = importlib.import_module(f"bnnotes.pictures.{name}")
    file = Path(__file__).parent / f"kept/{name}.pickle"
    for function, results in pickle.loads(file.read_bytes()).items() if file.exists() else ():
        setattr(module, function, _knowing(results, getattr(module, function)))
    return module


def _knowing(results, function):
    def known(*args, **options):
        key = args, tuple(sorted(options.items()))
        return results[key] if key in results else function(*args, **options)

    return known
