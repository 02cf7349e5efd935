"""What is timed: for each row of the table the candidates, checked against each other first."""

import time
import tracemalloc

import numpy as np
import peers
import torch

from bnnotes import batchnorm, network, sample_space
from bnnotes.checked import unchecked
from bnnotes.pictures import training as pictures

REPEATED = 20
PEERS = (peers.Torch, peers.Jax, peers.Autograd)


def check(name, ours, theirs):
    """Raise unless two results agree to rounding."""
    for a, b in zip(ours, theirs, strict=True):
        if not np.abs(a - np.asarray(b)).max() <= 1e-10 * max(1.0, np.abs(a).max()):
            raise SystemExit(f"{name}: its gradients are not ours")


def steps(sizes, batch_norm, M_B, batches):
    """Return the candidates of a training: an epoch of so many batches."""
    rng, samples = np.random.default_rng(0), M_B * batches
    psi = rng.normal(size=(samples, sizes[0]))
    phi = (rng.random((samples, sizes[-1])) < 0.5).astype(float)
    net = network.create(sizes, batch_norm=batch_norm, activation="relu", rng=1)
    first = psi[:M_B], phi[:M_B]
    gradients = network.cost_and_gradients(net, *first)[1]
    ours = [array for layer in gradients for array in vars(layer).values()]
    options = {"learning_rate": peers.LEARNING_RATE, "batch_size": M_B, "epochs": 1, "rng": 0}
    found = {"ours": lambda: network.train(net, psi, phi, **options)}
    for Peer in PEERS:
        peer = Peer(net, psi, phi)
        check(peer.name, ours, peer.gradients(*first))

        def train(peer=peer):
            peer.train(list(network.batches(samples, M_B, np.random.default_rng(0))))

        found[peer.name] = train
    return found


def few_samples(sizes, few, M_B, batches=20):
    """Return trainings with BN, ours and PyTorch's, by batches of M_B samples and of few."""
    many, small = (steps(sizes, True, size, batches) for size in (M_B, few))
    names = "ours", "PyTorch"
    return {name: many[name] for name in names} | {f"{name}, few": small[name] for name in names}


def backward(M_B, n):
    """Return the candidates of BN's backward pass; PyTorch's is its native kernel."""
    rng = np.random.default_rng(0)
    x, delta = rng.normal(size=(M_B, n)), rng.normal(size=(M_B, n))
    gamma, beta = rng.uniform(0.5, 2.0, n), np.zeros(n)
    normalized = batchnorm.forward(x, gamma, beta)[1]
    arrays = delta, x, gamma, normalized.mean, 1 / normalized.std
    D, X, G, mean, inverse = (torch.from_numpy(array) for array in arrays)
    native, wanted = torch.ops.aten.native_batch_norm_backward, [True] * 3
    found = {
        # As in a training, which checks its input once; and as a call by itself.
        "ours": lambda: unchecked(batchnorm.backward, delta, normalized, gamma),
        "checked": lambda: batchnorm.backward(delta, normalized, gamma),
        "PyTorch": lambda: native(D, X, G, None, None, mean, inverse, True, peers.TINY, wanted),
    }
    jitted = peers.jax.jit(lambda p, x, d: peers.jax.vjp(peers.jax_norm, p, x)[1](d))
    on_jax = [peers.jnp.asarray(array) for array in (x, delta)]
    p = peers.jnp.asarray(gamma), peers.jnp.asarray(beta)
    found["jax"] = lambda: peers.jax.block_until_ready(jitted(p, *on_jax))
    pull = peers.autograd.make_vjp(lambda p: peers.autograd_norm(p[:2], p[2]))
    if M_B * n < 1e5:
        by_autograd = pull((gamma, beta, x))[0]
        found["autograd"] = lambda: by_autograd(delta)
        check("autograd", found["ours"](), [by_autograd(delta)[k] for k in (2, 0, 1)])
    check("PyTorch", found["ours"](), found["PyTorch"]())
    (by_gamma, by_beta), by_x = found["jax"]()
    check("jax", found["ours"](), (by_x, by_gamma, by_beta))
    return found


