# Normal: learns what is normal, and tells what is not. Imported on first use (__getattr__ in __init__.py):
# docs/learning.md.

import struct
from array import array

from . import _text as text
from ._learnt import read, write

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: normal (host/midge_host/device/spec.py, `make generate`)
_NORMAL = const(2)
# generated: end
_UNIT = const(256)  # of a score
_RATIO_BITS = const(12)
_MOST = const(65535)  # readings to learn from
_FILE_BITS = const(63)  # of a number in a file, without its sign


class Normal:
    """Learns what readings are like while all is well, then says how far others are from that.

    source: a function that makes numbers of a reading, bytes of int8 or whole numbers, such as `learner.see`; or a model
    that gives back its input (an autoencoder), whose error counts.
    count: how many readings to learn from, 6 to 65,535; of the last third of them the limit is learnt. hold: how many
    readings in a row have to be beyond the limit for an alarm, and within it to end one. path: a file of save(), instead
    of learning.

    score: of the last reading, 1.0 at the limit; None while it learns. alarm: whether there is one. learning: whether it
    still learns.
    """

    def __init__(self, source, count=None, hold=3, path=None):
        self._source = source if callable(source) else _errors_of(source)
        self._model = 0 if callable(source) else source._crcs[0]
        if not isinstance(hold, int) or hold < 1:
            raise ValueError(text("normal hold", hold))
        self._hold = hold
        self._row = 0  # readings in a row that speak for a change
        self.score = None
        self.alarm = False
        self.learning = True
        self._sums = self._squares = None  # of each number
        self._seen = 0  # readings that were learnt from
        self._limit = 0
        self._total = self._most = 0  # of the last third's scores
        if path is not None:
            self._restore(path)
            return
        if not isinstance(count, int) or not 6 <= count <= _MOST:
            raise ValueError(text("normal count", _MOST, count))
        self._count = count

    def update(self, reading):
        """Takes a reading. Returns whether there is an alarm; None while it learns, and where a source needs more."""
        values = self._source(reading)
        if values is None:
            return None
        if isinstance(values, (bytes, bytearray)):
            values = [value if value < 128 else value - 256 for value in values]
        if self._sums is None:
            self._sums = [0] * len(values)
            self._squares = [0] * len(values)
        if len(values) != len(self._sums) or not values:
            raise ValueError(text("normal values", len(self._sums), len(values)))
        first = self._count - self._count // 3
        if self._seen < first:
            for i, value in enumerate(values):
                self._sums[i] += value
                self._squares[i] += value * value
            self._seen += 1
            return None
        score = self._strangeness(values, first)
        if self._seen < self._count:
            self._total += score
            self._most = max(self._most, score)
            self._seen += 1
            if self._seen == self._count:
                mean = self._total // (self._count - first)
                self._limit = 2 * self._most - mean
                self.learning = False
            return None
        self.score = score / max(self._limit, 1)
        if (score > self._limit) != self.alarm:
            self._row += 1
            if self._row == self._hold:
                self.alarm = not self.alarm
                self._row = 0
        else:
            self._row = 0
        return self.alarm

    def save(self, path):
        """Writes what was learnt to a file, whole or not at all. Raises RuntimeError while it learns, ValueError where the
        sums of squares are 2^63 or more."""
        if self._seen < self._count:
            raise RuntimeError(text("normal learns", self._count - self._seen))
        if max(self._limit, *self._squares) >= 1 << _FILE_BITS:  # MicroPython's pack() would cut them
            raise ValueError(text("normal large"))
        sums = [struct.pack("<qq", *pair) for pair in zip(self._sums, self._squares)]
        write(path, _NORMAL, 0, self._model, [struct.pack("<Iq", self._count, self._limit), b"".join(sums)])

    def _strangeness(self, values, count):
        # The mean of the squared distances from the means, each in the variance of its number, and a step more: a number
        # that never changed says little by one step.
        total = 0
        for i, value in enumerate(values):
            distance = count * value - self._sums[i]
            variance = count * self._squares[i] - self._sums[i] * self._sums[i] + count * count
            total += _UNIT * distance * distance // variance
        return total // len(values)

    def _restore(self, path):
        parts = read(path, _NORMAL, self._model)
        if len(parts) != 2 or len(parts[0]) != 12 or not parts[1] or len(parts[1]) % 16:
            raise ValueError(text("damaged learning", path))
        self._count, self._limit = struct.unpack("<Iq", parts[0])
        self._sums, self._squares = [], []
        count = self._count - self._count // 3
        for at in range(0, len(parts[1]), 16):
            total, squares = struct.unpack_from("<qq", parts[1], at)
            if not 6 <= self._count <= _MOST or count * squares < total * total:
                raise ValueError(text("damaged learning", path))
            self._sums.append(total)
            self._squares.append(squares)
        self._seen = self._count
        self.learning = False


def _errors_of(model):
    # The function that gives an autoencoder's squared error, in steps of its input, as one number.
    given, made = model.inputs[0], model.outputs[0]
    if len(model.inputs) > 1 or given.size != made.size or given.element != "int8" or made.element != "int8":
        raise ValueError(text("no autoencoder", model.inputs, model.outputs))
    ratio = int(made.scale / given.scale * (1 << _RATIO_BITS) + 0.5)
    zeros = [tensor.zero_point - (128 if tensor.dtype == "uint8" else 0) for tensor in (given, made)]
    out = bytearray(made.size)

    def errors(reading):
        if model._encode(given.raw, reading, model._arena):
            from ._convert import load

            load(model, reading)
        before = array("b", bytes(model._arena[given.offset : given.offset + given.size]))
        model.predict_into(before, out)
        total = 0
        for i, value in enumerate(before):
            value = (value - zeros[0]) << _RATIO_BITS
            error = (value - (out[i] - 128 - zeros[1]) * ratio + (1 << (_RATIO_BITS - 1))) >> _RATIO_BITS
            total += error * error
        return (total,)

    return errors
