"""Reductions, and the normalisations that are made of them."""

from __future__ import annotations

import numpy as np

from ...ir import operators as ir
from ...ir.graph import Node, Tensor
from .importer import Call, reads

# What is done before a reduction, which one, and what is done behind.
_Step = type[Node] | None
_REDUCTIONS: dict[str, tuple[_Step, type[Node], _Step]] = {
    "ReduceSum": (None, ir.Sum, None),
    "ReduceMean": (None, ir.Mean, None),
    "ReduceMax": (None, ir.ReduceMax, None),
    "ReduceMin": (None, ir.ReduceMin, None),
    "ReduceProd": (None, ir.ReduceProd, None),
    "ReduceL1": (ir.Abs, ir.Sum, None),
    "ReduceL2": (ir.Square, ir.Sum, ir.Sqrt),
    "ReduceSumSquare": (ir.Square, ir.Sum, None),
    "ReduceLogSum": (None, ir.Sum, ir.Log),
    "ReduceLogSumExp": (ir.Exp, ir.Sum, ir.Log),
}


@reads(*_REDUCTIONS)
def reduction(call: Call) -> Tensor:
    before, kind, behind = _REDUCTIONS[call.operator.kind]
    x = call.input()
    given = call.integers("axes", 1, "axes are", 13 if kind is ir.Sum and not before and not behind else 18)
    axes = tuple(sorted({call.axis(a, len(x.shape)) for a in given or range(len(x.shape))}))
    keep = bool(call.attribute("keepdims", 1))
    if not given and call.attribute("noop_with_empty_axes", 0):
        axes = ()
    if before:
        x = call.add(before, "terms", source=x)
    if axes:
        x = call.add(kind, "reduced" if behind else "", source=x, axes=axes, keep_dims=keep)
    return call.add(behind, source=x) if behind else x


@reads("ArgMax", "ArgMin")
def arg_max(call: Call) -> Tensor:
    x = call.input()
    if call.attribute("select_last_index", 0):
        raise call.refuse("it takes the last of equals", "use select_last_index=0")
    axis = call.axis(int(call.attribute("axis", 0)), len(x.shape))
    kind = ir.ArgMax if call.operator.kind == "ArgMax" else ir.ArgMin
    made = call.add(kind, source=x, axis=axis, dtype="int32")
    if call.attribute("keepdims", 1):
        made = call.reshape(made, (*x.shape[:axis], 1, *x.shape[axis + 1 :]))
    return made


@reads("TopK")
def top_k(call: Call) -> list[Tensor]:
    x = call.input()
    axis = call.axis(int(call.attribute("axis", -1)), len(x.shape))
    count = int(call.constant(1, "count is").item()) if call.opset >= 10 else int(call.attribute("k", 0))
    if count != 1:
        raise call.refuse(f"it takes the best {count}", "let the script sort the outputs; midge takes the best 1")
    largest = bool(call.attribute("largest", 1))
    best = call.add(ir.ReduceMax if largest else ir.ReduceMin, source=x, axes=(axis,), keep_dims=True)
    if len(call.wanted) == 1 and call.operator.outputs[0] in call.wanted:
        return [best]
    place = call.add(ir.ArgMax if largest else ir.ArgMin, "place", source=x, axis=axis, dtype="int32")
    return [best, call.reshape(place, best.shape, "places")]


@reads("CumSum")
def cum_sum(call: Call) -> Tensor:
    x = call.input()
    axis = call.axis(int(call.constant(1, "axis is").item()), len(x.shape))
    exclusive, reverse = (bool(call.attribute(n, 0)) for n in ("exclusive", "reverse"))
    return call.add(ir.CumSum, source=x, axis=axis, exclusive=exclusive, reverse=reverse)


# Normalisations.


def _per_channel(call: Call, x: Tensor, values: np.ndarray) -> Tensor:
    """Numbers of the channels, axis 1, in a shape that is broadcast to x."""
    if values.size != x.shape[1]:
        raise call.refuse(f"it has {values.size} numbers for {x.shape[1]} channels", "export the model again")
    return call.number(values.reshape(1, -1, *[1] * (len(x.shape) - 2)))


