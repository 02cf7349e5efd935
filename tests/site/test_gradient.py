"""The page that reviews its reader's code, by Python in the page, with nothing from outside."""

import html
import http.server
import json
import re
import threading
from urllib.parse import urlencode

import policy
import pytest
from conftest import SITE
from playwright.sync_api import expect
from test_site import SIZES, WIDTH, serious

import browser_python
import build
from bnnotes import review

PATIENCE = 300_000  # milliseconds, for Python to load on a busy machine
LOOP = "def batchnorm_backward(dout, cache):\n    while True:\n        pass\n"


@pytest.fixture
def start(visit, python):
    """Return a function that opens the page."""

    def opened(fragment="", **options):
        page = visit(**{"viewport": SIZES["desktop"], **options}).open(f"gradient.html{fragment}")
        page.set_default_timeout(PATIENCE)
        return page

    return opened


def run(page, key=None):
    """Ask for a review and return what is said of it."""
    said = page.locator("#gradient-said")
    said.evaluate("said => { said.textContent = ''; }")
    if key:
        page.keyboard.press(key)
    else:
        page.get_by_role("button", name="Review", exact=True).click()
    expect(said).to_have_text(re.compile(r"[^…]$"), timeout=PATIENCE)
    expect(page.locator("#gradient-stop")).to_be_hidden()
    return said.text_content()


def examples():
    page = (SITE / "gradient.html").read_text(encoding="utf-8")
    (data,) = re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    return json.loads(data)


def cells(text):
    """Return the cells of a report's table."""
    return [html.unescape(cell) for cell in re.findall(r"<t[dh](?: [^>]*)?>(.*?)</t[dh]>", text)]


def test_every_example_gets_the_report_that_python_gives_here(start):
    page = start()
    verdicts = set()
    for example in examples():
        page.get_by_role("button", name=example["title"]).click()
        expect(page.get_by_label("Your code")).to_have_value(example["text"])
        run(page)
        scope = {"__name__": "yours"}
        exec(compile(example["text"], "yours.py", "exec"), scope)
        layer = scope.get("Layer") or scope["batchnorm_backward"]
        wanted = review.batchnorm_backward(layer, forward=scope.get("batchnorm_forward"))
        report = page.locator("#gradient-report")
        expect(report).to_contain_text(wanted.diagnosis)
        expect(report).to_have_attribute("data-verdict", wanted.verdict)
        shown = report.locator("td, th").all_text_contents()
        assert shown == cells(wanted._repr_html_())
        verdicts.add(wanted.verdict)
    assert verdicts == {"right", "wrong"}


def test_a_loop_without_end_is_stopped_and_the_next_review_runs(start):
    page = start()
    run(page)
    page.get_by_label("Your code").fill(LOOP)
    page.get_by_role("button", name="Review", exact=True).click()
    expect(page.locator("#gradient-said")).to_contain_text("Reviewing", timeout=PATIENCE)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#gradient-said")).to_have_text("Stopped")
    expect(page.locator("#gradient-report")).to_be_empty()  # no report of another text
    page.get_by_role("button", name="Review", exact=True).click()
    said = page.locator("#gradient-said")
    expect(said).to_contain_text(f"Stopped after {build.SECONDS} seconds", timeout=PATIENCE)
    page.get_by_role("button", name=examples()[0]["title"]).click()
    assert run(page) == "Wrong"


def test_what_cannot_run_is_said_in_words_and_as_text(start):
    page = start()
    report = page.locator("#gradient-report")
    for code, wanted in (
        ("def batchnorm_backward(dout, cache:\n", "line 1: '(' was never closed"),
        ("import torch\ndef backward(dout): pass\n", "No module named 'torch'"),
        ("raise ValueError('<img src=x onerror=alert(1)>')\ndef f(): pass", "<img src=x onerror"),
        ("", "your text has no"),
    ):
        page.get_by_label("Your code").fill(code)
        assert run(page) == "It could not be reviewed"
        expect(report).to_contain_text(wanted)
        expect(report.locator("img")).to_have_count(0)
    # What Python raises by itself comes without its traceback.
    raised = """async () => {
        const python = new Python("page_review");
        await python.start(() => {});
        return python.ask("report", [0, "", ""]).catch((error) => error.message);
    }"""
    assert page.evaluate(raised).startswith("TypeError: compile()")


