"""Transposes taken out, by storing tensors with their axes in another order.

Importers of frameworks whose pictures have their channels in front put a Transpose before and behind every layer that
wants them last. Most operators take their axes in any order. So each axis of each tensor gets a label, the same on both
sides of such an operator; one order of the labels then says how all tensors that hang together are stored. That order
is chosen with which the fewest elements are moved at those layers that want their axes as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from ..ir import operators as ir
from ..ir.graph import Graph, Node, Tensor
from .words import count

Label = int
Place = tuple[Tensor, int]  # an axis of a tensor
ROUNDS = 4  # of moving transposes past reshapes and taking out what cancels then


def cancel_transposes(graph: Graph, edges: bool = False) -> str:
    """Takes out transposes. edges: inputs and outputs of the model may change the order of their axes, too; Edge.axes
    then tells. Importers say so, before anything relies on what the inputs are like."""
    before = sum(map(moves_elements, graph.nodes))
    if not before:
        return ""
    _drop_unread(graph)
    for _ in range(ROUNDS):
        made = _order_axes(graph, edges)
        made += _absorb_in_weights(graph)
        made += _pass_reshapes(graph)
        if not made:
            break
    _simplify(graph)
    return count(before - sum(map(moves_elements, graph.nodes)), "transpose that cancels", "transposes that cancel")


def moves_elements(node: Node) -> bool:
    """Whether it is a transpose of more than axes of 1."""
    return isinstance(node, ir.Transpose) and _moves(node.source.shape, node.axes)


def _moves(shape: Sequence[int], axes: Sequence[int]) -> bool:
    kept = [a for a in axes if shape[a] != 1]
    return kept != sorted(kept)


def _drop_unread(graph: Graph) -> None:
    """Transposes that nothing reads: importers make them on trial."""
    read = {id(t) for node in graph.nodes for t in node.inputs} | {id(e.tensor) for e in graph.outputs}
    graph.nodes = [n for n in graph.nodes if not isinstance(n, ir.Transpose) or id(n.output) in read]


# Which axes of an operator's tensors are the same. An operator without a function here wants its axes as they are.


def _all_axes(node: Node) -> Iterator[tuple[Place, Place]] | None:
    """Of operators whose tensors have as many axes each, one like the other."""
    output = node.outputs[0]
    tensors = [t for t in (*node.inputs, *node.outputs) if t.data is None]
    if any(len(t.shape) != len(output.shape) for t in tensors):
        return None
    if any(len(t.shape) > len(output.shape) for t in node.inputs):
        return None
    return (((tensor, axis), (output, axis)) for tensor in tensors for axis in range(len(output.shape)))


def _elements(node: ir.Unary) -> Iterator[tuple[Place, Place]] | None:
    return _all_axes(node) if node.source.shape == node.output.shape else None


def _reduced(node: ir.Reduction) -> Iterator[tuple[Place, Place]] | None:
    shape = node.source.shape
    if node.keep_dims:
        expected = tuple(1 if a in node.axes else n for a, n in enumerate(shape))
        return _all_axes(node) if node.output.shape == expected else None
    return _without(node.source, node.output, node.axes)


def _without(whole: Tensor, part: Tensor, axes: Sequence[int]) -> Iterator[tuple[Place, Place]] | None:
    """The axes of `part` are those of `whole` without some."""
    kept = [a for a in range(len(whole.shape)) if a not in axes]
    if part.shape != tuple(whole.shape[a] for a in kept):
        return None
    return (((whole, a), (part, i)) for i, a in enumerate(kept))


def _parts(node: ir.Split) -> Iterator[tuple[Place, Place]]:
    return (((part, axis), (node.source, axis)) for part in node.parts for axis in range(len(part.shape)))


def _stacked(node: ir.Stack | ir.Unstack) -> Iterator[tuple[Place, Place]] | None:
    whole, parts = (node.output, node.sources) if isinstance(node, ir.Stack) else (node.source, node.parts)
    if any(t.data is not None for t in parts):
        return None
    pairs = [_without(whole, part, (node.axis,)) for part in parts]
    return (pair for own in pairs if own is not None for pair in own) if None not in pairs else None


def _sliced(node: ir.Slice) -> Iterator[tuple[Place, Place]] | None:
    index = _full_index(node)
    return None if index is None else _sliced_axes(node, [a for a, at in enumerate(index) if isinstance(at, slice)])


def _sliced_axes(node: ir.Slice, kept: list[int]) -> Iterator[tuple[Place, Place]]:
    return (((node.source, a), (node.output, i)) for i, a in enumerate(kept))


def _full_index(node: ir.Slice) -> list[slice | int] | None:
    """An index for each axis; None if it makes axes."""
    index, rank = list(node.index), len(node.source.shape)
    if any(at is None for at in index):
        return None
    if Ellipsis in index:
        at = index.index(Ellipsis)
        index[at : at + 1] = [slice(None)] * (rank - len(index) + 1)
    index += [slice(None)] * (rank - len(index))
    return [at for at in index if isinstance(at, slice | int)]


def _transposed(node: ir.Transpose) -> Iterator[tuple[Place, Place]]:
    return (((node.source, a), (node.output, i)) for i, a in enumerate(node.axes))


def _reshaped(node: ir.Reshape) -> Iterator[tuple[Place, Place]] | None:
    """Where only axes of 1 come or go."""
    a, b = node.source.shape, node.output.shape
    if [n for n in a if n != 1] != [n for n in b if n != 1]:
        return None
    pairs: list[tuple[Place, Place]] = []
    i = j = 0
    while i < len(a) and j < len(b):
        if a[i] == b[j]:
            pairs.append(((node.source, i), (node.output, j)))
            i, j = i + 1, j + 1
        elif a[i] == 1:
            i += 1
        else:
            j += 1
    return iter(pairs)


def _gathered(node: ir.Gather) -> Iterator[tuple[Place, Place]] | None:
    if node.indexes.data is None or node.batch_dims or len(node.indexes.shape) > 1:
        return None
    if not node.indexes.shape:
        return _without(node.source, node.output, (node.axis,))
    return (((node.source, a), (node.output, a)) for a in range(len(node.source.shape)))


# The same operators with their axes in another order: `axes(tensor)` says which of its axes stand where.
Axes = Callable[[Tensor], Sequence[int]]


def _keep(node: Node, axes: Axes) -> None:
    """Constants are broadcast to the output."""
    output = node.outputs[0]
    for tensor in node.inputs:
        if tensor.data is not None and tensor.size > 1:
            order, rank = axes(output), len(output.shape)
            data = tensor.data.reshape((1,) * (rank - tensor.data.ndim) + tensor.shape).transpose(order)
            node.replace_input(tensor, replace(tensor, shape=data.shape, data=np.ascontiguousarray(data)))


def _move_axis(node: Any, axes: Axes) -> None:
    _keep(node, axes)
    whole = node.output if isinstance(node, ir.Stack | ir.Concatenate) else node.source
    node.axis = list(axes(whole)).index(node.axis)


def _move_axes(node: Any, axes: Axes) -> None:
    order = list(axes(node.source))
    node.axes = tuple(sorted(order.index(a) for a in node.axes))


def _move_index(node: ir.Slice, axes: Axes) -> None:
    index = _full_index(node)
    assert index is not None
    node.index = tuple(index[a] for a in axes(node.source))


def _move_paddings(node: ir.Pad | ir.MirrorPad, axes: Axes) -> None:
    node.paddings = tuple(node.paddings[a] for a in axes(node.source))


def _move_gather(node: ir.Gather, axes: Axes) -> None:
    node.axis = list(axes(node.source)).index(node.axis)


def _move_transpose(node: ir.Transpose, axes: Axes) -> None:
    source = list(axes(node.source))
    node.axes = tuple(source.index(node.axes[a]) for a in axes(node.output))


def _nothing(node: Node, axes: Axes) -> None: ...


_Related = Callable[[Any], "Iterator[tuple[Place, Place]] | None"]
_FLEXIBLE: dict[type[Node], tuple[_Related, Callable[[Any, Axes], None]]] = {
    ir.Elementwise: (_elements, _nothing),
    ir.Copy: (_elements, _nothing),
    ir.Binary: (_all_axes, _keep),
    ir.Select: (_all_axes, _keep),
    ir.AddN: (_all_axes, _keep),
    ir.Concatenate: (_all_axes, _move_axis),
    ir.Split: (_parts, _move_axis),
    ir.Stack: (_stacked, _move_axis),
    ir.Unstack: (_stacked, _move_axis),
    ir.Reduction: (_reduced, _move_axes),
    ir.ArgMax: (lambda node: _without(node.source, node.output, (node.axis,)), _move_axis),
    ir.ArgMin: (lambda node: _without(node.source, node.output, (node.axis,)), _move_axis),
    ir.CumSum: (_elements, _move_axis),
    ir.Slice: (_sliced, _move_index),
    ir.Pad: (_all_axes, _move_paddings),
    ir.MirrorPad: (_all_axes, _move_paddings),
    ir.Reverse: (_elements, _move_axes),
    ir.Broadcast: (_all_axes, _nothing),
    ir.Tile: (_all_axes, _nothing),
    ir.Gather: (_gathered, _move_gather),
    ir.Transpose: (_transposed, _move_transpose),
    ir.Reshape: (_reshaped, _nothing),
}


def _rule(node: Node) -> tuple[_Related, Callable[[Any, Axes], None]] | None:
    return next((_FLEXIBLE[kind] for kind in type(node).__mro__ if kind in _FLEXIBLE), None)


def _pairs(node: Node) -> list[tuple[Place, Place]] | None:
    """Which axes are the same; None if the operator wants its axes as they are."""
    rule = _rule(node)
    tensors = [*node.inputs, *node.outputs]
    if rule is None or any(t.is_variable or t.scale.size > 1 for t in tensors):
        return None
    if all(t.data is not None for t in node.inputs):
        return None
    pairs = rule[0](node)
    return None if pairs is None else list(pairs)


class _Labels:
    """The labels of all axes (the same where operators say so), and which tensors hang together."""

    def __init__(self, graph: Graph) -> None:
        self.tensors = {id(t): t for n in graph.nodes for t in (*n.inputs, *n.outputs) if t.data is None}
        self.tensors |= {id(e.tensor): e.tensor for e in (*graph.inputs, *graph.outputs) if e.tensor.data is None}
        self.flexible: list[Node] = []
        self.rigid: list[Node] = []
        self._parent: dict[object, object] = {}
        for node in graph.nodes:
            pairs = _pairs(node)
            (self.rigid if pairs is None else self.flexible).append(node)
            for (a, i), (b, j) in pairs or ():
                self._join((id(a), i), (id(b), j))
            if pairs is not None:
                joined = [t for t in (*node.inputs, *node.outputs) if t.data is None]
                for tensor in joined:
                    self._join(id(tensor), id(joined[0]))
        numbers: dict[object, int] = {}
        self.of: dict[int, list[Label]] = {
            key: [numbers.setdefault(self._root((key, i)), len(numbers)) for i in range(len(t.shape))]
            for key, t in self.tensors.items()
        }

    def group(self, tensor: Tensor) -> object:
        return self._root(id(tensor))

    def _root(self, key: object) -> object:
        while (parent := self._parent.get(key, key)) != key:
            key = parent
        return key

    def _join(self, a: object, b: object) -> None:
        self._parent[self._root(a)] = self._root(b)


def _order_axes(graph: Graph, edges: bool) -> int:
    """Chooses an order of axes for each group of tensors that has transposes; how many groups got a better one."""
    labels = _Labels(graph)
    groups: dict[object, list[Node]] = {}
    for node in labels.flexible:
        if moves_elements(node):
            groups.setdefault(labels.group(node.outputs[0]), []).append(node)
    chosen: dict[int, list[int]] = {}
    improved = 0
    for key, transposes in groups.items():
        members = [t for t in labels.tensors.values() if labels.group(t) == key]
        if any(len(set(labels.of[id(t)])) < len(t.shape) for t in members):
            continue  # two axes of one tensor are the same
        orders = _best_orders(graph, labels, members, edges)
        cost = sum(n.source.size for n in transposes if isinstance(n, ir.Transpose))
        if orders is not None and orders[0] < cost:
            chosen |= orders[1]
            improved += 1
    if chosen:
        _rewrite(graph, labels, chosen, edges)
    return improved


def _best_orders(
    graph: Graph, labels: _Labels, members: list[Tensor], free_edges: bool
) -> tuple[float, dict[int, list[int]]] | None:
    """What the best order costs, in elements, and the order of each tensor's axes by its id."""
    ids = {id(t) for t in members}
    made = {id(t) for n in labels.rigid for t in n.outputs if id(t) in ids}
    read = {id(t): t for n in labels.rigid if not _absorbed(graph, n) for t in n.inputs if id(t) in ids}
    flexible = {id(t) for n in labels.flexible for t in n.inputs}
    edges = {id(e.tensor) for e in (*graph.inputs, *graph.outputs)} if free_edges else set()
    if not free_edges:
        made |= {id(e.tensor) for e in graph.inputs} & ids
        read |= {id(e.tensor): e.tensor for e in graph.outputs if id(e.tensor) in ids}
    fixed = [t for t in members if id(t) in made or id(t) in read]
    fixed.sort(key=lambda t: -t.size)
    rest = [t for t in members if id(t) not in made and id(t) not in read]
    best: tuple[float, dict[int, list[int]]] | None = None
    for leader in [t for t in fixed if t.size > 1][:16] or members[:1]:
        order = _total([leader, *fixed, *rest], labels)
        axes = {id(t): sorted(range(len(t.shape)), key=lambda a: order[labels.of[id(t)][a]]) for t in members}
        cost = 0.0
        for tensor in members:
            if not _moves(tensor.shape, axes[id(tensor)]):
                continue
            key = id(tensor)
            cost += 0.5 * (key in edges)
            if key in made:
                cost += tensor.size * (key in flexible or key in edges)
            elif key in read:
                cost += tensor.size
        if best is None or cost < best[0]:
            best = cost, axes
    return best


