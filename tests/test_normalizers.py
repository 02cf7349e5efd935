"""Every normalizer at every shape and ε, against definitions entry by entry and torch's layers."""

import itertools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bnnotes import batchnorm, normalizers, sample_space
from bnnotes.check import complex_step
from bnnotes.checked import ConstantFeature

TOLERANCE = 1e-12
NAMES = "batch", "ghost 2", "ghost 3", "layer", "instance", "group 1", "group 2", "rms"
MEAN_KEPT = ("rms",)
SHAPES = (2, 4), (3, 4), (6, 4), (6, 2), (1, 2, 3, 2), (2, 4, 1, 3), (6, 4, 2, 2), (3, 2, 5)
EPSILONS = 0.0, 0.1


def made(name):
    kind, _, setting = name.partition(" ")
    found = getattr(normalizers, f"{kind}_norm")
    return found(int(setting)) if setting else found


def sets(name, shape):
    """A number for each entry of x; what has the same number shares its statistics."""
    s, c = np.indices(shape[:2])
    kind, _, setting = name.partition(" ")
    size = int(setting or 1)
    numbers = {
        "batch": c,
        "ghost": 1000 * (s // size) + c,
        "layer": s,
        "rms": s,
        "instance": 1000 * s + c,
        "group": 1000 * s + c // max(shape[1] // size, 1),
    }[kind]
    return np.broadcast_to(numbers.reshape(*shape[:2], *[1] * (len(shape) - 2)), shape)


def defined(name, x, gamma, beta, eps, w=None):
    """y from the definition, set by set. Complex numbers pass."""
    numbers, x_hat = sets(name, x.shape), np.empty_like(x)
    w = np.ones(x.shape) if w is None else np.broadcast_to(w, x.shape)
    for number in np.unique(numbers):
        here = numbers == number
        total = w[here].sum()
        mean = 0 if name in MEAN_KEPT else (w[here] * x[here]).sum() / total
        variance = (w[here] * (x[here] - mean) ** 2).sum() / total
        x_hat[here] = (x[here] - mean) / np.sqrt(variance + eps)
    feature = (-1, *[1] * (x.ndim - 2))
    return gamma.reshape(feature) * x_hat + beta.reshape(feature)


def fits(name, shape, eps):
    kind, _, setting = name.partition(" ")
    size = int(setting or 1)
    if (kind == "ghost" and shape[0] % size) or (kind == "group" and shape[1] % size):
        return False
    smallest = np.unique(sets(name, shape), return_counts=True)[1].min()
    return eps > 0 or name in MEAN_KEPT or smallest > 1


CASES = [case for case in itertools.product(NAMES, SHAPES, EPSILONS) if fits(*case)]
every = pytest.mark.parametrize("name, shape, eps", CASES)


def drawn(shape, seed=0):
    """x, Δ, v, γ ≠ 1 and β."""
    rng = np.random.default_rng([seed, *shape])
    x, delta, v = rng.normal(0.7, 1.5, size=(3, *shape))
    return x, delta, v, *rng.normal(1.2, 0.6, size=(2, shape[1]))


def close(got, expected, scale=1.0):
    assert got.shape == expected.shape
    assert_allclose(got, expected, rtol=0, atol=TOLERANCE * max(scale, np.abs(expected).max()))


def by_complex_step(name, x, delta, gamma, beta, eps, w=None):
    def cost(x=x, gamma=gamma, beta=beta):
        return (delta * defined(name, x, gamma + 0j * gamma, beta, eps, w)).sum()

    return (
        complex_step(lambda x: cost(x=x), x),
        complex_step(lambda g: cost(x=x + 0j, gamma=g), gamma),
        complex_step(lambda b: cost(x=x + 0j, beta=b), beta),
    )


@every
def test_forward(name, shape, eps):
    x, _, _, gamma, beta = drawn(shape)
    y, normalized = made(name).forward(x, gamma, beta, eps)
    close(y, defined(name, x, gamma, beta, eps))
    numbers = sets(name, shape)
    means = [x[numbers == k].mean() * (name not in MEAN_KEPT) for k in np.unique(numbers)]
    close(normalized.mean.ravel(), np.array(means))
    assert normalized.std.size == len(means)


@every
def test_backward(name, shape, eps):
    x, delta, _, gamma, beta = drawn(shape)
    normalizer = made(name)
    normalized = normalizer.forward(x, gamma, beta, eps)[1]
    gradients = normalizer.backward(delta, normalized, gamma)
    smallest = normalized.std.min()
    for got, expected in zip(
        gradients, by_complex_step(name, x, delta, gamma, beta, eps), strict=True
    ):
        close(got, expected, np.abs(delta).max() / smallest)


@every
def test_the_formulas_take_complex_numbers(name, shape, eps):
    """The complex step through the module itself."""
    x, delta, _, gamma, beta = drawn(shape)
    normalizer = made(name)
    gradient = complex_step(lambda x: (delta * normalizer.forward(x, gamma, beta, eps)[0]).sum(), x)
    normalized = normalizer.forward(x, gamma, beta, eps)[1]
    scale = np.abs(delta).max() / normalized.std.min()
    close(normalizer.backward(delta, normalized, gamma).x, gradient, scale)


def matrix(normalizer, normalized):
    """M of all entries of x, column by column."""
    shape = normalized.x_hat.shape
    units = np.eye(normalized.x_hat.size).reshape(-1, *shape)
    return np.array([normalizer.mix(normalized, unit).ravel() for unit in units]).T


@every
def test_the_spectrum_of_M(name, shape, eps):
    """Per set 0 on 1, ε/ς² on x̂ and 1 on the rest; the mean's 0 is missing in RMSNorm."""
    x, _, _, gamma, beta = drawn(shape)
    normalizer = made(name)
    normalized = normalizer.forward(x, gamma, beta, eps)[1]
    M = matrix(normalizer, normalized)
    close(M, M.T)
    expected = np.ones(x.size)
    sizes = np.bincount(np.unique(sets(name, shape), return_inverse=True)[1].ravel())
    expected[: normalized.std.size] = eps / normalized.std.ravel() ** 2
    if normalized.centered:
        # A set of one entry has x̂ = 0, and the mean alone.
        ones = sizes == 1
        start = normalized.std.size
        expected[start : start + (~ones).sum()] = 0
        expected[:start][ones] = 0
    close(np.linalg.eigvalsh(M), np.sort(expected))


@every
def test_double_backward(name, shape, eps):
    x, delta, v, gamma, beta = drawn(shape)
    normalizer = made(name)

    def F(x=x, delta=delta, gamma=gamma):
        normalized = normalizer.forward(x, gamma + 0 * x.sum(), beta + 0 * x.sum(), eps)[1]
        return (v * normalizer.backward(delta, normalized, gamma).x).sum()

    normalized = normalizer.forward(x, gamma, beta, eps)[1]
    got = normalizers.double_backward(v, delta, normalized, gamma)
    scale = max(1, np.abs(v).max() * np.abs(delta).max() / normalized.std.min() ** 2)
    close(got.delta, complex_step(lambda d: F(delta=d), delta), scale)
    close(got.x, complex_step(lambda x: F(x=x), x), scale)
    close(got.gamma, complex_step(lambda g: F(gamma=g), gamma), scale)


def test_batch_norm_is_that_of_chapter_2():
    x, delta, _, gamma, beta = drawn((6, 4))
    y, normalized = normalizers.batch_norm.forward(x, gamma, beta, 0.1)
    y_2, normalized_2 = batchnorm.forward(x, gamma, beta, 0.1)
    close(y, y_2)
    for mine, other in zip(
        normalizers.batch_norm.backward(delta, normalized, gamma),
        batchnorm.backward(delta, normalized_2, gamma),
        strict=True,
    ):
        close(mine, other)
    v = np.random.default_rng(1).normal(size=(6, 4))
    close(normalizers.batch_norm.mix(normalized, v), sample_space.mix(normalized_2.x_hat, v))


@pytest.mark.parametrize("name", ["batch", "ghost 2", "instance", "layer"])
def test_large_means_cost_no_digits(name):
    x, delta, _, gamma, beta = drawn((6, 4, 2, 3))
    # Integers, so that the sum with a large one is exact.
    x = np.round(x * 64)
    normalizer = made(name)
    plain, moved = (normalizer.forward(v, gamma, beta)[1] for v in (x, x + 2.0**40))
    close(moved.x_hat, plain.x_hat)
    near, far = (normalizer.backward(d, plain, gamma).x for d in (delta, delta + 2.0**20))
    if name != "layer":  # there γ is in M, and a common shift does not vanish
        assert np.abs(near - far).max() < 1e-9


# Weights.


MASKS = {"samples": (6,), "pixels": (6, 2, 2)}


def weighted(kind, name, eps):
    x, delta, v, gamma, beta = drawn((6, 4, 2, 2))
    w = np.random.default_rng(2).uniform(0.2, 2.0, size=MASKS[kind])
    w.ravel()[::3] = 0
    if kind == "samples" and name != "batch":
        w += 0.1
    return x, delta, v, gamma, beta, w, w.reshape(6, 1, *(w.shape[1:] or (1, 1)))


@pytest.mark.parametrize("kind", MASKS)
@pytest.mark.parametrize("name", ["batch", "ghost 2", "group 2", "rms"])
@pytest.mark.parametrize("eps", EPSILONS)
def test_weights(kind, name, eps):
    x, delta, v, gamma, beta, w, entry = weighted(kind, name, eps)
    normalizer = made(name)
    y, normalized = normalizer.forward(x, gamma, beta, eps, w)
    close(y, defined(name, x, gamma, beta, eps, entry))
    got = normalizer.backward(delta, normalized, gamma)
    for mine, expected in zip(
        got, by_complex_step(name, x, delta, gamma, beta, eps, entry), strict=True
    ):
        close(mine, expected, 10)
    second = normalizers.double_backward(v, delta, normalized, gamma)

    def F(x=x, delta=delta):
        return (
            v * normalizer.backward(delta, normalizer.forward(x, gamma, beta, eps, w)[1], gamma).x
        ).sum()

    close(second.x, complex_step(lambda x: F(x=x), x), 100)
    close(second.delta, complex_step(lambda d: F(delta=d), delta), 100)


def test_a_mask_of_ones_and_zeros_leaves_out_the_padded_rows():
    x, delta, _, gamma, beta = drawn((6, 4))
    w = np.array([1, 1, 0, 1, 1, 0])
    kept = w == 1
    delta[~kept] = 0
    normalized = normalizers.batch_norm.forward(x, gamma, beta, 0.1, w)[1]
    alone = normalizers.batch_norm.forward(x[kept], gamma, beta, 0.1)[1]
    got = normalizers.batch_norm.backward(delta, normalized, gamma)
    expected = normalizers.batch_norm.backward(delta[kept], alone, gamma)
    close(got.x[kept], expected.x)
    assert not got.x[~kept].any()
    close(got.gamma, expected.gamma)


def test_a_padded_row_with_an_error_gets_and_gives_gradient():
    x, delta, _, gamma, beta = drawn((6, 4))
    w = np.array([1, 1, 0, 1, 1, 0])
    normalized = normalizers.batch_norm.forward(x, gamma, beta, 0.0, w)[1]
    silent = delta * w[:, np.newaxis]
    with_error, without = (
        normalizers.batch_norm.backward(d, normalized, gamma).x for d in (delta, silent)
    )
    assert (np.abs(with_error[w == 0]) > 1e-3).any()
    assert (np.abs(with_error - without)[w == 1] > 1e-3).any()


# Inference.


@pytest.mark.parametrize("shape", SHAPES)
def test_inference(shape):
    x, delta, _, gamma, beta = drawn(shape)
    rng = np.random.default_rng(3)
    mean, std = rng.normal(size=shape[1]), rng.uniform(0.5, 2, shape[1])
    y = normalizers.inference(x, gamma, beta, mean, std)
    for c in range(shape[1]):
        close(y[:, c], gamma[c] * (x[:, c] - mean[c]) / std[c] + beta[c])
    got = normalizers.inference_backward(delta, x, gamma, mean, std)
    given = {"x": x, "gamma": gamma, "beta": beta}
    for name, mine in zip(given, got, strict=True):

        def cost(value, name=name):
            return (
                delta * normalizers.inference(**(given | {name: value}), mean=mean, std=std)
            ).sum()

        close(mine, complex_step(cost, given[name]))


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 2, 2)])
def test_fold(shape):
    rng = np.random.default_rng(4)
    W, u = rng.normal(size=shape), rng.normal(size=(5, *shape[1:]))
    b, gamma, beta, mean = rng.normal(size=(4, 4))
    std = rng.uniform(0.5, 2, 4)

    def layer(W, b):
        return u.reshape(5, -1) @ W.reshape(4, -1).T + b

    folded = normalizers.fold(W, b, gamma, beta, mean, std)
    close(layer(*folded), normalizers.inference(layer(W, b), gamma, beta, mean, std))


