"""Runs mutated files on a board. Not a test: tests/boards/test_mutants.py copies it there, with what
tests/support/mutants.py makes. `bases` holds the files as they should be; each is changed in place, loaded, run and
restored."""

import gc
import struct
import sys

GUARD = bytes((i * 89 + 7) & 255 for i in range(32))
ANSWERS = ("refused", "runs", "differs", "long")
MODES = ("ram", "stream", "map")


class Guarded:
    """A native module whose run() gets the arena between guard bytes."""

    def __init__(self, name, module):
        self.FORMAT = module.FORMAT
        for function in dir(module):
            if function[0] != "_" and function not in ("run", "FORMAT"):
                setattr(self, function, getattr(module, function))
        self.module = module
        sys.modules[name] = self

    def run(self, program, first, last, arena, weights, *rest):
        size = len(arena)
        memory = bytearray(GUARD) + arena + GUARD
        status = self.module.run(program, first, last, memoryview(memory)[32 : 32 + size], weights, *rest)
        if memory[:32] != GUARD or memory[32 + size :] != GUARD:
            raise OverflowError("written beside the arena")
        arena[:] = memoryview(memory)[32 : 32 + size]
        return status


class Clock:
    """The module `time` of a board that has none."""

    def ticks_us():
        return 0

    def ticks_diff(end, start):
        return 0


try:
    import time  # noqa: F401
except ImportError:
    sys.modules["time"] = Clock


def guard():
    banks = ("core", "tensor", "wide", "recurrent", "math", "trees", "audio", "mel", "series")
    for name in ["midge_" + bank for bank in banks]:
        Guarded(name, __import__(name))


def run(files, bases, place, first, last, backend):
    """files: packed mutants. place(index, data) -> the path of a file that holds `data`, bases[index] as a rule."""
    import midge
    from outcome import outcome

    at = 0
    for i in range(last):
        base, mode, answer, count, crc = struct.unpack_from("<BBBBI", files, at)
        at += 8
        data = bases[base]
        former = []
        for _ in range(count):
            place_, size = struct.unpack_from("<HB", files, at)
            at += 3
            if i >= first:
                former.append((place_, bytes(data[place_ : place_ + size])))
                data[place_ : place_ + size] = files[at : at + size]
            at += size
        if i < first:
            continue
        try:
            model = midge.load(place(base, data), MODES[mode], backend)
            said = "long" if answer == 3 else outcome(model)
        except (ValueError, MemoryError) as error:
            said = "refused" if isinstance(error, ValueError) else "memory"
        except Exception as error:
            said = repr(error)
        model = None
        for place_, old in former:
            data[place_ : place_ + len(old)] = old
        if crc == 0xFFFFFFFF:
            said = said.replace("differs", "runs")
            fine = said.split()[0] == "runs"
        else:
            fine = said == ANSWERS[answer] + (f" {crc}" if answer in (1, 2) else "")
        if not fine and said != "memory":
            print(i, said, "instead of", ANSWERS[answer], crc)
    gc.collect()
    print("done", last)
