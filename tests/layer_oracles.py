"""One layer with BN, its gradients by ten ways that share no formula, and how far they are apart.

C = Σ Δ y. Each oracle returns ∂C/∂W, the Δ one layer down, and ∂C/∂γ. As a script it prints the
table of all pairs: ``python tests/layer_oracles.py``, with PyTorch and jax too in the environment
of ``make bench``.
"""

import functools
import importlib.util
import itertools
from typing import NamedTuple

import autograd
import autograd.numpy as anp
import mpmath
import numpy as np
from cases import layer, plain_hat

from bnnotes import batchnorm, check, geometry, propagation

DIGITS = 50
TINY = 1e-300  # PyTorch refuses eps = 0
CASES = tuple(
    layer(M_B, *widths, eps=eps)
    for M_B, widths in ((2, (3, 2)), (3, (3, 2)), (8, (4, 4)), (32, (2, 3)))
    for eps in (0.0, 0.1)
)


class Gradients(NamedTuple):
    """∂C/∂W, (n, n_prev); Δ one layer down, (M_B, n_prev); ∂C/∂γ, (n,)."""

    W: np.ndarray
    below: np.ndarray
    gamma: np.ndarray


def columns(case):
    """x, its mean and s of every neuron, in plain loops."""
    M_B, n = case.delta.shape
    x = [
        [sum(w * u for w, u in zip(case.W[i], case.u_prev[t], strict=True)) for t in range(M_B)]
        for i in range(n)
    ]
    mean = [sum(column) / M_B for column in x]
    s = [
        (sum((v - m) ** 2 for v in column) / M_B + case.eps) ** 0.5
        for column, m in zip(x, mean, strict=True)
    ]
    return x, mean, s


def printed(case):
    """(1), (2) and S13 as the source prints them, sample by sample."""
    M_B, n = case.delta.shape
    n_prev, samples = case.W.shape[1], range(M_B)
    x, mean, s = columns(case)
    hat = [[(v - mean[i]) / s[i] for v in x[i]] for i in range(n)]
    delta, u = case.delta, case.u_prev
    W, below, gamma = np.zeros((n, n_prev)), np.zeros((M_B, n_prev)), np.zeros(n)
    for i in range(n):
        mean_delta = sum(delta[t, i] for t in samples) / M_B
        along_delta = sum(delta[t, i] * hat[i][t] for t in samples) / M_B
        for j in range(n_prev):
            mean_u = sum(u[t, j] for t in samples) / M_B
            along_u = sum(u[t, j] * hat[i][t] for t in samples) / M_B
            for t in samples:
                bracket = u[t, j] - mean_u - hat[i][t] * along_u
                W[i, j] += delta[t, i] * case.gamma[i] / s[i] * bracket
                bracket = delta[t, i] - mean_delta - hat[i][t] * along_delta
                sent = case.gamma[i] / s[i] * case.W[i, j] * bracket
                below[t, j] += case.g_prime[t, j] * sent
        gamma[i] = sum(delta[t, i] * hat[i][t] for t in samples)
    return Gradients(W, below, gamma)


def by_kernel(case):
    """The chain rule through (3), a sum over two samples; ∂y/∂γ is x̂."""
    M_B, n = case.delta.shape
    n_prev = case.W.shape[1]
    x, mean, s = columns(case)
    W, below, gamma = np.zeros((n, n_prev)), np.zeros((M_B, n_prev)), np.zeros(n)
    for i in range(n):
        hat = [(v - mean[i]) / s[i] for v in x[i]]
        for t, r in itertools.product(range(M_B), repeat=2):
            kernel = case.gamma[i] / s[i] * ((t == r) - 1 / M_B - hat[t] * hat[r] / M_B)
            for j in range(n_prev):
                W[i, j] += case.delta[t, i] * kernel * case.u_prev[r, j]
                below[r, j] += case.delta[t, i] * kernel * case.W[i, j] * case.g_prime[r, j]
        gamma[i] = sum(case.delta[t, i] * hat[t] for t in range(M_B))
    return Gradients(W, below, gamma)


def matrix(case):
    """(γ/s) Δ·M·u with the matrix M of every neuron."""
    M_B, n = case.delta.shape
    x_hat, s = plain_hat(case.x, case.eps), np.sqrt(case.x.var(axis=0) + case.eps)
    ones = np.ones((M_B, M_B))
    W, below = np.zeros(case.W.shape), np.zeros(case.u_prev.shape)
    for i in range(n):
        M = np.eye(M_B) - (ones + np.outer(x_hat[:, i], x_hat[:, i])) / M_B
        sent = case.gamma[i] / s[i] * case.delta[:, i] @ M
        W[i] = sent @ case.u_prev
        below += np.outer(sent, case.W[i])
    return Gradients(W, below * case.g_prime, np.diag(case.delta.T @ x_hat))


