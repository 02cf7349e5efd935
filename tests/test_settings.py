"""What the reader has set does not reach pictures and numbers, and nothing of ours stays set."""

import contextlib
import importlib
import inspect
import pkgutil
import random
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import matplotlib as mpl
import matplotlib.style
import numpy as np
import pytest
from driving import one_a_chapter, positions
from test_state import forget

from bnnotes import baseline, check, exercise, pictures, review
from bnnotes.pictures import explorer, look
from bnnotes.pictures.training import LiveTraining

REGISTRY = explorer.registry()
# Each leaves its mark in some picture that inherits it.
OTHERS = {
    "image.origin": "lower",
    "image.cmap": "gray",
    "text.usetex": True,
    "mathtext.fontset": "stix",
    "lines.linestyle": ":",
    "lines.antialiased": False,
    "patch.linewidth": 4,
    "axes.grid": True,
    "axes.labelsize": "xx-large",
    "axes.xmargin": 0.4,
    "axes.unicode_minus": False,
    "axes.formatter.limits": (0, 0),
    "axes.prop_cycle": mpl.cycler(color=["red"]),
    "legend.loc": "lower left",
    "xtick.direction": "in",
    "figure.autolayout": True,
    "figure.dpi": 30,
    "savefig.transparent": True,
    "savefig.bbox": "tight",
}


@contextlib.contextmanager
def other_settings():
    """A reader's own: matplotlib's, numpy's, and how numpy prints."""
    with (
        mpl.rc_context(),
        np.errstate(all="raise"),
        np.printoptions(precision=1, legacy="1.13", sign=" "),
    ):
        mpl.style.use("dark_background")
        mpl.rcParams.update(OTHERS)
        before = dict(mpl.rcParams), np.geterr(), np.get_printoptions()
        yield
        assert (dict(mpl.rcParams), np.geterr(), np.get_printoptions()) == before


def everything(key):
    """The pictures and words of an explorer: as it begins, at the ends, and as a still."""
    mine = REGISTRY[key]()
    found = [mine.image.png, mine.image.tooltip, mine.text.value, mine.still().png]
    mine.set(**{name: positions(control)[-1] for name, control in mine.controls.items()})
    return [*found, mine.image.png, mine.image.tooltip, mine.text.value]


@pytest.mark.parametrize("key", one_a_chapter())
def test_an_explorer_in_other_surroundings(key):
    right = everything(key)
    with other_settings():
        forget()
        found = everything(key)
    assert [a == b for a, b in zip(found, right, strict=True)] == [True] * 7


def stills():
    """The functions of the chapters that return a picture."""
    for module in pkgutil.iter_modules(pictures.__path__, f"{pictures.__name__}."):
        for name, one in vars(importlib.import_module(module.name)).items():
            if inspect.isfunction(one) and one.__module__ == module.name:
                if "look.still(" in inspect.getsource(one):
                    yield pytest.param(one, id=f"{module.name.rsplit('.')[-1]}.{name}")


@pytest.mark.parametrize("picture", list(stills()))
def test_a_still_is_drawn_in_the_settings_of_the_book(picture):
    """Whatever it draws: its first look at the settings meets those of the book."""
    seen = []

    def new_figure(width, height):
        seen.append({name: mpl.rcParams[name] for name in OTHERS})
        raise KeyboardInterrupt

    default = {name: mpl.rcParamsDefault[name] for name in OTHERS}
    taken = inspect.signature(picture).parameters.values()
    needed = [one for one in taken if one.default is one.empty and one.kind != one.VAR_POSITIONAL]
    arguments = [mock.MagicMock(__len__=lambda self: 2) for _ in needed]
    with other_settings(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(look, "new_figure", new_figure)
        with contextlib.suppress(KeyboardInterrupt):
            picture(*arguments)
    assert seen == [default]


def test_a_training_on_display_in_other_surroundings():
    right = LiveTraining(4)
    with other_settings():
        found = LiveTraining(4)
        assert found.image.png == right.image.png
        assert found.still().png == right.still().png


def test_the_backend_stays_that_of_the_reader():
    with mpl.rc_context():
        before = dict.__getitem__(mpl.rcParams, "backend")
        with look.settings():
            assert dict.__getitem__(mpl.rcParams, "backend") == before


class Slow:
    """A tensor that takes its time to become an array."""

    def __init__(self, seconds):
        self.seconds = seconds

    def __array__(self, dtype=None, copy=None):
        time.sleep(self.seconds)
        return np.ones((2, 2))


def test_the_warnings_of_other_threads_are_left_alone():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = list(warnings.filters)
        calls = [
            threading.Thread(target=baseline.bias_gradient, args=(Slow(seconds),))
            for seconds in (0.1, 0.2)
        ]
        for call in calls:
            call.start()
            time.sleep(0.03)
        assert warnings.filters == before
        np.log(np.zeros(1))  # warns, and raises nothing
        for call in calls:
            call.join()
        assert warnings.filters == before


def test_what_two_threads_review_at_once_leaves_output_and_warnings_as_they_were():
    def waiting(delta):
        time.sleep(1e-3)
        return delta.sum(axis=0)

    before = sys.stdout, sys.stderr, list(warnings.filters)
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(review.beta_gradient, [waiting] * 4))
    after, (sys.stdout, sys.stderr) = (sys.stdout, sys.stderr, warnings.filters), before[:2]
    assert after == before and all(report.ok for report in reports)


def test_what_code_sets_in_numpy_is_set_for_it_alone():
    def setting(delta):
        np.seterr(all="raise")
        np.seterrcall(print)
        np.set_printoptions(precision=1)
        warnings.simplefilter("error")
        return delta.sum(axis=0)

    def state():
        return np.geterr(), np.geterrcall(), np.get_printoptions(), list(warnings.filters)

    before = state()
    assert review.beta_gradient(setting).ok
    assert state() == before


def test_what_code_draws_at_random_is_drawn_again_by_the_reader():
    numpys = np.random.mtrand._rand  # that of all, in numpy's old way

    def drawing(delta):
        numpys.seed(int(1e6 * random.random()))
        return delta.sum(axis=0) + numpys.rand()

    def network(psi, phi, Ws):
        return drawing(psi)

    answers = [row.id for row in exercise.rows().values() if row.kind == "function"]
    for judge in (
        review.beta_gradient,
        review.network,
        lambda f: exercise.answer(answers[0], lambda *_: f(np.ones((2, 2)))),
    ):
        before = random.getstate(), numpys.get_state(legacy=False)
        judge(network if judge is review.network else drawing)
        np.testing.assert_equal((random.getstate(), numpys.get_state(legacy=False)), before)


def test_a_report_is_printed_the_same_in_other_surroundings():
    report = review.beta_gradient(lambda delta: delta.mean(axis=0))
    right = repr(report), report.reproduce
    with other_settings():
        assert (repr(report), report.reproduce) == right
        again = review.beta_gradient(lambda delta: delta.mean(axis=0))
        assert (repr(again), again.reproduce) == right


def test_a_comparison_is_printed_the_same_in_other_surroundings():
    pairs = {"a": (np.array([1 / 3, 1e-200]), np.array([0.3333, 1e-300])), "b": (1e308, -1e308)}
    right = repr(check.compare(**pairs))
    with other_settings():
        assert repr(check.compare(**pairs)) == right
