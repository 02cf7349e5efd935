"""Review: people's code in many styles, every known mistake, the three doors, nothing raised."""

import asyncio
import pickle
import re
import subprocess
import sys
import warnings
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import review_cases
import seen

from bnnotes import batchnorm, check, network, normalizers, review
from bnnotes.pictures import gradient_checks
from bnnotes.review import call, compare, diagnose, mistakes, names
from bnnotes.review import report as report_words
from bnnotes.review.__main__ import main
from bnnotes.review.mistakes import (
    BATCH,
    FEATURES,
    IMAGES,
    LAYOUTS,
    MISTAKES,
    SAMPLES,
    Layer,
    cases,
    completed,
    derivatives,
    in_network,
    layer,
    network_values,
)


def said(report):
    return f"{report.diagnosis} | {'; '.join(report.notes)}"


@pytest.mark.parametrize("name", review_cases.CASES)
def test_code_as_people_write_it(name):
    thing, subject, options, verdict, words = review_cases.CASES[name]
    report = getattr(review, subject)(thing, **options)
    assert report.verdict == verdict, said(report)
    for word in words:
        assert word in said(report)


@pytest.mark.parametrize("n", range(2, 9))
def test_a_layer_of_any_size_is_reviewed(n):
    assert review.batchnorm_backward(review_cases.ParameterLayer(n)).ok


def test_reports_are_as_they_were_read():
    """The first of each verdict at each door, in all that is shown of it."""
    first, lines = {}, []
    for thing, subject, options, verdict, _ in review_cases.CASES.values():
        first.setdefault((subject, verdict), (thing, options))
    for (subject, _), (thing, options) in first.items():
        report = getattr(review, subject)(thing, **options)
        lines += [repr(report), report._repr_html_(), report.reproduce]
        lines += [f"{report.case}, {report.quantity}, {report.mistakes}"]
    seen.unchanged("reports", [" ".join(seen.words(line).split()) for line in lines])


def test_a_method_belongs_to_its_class():
    made = review_cases.EarlyStep
    assert names.owner(made.backward) is made and names.owner(review_cases.fc_backward) is None


# The truth.


@pytest.mark.parametrize("M_B, eps", [(2, 0.0), (3, 0.1), (32, 1e-5)])
def test_the_steps_are_the_books_backward_pass(M_B, eps):
    values = layer(M_B, M_B, eps=eps)
    x, delta = values["x"][:, 0], values["delta"][:, 0]
    exact = batchnorm.backward(delta, batchnorm.normalize(x, eps), values["gamma"])
    for found in (Layer(values), derivatives(values, {})):
        np.testing.assert_allclose(found["dx"][:, 0], exact.x, atol=1e-11)
        np.testing.assert_allclose(np.reshape(found["dgamma"], -1), exact.gamma, rtol=1e-11)
        np.testing.assert_allclose(np.reshape(found["dbeta"], -1), exact.beta, rtol=1e-11)


def test_the_differences_of_a_forward_pass_are_its_derivatives():
    way = next(iter(call.layer_ways(review_cases.AttributeLayer, LAYOUTS.values(), ("dx",))))
    values = layer(5, 5, eps=1e-5)
    found, exact = compare.numerical(way, values), Layer(values)
    for name in ("dx", "dgamma", "dbeta"):
        exact_ = compare.shaped(name, exact[name], values)
        np.testing.assert_allclose(found[name], exact_, atol=1e-8)


@pytest.mark.parametrize("batch_norm", [True, False])
def test_the_steps_of_a_network_are_the_books(batch_norm):
    values = network_values(5, 7, batch_norm, eps=0.1 * batch_norm)
    found = in_network(values, {}, batch_norm)
    given = values["network"], values["psi"], values["phi"]
    cost, gradients = network.cost_and_gradients(*given)
    np.testing.assert_allclose(found["cost"], cost, atol=1e-13)
    for l, gradient in enumerate(gradients, 1):
        for kind, exact in vars(gradient).items():
            np.testing.assert_allclose(found[f"{kind}{l}"], exact, atol=1e-13)


KINDS = {
    "layernorm": normalizers.layer_norm,
    "groupnorm": normalizers.group_norm(3),
    "instancenorm": normalizers.instance_norm,
    "rmsnorm": normalizers.rms_norm,
}


