"""Keras models that TensorFlow quantises to int16 activations with int8 weights (16x8): TFLM's bytes everywhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import midge
import tflm
from midge_host import backends

pytest.importorskip("tensorflow")

BACKENDS = [("numpy", "auto"), ("portable", "auto"), ("micropython-portable", "auto")]
BACKENDS += [(name, weights) for name in ("cpython", "micropython") for weights in ("ram", "stream")]


def _cnn():
    from tensorflow.keras import Sequential, layers

    return Sequential(
        [
            layers.Input((12, 12, 3)),
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.DepthwiseConv2D(3, activation="relu6"),
            layers.Conv2D(12, 1),
            layers.BatchNormalization(),
            layers.LeakyReLU(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(5),
            layers.Softmax(),
        ]
    )


def _branches():
    from tensorflow.keras import Input, Model, layers

    x = Input((10, 10, 4))
    y = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    z = layers.Concatenate()([layers.Add()([x, y]), y])
    u = layers.Subtract()([layers.Multiply()([z, z]), z])
    y = layers.AveragePooling2D(2)(layers.Maximum()([u, z]))
    return Model(x, layers.Dense(3, activation="sigmoid")(layers.GlobalAveragePooling2D()(y)))


def _sequence():
    from tensorflow.keras import Sequential, layers

    return Sequential(
        [
            layers.Input((20, 4)),
            layers.Conv1D(8, 3, padding="same", activation="relu"),
            layers.MaxPooling1D(2),
            layers.Conv1D(4, 3, activation="tanh"),
            layers.Reshape((32,)),
            layers.Dense(3),
        ]
    )


def _converted(make: Callable, quantised_edges: bool) -> tuple[bytes, np.ndarray]:
    """The .tflite file and some inputs for it."""
    import tensorflow as tf

    tf.keras.utils.set_random_seed(1)
    model = make()
    rng = np.random.default_rng(1)
    readings = rng.normal(0, 1, (24, 1, *model.input_shape[1:])).astype(np.float32)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([row] for row in readings)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]
    inputs = readings[:8]
    if quantised_edges:
        converter.inference_input_type = converter.inference_output_type = tf.int16
        inputs = np.clip(inputs * 9000, -32768, 32767).astype(np.int16)
    return converter.convert(), inputs


@pytest.mark.parametrize("quantised_edges", [False, True], ids=["float edges", "int16 edges"])
@pytest.mark.parametrize("make", [_cnn, _branches, _sequence])
def test_exact_everywhere(make_model, make: Callable, quantised_edges: bool) -> None:
    data, inputs = _converted(make, quantised_edges)
    path, expected = make_model(data), tflm.run(data, [inputs])
    for backend, weights in BACKENDS:
        got = backends.run(backend, path, [inputs], weights).outputs
        assert got[0].dtype == expected[0].dtype
        np.testing.assert_array_equal(got[0], expected[0], err_msg=f"{backend}, weights {weights}")
    for backend in ("native", "portable"):
        assert midge.load(str(path), backend=backend).selftest()
