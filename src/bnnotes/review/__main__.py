"""Review code from a shell: ``python -m bnnotes.review path/to/layers.py:batchnorm_backward``.

Exit status: 0 right, 1 wrong, 2 it could not be run.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path

from . import DOORS, call
from . import __name__ as package

STATUS = {"right": 0, "own": 0, "wrong": 1, "unknown": 2}


def load(place):
    """Return what ``path.py:name`` names, and why it is not there, or ""."""
    path, _, name = place.rpartition(":")
    # Under a name of its own: a random.py must not take the place of Python's.
    spec = importlib.util.spec_from_file_location(f"reviewed_{Path(path).stem}", path)
    if not path or not Path(path).is_file() or spec is None:
        return None, f"{place}: wanted path/to/file.py:name"
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(Path(path).resolve().parent))
    _, trouble = call.guarded(spec.loader.exec_module, module)
    if trouble:
        return None, f"{path}: {trouble}"
    found = module
    for part in name.split("."):
        if not hasattr(found, part):
            return None, f"{path} has no {name}"
        found = getattr(found, part)
    return found, ""


def main(arguments=None):
    """Print the report; return the exit status."""
    parser = argparse.ArgumentParser(prog=f"python -m {package}", description=__doc__)
    parser.add_argument("place", help="path/to/file.py:name of a function or a class")
    parser.add_argument("--forward", help="name of its forward pass, in the same file or another")
    parser.add_argument("--layout", help="how its arrays lie")
    parser.add_argument("--subject", choices=sorted(DOORS), default="batchnorm_backward")
    parser.add_argument("--groups", type=int, help="of group normalization")
    given = parser.parse_args(arguments)
    thing, trouble = load(given.place)
    more = {}
    if not trouble and given.forward:
        place = given.forward
        place = place if ":" in place else f"{given.place.rpartition(':')[0]}:{place}"
        more["forward"], trouble = load(place)
    if trouble:
        print(trouble, file=sys.stderr)
        return STATUS["unknown"]
    try:
        report = DOORS[given.subject](thing, layout=given.layout, groups=given.groups, **more)
    except ValueError as error:
        print(error, file=sys.stderr)
        return STATUS["unknown"]
    print(report if report.ok else f"{report}\n\n{report.reproduce}")
    return STATUS[report.verdict]


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # what a pipe in Windows has, for one, lacks the ∂
    raise SystemExit(main())
