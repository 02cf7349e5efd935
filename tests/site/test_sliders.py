"""Explorers without a kernel: each slider of each page, compared with `compute`."""

import io
import json
import re

import ipywidgets as widgets
import numpy as np
import pytest
from conftest import ROOT, SITE
from explorers import explorers
from frames import SHARPNESS
from PIL import Image
from playwright.sync_api import expect

MOST = 4_000_000  # bytes of a page, all its pictures included
NOTEBOOKS = sorted(ROOT.glob("book/*.ipynb"))
WITH_EXPLORERS = [p for p in NOTEBOOKS if "Explorer: " in p.read_text(encoding="utf-8")]
DESKTOP = {"width": 1280, "height": 900}


class Panel:
    """An explorer in the page beside the same one in this process."""

    def __init__(self, page, explorer):
        self.page, self.explorer = page, explorer
        figure = explorer.figure
        figure.set_dpi(figure.dpi * SHARPNESS)
        explorer.redraw_background()
        explorer.forget()  # the pictures of another size
        self.box = page.get_by_role("group", name=explorer.title, exact=True)
        expect(self.box).to_have_count(1)
        # Those with pictures; the others wait for Python, which test_live.py starts.
        self.sliders = self.box.locator("input:not(.live)")
        self.picture, self.readout = self.box.locator("img"), self.box.locator("output")
        names = {control.description: name for name, control in explorer.controls.items()}
        labels = self.box.locator("label:not(.live)").all_text_contents()
        assert 0 < len(labels) == self.sliders.count()
        self.names = [names[label] for label in labels]

    @property
    def values(self):
        """What the sliders say, as arguments of `compute`."""
        said = self.sliders.evaluate_all("all => all.map(one => one.ariaValueText)")
        shown = self.box.locator(".sliders span:not(.live)").all_text_contents()
        assert said == shown
        controls = [self.explorer.controls[name] for name in self.names]
        return dict(zip(self.names, map(meaning, controls, said), strict=True))

    def expect_agreement(self):
        """Readout, alternative text and picture are those of `compute` for these sliders."""
        self.explorer.set(**self.values)
        expect(self.readout).to_have_text(self.explorer.readout)
        expect(self.picture).to_have_attribute(
            "alt", f"{self.explorer.title}. {self.explorer.readout}"
        )
        self.picture.evaluate("picture => picture.decode()")
        place, pictures = self.sheet()
        with Image.open(io.BytesIO(self.explorer.image.png)) as live:
            wanted = np.array(live.convert("RGB"), float)
        pictures = pictures.reshape(-1, *wanted.shape)
        # The page has fewer colors. Every third pixel tells one picture from another.
        differences = np.abs(pictures[:, ::3, ::3] - wanted[::3, ::3]).mean(axis=(1, 2, 3))
        shown = differences[round(place * (len(pictures) - 1))]
        assert shown < 2, self.values
        assert shown <= differences.min() + 1e-3, self.values

    def sheet(self):
        """Return which of the pictures in the file is shown, as a share of its height, and all."""
        source, position = self.picture.evaluate(
            "picture => [picture.getAttribute('src'), picture.style.objectPosition]"
        )
        with Image.open(SITE / source) as sheet:
            pictures = np.array(sheet.convert("RGB"))
        return float(re.search(r"([\d.]+)%$", position)[1]) / 100 if position else 0, pictures


def meaning(control, label):
    """Return the value that the widget of a notebook has under this label."""
    if hasattr(control, "_options_labels"):
        return dict(zip(control._options_labels, control._options_values, strict=True))[label]
    count = round((control.max - control.min) / control.step)
    values = (control.min + control.step * np.arange(count + 1)).tolist()
    if isinstance(control, widgets.FloatLogSlider):
        values = [control.base**value for value in values]
    (value,) = [value for value in values if format(value, control.readout_format) == label]
    return value


@pytest.mark.parametrize("path", WITH_EXPLORERS, ids=lambda path: path.stem)
def test_every_slider_moves_by_keyboard_to_both_ends(visit, path):
    visited = visit(viewport=DESKTOP)
    page = visited.open(f"{path.stem}.html")
    of_notebook = explorers(path).values()
    expect(page.locator(".explorer")).to_have_count(len(of_notebook))
    for explorer in of_notebook:
        panel = Panel(page, explorer)
        panel.expect_agreement()
        for slider in panel.sliders.all():
            readouts, pictures = set(), set()
            for key in ("Home", "ArrowRight", "End", "ArrowLeft"):
                slider.press(key)
                panel.expect_agreement()
                readouts.add(panel.readout.text_content())
                pictures.add(panel.picture.screenshot())
                if key in ("Home", "End"):
                    end = "min" if key == "Home" else "max"
                    assert slider.evaluate(f"slider => slider.value === slider.{end}")
            assert len(readouts) > 1
            assert len(pictures) > 1
    for script in page.locator(".explorer script").all():
        # Each sheet, as if a reader had been everywhere.
        for sheet in json.loads(script.text_content())["sheets"]:
            page.evaluate("file => fetch(file).then(answer => answer.blob())", sheet)
    page.locator("img[loading=lazy]").evaluate_all(
        "all => all.forEach(one => { one.loading = 'eager'; })"
    )
    page.wait_for_load_state("networkidle")
    assert visited.weight <= MOST


def test_the_pictures_are_there_before_a_slider_moves(visit):
    visited = visit(viewport=DESKTOP)
    page = visited.open("2_batch_normalization.html")
    sheets = {
        sheet
        for script in page.locator(".explorer script").all()
        for sheet in json.loads(script.text_content())["sheets"]
    }
    page.locator(".explorer img").evaluate_all("all => Promise.all(all.map(one => one.decode()))")
    loaded = {url.removeprefix(f"{visited.server}/") for url in visited.loaded}
    assert sheets and not sheets & loaded


def test_without_scripts_the_first_pictures_and_readouts_stand(visit):
    page = visit(viewport=DESKTOP, java_script_enabled=False).page
    page.goto("/2_batch_normalization.html")
    for explorer in page.locator(".explorer").all():
        expect(explorer.locator("img")).to_be_visible()
        expect(explorer.locator("output")).not_to_be_empty()
        expect(explorer.locator("input").first).to_be_hidden()
