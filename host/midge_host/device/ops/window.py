"""Common to convolutions and pools: padding, strides, record fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ...ir.graph import Node, Tensor
from ...ir.operators import Pair, Window
from .. import spec
from ..definition import Operand, fit, record
from ..numerics import rescale, wrap32
from ..rules import Check, Choice, HasCode, aligned, at_most, nonzero, parameters

# Of every window over an image.
_STEPS = [
    ("B", "stride_h", "vertical stride"),
    ("B", "stride_w", "horizontal stride"),
    ("B", "dilation_h", "vertical dilation"),
    ("B", "dilation_w", "horizontal dilation"),
]
_SIZES = [
    ("H", "in_h", "input height"),
    ("H", "in_w", "input width"),
    ("H", "in_c", "input channels"),
    ("H", "out_h", "output height"),
    ("H", "out_w", "output width"),
    ("H", "out_c", "output channels"),
    ("H", "kernel_h", "window height"),
    ("H", "kernel_w", "window width"),
    ("H", "pad_top", "rows of padding above"),
    ("H", "pad_left", "columns of padding at the left"),
    ("H", "block_channels", "output channels in a weight block"),
]

WINDOW = record(
    "window",
    "Operators that slide a window over an NHWC image (batch 1). FULLY_CONNECTED is a 1x1 window: one row per `in_h`.",
    [
        *_STEPS,
        ("b", "input_zero", "zero point of the input: the value of padding"),
        ("b", "output_zero", "zero point of the output"),
        ("b", "clamp_min", "least output value"),
        ("b", "clamp_max", "largest output value"),
        ("B", "bias_bits", "bits of a channel's bias, 1 to 32"),
        ("B", "shift_bits", "bits of a channel's shift, 0 to 6"),
        ("B", "mult_bits", "bits of a channel's multiplier, 0 or 30"),
        ("b", "shift", "added to every channel's shift"),
        *_SIZES,
        ("i", "multiplier", "multiplier of every channel where mult_bits is 0"),
    ],
)

WINDOW16 = record(
    "window16",
    "A window over an image of int16 values, whose zero points are 0. flags 1: sums of 32 bits, as TFLM has them where "
    "the bias is int32; else of 64.",
    [
        *_STEPS,
        ("h", "clamp_min", "least output value"),
        ("h", "clamp_max", "largest output value"),
        *_SIZES,
    ],
)

DEPTHWISE = HasCode(2, "DEPTHWISE_CONV_2D")
DEPTH = Choice(DEPTHWISE, 1, "in_c")  # input channels that a convolution's output channel reads

IMAGES = (Operand("input", ("in_h", "in_w", "in_c")), Operand("output", ("out_h", "out_w", "out_c")))
IMAGES16 = tuple(replace(image, unit=2) for image in IMAGES)

_SIZED = (
    nonzero("in_h", "in_w", "in_c", "out_h", "out_w", "out_c", "kernel_h", "kernel_w"),
    nonzero("stride_h", "stride_w", "dilation_h", "dilation_w"),
    at_most("clamp_min", "clamp_max"),
)
WINDOW_CHECK = Check("window", (parameters(*_SIZED), fit(*IMAGES)))
WINDOW16_CHECK = Check("window16", (parameters(*_SIZED, aligned(2, "input", "output")), fit(*IMAGES16)))


def image_shape(node: Node, tensor: Tensor) -> tuple[int, int, int]:
    """(height, width, channels) of an NHWC tensor of batch 1."""
    n, height, width, channels = tensor.shape
    if n != 1:
        raise node.refuse(
            f"tensor {tensor.name!r} has shape {tensor.shape}, not (1, height, width, channels)",
            "export the model with batch size 1",
        )
    return height, width, channels


def window_fields(node: Window, kernel: Pair, dilations: Pair = (1, 1)) -> dict[str, Any]:
    """The fields of a window record that shapes and parameters set."""
    in_h, in_w, in_c = image_shape(node, node.source)
    out_h, out_w, out_c = image_shape(node, node.output)
    strides, (rows, columns) = node.strides, node.padding
    fields = {
        "in_h": in_h,
        "in_w": in_w,
        "in_c": in_c,
        "out_h": out_h,
        "out_w": out_w,
        "out_c": out_c,
        "kernel_h": kernel[0],
        "kernel_w": kernel[1],
        "stride_h": strides[0],
        "stride_w": strides[1],
        "dilation_h": dilations[0],
        "dilation_w": dilations[1],
        "pad_top": rows[0],
        "pad_left": columns[0],
    }
    limits = {"B": 255, "H": spec.MAX_DIM}
    for field in WINDOW.fields:
        value = fields.get(field.name)
        if value is not None and not 0 <= value <= limits[field.code]:
            raise node.refuse(f"{field.name} is {value}, the limit is {limits[field.code]}", "split the layer")
    return fields


def taps(op: dict[str, Any]) -> Iterator[tuple[int, int, tuple[slice, slice], tuple[slice, slice]]]:
    """For every tap of the window that meets the image: (ky, kx, output region, input region)."""
    for ky in range(op["kernel_h"]):
        rows = _regions(op["in_h"], op["out_h"], op["stride_h"], ky * op["dilation_h"] - op["pad_top"])
        for kx in range(op["kernel_w"]):
            columns = _regions(op["in_w"], op["out_w"], op["stride_w"], kx * op["dilation_w"] - op["pad_left"])
            if rows and columns:
                yield ky, kx, (rows[0], columns[0]), (rows[1], columns[1])


def _regions(size: int, out: int, stride: int, offset: int) -> tuple[slice, slice] | None:
    """Outputs whose input o * stride + offset lies in the image, and those inputs."""
    first = max(0, -(offset // stride))
    last = min(out - 1, (size - 1 - offset) // stride)
    if first > last:
        return None
    start = first * stride + offset
    return slice(first, last + 1), slice(start, last * stride + offset + 1, stride)


def reaches_padding(op: dict[str, Any]) -> bool:
    """True if some tap of the window lies in the padding for some output."""
    return any(
        before
        or (op[f"out_{a}"] - 1) * op[f"stride_{a}"] + (op[f"kernel_{a}"] - 1) * op[f"dilation_{a}"] >= op[f"in_{a}"]
        for a, before in (("h", op["pad_top"]), ("w", op["pad_left"]))
    )


def requantize(op: dict[str, Any], acc: np.ndarray, multiplier: Any, shift: Any) -> np.ndarray:
    """int8 outputs of int32 accumulators."""
    scaled = wrap32(rescale(wrap32(acc), multiplier, shift) + op["output_zero"])
    return np.clip(scaled, op["clamp_min"], op["clamp_max"]).astype(np.int8)
