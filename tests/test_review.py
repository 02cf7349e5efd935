"""Right functions pass, known mistakes are named, unknown ones are not, none is raised."""

import itertools
import re
import warnings
from collections import namedtuple
from types import SimpleNamespace

import numpy as np
import pytest

from bnnotes import baseline, batchnorm, check, network, review
from bnnotes.review import cases, diagnosis, known, names, patterns, steps, subjects, whole

MISTAKES = known.MISTAKES
ONE_LAYER = {"x", "gamma", "beta"}
# The same numbers by two ways: the power −1/2 puts s² into the x̂ term, and so does x − μ for x̂.
TWINS = {"power −1/2 for −3/2", "x − μ for x̂"}


def mean(v):
    return v.mean(axis=0)


# Right functions, in many styles.


def staged(dout, x, gamma, beta, eps):
    """Node by node, each with its own local derivative."""
    N = len(x)
    mu = x.sum(axis=0) / N
    xmu = x - mu
    var = (xmu**2).sum(axis=0) / N
    sqrtvar = np.sqrt(var + eps)
    ivar = 1 / sqrtvar
    xhat = xmu * ivar
    dbeta = dout.sum(axis=0)
    dgamma = (dout * xhat).sum(axis=0)
    dxhat = dout * gamma
    divar = (dxhat * xmu).sum(axis=0)
    dxmu = dxhat * ivar
    dsqrtvar = -divar / sqrtvar**2
    dvar = 0.5 * dsqrtvar / sqrtvar
    dxmu = dxmu + 2 * xmu * dvar / N
    dx = dxmu - dxmu.sum(axis=0) / N
    return dx, dgamma, dbeta


def closed(delta, x_hat, std, gamma):
    dx = gamma / std * (delta - mean(delta) - x_hat * mean(delta * x_hat))
    return dx, (delta * x_hat).sum(axis=0), delta.sum(axis=0)


def projector(grad_output, input, weight, eps=1e-5):
    M_B, n = input.shape
    dx = np.empty_like(input)
    for i in range(n):
        x = input[:, i]
        s = np.sqrt(x.var() + eps)
        x_hat = (x - x.mean()) / s
        M = np.eye(M_B) - (np.ones((M_B, M_B)) + np.outer(x_hat, x_hat)) / M_B
        dx[:, i] = weight[i] / s * M @ grad_output[:, i]
    return dx


def paper(dL_dy, x, mu, var, gamma, epsilon):
    """The formulas as the paper of 2015 has them."""
    m = x.shape[0]
    dxhat = dL_dy * gamma
    dvar = (dxhat * (x - mu)).sum(0) * -0.5 * (var + epsilon) ** -1.5
    dmu = (dxhat * -1 / np.sqrt(var + epsilon)).sum(0) + dvar * (-2 * (x - mu)).sum(0) / m
    return dxhat / np.sqrt(var + epsilon) + dvar * 2 * (x - mu) / m + dmu / m


def feature_major(dZ_tilde, Z, gamma, beta, epsilon):
    m = Z.shape[1]
    mu = Z.mean(axis=1, keepdims=True)
    s = np.sqrt(Z.var(axis=1, keepdims=True) + epsilon)
    norm, dnorm = (Z - mu) / s, dZ_tilde * gamma
    sums = dnorm.sum(axis=1, keepdims=True), (dnorm * norm).sum(axis=1, keepdims=True)
    dZ = (m * dnorm - sums[0] - norm * sums[1]) / (m * s)
    dgamma = (dZ_tilde * norm).sum(axis=1, keepdims=True)
    return {"dZ": dZ, "dgamma": dgamma, "dbeta": dZ_tilde.sum(axis=1, keepdims=True)}


def images(dout, x, gamma, beta, eps=1e-5):
    axes, C = (0, 2, 3), x.shape[1]
    s = np.sqrt(x.var(axis=axes, keepdims=True) + eps)
    x_hat = (x - x.mean(axis=axes, keepdims=True)) / s
    mixed = dout - dout.mean(axis=axes, keepdims=True)
    mixed -= x_hat * (dout * x_hat).mean(axis=axes, keepdims=True)
    dx = gamma.reshape(1, C, 1, 1) / s * mixed
    return dx, (dout * x_hat).sum(axis=axes), dout.sum(axis=axes)


def from_tuple(dout, cache):
    xhat, gamma, _, ivar, _, _, _ = cache
    dxhat = dout * gamma
    dx = ivar * (dxhat - dxhat.mean(0) - xhat * (dxhat * xhat).mean(0))
    return dx, (dout * xhat).sum(0), dout.sum(0)


def from_dict(dout, cache):
    x_norm, std, gamma = cache["x_norm"], np.sqrt(cache["var"] + cache["eps"]), cache.get("gamma")
    return closed(dout, x_norm, std, gamma)


def from_ctx(ctx, grad_output):
    x_hat, gamma, inv_std = ctx.saved_tensors
    dx = gamma * inv_std * (grad_output - mean(grad_output) - x_hat * mean(grad_output * x_hat))
    return dx, (grad_output * x_hat).sum(0), grad_output.sum(0), None


def built_in_eps(dout, x, gamma):
    return staged(dout, x, gamma, None, 1e-5)


def no_eps(dout, x, gamma):
    return staged(dout, x, gamma, None, 0.0)


def no_zero(dout, x, gamma, eps):
    if not eps > 0:
        raise ValueError("eps must be positive")
    return staged(dout, x, gamma, None, eps)


def std_without_eps(delta, x_hat, std, gamma, eps):
    return closed(delta, x_hat, np.sqrt(std**2 + eps), gamma)


def normalized_is_x_hat(delta, normalized, std, gamma):
    return closed(delta, normalized, std, gamma)


def in_another_order(delta, x_hat, std, gamma):
    Gradients = namedtuple("Gradients", "beta_grad gamma_grad x_grad")
    return Gradients(*closed(delta, x_hat, std, gamma)[::-1])


def greek(Δ, x̂, σ, γ):
    return closed(Δ, x̂, σ, γ)[0]


def single_precision(delta, x, gamma, eps):
    return staged(*(a.astype(np.float32) for a in (delta, x, gamma)), None, np.float32(eps))


def by_autograd(delta, x, gamma, beta, eps):
    import autograd.numpy as anp
    from autograd import grad

    def cost(x, gamma, beta):
        centered = x - anp.mean(x, axis=0)
        y = gamma * centered / anp.sqrt(anp.mean(centered**2, axis=0) + eps) + beta
        return anp.sum(delta * y)

    return tuple(grad(cost, k)(x, gamma, beta) for k in range(3))


