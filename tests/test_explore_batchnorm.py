"""The explorers of chapter 2, driven over all of their sliders."""

import driving
import numpy as np
import pytest

from bnnotes import baseline, digits, network
from bnnotes.check import complex_step
from bnnotes.explore import batchnorm as explore

FACTORIES = {
    "normalization": explore.normalization,
    "kernel": explore.kernel,
    "split": explore.split,
    "moved_sample": explore.moved_sample,
    "class_mix": explore.class_mix,
}
STATES = 200  # random ones, per explorer


@pytest.fixture(scope="module", params=FACTORIES)
def explorer(request):
    return FACTORIES[request.param]()


def results(name):
    """Yield explorer and values at every position of every slider, then at random ones.

    Without drawing, which is slow and which the tests above look at.
    """
    explorer = FACTORIES[name]()
    explorer.figure.update, explorer.figure.png = lambda result: None, lambda: b""
    for _ in driving.sweep(explorer):
        yield explorer, explorer.values
    for values in driving.random_states(explorer, STATES, np.random.default_rng(0)):
        yield explorer, values


def normalized(x, eps=0.0):
    """x̂ once more, so that nothing is shared with the package."""
    return (x - x.mean(axis=0)) / np.sqrt(((x - x.mean(axis=0)) ** 2).mean(axis=0) + eps)


def close(a, b, tolerance=1e-10):
    np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


# Of every explorer.


def said_well(explorer):
    said = explorer.readout
    assert said.startswith("M_B = ") and "\n" not in said
    assert "nan" not in said and "inf" not in said and "e-" not in said
    assert explorer.name in explorer.image.tooltip and said in explorer.image.tooltip


def drawn_well(explorer):
    assert driving.cut_off(explorer) == [], explorer.values
    for axes in explorer.figure.figure.axes:
        box = axes.bbox.padded(8)  # half a marker
        for line in axes.lines:
            xy = line.get_xydata()[np.isfinite(line.get_xydata()).all(axis=1)]
            if line.get_clip_on() and line.get_visible() and len(xy):
                x, y = line.get_transform().transform(xy).T
                assert box.x0 <= x.min() and x.max() <= box.x1, explorer.values
                assert box.y0 <= y.min() and y.max() <= box.y1, explorer.values


def test_every_position_can_be_reached_and_read(explorer):
    for name, value in driving.sweep(explorer):
        assert explorer.values[name] == pytest.approx(value)
        said_well(explorer)
        if name == "M_B" or value in driving.positions(explorer.controls[name])[::5]:
            drawn_well(explorer)


def test_random_positions_can_be_reached_and_read(explorer):
    for k, _ in enumerate(driving.random_states(explorer, STATES, np.random.default_rng(1))):
        said_well(explorer)
        if k % 4 == 0:
            drawn_well(explorer)


def test_every_slider_changes_the_picture(explorer):
    explorer.reset()
    for name, control in explorer.controls.items():
        values, pictures = driving.positions(control)[:: 1 if name == "M_B" else 3], set()
        for value in values:
            explorer.set(**{name: value})
            pictures.add(bytes(explorer.image.value))
        explorer.reset()
        # Not all differ: an ε of 1e-5 is nothing to see.
        assert len(pictures) >= 2 and len(pictures) > len(values) / 2, name


def test_pictures_keep_no_trace_of_earlier_ones(explorer):
    for _ in driving.random_states(explorer, 12, np.random.default_rng(3)):
        live = explorer.figure.png()
        explorer.figure.redraw_background()
        assert explorer.figure.png() == live


def test_reset_brings_back_the_start(explorer):
    explorer.reset()
    values, picture = explorer.values, explorer.image.value
    for _ in driving.random_states(explorer, 3, np.random.default_rng(4)):
        pass
    explorer.set(M_B=2)
    assert explorer.image.value != picture
    explorer.reset()
    assert explorer.values == values and explorer.image.value == picture


def test_the_batch_size_comes_first_and_starts_at_1(explorer):
    name, control = next(iter(explorer.controls.items()))
    assert name == "M_B" and control.description == "batch size M_B"
    assert driving.positions(control)[:2] == [1, 2]


def test_compute_is_pure(explorer):
    explorer.reset()
    first = explorer.compute(**explorer.values)
    explorer.set(M_B=3)
    explorer.reset()
    for one, other in zip(first, explorer.compute(**explorer.values), strict=True):
        np.testing.assert_array_equal(one, other)


# What each of them shows.


def test_normalization_is_that_of_the_first_digits():
    net = digits.trained("ten", batch_norm=True, epochs=1)
    x = digits.load("ten").psi[:64] @ net.layers[0].W[16]
    for explorer, values in results("normalization"):
        M_B, eps = values["M_B"], values["eps"]
        result = explorer.result
        close(result.x, x[:M_B])
        if M_B == 1 and eps == 0:
            assert len(result.x_hat) == len(result.y) == 0
            continue
        close(result.x_hat, normalized(x[:M_B], eps))
        close(result.y, values["gamma"] * result.x_hat + values["beta"])


def test_normalization_at_the_ends():
    explorer = explore.normalization()
    explorer.set(M_B=1)
    assert "no x̂" in explorer.readout
    explorer.set(eps=0.1, beta=-0.5)
    assert "y = β = −0.50" in explorer.readout
    explorer.set(M_B=2, eps=0.0)
    close(np.sort(explorer.result.x_hat), [-1, 1])
    assert "x̂ = −1.00 and 1.00, whatever" in explorer.readout
    explorer.set(eps=1.0)
    assert np.abs(explorer.result.x_hat).max() < 1 and "by ε" in explorer.readout


