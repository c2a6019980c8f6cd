"""A graph as a .tflite file, which TensorFlow Lite Micro and LiteRT run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import tflite

from ...errors import MidgeError
from ...ir import operators as ir
from ...ir.graph import Graph, Node, Quantization, Tensor
from .flatbuffer import FileGraph, FileOperator, FileTensor, to_bytes
from .operators import OPERATORS, OPTIONS, same_padding
from .versions import version_of

# The name of each class: the first that the importer reads as it.
KINDS = {entry.cls: kind for kind, entry in reversed(OPERATORS.items())}
# Tables of options that the importer does not look at.
_LSTM_GATE_SCALE = 2.0**-12  # of the gates' sums, which TensorFlow Lite fixes
_WAY_OUT = "convert it to a .midge file, which can hold it"
_FIRST_VALUES = 1  # the subgraph that CALL_ONCE runs


def to_tflite(graph: Graph) -> bytes:
    """The .tflite file of a graph as importers and the quantiser give it: before the passes of a device.

    Inputs and outputs are what their tensors store: int8 readings of a quantised model, whatever type the edges of
    the graph offer. Raises UnsupportedError for a layer that TensorFlow Lite has no operator for.
    """
    return _Writer(graph).write()


class _Writer:
    """The operators of a graph as the schema has them."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.main = FileGraph("main")
        self._indexes: dict[int, int] = {}
        self._handles: dict[str, int] = {}
        self._keep: list[Tensor] = []  # tensors made here: their ids must stay theirs

    def write(self) -> bytes:
        graph = self.graph
        for state in graph.state:
            zero = state.tensor.zero_point[0] if state.tensor.zero_point.size else 0
            if np.any(state.initial != zero):
                raise MidgeError(f"{graph.name}: its state {state.tensor.name!r} does not begin with zeros")
        self.main.inputs = [(edge.name, self.index(edge.tensor)) for edge in graph.inputs]
        graphs = [self.main]
        if graph.variables:
            graphs.append(self._variables())
        for node in graph.nodes:
            self._write(node)
        self.main.outputs = [(edge.name, self.index(edge.tensor)) for edge in graph.outputs]
        return to_bytes(graphs)

    def _write(self, node: Node) -> None:
        for cls in type(node).__mro__:
            if cls in _WRITERS:
                _WRITERS[cls](self, node)
                return
        if type(node) not in KINDS:
            raise node.refuse(
                "TensorFlow Lite has no such operator", "leave out --to tflite: a .midge file can hold it"
            )
        _plain(self, node)

    # Tensors.

    def index(self, tensor: Tensor | None) -> int:
        """The place of a tensor in the file, which it gets when it is asked for first."""
        if tensor is None:
            return -1
        if id(tensor) not in self._indexes:
            q = tensor.quantization
            self._indexes[id(tensor)] = self.main.add(
                FileTensor(
                    tensor.name,
                    tensor.shape,
                    tensor.dtype,
                    b"" if tensor.data is None else tensor.data.tobytes(),
                    q.scale.tolist() if q else (),
                    q.zero_point.tolist() if q else (),
                    q.axis if q and q.scale.size > 1 else 0,
                    tensor.is_variable,
                )
            )
        return self._indexes[id(tensor)]

    def constant(self, node: Node, what: str, data: np.ndarray, quantization: Quantization | None = None) -> Tensor:
        return self._new(Tensor(f"{node.name}/{what}", data.shape, data.dtype.name, data, quantization))

    def ints(self, node: Node, what: str, values: Any) -> Tensor:
        return self.constant(node, what, np.array(values, np.int32))

    def like(self, tensor: Tensor, what: str, shape: Sequence[int]) -> Tensor:
        """A tensor of the same kind in another shape, which no graph has."""
        return self._new(replace(tensor, name=f"{tensor.name}/{what}", shape=tuple(shape), data=None))

    def _new(self, tensor: Tensor) -> Tensor:
        self._keep.append(tensor)
        return tensor

    def with_scale(self, tensor: Tensor, scale: np.ndarray, axis: int = 0) -> Tensor:
        """A constant whose scale belongs to its layer, with that scale; as it is if it has one."""
        if tensor.quantization is not None or tensor.dtype == "float32":
            return tensor
        return self._new(replace(tensor, quantization=Quantization(scale, np.zeros(scale.size, np.int64), axis)))

    # Operators.

    def op(
        self,
        kind: str,
        inputs: Sequence[Tensor | None],
        outputs: Sequence[Tensor],
        *,
        shape: Sequence[int] | None = None,
        decides: int = 0,
        intermediates: Sequence[int] = (),
        **options: Any,
    ) -> None:
        """Adds an operator. options: under our names, or the schema's.

        shape: what the operator makes, if a RESHAPE of it is to become its only output. decides: the input whose type
        the version depends on.
        """
        table, fields = OPTIONS.get(kind, ("", {}))
        encoded = {fields.get(name, name): _encoded(name, value) for name, value in options.items()}
        made = list(outputs)
        if shape is not None and tuple(shape) != outputs[0].shape:
            made = [self.like(outputs[0], kind.lower(), shape)]
        self.main.operators.append(
            FileOperator(
                kind,
                version_of(kind, inputs[decides] if inputs else None, made[0] if made else None, encoded),
                [self.index(t) for t in inputs],
                [self.index(t) for t in made],
                table if encoded else "",
                encoded,
                intermediates,
            )
        )
        if made[0:1] != list(outputs)[0:1]:
            self.reshape(made[0], outputs[0])

    def reshape(self, source: Tensor, output: Tensor) -> None:
        shape = self._new(Tensor(f"{output.name}/shape", (len(output.shape),), "int32", np.array(output.shape, "i4")))
        self.op("RESHAPE", [source, shape], [output])

    # Variables.

    def handle(self, variable: str) -> int:
        """The tensor that stands for a variable."""
        if variable not in self._handles:
            self._handles[variable] = _handle(self.main, variable)
        return self._handles[variable]

    def _variables(self) -> FileGraph:
        """The subgraph that gives the variables their first values."""
        first = FileGraph("first_values")
        call = {"InitSubgraphIndex": _FIRST_VALUES}
        self.main.operators.append(FileOperator("CALL_ONCE", 1, [], [], "CallOnceOptions", call))
        for variable, value in self.graph.variables.items():
            constant = first.add(FileTensor(f"{variable}/first", value.shape, value.dtype.name, value.tobytes()))
            first.operators.append(FileOperator("ASSIGN_VARIABLE", 1, [_handle(first, variable), constant], []))
        return first


