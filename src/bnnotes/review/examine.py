"""Try the reader's function on every case and judge what it returns."""

from __future__ import annotations

import numpy as np

from .._validation import choice
from . import accuracy, steps
from .calling import FEATURES, IMAGES, SAMPLES
from .conventions import (
    BUILT_IN,
    JUDGED,
    STORED,
    TRANSPOSED,
    viable,
)
from .diagnosis import TOLERANCE, Diagnosis, diagnose
from .names import bind
from .report import Report, Row
from .trial import attempt

# Of the values of eps that may be built in, those with which two mistakes are looked for.
DEEP = (0.0, 1e-5, 1e-8, 1e-3)


def examine(f, subject, layout=None, weights=None):
    """Return the `Report` of the reader's function.

    Parameters
    ----------
    f : callable
    subject : Subject
    layout : str, optional
        ``"sample-major"``, ``"feature-major"`` or ``"images"``; found out if None.
    weights : str, optional
        ``"(n, n_prev)"`` or ``"(n_prev, n)"``, the shape of W.

    Returns
    -------
    Report
    """
    if layout is not None:
        choice("layout", layout, (SAMPLES, FEATURES, IMAGES))
    if weights is not None:
        choice("weights", weights, (STORED, TRANSPOSED))
    name = getattr(f, "__name__", type(f).__name__)
    binding = bind(f, subject.roles)
    if binding.trouble:
        return Report(name, subject.name, False, binding.trouble)
    conventions, first = viable(f, binding, subject, layout, weights)
    if not conventions:
        return _never(name, subject, first)
    trials = [attempt(f, binding, convention, subject) for convention in conventions]
    judged = [_judge(trial, name, deep=False) for trial in trials]
    if not any(report.ok or parts <= 1 for report, parts in judged):
        trials += [
            attempt(f, binding, trial.convention._replace(eps=eps), subject)
            for eps in BUILT_IN
            for trial in trials
            if trial.convention.eps == 0
        ]
        judged = [_judge(trial, name, deep=False) for trial in trials]
    if not any(report.ok or parts <= 1 for report, parts in judged):
        # Two mistakes at a time take longer, so only with the commonest values of eps.
        trials = [t for t in trials if t.convention.eps in (None, *DEEP)]
        trials = trials[:1] if hasattr(subject, "locate") else trials
        judged = [_judge(trial, name, deep=True) for trial in trials]
    return min(judged, key=lambda pair: (not pair[0].ok, pair[1]))[0]


def _never(name, subject, outcome):
    """Return the report of a function that failed in every way of calling it."""
    diagnosis = outcome.trouble
    if "torch" in diagnosis or "Tensor" in diagnosis or "ndarray" in diagnosis:
        diagnosis += ". A function of tensors needs two lines around it: see help(bnnotes.review)"
    case = subject.cases[0].name
    rows = tuple(
        Row(case, subject.symbols[q], np.nan, np.nan, np.nan, False, outcome.trouble)
        for q in subject.quantities
    )
    notes = tuple(_warned([outcome]))
    return Report(name, subject.name, False, diagnosis, rows, (), notes, outcome.arguments, case)


def _judge(trial, name, deep):
    """Return the report of one way of calling, and how much it assumes."""
    subject, wrong = trial.subject, trial.wrong
    rows = tuple(row for index in range(len(trial.cases)) for row in _rows(trial, index))
    failed = [] if trial.refuses_zero else trial.failed
    found, said = Diagnosis("", (), 0), [*_failures(failed, trial), *_faults(trial)]
    if wrong:
        judged = [e for e in trial.judged if e.found or not trial.refuses_zero]
        tolerance = 10 * trial.tolerance if trial.single else TOLERANCE
        found = diagnose(
            subject,
            judged,
            wrong,
            _possible(trial),
            _variants(trial),
            tolerance=tolerance,
            deep=deep,
        )
        said.insert(0, found.text)
    odd = [row for row in rows if not row.ok and not (trial.refuses_zero and row.trouble)]
    if odd and not said:
        said = [f"right in float64, and not in the case {odd[0].case}"]
    ok = not said
    if ok:
        said = [_praise(trial, rows), *accuracy.findings(trial)]
    index = _worst(trial)
    quantity = _most_wrong(trial.evidence[index])
    report = Report(
        name,
        subject.name,
        ok,
        "; ".join(said),
        rows,
        found.mistakes,
        (*_how(trial, found.mistakes), *_warned(trial.outcomes)),
        trial.outcomes[index].arguments,
        trial.cases[index].name,
        subject.symbols.get(quantity, ""),
        trial.evidence[index].truth.get(quantity),
    )
    return report, found.parts + len(list(_misshaped(trial)))


