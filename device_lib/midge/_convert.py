# Readings and results that encode() and decode() do not take as they are: lists, several tensors, mistakes. Imported on
# first use.

import struct
from array import array

from . import _text as text

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: reasons (host/midge_host/device/spec.py, `make generate`)
_MAX_RANK = const(6)
_FLAGS_AT = const(39)
_TAKES_NAN = const(4)
_FUNCTION = const(3)
_BAD_OPERATOR = const(1)
_BAD_TENSOR = const(2)
_BAD_WEIGHTS = const(3)
_BAD_PARAMETER = const(4)
_BAD_READING = const(5)
# generated: end
_FAR = 8388608.0  # beyond what any zero point brings back into a type
_PIECE = const(64)  # values that are converted at a time: an array of them takes little heap


def load(model, reading):
    """A reading that is no buffer, or several: into the inputs."""
    if len(model.inputs) == 1:
        load_tensor(model.inputs[0], reading, model._arena)
    else:
        _check_count("inputs", model.inputs, reading)
        for i in range(len(reading)):
            tensor = model.inputs[i]
            if isinstance(reading[i], str) or tensor.module.encode(tensor.raw, reading[i], model._arena):
                load_tensor(tensor, reading[i], model._arena)


def store(model, out):
    """The outputs into what is no buffer, or into several."""
    if len(model.outputs) == 1:
        _store(model.outputs[0], model._arena, out)
    else:
        _check_count("outputs", model.outputs, out)
        for i in range(len(out)):
            tensor = model.outputs[i]
            if tensor.raw[_FLAGS_AT] & _FUNCTION or tensor.module.decode(tensor.raw, model._arena, out[i]):
                _store(tensor, model._arena, out[i])


def _check_count(key, tensors, values):
    # isinstance(value, (list, tuple)) would make that tuple anew on MicroPython's heap.
    is_list = isinstance(values, list) or isinstance(values, tuple)
    if not is_list or len(values) != len(tensors):
        given = "a list of %d" % len(values) if is_list else type(values).__name__
        raise ValueError(text(key, len(tensors), given))


def load_tensor(tensor, reading, arena):
    # A reading that encode() did not take as it is: an Image, numbers in lists, arrays of other types, or a mistake.
    if hasattr(reading, "_load"):
        return reading._load(tensor, arena)
    if not isinstance(reading, (list, tuple)):
        if hasattr(reading, "flatten"):  # numpy, ulab
            reading = reading.flatten()
        try:
            # MicroPython would take a str's bytes for pixels; CPython has views with gaps.
            if isinstance(reading, str) or not getattr(memoryview(reading), "contiguous", True):
                raise TypeError
        except TypeError:
            raise TypeError(text("input", tensor.name, tensor.size, type(reading).__name__))
        status = tensor.module.encode(tensor.raw, reading, arena)
        if status == 0:
            return
        if status == _BAD_TENSOR:
            raise ValueError(text("length", tensor.name, tensor.size, tensor.shape, len(reading)))
        if status == _BAD_READING:
            raise ValueError(text("nan", tensor.name))
        if tensor.element not in ("int8", "float32") and len(reading) and len(bytes(memoryview(reading)[:1])) == 1:
            raise TypeError(text("bytes", tensor.name, tensor.element, type(reading).__name__))
    quantize(tensor, reading, arena)


def _holds_reals(reading):
    # Whether a buffer's elements are floats. Only CPython's views know their format.
    view = memoryview(reading)
    if hasattr(view, "format"):
        return view.format[-1] in "efdg"
    return len(view) > 0 and isinstance(view[0], float)


def _store(tensor, arena, out):
    # The same for where the output goes: a list, or a mistake.
    values = array("f", bytes(4 * len(out))) if isinstance(out, list) else out
    status = tensor.module.decode(tensor.raw, arena, values)
    if status == 0:
        function = tensor.raw[_FLAGS_AT] & _FUNCTION  # of the real values
        if function and _holds_reals(values):
            from ._functions import apply

            apply(function, tensor.shape[-1], values.reshape(-1) if hasattr(values, "reshape") else values)
        if values is not out:
            out[:] = list(values)
        return
    if status == _BAD_TENSOR:
        raise ValueError(text("out length", tensor.name, tensor.size, len(out)))
    names = {"int8": "array('b'), bytearray", "int16": "array('h')", "int32": "array('i')", "float32": "bytearray"}
    own = names[tensor.element]
    raise TypeError(text("out", own, type(out).__name__))


