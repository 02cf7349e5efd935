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

Layer, group, instance and RMS normalization and frozen batch normalization have
doors of their own, which are called in the same way::

    review.layernorm_backward(my_backward, forward=my_forward)
    review.groupnorm_backward(my_backward, forward=my_forward, groups=8)

No door raises anything but a ValueError, and that for an option that is none.

>>> def my_backward(dout, x_hat, std, gamma):
...     return gamma / std * (dout - dout.mean(axis=0))
>>> batchnorm_backward(my_backward).diagnosis
'your ∂C/∂x lacks −x̂⟨Δ x̂⟩'
>>> def my_backward(dout, x, weight, eps):
...     std = (x.var(axis=-1, keepdims=True) + eps) ** 0.5
...     return weight / std * (dout - dout.mean(axis=-1, keepdims=True))
>>> layernorm_backward(my_backward).ok
False
"""

from __future__ import annotations

import functools

import numpy as np

from ..checked import choice, count, instance
from . import call, names
from .compare import Network, Subject
from .diagnose import Verdict, judge, rank
from .mistakes import (
    BASELINE,
    BATCH,
    DENSE,
    FROZEN,
    INSTANCES,
    LAYERS,
    LAYOUTS,
    ROOTS,
    dense,
    grouped,
)
from .mistakes import cases as _cases
from .report import Report, WrongGradient, reported

_DENSE = set(DENSE)
_ALONE = frozenset(names.OFFERED - {"dgamma", "dbeta"})
_BACKWARD = "dx", "dgamma", "dbeta"
_OF_FORWARD = frozenset(names.OF_FORWARD | {"self"})
MOST_GROUPS = 256  # some seconds
WEIGHTS = {"(n, n_prev)": False, "(n_prev, n)": True}


class Door:
    """What is called with your code, and returns a `Report` on it.

    Parameters
    ----------
    f : callable, class or instance
        A function; for a backward pass also a layer with two methods, a
        ``torch.autograd.Function`` or a torch module.
    forward : callable, optional
        The forward pass that fills the cache of a backward pass f; found
        beside f if None.
    layout : str, optional
        How f wants its arrays, a key of `LAYOUTS`; found out if None.
    groups : int, optional
        Of group normalization; what f has as an attribute, or 2, if None.
    weights : {"(n, n_prev)", "(n_prev, n)"}, optional
        The shape of W, where there is one; found out if None, and the first,
        as in this book, if f cannot tell.

    An option that a door does not have is refused.
    """

    def __init__(self, says, subject, kinds=(BATCH,)):
        self.__doc__, self.__name__ = says, subject.name
        self.subject, self.kinds = subject, kinds

    def __repr__(self):
        return f"review.{self.__name__}: {self.__doc__.splitlines()[0]}"

    def of(self, groups=None):
        """Return the subjects, one for each convention of who is averaged."""
        kinds = self.kinds(groups or 2) if callable(self.kinds) else self.kinds
        return [self.subject._replace(kind=kind) for kind in kinds]

    def __call__(self, f, *, forward=None, layout=None, groups=None, weights=None):
        options = {
            "forward": "dx" in self.subject.wanted,
            "groups": callable(self.kinds),
            "weights": self.subject.made is dense,
        }
        for name, value in (("forward", forward), ("groups", groups), ("weights", weights)):
            if value is not None and not options[name]:
                raise ValueError(f"{name}: {self.__name__} does not take it")
        if groups is not None:
            count("groups", groups, maximum=MOST_GROUPS)
        elif callable(self.kinds):
            groups = next((v for k in _GROUPS if isinstance(v := names.attribute(f, k), int)), 2)
        subjects = self.of(groups)
        known = [name for s in subjects for name in s.kind.layouts]
        known = tuple(LAYOUTS)[:2] if self.subject.made is dense else dict.fromkeys(known)
        if layout is not None:
            choice("layout", layout, known)
        if weights is not None:
            choice("weights", weights, WEIGHTS)
        tries, last = [], []
        for subject in subjects:
            here = [n for n in subject.kind.layouts if n in known and layout in (None, n)]
            # A layer normalization of columns is a batch normalization of rows: the last to try.
            late = [n for n in here if n in subject.kind.last and layout is None]
            tries.append((subject, [LAYOUTS[n] for n in here if n not in late]))
            last.append((subject, [LAYOUTS[n] for n in late]))
        tries = [(subject, layouts) for subject, layouts in tries if layouts]
        best = None
        with call.undisturbed():
            # Two mistakes at once are looked for where one convention of averaging is left.
            for subject, layouts in tries:
                given = f, subject, layouts, weights, forward
                found = subject, *_reviewed(*given, deep=len(tries) == 1)
                best = best if best and rank(best[1]) <= rank(found[1]) else found
                if found[1].parts <= 1:
                    break
            else:
                if len(tries) > 1 and best[1].parts >= 100:
                    best = tries[0][0], *_reviewed(f, *tries[0], weights, forward)
            for subject, layouts in last if best[1].parts > 1 else ():
                found = subject, *_reviewed(f, subject, layouts, weights, forward)
                fits = best[1].kind == "unknown" or "has the shape" in best[1].text
                fits = fits and found[1].kind in ("right", "wrong")
                if layouts and fits and "has the shape" not in found[1].text:
                    best = found
            subject, verdict, tried = best
            return reported(names.name_of(f), subject, verdict, tried)


_GROUPS = "num_groups", "groups", "n_groups", "G"


def _reviewed(f, subject, layouts, weights, forward, deep=True):
    """Return the verdict, and what was tried, in words."""
    try:
        if subject.wanted == _BACKWARD:
            return _backward(f, subject, layouts, forward, functools.partial(judge, deep=deep))
        if not callable(f):
            return Verdict("unknown", f"got {type(f).__name__}, wanted a function"), ()
        if isinstance(subject, Network):
            return judge(subject, call.network_ways(f, subject.batch_norm, layouts, weights)), ()
        if subject.wanted == ("y",):
            return judge(subject, _forward_ways(f, layouts), deep), ()
        return judge(subject, _function_ways(f, subject, layouts, weights)), ()
    except call.Unreadable as trouble:
        return Verdict("unknown", str(trouble), parts=999), ()
    except Exception as error:
        text = f"review could not deal with it: {type(error).__name__}: {error}"
        return Verdict("unknown", text, parts=999), ()


def _pair(name, of, kinds):
    """Return the doors of a backward and of a forward pass."""
    one = kinds[0] if isinstance(kinds, tuple) else BATCH
    optional = ("x_hat",) if one is not BATCH else ("x_hat", "mean", "std", "var")
    back = Subject(f"{name}_backward", _BACKWARD)
    forth = Subject(f"{name}_forward", ("y",), offered=_OF_FORWARD, optional=optional)
    gives = f"Review the backward pass of {of}: ∂C/∂x, or (∂C/∂x, ∂C/∂γ, ∂C/∂β)."
    return Door(gives, back, kinds), Door(f"Review the forward pass of {of}.", forth, kinds)


batchnorm_backward, batchnorm_forward = _pair("batchnorm", "batch normalization", (BATCH,))
layernorm_backward, layernorm_forward = _pair("layernorm", "layer normalization", LAYERS)
groupnorm_backward, groupnorm_forward = _pair("groupnorm", "group normalization", grouped)
instancenorm_backward, instancenorm_forward = _pair(
    "instancenorm", "instance normalization", INSTANCES
)
rmsnorm_backward, rmsnorm_forward = _pair("rmsnorm", "RMS normalization", ROOTS)
frozen_batchnorm_backward, frozen_batchnorm_forward = _pair(
    "frozen_batchnorm", "batch normalization with stored statistics", (FROZEN,)
)
gamma_gradient = Door(
    "Review ∂C/∂γ of batch normalization, (n,), section 2 (S13).",
    Subject("gamma_gradient", ("dgamma",), offered=_ALONE),
)
beta_gradient = Door(
    "Review ∂C/∂β of batch normalization, (n,), section 2 (S12).",
    Subject("beta_gradient", ("dbeta",), offered=_ALONE),
)
weight_gradient = Door(
    "Review ∂C/∂W of a layer x = W u with batch normalization, equation (1).",
    Subject("weight_gradient", ("dW",), dense, _ALONE | _DENSE - {"b"}),
)
previous_error = Door(
    """Review the error of the layer below one with batch normalization, equation (2).

    f takes some of ``delta, W, x, x_hat, mean, std, var, gamma, eps, g_prime``,
    of which the last is the array g'(y) of the layer below.
    """,
    Subject("previous_error", ("below",), dense, _ALONE | _DENSE - {"b"}),
)
baseline_backpropagation = Door(
    """Review back-propagation through a layer without batch normalization, section 1.

    f takes some of ``delta, u_prev, W, b, g_prime``, and returns some of Δ of the
    layer below, ∂C/∂W and ∂C/∂b. The shapes tell which is which.
    """,
    Subject(
        "baseline_backpropagation",
        ("below", "dW", "db"),
        dense,
        frozenset({"delta", "u_prev", "W", "b", "g_prime", "y_prev", "M_B", "cache"}),
    ),
    (BASELINE,),
)
DOORS = {door.__name__: door for door in tuple(globals().values()) if isinstance(door, Door)}
__all__ = ["Door", "Report", "WrongGradient", "case", "network", *DOORS]


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
        or it has them built in: tanh, ReLU or sigmoid. Returns (cost, gradients), the gradients in
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
    instance("batch_norm", batch_norm, (bool, np.bool_), "True or False")
    if layout is not None:
        choice("layout", layout, ("sample-major", "feature-major"))
    if weights is not None:
        choice("weights", weights, WEIGHTS)
    subject = _NETWORK if batch_norm else _PLAIN_NETWORK
    with call.undisturbed():
        return reported(names.name_of(f), subject, *_reviewed(f, subject, layout, weights, None))


_NETWORK = Network("network", ("cost",))
_PLAIN_NETWORK = Network("network without batch normalization", ("cost",), kind=BASELINE)


def case(subject, name):
    """Return the inputs of one case by the names of the book, as a report names it.

    Parameters
    ----------
    subject : str
        What is reviewed: the name of a door of this module.
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
    subject = DOORS[choice("subject", subject, DOORS)].of()[0]
    layout = LAYOUTS[subject.kind.layouts[0]]
    found = {each.name: each for each in _cases(subject.made, layout, kind=subject.kind)}
    # Where ε is built in, a report leaves it out.
    found = {**{name.split(", eps")[0]: each for name, each in found.items()}, **found}
    values = found[choice("name", name, found)].values
    hand = call.Form(layout)
    roles = [role for role in names.SAYS if role not in _DENSE]
    roles += ["x", "y", "M_B", *(_DENSE & values.keys())]
    return {role: hand.hand(role, values) for role in dict.fromkeys(roles)}


