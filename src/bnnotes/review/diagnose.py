"""Find the words for what differs: every way of calling, every case, every row of mistakes.toml."""

from __future__ import annotations

import functools
import itertools
import re
import time
from typing import NamedTuple

import numpy as np

from . import call
from .compare import (
    LOOSE,
    TIGHT,
    TOLERANCE,
    Found,
    Network,
    off,
    scales_of,
    shaped,
    truth_of,
    values_given,
    without_gamma,
    without_variance,
)
from .mistakes import (
    BATCH,
    FEATURES,
    FORWARD,
    IMAGES,
    LAST,
    LAYOUTS,
    MISTAKES,
    RIGHT,
    SAMPLES,
    Layer,
    evaluated,
    in_network,
    layer,
)
from .names import SAYS, SYMBOLS, may_be_gamma, symbol, told_otherwise

LOOKS, SECONDS = 500, 20  # for a way of calling: a count, and seconds only where code is slow


class Verdict(NamedTuple):
    """What was found out."""

    # "right", "own" (right for its own forward pass), "wrong" or "unknown" (it could not be run)
    kind: str
    text: str
    mistakes: tuple = ()
    parts: int = 1  # how many things had to be assumed; many where nothing explains it
    evidence: tuple = ()
    way: object = None
    condition: str = ""  # what the verdict depends on
    notes: tuple = ()


def judge(subject, ways, deep=True):
    """Return the `Verdict` on code with its ways, the likeliest first; `deep` as in `name_it`."""
    with np.errstate(all="ignore"):
        return _walk(subject, ways, deep)


def _walk(subject, ways, deep):
    live, troubles, forms_alive, looks, start = [], {}, None, 0, time.monotonic()
    first_roles, best, unknown = None, None, []
    for way in ways:
        roles = getattr(way, "roles", None)
        first_roles = first_roles or roles
        if way.order and not subject.kind.centers and "beta" in (roles or {}).values():
            continue  # β is 0 there: what is taken for it by a guess gives zeros
        if roles is not first_roles and not forms_alive:
            forms_alive = {found.way.form for found in live}
        if forms_alive and roles is not first_roles and way.form not in forms_alive:
            continue
        looks += 1
        if looks > LOOKS or time.monotonic() - start > SECONDS:
            break
        found = subject.look(way, named=True)
        if isinstance(found, str):
            troubles.setdefault(found, way)
            continue
        if found is None:
            unknown.append(way)
            continue
        if roles is first_roles and not found.evidence.outcome.shapes:
            forms_alive = {*(forms_alive or ()), way.form}
        if _good(found) and found.ones:
            found = _unheeded(subject, found)
        if _good(found):
            if best and ((best.kind == "own" and found.forward) or _same(best.way, way)):
                continue
            verdict = verify(subject, found, live, deep)
            if verdict.kind == "right":
                return verdict
            if best is None or rank(verdict) < rank(best):
                best = verdict
            if verdict.kind == "wrong" and verdict.parts <= 1:
                return verdict
            continue
        if not any(_equal(found, other) for other in live):
            live.append(found)
    # What is right in the first case was called as it should be; but a pass that is another's
    # for want of its ∂C/∂γ and ∂C/∂β may be batch normalization whose sums are wrong.
    if best and best.kind == "own":
        whole = [f for f in live if len(f.evidence.found) > len(best.evidence[0].found)]
        other = _worst(subject, whole, deep) if whole else best
        return other if other.parts <= 1 and other.kind == "wrong" else best
    if best:
        return best
    if unknown and not live and not deep:
        return Verdict("unknown", "its forward pass is none that review knows", parts=950)
    # A forward pass that has no name may have been called in the wrong way.
    for way in unknown[:3] if not live else ():
        found = subject.look(way)
        if _good(found):
            return verify(subject, found, (), deep)
        live.append(found)
    return _worst(subject, live, deep) if live else _could_not(troubles)


def rank(verdict):
    """Order verdicts: right, right for its own forward pass, wrong; then what had to be assumed."""
    order = {"right": 0, "own": 1, "wrong": 2, "unknown": 3}
    return order[verdict.kind], verdict.parts


def _same(a, b):
    """Say whether two ways of calling differ in the shape of γ alone."""
    layout = a.form.layout is b.form.layout
    return layout and getattr(a, "roles", None) == getattr(b, "roles", None)


def _equal(a, b):
    """Say whether two ways of calling gave the same numbers."""
    if a.way.activation != b.way.activation:
        return False
    a, b = a.evidence.outcome, b.evidence.outcome
    same = a.found.keys() == b.found.keys() and (a.shapes, a.trouble) == (b.shapes, b.trouble)
    return same and all(np.array_equal(a.found[q], b.found[q], equal_nan=True) for q in a.found)


def _good(found):
    e = found.evidence
    return bool(e.found) and not e.wrong and not e.outcome.shapes


def _unheeded(subject, found):
    """Return the way in which γ is an argument that changes nothing, or what was found."""
    way = found.way
    for name in way.roles if type(way) is call.FunctionWay else ():
        if isinstance(name, str) and may_be_gamma(name):
            roles = {**way.roles, name: "gamma"}
            other = subject.look(call.FunctionWay(way.f, roles, way.form, way.wanted, way.order))
            if isinstance(other, Found) and _equal(found, other):
                return other
    return found