def _handle(graph: FileGraph, variable: str) -> int:
    index = graph.add(FileTensor(variable, (), "resource"))
    names = {"Container": "", "SharedName": variable}
    graph.operators.append(FileOperator("VAR_HANDLE", 1, [], [index], "VarHandleOptions", names))
    return index


def _encoded(name: str, value: Any) -> Any:
    if name == "activation":
        return getattr(tflite.ActivationFunctionType, getattr(value, "value", value))
    if name == "padding":
        return getattr(tflite.Padding, value)
    return value


def _operands(node: Node) -> list[Tensor | None]:
    found: list[Tensor | None] = []
    for name in node.OPERANDS:
        value = getattr(node, name)
        found += value if isinstance(value, list) else [value]
    return found


def _plain(w: _Writer, node: Node, **more: Any) -> None:
    """An operator that has its operands in our order, and its parameters in its options."""
    kind = KINDS[type(node)]
    options = {name: getattr(node, name) for name in OPTIONS.get(kind, ("", {}))[1] if hasattr(node, name)}
    w.op(kind, _operands(node), node.outputs, **options, **more)


# Convolutions and pools.


def _fitted(
    w: _Writer, node: Any, kernel: ir.Pair, dilations: ir.Pair, fill: float | None = None
) -> tuple[Tensor, str]:
    """What a window slides over, and SAME or VALID: a padding that is neither becomes a PAD in front.

    fill: the value of that PAD as the tensor stores it; None is the real 0.
    """
    source: Tensor = node.source
    sizes, outs = source.shape[1:3], node.output.shape[1:3]
    axes = list(zip(sizes, outs, kernel, node.strides, dilations, strict=True))
    same = tuple(same_padding(n, k, s, d) for n, _, k, s, d in axes)
    if node.padding == same and all(out == -(-n // s) for n, out, _, s, _ in axes):
        return source, "SAME"
    begins, lengths, pads = [], [], []
    for (n, out, k, s, d), (before, _) in zip(axes, node.padding, strict=True):
        behind = (out - 1) * s + (k - 1) * d + 1 - before - n  # what the last window needs
        begins.append(max(0, -before))
        lengths.append(n - begins[-1] - (-behind if behind <= -s else 0))
        pads.append((max(0, before), max(0, behind)))
    batch, channels = source.shape[0], source.shape[3]
    if tuple(lengths) != sizes:
        cut = w.like(source, f"{node.name}/cut", (batch, *lengths, channels))
        begin, size = w.ints(node, "begin", [0, *begins, 0]), w.ints(node, "size", [batch, *lengths, channels])
        w.op("SLICE", [source, begin, size], [cut])
        source = cut
    if any(map(any, pads)):
        framed = [n + sum(pair) for n, pair in zip(lengths, pads, strict=True)]
        padded = w.like(source, f"{node.name}/padded", (batch, *framed, channels))
        _write_pad(w, node, source, padded, [(0, 0), *pads, (0, 0)], fill)
        source = padded
    return source, "VALID"


def _weights(w: _Writer, node: ir.Weighted, source: Tensor) -> list[Tensor | None]:
    """Weights and bias with their scales: per channel along the operator's axis; a bias has that of the products."""
    weights, bias = node.weights, node.bias
    if weights.quantization is not None and weights.data is not None:
        weights = w._new(replace(weights, quantization=replace(weights.quantization, axis=node.CHANNEL_AXIS)))
    if bias is not None and source.scale.size and weights.scale.size:
        bias = w.with_scale(bias, source.scale * weights.scale)
    return [weights, bias]


def _convolution(w: _Writer, node: ir.Conv2D | ir.DepthwiseConv2D) -> None:
    source, padding = _fitted(w, node, _kernel(node.weights), node.dilations)
    weights, bias = _weights(w, node, source)
    options: dict[str, Any] = {}
    if isinstance(node, ir.DepthwiseConv2D):
        options["DepthMultiplier"] = node.weights.shape[3] // source.shape[3]
    w.op(
        KINDS[type(node)],
        [source, weights] if bias is None else [source, weights, bias],
        [node.output],
        padding=padding,
        stride_h=node.strides[0],
        stride_w=node.strides[1],
        dilation_h=node.dilations[0],
        dilation_w=node.dilations[1],
        activation=node.activation,
        **options,
    )


def _kernel(weights: Tensor) -> ir.Pair:
    return weights.shape[1], weights.shape[2]


def _transpose_conv(w: _Writer, node: ir.TransposeConv2D) -> None:
    """TensorFlow Lite knows no padding but SAME and VALID: what another one takes away in front is cut off."""
    output = node.output
    sizes = output.shape[1:3]
    befores = tuple(before for before, _ in node.padding)
    axes = list(zip(sizes, _kernel(node.weights), node.strides, strict=True))
    if befores == tuple(same_padding(n, k, s, 1)[0] for n, k, s in axes):
        padding, whole = "SAME", sizes
    elif min(befores) >= 0:
        padding, whole = "VALID", tuple(n + before for n, before in zip(sizes, befores, strict=True))
    else:
        raise node.refuse("it begins before its first pixel", "pad its output in a layer of its own")
    made = output if whole == sizes else w.like(output, "whole", (output.shape[0], *whole, output.shape[3]))
    weights, bias = _weights(w, node, node.source)
    w.op(
        "TRANSPOSE_CONV",
        [w.ints(node, "size", made.shape), weights, node.source, *([] if bias is None else [bias])],
        [made],
        decides=2,
        padding=padding,
        stride_h=node.strides[0],
        stride_w=node.strides[1],
        activation=node.activation,
    )
    if made is not output:
        begin, size = w.ints(node, "begin", [0, *befores, 0]), w.ints(node, "cut", output.shape)
        w.op("SLICE", [made, begin, size], [output])


def _dense(w: _Writer, node: ir.Dense) -> None:
    units, depth = node.weights.shape
    keeps = len(node.output.shape) != 2 and node.source.shape[-1:] == (depth,)
    shape = (*node.source.shape[:-1], units) if keeps else (node.source.size // depth, units)
    weights, bias = _weights(w, node, node.source)
    inputs = [node.source, weights, bias]
    w.op("FULLY_CONNECTED", inputs, [node.output], shape=shape, activation=node.activation, KeepNumDims=keeps)


def _pool(w: _Writer, node: ir.Pool) -> None:
    fill = None
    if isinstance(node, ir.MaxPool2D):
        kind = node.source.dtype
        fill = float(np.finfo(kind).min) if kind.startswith("float") else int(np.iinfo(kind).min)
    source, padding = _fitted(w, node, node.kernel, (1, 1), fill)
    if isinstance(node, ir.AveragePool2D) and padding == "VALID" and _reaches_out(node):
        reason = (
            f"it averages what lies in the image under a padding of {node.padding}, which is neither SAME nor VALID"
        )
        raise node.refuse(reason, "leave out --to tflite: a .midge file can hold it")
    w.op(
        KINDS[type(node)],
        [source],
        [node.output],
        padding=padding,
        stride_h=node.strides[0],
        stride_w=node.strides[1],
        kernel_h=node.kernel[0],
        kernel_w=node.kernel[1],
        activation=node.activation,
    )


def _reaches_out(node: ir.Pool) -> bool:
    axes = zip(node.source.shape[1:3], node.output.shape[1:3], node.kernel, node.strides, node.padding, strict=True)
    return any(before > 0 or (out - 1) * s + k - before > n for n, out, k, s, (before, _) in axes)


# Arithmetic and reductions.


def _sum(w: _Writer, node: ir.Add | ir.Sub) -> None:
    """General scales of int16, not powers of two."""
    _plain(w, node, PotScaleInt16=False)


def _mat_mul(w: _Writer, node: ir.MatMul) -> None:
    _plain(w, node, adj_x=node.transpose_first, adj_y=node.transpose_second)


def _reduction(w: _Writer, node: ir.Reduction) -> None:
    shapes = {
        keeps: tuple(1 if i in node.axes else n for i, n in enumerate(node.source.shape) if keeps or i not in node.axes)
        for keeps in (False, True)
    }
    keeps = shapes[True] == node.output.shape or (node.keep_dims and shapes[False] != node.output.shape)
    inputs = [node.source, w.ints(node, "axes", node.axes)]
    w.op(KINDS[type(node)], inputs, [node.output], shape=shapes[keeps], keep_dims=keeps)


def _cum_sum(w: _Writer, node: ir.CumSum) -> None:
    inputs = [node.source, w.ints(node, "axis", node.axis)]
    w.op(KINDS[type(node)], inputs, [node.output], exclusive=node.exclusive, reverse=node.reverse)


def _arg(w: _Writer, node: ir.ArgMax | ir.ArgMin) -> None:
    shape = [n for i, n in enumerate(node.source.shape) if i != node.axis]
    output_type = getattr(tflite.TensorType, node.output.dtype.upper())
    inputs = [node.source, w.ints(node, "axis", node.axis)]
    w.op(KINDS[type(node)], inputs, [node.output], shape=shape, OutputType=output_type)


# Operators that move elements.


def _reshape(w: _Writer, node: ir.Reshape | ir.Copy) -> None:
    w.reshape(node.source, node.output)


def _stack(w: _Writer, node: ir.Stack) -> None:
    _plain(w, node, ValuesCount=len(node.sources))


def _unstack(w: _Writer, node: ir.Unstack) -> None:
    _plain(w, node, Num=len(node.parts))


def _split(w: _Writer, node: ir.Split) -> None:
    sizes = [part.shape[node.axis] for part in node.parts]
    axis = w.ints(node, "axis", node.axis)
    if len(set(sizes)) == 1:
        w.op("SPLIT", [axis, node.source], node.parts, decides=1, NumSplits=len(sizes))
    else:
        w.op("SPLIT_V", [node.source, w.ints(node, "sizes", sizes), axis], node.parts, NumSplits=len(sizes))


def _slice(w: _Writer, node: ir.Slice) -> None:
    """New axes come of a RESHAPE."""
    shape = node.source.shape
    index = [i for i in node.index if i is not None]
    if Ellipsis in index:
        at = index.index(Ellipsis)
        index[at : at + 1] = [slice(None)] * (len(shape) - len(index) + 1)
    index += [slice(None)] * (len(shape) - len(index))
    begins: list[int] = []
    ends: list[int] = []
    steps: list[int] = []
    sizes: list[int] = []
    open_ends = single = 0  # masks
    for axis, (part, n) in enumerate(zip(index, shape, strict=True)):
        if isinstance(part, int):
            single |= 1 << axis
            part = slice(part % n, part % n + 1)
        assert isinstance(part, slice)
        begin, end, step = part.indices(n)
        sizes.append(len(range(begin, end, step)))
        if end < 0:  # backwards to the first element
            open_ends, end = open_ends | 1 << axis, 0
        for column, value in zip((begins, ends, steps), (begin, end, step), strict=True):
            column.append(value)
    shape = tuple(n for axis, n in enumerate(sizes) if not single >> axis & 1)
    inputs = [node.source, w.ints(node, "begin", begins)]
    if not single and all(step == 1 for step in steps):
        w.op("SLICE", [*inputs, w.ints(node, "size", sizes)], [node.output], shape=shape)
    else:
        inputs += [w.ints(node, "end", ends), w.ints(node, "strides", steps)]
        w.op("STRIDED_SLICE", inputs, [node.output], shape=shape, end_mask=open_ends, shrink_axis_mask=single)


def _transpose(w: _Writer, node: ir.Transpose) -> None:
    w.op("TRANSPOSE", [node.source, w.ints(node, "axes", node.axes)], [node.output])


def _broadcast(w: _Writer, node: ir.Broadcast) -> None:
    w.op("BROADCAST_TO", [node.source, w.ints(node, "shape", node.output.shape)], [node.output])


def _tile(w: _Writer, node: ir.Tile) -> None:
    times = [m // n for n, m in zip(node.source.shape, node.output.shape, strict=True)]
    w.op("TILE", [node.source, w.ints(node, "multiples", times)], [node.output])


def _pad(w: _Writer, node: ir.Pad) -> None:
    _write_pad(w, node, node.source, node.output, node.paddings, node.value)


def _write_pad(
    w: _Writer, node: Node, source: Tensor, output: Tensor, paddings: Sequence[ir.Pair], value: float | None
) -> None:
    pairs = w.ints(node, "paddings", paddings)
    zero = int(output.zero_point[0]) if output.zero_point.size else 0
    if value is None or value == zero:
        w.op("PAD", [source, pairs], [output])
    else:
        filling = w.constant(node, "value", np.array(value, output.dtype), output.quantization)
        w.op("PADV2", [source, pairs, filling], [output])


def _mirror_pad(w: _Writer, node: ir.MirrorPad) -> None:
    mode = tflite.MirrorPadMode.REFLECT if node.reflect else tflite.MirrorPadMode.SYMMETRIC
    w.op("MIRROR_PAD", [node.source, w.ints(node, "paddings", node.paddings)], [node.output], mode=mode)


def _reverse(w: _Writer, node: ir.Reverse) -> None:
    """LiteRT takes one axis at a time."""
    source = node.source
    for axis in node.axes:
        made = node.output if axis == node.axes[-1] else w.like(node.output, f"{node.name}/{axis}", node.output.shape)
        w.op("REVERSE_V2", [source, w.ints(node, f"axis{axis}", [axis])], [made])
        source = made


def _space_to_batch(w: _Writer, node: ir.SpaceToBatch) -> None:
    block, pairs = w.ints(node, "block", node.block), w.ints(node, "paddings", node.paddings)
    w.op("SPACE_TO_BATCH_ND", [node.source, block, pairs], [node.output])


def _batch_to_space(w: _Writer, node: ir.BatchToSpace) -> None:
    block, pairs = w.ints(node, "block", node.block), w.ints(node, "crops", node.crops)
    w.op("BATCH_TO_SPACE_ND", [node.source, block, pairs], [node.output])


def _resize(w: _Writer, node: ir.Resize) -> None:
    w.op(
        KINDS[type(node)],
        [node.source, w.ints(node, "size", node.output.shape[1:3])],
        [node.output],
        align_corners=node.align_corners,
        half_pixel_centers=node.half_pixel_centers,
    )


# Operators with a state.


def _read_variable(w: _Writer, node: ir.ReadVariable) -> None:
    w.main.operators.append(FileOperator("READ_VARIABLE", 1, [w.handle(node.variable)], [w.index(node.output)]))


def _write_variable(w: _Writer, node: ir.WriteVariable) -> None:
    w.main.operators.append(FileOperator("ASSIGN_VARIABLE", 1, [w.handle(node.variable), w.index(node.source)], []))


def _lstm(w: _Writer, node: ir.Lstm) -> None:
    """The gates' order in the file: input, forget, cell, output."""
    order = (1, 0, 2, 3)
    source = node.source
    biases = [
        w.with_scale(bias, source.scale * kernel.scale) if source.scale.size else bias
        for bias, kernel in zip(node.biases, node.kernels, strict=True)
    ]
    inputs: list[Tensor | None] = [source]
    inputs += [node.kernels[i] for i in order] + [node.recurrent[i] for i in order] + [None] * 3
    inputs += [biases[i] for i in order] + [None] * 2 + [node.hidden, node.cell] + [None] * 4
    intermediates: list[int] = []
    if source.quantization is not None:
        gates = [FileTensor(f"{node.name}/gate{i}", (0,), "int16", b"", [_LSTM_GATE_SCALE], [0]) for i in range(4)]
        intermediates = [w.main.add(gate) for gate in gates]
        intermediates.append(w.index(w.like(replace(node.hidden, is_variable=False), f"{node.name}/hidden", (0,))))
    w.op(
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        inputs,
        [node.output],
        intermediates=intermediates,
        activation="TANH",
        cell_clip=node.cell_clip,
        time_major=node.time_major,
    )


def _svdf(w: _Writer, node: ir.Svdf) -> None:
    bias = node.bias
    if bias is not None and node.state.scale.size:
        bias = w.with_scale(bias, node.state.scale * node.time_weights.scale)
    inputs = [node.source, node.feature_weights, node.time_weights, bias, node.state]
    # Integers are clamped by the output's type only.
    activation = node.activation if node.source.dtype == "float32" else ir.Activation.RELU
    w.op("SVDF", inputs, [node.output], rank=node.rank, activation=activation)


# What is not plain. A class without an entry is written as the nearest base that has one.
_WRITERS: dict[type[Node], Callable[[_Writer, Any], None]] = {
    ir.Conv2D: _convolution,
    ir.DepthwiseConv2D: _convolution,
    ir.TransposeConv2D: _transpose_conv,
    ir.Dense: _dense,
    ir.Pool: _pool,
    ir.Add: _sum,
    ir.Sub: _sum,
    ir.MatMul: _mat_mul,
    ir.Reduction: _reduction,
    ir.ArgMax: _arg,
    ir.ArgMin: _arg,
    ir.CumSum: _cum_sum,
    ir.Reshape: _reshape,
    ir.Copy: _reshape,
    ir.Stack: _stack,
    ir.Unstack: _unstack,
    ir.Split: _split,
    ir.Slice: _slice,
    ir.Transpose: _transpose,
    ir.Broadcast: _broadcast,
    ir.Tile: _tile,
    ir.Pad: _pad,
    ir.MirrorPad: _mirror_pad,
    ir.Reverse: _reverse,
    ir.SpaceToBatch: _space_to_batch,
    ir.BatchToSpace: _batch_to_space,
    ir.Resize: _resize,
    ir.ReadVariable: _read_variable,
    ir.WriteVariable: _write_variable,
    ir.Lstm: _lstm,
    ir.Svdf: _svdf,
}
