"""Measure speed and accuracy against the peers, and write both into the book: benchmarks."""

# ruff: noqa: E402 - the number of threads is set before numpy is loaded

import os
import sys

# Before numpy and the peers are loaded: one thread for each.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import argparse
import functools
import platform
import string
import subprocess
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))

import exact
import numpy as np
import peers
import timing
import torch
import work

torch.set_num_threads(1)
PEERS = "PyTorch", "jax", "autograd"
SMALL, WIDE, LARGE = [2, 16, 16, 1], [20, 64, 64, 1], [784, 256, 256, 10]
# Row, its candidates, how often the work is done in one of them, and must / reach for each peer.
STEPS = [
    *((f"step {SMALL}, BN, M_B {M}", SMALL, True, M, (f"{must} / 4", "report / 1.2", "12 / 15"))
      for M, must in ((32, 3), (128, 2.4), (256, 2.1))),
    *((f"step {SMALL}, no BN, M_B {M}", SMALL, False, M, ("4 / 6", "report / 2", "12 / 15"))
      for M in (32, 128, 256)),
    *((f"step {WIDE}, BN, M_B {M}", WIDE, True, M, (goal, "report", "report"))
      for M, goal in ((32, "2.2 / 3"), (128, "1.8 / 2.5"))),
    (f"step {LARGE}, BN, M_B 128", LARGE, True, 128, ("1.0 / 1.2", "report", "report")),
]  # fmt: skip
TINY = ((4, 1), (32, 16), (256, 16))
HUGE = ((4096, 1024), (65536, 64))


def machine():
    lines = (
        Path("/proc/cpuinfo").read_text().splitlines() if os.path.exists("/proc/cpuinfo") else []
    )
    model = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), "")
    versions = ", ".join(f"{p} {version(p)}" for p in ("numpy", "torch", "jax", "autograd"))
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    threads = ", ".join(f"{name} {count}" for name, count in peers.threads().items())
    return [
        f"Machine: {model or platform.processor()}, {os.cpu_count()} cores, {platform.system()}.",
        f"Load when the run ended (1, 5, 15 minutes): {load}.",
        f"Versions: Python {platform.python_version()}, {versions}.",
        f"Threads: numpy 1, {threads}. All in float64, but for the row that says float32.",
    ]


def judged(ratio, goal):
    """Return a cell: median, fastest ÷ fastest, what must be reached / what is aimed at."""
    must = goal.split(" / ")[0]
    missed = must != "report" and ratio.median < float(must)
    return f"{ratio.median:.2f} ({ratio.minimum:.2f}) · {goal}" + " ✗" * missed


def measured(title, candidates, goals, seconds, count=1):
    """Return the line of one row, with the time of one of `count` pieces of work, and all times."""
    times = timing.interleaved(candidates, seconds, least=5)
    ratios = timing.ratios(times)
    cells = [judged(ratios[p], g) if p in ratios else "" for p, g in zip(PEERS, goals, strict=True)]
    line = f"| {title} | {min(times['ours']) / count * 1e6:.4g} | {' | '.join(cells)} |"
    print(line, flush=True)
    return line, times


def speed(seconds):
    """Return the lines of the speed table."""
    lines = [
        "| work | ours, µs | PyTorch eager | jax.jit | HIPS autograd |",
        "|---|---|---|---|---|",
    ]
    row = functools.partial(measured, seconds=seconds)
    for title, sizes, batch_norm, M_B, goals in STEPS:
        batches = 3 if sizes == LARGE else 20
        candidates = work.steps(sizes, batch_norm, M_B, batches)
        lines.append(row(title, candidates, goals, count=batches)[0])
    for M_B, n in TINY:
        candidates = work.repeated(work.backward(M_B, n), 20)
        goals = ("1.0 / 1.4", "report / 1.5", "12 / 20")
        lines.append(row(f"BN backward, M_B {M_B}, n {n}", candidates, goals, count=20)[0])
    shares = []
    for M_B, n in HUGE:
        candidates = {**work.backward(M_B, n), "triad": work.triad()}
        goals = ("3 / 4", "report / 3", "report")
        line, times = row(f"BN backward, M_B {M_B}, n {n}, 32 MiB", candidates, goals)
        lines.append(line)
        shares += [min(times["triad"]) / min(times[name]) for name in ("ours", "PyTorch")]
    title = "live explorer's callback, M_B 256, float32"
    lines.append(row(title, work.live(), ("2 / 3", "report", "report"))[0])
    return [*lines, "", *others(seconds, shares)]


