# RowModel: a model whose first layers are made in strips of rows. Imported only for a file with the section ROWS: docs/FORMAT.md,
# "Rows".

import struct
import sys

from . import _borrow, _collect, _of
from . import _text as text
from ._model import Model, Tensor, _compute, _late, _refuse, _str

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: rows (host/midge_host/device/spec.py, `make generate`)
_CORE = const(0)
_RECORD = const(72)
_REGION_BYTES = const(4)
_TURNS_AT = const(2)
_HEIGHT_AT = const(8)
_STEP_AT = const(12)
# generated: end


class RowModel(Model):
    """A model whose first layers are made in strips of rows, and whose input comes in row by row: of neither is more in
    memory than some rows.

    A reading may also be an iterator that gives the input's rows one after the other, each as a reading of its own.
    """

    def __init__(self, parts, region):
        Model.__init__(self, parts)
        rows, self._from, self._to, self._base, self._size, fresh = region
        self._rows = bytearray(rows)  # copied to where _loader.py was: what it left lies in the arena's way
        self._fresh = bytearray(fresh)
        self._state = bytearray(fresh)
        self._record = bytearray(_RECORD)
        self._turns = len(self._rows) - _u16(self._rows, _TURNS_AT)  # where they begin
        self._single = self._runs[_CORE]
        self._make = _maker(self.backend)
        self._strip = None  # the rows of the input that are read at a time
        if _u16(self._rows, _REGION_BYTES + _STEP_AT):
            self._strip = Tensor(*parts[5][0][0], parts[0])
            self._height = _u16(self._rows, _REGION_BYTES + _HEIGHT_AT)
            self._row = self._strip.size // self._height

    def predict_into(self, reading, out):
        """Runs the model and writes the output into `out`, as a Model does. It allocates a little for each strip of rows."""
        if not self._acquire(0):
            raise RuntimeError(text("busy"))
        try:
            self._run_region(reading, None)
            _compute(self, self._arena, out)
        finally:
            self._release()

    def _run_region(self, reading, did):
        # Runs the region's records on a reading. did: called after each turn, with the number of its ring, or None.
        if self._strip is None:
            if reading is not self._arena and (
                reading.__class__ is _str or self._encode(self._input, reading, self._arena)
            ):
                _late("_convert", "load", self, reading)
        else:
            reading, unit = self._open(reading)
        weights, base = self._weights_of_region()
        rows = self._rows
        state = self._state
        state[:] = self._fresh
        turn = 0
        end = turns = len(rows) - self._turns
        while turn < turns:
            if did:
                end = turn + 1
            turn = self._make(
                self._single,
                self._program,
                self._from,
                rows,
                state,
                self._record,
                self._arena,
                weights,
                base,
                turn,
                end,
            )
            if turn < 0:
                _refuse(self, -turn)
            number = rows[self._turns + turn - 1]
            if not number:
                self._take_rows(reading, unit, *struct.unpack_from("<III", self._record))
            if did:
                did(number)

    def _weights_of_region(self):
        if self._file is None or not self._size:
            return self._weights, 0
        window = memoryview(self._weights)[: self._size]
        self._file.seek(self._weights_at + self._base)
        if self._file.readinto(window) != self._size:
            raise OSError(text("file is gone", self._path))
        return window, self._base

    def _open(self, reading):
        # A reading of which rows can be taken, and how many of its elements are a row: 0 where it gives them itself.
        if hasattr(reading, "_load") or hasattr(reading, "__next__"):
            return reading, 0
        tensor = self.inputs[0]
        unit = self._row
        if isinstance(reading, list) or isinstance(reading, tuple):
            while len(reading) == 1 and hasattr(reading[0], "__len__"):
                reading = reading[0]
            if len(reading) == self._height and hasattr(reading[0], "__len__"):
                unit = 1
        else:
            if hasattr(reading, "flatten"):  # numpy, ulab
                reading = reading.flatten()
            try:
                if reading.__class__ is _str:
                    raise TypeError
                reading = memoryview(reading)
                if getattr(reading, "ndim", 1) > 1:
                    reading = reading.cast("B").cast(reading.format)
            except TypeError:
                raise TypeError(text("input", tensor.name, tensor.size, type(reading).__name__))
        if len(reading) != unit * self._height:
            raise ValueError(text("length", tensor.name, tensor.size, tensor.shape, len(reading)))
        return reading, unit

    def _take_rows(self, reading, unit, first, last, offset):
        # Rows first to last - 1 of a reading into the arena.
        strip = self._strip
        if unit:
            self._place(last - first, offset)
            self._enter(reading[first * unit : last * unit])
        elif hasattr(reading, "_load"):
            self._place(last - first, offset)
            reading._load(strip, self._arena, first)
        else:
            for row in range(first, last):
                self._place(1, offset)
                try:
                    values = next(reading)
                except StopIteration:
                    raise ValueError(text("rows", strip.name, self._height, row))
                self._enter(values)
                offset += strip.bytes

    def _place(self, rows, offset):
        strip = self._strip
        strip.offset = offset
        strip.size = strip.bytes = rows * self._row
        struct.pack_into("<II", strip.raw, 0, offset, strip.bytes)

    def _enter(self, values):
        strip = self._strip
        if values.__class__ is _str or strip.module.encode(strip.raw, values, self._arena):
            _late("_convert", "load_tensor", strip, values, self._arena)


def _maker(backend):
    # What takes turns. On a board without _loader.py in memory, above which it would lie in the arena's way.
    found = None
    if backend == "native" and hasattr(sys.implementation, "_mpy"):  # CPython's is quick enough
        _collect()
        try:
            found = sys.modules.get("midge_rows") or _borrow("_native", "load", "midge_rows")
        except (ImportError, ValueError):
            pass
        if getattr(found, "FORMAT", None) != sys.modules["midge_core"].FORMAT:
            found = _borrow("_loader", "module", "midge_rows", "auto")  # says why
    run = found.run if found else _of("_portable_rows", "run")
    _collect()
    return run


def _u16(data, at):
    return data[at] | data[at + 1] << 8
