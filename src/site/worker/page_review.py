"""What the page "Is my gradient right?" asks of Python, in a worker of the browser."""

import contextlib
import html
import io
import json
import linecache
from pathlib import Path

from bnnotes import review
from bnnotes.review.__main__ import load

FILE = Path("/tmp/yours.py")


def report(text, subject, name):
    """Run a text and review what it calls by this name; return JSON of the verdict and HTML."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        said = _report(text, subject, name)
    # The policy of the page allows no style of its own.
    said["html"] = said["html"].replace('style="text-align:left"', 'class="left"')
    return json.dumps({**said, "printed": printed.getvalue()})


def _report(text, subject, name):
    try:
        compile(text, FILE.name, "exec")
    except (SyntaxError, ValueError) as error:
        place = f"line {error.lineno}: " if getattr(error, "lineno", None) else ""
        return _trouble(f"{place}{getattr(error, 'msg', error)}")
    FILE.write_text(text, encoding="utf-8")
    linecache.clearcache()
    found, trouble = load(f"{FILE}:{name}")
    if trouble:
        return _trouble(trouble.replace(str(FILE), "your text"))
    found = getattr(review, subject)(found)
    said = {"verdict": found.verdict, "html": found._repr_html_(), "reproduce": ""}
    if not found.ok and found.inputs:
        said["reproduce"] = found.reproduce
    return said


def _trouble(text):
    return {"verdict": "unknown", "html": f"<p>{html.escape(text)}</p>", "reproduce": ""}
