# The weights of a file with coded pieces, decoded as they are read: docs/FORMAT.md, "Coded weights". In memory while such a
# file is loaded, and while its weights are streamed.

from array import array
from binascii import crc32

from . import _text as text

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: coding (host/midge_host/device/spec.py, `make generate`)
_RAW = const(0)
_PIECE_BYTES = const(16)
_LOOKUPS = const(131)
_READ_BYTES = const(512)
_STORED_BYTES_AT = const(4)
_BYTES_AT = const(8)
_ENCODING_AT = const(12)
_TABLES_AT = const(2)
_HEAD = const(0)
_COPY = const(1)
_KINDS = const(3)
_PHASE_IN = const(0)
_TAKEN_IN = const(1)
_HAVE_IN = const(3)
_FIELD_IN = const(4)
_ROWS_IN = const(5)
_ROW_IN = const(12)
_STATE = const(19)
# generated: end


class Weights:
    """What _model.py needs of an open file, over the decoded weights: seek() to where a piece begins, and readinto().

    bytes: of RAM that it takes once it is open.
    """

    def __init__(self, path, start, directory, code, module, file):
        # start: of WGHT in the file. directory, code: the sections WDIR and CODE. module: midge_packed or its twin. file:
        # the model's, if it is open.
        self._path = path
        self._start = start
        self._directory = bytes(directory)
        self._code = bytes(code)
        self._module = module
        self._file = file
        self._table_bytes = 2 * _LOOKUPS * (self._code[_TABLES_AT] if len(self._code) > _TABLES_AT else 0)
        self.bytes = self._table_bytes + 4 * _STATE + _READ_BYTES

    def open(self):
        """Opens the file. ValueError where the section CODE is impossible."""
        self._tables = array("H", bytes(self._table_bytes))
        self._state = array("I", bytes(4 * _STATE))
        self._data = bytearray(_READ_BYTES)
        self._unpack = self._module.unpack
        if self._module.prepare(self._code, self._tables):
            raise ValueError("%s: %s" % (self._path, text("impossible code")))
        if self._file is None:
            self._file = open(self._path, "rb")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        """Closes the file."""
        self._file.close()

    def crc(self):
        """The checksum of the weights as they are stored."""
        last = len(self._directory) - _PIECE_BYTES
        left = self._u32(last) + self._u32(last + 4)
        value = 0
        data = memoryview(self._data)
        self._file.seek(self._start)
        while left:
            count = self._file.readinto(data[: min(left, _READ_BYTES)])
            if not count:
                break
            value = crc32(data[:count], value)
            left -= count
        return value

    def _u32(self, at):
        raw = self._directory
        return raw[at] | raw[at + 1] << 8 | raw[at + 2] << 16 | raw[at + 3] << 24

    def seek(self, at):
        """Goes to byte `at` of a file in which the weights would lie decoded: a piece has to begin there."""
        at -= self._start
        self._piece = 0  # where in the directory the next one is
        self._left = 0  # bytes of this one that are not decoded yet
        while at > 0:
            at -= self._u32(self._piece + _BYTES_AT)
            self._piece += _PIECE_BYTES

    def readinto(self, out):
        """Decodes the next bytes. Returns how many: less than `out` takes where the file ends too soon."""
        at = 0
        size = len(out)
        while at < size:
            if not self._left:
                self._begin()
            end = min(size, at + self._left)
            self._left -= end - at
            while True:
                at = self._unpack(self._code, self._tables, self._state, self._data, self._there, out, at, end)
                if at == end:
                    break
                if at < 0 or not self._stored:
                    self._refuse()
                self._there = min(self._file.readinto(self._data), self._stored)
                self._stored -= self._there
                self._state[_TAKEN_IN] = 0
                if not self._there:
                    return at
            if not self._left:
                self._end()
        return size

    def _begin(self):
        # The next piece.
        piece = self._piece
        self._piece += _PIECE_BYTES
        self._left = self._u32(piece + _BYTES_AT)
        self._stored = self._u32(piece + _STORED_BYTES_AT)  # that were not read yet
        self._file.seek(self._start + self._u32(piece))
        self._there = 0  # bytes of it in the data
        state = self._state
        for i in range(_FIELD_IN + 1):
            state[i] = 0
        state[_PHASE_IN] = _HEAD if self._u32(piece + _ENCODING_AT) != _RAW else _COPY

    def _end(self):
        # A piece ends with a block, and leaves less than a byte.
        state = self._state
        if state[_PHASE_IN] != _COPY and (
            state[_PHASE_IN] != _KINDS
            or state[_ROW_IN] != state[_ROWS_IN]
            or self._stored
            or state[_TAKEN_IN] != self._there
            or state[_HAVE_IN] >= 8
        ):
            self._refuse()

    def _refuse(self):
        raise ValueError("%s: %s" % (self._path, text("impossible codes")))
