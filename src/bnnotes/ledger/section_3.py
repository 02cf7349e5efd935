"""Experiments on section 3 of the source: the insights."""

import numpy as np

from .. import batchnorm, check, geometry, propagation, sample_space
from ..checked import count, finite, generator, number
from .experiment import Measured, beyond, experiment
from .forward import EPS, corr, draw, g_prime, hat, kappa, length, mean, std
from .section_2 import above, bracket


def negative(rng):
    return -rng.uniform(0.5, 2.0)


@experiment("S20", smallest=3, eps=True)
def matrix_form(rng, M_B, eps=0.0):
    case = draw(rng, M_B, eps=eps)
    printed, ours = (
        [
            case.gamma1[i] / divisor[i] * case.delta1[:, i] @ mixing(x_hat[:, i]) @ case.u
            for i in range(4)
        ]
        for divisor, x_hat, mixing in (
            (std(case.x1), hat(case.x1), printed_matrix),
            (std(case.x1, eps), hat(case.x1, eps), sample_space.mixing_matrix),
        )
    )
    return case.true_weight_gradient(), np.array(printed), np.array(ours)


def printed_matrix(x_hat):
    M_B = len(x_hat)
    return np.eye(M_B) - (np.ones((M_B, M_B)) + np.outer(x_hat, x_hat)) / M_B


@experiment("S21")
def sign(rng, M_B):
    u, W = rng.normal(1.0, 2.0, M_B), negative(rng)
    return hat(W * u), hat(u), np.sign(W) * hat(u)


@experiment("S22")
def absolute_value(rng, M_B):
    u, W = rng.normal(1.0, 2.0, M_B), negative(rng)
    return std(u), std(W * u) / W, std(W * u) / abs(W)


@experiment("S23", eps=True)
def sum_of_squares(rng, M_B, eps=0.0):
    x = rng.normal(1.0, 2.0, (M_B, 4))
    return (hat(x, eps) ** 2).sum(axis=0), np.full(4, M_B), kappa(x, eps) * M_B


@experiment("S24", eps=True)
def rest_of_Mu(rng, M_B, eps=0.0):
    """∂y/∂W in units of γ σ(u)/ς."""
    case = draw(rng, M_B, n=(), n1=(), eps=eps)
    u, W, gamma1 = case.u, case.W, case.gamma1
    truth = check.complex_step(lambda W: gamma1 * hat(W * u, eps), W)
    rest = gamma1 * eps * (u - mean(u)) / std(W * u, eps) ** 3
    size = gamma1 * std(u) / std(W * u, eps)
    return Measured(*(float(np.abs(v - truth).max() / size) for v in (0 * u, rest)))


@experiment("S27", smallest=3, eps=True)
def covariance_form(rng, M_B, eps=0.0):
    case = draw(rng, M_B, eps=eps)
    delta, u, x_hat = case.delta1, case.u, hat(case.x1)
    covariance = delta.T @ u / M_B - np.outer(mean(delta), mean(u))
    product = mean(delta * x_hat)[:, np.newaxis] * (x_hat.T @ u / M_B)
    scale = M_B * case.gamma1 / std(case.x1)
    ours = batchnorm.weight_gradient(delta, u, above(case), case.gamma1)
    return case.true_weight_gradient(), scale[:, np.newaxis] * (covariance - product), ours


@experiment("S28")
def length_of_hats(rng, M_B):
    """Divided by the variance, as the word says; by the standard deviation."""
    a = rng.normal(1.0, 2.0, (M_B, 4))
    return np.full(4, np.sqrt(M_B)), length(hat(a) / std(a)), length(geometry.standardize(a))


@beyond("S28")
def length_of_x_hat(rng, M_B):
    x = rng.normal(1.0, 2.0, (M_B, 4))
    return length(hat(x, EPS)), np.full(4, np.sqrt(M_B)), np.sqrt(kappa(x, EPS) * M_B)


@experiment("(4)", smallest=3, eps=True)
def correlation_form(rng, M_B, eps=0.0):
    case = draw(rng, M_B, eps=eps)
    u, delta1, x_hat = case.u, case.delta1, hat(case.x1)
    product = mean(hat(delta1) * x_hat)[:, np.newaxis] * (x_hat.T @ hat(u) / M_B)
    return case.true_weight_gradient(), amplitude(case) * (corr(delta1, u) - product), angles(case)


