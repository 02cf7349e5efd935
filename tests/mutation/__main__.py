"""Break the formulas in thousands of small ways, and see that the tests notice each.

``make mutants`` runs this. For each module a copy of the tree is made, mutmut writes the mutants
and runs the tests of that module against each. What survives must stand in survivors.toml with
its reason, and what stands there must survive.
"""

import subprocess
import sys
import time
import tomllib
from collections import Counter
from pathlib import Path

from results import read
from stage import ROOT, stage

# Each module has its test file; what it refuses is tested with that of all others.
TESTS = {
    "activations": ("test_activations.py", "test_checked.py"),
    "baseline": ("test_baseline.py", "test_checked.py"),
    "batchnorm": ("test_batchnorm.py", "test_checked.py"),
    "check": ("test_check.py",),
    "checked": ("test_checked.py",),
    "geometry": ("test_geometry.py", "test_checked.py"),
    "growth": ("test_growth.py", "test_checked.py"),
    "network": ("test_network.py", "test_weight_decay.py", "test_network_inputs.py"),
    "propagation": ("test_propagation.py", "test_checked.py"),
    "sample_space": ("test_sample_space.py", "test_checked.py"),
    "sphere": ("test_sphere.py", "test_checked.py"),
    "sweep": ("test_sweep.py",),
}
ENOUGH = 0.97
FOLDER = ROOT / "build" / "mutation"
SURVIVORS = Path(__file__).with_name("survivors.toml")


def listed():
    """Return the survivors that are allowed, from (module, function, was, now) to the reason."""
    found = {}
    for group in tomllib.loads(SURVIVORS.read_text(encoding="utf-8"))["survivors"]:
        for function, was, now in group["mutants"]:
            found[group["module"], function, was, now] = group["reason"]
    return found


def run(module, jobs):
    """Run mutmut over one module and return its `Result`."""
    folder = FOLDER / module
    stage(module, TESTS[module], folder)
    command = [Path(sys.executable).with_name("mutmut"), "run", "--max-children", str(jobs)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    (folder / "mutmut.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode:
        sys.exit(f"{module}: mutmut failed, see {folder / 'mutmut.log'}")
    return read(module, folder)


def main(modules, jobs):
    """Print a line per module, then what survived and is not listed."""
    allowed, wrong, total = listed(), [], Counter()
    print(f"{'module':14}{'mutants':>8}{'killed':>8}{'rate':>8}{'listed':>8}{'seconds':>9}")
    for module in modules:
        start = time.perf_counter()
        result = run(module, jobs)
        seconds = time.perf_counter() - start
        mine = {key for key in allowed if key[0] == module}
        wrong += [("not listed", key) for key in result.survivors if key not in mine]
        wrong += [("listed, but killed", key) for key in mine - set(result.survivors)]
        total.update(mutants=result.mutants, killed=result.killed)
        rate = result.killed / result.mutants
        print(
            f"{module:14}{result.mutants:8d}{result.killed:8d}{rate:8.1%}{len(mine):8d}{seconds:9.0f}",
            flush=True,
        )
    rate = total["killed"] / total["mutants"]
    print(f"{'all':14}{total['mutants']:8d}{total['killed']:8d}{rate:8.1%}")
    for why, (module, function, was, now) in wrong:
        print(f"\n{why}: {module}.{function}\n-   {was}\n+   {now}")
    # Of a small module a few that cannot be noticed are many.
    if wrong or (set(modules) == set(TESTS) and rate < ENOUGH):
        sys.exit(f"{len(wrong)} mutants are not as survivors.toml says; {rate:.1%} are killed.")


if __name__ == "__main__":
    jobs, *modules = sys.argv[1:]
    main(modules or list(TESTS), int(jobs))
