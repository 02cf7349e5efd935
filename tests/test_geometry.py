"""Section 3 of the source: the updates of W and γ as angles in sample space."""

import numpy as np
import pytest
from cases import BATCH_SIZES, LAYERS, assert_close, every_layer, layer, plain_hat

from bnnotes import baseline, batchnorm, check, geometry, ledger, sample_space


def amplitude(case):
    """M_B γ σ(Δ)σ(u)/ς: what the bracket of (4) and (5) is multiplied by, (n, n_prev)."""
    s = np.sqrt(case.x.var(axis=0) + case.eps)
    per_neuron = len(case.x) * case.gamma * case.delta.std(axis=0) / s
    return np.outer(per_neuron, case.u_prev.std(axis=0))


def true_weight_gradient(case):
    return check.complex_step(lambda W: case.cost(x=case.u_prev @ W.T), case.W)


def cos(a, b):
    """The cosine between two centered vectors, from the definition."""
    a, b = a - a.mean(), b - b.mean()
    return a @ b / np.sqrt((a @ a) * (b @ b))


@every_layer
def test_standardize(case):
    """S28."""
    hat = geometry.standardize(case.delta)
    assert_close(hat, plain_hat(case.delta), 1e-13)
    np.testing.assert_allclose((hat**2).sum(axis=0), len(hat), rtol=1e-13)


@every_layer
def test_correlation(case):
    n = case.delta.shape[1]
    expected = [cos(case.delta[:, i], case.x[:, i]) for i in range(n)]
    assert_close(geometry.correlation(case.delta, case.x), expected, 1e-13, scale=1.0)
    with_first = geometry.correlation(case.delta[:, :1], case.x)
    expected = [cos(case.delta[:, 0], case.x[:, i]) for i in range(n)]
    assert_close(with_first, expected, 1e-13, scale=1.0)


@every_layer
def test_angles(case):
    """θ1 = ∠(Δ̂_i, x̂_i), θ2 = ∠(û_j, x̂_i), θ3 = ∠(Δ̂_i, û_j)."""
    angles = geometry.sample_angles(case.delta, case.u_prev, case.x)
    for i, j in np.ndindex(case.W.shape):
        delta, x, u = case.delta[:, i], case.x[:, i], case.u_prev[:, j]
        assert np.cos(angles.theta1[i]) == pytest.approx(cos(delta, x), abs=1e-13)
        assert np.cos(angles.theta2[i, j]) == pytest.approx(cos(u, x), abs=1e-13)
        assert np.cos(angles.theta3[i, j]) == pytest.approx(cos(delta, u), abs=1e-13)
    for theta in angles:
        assert ((theta >= 0) & (theta <= np.pi)).all()
    assert_close(geometry.angle(case.delta, case.x), angles.theta1, 1e-15, scale=1.0)


@every_layer
def test_angles_see_neither_scale_nor_shift(case):
    angles = geometry.sample_angles(case.delta, case.u_prev, case.x)
    moved = geometry.sample_angles(3 * case.delta + 1, 0.5 * case.u_prev - 2, plain_hat(case.x))
    for before, after in zip(angles, moved, strict=True):
        assert_close(after, before, 1e-7, scale=1.0)


@pytest.mark.parametrize("theta", [0.0, 1e-9, 1e-5, 0.5, np.pi / 2, 3.0, np.pi - 1e-9, np.pi])
def test_small_angles_keep_their_digits(theta):
    """The arc cosine would give 0 for 1e-9."""
    a = np.array([[1.0], [1.0], [-1.0], [-1.0]])
    b = np.array([[1.0], [-1.0], [1.0], [-1.0]])
    got = geometry.angle(a, np.cos(theta) * a + np.sin(theta) * b)
    assert got[0] == pytest.approx(theta, rel=1e-14, abs=1e-16)


@every_layer
def test_correlation_form(case):
    """(4), as printed at eps = 0; with ς for σ(x) and BN's own x̂ at eps > 0."""
    truth = true_weight_gradient(case)
    x_hat, M_B = plain_hat(case.x, case.eps), len(case.x)
    delta_hat, u_hat = plain_hat(case.delta), plain_hat(case.u_prev)
    corr = np.stack(
        [geometry.correlation(case.delta[:, [i]], case.u_prev) for i in range(len(case.W))]
    )
    products = np.outer((delta_hat * x_hat).mean(axis=0), np.ones(case.W.shape[1]))
    bracket = corr - products * (x_hat.T @ u_hat / M_B)
    scale = np.abs(amplitude(case)).max()
    assert_close(amplitude(case) * bracket, truth, 1e-12, scale)


