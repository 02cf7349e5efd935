"""What the explorers and pictures of chapter 8 show."""

import numpy as np
import pytest

from bnnotes import digits
from bnnotes.check import complex_step
from bnnotes.pictures import normalizers as pictures

MEAN_KEPT = ("rms_norm",)


def who(values, shape):
    """The entries that share with the first, from the definition of each normalizer."""
    M_B, n = shape[:2]
    s, c = np.indices((M_B, n))
    groups = values["groups"]
    together = {
        "batch_norm": c == 0,
        "ghost_norm": (c == 0) & (s < max(M_B // groups, 1)),
        "layer_norm": s == 0,
        "rms_norm": s == 0,
        "instance_norm": (s == 0) & (c == 0),
        "group_norm": (s == 0) & (c < n // groups),
    }[values["name"]]
    return np.broadcast_to(together[..., np.newaxis], shape)


def check_groups(result, values):
    x, name = result.x, values["name"]
    assert x.shape == (values["M_B"], 4, 1 if values["pixels"] == "1" else 4)
    wanted = who(values, x.shape)
    if result.together is None:
        size = max(values["M_B"] // values["groups"], 1)
        indivisible = name == "ghost_norm" and values["M_B"] % size
        alone = wanted.sum() == 1 and values["eps"] == 0 and name not in MEAN_KEPT
        assert indivisible or alone
        return
    assert (result.together == wanted).all()

    def moved(v):
        centered = v - (0 if name in MEAN_KEPT else v.mean())
        return centered / np.sqrt((centered**2).mean() + values["eps"])

    column = complex_step(moved, x[wanted])[:, 0]
    centered = x[wanted] - (0 if name in MEAN_KEPT else x[wanted].mean())
    std = np.sqrt((centered**2).mean() + values["eps"])
    assert np.abs(result.column[wanted] - std * column).max() < 1e-12
    assert not result.column[~wanted].any()
    trace = complex_step(moved, x[wanted]).trace() * std
    assert result.eigenvalues.sum() == pytest.approx(trace, abs=1e-12)


def check_devices(result, values):
    M_B, sizes = values["M_B"], result.sizes
    assert sum(sizes) == M_B and min(sizes) >= 1 and len(sizes) <= values["ranks"]
    local = values["sums"] == pictures.LOCAL
    if result.matrix is None:
        assert M_B == 1 or (local and min(sizes) == 1)
        return
    x, delta, gamma = (v[:M_B] for v in pictures.at_the_output())
    ends = np.cumsum(sizes) if local else [M_B]

    def cost(x):
        total = 0
        for part, error in zip(np.split(x, ends[:-1]), np.split(delta, ends[:-1]), strict=True):
            centered = part - part.mean()
            total += (gamma * error * centered / np.sqrt((centered**2).mean())).sum()
        return total

    scale = gamma.item() / np.min([part.std() for part in np.split(x, ends[:-1])])
    assert np.abs(result.here - complex_step(cost, x)[:, 0]).max() < 1e-12 * max(1, abs(scale))
    if not local:
        assert (result.here == result.exact).all()
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        assert not result.matrix[start:end, end:].any()


CHECKS = {"Groups": check_groups, "Devices": check_devices}


def test_who_is_dead_at_which_size():
    groups = pictures.Groups()
    dead = {}
    for name in pictures.NAMES:
        groups.set(name=name, M_B=2, pixels="1")
        dead[name] = groups.result.why or groups.result.kept
    assert dead["batch_norm"] == 0 and "so ∂C/∂x is 0" in groups.compute.__self__.say(
        groups.compute(M_B=2, name="batch_norm", eps=0.0, groups=2, pixels="1")
    )
    assert dead["layer_norm"] == 4 and dead["rms_norm"] == 6 and dead["group_norm"] == 0
    assert "1 entry" in dead["instance_norm"] and "1 entry" in dead["ghost_norm"]
    groups.set(name="batch_norm", M_B=1, pixels="2 × 2")
    assert groups.result.kept == 8


def test_the_filters_are_the_products_with_patches():
    image = digits.load("ten").psi[0].reshape(8, 8)
    filters = np.random.default_rng(0).normal(size=(4, 4, 4))
    for f, r, c in np.ndindex(4, 2, 2):
        patch = image[4 * r : 4 * r + 4, 4 * c : 4 * c + 4]
        assert pictures.filtered()[0, f, r, c] == pytest.approx((filters[f] * patch).sum())


def test_local_sums_are_off_and_global_ones_are_not():
    devices = pictures.Devices()
    devices.set(M_B=24, ranks=4, sums=pictures.LOCAL)
    assert "off by" in devices.readout
    devices.set(sums=pictures.GLOBAL)
    assert devices.readout.endswith("is that of one device")
    for M_B, alone in ((1, "The batch has one sample"), (4, "A rank has one sample")):
        devices.set(M_B=M_B, sums=pictures.LOCAL)
        assert alone in devices.readout
    assert [pictures.shard_sizes(M_B, 3, True) for M_B in (12, 1)] == [(2, 4, 6), (1,)]


def test_the_page_for_the_wall_is_written_as_pdf(tmp_path):
    path = tmp_path / "wall.pdf"
    pictures.wall_sheet().savefig(path)
    assert path.read_bytes().startswith(b"%PDF")
    assert "devices" in pictures.wall().alt
