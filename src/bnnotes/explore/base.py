"""What every explorer is made of: compute, figure, panel."""

from __future__ import annotations

import html

import ipywidgets as widgets


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


class Explorer:
    """Sliders tied to a pure computation, a figure that follows, and a readout.

    Parameters
    ----------
    name : str
        What is explored; the accessible name of the picture.
    compute : callable
        ``compute(**values)`` takes the values of the controls and returns a
        named result. Pure: the same values give the same result.
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
        self.image = widgets.Image(format="png", layout=widgets.Layout(max_width="100%"))
        self.text = widgets.HTML()
        self.button = widgets.Button(description="reset", tooltip=f"{name}: back to the start")
        self.button.on_click(lambda _: self.reset())
        for control in controls.values():
            control.observe(self._changed, names="value")
        self.panel = widgets.VBox([*controls.values(), self.text, self.image, self.button])
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
        """Move several sliders and draw once."""
        unknown = values.keys() - self.controls.keys()
        if unknown:
            wanted = ", ".join(self.controls)
            raise ValueError(f"set: got {', '.join(sorted(unknown))}, wanted some of {wanted}")
        self._held = True
        try:
            for name, value in values.items():
                self.controls[name].value = value
        finally:
            self._held = False
        self._show()

    def reset(self):
        """Move every slider back to where it began."""
        self.set(**self._defaults)

    def still(self, **values):
        """Return the picture at fixed values, others as they began, and move no slider."""
        result = self.compute(**{**self._defaults, **values})
        self.figure.update(result)
        picture = self.figure.still(self._describe(result))
        self.figure.update(self.result)
        return picture

    def _describe(self, result):
        return f"{self.name}. {self._readout(result)}"

    def _changed(self, _):
        if not self._held:
            self._show()

    def _show(self):
        self.result = self.compute(**self.values)
        self.figure.update(self.result)
        # Image has no alt text of its own; browsers read the tooltip as its name.
        self.image.tooltip = self._describe(self.result)
        self.image.value = self.figure.png()
        self.text.value = f'<div role="status">{html.escape(self.readout)}</div>'

    def _repr_mimebundle_(self, **options):
        bundle = self.panel._repr_mimebundle_(**options)
        return {**bundle, "text/plain": f"Explorer: {self._describe(self.result)}"}
