"""The browser that the tests drive: Chromium, new and quiet."""

import functools
import http.server
import os
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
REQUIRED = "CHROMIUM" in os.environ or os.environ.get("CI") == "true"


@pytest.fixture(scope="session")
def browser():
    """Chromium; without it the tests are skipped, and in CI they fail."""
    if not CHROMIUM.exists():
        missing = pytest.fail if REQUIRED else pytest.skip
        missing(f"no browser at {CHROMIUM}; install Chromium or name it: CHROMIUM=/path/to/it")
    quiet = ["background-networking", "component-update", "sync", "quic", "gpu"]
    options = [f"--disable-{name}" for name in quiet]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--no-first-run", *options]
        )
        yield chromium
        chromium.close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def served(folder):
    """The address of a folder, on this machine, as long as it is asked for."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{httpd.server_port}"
        finally:
            httpd.shutdown()
            thread.join()
