"""Keras models to int8 TensorFlow Lite, by TensorFlow's own converter.

TensorFlow runs in a child process: some models crash its converter outright, and it logs from C++
however it is configured. An error crosses back as its message.
"""

import importlib.util
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import MidgeError
from . import Loaded, Request
from .tflite import load_tflite

_KERAS_SUFFIXES = (".keras", ".h5", ".hdf5")

# Configuration keys without effect that Keras 2 wrote into .h5 files and Keras 3 refuses to read.
_SEPARABLE_KEYS = ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint")
_KERAS2_KEYS = {
    "Conv1DTranspose": ("groups",),
    "Conv2DTranspose": ("groups",),
    "DepthwiseConv1D": ("groups",),
    "DepthwiseConv2D": ("groups",),
    "GRU": ("time_major",),
    "LSTM": ("time_major",),
    "RandomBrightness": ("rng_type",),
    "RandomContrast": ("rng_type",),
    "RandomFlip": ("rng_type",),
    "RandomRotation": ("rng_type",),
    "RandomTranslation": ("rng_type",),
    "RandomZoom": ("rng_type",),
    "SeparableConv1D": _SEPARABLE_KEYS,
    "SeparableConv2D": _SEPARABLE_KEYS,
    "SpatialDropout1D": ("trainable", "noise_shape"),
    "SpatialDropout2D": ("trainable", "noise_shape"),
}

_CHILD = f"import sys; from {__name__} import _main; sys.exit(_main(*sys.argv[1:]))"
_CHILD_ENVIRONMENT = {
    "KERAS_BACKEND": "tensorflow",
    "CUDA_VISIBLE_DEVICES": "-1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "TF_ENABLE_ONEDNN_OPTS": "0",  # its sums, and so the calibrated ranges, depend on the processor
    "PYTHONSAFEPATH": "1",  # a tensorflow.py in the working directory is not ours to import
}
_REFUSED = 2  # exit status of a child whose answer is an error message

_EXPORT_HINT = (
    "in the program that built the model, write it as a SavedModel folder "
    "(model.export(folder); Keras 2: tf.saved_model.save(model, folder)) and convert that"
)


def load(source: pathlib.Path, request: Request) -> Loaded:
    """The graph of a .keras or .h5 file or a SavedModel folder, quantised by TensorFlow."""
    data = keras_to_tflite(source, request.calibration)
    return Loaded(load_tflite(data, source.name), data)


