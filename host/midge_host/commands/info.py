"""`midge info`: what a .midge file holds and needs."""

from __future__ import annotations

import json
from itertools import accumulate
from pathlib import Path
from typing import Any

import click

from ..device import spec
from ..device.banks import RECURRENT
from ..device.model_file import ModelFile, TensorInfo, read
from ..device.region import Region
from ..device.registry import macs, parameter_bytes, record_shapes
from ..errors import MidgeError
from ..report.lifetimes import lifetimes
from ..targets.catalogue.battery import Duty, battery, quantity
from ..targets.catalogue.boards import BOARDS
from ..targets.catalogue.figures import CITED, COUNTED, MODELLED
from ..targets.catalogue.verdicts import verdict
from . import COMMANDS, MODEL
from .tables import print_lines, print_table

# The boards that are shown unless all are asked for.
BRIEF = ("pico", "pico2", "esp32c3", "esp32", "microbit2")
KINDS = {COUNTED: "c", MODELLED: "m", CITED: "q"}  # of the heap
# Columns: how long a battery lasts, and who takes what share of it, as Life.shares calls them.
SHARES = {"days": "", "run": "predictions", "sleep": "asleep", "sensor": "sensor", "radio": "radio"}
BOARDS_LEFT = ("board", "fits", "weights", "")  # columns of words
BARE = "bare, without self-test, names and provenance"
AFRESH = "starts afresh at each prediction"


def facts(path: Path, duty: Duty | None = None) -> dict[str, Any]:
    """Everything `midge info` shows, as plain data for --json; duty: how long a battery is to last."""
    model = read(path)
    size = path.stat().st_size
    raw = sum(parameter_bytes(r) for r in model.records)
    whole = model.whole
    work = sum(macs(r) for r in whole.records)
    source_work = model.info.get("source_macs")
    stored = stored_by_place(model)
    return {
        "file": str(path),
        "file_bytes": size,
        "format": spec.FORMAT_VERSION,
        "bare": model.is_bare,
        **{key: model.info.get(key) for key in ("name", "source", "sha256", "midge")},
        "macs": work,
        "source_macs": source_work if isinstance(source_work, int) else work,
        "weights_bytes": len(model.weights),
        "stored_bytes": model.stored_bytes,
        "decoding_bytes": model.decoding_bytes,
        "parameter_bytes": raw,
        "overhead_percent": round(100 * (size - raw) / raw, 2) if raw else None,
        "arena_bytes": model.arena_bytes,
        "scratch_bytes": model.arena_bytes - tensors_bytes(model),
        "window_bytes": model.window_bytes,
        "inputs": [_tensor(t) for t in model.inputs],
        "outputs": [_tensor(t) for t in model.outputs],
        "labels": model.labels,
        "modules": model.modules,
        "streaming": len(model.init) > 0,
        "memory": memory(model),
        "sound": vars(model.sound) if model.sound else None,
        "rows": _rows(model.region) if model.region else None,
        "layers": [_layer(whole, i, stored) for i in range(len(whole.records))],
        "boards": [verdict(model, board, duty) for board in BOARDS],
    }


def in_rows(region: Region) -> str:
    """How the first layers are made, in words."""
    source = ", and the input comes in by rows" if region.is_fed else ""
    return f"The first {region.count} layers are made in strips of rows, in {len(region.turns)} turns{source}."


def _rows(region: Region) -> dict[str, Any]:
    return {"layers": region.count, "turns": len(region.turns), "fed": region.is_fed}


def memory(model: ModelFile) -> str:
    """What a model keeps between predictions, in words; "" for one whose layers could keep nothing."""
    if model.init or model.sound:
        return "keeps what it saw from one prediction to the next; reset() clears it"
    recurrent = any(model.operator(i).bank is RECURRENT for i in range(len(model.records)))
    return AFRESH if recurrent else ""


def tensors_bytes(model: ModelFile) -> int:
    """Bytes of the arena that tensors need at most at a time; what is left kernels use for speed."""
    used = lifetimes(model.whole).used()
    if model.region:
        used[: model.region.count] = [sum(ring.bytes for ring in model.region.rings)]
    return max(used, default=0)


def _heard(sound: dict[str, Any]) -> str:
    step = 1000 * sound["hop"] / sound["rate"]
    text = (
        f"{sound['rate']:,} samples a second; front end {sound['front']}, a frame each {step:g} ms; a prediction each "
        f"{sound['every'] * step:g} ms, the first after {sound['first']} frames"
    )
    if sound["cutoff"]:
        text += f"; an event is a mean above {sound['cutoff']:.4g} in {sound['window']} predictions"
    return text


