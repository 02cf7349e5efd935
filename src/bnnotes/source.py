"""The real source of a function, for reading in a notebook."""

import ast
import inspect
import textwrap

from .checked import shown


class Source:
    """Code that shows itself highlighted."""

    def __init__(self, code):
        self.code = code

    def __repr__(self):
        return self.code

    def _repr_markdown_(self):
        return f"```python\n{self.code}\n```"


def show(*functions):
    """Return the source of functions or classes: signature and body, without `@checked`.

    >>> from bnnotes import baseline
    >>> show(baseline.weight_gradient)
    def weight_gradient(delta: Array["M_B n"], u_prev: Array["M_B n_prev"]):
        return delta.T @ u_prev
    """
    return Source("\n\n\n".join(_equation(function) for function in functions))


def _equation(function):
    try:
        code = textwrap.dedent(inspect.getsource(function))
        tree = ast.parse(code)
    except (OSError, TypeError, SyntaxError):  # the last of a lambda amid a call
        got = f"functions: got {shown(function)}"
        raise ValueError(f"{got}, wanted functions or classes with a source in Python") from None
    left_out = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            left_out += [d for d in node.decorator_list if ast.unparse(d).startswith("checked")]
            left_out += node.body[:1] if ast.get_docstring(node) else []
    lines = code.splitlines()
    for part in sorted(left_out, key=lambda part: part.lineno, reverse=True):
        # The line below the docstring of a class is empty.
        end = part.end_lineno + (lines[part.end_lineno : part.end_lineno + 1] == [""])
        del lines[part.lineno - 1 : end]
    return "\n".join(lines)
