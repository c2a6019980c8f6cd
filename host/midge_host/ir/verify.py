"""Conditions that every graph meets: a pass may rely on them, and so may a lowering.

Each layer has what it reads, from layers before it, and its shapes, types and quantisations fit together. Whether a
device can compute it is another question, which its lowering answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from ..errors import MidgeError
from . import operators as ir
from .graph import Graph, Node, Tensor
from .series import BAND
from .trees import CODE_LIMIT, MISSING, ZERO_UNIT

AGAIN = "export the model again"
FIXED = "export the model with fixed shapes"
NUMERIC = ("float32", "float64", "int8", "uint8", "int16", "int32", "uint32", "int64", "bool")
# Types that hold real numbers as integers, if the tensor has a quantisation.
QUANTISED = ("int8", "uint8", "int16")
# Operands whose scales belong to the layer: a lowering looks at them.
PARAMETERS = ("weights", "bias", "kernels", "recurrent", "biases", "feature_weights", "time_weights")


def verify(graph: Graph) -> None:
    """Raises MidgeError, for a layer UnsupportedError, where something does not fit."""
    computed = {id(edge.tensor) for edge in graph.inputs}
    if not graph.inputs or not graph.outputs or len(computed) < len(graph.inputs):
        raise MidgeError(f"{graph.name}: has no input, no output or one input twice; {AGAIN}")
    state = {id(s.tensor) for s in graph.state}
    computed |= state
    for edge in graph.inputs:
        if edge.tensor.data is not None or edge.tensor.dtype not in NUMERIC:
            raise MidgeError(f"{graph.name}: the input {edge.name!r} is a constant or {edge.tensor.dtype}; {AGAIN}")
    for node in graph.nodes:
        for tensor in node.inputs:
            if tensor.data is None and not tensor.is_variable and id(tensor) not in computed:
                raise node.refuse(f"nothing before it computes its input {tensor.name!r}", AGAIN)
        for tensor in node.outputs:
            if tensor.data is not None or id(tensor) in computed - state:
                raise node.refuse(f"its output {tensor.name!r} exists before it", AGAIN)
            computed.add(id(tensor))
        verify_operator(node)
    for edge in graph.outputs:
        if edge.tensor.data is not None:
            raise MidgeError(f"{graph.name}: the output {edge.name!r} is a constant; export the model without it")
        if id(edge.tensor) not in computed:
            raise MidgeError(f"{graph.name}: no layer computes the output {edge.name!r}; {AGAIN}")
    _variables(graph)


def verify_operator(node: Node) -> None:
    """The part of `verify` that looks at one layer only."""
    parameters = [t for name in PARAMETERS if name in node.OPERANDS for t in node.tensors(name)]
    for tensor in [*node.inputs, *node.outputs]:
        _tensor(node, tensor, any(tensor is p for p in parameters))
    for kind in reversed(type(node).__mro__):
        if kind in _RULES:
            _RULES[kind](node)


def _tensor(node: Node, tensor: Tensor, is_parameter: bool) -> None:
    if tensor.dtype not in NUMERIC:
        raise node.refuse(f"tensor {tensor.name!r} is {tensor.dtype}, which holds no numbers", AGAIN)
    if any(n < 1 for n in tensor.shape):
        raise node.refuse(f"tensor {tensor.name!r} has shape {tensor.shape}", FIXED)
    if tensor.data is not None and (tensor.data.shape, tensor.data.dtype) != (tensor.shape, np.dtype(tensor.dtype)):
        raise node.refuse(f"the data of tensor {tensor.name!r} is {tensor.data.dtype} {tensor.data.shape}", AGAIN)
    if tensor.quantization is None or is_parameter or tensor.dtype not in QUANTISED:
        return
    scale, zero_point, limits = tensor.scale, tensor.zero_point, np.iinfo(tensor.dtype)
    if not np.all((scale > 0) & (scale < np.inf) & (zero_point >= limits.min) & (zero_point <= limits.max)):
        raise node.refuse(f"tensor {tensor.name!r} has an impossible quantisation", AGAIN)


def _variables(graph: Graph) -> None:
    forms = {name: (value.size, value.dtype) for name, value in graph.variables.items()}
    for node in graph.nodes:
        if not isinstance(node, ir.ReadVariable | ir.WriteVariable):
            continue
        tensor = node.output if isinstance(node, ir.ReadVariable) else node.source
        if node.variable not in forms:
            raise node.refuse(f"nothing sets the variable {node.variable!r} before the first prediction", AGAIN)
        if forms[node.variable] != (tensor.size, np.dtype(tensor.dtype)):
            raise node.refuse(f"the variable {node.variable!r} has two shapes or types", AGAIN)


# Rules by class; those of the bases are looked at first.

Rule = Callable[[Any], None]
_RULES: dict[type[Node], Rule] = {}


def _rule(*kinds: type[Node]) -> Callable[[Rule], Rule]:
    def add(rule: Rule) -> Rule:
        for kind in kinds:
            _RULES[kind] = rule
        return rule

    return add


def _require(node: Node, holds: bool, sources: Sequence[Tensor], output: Tensor) -> None:
    if not holds:
        shapes = " and ".join(str(t.shape) for t in sources)
        raise node.refuse(f"it makes {output.shape} of {shapes}", AGAIN)


def _require_shape(node: Node, shape: Sequence[int], sources: Sequence[Tensor], output: Tensor) -> None:
    _require(node, tuple(shape) == output.shape, sources, output)


def _require_type(node: Node) -> None:
    """Results of the operands' type: elements are moved, or numbers of one kind computed with."""
    sources, output = node.inputs, node.outputs[0]
    if any(t.dtype != output.dtype for t in [*sources, *node.outputs]):
        raise node.refuse(f"it makes {output.dtype} of {' and '.join(t.dtype for t in sources)}", AGAIN)


