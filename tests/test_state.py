"""An accident leaves nothing behind: what is asked for next is what a fresh process gives.

An accident is the reader's interrupt, at whatever function it strikes, or another thread that asks
for the same at the same time.
"""

import functools
import importlib
import pkgutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from driving import one_a_chapter, positions
from test_explorers import arrays

import bnnotes
from bnnotes import digits, exercise, network, sweep
from bnnotes.pictures import explorer, training
from bnnotes.pictures.training import LiveTraining

HOME = str(Path(bnnotes.__file__).parent)
NAMES = [module.name for module in pkgutil.walk_packages(bnnotes.__path__, "bnnotes.")]
MODULES = [importlib.import_module(name) for name in NAMES if not name.endswith("__main__")]
REGISTRY = explorer.registry()
every_explorer = pytest.mark.parametrize("key", one_a_chapter())


def forget():
    """Clear every cache that a module of the package has."""
    for module in MODULES:
        for one in vars(module).values():
            if isinstance(one, functools._lru_cache_wrapper):
                one.cache_clear()


class Interrupt:
    """Counts the calls of functions of the package, and interrupts at the one of this number."""

    def __init__(self, at=None):
        self.at, self.calls = at, 0

    def __call__(self, frame, event, arg):
        code = frame.f_code
        # Python keeps to itself what is raised where a generator ends that nobody needs any more.
        if code.co_filename.startswith(HOME) and code.co_name != "<genexpr>":
            self.calls += 1
            if self.calls == self.at:
                raise KeyboardInterrupt

    def strikes(self, work):
        """Whether work() is interrupted."""
        before = sys.gettrace()
        sys.settrace(self)
        try:
            work()
        except KeyboardInterrupt:
            return True
        finally:
            sys.settrace(before)
        return False


def interrupted(work, prepare, places):
    """Interrupt work(), which has run before, at each place in its course, from 0 to 1."""
    prepare()
    count = Interrupt()
    assert not count.strikes(work)
    for place in places:
        prepare()
        assert Interrupt(1 + int(place * (count.calls - 1))).strikes(work)
        yield place


def same(net, other):
    return all(
        np.array_equal(array, getattr(b, name))
        for a, b in zip(net.layers, other.layers, strict=True)
        for name, array in vars(a).items()
    )


def test_the_digits_network_after_an_interrupt():
    def work():
        return digits.trained("ten", batch_norm="hidden", epochs=3)

    right = work()
    for place in interrupted(work, forget, (0.0, 0.1, 0.4, 0.6, 0.8, 0.99)):
        assert same(work(), right), place


def test_the_digits_network_from_several_threads():
    right = digits.trained("odd", epochs=6)
    for _ in range(3):
        forget()
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda n: digits.trained("odd", epochs=n), (6, 6, 5, 6)))
        assert [same(net, right) for net in found] == [True, True, False, True]
        assert same(digits.trained("odd", epochs=6), right)


def test_half_a_training_is_no_outcome():
    run = sweep.Run(True, 0.3, 32, 0, epochs=2)
    right = sweep.train_one(run)
    for _ in interrupted(lambda: sweep.train_one(run), forget, (0.2, 0.5, 0.7)):
        assert sweep.train_one(run) == right


def test_a_training_on_display_keeps_both_of_its_curves():
    psi, phi = np.random.default_rng(0).normal(size=(40, 3)), np.ones((40, 1))
    live = LiveTraining(4)

    def work():
        net = network.create([3, 4, 1], batch_norm=False, activation="tanh", rng=1)
        options = {"learning_rate": 0.5, "batch_size": 8, "epochs": 4, "rng": 2}
        callback = live.on_epoch("baseline", lambda _: 0.7)
        network.train_whole(net, psi, phi, on_epoch=callback, **options)
        return live.image.png

    right = work()
    for _ in interrupted(work, lambda: None, np.linspace(0.1, 0.99, 12)):
        curves = live.curves
        assert len(curves.cost["baseline"]) == len(curves.accuracy["baseline"])
        assert live.readout
        assert work() == right


def test_what_a_function_keeps_cannot_be_changed():
    kept = arrays([training.plane(), training.grid()])
    assert not any(array.flags.writeable for array in kept)
    exercise.rows().clear()
    exercise.rows()["0.1"].wrong.clear()
    assert exercise.rows()["0.1"].wrong
    net, W = training.stages()[0], training.stages()[0].layers[0].W
    net.layers[0].W *= 2
    net.layers = net.layers[:1]
    assert len(training.stages()[0].layers) == 3
    np.testing.assert_array_equal(training.stages()[0].layers[0].W, W)


@every_explorer
def test_an_explorer_after_an_interrupt_and_from_two_threads(key):
    settings = dict(mpl.rcParams), np.geterr()
    forget()
    right = REGISTRY[key]().image.png
    for place in interrupted(REGISTRY[key], forget, [0.7]):
        assert REGISTRY[key]().image.png == right, place
    forget()
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: REGISTRY[key](), range(2)))
    assert [each.image.png == right for each in both] == [True, True]
    assert (dict(mpl.rcParams), np.geterr()) == settings


@every_explorer
def test_a_slider_moved_after_an_interrupt(key):
    mine, start = REGISTRY[key](), REGISTRY[key]().image.png
    ends = {name: positions(control)[-1] for name, control in mine.controls.items()}
    mine.set(**ends)
    there = mine.image.png

    def prepare():
        mine.reset()
        mine.forget()
        mine.redraw_background()

    for place in interrupted(lambda: mine.set(**ends), prepare, (0.2, 0.5, 0.9)):
        mine.reset()
        assert mine.image.png == start, place
        mine.set(**ends)
        assert mine.image.png == there, place
    for place in interrupted(lambda: mine._panel(ends), mine.reset, (0.4, 0.8)):
        assert mine.image.png == start, place
        mine.redraw_background()
        mine.set(**ends)
        assert mine.image.png == there, place
