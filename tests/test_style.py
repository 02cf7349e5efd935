"""The colors of the pictures: legible on white, and told apart by color-blind readers."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.colors import rgb_to_hsv, to_rgb

from bnnotes.pictures import explorer, look

LOOKS = {name: one for name, one in vars(look).items() if isinstance(one, look.Look)}
# What linear RGB becomes for a reader without one kind of cone: Machado, Oliveira and Fernandes,
# "A Physiologically-based Model for Simulation of Color Vision Deficiency" (2009), severity 1.
SEEN = {
    "full color vision": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
# Oklab (Ottosson 2020): linear RGB to cone responses, and their cube roots to L, a, b.
CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
# A difference of 0.02 is just seen on large areas side by side; lines are thin and lie apart.
APART = 0.08


def linear(color):
    """Linear RGB of a color, by the definition of sRGB."""
    rgb = np.array(to_rgb(color))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast_to_white(color):
    """The contrast ratio of WCAG 2."""
    return 1.05 / (linear(color) @ (0.2126, 0.7152, 0.0722) + 0.05)


def difference(a, b, seen):
    """How far two colors lie apart in Oklab for a reader."""
    one, other = (LAB @ np.cbrt(CONES @ np.clip(seen @ linear(color), 0, 1)) for color in (a, b))
    return np.linalg.norm(one - other)


def test_the_oracles_know_black_and_white():
    assert contrast_to_white("black") == pytest.approx(21)
    assert contrast_to_white("#767676") == pytest.approx(4.54, abs=0.01)
    for seen in SEEN.values():
        assert difference("black", "white", seen) == pytest.approx(1, abs=0.01)
    assert difference("#ff0000", "#808000", SEEN["deuteranopia"]) < 0.2
    assert difference("#ff0000", "#808000", SEEN["full color vision"]) > 0.2


@pytest.mark.parametrize("name", LOOKS)
def test_a_line_is_seen_and_a_text_is_read_on_white(name):
    assert contrast_to_white(LOOKS[name].color) >= 3
    assert contrast_to_white(LOOKS[name].ink) >= 4.5


@pytest.mark.parametrize("reader", SEEN)
def test_every_pair_is_told_apart_by_its_color_or_by_its_dashes_or_marks(reader):
    near = [
        (a, b)
        for a, b in itertools.combinations(LOOKS, 2)
        if difference(LOOKS[a].color, LOOKS[b].color, SEEN[reader]) < APART
        and (LOOKS[a].linestyle, LOOKS[a].marker) == (LOOKS[b].linestyle, LOOKS[b].marker)
    ]
    # Two roles of one look, never in one picture.
    assert set(near) <= {("GRADIENT", "BATCH_NORM"), ("X_HAT", "CLASS_0")}


def dark(color):
    """What the filter of custom.css makes of a color: the matrix of CSS, hue turned by 180°."""
    style = (Path(explorer.__file__).parent / "custom" / "custom.css").read_text(encoding="utf-8")
    share = float(re.search(r"filter: invert\(([\d.]+)\) hue-rotate\(180deg\);", style)[1])
    turned = 2 * np.array([0.213, 0.715, 0.072]) - np.eye(3)
    return np.clip(turned @ (share + (1 - 2 * share) * np.array(to_rgb(color))), 0, 1)


def contrast(a, b):
    one, other = (0.05 + linear(color) @ (0.2126, 0.7152, 0.0722) for color in (a, b))
    return max(one, other) / min(one, other)


@pytest.mark.parametrize("name", LOOKS)
def test_a_color_is_as_legible_in_the_dark_and_the_same_color(name):
    paper = dark("white")
    assert contrast(paper, "white") > 15
    for color in {LOOKS[name].color, LOOKS[name].ink}:
        assert contrast(dark(color), paper) > min(contrast_to_white(color), 12)
        (hue, colored, _), (turned, _, _) = rgb_to_hsv(to_rgb(color)), rgb_to_hsv(dark(color))
        assert abs(turned - hue) < 3 / 360 or colored == 0


def test_signs_keep_their_colors_in_the_dark_and_zero_is_the_paper():
    signed, paper = colormaps[look.SIGNED], dark("white")
    positive = [dark(signed(0.5 + half)) for half in np.linspace(0.05, 0.5, 10)]
    negative = [dark(signed(0.5 - half)) for half in np.linspace(0.05, 0.5, 10)]
    assert all(rgb.argmax() == 0 for rgb in positive)  # red
    assert all(rgb.argmax() == 2 for rgb in negative)  # blue
    for side in (positive, negative):
        assert (np.diff([contrast(rgb, paper) for rgb in side]) > 0).all()
    assert contrast(dark(signed(0.5)), paper) < 1.1