@pytest.mark.parametrize("eps", [0.0, 0.1])
@pytest.mark.parametrize("name", KINDS)
def test_the_steps_of_the_other_normalizers_are_the_books(name, eps):
    kind, one = review.DOORS[f"{name}_backward"].of(3)[-1].kind, KINDS[name]
    values = layer(5, 4, 6, n=kind.widths[0], eps=eps, kind=kind)
    x, delta = (np.moveaxis(values[k].reshape(4, 2, 3, -1), -1, 1) for k in ("x", "delta"))
    y, normalized = one.forward(x, values["gamma"], values["beta"], eps)
    exact = one.backward(delta, normalized, values["gamma"])
    for found in (Layer(values), derivatives(values, {})):
        for quantity, array in exact._asdict().items():
            made = np.squeeze(found[f"d{quantity}"])
            made = made.reshape(4, 2, 3, -1).transpose(0, 3, 1, 2) if quantity == "x" else made
            np.testing.assert_allclose(made, array, atol=1e-11)
    np.testing.assert_allclose(np.swapaxes(values["y"], 1, 2).reshape(y.shape), y, atol=1e-12)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_arrays_come_back_from_every_layout(layout):
    for case in cases(layer, layout):
        x = case.values["x"]
        np.testing.assert_array_equal(layout.take(layout.hand(x), len(x)), x)


# Every known mistake is found in ordinary code.


def in_layout(mistake, layout, kind=BATCH):
    """Return a mistake as a function of arrays in a layout."""

    def wrong(delta, x, gamma, beta, eps, running_mean, running_var):
        M = x.shape[layout.order.index(0)]
        given = {"x": layout.take(x, M), "delta": layout.take(delta, M), "kind": kind}
        more = {"running_mean": running_mean, "running_var": running_var, "eps": eps}
        more = {k: np.ravel(v) if k != "eps" else v for k, v in more.items()}
        made = mistake.layer({**given, **more, "gamma": np.ravel(gamma), "beta": np.ravel(beta)})
        dx = np.broadcast_to(made["dx"], given["x"].shape)
        n = gamma.size
        return layout.hand(dx), *(
            np.broadcast_to(np.ravel(made[k]), n) for k in ("dgamma", "dbeta")
        )

    return wrong


ONE_LAYER = [
    m
    for m in MISTAKES.values()
    if BATCH.has(m)
    and not compare.needs_dense(m)
    and not {"output", "db"} & m.steps.keys()
    and set(m.steps) != {"y"}
    and "eps_given" not in str(m.steps)  # of a pair, whose forward pass leaves its eps unused
]


@pytest.mark.parametrize("mistake", ONE_LAYER, ids=lambda m: m.name)
def test_a_known_mistake_is_named(mistake):
    layout = IMAGES if diagnose._of_images(mistake) else SAMPLES
    report = review.batchnorm_backward(in_layout(mistake, layout), layout=layout.name)
    assert not report.ok
    assert mistake.name in report.mistakes, said(report)
    assert "two mistakes" not in report.diagnosis


OTHERS = [
    (m, f"{kind}norm_backward".replace("frozennorm", "frozen_batchnorm"))
    for m in MISTAKES.values()
    for kind in m.of.split()
    if kind != "batch" and set(m.steps) != {"y"}
]


@pytest.mark.parametrize("mistake, door", OTHERS, ids=lambda v: getattr(v, "name", v))
def test_a_known_mistake_in_another_normalizer_is_named(mistake, door):
    door = review.DOORS[door]
    groups = {"groups": 3} if "group" in door.__name__ else {}
    pixels = bool({"P", "N", "over_neurons"} & set(re.findall(r"\w+", str(mistake.steps))))
    kind = door.of(3)[-1 if pixels else 0].kind
    layout = IMAGES if pixels or kind.groups else LAYOUTS[kind.layouts[0]]
    wrong = in_layout(kind.has(mistake), layout, kind)
    report = door(wrong, layout=layout.name, **groups)
    assert not report.ok
    assert mistake.name in report.mistakes, said(report)
    assert "two mistakes" not in report.diagnosis


@pytest.mark.parametrize("steps", [{"std": "sqrt(vra + eps)"}, {"sdt": "sqrt(var + eps)"}])
def test_a_row_with_an_unknown_name_fails_when_it_is_read(steps):
    with pytest.raises(ValueError, match=r"vra|sdt"):
        mistakes._checked(MISTAKES["eps left out"]._replace(steps=steps))