def repeated(candidates):
    """Return candidates that do their work REPEATED times: for work of microseconds."""

    def many(candidate):
        return lambda: [candidate() for _ in range(REPEATED)]

    return {name: many(candidate) for name, candidate in candidates.items()}


def triad(entries=2**22):
    """Return a = b + 2 c on arrays of 32 MiB in parts that fit the cache: three streams."""
    a, b, c = (np.ones(entries) for _ in range(3))
    part, scratch = 2**14, np.empty(2**14)

    def run():
        for first in range(0, entries, part):
            few = slice(first, first + part)
            np.multiply(c[few], 2.0, out=scratch)
            np.add(b[few], scratch, out=a[few])

    return run


def mix_against_matrix(M_B=16384):
    """Return time and memory of the dense matrix ÷ those of `mix`, and the growth of `mix`.

    The matrix is formed beforehand: its time is that of the product alone, its memory its own.
    """
    rng = np.random.default_rng(0)

    def inputs(M_B):
        return batchnorm.normalize(rng.normal(size=(M_B, 1))).x_hat, rng.normal(size=(M_B, 1))

    def measure(f, rounds):
        best = []
        for _ in range(rounds):
            start = time.perf_counter()
            f()
            best.append(time.perf_counter() - start)
        tracemalloc.start()
        f()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return min(best), peak

    x_hat, v = inputs(M_B)
    ours = measure(lambda: sample_space.mix(x_hat, v), 200)
    matrix = sample_space.mixing_matrix(x_hat[:, 0])
    dense = measure(lambda: matrix @ v, 5)[0], matrix.nbytes
    counts, seconds = (10**3, 10**4, 10**5, 10**6), []
    for count in counts:
        pair = inputs(count)
        seconds.append(measure(lambda pair=pair: sample_space.mix(*pair), 20)[0])
    exponent = np.polyfit(np.log(counts), np.log(seconds), 1)[0]
    return dense[0] / ours[0], dense[1] / ours[1], exponent


def cost_of_accuracy(sizes, M_B, batches=20):
    """Return a training with the mean subtracted twice, ours, and one with it subtracted once."""
    ours = steps(sizes, True, M_B, batches)["ours"]
    twice = sample_space.mean_and_rest
    if network.mean_and_rest is not twice:
        raise SystemExit("a training subtracts the mean elsewhere than in mean_and_rest")

    def once(v):
        mean = sample_space.sample_mean(v)
        return mean, v - mean

    def less_exact():
        sample_space.mean_and_rest = network.mean_and_rest = once
        try:
            ours()
        finally:
            sample_space.mean_and_rest = network.mean_and_rest = twice

    return {"ours": ours, "once": less_exact}


def live(M_B=256):
    """Return a fresh move of the live explorer, picture included, and its steps in PyTorch.

    Both in float32. PyTorch draws nothing and predicts nothing.
    """
    explorer = pictures.NetworksInTraining()
    explorer.set(M_B=M_B)
    data, turn = pictures.plane(), [0]

    def ours():
        explorer.forget()
        pictures.draws.cache_clear()
        pictures.train_side.cache_clear()
        turn[0] = 1 - turn[0]
        explorer.set(seed=turn[0])

    def theirs():
        pictures.draws.cache_clear()
        draws = pictures.draws(M_B, 1)
        for batch_norm in (False, True):
            sizes = [2, pictures.WIDTH, pictures.WIDTH, 1]
            net = network.create(sizes, batch_norm=batch_norm, activation="relu", rng=1)
            peers.Torch(net, data.psi, data.phi).train(draws)

    require_work(explorer, ours)
    return {"ours": ours, "PyTorch": theirs}


def require_work(explorer, move):
    """Raise unless a move trains both, and encodes a picture, also where the slider was before."""
    done, computing, encoding = [], explorer.compute, explorer.png
    explorer.compute = lambda **values: done.append("compute") or computing(**values)
    explorer.png = lambda: done.append("png") or encoding()
    for _ in range(4):
        move()
        done += pictures.train_side.cache_info().misses * ["training"]
    explorer.compute, explorer.png = computing, encoding
    if done != 4 * ["compute", "png", "training", "training"]:
        raise SystemExit(f"four moves of the live explorer did no more than {done}")