def verify(subject, found, live=(), deep=True):
    """Return the verdict on a way that was right in the first case: all cases, all layouts."""
    way, evidence = found.way, subject.gather(found)
    notes = list(_notes(found, evidence))
    failed = [e for e in evidence if e.outcome.trouble or e.outcome.shapes]
    wrong = [e for e in evidence if e.wrong]
    if any("digits of float32" in note for note in notes):
        wrong = [e for e in wrong if e.case.kind != "large mean"]
    if failed or wrong:
        verdict = name_it(subject, found, evidence, deep)
        # It was called, and averages, as it should: no other convention explains it better.
        return verdict if deep else verdict._replace(parts=min(verdict.parts, 4))
    if found.eps == 0.0 and found.unused:
        row = MISTAKES["eps left out"]
        if way.has_forward:
            text = (
                f"right for its own forward pass, which takes eps and does not use it: {row.says}"
            )
            return Verdict("own", text, (row.name,), 1, evidence, way, text, tuple(notes))
        text = f"{row.says}; it takes eps and does not use it, and is right at ε = 0 only"
        return Verdict("wrong", text, (row.name,), 1, evidence, way, notes=tuple(notes))
    if way.has_forward and found.forward is None and subject.wanted != ("y",):
        strange = [e for e in evidence if not _same_y(e)]
        if strange:
            where = strange[0].case.name
            text = f"its forward pass is not {subject.kind.says} in the case {where}"
            return Verdict("wrong", text, (), 50, evidence, way, notes=tuple(notes))
    if not way.has_forward and _random(way, found.case.values):
        notes.append("it gives random results: twice the same arguments, two results")
    if found.forward:
        other = found.forward.says or "it is none that review knows"
        text = f"right for its own forward pass, which is not the book's: {other}"
        names = (found.forward.name,) if found.forward.name else ()
        return Verdict("own", text, names, 1 if names else 5, evidence, way, text, tuple(notes))
    more = _other_layouts(subject, found)
    if isinstance(more, Verdict):
        return more
    notes += more
    again = found.evidence._replace(outcome=way.backward(found.case.values))
    if again.wrong or again.outcome.trouble:
        text = (
            "right when it is called first, and wrong when it is called again with the same "
            "arguments: it keeps something from call to call"
        )
        return Verdict("wrong", text, (), 40, (*evidence, again), way, notes=tuple(notes))
    condition = _condition(found, live)
    return Verdict("right", "", (), 0, evidence, way, condition, tuple(notes))


def _same_y(e):
    if e.outcome.y is None:
        return True
    with np.errstate(all="ignore"):
        y = truth_of(e.case.values, ("y",))["y"]
    return off(e.outcome.y, y, float(np.abs(y).max())) <= e.tolerance


def _random(way, values):
    a, b = way.backward(values).found, way.backward(values).found
    return any(not np.array_equal(a[q], b[q], equal_nan=True) for q in a.keys() & b.keys())


def _condition(found, live):
    """Say on what a right verdict depends: what its arguments are, or how they lie."""
    way = found.way
    for name, role in getattr(way, "roles", {}) and way.taken.items():
        if other := told_otherwise(name, role):
            return f"its `{name}` is {SAYS.get(role, role)}, and not {SAYS.get(other, other)}"
    if way.form.layout is FEATURES and not {"dgamma", "dbeta"} & found.evidence.found.keys():
        rows = [f for f in live if f.way.form.layout is SAMPLES and not f.evidence.outcome.shapes]
        if rows:
            return (
                "its arrays are feature-major, (n, M_B); if they are (M_B, n), it averages over "
                "the wrong axis: in the layout is the answer, say layout="
            )
    return ""


def _other_layouts(subject, found):
    """Return notes on images that a function of (M_B, n) takes too, or the verdict on them."""
    way = found.way
    if (
        way.form.layout is not SAMPLES
        or not isinstance(way, (call.FunctionWay, call.PairWay, call.LayerWay))
        or subject.made is not layer
        or subject.kind is not BATCH
        or not {"dgamma", "dbeta"} & found.evidence.found.keys()
    ):
        return []
    bad = None
    for layout in (IMAGES, LAST):
        for kept in ((False, True), (True, True)):
            other = way.but(form=way.form._replace(layout=layout, kept=kept))
            seen = subject.look(other)
            if isinstance(seen, str) or seen.evidence.outcome.shapes:
                continue
            if not {"dx", "dgamma", "dbeta"} <= seen.evidence.found.keys():
                continue
            if isinstance(way, call.LayerWay) and seen.forward:
                continue  # a layer of (M_B, n) that lets images through
            evidence = subject.gather(seen)
            if not any(e.wrong or e.outcome.trouble for e in evidence):
                return [f"it takes images {layout.axes} too, and is right for them"]
            bad = bad or name_it(subject, seen, evidence)
    if bad:
        text = f"right for (M_B, n), and wrong for the images that it takes too: {bad.text}"
        return bad._replace(text=text)
    return []


