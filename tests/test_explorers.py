"""What every explorer does, whatever it shows: each of the book, and one that is not of the book.

The first half takes an explorer of its own. The second drives each explorer of the registry over
the whole range of its sliders; what its result must be, the tests of its chapter say (`CHECKS`).
"""

import asyncio
import base64
import functools
import gc
import html
import io
import json
import re
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import driving
import fire
import ipywidgets as widgets
import matplotlib as mpl
import numpy as np
import pytest
import seen
from matplotlib.text import Text
from PIL import Image
from test_style import contrast_to_white

from bnnotes.pictures import explorer as base
from bnnotes.pictures import look
from bnnotes.pictures.explorer import Explorer, batch_size, slider


class Points(NamedTuple):
    t: np.ndarray
    wave: np.ndarray


def compute(M_B, height):
    t = np.linspace(0, 1, 8 * M_B)
    return Points(t, height * np.sin(6 * t))


def readout(result):
    return f"{len(result.t)} points & highest {result.wave.max():.2f}"


class Wave(Explorer):
    """A "wave" & its points.

    It shows nothing of the book.
    """

    size = 4, 2
    M_B = batch_size([1, 2, 4, 64], 4)
    height = slider("height <h>", 1.0, min=0.0, max=2.0, step=0.1)

    def compute(self, M_B, height):
        return compute(M_B, height)

    def draw(self):
        axes = self.axes()
        axes.set(xlim=(0, 1), ylim=(-2, 2))
        (line,) = axes.plot([], [], zorder=2)
        (points,) = axes.plot([], [], "o", zorder=3)
        self._line, self._points = self.moving(line), self.moving(points)

    def update(self, result):
        self._line.set_data(result.t, result.wave)
        self._points.set_data(result.t[::5], result.wave[::5])

    def say(self, result):
        return readout(result)


@pytest.fixture
def explorer():
    return Wave()


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_the_panel_shows_the_result_of_the_sliders(explorer):
    assert explorer.values == {"M_B": 4, "height": 1.0}
    np.testing.assert_array_equal(explorer.result.wave, compute(4, 1.0).wave)
    assert explorer.readout == readout(explorer.result)
    assert explorer.text.value == "32 points &amp; highest 1.00"
    assert pixels(explorer.image.png).shape == (200, 400, 3)
    controls, picture = explorer.panel.children[:2]
    assert controls.children == tuple(explorer.controls.values())
    assert picture.children == (explorer.text, explorer.image, explorer.button)


def test_a_picture_shrinks_until_its_smallest_letters_have_nine_pixels(explorer):
    width, least = int(explorer.image.width), int(explorer.image.layout.min_width[:-2])
    assert look.SMALLEST * look.DPI / 72 * least / width == pytest.approx(9, abs=0.05)


def test_picture_readout_and_name_follow_a_slider(explorer):
    before = explorer.image.value
    explorer.controls["height"].value = 0.5
    np.testing.assert_array_equal(explorer.result.wave, compute(4, 0.5).wave)
    assert explorer.image.value != before
    assert explorer.text.value == "32 points &amp; highest 0.50"
    assert explorer.image.tooltip == 'A "wave" & its points. 32 points & highest 0.50'


def test_name_and_picture_arrive_together(explorer):
    seen = []
    explorer.image.send_state = lambda key=None: seen.append(set(key))
    explorer.controls["height"].value = 0.5
    assert seen == [{"tooltip", "value"}]


def test_an_image_with_a_tooltip_has_the_description_that_its_view_asks_for(explorer):
    state = explorer.image.get_state()
    assert state["tooltip"] and state["description"] == ""


def test_set_moves_several_sliders_and_computes_once(explorer):
    calls = []
    explorer.compute = lambda **values: calls.append(values) or compute(**values)
    explorer.set(M_B=64, height=0.3)
    assert calls == [{"M_B": 64, "height": 0.3}]
    assert explorer.values == {"M_B": 64, "height": 0.3}
    assert len(explorer.result.t) == 512


def test_set_refuses_an_unknown_slider_by_name(explorer):
    with pytest.raises(ValueError, match="got depth, wanted some of M_B, height"):
        explorer.set(depth=3)