def quantize(tensor, values, arena):
    """Numbers into an input tensor; lists of numbers may be nested."""
    try:
        if hasattr(values, "tolist"):  # on the PC, views may have several dimensions
            values = values.tolist()
        if tensor.element != "int32" and isinstance(values, (list, tuple)):
            try:
                if _in_pieces(tensor, values, arena, bytearray(tensor.raw), 0, 0) == tensor.size:
                    return
            except (TypeError, ValueError, OverflowError):  # something is wrong: which value it is comes out below
                pass
        count = _quantize(tensor, values, arena, 0, 0)
    except NotImplementedError:  # a view of unusual elements
        raise TypeError(text("input", tensor.name, tensor.size, type(values).__name__))
    if count != tensor.size:
        raise ValueError(text("length", tensor.name, tensor.size, tensor.shape, count))


def _in_pieces(tensor, values, arena, raw, count, depth):
    # By way of arrays, which encode() takes: twenty times as fast as one by one. raw: for a description of a part of the
    # tensor. Returns how many values there were so far.
    if depth > _MAX_RANK:
        raise ValueError
    if len(values) and isinstance(values[0], (list, tuple)):
        size = max(_PIECE // (len(values[0]) or 1), 1)
        for at in range(0, len(values), size):
            joined = []
            for row in values[at : at + size]:
                if row.__class__ is dict:  # it would give its keys
                    raise ValueError
                joined += row
            count = _in_pieces(tensor, joined, arena, raw, count, depth + 1)
        return count
    channels = len(tensor.channels)
    size = max(_PIECE // channels, 1) * channels if channels else _PIECE
    unit = tensor.bytes // tensor.size
    for at in range(0, len(values), size):
        part = array("f", values[at : at + size])
        end = count + len(part)
        if end > tensor.size or channels and count % channels:
            raise ValueError
        struct.pack_into("<II", raw, 0, tensor.offset + count * unit, len(part) * unit)
        if tensor.module.encode(raw, part, arena):
            raise ValueError
        count = end
    return count


def _quantize(tensor, values, arena, count, depth):
    # One by one. Returns how many values there were so far.
    if depth > _MAX_RANK:
        raise ValueError(text("nested", tensor.name, depth))
    unit = tensor.bytes // tensor.size
    for value in values:
        if isinstance(value, (list, tuple)):
            count = _quantize(tensor, value, arena, count, depth + 1)
            continue
        try:
            q = quantized(tensor, value, count)
        except TypeError:
            raise TypeError(text("number", tensor.name, count, type(value).__name__))
        except OverflowError:
            raise ValueError(text("large", tensor.name, count))
        if count < tensor.size:
            for i in range(tensor.offset + count * unit, tensor.offset + (count + 1) * unit):
                arena[i] = q & 255
                q >>= 8
        count += 1
    return count


def quantized(tensor, value, index):
    """TFLM's QUANTIZE of value `index`: round(x / scale) + zero_point, with x and the quotient in float32. int32 has no
    scale, and of float32 the bits are wanted."""
    if tensor.element == "float32":
        value = _float32(value)
        if value != value and not tensor.raw[_FLAGS_AT] & _TAKES_NAN:
            raise ValueError(text("nan", tensor.name))
        return struct.unpack("<I", struct.pack("<f", value))[0]
    if tensor.element == "int32":
        cell = array("i", (0,))
        cell[0] = value
        return cell[0]
    most = 127 if tensor.element == "int8" else 32767
    scale, zero_point = tensor.scale, tensor.zero_point - (128 if tensor.dtype == "uint8" else 0)
    if tensor.channels:
        scale, zero_point = tensor.channels[index % len(tensor.channels)]
    x = _float32(_float32(value) / scale)
    if x != x:
        raise ValueError(text("nan", tensor.name))
    x = max(-_FAR, min(_FAR, x))
    q = int(x)
    if x - q >= 0.5:
        q += 1
    elif x - q <= -0.5:
        q -= 1
    return max(-most - 1, min(most, q + zero_point))


def _float32(value):
    cell = array("f", (0.0,))
    cell[0] = value
    return cell[0]
