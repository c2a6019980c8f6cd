"""What convolutions and pools share: padding, strides, record fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...ir.graph import Node, Tensor
from .. import spec
from ..numerics import rescale, wrap32


def image_shape(node: Node, tensor: Tensor) -> tuple[int, int, int]:
    """(height, width, channels) of an NHWC tensor of batch 1."""
    if len(tensor.shape) != 4 or tensor.shape[0] != 1:
        raise node.refuse(
            f"tensor {tensor.name!r} has shape {tensor.shape}, not (1, height, width, channels)",
            "export the model with batch size 1",
        )
    return tensor.shape[1:]


def same_padding(size: int, out: int, kernel: int, stride: int, dilation: int) -> int:
    """Padding before the first pixel; the rest of an odd padding stands behind (ComputePaddingWithOffset)."""
    return max(0, (out - 1) * stride + (kernel - 1) * dilation + 1 - size) // 2


def window_fields(node: Node, source: Tensor, output: Tensor, kernel: tuple[int, int]) -> dict[str, Any]:
    """The fields of a window record that shapes and options set."""
    in_h, in_w, in_c = image_shape(node, source)
    out_h, out_w, out_c = image_shape(node, output)
    options = node.options
    strides = (options["stride_h"], options["stride_w"])
    dilations = (options.get("dilation_h", 1), options.get("dilation_w", 1))
    pads = options.get("pad", (0, 0))
    same = options["padding"] == "SAME"
    # EXPLICIT padding: `pad` before the image, behind it what the output asks for; `padded` where a PAD said how much.
    sizes = options.get("padded") if options["padding"] == "EXPLICIT" else (in_h, in_w)
    for size, out, k, s, d in zip(sizes, (out_h, out_w), kernel, strides, dilations, strict=True) if sizes else ():
        if out != -(-(size if same else size - (k - 1) * d) // s):
            raise node.refuse(f"its window does not make {out} of {size} pixels", "export the model again")
    if same:
        pads = tuple(
            same_padding(size, out, k, s, d)
            for size, out, k, s, d in zip((in_h, in_w), (out_h, out_w), kernel, strides, dilations, strict=True)
        )
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
        "pad_top": pads[0],
        "pad_left": pads[1],
    }
    limits = {"B": 255, "H": spec.MAX_DIM}
    for field in spec.WINDOW.fields:
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
