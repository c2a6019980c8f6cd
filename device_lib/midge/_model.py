# Model: one loaded .midge file. The API is described in docs/api.md.

import gc
from array import array
from binascii import crc32

from ._file import FORMAT, ModelFile, text

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


_MARGIN = const(16384)  # heap to leave to the user's script when "auto" chooses to copy weights to RAM
_str = str  # found sooner than a builtin
_ALL = const(0xFFFF)  # the end of an operator's weight blocks, however many there are

# predict_into is held short: the cycles around the kernels are counted in tests/boards/test_pico.py. MicroPython takes
# heap for a call's frame of more than 11 words: locals, the deepest expression, and three for each nested `try`.


def _find_backend(name):
    if name not in ("auto", "native", "portable"):
        raise ValueError(text("backend", name))
    if name != "portable":
        try:
            import midge_native

            if getattr(midge_native, "FORMAT", None) == FORMAT:
                return midge_native, "native"
            problem = text("native version")
        except ImportError:
            problem = None
        except ValueError as error:  # an .mpy for another architecture
            problem = text("native", error)
        if name == "native":
            raise ImportError(problem or text("no native"))
        if problem:
            print(text("portable", problem))
    from . import _portable

    return _portable, "portable"


class Model:
    """A model ready to run. Make one with midge.load().

    inputs, outputs: lists of Tensor (name, shape, dtype, scale, zero_point).
    labels: list of strings, empty when the file has none.
    arena_bytes: working memory. weights_mode: "ram", "map" or "stream". backend: "native" or "portable".
    """

    def __init__(self, path, weights="auto", backend="auto"):
        if weights not in ("auto", "ram", "map", "stream"):
            raise ValueError(text("weights", weights))
        self._native, self.backend = _find_backend(backend)
        if hasattr(gc, "mem_free"):
            gc.collect()
        view = _map(path, weights == "map") if weights in ("auto", "map") else None
        if view is None and weights == "map":
            raise ValueError(text("not mapped", path))
        self._model = model = ModelFile(path, view)
        self.inputs = model.inputs
        self.outputs = model.outputs
        self.labels = model.labels
        self.arena_bytes = model.arena_bytes
        status = self._check()
        if status and view is not None:
            # Records are read in words, and a mapped file may begin anywhere.
            model.program = bytearray(model.program)
            status = self._check()
        if status:
            self._refuse(status)
        # The one input's and the one output's descriptor; None where there are several.
        self._input = model.inputs[0].raw if len(model.inputs) == 1 else None
        self._output = model.outputs[0].raw if len(model.outputs) == 1 else None
        self._run = self._native.run
        self._program = model.program
        self._op_count = model.op_count
        self._steps = None
        self._choose("map" if view is not None else weights)
        self._allocate(view, weights == "auto")

    def _check(self):
        model = self._model
        return self._native.check(model.program, model.arena_bytes, model.weights_bytes)

    def _need(self, mode):
        model = self._model
        weights = 0 if mode == "map" else model.weights_bytes
        if mode == "stream":
            weights = min(weights, model.window_bytes)
        return model.arena_bytes + weights

    def _refuse_memory(self):
        need, free = self._need(self.weights_mode), _free()
        hint = "free memory first, use a smaller model or a board with more RAM"
        if need <= free:
            hint = "it is in pieces: load the model before anything else"
        elif self.weights_mode == "ram":
            hint = 'load it with weights="stream"'
        raise MemoryError(
            "%s needs %d bytes (%d for activations), %d are free; %s"
            % (self._model.path, need, self.arena_bytes, free, hint)
        )

    def _choose(self, mode):
        # Decides on "auto", and refuses what does not fit before anything is allocated.
        free = _free()
        if mode == "auto":
            mode = "ram" if self._need("ram") + _MARGIN <= free else "stream"
        self.weights_mode = mode
        if self._need(mode) > free:
            self._refuse_memory()

    def _allocate(self, view, choose):
        model = self._model
        self._arena = None  # of a first attempt
        try:
            self._arena = bytearray(model.arena_bytes)
            self._weights = self._read_weights() if view is None else view[model.weights_offset :]
            if len(self._weights) < model.weights_bytes:
                self._steps = self._plan(0, model.op_count)
        except MemoryError:
            if not choose or self.weights_mode != "ram":
                self._refuse_memory()
            self.weights_mode = "stream"  # enough is free, but not in one piece
            self._allocate(view, False)

    def _read_weights(self):
        # All of them, or room for some of them at a time.
        model = self._model
        if self.weights_mode == "stream" and model.weights_bytes > model.window_bytes:
            self._file = open(model.path, "rb")
            return bytearray(model.window_bytes)
        weights = bytearray(model.weights_bytes)
        with open(model.path, "rb") as file:
            file.seek(model.weights_offset)
            if file.readinto(weights) != len(weights):
                raise ValueError("%s: %s" % (model.path, text("read")))
        if crc32(weights) & 0xFFFFFFFF != model.weights_crc:
            raise ValueError(text("weights crc", model.path))
        return weights

    def predict(self, reading):
        """Runs the model; returns the output as a list of floats (one list per output if there are several).

        reading: a list, tuple or array of real values; or int8 as array('b'), already quantised; or bytes,
        bytearray or memoryview of uint8 pixels. Several inputs: a list of readings.
        Raises ValueError for a wrong length or a NaN, TypeError for a wrong type.
        """
        results = [array("f", bytes(4 * tensor.bytes)) for tensor in self.outputs]
        self.predict_into(reading, results if len(results) > 1 else results[0])
        results = [list(values) for values in results]
        return results if len(results) > 1 else results[0]

    def predict_into(self, reading, out):
        """Runs the model and writes the output into `out`, with no allocation if reading and out are buffers.

        out: array('f') for real values, array('b') for the model's int8 values, bytearray for int8 + 128.
        Several outputs: a list of buffers.
        """
        if self._input is None or reading.__class__ is _str or _encode(self, reading):
            self._load(reading)
        if self._steps is None:
            status = self._run(self._program, 0, self._op_count, self._arena, self._weights)
            if status:
                self._refuse(status)
        else:
            self._stream(self._steps)
        if self._output is None or _decode(self, out):
            self._store(out)

    def classify(self, reading):
        """Runs the model; returns (label, score) of the largest value of the first output.

        The label is the class's number where the file has no labels; the score is a float.
        """
        scores = self.predict(reading)
        if len(self.outputs) > 1:
            scores = scores[0]
        best = scores.index(max(scores))
        return (self.labels[best] if best < len(self.labels) else best), scores[best]

    def reset(self):
        """Forgets what a streaming model remembers between predictions."""
        arena = self._arena
        for i in range(len(arena)):
            arena[i] = 0

    def profile(self, reading):
        """Runs the model operator by operator; returns a list of (name, microseconds)."""
        from ._extra import profile

        self._load(reading)
        return profile(self._model, self._operator)

    def selftest(self):
        """Runs the model on the file's own test input: True, or ValueError naming the first operator whose
        output differs from the converter's. Also checks the weights' checksum. Clears the model's state."""
        from ._extra import selftest

        self.reset()
        selftest(self._model, self._arena, self._operator)
        self.reset()
        return True

    def _refuse(self, status):
        from ._texts import refusal

        raise refusal(self._model, status)

    def _refuse_count(self, key, tensors, values):
        from ._texts import what

        raise ValueError(text(key, len(tensors), what(values)))

    def _operator(self, index):
        # A function that runs one operator; what it takes to plan that is not in its time.
        steps = None if self._steps is None else self._plan(index, index + 1)

        def run():
            if steps is not None:
                self._stream(steps)
                return
            status = self._run(self._program, index, index + 1, self._arena, self._weights)
            if status:
                self._refuse(status)

        return run

    def _plan(self, first, last):
        # How operators first..last-1 run with streamed weights, in steps: the weights of several whole operators, or
        # so many weight blocks of one at a time, so many times, are read and run. See _stream for a step's parts.
        model = self._model
        memory = memoryview(self._weights)
        windows = {}
        steps = []

        def add(base, size, *how):
            if size not in windows:
                windows[size] = memory[:size]
            steps.append((base, size, windows[size]) + how)

        base = size = 0  # of the weights of operators first..i-1, which wait for more
        for i in range(first, last):
            count = model.block_count(i)
            if not count:
                continue
            start = model.weights_at(i)
            block = model.block_bytes(i)
            if size and (start != base + size or size + count * block > len(memory)):
                add(base, size, first, i, 0, _ALL, 1)
                first = i
                size = 0
            if not size:
                base = start
            if count * block <= len(memory):
                size += count * block
                continue
            if first < i:
                add(start, 0, first, i, 0, _ALL, 1)
            most = len(memory) // block
            times = count // most
            rest = count % most
            add(start, most * block, i, i + 1, 0, most, times)
            if rest:
                add(start + (count - rest) * block, rest * block, i, i + 1, count - rest, rest, 1)
            first = i + 1
            base = start + count * block
        if first < last:
            add(base, size, first, last, 0, _ALL, 1)
        return steps

    def _stream(self, steps):
        file = self._file
        run = self._run
        program = self._program
        arena = self._arena
        start = self._model.weights_offset
        at = -1  # where in the weight section the file is
        for base, size, window, first, last, begin, blocks, times in steps:
            for _ in range(times):
                if base != at:
                    file.seek(start + base)
                if file.readinto(window) != size:
                    raise OSError(text("gone", self._model.path))
                status = run(program, first, last, arena, window, base, begin, begin + blocks)
                if status:
                    self._refuse(status)
                at = base = base + size
                begin += blocks

    def _load(self, reading):
        inputs = self.inputs
        if len(inputs) == 1:
            self._load_one(inputs[0], reading)
        else:
            if not _is_list(reading) or len(reading) != len(inputs):
                self._refuse_count("inputs", inputs, reading)
            for i in range(len(inputs)):
                self._load_one(inputs[i], reading[i])

    def _load_one(self, tensor, reading):
        try:
            if not isinstance(reading, str) and not self._native.encode(tensor.raw, reading, self._arena):
                return
        except TypeError:
            pass
        from ._extra import load

        load(self._native.encode, tensor, reading, self._arena)

    def _store(self, out):
        outputs = self.outputs
        if len(outputs) == 1:
            self._store_one(outputs[0], out)
        else:
            if not _is_list(out) or len(out) != len(outputs):
                self._refuse_count("outputs", outputs, out)
            for i in range(len(outputs)):
                self._store_one(outputs[i], out[i])

    def _store_one(self, tensor, out):
        try:
            if not self._native.decode(tensor.raw, self._arena, out):
                return
        except TypeError:
            pass
        from ._extra import store

        store(self._native.decode, tensor, self._arena, out)


# Functions, because MicroPython finds a module's names sooner than an object's methods.


def _encode(model, reading):
    # A buffer into the one input. False: done.
    try:
        return model._native.encode(model._input, reading, model._arena)
    except TypeError:
        return True


def _decode(model, out):
    # The one output into a buffer. False: done.
    try:
        return model._native.decode(model._output, model._arena, out)
    except TypeError:
        return True


def _is_list(value):
    # isinstance(value, (list, tuple)) would make that tuple anew on MicroPython's heap.
    return isinstance(value, list) or isinstance(value, tuple)


def _free():
    # Bytes of heap that are free; where nobody knows, plenty.
    if not hasattr(gc, "mem_free"):
        return 1 << 30
    gc.collect()
    return gc.mem_free()


def _map(path, asked):
    # A view of the file where it already is in addressable memory; None elsewhere.
    file = open(path, "rb")
    try:
        return memoryview(file)
    except TypeError:
        file.close()
    if asked:
        from ._extra import map_file

        return map_file(path)
    return None
