"""Explorers that Python in the page draws, beside the same ones in this process."""

import base64
import io
import re

import numpy as np
import pytest
from conftest import Visit
from explorers import explorers
from PIL import Image
from playwright.sync_api import expect
from positions import positions
from test_sliders import DESKTOP, WITH_EXPLORERS

from bnnotes.pictures.explorer import Explorer

PATIENCE = 300_000  # milliseconds, for Python to load on a busy machine
MOVES = 4  # of each explorer, to places drawn at random
PIXELS = "canvas => canvas.toDataURL('image/png').split(',')[1]"
SET = "(input, place) => { input.value = place; input.dispatchEvent(new Event('input')); }"


@pytest.fixture(scope="module", params=[1, 2], ids="one pixel per pixel, two".split(", "))
def reader(request, browser, server, python):
    """A reader who goes from page to page."""
    visited = Visit(browser, server, viewport=DESKTOP, device_scale_factor=request.param)
    visited.fine, visited.pages = request.param, []
    yield visited
    visited.context.close()
    assert visited.wrong == []


def live(reader, path):
    """Open a page; on the first one Python is started, on all others it is there."""
    page = reader.open(f"{path.stem}.html")
    if not reader.pages:
        page.locator(".explorer").first.get_by_role("button", name="Run live").click()
    reader.pages.append(path)
    expect(page.locator(".explorer .note").first).to_contain_text("Live", timeout=PATIENCE)
    return page


def pixels(canvas):
    with Image.open(io.BytesIO(base64.b64decode(canvas.evaluate(PIXELS)))) as shown:
        return np.array(shown.convert("RGB"), float)


def apart(one, other):
    """Return how far pictures are apart, on squares of four pixels.

    Letters are set by another version of FreeType, and come to stand a pixel beside.
    """
    height, width = (length - length % 4 for length in one.shape[:2])
    off = (one - other)[:height, :width].reshape(height // 4, 4, width // 4, 4, 3)
    return np.abs(off.mean(axis=(1, 3))).mean()


@pytest.mark.parametrize("path", WITH_EXPLORERS, ids=lambda path: path.stem)
def test_every_slider_moves_freely_and_the_picture_is_that_of_python(reader, path):
    page = live(reader, path)
    rng = np.random.default_rng(0)
    # At two pixels per pixel what differs is how fine it is: one explorer of each page says it.
    for explorer in list(explorers(path).values())[: None if reader.fine == 1 else 1]:
        explorer.sharpen(reader.fine)
        box = page.get_by_role("group", name=explorer.title, exact=True)
        sliders = box.get_by_role("slider").all()
        controls = explorer.controls.items()
        assert len(sliders) == len(controls)
        before = None
        for _ in range(MOVES):
            values = {}
            for slider, (name, control) in zip(sliders, controls, strict=True):
                stops = positions(control)
                place = int(rng.integers(len(stops)))
                slider.evaluate(SET, place)
                label, values[name] = stops[place]
                expect(slider).to_have_attribute("aria-valuetext", label)
            explorer.set(**values)
            drawn = box.locator(".picture[aria-busy=false] canvas")
            expect(drawn).to_have_attribute("aria-label", explorer.image.tooltip, timeout=PATIENCE)
            said = box.locator("output").text_content()
            if said != explorer.readout:
                # A training may end elsewhere on another machine; such an explorer tells of it
                # without the digits, and its picture is another.
                assert type(explorer).tell is not Explorer.tell, (explorer.key, values, said)
                assert re.sub(r"[\d.]+", "#", said) == re.sub(r"[\d.]+", "#", explorer.readout)
                continue
            shown = pixels(box.locator("canvas"))
            wanted = np.array(Image.fromarray(explorer.rgba()).convert("RGB"), float)
            assert shown.shape == wanted.shape
            assert apart(shown, wanted) < 2.2, (explorer.key, values)
            if before is not None and apart(wanted, before) > 0.5:
                assert apart(shown, wanted) < apart(shown, before)
            before = wanted
