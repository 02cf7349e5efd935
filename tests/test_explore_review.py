"""The explorers of chapter 7, driven over all of their sliders, and the table of checks."""

import re

import driving
import numpy as np
import pytest

from bnnotes import digits, network, review
from bnnotes.check import complex_step
from bnnotes.explore import review as explore
from bnnotes.explore import review_checks as checks
from bnnotes.review.mistakes import MISTAKES

FACTORIES = {"gallery": explore.gallery, "gradient_check": explore.gradient_check}
STATES = 200  # random ones, per explorer


@pytest.fixture(scope="module", params=FACTORIES)
def explorer(request):
    return FACTORIES[request.param]()


def results(name):
    """Yield explorer and values at every position of every slider, then at random ones, undrawn."""
    explorer = FACTORIES[name]()
    explorer.figure.update, explorer.figure.png = lambda result: None, lambda: b""
    for _ in driving.sweep(explorer):
        yield explorer, explorer.values
    for values in driving.random_states(explorer, STATES, np.random.default_rng(0)):
        yield explorer, values


def close(a, b, tolerance=1e-10):
    np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


# Of both explorers.


def said_well(explorer):
    said = explorer.readout
    assert said.startswith("M_B = ") and "\n" not in said
    assert not re.search(r"\b(nan|inf)\b|e-", said)
    assert explorer.name in explorer.image.tooltip and said in explorer.image.tooltip


def drawn_well(explorer):
    assert driving.cut_off(explorer) == [], explorer.values


def test_every_position_can_be_reached_and_read(explorer):
    for name, value in driving.sweep(explorer):
        assert explorer.values[name] == pytest.approx(value)
        said_well(explorer)
        drawn_well(explorer)


def test_random_positions_can_be_reached_and_read(explorer):
    for k, _ in enumerate(driving.random_states(explorer, STATES, np.random.default_rng(1))):
        said_well(explorer)
        if k % 5 == 0:
            drawn_well(explorer)


def test_every_slider_changes_the_picture(explorer):
    explorer.reset()
    for name, control in explorer.controls.items():
        pictures = set()
        for value in driving.positions(control):
            explorer.set(**{name: value})
            pictures.add(bytes(explorer.image.value))
        explorer.reset()
        # Δ = y and Δ = x̂ lack the same x̂ term, up to the unit of the picture.
        twins = 1 if name == "upstream" else 0
        assert len(pictures) >= len(driving.positions(control)) - twins, name


def test_pictures_keep_no_trace_of_earlier_ones(explorer):
    for _ in driving.random_states(explorer, 12, np.random.default_rng(3)):
        live = explorer.figure.png()
        explorer.figure.redraw_background()
        assert explorer.figure.png() == live


def test_reset_brings_back_the_start(explorer):
    explorer.reset()
    values, picture = explorer.values, explorer.image.value
    explorer.set(M_B=2)
    assert explorer.image.value != picture
    explorer.reset()
    assert explorer.values == values and explorer.image.value == picture


def test_the_batch_size_comes_first_and_starts_at_1(explorer):
    name, control = next(iter(explorer.controls.items()))
    assert name == "M_B" and control.description == "batch size M_B"
    assert driving.positions(control)[:2] == [1, 2]
    explorer.set(M_B=1)
    assert explorer.readout.startswith("M_B = 1: ")
    explorer.reset()


# The gallery.


def true_gradient(M_B, upstream, eps):
    """∂C/∂x of the output layer by the complex step, from the network itself."""
    net, data = digits.trained("ten", batch_norm=True, epochs=1), digits.load("ten")
    last = net.layers[-1]
    x = network.feed_forward(net, data.psi[:64])[0].u[:M_B] @ last.W.T
    delta = explore._values(M_B, eps, explore.UPSTREAM[upstream])["delta"]

    def cost(v):
        centered = v - v.mean(axis=0)
        y = last.gamma * centered / np.sqrt((centered**2).mean(axis=0) + eps) + last.beta
        return (delta * y).sum()

    return x[:, explore.DIGIT], complex_step(cost, x)[:, explore.DIGIT]


@pytest.mark.parametrize("upstream", explore.UPSTREAM)
@pytest.mark.parametrize("M_B, eps", [(2, 0.0), (3, 0.0), (8, 0.1), (8, 1.0)])
def test_the_true_gradient_is_the_derivative(M_B, upstream, eps):
    (shown,) = explore._residuals(M_B, "γ left out", upstream, eps).residuals
    x, exact = true_gradient(M_B, upstream, eps)
    close(shown.true, exact[np.argsort(x)], 1e-11)


def test_the_digits_error_is_that_of_the_network():
    net, data = digits.trained("ten", batch_norm=True, epochs=1), digits.load("ten")
    u = network.predict(net, data.psi[:64])
    close(explore._values(64, 0.0, "digits")["delta"], u - data.phi[:64])


