"""The frames of the pages without a kernel: each is the picture and the words of its state."""

import html
import io
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bnnotes.pictures.explorer import Explorer, batch_size, registry, slider

SITE = Path(__file__).parents[1] / "src" / "site"
sys.path.insert(0, str(SITE))
import frames  # noqa: E402


class Bars(Explorer):
    """Bars over a batch."""

    size, second, places = (2, 1), "height", 3
    M_B = batch_size(range(1, 40), 4)
    unused = slider("of no use", 0, min=0, max=9)
    height = slider("height", 0.5, min=0.0, max=1.0, step=0.125, readout_format=".3f")

    def compute(self, M_B, unused, height):
        return M_B, height

    def draw(self):
        ax = self.axes()
        ax.set(xlim=(0, 40), ylim=(0, 1))
        (line,) = ax.plot([], [], lw=5)
        self._line = self.moving(line)

    def update(self, result):
        self._line.set_data([0, result[0]], [0, result[1]])

    def say(self, result):
        return f"{result[0]} bars <{result[1]:.3f}>"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "pictures"
    folder.mkdir()
    one = frames.Frames(Bars())
    return one, one.write(folder), folder


def live(values, dpi):
    """The picture that an explorer of its own gives at these values, as fine as the page's."""
    explorer = Bars()
    explorer.figure.set_dpi(dpi)
    explorer.redraw_background()
    explorer.set(**values)
    return np.asarray(Image.open(io.BytesIO(explorer.png())).convert("RGB"), int)


def test_the_places_hold_both_ends_and_the_start(made):
    one, _, _ = made
    assert one.names == ["M_B", "height"]
    sizes, heights = ([value for _, value in of] for of in one.positions)
    assert 8 <= len(sizes) <= frames.LONGEST and sizes[:2] == [1, 2] and sizes[-1] == 39
    assert sizes[one.start[0]] == 4 and heights[one.start[1]] == 0.5
    assert heights == [0.0, 0.5, 1.0]
    assert sizes == sorted(set(sizes)) and {0.0, 1.0} <= set(heights)
    for of_slider, form in zip(one.positions, ("{}", "{:.3f}"), strict=True):
        assert all(label == form.format(value) for label, value in of_slider)


def test_each_frame_is_the_picture_and_the_words_of_its_state(made):
    one, page, folder = made
    states = json.loads(page.partition('application/json">')[2].partition("</script>")[0])
    assert states["name"] == "Bars over a batch"
    for place, of_slider in zip(states["order"], one.positions, strict=True):
        slider = states["sliders"][place]
        assert [slider["labels"][k] for k in slider["frames"]] == [label for label, _ in of_slider]
    starts = [slider["labels"][slider["start"]] for slider in states["sliders"]]
    assert starts == ["4", "0", "0.500"]
    dpi = 100 * frames.SHARPNESS
    for row, (_, height) in enumerate(one.positions[1]):
        sheet = Image.open(folder / Path(states["sheets"][row]).name).convert("RGB")
        pictures = np.split(np.asarray(sheet, int), len(one.positions[0]))
        for place, (_, M_B) in enumerate(one.positions[0]):
            assert states["readouts"][row][place] == f"{M_B} bars <{height:.3f}>"
            if place % 4 == 0:
                wanted = live({"M_B": M_B, "height": height}, dpi)
                assert np.abs(pictures[place] - wanted).max() < 128
                assert np.abs(pictures[place] - wanted).mean() < 0.5
    shown = re.search(r'<img src="pictures/([^"]+)"', page)[1]
    first = np.asarray(Image.open(folder / shown).convert("RGB"), int)
    assert np.abs(first - live({"M_B": 4, "height": 0.5}, dpi)).mean() < 0.5
    # The explorer is as fine as before, and the page begins where its sliders do.
    assert one.explorer.figure.dpi == 100
    assert html.escape("4 bars <0.500>", quote=False) in page
    assert 'width="200"' in page and 'height="100"' in page and "of no use" in page


def test_the_frames_of_the_book_are_at_most_so_many_and_say_what_the_class_says():
    for key in ("batchnorm.Normalization", "sample_space.Weight", "wrong_gradients.GradientCheck"):
        explorer = registry()[key]()
        one = frames.Frames(explorer)
        assert len(one.positions[0]) <= frames.LONGEST
        assert len(one.positions[1]) <= explorer.places
        assert one.values(*one.start) == explorer.values
        last = [len(of) - 1 for of in one.positions]
        explorer.set(**one.values(*last))
        assert one.readout(*last) == explorer.readout
        for name, of_slider in zip(one.names, one.positions, strict=True):
            assert explorer.controls[name].value == of_slider[-1][1]
