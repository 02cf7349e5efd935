"""Which known mistake explains what the reader's function returned."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from . import patterns, steps

TOLERANCE = 1e-6  # of a quantity's scale, to say that a mistake gives the reader's numbers


class Evidence(NamedTuple):
    """One case with what the reader's function returned.

    Attributes
    ----------
    case : Case
    found : dict of str to ndarray
        Empty where the function failed.
    truth : dict of str to ndarray
    scales : dict of str to float
    """

    case: object
    found: dict
    truth: dict
    scales: dict

    @property
    def values(self):
        """The arrays of the case."""
        return self.case.values

    def off(self, quantity, predicted):
        """Return the largest difference to what was returned, relative to its scale."""
        found = self.found[quantity]
        if np.shape(predicted) != found.shape:
            return np.inf
        predicted = np.asarray(predicted)
        # Where a mistake divides 0 by 0, one library says nan and another does not.
        same = (found == predicted) | np.isnan(predicted)
        with np.errstate(invalid="ignore"):
            difference = np.where(same, 0.0, np.abs(found - predicted))
        scale = max(self.scales[quantity], float(np.nanmax(np.abs(predicted), initial=0.0)))
        worst = float(difference.max()) / scale
        return np.inf if np.isnan(worst) else worst

    def error(self, quantity):
        """Return the largest difference to the truth, relative to the scale of the quantity."""
        difference = np.abs(self.found[quantity] - self.truth[quantity]).max()
        return float(difference) / self.scales[quantity]


class Diagnosis(NamedTuple):
    """What explains a wrong result.

    Attributes
    ----------
    text : str
    mistakes : tuple of str
        Names of known mistakes; empty where none explains it.
    parts : int
        How many things had to be assumed: 1 for one mistake, more for two, many for none.
    """

    text: str
    mistakes: tuple = ()
    parts: int = 1


NOTHING = Diagnosis("", (), 100)


def diagnose(subject, evidence, wrong, mistakes, rare=(), *, tolerance=TOLERANCE, deep=True):
    """Return the `Diagnosis` of the quantities that are wrong.

    Parameters
    ----------
    subject : Subject
    evidence : list of Evidence
        Of the cases without rounding to speak of.
    wrong : set of str
        Quantities that differ from the truth somewhere.
    mistakes : list of Mistake
        Those to look for.
    rare : list of Mistake
        Those to look for when it is none of these alone.
    tolerance : float
        Of the agreement with a known mistake.
    deep : bool
        Look for two mistakes at a time, and where the error lives.

    Returns
    -------
    Diagnosis
    """
    search = _Search(subject, evidence, mistakes, tolerance)
    for some in (mistakes, rare):
        one = search.explained_by(_alone(some), search.quantities)
        if one:
            return _say(one)
    if hasattr(subject, "locate"):
        return _of_network(search, wrong, deep)
    found = {q: search.single(q) for q in sorted(wrong, key=search.order)}
    if not all(found.values()):
        if not deep:
            return NOTHING
        two = search.explained_by(_pairs(mistakes), search.quantities)
        if two:
            return _say(two)
    return _join({q: known or search.otherwise(q) for q, known in found.items()})


def _of_network(search, wrong, deep):
    said = search.subject.locate(search.compared, wrong, search.tolerance)
    if said.startswith("every gradient"):
        return Diagnosis(said)
    two = search.explained_by(_pairs(search.mistakes), search.quantities) if deep else []
    return _say(two) if two else Diagnosis(said, (), 100)


def _join(found):
    """Return one diagnosis of several quantities; the same text is said once."""
    texts = dict.fromkeys(diagnosis.text for diagnosis in found.values())
    names = dict.fromkeys(name for diagnosis in found.values() for name in diagnosis.mistakes)
    return Diagnosis("; ".join(texts), tuple(names), sum(d.parts for d in found.values()))


def _say(known):
    """Return the diagnosis of the explanations that fit equally."""
    texts = list(dict.fromkeys(explanation.text for explanation in known))
    names = tuple(dict.fromkeys(name for e in known for name in e.names))
    parts = min(len(explanation.names) for explanation in known)
    if len(texts) == 1:
        return Diagnosis(texts[0], names, parts)
    listed = "; or: ".join(texts[:3]) + ("; or others" if len(texts) > 3 else "")
    return Diagnosis(f"either: {listed}. These give the same numbers", names, parts)


class Explanation(NamedTuple):
    """Steps that would give the reader's numbers, and how to say so."""

    steps: dict
    names: tuple
    text: str


def _alone(mistakes):
    for mistake in mistakes:
        yield Explanation(mistake.steps, (mistake.name,), mistake.says)