def _notes(found, evidence):
    """Yield what else was noticed."""
    if found.unused and found.eps:
        yield (
            f"it does not use the eps that it takes: eps = {found.eps:g} is built in, and was "
            "found from what it returns"
        )
    elif found.eps:
        yield f"eps = {found.eps:g} is built in; it was found from what it returns"
    if found.ones and not found.forward:
        yield "it takes no γ: reviewed with γ = 1"
    if evidence and all(e.case.values.get("eps") for e in evidence) and found.eps is None:
        yield "it fails at eps = 0: reviewed with eps > 0"
    yield from dict.fromkeys(note for e in evidence for note in e.outcome.notes)
    plain = [e for e in evidence if e.case.kind not in TOLERANCE and e.found]
    worst = max((e.error(q) for e in plain for q in e.found), default=0.0)
    if TIGHT < worst <= LOOSE:
        yield (
            "it has the digits of float32 only: something in it is float32, or takes differences"
        )
    missing = [q for q in ("dx", "dgamma", "dbeta") if evidence and q in evidence[0].truth]
    missing = [SYMBOLS[q] for q in missing if not any(q in e.found for e in evidence)]
    if missing and evidence:
        yield f"not returned, not reviewed: {', '.join(missing)}"
    yield f"tried: {'; '.join(dict.fromkeys(e.case.name for e in evidence))}"


# Words for what is wrong.


def _could_not(troubles):
    if not troubles:
        return Verdict("unknown", "review found no way to call it", parts=900)
    text, way = next(iter(troubles.items()))
    if "cache" in (getattr(way, "roles", None) or {}).values():
        text += "; it takes a cache, so hand over the forward pass that fills it: forward="
    return Verdict("unknown", f"it failed: {text}", parts=900, way=way)


def _worst(subject, live, deep):
    """Return the verdict that needs the fewest assumptions, of the ways that gave something."""
    live = sorted(live, key=_plausible)
    verdicts = []
    # Where one gives arrays of the right shapes, none that does not is looked at.
    for found in [f for f in live if _plausible(f)[0] == _plausible(live[0])[0]][:5]:
        evidence = subject.gather(found, few=True)
        verdicts.append((name_it(subject, found, evidence, deep=False), found, evidence))
        if verdicts[-1][0].parts <= 1:
            break
    best, found, evidence = min(verdicts, key=lambda v: v[0].parts)
    return name_it(subject, found, evidence) if deep and best.parts >= 100 else best


def _plausible(found):
    e = found.evidence
    wrong = len(e.wrong) + 2 * len(e.outcome.shapes) + 3 * bool(e.outcome.trouble)
    order = list(LAYOUTS).index(found.way.form.layout.name)
    return bool(e.outcome.shapes) + bool(e.outcome.trouble), found.way.order, wrong, order


def name_it(subject, found, evidence, deep=True):
    """Return the verdict on a way of calling that is wrong; `deep` looks for two mistakes."""
    way, notes = found.way, tuple(_notes(found, evidence))
    good = [e for e in evidence if e.found]
    exchanged = _exchanged(subject, found)
    if exchanged:
        return Verdict("wrong", exchanged, ("cache order",), 1, evidence, way, notes=notes)
    if _updated(found):
        text = "in your ∂C/∂x, γ is the updated one: the backward pass updates it before it is used"
        return Verdict("wrong", text, ("γ updated",), 1, evidence, way, notes=notes)
    failed = [e for e in evidence if e.outcome.trouble]
    if not good:
        shapes = next((e.outcome.shapes for e in evidence if e.outcome.shapes), ())
        said = "; ".join(shapes) or "it returned nothing"
        trouble = failed[0].outcome.trouble if failed else said
        kind = "wrong" if way.has_forward else "unknown"
        text = f"it failed: {trouble}"
        if way.has_forward:
            text = f"it failed with the cache of its own forward pass: {trouble}"
        return Verdict(kind, text, (), 500, evidence, way, notes=notes)
    search = (NetworkSearch if isinstance(subject, Network) else Search)(subject, found, good, deep)
    shapes = next((list(e.outcome.shapes) for e in evidence if e.outcome.shapes), [])
    text, names, parts = search.explain()
    if failed and not search.wrong:
        e = failed[0]
        text, parts = f"it failed in the case {e.case.name}: {e.outcome.trouble}", 40
    if shapes:
        text = "; ".join(filter(None, [text, *shapes]))
        parts += 2 * len(shapes)
    if found.forward and text:
        said = found.forward.says or "not one that review knows"
        text = f"{text}; its forward pass is {said}"
    return Verdict("wrong", text, names, parts, evidence, way, notes=notes)


