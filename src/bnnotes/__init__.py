"""Back-propagation through Batch Normalization, equation by equation.

The modules follow the sections of the derivation: `baseline`,
`sample_space`, `batchnorm`, `geometry`, `propagation`, `network`.
`normalizers` goes beyond it. `check` differentiates by other means. `review`
finds the mistake in code of your own. `exercise` judges
an answer. `ledger` lists every equation and claim with its verdict.
"""

import importlib

import numpy as np  # noqa: F401  the one thing that every module needs

__all__ = [
    "activations",
    "baseline",
    "batchnorm",
    "check",
    "exercise",
    "geometry",
    "ledger",
    "network",
    "normalizers",
    "propagation",
    "review",
    "sample_space",
]

__version__ = "0.1.0"


def __getattr__(name):
    # Modules load when they are first named, so that the import costs no more than numpy's.
    if name in __all__:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
