"""The server of `python -m bnnotes` answers nobody but the reader.

It is started on a free port and without a browser, and asked what a stranger, a page of a stranger
and the reader would ask.
"""

import http.client
import json
import os
import re
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from bnnotes.__main__ import options

BOOK = [sys.executable, "-m", "bnnotes"]
STRANGER = {"Origin": "https://stranger.example"}
LOOPBACK = ("127.", "::1")


class Server(NamedTuple):
    process: psutil.Process
    port: int
    token: str
    runtime: Path

    def listens(self):
        try:
            return self.ask("GET", "/api").status == 200
        except ConnectionRefusedError:
            return False

    def ask(self, method, path, body=None, **headers):
        """Return the answer, read and closed."""
        with closing(http.client.HTTPConnection("localhost", self.port, timeout=60)) as connection:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.text = answer.read().decode()
            return answer

    def knocks(self, path, **headers):
        return self.ask("GET", path, **headers).status


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    home = tmp_path_factory.mktemp("server")
    names = ["JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"]
    private = {name: str(home / name.lower()) for name in names}
    with subprocess.Popen(
        [*BOOK, str(home / "notebooks"), "--no-browser", "--ServerApp.port=0"],
        env={**os.environ, **private},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        said = []
        for line in process.stderr:
            said.append(line)
            if "http://" in line:
                break
        else:
            pytest.fail("the server does not start:\n" + "".join(said))
        # Read on: a server that nobody listens to stops when the pipe is full.
        listener = threading.Thread(target=said.extend, args=[process.stderr])
        listener.start()
        runtime = home / "jupyter_runtime_dir"
        (details,) = runtime.glob("jpserver-*.json")
        details = json.loads(details.read_text(encoding="utf-8"))
        server = Server(psutil.Process(process.pid), details["port"], details["token"], runtime)
        # It names its address a moment before it listens there.
        while process.poll() is None and not server.listens():
            time.sleep(0.05)
        yield server
        process.terminate()
        listener.join()


@pytest.fixture(scope="module")
def cookie(server):
    """What the reader's browser keeps once it has shown the token, and sends for any page."""
    answer = server.ask("GET", f"/lab?token={server.token}")
    assert answer.status == 200
    return "; ".join(line.split(";")[0] for line in answer.headers.get_all("Set-Cookie"))


@pytest.mark.parametrize("path", ["/api/contents", "/api/kernels", "/files/0_start_here.ipynb"])
def test_only_the_token_opens(server, path):
    assert len(server.token) >= 40
    assert server.knocks(path) in (302, 403)
    assert server.knocks(path, Authorization="token " + "0" * len(server.token)) in (302, 403)
    assert server.knocks(path, Authorization=f"token {server.token}") == 200


def test_a_stranger_gets_the_login_page_for_the_book(server):
    answer = server.ask("GET", "/lab/tree/0_start_here.ipynb")
    assert answer.status == 302 and answer.headers["Location"].startswith("/login?")


def test_the_book_opens_at_its_first_chapter(server, cookie):
    answer = server.ask("GET", "/", Cookie=cookie)
    assert answer.headers["Location"].rstrip("?") == "/lab/tree/0_start_here.ipynb"


def test_pictures_are_dark_from_the_start_where_jupyterlab_is(server, cookie):
    style = server.ask("GET", "/custom/custom.css", Cookie=cookie)
    assert style.status == 200 and "filter: invert" in style.text
    assert "/custom/custom.css" in server.ask("GET", "/lab", Cookie=cookie).text


def test_no_page_of_a_stranger_reads_or_writes_with_the_cookie_of_the_reader(server, cookie):
    assert server.knocks("/api/contents", Cookie=cookie) == 200
    refused = server.ask("GET", "/api/contents", Cookie=cookie, **STRANGER)
    assert refused.status in (403, 404)
    for path in ("/api/contents", "/lab", "/login"):
        answer = server.ask("GET", path, Cookie=cookie, **STRANGER)
        assert "Access-Control-Allow-Origin" not in answer.headers
    socket = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    socket |= {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Cookie": cookie}
    assert server.knocks("/api/events/subscribe", **socket, **STRANGER) == 403


def test_a_post_needs_more_than_the_cookie(server, cookie):
    body = json.dumps({"type": "directory"})
    for headers in ({}, STRANGER, {"X-XSRFToken": "guess"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = server.ask("POST", "/api/kernels", body, Cookie=cookie, **headers)
        assert answer.status in (403, 404), headers
    asked = server.ask("GET", "/api/kernels", Authorization=f"token {server.token}")
    assert json.loads(asked.text) == []


def test_a_name_that_a_stranger_points_to_this_machine_is_not_served(server):
    assert server.knocks("/api/contents", Host="stranger.example") == 403
    assert server.knocks("/lab", Host=f"stranger.example:{server.port}") == 403


def listening_at(process):
    # A kernel starts helpers that live for a moment only.
    with suppress(psutil.NoSuchProcess):
        connections = process.net_connections(kind="inet")
        return [c.laddr for c in connections if c.status == psutil.CONN_LISTEN]
    return []


def test_nothing_listens_beyond_this_machine(server, cookie):
    # As JupyterLab does it: with the cookie, and its second half repeated in a header.
    xsrf = re.search(r"_xsrf=([^;]+)", cookie).group(1)
    own_page = {"Cookie": cookie, "X-XSRFToken": xsrf}
    started = json.loads(server.ask("POST", "/api/kernels", "{}", **own_page).text)
    try:
        processes = [server.process, *server.process.children(recursive=True)]
        assert len(processes) > 1
        listening = [address for process in processes for address in listening_at(process)]
        assert server.port in {address.port for address in listening}
        assert not [a for a in listening if not a.ip.startswith(LOOPBACK)]
    finally:
        assert server.ask("DELETE", f"/api/kernels/{started['id']}", **own_page).status == 204


@pytest.mark.skipif(os.name != "posix", reason="other systems keep such rights elsewhere")
def test_no_other_user_of_the_machine_reads_the_token(server):
    def closed(path):
        return not path.stat().st_mode & 0o077

    secrets = [*server.runtime.glob("jpserver-*"), server.runtime / "jupyter_cookie_secret"]
    assert len(secrets) == 3
    assert closed(server.runtime) or all(map(closed, secrets))


@pytest.mark.skipif(os.name != "posix", reason="other systems have no root")
@pytest.mark.parametrize("user", [0, 1000])
def test_only_root_is_allowed_to_be_root(user, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert ("--allow-root" in options(tmp_path)) == (user == 0)


@pytest.mark.parametrize("word", ["allow_origin", "disable_check_xsrf", "token=", "password"])
def test_no_option_opens_the_server(word, tmp_path):
    assert not [option for option in options(tmp_path) if word in option]
    assert "--ServerApp.ip=localhost" in options(tmp_path)
