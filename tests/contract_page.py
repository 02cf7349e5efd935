"""Write the page of the input contract from what the functions answer: `make contract`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from contract import (
    EDGES,
    KINDS,
    MODULES,
    ROWS,
    SINGLES,
    WHOLE,
    WRONG,
    expected,
    expected_of_one_sample,
    is_array,
    within,
    word,
    wrong,
)
from contract_call import call, in_dtype, one_sample, public, unchecked

PAGE = Path(__file__).parents[1] / "book" / "site" / "pages" / "input_contract.md"
WORKS, REFUSED, EITHER, NONE = "✓", "✗", "±", "·"
SHORT = {
    "rank": "other rank",
    "NaN, ±inf": "NaN, inf",
    "lists, read-only, any order": "list, read-only, order",
    "int, bool, float16": "int, bool, f16",
    "outside [0, 1]": "out of bounds",
    "std ≤ 0": "out of bounds",
}
HEAD = """\
# What may come in

Every public function checks what it is handed, where it is handed in.
Either it works, with the documented result, or it raises a `ValueError`.
The message names the argument, what it got and what it wanted.
There is no numpy warning, no NaN in a result and no broadcast that the formulas do not know.
No array of yours is changed, and no result shares its memory.

The tests write this page: it says what each function answered when it was asked.

- ✓ works: the same result as with the same numbers in a plain float64 array
- ✗ a `ValueError` that names the argument; ✗ with names, for these arguments alone
- ± a finite result, or a `ValueError` that says what overflows
- · no such argument

