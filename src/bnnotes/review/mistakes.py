"""Known mistakes in the backward pass of batch normalization, each a short function.

A function here stands in for one step of the right backward pass::

    statistics(x, eps)       x̂ and s          here, how x is normalized
    bracket(delta, x_hat)    M Δ = Δ − ⟨Δ⟩ − x̂⟨Δ x̂⟩
    scale(gamma, std)        γ/s               ∂C/∂x = scale · bracket
    gamma(delta, x_hat)      Σ Δ x̂
    beta(delta)              Σ Δ
    weight(dx, u_prev)       ∂C/∂W from ∂C/∂x
    previous(dx, W, g_prime) the error of the layer below from ∂C/∂x
    output(u, phi)           Δ of the last layer of a network
    affine(gamma, x_hat, beta)   y, in the forward pass

`bnnotes.review.known` says what each is called, how review words it, and where
it was met.
"""

from __future__ import annotations

import numpy as np

from ..sample_space import sample_mean as average

# Terms that are missing.


def missing_mean_term(delta, x_hat):
    return delta - x_hat * average(delta * x_hat)


def missing_x_hat_term(delta):
    return delta - average(delta)


def constant_statistics(delta):
    return delta


# Terms with the wrong sign or factor.


def mean_term_added(delta, x_hat):
    return delta + average(delta) - x_hat * average(delta * x_hat)


def x_hat_term_added(delta, x_hat):
    return delta - average(delta) + x_hat * average(delta * x_hat)


def minus_half_dropped(delta, x_hat):
    return delta - average(delta) + 2 * x_hat * average(delta * x_hat)


def half_dropped(delta, x_hat):
    return delta - average(delta) - 2 * x_hat * average(delta * x_hat)


def two_dropped(delta, x_hat):
    return delta - average(delta) - x_hat * average(delta * x_hat) / 2


def sum_in_mean_term(delta, x_hat):
    return delta - delta.sum(axis=0) - x_hat * average(delta * x_hat)


def sum_in_x_hat_term(delta, x_hat):
    return delta - average(delta) - x_hat * (delta * x_hat).sum(axis=0)


def sum_in_both_terms(delta, x_hat):
    return delta - delta.sum(axis=0) - x_hat * (delta * x_hat).sum(axis=0)


def divided_twice_in_mean_term(delta, x_hat, M_B):
    return delta - average(delta) / M_B - x_hat * average(delta * x_hat)


def divided_twice_in_x_hat_term(delta, x_hat, M_B):
    return delta - average(delta) - x_hat * average(delta * x_hat) / M_B


def bessel_in_x_hat_term(delta, x_hat, M_B):
    return delta - average(delta) - x_hat * (delta * x_hat).sum(axis=0) / (M_B - 1)


def bessel_in_mean_term(delta, x_hat, M_B):
    return delta - delta.sum(axis=0) / (M_B - 1) - x_hat * average(delta * x_hat)


def direct_term_divided(delta, x_hat, M_B):
    return delta / M_B - average(delta) - x_hat * average(delta * x_hat)


def mean_counted_by_sample(delta, x_hat, M_B):
    return delta - average(delta) - (1 - 1 / M_B) * x_hat * average(delta * x_hat)


def gamma_in_means(delta, x_hat, gamma):
    return delta - average(gamma * delta) - x_hat * average(gamma * delta * x_hat)


def gamma_not_in_means(delta, x_hat, gamma):
    return delta - average(delta / gamma) - x_hat * average(delta / gamma * x_hat)


def gamma_not_in_direct_term(delta, x_hat, gamma):
    return delta / gamma - average(delta) - x_hat * average(delta * x_hat)


def power_minus_half(delta, x_hat, std):
    return delta - average(delta) - std**2 * x_hat * average(delta * x_hat)


def power_of_std(delta, x_hat, std):
    return delta - average(delta) - std**1.5 * x_hat * average(delta * x_hat)


def eps_missing_in_x_hat_term(delta, x_hat, std, var):
    return delta - average(delta) - (std**2 / var) ** 1.5 * x_hat * average(delta * x_hat)


def mean_counted_twice(delta, x_hat, mean, std):
    along_x_hat = average(delta * x_hat)
    return delta - average(delta) - x_hat * along_x_hat + along_x_hat * mean / std


# The wrong vector in a term.


def inner_x_hat_missing(delta, x_hat):
    return delta - average(delta) - x_hat * average(delta)


def outer_x_hat_missing(delta, x_hat):
    return delta - average(delta) - average(delta * x_hat)


def x_for_x_hat(delta, x):
    return delta - average(delta) - x * average(delta * x)


def x_for_outer_x_hat(delta, x, x_hat):
    return delta - average(delta) - x * average(delta * x_hat)


def x_for_inner_x_hat(delta, x, x_hat):
    return delta - average(delta) - x_hat * average(delta * x)


def centered_for_x_hat(delta, centered):
    return delta - average(delta) - centered * average(delta * centered)