@every_layer
def test_weight_gradient(case):
    """(5) BN."""
    normalized = batchnorm.normalize(case.x, case.eps)
    got = geometry.weight_gradient(case.delta, case.u_prev, normalized, case.gamma)
    assert_close(got, true_weight_gradient(case), 1e-12, np.abs(amplitude(case)).max())


@every_layer
def test_baseline_weight_gradient(case):
    """(5) BL."""
    truth = check.complex_step(lambda W: (case.delta * (case.u_prev @ W.T)).sum(), case.W)
    got = geometry.baseline_weight_gradient(case.delta, case.u_prev)
    assert_close(got, truth, 1e-13, scale=1.0)
    assert_close(got, baseline.weight_gradient(case.delta, case.u_prev), 1e-13, scale=1.0)


@every_layer
def test_spherical_law_of_cosines(case):
    """cosθ3 − cosθ1 cosθ2 = sinθ1 sinθ2 cosφ, and cosφ is the partial correlation."""
    theta1, theta2, theta3, dihedral = geometry.sample_angles(case.delta, case.u_prev, case.x)
    theta1 = theta1[:, np.newaxis]
    bracket = np.cos(theta3) - np.cos(theta1) * np.cos(theta2)
    np.testing.assert_allclose(
        bracket, np.sin(theta1) * np.sin(theta2) * np.cos(dihedral), rtol=0, atol=1e-12
    )
    for i, j in np.ndindex(case.W.shape):
        regressors = np.column_stack([np.ones(len(case.x)), case.x[:, i]])
        rest = [
            v - regressors @ np.linalg.lstsq(regressors, v, rcond=None)[0]
            for v in (case.delta[:, i], case.u_prev[:, j])
        ]
        lengths = [np.linalg.norm(v) for v in rest]
        if min(lengths) > 1e-6:
            partial = rest[0] @ rest[1] / (lengths[0] * lengths[1])
            assert np.cos(dihedral[i, j]) == pytest.approx(partial, abs=1e-9)


def test_the_dihedral_angle_of_few_samples():
    """M_B = 3: 0 or π, the plane has no other. M_B = 2 and one neuron: π/2, no such angle."""
    for seed in range(20):
        three = layer(3, 3, 2, seed=seed)
        dihedral = geometry.sample_angles(three.delta, three.u_prev, three.x).dihedral
        assert np.minimum(dihedral, np.pi - dihedral).max() < 1e-6
        for case in (layer(2, 3, 2, seed=seed), layer(8, 1, 1, seed=seed)):
            dihedral = geometry.sample_angles(case.delta, case.u_prev, case.x).dihedral
            np.testing.assert_array_equal(dihedral, np.pi / 2)


@every_layer
def test_gamma_gradient(case):
    """S34, (6)."""
    normalized = batchnorm.normalize(case.x, case.eps)
    truth = check.complex_step(lambda gamma: case.cost(gamma=gamma), case.gamma)
    got = geometry.gamma_gradient(case.delta, normalized)
    scale = len(case.x) * case.delta.std(axis=0).max()
    assert_close(got, truth, 1e-13, scale)
    kappa = case.x.var(axis=0) / (case.x.var(axis=0) + case.eps)
    corr = geometry.correlation(case.delta, normalized.x_hat)
    printed = case.delta.std(axis=0) * len(case.x) * corr
    assert_close(np.sqrt(kappa) * printed, truth, 1e-13, scale)


@pytest.mark.parametrize("M_B", [3, 4, 32])
def test_gamma_stays_without_correlation(M_B):
    """S35, second sentence."""
    case = layer(M_B)
    normalized = batchnorm.normalize(case.x)
    orthogonal = case.delta - geometry.correlation(case.delta, case.x) * normalized.x_hat * (
        case.delta.std(axis=0)
    )
    np.testing.assert_allclose(geometry.correlation(orthogonal, case.x), 0, atol=1e-12)
    truth = check.complex_step(
        lambda gamma: (orthogonal * gamma * plain_hat(case.x)).sum(), case.gamma
    )
    np.testing.assert_allclose(truth, 0, atol=1e-13)
    np.testing.assert_allclose(geometry.gamma_gradient(orthogonal, normalized), 0, atol=1e-13)


