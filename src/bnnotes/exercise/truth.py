"""What is right in each exercise, by the formulas of this package and on random layers."""

from __future__ import annotations

import functools
import math

import numpy as np

from .. import (
    baseline,
    batchnorm,
    digits,
    geometry,
    growth,
    network,
    normalizers,
    sample_space,
)
from ..activations import Activation, sigmoid
from ..check import complex_step

TRUTH = {}
EPS = 0.1


def truth(id):
    """Register ``of(rng)``, or ``of(rng, value)`` of an answer that may be any of many."""

    def register(of):
        TRUTH[id] = of
        return of

    return register


def layer(rng, M_B=8, n=3, n_prev=4, eps=0.0):
    """A layer with BN: the error, the inputs, the weights, the normalized x and γ."""
    u, W = rng.normal(size=(M_B, n_prev)), rng.normal(size=(n, n_prev))
    delta, gamma = rng.normal(size=(M_B, n)), rng.uniform(0.5, 2, n)
    return delta, u, W, batchnorm.normalize(u @ W.T, eps), gamma


def ratio(a, b):
    """By which factor a is b."""
    return np.vdot(a, b) / np.vdot(b, b)


def rank(a):
    return int(np.linalg.matrix_rank(a, tol=1e-9))


def rank_of_the_kernel(rng, M_B):
    normalized = batchnorm.normalize(rng.normal(size=(M_B, 1)))
    return rank(batchnorm.kernel(normalized, np.ones(1))[:, :, 0])


@truth("0.1")
def rank_at_three(rng):
    return rank_of_the_kernel(rng, 3)


@truth("0.2")
def rank_at_any_size(rng):
    M_B = int(rng.integers(2, 40))
    return (M_B,), rank_of_the_kernel(rng, M_B)


@truth("0.3")
def error_along_x_hat(rng):
    _, _, _, normalized, gamma = layer(rng)
    return np.abs(batchnorm.input_error(normalized.x_hat, normalized, gamma)).max()


@truth("1.1")
def error_of_squares(rng):
    y, phi = rng.normal(size=(6, 2)), rng.integers(0, 2, (6, 2)).astype(float)
    cost = complex_step(lambda y: ((sigmoid.g(y) - phi) ** 2).sum() / (2 * len(y)), y)
    return (sigmoid.g(y), phi), cost


@truth("1.2")
def batch_doubled(rng):
    net = network.create([4, 3, 2], batch_norm=False, activation="tanh", rng=rng)
    psi, phi = rng.normal(size=(6, 4)), rng.integers(0, 2, (6, 2)).astype(float)
    once, twice = (
        network.cost_and_gradients(net, np.tile(psi, (k, 1)), np.tile(phi, (k, 1)))[1][0].W
        for k in (1, 2)
    )
    u = rng.uniform(size=(6, 2))
    pair = baseline.output_error(np.tile(u, (2, 1)), np.tile(phi, (2, 1)))[:6]
    return ratio(pair, baseline.output_error(u, phi)), ratio(twice, once)


@truth("1.3")
def previous_error(rng):
    delta, W, g_prime = rng.normal(size=(6, 5)), rng.normal(size=(5, 5)), rng.normal(size=(6, 5))
    return (delta, W, g_prime), baseline.previous_error(delta, W, g_prime)


@truth("1.4")
def cost_of_a_blank_network(rng):
    net = network.create([4, 3, 10], batch_norm=False, activation="tanh", rng=rng)
    for one in net.layers:
        one.W, one.b = 0 * one.W, 0 * one.b
    labels = np.eye(10)[rng.integers(0, 10, 6)]
    cost, gradients = network.cost_and_gradients(net, rng.normal(size=(6, 4)), labels)
    return cost, sum(np.abs(part).max() > 0 for one in gradients for part in vars(one).values())


@truth("1.5")
def batch_as_noisy_as_long(rng):
    return _noise_scale()


