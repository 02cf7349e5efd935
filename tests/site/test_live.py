"""Explorers that Python in the page draws, beside the same ones in this process."""

import base64
import io
import re

import numpy as np
import pytest
from conftest import ROOT, Visit
from explorers import explorers
from PIL import Image
from playwright.sync_api import expect
from positions import positions
from test_sliders import DESKTOP, WITH_EXPLORERS

from bnnotes.pictures.explorer import Explorer, _places, registry

PATIENCE = 300_000  # milliseconds, for Python to load on a busy machine
MOVES = 4  # of each explorer, to places drawn at random
# Of a chapter the explorer, what is dragged in it first, and how far in pixels.
DRAGGED = {
    "2_batch_normalization": ("batchnorm.Normalization", ("beta",), (-60, 0)),
    "4_weight_and_gamma_geometry": ("geometry.Triangle", ("theta2", "dihedral"), (-40, 30)),
}
NO_SHARED_WORKER = "delete window.SharedWorker"
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
    expect_live(page)
    return page


def expect_live(page):
    """Wait until each explorer has been drawn, though but one was asked for."""
    notes = page.locator(".explorer .note")
    expect(notes).to_contain_text(["Live"] * notes.count(), timeout=PATIENCE)
    expect(page.locator(".explorer canvas")).to_have_count(notes.count())


def look_at(box, explorer):
    """Wait for the picture of where the sliders of the page stand, and compare it with Python's."""
    sliders, places = box.get_by_role("slider").all(), []
    for slider, (name, control) in zip(sliders, explorer.controls.items(), strict=True):
        places.append(int(slider.input_value()))
        label, value = positions(control)[places[-1]]
        expect(slider).to_have_attribute("aria-valuetext", label)
        explorer.set(**{name: value})
    drawn = box.locator(".picture[aria-busy=false] canvas")
    expect(drawn).to_have_attribute("aria-label", explorer.image.tooltip, timeout=PATIENCE)
    assert box.locator("output").text_content() == explorer.readout
    wanted = np.array(Image.fromarray(explorer.rgba()).convert("RGB"), float)
    assert apart(pixels(drawn), wanted) < 2.2, explorer.values
    return places


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


@pytest.mark.parametrize("pointer", ["mouse", "finger"])
@pytest.mark.parametrize("name", DRAGGED)
def test_what_is_dragged_moves_its_sliders(reader, name, pointer):
    if reader.fine > 1 and pointer == "finger":
        pytest.skip("one fineness says it")
    page = live(reader, ROOT / f"book/{name}.ipynb")
    key, names, way = DRAGGED[name]
    explorer = registry()[key]()
    explorer.sharpen(reader.fine)
    box = page.get_by_role("group", name=explorer.title, exact=True)
    slider = box.get_by_role("slider").first
    slider.evaluate(SET, 3)
    before = look_at(box, explorer)
    (grip,) = (
        g for g in explorer._grips(explorer.result, explorer.values) if own(explorer, g) == names
    )
    canvas = box.locator("canvas")
    canvas.scroll_into_view_if_needed()
    place = canvas.bounding_box()
    scale = place["width"] / float(canvas.evaluate("canvas => parseFloat(canvas.style.width)"))
    start = [place[side] + scale * at for side, at in zip("xy", grip["at"], strict=True)]
    end = [at + scale * by for at, by in zip(start, way, strict=True)]
    move = by_mouse if pointer == "mouse" else by_finger
    move(page, canvas, start, end)
    after = look_at(box, explorer)
    moved = {list(explorer.controls)[k] for k in np.flatnonzero(np.subtract(after, before))}
    assert moved and moved <= set(names)
    # It has come to the pointer, but for what lies between two stops of its sliders.
    (there,) = (
        g for g in explorer._grips(explorer.result, explorer.values) if own(explorer, g) == names
    )
    steps = [_places(explorer.controls[name])[2] for name in names]
    step = sum(np.hypot(*by) * step for by, step in zip(there["moves"], steps, strict=True))
    assert np.hypot(*np.subtract(there["at"], np.add(grip["at"], way))) < 3 + step / 2
    # A drag is no tap, which would enlarge the picture.
    expect(page.locator("dialog.enlarged")).to_have_count(0)


def own(explorer, grip):
    """Return the names of the sliders of a grip."""
    return tuple(list(explorer.controls)[k] for k in grip["sliders"])


def by_mouse(page, canvas, start, end):
    page.mouse.move(*start)
    assert canvas.evaluate("canvas => canvas.style.cursor") == "grab"
    page.mouse.down()
    page.mouse.move(*end, steps=5)
    settle(page, canvas)
    page.mouse.up()


def by_finger(page, canvas, start, end):
    """Drag by touches of the browser's own, which scroll the page where nobody takes them."""
    touch = page.context.new_cdp_session(page)
    scrolled = page.evaluate("[scrollX, scrollY]")

    def send(kind, at=None):
        points = [] if at is None else [{"x": at[0], "y": at[1]}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", start)
    for share in np.linspace(0.2, 1, 5):
        send("touchMove", [float(a + share * (b - a)) for a, b in zip(start, end, strict=True)])
    settle(page, canvas)
    send("touchEnd")
    assert page.evaluate("[scrollX, scrollY]") == scrolled


def settle(page, canvas):
    """Wait until no picture corrects the sliders any more."""
    before, now = None, ""
    while before != now:
        page.wait_for_timeout(300)
        expect(page.locator(".picture[aria-busy=true]")).to_have_count(0, timeout=PATIENCE)
        before, now = now, canvas.get_attribute("aria-label")


def test_where_python_cannot_be_had_the_page_says_so(visit, python):
    visited = visit(viewport=DESKTOP)
    page = visited.open("3_single_neuron.html")
    page.evaluate("() => { Python.at = '_static/none/'; }")
    page.get_by_role("button", name="Run live").first.click()
    expect(page.locator(".explorer .note").first).to_contain_text("Python could not be loaded")
    visited.wrong.clear()  # the console names the file


def test_without_shared_workers_a_page_has_one_of_its_own(browser, server, python):
    visited = Visit(browser, server, viewport=DESKTOP)
    visited.context.add_init_script(NO_SHARED_WORKER)
    page = visited.open("4_weight_and_gamma_geometry.html")
    assert page.evaluate("'SharedWorker' in window") is False
    one, other = page.locator(".explorer").all()
    other.get_by_role("button", name="Run live").click()
    # What is moved while Python is on its way is drawn where it was moved to.
    one.locator("input.live").first.evaluate(SET, 0)
    expect_live(page)
    of_notebook = explorers(ROOT / "book/4_weight_and_gamma_geometry.ipynb").values()
    for box, explorer in zip((one, other), of_notebook, strict=True):
        look_at(box, explorer)
        box.get_by_role("slider").nth(1).evaluate(SET, 0)
        look_at(box, explorer)
    visited.context.close()
    assert visited.wrong == []
