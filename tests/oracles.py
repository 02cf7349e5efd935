"""Results by other means, with no code of the package in them."""

from decimal import Decimal, localcontext

import autograd
import autograd.numpy as anp
import numpy as np

ACTIVATIONS = {
    "sigmoid": lambda y: 1 / (1 + anp.exp(-y)),
    "tanh": anp.tanh,
    "relu": lambda y: anp.maximum(y, 0),
    "identity": lambda y: y,
}


def output(parameters, psi, activation, eps):
    """The network's output. `parameters` holds (W, b) or (W, gamma, beta) per layer."""
    u = psi
    for l, layer in enumerate(parameters):
        if len(layer) == 2:
            W, b = layer
            y = anp.dot(u, W.T) + b
        else:
            W, gamma, beta = layer
            x = anp.dot(u, W.T)
            mean = anp.mean(x, axis=0)
            variance = anp.mean((x - mean) ** 2, axis=0)
            y = gamma * (x - mean) / anp.sqrt(variance + eps) + beta
        last = l == len(parameters) - 1
        u = ACTIVATIONS["sigmoid" if last else activation](y)
    return u


def cost(parameters, psi, phi, activation, eps):
    """Cross-entropy, summed over the outputs, averaged over the samples."""
    u = output(parameters, psi, activation, eps)
    return -anp.sum(phi * anp.log(u) + (1 - phi) * anp.log(1 - u)) / len(psi)


def cost_and_gradients(parameters, psi, phi, activation, eps):
    """By HIPS autograd, in reverse mode."""
    return autograd.value_and_grad(cost)(parameters, psi, phi, activation, eps)


def parameters(network):
    """The arrays of a bnnotes network, for the functions above."""
    return [tuple(vars(layer).values()) for layer in network.layers]


def exact_input_error(delta, x, gamma, eps=0.0):
    """∂C/∂x of one neuron, (M_B,), in decimals of 60 digits, from the definition of y.

    C = Σ Δ y with y = γ (x − ⟨x⟩)/s: the quotient rule, entry by entry.
    """
    with localcontext() as context:
        context.prec = 60
        delta, x = [Decimal(float(v)) for v in delta], [Decimal(float(v)) for v in x]
        gamma, eps, M_B = Decimal(float(gamma)), Decimal(float(eps)), len(x)
        mean = sum(x) / M_B
        centered = [v - mean for v in x]
        s = (sum(v * v for v in centered) / M_B + eps).sqrt()
        errors = []
        for t in range(M_B):
            ds = centered[t] / (M_B * s)
            total = Decimal(0)
            for k in range(M_B):
                dx = (1 if k == t else 0) - Decimal(1) / M_B
                total += delta[k] * gamma * (dx * s - centered[k] * ds) / (s * s)
            errors.append(float(total))
    return np.array(errors)