def others(seconds, shares):
    """Return the lines below the speed table: what has no peer, or another measure."""
    time_, memory, exponent = work.mix_against_matrix()
    costs = []
    for sizes, M_B in ((SMALL, 32), (SMALL, 256), (WIDE, 128)):
        times = timing.interleaved(work.cost_of_accuracy(sizes, M_B), seconds)
        costs.append(1 / timing.ratios(times)["once"].median - 1)
    ours, torchs = (", ".join(f"{share:.0%}" for share in shares[k::2]) for k in (0, 1))
    return [
        f"- BN backward at 32 MiB reaches {ours} of the bandwidth of a triad of three streams in "
        f"the same run (40 % must, 55 % aim); PyTorch's native kernel reaches {torchs}.",
        f"- `mix` beside the product with the dense matrix M, M_B = 16384, one neuron: "
        f"{time_:.0f} times faster (3000 must, 5000 aim), in {memory:.0f} times less memory "
        f"(8000); its time grows with M_B to the power {exponent:.2f} from 10³ to 10⁶ "
        "(at most 1.1).",
        "- The second subtraction of the mean, which holds the accuracy below, costs "
        f"{', '.join(f'{cost:.0%}' for cost in costs)} of a step of {SMALL} at M_B 32 and 256, and "
        f"of {WIDE} at 128 (at most 16 %).",
    ]


def by_torch(case):
    """PyTorch's y, ∂C/∂x, ∂C/∂γ, ∂C/∂β of the same layer."""
    x = torch.tensor(case.x[:, np.newaxis], requires_grad=True)
    norm = torch.nn.BatchNorm1d(1, eps=peers.TINY, track_running_stats=False).double()
    with torch.no_grad():
        norm.weight.fill_(case.gamma)
        norm.bias.fill_(case.beta)
    y = norm(x)
    y.backward(torch.from_numpy(case.delta[:, np.newaxis]))
    return (
        y.detach().numpy()[:, 0],
        x.grad.numpy()[:, 0],
        norm.weight.grad.numpy()[0],
        norm.bias.grad.numpy()[0],
    )


def accuracy():
    lines = [
        "| mean/std | std | ours: y | ∂C/∂x | γ | β | PyTorch: y | ∂C/∂x | γ | β |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for ratio, std in ((0.0, 1.0), (1e4, 1.0), (1e8, 1.0), (1e8, 1e-6), (0.0, 1e-6)):
        cases = [
            exact.layer(M_B, ratio, std, seed)
            for M_B in (2, 3, 8, 32, 256, 4096)
            for seed in range(1 if M_B > 999 else 10)
        ]
        cells = []
        for results in (exact.results, by_torch):
            worst = np.max([exact.errors(case, results(case)) for case in cases], axis=0)
            cells += [f"{error:.1e}" for error in worst]
        lines.append(f"| {ratio:.0e} | {std:.0e} | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    zeros = all(
        (exact.results(exact.layer(2, ratio, seed=seed))[1] == 0).all()
        for ratio in (0.0, 1e8)
        for seed in range(1000)
    )
    lines += [
        "",
        f"∂C/∂x at M_B = 2, ε = 0, 2000 layers: {'all' if zeros else 'not all'} exactly 0.",
    ]
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="for each row")
    parser.add_argument("--print", action="store_true", help="leave the book as it is")
    options = parser.parse_args()
    exactness, rows = accuracy(), speed(options.seconds)
    page = string.Template((HERE / "PAGE.md").read_text(encoding="utf-8")).substitute(
        machine="\n".join(f"- {line}" for line in machine()),
        speed="\n".join(rows),
        notes=(HERE / "NOTES.md").read_text(encoding="utf-8").rstrip(),
        accuracy="\n".join(exactness),
    )
    if options.print:
        print(page)
        return
    header = (ROOT / "book/text/ledger.md").read_text(encoding="utf-8").partition("\n# ")[0]
    (ROOT / "book/text/benchmarks.md").write_text(f"{header}\n{page}", encoding="utf-8")
    subprocess.run([sys.executable, ROOT / ".ci/notebooks.py", "rebuild", "benchmarks"], check=True)


if __name__ == "__main__":
    main()
