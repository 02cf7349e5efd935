"""How many digits a right function keeps when the mean is large beside the standard deviation."""

from __future__ import annotations

import numpy as np

from ..sample_space import center, sample_mean
from .cases import Case, single, with_eps


def findings(trial):
    """Return what there is to say of the digits that a right function loses.

    Subtracting a mean costs as many digits as mean/std has. What loses twice
    as many has subtracted squares.

    Parameters
    ----------
    trial : Trial

    Returns
    -------
    list of str
    """
    if not hasattr(trial.subject, "large_means"):
        return []
    unit = float(np.finfo(np.float32 if trial.single else np.float64).eps)
    small, large = (1e1, 1e2) if trial.single else (1e2, 1e4)
    where = f"at mean/std = {large:.0e}".replace("+0", "")
    more, by_variance = _typical(trial, large)
    if more <= 300 * unit * large:
        return []
    if not np.isfinite(more):
        return [f"correct, but gives nan {where}"]
    less, _ = _typical(trial, small)
    squared = np.log10(more / max(less, unit)) > 1.5 * np.log10(large / small)
    lost = f"correct, but loses {np.log10(more / unit):.0f} digits {where}"
    if squared and by_variance:
        return [f"one-pass variance: {lost}"]
    if squared and "u_prev" in trial.binding.roles.values():
        return [f"{lost}, as when u is not centered"]
    return [lost]


def _typical(trial, ratio):
    """Return the median over batches of the largest error, and whether the variance made it."""
    errors, by_variance = [], []
    for values in trial.subject.large_means(ratio):
        case = trial.subject.adapt(Case("", "plain", values), trial.convention)
        values = with_eps(case, 0.1).values if trial.refuses_zero else case.values
        truth, scales = trial.subject.truth(values), trial.subject.scales(values)
        found = trial.call(single(values) if trial.single else values).found
        off = [_off(q, found[q] - truth[q], values, scales) for q in found]
        errors.append(max(off, default=np.nan))
        by_variance.append(_by_variance(values, found, truth))
    return float(np.median(errors)), sum(by_variance) > len(by_variance) / 2


def _off(quantity, error, values, scales):
    """Return the largest error, in ∂C/∂x and y relative to the size of its own neuron."""
    gamma, delta = np.abs(values["gamma"]), np.abs(values["delta"]).max(axis=0)
    own = {
        "x": gamma / values["std"] * delta,
        "y": gamma * np.abs(values["x_hat"]).max(axis=0) + np.abs(values["beta"]),
    }
    return (np.abs(error).max(axis=0) / own.get(quantity, scales[quantity])).max()


def _by_variance(values, found, truth):
    """Say whether a wrong variance explains an error.

    If s is off by the factor 1 + e, then x̂ is by 1 − e, and to first order
    the error of y is −e γ x̂, that of ∂C/∂x −e (γ/s)[Δ − ⟨Δ⟩ − 3 x̂⟨Δ x̂⟩].
    """
    delta, x_hat = values["delta"], values["x_hat"]
    along = x_hat * sample_mean(delta * x_hat)
    directions = {"y": x_hat, "x": center(delta) - 3 * along}
    for quantity, direction in directions.items():
        if quantity in found:
            error = found[quantity] - truth[quantity]
            part = (error * direction).sum(axis=0) / (direction * direction).sum(axis=0)
            return np.linalg.norm(error - part * direction) < 0.1 * np.linalg.norm(error)
    return False
