"""Where an error lives when no known mistake explains it. Predicates of "your ∂C/∂x …"."""

from __future__ import annotations

import numpy as np

from ..sample_space import sample_mean, split

_LAWS = {
    "M_B": lambda M: M,
    "1/M_B": lambda M: 1 / M,
    "M_B − 1": lambda M: M - 1,
    "1/(M_B − 1)": lambda M: 1 / (M - 1),
    "M_B/(M_B − 1)": lambda M: M / (M - 1),
    "(M_B − 1)/M_B": lambda M: (M - 1) / M,
    "sqrt(M_B)": lambda M: M**0.5,
    "1/sqrt(M_B)": lambda M: M**-0.5,
    "M_B²": lambda M: M**2,
    "1/M_B²": lambda M: M**-2.0,
}


def factor(pairs, tolerance):
    """Return how the reader's numbers are the wanted ones up to one factor, or "".

    Parameters
    ----------
    pairs : list of (values, found, wanted)
        The values of a case and two arrays.
    tolerance : float

    Returns
    -------
    str
    """
    ratios, sizes = [], []
    for values, found, wanted in pairs:
        if not (np.isfinite(found).all() and np.isfinite(wanted).all()):
            return ""
        largest, other = np.abs(wanted).max(), np.abs(found).max()
        if largest < 1e-9:
            # Zero, as at M_B = 2: any factor of it is zero too.
            if other > 1e-9:
                return ""
            continue
        ratio = (found * wanted).sum() / (wanted * wanted).sum()
        if np.abs(found - ratio * wanted).max() > tolerance * max(largest, other):
            return ""
        ratios.append(ratio)
        sizes.append(values["M_B"])
    return _law_of(np.array(ratios), np.array(sizes, float), tolerance)


def _law_of(ratios, sizes, tolerance):
    close = {"rtol": 10 * tolerance, "atol": 0.0}
    if not len(ratios) or np.allclose(ratios, 1, **close):
        return ""
    if np.abs(ratios).max() < tolerance:
        return "is zero"
    if np.allclose(ratios, -1, **close):
        return "has the wrong sign"
    if np.allclose(ratios, ratios[0], **close):
        return f"is {ratios[0]:.4g} times what it should be"
    for name, law in _LAWS.items():
        for sign in ("", "−"):
            if np.allclose(ratios, law(sizes) * (-1 if sign else 1), **close):
                return f"is {sign}{name} times what it should be"
    return ""


def order(pairs, tolerance):
    """Return in which order the right numbers stand, or "" if the order is not the mistake."""
    for axis, what in ((-1, "neurons"), (0, "samples")):
        if pairs[0][1].ndim == 1 and axis == 0:
            continue
        orders = [_permutation(found, wanted, axis, tolerance) for _, found, wanted in pairs]
        moved = [o for o in orders if o and o != tuple(sorted(o))]
        if all(orders) and moved:
            turned = all(o == tuple(range(len(o)))[::-1] for o in moved)
            how = "in reverse order" if turned else "in another order"
            return f"has the right numbers with its {what} {how}"
    if all(found.ndim == 2 and found.shape == wanted.T.shape for _, found, wanted in pairs):
        if all(np.abs(found - wanted.T).max() <= tolerance for _, found, wanted in pairs):
            return "is transposed"
    return ""


def _permutation(found, wanted, axis, tolerance):
    """Return the order along an axis that turns the wanted array into the found one, or None."""
    if found.shape != wanted.shape or not np.isfinite(found).all():
        return None
    found, wanted = (np.moveaxis(v, axis, 0).reshape(v.shape[axis], -1) for v in (found, wanted))
    limit = max(tolerance * np.abs(wanted).max(), 1e-12)
    free, taken = list(range(len(found))), []
    for k, entry in enumerate(found):
        fits = [j for j in free if np.abs(entry - wanted[j]).max() <= limit]
        if not fits:
            return None
        # Where several fit, as zeros do, the one in its place is taken.
        taken.append(k if k in fits else fits[0])
        free.remove(taken[-1])
    return tuple(taken)


