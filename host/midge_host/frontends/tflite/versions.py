"""Versions of operators: the least that runs what is written, after TensorFlow Lite's own table (op_version.cc).

An interpreter that does not know a version refuses the model; a version that is too low makes an old one misread it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...ir.graph import Tensor

# By the type of the operand that decides; where nothing is said, 1.
_INT8_2 = {"int8": 2}
_BOTH_2 = {"int8": 2, "int16": 2}
_INT16_3 = {"int8": 2, "int16": 3}
_INT16_4 = {"int8": 2, "int16": 4}
_VERSIONS: dict[str, dict[str, int]] = {
    "ABS": _INT16_3,
    "ADD": _INT16_3,
    "ARG_MAX": _INT8_2,
    "ARG_MIN": _INT8_2,
    "AVERAGE_POOL_2D": _INT16_3,
    "BATCH_MATMUL": _INT16_3,
    "BATCH_TO_SPACE_ND": _INT16_4,
    "CAST": {"int8": 3},
    "CONCATENATION": _INT16_3,
    "CONV_2D": {"int8": 3, "int16": 4},
    "DEPTHWISE_CONV_2D": {"float32": 2, "int8": 3, "int16": 5},
    "DEPTH_TO_SPACE": _INT8_2,
    "DEQUANTIZE": _INT16_3,
    "EQUAL": _INT16_4,
    "EXP": _BOTH_2,
    "FILL": {"int8": 3, "int16": 3},
    "FLOOR_DIV": {"float32": 2, "int8": 3, "int16": 3},
    "FLOOR_MOD": _BOTH_2,
    "FULLY_CONNECTED": {"int8": 4, "int16": 7},
    "GATHER": _INT16_4,
    "GELU": _INT8_2,
    "GREATER": _INT8_2,
    "GREATER_EQUAL": _INT16_3,
    "L2_NORMALIZATION": _INT8_2,
    "LEAKY_RELU": {"int16": 2},
    "LESS": _INT16_3,
    "LESS_EQUAL": _INT8_2,
    "LOG": _BOTH_2,
    "LOGISTIC": _INT16_3,
    "LOG_SOFTMAX": _INT8_2,
    "MAXIMUM": _INT16_4,
    "MAX_POOL_2D": _INT16_3,
    "MEAN": _INT16_3,
    "MINIMUM": _INT16_4,
    "MIRROR_PAD": _INT16_3,
    "MUL": {"int8": 3, "int16": 4},
    "NOT_EQUAL": _INT8_2,
    "PACK": _INT16_3,
    "PAD": _INT16_3,
    "PADV2": _INT16_3,
    "REDUCE_MAX": _INT16_3,
    "REDUCE_MIN": _INT16_3,
    "REDUCE_PROD": _BOTH_2,
    "RELU": _INT16_3,
    "RELU6": _INT16_3,
    "RESIZE_BILINEAR": {"float32": 3, "int8": 3, "int16": 4},
    "RESIZE_NEAREST_NEIGHBOR": {"float32": 3, "int8": 3, "int16": 4},
    "REVERSE_V2": {"int8": 3},
    "RSQRT": _INT16_3,
    "SLICE": _INT16_4,
    "SOFTMAX": _INT16_3,
    "SPACE_TO_BATCH_ND": _INT16_4,
    "SPACE_TO_DEPTH": _INT8_2,
    "SPLIT": _INT16_4,
    "SPLIT_V": _INT8_2,
    "SQUARED_DIFFERENCE": _INT8_2,
    "STRIDED_SLICE": _INT8_2,
    "SUB": {"int8": 2, "int16": 5},
    "SUM": _INT8_2,
    "SVDF": {"int8": 3},
    "TANH": _INT16_3,
    "TRANSPOSE": {"int8": 2, "int16": 5},
    "TRANSPOSE_CONV": {"float32": 3, "int8": 3, "int16": 3},
    "UNPACK": _INT16_4,
}


def version_of(kind: str, source: Tensor | None, output: Tensor | None, options: Mapping[str, Any]) -> int:
    """The version of an operator. source: the operand whose type decides, the first one as a rule."""
    version = _VERSIONS.get(kind, {}).get(source.dtype if source else "", 1)
    rank = len(source.shape) if source else 0
    if kind == "FULLY_CONNECTED" and options.get("KeepNumDims"):
        return max(version, 5)
    if kind == "TRANSPOSE_CONV" and options.get("FusedActivationFunction"):
        return 4
    if kind == "BROADCAST_TO":
        return 2 if source and source.quantization is None else 3
    if kind == "QUANTIZE" and output is not None and output.dtype == "int16":
        return 2
    if kind in ("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND") and rank != 4:
        return max(version, 3)
    if rank > 4:
        return max(version, {"TRANSPOSE": 4, "SLICE": 5, "STRIDED_SLICE": 4, "PAD": 4, "PADV2": 4}.get(kind, 1))
    return version
