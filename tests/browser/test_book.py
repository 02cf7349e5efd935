"""Every notebook, opened and used as a reader does."""

import hashlib
import os
import random
from contextlib import nullcontext

import nbformat
import pytest
from conftest import BOOK
from pages import PLACES, POLL, Notebook, Panel, expect_shown
from playwright.sync_api import TimeoutError, expect

from bnnotes.pictures.explorer import registry

# The largest first: what takes long is not left to one worker at the end.
LARGEST = sorted(BOOK.glob("*.ipynb"), key=lambda path: path.stat().st_size, reverse=True)
NAMES = [path.stem for path in LARGEST]
# In Notebook 7, in Voila and after a restart.
SHORT = "0_start_here"
# On the sliders after the first of a panel, which are the same widget: to both ends, and the step
# that is drawn beforehand.
FEWER = "Home", "ArrowRight", "ArrowDown", "End"
# After these nothing is waited for: the next key comes while the kernel draws.
HASTY = "PageUp", "ArrowLeft"
# Where something in a picture can be dragged.
GRASPED = "2_batch_normalization", "4_weight_and_gamma_geometry"
# After the last move of a drag: the picture on its way, the one in the making, and the last.
LATE = 3
# Moves at random in each notebook; `make test-browser WALK=5000` goes on for minutes.
WALK = int(os.environ.get("WALK", "12"))


