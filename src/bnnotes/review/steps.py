"""Back-propagation through one layer, cut into steps that can be replaced one by one.

A known mistake is a function that stands in for one of these steps. The
names of its arguments say what it needs, as in the reader's own function.
"""

from __future__ import annotations

import functools
import inspect

from .. import baseline, batchnorm, sample_space


def statistics(x, eps):
    x_hat, _, std = batchnorm.normalize.bare(x, eps)
    return x_hat, std


def affine(gamma, x_hat, beta):
    return gamma * x_hat + beta


def bracket(delta, x_hat):
    return sample_space.mix.bare(x_hat, delta)


def scale(gamma, std):
    return gamma / std


def gamma_gradient(delta, x_hat):
    return len(delta) * sample_space.split(x_hat, delta).along_x_hat


def beta_gradient(delta):
    return delta.sum(axis=0)


def weight(dx, u_prev):
    return baseline.weight_gradient.bare(dx, u_prev)


def centered_weight(dx, u_prev):
    """The same for a right ∂C/∂x. Of a wrong one it hides the part along 1."""
    return baseline.weight_gradient.bare(dx, sample_space.center(u_prev))


def previous(dx, W, g_prime):
    return baseline.previous_error.bare(dx, W, g_prime)


def bias(delta):
    return baseline.bias_gradient(delta)


def output(u, phi):
    return baseline.output_error.bare(u, phi)


RIGHT = {
    "statistics": statistics,
    "affine": affine,
    "bracket": bracket,
    "scale": scale,
    "gamma": gamma_gradient,
    "beta": beta_gradient,
    "weight": weight,
    "previous": previous,
    "bias": bias,
    "output": output,
}


@functools.cache
def parameters(step):
    """Return the names of a step's arguments."""
    # A step that is made of others names them itself.
    return getattr(step, "names", None) or tuple(inspect.signature(step).parameters)


def fixed(step, **given):
    """Return a step with some of its arguments given."""

    def partly(**values):
        return step(**values, **given)

    partly.names = tuple(name for name in parameters(step) if name not in given)
    given = {name: value for name, value in given.items() if name in parameters(step)}
    return partly


def call(step, values):
    """Call a step with the values that its arguments name."""
    return step(**{name: values[name] for name in parameters(step)})


def evaluate(values, replaced, quantities, memo=None):
    """Return the wanted quantities with some steps replaced.

    Parameters
    ----------
    values : dict
        Of a `Case`.
    replaced : dict of str to callable
        The steps that are not the right ones.
    quantities : iterable of str
        Some of ``x``, ``gamma``, ``beta``, ``y``, ``W``, ``previous_error``, ``b``.
    memo : dict, optional
        Kept between calls with the same values, so that no step is done twice.

    Returns
    -------
    dict of str to ndarray
    """
    step, made_by = {**RIGHT, **replaced}, replaced.get("statistics")
    memo, values = {} if memo is None else memo, dict(values)

    def once(name):
        key = step[name], made_by
        if key not in memo:
            memo[key] = call(step[name], values)
        return memo[key]

    if made_by:
        values["x_hat"], values["std"] = once("statistics")
        values["y"] = once("affine")
    if not {"x", "W", "previous_error"}.isdisjoint(quantities):
        alone = "input_error" in step
        values["dx"] = once("input_error") if alone else once("scale") * once("bracket")
    found = {}
    for quantity in quantities:
        name = STEP_OF.get(quantity)
        if name in ("weight", "previous"):
            found[quantity] = call(step[name], values)
        else:
            found[quantity] = once(name) if name else values["dx" if quantity == "x" else quantity]
    return found


STEP_OF = {
    "y": "affine",
    "gamma": "gamma",
    "beta": "beta",
    "W": "weight",
    "previous_error": "previous",
    "b": "bias",
}
