"""What runs in a browser, under node: the library in JavaScript and the core as WebAssembly."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np

from ..device.model_file import read
from ..errors import MidgeError
from . import RunResult
from .micropython import input_bytes, job, result

LIBRARY = files("midge_host.web") / "midge.mjs"
CORE = files("midge_host.prebuilt") / "wasm.wasm"


def problem(name: str) -> str | None:
    if not shutil.which("node"):
        return "node is not installed; on Debian: apt-get install nodejs"
    if not CORE.is_file():
        return "its core is not built; run: make natmods"
    return None


@cache
def _node() -> subprocess.Popen[str]:
    """A node that waits for jobs, for all models. It ends with this process, whose pipe it reads."""
    script = files(__package__) / "wasm.mjs"
    with as_file(script) as program, as_file(LIBRARY) as library, as_file(CORE) as core:
        command = ["node", str(program), str(library), str(core)]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def run(name: str, model: Path, inputs: list[np.ndarray], weights: str, reset: bool) -> RunResult:
    if weights not in ("auto", "ram"):
        raise MidgeError(f"--weights {weights}: on backend wasm all weights are in memory; choose auto or ram")
    description = read(model)
    with tempfile.TemporaryDirectory(prefix="midge-") as temporary:
        source, sink = Path(temporary) / "in.bin", Path(temporary) / "out.bin"
        source.write_bytes(input_bytes(inputs))
        todo = job(str(model), description, inputs, weights, True, str(source), str(sink), reset)
        node = _node()
        assert node.stdin and node.stdout
        try:
            node.stdin.write(json.dumps(todo) + "\n")
            node.stdin.flush()
            report = node.stdout.readline()
        except OSError:
            report = ""
        if not report:
            _node.cache_clear()
            raise MidgeError(f"node stopped with code {node.wait()}")
        if error := json.loads(report).get("error"):
            raise MidgeError(error)
        return result(report, sink.read_bytes(), description, len(inputs[0]))
