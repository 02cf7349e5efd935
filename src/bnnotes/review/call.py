"""Call the reader's code as it stands: what each argument may be, what came back.

A `Way` is one manner of calling it: which argument is what, how the arrays
lie. Names are evidence and no more, so that there are several ways, the
likeliest first; what comes out decides. Nothing that the code does is raised.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import inspect
import io
import itertools
import random
import re
import sys
import threading
import warnings
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from .. import network
from ..activations import BY_NAME
from .mistakes import (
    BATCH,
    FEATURES,
    FULL,
    LAYOUTS,
    LISTS,
    NUMBERS,
    RIGHT,
    SAMPLES,
    SUMS,
    Parameters,
)
from .names import (
    ANY,
    BACK,
    FORTH,
    GRADIENT,
    OF_FORWARD,
    OFFERED,
    RUNNING,
    SETTINGS,
    SYMBOLS,
    WEAK,
    beside,
    entries,
    kind_of,
    may_be_parameter,
    meanings,
    name_of,
    parameters,
    quantity,
    returned_names,
    squash,
    symbol,
)

# Calls.

# Where printing goes and what is warned of all threads have in common: of two that change it at
# once, the second would put back what the first has changed.
_ONE_AT_A_TIME = threading.RLock()


def guarded(f, *args, **more):
    """Return what f returns and why it failed, or "": printing, warnings, exits and all."""
    sink = io.StringIO()
    try:
        with (
            _ONE_AT_A_TIME,
            contextlib.redirect_stdout(sink),
            contextlib.redirect_stderr(sink),
            warnings.catch_warnings(),
            np.errstate(all="ignore"),
            np.printoptions(),
        ):
            warnings.simplefilter("ignore")
            return f(*args, **more), ""
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return None, _told(error)


def _told(error):
    try:
        lines = str(error).strip().splitlines()
    except BaseException:
        lines = []
    said = f"{type(error).__name__}{': ' + lines[0][:200] if lines else ''}"
    frame, line = error.__traceback__, ""
    while frame is not None:
        code = frame.tb_frame.f_code
        name = code.co_filename.replace("\\", "/")
        if "bnnotes/review" not in name and not name.startswith("<frozen"):
            line = f" (line {frame.tb_lineno} of {code.co_name})"
        frame = frame.tb_next
    return said + line


def torch():
    """Return torch where the reader has loaded it, else None."""
    return sys.modules.get("torch")


@contextlib.contextmanager
def undisturbed():
    """Leave the random numbers of numpy and Python where they were, and torch at one thread.

    On small arrays more of them wait for each other.
    """
    drawn, numpys = random.getstate(), np.random.get_state(legacy=False)  # noqa: NPY002
    loaded = torch()
    count = loaded.get_num_threads() if loaded else 1
    if count > 1:
        loaded.set_num_threads(1)
    try:
        yield
    finally:
        random.setstate(drawn)
        np.random.set_state(numpys)  # noqa: NPY002
        if count > 1:
            loaded.set_num_threads(count)


def as_array(value):
    """Return a result as a numpy array of numbers, or None if it is none."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().resolve_conj().numpy()
    if isinstance(value, np.ma.MaskedArray):
        value = value.astype(float).filled(np.nan)
    # A tensor of the reader's own engine has its numbers inside.
    inner = None if isinstance(value, (np.ndarray, np.generic)) else getattr(value, "data", None)
    value = inner if isinstance(inner, (np.ndarray, np.generic, float, list)) else value
    array, trouble = guarded(np.asarray, value)
    if not trouble and array.dtype == object and array.size:
        array, trouble = guarded(array.astype, float)
    if trouble or array.dtype.kind not in "fiuc":
        return None
    # A number that is not real is none.
    return np.where(array.imag == 0, array.real, np.nan) if array.dtype.kind == "c" else array


class Outcome(NamedTuple):
    """What came back."""

    found: dict  # in the shapes of the book
    y: object = None  # of the reader's forward pass
    trouble: str = ""  # why there is nothing
    shapes: tuple = ()  # what has another shape than wanted
    notes: tuple = ()
    dtype: str = ""


class Context:
    """Stands in for the context of a static forward and backward method."""

    saved_tensors, needs_input_grad = (), (True,) * 9

    def save_for_backward(self, *values):
        self.saved_tensors = values


class Stand(Context):
    """Stands in for a cache or for ``self`` where there is no forward pass to fill it."""

    def __init__(self, places, keyed, given):
        self.__dict__.update(keyed)
        self._kept, self.saved_tensors = (places, given), tuple(places)

    def __iter__(self):
        return iter(self._kept[0])

    def __len__(self):
        return len(self._kept[0])

    def __getitem__(self, key):
        return self._kept[0][key] if isinstance(key, int) else getattr(self, key)

    def get(self, key, other=None):
        return getattr(self, key, other)

    def __getattr__(self, name):
        if name.startswith("__") or "_kept" not in vars(self):  # not yet, while it is unpickled
            raise AttributeError(name)
        found = self._kept[1](name)
        if found is None:
            raise AttributeError(name)
        return found


class Settings(dict):
    """A dict of settings that has what is asked for."""

    def __init__(self, known, given):
        super().__init__(known)
        self._given = given

    def __missing__(self, key):
        found = self._given(key)
        if found is None:
            raise KeyError(key)
        return found


class Optimizer:
    """Stands in for an optimizer: changes nothing."""

    def update(self, parameter, *_, **__):
        return parameter

    __call__ = step = update