def amplitude(case):
    return len(case.x1) * np.outer(case.gamma1 * std(case.delta1) / std(case.x1), std(case.u))


def angles(case):
    """∂C/∂W from the angles, by this package."""
    return geometry.weight_gradient(case.delta1, case.u, above(case), case.gamma1)


@experiment("(5) BN", smallest=3, eps=True)
def angle_form(rng, M_B, eps=0.0):
    case = draw(rng, M_B, eps=eps)
    u, x1, delta1 = case.u, case.x1, case.delta1
    cos1 = np.diag(corr(delta1, x1))[:, np.newaxis]
    printed = amplitude(case) * (corr(delta1, u) - cos1 * corr(x1, u))
    return case.true_weight_gradient(), printed, angles(case)


@experiment("(5) BL")
def baseline_angles(rng, M_B):
    case = draw(rng, M_B)
    delta, u = case.delta1, case.u
    truth = check.complex_step(lambda W: (delta * (u @ W.T)).sum(), case.W)
    printed = M_B * (np.outer(std(delta), std(u)) * corr(delta, u) + np.outer(mean(delta), mean(u)))
    return truth, printed, geometry.baseline_weight_gradient(delta, u)


def weight_gradient(u, W, gamma, delta, eps=0.0):
    """The true ∂C/∂W of one neuron over inputs u (M_B, n_prev), C = Σ Δ y."""
    return check.complex_step(lambda W: (delta * gamma * hat(u @ W, eps)).sum(), W)


@experiment("S29", smallest=3)
def all_of_u(rng, M_B, scale=10.0):
    u, W = rng.normal(1.0, 1.0, (M_B, 3)), rng.normal(size=3)
    delta = rng.normal(0.3, 1.0, M_B)
    before = weight_gradient(u, W, 1.0, delta)
    amplitude = std(scale * u) / std(u) * std(u @ W) / std(scale * u @ W)
    return weight_gradient(scale * u, W, 1.0, delta), scale * before, amplitude * before


@beyond("S29", smallest=3)
def fixed_x(rng, M_B, scale=10.0):
    """u_j times 10 and W_j by 10 less: x stays, and "proportional" is a factor of 10."""
    u, W, delta = rng.normal(1.0, 1.0, (M_B, 3)), rng.normal(size=3), rng.normal(0.3, 1.0, M_B)
    before = weight_gradient(u, W, 1.0, delta)[:1]
    factors = np.array([scale, 1.0, 1.0])
    return weight_gradient(factors * u, W / factors, 1.0, delta)[:1], before, scale * before


def orthogonal_to(rng, *vectors):
    """Draw a vector of mean 0 and standard deviation 1, uncorrelated with the given ones."""
    given = np.column_stack([np.ones(len(vectors[0])), *vectors, rng.normal(size=len(vectors[0]))])
    rest, _ = np.linalg.qr(given)
    return hat(rest[:, -1])


def baseline_gradient(delta, u):
    """|∂C/∂W| of the baseline over M_B σ(Δ)σ(u)."""
    true = check.complex_step(lambda W: (delta * (W * u)).sum(), 1.0)
    return float(abs(true) / (len(u) * std(delta) * std(u)))


@experiment("S30", smallest=3)
def uncorrelated(rng, M_B):
    """As the source has it, u is normalized: ⟨Δ⟩ does not matter."""
    u = hat(rng.normal(size=M_B))
    delta = orthogonal_to(rng, u) + 0.5
    ours = geometry.baseline_weight_gradient(delta[:, np.newaxis], u[:, np.newaxis])
    return Measured(baseline_gradient(delta, u), float(np.abs(ours).max()) / M_B)


@beyond("S30", smallest=3)
def not_normalized(rng, M_B):
    """The gradient at ⟨u⟩ = 3, and once the bias has stopped too."""
    u = hat(rng.normal(size=M_B))
    delta = orthogonal_to(rng, u)
    return Measured(baseline_gradient(delta + 0.5, u + 3), baseline_gradient(delta, u + 3))