@functools.cache
def _noise_scale():
    data, net = digits.load("ten"), digits.trained("ten", epochs=5)

    def flat(psi, phi):
        gradients = network.cost_and_gradients(net, psi, phi)[1]
        return np.concatenate([part.ravel() for one in gradients for part in vars(one).values()])

    single = np.array([flat(data.psi[[s]], data.phi[[s]]) for s in range(len(data.psi))])
    v = single.mean(axis=0)
    S_squared = ((single - v) ** 2).sum() / (len(single) - 1)
    return 1 / (v @ v / S_squared + 1 / len(single))


@truth("2.1")
def responses(rng):
    x_hat = layer(rng)[3].x_hat[:, 0]
    M = sample_space.mixing_matrix(x_hat)
    return np.abs(M.sum(axis=1)).max(), np.abs(M @ x_hat).max()


@truth("2.2")
def kernel_of_two(rng):
    x, eps = rng.normal(size=(2, 1)), rng.uniform(0.1, 1)
    pair = batchnorm.normalize(x, eps)
    return (geometry.kappa(pair)[0],), batchnorm.kernel(pair, pair.std)[:, :, 0]


@truth("2.3")
def equation_2(rng):
    delta, _, W, normalized, gamma = layer(rng)
    g_prime = rng.uniform(size=(8, 4))
    given = (delta, W, normalized.x_hat, normalized.std, gamma, g_prime)
    return given, batchnorm.previous_error(delta, W, normalized, gamma, g_prime)


def weight_gradient_moved(rng, by):
    """By how much ∂C/∂W changes where `by` is added to every u, in its own units."""
    delta, u, W, normalized, gamma = layer(rng)
    before = batchnorm.weight_gradient(delta, u, normalized, gamma)
    moved = batchnorm.normalize((u + by) @ W.T)
    change = batchnorm.weight_gradient(delta, u + by, moved, gamma) - before
    # The sum u + by is rounded before any formula sees it.
    return np.round(np.abs(change).max() / np.abs(before).max(), 6)


def as_printed(delta, u, x, gamma):
    """∂C/∂W by the words of equation (1), with numpy's mean and standard deviation."""
    x_hat = (x - x.mean(axis=0)) / x.std(axis=0)
    bracket = (u - u.mean(axis=0))[:, np.newaxis] - x_hat[:, :, np.newaxis] * (x_hat.T @ u / len(u))
    return np.einsum("si,sij->ij", gamma / x.std(axis=0) * delta, bracket)


@truth("2.4")
def a_million_added(rng):
    errors = []
    for _ in range(100):
        delta, u, W, normalized, gamma = layer(rng)
        right = batchnorm.weight_gradient(delta, u, normalized, gamma)
        moved = (as_printed(delta, u + by, (u + by) @ W.T, gamma) for by in (0, 2.0**20))
        errors.append([np.abs(one - right).max() / np.abs(right).max() for one in moved])
    near, far = np.median(errors, axis=0)
    return weight_gradient_moved(rng, 2.0**20), np.log10(far / near)


@truth("3.1")
def rank_of_64_columns(rng):
    _, u, _, normalized, _ = layer(rng, M_B=3, n=1, n_prev=64)
    return rank(sample_space.mix(normalized.x_hat, u))


@truth("3.2")
def gradient_of_twice_the_weights(rng):
    delta, u, W, normalized, gamma = layer(rng)
    doubled = batchnorm.normalize(u @ (2 * W).T)
    at_2W = batchnorm.weight_gradient(delta, u, doubled, gamma)
    return ratio(at_2W, batchnorm.weight_gradient(delta, u, normalized, gamma))


@truth("3.3")
def integral_of_the_derivative(rng):
    u, eps = rng.normal(size=(8, 1)), rng.uniform(0.01, 1)
    far = 1e9
    right, left = (batchnorm.forward(W * u, np.ones(1), np.zeros(1), eps)[0] for W in (far, -far))
    return (geometry.standardize(u), eps), right - left


@truth("3.4")
def y_mixed(rng):
    eps = 1e-5
    _, _, _, normalized, gamma = layer(rng, eps=eps)
    y = gamma * normalized.x_hat + rng.normal(size=3)
    return (gamma, normalized.std, normalized.x_hat, eps), sample_space.mix(normalized.x_hat, y)


