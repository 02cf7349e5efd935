"""The mistakes of the source, measured. The one place of formulas that are printed but wrong.

Each experiment takes a random case, evaluates an equation as printed and as
corrected, and compares both with the truth. The truth comes from the forward
pass by the complex step, not from the formulas of this package.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from . import check, network
from ._validation import count

EPS = 0.3  # where an experiment needs eps > 0
CASES = 15  # behind a number in a box; odd, so that one of them is the median


class Measured(NamedTuple):
    """Errors relative to the largest true entry.

    Attributes
    ----------
    printed : float
        Of the equation as the source prints it.
    corrected : float
        Of the equation as it should read.
    """

    printed: float
    corrected: float


class _Experiment(NamedTuple):
    run: object
    smallest: int


EXPERIMENTS = {}


def _experiment(id, smallest=2):
    """Register ``run(rng, M_B) -> (truth, printed, corrected)`` or a `Measured`."""

    def register(run):
        EXPERIMENTS[id] = _Experiment(run, smallest)
        return run

    return register


def measure(id, M_B=8, seed=0):
    """Return how far a row of the ledger is off as printed, and as corrected.

    Parameters
    ----------
    id : str
        A row of the ledger that has an experiment: a key of `EXPERIMENTS`.
    M_B : int
        Batch size of the random case.
    seed : int
        Of the random case.

    Returns
    -------
    Measured

    Raises
    ------
    ValueError
        If there is no such experiment, or the batch is too small for it.

    Examples
    --------
    >>> printed, corrected = measure("S22")
    >>> round(printed, 12), corrected < 1e-12
    (2.0, True)
    """
    if id not in EXPERIMENTS:
        raise ValueError(f"id: got {id!r}, wanted one of {', '.join(EXPERIMENTS)}")
    run, smallest = EXPERIMENTS[id]
    result = run(np.random.default_rng(seed), count("M_B", M_B, minimum=smallest))
    if isinstance(result, Measured):
        return result
    truth, printed, corrected = result
    return Measured(_error(printed, truth), _error(corrected, truth))


def typical(id, M_B=8, cases=CASES):
    """Return the median error as printed and the worst as corrected, over random cases.

    Parameters
    ----------
    id, M_B
        As in `measure`.
    cases : int
        Seeds 0, 1, …; an odd number of them.

    Returns
    -------
    Measured

    Raises
    ------
    ValueError
        As `measure`.
    """
    printed, corrected = zip(*(measure(id, M_B, seed) for seed in range(cases)), strict=True)
    return Measured(sorted(printed)[cases // 2], max(corrected))


def agreement(difference):
    """Return an error as the bound that `bnnotes.check.compare` prints.

    Parameters
    ----------
    difference : float

    Returns
    -------
    str

    Examples
    --------
    >>> agreement(3e-16)
    'agrees to 1e-12'
    """
    return check.Row("", 1.0, 1.0, difference).agreement


def _error(approximate, truth):
    scale = np.abs(truth).max() or 1.0
    return float(np.abs(approximate - truth).max() / scale)


# The forward pass, written out once more, so that the truth shares nothing with the formulas.


def _mean(v):
    return v.mean(axis=0)


def _std(v, eps=0.0):
    return np.sqrt(_mean((v - _mean(v)) ** 2) + eps)


def _hat(v, eps=0.0):
    return (v - _mean(v)) / _std(v, eps)


def _kappa(v, eps):
    return _std(v) ** 2 / _std(v, eps) ** 2


def _corr(a, b):
    """Corr(a_i, b_j) of all columns, or of two vectors."""
    return _hat(a).T @ _hat(b) / len(a)


def _g(y):
    return np.tanh(y)


def _g_prime(y):
    return 1 - np.tanh(y) ** 2


def _sigmoid(y):
    return 1 / (1 + np.exp(-y))


def _length(v):
    return np.sqrt((v * v).sum(axis=0))


class _Case(NamedTuple):
    """Layers l and l + 1, whose letters end in 1. C = Σ Δ^{l+1} y^{l+1}, so that Δ^{l+1} is given.

    With one neuron per layer x, y, u, Δ are vectors and W, γ, β numbers.
    """

    x: np.ndarray
    gamma: np.ndarray
    beta: np.ndarray
    W: np.ndarray
    gamma1: np.ndarray
    delta1: np.ndarray
    eps: float

    @property
    def y(self):
        return self.gamma * _hat(self.x, self.eps) + self.beta

    @property
    def u(self):
        return _g(self.y)

    @property
    def x1(self):
        return _weighted(self.W, self.u)

    def cost(self, u, W, gamma1):
        """The forward pass from u^l to C. β^{l+1} adds a constant and is left out."""
        return (self.delta1 * gamma1 * _hat(_weighted(W, u), self.eps)).sum()

    def true_delta(self):
        return check.complex_step(lambda y: self.cost(_g(y), self.W, self.gamma1), self.y)

    def true_weight_gradient(self):
        return check.complex_step(lambda W: self.cost(self.u, W, self.gamma1), self.W)

    def true_gamma1_gradient(self):
        return check.complex_step(lambda gamma1: self.cost(self.u, self.W, gamma1), self.gamma1)


def _weighted(W, u):
    return u @ W.T if np.ndim(W) else W * u


def _case(rng, M_B, n=4, n1=4, eps=0.0):
    """Draw a random case; n = () and n1 = () make one neuron per layer."""
    above, below = np.shape(np.empty(n1)), np.shape(np.empty(n))
    size = lambda shape: (M_B, *shape)  # noqa: E731
    return _Case(
        x=rng.normal(1.0, 2.0, size(below)),
        gamma=rng.uniform(0.5, 2.0, below),
        beta=rng.normal(size=below),
        W=rng.normal(size=above + below),
        gamma1=rng.uniform(0.5, 2.0, above),
        delta1=rng.normal(0.3, 1.0, size(above)),
        eps=eps,
    )


# Section 1.


def _log_loss(u, phi):
    return -(phi * np.log(u) + (1 - phi) * np.log(1 - u)).sum()


def _labels(rng, shape):
    return (rng.random(shape) < 0.5).astype(float)


@_experiment("S1")
def _cost_of_all_samples(rng, M_B):
    y, phi, M = rng.normal(size=(M_B, 2)), _labels(rng, (M_B, 2)), 4 * M_B
    truth = check.complex_step(lambda y: _log_loss(_sigmoid(y), phi) / M_B, y)
    printed = check.complex_step(lambda y: _log_loss(_sigmoid(y), phi) / M, y)
    return truth, printed, (_sigmoid(y) - phi) / M_B


@_experiment("S4")
def _overflow(rng, M_B):
    y, phi = np.full((M_B, 1), 40.0), np.zeros((M_B, 1))
    # log(1 + e^y) for y > 0, where the exponential stays small.
    truth = check.complex_step(lambda y: (y + np.log(1 + np.exp(-y))).sum() / M_B, y)
    u = _sigmoid(y)
    with np.errstate(divide="ignore", invalid="ignore"):
        cost_u = (u - phi) / (u * (1 - u)) / M_B
        printed = cost_u * (u * (1 - u))
    return truth, printed, (u - phi) / M_B


@_experiment("S5")
def _squared_error(rng, M_B):
    y, phi = rng.normal(size=(M_B, 2)), _labels(rng, (M_B, 2))
    truth = check.complex_step(lambda y: ((_sigmoid(y) - phi) ** 2).sum() / (2 * M_B), y)
    u = _sigmoid(y)
    return truth, (u - phi) / M_B, (u - phi) / M_B * (u * (1 - u))


@_experiment("S6")
def _transpose(rng, M_B, n=4):
    y, W, b = rng.normal(size=(M_B, n)), rng.normal(size=(n, n)), rng.normal(size=n)
    delta1 = rng.normal(size=(M_B, n))
    truth = check.complex_step(lambda y: (delta1 * (_g(y) @ W.T + b)).sum(), y)
    # Row s of `delta1 @ W.T` is W Δ_s, of `delta1 @ W` it is Wᵀ Δ_s.
    return truth, delta1 @ W.T * _g_prime(y), delta1 @ W * _g_prime(y)


@_experiment("S9")
def _all_four(rng, M_B, n=4):
    u0, phi = rng.normal(size=(M_B, n)), _labels(rng, (M_B, 1))
    W1, W2, W3 = rng.normal(size=(n, n)), rng.normal(size=(n, n)), rng.normal(size=(1, n))

    def cost(W1):
        return _log_loss(_sigmoid(_g(_g(u0 @ W1.T) @ W2.T) @ W3.T), phi) / M_B

    y1 = u0 @ W1.T
    y2 = _g(y1) @ W2.T
    delta3 = (_sigmoid(_g(y2) @ W3.T) - phi) / M_B
    # The shapes of the output layer allow only the transpose.
    delta2 = delta3 @ W3 * _g_prime(y2)
    printed = (delta2 @ W2.T * _g_prime(y1)).T @ u0
    corrected = (delta2 @ W2 * _g_prime(y1)).T @ u0
    return check.complex_step(cost, W1), printed, corrected


# Section 2.


@_experiment("S14")
def _one_class(rng, M_B):
    """Share of wrong predictions for a batch of one class: its own statistics, the population's."""
    phi = np.repeat([[0.0], [1.0]], 64, axis=0)
    psi = rng.normal(size=(128, 2)) + 8 * (phi - 0.5)
    trained = network.create([2, 4, 1], batch_norm=True, activation="tanh", rng=rng)
    network.train(trained, psi, phi, learning_rate=1.0, batch_size=32, epochs=15, rng=rng)
    one_class = psi[64:][:M_B]
    statistics = network.population_statistics(trained, psi)
    wrong = [network.predict(trained, one_class, s) < 0.5 for s in (None, statistics)]
    return Measured(*(float(w.mean()) for w in wrong))


