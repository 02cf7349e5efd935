"""Find out how the reader's function wants to be called."""

from __future__ import annotations

import itertools
import sys

import numpy as np

from .calling import IMAGES, LAYOUTS, Convention, call
from .diagnosis import Evidence

EXACT = 1e-9  # relative; right functions reach 1e-13 and a wrong one that comes so near is none
SINGLE = 1e-4  # the same for what is computed in float32
JUDGED = ("plain", "eps", "constant", "square")  # the cases in which rounding is no excuse

# What a function may have built in that takes no eps.
BUILT_IN = (1e-5, 1e-8, 1e-3, 1e-6, 1e-7, 1e-4, 1e-10, 1e-12, 1e-2, 1e-9)
STORED, TRANSPOSED = "(n, n_prev)", "(n_prev, n)"
_GIVES_STD = {"std", "inv_std", "var_eps", "normalized", "network"}

_MAKES_STD = {"x", "var", "centered", "u_prev", "cache", "psi"}


def evidence(subject, case, outcome):
    """Return the `Evidence` of one case."""
    return Evidence(case, outcome.found, subject.truth(case.values), subject.scales(case.values))


def is_single(outcomes):
    """Say whether float64 went in and float32 came out, whatever its dtype now is."""
    found = [array for outcome in outcomes for array in outcome.found.values()]
    if not found:
        return False
    if any(outcome.dtype == np.float32 for outcome in outcomes):
        return True
    with np.errstate(over="ignore", invalid="ignore"):
        return all((array == array.astype(np.float32)).all() for array in found) and any(
            array.any() for array in found
        )


def viable(f, binding, subject, layout=None, weights=None):
    """Return the ways of calling in which the shapes are right, those that are exact first.

    Parameters
    ----------
    f : callable
    binding : Binding
    subject : Subject
    layout, weights : str, optional
        The only ones to try.

    Returns
    -------
    conventions : list of Convention
    first : Outcome
        Of the first way that was tried, for its message if there is no other.
    """
    first = None
    for case in _probes(subject):
        found, fitting = {}, set()
        for convention in _conventions(binding, subject, layout, weights):
            # Vectors of another shape are tried only where those before did not fit.
            like = convention._replace(layout=convention.layout.name, meanings=())
            like = like, *convention.meanings.items()
            if like in fitting:
                continue
            tried = subject.adapt(case, convention) or case
            outcome = call(f, tried.values, binding, convention, subject)
            first = first or outcome
            if not outcome.trouble:
                ranked = _with_eps(f, tried, binding, convention, subject, outcome)
                found[like] = min(found.get(like, ranked), ranked, key=lambda pair: pair[0])
                if not outcome.misshaped:
                    fitting.add(like)
        if found:
            ranked = sorted(found.values(), key=lambda pair: pair[0])
            return _plainest([convention for _, convention in ranked]), first
    return [], first


def _probes(subject):
    """Return the cases to try: one like any other, one with eps > 0, one with a square layer."""
    for kind in ("plain", "eps", "square"):
        yield from [case for case in subject.cases if case.kind == kind][:1]


def _conventions(binding, subject, layout, weights):
    """Yield the ways in which the function may want to be called, the plainest first."""
    roles = {*binding.roles.values(), *binding.unpacked}
    meanings = [{}]
    if {"std", "eps"} <= roles:
        meanings.append({"std": "sigma"})
    if "g_prime" in roles:
        meanings.append({"g_prime": "g_prime_function"})
    if "normalized" in roles:
        meanings.append({"normalized": "x_hat"})
    layouts = [w for w in LAYOUTS if layout in (None, w.name) and w.name in subject.layouts]
    for torch, transposed, meaning, wanted, activation in itertools.product(
        (False, True) if "torch" in sys.modules else (False,),
        _storages(roles, weights),
        meanings,
        layouts,
        subject.activations(roles),
    ):
        yield Convention(wanted, torch, meaning, None, activation, transposed)


def _storages(roles, weights):
    """Return whether W may be stored as (n_prev, n).

    A function that gets W alone cannot tell: there, W in the place of Wᵀ is a
    mistake unless the reader says otherwise.
    """
    if weights is not None:
        return (weights == TRANSPOSED,)
    if {"u_prev", "W"} <= roles or {"Ws", "layers"} & roles:
        return False, True
    return (False,)


def _with_eps(f, case, binding, convention, subject, outcome):
    """Return a rank and the convention, with the eps that the function has built in.

    None where it takes eps, or gets an s that has it. Otherwise 0, or the
    one value with which the result is exact.
    """
    roles = {*binding.roles.values(), *outcome.asked}
    tolerance = SINGLE if is_single([outcome]) else EXACT
    rank = subject.rank(evidence(subject, case, outcome), tolerance)
    rank = (rank[0] or bool(outcome.misshaped), *rank[1:])
    if (
        {"eps", "bn_param"} & roles
        or _GIVES_STD & roles
        or not subject.has_eps
        or not _MAKES_STD & roles
    ):
        return rank, convention
    if rank[0] and not case.values["eps"]:
        for eps in BUILT_IN:
            again = convention._replace(eps=eps)
            other = subject.adapt(case, again)
            outcome = call(f, other.values, binding, again, subject)
            if not outcome.trouble:
                better = subject.rank(evidence(subject, other, outcome), tolerance)
                if better < rank:
                    return better, again
    return rank, convention._replace(eps=0.0)


def _plainest(conventions):
    """Leave out images and tensors where a function does without."""
    plain = [each for each in conventions if each.layout.name != IMAGES] or conventions
    return [each for each in plain if not each.torch] or plain
