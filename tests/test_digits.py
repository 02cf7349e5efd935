"""The handwritten digits: what is loaded, how it is split, and the network trained on them."""

import numpy as np
import pytest

from bnnotes import digits, network


def load_digits(**options):
    from sklearn import datasets  # a second and more: one worker needs it

    return datasets.load_digits(**options)


def test_the_stored_digits_are_those_of_scikit_learn_in_their_order():
    for stored, wanted in zip(digits._shipped(), load_digits(return_X_y=True), strict=True):
        np.testing.assert_array_equal(stored, wanted)


def test_every_digit_is_there_once_in_training_or_held_out():
    pixels, _ = load_digits(return_X_y=True)
    data = digits.load("ten")
    assert len(data.psi) == len(data.phi) == 1400
    assert len(data.psi_test) == len(data.phi_test) == 397
    ours = np.concatenate([data.psi, data.psi_test]) * 16
    assert sorted(map(tuple, ours)) == sorted(map(tuple, pixels))


@pytest.mark.parametrize("labels", ["odd", "ten"])
def test_labels_stay_with_their_images(labels):
    pixels, digit = load_digits(return_X_y=True)
    data = digits.load(labels, seed=3)
    # All images of the set differ, so an image names its digit.
    by_image = {tuple(image): number for image, number in zip(pixels, digit, strict=True)}
    assert len(by_image) == len(digit)
    for psi, phi in ((data.psi, data.phi), (data.psi_test, data.phi_test)):
        numbers = np.array([by_image[tuple(image)] for image in 16 * psi])
        if labels == "odd":
            assert phi.shape == (len(psi), 1)
            np.testing.assert_array_equal(phi[:, 0], numbers % 2)
        else:
            assert phi.shape == (len(psi), 10)
            np.testing.assert_array_equal(phi.sum(axis=1), 1)
            np.testing.assert_array_equal(phi.argmax(axis=1), numbers)


def test_pixels_lie_between_0_and_1():
    psi = digits.load().psi
    assert psi.min() == 0 and psi.max() == 1


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_dtype_is_kept(dtype):
    assert all(part.dtype == dtype for part in digits.load("ten", dtype=dtype))


def test_the_seed_decides_the_split():
    first, again, other = digits.load(seed=1), digits.load(seed=1), digits.load(seed=2)
    np.testing.assert_array_equal(first.psi_test, again.psi_test)
    assert not np.array_equal(first.psi_test, other.psi_test)


def test_what_cannot_be_loaded_is_refused():
    with pytest.raises(ValueError, match="labels: got 'even', wanted 'odd' or 'ten'"):
        digits.load("even")
    with pytest.raises(ValueError, match="samples_test: got 1797, wanted fewer than the 1797"):
        digits.load(samples_test=1797)
    with pytest.raises(ValueError, match="samples_test: got -1"):
        digits.load(samples_test=-1)


def test_accuracy_of_one_output_asks_on_which_side_of_a_half_it_is():
    u = np.array([[0.1], [0.6], [0.7], [0.4]])
    phi = np.array([[0.0], [1.0], [0.0], [0.0]])
    assert digits.accuracy(u, phi) == 0.75


def test_a_half_is_the_half():
    assert digits.accuracy([[0.45], [0.55]], [[0.0], [1.0]]) == 1.0


def test_each_epoch_has_a_shuffle_of_its_own():
    data, net = digits.load("odd"), digits.trained("odd", epochs=0)
    options = {"learning_rate": 0.3, "batch_size": 32, "epochs": 1}
    for epoch in (1, 2):
        network.train(net, data.psi, data.phi, rng=epoch, **options)
    np.testing.assert_array_equal(net.layers[0].W, digits.trained("odd", epochs=2).layers[0].W)


def test_accuracy_of_several_outputs_asks_for_the_largest():
    u = np.array([[0.1, 0.2, 0.05], [0.9, 0.95, 0.1]])
    phi = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    assert digits.accuracy(u, phi) == 0.5


@pytest.mark.parametrize("batch_norm", [False, True, "hidden"])
@pytest.mark.parametrize(("labels", "outputs"), [("odd", 1), ("ten", 10)])
def test_the_digits_network_reads_digits_it_has_not_seen(labels, outputs, batch_norm):
    net, data = digits.trained(labels, batch_norm=batch_norm), digits.load(labels)
    assert net.sizes == [64, 32, outputs]
    kinds = [isinstance(layer, network.BatchNorm) for layer in net.layers]
    assert kinds == [bool(batch_norm), batch_norm is True]
    statistics = network.population_statistics(net, data.psi)
    assert digits.accuracy(network.predict(net, data.psi_test, statistics), data.phi_test) > 0.92


def test_the_digits_network_is_the_same_whatever_was_asked_before():
    longer = digits.trained("odd", epochs=3)
    digits._stage.cache_clear()
    digits.trained("odd", epochs=1)
    again = digits.trained("odd", epochs=3)
    for layer, other in zip(longer.layers, again.layers, strict=True):
        np.testing.assert_array_equal(layer.W, other.W)
        np.testing.assert_array_equal(layer.b, other.b)
    assert not np.array_equal(longer.layers[0].W, digits.trained("odd", epochs=2).layers[0].W)


def test_the_digits_network_is_yours_to_change():
    mine = digits.trained("odd", epochs=1)
    mine.layers[0].W[:] = 0
    assert digits.trained("odd", epochs=1).layers[0].W.any()


def test_a_network_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="labels: got 'even'"):
        digits.trained("even")
    with pytest.raises(ValueError, match="batch_norm: got 1"):
        digits.trained(batch_norm=1)
    with pytest.raises(ValueError, match="epochs: got -1"):
        digits.trained(epochs=-1)
    with pytest.raises(ValueError, match="epochs: got 1001, wanted at most 1000"):
        digits.trained(epochs=1001)
