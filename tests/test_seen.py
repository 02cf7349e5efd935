"""What is only read is as it was last read: the words and the wrong formulas of the rows."""

import pytest
import seen

from bnnotes import exercise, ledger
from bnnotes.review import mistakes, names

TABLES = names.NAMES, names.WEAK, names.ALSO, names.SETTINGS, names.ANY, names.SAYS
READ = {
    "exercise/rows.toml": exercise.rows().values(),
    "ledger/rows.toml": ledger.rows(),
    "review/mistakes.toml": [tuple(row) for row in mistakes._read()],
    "review/names.py": [*TABLES, sorted(names.OFFERED), sorted(names.OF_FORWARD)],
}


@pytest.mark.parametrize("name", READ)
def test_it_is_as_it_was_read(name):
    seen.unchanged(name, [f"{row}" for row in READ[name]])
