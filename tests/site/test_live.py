"""Explorers that Python in the page draws, beside the same ones in this process."""

import base64
import io

import numpy as np
import pytest
from explorers import explorers
from frames import SHARPNESS
from PIL import Image
from playwright.sync_api import expect
from positions import positions
from test_sliders import DESKTOP, WITH_EXPLORERS

PATIENCE = 300_000  # milliseconds, for Python to load on a busy machine
MOVES = 4  # of each explorer, to places drawn at random
PIXELS = """picture => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
    canvas.getContext("2d").drawImage(picture, 0, 0);
    return canvas.toDataURL("image/png").split(",")[1];
}"""
SET = "(input, place) => { input.value = place; input.dispatchEvent(new Event('input')); }"


def live(page, box):
    box.get_by_role("button", name="Run live").click()
    expect(box.locator(".note")).to_contain_text("Live", timeout=PATIENCE)


def pixels(picture):
    with Image.open(io.BytesIO(base64.b64decode(picture.evaluate(PIXELS)))) as shown:
        return np.array(shown.convert("RGB"), float)


def native(explorer):
    with Image.open(io.BytesIO(explorer.image.png)) as drawn:
        return np.array(drawn.convert("RGB"), float)


@pytest.mark.parametrize("path", WITH_EXPLORERS, ids=lambda path: path.stem)
def test_every_slider_moves_freely_and_the_picture_is_that_of_python(visit, python, path):
    page = visit(viewport=DESKTOP).open(f"{path.stem}.html")
    of_notebook = list(explorers(path).values())
    live(page, page.locator(".explorer").first)
    rng = np.random.default_rng(0)
    for explorer in of_notebook:
        explorer.figure.set_dpi(explorer.figure.dpi * SHARPNESS)
        explorer.redraw_background()
        explorer.forget()
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
            readout, picture = box.locator("output"), box.locator("img")
            expect(readout).to_have_text(explorer.readout, timeout=PATIENCE)
            expect(picture).to_have_attribute("alt", explorer.image.tooltip)
            picture.evaluate("picture => picture.decode()")
            shown, wanted = pixels(picture), native(explorer)
            assert shown.shape == wanted.shape
            apart = np.abs(shown - wanted).mean()
            print(explorer.key, values, apart)
            assert apart < 3, (explorer.key, values)
            if before is not None and np.abs(wanted - before).mean() > 0.5:
                assert apart < np.abs(shown - before).mean()
            before = wanted
