# Functions that look into a model: profile() and selftest(), and reset(), which runs its first records alone. Imported on first
# use.

from binascii import crc32

from . import _borrow
from . import _text as text

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: records (host/midge_host/device/spec.py, `make generate`)
_RECORD = const(72)
_BANK_AT = const(1)
_OUTPUT_AT = const(48)
_OUTPUT_BYTES_AT = const(52)
# generated: end


def _names(model):
    # Of the operators.
    return _borrow("_loader", "names", model._path, model._crcs[0])


def alone(name, model, *arguments):
    """Calls reset(), profile() or selftest(), while no prediction can run; returns the result."""
    if not model._acquire(0):
        raise RuntimeError(text("busy"))
    try:
        return globals()[name](model, *arguments)
    finally:
        model._release()


def operators(model, first, last):
    """A function for each operator from first to last - 1, that runs it; what it takes to plan that is not in its
    time."""
    if model._file is None:
        return [_operator(model, i, None) for i in range(first, last)]
    plans = _borrow("_loader", "plans", model._program, first, last, len(model._weights))
    return [_operator(model, first + i, model._windows(steps)) for i, steps in enumerate(plans)]


def _operator(model, index, steps):
    run = model._runs[model._program[index * _RECORD + _BANK_AT]]

    def run_one():
        if steps is not None:
            model._stream(steps)
            return
        status = run(model._program, index, index + 1, model._arena, model._weights)
        if status:
            from ._errors import refuse

            refuse(model, status)

    return run_one


def reset(model):
    """Runs the records that set the state."""
    for run in operators(model, *model._init):
        run()


def profile(model, reading):
    """Runs a model operator by operator: a list of (name, microseconds)."""
    from ._convert import load

    load(model, reading)
    result = []
    names = _names(model)
    now, between = _clock()
    for i, run in enumerate(operators(model, model._first, model._last)):
        start = now()
        run()
        result.append((names[model._first + i], between(now(), start)))
    return result


def _clock():
    """(now, between): a function that gives microseconds, and one for the difference of two of them."""
    import time  # not for every layer: MicroPython searches the file system for it each time

    if hasattr(time, "ticks_us"):
        return time.ticks_us, time.ticks_diff
    return lambda: time.monotonic_ns() // 1000, lambda end, start: end - start


def selftest(model):
    """Runs the file's own test input operator by operator: ValueError names the first that differs."""
    golden = _borrow("_loader", "golden", model._path, model._crcs[0])
    arena = model._arena
    x = _u32(golden, 0)
    for tensor in model.inputs:
        for i in range(tensor.offset, tensor.offset + tensor.bytes):
            x = (1664525 * x + 1013904223) & 0xFFFFFFFF
            arena[i] = x >> 24
    try:
        for i, run in enumerate(operators(model, 0, len(golden) // 4 - 1)):
            run()
            start = _u32(model._program, i * _RECORD + _OUTPUT_AT)
            end = start + _u32(model._program, i * _RECORD + _OUTPUT_BYTES_AT)
            if crc32(memoryview(arena)[start:end]) & 0xFFFFFFFF != _u32(golden, 4 + 4 * i):
                raise ValueError(text("differs", model._path, i, _names(model)[i]))
    finally:
        reset(model)
    return True


def _u32(data, at):
    return data[at] | data[at + 1] << 8 | data[at + 2] << 16 | data[at + 3] << 24
