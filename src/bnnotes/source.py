"""The real source of a function, for reading in a notebook."""

from __future__ import annotations

import ast
import inspect
import textwrap

from ._validation import shown


class Source:
    """Code that shows itself highlighted."""

    def __init__(self, code):
        self.code = code

    def __repr__(self):
        return self.code

    def _repr_markdown_(self):
        return f"```python\n{self.code}\n```"


def show(*functions):
    """Return the source of functions or classes as it stands, without docstrings.

    Parameters
    ----------
    *functions : callable

    Returns
    -------
    Source
        Shown as highlighted code.

    Raises
    ------
    ValueError
        If one has no source in Python, such as a function of numpy's.

    Examples
    --------
    >>> from bnnotes import baseline
    >>> show(baseline.weight_gradient)
    @checked(delta="M_B n", u_prev="M_B n_prev")
    def weight_gradient(delta, u_prev):
        return delta.T.dot(u_prev)
    """
    return Source("\n\n\n".join(_without_docstring(function) for function in functions))


def _without_docstring(function):
    try:
        code = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        got = f"functions: got {shown(function)}"
        raise ValueError(f"{got}, wanted functions or classes with a source in Python") from None
    lines = code.splitlines()
    for node in reversed(list(ast.walk(ast.parse(code)))):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node):
            docstring = node.body[0]
            del lines[docstring.lineno - 1 : docstring.end_lineno]
    return "\n".join(lines)
