"""All oracles of one layer agree, pair by pair, and the test says how far each pair is apart."""

import itertools

import layer_oracles
import numpy as np
import pytest
from layer_oracles import CASES, bound, distance, results


def test_all_oracles_agree(record_property):
    """Run with -rP or --junit-xml to read the table."""
    table = layer_oracles.table()
    print(
        f"largest distance over {len(CASES)} layers, relative to the gradient before M\n\n{table}"
    )
    record_property("distances", table)
    too_far = []
    for case, by_name in zip(CASES, results(), strict=True):
        for one, other in itertools.combinations(by_name, 2):
            apart, allowed = (
                distance(case, by_name[one], by_name[other]),
                bound(one, case) + bound(other, case),
            )
            # A bound that allows everything would be none.
            assert allowed < 1e-10
            if not apart <= allowed:
                too_far.append(f"{one} and {other}: {apart:.2g} > {allowed:.2g}")
    assert not too_far


@pytest.mark.parametrize("k", range(len(CASES)))
def test_a_wrong_gradient_is_far_from_all(k):
    """(2) without its mean, without its x̂, with n − 1, with σ² for σ: none would pass."""
    case, truth = CASES[k], results()[k]["50 digits"]
    M_B, x_hat = len(case.x), layer_oracles.plain_hat(case.x, case.eps)
    s = np.sqrt(case.x.var(axis=0) + case.eps)
    mean, along = case.delta.mean(axis=0), (case.delta * x_hat).mean(axis=0)
    brackets = {
        "no mean": (case.delta - x_hat * along) / s,
        "no x̂": (case.delta - mean) / s,
        "n − 1": (case.delta - (mean + x_hat * along) * M_B / (M_B - 1)) / s,
    }
    if M_B > 2 or case.eps > 0:  # else the true Δ is 0, and no factor changes that
        brackets["σ² for σ"] = (case.delta - mean - x_hat * along) / s**2
    for name, bracket in brackets.items():
        wrong = truth._replace(below=(case.gamma * bracket) @ case.W * case.g_prime)
        assert distance(case, wrong, truth) > 1e6 * bound("ours", case), name
