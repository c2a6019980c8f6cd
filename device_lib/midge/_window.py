# Window: samples one by one, a prediction of the last ones of them. Imported on first use (__getattr__ in __init__.py).

import struct
from array import array

from . import _text as text
from ._model import Tensor, _best, _compute, _late

_CHANNEL_BYTES = 8
_len = len  # found sooner than a builtin


class _Key:
    def __getitem__(self, key):
        return key


_ALL = _Key()[:]  # made once: each [:] takes heap


class Window:
    """The last samples of a series, and a model's scores of them after every `hop` samples.

    model: a Model with one input, [1, samples, ...]: what follows `samples` makes the values of one sample. channels: how
    many values a sample has where the shape does not say so. ValueError when input, hop or channels do not fit each other.

    length: samples of a window. channels: values of a sample. scores: array('f') with the output of the last
    prediction, which the next one overwrites; of several outputs a list of such arrays.
    """

    def __init__(self, model, hop, channels=None):
        if len(model.inputs) != 1:
            raise ValueError(text("window inputs", len(model.inputs)))
        if hasattr(model, "hop"):
            raise ValueError(text("window of sound"))
        if hasattr(model, "_run_region"):
            raise ValueError(text("window of rows"))
        tensor = model.inputs[0]
        if channels is None:
            channels = 1
            for n in tensor.shape[2:]:
                channels *= n
        if channels.__class__ is not int or channels < 1 or tensor.size % channels:
            raise ValueError(text("window channels", channels, tensor.name, tensor.shape))
        if hop.__class__ is not int or hop < 1:
            raise ValueError(text("hop", hop))
        self.length = tensor.size // channels
        self.channels = channels
        self._model = model
        self._hop = hop
        # Numbers of `hop` samples as they come. Together they become the model's, at the end of a window of these.
        self._values = array("i" if tensor.element == "int32" else "f", [0] * (hop * channels))
        self._end = hop * channels
        count = min(hop, self.length) * channels
        self._last = memoryview(self._values)[self._end - count :]
        self._part = _part_of(tensor, channels, count)
        self._samples = bytearray(tensor.bytes)
        samples = memoryview(self._samples)
        self._old, self._kept = samples[: self._part.offset], samples[self._part.bytes :]
        self._input = memoryview(model._arena)[tensor.offset : tensor.offset + tensor.bytes]
        scores = [array("f", bytes(4 * output.size)) for output in model.outputs]
        self.scores = scores[0] if len(scores) == 1 else scores
        self._begin()

    def _begin(self):
        # A first window ends with the last of some parts of `hop` samples; of the first part some may be none.
        self._at = -self.length % self._hop * self.channels
        for i in range(self._at):
            self._values[i] = 0
        self._missing = -(-self.length // self._hop)

    def push(self, sample):
        """Takes a sample: a tuple, list or array of a number for each channel.

        Returns `scores` after the last sample of a window, None else. Takes no heap where the model's predict_into takes
        none.
        Raises ValueError for a wrong number of values and TypeError for what is no number: the sample is left out. At
        the end of a window ValueError for a NaN in it: it begins anew; RuntimeError where the model is at another
        prediction: this window is left out.
        """
        # Its frame is as large as MicroPython has without heap: _model.py.
        at = self._at
        if _len(sample) != self.channels:
            self._refuse(sample)
        for value in sample:
            self._values[at] = value
            at += 1
        self._at = at
        if at < self._end:
            return None
        return self._predict()

    def best(self):
        """(label, score) of the largest of the last prediction's scores, those of the first output; as Model.classify."""
        return _best(self._model, self.scores[0] if len(self._model.outputs) > 1 else self.scores)

    def reset(self):
        """Forgets all samples, and what the model remembers."""
        self._begin()
        self._model.reset()

    def _refuse(self, sample):
        raise ValueError(text("sample values", self._part.name, self.channels, len(sample)))

    def _predict(self):
        model = self._model
        part = self._part
        self._at = 0
        self._old[_ALL] = self._kept
        if part.module.encode(part.raw, self._last, self._samples):
            try:
                _late("_convert", "load_tensor", part, self._last, self._samples)
            except ValueError:
                self._begin()
                raise
        if self._missing:
            self._missing -= 1
            if self._missing:
                return None
        if not model._acquire(0):
            raise RuntimeError(text("busy"))
        try:
            self._input[_ALL] = self._samples
            _compute(model, model._arena, self.scores)
        finally:
            model._release()
        return self.scores


def _part_of(tensor, channels, count):
    # A Tensor of the last values of an input, with their scales.
    head = len(tensor.raw) - _CHANNEL_BYTES * len(tensor.channels)
    for i in range(channels, len(tensor.channels)):
        if tensor.channels[i] != tensor.channels[i % channels]:
            raise ValueError(text("window scales", tensor.name, i, i % channels))
    raw = tensor.raw[:head]
    size = count * tensor.bytes // tensor.size
    struct.pack_into("<II", raw, 0, tensor.bytes - size, size)
    scales = tensor.raw[head : head + _CHANNEL_BYTES * channels]
    return Tensor(tensor.name, raw, scales, [tensor.module] * 8)
