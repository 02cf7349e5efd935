"""Check your own code: is this gradient right, and if not, which mistake is it?

Hand over code as it stands. It is run on batches that cannot mask a mistake,
and the report says in words what is wrong::

    from bnnotes import review

    review.batchnorm_backward(my_backward, forward=my_forward)  # a table in a notebook
    review.batchnorm_backward(my_backward).raise_if_wrong()  # a test

and in a shell, with the exit status 0 (right), 1 (wrong) or 2 (it could not be run)::

    python -m bnnotes.review path/to/layers.py:my_backward

A backward pass gets the cache of its own forward pass, which is found beside
it under its name (``…_backward`` → ``…_forward``) or handed over. A class or
an instance with both methods, a ``torch.autograd.Function`` and a torch
module are taken as they are. A backward pass alone is called by the names of
its arguments. Arrays may be (M_B, n), (n, M_B), (N, C, H, W), (N, H, W, C),
(N, C, L) or (N, L, C): `layout` is "sample-major", "feature-major", "images",
"channels-last", "series" or "sequence". The report says what every argument
was taken for.

No door raises anything but a ValueError, and that for an option that is none.
"""

from __future__ import annotations

import numpy as np

from ..checked import choice, instance
from . import call, names
from .compare import Subject
from .diagnose import Verdict, judge
from .mistakes import LAYOUTS, dense
from .mistakes import cases as _cases
from .report import Report, WrongGradient, reported

__all__ = [
    "Report",
    "WrongGradient",
    "baseline_backpropagation",
    "batchnorm_backward",
    "batchnorm_forward",
    "beta_gradient",
    "case",
    "gamma_gradient",
    "network",
    "previous_error",
    "weight_gradient",
]

_DENSE = {"u_prev", "W", "b", "g_prime", "y_prev", "gamma_prev", "std_prev", "x_hat_prev"}
_ALONE = frozenset(names.OFFERED - {"dgamma", "dbeta"})
BACKWARD = Subject("batchnorm_backward", ("dx", "dgamma", "dbeta"))
FORWARD = Subject(
    "batchnorm_forward",
    ("y",),
    offered=frozenset(names.OF_FORWARD | {"self"}),
    optional=("x_hat", "mean", "std", "var"),
)
GAMMA = Subject("gamma_gradient", ("dgamma",), offered=_ALONE)
BETA = Subject("beta_gradient", ("dbeta",), offered=_ALONE)
WEIGHT = Subject("weight_gradient", ("dW",), dense, _ALONE | _DENSE - {"b"})
PREVIOUS = Subject("previous_error", ("below",), dense, _ALONE | _DENSE - {"b"})
BASELINE = Subject(
    "baseline_backpropagation",
    ("below", "dW", "db"),
    dense,
    frozenset({"delta", "u_prev", "W", "b", "g_prime", "y_prev", "M_B", "cache"}),
    {"bracket": "delta", "scale": "1"},
)
SUBJECTS = {s.name: s for s in (BACKWARD, FORWARD, GAMMA, BETA, WEIGHT, PREVIOUS, BASELINE)}


def batchnorm_backward(f, *, forward=None, layout=None):
    """Review the backward pass of batch normalization, section 2.

    Parameters
    ----------
    f : callable, class or instance
        A backward pass, which returns ∂C/∂x, or (∂C/∂x, ∂C/∂γ, ∂C/∂β) in
        whatever form; a layer with two methods; a ``torch.autograd.Function``
        or a torch module.
    forward : callable, optional
        The forward pass that fills the cache of f; found beside f if None.
    layout : str, optional
        How f wants its arrays, a key of `LAYOUTS`; found out if None.

    Returns
    -------
    Report
        `ok` where the gradients are those of its own forward pass, or, where
        there is none, of batch normalization.

    Examples
    --------
    >>> def my_backward(dout, x_hat, std, gamma):
    ...     return gamma / std * (dout - dout.mean(axis=0))
    >>> batchnorm_backward(my_backward).diagnosis
    'your ∂C/∂x lacks −x̂⟨Δ x̂⟩'
    """
    return _review(f, BACKWARD, layout, forward=forward)


