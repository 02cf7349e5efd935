"""A picture that is drawn once and then only where something moves."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from . import look


class Live:
    """A figure with a fixed background and artists that move.

    A subclass says its `size`. Its `draw` makes the axes with fixed limits and ticks, and registers
    every artist that changes with `moving`; its `update` changes them. Where limits or ticks must
    change, `update` calls `redraw_background`; or where they take few values `change_background`,
    for the axes registered with `rescaled`.
    """

    size = 7.4, 3.2  # inches, at 100 pixels of the page each

    def __init__(self):
        self.figure = look.new_figure(*self.size)
        self._canvas = FigureCanvasAgg(self.figure)
        self._moving, self._rescaled = [], []
        self._backgrounds, self._current_background = {}, None
        with look.settings():
            self.draw()

    def draw(self):
        """Make axes and artists, once."""
        raise NotImplementedError

    def update(self, result):
        """Change the moving artists to show the result."""
        raise NotImplementedError

    def axes(self, rows=1, columns=1, **options):
        """Return new axes in the look of the book, as `Figure.subplots` does."""
        return look.new_axes(self.figure, rows, columns, **options)

    def moving(self, artist):
        """Register and return an artist that `update` changes."""
        artist.set_animated(True)
        self._moving.append(artist)
        return artist

    def rescaled(self, axes):
        """Register axes whose vertical scale `update` changes with `change_background`."""
        # The spines are drawn over the ticks.
        for artist in (axes.yaxis, *axes.spines.values()):
            artist.set_animated(True)
            self._rescaled.append(artist)

    def line(self, axes, *style, **looks):
        """Return a line that moves, empty as yet."""
        return self.moving(axes.plot([], [], *style, **looks)[0])

    def words(self, axes, x, y, text="", **looks):
        """Return a text that moves."""
        return self.moving(axes.text(x, y, text, **looks))

    def shows(self, note, explanation):
        """Show what moves, or where there is an explanation this note alone; say which."""
        for artist in self._moving:
            artist.set_visible(not explanation)
        note.set_visible(bool(explanation))
        note.set_text(explanation)
        return not explanation

    def redraw_background(self):
        """Draw everything anew at the next picture."""
        self._backgrounds.clear()

    def change_background(self, key):
        """Draw the scales anew at the next picture, or take what was drawn under this key."""
        self._current_background = key

    def sharpen(self, pixels):
        """Draw so many pixels for each pixel of the page from now on."""
        self.figure.set_dpi(look.DPI * pixels)
        self.redraw_background()

    def png(self):
        """Return the picture as PNG bytes."""
        return encode(self.rgba())

    def _background(self, key):
        """Return what does not move; under None, without the scales that are registered."""
        if key not in self._backgrounds:
            if key is None:
                self._draw_background()
            else:
                self._canvas.get_renderer().restore_region(self._background(None))
                for artist in self._rescaled:
                    artist.draw(self._canvas.get_renderer())
            self._backgrounds[key] = self._canvas.copy_from_bbox(self.figure.bbox)
        return self._backgrounds[key]

    def _draw_background(self):
        # Before 3.9, as in Pyodide, matplotlib draws images even where they are animated.
        seen = [artist for artist in self._moving if artist.get_visible()]
        for artist in seen:
            artist.set_visible(False)
        try:
            self._canvas.draw()
        finally:
            for artist in seen:
                artist.set_visible(True)

    def rgba(self):
        """Return the picture's pixels, (height, width, 4), until the next one is drawn in them.

        Only the moving artists are drawn.
        """
        with look.settings():
            background = self._background(self._current_background)
            # A still has put another renderer in its place.
            renderer = self._canvas.get_renderer()
            renderer.restore_region(background)
            for artist in sorted(self._moving, key=lambda artist: artist.zorder):
                artist.draw(renderer)
        return np.asarray(self._canvas.buffer_rgba())


SIGNATURE = b"\x89PNG\r\n\x1a\n"
DEPTH, RGBA, REST = 8, 6, (0, 0, 0)  # bits per channel, channels; the only choices there are


def encode(rgba):
    """Return an image, (height, width, 4), as the bytes of a PNG file.

    Pillow tries five filters for every row, which takes longer than all the compression. Pictures
    with large empty areas need none.

    >>> encode(np.zeros((2, 3, 4), np.uint8))[:8] == SIGNATURE
    True
    """
    height, width, channels = rgba.shape
    # Every row begins with the number of its filter, 0 for none.
    rows = np.zeros((height, 1 + width * channels), np.uint8)
    rows[:, 1:] = rgba.reshape(height, -1)
    head = struct.pack(">2I5B", width, height, DEPTH, RGBA, *REST)
    return b"".join(
        (
            SIGNATURE,
            _chunk(b"IHDR", head),
            _chunk(b"IDAT", zlib.compress(rows, 1)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