@pytest.mark.parametrize("M_B", [3, 4, 32])
def test_scaling_laws(M_B):
    """S29: the gradient goes like σ(Δ)σ(u)/σ(x)."""
    case = layer(M_B)

    def gradient(delta=case.delta, u_prev=case.u_prev, W=case.W):
        changed = case._replace(y_prev=np.arctanh(case.u_prev), W=W, delta=delta)
        truth = check.complex_step(lambda W: changed.cost(x=u_prev @ W.T), W)
        normalized = batchnorm.normalize(u_prev @ W.T)
        got = geometry.weight_gradient(delta, u_prev, normalized, case.gamma)
        assert_close(got, truth, 1e-11)
        return got

    before = gradient()
    assert_close(gradient(u_prev=10 * case.u_prev), before, 1e-11)
    assert_close(gradient(W=2 * case.W), before / 2, 1e-11)
    assert_close(gradient(delta=3 * case.delta), before * 3, 1e-11)
    assert_close(gradient(u_prev=case.u_prev + 5, delta=case.delta + 5), before, 1e-11)
    one_column = case.u_prev * np.array([10.0, 1.0, 1.0])
    # One neuron's own σ(u) counts only while σ(x) stays: undo it in W.
    assert_close(
        gradient(u_prev=one_column, W=case.W / np.array([10.0, 1.0, 1.0])),
        before * np.array([10.0, 1.0, 1.0]),
        1e-11,
    )


def three_vectors(M_B, rng):
    """Orthogonal, mean-free columns of length √M_B."""
    columns = np.column_stack([np.ones(M_B), rng.normal(size=(M_B, 3))])
    return np.sqrt(M_B) * np.linalg.qr(columns)[0][:, 1:].T


def gradient_of_first(x_hat, delta_hat, u_hat, eps=0.0):
    """The true gradient of W_1, where x = W u of two neurons, the first of which is u."""
    W = np.array([[0.7, 1.0]])
    u = np.column_stack([u_hat, x_hat - 0.7 * u_hat])
    delta = delta_hat[:, np.newaxis]
    truth = check.complex_step(lambda W: (delta * plain_hat(u @ W.T, eps)).sum(), W)
    normalized = batchnorm.normalize(u @ W.T, eps)
    got = geometry.weight_gradient(delta, u, normalized, [1.0])
    assert_close(got, truth, 1e-12, scale=float(len(u)))
    return truth[0, 0] / len(u)


@pytest.mark.parametrize("M_B", [4, 5, 32])
def test_stop_conditions(M_B):
    """S30, S31, S32, and φ = 90°."""
    e1, e2, e3 = three_vectors(M_B, np.random.default_rng(M_B))
    sides = (e1 + e2) / np.sqrt(2), (e1 + 2 * e3) / np.sqrt(5)
    generic = (e1 + 2 * e2 + 2 * e3) / 3
    # sinθ1 = 0, either way; sinθ2 = 0; cosφ = 0 with both sines far from 0.
    for sign in (1, -1):
        assert abs(gradient_of_first(e1, sign * e1, sides[0])) < 1e-13
        assert abs(gradient_of_first(e1, sides[0], sign * e1)) < 1e-13
    assert abs(gradient_of_first(e1, *sides)) < 1e-13
    # None of the three: cosθ3 = (1 + 2)/3√2, cosθ1 = 1/√2, cosθ2 = 1/3.
    bracket = (1 + 2) / (3 * np.sqrt(2)) - 1 / np.sqrt(2) / 3
    assert gradient_of_first(e1, sides[0], generic) == pytest.approx(bracket, abs=1e-13)
    # eps > 0: at θ1 = 0 the part (1 − κ) cosθ2 stays.
    rest = (1 - 1 / 1.5) / np.sqrt(2) / np.sqrt(1.5)
    assert gradient_of_first(e1, e1, sides[0], eps=0.5) == pytest.approx(rest, abs=1e-13)
    # The baseline: uncorrelated is not enough, the means must go too.
    for mean, expected in ((0.5, 0.5 * 3.0), (0.0, 0.0)):
        delta, u = (e1 + mean)[:, np.newaxis], (e2 + 3.0)[:, np.newaxis]
        assert geometry.correlation(delta, u)[0] == pytest.approx(0, abs=1e-14)
        got = geometry.baseline_weight_gradient(delta, u)[0, 0] / M_B
        assert got == pytest.approx(expected, abs=1e-13)