def test_set_moves_nothing_where_one_slider_cannot_go(explorer):
    picture = explorer.image.value
    with pytest.raises(ValueError, match="M_B: got 5, wanted one of 1, 2, 4, 64"):
        explorer.set(height=0.3, M_B=5)
    assert explorer.values == {"M_B": 4, "height": 1.0}
    assert explorer.image.value == picture
    explorer.controls["height"].value = 0.5
    assert explorer.result.wave.max() < 0.51


@pytest.mark.parametrize("method", ["set", "still"])
@pytest.mark.parametrize(
    "name, value",
    [
        *(("M_B", value) for value in (None, "4", 4.5, np.array([1, 2]), [4], {}, True)),
        *(("height", value) for value in (None, "1", np.nan, 1e9, -1e9, 1j, [1.0], object())),
        ("height", np.timedelta64(1)),
    ],
)
def test_a_value_that_no_slider_has_is_refused(explorer, method, name, value):
    with pytest.raises(ValueError, match=rf"^{name}: got .*, wanted "):
        getattr(explorer, method)(**{name: value})
    assert explorer.values == {"M_B": 4, "height": 1.0}


def test_what_a_slider_wants_is_said():
    for kind, wanted in ((widgets.IntSlider, "an integer"), (widgets.FloatSlider, "a number")):
        assert base._refused(kind(min=1, max=3), 4) == f"{wanted} from 1 to 3"


def test_numbers_of_numpy_move_a_slider(explorer):
    explorer.set(M_B=np.int64(2), height=np.float32(0.5))
    assert explorer.values == {"M_B": 2, "height": 0.5}


def test_reset_brings_everything_back(explorer):
    picture = explorer.image.value
    for _ in driving.random_states(explorer, 5, np.random.default_rng(0)):
        pass
    explorer.set(M_B=64, height=0.3)
    explorer.button.click()
    assert explorer.values == {"M_B": 4, "height": 1.0}
    assert explorer.image.value == picture


def test_a_still_moves_no_slider(explorer):
    live = explorer.image.png
    still = explorer.still(height=2.0)
    assert explorer.values == {"M_B": 4, "height": 1.0}
    assert explorer.readout == "32 points & highest 1.00"
    assert still.alt == repr(still) == 'A "wave" & its points. 32 points & highest 2.00'
    assert pixels(still.png).shape[:2] == (400, 800) and still.width == 400
    assert explorer.still(height=2.0).png == still.png != explorer.still(height=1.9).png
    assert explorer.png() == live


def test_a_finer_screen_gets_a_finer_picture_of_the_same_size(explorer):
    coarse, still, width = explorer.image.png, explorer.still().png, explorer.image.width
    explorer.density.value = 2
    fine = pixels(explorer.image.png)
    assert fine.shape == (400, 800, 3) and explorer.image.width == width == "400"
    # It is the still, but for its palette; no enlargement of the coarse one.
    assert np.abs(fine.astype(int) - pixels(still)).max() < 40
    assert explorer.still().png == still and explorer.png() == explorer.image.png
    explorer.controls["height"].value = 0.5
    assert pixels(explorer.image.png).shape == (400, 800, 3)
    explorer.density.value = 1
    explorer.reset()
    assert explorer.image.png == coarse


def test_a_live_picture_holds_no_trace_of_the_ones_before(explorer):
    for _ in driving.random_states(explorer, 20, np.random.default_rng(1)):
        live = explorer.png()
        explorer.redraw_background()
        assert explorer.png() == live


def test_an_error_behind_a_slider_is_said_on_the_page_and_does_not_last(explorer):
    def fail(**values):
        raise ArithmeticError("no wave <of this> height")

    explorer.compute = fail
    with pytest.raises(ArithmeticError):
        explorer.controls["height"].value = 0.5
    assert "No picture" in explorer.text.value
    assert "no wave &lt;of this&gt; height" in explorer.text.value
    explorer.compute = compute
    explorer.controls["height"].value = 0.6
    assert explorer.text.value.startswith("32 points")


