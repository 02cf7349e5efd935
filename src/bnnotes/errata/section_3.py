"""Experiments on section 3 of the source: the insights."""

import numpy as np

from .. import check
from .experiment import EXPERIMENTS, Measured, experiment
from .forward import EPS, corr, draw, g_prime, hat, kappa, length, mean, std


def negative(rng):
    return -rng.uniform(0.5, 2.0)


@experiment("S21")
def sign(rng, M_B):
    u, W = rng.normal(1.0, 2.0, M_B), negative(rng)
    return hat(W * u), hat(u), np.sign(W) * hat(u)


@experiment("S22")
def absolute_value(rng, M_B):
    u, W = rng.normal(1.0, 2.0, M_B), negative(rng)
    return std(u), std(W * u) / W, std(W * u) / abs(W)


@experiment("S23")
def sum_of_squares(rng, M_B):
    x = rng.normal(1.0, 2.0, (M_B, 4))
    return (hat(x, EPS) ** 2).sum(axis=0), np.full(4, M_B), kappa(x, EPS) * M_B


@experiment("S24")
def rest_of_Mu(rng, M_B):
    case = draw(rng, M_B, n=(), n1=(), eps=EPS)
    u, W, gamma1 = case.u, case.W, case.gamma1
    truth = check.complex_step(lambda W: gamma1 * hat(W * u, EPS), W)
    return truth, 0 * u, gamma1 * EPS * (u - mean(u)) / std(W * u, EPS) ** 3


@experiment("S28")
def length_of_x_hat(rng, M_B):
    x = rng.normal(1.0, 2.0, (M_B, 4))
    return length(hat(x, EPS)), np.full(4, np.sqrt(M_B)), np.sqrt(kappa(x, EPS) * M_B)


@experiment("(4)")
def correlation_form(rng, M_B):
    case = draw(rng, M_B, eps=EPS)
    u, x1, delta1 = case.u, case.x1, case.delta1
    own = hat(x1, EPS)
    product = mean(hat(delta1) * own)[:, np.newaxis] * (own.T @ hat(u) / M_B)
    bracket = corr(delta1, u) - product

    def amplitude(sigma):
        return M_B * np.outer(case.gamma1 * std(delta1) / sigma, std(u))

    printed, corrected = amplitude(std(x1)) * bracket, amplitude(std(x1, EPS)) * bracket
    return case.true_weight_gradient(), printed, corrected


@experiment("(5) BN")
def angle_form(rng, M_B):
    case = draw(rng, M_B, eps=EPS)
    u, x1, delta1 = case.u, case.x1, case.delta1
    cos1 = np.diag(corr(delta1, x1))[:, np.newaxis]
    cos2, cos3 = corr(x1, u), corr(delta1, u)
    of_x = kappa(x1, EPS)[:, np.newaxis]

    def gradient(sigma, kappa):
        amplitude = M_B * np.outer(case.gamma1 * std(delta1) / sigma, std(u))
        return amplitude * (cos3 - kappa * cos1 * cos2)

    printed, corrected = gradient(std(x1), 1), gradient(std(x1, EPS), of_x)
    return case.true_weight_gradient(), printed, corrected


def weight_gradient(u, W, gamma, delta):
    """The true ∂C/∂W of one neuron over inputs u (M_B, n_prev), C = Σ Δ y."""
    return check.complex_step(lambda W: (delta * gamma * hat(u @ W)).sum(), W)


@experiment("S29", smallest=3)
def proportional(rng, M_B, scale=10.0):
    u, W = rng.normal(1.0, 1.0, (M_B, 3)), rng.normal(size=3)
    delta = rng.normal(0.3, 1.0, M_B)
    before = weight_gradient(u, W, 1.0, delta)
    amplitude = std(scale * u) / std(u) * std(u @ W) / std(scale * u @ W)
    return weight_gradient(scale * u, W, 1.0, delta), scale * before, amplitude * before


@experiment("S30", smallest=3)
def uncorrelated(rng, M_B):
    """∂C/∂W of the baseline over M_B σ(Δ)σ(u), Δ and u uncorrelated; then with ⟨Δ⟩ = 0."""
    u_hat, v = hat(rng.normal(size=M_B)), rng.normal(size=M_B)
    delta_hat = hat(v - mean(v) - u_hat * mean(u_hat * v))
    u = u_hat + 3.0
    gradients = []
    for offset in (0.5, 0.0):
        delta = delta_hat + offset
        true = check.complex_step(lambda W, delta=delta: (delta * (W * u)).sum(), 1.0)
        gradients.append(float(abs(true)) / M_B)
    return Measured(*gradients)


