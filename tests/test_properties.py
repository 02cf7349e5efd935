"""Every row of the ledger is the subject of a property: in test_properties_*.py, by its name."""

import ast
import re
from pathlib import Path

from bnnotes import ledger

HERE = Path(__file__).parent

# What a row says beside its identity, and why no property holds it.
NOT_ALL = {
    "S14": "how many predictions a class mix turns is a measurement: bnnotes.ledger",
    "S29": "how many orders lie between the two gradients is a measurement: bnnotes.ledger",
    "S35": "what is the most probable cause of a correlation is a heuristic",
}
# Rows without an identity of their own.
NO_IDENTITY = {
    "S44": "how slight a difference is, is a measurement: bnnotes.ledger",
    "S47": "names of arguments",
    "S48": "the argument of g",
    "S49": "the premise of S30",
    "S50": "the name of y; the kernel is S26",
    "S52": "what does not follow from S33: bnnotes.ledger measures what happens",
    "S54": "what β and γ take are S12 and S13",
    "S55": "what the error of (2) is for",
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
    assert set(NOT_ALL) <= tested
    assert tested == rows - set(NO_IDENTITY)