class Form(NamedTuple):
    """How arrays are handed over."""

    layout: object = SAMPLES
    kept: tuple = (False, False)  # whether γ and β, and whether mean and std keep the axes of x
    tensors: bool = False
    transposed: bool = False  # whether W is (n_prev, n)

    def hand(self, role, values):
        """Return a copy of a value as the reader has it."""
        kind = values.get("kind", BATCH)
        if role in SETTINGS:
            return kind.setting(role, SETTINGS[role])
        if role == "shape":
            x = self.layout.hand(values["x"])
            n = values["x"].shape[-1]
            return (
                tuple(abs(k * n) if k < 0 else k for k in self.layout.kept)
                if self.kept[0]
                else x.shape[1:]
            )
        if role == "optimizer":
            return Optimizer()
        if role == "bn_param":
            known = {"mode": kind.setting("mode", "train"), "momentum": 0.9}
            known["eps"] = self.hand("eps", values)
            return Settings(known, self.giver(values, None))
        value = values.get("eps_given", values["eps"]) if role == "eps" else values[role]
        if role in NUMBERS:
            return value
        return self.array(role, value, kind)

    def array(self, role, value, kind=BATCH):
        """Return an array as the reader has it."""
        value = np.asarray(value)
        if value.dtype.kind != "f":
            value = value.astype(float)
        if role in FULL:
            value = self.layout.hand(value)
        elif role == "W":
            value = value.T if self.transposed else value
        elif kind.within and value.ndim == 3 and role not in SUMS:
            value = self.layout.reduced(kind.once(value), self.kept[1], kind)
        else:
            kept = self.kept[role not in ("gamma", "beta", "b")]
            value = value.reshape(self.layout.kept if kept else -1)
        return self.kind(value)

    def kind(self, value):
        """Return a copy of an array, as a tensor where it wants tensors."""
        return torch().tensor(value) if self.tensors else np.array(value)

    def giver(self, values, roles):
        """Return a function that gives what a name stands for, or None."""
        return functools.partial(self._given, values)  # which can be pickled

    def _given(self, values, name):
        for role in meanings(name, OFFERED | {"n"}):
            if role in values or role in RIGHT or role in SETTINGS or role == "bn_param":
                return self.hand(role, values)
        return None

    def take(self, quantity_, value, values):
        """Return a result in the shape of the book, or None if its shape is another."""
        if quantity_ in ("dx", "y"):
            if value.size != values["x"].size:
                return None
            return self.layout.take(value, len(values["x"]))
        if quantity_ == "below":
            M = len(values["x"])
            n = values["u_prev"].shape[-1]
            return self.layout.take(value, M) if value.size == M * n else None
        if quantity_ == "dW":
            value = value.T if self.transposed else value
            return value if value.shape == values["W"].shape else None
        n = values["x"].shape[-1]
        sizes = [k for k in value.shape if k != 1]
        return value.reshape(n) if sizes == ([n] if n > 1 else []) and value.ndim else None

    def shape(self, quantity_, values):
        """Return the shape that the reader's result should have."""
        full = {"dx": "x", "y": "x", "below": "u_prev"}.get(quantity_)
        if full:
            return self.layout.hand(values[full]).shape
        if quantity_ == "dW":
            return values["W"].T.shape if self.transposed else values["W"].shape
        return (values["x"].shape[-1],)


def flat(value, names=()):
    """Yield (name, value) of every result, in whatever containers it comes; None stays."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _named(str(name), each)
    elif (
        hasattr(value, "_asdict")
        or type(value).__name__ == "SimpleNamespace"
        or hasattr(value, "__dataclass_fields__")
    ):
        fields = value._asdict() if hasattr(value, "_asdict") else vars(value)
        for name, each in fields.items():
            yield from _named(name, each)
    elif isinstance(value, tuple) or (isinstance(value, list) and as_array(value) is None):
        parts = [pair for each in value for pair in flat(each)]
        if len(names) == len(parts):
            parts = [(old or new, each) for (old, each), new in zip(parts, names, strict=True)]
        yield from parts
    elif isinstance(value, list) and value and getattr(value[0], "shape", ()):
        yield from ((None, each) for each in value)
    else:
        yield None, value


def _named(name, value):
    inner = list(flat(value))
    if len(inner) == 1 and inner[0][0] is None:
        yield name, inner[0][1]
    else:
        yield from ((f"{name}_{k}" if k else name, each) for k, each in inner)


def read(result, names, wanted, form, values):
    """Return the `Outcome` of a backward pass from what it returned."""
    if result is None:
        return Outcome({}, trouble="it returned None; is there a return?")
    found, shapes, dtype = {}, [], ""
    if hasattr(result, "__next__"):
        result, trouble = guarded(tuple, itertools.islice(result, 10))
        if trouble:
            return Outcome({}, trouble=trouble)
    if len(wanted) == 1 and isinstance(result, (list, tuple)):
        array = as_array(result)
        fits = array is not None and form.take(wanted[0], array, values) is not None
        result = array if fits else result
    if isinstance(result, list):
        # [∂C/∂x, ...] may look like one array of one more axis.
        array = as_array(result)
        deep = array is not None and array.ndim > len(form.layout.order)
        result = tuple(result) if deep else result
    pairs = list(flat(result, names))
    assigned, free = [], list(wanted)
    for name, value in pairs:
        said = quantity(name, wanted) if name else None
        if said in free:
            free.remove(said)
            assigned.append((said, value))
        else:
            assigned.append((None, value))
    count = sum(q is None for q, _ in assigned)
    for said, value in assigned:
        array = None if value is None else as_array(value)
        if said is None:
            # Of more than is wanted, some is no gradient; else what stands there should be one.
            if not free or (array is None and value is not None and count > len(wanted)):
                continue
            fits = [
                q for q in free if array is not None and form.take(q, array, values) is not None
            ]
            if not fits and array is not None and array.ndim == 2 and len(array) == len(free):
                # [∂C/∂γ, ∂C/∂β] in one list or array.
                rows = [form.take(q, row, values) for q, row in zip(free, array, strict=True)]
                if all(row is not None for row in rows):
                    found |= dict(zip(free, rows, strict=True))
                    free.clear()
                    continue
            if not fits and (value is not None and count > len(wanted)):
                continue
            said = fits[0] if fits else free[0]
            free.remove(said)
        if value is None:
            continue
        if array is None:
            other = f"is a {type(value).__name__}, wanted an array"
            if isinstance(value, np.ndarray):
                other = f"has the dtype {value.dtype}, wanted numbers"
            shapes.append(f"{SYMBOLS[said]} {other}")
            continue
        taken = form.take(said, array, values)
        if taken is None:
            shapes.append(misshaped(said, array, form, values))
            continue
        found[said] = taken.astype(float)
        dtype = dtype or str(array.dtype)
    if not found and not shapes:
        got = ", ".join(str(getattr(as_array(v), "shape", type(v).__name__)) for _, v in pairs)
        return Outcome({}, trouble=f"it returned {got or 'nothing'}, wanted {SYMBOLS[wanted[0]]}")
    return Outcome(found, None, "", tuple(shapes), (), dtype)


def misshaped(said, array, form, values):
    """Return in words that a quantity has another shape than it should."""
    text = f"{SYMBOLS[said]} has the shape {array.shape}, wanted {form.shape(said, values)}"
    no_axis = array.ndim == 0 and said in ("dgamma", "dbeta")
    return f"{text}: its sum has no axis" if no_axis else text


def changed(before, after):
    """Return whether a value was written into."""
    a, b = as_array(before), as_array(after)
    if a is None or b is None:
        return False
    return a.shape != b.shape or not np.array_equal(a, b, equal_nan=True)


# Ways of calling.


class Way:
    """One manner of calling the reader's code.

    `backward` returns the `Outcome` of a case, after a forward pass where there is one; `forward`
    y of the forward pass, or None, and why.
    """

    how, n, order, swapped, has_forward = "", None, 0, (), False
    updated = None  # γ after a backward pass that changes it
    gamma_taken, eps_taken, statistics_given, activation = True, True, False, None

    def inputs(self, values):
        """Return the arguments by name, for the reader to call it again."""
        return {}

    def but(self, **changes):
        """Return the same way with something else."""
        other = copy.copy(self)
        vars(other).update(changes)
        return other


def assignments(slots, limit=160):
    """Yield (rank, roles) of slots, each a key and its possible roles; no role is given twice."""

    def filled(k, left, used):
        if k == len(slots):
            if left == 0:
                yield {}
            return
        key, possible = slots[k]
        for rank, role in enumerate(possible[: left + 1]):
            if role in used and role not in (None, "unused"):
                continue
            for rest in filled(k + 1, left - rank, used | {role}):
                yield {key: role, **rest}

    count = 0
    for total_rank in range(sum(len(p) - 1 for _, p in slots) + 1):
        for found in filled(0, total_rank, frozenset()):
            yield total_rank, found
            count += 1
            if count == limit:
                return


class Unreadable(Exception):
    """The arguments of a function cannot be told."""


def slots_of(f, offered, delta=True):
    """Return (key, roles) of a function's arguments, and of (argument, place) of its cache."""
    named = parameters(f)
    if named is None:
        raise Unreadable("its arguments have no names; wrap it in a function that has")
    slots, unknown = [], []
    for name, parameter in named.items():
        optional = parameter.default is not parameter.empty
        possible = meanings(name, offered)
        if possible and possible[0] in ("cache", "self"):
            places, keys = entries(f, name)
            slots.append((name, [possible[0]]))
            if possible[0] == "self":
                keys = []
            for key in (*places.items(), *((k, k) for k in keys)):
                slots.append(((name, key[0]), _possible(key[1], offered - {"cache"})))
        elif possible:
            if delta and squash(name) in WEAK and not optional:
                possible += [role for role in ANY if role not in possible]
            slots.append((name, possible + ([None] if optional else [])))
        elif not optional:
            unknown.append(name)
            slots.append((name, list(ANY)))
    for k, (_, possible) in enumerate(slots):
        # Where another is Δ, a name that says little is sooner something else.
        if "delta" in (p[0] for _, p in slots[:k] if p) and possible[:1] == ["delta"]:
            possible.append(possible.pop(0))
    primary = [p[0] for _, p in slots if p]
    if delta and "delta" not in primary:
        weak = [k for k, _ in slots if isinstance(k, str) and squash(k) in WEAK]
        slots = [(k, ["delta", *p] if k in [*unknown, *weak][:1] else p) for k, p in slots]
    slots = [(k, [r for r in p if r in offered or r is None]) for k, p in slots]
    known = {"mean", "var", "eps", "std", "running_mean"} & {p[0] for _, p in slots if p}
    if delta and known <= {"std"}:
        slots = [(k, [*p, "x_hat", "centered"] if p[:1] == ["x"] else p) for k, p in slots]
    bad = [k for k, p in slots if not p]
    if bad:
        raise Unreadable(f"review met the argument `{bad[0]}`, and does not know what it is")
    return slots