def test_zeros_of_the_amplitude():
    """γ = 0, σ(Δ) = 0, σ(u_j) = 0 stop W where the bracket is not 0; a long W does not."""
    case = layer(8)

    def gradient(delta=case.delta, u=case.u_prev, W=case.W, gamma=case.gamma):
        return check.complex_step(lambda W: (delta * gamma * plain_hat(u @ W.T)).sum(), W)

    angles = geometry.sample_angles(case.delta, case.u_prev, case.x)
    factors = np.sin(angles.theta1)[:, np.newaxis] * np.sin(angles.theta2) * np.cos(angles.dihedral)
    assert np.abs(factors).min() > 1e-3
    dead = case.u_prev * [0.0, 1.0, 1.0]
    assert (gradient(gamma=0 * case.gamma) == 0).all()
    assert np.abs(gradient(delta=2.0 + 0 * case.delta)).max() < 1e-13
    assert np.abs(gradient(u=dead)[:, 0]).max() == 0 < np.abs(gradient(u=dead)[:, 1]).max()
    assert_close(gradient(W=1e6 * case.W), gradient() / 1e6, 1e-11)


def of_rank(r, M_B, n, rng):
    """Inputs, n ≥ r columns with means, the centered ones of rank r."""
    u = rng.normal(size=(M_B, r)) @ rng.normal(size=(r, n)) if n > r else rng.normal(size=(M_B, r))
    u = u + rng.normal(size=n)
    assert np.linalg.matrix_rank(u - u.mean(axis=0), tol=1e-9) == r
    return u


RANKS = [(M_B, r) for M_B in (2, 3, 4, 5, 8, 33) for r in sorted({1, 2, 3, M_B - 2, M_B - 1})]
RANKS = [(M_B, r) for M_B, r in RANKS if 1 <= r <= M_B - 1]


@pytest.mark.parametrize("more", [0, 2])
@pytest.mark.parametrize(("M_B", "r"), RANKS)
def test_the_rank_of_the_inputs_counts_the_conditions(M_B, r, more):
    """W rests for all Δ orthogonal to r − 1 directions, those of the M u_j, and for no others."""
    rng = np.random.default_rng([M_B, r, more])
    u, w = of_rank(r, M_B, r + more, rng), rng.normal(size=r + more)
    x_hat = plain_hat(u @ w)
    # Column s: ∂C/∂W where Δ is 1 for sample s and 0 for the others.
    columns = [
        check.complex_step(lambda w, e=e: (e * 1.3 * plain_hat(u @ w)).sum(), w)
        for e in np.eye(M_B)
    ]
    G = np.array(columns).T * (u @ w).std()
    assert np.linalg.matrix_rank(G, tol=1e-9) == r - 1
    assert np.abs(G @ np.column_stack([np.ones(M_B), x_hat])).max() < 1e-10
    rest = sample_space.mix(x_hat[:, np.newaxis], u)
    assert np.linalg.matrix_rank(rest, tol=1e-9) == r - 1
    assert_close(G, 1.3 * rest.T, 1e-10, scale=1.0)


@pytest.mark.parametrize("realizable", [False, True])
@pytest.mark.parametrize(("M_B", "r"), [(4, 1), (4, 2), (6, 4), (6, 5), (9, 3), (33, 5)])
def test_where_w_alone_comes_to_rest(M_B, r, realizable):
    """Squared error, γ and β fixed: MΔ = 0 at r = M_B − 1 or a realizable target, else cosφ = 0."""
    rng = np.random.default_rng([M_B, r])
    u = np.linalg.qr(np.column_stack([np.ones(M_B), rng.normal(size=(M_B, r))]))[0][:, 1:]
    u = np.sqrt(M_B) * u
    target = u @ rng.normal(size=r) + 1 + (not realizable) * rng.normal(size=M_B)
    W = start = rng.normal(size=r)
    for _ in range(3000):
        x_hat = plain_hat(u @ W)
        delta = (0.7 * x_hat + 0.2 - target) / M_B
        W = W - 0.7 / (u @ W).std() * (delta - (delta @ x_hat / M_B) * x_hat) @ u
    normalized, delta = batchnorm.normalize((u @ W)[:, np.newaxis]), delta[:, np.newaxis]
    assert np.abs(batchnorm.weight_gradient(delta, u, normalized, [0.7])).max() < 1e-10
    left = np.linalg.norm(sample_space.mix(normalized.x_hat, delta))
    # What M leaves of the error is what it leaves of the target.
    leaves = sample_space.mix(normalized.x_hat, target[:, np.newaxis])
    assert left == pytest.approx(np.linalg.norm(leaves) / M_B, abs=1e-9)
    if r == 1:
        assert np.abs(W - start).max() < 1e-10
        assert (left < 1e-14) == realizable
    elif realizable or r == M_B - 1:
        assert left < 1e-9
    else:
        angles = geometry.sample_angles(delta, u, normalized.x_hat)
        assert np.abs(np.cos(angles.dihedral)).max() < 1e-6 < 1e-3 < left


