"""What takes long to compute, kept when the frames are made, for Python in the pages."""

import contextlib
import functools
import importlib
import math
import pickle
import pkgutil
import time
from itertools import product

from positions import positions

from bnnotes import pictures

SLOW = 0.003  # seconds here; a browser takes some times as long
MOST = 500_000  # bytes of one result
WORTH = 10_000_000  # bytes for a second of computing
FEW = 300  # results of one function


class Kept:
    """What cached functions of the pictures' modules returned, and which of them were called.

    Attributes
    ----------
    found : dict
        By module, then by name, then by arguments: where it took long.
    called : dict of tuple to set
        The arguments, by module and name.
    """

    def __init__(self):
        self.found, self.called = {}, {}

    def watch(self, module, name, function):
        """Return the function, watched."""

        @functools.wraps(function)
        def watched(*args, **options):
            key = args, tuple(sorted(options.items()))
            self.called.setdefault((module, name), set()).add(key)
            start = time.process_time()
            result = function(*args, **options)
            spent = time.process_time() - start
            if spent > SLOW and len(pickle.dumps(result)) < min(MOST, WORTH * spent):
                self.found.setdefault(module, {}).setdefault(name, {})[key] = result
            return result

        return watched


@contextlib.contextmanager
def keeping():
    """Yield as `Kept` what the cached functions of the pictures' modules do meanwhile."""
    kept = Kept()
    names = [f"{pictures.__name__}.{m.name}" for m in pkgutil.iter_modules(pictures.__path__)]
    modules = [importlib.import_module(name) for name in names]
    cached = [
        (module, name, function)
        for module in modules
        for name, function in vars(module).items()
        if hasattr(function, "cache_info")
    ]
    for module, name, function in cached:
        setattr(module, name, kept.watch(module.__name__.rpartition(".")[-1], name, function))
    try:
        yield kept
    finally:
        for module, name, function in cached:
            setattr(module, name, function)


def ask(explorer, kept):
    """Compute what an explorer shows with each slider at all its stops, the others as they begin.

    The sliders that a cached function depends on stand at all their stops together, where it has
    few results then.
    """
    stops = {
        name: [value for _, value in positions(control)]
        for name, control in explorer.controls.items()
    }

    def called(**moved):
        kept.called.clear()
        explorer.compute(**{**explorer.values, **moved})
        return dict(kept.called)

    start, sliders = called(), {}
    for name, values in stops.items():
        for value in values:
            for function, keys in called(**{name: value}).items():
                if keys != start.get(function):
                    sliders.setdefault(function, {})[name] = values
    for some in {tuple(some): some for some in sliders.values()}.values():
        if math.prod(map(len, some.values())) <= FEW:
            for state in product(*some.values()):
                called(**dict(zip(some, state, strict=True)))


def join(files):
    """Return the bytes of one file per module, of all that was kept for the notebooks."""
    joined = {}
    for file in files:
        for module, functions in pickle.loads(file.read_bytes()).items():
            for name, results in functions.items():
                joined.setdefault(module, {}).setdefault(name, {}).update(results)
    return {module: pickle.dumps(functions) for module, functions in joined.items()}
