"""The kernel of two, three and four samples, proven symbol by symbol; no number is put in.

What is proven is the function of the package: it gets symbols in place of numbers.
"""

import functools
from typing import NamedTuple

import numpy as np
import pytest
import sympy

from bnnotes.checked import unchecked
from bnnotes.sample_space import mixing_matrix

GAMMA, BETA, EPS = sympy.symbols("gamma beta epsilon", real=True)


class Symbols(NamedTuple):
    """x_1 … x_{M_B}, x − ⟨x⟩ and s² = σ² + ε in them, and M with x̂ = (x − ⟨x⟩)/s."""

    x: tuple
    centered: list
    s2: sympy.Expr
    M: sympy.Matrix


@functools.cache
def symbols(M_B):
    x = sympy.symbols(f"x_1:{M_B + 1}", real=True)
    centered = [v - sum(x) / M_B for v in x]
    s2 = sum(v**2 for v in centered) / M_B + EPS
    M = unchecked(mixing_matrix, np.array([v / sympy.sqrt(s2) for v in centered]))
    return Symbols(x, centered, s2, sympy.Matrix(M))


def vanishes(expression):
    """Whether a quotient of polynomials is 0 for all values of its symbols."""
    above, below = sympy.fraction(sympy.together(expression))
    assert above.is_polynomial() and below.is_polynomial()
    return sympy.expand(above) == 0


every_M_B = pytest.mark.parametrize("M_B", [2, 3, 4])


@every_M_B
def test_the_kernel_is_the_derivative(M_B):
    """(3): ∂y_s/∂x_t = (γ/s) M_st, for every s and t, every γ, β and ε."""
    x, centered, s2, M = symbols(M_B)
    s = sympy.sqrt(s2)
    for row in range(M_B):
        y = GAMMA * centered[row] / s + BETA
        for column in range(M_B):
            difference = sympy.diff(y, x[column]) - GAMMA / s * M[row, column]
            # Times s all roots are gone.
            assert vanishes(sympy.expand_mul(difference * s))


@every_M_B
def test_a_wrong_kernel_is_not(M_B):
    """The proof sees n − 1 for n, a dropped mean and a dropped x̂."""
    x, centered, s2, _ = symbols(M_B)
    s = sympy.sqrt(s2)
    true = sympy.diff(GAMMA * centered[0] / s, x[1])
    product = centered[0] * centered[1] / s2
    for wrong in (-product / M_B, -sympy.Rational(1, M_B), -(1 + product) / (M_B + 1)):
        difference = true - GAMMA / s * wrong
        assert not vanishes(sympy.expand_mul(difference * s))


@every_M_B
def test_the_spectrum(M_B):
    """S20: M 1 = 0, M x̂ = (ε/s²) x̂, and M w = w for every w that is orthogonal to both."""
    _, centered, s2, M = symbols(M_B)
    ones, column = sympy.ones(M_B, 1), sympy.Matrix(centered)
    assert all(vanishes(entry) for entry in M * ones)
    assert all(vanishes(entry) for entry in M * column - EPS / s2 * column)
    # I − M takes a product with 1 and one with x̂, and nothing else.
    taken = (ones * ones.T + column * column.T / s2) / M_B
    assert all(vanishes(entry) for entry in sympy.eye(M_B) - M - taken)
    assert vanishes(M.trace() - (M_B - 2 + EPS / s2))


@every_M_B
def test_a_projector_of_rank_M_B_minus_2(M_B):
    """At ε = 0, whatever x: M² = M, so that its rank is its trace."""
    M = symbols(M_B).M.subs(EPS, 0)
    assert M == M.T
    square = M * M - M
    # Every other entry is one of these two, with the samples renamed.
    assert vanishes(square[0, 0]) and vanishes(square[0, 1])
    assert vanishes(M.trace() - (M_B - 2))


def test_two_samples_leave_nothing():
    """M_B = 2, ε = 0: every entry of the kernel is 0, so nothing is left to learn."""
    M = symbols(2).M
    assert all(vanishes(entry) for entry in M.subs(EPS, 0))
    # With ε the part ε/s² is left, half on each sample.
    rest = EPS / symbols(2).s2 / 2
    assert all(
        vanishes(M[row, column] - (rest if row == column else -rest))
        for row in range(2)
        for column in range(2)
    )


@every_M_B
def test_Mu_of_one_input(M_B):
    """S24: x = W u gives M u = ũ ε/(W²σ̃² + ε), and 0 at ε = 0, whatever W."""
    x, centered, _, M = symbols(M_B)
    W, u = sympy.Symbol("W", real=True), sympy.symbols(f"u_1:{M_B + 1}", real=True)
    by_u = dict(zip(x, u, strict=True))
    u_centered = [entry.subs(by_u) for entry in centered]
    variance = W**2 * sum(v**2 for v in u_centered) / M_B + EPS
    of_Wu = M.subs({a: W * b for a, b in by_u.items()}, simultaneous=True)
    # Every other entry is the first, with the samples renamed.
    (got,) = of_Wu[0, :] * sympy.Matrix(u)
    assert vanishes(got - u_centered[0] * EPS / variance)
    assert vanishes(got.subs(EPS, 0))
