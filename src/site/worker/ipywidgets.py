"""What an explorer needs of ipywidgets where the page has the sliders: values and their limits."""

import contextlib


class Widget:
    """Keeps its options as attributes; what is done to it beyond that is left to the page."""

    readout_format = ""

    def __init__(self, *children, **options):
        self.__dict__.update(options)

    def observe(self, handler, names):
        """Answer no change: the worker moves all sliders in one `Explorer.set`."""

    def add_class(self, name):
        """Leave the style to the page."""

    def on_click(self, handler):
        """Leave the button to the page."""

    @contextlib.contextmanager
    def hold_sync(self):
        """Send nothing."""
        yield


class IntSlider(Widget):
    """Integers from min to max."""

    step = 1
    readout_format = "d"


class FloatSlider(Widget):
    """Numbers from min to max."""

    step = 0.1
    readout_format = ".2f"


class FloatLogSlider(Widget):
    """Powers of a base."""

    step = 0.1
    readout_format = ".3g"

    def __init__(self, base=10, **others):
        super().__init__(base=float(base), **others)


class SelectionSlider(Widget):
    """One of several options."""

    def __init__(self, options, **others):
        super().__init__(**others)
        pairs = list(options.items() if isinstance(options, dict) else options)
        if not all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in pairs):
            pairs = [(str(value), value) for value in pairs]
        self._options_labels, self._options_values = zip(*pairs, strict=True)


class Dropdown(SelectionSlider):
    """One of several options."""


class BoundedFloatText(Widget):
    """Left to the page."""


class Button(Widget):
    """Left to the page."""


class HTML(Widget):
    """Left to the page."""


class Image(Widget):
    """Left to the page, which asks for its PNG."""


class Layout(Widget):
    """Left to the page."""


class Box(Widget):
    """Left to the page."""


class VBox(Widget):
    """Left to the page."""