def batchnorm_forward(f, *, layout=None):
    """Review the forward pass of batch normalization, section 2.

    Parameters
    ----------
    f : callable
        Takes some of ``x, mean, std, var, gamma, beta, eps``, returns y, or
        (y, cache). Of a cache with names, x̂, mean and std are reviewed too.
    layout : str, optional
        How f wants its arrays, a key of `LAYOUTS`; found out if None.

    Returns
    -------
    Report
    """
    return _review(f, FORWARD, layout)


def gamma_gradient(f, *, layout=None):
    """Review ∂C/∂γ, section 2 (S13).

    Parameters
    ----------
    f : callable
        Takes what `batchnorm_backward` offers, returns an array (n,).
    layout : str, optional
        How f wants its arrays, a key of `LAYOUTS`; found out if None.

    Returns
    -------
    Report
    """
    return _review(f, GAMMA, layout)


def beta_gradient(f, *, layout=None):
    """Review ∂C/∂β, section 2 (S12).

    Parameters
    ----------
    f : callable
        Takes what `batchnorm_backward` offers, returns an array (n,).
    layout : str, optional
        How f wants its arrays, a key of `LAYOUTS`; found out if None.

    Returns
    -------
    Report
    """
    return _review(f, BETA, layout)


def weight_gradient(f, *, layout=None, weights=None):
    """Review ∂C/∂W of a layer with batch normalization, equation (1).

    Parameters
    ----------
    f : callable
        Takes some of ``delta, u_prev, W, x, x_hat, mean, std, var, gamma,
        beta, eps``, returns ∂C/∂W.
    layout : {"sample-major", "feature-major"}, optional
    weights : {"(n, n_prev)", "(n_prev, n)"}, optional
        The shape of W; the first, as in this book, if f cannot tell.

    Returns
    -------
    Report
    """
    return _review(f, WEIGHT, layout, weights)


def previous_error(f, *, layout=None, weights=None):
    """Review the error of the layer below one with batch normalization, equation (2).

    Parameters
    ----------
    f : callable
        Takes some of ``delta, W, x, x_hat, mean, std, var, gamma, eps,
        g_prime``, returns Δ of the layer below. ``g_prime`` is the array
        g'(y) of that layer.
    layout : {"sample-major", "feature-major"}, optional
    weights : {"(n, n_prev)", "(n_prev, n)"}, optional
        The shape of W; the first, as in this book, if f cannot tell.

    Returns
    -------
    Report

    Examples
    --------
    >>> def my_error(delta, W, x_hat, std, gamma, g_prime):
    ...     mixed = delta - delta.mean(axis=0) - x_hat * (delta * x_hat).mean(axis=0)
    ...     return (gamma / std * mixed) @ W.T * g_prime
    >>> previous_error(my_error).mistakes
    ('W for Wᵀ',)
    """
    return _review(f, PREVIOUS, layout, weights)


def baseline_backpropagation(f, *, layout=None, weights=None):
    """Review back-propagation through a layer without batch normalization, section 1.

    Parameters
    ----------
    f : callable
        Takes some of ``delta, u_prev, W, b, g_prime``, returns some of Δ of
        the layer below, ∂C/∂W and ∂C/∂b. The shapes tell which is which.
    layout : {"sample-major", "feature-major"}, optional
    weights : {"(n, n_prev)", "(n_prev, n)"}, optional
        The shape of W; the first, as in this book, if f cannot tell.

    Returns
    -------
    Report
    """
    return _review(f, BASELINE, layout, weights)


