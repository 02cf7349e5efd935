"""Explorers under fire: thousands of random states of each, as `make fire` runs it.

Every explorer is moved in a process of its own, warnings taken as errors. The readout must hold
finite numbers. A state met again must give the same result, readout and picture to the last bit.
A second process, with another past, computes the states again from the last to the first and must
find the same numbers. On a sample the invariants are checked that the tests of the explorer state.
The memory may not grow by more than one percent over the last half of the states.
"""

import ctypes
import gc
import hashlib
import importlib
import math
import multiprocessing
import os
import platform
import re
import sys
import time
import warnings
from typing import NamedTuple

import driving
import numpy as np
import psutil

from bnnotes.pictures import explorer

SAMPLES = 400  # states whose invariants are checked
GROWTH = 0.01
# A state of these trains two networks: the second process takes one of ten.
TRAININGS = ("training.NetworksInTraining",)
REGISTRY = explorer.registry()


def make(name):
    return REGISTRY[name]()


def invariants(name):
    """Return the function of result and values that the tests of its chapter check it with."""
    module, cls = name.split(".")
    return importlib.import_module(f"test_pictures_{module}").CHECKS[cls]


def states_of(explorer, n, seed):
    return list(driving.random_values(explorer, n, np.random.default_rng(seed)))


def digest(*parts):
    """Return 16 bytes of everything in results, texts and pictures."""
    found = hashlib.blake2b(digest_size=16)
    for part in parts:
        for leaf in _leaves(part):
            found.update(leaf)
    return found.digest()


def _leaves(part):
    if isinstance(part, (bytes, memoryview)):
        yield bytes(part)
    elif isinstance(part, np.ndarray) and part.dtype != object:
        yield f"{part.dtype}{part.shape}".encode()
        yield part.tobytes()
    elif isinstance(part, dict):
        for item in part.items():
            yield from _leaves(item)
    elif isinstance(part, (list, tuple)):
        for one in part:
            yield from _leaves(one)
    elif hasattr(part, "__dict__"):
        yield from _leaves(vars(part))
    else:
        yield repr(part).encode()


def check_readout(readout):
    assert readout.strip() and "\n" not in readout
    assert not re.search(r"\b(nan|inf)\b", readout), readout


class Walk(NamedTuple):
    """What a walk over the states of one explorer found."""

    states: int
    distinct: int
    seconds: float
    memory: float  # MiB at the end
    growth: float  # of the memory over the last half
    again: int  # states computed by the second process


def walk(name, n, seed):
    """Move the explorer to n states; return digests of the numbers, and the `Walk` so far."""
    explorer = make(name)
    states = states_of(explorer, n, seed)
    first, numbers = {}, np.zeros((n, 16), np.uint8)
    pictures, memory = numbers.copy(), np.zeros(min(n, 200))
    met = [first.setdefault(tuple(state.values()), k) for k, state in enumerate(states)]
    process, start = psutil.Process(), time.perf_counter()
    for k, state in enumerate(states):
        if met[k] != k:
            explorer.forget()  # or it would be shown what was kept
        try:
            explorer.set(**state)
            check_readout(explorer.readout)
        except Exception as error:
            raise AssertionError(f"{name}, {state}: {type(error).__name__}: {error}") from error
        numbers[k] = np.frombuffer(digest(explorer.result, explorer.readout), np.uint8)
        pictures[k] = np.frombuffer(digest(explorer.image.value), np.uint8)
        for found in (numbers, pictures):
            assert (found[k] == found[met[k]]).all(), f"{name}, {state}: differs from before"
        mark = k * len(memory) // n
        if memory[mark] == 0:
            memory[mark] = _held(process)
    seconds = time.perf_counter() - start
    tenth = max(1, len(memory) // 10)
    half = memory[len(memory) // 2 :][:tenth].mean()
    growth = memory[-tenth:].mean() / half - 1
    check = invariants(name)
    for state in states[:: math.ceil(n / SAMPLES)]:
        explorer.set(**state)
        check(explorer.result, explorer.values)
    return numbers, Walk(n, len(first), seconds, memory[-1] / 2**20, growth, 0)


def again(name, n, seed):
    """Return the digests of the numbers once more: computed backwards, nothing drawn."""
    explorer = make(name)
    states = states_of(explorer, n, seed)
    found = {}
    for k in reversed(range(0, n, 10 if name in TRAININGS else 1)):
        result = explorer.compute(**states[k])
        found[k] = np.frombuffer(digest(result, explorer.say(result)), np.uint8)
    return found


def _held(process):
    """Return the bytes in memory, without those that are free already."""
    gc.collect()
    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    return process.memory_info().rss


def _alone(function, *arguments):
    """Call a function in a process of its own, which warns of nothing but raises."""
    with multiprocessing.get_context("spawn").Pool(1, warnings.simplefilter, ("error",)) as pool:
        return pool.apply(function, arguments)


def fire(name, n, seed=0):
    """Return the `Walk` over n random states of one explorer; raise where something is wrong."""
    numbers, walked = _alone(walk, name, n, seed)
    second = _alone(again, name, n, seed)
    for k, found in second.items():
        assert (found == numbers[k]).all(), f"{name}: state {k} differs in another process"
    return walked._replace(again=len(second))


def main(n, wanted):
    """Print a line per explorer, and end with an error where one failed."""
    for part in wanted:
        if not any(part in name for name in REGISTRY):
            sys.exit(f"ONLY: got {part}, wanted parts of {', '.join(REGISTRY)}")
    heads = ("explorer", "states", "distinct", "seconds", "MiB", "growth", "again")
    print("{:34}{:>8}{:>10}{:>9}{:>7}{:>9}{:>7}".format(*heads))
    failed = []
    for name in REGISTRY:
        if wanted and not any(part in name for part in wanted):
            continue
        try:
            walked = fire(name, n)
        except Exception as error:
            failed.append(name)
            print(f"{name:34}{type(error).__name__}: {error}", flush=True)
            continue
        print("{:34}{:8d}{:10d}{:9.0f}{:7.0f}{:9.2%}{:7d}".format(name, *walked), flush=True)
        if walked.growth > GROWTH:
            failed.append(f"{name} (memory grows)")
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main(int(os.environ.get("STATES", 10_000)), sys.argv[1:])
