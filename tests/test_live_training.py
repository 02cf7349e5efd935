"""The picture that grows while a network trains."""

from types import SimpleNamespace

import numpy as np
import pytest

from bnnotes import network
from bnnotes.pictures.training import LiveTraining

rng = np.random.default_rng(0)
PSI = rng.normal(size=(40, 3))
PHI = (PSI[:, :1] > 0).astype(float)
NAMES = "baseline", "BN everywhere", "BN hidden only"


def trained(live, name, epochs, evaluate):
    batch_norm = dict(zip(NAMES, (False, True, "hidden"), strict=True))[name]
    net = network.create([3, 4, 1], batch_norm=batch_norm, activation="tanh", rng=1)
    return network.train(
        net,
        PSI,
        PHI,
        learning_rate=0.5,
        batch_size=8,
        epochs=epochs,
        rng=2,
        on_epoch=live.on_epoch(name, evaluate),
    )


def test_the_curves_are_those_of_the_training():
    live = LiveTraining(6, NAMES)
    labels = [ax.get_ylabel() for ax in live.figure.axes]
    assert labels == ["cost per epoch", "held-out accuracy"]
    accuracies = iter(np.linspace(0.5, 1.0, 18))
    histories = {name: trained(live, name, 6, lambda _: next(accuracies)) for name in live.names}
    for name, history in histories.items():
        epochs = np.reshape(history.cost, (6, history.steps_per_epoch))
        np.testing.assert_array_equal(live.curves.cost[name], epochs.mean(axis=1))
    np.testing.assert_array_equal(live.curves.accuracy["baseline"], np.linspace(0.5, 1.0, 18)[:6])
    assert live.curves.accuracy["BN hidden only"][-1] == 1.0
    for name, history in histories.items():
        cost = np.mean(history.cost[-history.steps_per_epoch :])
        said = f"cost {cost:.2g}, held-out accuracy {live.curves.accuracy[name][-1]:.1%}"
        assert f"{name}: epoch 6 of 6, {said}" in live.readout


def test_the_picture_grows_at_every_epoch():
    live = LiveTraining(5)
    pictures = [live.image.png]
    trained(live, "baseline", 5, lambda _: pictures.append(live.image.png) or 0.8)
    pictures.append(live.image.png)
    # The first two are both the empty one: `evaluate` runs before the picture is drawn.
    assert len(set(pictures)) == 6
    assert all(bytes(picture).startswith(b"\x89PNG") for picture in pictures)
    assert "epoch 5 of 5" in live.readout and "80.0%" in live.readout
    assert live.readout in live.image.tooltip
    assert live.readout in live.text.value


def test_a_second_run_starts_its_curve_anew():
    live = LiveTraining(4)
    trained(live, "baseline", 4, lambda _: 0.6)
    trained(live, "baseline", 2, lambda _: 0.7)
    np.testing.assert_array_equal(live.curves.accuracy["baseline"], [0.7, 0.7])
    _, (right,) = (ax.lines for ax in live.figure.axes)
    assert right.get_xydata().tolist() == [[1, 0.7], [2, 0.7]]


@pytest.mark.parametrize("cost", [1e-9, 0.3, 7.0, 4e5])
@pytest.mark.parametrize("accuracy", [0.0, 0.049, 0.5, 1.0])
def test_nothing_leaves_the_picture(cost, accuracy):
    live = LiveTraining(3, NAMES)
    for name in live.names:
        show = live.on_epoch(name, lambda _: accuracy)
        for epoch in range(3):
            show(epoch, None, SimpleNamespace(cost=[cost] * 5, steps_per_epoch=5))
    figure = live.figure
    figure.draw_without_rendering()  # so that the extents are known
    renderer = live._canvas.get_renderer()
    labels = [text for ax in figure.axes for text in ax.texts]
    assert len(labels) == 6
    boxes = [text.get_window_extent(renderer) for text in labels]
    for box in boxes:
        assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 and box.y1 <= figure.bbox.y1
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])
    for ax in figure.axes:
        low, high = ax.get_ylim()
        values = np.concatenate([line.get_ydata() for line in ax.lines])
        assert (low <= values).all() and (values <= high).all()


def test_the_still_states_bounds_and_no_digits_of_the_training():
    live = LiveTraining(2)
    assert "not yet trained" in live.still().alt
    show = live.on_epoch("baseline", lambda _: 0.9666)
    for epoch, cost in enumerate([2.0, 1.0]):
        show(epoch, None, SimpleNamespace(cost=[cost], steps_per_epoch=1))
    assert live.still().alt.endswith("the cost falls, the accuracy ends above 90%.")


def test_an_interrupted_training_leaves_the_epochs_it_had():
    live = LiveTraining(9)

    def evaluate(_):
        if len(live.curves.cost["baseline"]) == 2:
            raise KeyboardInterrupt
        return 0.5

    history = trained(live, "baseline", 9, evaluate)
    assert history.interrupted
    assert len(live.curves.accuracy["baseline"]) == 2
    assert "epoch 2 of 9" in live.readout


def test_unknown_names_are_refused():
    with pytest.raises(
        ValueError, match=r"names: got \('bn',\), wanted some of baseline, BN everywhere, BN"
    ):
        LiveTraining(3, ("bn",))
    with pytest.raises(ValueError, match=r"names: got \(\)"):
        LiveTraining(3, ())
    with pytest.raises(ValueError, match="name: got 'BN', wanted one of baseline"):
        LiveTraining(3).on_epoch("BN", float)


def test_what_is_no_number_is_refused():
    for epochs in (0, np.nan, "4", 2.5):
        with pytest.raises(ValueError, match=r"^epochs: got .*, wanted an integer >= 1$"):
            LiveTraining(epochs)
    live = LiveTraining(2)
    with pytest.raises(ValueError, match=r"^evaluate: got nan, wanted a finite number >= 0$"):
        trained(live, "baseline", 2, lambda _: np.nan)
    assert not len(live.curves.cost["baseline"])


def test_what_a_notebook_stores_does_not_depend_on_the_training():
    live = LiveTraining(1)
    before = live._repr_mimebundle_()["text/plain"]
    trained(live, "baseline", 1, lambda _: 0.5)
    assert live._repr_mimebundle_()["text/plain"] == before
    assert before.startswith("Live training of baseline")
