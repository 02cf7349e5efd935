"""`make mutants` runs what is here; pytest would look for examples in its docstrings."""

collect_ignore_glob = ["*.py"]
