"""Whole networks and SGD, with and without Batch Normalization.

The hidden layers share one activation; the output is a sigmoid and the cost
the cross-entropy, as in the source. What does not fit is refused with a
`ValueError` that says what was wanted; so is a feature that is constant over
the batch at eps = 0, by its layer, counted from 1, and its neuron.
"""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from . import baseline, batchnorm
from .activations import Activation, get, sigmoid
from .checked import (
    UnusableFeature,
    count,
    finite,
    function,
    generator,
    instance,
    limits,
    number,
    shown,
    sized,
    unchecked,
    unit_interval,
)
from .sample_space import mean_and_rest

# Of one network: what a machine has memory for. A typing error should not fill it.
MOST_WEIGHTS = 10**9
MOST_EPOCHS = 10**6


# The two kinds of layer. Each has its own forward pass, gradients and inference mode, so that no
# loop below asks which kind it meets.


@dataclass(eq=False)
class Dense:
    """Parameters of a layer without BN, or their gradients.

    Attributes
    ----------
    W : ndarray, shape (n, n_prev)
    b : ndarray, shape (n,)
    """

    W: np.ndarray
    b: np.ndarray

    def pre_activation(self, u_prev, eps):
        """Return y, and what `gradients` needs again: the input, and nothing normalized."""
        return self.infer(u_prev, None), u_prev, None

    def infer(self, u_prev, statistics):
        """Return y = W u + b; there are no statistics to go by."""
        return baseline.affine(u_prev, self.W, self.b)

    def input_error(self, delta, normalized):
        """Return the error at x = W u: that at y."""
        return delta

    def gradients(self, delta, u_prev, normalized):
        """Return this layer's gradients and the error at x = W u."""
        W = baseline.weight_gradient(delta, u_prev)
        return type(self)(W, baseline.bias_gradient(delta)), delta


@dataclass(eq=False)
class BatchNorm:
    """Parameters of a layer with BN, or their gradients.

    Attributes
    ----------
    W : ndarray, shape (n, n_prev)
    gamma : ndarray, shape (n,)
    beta : ndarray, shape (n,)
    """

    W: np.ndarray
    gamma: np.ndarray
    beta: np.ndarray

    def pre_activation(self, u_prev, eps):
        """Return y, and what `gradients` needs again: u − ⟨u⟩ and the normalized batch.

        x − ⟨x⟩ = W (u − ⟨u⟩): centered once, u serves here and in equation (1).
        """
        mean, centered = mean_and_rest(u_prev)
        x = self.W.dot(mean), centered.dot(self.W.T)
        noise = functools.partial(_rounding, u_prev, self.W)
        normalized = batchnorm.divide_by_std(*x, eps, noise)
        return self.gamma * normalized.x_hat + self.beta, centered, normalized

    def infer(self, u_prev, statistics):
        """Return y, normalized by the `Statistics` of a population."""
        mean, std = statistics
        return self.gamma * (u_prev @ self.W.T - mean) / std + self.beta

    def input_error(self, delta, normalized):
        """Return the error at x = W u, mixed."""
        return batchnorm.input_error(delta, normalized, self.gamma)

    def gradients(self, delta, centered, normalized):
        """Return this layer's gradients and the error at x = W u."""
        error = batchnorm.backward(delta, normalized, self.gamma)
        W = baseline.weight_gradient(error.x, centered)
        return type(self)(W, error.gamma, error.beta), error.x


def _rounding(u_prev, W):
    """Return the rounding errors of x = W u: equal rows of u can give rows of x that far apart."""
    unit, _, _ = limits(np.result_type(u_prev, W, np.float32))  # u may be integers
    return unit * (np.abs(W) @ np.abs(u_prev).max(axis=0))


class Step(NamedTuple):
    """What one layer saw and made in a forward pass; nothing is normalized without BN."""

    u_prev: np.ndarray
    y: np.ndarray
    normalized: batchnorm.Normalized | None
    u: np.ndarray


@dataclass(eq=False)
class Network:
    """A fully connected network with sigmoid output.

    Attributes
    ----------
    layers : list of Dense and BatchNorm
        Of both kinds, in any order. Their arrays can be replaced, by complex ones too.
    activation : Activation
        Of the hidden layers.
    eps : float
        Added to every variance.
    """

    layers: list
    activation: Activation
    eps: float = 0.0

    @property
    def activations(self):
        """The activation of every layer; the last is the sigmoid."""
        return [self.activation] * (len(self.layers) - 1) + [sigmoid]

    @property
    def sizes(self):
        """Number of neurons per layer, the input first."""
        return [self.layers[0].W.shape[1], *(layer.W.shape[0] for layer in self.layers)]

    def __repr__(self):
        if not self.layers:
            return "Network without layers"
        normalized, depth = sum(isinstance(l, BatchNorm) for l in self.layers), len(self.layers)
        kind = "batch normalization" if normalized else "baseline"
        if 0 < normalized < depth:
            kind += f" in {normalized} of {depth} layers"
        return f"Network({self.sizes}, {kind}, {self.activation.name})"