RIGHT = [
    batchnorm.backward,
    batchnorm.input_error,
    by_autograd,
    built_in_eps,
    closed,
    feature_major,
    from_ctx,
    from_dict,
    from_tuple,
    greek,
    images,
    in_another_order,
    no_eps,
    no_zero,
    normalized_is_x_hat,
    paper,
    projector,
    single_precision,
    staged,
    std_without_eps,
]


@pytest.mark.parametrize("f", RIGHT, ids=lambda f: f.__name__)
def test_right_functions_pass(f):
    report = review.batchnorm_backward(f)
    assert report.ok, str(report)
    assert report.diagnosis.startswith("right")
    assert report.mistakes == ()
    report.raise_if_wrong()


def test_what_was_found_out_is_said():
    def notes(f):
        return " · ".join(review.batchnorm_backward(f).notes)

    assert "dout = delta, x, gamma, beta, eps; sample-major (M_B, n)" in notes(staged)
    assert "feature-major (n, M_B)" in notes(feature_major)
    assert "images (N, n, H, W)" in notes(images)
    assert "eps = 1e-05 built in" in notes(built_in_eps)
    assert "takes no eps" in notes(no_eps)
    assert "refuses eps = 0" in notes(no_zero)
    assert "its std is sqrt(var)" in notes(std_without_eps)
    assert "computes in float32" in notes(single_precision)
    assert "not reviewed: ∂C/∂γ, ∂C/∂β" in notes(projector)


def test_the_layout_can_be_said():
    assert review.batchnorm_backward(feature_major, layout="feature-major").ok
    assert not review.batchnorm_backward(feature_major, layout="sample-major").ok
    with pytest.raises(ValueError, match="layout: got 'rows', wanted 'sample-major'"):
        review.batchnorm_backward(closed, layout="rows")


def test_feature_major_with_flat_vectors():
    """γ of shape (n, 1) would give ∂C/∂x three axes, and right γ and β gradients beside it."""

    def f(dy, x, gamma, beta, eps):
        mean, var = x.mean(1, keepdims=True), x.var(1, keepdims=True)
        std = np.sqrt(var + eps)
        x_hat = (x - mean) / std
        along = (dy * x_hat).mean(1, keepdims=True)
        dx = gamma[:, None] / std * (dy - dy.mean(1, keepdims=True) - x_hat * along)
        return dx, (dy * x_hat).sum(1), dy.sum(1)

    assert review.batchnorm_backward(f).ok


def test_a_function_of_one_axis_is_feature_major_unless_it_is_said_otherwise():
    def over_the_neurons(delta, x_hat, std, gamma):
        means = [v.mean(axis=1, keepdims=True) for v in (delta, delta * x_hat)]
        return gamma / std * (delta - means[0] - x_hat * means[1])

    report = review.batchnorm_backward(over_the_neurons)
    assert report.ok
    assert "if your arrays are sample-major" in str(report)
    report = review.batchnorm_backward(over_the_neurons, layout="sample-major")
    assert not report.ok
    assert report.mistakes == ("means over the neurons",)


# Known mistakes, each by its own function, under several calling conventions.


def one_layer(mistake):
    """Whether the mistake can be made in the backward pass of one layer."""
    return mistake in subjects.BATCHNORM_BACKWARD.mistakes


def with_mistake(mistake, delta, x, gamma, beta, eps, **more):
    values = {**cases.layer(x, gamma, beta, eps, delta), **more}
    return steps.evaluate(values, mistake.steps, ("x", "gamma", "beta"))


def tuple_style(mistake):
    def f(delta, x, gamma, beta, eps, running_mean, running_var):
        found = with_mistake(
            mistake,
            *(delta, x, gamma, beta, eps),
            running_mean=running_mean,
            running_var=running_var,
        )
        return found["x"], found["gamma"], found["beta"]

    return f


def dict_style(mistake):
    g = tuple_style(mistake)

    def f(grad_output, input, weight, bias, eps, moving_mean, moving_var):
        found = g(grad_output, input, weight, bias, eps, moving_mean, moving_var)
        return dict(zip(("grad_input", "grad_weight", "grad_bias"), found, strict=True))

    return f


def feature_style(mistake):
    g = tuple_style(mistake)

    def f(dy, x, gamma, beta, epsilon, running_mean, running_var):
        flat = (v.ravel() for v in (running_mean, running_var))
        dx, dgamma, dbeta = g(dy.T, x.T, gamma.ravel(), beta.ravel(), epsilon, *flat)
        return dx.T, dgamma[:, np.newaxis], dbeta[:, np.newaxis]

    return f


def cache_style(mistake):
    g = tuple_style(mistake)

    def f(dout, cache):
        x, gamma, beta, eps, running_mean, running_var = cache
        return SimpleNamespace(
            **dict(
                zip(
                    ("dx", "dgamma", "dbeta"),
                    g(dout, x, gamma, beta, eps, running_mean, running_var),
                    strict=True,
                )
            )
        )

    return f


STYLES = (tuple_style, dict_style, feature_style, cache_style)


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.__name__)
@pytest.mark.parametrize("name", [name for name, m in MISTAKES.items() if one_layer(m)])
def test_known_mistakes_are_named(name, style):
    report = review.batchnorm_backward(style(MISTAKES[name]))
    assert not report.ok
    if "over the neurons" in MISTAKES[name].says and style is feature_style:
        # Such a function runs over the samples' axis of a sample-major array: judged as that one.
        assert report.mistakes != () or "no known mistake" in report.diagnosis
        return
    if name in TWINS:
        assert set(report.mistakes) == TWINS
        assert "These give the same numbers" in report.diagnosis
    else:
        assert report.mistakes == (name,)
        assert MISTAKES[name].says in report.diagnosis


def test_there_are_many():
    assert sum(one_layer(mistake) for mistake in MISTAKES.values()) >= 60


def test_the_right_steps_are_the_book():
    for case in subjects.PREVIOUS_ERROR.cases:
        if case.kind not in ("float32", "large mean"):
            truth, scales = (s(case.values) for s in SCALED)
            found = steps.evaluate(case.values, {}, ("x", "gamma", "beta", "W", "previous_error"))
            for quantity, array in found.items():
                assert np.abs(array - truth[quantity]).max() < 1e-13 * scales[quantity]


