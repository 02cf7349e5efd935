"""Experiments on section 1 of the source: the baseline."""

import numpy as np

from .. import baseline, check, network
from .experiment import beyond, experiment
from .forward import g, g_prime, hat, sigmoid


def log_loss(u, phi):
    return -(phi * np.log(u) + (1 - phi) * np.log(1 - u)).sum()


def labels(rng, shape):
    return (rng.random(shape) < 0.5).astype(float)


@experiment("S1")
def cost_of_all_samples(rng, M_B):
    y, phi, M = rng.normal(size=(M_B, 2)), labels(rng, (M_B, 2)), 4 * M_B
    truth = check.complex_step(lambda y: log_loss(sigmoid(y), phi) / M_B, y)
    printed = check.complex_step(lambda y: log_loss(sigmoid(y), phi) / M, y)
    return truth, printed, (sigmoid(y) - phi) / M_B


@experiment("S2", smallest=1)
def output(rng, M_B):
    net = network.create([3, 4, 2], batch_norm=False, activation="tanh", rng=rng)
    psi, (first, last) = rng.normal(size=(M_B, 3)), net.layers
    u = g(psi @ first.W.T + first.b)
    truth = sigmoid(u @ last.W.T + last.b)
    return truth, sigmoid(network.feed_forward(net, psi)[-1].y), network.predict(net, psi)


class Line:
    """One layer with a sigmoid, and a batch: the smallest network that learns."""

    def __init__(self, rng, M_B):
        self.net = network.create([3, 1], batch_norm=False, activation="tanh", rng=rng)
        self.psi, self.phi = rng.normal(size=(M_B, 3)), labels(rng, (M_B, 1))
        self.W = self.net.layers[0].W

    def cost(self, W, b=0.0):
        return log_loss(sigmoid(self.psi @ W.T + b), self.phi) / len(self.psi)

    def slopes(self):
        """∂C/∂W and ∂C/∂b, from the forward pass."""
        by_b = check.complex_step(lambda b: self.cost(self.W, b), np.zeros(1))
        return check.complex_step(self.cost, self.W), by_b

    def trained(self, eta, rng):
        """Return W and b after one step of SGD; b was 0."""
        options = {"batch_size": len(self.psi), "epochs": 1, "rng": rng}
        network.train_whole(self.net, self.psi, self.phi, learning_rate=eta, **options)
        return self.net.layers[0].W, self.net.layers[0].b


@experiment("S3", smallest=1)
def descent(rng, M_B, eta=0.3):
    line = Line(rng, M_B)
    W, (slope, _) = line.W, line.slopes()
    v = (sigmoid(line.psi @ W.T) - line.phi).T @ line.psi / M_B
    return W - eta * slope, W - eta * v, line.trained(eta, rng)[0]


@experiment("S42", smallest=1)
def along_v(rng, M_B):
    """How C changes along v: a direction of descent would lower it."""
    line = Line(rng, M_B)
    v, _ = line.slopes()
    size = np.array([(v * v).sum()])
    return check.complex_step(lambda t: line.cost(line.W + t * v), np.zeros(1)), -size, size


@experiment("S43", smallest=1)
def one_rate(rng, M_B, eta=0.3):
    line = Line(rng, M_B)
    W, (by_W, by_b) = line.W, line.slopes()
    delta = (sigmoid(line.psi @ W.T) - line.phi) / M_B
    printed = eta * np.append(delta.T @ line.psi, delta.sum())
    W1, b1 = line.trained(eta, rng)
    return eta * np.append(by_W, by_b), printed, np.append(W - W1, -b1)


@beyond("S43", smallest=3)
def rate_with_bn(rng, M_B, factor=3.0):
    """∂C/∂W over the length of W, where BN follows: W three times as long."""
    u, W, delta = rng.normal(size=(M_B, 4)), rng.normal(size=4), rng.normal(size=M_B)
    short, long = (
        check.complex_step(lambda W: (delta * hat(u @ W)).sum(), c * W) / c for c in (1.0, factor)
    )
    return long, short, short / factor**2


