"""Real MicroPython (its unix port) as a backend: the device library's own files, the native module and a script."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np

import midge

from ..deploy.library import native_files
from ..device.model_file import ModelFile, read
from ..errors import MidgeError, install
from . import RunResult
from .local import TYPE_CODES

ARCHITECTURE = "x64"
LIBRARY = Path(midge.__file__).parent
HEAP = "64m"


def executable() -> str:
    """The `micropython` command: of this environment, else of the PATH; "" where there is none."""
    beside = Path(sys.executable).parent / "micropython"
    return str(beside) if beside.exists() else shutil.which("micropython") or ""


def problem(name: str) -> str | None:
    if not executable() and sys.platform == "win32":
        return "there is no MicroPython for Windows; WSL has one, as any Linux"
    if not executable():
        return f"MicroPython is not installed; {install('micropython')}"
    if name == "micropython" and not native_files(ARCHITECTURE):
        return "its native modules are not built; run: make natmods"
    return None


def lay_out(folder: Path, native: bool) -> None:
    """Fills a folder with what a board would hold: the library and, if wanted, the native modules."""
    (folder / "midge").symlink_to(LIBRARY)
    for module, data in ((native and native_files(ARCHITECTURE)) or {}).items():
        (folder / module).write_bytes(data)


def input_bytes(inputs: list[np.ndarray]) -> bytes:
    """The input file of board_script.py: all inputs of the first prediction, then those of the second..."""
    return b"".join(values.tobytes() for row in zip(*inputs, strict=True) for values in row)


def job(
    model: str,
    description: ModelFile,
    inputs: list[np.ndarray],
    weights: str,
    native: bool,
    source: str,
    sink: str,
    reset: bool = False,
) -> dict[str, Any]:
    """The task of board_script.py; `model`, `source` and `sink` are paths on the board."""
    return {
        "model": model,
        "weights": weights,
        "backend": "native" if native else "portable",
        "inputs": [[TYPE_CODES[x.dtype.name], x[0:1].size] for x in inputs],
        "outputs": [[TYPE_CODES[t.dtype], t.size] for t in description.outputs],
        "count": len(inputs[0]),
        "reset": reset,
        "source": source,
        "sink": sink,
    }


def buffers(description: ModelFile) -> dict[str, list]:
    """What a script on a board makes for a reading, of sound a hop, and a result: type code and bytes of each."""
    found = {
        name: [[TYPE_CODES[tensor.element], tensor.bytes] for tensor in tensors]
        for name, tensors in (("inputs", description.inputs), ("outputs", description.outputs))
    }
    if description.sound:
        found["inputs"] = [["h", 2 * description.sound.hop]]
    return found


def result(report: str, raw: bytes, description: ModelFile, count: int) -> RunResult:
    """The result from the text that board_script.py printed and the file that it wrote."""
    facts = json.loads(report.strip().splitlines()[-1])
    # Outputs are written row by row: all outputs of the first input, then those of the second...
    row = np.dtype([(str(i), t.dtype, t.shape) for i, t in enumerate(description.outputs)])
    table = np.frombuffer(raw, row, -1 if description.sound else count)  # of sound as many as were due
    outputs = [np.ascontiguousarray(table[str(i)]) for i in range(len(description.outputs))]
    return RunResult(outputs, facts.get("microseconds"), facts.get("heap_bytes"), facts.get("instructions"))


def script(folder: Path, *command: str) -> str:
    """What a script prints; `command`: its path and arguments. The folder is filled by lay_out()."""
    done = subprocess.run(
        [executable(), "-X", f"heapsize={HEAP}", *command],
        cwd=folder,
        env={"MICROPYPATH": str(folder)},
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise MidgeError(f"MicroPython: {lines[-1] if lines else f'stopped with code {done.returncode}'}")
    return done.stdout


def run(name: str, model: Path, inputs: list[np.ndarray], weights: str, reset: bool) -> RunResult:
    description = read(model)
    native = name == "micropython"
    with tempfile.TemporaryDirectory(prefix="midge-") as temporary:
        folder = Path(temporary)
        lay_out(folder, native)
        (folder / "in.bin").write_bytes(input_bytes(inputs))
        paths = str(folder / "in.bin"), str(folder / "out.bin")
        todo = job(str(Path(model).resolve()), description, inputs, weights, native, *paths, reset)
        (folder / "job.json").write_text(json.dumps(todo))
        with as_file(files(__package__) / "board_script.py") as path:
            report = script(folder, str(path), str(folder / "job.json"))
        return result(report, (folder / "out.bin").read_bytes(), description, len(inputs[0]))