def _exchanged(subject, found):
    """Say which entries of a cache are unpacked in another order than they were packed."""
    way = found.way
    if not isinstance(way, call.PairWay) or way.swapped:
        return ""
    cache, names = way.cache(found.case.values)
    if not 2 <= len(cache) <= 7:
        return ""
    if not found.evidence._replace(outcome=way.backward(found.case.values)).wrong:
        return ""
    plain = tuple(range(len(cache)))
    swaps = []
    for i, j in itertools.combinations(plain, 2):
        order = list(plain)
        order[i], order[j] = j, i
        swaps.append(tuple(order))
    more = itertools.permutations(plain) if len(cache) <= 5 else ()
    for order in dict.fromkeys([*swaps, *more]):
        if order == plain:
            continue
        outcome = way.but(swapped=order).backward(found.case.values)
        e = found.evidence._replace(outcome=outcome)
        if outcome.found and not outcome.trouble and not outcome.shapes and not e.wrong:
            moved = [f"`{names[k]}`" if names else f"[{k}]" for k in plain if order[k] != k]
            return (
                "the backward pass unpacks the cache in another order than the forward pass packs "
                f"it: {_and(moved)} are exchanged"
            )
    return ""


def _updated(found):
    """Say whether ∂C/∂x is that of the γ that the backward pass itself leaves behind."""
    e, values = found.evidence, found.case.values
    found.way.backward(values)
    gamma = found.way.updated
    if gamma is None or "dx" not in e.wrong or gamma.shape != values["gamma"].shape:
        return False
    late = truth_of(
        {**values_given(values), "gamma": gamma}, ("dx",), found.forward and found.forward.steps
    )
    return e.off("dx", late["dx"]) < LOOSE


