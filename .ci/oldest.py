"""Print the oldest versions that pyproject.toml allows, as constraints for pip."""

import re
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"


def oldest(extras=("book", "test")):
    """Return a line per package that we ask for; what those need in turn stays free."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    chosen = [project["optional-dependencies"][extra] for extra in extras]
    lines = sum(chosen, project["dependencies"])
    return [re.fullmatch(r"([\w.-]+)>=([\w.]+)", line).expand(r"\1==\2") for line in lines]


if __name__ == "__main__":
    print(*oldest(), sep="\n")
