"""From a key press to changed pixels: each explorer, `interact` and ipympl, in one JupyterLab.

`make bench-latency` runs the notebooks of the book in a temporary copy, prints a table in
milliseconds, and writes it to the page latency of the site once every notebook has been timed. The
same figure is drawn in three ways, moved by the first slider, some moves of each in turn: a busy
moment of the machine meets all of them, and yet each moves as a reader moves it, one picture after
another. The explorer is moved twice: as it is, with the pictures that it keeps and sends ahead, and
with every picture made anew. compute, draw and encode are timed in this process, without a browser;
transfer is what is left of the time of a new picture. Last, the slider is dragged from end to end
as fast as the mouse goes, and the time from its last change to the last picture is taken.
"""

import itertools
import json
import os
import platform
import statistics
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from pages import Notebook, Panel
from test_book import NAMES, explorers_of

from bnnotes.pictures import live

FILE = Path(__file__).parents[2] / "src" / "site" / "pages" / "latency.md"
KEPT = Path(__file__).parents[2] / "build" / "latency.json"
PACKAGES = "jupyterlab", "ipywidgets", "ipympl", "matplotlib", "numpy"
DRAGS = 6
TURNS = 3
SETTLE = 150  # milliseconds between two moves: what a move leaves to do is not the next one's
MOVES = int(os.environ.get("MOVES", "60"))
COUNTS = MOVES, MOVES, MOVES // 3, MOVES // 3  # of ours, of ours anew, and of each peer
BOXES = ".bnnotes-explorer", ".peer-interact", ".peer-ipympl"
HEAD = """
{name}: milliseconds, median and 95th percentile, from key to pixels; load {load:.1f}
   explorer |    all anew |    interact |      ipympl | compute  draw encode transfer | drag"""
PAGE = """# From a key press to changed pixels

{moves} moves of the first slider of every explorer, to and fro, in JupyterLab and headless
Chromium: milliseconds from the key press to the first frame after the picture has changed, median
and 95th percentile.
We want a median of at most 45, with compute added where that takes more than 2, and a third of that
of `interact`.

- **The book:** the explorers as they are.
  While the reader looks at a step of a slider, they draw its next place and send it to the page, so
  that a further step shows it at once; its readout follows with the answer of the kernel.
  Pictures that were drawn once are kept.
- **All anew:** as many moves, with every picture computed and drawn when it is asked for, as after
  a jump to where no slider has been.
- **`interact` and ipympl:** the same figure, drawn as a new inline figure and by ipympl, {fewer}
  moves of each.
  A part of the moves of each column follows in turn.
- **Ratios:** those of `interact` to the first column and to the second.
- **Compute, draw and encode:** medians of the kernel's part, timed without a browser.
- **Transfer:** what is left of the second column: the message there and back, the decoding, the
  wait for the next frames of the screen, and what the kernel takes longer while a browser shares
  its processors.
- **Drag:** from end to end as fast as the mouse goes, the longest time of {drags} drags from the
  last change of the slider to the last picture.

Measured on {date}: {machine}, {cores} cores, load {loads}; Python {python}, {packages}.

| explorer | the book | all anew | `interact` | ratios | ipympl | \
compute | draw | encode | transfer | drag |
|---|---|---|---|---|---|---|---|---|---|---|
{rows}
"""
PREPARE = """code => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel
    .requestExecute({code, silent: true, store_history: false}).done"""