def _total(tensors: list[Tensor], labels: _Labels) -> dict[Label, int]:
    """The place of each label: as the first tensors have them, then the others where they leave a choice."""
    order: list[Label] = []
    for tensor in tensors:
        own = labels.of[id(tensor)]
        for i, label in enumerate(own):
            if label not in order:
                behind = order.index(own[i - 1]) + 1 if i else 0
                order.insert(behind, label)
    return {label: place for place, label in enumerate(order)}


def _rewrite(graph: Graph, labels: _Labels, axes: dict[int, list[int]], edges: bool) -> None:
    """Stores the tensors with their axes in these orders; transposes stand where a layer wants another."""
    changed = {key: order for key, order in axes.items() if order != sorted(order)}

    def order_of(tensor: Tensor) -> Sequence[int]:
        return changed.get(id(tensor), range(len(tensor.shape)))

    for node in labels.flexible:
        if any(id(t) in changed for t in (*node.inputs, *node.outputs)):
            rule = _rule(node)
            assert rule is not None
            rule[1](node, order_of)
    originals: dict[int, Tensor] = {}  # with their axes as they were
    nodes: list[Node] = []

    def original(tensor: Tensor) -> Tensor:
        """Where something before made it, that; else a transpose of the tensor."""
        if id(tensor) not in originals:
            made = originals[id(tensor)] = replace(tensor, name=f"{tensor.name}/order")
            back = tuple(int(a) for a in np.argsort(changed[id(tensor)]))
            nodes.append(ir.Transpose(name=made.name, source=tensor, output=made, axes=back))
        return originals[id(tensor)]

    def made_as_it_was(tensor: Tensor) -> Tensor:
        made = originals[id(tensor)] = replace(tensor, name=f"{tensor.name}/order")
        nodes.append(ir.Transpose(name=tensor.name, source=made, output=tensor, axes=tuple(changed[id(tensor)])))
        return made

    for edge in graph.inputs if not edges else ():
        if id(edge.tensor) in changed:
            edge.tensor = made_as_it_was(edge.tensor)
    rigid = {id(n) for n in labels.rigid}
    for node in graph.nodes:
        if id(node) not in rigid:
            nodes.append(node)
            continue
        for tensor in node.inputs:
            if id(tensor) in changed:
                node.replace_input(tensor, original(tensor))
        nodes.append(node)
        for tensor in node.outputs:
            if id(tensor) in changed:
                node.replace_output(tensor, made_as_it_was(tensor))
    for edge in (*graph.inputs, *graph.outputs) if edges else ():
        if id(edge.tensor) in changed:
            known = edge.axes or tuple(range(len(edge.tensor.shape)))
            edge.axes = tuple(known[a] for a in changed[id(edge.tensor)])
    for edge in graph.outputs if not edges else ():
        if id(edge.tensor) in changed:
            edge.tensor = original(edge.tensor)
    graph.nodes = nodes
    for key, order in changed.items():
        tensor = labels.tensors[key]
        tensor.shape = tuple(tensor.shape[a] for a in order)
    _simplify(graph)