def _kernel(x, gamma, eps=0.0):
    """Equation (3) of one neuron."""
    M_B, x_hat = len(x), _hat(x, eps)
    return gamma / _std(x, eps) * (np.eye(M_B) - 1 / M_B - np.outer(x_hat, x_hat) / M_B)


@_experiment("S16", smallest=3)
def _chain_rule(rng, M_B):
    case = _case(rng, M_B, n=(), n1=())
    delta, delta1, W = case.true_delta(), case.delta1, case.W
    along = _kernel(case.x1, case.gamma1) * (W * _g_prime(case.y))
    return delta, delta @ along, delta1 @ along


@_experiment("S17", smallest=3)
def _plugged_in(rng, M_B):
    case = _case(rng, M_B, n=(), n1=())
    delta1, W, g_prime = case.delta1, case.W, _g_prime(case.y)

    def plugged(gamma, sigma, x_hat):
        bracket = delta1 - _mean(delta1) - x_hat * _mean(delta1 * x_hat)
        return gamma * W * g_prime / sigma * bracket

    printed = plugged(case.gamma, _std(case.x), _hat(case.x))
    corrected = plugged(case.gamma1, _std(case.x1), _hat(case.x1))
    return case.true_delta(), printed, corrected


@_experiment("S19", smallest=3)
def _dimension_analysis(rng, M_B):
    case = _case(rng, M_B)
    x_hat, delta1 = _hat(case.x1), case.delta1
    bracket = delta1 - _mean(delta1) - x_hat * _mean(delta1 * x_hat)
    error = case.gamma1 / _std(case.x1) * bracket
    g_prime = _g_prime(case.y)
    return case.true_delta(), error @ case.W.T * g_prime, error @ case.W * g_prime