# Torch's own layers.


def of_torch(name, functional, x, gamma, beta, eps):
    kind, _, setting = name.partition(" ")
    feature = (-1, *[1] * (x.ndim - 2))
    if kind == "batch":
        return functional.batch_norm(x, None, None, gamma, beta, training=True, eps=eps)
    if kind == "group":
        return functional.group_norm(x, int(setting), gamma, beta, eps)
    if kind == "instance":
        return functional.instance_norm(x, weight=gamma, bias=beta, eps=eps)
    whole = {"layer": functional.layer_norm, "rms": functional.rms_norm}[kind]
    x_hat = whole(x, tuple(x.shape[1:]), eps=eps)
    return gamma.reshape(feature) * x_hat + beta.reshape(feature)


@pytest.mark.parametrize("name", ["batch", "layer", "instance", "group 1", "group 2", "rms"])
@pytest.mark.parametrize("shape", [(6, 4), (6, 4, 2, 3), (2, 4, 3, 3)])
@pytest.mark.parametrize("eps", [1e-300, 1e-5, 0.1])
def test_torch(name, shape, eps):
    torch = pytest.importorskip("torch")
    if name == "instance" and len(shape) == 2:
        pytest.skip("torch takes n for pixels there")
    x, delta, v, gamma, beta = drawn(shape)
    leaves = [torch.tensor(a, requires_grad=True) for a in (x, gamma, beta, delta)]
    y = of_torch(name, torch.nn.functional, *leaves[:3], eps)
    first = torch.autograd.grad(y, leaves[:3], leaves[3], create_graph=True)
    by = [leaves[3], leaves[0], leaves[1]]
    second = torch.autograd.grad((first[0] * torch.tensor(v)).sum(), by)
    normalizer = made(name)
    ours, normalized = normalizer.forward(x, gamma, beta, eps if eps > 1e-299 else 0.0)
    close(ours, y.detach().numpy())
    for mine, theirs in zip(normalizer.backward(delta, normalized, gamma), first, strict=True):
        close(mine, theirs.detach().numpy())
    mine = normalizers.double_backward(v, delta, normalized, gamma)
    for one, theirs in zip(mine, second, strict=True):
        close(one, theirs.numpy(), 100)


