"""Functions of elements, of two tensors and products of matrices."""

from __future__ import annotations

from functools import reduce

import numpy as np

from ...ir import operators as ir
from ...ir.graph import Node, Tensor
from .importer import Call, reads
from .reading import dtype_of

_ELEMENTWISE: dict[str, type[Node]] = {
    "Relu": ir.Relu,
    "Sigmoid": ir.Logistic,
    "Tanh": ir.Tanh,
    "HardSwish": ir.HardSwish,
    "Softplus": ir.Softplus,
    "Mish": ir.Mish,
    "Erf": ir.Erf,
    "Exp": ir.Exp,
    "Log": ir.Log,
    "Sqrt": ir.Sqrt,
    "Abs": ir.Abs,
    "Neg": ir.Neg,
    "Floor": ir.Floor,
    "Ceil": ir.Ceil,
    "Round": ir.Round,
    "Sign": ir.Sign,
    "Sin": ir.Sin,
    "Cos": ir.Cos,
    "Not": ir.LogicalNot,
}
_BINARY: dict[str, type[Node]] = {
    "Add": ir.Add,
    "Sub": ir.Sub,
    "Mul": ir.Mul,
    "Div": ir.Div,
    "Equal": ir.Equal,
    "Greater": ir.Greater,
    "GreaterOrEqual": ir.GreaterEqual,
    "Less": ir.Less,
    "LessOrEqual": ir.LessEqual,
    "And": ir.LogicalAnd,
    "Or": ir.LogicalOr,
}
_MANY: dict[str, type[Node]] = {"Sum": ir.Add, "Mean": ir.Add, "Min": ir.Minimum, "Max": ir.Maximum}


@reads(*_ELEMENTWISE)
def elementwise(call: Call) -> Tensor:
    return call.add(_ELEMENTWISE[call.operator.kind], source=call.input())


@reads(*_BINARY)
def binary(call: Call) -> Tensor:
    return call.binary(_BINARY[call.operator.kind], call.input(0), call.input(1))


@reads("Erfc")
def erfc(call: Call) -> Tensor:
    """No operator of ONNX, but tf2onnx leaves it."""
    return call.binary(ir.Sub, call.number(1.0), call.add(ir.Erf, "erf", source=call.input()))


@reads("Mod")
def mod(call: Call) -> Tensor:
    if call.attribute("fmod", 0):
        raise call.refuse("its remainder has the sign of the dividend", "use fmod=0")
    return call.binary(ir.FloorMod, call.input(0), call.input(1))


@reads("Xor")
def xor(call: Call) -> Tensor:
    return call.binary(ir.NotEqual, call.input(0), call.input(1))


@reads(*_MANY)
def many(call: Call) -> Tensor:
    tensors = call.inputs
    made = reduce(lambda a, b: call.binary(_MANY[call.operator.kind], a, b), tensors)
    return call.binary(ir.Mul, made, 1 / len(tensors)) if call.operator.kind == "Mean" and len(tensors) > 1 else made


@reads("Where")
def where(call: Call) -> Tensor:
    condition, a, b = call.broadcastable(*call.inputs[:3])
    return call.add(ir.Select, condition=condition, first=a, second=b)


@reads("Identity", "Dropout")
def same(call: Call) -> Tensor:
    if call.operator.kind == "Dropout":
        training = call.optional_constant(2, "training mode is")
        if training is not None and training.any():
            raise call.refuse("it drops elements at random", "export the model for inference (model.eval())")
    return call.input()


@reads("Cast", "CastLike")
def cast(call: Call) -> Tensor:
    x = call.input()
    dtype = (
        call.input(1).dtype if call.operator.kind == "CastLike" else dtype_of(call.attribute("to"), call.name, "Cast")
    )
    if x.dtype == dtype:
        return x
    return call.add(ir.Cast, source=x, dtype=dtype)


# Activations with parameters, and those that others make up.


@reads("LeakyRelu")
def leaky_relu(call: Call) -> Tensor:
    return call.add(ir.LeakyRelu, source=call.input(), alpha=float(call.attribute("alpha", 0.01)))


@reads("PRelu")
def prelu(call: Call) -> Tensor:
    return call.binary(ir.PRelu, call.input(0), call.input(1))


@reads("ThresholdedRelu", "Shrink", "Hardmax")
def unknown(call: Call) -> Tensor:
    raise call.refuse("midge has no such function", "use another activation")


