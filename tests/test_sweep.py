"""Sweeps: the same numbers on every executor, and nothing finished is lost."""

import concurrent.futures as futures
import os
import signal
import sys
import threading
import time

import numpy as np
import pytest

from bnnotes import digits, network, sweep

RUNS = [
    sweep.Run(batch_norm, rate, 64, seed, epochs=1, hidden=(8,))
    for batch_norm in (False, True)
    for rate in (0.1, 1.0)
    for seed in (0, 1)
]


class Here(futures.Executor):
    """Runs each task at once, in the process of the caller."""

    def submit(self, function, /, *arguments, **options):
        future = futures.Future()
        try:
            future.set_result(function(*arguments, **options))
        except BaseException as error:
            future.set_exception(error)
        return future


@pytest.fixture(scope="module")
def wanted():
    return sweep.run(RUNS, Here())


def test_the_outcome_is_that_of_the_training(wanted):
    data = digits.load("ten")
    one = RUNS[-1]
    net = network.create([64, 8, 10], batch_norm=True, activation="relu", rng=one.seed)
    options = {"learning_rate": 1.0, "batch_size": 64, "epochs": 1, "rng": one.seed}
    history = network.train(net, data.psi, data.phi, **options)
    statistics = network.population_statistics(net, data.psi)
    u = network.predict(net, data.psi_test, statistics)
    assert wanted[one].cost == pytest.approx([np.mean(history.cost)], rel=1e-9)
    assert wanted[one].accuracy == pytest.approx(digits.accuracy(u, data.phi_test), abs=0.01)
    assert wanted[one].stopped == ""


def test_processes_threads_and_any_order_give_the_same_numbers(wanted):
    assert sweep.run(RUNS) == wanted
    with futures.ThreadPoolExecutor(2) as threads:
        backward = sweep.run(RUNS[::-1], threads)
    assert backward == wanted
    assert list(backward) == RUNS[::-1]


def test_in_a_browser_the_runs_are_trained_in_turn(wanted, monkeypatch):
    monkeypatch.setattr(sys, "platform", "emscripten")
    monkeypatch.setattr(sweep, "processes", None)
    seen = []

    def progress(arrivals):
        assert len(arrivals) == len(RUNS)
        for future in arrivals:
            seen.append(future.done())
            yield future

    assert sweep.run(RUNS, progress=progress) == wanted
    assert seen == [True] * len(RUNS)
    with pytest.raises(sweep.SweepStopped, match="a run failed"):
        sweep.run([RUNS[0]._replace(labels="no")])


def test_where_no_run_failed_none_is_said_to():
    def breaks(arrivals):
        raise RuntimeError("no bar")

    for progress in (breaks, lambda arrivals: None):
        with pytest.raises(sweep.SweepStopped, match=r"^the sweep failed \((Runtime|Value)Error: "):
            sweep.run(RUNS[:1], sweep.OneByOne(), progress=progress)


def test_no_run_is_trained_twice(wanted):
    kept = dict(list(wanted.items())[:-1])

    class Counting(Here):
        submitted = 0

        def submit(self, *arguments, **options):
            self.submitted += 1
            return super().submit(*arguments, **options)

    executor = Counting()
    assert sweep.run([*RUNS, *RUNS], executor, results=kept) == wanted
    assert executor.submitted == 1
    assert kept == wanted


def test_progress_wraps_the_arrivals():
    seen = []

    def progress(arrivals):
        seen.append(len(arrivals))
        for arrival in arrivals:
            seen.append("one")
            yield arrival

    sweep.run(RUNS[:2], Here(), progress=progress)
    assert seen == [2, "one", "one"]
    with pytest.raises(sweep.SweepStopped, match="progress: got a function that returns None"):
        sweep.run(RUNS[:1], Here(), progress=lambda arrivals: None)


