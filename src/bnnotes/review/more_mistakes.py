"""Known mistakes outside ∂C/∂x, each a short function; see `bnnotes.review.mistakes`."""

from ..sample_space import sample_mean as average

# The gradients of γ and β.


def gamma_mean(delta, x_hat):
    return average(delta * x_hat)


def gamma_from_x(delta, x):
    return (delta * x).sum(axis=0)


def gamma_from_centered(delta, centered):
    return (delta * centered).sum(axis=0)


def gamma_from_y(delta, y):
    return (delta * y).sum(axis=0)


def gamma_times_gamma(delta, x_hat, gamma):
    return gamma * (delta * x_hat).sum(axis=0)


def gamma_over_std(delta, x_hat, std):
    return (delta * x_hat).sum(axis=0) / std


def gamma_of_beta(delta):
    return delta.sum(axis=0)


def beta_mean(delta):
    return average(delta)


def beta_times_gamma(delta, gamma):
    return gamma * delta.sum(axis=0)


def beta_over_std(delta, gamma, std):
    return gamma / std * delta.sum(axis=0)


def beta_of_gamma(delta, x_hat):
    return (delta * x_hat).sum(axis=0)


def beta_from_x(x):
    return x.sum(axis=0)


# The gradient of W and the error of the layer below.


def weight_of_baseline(delta, u_prev):
    return delta.T @ u_prev


def weight_mean(dx, u_prev):
    return dx.T @ u_prev / len(dx)


def weight_times_g_prime(dx, u_prev, g_prime):
    return dx.T @ (u_prev * g_prime)


def previous_of_baseline(delta, W, g_prime):
    return (delta @ W) * g_prime


def g_prime_missing(dx, W):
    return dx @ W


def g_prime_twice(dx, W, g_prime):
    return (dx @ W) * g_prime**2


def u_for_g_prime(dx, W, u_prev):
    return (dx @ W) * u_prev


def y_for_g_prime(dx, W, y_prev):
    return (dx @ W) * y_prev


def bias_mean(delta):
    return average(delta)


# The error at the output of a network.


def output_not_averaged(u, phi):
    return u - phi


def output_times_g_prime(u, phi, M_B, g_prime_out):
    return (u - phi) / M_B * g_prime_out


def output_reversed(u, phi, M_B):
    return (phi - u) / M_B


# The forward pass.


def gamma_not_applied(x_hat, beta):
    return x_hat + beta


def beta_not_added(gamma, x_hat):
    return gamma * x_hat


def affine_left_out(x_hat):
    return x_hat


def beta_scaled(gamma, x_hat, beta):
    return gamma * (x_hat + beta)


def beta_subtracted(gamma, x_hat, beta):
    return gamma * x_hat - beta


def gamma_beta_swapped(gamma, x_hat, beta):
    return beta * x_hat + gamma
