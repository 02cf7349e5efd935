"""One projector, many normalizers. Beyond the source.

x has the shape (M_B, n) or (M_B, n, H, W): samples, features, pixels; γ and β have one entry per
feature. A normalizer cuts the batch into parts and the features into groups. The m entries of one
part and one group share their statistics::

                   samples per part   features per group   the mean is
    batch_norm     all                1                    removed
    ghost_norm     size               1                    removed
    layer_norm     1                  all                  removed
    group_norm     1                  n/groups             removed
    instance_norm  1                  1                    removed
    rms_norm       1                  all                  kept

Pixels are never cut. On each set of entries stands the projector of `sample_space`, so

    ∂C/∂x = (1/ς) M (γ ⊙ Δ)

for all of them. γ leaves M only where a set has one feature, as in Batch Normalization.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .checked import (
    Array,
    ConstantFeature,
    NonNegative,
    Real,
    UnusableFeature,
    checked,
    count,
    numeric,
    require_variance,
    sized,
)
from .sample_space import Split, sample_mean, split


class Normalized(NamedTuple):
    """A normalized batch: what was taken out of it, and by which weights.

    `mean` and `std`, ς = sqrt(σ² + eps), have an entry per part of the batch and group of features.
    `weights` have the mean 1 on each set of entries; `centered` is 1, or 0 where the mean stays.
    """

    x_hat: Array["M_B n ..."]
    mean: Array["parts groups"]
    std: Array["parts groups > 0"]
    weights: Array["1|M_B 1|n ..."]
    centered: NonNegative


class Gradients(NamedTuple):
    """∂C/∂x, ∂C/∂γ and ∂C/∂β."""

    x: Array["M_B n ..."]
    gamma: Array["n"]
    beta: Array["n"]


class SecondGradients(NamedTuple):
    """The derivatives of F = Σ v ∂C/∂x by Δ, by x and by γ."""

    delta: Array["M_B n ..."]
    x: Array["M_B n ..."]
    gamma: Array["n"]


@dataclass(frozen=True)
class Normalizer:
    """Which entries share their statistics, and whether the mean goes.

    `samples` in a part of the batch and number of `groups` of features; None is all samples in one
    part, and a group for each feature.
    """

    name: str
    samples: int | None
    groups: int | None
    centered: bool = True

    @checked
    def forward(
        self,
        x: Array["M_B n ..."],
        gamma: Array["n"],
        beta: Array["n"],
        eps: NonNegative = 0.0,
        weights=None,
    ):
        """y = γ x̂ + β with x̂ = (x − ⟨x⟩)/ς, and the `Normalized` x̂.

        `weights`, one per sample (M_B,) or per pixel (M_B, H, W), say how much an entry counts in
        ⟨x⟩ and σ²; 0 masks it out.
        """
        cut = self.cut(x.shape)
        weights = self._mean_one(weights, x, cut)
        w = _as_columns(weights, x.shape, cut)
        mean, rest = np.zeros(cut, x.dtype).ravel(), _columns(x, cut)
        if self.centered:
            mean = sample_mean(w * rest)
            rest = rest - mean
            rest = rest - sample_mean(w * rest)  # as in `sample_space`, for a large mean
        std = np.sqrt(sample_mean(w * rest**2) + eps)
        kept = np.broadcast_to(np.not_equal(w, 0), rest.shape)
        first = np.take_along_axis(rest, kept.argmax(axis=0)[np.newaxis], axis=0)
        try:
            # What is masked out may not make a constant set look as if it varied.
            require_variance("x", np.where(kept, rest, first), mean, std, eps)
        except UnusableFeature as error:
            m = np.count_nonzero(kept[:, error.neuron])
            raise self._refusal(error, m, cut) from None
        x_hat = _entries(rest / std, x.shape, cut)
        normalized = Normalized(
            x_hat, mean.reshape(cut), std.reshape(cut), weights, float(self.centered)
        )
        return _per_feature(gamma, x) * x_hat + _per_feature(beta, x), normalized

    @checked
    def backward(
        self, delta: Array["M_B n ..."], normalized: Normalized, gamma: Array["n"]
    ) -> Gradients:
        """∂C/∂x = (1/ς) M (γ ⊙ Δ), and the sums of Δ x̂ and of Δ over all that shares γ and β."""
        at_x = _over_std(self.mix(normalized, _per_feature(gamma, delta) * delta), normalized)
        return Gradients(at_x, _sum(delta * normalized.x_hat), _sum(delta))

    @checked
    def mix(self, normalized: Normalized, v: Array["M_B n ..."]):
        """M v, as an error passes it: v − w⟨v⟩ − w x̂⟨x̂ v⟩, the weights w being 1 unless given."""
        wanted = self.cut(v.shape)
        if normalized.std.shape != wanted or normalized.centered != self.centered:
            got = "without" if not normalized.centered else "with"
            raise ValueError(
                f"normalized: got statistics of shape {normalized.std.shape}, {got} the mean "
                f"removed; wanted those of {self.name}, {wanted}"
            )
        return _mix(normalized, v)

    def cut(self, shape):
        """Return the numbers of parts and groups of an x of this shape."""
        M_B, n = shape[:2]
        samples, groups = self.samples or M_B, self.groups or n
        if M_B % samples:
            raise ValueError(f"size: got {samples}, wanted a divisor of M_B = {M_B}")
        if n % groups:
            raise ValueError(f"groups: got {groups}, wanted a divisor of n = {n}")
        return M_B // samples, groups

    def _mean_one(self, weights, x, cut):
        """Weights (M_B, 1, H, W) with mean 1 on each set, or ones (1, 1, H, W)."""
        if weights is None:
            return np.ones((1, 1, *x.shape[2:]), x.real.dtype)
        names = {1: "M_B", x.ndim - 1: "M_B ..."}
        w = numeric("weights", weights)
        w = sized(
            "weights",
            w,
            names.get(w.ndim, "M_B"),
            {"M_B": (len(x), "x"), "...": (x.shape[2:], "x")},
        )
        if w.dtype.kind == "c" or (w < 0).any():
            raise ValueError("weights: got a negative or complex entry, wanted all >= 0")
        w = np.broadcast_to(w.reshape(len(x), 1, *(w.shape[1:] or [1] * (x.ndim - 2))), x.shape)
        columns = _columns(w, cut)
        total = sample_mean(columns)
        if not total.all():
            where = self._place(int(np.flatnonzero(total == 0)[0]), cut)
            raise ValueError(f"weights: got 0 for all entries of {where}, wanted one that counts")
        return _entries(columns / total, x.shape, cut)[:, :1].astype(x.real.dtype)

    def _place(self, column, cut):
        """The set of a column in words."""
        part, group = divmod(column, cut[1])
        words = {None: "", 1: f"sample {part}"}.get(self.samples, f"part {part} of the batch")
        features = {None: f"feature {group}", 1: ""}.get(self.groups, f"group {group} of features")
        return ", ".join(filter(None, (words, features)))

    def _refusal(self, error, m, cut):
        where = self._place(error.neuron, cut)
        if not isinstance(error, ConstantFeature):
            why = f"the variance of {where} overflows; wanted smaller numbers"
        elif "underflows" in str(error):
            why = f"the variance of {where} underflows; wanted eps > 0 or larger numbers"
        elif m == 1 and self.centered:
            why = f"{self.name} has 1 entry in {where}, so the standard deviation is 0; "
            why += "wanted eps > 0 or more entries"
        else:
            which, wanted = (
                ("constant", "entries that vary") if self.centered else ("zero", "others")
            )
            why = f"{self.name} has {m} {which} entries in {where}; wanted eps > 0 or {wanted}"
        return type(error)(f"x: {why}", error.neuron)


batch_norm = Normalizer("batch_norm", samples=None, groups=None)
layer_norm = Normalizer("layer_norm", samples=1, groups=1)
instance_norm = Normalizer("instance_norm", samples=1, groups=None)
rms_norm = Normalizer("rms_norm", samples=1, groups=1, centered=False)


def ghost_norm(size):
    """Batch Normalization of each `size` samples on their own, as on devices that do not sync."""
    return Normalizer("ghost_norm", samples=count("size", size), groups=None)


def group_norm(groups):
    """The features of a sample in so many groups: 1 is `layer_norm`, n is `instance_norm`."""
    return Normalizer("group_norm", samples=1, groups=count("groups", groups))


@checked
def double_backward(
    v: Array["M_B n ..."], delta: Array["M_B n ..."], normalized: Normalized, gamma: Array["n"]
) -> SecondGradients:
    """The gradients of F = Σ v ∂C/∂x = Σ v (1/ς) M (γ ⊙ Δ), of whatever normalizer.

    By Δ, since F is linear in it: (γ/ς) ⊙ M v. By x: F depends on x̂ and on ς, and each on x.
    """
    cut, w = normalized.std.shape, _as_columns(normalized.weights, v.shape, normalized.std.shape)
    std, x_hat = normalized.std.ravel(), _columns(normalized.x_hat, cut)
    error, v = _columns(_per_feature(gamma, v) * delta, cut), _columns(v, cut)
    forth = _split(x_hat, w * v, w, normalized.centered)
    Mv = v - forth.mean - forth.along_x_hat * x_hat
    along = sample_mean(x_hat * error)
    by_x_hat = -(w * v * along + error * forth.along_x_hat) / std
    by_std = -(Mv * error).sum(axis=0) / std**2
    back = _split(x_hat, by_x_hat, w, normalized.centered).mixed / std
    by_x = back + by_std * w * x_hat / len(v)
    over_std = _entries(Mv / std, delta.shape, cut)
    return SecondGradients(
        _per_feature(gamma, delta) * over_std,
        _entries(by_x, delta.shape, cut),
        _sum(delta * over_std),
    )


@checked
def inference(
    x: Array["M_B n ..."],
    gamma: Array["n"],
    beta: Array["n"],
    mean: Array["n"],
    std: Array["n > 0"],
):
    """y = γ (x − mean)/std + β with stored statistics: no sample sees another.

    `std` holds eps already. This is also frozen Batch Normalization.
    """
    mean, std = _per_feature(mean, x), _per_feature(std, x)
    return _per_feature(gamma, x) * ((x - mean) / std) + _per_feature(beta, x)


@checked
def inference_backward(
    delta: Array["M_B n ..."],
    x: Array["M_B n ..."],
    gamma: Array["n"],
    mean: Array["n"],
    std: Array["n > 0"],
) -> Gradients:
    """∂C/∂x = (γ/std) Δ, for nothing is mixed: M = I.

    The statistics are constants here: they get no gradient.
    """
    x_hat = (x - _per_feature(mean, x)) / _per_feature(std, x)
    return Gradients(_per_feature(gamma / std, x) * delta, _sum(delta * x_hat), _sum(delta))


@checked
def fold(
    W: Array["n n_prev ..."],
    b: Array["n"],
    gamma: Array["n"],
    beta: Array["n"],
    mean: Array["n"],
    std: Array["n > 0"],
):
    """W' = (γ/std) W and b' = β + (γ/std)(b − mean): `inference` of x = W u + b in one layer.

    A row of W is a neuron or a filter (n, n_prev, height, width).
    """
    scale = gamma / std
    return scale.reshape(-1, *[1] * (W.ndim - 1)) * W, beta + scale * (b - mean)


@checked
def bfloat16(x: Real["..."]):
    """The numbers of 8 binary digits nearest to x, ties to the even one: those of bfloat16.

    Within its range, that of float32. Sums and products of two, rounded again, are those of
    bfloat16 too.
    """
    digits, exponent = np.frexp(x)
    return np.ldexp(np.round(digits * 2**8) / 2**8, exponent)


def _per_feature(v, x):
    """One entry per feature, for a product with x."""
    return v.reshape(-1, *[1] * (x.ndim - 2))


def _sum(v):
    return v.reshape(*v.shape[:2], -1).sum(axis=(0, 2))


def _columns(v, cut):
    """The entries that share their statistics below each other, a column for each set."""
    parts, groups = cut
    blocks = v.reshape(parts, len(v) // parts, groups, -1)
    return blocks.transpose(1, 3, 0, 2).reshape(-1, parts * groups)


def _entries(columns, shape, cut):
    """Each entry back in its place: the inverse of `_columns`."""
    parts, groups = cut
    blocks = columns.reshape(shape[0] // parts, -1, parts, groups)
    return blocks.transpose(2, 0, 3, 1).reshape(shape)


def _as_columns(weights, shape, cut):
    """The weights as columns, or the number 1."""
    return 1 if (weights == 1).all() else _columns(np.broadcast_to(weights, shape), cut)


def _split(x_hat, v, w, centered):
    """The split of chapter 2 on each set, or v = w⟨v⟩ + w x̂⟨x̂ v⟩ + the rest.

    With weights the second subtraction of the mean is as there; without the mean there is none.
    """
    if np.ndim(w) == 0 and centered:
        return split(x_hat, v)
    mean = centered * sample_mean(v)
    rest = v - w * mean
    rest = rest - centered * w * sample_mean(rest)
    along_x_hat = sample_mean(x_hat * rest)
    return Split(mean, along_x_hat, rest - w * along_x_hat * x_hat)


def _mix(normalized, v):
    cut = normalized.std.shape
    x_hat, w = _columns(normalized.x_hat, cut), _as_columns(normalized.weights, v.shape, cut)
    mixed = _split(x_hat, _columns(v, cut), w, normalized.centered).mixed
    return _entries(mixed, v.shape, cut)


def _over_std(v, normalized):
    cut = normalized.std.shape
    return _entries(_columns(v, cut) / normalized.std.ravel(), v.shape, cut)