SCALED = (subjects.PREVIOUS_ERROR.truth, subjects.PREVIOUS_ERROR.scales)


@pytest.mark.parametrize("eps", [0.0, 0.1])
def test_the_truth_is_the_derivative(eps):
    values = cases.normalization(1, 5, eps=eps)

    def y(x):
        return batchnorm.forward.bare(x, values["gamma"], values["beta"], eps)[0]

    exact = check.complex_step(lambda x: (values["delta"] * y(x)).sum(), values["x"])
    found = subjects.BATCHNORM_BACKWARD.truth(values)["x"]
    np.testing.assert_allclose(found, exact, atol=1e-12)


def test_no_case_hides_a_mistake():
    """In every case with M_B > 2 every mistake shows, and no two of them look alike."""
    subject = subjects.BATCHNORM_BACKWARD
    plain = [c for c in subject.cases if c.kind == "eps" and c.values["M_B"] > 2]
    assert len(plain) == 2
    for case in plain:
        truth, scales = subject.truth(case.values), subject.scales(case.values)
        found = {}
        for mistake in subject.mistakes:
            gradients = subject.evaluate(case.values, mistake.steps)
            off = max(np.abs(gradients[q] - truth[q]).max() / scales[q] for q in gradients)
            assert off > 1e-4, (mistake.name, case.name)
            found[mistake.name] = np.concatenate([np.ravel(v) for v in gradients.values()])
        for one, other in itertools.combinations(found, 2):
            same = np.allclose(found[one], found[other], rtol=1e-5, atol=1e-5)
            assert same == ({one, other} == TWINS), (one, other)


def test_the_usual_check_hides_what_the_cases_show():
    # With ones for Δ the missing x̂ term does not show; the cases have no such Δ.
    values = cases.normalization(0, 5)
    hidden = steps.evaluate(
        {**values, "delta": np.ones_like(values["delta"])},
        MISTAKES["missing x̂ term"].steps,
        ("x",),
    )
    assert np.abs(hidden["x"]).max() < 1e-14
    for case in subjects.BATCHNORM_BACKWARD.cases:
        delta, gamma = case.values["delta"], case.values["gamma"]
        assert (delta.std(axis=0) > 0.01).all()
        assert (np.abs(np.abs(gamma) - 1) > 0.01).all()


# Mistakes as people write them.


def detached(dout, x, gamma, eps):
    return gamma / np.sqrt(x.var(axis=0) + eps) * dout


def torch_default_var(dout, x, gamma, eps):
    s = np.sqrt(x.var(axis=0, ddof=1) + eps)
    x_hat = (x - mean(x)) / s
    return gamma / s * (dout - mean(dout) - x_hat * mean(dout * x_hat)), (dout * x_hat).sum(axis=0)


def consistent_bessel(dout, x, gamma, eps):
    """What autograd makes of x.var(0), which divides by n − 1 in PyTorch."""
    s = np.sqrt(x.var(axis=0, ddof=1) + eps)
    x_hat = (x - mean(x)) / s
    return gamma / s * (dout - mean(dout) - x_hat * (dout * x_hat).sum(axis=0) / (len(x) - 1))


def eps_outside(dout, x, gamma, eps):
    s = x.std(axis=0) + eps
    x_hat = (x - mean(x)) / s
    return closed(dout, x_hat, s, gamma)


def eps_only_forward(dout, x_hat, var, gamma, eps):
    return gamma / np.sqrt(var) * (dout - mean(dout) - x_hat * mean(dout * x_hat))


def knet(dy, x, gamma, eps):
    """Δ where γΔ belongs, as in Knet.jl #288."""
    ivar = 1 / np.sqrt(x.var(axis=0) + eps)
    x_mu = x - mean(x)
    dsigma2 = -0.5 * (dy * ivar * x_mu * ivar**2).sum(axis=0)
    dmu = -(dy * ivar).sum(axis=0)
    dx = dy * ivar + dsigma2 * 2 * x_mu / len(x) + dmu / len(x)
    return dx, (x_mu * dy * ivar).sum(axis=0), dy.sum(axis=0)


def staged_without_half(dout, x, gamma, eps):
    mu, var = mean(x), x.var(axis=0)
    dx_hat = dout * gamma
    dvar = -(dx_hat * (x - mu)).sum(axis=0) * (var + eps) ** -1.5
    dmu = -(dx_hat / np.sqrt(var + eps)).sum(axis=0)
    return dx_hat / np.sqrt(var + eps) + dvar * 2 * (x - mu) / len(x) + dmu / len(x)


def staged_with_sum(dout, x, gamma, eps):
    """∂σ²/∂μ with x where x − μ belongs."""
    mu, var = mean(x), x.var(axis=0)
    dx_hat = dout * gamma
    dvar = -0.5 * (dx_hat * (x - mu)).sum(axis=0) * (var + eps) ** -1.5
    dmu = -(dx_hat / np.sqrt(var + eps)).sum(axis=0) + dvar * -2 * mean(x)
    return dx_hat / np.sqrt(var + eps) + dvar * 2 * (x - mu) / len(x) + dmu / len(x)


def stax(dout, x, gamma, eps):
    """The derivative of jax #442, (x − μ)/(σ² + ε)²."""
    v, centered = x.var(axis=0) + eps, x - mean(x)
    inner = dout - mean(dout) - 4 * centered * mean(dout * centered) / v
    return gamma / v**2 * inner


def mean_parameters(delta, x_hat, std, gamma):
    return closed(delta, x_hat, std, gamma)[0], mean(delta * x_hat), mean(delta)


def built_in_and_wrong(dout, x, gamma):
    return detached(dout, x, gamma, 1e-5)


def extra_eps(delta, x_hat, std, gamma):
    return closed(delta, x_hat, std + 1e-5, gamma)[0]


def two_at_once(delta, x_hat, std, gamma):
    return (delta - mean(delta)) / std


def one_each(delta, x_hat, std, gamma):
    return gamma / std * (delta - mean(delta)), mean(delta * x_hat), delta.sum(axis=0)


def images_over_batch(dout, x, gamma, beta, eps):
    """The statistics forget the pixels' axes in one mean."""
    axes = (0, 2, 3)
    s = np.sqrt(x.var(axis=axes, keepdims=True) + eps)
    return gamma.reshape(1, -1, 1, 1) / s * (dout - dout.mean(axis=axes, keepdims=True))