def test_no_two_rows_have_one_name():
    rows = [row.name for row in mistakes._read()]
    assert len(rows) == len(set(rows)) and all(row.says for row in mistakes._read())


TERMS = {
    "twice": lambda a, b, c: {2, 1 / 8} & {b, c},
    "half": lambda a, b, c: 0.5 in (b, c),
    "lacks −⟨Δ⟩": lambda a, b, c: b == 0 and c == 1,
    "lacks −x̂⟨Δ x̂⟩": lambda a, b, c: b == 1 and c == 0,
    "lacks both": lambda a, b, c: b == c == 0,
    "+⟨Δ⟩": lambda a, b, c: b == -1 and c == 1,
    "+x̂⟨Δ x̂⟩": lambda a, b, c: b == 1 and c == -1,
    "+2x̂⟨Δ x̂⟩": lambda a, b, c: c == -2,
    "are added": lambda a, b, c: b == c == -1,
    # At M_B = 8, to six places.
    "1/M_B is missing": lambda a, b, c: 8 in (b, c),
    "divided by M_B twice": lambda a, b, c: 1 / 8 in (b, c),
    "M_B is missing in front of Δ": lambda a, b, c: a == 1 / 8,
    "by M_B − 1": lambda a, b, c: b == round(8 / 7, 6),
    "M_B/(M_B − 1) times": lambda a, b, c: b == 1 and c == round(8 / 7, 6),
    "(M_B − 1)/M_B of": lambda a, b, c: c == 7 / 8,
}


def test_the_words_of_a_mistake_are_those_of_its_factors():
    """With ∂C/∂x = (γ/ς)(a Δ − b⟨Δ⟩ − c x̂⟨Δ x̂⟩): what is said of b and c, and nothing else."""
    told, values = set(), gradient_checks.batch(8)
    x_hat, delta = values["x_hat"][:, 0], values["delta"][:, 0]
    columns = np.stack([delta, 0 * x_hat - delta.mean(), -x_hat * (delta @ x_hat) / 8], axis=1)
    for name, mistake in MISTAKES.items():
        names = re.findall(r"[A-Za-z]\w*", mistake.steps.get("bracket", "another"))
        plain = len(mistake.steps) == 1 and not mistake.of
        if plain and set(names) <= {"delta", "avg", "x_hat", "total", "M_B"}:
            scale = values["gamma"] / values["std"]
            bracket = (gradient_checks.gradients(values, name).x / scale)[:, 0]
            factors = np.linalg.lstsq(columns, bracket, rcond=None)[0].round(6)
            wanted = {words for words, holds in TERMS.items() if holds(*factors)}
            assert {words for words in TERMS if words in mistake.says} == wanted, name
            told |= wanted
    assert told == TERMS.keys()


@pytest.mark.parametrize("name", ["W for Wᵀ", "g' missing", "missing x̂ term", "u for g'"])
def test_a_mistake_in_the_error_of_the_layer_below_is_named(name):
    def wrong(delta, u_prev, W, x, gamma, g_prime, eps):
        full = {"delta": delta, "u_prev": u_prev, "x": x, "g_prime": g_prime}
        full = {k: v[:, None] for k, v in full.items()}
        given = {**full, "W": W, "gamma": gamma, "beta": 0, "eps": eps}
        return MISTAKES[name].layer(given)["below"][:, 0]

    report = review.previous_error(wrong)
    assert report.mistakes == (name,), said(report)


IN_EVERY_LAYER = ("Δ of the last layer not averaged", "missing x̂ term", "γ left out")


@pytest.mark.parametrize("name", IN_EVERY_LAYER)
def test_a_mistake_in_every_layer_of_a_network_is_named(name):
    def wrong(network, psi, phi):
        values = completed(network, psi, phi)
        found = in_network(values, MISTAKES[name].steps)
        count = len(network.layers) + 1
        kinds = ("W", "gamma", "beta")
        return found["cost"], [[found[f"{k}{l}"] for k in kinds] for l in range(1, count)]

    assert review.network(wrong).mistakes == (name,)


