"""Keras layers for docs/layers.md: a small model each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from layers import Case

VECTOR, ROWS, IMAGE = (12,), (16, 6), (8, 8, 4)


def cases() -> dict[str, Case]:
    from keras import activations, layers, ops

    def of(shape: tuple[int, ...], layer: Callable[[Any], Any]) -> Case:
        """A model of one layer."""
        return Case([shape], lambda: _model([shape], lambda x: layer(x)), _predict)

    def of_two(merge: Callable[[Any, Any], Any]) -> Case:
        return Case([VECTOR, VECTOR], lambda: _model([VECTOR, VECTOR], merge), _predict)

    def function(name: str) -> Case:
        return of(VECTOR, layers.Dense(8, activation=getattr(activations, name)))

    heads, attention = layers.MultiHeadAttention(2, 4), layers.Attention()
    return {
        "Dense": of(VECTOR, layers.Dense(8)),
        "Dense, on rows": of(ROWS, layers.Dense(8)),
        "EinsumDense": of(ROWS, layers.EinsumDense("abc,cd->abd", output_shape=(None, 5), bias_axes="d")),
        "Conv1D": of(ROWS, layers.Conv1D(8, 3, activation="relu")),
        "Conv1D, causal, dilated": of(ROWS, layers.Conv1D(8, 3, padding="causal", dilation_rate=2)),
        "Conv2D": of(IMAGE, layers.Conv2D(8, 3, activation="relu")),
        "Conv2D, strided, same": of(IMAGE, layers.Conv2D(8, 3, strides=2, padding="same")),
        "Conv2D, dilated": of(IMAGE, layers.Conv2D(8, 3, dilation_rate=2)),
        "Conv2D, groups": of(IMAGE, layers.Conv2D(8, 3, groups=2)),
        "Conv3D": of((4, 6, 6, 1), layers.Conv3D(2, 3)),
        "DepthwiseConv1D": of(ROWS, layers.DepthwiseConv1D(3)),
        "DepthwiseConv2D": of(IMAGE, layers.DepthwiseConv2D(3, depth_multiplier=2)),
        "SeparableConv1D": of(ROWS, layers.SeparableConv1D(8, 3)),
        "SeparableConv2D": of(IMAGE, layers.SeparableConv2D(8, 3)),
        "Conv1DTranspose": of(ROWS, layers.Conv1DTranspose(4, 3, strides=2)),
        "Conv2DTranspose": of(IMAGE, layers.Conv2DTranspose(4, 3, strides=2, padding="same")),
        "MaxPooling1D": of(ROWS, layers.MaxPooling1D(2)),
        "MaxPooling2D": of(IMAGE, layers.MaxPooling2D()),
        "AveragePooling1D": of(ROWS, layers.AveragePooling1D(2)),
        "AveragePooling2D": of(IMAGE, layers.AveragePooling2D(2)),
        "GlobalAveragePooling1D": of(ROWS, layers.GlobalAveragePooling1D()),
        "GlobalAveragePooling2D": of(IMAGE, layers.GlobalAveragePooling2D()),
        "GlobalMaxPooling1D": of(ROWS, layers.GlobalMaxPooling1D()),
        "GlobalMaxPooling2D": of(IMAGE, layers.GlobalMaxPooling2D()),
        "BatchNormalization": of(IMAGE, layers.BatchNormalization(beta_initializer="ones")),
        "LayerNormalization": of(ROWS, layers.LayerNormalization()),
        "GroupNormalization": of(ROWS, layers.GroupNormalization(2)),
        "RMSNormalization": of(ROWS, layers.RMSNormalization()),
        "UnitNormalization": of(VECTOR, layers.UnitNormalization()),
        "Normalization": of(ROWS, layers.Normalization(mean=np.arange(6.0) / 10, variance=np.arange(1.0, 7))),
        "Rescaling": of(IMAGE, layers.Rescaling(0.5, 1)),
        "ReLU": of(VECTOR, layers.ReLU()),
        "ReLU, max_value": of(VECTOR, layers.ReLU(max_value=1.5)),
        "LeakyReLU": of(VECTOR, layers.LeakyReLU()),
        "PReLU": of(IMAGE, layers.PReLU("random_normal", shared_axes=[1, 2])),
        "ELU": of(VECTOR, layers.ELU()),
        "Softmax": of(VECTOR, layers.Softmax()),
        **{
            f"activation {name}": function(name)
            for name in (
                "sigmoid",
                "tanh",
                "relu6",
                "gelu",
                "silu",
                "hard_sigmoid",
                "hard_silu",
                "softplus",
                "softsign",
                "selu",
                "mish",
                "exponential",
                "log_softmax",
            )
        },
        "LSTM": of(ROWS, layers.LSTM(8)),
        "LSTM, return_sequences": of(ROWS, layers.LSTM(8, return_sequences=True)),
        "LSTM, relu": of(ROWS, layers.LSTM(8, activation="relu")),
        "GRU": of(ROWS, layers.GRU(8)),
        "SimpleRNN": of(ROWS, layers.SimpleRNN(8)),
        "Bidirectional, of LSTM": of(ROWS, layers.Bidirectional(layers.LSTM(4))),
        "Bidirectional, of GRU, return_sequences": of(ROWS, layers.Bidirectional(layers.GRU(4, return_sequences=True))),
        "ConvLSTM1D": of((4, 8, 2), layers.ConvLSTM1D(3, 3)),
        "TimeDistributed, of Dense": of(ROWS, layers.TimeDistributed(layers.Dense(4))),
        "MultiHeadAttention": of(ROWS, lambda x: heads(x, x)),
        "Attention": of(ROWS, lambda x: attention([x, x])),
        "Add": of_two(layers.Add()),
        "Subtract": of_two(layers.Subtract()),
        "Multiply": of_two(layers.Multiply()),
        "Average": of_two(layers.Average()),
        "Maximum": of_two(layers.Maximum()),
        "Minimum": of_two(layers.Minimum()),
        "Concatenate": of_two(layers.Concatenate()),
        "Dot": of_two(layers.Dot(1)),
        "Flatten": of(IMAGE, layers.Flatten()),
        "Reshape": of(ROWS, layers.Reshape((8, 12))),
        "Permute": of(ROWS, layers.Permute((2, 1))),
        "RepeatVector": of(VECTOR, layers.RepeatVector(3)),
        "Cropping1D": of(ROWS, layers.Cropping1D(2)),
        "Cropping2D": of(IMAGE, layers.Cropping2D(1)),
        "ZeroPadding1D": of(ROWS, layers.ZeroPadding1D(2)),
        "ZeroPadding2D": of(IMAGE, layers.ZeroPadding2D(1)),
        "UpSampling1D": of(ROWS, layers.UpSampling1D()),
        "UpSampling2D": of(IMAGE, layers.UpSampling2D()),
        "UpSampling2D, bilinear": of(IMAGE, layers.UpSampling2D(interpolation="bilinear")),
        "Dropout": of(VECTOR, lambda x: layers.Dropout(0.5)(layers.Dense(8)(x))),
        "ops.divide": of(VECTOR, lambda x: x / (1.5 + ops.sigmoid(x))),
        "ops.argmax": of(VECTOR, lambda x: ops.argmax(x, -1)),
    }


def _model(shapes: list[tuple[int, ...]], layer: Callable[..., Any]) -> Any:
    import keras

    keras.utils.set_random_seed(1)
    inputs = [keras.Input(shape) for shape in shapes]
    return keras.Model(inputs, layer(*inputs) if len(inputs) == 1 else layer(inputs))


def _predict(model: Any, readings: list[np.ndarray]) -> list[np.ndarray]:
    made = model(readings, training=False)
    return [np.asarray(y) for y in (made if isinstance(made, (list, tuple)) else [made])]
