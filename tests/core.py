"""The two native modules as one: each operator of a program runs in the module that has it."""

from __future__ import annotations

import midge_extra
import midge_native
from midge import _file

MODULES = (midge_native, midge_extra)


def check(program: bytes, arena_bytes: int, weights_bytes: int) -> int:
    return _file.check(MODULES, program, arena_bytes, weights_bytes)


def run(program: bytes, count: int, arena: bytearray | memoryview, weights: bytes) -> int:
    for first, last, extra in _file._parts(program, 0, count):
        status = MODULES[extra].run(program, first, last, arena, weights)
        if status:
            return status
    return 0
