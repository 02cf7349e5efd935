"""What the sliders of a page ask of Python, in a worker of the browser."""

import functools
import importlib
import json
import pickle
import warnings
from pathlib import Path

from positions import positions

# The pages have no matplotlib in three dimensions, and need none.
warnings.filterwarnings("ignore", "Unable to import Axes3D")

from bnnotes.pictures import look  # noqa: E402
from bnnotes.pictures.explorer import Explorer, _places  # noqa: E402

# Nothing is drawn for widgets, which a page has not.
Explorer._show = lambda explorer: None
_explorers = {}


def draw(key, places, sharpness):
    """Return the picture of an explorer where its sliders stand at these places, and its words.

    Each picture is drawn by the class that a notebook shows, with `sharpness` pixels per pixel of
    the page: its pixels as RGBA, its width, its readout, its alternative text, and as JSON what can
    be dragged in it.
    """
    explorer = _explorer(key)
    if explorer.figure.dpi != sharpness * look.DPI:
        explorer.sharpen(sharpness)
    controls = explorer.controls
    stops = map(positions, controls.values())
    values = [of[k][1] for of, k in zip(stops, places, strict=True)]
    with look.settings():
        result = explorer._computed(*values)
        explorer.update(result)
        rgba = explorer.rgba()
    grips = explorer._grips(result, dict(zip(controls, values, strict=True)))
    dragged = [_counted(list(controls.values()), grip) for grip in grips]
    # What the page is given is a copy.
    said = explorer.say(result), explorer._describe(result), json.dumps(dragged)
    return rgba.reshape(-1), rgba.shape[1], *said


def _counted(controls, grip):
    """Return a grip whose sliders stand at 0, 1, … as those of the page do."""
    scales = [_places(controls[k]) for k in grip["sliders"]]
    places = [
        (at - first) / step for at, (first, _, step) in zip(grip["places"], scales, strict=True)
    ]
    moves = [
        [step * by for by in way] for way, (_, _, step) in zip(grip["moves"], scales, strict=True)
    ]
    return {**grip, "places": places, "moves": moves}


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
