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
_LOOKUPS = const(131)
_READ_BYTES = const(512)
_PIECE = const(4)
_STORED_BYTES_IN = const(1)
_BYTES_IN = const(2)
_ENCODING_IN = const(3)
_TABLES_AT = const(2)
_HEAD = const(0)
_COPY = const(1)
_KINDS = const(3)
_PHASE_IN = const(0)
_TAKEN_IN = const(1)
_BITS_IN = const(2)
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
        self._directory = array("I", bytes(directory))
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
        self._decoder = None
        # The next piece, and where it begins when all are decoded.
        self._piece = self._at = 0
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
        last = len(self._directory) - _PIECE
        left = self._directory[last] + self._directory[last + _STORED_BYTES_IN]
        self._decoder = None
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

    def seek(self, at):
        """Goes to byte `at` of a file in which the weights would lie decoded: a piece has to begin there."""
        at -= self._start
        if at < self._at:
            self._piece = self._at = 0
        self._left = 0  # bytes of this piece that are not decoded yet
        while self._at < at:
            self._at += self._directory[self._piece + _BYTES_IN]
            self._piece += _PIECE
        if self._decoder is None:
            self._decoder = self._decode()
            next(self._decoder)

    def readinto(self, out):
        """Decodes the next bytes. Returns how many: less than `out` takes where the file ends too soon."""
        decoder = self._decoder
        self._decoder = None  # which an exception ends
        at = decoder.send(out)
        self._decoder = decoder
        return at

    def _decode(self):
        # A generator of readinto(), since MicroPython looks for memory at each call of a function that is so large.
        directory = self._directory
        code = self._code
        tables = self._tables
        data = self._data
        state = self._state
        unpack = self._module.unpack
        file = self._file
        there = -1  # bytes of the data, which the file stands behind; -1 where it may not
        first = stop = 0  # where in WGHT the data begin, and where in them the piece ends
        at = 0
        while True:
            out = yield at
            at = 0
            size = len(out)
            while at < size:
                piece = self._piece
                if not self._left:
                    # The next piece, of which some data may be there already.
                    self._left = directory[piece + _BYTES_IN]
                    taken = directory[piece] - first
                    if not 0 <= taken <= there:
                        first += taken
                        there = taken = 0
                        file.seek(self._start + first)
                    stop = taken + directory[piece + _STORED_BYTES_IN]
                    state[_PHASE_IN] = _HEAD if directory[piece + _ENCODING_IN] != _RAW else _COPY
                    state[_TAKEN_IN] = taken
                    state[_BITS_IN] = state[_HAVE_IN] = state[_FIELD_IN] = 0
                end = min(size, at + self._left)
                begin = at
                at = unpack(code, tables, state, data, min(there, stop), out, at, end)
                while at != end and at >= 0 and there < stop:
                    stop -= there
                    first += there
                    there = file.readinto(data)
                    state[_TAKEN_IN] = 0
                    if not there:
                        break
                    at = unpack(code, tables, state, data, min(there, stop), out, at, end)
                if not there:
                    there = -1
                    break
                self._left -= end - begin
                if not self._left:
                    # A piece ends with a block, and leaves less than a byte.
                    if state[_PHASE_IN] != _COPY and (
                        state[_PHASE_IN] != _KINDS
                        or state[_ROW_IN] != state[_ROWS_IN]
                        or state[_TAKEN_IN] != stop
                        or state[_HAVE_IN] >= 8
                    ):
                        at = -1
                    self._at += directory[piece + _BYTES_IN]
                    self._piece = piece + _PIECE
                if at != end:
                    raise ValueError("%s: %s" % (self._path, text("impossible codes")))
