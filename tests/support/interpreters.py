"""MicroPython (its unix port) that runs one model after the other. A process takes 40 ms to start, a small model 3."""

from __future__ import annotations

import json
import subprocess
import tempfile
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from midge_host.backends import micropython as backend
from midge_host.device.model_file import read

HEAP = "4m"  # collected several times a model: more takes longer
SCRIPT = """
import json, sys
from board_script import main
for line in sys.stdin:
    try:
        main(json.loads(line))
    except Exception as error:
        print(json.dumps({"error": repr(error)}))
"""


class Interpreter:
    """A process that waits for jobs. It ends with this one, whose pipe it reads."""

    def __init__(self, native: bool) -> None:
        self.native = native
        self._temporary = tempfile.TemporaryDirectory(prefix="midge-")
        folder = self._folder = Path(self._temporary.name)
        backend.lay_out(folder, native)
        (folder / "board_script.py").symlink_to(str(files("midge_host.backends") / "board_script.py"))
        (folder / "main.py").write_text(SCRIPT)
        command = [backend.executable(), "-X", f"heapsize={HEAP}", "main.py"]
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env={"MICROPYPATH": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, model: Path, inputs: list[np.ndarray], weights: str) -> list[np.ndarray]:
        """The outputs, as backends.run() gives them. RuntimeError with what the process said, where it ended."""
        description = read(model)
        source, sink = self._folder / "in.bin", self._folder / "out.bin"
        source.write_bytes(backend.input_bytes(inputs))
        sink.write_bytes(b"")
        todo = backend.job(str(model), description, inputs, weights, self.native, str(source), str(sink))
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(todo) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line.startswith("{"):
            interpreter.cache_clear()
            rest = self._process.communicate()[0]
            raise RuntimeError(f"MicroPython, code {self._process.returncode}: {line}{rest}")
        if error := json.loads(line).get("error"):
            raise RuntimeError(f"MicroPython: {error}")
        return backend.result(line, sink.read_bytes(), description, len(inputs[0])).outputs


@cache
def interpreter(native: bool) -> Interpreter:
    return Interpreter(native)