class Search:
    """The comparison of known mistakes with what came back."""

    def __init__(self, subject, found, evidence, deep=True):
        self.subject, self.found, self.deep = subject, found, deep
        self.evidence = [e for e in evidence if e.case.kind not in TOLERANCE]
        self.evidence = self.evidence or evidence
        self.names = [q for q in subject.wanted if any(q in e.found for e in evidence)]
        self.names += [q for e in evidence[:1] for q in e.found if q not in self.names]
        self.wrong = [q for q in self.names if any(q in e.wrong for e in self.evidence)]
        if not self.wrong:
            self.evidence = evidence
            self.wrong = [q for q in self.names if any(q in e.wrong for e in evidence)]
        # A mistake is refuted soonest where something is wrong, in a batch that is small.
        self.evidence = sorted(
            self.evidence,
            key=lambda e: (not e.wrong, e.case.values["M_B"] < 3, e.case.values["M_B"]),
        )
        self.smallest_first = sorted(self.evidence, key=lambda e: e.case.values["M_B"])
        self.base = found.forward.steps if found.forward and found.forward.steps else {}
        self._memo = {}

    def epsilons(self):
        return self.found.candidates or (None,)

    def predicted(self, e, steps, own, eps):
        """Return the layer that some steps give; what it is asked for is made when asked."""
        steps = {**self.base, **steps}
        key = id(e), tuple(steps.items()), own, eps
        if key not in self._memo:
            given = values_given(e.case.values)
            if eps is not None:
                given["eps"] = eps
            # Derivatives are made by a step in x, so that nothing of the forward pass may stay.
            made = given if own else self._forward(e, given, steps)
            self._memo[key] = evaluated(made, steps, own)
        return self._memo[key]

    def _forward(self, e, given, steps):
        """Return what is given and what the steps make of it, each made once."""
        forward = {k: f for k, f in steps.items() if k in FORWARD}
        key = id(e), tuple(forward.items()), given["eps"]
        if key not in self._memo:
            made = Layer(given, forward)
            self._memo[key] = {**given, **{name: made[name] for name in FORWARD}}
        made = self._memo[key]
        for name in ("bracket", "scale") if {"dx", "dW", "below"} & set(self.names) else ():
            own = *key, name, steps.get(name), steps.get("error")
            if own not in self._memo:
                self._memo[own] = Layer(self._memo[key], steps)[name]
            made = {**made, name: self._memo[own]}
        return made

    def fits(self, steps, names, own=False, eps=None):
        """Say whether some steps give what came back, in every case."""
        worst, error = 0.0, 0.0
        # Derivatives of its own take the square of the size: what is small may refuse before.
        for e in self.smallest_first if own else self.evidence:
            for q in names:
                if q not in e.found:
                    continue
                try:
                    made = shaped(q, self.predicted(e, steps, own, eps)[q], e.case.values)
                except (KeyError, ValueError, ZeroDivisionError):
                    return False
                if np.shape(made) != e.found[q].shape:
                    return False
                worst = max(worst, e.off(q, made, own))
                if worst > LOOSE:
                    return False
                error = max(error, self._error(e, q))
        return worst < 0.1 * error

    def _error(self, e, q):
        key = id(e), q
        if key not in self._memo:
            self._memo[key] = min(e.error(q), 1.0)
        return self._memo[key]

    def rows(self, names, eps):
        """Return the known mistakes that give all of some quantities."""
        images = self.evidence[0].case.values["P"] > 1
        return [
            m
            for m in self.subject.mistakes
            if (m.other == "" or not self.base)
            and (images or m.of or not _of_images(m))
            and self.fits(m.steps, names, bool(m.other), eps)
        ]

    def explain(self):
        """Return words, the names of the mistakes, and how much had to be assumed."""
        if not self.wrong:
            return "", (), 0
        if self.found.forward and self.found.forward.steps is None:
            return self._unnamed()
        if self.base and (self.fits({}, self.names) or self._of_the_book()):
            return self._standard()
        for eps in self.epsilons():
            rows = self._said_of_these(self.rows(self.names, eps))
            if rows:
                text, names = _either(rows)
                if all(m.other for m in rows) and not self.found.way.has_forward:
                    text += ". Right if that is its forward pass: hand it over with forward="
                return text, names, 1
        texts, names, parts = [], [], 0
        alone = {q: self._alone(q) for q in self.wrong}
        if not all(alone.values()):
            only = self._eps_only()
            if only:
                return only, (), 3
        for q, known in alone.items():
            text, found, count = known or self._otherwise(q)
            if text not in texts:
                texts.append(text)
                names += [name for name in found if name not in names]
                parts += count
        return "; ".join(texts), tuple(names), parts

    def _said_of_these(self, rows):
        """Leave out what speaks of more than came back, where something else explains it too."""
        sums = {"dgamma", "dbeta"} - set(self.names)
        rows = [m for m in rows if not m.steps.keys() & sums] or rows
        alone = self.subject.wanted == ("y",)
        return [m for m in rows if not (alone and m.other)] or rows

    def _of_the_book(self):
        """Say whether the backward pass is that of the book, after a forward pass that is not."""
        if not self.found.forward:
            return False
        book = Search(self.subject, self.found._replace(forward=None), self.evidence, False)
        options = without_variance(self.found.way, self.found.case.values)
        return any(book.fits({}, self.names, False, eps) for eps in options)

    def _unnamed(self):
        """Say what is wrong where the forward pass is none that has a name."""
        if self.fits({}, self.names):
            return self._standard()
        said = {q: factor(self._of_truth(q)) for q in self.wrong}
        other = "is not the derivative of your forward pass"
        return "; ".join(f"your {SYMBOLS[q]} {s or other}" for q, s in said.items()), (), 50

    def _of_truth(self, q):
        """Return each case with what came back and the truth."""
        return [(e, e.found[q], e.truth[q]) for e in self.evidence if q in e.found]

    def _standard(self):
        """Say that the terms are those of batch normalization, and its statistics are not."""
        steps = self.found.forward.steps if self.found.forward else None
        for m in self.subject.mistakes:
            if not m.other and m.steps == steps:
                text = f"{m.says}; the terms of the backward pass are not those of that"
                return text, (m.name,), 1
        says = self.subject.kind.says
        return f"the backward pass is that of {says}, its forward pass is not", (), 1

    def _alone(self, q):
        """Return the explanation of one quantity by one mistake, or by one factor."""
        pairs = self._of_truth(q)
        said = factor(pairs)
        if said == "is zero":
            return f"your {SYMBOLS[q]} {said}", (), 1
        sums = {"dgamma", "dbeta"}
        for eps in self.epsilons():
            rows = [m for m in self.rows((q,), eps) if not (m.steps.keys() & sums) - {q}]
            rows = [m for m in rows if not m.other] or rows
            if rows:
                return (*_either(rows), 1)
        said = said or order(pairs)
        return (f"your {SYMBOLS[q]} {said}", (), 1) if said else None

    def _eps_only(self):
        """Say that it is right at ε = 0 only, where that is so."""
        if self.found.eps is not None:
            return ""
        zero = [e for e in self.evidence if not e.case.values["eps"]]
        rest = [e for e in self.evidence if e.case.values["eps"]]
        if zero and rest and not any(e.wrong for e in zero) and all(e.wrong for e in rest):
            return "it is right at ε = 0 only: look at where eps stands"
        return ""

    def _two(self, q):
        """Return the explanation of one quantity by two mistakes together."""
        if q not in ("dx", "dW", "below"):
            return None
        found = []
        for eps in self.epsilons()[:2]:
            for one, other in itertools.combinations(self._single, 2):
                steps = _together(one, other)
                if steps and self.fits(steps, (q,), False, eps):
                    found.append((one, other))
                if len(found) == 3:
                    break
            if found:
                text, _ = _said([f"two mistakes: {a.says}; and {b.says}" for a, b in found])
                return text, tuple(m.name for m in found[0]), 2
        return None

    @functools.cached_property
    def _single(self):
        """The mistakes that are looked for in pairs: those of one step or one term."""
        given = self.found.way.statistics_given or self.found.way.has_forward
        return [
            m
            for m in self.subject.mistakes
            if not m.other
            and len(m.steps) == 1
            and not {"dgamma", "dbeta"} & m.steps.keys()
            and not _of_images(m)
            and not (given and m.steps.keys() <= set(FORWARD))
        ]

    def _otherwise(self, q):
        # What is wrong here and there only was not made by two mistakes in a formula.
        if self.deep and sum(q in e.wrong for e in self.evidence) > len(self.evidence) / 2:
            known = self._two(q) or self._scaled(q)
            if known:
                return known
        return "; ".join([f"no known mistake explains your {SYMBOLS[q]}", *self.where(q)]), (), 100

    def _scaled(self, q):
        """Return a known mistake that explains the quantity up to a factor."""
        for eps in self.epsilons():
            for m in self.subject.mistakes:
                said = factor(self._pairs(q, m, eps))
                if said and said != "is zero":
                    return f"two mistakes: {m.says}; and besides it {said}", (m.name,), 2
        return None

    def _pairs(self, q, m, eps):
        """Yield what came back and what a mistake gives."""
        for e in self.evidence:
            try:
                made = self.predicted(e, m.steps, bool(m.other), eps)[q]
            except (KeyError, ValueError, ZeroDivisionError):
                made = np.nan
            if q in e.found:
                yield e, e.found[q], shaped(q, made, e.case.values)

    def where(self, q):
        """Return in words where the error of a quantity lives."""
        wrong = [e for e in self.evidence if q in e.wrong]
        facts = []
        if len(wrong) < len(self.evidence):
            shown = ", ".join(e.case.name for e in wrong[:3])
            facts.append(f"wrong only in the cases {shown}" if len(wrong) < 4 else "")
        if not all(np.isfinite(e.found[q]).all() for e in wrong):
            e = next(e for e in wrong if not np.isfinite(e.found[q]).all())
            place = tuple(int(k) for k in np.argwhere(~np.isfinite(e.found[q]))[0])
            facts.append(f"it is not finite in the case {e.case.name}, at {place}")
        elif q == "dx":
            facts += self._neurons(wrong)
            facts += filter(None, [coefficients(wrong), parts_of(wrong)])
        elif not (sum_ := self._neurons(wrong)):
            ratio = wrong[0].found[q] / np.where(wrong[0].truth[q] == 0, 1, wrong[0].truth[q])
            facts.append(f"it is {_short(ratio.flat[0])} times the right one in its first entry")
        else:
            facts += sum_
        return [fact for fact in facts if fact]

    def _neurons(self, wrong):
        """Say in which neurons or samples the error is, where it is in some only."""
        for axis, what in ((-1, "neuron"), (0, "sample")):
            bad = set()
            for e in wrong:
                q = "dx" if "dx" in e.wrong else e.wrong[0]
                array = np.abs(e.found[q] - e.truth[q]) > e.tolerance * e.scales[q]
                if array.ndim < 2 and axis == 0:
                    return []
                other = tuple(k for k in range(array.ndim) if k != axis % array.ndim)
                bad |= {int(k) for k in np.flatnonzero(array.any(axis=other))}
            sizes = min(e.found["dx" if "dx" in e.found else e.wrong[0]].shape[axis] for e in wrong)
            if len(bad) == 1 and sizes > 1:
                return [f"only {what} {bad.pop()} is wrong"]
        return []


