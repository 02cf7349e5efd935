"""Section 3 of the source: angles in sample space, and where W comes to rest.

What they make of ∂C/∂W and ∂C/∂γ is in test_formulas.py and test_properties_geometry.py.
"""

import numpy as np
import pytest
from cases import assert_close, every_layer, layer, plain_hat

from bnnotes import batchnorm, check, geometry, sample_space


def cos(a, b):
    """The cosine between two centered vectors, from the definition."""
    a, b = a - a.mean(), b - b.mean()
    return a @ b / np.sqrt((a @ a) * (b @ b))


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
