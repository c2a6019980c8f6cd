"""Cycles of midge_image on an emulated Cortex-M0+."""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping

import numpy as np

from midge_host.device import spec
from midge_host.errors import MidgeError

from . import armv6m
from .build import Program, build

ENTRY = "run_picture"
ALIGNMENT = 16


def assemble(plain: bool = False) -> Program:
    """plain: without the kernels of this architecture."""
    return build("armv6m", armv6m.BASE, plain=plain, bank="image", program="picture.c")


def count(
    program: Program, view: Mapping[str, int], frame: bytes, tensor: bytes, size: int, scratch: int
) -> tuple[int, np.ndarray]:
    """Cycles, and the input tensor of so many bytes. view: spec.VIEW; tensor: its descriptor, at the arena's begin."""
    parts = [spec.VIEW.pack(**view), frame, tensor, b"", bytes(scratch), bytes(size)]
    base = -(-(program.base + len(program.image)) // ALIGNMENT) * ALIGNMENT
    head = struct.Struct(f"<{2 * len(parts)}I")  # picture_t
    memory, places = bytearray(head.size), []
    for part in parts:
        memory += bytes(-len(memory) % ALIGNMENT)
        places.append((base + len(memory), len(part)))
        memory += part
    memory[: head.size] = head.pack(*(number for place in places for number in place))
    call = {"memory": base64.b64encode(memory).decode(), "at": base, "argument": base, "read": places[-1]}
    (done,) = armv6m.emulate(program, [call], entry=ENTRY)
    if "fault" in done or done["result"]:
        raise MidgeError(f"{ENTRY}: {done.get('fault') or done['result']}")
    return done["cycles"], np.frombuffer(base64.b64decode(done["output"]), np.int8)
