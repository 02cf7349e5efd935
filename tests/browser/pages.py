"""What a reader sees and does: a notebook in one of three applications, and an explorer in it."""

import hashlib
import json

import ipywidgets as widgets
import pytest
from conftest import PATIENCE
from playwright.sync_api import expect

LAB = "/doc/tree/book"
OPEN = "path => window.jupyterapp.commands.execute('docmanager:open', { path }).then(() => {})"
# Run All does nothing, silently, before the session is ready.
READY = """path => {
    const widget = window.jupyterapp?.shell?.currentWidget, session = widget?.sessionContext;
    return widget?.context?.path === path && session?.isReady
        && session.session?.kernel?.connectionStatus === 'connected'
        && session.session.kernel.status === 'idle';
}"""
RUN = """command => {
    window.finished = false;
    window.jupyterapp.commands.execute(command).finally(() => { window.finished = true; });
}"""
RAN = """() => window.finished
    && window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'"""
# Of each cell with code: how often it ran, and the outputs that no reader should see.
CELLS = """() => window.jupyterapp.shell.currentWidget.content.widgets
    .filter(cell => cell.model.type === 'code' && cell.model.sharedModel.getSource().trim())
    .map(cell => [cell.model.executionCount, cell.model.outputs.toJSON()
        .filter(output => output.output_type === 'error' || output.name === 'stderr')])"""
# Waits in the page until readout and picture are these, and says whether they came in time: it
# looks now and whenever one of them changes.
SHOWN = """([status, image, text, wanted, patience]) => new Promise(resolve => {
    const look = async () => {
        const source = image.src;
        if (status.textContent.trim() !== text) return;
        const bytes = new TextEncoder().encode(source);
        const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
        const found = [...digest].map(byte => byte.toString(16).padStart(2, '0')).join('');
        if (found === wanted && source === image.src) end(true);
    };
    const watch = new MutationObserver(look), timer = setTimeout(() => end(false), patience);
    const end = answer => { watch.disconnect(); clearTimeout(timer); resolve(answer); };
    watch.observe(status, { childList: true, characterData: true, subtree: true });
    watch.observe(image, { attributeFilter: ['src'] });
    look();
})"""
# Where the handle of each slider stands, in the units of the slider itself, or what a menu has.
PLACES = """handles => handles.map(
    h => Number(h.closest('.noUi-target')?.noUiSlider.get() ?? h.selectedIndex))"""
# Once the picture has come that belongs one step to the right of the k-th slider, the others as
# they stand, takes that step and says whether the picture is shown before anything else can happen.
AT_ONCE = """([panel, handle, image, k, now]) => {
    const slider = handle.closest('.noUi-target').noUiSlider, [[, step]] = slider.steps();
    const ahead = panel.querySelector('.bnnotes-ahead img');
    if (!ahead || !ahead.complete) return null;
    // One that was made before the slider turned back belongs one step to the left.
    const off = JSON.parse(ahead.dataset.places).map((place, i) => place - now[i]);
    if (!off.every((by, i) => Math.abs(i === k ? by - step : by) < 1e-9)) return null;
    handle.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight' }));
    return { shown: image.src === ahead.src && image.title === ahead.title };
}"""
# Counts the pictures that come from now on.
COUNT = """image => {
    image.come = 0;
    if (!image.counted) new MutationObserver(() => { image.come += 1; })
        .observe(image, { attributeFilter: ['src'] });
    image.counted = true;
}"""
# Each key goes right (1) or left (−1), in a menu down or up.
KEYS = {"Home": -1, "ArrowRight": 1, "PageUp": 1, "End": 1, "ArrowLeft": -1, "PageDown": -1}
MENU_KEYS = {"Home": -1, "ArrowDown": 1, "End": 1, "ArrowUp": -1}
BEYOND = 40  # pixels; a drag ends well past the end of the slider
STEPS = 3  # of the mouse, from one end to the other
SETTLED = 300  # milliseconds without a move
POLL = 50  # milliseconds; a look at each frame would keep the page busy with nothing else


def expect_shown(page, status, image, text, picture, patience=PATIENCE):
    """Wait until an element says this text beside this picture, by the digest of its address."""
    if not page.evaluate(SHOWN, [status, image, text, picture, patience]):
        pytest.fail(f"wanted {text!r}, got {status.text_content()!r}, or its picture")


class Notebook:
    """A notebook in JupyterLab or, with another `address`, in Notebook 7."""

    def __init__(self, page, name, address=LAB):
        self.page = page
        path = f"book/{name}.ipynb"
        if address == LAB and LAB in page.url:  # the application is there already
            page.evaluate(OPEN, path)
        else:
            page.goto(f"{address}/{name}.ipynb")
        page.wait_for_function(READY, arg=path, polling=POLL)

    def run_all(self):
        """Begin to run all cells."""
        self.page.evaluate(RUN, "notebook:run-all-cells")

    def restart_and_run_all(self):
        """Begin to do it in a new kernel."""
        self.page.evaluate(RUN, "notebook:restart-run-all")
        self.page.locator(".jp-Dialog .jp-mod-accept").click()

    def finish(self):
        """Wait for the last cell, and fail if one did not run, failed or warned."""
        self.page.wait_for_function(RAN, timeout=300_000, polling=POLL)
        cells = self.page.evaluate(CELLS)
        assert [count for count, _ in cells] == list(range(1, len(cells) + 1))
        assert [outputs for _, outputs in cells if outputs] == []


