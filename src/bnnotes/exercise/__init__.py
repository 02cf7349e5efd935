"""What an exercise says to an answer: right, not yet, or empty.

The exercises are data, in rows.toml; what is right the formulas of this package compute, in
truth.py, when they are asked. A number is right within 1 % of the largest that belongs there, so
that three digits do; a function within 1e-6, on three random layers. Nothing is ever raised, so
that the cells below an answer run.
"""

import copy
import functools
import string
import textwrap
import tomllib
from importlib import resources
from typing import NamedTuple

import numpy as np

from .. import review
from ..review.call import guarded, undisturbed
from .truth import TRUTH

__all__ = ["Answer", "Row", "answer", "rows"]

TOLERANCES = {"number": 1e-2, "function": 1e-6, "find": 1e-2}
TRIED = 3  # random layers that a function meets
UNFILLED = "'ellipsis'"  # in the message of Python where one computes with ...
ZERO = 1e-9  # below it a truth is zero, up to rounding


class Answer(NamedTuple):
    """What an exercise says; shown as text."""

    id: str
    state: str  # "right", "not yet", "empty" or, before a slider, "noted"
    text: str

    def __repr__(self):
        lines = f"{self.id} {self.state}: {self.text}".split("\n")
        return "\n".join(textwrap.fill(line, 88, subsequent_indent="  ") for line in lines)


class Row(NamedTuple):
    """One exercise; what its fields are, the head of rows.toml says."""

    id: str
    kind: str
    wants: str = ""
    right: str = ""
    given: str = ""
    options: tuple = ()
    tolerance: float = 0.0
    any_order: bool = False
    asks: str = ""
    door: str = ""
    mistakes: tuple = ()
    wrong: tuple = ()

    def truth(self, seed, *value):
        """What is right: of a function, its arguments and its result; of a find, a pair, or in
        words what is off.
        """
        return TRUTH[self.id](np.random.default_rng(seed), *value)

    def mistaken(self, entry, *args):
        """What a frequent wrong answer is: of a function, its result for these arguments."""
        known = dict(zip(self.given.split(), args, strict=True))
        return eval(entry["is"], {"np": np, **known})


def rows():
    """All exercises.

    Returns
    -------
    dict of Row
        By their ids, in the order of the book.
    """
    return copy.deepcopy(_rows())


@functools.cache
def _rows():
    text = resources.files(__package__).joinpath("rows.toml").read_text(encoding="utf-8")
    return {id: Row(id, **entry) for id, entry in tomllib.loads(text).items()}


def answer(id, value):
    """Judge the answer to an exercise; nothing is raised.

    Parameters
    ----------
    id : str
        As in the book, "3.2".
    value : number, array_like, str, callable or tuple
        What the exercise asks for; ``...`` or None while there is none.

    Returns
    -------
    Answer
        Right, not yet with what is off, or empty.
    """
    row = _rows().get(str(id))
    if row is None:
        return Answer(str(id), "not yet", f"no such exercise; there are {', '.join(_rows())}")
    with undisturbed():
        said, trouble = guarded(_judge, row, value)
    return Answer(row.id, *(said or ("not yet", f"it could not be read: {trouble}")))


def _judge(row, value):
    if _empty(value) or (row.kind in ("function", "review") and not callable(value)):
        return "empty", _empty_text(row, value)
    judge = {"choice": _choice, "guess": _guess, "function": _function, "find": _find}
    return {**judge, "review": _review}.get(row.kind, _number)(row, value)


def _empty(value):
    """Say whether this is what stands in the cell before anything is filled in."""
    if isinstance(value, (tuple, list)):
        return len(value) > 0 and all(map(_empty, value))
    return value is None or value is ...


def _empty_text(row, value=...):
    if row.kind == "guess":
        listed = (f"  {letter}  {option}" for letter, option in _lettered(row))
        letters = ", ".join(f'"{letter}"' for letter, _ in _lettered(row))
        return "\n".join([row.asks, *listed, f"Put one of {letters} for the ..., then slide."])
    if row.kind in ("function", "review"):
        return f"write a function that returns {row.wants}, then run the cell."
    return f"put {row.wants} in place of the ..., then run the cell."


def _right(row):
    return "right", row.right


def _hint(row, *args, same):
    """What the row says to this wrong answer, if it is a frequent one."""
    for entry in row.wrong:
        if same(row.mistaken(entry, *args)):
            return " " + entry["says"]
    return ""


# Choices.


def _lettered(row):
    return list(zip(string.ascii_uppercase, row.options, strict=False))


def _letters(row, value):
    """The letters of one choice or of several; "" where it is none of the options."""
    known = {}
    for letter, option in _lettered(row):
        known[letter.lower()] = known[option.lower()] = letter
    chosen = value if isinstance(value, (tuple, list)) else (value,)
    return [known.get(str(one).strip().lower(), "") for one in chosen]


def _no_option(row):
    options = ", ".join(f'"{letter}" ({option})' for letter, option in _lettered(row))
    return "not yet", f"wanted one of {options}"


