"""Weights that a model of floats stores as integers: dynamic range quantisation, and DEQUANTIZE of constants."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...device.numerics import rounded_away
from ...ir import operators as ir
from ...ir.evaluate import dequantise
from ...ir.graph import Tensor
from .node import FileNode
from .operators import OPERATORS

_CONVERSIONS = ("QUANTIZE", "DEQUANTIZE", "CAST")
_INTEGERS = ("int8", "uint8", "int16")


def restore(node: FileNode) -> bool:
    """Gives a layer that computes with floats its integer weights as floats; whether it had such."""
    tensors = [t for t in (*node.inputs, *node.outputs) if t is not None and t.data is None]
    if node.kind in _CONVERSIONS or all(t.dtype != "float32" for t in tensors):
        return False
    found = False
    cls = OPERATORS[node.kind].cls if node.kind in OPERATORS else None
    for i, tensor in enumerate(node.inputs):
        if tensor is not None and tensor.data is not None and tensor.dtype in _INTEGERS and tensor.scale.size:
            axis = cls.CHANNEL_AXIS if cls is not None and issubclass(cls, ir.Weighted) else None
            node.inputs[i] = _real(tensor, axis)
            found = True
    return found


def real_constant(tensor: Tensor) -> np.ndarray:
    """The float32 values of a constant."""
    return np.asarray(_real(tensor).data)


def can_store(source: Tensor, output: Tensor) -> bool:
    """Whether a tensor is a constant of floats that QUANTIZE makes integers of."""
    is_real = source.data is not None and source.dtype == "float32"
    return is_real and output.dtype in _INTEGERS and output.scale.size == 1 and output.size == source.size


def stored_constant(source: Tensor, output: Tensor) -> np.ndarray:
    """TFLM's QUANTIZE: a quotient of float32, halves away from zero."""
    limits = np.iinfo(output.dtype)
    with np.errstate(all="ignore"):
        real = np.asarray(source.data) / output.scale[0].astype(np.float32)
    whole = rounded_away(real) + output.zero_point[0]
    whole = np.nan_to_num(whole, nan=limits.min, posinf=limits.max, neginf=limits.min)
    return np.clip(whole, limits.min, limits.max).astype(output.dtype).reshape(output.shape)


def _real(tensor: Tensor, axis: int | None = None) -> Tensor:
    """axis: that of the scales by the operator, where the file may say another."""
    q = tensor.quantization
    assert tensor.data is not None
    if q is None:
        return replace(tensor, dtype="float32", data=tensor.data.astype(np.float32))
    if axis is not None and axis < len(tensor.shape) and tensor.shape[axis] == q.scale.size:
        q = replace(q, axis=axis)
    quantised = replace(tensor, quantization=q)
    return replace(tensor, dtype="float32", data=dequantise(quantised, tensor.data), quantization=None)
