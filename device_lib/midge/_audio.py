# AudioModel: a model that takes sound. Imported only for a file with a feed entry: docs/FORMAT.md, "Sound".

import struct
from array import array

from . import _text as text
from ._model import Model, _best, _late, _refuse

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: sound (host/midge_host/device/spec.py, `make generate`)
_WIDE = const(2)
_AUDIO = const(6)
_MEL = const(7)
_LAYOUT = const("<IHHHHf8s")
# rate, hop, first, every, window, cutoff, front
# generated: end


class _Samples:
    # In the place of the bank that converts int16, which samples do without: take() copies them.
    encode = run = None


class AudioModel(Model):
    """A model that takes int16 samples, as many as there are at a time, and predicts when enough of them have come.

    rate: samples a second. hop: samples from one frame of features to the next; first: frames before the first
    prediction; every: from one to the next. cutoff, window: what a Detector takes if nothing else is said; a cutoff of
    0 is none. front: the front end's name.
    """

    def __init__(self, parts, sound):
        raw, self._feed, self._feed_steps = sound
        modules = parts[0]
        if modules[_WIDE] is None:
            modules[_WIDE] = _Samples
        Model.__init__(self, parts)
        self.rate, self.hop, self.first, self.every, self.window, self.cutoff, front = struct.unpack(_LAYOUT, raw)
        self.front = "".join([chr(code) for code in front if code])
        self._each = None
        self._take = (modules[_AUDIO] or modules[_MEL]).take
        tensor = self.inputs[0]
        self._start = tensor.offset
        self._end = tensor.offset + tensor.bytes
        self._begin()

    def _begin(self):
        # As before the first sample.
        self._at = self._start  # where the next one goes
        self._left = self.first  # frames before the next prediction

    def _allocate(self, size, room):
        Model._allocate(self, size, room)
        steps, parts = self._feed_steps
        self._feed_steps = self._feed_parts = None
        if self._file:
            self._feed_steps = self._windows([list(step) for step in steps])
        else:
            self._feed_parts = [(self._runs[part[-1]], part[2], part[3]) for part in parts]

    def predict(self, reading):
        """Takes samples and computes what is due; returns the newest scores as a list of floats (one list per output
        if there are several), or None if no prediction was due.

        reading: int16 samples, of any number: array('h'), a list, or their bytes, as a microphone gives them. What is
        left over is kept for the next call. Raises TypeError for anything else, ValueError for half a sample.
        """
        if isinstance(reading, list) or isinstance(reading, tuple):
            reading = _samples(self, reading)  # once, not for each prediction
        results = [array("f", bytes(4 * tensor.size)) for tensor in self.outputs]
        if not self.predict_into(reading, results if len(results) > 1 else results[0]):
            return None
        results = [list(values) for values in results]
        return results if len(results) > 1 else results[0]

    def predict_into(self, reading, out):
        """Takes samples and computes what is due; writes the newest scores into `out`, with no allocation if both are
        buffers. Returns whether there were any; if not, `out` is as it was."""
        if not self._acquire(0):
            raise RuntimeError(text("busy"))
        try:
            return _hear(self, reading, out)
        finally:
            self._release()

    def predict_each(self, reading, out, each):
        """The same, and calls each() after every prediction, with its scores in `out`. It must not run the model."""
        if not self._acquire(0):
            raise RuntimeError(text("busy"))
        self._each = each
        try:
            return _hear(self, reading, out)
        finally:
            self._each = None
            self._release()

    def classify(self, reading):
        """Takes samples and computes what is due; returns (label, score) of the newest prediction's largest value of
        the first output, or None if no prediction was due."""
        scores = self.predict(reading)
        return scores and _best(self, scores[0] if len(self.outputs) > 1 else scores)

    def reset(self):
        """Forgets all sound."""
        _late("_inspect", "alone", "reset", self)


# What follows is held as short as in _model.py: a frame that needs heap takes 20,000 cycles.


def _hear(model, reading, out):
    # Whether there was a prediction.
    at = 0
    fresh = False
    while True:
        at = _advance(model, reading, at)
        if at < 0:
            return fresh
        fresh = True
        if model._decode(model._output, model._arena, out):
            _late("_convert", "store", model, out)
        if model._each:
            model._each()


def _advance(model, reading, at):
    # Takes samples from byte `at` of a reading on, up to the next prediction. Returns how far it came; -1 where all were
    # taken before.
    while True:
        taken = model._take(model._arena, model._at, model._end, reading, at)
        if taken < 0:
            reading = _samples(model, reading)
            continue
        at += taken
        model._at += taken
        if model._at < model._end:
            return -1
        if model._feed_steps is None:
            for taken in model._feed_parts:
                _run_part(model, taken)
        else:
            model._stream(model._feed_steps)
        model._at -= 2 * model.hop
        model._left -= 1
        if not model._left:
            model._left = model.every
            _predict(model)
            return at


def _run_part(model, part):
    # Records of one bank, with all weights at hand: its function, first and last record.
    status = part[0](model._program, part[1], part[2], model._arena, model._weights)
    if status:
        _refuse(model, status)


def _predict(model):
    # From the frames that are there.
    if model._steps is not None:
        model._stream(model._steps)
        return
    status = model._run(model._program, model._first, model._last, model._arena, model._weights)
    if status:
        _refuse(model, status)


def fill(model, reading):
    """Puts a reading's first samples into the window of sound, for profile()."""
    while model._take(model._arena, model._start, model._end, reading, 0) < 0:
        reading = _samples(model, reading)


def _samples(model, reading):
    # A reading that take() did not take, a list, as samples; for what cannot be samples an error that says so.
    name = model.inputs[0].name
    if isinstance(reading, list) or isinstance(reading, tuple):
        for value in reading:
            if not isinstance(value, int) or not -32768 <= value <= 32767:
                raise ValueError(text("sample", name, value))
        return array("h", reading)
    try:
        size = len(bytes(memoryview(reading)))
    except TypeError:
        size = 0
    if size % 2:
        raise ValueError(text("half a sample", name, size))
    raise TypeError(text("samples", name, type(reading).__name__))
