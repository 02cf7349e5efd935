"""Experiments on section 2 of the source: batch normalization."""

import numpy as np

from .. import baseline, batchnorm, check, network
from .experiment import Measured, beyond, experiment
from .forward import draw, g, g_prime, hat, length, mean, sigmoid, std
from .section_1 import boundary, labels, log_loss


def above(case):
    """Return what BN made of layer l + 1."""
    return batchnorm.normalize(case.x1, case.eps)


def bracket(v, x_hat):
    return v - mean(v) - x_hat * mean(v * x_hat)


@experiment("S10")
@experiment("S11", "S25", eps=True)
def normalization(rng, M_B, eps=0.0):
    case = draw(rng, M_B, eps=eps)
    printed = case.gamma * (case.x - mean(case.x)) / std(case.x) + case.beta
    return case.y, printed, batchnorm.forward(case.x, case.gamma, case.beta, eps)[0]


def jacobian(case):
    """∂y_{s,i}/∂W_ij as printed, (M_B, n, n_prev): zero for the other neurons."""
    x_hat, u = hat(case.x1), case.u
    centered = (u - mean(u))[:, np.newaxis]
    along = x_hat[:, :, np.newaxis] * (x_hat.T @ u / len(u))
    return (case.gamma1 / std(case.x1))[:, np.newaxis] * (centered - along)


@experiment("(1)", smallest=3, eps=True)
def weight_gradient(rng, M_B, eps=0.0):
    case = draw(rng, M_B, eps=eps)
    printed = np.einsum("si,sij->ij", case.delta1, jacobian(case))
    ours = batchnorm.weight_gradient(case.delta1, case.u, above(case), case.gamma1)
    return case.true_weight_gradient(), printed, ours


def true_jacobian(case):
    return check.complex_step(lambda W: case.gamma1 * hat(case.u @ W.T, case.eps), case.W)


@experiment("S18", smallest=3, eps=True)
def weight_jacobian(rng, M_B, eps=0.0):
    case = draw(rng, M_B, eps=eps)
    both = jacobian(case), batchnorm.weight_jacobian(case.u, above(case), case.gamma1)
    # ∂y_sk/∂W_ij is zero unless k = i.
    printed, ours = (np.einsum("sij,ki->skij", part, np.eye(4)) for part in both)
    return true_jacobian(case), printed, ours


@experiment("(2)", smallest=3, eps=True)
def previous_error(rng, M_B, eps=0.0):
    case = draw(rng, M_B, n=(), n1=(), eps=eps)
    slope, column = g_prime(case.y), np.s_[:, np.newaxis]
    printed = case.gamma1 / std(case.x1) * case.W * slope * bracket(case.delta1, hat(case.x1))
    ours = batchnorm.previous_error(
        case.delta1[column],
        np.reshape(case.W, (1, 1)),
        batchnorm.normalize(case.x1[column], eps),
        np.reshape(case.gamma1, 1),
        slope[column],
    )
    return case.true_delta(), printed, ours[:, 0]


@experiment("S44", smallest=3)
def slightly(rng, M_B):
    """∂C/∂x in units of γ/σ times the length of Δ: the baseline's Δ for MΔ, then MΔ."""
    case = draw(rng, M_B)
    delta, x = case.delta1, case.x1
    truth = check.complex_step(lambda x: (delta * hat(x)).sum(), x) * std(x)
    apart = (length(v - truth) / length(delta) for v in (delta, bracket(delta, hat(x))))
    return Measured(*(float(v.max()) for v in apart))


@experiment("S45", smallest=3)
def combination(rng, M_B):
    """∂y_s/∂x_t: a function of sample s alone has only the diagonal."""
    case = draw(rng, M_B, n=())
    truth = check.complex_step(lambda x: case.gamma * hat(x), case.x)
    return truth, np.diag(np.diag(truth)), kernel(case.x, case.gamma)


@experiment("S46", smallest=3)
def chain_correction(rng, M_B):
    """δC of a small δy at layer l: from the forward pass, at layer l + 1, at layer l."""
    case = draw(rng, M_B)
    push = rng.normal(size=case.y.shape)

    def along(f):
        return check.complex_step(lambda t: f(g(case.y + t * push)), np.zeros(1))

    y1 = along(lambda u: case.gamma1 * hat(u @ case.W.T))[..., 0]
    delta = batchnorm.previous_error(case.delta1, case.W, above(case), case.gamma1, g_prime(case.y))
    truth = along(lambda u: case.cost(u, case.W, case.gamma1))
    # What is added up may cancel: errors in units of that.
    size = np.abs(case.delta1 * y1).sum()
    return size + truth, size + (case.delta1 * y1).sum(), size + (delta * push).sum()


@experiment("S47")
def cost_with_bn(rng, M_B):
    net = network.create([3, 4, 2], batch_norm=True, activation="tanh", rng=rng)
    psi, phi, u = rng.normal(size=(M_B, 3)), labels(rng, (M_B, 2)), None
    for layer, activation in zip(net.layers, (g, sigmoid), strict=True):
        x = (psi if u is None else u) @ layer.W.T
        u = activation(layer.gamma * hat(x) + layer.beta)
    printed = baseline.cross_entropy(network.predict(net, psi), phi)
    ours, _ = network.cost_and_gradients(net, psi, phi)
    return np.array([log_loss(u, phi) / M_B]), printed, ours


