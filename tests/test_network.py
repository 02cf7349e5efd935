"""Whole networks against two oracles, and SGD that can be stopped."""

import os
import signal
import sys

import numpy as np
import oracles
import pytest
from cases import assert_close

from bnnotes import check, network

ACTIVATIONS = ("relu", "tanh", "sigmoid")
DEPTHS = ([3, 2], [3, 4, 1], [2, 5, 4, 3], [3, 6, 6, 5, 4, 2])


def problem(sizes, M_B, *, batch_norm, activation, eps=0.0, seed=0):
    """A network with random γ, β and b, inputs, and labels. "first": no BN but in every other."""
    rng = np.random.default_rng([seed, M_B])
    kind = batch_norm != "first" and batch_norm
    net = network.create(sizes, batch_norm=kind, activation=activation, eps=eps, rng=rng)
    if batch_norm == "first":
        net.layers[::2] = [
            network.BatchNorm(layer.W, layer.b, layer.b.copy()) for layer in net.layers[::2]
        ]
    for layer in net.layers:
        if isinstance(layer, network.BatchNorm):
            n = len(layer.gamma)
            layer.gamma = rng.choice([-1, 1], n) * rng.uniform(0.5, 2.0, n)
            layer.beta = rng.normal(size=n)
        else:
            layer.b = rng.normal(size=len(layer.b))
    psi = rng.normal(0.5, 1.0, (M_B, sizes[0]))
    phi = (rng.random((M_B, sizes[-1])) < 0.5).astype(float)
    return net, psi, phi


def flat(gradients):
    return [array for layer in gradients for array in vars(layer).values()]


# Everywhere, nowhere, on the hidden layers, and in every other layer from the first.
LAYOUTS = [(False, 0.0), *((kind, eps) for kind in (True, "hidden", "first") for eps in (0.0, 0.1))]

# Networks of every kind; BN at eps = 0 needs M_B > 1 and no neuron that is dead for all samples.
KINDS = [
    (sizes, M_B, batch_norm, activation, eps)
    for sizes in DEPTHS
    for M_B in (2, 3, 8, 32)
    for batch_norm, eps in LAYOUTS
    for activation in ACTIVATIONS
]


def living(sizes, M_B, batch_norm, activation, eps):
    """A problem whose forward pass exists."""
    for seed in range(200):
        made = problem(sizes, M_B, batch_norm=batch_norm, activation=activation, eps=eps, seed=seed)
        try:
            network.feed_forward(made[0], made[1])
        except ValueError:
            continue
        return made
    raise AssertionError("no network of this kind has a forward pass")


@pytest.mark.parametrize("sizes, M_B, batch_norm, activation, eps", KINDS, ids=str)
def test_gradients_against_autograd(sizes, M_B, batch_norm, activation, eps):
    net, psi, phi = living(sizes, M_B, batch_norm, activation, eps)
    cost, gradients = network.cost_and_gradients(net, psi, phi)
    true_cost, truth = oracles.cost_and_gradients(
        oracles.parameters(net), psi, phi, activation, eps
    )
    assert cost == pytest.approx(true_cost, rel=1e-12)
    # What rounds is the sum before the projections: its scale is that of all gradients.
    scale = max(np.abs(array).max() for layer in truth for array in layer)
    for got, true in zip(flat(gradients), [a for layer in truth for a in layer], strict=True):
        assert_close(got, true, 1e-11 if batch_norm else 1e-12, scale)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("batch_norm, eps", LAYOUTS)
@pytest.mark.parametrize("M_B", [2, 3, 5, 32])
def test_gradients_against_the_complex_step(M_B, batch_norm, eps, activation):
    net, psi, phi = living([3, 4, 3, 2], M_B, batch_norm, activation, eps)
    _, gradients = network.cost_and_gradients(net, psi, phi)
    scale = max(np.abs(array).max() for array in flat(gradients))
    for layer, gradient in zip(net.layers, gradients, strict=True):
        for name, value in vars(layer).copy().items():

            def cost(changed, layer=layer, name=name):
                setattr(layer, name, changed)
                return network.cost_and_gradients(net, psi, phi)[0]

            truth = check.complex_step(cost, value)
            setattr(layer, name, value)
            assert_close(vars(gradient)[name], truth, 1e-12, scale)


