"""That `make fire` meets every explorer, and would see what it looks for."""

import itertools

import fire
import numpy as np
import pytest
from test_explorers import Wave, compute, readout


def wave(compute=compute, readout=readout):
    made = Wave()
    made.compute, made.say = compute, readout
    return made


@pytest.mark.parametrize("name", fire.REGISTRY)
def test_every_explorer_has_invariants(name):
    assert callable(fire.invariants(name))


def test_a_walk_and_one_back_find_the_same_numbers():
    numbers, walked = fire.walk("baseline.OutputError", 6, 0)
    assert (walked.states, walked.distinct) == (6, len({bytes(row) for row in numbers}))
    found = fire.again("baseline.OutputError", 6, 0)
    assert len(found) == 6 and all((found[k] == numbers[k]).all() for k in found)
    other, _ = fire.walk("baseline.OutputError", 6, 1)
    assert (other != numbers).any()


count = itertools.count()
WRONG = {
    "an exception": wave(lambda M_B, height: compute(M_B, height if M_B < 64 else None)),
    "a NaN": wave(readout=lambda result: f"highest {np.nan if len(result.t) == 8 else 1}"),
    "two lines": wave(readout=lambda result: "one\ntwo"),
    "a result that changes": wave(lambda M_B, height: compute(M_B, height + 1e-15 * next(count))),
    "words that change": wave(readout=lambda result: f"seen {next(count)}"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_seen(what, monkeypatch):
    monkeypatch.setattr(fire, "make", lambda name: WRONG[what])
    monkeypatch.setattr(fire, "invariants", lambda name: lambda *_: None)
    with pytest.raises(AssertionError, match=r"^wave, \{'M_B': \d+, 'height': "):
        fire.walk("wave", 200, 0)


def test_a_digest_tells_results_apart():
    result = compute(4, 1.0)
    other = result.wave.copy()
    other[3] = np.nextafter(other[3], 2)
    same = fire.digest(result, "said")
    assert same == fire.digest(compute(4, 1.0), "said")
    for changed in (
        (result._replace(wave=other), "said"),
        (result, "Said"),
        (result._replace(wave=result.wave.astype(np.float32)), "said"),
        ({"a": result.t, "b": result.wave}, "said"),
    ):
        assert fire.digest(*changed) != same