@experiment("S49", smallest=3)
def premise(rng, M_B):
    """No correlation of Δ_i^l and u_j^{l-1}: u^l normalized, as printed; u^{l-1} normalized."""
    u = rng.normal(3.0, 1.0, M_B)
    delta = orthogonal_to(rng, hat(u)) + 0.5
    # What is made of u_i^l above does not enter ∂C/∂W.
    return Measured(baseline_gradient(delta, u), baseline_gradient(delta, hat(u)))


def neurons(x, *inputs, rng):
    """Inputs of a neuron and its weights, such that these are among them and x is the sum."""
    W = rng.uniform(0.5, 2.0, len(inputs))
    rest = x - sum(w * u for w, u in zip(W, inputs, strict=True))
    return np.column_stack([*inputs, rest]), np.append(W, 1.0)


def relative_gradient(u, W, delta, eps=0.0):
    """∂C/∂W over M_B γ σ(Δ)σ(u)/ς."""
    size = len(u) * std(delta) * std(u) / std(u @ W, eps)
    return weight_gradient(u, W, 1.0, delta, eps) / size


@experiment("S31", smallest=3, eps=True)
def stop_1(rng, M_B, eps=0.0):
    """All gradients of a neuron where Δ̂ = ±x̂; for eps > 0 the rest (1 − κ) cosθ1 cosθ2."""
    u, W = rng.normal(1.0, 1.0, (M_B, 3)), rng.normal(size=3)
    x, cos1 = u @ W, rng.choice([-1, 1])
    rest = (1 - kappa(x, eps)) * cos1 * corr(u, x)
    truth = relative_gradient(u, W, 0.5 + cos1 * hat(x), eps)
    return Measured(*(float(np.abs(truth - claimed).max()) for claimed in (0, rest)))


@experiment("S32", smallest=3, eps=True)
def stop_2(rng, M_B, eps=0.0):
    """The gradient of one weight, where û_j = x̂."""
    x, delta = rng.normal(size=M_B), rng.normal(0.3, 1.0, M_B)
    u, W = neurons(x, 2.5 * x + 1, rng=rng)
    truth, rest = relative_gradient(u, W, delta, eps)[0], (1 - kappa(x, eps)) * corr(delta, x)
    return Measured(*(float(abs(truth - claimed)) for claimed in (0, rest)))


def apart(rng, M_B):
    """Draw x̂, Δ̂ and û, no two of them aligned, whose dihedral angle at x̂ is 90°."""
    x_hat = hat(rng.normal(size=M_B))
    e = orthogonal_to(rng, x_hat)
    f = orthogonal_to(rng, x_hat, e)
    return x_hat, (x_hat + e) / np.sqrt(2), (x_hat + 2 * f) / np.sqrt(5)


@experiment("S51", smallest=4)
def not_aligned(rng, M_B):
    """û_j = x̂, as the source has it; sinθ1 sinθ2 of a neuron k not aligned, and its gradient."""
    x_hat, delta, u_k = apart(rng, M_B)
    u, W = neurons(x_hat, 2.5 * x_hat + 1, u_k, rng=rng)
    cosines = mean(hat(delta) * x_hat), mean(hat(u_k) * x_hat)
    sines = np.sqrt([1 - cosine**2 for cosine in cosines])
    return Measured(float(np.prod(sines)), float(np.abs(relative_gradient(u, W, delta)[1])))


@experiment("S33", smallest=3)
def synched(rng, M_B):
    """Both gradients, where û_j = ±û_k = ±x̂."""
    x, delta = rng.normal(size=M_B), rng.normal(0.3, 1.0, M_B)
    u, W = neurons(x, 2.5 * x + 1, -0.4 * x, rng=rng)
    normalized = batchnorm.normalize((u @ W)[:, np.newaxis])
    ours = geometry.weight_gradient(delta[:, np.newaxis], u, normalized, np.ones(1))[0]
    ours = ours * std(u @ W) / (M_B * std(delta) * std(u))
    both = (np.abs(gradients[:2]).max() for gradients in (relative_gradient(u, W, delta), ours))
    return Measured(*map(float, both))


@beyond("S33", smallest=3)
def aligned(rng, M_B):
    """û_j = û_k, not aligned with x̂: a gradient, and their ratio."""
    u_j, W, delta = rng.normal(size=M_B), rng.normal(size=3), rng.normal(0.3, 1.0, M_B)
    u = np.column_stack([u_j, 2.5 * u_j + 1.0, rng.normal(size=M_B)])
    G_j, G_k, _ = relative_gradient(u, W, delta)
    # Each is in units of its own σ(u), so that the ratio is 1.
    return Measured(float(abs(G_k)), float(abs(G_k - G_j)))