class NetworkSearch(Search):
    """The comparison of known mistakes, made in every layer, with what came back."""

    def predicted(self, e, steps, own, eps):
        key = id(e), tuple(steps.items())
        if key not in self._memo:
            try:
                with np.errstate(all="ignore"):
                    self._memo[key] = in_network(e.case.values, steps, self.subject.batch_norm)
            except (ValueError, TypeError):
                self._memo[key] = {}
        return self._memo[key]

    def explain(self):
        if not self.wrong:
            return "", (), 0
        rows = self.rows(self.names, None)
        if rows:
            return *_either(rows), 1
        gradients = [q for q in self.names if q != "cost"]
        said = ""
        if gradients and "cost" not in self.wrong:
            said = factor([self._joined(e) for e in self.evidence])
        return (f"every gradient {said}", (), 1) if said else (self._located(gradients), (), 100)

    @staticmethod
    def _joined(e):
        """Return a case with all of its gradients and the right ones, each in one array."""
        names = [q for q in e.found if q != "cost"]
        return e, *(np.concatenate([np.ravel(v[q]) for q in names]) for v in (e.found, e.truth))

    def _located(self, gradients):
        """Say in which layers the error is."""
        said, bad = ["no known mistake explains it"], [q for q in gradients if q in self.wrong]
        if "cost" in self.names:
            where = "wrong: look at the forward pass" if "cost" in self.wrong else "right"
            if "cost" in self.wrong and self.found.way.activation:
                where += ", or take `activation` if yours is neither tanh, relu nor sigmoid"
            said.append(f"the cost is {where}")
        if bad and len(bad) == len(gradients):
            said.append("every gradient is wrong")
        elif bad:
            top = max(int(q[-1]) for q in bad)
            said.append("wrong: " + ", ".join(map(symbol, bad)))
            said.append(f"all others are right; coming from the output, it begins at layer {top}")
        return "; ".join(said)


def _of_images(mistake):
    text = " ".join(mistake.steps.values())
    return bool(
        re.search(r"\b(N|P|mixed|over_images|over_pixels|over_sample|over_groups|unmixed)\b", text)
    )


def _together(one, other):
    if one.steps.keys().isdisjoint(other.steps):
        return {**one.steps, **other.steps}
    if {one.term, other.term} == {"mean", "x̂"}:
        a, b = one.steps["bracket"], other.steps["bracket"]
        return {"bracket": f"({a}) + ({b}) - ({RIGHT['bracket']})"}
    return None


def _either(rows):
    """Return the words for mistakes that give the same numbers, and their names."""
    text, count = _said([m.says for m in rows])
    return text, tuple(m.name for m in rows[:count])