@dataclass(eq=False)
class History:
    """What `train` returns.

    Attributes
    ----------
    cost : list of float
        Cost of every batch before its step.
    steps_per_epoch : int
    interrupted : bool
        Whether the training was stopped by the reader.
    """

    cost: list = field(default_factory=list)
    steps_per_epoch: int = 0
    interrupted: bool = False


class TrainingStopped(ValueError):
    """A training that cannot go on. The network is as after its last complete step.

    Attributes
    ----------
    history : History
        Up to that step.
    """

    # As in `checked.UnusableFeature`, for those that pickle.
    def __init__(self, message, history=None):
        super().__init__(message)
        self.history = history


def create(sizes, *, batch_norm, activation, eps=0.0, rng):
    """Return a network with W ~ N(0, 1/n_prev), γ = 1, β = 0, b = 0.

    Parameters
    ----------
    sizes : sequence of int
        Neurons per layer, the input first, the sigmoid output last.
    batch_norm : bool or "hidden"
        True normalizes every layer, the output included, as in the source; ``"hidden"`` all but
        the output, as is usual; False none.
    activation : Activation or str
        Of the hidden layers.
    eps : float
        Added to every variance.
    rng : numpy.random.Generator or int
        The source of the weights, or its seed. The same seed gives the same
        weights wherever BN stands.

    Returns
    -------
    Network

    Examples
    --------
    >>> create([64, 32, 10], batch_norm=True, activation="relu", rng=0)
    Network([64, 32, 10], batch normalization, relu)
    >>> create([64, 32, 10], batch_norm="hidden", activation="relu", rng=0)
    Network([64, 32, 10], batch normalization in 1 of 2 layers, relu)
    """
    sizes, activation, eps = _sizes(sizes), get(activation), number("eps", eps)
    batch_norm, rng = _layout(batch_norm), generator("rng", rng)
    layers, output = [], len(sizes) - 2
    for n_prev, n in itertools.pairwise(sizes):
        W = rng.standard_normal((n, n_prev)) / math.sqrt(n_prev)
        if batch_norm is True or (batch_norm == "hidden" and len(layers) < output):
            layers.append(BatchNorm(W, np.ones(n), np.zeros(n)))
        else:
            layers.append(Dense(W, np.zeros(n)))
    return Network(layers, activation, eps)


def _layout(batch_norm):
    """Return where BN stands, checked: True, False or "hidden"."""
    if isinstance(batch_norm, str) and batch_norm == "hidden":
        return batch_norm
    return bool(instance("batch_norm", batch_norm, (bool, np.bool_), "True, False or 'hidden'"))


def _sizes(sizes):
    if not isinstance(sizes, (list, tuple, range)) and not (
        isinstance(sizes, np.ndarray) and sizes.ndim == 1
    ):
        raise ValueError(f"sizes: got {shown(sizes)}, wanted a list of integers")
    sizes = [count("sizes", size) for size in sizes]
    if len(sizes) < 2:
        raise ValueError(f"sizes: got {sizes}, wanted an input and at least one layer")
    weights = sum(n * n_prev for n_prev, n in itertools.pairwise(sizes))
    if weights > MOST_WEIGHTS:
        raise ValueError(
            f"sizes: got {shown(sizes)}, {weights:.0e} weights; wanted at most {MOST_WEIGHTS:.0e}"
        )
    return sizes


def feed_forward(network, psi):
    """Return one `Step` per layer, section 1 and section 2.

    Parameters
    ----------
    network : Network
    psi : array_like, shape (M_B, n_0)
        Inputs of one batch.

    Returns
    -------
    list of Step
    """
    psi = _inputs(network, psi).copy()  # the first step keeps it
    steps, _ = unchecked(_forward, network, psi)
    _require_finite(*((step.y, step.u) for step in steps))
    return steps