def _tensor(tensor: TensorInfo) -> dict[str, Any]:
    keys = ("name", "dtype", "scale", "zero_point", "offset", "bytes")
    lists = ("shape", "channel_scales", "channel_zero_points")
    found = {**{k: getattr(tensor, k) for k in keys}, **{k: list(getattr(tensor, k)) for k in lists}}
    if tensor.dtype == "uint8":  # held as int8, 128 less
        found["zero_point"] += 128
    return found


def stored_by_place(model: ModelFile) -> dict[int, int]:
    """Bytes of each piece of the weights in the file, by where it begins among the decoded ones."""
    ends = accumulate((piece["bytes"] for piece in model.pieces()), initial=0)
    return {at: piece["stored_bytes"] for at, piece in zip(ends, model.pieces(), strict=False)}


def _layer(model: ModelFile, index: int, stored: dict[int, int]) -> dict[str, Any]:
    record = model.records[index]
    source, output = record_shapes(record)
    return {
        "name": model.names[index],
        "operator": model.operator(index).name,
        "input_shape": source,
        "output_shape": output,
        "macs": macs(record),
        "weights_bytes": record["blocks"] * record["block_bytes"],
        "stored_bytes": stored[record["weights"]] if record["blocks"] else 0,
        "input_offset": record["input"],
        "output_offset": record["output"],
        "scratch_bytes": record["scratch_bytes"],
    }


def show(facts: dict[str, Any], duty: Duty | None, everywhere: bool) -> None:
    """Prints `facts` as tables; everywhere: with all boards."""
    known = f"{facts['name']} from {facts['source']} (midge {facts['midge']})"
    print_lines([f"{Path(facts['file']).name}: {BARE}" if facts["bare"] else known])
    coded = facts["decoding_bytes"] > 0
    rows = [
        (
            str(i),
            layer["name"],
            layer["operator"],
            "x".join(map(str, layer["input_shape"])),
            "x".join(map(str, layer["output_shape"])),
            f"{layer['macs']:,}" if layer["macs"] else "",
            f"{layer['weights_bytes']:,}" if layer["weights_bytes"] else "",
            *([f"{layer['stored_bytes']:,}" if layer["stored_bytes"] else ""] if coded else []),
        )
        for i, layer in enumerate(facts["layers"])
    ]
    header = ("#", "layer", "operator", "input", "output", "MACs", "weights", *(["in the file"] if coded else []))
    print_table(header, rows, words=("layer", "operator"), left=("input", "output"))
    print_lines(_model_lines(facts))
    if everywhere:
        _show_boards(facts["boards"], duty)
        return
    by_key = {board["key"]: board for board in facts["boards"]}
    for board in (by_key[key] for key in BRIEF):
        fits = f"fits, weights: {board['weights']}" if board["fits"] else "does not fit"
        print_lines([f"{board['board']:30} {fits} ({board['why']})"])


def _model_lines(facts: dict[str, Any]) -> list[str]:
    overhead = f", {facts['overhead_percent']} % over int8 weights and int32 biases" if facts["parameter_bytes"] else ""
    dropped = f"; {facts['source_macs']:,} in the source model, channels that cannot matter included"
    lines = [
        f"file             {facts['file_bytes']:,} bytes{overhead}",
        f"MACs             {facts['macs']:,}{dropped if facts['source_macs'] != facts['macs'] else ''}",
        f"working memory   {facts['arena_bytes']:,} bytes exactly, {facts['scratch_bytes']:,} of them scratch; "
        f"streaming needs {facts['window_bytes']:,} more",
    ]
    if facts["decoding_bytes"]:
        share = 100 * facts["stored_bytes"] / facts["weights_bytes"]
        lines.append(
            f"coded weights    {facts['weights_bytes']:,} bytes in {facts['stored_bytes']:,} of the file "
            f"({share:.0f} %); decoding takes {facts['decoding_bytes']:,} bytes of RAM"
        )
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
    if facts["sound"]:
        lines.append(f"sound            {_heard(facts['sound'])}")
    if facts["memory"]:
        lines.append(f"memory           {facts['memory']}")
    if len(facts["modules"]) > 1:
        lines.append(f"native modules   {', '.join(facts['modules'])}")
    if facts["labels"]:
        lines.append(f"labels           {', '.join(facts['labels'])}")
    return lines


def _show_boards(boards: list[dict[str, Any]], duty: Duty | None) -> None:
    """A row for each board, and below the table what its figures are."""
    header, rows = boards_table(boards, duty)
    print_table(header, rows, words=(), left=BOARDS_LEFT)
    print_lines(boards_notes(boards, duty))


