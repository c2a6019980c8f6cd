"""Dilated Conv1D layers of Keras. What TensorFlow makes of them has shapes that change while it runs, beyond TFLM:
TensorFlow Lite is the reference."""

from __future__ import annotations

import numpy as np
import pytest

from midge_host import backends
from tflm import tensorflow_lite


def keras_model(padding: str, dilation: int, kernel: int, depthwise: bool) -> bytes:
    import tensorflow as tf

    rng = np.random.default_rng(dilation)
    tf.keras.utils.set_random_seed(dilation)
    x = y = tf.keras.Input((25, 4), batch_size=1)
    layers = tf.keras.layers
    if depthwise:
        y = layers.DepthwiseConv1D(kernel, padding=padding, dilation_rate=dilation, depth_multiplier=2)(y)
    else:
        y = layers.Conv1D(6, kernel, padding=padding, dilation_rate=dilation, activation="relu")(y)
    y = layers.Conv1D(3, 2, padding="valid")(y)
    converter = tf.lite.TFLiteConverter.from_keras_model(tf.keras.Model(x, y))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([rng.normal(size=(1, 25, 4)).astype(np.float32)] for _ in range(8))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


@pytest.mark.parametrize(
    ("padding", "depthwise"),
    [("valid", False), ("same", False), ("causal", False), ("valid", True), ("same", True)],
)
@pytest.mark.parametrize(("dilation", "kernel"), [(2, 3), (4, 2), (3, 5)])
def test_dilated_conv1d(make_model, padding: str, dilation: int, kernel: int, depthwise: bool) -> None:
    model = keras_model(padding, dilation, kernel, depthwise)
    readings = np.random.default_rng(1).integers(-128, 128, (4, 1, 25, 4)).astype(np.int8)
    expected = tensorflow_lite(model, readings)
    path = make_model(model)
    for name in ("numpy", "cpython", "portable"):
        np.testing.assert_array_equal(backends.run(name, path, [readings]).outputs[0], expected, err_msg=name)