def _possible(trial):
    """Return the known mistakes that this way of calling leaves possible.

    A feature-major function that takes its means over the neurons is a
    sample-major one, and is judged as such.
    """
    if trial.convention.layout.name != FEATURES:
        return trial.subject.mistakes
    return [m for m in trial.subject.mistakes if "over the neurons" not in m.says]


def _variants(trial):
    """Return rarer mistakes: an eps of its own on the given s, a centered u that hides a part."""
    found, roles = [], set(trial.binding.roles.values())
    if trial.convention.eps is None and "eps" not in roles:
        some = [m for m in trial.subject.mistakes if "eps" in m.needs]
        found += [mistake.with_eps(eps) for mistake in some for eps in BUILT_IN]
    if "weight" in trial.subject.parts and "u_prev" in roles:
        centered = {"weight": steps.centered_weight}
        found += [m._replace(steps={**centered, **m.steps}) for m in trial.subject.mistakes]
    return found


def _praise(trial, rows):
    symbols = list(dict.fromkeys(row.quantity for row in rows))
    listed = ", ".join(symbols) if len(symbols) < 5 else f"{symbols[0]} and {len(symbols) - 1} more"
    good = sum(not outcome.trouble for outcome in trial.outcomes)
    how = "to the digits of float32" if trial.single else "to 1e-9 or better"
    return f"right: {listed} {how} in {good} cases"


def _rows(trial, index):
    """Yield the rows of one case."""
    case, outcome, proof = trial.cases[index], trial.outcomes[index], trial.evidence[index]
    subject = trial.subject
    for quantity in _returned(trial):
        symbol = subject.symbols[quantity]
        if quantity not in outcome.found:
            trouble = outcome.trouble or "it is missing here"
            yield Row(case.name, symbol, np.nan, np.nan, np.nan, False, trouble)
            continue
        exact, found = np.asarray(proof.truth[quantity]), outcome.found[quantity]
        error = proof.error(quantity)
        ok = bool(error <= trial.allowed(case))
        # Of a right result the largest entry, since where rounding differs most is chance.
        size = np.abs(exact) if ok else np.nan_to_num(np.abs(found - exact), nan=np.inf)
        where = np.unravel_index(np.argmax(size), exact.shape)
        yield Row(case.name, symbol, float(exact[where]), float(found[where]), error, ok)


def _returned(trial):
    """Return the quantities that the function returns."""
    found = next((o.found for o in trial.outcomes if o.found), {})
    known = (*trial.subject.quantities, *trial.subject.optional)
    return [q for q in known if q in found] or trial.subject.quantities[:1]


def _most_wrong(proof):
    """Return the quantity of one case that is off most."""
    errors = {q: np.nan_to_num(proof.error(q), nan=np.inf) for q in proof.found}
    return max(errors, key=errors.get, default="")


def _worst(trial):
    """Return the index of the case to reproduce: wrong, and easy to read."""

    def key(index):
        case, outcome, proof = trial.cases[index], trial.outcomes[index], trial.evidence[index]
        right = all(proof.error(q) <= trial.allowed(case) for q in outcome.found)
        readable = case.kind != "plain", case.values["M_B"] not in (3, 5), case.values["M_B"]
        return right and not outcome.trouble, case.kind not in JUDGED, readable

    return min(range(len(trial.cases)), key=key)