PEERS = """
import inspect
import sys

import ipywidgets
from IPython import get_ipython
from IPython.core.pylabtools import select_figure_formats
from IPython.display import display
from ipympl.backend_nbagg import Canvas, FigureManager
from bnnotes.pictures.explorer import Explorer, Live

select_figure_formats(get_ipython(), {"png"}, bbox_inches="tight")

_explorers = []

def _computing_anew(explorer):
    # What is kept for places of the sliders, such as a training, is made anew too.
    module = vars(sys.modules[type(explorer).__module__]).values()
    kept = [f for f in module if hasattr(f, "cache_clear")]
    of_places = [f for f in kept if "M_B" in inspect.signature(f).parameters]

    def compute(*args, **values):
        for function in of_places:
            function.cache_clear()
        return explorer._compute_anew(*args, **values)

    return compute

def _anew(all_pictures):
    for explorer, kept in _explorers:
        anew = _computing_anew(explorer), explorer._draw_anew, lambda change: None
        explorer._computed, explorer._drawn, explorer._look_ahead = anew if all_pictures else kept
        explorer.ahead.value = ""

def _new_figure(explorer, values):
    figure = object.__new__(type(explorer))
    Live.__init__(figure)
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
    _explorers.append((explorer, (explorer._computed, explorer._drawn, explorer._look_ahead)))
    display(explorer.panel, _interact(explorer), _ipympl(explorer))
    return {"text/plain": explorer.title}, {}

Explorer._repr_mimebundle_ = _show
"""
# The time from the key to the first frame after the picture has changed.
WATCH = """box => {
    if (box.watched) return;
    box.watched = true;
    const painted = CanvasRenderingContext2D.prototype.drawImage;
    const canvas = box.querySelector('canvas');
    let drawn = 0;
    if (canvas) CanvasRenderingContext2D.prototype.drawImage = function (...given) {
        if (this.canvas === canvas) drawn += 1;
        return painted.apply(this, given);
    };
    const state = () => canvas ? drawn : box.querySelector('img[src^="data:im"]');
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
FOLLOW = """box => {
    const handle = box.querySelector('.noUi-handle'), now = () => performance.now();
    box.moved = box.drawn = 0;
    new MutationObserver(() => { box.moved = now(); })
        .observe(handle, { attributeFilter: ['aria-valuenow'] });
    box.addEventListener('load', event => {
        if (!event.target.closest('.bnnotes-ahead'))
            requestAnimationFrame(() => { box.drawn = now(); });
    }, true);
}"""
# The page of a reader holds one of the three.
ALONE = """([shown, boxes]) => boxes.forEach(name => document.querySelectorAll(name).forEach(
    box => { box.style.display = name === shown ? '' : 'none'; }))"""
RESTS = "box => box.moved && performance.now() - Math.max(box.moved, box.drawn) > 1500"


def moves(page, kind, k):
    """Yield the latency of each move of the first slider of the k-th box of a kind, to and fro."""
    box = page.locator(kind).nth(k)
    page.evaluate(ALONE, [kind, BOXES])
    handle = box.get_by_role("slider").first
    handle.scroll_into_view_if_needed()
    element = box.element_handle()
    element.evaluate(WATCH)
    handle.press("Home")
    page.wait_for_timeout(1000)  # it may stand there already, and then no picture comes
    key, back = "ArrowRight", "ArrowLeft"
    while True:
        page.evaluate(ALONE, [kind, BOXES])
        place = handle.get_attribute("aria-valuenow")
        handle.press(key)
        if handle.get_attribute("aria-valuenow") == place:
            key, back = back, key
            handle.press(key)
        page.wait_for_function("box => box.latency", arg=element)
        page.wait_for_timeout(SETTLE)
        yield element.evaluate("box => box.latency")


def in_turn(page, k):
    """Return the times of the k-th explorer, as it is and all anew, and of its peers.

    A third of the moves at a time in turn.
    """
    kinds = BOXES[0], *BOXES
    movers = [moves(page, kind, k) for kind in kinds]
    columns = [[] for _ in movers]
    for _ in range(TURNS):
        for place, (count, mover) in enumerate(zip(COUNTS, movers, strict=True)):
            page.evaluate(PREPARE, f"_anew({place == 1})")
            columns[place].extend(itertools.islice(mover, count // TURNS))
    page.evaluate(PREPARE, "_anew(False)")
    return columns


def drag_ends(page, explorer, k):
    """Return the longest time from the last change of the first slider to the last picture."""
    page.evaluate(ALONE, [BOXES[0], BOXES])
    box, panel = page.locator(BOXES[0]).nth(k), Panel(page, explorer)
    element = box.element_handle()
    panel.sliders[0].press("Home")
    panel.expect_agreement()
    element.evaluate(FOLLOW)
    times = []
    for k in range(DRAGS):
        element.evaluate("box => { box.moved = box.drawn = 0; }")
        panel.sliders[0].drag(-1 if k % 2 else 1)
        page.wait_for_function(RESTS, arg=element)
        times.append(element.evaluate("box => Math.max(0, box.drawn - box.moved)"))
    panel.expect_agreement()
    return max(times)


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
        explorer.update(result)
        explorer.png()
        clock.append(time.perf_counter())
        live.encode(np.asarray(explorer.figure.canvas.buffer_rgba()))
        clock.append(time.perf_counter())
        compute, both, encode = (b - a for a, b in itertools.pairwise(clock))
        times.append((compute, both - encode, encode))
    return [1000 * statistics.median(column) for column in zip(*times, strict=True)]


def summary(column):
    """Return median and 95th percentile."""
    return statistics.median(column), statistics.quantiles(column, n=20)[-1]


def line(columns, kernel, drag, explorer):
    """Return a line of the table for the screen, and one for the page."""
    cells = [summary(column) for column in columns]
    rest = cells[1][0] - sum(kernel)
    shown = [f"{middle:5.0f} {high:5.0f}" for middle, high in cells]
    compute, draw, encode = kernel
    broken = f"{compute:7.1f} {draw:5.1f} {encode:6.1f} {rest:8.1f} | {drag:4.0f}"
    screen = " | ".join([*shown, broken, explorer.title[:40]])
    own, anew, interact, ipympl = (f"{middle:.0f} / {high:.0f}" for middle, high in cells)
    ratios = " / ".join(f"{cells[2][0] / cells[k][0]:.1f}" for k in (0, 1))
    numbers = [f"{part:.1f}" for part in (*kernel, rest)]
    row = [explorer.title, own, anew, interact, ratios, ipympl, *numbers, f"{drag:.0f}"]
    return screen, f"| {' | '.join(row)} |"


@pytest.fixture(scope="module")
def written(browser):
    """What was measured of each notebook, now or before; the page is written once none is missing.

    So one notebook can be timed again. What was measured with other packages, or by another number
    of moves, is forgotten.
    """
    measured = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    versions = {name: version(name) for name in PACKAGES} | {"Chromium": browser.version}
    same = (measured.get("versions"), measured.get("moves")) == (versions, MOVES)
    kept = measured["notebooks"] if same else {}
    yield kept
    KEPT.parent.mkdir(exist_ok=True)
    measured = {"versions": versions, "moves": MOVES, "notebooks": kept}
    KEPT.write_text(json.dumps(measured), encoding="utf-8")
    if all(name in kept for name in NAMES):
        FILE.write_text(page_of([kept[name] for name in NAMES], versions), encoding="utf-8")


def page_of(notebooks, versions):
    """Return the page as text."""
    loads = [notebook["load"] for notebook in notebooks]
    return PAGE.format(
        moves=MOVES,
        fewer=COUNTS[-1],
        drags=DRAGS,
        date=time.strftime("%Y-%m-%d"),
        machine=f"{platform.system()} on {platform.machine()}",
        cores=os.cpu_count(),
        loads=f"{min(loads):.1f} to {max(loads):.1f}",
        python=platform.python_version(),
        packages=", ".join(f"{name} {number}" for name, number in versions.items()),
        rows="\n".join(row for notebook in notebooks for row in notebook["rows"]),
    )


@pytest.mark.parametrize("name", NAMES)
def test_latency(page, name, capsys, written):
    notebook = Notebook(page, name)
    page.evaluate(PREPARE, PEERS)
    notebook.run_all()
    explorers = explorers_of(name)
    notebook.finish()
    load, rows = os.getloadavg()[0], []
    with capsys.disabled():
        print(HEAD.format(name=name, load=load))
        for k, explorer in enumerate(explorers):
            columns = in_turn(page, k)
            drag = drag_ends(page, explorer, k)
            screen, row = line(columns, parts(explorer), drag, explorer)
            print(screen, flush=True)
            rows.append(row)
    written[name] = {"load": load, "rows": rows}
