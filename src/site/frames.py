"""Explorers that live without a kernel: their pictures, made in advance."""

import hashlib
import io
from pathlib import Path

import jinja2
import numpy as np
from PIL import Image
from positions import positions

from bnnotes.pictures import look

_TEMPLATES = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
TEMPLATE = jinja2.Environment(loader=_TEMPLATES, autoescape=True).get_template("explorer.html")

LONGEST = 10  # positions of the first slider
SHARPNESS = 2  # pixels of a picture per pixel of the page: as on most phones and laptops


def thinned(control, most, spread):
    """Return the places of at most some positions: both ends, where it stands, others between."""
    count, start = len(positions(control)), standing(control)
    if not _numbers(control) or count <= most:
        return list(range(count))
    kept = spread(1, count, most - 1).round().astype(int) - 1
    return sorted({start, *kept.tolist()})


def standing(control):
    """Return the place where a slider stands."""
    values = [value for _, value in positions(control)]
    if _numbers(control):
        return int(np.argmin(np.abs(np.array(values) - control.value)))
    return values.index(control.value)


def _numbers(control):
    return all(isinstance(value, (int, float)) for _, value in positions(control))


class Frames:
    """The pictures of an explorer over its first slider and one more.

    Parameters
    ----------
    explorer : Explorer
    """

    def __init__(self, explorer):
        self.explorer = explorer
        first, *others = explorer.controls
        self.names = [first]
        if others:
            self.names.append(explorer.second or others[0])
        controls = [explorer.controls[name] for name in self.names]
        spread = np.geomspace if first == "M_B" else np.linspace
        rules = (LONGEST, spread), (explorer.places, np.linspace)
        self.places = [thinned(c, *rule) for c, rule in zip(controls, rules, strict=False)]
        pairs = list(zip(controls, self.places, strict=True))
        self.positions = [[positions(c)[place] for place in places] for c, places in pairs]
        self.start = [places.index(standing(c)) for c, places in pairs]

    def values(self, *places):
        """Return the arguments of `compute` where the sliders stand at these places."""
        moved = zip(self.names, self.positions, places, strict=True)
        own = {name: of_slider[place][1] for name, of_slider, place in moved}
        return {**self.explorer.values, **own}

    def readout(self, *places):
        """Return what the explorer says there."""
        return self.explorer.say(self.explorer.compute(**self.values(*places)))

    def sheets(self):
        """Yield for each position of the second slider one picture, of all of the first's."""
        places = range(len(self.positions[0]))
        for other in np.ndindex(*(len(of_slider) for of_slider in self.positions[1:])):
            yield [self._picture(place, *other) for place in places]

    def _picture(self, *places):
        self.explorer.update(self.explorer.compute(**self.values(*places)))
        with Image.open(io.BytesIO(self.explorer.png())) as png:
            return png.convert("RGB")

    def write(self, folder):
        """Write the pictures and return the HTML that shows them, in files of that folder."""
        figure = self.explorer.figure
        dpi = figure.dpi
        figure.set_dpi(dpi * SHARPNESS)
        self.explorer.redraw_background()
        try:
            rows = list(self.sheets())
        finally:
            figure.set_dpi(dpi)
            self.explorer.redraw_background()
        files = [save(_joined(row), folder) for row in rows]
        first = rows[self.start[1] if self.start[1:] else 0][self.start[0]]
        size = [round(length / SHARPNESS) for length in first.size]
        return self._html(save(first, folder), files, size)

    def _html(self, picture, sheets, size):
        explorer, shape = self.explorer, [len(of_slider) for of_slider in self.positions]
        readouts = [
            [self.readout(place, *other) for place in range(shape[0])]
            for other in np.ndindex(*shape[1:])
        ]
        id = explorer.key.replace(".", "-")
        framed = dict(zip(self.names, self.places, strict=True))
        sliders = [
            {
                "id": f"{id}-{name}",
                "description": control.description,
                "labels": [label for label, _ in positions(control)],
                "frames": framed.get(name),
                "start": standing(control),
            }
            for name, control in explorer.controls.items()
        ]
        return TEMPLATE.render(
            name=explorer.title,
            sliders=sliders,
            readout=self.readout(*self.start),
            picture=picture,
            width=size[0],
            height=size[1],
            others=[slider["description"] for slider in sliders if slider["frames"] is None],
            states={
                "key": explorer.key,
                "name": explorer.title,
                "sliders": sliders,
                "order": [list(explorer.controls).index(name) for name in self.names],
                "sharpness": SHARPNESS,
                "sheets": sheets,
                "readouts": readouts,
            },
        )


def _joined(pictures):
    """Put pictures of one size below one another."""
    width, height = pictures[0].size
    sheet = Image.new("RGB", (width, height * len(pictures)))
    for k, picture in enumerate(pictures):
        sheet.paste(picture, (0, k * height))
    return sheet


def save(picture, folder, key=None):
    """Write a picture as WebP and return its address in the page.

    Its name is made of its pixels or of the key; with a key, a file that is there is kept.
    """
    name = f"{hashlib.sha256(key or picture.tobytes()).hexdigest()[:16]}.webp"
    if not (folder / name).exists():
        few = look.few_colors(picture.convert("RGB")).convert("RGB")
        few.save(folder / name, "webp", lossless=True, method=3)
    return f"pictures/{name}"
