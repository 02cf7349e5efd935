"""What the explorers and pictures of chapter 1 show."""

import io

import numpy as np
import pytest
from PIL import Image

from bnnotes import digits, network
from bnnotes.pictures import baseline as pictures
from bnnotes.pictures import schematic


@pytest.fixture(scope="module")
def error():
    return pictures.OutputError()


@pytest.fixture(scope="module")
def noise():
    return pictures.Noise()


def check_texts_fit(explorer):
    """No text leaves the figure or covers another."""
    explorer.figure.canvas.draw()
    renderer = explorer._canvas.get_renderer()
    texts = [text for ax in explorer.figure.axes for text in ax.texts if text.get_text()]
    boxes = [text.get_window_extent(renderer) for text in texts]
    for box in boxes:
        assert explorer.figure.bbox.x0 <= box.x0 and box.x1 <= explorer.figure.bbox.x1
        assert explorer.figure.bbox.y0 <= box.y0 and box.y1 <= explorer.figure.bbox.y1
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])


# The error at the output


def cost(y, phi):
    """The cross-entropy from the logits, by another formula than the module's."""
    return float(np.mean(np.logaddexp(0, y) - phi * y))


def check_error(result, values):
    assert (result.M_B, result.logit, result.label) == tuple(values.values())
    y = np.append(result.logit, result.logits)
    phi = np.append(result.label, result.labels)
    assert len(y) == result.M_B
    assert result.cost == pytest.approx(cost(y, phi), abs=1e-13)
    h = 1e-4
    ahead, behind = (cost(np.append(result.logit + d, y[1:]), phi) for d in (h, -h))
    assert result.slope == pytest.approx((ahead - behind) / (2 * h), abs=1e-8)
    # The claim of the explorer: the slope is the error.
    assert result.error == pytest.approx(result.M_B * result.slope, abs=1e-12)
    assert abs(result.slope) <= 1 / result.M_B
    # The curve is convex, and passes through the moved sample.
    assert (np.diff(result.costs, 2) > -1e-12).all()
    here = np.interp(result.logit, pictures.LOGITS, result.costs)
    assert here == pytest.approx(result.cost, abs=1e-12)


def test_output_error_of_a_single_sample(error):
    result = error.compute(M_B=1, logit=12.0, label=0.0)
    assert len(result.logits) == 0
    assert result.cost == pytest.approx(12, abs=1e-4)
    assert result.slope == pytest.approx(1, abs=1e-4)
    error.set(M_B=1)
    assert "this sample alone" in error.readout
    error.reset()


def test_output_error_shows_the_held_out_digits():
    data, net = digits.load("odd"), digits.trained("odd", epochs=5)
    result = pictures.OutputError().compute(256, 0.0, 1.0)
    u = 1 / (1 + np.exp(-result.logits))
    np.testing.assert_allclose(u, network.predict(net, data.psi_test[1:256])[:, 0], rtol=1e-9)
    np.testing.assert_array_equal(result.labels, data.phi_test[1:256, 0])
    np.testing.assert_allclose(result.errors, u - result.labels, atol=1e-12)


# The noise of the batch gradient


def gradient(net, psi, phi):
    _, gradients = network.cost_and_gradients(net, psi, phi)
    return np.concatenate([np.append(layer.W.ravel(), layer.b) for layer in gradients])


@pytest.mark.parametrize("M_B", [1, 64])  # at 1, some directions are more than 90° off
def test_noise_is_that_of_batch_gradients(M_B):
    """The scalar products of the explorer, against the gradients themselves."""
    data, net = digits.load("ten"), digits.trained("ten", epochs=1)
    full = gradient(net, data.psi, data.phi)
    result = pictures.Noise().compute(M_B, 1)
    batches = network.batches(pictures.SAMPLES, M_B, np.random.default_rng(M_B))
    for k, batch in zip(range(20), batches, strict=False):
        g = gradient(net, data.psi[batch], data.phi[batch])
        size = np.linalg.norm(full)
        assert result.noise[k] == pytest.approx(np.linalg.norm(g - full) / size, rel=1e-9)
        cosine = g @ full / size / np.linalg.norm(g)
        assert np.cos(result.angle[k]) == pytest.approx(cosine, abs=1e-9)
    assert M_B > 1 or (np.cos(result.angle[:20]) < 0).any()


