"""REQUANTIZE: QUANTIZE among int8, int16 and int32, and LEAKY_RELU, RELU and RELU6 of int16."""

from __future__ import annotations

import numpy as np

from ...ir import operators as ir
from ...ir.graph import Tensor
from ..banks import TENSOR
from ..definition import Constant, Operand, Operator, fit, record
from ..numerics import clamp_limits, quantize_multiplier, rescale, wrap32
from ..record import Context, Lowering, Step
from ..rules import UNIT, Check, Choice, HasFlag, IsRescale, aligned, at_least, at_most, parameters
from . import lut
from .blocks import IDENTITY
from .quantised import per_tensor

DTYPES = ("int8", "int16")
OUTPUT_INT16, OUTPUT_INT32, INPUT_INT32 = 1, 2, 4
NOTHING = (0, 0)  # rescale to 0

REQUANTIZE = record(
    "requantize",
    "Every value times a factor, or another one where it is negative. flags 1: the output is int16; 2: it is int32, "
    "which has no limits; 4: the input is int32, and types int16.",
    [
        ("b", "shift", "of values from 0 on"),
        ("b", "negative_shift", "of values below 0"),
        ("h", "input_zero", "zero point of the input"),
        ("h", "output_zero", "zero point of the output"),
        ("h", "clamp_min", "least output value"),
        ("h", "clamp_max", "largest output value"),
        ("I", "count", "elements"),
        ("i", "multiplier", "of values from 0 on"),
        ("i", "negative_multiplier", "of values below 0"),
    ],
)


def _step(
    node: ir.Elementwise, factor: tuple[int, int], negative: tuple[int, int], limits: tuple[int, int] | None = None
) -> list[Step]:
    source, output = node.source, node.output
    _, input_zero = _quantisation(node, source)
    out_scale, output_zero = _quantisation(node, output)
    low, high = limits or clamp_limits("NONE", out_scale, output_zero, "int16" if output.dtype == "int16" else "int8")
    flags = {"int8": 0, "int16": OUTPUT_INT16, "int32": OUTPUT_INT32}[output.dtype]
    fields = {
        "flags": flags | (INPUT_INT32 if source.dtype == "int32" else 0),
        "count": output.size,
        "multiplier": factor[0],
        "shift": factor[1],
        "negative_multiplier": negative[0],
        "negative_shift": negative[1],
        "clamp_min": low,
        "clamp_max": high,
        "input_zero": input_zero,
        "output_zero": output_zero,
    }
    dtype = "int8" if source.dtype == "int8" else "int16"
    return [Step("REQUANTIZE", node.name, [source], output, fields, dtype=dtype)]


def _quantisation(node: ir.Elementwise, tensor: Tensor) -> tuple[np.float32, int]:
    """Scale and zero point; that of int16 and int32 may be another than 0 for QUANTIZE only."""
    limits = np.iinfo(np.int16)
    is_odd = tensor.dtype in ("int16", "int32") and tensor.scale.size == 1
    if isinstance(node, ir.Quantize) and is_odd and limits.min <= tensor.zero_point[0] <= limits.max:
        return tensor.scale[0], int(tensor.zero_point[0])
    return per_tensor(node, tensor, DTYPES)


def _ratio(node: ir.Elementwise) -> float:
    return float(_quantisation(node, node.source)[0]) / float(_quantisation(node, node.output)[0])


def _beside(int8: Lowering, int16: Lowering) -> Lowering:
    """A table for int8 tensors, REQUANTIZE for others."""

    def lower(node: ir.Elementwise) -> list[Step]:
        return (int8 if node.source.dtype == node.output.dtype == "int8" else int16)(node)

    return lower


def _requantize(node: ir.Quantize) -> list[Step]:
    factor = quantize_multiplier(_ratio(node))
    return _step(node, factor, factor)


def _leaky_relu(node: ir.LeakyRelu) -> list[Step]:
    if node.alpha < 0:
        raise node.refuse("its slope is negative", "use a slope from 0 on")
    alpha = float(np.float32(node.alpha))
    return _step(node, quantize_multiplier(_ratio(node)), quantize_multiplier(_ratio(node) * alpha))


def _relu(node: ir.Relu) -> list[Step]:
    return _step(node, quantize_multiplier(_ratio(node)), NOTHING)


def _relu6(node: ir.Relu6) -> list[Step]:
    # A clamp on the input's scale; the output's is not looked at.
    return _step(node, IDENTITY, NOTHING, clamp_limits("RELU6", *per_tensor(node, node.source, DTYPES), "int16"))


lower_quantize = _beside(lut.lower_requantize, _requantize)
lower_leaky_relu = _beside(lut.lower_leaky_relu, _leaky_relu)
lower_relu = _beside(lut.lower_relu, _relu)
lower_relu6 = _beside(lut.lower_relu6, _relu6)


def run(context: Context) -> None:
    op = context.op
    shape = (op["count"],)
    output = np.int32 if op["flags"] & OUTPUT_INT32 else np.int16 if op["flags"] & OUTPUT_INT16 else np.int8
    dtype = np.int32 if op["flags"] & INPUT_INT32 else context.dtype
    x = wrap32(context.tensor(shape, "input", dtype).astype(np.int64) - op["input_zero"])
    positive, negative = (
        rescale(x, np.int64(op[f"{prefix}multiplier"]), np.int64(op[f"{prefix}shift"])) for prefix in ("", "negative_")
    )
    out = wrap32(np.where(x < 0, negative, positive) + op["output_zero"])
    if output != np.int32:
        out = np.clip(out, op["clamp_min"], op["clamp_max"])
    context.tensor(shape, "output", output)[:] = out


_TO_INT16, _TO_INT32, _FROM_INT32 = HasFlag(OUTPUT_INT16), HasFlag(OUTPUT_INT32), HasFlag(INPUT_INT32)
_LOWEST, _HIGHEST = Choice(_TO_INT16, -32768, -128), Choice(_TO_INT16, 32767, 127)
_OUTPUT_UNIT = Choice(_TO_INT32, 4, Choice(_TO_INT16, 2, 1))
_INPUT_UNIT = Choice(_FROM_INT32, 4, UNIT)
_TENSORS = (Operand("input", ("count",), _INPUT_UNIT), Operand("output", ("count",), _OUTPUT_UNIT))

CHECK = Check(
    "requantize",
    (
        parameters(
            at_most("flags", OUTPUT_INT16 | OUTPUT_INT32 | INPUT_INT32),
            IsRescale("multiplier", "shift"),
            IsRescale("negative_multiplier", "negative_shift"),
            at_most("clamp_min", "clamp_max"),
            at_least("clamp_min", _LOWEST),
            at_most("clamp_max", _HIGHEST),
            aligned(_INPUT_UNIT, "input"),
            aligned(_OUTPUT_UNIT, "output"),
        ),
        fit(*_TENSORS),
    ),
)

DEFINITIONS = tuple(
    Operator(
        14,
        "REQUANTIZE",
        TENSOR,
        REQUANTIZE,
        "requantize",
        CHECK,
        _TENSORS,
        run,
        dtype=dtype,
        in_place=True,
        constants=(
            Constant("OUTPUT_INT16", OUTPUT_INT16, "flag of REQUANTIZE"),
            Constant("OUTPUT_INT32", OUTPUT_INT32, "flag of REQUANTIZE"),
            Constant("INPUT_INT32", INPUT_INT32, "flag of REQUANTIZE"),
        ),
    )
    for dtype in DTYPES
)
