"""Every page of the site, as a reader meets it."""

import gzip
import json
import re
from html.parser import HTMLParser
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import ROOT, SITE, python_built
from playwright.sync_api import expect

from bnnotes.pictures import look

FILES = {path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html")}
PAGES = sorted(name for name in FILES if not name.startswith("lite/"))
CHAPTERS = sorted(path.with_suffix(".html").name for path in ROOT.glob("book/*.ipynb"))
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 375, "height": 800}}
MOST = 300_000  # bytes
WIDTH = "() => document.documentElement.scrollWidth"
# Delimiters that are not as tall as their formula asks for.
SMALL = """() => [...document.querySelectorAll('math mo[minsize]')].filter((mo) => {
    const wanted = parseFloat(mo.getAttribute('minsize')), { fontSize } = getComputedStyle(mo);
    return mo.getBoundingClientRect().height < 0.99 * wanted * parseFloat(fontSize);
}).map((mo) => mo.outerHTML)"""
FILTER = "() => getComputedStyle(document.querySelector('.cell_output img')).filter"


def test_every_notebook_has_its_page():
    assert {*CHAPTERS, "index.html", "search.html", "api/batchnorm.html"} <= set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_and_fits_its_window(visit, name):
    visited = visit(viewport=SIZES["desktop"], color_scheme="light")
    page = visited.open(name)
    assert page.evaluate(WIDTH) <= SIZES["desktop"]["width"]
    assert page.evaluate(SMALL) == []
    assert serious(page) == []
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert serious(page, only=["color-contrast"]) == []
    page.set_viewport_size(SIZES["phone"])
    assert page.evaluate(WIDTH) <= SIZES["phone"]["width"]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_light_besides_its_pictures(visit, name):
    visited = visit(viewport=SIZES["desktop"])
    visited.open(name)
    files = {file for file in visited.files if file.parent != SITE / "pictures"}
    assert SITE / name in files
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) <= MOST
    # Where a server does not pack, the texts themselves come on top, or the index of the search.
    unpacked = files - {SITE / name, SITE / "searchindex.js"}
    assert sum(file.stat().st_size for file in unpacked) <= MOST


def serious(page, only=None):
    """Return what axe-core finds that keeps a reader out: the rule and where it is broken."""
    options = {"resultTypes": ["violations"], "preload": False}
    if only:
        options["runOnly"] = {"type": "rule", "values": only}
    found = Axe().run(page, options=options).response["violations"]
    return [
        (rule["id"], [node["html"][:200] for node in rule["nodes"]][:5])
        for rule in found
        if rule["impact"] in ("serious", "critical")
    ]


