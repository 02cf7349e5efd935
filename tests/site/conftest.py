"""The site as `make site` has built it, served on this machine, and pages that are watched."""

import re
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from chromium import browser, served  # noqa: F401  a fixture

ROOT = Path(__file__).parents[2]
SITE = ROOT / "build/site/html"
PATIENCE = 30_000  # milliseconds

sys.path.insert(0, str(ROOT / "src/site"))


def python_built():
    """Return whether the site has Python of its own."""
    return (SITE / "_static/pyodide/pyodide.js").is_file()


@pytest.fixture(scope="session")
def python():
    """Python in the pages; without it the tests are skipped."""
    if not python_built():
        pytest.skip("NO PYTHON IN THE PAGES of the site: `make site` said why")


@pytest.fixture(scope="session")
def server():
    """The address of the site."""
    with served(SITE) as address:
        yield address


class Visit:
    """A page of the site in a context of its own, and what went wrong in it."""

    def __init__(self, chromium, server, **options):
        self.server, self.loaded, self.wrong = server, set(), []
        # Colors that are still on their way would be measured.
        still = {"reduced_motion": "reduce"}
        self.context = chromium.new_context(base_url=server, **still, **options)
        self.context.set_default_timeout(PATIENCE)
        self.context.on("request", lambda request: self.loaded.add(request.url))
        self.context.on("console", self._listen)
        self.context.on("weberror", lambda error: self.wrong.append(str(error.error)))
        # A pattern is tried in the browser's driver; a function would be asked for every request.
        self.context.route(re.compile(f"^(?!{re.escape(server)}|data:)"), self._refuse)
        self.page = self.context.new_page()

    def open(self, name):
        """Open a page and wait until its letters have their fonts."""
        self.page.goto(f"/{name}", wait_until="load")
        self.page.evaluate("() => document.fonts.ready.then(() => true)")
        return self.page

    @property
    def files(self):
        """The files that the page has loaded."""
        paths = {unquote(urlsplit(url).path) for url in self.loaded if url.startswith(self.server)}
        return {SITE / path.lstrip("/") for path in paths}

    @property
    def weight(self):
        """The bytes of all that the page has loaded."""
        return sum(file.stat().st_size for file in self.files)

    def _listen(self, message):
        if message.type in ("error", "warning"):
            self.wrong.append(f"{message.text} {message.location['url']}")

    def _refuse(self, route):
        self.wrong.append(f"outside: {route.request.url}")
        route.abort()


@pytest.fixture
def visit(browser, server):  # noqa: F811
    """Return a function that opens a page; at the end nothing may have gone wrong in any."""
    visits = []

    def start(**options):
        visits.append(Visit(browser, server, **options))
        return visits[-1]

    yield start
    for visited in visits:
        visited.context.close()
    assert [wrong for visited in visits for wrong in visited.wrong] == []
