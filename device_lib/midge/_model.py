# Model: one loaded .midge file. The API is described in docs/api.md.

import gc
import struct
from array import array
from binascii import crc32

from . import _borrow, _of
from . import _text as text

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


_MARGIN = const(16384)  # heap to leave to the user's script when "auto" chooses to copy weights to RAM
# generated: dtypes (host/midge_host/device/spec.py, `make generate`)
_DTYPES = ("int8", "uint8", "float32", "int16", "int32")
# generated: end
# generated: banks (host/midge_host/device/banks.py, `make generate`)
_CORE = const(0)
_WIDE = const(2)
_TREES = const(5)
_FLAGS_AT = const(39)
_FUNCTION = const(3)
# generated: end
_str = str  # found sooner than a builtin

try:
    from _thread import allocate_lock as Lock
except ImportError:
    from ._lock import Lock

# predict_into is held short: the cycles around the kernels are counted in tests/boards/test_pico.py. MicroPython takes
# heap for a call's frame of more than 11 words: locals, the deepest expression, and three for each nested `try`.


class Tensor:
    """A model input or output: name, shape, size (number of values), dtype, scale, zero_point.

    real value = scale * (q - zero_point), q of type dtype: what the source model had there. The device holds int8 (of
    uint8 128 less), or int16, int32 and float32 where the model does. channels: (scale, zero point) for each channel of the real values of a reading, where
    these have their own; else empty.
    """

    def __init__(self, name, raw, channels, modules):
        fields = struct.unpack_from("<IIfiiiBB6HBB", raw)
        self.offset, self.bytes, self.scale, self.zero_point = fields[:4]
        self.name = "%s" % name
        self.dtype = _DTYPES[fields[6] - 1]
        if self.dtype == "uint8":
            self.zero_point += 128
        self.element = _DTYPES[fields[14] - 1]
        self.size = self.bytes // {"int8": 1, "int16": 2}.get(self.element, 4)
        self.shape = fields[8 : 8 + fields[7]]
        self.raw = bytearray(raw) + channels  # what encode() and decode() take for its description
        # Most have none, and an empty tuple takes no heap.
        self.channels = [struct.unpack_from("<fi", channels, at) for at in range(0, len(channels), 8)] or ()
        # Which has encode() and decode() for it.
        self.module = modules[{"int8": _CORE, "float32": _TREES}.get(self.element, _WIDE)]

    def __repr__(self):
        return "Tensor(%s %s %s)" % (self.name, self.dtype, self.shape)


