"""How TensorFlow Lite's operators become those of the device, each of which has its definition in a module here.

To add one: such a module and an entry in LOWERINGS; docs/development.md says what more it needs.
"""

from __future__ import annotations

from typing import NamedTuple

from ...ir import operators as ir
from ...ir import series
from ...ir.graph import Node
from ..record import Lowering
from . import (
    add,
    arg_max,
    arithmetic,
    batch_matmul,
    cepstrum,
    classic,
    conv,
    copy,
    cumsum,
    division,
    filter_bank,
    gather,
    grouped_conv,
    l2_normalization,
    log_mel,
    log_softmax,
    lstm,
    lut,
    magnitudes,
    mean,
    mel_bands,
    pad,
    pool,
    requantize,
    resize,
    select,
    series_features,
    series_filter,
    sigmoid16,
    softmax16,
    spectrum,
    svdf,
    transpose_conv,
    trees,
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
_CLASSES = f"over the last axis, up to {softmax16.MAX_DEPTH} classes"
_CLAMP = "or the clamp of the operator before it"
_TABULATED = "as TensorFlow Lite tabulates it: TFLM has it for floats, if at all"
# Functions of one value that TFLM does not have for int8.
_FUNCTIONS: tuple[type[Node], ...] = (
    *(ir.Gelu, ir.Exp, ir.Log, ir.Sqrt, ir.Sin, ir.Cos, ir.Neg, ir.Square, ir.Floor, ir.Ceil, ir.Round),
    *(ir.Softplus, ir.Selu, ir.Mish, ir.Erf, ir.Sign),
)

LOWERINGS: dict[type[Node], Entry] = {
    ir.Conv2D: Entry(
        grouped_conv.lower, "CONV_2D", f"{_WINDOW}; groups: a CONV_2D between two COPYs for each", types=_WIDE
    ),
    ir.DepthwiseConv2D: Entry(conv.lower_depthwise, "DEPTHWISE_CONV_2D", f"any multiplier; {_WINDOW}", types=_WIDE),
    ir.TransposeConv2D: Entry(
        transpose_conv.lower, "CONV_2D", "any stride and padding; with a stride above 1 also COPY", types=_WIDE
    ),
    ir.Dense: Entry(
        conv.lower_fully_connected, "FULLY_CONNECTED", "any number of rows; computed weights: BATCH_MATMUL", types=_WIDE
    ),
    ir.AveragePool2D: Entry(pool.lower, "AVERAGE_POOL_2D", _POOL, types=_WIDE),
    ir.MaxPool2D: Entry(pool.lower, "MAX_POOL_2D", _POOL, types=_WIDE),
    ir.Mean: Entry(
        mean.lower, "MEAN", "constant axes, up to 2^23 elements; a COPY first where axes are apart", types=_WIDE
    ),
    ir.Sum: Entry(mean.lower, "MEAN", "as MEAN", types=_WIDE),
    ir.ReduceMax: Entry(pool.lower_reduce_max, "MAX_POOL_2D", "constant axes: a pool for each", types=_WIDE),
    ir.ReduceMin: Entry(pool.lower_reduce_min, "MAX_POOL_2D", "as REDUCE_MAX; between two LUT"),
    ir.Add: Entry(add.lower, "ADD", f"of one shape; else ARITHMETIC: {_BROADCAST}", types=_WIDE),
    **{
        kind: Entry(arithmetic.lower, "ARITHMETIC", _BROADCAST, types=_WIDE)
        for kind in (ir.Sub, ir.Mul, ir.Maximum, ir.Minimum)
    },
    ir.PRelu: Entry(arithmetic.lower, "ARITHMETIC", f"{_BROADCAST}; int16 with a constant int8 slope", types=_WIDE),
    ir.SquaredDifference: Entry(arithmetic.lower, "ARITHMETIC", _BROADCAST, types=_WIDE),
    ir.Div: Entry(division.lower, "DIV", _BROADCAST),
    **{
        kind: Entry(arithmetic.lower, "ARITHMETIC", f"bool results; {_BROADCAST}")
        for kind in (ir.Equal, ir.NotEqual, ir.Greater, ir.GreaterEqual, ir.Less, ir.LessEqual)
    },
    **{kind: Entry(arithmetic.lower, "ARITHMETIC", _BROADCAST, types="bool") for kind in (ir.LogicalAnd, ir.LogicalOr)},
    ir.CumSum: Entry(
        cumsum.lower, "CUMSUM", "constant axis; between DEQUANTIZE and QUANTIZE the sums of floats, but for ties"
    ),
    ir.AddN: Entry(cumsum.lower_add_n, "CUMSUM", "inputs of one scale; else as CUMSUM"),
    ir.Select: Entry(select.lower, "SELECT", _BROADCAST, types=_WIDE),
    ir.Concatenate: Entry(copy.lower_concatenation, "COPY", "any axis; no activation", types=_ANY),
    ir.Stack: Entry(copy.lower_pack, "COPY", "any axis", types=_ANY),
    ir.Unstack: Entry(copy.lower_unpack, "COPY", "any axis", types=_ANY),
    ir.Split: Entry(copy.lower_split, "COPY", "constant axis", types=_ANY),
    ir.Slice: Entry(copy.lower_slice, "COPY", "constant positions; any masks and strides", types=_ANY),
    ir.Transpose: Entry(copy.lower_transpose, "COPY", "constant order", types=_ANY),
    ir.Gather: Entry(
        gather.lower,
        "COPY",
        "constant indices in equal steps; others RESIZE_NEAREST_NEIGHBOR, computed ones GATHER (math)",
        types=_ANY,
    ),
    ir.Reverse: Entry(copy.lower_reverse, "COPY", "constant axes", types=_ANY),
    ir.Broadcast: Entry(copy.lower_broadcast, "COPY", "constant shape", types=_ANY),
    ir.Tile: Entry(copy.lower_tile, "COPY", "constant multiples", types=_ANY),
    ir.DepthToSpace: Entry(copy.lower_depth_to_space, "COPY", "", types=_ANY),
    ir.SpaceToDepth: Entry(copy.lower_space_to_depth, "COPY", "", types=_ANY),
    ir.MirrorPad: Entry(
        gather.lower_mirror_pad,
        "RESIZE_NEAREST_NEIGHBOR",
        "constant paddings; one for two neighbouring axes",
        types=_ANY,
    ),
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
    ir.ArgMin: Entry(arg_max.lower_min, "ARG_MAX", "as ARG_MAX; behind a LUT"),
    ir.ResizeNearest: Entry(
        resize.lower_nearest, "RESIZE_NEAREST_NEIGHBOR", "align_corners, half_pixel_centers", types=_ANY
    ),
    ir.ResizeBilinear: Entry(resize.lower_bilinear, "RESIZE_BILINEAR", "align_corners or half_pixel_centers"),
    ir.MatMul: Entry(
        batch_matmul.lower,
        "BATCH_MATMUL",
        f"constants; any broadcasting of up to {batch_matmul.BATCH_DIMS} dimensions",
        types=_WIDE,
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
        "functions of one value and copies of floats behind it, then QUANTIZE; at a model's output the device library "
        "converts",
    ),
    **{kind: Entry(lut.lower_function, "LUT", _TABULATED) for kind in _FUNCTIONS},
    ir.ReluN1To1: Entry(lut.lower_relu_n1_to_1, "LUT", _CLAMP),
    ir.LogicalNot: Entry(lut.lower_logical_not, "LUT", "", types="bool"),
    ir.Table: Entry(lut.lower_table, "LUT", ""),
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
    ir.TreeSums: Entry(
        trees.lower_trees,
        "TREES",
        f"float32 readings of up to {trees.MAX_FEATURES:,} values; trees of up to {trees.MAX_SPLITS:,} splits",
        types="float32",
    ),
    ir.Affine: Entry(
        classic.lower_affine, "AFFINE", "float64 sums; identity, ReLU, tanh, logistic", types="float32, float64"
    ),
    ir.Distances: Entry(classic.lower_distances, "DISTANCES", "weighted squares", types="float32, float64"),
    ir.Scale: Entry(classic.lower_scale, "SCALE", "", types="float32"),
    ir.Codes: Entry(trees.lower_codes, "CODES", "with --features int16", types="float32"),
    ir.Nearest: Entry(classic.lower_nearest, "NEAREST", "up to 65,535 rows", types="float32, float64"),
    ir.Votes: Entry(classic.lower_votes, "VOTES", "", types="float64"),
    ir.Spectrum: Entry(
        spectrum.lower,
        "SPECTRUM",
        f"int16 FFT of {2 * spectrum.POINTS[0]} to {2 * spectrum.POINTS[-1]:,} samples",
        types="int16",
    ),
    ir.FilterBank: Entry(
        filter_bank.lower, "FILTER_BANK", f"rows of up to {filter_bank.MAX_WIDTH} bins", types="int8, int16"
    ),
    ir.Magnitudes: Entry(
        magnitudes.lower,
        "MAGNITUDES",
        f"32-bit FFT of {2 * magnitudes.POINTS[0]} to {2 * magnitudes.POINTS[-1]:,} samples",
        types="int16",
    ),
    ir.Cepstrum: Entry(cepstrum.lower, "CEPSTRUM", "any matrix", types="int8, int16"),
    ir.LogMel: Entry(log_mel.lower, "LOG_MEL", f"up to {mel_bands.MAX_BANDS} bands", types="int8, int16"),
    ir.SeriesFilter: Entry(
        series_filter.lower,
        "SERIES_FILTER",
        f"up to {series_filter.MAX_SECTIONS} filters of second order",
        types="int16",
    ),
    ir.SeriesFeatures: Entry(
        series_features.lower,
        "SERIES_FEATURES",
        f"windows of 2 to {series.MAX_ROWS:,} int16 samples",
        types="int16",
    ),
    ir.Scores: Entry(trees.lower_scores, "SCORES", "of TREES and other sums in float64", types="float64"),
}