@experiment("S48", smallest=3)
def slope_at_x(rng, M_B):
    case = draw(rng, M_B)
    sent = case.gamma1 / std(case.x1) * bracket(case.delta1, hat(case.x1)) @ case.W
    return case.true_delta(), sent * g_prime(case.x), sent * g_prime(case.y)


@experiment("S12")
def beta_gradient(rng, M_B):
    case = draw(rng, M_B)
    x_hat, delta = hat(case.x1), case.delta1
    truth = check.complex_step(lambda beta: (delta * (x_hat + beta)).sum(), np.zeros(4))
    return truth, sum(delta[s] for s in range(M_B)), batchnorm.beta_gradient(delta)


@experiment("S13")
def gamma_gradient(rng, M_B):
    case = draw(rng, M_B)
    delta, x_hat = case.delta1, hat(case.x1)
    printed = sum(delta[s] * x_hat[s] for s in range(M_B))
    ours = batchnorm.gamma_gradient(delta, above(case))
    return case.true_gamma1_gradient(), printed, ours


@experiment("S14")
def output_slope(rng, M_B):
    """S4 at y = γ x̂ + β."""
    case = draw(rng, M_B)
    truth, cost_u, slope = boundary(case.y, labels(rng, case.y.shape))
    return truth, cost_u * slope, baseline.boundary_error(cost_u, slope)


@beyond("S14")
def one_class(rng, M_B):
    """Share of wrong predictions for a batch of one class: its own statistics, the population's."""
    phi = np.repeat([[0.0], [1.0]], 64, axis=0)
    psi = rng.normal(size=(128, 2)) + 8 * (phi - 0.5)
    trained = network.create([2, 4, 1], batch_norm=True, activation="tanh", rng=rng)
    network.train_whole(trained, psi, phi, learning_rate=1.0, batch_size=32, epochs=15, rng=rng)
    same = psi[64:][:M_B]
    statistics = network.population_statistics(trained, psi)
    wrong = [network.predict(trained, same, s) < 0.5 for s in (None, statistics)]
    return Measured(*(float(w.mean()) for w in wrong))


@experiment("S15")
def variance_derivative(rng, M_B):
    x = rng.normal(1.0, 2.0, (M_B, 1))
    x_hat, _, std = batchnorm.normalize(x)
    truth = check.complex_step(lambda x: mean((x - mean(x)) ** 2).sum(), x)
    return truth, 2 / M_B * (x - mean(x)), 2 / M_B * std * x_hat


def kernel(x, gamma):
    """Equation (3) of one neuron, as printed."""
    M_B, x_hat = len(x), hat(x)
    return gamma / std(x) * (np.eye(M_B) - 1 / M_B - np.outer(x_hat, x_hat) / M_B)


@experiment("S40", smallest=3)
@experiment("(3)", "S26", smallest=3, eps=True)
def kernels(rng, M_B, eps=0.0):
    case = draw(rng, M_B, eps=eps)
    truth = check.complex_step(lambda x: case.gamma * hat(x, eps), case.x)
    columns = zip(case.x.T, case.gamma, strict=True)
    printed = np.stack([kernel(x, gamma) for x, gamma in columns], axis=-1)
    ours = batchnorm.kernel(batchnorm.normalize(case.x, eps), case.gamma)
    # Between different neurons the derivative is zero.
    return truth, *(np.einsum("sti,ij->sitj", part, np.eye(4)) for part in (printed, ours))


@experiment("S50", smallest=3)
def input_is_x(rng, M_B):
    """The kernel of one neuron, made from y as if it were BN's input; from x."""
    case = draw(rng, M_B, n=())
    truth = check.complex_step(lambda x: case.gamma * hat(x), case.x)
    return truth, kernel(case.y, case.gamma), kernel(case.x, case.gamma)


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
    """∂y_s/∂W as the source lays it out, a matrix n_{l-1} × n_l; then this package's, turned."""
    case = draw(rng, M_B, n=3, n1=5)
    x_hat, u = hat(case.x1), case.u
    average = sum(np.outer(u[s], x_hat[s]) for s in range(M_B)) / M_B
    printed = np.stack(
        [
            case.gamma1 / std(case.x1) * ((u[s] - mean(u))[:, np.newaxis] - x_hat[s] * average)
            for s in range(M_B)
        ]
    )
    # Of ∂y_sk/∂W_ij only k = i is not zero.
    truth = np.einsum("skkj->sjk", true_jacobian(case))
    ours = batchnorm.weight_jacobian(u, above(case), case.gamma1)
    return truth, printed, np.swapaxes(ours, 1, 2)


@beyond("S19", smallest=3)
def equal_widths(rng, M_B):
    """Two layers of 4 neurons, where shapes allow W for Wᵀ in (2)."""
    case = draw(rng, M_B)
    sent = case.gamma1 / std(case.x1) * bracket(case.delta1, hat(case.x1))
    turned, right = (sent @ W * g_prime(case.y) for W in (case.W.T, case.W))
    return case.true_delta(), turned, right