def _require_axis(node: Node, axis: int, rank: int) -> None:
    if not 0 <= axis < rank:
        raise node.refuse(f"it has an axis {axis} of {rank} dimensions", AGAIN)


@_rule(ir.Elementwise, ir.Softmax, ir.LogSoftmax, ir.L2Normalize)
def _same_size(node: ir.Unary) -> None:
    _require(node, node.source.size == node.output.size, [node.source], node.output)
    converts = isinstance(node, ir.Quantize | ir.Dequantize | ir.Cast)
    if not converts and (node.source.dtype == "float32") != (node.output.dtype == "float32"):
        raise node.refuse(f"it makes {node.output.dtype} of {node.source.dtype}", "quantise the whole model to int8")


@_rule(ir.Binary)
def _binary(node: ir.Binary) -> None:
    if isinstance(node, ir.Comparison):
        _require_truth(node, node.output)
        _require_one_type(node, [node.first, node.second], node.output)
    elif not isinstance(node, ir.PRelu) or (node.second.dtype, node.output.dtype) != ("int8", "int16"):
        _require_type(node)
    _require_broadcast(node)


@_rule(ir.Select)
def _select(node: ir.Select) -> None:
    _require_truth(node, node.condition)
    _require_one_type(node, [node.first, node.second, node.output], node.output)
    _require_broadcast(node)


def _require_truth(node: Node, tensor: Tensor) -> None:
    if tensor.dtype not in ("bool", "int8"):  # int8: bytes of 0 and 1
        raise node.refuse(f"tensor {tensor.name!r} is {tensor.dtype}, not bool", AGAIN)


def _require_one_type(node: Node, tensors: Sequence[Tensor], output: Tensor) -> None:
    if any(t.dtype != tensors[0].dtype for t in tensors):
        raise node.refuse(f"it makes {output.dtype} of {' and '.join(t.dtype for t in node.inputs)}", AGAIN)


def _require_broadcast(node: Node) -> None:
    sources, output = node.inputs, node.outputs[0]
    rank = len(output.shape)
    shapes = [(1,) * (rank - len(t.shape)) + t.shape for t in sources]
    fits = all(len(s) == rank for s in shapes) and output.shape == tuple(map(max, zip(*shapes, strict=True)))
    fits = fits and all(n in (1, m) for s in shapes for n, m in zip(s, output.shape, strict=True))
    _require(node, fits, sources, output)


@_rule(ir.AddN)
def _add_n(node: ir.AddN) -> None:
    _require_type(node)
    _require(node, all(t.shape == node.output.shape for t in node.sources), node.sources, node.output)


@_rule(ir.MatMul)
def _mat_mul(node: ir.MatMul) -> None:
    first, second, output = node.first.shape, node.second.shape, node.output.shape
    if min(len(first), len(second)) < 2:
        raise node.refuse(f"{first} and {second} are no matrices", AGAIN)
    rows, depth = first[-2:][::-1] if node.transpose_first else first[-2:]
    depth2, columns = second[-2:][::-1] if node.transpose_second else second[-2:]
    rank = max(len(first), len(second))
    batches = list(zip(*((1,) * (rank - len(s)) + s[:-2] for s in (first, second)), strict=True))
    fits = depth == depth2 and all(a == b or 1 in (a, b) for a, b in batches)
    if not fits or output != (*map(max, batches), rows, columns):
        raise node.refuse(f"{first} and {second} do not make {output}", AGAIN)