def keras_to_tflite(path: pathlib.Path, calibration: pathlib.Path | None) -> bytes:
    """Convert a .keras or .h5 file or a SavedModel folder to a full-integer int8 .tflite.

    `calibration` is a .npz of typical readings: `inputs` (N, *shape) float32, and `inputs_1`, ...
    for further inputs, in the model's order (a SavedModel's: alphabetical by name). Inputs and
    outputs of the result are int8 with batch size 1. The same model and calibration give the same
    bytes.

    Raises MidgeError: TensorFlow is missing, or the model, the calibration or the conversion fails.
    """
    if not path.exists():
        raise MidgeError(f"{path}: no such file or folder; check the path")
    if path.is_file() and path.suffix.lower() not in _KERAS_SUFFIXES:
        raise MidgeError(f"{path}: not a Keras model; give a .keras or .h5 file or a SavedModel folder")
    if importlib.util.find_spec("tensorflow") is None:
        raise MidgeError(f'{path}: Keras models need TensorFlow; run: pip install "midge[keras]"')

    with tempfile.TemporaryDirectory() as folder:
        answer = pathlib.Path(folder, "answer")
        arguments = [path, answer] if calibration is None else [path, answer, calibration]
        search_path = {"PYTHONPATH": os.pathsep.join(sys.path)}
        child = subprocess.run(
            [sys.executable, "-c", _CHILD, *map(str, arguments)],
            env=os.environ | _CHILD_ENVIRONMENT | search_path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        if child.returncode == 0:
            return answer.read_bytes()
        if child.returncode == _REFUSED:
            raise MidgeError(answer.read_text(encoding="utf-8"))
    log = child.stderr.decode(errors="replace")
    reason = re.findall(r".*(?:Error|Check failed).*", log)[-1:]
    status = ": ".join([f"exit status {child.returncode}", *reason])
    raise MidgeError(
        f"{path}: TensorFlow's converter crashed ({status}); "
        "recurrent layers are a known cause: replace them, or make an int8 .tflite yourself"
    )


def convert_here(path: pathlib.Path, calibration: pathlib.Path | None) -> bytes:
    """Do what `keras_to_tflite` promises, in this process."""
    try:
        import tensorflow as tf
    except ImportError as error:
        raise MidgeError(
            f'{path}: TensorFlow does not import ({_gist(error)}); run: pip install "midge[keras]"'
        ) from error

    if path.is_dir():
        call, inputs = _load_saved_model(path)
    else:
        call, inputs = _load_keras(path)
    inputs = [_one_reading(path, spec) for spec in inputs]
    readings = _read_calibration(path, calibration, [tuple(spec.shape)[1:] for spec in inputs])

    def representative_dataset():
        for row in zip(*readings, strict=True):
            yield [reading[np.newaxis] for reading in row]

    try:
        # A bare function keeps the order of inputs and outputs; a signature sorts them by name.
        function = tf.function(call, autograph=False).get_concrete_function(*inputs)
        if _has_lstm(function):
            # It stays one operator only on the converter's way through a signature.
            numbered = [tf.TensorSpec(s.shape, s.dtype, f"input_{i:03}") for i, s in enumerate(inputs)]
            function = tf.function(_numbered(call), autograph=False).get_concrete_function(*numbered)
            converter = tf.lite.TFLiteConverter.from_concrete_functions([function], tf.Module())
        else:
            converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = representative_dataset
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8
        return converter.convert()
    except Exception as error:
        raise MidgeError(
            f"{path}: TensorFlow cannot convert this model to int8 ({_gist(error)}); "
            "replace the layer, or make an int8 .tflite yourself"
        ) from error


def _has_lstm(function: Any) -> bool:
    """Whether a concrete function calls one that TensorFlow's converter takes for an LSTM."""
    functions = function.graph.as_graph_def().library.function
    return any(f.attr["api_implements"].s.startswith(b"lstm_") for f in functions)


def _numbered(call: Callable) -> Callable:
    """`call` with outputs whose names have their order."""
    import tensorflow as tf

    return lambda *inputs: {f"output_{i:03}": t for i, t in enumerate(tf.nest.flatten(call(*inputs)))}


def _load_keras(path: pathlib.Path) -> tuple[Callable, list]:
    """Return a .keras or .h5 model as a function, and the TensorSpecs of its inputs."""
    import keras
    import tensorflow as tf

    _keep_lstm_whole()
    try:
        model = keras.models.load_model(path, compile=False, custom_objects=_keras2_layers())
        # One tensor, a list or a dict; only `inputs` is there for a Sequential from an .h5 file.
        inputs = model.inputs[0] if isinstance(model, keras.Sequential) else model.input
    except Exception as error:
        raise MidgeError(f"{path}: {_why_not_loaded(error)}; {_EXPORT_HINT}") from error

    weights = [[v.numpy() for v in vs] for vs in (model.trainable_variables, model.non_trainable_variables)]

    def call(*tensors):
        tensors = tf.nest.pack_sequence_as(inputs, tensors)
        if not any(isinstance(layer, keras.layers.LSTM) for layer in model._flatten_layers()):
            return model(tensors, training=False)
        # A model converted by its signature has constants in the place of variables.
        return model.stateless_call(*[list(map(tf.constant, w)) for w in weights], tensors, training=False)[0]

    return call, [tf.TensorSpec(x.shape, x.dtype, x.name) for x in tf.nest.flatten(inputs)]


def _load_saved_model(path: pathlib.Path) -> tuple[Callable, list]:
    """Return a SavedModel's serving signature as a function, and the TensorSpecs of its inputs."""
    import tensorflow as tf

    try:
        model = tf.saved_model.load(str(path))
    except Exception as error:
        raise MidgeError(
            f"{path}: not a SavedModel folder that TensorFlow can read ({_gist(error)}); "
            "give the folder that holds saved_model.pb"
        ) from error
    if "serving_default" not in model.signatures:
        raise MidgeError(f"{path}: SavedModel without a serving_default signature; {_EXPORT_HINT}")
    specs = model.signatures["serving_default"].structured_input_signature[1]
    names = sorted(specs)

    def call(*tensors):  # holds the model: its signature alone would let the variables go
        return model.signatures["serving_default"](**dict(zip(names, tensors, strict=True)))

    return call, [tf.TensorSpec(specs[n].shape, specs[n].dtype, n) for n in names]


def _keep_lstm_whole() -> None:
    """Let Keras 3's LSTM layers call what TensorFlow's converter makes one operator of, as those of Keras 2 did: a
    function of this signature with these attributes."""
    import keras
    import tensorflow as tf

    attributes = {"api_implements": "lstm_midge", "api_preferred_device": "CPU", "time_major": False}

    @tf.function(experimental_attributes={**attributes, "go_backwards": False}, autograph=False)
    def lstm(sequences, hidden, cell, kernel, recurrent_kernel, bias):
        outputs = []
        for row in tf.unstack(sequences, axis=1):
            gates = tf.split(row @ kernel + hidden @ recurrent_kernel + bias, 4, axis=1)
            enter, forget, leave = (tf.sigmoid(gates[i]) for i in (0, 1, 3))
            cell = forget * cell + enter * tf.tanh(gates[2])
            hidden = leave * tf.tanh(cell)
            outputs.append(hidden)
        return hidden, tf.stack(outputs, axis=1), hidden, cell, tf.constant(0.0)

    original = keras.layers.LSTM.call

    def call(self, sequences, initial_state=None, mask=None, training=False):
        functions = (self.activation, self.recurrent_activation)
        is_plain = functions == (keras.activations.tanh, keras.activations.sigmoid) and self.use_bias
        keeps = self.stateful or self.return_state or self.go_backwards
        if not is_plain or keeps or initial_state is not None or mask is not None or None in sequences.shape:
            return original(self, sequences, initial_state, mask, training)
        zeros = tf.zeros((sequences.shape[0], self.units))
        weights = (self.cell.kernel, self.cell.recurrent_kernel, self.cell.bias)
        last, outputs, *_ = lstm(sequences, zeros, zeros, *map(tf.convert_to_tensor, weights))
        return outputs if self.return_sequences else last

    keras.layers.LSTM.call = call


def _keras2_layers() -> dict[str, type]:
    """Return stand-ins for layers whose Keras 2 configuration Keras 3 refuses."""
    import keras

    def lenient(layer: Any, dropped: tuple[str, ...]) -> type:
        def from_config(cls, config):
            # Time first is another thing, which Keras 3 refuses with reason.
            return layer.from_config(
                {k: v for k, v in config.items() if k not in dropped or (k, v) == ("time_major", True)}
            )

        return type(layer.__name__, (layer,), {"from_config": classmethod(from_config)})

    return {n: lenient(getattr(keras.layers, n), dropped) for n, dropped in _KERAS2_KEYS.items()}


def _one_reading(path: pathlib.Path, spec: Any) -> Any:
    """Return the TensorSpec of an input with its batch size set to 1."""
    import tensorflow as tf

    shape = tuple(spec.shape) if spec.shape.rank else (None, None)
    if spec.dtype != tf.float32:
        raise MidgeError(
            f"{path}: input {spec.name!r} is {spec.dtype.name}, but only float32 can be quantised; "
            "export the model with a float32 input"
        )
    if None in shape[1:]:
        raise MidgeError(
            f"{path}: input {spec.name!r} has shape {spec.shape}, but only the batch "
            "size may be open; export the model with a fixed input shape"
        )
    return tf.TensorSpec((1, *shape[1:]), tf.float32, spec.name)


def _read_calibration(
    path: pathlib.Path, calibration: pathlib.Path | None, shapes: list[tuple[int, ...]]
) -> list[np.ndarray]:
    """Read one float32 array (N, *shape) for each of the model's inputs."""
    keys = [f"inputs_{i}" if i else "inputs" for i in range(len(shapes))]
    rows = ["(" + ", ".join(["N", *map(str, shape)]) + ")" for shape in shapes]
    needed = "N typical readings as float32: " + ", ".join(
        f"`{key}` of shape {row}" for key, row in zip(keys, rows, strict=True)
    )
    if calibration is None:
        raise MidgeError(f"{path}: give --calibration DATA.npz to set the int8 scales: {needed}")
    try:
        with np.load(calibration, allow_pickle=False) as data:
            arrays = {key: data[key] for key in keys if key in data}
    except FileNotFoundError as error:
        raise MidgeError(f"{calibration}: no such file; the calibration holds {needed}") from error
    except Exception as error:  # NumPy raises what its parsers raise: zipfile, zlib, ValueError, ...
        raise MidgeError(f"{calibration}: not a readable .npz; it must hold {needed}") from error

    readings = []
    for key, row, shape in zip(keys, rows, shapes, strict=True):
        array = arrays.get(key)
        if array is None:
            problem = f"has no `{key}`"
        elif array.dtype.kind != "f":
            problem = f"`{key}` is {array.dtype}"
        # A batch axis of 1 after N is how recorded model inputs are often stored.
        elif array.shape[1:] not in (shape, (1, *shape)):
            problem = f"`{key}` has shape {array.shape}, not {row}"
        elif not len(array):
            problem = f"`{key}` is empty"
        elif len(array) != len(arrays[keys[0]]):
            problem = f"`{key}` has {len(array)} readings but `inputs` {len(arrays[keys[0]])}"
        elif not np.isfinite(array).all():
            problem = f"`{key}` holds NaN or infinity"
        else:
            readings.append(array.astype(np.float32).reshape(-1, *shape))
            continue
        raise MidgeError(f"{calibration}: {problem}; it must hold {needed}")
    return readings


def _why_not_loaded(error: Exception) -> str:
    """Say in a few words why Keras refused a file."""
    message = str(error)
    custom = re.search(r"(?:Unknown layer|Could not locate (?:class|function)):? '([^']*)'", message)
    if custom:
        return f"Keras does not know {custom[1]!r}, a custom class or one of another Keras version"
    if "`Lambda`" in message:
        return "has a Lambda layer, whose Python code is not run from a file"
    return f"Keras cannot load it ({_gist(error)})"


def _gist(error: Exception) -> str:
    """Return the line of a TensorFlow or Keras error that says what is wrong."""
    message = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip()
    found = (
        re.findall(r"Exception encountered(?:: | when calling .*\n+)(.*)", message)[-1:]
        or re.findall(r"\berror: (.*)", message)
        or message.splitlines()
        or [type(error).__name__]
    )
    gist = found[0]
    for source in getattr(error, "errors", [])[:1]:  # a ConverterError knows the layer
        gist += "".join(f", in {call.name}" for call in source.location.call[:1])
    return gist.strip()[:300]


def _main(path: str, answer: str, calibration: str | None = None) -> int:
    """Be the child: write the .tflite, or the reason why there is none, into the file `answer`."""
    try:
        tflite = convert_here(pathlib.Path(path), pathlib.Path(calibration) if calibration else None)
    except MidgeError as error:
        pathlib.Path(answer).write_text(str(error), encoding="utf-8")
        return _REFUSED
    pathlib.Path(answer).write_bytes(tflite)
    return 0
