"""`midge bench`: what a prediction costs on an emulated board, in cycles per layer and in heap. docs/bench.md."""

from __future__ import annotations

import json
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .. import backends
from ..backends.local import TYPE_CODES
from ..backends.micropython import input_bytes
from ..boards import pico
from ..device.model_file import ModelFile, read
from ..device.registry import macs
from ..errors import CheckFailed, MidgeError
from . import COMMANDS, MODEL

BOARDS = ("pico",)
HEAP_STEP = 512  # bytes to which the heap's peak is found


def bench(path: Path, board: str = "pico", weights: str = "auto") -> dict[str, Any]:
    """Runs a model on an emulated board, on a reading of random values.

    Returns plain data for --json: cycles and milliseconds of one prediction, of them MicroPython's; the native module's
    cycles for the reading and for each layer; and heap in bytes:
    `idle_free` on the board before midge; above that `library` with its native module, and `loaded` with the model
    too; `peak` is the smallest free piece of heap in which importing midge, loading and predicting succeed.
    Raises CheckFailed when the model does not fit the board.
    """
    if board not in BOARDS:
        raise MidgeError(f"no board {board!r} to measure on; there are: {', '.join(BOARDS)}")
    if weights not in backends.WEIGHTS:
        raise MidgeError(f"--weights {weights}: choose one of {', '.join(backends.WEIGHTS)}")
    why = pico.problem()
    if why:
        raise MidgeError(f"board {board}: {why}")
    model = read(path)
    try:
        done = start("pico_bench.py", path, weights)
    except MidgeError as error:
        if "MemoryError" not in str(error):
            raise
        raise CheckFailed(str(error)) from None
    report = json.loads(done.report)
    stamp, cycles = (after - before for before, after in pairwise(cycle for _, cycle in done.marks[:3]))
    cycles -= stamp
    # The native module's cycles: of the prediction, of the reading and of each layer by itself.
    native, reading, *by_layer = (after - before for before, after in pairwise(done.in_ram[1:]))
    layers = [_layer(model, i, count) for i, count in zip(model.predict, by_layer, strict=True)]
    heap = report["heap"]
    heap["peak"] = _peak(path, report["weights"], heap["loaded"])
    return {
        "model": model.info.get("name"),
        "board": board,
        "clock_hz": pico.CLOCK_HZ,
        "weights": report["weights"],
        "cycles": cycles,
        "milliseconds": 1e3 * cycles / pico.CLOCK_HZ,
        **_per_mac(cycles, sum(macs(r) for r in model.records)),
        "arena_bytes": model.arena_bytes,
        "heap": heap,
        "reading": {"name": "reading", "cycles": reading},
        "micropython": {"name": "MicroPython", "cycles": cycles - native},
        "layers": layers,
    }


def start(script: str, path: Path, weights: str, readings: list[np.ndarray] | None = None, **more: Any) -> pico.Run:
    """Runs one of the board scripts of this measurement; random int8 `readings` if none are given."""
    model = read(path)
    if readings is None:
        rng = np.random.default_rng(0)
        bytes_of = [rng.integers(-128, 128, t.bytes).astype(np.int8) for t in model.inputs]
        readings = [b.view(t.element).reshape(1, *t.shape) for b, t in zip(bytes_of, model.inputs, strict=True)]
    job = {
        "model": pico.model_path(weights),
        "weights": weights,
        "inputs": [[TYPE_CODES[t.element], t.bytes] for t in model.inputs],
        "outputs": [[TYPE_CODES[t.element], t.bytes] for t in model.outputs],
        "operators": len(model.records),
        **more,
    }
    disk = pico.library() | {
        "main.py": (files(pico.__package__) / script).read_bytes(),
        "job.json": json.dumps(job).encode(),
        "in.bin": input_bytes(readings),
    }
    return pico.run(*pico.with_model(disk, path, weights))


def _peak(path: Path, weights: str, loaded: int) -> int:
    """The smallest free piece of heap in which the model loads, to HEAP_STEP bytes; predict_into needs no more."""

    def enough(leave: int) -> bool:
        return start("pico_heap.py", path, weights, leave=leave, predict=False).report != "too little"

    low, step = loaded - 1, 2 * HEAP_STEP
    high = low + step
    while not enough(high):
        step *= 2
        low, high = high, high + step
    while high - low > HEAP_STEP:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _per_mac(cycles: int, count: int) -> dict[str, Any]:
    return {"macs": count, "cycles_per_mac": cycles / count if count else None}


def _layer(model: ModelFile, index: int, cycles: int) -> dict[str, Any]:
    return {
        "name": model.names[index],
        "operator": model.operator(index).name,
        "cycles": cycles,
        **_per_mac(cycles, macs(model.records[index])),
    }


def show(result: dict[str, Any]) -> None:
    """Prints what bench() found as tables."""
    out = Console(width=None if Console().is_terminal else 110)
    table = Table(box=None, header_style="bold")
    table.add_column("#", justify="right")
    table.add_column("layer")
    table.add_column("operator")
    for column in ("MACs", "cycles", "%", "cycles/MAC"):
        table.add_column(column, justify="right")

    def row(number: str, name: str, entry: dict[str, Any], style: str = "") -> None:
        table.add_row(
            number,
            escape(name),
            entry.get("operator", ""),
            f"{entry['macs']:,}" if entry.get("macs") else "",
            f"{entry['cycles']:,}",
            f"{100 * entry['cycles'] / result['cycles']:.1f}",
            f"{entry['cycles_per_mac']:.1f}" if entry.get("cycles_per_mac") else "",
            style=style,
        )

    row("", "reading", result["reading"])
    for i, layer in enumerate(result["layers"]):
        row(str(i), layer["name"], layer)
    row("", "MicroPython", result["micropython"])
    row("", "one prediction", result, "bold")
    out.print(table)
    heap = result["heap"]
    lines = [
        f"time      {result['milliseconds']:,.2f} ms at {result['clock_hz'] // 1_000_000} MHz",
        f"weights   {result['weights']}",
        f"heap      {heap['loaded']:,} bytes: {heap['library']:,} midge and its native module, "
        f"{result['arena_bytes']:,} arena",
        f"          fits a free piece of {heap['peak']:,} bytes (an idle board has {heap['idle_free']:,} free)",
    ]
    out.print("\n".join(lines), highlight=False)


@click.command("bench", help=COMMANDS["bench"])
@MODEL
@click.option("--board", default="pico", show_default=True, help="The emulated board to measure on.")
@click.option("--weights", default="auto", show_default=True, help="auto, ram, map (from ROMFS) or stream.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(model: Path, board: str, weights: str, as_json: bool) -> None:
    with Console(stderr=True).status(f"running on an emulated {board}"):
        result = bench(model, board, weights)
    if as_json:
        click.echo(json.dumps(result, indent=2))
    else:
        show(result)