def _said(texts):
    texts = list(dict.fromkeys(texts))
    if len(texts) == 1:
        return texts[0], 1
    listed = "; or: ".join(texts[:3]) + ("; or others" if len(texts) > 3 else "")
    return f"either: {listed}. These give the same numbers", 3


def _and(words):
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _short(number):
    return f"{number + 0.0:.4g}"


# Patterns.

_LAWS = {
    "M_B": lambda v: v["M_B"],
    "1/M_B": lambda v: 1 / v["M_B"],
    "M_B − 1": lambda v: v["M_B"] - 1,
    "1/(M_B − 1)": lambda v: 1 / (v["M_B"] - 1),
    "M_B/(M_B − 1)": lambda v: v["M_B"] / (v["M_B"] - 1),
    "(M_B − 1)/M_B": lambda v: (v["M_B"] - 1) / v["M_B"],
    "sqrt(M_B)": lambda v: v["M_B"] ** 0.5,
    "1/sqrt(M_B)": lambda v: v["M_B"] ** -0.5,
    "M_B²": lambda v: v["M_B"] ** 2,
    "1/M_B²": lambda v: v["M_B"] ** -2.0,
    "N (the number of images)": lambda v: v["N"],
    "1/N (the number of images)": lambda v: 1 / v["N"],
    "n (the number of neurons)": lambda v: v["n"],
    "1/n (the number of neurons)": lambda v: 1 / v["n"],
}


def factor(pairs):
    """Return how some numbers are the wanted ones up to one factor, or ""."""
    ratios, values = [], []
    for e, found, wanted in pairs:
        if not (np.isfinite(found).all() and np.isfinite(wanted).all()):
            return ""
        largest, other = np.abs(wanted).max(), np.abs(found).max()
        if largest < 1e-9:
            # Zero, as at M_B = 2: any factor of it is zero too.
            if other > 1e-9:
                return ""
            continue
        ratio = (found * wanted).sum() / (wanted * wanted).sum()
        if np.abs(found - ratio * wanted).max() > LOOSE * max(largest, other):
            return ""
        if e.case.values["M_B"] > 1:
            ratios.append(ratio)
            values.append(e.case.values)
    ratios = np.array(ratios)
    close = {"rtol": 1e-5, "atol": 0.0}
    if not len(ratios) or np.allclose(ratios, 1, **close):
        return ""
    if np.abs(ratios).max() < LOOSE:
        return "is zero"
    if np.allclose(ratios, -1, **close):
        return "has the wrong sign"
    if np.allclose(ratios, ratios[0], **close):
        return f"is {ratios[0]:.4g} times what it should be"
    for name, law in _LAWS.items():
        laws = np.array([law(v) for v in values], float)
        for sign in ("", "−"):
            if np.allclose(ratios, laws * (-1 if sign else 1), **close):
                return f"is {sign}{name} times what it should be"
    return ""


def order(pairs):
    """Return in which order the right numbers stand, or "" if the order is not the mistake."""
    for axis, what in ((-1, "neurons"), (0, "samples")):
        if pairs[0][1].ndim == 1 and axis == 0:
            continue
        orders = [_permutation(found, wanted, axis) for _, found, wanted in pairs]
        moved = [o for o in orders if o and o != tuple(sorted(o))]
        if all(orders) and moved:
            turned = all(o == tuple(range(len(o)))[::-1] for o in moved)
            how = "in reverse order" if turned else "in another order"
            return f"has the right numbers with its {what} {how}"
    return ""


def _permutation(found, wanted, axis):
    if found.shape != wanted.shape or not np.isfinite(found).all():
        return None
    found, wanted = (np.moveaxis(v, axis, 0).reshape(v.shape[axis], -1) for v in (found, wanted))
    limit = max(LOOSE * np.abs(wanted).max(), 1e-12)
    free, taken = list(range(len(found))), []
    for k, entry in enumerate(found):
        fits = [j for j in free if np.abs(entry - wanted[j]).max() <= limit]
        if not fits:
            return None
        # Where several fit, as zeros do, the one in its place is taken.
        taken.append(k if k in fits else fits[0])
        free.remove(taken[-1])
    return tuple(taken)


def _columns(wrong):
    """Yield γΔ, x̂ and the bracket that the reader's ∂C/∂x would have, of each set."""
    for e in wrong:
        v = e.case.values
        shape = v["x"].shape
        # Which set an entry is in: the mean over it of random numbers.
        sets = np.broadcast_to(v["kind"].avg(np.random.default_rng(0).random(shape)), shape)
        within = v["kind"].within
        delta = v["error"] if within else v["delta"]
        scale = np.broadcast_to((1 if within else v["gamma"]) / v["std"], shape)
        for each in np.unique(sets):
            here = sets == each
            if here.sum() >= 4 and scale[here].any():
                yield v, delta[here], v["x_hat"][here], (e.found["dx"] / scale)[here]