def third_stop(rng, M_B):
    """Draw x̂, Δ̂, û whose dihedral angle φ at x̂ is 90°, though no two of them are aligned."""
    vectors = rng.normal(size=(M_B, 3))
    orthogonal, _ = np.linalg.qr(np.column_stack([np.ones(M_B), vectors]))
    x_hat, e, f = np.sqrt(M_B) * orthogonal[:, 1:].T
    return x_hat, (x_hat + e) / np.sqrt(2), (x_hat + 2 * f) / np.sqrt(5)


def stopped(rng, M_B):
    """Return sinθ1, sinθ2 and by how much the true bracket of (5) differs from S31's product."""
    x_hat, delta_hat, u_hat = third_stop(rng, M_B)
    # x = W u of two neurons, the first of which is u.
    W = np.array([0.7, 1.0])
    u = np.column_stack([u_hat, x_hat - W[0] * u_hat])
    bracket = weight_gradient(u, W, 1.0, delta_hat)[0] / M_B
    cos1, cos2 = mean(delta_hat * x_hat), mean(u_hat * x_hat)
    sin1, sin2 = np.sqrt(1 - cos1**2), np.sqrt(1 - cos2**2)
    of_delta, of_u = delta_hat - cos1 * x_hat, u_hat - cos2 * x_hat
    cos_phi = of_delta @ of_u / (length(of_delta) * length(of_u))
    # Both are zero, so their sizes add.
    return float(sin1), float(sin2), float(abs(bracket) + abs(sin1 * sin2 * cos_phi))


@experiment("S31", smallest=4)
def stop_1(rng, M_B):
    sin1, _, difference = stopped(rng, M_B)
    return Measured(sin1, difference)


@experiment("S32", smallest=4)
def stop_2(rng, M_B):
    _, sin2, difference = stopped(rng, M_B)
    return Measured(sin2, difference)


@experiment("S33", smallest=3)
def aligned(rng, M_B):
    u_j, W, delta = rng.normal(size=M_B), rng.normal(size=3), rng.normal(0.3, 1.0, M_B)
    u = np.column_stack([u_j, 2.5 * u_j + 1.0, rng.normal(size=M_B)])
    G_j, G_k, _ = weight_gradient(u, W, 1.0, delta)
    size = M_B * std(delta) * std(u[:, 1]) / std(u @ W)
    ratio = std(u[:, 1]) / std(u[:, 0])
    return Measured(float(abs(G_k) / size), float(abs(G_k - ratio * G_j) / size))


@experiment("S34")
def gamma_gradient(rng, M_B):
    case = draw(rng, M_B, eps=EPS)
    x1, delta1 = case.x1, case.delta1
    printed = std(delta1) * M_B * np.diag(corr(delta1, x1))
    return case.true_gamma1_gradient(), printed, np.sqrt(kappa(x1, EPS)) * printed


# The cosine of θ1 is the correlation: one experiment for both.
EXPERIMENTS["(6)"] = EXPERIMENTS["S34"]


@experiment("S35", smallest=3)
def cause(rng, M_B):
    """|Corr(Δ, x̂)| where W alone is wrong; ∂C/∂γ over M_B σ(Δ) where the correlation is 0."""
    u = rng.normal(size=(M_B, 2))
    x_hat, target = hat(u).T
    correlation = corr(x_hat - target, x_hat)
    v = rng.normal(size=M_B)
    delta = hat(v - mean(v) - x_hat * mean(x_hat * v))
    true = check.complex_step(lambda gamma: (delta * gamma * x_hat).sum(), 1.0)
    return Measured(float(abs(correlation)), float(abs(true)) / M_B)


@experiment("S37")
def matrix_form(rng, M_B):
    case = draw(rng, M_B, eps=EPS)
    x1, delta1 = case.x1, case.delta1
    cos1, own = np.diag(corr(delta1, x1)), hat(x1, EPS)

    def error(sigma, kappa):
        bracket = hat(delta1) - np.sqrt(kappa) * cos1 * own
        return g_prime(case.y) * ((case.gamma1 / sigma * std(delta1) * bracket) @ case.W)

    printed, corrected = error(std(x1), 1), error(std(x1, EPS), kappa(x1, EPS))
    return case.true_delta(), printed, corrected


@experiment("S39", smallest=3)
def opposite(rng, M_B):
    """What a node sends back at θ1 = 180° and at 90°, in units of σ(Δ)√M_B."""
    x, v = rng.normal(1.0, 2.0, M_B), rng.normal(size=M_B)
    x_hat = hat(x)
    orthogonal = hat(v - mean(v) - x_hat * mean(x_hat * v))
    lengths = []
    for delta in (-x_hat, orthogonal):
        true = check.complex_step(lambda x, delta=delta: (delta * hat(x)).sum(), x)
        lengths.append(std(x) * length(true) / np.sqrt(M_B))
    # "Largest" at 180° is at least what 90° sends.
    return np.array(lengths), np.array([lengths[1], lengths[1]]), np.array([0.0, 1.0])
