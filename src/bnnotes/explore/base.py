"""What every explorer is made of: compute, figure, panel."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import html
import json
import math
import threading
from base64 import b64decode, b64encode
from pathlib import Path

import ipywidgets as widgets
import numpy as np
from traitlets import Unicode

from .._validation import shown, whole

KEPT = 128  # results and pictures of one explorer, some 10 MB; most sliders have fewer places
PAUSE = 0.03  # seconds until a picture is on the screen; then the kernel is free for the next one
# Jupyter hands what comes from a page now to one thread, now to another: two at once in one figure
# would mix their letters.
_ONE_AT_A_TIME = threading.RLock()
_PNG = b"data:image/png;base64,"
_PAGE = Path(__file__).with_name("page.js").read_text(encoding="utf-8")


def _address(png):
    return _PNG + b64encode(png)


def _is_number(value):
    return whole(value) or isinstance(value, (float, np.floating))


def slider(kind, description, **options):
    """Return a labeled slider of the book's width.

    Parameters
    ----------
    kind : type
        ``widgets.IntSlider``, ``FloatSlider``, ``FloatLogSlider`` or
        ``SelectionSlider``.
    description : str
        The label that the reader sees.
    **options
        As the widget takes them: value, min, max, step, options.
    """
    return kind(
        description=description,
        # Without a tooltip the label shows the word "null" under the mouse.
        tooltip=description,
        continuous_update=True,
        style={"description_width": "13em"},
        layout=widgets.Layout(width="36em", max_width="100%"),
        **options,
    )


def batch_size(sizes, value):
    """Return the slider over the batch size M_B that comes first in a chapter's explorer."""
    return slider(
        widgets.SelectionSlider, "batch size M_B", options=[(str(n), n) for n in sizes], value=value
    )


def _refused(control, value):
    """Return what a control wants, if it cannot have a value; else nothing."""
    if isinstance(control, widgets.SelectionSlider):
        options = control._options_values  # in whatever form the options were given
        # Compared one by one: an array equals in more than one way.
        if not (_is_number(value) or isinstance(value, (str, tuple))) or value not in options:
            return f"one of {', '.join(map(repr, options))}"
    elif hasattr(control, "min"):
        low, high = control.min, control.max
        kind = "an integer" if isinstance(control, widgets.IntSlider) else "a number"
        if isinstance(control, widgets.FloatLogSlider):
            low, high = control.base**low, control.base**high
        fits = whole(value) if kind == "an integer" else _is_number(value)
        if not fits or not low <= value <= high:
            return f"{kind} from {low:g} to {high:g}"
    return ""


def _places(control):
    """Return the first and the last place of a slider's handle in the page, and its step."""
    if isinstance(control, widgets.SelectionSlider):
        return 0, len(control._options_values) - 1, 1
    return control.min, control.max, control.step


def _place(control, value):
    """Return where the handle of a slider stands in the page."""
    if isinstance(control, widgets.SelectionSlider):
        return control._options_values.index(value)
    return math.log(value, control.base) if isinstance(control, widgets.FloatLogSlider) else value


def _next(control, old, new):
    """Return where a slider stands after one more step in the direction from old to new."""
    first, last, step = _places(control)
    there = _place(control, new)
    taken = round((there - first) / step) + (1 if there > _place(control, old) else -1)
    if not 0 <= taken <= round((last - first) / step):
        return None
    place = min(first + taken * step, last)
    if isinstance(control, widgets.SelectionSlider):
        return control._options_values[place]
    return control.base**place if isinstance(control, widgets.FloatLogSlider) else place


class Image(widgets.Image):
    """An image that is replaced fast, and whose tooltip is its accessible name.

    It goes to the page as a data address, which a browser reads at once; the
    blob that `widgets.Image` makes of a PNG is fetched, some milliseconds later.
    """

    # A view asks the description for its length where there is a tooltip; `widgets.Image` has none.
    description = Unicode("").tag(sync=True)

    def __init__(self):
        # At its own size: a box would stretch it to the width of the page.
        layout = widgets.Layout(max_width="100%", align_self="flex-start")
        super().__init__(format="url", layout=layout)

    @property
    def png(self):
        """The bytes of the picture that is shown."""
        return b64decode(bytes(self.value).removeprefix(_PNG))

    def show(self, png, alt):
        """Replace picture and name in one message, so that nobody has one without the other."""
        with self.hold_sync():
            self.tooltip = alt
            self.value = _address(png)


