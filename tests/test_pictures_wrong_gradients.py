"""What the explorers of chapter 7 show, and the usual checks."""

import itertools
import re

import numpy as np
import pytest

from bnnotes import digits, network, review
from bnnotes.check import complex_step
from bnnotes.pictures import gradient_checks as checks
from bnnotes.pictures import wrong_gradients as pictures
from bnnotes.review.mistakes import MISTAKES


def close(a, b, tolerance=1e-10):
    np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


def true_gradient(M_B, eps, delta):
    """x and ∂C/∂x of the output for the digit 6 by the complex step, from the network itself."""
    net, data = digits.trained("ten", batch_norm=True, epochs=1), digits.load("ten")
    last = net.layers[-1]
    x = network.feed_forward(net, data.psi[:64])[0].u[:M_B] @ last.W[6]

    def cost(v):
        centered = v - v.mean()
        return (delta * last.gamma[6] * centered / np.sqrt((centered**2).mean() + eps)).sum()

    return x, complex_step(cost, x)


def check_gallery(result, values):
    M_B, name, upstream, eps = values.values()
    assert (result.name, result.M_B) == (name, M_B)
    if M_B == 1:
        assert len(result.true) == len(result.wrong) == result.parts.size == 0
        return
    delta = pictures.layer_of_digits(M_B, eps, upstream)["delta"][:, 6]
    x, exact = true_gradient(M_B, eps, delta)
    close(result.true, exact[np.argsort(x)])
    size = max(1.0, np.abs(result.wrong).max())
    along_1, along_x_hat, rest = result.parts / size
    close(along_1 + along_x_hat + rest, (result.wrong - result.true) / size, 1e-12)
    close([along_1 @ along_x_hat, along_1 @ rest, along_x_hat @ rest], 0)
    close(np.ptp(along_1), 0)
    close(result.shares.sum(), 0 if result.off == "equal" else 1)
    if M_B == 2:
        close(rest, 0, 1e-12)


def test_the_error_of_the_digits_is_that_of_the_network():
    net, data = digits.trained("ten", batch_norm=True, epochs=1), digits.load("ten")
    u = network.predict(net, data.psi[:64])
    close(pictures.layer_of_digits(64, 0.0, "of the digits")["delta"], u - data.phi[:64])


WHERE = {
    "missing mean term": (1, 0, 0),
    "missing x̂ term": (0, 1, 0),
    "−1/2 dropped": (0, 1, 0),
    "n − 1 in the variance's gradient only": (0, 1, 0),
    "∂σ²/∂μ counted as non-zero": (1, 0, 0),
    "γ left out": (0, 0, 1),
    "ς for 1/ς": (0, 0, 1),
}


@pytest.mark.parametrize("name", WHERE)
@pytest.mark.parametrize("M_B", [4, 16, 64])
def test_each_mistake_lies_where_the_chapter_says(name, M_B):
    values = pictures.layer_of_digits(M_B, 0.0, "drawn")
    close(pictures.residual(values, name).shares, WHERE[name], 1e-9)


def test_ones_hide_what_lies_along_x_hat():
    gallery = pictures.Gallery()
    for name in ("missing x̂ term", "−1/2 dropped", "γ left out"):
        gallery.set(M_B=16, mistake=name, upstream="1", eps=0.1)
        assert "both 0, so this Δ shows nothing" in gallery.readout
        # Rounding is no curve.
        assert np.abs(gallery._row.true[0].get_ydata()[1::3]).max() < 1e-9
    gallery.set(mistake="missing mean term")
    assert gallery.result.off == "the true one is 0"


@pytest.mark.parametrize("name", pictures.IN_X)
def test_the_readout_holds_the_diagnosis(name):
    report = checks.reviewed(name).reports[name]
    assert pictures.diagnosis(name) == report.diagnosis
    if name == "means over the neurons":  # right, if the arrays are feature-major
        report = review.batchnorm_backward(checks.as_reader(name), layout="sample-major")
    assert MISTAKES[name].says in report.diagnosis
    assert report.mistakes == (name,)


def test_mistakes_below_each_other_are_one_picture_with_a_row_each():
    picture = pictures.below_each_other("missing mean term", "γ left out", M_B=8)
    assert "missing mean term: off by" in picture.alt and "γ left out: off by" in picture.alt
    assert "100% along 1, 0% along x̂, 0% the rest" in picture.alt


@pytest.mark.parametrize(("group", "M_B"), [*zip(checks.GALLERY, itertools.cycle([2, 3]))])
def test_a_group_shows_each_mistake_and_what_review_says(group, M_B, capsys):
    picture, names = pictures.group(group, M_B), checks.GALLERY[group]
    said = capsys.readouterr().out if group != "wrong sums" else f"{picture!r}\n"
    assert said == f"{checks.reviewed(*names)!r}\n"
    for name, report in checks.reviewed(*names).reports.items():
        assert report.mistakes == (name,)
        assert group == "wrong sums" or name in picture.alt


