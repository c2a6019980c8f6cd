# Two cores for a model's layers, on an RP2040 or RP2350: midge.load(cores=2). Imported only then.
#
# A worker on core 1, native code of midge_cores, waits for records to run; MicroPython lends core 1 to one thread, so there
# is one worker for all models, and it stays until a soft reset. Each record whose rows can be shared becomes two, one
# for each core, with scratch memory of its own.

import struct
import sys

from . import _borrow

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: rows (host/midge_host/device/spec.py, `make generate`)
_RECORD = const(72)
_CORE = const(0)
_LAST = const(5)
_BANK = const(1)
_STRIDE_H = const(5)
_IN_H = const(17)
_IN_W = const(18)
_IN_C = const(19)
_OUT_H = const(20)
_OUT_W = const(21)
_OUT_C = const(22)
_KERNEL_H = const(23)
_PAD_TOP = const(25)
_INPUT = const(29)
_OUTPUT = const(30)
_OUTPUT_BYTES = const(31)
_SCRATCH = const(34)
_SCRATCH_BYTES = const(35)
_LAYOUT = const("<BBBBHBBBBbbbbBBBbHHHHHHHHHHHiIIIIIII")
# generated: end

_STACK = const(4096)  # of core 1
_SCRATCH_LIMIT = const(8192)  # what a second scratch memory may add to the arena
_pair = None


class Pair:
    """Both cores: run() as a bank has it. single: that of the core's bank."""

    def __init__(self, module, single):
        self.shared = bytearray(module.BYTES)
        self._single = single
        self._run = module.run

    def run(self, program, first, last, arena, weights, base=0, begin=0, end=0xFFFF):
        return self._run(self.shared, self._single, program, first, last, arena, weights, base, begin, end)


def share(model):
    """Lets both cores run a model that has no memory yet; leaves it as it is where there is no core to be had."""
    core = model._runs[_CORE]
    pair = _start(core)
    if pair is None:
        return
    model._program, model.arena_bytes = split(model._program, model.arena_bytes)
    if model._run is core:
        model._run = pair.run
    model._runs[_CORE] = pair.run
    model.cores = 2


def split(program, arena_bytes):
    """The records for core 0 and behind them as many for core 1, and the bytes of the arena, which ends with core 1's
    scratch memory. A record that cannot be shared is there twice, and core 0 runs it."""
    both = bytearray(2 * len(program))
    both[: len(program)] = program
    both[len(program) :] = program
    scratch = arena_bytes + 3 & ~3
    room = 0
    for at in range(0, len(program), _RECORD):
        op = list(struct.unpack_from(_LAYOUT, both, at))
        if op[_BANK] != _CORE or op[0] > _LAST:
            continue
        rows = op[_OUT_H]
        # Windows that lie wholly below the image cannot be shared out, nor what overwrites its input.
        if rows < 2 or (rows - 1) * op[_STRIDE_H] >= op[_IN_H] + op[_PAD_TOP] or _overlap(op):
            continue
        first = (rows + 1) // 2  # of core 1
        below = first * op[_STRIDE_H]  # of the top of the padding
        skipped = max(0, below - op[_PAD_TOP])
        # Kernels are slow where the image is smaller than a window.
        if op[_IN_H] - skipped < op[_KERNEL_H] <= op[_IN_H]:
            continue
        # Of much scratch memory, where it takes the place of tensors that are not alive, each core gets a half.
        spare = op[_SCRATCH_BYTES]
        half = spare // 2 & ~3 if spare > 2 * _SCRATCH_LIMIT else 0
        op[_SCRATCH_BYTES] -= half
        op[_OUT_H] = first
        struct.pack_into(_LAYOUT, both, at, *op)
        made = first * op[_OUT_W] * op[_OUT_C]
        op[_OUT_H] = rows - first
        op[_PAD_TOP] = max(0, op[_PAD_TOP] - below)
        op[_IN_H] -= skipped
        op[_INPUT] += skipped * op[_IN_W] * op[_IN_C]
        op[_OUTPUT] += made
        op[_OUTPUT_BYTES] = max(0, op[_OUTPUT_BYTES] - made)
        if half:
            op[_SCRATCH] += spare - half
            op[_SCRATCH_BYTES] = half
        else:
            op[_SCRATCH] = scratch
            op[_SCRATCH_BYTES] = min(spare, _SCRATCH_LIMIT)
            room = max(room, op[_SCRATCH_BYTES])
        struct.pack_into(_LAYOUT, both, len(program) + at, *op)
    return both, scratch + room


def _overlap(op):
    end = op[_INPUT] + op[_IN_H] * op[_IN_W] * op[_IN_C]
    return op[_INPUT] < op[_OUTPUT] + op[_OUT_H] * op[_OUT_W] * op[_OUT_C] and op[_OUTPUT] < end


def _start(run):
    # The worker with what it shares, started if it is not there yet; None where core 1 is not to be had: on other
    # chips, without the native modules, with a thread of the user's on it.
    global _pair
    if _pair is None and sys.platform == "rp2":
        try:
            import _thread

            midge_cores = _borrow("_native", "load", "midge_cores")
        except (ImportError, ValueError):
            return None
        pair = Pair(midge_cores, run)
        before = _thread.stack_size(_STACK)
        try:
            _thread.start_new_thread(midge_cores.work, (pair.shared,))
        except OSError:  # core1 in use
            return None
        finally:
            _thread.stack_size(before)
        while not pair.shared[0]:
            pass  # until it is ready to be stopped for a write to flash
        _pair = pair
    return _pair
