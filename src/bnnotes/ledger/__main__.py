"""Print every row: id, verdict, what, error now, functions, tests, cells."""

import sys

from . import table

sys.stdout.reconfigure(encoding="utf-8")  # what a pipe in Windows has, for one, lacks the x̂
print(table())
