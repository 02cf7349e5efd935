"""The one class that every explorer is: sliders, a pure computation, and a picture that follows.

A subclass defines one, as in::

    class Line(Explorer):
        \"\"\"A line through the origin.\"\"\"

        M_B = batch_size((1, 2, 4, 8), 4)
        slope = slider("slope", 1.0, min=-2.0, max=2.0, step=0.1)

        def compute(self, M_B, slope):
            return slope * np.arange(M_B)

        def draw(self):
            self._line = self.line(self.axes())

        def update(self, result):
            self._line.set_data(np.arange(len(result)), result)

        def say(self, result):
            return f"M_B = {len(result)}: the line ends at {result[-1]:.2f}"

Its title is the first line of the docstring. Defining it enters it into the `registry`.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import importlib
import inspect
import json
import math
import pkgutil
from base64 import b64decode, b64encode
from pathlib import Path
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
from matplotlib.axes import Axes
from traitlets import Unicode

from ..checked import shown, whole
from ..kept import kept
from . import look
from .live import Live

KEPT = 128  # results and pictures of one explorer, some 10 MB; most sliders have fewer places
PAUSE = 0.03  # seconds until a picture is on the screen; then the kernel is free for the next one
_PNG = b"data:image/png;base64,"
_DRAG, _PAGE, _STYLE = (
    (Path(__file__).parent / name).read_text(encoding="utf-8")
    for name in ("drag.js", "page.js", "custom/custom.css")
)


def _address(png):
    return _PNG + b64encode(png)


def _is_number(value):
    return whole(value) or isinstance(value, (float, np.floating))


class slider:  # in small letters, since it is written as a function
    """A labeled slider of an explorer; where the options are words, a menu.

    It begins at `value`. The options are as the widget takes them: ``options``, values or pairs of
    text and value, where numbers alone are written in few digits; or ``min``, ``max`` and ``step``,
    integers where `value` is one; and ``base``, where these are powers.
    """

    def __init__(self, description, value, **options):
        self.description, self.value, self.options = description, value, options

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, explorer, owner=None):
        return self if explorer is None else explorer.controls[self.name].value

    def __set__(self, explorer, value):
        explorer.set(**{self.name: value})

    def control(self):
        """Return a new widget."""
        live, options = {"continuous_update": True}, dict(self.options)
        values = options.get("options", ())
        if values and all(map(_is_number, values)):
            options["options"] = [(f"{one:g}", one) for one in values]
        if isinstance(self.value, str):
            kind, live = widgets.Dropdown, {}
        elif "options" in self.options:
            kind = widgets.SelectionSlider
        elif "base" in self.options:
            kind = widgets.FloatLogSlider
        else:
            kind = widgets.IntSlider if isinstance(self.value, int) else widgets.FloatSlider
        return kind(
            description=self.description,
            # Without a tooltip the label shows the word "null" under the mouse.
            tooltip=self.description,
            style={"description_width": "13em"},
            value=self.value,
            **live,
            **options,
        )


def batch_size(sizes, value):
    """Return the slider over the batch size M_B that comes first in a chapter's explorer."""
    return slider("batch size M_B", value, options=sizes)


def _refused(control, value):
    """Return what a control wants, if it cannot have a value; else nothing."""
    if hasattr(control, "_options_values"):
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
    if hasattr(control, "_options_values"):
        return 0, len(control._options_values) - 1, 1
    return control.min, control.max, control.step


def _place(control, value):
    """Return where the handle of a slider stands in the page."""
    if hasattr(control, "_options_values"):
        return control._options_values.index(value)
    return math.log(value, control.base) if isinstance(control, widgets.FloatLogSlider) else value


def _next(control, old, new):
    """Return where a slider stands after one more step in the direction from old to new."""
    first, last, step = _places(control)
    there = _place(control, new)
    taken = round((there - first) / step) + (1 if there > _place(control, old) else -1)
    if not 0 <= taken <= round((last - first) / step):
        return None
    return _value(control, min(first + taken * step, last))


