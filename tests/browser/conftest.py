"""One server and one browser for all tests, and a page that watches what goes wrong."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from chromium import browser  # noqa: F401  a fixture
from playwright.sync_api import expect

BOOK = Path(__file__).parents[2] / "book"
PATIENCE = 60_000  # milliseconds; compute may train a network, on a busy machine
# The notebook without asking whether to save it, and its kernel.
CLOSE = """async () => {
    const app = window.jupyterapp;
    app?.shell.currentWidget?.dispose();
    await app?.serviceManager.sessions.shutdownAll();
}"""

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The address of JupyterLab, Notebook 7 and Voila over a copy of the book."""
    home = tmp_path_factory.mktemp("jupyter")
    shutil.copytree(BOOK, home / "book", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *_options(home, port)],
        cwd=home,
        env=_private(home),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        said = []
        for line in process.stderr:
            said.append(line)
            if f"http://127.0.0.1:{port}/lab" in line:
                break
        else:
            pytest.fail("JupyterLab does not start:\n" + "".join(said))
        # Read on: a server that nobody listens to stops when the pipe is full.
        listener = threading.Thread(target=said.extend, args=[process.stderr])
        listener.start()
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        listener.join()


def _options(home, port):
    """Return the command line of a server that asks nothing, saves nothing, and fetches nothing."""
    settings = home / "settings"
    settings.mkdir()
    overrides = {
        # All cells in the page, those out of sight not drawn: as a new JupyterLab comes.
        "@jupyterlab/notebook-extension:tracker": {"windowingMode": "contentVisibility"},
        "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
        "@jupyterlab/apputils-extension:notification": {
            "fetchNews": "false",
            "checkForUpdates": False,
        },
    }
    (settings / "overrides.json").write_text(json.dumps(overrides), encoding="utf-8")
    root = ["--allow-root"] if hasattr(os, "getuid") and os.getuid() == 0 else []
    return [
        "--no-browser",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={home}",
        "--IdentityProvider.token=",
        "--KernelManager.transport_encryption=auto",
        "--LabApp.expose_app_in_browser=True",
        "--JupyterNotebookApp.expose_app_in_browser=True",
        f"--LabApp.app_settings_dir={settings}",
        f"--LabApp.user_settings_dir={home / 'user-settings'}",
        f"--JupyterNotebookApp.app_settings_dir={settings}",
        *root,
    ]


def _private(home):
    """Return the environment without the settings of the person and the machine."""
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
    }
    kept = {name: value for name, value in os.environ.items() if name != "JUPYTER_PATH"}
    private = {name: str(home / folder) for name, folder in folders.items()}
    return {**kept, **private, "JUPYTER_PREFER_ENV_PATH": "1", "PYTHONNOUSERSITE": "1"}


@pytest.fixture
def excused():
    """What the page may ask outside or complain of; a test adds what an application does."""
    # JupyterLab's debugger says so where a kernel ends while it asks, and its notebook may ask once
    # more for the focus after it was closed.
    return ["Could not restore the debugger state", "reading 'footer'"]


@pytest.fixture(scope="session")
def context(browser, server):  # noqa: F811
    """One for all tests, as a reader has it, and a list of what it complains of or asks outside.

    So JupyterLab is loaded once, and the notebooks are opened in it one after the other.
    """
    context = browser.new_context(base_url=server, viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(PATIENCE)
    said = []
    ours = (server, server.replace("http:", "ws:"), "data:", "blob:")

    def refuse(route):
        said.append(route.request.url)
        route.fulfill(body="")

    def listen(message):
        if message.type == "error":
            said.append(f"{message.text} {message.location['url']}")

    # A pattern is tried in the browser's driver; a function would be asked for every request, and
    # this process is busy with the notebook while the page loads.
    context.route(re.compile(f"^(?!{'|'.join(map(re.escape, ours))})"), refuse)
    context.on("console", listen)
    context.on("weberror", lambda error: said.append(str(error.error)))
    yield context, said
    context.close()


@pytest.fixture
def page(request, context, excused):
    """The page of the tests before, with no notebook; the test fails if it complains."""
    context, said = context
    page = context.pages[0] if context.pages else context.new_page()
    said.clear()
    failed = request.session.testsfailed
    yield page
    page.evaluate("null")  # what was said before has come when this is answered
    # What is said while a test takes the page down, no reader hears.
    heard = list(said)
    page.evaluate(CLOSE)
    if request.session.testsfailed > failed:
        page.close()  # it may show anything
    assert not [text for text in heard if not any(excuse in text for excuse in excused)]
