# For models that need more banks than the core: the modules of these. In memory only while a model is loaded (_borrow in
# __init__.py).

import sys

from . import _collect

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: banks (host/midge_host/device/banks.py, `make generate`)
_RECORD = const(72)
_BANK_AT = const(1)
_BANKS = const(("core", "tensor", "wide", "recurrent", "math", "trees", "audio", "mel", "series"))
# generated: end


def load(core, needed, backend, native):
    """A list of modules at the numbers of their banks: the core and those that are needed.

    needed: a byte for each bank. backend: as given to midge.load(). native: returns a native module, or None where the
    portable kernels have to do; itself None where the core is portable.
    """
    modules = [core] + [None] * (len(_BANKS) - 1)
    for number in range(1, len(_BANKS)):
        if needed[number]:
            if native:
                modules[number] = native("midge_" + _BANKS[number], backend)
            if modules[number] is None:
                path = "midge._portable_" + _BANKS[number]
                __import__(path)
                modules[number] = sys.modules[path]
            _collect()
    return modules


def check(modules, program, arena_bytes, weights_bytes):
    """The result of the modules' check() of their records: 0, or (operator index + 1) * 16 + reason."""
    view = memoryview(program)
    count = len(program) // _RECORD
    first = 0
    while first < count:
        bank = program[first * _RECORD + _BANK_AT]
        last = first + 1
        while last < count and program[last * _RECORD + _BANK_AT] == bank:
            last += 1
        status = modules[bank].check(view[first * _RECORD : last * _RECORD], arena_bytes, weights_bytes)
        if status:
            return status + first * 16
        first = last
    return 0