@pytest.mark.parametrize("offset", [0.0, 1e8])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_two_samples_learn_exactly_nothing(activation, offset):
    """M_B = 2, eps = 0, BN everywhere: only the top's γ and β have a gradient; the rest is 0.0."""
    for seed in range(30):
        net, psi, phi = problem([3, 4, 4, 1], 2, batch_norm=True, activation=activation, seed=seed)
        phi[:] = [[0.0], [1.0]]
        *below, top = network.cost_and_gradients(net, psi + offset, phi)[1]
        for gradient in below:
            assert all((array == 0).all() for array in vars(gradient).values())
        assert (top.W == 0).all()
        assert (top.gamma != 0).all()


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_two_samples_teach_a_plain_output_layer(activation):
    """M_B = 2, eps = 0, BN on the hidden layers: W, b of the top and γ, β of the last BN learn."""
    for seed in range(30):
        net, psi, phi = problem(
            [3, 4, 4, 1], 2, batch_norm="hidden", activation=activation, seed=seed
        )
        phi[:] = [[0.0], [1.0]]
        below, last, top = network.cost_and_gradients(net, psi, phi)[1]
        assert all((array == 0).all() for array in vars(below).values())
        assert (last.W == 0).all() and (last.gamma != 0).all() and (last.beta != 0).all()
        assert (top.W != 0).all() and (top.b != 0).all()


@pytest.mark.parametrize("offset", [2.0**10, 2.0**20, 2.0**27])
def test_rounding_error_of_the_gradients(offset):
    """Inputs far from zero: the gradient keeps its digits."""
    rng = np.random.default_rng(0)
    net, _, phi = problem([2, 1], 8, batch_norm=True, activation="tanh")
    # Few digits, so that x = W u holds exactly.
    psi = np.round(rng.normal(size=(8, 2)) * 64) / 64
    net.layers[0].W = np.array([[1.0, 0.5]])
    _, truth = network.cost_and_gradients(net, psi, phi)
    _, got = network.cost_and_gradients(net, psi + offset, phi)
    assert_close(got[0].W, truth[0].W, 1e-13)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_float32(activation, batch_norm):
    net, psi, phi = living([3, 6, 4, 2], 32, batch_norm, activation, 0.1)
    _, truth = network.cost_and_gradients(net, psi, phi)
    for layer in net.layers:
        for name, value in vars(layer).items():
            setattr(layer, name, value.astype(np.float32))
    cost, gradients = network.cost_and_gradients(
        net, psi.astype(np.float32), phi.astype(np.float32)
    )
    assert cost.dtype == np.float32
    for got, true in zip(flat(gradients), flat(truth), strict=True):
        assert got.dtype == np.float32
        assert_close(got, true, 1e-5, scale=1.0)
    network.train(
        net,
        psi.astype(np.float32),
        phi.astype(np.float32),
        learning_rate=0.1,
        batch_size=8,
        epochs=2,
        rng=0,
    )
    assert all(array.dtype == np.float32 for array in flat(net.layers))


def test_a_large_logit_has_a_finite_cost():
    net, psi, _ = problem([2, 1], 4, batch_norm=False, activation="relu")
    net.layers[0].b = np.array([1000.0])
    cost, gradients = network.cost_and_gradients(net, psi, np.zeros((4, 1)))
    assert cost == pytest.approx(1000, rel=0.02)
    assert gradients[0].b == 1


def test_the_caller_owns_the_gradients():
    net, psi, phi = problem([2, 3, 1], 8, batch_norm=True, activation="tanh")
    _, first = network.cost_and_gradients(net, psi, phi)
    kept = [array.copy() for array in flat(first)]
    for array in flat(network.cost_and_gradients(net, psi, phi)[1]):
        array[...] = np.nan
    for array, copy in zip(flat(first), kept, strict=True):
        np.testing.assert_array_equal(array, copy)
    network.cost_and_gradients(net, psi, phi)


def test_create():
    with_bn, without, hidden = (
        network.create([64, 1000, 10], batch_norm=b, activation="relu", rng=0)
        for b in (True, np.False_, "hidden")
    )
    for l, n_prev in enumerate([64, 1000]):
        np.testing.assert_array_equal(with_bn.layers[l].W, without.layers[l].W)
        assert with_bn.layers[l].W.std() == pytest.approx(n_prev**-0.5, rel=0.02)
        assert (with_bn.layers[l].gamma == 1).all() and (with_bn.layers[l].beta == 0).all()
        assert (without.layers[l].b == 0).all()
    assert with_bn.sizes == without.sizes == [64, 1000, 10]
    kinds = [[type(layer) for layer in net.layers] for net in (with_bn, without, hidden)]
    dense, bn = network.Dense, network.BatchNorm
    assert kinds == [[bn, bn], [dense, dense], [bn, dense]]
    for layer, other in zip(hidden.layers, with_bn.layers, strict=True):
        np.testing.assert_array_equal(layer.W, other.W)
    alone = network.create([3, 2], batch_norm="hidden", activation="relu", rng=0)
    assert isinstance(alone.layers[0], dense)