def test_an_interrupt_keeps_what_has_finished(wanted):
    def interrupted(arrivals):
        for n, arrival in enumerate(arrivals):
            if n == 1:
                raise KeyboardInterrupt
            yield arrival

    class Slow(Here):
        """Finishes two runs and leaves the others waiting."""

        submitted = 0

        def submit(self, *arguments, **options):
            self.submitted += 1
            return super().submit(*arguments) if self.submitted <= 2 else futures.Future()

    results = {}
    returned = sweep.run(RUNS, Slow(), results=results, progress=interrupted)
    assert returned == results == {one: wanted[one] for one in RUNS[:2]}
    assert sweep.run(RUNS, Here(), results=results) == wanted


def test_an_interrupt_of_the_process_ends_the_sweep():
    long = [sweep.Run(False, 0.1, 8, seed, epochs=1) for seed in range(200)]
    seen = []

    def progress(arrivals):
        for arrival in arrivals:
            seen.append(arrival)
            if len(seen) == 2:
                threading.Timer(0.0, signal.raise_signal, [signal.SIGINT]).start()
            yield arrival

    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        results = sweep.run(long, progress=progress)
    finally:
        signal.signal(signal.SIGINT, handler)
    assert 2 <= len(results) < 200


def test_a_killed_worker_loses_nothing_that_has_finished(wanted):
    executor = sweep.processes(1)

    def progress(arrivals):
        for arrival in arrivals:
            yield arrival
            os.kill(next(iter(executor._processes)), signal.SIGKILL)

    long = [*RUNS[:1], *(sweep.Run(False, 0.1, 1, seed, epochs=4) for seed in range(3))]
    with (
        executor,
        pytest.raises(sweep.SweepStopped, match=r"^the workers were lost \(.*1 of 4 .* kept") as e,
    ):
        sweep.run(long, executor, progress=progress)
    assert e.value.results == {RUNS[0]: wanted[RUNS[0]]}


def test_a_run_that_cannot_be_ends_the_sweep_and_says_so(wanted):
    bad = sweep.Run(False, 0.1, 9999, 0)
    with pytest.raises(sweep.SweepStopped) as e:
        sweep.run([RUNS[0], bad], Here())
    said = str(e.value)
    assert said.startswith("a run failed (ValueError: batch_size: got 9999")
    assert said.endswith(
        "); 1 of 2 runs have finished and are kept: hand them in as results=error.results, "
        "and only the others are trained"
    )
    assert e.value.results == {RUNS[0]: wanted[RUNS[0]]}


@pytest.mark.parametrize(
    ("one", "epochs"), [(sweep.Run(True, 0.1, 1, 0), 0), (sweep.Run(False, 1e200, 64, 0), 1)]
)
def test_a_training_that_stops_is_a_result(one, epochs):
    (outcome,) = sweep.run([one], Here()).values()
    assert outcome.accuracy is outcome.accuracy_training is outcome.accuracy_batch is None
    assert outcome.stopped.startswith(f"step {epochs}")
    assert len(outcome.cost) == epochs and np.isfinite(outcome.cost).all()


def test_band():
    results = {
        sweep.Run(True, rate, 8, seed): sweep.Outcome((), rate * (1 + seed), 0.0, 0.0, "")
        for rate in (2.0, 1.0)
        for seed in (0, 1, 5)
    }
    band = sweep.band(results, "learning_rate", batch_norm=True)
    assert band.axis.tolist() == [1, 2]
    assert band.median.tolist() == [2, 4]
    assert band.low.tolist() == [1, 2] and band.high.tolist() == [6, 12]
    for value in ("accuracy_training", "accuracy_batch"):
        other = {one: outcome._replace(**{value: -1.0}) for one, outcome in results.items()}
        assert sweep.band(other, "seed", value).median.tolist() == [-1, -1, -1]
    assert sweep.band(results, "seed", lambda o: -o.accuracy).low.tolist() == [-2, -4, -12]
    with pytest.raises(ValueError, match="batch_norm"):
        sweep.band(results, "seed", batch_norm=False)


