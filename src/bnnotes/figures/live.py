"""Figures that are drawn once and then only where something moves."""

from __future__ import annotations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from . import picture, png


class LiveFigure:
    """A figure with a fixed background and artists that move.

    A subclass makes its axes in ``__init__`` with fixed limits and ticks,
    registers every artist that changes with `moving`, and changes them in
    ``update(result)``. Where limits or ticks must change, it calls
    `redraw_background`, or `change_background` where they take few values.

    Parameters
    ----------
    width, height : float
        In inches, at 100 pixels each.
    """

    def __init__(self, width, height):
        self.figure = picture.new_figure(width, height)
        self._canvas = FigureCanvasAgg(self.figure)
        self._moving = []
        self._backgrounds, self._current_background = {}, None

    def axes(self, rows=1, columns=1, **options):
        """Return new axes in the look of the book, as `Figure.subplots` does."""
        return picture.new_axes(self.figure, rows, columns, **options)

    def moving(self, artist):
        """Register and return an artist that `update` changes."""
        artist.set_animated(True)
        self._moving.append(artist)
        return artist

    def redraw_background(self):
        """Draw everything anew at the next picture."""
        self._backgrounds.clear()

    def change_background(self, key):
        """Draw everything anew at the next picture, or take what was drawn under this key."""
        self._current_background = key

    def update(self, result):
        """Change the moving artists to show the result."""
        raise NotImplementedError

    def png(self):
        """Return the picture as PNG bytes; only the moving artists are drawn."""
        with picture.look():
            if self._current_background not in self._backgrounds:
                self._canvas.draw()
                region = self._canvas.copy_from_bbox(self.figure.bbox)
                self._backgrounds[self._current_background] = region
            # A still has put another renderer in its place.
            renderer = self._canvas.get_renderer()
            renderer.restore_region(self._backgrounds[self._current_background])
            for artist in sorted(self._moving, key=lambda artist: artist.zorder):
                artist.draw(renderer)
        return png.encode(np.asarray(self._canvas.buffer_rgba()))

    def still(self, alt, note=""):
        """Return the picture, all artists drawn, as a `Picture` for the page, a note below it."""
        return picture.still(self.figure, alt, note)