@reads("BatchNormalization")
def batch_normalization(call: Call) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon) * scale + offset, as one product and one sum."""
    if call.attribute("training_mode", 0):
        raise call.refuse("it learns while it runs", "export the model for inference (model.eval())")
    x = call.input()
    scale, offset, mean, variance = (call.constant(i, "parameters are").astype(np.float64) for i in range(1, 5))
    factor = scale / np.sqrt(variance + float(call.attribute("epsilon", 1e-5)))
    scaled = call.binary(ir.Mul, x, _per_channel(call, x, factor.astype(np.float32)), "scaled")
    return call.binary(ir.Add, scaled, _per_channel(call, x, (offset - mean * factor).astype(np.float32)))


def _standardised(call: Call, x: Tensor, axes: tuple[int, ...], epsilon: float, last: str = "standard") -> Tensor:
    """(x - mean) / sqrt(variance + epsilon), over axes."""
    centred = call.binary(ir.Sub, x, call.add(ir.Mean, "mean", source=x, axes=axes, keep_dims=True), "centred")
    squares = call.add(ir.Square, "squares", source=centred)
    variance = call.add(ir.Mean, "variance", source=squares, axes=axes, keep_dims=True)
    inverse = call.add(ir.Rsqrt, "inverse", source=call.binary(ir.Add, variance, epsilon, "epsilon"))
    return call.binary(ir.Mul, centred, inverse, last)


def _affine(call: Call, x: Tensor, scale: Tensor, offset: Tensor | None) -> Tensor:
    if offset is None:
        return call.binary(ir.Mul, x, scale)
    return call.binary(ir.Add, call.binary(ir.Mul, x, scale, "scaled"), offset)


@reads("InstanceNormalization")
def instance_normalization(call: Call) -> Tensor:
    x = call.input()
    standard = _standardised(call, x, tuple(range(2, len(x.shape))), float(call.attribute("epsilon", 1e-5)))
    scale, offset = (_per_channel(call, x, call.constant(i, "parameters are")) for i in (1, 2))
    return _affine(call, standard, scale, offset)


@reads("LayerNormalization")
def layer_normalization(call: Call) -> Tensor:
    x = call.input()
    axis = call.axis(int(call.attribute("axis", -1)), len(x.shape))
    standard = _standardised(call, x, tuple(range(axis, len(x.shape))), float(call.attribute("epsilon", 1e-5)))
    return _affine(call, standard, call.input(1), call.optional(2))


@reads("GroupNormalization")
def group_normalization(call: Call) -> Tensor:
    x, groups = call.input(), int(call.attribute("num_groups", 1))
    if x.shape[1] % groups:
        raise call.refuse(f"{groups} groups do not divide {x.shape[1]} channels", "export the model again")
    each = x.shape[1] // groups
    parts = call.reshape(x, (x.shape[0], groups, x.size // (x.shape[0] * groups)), "groups")
    standard = call.reshape(_standardised(call, parts, (2,), float(call.attribute("epsilon", 1e-5))), x.shape, "whole")
    values = [call.constant(i, "parameters are") for i in (1, 2)]
    scale, offset = (_per_channel(call, x, v if v.size == x.shape[1] else np.repeat(v, each)) for v in values)
    return _affine(call, standard, scale, offset)


@reads("MeanVarianceNormalization")
def mean_variance_normalization(call: Call) -> Tensor:
    x = call.input()
    axes = tuple(call.axis(a, len(x.shape)) for a in call.attribute("axes") or [0, 2, 3])
    return _standardised(call, x, axes, 1e-9, "")


@reads("LpNormalization")
def lp_normalization(call: Call) -> Tensor:
    return lp_normalised(call, call.input(), int(call.attribute("axis", -1)), int(call.attribute("p", 2)))


def lp_normalised(call: Call, x: Tensor, axis: int, p: int) -> Tensor:
    """Over the axis, divided by the sum of absolute values (p = 1) or by the root of the sum of squares (2)."""
    axis = call.axis(axis, len(x.shape))
    if p == 1:
        total = call.add(ir.Sum, "sum", source=call.add(ir.Abs, "abs", source=x), axes=(axis,), keep_dims=True)
        return call.binary(ir.Div, x, total)
    order = [*(a for a in range(len(x.shape)) if a != axis), axis]
    made = call.add(ir.L2Normalize, source=call.transpose(x, order, "axis_last"))
    return call.transpose(made, [order.index(a) for a in range(len(order))], "axis_back")
