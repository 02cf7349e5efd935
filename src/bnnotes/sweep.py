"""Many trainings at once, on any executor of `concurrent.futures`.

What does not fit is refused with a `ValueError` that says what was wanted.
"""

from __future__ import annotations

import concurrent.futures as futures
import contextlib
import functools
import math
import multiprocessing
import operator
import signal
import sys
import threading
from typing import NamedTuple

import numpy as np

from . import digits, network
from .checked import choice, count, function, instance, number, shown
from .kept import kept

WORKERS = 2
INPUTS = ("pixels", "centered", "scaled")
MOST_EPOCHS = 10**4  # half an hour


class Run(NamedTuple):
    """One training on the digits, by everything that its result depends on.

    Attributes
    ----------
    batch_norm : bool or "hidden"
        Where BN stands, as in `network.create`.
    learning_rate : float
    batch_size : int
    seed : int
        Of the weights and of the shuffles: with and without BN both are the same.
    epochs : int
    hidden : tuple of int
        Neurons of the hidden layers.
    activation : str
    labels : str
        As in `digits.load`.
    inputs : str
        ``"pixels"``, ``"centered"`` at the mean of the training, or ``"scaled"``, centered and
        divided by one number, their standard deviation.
    hold : bool
        Whether every ‖W_i‖ is put back to its first value after each step.
    """

    batch_norm: bool
    learning_rate: float
    batch_size: int
    seed: int
    epochs: int = 4
    hidden: tuple = (32,)
    activation: str = "relu"
    labels: str = "ten"
    inputs: str = "pixels"
    hold: bool = False


class Outcome(NamedTuple):
    """What came out of a run. A training that stopped has no accuracies: they are None.

    Attributes
    ----------
    cost : tuple of float
        Mean over the batches of each epoch.
    accuracy : float
        On the held-out digits, in inference mode.
    accuracy_training : float
        On the digits of the training, in inference mode.
    accuracy_batch : float
        On the held-out digits, normalized by their own batches: train mode.
        The same as `accuracy` if they do not fill a batch.
    stopped : str
        Why the training could not go on; empty if it did.
    """

    cost: tuple
    accuracy: float | None
    accuracy_training: float | None
    accuracy_batch: float | None
    stopped: str


class SweepStopped(RuntimeError):
    """A sweep that lost its workers, or one of whose runs failed.

    Attributes
    ----------
    results : dict of Run to Outcome
        All that finished.
    """

    # As in `checked.UnusableFeature`, for those that pickle.
    def __init__(self, message, results=None):
        super().__init__(message)
        self.results = results


@kept
def _digits(labels, inputs):
    data = digits.load(labels)
    if inputs == "pixels":
        return data
    mean = data.psi.mean(axis=0)
    std = (data.psi - mean).std() if inputs == "scaled" else 1.0
    return data._replace(psi=(data.psi - mean) / std, psi_test=(data.psi_test - mean) / std)


def _data(run):
    """Return the digits of a run; what cannot be a run is refused here."""
    instance("run", run, Run, "a sweep.Run")
    instance("hidden", run.hidden, (list, tuple), "a tuple of integers")
    count("epochs", run.epochs, minimum=0, maximum=MOST_EPOCHS)
    labels = choice("labels", run.labels, digits.LABELS)
    return _digits(labels, choice("inputs", run.inputs, INPUTS))


def train_one(run):
    """Return the `Outcome` of one run: the same wherever and whenever it is called.

    Parameters
    ----------
    run : Run

    Returns
    -------
    Outcome
    """
    data = _data(run)
    sizes = [data.psi.shape[1], *run.hidden, data.phi.shape[1]]
    net = network.create(sizes, batch_norm=run.batch_norm, activation=run.activation, rng=run.seed)
    options = {name: getattr(run, name) for name in ("learning_rate", "batch_size", "epochs")}
    with _one_thread():
        try:
            on_step = network.hold_lengths(net) if run.hold else None
            options |= {"rng": run.seed, "on_step": on_step}
            history = network.train_whole(net, data.psi, data.phi, **options)
            return Outcome(_epochs(history), *_accuracies(net, data, run.batch_size), "")
        except network.TrainingStopped as error:
            history, why = error.history, str(error)
        except network.UnusableFeature as error:
            why = str(error)
    return Outcome(_epochs(history), None, None, None, why)