def stored(data):
    """The alternative text and the PNG of an output, which holds its picture once."""
    assert set(data) - {"application/vnd.jupyter.widget-view+json"} == {"text/html", "text/plain"}
    tag = re.fullmatch(
        r'<img alt="([^"\n]*)" width="\d+" src="data:image/png;base64,([\w+/=]+)">',
        data["text/html"],
    )
    return html.unescape(tag[1]), base64.b64decode(tag[2])


def test_the_output_is_the_panel_and_a_still_for_pages_without_a_kernel(explorer):
    explorer.set(height=0.5)
    data, metadata = explorer._repr_mimebundle_()
    view = data["application/vnd.jupyter.widget-view+json"]
    assert view["model_id"] == explorer.panel.model_id
    alt = 'A "wave" & its points. 32 points & highest 0.50'
    assert data["text/plain"] == f"Explorer: {alt}"
    assert metadata == {"explorer": "test_explorers.Wave"}
    # A strip below the picture names the sliders.
    said, png = stored(data)
    still, noted = pixels(explorer.still(height=0.5).png), pixels(png)
    assert said == alt and still.shape[0] == 400 and noted.shape[0] == 450
    # Each has a palette of its own, so colors may differ a little.
    assert np.abs(noted[:400].astype(int) - still).max() < 40
    assert (noted[400:] < 128).any()
    assert explorer.png() == explorer.image.png


def test_where_the_panel_is_closed_the_still_is_left(explorer):
    explorer.panel.close()
    data, _ = explorer._repr_mimebundle_()
    assert stored(data)[0] and "application/vnd.jupyter.widget-view+json" not in data


def test_a_picture_is_stored_once_with_its_alternative_text(explorer):
    still = explorer.still(height=0.5)
    assert stored(still._repr_mimebundle_()) == (still.alt, still.png)


def test_stills_are_panels_below_each_other(explorer):
    live = explorer.image.png
    joined = explorer.stills(height=(0.5, 2.0), M_B=64)
    assert joined.alt == (
        'A "wave" & its points. 1. 512 points & highest 0.50. 2. 512 points & highest 2.00.'
    )
    assert joined.width == 400
    image = pixels(joined.png)
    assert image.shape == (2 * 450, 800, 3)
    # Above each panel a strip names the value that it has alone.
    for k, height in enumerate((0.5, 2.0)):
        heading, panel = image[450 * k : 450 * k + 50], image[450 * k + 50 : 450 * (k + 1)]
        assert (heading < 128).any()
        alone = pixels(explorer.still(height=height, M_B=64).png)
        assert np.abs(panel.astype(int) - alone).max() < 40
    assert (image[:50] != image[450:500]).any()
    assert explorer.values == {"M_B": 4, "height": 1.0} and explorer.png() == live


