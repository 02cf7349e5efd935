"""What is only read is as it was last read: the words and wrong formulas of the rows."""

import tomllib
from pathlib import Path

import pytest
import seen

from bnnotes.review import names

PACKAGE = Path(seen.__file__).parents[1] / "src" / "bnnotes"


def groups(name):
    """The rows of a file, by their group, chapter or section."""
    found = {}
    for key, value in tomllib.loads((PACKAGE / name).read_text(encoding="utf-8")).items():
        rows = value if key == "row" else [(key, value)]
        for row in rows:
            group = f"section {row['section']}" if key == "row" else key.partition(".")[0]
            found.setdefault(f"{name}, {group}", []).append(f"{row}")
    return found


ROWS = {
    k: v
    for n in ("exercise/rows.toml", "ledger/rows.toml", "review/mistakes.toml")
    for k, v in groups(n).items()
}


@pytest.mark.parametrize("name", ROWS)
def test_rows_are_as_they_were_read(name):
    seen.unchanged(name, ROWS[name])


def test_the_names_that_review_knows_are_as_they_were_read():
    tables = names.NAMES, names.WEAK, names.ALSO, names.SETTINGS, names.ANY, names.SAYS
    offered = map(sorted, (names.OFFERED, names.OF_FORWARD))
    seen.unchanged("names", [f"{table}" for table in (*tables, *offered)])