def network(f, *, batch_norm=True, layout=None, weights=None):
    """Review the cost and all gradients of a whole network, sections 1 and 2.

    The network has three layers, a sigmoid output and the cross-entropy of
    `bnnotes.baseline.cross_entropy` as cost.

    Parameters
    ----------
    f : callable
        Takes ``psi`` and ``phi``, the inputs and the labels, and either
        ``network``, or ``layers`` (a list of dicts with W, gamma and beta),
        or ``Ws``, ``gammas`` and ``betas``; and ``eps`` and ``activation``,
        or it has them built in. Returns (cost, gradients), the gradients in
        the same form.
    batch_norm : bool
        Whether the layers normalize their batch; else they have W and b.
    layout : {"sample-major", "feature-major"}, optional
    weights : {"(n, n_prev)", "(n_prev, n)"}, optional
        The shape of every W; found out if None.

    Returns
    -------
    Report
    """
    from . import whole

    instance("batch_norm", batch_norm, (bool, np.bool_), "True or False")
    _checked(layout, weights, ("sample-major", "feature-major"))
    return whole.review(f, bool(batch_norm), layout, weights)


def case(subject, name):
    """Return the inputs of one case by the names of the book, as a report names it.

    Parameters
    ----------
    subject : str
        What is reviewed: the name of a function of this module.
    name : str
        ``"M_B = 3"``, ``"constant feature, eps = 0.01"``, and so on.

    Returns
    -------
    dict
        A copy, yours to change.

    Raises
    ------
    ValueError
        If there is no such case.

    Examples
    --------
    >>> case("batchnorm_backward", "M_B = 3")["delta"].shape
    (3, 4)
    """
    subject = SUBJECTS[choice("subject", subject, SUBJECTS)]
    found = {each.name: each for each in _cases(subject.made)}
    values = found[choice("name", name, found)].values
    hand = call.Form()
    roles = [role for role in names.SAYS if role not in _DENSE]
    roles += ["x", "y", "M_B", *(_DENSE & values.keys())]
    return {role: hand.hand(role, values) for role in dict.fromkeys(roles)}


WEIGHTS = {"(n, n_prev)": False, "(n_prev, n)": True}


def _checked(layout, weights, layouts=tuple(LAYOUTS)):
    if layout is not None:
        choice("layout", layout, layouts)
    if weights is not None:
        choice("weights", weights, WEIGHTS)


def _review(f, subject, layout, weights=None, forward=None):
    _checked(layout, weights, tuple(LAYOUTS) if subject.made is not dense else tuple(LAYOUTS)[:2])
    with call.one_thread():
        try:
            verdict, tried = _verdict(f, subject, layout, weights, forward)
        except call.Unreadable as trouble:
            verdict, tried = Verdict("unknown", str(trouble), parts=999), ()
        except Exception as error:
            text = f"review could not deal with it: {type(error).__name__}: {error}"
            verdict, tried = Verdict("unknown", text, parts=999), ()
        return reported(names.name_of(f), subject, verdict, tried)


def _verdict(f, subject, layout, weights, forward):
    """Return the verdict, and what was tried, in words."""
    if subject is BACKWARD:
        return _backward(f, subject, layout, forward)
    if not callable(f):
        return Verdict("unknown", f"got {type(f).__name__}, wanted a function"), ()
    if subject is FORWARD:
        return judge(subject, _forward_ways(f, layout)), ()
    ways = _function_ways(f, subject, layout, weights)
    return judge(subject, ways), ()


def _forward_ways(f, layout):
    kind = f if isinstance(f, type) else type(f)
    if not isinstance(f, type) and not hasattr(f, "__name__"):
        method = next((m for m in call.FORWARDS if callable(getattr(f, m, None))), None)
        f = getattr(f, method) if method and method != "__call__" else f
    elif isinstance(f, type):
        raise call.Unreadable(f"{kind.__name__} is a class; hand over its forward pass")
    slots = call.slots_of(f, FORWARD.offered, delta=False)
    slots = [(k, ["x", *p] if p == list(names.ANY) else p) for k, p in slots]
    slots = [(k, [r for r in p if r in FORWARD.offered or r is None]) for k, p in slots]
    for rank, roles in call.assignments(slots, 40):
        for form in call.forms(f, layout):
            yield call.ForwardWay(f, roles, form, ("y",), rank)


