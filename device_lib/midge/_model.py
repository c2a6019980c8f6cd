# Model: one loaded .midge file. The API is described in docs/api.md.

import gc
from array import array
from binascii import crc32

from ._file import FORMAT, ModelFile

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
        raise ValueError('backend is "auto", "native" or "portable", not %r' % (name,))
    if name != "portable":
        try:
            import midge_native

            if midge_native.FORMAT == FORMAT:
                return midge_native, "native"
            problem = "midge_native is of another version; install the one that came with this library"
        except ImportError:
            problem = "midge_native is not installed"
        except ValueError as error:  # an .mpy for another architecture
            problem = "midge_native does not fit this board (%s)" % error
        if name == "native":
            raise ImportError(problem)
        if problem[-9:] != "installed":
            print("midge: %s; using the slow portable kernels" % problem)
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
            raise ValueError('weights is "auto", "ram", "map" or "stream", not %r' % (weights,))
        self._native, self.backend = _find_backend(backend)
        self._model = model = ModelFile(path)
        self.inputs = model.inputs
        self.outputs = model.outputs
        self.labels = model.labels
        self.arena_bytes = model.arena_bytes
        status = self._native.check(model.program, model.arena_bytes, model.weights_bytes)
        if status:
            raise model.refusal(status)
        self._file = None
        self.weights_mode, window = self._choose(weights)
        try:
            self._arena = bytearray(model.arena_bytes)
            if window is None:
                window = self._read_weights()
        except MemoryError:
            self._refuse_memory()
        self._weights = window

    def _need(self, mode):
        model = self._model
        extra = model.weights_bytes if mode == "ram" else model.window_bytes if mode == "stream" else 0
        return model.arena_bytes + extra

    def _refuse_memory(self):
        free = gc.mem_free() if hasattr(gc, "mem_free") else 0
        mode = self.weights_mode
        hint = "free memory first, use a smaller model or a board with more RAM"
        if mode == "ram":
            hint = 'load it with weights="stream"'
        raise MemoryError(
            "%s needs %d bytes (%d for activations), %d are free; %s"
            % (self._model.path, self._need(mode), self.arena_bytes, free, hint)
        )

    def _choose(self, mode):
        # Returns the mode, and the mapped weights where there are any; refuses before it allocates.
        mapped = None
        if mode in ("auto", "map"):
            mapped = _map(self._model.path, mode == "map")
            if mapped is not None:
                start = self._model.weights_offset
                mapped = mapped[start : start + self._model.weights_bytes]
            elif mode == "map":
                raise ValueError("%s is not in mapped memory (ROMFS); use another weights mode" % self._model.path)
        gc.collect()
        free = gc.mem_free() if hasattr(gc, "mem_free") else 1 << 30
        if mapped is not None:
            mode = "map"
        elif mode == "auto":
            mode = "ram" if self._need("ram") + _MARGIN <= free else "stream"
        self.weights_mode = mode
        if self._need(mode) > free:
            self._refuse_memory()
        return mode, mapped

    def _read_weights(self):
        model = self._model
        if self.weights_mode == "stream":
            self._file = open(model.path, "rb")
            return bytearray(max(model.window_bytes, 1))
        weights = bytearray(model.weights_bytes)
        with open(model.path, "rb") as file:
            file.seek(model.weights_offset)
            if file.readinto(weights) != len(weights):
                raise ValueError("%s: cannot be read to its end" % model.path)
        if crc32(weights) & 0xFFFFFFFF != model.weights_crc:
            raise ValueError("%s: damaged weights (checksum); copy it again" % model.path)
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
                raise ValueError("the model has %d outputs: out must be a list of %d buffers" % ((len(outputs),) * 2))
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
        self._encode(reading)
        result = []
        for i, name in enumerate(self._model.names()):
            start = _ticks()
            self._step(i)
            result.append((name, _elapsed(start)))
        return result

    def selftest(self):
        """Runs the model on the file's own test input: True, or ValueError naming the first operator whose
        output differs from the converter's. Also checks the weights' checksum. Clears the model's state."""
        model = self._model
        model.check_weights()
        golden = model.golden
        if golden is None:
            raise ValueError("%s holds no self-test; convert it again" % model.path)
        self.reset()
        arena = self._arena
        x = _word(golden, 0)
        for tensor in self.inputs:
            for i in range(tensor.offset, tensor.offset + tensor.bytes):
                x = (1664525 * x + 1013904223) & 0xFFFFFFFF
                arena[i] = x >> 24
        for i in range(model.op_count):
            self._step(i)
            start, end = model.output_range(i)
            if crc32(memoryview(arena)[start:end]) & 0xFFFFFFFF != _word(golden, 4 + 4 * i):
                raise ValueError(
                    "%s: operator %d (%s) computes something else here" % (model.path, i, model.names()[i])
                )
        self.reset()
        return True

    def _run(self, reading):
        self._encode(reading)
        if self._file is None:
            model = self._model
            status = self._native.run(model.program, 0, model.op_count, self._arena, self._weights)
            if status:
                raise model.refusal(status)
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
                raise model.refusal(status)
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
                self._fill_window(start + block * size)
            status = run(model.program, index, index + 1, self._arena, window, start + block * size, block, end)
            if status:
                raise model.refusal(status)
            block = end
            if block >= count:
                return

    def _fill_window(self, offset):
        file = self._file
        file.seek(self._model.weights_offset + offset)
        if not file.readinto(self._weights):
            raise OSError("%s cannot be read any more" % self._model.path)

    def _encode(self, reading):
        inputs = self.inputs
        if len(inputs) == 1:
            self._load(inputs[0], reading)
        else:
            if not _is_list(reading) or len(reading) != len(inputs):
                raise ValueError("the model has %d inputs: give a list of %d readings" % ((len(inputs),) * 2))
            for i in range(len(inputs)):
                self._load(inputs[i], reading[i])

    def _load(self, tensor, reading):
        if not _is_list(reading):
            if hasattr(reading, "flatten"):  # numpy, ulab
                reading = reading.flatten()
            try:
                status = self._native.encode(tensor.raw, reading, self._arena)
            except TypeError:
                raise TypeError(
                    "input %s takes a list, tuple, array or bytes of %d values, not %s"
                    % (tensor.name, tensor.bytes, type(reading).__name__)
                )
            if status == 0:
                return
            if status == _BAD_TENSOR:
                self._refuse_length(tensor, reading)
            if status == _BAD_READING:
                raise ValueError("input %s: a value is NaN; check the sensor" % tensor.name)
        count = self._quantize(tensor, reading, 0)
        if count != tensor.bytes:
            raise ValueError("input %s takes %d values %s, got %d" % (tensor.name, tensor.bytes, tensor.shape, count))

    def _refuse_length(self, tensor, reading):
        raise ValueError(
            "input %s takes %d values %s, got %d" % (tensor.name, tensor.bytes, tensor.shape, len(reading))
        )

    def _quantize(self, tensor, values, count):
        # TFLM's QUANTIZE for numbers one by one, nested lists included: round(x / scale) + zero_point, with
        # x and the quotient in float32. Returns how many values there were so far.
        arena = self._arena
        for value in values:
            if _is_list(value):
                count = self._quantize(tensor, value, count)
                continue
            try:
                x = _float32(_float32(value) / tensor.scale)
            except TypeError:
                raise TypeError("input %s: value %d is %s, not a number" % (tensor.name, count, type(value).__name__))
            if x != x:
                raise ValueError("input %s: value %d is NaN; check the sensor" % (tensor.name, count))
            x = max(-512.0, min(512.0, x))
            q = int(x)
            if x - q >= 0.5:
                q += 1
            elif x - q <= -0.5:
                q -= 1
            q = max(-128, min(127, q + tensor.zero_point))
            if count < tensor.bytes:
                arena[tensor.offset + count] = q & 255
            count += 1
        return count

    def _real(self, tensor):
        values = array("f", bytes(4 * tensor.bytes))
        self._native.decode(tensor.raw, self._arena, values)
        return list(values)

    def _store(self, tensor, out):
        if isinstance(out, list):
            if len(out) != tensor.bytes:
                raise ValueError("output %s has %d values, out has %d" % (tensor.name, tensor.bytes, len(out)))
            out[:] = self._real(tensor)
            return
        try:
            status = self._native.decode(tensor.raw, self._arena, out)
        except TypeError:
            raise TypeError("out is an array('f'), array('b'), bytearray or list, not %s" % type(out).__name__)
        if status == _BAD_TENSOR:
            raise ValueError("output %s has %d values, out has %d" % (tensor.name, tensor.bytes, len(out)))
        if status:
            raise TypeError("out is an array('f'), array('b'), bytearray or list")


def _is_list(value):
    # isinstance(value, (list, tuple)) would make that tuple anew on MicroPython's heap.
    return isinstance(value, list) or isinstance(value, tuple)


def _word(data, at):
    return data[at] | data[at + 1] << 8 | data[at + 2] << 16 | data[at + 3] << 24


def _float32(value):
    cell = array("f", (0.0,))
    cell[0] = value
    return cell[0]


def _map(path, asked):
    # A view of the file where it already is in addressable memory; None elsewhere.
    file = open(path, "rb")
    try:
        return memoryview(file)
    except TypeError:
        file.close()
    if asked:
        try:
            import mmap
        except ImportError:
            return None
        with open(path, "rb") as file:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    return None


def _ticks():
    import time

    return time.ticks_us() if hasattr(time, "ticks_us") else time.monotonic_ns() // 1000


def _elapsed(start):
    import time

    return time.ticks_diff(time.ticks_us(), start) if hasattr(time, "ticks_us") else _ticks() - start
