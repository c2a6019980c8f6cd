"""`midge bench`: what a prediction costs on an emulated board, layer by layer, and in heap. docs/bench.md."""

from __future__ import annotations

import json
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console

from .. import backends
from ..backends import counts
from ..backends.micropython import buffers, input_bytes
from ..boards import pico
from ..device.model_file import ModelFile, read
from ..device.registry import macs
from ..errors import CheckFailed, MidgeError
from . import COMMANDS, MODEL
from .tables import print_lines, print_table

# The board: the backend that counts its instructions; the Pico's cycles have a way of their own.
BOARDS = {
    "pico": "pico",
    "pico2": counts.ARM,
    "esp32": counts.XTENSA,
    "esp32s3": counts.XTENSA,
    "esp32c3": counts.RISC_V,
    "esp32c6": counts.RISC_V,
}
HOW = {
    "cycles": "modelled: each instruction's, by table 3-1 of ARM's Cortex-M0+ Technical Reference Manual",
    "instructions": "counted: all of an emulated core; their cycles on the chip are not modelled",
    "heap": "measured: by MicroPython on the emulated board",
}
HEAP_STEP = 512  # bytes to which the heap's peak is found


def bench(path: Path, board: str = "pico", weights: str = "auto") -> dict[str, Any]:
    """Runs a model on an emulated board, on a reading of random values.

    Returns plain data for --json: `unit`, cycles or instructions, and under that name how many a prediction takes, and
    of it MicroPython, the reading and each layer; `how` these were found; and heap in bytes: `idle_free` on the board
    before midge; above that `library` with its native module, and `loaded` with the model too; `peak` is the smallest
    free piece of heap in which importing midge, loading and predicting succeed.
    Raises CheckFailed when the model does not fit the board.
    """
    if board not in BOARDS:
        raise MidgeError(f"no board {board!r} to measure on; there are: {', '.join(BOARDS)}")
    if weights not in backends.WEIGHTS:
        raise MidgeError(f"--weights {weights}: choose one of {', '.join(backends.WEIGHTS)}")
    backend = BOARDS[board]
    why = backends.problem(backend)
    if why:
        raise MidgeError(f"board {board}: {why}")
    model = read(path)
    if backend != "pico":
        model.refuse_sound(f"midge bench --board {board}")
        return _instructions(path, model, board, weights)
    report, cycles, native, reading, by_layer = on_pico(path, weights)
    layers = _layers(model, "cycles", by_layer)
    heap = report["heap"]
    heap["peak"] = _peak(path, report["weights"], heap["loaded"])
    return {
        "model": model.info.get("name"),
        "board": board,
        "unit": "cycles",
        "how": {name: HOW[name] for name in ("cycles", "heap")},
        "clock_hz": pico.CLOCK_HZ,
        "weights": report["weights"],
        "milliseconds": 1e3 * cycles / pico.CLOCK_HZ,
        "share": _share(model, cycles, layers),
        **_per_mac("cycles", cycles, sum(macs(r) for r in model.whole.records)),
        "arena_bytes": model.arena_bytes,
        "heap": heap,
        "reading": {"name": "reading", "cycles": reading},
        "micropython": {"name": "MicroPython", "cycles": cycles - native},
        "layers": layers,
    }


def on_pico(path: Path, weights: str) -> tuple[dict[str, Any], int, int, int, list[int]]:
    """What pico_bench.py reports, and cycles: of a prediction; and the native module's in it, in the reading alone and
    in each layer alone."""
    try:
        done = start("pico_bench.py", path, weights)
    except MidgeError as error:
        if "MemoryError" not in str(error):
            raise
        raise CheckFailed(str(error)) from None
    stamp, cycles = (after - before for before, after in pairwise(cycle for _, cycle in done.marks[:3]))
    native, reading, *by_layer = (after - before for before, after in pairwise(done.in_ram[1:]))
    return json.loads(done.report), cycles - stamp, native, reading, by_layer


def _share(model: ModelFile, cycles: int, layers: list[dict[str, Any]]) -> float | None:
    """The part of the board's time that a model of sound takes: its frames, and predictions, with all that is not a
    layer counted with the frames."""
    if model.sound is None:
        return None
    predicting = sum(layer["cycles"] for layer in layers[len(model.feed) :])
    seconds = model.sound.every * model.sound.hop / model.sound.rate
    return ((cycles - predicting) * model.sound.every + predicting) / (seconds * pico.CLOCK_HZ)