def _possible(name, offered):
    if not name.strip("_"):
        return ["unused"]
    return meanings(name, offered) or [r for r in ANY if r in offered]


class FunctionWay(Way):
    """A function that is called with the arrays that its arguments name."""

    def __init__(self, f, roles, form, wanted, order=0):
        self.f, self.roles, self.form, self.wanted, self.order = f, roles, form, wanted, order
        self.names, self.taken = returned_names(f), {}
        for key, role in roles.items():
            name = key if isinstance(key, str) else self._entry(*key)
            if role and role not in ("cache", "self", "unused"):
                self.taken[name] = role
        given = set(self.taken.values())
        # What a cache or self has at hand is asked for while it runs.
        loose = {"self", "bn_param"} & set(roles.values()) or self._empty_cache()
        self.gamma_taken = "gamma" in given or bool(loose)
        self.eps_taken = bool({"eps", "bn_param"} & given) or bool(loose)
        self.statistics_given = bool({"std", "inv_std", "inv_var", "var_eps"} & given)
        self.how = f"called as {name_of(f)}({', '.join(k for k in roles if isinstance(k, str))})"

    def _empty_cache(self):
        inner = {key[0] for key in self.roles if not isinstance(key, str)}
        return [k for k, r in self.roles.items() if r == "cache" and k not in inner]

    def _entry(self, argument, place):
        return f"{argument}[{place!r}]" if isinstance(place, int) else place

    def inputs(self, values):
        given = {}
        for key, role in self.roles.items():
            if role is None or not isinstance(key, str):
                continue
            if role in ("cache", "self"):
                given[key] = self._stand(key, values)
            else:
                given[key] = self.form.hand(role, values)
        return given

    def _stand(self, argument, values):
        inner = {k[1]: r for k, r in self.roles.items() if not isinstance(k, str)}
        inner = {k: self.form.hand(r, values) for k, r in inner.items() if r}
        places = [inner[k] for k in sorted(k for k in inner if isinstance(k, int))]
        keyed = {k: v for k, v in inner.items() if isinstance(k, str)}
        return Stand(places, keyed, self.form.giver(values, self.roles))

    def _call(self, values):
        given = self.inputs(values)
        self._self = next((v for k, v in given.items() if self.roles[k] == "self"), None)
        return watched(self.f, given)

    def backward(self, values):
        result, trouble, notes = self._call(values)
        if trouble:
            return Outcome({}, trouble=trouble, notes=notes)
        outcome = read(result, self.names, self.wanted, self.form, values)
        return left_in(self._self, outcome, self.wanted, self.form, values)._replace(notes=notes)