class Model:
    """A model ready to run. Make one with midge.load().

    inputs, outputs: lists of Tensor (name, shape, dtype, scale, zero_point).
    labels: list of strings, empty when the file has none.
    arena_bytes: working memory. weights_mode: "ram", "map" or "stream". backend: "native" or "portable".
    cores: how many the layers are shared between.
    """

    def __init__(self, parts):
        # Holds nothing of the parts that is in memory: midge.load() frees it before the arena comes.
        (
            modules,
            self.backend,
            self._path,
            crcs,
            program,
            (inputs, outputs),
            labels,
            self.weights_mode,  # as asked for, or map
            view,
            self._file,  # what reads weights: of a file with coded ones from the start, else once they are streamed
            steps,
            parts,
            (self.arena_bytes, self._weights_at, _, _, *self._init, self._first, self._last),
        ) = parts
        self._runs = [module and module.run for module in modules]  # by the number of the bank
        self._crcs = array("I", crcs)
        self._program = (memoryview if isinstance(program, memoryview) else bytearray)(program)
        self.inputs = [Tensor(*edge, modules) for edge in inputs]
        self.outputs = [Tensor(*edge, modules) for edge in outputs]
        # For the one input and the one output. Without a descriptor encode() and decode() refuse: _convert.py then goes
        # through several, or computes a function of the output.
        self._input = b"" if len(inputs) > 1 else self.inputs[0].raw
        self._output = b"" if len(outputs) > 1 or self.outputs[0].raw[_FLAGS_AT] & _FUNCTION else self.outputs[0].raw
        self._encode = self.inputs[0].module.encode
        self._decode = self.outputs[0].module.decode
        self.labels = ["%s" % label for label in labels]
        self._weights = None if view is None else memoryview(view)
        # How a prediction runs with streamed weights, and with all of them, in steps (_stream). None: one call of _run
        # does it. _allocate() keeps one of the two.
        self._steps = (
            steps and [list(step) for step in steps],
            [list(step) for step in parts] if len(parts) > 1 else None,
        )
        self.cores = 1
        self._run = self._runs[parts[0][-1] if parts else _CORE]
        lock = Lock()
        self._acquire, self._release = lock.acquire, lock.release

    def __repr__(self):
        return _borrow("_describe", "describe", self)

    def _allocate(self, size, room):
        # The arena, and room for weights. size: of all weights. room: of what is streamed at a time.
        mode = self.weights_mode
        self._steps, parts = self._steps
        if mode == "map":
            self._reserve(mode, 0)
        elif mode == "auto" and self.arena_bytes + size + _MARGIN > _free():
            mode = "stream"
        if mode in ("ram", "auto"):
            steps = self._steps
            self._steps = None
            try:
                self._reserve("ram", size)
            except MemoryError:
                if mode == "ram":
                    raise
                self._steps = steps
                mode = "stream"  # enough is free, but not in one piece
        if mode == "stream":
            self._reserve(mode, min(size, room))
        if self._steps is not None:
            return
        self._steps = parts
        for step in parts or ():
            step[1] = self._weights
        if mode == "map":
            return
        coded = self._file
        with coded or open(self._path, "rb") as file:
            file.seek(self._weights_at)
            if file.readinto(self._weights) != size:
                raise ValueError("%s: %s" % (self._path, text("read")))
            crc = file.crc() if coded else crc32(self._weights)
        if crc & 0xFFFFFFFF != self._crcs[1]:
            raise ValueError(text("weights crc", self._path))
        self._file = None

    def _reserve(self, mode, size):
        # A model that does not fit is refused before anything is allocated.
        self.weights_mode = mode
        coded = self._file
        need = self.arena_bytes + size + (coded.bytes if coded else 0)
        free = _free()
        try:
            if need <= free:
                self._arena = bytearray(self.arena_bytes)
                if mode != "map":
                    self._weights = bytearray(size)
                if coded:
                    coded.open()
                if mode == "stream" and self._steps is not None:
                    self._file = coded or open(self._path, "rb")
                    self._windows(self._steps)
                return
        except MemoryError:
            self._arena = self._weights = None
            free = _free()
        from ._memory import no_memory

        raise no_memory(self._path, need, self.arena_bytes, free, mode)

    def _windows(self, steps):
        # Gives each step its part of the memory for weights.
        memory = memoryview(self._weights)
        for step in steps:
            step[1] = memory[: step[1]]
        return steps

    def predict(self, reading):
        """Runs the model; returns the output as a list of floats (one list per output if there are several).

        reading: a list, tuple or array of real values; or int8 as array('b'), already quantised; or bytes,
        bytearray or memoryview of uint8 pixels. Several inputs: a list of readings.
        Raises ValueError for a wrong length or a NaN, TypeError for a wrong type.
        """
        results = [array("f", bytes(4 * tensor.size)) for tensor in self.outputs]
        self.predict_into(reading, results if len(results) > 1 else results[0])
        results = [list(values) for values in results]
        return results if len(results) > 1 else results[0]

    def predict_into(self, reading, out):
        """Runs the model and writes the output into `out`, with no allocation if reading and out are buffers.

        out: array('f') for real values, array('b') for the model's int8 values, bytearray for int8 + 128.
        Several outputs: a list of buffers.
        """
        if not self._acquire(0):
            raise RuntimeError(text("busy"))
        try:
            _compute(self, reading, out)
        finally:
            self._release()

    def classify(self, reading):
        """Runs the model; returns (label, score) of the largest value of the first output.

        The label is the class's number where the file has no labels; the score is a float.
        """
        scores = self.predict(reading)
        return _best(self, scores[0] if len(self.outputs) > 1 else scores)

    def learner(self, path=None):
        """A Learner for this model, with what a file of its save() holds."""
        return _late("_learner", "Learner", self, path)

    def detect(self, frame, keypoints=False):
        """Finds things in a picture: a list of (label, score, x, y, width, height), the highest score first, in pixels
        of the frame; with keypoints=True (..., [(x, y), ...]). For files of `midge convert --detect`."""
        return _late("_detect", "detect", self, frame, keypoints)

    def reset(self):
        """Forgets what a streaming model remembers between predictions. Others have nothing to forget."""
        if self._init[1]:
            _late("_inspect", "alone", "reset", self)

    def profile(self, reading):
        """Runs the model operator by operator; returns a list of (name, microseconds)."""
        return _late("_inspect", "alone", "profile", self, reading)

    def selftest(self):
        """Runs the model on the file's own test input: True, or ValueError naming the first operator whose
        output differs from the converter's. Also checks the weights' checksum. Clears the model's state."""
        return _late("_inspect", "alone", "selftest", self)

    def _stream(self, steps):
        file = self._file
        program = self._program
        arena = self._arena
        start = self._weights_at
        at = -1  # where in the weight section the file is
        # A step: where its weights begin, the memory for them (a number of bytes until there is some), its first
        # operator and the one behind its last, its first weight block and how many, how many times; the bank.
        for base, window, first, last, begin, blocks, times, bank in steps:
            run = self._runs[bank]
            for _ in range(times):
                if file and window:
                    if base != at:
                        file.seek(start + base)
                    at = base + len(window)
                    if file.readinto(window) != len(window):
                        raise OSError(text("file is gone", self._path))
                status = run(program, first, last, arena, window, base, begin, begin + blocks)
                if status:
                    _refuse(self, status)
                base += len(window)
                begin += blocks


def _best(model, scores):
    # (label, score) of the largest score.
    best = 0
    for i in range(1, len(scores)):
        if scores[i] > scores[best]:
            best = i
    return (model.labels[best] if best < len(model.labels) else best), scores[best]


def _compute(model, reading, out):
    # A prediction with buffers. A function, because MicroPython finds a module's names sooner than an object's methods.
    # What comes as the arena is in its place already.
    if reading is not model._arena and (
        reading.__class__ is _str or model._encode(model._input, reading, model._arena)
    ):
        _late("_convert", "load", model, reading)
    if model._steps is None:
        status = model._run(model._program, model._first, model._last, model._arena, model._weights)
        if status:
            _refuse(model, status)
    else:
        model._stream(model._steps)
    if model._decode(model._output, model._arena, out):
        _late("_convert", "store", model, out)


def _late(module, function, *arguments):
    # Calls what few scripts need, which is imported on first use and stays.
    return _of(module, function)(*arguments)


def _refuse(model, status):
    from ._errors import refuse

    refuse(model, status)


def _free():
    # Bytes of heap that are free; where nobody knows, plenty.
    if not hasattr(gc, "mem_free"):
        return 1 << 30
    gc.collect()
    return gc.mem_free()
