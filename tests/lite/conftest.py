"""JupyterLite as `make lite` has built it with Pyodide in it, served on this machine."""

import functools
import http.server
import threading
from pathlib import Path

import pytest
from chromium import browser  # noqa: F401  a fixture

LITE = Path(__file__).parents[2] / "build/lite/html"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def server():
    """The address of the pages."""
    if not (LITE / "static/pyodide").is_dir():
        pytest.skip("the pages were built without Pyodide, which could not be had")
    handler = functools.partial(_Quiet, directory=str(LITE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()
