"""What the explorers of chapter 2 show."""

import functools

import driving
import numpy as np
import pytest

from bnnotes import baseline, digits, network
from bnnotes.check import complex_step
from bnnotes.pictures import batchnorm as pictures

trained, load = functools.cache(digits.trained), functools.cache(digits.load)


def normalized(x, eps=0.0):
    """x̂ once more, so that nothing is shared with the package."""
    return (x - x.mean(axis=0)) / np.sqrt(((x - x.mean(axis=0)) ** 2).mean(axis=0) + eps)


def close(a, b, tolerance=1e-10):
    np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


def check_normalization(result, values):
    net = trained("ten", batch_norm=True, epochs=1)
    x = load("ten").psi[:64] @ net.layers[0].W[16]
    M_B, eps = values["M_B"], values["eps"]
    close(result.x, x[:M_B])
    if M_B == 1 and eps == 0:
        assert len(result.x_hat) == len(result.y) == 0
        return
    close(result.x_hat, normalized(x[:M_B], eps))
    close(result.y, values["gamma"] * result.x_hat + values["beta"])


def test_normalization_at_the_ends():
    explorer = pictures.Normalization()
    explorer.set(M_B=1)
    assert "no x̂" in explorer.readout
    explorer.set(eps=0.1, beta=-0.5)
    assert "y = β = −0.50" in explorer.readout
    explorer.set(M_B=2, eps=0.0)
    close(np.sort(explorer.result.x_hat), [-1, 1])
    assert "x̂ = −1.00 and 1.00, whatever" in explorer.readout
    explorer.set(eps=1.0)
    assert np.abs(explorer.result.x_hat).max() < 1 and "by ε" in explorer.readout


def check_kernel(result, values):
    M_B, eps = values["M_B"], values["eps"]
    if M_B == 1 and eps == 0:
        assert result.kernel.shape == (0, 0)
        return
    x = np.sort(pictures.layer_input(values["neuron"])[:M_B])
    s = np.sqrt(x.var() + eps)
    close(result.kernel, s * complex_step(lambda v, eps=eps: normalized(v, eps), x))
    close(result.x_hat, normalized(x, eps))
    where = {0.0: 0, 1.0: M_B - 1}.get(values["pushed"])
    assert where is None or result.pushed == where


def test_kernel_at_the_ends():
    explorer = pictures.Kernel()
    explorer.set(M_B=1)
    assert "no kernel" in explorer.readout
    explorer.set(eps=0.1)
    assert "the kernel is 0" in explorer.readout and (explorer.result.kernel == 0).all()
    for neuron in range(32):
        explorer.set(M_B=2, eps=0.0, neuron=neuron)
        assert np.abs(explorer.result.kernel).max() < 1e-14
        assert "every entry is 0" in explorer.readout
    explorer.set(eps=0.1)
    assert np.abs(explorer.result.kernel).max() > 0.1
    explorer.set(M_B=3, eps=0.0)
    assert np.linalg.matrix_rank(explorer.result.kernel, tol=1e-9) == 1


def true_error(M_B, digit, epochs):
    """M_B·∂C/∂y at one output from the cost alone, and x̂ there, in the order of the samples."""
    net, data = trained("ten", batch_norm=True, epochs=epochs), load("ten")
    y = network.feed_forward(net, data.psi[:M_B])[-1].y
    phi = data.phi[:M_B]

    def cost(column):
        moved = y.astype(complex)
        moved[:, digit] = column
        return baseline.cross_entropy_from_logits(moved, phi)

    x_hat = (y[:, digit] - net.layers[-1].beta[digit]) / net.layers[-1].gamma[digit]
    return M_B * complex_step(cost, y[:, digit]), x_hat


def check_split(result, values):
    if values["M_B"] == 1:
        assert all(len(part) == 0 for part in result[:4])
        return
    close(result.mean + result.along_x_hat + result.mixed, result.error)
    parts = np.stack([result.mean, result.along_x_hat, result.mixed])
    total = result.error @ result.error
    close(parts @ parts.T / total, np.diag(result.shares))
    assert result.shares.sum() == pytest.approx(1)
    assert np.ptp(result.mean) == 0


@pytest.mark.parametrize(("M_B", "digit", "epochs"), [(2, 0, 1), (3, 6, 0), (16, 4, 2), (64, 9, 1)])
def test_split_shows_the_error_and_x_hat_of_the_network(M_B, digit, epochs):
    result = pictures.Split().compute(M_B, digit, epochs)
    error, x_hat = true_error(M_B, digit, epochs)
    order = np.argsort(x_hat)
    close(result.error, error[order])
    close(result.along_x_hat, (error @ x_hat) / M_B * x_hat[order])


