"""Quantised models: QuantizeLinear and DequantizeLinear around layers of real numbers (QDQ), and operators that compute
with integers (QOperator), which are read as the former."""

from __future__ import annotations

import numpy as np

from ...ir import operators as ir
from ...ir.evaluate import dequantise
from ...ir.graph import Quantization, Tensor
from .importer import READERS, Call, reads
from .reading import Operator


def _quantization(call: Call, scale: int, zero_point: int, axis: int) -> tuple[Quantization, str]:
    """What two inputs say, and the type of the integers."""
    scales = call.constant(scale, "scale is").astype(np.float32).reshape(-1)
    zeros = call.optional_constant(zero_point, "zero point is")
    dtype = "uint8" if zeros is None else zeros.dtype.name
    if dtype not in INTEGERS or not np.all((scales > 0) & (scales < np.inf)):
        raise call.refuse(f"it makes {dtype}, or its scale is no positive number", "quantise the model to int8")
    if call.attribute("block_size", 0):
        raise call.refuse("it has a scale for each block", "quantise by channel or by tensor")
    if zeros is not None and zeros.size not in (1, scales.size):
        raise call.refuse(f"it has {scales.size} scales and {zeros.size} zero points", "export the model again")
    offsets = np.zeros(scales.size, np.int64) if zeros is None else np.resize(zeros.reshape(-1), scales.size)
    return Quantization(scales, offsets.astype(np.int64), axis), dtype


INTEGERS = ("int8", "uint8", "int16", "int32")


@reads("QuantizeLinear")
@reads("QuantizeLinear", domain="microsoft")
def quantize_linear(call: Call) -> Tensor:
    x = call.input(0)
    axis = call.axis(int(call.attribute("axis", 1)), len(x.shape)) if len(x.shape) > 1 else 0
    quantization, dtype = _quantization(call, 1, 2, axis)
    if x.data is not None:
        made = call.number(quantised(x.data, quantization, dtype))
    elif quantization.scale.size > 1:
        raise call.refuse("it has a scale for each channel of a computed tensor", "quantise activations by tensor")
    else:
        made = call.add(ir.Quantize, source=x, dtype=dtype)
    made.quantization = quantization
    return made