class _Links(HTMLParser):
    """The addresses that a page names and the ids that it has."""

    def __init__(self, name):
        super().__init__()
        self.links, self.ids, self.policy = [], set(), None
        self.inline = []
        self.feed((SITE / name).read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids.add(attributes.get("id"))
        self.links += [attributes[key] for key in ("href", "src") if attributes.get(key)]
        if attributes.get("http-equiv") == "Content-Security-Policy":
            self.policy = attributes["content"]
        if tag == "script" and "src" not in attributes and attributes.get("type") is None:
            self.inline.append(tag)
        self.inline += [key for key in attributes if key.startswith("on")]


PARSED = {name: _Links(name) for name in PAGES}


@pytest.mark.parametrize("name", PAGES)
def test_every_link_within_the_site_leads_somewhere(name):
    lost = []
    for link in PARSED[name].links:
        target = urlsplit(urljoin(f"//site/{name}", link))
        path, fragment = unquote(target.path).lstrip("/"), unquote(target.fragment)
        if target.netloc != "site" or target.scheme:
            continue
        known = PARSED.get(path or "index.html")
        if not (SITE / path).is_file() or (fragment and known and fragment not in known.ids):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_may_load_nothing_from_outside_and_run_no_script_of_its_own(name):
    directives = dict(part.split(maxsplit=1) for part in PARSED[name].policy.split("; "))
    assert directives["default-src"] == "'self'"
    # Where Python runs: WebAssembly, and workers, of which the page makes one for foreign code,
    # under the same policy.
    python = {"script-src": "'self' 'wasm-unsafe-eval'", "connect-src": "'self'"}
    python |= {"worker-src": "'self' blob:"}
    runs_python = "script-src" in directives
    assert runs_python == ("python.js" in " ".join(PARSED[name].links) and python_built())
    if runs_python:
        assert python.items() <= directives.items()
    elsewhere = {key: value for key, value in directives.items() if key not in python}
    sources = {source for value in elsewhere.values() for source in value.split()}
    assert not [source for source in sources if re.search(r"[.*:/]", source) and source != "data:"]
    assert not [source for source in sources if source.startswith("'unsafe")]
    assert PARSED[name].inline == []


def test_the_text_leads_to_the_numbered_equations_and_to_the_ledger():
    links = {link for parsed in PARSED.values() for link in parsed.links}
    targets = {urlsplit(link).fragment for link in links}
    assert {f"equation-{number}" for number in range(1, 7)} <= targets
    assert "ledger.html#ledger-s17" in PARSED["errata.html"].links


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_leads_to_its_notebook_and_to_how_to_run_it(name):
    notebook = f"{name.removesuffix('.html')}.ipynb"
    links = PARSED[name].links
    assert {f"notebooks/{notebook}", "run.html"} <= set(links)
    assert (SITE / "notebooks" / notebook).read_bytes() == (ROOT / "book" / notebook).read_bytes()
    assert (f"lite/lab/index.html?path={notebook}" in links) == (SITE / "lite").is_dir()


def test_what_was_read_and_solved_is_shown_exported_and_deleted(visit):
    page = visit(viewport=SIZES["desktop"]).open("2_batch_normalization.html")
    link = page.locator(".bd-links a", has_text="2 · Batch")
    expect(link).to_have_attribute("data-progress", "")
    page.get_by_label("2.1 solved").check()
    expect(link).to_have_attribute("data-progress", "1 solved")
    page.locator(".prev-next-footer").scroll_into_view_if_needed()
    expect(link).to_have_attribute("data-progress", "read, 1 solved")
    page.goto("/index.html")
    expect(link).to_have_attribute("data-progress", "read, 1 solved")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Export").click()
    kept = json.loads(saved.value.path().read_text(encoding="utf-8"))
    assert kept == {"read": ["2_batch_normalization.html"], "solved": ["2.1"]}
    page.get_by_role("button", name="Delete").click()
    expect(link).to_have_attribute("data-progress", "")
    page.goto("/2_batch_normalization.html")
    expect(page.get_by_label("2.1 solved")).not_to_be_checked()


@pytest.mark.parametrize("name", ["2_batch_normalization.html", "5_error_propagation.html"])
def test_on_a_phone_letters_are_legible_and_a_tap_enlarges(visit, name):
    page = visit(viewport=SIZES["phone"]).open(name)
    pictures = page.locator(".cell_output img")
    sizes = pictures.evaluate_all("all => all.map(one => one.getAttribute('width'))")
    widths = pictures.evaluate_all("all => all.map(one => one.clientWidth)")
    letter = look.FONT_SIZE * look.DPI / 72  # pixels, where a picture has its own size
    assert min(w / int(s) for w, s in zip(widths, sizes, strict=True)) * letter >= 9
    pictures.first.click()
    large = page.get_by_role("dialog").locator("img")
    assert large.evaluate("one => one.clientWidth") > widths[0]
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_reader_chooses_light_or_dark(visit):
    page = visit(viewport=SIZES["desktop"]).open("3_single_neuron.html")
    for system, choice, dark in (
        *(("light", None, False), ("dark", None, True), ("light", "Dark", True)),
        *(("dark", "Light", False), ("dark", "System Settings", True), ("light", None, False)),
    ):
        page.emulate_media(color_scheme=system)
        if choice:
            page.get_by_role("button", name="Color mode").click()
            page.get_by_role("button", name=choice).click()
        page.reload()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark" if dark else "light")
        assert ("invert" in page.evaluate(FILTER)) == dark


def test_paper_is_white(visit):
    page = visit(viewport=SIZES["desktop"], color_scheme="dark").open("index.html")
    themes = page.evaluate(
        """() => ["beforeprint", "afterprint"].map((event) => {
            dispatchEvent(new Event(event));
            return document.documentElement.dataset.theme;
        })"""
    )
    assert themes == ["light", "dark"]


def test_a_phone_scrolls_a_wide_formula_in_its_own_box(visit):
    page = visit(viewport=SIZES["phone"]).open("errata.html")
    for box in page.locator("div.math[tabindex], span.math.wide").all():
        box.evaluate("box => { box.scrollLeft = 10_000; }")
        assert box.evaluate("box => box.scrollLeft + box.clientWidth >= box.scrollWidth - 1")
        # Its left end is not lost beyond the edge.
        box.evaluate("box => { box.scrollLeft = 0; }")
        formula, edge = (place.bounding_box()["x"] for place in (box.locator("math"), box))
        assert formula >= edge - 1
    assert page.locator("div.math[tabindex]").count() > 3


def test_the_search_finds_a_chapter(visit):
    page = visit().open("search.html?q=projector")
    expect(page.locator("#search-results a").first).to_be_visible()
    found = page.locator("#search-results a").evaluate_all("links => links.map(a => a.href)")
    assert any("3_single_neuron" in link for link in found)


def test_the_keyboard_goes_past_the_navigation_and_shows_where_it_is(visit):
    page = visit(viewport=SIZES["desktop"]).open(CHAPTERS[0])
    page.keyboard.press("Tab")
    skip = page.locator(":focus")
    expect(skip).to_have_text("Skip to main content")
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.url.endswith("#main-content")
    slider = page.locator(".explorer input").first
    for _ in range(60):
        page.keyboard.press("Tab")
        assert (
            page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle") != "none"
        )
        if slider.evaluate("slider => slider === document.activeElement"):
            break
    else:
        pytest.fail("the slider is no tab stop")
