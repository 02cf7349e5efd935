"""JupyterLite as `make lite` has built it with Pyodide in it, served on this machine."""

from pathlib import Path

import pytest
from chromium import browser, served  # noqa: F401  a fixture

LITE = Path(__file__).parents[2] / "build/lite/html"


@pytest.fixture(scope="session")
def server():
    """The address of the pages."""
    if not (LITE / "static/pyodide").is_dir():
        pytest.skip("the pages were built without Pyodide, which could not be had")
    with served(LITE) as address:
        yield address
