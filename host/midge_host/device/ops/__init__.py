"""Every operator: how a node becomes steps, and how NumPy runs its record.

To add one: a module here and a line in each table below; docs/development.md says what more a new operator of the
device needs.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from .. import numerics
from ..record import Lowering, Reference
from . import (
    add,
    arg_max,
    arithmetic,
    batch_matmul,
    constant,
    conv,
    conv16,
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
    softmax,
    softmax_from16,
    svdf,
    transpose_conv,
)


class Front(NamedTuple):
    """A TensorFlow Lite operator: how it is lowered, the device operator it becomes, its limits in words, and the types
    of its activations."""

    lower: Lowering
    becomes: str
    limits: str
    types: str = "int8"


_WIDE, _ANY = "int8, int16", "int8, int16, int32"
_WINDOW = "any stride, dilation, padding"
_BROADCAST = f"any broadcasting, constants; up to {arithmetic.DIMS} dimensions"

FRONTS: dict[str, Front] = {
    "CONV_2D": Front(conv.lower_conv, "CONV_2D", f"{_WINDOW}; no groups", types=_WIDE),
    "DEPTHWISE_CONV_2D": Front(conv.lower_depthwise, "DEPTHWISE_CONV_2D", f"any multiplier; {_WINDOW}", types=_WIDE),
    "TRANSPOSE_CONV": Front(
        transpose_conv.lower, "CONV_2D", "any stride and padding; with a stride above 1 also COPY (midge_extra)"
    ),
    "FULLY_CONNECTED": Front(
        conv.lower_fully_connected, "FULLY_CONNECTED", "any number of rows; constant weights", types=_WIDE
    ),
    "AVERAGE_POOL_2D": Front(pool.lower, "AVERAGE_POOL_2D", "any window, stride, padding", types=_WIDE),
    "MAX_POOL_2D": Front(pool.lower, "MAX_POOL_2D", "any window, stride, padding", types=_WIDE),
    "MEAN": Front(
        mean.lower, "MEAN", "constant axes, up to 2^23 elements; a COPY first where axes are apart", types=_WIDE
    ),
    "SUM": Front(mean.lower, "MEAN", "as MEAN", types=_WIDE),
    "REDUCE_MAX": Front(pool.lower_reduce_max, "MAX_POOL_2D", "constant axes, up to 255 long: a pool for each"),
    "ADD": Front(add.lower, "ADD", f"of one shape; else ARITHMETIC: {_BROADCAST}", types=_WIDE),
    **{
        name: Front(arithmetic.lower, "ARITHMETIC", _BROADCAST, types=_WIDE)
        for name in ("SUB", "MUL", "MAXIMUM", "MINIMUM")
    },
    "PRELU": Front(arithmetic.lower, "ARITHMETIC", _BROADCAST),
    "CONCATENATION": Front(copy.lower_concatenation, "COPY", "any axis; no activation", types=_ANY),
    "PACK": Front(copy.lower_pack, "COPY", "any axis", types=_ANY),
    "UNPACK": Front(copy.lower_unpack, "COPY", "any axis", types=_ANY),
    "SPLIT": Front(copy.lower_split, "COPY", "constant axis", types=_ANY),
    "SPLIT_V": Front(copy.lower_split_v, "COPY", "constant axis", types=_ANY),
    "SLICE": Front(copy.lower_slice, "COPY", "constant positions", types=_ANY),
    "STRIDED_SLICE": Front(copy.lower_strided_slice, "COPY", "constant positions; any masks and strides", types=_ANY),
    "TRANSPOSE": Front(copy.lower_transpose, "COPY", "constant order", types=_ANY),
    "ASSIGN_VARIABLE": Front(
        copy.lower_assign, "COPY", "or nothing: the layer before writes into the state", types=_ANY
    ),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": Front(
        lstm.lower, "LSTM", "int16 with int64 biases; no peepholes, projection or layer normalisation", types=_WIDE
    ),
    "SVDF": Front(svdf.lower, "SVDF", "state and weights of time int8 or int16; any rank"),
    "SOFTMAX": Front(softmax.lower, "SOFTMAX", f"over the last axis, up to {softmax.MAX_DEPTH} classes", types=_WIDE),
    "LOG_SOFTMAX": Front(log_softmax.lower, "LOG_SOFTMAX", f"over the last axis, up to {softmax.MAX_DEPTH} classes"),
    "L2_NORMALIZATION": Front(
        l2_normalization.lower, "L2_NORMALIZATION", f"over the last axis, up to {l2_normalization.MAX_DEPTH} elements"
    ),
    "ARG_MAX": Front(arg_max.lower, "ARG_MAX", "constant axis; int32 indices"),
    "RESIZE_NEAREST_NEIGHBOR": Front(
        resize.lower_nearest, "RESIZE_NEAREST_NEIGHBOR", "align_corners, half_pixel_centers"
    ),
    "RESIZE_BILINEAR": Front(resize.lower_bilinear, "RESIZE_BILINEAR", "align_corners or half_pixel_centers"),
    "BATCH_MATMUL": Front(
        batch_matmul.lower, "BATCH_MATMUL", f"constants; any broadcasting of up to {batch_matmul.BATCH_DIMS} dimensions"
    ),
    "LOGISTIC": Front(sigmoid16.lower_logistic, "LUT", "", types=_WIDE),
    "TANH": Front(sigmoid16.lower_tanh, "LUT", "", types=_WIDE),
    "HARD_SWISH": Front(lut.lower_hard_swish, "LUT", ""),
    "ELU": Front(lut.lower_elu, "LUT", ""),
    "LEAKY_RELU": Front(requantize.lower_leaky_relu, "LUT", "", types=_WIDE),
    "ABS": Front(lut.lower_abs, "LUT", ""),
    "RSQRT": Front(lut.lower_rsqrt, "LUT", "input zero point -128: no negative numbers"),
    "DEQUANTIZE": Front(
        lut.lower_dequantize,
        "LUT",
        f"behind it {', '.join(numerics.FLOAT_FUNCTIONS)} of floats, then QUANTIZE; "
        "at a model's output the device library converts",
    ),
    "QUANTIZE": Front(
        requantize.lower_quantize,
        "LUT",
        "else REQUANTIZE: from or to int16; of real values the device library does it",
        types=_WIDE,
    ),
    "RELU": Front(requantize.lower_relu, "LUT", "or the clamp of the operator before it", types=_WIDE),
    "RELU6": Front(requantize.lower_relu6, "LUT", "or the clamp of the operator before it", types=_WIDE),
    "PAD": Front(pad.lower, "PAD", "constant paddings; or the padding of the convolution behind it", types=_ANY),
    "PADV2": Front(pad.lower, "PAD", "constant paddings and value", types=_ANY),
}

# Operators that need no code on the device: what becomes of them.
FOLDED = {
    "RESHAPE": "renames a tensor",
    "SQUEEZE": "renames a tensor",
    "EXPAND_DIMS": "renames a tensor",
    "SPACE_TO_BATCH_ND": "with BATCH_TO_SPACE_ND, the dilation of the convolution between them (Conv1D)",
    "BATCH_TO_SPACE_ND": "see SPACE_TO_BATCH_ND",
    "SHAPE": "a constant, as is all arithmetic on shapes and constants (GATHER, CAST, FILL, RANGE, DIV, ...)",
    "CALL_ONCE": "the state's first values: `load` and `reset` set them",
    "VAR_HANDLE": "memory that keeps its content between predictions",
    "READ_VARIABLE": "names that memory",
}

# By the device's operator name.
REFERENCES: dict[str, Reference] = {
    "CONV_2D": conv.run_conv,
    "DEPTHWISE_CONV_2D": conv.run_depthwise,
    "FULLY_CONNECTED": conv.run_conv,
    "AVERAGE_POOL_2D": pool.run_average,
    "MAX_POOL_2D": pool.run_max,
    "MEAN": mean.run,
    "ADD": add.run,
    "SOFTMAX": softmax.run,
    "LUT": lut.run,
    "PAD": pad.run,
    "COPY": copy.run,
    "CONSTANT": constant.run,
    "ARITHMETIC": arithmetic.run,
    "SVDF": svdf.run,
    "LOG_SOFTMAX": log_softmax.run,
    "CONV_2D_16": conv16.run,
    "AVERAGE_POOL_2D_16": partial(pool.run_average, dtype=np.int16),
    "MAX_POOL_2D_16": partial(pool.run_max, dtype=np.int16),
    "MEAN_16": mean.run16,
    "REQUANTIZE": requantize.run,
    "SOFTMAX_FROM_16": softmax_from16.run,
    "LOGISTIC_16": sigmoid16.run_logistic,
    "TANH_16": sigmoid16.run_tanh,
    "DEPTHWISE_CONV_2D_16": conv16.run,
    "FULLY_CONNECTED_16": conv16.run,
    "LSTM": lstm.run,
    "SOFTMAX_16": softmax.run,
    "ARG_MAX": arg_max.run,
    "RESIZE_NEAREST_NEIGHBOR": resize.run_nearest,
    "RESIZE_BILINEAR": resize.run_bilinear,
    "L2_NORMALIZATION": l2_normalization.run,
    "BATCH_MATMUL": batch_matmul.run,
}