def coefficients(wrong):
    """Say with which coefficients ∂C/∂x is made of Δ, ⟨Δ⟩ and x̂⟨Δ x̂⟩, if they are constant."""
    rows = []
    for _, delta, x_hat, bracket in _columns(wrong):
        basis = np.stack([delta, -delta.mean() + 0 * x_hat, -x_hat * (delta * x_hat).mean()], 1)
        found, *_ = np.linalg.lstsq(basis, bracket, rcond=None)
        if np.abs(basis @ found - bracket).max() > 1e-6 * max(np.abs(bracket).max(), 1e-12):
            return ""
        rows.append(found)
    if not rows:
        return ""
    rows, kind = np.array(rows), wrong[0].case.values["kind"]
    told, open_ = [], []
    for k, (name, vector) in enumerate(zip("abc", ("Δ", "−⟨Δ⟩", "−x̂⟨Δ x̂⟩"), strict=True)):
        number = rows[0, k]
        if np.allclose(rows[:, k], number, rtol=1e-5, atol=1e-6):
            number = round(float(number), 9) + 0.0
            if not number:
                continue
            sign = "−" if (number < 0) != vector.startswith("−") else "+"
            size = "" if f"{abs(number):.4g}" == "1" else f"{abs(number):.4g}·"
            told.append(f"{sign} {size}{vector.removeprefix('−')}")
        else:
            sign = "−" if vector.startswith("−") else "+"
            told.append(f"{sign} {name}·{vector.removeprefix('−')}")
            open_.append(name)
    if kind.within and told:
        told[0] = told[0].replace("Δ", "γΔ") if "⟨" not in told[0] else told[0]
    formula = kind.told(f"it is (γ/ς)({' '.join(told).removeprefix('+ ')})")
    if open_:
        formula += f" where {_and(open_)} {'is' if len(open_) == 1 else 'are'} not always the same"
    return formula


def parts_of(wrong):
    """Say along which of 1, x̂ and the rest the error of ∂C/∂x lies."""
    shares = np.zeros(3)
    for _, delta, x_hat, bracket in _columns(wrong):
        right = delta - delta.mean() - x_hat * (delta * x_hat).mean()
        residual = bracket - right
        if np.linalg.norm(residual) < 1e-6 * np.linalg.norm(delta):
            continue
        mean, along = residual.mean(), (residual @ x_hat) / (x_hat @ x_hat)
        parts = (mean + 0 * x_hat, along * x_hat, residual - mean - along * x_hat)
        sizes = np.array([np.linalg.norm(part) for part in parts])
        shares = np.maximum(shares, sizes / np.linalg.norm(residual))
    names = ("along 1, in the mean term", "along x̂, in the x̂ term", "in the rest, MΔ or γ/ς")
    present = [name for name, share in zip(names, shares, strict=True) if share > 1e-5]
    if not present:
        return ""
    if len(present) == 3:
        return "the error lies along 1, along x̂ and in the rest"
    return f"the error lies {_and(present)}, and nowhere else"


# Digits.


def digits_lost(subject, verdict):
    """Return what there is to say of the digits that right code loses at a large mean, or "".

    Subtracting a mean costs as many digits as mean/std has. What loses twice
    as many has subtracted squares.
    """
    way = verdict.way
    large = next((e for e in verdict.evidence if e.case.kind == "large mean"), None)
    if large is None or ("dx" not in large.found and "y" not in large.found):
        return ""
    q = "dx" if "dx" in large.found else "y"
    eps = large.case.values["eps"]

    def typical(ratio):
        errors, fits = [], []
        for seed in range(900, 906):
            n = {"n": way.n} if way.n else {}
            values = subject.batch(seed, 5, large.case.values["P"], eps=eps, mean=ratio, **n)
            if not way.gamma_taken:
                values = without_gamma(values)
            found = way.backward(values).found.get(q)
            if found is None:
                return np.nan, False
            error = found - truth_of(values, (q,))[q]
            errors.append(float(np.abs(error).max()) / scales_of(values, (q,))[q])
            fits.append(_by_variance(q, values, error))
        return float(np.median(errors)), sum(fits) > len(fits) / 2

    unit = np.finfo(float).eps
    more, by_variance = typical(1e4)
    if not more > 300 * unit * 1e4:
        return "" if np.isfinite(more) else "correct, but gives nan at mean/std = 1e4"
    less, _ = typical(1e2)
    squared = np.log10(more / max(less, unit)) > 3
    lost = f"correct, but loses {np.log10(more / unit):.0f} digits at mean/std = 1e4"
    return f"one-pass variance: {lost}" if squared and by_variance else lost


def _by_variance(q, values, error):
    """Say whether a wrong variance explains an error.

    If ς is off by the factor 1 + e, then x̂ is by 1 − e, and to first order
    the error of y is −e γ x̂, that of ∂C/∂x −e (γ/ς)[Δ − ⟨Δ⟩ − 3 x̂⟨Δ x̂⟩].
    """
    delta, x_hat, mean = values["error"], values["x_hat"], values["kind"].avg
    wrong = delta - mean(delta) - 3 * x_hat * mean(delta * x_hat)
    direction = values["gamma"] * x_hat if q == "y" else wrong
    part = mean(error * direction) / mean(direction * direction)
    return np.linalg.norm(error - part * direction) < 0.1 * np.linalg.norm(error)
