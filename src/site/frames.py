"""Explorers that live without a kernel: their pictures, made in advance."""

import hashlib
import io
from pathlib import Path

import ipywidgets as widgets
import jinja2
import numpy as np
from PIL import Image

from bnnotes.pictures import look

_TEMPLATES = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
TEMPLATE = jinja2.Environment(loader=_TEMPLATES, autoescape=True).get_template("explorer.html")

LONGEST = 14  # positions of the first slider
SHARPNESS = 1.25  # pixels of a picture per pixel of the page


def positions(control):
    """Return the label and the value of each position of a slider."""
    if isinstance(control, widgets.SelectionSlider):
        return list(zip(control._options_labels, control._options_values, strict=True))
    if isinstance(control, widgets.FloatLogSlider):
        values = (control.base ** _steps(control)).tolist()
    else:
        values = _steps(control).tolist()
    return [(format(value, control.readout_format), value) for value in values]


def _steps(slider):
    # At an integer slider these are integers.
    count = round((slider.max - slider.min) / slider.step)
    return slider.min + slider.step * np.arange(count + 1)


def thinned(control, most, spread):
    """Return at most some positions: both ends, where it stands, and others between."""
    all_positions = positions(control)
    values = [value for _, value in all_positions]
    start = int(np.argmin(np.abs(np.array(values) - control.value))) if _numbers(values) else None
    if start is None or len(values) <= most:
        return all_positions, values.index(control.value) if start is None else start
    kept = sorted({start, *(spread(1, len(values), most - 1).round().astype(int) - 1)})
    return [all_positions[k] for k in kept], kept.index(start)


def _numbers(values):
    return all(isinstance(value, (int, float)) for value in values)


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
        chosen = [thinned(c, *rule) for c, rule in zip(controls, rules, strict=False)]
        self.positions = [of_slider for of_slider, _ in chosen]
        self.start = [place for _, place in chosen]

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
        sliders = [
            {
                "id": f"{id}-{name}",
                "description": explorer.controls[name].description,
                "labels": [label for label, _ in of_slider],
                "start": start,
            }
            for name, of_slider, start in zip(self.names, self.positions, self.start, strict=True)
        ]
        return TEMPLATE.render(
            name=explorer.title,
            sliders=sliders,
            readout=self.readout(*self.start),
            picture=picture,
            width=size[0],
            height=size[1],
            others=[c.description for n, c in explorer.controls.items() if n not in self.names],
            states={
                "name": explorer.title,
                "labels": [slider["labels"] for slider in sliders],
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
