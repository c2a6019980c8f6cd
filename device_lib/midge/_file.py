# Reads the parts of a .midge file and checks every field: docs/FORMAT.md. A file is not trusted; what it
# says about operators is checked by the backend's check().

import struct
from binascii import crc32

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: header (host/midge_host/spec.py, `make generate`)
FORMAT = 1
_HEADER_BYTES = const(80)
_TENSOR_BYTES = const(40)
_RECORD = const(64)
_MAX_RANK = const(6)
_MAX_WINDOW = const(1048576)
_CRC_FROM = const(16)
_BLOCKS_AT = const(2)
_OUTPUT_AT = const(8)
_OUTPUT_BYTES_AT = const(12)
_WEIGHTS_AT = const(16)
_BLOCK_BYTES_AT = const(20)
_HEADER = "<4sHHIIIIIIIIIIIIIIIIHBBI"
# magic, version, header_bytes, file_bytes, program_crc, weights_crc, weights_offset, weights_bytes, program_offset, tensors_offset, names_offset, names_bytes, labels_offset, labels_bytes, info_offset, info_bytes, golden_offset, arena_bytes, window_bytes, op_count, input_count, output_count, reserved
_TENSOR = "<IIfiiiBB6HH"
# offset, bytes, scale, zero_point, pixel_multiplier, pixel_offset, dtype, rank, shape, reserved
# generated: end
# generated: names
_REASONS = (
    "an unknown operator",
    "a tensor outside the arena",
    "weights outside the weight section",
    "an impossible parameter",
    "a value that is not a number",
)
_DTYPES = ("int8", "uint8", "float32")
# generated: end


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
            raise ValueError("tensor %s has an unknown dtype or rank" % name)
        self.dtype = _DTYPES[fields[6] - 1]
        size = 1
        for n in self.shape:
            size *= n
        if size != self.bytes or not -128 <= self.zero_point <= 127 or not 1e-30 < self.scale < 1e30:
            raise ValueError("tensor %s has an impossible shape or scale" % name)

    def __repr__(self):
        return "Tensor(%s %s %s)" % (self.name, self.dtype, self.shape)


class ModelFile:
    """A .midge file: its header's fields, and readers for its sections. Holds no file open."""

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            try:
                self._read(file)
            except ValueError as error:
                raise ValueError("%s: %s" % (path, error))

    def _read(self, file):
        head = bytearray(_HEADER_BYTES)
        if file.readinto(head) != _HEADER_BYTES or head[:4] != b"MIDG":
            raise ValueError("not a .midge file; make one with `midge convert`")
        (
            _,
            version,
            _,
            file_bytes,
            program_crc,
            self.weights_crc,
            self.weights_offset,
            self.weights_bytes,
            program_offset,
            tensors_offset,
            self._names_offset,
            self._names_bytes,
            self._labels_offset,
            self._labels_bytes,
            _,
            _,
            golden_offset,
            self.arena_bytes,
            self.window_bytes,
            self.op_count,
            inputs,
            outputs,
            _,
        ) = struct.unpack_from(_HEADER, head)
        if version != FORMAT:
            raise ValueError("format %d, this midge reads %d; convert the model again" % (version, FORMAT))
        size = file.seek(0, 2)
        if size != file_bytes or self.weights_offset + self.weights_bytes != size:
            raise ValueError("%d bytes long, %d expected; copy it again" % (size, file_bytes))
        if self.weights_offset < _HEADER_BYTES or self.window_bytes > _MAX_WINDOW:
            raise ValueError("impossible header; convert the model again")
        if _crc(file, _CRC_FROM, self.weights_offset) != program_crc:
            raise ValueError("damaged (checksum); copy it again")
        self.program = self._section(file, program_offset, self.op_count * _RECORD)
        raw = self._section(file, tensors_offset, (inputs + outputs) * _TENSOR_BYTES)
        names = self._lines(file, self._names_offset, self._names_bytes)
        if len(names) != inputs + outputs + self.op_count or not inputs or not outputs:
            raise ValueError("%d names; convert the model again" % len(names))
        tensors = []
        for i in range(inputs + outputs):
            tensor = Tensor(names[i], raw[i * _TENSOR_BYTES : (i + 1) * _TENSOR_BYTES])
            if tensor.offset + tensor.bytes > self.arena_bytes:
                raise ValueError("tensor %s lies outside the arena" % tensor.name)
            tensors.append(tensor)
        self.inputs = tensors[:inputs]
        self.outputs = tensors[inputs:]
        self.labels = self._lines(file, self._labels_offset, self._labels_bytes)
        self.golden = None
        if golden_offset:
            self.golden = self._section(file, golden_offset, 4 + 4 * self.op_count)

    def _section(self, file, offset, size):
        if offset + size > self.weights_offset:
            raise ValueError("a section lies outside the file")
        data = bytearray(size)
        file.seek(offset)
        if file.readinto(data) != size:
            raise ValueError("cannot be read to its end")
        return data

    def _lines(self, file, offset, size):
        if not size:
            return []
        try:
            return str(self._section(file, offset, size), "utf-8").split("\n")
        except UnicodeError:
            raise ValueError("names are not UTF-8; convert the model again")

    def names(self):
        """The operators' names, read anew: nobody needs them until something is looked into."""
        with open(self.path, "rb") as file:
            names = self._lines(file, self._names_offset, self._names_bytes)
        return names[len(names) - self.op_count :]

    def check_weights(self):
        """Raises ValueError when the weights are not what the converter wrote."""
        with open(self.path, "rb") as file:
            end = self.weights_offset + self.weights_bytes
            if _crc(file, self.weights_offset, end) != self.weights_crc:
                raise ValueError("%s: damaged weights (checksum); copy it again" % self.path)

    def weights_at(self, index):
        """Where an operator's first weight block lies in the weight section."""
        return _u32(self.program, index * _RECORD + _WEIGHTS_AT)

    def block_count(self, index):
        """An operator's number of weight blocks; 0 for one without weights."""
        at = index * _RECORD + _BLOCKS_AT
        return self.program[at] | self.program[at + 1] << 8

    def block_bytes(self, index):
        """Bytes of one of its weight blocks."""
        return _u32(self.program, index * _RECORD + _BLOCK_BYTES_AT)

    def output_range(self, index):
        """(start, end) of an operator's output in the arena."""
        at = index * _RECORD
        start = _u32(self.program, at + _OUTPUT_AT)
        return start, start + _u32(self.program, at + _OUTPUT_BYTES_AT)

    def refusal(self, status):
        """The ValueError for a status that check() or run() returned."""
        index = (status >> 4) - 1
        name = self.names()[index] if self.op_count else ""
        return ValueError("%s: operator %d (%s): %s" % (self.path, index, name, _REASONS[(status & 15) - 1]))


def _u32(data, at):
    return data[at] | data[at + 1] << 8 | data[at + 2] << 16 | data[at + 3] << 24


def _crc(file, start, end):
    chunk = bytearray(256)
    view = memoryview(chunk)
    file.seek(start)
    crc = 0
    while start < end:
        n = file.readinto(view[: min(256, end - start)])
        if not n:
            raise ValueError("cannot be read to its end")
        crc = crc32(view[:n], crc)
        start += n
    return crc & 0xFFFFFFFF