def locate(quantity, evidence, tolerance):
    """Return in words where the error of a quantity lives.

    Parameters
    ----------
    quantity : str
    evidence : list of Evidence
    tolerance : float

    Returns
    -------
    list of str
        Sentences without their full stops.
    """
    wrong = [e for e in evidence if not e.error(quantity) <= tolerance]
    if not wrong:
        return [_digits(quantity, evidence)]
    facts = [_cases(wrong, evidence)]
    pairs = [(e.values, e.found[quantity], e.truth[quantity]) for e in wrong]
    if facts[0] and (said := factor(pairs, tolerance)):
        return [*facts, f"there it {said}"]
    if not all(np.isfinite(e.found[quantity]).all() for e in wrong):
        entry = next(
            (e.case.name, tuple(int(k) for k in np.argwhere(~np.isfinite(e.found[quantity]))[0]))
            for e in wrong
            if not np.isfinite(e.found[quantity]).all()
        )
        return [*filter(None, facts), f"in the case {entry[0]} its entry {entry[1]} is no number"]
    places = list(filter(None, _places(quantity, wrong, tolerance)))
    facts += places
    if quantity == "x" and not any("sample" in place for place in places):
        facts.append(_formula(wrong, tolerance) or _parts(wrong))
    if max(e.error(quantity) for e in wrong) < 1e-3:
        facts.append(_digits(quantity, wrong))
    return list(filter(None, facts))


def _digits(quantity, evidence):
    digits = -np.log10(max(e.error(quantity) for e in evidence))
    return (
        f"it agrees to {digits:.0f} digits and no further, as a difference quotient does, or a "
        "formula with a small constant in the wrong place"
    )


def _cases(wrong, evidence):
    """Say in which cases the error is, where it is not in all."""
    right = [e for e in evidence if e not in wrong]
    if not right:
        return ""
    sizes, others = ({e.values["M_B"] for e in group} for group in (wrong, right))
    if all(e.values["eps"] for e in wrong) and not any(e.values["eps"] for e in right):
        return "it is wrong only with eps > 0"
    if not any(e.values["eps"] for e in wrong) and all(e.values["eps"] for e in right):
        return "it is wrong only with eps = 0"
    if len(sizes) == 1 and not sizes & others:
        return f"it is wrong only at M_B = {sizes.pop()}"
    if others == {2}:
        return ""  # M = 0 at M_B = 2: little is left there to get wrong
    few, which = (wrong, "wrong") if len(wrong) <= len(right) else (right, "right")
    cases = "case" if len(few) == 1 else "cases"
    return f"it is {which} only in the {cases} {_and([e.case.name for e in few])}"


def _and(names):
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _bad(e, quantity, axis, tolerance):
    """Return which neurons or samples of one case are wrong, as booleans."""
    error = np.abs(e.found[quantity] - e.truth[quantity]) / e.scales[quantity]
    return np.moveaxis(error, axis, 0).reshape(error.shape[axis], -1).max(axis=1) > tolerance


def _places(quantity, wrong, tolerance):
    """Yield in which neurons and samples the error is, where it is not in all."""
    yield _place("neuron", [_bad(e, quantity, -1, tolerance) for e in wrong])
    if wrong[0].found[quantity].ndim > 1 and quantity != "W":
        yield _place("sample", [_bad(e, quantity, 0, tolerance) for e in wrong])


def _place(what, bad):
    """Say which neurons or samples are wrong, if they are the same in every case."""
    places = [tuple(np.flatnonzero(b).tolist()) for b in bad]
    if any(b.all() for b in bad):
        return ""
    if len(set(places)) > 1:
        last = all(here == (len(b) - 1,) for here, b in zip(places, bad, strict=True))
        return f"the error is in the last {what} only" if last else ""
    here, plural = places[0], "s" if len(places[0]) > 1 else ""
    return f"the error is in {what}{plural} {_and([*map(str, here)])} only, counted from 0"


def _columns(wrong, tolerance):
    """Yield case and wrong neuron where 1, x̂ and Δ are three directions and more are left."""
    for e in wrong:
        if e.values["M_B"] >= 5 and e.case.kind in ("plain", "eps", "square"):
            for i in np.flatnonzero(_bad(e, "x", -1, tolerance)):
                yield e, i


def _bracket(e, i):
    """Return Δ and x̂ of one neuron, and what the reader's ∂C/∂x says the bracket is."""
    scale = e.values["gamma"][i] / e.values["std"][i]
    return e.values["delta"][:, i], e.values["x_hat"][:, i], e.found["x"][:, i] / scale