@truth("4.1")
def third_angles(rng):
    theta1, theta2 = rng.uniform(0, 90, 2)
    (a, b), phi = np.radians((theta1, theta2)), np.array([0, np.pi])
    flat = np.cos(a) * np.cos(b) + np.sin(a) * np.sin(b) * np.cos(phi)
    return (theta1, theta2), tuple(np.degrees(np.arccos(flat)))


@truth("4.2")
def largest_gradient(rng, angles):
    """The bracket of (5) at these angles, in degrees, beside the largest of all."""
    theta1, theta2, dihedral = np.radians(np.asarray(angles, float))
    grid = np.radians(np.arange(0, 181, 5))
    product = np.sin(grid)[:, np.newaxis] * np.sin(grid)
    largest = np.abs(product[..., np.newaxis] * np.cos(grid)).max()
    return abs(np.sin(theta1) * np.sin(theta2) * np.cos(dihedral)), largest


@truth("4.3")
def only_a_factor(rng):
    delta, u, _, normalized, gamma = layer(rng, n=1)
    settled = sample_space.mix(normalized.x_hat, delta)
    found = batchnorm.weight_gradient(settled, u, normalized, gamma)
    return (gamma[0], normalized.std[0]), ratio(found, baseline.weight_gradient(settled, u))


@truth("4.4")
def stopped_by(rng):
    stops = []
    for M_B, n in ((3, 1), (3, 2), (4, 2)):
        _, u, _, normalized, _ = layer(rng, M_B=M_B, n=1, n_prev=n)
        of_u = rank(sample_space.mix(normalized.x_hat, u))
        of_delta = rank(sample_space.mixing_matrix(normalized.x_hat[:, 0]))
        # No Mu at all; all that MΔ can be; or a part of it, to which MΔ turns orthogonal.
        stops.append("A" if of_u == 0 else "B" if of_u == of_delta else "C")
    return tuple(stops)


@truth("4.5")
def bracket_at_zero(rng):
    eps = 1e-5
    x = geometry.standardize(rng.normal(size=(8, 1)))
    sigma = np.logspace(-4, 0, 401)
    share = 1 - geometry.kappa(batchnorm.normalize(sigma * x, eps))
    return share[-1], np.exp(np.interp(-0.5, -share, np.log(sigma)))


@truth("5.1")
def sent_back(rng):
    x_hat = geometry.standardize(rng.normal(size=(25, 1)))
    across = geometry.standardize(sample_space.mix(x_hat, rng.normal(size=(25, 1))))
    angle = np.radians(150)
    delta = 0.2 * (np.cos(angle) * x_hat + np.sin(angle) * across)
    normalized = batchnorm.normalize(x_hat)
    passed = np.linalg.norm(sample_space.mix(normalized.x_hat, delta))
    return passed, batchnorm.gamma_gradient(delta, normalized)[0]


@truth("5.2")
def eps_for_half(rng):
    eps = np.linspace(0.1, 2, 200)  # in units of σ²(x)
    x = geometry.standardize(rng.normal(size=(8, 1))) / np.sqrt(eps)
    back = np.linalg.norm(sample_space.mix(batchnorm.normalize(x, 1.0).x_hat, x), axis=0)
    return np.interp(0.5, back / np.linalg.norm(x, axis=0), eps)


@truth("5.3")
def layers_to_a_million(rng):
    return math.ceil(math.log(1e6) / math.log(growth.growth("tanh")))


@truth("5.4")
def leaky_growth(rng):
    a = rng.uniform(0.1, 0.9)

    def slope(y):
        return np.where(y.real > 0, 1, a).astype(y.dtype)

    return (a,), growth.growth(Activation("leaky", lambda y: y * slope(y), slope))


@truth("6.1")
def rate_for_twice_the_weights(rng):
    delta, u, W, normalized, gamma = layer(rng)
    doubled = batchnorm.normalize(u @ (2 * W).T)
    G = batchnorm.weight_gradient(delta, u, normalized, gamma)
    at_2W = batchnorm.weight_gradient(delta, u, doubled, gamma)
    # The angle is the step over the length.
    return ratio(G, at_2W / 2)


