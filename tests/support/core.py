"""The native modules as one: each operator of a program runs in the module that has it."""

from __future__ import annotations

from importlib import import_module

from midge import _modules
from midge_host.device import spec
from midge_host.device.banks import BANKS

MODULES = [import_module(bank.module) for bank in BANKS]


def check(program: bytes, arena_bytes: int, weights_bytes: int) -> int:
    return _modules.check(MODULES, program, arena_bytes, weights_bytes)


def run(program: bytes, count: int, arena: bytearray | memoryview, weights: bytes) -> int:
    for i in range(count):
        module = MODULES[program[i * spec.RECORD_BYTES + 1]]
        status = module.run(program, i, i + 1, arena, weights)
        if status:
            return status
    return 0