def _simplify(graph: Graph) -> None:
    """Takes out transposes and reshapes that change nothing; transposes of axes of 1 become reshapes."""
    for node in list(graph.nodes):
        if not isinstance(node, ir.Transpose | ir.Reshape):
            continue
        if isinstance(node, ir.Transpose) and not moves_elements(node) and node.source.shape != node.output.shape:
            at = graph.nodes.index(node)
            graph.nodes[at] = ir.Reshape(name=node.name, kind=node.kind, source=node.source, output=node.output)
        elif node.source.shape == node.output.shape and not moves_elements(node):
            _bypass(graph, node)
    _drop_unread(graph)


def _bypass(graph: Graph, node: ir.Transpose | ir.Reshape) -> None:
    """Takes a layer out whose output is its input."""
    source, output = node.source, node.output
    maker = graph.producer(source)
    if graph.is_output(output) and (maker is None or graph.is_output(source)):
        return
    graph.nodes.remove(node)
    graph.replace(output, source)


# Layers with constant weights take their inputs in any order of elements, if the weights have it too.


def _absorbed(graph: Graph, node: Node) -> bool:
    return isinstance(node, ir.Reshape) and _readers_in_any_order(graph, node) is not None


def _readers_in_any_order(graph: Graph, node: ir.Reshape) -> list[tuple[Node, str]] | None:
    """Of a reshape to rows whose elements only Dense layers and functions of elements read: those operators, and their
    fields with constants of as many elements. None if something else reads it."""
    row = node.output
    if row.size != row.shape[-1:][0] if row.shape else True:
        return None
    found: list[tuple[Node, str]] = []
    tensors = [row]
    for tensor in tensors:
        if graph.is_output(tensor) or tensor.scale.size > 1:
            return None
        for reader in graph.consumers(tensor):
            if isinstance(reader, ir.Dense) and reader.source is tensor:
                if reader.weights.data is None or reader.weights.shape[1] != row.size:
                    return None
                found.append((reader, "weights"))
                continue
            if isinstance(reader, ir.Binary):
                other = "second" if reader.first is tensor else "first"
                constant: Tensor = getattr(reader, other)
                if constant.data is None or constant.size not in (1, row.size):
                    return None
                if constant.size > 1:
                    found.append((reader, other))
            elif not isinstance(reader, ir.Elementwise | ir.Copy):
                return None
            output = reader.outputs[0]
            if output.shape[-1:] != (row.size,) or output.size != row.size:
                return None
            if output not in tensors:
                tensors.append(output)
    return found


