"""RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR of NHWC images."""

from __future__ import annotations

import numpy as np

from ...ir.graph import Node, Tensor
from ...ir.operators import ResizeBilinear, ResizeNearest
from .. import spec
from ..banks import MATH
from ..definition import Operand, Operator, fit, record
from ..record import Context, Step
from ..rules import Check, Custom, Holds, Require, equal, nonzero, parameters, product, total, weights

UNIT = 1024  # positions in the input are multiples of 1 / UNIT pixels

RESIZE = record(
    "resize",
    "Images [batch, height, width, channels]. RESIZE_NEAREST_NEIGHBOR has a block of uint16: the input's row for each "
    "row of the output, then its column for each column; it moves bytes, and types is int8 for every tensor. "
    "RESIZE_BILINEAR steps through the input.",
    [
        ("H", "batch", "images"),
        ("H", "in_h", "input height"),
        ("H", "in_w", "input width"),
        ("H", "in_c", "channels"),
        ("H", "out_h", "output height"),
        ("H", "out_w", "output width"),
        ("i", "step_h", "from one row of the output to the next, in 1/1024 rows of the input"),
        ("i", "step_w", "from one column to the next"),
        ("i", "start_h", "where the first row lies in the input"),
        ("i", "start_w", "where the first column lies"),
    ],
)


def take(
    node: Node, source: Tensor, output: Tensor, image: tuple[int, int, int, int], rows: np.ndarray, columns: np.ndarray
) -> Step:
    """The step that makes images of these rows and columns of the source's, which is seen as [batch, height, width,
    channels] in `image`. Elements of any type are moved as bytes."""
    if source.dtype != output.dtype or source.dtype not in spec.ELEMENT_BYTES:
        raise node.refuse(f"it makes {output.dtype} of {source.dtype}", "export the model again, quantised to int8")
    batch, in_h, in_w, channels = image
    sizes = {"batch": batch, "in_h": in_h, "in_w": in_w, "in_c": channels * spec.ELEMENT_BYTES[source.dtype]}
    sizes |= {"out_h": len(rows), "out_w": len(columns)}
    if max(sizes.values()) > spec.MAX_DIM:
        raise node.refuse(f"it takes {len(rows)} x {len(columns)} of {image}, the limit is {spec.MAX_DIM}", "split it")
    raw = np.concatenate([rows, columns]).astype("<u2").tobytes()
    block = raw.ljust(spec.align(len(raw), spec.BLOCK_ALIGNMENT), b"\0")
    return Step("RESIZE_NEAREST_NEIGHBOR", node.name, [source], output, sizes, [block])


def lower_nearest(node: ResizeNearest) -> list[Step]:
    source, output = node.source, node.output
    sizes = zip(source.shape[1:3], output.shape[1:3], strict=True)
    rows, columns = (_nearest(size, out, node) for size, out in sizes)
    n, h, w, c = source.shape
    return [take(node, source, output, (n, h, w, c), rows, columns)]


def _nearest(size: int, out: int, node: ResizeNearest) -> np.ndarray:
    """The input's index for every output, in float32 as TFLM computes it."""
    corners = node.align_corners
    at = np.arange(out).astype(np.float32) + np.float32(0.5 if node.half_pixel_centers else 0)
    scale = np.float32(size - 1) / np.float32(out - 1) if corners and out > 1 else np.float32(size) / np.float32(out)
    position = (at * scale).astype(np.float64)
    return np.clip(np.floor(position + 0.5 if corners else position), 0, size - 1).astype(np.int64)