def _one_thread():
    """Hold the linear algebra at one thread, from the main one: OpenBLAS minds no other twice."""
    # Imported here: the formulas do not need it.
    from threadpoolctl import threadpool_limits

    main = threading.current_thread() is threading.main_thread()
    return threadpool_limits(1, "blas") if main else contextlib.nullcontext()


def _epochs(history):
    n = history.steps_per_epoch
    starts = range(0, len(history.cost), n or 1)
    return tuple(float(np.mean(history.cost[start : start + n])) for start in starts)


def _accuracies(net, data, batch_size):
    """Return the held-out accuracy, that of the training, and that of held-out batches."""
    statistics = network.population_statistics(net, data.psi)
    pairs = (data.psi_test, data.phi_test), (data.psi, data.phi)
    inference = [digits.accuracy(network.predict(net, psi, statistics), phi) for psi, phi in pairs]
    psi, phi = pairs[0]
    starts = range(0, len(psi) - batch_size + 1, batch_size)
    batches = [slice(start, start + batch_size) for start in starts]
    own = [digits.accuracy(network.predict(net, psi[batch]), phi[batch]) for batch in batches]
    return *inference, float(np.mean(own)) if own else inference[0]


def processes(workers=WORKERS):
    """Return an executor over processes of this machine, safe to use from a notebook.

    Parameters
    ----------
    workers : int

    Returns
    -------
    concurrent.futures.ProcessPoolExecutor
    """
    count("workers", workers)
    # A forked copy of a kernel would hold its threads' locks: start each worker afresh.
    context = multiprocessing.get_context("spawn")
    return futures.ProcessPoolExecutor(workers, mp_context=context, initializer=_leave_interrupts)


def _own():
    return OneByOne() if sys.platform == "emscripten" else processes()


def _leave_interrupts():
    # The reader's interrupt reaches every process; the sweep answers it, the workers do not.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class OneByOne(futures.Executor):
    """What takes the place of processes where there are none, as in a browser."""

    def submit(self, function, *args):
        """Return a future that is worked out when it is its turn in `run`."""
        future = futures.Future()
        future.work = functools.partial(function, *args)
        return future

    @staticmethod
    def as_completed(pending):
        """Yield the futures, each worked out just before."""
        for future in pending:
            try:
                future.set_result(future.work())
            except Exception as error:
                future.set_exception(error)
            yield future


class _Arrivals:
    """Futures in the order they finish; it has a length, for the progress bar."""

    def __init__(self, pending, executor):
        self._pending = pending
        self._as_completed = getattr(executor, "as_completed", futures.as_completed)

    def __len__(self):
        return len(self._pending)

    def __iter__(self):
        return self._as_completed(self._pending)


def run(runs, executor=None, *, results=None, progress=iter):
    """Train every run and return the outcomes; interrupted, those that have finished.

    Parameters
    ----------
    runs : iterable of Run
    executor : concurrent.futures.Executor, optional
        Where to train. It is yours and stays open. None takes `processes`, or
        `OneByOne` in a browser. For many machines: dask's
        ``Client(address).get_executor()``, ipyparallel's
        ``Cluster(n=2)`` and ``rc.load_balanced_view().executor``, or mpi4py's
        ``MPIPoolExecutor()`` under ``mpiexec python -m mpi4py.futures``.
    results : dict of Run to Outcome, optional
        Filled as the outcomes arrive. What it holds already is not trained again.
    progress : callable
        Wraps the outcomes as they arrive, as ``tqdm.auto.tqdm`` does.

    Returns
    -------
    dict of Run to Outcome
        In the order of `runs`. It lacks what the reader's interrupt left undone.

    Raises
    ------
    SweepStopped
        If the workers are lost or a run fails. What has finished is kept in its `results`.
    """
    runs = _runs(runs)
    function("progress", progress)
    instance("results", results, (dict, type(None)), "a dict or None")
    if executor is not None and not hasattr(executor, "submit"):
        raise ValueError(f"executor: got {shown(executor)}, wanted a concurrent.futures.Executor")
    results = {} if results is None else results
    missing = [one for one in runs if one not in results]
    own = _own() if executor is None and missing else None
    pending = {}
    try:
        for one in missing:
            pending[(own or executor).submit(train_one, one)] = one
        for future in network._iterable(progress(_Arrivals(pending, own or executor))):
            results[pending[future]] = future.result()
    except KeyboardInterrupt:
        pass
    except Exception as error:
        _take(pending, results)
        raise SweepStopped(_why(error, pending, runs, results), results) from error
    finally:
        for future in pending:
            future.cancel()
        if own:
            own.shutdown(wait=False, cancel_futures=True)
    _take(pending, results)
    return {one: results[one] for one in runs if one in results}


