"""Print every row: id, verdict, what, error now, functions, tests, cells."""

import argparse
import sys

from . import table

if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m bnnotes.ledger", description=__doc__).parse_args()
    sys.stdout.reconfigure(encoding="utf-8")  # what a pipe in Windows has, for one, lacks the x̂
    print(table())