class Explorer:
    """Sliders tied to a pure computation, a figure that follows, and a readout.

    Parameters
    ----------
    name : str
        What is explored; the accessible name of the picture.
    compute : callable
        ``compute(**values)`` takes the values of the controls and returns a
        named result. Pure: the same values give the same result, so results
        and pictures are kept and shown again when the sliders come back.
    figure : LiveFigure
        Its ``update(result)`` draws the result.
    readout : callable
        ``readout(result)`` says the result in one line of text.
    **controls : ipywidgets.Widget
        A labeled slider per argument of `compute`, in the order shown.

    Attributes
    ----------
    result : object
        What `compute` returned for the sliders as they stand.
    panel : ipywidgets.VBox
        What a notebook shows.
    """

    def __init__(self, name, compute, figure, readout, **controls):
        self.name, self.compute, self.figure, self.controls = name, compute, figure, controls
        self._readout = readout
        self._defaults = self.values
        self._held = False
        self._waiting = None
        self._computed = functools.lru_cache(KEPT)(self._compute)
        self._drawn = functools.lru_cache(KEPT)(self._draw)
        self.image = Image()
        self.text = widgets.HTML()
        self.text.add_class("bnnotes-readout")
        self.ahead = widgets.HTML(layout=widgets.Layout(display="none"))
        self.ahead.add_class("bnnotes-ahead")
        self.button = widgets.Button(description="reset", tooltip=f"{name}: back to the start")
        self.button.on_click(lambda _: self.reset())
        for control in controls.values():
            control.observe(self._changed, names="value")
        rows = [*controls.values(), self.text, self.image, self.button, self.ahead, self._page()]
        self.panel = widgets.VBox(rows)
        self.panel.add_class("bnnotes-explorer")
        self._show()

    @property
    def values(self):
        """The values of the controls, by name."""
        return {name: control.value for name, control in self.controls.items()}

    @property
    def readout(self):
        """The readout as plain text."""
        return self._readout(self.result)

    def set(self, **values):
        """Move several sliders and draw once; if one cannot go there, none moves."""
        self._require("set", values)
        with _ONE_AT_A_TIME:
            before = self.values
            try:
                self._move(values)
            except Exception:
                self._move(before)
                raise
            self._show()

    def reset(self):
        """Move every slider back to where it began."""
        self.set(**self._defaults)

    def forget(self):
        """Drop all results and pictures made before: each is made anew when its values come."""
        self._computed.cache_clear()
        self._drawn.cache_clear()
        self.ahead.value = ""

    def still(self, **values):
        """Return the picture at fixed values, others as they began, and move no slider."""
        self._require("still", values)
        with _ONE_AT_A_TIME:
            result = self.compute(**{**self._defaults, **values})
            self.figure.update(result)
            picture = self.figure.still(self._describe(result))
            self.figure.update(self.result)
        return picture

    def _require(self, method, values):
        """Refuse names and values that no slider has."""
        unknown = values.keys() - self.controls.keys()
        if unknown:
            wanted = ", ".join(self.controls)
            raise ValueError(f"{method}: got {', '.join(sorted(unknown))}, wanted some of {wanted}")
        for name, value in values.items():
            if refused := _refused(self.controls[name], value):
                raise ValueError(f"{name}: got {shown(value)}, wanted {refused}")

    def _describe(self, result):
        return f"{self.name}. {self._readout(result)}"

    def _page(self):
        """Return the hidden child that brings page.js into the page."""
        sliders = sum("Slider" in type(control).__name__ for control in self.controls.values())
        mark = (
            f'<img src="data:," alt="" data-name="{html.escape(self.name)}" '
            f'data-sliders="{sliders}" onerror="{html.escape(_PAGE)}">'
        )
        return widgets.HTML(mark, layout=widgets.Layout(display="none"))

    def _move(self, values):
        self._held = True
        try:
            for name, value in values.items():
                self.controls[name].value = value
        finally:
            self._held = False

    def _changed(self, change):
        with _ONE_AT_A_TIME:
            if not self._held:
                self._show()
                self._look_ahead(change)

    def _look_ahead(self, change):
        """Have the picture in the page that comes next if the slider goes on the same way."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # outside a kernel nobody waits
            return
        ahead = _next(change.owner, change.old, change.new)
        if ahead is not None:
            values = [ahead if c is change.owner else c.value for c in self.controls.values()]
            self._waiting = loop.call_later(PAUSE, self._draw_ahead, values)

    def _draw_ahead(self, values):
        with _ONE_AT_A_TIME:
            self._waiting = None
            try:
                with contextlib.suppress(Exception):  # raised when the slider goes there
                    result = self._computed(*values)
                    self.figure.update(result)
                    self._send_ahead(values, self._drawn(*values), self._describe(result))
            finally:
                self.figure.update(self.result)

    def _send_ahead(self, values, png, alt):
        places = [_place(*pair) for pair in zip(self.controls.values(), values, strict=True)]
        self.ahead.value = (
            f'<img alt="" title="{html.escape(alt)}" data-places="{json.dumps(places)}" '
            f'src="{_address(png).decode()}">'
        )

    def _compute(self, *values):
        return self.compute(**dict(zip(self.controls, values, strict=True)))

    def _draw(self, *_):
        """Return the picture of these values, which the figure shows already."""
        return self.figure.png()

    def _show(self):
        try:
            values = self.values.values()
            self.result = self._computed(*values)
            self.figure.update(self.result)
            png, said = self._drawn(*values), self.readout
        except Exception as error:
            # An error behind a slider is seen nowhere else on the page.
            self._say(f"No picture of these values, the one below is older: {error}")
            raise
        self.image.show(png, self._describe(self.result))
        self._say(said)

    def _say(self, text):
        self.text.value = html.escape(text)

    def _repr_mimebundle_(self, **options):
        # The picture stands for the widget wherever there is no kernel behind the page.
        labels = ", ".join(control.description for control in self.controls.values())
        with _ONE_AT_A_TIME:
            alt = self._describe(self.result)
            picture = self.figure.still(alt, f"A still. Run this cell to slide: {labels}.")
        data, metadata = picture._repr_mimebundle_()
        data["text/plain"] = f"Explorer: {alt}"
        return {**self.panel._repr_mimebundle_(**options), **data}, metadata
