"""What a board makes of a model: whether it fits, a prediction's time and energy, how long a battery lasts."""

from __future__ import annotations

from typing import Any

from ...device import spec
from ...device.model_file import ModelFile
from . import costs
from .battery import Duty, life
from .boards import Board
from .figures import CITED, MODELLED, Current, Figure

# What the library and its native module take of the heap, and further banks' modules where a model needs them.
LIBRARY_BYTES = 18_000
BANK_BYTES = {
    "tensor": 4_800,
    "wide": 9_900,
    "recurrent": 4_800,
    "math": 8_300,
    "trees": 10_400,
    "audio": 5_300,
    "mel": 6_400,
    "series": 4_100,
}
PACKED_BYTES = 4_100  # of midge_packed, for models whose weights are coded


def left(model: ModelFile, heap: int) -> int:
    """Bytes of a heap for working memory and weights."""
    program = len(model.records) * spec.RECORD_BYTES
    modules = sum(BANK_BYTES.get(bank.name, 0) for bank in model.banks) + PACKED_BYTES * bool(model.coded)
    return heap - LIBRARY_BYTES - modules - program


def verdict(model: ModelFile, board: Board, duty: Duty | None = None) -> dict[str, Any]:
    """Plain data. `fits` is None where the board's free heap is not known; figures that are not known are None.

    Each figure has its kind, counted, modelled or cited, and a source; `milliseconds` also the errors of the cycles for
    whole models that their fit did not know, and operators of which none was counted, which are not in the figure.
    """
    found = _fit(model, board)
    milliseconds = None if found["fits"] is False else _milliseconds(model, board, found["weights"] == "stream")
    running, sleeping = board.running, board.sleeping
    energy = None
    if milliseconds and running:
        value = milliseconds["value"] * running.milliwatts
        energy = {"value": value, "kind": MODELLED, "source": f"milliseconds x {running.milliwatts:.3g} mW"}
    data = {
        **found,
        "key": board.key,
        "chip": board.chip.name,
        "core": board.chip.core.name,
        "native_module": board.chip.core.architecture,
        "clock_mhz": _figure(Figure(board.clock_mhz, CITED, board.source)),
        "flash_kb": _figure(Figure(board.flash_kb, CITED, board.source)),
        "psram_kb": board.psram_kb,
        "wireless": board.wireless,
        "micropython": board.micropython,
        "circuitpython": board.circuitpython,
        "heap": _figure(board.heap) if board.heap else None,
        "running": _current(running) if running else None,
        "asleep": _current(sleeping) if sleeping else None,
        "milliseconds": milliseconds,
        "microjoules": energy,
    }
    if duty:
        data["battery"] = _battery(duty, milliseconds, running, sleeping)
    return data


def _fit(model: ModelFile, board: Board) -> dict[str, Any]:
    weights = {"ram": len(model.weights), "stream": model.window_bytes}
    needs = {mode: model.arena_bytes + size + model.decoding_bytes for mode, size in weights.items()}
    least = needs["stream"]
    found: dict[str, Any] = {
        "board": board.name,
        "fits": None,
        "weights": None,
        "needs_bytes": least,
        "free_bytes": None,
    }
    if board.heap is None:
        return found | {"why": f"needs {least:,}; its free heap is not known"}
    free = max(left(model, int(board.heap.value)), 0)
    mode = next((m for m, need in needs.items() if need <= free), None)
    need = needs[mode] if mode else least
    why = f"needs {need:,} of about {free:,} bytes" if mode else f"needs {need:,}, about {free:,} free"
    return found | {"fits": mode is not None, "weights": mode, "needs_bytes": need, "free_bytes": free, "why": why}


def _milliseconds(model: ModelFile, board: Board, streamed: bool) -> dict[str, Any]:
    core = board.chip.core
    found = costs.estimate(model, core.counts, core.cycles.value, streamed)
    return {
        "value": found.cycles / board.clock_mhz / 1e3,
        "kind": MODELLED,
        "source": f"layers by costs.json x {core.cycles.value:g} ({core.cycles.source}) at {board.clock_mhz} MHz",
        "errors": costs.errors_of(core.counts)._asdict(),
        "missing": list(found.missing),
    }


def _battery(
    duty: Duty, milliseconds: dict[str, Any] | None, running: Current | None, sleeping: Current | None
) -> dict[str, Any] | None:
    if not milliseconds or milliseconds["missing"] or not running or not sleeping:
        return None
    found = life(duty, milliseconds["value"] / 1e3, running.milliwatts, sleeping.milliwatts)
    if found is None:
        return {"days": 0, "kind": MODELLED, "shares": {}}
    return {"days": found.days, "kind": MODELLED, "shares": found.shares}


def _figure(figure: Figure) -> dict[str, Any]:
    return {"value": figure.value, "kind": figure.kind, "source": figure.source}


def _current(current: Current) -> dict[str, Any]:
    return {"milliamps": current.milliamps, "volts": current.volts, "kind": CITED, "source": current.source}