def lower_bilinear(node: ResizeBilinear) -> list[Step]:
    source, output = node.source, node.output
    if source.dtype == "int16":
        reason = "its activations have 16 bits, and TensorFlow Lite Micro resizes those of 8 only"
        raise node.refuse(reason, "use RESIZE_NEAREST_NEIGHBOR, or quantise the model with 8-bit activations")
    if source.dtype != "int8":
        raise node.refuse(f"it resizes {source.dtype} images, not int8 ones", "quantise the whole model to int8")
    fields = dict(zip(("batch", "in_h", "in_w", "in_c"), source.shape, strict=True))
    fields |= {"out_h": output.shape[1], "out_w": output.shape[2]}
    if node.align_corners and node.half_pixel_centers:
        raise node.refuse("it has align_corners and half_pixel_centers", "choose one of them")
    for a in "hw":
        size, out = fields[f"in_{a}"], fields[f"out_{a}"]
        step = (UNIT * size + out // 2) // out
        if node.align_corners and out > 1:
            step = (UNIT * (size - 1) + (out - 1) // 2) // (out - 1)
        start = step // 2 - UNIT // 2 if node.half_pixel_centers else 0
        if (out - 1) * step + start >= UNIT * size:
            # The step is rounded to 1/1024: here TFLM reads behind the image.
            raise node.refuse(f"it makes {out} of {size} pixels", "use half_pixel_centers or another size")
        fields |= {f"step_{a}": step, f"start_{a}": start}
    return [Step("RESIZE_BILINEAR", node.name, [node.source], node.output, fields)]


def _images(context: Context) -> tuple[np.ndarray, np.ndarray]:
    op = context.op
    source = context.tensor((op["batch"], op["in_h"], op["in_w"], op["in_c"]))
    return source, context.tensor((op["batch"], op["out_h"], op["out_w"], op["in_c"]), "output")


def run_nearest(context: Context) -> None:
    source, output = _images(context)
    indices = context.block(0).view("<u2").astype(np.int64)
    rows, columns = np.split(indices, [output.shape[1]])
    rows = np.minimum(rows, source.shape[1] - 1)
    columns = np.minimum(columns[: output.shape[2]], source.shape[2] - 1)
    output[:] = source[:, rows[:, None], columns]


def run_bilinear(context: Context) -> None:
    op = context.op
    source, output = _images(context)
    first, second, weight = {}, {}, {}
    for a, n in zip("hw", output.shape[1:3], strict=True):
        at = np.arange(n, dtype=np.int64) * op[f"step_{a}"] + op[f"start_{a}"]
        first[a] = np.maximum(at // UNIT, 0)
        second[a] = np.minimum((at + UNIT - 1) // UNIT, op[f"in_{a}"] - 1)
        weight[a] = at - first[a] * UNIT
    total = np.zeros(output.shape, np.int64)
    for rows, y in ((first["h"], UNIT - weight["h"]), (second["h"], weight["h"])):
        for columns, x in ((first["w"], UNIT - weight["w"]), (second["w"], weight["w"])):
            total += source[:, rows[:, None], columns] * (y[:, None] * x)[:, :, None]
    output[:] = np.sign(total) * ((np.abs(total) + UNIT * UNIT // 2) // (UNIT * UNIT))


_TENSORS = (
    Operand("input", ("batch", "in_h", "in_w", "in_c")),
    Operand("output", ("batch", "out_h", "out_w", "in_c")),
)
_CHECK = Check("resize", (parameters(nonzero("batch", "in_h", "in_w", "in_c", "out_h", "out_w")), fit(*_TENSORS)))
_TABLES = product(2, total("out_h", "out_w"))

NEAREST_CHECK = Check("resize_nearest", (weights(equal("blocks", 1), Holds(_TABLES)), _CHECK))
# No output's position is before -1 or behind the last pixel's end.
BILINEAR_CHECK = Check("resize_bilinear", (_CHECK, Require("BAD_PARAMETER", (Custom("resize_inside"),))))

DEFINITIONS = (
    Operator(
        21,
        "RESIZE_NEAREST_NEIGHBOR",
        MATH,
        RESIZE,
        "resize_nearest",
        NEAREST_CHECK,
        _TENSORS,
        run_nearest,
        has_blocks=True,
        any_type=True,
    ),
    Operator(22, "RESIZE_BILINEAR", MATH, RESIZE, "resize_bilinear", BILINEAR_CHECK, _TENSORS, run_bilinear),
)
