"""Layers with the shapes that count, made here, so that they can be counted without reference models.

Inputs are uniform. Weights, biases and scales are such that outputs spread over the whole range of int8: around zero
without an activation, and behind a ReLU (output zero point -128) with a third of them zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator

from midge_host.conversion import build
from midge_host.device import spec
from midge_host.device.model_file import ModelFile
from midge_host.device.record import Step
from midge_host.frontends.tflite import load_tflite
from midge_host.ir.graph import Tensor
from midge_host.targets import armv6m as scratch
from tflite_models import Quant, one_operator

from .layers import Layer, model_layers

X_SCALE, Y_SCALE = 0.02, 0.04
X_DEVIATION = 73.9  # of a uniform int8
SPREAD = 60  # deviation of an output before the clamp
SCRATCH_BYTES = 40 << 10
RELU = -128  # output zero point of a layer with that activation

Maker = Callable[[Generator], bytes]


@dataclass(frozen=True)
class Shape:
    """A model of one layer. `note`: what its record's shape does not say."""

    make: Maker
    note: str = ""


def _weights(rng: Generator, shape: tuple[int, ...], kind: str) -> np.ndarray:
    values = rng.integers(-127, 128, shape) if kind == "uniform" else np.rint(rng.normal(0, 30, shape))
    return np.clip(values, -127, 127).astype(np.int8)


def _layer(rng: Generator, shape: tuple[int, ...], channel_axis: int, zeros: Quant, kind: str) -> dict[str, Any]:
    """Arguments of a layer whose outputs spread as they should; `zeros` are the input's and the output's."""
    weights = _weights(rng, shape, kind)
    channels = shape[channel_axis]
    rows = np.moveaxis(weights.astype(np.int64), channel_axis, 0).reshape(channels, -1)
    multipliers = rng.uniform(0.6, 1, channels) * SPREAD / (X_DEVIATION * np.sqrt((rows**2).sum(1)))
    centre = SPREAD / 2 if zeros[1] == RELU else -zeros[1]
    bias = centre / multipliers + rows.sum(1) * (zeros[0] + 0.5)
    return {
        "weights": weights,
        "bias": np.rint(bias),
        "weight_scales": multipliers * Y_SCALE / X_SCALE,
        "quant": (Y_SCALE, zeros[1]),
        "activation": "RELU" if zeros[1] == RELU else "NONE",
    }


def conv(
    image: tuple[int, int],
    channels: tuple[int, int],
    kernel: tuple[int, int] = (1, 1),
    stride: int = 1,
    zeros: tuple[int, int] = (RELU, RELU),
    weights: str = "normal",
) -> Maker:
    def make(rng: Generator) -> bytes:
        layer = _layer(rng, (channels[1], *kernel, channels[0]), 0, zeros, weights)
        window = {"strides": (stride, stride), "padding": "SAME"}
        return one_operator("conv_2d", (1, *image, channels[0]), (X_SCALE, zeros[0]), **layer, **window)

    return make


def depthwise(
    image: tuple[int, int],
    channels: int,
    stride: int = 1,
    zeros: tuple[int, int] = (RELU, RELU),
    kernel: tuple[int, int] = (3, 3),
    inputs: int = 0,
) -> Maker:
    """inputs: channels of the input, if it has fewer."""

    def make(rng: Generator) -> bytes:
        layer = _layer(rng, (1, *kernel, channels), 3, zeros, "normal")
        window = {"strides": (stride, stride), "padding": "SAME"}
        shape = (1, *image, inputs or channels)
        return one_operator("depthwise_conv_2d", shape, (X_SCALE, zeros[0]), **layer, **window)

    return make


def dense(inputs: int, outputs: int, zeros: tuple[int, int] = (RELU, RELU)) -> Maker:
    def make(rng: Generator) -> bytes:
        return one_operator(
            "fully_connected", (1, inputs), (X_SCALE, zeros[0]), **_layer(rng, (outputs, inputs), 0, zeros, "normal")
        )

    return make


def simple(operator: str, shape: tuple[int, ...], quant: Quant = (X_SCALE, RELU), **arguments: Any) -> Maker:
    """An operator without weights."""
    return lambda rng: one_operator(operator, shape, quant, **arguments)


SHAPES = [
    Shape(conv((6, 6), (128, 128))),
    Shape(conv((6, 6), (128, 128), weights="uniform"), "uniform weights"),
    Shape(conv((6, 6), (128, 128), zeros=(3, 5)), "zero points 3, 5"),
    Shape(conv((48, 48), (8, 16))),
    Shape(conv((24, 24), (32, 32))),
    Shape(conv((12, 12), (32, 64))),
    Shape(conv((12, 12), (64, 64))),
    Shape(conv((25, 5), (64, 64))),
    Shape(depthwise((48, 48), 8)),
    Shape(depthwise((25, 5), 64)),
    Shape(depthwise((6, 6), 128)),
    Shape(depthwise((6, 6), 128, zeros=(3, 5)), "zero points 3, 5"),
    Shape(depthwise((48, 48), 16, stride=2)),
    Shape(depthwise((12, 12), 64, stride=2)),
    Shape(depthwise((6, 6), 128, stride=2)),
    Shape(conv((96, 96), (3, 8), (3, 3), stride=2)),
    Shape(conv((49, 10), (1, 64), (10, 4), stride=2, zeros=(83, RELU))),
    Shape(conv((32, 32), (16, 16), (3, 3))),
    Shape(conv((8, 8), (64, 64), (3, 3))),
    Shape(dense(640, 128, zeros=(89, RELU))),
    Shape(dense(128, 128)),
    Shape(simple("average_pool_2d", (1, 25, 5, 64), window=(25, 5), padding="VALID")),
    Shape(simple("max_pool_2d", (1, 24, 24, 16), window=(2, 2), padding="VALID")),
    Shape(simple("mean", (1, 8, 8, 64), axes=(1, 2), quant=(0.01, RELU))),
    Shape(simple("add", (1, 32, 32, 16), second_quant=(0.03, 4), quant=(0.05, RELU), activation="RELU")),
    Shape(simple("softmax", (1, 12), (0.1, 0))),
    Shape(depthwise((12, 12), 32, kernel=(5, 5))),
    Shape(depthwise((12, 12), 32, kernel=(7, 7))),
    Shape(depthwise((49, 40), 8, stride=2, kernel=(10, 8), inputs=1)),
]


def _grant_scratch(model: ModelFile) -> None:
    """The scratch memory that the layer can use, up to what one finds in the arena of a model with larger layers."""
    (record,) = model.records
    want = scratch.wanted(Step(model.operator(0).name, "", [], Tensor("", (), "int8"), record)).most
    want = min(want, SCRATCH_BYTES)
    if want:
        record |= {"scratch": spec.align(model.arena_bytes, 4), "scratch_bytes": want}
        model.arena_bytes = record["scratch"] + want


def layers(chosen: Sequence[Shape] = SHAPES) -> list[Layer]:
    """Every shape as a layer, numbered in their order."""
    found = []
    for index, shape in enumerate(chosen):
        model = build(load_tflite(shape.make(np.random.default_rng(0)), f"shape {index}"))
        _grant_scratch(model)
        (layer,) = model_layers(model)
        text = f"{layer.shape}, {shape.note}" if shape.note else layer.shape
        found.append(replace(layer, index=index, shape=text))
    return found
