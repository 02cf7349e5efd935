"""A reader interrupts a training, goes on, restarts the kernel and runs all."""

import asyncio

import nbformat
import pytest
from copies import ENCRYPTED, SECONDS, read
from jupyter_core.utils import run_sync
from nbclient import NotebookClient

# For each notebook a line of the cell that trains, and what must hold once it is interrupted.
TRAININGS = {
    "1_baseline": (
        "network.train(reader, data",
        """
assert history.interrupted and 0 < len(history.cost) < 15 * history.steps_per_epoch
assert np.isfinite(history.cost).all()
u = network.predict(reader, data.psi)
assert baseline.cross_entropy(u, data.phi) < history.cost[0], "what was learned is lost"
""",
    ),
    "6_training": (
        "sweep.run(runs(False), results=results",
        """
assert 0 < len(results) < len(runs(False))
sweep.run(runs(False)[: len(results)], results=results)
""",
    ),
}


class Interrupting(NotebookClient):
    """Runs cells, and interrupts the one under `at` when its progress bar has moved often."""

    at = None
    moves = 0

    def process_message(self, msg, cell, cell_index):
        # The bar is a widget: each of its moves is a message.
        if cell_index == self.at and msg["msg_type"] == "comm_msg":
            self.moves += 1
            if self.moves == 12:
                self.interrupt = asyncio.ensure_future(self.km.interrupt_kernel())
        return super().process_message(msg, cell, cell_index)

    def restart(self):
        run_sync(self.km.restart_kernel)()
        run_sync(self.kc.wait_for_ready)()


@pytest.mark.full
@pytest.mark.parametrize("name", TRAININGS)
def test_interrupt_go_on_restart_run_all(name, tmp_path):
    line, holds = TRAININGS[name]
    notebook = read(name)
    training = next(i for i, cell in enumerate(notebook.cells) if line in cell.source)
    after = len(notebook.cells)
    notebook.cells.append(nbformat.v4.new_code_cell(holds))
    resources = {"metadata": {"path": str(tmp_path)}}
    reader = Interrupting(notebook, timeout=SECONDS, resources=resources, config=ENCRYPTED)

    def run(*places):
        for i in places:
            reader.execute_cell(notebook.cells[i], i)

    with reader.setup_kernel():
        reader.at = training
        run(*range(training + 1), after)
        assert reader.interrupt.done()
        reader.at = None
        run(training)
        reader.restart()
        run(*range(after))