def angles(case):
    """(5) with κ, S37 and (6), the cosines as dot products of hatted vectors."""
    M_B = len(case.delta)
    x_hat, delta_hat, u_hat = (plain_hat(v) for v in (case.x, case.delta, case.u_prev))
    s = np.sqrt(case.x.var(axis=0) + case.eps)
    kappa, sigma = case.x.var(axis=0) / s**2, case.delta.std(axis=0)
    cos1 = (delta_hat * x_hat).mean(axis=0)
    bracket = delta_hat.T @ u_hat - (kappa * cos1)[:, np.newaxis] * (x_hat.T @ u_hat)
    W = np.outer(case.gamma * sigma / s, case.u_prev.std(axis=0)) * bracket
    sent = case.gamma / s * sigma * (delta_hat - kappa * cos1 * x_hat)
    return Gradients(W, sent @ case.W * case.g_prime, np.sqrt(kappa) * sigma * M_B * cos1)


def ours(case):
    """batchnorm.weight_gradient, previous_error, gamma_gradient."""
    normalized = batchnorm.normalize(case.x, case.eps)
    update = case.delta, case.u_prev, normalized, case.gamma
    down = case.delta, case.W, normalized, case.gamma, case.g_prime
    return Gradients(
        batchnorm.weight_gradient(*update),
        batchnorm.previous_error(*down),
        batchnorm.gamma_gradient(case.delta, normalized),
    )


def our_angles(case):
    """geometry.weight_gradient, propagation.previous_error_from_angles, geometry.gamma_gradient."""
    normalized = batchnorm.normalize(case.x, case.eps)
    update = case.delta, case.u_prev, normalized, case.gamma
    down = case.delta, case.W, normalized, case.gamma, case.g_prime
    return Gradients(
        geometry.weight_gradient(*update),
        propagation.previous_error_from_angles(*down),
        geometry.gamma_gradient(case.delta, normalized),
    )


def complex_step(case):
    return Gradients(
        check.complex_step(lambda W: case.cost(x=case.u_prev @ W.T), case.W),
        check.complex_step(lambda y: case.cost(x=np.tanh(y) @ case.W.T), case.y_prev),
        check.complex_step(lambda gamma: case.cost(gamma=gamma), case.gamma),
    )