def _failures(failed, trial):
    """Yield what was raised, once per kind of trouble."""
    kinds = {}
    for case, outcome in failed:
        kinds.setdefault(outcome.trouble.split(":")[0], []).append((case.name, outcome.trouble))
    for troubles in kinds.values():
        names, (_, text) = [name for name, _ in troubles], troubles[0]
        if len(names) == len(trial.cases):
            yield text
        elif len(names) < 4:
            yield f"{text}, in the case {'; '.join(names)}"
        elif "square" in {case.kind for case in trial.cases} and len(names) == len(trial.cases) - 1:
            yield f"{text.split(':')[0]} wherever the layer is not square"
        else:
            yield f"{text}, in {len(names)} of {len(trial.cases)} cases"


def _faults(trial):
    """Yield what is wrong besides the numbers."""
    changed = dict.fromkeys(name for outcome in trial.outcomes for name in outcome.changed)
    if changed:
        listed = ", ".join(f"`{name}`" for name in changed)
        yield f"it changes its argument {listed} in place"
    yield from _misshaped(trial)
    for quantity in dict.fromkeys(q for outcome in trial.outcomes for q in outcome.transposed):
        symbol = trial.subject.symbols[quantity]
        yield f"{symbol} comes transposed: (n_prev, n), where W is (n, n_prev); {_STORED}"
    for case, outcome in zip(trial.cases, trial.outcomes, strict=True):
        if not outcome.trouble:
            if not _same(trial.call(case.values), outcome, trial.subject.scales(case.values)):
                yield "it gives another result when it is called again with the same input"
            break


def _misshaped(trial):
    """Yield what is said of wrong shapes, each quantity once."""
    said = {}
    for text in (text for outcome in trial.outcomes for text in outcome.misshaped):
        said.setdefault(text.split(" has ")[0], text)
    yield from said.values()


_STORED = f"if you store W as (n_prev, n), say weights={TRANSPOSED!r}"


def _same(again, outcome, scales):
    if again.found.keys() != outcome.found.keys():
        return False
    return all(
        np.allclose(again.found[q], array, rtol=1e-6, atol=1e-9 * scales[q], equal_nan=True)
        for q, array in outcome.found.items()
    )


def _warned(outcomes):
    """Yield what numpy said while the function ran."""
    for text in dict.fromkeys(text for outcome in outcomes for text in outcome.warned):
        yield f"while it ran: {text}"


def _how(trial, mistakes):
    """Yield how the function was called."""
    convention, subject = trial.convention, trial.subject
    layout = convention.layout.name
    arguments = ", ".join(
        name if name == role else f"{name} = {role}" for name, role in trial.binding.roles.items()
    )
    shape = {SAMPLES: "(M_B, n)", FEATURES: "(n, M_B)", IMAGES: "(N, n, H, W)"}[layout]
    yield f"called with {arguments}; {'tensors, ' if convention.torch else ''}{layout} {shape}"
    if layout == FEATURES and subject.has_eps:
        yield (
            "if your arrays are sample-major, (M_B, n), its means run over the wrong axis: "
            f"then say layout={SAMPLES!r}"
        )
    if convention.transposed:
        yield "its W is stored as (n_prev, n)"
    if "W for Wᵀ" in mistakes:
        yield _STORED
    if layout == IMAGES:
        yield "M_B = 32 is 8 images of 2 × 2 pixels, the other batches have 1 pixel"
    if convention.activation:
        yield f"its hidden layers were taken for {convention.activation}"
    if convention.eps:
        yield f"it has eps = {convention.eps:g} built in"
    elif convention.eps == 0:
        yield "it takes no eps, so the cases with eps > 0 were left out"
    if trial.refuses_zero:
        yield "it refuses eps = 0, so only the cases with eps > 0 count"
    if "std" in convention.meanings:
        yield "its std is sqrt(var), to which it adds eps itself"
    if trial.single:
        yield "it computes in float32"
    misshaped = " ".join(text for outcome in trial.outcomes for text in outcome.misshaped)
    missing = [subject.symbols[q] for q in subject.quantities if q not in _returned(trial)]
    missing = [symbol for symbol in missing if f"{symbol} has the shape" not in misshaped]
    if missing:
        yield "not returned, not reviewed: " + ", ".join(missing)
