"""CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...ir.graph import Numerics, Tensor
from ...ir.operators import Conv2D, Dense, DepthwiseConv2D, Weighted
from .. import rules, spec
from ..banks import CORE
from ..definition import Operator
from ..numerics import clamp_limits, quantize_multiplier, wrap32
from ..record import Context, Rows, Step
from ..rules import (
    Between,
    Check,
    Holds,
    MultipleOf,
    OneOf,
    When,
    at_least,
    at_most,
    equal,
    parameters,
    product,
    total,
)
from . import batch_matmul, blocks, conv16
from .quantised import per_tensor
from .window import DEPTH, DEPTHWISE, IMAGES, WINDOW, WINDOW_CHECK, image_shape, requantize, taps, window_fields


def _weights(node: Weighted, channels: int) -> tuple[Tensor, np.ndarray]:
    weights = node.weights
    if weights.data is None:
        raise node.refuse("its weights are computed by the model", "only constant weights can be converted")
    if weights.dtype != "int8" or weights.scale.size not in (1, channels):
        raise node.refuse(
            f"its weights are {weights.dtype} with {weights.scale.size} scales, not int8 with 1 or {channels}",
            "quantise the whole model to int8 (TFLiteConverter with TFLITE_BUILTINS_INT8)",
        )
    if not np.all((weights.scale >= 0) & (weights.scale < np.inf)):
        raise node.refuse("its weights have an impossible scale", "export the model again")
    if weights.zero_point.any():
        raise node.refuse("its weights have a zero point other than 0", "quantise with symmetric weights")
    return weights, weights.data


def _bias(node: Weighted, channels: int, dtypes: tuple[str, ...]) -> np.ndarray:
    bias = node.bias
    if bias is None:
        return np.zeros(channels, np.int64)
    # A bias tensor's own quantisation is not looked at: it is input scale * weight scale by definition, and
    # some exporters write a quantized_dimension that is out of range.
    if bias.data is None or bias.dtype not in dtypes:
        wanted = f"{channels} {' or '.join(dtypes)} constants"
        raise node.refuse(f"its bias is {bias.dtype} {bias.shape}, not {wanted}", "export the model again")
    return bias.data.reshape(-1)


def _step(node: Weighted, operator: str, fields: dict[str, Any], weights: np.ndarray, scales: np.ndarray) -> list[Step]:
    """The step of a convolution with weights (out_c, kernel_h, kernel_w, in_c or 1) int8."""
    source, output = node.source, node.output
    channels = len(weights)
    if source.dtype == "int16":
        # TFLM reads the bias of a depthwise convolution as int64 whatever it is.
        dtypes = ("int64",) if isinstance(node, DepthwiseConv2D) else ("int32", "int64")
        return conv16.step(node, operator, fields, weights, scales, _bias(node, channels, dtypes))
    in_scale, in_zero = per_tensor(node, source)
    out_scale, out_zero = per_tensor(node, output)
    bias = _bias(node, channels, ("int32",)).astype(np.int64)
    bias = wrap32(bias - in_zero * weights.astype(np.int64).sum((1, 2, 3)))
    # TensorFlow Lite takes the product of the scales of uint8 tensors in float32.
    precision = np.float32 if node.numerics is Numerics.TFLITE else np.float64
    pairs = [quantize_multiplier(float(precision(in_scale) * precision(s)) / float(out_scale)) for s in scales]
    multiplier, shift = (np.array(v, np.int64) for v in zip(*pairs, strict=True))
    clamp = clamp_limits(node.activation, out_scale, out_zero)
    if clamp[0] > clamp[1]:
        raise node.refuse("its activation's range is empty in the output's quantisation", "export the model again")
    rows = Rows(weights, bias, np.resize(multiplier, channels), np.resize(shift, channels))
    fields = {
        **fields,
        "input_zero": in_zero,
        "output_zero": out_zero,
        "clamp_min": clamp[0],
        "clamp_max": clamp[1],
    }
    return [Step(operator, node.name, [source], output, fields, rows=rows)]


def lower_conv(node: Conv2D) -> list[Step]:
    channels = image_shape(node, node.output)[2]
    weights, data = _weights(node, channels)
    fields = window_fields(node, data.shape[1:3], node.dilations)
    operator = "CONV_2D" if data.shape[3] == fields["in_c"] else DEPTHWISE.name  # groups of one channel
    return _step(node, operator, fields, data, weights.scale)


def lower_depthwise(node: DepthwiseConv2D) -> list[Step]:
    channels = image_shape(node, node.output)[2]
    weights, data = _weights(node, channels)
    fields = window_fields(node, data.shape[1:3], node.dilations)
    return _step(node, "DEPTHWISE_CONV_2D", fields, data.transpose(3, 1, 2, 0), weights.scale)


def lower_fully_connected(node: Dense) -> list[Step]:
    if node.weights.data is None:
        return batch_matmul.lower_dense(node)
    channels, depth = node.weights.shape
    weights, data = _weights(node, channels)
    batch = node.source.size // depth
    if max(batch, channels, depth) > spec.MAX_DIM:
        raise node.refuse(
            f"it makes {batch} x {channels} of {batch} x {depth}, the limit is {spec.MAX_DIM}", "split it"
        )
    ones = ("in_w", "out_w", "kernel_h", "kernel_w", "stride_h", "stride_w", "dilation_h", "dilation_w")
    fields = dict.fromkeys(ones, 1) | {"in_h": batch, "in_c": depth, "out_h": batch, "out_c": channels}
    fields |= {"pad_top": 0, "pad_left": 0}
    return _step(node, "FULLY_CONNECTED", fields, data[:, None, None, :], weights.scale)


def load_rows(context: Context) -> tuple[np.ndarray, ...]:
    """Rows (out_c, kernel_h, kernel_w, in_c or 1), bias, multiplier, shift."""
    op = context.op
    rows, bias, multiplier, shift = blocks.unpack(op, [context.block(i) for i in range(op["blocks"])])
    per_channel = op["kernel_h"] * op["kernel_w"]
    if op["code"] != DEPTHWISE.code:
        per_channel *= op["in_c"]
    rows = rows[:, : op["block_channels"] * per_channel]
    rows = rows.reshape(op["out_c"], op["kernel_h"], op["kernel_w"], -1)
    return rows, bias, multiplier, shift


def run_conv(context: Context) -> None:
    op = context.op
    rows, bias, multiplier, shift = load_rows(context)
    # float64 holds every partial sum of int8 products exactly, and multiplies by BLAS.
    rows = rows.astype(np.float64)
    image = context.tensor((op["in_h"], op["in_w"], op["in_c"])).astype(np.float64) - op["input_zero"]
    acc = np.zeros((op["out_h"], op["out_w"], op["out_c"]))
    for ky, kx, to, source in taps(op):
        acc[to] += image[source] @ rows[:, ky, kx].T
    # The bias has the zero point folded in; with x - zero_point for x, padding is 0.
    bias = bias + op["input_zero"] * rows.sum((1, 2, 3)).astype(np.int64)
    out = requantize(op, acc.astype(np.int64) + bias, multiplier, shift)
    context.tensor(out.shape, "output")[:] = out


def run_depthwise(context: Context) -> None:
    op = context.op
    rows, bias, multiplier, shift = load_rows(context)
    rows = rows[..., 0].astype(np.int64)
    image = context.tensor((op["in_h"], op["in_w"], op["in_c"])).astype(np.int64) - op["input_zero"]
    image = image.repeat(op["out_c"] // op["in_c"], axis=2)
    acc = np.zeros((op["out_h"], op["out_w"], op["out_c"]), np.int64)
    for ky, kx, to, source in taps(op):
        acc[to] += image[source] * rows[:, ky, kx]
    bias = bias + op["input_zero"] * rows.sum((1, 2))
    out = requantize(op, acc + bias, multiplier, shift)
    context.tensor(out.shape, "output")[:] = out


CHECK = Check(
    "conv",
    (
        WINDOW_CHECK,
        When(DEPTHWISE, (parameters(MultipleOf("out_c", "in_c")),)),
        parameters(
            Between("bias_bits", 1, 32),
            at_most("shift_bits", 6),
            OneOf("mult_bits", (0, 30)),
            at_least("multiplier", 0),
            equal(product("blocks", "block_channels"), "out_c"),
        ),
        rules.weights(Holds(blocks.ENTRIES, product("block_channels", "kernel_h", "kernel_w", DEPTH))),
    ),
)


def _definition(code: int, name: str, kernel: str, run: Callable[[Context], None]) -> Operator:
    return Operator(
        code,
        name,
        CORE,
        WINDOW,
        kernel,
        CHECK,
        IMAGES,
        run,
        has_blocks=True,
        by_rows=True,
        channelwise=code == DEPTHWISE.code,
        macs=product("out_h", "out_w", "out_c", "kernel_h", "kernel_w", DEPTH),
        parameters=product("out_c", total(product("kernel_h", "kernel_w", DEPTH), 4)),
    )


DEFINITIONS = (
    _definition(1, "CONV_2D", "conv", run_conv),
    _definition(DEPTHWISE.code, DEPTHWISE.name, "depthwise_conv", run_depthwise),
    _definition(3, "FULLY_CONNECTED", "conv", run_conv),
)
