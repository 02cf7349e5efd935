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

SLOW = 0.01  # seconds here; a browser takes some times as long
MOST = 500_000  # bytes of one result
FEW = 100  # states


@contextlib.contextmanager
def keeping():
    """Yield what cached functions of the pictures' modules return meanwhile, where it took long.

    By module, then by name, then by arguments.
    """
    found, names = (
        {},
        [f"{pictures.__name__}.{m.name}" for m in pkgutil.iter_modules(pictures.__path__)],
    )
    modules = [importlib.import_module(name) for name in names]
    cached = [
        (module, name, function)
        for module in modules
        for name, function in vars(module).items()
        if hasattr(function, "cache_info")
    ]
    for module, name, function in cached:
        short = module.__name__.rpartition(".")[-1]
        setattr(module, name, _keeper(function, functools.partial(_keep, found, short, name)))
    try:
        yield found
    finally:
        for module, name, function in cached:
            setattr(module, name, function)


def ask(explorer):
    """Compute what an explorer shows at all stops of its sliders.

    Where these are too many together, one slider moves at a time.
    """
    stops = {
        name: [value for _, value in positions(control)]
        for name, control in explorer.controls.items()
    }
    if math.prod(map(len, stops.values())) <= FEW:
        states = [dict(zip(stops, state, strict=True)) for state in product(*stops.values())]
    else:
        states = [{name: value} for name, values in stops.items() for value in values]
    for state in states:
        explorer.compute(**{**explorer.values, **state})


def _keeper(function, keep):
    @functools.wraps(function)
    def kept(*args, **options):
        start = time.process_time()
        result = function(*args, **options)
        if time.process_time() - start > SLOW:
            keep((args, tuple(sorted(options.items()))), result)
        return result

    return kept


def _keep(found, module, name, key, result):
    if len(pickle.dumps(result)) < MOST:
        found.setdefault(module, {}).setdefault(name, {})[key] = result


def join(files):
    """Return the bytes of one file per module, of all that was kept for the notebooks."""
    joined = {}
    for file in files:
        for module, functions in pickle.loads(file.read_bytes()).items():
            for name, results in functions.items():
                joined.setdefault(module, {}).setdefault(name, {}).update(results)
    return {module: pickle.dumps(functions) for module, functions in joined.items()}
