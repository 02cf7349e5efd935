"""The rows that hold as printed: the functions of this package against the forward pass."""

import numpy as np

from .. import baseline, batchnorm, check, geometry, network, propagation, sample_space
from .experiment import error
from .forward import draw, g, hat, mean, sigmoid, std
from .section_1 import labels, log_loss

HOLDING = {}


def holds(*ids, smallest=3):
    """Register ``run(rng, M_B) -> (truth, ours)`` for rows of the ledger."""

    def register(run):
        for id in ids:
            HOLDING[id] = run, smallest
        return run

    return register


def above(case):
    """Return what BN made of layer l + 1."""
    return batchnorm.normalize(case.x1, case.eps)


@holds("S2", smallest=1)
def output(rng, M_B):
    net = network.create([3, 4, 2], batch_norm=False, activation="tanh", rng=rng)
    psi, (first, last) = rng.normal(size=(M_B, 3)), net.layers
    u = g(psi @ first.W.T + first.b)
    return sigmoid(u @ last.W.T + last.b), network.predict(net, psi)


@holds("S3", smallest=1)
def descent(rng, M_B, eta=0.3):
    net = network.create([3, 1], batch_norm=False, activation="tanh", rng=rng)
    psi, phi, W = rng.normal(size=(M_B, 3)), labels(rng, (M_B, 1)), net.layers[0].W
    slope = check.complex_step(lambda W: log_loss(sigmoid(psi @ W.T), phi) / M_B, W)
    network.train(net, psi, phi, learning_rate=eta, batch_size=M_B, epochs=1, rng=rng)
    return W - eta * slope, net.layers[0].W


@holds("S7", smallest=1)
def weight_gradient(rng, M_B):
    u, W, delta = rng.normal(size=(M_B, 3)), rng.normal(size=(4, 3)), rng.normal(size=(M_B, 4))
    truth = check.complex_step(lambda W: (delta * (u @ W.T)).sum(), W)
    return truth, baseline.weight_gradient(delta, u)


@holds("S8", smallest=1)
def bias_gradient(rng, M_B):
    x, delta = rng.normal(size=(2, M_B, 4))
    truth = check.complex_step(lambda b: (delta * (x + b)).sum(), np.zeros(4))
    return truth, baseline.bias_gradient(delta)


@holds("S10", "S11", "S25", smallest=2)
def normalization(rng, M_B):
    case = draw(rng, M_B)
    y, _ = batchnorm.forward(case.x, case.gamma, case.beta)
    return case.y, y


@holds("(1)")
def bn_weight_gradient(rng, M_B):
    case = draw(rng, M_B)
    ours = batchnorm.weight_gradient(case.delta1, case.u, above(case), case.gamma1)
    return case.true_weight_gradient(), ours


@holds("S18")
def weight_jacobian(rng, M_B):
    case = draw(rng, M_B)
    truth = check.complex_step(lambda W: case.gamma1 * hat(case.u @ W.T), case.W)
    ours = batchnorm.weight_jacobian(case.u, above(case), case.gamma1)
    # ∂y_sk/∂W_ij is zero unless k = i.
    return truth, np.einsum("sij,ki->skij", ours, np.eye(4))


@holds("S20")
def matrix_form(rng, M_B):
    case = draw(rng, M_B)
    x_hat, scale = above(case).x_hat, case.gamma1 / std(case.x1)
    M = [sample_space.mixing_matrix(column) for column in x_hat.T]
    ours = [scale[i] * case.delta1[:, i] @ M[i] @ case.u for i in range(4)]
    return case.true_weight_gradient(), np.array(ours)


@holds("S27")
def covariance_form(rng, M_B):
    case = draw(rng, M_B)
    delta, u, x_hat = case.delta1, case.u, hat(case.x1)
    covariance = delta.T @ u / M_B - np.outer(mean(delta), mean(u))
    product = mean(delta * x_hat)[:, np.newaxis] * (x_hat.T @ u / M_B)
    scale = M_B * case.gamma1 / std(case.x1)
    return case.true_weight_gradient(), scale[:, np.newaxis] * (covariance - product)


@holds("(5) BL")
def baseline_angles(rng, M_B):
    case = draw(rng, M_B)
    truth = check.complex_step(lambda W: (case.delta1 * (case.u @ W.T)).sum(), case.W)
    return truth, geometry.baseline_weight_gradient(case.delta1, case.u)


@holds("(2)", "S36")
def previous_error(rng, M_B):
    case = draw(rng, M_B, n=3, n1=5)
    slope = check.complex_step(lambda y: g(y).sum(), case.y)
    ours = batchnorm.previous_error(case.delta1, case.W, above(case), case.gamma1, slope)
    return case.true_delta(), ours


@holds("S12", smallest=2)
def beta_gradient(rng, M_B):
    case = draw(rng, M_B)
    x_hat, delta = hat(case.x1), case.delta1
    truth = check.complex_step(lambda beta: (delta * (x_hat + beta)).sum(), np.zeros(4))
    return truth, batchnorm.beta_gradient(delta)


@holds("S13", smallest=2)
def gamma_gradient(rng, M_B):
    case = draw(rng, M_B)
    return case.true_gamma1_gradient(), batchnorm.gamma_gradient(case.delta1, above(case))


@holds("S15", smallest=2)
def variance_derivative(rng, M_B):
    x = rng.normal(1.0, 2.0, (M_B, 1))
    x_hat, _, s = batchnorm.normalize(x)
    truth = check.complex_step(lambda x: mean((x - mean(x)) ** 2).sum(), x)
    return truth, 2 / M_B * s * x_hat


@holds("(3)", "S26", "S40")
def kernel(rng, M_B):
    case = draw(rng, M_B)
    truth = check.complex_step(lambda x: case.gamma * hat(x), case.x)
    ours = batchnorm.kernel(batchnorm.normalize(case.x), case.gamma)
    return truth, np.einsum("sti,ij->sitj", ours, np.eye(4))


@holds("S38")
def silence(rng, M_B):
    """What a node sends back whose error is along x̂, beside 1, where all of it would be."""
    case = draw(rng, M_B)
    normalized = above(case)
    delta = mean(case.delta1) + std(case.delta1) * normalized.x_hat
    sent = propagation.node_magnitude(delta, normalized)
    return np.ones(4), 1 + sent / (std(delta) * np.sqrt(M_B))


def error_now(id, M_B, rng):
    """Return how far the package is off in one random case, relative to the largest true entry."""
    run, smallest = HOLDING[id]
    truth, ours = run(rng, max(M_B, smallest))
    return error(ours, truth)