class Panel:
    """An explorer as it stands in the page, beside the same one built in this process.

    What is found by role and name is found once: a long page is searched slowly.
    """

    def __init__(self, page, explorer):
        self.page, self.explorer = page, explorer
        # By role and name the whole page would be searched, for each part of the panel again.
        self.panel = page.locator(f'.bnnotes-explorer[aria-label="{explorer.title}"]')
        expect(self.panel).to_have_count(1)
        expect(self.panel).to_have_role("group")
        expect(self.panel).to_have_accessible_name(explorer.title)
        kinds = [
            Menu if isinstance(control, widgets.Dropdown) else Slider
            for control in explorer.controls.values()
        ]
        for kind in Slider, Menu:
            expect(self.panel.get_by_role(kind.role)).to_have_count(kinds.count(kind))
        named = zip(kinds, explorer.controls.items(), strict=True)
        self.sliders = [kind(self, *control) for kind, control in named]
        self.readout = self.panel.get_by_role("status").element_handle()
        self.image = self.panel.locator(".widget-image").element_handle()
        self.button = self.panel.get_by_role("button", name="reset").element_handle()

    def expect_agreement(self):
        """Wait until readout and picture are those of `compute` for the sliders as they stand."""
        values = {s.name: s.value(at) for s, at in zip(self.sliders, self.places, strict=True)}
        self.explorer.set(**values)
        self.expect_shown(*self.shown)

    @property
    def places(self):
        """Where the handles of all sliders stand."""
        return self.page.evaluate(PLACES, [slider.handle for slider in self.sliders])

    def expect_shown(self, readout, picture):
        """Wait until this readout and this picture, by its digest, are in the page."""
        expect_shown(self.page, self.readout, self.image, readout, picture)

    def grips(self):
        """What can be dragged, as the kernel has told the page."""
        held = self.panel.locator(".bnnotes-grips i")
        return json.loads(held.get_attribute("data-grips")) if held.count() else []

    def drag(self, k, way):
        """Drag the k-th grip a way in pixels; of the whole picture, from near its upper edge."""
        self.image.scroll_into_view_if_needed()
        grip, box = self.grips()[k], self.image.bounding_box()
        x, y = (sum(grip["within"]) / 2, 20) if grip["within"] else grip["at"]
        self.page.mouse.move(box["x"] + x, box["y"] + y)
        self.page.mouse.down()
        self.page.mouse.move(box["x"] + x + way[0], box["y"] + y + way[1], steps=STEPS)
        # Each picture that comes corrects the sliders, a few times; then they stand.
        before = None
        while before != self.places:
            before = self.places
            self.page.wait_for_timeout(SETTLED)
        self.page.mouse.up()
        self.expect_agreement()

    @property
    def picture(self):
        """The digest of the picture's address, once both agree."""
        return hashlib.sha256(self.explorer.image.value).hexdigest()

    @property
    def shown(self):
        """Readout and picture, once both agree."""
        return self.explorer.readout, self.picture

    def reset(self):
        self.button.click()


class Slider:
    """One slider of an explorer."""

    role = "slider"
    keys = KEYS
    drags = True

    def __init__(self, panel, name, control):
        self.page, self.panel, self.name, self.control = panel.page, panel, name, control
        found = panel.panel.get_by_role(self.role, name=control.description, exact=True)
        self.handle = found.element_handle()
        self.track = self.handle.query_selector(
            "xpath=ancestor::*[contains(@class, 'noUi-target')]"
        )

    @property
    def place(self):
        """Where the handle stands, in the units of the slider itself."""
        return self.page.evaluate(PLACES, [self.handle])[0]

    def value(self, place):
        """What the place means to `compute`."""
        if hasattr(self.control, "options"):
            return self.control._options_values[round(place)]
        if isinstance(self.control, widgets.FloatLogSlider):
            return self.control.base**place
        return round(place) if isinstance(self.control, widgets.IntSlider) else float(place)

    @property
    def ends(self):
        """The first and the last place."""
        if hasattr(self.control, "options"):
            return 0, len(self.control.options) - 1
        return self.control.min, self.control.max

    def press(self, key):
        """Press a key on the handle."""
        self.handle.press(key)

    def step_ahead(self):
        """Wait until the page has the picture of a step, take it, and say if it shows at once."""
        panel = self.panel.panel.element_handle()
        k = self.panel.sliders.index(self)
        arg = [panel, self.handle, self.panel.image, k, self.panel.places]
        taken = self.page.wait_for_function(AT_ONCE, arg=arg, polling=POLL)
        return taken.json_value()["shown"]

    def drag(self, direction):
        """Drag the handle to the left end and beyond, or with direction 1 to the right one.

        As fast as the mouse goes; from the last move on, the panel counts the pictures that come.
        """
        self.handle.scroll_into_view_if_needed()
        handle, track = self.handle.bounding_box(), self.track.bounding_box()
        mouse, y = self.page.mouse, handle["y"] + handle["height"] / 2
        mouse.move(handle["x"] + handle["width"] / 2, y)
        mouse.down()
        end = track["x"] + (track["width"] + BEYOND if direction > 0 else -BEYOND)
        mouse.move(end, y, steps=STEPS)
        self.panel.image.evaluate(COUNT)
        mouse.up()


class Menu(Slider):
    """A menu of words."""

    role = "combobox"
    keys = MENU_KEYS
    drags = False
