"""The reader's function, called in one way on every case."""

from __future__ import annotations

from typing import NamedTuple

from .calling import Convention, call
from .conventions import EXACT, JUDGED, SINGLE, evidence, is_single


class Trial(NamedTuple):
    """The reader's function on all cases, called in one way."""

    f: object
    binding: object
    subject: object
    convention: Convention
    cases: list
    outcomes: list
    evidence: list
    single: bool

    @property
    def tolerance(self):
        """How far a right result may be off."""
        return SINGLE if self.single else EXACT

    def allowed(self, case):
        """Return the same in one case; what a large mean costs is measured by `accuracy`."""
        if case.kind == "large mean":
            return 1e-2
        return SINGLE if case.kind == "float32" else self.tolerance

    @property
    def judged(self):
        """The evidence of the cases in which rounding is no excuse."""
        return [e for e in self.evidence if e.case.kind in JUDGED]

    @property
    def wrong(self):
        """The quantities that are wrong where rounding is no excuse."""
        return {q for e in self.judged for q in e.found if not e.error(q) <= self.tolerance}

    @property
    def failed(self):
        """The cases in which there was an exception or a wrong shape."""
        pairs = zip(self.cases, self.outcomes, strict=True)
        return [(case, outcome) for case, outcome in pairs if outcome.trouble]

    @property
    def refuses_zero(self):
        """Whether the function fails wherever eps = 0 and nowhere else."""
        failed = {case.name for case, _ in self.failed}
        zero = {case.name for case in self.cases if not case.values["eps"]}
        return bool(zero) and failed == zero != {case.name for case in self.cases}

    def call(self, values):
        """Call the function once more."""
        return call(self.f, values, self.binding, self.convention, self.subject)


def attempt(f, binding, convention, subject):
    """Return the `Trial` of one way of calling."""
    cases = [case for each in subject.cases if (case := subject.adapt(each, convention))]
    outcomes = [call(f, case.values, binding, convention, subject) for case in cases]
    _turn_back(outcomes)
    pairs = zip(cases, outcomes, strict=True)
    found = [evidence(subject, case, outcome) for case, outcome in pairs]
    single = is_single([o for c, o in zip(cases, outcomes, strict=True) if c.kind in JUDGED])
    if single:
        # In float32 nothing is left of such a case; `accuracy` takes one that is less hard.
        kept = [k for k, case in enumerate(cases) if case.kind != "large mean"]
        cases, outcomes, found = ([some[k] for k in kept] for some in (cases, outcomes, found))
    return Trial(f, binding, subject, convention, cases, outcomes, found, single)


def _turn_back(outcomes):
    """Transpose a square matrix too, where those that are not square came transposed."""
    for quantity in {q for outcome in outcomes for q in outcome.transposed}:
        for outcome in outcomes:
            if quantity in outcome.found and quantity not in outcome.transposed:
                outcome.found[quantity] = outcome.found[quantity].T