# What is refused.


def refusal(call, *args, **kwargs):
    with pytest.raises(ValueError) as caught:
        call(*args, **kwargs)
    assert re.match(r"[\w.]+: .*wanted ", str(caught.value))
    return str(caught.value)


@pytest.mark.parametrize(
    "name, shape, says",
    [
        ("ghost 4", (6, 4), "size: got 4, wanted a divisor of M_B = 6"),
        ("group 3", (6, 4), "groups: got 3, wanted a divisor of n = 4"),
        (
            "batch",
            (1, 4),
            "x: batch_norm has 1 entry in feature 0, so the standard deviation is 0; ",
        ),
        ("ghost 1", (2, 4), "x: ghost_norm has 1 entry in sample 0, feature 0, "),
        ("instance", (6, 4), "x: instance_norm has 1 entry in sample 0, feature 0, so"),
        ("layer", (6, 1), "x: layer_norm has 1 entry in sample 0, so"),
    ],
)
def test_what_has_no_statistics_is_refused(name, shape, says):
    x, _, _, gamma, beta = drawn(shape)
    assert refusal(made(name).forward, x, gamma, beta).startswith(says)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e8])
@pytest.mark.parametrize("name", ["batch", "ghost 3", "layer", "instance", "group 2"])
def test_constant_sets_are_refused(name, value):
    x, _, _, gamma, beta = drawn((6, 4, 2, 3))
    numbers = sets(name, x.shape)
    last = numbers.max()
    x[numbers == last] = value
    where = {
        "batch": "36 constant entries in feature 3",
        "ghost 3": "18 constant entries in part 1 of the batch, feature 3",
        "layer": "24 constant entries in sample 5",
        "instance": "6 constant entries in sample 5, feature 3",
        "group 2": "12 constant entries in sample 5, group 1 of features",
    }[name]
    says = refusal(made(name).forward, x, gamma, beta)
    normalizer = name.partition(" ")[0] + "_norm"
    assert says == f"x: {normalizer} has {where}; wanted eps > 0 or entries that vary"
    normalized = made(name).forward(x, gamma, beta, 1e-5)[1]
    assert np.abs(normalized.x_hat[numbers == last]).max() < 1e-3