# Prediction.


@pytest.mark.parametrize("batch_norm, eps", LAYOUTS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_predict_is_the_oracles_output(activation, batch_norm, eps):
    """S2."""
    net, psi, _ = living([3, 5, 2], 16, batch_norm, activation, eps)
    truth = oracles.output(oracles.parameters(net), psi, activation, eps)
    assert_close(network.predict(net, psi), truth, 1e-13)


@pytest.mark.parametrize("batch_norm, eps", LAYOUTS)
def test_population_statistics(batch_norm, eps):
    """Inference mode: on the population it is batch mode; each sample stands alone."""
    net, psi, _ = problem([3, 5, 4, 1], 64, batch_norm=batch_norm, activation="tanh", eps=eps)
    statistics = network.population_statistics(net, psi)
    for layer, pair in zip(net.layers, statistics, strict=True):
        assert (pair is None) == isinstance(layer, network.Dense)
    u = network.predict(net, psi, statistics)
    assert_close(u, network.predict(net, psi), 1e-13)
    one_by_one = [network.predict(net, psi[[s]], statistics)[0] for s in range(64)]
    assert_close(np.array(one_by_one), u, 1e-13)
    if not batch_norm:
        return
    x = psi @ net.layers[0].W.T
    assert_close(statistics[0].mean, x.mean(axis=0), 1e-13)
    assert_close(statistics[0].std, np.sqrt(x.var(axis=0) + eps), 1e-13)


# Training.


def training(batch_norm=True, seed=0):
    net, psi, phi = problem([3, 5, 2], 22, batch_norm=batch_norm, activation="tanh", seed=seed)
    return net, psi, phi


def train(net, psi, phi, **changes):
    settings = {"learning_rate": 0.3, "batch_size": 4, "epochs": 3, "rng": 7}
    return network.train(net, psi, phi, **{**settings, **changes})


def weights(net):
    return [array.copy() for array in flat(net.layers)]


def assert_same(got, expected):
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def assert_after(got, steps, batch_norm=True):
    """`train` multiplies Δ by η, `after` each gradient: the same up to rounding."""
    for a, b in zip(got, after(steps, batch_norm), strict=True):
        assert_close(a, b, 1e-13 * (1 + steps))


def after(steps, batch_norm=True):
    """Weights after so many steps, by steps of our own with the same shuffles."""
    net, psi, phi = training(batch_norm)
    rng, applied = np.random.default_rng(7), 0
    while True:
        for batch in network.batches(len(psi), 4, rng):
            if applied == steps:
                return weights(net)
            _, gradients = network.cost_and_gradients(net, psi[batch], phi[batch])
            for layer, gradient in zip(net.layers, gradients, strict=True):
                for name, value in vars(gradient).items():
                    setattr(layer, name, getattr(layer, name) - 0.3 * value)
            applied += 1


@pytest.mark.parametrize("batch_norm", [False, True])
def test_one_step_is_gradient_descent(batch_norm):
    """S3: W ← W − η ∂C/∂W, the gradient by autograd."""
    net, psi, phi = training(batch_norm)
    before = oracles.parameters(net)
    cost, gradients = oracles.cost_and_gradients(before, psi, phi, "tanh", 0.0)
    history = train(net, psi, phi, batch_size=22, epochs=1)
    expected = [
        p - 0.3 * g
        for layer, gradient in zip(before, gradients, strict=True)
        for p, g in zip(layer, gradient, strict=True)
    ]
    for got, want in zip(flat(net.layers), expected, strict=True):
        assert_close(got, want, 1e-12)
    assert history.cost == [pytest.approx(cost, rel=1e-12)]


def test_batches_partition_the_shuffled_samples():
    """S3; an incomplete last batch is left out, another one each time."""
    rng, left_out = np.random.default_rng(0), []
    for _ in range(50):
        batches = list(network.batches(22, 4, rng))
        assert [len(batch) for batch in batches] == [4] * 5
        seen = np.concatenate(batches)
        assert len(set(seen.tolist())) == 20
        left_out += list(set(range(22)) - set(seen.tolist()))
    assert set(left_out) == set(range(22))
    assert len(list(network.batches(20, 4, rng))) == 5


@pytest.mark.parametrize("batch_norm", [False, True])
def test_training(batch_norm):
    net, psi, phi = training(batch_norm)
    history = train(net, psi, phi)
    assert len(history.cost) == 15
    assert history.steps_per_epoch == 5
    assert not history.interrupted
    assert all(isinstance(cost, float) for cost in history.cost)
    assert_after(weights(net), 15, batch_norm)


def test_the_same_seed_gives_the_same_training():
    runs = []
    for rng in (7, np.random.default_rng(7)):
        net, psi, phi = training()
        history = train(net, psi, phi, rng=rng)
        runs.append((history.cost, weights(net)))
    assert runs[0][0] == runs[1][0]
    assert_same(runs[0][1], runs[1][1])


def test_learning_lowers_the_cost():
    for batch_norm in (False, True):
        net, psi, _ = training(batch_norm)
        phi = (psi[:, :2] > 0.5).astype(float)
        history = train(net, psi, phi, epochs=60, batch_size=11)
        assert np.mean(history.cost[-10:]) < 0.7 * np.mean(history.cost[:10])


def test_no_learning_rate_and_no_epochs_change_nothing():
    for changes in ({"learning_rate": 0}, {"epochs": 0}):
        net, psi, phi = training()
        before = weights(net)
        history = train(net, psi, phi, **changes)
        assert_same(weights(net), before)
        assert len(history.cost) == (15 if "learning_rate" in changes else 0)


def test_on_epoch_and_progress():
    net, psi, phi = training()
    seen, wrapped = [], []

    def progress(epochs):
        wrapped.append(len(epochs))
        return epochs

    history = train(
        net,
        psi,
        phi,
        progress=progress,
        on_epoch=lambda epoch, n, h: seen.append((epoch, n is net, len(h.cost), weights(n))),
    )
    assert wrapped == [3]
    assert [s[:3] for s in seen] == [(0, True, 5), (1, True, 10), (2, True, 15)]
    for (_, _, steps, at), expected in zip(seen, (5, 10, 15), strict=True):
        assert_after(at, expected)
        assert steps == expected
    assert len(history.cost) == 15


def test_on_step_sees_the_layers_before_the_network_takes_them():
    net, psi, phi = training()
    seen = []

    def on_step(layers):
        assert layers is not net.layers
        seen.append((weights(net), [array.copy() for array in flat(layers)]))

    train(net, psi, phi, epochs=1, on_step=on_step)
    assert len(seen) == 5
    for steps, (before, now) in enumerate(seen):
        assert_after(before, steps)
        assert_after(now, steps + 1)
    assert_same(weights(net), seen[-1][1])


def test_what_on_step_changes_is_the_step():
    net, psi, phi = training()

    def on_step(layers):
        layers[0].beta = np.full(5, 7.0)

    train(net, psi, phi, on_step=on_step)
    assert (net.layers[0].beta == 7).all()


def test_what_on_step_breaks_is_refused_and_the_step_is_not_taken():
    for wrong in (np.ones(4), np.full(5, np.nan), 3):
        net, psi, phi = training()
        before = weights(net)

        def on_step(layers, wrong=wrong):
            layers[0].beta = wrong

        with pytest.raises(ValueError, match=r"^network.layers\[0\].beta: got"):
            train(net, psi, phi, on_step=on_step)
        assert_same(weights(net), before)


def test_a_callback_that_leaves_another_network_is_refused():
    def on_step(layers):
        layers.pop()

    def on_epoch(epoch, net, history):
        net.layers = net.layers[:1]

    for callback in ({"on_step": on_step}, {"on_epoch": on_epoch}):
        net, psi, phi = training()
        sizes = net.sizes
        with pytest.raises(ValueError, match=r"^network: got sizes .* amid the training, wanted"):
            train(net, psi, phi, **callback)
        assert net.sizes == sizes or callback.keys() == {"on_epoch"}


def test_an_interrupt_from_on_step_leaves_whole_steps():
    net, psi, phi = training()
    calls = iter([None] * 3)

    def on_step(layers):
        if next(calls, interrupt) is not None:
            interrupt()

    history = train(net, psi, phi, on_step=on_step)
    assert len(history.cost) == 3
    assert_consistent(net, history)


@pytest.mark.parametrize("batch_norm", [True, False, "hidden"])
def test_held_lengths(batch_norm):
    """Every step is that of SGD, and then each W_i has its first length again."""
    net, psi, phi = training(batch_norm)
    lengths = [np.linalg.norm(layer.W, axis=1) for layer in net.layers]
    batch = next(network.batches(22, 4, np.random.default_rng(7)))
    _, gradients = network.cost_and_gradients(net, psi[batch], phi[batch])
    stepped = [layer.W - 0.3 * g.W for layer, g in zip(net.layers, gradients, strict=True)]
    hold = network.hold_lengths(net)
    after = []
    train(net, psi, phi, on_step=lambda layers: after.append(layers) or hold(layers))
    for W, layer, length in zip(stepped, after[0], lengths, strict=True):
        wanted = W * (length / np.linalg.norm(W, axis=1))[:, np.newaxis]
        assert_close(layer.W, wanted, 1e-13)
    for layers in after:
        for layer, length in zip(layers, lengths, strict=True):
            assert_close(np.linalg.norm(layer.W, axis=1), length, 1e-14)


def test_lengths_that_cannot_be_held_are_refused():
    net, psi, phi = training(False)
    hold = network.hold_lengths(net)
    other = network.create(
        [psi.shape[1], 1, phi.shape[1]], batch_norm=False, activation="tanh", rng=0
    )
    with pytest.raises(ValueError, match=r"^on_step: got layers of \[1, .*wanted \["):
        train(other, psi, phi, on_step=hold)
    for wrong in (0.0, 1e-170, 1e200):
        net.layers[0].W[0] = wrong
        with pytest.raises(ValueError, match=r"^network: got a ‖W_i‖ that is 0 or overflows"):
            network.hold_lengths(net)


def interrupt(*_):
    raise KeyboardInterrupt


WARNED = np.geterr()


def assert_consistent(net, history):
    assert history.interrupted
    assert np.geterr() == WARNED, "numpy's warnings are off after an interrupt"
    assert_after(weights(net), len(history.cost))


def test_interrupt_from_on_epoch():
    net, psi, phi = training()

    def on_epoch(epoch, *_):
        if epoch == 1:
            raise KeyboardInterrupt

    history = train(net, psi, phi, on_epoch=on_epoch)
    assert len(history.cost) == 10
    assert_consistent(net, history)


@pytest.mark.parametrize("epochs", [0, 1, 2])
def test_interrupt_from_progress(epochs):
    net, psi, phi = training()

    def progress(wrapped):
        for epoch in wrapped:
            if epoch == epochs:
                raise KeyboardInterrupt
            yield epoch

    history = train(net, psi, phi, progress=progress)
    assert len(history.cost) == 5 * epochs
    assert_consistent(net, history)


def train_interrupted_at(opcode):
    """Train, with an interrupt before the given bytecode of train and its helpers."""
    net, psi, phi = training()
    executed, reached = 0, False

    def trace(frame, event, _):
        nonlocal executed, reached
        if not frame.f_code.co_filename.endswith(("network.py", "batchnorm.py", "baseline.py")):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            executed += 1
            # Only inside the loop: before it nothing has changed, after it nothing is lost.
            if executed == opcode:
                reached = True
                raise KeyboardInterrupt
        return trace

    def first_epoch(epochs):
        for epoch in epochs:
            if epoch == 1:
                sys.settrace(None)
            yield epoch

    previous = sys.gettrace()

    def begin(epochs):
        # From the first line of the loop on.
        frame = sys._getframe(1)
        frame.f_trace, frame.f_trace_opcodes = trace, True
        sys.settrace(trace)
        return first_epoch(epochs)

    try:
        history = train(net, psi, phi, progress=begin, epochs=2)
    finally:
        sys.settrace(previous)
    return net, history, reached


def test_interrupt_at_any_bytecode():
    """The history has as many entries as steps were taken, wherever the interrupt came."""
    rng, lengths = np.random.default_rng(0), set()
    # The last step of the epoch, bytecode by bytecode, and a sample of all others.
    _, _, reached = train_interrupted_at(10**9)
    assert not reached
    for opcode in sorted(rng.choice(6000, 250, replace=False)):
        net, history, reached = train_interrupted_at(int(opcode) + 1)
        if reached:
            assert_consistent(net, history)
            lengths.add(len(history.cost))
        else:
            assert len(history.cost) == 10
    assert lengths >= {0, 1, 2, 3, 4}


def test_interrupt_around_the_step():
    """Every single bytecode of `train` itself, through one epoch."""
    for opcode in range(1, 400):
        net, psi, phi = training()
        executed, reached = 0, False

        def trace(frame, event, _, opcode=opcode):
            nonlocal executed, reached
            if event == "opcode":
                executed += 1
                if executed == opcode:
                    reached = True
                    raise KeyboardInterrupt
            return trace

        def begin(epochs, trace=trace):
            frame = sys._getframe(1)
            frame.f_trace, frame.f_trace_opcodes = trace, True
            sys.settrace(lambda *_: None)
            return epochs

        previous = sys.gettrace()
        try:
            history = train(net, psi, phi, progress=begin, epochs=1)
        except KeyboardInterrupt:
            # Between the last step and the return, where nothing can be lost.
            assert_after(weights(net), 5)
            continue
        finally:
            sys.settrace(previous)
        if not reached:
            break
        if history.interrupted:
            assert_consistent(net, history)
    assert opcode > 50
    assert len(history.cost) == 5


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX timers")
def test_a_real_signal():
    """Ctrl-C, as a signal, at times of the clock's own choosing."""
    previous = signal.signal(signal.SIGVTALRM, interrupt)
    try:
        for microseconds in (500, 1500, 3000, 4500, 7000):
            net, psi, phi = training()

            def begin(epochs, microseconds=microseconds):
                signal.setitimer(signal.ITIMER_VIRTUAL, microseconds * 1e-6)
                return epochs

            history = train(net, psi, phi, progress=begin, epochs=10_000)
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            assert_consistent(net, history)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, previous)