def _forward(network, psi):
    """Return the steps, and for each layer the input as its `gradients` wants it."""
    steps, inputs, u = [], [], psi
    for layer, activation in zip(network.layers, network.activations, strict=True):
        try:
            y, seen, normalized = layer.pre_activation(u, network.eps)
        except UnusableFeature as error:
            message = f"layer {len(steps) + 1}, neuron {error.neuron}: {error}"
            raise type(error)(message, error.neuron) from None
        steps.append(Step(u, y, normalized, activation.g(y)))
        inputs.append(seen)
        u = steps[-1].u
    return steps, inputs


def _cost_and_gradients(network, psi, phi, factor=1):
    (steps, inputs), activations = _forward(network, psi), network.activations
    cost = baseline.cross_entropy_from_logits(steps[-1].y, phi)
    # The gradients are linear in Δ: multiplied here, all of them are.
    delta = factor * baseline.output_error(steps[-1].u, phi)
    gradients = []
    for l in reversed(range(len(steps))):
        layer, step = network.layers[l], steps[l]
        gradient, error = layer.gradients(delta, inputs[l], step.normalized)
        gradients.append(gradient)
        if l > 0:
            g_prime = activations[l - 1].g_prime(steps[l - 1].y)
            delta = baseline.previous_error(error, layer.W, g_prime)
    return cost, gradients[::-1]


def _require_network(name, network, real=False):
    """Refuse what is no network, or one whose arrays do not fit together."""
    instance(name, network, Network, "what network.create returns")
    layers, sizes = instance(f"{name}.layers", network.layers, (list, tuple), "a list"), {}
    if not layers:
        raise ValueError(f"{name}.layers: got no layer, wanted at least one")
    get(instance(f"{name}.activation", network.activation, Activation, "an Activation"))
    number(f"{name}.eps", network.eps)
    for l, layer in enumerate(layers):
        at = f"{name}.layers[{l}]"
        instance(at, layer, (Dense, BatchNorm), "a Dense or a BatchNorm")
        wanted = type(layer).__dataclass_fields__
        if vars(layer).keys() != wanted.keys():
            got = f"{at}: got attributes {', '.join(vars(layer))}"
            raise ValueError(f"{got}, wanted {', '.join(wanted)}")
        for attribute, array in vars(layer).items():
            shape = f"n_{l + 1} n_{l}" if attribute == "W" else f"n_{l + 1}"
            instance(f"{at}.{attribute}", array, np.ndarray, "an array")
            sized(f"{at}.{attribute}", array, shape, sizes, real)


def _inputs(network, psi):
    return _checked_inputs(network, psi)[0]


def _inputs_and_labels(network, psi, phi, real=False):
    psi, sizes = _checked_inputs(network, psi, real)
    phi = sized("phi", phi, "M_B n_L", sizes, real)
    unit_interval("phi", phi)
    return psi, phi


def _checked_inputs(network, psi, real=False):
    """Return psi as an array, and the sizes that phi must agree with."""
    _require_network("network", network, real)
    sizes = {"n_0": (network.sizes[0], "the network"), "n_L": (network.sizes[-1], "the network")}
    return sized("psi", psi, "M_B n_0", sizes, real), sizes


def cost_and_gradients(network, psi, phi):
    """Return the cost of one batch and its gradients, sections 1 and 2 (S9, (1), (2)).

    Parameters
    ----------
    network : Network
    psi : array_like, shape (M_B, n_0)
        Inputs.
    phi : array_like, shape (M_B, n_L)
        Labels in [0, 1].

    Returns
    -------
    cost : float
    gradients : list
        ``gradients[l]`` has the attributes of ``network.layers[l]``: new
        arrays, which are the caller's.
    """
    batch = _inputs_and_labels(network, psi, phi)
    cost, gradients = unchecked(_cost_and_gradients, network, *batch)
    _require_finite(cost, *gradients)
    return cost, gradients


def _require_finite(*results):
    arrays = (vars(r).values() if hasattr(r, "__dict__") else [r] for r in results)
    if not all(finite(array) for some in arrays for array in some):
        raise ValueError(
            "psi: the result overflows; wanted smaller inputs, or a network of smaller weights"
        )


def batches(samples, batch_size, rng):
    """Yield the samples of each batch of one epoch, shuffled, section 1 (S3).

    Parameters
    ----------
    samples : int
        How many there are.
    batch_size : int
        M_B. A last batch that is smaller is left out.
    rng : numpy.random.Generator or int
        The source of the shuffle, or its seed.

    Yields
    ------
    ndarray, shape (M_B,)
        Indices of the samples.
    """
    samples, batch_size, rng = _draws(samples, batch_size, rng)
    order = rng.permutation(samples)
    for start in range(0, samples - batch_size + 1, batch_size):
        yield order[start : start + batch_size]