def quantised(real: np.ndarray, quantization: Quantization, dtype: str) -> np.ndarray:
    """ONNX's QuantizeLinear: halves to the even number."""
    along = [1] * real.ndim
    if quantization.scale.size > 1:
        along[quantization.axis] = -1
    scale, zero_point = quantization.scale.reshape(along), quantization.zero_point.reshape(along)
    limits = np.iinfo(dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        stored = np.nan_to_num(np.rint(real / scale)) + zero_point
    return np.clip(stored, limits.min, limits.max).astype(dtype).reshape(real.shape)


@reads("DequantizeLinear")
@reads("DequantizeLinear", domain="microsoft")
def dequantize_linear(call: Call) -> Tensor:
    x = call.input(0)
    axis = call.axis(int(call.attribute("axis", 1)), len(x.shape)) if len(x.shape) > 1 else 0
    quantization, _ = _quantization(call, 1, 2, axis)
    if x.dtype not in INTEGERS:
        raise call.refuse(f"it reads {x.dtype}", "quantise the model to int8")
    if x.data is not None:
        integers = Tensor(x.name, x.shape, x.dtype, x.data, quantization)
        real = call.number(dequantise(integers, x.data))
        call.importer.stored[real] = integers
        return real
    if quantization.scale.size > 1:
        raise call.refuse("it has a scale for each channel of a computed tensor", "quantise activations by tensor")
    if x.quantization is None:
        x.quantization = quantization
    elif not x.quantization.is_same(quantization):
        raise call.refuse("it reads integers with another scale than they were made with", "export the model again")
    return call.add(ir.Dequantize, source=x, dtype="float32")


# Operators that compute with integers: between which inputs the real ones stand as (value, scale, zero point), what the
# real operator is, and where the output's scale and zero point stand.
_Places = tuple[int, int, int]
_INTEGER: dict[tuple[str, str], tuple[str, list[_Places], tuple[int, int]]] = {
    ("", "QLinearConv"): ("Conv", [(0, 1, 2), (3, 4, 5)], (6, 7)),
    ("", "QLinearMatMul"): ("MatMul", [(0, 1, 2), (3, 4, 5)], (6, 7)),
    ("microsoft", "QLinearAdd"): ("Add", [(0, 1, 2), (3, 4, 5)], (6, 7)),
    ("microsoft", "QLinearMul"): ("Mul", [(0, 1, 2), (3, 4, 5)], (6, 7)),
    ("microsoft", "QLinearAveragePool"): ("AveragePool", [(0, 1, 2)], (3, 4)),
    ("microsoft", "QLinearGlobalAveragePool"): ("GlobalAveragePool", [(0, 1, 2)], (3, 4)),
    ("microsoft", "QLinearLeakyRelu"): ("LeakyRelu", [(0, 1, 2)], (3, 4)),
    ("microsoft", "QLinearSigmoid"): ("Sigmoid", [(0, 1, 2)], (3, 4)),
    ("microsoft", "QLinearSoftmax"): ("Softmax", [(0, 1, 2)], (3, 4)),
    ("microsoft", "QLinearReduceMean"): ("ReduceMean", [(0, 1, 2)], (3, 4)),
    ("microsoft", "QGemm"): ("Gemm", [(0, 1, 2), (3, 4, 5)], (7, 8)),
}
_BIAS = {"QLinearConv": 8, "QGemm": 6}


@reads(*(kind for domain, kind in _INTEGER if not domain))
@reads(*(kind for domain, kind in _INTEGER if domain), domain="microsoft")
def integer(call: Call) -> Tensor:
    kind, places, result = _INTEGER[call.operator.domain, call.operator.kind]
    names = [*call.operator.inputs, *[""] * 9]
    weights_axis = 1 if kind in ("MatMul", "Gemm") and not call.attribute("transB", 0) else 0
    reals = [
        _call(call, "DequantizeLinear", [names[i] for i in at], f"real{n}", axis=weights_axis if n else 1)
        for n, at in enumerate(places)
    ]
    bias = names[_BIAS.get(call.operator.kind, -1)]
    if bias:
        scales = [call.constant(at[1], "scale is").reshape(-1) for at in places]
        integers = call.importer.values[bias]
        quantization = Quantization(
            np.resize(scales[0] * scales[1], integers.size if scales[1].size > 1 else 1).astype(np.float32),
            np.zeros(integers.size if scales[1].size > 1 else 1, np.int64),
            0,
        )
        if integers.data is None:
            raise call.refuse("its bias is computed by the model", "use a constant bias")
        data = integers.data.reshape(-1).astype(np.int32)
        flat = Tensor(integers.name, data.shape, "int32", data, quantization)
        real = call.number(dequantise(flat, data))
        call.importer.stored[real] = flat
        reals.append(_named(call, real, "bias"))
    attributes = {n: v for n, v in call.operator.attributes.items() if n not in ("channels_last", "opset")}
    if call.attribute("channels_last", 0):
        raise call.refuse("its channels come last", "export the model without NHWC optimisations")
    made = _call(call, kind, reals, "real", **attributes)
    return call.importer.values[_call(call, "QuantizeLinear", [made, *(names[i] for i in result)], "")]


def _named(call: Call, tensor: Tensor, suffix: str) -> str:
    name = f"{call.name}/{suffix}" if suffix else call.name
    call.importer.values[name] = tensor
    return name


def _call(call: Call, kind: str, inputs: list[str], suffix: str, **attributes: object) -> str:
    """Another operator in this one's place; the name of its output."""
    name = f"{call.name}/{suffix}" if suffix else call.name
    other = Operator(kind, "", name, inputs, [name], attributes)
    made = READERS["", kind](Call(call.importer, other, {name}))
    assert isinstance(made, Tensor)
    call.importer.values[name] = made
    return name


@reads("QLinearConcat", domain="microsoft")
def concat(call: Call) -> Tensor:
    names = call.operator.inputs
    reals = [_call(call, "DequantizeLinear", names[i : i + 3], f"real{i}") for i in range(2, len(names), 3)]
    made = _call(call, "Concat", reals, "real", axis=call.attribute("axis", 1))
    return call.importer.values[_call(call, "QuantizeLinear", [made, names[0], names[1]], "")]


@reads("ConvInteger", "MatMulInteger", "DynamicQuantizeLinear")
def dynamic(call: Call) -> Tensor:
    raise call.refuse("it is quantised as it runs (dynamic quantisation)", "give midge the float model it was made of")