def test_a_constant_feature_names_step_layer_and_neuron():
    net, psi, phi = training()
    net.layers[0].W[3] = 0
    with pytest.raises(
        network.TrainingStopped, match=r"^step 0, layer 1, neuron 3: x: column 3 is constant"
    ) as stopped:
        train(net, psi, phi)
    assert stopped.value.history.cost == []


def test_a_feature_that_becomes_constant():
    """The network is as after its last complete step, and the history says how many."""
    net, psi, phi = training()
    # A batch of equal samples: constant in the first layer. W u rounds, and must not hide it.
    psi[1:] = psi[0]
    batches = list(network.batches(22, 4, np.random.default_rng(7)))
    step = next(k for k, batch in enumerate(batches) if 0 not in batch)
    with pytest.raises(network.TrainingStopped, match=rf"^step {step}, layer 1") as stopped:
        train(net, psi, phi)
    assert len(stopped.value.history.cost) == step


def test_equal_samples_are_a_constant_feature():
    """x = W u of equal rows may differ in the last digit; it is constant all the same."""
    rng = np.random.default_rng(0)
    for _ in range(300):
        n_prev, n, M_B = rng.integers(1, 100), rng.integers(1, 12), rng.integers(2, 40)
        net = network.create([n_prev, n], batch_norm=True, activation="relu", rng=rng)
        psi = np.repeat(rng.normal(size=(1, n_prev)), M_B, axis=0)
        with pytest.raises(ValueError, match=r"^layer 1, neuron \d+: x: column \d+ is constant"):
            network.predict(net, psi)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("learning_rate", [1e3, 1e100, 1e300])