@truth("6.2")
def settled_length(rng):
    def settled(decay, length=1.0, rate=0.1, G=1.0):
        """Where the growth by the gradient, orthogonal to W, meets the decay."""
        for _ in range(5_000):
            length = math.hypot((1 - rate * decay) * length, rate * G / length)
        return length

    return settled(16e-2) / settled(1e-2)


@truth("6.3")
def all_called_odd(rng):
    M_B, gamma = int(rng.integers(4, 40)), rng.normal()
    # No x̂ lies farther out than that of one sample beside many alike.
    farthest = np.abs(batchnorm.normalize(np.eye(M_B)[:, :1]).x_hat).max()
    return (gamma, M_B), abs(gamma) * farthest


@truth("7.2")
def unseen_sign(rng, delta):
    """The wrong ∂C/∂x of this Δ beside the right one, or why they can be told apart."""
    delta = np.asarray(delta, float)
    _, _, _, normalized, gamma = layer(rng, M_B=len(delta), n=delta.shape[1])
    right = batchnorm.input_error(delta, normalized, gamma)
    if np.abs(right).max() <= 1e-6 * np.abs(delta).max():
        return "the true ∂C/∂x is zero here, so this Δ shows nothing, right or wrong."
    mean = delta.mean(axis=0)
    wrong = right + 2 * gamma / normalized.std * mean
    # Column by column, whose errors may be of any size.
    if (np.abs(wrong - right).max(axis=0) > 1e-2 * np.abs(right).max(axis=0)).any():
        return f"your Δ has the means {', '.join(f'{one:.2g}' for one in mean)}: their sign shows."
    return wrong, right


@truth("7.3")
def by_n_minus_one(rng):
    M_B = int(rng.integers(4, 12))
    delta, x = rng.normal(size=(M_B, 1)), rng.normal(size=(M_B, 1))

    def cost(x):
        centered = x - x.mean(axis=0)
        return (delta * centered / np.sqrt((centered**2).sum(axis=0) / (M_B - 1))).sum()

    right = batchnorm.input_error(delta, batchnorm.normalize(x), np.ones(1))
    return (M_B,), ratio(complex_step(cost, x), right)


def fused(rng, kind=normalizers.batch_norm, shape=(12, 6)):
    """Δ, x, γ, the kept values and the gradients of a normalizer."""
    x, delta, gamma = 2 + rng.normal(size=shape), rng.normal(size=shape), rng.uniform(0.5, 2, 6)
    kept = kind.forward(x, gamma, np.zeros(6), EPS)[1]
    return delta, x, gamma, kept, kind.backward(delta, kept, gamma)


def kept_and_summed(rng):
    delta, x, gamma, kept, gradients = fused(rng)
    return delta, x, gamma, x.mean(axis=0), 1 / kept.std[0], gradients


@truth("8.1")
def statistics(rng):
    _, x, _, mean, inv_std, _ = kept_and_summed(rng)
    return (x, EPS), (mean, inv_std)


@truth("8.2")
def reductions(rng):
    delta, x, _, mean, inv_std, gradients = kept_and_summed(rng)
    return (delta, x, mean, inv_std), (gradients.beta, gradients.gamma)


@truth("8.3")
def coefficients(rng):
    delta, x, gamma, mean, inv_std, gradients = kept_and_summed(rng)
    columns = [np.stack([d, v, np.ones_like(d)], axis=1) for d, v in zip(delta.T, x.T, strict=True)]
    solved = [
        np.linalg.lstsq(c, at, rcond=None)[0] for c, at in zip(columns, gradients.x.T, strict=True)
    ]
    sums = gradients.beta, gradients.gamma
    return (gamma, mean, inv_std, *sums, len(x)), tuple(np.transpose(solved))


@truth("8.4")
def of_images(rng):
    delta, x, gamma, _, gradients = fused(rng, shape=(4, 6, 3, 2))
    return (delta, x, gamma, EPS), gradients.x


@truth("8.5")
def of_a_rank(rng):
    delta, x, gamma, mean, inv_std, gradients = kept_and_summed(rng)
    sums = gradients.beta, gradients.gamma
    shard = slice(4, 7)
    return (delta[shard], x[shard], gamma, mean, inv_std, sums, len(x)), gradients.x[shard]