def check_gradient_check(result, values):
    """Two mistakes once more, from the formulas and not from the steps."""
    M_B, upstream, gamma, eps, tolerance = values.values()
    assert (result.M_B, result.tolerance) == (M_B, tolerance)
    if M_B == 1:
        assert len(result.differences) == 0
        return
    assert len(result.differences) == len(checks.CHECKED) == 20
    x, drawn, of_gamma, beta = pictures.pixels()
    scale = np.ones(4) if gamma == "1" else of_gamma
    v = x[:M_B]
    std = np.sqrt(v.var(axis=0) + eps)
    x_hat = (v - v.mean(axis=0)) / std
    delta = {"ones": np.ones_like(v), "y": scale * x_hat + beta, "random": drawn[:M_B]}[upstream]
    along = x_hat * (delta * x_hat).mean(axis=0)
    exact = scale / std * (delta - delta.mean(axis=0) - along)
    size = np.abs(delta).max() * np.abs(scale / std).max()
    expected = {
        "missing x̂ term": np.abs(scale / std * along).max() / size,
        "γ left out": np.abs(exact - exact / scale).max() / size,
    }
    for name, value in expected.items():
        assert abs(result.differences[checks.CHECKED.index(name)] - value) < 1e-12


def test_a_check_is_what_its_name_says():
    for title, usual in checks.USUAL.items():
        told = dict(re.findall(r"(M_B =|tolerance|ε =|Δ =|γ =) ([\w.]+)", title))
        if title != "random Δ and γ, ε = 0.1":
            assert usual.tolerance == float(told.get("tolerance", 1e-4))
        assert usual.M_B == (int(told["M_B ="]) if "M_B =" in told else None)
        assert usual.upstream == {"1": "ones", "y": "y"}.get(told.get("Δ ="), "random")
        assert usual.gamma == ("ones" if told.get("γ =") == "1" else "random")
        if "ε =" in told:
            assert usual.eps == float(told["ε ="])
    caught = checks.Caught({"one": dict.fromkeys(checks.USUAL, True) | {"Δ = 1": False}})
    page = caught._repr_html_()
    assert (page.count(">caught<"), page.count("<b>missed</b>")) == (len(checks.USUAL) - 1, 1)
    assert "Δ = 1: misses one" in repr(caught) and "γ = 1: misses none" in repr(caught)


def test_the_ends_are_the_usual_and_the_sound_check():
    check = pictures.GradientCheck()
    assert check.readout == "M_B = 8: this check catches 7 of 20 mistakes and misses 13"
    for M_B in (4, 8, 64):
        check.set(M_B=M_B, upstream="random", gamma="drawn", eps=0.1)
        assert check.readout.endswith("catches 20 of 20 mistakes and misses 0")


def test_a_large_batch_hides_bessel():
    index = checks.CHECKED.index("n − 1 in the variance")
    small, large = (pictures.differences(M_B, "random", "drawn", 1e-5)[index] for M_B in (4, 256))
    assert large < small / 10


@pytest.mark.parametrize("M_B", [4, 8, 64])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_what_the_usual_checks_catch(M_B, seed):
    caught = checks.caught(M_B, seed)
    assert caught.missed("random Δ and γ, ε = 0.1") == []
    assert {"missing x̂ term", "γ left out", "ς for 1/ς"} <= set(caught.missed("Δ = 1"))
    assert {"γ left out", "β: times γ"} <= set(caught.missed("γ = 1"))
    assert {"γ left out", "ς for 1/ς"} <= set(caught.missed("M_B = 2"))
    assert {"square for square root, in both passes", "inference mode"} <= set(
        caught.missed("own forward pass")
    )
    assert len(caught.missed("Δ = 1")) > len(caught.caught) / 2
    assert "missing mean term" not in caught.missed("Δ = 1")
    html = caught._repr_html_()
    assert html.count("<b>missed</b>") == sum(len(caught.missed(c)) for c in checks.USUAL)
    assert all(name in repr(caught) for name in caught.missed("Δ = 1"))


def test_the_gallery_links_where_a_mistake_was_met():
    reviewed = checks.reviewed("γ left out", "missing mean term")
    assert repr(reviewed).splitlines()[0] == "γ left out → γ is left out of your ∂C/∂x"
    page = reviewed._repr_html_()
    assert '<a href="https://github.com/denizyuret/Knet.jl/issues/288">' in page
    assert "<code>scale = 1 / std</code>" in page


def test_training_without_a_mistake_is_that_of_the_module():
    data, rng = digits.load("ten"), np.random.default_rng(1)
    net = network.create([64, 32, 10], batch_norm=True, activation="relu", rng=rng)
    options = {"learning_rate": 0.3, "batch_size": 32, "epochs": 5, "rng": rng}
    network.train(net, data.psi, data.phi, **options)
    right = digits.accuracy(network.predict(net, data.psi_test), data.phi_test)
    assert checks.trained(seed=1).accuracy == pytest.approx(right, abs=1e-3)


@pytest.mark.parametrize(("kind", "h"), [(np.float64, 6e-6), (np.float32, 5e-3)])
def test_a_step_near_the_cube_root_of_the_rounding_is_best(kind, h):
    best = checks.quotient_error(kind, h)
    assert all(checks.quotient_error(kind, h * far) > 10 * best for far in (100, 1 / 100))
    assert best < (1e-9 if kind is np.float64 else 1e-4)


def test_training_forgives_and_not_what_is_least_off():
    right, forgiven, not_forgiven = (
        checks.trained(name, epochs=3) for name in (None, "−1/2 dropped", "means over the neurons")
    )
    assert right.accuracy > forgiven.accuracy > 0.85 > not_forgiven.accuracy
    assert right.off == 0 < not_forgiven.off < forgiven.off
    with pytest.raises(ValueError, match="name: got 'inference mode', whose stored statistics"):
        checks.trained("inference mode")


CHECKS = {"Gallery": check_gallery, "GradientCheck": check_gradient_check}