@experiment("S52", smallest=4)
def pulled_apart(rng, M_B):
    """1 − |Corr| of two neurons after a step of their outputs, from û_j = û_k = x̂."""
    x, delta = rng.normal(size=M_B), rng.normal(0.3, 1.0, M_B)
    u, W = neurons(x, 2.5 * x + 1, 0.4 * x, rng=rng)
    truth = check.complex_step(lambda u: (delta * hat(u @ W)).sum(), u)
    sent = np.outer(bracket(delta, hat(x)) / std(x), W)
    step = u - truth * std(u[:, 0]) / std(truth[:, 0])
    together = abs(corr(step[:, 0], step[:, 1]))
    return Measured(float(1 - together), float(np.abs(sent - truth).max() / np.abs(truth).max()))


@experiment("S54", smallest=3)
def delegated(rng, M_B):
    """An error with sinθ1 = 0: what γ takes of it, and what γ and β take."""
    case = draw(rng, M_B)
    normalized = above(case)
    delta = rng.normal(0.5, 1.0, 4) + rng.uniform(0.5, 2.0, 4) * hat(case.x1)
    to_gamma = batchnorm.gamma_gradient(delta, normalized) / M_B * normalized.x_hat
    return delta, to_gamma, to_gamma + batchnorm.beta_gradient(delta) / M_B


@experiment("(6)", "S34", eps=True)
def gamma_gradient(rng, M_B, eps=0.0):
    """The cosine of θ1 is the correlation: one experiment for both."""
    case = draw(rng, M_B, eps=eps)
    x1, delta1 = case.x1, case.delta1
    printed = std(delta1) * M_B * np.diag(corr(delta1, x1))
    return case.true_gamma1_gradient(), printed, geometry.gamma_gradient(delta1, above(case))


@experiment("S35", smallest=3)
def cause(rng, M_B):
    """|Corr(Δ, x̂)| where W alone is wrong and γ right; ∂C/∂γ from the correlation."""
    x_hat, target = hat(rng.normal(size=(M_B, 2))).T
    delta = x_hat - target
    true = check.complex_step(lambda gamma: (delta * gamma * x_hat).sum(), 1.0)
    size = std(delta) * M_B
    correlation = corr(delta, x_hat)
    return Measured(float(abs(correlation)), float(abs(true / size - correlation)))