def check_noise(result, values):
    assert (result.M_B, result.epochs) == tuple(values.values())
    assert len(result.angle) == len(result.noise) >= pictures.BATCHES
    assert ((result.angle >= 0) & (result.angle <= np.pi)).all()
    # The foot of the full gradient on the direction of a batch is the nearest point of that line.
    nearest = np.where(result.angle < np.pi / 2, np.sin(result.angle), 1)
    assert (result.noise >= nearest - 1e-7).all()
    root_mean_square = np.sqrt(np.mean(result.noise**2))
    if result.M_B == pictures.SAMPLES:
        assert result.noise.max() < 1e-6 and result.angle.max() < 1e-6
    else:
        measured = result.measured[result.sizes == result.M_B][0]
        assert root_mean_square == pytest.approx(measured, rel=1e-12)
    assert (np.diff(result.measured[:-1]) < 0).all()
    np.testing.assert_allclose(result.measured[:-1], result.predicted[:-1], rtol=0.1)


@pytest.mark.parametrize("epochs", pictures.STAGES[::3])
def test_single_samples_have_exactly_the_predicted_noise(epochs):
    """An epoch of batches of one is every sample once, so the prediction is no average."""
    result = pictures.Noise().compute(1, epochs)
    assert len(result.noise) == pictures.SAMPLES
    assert result.measured[0] == pytest.approx(result.predicted[0], rel=1e-9)
    # And the steps of one epoch, all from the same weights, add up to the full gradient.
    along, _ = pictures._directions(epochs, 1)
    assert along.mean() == pytest.approx(1, abs=1e-9)


def test_prediction_falls_as_the_batch_grows_and_is_none_for_all_samples():
    result = pictures.Noise().compute(8, 5)
    shape = 1 / result.sizes[:-1] - 1 / pictures.SAMPLES
    np.testing.assert_allclose(
        result.predicted[:-1] ** 2 / shape, result.predicted[0] ** 2 / shape[0]
    )
    assert np.isnan(result.predicted[-1]) and np.isnan(result.measured[-1])


CHECKS = {"OutputError": check_error, "Noise": check_noise}


def test_the_ends_of_the_batch_slider_say_what_they_are(noise):
    noise.set(M_B=1)
    assert "a single sample" in noise.readout
    noise.set(M_B=pictures.SAMPLES)
    assert "there is no noise" in noise.readout
    noise.reset()


# Both, and the stills


@pytest.mark.parametrize("M_B", [1, 2, 8, 64, 256])
def test_no_text_is_cut_off_or_covered(error, noise, M_B):
    for explorer, states in (
        (error, ({"logit": -12.0, "label": 1.0}, {"logit": 12.0}, {})),
        (noise, ({"epochs": 0}, {"epochs": 40}, {})),
    ):
        for state in states:
            explorer.reset()
            explorer.set(M_B=M_B, **state)
            check_texts_fit(explorer)
        explorer.reset()


def test_schematic_shows_what_it_says():
    still = pictures.network_schematic()
    assert Image.open(io.BytesIO(still.png)).size == (1600, 960)
    assert "W transposed" in still.alt


def test_a_chain_runs_forward_and_backward():
    _, ax = schematic.sheet(3, 1)
    spans = [schematic.around(x, 0.4) for x in (0.5, 1.5, 2.5)]
    schematic.chain(ax, 0.7, spans, "black")
    schematic.chain(ax, 0.3, spans[::-1], "black")
    ends = [arrow._posA_posB for arrow in ax.patches]
    expected = [
        ((0.7, 0.7), (1.3, 0.7)),
        ((1.7, 0.7), (2.3, 0.7)),
        ((2.3, 0.3), (1.7, 0.3)),
        ((1.3, 0.3), (0.7, 0.3)),
    ]
    np.testing.assert_allclose(ends, expected)
