# What not every script needs, imported on first use: readings that are lists of numbers, profile(), selftest().

from array import array
from binascii import crc32

from ._file import crc, text, u32

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: extra (host/midge_host/spec.py, `make generate`)
_RECORD = const(72)
_MAX_RANK = const(6)
_OUTPUT_AT = const(8)
_OUTPUT_BYTES_AT = const(12)
# generated: end


def quantize(tensor, values, arena):
    """Numbers one by one into an input tensor; lists of numbers may be nested."""
    try:
        if hasattr(values, "tolist"):  # on the PC, views may have several dimensions
            values = values.tolist()
        count = _quantize(tensor, values, arena, 0, 0)
    except NotImplementedError:  # a view of unusual elements
        raise TypeError(text("input", tensor.name, tensor.bytes, type(values).__name__))
    if count != tensor.bytes:
        raise ValueError(text("length", tensor.name, tensor.bytes, tensor.shape, count))


def _quantize(tensor, values, arena, count, depth):
    # TFLM's QUANTIZE: round(x / scale) + zero_point, with x and the quotient in float32. Returns how many
    # values there were so far.
    if depth > _MAX_RANK:
        raise ValueError(text("nested", tensor.name, depth))
    for value in values:
        if isinstance(value, (list, tuple)):
            count = _quantize(tensor, value, arena, count, depth + 1)
            continue
        try:
            x = _float32(_float32(value) / tensor.scale)
        except TypeError:
            raise TypeError(text("number", tensor.name, count, type(value).__name__))
        except OverflowError:
            raise ValueError(text("large", tensor.name, count))
        if x != x:
            raise ValueError(text("nan", tensor.name))
        x = max(-512.0, min(512.0, x))
        q = int(x)
        if x - q >= 0.5:
            q += 1
        elif x - q <= -0.5:
            q -= 1
        q = max(-128, min(127, q + tensor.zero_point))
        if count < tensor.bytes:
            arena[tensor.offset + count] = q & 255
        count += 1
    return count


def _float32(value):
    cell = array("f", (0.0,))
    cell[0] = value
    return cell[0]


def names(model):
    """The names of a file's operators."""
    with open(model.path, "rb") as file:
        lines = model.lines(file, model.names_offset, model.names_bytes)
    tensors = len(model.inputs) + len(model.outputs)
    if len(lines) != tensors + model.op_count:
        raise ValueError(text("changed", model.path))
    return lines[tensors:]


def profile(model, step):
    """Calls step(i) for each operator: a list of (name, microseconds)."""
    result = []
    for i, name in enumerate(names(model)):
        start = _ticks()
        step(i)
        result.append((name, _elapsed(start)))
    return result


def _ticks():
    import time

    return time.ticks_us() if hasattr(time, "ticks_us") else time.monotonic_ns() // 1000


def _elapsed(start):
    import time

    return time.ticks_diff(time.ticks_us(), start) if hasattr(time, "ticks_us") else _ticks() - start


def selftest(model, arena, step):
    """Runs the file's own test input through step(i): ValueError names the first operator that differs."""
    with open(model.path, "rb") as file:
        if crc(file, model.weights_offset, model.weights_offset + model.weights_bytes) != model.weights_crc:
            raise ValueError(text("weights crc", model.path))
        if not model.golden_offset:
            raise ValueError(text("no golden", model.path))
        golden = model.section(file, model.golden_offset, 4 + 4 * model.op_count)
    x = u32(golden, 0)
    for tensor in model.inputs:
        for i in range(tensor.offset, tensor.offset + tensor.bytes):
            x = (1664525 * x + 1013904223) & 0xFFFFFFFF
            arena[i] = x >> 24
    for i in range(model.op_count):
        step(i)
        start = u32(model.program, i * _RECORD + _OUTPUT_AT)
        end = start + u32(model.program, i * _RECORD + _OUTPUT_BYTES_AT)
        if crc32(memoryview(arena)[start:end]) & 0xFFFFFFFF != u32(golden, 4 + 4 * i):
            raise ValueError(text("differs", model.path, i, names(model)[i]))


def map_file(path):
    """A view of a file where the operating system can map it, else None."""
    try:
        import mmap
    except ImportError:
        return None
    with open(path, "rb") as file:
        try:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except ValueError:  # an empty file
            return memoryview(b"")
