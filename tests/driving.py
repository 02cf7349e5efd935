"""Moving sliders without a browser."""

import ipywidgets as widgets
import numpy as np

LONGEST = 60  # positions per slider; a longer one is thinned, its ends stay


def positions(widget):
    """Return the values a slider can take, at most 60, both ends among them.

    Parameters
    ----------
    widget : ipywidgets.Widget
        IntSlider, FloatSlider, FloatLogSlider, SelectionSlider, Dropdown,
        ToggleButtons, Checkbox or ToggleButton.

    Returns
    -------
    list
    """
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
    if len(values) > LONGEST:
        kept = np.linspace(0, len(values) - 1, LONGEST).round().astype(int)
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


def sweep(explorer):
    """Move each slider over all its positions, the others where they began.

    Yields
    ------
    name : str
        The slider that moved.
    value : object
        Where it stands now; ``explorer.result`` belongs to it.
    """
    explorer.reset()
    for name, control in explorer.controls.items():
        for value in positions(control):
            explorer.set(**{name: value})
            yield name, value
        explorer.reset()


def random_states(explorer, n, rng):
    """Move all sliders to random positions, `n` times, the ends more often than chance.

    Parameters
    ----------
    explorer : Explorer
    n : int
    rng : numpy.random.Generator

    Yields
    ------
    values : dict
        Where the sliders stand now.
    """
    choices = {name: positions(control) for name, control in explorer.controls.items()}
    for _ in range(n):
        explorer.set(**{name: _draw(values, rng) for name, values in choices.items()})
        yield explorer.values
    explorer.reset()


def _draw(values, rng):
    # One draw in four is an end: that is where pictures break.
    ends = [values[0], values[-1]]
    pool = ends if rng.random() < 0.25 else values
    return pool[rng.integers(len(pool))]
