"""What each rank of `mpiexec` runs: chapter 8's two functions on a shard of its own.

The first rank prints how far all shards together are from one process, with the sums of all ranks
and with those of each rank alone.
"""

import sys
from pathlib import Path

import jupytext
import numpy as np
from mpi4py import MPI

from bnnotes.normalizers import batch_norm

SIZES = {4: (3, 5, 8, 16)}
TEXT = Path(__file__).parent.parent / "src" / "text" / "8_normalizers.md"


def of_the_chapter():
    """The functions of the cells tagged `sync-forward` and `sync-backward`."""
    made = {"np": np}
    for cell in jupytext.read(TEXT).cells:
        if set(cell.metadata.get("tags", [])) & {"sync-forward", "sync-backward"}:
            exec(cell.source, made)
    return made["sync_forward"], made["sync_backward"]


def farthest(all_reduce, x, delta, gamma, rank, ends):
    """The largest difference on this rank from one process, relative to its largest entry."""
    forward, backward = of_the_chapter()
    part = slice(ends[rank], ends[rank + 1])
    m, std, x_hats = forward([x[part]], all_reduce)
    (at_x,), at_gamma, at_beta = backward([delta[part]], m, std, x_hats, gamma, all_reduce)
    one = batch_norm.backward(delta, batch_norm.forward(x, gamma, gamma)[1], gamma)
    pairs = (at_x, one.x[part]), (at_gamma, one.gamma), (at_beta, one.beta)
    return max(np.abs(got - exact).max() / np.abs(exact).max() for got, exact in pairs)


if __name__ == "__main__":
    world = MPI.COMM_WORLD
    ends = np.cumsum((0, *SIZES[world.size]))
    rng = np.random.default_rng(0)  # the same on all ranks
    x, delta = rng.normal(2.0, 1.5, size=(2, ends[-1], 6))
    given = x, delta, rng.normal(size=6), world.rank, ends
    found = [
        world.allreduce(farthest(all_reduce, *given), MPI.MAX)
        for all_reduce in (lambda parts: world.allreduce(sum(parts)), sum)
    ]
    if world.rank == 0:
        sys.stdout.write(" ".join(f"{value:.3e}" for value in found))