def explorers_of(name):
    """Return new explorers of the kinds that the notebook shows, in its order."""
    cells = nbformat.read(BOOK / f"{name}.ipynb", as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    keys = [output.get("metadata", {}).get("explorer") for output in outputs]
    return [registry()[key]() for key in keys if key]


def panels_of(page, explorers):
    """Return the panels in the page, which holds these explorers and no other."""
    expect(page.locator(".bnnotes-explorer")).to_have_count(len(explorers))
    return [Panel(page, explorer) for explorer in explorers]


def drive(panel):
    """Move each slider by keyboard and by mouse to both ends and between, comparing there."""
    panel.expect_agreement()
    start = panel.shown
    readouts = {start[0]}
    for slider in panel.sliders:
        place, pictures, at_end = slider.place, {start[1]}, {}
        first = slider is panel.sliders[0]
        for key, direction in slider.keys.items():
            if not first and key not in FEWER:
                continue
            before = slider.place
            slider.press(key)
            if before != slider.ends[direction > 0]:
                assert (slider.place - before) * direction > 0, (key, before, slider.place)
            if key in HASTY:
                continue
            # After a step, the picture of the next one is in the page beforehand.
            if key == "ArrowRight" and slider.place != slider.ends[1]:
                assert slider.step_ahead(), slider.name
            panel.expect_agreement()
            readouts.add(panel.explorer.readout)
            pictures.add(panel.picture)
            if key in ("Home", "End"):
                assert slider.place == slider.ends[direction > 0]
                at_end[direction] = panel.shown
        # A drag costs as much as several keys: through the whole track, both ways once a panel.
        ways = (-1, 1) if first else (-1,)
        for direction in ways if slider.drags else ():
            slider.drag(direction)
            assert slider.place == slider.ends[direction > 0]
            panel.expect_shown(*at_end[direction])
            # Moves must not queue up behind a slow `compute`.
            assert panel.image.evaluate("image => image.come") <= LATE, slider.name
        assert len(pictures) > 1, f"{slider.name} changes nothing"
        panel.reset()
        expect_start(panel, slider, place, start)
    # Not by each slider: some turn the view alone.
    assert len(readouts) > 1


def grasp(panel):
    """Drag all that can be dragged: the sliders behind it move, and no other."""
    for k, grip in enumerate(panel.grips()):
        before, start = panel.places, panel.shown
        first = panel.sliders[grip["sliders"][0]]
        low, high = first.ends
        # As if its first slider went half the way to its farther end.
        by = max(low - first.place, high - first.place, key=abs) / 2
        panel.drag(k, [by * move for move in grip["moves"][0]])
        moved = {n for n, place in enumerate(panel.places) if place != before[n]}
        assert grip["sliders"][0] in moved <= set(grip["sliders"]), (panel.explorer.key, k)
        panel.reset()
        expect_start(panel, first, before[grip["sliders"][0]], start)


def expect_start(panel, slider, place, start):
    """Wait until the reset has brought everything back."""
    panel.expect_shown(*start)
    back = f"([handle, place]) => ({PLACES})([handle])[0] === place"
    try:
        panel.page.wait_for_function(back, arg=[slider.handle, place], polling=POLL)
    except TimeoutError:
        said = panel.readout.text_content()
        pytest.fail(f"{slider.name}: wanted {place}, got {slider.place} beside {said!r}")
    panel.expect_agreement()
    assert panel.shown == start


def wander(panels, moves):
    """Move any slider anywhere, without waiting for the pictures in between."""
    rng = random.Random(0)
    for _ in range(moves if panels else 0):
        slider = rng.choice(rng.choice(panels).sliders)
        if slider.drags and rng.random() < 0.1:
            slider.drag(rng.choice((-1, 1)))
        else:
            slider.press(rng.choice(list(slider.keys)))
    for panel in panels:
        panel.expect_agreement()


@pytest.mark.parametrize("wrong", ["", "text", "picture"])
def test_what_is_compared_can_differ(page, wrong):
    body = '<p>said</p><img alt="" src="data:image/png;base64,AAAA">'
    page.route("**/said", lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto("/said")
    status, image = page.query_selector("p"), page.query_selector("img")
    address = "data:image/png;base64," + ("BBBB" if wrong == "picture" else "AAAA")
    picture = hashlib.sha256(address.encode()).hexdigest()
    said = "unsaid" if wrong == "text" else "said"
    with pytest.raises(pytest.fail.Exception, match="wanted") if wrong else nullcontext():
        expect_shown(page, status, image, said, picture, patience=100)


@pytest.mark.parametrize("name", NAMES)
def test_every_slider_of_a_notebook_works_in_jupyterlab(page, name):
    notebook = Notebook(page, name)
    notebook.run_all()
    explorers = explorers_of(name)
    notebook.finish()
    panels = panels_of(page, explorers)
    for panel in panels:
        drive(panel)
        grasp(panel)
    assert any(panel.grips() for panel in panels) or name not in GRASPED
    wander(panels, WALK)


def test_a_notebook_runs_again_after_a_restart(page):
    notebook = Notebook(page, SHORT)
    notebook.run_all()
    explorers = explorers_of(SHORT)
    notebook.finish()
    notebook.restart_and_run_all()
    notebook.finish()
    panels = panels_of(page, explorers)
    assert panels
    for panel in panels:
        panel.explorer.reset()
        panel.sliders[0].press("End")
        panel.expect_agreement()


def test_every_slider_of_a_notebook_works_in_notebook_7(page, excused):
    # Errors of its own: of every notebook, of a folder left open in JupyterLab, of fonts for math.
    excused += ["reading 'schema'", "Command 'filebrowser:open-path' not registered", ".woff"]
    notebook = Notebook(page, SHORT, "/notebooks/book")
    notebook.run_all()
    explorers = explorers_of(SHORT)
    notebook.finish()
    for panel in panels_of(page, explorers):
        drive(panel)


def test_every_slider_of_a_notebook_works_in_voila(page, excused):
    # Its template asks for icons and MathJax; it loads JupyterLab's extensions without their parts.
    excused += ["/@fortawesome/fontawesome-free@", "/ajax/libs/mathjax/", "MathJax is not defined"]
    excused.append("RUNTIME-012")
    explorers = explorers_of(SHORT)
    page.goto(f"/voila/render/book/{SHORT}.ipynb")
    for panel in panels_of(page, explorers):
        drive(panel)