WRITTEN = [
    (detached, ("statistics as constants",)),
    (torch_default_var, ("n − 1 in the variance",)),
    (consistent_bessel, ("n − 1 everywhere",)),
    (eps_outside, ("eps outside the root",)),
    (eps_only_forward, ("eps missing in the backward pass",)),
    (knet, ("γ left out",)),
    (staged_without_half, ("1/2 dropped",)),
    (staged_with_sum, ("∂σ²/∂μ counted as non-zero",)),
    (stax, ("square for square root, in both passes",)),
    (mean_parameters, ("γ and β: means for sums",)),
    (built_in_and_wrong, ("statistics as constants",)),
    (extra_eps, ("eps added to s",)),
    (two_at_once, ("missing x̂ term", "γ left out")),
    (one_each, ("missing x̂ term", "γ: mean for sum")),
    (images_over_batch, ("missing x̂ term",)),
]


@pytest.mark.parametrize("f, expected", WRITTEN, ids=lambda v: getattr(v, "__name__", ""))
def test_mistakes_as_people_write_them(f, expected):
    report = review.batchnorm_backward(f)
    assert not report.ok
    assert set(report.mistakes) == set(expected), str(report)


# Mistakes that are not known.


def nine_tenths(delta, x_hat, std, gamma):
    dx = closed(delta, x_hat, std, gamma)[0]
    return dx * np.where(np.arange(len(gamma)) == 2, 0.9, 1.0)


def noise(delta, x_hat, std, gamma):
    return closed(delta, x_hat, std, gamma)[0] + 0.01 * np.sin(1e4 * x_hat)


def squashed(delta, x_hat, std, gamma):
    return np.tanh(closed(delta, x_hat, std, gamma)[0])


def last_sample_lost(delta, x_hat, std, gamma):
    dx = closed(delta, x_hat, std, gamma)[0]
    dx[-1] = 0
    return dx


def clipped(delta, x_hat, std, gamma):
    return np.clip(closed(delta, x_hat, std, gamma)[0], -0.5, 0.5)


def seven_tenths_of_the_mean(delta, x_hat, std, gamma):
    return gamma / std * (delta - 0.7 * mean(delta) - x_hat * mean(delta * x_hat))


def another_power(delta, x_hat, std, gamma):
    return gamma / std * (delta - mean(delta) - x_hat * mean(delta * x_hat) / std)


def only_at_three(delta, x_hat, std, gamma):
    return closed(delta, x_hat, std, gamma)[0] * (1.5 if len(delta) == 3 else 1.0)


def only_with_eps(delta, x_hat, std, gamma, eps):
    return closed(delta, x_hat, std, gamma)[0] + eps * np.cos(delta)


def median_for_mean(delta, x_hat, std, gamma):
    return gamma / std * (delta - np.median(delta, axis=0) - x_hat * mean(delta * x_hat))


def along_x_hat(delta, x_hat, std, gamma):
    return closed(delta, x_hat, std, gamma)[0] + gamma / std * x_hat * np.sin(delta.sum(axis=0))


def rough_difference(delta, x, gamma, beta, eps):
    h, dx = 1e-3, np.empty_like(x)

    def cost(x):
        return (delta * gamma * (x - mean(x)) / np.sqrt(x.var(axis=0) + eps)).sum()

    for k in np.ndindex(x.shape):
        shift = np.zeros_like(x)
        shift[k] = h
        dx[k] = (cost(x + shift) - cost(x - shift)) / (2 * h)
    return dx


def faint(delta, x_hat, std, gamma):
    """So near that a mistake too small to matter would explain it as well."""
    return closed(delta, x_hat, std, gamma)[0] * (1 + 3e-8 * np.sin(1e3 * delta))


UNKNOWN = {
    faint: ["agrees to 8 digits and no further"],
    nine_tenths: ["in neuron 2 only", "0.9 times what it should be"],
    noise: ["along 1, along x̂ and in the rest"],
    squashed: ["along 1, along x̂ and in the rest"],
    last_sample_lost: ["in the last sample only"],
    clipped: ["no known mistake"],
    seven_tenths_of_the_mean: ["it is (γ/s)(Δ − 0.7·⟨Δ⟩ − x̂⟨Δ x̂⟩)"],
    another_power: ["s^-1·x̂⟨Δ x̂⟩"],
    only_at_three: ["only at M_B = 3", "1.5 times what it should be"],
    only_with_eps: ["only with eps > 0"],
    median_for_mean: ["Δ − b·⟨Δ⟩ − x̂⟨Δ x̂⟩) where b is not always the same"],
    along_x_hat: ["Δ − ⟨Δ⟩ − c·x̂⟨Δ x̂⟩) where c is not always the same"],
    rough_difference: ["digits and no further"],
}


@pytest.mark.parametrize("f", UNKNOWN, ids=lambda f: f.__name__)
def test_unknown_mistakes_are_not_named(f):
    report = review.batchnorm_backward(f)
    assert not report.ok
    assert report.mistakes == (), str(report)
    assert "no known mistake explains your ∂C/∂x" in report.diagnosis
    for text in UNKNOWN[f]:
        assert text in report.diagnosis


PATTERNS = {
    "has the wrong sign": lambda dx, M_B: -dx,
    "is 0.5 times what it should be": lambda dx, M_B: dx / 2,
    "is M_B times what it should be": lambda dx, M_B: dx * M_B,
    "is 1/M_B times what it should be": lambda dx, M_B: dx / M_B,
    "is M_B/(M_B − 1) times what it should be": lambda dx, M_B: dx * M_B / (M_B - 1),
    "is −M_B times what it should be": lambda dx, M_B: -dx * M_B,
    "is zero": lambda dx, M_B: 0 * dx,
    "samples in reverse order": lambda dx, M_B: dx[::-1],
    "samples in another order": lambda dx, M_B: np.roll(dx, 1, axis=0),
    "neurons in reverse order": lambda dx, M_B: dx[:, ::-1],
    "neurons in another order": lambda dx, M_B: dx[:, [1, 0, 2, 3]],
}


@pytest.mark.parametrize("said", PATTERNS)
def test_patterns_are_told(said):
    def f(delta, x_hat, std, gamma):
        return PATTERNS[said](closed(delta, x_hat, std, gamma)[0], len(delta))

    report = review.batchnorm_backward(f)
    assert not report.ok
    assert report.mistakes == ()
    assert said in report.diagnosis