# Section 3.


def _negative(rng):
    return -rng.uniform(0.5, 2.0)


@_experiment("S21")
def _sign(rng, M_B):
    u, W = rng.normal(1.0, 2.0, M_B), _negative(rng)
    return _hat(W * u), _hat(u), np.sign(W) * _hat(u)


@_experiment("S22")
def _absolute_value(rng, M_B):
    u, W = rng.normal(1.0, 2.0, M_B), _negative(rng)
    return _std(u), _std(W * u) / W, _std(W * u) / abs(W)


@_experiment("S23")
def _sum_of_squares(rng, M_B):
    x = rng.normal(1.0, 2.0, (M_B, 4))
    return (_hat(x, EPS) ** 2).sum(axis=0), np.full(4, M_B), _kappa(x, EPS) * M_B


@_experiment("S24")
def _rest_of_Mu(rng, M_B):
    case = _case(rng, M_B, n=(), n1=(), eps=EPS)
    u, W, gamma1 = case.u, case.W, case.gamma1
    truth = check.complex_step(lambda W: gamma1 * _hat(W * u, EPS), W)
    return truth, 0 * u, gamma1 * EPS * (u - _mean(u)) / _std(W * u, EPS) ** 3


@_experiment("S28")
def _length_of_x_hat(rng, M_B):
    x = rng.normal(1.0, 2.0, (M_B, 4))
    return _length(_hat(x, EPS)), np.full(4, np.sqrt(M_B)), np.sqrt(_kappa(x, EPS) * M_B)


