"""Check your own code: is this gradient right, and if not, which mistake is it?

Hand over a function. It is tried on batches that cannot mask a mistake, and
the report says in words what is wrong::

    from bnnotes import review

    print(review.batchnorm_backward(my_backward))  # a report
    review.batchnorm_backward(my_backward).raise_if_wrong()  # a test

The arguments are found by their names, and so are the results: ``delta`` or
``dout`` or ``grad_output``, ``x``, ``x_hat``, ``mean``, ``std``, ``var``,
``gamma``, ``beta``, ``eps``, ``u_prev``, ``W``, ``g_prime``, a ``cache``,
and what else the field calls them. Arrays may be sample-major (M_B, n),
feature-major (n, M_B) or images (N, n, H, W). `names` has all names.

Your function gets numpy arrays and may return whatever ``np.asarray`` takes,
jax arrays and tensors on the CPU among it. A function of tensors gets two
lines around it::

    def my_numpy_backward(delta, x, gamma, beta, eps):
        tensors = map(torch.tensor, (delta, x, gamma, beta))
        return my_torch_backward(*tensors, eps)

So do a layer with a forward and a backward method, and a backward pass that
needs the cache of its own forward pass::

    def my_numpy_backward(delta, x, gamma, beta, eps):
        y, cache = my_forward(x, gamma, beta, eps)
        return my_backward(delta, cache)
"""

from __future__ import annotations

import copy

import numpy as np

from .._validation import choice, instance
from . import subjects, whole
from .examine import examine
from .report import Report, WrongGradient

__all__ = [
    "Report",
    "WrongGradient",
    "baseline_backpropagation",
    "batchnorm_backward",
    "batchnorm_forward",
    "beta_gradient",
    "case",
    "gamma_gradient",
    "network",
    "previous_error",
    "weight_gradient",
]


def batchnorm_backward(f, *, layout=None):
    """Review the backward pass of batch normalization, section 2.

    Parameters
    ----------
    f : callable
        Takes some of ``delta, x, x_hat, mean, std, var, gamma, beta, eps``,
        returns ∂C/∂x, or (∂C/∂x, ∂C/∂γ, ∂C/∂β), or a dict or a named tuple
        of them.
    layout : {"sample-major", "feature-major", "images"}, optional
        How f wants its arrays; found out if None.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If `layout` is none of these. Nothing that f raises is raised.

    Examples
    --------
    >>> def my_backward(dout, x_hat, std, gamma):
    ...     return gamma / std * (dout - dout.mean(axis=0))
    >>> batchnorm_backward(my_backward).diagnosis
    'your ∂C/∂x lacks −x̂⟨Δ x̂⟩'
    """
    return examine(f, subjects.BATCHNORM_BACKWARD, layout)


def batchnorm_forward(f, *, layout=None):
    """Review the forward pass of batch normalization, section 2.

    Parameters
    ----------
    f : callable
        Takes some of ``x, mean, std, var, gamma, beta, eps``, returns y, or
        (y, cache). Of a cache with names, x̂, mean and std are reviewed too.
    layout : {"sample-major", "feature-major", "images"}, optional
        How f wants its arrays; found out if None.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If `layout` is none of these. Nothing that f raises is raised.
    """
    return examine(f, subjects.BATCHNORM_FORWARD, layout)


def gamma_gradient(f, *, layout=None):
    """Review ∂C/∂γ, section 2 (S13).

    Parameters
    ----------
    f : callable
        Takes what `batchnorm_backward` offers, returns an array (n,).
    layout : {"sample-major", "feature-major", "images"}, optional
        How f wants its arrays; found out if None.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If `layout` is none of these. Nothing that f raises is raised.
    """
    return examine(f, subjects.GAMMA_GRADIENT, layout)


def beta_gradient(f, *, layout=None):
    """Review ∂C/∂β, section 2 (S12).

    Parameters
    ----------
    f : callable
        Takes what `batchnorm_backward` offers, returns an array (n,).
    layout : {"sample-major", "feature-major", "images"}, optional
        How f wants its arrays; found out if None.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If `layout` is none of these. Nothing that f raises is raised.
    """
    return examine(f, subjects.BETA_GRADIENT, layout)