def test_a_result_of_the_wrong_shape_spares_the_others():
    def f(delta, x_hat, std, gamma):
        dx, _, dbeta = closed(delta, x_hat, std, gamma)
        return dx, (delta * x_hat).sum(axis=1), dbeta

    report = review.batchnorm_backward(f)
    assert report.diagnosis == "∂C/∂γ has the shape (5,), wanted (4,)"
    assert {row.quantity: row.ok for row in report.rows} == {"∂C/∂x": True, "∂C/∂β": True}


class OwnCache:
    """A layer that keeps what its forward pass made; not run here."""

    def backward(self, dout):
        mixed = dout - mean(dout) - self.x_norm * mean(dout * self.x_norm)
        return self.gamma * self.inv_std * mixed


def test_a_method_finds_its_own_cache():
    assert review.batchnorm_backward(OwnCache.backward).ok


def test_swapped_gradients_are_told():
    def f(delta, x_hat, std, gamma):
        dx, dgamma, dbeta = closed(delta, x_hat, std, gamma)
        return dx, dbeta, dgamma

    assert review.batchnorm_backward(f).mistakes == ("γ and β swapped",)


# What the reader's function may do besides.


def test_lost_digits_are_no_mistake():
    def one_pass(dout, x, gamma, eps):
        mu = mean(x)
        s = np.sqrt(mean(x**2) - mu**2 + eps)
        return closed(dout, (x - mu) / s, s, gamma)

    report = review.batchnorm_backward(one_pass)
    assert report.ok
    assert "one-pass variance: correct, but loses 8 digits at mean/std = 1e4" in report.diagnosis
    for right in (staged, closed, paper, projector):
        assert "loses" not in review.batchnorm_backward(right).diagnosis


def test_lost_digits_are_not_blamed_on_the_variance_without_reason():
    def coarse_x_hat(dout, x, gamma, eps):
        s = np.sqrt(x.var(axis=0) + eps)
        x_hat = (x - mean(x)) / s + 1e-16 * mean(x) ** 2 * np.sin(1e3 * (x - mean(x)))
        return closed(dout, x_hat, s, gamma)[0]

    report = review.batchnorm_backward(coarse_x_hat)
    assert report.ok
    assert "correct, but loses" in report.diagnosis
    assert "one-pass" not in report.diagnosis


def raising(delta, x):
    raise RuntimeError("not today")


def leaving(delta, x):
    raise SystemExit(2)


def nothing(delta, x):
    pass


def misshapen(delta, x):
    return delta.sum(axis=0)[:2]


def text(delta, x):
    return "dx"


def complex_result(delta, x):
    return delta + 1j


def infinite(delta, x_hat, std, gamma):
    return closed(delta, x_hat, std, gamma)[0] / 0


def nan_once(delta, x_hat, std, gamma):
    dx = closed(delta, x_hat, std, gamma)[0]
    dx[0, 1] = np.nan
    return dx


def in_place(delta, x_hat, std, gamma):
    delta -= mean(delta)
    return gamma / std * (delta - x_hat * mean(delta * x_hat))


chance = np.random.default_rng(0)


def undetermined(delta, x_hat, std, gamma):
    return closed(delta, x_hat, std, gamma)[0] * chance.uniform(0.5, 1)


def growing(delta, x_hat, std, gamma, *, calls=[]):  # noqa: B006
    calls.append(1)
    return closed(delta, x_hat, std, gamma)[0] + 0.1 * (len(calls) > 12)


def raising_once(delta, x_hat, std, gamma):
    if len(delta) == 32 and delta.dtype == np.float64:
        raise MemoryError("32 are too many")
    return closed(delta, x_hat, std, gamma)[0]


def not_single(delta, x_hat, std, gamma):
    if delta.dtype == np.float32:
        raise TypeError("wanted float64")
    return closed(delta, x_hat, std, gamma)[0]


BEHAVIOR = {
    raising: "it raised RuntimeError: not today",
    leaving: "it raised SystemExit: 2",
    nothing: "it returned None",
    misshapen: "∂C/∂x has the shape (2,), wanted (5, 4)",
    text: "it returned <U2 in a str",
    complex_result: "wanted real numbers",
    infinite: "is no number",
    nan_once: "its entry (0, 1) is no number",
    in_place: "it changes its argument `delta` in place",
    undetermined: "another result when it is called again",
    growing: "another result when it is called again",
    raising_once: "32 are too many, in the case M_B = 32; M_B = 32, eps = 0.1",
    not_single: "it raised TypeError: wanted float64, in the case float32",
}


@pytest.mark.parametrize("f", BEHAVIOR, ids=lambda f: f.__name__)
def test_nothing_is_raised_through(f):
    report = review.batchnorm_backward(f)
    assert not report.ok
    assert BEHAVIOR[f] in report.diagnosis, report.diagnosis
    assert report.mistakes == ()
    assert "0x" not in str(report) + report._repr_html_()
    with pytest.raises(review.WrongGradient, match="reviewed as batchnorm_backward"):
        report.raise_if_wrong()


def test_warnings_are_mentioned_and_go_no_further():
    def f(delta, x_hat, std, gamma):
        np.log(-np.ones(1))
        warnings.warn("look out", UserWarning, stacklevel=1)
        return closed(delta, x_hat, std, gamma)[0]

    report = review.batchnorm_backward(f)
    assert report.ok
    assert "while it ran: RuntimeWarning: invalid value encountered in log" in report.notes
    assert "while it ran: UserWarning: look out" in report.notes


@pytest.mark.parametrize(
    "f, said",
    [
        (3, "got int, wanted a function"),
        (lambda foo, bar: foo, "the argument `foo`; wanted some of delta, x, normalized, x_hat"),
        (lambda *arguments: 0, "no argument that it knows"),
        (lambda: 0, "no argument that it knows"),
        (np.add, "wanted some of|have no names"),  # which an older numpy does not tell
        (lambda dout, cache: cache[0], "what the cache holds"),
    ],
)
def test_what_cannot_be_called_is_said(f, said):
    report = review.batchnorm_backward(f)
    assert not report.ok
    assert re.search(f"{said}|it raised KeyError: 0", report.diagnosis)


def test_the_arguments_are_not_those_of_the_cases():
    """What a function writes into, another one does not see."""
    review.batchnorm_backward(in_place)
    review.network(lambda layers, psi, phi: layers[0].W.fill(0))
    assert review.batchnorm_backward(closed).ok
    assert review.network(network.cost_and_gradients).ok


# The report.