def test_a_diverging_training_stops_or_stays_finite(learning_rate, batch_norm):
    net, psi, phi = problem([3, 5, 2], 20, batch_norm=batch_norm, activation="relu", eps=1e-3)
    try:
        history = train(net, psi, phi, learning_rate=learning_rate, epochs=40)
    except network.TrainingStopped as stopped:
        assert str(stopped).startswith(f"step {len(stopped.history.cost)}")
        assert np.isfinite(stopped.history.cost).all()
    else:
        assert np.isfinite(history.cost).all()
        assert all(np.isfinite(array).all() for array in weights(net))


def test_a_cost_that_overflows_is_named():
    net, psi, phi = problem([3, 5, 5, 2], 20, batch_norm=False, activation="relu")
    with pytest.raises(
        network.TrainingStopped, match=r"^step \d+: .*wanted a smaller learning_rate"
    ):
        train(net, psi, phi, learning_rate=1e300, epochs=40)


@pytest.mark.parametrize(
    "batch_norm, kind",
    [
        (True, "batch normalization"),
        (False, "baseline"),
        ("hidden", "batch normalization in 1 of 2 layers"),
    ],
)
def test_a_network_says_what_it_is(batch_norm, kind):
    net = network.create([3, 4, 1], batch_norm=batch_norm, activation="tanh", rng=0)
    assert repr(net) == f"Network([3, 4, 1], {kind}, tanh)"
    assert repr(network.Network([], net.activation)) == "Network without layers"


