"""How TensorFlow Lite's operators become those of the device, each of which has its definition in a module here.

To add one: such a module and an entry in LOWERINGS; docs/development.md says what more it needs.
"""

from __future__ import annotations

from typing import NamedTuple

from ...ir import operators as ir
from ...ir.graph import Node
from .. import numerics
from ..record import Lowering
from . import (
    add,
    arg_max,
    arithmetic,
    batch_matmul,
    conv,
    copy,
    l2_normalization,
    log_softmax,
    lstm,
    lut,
    mean,
    pad,
    pool,
    requantize,
    resize,
    sigmoid16,
    softmax16,
    svdf,
    transpose_conv,
)


class Entry(NamedTuple):
    """How an operator of the IR is lowered, the device operator it becomes, its limits in words, and the types of its
    activations."""

    lower: Lowering
    becomes: str
    limits: str
    types: str = "int8"


_WIDE, _ANY = "int8, int16", "int8, int16, int32"
_WINDOW = "any stride, dilation, padding"
_POOL = "any window, stride, padding"
_BROADCAST = f"any broadcasting, constants; up to {arithmetic.DIMS} dimensions"
_FLOATS = ", ".join(kind.__name__.upper() for kind in numerics.FLOAT_FUNCTIONS)
_CLASSES = f"over the last axis, up to {softmax16.MAX_DEPTH} classes"
_CLAMP = "or the clamp of the operator before it"

LOWERINGS: dict[type[Node], Entry] = {
    ir.Conv2D: Entry(conv.lower_conv, "CONV_2D", f"{_WINDOW}; no groups", types=_WIDE),
    ir.DepthwiseConv2D: Entry(conv.lower_depthwise, "DEPTHWISE_CONV_2D", f"any multiplier; {_WINDOW}", types=_WIDE),
    ir.TransposeConv2D: Entry(
        transpose_conv.lower, "CONV_2D", "any stride and padding; with a stride above 1 also COPY"
    ),
    ir.Dense: Entry(conv.lower_fully_connected, "FULLY_CONNECTED", "any number of rows; constant weights", types=_WIDE),
    ir.AveragePool2D: Entry(pool.lower, "AVERAGE_POOL_2D", _POOL, types=_WIDE),
    ir.MaxPool2D: Entry(pool.lower, "MAX_POOL_2D", _POOL, types=_WIDE),
    ir.Mean: Entry(
        mean.lower, "MEAN", "constant axes, up to 2^23 elements; a COPY first where axes are apart", types=_WIDE
    ),
    ir.Sum: Entry(mean.lower, "MEAN", "as MEAN", types=_WIDE),
    ir.ReduceMax: Entry(pool.lower_reduce_max, "MAX_POOL_2D", "constant axes, up to 255 long: a pool for each"),
    ir.Add: Entry(add.lower, "ADD", f"of one shape; else ARITHMETIC: {_BROADCAST}", types=_WIDE),
    **{
        kind: Entry(arithmetic.lower, "ARITHMETIC", _BROADCAST, types=_WIDE)
        for kind in (ir.Sub, ir.Mul, ir.Maximum, ir.Minimum)
    },
    ir.PRelu: Entry(arithmetic.lower, "ARITHMETIC", _BROADCAST),
    ir.Concatenate: Entry(copy.lower_concatenation, "COPY", "any axis; no activation", types=_ANY),
    ir.Stack: Entry(copy.lower_pack, "COPY", "any axis", types=_ANY),
    ir.Unstack: Entry(copy.lower_unpack, "COPY", "any axis", types=_ANY),
    ir.Split: Entry(copy.lower_split, "COPY", "constant axis", types=_ANY),
    ir.Slice: Entry(copy.lower_slice, "COPY", "constant positions; any masks and strides", types=_ANY),
    ir.Transpose: Entry(copy.lower_transpose, "COPY", "constant order", types=_ANY),
    ir.Copy: Entry(copy.lower_copy, "COPY", "or nothing: the layer before writes into the state", types=_ANY),
    ir.Lstm: Entry(
        lstm.lower, "LSTM", "int16 with int64 biases; no peepholes, projection or layer normalisation", types=_WIDE
    ),
    ir.Svdf: Entry(svdf.lower, "SVDF", "state and weights of time int8 or int16; any rank"),
    ir.Softmax: Entry(softmax16.lower, "SOFTMAX", _CLASSES, types=_WIDE),
    ir.LogSoftmax: Entry(log_softmax.lower, "LOG_SOFTMAX", _CLASSES),
    ir.L2Normalize: Entry(
        l2_normalization.lower, "L2_NORMALIZATION", f"over the last axis, up to {l2_normalization.MAX_DEPTH} elements"
    ),
    ir.ArgMax: Entry(arg_max.lower, "ARG_MAX", "constant axis; int32 indices"),
    ir.ResizeNearest: Entry(resize.lower_nearest, "RESIZE_NEAREST_NEIGHBOR", "align_corners, half_pixel_centers"),
    ir.ResizeBilinear: Entry(resize.lower_bilinear, "RESIZE_BILINEAR", "align_corners or half_pixel_centers"),
    ir.MatMul: Entry(
        batch_matmul.lower, "BATCH_MATMUL", f"constants; any broadcasting of up to {batch_matmul.BATCH_DIMS} dimensions"
    ),
    ir.Logistic: Entry(sigmoid16.lower_logistic, "LUT", "", types=_WIDE),
    ir.Tanh: Entry(sigmoid16.lower_tanh, "LUT", "", types=_WIDE),
    ir.HardSwish: Entry(lut.lower_hard_swish, "LUT", ""),
    ir.Elu: Entry(lut.lower_elu, "LUT", ""),
    ir.LeakyRelu: Entry(requantize.lower_leaky_relu, "LUT", "", types=_WIDE),
    ir.Abs: Entry(lut.lower_abs, "LUT", ""),
    ir.Rsqrt: Entry(lut.lower_rsqrt, "LUT", "input zero point -128: no negative numbers"),
    ir.Dequantize: Entry(
        lut.lower_dequantize,
        "LUT",
        f"behind it {_FLOATS} of floats, then QUANTIZE; at a model's output the device library converts",
    ),
    ir.FloatFunctions: Entry(lut.lower_float_functions, "LUT", _FLOATS),
    ir.Quantize: Entry(
        requantize.lower_quantize,
        "LUT",
        "else REQUANTIZE: from or to int16; of real values the device library does it",
        types=_WIDE,
    ),
    ir.Relu: Entry(requantize.lower_relu, "LUT", _CLAMP, types=_WIDE),
    ir.Relu6: Entry(requantize.lower_relu6, "LUT", _CLAMP, types=_WIDE),
    ir.Pad: Entry(
        pad.lower, "PAD", "constant paddings and value; or the padding of the convolution behind it", types=_ANY
    ),
}
