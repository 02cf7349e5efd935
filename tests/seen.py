"""How pictures look, and words, that no formula proves: they change on purpose only.

Each is as a person has seen it, by its digest in seen.txt. A test that fails prints all that it has
found, and the line that belongs there once that has been looked at.
"""

import hashlib
import re
from pathlib import Path

import numpy as np
from matplotlib.collections import Collection
from matplotlib.colors import to_hex
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.spines import Spine
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator

DRAWN = Line2D, Text, Patch, Collection, AxesImage
WAYS = (
    *("linestyle", "marker", "markersize", "markeredgewidth", "markevery", "fillstyle"),
    *("linewidth", "alpha", "zorder", "clip_on", "animated", "fontsize", "fontweight", "ha", "va"),
    *("rotation", "annotation_clip", "clim", "extent", "origin"),
)
SEEN = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines()
COLORS = "color", "markerfacecolor", "markeredgecolor", "facecolor", "edgecolor"


def words(text):
    """A text without its numbers, which are held to the result elsewhere."""
    return re.sub(r"[+−-]?\d[\d.]*(e[+−-]?\d+)?", "#", text)


def rounded(values):
    return [f"{round(float(v), 6) + 0:.3g}" for v in np.ravel(values)]


def style(artist):
    """What an artist looks like, and where it is if it never moves."""
    said = [next(kind.__name__ for kind in DRAWN if isinstance(artist, kind))]
    for name in WAYS:
        if hasattr(artist, f"get_{name}"):
            value = getattr(artist, f"get_{name}")()
            said.append(f"{name} {rounded(value) if isinstance(value, float) else value}")
    for name in COLORS:
        if hasattr(artist, f"get_{name}"):
            colors = getattr(artist, f"get_{name}")()
            several = colors if np.ndim(colors) == 2 else [colors]
            said += [name, *sorted({to_hex(color, keep_alpha=True) for color in several})[:9]]
    place = ()
    if isinstance(artist, Text):
        box = artist.get_bbox_patch()
        said.append(words(artist.get_text()))
        said += [to_hex(box.get_fc()), to_hex(box.get_ec())] if box else []
        place = *artist.get_position(), *getattr(artist, "xy", ())
    if isinstance(artist, Line2D) and len(artist.get_xydata()) <= 4:  # no curve, a mark
        place = artist.get_xydata()
    if isinstance(artist, Patch):
        place = artist.get_transform().transform_path(artist.get_path()).get_extents().bounds
    return " ".join(said + rounded([] if artist.get_animated() else place))


def look_of(figure):
    """A figure, artist by artist, in the order in which they were made."""
    lines = [f"{rounded(figure.get_size_inches())}"]
    for ax in figure.axes:
        edges = [name for name, spine in ax.spines.items() if spine.get_visible()]
        lines.append(f"{rounded(ax.get_position().bounds)} {edges} {ax.axison} {ax.get_aspect()}")
        for axis in (ax.xaxis, ax.yaxis):
            if isinstance(ticks := axis.get_major_locator(), FixedLocator):
                texts = getattr(axis.get_major_formatter(), "seq", ())
                lines.append(f"{rounded(ticks.locs)} {[words(text) for text in texts]}")
        own = [artist for artist in ax.get_children() if isinstance(artist, DRAWN)]
        lines += [style(a) for a in own if not isinstance(a, Spine) and a is not ax.patch]
    for legend in filter(None, (*figure.legends, *(ax.get_legend() for ax in figure.axes))):
        lines += [f"framed {legend.get_frame_on()}", *map(style, legend.get_texts())]
    return lines + [style(text) for text in figure.texts]


def unchanged(name, lines):
    found = hashlib.blake2b("\n".join(lines).encode(), digest_size=4).hexdigest()
    assert f"{found} {name}" in SEEN, "\n".join([*lines, "", f"{found} {name}"])