def test_the_parts_make_up_the_difference():
    for explorer, values in results("gallery"):
        (shown,) = explorer.result.residuals
        if values["M_B"] == 1:
            assert len(shown.true) == 0
            continue
        parts = [shown.mean, shown.along_x_hat, shown.rest]
        size = max(1.0, np.abs(shown.wrong).max())
        close(sum(parts), shown.wrong - shown.true, 1e-12 * size)
        close([parts[0] @ parts[1], parts[0] @ parts[2], parts[1] @ parts[2]], 0, 1e-9 * size**2)
        close(np.ptp(shown.mean), 0)
        close(shown.shares.sum(), 0 if shown.off == "equal" else 1)
        if values["M_B"] == 2:
            close(shown.rest, 0, 1e-12 * size)
            if values["eps"] == 0:
                close(shown.true, 0, 1e-12)


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
    (shown,) = explore._residuals(M_B, name, "drawn", 0.0).residuals
    close(shown.shares, WHERE[name], 1e-9)


def test_ones_hide_what_lies_along_x_hat():
    for name in ("missing x̂ term", "−1/2 dropped", "γ left out"):
        result = explore._residuals(16, name, "1", 0.1)
        assert result.residuals[0].off == "equal"
        assert "this Δ shows nothing" in explore._say_residual(result)
    (shown,) = explore._residuals(16, "missing mean term", "1", 0.1).residuals
    assert shown.off == "the true one is 0"


@pytest.mark.parametrize("name", explore.IN_X)
def test_the_readout_holds_the_diagnosis(name):
    report = checks.reviewed(name).reports[name]
    assert explore.diagnosis(name) == report.diagnosis
    if name == "means over the neurons":  # right, if the arrays are feature-major
        report = review.batchnorm_backward(checks.as_reader(name), layout="sample-major")
    assert MISTAKES[name].says in report.diagnosis
    assert report.mistakes == (name,)


def test_a_group_is_one_picture_with_a_row_each():
    names = ("missing mean term", "γ left out")
    picture = explore.group(*names, M_B=8)
    assert picture.alt.count("along 1") >= 2
    assert all(name in picture.alt for name in names)
    assert "100% along 1, 0% along x̂, 0% the rest" in picture.alt


# The checks.


def test_the_differences_are_those_of_the_mistakes():
    """Two mistakes once more, from the formulas and not from the steps."""
    x, delta, gamma, _ = explore._pixels()
    for M_B, eps in ((2, 0.1), (8, 1e-5), (256, 0.1)):
        v, d = x[:M_B], delta[:M_B]
        std = np.sqrt(v.var(axis=0) + eps)
        x_hat = (v - v.mean(axis=0)) / std
        along = x_hat * (d * x_hat).mean(axis=0)
        exact = gamma / std * (d - d.mean(axis=0) - along)
        size = np.abs(d).max() * np.abs(gamma / std).max()
        expected = {
            "missing x̂ term": np.abs(gamma / std * along).max() / size,
            "γ left out": np.abs(exact - exact / gamma).max() / size,
        }
        result = explore._differences(M_B, "random", "drawn", eps, 1e-4)
        for name, value in expected.items():
            found = result.differences[checks.GALLERY.index(name)]
            assert found == pytest.approx(value, rel=1e-9)


def test_the_count_is_that_of_the_picture():
    for explorer, values in results("gradient_check"):
        result = explorer.result
        if values["M_B"] == 1:
            assert len(result.differences) == 0
            continue
        assert len(result.differences) == len(checks.GALLERY)
        caught = int((result.differences > values["tolerance"]).sum())
        assert f"catches {caught} of 22" in explorer.readout


def test_the_ends_are_the_usual_and_the_sound_check():
    usual = explore._differences(8, "ones", "1", 1e-5, 1e-4)
    assert (usual.differences > 1e-4).sum() < 10
    for M_B in (4, 8, 64):
        sound = explore._differences(M_B, "random", "drawn", 0.1, 1e-4)
        assert (sound.differences > 1e-4).all()


def test_a_large_batch_hides_bessel():
    index = checks.GALLERY.index("n − 1 everywhere")
    small, large = (
        explore._differences(M_B, "random", "drawn", 1e-5, 1e-4).differences[index]
        for M_B in (4, 256)
    )
    assert large < small / 10


@pytest.mark.parametrize("M_B", [4, 8, 64])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_table_of_checks(M_B, seed):
    table = checks.table(M_B, seed)
    assert table.missed("random Δ and γ, ε = 0.1") == []
    assert {"missing x̂ term", "γ left out", "ς for 1/ς"} <= set(table.missed("Δ = 1"))
    assert {"γ left out", "β: times γ"} <= set(table.missed("γ = 1"))
    assert {"γ left out", "ς for 1/ς"} <= set(table.missed("M_B = 2"))
    assert {"n − 1 everywhere", "eps outside the root, in both passes"} <= set(
        table.missed("own forward pass")
    )
    assert "missing mean term" not in table.missed("Δ = 1")
    html = table._repr_html_()
    assert html.count("<b>missed</b>") == sum(len(table.missed(c)) for c in checks.USUAL)
    assert all(name in repr(table) for name in table.missed("Δ = 1"))


def test_the_gallery_links_where_a_mistake_was_met():
    table = checks.reviewed("γ left out", "missing mean term")
    assert repr(table).splitlines()[0] == "γ left out → γ is left out of your ∂C/∂x"
    assert '<a href="https://github.com/denizyuret/Knet.jl/issues/288">' in table._repr_html_()


def test_training_forgives():
    assert checks.trained_accuracy(epochs=2) > 0.85
    assert checks.trained_accuracy("γ left out", epochs=2) > 0.85
    assert checks.trained_accuracy("square for square root", epochs=2) < 0.7