@_experiment("(4)")
def _correlation_form(rng, M_B):
    case = _case(rng, M_B, eps=EPS)
    u, x1, delta1 = case.u, case.x1, case.delta1
    own = _hat(x1, EPS)
    product = _mean(_hat(delta1) * own)[:, np.newaxis] * (own.T @ _hat(u) / M_B)
    bracket = _corr(delta1, u) - product

    def amplitude(sigma):
        return M_B * np.outer(case.gamma1 * _std(delta1) / sigma, _std(u))

    printed, corrected = amplitude(_std(x1)) * bracket, amplitude(_std(x1, EPS)) * bracket
    return case.true_weight_gradient(), printed, corrected


@_experiment("(5) BN")
def _angle_form(rng, M_B):
    case = _case(rng, M_B, eps=EPS)
    u, x1, delta1 = case.u, case.x1, case.delta1
    cos1 = np.diag(_corr(delta1, x1))[:, np.newaxis]
    cos2, cos3 = _corr(x1, u), _corr(delta1, u)
    kappa = _kappa(x1, EPS)[:, np.newaxis]

    def gradient(sigma, kappa):
        amplitude = M_B * np.outer(case.gamma1 * _std(delta1) / sigma, _std(u))
        return amplitude * (cos3 - kappa * cos1 * cos2)

    printed, corrected = gradient(_std(x1), 1), gradient(_std(x1, EPS), kappa)
    return case.true_weight_gradient(), printed, corrected


def _weight_gradient(u, W, gamma, delta):
    """The true ∂C/∂W of one neuron over inputs u (M_B, n_prev), C = Σ Δ y."""
    return check.complex_step(lambda W: (delta * gamma * _hat(u @ W)).sum(), W)


@_experiment("S29", smallest=3)
def _proportional(rng, M_B, scale=10.0):
    u, W = rng.normal(1.0, 1.0, (M_B, 3)), rng.normal(size=3)
    delta = rng.normal(0.3, 1.0, M_B)
    before = _weight_gradient(u, W, 1.0, delta)
    amplitude = _std(scale * u) / _std(u) * _std(u @ W) / _std(scale * u @ W)
    return _weight_gradient(scale * u, W, 1.0, delta), scale * before, amplitude * before


def baseline_over_bn(offset, M_B=64, seed=0, draws=2000):
    """Return the median of |∂C/∂W| without BN over that with BN (S29).

    Random Δ with ⟨Δ⟩ = 0.3 σ(Δ), random u with ⟨u⟩ = offset · σ(u), both up
    to sampling, and x = W u of many other neurons with γ/σ(x) = 1.

    Parameters
    ----------
    offset : float
        Mean of u in units of its standard deviation.
    M_B : int
        Batch size, at least 3.
    seed : int
        Of the random cases.
    draws : int
        How many cases.

    Returns
    -------
    float

    Examples
    --------
    >>> f"{baseline_over_bn(1000.0):.1g}"
    '4e+03'
    """
    rng = np.random.default_rng(seed)
    shape = (count("M_B", M_B, minimum=3), draws)
    delta, u, x = (
        rng.normal(0.3, 1.0, shape),
        rng.normal(offset, 1.0, shape),
        rng.normal(size=shape),
    )
    x_hat, centered = _hat(x), delta - _mean(delta)
    bn = ((centered - x_hat * _mean(x_hat * centered)) * (u - _mean(u))).sum(axis=0)
    return float(np.median(np.abs((delta * u).sum(axis=0) / bn)))


@_experiment("S30", smallest=3)
def _uncorrelated(rng, M_B):
    """∂C/∂W of the baseline over M_B σ(Δ)σ(u), Δ and u uncorrelated; then with ⟨Δ⟩ = 0."""
    u_hat, v = _hat(rng.normal(size=M_B)), rng.normal(size=M_B)
    delta_hat = _hat(v - _mean(v) - u_hat * _mean(u_hat * v))
    u = u_hat + 3.0
    gradients = []
    for mean in (0.5, 0.0):
        delta = delta_hat + mean
        true = check.complex_step(lambda W, delta=delta: (delta * (W * u)).sum(), 1.0)
        gradients.append(float(abs(true)) / M_B)
    return Measured(*gradients)


def _third_stop(rng, M_B):
    """Draw x̂, Δ̂, û whose dihedral angle φ at x̂ is 90°, though no two of them are aligned."""
    vectors = rng.normal(size=(M_B, 3))
    orthogonal, _ = np.linalg.qr(np.column_stack([np.ones(M_B), vectors]))
    x_hat, e, f = np.sqrt(M_B) * orthogonal[:, 1:].T
    return x_hat, (x_hat + e) / np.sqrt(2), (x_hat + 2 * f) / np.sqrt(5)


