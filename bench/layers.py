"""docs/layers.md: layers of Keras and others, converted and run, beside the framework that they come from.

`python bench/layers.py` prints the tables; `--update` writes them; names of layers behind it choose.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

PAGE = Path(__file__).resolve().parents[1] / "docs" / "layers.md"
FRAMEWORKS = ("keras", "torch")  # a module layers_NAME here, with cases(), and a marker in the page
CALIBRATION, TESTS = 200, 50  # readings
AGREES = 15  # dB


@dataclass
class Case:
    """shapes: of the inputs, without batch. make: gives the model. predict: what it makes of readings (N, *shape) in
    floats."""

    shapes: list[tuple[int, ...]]
    make: Callable[[], Any]
    predict: Callable[[Any, list[np.ndarray]], list[np.ndarray]]


class Result(NamedTuple):
    """decibels: the least signal-to-noise ratio of an output; operators: of the device, with their number."""

    decibels: float = 0.0
    operators: str = ""
    bytes: int = 0
    problem: str = ""

    @property
    def agrees(self) -> bool:
        return not self.problem and self.decibels >= AGREES


def measure(case: Case) -> Result:
    """Converts a layer's model and runs it on readings that it was not calibrated with."""
    from midge_host import backends, convert
    from midge_host.errors import MidgeError

    random = np.random.default_rng(1)
    typical, tests = (
        [random.normal(0, 1, (count, *shape)).astype(np.float32) for shape in case.shapes]
        for count in (CALIBRATION, TESTS)
    )
    model = case.make()
    expected = case.predict(model, tests)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "layer.midge")
        example = [values[:1] for values in typical]
        try:
            made = convert(model, path, example=example, calibration=typical, allow_loss=True)
        except MidgeError as error:
            return Result(problem=str(error))
        readings = [turned(values, tensor.shape) for values, tensor in zip(tests, made.inputs, strict=True)]
        outputs = backends.run("cpython", path, readings).outputs
        size = path.stat().st_size
    kinds = Counter(made.operator(i).name for i in made.predict)
    operators = ", ".join(name if count == 1 else f"{count} {name}" for name, count in kinds.items())
    ratios = [
        decibels(turned(want, tensor.shape).reshape(len(want), -1), tensor.real(got).reshape(len(want), -1))
        for want, tensor, got in zip(expected, made.outputs, outputs, strict=True)
    ]
    return Result(min(ratios), operators, size)


def turned(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """(N, *shape) of values whose channels may be first where the shape, with its batch of 1, has them last."""
    if values.shape[1:] != shape[1:] and np.moveaxis(values, 1, -1).shape[1:] == shape[1:]:
        values = np.moveaxis(values, 1, -1)
    return values.reshape(len(values), *shape[1:])


def decibels(expected: np.ndarray, got: np.ndarray) -> float:
    """Of the signal to the noise; 99 at most."""
    noise = float(np.square(expected.astype(np.float64) - got).sum())
    signal = float(np.square(expected.astype(np.float64)).sum())
    return min(99.0, 10 * float(np.log10(signal / noise))) if noise and signal else 99.0


def table(results: dict[str, Result]) -> str:
    rows = ["| layer | signal to noise | on the device | bytes |", "| --- | --- | --- | --- |"]
    for name, result in results.items():
        if result.problem:
            rows.append(f"| {name} | - | {result.problem.replace('|', '/')} | - |")
        else:
            mark = "" if result.agrees else " (differs)"
            rows.append(f"| {name} | {result.decibels:.0f} dB{mark} | {result.operators} | {result.bytes:,} |")
    count = sum(result.agrees for result in results.values())
    return "\n".join([*rows, "", f"{count} of {len(results)} convert and agree.", ""])


def cases(framework: str) -> dict[str, Case]:
    return import_module(f"layers_{framework}").cases()


def main(arguments: Iterable[str]) -> None:
    from midge_host.generate import fill

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    chosen = set(arguments) - {"--update"}
    for framework in FRAMEWORKS:
        results = {}
        for name, case in cases(framework).items():
            if not chosen or name in chosen:
                results[name] = measure(case)
                print(name, results[name], file=sys.stderr, flush=True)
        text = table(results)
        print(text)
        if "--update" in arguments and not chosen:
            PAGE.write_text(fill(PAGE.read_text(), {framework: partial(table, results)}))


if __name__ == "__main__":
    main(sys.argv[1:])
