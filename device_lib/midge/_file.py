# Reads the parts of a .midge file and checks every field: docs/FORMAT.md. A file is not trusted; what it
# says about operators is checked by the backend's check().

import gc
import struct
from binascii import crc32

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: header (host/midge_host/spec.py, `make generate`)
FORMAT = 2
_HEADER_BYTES = const(80)
_TENSOR_BYTES = const(40)
_RECORD = const(72)
_MAX_RANK = const(6)
_MAX_WINDOW = const(1048576)
_MAX_ARENA = const(268435456)
_WEIGHT_ALIGNMENT = const(16)
_CRC_FROM = const(16)
_BLOCKS_AT = const(2)
_WEIGHTS_AT = const(56)
_BLOCK_BYTES_AT = const(60)
_SCALE_MIN = 1e-30
_SCALE_MAX = 1e30
_HEADER = "<4sHHIIIIIIIIIIIIIIIIHBBI"
# magic, version, header_bytes, file_bytes, program_crc, weights_crc, weights_offset, weights_bytes, program_offset, tensors_offset, names_offset, names_bytes, labels_offset, labels_bytes, info_offset, info_bytes, golden_offset, arena_bytes, window_bytes, op_count, input_count, output_count, reserved
_TENSOR = "<IIfiiiBB6HH"
# offset, bytes, scale, zero_point, pixel_multiplier, pixel_offset, dtype, rank, shape, reserved
# generated: end
# generated: dtypes
_DTYPES = ("int8", "uint8", "float32")
# generated: end


def text(key, *values):
    """An error's words. Their module stays out of memory until something is wrong."""
    from ._texts import TEXTS

    return TEXTS[key] % values


class Tensor:
    """A model input or output: name, shape, dtype, scale, zero_point, bytes.

    real value = scale * (q - zero_point). dtype is what the source model had there; the device holds int8.
    """

    def __init__(self, name, raw):
        fields = struct.unpack_from(_TENSOR, raw)
        self.offset, self.bytes, self.scale, self.zero_point = fields[:4]
        rank = fields[7]
        self.name = name
        self.shape = fields[8 : 8 + rank]
        self.raw = raw
        if not 1 <= fields[6] <= len(_DTYPES) or rank > _MAX_RANK:
            raise ValueError(text("dtype", name))
        self.dtype = _DTYPES[fields[6] - 1]
        size = 1
        for n in self.shape:
            size *= n
        if (
            not size
            or size != self.bytes
            or not -128 <= self.zero_point <= 127
            or not _SCALE_MIN < self.scale < _SCALE_MAX
        ):
            raise ValueError(text("shape", name))

    def __repr__(self):
        return "Tensor(%s %s %s)" % (self.name, self.dtype, self.shape)


class ModelFile:
    """A .midge file: its header's fields, and readers for its sections. Holds no file open.

    view: the file in mapped memory, if it is there; its sections are then used where they lie.
    """

    def __init__(self, path, view):
        self.path = path
        self.view = view
        with open(path, "rb") as file:
            try:
                self._read(file)
            except ValueError as error:
                raise ValueError("%s: %s" % (path, error))

    def _read(self, file):
        head = bytearray(_HEADER_BYTES)
        if file.readinto(head) != _HEADER_BYTES or head[:4] != b"MIDG":
            raise ValueError(text("magic"))
        (
            _,
            version,
            header_bytes,
            file_bytes,
            program_crc,
            self.weights_crc,
            self.weights_offset,
            self.weights_bytes,
            program_offset,
            tensors_offset,
            self.names_offset,
            self.names_bytes,
            labels_offset,
            labels_bytes,
            _,
            _,
            self.golden_offset,
            self.arena_bytes,
            self.window_bytes,
            self.op_count,
            inputs,
            outputs,
            _,
        ) = struct.unpack_from(_HEADER, head)
        if version != FORMAT:
            raise ValueError(text("version", version, FORMAT))
        size = file.seek(0, 2)
        if size != file_bytes or self.weights_offset + self.weights_bytes != size:
            raise ValueError(text("size", size, file_bytes))
        if (
            header_bytes != _HEADER_BYTES
            or self.weights_offset < _HEADER_BYTES
            or self.weights_offset % _WEIGHT_ALIGNMENT
            or self.window_bytes > _MAX_WINDOW
            or self.arena_bytes > _MAX_ARENA
        ):
            raise ValueError(text("header"))
        if crc(file, _CRC_FROM, self.weights_offset) != program_crc:
            raise ValueError(text("crc"))
        self.program = self.section(file, program_offset, self.op_count * _RECORD)
        for i in range(self.op_count):
            if self.block_count(i) and not 0 < self.block_bytes(i) <= self.window_bytes:
                raise ValueError(text("block", i))
        raw = self.section(file, tensors_offset, (inputs + outputs) * _TENSOR_BYTES)
        names = self.lines(file, self.names_offset, self.names_bytes)
        if len(names) != inputs + outputs + self.op_count or not inputs or not outputs:
            raise ValueError(text("names", len(names)))
        # What stays is made after the rest was collected, a copy of each name too: something that stays amid what
        # goes would split the piece of free memory that the arena needs.
        if hasattr(gc, "mem_free"):
            gc.collect()
        tensors = []
        for i in range(inputs + outputs):
            tensor = Tensor("%s" % names[i], bytearray(raw[i * _TENSOR_BYTES : (i + 1) * _TENSOR_BYTES]))
            if tensor.offset + tensor.bytes > self.arena_bytes:
                raise ValueError(text("arena", tensor.name))
            tensors.append(tensor)
        self.inputs = tensors[:inputs]
        self.outputs = tensors[inputs:]
        self.labels = self.lines(file, labels_offset, labels_bytes)
        if self.golden_offset and self.golden_offset + 4 + 4 * self.op_count > self.weights_offset:
            raise ValueError(text("section"))

    def section(self, file, offset, size):
        if offset + size > self.weights_offset:
            raise ValueError(text("section"))
        if self.view is not None:
            return self.view[offset : offset + size]
        data = bytearray(size)
        file.seek(offset)
        if file.readinto(data) != size:
            raise ValueError(text("read"))
        return data

    def lines(self, file, offset, size):
        if not size:
            return []
        data = self.section(file, offset, size)
        try:
            return str(data, "utf-8").split("\n")
        except ValueError:  # UnicodeError, where there is one
            raise ValueError(text("utf-8"))

    def weights_at(self, index):
        """Where an operator's first weight block lies in the weight section."""
        return u32(self.program, index * _RECORD + _WEIGHTS_AT)

    def block_count(self, index):
        """An operator's number of weight blocks; 0 for one without weights."""
        at = index * _RECORD + _BLOCKS_AT
        return self.program[at] | self.program[at + 1] << 8

    def block_bytes(self, index):
        """Bytes of one of its weight blocks."""
        return u32(self.program, index * _RECORD + _BLOCK_BYTES_AT)


def u32(data, at):
    return data[at] | data[at + 1] << 8 | data[at + 2] << 16 | data[at + 3] << 24


def crc(file, start, end):
    chunk = bytearray(256)
    view = memoryview(chunk)
    file.seek(start)
    value = 0
    while start < end:
        n = file.readinto(view[: min(256, end - start)])
        if not n:
            raise ValueError(text("read"))
        value = crc32(view[:n], value)
        start += n
    return value & 0xFFFFFFFF
