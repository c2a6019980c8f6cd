"""Keras models and SavedModels become .tflite files of floats, by TensorFlow's converter.

Recurrent layers it crashes on or takes for loops: the model is cut at them. What goes into such a layer is an output
of the .tflite, and what comes out of it an input.
"""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...errors import MidgeError, install
from ..recurrent import FUNCTIONS
from . import REFUSED, SUFFIXES
from .exported import Exported, Layer, Place

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

_EXPORT_HINT = (
    "in the program that built the model, write it as a SavedModel folder "
    "(model.export(folder); Keras 2: tf.saved_model.save(model, folder)) and convert that"
)


def main(path: str, answer: str) -> int:
    """Be the child: writes what leaves TensorFlow, or the reason why nothing does, into the file `answer`."""
    try:
        export(pathlib.Path(path)).write(pathlib.Path(answer))
    except MidgeError as error:
        pathlib.Path(answer).write_text(str(error), encoding="utf-8")
        return REFUSED
    return 0


def export(path: pathlib.Path) -> Exported:
    """What leaves TensorFlow of a .keras or .h5 file or a SavedModel folder."""
    try:
        import tensorflow
    except ImportError as error:
        raise MidgeError(f"{path}: TensorFlow does not import ({_gist(error)}); {install('keras')}") from error
    del tensorflow
    if path.is_dir():
        return _convert(str(path), *_load_saved_model(path))
    if path.suffix.lower() not in SUFFIXES:
        raise MidgeError(f"{path}: not a Keras model; give a .keras or .h5 file or a SavedModel folder")
    return export_model(_load_keras(path), str(path))


def export_model(model: Any, where: str) -> Exported:
    """What leaves TensorFlow of a keras.Model, which error messages call `where`."""
    import keras
    import tensorflow as tf

    try:
        # One tensor, a list or a dict; only `inputs` is there for a Sequential from an .h5 file.
        inputs = model.inputs[0] if isinstance(model, keras.Sequential) else model.input
    except (AttributeError, ValueError, IndexError) as error:
        raise MidgeError(f"{where}: the model does not know its inputs ({_gist(error)}); {_EXPORT_HINT}") from error

    def call(*tensors: Any) -> Any:
        return model(tf.nest.pack_sequence_as(inputs, tensors), training=False)

    return _convert(where, call, [tf.TensorSpec(x.shape, x.dtype, x.name) for x in tf.nest.flatten(inputs)])


def _convert(where: str, call: Callable, inputs: list) -> Exported:
    import tensorflow as tf

    inputs = [_one_reading(where, spec) for spec in inputs]
    cuts = _Cuts(len(inputs))
    try:
        with cuts.in_place():
            # Once to learn the shapes, once with inputs for what the recurrent layers make.
            tf.function(cuts.first(call), autograph=False).get_concrete_function(*inputs)
            more = [tf.TensorSpec(shape, tf.float32, f"result_{i}") for i, shape in enumerate(cuts.shapes)]
            function = tf.function(cuts.second(call), autograph=False).get_concrete_function(*inputs, *more)
        tflite = _tflite(function) if cuts.made else b""
    except MidgeError as error:
        raise MidgeError(f"{where}: {error}") from error
    except Exception as error:
        raise MidgeError(
            f"{where}: TensorFlow cannot convert this model ({_gist(error)}); replace the layer, or make a .tflite "
            "yourself"
        ) from error
    names = [(spec.name, tuple(spec.shape)) for spec in inputs]
    return Exported(tflite, names, cuts.outputs, [cut.layer() for cut in cuts.cuts])


def _tflite(function: Any) -> bytes:
    import tensorflow as tf

    if _has_lstm(function):
        # It stays one operator only on the converter's way through a signature, which sorts by name.
        specs, _ = function.structured_input_signature
        numbered = [tf.TensorSpec(s.shape, s.dtype, f"input_{i:03}") for i, s in enumerate(specs)]
        function = tf.function(_numbered(function), autograph=False).get_concrete_function(*numbered)
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function], tf.Module())
    else:
        # A bare function keeps the order of inputs and outputs.
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
    return converter.convert()


def _has_lstm(function: Any) -> bool:
    """Whether a concrete function calls one that TensorFlow's converter takes for an LSTM."""
    functions = function.graph.as_graph_def().library.function
    return any(f.attr["api_implements"].s.startswith(b"lstm_") for f in functions)


def _numbered(call: Callable) -> Callable:
    """`call` with outputs whose names have their order."""
    import tensorflow as tf

    return lambda *inputs: {f"output_{i:03}": t for i, t in enumerate(tf.nest.flatten(call(*inputs)))}