def test_split_at_the_ends():
    explorer = pictures.Split()
    explorer.set(M_B=1)
    assert "no error" in explorer.readout
    for digit in range(10):
        explorer.set(M_B=2, digit=digit)
        assert np.abs(explorer.result.mixed).max() < 1e-12
        assert explorer.readout.endswith("0% is passed below: nothing is left to learn below")


def true_gradients(batch_norm, M_B, shift):
    """M_B·∂C/∂x at the output for the digit 4, from the cost alone, the first x shifted."""
    net = trained("ten", batch_norm=batch_norm, epochs=1)
    layer, data = net.layers[-1], load("ten")

    def x_of(samples):
        return network.feed_forward(net, data.psi[:samples])[-1].u_prev @ layer.W[4]

    def cost(x):
        y = layer.gamma[4] * normalized(x) + layer.beta[4] if batch_norm else x + layer.b[4]
        return baseline.cross_entropy_from_logits(y[:, np.newaxis], data.phi[:M_B, [4]])

    x = x_of(M_B)
    x[0] += shift * x_of(64).std()
    return M_B * complex_step(cost, x)


def check_moved(result, values):
    M_B, shift = values["M_B"], values["shift"]
    close(result.baseline, true_gradients(False, M_B, shift))
    np.testing.assert_array_equal(result.baseline[1:], result.baseline_before[1:])
    assert result.images.shape == (M_B, 8, 8)
    if M_B == 1:
        assert len(result.batch_norm) == len(result.batch_norm_before) == len(result.x) == 0
        return
    net, psi = trained("ten", batch_norm=True, epochs=1), load("ten").psi
    of = {n: network.feed_forward(net, psi[:n])[-1].u_prev @ net.layers[-1].W[4] for n in (M_B, 64)}
    close(result.x - np.eye(M_B)[0] * shift, (of[M_B] - of[64].mean()) / of[64].std())
    close(result.batch_norm, true_gradients(True, M_B, shift))
    others = result.batch_norm[1:] - result.batch_norm_before[1:]
    assert (np.abs(others) > 0).all() == (M_B > 2 and shift != 0)


def test_moved_sample_at_the_ends():
    explorer = pictures.MovedSample()
    assert "stands where the network puts it" in explorer.readout
    for shift in driving.positions(explorer.controls["shift"]):
        explorer.set(M_B=2, shift=shift)
        assert np.abs(explorer.result.batch_norm).max() < 1e-12
        assert "both gradients are 0 wherever x goes" in explorer.readout
        explorer.set(M_B=1)
        assert "no x̂" in explorer.readout


def check_class_mix(result, values):
    net, data = trained("odd", batch_norm=True, epochs=1), load("odd")
    statistics = network.population_statistics(net, data.psi)
    labels = data.phi_test[:, 0]
    even, odd = data.psi_test[labels == 0], data.psi_test[labels == 1]
    M_B = values["M_B"]
    count = round(values["share"] * M_B)
    psi = np.concatenate([even[: M_B - count], odd[:count]])
    phi = np.concatenate([np.zeros(M_B - count), np.ones(count)])
    assert result.odd.sum() == count
    # One sample at a time: a prediction by the training data needs no batch.
    alone = np.concatenate([network.predict(net, psi[[s]], statistics) for s in range(M_B)])
    close(1 / (1 + np.exp(-result.population)), alone[:, 0])
    assert result.right_population == ((alone[:, 0] > 0.5) == phi).mean()
    if M_B == 1:
        assert len(result.own) == 0
        return
    own = network.predict(net, psi)
    close(1 / (1 + np.exp(-result.own)), own[:, 0])
    assert result.right_own == digits.accuracy(own, phi[:, np.newaxis])
    close(result.own.mean(), net.layers[-1].beta[0])


def test_class_mix_at_the_ends():
    explorer = pictures.ClassMix()
    explorer.set(M_B=1)
    assert "gives no x̂" in explorer.readout
    explorer.set(M_B=2, share=1.0)
    assert explorer.result.right_own == 0.5
    explorer.set(M_B=32, share=1.0)
    assert explorer.result.right_own < 0.6 < 0.9 < explorer.result.right_population


CHECKS = {
    "Normalization": check_normalization,
    "Kernel": check_kernel,
    "Split": check_split,
    "MovedSample": check_moved,
    "ClassMix": check_class_mix,
}
