"""One training step of each peer, written as a competent user of that peer would write it.

Each class takes the same network, the same data and the same order of the batches as ours, and has
``gradients(psi, phi)`` to be compared before the timing, and ``train(batches)``, which is timed.
All compute in the dtype of ours, float64 but for the live explorer, and run without eps, or with
the smallest that the peer allows.
"""

import os

import autograd
import autograd.numpy as anp
import jax
import jax.numpy as jnp
import numpy as np
import torch

TINY = 1e-300  # PyTorch refuses eps = 0
LEARNING_RATE = 0.01

jax.config.update("jax_enable_x64", True)


def threads():
    """Say how many threads each peer may use."""
    flags = os.environ.get("XLA_FLAGS", "")
    xla = "one (XLA_FLAGS)" if "multi_thread_eigen=false" in flags else "its default"
    return {"PyTorch": str(torch.get_num_threads()), "jax": xla, "autograd": "as numpy"}


class Torch:
    """PyTorch eager: nn.Linear, nn.BatchNorm1d, backward, optim.SGD."""

    name = "PyTorch"

    def __init__(self, net, psi, phi):
        modules = []
        for layer, n_prev in zip(net.layers, net.sizes, strict=False):
            n, batch_norm = len(layer.W), hasattr(layer, "gamma")
            linear = torch.nn.Linear(n_prev, n, bias=not batch_norm)
            linear.weight.data = torch.from_numpy(layer.W.copy())
            modules.append(linear)
            if batch_norm:
                # No running statistics: ours keeps none, so this spares PyTorch the work.
                modules.append(torch.nn.BatchNorm1d(n, eps=TINY, track_running_stats=False))
            else:
                linear.bias.data = torch.from_numpy(layer.b.copy())
            modules.append(torch.nn.ReLU())
        self.psi, self.phi = torch.from_numpy(psi), torch.from_numpy(phi)
        self.model = torch.nn.Sequential(*modules[:-1]).to(self.psi.dtype)
        self.loss = torch.nn.BCEWithLogitsLoss(reduction="sum")
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=LEARNING_RATE)

    def step(self, psi, phi):
        self.optimizer.zero_grad()
        cost = self.loss(self.model(psi), phi) / len(psi)
        cost.backward()
        self.optimizer.step()
        return cost

    def train(self, batches):
        return [
            self.step(self.psi[batch], self.phi[batch]).item()
            for batch in map(torch.from_numpy, batches)
        ]

    def gradients(self, psi, phi):
        self.optimizer.zero_grad()
        (self.loss(self.model(torch.from_numpy(psi)), torch.from_numpy(phi)) / len(psi)).backward()
        return [p.grad.numpy() for p in self.model.parameters()]


def _norm(np_, parameters, x):
    gamma, beta = parameters
    centered = x - np_.mean(x, axis=0)
    return gamma * centered / np_.sqrt(np_.mean(centered**2, axis=0)) + beta


def jax_norm(parameters, x):
    return _norm(jnp, parameters, x)


def autograd_norm(parameters, x):
    return _norm(anp, parameters, x)


def _cost(np_, softplus, parameters, psi, phi):
    """The cost for jax and autograd, which share numpy's names."""
    u = psi
    for l, layer in enumerate(parameters):
        if len(layer) == 3:
            W, gamma, beta = layer
            y = _norm(np_, (gamma, beta), np_.dot(u, W.T))
        else:
            W, b = layer
            y = np_.dot(u, W.T) + b
        u = np_.maximum(y, 0) if l < len(parameters) - 1 else y
    return np_.sum(softplus(u) - phi * u) / len(psi)


def jax_cost(parameters, psi, phi):
    return _cost(jnp, jax.nn.softplus, parameters, psi, phi)


def autograd_cost(parameters, psi, phi):
    return _cost(anp, lambda y: anp.logaddexp(0, y), parameters, psi, phi)


@jax.jit
def jax_step(parameters, psi, phi):
    cost, gradients = jax.value_and_grad(jax_cost)(parameters, psi, phi)
    stepped = jax.tree.map(lambda p, g: p - LEARNING_RATE * g, parameters, gradients)
    return cost, stepped


class Jax:
    """jax: the whole step, gradient and update, in one jax.jit."""

    name = "jax"

    def __init__(self, net, psi, phi):
        self.parameters = [
            tuple(jnp.asarray(array) for array in vars(layer).values()) for layer in net.layers
        ]
        self.psi, self.phi = psi, phi

    def train(self, batches):
        costs, parameters = [], self.parameters
        for batch in batches:
            cost, parameters = jax_step(parameters, self.psi[batch], self.phi[batch])
            costs.append(cost)
        self.parameters = parameters
        return [float(cost) for cost in costs]

    def gradients(self, psi, phi):
        gradients = jax.grad(jax_cost)(self.parameters, psi, phi)
        return [np.asarray(array) for layer in gradients for array in layer]


class Autograd:
    """HIPS autograd on numpy."""

    name = "autograd"
    value_and_grad = staticmethod(autograd.value_and_grad(autograd_cost))

    def __init__(self, net, psi, phi):
        self.parameters = [tuple(vars(layer).values()) for layer in net.layers]
        self.psi, self.phi = psi, phi

    def train(self, batches):
        costs = []
        for batch in batches:
            cost, gradients = self.value_and_grad(self.parameters, self.psi[batch], self.phi[batch])
            self.parameters = [
                tuple(p - LEARNING_RATE * g for p, g in zip(*pair, strict=True))
                for pair in zip(self.parameters, gradients, strict=True)
            ]
            costs.append(cost)
        return costs

    def gradients(self, psi, phi):
        gradients = self.value_and_grad(self.parameters, psi, phi)[1]
        return [array for layer in gradients for array in layer]