def _value(control, place):
    """Return the value of a slider whose handle stands there in the page."""
    if hasattr(control, "_options_values"):
        return control._options_values[place]
    return control.base**place if isinstance(control, widgets.FloatLogSlider) else place


def _beside(control, value):
    """Return where a slider's handle stands one step further, or at the end one step back."""
    _, last, step = _places(control)
    place = _place(control, value)
    return place + step if place + step <= last else place - step


def _labeled(control, value):
    """Return a value of a slider as the page says it, after its label."""
    if hasattr(control, "_options_values"):
        said = control._options_labels[control._options_values.index(value)]
    else:
        said = format(value, control.readout_format).replace("-", "−")
    return f"{control.description}: {said}"


class Image(widgets.Image):
    """An image that is replaced fast, and whose tooltip is its accessible name.

    It goes to the page as a data address, which a browser reads at once; the
    blob that `widgets.Image` makes of a PNG is fetched, some milliseconds later.
    """

    # A view asks the description for its length where there is a tooltip; `widgets.Image` has none.
    description = Unicode("").tag(sync=True)

    def __init__(self, width):
        # At its own size: a box would stretch it to the width of the page. Where that is narrow it
        # shrinks until its smallest letters have 9 pixels, and is scrolled beyond.
        least = round(width * 9 / (look.SMALLEST * look.DPI / 72))
        layout = {"max_width": "100%", "min_width": f"{least}px", "align_self": "flex-start"}
        super().__init__(format="url", width=str(round(width)), layout=layout)

    @property
    def png(self):
        """The bytes of the picture that is shown."""
        return b64decode(bytes(self.value).removeprefix(_PNG))

    def show(self, png, alt):
        """Replace picture and name in one message, so that nobody has one without the other."""
        with self.hold_sync():
            self.tooltip = alt
            self.value = _address(png)


class Grip(NamedTuple):
    """A point of the axes that can be dragged, or with `everywhere` what is around the others."""

    axes: Axes
    x: float
    y: float
    everywhere: bool = False


_explorers = []


