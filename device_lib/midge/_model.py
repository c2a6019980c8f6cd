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


# generated: reasons (host/midge_host/spec.py, `make generate`)
_BAD_OPERATOR = const(1)
_BAD_TENSOR = const(2)
_BAD_WEIGHTS = const(3)
_BAD_PARAMETER = const(4)
_BAD_READING = const(5)
# generated: end

_MARGIN = const(16384)  # heap to leave to the user's script when "auto" chooses to copy weights to RAM


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
        self._file = None
        self._choose("map" if view is not None else weights)
        self._allocate(view, weights == "auto")

    def _check(self):
        model = self._model
        return self._native.check(model.program, model.arena_bytes, model.weights_bytes)

    def _need(self, mode):
        model = self._model
        extra = model.weights_bytes if mode == "ram" else model.window_bytes if mode == "stream" else 0
        return model.arena_bytes + extra

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
        except MemoryError:
            if not choose or self.weights_mode != "ram":
                self._refuse_memory()
            self.weights_mode = "stream"  # enough is free, but not in one piece
            self._allocate(view, False)

    def _read_weights(self):
        model = self._model
        if self.weights_mode == "stream":
            self._file = open(model.path, "rb")
            return bytearray(max(model.window_bytes, 1))
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
        self._run(reading)
        results = [self._real(tensor) for tensor in self.outputs]
        return results if len(results) > 1 else results[0]

    def predict_into(self, reading, out):
        """Runs the model and writes the output into `out`, with no allocation if reading and out are buffers.

        out: array('f') for real values, array('b') for the model's int8 values, bytearray for int8 + 128.
        Several outputs: a list of buffers.
        """
        self._run(reading)
        outputs = self.outputs
        if len(outputs) == 1:
            self._store(outputs[0], out)
        else:
            if not _is_list(out) or len(out) != len(outputs):
                self._refuse_count("outputs", outputs, out)
            for i in range(len(outputs)):
                self._store(outputs[i], out[i])

    def classify(self, reading):
        """Runs the model; returns (label, score) of the largest value of the first output.

        The label is the class's number where the file has no labels; the score is a float.
        """
        self._run(reading)
        scores = self._real(self.outputs[0])
        best = 0
        for i in range(len(scores)):
            if scores[i] > scores[best]:
                best = i
        return (self.labels[best] if best < len(self.labels) else best), scores[best]

    def reset(self):
        """Forgets what a streaming model remembers between predictions."""
        arena = self._arena
        for i in range(len(arena)):
            arena[i] = 0

    def profile(self, reading):
        """Runs the model operator by operator; returns a list of (name, microseconds)."""
        from ._extra import profile

        self._encode(reading)
        return profile(self._model, self._step)

    def selftest(self):
        """Runs the model on the file's own test input: True, or ValueError naming the first operator whose
        output differs from the converter's. Also checks the weights' checksum. Clears the model's state."""
        from ._extra import selftest

        self.reset()
        selftest(self._model, self._arena, self._step)
        self.reset()
        return True

    def _refuse(self, status):
        from ._texts import refusal

        raise refusal(self._model, status)

    def _refuse_count(self, key, tensors, values):
        from ._texts import what

        raise ValueError(text(key, len(tensors), what(values)))

    def _run(self, reading):
        self._encode(reading)
        if self._file is None:
            model = self._model
            status = self._native.run(model.program, 0, model.op_count, self._arena, self._weights)
            if status:
                self._refuse(status)
        else:
            for i in range(self._model.op_count):
                self._step(i)

    def _step(self, index):
        # One operator; streamed weights come in as many blocks at a time as the window holds.
        model = self._model
        run = self._native.run
        if self._file is None:
            status = run(model.program, index, index + 1, self._arena, self._weights)
            if status:
                self._refuse(status)
            return
        start = model.weights_at(index)
        count = model.block_count(index)
        size = model.block_bytes(index)
        window = self._weights
        block = 0
        while True:
            end = count
            if count:
                end = min(count, block + len(window) // size)
                self._fill_window(start + block * size, (end - block) * size)
            status = run(model.program, index, index + 1, self._arena, window, start + block * size, block, end)
            if status:
                self._refuse(status)
            block = end
            if block >= count:
                return

    def _fill_window(self, offset, size):
        file = self._file
        file.seek(self._model.weights_offset + offset)
        if file.readinto(self._weights) < size:
            raise OSError(text("gone", self._model.path))

    def _encode(self, reading):
        inputs = self.inputs
        if len(inputs) == 1:
            self._load(inputs[0], reading)
        else:
            if not _is_list(reading) or len(reading) != len(inputs):
                self._refuse_count("inputs", inputs, reading)
            for i in range(len(inputs)):
                self._load(inputs[i], reading[i])

    def _load(self, tensor, reading):
        if not _is_list(reading):
            if hasattr(reading, "flatten"):  # numpy, ulab
                reading = reading.flatten()
            try:
                if isinstance(reading, str):
                    raise TypeError  # MicroPython would take its bytes for pixels
                status = self._native.encode(tensor.raw, reading, self._arena)
            except TypeError:
                raise TypeError(text("input", tensor.name, tensor.bytes, type(reading).__name__))
            if status == 0:
                return
            if status == _BAD_TENSOR:
                raise ValueError(text("length", tensor.name, tensor.bytes, tensor.shape, len(reading)))
            if status == _BAD_READING:
                raise ValueError(text("nan", tensor.name))
        from ._extra import quantize

        quantize(tensor, reading, self._arena)

    def _real(self, tensor):
        values = array("f", bytes(4 * tensor.bytes))
        self._native.decode(tensor.raw, self._arena, values)
        return list(values)

    def _store(self, tensor, out):
        if isinstance(out, list):
            if len(out) != tensor.bytes:
                raise ValueError(text("out length", tensor.name, tensor.bytes, len(out)))
            out[:] = self._real(tensor)
            return
        try:
            status = self._native.decode(tensor.raw, self._arena, out)
        except TypeError:
            status = _BAD_PARAMETER
        if status == _BAD_TENSOR:
            raise ValueError(text("out length", tensor.name, tensor.bytes, len(out)))
        if status:
            raise TypeError(text("out", type(out).__name__))


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
