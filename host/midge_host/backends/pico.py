"""An emulated Raspberry Pi Pico as a backend: stock MicroPython, its files on a LittleFS disk, cycles counted."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import numpy as np

from ..boards import pico
from ..device.model_file import read
from . import RunResult
from .micropython import input_bytes, job, result

MAIN = """import json
from board_script import main
with open("job.json") as file:
    job = json.load(file)
main(job)
"""


def problem(name: str) -> str | None:
    return pico.problem()


def run(name: str, model: Path, inputs: list[np.ndarray], weights: str, reset: bool) -> RunResult:
    description = read(model)
    path = pico.model_path(weights)
    todo = job(path, description, inputs, weights, True, "in.bin", "out.bin", reset)
    disk = pico.library() | {
        "main.py": MAIN.encode(),
        "board_script.py": (files(__package__) / "board_script.py").read_bytes(),
        "job.json": json.dumps(todo).encode(),
        "in.bin": input_bytes(inputs),
    }
    done = pico.run(*pico.with_model(disk, model, weights), collect=["out.bin"])
    answer = result(done.report, done.files["out.bin"], description, len(inputs[0]))
    stamps = [cycle for _, cycle in done.marks]
    if stamps:
        answer.cycles = sum(b - a for a, b in zip(stamps[::2], stamps[1::2], strict=True)) * 2 // len(stamps)
        answer.microseconds = answer.cycles * 1e6 / pico.CLOCK_HZ
    return answer