def registry():
    """Return the explorers of all chapters by module and class, as in "batchnorm.Kernel"."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        importlib.import_module(f"{__package__}.{module.name}")
    return {cls.key: cls for cls in _explorers if cls.__module__.startswith(f"{__package__}.")}


class Explorer(Live):
    """Sliders tied to a pure computation, a picture that follows, and a line of text.

    A subclass has a `slider` per argument of its `compute`, in the order shown, and defines
    `compute`, `draw`, `update` and `say`.

    Attributes
    ----------
    title : str
        What is explored: the first line of the docstring, the accessible name of the picture.
    sliders : dict of str to slider
        What the class has; ``controls`` are the widgets of one explorer.
    result : object
        What `compute` returned for the sliders as they stand.
    panel : ipywidgets.VBox
        What a notebook shows.
    """

    # On a page without a kernel two sliders move: the first, and this one, at so many places.
    second, places = None, 5

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        cls.title = (inspect.getdoc(cls) or "").partition("\n")[0].removesuffix(".")
        cls.key = f"{cls.__module__.rpartition('.')[-1]}.{cls.__name__}"
        parts = [part for base in reversed(cls.__mro__) for part in vars(base).items()]
        cls.sliders = {name: one for name, one in parts if isinstance(one, slider)}
        _explorers.append(cls)

    def __init__(self):
        self.controls = {name: one.control() for name, one in self.sliders.items()}
        self._start = self.values
        self._held = False
        self._waiting = None
        self._computed = kept(self._compute_anew, KEPT)
        self._drawn = kept(self._draw_anew, KEPT)
        super().__init__()
        self.image = Image(look.DPI * self.size[0])
        self.text = widgets.HTML()
        self.text.add_class("bnnotes-readout")
        self.ahead = widgets.HTML(layout=widgets.Layout(display="none"))
        self.ahead.add_class("bnnotes-ahead")
        # By this the page says how many pixels the screen has for each of its own.
        self.density = widgets.BoundedFloatText(1, min=1, max=2, layout={"display": "none"})
        self.density.add_class("bnnotes-pixels")
        self.density.observe(self._sharpened, names="value")
        self.grips = widgets.HTML(layout={"display": "none"})
        self.grips.add_class("bnnotes-grips")
        start = f"{self.title}: back to the start"
        self.button = widgets.Button(description="reset", tooltip=start)
        self.button.on_click(lambda _: self.reset())
        for control in self.controls.values():
            control.observe(self._changed, names="value")
        moved = widgets.Box([*self.controls.values()])
        moved.add_class("bnnotes-controls")
        width = f"{look.DPI * self.size[0]:g}px"
        shown = widgets.VBox([self.text, self.image, self.button], layout={"flex": f"0 1 {width}"})
        shown.add_class("bnnotes-picture")
        hidden = self.ahead, self.density, self.grips, self._page()
        self.panel = widgets.Box([moved, shown, *hidden])
        self.panel.add_class("bnnotes-explorer")
        self._show()

    def compute(self, **values):
        """Return a named result of the values of the sliders.

        Pure: the same values give the same result, so results and pictures are kept and shown
        again when the sliders come back.
        """
        raise NotImplementedError

    def say(self, result):
        """Return the result in one line of text."""
        raise NotImplementedError

    def tell(self, result):
        """Return the result in words for those who do not see the picture: what `say` says.

        Notebooks are compared by it. Where digits differ from machine to machine, as those of a
        training do, a subclass says it in words.
        """
        return self.say(result)

    def handles(self, result, **values):
        """Return what can be dragged in the picture: a `Grip` by the names of its sliders.

        `result` is what is shown; `values` may be those of a step beside.
        """
        return {}

    @property
    def values(self):
        """The values of the sliders, by name."""
        return {name: control.value for name, control in self.controls.items()}

    @property
    def readout(self):
        """The line of text."""
        return self.say(self.result)

    def set(self, **values):
        """Move several sliders and draw once; if one cannot go there, none moves."""
        self._require("set", values)
        with look.ONE_AT_A_TIME:
            before = self.values
            try:
                self._move(values)
            except BaseException:
                self._move(before)
                raise
            self._show()

    def reset(self):
        """Move every slider back to where it began."""
        self.set(**self._start)

    def forget(self):
        """Drop all results and pictures made before: each is made anew when its values come."""
        self._computed.cache_clear()
        self._drawn.cache_clear()
        self.ahead.value = ""

    def still(self, **values):
        """Return the picture at fixed values, others as they began, and move no slider."""
        self._require("still", values)
        panel, result = self._panel(values)
        return look.below_each_other([panel], self._describe(result))

    def stills(self, **values):
        """Return one picture of several panels below each other, and move no slider.

        A tuple has a value for each panel; any other value holds for all of them.
        """
        varied = {name: value for name, value in values.items() if isinstance(value, tuple)}
        counts = {len(value) for value in varied.values()}
        if len(counts) != 1 or 0 in counts:
            got = ", ".join(f"{name}={shown(value)}" for name, value in values.items())
            raise ValueError(f"stills: got {got}, wanted tuples of one length, a value per panel")
        panels, told = [], []
        for k in range(*counts):
            own = {name: value[k] for name, value in varied.items()}
            self._require("stills", {**values, **own})
            heading = ", ".join(_labeled(self.controls[name], own[name]) for name in own)
            panel, result = self._panel({**values, **own}, heading=heading)
            panels.append(panel)
            told.append(f"{k + 1}. {self.tell(result).removesuffix('.')}.")
        return look.below_each_other(panels, " ".join([f"{self.title}.", *told]))

    def _panel(self, values, **texts):
        """Return the picture at these values as an image, and the result that it shows."""
        result = self._compute_anew(*{**self._start, **values}.values())
        with self._showing(result):
            panel = look.panel(self.figure, **texts)
        return panel, result

    @contextlib.contextmanager
    def _showing(self, result):
        """Have the figure show a result, and then again that of the sliders."""
        with look.settings():
            try:
                self.update(result)
                yield
            finally:
                self.update(self.result)

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
        return f"{self.title}. {self.tell(result)}"

    def _page(self):
        """Return the hidden child that brings drag.js, page.js and custom.css into the page."""
        sliders = sum("Slider" in type(control).__name__ for control in self.controls.values())
        mark = (
            f"<style>{_STYLE}</style>"
            f'<img src="data:," alt="" data-name="{html.escape(self.title)}" '
            f'data-sliders="{sliders}" onerror="{html.escape(_DRAG + _PAGE)}">'
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
        with look.ONE_AT_A_TIME:
            if not self._held:
                self._show()
                self._look_ahead(change)

    def _sharpened(self, change):
        with look.ONE_AT_A_TIME:
            self.sharpen(change.new)
            self._drawn.cache_clear()
            self.ahead.value = ""
            self._show()

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
        # What is raised here is raised again when the slider goes there.
        with look.ONE_AT_A_TIME, contextlib.suppress(Exception):
            self._waiting = None
            result = self._computed(*values)
            with self._showing(result):
                self._send_ahead(values, self._drawn(*values), self._describe(result))

    def _send_ahead(self, values, png, alt):
        places = [_place(*pair) for pair in zip(self.controls.values(), values, strict=True)]
        self.ahead.value = (
            f'<img alt="" title="{html.escape(alt)}" data-places="{json.dumps(places)}" '
            f'src="{_address(png).decode()}">'
        )

    def _send_grips(self):
        sent = self._grips(self.result, self.values)
        self.grips.value = f"<i data-grips='{json.dumps(sent)}'></i>" if sent else ""

    def _grips(self, result, values):
        """Return for the page what can be dragged: where it is, and where it goes with each slider.

        The page solves for the sliders, to first order: again with each picture, so that what is
        dragged comes to the pointer.
        """
        sent = []
        for names, grip in self.handles(result, **values).items():
            controls, at, moves = [self.controls[name] for name in names], self._seen(grip), []
            box = grip.axes.bbox.intervalx * look.DPI / self.figure.dpi
            places = [_place(self.controls[name], values[name]) for name in names]
            for name, control, place in zip(names, controls, places, strict=True):
                beside = _beside(control, values[name])
                there = self.handles(result, **{**values, name: _value(control, beside)})
                moves.append(((self._seen(there[names]) - at) / (beside - place)).tolist())
            sent.append({
                "sliders": [list(self.controls).index(name) for name in names],
                "places": places, "at": at.tolist(), "moves": moves,
                "within": box.tolist() if grip.everywhere else None,
            })  # fmt: skip
        return sent

    def _seen(self, grip):
        """Return where a grip is in the picture, in pixels of the page from the upper left."""
        x, y = grip.axes.transData.transform((grip.x, grip.y)) * look.DPI / self.figure.dpi
        return np.array([x, look.DPI * self.size[1] - y])

    def _compute_anew(self, *values):
        with look.numpy_settings():
            return self.compute(**dict(zip(self.controls, values, strict=True)))

    def _draw_anew(self, *_):
        """Return the picture of these values, which the figure shows already."""
        return self.png()

    def _show(self):
        try:
            values = self.values.values()
            self.result = self._computed(*values)
            with look.settings():
                self.update(self.result)
                png, said = self._drawn(*values), self.readout
        except BaseException as error:
            # An error behind a slider is seen nowhere else on the page.
            why = str(error) or type(error).__name__
            self._say(f"No picture of these values, the one below is older: {why}")
            raise
        self.image.show(png, self._describe(self.result))
        self._say(said)
        self._send_grips()

    def _say(self, text):
        self.text.value = html.escape(text)

    def _repr_mimebundle_(self, **options):
        # The picture stands for the widget wherever there is no kernel behind the page.
        with look.settings():
            self.update(self.result)  # the last one may have been interrupted
            alt = self._describe(self.result)
            picture = look.still(self.figure, alt, "A still. Run this cell to move it.")
        still = picture._repr_mimebundle_()
        still["text/plain"] = f"Explorer: {alt}"
        # By the key a page without a kernel finds the explorer again.
        # A widget that the reader has closed has no bundle.
        shown = (self.panel._repr_mimebundle_ or dict)(**options)
        return {**shown, **still}, {"explorer": self.key}