class ForwardWay(FunctionWay):
    """A forward pass, reviewed by itself."""

    has_forward = True

    def backward(self, values):
        result, trouble, notes = self._call(values)
        if trouble:
            return Outcome({}, trouble=trouble, notes=notes)
        y, rest = split_forward(result, self.form, values)
        if y is None:
            shape = self.form.shape("y", values)
            return Outcome({}, trouble=f"it returned no y with the shape {shape}", notes=notes)
        found = {"y": y}
        for name, value in flat(rest):
            role = next(iter(meanings(name or "", {"x_hat", "mean", "std", "var"})), None)
            array = as_array(value) if role else None
            if array is not None:
                taken = self.form.take("dx" if role == "x_hat" else "dgamma", array, values)
                if taken is not None:
                    found[role] = taken
        return Outcome(found, y, "", (), notes, str(np.asarray(y).dtype))

    def forward(self, values):
        outcome = self.backward(values)
        return outcome.y, outcome.trouble


def left_in(thing, outcome, wanted, form, values):
    """Return an outcome with the gradients that a method left in its object, too."""
    found = dict(outcome.found)
    for path, array, _ in leaves(thing) if thing is not None else ():
        said = quantity(path, wanted)
        taken = form.take(said, array, values) if said and said not in found else None
        if taken is not None:
            found[said] = taken.astype(float)
    return outcome._replace(found=found)


def _copied(value):
    if hasattr(value, "detach"):
        return value.detach().clone()
    return value.copy() if isinstance(value, np.ndarray) else value


def split_forward(result, form, values):
    """Return y in the shape of the book, and what else a forward pass returned."""
    if isinstance(result, Mapping):
        names = {name: quantity(str(name), ("y",)) for name in result}
        chosen = next((n for n, q in names.items() if q == "y"), None)
        if chosen is None:
            return None, None
        rest = {name: value for name, value in result.items() if name != chosen}
        array = as_array(result[chosen])
        return (None if array is None else form.take("y", array, values)), rest
    parts = list(result) if isinstance(result, tuple) else [result]
    for k, part in enumerate(parts):
        array = None if isinstance(part, (dict, tuple)) else as_array(part)
        y = None if array is None else form.take("y", array, values)
        if y is not None:
            rest = parts[:k] + parts[k + 1 :]
            return y.astype(float), (rest[0] if len(rest) == 1 else tuple(rest))
    return None, None


class PairWay(Way):
    """A forward pass, and a backward pass that gets its cache untouched."""

    has_forward = True

    def __init__(self, forward, backward, roles, back_roles, form, wiring, wanted, order=0):
        self.f, self.b, self.roles, self.back_roles = forward, backward, roles, back_roles
        self.form, self.wiring, self.wanted, self.order = form, wiring, wanted, order
        self.names = returned_names(backward)
        self.taken = {k: r for k, r in roles.items() if r and r != "self"}
        self.gamma_taken = "gamma" in roles.values() or "self" in roles.values()
        self.eps_taken = bool({"eps", "bn_param"} & set(roles.values()))
        self.how = f"{name_of(forward)} ran first, and {name_of(backward)} got its cache"

    def _forward(self, values):
        given = {}
        for key, role in self.roles.items():
            if role == "self":
                given[key] = Stand([], {}, self.form.giver(values, None))
            elif role is not None and isinstance(key, str):
                given[key] = self.form.hand(role, values)
        result, trouble = called(self.f, given)
        if trouble:
            return None, None, given, trouble
        y, rest = split_forward(result, self.form, values)
        if y is None:
            shape = self.form.shape("y", values)
            return None, None, given, f"it returned no y with the shape {shape}"
        return y, rest, given, ""

    def forward(self, values):
        y, _, _, trouble = self._forward(values)
        return y, trouble

    def _arguments(self, values, rest, given):
        """Return the arguments of the backward pass."""
        named = rest if isinstance(rest, Mapping) else {}
        found, places = {}, list(rest) if isinstance(rest, tuple) else [rest]
        places = list(named.values()) if len(named) == 1 else places
        if self.swapped and isinstance(rest, (tuple, list)):
            rest = type(rest)(rest[k] for k in self.swapped)
        others = [k for k, r in self.back_roles.items() if r not in ("delta", None)]
        if len(places) != len(others):
            # What the forward pass was handed, it need not return.
            others = [k for k in others if k not in given] or others
        made = {**dict(zip(returned_names(self.f)[1:], places, strict=False)), **named}
        for name, role in self.back_roles.items():
            if role is None:
                continue
            if role == "delta":
                found[name] = self.form.hand("delta", values)
            elif role == "self":
                found[name] = next((v for v in given.values() if isinstance(v, Stand)), None)
                found[name] = found[name] or Stand([], {}, self.form.giver(values, None))
            elif self.wiring == "cache" and (role == "cache" or len(others) == 1):
                found[name] = rest
            elif self.wiring == "places" and len(places) == len(others) and name in others:
                found[name] = places[others.index(name)]
            elif name in made:
                found[name] = made[name]
            elif name in given:
                found[name] = given[name]
            elif role != "cache":
                found[name] = self.form.hand(role, values)
        return found

    def backward(self, values):
        y, rest, given, trouble = self._forward(values)
        if trouble:
            return Outcome({}, trouble=f"the forward pass {name_of(self.f)}: {trouble}")
        passed = self._arguments(values, rest, given)
        result, trouble, notes = watched(self.b, passed)
        if trouble:
            return Outcome({}, y, trouble, notes=notes)
        outcome = read(result, self.names, self.wanted, self.form, values)
        return outcome._replace(y=y, notes=notes)

    def cache(self, values):
        """Return what the backward pass unpacks, where it is a tuple or a list, and its names."""
        _, rest, _, _ = self._forward(values)
        if not isinstance(rest, (tuple, list)) or self.wiring != "cache":
            return (), ()
        for name, role in self.back_roles.items():
            if role not in ("delta", "self", None):
                places, _ = entries(self.b, name)
                return rest, tuple(places.get(k, f"[{k}]") for k in range(len(rest)))
        return rest, ()


def methods(kind):
    """Return the names of the forward and the backward method of a class, or None."""
    space = {name: getattr(kind, name, None) for name in dir(kind)}
    space = {k: f for k, f in space.items() if callable(f) and (k[:2] != "__" or k == "__call__")}

    def plain(pattern, usual):
        named = [name for name in space if pattern.fullmatch(name.strip("_"))]
        named = sorted(named, key=lambda name: name[0] == "_")
        return min(named, key=lambda name: name.strip("_") != usual, default=None)

    f = plain(FORTH, "forward") or next(
        (k for k in ("__call__", "call", "apply") if k in space), None
    )
    b = plain(BACK, "backward")
    if f and b:
        return f, b
    # Of the many of a network the one whose name says so.
    there = [name for name in space if BACK.search(name) and beside(name, space)]
    b = next((name for name in there if re.search("norm|bn", name, re.I)), (there or [b])[0])
    return (beside(b, space) if b else None), b


