"""Every row of the ledger as printed, as corrected, and beyond the source, on random cases."""

import functools
import math

import numpy as np
import pytest

from bnnotes import batchnorm, ledger
from bnnotes.ledger import experiment
from bnnotes.pictures import errata as pictures

M_BS = (1, 2, 3, 4, 5, 8, 12, 32)
SEEDS = range(12)
OFF = [row.id for row in ledger.rows() if row.off]
RIGHT = [row.id for row in ledger.rows() if not row.off]
WITH_EPS = [row.id for row in ledger.rows() if row.epsilon]


def measured(id, beyond=False):
    smallest = (ledger.BEYOND if beyond else ledger.EXPERIMENTS)[id].smallest
    return [
        (M_B, seed, ledger.measure(id, M_B, seed, beyond=beyond))
        for M_B in M_BS
        if M_B >= smallest
        for seed in (SEEDS[:3] if beyond and id == "S14" else SEEDS)
    ]


def test_every_row_is_measured():
    assert set(ledger.EXPERIMENTS) == {row.id for row in ledger.rows()}
    assert set(WITH_EPS) <= set(ledger.BEYOND)


def test_the_words_of_a_row_are_of_its_experiments():
    for row in ledger.rows():
        assert not row.beyond or row.id in ledger.BEYOND
        # Where nothing is generalized, only words of its own tell what was measured.
        assert row.beyond or row.epsilon or row.id not in ledger.BEYOND


def assert_off(cases):
    errors = []
    for M_B, seed, (printed, _) in cases:
        assert math.isnan(printed) or printed > 1e-6, f"holds at M_B = {M_B}, seed {seed}"
        errors.append(np.inf if math.isnan(printed) else printed)
    # Not a matter of rounding: a few per cent at least, in most cases.
    assert np.median(errors) > 0.02


@pytest.mark.parametrize("id", OFF)
def test_printed_fails(id):
    assert_off(measured(id))


@pytest.mark.parametrize("id", RIGHT)
def test_printed_holds(id):
    for M_B, seed, (printed, _) in measured(id):
        assert printed <= 1e-12, f"fails at M_B = {M_B}, seed {seed}"


def assert_agrees(cases):
    for M_B, seed, (_, corrected) in cases:
        assert corrected <= 1e-12, f"fails at M_B = {M_B}, seed {seed}"


@pytest.mark.parametrize("id", ledger.EXPERIMENTS)
def test_corrected_holds(id):
    assert_agrees(measured(id))


@pytest.mark.parametrize("id", ledger.BEYOND)
def test_beyond(id):
    """Outside of what the source says the printed equation is off, and the book's holds."""
    cases = measured(id, beyond=True)
    assert_off(cases)
    assert_agrees(cases)


@pytest.mark.parametrize("id", WITH_EPS)
def test_what_is_generalized_is_the_same_at_eps_0(id):
    """At ε = 0 both are the printed one, so ε > 0 alone makes the difference."""
    run = ledger.BEYOND[id].run
    if not isinstance(run, functools.partial):  # another quantity than the row's own
        assert id in ("S28", "S39")
        return
    assert run.keywords["eps"] > 0
    assert run.func is ledger.EXPERIMENTS[id].run


@pytest.mark.parametrize(
    "offset, low, high", [(0.0, 0.7, 1.4), (10.0, 30, 41), (1000.0, 3000, 4100)]
)
def test_ratio_of_baseline_to_bn(offset, low, high):
    """S29: the median is of orders of magnitude where ⟨Δ⟩⟨u⟩ is large."""
    for seed in range(3):
        assert low < ledger.baseline_over_bn(offset, seed=seed) < high


def test_an_overflow_is_nan():
    """S4."""
    assert math.isnan(ledger.measure("S4", beyond=True).printed)


def test_what_does_not_depend_on_chance():
    for id, printed in {
        "S1": 0.75,
        "S21": 2,
        "S22": 2,
        "S29": 9,
        "S39": 1,
        "S42": 2,
        "S53": 1,
    }.items():
        for seed in range(3):
            assert ledger.measure(id, 8, seed).printed == pytest.approx(printed, abs=1e-9)


def test_the_same_seed_gives_the_same_numbers():
    assert ledger.measure("S17", 8, 3) == ledger.measure("S17", 8, 3)
    assert ledger.measure("S17", 8, 3) != ledger.measure("S17", 8, 4)


def test_typical():
    cases = [ledger.measure("S17", 8, seed) for seed in range(ledger.CASES)]
    typical = ledger.typical("S17")
    assert typical.printed == np.median([case.printed for case in cases])
    assert typical.corrected == max(case.corrected for case in cases)
    assert typical.exact == max(case.printed for case in cases)


def test_refuses():
    with pytest.raises(ValueError, match=r"^id: got 'S0', wanted one of S1, "):
        ledger.measure("S0")
    with pytest.raises(ValueError, match=r"^id: got 'S2', wanted one of S43, "):
        ledger.measure("S2", beyond=True)
    with pytest.raises(ValueError, match=r"^M_B: got 2, wanted an integer >= 3"):
        ledger.measure("S17", M_B=2)
    with pytest.raises(ValueError, match=r"^M_B: got 1000000, wanted at most 1000$"):
        ledger.worst_now("S17", M_B=10**6)
    with pytest.raises(ValueError, match=r"^cases: got 1000001, wanted at most 1000$"):
        ledger.typical("S17", cases=10**6 + 1)
    with pytest.raises(ValueError, match=r"^M_B: "):
        ledger.baseline_over_bn(1.0, M_B=2)


def test_agreement():
    assert ledger.agreement(1e-16) == "agrees to 1e-12"
    assert ledger.agreement(0.5) == "differs by 0.5 of its size"


def test_picture():
    """No error at all has its place too."""
    printed, corrected = np.array([[0.5, 0.7], [2.0, 0.02]]), np.array([[0.0, 1e-16]] * 2)
    picture = pictures.errors(["one", "two"], printed, corrected, 1e-12, "as corrected")
    assert picture.png.startswith(b"\x89PNG")
    assert repr(picture).startswith("2 rows of the ledger, 2 random cases each. ")
    assert "As printed every error is above 2e-02. As corrected" in repr(picture)


def test_the_error_of_a_mistake_is_that_of_its_correction():
    assert ledger.worst_now("S17") == ledger.typical("S17").corrected


@pytest.mark.parametrize("worse", [False, True])
def test_the_error_now_is_that_beyond_the_source_too(worse, monkeypatch):
    def typical(id, M_B, cases, beyond):
        return experiment.Measured(0.0, 1.0 if beyond == worse else 0.5)

    monkeypatch.setattr(experiment, "typical", typical)
    assert ledger.worst_now("S23") == 1


def test_the_error_now_takes_as_many_samples_as_a_row_needs():
    assert ledger.worst_now("S51", M_B=2) == ledger.typical("S51", M_B=4).corrected


def test_what_holds_is_measured_against_the_forward_pass(monkeypatch):
    """A wrong formula is seen: with γ left out, the rows that use it are off."""
    right = batchnorm.input_error

    def without_gamma(delta, normalized, gamma):
        return right(delta, normalized, gamma / gamma)

    monkeypatch.setattr(batchnorm, "input_error", without_gamma)
    for id in ("(1)", "S36"):
        assert ledger.worst_now(id) > 0.1
        # What the source prints is written out here and does not follow the package.
        assert ledger.typical(id).exact < 1e-12