def test_rms_norm_takes_a_constant_sample_but_not_zeros():
    x, _, _, gamma, beta = drawn((3, 4))
    x[1] = 5.0
    assert (normalizers.rms_norm.forward(x, gamma, beta)[1].x_hat[1] == 1).all()
    x[1] = 0.0
    says = refusal(normalizers.rms_norm.forward, x, gamma, beta)
    assert says == "x: rms_norm has 4 zero entries in sample 1; wanted eps > 0 or others"


@pytest.mark.parametrize("padding", [0.0, 0.3, 1.9, -1e8])
@pytest.mark.parametrize("value", [0.3, 1 / 3, 1e8 + 0.1])
def test_what_is_masked_out_does_not_hide_a_constant_set(value, padding):
    """The residue of rounding is no variance."""
    x, w = np.array([[value]] * 6 + [[padding]]), [1] * 6 + [0]
    says = refusal(normalizers.batch_norm.forward, x, [2.0], [0.0], 0.0, w)
    assert says.startswith("x: batch_norm has 6 constant entries in feature 0")
    one_left = refusal(normalizers.batch_norm.forward, x, [2.0], [0.0], 0.0, [0] * 6 + [1])
    assert one_left.startswith("x: batch_norm has 1 entry in feature 0")


def test_a_variance_that_underflows_is_called_so():
    x = 1e-170 * drawn((6, 4))[0]
    for normalizer in (normalizers.batch_norm, normalizers.rms_norm):
        says = refusal(normalizer.forward, x, np.ones(4), np.zeros(4))
        assert "underflows; wanted eps > 0 or larger numbers" in says