@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_weight_that_overflows_in_the_last_step_is_told_with_its_step(batch_norm):
    rng = np.random.default_rng(0)
    net = network.create([3, 1], batch_norm=batch_norm, activation="tanh", rng=0)
    psi, phi = rng.normal(size=(8, 3)), np.array([[0.0], [1.0]] * 4)
    options = {"batch_size": 8, "epochs": 1, "rng": 0}
    with pytest.raises(network.TrainingStopped, match=r"^step 0: a weight overflows; wanted") as e:
        network.train(net, psi, phi, learning_rate=1e308, weight_decay=1e308, **options)
    assert len(e.value.history.cost) == 1


def test_gradients_that_overflow_are_told():
    net = network.create([2, 2, 1], batch_norm=False, activation="identity", rng=0)
    net.layers[0].W *= 1e200
    net.layers[1].W *= 1e200
    says = "^psi: the result overflows; wanted smaller inputs, or a network of smaller weights$"
    with pytest.raises(ValueError, match=says):
        network.cost_and_gradients(net, [[1.0, 2.0]], [[1.0]])


def test_statistics_of_another_kind_are_named():
    net = network.create([2, 3, 1], batch_norm=True, activation="tanh", rng=0)
    psi = np.random.default_rng(0).normal(size=(6, 2))
    right = network.population_statistics(net, psi)
    for wrong, says in (
        (3, "statistics: got 3, wanted what population_statistics returns"),
        ([right[0], 5], r"statistics\[1\]: got 5, wanted a pair of mean and std"),
        (
            [right[1], right[1]],
            r"statistics\[0\].*: got shape \(1,\), .* with n = 3 .* the network",
        ),
    ):
        with pytest.raises(ValueError, match=f"^{says}"):
            network.predict(net, psi, wrong)
    plain = network.create([2, 3, 1], batch_norm=False, activation="tanh", rng=0)
    says = r"^statistics\[0\]: got Statistics\(.*, wanted None for a layer without batch norm"
    with pytest.raises(ValueError, match=says):
        network.predict(plain, psi, right)
    with pytest.raises(ValueError, match=r"^statistics\[1\]: got None, wanted a pair of mean and"):
        network.predict(net, psi, [right[0], None])


