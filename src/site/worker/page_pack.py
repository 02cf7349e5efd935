"""Packs what the pages import for a quick start: compiled, without what no page uses.

Runs in Pyodide when the site is built, since bytecode is that of its Python.
"""

import importlib._bootstrap_external as bootstrap
import io
import sys
import zipfile
from pathlib import Path

SITE = Path("/lib/python3.12/site-packages")
# Parts of paths that no page imports or reads.
UNUSED = """__pycache__ /tests/ /sphinxext/ /f2py/ /distutils/ /_pyinstaller/ /include/
/afm/ /pdfcorefonts/ /sample_data/ /images/ /stylelib/ .dist-info/ /fontTools/ /pytz/
/zoneinfo/ /matplotlib_pyodide/ /web_backend/ /mpl_toolkits/ /backend_gtk /_backend_gtk /backend_qt
/backend_tk /_backend_tk /backend_wx /backend_webagg /backend_pdf /_backend_pdf /backend_pgf
/backend_ps /backend_svg /backend_macosx /backend_cairo /qt_ /ImageQt /ImageTk""".split()
KINDS = {".py", ".so", ".ttf", ".npz", ".json"}


def numpy():
    """Return numpy as the bytes of a zip file."""
    return _packages("numpy/")


def pictures():
    """Return what draws pictures as the bytes of a zip file, the list of fonts in it."""
    import matplotlib.font_manager  # noqa: F401  which writes the list

    return _packages("", but="numpy/")


def _packages(prefix, but=None):
    files = {}
    for path in sorted(SITE.rglob("*")):
        name = path.relative_to(SITE).as_posix()
        wanted = name.startswith(prefix) and not (but and name.startswith(but))
        wanted = wanted and not any(part in f"/{name}" for part in UNUSED)
        if wanted and path.is_file() and (path.suffix in KINDS or path.name == "matplotlibrc"):
            files[name] = path.read_bytes()
    return _zipped(files, str(SITE))


def standard_library():
    """Return the standard library as the bytes of a zip file."""
    place = next(path for path in sys.path if path.endswith(".zip"))
    return _zipped(_unzipped(place), place)


def book(file):
    """Return a zip file of the book with its bytecode, beside its text."""
    files = _unzipped(file)
    for name in [name for name in files if name.endswith(".py")]:
        code = compile(files[name], f"{SITE}/{name}", "exec", dont_inherit=True)
        folder, _, module = name.removesuffix(".py").rpartition("/")
        cached = f"{folder}/__pycache__/{module}.cpython-312.pyc".lstrip("/")
        # Its text is that which it is made of, whatever the times of the files say.
        files[cached] = bytes(bootstrap._code_to_hash_pyc(code, bytes(8), checked=False))
    return _zip(files)


def _unzipped(file):
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name[-1] != "/"}


def _zipped(files, place):
    """Return files as a zip, each module as its bytecode alone."""
    compiled = {}
    for name, content in files.items():
        if name.endswith(".py"):
            code = compile(content, f"{place}/{name}", "exec", dont_inherit=True)
            name, content = f"{name}c", bytes(bootstrap._code_to_timestamp_pyc(code))
        compiled[name] = content
    return _zip(compiled)


def _zip(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()
