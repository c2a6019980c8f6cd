# Functions that look into a model: profile() and selftest(), and reset(), which runs its first records alone. Imported on first
# use.

from array import array
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
_FEEDS = const(4)
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
    if hasattr(model, "_feed"):
        model._begin()


def profile(model, reading):
    """Runs a model operator by operator: a list of (name, microseconds)."""
    ranges = [(model._first, model._last)]
    result = []
    names = _names(model)
    now, between = _clock()
    if hasattr(model, "_run_region"):
        times = [0] * (model._to - model._from)
        start = now()

        def did(number):
            nonlocal start
            if number:
                times[number - 1] += between(now(), start)
            start = now()

        model._run_region(reading, did)
        result += zip(names[model._from :], times)
    elif hasattr(model, "_feed"):
        from ._audio import fill

        reset(model)
        fill(model, reading)
        ranges.insert(0, model._feed)
    else:
        from ._convert import load

        load(model, reading)
    for first, last in ranges:
        for i, run in enumerate(operators(model, first, last)):
            start = now()
            run()
            result.append((names[first + i], between(now(), start)))
    if len(ranges) > 1:
        reset(model)  # which frames it has seen is not known
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
    count = len(golden) // 4 - 1
    feed = getattr(model, "_feed", None)
    first, last = (0, feed[1]) if feed else (0, count)
    crcs = array("I", bytes(4 * count))
    x = _u32(golden, 0)
    try:
        if hasattr(model, "_run_region"):
            _run_and_sum(model, 0, model._from, crcs)
            _run_region_and_sum(model, x, crcs)
            first = model._to
        else:
            x = _draw(model, x)
        _run_and_sum(model, first, last, crcs)
        if feed:
            for _ in range(_FEEDS - 1):
                x = _draw(model, x)
                _run_and_sum(model, feed[0], last, crcs)
            _run_and_sum(model, last, count, crcs)
        for i in range(count):
            if crcs[i] != _u32(golden, 4 + 4 * i):
                raise ValueError(text("differs", model._path, i, _names(model)[i]))
    finally:
        reset(model)
    return True


def _draw(model, x):
    # The next input: x goes on.
    drawn = _Drawn(x)
    for tensor in model.inputs:
        drawn._load(tensor, model._arena)
    return drawn._x


class _Drawn:
    # The input as a reading.

    def __init__(self, x):
        self._x = x

    def _load(self, tensor, arena, _=0):
        x = self._x
        for i in range(tensor.offset, tensor.offset + tensor.bytes):
            x = (1664525 * x + 1013904223) & 0xFFFFFFFF
            arena[i] = x >> 24
        self._x = x


def _run_region_and_sum(model, x, crcs):
    arena = memoryview(model._arena)
    record = model._record

    def did(number):
        if number:
            start = _u32(record, _OUTPUT_AT)
            index = model._from + number - 1
            crcs[index] = crc32(arena[start : start + _u32(record, _OUTPUT_BYTES_AT)], crcs[index]) & 0xFFFFFFFF

    model._run_region(_Drawn(x), did)


def _run_and_sum(model, first, last, crcs):
    # The checksums of operators' outputs go on, too, where they run again.
    arena = memoryview(model._arena)
    for i, run in enumerate(operators(model, first, last)):
        run()
        at = (first + i) * _RECORD
        start = _u32(model._program, at + _OUTPUT_AT)
        end = start + _u32(model._program, at + _OUTPUT_BYTES_AT)
        crcs[first + i] = crc32(arena[start:end], crcs[first + i]) & 0xFFFFFFFF


def _u32(data, at):
    return data[at] | data[at + 1] << 8 | data[at + 2] << 16 | data[at + 3] << 24