def _forward_ways(f, layouts):
    kind = f if isinstance(f, type) else type(f)
    if not isinstance(f, type) and not hasattr(f, "__name__"):
        method, _ = call.methods(kind)
        f = getattr(f, method) if method and method != "__call__" else f
    elif isinstance(f, type):
        raise call.Unreadable(f"{kind.__name__} is a class; hand over its forward pass")
    for order, roles in call.assignments(call.slots_of(f, _OF_FORWARD, delta=False), 40):
        for form in call.forms(f, layouts):
            yield call.ForwardWay(f, roles, form, ("y",), order)


def _function_ways(f, subject, layouts, weights):
    for way in call.function_ways(f, layouts, subject.wanted, subject.offered):
        if subject.made is not dense:
            yield way
            continue
        # Without ∂C/∂W nothing tells the shape of W.
        known = weights is not None or "dW" not in subject.wanted
        for transposed in (WEIGHTS.get(weights, False),) if known else (False, True):
            form = way.form._replace(transposed=transposed)
            yield call.FunctionWay(way.f, way.roles, form, way.wanted, way.order)


def _backward(f, subject, layouts, forward, judge):
    torch = call.torch()
    holder = names.owner(f)
    if (
        holder is not None
        and forward is None
        and (names.BACK.fullmatch(names.name_of(f).strip("_")) or names.name_of(f) == "apply")
    ):
        f = holder
    if torch is not None:
        function = isinstance(f, type) and issubclass(f, torch.autograd.Function)
        module = torch.nn.Module
        if function or isinstance(f, module) or (isinstance(f, type) and issubclass(f, module)):
            return judge(subject, call.autograd_ways(f, layouts)), ()
    kind = f if isinstance(f, type) else type(f)
    methods = (
        call.methods(kind) if not hasattr(f, "__name__") or isinstance(f, type) else (None, None)
    )
    if methods[1] and not methods[0]:
        return Verdict("unknown", f"{kind.__name__} has a backward pass and no forward pass"), ()
    if methods[1]:
        return judge(subject, call.layer_ways(f, layouts, subject.wanted)), ()
    if isinstance(f, type) or (callable(f) and not hasattr(f, "__name__") and _is_forward(f)):
        text = "it is a forward pass, or a layer without a backward method: "
        return Verdict("unknown", text + f"{subject.forward} reviews it"), ()
    if not callable(f):
        return Verdict("unknown", f"got {type(f).__name__}, wanted a function or a layer"), ()
    beside = forward or names.find_forward(f)
    if beside is not None:
        verdict = judge(subject, call.pair_ways(beside, f, layouts, subject.wanted))
        taken = f"its forward pass is {names.name_of(beside)}"
        taken += ", which stands beside it" if forward is None else ""
        if forward is not None or not verdict.text.startswith("it failed"):
            return verdict, (taken,)
        # Its cache may be put together elsewhere.
        alone = judge(subject, call.function_ways(f, layouts, subject.wanted))
        name = names.name_of(beside)
        text = f"its cache is put together elsewhere: with that of {name}, {verdict.text}"
        if alone.kind == "right":
            return alone._replace(condition=text), ()
        return (alone, (f"perhaps {text}",)) if alone.parts <= 1 else (verdict, (taken,))
    if _is_forward(f):
        text = f"it takes no Δ, so it is a forward pass: {subject.forward} reviews it"
        return Verdict("unknown", text), ()
    try:
        verdict = judge(subject, call.function_ways(f, layouts, subject.wanted))
        guessed = "cache" in getattr(verdict.way, "roles", {}).values()
        if verdict.kind == "wrong" and verdict.parts > 1 and guessed:
            # Perhaps the cache is wrong, and not the function.
            text = f"what is in its cache was guessed: {verdict.text}; hand over the forward pass"
            verdict = verdict._replace(kind="unknown", text=f"{text} that fills it: forward=")
        return verdict, ()
    except call.Unreadable as trouble:
        text = f"{trouble}; hand over its forward pass: {subject.name}(f, forward=...)"
        return Verdict("unknown", text, parts=999), ()


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
