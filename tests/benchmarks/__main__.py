"""Measure speed and accuracy against the peers, and write both into the book: benchmarks."""

# ruff: noqa: E402 - the number of threads is set before numpy is loaded

import os
import sys

# Before numpy and the peers are loaded: one thread for each.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import argparse
import platform
import string
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))

import exact
import numpy as np
import peers
import timing
import torch
import work

from bnnotes.pictures import training as pictures

torch.set_num_threads(1)
PEERS = "PyTorch", "jax", "autograd"
SMALL, WIDE, LARGE = [2, 16, 16, 1], [20, 64, 64, 1], [784, 256, 256, 10]
STEPS = [
    *((SMALL, True, M_B) for M_B in (32, 128, 256)),
    *((SMALL, False, M_B) for M_B in (32, 128, 256)),
    *((WIDE, True, M_B) for M_B in (32, 128)),
    (LARGE, True, 128),
]
TINY = ((4, 1), (32, 16), (256, 16))
HUGE = ((4096, 1024), (65536, 64))
FEW = 4  # samples of a batch whose step is nearly all calls, and hardly any numbers


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


class Row(NamedTuple):
    """One row of the speed table: what was done, our fastest time in seconds, and the ratios."""

    title: str
    ours: float
    ratios: dict
    times: dict

    def __str__(self):
        ratios = (self.ratios.get(peer) for peer in PEERS)
        cells = (f"{r.median:.2f} ({r.minimum:.2f})" if r else "" for r in ratios)
        return f"| {self.title} | {self.ours * 1e6:.4g} | {' | '.join(cells)} |"


def measured(title, candidates, seconds, count=1):
    """Return the `Row` of candidates that do `count` pieces of work each."""
    times = timing.interleaved(candidates, seconds, least=5)
    row = Row(title, min(times["ours"]) / count, timing.ratios(times), times)
    print(row, flush=True)
    return row


def step(sizes, batch_norm, M_B, seconds):
    batches = 3 if sizes == LARGE else 20
    title = f"step {sizes}, {'BN' if batch_norm else 'no BN'}, M_B {M_B}"
    return measured(title, work.steps(sizes, batch_norm, M_B, batches), seconds, batches)


def speed(seconds):
    """Return the rows of the speed table by kind."""
    tiny = [
        measured(
            f"BN backward, M_B {M_B}, n {n}",
            work.repeated(work.backward(M_B, n)),
            seconds,
            work.REPEATED,
        )
        for M_B, n in TINY
    ]
    huge = [
        measured(
            f"BN backward, M_B {M_B}, n {n}, 32 MiB",
            {**work.backward(M_B, n), "triad": work.triad()},
            seconds,
        )
        for M_B, n in HUGE
    ]
    title = "a move of the live explorer, M_B 256, float32"
    return {
        "step": [step(*options, seconds) for options in STEPS],
        "backward": tiny + huge,
        "move": [measured(title, work.live(), seconds)],
    }


def table(rows):
    return [
        "| work | ours, µs | PyTorch eager | jax.jit | HIPS autograd |",
        "|---|---|---|---|---|",
        *(str(row) for kind in rows.values() for row in kind),
    ]


def between(values, form=".2g"):
    """Say in which range some numbers are."""
    low, high = format(min(values), form), format(max(values), form)
    return low if low == high else f"{low} to {high}"


def faster(rows, peer):
    """Say how many times as fast as a peer these rows are."""
    return f"{between([row.ratios[peer].median for row in rows])} times as fast as"


