"""Versions of operators: the least that runs what is written, after TensorFlow Lite's own table (op_version.cc).

An interpreter that does not know a version refuses the model; a version that is too low makes an old one misread it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...ir.graph import Tensor
from .operators import OPERATORS


def version_of(kind: str, source: Tensor | None, output: Tensor | None, options: Mapping[str, Any]) -> int:
    """The version of an operator. source: the operand whose type decides, the first one as a rule."""
    version = OPERATORS[kind].versions.get(source.dtype if source else "", 1) if kind in OPERATORS else 1
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