class _Cut:
    """A recurrent layer where the model is cut, and the tensors that go in."""

    def __init__(self, layer: Any, kind: str, sources: list[Place], results: list[int]) -> None:
        self._layer, self._kind, self._sources, self._results = layer, kind, sources, results

    def layer(self) -> Layer:
        import keras

        keras_layer, cell = self._layer, self._layer.cell
        kernel, recurrent_kernel = map(keras.ops.convert_to_numpy, (cell.kernel, cell.recurrent_kernel))
        no_bias = np.zeros(kernel.shape[1], np.float32)
        bias = keras.ops.convert_to_numpy(cell.bias) if cell.bias is not None else no_bias
        return Layer(
            keras_layer.name,
            self._kind,
            self._sources,
            self._results,
            _name(cell.activation),
            _name(getattr(cell, "recurrent_activation", None)),
            keras_layer.return_sequences,
            keras_layer.go_backwards,
            keras_layer.stateful,
            getattr(cell, "reset_after", False),
            [kernel, recurrent_kernel, bias],
        )


class _Cuts:
    """The recurrent layers of a model, in the order in which it calls them.

    shapes: of what they make. made: the outputs of the .tflite; outputs: those of the model.
    """

    def __init__(self, inputs: int) -> None:
        self._inputs = inputs
        self.shapes: list[tuple[int, ...]] = []
        self.cuts: list[_Cut] = []
        self.made: list[Any] = []
        self.outputs: list[Place] = []
        self._results: Iterator[Any] | None = None
        self._edges: list[Any] = []
        self._graph: Any = None

    def first(self, call: Callable) -> Callable:
        """`call`, with zeros for what the layers make."""
        import tensorflow as tf

        def traced(*inputs: Any) -> Any:
            self._graph = tf.compat.v1.get_default_graph()
            return tf.nest.flatten(call(*inputs))

        return traced

    def second(self, call: Callable) -> Callable:
        """`call`, with inputs more for what the layers make."""
        import tensorflow as tf

        def traced(*inputs: Any) -> Any:
            self._graph, self._edges = tf.compat.v1.get_default_graph(), list(inputs)
            self._results = iter(inputs[self._inputs :])
            self.outputs = [self._place(tensor) for tensor in tf.nest.flatten(call(*inputs[: self._inputs]))]
            return self.made

        return traced

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Recurrent layers are cut instead of called."""
        import keras

        originals = {
            kind: kind.call for kind in (keras.layers.LSTM, keras.layers.GRU, keras.layers.SimpleRNN, keras.layers.RNN)
        }
        conv_lstm = keras.layers.ConvLSTM2D.__mro__[1]
        originals[conv_lstm] = conv_lstm.call
        for kind, original in originals.items():
            kind.call = self._replacement(original)
        filters = keras.config.is_traceback_filtering_enabled()
        keras.config.disable_traceback_filtering()  # which would wrap words of ours
        try:
            yield
        finally:
            if filters:
                keras.config.enable_traceback_filtering()
            for kind, original in originals.items():
                kind.call = original

    def _replacement(self, original: Callable) -> Callable:
        def call(
            layer: Any, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False
        ) -> Any:
            if mask is not None:
                raise MidgeError(
                    f"layer {layer.name!r} ({type(layer).__name__}): its steps are masked; midge runs all steps of a "
                    "sequence: build the model without Masking and mask_zero"
                )
            kind = _kind(layer)
            if kind:
                return self._cut(layer, kind, sequences, initial_state)
            if layer.stateful:
                raise MidgeError(
                    f"layer {layer.name!r} ({type(layer).__name__}): stateful, with cells that midge does not know; "
                    "use LSTM, GRU or SimpleRNN"
                )
            layer.unroll = True
            return original(layer, sequences, initial_state, mask, training)

        return call

    def _cut(self, layer: Any, kind: str, sequences: Any, initial_state: Any) -> Any:
        import tensorflow as tf

        if tf.compat.v1.get_default_graph() is not self._graph:
            raise MidgeError(
                f"layer {layer.name!r} ({type(layer).__name__}): runs within a loop, as TimeDistributed makes one; "
                "midge runs a recurrent layer over one sequence"
            )
        batch, steps = sequences.shape[:2]
        units = layer.cell.units
        shapes = [(batch, steps, units) if layer.return_sequences else (batch, units)]
        if layer.return_state:
            shapes += [(batch, units)] * (2 if kind == "LSTM" else 1)
        if self._results is None:
            self.shapes += shapes
            results = [tf.zeros(shape) for shape in shapes]
        else:
            results = [next(self._results) for _ in shapes]
            given = [] if initial_state is None else tf.nest.flatten(initial_state)
            sources = [self._place(tensor) for tensor in [sequences, *given]]
            places = [self._place(result).number for result in results]
            self.cuts.append(_Cut(layer, kind, sources, places))
        return tuple(results) if layer.return_state else results[0]

    def _place(self, tensor: Any) -> Place:
        """Where the .tflite has a tensor, as an input or an output: one more, if need be."""
        for edge, tensors in (("input", self._edges), ("output", self.made)):
            for i, known in enumerate(tensors):
                if known is tensor:
                    return Place(edge, i)
        self.made.append(tensor)
        return Place("output", len(self.made) - 1)


def _kind(layer: Any) -> str:
    """LSTM, GRU or SimpleRNN; "" for a layer with other cells or functions than midge knows."""
    import keras

    for kind in ("LSTM", "GRU", "SimpleRNN"):
        # Another class may compute another thing.
        if type(layer.cell) is getattr(keras.layers, f"{kind}Cell"):
            names = [_name(getattr(layer.cell, f"{gate}activation", None)) for gate in ("", "recurrent_")]
            return kind if set(names) <= {*FUNCTIONS, ""} else ""
    return ""


def _name(function: Any) -> str:
    """Of a function of Keras's; "?" of another one."""
    import keras

    name = getattr(function, "__name__", "")
    return name if function is None or getattr(keras.activations, name, None) is function else "?"


