"""Batches on which no known mistake can hide.

Random Δ, γ far from 1, a mean that is not 0, batches of 2, 3, 5 and 32, eps
of 0 and not, a constant feature, float32, and a mean that is large beside the
standard deviation. The numbers have two decimals, so that they can be printed
and copied.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..activations import tanh
from ..batchnorm import Normalized, normalize
from ..sample_space import center, sample_mean

NEURONS, PREVIOUS = 4, 6  # no batch has as many samples: an array has only one right shape


class Case(NamedTuple):
    """One batch with everything that a function of it may ask for.

    Attributes
    ----------
    name : str
    kind : str
        ``"plain"``, ``"eps"``, ``"constant"``, ``"square"``, ``"float32"`` or ``"large mean"``.
    values : dict
        Arrays by the names of the book.
    """

    name: str
    kind: str
    values: dict


def layer(x, gamma, beta, eps, delta, **more):
    """Return the values of a case: those given and all that follow from them."""
    x_hat, mean, std = normalize.bare(x, eps)
    centered = center(x)
    var = sample_mean(centered * centered)
    return {
        "delta": delta,
        "x": x,
        "x_hat": x_hat,
        "normalized": Normalized(x_hat, mean, std),
        "mean": mean,
        "std": std,
        "var": var,
        "sigma": np.sqrt(var),
        "inv_std": 1 / std,
        "var_eps": var + eps,
        "centered": centered,
        "gamma": gamma,
        "beta": beta,
        "eps": eps,
        "y": gamma * x_hat + beta,
        "M_B": len(x),
        # Statistics that are not those of this batch.
        "running_mean": mean / 2 + 0.25,
        "running_var": var / 2 + 1.5,
        **more,
    }


def with_eps(case, eps):
    """Return the same case with another eps, and all that follows from it."""
    values = case.values
    given = {name: values[name] for name in ("x", "gamma", "beta", "delta")}
    followed = layer(**given, eps=eps)
    return case._replace(values={**values, **followed})


def _round(values):
    return np.round(values, 2)


def _affine(rng, n):
    gamma = _round(rng.uniform(0.5, 2.0, n)) * rng.choice([-1.0, 1.0], n)
    return gamma, _round(rng.normal(size=n))


def _batch(rng, M_B, n, mean=1.0):
    """Return columns with standard deviations of 0.5 to 3 and the wanted mean/std."""
    std = np.linspace(0.5, 3.0, n)
    return _round(std * (rng.normal(size=(M_B, n)) + mean * rng.choice([-1.0, 1.0], n)))


def _error(rng, M_B, n):
    return _round(rng.normal(size=(M_B, n)) + rng.normal(size=n))


def normalization(seed, M_B, eps=0.0, mean=1.0, constant=False):
    """Return the values of one batch-normalization layer."""
    rng = np.random.default_rng(seed)
    x = _batch(rng, M_B, NEURONS, mean)
    if constant:
        x[:, 1] = 1.5
    gamma, beta = _affine(rng, NEURONS)
    return layer(x, gamma, beta, eps, _error(rng, M_B, NEURONS))


def dense(seed, M_B, eps=0.0, mean=1.0, n=NEURONS, n_prev=PREVIOUS, constant=False):
    """Return the values of a layer x = W u with batch normalization, and of the one below."""
    rng = np.random.default_rng(seed)
    gamma_prev, beta_prev = _affine(rng, n_prev)
    previous = layer(_batch(rng, M_B, n_prev), gamma_prev, beta_prev, eps, np.zeros((M_B, n_prev)))
    y_prev = previous["y"]
    u_prev = np.tanh(y_prev)
    g_prime = 1 - u_prev**2
    # tanh stays within 1; a large mean has to be put on.
    u_prev = u_prev + (mean if mean > 1 else 0.0)
    W = _round(rng.normal(size=(n, n_prev)))
    if constant:
        W[1] = 0.0
    gamma, beta = _affine(rng, n)
    return layer(
        u_prev @ W.T,
        gamma,
        beta,
        eps,
        _error(rng, M_B, n),
        u_prev=u_prev,
        W=W,
        b=_round(rng.normal(size=n)),
        g_prime=g_prime,
        g_prime_function=tanh.g_prime,
        y_prev=y_prev,
        gamma_prev=gamma_prev,
        std_prev=previous["std"],
        x_hat_prev=previous["x_hat"],
    )


def single(values):
    """Return the values in float32, all but the numbers of samples."""

    def halve(value):
        if isinstance(value, Normalized):
            return Normalized(*map(halve, value))
        return value.astype(np.float32) if isinstance(value, np.ndarray) else value

    return {name: halve(value) for name, value in values.items()}


def cases(values, *, batch_norm=True, square=False):
    """Return the cases of a subject whose batches ``values(seed, M_B, ...)`` makes."""
    plain = [Case(f"M_B = {M_B}", "plain", values(M_B, M_B)) for M_B in (5, 2, 3, 32)]
    eps = [
        Case(f"M_B = {M_B}, eps = 0.1", "eps", values(40 + M_B, M_B, eps=0.1)) for M_B in (5, 2, 32)
    ]
    constant = values(60, 5, eps=0.01, constant=True)
    constant = Case("constant feature, eps = 0.01", "constant", constant)
    same = values(70, 5, eps=0.1, n=NEURONS, n_prev=NEURONS) if square else {}
    return [
        *plain,
        *([*eps, constant] if batch_norm else []),
        *([Case("square layer", "square", same)] if square else []),
        Case("float32", "float32", single(values(80, 32))),
        Case("mean/std = 1e4", "large mean", values(90, 32, mean=1e4)),
    ]
