"""What leaves a process, or is copied, arrives: every exception and every result of the package."""

import concurrent.futures
import copy
import dataclasses
import importlib
import inspect
import multiprocessing
import pickle
import pkgutil

import numpy as np
import pytest

import bnnotes
from bnnotes import checked, network

NAMES = [module.name for module in pkgutil.walk_packages(bnnotes.__path__, "bnnotes.")]
CLASSES = {
    f"{cls.__module__}.{name}": cls
    for module in NAMES
    if not module.startswith("bnnotes.review") and not module.endswith("__main__")
    for name, cls in vars(importlib.import_module(module)).items()
    if inspect.isclass(cls) and cls.__module__ == module
}
EXCEPTIONS = {name: cls for name, cls in CLASSES.items() if issubclass(cls, BaseException)}
RESULTS = {
    name: cls
    for name, cls in CLASSES.items()
    if hasattr(cls, "_fields") or dataclasses.is_dataclass(cls)
}
WAYS = {
    "pickled": lambda one: pickle.loads(pickle.dumps(one)),
    "copied": copy.copy,
    "copied deeply": copy.deepcopy,
}
every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


def fields(cls):
    """The names of what it is made of, in their order."""
    return getattr(cls, "_fields", None) or [field.name for field in dataclasses.fields(cls)]


def test_classes_are_found():
    assert len(EXCEPTIONS) >= 4 and len(RESULTS) > 50


@every_way
@pytest.mark.parametrize("name", RESULTS)
def test_a_result_arrives_with_its_fields(name, way):
    cls, values = RESULTS[name], {}
    for k, field in enumerate(fields(cls)):
        values[field] = np.arange(k, k + 3.0)
    arrived = way(cls(**values))
    assert type(arrived) is cls
    for field, value in values.items():
        np.testing.assert_array_equal(getattr(arrived, field), value)


@every_way
@pytest.mark.parametrize("name", EXCEPTIONS)
def test_an_exception_arrives_with_its_fields(name, way):
    cls = EXCEPTIONS[name]
    _, *others = inspect.signature(cls).parameters
    error = cls("why", **{field: {field: 1} for field in others})
    arrived = way(error)
    assert type(arrived) is cls and str(arrived) == "why"
    assert vars(arrived) == {field: {field: 1} for field in others}


@every_way
def test_a_whole_network_arrives(way):
    net = network.create([3, 4, 2], batch_norm="hidden", activation="relu", eps=0.1, rng=0)
    psi, arrived = np.random.default_rng(0).normal(size=(6, 3)), way(net)
    assert arrived.activation == net.activation and arrived.eps == net.eps
    np.testing.assert_array_equal(network.predict(arrived, psi), network.predict(net, psi))


def stop(_):
    net = network.create([3, 2], batch_norm=True, activation="tanh", rng=0)
    options = {"learning_rate": 0.1, "batch_size": 4, "epochs": 1, "rng": 0}
    network.train(net, np.ones((12, 3)), np.ones((12, 2)), **options)


def refuse(_):
    network.feed_forward(
        network.create([3, 2], batch_norm=True, activation="tanh", rng=0), np.ones((4, 3))
    )


def test_an_exception_arrives_from_another_process():
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        with pytest.raises(network.TrainingStopped, match=r"^step 0, layer 1, neuron 0") as stopped:
            list(pool.map(stop, [1]))
        assert stopped.value.history.steps_per_epoch == 3
        with pytest.raises(checked.ConstantFeature, match=r"^layer 1, neuron 0") as refused:
            list(pool.map(refuse, [1]))
        assert refused.value.neuron == 0