def centered_for_one_x_hat(delta, x_hat, centered):
    return delta - average(delta) - centered * average(delta * x_hat)


def y_for_x_hat(delta, y):
    return delta - average(delta) - y * average(delta * y)


# The wrong index.


def mean_term_over_neurons(delta, x_hat):
    return delta - delta.mean(axis=1, keepdims=True) - x_hat * average(delta * x_hat)


def x_hat_term_over_neurons(delta, x_hat):
    return delta - average(delta) - x_hat * (delta * x_hat).mean(axis=1, keepdims=True)


def both_terms_over_neurons(delta, x_hat):
    mean = delta.mean(axis=1, keepdims=True)
    return delta - mean - x_hat * (delta * x_hat).mean(axis=1, keepdims=True)


def mean_term_over_everything(delta, x_hat):
    return delta - delta.mean() - x_hat * average(delta * x_hat)


def x_hat_term_over_everything(delta, x_hat):
    return delta - average(delta) - x_hat * (delta * x_hat).mean()


def both_terms_over_everything(delta, x_hat):
    return delta - delta.mean() - x_hat * (delta * x_hat).mean()


def own_layer_x_hat(delta, x_hat_prev):
    return delta - average(delta) - x_hat_prev * average(delta * x_hat_prev)


def own_layer_scale(gamma_prev, std_prev):
    return gamma_prev / std_prev


def own_layer_gamma(gamma_prev, std):
    return gamma_prev / std


def own_layer_std(gamma, std_prev):
    return gamma / std_prev


def W_not_transposed(dx, W, g_prime):
    return (dx @ W.T) * g_prime


# The wrong scale.


def gamma_left_out(std):
    return 1 / std


def gamma_twice(gamma, std):
    return gamma**2 / std


def times_std(gamma, std):
    return gamma * std


def std_left_out(gamma):
    return gamma


def variance_for_std(gamma, std):
    return gamma / std**2


def square_for_root(gamma, std):
    return gamma / std**4


def bessel_in_scale(gamma, var, eps, M_B):
    return gamma / np.sqrt(var * M_B / (M_B - 1) + eps)


def running_scale(gamma, running_var, eps):
    return gamma / np.sqrt(running_var + eps)


def eps_missing_in_scale(gamma, var):
    return gamma / np.sqrt(var)


def eps_outside_root_in_scale(gamma, var, eps):
    return gamma / (np.sqrt(var) + eps)


def eps_added_to_std(gamma, std, eps):
    return gamma / (std + eps)


def eps_added_twice(gamma, std, eps):
    return gamma / np.sqrt(std**2 + eps)


# The wrong statistics: what x̂ and s are.


def normalized_by(x, mean, std):
    return (x - mean) / std, std


def bessel_variance(x, mean, var, eps, M_B):
    return normalized_by(x, mean, np.sqrt(var * M_B / (M_B - 1) + eps))


def eps_outside_root(x, mean, var, eps):
    return normalized_by(x, mean, np.sqrt(var) + eps)


def bessel_eps_outside(x, mean, var, eps, M_B):
    return normalized_by(x, mean, np.sqrt(var * M_B / (M_B - 1)) + eps)


def eps_left_out(x, mean, var):
    return normalized_by(x, mean, np.sqrt(var))


def running_statistics(x, running_mean, running_var, eps):
    return normalized_by(x, running_mean, np.sqrt(running_var + eps))


def divided_by_variance(x, mean, var, eps):
    return normalized_by(x, mean, var + eps)


def divided_by_square(x, mean, var, eps):
    return normalized_by(x, mean, (var + eps) ** 2)


def mean_not_subtracted(x, std):
    return x / std, std


def variance_not_divided(x, mean, var, eps, M_B):
    return normalized_by(x, mean, np.sqrt(var * M_B + eps))


def second_moment(x, mean, eps):
    return normalized_by(x, mean, np.sqrt(average(x**2) + eps))


def statistics_over_neurons(x, eps):
    mean, var = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
    return normalized_by(x, mean, np.sqrt(var + eps))


def statistics_over_everything(x, eps):
    return normalized_by(x, x.mean(), np.sqrt(x.var() + eps))


# Brackets that go with other statistics, so that the gradient fits a wrong forward pass.


def eps_outside_bracket(delta, x_hat, centered, var):
    return delta - average(delta) - centered / np.sqrt(var) * average(delta * x_hat)


def bessel_eps_outside_bracket(delta, x_hat, centered, var, M_B):
    direction = centered / np.sqrt(var * M_B / (M_B - 1))
    return delta - average(delta) - direction * (delta * x_hat).sum(axis=0) / (M_B - 1)


def variance_bracket(delta, centered, var_eps):
    return delta - average(delta) - 2 * centered * average(delta * centered) / var_eps


def square_bracket(delta, centered, var_eps):
    return delta - average(delta) - 4 * centered * average(delta * centered) / var_eps