def _elu(call: Call, x: Tensor, alpha: float, of: float = 1.0) -> Tensor:
    """max(0, x) + alpha * (exp(min(0, x) / of) - 1)."""
    if alpha == of == 1:
        return call.add(ir.Elu, source=x)
    low = call.binary(ir.Minimum, x, 0.0, "negative")
    if of != 1:
        low = call.binary(ir.Mul, low, 1 / of, "scaled")
    curve = call.binary(ir.Mul, call.add(ir.Elu, "elu", source=low), alpha, "curve")
    return call.binary(ir.Add, call.add(ir.Relu, "positive", source=x), curve)


@reads("Elu")
def elu(call: Call) -> Tensor:
    return _elu(call, call.input(), float(call.attribute("alpha", 1.0)))


@reads("Celu")
def celu(call: Call) -> Tensor:
    alpha = float(call.attribute("alpha", 1.0))
    return _elu(call, call.input(), alpha, alpha)


SELU_ALPHA, SELU_GAMMA = 1.67326319217681884765625, 1.05070102214813232421875  # ONNX's defaults


@reads("Selu")
def selu(call: Call) -> Tensor:
    alpha, gamma = call.attribute("alpha", SELU_ALPHA), call.attribute("gamma", SELU_GAMMA)
    if np.allclose((alpha, gamma), (SELU_ALPHA, SELU_GAMMA), rtol=1e-4):
        return call.add(ir.Selu, source=call.input())
    return call.binary(ir.Mul, _elu(call, call.input(), float(alpha)), float(gamma))


@reads("Gelu")
def gelu(call: Call) -> Tensor:
    return call.add(ir.Gelu, source=call.input(), is_approximate=call.attribute("approximate", "none") == "tanh")


@reads("HardSigmoid")
def hard_sigmoid(call: Call) -> Tensor:
    alpha, beta = float(call.attribute("alpha", 0.2)), float(call.attribute("beta", 0.5))
    line = call.binary(ir.Add, call.binary(ir.Mul, call.input(), alpha, "slope"), beta, "line")
    return call.binary(ir.Minimum, call.binary(ir.Maximum, line, 0.0, "low"), 1.0)


@reads("Softsign")
def softsign(call: Call) -> Tensor:
    x = call.input()
    return call.binary(ir.Div, x, call.binary(ir.Add, call.add(ir.Abs, "abs", source=x), 1.0, "denominator"))


@reads("Clip")
def clip(call: Call) -> Tensor:
    x = call.input()
    if call.opset < 11:
        limits = [call.attribute("min"), call.attribute("max")]
    else:
        limits = [call.optional_constant(i, "limits are") for i in (1, 2)]
    low, high = (None if n is None or not np.isfinite(n) else float(n) for n in limits)
    if low is not None and low <= -3.4e38:
        low = None
    if high is not None and high >= 3.4e38:
        high = None
    known: dict[tuple[float | None, float | None], type[Node]]
    known = {(0.0, None): ir.Relu, (0.0, 6.0): ir.Relu6, (-1.0, 1.0): ir.ReluN1To1}
    if (low, high) in known and x.dtype == "float32":
        return call.add(known[low, high], source=x)
    if low is not None:
        x = call.binary(ir.Maximum, x, low, "low" if high is not None else "")
    return x if high is None else call.binary(ir.Minimum, x, high)


@reads("Reciprocal")
def reciprocal(call: Call) -> Tensor:
    return call.binary(ir.Div, call.number(1.0), call.input())


@reads("Pow")
def power(call: Call) -> Tensor:
    x, exponent = call.input(0), call.input(1)
    if exponent.data is not None and exponent.size == 1:
        value = float(exponent.data.item())
        known: dict[float, type[Node]] = {2: ir.Square, 0.5: ir.Sqrt, -0.5: ir.Rsqrt}
        if value in known:
            return call.add(known[value], source=x)
        if value == 1:
            return x
        if value == -1:
            return call.binary(ir.Div, call.number(1.0), x)
        if value == 3:
            return call.binary(ir.Mul, call.add(ir.Square, "square", source=x), x)
    if exponent.dtype != x.dtype:
        exponent = (
            call.number(exponent.data, x)
            if exponent.data is not None
            else call.add(ir.Cast, "exponent", source=exponent, dtype=x.dtype)
        )
    return call.binary(ir.Pow, x, exponent)


# Products.


