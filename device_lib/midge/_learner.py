# Learner: a model that learns on the board. Imported on first use: docs/learning.md.

import sys
from array import array

from . import _borrow
from . import _text as text
from ._learnt import read, write
from ._model import _best

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: learning (host/midge_host/device/spec.py, `make generate`)
_PROTOTYPES = const(1)
_NEIGHBOURS = const(2)
_HEAD = const(3)
_MOST_SIZE = const(1024)
_MOST_HEAD_SIZE = const(512)
_MOST_CLASSES = const(64)
_MOST_NEIGHBOURS = const(15)
_MOST_SAMPLES = const(65535)
_EXPONENTS = const(256)
_WHITENED = const(2)
_OFFSET_IN = const(0)
_SIZE_IN = const(1)
_ZERO_POINT_IN = const(2)
_METHOD_IN = const(3)
_FLAGS_IN = const(4)
_SHIFT_IN = const(5)
_NEIGHBOURS_IN = const(6)
_INPUT_BITS_IN = const(7)
_FRACTION_IN = const(8)
_RATE_IN = const(9)
_EPOCHS_IN = const(10)
_LIMIT_IN = const(11)
_CLASSES_IN = const(12)
_EXEMPLARS_IN = const(13)
_LEARN_BYTES = const(56)
_LEARNER = const(1)
# generated: end
_ONE = const(32768)  # a probability of 1
_KEPT = const(32)  # samples of a class; then a new one takes the place of the oldest
_SEED = const(1)
_STEPS = const(4)  # a head's exponents are of steps of 2^-4
_MOST_RATE = const(30)  # bits that a head's step is divided by, at most


