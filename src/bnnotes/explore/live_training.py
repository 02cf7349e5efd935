"""A training that shows its cost and held-out accuracy while it runs."""

from __future__ import annotations

import html
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np

from ..figures.training import TrainingFigure
from .base import Image


class Curves(NamedTuple):
    """What a training has shown so far: one array per network, one entry per epoch.

    Attributes
    ----------
    cost : dict of str to ndarray
        Mean cost over the batches of each epoch, before their steps.
    accuracy : dict of str to ndarray
        Held-out accuracy after each epoch.
    """

    cost: dict
    accuracy: dict


class LiveTraining:
    """Cost and held-out accuracy of up to three networks, drawn after every epoch.

    Show it before the training starts; it needs no kernel messages back, so
    it grows while the training cell runs. Without a browser it collects the
    same curves.

    Parameters
    ----------
    epochs : int
        How many each network will be trained.
    names : sequence of str
        Some of ``"baseline"``, ``"BN everywhere"`` and ``"BN hidden only"``.

    Attributes
    ----------
    panel : ipywidgets.VBox
        What a notebook shows.

    Raises
    ------
    ValueError
        If a name is none of them.

    Examples
    --------
    >>> live = LiveTraining(epochs=20)
    >>> callback = live.on_epoch("baseline", evaluate=lambda network: 0.5)
    """

    def __init__(self, epochs, names=("baseline",)):
        self.epochs, self.names = epochs, tuple(names)
        self.figure = TrainingFigure(epochs, self.names)
        self._collected = {name: ([], []) for name in self.names}
        self.image = Image()
        self.text = widgets.HTML()
        self.panel = widgets.VBox([self.text, self.image])
        self._show()

    @property
    def curves(self):
        """The curves so far, as `Curves` of plain arrays."""
        cost = {name: np.array(cost) for name, (cost, _) in self._collected.items()}
        accuracy = {name: np.array(right) for name, (_, right) in self._collected.items()}
        return Curves(cost, accuracy)

    @property
    def readout(self):
        """The state in one line of text."""
        return "; ".join(self._state(name) for name in self.names)

    def _state(self, name):
        cost, accuracy = self._collected[name]
        if not cost:
            return f"{name}: not yet trained"
        return (
            f"{name}: epoch {len(cost)} of {self.epochs}, cost {cost[-1]:.2g}, "
            f"held-out accuracy {accuracy[-1]:.1%}"
        )

    def on_epoch(self, name, evaluate):
        """Return a callback for ``network.train(..., on_epoch=...)``; its curve begins anew.

        Parameters
        ----------
        name : str
            Of the network, one of `names`.
        evaluate : callable
            ``evaluate(network)`` returns the held-out accuracy.

        Returns
        -------
        callable
            ``(epoch, network, history)``.

        Raises
        ------
        ValueError
            If the name is not one of this training.
        """
        if name not in self.names:
            raise ValueError(f"name: got {name!r}, wanted one of {', '.join(self.names)}")
        cost, accuracy = self._collected[name] = [], []

        def show(epoch, network, history):
            right = float(evaluate(network))  # first: an interrupt here leaves the curves whole
            cost.append(float(np.mean(history.cost[-history.steps_per_epoch :])))
            accuracy.append(right)
            self._show()

        return show

    def still(self):
        """Return the curves as they stand as a `Picture` with alternative text.

        The text states bounds: the digits of a trained network are not the
        same on every machine, and notebooks are compared by their text.
        """
        bounds = "; ".join(self._bounds(name) for name in self.names)
        return self.figure.still(f"Cost and held-out accuracy per epoch. {bounds}.")

    def _bounds(self, name):
        cost, accuracy = self._collected[name]
        if not cost:
            return f"{name}: not yet trained"
        level = max((level for level in (90, 70, 50) if 100 * accuracy[-1] > level), default=0)
        trend = "falls" if cost[-1] < cost[0] else "does not fall"
        return f"{name}: the cost {trend}, the accuracy ends above {level}%"

    def _show(self):
        self.figure.update(self.curves)
        alt = f"Cost and held-out accuracy per epoch. {self.readout}."
        self.image.show(self.figure.png(), alt)
        self.text.value = html.escape(self.readout)

    def _repr_mimebundle_(self, **options):
        # The text stands for the widget wherever there is no kernel behind the page.
        text = f"Live training of {', '.join(self.names)}: it grows here while the next cell runs."
        return {**self.panel._repr_mimebundle_(**options), "text/plain": text}