def _choice(row, value):
    chosen, truth = _letters(row, value), _letters(row, row.truth(0))
    if "" in chosen or len(chosen) != len(truth):
        part = "" if len(truth) == 1 else f", {len(truth)} times"
        return _no_option(row)[0], _no_option(row)[1] + part
    if chosen == truth:
        return _right(row)
    good = sum(map(str.__eq__, chosen, truth))
    score = f"{good} of {len(truth)} are right." if len(truth) > 1 else f"not {chosen[0]}."
    return "not yet", score + _hint(row, same=lambda wrong: _letters(row, wrong) == chosen)


def _guess(row, value):
    letters = _letters(row, value)
    if "" in letters or len(letters) != 1:
        return _no_option(row)
    said = f"You say {letters[0]}, {dict(_lettered(row))[letters[0]]}."
    return "noted", f"{row.asks}\n{said} {row.right}"


# Numbers, and what functions return.


def _number(row, value):
    expected = row.truth(0)
    off = _off(row, value, expected)
    if not off:
        return _right(row)
    return "not yet", off + _hint(row, same=lambda wrong: not _off(row, value, wrong))


def _function(row, f):
    """Try it on random layers; the first that it fails is told."""
    args = None
    for seed in range(TRIED):
        args, expected = row.truth(seed)
        value, trouble = guarded(f, *(np.array(a) if np.ndim(a) else a for a in args))
        if UNFILLED in trouble or (not trouble and _empty(value)):
            return "empty", _empty_text(row)
        off = f"your function stops: {trouble}" if trouble else _off(row, value, expected)
        if off:
            break
    else:
        return _right(row)
    if trouble:
        return "not yet", off
    return "not yet", off + _hint(row, *args, same=lambda wrong: not _off(row, value, wrong))


def _find(row, value):
    truth, trouble = guarded(row.truth, 0, value)
    if trouble:
        return "not yet", f"wanted {row.wants}."
    off = truth if isinstance(truth, str) else _off(row, *truth)
    if not off:
        return _right(row)

    def same(wrong):
        return np.shape(wrong) == np.shape(value) and np.allclose(wrong, value)

    return "not yet", off + _hint(row, same=same)


def _review(row, f):
    report = getattr(review, row.door)(f)
    if _is_stub(f) or UNFILLED in report.diagnosis:
        return "empty", _empty_text(row)
    known = report.mistakes == tuple(row.mistakes) and (report.ok or row.mistakes)
    # The exercise says how its arrays lie and what they are.
    if known and not report.condition:
        return _right(row)
    return "not yet", f"review says: {report.diagnosis}"


def _is_stub(f):
    """Say whether the function does nothing: it has the code of an unfilled one."""
    code = getattr(f, "__code__", None)
    return code is not None and code.co_code == (lambda: None).__code__.co_code


def _off(row, value, expected):
    """What is off, in numbers; "" where the value is right."""
    if not isinstance(expected, tuple):
        return _part_off(row, value, expected)
    value = value.tolist() if isinstance(value, np.ndarray) else value
    if not isinstance(value, (tuple, list)) or len(value) != len(expected):
        return f"wanted {len(expected)} results, {row.wants}."
    if any(map(_empty, value)):
        given = sum(not _empty(one) for one in value)
        return f"{given} of {len(expected)} are given; wanted {row.wants}."
    if row.any_order:
        value, trouble = guarded(np.sort, value, axis=0)
        if trouble:
            return f"wanted {row.wants}."
        expected = np.sort(expected, axis=0)
    parts = [_part_off(row, *pair) for pair in zip(value, expected, strict=True)]
    wrong = [f"number {i} is off: {part}" for i, part in enumerate(parts, 1) if part]
    good = len(parts) - len(wrong)
    return " ".join([f"{good} of {len(parts)} are right;", *wrong]) if wrong else ""


def _part_off(row, value, expected):
    value, trouble = guarded(np.asarray, value, dtype=complex)
    if trouble or not value.size:
        return f"wanted numbers ({row.wants})."
    expected = np.asarray(expected)
    if expected.ndim and value.squeeze().shape != expected.squeeze().shape:
        return f"yours has shape {value.shape}, wanted {expected.shape}."
    if not np.isfinite(value).all():
        return "yours is not finite."
    expected = expected if expected.ndim else np.full(value.shape, expected)
    value = value.reshape(expected.shape)
    tolerance = row.tolerance or TOLERANCES[row.kind]
    size = np.abs(expected).max()
    difference = np.abs(value - expected).max()
    if size < ZERO:
        return "" if difference <= 1e-6 else f"yours is too large by {difference:.2g}."
    if difference <= tolerance * size:
        return ""
    factor = np.vdot(expected, value).real / np.vdot(expected, expected).real
    if np.abs(value - factor * expected).max() <= 1e-6 * size and factor:
        everywhere = ", in every entry" if value.size > 1 else ""
        return f"yours is {factor:.3g} times what it should be{everywhere}."
    relative = difference / size
    size = f"{100 * relative:.2g} %" if relative < 1 else f"{relative:.2g} times the size"
    return f"yours differs by {size} of the largest right entry."