def _draws(samples, batch_size, rng):
    """Return what `batches` needs, checked."""
    samples, batch_size = count("samples", samples), count("batch_size", batch_size)
    if batch_size > samples:
        raise ValueError(f"batch_size: got {batch_size}, wanted at most the {samples} samples")
    return samples, batch_size, generator("rng", rng)


def _iterable(wrapped):
    if not hasattr(wrapped, "__iter__"):
        got = f"a function that returns {shown(wrapped)}"
        raise ValueError(f"progress: got {got}, wanted one that returns an iterable")
    return wrapped


def _moved(layer, change, decay):
    """Return the layer after one step; a new one, so that a step is done whole or not at all."""
    # The changes belong to this step alone: they become the new parameters.
    for name, parameter in vars(layer).items():
        array = getattr(change, name)
        array += parameter
    if decay:
        change.W -= decay * layer.W
    return change


def train(
    network,
    psi,
    phi,
    *,
    learning_rate,
    batch_size,
    epochs,
    rng,
    weight_decay=0.0,
    progress=iter,
    on_epoch=None,
    on_step=None,
):
    """Train by SGD, section 1 (S3), and return the history of the cost.

    Parameters
    ----------
    network : Network
        Changed in place: ``network.layers`` is replaced at every step.
    psi : array_like, shape (M, n_0)
        Inputs of all samples.
    phi : array_like, shape (M, n_L)
        Labels in [0, 1].
    learning_rate : float
        η ≥ 0.
    batch_size : int
        M_B. A last batch that is smaller is left out.
    epochs : int
        Passes over the samples.
    rng : numpy.random.Generator or int
        The source of the shuffles, or its seed.
    weight_decay : float
        λ ≥ 0: a step is W ← W − η(∂C/∂W + λW). Biases, γ and β do not decay.
    progress : callable
        Wraps the iterable of epochs, as ``tqdm.auto.tqdm`` does.
    on_epoch : callable, optional
        Called as ``on_epoch(epoch, network, history)`` after each epoch.
    on_step : callable, optional
        Called as ``on_step(layers)`` with the layers after each step, before the network takes
        them. It may change them: `hold_lengths` does.

    Returns
    -------
    History
        Of all complete steps, also when the reader interrupts the training.

    Raises
    ------
    TrainingStopped
        A ValueError that names step, layer and neuron of a constant feature
        at eps = 0, or the step at which the cost overflows.
    """
    psi, phi = _inputs_and_labels(network, psi, phi, real=True)
    rates = number("learning_rate", learning_rate), number("weight_decay", weight_decay)
    _, batch_size, rng = _draws(len(psi), batch_size, rng)
    epochs = count("epochs", epochs, minimum=0, maximum=MOST_EPOCHS)
    function("progress", progress)
    for name, callback in (("on_epoch", on_epoch), ("on_step", on_step)):
        if callback is not None:
            function(name, callback)
    history = History(steps_per_epoch=len(psi) // batch_size)
    layers, steps, sizes = network.layers, 0, network.sizes
    try:
        for epoch in _iterable(progress(range(epochs))):
            for batch in batches(len(psi), batch_size, rng):
                samples = psi.take(batch, axis=0), phi.take(batch, axis=0)
                cost, layers = unchecked(_step, network, *samples, rates, history)
                if on_step is not None:
                    on_step(layers)
                    # It may have changed more than it should.
                    held = Network(layers, network.activation, network.eps)
                    _require_sizes(held, sizes)
                history.cost.append(cost)
                network.layers = layers
                steps += 1
            if on_epoch is not None:
                on_epoch(epoch, network, history)
                # It may have changed the network.
                _require_sizes(network, sizes)
        if not all(finite(array) for layer in network.layers for array in vars(layer).values()):
            why = f"step {steps - 1}: a weight overflows; wanted a smaller learning_rate"
            raise TrainingStopped(why, history)
    except KeyboardInterrupt:
        history.interrupted = True
        if len(history.cost) > steps:
            # The interrupt came between the two halves of a step: finish it.
            network.layers = layers
    return history


def _require_sizes(network, sizes):
    """Refuse what a callback of the reader's has left of a network."""
    _require_network("network", network, real=True)
    if network.sizes != sizes:
        raise ValueError(f"network: got sizes {network.sizes} amid the training, wanted {sizes}")


def train_whole(network, psi, phi, **options):
    """`train` for what is kept or compared: half a training is none, so an interrupt goes on.

    Parameters
    ----------
    network, psi, phi, **options
        Those of `train`.

    Returns
    -------
    History
    """
    history = train(network, psi, phi, **options)
    if history.interrupted:
        raise KeyboardInterrupt
    return history


def _step(network, psi, phi, rates, history):
    """Return the cost of one batch and the layers after its step; rates are η and λ."""
    step, (learning_rate, weight_decay) = len(history.cost), rates
    try:
        cost, changes = _cost_and_gradients(network, psi, phi, -learning_rate)
    except UnusableFeature as error:
        raise TrainingStopped(f"step {step}, {error}", history) from None
    if not math.isfinite(cost):
        why = f"step {step}: the cost is {cost}; wanted a smaller learning_rate"
        raise TrainingStopped(why, history)
    decay, pairs = learning_rate * weight_decay, zip(network.layers, changes, strict=True)
    return float(cost), [_moved(layer, change, decay) for layer, change in pairs]


def hold_lengths(network):
    """Return an `on_step` for `train` that holds the length of every W_i at what it is now.

    Parameters
    ----------
    network : Network

    Returns
    -------
    callable
        It multiplies every W_i by one number, so that its direction stays that of the step.
    """
    _require_network("network", network, real=True)
    held = [_lengths(layer.W) for layer in network.layers]
    if not all((lengths > 0).all() and finite(lengths) for lengths in held):
        raise ValueError("network: got a ‖W_i‖ that is 0 or overflows, wanted one to hold")

    def on_step(layers):
        neurons, wanted = ([len(l) for l in each] for each in ([l.W for l in layers], held))
        if neurons != wanted:
            raise ValueError(f"on_step: got layers of {neurons} neurons, wanted {wanted}")
        for layer, lengths in zip(layers, held, strict=True):
            layer.W *= lengths / _lengths(layer.W)

    return on_step


def _lengths(W):
    with np.errstate(all="ignore"):
        return np.sqrt((W * W).sum(axis=1, keepdims=True))


class Statistics(NamedTuple):
    """Mean and std of one layer's x over a population of samples.

    Attributes
    ----------
    mean, std : ndarray, shape (n,)
    """

    mean: np.ndarray
    std: np.ndarray


def population_statistics(network, psi):
    """Return the statistics of every layer over all of psi, for inference mode.

    Parameters
    ----------
    network : Network
    psi : array_like, shape (M, n_0)
        The population, as a rule the training inputs.

    Returns
    -------
    list of Statistics
        None for a layer without BN.
    """
    batches = (step.normalized for step in feed_forward(network, psi))
    return [batch and Statistics(batch.mean, batch.std) for batch in batches]


def predict(network, psi, statistics=None):
    """Return the output u^L.

    Parameters
    ----------
    network : Network
    psi : array_like, shape (M, n_0)
        Inputs.
    statistics : list of Statistics, optional
        From `population_statistics`: inference mode, where a prediction
        depends on its own sample alone. None normalizes by psi's own batch.

    Returns
    -------
    ndarray, shape (M, n_L)
    """
    psi = _inputs(network, psi)
    if statistics is None:
        u = unchecked(_forward, network, psi)[0][-1].u
    else:
        u = unchecked(_infer, network, psi, _statistics(network, statistics))
    _require_finite(u)
    return u


def _infer(network, u, statistics):
    per_layer = zip(network.layers, network.activations, statistics, strict=True)
    for layer, activation, population in per_layer:
        u = activation.g(layer.infer(u, population))
    return u


def _statistics(network, statistics):
    instance("statistics", statistics, (list, tuple), "what population_statistics returns")
    if len(statistics) != len(network.layers):
        raise ValueError(f"statistics: got {len(statistics)} layers, wanted {len(network.layers)}")
    pairs = enumerate(zip(network.layers, statistics, strict=True))
    return [_of_layer(f"statistics[{l}]", layer, pair) for l, (layer, pair) in pairs]


def _of_layer(name, layer, pair):
    """Return what `infer` of one layer takes, checked."""
    if isinstance(layer, Dense):
        return instance(name, pair, type(None), "None for a layer without batch normalization")
    instance(name, pair, (list, tuple), "a pair of mean and std")
    if len(pair) != 2:
        raise ValueError(f"{name}: got {len(pair)} entries, wanted mean and std")
    sizes = {"n": (len(layer.W), "the network")}
    parts = zip(("mean", "std"), pair, strict=True)
    mean, std = (sized(f"{name}.{part}", array, "n", sizes) for part, array in parts)
    if not (std.real > 0).all():
        raise ValueError(f"{name}.std: got an entry that is not positive, wanted > 0")
    return Statistics(mean, std)