def test_the_rows():
    report = review.batchnorm_backward(detached)
    names = {row.case for row in report.rows}
    assert {"M_B = 2", "M_B = 3", "M_B = 5", "M_B = 32", "float32", "mean/std = 1e4"} <= names
    row = next(row for row in report.rows if row.case == "M_B = 5")
    assert (row.quantity, row.ok) == ("∂C/∂x", False)
    case = review.case("batchnorm_backward", "M_B = 5")
    expected = case["gamma"] / case["std"] * case["delta"]
    assert np.isclose(np.abs(expected - row.approximate).min(), 0)
    scale = subjects.BATCHNORM_BACKWARD.scales(case)["x"]
    assert row.difference == pytest.approx(abs(row.exact - row.approximate) / scale)
    assert row.agreement.startswith("differs by")


def test_the_text_and_the_table_say_the_same():
    report = review.batchnorm_backward(detached)
    text, table = str(report), report._repr_html_()
    assert text.splitlines()[0] == "detached, reviewed as batchnorm_backward: WRONG"
    for part in (report.diagnosis, "∂C/∂x", *report.notes):
        assert part in text and part in table
    assert '<th scope="col">exact</th>' in table
    right = str(review.batchnorm_backward(closed))
    assert right.count("agrees to 1e-12") == 3
    assert "reproduce" not in right


def test_the_table_escapes_what_the_reader_wrote():
    def f(delta, x):
        raise ValueError("<script>")

    assert "<script>" not in review.batchnorm_backward(f)._repr_html_()


@pytest.mark.parametrize(
    "f",
    [detached, from_tuple, from_dict, mean_parameters, feature_major, stax, images_over_batch],
    ids=lambda f: f.__name__,
)
def test_the_worst_case_can_be_copied_and_pasted(f):
    kept = []

    def spy(**arguments):
        kept.append(f(**arguments))

    report = review.batchnorm_backward(f)
    exec(report.reproduce, {f.__name__: spy})
    found = kept[0]
    found = found["dZ"] if isinstance(found, dict) else found
    found = found[0] if isinstance(found, tuple) else found
    values = review.case("batchnorm_backward", report.case)
    exact = subjects.BATCHNORM_BACKWARD.truth(values)["x"]
    found = {feature_major: found.T, images_over_batch: found.reshape(exact.shape)}.get(f, found)
    off = np.abs(found - exact).max()
    assert off < 1e-12 if report.ok or f is mean_parameters else off > 0.01


def test_a_case_has_a_name():
    with pytest.raises(ValueError, match="subject: got 'dx', wanted one of batchnorm_backward"):
        review.case("dx", "M_B = 3")
    with pytest.raises(ValueError, match="name: got 'M_B = 4', wanted one of M_B = 5"):
        review.case("batchnorm_backward", "M_B = 4")


# The names.


@pytest.mark.parametrize(
    "given, roles",
    [
        ("dout x_hat gamma", "delta x_hat gamma"),
        ("grad_output input weight bias", "delta x gamma beta"),
        ("dy xmu ivar g", "delta centered inv_std gamma"),
        ("d z mu sigma eps", "delta x mean std eps"),
        ("g gamma x", "delta gamma x"),
        ("dL_dy X_norm batch_var epsilon N", "delta x_hat var eps M_B"),
        ("upstream x̂ σ γ", "delta x_hat std gamma"),
    ],
)
def test_names(given, roles):
    offered = subjects.BATCHNORM_BACKWARD.roles
    assert names.match(given.split(), offered) == dict(
        zip(given.split(), roles.split(), strict=True)
    )


def test_names_of_results():
    quantities = ("x", "gamma", "beta")
    for name, quantity in {
        "dx": "x",
        "grad_input": "x",
        "dgamma": "gamma",
        "grad_weight": "gamma",
        "d_beta": "beta",
        "bias_grad": "beta",
        "dL_dx": "x",
        "other": None,
    }.items():
        assert names.match_output(name, quantities) == quantity


# The other functions of the module.


def test_forward():
    def bessel(x, gamma, beta, eps):
        return gamma * (x - mean(x)) / np.sqrt(x.var(axis=0, ddof=1) + eps) + beta

    def with_cache(x, gamma, beta, bn_param):
        s = np.sqrt(x.var(axis=0) + bn_param["eps"])
        return gamma * (x - mean(x)) / s + beta, (x, mean(x), s)

    def wrong_std(x, gamma, beta, eps):
        y, normalized = batchnorm.forward(x, gamma, beta, eps)
        return y, {"x_hat": normalized.x_hat, "std": normalized.std**2}

    assert review.batchnorm_forward(batchnorm.forward).ok
    assert review.batchnorm_forward(with_cache).ok
    assert review.batchnorm_forward(bessel).mistakes == ("n − 1 in the variance",)
    report = review.batchnorm_forward(wrong_std)
    assert not report.ok
    assert "your s" in report.diagnosis


@pytest.mark.parametrize(
    "name", [m.name for m in subjects.BATCHNORM_FORWARD.mistakes if m.steps.keys() == {"affine"}]
)
def test_forward_mistakes_are_named(name):
    (function,) = MISTAKES[name].functions

    def f(x, gamma, beta, eps):
        values = {"gamma": gamma, "beta": beta, "x_hat": batchnorm.normalize(x, eps).x_hat}
        return steps.call(function, values)

    assert review.batchnorm_forward(f).mistakes == (name,)


def test_gamma_and_beta():
    assert review.gamma_gradient(batchnorm.gamma_gradient).ok
    assert review.beta_gradient(batchnorm.beta_gradient).ok
    wrong = review.gamma_gradient(lambda delta, x: (delta * x).sum(axis=0))
    assert wrong.mistakes == ("γ: x for x̂",)
    assert review.beta_gradient(lambda delta: mean(delta)).mistakes == ("β: mean for sum",)


def mixed(delta, x_hat, std, gamma):
    return closed(delta, x_hat, std, gamma)[0]