class LayerWay(Way):
    """A class, or an instance of one, with a forward and a backward method."""

    has_forward, eps_taken = True, False

    def __init__(self, thing, form, wanted, order=0, sized=False, switch=True):
        self.thing, self.form, self.wanted, self.order = thing, form, wanted, order
        self.sized, self.switch = sized, switch
        kind = thing if isinstance(thing, type) else type(thing)
        self.f, self.b = methods(kind)
        self.taken, self.names = {}, returned_names(getattr(kind, self.b)) if self.b else ()
        self.how = f"{kind.__name__}.{self.f}, then .{self.b}; γ and β were set in the layer"
        if not isinstance(thing, type):
            sizes = [v.size for path, v, _ in leaves(thing) if kind_of(path) == "gamma"]
            self.n = next((size for size in sizes if size > 1), None)

    def _made(self, values):
        if not isinstance(self.thing, type):
            return guarded(copy.deepcopy, self.thing)
        slots = []
        for name, parameter in (parameters(self.thing) or {}).items():
            roles = meanings(name, OF_FORWARD | {"shape"})
            if roles[:1] == ["x"] and len(parameters(getattr(self.thing, self.f)) or "self") < 2:
                pass  # what it normalizes is handed to it when it is made
            elif not roles or roles[0] in ("x", "n", "shape", "M_B"):
                roles = ["n", "shape"]
            # Its own settings are left as it has them.
            chosen = (self.sized and roles[0] == "n") or (
                values["kind"].groups and roles[0] == "groups"
            )
            if parameter.default is parameter.empty or chosen:
                slots.append((name, roles))
        trouble = ""
        for _, roles in assignments(slots, 12):
            given = {k: self._setting(r, values) for k, r in roles.items()}
            layer, trouble = guarded(self.thing, **given)
            if not trouble:
                self.taken = dict(roles)
                return layer, ""
        return None, f"{self.thing.__name__}(...): {trouble}"

    def _setting(self, role, values):
        return 1e-3 if role == "eps" else self.form.hand(role, values)

    def _prepared(self, values):
        """Return a layer whose γ and β are those of the case."""
        layer, trouble = self._made(values)
        if trouble:
            return None, trouble
        gammas = [array for path, array, _ in leaves(layer) if kind_of(path) == "gamma"]
        self.number = any(np.isfinite(v).all() and not v.ndim for v in gammas)
        for name in ("set_input_shape", "build", "initialize", "init_params", "initialise"):
            method = getattr(layer, name, None)
            if callable(method) and not _set(layer, values, self.form, True):
                given = [Optimizer()] if name == "initialize" else []
                shape = self.form.hand("shape", values)
                for arguments in (given, [shape], [self.form.hand("x", values).shape], []):
                    if not guarded(method, *arguments)[1]:
                        break
        if not _set(layer, values, self.form, False):
            # Some make their γ when they first see x, others when they are told to elsewhere.
            if self._run(layer, values)[1]:
                _set(layer, values, self.form, False, missing=True)
        named = parameters(getattr(layer, self.f)) or {}
        in_call = [r for n in named for r in meanings(n, {"gamma"})]
        self.gamma_taken = bool(in_call) or "gamma" in _set(layer, values, self.form, False)
        return layer, ""

    def _arguments(self, method, first, offered, values, rest):
        """Return the arguments of a method by name; `first` is what it cannot do without."""
        named = parameters(method) or {}
        roles = {k: meanings(k, offered) for k in named}
        likely = [k for k, r in roles.items() if r[:1] == [first]]
        likely += [k for k, r in roles.items() if not r] if first == "delta" else []
        main = next(iter([*likely, *named]), None)
        given = {}
        for name, parameter in named.items():
            role = first if name == main else next((r for r in roles[name] if r != first), None)
            if parameter.default is parameter.empty or role in ("training", "mode"):
                if role == "cache" and self._context:
                    given[name] = self._context
                elif role in (None, "cache", "self"):
                    given[name] = rest
                else:
                    given[name] = self.form.hand(role, values)
                    self.taken[name] = role
            elif role in ("gamma", "beta"):
                given[name] = self.form.hand(role, values)
        return given

    def _run(self, layer, values):
        method, before = getattr(layer, self.f), {path: id(v) for path, v, _ in leaves(layer)}
        static = next(iter(parameters(method) or {}), "") in ("ctx", "context")
        self._context = Context() if static else None
        given = self._arguments(method, "x", OF_FORWARD | {"cache"}, values, self.switch)
        result, trouble = called(method, given)
        if trouble:
            return None, f".{self.f}: {trouble}"
        y, self._rest = split_forward(result, self.form, values)
        if y is None:
            kept = {p: v for p, v, _ in leaves(layer) if id(v) != before.get(p) and p != "y_prev"}
            own = result is None or result is layer
            y, _ = split_forward(kept, self.form, values) if own else (None, None)
        if y is None:
            return None, f".{self.f} returned no y with the shape {self.form.shape('y', values)}"
        return y, ""

    def forward(self, values):
        layer, trouble = self._prepared(values)
        return (None, trouble) if trouble else self._run(layer, values)

    def backward(self, values):
        layer, trouble = self._prepared(values)
        if trouble:
            return Outcome({}, trouble=trouble)
        y, trouble = self._run(layer, values)
        if trouble:
            return Outcome({}, trouble=trouble)
        before = {path: v.copy() for path, v, _ in leaves(layer)}
        method = getattr(layer, self.b)
        given = self._arguments(method, "delta", OFFERED, values, self._rest)
        result, trouble, notes = watched(method, given)
        if trouble:
            return Outcome({}, y, f".{self.b}: {trouble}")
        outcome = read(result, self.names, self.wanted, self.form, values)
        if result is None:
            outcome = Outcome({})
        found, shapes, self.updated = dict(outcome.found), list(outcome.shapes), None
        for path, array, _ in leaves(layer):
            fresh = path not in before or changed(before[path], array)
            if kind_of(path) == "gamma" and path in before and fresh:
                self.updated = np.ravel(array).astype(float)
            said = None
            if fresh or GRADIENT & set(path.casefold().split("_")):
                said = quantity(path, self.wanted)
            if said and said not in found and path not in ("x", "gamma", "beta"):
                taken = self.form.take(said, array, values)
                if taken is not None:
                    found[said] = taken.astype(float)
                    self.taken[f".{path}"] = said
                elif fresh and said != "dx" and not self.number:
                    shapes.append(misshaped(said, array, self.form, values))
            moving = path.casefold().replace("_", "")
            if moving.startswith(("running", "moving", "run")) and path in before and fresh:
                notes += (f"its backward pass updates `{path}`: the statistics twice a step",)
        trouble = "" if found or shapes else outcome.trouble or f".{self.b} returned nothing"
        return Outcome(found, y, trouble, tuple(shapes), notes, outcome.dtype)