def test_float32_stays_float32():
    x, delta, v, gamma, beta = (a.astype(np.float32) for a in drawn((6, 4)))
    y, normalized = normalizers.batch_norm.forward(x, gamma, beta, 0.0, np.arange(6.0))
    gradients = normalizers.batch_norm.backward(delta, normalized, gamma)
    second = normalizers.double_backward(v, delta, normalized, gamma)
    assert {a.dtype for a in (y, *normalized[:4], *gradients, *second)} == {np.dtype(np.float32)}


@pytest.mark.parametrize("setting", [0, -1, 2.0, True, None, "2"])
def test_wrong_settings(setting):
    for make, name in ((normalizers.ghost_norm, "size"), (normalizers.group_norm, "groups")):
        assert refusal(make, setting).startswith(f"{name}: got ")


def test_wrong_arrays():
    x, delta, _, gamma, beta = drawn((6, 4, 2, 2))
    forward, backward = normalizers.batch_norm.forward, normalizers.batch_norm.backward
    normalized = forward(x, gamma, beta)[1]
    assert "gamma: got shape (3,), wanted (n,) with n = 4" in refusal(forward, x, gamma[:3], beta)
    assert refusal(forward, x[0, 0, 0], gamma, beta).startswith("x: got shape (2,), wanted (M_B, n")
    assert refusal(forward, x, gamma, beta, -1).startswith("eps: got -1, wanted ")
    assert refusal(forward, x * np.nan, gamma, beta).startswith("x: got nan at index")
    says = refusal(backward, delta[..., :1], normalized, gamma)
    assert says == (
        "normalized.x_hat: got shape (6, 4, 2, 2), wanted (M_B, n, ...) "
        "with (2, 1) for ..., as in delta"
    )
    assert "wanted a Normalized" in refusal(backward, delta, None, gamma)
    with pytest.raises(ConstantFeature):
        forward(0 * x, gamma, beta)
    assert "overflows" in refusal(forward, 1e300 * x, gamma, beta)
    says = refusal(normalizers.inference, x, gamma, beta, beta, 0 * beta)
    assert says.startswith("std: ")
    says = refusal(normalizers.layer_norm.backward, delta, normalized, gamma)
    assert says.startswith("normalized: got statistics of shape (1, 4), with the mean removed")
    of_rms = normalizers.rms_norm.forward(x, gamma, beta)[1]
    says = refusal(normalizers.layer_norm.mix, of_rms, delta)
    assert "without the mean removed; wanted those of layer_norm, (6, 1)" in says