def test_a_right_network_is_right_with_its_own_eps():
    def f(Ws, gammas, betas, psi, phi):
        layers = [network.BatchNorm(*p) for p in zip(Ws, gammas, betas, strict=True)]
        net = network.Network(layers, network.get("relu"), 3e-4)
        cost, found = network.cost_and_gradients(net, psi, phi)
        return {"loss": cost, "dW": [g.W for g in found], "dgamma": [g.gamma for g in found]}

    report = review.network(f)
    assert report.ok and any("eps = 0.0003 is built in" in note for note in report.notes), report
    more = len({row.quantity for row in report.rows}) - 1
    assert f" and {more} more to 1e-9 or better" in report.diagnosis
    assert review.network(network.cost_and_gradients, batch_norm=False).ok
    assert not review.network(lambda network, psi, phi: None).ok


@pytest.mark.parametrize("eps", [0.0, 1e-5])
@pytest.mark.parametrize("layout", ["sample-major", "feature-major"])
@pytest.mark.parametrize("name", ["tanh", "relu", "sigmoid", "identity"])
def test_a_network_as_the_source_has_it_is_reviewed(name, layout, eps):
    """With ε = 0 built in, and an activation."""
    major = np.transpose if layout == "feature-major" else np.asarray

    def f(psi, phi, Ws, gammas, betas):
        given = zip(Ws, map(np.ravel, gammas), map(np.ravel, betas), strict=True)
        net = network.Network([network.BatchNorm(*p) for p in given], network.get(name), eps)
        cost, found = network.cost_and_gradients(net, major(psi), major(phi))
        columns = [major([g.gamma]) for g in found], [major([g.beta]) for g in found]
        return cost, list(zip([g.W for g in found], *columns, strict=True))

    report = review.network(f, layout=layout)
    assert report.ok == (name != "identity"), report
    if not report.ok:
        assert "take `activation` if yours is neither tanh, relu nor sigmoid" in report.diagnosis


HELD = {
    "an array per parameter, by layer": lambda layers: [list(vars(g).values()) for g in layers],
    "a list per parameter": lambda layers: [
        [vars(g)[k] for g in layers] for k in ("W", "gamma", "beta")
    ],
    "dicts": lambda layers: [{f"d{k}": v for k, v in vars(g).items()} for g in layers],
    "a dict of lists": lambda layers: {k: [vars(g)[k] for g in layers] for k in ("W", "gamma")},
    "numbered": lambda layers: {
        f"d{k}_{l}": v for l, g in enumerate(layers) for k, v in vars(g).items()
    },
}


@pytest.mark.parametrize("held", HELD.values(), ids=HELD)
@pytest.mark.parametrize("factor", [1, 3])
def test_the_gradients_of_a_network_may_come_in_any_container(held, factor):
    def f(net, psi, phi):
        cost, gradients = network.cost_and_gradients(net, psi, phi)
        for each in gradients:
            vars(each).update({k: factor * v for k, v in vars(each).items()})
        return cost, held(gradients)

    report = review.network(f)
    assert report.ok == (factor == 1) and ("3 times" in report.diagnosis) == (factor == 3), report


def test_where_the_mistake_begins_in_a_network_is_said():
    """From the output down: the highest layer that is wrong."""

    def f(net, psi, phi):
        cost, gradients = network.cost_and_gradients(net, psi, phi)
        for each in gradients[: max(1, len(gradients) - 1)]:
            each.W = each.W**2
        return cost, gradients

    assert "coming from the output, it begins at layer 2" in review.network(f).diagnosis


SEEN = {
    "soft labels": lambda net, psi, phi: not np.isin(phi, (0, 1)).all(),
    "relu": lambda net, psi, phi: net.activation.name == "relu",
    "two layers": lambda net, psi, phi: len(net.layers) == 2,
    "M_B = 130": lambda net, psi, phi: len(psi) > 32,
    "M_B = 1": lambda net, psi, phi: len(psi) == 1,
    "one layer": lambda net, psi, phi: len(net.layers) == 1,
    "eps = 1e-05": lambda net, psi, phi: net.eps == 1e-5,
    "one output": lambda net, psi, phi: phi.shape[1] == 1,
    "identity": lambda net, psi, phi: net.activation.name == "identity",
    "γ = 0": lambda net, psi, phi: any((layer.gamma == 0).any() for layer in net.layers),
}