def _pairs(mistakes):
    """Yield two mistakes at a time, where both can be made together."""
    for one, other in itertools.combinations(mistakes, 2):
        together = _together(one, other)
        if together:
            yield Explanation(
                together, (one.name, other.name), f"two mistakes: {one.says}; and {other.says}"
            )


def _together(one, other):
    if one.steps.keys().isdisjoint(other.steps):
        return {**one.steps, **other.steps}
    if {one.term, other.term} == {"mean", "x̂"}:
        return {"bracket": _both_terms(one.steps["bracket"], other.steps["bracket"])}
    return None


def _both_terms(one, other):
    """Return the bracket with one mistake in the mean term and one in the x̂ term."""

    def bracket(**values):
        parts = [steps.call(function, values) for function in (one, other, steps.bracket)]
        return parts[0] + parts[1] - parts[2]

    functions = (one, other, steps.bracket)
    bracket.names = tuple({name for f in functions for name in steps.parameters(f)})
    return bracket


# Steps that a quantity has to itself, so that another one cannot speak for them.
_OWN = {"gamma": {"gamma", "statistics"}, "beta": {"beta"}, "b": {"bias"}}
_SHARED = {"statistics", "bracket", "scale", "weight", "previous", "affine", "output"}


class _Search:
    """The comparison of known mistakes with the reader's numbers."""

    def __init__(self, subject, evidence, mistakes, tolerance):
        self.subject, self.mistakes, self.tolerance = subject, mistakes, tolerance
        self.evidence, self._memos = evidence, {}
        self.compared = [e for e in evidence if e.found]
        self.quantities = tuple(self.compared[0].found) if self.compared else ()

    def order(self, quantity):
        known = (*self.subject.quantities, *self.subject.optional)
        return known.index(quantity) if quantity in known else len(known)

    def explained_by(self, explanations, quantities):
        """Return the explanations that give the reader's numbers in every case."""
        return [e for e in explanations if self._fits(e.steps, quantities)]

    def _own(self, quantity):
        if quantity in self.subject.optional:
            return []
        own = _OWN.get(quantity, _SHARED)
        return [m for m in self.mistakes if m.steps.keys() <= own]

    def single(self, quantity):
        """Return the `Diagnosis` of one quantity by one known mistake or one pattern, or None."""
        known = self.explained_by(_alone(self._own(quantity)), (quantity,))
        if known:
            return _say(known)
        pairs = [(e.values, e.found[quantity], e.truth[quantity]) for e in self.compared]
        said = patterns.factor(pairs, self.tolerance) or patterns.order(pairs, self.tolerance)
        return Diagnosis(f"your {self.subject.symbols[quantity]} {said}") if said else None

    def _fits(self, replaced, quantities):
        """Say whether some steps give the reader's numbers, and the right ones do not."""
        off, error = 0.0, 0.0
        for evidence in self.evidence:
            predicted = self._predict(evidence, replaced, quantities)
            if predicted is None and evidence.found:
                return False
            if predicted is None or not evidence.found:
                continue
            if not set(quantities) <= predicted.keys():
                return False
            off = max(off, *(evidence.off(q, predicted[q]) for q in quantities))
            if off > self.tolerance:
                return False
            error = max(error, *(np.nan_to_num(evidence.error(q), nan=1.0) for q in quantities))
        # A mistake too small to matter would explain every small error.
        return off < 0.1 * error

    def _predict(self, evidence, replaced, quantities):
        """Return what a mistake gives, or None where its shapes do not fit together."""
        with np.errstate(all="ignore"):
            try:
                memo = self._memos.setdefault(evidence.case.name, {})
                return self.subject.evaluate(evidence.values, replaced, quantities, memo)
            except ValueError:
                return None

    def otherwise(self, quantity):
        """Return what can be said of a quantity that nothing explains alone."""
        two = self.explained_by(_pairs(self._own(quantity)), (quantity,))
        if two:
            return _say(two)
        scaled = self._scaled(quantity)
        if scaled:
            return scaled
        where = patterns.locate(quantity, self.compared, self.tolerance)
        symbol = self.subject.symbols[quantity]
        return Diagnosis("; ".join([f"no known mistake explains your {symbol}", *where]), (), 100)

    def _scaled(self, quantity):
        """Return a known mistake that explains the quantity up to a factor."""
        for mistake in self._own(quantity):
            predicted = [self._predict(e, mistake.steps, (quantity,)) for e in self.compared]
            if any(p is None for p in predicted):
                continue
            pairs = [
                (e.values, e.found[quantity], p[quantity])
                for e, p in zip(self.compared, predicted, strict=True)
            ]
            said = patterns.factor(pairs, self.tolerance)
            # Zero times anything is zero: that names no mistake.
            if said and said != "is zero":
                text = f"two mistakes: {mistake.says}; and besides it {said}"
                return Diagnosis(text, (mistake.name,), 2)
        return None
