"""Every exercise, fed from its row: right, wrong, half and empty answers, and its solution."""

import ast
import contextlib
import io
import itertools
import re
import sys
from pathlib import Path

import jupytext
import numpy as np
import pytest

from bnnotes import exercise
from bnnotes.exercise import TRIED, TRUTH, ZERO, rows

# How far off an answer may be, of the largest right entry, where its row says nothing else.
WITHIN = {"number": 1e-2, "function": 1e-6}
TEXTS = sorted((Path(__file__).parent.parent / "src" / "text").glob("[0-9]_*.md"))
STATES = {"right", "not yet", "empty", "noted"}
KINDS = {"number", "choice", "function", "find", "review", "guess"}
CHAPTERS = {path.name[0]: jupytext.read(path).cells for path in TEXTS}
SOLUTION = re.compile(r"<details><summary>Solution</summary>\n(.*?)</details>", re.DOTALL)
BLOCK = re.compile(r"\n```python\n(.*?)```\n\n```text\n(.*?)```\n", re.DOTALL)
ASKED = re.compile(r'exercise\.answer\("([^"]+)", ')


def code(chapter):
    return [cell.source for cell in CHAPTERS[chapter] if cell.cell_type == "code"]


def solutions():
    """The blocks of code and output in the solution of each exercise, by the text alone."""
    found = {}
    for cells in CHAPTERS.values():
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        for part in re.split(r"(?m)^\*\*(?=\d\.\d\*\*)", text)[1:]:
            (solution,) = SOLUTION.findall(part)
            found[part[:3]] = BLOCK.findall(solution)
    return found


SOLUTIONS = solutions()


def names(chapter):
    """What the imports of a chapter bind: all that a solution may use."""
    bound = {}
    for source in code(chapter):
        imports = [n for n in ast.parse(source).body if isinstance(n, ast.Import | ast.ImportFrom)]
        exec(compile(ast.Module(imports, []), chapter, "exec"), bound)
    return bound


def known(id):
    """What a solution may use: the imports of its chapter, functions of the solutions before."""
    space = names(id[0])
    for before in [other for other in SOLUTIONS if other[0] == id[0] and other < id]:
        for source, _ in SOLUTIONS[before]:
            functions = [n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef)]
            exec(compile(ast.Module(functions, []), before, "exec"), space)
    return space


def shown(source, space):
    """What a cell shows: what it prints, then its last expression."""
    tree, sink = ast.parse(source), io.StringIO()
    last = ast.Expression(tree.body.pop().value)
    with contextlib.redirect_stdout(sink):
        exec(compile(tree, "solution", "exec"), space)
        value = eval(compile(last, "solution", "eval"), space)
        if value is not None:
            print(repr(value))
    return sink.getvalue()


def stub(*args): ...


def oracle(row, good=TRIED):
    """A function that knows what is right on the first `good` layers."""

    def f(*args):
        for seed in range(good):
            given, expected = row.truth(seed)
            if all(np.array_equal(a, g) for a, g in zip(args, given, strict=True)):
                return expected
        return np.pi * np.asarray(row.truth(0)[1]).ravel()[0]

    return f


def say(row, value, monkeypatch):
    monkeypatch.setitem(exercise._rows(), row.id, row)
    return exercise.answer(row.id, value)


def mistaken(row, entry):
    """A frequent wrong answer."""
    return (lambda *args: row.mistaken(entry, *args)) if row.given else row.mistaken(entry)


def scaled(expected, factor):
    if isinstance(expected, tuple):
        return tuple(scaled(one, factor) for one in expected)
    return np.multiply(expected, factor)


def half(row):
    """Answers that are right in a part, or nearly."""
    within = 1 + 1.2 * (row.tolerance or WITHIN.get(row.kind, 0))
    if row.kind == "function":
        yield oracle(row, good=1)
        yield lambda *args: scaled(oracle(row)(*args), within)
        if isinstance(expected := row.truth(0)[1], tuple):
            yield lambda *args: oracle(row)(*args)[0]
            yield lambda *args: (*oracle(row)(*args)[:-1], 1e6)
    elif row.kind == "number":
        expected = row.truth(0)
        if np.max(np.abs(expected)) > ZERO:
            yield scaled(expected, within)
        if isinstance(expected, tuple):
            yield (expected[0], ...)
            yield (expected[0], expected[1] + 1)
    elif row.kind == "choice" and isinstance(expected := row.truth(0), tuple):
        yield expected[:1]


def right(row):
    """Answers that must do, as they follow from the truth."""
    if row.kind == "function":
        yield oracle(row)
        yield lambda *args: scaled(oracle(row)(*args), 1 + 0.8e-6)
    elif row.kind == "choice":
        yield row.truth(0)
    elif row.kind == "number":
        truth = row.truth(0)
        yield truth
        yield scaled(truth, 1 + 0.8 * (row.tolerance or WITHIN[row.kind]))
        yield tuple(float(f"{one:.3g}") for one in truth) if isinstance(truth, tuple) else [truth]