def called(f, given):
    """Return what f returns for arguments by name, some of which it may take by place alone."""
    named = parameters(f) or {}
    first = [given[k] for k in given if named[k].kind == named[k].POSITIONAL_ONLY]
    rest = {k: v for k, v in given.items() if named[k].kind != named[k].POSITIONAL_ONLY}
    return guarded(f, *first, **rest)


def watched(f, given):
    """Return what f returns, why it failed, and notes on the arguments that it wrote into."""
    kept = {k: _copied(v) for k, v in given.items()}
    result, trouble = called(f, given)
    written = [k for k in given if changed(kept[k], given[k])]
    return result, trouble, tuple(f"it writes into its argument `{k}`, in place" for k in written)


def leaves(thing, depth=3, path="", seen=None):
    """Yield (path, array, setter) of the arrays that an object keeps."""
    seen = set() if seen is None else seen
    if id(thing) in seen or depth < 0:
        return
    seen.add(id(thing))
    if isinstance(thing, Mapping):
        items = [(str(k), v, (thing.__setitem__, k)) for k, v in thing.items()]
    elif isinstance(thing, list):
        items = [(str(k), v, (thing.__setitem__, k)) for k, v in enumerate(thing)]
    else:
        known = (
            {
                k: v
                for k, v in (getattr(type(thing), "__dict__", None) or {}).items()
                if isinstance(v, (float, int, np.ndarray)) and not k.startswith("__")
            }
            if path == ""
            else {}
        )
        known |= getattr(thing, "__dict__", {})
        slots = getattr(type(thing), "__slots__", ())
        known |= {s: getattr(thing, s) for s in slots if isinstance(s, str) and hasattr(thing, s)}
        bound = functools.partial(setattr, thing)
        items = [(k, v, (bound, k)) for k, v in known.items()]
    for name, value, setter in items:
        inner = f"{path}_{name}" if path else name.lstrip("_")
        if isinstance(value, (np.ndarray, float, np.floating)) or (
            isinstance(value, (int, type(None))) and not isinstance(value, bool)
        ):
            array = np.asarray(np.nan if value is None else value)
            if array.dtype.kind in "fi":
                yield inner, array, setter
        elif hasattr(value, "detach"):
            yield inner, as_array(value), setter
        elif (
            hasattr(value, "__dict__")
            or isinstance(value, (dict, list))
            or hasattr(type(value), "__slots__")
        ):
            if not callable(value) or isinstance(value, Mapping):
                yield from leaves(value, depth - 1, inner, seen)


def _set(layer, values, form, look, missing=False):
    """Set γ and β where a layer keeps them; return which were found.

    `look` only looks; `missing` sets those that are None, too.
    """
    n, found = values["x"].shape[-1], {}
    kept = list(leaves(layer))
    for path, array, setter in kept:
        kind = kind_of(path)
        if array.dtype.kind == "i" and len(path) == 1:
            continue  # the G of groups
        if kind and (array.size == n or not array.ndim) and (missing or np.isfinite(array).all()):
            found.setdefault(kind, []).append((array, setter))
    if "gamma" not in found:
        # Under a name of its own: what begins with ones, and the zeros beside it in a list.
        free = [(p, a, s) for p, a, s in kept if a.size == n and may_be_parameter(p)]
        found["gamma"] = [(a, s) for _, a, s in free if (a == 1).all()]
        listed = [(a, s) for p, a, s in free if re.search(r"_\d+$", p) and (a == 0).all()]
        found.setdefault("beta", listed)
    found = {kind: places for kind, places in found.items() if places}
    if not look:
        for path, array, (setter, key) in kept:
            moving = path.casefold().replace("_", "")
            for kind, names in RUNNING.items():
                if moving in names and array.size == n:
                    guarded(setter, key, form.kind(np.reshape(values[kind], array.shape)))
        for kind, places in found.items():
            shared = {}
            for array, (setter, key) in places:
                value = form.array(kind, values[kind])
                value = value.reshape(array.shape) if array.ndim else value
                guarded(setter, key, shared.setdefault(id(array), value))
    return set(found)


class AutogradWay(Way):
    """A torch.autograd.Function or a torch.nn.Module: torch itself asks for the gradients."""

    has_forward, eps_taken = True, False

    def __init__(self, thing, roles, form, order=0):
        self.thing, self.roles, self.form, self.order = thing, roles, form, order
        self._modules = {}
        self.module = not (isinstance(thing, type) and issubclass(thing, torch().autograd.Function))
        self.taken = dict(roles)
        self.eps_taken = not self.module and "eps" in roles.values()
        name = name_of(thing)
        self.how = f"{name} through autograd" if self.module else f"{name}.apply, then autograd"
        if self.module and not isinstance(thing, type):
            sizes = [p.numel() for k, p in thing.named_parameters() if kind_of(k) == "gamma"]
            self.n = sizes[0] if sizes else None
            self.gamma_taken = bool(sizes)
        elif not self.module:
            self.gamma_taken = "gamma" in roles.values()

    def _module(self, values, double):
        """Return a copy of the module, the same one for the same number of neurons."""
        key = values["x"].shape[-1], double
        if key not in self._modules:
            layer = copy.deepcopy(self.thing)
            if isinstance(layer, type):
                layer = layer(**{k: self.form.hand(r, values) for k, r in self.roles.items()})
            layer = layer.double() if double else layer.float()
            layer.train(values["kind"].setting("training", True))
            self._modules[key] = layer
        layer = self._modules[key]
        for name, buffer in layer.named_buffers() if not layer.training else ():
            for role, known in RUNNING.items():
                if squash(name.split(".")[-1]) in known and buffer.numel() == values[role].size:
                    buffer.copy_(self.form.hand(role, values).reshape(buffer.shape))
        return layer

    def _graph(self, values):
        double = values["x"].dtype == np.float64
        leaves_ = {r: self.form.hand(r, values) for r in ("x", "gamma", "beta")}
        leaves_ = {r: v.requires_grad_() for r, v in leaves_.items()}
        if not self.module:
            given = []
            for role in self.roles.values():
                given.append(leaves_[role] if role in leaves_ else self.form.hand(role, values))
            y = self.thing.apply(*given)
            used = {r: leaves_[r] for r in leaves_ if r in self.roles.values()}
        else:
            layer = self._module(values, double)
            used = {"x": leaves_["x"]}
            for name, parameter in layer.named_parameters():
                kind = kind_of(name.replace(".", "_"))
                if kind and parameter.numel() == values[kind].size:
                    parameter.data = leaves_[kind].detach().clone().reshape(parameter.shape)
                    used[kind] = parameter
            self.gamma_taken = "gamma" in used
            y = layer(leaves_["x"])
        return y[0] if isinstance(y, tuple) else y, used

    def forward(self, values):
        result, trouble = guarded(self._graph, values)
        if trouble:
            return None, trouble
        y = as_array(result[0])
        y = None if y is None else self.form.take("y", y, values)
        if y is None:
            return None, f"it returned no y with the shape {self.form.shape('y', values)}"
        return y.astype(float), ""

    def backward(self, values):
        graph, trouble = guarded(self._graph, values)
        if trouble:
            return Outcome({}, trouble=trouble)
        out, used = graph
        array = as_array(out)
        y = None if array is None else self.form.take("y", array, values)
        if y is None:
            want = self.form.shape("y", values)
            return Outcome({}, trouble=f"it returned no y with the shape {want}")
        delta = self.form.hand("delta", values)
        gradients, trouble = guarded(
            torch().autograd.grad, out, list(used.values()), delta, allow_unused=True
        )
        if trouble:
            return Outcome({}, y, f"its backward pass: {trouble}")
        found = dict(zip(("d" + name for name in used), gradients, strict=True))
        outcome = read(found, (), ("dx", "dgamma", "dbeta"), self.form, values)
        return outcome._replace(y=y.astype(float))