def balance(rows, errors, seconds):
    """Return what a reader gains and what it costs, in numbers of this run alone."""
    (move,) = rows["move"]
    small = [row for row in rows["step"] if str(SMALL) in row.title]
    large = [row for row in rows["step"] if str(LARGE) in row.title]
    few = timing.interleaved(work.few_samples(SMALL, FEW, 32), seconds)
    calls, torch_calls = (
        timing.ratios(few, name)[f"{name}, few"].median for name in ("ours", "PyTorch")
    )
    costs = []
    for sizes, M_B in ((SMALL, 32), (SMALL, 256), (WIDE, 128)):
        times = timing.interleaved(work.cost_of_accuracy(sizes, M_B), seconds)
        costs.append(100 / timing.ratios(times)["once"].median - 100)
    dense, memory, exponent = work.mix_against_matrix()
    huge = [row.times for row in rows["backward"] if "triad" in row.times]
    ours, torchs = (
        between([100 * min(times["triad"]) / min(times[name]) for times in huge], ".0f")
        for name in ("ours", "PyTorch")
    )
    checked = [row.ratios["checked"] for row in rows["backward"] if "triad" not in row.times]
    checks = [(ratio.peer - ratio.ours) / work.REPEATED * 1e6 for ratio in checked]
    return [
        f"**A slider that trains.** A move of the live explorer of chapter 6 at $M_B = 256$ trains "
        f"two networks for {pictures.STEPS} steps each, predicts, draws and encodes the picture: "
        f"{move.ours * 1e3:.0f} ms, with nothing kept from earlier moves. PyTorch takes "
        f"{move.ratios['PyTorch'].peer * 1e3:.0f} ms for the two trainings alone.",
        f"**Small networks.** A step of {SMALL} is {faster(small, 'PyTorch')} PyTorch eager, "
        f"{faster(small, 'autograd')} autograd, and {faster(small, 'jax')} `jax.jit`, which "
        f"compiles the whole step.",
        f"**Digits.** The largest error in the table of accuracy is {errors[0]:.0e} here and "
        f"{errors[1]:.0e} with PyTorch. The second subtraction of the mean, which holds it, costs "
        f"{between(costs, '.0f')} % of a step.",
        f"**Large batches.** `sample_space.mix` forms no matrix: at $M_B = 16384$ it is "
        f"{dense:.0f} times as fast as the product with **M**, in {memory:.0f} times less memory, "
        f"and from $10^3$ to $10^6$ samples its time grows with $M_B$ to the power "
        f"{exponent:.2f}.",
        f"**The price: many calls.** A step is a sequence of calls of numpy, and a call costs the "
        f"same for few numbers as for some hundred. So a step of {SMALL} with {FEW} samples takes "
        f"{100 * calls:.0f} % of the time that it takes with 32, and with PyTorch "
        f"{100 * torch_calls:.0f} %.",
        f"**The price: wide layers.** The larger the arrays, the more the products decide, and "
        f"there is less to gain: {LARGE} is {faster(large, 'PyTorch')} PyTorch.",
        f"**The price: one layer by itself.** BN's backward pass is one native call in PyTorch and "
        f"here a dozen of numpy: {faster(rows['backward'], 'PyTorch')} PyTorch. On 32 MiB each of "
        f"them streams the array anew, so it reaches {ours} % of the bandwidth of a triad of three "
        f"streams in the same run, and PyTorch's kernel {torchs} %.",
        f"**The price: a check.** A training checks its input once. A public function that you "
        f"call by itself does so every time, which takes {between(checks, '.0f')} µs for a "
        f"backward pass of up to 256 × 16 numbers.",
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
    """Return the lines of the table of accuracy, and the largest error of ours and of PyTorch."""
    largest = [0.0, 0.0]
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
        for who, results in enumerate((exact.results, by_torch)):
            worst = np.max([exact.errors(case, results(case)) for case in cases], axis=0)
            cells += [f"{error:.1e}" for error in worst]
            largest[who] = max(largest[who], *worst)
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
    return lines, largest


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="for each row")
    parser.add_argument("--print", action="store_true", help="leave the book as it is")
    options = parser.parse_args()
    if not options.print:
        # Edits in the notebook itself stop it: now, and not after all that is measured.
        rebuild()
    (exactness, errors), rows = accuracy(), speed(options.seconds)
    page = string.Template((HERE / "PAGE.md").read_text(encoding="utf-8")).substitute(
        machine="\n".join(f"- {line}" for line in machine()),
        speed="\n".join(table(rows)),
        balance="\n".join(f"- {line}" for line in balance(rows, errors, options.seconds)),
        accuracy="\n".join(exactness),
    )
    if options.print:
        print(page)
        return
    header = (ROOT / "src/text/ledger.md").read_text(encoding="utf-8").partition("\n# ")[0]
    (ROOT / "src/text/benchmarks.md").write_text(f"{header}\n{page}", encoding="utf-8")
    rebuild()


def rebuild():
    subprocess.run([sys.executable, ROOT / ".ci/notebooks.py", "rebuild", "benchmarks"], check=True)


if __name__ == "__main__":
    main()