def faults(row, monkeypatch):
    """Yield whatever is wrong with a row."""
    if row.kind not in KINDS or not row.right or (row.kind != "guess" and not row.wants):
        yield "a field is missing"
    if row.kind == "guess":
        yield from guess_faults(row, monkeypatch)
        return
    for nothing in (..., None, [...], stub)[: 4 if row.kind in ("function", "review") else 3]:
        said = say(row, nothing, monkeypatch)
        if said.state != "empty" or row.wants not in said.text:
            yield f"empty: {said}"
    for value in right(row):
        if (said := say(row, value, monkeypatch)).state != "right" or said.text != row.right:
            yield f"right: {said}"
    for value in half(row):
        if (said := say(row, value, monkeypatch)).state != "not yet":
            yield f"half: {said}"
    if row.kind == "choice":
        said, many = say(row, "neither of them", monkeypatch), np.size(row.truth(0))
        if not said.text.endswith(f", {many} times" if many > 1 else f"({row.options[-1]})"):
            yield f"no option: {said}"
    for entry in row.wrong:
        said = say(row, mistaken(row, entry), monkeypatch)
        if said.state != "not yet" or not entry["says"] or not said.text.endswith(entry["says"]):
            yield f"{entry['is']}: {said}"
        if row.kind == "choice":
            good = sum(map(str.__eq__, mistaken(row, entry), row.truth(0)))
            if not said.text.startswith(f"{good} of {len(row.truth(0))} are right."):
                yield f"{entry['is']}: {said}"
    space = known(row.id)
    for source, output in SOLUTIONS[row.id]:
        if shown(source, space) != output:
            yield f"solution: {shown(source, space)}"


def guess_faults(row, monkeypatch):
    nothing = say(row, ..., monkeypatch)
    if nothing.state != "empty" or not row.asks or row.asks not in nothing.text:
        yield f"empty: {nothing}"
    for letter, option in zip("ABCDE", row.options, strict=False):
        for chosen in (letter, letter.lower(), option):
            said = say(row, chosen, monkeypatch)
            if said.state != "noted" or f"{letter}, {option}" not in said.text:
                yield f"{chosen}: {said}"
            if f"{letter}  {option}" not in nothing.text or row.right not in said.text:
                yield f"{letter} is not offered, or not what tells"
    if len(set(row.options)) < 2 or say(row, "Z", monkeypatch).state != "not yet":
        yield "no choice"


@pytest.fixture(params=rows())
def row(request):
    return rows()[request.param]


def test_an_exercise_answers_as_its_row_says(row, monkeypatch):
    assert not list(faults(row, monkeypatch))


def mutations(row):
    yield row._replace(right="")
    yield row._replace(kind="guess" if row.kind != "guess" else "number")
    for field in ("wants", "asks"):
        if getattr(row, field):
            yield row._replace(**{field: ""})
    if row.kind == "guess":
        yield row._replace(options=row.options[:1])
    if row.kind == "choice":
        yield row._replace(options=("neither", "both"))
    truth = None if row.kind not in ("number", "choice") else row.truth(0)
    # A zero has no size that a tolerance could be a part of.
    if row.wrong and (
        row.kind == "function" or (row.kind == "number" and np.max(np.abs(truth)) > ZERO)
    ):
        yield row._replace(tolerance=1e9)
    for i, entry in enumerate(row.wrong):
        known = "unknown" if truth is None else f"np.array({truth!r})[()]".replace("np.float64", "")
        for changed in ({**entry, "says": ""}, {**entry, "is": known}):
            yield row._replace(wrong=(*row.wrong[:i], changed, *row.wrong[i + 1 :]))
    if row.mistakes:
        yield row._replace(mistakes=row.mistakes[:1])
    if row.door:
        yield row._replace(door="previous_error")


def test_a_mutation_of_a_row_is_found(row, monkeypatch):
    for mutated in mutations(row):
        assert any_fault(mutated, monkeypatch), mutated


def any_fault(row, monkeypatch):
    try:
        return next(faults(row, monkeypatch), None)
    except Exception as error:
        return error


def test_another_truth_is_found(row, monkeypatch):
    if row.id not in TRUTH:
        return
    of = TRUTH[row.id]

    def off(value):
        if isinstance(value, str):
            return "none of these"
        if isinstance(value, tuple):
            return (off(value[0]), *value[1:])
        return np.asarray(value) * 1.5 + 0.5

    def other(*args):
        result = of(*args)
        if row.kind == "function":
            return result[0], off(result[1])
        return (result[0], off(result[1])) if row.kind == "find" else off(result)

    monkeypatch.setitem(TRUTH, row.id, other)
    assert any_fault(row, monkeypatch)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([3.0, 6.0], "yours is 1.5 times what it should be, in every entry."),
        ([3.0, 6.0001], "yours differs by 50 % of the largest right entry."),
        ([2.0, -4.0], "yours differs by 2 times the size of the largest right entry."),
        ([2.0, 3.0], "yours differs by 25 % of the largest right entry."),
        ([2.0, 4.05], "yours differs by 1.2 % of the largest right entry."),
        ([2.0, 4.03], ""),
    ],
)
def test_how_far_off_is_said(value, said):
    row = rows()["0.1"]
    assert exercise._part_off(row, value, [2.0, 4.0]) == said