KEPT = {
    "sample-major": ((False, False), (True, True), (False, True)),
    "feature-major": ((True, True), (False, False)),
}


def _globals_of(f):
    """Return the names that code uses, its own arguments apart."""
    if isinstance(f, type):
        return [n for m in vars(f).values() for n in _globals_of(getattr(m, "__func__", m))]
    code = getattr(inspect.unwrap(f), "__code__", None) if callable(f) else None
    return code.co_names if inspect.iscode(code) else ()


def forms(f, layouts, *others):
    """Return the forms in which a function may want its arrays, the likeliest first."""
    loaded = torch()
    names = {name for each in (f, *others) for name in _globals_of(each)}
    first = loaded is not None and "np" not in names and bool({"torch", "F"} & names)
    kinds = (True, False) if first else ((False, True) if loaded is not None else (False,))
    for tensors in kinds:
        for each in layouts:
            for kept in KEPT.get(each.name, ((False, True), (True, True), (False, False))):
                yield Form(each, kept, tensors)


def function_ways(f, layouts, wanted, offered=OFFERED):
    """Yield the ways of calling a function by the names of its arguments, the likeliest first."""
    every = list(assignments(slots_of(f, offered)))
    if not every:
        raise Unreadable("two of its arguments have one meaning; review cannot tell them apart")
    for rank, roles in every:
        for form in forms(f, layouts):
            yield FunctionWay(f, roles, form, wanted, rank)


def pair_ways(forward, backward, layouts, wanted):
    """Yield the ways of running a forward and a backward pass, one after the other."""
    slots = slots_of(forward, OF_FORWARD | {"self"}, delta=False)
    slots = [(k, p) for k, p in slots if isinstance(k, str)]
    named = parameters(backward)
    if named is None:
        raise Unreadable("its arguments have no names; wrap it in a function that has")
    back = {}
    for name, parameter in named.items():
        possible = meanings(name, OFFERED | {"cache", "self"})
        optional = parameter.default is not parameter.empty
        back[name] = next((r for r in possible if r not in back.values()), None)
        if back[name] is None:
            back[name] = None if optional else "cache"
    if "delta" not in back.values() and back:
        back[next(k for k, r in back.items() if r != "self")] = "delta"
    others = [k for k, r in back.items() if r not in ("delta", "self", None)]
    star = [
        p.name
        for p in inspect.signature(backward).parameters.values()
        if p.kind == p.VAR_POSITIONAL
    ]
    if star and not others:
        raise Unreadable(
            f"review hands over a cache as it is, and does not unpack it for `*{star[0]}`"
        )
    wirings = ["cache", "places"] if len(others) == 1 else ["names", "places", "cache"]
    for rank, roles in assignments(slots, 12):
        for form in forms(backward, layouts, forward):
            for k, wiring in enumerate(wirings):
                yield PairWay(forward, backward, roles, back, form, wiring, wanted, rank + k)


def layer_ways(thing, layouts, wanted):
    """Yield the ways of running a layer that is an object."""
    kind = thing if isinstance(thing, type) else type(thing)
    made = parameters(kind) or {} if isinstance(thing, type) else {}
    of_size = any(meanings(k, {"n"}) and p.default is not p.empty for k, p in made.items())
    named = (parameters(getattr(kind, methods(kind)[0])) or {}).items()
    needed = [k for k, p in named if p.default is p.empty and not meanings(k, OFFERED)]
    # A size that has a default is set first: else a case of another number would not fit.
    options = [(True, True)] * of_size + [(False, True)] + [(False, False)] * bool(needed)
    for order, (sized, switch) in enumerate(options):
        for form in forms(kind, layouts):
            yield LayerWay(thing, form, wanted, order, sized, switch)


def autograd_ways(thing, layouts):
    """Yield the ways of running what torch differentiates."""
    if isinstance(thing, type) and issubclass(thing, torch().autograd.Function):
        slots = slots_of(thing.forward, OF_FORWARD | {"cache"}, delta=False)
        slots = [(k, p) for k, p in slots if isinstance(k, str)][1:]
    elif isinstance(thing, type):
        named = parameters(thing) or {}
        needed = {k for k, p in named.items() if p.default is p.empty}
        slots = [(k, ["n"]) for k in needed]
    else:
        slots = []
    for rank, roles in assignments(slots, 12):
        for form in forms(None, layouts):
            if form.tensors:
                yield AutogradWay(thing, {k: r for k, r in roles.items() if r}, form, rank)


# Networks.

NETWORK = {
    "network": "network net model",
    "layers": "layers params parameters theta",
    "Ws": "ws w weights",
    "gammas": "gammas gamma",
    "betas": "betas beta",
    "bs": "bs b biases",
    "psi": "psi ψ x xs input inputs data xbatch u0",
    "phi": "phi φ t target targets label labels y ys ybatch onehot",
    "eps": "eps epsilon ε",
    "activation": "activation act",
}