def test_a_still_keeps_the_colors_of_its_areas():
    """However many others there are."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (40, 50, 3), np.uint8)
    image[10:, :] = np.repeat(rng.integers(0, 256, (30, 5, 3)), 10, axis=1)
    few = np.asarray(look.few_colors(Image.fromarray(image)).convert("RGB"))
    assert (few[10:] == image[10:]).all()
    assert len(np.unique(few.reshape(-1, 3), axis=0)) == 256
    assert 0 < np.abs(few.astype(int) - image).max() < 128
    gray = np.repeat(np.arange(200, dtype=np.uint8)[:, None, None], 3, axis=2)
    assert (np.asarray(look.few_colors(Image.fromarray(gray)).convert("RGB")) == gray).all()


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({}, "tuples of one length"),
        ({"M_B": 4}, "tuples of one length"),
        ({"M_B": ()}, "tuples of one length"),
        ({"M_B": (1, 2), "height": (0.1, 0.2, 0.3)}, "tuples of one length"),
        ({"M_B": (1, 5)}, "M_B: got 5, wanted one of 1, 2, 4, 64"),
        ({"depth": (1, 2)}, "got depth, wanted some of M_B, height"),
    ],
)
def test_stills_of_what_no_slider_has_are_refused(explorer, values, wanted):
    with pytest.raises(ValueError, match=wanted):
        explorer.stills(**values)


def test_a_slider_is_an_attribute(explorer):
    assert (explorer.M_B, explorer.height) == (4, 1.0)
    explorer.height = 0.5
    assert explorer.controls["height"].value == explorer.values["height"] == 0.5
    with pytest.raises(ValueError, match="height: got 9"):
        explorer.height = 9
    assert Wave.height.description == "height <h>"


def test_the_sliders_are_named_in_the_page(explorer):
    mark = explorer.panel.children[-1]
    assert mark.layout.display == "none"
    assert 'data-sliders="2"' in mark.value
    assert 'data-name="A &quot;wave&quot; &amp; its points"' in mark.value
    # The script looks for these.
    assert "bnnotes-explorer" in explorer.panel._dom_classes
    assert "bnnotes-readout" in explorer.text._dom_classes
    assert "bnnotes-ahead" in explorer.ahead._dom_classes
    assert "bnnotes-pixels" in explorer.density._dom_classes
    for word in (".bnnotes-explorer", ".bnnotes-readout", "aria-label", "aria-valuetext", "status"):
        assert word in mark.value
    for word in (".bnnotes-ahead img", "dataset.places", ".widget-image", ".bnnotes-pixels input"):
        assert word in mark.value
    script = re.search(r'onerror="([^"]*)"', mark.value).group(1)
    assert script.count("{") == script.count("}") and script.rstrip().endswith("(this, 100);")


def test_a_slider_has_its_label_as_tooltip():
    control = slider("depth", 2, min=1, max=5).control()
    assert control.tooltip == control.description == "depth"
    assert control.continuous_update


def test_where_the_options_are_words_a_menu_has_them():
    class Dish(Wave):
        """A wave of something."""

        dish = slider("dish", "soup", options=("soup", "tea"))

        def compute(self, M_B, height, dish):
            return compute(M_B, 1.0 if dish == "soup" else 2.0)

    mine = Dish()
    assert isinstance(mine.controls["dish"], widgets.Dropdown)
    assert isinstance(mine.controls["M_B"], widgets.SelectionSlider)
    mine.dish = "tea"
    assert mine.result.wave.max() == compute(4, 2.0).wave.max()
    with pytest.raises(ValueError, match="dish: got 'rice', wanted one of 'soup', 'tea'"):
        mine.dish = "rice"


def test_what_was_shown_is_shown_again_without_being_made_again(explorer, monkeypatch):
    made = []
    for name in ("compute", "png"):
        make = getattr(explorer, name)

        def noted(*args, name=name, make=make, **options):
            made.append((name, options))
            return make(*args, **options)

        monkeypatch.setattr(explorer, name, noted)
    heights = [0.5, 1.5, 0.5, 1.5, 0.5]
    shown = []
    for height in heights:
        explorer.set(height=height)
        shown.append((explorer.image.png, explorer.readout, explorer.result.wave.max()))
        # The figure follows even so: who reads it finds what the picture shows.
        assert (explorer._line.get_ydata() == explorer.result.wave).all()
    assert [options.get("height") for name, options in made if name == "compute"] == [0.5, 1.5]
    assert len(made) == 4 and shown[0] != shown[1]
    assert shown[2:] == [shown[0], shown[1], shown[0]]
    explorer.forget()
    explorer.set(height=1.5)
    assert len(made) == 6 and explorer.image.png == shown[1][0]


async def slid(explorer, values, made):
    """Move the first slider as a reader does, and wait until the next picture is there too."""
    for value in values:
        explorer.controls["M_B"].value = value
    for _ in range(1000):
        if explorer._waiting is None:
            assert explorer._drawn.cache_info().misses == made
            return
        await asyncio.sleep(base.PAUSE / 3)
    pytest.fail("the next picture does not come")


@pytest.mark.parametrize(
    ("values", "ahead"),
    [((2,), 1), ((1, 2), 4), ((2, 4), 64)],
    ids=["down", "up", "there and back"],
)
def test_the_next_picture_is_drawn_before_the_slider_is_there(explorer, values, ahead):
    # The start, each place once, and the one ahead, where that is a new one.
    made = len({4, *values, ahead})
    asyncio.run(slid(explorer, values, made))
    shown = explorer.image.png
    assert explorer.result.t.shape == (8 * values[-1],)
    assert explorer.png() == shown  # the figure is back where the slider stands
    in_page, title = explorer.ahead.value, re.compile('title="([^"]*)"')
    explorer.controls["M_B"].value = ahead
    assert explorer._drawn.cache_info().misses == made
    assert explorer.result.t.shape == (8 * ahead,)
    # What the page has got beforehand: for which places of the handles, which picture and name.
    assert f'data-places="[{[1, 2, 4, 64].index(ahead)}, 1.0]"' in in_page
    assert f'src="{bytes(explorer.image.value).decode()}"' in in_page
    assert html.unescape(title.search(in_page)[1]) == explorer.image.tooltip
    explorer.forget()
    assert explorer.ahead.value == ""
    assert explorer.png() == explorer.image.png != shown


def test_at_the_end_nothing_is_drawn_beforehand(explorer):
    asyncio.run(slid(explorer, [64], 2))
    assert explorer._waiting is None


def test_what_fails_ahead_is_said_when_the_slider_is_there():
    tried = []

    def fails_alone(M_B, height):
        tried.append(M_B)
        if M_B == 1:
            raise ValueError("one sample has no variance")
        return compute(M_B, height)

    explorer = Wave()
    explorer.compute = fails_alone

    async def slide():
        explorer.controls["M_B"].value = 2
        while tried[-1] != 1:
            await asyncio.sleep(base.PAUSE / 3)

    asyncio.run(slide())
    assert explorer.readout.startswith("16 points") and explorer.text.value.startswith("16 points")
    assert explorer.png() == explorer.image.png
    with pytest.raises(ValueError, match="no variance"):
        explorer.controls["M_B"].value = 1
    assert "no variance" in explorer.text.value


@pytest.mark.parametrize(
    ("control", "old", "new", "ahead"),
    [
        (widgets.IntSlider(min=1, max=9, step=4, value=5), 1, 5, 9),
        (widgets.IntSlider(min=1, max=9, step=4, value=5), 9, 5, 1),
        (widgets.IntSlider(min=1, max=9, step=4, value=9), 5, 9, None),
        (widgets.IntSlider(min=1, max=9, step=4, value=1), 5, 1, None),
        (widgets.SelectionSlider(options=[("a", 7), ("b", 1), ("c", 3)], value=1), 7, 1, 3),
        (widgets.SelectionSlider(options=[("a", 7), ("b", 1), ("c", 3)], value=1), 3, 1, 7),
        (widgets.SelectionSlider(options=[("a", 7), ("b", 1), ("c", 3)], value=3), 7, 3, None),
        # A float after some steps in the page may be a little off its place.
        (widgets.FloatSlider(min=0, max=1, step=0.25), 0.25, 0.5 - 1e-16, 0.75),
        (widgets.FloatSlider(min=0, max=1, step=0.25), 1.0, 0.75 + 1e-16, 0.5),
        (widgets.FloatSlider(min=0, max=1, step=0.25), 0.75, 1.0 - 1e-16, None),
        (widgets.FloatSlider(min=0, max=1, step=0.25), 0.25, 0.0 + 1e-16, None),
        (widgets.FloatLogSlider(base=2, min=-3, max=3, step=1, value=1), 0.5, 1.0, 2.0),
        (widgets.FloatLogSlider(base=2, min=-3, max=3, step=1, value=1), 2.0, 1.0, 0.5),
        (widgets.FloatLogSlider(base=2, min=-3, max=3, step=1, value=1), 0.25, 0.125, None),
    ],
)
def test_next_goes_on_the_same_way_and_not_beyond_the_end(control, old, new, ahead):
    assert base._next(control, old, new) == ahead


class SlowWave(Wave):
    """Gives other threads the time to come between, and finds out if they did."""

    def update(self, result):
        super().update(result)
        self.newest = result

    def png(self):
        result = self.newest
        time.sleep(0.001)
        drawn = super().png()
        assert self.newest is result
        return drawn


def by_slider(explorer, height):
    explorer.controls["height"].value = height


def by_set(explorer, height):
    explorer.set(height=height)


def by_looking_ahead(explorer, height):
    explorer._draw_ahead([4, height])


def by_still(explorer, height):
    explorer.still(height=height)


def by_showing(explorer, height):
    explorer._repr_mimebundle_()


@pytest.mark.parametrize("way", [by_slider, by_set, by_looking_ahead, by_still, by_showing])
def test_threads_take_turns(monkeypatch, way):
    monkeypatch.setattr(base, "KEPT", 1)
    explorer, alone = SlowWave(), Wave()
    heights = np.linspace(0.1, 2.0, 10).tolist()
    with ThreadPoolExecutor(2) as pool:
        slid = pool.map(functools.partial(by_set, explorer), heights)
        other = pool.map(functools.partial(way, explorer), reversed(heights))
        assert len([*slid, *other]) == 20  # raises what a thread has raised
    alone.set(**explorer.values)
    assert explorer.image.png == alone.image.png == explorer.png()


def test_settings_of_matplotlib_come_back_from_two_threads():
    inside = threading.Event()

    def first():
        with look.settings():
            inside.set()
            time.sleep(0.05)

    def second():
        inside.wait()
        with look.settings():
            time.sleep(0.1)

    before = dict(mpl.rcParams)
    with ThreadPoolExecutor(2) as pool:
        for thread in [pool.submit(first), pool.submit(second)]:
            thread.result()
    assert dict(mpl.rcParams) == before


def test_no_more_is_kept_than_a_fixed_number(explorer):
    places = [(n, height) for n in (1, 2, 4, 64) for height in np.linspace(0.1, 2.0, base.KEPT)]
    for n, height in places:
        explorer.set(M_B=n, height=float(height))
    assert explorer._computed.cache_info().currsize == base.KEPT
    assert explorer._drawn.cache_info().currsize == base.KEPT


def test_sliding_does_not_fill_the_memory(explorer):
    def slide():
        for _ in range(40):
            for height in (0.3, 0.7):
                explorer.forget()
                explorer.controls["height"].value = height

    slide()
    artists = len(explorer.figure.findobj())
    gc.collect()
    tracemalloc.start()
    slide()
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    slide()
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(explorer.figure.findobj()) == artists
    # One picture kept per move would be 80 of them.
    assert after - before < 20 * len(explorer.image.value)


@pytest.mark.parametrize(
    ("control", "ends", "count"),
    [
        (widgets.IntSlider(min=1, max=10), (1, 10), 10),
        (widgets.IntSlider(min=1, max=10, step=4), (1, 10), 4),
        (widgets.IntSlider(min=1, max=500, value=1), (1, 500), 60),
        (widgets.FloatSlider(min=-1, max=1, step=0.1, value=0), (-1.0, 1.0), 21),
        (widgets.FloatSlider(min=0, max=1, step=0.001, value=0), (0.0, 1.0), 60),
        (widgets.FloatLogSlider(min=-6, max=0, step=0.5), (1e-6, 1.0), 13),
        (widgets.SelectionSlider(options=[("a", 1), ("b", 7)], value=1), (1, 7), 2),
        (widgets.SelectionSlider(options=list(range(2, 200)), value=2), (2, 199), 60),
        (widgets.Checkbox(), (False, True), 2),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, widgets.Widget) else "",
)
def test_positions_are_reached_and_hold_both_ends(control, ends, count):
    values = driving.positions(control)
    assert (values[0], values[-1]) == pytest.approx(ends)
    assert len(values) == count and values == sorted(set(values))
    for value in values:
        control.value = value
        assert control.value == pytest.approx(value, abs=1e-12)


def test_positions_of_another_widget_are_refused():
    with pytest.raises(TypeError, match="Text"):
        driving.positions(widgets.Text())


def test_a_sweep_moves_one_slider_at_a_time(explorer):
    seen = [(name, value, dict(explorer.values)) for name, value in driving.sweep(explorer)]
    assert [value for name, value, _ in seen if name == "M_B"] == [1, 2, 4, 64]
    assert len([0 for name, _, _ in seen if name == "height"]) == 21
    for name, value, values in seen:
        assert values == {"M_B": 4, "height": 1.0, name: pytest.approx(value)}
    assert explorer.values == {"M_B": 4, "height": 1.0}


def test_random_states_are_those_of_the_sliders_and_meet_the_ends(explorer):
    states = list(driving.random_states(explorer, 60, np.random.default_rng(2)))
    assert len(states) == 60
    assert {state["M_B"] for state in states} == {1, 2, 4, 64}
    assert {0.0, 2.0} <= {state["height"] for state in states}
    assert explorer.values == {"M_B": 4, "height": 1.0}


class Named(Wave):
    """Named heights."""

    M_B = batch_size([4], 4)
    height = slider("height", 1.0, options={"low": 0.5, "high": 1.0})


def test_set_takes_the_values_of_named_options_and_not_their_names():
    explorer = Named()
    explorer.set(height=1.0)
    assert explorer.values == {"M_B": 4, "height": 1.0}
    with pytest.raises(ValueError, match=r"height: got 'high', wanted one of 0\.5, 1\.0"):
        explorer.set(height="high")


# ---- every explorer of the book

REGISTRY = base.registry()
STATES, PLACES = 8, 7  # at random, and of each slider; `make fire` tries thousands
TEXTS = Path(__file__).parents[1] / "src" / "text"
# A curve that goes on beyond its panel.
LEAVES = {"baseline.OutputError": ["_tangent"], "baseline.Noise": ["_batches"]}
# The one repeats what review says, the other why there is no picture.
LONGEST = {"wrong_gradients.Gallery": 270, "normalizers.Groups": 140, "propagation.Depth": 130}
ALONE = ("sample_space.Weight",)  # one weight on eight digits: its batch is always the same


@pytest.fixture(scope="module", params=REGISTRY)
def known(request):
    return REGISTRY[request.param]()


def check_words(explorer):
    driving.check_readout(explorer.readout, LONGEST.get(explorer.key, 125))
    assert explorer.image.tooltip == f"{explorer.title}. {explorer.tell(explorer.result)}"
    assert explorer.text.value == html.escape(explorer.readout)


def check_drawn(explorer):
    """No text is cut off, and no curve leaves its panel."""
    assert driving.cut_off(explorer) == [], explorer.values
    leaves = [getattr(explorer, name) for name in LEAVES.get(explorer.key, ())]
    for axes in explorer.figure.axes:
        box = axes.bbox.padded(8)  # half a marker
        for line in axes.lines:
            xy = line.get_xydata()[np.isfinite(line.get_xydata()).all(axis=1)]
            if line.get_clip_on() and line.get_visible() and len(xy) and line not in leaves:
                x, y = line.get_transform().transform(xy).T
                assert box.x0 <= x.min() and x.max() <= box.x1, explorer.values
                assert box.y0 <= y.min() and y.max() <= box.y1, explorer.values


def test_every_slider_from_end_to_end(known):
    check, pictures = fire.invariants(known.key), {name: [] for name in known.controls}
    told = set()
    for k, (name, value) in enumerate(driving.sweep(known, PLACES)):
        assert known.values[name] == pytest.approx(value)
        check(known.result, known.values)
        check_words(known)
        told |= {seen.words(known.readout), seen.words(known.image.tooltip)}
        pictures[name].append(known.image.value)
        if name == "M_B" or k % 5 == 0:
            check_drawn(known)
    for name, shown in pictures.items():
        # Not all differ: an ε of 1e-5 is nothing to see.
        assert len(set(shown)) >= 2 and len(set(shown)) > len(shown) / 2, name
    seen.unchanged(known.key, [*seen.look_of(known.figure), *sorted(told)])


def test_random_states(known):
    check = fire.invariants(known.key)
    for k, values in enumerate(driving.random_states(known, STATES, np.random.default_rng(0))):
        check(known.result, values)
        check_words(known)
        live = known.png()
        known.redraw_background()
        assert known.png() == live, "a trace of the pictures before"
        if k % 4 == 0:
            check_drawn(known)


def test_compute_is_pure(known):
    known.reset()
    start, picture = known.compute(**known.values), known.image.png
    known.set(**{name: driving.positions(c)[0] for name, c in known.controls.items()})
    assert known.image.png != picture
    known.forget()
    known.reset()
    assert known.image.png == picture
    assert fire.digest(known.compute(**known.values)) == fire.digest(start)


def test_what_was_shown_is_kept(known):
    known.reset()
    name, control = next(iter(known.controls.items()))
    for value in driving.positions(control)[:2] * 2:
        known.set(**{name: value})
    made = known._computed.cache_info().misses, known._drawn.cache_info().misses
    for value in driving.positions(control)[:2] * 2:
        known.set(**{name: value})
    assert made == (known._computed.cache_info().misses, known._drawn.cache_info().misses)
    known.reset()


def arrays(value):
    """All arrays in a result."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, (tuple, list, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from arrays(part)


