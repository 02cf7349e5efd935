"""Measure speed and accuracy against the peers, and write RESULTS.md beside this file."""

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
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import exact
import numpy as np
import peers
import timing
import torch
import work

torch.set_num_threads(1)
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
        f"Threads: numpy 1, {threads}. All in float64.",
    ]


def speed_rows(title, candidates, goals, count, seconds):
    """Measure one row and return its lines, one per peer."""
    times = timing.interleaved(candidates, seconds, least=5)
    ratios = timing.ratios(times)
    low = min(times["ours"]) / count * 1e6
    cells = [f"{r.median:.2f} ({r.minimum:.2f})" for r in ratios.values()]
    pairs = dict(zip(ratios, zip(cells, goals, strict=False), strict=False))
    shown = (" · ".join(pairs[p]) if p in pairs else "" for p in ("PyTorch", "jax", "autograd"))
    line = f"| {title} | {low:.4g} | {' | '.join(shown)} |"
    print(line, flush=True)
    return line, times


def speed(seconds):
    lines = [
        "| work | ours, µs | PyTorch eager | jax.jit | HIPS autograd |",
        "|---|---|---|---|---|",
    ]
    add = functools.partial(speed_rows, seconds=seconds)
    for title, sizes, batch_norm, M_B, goals in STEPS:
        batches = 3 if sizes == LARGE else 20
        lines.append(add(title, work.steps(sizes, batch_norm, M_B, batches), goals, batches)[0])
    for M_B, n in TINY:
        candidates = work.repeated(work.backward(M_B, n), 20)
        goals = ("1.0 / 1.4", "report / 1.5", "12 / 20")
        lines.append(add(f"BN backward, M_B {M_B}, n {n}", candidates, goals, 20)[0])
    for M_B, n in HUGE:
        candidates = work.backward(M_B, n)
        candidates["triad"] = work.triad()
        goals = ("3 / 4", "report / 3", "")
        line, times = add(f"BN backward, M_B {M_B}, n {n}, 32 MiB", candidates, goals, 1)
        share = min(times["triad"]) / min(times["ours"])
        lines += [line, f"| its share of the triad bandwidth: {share:.0%} (40 % / 55 %) | | | | |"]
    goals = ("2 / 3",)
    lines.append(add("live explorer's callback, M_B 256", work.live(), goals, 1)[0])
    time_, memory, exponent = work.mix_against_matrix()
    lines += [
        "",
        f"`mix` against the dense matrix, M_B = 16384, one neuron: time {time_:.0f} (3000 / 5000), "
        f"memory {memory:.0f} (8000); growth exponent over M_B 10³…10⁶ {exponent:.2f} (≤ 1.1).",
    ]
    return lines


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
    seconds = parser.parse_args().seconds
    exactness, rows = accuracy(), speed(seconds)
    notes = (HERE / "NOTES.md").read_text(encoding="utf-8").splitlines()
    text = [
        "# Speed and accuracy against other libraries",
        "",
        "Written by `make bench`. Your machine gives other numbers.",
        "",
        *(f"- {line}" for line in machine()),
        "",
        "## Speed: time of the peer ÷ ours",
        "",
        "Median of the ratios of neighboring runs (fastest ÷ fastest) · must / reach.",
        "The gradients are compared before anything is timed.",
        "",
        *rows,
        "",
        *notes,
        "",
        "## Accuracy: largest error against 50 digits",
        "",
        "Relative to max|y|, (γ/s)·max|Δ|, Σ|Δ x̂| and Σ|Δ|; M_B from 2 to 4096.",
        "",
        *exactness,
    ]
    (HERE / "RESULTS.md").write_text("\n".join(text) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