@pytest.mark.parametrize("kind", SEEN)
def test_a_network_that_is_wrong_in_one_kind_of_case(kind):
    def f(net, psi, phi):
        cost, gradients = network.cost_and_gradients(net, psi, phi)
        return cost * (2 if SEEN[kind](net, psi, phi) else 1), gradients

    report = review.network(f)
    assert not report.ok and "the cost is wrong" in report.diagnosis


def test_the_other_doors():
    def forward(x, gamma, beta):
        return gamma * (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-3) + beta

    def error(delta, u_prev, W, g_prime):
        return delta @ W * g_prime, delta.T @ u_prev, delta.sum(0)

    def transposed(delta, u_prev, W, x_hat, std, gamma):
        dx = gamma / std * (delta - delta.mean(0) - x_hat * (delta * x_hat).mean(0))
        assert W.shape == (u_prev.shape[1], delta.shape[1])
        return u_prev.T @ dx

    assert review.batchnorm_forward(forward).ok
    assert review.baseline_backpropagation(error).ok
    assert review.weight_gradient(transposed).ok
    wrong = review.batchnorm_forward(lambda x, gamma, beta, eps: forward(x, gamma, 0 * beta))
    assert not wrong.ok
    assert review.gamma_gradient(lambda delta, x_hat: (delta * x_hat).mean(0)).mistakes
    assert review.beta_gradient(lambda delta: tuple(map(sum, delta.T))).ok


# ε.


@pytest.mark.parametrize("eps", [1e-12, 1e-8, 2e-5, 3.7e-4, 1e-3, 0.25])
def test_any_eps_that_is_built_in_is_found(eps):
    def alone(dout, x, gamma):
        return batchnorm.backward(dout, batchnorm.normalize(x, eps), gamma)

    def forward(x, gamma, beta):
        y, normalized = batchnorm.forward(x, gamma, beta, eps)
        return y, (normalized, gamma)

    def backward(dout, cache):
        return batchnorm.backward(dout, *cache)

    pair = review.batchnorm_backward(backward, forward=forward)
    for report in (review.batchnorm_backward(alone), pair):
        assert report.ok, report
        if eps > 1e-10:
            assert f"eps = {eps:g} is built in" in said(report)


# The report.


def test_a_wrong_function_raises_and_can_be_reproduced():
    report = review.batchnorm_backward(review_cases.detached)
    with pytest.raises(review.WrongGradient, match="constants"):
        report.raise_if_wrong()
    made = {}
    exec(report.reproduce.replace("detached(", "dict("), made)
    assert made["dy"].shape == made["x"].shape and len(made["x"]) == 3  # few enough to look at
    std = np.sqrt(made["x"].var(axis=0) + made.get("eps", 0))
    x_hat = (made["x"] - made["x"].mean(axis=0)) / std
    mixed = made["dy"] - made["dy"].mean(axis=0) - x_hat * (made["dy"] * x_hat).mean(axis=0)
    should = report.reproduce.partition("∂C/∂x should be:")[2]
    printed = [float(number) for number in re.findall(r"-?\d+\.\d*", should)]
    np.testing.assert_allclose(printed, (made["gamma"] / std * mixed).ravel(), atol=6e-5)


def test_what_depends_on_the_layout_is_not_passed_in_silence():
    report = review.batchnorm_backward(review_cases.either_layout)
    assert report.diagnosis.startswith("right only if")
    with pytest.warns(UserWarning, match="feature-major"):
        report.raise_if_wrong()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        review.batchnorm_backward(review_cases.by_names).raise_if_wrong()
    other = review.batchnorm_backward(review_cases.either_layout, layout="sample-major")
    assert not other.ok and "layer normalization" in other.diagnosis
    assert review.batchnorm_backward(review_cases.either_layout, layout=FEATURES.name).ok


def test_what_depends_on_the_meaning_of_a_name_is_not_passed_in_silence():
    with pytest.warns(UserWarning, match="`x` is x̂, and not x"):
        review.batchnorm_backward(review_cases.x_in_place_of_x_hat).raise_if_wrong()
    for said, role in (("w", "gamma"), ("z", "x_hat"), ("sigma", "std"), ("p", "x_hat")):
        assert not review.names.told_otherwise(said, role)