def test_what_is_kept_cannot_be_changed(known):
    found = list(arrays(known.result))
    assert found and not any(array.flags.writeable for array in found)


def grips(explorer):
    return json.loads(re.search("data-grips='(.*)'", explorer.grips.value or "data-grips='[]'")[1])


def test_what_can_be_dragged_goes_where_the_page_is_told(known):
    width, height = 100 * np.array(known.size)
    for values in driving.random_states(known, 6, np.random.default_rng(4)):
        for k, grip in enumerate(grips(known)):
            for index, place, move in zip(
                grip["sliders"], grip["places"], grip["moves"], strict=True
            ):
                name, control = list(known.controls.items())[index]
                beside = base._beside(control, control.value)
                known.set(**{name: base._value(control, beside)})
                there = grips(known)[k]["at"]
                np.testing.assert_allclose(np.subtract(there, grip["at"]) / (beside - place), move)
                known.set(**values)
            if not grip["within"]:
                assert 0 <= grip["at"][0] <= width and 0 <= grip["at"][1] <= height
    known.reset()


def test_what_can_be_dragged_stands_where_something_is_drawn(known):
    for values in driving.random_states(known, 6, np.random.default_rng(5)):
        for grip in known.handles(known.result, **values).values():
            if not grip.everywhere:
                ends = []
                for line in grip.axes.lines:
                    marked = line.get_markevery()
                    points = line.get_transform().transform(line.get_xydata())
                    ends.append(points[marked] if isinstance(marked, list) else points)
                here = grip.axes.transData.transform((grip.x, grip.y))
                assert np.nanmin(np.abs(np.concatenate(ends) - here).max(axis=1)) < 1
    known.reset()