class Learner:
    """Learns classes from examples, by what a model sees in them before its last layer. Make one with model.learner().

    labels: a list of strings, of the classes known so far; method: "prototypes", "neighbours" or "head".
    """

    def __init__(self, model, path=None, raw=None):
        # raw: the section, for the host, which has embeddings and no model.
        raw = raw or _borrow("_loader", "section", model._path, model._crcs[0], b"LERN")
        if not raw:
            raise ValueError(text("no learning", model._path))
        if len(raw) < _LEARN_BYTES:
            raise ValueError(text("impossible learning", model._path))
        self._model = model
        self._facts = facts = array("i", bytes(raw[:_LEARN_BYTES]))
        parts = _parts(raw, facts)
        if parts is None or facts[_OFFSET_IN] + facts[_SIZE_IN] > model.arena_bytes:
            raise ValueError(text("impossible learning", model._path))
        self._centre, start, self._exponents, self._matrix, exemplars, of, labels = parts
        method = facts[_METHOD_IN]
        self.method = ("prototypes", "neighbours", "head")[method - 1]
        native = model.backend == "native" and _borrow("_loader", "module", "midge_learn", "auto")
        if not native:
            __import__("midge._portable_learn")
            native = sys.modules["midge._portable_learn"]
        self._do = native
        is_head = method == _HEAD
        self._vector = array("h", bytes(2 * (facts[_SIZE_IN] + is_head)))
        self.labels = labels
        self._rows = array("h")  # of classes, or of samples; of a head, its weights
        self._of = bytearray()  # the class of each sample
        self._sums = []  # of each class, and behind them their number
        self._samples = bytearray()  # of a head
        self._next = bytearray(len(labels))  # of each class, which of its samples is the oldest
        self._seed = array("I", (_SEED,))
        if path is not None:
            self._restore(path)
            return
        if is_head:
            self._rows = start
            self._samples = bytearray(exemplars)
            self._of = bytearray(of)
            return
        for c in range(len(labels)):
            for i in range(len(of)):
                if of[i] == c:
                    self._learn(exemplars[i * facts[_SIZE_IN] : (i + 1) * facts[_SIZE_IN]], c)

    def add(self, reading, label):
        """Learns that a reading is an example of a label, a string; a new one makes a new class. Returns True; False
        when a model of sound needs more of it. A head learns when it is trained.

        Raises ValueError for a label that is empty or has a line break in it, and for one class too many.
        """
        self._refuse(label)
        x = self.see(reading)
        if x is None:
            return False
        self.add_embedding(x, label)
        return True

    def add_embedding(self, x, label):
        """The same for what the model saw in a reading: `size` bytes, int8. Raises ValueError for another number too."""
        self._refuse(label)
        self._measure(x)
        if label in self.labels:
            self._learn(x, self.labels.index(label))
            return
        # A class is known when there was memory for it.
        if self._facts[_METHOD_IN] != _HEAD:
            self._learn(x, len(self.labels))
        else:
            self._rows.extend(array("h", bytes(2 * len(self._vector))))
        self.labels.append(label)
        self._next += b"\0"
        if self._facts[_METHOD_IN] == _HEAD:
            self._learn(x, len(self.labels) - 1)

    def train(self, epochs=None):
        """Trains a head with all examples, `epochs` times; 20 or so if not said. Other methods have learnt already."""
        if self._facts[_METHOD_IN] != _HEAD or not self._of:
            return
        p = array("i", bytes(4 * len(self.labels)))
        order = array("H", range(len(self._of)))
        for _ in range(self._facts[_EPOCHS_IN] if epochs is None else epochs):
            _check(
                self._do.epoch(
                    self._facts,
                    self._exponents,
                    self._samples,
                    self._of,
                    self._rows,
                    order,
                    self._seed,
                    self._vector,
                    p,
                )
            )

    def classify(self, reading):
        """Returns (label, score) of the class that a reading looks like most. The label is None where it looks like
        none of them: below a score of 0, or of a head, whose score is a probability, below what the file says.
        Returns None when a model of sound needs more of it.
        """
        x = self.see(reading)
        return x and self.classify_embedding(x)

    def classify_embedding(self, x):
        """The same for what the model saw in a reading: `size` bytes, int8."""
        if not self.labels:
            return None, 0.0
        self._measure(x)
        self._embed(x)
        limit = self._facts[_LIMIT_IN]
        if self._facts[_METHOD_IN] == _HEAD:
            p = array("i", bytes(4 * len(self.labels)))
            _check(self._do.probabilities(self._facts, self._exponents, self._rows, self._vector, p))
            label, most = _best(self, p)
            return (label if most >= limit else None), most / _ONE
        squares = array("I", bytes(4 * (len(self._rows) // len(self._vector))))
        _check(self._do.distances(self._rows, self._vector, squares))
        best = _nearest(squares)
        square = squares[best]
        if self._facts[_METHOD_IN] == _NEIGHBOURS:
            best = self._vote(squares, best)
        return (self.labels[best] if square <= limit else None), 1 - (square / limit) ** 0.5

    def forget(self, label):
        """Forgets a class. Raises ValueError for a label that is none."""
        if label not in self.labels:
            raise ValueError(text("no such label", label))
        c = self.labels.index(label)
        method = self._facts[_METHOD_IN]
        size = self._facts[_SIZE_IN]
        if method == _PROTOTYPES:
            self._sums.pop(c)
        if method != _NEIGHBOURS:
            self._rows = _without(self._rows, c, len(self._vector))
        for i in range(len(self._of) - 1, -1, -1):
            if self._of[i] == c:
                if method == _HEAD:
                    self._samples = _without(self._samples, i, size)
                else:
                    self._rows = _without(self._rows, i, len(self._vector))
                self._of = _without(self._of, i, 1)
            elif self._of[i] > c:
                self._of[i] -= 1
        self.labels.pop(c)
        self._next = _without(self._next, c, 1)

    def save(self, path):
        """Writes what was learnt to a file, whole or not at all: model.learner(path) reads it."""
        parts = ["\n".join(self.labels).encode(), self._next, self._of, self._samples, self._seed]
        parts.append(b"" if self._facts[_METHOD_IN] == _PROTOTYPES else self._rows)
        parts += self._sums
        write(path, _LEARNER, len(self.labels), self._model._crcs[0], parts)

    def see(self, reading):
        """What the model sees in a reading, its embedding: int8 values as bytes. None when a model of sound needs more
        of it."""
        if self._model.predict(reading) is None:
            return None
        start = self._facts[_OFFSET_IN]
        return self._model._arena[start : start + self._facts[_SIZE_IN]]

    def _refuse(self, label):
        if not isinstance(label, str) or not label or "\n" in label:
            raise ValueError(text("label to learn", label))
        if label not in self.labels and len(self.labels) == _MOST_CLASSES:
            raise ValueError(text("classes to learn", _MOST_CLASSES))

    def _measure(self, x):
        if len(x) != self._facts[_SIZE_IN]:
            raise ValueError(text("embedding", self._facts[_SIZE_IN], len(x)))

    def _embed(self, x):
        _check(self._do.embed(self._facts, self._matrix, self._centre, x, self._vector))

    def _learn(self, x, c):
        method = self._facts[_METHOD_IN]
        if method == _HEAD:
            self._keep(self._samples, x, c)
            return
        self._embed(x)
        vector = self._vector
        size = len(vector)
        if method == _NEIGHBOURS:
            self._keep(self._rows, array("h", [4 * value for value in vector]), c)
            return
        row = vector[:]
        if c == len(self._sums):
            fresh = array("i", bytes(4 * size + 4))
            self._rows.extend(vector)
            self._sums.append(fresh)
        sums = self._sums[c]
        if sums[size] == _MOST_SAMPLES:
            return
        for i in range(size):
            sums[i] += vector[i]
        sums[size] += 1
        _check(self._do.prototype(self._facts, sums, row))
        self._rows[c * size : (c + 1) * size] = row

    def _keep(self, samples, x, c):
        # A sample of a class, in the place of its oldest one where there are enough.
        size = len(x)
        places = [i for i in range(len(self._of)) if self._of[i] == c]
        if len(places) < _KEPT:
            samples.extend(x)
            self._of.append(c)
            return
        at = places[self._next[c] % _KEPT] * size
        self._next[c] = (self._next[c] + 1) % _KEPT
        for value in x:
            samples[at] = value
            at += 1

    def _vote(self, squares, best):
        # The class that most of the nearest neighbours are of; of several, that of the nearest one.
        votes = bytearray(len(self.labels))
        for _ in range(min(self._facts[_NEIGHBOURS_IN], len(squares))):
            i = _nearest(squares)
            squares[i] = 0xFFFFFFFF
            votes[self._of[i]] += 1
        winner = self._of[best]
        for c in range(len(votes)):
            if votes[c] > votes[winner]:
                winner = c
        return winner

    def _restore(self, path):
        parts = read(path, _LEARNER, self._model._crcs[0])
        size = len(self._vector)
        try:
            labels = str(parts[0], "utf-8")
            self.labels = labels.split("\n") if labels else []
            self._next = bytearray(parts[1])
            self._of = bytearray(parts[2])
            self._samples = bytearray(parts[3])
            self._seed = array("I", parts[4])
            self._rows = array("h", parts[5])
            self._sums = [array("i", part) for part in parts[6:]]
        except (ValueError, IndexError):
            raise ValueError(text("damaged learning", path))
        classes = len(self.labels)
        method = self._facts[_METHOD_IN]
        rows, samples, sums = {
            _PROTOTYPES: (0, 0, classes),
            _NEIGHBOURS: (len(self._of), 0, 0),
            _HEAD: (classes, len(self._of), 0),
        }[method]
        if (
            classes > _MOST_CLASSES
            or len(self._next) != classes
            or len(self._seed) != 1
            or len(self._of) > _MOST_SAMPLES
            or max(self._of or b"\0") >= max(classes, 1)
            or len(self._rows) != rows * size
            or len(self._samples) != samples * self._facts[_SIZE_IN]
            or len(self._sums) != sums
            or method == _NEIGHBOURS
            and len(set(self._of)) != classes
        ):
            raise ValueError(text("damaged learning", path))
        for one in self._sums:
            row = array("h", bytes(2 * size))
            if len(one) != size + 1 or self._do.prototype(self._facts, one, row):
                raise ValueError(text("damaged learning", path))
            self._rows.extend(row)


def _nearest(squares):
    best = 0
    for i in range(1, len(squares)):
        if squares[i] < squares[best]:
            best = i
    return best


def _without(values, place, size):
    return values[: place * size] + values[(place + 1) * size :]


def _check(status):
    if status:
        raise ValueError(text("learning refused", status))


def _parts(raw, facts):
    # What the section holds behind its facts; None where something cannot be.
    size, method, classes, count = facts[_SIZE_IN], facts[_METHOD_IN], facts[_CLASSES_IN], facts[_EXEMPLARS_IN]
    is_head = method == _HEAD
    is_white = facts[_FLAGS_IN] & _WHITENED
    if (
        not 0 < size <= (_MOST_HEAD_SIZE if is_head else _MOST_SIZE)
        or facts[_OFFSET_IN] < 0
        or not _PROTOTYPES <= method <= _HEAD
        or not 0 <= classes <= _MOST_CLASSES
        or not 0 <= count <= _MOST_SAMPLES
        or not 0 < facts[_NEIGHBOURS_IN] <= _MOST_NEIGHBOURS
        or facts[_LIMIT_IN] <= 0
        or not -128 <= facts[_ZERO_POINT_IN] < 128
        or not 0 < facts[_SHIFT_IN] <= 30
        or is_head
        and (is_white or not _is_head(*facts[_INPUT_BITS_IN:_EPOCHS_IN]))
    ):
        return None
    sizes = (
        4 * size * bool(is_white),
        2 * classes * (size + 1) * is_head,
        2 * _EXPONENTS * is_head,
        size * size * bool(is_white),
        count * size,
        count,
    )
    at = _LEARN_BYTES
    parts = []
    for code, length in zip("ihHBBB", sizes):
        part = bytes(raw[at : at + length])
        if len(part) != length:
            return None
        parts.append(part if code == "B" else array(code, part))
        at += length
    labels = str(bytes(raw[at:]), "utf-8").split("\n") if len(raw) > at else []
    if len(labels) != classes or max(parts[5] or b"\0") >= max(classes, 1):
        return None
    if not is_head and len(set(parts[5])) != classes:  # there would be nothing to compare with
        return None
    return parts + [labels]


def _is_head(bits, fraction, rate):
    # As in native_modules/kernels/generic/learn/head.c.
    return (
        0 < bits <= 8
        and 0 <= fraction <= 15
        and 0 <= rate <= 15
        and bits + fraction > _STEPS
        and bits + rate - fraction <= _MOST_RATE - 15
    )