def test_a_number_of_the_report_is_the_number():
    report = review.batchnorm_backward(lambda dout, x_hat, std, gamma: 0.02 * dout)
    row = max(report._summary(), key=lambda row: row.difference)
    shown = f"{row.exact:.4g}", f"{row.approximate:.4g}"
    assert abs(row.approximate) < 0.1 and "0" not in shown
    assert re.search(" +".join(map(re.escape, shown)), repr(report))
    assert report_words._short(1e-10) == "0"
    assert report_words._short(2e-9) == "2e-09"
    report = review.batchnorm_backward(review_cases.by_names)
    for one in report._summary():
        rows = [row for row in report.rows if row.quantity == one.quantity]
        worst = max(r.difference for r in rows if not r.case.startswith(("float32", "mean/std")))
        assert one == rows[0]._replace(case=f"all {len(rows)}", difference=worst)


@pytest.mark.parametrize(
    ("b", "c", "formula", "where"),
    [
        (0.9, 1, "Δ − 0.9·⟨Δ⟩ − x̂⟨Δ x̂⟩", "along 1, in the mean term"),
        (1, 0.9, "Δ − ⟨Δ⟩ − 0.9·x̂⟨Δ x̂⟩", "along x̂, in the x̂ term"),
    ],
)
def test_where_an_unknown_mistake_lives_is_said(b, c, formula, where):
    def wrong(delta, x_hat, std, gamma):
        mean, along = delta.mean(axis=0), (delta * x_hat).mean(axis=0)
        return gamma / std * (delta - b * mean - c * x_hat * along)

    diagnosis = review.batchnorm_backward(wrong).diagnosis
    assert f"(γ/ς)({formula}); the error lies {where}, and nowhere else" in diagnosis


def test_a_law_is_what_its_name_says():
    known = {"M_B": 7, "N": 3, "n": 5}
    for name, law in diagnose._LAWS.items():
        formula = name.partition(" (the")[0].replace("−", "-").replace("²", "**2")
        assert eval(formula, {"sqrt": np.sqrt}, known) == pytest.approx(law(known)), name


@pytest.mark.parametrize("sizes", [(3,), (3, 4, 6)])
def test_the_cases_are_counted_and_named(sizes):
    def wrong(dout, x_hat, std, gamma):
        bracket = dout - dout.mean(0) - x_hat * (dout * x_hat).mean(0)
        dx = gamma / std * bracket + (len(dout) in sizes) * x_hat**3
        return dx, (dout * x_hat).sum(0), dout.sum(0)

    report = review.batchnorm_backward(wrong)
    bad = [row.case for row in report.rows if not row.ok]
    told = re.search("wrong only in the cases ([^;]*)", report.diagnosis)[1]
    assert sorted(told.split(", ")) == sorted(", ".join(bad).split(", ")) and len(bad) == len(sizes)
    for row in report._summary():
        count = sum(one.quantity == row.quantity for one in report.rows)
        assert row.case == f"all {count}" or not row.ok


def test_how_much_a_sum_is_too_large_is_said_and_not_the_inverse():
    def uneven(dout, x_hat):
        return (dout * x_hat).sum(0) * (3.0 + np.arange(dout.shape[1]) ** 2)

    assert "it is 3 times the right one in its first entry" in said(review.gamma_gradient(uneven))


@pytest.mark.parametrize("door, axis", [("batchnorm", 0), ("layernorm", -1)])
def test_the_digits_that_squares_lose_are_decimal_ones(door, axis):
    def of_squares(dy, x, gamma, eps):
        mean = x.mean(axis, keepdims=True)
        s = np.sqrt((x * x).mean(axis, keepdims=True) - mean**2 + eps)
        z, g = (x - mean) / s, gamma * dy
        return (g - g.mean(axis, keepdims=True) - z * (g * z).mean(axis, keepdims=True)) / s

    # A mean of 1e4 σ costs a variance ⟨x²⟩ − ⟨x⟩² about eight of them.
    words = review.DOORS[f"{door}_backward"](of_squares).diagnosis
    assert 6 <= int(re.search(r"one-pass variance: .* loses (\d+) digits", words)[1]) <= 9


def test_names_and_messages_are_escaped():
    def odd(dout, x_hat):
        raise ValueError("<script>alert(1)</script>")

    odd.__name__ = "<b>odd</b>"
    shown = review.batchnorm_backward(odd)._repr_html_()
    assert "<script>" not in shown and "<b>" not in shown and "&lt;script&gt;" in shown