def fifty_digits(case):
    """Central differences of the definition, in 110 digits: right to more than 50."""
    with mpmath.workdps(2 * DIGITS + 10):
        width = mpmath.mpf(10) ** -(DIGITS // 2 + 5)
        exact = [
            [[mpmath.mpf(float(v)) for v in row] for row in np.atleast_2d(array)]
            for array in (case.W, case.y_prev, case.gamma)
        ]
        values = [
            [_difference(case, exact, k, index, width) for index in _indices(exact[k])]
            for k in range(3)
        ]
    shapes = case.W.shape, case.y_prev.shape, case.gamma.shape
    return Gradients(
        *(np.array(found).reshape(shape) for found, shape in zip(values, shapes, strict=True))
    )


def _indices(rows):
    return itertools.product(range(len(rows)), range(len(rows[0])))


def _difference(case, exact, k, index, width):
    row, column = index
    costs = []
    for sign in (1, -1):
        moved = [[list(line) for line in array] for array in exact]
        moved[k][row][column] += sign * width
        costs.append(_exact_cost(case, *moved))
    return float((costs[0] - costs[1]) / (2 * width))


# All but one of them are the same in each difference.
_tanh = functools.cache(mpmath.tanh)


def _exact_cost(case, W, y_prev, gamma):
    M_B, total = len(y_prev), mpmath.mpf(0)
    u = [[_tanh(v) for v in row] for row in y_prev]
    for i, weights in enumerate(W):
        x = [mpmath.fdot(weights, row) for row in u]
        mean = mpmath.fsum(x) / M_B
        s = mpmath.sqrt(mpmath.fsum((v - mean) ** 2 for v in x) / M_B + mpmath.mpf(case.eps))
        for t in range(M_B):
            total += mpmath.mpf(float(case.delta[t, i])) * gamma[0][i] * (x[t] - mean) / s
    return total


def hips_autograd(case):
    def cost(W, y_prev, gamma):
        x = anp.dot(anp.tanh(y_prev), W.T)
        mean = anp.mean(x, axis=0)
        s = anp.sqrt(anp.mean((x - mean) ** 2, axis=0) + case.eps)
        return anp.sum(case.delta * (gamma * (x - mean) / s + case.beta))

    return Gradients(*autograd.grad(cost, (0, 1, 2))(case.W, case.y_prev, case.gamma))


def pytorch(case):
    """torch.nn.functional.batch_norm and its backward."""
    import torch

    W, y_prev, gamma = (
        torch.tensor(v, requires_grad=True) for v in (case.W, case.y_prev, case.gamma)
    )
    x = torch.tanh(y_prev) @ W.T
    y = torch.nn.functional.batch_norm(
        x, None, None, gamma, torch.tensor(case.beta), training=True, eps=case.eps or TINY
    )
    y.backward(torch.tensor(case.delta))
    return Gradients(*(v.grad.numpy() for v in (W, y_prev, gamma)))


def by_jax(case):
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def cost(W, y_prev, gamma):
        x = jnp.tanh(y_prev) @ W.T
        s = jnp.sqrt(jnp.var(x, axis=0) + case.eps)
        return (case.delta * (gamma * (x - x.mean(axis=0)) / s + case.beta)).sum()

    found = jax.grad(cost, (0, 1, 2))(case.W, case.y_prev, case.gamma)
    return Gradients(*(np.asarray(v) for v in found))


ORACLES = {
    "50 digits": fifty_digits,
    "printed (1), (2)": printed,
    "kernel (3)": by_kernel,
    "(γ/s)·Δ·M·u": matrix,
    "angles (5), (6)": angles,
    "ours": ours,
    "ours, angles": our_angles,
    "complex step": complex_step,
    "autograd": hips_autograd,
}
# Peers: tried where they are installed.
PEERS = {"PyTorch": ("torch", pytorch), "jax": ("jax", by_jax)}


def installed():
    """Return the oracles that can be asked here, by name."""
    peers = {
        name: oracle for name, (module, oracle) in PEERS.items() if importlib.util.find_spec(module)
    }
    return {**ORACLES, **peers}


def missing():
    """Return the names of the peers that are not installed."""
    return sorted(PEERS.keys() - installed().keys())


def sizes(case):
    """Return what each of the three is before M takes anything away, its largest entry.

    The scale of the roundings, also where the gradient is 0.
    """
    s = np.sqrt(case.x.var(axis=0) + case.eps)
    sent = np.abs(case.gamma / s * case.delta)
    return Gradients(
        (sent.T @ np.abs(case.u_prev)).max(),
        (np.abs(case.g_prime) * (sent @ np.abs(case.W))).max(),
        np.abs(case.delta * plain_hat(case.x, case.eps)).sum(axis=0).max(),
    )


def bound(name, case):
    """How far an oracle may be from the truth, relative to `sizes`.

    Roundings: four sums over the samples, each once forward and once backward, and two dozen
    single ones. x̂ enters twice, and is as exact as x beside s: the mean is subtracted once.
    """
    if name == "50 digits":
        return float(np.finfo(float).eps)
    s = np.sqrt(case.x.var(axis=0) + case.eps)
    heaviest = 1 + np.abs(plain_hat(case.x, case.eps)).max()
    added = np.abs(case.u_prev) @ np.abs(case.W).T
    roundings = (8 * len(case.x) + 48) * np.finfo(float).eps / 2
    return roundings * heaviest**2 * (1 + (added / s).max())


@functools.cache
def results():
    """Return the gradients of every case by every oracle."""
    return [{name: oracle(case) for name, oracle in installed().items()} for case in CASES]


def distance(case, one, other):
    """Return the largest difference of two results, relative to `sizes`."""
    return max(
        float(np.abs(a - b).max() / size)
        for a, b, size in zip(one, other, sizes(case), strict=True)
    )


def distances():
    """Return for each pair of oracles the largest distance over all cases."""
    found = {}
    for case, by_name in zip(CASES, results(), strict=True):
        for pair in itertools.combinations(by_name, 2):
            apart = distance(case, *(by_name[name] for name in pair))
            found[pair] = max(apart, found.get(pair, 0.0))
    return found


def table():
    """Return all pairs as Markdown, in units of 1e-16."""
    names, found = list(installed()), distances()
    lines = [f"| 1e-16 | {' | '.join(names[1:])} |", f"|---{'|---:' * (len(names) - 1)}|"]
    for k, row in enumerate(names[:-1]):
        cells = [f"{found[row, name] * 1e16:.1f}" for name in names[k + 1 :]]
        lines.append(f"| {' | '.join([row, *[''] * k, *cells])} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
    if missing():
        print(f"\nNot installed here: {', '.join(missing())}.")