def weight_gradient(f, *, layout=None, weights=None):
    """Review ∂C/∂W of a layer with batch normalization, equation (1).

    Parameters
    ----------
    f : callable
        Takes some of ``delta, u_prev, W, x, x_hat, mean, std, var, gamma,
        beta, eps``, returns ∂C/∂W.
    layout : {"sample-major", "feature-major"}, optional
        How f wants its arrays; found out if None.
    weights : {"(n, n_prev)", "(n_prev, n)"}, optional
        The shape of W; the first, as in this book, if f cannot tell.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If an option is none of these. Nothing that f raises is raised.
    """
    return examine(f, subjects.WEIGHT_GRADIENT, layout, weights)


def previous_error(f, *, layout=None, weights=None):
    """Review the error of the layer below one with batch normalization, equation (2).

    Parameters
    ----------
    f : callable
        Takes some of ``delta, W, x, x_hat, mean, std, var, gamma, eps,
        g_prime``, returns Δ of the layer below. ``g_prime`` is the array
        g'(y) of that layer.
    layout : {"sample-major", "feature-major"}, optional
        How f wants its arrays; found out if None.
    weights : {"(n, n_prev)", "(n_prev, n)"}, optional
        The shape of W; the first, as in this book, if f cannot tell.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If an option is none of these. Nothing that f raises is raised.

    Examples
    --------
    >>> def my_error(delta, W, x_hat, std, gamma, g_prime):
    ...     mixed = delta - delta.mean(axis=0) - x_hat * (delta * x_hat).mean(axis=0)
    ...     return (gamma / std * mixed) @ W.T * g_prime
    >>> previous_error(my_error).mistakes
    ('W for Wᵀ',)
    """
    return examine(f, subjects.PREVIOUS_ERROR, layout, weights)


def baseline_backpropagation(f, *, layout=None, weights=None):
    """Review back-propagation through a layer without batch normalization, section 1.

    Parameters
    ----------
    f : callable
        Takes some of ``delta, u_prev, W, b, g_prime``, returns some of Δ of
        the layer below, ∂C/∂W and ∂C/∂b. The shapes tell which is which.
    layout : {"sample-major", "feature-major"}, optional
        How f wants its arrays; found out if None.
    weights : {"(n, n_prev)", "(n_prev, n)"}, optional
        The shape of W; the first, as in this book, if f cannot tell.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If an option is none of these. Nothing that f raises is raised.
    """
    return examine(f, subjects.BASELINE, layout, weights)


def network(f, *, batch_norm=True, layout=None, weights=None):
    """Review the cost and all gradients of a whole network, sections 1 and 2.

    The network has three layers, a sigmoid output and the cross-entropy of
    `bnnotes.baseline.cross_entropy` as cost.

    Parameters
    ----------
    f : callable
        Takes ``psi`` and ``phi``, the inputs and the labels, and either
        ``network``, or ``layers`` (a list of dicts with W, gamma and beta),
        or ``Ws``, ``gammas`` and ``betas``; and ``eps`` and ``activation``,
        or it has them built in. Returns (cost, gradients), the gradients in
        the same form.
    batch_norm : bool
        Whether the layers normalize their batch; else they have W and b.
    layout : {"sample-major", "feature-major"}, optional
        How f wants its arrays; found out if None.
    weights : {"(n, n_prev)", "(n_prev, n)"}, optional
        The shape of every W; found out if None.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If an option is none of these. Nothing that f raises is raised.
    """
    instance("batch_norm", batch_norm, (bool, np.bool_), "True or False")
    subject = whole.NETWORK if batch_norm else whole.BASELINE_NETWORK
    return examine(f, subject, layout, weights)


def case(subject, name):
    """Return the inputs of one case by the names of the book, as a report names it.

    Parameters
    ----------
    subject : str
        What is reviewed: the name of a function of this module.
    name : str
        ``"M_B = 3"``, ``"constant feature, eps = 0.01"``, and so on.

    Returns
    -------
    dict
        A copy, yours to change.

    Raises
    ------
    ValueError
        If there is no such case.

    Examples
    --------
    >>> case("batchnorm_backward", "M_B = 3")["delta"].shape
    (3, 4)
    """
    known = {each.name: each for each in (*subjects.ALL, whole.NETWORK, whole.BASELINE_NETWORK)}
    cases = {each.name: each for each in known[choice("subject", subject, known)].cases}
    return copy.deepcopy(cases[choice("name", name, cases)].values)
