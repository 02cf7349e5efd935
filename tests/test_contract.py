"""Every public function with every kind of input: the documented result, or words that help.

The table is in contract.py. Warnings are errors here as everywhere, so that whatever happens below
happens without a word from numpy; no array of the caller changes; no result holds a NaN.
"""

import importlib
import inspect

import contract_page
import numpy as np
import pytest
from contract import (
    EDGES,
    KINDS,
    MODULES,
    NET,
    NORMALIZED,
    RIGHT,
    ROWS,
    SINGLES,
    WHOLE,
    expected,
    expected_of_one_sample,
    is_array,
    within,
    word,
    wrong,
)
from contract_call import (
    arrays,
    as_dtype,
    call,
    in_dtype,
    one_sample,
    plain,
    public,
    said,
    same,
    unchecked,
)

from bnnotes import batchnorm, network

BY_FUNCTION = {row.function: row for row in ROWS}
WITH_ARRAYS = [row for row in ROWS if row.arrays]
SLOW = "review."


def named(row):
    return row.name


def test_every_public_function_has_a_row():
    missing = {f for f in public() if not unchecked(f)} - set(BY_FUNCTION)
    assert not missing
    assert not set(BY_FUNCTION) - set(public())


def test_every_module_is_asked():
    package = importlib.import_module("bnnotes")
    names = {f"bnnotes.{name}" for name in package.__all__}
    assert names <= {module.__name__ for module in MODULES}


def test_every_argument_has_a_description():
    for row in ROWS:
        parameters = inspect.signature(row.function).parameters.values()
        required = {
            p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_POSITIONAL
        }
        required -= {"pairs", "fixed"}
        assert required <= set(row.wants), row.name
        # An option of a subclass of these kinds would have to be added to the table.
        assert all(is_array(w) or word(w) for w in row.wants.values())


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_the_call_of_the_table_works(row):
    if row.name != "ledger.main":
        assert not isinstance(call(row), Exception), call(row)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("row", WITH_ARRAYS, ids=named)
def test_arrays(row, kind):
    for name in row.arrays:
        outcome = expected(row, kind, name)
        if outcome is None:
            continue
        value = within(row.values[name], row.wants[name], kind)
        result = call(row, **{name: value})
        if outcome == "refused":
            also = [*row.arrays, "W u", "x"] if kind.column in ("shapes differ", "constant") else []
            said(result, [name, *also])
        elif outcome == "works":
            other = call(row, **{name: plain(value)})
            same(row, result, other, 0.0 if kind.exactly else 1e-11)
            if not isinstance(value, (list, tuple)) and plain(value).dtype == np.float64:
                kinds = {part.dtype for part in arrays(result)}
                assert kinds == {part.dtype for part in arrays(other)} or kind.name == "complex"
        elif isinstance(result, Exception):
            said(result, [*row.arrays, "normalized", "neuron", "W u", "x", "f", "psi"])


@pytest.mark.parametrize("row", WITH_ARRAYS, ids=named)
def test_one_sample(row):
    outcome = expected_of_one_sample(row)
    if outcome is None:
        return
    result = call(row, **one_sample(row))
    if outcome == "refused":
        said(result, [*row.wants, "W u", "x"])
    else:
        assert not isinstance(result, Exception), result


@pytest.mark.parametrize("row", WITH_ARRAYS, ids=named)
@pytest.mark.parametrize("dtype", [np.float32, np.longdouble])
def test_other_precisions_stay(row, dtype):
    kept, _ = row.exceptions.get((np.dtype(dtype).name, ""), ("stays", ""))
    if dtype is np.longdouble:
        kept, _ = row.exceptions.get(("longdouble", ""), ("stays", ""))
    changed = in_dtype(row, dtype)
    result = call(row, **changed)
    plainly = call(row, **{name: as_dtype(value, np.float64) for name, value in changed.items()})
    coarse, fine = (0.02, 1e-3) if dtype is np.float32 else (1e-8, 1e-11)
    tolerance = coarse if kept == "coarse" else fine
    same(row, result, plainly, tolerance)
    for part in arrays(result):
        if part.dtype.kind == "f" and part.ndim:
            assert part.dtype == (np.float64 if kept == "float64" else dtype)


