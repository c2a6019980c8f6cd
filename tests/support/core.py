"""The two native modules as one: each operator of a program runs in the module that has it."""

from __future__ import annotations

import midge_extra
import midge_native
from midge import _modules
from midge_host.device import spec

MODULES = (midge_native, midge_extra)


def check(program: bytes, arena_bytes: int, weights_bytes: int) -> int:
    return _modules.check(MODULES, program, arena_bytes, weights_bytes)


def run(program: bytes, count: int, arena: bytearray | memoryview, weights: bytes) -> int:
    for i in range(count):
        module = MODULES[program[i * spec.RECORD_BYTES] >= spec.FIRST_EXTRA]
        status = module.run(program, i, i + 1, arena, weights)
        if status:
            return status
    return 0
