"""Time several candidates in turn, so that a busy moment of the machine meets all of them."""

import gc
import statistics
import time
from typing import NamedTuple


class Ratio(NamedTuple):
    """Time of the peer ÷ ours.

    Attributes
    ----------
    median : float
        Of the ratios of neighboring runs.
    minimum : float
        Fastest run of the peer ÷ fastest run of ours.
    ours, peer : float
        The fastest runs, seconds.
    """

    median: float
    minimum: float
    ours: float
    peer: float


def interleaved(candidates, seconds=3.0, least=15):
    """Return the times of each candidate: a list per name, one entry per round.

    Parameters
    ----------
    candidates : dict of str to callable
        What is timed, with no argument.
    seconds : float
        For all of them together, at least.
    least : int
        Rounds, at least.

    Returns
    -------
    dict of str to list of float
    """
    for candidate in candidates.values():
        candidate()
    times, order = {name: [] for name in candidates}, list(candidates)
    gc.collect()
    gc.disable()
    try:
        end = time.perf_counter() + seconds
        while len(times[order[0]]) < least or time.perf_counter() < end:
            for name in order:
                start = time.perf_counter()
                candidates[name]()
                times[name].append(time.perf_counter() - start)
            # Nobody is always the first after somebody else.
            order.append(order.pop(0))
    finally:
        gc.enable()
    return times


def ratios(times, ours="ours"):
    """Return the `Ratio` of each peer."""
    found = {}
    for name, peer in times.items():
        if name != ours:
            pairs = [p / o for p, o in zip(peer, times[ours], strict=True)]
            low, high = min(times[ours]), min(peer)
            found[name] = Ratio(statistics.median(pairs), high / low, low, high)
    return found