def test_after_a_still_the_picture_is_the_one_before(known, monkeypatch):
    known.reset()
    before = known.image.png
    monkeypatch.setattr(look, "below_each_other", lambda panels, alt: (panels, alt))
    ((panel,), alt) = known.still()
    assert panel.width == 2 * 100 * known.size[0] and alt == known.image.tooltip
    known.forget()
    known.redraw_background()
    known.reset()
    assert known.image.png == before


def test_the_batch_size_comes_first_and_begins_at_1(known):
    name, control = next(iter(known.controls.items()))
    if known.key not in ALONE:
        assert name == "M_B" and control.description == "batch size M_B"
        assert driving.positions(control)[:2] == [1, 2]


def test_it_takes_nothing_of_its_base_but_what_it_must(known):
    own = {name for name in vars(type(known)) if not name.startswith("__")}
    needed = {"compute", "draw", "update", "say"}
    assert own & set(dir(Explorer)) <= needed | {"size", "second", "places", "tell", "handles"} | {
        "title",
        "key",
        "sliders",
    }
    assert needed <= own and known.title and list(known.sliders) == list(known.controls)
    assert known.second is None or known.second in known.sliders


def test_every_text_is_read(known):
    known.reset()
    texts = [text for text in known.figure.findobj(Text) if text.get_text().strip()]
    assert min(text.get_fontsize() for text in texts) >= look.SMALLEST
    colors = {text.get_color() for text in texts} - {"white"}
    assert min(map(contrast_to_white, colors)) >= 4.5


def test_every_explorer_is_in_the_book_and_the_book_has_no_other():
    shown = set()
    for path in TEXTS.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        for name, key in driving.made(text).items():
            assert re.search(rf"^```{{code-cell}} ipython3\n{name}\n```", text, re.MULTILINE), name
            shown.add(key)
    assert shown == set(REGISTRY)