def _runs(runs):
    """Return the runs, each once."""
    try:
        # A run is a tuple, but not one of runs.
        listed = None if isinstance(runs, Run) else list(runs)
    except TypeError:
        listed = None
    if listed is None:
        raise ValueError(f"runs: got {shown(runs)}, wanted a list of sweep.Run")
    found = {}
    for one in listed:
        try:
            found[instance("runs", one, Run, "sweep.Run alone")] = None
        except TypeError:
            raise ValueError(f"runs: got {shown(one)}, wanted hidden=(32,), a tuple") from None
    return list(found)


def _take(pending, results):
    """Keep what has finished since the last one was taken."""
    for future, one in pending.items():
        if future.done() and not future.cancelled() and future.exception() is None:
            results[one] = future.result()


def _why(error, pending, runs, results):
    ended = (future for future in pending if future.done() and not future.cancelled())
    what = "a run failed" if any(f.exception() is error for f in ended) else "the sweep failed"
    what = "the workers were lost" if isinstance(error, futures.BrokenExecutor) else what
    kept = sum(one in results for one in runs)
    return (
        f"{what} ({type(error).__name__}: {error}); {kept} of {len(runs)} runs have finished and "
        "are kept: hand them in as results=error.results, and only the others are trained"
    )


class Band(NamedTuple):
    """Median and range over the seeds, one entry per value of an axis.

    Attributes
    ----------
    axis : ndarray
    median : ndarray
        Of all trainings; one that stopped ranks below all that did not. nan where it is the median.
    low, high : ndarray
        Range of those that reached their end; nan where none did.
    stopped : ndarray of int
        How many did not.
    """

    axis: np.ndarray
    median: np.ndarray
    low: np.ndarray
    high: np.ndarray
    stopped: np.ndarray


def band(results, over, value="accuracy", **fixed):
    """Return the `Band` of a value over one attribute of the runs, others held fixed.

    Parameters
    ----------
    results : dict of Run to Outcome
    over : str
        Attribute of `Run` along the axis.
    value : str or callable
        An accuracy of `Outcome`, or a function of one. It is not asked of a training that stopped.
    **fixed
        Attributes of `Run` that must have these values.

    Returns
    -------
    Band
    """
    instance("results", results, dict, "what sweep.run returns")
    for one, outcome in results.items():
        instance("results", one, Run, "a sweep.Run for a key")
        instance("results", outcome, Outcome, "a sweep.Outcome for each run")
    choice("over", over, Run._fields)
    read = value
    if not callable(value):
        choice("value", value, ("accuracy", "accuracy_training", "accuracy_batch"))
        read = operator.attrgetter(value)
    for name in fixed:
        choice("fixed", name, Run._fields)
    groups = {}
    for one, outcome in results.items():
        if all(getattr(one, name) == wanted for name, wanted in fixed.items()):
            found = None if outcome.stopped else number("value", read(outcome), minimum=-math.inf)
            groups.setdefault(getattr(one, over), []).append(found)
    if not groups:
        raise ValueError(f"fixed: got {fixed}, wanted the values of some run")
    axis = sorted(groups, key=lambda x: (isinstance(x, str), x))  # False, True, "hidden"
    columns = zip(*(_summary(groups[x]) for x in axis), strict=True)
    mixed = over in ("batch_norm", "hidden")  # of which numpy would make text, or no array
    axis = np.fromiter(axis, object) if mixed else np.array(axis)
    return Band(axis, *(np.array(column) for column in columns))


def _summary(numbers):
    """Return median, lowest, highest and how many are None."""
    ended = [number for number in numbers if number is not None]
    stopped = len(numbers) - len(ended)
    median = float(np.median([*ended, *[-np.inf] * stopped]))
    return (
        median if median > -np.inf else np.nan,
        min(ended, default=np.nan),
        max(ended, default=np.nan),
        stopped,
    )