def _function_ways(f, subject, layout, weights):
    for way in call.function_ways(f, layout, subject.wanted, subject.offered):
        if subject.made is not dense:
            yield way
            continue
        if way.form.layout.name not in ("sample-major", "feature-major"):
            continue
        # Without ∂C/∂W nothing tells the shape of W.
        known = weights is not None or "dW" not in subject.wanted
        for transposed in (WEIGHTS.get(weights, False),) if known else (False, True):
            form = way.form._replace(transposed=transposed)
            yield call.FunctionWay(way.f, way.roles, form, way.wanted, way.order)


def _backward(f, subject, layout, forward):
    torch = call.torch()
    holder = names.owner(f)
    if holder is not None and forward is None and names.name_of(f) in (*call.BACKWARDS, "apply"):
        f = holder
    if torch is not None:
        function = isinstance(f, type) and issubclass(f, torch.autograd.Function)
        module = torch.nn.Module
        if function or isinstance(f, module) or (isinstance(f, type) and issubclass(f, module)):
            return judge(subject, call.autograd_ways(f, layout)), ()
    kind = f if isinstance(f, type) else type(f)
    methods = (
        call.methods(kind) if not hasattr(f, "__name__") or isinstance(f, type) else (None, None)
    )
    if methods[1] and not methods[0]:
        return Verdict("unknown", f"{kind.__name__} has a backward pass and no forward pass"), ()
    if methods[1]:
        return judge(subject, call.layer_ways(f, layout, subject.wanted)), ()
    if isinstance(f, type) or (callable(f) and not hasattr(f, "__name__") and _is_forward(f)):
        text = "it is a forward pass, or a layer without a backward method: "
        return Verdict("unknown", text + "review.batchnorm_forward reviews it"), ()
    if not callable(f):
        return Verdict("unknown", f"got {type(f).__name__}, wanted a function or a layer"), ()
    beside = forward or names.find_forward(f)
    if beside is not None:
        verdict = judge(subject, call.pair_ways(beside, f, layout, subject.wanted))
        taken = f"its forward pass is {names.name_of(beside)}"
        taken += ", which stands beside it" if forward is None else ""
        if forward is not None or not verdict.text.startswith("it failed"):
            return verdict, (taken,)
        # Its cache may be put together elsewhere.
        alone = judge(subject, call.function_ways(f, layout, subject.wanted))
        name = names.name_of(beside)
        text = f"its cache is put together elsewhere: with that of {name}, {verdict.text}"
        if alone.kind == "right":
            return alone._replace(condition=text), ()
        return (alone, (f"perhaps {text}",)) if alone.parts <= 1 else (verdict, (taken,))
    else:
        tried = ()
    if _is_forward(f):
        text = "it takes no Δ, so it is a forward pass: review.batchnorm_forward reviews it"
        return Verdict("unknown", text), tried
    try:
        verdict = judge(subject, call.function_ways(f, layout, subject.wanted))
        guessed = "cache" in getattr(verdict.way, "roles", {}).values()
        if verdict.kind == "wrong" and verdict.parts > 1 and guessed:
            # Perhaps the cache is wrong, and not the function.
            text = f"what is in its cache was guessed: {verdict.text}; hand over the forward pass"
            verdict = verdict._replace(kind="unknown", text=f"{text} that fills it: forward=")
        return verdict, tried
    except call.Unreadable as trouble:
        text = f"{trouble}; hand over its forward pass: batchnorm_backward(f, forward=...)"
        return Verdict("unknown", text, parts=999), tried


def _is_forward(f):
    """Say whether a function takes x and no Δ."""
    named = names.parameters(f)
    if not named:
        return False
    first = [next(iter(names.meanings(name, names.OFFERED)), None) for name in named]
    return (
        "delta" not in first
        and "cache" not in first
        and None not in first[:1]
        and ("x" in first and not {"x_hat", "std", "inv_std"} & set(first))
    )