@pytest.mark.parametrize(
    ("over", "axis"),
    [
        ("batch_norm", [False, True, "hidden"]),
        ("hidden", [(8,), (8, 8), (32,)]),
        ("activation", ["relu", "tanh"]),
    ],
)
def test_a_band_over_what_is_no_number(over, axis):
    results = {
        RUNS[0]._replace(**{over: x}): sweep.Outcome((), float(k), 0.0, 0.0, "")
        for k, x in reversed(list(enumerate(axis)))
    }
    band = sweep.band(results, over)
    assert band.axis.tolist() == axis
    assert band.median.tolist() == list(range(len(axis)))


def outcomes(*accuracies):
    """One run per accuracy, None for a training that stopped."""
    return {
        sweep.Run(True, 1.0, 8, seed): sweep.Outcome((), a, a, a, "" if a is not None else "why")
        for seed, a in enumerate(accuracies)
    }


@pytest.mark.parametrize(
    ("accuracies", "median", "low", "high", "stopped"),
    [
        ((0.3, 0.1, 0.2), 0.2, 0.1, 0.3, 0),
        ((0.3, None, 0.2), 0.2, 0.2, 0.3, 1),
        ((0.3, None, None), np.nan, 0.3, 0.3, 2),
        ((0.3, None), np.nan, 0.3, 0.3, 1),
        ((None, None), np.nan, np.nan, np.nan, 2),
    ],
)
def test_a_training_that_stopped_ranks_below_all_and_has_no_accuracy(
    accuracies, median, low, high, stopped
):
    results = outcomes(*accuracies)
    for value in ("accuracy", lambda outcome: outcome.accuracy + 0):
        band = sweep.band(results, "learning_rate", value)
        assert band.stopped.tolist() == [stopped]
        np.testing.assert_array_equal([band.median, band.low, band.high], [[median], [low], [high]])


def test_a_run_that_holds_its_lengths(monkeypatch):
    finished = []
    accuracies = sweep._accuracies
    monkeypatch.setattr(
        sweep, "_accuracies", lambda net, *a: finished.append(net) or accuracies(net, *a)
    )
    one = RUNS[-1]
    start = network.create([64, 8, 10], batch_norm=True, activation="relu", rng=one.seed)
    for hold in (False, True):
        sweep.train_one(one._replace(hold=hold))
    for layer, free, held in zip(start.layers, *(net.layers for net in finished), strict=True):
        first, free, held = (np.linalg.norm(l.W, axis=1) for l in (layer, free, held))
        np.testing.assert_allclose(held, first, rtol=1e-12)
        assert (free > first).all()


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 3, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        yield client


# dask leaves sockets and loops to the garbage collector when a worker dies.
dask = pytest.mark.filterwarnings("ignore")


@dask
def test_a_cluster_gives_the_same_numbers(cluster, wanted):
    assert sweep.run(RUNS, cluster.get_executor()) == wanted


@pytest.mark.filterwarnings("ignore")  # its controller's sockets, as above
def test_ipython_engines_give_the_same_numbers(wanted):
    ipyparallel = pytest.importorskip("ipyparallel")
    with ipyparallel.Cluster(n=2) as engines:
        assert sweep.run(RUNS, engines.load_balanced_view().executor) == wanted


@dask
def test_the_runs_of_a_killed_dask_worker_are_done_again(cluster):
    runs = [sweep.Run(True, 0.1, 16, seed, epochs=2) for seed in range(12)]
    victims = []

    def progress(arrivals):
        for arrival in arrivals:
            if not victims:
                busy = [name for name, tasks in cluster.processing().items() if tasks]
                pids = cluster.run(os.getpid)
                victims.append(busy[0])
                os.kill(pids[busy[0]], signal.SIGKILL)
            yield arrival

    results = sweep.run(runs, cluster.get_executor(), progress=progress)
    assert victims and len(results) == 12
    deadline = time.monotonic() + 30  # the cluster replaces the worker
    while victims[0] in cluster.scheduler_info()["workers"] and time.monotonic() < deadline:
        time.sleep(0.1)
    assert victims[0] not in cluster.scheduler_info()["workers"]
    assert results == sweep.run(runs, Here())