def test_kernel_is_the_derivative_of_the_forward_pass():
    for explorer, values in results("kernel"):
        M_B, eps, result = values["M_B"], values["eps"], explorer.result
        if M_B == 1 and eps == 0:
            assert result.kernel.shape == (0, 0)
            continue
        x = np.sort(explore.layer_input(values["neuron"])[:M_B])
        s = np.sqrt(x.var() + eps)
        close(result.kernel, s * complex_step(lambda v, eps=eps: normalized(v, eps), x))
        close(result.x_hat, normalized(x, eps))
        where = {0.0: 0, 1.0: M_B - 1}.get(values["pushed"])
        assert where is None or result.pushed == where


def test_kernel_at_the_ends():
    explorer = explore.kernel()
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
    net, data = digits.trained("ten", batch_norm=True, epochs=epochs), digits.load("ten")
    y = network.feed_forward(net, data.psi[:M_B])[-1].y
    phi = data.phi[:M_B]

    def cost(column):
        moved = y.astype(complex)
        moved[:, digit] = column
        return baseline.cross_entropy_from_logits(moved, phi)

    x_hat = (y[:, digit] - net.layers[-1].beta[digit]) / net.layers[-1].gamma[digit]
    return M_B * complex_step(cost, y[:, digit]), x_hat


def test_split_adds_up_and_its_parts_are_orthogonal():
    for explorer, values in results("split"):
        result = explorer.result
        if values["M_B"] == 1:
            assert all(len(part) == 0 for part in result[:4])
            continue
        close(result.mean + result.along_x_hat + result.mixed, result.error)
        parts = np.stack([result.mean, result.along_x_hat, result.mixed])
        total = result.error @ result.error
        close(parts @ parts.T / total, np.diag(result.shares))
        assert result.shares.sum() == pytest.approx(1)
        assert np.ptp(result.mean) == 0


@pytest.mark.parametrize(("M_B", "digit", "epochs"), [(2, 0, 1), (3, 6, 0), (16, 4, 2), (64, 9, 1)])
def test_split_shows_the_error_and_x_hat_of_the_network(M_B, digit, epochs):
    result = explore.split().compute(M_B, digit, epochs)
    error, x_hat = true_error(M_B, digit, epochs)
    order = np.argsort(x_hat)
    close(result.error, error[order])
    close(result.along_x_hat, (error @ x_hat) / M_B * x_hat[order])


def test_split_at_the_ends():
    explorer = explore.split()
    explorer.set(M_B=1)
    assert "no error" in explorer.readout
    for digit in range(10):
        explorer.set(M_B=2, digit=digit)
        assert np.abs(explorer.result.mixed).max() < 1e-12
        assert explorer.readout.endswith("0% is passed below: nothing is left to learn below")


def true_gradients(batch_norm, M_B, shift):
    """M_B·∂C/∂x at the output for the digit 4, from the cost alone, the first x shifted."""
    net = digits.trained("ten", batch_norm=batch_norm, epochs=1)
    layer, data = net.layers[-1], digits.load("ten")

    def x_of(samples):
        return network.feed_forward(net, data.psi[:samples])[-1].u_prev @ layer.W[4]

    def cost(x):
        y = layer.gamma[4] * normalized(x) + layer.beta[4] if batch_norm else x + layer.b[4]
        return baseline.cross_entropy_from_logits(y[:, np.newaxis], data.phi[:M_B, [4]])

    x = x_of(M_B)
    x[0] += shift * x_of(64).std()
    return M_B * complex_step(cost, x)


def test_moved_sample_shows_the_gradients_of_the_cost():
    for explorer, values in results("moved_sample"):
        M_B, shift, result = values["M_B"], values["shift"], explorer.result
        close(result.baseline, true_gradients(False, M_B, shift))
        np.testing.assert_array_equal(result.baseline[1:], result.baseline_before[1:])
        assert result.images.shape == (M_B, 8, 8)
        if M_B == 1:
            assert len(result.batch_norm) == len(result.batch_norm_before) == 0
            continue
        close(result.batch_norm, true_gradients(True, M_B, shift))
        others = result.batch_norm[1:] - result.batch_norm_before[1:]
        assert (np.abs(others) > 0).all() == (M_B > 2 and shift != 0)


def test_moved_sample_at_the_ends():
    explorer = explore.moved_sample()
    assert "stands where the network puts it" in explorer.readout
    for shift in driving.positions(explorer.controls["shift"]):
        explorer.set(M_B=2, shift=shift)
        assert np.abs(explorer.result.batch_norm).max() < 1e-12
        assert "both gradients are 0 wherever x goes" in explorer.readout
        explorer.set(M_B=1)
        assert "no x̂" in explorer.readout


def test_class_mix_shows_the_predictions_of_the_network():
    net, data = digits.trained("odd", batch_norm=True, epochs=1), digits.load("odd")
    statistics = network.population_statistics(net, data.psi)
    labels = data.phi_test[:, 0]
    even, odd = data.psi_test[labels == 0], data.psi_test[labels == 1]
    for explorer, values in results("class_mix"):
        M_B, result = values["M_B"], explorer.result
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
            continue
        own = network.predict(net, psi)
        close(1 / (1 + np.exp(-result.own)), own[:, 0])
        assert result.right_own == digits.accuracy(own, phi[:, np.newaxis])
        close(result.own.mean(), net.layers[-1].beta[0])


def test_class_mix_at_the_ends():
    explorer = explore.class_mix()
    explorer.set(M_B=1)
    assert "gives no x̂" in explorer.readout
    explorer.set(M_B=2, share=1.0)
    assert explorer.result.right_own == 0.5
    explorer.set(M_B=32, share=1.0)
    assert explorer.result.right_own < 0.6 < 0.9 < explorer.result.right_population