def test_the_report_says_what_was_taken_for_what():
    report = review.batchnorm_backward(review_cases.fc_backward)
    assert "fc_forward, which stands beside it" in said(report)
    assert "`dout`" in said(review.batchnorm_backward(review_cases.stubborn))
    assert "exact" in str(report) and "<table>" in report._repr_html_()


# Nothing is raised through.


class WithoutText(Exception):
    def __str__(self):
        raise RuntimeError("no text")


ERRORS = (SystemExit(1), GeneratorExit(), asyncio.CancelledError(), WithoutText(), KeyError("mode"))


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: type(e).__name__)
def test_nothing_that_the_code_raises_is_raised(error):
    def f(dout, x_hat):
        raise error

    class Broken:
        def forward(self, x):
            raise error

        def backward(self, dout):
            return dout

    for report in (review.batchnorm_backward(f), review.batchnorm_backward(Broken)):
        assert not report.ok and type(error).__name__ in report.diagnosis


def test_an_interrupt_is_no_mistake_of_the_code():
    def f(dout):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        review.batchnorm_backward(f)


def test_a_report_arrives_from_another_process():
    def f(dout, cache):  # what it gets of its cache is made when it asks for it
        return dout * cache["x_hat"]

    report = review.batchnorm_backward(f)
    arrived = pickle.loads(pickle.dumps(report))
    assert repr(arrived) == repr(report) and report == report and report != arrived
    np.testing.assert_array_equal(arrived.inputs["cache"]["x_hat"], report.inputs["cache"]["x_hat"])


class Proxy:
    def __getattr__(self, name):
        raise RuntimeError("it is not loaded yet")


ODD = (
    Proxy(),
    5,
    None,
    "text",
    max,
    np.sum,
    mock.Mock(),
    mock.Mock(__name__=None),
    lambda *a: a,
    int,
)


@pytest.mark.parametrize("thing", ODD, ids=range(len(ODD)))
def test_whatever_is_handed_over_is_reported(thing, capsys):
    report = review.batchnorm_backward(thing)
    assert not report.ok
    with pytest.raises(review.WrongGradient):
        report.raise_if_wrong()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("door", review.DOORS)
def test_a_case_of_a_report_can_be_had_by_its_name(door):
    """With ε built in a report leaves it out."""
    said = {row.case for row in getattr(review, door)(lambda delta, x: delta + x).rows}
    for name in said | {"M_B = 5, eps = 0.1", "M_B = 6"}:
        assert review.case(door, name)["delta"].size


def test_what_it_prints_is_not_shown(capsys):
    review.batchnorm_backward(review_cases.loud)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_random_results_are_said():
    def f(dout, x_hat, std, gamma):
        right = gamma / std * (dout - dout.mean(0) - x_hat * (dout * x_hat).mean(0))
        return right * (1 + 1e-13 * np.random.default_rng().random())

    assert "random" in review.batchnorm_backward(f).diagnosis


def test_an_option_that_is_none_is_refused():
    for options in ({"layout": "sideways"}, {"layout": 3}):
        with pytest.raises(ValueError, match="layout"):
            review.batchnorm_backward(review_cases.by_names, **options)
    with pytest.raises(ValueError, match="weights"):
        review.weight_gradient(review_cases.by_names, weights="(n, n)")
    with pytest.raises(ValueError, match="batch_norm"):
        review.network(review_cases.by_names, batch_norm=None)
    for options in ({"weights": "(n, n_prev)"}, {"groups": 2}):
        with pytest.raises(ValueError, match="does not take it"):
            review.batchnorm_backward(review_cases.by_names, **options)
    with pytest.raises(ValueError, match="groups"):
        review.groupnorm_backward(review_cases.by_names, groups=0)
    with pytest.raises(ValueError, match="groups: got 1000000, wanted at most 256"):
        review.groupnorm_backward(review_cases.by_names, groups=10**6)
    with pytest.raises(ValueError, match="subject"):
        review.case("nothing", "M_B = 3")


# The shell.


@pytest.mark.parametrize(
    "name, status", [("fc_backward", 0), ("AttributeLayer", 0), ("detached", 1), ("lonely", 2)]
)
def test_the_exit_status(name, status, capsys):
    place = f"{Path(review_cases.__file__)}:{name}"
    assert main([place]) == status
    shown = capsys.readouterr().out
    # There is no report to ask for what it takes to see a mistake.
    assert name in shown and ("should be:" in shown) == (status == 1)