class _Open(http.server.BaseHTTPRequestHandler):
    """Answers every page that asks, and remembers that it was asked."""

    asked = []  # noqa: RUF012

    def do_GET(self):
        self.asked.append(self.path)
        self.send_response(200)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()
        self.wfile.write(b"an answer")

    def log_message(self, *_):
        pass


def test_the_code_may_ask_no_other_server(visit, python, server):
    visited = visit(viewport=SIZES["desktop"])
    page = visited.open("gradient.html")
    text, report = page.get_by_label("Your code"), page.locator("#gradient-report")
    code = "from pyodide.http import open_url\nopen_url('{}')\ndef backward(dout): pass\n"
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Open) as other:
        thread = threading.Thread(target=other.serve_forever)
        thread.start()
        text.fill(code.format(f"http://127.0.0.1:{other.server_port}/"))
        run(page)
        expect(report).to_contain_text("NetworkError")
        assert _Open.asked == []
        visited.wrong.clear()  # the console says what the policy did
        # Its own server answers, so it was the policy.
        text.fill(code.format(f"{server}/index.html"))
        run(page)
        expect(report).not_to_contain_text("NetworkError")
        expect(report).to_contain_text("backward")
        other.shutdown()
        thread.join()


def test_a_link_holds_the_text_and_runs_nothing_by_itself(start):
    text = "# a & b = ½ + 100%\nimport numpy as np\n" + examples()[1]["text"]
    fragment = urlencode({"as": "batchnorm_forward", "name": "Layer", "code": text})
    page = start(f"#{fragment}")
    expect(page.get_by_label("Your code")).to_have_value(text)
    expect(page.get_by_label("Review as")).to_have_value("batchnorm_forward")
    expect(page.locator("#gradient-said")).to_be_empty()
    page.get_by_label("Your code").press("Control+End")
    page.keyboard.type("# more")
    page.get_by_role("button", name="Link to this text").click()
    page.reload()
    expect(page.get_by_label("Your code")).to_have_value(f"{text}# more")


def test_by_keyboard_on_a_phone_in_the_dark(start):
    page = start(viewport=SIZES["phone"], color_scheme="dark")
    page.get_by_label("Your code").focus()
    page.keyboard.press("Control+Home")
    page.keyboard.type("def f():")
    page.keyboard.press("Enter")
    page.keyboard.type("return 1\n")
    assert page.get_by_label("Your code").input_value().startswith("def f():\n    return 1\n    ")
    page.get_by_role("button", name=examples()[0]["title"]).press("Enter")
    page.get_by_label("Review as").focus()
    page.get_by_label("Your code").focus()
    assert run(page, key="Control+Enter") == "Wrong"
    page.keyboard.press("Tab")
    expect(page.get_by_label("Review as")).to_be_focused()
    assert page.evaluate(WIDTH) <= SIZES["phone"]["width"]
    assert serious(page) == []


def test_python_from_its_own_distribution_is_all_that_the_policy_opens():
    own, other = policy.live("_static/pyodide/"), policy.live(browser_python.DISTRIBUTION)
    assert own.keys() == other.keys()
    for name, sources in other.items():
        added = set(sources.split()) - set(own[name].split())
        loads = name in ("script-src", "connect-src")
        assert added == ({browser_python.DISTRIBUTION} if loads else set())


def test_a_file_with_another_hash_is_refused(tmp_path, monkeypatch):
    name = "numpy-2.0.2-cp312-cp312-pyodide_2024_0_wasm32.whl"
    for core in browser_python.CORE:
        (tmp_path / core).write_text("{}")
    lock = {"packages": {"numpy": {"file_name": name, "sha256": "0" * 64, "depends": []}}}
    (tmp_path / "pyodide-lock.json").write_text(json.dumps(lock))
    (tmp_path / name).write_bytes(b"another")
    asked = []
    monkeypatch.setattr(browser_python, "_fetch_packages", lambda _, wanted: asked.append(wanted))
    browser_python.fetch(tmp_path, ["numpy"])
    assert asked == [{name: "0" * 64}]