float32 and longdouble stay what they are; integers, booleans and float16 become float64.
Numbers, counts, names, seeds and networks are in tables of their own below.
"""
PARTS = """\
These are parts of the functions above and take arrays that have been checked.
Their docstrings say so.
"""
SETTINGS = {
    "number": "numbers from 0, such as eps, a learning rate or an angle",
    "real": "numbers of either sign",
    "count": "counts, such as a batch size",
    "choice": "names, one of a few",
    "generator": "seeds and generators",
    "network": "networks",
    "flag": "True or False",
    "function": "functions",
    "activation": "activations",
    "normalized": "normalized batches",
}
LISTED = {
    "number": "negative, NaN, inf, None, text, complex, arrays, masked, too large for a float",
    "real": "NaN, inf, None, text, complex, arrays, masked, too large for a float",
    "count": "too small, fractions, booleans, text, None, arrays",
    "choice": "other text, bytes, numbers, lists, arrays; None where there is no default",
    "generator": "None, text, negative, fractions, booleans, other objects",
    "network": "other objects; no layers; arrays that do not fit, are none, or hold NaN",
    "flag": "None, text, numbers, lists, arrays",
    "function": "whatever cannot be called; review reports it instead",
    "activation": "unknown names, functions alone, other objects, None",
    "normalized": "plain arrays and tuples; std not positive; parts that do not fit or hold NaN",
}


def columns():
    """The columns of the tables, each with its kinds."""
    found = {}
    for kind in KINDS:
        found.setdefault(SHORT.get(kind.column, kind.column), []).append(kind)
    return found


def answer(row, kind, name):
    """Return the mark of what a function did, and the message if there was one."""
    result = call(row, **{name: within(row.values[name], row.wants[name], kind)})
    if kind.outcome == "either":
        return EITHER, ""
    return (REFUSED, str(result)) if isinstance(result, Exception) else (WORKS, "")


def cell(row, kinds, messages):
    """Return one cell; keep the first message of each kind."""
    marks = {}
    for kind in kinds:
        for name in row.arrays:
            if expected(row, kind, name) is not None:
                mark, message = answer(row, kind, name)
                marks.setdefault(mark, []).append(name)
                if message:
                    messages.setdefault(kind.name, (row.name, message))
    if set(marks) == {WORKS, REFUSED}:
        return f"{WORKS} {REFUSED} {', '.join(f'`{n}`' for n in dict.fromkeys(marks[REFUSED]))}"
    return "".join(marks) or NONE


def whole(row, kind, messages):
    """Return the cell of a kind that all arrays of a call have at once."""
    if kind.name == "one sample":
        if expected_of_one_sample(row) is None:
            return NONE
        result = call(row, **one_sample(row))
        if isinstance(result, Exception):
            messages.setdefault(kind.name, (row.name, str(result)))
    else:
        result = call(row, **in_dtype(row, getattr(np, kind.name)))
    if isinstance(result, Exception):
        return REFUSED
    kept = row.exceptions.get((kind.name, ""), ("", ""))[0]
    return f"{WORKS} float64" if kept == "float64" else WORKS


def table(rows, messages):
    """Yield the lines of the table of one module."""
    named = columns()
    heads = ["function", *named, *(SHORT.get(kind.column, kind.column) for kind in WHOLE)]
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    for row in rows:
        name = row.name.rpartition(".")[2]
        cells = [cell(row, kinds, messages) for kinds in named.values()]
        cells += [whole(row, kind, messages) for kind in WHOLE]
        yield f"| `{name}` | {' | '.join(cells)} |"


def page():
    """Return the page."""
    lines, messages = [HEAD], {}
    for module in MODULES:
        rows = [row for row in ROWS if row.function.__module__ == module.__name__]
        with_arrays = [row for row in rows if row.arrays]
        if with_arrays:
            lines += [f"## {module.__name__}\n", *table(with_arrays, messages), ""]
    lines += ["## Where a rule has an exception\n", *exceptions(), ""]
    lines += ["## What is no array\n", *settings(messages), ""]
    lines += ["## At the edge of what works\n", *edges(), ""]
    lines += ["## A message of each kind\n", *said(messages.items()), ""]
    lines += ["## Wrong in a way of its own\n", *said(singles()), ""]
    lines += ["## Parts without checks\n", PARTS, ""]
    lines += [f"- `{_named(function)}`" for function in public() if unchecked(function)]
    lines.append("")
    return "\n".join(lines)


def exceptions():
    yield "| function | argument | what | happens | because |"
    yield "|---|---|---|---|---|"
    for row in ROWS:
        for (kind, name), (outcome, why) in row.exceptions.items():
            argument = f"`{name}`" if name else "all"
            done = {"coarse": "fewer digits", "float64": "float64"}.get(outcome, outcome)
            yield f"| `{row.name}` | {argument} | {kind} | {done} | {why} |"


def settings(messages):
    yield "| what | refused | arguments |"
    yield "|---|---|---|"
    for kind, title in SETTINGS.items():
        users = {}
        for row in ROWS:
            for name, wanted in row.wants.items():
                if not is_array(wanted) and word(wanted) == kind:
                    users.setdefault(name, []).append(row)
                    keep_message(row, name, kind, title, messages)
        listed = ", ".join(f"`{name}` ({len(rows)})" for name, rows in users.items())
        assert kind in WRONG
        yield f"| {title} | {LISTED[kind]} | {listed} |"
    yield "\nIn brackets: how many functions have an argument of that name."


def keep_message(row, name, kind, title, messages):
    if title not in messages and not row.name.startswith("review."):
        messages[title] = row.name, str(call(row, **{name: wrong(row.wants[name])[0]}))


def edges():
    yield "| what | function | happens |"
    yield "|---|---|---|"
    for what, function, _, happens in EDGES:
        yield f"| {what} | `{_named(function)}` | {happens} |"


def singles():
    """Yield the argument, the function and its message for each wrong call of its own kind."""
    rows = {row.function: row for row in ROWS}
    for function, changes, _ in SINGLES:
        yield f"`{next(iter(changes))}`", (_named(function), str(call(rows[function], **changes)))


def _named(function):
    return f"{function.__module__.removeprefix('bnnotes.')}.{function.__name__}"


def said(messages):
    yield "| what | function | message |"
    yield "|---|---|---|"
    for kind, (name, message) in messages:
        text = message.replace("|", "\\|").replace("`", "'")
        yield f"| {kind} | `{name}` | `{text}` |"


def main():
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Written: {PAGE}", file=sys.stderr)


if __name__ == "__main__":
    main()