@pytest.mark.parametrize("M_B", [3, 4, 32])
def test_aligned_neurons(M_B):
    """S33: û_j ∥ û_k: not zero, but in the ratio σ_k/σ_j."""
    rng = np.random.default_rng(M_B)
    u = rng.normal(size=(M_B, 3))
    u[:, 1] = -2.5 * u[:, 0] + 4
    W, delta = rng.normal(size=(1, 3)), rng.normal(size=(M_B, 1))
    gradient = geometry.weight_gradient(delta, u, batchnorm.normalize(u @ W.T), [1.0])[0]
    assert abs(gradient[0]) > 1e-4
    assert gradient[1] / gradient[0] == pytest.approx(-2.5, rel=1e-10)
    assert ledger.measure("S33", M_B, beyond=True).corrected < 1e-12


def test_float32():
    for case in LAYERS:
        low = case.as_float32()
        normalized, normalized32 = (batchnorm.normalize(c.x, c.eps) for c in (case, low))
        got = geometry.weight_gradient(low.delta, low.u_prev, normalized32, low.gamma)
        assert got.dtype == np.float32
        scale = np.abs(amplitude(case)).max() * max(1.0, (1 / case.x.std(axis=0)).max())
        truth = geometry.weight_gradient(case.delta, case.u_prev, normalized, case.gamma)
        assert_close(got, truth, 2e-5, scale)
        got = geometry.gamma_gradient(low.delta, normalized32)
        assert got.dtype == np.float32
        assert_close(got, geometry.gamma_gradient(case.delta, normalized), 2e-5, len(case.x))
        got = geometry.baseline_weight_gradient(low.delta, low.u_prev)
        assert got.dtype == np.float32
        truth = geometry.baseline_weight_gradient(case.delta, case.u_prev)
        assert_close(got, truth, 2e-5, scale=1.0)
        for angle in geometry.sample_angles(low.delta, low.u_prev, low.x):
            assert angle.dtype == np.float32


@pytest.mark.parametrize("M_B", BATCH_SIZES)
def test_complex_vectors_have_no_angle(M_B):
    case = layer(M_B)
    for f in (
        lambda: geometry.angle(case.delta * 1j, case.x),
        lambda: geometry.angle(case.delta, case.x + 0j),
        lambda: geometry.sample_angles(case.delta, case.u_prev + 0j, case.x),
    ):
        with pytest.raises(ValueError, match=r"^(a|b|u_prev): got complex numbers"):
            f()


def test_a_constant_x_hat_is_named():
    case = layer(6)
    normalized = batchnorm.normalize(case.x)
    normalized.x_hat[:, 1] = 0.0
    with pytest.raises(ValueError, match=r"^normalized\.x_hat: column 1 is constant"):
        geometry.gamma_gradient(case.delta, normalized)


@pytest.mark.parametrize("M_B", [100, 10_000])
def test_the_dihedral_angle_of_rounding_errors(M_B):
    """Along x̂ nothing is left of u but rounding errors, the longer the larger the batch."""
    x, delta = np.random.default_rng(M_B).normal(size=(2, M_B, 1))
    for u in (3 * x + 1, 0.1 - x):
        assert geometry.sample_angles(delta, u, x).dihedral == np.pi / 2


@pytest.mark.parametrize("scale, rises", [(0.05, True), (1.0, False)])
def test_what_descent_of_W_alone_does_to_the_angle_of_the_error(scale, rises):
    """S31: with the squared error |cosθ1| rises where γ is small and falls where it is std(t)."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        u, t, W = rng.normal(size=(32, 5)), rng.normal(size=(32, 1)), rng.normal(size=(1, 5))
        gamma, cosines = np.array([scale * t.std()]), []
        for _ in range(300):
            y, normalized = batchnorm.forward(u @ W.T, gamma, t.mean(axis=0))
            delta = (y - t) / len(t)
            cosines.append(abs(geometry.correlation(delta, normalized.x_hat)[0]))
            W = W - 0.3 / scale * batchnorm.weight_gradient(delta, u, normalized, gamma)
        assert (cosines[-1] > cosines[0]) == rises
