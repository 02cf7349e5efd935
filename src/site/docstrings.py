"""The docstrings as they go into the pages of the modules."""

import ast
import inspect
import textwrap


def escape_bars(app, what, name, obj, options, lines):
    """Keep what |x| means: an absolute value."""
    lines[:] = [line.replace("|", r"\|") for line in lines]


def skip_fields(app, what, name, obj, skip, options):
    """Leave out the fields of a named tuple: its own docstring has them."""
    return True if type(obj).__name__ == "_tuplegetter" else None


def write_shapes(app, what, name, obj, options, signature, returns):
    """Give a formula the signature of its source, with the shapes: Array["M_B n"]."""
    if hasattr(obj, "wanted"):
        (function,) = ast.parse(textwrap.dedent(inspect.getsource(obj))).body
        return f"({ast.unparse(function.args)})", returns


def setup(app):
    app.connect("autodoc-process-docstring", escape_bars, priority=100)
    app.connect("autodoc-process-signature", write_shapes)
    app.connect("autodoc-skip-member", skip_fields)
    return {"parallel_read_safe": True}