def attributes(**changes):
    """A small network with attributes replaced; `layer` those of its second layer."""
    net, psi, phi = problem([3, 4, 2], 5, batch_norm=True, activation="tanh")
    for name, value in changes.pop("layer", {}).items():
        setattr(net.layers[1], name, value)
    for name, value in changes.items():
        setattr(net, name, value)
    return net, psi, phi


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"layers": 3}, "network.layers: got 3, wanted a list"),
        ({"layers": []}, "network.layers: got no layer, wanted at least one"),
        ({"activation": 3}, "network.activation: got 3, wanted an Activation"),
        ({"layers": [3]}, "network.layers[0]: got 3, wanted a Dense or a BatchNorm"),
        ({"layer": {"beta": 3}}, "network.layers[1].beta: got 3, wanted an array"),
        (
            {"layer": {"gamma": np.ones(3)}},
            "network.layers[1].gamma: got shape (3,), wanted (n_2,) with n_2 = 2 on axis 0, "
            "as in network.layers[1].W",
        ),
        (
            {"layer": {"W": np.ones((2, 3))}},
            "network.layers[1].W: got shape (2, 3), wanted (n_2, n_1) with n_1 = 4 on axis 1, "
            "as in network.layers[0].W",
        ),
    ],
)
def test_what_is_wrong_with_a_network_is_said(changes, said):
    net, psi, phi = attributes(**changes)
    for call in (
        lambda: network.feed_forward(net, psi),
        lambda: network.cost_and_gradients(net, psi, phi),
        lambda: network.population_statistics(net, psi),
        lambda: network.train(net, psi, phi, learning_rate=1, batch_size=5, epochs=1, rng=0),
    ):
        with pytest.raises(ValueError) as error:
            call()
        assert str(error.value) == said


def test_what_is_no_network_is_refused():
    with pytest.raises(ValueError, match=r"^network: got 3, wanted what network.create returns$"):
        network.feed_forward(3, np.ones((2, 3)))


def test_inputs_labels_and_statistics_have_the_sizes_of_the_network():
    net, psi, phi = attributes()
    with pytest.raises(ValueError, match=r"^psi: .* n_0 = 3 on axis 1, as in the network$"):
        network.feed_forward(net, psi[:, :2])
    with pytest.raises(ValueError, match=r"^phi: .* n_L = 2 on axis 1, as in the network$"):
        network.cost_and_gradients(net, psi, phi[:, :1])
    with pytest.raises(ValueError, match=r"^phi: .* M_B = 5 on axis 0, as in psi$"):
        network.cost_and_gradients(net, psi, phi[:4])
    (mean, std), last = network.population_statistics(net, psi)
    for k, pair in enumerate(((mean[1:], std), (mean, std[1:]))):
        says = rf"^statistics\[0\].{('mean', 'std')[k]}: .* n = 4 on axis 0, as in the network$"
        with pytest.raises(ValueError, match=says):
            network.predict(net, psi, [pair, last])


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        (3, "sizes: got 3, wanted a list of integers"),
        ([3], "sizes: got [3], wanted an input and at least one layer"),
        ([10**6, 10**6], "sizes: got [1000000, 1000000], 1e+12 weights; wanted at most 1e+09"),
    ],
)
def test_sizes_that_cannot_be_are_named(sizes, said):
    with pytest.raises(ValueError) as error:
        network.create(sizes, batch_norm=True, activation="relu", rng=0)
    assert str(error.value) == said


