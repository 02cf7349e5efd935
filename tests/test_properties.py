"""Every row of the ledger is the subject of a property: in test_properties_*.py, by its name."""

import ast
import re
from pathlib import Path

from bnnotes import ledger

HERE = Path(__file__).parent

# What a row says beside its identity, or instead of one, and why no property holds it.
NO_IDENTITY = {
    "S14": "how many predictions a class mix turns is a measurement: bnnotes.errata",
    "S29": "how many orders lie between the two gradients is a measurement: bnnotes.errata",
    "S33": "how synchronous trained neurons are is a measurement: chapter 6",
    "S35": "what is the most probable cause of a correlation is a heuristic",
}


def ids_of(name):
    """The rows that the name of a test begins with: test_S16_S17_one_neuron, test_eq5_BN_angles."""
    spelled = re.match(r"test_((?:(?:S\d+|eq\d(?:_BN|_BL)?)_)*)", name)
    for id in re.findall(r"S\d+|eq\d(?:_BN|_BL)?", spelled[1] if spelled else ""):
        yield re.sub(r"eq(\d)", r"(\1)", id).replace("_", " ")


def properties():
    """Yield the ids and the decorators of every test in the files of properties."""
    for path in HERE.glob("test_properties*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                yield set(ids_of(node.name)), [ast.unparse(d) for d in node.decorator_list]


def test_every_row_of_the_ledger_has_a_property():
    rows = {row.id for row in ledger.rows()}
    tested = set().union(
        *(
            ids
            for ids, decorators in properties()
            if any(d.startswith("given(") for d in decorators)
        )
    )
    assert tested == rows
    assert set(NO_IDENTITY) <= rows
