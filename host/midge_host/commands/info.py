"""`midge info`: what a .midge file holds and needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..device import spec
from ..device.banks import RECURRENT
from ..device.model_file import ModelFile, TensorInfo, read
from ..device.registry import macs, parameter_bytes, record_shapes
from ..errors import printable
from . import COMMANDS, MODEL

# Heap that stock MicroPython leaves free after boot, in bytes, and what the library and its native module take of it.
BOARDS = {
    "Raspberry Pi Pico (RP2040)": 240_000,
    "Raspberry Pi Pico 2 (RP2350)": 480_000,
    "ESP32-C3": 180_000,
    "ESP32": 110_000,
    "micro:bit v2 (nRF52833)": 60_000,
}
LIBRARY_BYTES = 18_000
# Of further banks' native modules, where a model needs them.
BANK_BYTES = {"tensor": 4_800, "wide": 9_800, "recurrent": 4_700, "math": 8_100, "trees": 10_400, "audio": 6_100}
AFRESH = "starts afresh at each prediction"


def facts(path: Path) -> dict[str, Any]:
    """Everything `midge info` shows, as plain data for --json."""
    model = read(path)
    size = path.stat().st_size
    raw = sum(parameter_bytes(r) for r in model.records)
    work = sum(macs(r) for r in model.records)
    source_work = model.info.get("source_macs")
    return {
        "file": str(path),
        "file_bytes": size,
        "format": spec.FORMAT_VERSION,
        **{key: model.info.get(key) for key in ("name", "source", "sha256", "midge")},
        "macs": work,
        "source_macs": source_work if isinstance(source_work, int) else work,
        "weights_bytes": len(model.weights),
        "parameter_bytes": raw,
        "overhead_percent": round(100 * (size - raw) / raw, 2) if raw else None,
        "arena_bytes": model.arena_bytes,
        "scratch_bytes": model.arena_bytes - tensors_end(model),
        "window_bytes": model.window_bytes,
        "inputs": [_tensor(t) for t in model.inputs],
        "outputs": [_tensor(t) for t in model.outputs],
        "labels": model.labels,
        "modules": [bank.module for bank in model.banks],
        "streaming": len(model.init) > 0,
        "memory": memory(model),
        "layers": [_layer(model, i) for i in range(len(model.records))],
        "boards": [_board(model, name, heap) for name, heap in BOARDS.items()],
    }


def memory(model: ModelFile) -> str:
    """What a model keeps between predictions, in words; "" for one whose layers could keep nothing."""
    if model.init:
        return "keeps what it saw from one prediction to the next; reset() clears it"
    recurrent = any(model.operator(i).bank is RECURRENT for i in range(len(model.records)))
    return AFRESH if recurrent else ""


def tensors_end(model: ModelFile) -> int:
    """Bytes of the arena that tensors need; kernels use what lies behind for speed, and what else is free."""
    ends = [t.offset + t.bytes for t in model.inputs + model.outputs]
    for record in model.records:
        ends.append(record["output"] + record["output_bytes"])
    return max(ends)


def _tensor(tensor: TensorInfo) -> dict[str, Any]:
    keys = ("name", "dtype", "scale", "zero_point", "offset", "bytes")
    lists = ("shape", "channel_scales", "channel_zero_points")
    found = {**{k: getattr(tensor, k) for k in keys}, **{k: list(getattr(tensor, k)) for k in lists}}
    if tensor.dtype == "uint8":  # held as int8, 128 less
        found["zero_point"] += 128
    return found


def _layer(model: ModelFile, index: int) -> dict[str, Any]:
    record = model.records[index]
    source, output = record_shapes(record)
    return {
        "name": model.names[index],
        "operator": model.operator(index).name,
        "input_shape": source,
        "output_shape": output,
        "macs": macs(record),
        "weights_bytes": record["blocks"] * record["block_bytes"],
        "input_offset": record["input"],
        "output_offset": record["output"],
        "scratch_bytes": record["scratch_bytes"],
    }


def _board(model: ModelFile, name: str, heap: int) -> dict[str, Any]:
    needs = {
        "ram": model.arena_bytes + len(model.weights),
        "stream": model.arena_bytes + model.window_bytes,
    }
    program = len(model.records) * spec.RECORD_BYTES
    free = heap - LIBRARY_BYTES - sum(BANK_BYTES.get(bank.name, 0) for bank in model.banks) - program
    mode = next((m for m, need in needs.items() if need <= free), None)
    least = needs["stream"]
    return {
        "board": name,
        "fits": mode is not None,
        "weights": mode,
        "why": f"needs {needs[mode]:,} of about {free:,} bytes" if mode else f"needs {least:,}, about {free:,} free",
    }


def show(facts: dict[str, Any]) -> None:
    """Prints `facts` as tables."""
    out = Console(width=None if Console().is_terminal else 110)
    title = printable(escape(f"{facts['name']} from {facts['source']} (midge {facts['midge']})"))
    out.print(f"[b]{title}[/b]", highlight=False)
    table = Table(box=None, header_style="bold")
    for column in ("#", "layer", "operator", "input", "output", "MACs", "weights"):
        table.add_column(column, justify="right" if column in ("#", "MACs", "weights") else "left", no_wrap=True)
    for i, layer in enumerate(facts["layers"]):
        table.add_row(
            str(i),
            printable(escape(layer["name"])),
            layer["operator"],
            "x".join(map(str, layer["input_shape"])),
            "x".join(map(str, layer["output_shape"])),
            f"{layer['macs']:,}" if layer["macs"] else "",
            f"{layer['weights_bytes']:,}" if layer["weights_bytes"] else "",
        )
    out.print(table)
    overhead = f", {facts['overhead_percent']} % over int8 weights and int32 biases" if facts["parameter_bytes"] else ""
    dropped = f"; {facts['source_macs']:,} in the source model, channels that cannot matter included"
    lines = [
        f"file             {facts['file_bytes']:,} bytes{overhead}",
        f"MACs             {facts['macs']:,}{dropped if facts['source_macs'] != facts['macs'] else ''}",
        f"working memory   {facts['arena_bytes']:,} bytes exactly, {facts['scratch_bytes']:,} of them scratch; "
        f"streaming needs {facts['window_bytes']:,} more",
    ]
    for kind in ("inputs", "outputs"):
        for t in facts[kind]:
            lines.append(
                f"{kind[:-1]:16} {t['name']} {t['dtype']} {'x'.join(map(str, t['shape']))}, "
                f"scale {t['scale']:.9g}, zero point {t['zero_point']}"
            )
            if t["channel_scales"]:
                pairs = zip(t["channel_scales"], t["channel_zero_points"], strict=True)
                (scale, zero_point), *others = [(f"{scale:.9g}", zero_point) for scale, zero_point in pairs]
                text = ", ".join([f"{scale} (zero point {zero_point})", *(f"{s} ({z})" for s, z in others)])
                lines.append(f"{'':16} real values have a scale for each of {len(others) + 1} channels: {text}")
    if facts["memory"]:
        lines.append(f"memory           {facts['memory']}")
    if len(facts["modules"]) > 1:
        lines.append(f"native modules   {', '.join(facts['modules'])}")
    if facts["labels"]:
        lines.append(f"labels           {', '.join(facts['labels'])}")
    for board in facts["boards"]:
        verdict = f"fits, weights: {board['weights']}" if board["fits"] else "does not fit"
        lines.append(f"{board['board']:30} {verdict} ({board['why']})")
    out.print(printable("\n".join(lines)), highlight=False, markup=False)


@click.command("info", help=COMMANDS["info"])
@MODEL
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(model: Path, as_json: bool) -> None:
    found = facts(model)
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        show(found)