@pytest.mark.parametrize("wrong", [1, 0, None, "all", "", [], np.array([True, False])])
def test_a_layout_is_true_false_or_hidden(wrong):
    with pytest.raises(ValueError, match=r"^batch_norm: got .*, wanted True, False or 'hidden'$"):
        network.create([3, 2], batch_norm=wrong, activation="relu", rng=0)


def test_progress_must_return_what_can_be_gone_through():
    net, psi, phi = attributes()
    options = {"learning_rate": 1, "batch_size": 5, "epochs": 1, "rng": 0}
    says = r"^progress: got a function that returns 3, wanted one that returns an iterable$"
    with pytest.raises(ValueError, match=says):
        network.train(net, psi, phi, **options, progress=lambda epochs: 3)


def test_a_batch_larger_than_the_samples_is_refused():
    assert [len(batch) for batch in network.batches(4, 4, 0)] == [4]
    with pytest.raises(ValueError, match=r"^batch_size: got 5, wanted at most the 4 samples$"):
        next(network.batches(4, 5, 0))


def test_sizes_may_be_a_row_of_an_array_and_no_table():
    net = network.create(np.array([3, 4, 1]), batch_norm=True, activation="relu", rng=0)
    assert net.sizes == [3, 4, 1]
    with pytest.raises(ValueError, match=r"^sizes: got array\(\[\[3, 4\]\]\), wanted a list"):
        network.create(np.array([[3, 4]]), batch_norm=True, activation="relu", rng=0)


def test_the_largest_network(monkeypatch):
    monkeypatch.setattr(network, "MOST_WEIGHTS", 12)
    assert network.create([3, 4], batch_norm=True, activation="relu", rng=0).sizes == [3, 4]
    with pytest.raises(ValueError, match="wanted at most"):
        network.create([13, 1], batch_norm=True, activation="relu", rng=0)


def test_a_step_holds_what_its_layer_saw():
    net, psi, _ = problem([3, 4, 2], 5, batch_norm=True, activation="tanh")
    first, second = network.feed_forward(net, psi)
    assert_close(first.u_prev, psi, 0)
    assert_close(second.u_prev, first.u, 0)


def test_a_feature_that_varies_as_its_rounding_is_constant():
    """x varies by 4e-16, and rounding alone moves W u by 9e-16."""
    net = network.create([1, 1], batch_norm=True, activation="relu", rng=0)
    net.layers[0].W[:] = 1
    psi = np.array([[4], [4], [4], [4 + 2.0**-50]])
    with pytest.raises(ValueError, match="up to rounding") as caught:
        network.feed_forward(net, psi)
    assert caught.value.neuron == 0
    psi[3] += 2.0**-48
    network.feed_forward(net, psi)


def test_gradients_that_overflow_where_the_cost_does_not():
    net = network.create([1, 1, 1], batch_norm=False, activation="tanh", rng=0)
    net.layers[0].W[:], net.layers[1].W[:] = 0, 1e200
    with pytest.raises(ValueError, match=r"^psi: the result overflows"):
        network.cost_and_gradients(net, [[1e200]], [[1.0]])


def test_complex_weights_are_for_the_complex_step_and_not_for_training():
    net, psi, phi = training()
    real = network.population_statistics(net, psi)
    for layer in net.layers:
        layer.W = layer.W.astype(complex)
    for ours, theirs in zip(network.population_statistics(net, psi), real, strict=True):
        assert_close(ours[0].real, theirs[0], 1e-12)
    with pytest.raises(ValueError, match=r"^network.layers\[0\].W: got complex numbers"):
        train(net, psi, phi)


def test_complex_weights_from_on_epoch_are_refused():
    net, psi, phi = training()

    def on_epoch(epoch, net, history):
        net.layers[1].W = net.layers[1].W.astype(complex)

    with pytest.raises(ValueError, match=r"network.layers\[1\].W: got complex numbers"):
        train(net, psi, phi, on_epoch=on_epoch)
