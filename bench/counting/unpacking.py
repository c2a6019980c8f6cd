"""Cycles of midge_packed on an emulated Cortex-M0+."""

from __future__ import annotations

import base64
import struct
from array import array

from midge_host.device import coding, spec
from midge_host.errors import MidgeError

from . import armv6m
from .build import Program, build

ALIGNMENT = 16


def assemble(plain: bool = False) -> Program:
    """plain: without the loops of this architecture."""
    return build("armv6m", armv6m.BASE, plain=plain, bank="packed", program="packed.c")


def count(program: Program, coded: coding.Coded) -> tuple[int, list[int]]:
    """Cycles to make the tables, and to decode each coded piece, 0 of a raw one; MidgeError where other bytes come out
    than from the module of this Python."""
    tables = array("H", bytes(2 * spec.LOOKUP_ENTRIES * spec.CODING.unpack(coded.code)["tables"]))
    coding.DECODER.prepare(coded.code, tables)
    weights, at = coding.decode(coded), 0
    whole, made = _call(program, "run_prepare", [coded.code, bytes(2 * len(tables)), b"", b"", b""], 1)
    if made != tables.tobytes():
        raise MidgeError("other tables")
    cycles = []
    for piece in coded.pieces:
        data = coded.data[piece["offset"] :][: piece["stored_bytes"]]
        wanted = weights[at : at + piece["bytes"]]
        at += piece["bytes"]
        if piece["encoding"] == spec.RAW:
            cycles.append(0)
            continue
        parts = [coded.code, tables.tobytes(), bytes(spec.UNPACKING.size), data, bytes(len(wanted))]
        spent, made = _call(program, "run_unpack", parts, 4)
        if made != wanted:
            raise MidgeError("other weights")
        cycles.append(spent)
    return whole, cycles


def _placed(program: Program, parts: list[bytes], first: int, last: int) -> dict:
    """A call of a function over a piece_t of such buffers, and of which the memory is read then."""
    base = -(-(program.base + len(program.image)) // ALIGNMENT) * ALIGNMENT
    head = struct.Struct(f"<{2 * len(parts)}I")  # piece_t
    memory, places = bytearray(head.size), []
    for part in parts:
        memory += bytes(-len(memory) % ALIGNMENT)
        places.append((base + len(memory), len(part)))
        memory += part
    memory[: head.size] = head.pack(*(number for place in places for number in place))
    begin, end = places[first][0], sum(places[last])
    return {"memory": base64.b64encode(memory).decode(), "at": base, "argument": base, "read": (begin, end - begin)}


def after(program: Program, calls: list[list[bytes]]) -> list[bytes]:
    """What the last two buffers of each call hold when a piece was decoded, whatever it is; MidgeError for a fault."""
    placed = [_placed(program, parts, len(parts) - 2, len(parts) - 1) for parts in calls]
    done = armv6m.emulate(program, placed, entry="run_unpack")
    faults = [call["fault"] for call in done if "fault" in call]
    if faults:
        raise MidgeError(f"run_unpack: {faults[0]}")
    return [base64.b64decode(call["output"]) for call in done]


def _call(program: Program, entry: str, parts: list[bytes], read: int) -> tuple[int, bytes]:
    """Cycles of a function over a piece_t of such buffers, and what the buffer of number `read` holds then."""
    (done,) = armv6m.emulate(program, [_placed(program, parts, read, read)], entry=entry)
    if "fault" in done or done["result"] & 1 << 31:
        raise MidgeError(f"{entry}: {done.get('fault') or done['result']}")
    return done["cycles"], base64.b64decode(done["output"])