def test_weight_gradient():
    def baselines(delta, u_prev):
        return delta.T @ u_prev

    def covariances(delta, u, x_hat, std, gamma):
        """The covariance form of section 3 (S27)."""
        M_B = len(u)
        plain = delta.T @ u / M_B - np.outer(mean(delta), mean(u))
        along = mean(delta * x_hat)[:, np.newaxis] * (x_hat.T @ u / M_B)
        return M_B * (gamma / std)[:, np.newaxis] * (plain - along)

    def without_means(delta, u, x_hat, std, gamma):
        plain, along = delta.T @ u, (delta * x_hat).sum(axis=0)[:, np.newaxis] * (x_hat.T @ u)
        return (gamma / std)[:, np.newaxis] * (plain - along / len(u))

    def transposed(delta, u, x_hat, std, gamma):
        return u.T @ mixed(delta, x_hat, std, gamma)

    def from_scratch(delta, u, W, gamma, eps):
        """W stored as (n_prev, n): it can be told, since x = u W."""
        x = u @ W
        s = np.sqrt(x.var(axis=0) + eps)
        return u.T @ mixed(delta, (x - mean(x)) / s, s, gamma)

    assert review.weight_gradient(batchnorm.weight_gradient).ok
    assert review.weight_gradient(covariances).ok
    assert review.weight_gradient(baselines).mistakes == ("BN left out of ∂C/∂W",)
    assert review.weight_gradient(without_means).mistakes == ("missing mean term",)
    report = review.weight_gradient(transposed)
    assert not report.ok and "comes transposed" in report.diagnosis
    assert review.weight_gradient(transposed, weights="(n_prev, n)").ok
    report = review.weight_gradient(from_scratch)
    assert report.ok and "its W is stored as (n_prev, n)" in report.notes
    with pytest.raises(ValueError, match="weights: got 'n'"):
        review.weight_gradient(transposed, weights="n")


def test_previous_error():
    def W_for_its_transpose(delta, W, x_hat, std, gamma, g_prime):
        return mixed(delta, x_hat, std, gamma) @ W.T * g_prime

    def no_g_prime(delta, W, x_hat, std, gamma):
        return mixed(delta, x_hat, std, gamma) @ W

    def own_layer(delta, W, x_hat_prev, std_prev, gamma_prev, g_prime):
        """As the source prints S17."""
        return mixed(delta, x_hat_prev, std_prev, gamma_prev) @ W * g_prime

    assert review.previous_error(batchnorm.previous_error).ok
    report = review.previous_error(W_for_its_transpose)
    assert report.mistakes == ("W for Wᵀ",)
    assert "W where Wᵀ belongs" in report.diagnosis
    assert review.previous_error(W_for_its_transpose, weights="(n_prev, n)").ok
    assert review.previous_error(no_g_prime).mistakes == ("g' missing",)
    assert review.previous_error(own_layer).mistakes == ("l for l+1",)
    baselines = review.previous_error(baseline.previous_error)
    assert baselines.mistakes == ("BN left out of the error",)


def test_baseline():
    def all_three(delta, u_prev, W, g_prime):
        return (delta @ W) * g_prime, delta.T @ u_prev, delta.sum(axis=0)

    def columns(delta, u_prev, W, g_prime):
        return delta @ u_prev.T, delta.sum(axis=1, keepdims=True), (W.T @ delta) * g_prime

    def averaged(dZ, A_prev, W, g_prime):
        return {"dW": dZ.T @ A_prev / len(dZ), "db": mean(dZ), "dprev": (dZ @ W) * g_prime}

    def other_storage(delta, u, W, g_prime):
        return (delta @ W.T) * g_prime, u.T @ delta, delta.sum(axis=0)

    for f in (all_three, columns, other_storage, baseline.weight_gradient, baseline.previous_error):
        assert review.baseline_backpropagation(f).ok, f.__name__
    report = review.baseline_backpropagation(averaged)
    assert report.mistakes == ("W: mean for sum", "b: mean for sum")
    report = review.baseline_backpropagation(lambda delta, W, g_prime: (delta @ W.T) * g_prime)
    assert report.mistakes == ("W for Wᵀ",)


# Whole networks.


def relu_network(layers, psi, phi, eps, *, previous=None, output=None, down=None):
    """A network of its own, with places for mistakes."""
    u, tape = psi, []
    for l, layer in enumerate(layers, 1):
        y, normalized = batchnorm.forward(u @ layer.W.T, layer["gamma"], layer["beta"], eps)
        tape.append((u, y, normalized))
        u = 1 / (1 + np.exp(-y)) if l == len(layers) else np.maximum(y, 0)
    cost = -(phi * np.log(u) + (1 - phi) * np.log(1 - u)).sum() / len(u)
    delta = (output or baseline.output_error)(u, phi)
    gradients = []
    for l in reversed(range(len(layers))):
        u_prev, y, normalized = tape[l]
        dx, dgamma, dbeta = batchnorm.backward(delta, normalized, layers[l].gamma)
        gradients.insert(0, (dx.T @ u_prev, dgamma, dbeta))
        if l:
            below = layers[l - 1].gamma, tape[l - 1][2]
            dx = down(delta, *below) if down else dx
            delta = (previous or np.matmul)(dx, layers[l].W) * (tape[l - 1][1] > 0)
    return cost, gradients


def of_network(**places):
    def f(layers, psi, phi, eps):
        return relu_network(layers, psi, phi, eps, **places)

    return f


def test_networks():
    assert review.network(network.cost_and_gradients).ok
    report = review.network(of_network())
    assert report.ok
    assert "its hidden layers were taken for relu" in report.notes
    assert review.network(network.cost_and_gradients, batch_norm=False).ok


NETWORK_MISTAKES = {
    "W for Wᵀ": {"previous": lambda dx, W: dx @ W.T},
    "l for l+1": {
        "down": lambda delta, gamma, below: batchnorm.input_error(delta, below, gamma),
    },
    "Δ of the last layer not averaged": {"output": lambda u, phi: u - phi},
    "Δ of the last layer reversed": {"output": lambda u, phi: (phi - u) / len(u)},
    "Δ of the last layer times g'": {
        "output": lambda u, phi: (u - phi) / len(u) * u * (1 - u),
    },
}


@pytest.mark.parametrize("name", NETWORK_MISTAKES)
def test_mistakes_of_networks_are_named(name):
    report = review.network(of_network(**NETWORK_MISTAKES[name]))
    assert not report.ok
    assert report.mistakes == (name,), str(report)


@pytest.mark.parametrize(
    "name",
    [m.name for m in whole.NETWORK.mistakes if not any("prev" in n for n in m.needs)],
)
def test_every_mistake_is_named_in_a_network(name):
    steps_ = MISTAKES[name].steps

    def f(network, psi, phi):
        values = {"network": network, "psi": psi, "phi": phi}
        found = whole.NETWORK.evaluate(values, steps_)
        cost = found.pop("cost")
        return cost, found

    report = review.network(f)
    assert not report.ok
    expected = TWINS if name in TWINS else {name}
    if MISTAKES[name].steps.keys() == {"gamma"} and name == "γ: without x̂":
        assert name in report.mistakes
    else:
        assert set(report.mistakes) == expected


