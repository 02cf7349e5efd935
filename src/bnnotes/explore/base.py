"""The explorers of the chapters that have not moved to `bnnotes.pictures`: made of parts."""

from __future__ import annotations

from types import SimpleNamespace

from ..pictures import explorer
from ..pictures.explorer import Image

__all__ = ["Explorer", "Image", "batch_size", "slider"]


def slider(kind, description, **options):
    """Return a labeled slider: ``widgets.IntSlider`` or another kind, of the book's width."""
    made = explorer.slider(description, options.pop("value"), **options).control()
    assert type(made) is kind, (kind, description)
    return made


def batch_size(sizes, value):
    """Return the slider over the batch size M_B that comes first in a chapter's explorer."""
    return explorer.batch_size(sizes, value).control()


class Explorer(explorer.Explorer):
    """An `explorer.Explorer` of a function, a figure, a readout and widgets."""

    def __init__(self, name, compute, figure, readout, **controls):
        self.compute, self._readout, self._parts = compute, readout, figure
        self.name = self.title = name
        self.sliders = {n: SimpleNamespace(control=lambda c=c: c) for n, c in controls.items()}
        super().__init__()

    def draw(self):
        self.figure = self._parts

    def update(self, result):
        self.figure.update(result)

    def say(self, result):
        return self._readout(result)

    def png(self):
        return self.figure.png()

    def redraw_background(self):
        self.figure.redraw_background()
