"""Keep pytest out: these modules need the peers, which the tests do not install."""

collect_ignore_glob = ["*.py"]