def _stopped(rng, M_B):
    """Return sinθ1, sinθ2 and by how much the true bracket of (5) differs from S31's product."""
    x_hat, delta_hat, u_hat = _third_stop(rng, M_B)
    # x = W u of two neurons, the first of which is u.
    W = np.array([0.7, 1.0])
    u = np.column_stack([u_hat, x_hat - W[0] * u_hat])
    bracket = _weight_gradient(u, W, 1.0, delta_hat)[0] / M_B
    cos1, cos2 = _mean(delta_hat * x_hat), _mean(u_hat * x_hat)
    sin1, sin2 = np.sqrt(1 - cos1**2), np.sqrt(1 - cos2**2)
    of_delta, of_u = delta_hat - cos1 * x_hat, u_hat - cos2 * x_hat
    cos_phi = of_delta @ of_u / (_length(of_delta) * _length(of_u))
    # Both are zero, so their sizes add.
    return float(sin1), float(sin2), float(abs(bracket) + abs(sin1 * sin2 * cos_phi))


@_experiment("S31", smallest=4)
def _stop_1(rng, M_B):
    sin1, _, difference = _stopped(rng, M_B)
    return Measured(sin1, difference)


@_experiment("S32", smallest=4)
def _stop_2(rng, M_B):
    _, sin2, difference = _stopped(rng, M_B)
    return Measured(sin2, difference)


@_experiment("S33", smallest=3)
def _aligned(rng, M_B):
    u_j, W, delta = rng.normal(size=M_B), rng.normal(size=3), rng.normal(0.3, 1.0, M_B)
    u = np.column_stack([u_j, 2.5 * u_j + 1.0, rng.normal(size=M_B)])
    G_j, G_k, _ = _weight_gradient(u, W, 1.0, delta)
    size = M_B * _std(delta) * _std(u[:, 1]) / _std(u @ W)
    ratio = _std(u[:, 1]) / _std(u[:, 0])
    return Measured(float(abs(G_k) / size), float(abs(G_k - ratio * G_j) / size))


@_experiment("S34")
def _gamma_gradient(rng, M_B):
    case = _case(rng, M_B, eps=EPS)
    x1, delta1 = case.x1, case.delta1
    printed = _std(delta1) * M_B * np.diag(_corr(delta1, x1))
    return case.true_gamma1_gradient(), printed, np.sqrt(_kappa(x1, EPS)) * printed


# The cosine of θ1 is the correlation: one experiment for both.
EXPERIMENTS["(6)"] = EXPERIMENTS["S34"]


@_experiment("S35", smallest=3)
def _cause(rng, M_B):
    """|Corr(Δ, x̂)| where W alone is wrong; ∂C/∂γ over M_B σ(Δ) where the correlation is 0."""
    u = rng.normal(size=(M_B, 2))
    x_hat, target = _hat(u).T
    correlation = _corr(x_hat - target, x_hat)
    v = rng.normal(size=M_B)
    delta = _hat(v - _mean(v) - x_hat * _mean(x_hat * v))
    true = check.complex_step(lambda gamma: (delta * gamma * x_hat).sum(), 1.0)
    return Measured(float(abs(correlation)), float(abs(true)) / M_B)


@_experiment("S37")
def _matrix_form(rng, M_B):
    case = _case(rng, M_B, eps=EPS)
    x1, delta1 = case.x1, case.delta1
    cos1, own = np.diag(_corr(delta1, x1)), _hat(x1, EPS)

    def error(sigma, kappa):
        bracket = _hat(delta1) - np.sqrt(kappa) * cos1 * own
        return _g_prime(case.y) * ((case.gamma1 / sigma * _std(delta1) * bracket) @ case.W)

    printed, corrected = error(_std(x1), 1), error(_std(x1, EPS), _kappa(x1, EPS))
    return case.true_delta(), printed, corrected


@_experiment("S39", smallest=3)
def _opposite(rng, M_B):
    """What a node sends back at θ1 = 180° and at 90°, in units of σ(Δ)√M_B."""
    x, v = rng.normal(1.0, 2.0, M_B), rng.normal(size=M_B)
    x_hat = _hat(x)
    orthogonal = _hat(v - _mean(v) - x_hat * _mean(x_hat * v))
    lengths = []
    for delta in (-x_hat, orthogonal):
        true = check.complex_step(lambda x, delta=delta: (delta * _hat(x)).sum(), x)
        lengths.append(_std(x) * _length(true) / np.sqrt(M_B))
    # "Largest" at 180° is at least what 90° sends.
    return np.array(lengths), np.array([lengths[1], lengths[1]]), np.array([0.0, 1.0])
