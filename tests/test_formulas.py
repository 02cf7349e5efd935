"""Every formula of a layer against the complex step through a plain forward pass, to 1e-12."""

import numpy as np
import pytest
from cases import LAYERS, assert_close, layer, plain_hat

from bnnotes import baseline, batchnorm, check, geometry, propagation, sample_space


def scale_of(case):
    """|γ|/s of every neuron."""
    return np.abs(case.gamma) / np.sqrt(case.x.var(axis=0) + case.eps)


def by(name):
    """∂C/∂(x, γ or β) of a case."""
    return lambda c: check.complex_step(lambda v: c.cost(**{name: v}), getattr(c, name))


def by_W(case):
    return check.complex_step(lambda W: case.cost(x=case.u_prev @ W.T), case.W)


def by_y_prev(case):
    return check.complex_step(lambda y: case.cost(x=np.tanh(y) @ case.W.T), case.y_prev)


def along_W(case):
    """The slope of the cost where all weights of a neuron grow."""
    return check.complex_step(lambda t: case.cost(x=case.x * t), np.ones(len(case.W)))


def magnitude(case):
    return np.linalg.norm(by("x")(case) / (case.gamma / np.sqrt(variance(case))), axis=0)


def variance(case):
    return case.x.var(axis=0) + case.eps


def same_neuron(derivative, axes):
    """The part of ∂y_si/∂(…) within one neuron; that between two is 0."""
    within = np.einsum(axes, derivative)
    assert np.count_nonzero(derivative) <= within.size
    return within


def plain(f):
    """A derivative of C = Σ Δ (W g(y_prev) + b), without BN, by the argument's name."""

    def truth(case):
        given = {"W": case.W, "y_prev": case.y_prev, "beta": case.beta}

        def cost(v):
            now = {**given, f: v}
            return (case.delta * (np.tanh(now["y_prev"]) @ now["W"].T + now["beta"])).sum()

        return check.complex_step(cost, given[f])

    return truth


# What ours gives for a case and its x̂, μ and s, and what it should.
WITHOUT_BN = {
    "affine": (
        lambda c, _: baseline.affine(c.u_prev, c.W, c.beta),
        lambda c: np.einsum("ij,sj->si", c.W, c.u_prev) + c.beta,
    ),
    "S7": (lambda c, _: baseline.weight_gradient(c.delta, c.u_prev), plain("W")),
    "S8": (lambda c, _: baseline.bias_gradient(c.delta), plain("beta")),
    "S6": (lambda c, _: baseline.previous_error(c.delta, c.W, c.g_prime), plain("y_prev")),
}
FORMULAS = WITHOUT_BN | {
    "x̂": (lambda c, n: n.x_hat, lambda c: plain_hat(c.x, c.eps)),
    "μ": (lambda c, n: n.mean, lambda c: c.x.mean(axis=0)),
    "s": (lambda c, n: n.std, lambda c: np.sqrt(variance(c))),
    "y": (lambda c, _: batchnorm.forward(c.x, c.gamma, c.beta, c.eps)[0], lambda c: c.y()),
    "(3)": (
        lambda c, n: batchnorm.kernel(n, c.gamma),
        lambda c: same_neuron(check.complex_step(lambda x: c.y(x=x), c.x), "siti->sti"),
    ),
    "S18": (
        lambda c, n: batchnorm.weight_jacobian(c.u_prev, n, c.gamma),
        lambda c: same_neuron(
            check.complex_step(lambda W: c.y(x=c.u_prev @ W.T), c.W), "siij->sij"
        ),
    ),
    "∂C/∂x": (lambda c, n: batchnorm.input_error(c.delta, n, c.gamma), by("x")),
    "S12": (lambda c, _: batchnorm.beta_gradient(c.delta), by("beta")),
    "S13": (lambda c, n: batchnorm.gamma_gradient(c.delta, n), by("gamma")),
    "(1)": (lambda c, n: batchnorm.weight_gradient(c.delta, c.u_prev, n, c.gamma), by_W),
    "(2)": (
        lambda c, n: batchnorm.previous_error(c.delta, c.W, n, c.gamma, c.g_prime),
        by_y_prev,
    ),
    "(5) BN": (lambda c, n: geometry.weight_gradient(c.delta, c.u_prev, n, c.gamma), by_W),
    "(5) BL": (lambda c, _: geometry.baseline_weight_gradient(c.delta, c.u_prev), plain("W")),
    "(6)": (lambda c, n: geometry.gamma_gradient(c.delta, n), by("gamma")),
    "Corr": (
        lambda c, _: geometry.correlation(c.delta, c.x),
        lambda c: (plain_hat(c.delta) * plain_hat(c.x)).mean(axis=0),
    ),
    "v̂": (lambda c, _: geometry.standardize(c.delta), lambda c: plain_hat(c.delta)),
    "S37": (
        lambda c, n: propagation.previous_error_from_angles(c.delta, c.W, n, c.gamma, c.g_prime),
        by_y_prev,
    ),
    "S39": (lambda c, n: propagation.node_magnitude(c.delta, n), magnitude),
    "S24": (
        lambda c, n: sample_space.radial_weight_gradient(
            batchnorm.gamma_gradient(c.delta, n), c.gamma, n.std, c.eps
        ),
        along_W,
    ),
}
CASES = [pytest.param(layer(1, *w), WITHOUT_BN, id=f"M_B=1-{w}") for w in ((1, 1), (4, 3), (4, 4))]
CASES += [
    pytest.param(c, FORMULAS, id=f"M_B={len(c.x)}-{c.W.shape}-eps={c.eps}-{k}")
    for k, c in enumerate(LAYERS)
]


@pytest.mark.parametrize("case, formulas", CASES)
def test_formulas(case, formulas):
    """The scale is that of what is added up, as the truth may be 0."""
    normalized = None if len(case.x) == 1 else batchnorm.normalize(case.x, case.eps)
    scale = max(1.0, scale_of(case).max() if normalized else 0) * max(1.0, np.abs(case.delta).max())
    for name, (ours, truth) in formulas.items():
        try:
            assert_close(ours(case, normalized), truth(case), 1e-12, scale)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from None


@pytest.mark.parametrize("case", LAYERS[:6], ids=lambda c: f"eps={c.eps}")
def test_the_three_of_backward_are_those_of_their_own_functions(case):
    normalized = batchnorm.normalize(case.x, case.eps)
    all_three = batchnorm.backward(case.delta, normalized, case.gamma)
    for got, own in zip(
        all_three,
        (
            batchnorm.input_error(case.delta, normalized, case.gamma),
            batchnorm.gamma_gradient(case.delta, normalized),
            batchnorm.beta_gradient(case.delta),
        ),
        strict=True,
    ):
        np.testing.assert_array_equal(got, own)
