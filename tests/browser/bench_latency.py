"""From a key press to changed pixels: each explorer, `interact` and ipympl, in one JupyterLab.

`make bench-latency` runs the notebooks of the book in a temporary copy and prints a table in
milliseconds. The same figure is drawn in three ways, moved in turn by the first slider, so that a
busy moment of the machine meets all of them. compute, draw and encode are timed in this process,
without a browser; transfer is what is left of the explorer's time.
"""

import io
import itertools
import os
import statistics
import time

import pytest
from pages import Notebook
from PIL import Image
from test_book import NAMES, explorers_of

MOVES = int(os.environ.get("MOVES", "60"))
BOXES = ".bnnotes-explorer", ".peer-interact", ".peer-ipympl"
HEAD = """
{name}: milliseconds, median and 95th percentile, from key to pixels; {busy}
   explorer |    interact |      ipympl | compute  draw encode transfer |"""
PREPARE = """code => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel
    .requestExecute({code, silent: true, store_history: false}).done"""
PEERS = """
import ipywidgets
from IPython import get_ipython
from IPython.core.pylabtools import select_figure_formats
from IPython.display import display
from ipympl.backend_nbagg import Canvas, FigureManager
from bnnotes.explore.base import Explorer
from bnnotes.figures.live import LiveFigure

def _remember(cls, *args, **options):
    figure = object.__new__(cls)
    figure.again = lambda: cls(*args, **options)
    return figure

LiveFigure.__new__ = _remember
select_figure_formats(get_ipython(), {"png"}, bbox_inches="tight")

def _new_figure(explorer, values):
    figure = explorer.figure.again()
    figure.update(explorer.compute(**values))
    for artist in figure._moving:
        artist.set_animated(False)
    return figure

def _slider(explorer):
    name, control = next(iter(explorer.controls.items()))
    options = {key: getattr(control, key) for key in ("options", "min", "max", "step", "value",
               "description") if hasattr(control, key)}
    return name, type(control)(**options)

def _interact(explorer):
    name, control = _slider(explorer)
    def draw(**values):
        display(_new_figure(explorer, {**explorer.values, **values}).figure)
    box = ipywidgets.interactive(draw, **{name: control})
    box.add_class("peer-interact")
    return box

def _ipympl(explorer):
    name, control = _slider(explorer)
    figure = _new_figure(explorer, explorer.values)
    canvas = Canvas(figure.figure)
    FigureManager(canvas, 0)
    def draw(change):
        figure.update(explorer.compute(**{**explorer.values, name: change["new"]}))
        canvas.draw_idle()
    control.observe(draw, names="value")
    box = ipywidgets.VBox([control, canvas])
    box.add_class("peer-ipympl")
    return box

def _show(explorer, **options):
    display(explorer.panel, _interact(explorer), _ipympl(explorer))
    return {"text/plain": explorer.name}, {}

Explorer._repr_mimebundle_ = _show
"""
# The time from the key to the first frame after the picture has changed.
WATCH = """box => {
    const painted = CanvasRenderingContext2D.prototype.drawImage;
    const canvas = box.querySelector('canvas');
    let drawn = 0;
    if (canvas) CanvasRenderingContext2D.prototype.drawImage = function (...given) {
        if (this.canvas === canvas) drawn += 1;
        return painted.apply(this, given);
    };
    const state = () => canvas ? drawn : box.querySelector('img[src^="blob"], img[src^="data:im"]');
    const source = () => { const s = state(); return canvas ? s : s && s.complete ? s.src : null; };
    box.addEventListener('keydown', () => {
        const start = performance.now(), before = source();
        box.latency = null;
        const look = () => {
            const now = source();
            if (now === null || now === before) requestAnimationFrame(look);
            else requestAnimationFrame(() => { box.latency = performance.now() - start; });
        };
        requestAnimationFrame(look);
    }, true);
}"""


def moves(page, box):
    """Yield the latency of each move of the first slider, to and fro."""
    handle = box.get_by_role("slider").first
    handle.scroll_into_view_if_needed()
    element = box.element_handle()
    element.evaluate(WATCH)
    handle.press("Home")
    page.wait_for_function("box => box.latency", arg=element)
    while True:
        for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
            place = handle.get_attribute("aria-valuenow")
            handle.press(key)
            if handle.get_attribute("aria-valuenow") == place:
                handle.press("Home")
            page.wait_for_function("box => box.latency", arg=element)
            yield element.evaluate("box => box.latency")


def parts(explorer):
    """Return the median times of compute, draw and encode in a kernel without a browser."""
    name, control = next(iter(explorer.controls.items()))
    start = control.index if hasattr(control, "index") else control.value
    times = []
    for k in range(MOVES):
        if hasattr(control, "options"):
            value = control._options_values[(start + k) % len(control.options)]
        else:
            value = min(control.max, max(control.min, start + (k % 9) * control.step))
        clock = [time.perf_counter()]
        result = explorer.compute(**{**explorer.values, name: value})
        clock.append(time.perf_counter())
        explorer.figure.update(result)
        png = explorer.figure.png()
        clock.append(time.perf_counter())
        image = Image.open(io.BytesIO(png))
        image.load()
        clock.append(time.perf_counter())
        image.save(io.BytesIO(), "png", compress_level=1)
        clock.append(time.perf_counter())
        compute, both, _, encode = (b - a for a, b in itertools.pairwise(clock))
        times.append((compute, both - encode, encode))
    return [1000 * statistics.median(column) for column in zip(*times, strict=True)]


def line(columns, explorer):
    """Return a line of the table."""
    cells = [
        f"{statistics.median(c):5.0f} {statistics.quantiles(c, n=20)[-1]:5.0f}" for c in columns
    ]
    compute, draw, encode = parts(explorer)
    rest = statistics.median(columns[0]) - compute - draw - encode
    broken = f"{compute:7.1f} {draw:5.1f} {encode:6.1f} {rest:8.1f}"
    return " | ".join([*cells, broken, explorer.name[:40]])


@pytest.mark.parametrize("name", NAMES)
def test_latency(page, name, capsys):
    explorers = explorers_of(name)
    notebook = Notebook(page, name)
    page.evaluate(PREPARE, PEERS)
    notebook.run_all()
    with capsys.disabled():
        busy = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        print(HEAD.format(name=name, busy=busy))
        for k, explorer in enumerate(explorers):
            movers = [moves(page, page.locator(box).nth(k)) for box in BOXES]
            rounds = [[next(mover) for mover in movers] for _ in range(MOVES)]
            print(line(list(zip(*rounds, strict=True)), explorer), flush=True)
