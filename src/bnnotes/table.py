"""One table in three forms: text for a terminal, Markdown and HTML for a page."""

from __future__ import annotations

import html as _html
import unicodedata


def text(lines):
    """Return lines of cells as text, in columns."""
    lines = list(lines)
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    padded = ("  ".join(map(_ljust, line, widths)) for line in lines)
    return "\n".join(line.rstrip() for line in padded)


def _width(cell):
    """How many columns a text takes: the hat of x̂ takes none."""
    return sum(not unicodedata.combining(character) for character in cell)


def _ljust(cell, width):
    return cell + " " * (width - _width(cell))


def markdown(head, *rows):
    """Return rows of Markdown cells below a head; a list in a cell goes down, not across."""
    lines = [head, ["---"] * len(head), *rows]
    cells = ((c if isinstance(c, str) else "<br>".join(c) for c in line) for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def html(head, *rows):
    """Return rows of HTML cells below a head of text; the first of a row is its name."""
    columns = "".join(_cell(_html.escape(name), "th", ' scope="col"') for name in head)
    body = "".join(
        "<tr>"
        + _cell(_html.escape(name), "th", ' scope="row"')
        + "".join(map(_cell, cells))
        + "</tr>"
        for name, *cells in rows
    )
    return f"<table><thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table>"


def _cell(content, tag="td", scope=""):
    return f'<{tag}{scope} style="text-align:left">{content}</{tag}>'
