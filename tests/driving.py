"""Moving sliders without a browser."""

import re

import ipywidgets as widgets
import numpy as np
import pytest
from matplotlib.text import Text

from bnnotes.pictures.explorer import registry

# They compute for seconds, or many times over.
LONG = (
    "baseline.Noise",
    "geometry.Means",
    "geometry.Stops",
    "propagation.Depth",
    "sample_space.Chain",
    "training.NetworksInTraining",
    "wrong_gradients.GradientCheck",
)
LONGEST = 60  # positions per slider; a longer one is thinned, its ends stay


def one_a_chapter():
    """Return the keys of all explorers; but for one a chapter, `make vary` alone takes them."""
    quick = {key.split(".")[0]: key for key in registry() if key not in LONG}.values()
    return [
        key if key in quick else pytest.param(key, marks=pytest.mark.full) for key in registry()
    ]


def positions(widget, longest=LONGEST):
    """Return the values a slider can take, at most `longest`, both ends among them."""
    if isinstance(widget, (widgets.Checkbox, widgets.ToggleButton)):
        return [False, True]
    if hasattr(widget, "options"):
        # `_options_values` is what `value` takes, whatever form the options were given in.
        values = list(widget._options_values)
    elif isinstance(widget, widgets.FloatLogSlider):
        exponents = _between(widget.min, widget.max, widget.step)
        values = [float(widget.base**exponent) for exponent in exponents]
    elif isinstance(widget, widgets.IntSlider):
        values = [int(value) for value in _between(widget.min, widget.max, widget.step)]
    elif isinstance(widget, widgets.FloatSlider):
        values = [float(value) for value in _between(widget.min, widget.max, widget.step)]
    else:
        raise TypeError(f"positions: got {type(widget).__name__}, wanted a slider")
    if len(values) > longest:
        kept = np.linspace(0, len(values) - 1, longest).round().astype(int)
        values = [values[k] for k in kept]
    return values


def _between(low, high, step):
    """Return low, low + step, …, and high itself."""
    count = int(np.floor((high - low) / step * (1 + 1e-12) + 1e-9)) + 1
    values = list(low + step * np.arange(count))
    if high - values[-1] > 1e-9 * max(1.0, abs(high)):
        values.append(high)
    else:
        values[-1] = high
    return values


def sweep(explorer, longest=LONGEST):
    """Move each slider over its positions, the others where they began; yield name and value."""
    explorer.reset()
    for name, control in explorer.controls.items():
        for value in positions(control, longest):
            explorer.set(**{name: value})
            yield name, value
        explorer.reset()


def random_values(explorer, n, rng):
    """Yield random positions of all sliders, by name, the ends more often; none moves."""
    choices = {name: positions(control) for name, control in explorer.controls.items()}
    for _ in range(n):
        yield {name: _draw(values, rng) for name, values in choices.items()}


def random_states(explorer, n, rng):
    """Move all sliders to random positions, and yield where they stand."""
    for values in random_values(explorer, n, rng):
        explorer.set(**values)
        yield explorer.values
    explorer.reset()


def _draw(values, rng):
    # One draw in four is an end: that is where pictures break.
    ends = [values[0], values[-1]]
    pool = ends if rng.random() < 0.25 else values
    return pool[rng.integers(len(pool))]


def cut_off(explorer):
    """Return the texts that do not lie within the picture, for the sliders as they stand."""
    figure = explorer.figure
    # A label of an axis stays where the last drawing put it, which may have been that of a still.
    figure.draw_without_rendering()
    page = figure.bbox.padded(1)
    undrawn = {label for axes in figure.axes for label in _labels_beyond(axes)}
    boxes = {
        text.get_text(): text.get_window_extent()
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and text not in undrawn
    }
    return [
        said
        for said, box in boxes.items()
        if box.x0 < page.x0 or box.y0 < page.y0 or box.x1 > page.x1 or box.y1 > page.y1
    ]


def _labels_beyond(axes):
    """Yield the tick labels that matplotlib keeps but does not draw: of ticks beyond the limits."""
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        for tick in axis.get_major_ticks():
            if not low <= tick.get_loc() <= high:
                yield from (tick.label1, tick.label2)


def check_readout(readout, longest=125):
    """One line of finite numbers."""
    assert "\n" not in readout
    assert not {"nan", "inf"} & set(re.findall(r"\w+", readout))
    assert "-0.00" not in readout
    assert len(readout) < longest


def made(text):
    """The keys of the explorers that a chapter makes, by the names of their variables."""
    modules = re.findall(r"from bnnotes\.pictures import (\w+) as (\w+)", text)
    keys = {alias: module for module, alias in modules}
    calls = re.findall(r"^(\w+) = (\w+)\.(\w+)\(\)$", text, re.MULTILINE)
    found = {name: f"{keys.get(alias)}.{cls}" for name, alias, cls in calls}
    return {name: key for name, key in found.items() if key in registry()}