@experiment("S53", smallest=3)
def nothing_to_do_with(rng, M_B):
    """Δ = x̂² − 1 on a symmetric batch: |Corr(Δ, x̂²)|, and ∂C/∂γ over M_B σ(Δ)."""
    half = rng.uniform(0.5, 2.0, M_B // 2)
    x_hat = hat(np.concatenate([half, -half, np.zeros(M_B % 2)]))
    delta = x_hat**2 - 1
    true = check.complex_step(lambda gamma: (delta * gamma * x_hat).sum(), 1.0)
    return Measured(float(abs(corr(delta, x_hat**2))), float(abs(true) / (M_B * std(delta))))


@experiment("S55", smallest=3)
def crucial(rng, M_B):
    """∂C/∂W, ∂C/∂γ, ∂C/∂β of layer l from the Δ that is sent back."""
    case = draw(rng, M_B)

    def cost(gamma, beta):
        return case.cost(np.tanh(gamma * hat(case.x) + beta), case.W, case.gamma1)

    truth = [
        check.complex_step(lambda gamma: cost(gamma, case.beta), case.gamma),
        check.complex_step(lambda beta: cost(case.gamma, beta), case.beta),
    ]
    sent = case.gamma1 / std(case.x1) * bracket(case.delta1, hat(case.x1)) @ case.W
    delta = sent * g_prime(case.y)
    printed = [(delta * hat(case.x)).sum(axis=0), delta.sum(axis=0)]
    ours = batchnorm.previous_error(case.delta1, case.W, above(case), case.gamma1, g_prime(case.y))
    package = [
        batchnorm.gamma_gradient(ours, batchnorm.normalize(case.x)),
        batchnorm.beta_gradient(ours),
    ]
    return tuple(np.concatenate(part) for part in (truth, printed, package))


@experiment("S36", smallest=3, eps=True)
def previous_error(rng, M_B, eps=0.0):
    """The last of its lines, from Δ̂ and x̂ of every node above."""
    case = draw(rng, M_B, n=3, n1=5, eps=eps)
    normalized, x_hat, slope = hat(case.delta1), hat(case.x1), g_prime(case.y)
    rest = normalized - x_hat * mean(normalized * x_hat)
    printed = slope * ((case.gamma1 / std(case.x1) * std(case.delta1) * rest) @ case.W)
    ours = batchnorm.previous_error(case.delta1, case.W, above(case), case.gamma1, slope)
    return case.true_delta(), printed, ours


@experiment("S37", smallest=3, eps=True)
def from_angles(rng, M_B, eps=0.0):
    case = draw(rng, M_B, n=3, n1=5, eps=eps)
    x1, delta1, slope = case.x1, case.delta1, g_prime(case.y)
    rest = hat(delta1) - np.diag(corr(delta1, x1)) * hat(x1)
    printed = slope * ((case.gamma1 / std(x1) * std(delta1) * rest) @ case.W)
    ours = propagation.previous_error_from_angles(delta1, case.W, above(case), case.gamma1, slope)
    return case.true_delta(), printed, ours


def sent_back(x, delta, eps=0.0):
    """Length of ∂C/∂x in units of γ σ(Δ)√M_B/ς."""
    true = check.complex_step(lambda x: (delta * hat(x, eps)).sum(), x)
    return std(x, eps) * length(true) / (std(delta) * np.sqrt(len(x)))


@experiment("S38", smallest=3, eps=True)
def silence(rng, M_B, eps=0.0):
    x = rng.normal(1.0, 2.0, M_B)
    delta = 0.3 + rng.choice([-1, 1]) * hat(x)
    column = np.s_[:, np.newaxis]
    normalized = batchnorm.normalize(x[column], eps)
    ours = propagation.node_magnitude(delta[column], normalized)[0] / (std(delta) * np.sqrt(M_B))
    return Measured(*(float(abs(sent_back(x, delta, eps) - v)) for v in (0, ours)))


@experiment("S39", smallest=3)
def opposite(rng, M_B):
    """What a node sends back at θ1 = 180° and at 90°, in units of σ(Δ)√M_B."""
    x = rng.normal(1.0, 2.0, M_B)
    x_hat = hat(x)
    lengths = [sent_back(x, delta) for delta in (-x_hat, orthogonal_to(rng, x_hat))]
    # "Largest" at 180° is at least what 90° sends.
    return np.array(lengths), np.array([lengths[1], lengths[1]]), np.array([0.0, 1.0])


@beyond("S39", smallest=3)
def opposite_with_eps(rng, M_B):
    x = rng.normal(1.0, 2.0, M_B)
    truth = np.array([sent_back(x, -hat(x), EPS)])
    sin, cos = 0.0, -1.0
    general = np.sqrt(sin**2 + (1 - kappa(x, EPS)) ** 2 * cos**2)
    return truth, np.array([sin]), np.array([general])


def baseline_over_bn(offset, M_B=64, seed=0, draws=2000):
    """Return the median of |∂C/∂W| without BN over that with BN, of many random neurons (S29).

    Random Δ with ⟨Δ⟩ = 0.3 σ(Δ), random u with ⟨u⟩ = offset · σ(u), both up to sampling, and
    x = W u of many other neurons with γ/σ(x) = 1.

    >>> f"{baseline_over_bn(1000.0):.1g}"
    '4e+03'
    """
    rng, offset = generator("seed", seed), number("offset", offset)
    shape = (count("M_B", M_B, minimum=3), count("draws", draws))
    delta, u, x = (rng.normal(center, 1.0, shape) for center in (0.3, offset, 0.0))
    with np.errstate(all="ignore"):
        bn = (bracket(delta, hat(x)) * (u - mean(u))).sum(axis=0)
        ratio = float(np.median(np.abs((delta * u).sum(axis=0) / bn)))
    if not finite(ratio):
        raise ValueError(f"offset: got {offset:.1e}, where u does not vary; wanted a smaller one")
    return ratio