@pytest.mark.parametrize("row", WITH_ARRAYS, ids=named)
def test_the_result_is_the_callers(row):
    """It shares no memory with an argument: whoever writes into it changes nothing else."""
    given = list(arrays(list(row.values.values())))
    for part in arrays(call(row)):
        assert not any(np.may_share_memory(part, array) for array in given)


SETTINGS = [
    pytest.param(row, name, id=f"{row.name}-{name}")
    for row in ROWS
    for name, wanted in row.wants.items()
    if not is_array(wanted) and word(wanted) != "given"
]


@pytest.mark.parametrize("row, name", SETTINGS)
def test_settings(row, name):
    wanted = row.wants[name]
    for value in wrong(wanted):
        if row.exceptions.get(("a function", name)):
            report = call(row, **{name: value})
            assert not report.ok and report.diagnosis
        else:
            # A number that is one more than the count allows may be refused by another's name.
            said(call(row, **{name: value}), [name])
    if "?" in wanted:
        assert not isinstance(call(row, **{name: None}), Exception)
    for form in RIGHT.get(word(wanted), []):
        value = form(row.values[name])
        number = float(value) if word(wanted) in ("number", "real") else row.values[name]
        same(row, call(row, **{name: value}), call(row, **{name: number}), 1e-12)


@pytest.mark.parametrize(
    "function, changes, name",
    [pytest.param(*case, id=f"{BY_FUNCTION[case[0]].name}-{k}") for k, case in enumerate(SINGLES)],
)
def test_wrong_in_a_way_of_its_own(function, changes, name):
    result = call(BY_FUNCTION[function], **changes)
    assert isinstance(result, ValueError), result
    assert str(result).startswith(f"{name}: ") and "wanted" in str(result), result


def edge(what):
    (found,) = [(f, changes) for name, f, changes, _ in EDGES if name == what]
    result = call(BY_FUNCTION[found[0]], **found[1])
    assert not isinstance(result, Exception), result
    return result


def weights(layers):
    return [array for layer in layers for array in vars(layer).values()]


@pytest.mark.parametrize("what", ["a learning rate of 0", "no epoch"])
def test_no_weight_changes(what):
    for got, before in zip(weights(edge(what)[1]), weights(NET.layers), strict=True):
        np.testing.assert_array_equal(got, before)


def test_how_many_steps_an_epoch_has():
    for what in ("6 samples in batches of 4", "6 samples in one batch of 6"):
        history, _ = edge(what)
        assert (history.steps_per_epoch, len(history.cost)) == (1, 2)


def test_where_x_hat_is_zero():
    constant = edge("a constant feature with eps = 0.1").x_hat
    assert (constant[:, -1] == 0).all() and (constant[:, 0] != 0).any()
    assert (edge("one sample with eps = 0.1").x_hat == 0).all()
    same(BY_FUNCTION[batchnorm.normalize], edge("eps as small as it can be"), NORMALIZED)


def test_zeros():
    assert (edge("γ = 0").x == 0).all()
    assert (edge("-0.0") == 0).all()


def test_labels_of_booleans():
    row = BY_FUNCTION[network.train]
    same(row, edge("labels of 0 and 1 as booleans"), call(row))


def test_every_edge_is_tested():
    source = inspect.getsource(importlib.import_module(__name__))
    for what, *_ in EDGES:
        assert f'"{what}"' in source


def test_the_page_says_what_the_functions_answer():
    assert contract_page.PAGE.read_text(encoding="utf-8") == contract_page.page(), "make contract"


def test_all_kinds_are_used():
    outcomes = {
        kind.name: {expected(row, kind, name) for row in WITH_ARRAYS for name in row.arrays}
        for kind in KINDS
    }
    assert all(found - {None} for found in outcomes.values())
    assert {kind.name for kind in WHOLE} == {"one sample", "float32", "longdouble"}