def _absorb_in_weights(graph: Graph) -> int:
    """Takes out transposes before rows that only Dense layers read, by moving their weights."""
    done = 0
    for node in list(graph.nodes):
        before = graph.producer(node.source) if isinstance(node, ir.Reshape) else None
        if not isinstance(node, ir.Reshape) or not isinstance(before, ir.Transpose) or not moves_elements(before):
            continue
        readers = _readers_in_any_order(graph, node)
        if readers is None:
            continue
        # The element that stood at place i of the row stands at places[i] without the transpose.
        places = np.arange(node.source.size).reshape(before.source.shape).transpose(before.axes).reshape(-1)
        back = np.argsort(places)
        for reader, field in readers:
            constant: Tensor = getattr(reader, field)
            assert constant.data is not None
            data = np.ascontiguousarray(constant.data[..., back])
            setattr(reader, field, replace(constant, data=data))
        node.source = before.source
        done += 1
    _drop_unread(graph)
    return done


# A transpose before a reshape that merges or splits axes can stand behind it.


def _pass_reshapes(graph: Graph) -> int:
    """Moves transposes behind reshapes, towards further transposes that they may cancel with."""
    done = 0
    for node in list(graph.nodes):
        before = graph.producer(node.source) if isinstance(node, ir.Reshape) else None
        if not isinstance(node, ir.Reshape) or not isinstance(before, ir.Transpose) or not moves_elements(before):
            continue
        readers = graph.consumers(node.output)
        if graph.is_output(node.output) or not readers or not all(isinstance(r, ir.Transpose) for r in readers):
            continue
        blocks = _blocks(node.source.shape, node.output.shape)
        if blocks is None or len(blocks) < 2:
            continue
        _swap(graph, before, node, blocks)
        done += 1
    _simplify(graph)
    return done