def _load_keras(path: pathlib.Path) -> Any:
    """A .keras or .h5 model."""
    import keras

    try:
        with tempfile.TemporaryDirectory() as folder:
            return keras.models.load_model(
                _with_input_layers(path, pathlib.Path(folder)), compile=False, custom_objects=_keras2_layers()
            )
    except Exception as error:
        raise MidgeError(f"{path}: {_why_not_loaded(error)}; {_EXPORT_HINT}") from error


def _with_input_layers(path: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """An .h5 file whose Sequential models begin with an InputLayer; a copy in `folder` if need be. In those of old
    versions of Keras the first layer tells the shape, which Keras 3 takes amiss."""
    import h5py

    if path.suffix.lower() == ".keras" or not h5py.is_hdf5(path):
        return path
    with h5py.File(path, "r") as file:
        config = file.attrs.get("model_config")
    if config is None:
        return path
    text = config.decode() if isinstance(config, bytes) else config
    changed = json.dumps(_with_input_layer(json.loads(text)))
    if json.loads(changed) == json.loads(text):
        return path
    copy = folder / path.name
    shutil.copyfile(path, copy)
    with h5py.File(copy, "r+") as file:
        file.attrs["model_config"] = changed
    return copy


def _with_input_layer(config: Any) -> Any:
    if isinstance(config, list):
        return [_with_input_layer(part) for part in config]
    if not isinstance(config, dict):
        return config
    config = {key: _with_input_layer(value) for key, value in config.items()}
    if config.get("class_name") != "Sequential":
        return config
    model = config["config"]
    layers = model["layers"] if isinstance(model, dict) else model  # Keras 2.2 and before: a list
    first = layers[0]["config"] if layers else {}
    if layers and layers[0]["class_name"] != "InputLayer" and "batch_input_shape" in first:
        name = f"{first.get('name', 'layer')}_input"
        given = {"batch_input_shape": first.pop("batch_input_shape"), "dtype": first.get("dtype", "float32")}
        layers.insert(0, {"class_name": "InputLayer", "config": {**given, "name": name}})
    if not isinstance(model, dict):
        config["config"] = {"name": "sequential", "layers": layers}
    return config


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


def _one_reading(where: str, spec: Any) -> Any:
    """Return the TensorSpec of an input with its batch size set to 1."""
    import tensorflow as tf

    shape = tuple(spec.shape) if spec.shape.rank else (None, None)
    if spec.dtype != tf.float32:
        raise MidgeError(
            f"{where}: input {spec.name!r} is {spec.dtype.name}, but only float32 can be quantised; "
            "export the model with a float32 input"
        )
    if None in shape[1:]:
        raise MidgeError(
            f"{where}: input {spec.name!r} has shape {spec.shape}, but only the batch "
            "size may be open; export the model with a fixed input shape"
        )
    return tf.TensorSpec((1, *shape[1:]), tf.float32, spec.name)


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