def boundary(y, phi):
    """Return ∂C/∂y from the forward pass, and the two factors of S4."""
    M_B, u = len(y), sigmoid(y)
    truth = check.complex_step(lambda y: log_loss(sigmoid(y), phi) / M_B, y)
    return truth, (u - phi) / (u * (1 - u)) / M_B, u * (1 - u)


@experiment("S4")
def output_slope(rng, M_B):
    truth, cost_u, slope = boundary(rng.normal(size=(M_B, 2)), labels(rng, (M_B, 2)))
    return truth, cost_u * slope, baseline.boundary_error(cost_u, slope)


@beyond("S4")
def overflow(rng, M_B):
    y, phi = np.full((M_B, 1), 40.0), np.zeros((M_B, 1))
    # log(1 + e^y) for y > 0, where the exponential stays small.
    truth = check.complex_step(lambda y: (y + np.log(1 + np.exp(-y))).sum() / M_B, y)
    u = sigmoid(y)
    with np.errstate(divide="ignore", invalid="ignore"):
        printed = (u - phi) / (u * (1 - u)) / M_B * (u * (1 - u))
    return truth, printed, (u - phi) / M_B


@experiment("S5")
def output_error(rng, M_B):
    y, phi = rng.normal(size=(M_B, 2)), labels(rng, (M_B, 2))
    u = sigmoid(y)
    return boundary(y, phi)[0], (u - phi) / M_B, baseline.output_error(u, phi)


@experiment("S41")
def difference(rng, M_B):
    """One factor for all samples, read off the first."""
    y, phi = rng.normal(size=(M_B, 2)), labels(rng, (M_B, 2))
    truth, apart = boundary(y, phi)[0], sigmoid(y) - phi
    return truth, truth[0, 0] / apart[0, 0] * apart, apart / M_B


@experiment("S6")
def transpose(rng, M_B, n=4):
    y, W, b = rng.normal(size=(M_B, n)), rng.normal(size=(n, n)), rng.normal(size=n)
    delta1 = rng.normal(size=(M_B, n))
    truth = check.complex_step(lambda y: (delta1 * (g(y) @ W.T + b)).sum(), y)
    # Row s of `delta1 @ W.T` is W Δ_s, of `delta1 @ W` it is Wᵀ Δ_s.
    return truth, delta1 @ W.T * g_prime(y), delta1 @ W * g_prime(y)


@experiment("S7", smallest=1)
def weight_gradient(rng, M_B):
    u, W, delta = rng.normal(size=(M_B, 3)), rng.normal(size=(4, 3)), rng.normal(size=(M_B, 4))
    truth = check.complex_step(lambda W: (delta * (u @ W.T)).sum(), W)
    printed = sum(np.outer(delta[s], u[s]) for s in range(M_B))
    return truth, printed, baseline.weight_gradient(delta, u)


@experiment("S8", smallest=1)
def bias_gradient(rng, M_B):
    x, delta = rng.normal(size=(2, M_B, 4))
    truth = check.complex_step(lambda b: (delta * (x + b)).sum(), np.zeros(4))
    return truth, sum(delta[s] for s in range(M_B)), baseline.bias_gradient(delta)


@experiment("S9")
def all_four(rng, M_B, n=4):
    u0, phi = rng.normal(size=(M_B, n)), labels(rng, (M_B, 1))
    W1, W2, W3 = rng.normal(size=(n, n)), rng.normal(size=(n, n)), rng.normal(size=(1, n))

    def cost(W1):
        return log_loss(sigmoid(g(g(u0 @ W1.T) @ W2.T) @ W3.T), phi) / M_B

    y1 = u0 @ W1.T
    y2 = g(y1) @ W2.T
    delta3 = (sigmoid(g(y2) @ W3.T) - phi) / M_B
    # The shapes of the output layer allow only the transpose.
    delta2 = delta3 @ W3 * g_prime(y2)
    printed = (delta2 @ W2.T * g_prime(y1)).T @ u0
    corrected = (delta2 @ W2 * g_prime(y1)).T @ u0
    return check.complex_step(cost, W1), printed, corrected
