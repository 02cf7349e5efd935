"""Print every row: id, verdict, what, error now, functions, tests, cells."""

from . import table

print(table())