def test_inputs(wanted):
    raw, scaled = (sweep._digits("ten", inputs) for inputs in ("pixels", "scaled"))
    np.testing.assert_allclose(scaled.psi.mean(axis=0), 0, atol=1e-12)
    assert scaled.psi.std() == pytest.approx(1)
    # One shift and one scale for both halves.
    moved = raw.psi_test - raw.psi.mean(axis=0)
    np.testing.assert_allclose(
        scaled.psi_test * moved.std() / scaled.psi_test.std(), moved, atol=1e-12
    )
    # BN with ε = 0 does not see shift and scale of its input.
    bn = next(one for one in RUNS if one.batch_norm)
    (outcome,) = sweep.run([bn._replace(inputs="scaled")], Here()).values()
    assert outcome.cost == pytest.approx(wanted[bn].cost, rel=0.05)
    with pytest.raises(sweep.SweepStopped, match="inputs: got 'grey'"):
        sweep.run([bn._replace(inputs="grey")], Here())


def test_both_halves_are_moved_and_scaled_by_the_training():
    data = digits.load("ten")
    mean = data.psi.mean(axis=0)
    std = np.sqrt(((data.psi - mean) ** 2).mean())
    for inputs, shift, scale in (("pixels", 0, 1), ("centered", mean, 1), ("scaled", mean, std)):
        found = sweep._digits("ten", inputs)
        for name in ("psi", "psi_test"):
            wanted = (getattr(data, name) - shift) / scale
            np.testing.assert_allclose(getattr(found, name), wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("samples", [60, 59, 41, 19])
@pytest.mark.parametrize("batch_norm", [True, False, "hidden"])
def test_accuracies(samples, batch_norm):
    data = digits.load("ten")
    data = data._replace(psi_test=data.psi_test[:samples], phi_test=data.phi_test[:samples])
    net = network.create([64, 8, 10], batch_norm=batch_norm, activation="relu", rng=0)
    network.train(net, data.psi, data.phi, learning_rate=0.5, batch_size=64, epochs=1, rng=0)
    statistics = network.population_statistics(net, data.psi)

    def share(psi, phi, statistics):
        u = network.predict(net, psi, statistics)
        return np.mean(u.argmax(axis=1) == phi.argmax(axis=1))

    held_out = share(data.psi_test, data.phi_test, statistics)
    training = share(data.psi, data.phi, statistics)
    pairs = zip(*(np.split(x, range(20, samples, 20)) for x in data[2:4]), strict=True)
    whole = [share(psi, phi, None) for psi, phi in pairs if len(psi) == 20]
    wanted = held_out, training, np.mean(whole) if whole else held_out
    assert sweep._accuracies(net, data, 20) == pytest.approx(wanted)
    assert held_out != training


def test_a_training_keeps_its_cost_if_only_the_inference_fails(wanted, monkeypatch):
    def fail(net, psi):
        raise network.UnusableFeature("layer 1, neuron 2: constant", 2)

    monkeypatch.setattr(network, "population_statistics", fail)
    outcome = sweep.train_one(RUNS[-1])
    assert outcome == (wanted[RUNS[-1]].cost, None, None, None, "layer 1, neuron 2: constant")


def test_a_training_takes_one_thread_of_the_linear_algebra_alone(monkeypatch):
    threadpoolctl = pytest.importorskip("threadpoolctl")
    seen = []
    train = network.train

    def spy(*arguments, **options):
        seen.extend(threadpoolctl.threadpool_info())
        return train(*arguments, **options)

    monkeypatch.setattr(network, "train", spy)
    with threadpoolctl.threadpool_limits(2):
        sweep.train_one(RUNS[0])
    assert seen
    for pool in seen:
        assert pool["num_threads"] == (1 if pool["user_api"] == "blas" else 2), pool


def test_trainings_in_threads_leave_the_linear_algebra_as_it_was():
    threadpoolctl = pytest.importorskip("threadpoolctl")

    def threads():
        return [pool["num_threads"] for pool in threadpoolctl.threadpool_info()]

    with threadpoolctl.threadpool_limits(2):
        before = threads()
        with futures.ThreadPoolExecutor(3) as pool:
            runs = [RUNS[0]._replace(epochs=1 + k % 3) for k in range(6)]
            list(pool.map(sweep.train_one, runs))
        assert threads() == before


def test_a_worker_starts_afresh_and_leaves_interrupts_to_the_sweep():
    # A process in the background may have inherited that interrupts are ignored.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with sweep.processes(1) as executor:
            assert executor._max_workers == 1
            process = "type(__import__('multiprocessing').current_process()).__name__"
            assert executor.submit(eval, process).result() == "SpawnProcess"
            assert executor.submit(signal.getsignal, signal.SIGINT).result() == signal.SIG_IGN
        sweep._leave_interrupts()
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, handler)