class NetworkWay(FunctionWay):
    """A function of a network, and how it wants its arrays."""

    def __init__(self, f, roles, form, kinds, activation):
        super().__init__(f, roles, form, kinds)
        self.activation, self.taken = activation, {}
        self.how += f"; its activation is {activation}" if activation else ""

    def network(self, given, eps=None):
        """Return the network of a case, with what the code has built in."""
        net = given["network"]
        activation = BY_NAME[self.activation] if self.activation else net.activation
        return network.Network(net.layers, activation, net.eps if eps is None else eps)

    def turned(self, kind, array):
        turn = array.T if kind == "W" and self.form.transposed else array
        if kind != "W" and self.form.layout is FEATURES:
            turn = turn[:, None]
        return turn.copy()

    def inputs(self, given):
        found = {}
        for name, role in self.roles.items():
            value = given[role]
            if role in ("psi", "phi"):
                found[name] = (value.T if self.form.layout is FEATURES else value).copy()
            elif role in LISTS:
                found[name] = [self.turned(LISTS[role], array) for array in value]
            elif role == "layers":
                found[name] = [
                    Parameters((k, self.turned(k, v)) for k, v in each.items()) for each in value
                ]
            else:
                found[name] = copy.deepcopy(value)
        return found

    def backward(self, given):
        returned, trouble, notes = self._call(given)
        if trouble:
            return Outcome({}, trouble=trouble, notes=notes)
        try:
            return Outcome(self.read(returned, given), notes=notes)
        except ValueError as error:
            return Outcome({}, trouble=str(error))

    def read(self, returned, given):
        """Return the cost and the gradients by quantity, in the shapes of the book."""
        layers = given["network"].layers
        cost, gradients = _cost(returned)
        found = {} if cost is None else {"cost": as_array(cost).astype(float).reshape(())}
        for kind, l, value in self._gradients(gradients, layers):
            array, want, name = as_array(value), vars(layers[l])[kind], f"{kind}{l + 1}"
            array = np.empty(0) if array is None else array
            array = array.T if kind == "W" and self.form.transposed else array
            if kind != "W" and array.size == want.size:
                array = array.reshape(want.shape)
            if array.shape != want.shape:
                said = f"{symbol(name)} has the shape {array.shape}, wanted {want.shape}"
                raise ValueError(said)
            found[name] = array.astype(float)
        return found

    def _gradients(self, gradients, layers):
        """Yield which parameter of which layer each gradient is of, whatever holds them."""
        kinds, count = self.wanted, len(layers)
        if isinstance(gradients, (list, tuple)) and not hasattr(gradients, "_asdict"):
            gradients = [getattr(each, "__dict__", None) or each for each in gradients]
        pairs = [(name, value) for name, value in flat(gradients) if value is not None]
        known = [(_parameter(name, kinds), name, value) for name, value in pairs if name]
        if known:
            seen = {}
            for kind, name, value in known:
                number = re.search(r"\d+$", name)
                of_kind = seen.setdefault(kind, {})
                of_kind[int(number[0]) if number else len(of_kind)] = value
            found = [(k, l, v[n]) for k, v in seen.items() if k for l, n in enumerate(sorted(v))]
        else:
            # Three layers of three arrays, or three lists of an array per layer: the shapes tell.
            # A column of γ has two axes, as W has.
            arrays = [as_array(value) for _, value in pairs[:count]]
            fit = [
                np.ndim(a) == 2 and a.size == l.W.size for a, l in zip(arrays, layers, strict=False)
            ]
            lists = all(fit) and not len(kinds) != len(gradients) == count
            order = [(k, l) for k in kinds for l in range(count)]
            order = order if lists else [(k, l) for l in range(count) for k in kinds]
            if len(pairs) != len(order):
                raise ValueError(f"it returned {len(pairs)} gradients, wanted {len(order)}")
            found = [(*place, value) for place, (_, value) in zip(order, pairs, strict=True)]
        most = 1 + max((l for _, l, _ in found), default=-1)
        if most != count:
            raise ValueError(f"it returned gradients of {most} layers, wanted {count}")
        return sorted(found, key=lambda place: place[1])


def _cost(returned):
    """Return the cost, or None, and the gradients."""
    if returned is None:
        raise ValueError("it returned None; is there a return?")
    if isinstance(returned, Mapping):
        known = next((k for k in returned if str(k).casefold() in ("cost", "loss", "c", "j")), None)
        rest = {k: v for k, v in returned.items() if k != known}
        rest = next(iter(rest.values())) if known and len(rest) == 1 else rest
        return returned.get(known), rest
    if isinstance(returned, tuple) and returned and np.ndim(as_array(returned[0])) == 0:
        return returned[0], returned[1] if len(returned) == 2 else returned[1:]
    return None, returned


def _parameter(name, kinds):
    """Return which parameter of a layer a name says, or None."""
    short = re.sub(r"_?\d+$", "", name.casefold())
    short = short.removeprefix("grad_").removeprefix("d").strip("_").rstrip("s")
    known = {"w": "W", "weight": "W", "gamma": "gamma", "beta": "beta", "b": "b", "bia": "b"}
    return known.get(short) if known.get(short) in kinds else None


def network_ways(f, batch_norm, layout, weights):
    """Yield the ways of calling a function of a network."""
    kinds = ("W", "gamma", "beta") if batch_norm else ("W", "b")
    lists = {"Ws", "gammas", "betas"} if batch_norm else {"Ws", "bs"}
    offered = {"network", "layers", "psi", "phi", "eps", "activation"} | lists
    named = parameters(f)
    if named is None:
        raise Unreadable("its arguments have no names; wrap it in a function that has")
    roles = {}
    for name, parameter in named.items():
        fits = [r for r, known in NETWORK.items() if r in offered and squash(name) in known.split()]
        role = next((r for r in fits if r not in roles.values()), None)
        if role:
            roles[name] = role
        elif parameter.default is parameter.empty:
            wanted = ", ".join(r for r in NETWORK if r in offered)
            raise Unreadable(f"review met the argument `{name}`; wanted some of {wanted}")
    has = {"network", "activation"} & set(roles.values())
    for chosen in [LAYOUTS[layout]] if layout else [SAMPLES, FEATURES]:
        for transposed in (False, True) if weights is None else (weights == "(n_prev, n)",):
            for activation in (None,) if has else ("tanh", "relu", "sigmoid"):
                form = Form(chosen, transposed=transposed)
                yield NetworkWay(f, roles, form, kinds, activation)