@reads("Gemm")
def gemm(call: Call) -> Tensor:
    a, b = call.input(0), call.input(1)
    alpha, beta = float(call.attribute("alpha", 1.0)), float(call.attribute("beta", 1.0))
    if call.attribute("transA", 0):
        a = call.transpose(a, (1, 0), "a")
    rows = call.attribute("transB", 0)
    addend = call.optional(2)
    if b.data is None:
        made = call.add(ir.MatMul, "product", first=a, second=b, transpose_second=bool(rows))
        made = call.binary(ir.Mul, made, alpha, "alpha") if alpha != 1 else made
    else:
        weights = b if rows else call.transpose(b, (1, 0))
        weights = weights if alpha == 1 else call.number(weights.data * np.float32(alpha))
        units = weights.shape[0]
        bias = None
        if addend is not None and addend.data is not None and addend.shape in ((units,), (1, units), (1,), ()):
            whole = addend if addend.size == units else call.number(np.resize(addend.data, units))
            bias = call.reshape(whole, (units,))
            bias = bias if beta == 1 else call.number(bias.data * np.float32(beta))
            addend = None
        made = call.add(
            ir.Dense,
            "" if addend is None else "product",
            source=a,
            weights=weights,
            bias=bias,
            shape=(a.shape[0], units),
        )
    if addend is None:
        return made
    addend = call.binary(ir.Mul, addend, beta, "beta") if beta != 1 else addend
    return call.binary(ir.Add, made, addend)


@reads("MatMul")
def mat_mul(call: Call) -> Tensor:
    a, b = call.input(0), call.input(1)
    shape = np.matmul(np.broadcast_to(np.int8(0), a.shape), np.broadcast_to(np.int8(0), b.shape)).shape
    if b.data is not None and len(b.shape) <= 2 and len(a.shape) > 1:
        columns = call.reshape(b, (b.shape[0], 1)) if len(b.shape) == 1 else b
        made = call.add(
            ir.Dense, source=a, weights=call.transpose(columns, (1, 0)), shape=(*a.shape[:-1], columns.shape[1])
        )
        return call.reshape(made, shape)
    a = call.reshape(a, (1, *a.shape), "row") if len(a.shape) == 1 else a
    b = call.reshape(b, (*b.shape, 1), "column") if len(b.shape) == 1 else b
    return call.reshape(call.add(ir.MatMul, first=a, second=b), shape)


@reads("Einsum")
def einsum(call: Call) -> Tensor:
    """Of two tensors: batch axes in both and in the result, axes of one of them, and axes that are summed."""
    terms, _, result = call.attribute("equation", "").replace(" ", "").partition("->")
    names = terms.split(",")
    if len(names) != 2 or not result or "." in terms or any(len(set(n)) < len(n) for n in (*names, result)):
        raise call.refuse(f"its equation is {terms}->{result}", "use MatMul and Transpose")
    a, b = call.input(0), call.input(1)
    sizes = dict(zip("".join(names), (*a.shape, *b.shape), strict=True))
    batch = [n for n in names[0] if n in names[1] and n in result]
    summed = [n for n in names[0] if n in names[1] and n not in result]
    left, right = ([n for n in own if n not in other] for own, other in (names, names[::-1]))
    if set(left + right) - set(result):
        raise call.refuse(f"its equation is {terms}->{result}: it sums axes of one tensor", "use ReduceSum before it")

    def matrix(x: Tensor, own: str, groups: list[list[str]], what: str) -> Tensor:
        order = [n for group in groups for n in group]
        x = call.transpose(x, [own.index(n) for n in order], what)
        return call.reshape(x, [int(np.prod([sizes[n] for n in group])) for group in groups], f"{what}_matrix")

    product = call.add(
        ir.MatMul,
        "product",
        first=matrix(a, names[0], [batch, left, summed], "first"),
        second=matrix(b, names[1], [batch, summed, right], "second"),
    )
    order = batch + left + right
    made = call.reshape(product, [sizes[n] for n in order], "axes")
    return call.transpose(made, [order.index(n) for n in result])


@reads("Softmax", "LogSoftmax")
def softmax(call: Call) -> Tensor:
    x = call.input()
    kind = ir.Softmax if call.operator.kind == "Softmax" else ir.LogSoftmax
    rank = len(x.shape)
    axis = call.axis(int(call.attribute("axis", -1 if call.opset >= 13 else 1)), rank)
    if call.opset < 13 and int(np.prod(x.shape[axis + 1 :])) > 1:  # of all axes from this one on
        flat = call.reshape(x, (int(np.prod(x.shape[:axis])), int(np.prod(x.shape[axis:]))), "rows")
        return call.reshape(call.add(kind, source=flat), x.shape)
    order = [*(a for a in range(rank) if a != axis), axis]
    made = call.add(kind, source=call.transpose(x, order, "axis_last"))
    return call.transpose(made, [order.index(a) for a in range(rank)], "axis_back")