def test_processes_of_its_own_are_closed_and_none_are_started_for_nothing(wanted, monkeypatch):
    closed = []

    class Own(Here):
        def shutdown(self, **options):
            closed.append(options)

    monkeypatch.setattr(sweep, "processes", Own)
    assert sweep.run(RUNS[:1]) == {RUNS[0]: wanted[RUNS[0]]}
    assert closed == [{"wait": False, "cancel_futures": True}]
    assert sweep.run(RUNS, results=dict(wanted)) == wanted
    assert len(closed) == 1


def test_only_what_has_finished_is_taken():
    finished, failed, cancelled, waiting = (futures.Future() for _ in range(4))
    finished.set_result("outcome")
    failed.set_exception(ValueError())
    cancelled.cancel()
    results = {"before": 1}
    sweep._take({finished: "a", failed: "b", cancelled: "c", waiting: "d"}, results)
    assert results == {"before": 1, "a": "outcome"}


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: sweep.train_one(3), "run: got 3, wanted a sweep.Run"),
        (
            lambda: sweep.train_one(RUNS[0]._replace(hidden=8)),
            "hidden: got 8, wanted a tuple of integers",
        ),
        (
            lambda: sweep.train_one(RUNS[0]._replace(epochs=10**6)),
            "epochs: got 1000000, wanted at most 10000",
        ),
        (lambda: sweep.run(3), "runs: got 3, wanted a list of sweep.Run"),
        (lambda: sweep.run([3]), "runs: got 3, wanted sweep.Run alone"),
        (
            lambda: sweep.run([], executor=3),
            "executor: got 3, wanted a concurrent.futures.Executor",
        ),
        (lambda: sweep.run([], results=3), "results: got 3, wanted a dict or None"),
        (lambda: sweep.band(3, "seed"), "results: got 3, wanted what sweep.run returns"),
        (
            lambda: sweep.band(outcomes(0.1, np.nan), "seed"),
            "value: got nan, wanted a finite number",
        ),
        (lambda: sweep.band({3: 4}, "seed"), "results: got 3, wanted a sweep.Run for a key"),
        (
            lambda: sweep.band({RUNS[0]: 4}, "seed"),
            "results: got 4, wanted a sweep.Outcome for each run",
        ),
    ],
)
def test_what_is_wanted_is_said(call, said):
    with pytest.raises(ValueError) as error:
        call()
    assert str(error.value) == said


def test_a_run_by_itself_and_one_with_a_list_are_shown():
    with pytest.raises(ValueError, match=r"^runs: got Run\(.*wanted a list of sweep.Run$"):
        sweep.run(RUNS[0])
    with pytest.raises(ValueError, match=r"^runs: got Run\(.*wanted hidden=\(32,\), a tuple$"):
        sweep.run([RUNS[0]._replace(hidden=[8])])
