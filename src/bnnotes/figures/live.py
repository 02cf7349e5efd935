"""The live picture of `bnnotes.pictures`, for the chapters that have not moved there."""

from __future__ import annotations

from ..pictures import look
from ..pictures.live import Live


class LiveFigure(Live):
    """A `Live` picture that a subclass draws in its ``__init__``."""

    def __init__(self, width, height):
        self.size = width, height
        super().__init__()

    def draw(self):
        """Leave it to the subclass."""

    def __getattr__(self, name):
        return getattr(self.__dict__["figure"], name)

    def still(self, alt, note=""):
        """Return the picture, all artists drawn, as a `Picture` for the page, a note below it."""
        return look.still(self.figure, alt, note)