@_rule(ir.Window)
def _window(node: ir.Window) -> None:
    if min(node.strides) < 1:
        raise node.refuse(f"its strides are {node.strides}", AGAIN)
    source, output = node.source, node.output
    for tensor in (source, output):
        if len(tensor.shape) != 4:
            raise node.refuse(f"tensor {tensor.name!r} has shape {tensor.shape}, which is no image", AGAIN)
    _require(node, source.shape[0] == output.shape[0], [source], output)


def _window_sizes(node: ir.Window, kernel: tuple[int, ...], dilations: ir.Pair) -> None:
    if min(*kernel, *dilations) < 1 or min(before for before, _ in node.padding) < 0:
        raise node.refuse(f"its window is {kernel}, its dilation {dilations}, its padding {node.padding}", AGAIN)
    source, output = node.source.shape[1:3], node.output.shape[1:3]
    axes = zip(source, output, kernel, dilations, node.strides, node.padding, strict=True)
    for size, out, k, d, s, pads in axes:
        if out != (size + sum(pads) - (k - 1) * d - 1) // s + 1:
            raise node.refuse(f"its window does not make {out} of {size} pixels", AGAIN)


@_rule(ir.Weighted)
def _weighted(node: ir.Weighted) -> None:
    shape, bias = node.weights.shape, node.bias
    if len(shape) != (2 if isinstance(node, ir.Dense) else 4):
        raise node.refuse(f"its weights have shape {shape}", AGAIN)
    channels = shape[node.CHANNEL_AXIS]
    if bias is not None and bias.size != channels:
        raise node.refuse(f"its bias is {bias.dtype} {bias.shape}, not {channels} elements", AGAIN)
    if node.weights.scale.size not in (0, 1, channels):
        raise node.refuse(f"its weights have {node.weights.scale.size} scales, not 1 or {channels}", AGAIN)
    if (node.source.dtype == "float32") != (node.output.dtype == "float32"):
        raise node.refuse(f"it makes {node.output.dtype} of {node.source.dtype}", "quantise the whole model to int8")


