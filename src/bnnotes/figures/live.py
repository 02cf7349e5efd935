"""Figures that are drawn once and then only where something moves."""

from __future__ import annotations

import io

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from . import picture, style


class LiveFigure:
    """A figure with a fixed background and artists that move.

    A subclass makes its axes in ``__init__`` with fixed limits and ticks,
    registers every artist that changes with `moving`, and changes them in
    ``update(result)``. Where limits or ticks must change, it calls
    `redraw_background`.

    Parameters
    ----------
    width, height : float
        In inches, at 100 pixels each.
    """

    def __init__(self, width, height):
        self.figure = picture.new_figure(width, height)
        self._canvas = FigureCanvasAgg(self.figure)
        self._moving = []
        self._background = None

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
        self._background = None

    def update(self, result):
        """Change the moving artists to show the result."""
        raise NotImplementedError

    def png(self):
        """Return the picture as PNG bytes; only the moving artists are drawn."""
        with mpl.rc_context(style.RC):
            if self._background is None:
                self._canvas.draw()
                self._background = self._canvas.copy_from_bbox(self.figure.bbox)
            self._canvas.restore_region(self._background)
            renderer = self._canvas.get_renderer()
            for artist in sorted(self._moving, key=lambda artist: artist.zorder):
                artist.draw(renderer)
        size = self._canvas.get_width_height()
        image = Image.frombuffer("RGBA", size, self._canvas.buffer_rgba()).convert("RGB")
        out = io.BytesIO()
        # A light compression: the default one takes longer than all the drawing.
        image.save(out, "png", compress_level=1)
        return out.getvalue()

    def still(self, alt, note=""):
        """Return the picture, all artists drawn, as a `Picture` for the page, a note below it."""
        result = picture.still(self.figure, alt, note)
        # Saving at another resolution has replaced the renderer.
        self.redraw_background()
        return result
