"""What the pages load, cut to what they show: rules of the style sheets, glyphs of the fonts."""

import html
import re
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import tinycss2
from fontTools import subset

STIX = Path(find_spec("ziamath").origin).parent / "fonts/STIXTwoMath-Regular.ttf"
# A browser draws single letters in the italics of the math alphabet, ℎ apart, and roots with √.
ITALICS = [*range(0x1D434, 0x1D468), *range(0x1D6E2, 0x1D71C), ord("ℎ"), ord("√")]
TALLEST = 2400  # thousandths of an em: no delimiter of the book is taller
NAMES = re.compile(r'\b(?:class|id)="([^"]*)"')
STRINGS = re.compile(r""""[^"\n]*"|'[^'\n]*'|`[^`]*`""")


def cut(site):
    """Cut the theme's style sheets and its icons, and write the font of the formulas."""
    pages = "".join(page.read_text(encoding="utf-8") for page in site.rglob("*.html"))
    static = site / "_static"
    named = set(" ".join(map(html.unescape, NAMES.findall(pages))).split())
    for script in static.glob("**/*.js"):
        for string in STRINGS.findall(script.read_text(encoding="utf-8")):
            named.update(re.findall(r"[\w-]+", string))
    icons = set()
    for style in static.glob("**/*.css"):
        if style.name != "site.css":  # ours
            rules = tinycss2.parse_stylesheet(style.read_text(encoding="utf-8"), True, True)
            text = tinycss2.serialize(kept(rules, named))
            style.write_text(text, encoding="utf-8")
            icons.update(re.findall("[\uf000-\uf8ff]", text))
    for font in static.glob("vendor/**/*.woff2"):
        write_font(font, map(ord, icons), font)
    formulas = "".join(re.findall(r"<math.*?</math>", pages, re.DOTALL))
    letters = html.unescape(re.sub("<[^>]*>", "", formulas))
    write_font(STIX, [*map(ord, letters), *ITALICS], static / "stix-two-math.woff2")


def kept(rules, named):
    """Return the rules without those for classes and ids that no page and no script names."""
    rest = []
    for rule in rules:
        if rule.type == "qualified-rule":
            selectors = [s for s in split(rule.prelude) if wanted(s, named)]
            if not selectors:
                continue
            comma = tinycss2.parse_one_component_value(",")
            rule.prelude = [token for s in selectors for token in (*s, comma)][:-1]
        elif rule.type == "at-rule" and rule.lower_at_keyword in ("media", "supports", "container"):
            rule.content = kept(tinycss2.parse_rule_list(rule.content, True, True), named)
            if not rule.content:
                continue
        rest.append(rule)
    return rest


def split(prelude):
    """Return the selectors of a rule."""
    selectors = [[]]
    for token in prelude:
        if token == ",":
            selectors.append([])
        else:
            selectors[-1].append(token)
    return selectors


def wanted(selector, named):
    """Return whether all classes and ids are named; within :not() and the like any may be."""
    classes = [b.value for a, b in pairwise(selector) if a == "." and b.type == "ident"]
    ids = [token.value for token in selector if token.type == "hash"]
    return named.issuperset(classes + ids)


def write_font(source, characters, file):
    """Write the glyphs of these characters as WOFF2."""
    options = subset.Options(flavor="woff2", hinting=False, layout_features=[])
    options.name_IDs += [13, 14]  # the license
    font = subset.load_font(source, options)
    if "MATH" in font:
        set_scripts(font)
        narrow(font)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=characters)
    cutter.subset(font)
    subset.save_font(font, file, options)


def set_scripts(font):
    """Let the scripts of all letters stand at one height.

    What TeX does for fractions and the like, a browser does for letters too, so that the s of u_s
    would stand higher than that of y_s. The values are those of TeX's fonts.
    """
    constants = font["MATH"].table.MathConstants
    constants.SubscriptBaselineDropMin.Value = 50
    constants.SuperscriptBaselineDropMax.Value = 386


def narrow(font):
    """Make delimiters and roots narrow: Chromium gives each the room of its widest form."""
    variants = font["MATH"].table.MathVariants
    forms = zip(variants.VertGlyphCoverage.glyphs, variants.VertGlyphConstruction, strict=True)
    for base, form in forms:
        larger = form.MathGlyphVariantRecord
        form.MathGlyphVariantRecord = [one for one in larger if one.AdvanceMeasurement <= TALLEST]
        form.VariantCount = len(form.MathGlyphVariantRecord)
        if form.VariantCount > 1:  # a bar has no larger form: it is put together, and no wider
            form.GlyphAssembly = None
        if base == font.getBestCmap()[ord("√")]:
            for one in form.MathGlyphVariantRecord:
                squeeze(font, one.VariantGlyph, font["hmtx"][base][0])


def squeeze(font, name, width):
    """Give a glyph another width."""
    glyph, (old, bearing) = font["glyf"][name], font["hmtx"][name]
    glyph.coordinates.scale((width / old, 1))
    glyph.recalcBounds(font["glyf"])
    font["hmtx"][name] = width, round(bearing * width / old)