def test_an_unknown_mistake_of_a_network_is_located():
    def f(network, psi, phi):
        cost, gradients = globals()["network"].cost_and_gradients(network, psi, phi)
        gradients[1].W = 1.01 * gradients[1].W
        return cost, gradients

    report = review.network(f)
    assert not report.ok and report.mistakes == ()
    assert "the cost is right" in report.diagnosis
    assert "wrong: ∂C/∂W of layer 2" in report.diagnosis
    assert "it begins at layer 2" in report.diagnosis


def test_containers_of_network_gradients():
    def lists(Ws, gammas, betas, psi, phi, eps):
        layers = [
            whole.LayerDict(W=W, gamma=gamma, beta=beta)
            for W, gamma, beta in zip(Ws, gammas, betas, strict=True)
        ]
        cost, gradients = relu_network(layers, psi, phi, eps)
        return cost, *map(list, zip(*gradients, strict=True))

    def one_dict(layers, x, y, eps):
        cost, gradients = relu_network(layers, x, y, eps)
        names = ("dW", "dgamma", "dbeta")
        named = {
            f"{n}{l}": v for l, g in enumerate(gradients, 1) for n, v in zip(names, g, strict=True)
        }
        return {"cost": cost, "gradients": named}

    def dict_of_lists(layers, psi, phi, eps):
        cost, gradients = relu_network(layers, psi, phi, eps)
        by_kind = zip(*gradients, strict=True)
        return cost, dict(zip(("W", "gamma", "beta"), map(list, by_kind), strict=True))

    def features(layers, psi, phi, eps):
        flat = [
            whole.LayerDict((k, v if k == "W" else v.ravel()) for k, v in l.items()) for l in layers
        ]
        if layers[0].gamma.ndim != 2:
            raise ValueError("columns, please")
        return relu_network(flat, psi.T, phi.T, eps)

    for f in (lists, one_dict, dict_of_lists, features):
        report = review.network(f)
        assert report.ok, str(report)


def test_half_a_network_is_said():
    report = review.network(lambda layers, psi, phi: (0.0, []))
    assert "gradients of 0 layers, wanted 3" in report.diagnosis
    assert "returned None" in review.network(lambda layers, psi, phi: None).diagnosis


# Parts.


def test_pairs_are_both_mistakes():
    one, other = MISTAKES["mean term added"], MISTAKES["2 dropped"]
    values = cases.normalization(3, 5)
    (pair,) = diagnosis._pairs([one, other])
    found = steps.evaluate(values, pair.steps, ("x",))["x"]
    delta, x_hat = values["delta"], values["x_hat"]
    expected = delta + mean(delta) - x_hat * mean(delta * x_hat) / 2
    np.testing.assert_allclose(found, values["gamma"] / values["std"] * expected)
    assert list(diagnosis._pairs([MISTAKES["half" if 0 else "1/2 dropped"], other])) == []


def test_factors():
    rng = np.random.default_rng(0)
    arrays = {M_B: rng.normal(size=(M_B, 4)) for M_B in (2, 3, 5, 32)}

    def said(law):
        pairs = [({"M_B": M_B}, law(M_B) * array, array) for M_B, array in arrays.items()]
        return patterns.factor(pairs, 1e-6)

    assert said(lambda M_B: 1.0) == ""
    assert said(lambda M_B: np.sqrt(M_B)) == "is sqrt(M_B) times what it should be"
    assert said(lambda M_B: M_B**3) == ""
    assert said(lambda M_B: 1e4) == "is 1e+04 times what it should be"


@pytest.mark.parametrize("name", MISTAKES)
def test_the_table_of_mistakes(name):
    mistake = MISTAKES[name]
    assert mistake.group in known.GROUPS
    assert mistake.says[-1] not in ".;"
    assert set(mistake.steps) <= {*steps.RIGHT, "input_error"}
    assert mistake.term in ("", "mean", "x̂")
    for function in mistake.functions:
        assert function.__module__.endswith("mistakes")


def test_every_function_of_a_mistake_is_in_the_table():
    from bnnotes.review import mistakes, more_mistakes

    helpers = {"normalized_by", "average", "sample_mean"}
    listed = {f.__name__ for m in MISTAKES.values() for f in m.functions}
    for module in (mistakes, more_mistakes):
        functions = {n for n, v in vars(module).items() if callable(v) and not n.startswith("_")}
        assert functions - helpers <= listed


# Other libraries, where they are installed.


def test_torch():
    torch = pytest.importorskip("torch")

    def by_autograd(x, gamma, beta, eps, delta):
        x, gamma, beta, delta = map(torch.tensor, (x, gamma, beta, delta))
        for each in (x, gamma, beta):
            each.requires_grad_()
        y = torch.nn.functional.batch_norm(x, None, None, gamma, beta, training=True, eps=eps)
        return torch.autograd.grad(y, (x, gamma, beta), delta)

    def of_tensors(grad_output, x, weight, bias, eps):
        mu, var = x.mean(dim=0), x.var(dim=0, unbiased=False)
        x_hat = (x - mu) * torch.rsqrt(var + eps)
        mixed = grad_output - grad_output.mean(dim=0) - x_hat * (grad_output * x_hat).mean(dim=0)
        return weight * torch.rsqrt(var + eps) * mixed

    def unbiased(x, gamma, beta, eps, delta):
        x, gamma, delta = map(torch.tensor, (x, gamma, delta))
        x.requires_grad_()
        y = gamma * (x - x.mean(0)) / torch.sqrt(x.var(0) + eps)
        return torch.autograd.grad(y, x, delta)

    assert review.batchnorm_backward(by_autograd).ok
    assert review.batchnorm_backward(of_tensors).ok
    assert review.batchnorm_backward(unbiased).mistakes == ("n − 1 everywhere",)


def test_jax():
    jax = pytest.importorskip("jax")

    def by_vjp(delta, x, gamma, beta, eps):
        def y(x, gamma, beta):
            return gamma * (x - x.mean(0)) / jax.numpy.sqrt(x.var(0) + eps) + beta

        return jax.vjp(y, x, gamma, beta)[1](jax.numpy.asarray(delta))

    report = review.batchnorm_backward(by_vjp)
    assert report.ok
    assert "it computes in float32" in report.notes