ODD = {
    "text": "abc",
    "object": object(),
    "dict": {"a": 1},
    "nan": np.nan,
    "infinity": [np.inf, -np.inf],
    "empty list": [],
    "empty array": np.array([]),
    "ragged": [[1], [2, 3]],
    "shape": np.full((2, 3, 4), 7.7),
    "huge": 10**400,
    "complex": 1j,
    "type": int,
    "raises": lambda *args: 1 / 0,
    "exits": lambda *args: sys.exit(1),
    "no axis": np.array(7.7),
    "a few": (7.7, 7.8, 7.9, 8.0),
    "letters": ("A", "B", "B", "A"),
    "no argument": lambda: 1,
    "ragged returned": lambda *args: (7.7, [7.7, 7.8]),
    "nothing returned": lambda *args: [],
    "text returned": lambda *args: "abc",
    "shape returned": lambda *args: np.zeros((2, 3, 4, 5)),
}


@pytest.mark.parametrize("odd", ODD)
def test_nothing_is_raised(row, odd):
    said = exercise.answer(row.id, ODD[odd])
    assert said.state in STATES - {"right"}
    assert said.text and repr(said).startswith(f"{row.id} {said.state}: ")
    # In words of its own, not in those that Python has for its own lines.
    assert said.state != "noted" and "it could not be read" not in said.text


def test_an_unknown_exercise_is_told():
    assert "there are 0.parts" in exercise.answer("no such", 1).text


def test_a_printing_function_prints_nothing_and_keeps_its_arguments(capsys):
    def noisy(u, phi):
        print("hello")
        error = (u - phi) * u * (1 - u) / len(u)
        u[:] = 0
        return error

    assert exercise.answer("1.1", noisy).state == "right"
    assert capsys.readouterr().out == ""


def test_rounded_answers_are_right():
    for value in ((0.5, -4.33), (0.5, -4.3301), [0.5, -4.33], np.array([0.5, -4.33])):
        assert exercise.answer("5.1", value).state == "right"
    assert exercise.answer("5.1", (0.5, -4.2)).state == "not yet"
    assert "0.97 times" in exercise.answer("5.1", (0.5, -4.2)).text
    three = exercise._off(rows()["5.1"], (0.5, ..., ...), (0.5, 1, 2))
    assert three.startswith("1 of 3 are given; ")


def test_what_is_right_under_a_condition_is_not_yet():
    def other_axis(delta, x_hat, std, gamma):
        mean, along = (v.mean(axis=1, keepdims=True) for v in (delta, delta * x_hat))
        return gamma / std * (delta - mean - x_hat * along)

    def x_hat_divided(delta, x_hat, std, gamma):
        h = x_hat / std
        return gamma / std * (delta - delta.mean(axis=0) - h * (delta * h).mean(axis=0))

    for f in (other_axis, x_hat_divided):
        said = exercise.answer("7.1", f)
        assert said.state == "not yet" and "right only if" in said.text


def test_an_unseen_sign_is_one_in_every_column_and_at_any_size():
    unseen = np.array([[1.0, 0.0], [-2.0, 0.0], [1.0, 0.0]])
    for size in (1e-9, 1, 1e9):
        assert exercise.answer("7.2", size * unseen).state == "right"
        assert "their sign shows" in exercise.answer("7.2", size * (unseen + np.array([0, 1]))).text
    assert "is zero here" in exercise.answer("7.2", 0 * unseen).text


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_asks_its_exercises_in_order(chapter):
    asked = [id for source in code(chapter) for id in ASKED.findall(source)]
    assert asked == [id for id in rows() if id[0] == chapter]
    numbered = [id for id in asked if id[2:].isdigit()]
    assert numbered == [id for id in SOLUTIONS if id[0] == chapter]
    for id in numbered:
        assert SOLUTIONS[id], f"{id}: no code and output in its solution"
        assert f"{id} right: " in SOLUTIONS[id][0][1] + SOLUTIONS[id][-1][1]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_letters_of_a_choice_mean_what_the_text_says(chapter):
    text = "\n".join(cell.source for cell in CHAPTERS[chapter])
    for row in rows().values():
        if row.id[0] == chapter and row.kind == "choice":
            asked = text.partition(f"**{row.id}**")[2].partition("exercise.answer")[0]
            named = re.findall(r"\b[A-Z], \$(.*?)\$", asked)
            plain = [re.sub(r"[\\_ ]|var", "", formula) for formula in named]
            words = str.maketrans({"θ": "theta", "φ": "phi", " ": ""})
            assert plain == [option.translate(words) for option in row.options]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_question_stands_before_its_slider(chapter):
    cells = code(chapter)
    for source, after in itertools.pairwise(cells):
        for id in ASKED.findall(source):
            if rows()[id].kind == "guess":
                assert source.endswith(f'exercise.answer("{id}", ...)')
                assert re.match(rf"{id[2:]}\b", after)
