"""The notebooks print what is stored in them, wherever they are run."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from copies import NAMES, ROOT, compare, copy, run_pytest, sampled

every_notebook = pytest.mark.parametrize("name", sampled(NAMES, ["0_start_here"]))

CORE = "import numpy, json, threadpoolctl; print(json.dumps(threadpoolctl.threadpool_info()))"

# Brings up the loopback of a new network, where nothing else is, and becomes the command.
ALONE = """
import fcntl, os, socket, struct, sys
SIOCSIFFLAGS, IFF_UP_AND_RUNNING = 0x8914, 0x41
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP_AND_RUNNING))
assert [name for _, name in socket.if_nameindex() if name != "lo"] == [], socket.if_nameindex()
os.execv(sys.argv[1], sys.argv[1:])
"""
# An administrator may write anywhere, unless he gives up that right for a command.
GIVE_UP = ["setpriv", "--bounding-set=-dac_override"]
PLAIN = GIVE_UP if hasattr(os, "getuid") and os.getuid() == 0 and shutil.which("setpriv") else []
CUT = ["unshare", "--net", "--map-root-user", sys.executable, "-c", ALONE]


def works(*command, **options):
    """Say whether this machine lets us do that."""
    if not shutil.which(command[0]):
        return False
    return subprocess.run(command, capture_output=True, **options).returncode == 0


@pytest.fixture
def older():
    """Settings with which numpy multiplies as on an older processor."""
    settings = {"OPENBLAS_CORETYPE": "Nehalem"}
    told = subprocess.run(
        [sys.executable, "-c", CORE],
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        check=True,
    )
    if "Nehalem" not in {pool.get("architecture") for pool in json.loads(told.stdout)}:
        pytest.skip("this numpy computes without OpenBLAS, or not on x86-64")
    return settings


@every_notebook
def test_on_the_kernels_of_another_processor(name, tmp_path, older):
    compare(copy(tmp_path, name), env=older)


@pytest.mark.full
def test_the_tests_on_the_kernels_of_another_processor(older):
    """They may not ask for the last bit of a sum, which another processor rounds otherwise."""
    run_pytest(ROOT, "--numprocesses=auto", "--ignore=tests/vary", env=older)


@every_notebook
def test_with_the_network_cut_in_a_folder_with_a_space_and_other_alphabets(name, tmp_path):
    """Where the machine does not let us cut the network off a process, in the folder alone."""
    cut = CUT if works(*CUT, sys.executable, "-c", "") else []
    compare(copy(tmp_path / "bücher über Δ 批", name), *cut)


@every_notebook
def test_without_write_access(name, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    book = copy(tmp_path / "book of others", name)
    names = ["JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "MPLCONFIGDIR"]
    own = {"HOME": str(home)} | {name: str(home / name.lower()) for name in names}
    files = [book, *book.rglob("*")]
    try:
        for path in files:
            path.chmod(0o555 if path.is_dir() else 0o444)
        if works(*PLAIN, "sh", "-c", "touch mine 2>/dev/null || touch book/mine", cwd=book):
            pytest.skip("this machine does not let us give up the right to write")
        compare(book, *PLAIN, env=own)
    finally:
        for path in files:
            path.chmod(0o755)
