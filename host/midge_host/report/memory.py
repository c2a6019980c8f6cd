"""Where each byte of a board's RAM goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..device import spec
from ..device.model_file import ModelFile
from ..targets.catalogue.boards import Board
from ..targets.catalogue.verdicts import left, verdict

# What RAM holds, from its first byte on: of a part the name of its colour, and what it is.
PARTS = {
    "system": "firmware and interpreter: what boot leaves no heap of",
    "library": "midge's library and native modules",
    "records": "the model's program",
    "weights": "weights, or the window through which they are streamed; what decodes them",
    "activations": "arena: tensors",
    "scratch": "arena: scratch of kernels, for speed",
    "free": "free for the script",
}


@dataclass(frozen=True)
class Budget:
    """Bytes of each of PARTS in a chip's RAM; `over`: how many are missing. mode: of the weights, "" where they do not
    fit."""

    board: str
    mode: str
    ram: int
    parts: dict[str, int]
    over: int


def budgets(model: ModelFile, boards: Sequence[Board], tensors: int) -> list[Budget]:
    """Of boards whose heap is known. tensors: bytes of the arena that are no scratch memory."""
    return [_budget(model, board, int(board.heap.value), tensors) for board in boards if board.heap]


def _budget(model: ModelFile, board: Board, heap: int, tensors: int) -> Budget:
    mode = verdict(model, board)["weights"] or ""
    ram = max(1024 * (board.chip.ram_kb + board.psram_kb), heap)
    records = len(model.records) * spec.RECORD_BYTES
    room = left(model, heap)
    parts = {
        "system": ram - heap,
        "library": heap - room - records,
        "records": records,
        "weights": (len(model.weights) if mode == "ram" else model.window_bytes) + model.decoding_bytes,
        "activations": tensors,
        "scratch": model.arena_bytes - tensors,
    }
    rest = ram - sum(parts.values())
    return Budget(board.name, mode, ram, parts | {"free": max(rest, 0)}, max(-rest, 0))