@_rule(ir.Conv2D)
def _conv(node: ir.Conv2D) -> None:
    shape, in_c, out_c = node.weights.shape, node.source.shape[3], node.output.shape[3]
    if shape[0] != out_c:
        raise node.refuse(f"weights {shape} do not make {out_c} channels", AGAIN)
    if in_c % shape[3] or out_c % (in_c // shape[3]):
        raise node.refuse(f"weights {shape} do not take {in_c} channels to {out_c}", AGAIN)
    _window_sizes(node, (shape[1], shape[2]), node.dilations)


@_rule(ir.DepthwiseConv2D)
def _depthwise(node: ir.DepthwiseConv2D) -> None:
    shape, in_c, out_c = node.weights.shape, node.source.shape[3], node.output.shape[3]
    if shape[0] != 1 or shape[3] != out_c or out_c % in_c:
        raise node.refuse(f"weights {shape} do not take {in_c} channels to {out_c}", AGAIN)
    _window_sizes(node, (shape[1], shape[2]), node.dilations)


@_rule(ir.TransposeConv2D)
def _transpose_conv(node: ir.TransposeConv2D) -> None:
    shape, source, output = node.weights.shape, node.source.shape, node.output.shape
    if (shape[0], shape[3]) != (output[3], source[3]):
        raise node.refuse(f"weights {shape} do not take {source[3]} channels to {output[3]}", AGAIN)
    axes = zip(source[1:3], output[1:3], shape[1:3], node.strides, node.padding, strict=True)
    for size, out, k, s, pads in axes:
        if out != (size - 1) * s + k - sum(pads):
            raise node.refuse(f"its window does not make {out} of {size} pixels", AGAIN)


@_rule(ir.Dense)
def _dense(node: ir.Dense) -> None:
    (units, depth), source, output = node.weights.shape, node.source, node.output
    if source.size % depth:
        raise node.refuse(f"weights {node.weights.shape} do not fit an input {source.shape}", AGAIN)
    if output.size != source.size // depth * units:
        raise node.refuse(f"output {output.shape} is not {source.size // depth} x {units}", AGAIN)


@_rule(ir.Pool)
def _pool(node: ir.Pool) -> None:
    _require_type(node)
    _require(node, node.source.shape[3] == node.output.shape[3], [node.source], node.output)
    _window_sizes(node, node.kernel, (1, 1))


@_rule(ir.Reduction)
def _reduction(node: ir.Reduction) -> None:
    _require_type(node)
    shape = node.source.shape
    for axis in node.axes:
        _require_axis(node, axis, len(shape))
    left = prod(n for axis, n in enumerate(shape) if axis not in node.axes)
    _require(node, left == node.output.size, [node.source], node.output)


@_rule(ir.CumSum)
def _cum_sum(node: ir.CumSum) -> None:
    _require_type(node)
    _require_axis(node, node.axis, len(node.source.shape))
    _require_shape(node, node.source.shape, [node.source], node.output)


@_rule(ir.ArgMax, ir.ArgMin)
def _arg_max(node: ir.ArgMax | ir.ArgMin) -> None:
    shape = node.source.shape
    _require_axis(node, node.axis, len(shape))
    _require(node, node.source.size == node.output.size * shape[node.axis], [node.source], node.output)


@_rule(ir.Table)
def _table(node: ir.Table) -> None:
    if node.table.shape != (256,) or {node.source.dtype, node.output.dtype} - {"int8", "bool"}:
        raise node.refuse(f"its table of {node.table.shape} makes {node.output.dtype} of {node.source.dtype}", AGAIN)


@_rule(ir.Reshape)
def _reshape(node: ir.Reshape) -> None:
    if node.source.size != node.output.size or node.source.dtype != node.output.dtype:
        raise node.refuse("it changes the number of elements", FIXED)


@_rule(ir.Copy)
def _copy(node: ir.Copy) -> None:
    _require_type(node)
    _require_shape(node, node.source.shape, [node.source], node.output)


@_rule(ir.Concatenate)
def _concatenate(node: ir.Concatenate) -> None:
    sources, output, axis = node.sources, node.output, node.axis
    _require_type(node)
    _require_axis(node, axis, len(output.shape))
    _require(node, all(len(t.shape) == len(output.shape) for t in sources), sources, output)
    expected = list(output.shape)
    for tensor in sources:
        expected[axis] = tensor.shape[axis]
        _require(node, tensor.shape == tuple(expected), sources, output)
        if not tensor.has_scale_of(output):
            raise node.refuse("its inputs have other scales than its output", AGAIN)
    _require(node, sum(t.shape[axis] for t in sources) == output.shape[axis], sources, output)


@_rule(ir.Stack)
def _stack(node: ir.Stack) -> None:
    sources, output, axis = node.sources, node.output, node.axis
    _require_type(node)
    _require_axis(node, axis, len(output.shape))
    shape = (*output.shape[:axis], *output.shape[axis + 1 :])
    fits = len(sources) == output.shape[axis] and all(t.shape == shape for t in sources)
    _require(node, fits, sources, output)


def _parts(node: ir.Unstack | ir.Split) -> None:
    if not node.parts:
        raise node.refuse("it has no output", AGAIN)
    _require_type(node)
    _require_axis(node, node.axis, len(node.source.shape))


@_rule(ir.Unstack)
def _unstack(node: ir.Unstack) -> None:
    _parts(node)
    shape = node.source.shape
    _require(node, len(node.parts) == shape[node.axis], [node.source], node.parts[0])
    for part in node.parts:
        _require_shape(node, (*shape[: node.axis], *shape[node.axis + 1 :]), [node.source], part)


@_rule(ir.Split)
def _split(node: ir.Split) -> None:
    _parts(node)
    shape, axis = list(node.source.shape), node.axis
    for part in node.parts:
        _require(node, len(part.shape) == len(shape), [node.source], part)
        shape[axis] = part.shape[axis]
        _require_shape(node, shape, [node.source], part)
    whole = sum(part.shape[axis] for part in node.parts)
    _require(node, whole == node.source.shape[axis], [node.source], node.parts[0])


@_rule(ir.Slice)
def _slice(node: ir.Slice) -> None:
    _require_type(node)
    try:
        shape = np.broadcast_to(np.int8(0), node.source.shape)[node.index].shape
    except (IndexError, ValueError) as error:
        raise node.refuse(f"its positions do not fit {node.source.shape} ({error})", AGAIN) from None
    if shape != node.output.shape:
        raise node.refuse(f"its parameters make {shape}, not {node.output.shape}", AGAIN)


@_rule(ir.Transpose)
def _transpose(node: ir.Transpose) -> None:
    _require_type(node)
    shape = node.source.shape
    if sorted(node.axes) != list(range(len(shape))):
        raise node.refuse(f"{node.axes} is no order of {len(shape)} axes", AGAIN)
    _require_shape(node, [shape[a] for a in node.axes], [node.source], node.output)


@_rule(ir.Gather)
def _gather(node: ir.Gather) -> None:
    shape, indexes = node.source.shape, node.indexes
    _require_axis(node, node.axis, len(shape))
    if node.source.dtype != node.output.dtype or not np.issubdtype(indexes.dtype, np.integer):
        raise node.refuse(f"it makes {node.output.dtype} of {node.source.dtype} and {indexes.dtype}", AGAIN)
    batch = node.batch_dims
    if not 0 <= batch <= node.axis or shape[:batch] != indexes.shape[:batch]:
        raise node.refuse(
            f"{shape} and {indexes.shape} have not {batch} dimensions in common before axis {node.axis}", AGAIN
        )
    made = (*shape[: node.axis], *indexes.shape[batch:], *shape[node.axis + 1 :])
    _require_shape(node, made, node.inputs, node.output)
    if indexes.data is not None and not np.all((indexes.data >= 0) & (indexes.data < shape[node.axis])):
        raise node.refuse(f"it takes elements beyond {shape[node.axis]}", AGAIN)


@_rule(ir.Broadcast)
def _broadcast(node: ir.Broadcast) -> None:
    _require_type(node)
    source, output = node.source.shape, node.output.shape
    own = (1,) * (len(output) - len(source)) + source
    fits = len(own) == len(output) and all(n in (1, m) for n, m in zip(own, output, strict=True))
    _require(node, fits, [node.source], node.output)


@_rule(ir.Tile)
def _tile(node: ir.Tile) -> None:
    _require_type(node)
    source, output = node.source.shape, node.output.shape
    fits = len(source) == len(output) and not any(m % n for n, m in zip(source, output, strict=True))
    _require(node, fits, [node.source], node.output)


@_rule(ir.Range)
def _range(node: ir.Range) -> None:
    _require_type(node)
    start, limit, step = node.inputs
    if any(t.size != 1 for t in node.inputs):
        raise node.refuse("its limits are not single numbers", AGAIN)
    if start.data is not None and limit.data is not None and step.data is not None:
        first, last, by = (float(t.data.item()) for t in (start, limit, step) if t.data is not None)
        if by == 0 or not np.isfinite([first, last, by]).all() or np.ceil((last - first) / by) != node.output.size:
            raise node.refuse(f"from {first} to {last} by {by} are not {node.output.size} numbers", FIXED)


@_rule(ir.Pad)
def _pad(node: ir.Pad) -> None:
    _require_type(node)
    pairs, source, output = node.paddings, node.source, node.output
    if any(n < 0 for pair in pairs for n in pair):
        raise node.refuse(f"its paddings {pairs} are negative", "use a crop layer")
    fits = len(pairs) == len(source.shape)
    if not fits or tuple(n + sum(pair) for n, pair in zip(source.shape, pairs, strict=True)) != output.shape:
        raise node.refuse(f"its paddings {pairs} do not make {output.shape} of {source.shape}", AGAIN)
    if output.dtype != "float32" and node.value is not None:
        limits = np.iinfo(output.dtype)
        if not limits.min <= node.value <= limits.max:
            raise node.refuse(f"its value is {node.value}, which {output.dtype} does not hold", AGAIN)


@_rule(ir.MirrorPad)
def _mirror_pad(node: ir.MirrorPad) -> None:
    _require_type(node)
    pairs, shape = node.paddings, node.source.shape
    _require(node, len(pairs) == len(shape), [node.source], node.output)
    _require_shape(node, [n + sum(pair) for n, pair in zip(shape, pairs, strict=True)], [node.source], node.output)
    for n, pair in zip(shape, pairs, strict=True):
        if min(pair) < 0 or max(pair) > n - node.reflect:
            raise node.refuse(f"its paddings {pairs} are beyond what {shape} can mirror", "use smaller paddings")


@_rule(ir.Reverse)
def _reverse(node: ir.Reverse) -> None:
    _require_type(node)
    _require_shape(node, node.source.shape, [node.source], node.output)
    for axis in node.axes:
        _require_axis(node, axis, len(node.source.shape))


@_rule(ir.DepthToSpace, ir.SpaceToDepth)
def _depth_and_space(node: ir.DepthToSpace | ir.SpaceToDepth) -> None:
    _require_type(node)
    block, ends = node.block, (node.source.shape, node.output.shape)
    deep, wide = ends if isinstance(node, ir.DepthToSpace) else ends[::-1]
    _require(node, block >= 1 and len(deep) == len(wide) == 4, [node.source], node.output)
    n, h, w, c = wide
    fits = h % block == w % block == 0 and deep == (n, h // block, w // block, c * block**2)
    _require(node, fits, [node.source], node.output)


def _blocks(node: ir.SpaceToBatch | ir.BatchToSpace, pairs: Sequence[ir.Pair]) -> None:
    rank = len(node.source.shape)
    fits = 1 <= len(node.block) == len(pairs) <= rank - 2 and rank == len(node.output.shape)
    if not fits or min(node.block) < 1 or min(n for pair in pairs for n in pair) < 0:
        raise node.refuse(f"its block {node.block} and {tuple(pairs)} do not fit {rank} dimensions", AGAIN)


@_rule(ir.SpaceToBatch)
def _space_to_batch(node: ir.SpaceToBatch) -> None:
    _require_type(node)
    _blocks(node, node.paddings)
    batch, *shape = node.source.shape
    for i, (block, pads) in enumerate(zip(node.block, node.paddings, strict=True)):
        _require(node, (shape[i] + sum(pads)) % block == 0, [node.source], node.output)
        shape[i] = (shape[i] + sum(pads)) // block
    _require_shape(node, (batch * prod(node.block), *shape), [node.source], node.output)


@_rule(ir.BatchToSpace)
def _batch_to_space(node: ir.BatchToSpace) -> None:
    _require_type(node)
    _blocks(node, node.crops)
    batch, *shape = node.source.shape
    for i, (block, crops) in enumerate(zip(node.block, node.crops, strict=True)):
        shape[i] = shape[i] * block - sum(crops)
    _require(node, batch % prod(node.block) == 0, [node.source], node.output)
    _require_shape(node, (batch // prod(node.block), *shape), [node.source], node.output)


@_rule(ir.Resize)
def _resize(node: ir.Resize) -> None:
    _require_type(node)
    source, output = node.source.shape, node.output.shape
    if len(source) != 4 or len(output) != 4:
        raise node.refuse("it does not resize images of 4 dimensions", AGAIN)
    _require(node, (source[0], source[3]) == (output[0], output[3]), [node.source], node.output)


@_rule(ir.Lstm)
def _lstm(node: ir.Lstm) -> None:
    shape = node.source.shape
    if len(shape) != 3:
        raise node.refuse(f"it reads {shape}, not sequences", AGAIN)
    batch, depth, cells = shape[1 if node.time_major else 0], shape[2], node.output.shape[-1]
    _require_shape(node, (*shape[:2], cells), [node.source], node.output)
    groups = [
        ("kernel", node.kernels, (cells, depth)),
        ("recurrent kernel", node.recurrent, (cells, cells)),
        ("bias", node.biases, (cells,)),
    ]
    for what, tensors, wanted in groups:
        for tensor in tensors:
            if len(tensors) != 4 or tensor.size != prod(wanted) or (what != "bias" and tensor.shape != wanted):
                raise node.refuse(f"its {what} {tensor.name!r} is {tensor.shape}, not {wanted}", AGAIN)
    if not node.hidden.size == node.cell.size == batch * cells:
        raise node.refuse(f"its states and output do not have {cells} cells", AGAIN)
    _require_state(node, node.hidden, node.cell)


@_rule(ir.Svdf)
def _svdf(node: ir.Svdf) -> None:
    feature, time, source, rank = node.feature_weights.shape, node.time_weights.shape, node.source.shape, node.rank
    fits = len(feature) == len(time) == len(source) == 2 and rank >= 1 and feature[0] % rank == 0
    if fits:
        units, memory = feature[0] // rank, time[1]
        wanted = [(source[0], feature[1]), (feature[0], memory), (source[0], feature[0] * memory), (source[0], units)]
        fits = [t.shape for t in (node.source, node.time_weights, node.state, node.output)] == wanted
        fits = fits and (node.bias is None or node.bias.size == units)
    if not fits:
        raise node.refuse(f"its tensors do not make units of rank {rank}", AGAIN)
    _require_state(node, node.state)


@_rule(ir.Spectrum)
def _spectrum(node: ir.Spectrum) -> None:
    _require_dtype(node, node.source, "int16")
    _require_dtype(node, node.output, "uint32")
    if node.source.size != node.window.size or node.output.size != node.fft_length // 2 + 2:
        raise node.refuse(f"its tensors do not fit an FFT of {node.fft_length} samples", AGAIN)


@_rule(ir.FilterBank)
def _filter_bank(node: ir.FilterBank) -> None:
    _require_dtype(node, node.source, "uint32")
    _require_dtype(node, node.state, "uint32")
    _require_dtype(node, node.output, "int16" if node.to_int8 is None else "int8")
    rows = [len(node.starts), len(node.weights), len(node.unweights)]
    widths = [len(row) for row in node.weights]
    if rows != [node.output.size + 1] * 3 or widths != [len(row) for row in node.unweights]:
        raise node.refuse("its rows of weights do not make its channels", AGAIN)
    if node.state.size != node.output.size:
        raise node.refuse("it does not keep an estimate for each channel", AGAIN)
    _require_state(node, node.state)


@_rule(ir.Magnitudes)
def _magnitudes(node: ir.Magnitudes) -> None:
    _require_dtype(node, node.source, "int16")
    _require_dtype(node, node.output, "uint32")
    size = node.fft_length // 2 * (2 + node.is_power)
    fits = node.source.size == node.window.size and node.output.size == size
    if not fits or not 0 < node.bins <= node.fft_length // 2 + 1:
        raise node.refuse(f"its tensors do not fit an FFT of {node.fft_length} samples", AGAIN)


@_rule(ir.Cepstrum)
def _cepstrum(node: ir.Cepstrum) -> None:
    values, bands = node.matrix.shape
    _require_bands(node, bands)
    if node.output.size != values or node.output.dtype not in ("int8", "int16"):
        raise node.refuse("its output is not int8 or int16, a value for each row of its matrix", AGAIN)


@_rule(ir.LogMel)
def _log_mel(node: ir.LogMel) -> None:
    _require_bands(node, len(node.gains))
    if node.output.size != len(node.gains) or node.output.dtype not in ("int8", "int16"):
        raise node.refuse("its output is not int8 or int16, a value for each band", AGAIN)


def _require_bands(node: ir.MelBands, bands: int) -> None:
    _require_dtype(node, node.source, "uint32")
    if len(node.widths) != bands + 1 or sum(node.widths) != len(node.weights):
        raise node.refuse("its rows of weights do not make its bands", AGAIN)


@_rule(ir.SeriesFilter)
def _series_filter(node: ir.SeriesFilter) -> None:
    _require_dtype(node, node.source, "int16")
    _require_dtype(node, node.output, "int16")
    if len(node.source.shape) != 3 or node.source.shape[0] != 1 or node.output.shape != node.source.shape:
        raise node.refuse(f"it does not fit samples of shape {node.source.shape}", AGAIN)
    if node.sections.ndim != 2 or node.sections.shape[1] != 6 or not len(node.sections):
        raise node.refuse("its filters are not of six numbers each", AGAIN)


@_rule(ir.SeriesFeatures)
def _series_features(node: ir.SeriesFeatures) -> None:
    _require_dtype(node, node.source, "int16")
    if (node.output.dtype, node.reading is None) not in (("float32", True), ("int8", False), ("int16", False)):
        raise node.refuse(f"it makes {node.output.dtype}, of which it has no scale", AGAIN)
    if node.reading and node.reading.scale.size not in (1, *node.output.shape[-1:]):
        raise node.refuse("it has not a scale for each feature", AGAIN)
    shape = node.source.shape
    if len(shape) != 3 or shape[0] != 1 or node.output.size != shape[2] * len(node.kinds) or not node.kinds:
        raise node.refuse(f"its features do not fit samples of shape {shape}", AGAIN)
    if max(node.kinds) > BAND:
        raise node.refuse(f"an unknown feature {max(node.kinds)}", AGAIN)


@_rule(ir.TreeSums)
def _tree_sums(node: ir.TreeSums) -> None:
    if node.source.dtype == "int16":
        _require_codes(node)
    else:
        _require_floats(node)
    outputs = node.output.size
    if not node.trees or node.bias.shape != (outputs,):
        raise node.refuse("it has no trees, or not a bias for each sum", AGAIN)
    for i, tree in enumerate(node.trees):
        count = len(tree.feature)
        inner = tree.feature >= 0
        children = np.stack([tree.left, tree.right])[:, inner]
        if not count or np.any(tree.feature >= node.source.size):
            raise node.refuse(f"tree {i} splits at a value that a reading does not have", AGAIN)
        if np.any(children <= np.flatnonzero(inner)) or np.any(children >= count):
            raise node.refuse(f"tree {i} has a node that is not behind the node above it", AGAIN)
        values = tree.value.shape == (count, outputs) or (tree.value.shape == (count,) and 0 <= tree.output < outputs)
        if not values or np.isnan(tree.threshold[inner]).any() or not np.isfinite(tree.value[~inner]).all():
            raise node.refuse(f"the thresholds and values of tree {i} are not those of a tree", AGAIN)


def _require_codes(node: ir.TreeSums) -> None:
    """Thresholds that are codes, and values of leaves that are whole: int16, of lists 0 to 255."""
    for i, tree in enumerate(node.trees):
        inner = tree.feature >= 0
        low, high = (0, 255) if tree.value.ndim == 2 else (-CODE_LIMIT, CODE_LIMIT)
        limits = ((tree.threshold[inner], MISSING, CODE_LIMIT), (tree.value[~inner], low, high))
        if any(np.any((v != np.round(v)) | (v < least) | (v > most)) for v, least, most in limits):
            raise node.refuse(f"tree {i} has thresholds or values that are not those of codes", AGAIN)


@_rule(ir.Codes)
def _codes(node: ir.Codes) -> None:
    size = (node.source.size,)
    if (node.source.dtype, node.output.dtype) != ("float32", "int16") or node.output.size != node.source.size:
        raise node.refuse(f"it makes {node.output.dtype} of {node.source.dtype}", AGAIN)
    fits = node.exponents.shape == node.zeros.shape == size
    zeros = node.zeros[(node.zeros % ZERO_UNIT != 0) | (abs(node.zeros) >= ZERO_UNIT << 23)]
    if not fits or zeros.size or np.any(abs(node.exponents) > 127):
        raise node.refuse("it does not have an exponent and a zero for each value", AGAIN)


@_rule(ir.Affine, ir.Distances)
def _affine(node: ir.Affine | ir.Distances) -> None:
    if isinstance(node, ir.Distances) or node.output.dtype != "float32":
        _require_floats(node)
    wanted = (node.output.size, node.source.size)
    tables = [node.weights, *([node.centres] if isinstance(node, ir.Distances) else [])]
    if node.bias.shape != wanted[:1] or any(table.shape != wanted for table in tables):
        raise node.refuse(f"its weights do not make {wanted[0]} values of {wanted[1]}", AGAIN)
    if not all(np.isfinite(values).all() for values in [*tables, node.bias]):
        raise node.refuse("a weight of it is not a finite number", "train it again")


@_rule(ir.Scale)
def _scale(node: ir.Scale) -> None:
    sizes = {node.source.size, node.output.size, node.first.size, node.second.size}
    if len(sizes) > 1 or {node.source.dtype, node.output.dtype} != {"float32"}:
        raise node.refuse("it does not have two parameters for each float32 value", AGAIN)


@_rule(ir.Nearest)
def _nearest(node: ir.Nearest) -> None:
    _require_floats(node)
    _require_shape(node, (node.neighbors, 2), [node.source], node.output)
    rows = (len(node.targets), node.source.size)
    if node.table.shape != rows or not 1 <= node.neighbors <= len(node.targets):
        raise node.refuse(f"its table is {node.table.shape}, for {node.neighbors} neighbours of {rows}", AGAIN)


@_rule(ir.Votes)
def _votes(node: ir.Votes) -> None:
    _require_floats(node)


@_rule(ir.Scores)
def _scores(node: ir.Scores) -> None:
    if (node.source.dtype, node.output.dtype) != ("float64", "float32"):
        raise node.refuse(f"it makes {node.output.dtype} of {node.source.dtype}", AGAIN)
    pair = node.decision is ir.Decision.THRESHOLD
    size = (1, 2) if pair else (node.source.size, node.source.size)
    _require(node, (node.source.size, node.output.size) == size, [node.source], node.output)


def _require_dtype(node: Node, tensor: Tensor, dtype: str) -> None:
    if tensor.dtype != dtype:
        raise node.refuse(f"tensor {tensor.name!r} is {tensor.dtype}, not {dtype}", AGAIN)


def _require_floats(node: ir.Unary) -> None:
    if node.source.dtype not in ("float32", "float64") or node.output.dtype != "float64":
        raise node.refuse(f"it makes {node.output.dtype} of {node.source.dtype}", AGAIN)


def _require_state(node: Node, *tensors: Tensor) -> None:
    if not all(t.is_variable for t in tensors):
        raise node.refuse("its state is not a variable of the model", AGAIN)
