"""Mutated files with right checksums on MicroPython, its unix port and every emulated board: the right result or
ValueError or MemoryError, no byte beside the arena written. MIDGE_MUTANTS=10000 runs more of them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

import mutants
from midge_host.backends import micropython
from midge_host.backends import qemu as backend
from midge_host.boards import qemu

COUNT = int(os.environ.get("MIDGE_MUTANTS", "400"))
SUPPORT = Path(__file__).parents[1] / "support"
BOARDS = [pytest.param(name, marks=[pytest.mark.board(name), pytest.mark.xdist_group(name)]) for name in qemu.BOARDS]
FILES = {name: SUPPORT / name for name in ("mutants_board.py", "outcome.py")}
SECONDS = 120  # for some hundred files

# In the memory of an emulated board even a ROM can be written: there the files are changed where they lie.
ON_BOARD = """
import uctypes
import mutants_board

def file(name):
    view = memoryview(open(name, "rb"))
    return uctypes.bytearray_at(uctypes.addressof(view), len(view))

files = memoryview(file("/rom/mutants"))
bases = [memoryview(file("/rom/%d.midge" % i)) for i in range(BASES)]
mutants_board.guard()
"""
ON_UNIX = """
import json, sys
import mutants_board

folder, bases, first, last, backend = json.loads(sys.argv[1])
files = memoryview(open(folder + "/mutants", "rb").read())
bases = [memoryview(bytearray(open(folder + "/%d.midge" % i, "rb").read())) for i in range(bases)]
mutants_board.MODES = ("ram", "stream", "auto")
if backend == "native":
    mutants_board.guard()

def place(index, data):
    with open(folder + "/m.midge", "wb") as file:
        file.write(data)
    return folder + "/m.midge"

mutants_board.run(files, bases, place, first, last, backend)
"""


@pytest.mark.parametrize("name", BOARDS)
def test_board(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    if why := backend.problem(name):
        pytest.skip(why)
    made = mutants.mutants(COUNT, tmp_path_factory.getbasetemp())
    rom = {"mutants": b"".join(mutant.pack() for mutant in made)}
    rom |= {f"{i}.midge": data for i, data in enumerate(mutants.bases())}
    disk = backend.library(name) | {f"lib/{path}": source.read_bytes() for path, source in FILES.items()}
    with qemu.Qemu(name, rom, disk) as board:
        board.exec(ON_BOARD.replace("BASES", str(len(mutants.bases()))))

        def execute(first: int, last: int) -> str:
            arguments = f"files, bases, lambda i, data: '/rom/%d.midge' % i, {first}, {last}, 'native'"
            return board.exec(f"mutants_board.run({arguments})", SECONDS).replace("\r", "")

        mutants.run(made, execute)


@pytest.mark.parametrize("name", ["micropython", "micropython-portable"])
def test_unix(name: str, tmp_path: Path) -> None:
    if why := micropython.problem(name):
        pytest.skip(why)
    kind = "native" if name == "micropython" else "portable"
    made = mutants.mutants(COUNT, tmp_path)
    micropython.lay_out(tmp_path, native=kind == "native")
    contents = {path: source.read_bytes() for path, source in FILES.items()}
    contents |= {f"{i}.midge": data for i, data in enumerate(mutants.bases())}
    contents |= {"mutants": b"".join(mutant.pack() for mutant in made), "script.py": ON_UNIX.encode()}
    for path, data in contents.items():
        (tmp_path / path).write_bytes(data)

    def execute(first: int, last: int) -> str:
        arguments = json.dumps([str(tmp_path), len(mutants.bases()), first, last, kind])
        command = [micropython.executable(), "-X", "heapsize=2m", str(tmp_path / "script.py"), arguments]
        env = {"MICROPYPATH": str(tmp_path)}
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=SECONDS)
        assert done.returncode == 0, f"{first} to {last} ends with {done.returncode}: {done.stderr[-2000:]}"
        return done.stdout

    mutants.run(made, execute)
