"""What the sliders of a page ask of Python, asked here, with the widgets that a page has."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np

from bnnotes.pictures.explorer import registry

SITE = Path(__file__).parents[1] / "src/site"
sys.path.insert(0, str(SITE))
from positions import positions  # noqa: E402

ASK = """
import pickle, sys
sys.path[:0] = sys.argv[1:]
import page_explorers
asked = pickle.load(sys.stdin.buffer)
drawn = [(bytes(pixels), *said) for pixels, *said in (page_explorers.draw(*a) for a in asked)]
sys.stdout.buffer.write(pickle.dumps(drawn))
"""


def standing(explorer):
    """Move each slider to the nearest stop that it has in a page; return the places."""
    places, stops = {}, {}
    for name, control in explorer.controls.items():
        values = [value for _, value in positions(control)]
        near = values.index if control.value in values else nearest(values)
        places[name] = near(control.value)
        stops[name] = values[places[name]]
    explorer.set(**stops)
    return list(places.values())


def nearest(values):
    return lambda value: int(np.argmin(np.abs(np.array(values) - value)))


def test_a_page_is_told_what_each_explorer_says_and_shown_its_pixels():
    explorers = {key: cls() for key, cls in registry().items()}
    assert len(explorers) > 10
    at = {key: standing(explorer) for key, explorer in explorers.items()}
    asked = [(key, at[key], fine) for key in explorers for fine in (1, 2)]
    command = [sys.executable, "-c", ASK, str(SITE / "worker"), str(SITE)]
    run = subprocess.run(command, input=pickle.dumps(asked), capture_output=True)
    assert run.returncode == 0, run.stderr.decode()
    for (key, _, fine), drawn in zip(asked, pickle.loads(run.stdout), strict=True):
        pixels, width, readout, alt, grips = drawn
        explorer = explorers[key]
        explorer.sharpen(fine)
        assert (readout, alt) == (explorer.readout, explorer.image.tooltip), key
        grips = json.loads(grips)
        assert bool(grips) == bool(explorer.grips.value), key
        for grip in grips:
            assert np.allclose(grip["places"], [at[key][k] for k in grip["sliders"]]), key
        wanted = explorer.rgba()
        shown = np.frombuffer(pixels, np.uint8).reshape(-1, width, 4)
        assert np.array_equal(shown, wanted), (key, fine)