def boards_table(boards: list[dict[str, Any]], duty: Duty | None = None) -> tuple[list[str], list[list[str]]]:
    """The header, and a row for each board."""
    header = ["board", "fits", "weights", "needs", "free", "", "ms", "µJ", *(SHARES if duty else ())]
    rows = []
    for board in boards:
        ms, energy = board["milliseconds"], board["microjoules"]
        more = "> " if ms and ms["missing"] else ""
        row = [
            board["key"],
            "?" if board["fits"] is None else "yes" if board["fits"] else "no",
            board["weights"] or "-",
            f"{board['needs_bytes']:,}",
            f"{board['free_bytes']:,}" if board["heap"] else "-",
            KINDS[board["heap"]["kind"]] if board["heap"] else "",
            more + _short(ms["value"]) if ms else "-",
            more + _short(energy["value"]) if energy else "-",
        ]
        rows.append(row + _life(board["battery"]) if duty else row)
    return header, rows


def _short(value: float) -> str:
    """Three digits, and none that are not known."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _life(battery: dict[str, Any] | None) -> list[str]:
    if battery is None or not battery["days"]:
        return ["-" if battery is None else "too slow", *["-"] * (len(SHARES) - 1)]
    return [_short(battery["days"]), *(f"{100 * battery['shares'][name]:.0f} %" for name in SHARES.values() if name)]


def boards_notes(boards: list[dict[str, Any]], duty: Duty | None = None) -> list[str]:
    """What the figures of the boards are, a line each."""
    found = [board["milliseconds"] for board in boards if board["milliseconds"]]
    lines = [
        "free: bytes of heap after boot less midge's modules; the heap: c counted, m modelled, q cited; ?: not known"
    ]
    if found:
        typical, worst = (max(100 * ms["errors"][name] for ms in found) for name in ("typical", "worst"))
        lines.append(
            f"ms: modelled from counted layers; whole models it did not know were {typical:.0f} % off typically, "
            f"{worst:.0f} % at worst"
        )
        lines.append(
            "µJ: modelled, ms times the cited power of the chip or board while it computes; -: no source known"
        )
        missing = sorted({name for ms in found for name in ms["missing"]})
        if missing:
            lines.append(f">: at least; of these no layer was counted: {', '.join(missing)}")
    if duty:
        lines.append(
            f"days: modelled, an upper bound, {duty.battery.name} ({duty.battery.milliamp_hours:g} mAh at "
            f"{duty.battery.volts:g} V; {duty.battery.source}), {duty.rate:g} predictions a second, sensor "
            f"{duty.sensor_milliamps:g} mA, radio {duty.radio_milliamp_seconds:g} mAs each; then each one's share"
        )
    lines.append("sources of all figures: midge info --json, docs/catalogue.md")
    return lines


@click.command("info", help=COMMANDS["info"])
@MODEL
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--boards", is_flag=True, help="All boards of the catalogue: fit, milliseconds, microjoules.")
@click.option("--battery", "cell", help="cr2032, aa (two), lipo or lipo:1200mAh: how many days it lasts.")
@click.option("--rate", type=float, help="Predictions a second, asleep in between.  [default: 1]")
@click.option("--sensor", help="What the sensor takes all the time, such as 0.5mA.")
@click.option("--radio", help="What the radio takes for each prediction, such as 10mAs.")
def command(
    model: Path,
    as_json: bool,
    boards: bool,
    cell: str | None,
    rate: float | None,
    sensor: str | None,
    radio: str | None,
) -> None:
    duty = _duty(cell, rate, sensor, radio)
    found = facts(model, duty)
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        show(found, duty, boards or duty is not None)


def _duty(cell: str | None, rate: float | None, sensor: str | None, radio: str | None) -> Duty | None:
    if cell is None:
        given = {"--rate": rate, "--sensor": sensor, "--radio": radio}
        for option in (name for name, value in given.items() if value is not None):
            raise MidgeError(f"{option}: of what battery? Add --battery cr2032, aa or lipo")
        return None
    if rate is not None and not 0 < rate < 1e6:
        raise MidgeError(f"--rate {rate:g}: give predictions a second, more than 0")
    return Duty(
        battery(cell),
        1.0 if rate is None else rate,
        quantity("--sensor", sensor, "mA", "uA", "µA") if sensor else 0.0,
        quantity("--radio", radio, "mAs", "uAs", "µAs") if radio else 0.0,
    )