def _parts(wrong):
    """Say along which of 1, x̂ and the rest the error of ∂C/∂x lies."""
    shares = np.zeros(3)
    for e, i in _columns(wrong, 1e-6):
        delta, x_hat, bracket = _bracket(e, i)
        residual = bracket - split(x_hat[:, None], delta[:, None]).mixed[:, 0]
        mean = sample_mean(residual)
        along = sample_mean(residual * x_hat) / sample_mean(x_hat * x_hat)
        parts = (mean + 0 * x_hat, along * x_hat, residual - mean - along * x_hat)
        sizes = np.array([np.linalg.norm(part) for part in parts])
        shares = np.maximum(shares, sizes / np.linalg.norm(residual))
    names = ("along 1, in the mean term", "along x̂, in the x̂ term", "in the rest, MΔ or γ/s")
    present = [name for name, share in zip(names, shares, strict=True) if share > 1e-5]
    if not present:
        return ""
    if len(present) == 3:
        return "the error lies along 1, along x̂ and in the rest"
    return f"the error lies {_and(present)}, and nowhere else"


def _formula(wrong, tolerance):
    """Say with which coefficients the reader's ∂C/∂x is made of Δ, ⟨Δ⟩ and x̂⟨Δ x̂⟩, if it is."""
    rows, std, sizes = [], [], []
    for e, i in _columns(wrong, tolerance):
        delta, x_hat, bracket = _bracket(e, i)
        terms = (delta, -sample_mean(delta) + 0 * x_hat, -x_hat * sample_mean(delta * x_hat))
        basis = np.stack(terms, axis=1)
        found, *_ = np.linalg.lstsq(basis, bracket, rcond=None)
        if np.abs(basis @ found - bracket).max() > 1e-6 * max(np.abs(bracket).max(), 1e-12):
            return ""
        rows.append(found)
        std.append(e.values["std"][i])
        sizes.append(e.values["M_B"])
    if not rows:
        return ""
    columns, std, sizes = np.array(rows).T, np.array(std), np.array(sizes, float)
    if np.allclose(columns, 1, rtol=1e-3):
        return ""
    direct, mean, along = columns
    if np.allclose(direct, mean, rtol=1e-5) and np.allclose(direct, along, rtol=1e-5):
        law = _law(direct, std, sizes)
        return f"it is {law} times what it should be" if law else _VARYING
    laws = [_law(column, std, sizes) for column in columns]
    unknown = [name for name, law in zip("abc", laws, strict=True) if law is None]
    told = [name if law is None else law for name, law in zip("abc", laws, strict=True)]
    terms = [_term(*pair) for pair in zip(told, ("Δ", "−⟨Δ⟩", "−x̂⟨Δ x̂⟩"), strict=True)]
    formula = f"it is (γ/s)({' '.join(filter(None, terms)).removeprefix('+ ')})"
    are = "is" if len(unknown) == 1 else "are"
    return formula + (f" where {_and(unknown)} {are} not always the same" if unknown else "")


_VARYING = "the scale γ/s is wrong, by a factor that is not always the same"


def _term(law, vector):
    """Return a term of the bracket with its coefficient, signed."""
    negative = law.startswith("-") != vector.startswith("−")
    law, vector = law.lstrip("-"), vector.lstrip("−")
    if law == "0":
        return ""
    return f"{'−' if negative else '+'} {'' if law == '1' else law + '·'}{vector}"


def _law(values, std, sizes):
    """Return a coefficient as text, a number or powers of s and M_B; None where it is neither."""
    if np.allclose(values, values[0], rtol=1e-5, atol=1e-6):
        return f"{round(values[0], 9) + 0.0:.4g}"
    for name, law in _LAWS.items():
        if np.allclose(values, law(sizes), rtol=1e-5):
            return f"({name})" if "−" in name else name
    if (values <= 0).any():
        return None
    basis = np.stack([np.log(std), np.log(sizes), np.ones(len(std))], axis=1)
    powers, *_ = np.linalg.lstsq(basis, np.log(values), rcond=None)
    halves = np.round(2 * powers[:2]) / 2
    exact = np.abs(basis @ powers - np.log(values)).max() < 1e-4
    if not exact or np.abs(powers[:2] - halves).max() > 1e-3:
        return None
    told = [f"{np.exp(powers[2]):.4g}"] if abs(powers[2]) > 1e-4 else []
    for name, power in zip(("s", "M_B"), halves, strict=True):
        if power:
            told.append(name if power == 1 else f"{name}^{power:g}")
    return "·".join(told) or "1"