def test_the_shell_says_what_is_not_there(tmp_path, capsys):
    broken, syntax, notebook = (tmp_path / name for name in ("broken.py", "s.py", "n.ipynb"))
    broken.write_text("raise SystemExit(0)\n")
    syntax.write_text("def f(:\n")
    notebook.write_text("{}")
    files = "nowhere.py", broken, syntax, notebook
    for place in (*(f"{path}:f" for path in files), f"{review_cases.__file__}:nothing"):
        assert main([place]) == 2
    said = capsys.readouterr().err
    assert "nothing" in said and f"{notebook}:f: wanted path/to/file.py:name" in said
    assert "_call_with_frames_removed" not in said  # a line of Python's own


@pytest.mark.parametrize("name", ["random", "numpy", "a name"])
def test_a_file_takes_the_place_of_no_module(name, tmp_path, monkeypatch):
    """And what a shell prints is in UTF-8, whatever its own encoding is."""
    path = tmp_path / f"{name}.py"
    path.write_text("def f(delta):\n    return delta.sum(axis=0)\n")
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    shell = [sys.executable, "-m", "bnnotes.review", f"{path}:f", "--subject", "beta_gradient"]
    done = subprocess.run(shell, capture_output=True, check=True)
    assert "diagnosis: right: ∂C/∂β" in done.stdout.decode()


def test_from_a_shell_and_without_what_it_does_not_need():
    heavy = "{'matplotlib', 'torch', 'ipywidgets'}"
    code = f"import sys, bnnotes.review; print({heavy} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


# Torch, where it is installed.


def test_torch():
    torch = pytest.importorskip("torch")

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, gamma, beta, eps=1e-5):
            s = (x.var(0, unbiased=False) + eps).sqrt()
            u = (x - x.mean(0)) / s
            ctx.save_for_backward(u, s, gamma)
            return gamma * u + beta

        @staticmethod
        def backward(ctx, grad_output):
            u, s, gamma = ctx.saved_tensors
            t = grad_output - grad_output.mean(0) - u * (grad_output * u).mean(0)
            return gamma / s * t, (grad_output * u).sum(0), grad_output.sum(0), None

    class Detached(torch.nn.Module):
        def __init__(self, n):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(n))
            self.bias = torch.nn.Parameter(torch.zeros(n))

        def forward(self, x):
            with torch.no_grad():
                mean, var = x.mean(0), x.var(0, unbiased=False)
            return self.weight * (x - mean) / torch.sqrt(var + 1e-5) + self.bias

    def of_tensors(dout, x, gamma, eps):
        s = torch.sqrt(x.var(0, unbiased=False) + eps)
        z = (x - x.mean(0)) / s
        return gamma / s * (dout - dout.mean(0) - z * (dout * z).mean(0)), (dout * z).sum(0)

    ready = torch.nn.BatchNorm1d, torch.nn.BatchNorm2d(4)
    for right in (Function, Function.apply, of_tensors, *ready):
        report = review.batchnorm_backward(right)
        assert report.verdict == "right", report
    wrong = review.batchnorm_backward(Detached)
    assert wrong.mistakes == ("statistics as constants",), wrong
    other = review.batchnorm_backward(torch.nn.LayerNorm(4))
    assert other.verdict == "own" and "layer normalization" in other.diagnosis
    for ready in (torch.nn.BatchNorm1d(4), torch.nn.BatchNorm1d(4).eval()):
        frozen = review.frozen_batchnorm_backward(ready)
        assert frozen.verdict == "right", frozen
        assert review.batchnorm_backward(ready).verdict == "right"


# Checks that are usual.


def test_a_check_against_the_own_forward_pass_is_blind_for_what_both_have():
    table = gradient_checks.caught()
    assert "square for square root, in both passes" in table.missed("own forward pass")
    assert table.missed("random Δ and γ, ε = 0.1") == []


def test_the_truth_of_a_check_is_that_of_the_complex_step():
    values = gradient_checks.batch(5, eps=0.1)

    def cost(x):
        y, _ = batchnorm.forward(x, values["gamma"], values["beta"], 0.1)
        return (values["delta"] * y).sum()

    exact = check.complex_step(cost, values["x"])
    np.testing.assert_allclose(gradient_checks.gradients(values).x, exact, atol=1e-12)
