"""Sweeps: the same numbers on every executor, and nothing finished is lost."""

import concurrent.futures as futures
import os
import signal
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
        pytest.raises(sweep.SweepStopped, match=r"workers were lost.*1 of 4 .* kept") as e,
    ):
        sweep.run(long, executor, progress=progress)
    assert e.value.results == {RUNS[0]: wanted[RUNS[0]]}


def test_a_run_that_cannot_be_ends_the_sweep_and_says_so(wanted):
    bad = sweep.Run(False, 0.1, 9999, 0)
    with pytest.raises(sweep.SweepStopped, match="batch_size: got 9999") as e:
        sweep.run([RUNS[0], bad], Here())
    assert e.value.results == {RUNS[0]: wanted[RUNS[0]]}


@pytest.mark.parametrize("one", [sweep.Run(True, 0.1, 1, 0), sweep.Run(False, 1e200, 64, 0)])
def test_a_training_that_stops_is_a_result(one):
    (outcome,) = sweep.run([one], Here()).values()
    assert outcome.accuracy == outcome.accuracy_training == outcome.accuracy_batch == 0
    assert "step" in outcome.stopped


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
    assert sweep.band(results, "seed", lambda o: -o.accuracy).low.tolist() == [-2, -4, -12]
    with pytest.raises(ValueError, match="batch_norm"):
        sweep.band(results, "seed", batch_norm=False)


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
