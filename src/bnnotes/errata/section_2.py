"""Experiments on section 2 of the source: batch normalization."""

import numpy as np

from .. import network
from .experiment import Measured, experiment
from .forward import draw, g_prime, hat, mean, std


@experiment("S14")
def one_class(rng, M_B):
    """Share of wrong predictions for a batch of one class: its own statistics, the population's."""
    phi = np.repeat([[0.0], [1.0]], 64, axis=0)
    psi = rng.normal(size=(128, 2)) + 8 * (phi - 0.5)
    trained = network.create([2, 4, 1], batch_norm=True, activation="tanh", rng=rng)
    network.train(trained, psi, phi, learning_rate=1.0, batch_size=32, epochs=15, rng=rng)
    same = psi[64:][:M_B]
    statistics = network.population_statistics(trained, psi)
    wrong = [network.predict(trained, same, s) < 0.5 for s in (None, statistics)]
    return Measured(*(float(w.mean()) for w in wrong))


def kernel(x, gamma, eps=0.0):
    """Equation (3) of one neuron."""
    M_B, x_hat = len(x), hat(x, eps)
    return gamma / std(x, eps) * (np.eye(M_B) - 1 / M_B - np.outer(x_hat, x_hat) / M_B)


@experiment("S16", smallest=3)
def chain_rule(rng, M_B):
    case = draw(rng, M_B, n=(), n1=())
    delta, delta1, W = case.true_delta(), case.delta1, case.W
    along = kernel(case.x1, case.gamma1) * (W * g_prime(case.y))
    return delta, delta @ along, delta1 @ along


@experiment("S17", smallest=3)
def plugged_in(rng, M_B):
    case = draw(rng, M_B, n=(), n1=())
    delta1, W, slope = case.delta1, case.W, g_prime(case.y)

    def plugged(gamma, sigma, x_hat):
        bracket = delta1 - mean(delta1) - x_hat * mean(delta1 * x_hat)
        return gamma * W * slope / sigma * bracket

    printed = plugged(case.gamma, std(case.x), hat(case.x))
    corrected = plugged(case.gamma1, std(case.x1), hat(case.x1))
    return case.true_delta(), printed, corrected


@experiment("S19", smallest=3)
def dimension_analysis(rng, M_B):
    case = draw(rng, M_B)
    x_hat, delta1 = hat(case.x1), case.delta1
    bracket = delta1 - mean(delta1) - x_hat * mean(delta1 * x_hat)
    error = case.gamma1 / std(case.x1) * bracket
    printed, corrected = (error @ W * g_prime(case.y) for W in (case.W.T, case.W))
    return case.true_delta(), printed, corrected
