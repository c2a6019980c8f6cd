"""Writes the tables of docs/boards.md: `make boards-report`, some minutes on emulated boards.

    python bench/boards.py [MODEL...]

Needs the reference models in ../shared/data; with names, measures only these and leaves the page alone.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from midge_host import backends, generate
from midge_host.backends.counts import of_prediction
from midge_host.boards import qemu
from midge_host.commands import bench, info
from midge_host.conversion import convert
from midge_host.device.spec import RECORD_BYTES
from midge_host.errors import CheckFailed
from midge_host.targets.catalogue.boards import BOARDS as CATALOGUE
from midge_host.targets.catalogue.verdicts import LIBRARY_BYTES

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data" / "models"
PAGE = ROOT / "docs" / "boards.md"
MANIFEST = ROOT / "native_modules" / "prebuilt" / "manifest.json"
MODELS = {
    "kws_ref_model": "keyword spotting (MLPerf Tiny)",
    "vww_96_int8": "person detection (MLPerf Tiny VWW)",
    "pretrainedResnet_quant": "image classification (MLPerf Tiny)",
    "ad01_int8": "anomaly detection (MLPerf Tiny)",
    "person_detect": "person detection (TFLM)",
    "micro_speech_quantized": "yes/no (TFLM)",
    "str_ww_ref_model": "wake word (MLPerf Tiny)",
    "magic_wand": "gestures",
    "mnist_cnn_int8": "digits",
    "hello_world_int8": "sine (TFLM)",
}
WEIGHTS = ("ram", "stream", "map")
# The board that the emulator stands for, its module, and how it is tested.
BOARDS = {
    "Raspberry Pi Pico (RP2040)": ("armv6m", "`pico`: MicroPython's rp2 port in an emulator of the chip; `qemu-m0`"),
    "Raspberry Pi Pico 2 (RP2350)": ("armv7emsp", "`qemu-m4`: MicroPython on a Cortex-M4F"),
    "ESP32-C3": ("rv32imc", "`qemu-rv32`: MicroPython on a RISC-V core"),
    "ESP32": ("xtensawin", "`qemu-xtensa`: the module's machine code alone, on an Xtensa core"),
    "micro:bit v2 (nRF52833)": ("armv7emsp", "`qemu-m4`"),
}
HEAP = {board.name: int(board.heap.value) for board in CATALOGUE if board.heap}
COUNTING = {"rv32imc": "qemu-rv32", "xtensawin": "qemu-xtensa"}  # backends that count instructions
# The two modules that a Cortex-M4 or M33 can load, compared on these models.
CORTEX_M4 = ("vww_96_int8", "kws_ref_model", "pretrainedResnet_quant", "ad01_int8")
CORTEX_M4_MODULES = ("armv7emsp", "armv6m")


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def modules() -> str:
    manifest = json.loads(MANIFEST.read_text())
    rows = []
    for name, entry in manifest.items():
        if name == "wasm":  # for browsers
            continue
        arch = name.split("-")[1]
        names = ", ".join(name for name, (module, _) in BOARDS.items() if module == arch) or "MicroPython on a PC"
        rows.append([name, names, number(entry["text"]), number(entry["bytes"])])
    return table(["module", "boards", "code", "file"], rows)


def boards(library: int) -> str:
    rows = []
    for name, (arch, how) in BOARDS.items():
        heap = HEAP[name]
        rows.append([name, arch, number(heap), number(heap - library), how])
    return table(["board", "module", "heap after boot", "left with midge loaded", "tested as"], rows)


def fits(facts: dict[str, dict[str, Any]]) -> str:
    rows = []
    for name, model in facts.items():
        row = [name, number(model["arena_bytes"]), number(model["weights_bytes"])]
        for board in BOARDS:
            free = HEAP[board] - LIBRARY_BYTES - RECORD_BYTES * len(model["layers"])
            extra = {"ram": model["weights_bytes"], "stream": model["window_bytes"], "map": 0}
            modes = [mode for mode, size in extra.items() if model["arena_bytes"] + size <= free]
            row.append(", ".join(modes) or "no")
        rows.append(row)
    return table(["model", "arena", "weights", *BOARDS], rows)


def pico(measured: dict[str, dict[str, dict[str, Any]]]) -> str:
    rows = []
    for name, modes in measured.items():
        for mode, result in modes.items():
            heap = result["heap"]
            cycles = result["cycles"]
            rows.append(
                [
                    name,
                    mode,
                    number(cycles),
                    f"{result['milliseconds']:,.1f}",
                    f"{result['cycles_per_mac']:.1f}",
                    number(heap["loaded"]),
                    number(heap["peak"]),
                ]
            )
    return table(["model", "weights", "cycles", "ms", "cycles/MAC", "heap", "smallest free piece"], rows)


def instructions(counts: dict[str, dict[str, int | None]]) -> str:
    rows = [[name, *(number(counts[name].get(arch)) for arch in COUNTING)] for name in counts]
    return table(["model", *COUNTING], rows)


def count_instructions(path: Path, name: str) -> dict[str, int | None]:
    counts = {}
    with np.load(SHARED / f"{name}.npz") as data:
        inputs = [data["inputs"][:1]]
    for arch, backend in COUNTING.items():
        why = backends.problem(backend)
        if why:
            print(f"{backend}: {why}", file=sys.stderr)
        counts[arch] = None if why else of_prediction(backend, path, inputs)
    return counts


def count_on_cortex_m4(path: Path, name: str) -> list[str]:
    """Instructions of a prediction with each of CORTEX_M4_MODULES, MicroPython included."""
    with np.load(SHARED / f"{name}.npz") as data:
        inputs = [data["inputs"][:1]]
    row = [name]
    for arch in CORTEX_M4_MODULES:
        with mock.patch.dict(qemu.BOARDS, {"qemu-m4": replace(qemu.BOARDS["qemu-m4"], arch=arch)}):
            row.append(number(backends.run("qemu-m4", path, inputs, "map").instructions))
    return row


def measure(path: Path) -> dict[str, dict[str, Any]]:
    """Results of bench() by place of the weights, for those places in which the model fits the Pico."""
    results = {}
    for mode in WEIGHTS:
        with contextlib.suppress(CheckFailed):
            results[mode] = bench.bench(path, "pico", mode)
    return results


def main() -> None:
    if not SHARED.is_dir():
        raise SystemExit("report: the reference models (../shared/data) are not here")
    wanted = sys.argv[1:] or list(MODELS)
    facts, measured, counts, cortex_m4 = {}, {}, {}, []
    with tempfile.TemporaryDirectory() as folder:
        for name in wanted:
            print(name, file=sys.stderr)
            path = Path(folder) / f"{name}.midge"
            convert(SHARED / f"{name}.tflite", path)
            title = f"{name}: {MODELS.get(name, '')}".rstrip(": ")
            facts[title] = info.facts(path)
            measured[name] = measure(path)
            counts[name] = count_instructions(path, name)
            if name in CORTEX_M4 and not qemu.problem("qemu-m4"):
                cortex_m4.append(count_on_cortex_m4(path, name))
    library = max(r["heap"]["library"] for modes in measured.values() for r in modes.values())
    sections = {
        "modules": modules,
        "boards": lambda: boards(library),
        "fits": lambda: fits(facts),
        "pico": lambda: pico(measured),
        "instructions": lambda: instructions(counts),
        "cortex-m4": lambda: table(["model", *CORTEX_M4_MODULES], cortex_m4),
    }
    if sys.argv[1:]:
        print("\n".join(make() for make in sections.values()))
    else:
        PAGE.write_text(generate.fill(PAGE.read_text(), sections))


if __name__ == "__main__":
    main()