@pytest.mark.parametrize(
    "weights, says",
    [
        ([1, 1], "weights: got shape (2,), wanted (M_B,) with M_B = 6 on axis 0, as in x"),
        (np.ones((6, 3, 2)), "weights: got shape (6, 3, 2), wanted (M_B, ...) with (2, 2) for ..."),
        (-np.ones(6), "weights: got a negative or complex entry, wanted all >= 0"),
        (1j * np.ones(6), "weights: got a negative or complex entry, wanted all >= 0"),
        (np.zeros(6), "weights: got 0 for all entries of feature 0, wanted one that "),
        ([[1], [1, 2]], "weights: got rows of different lengths, wanted an array"),
        ([1, 0, 0, 0, 0, 0], None),
    ],
)
def test_wrong_weights(weights, says):
    x, _, _, gamma, beta = drawn((6, 4, 2, 2))
    if says is None:  # one sample of four pixels has a variance, one of one pixel none
        normalizers.batch_norm.forward(x, gamma, beta, weights=weights)
        says, x = "x: batch_norm has ", x[:, :, 0, 0]
    assert refusal(normalizers.batch_norm.forward, x, gamma, beta, 0.0, weights).startswith(says)


def test_bfloat16_is_the_upper_half_of_float32():
    upper = np.random.default_rng(0).integers(2**8, 2**15 - 2**8, 1000, dtype=np.uint32) << 16
    for lower in (0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF):
        up = lower + (upper >> 16 & 1) > 0x8000  # a tie goes to the even one
        nearest = (upper + (up.astype(np.uint32) << 16)).view(np.float32)
        x = (upper + np.uint32(lower)).view(np.float32)
        np.testing.assert_array_equal(normalizers.bfloat16(-x), -nearest)


# Several devices.


def test_chapter_8_on_four_processes():
    """Its two functions, with MPI's allreduce for `sum` and shards of 3, 5, 8 and 16 samples."""
    pytest.importorskip("mpi4py")
    launcher = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if launcher is None:
        pytest.skip("there is no mpiexec")
    script = Path(__file__).with_name("mpi_devices.py")
    ran = subprocess.run(
        [launcher, "-n", "4", sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    all_ranks, alone = map(float, ran.stdout.split())
    assert all_ranks < TOLERANCE and alone > 0.1
