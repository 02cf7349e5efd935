"""The explorers that a notebook shows, without running all of it."""

import ast

import nbformat

from bnnotes.explore.base import Explorer
from bnnotes.pictures.explorer import registry


def explorers(path):
    """Return the explorers of a notebook by the ids of their cells.

    Which cells show one, the stored outputs tell, and which one, those of `bnnotes.pictures` by
    their key. For another, of the cells before it those statements are run that it rests on, and
    no other, since a chapter may train networks for its text.
    """
    known = registry()
    shown, statements = {}, []
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            lines = ast.parse(cell.source).body
            keys = {output.get("metadata", {}).get("explorer") for output in cell.outputs}
            if keys & known.keys():
                (shown[cell.id],) = (known[key]() for key in keys & known.keys())
            elif any(map(_is_explorer, cell.outputs)):
                shown[cell.id] = _value(lines[-1].value, statements)
            statements += lines
    return shown


def _is_explorer(output):
    return output.get("data", {}).get("text/plain", "").startswith("Explorer: ")


def _value(expression, statements):
    """Return the value of an expression after these statements."""
    wanted, program = _names(expression, ast.Load), []
    for statement in reversed(statements):
        made = _names(statement, ast.Store) | _imported(statement)
        if made & wanted:
            program.insert(0, statement)
            wanted = wanted - made | _names(statement, ast.Load)
    namespace = {}
    exec(compile(ast.Module(program, []), "<cells>", "exec"), namespace)
    value = eval(compile(ast.Expression(expression), "<cell>", "eval"), namespace)
    if not isinstance(value, Explorer):
        raise TypeError(f"{ast.unparse(expression)} should be an Explorer: got {value!r}")
    return value


def _names(tree, context):
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
    return {node.id for node in nodes if isinstance(node.ctx, context)}


def _imported(statement):
    if not isinstance(statement, (ast.Import, ast.ImportFrom)):
        return set()
    return {name.asname or name.name.partition(".")[0] for name in statement.names}
