"""The asserts of every notebook hold for other batch sizes, seeds and precisions.

The cell tagged `parameters` is replaced, nothing else. `make vary` runs all settings on all
notebooks, SEED=7 takes other seeds than those that start at 1.
"""

import itertools
import os

import pytest
from copies import NAMES, client, read, sampled

FIRST_SEED = int(os.environ.get("SEED", "1"))


def settings(*sizes):
    pairs = itertools.product(["float64", "float32"], sizes)
    return [
        f"M_B = {M_B}\nseed = {seed}\ndtype = '{dtype}'"
        for seed, (dtype, M_B) in enumerate(pairs, start=FIRST_SEED)
    ]


SETTINGS = settings(4, 8, 64)
# Where a page is about two samples and three, it runs with them.
FEW = ["0_start_here", "2_batch_normalization", "3_single_neuron"]
CASES = [*itertools.product(NAMES, SETTINGS), *itertools.product(FEW, settings(2, 3))]
# Those that take seconds, each with another setting.
SAMPLE = list(zip(["0_start_here", "3_single_neuron"], [SETTINGS[2], SETTINGS[4]], strict=True))


@pytest.mark.parametrize("case", sampled(CASES, SAMPLE), ids="; ".join)
def test_the_asserts_hold(case, tmp_path):
    name, setting = case
    notebook = read(name)
    (parameters,) = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    assert parameters.source.count("=") == setting.count("="), "another parameter"
    parameters.source = setting
    client(notebook, tmp_path).execute()