def _blocks(source: Sequence[int], output: Sequence[int]) -> list[tuple[list[int], list[int]]] | None:
    """Axes of the source beside those of the output that hold the same elements; None if both sides have several."""
    blocks: list[tuple[list[int], list[int]]] = []
    i = j = 0
    while i < len(source) or j < len(output):
        a, b = [i][: len(source) - i], [j][: len(output) - j]
        i, j = i + len(a), j + len(b)
        while prod(source[k] for k in a) != prod(output[k] for k in b):
            if prod(source[k] for k in a) < prod(output[k] for k in b):
                a.append(i)
                i += 1
            else:
                b.append(j)
                j += 1
        if len(a) > 1 and len(b) > 1:
            return None
        blocks.append((a, b))
    return blocks


def _swap(graph: Graph, before: ir.Transpose, node: ir.Reshape, blocks: list[tuple[list[int], list[int]]]) -> None:
    """Transpose, Reshape becomes: a Transpose within blocks of axes (often none), Reshape, a Transpose of blocks."""
    source = before.source
    order = sorted(range(len(blocks)), key=lambda b: min((before.axes[a] for a in blocks[b][0]), default=0))
    inner = tuple(before.axes[a] for b in order for a in blocks[b][0])
    axes = [a for b in order for a in blocks[b][1]]  # of the output, in the order in which the reshape makes them
    shape = tuple(node.output.shape[a] for a in axes)
    within = replace(source, name=f"{node.name}/within", shape=tuple(source.shape[a] for a in inner), data=None)
    row = replace(node.output, name=f"{node.name}/order", shape=shape)
    chain: list[Node] = [
        ir.Transpose(name=within.name, source=source, output=within, axes=inner),
        ir.Reshape(name=row.name, kind=node.kind, source=within, output=row),
        ir.Transpose(name=node.name, source=row, output=node.output, axes=tuple(int(a) for a in np.argsort(axes))),
    ]
    at = graph.nodes.index(node)
    graph.nodes[at : at + 1] = chain
