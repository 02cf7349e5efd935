"""Where the sliders of the pages stop."""

import numpy as np


def positions(control):
    """Return the label and the value of each position of a slider."""
    if hasattr(control, "_options_labels"):
        return list(zip(control._options_labels, control._options_values, strict=True))
    values = control.min + control.step * np.arange(_count(control))
    # At an integer slider these are integers.
    values = (control.base**values if hasattr(control, "base") else values).tolist()
    return [(format(value, control.readout_format), value) for value in values]


def _count(slider):
    return round((slider.max - slider.min) / slider.step) + 1