def _instructions(path: Path, model: ModelFile, board: str, weights: str) -> dict[str, Any]:
    """Of a board whose core counts instructions, with weights in memory."""
    if weights == "stream":
        raise MidgeError(f"--weights stream: on {board}, instructions are counted with weights in memory only")
    weights = "map" if weights == "map" else "ram"
    found = counts.count(BOARDS[board], path, model, weights, backends.random_readings(model))
    unit, native = "instructions", found.reading + sum(found.layers) + found.result
    return {
        "model": model.info.get("name"),
        "board": board,
        "unit": unit,
        "how": {name: HOW[name] for name in (unit, *(["heap"] if found.heap else []))},
        "weights": weights,
        **_per_mac(unit, native + (found.micropython or 0), sum(macs(r) for r in model.whole.records)),
        "arena_bytes": model.arena_bytes,
        "heap": found.heap,
        "reading": {"name": "reading", unit: found.reading},
        "result": {"name": "result", unit: found.result},
        "micropython": None if found.micropython is None else {"name": "MicroPython", unit: found.micropython},
        "layers": _layers(model, unit, found.layers),
    }


def start(script: str, path: Path, weights: str, readings: list[np.ndarray] | None = None, **more: Any) -> pico.Run:
    """Runs one of the board scripts of this measurement; random int8 `readings` if none are given."""
    model = read(path)
    if readings is None:
        readings = backends.random_readings(model)
    job = {
        "model": pico.model_path(weights),
        "weights": weights,
        **buffers(model),
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


def _per_mac(unit: str, number: int, work: int) -> dict[str, Any]:
    return {unit: number, "macs": work, f"{unit}_per_mac": number / work if work else None}


def _layers(model: ModelFile, unit: str, numbers: list[int]) -> list[dict[str, Any]]:
    return [
        {
            "name": model.names[i],
            "operator": model.operator(i).name,
            **_per_mac(unit, number, macs(model.whole.records[i])),
        }
        for i, number in zip([*model.feed, *model.predict], numbers, strict=True)
    ]


def show(result: dict[str, Any]) -> None:
    """Prints what bench() found as tables."""
    unit = result["unit"]
    header = ("#", "layer", "operator", "MACs", unit, "%", f"{unit}/MAC")

    def row(number: str, name: str, entry: dict[str, Any]) -> tuple[str, ...]:
        by_mac = entry.get(f"{unit}_per_mac")
        return (
            number,
            name,
            entry.get("operator", ""),
            f"{entry['macs']:,}" if entry.get("macs") else "",
            f"{entry[unit]:,}",
            f"{100 * entry[unit] / result[unit]:.1f}",
            f"{by_mac:.1f}" if by_mac else "",
        )

    rows = [row("", "reading", result["reading"])]
    rows += [row(str(i), layer["name"], layer) for i, layer in enumerate(result["layers"])]
    if "result" in result:
        rows.append(row("", "result", result["result"]))
    if result["micropython"]:
        rows.append(row("", "MicroPython", result["micropython"]))
    rows.append(row("", "one prediction" if result["micropython"] else "the native modules", result))
    print_table(header, rows, words=("layer", "operator"), bold_last=True)
    print_lines(_lines(result))


def _lines(result: dict[str, Any]) -> list[str]:
    """What stands below the table."""
    heap, lines = result["heap"], []
    if "milliseconds" in result:
        lines.append(f"time      {result['milliseconds']:,.2f} ms at {result['clock_hz'] // 1_000_000} MHz")
    if result.get("share"):
        share = f"listening takes {result['share']:.0%} of the board's time in all"
        lines.append(f"          a frame of sound and a prediction; {share}")
    if not result["micropython"]:
        lines.append("          MicroPython's share is not known: none runs on this emulated core")
    lines.append(f"weights   {result['weights']}")
    if heap:
        lines.append(
            f"heap      {heap['loaded']:,} bytes: {heap['library']:,} midge and its native module, "
            f"{result['arena_bytes']:,} arena"
        )
    if heap and "peak" in heap:
        free = f"an idle board has {heap['idle_free']:,} free"
        lines.append(f"          fits a free piece of {heap['peak']:,} bytes ({free})")
    for name, how in result["how"].items():
        kind, _, rest = how.partition(": ")
        lines.append(f"{kind:10}{name}: {rest}")
    return lines


@click.command("bench", help=COMMANDS["bench"])
@MODEL
@click.option("--board", default="pico", show_default=True, help=f"The emulated board: {', '.join(BOARDS)}.")
@click.option("--weights", default="auto", show_default=True, help="auto, ram, map (from ROMFS) or stream.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(model: Path, board: str, weights: str, as_json: bool) -> None:
    with Console(stderr=True).status(f"running on an emulated {board}"):
        result = bench(model, board, weights)
    if as_json:
        click.echo(json.dumps(result, indent=2))
    else:
        show(result)
