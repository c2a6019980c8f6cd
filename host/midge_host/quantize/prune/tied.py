"""Which channels of a graph of floats stay or go together, and what it takes to leave some out.

Tensors that a layer takes channel by channel (depthwise convolutions, pools, functions, sums of branches) have the
same channels. In memory, element i of a tensor of n channels belongs to channel i mod n, whatever dimensions a reshape
gives it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np

from ...ir import operators as ir
from ...ir.graph import Graph, Node, Tensor


@dataclass(eq=False)
class Channels:
    """The channels of tensors that are tied to one another.

    fixed: whether all have to stay. makers: the layers whose rows of weights make a channel each; depthwise: those that
    have weights for each; constants: (node, operand) of values for each; readers: the layers that mix them.
    """

    size: int
    fixed: bool = False
    tensors: list[Tensor] = field(default_factory=list)
    makers: list[ir.Weighted] = field(default_factory=list)
    depthwise: list[ir.DepthwiseConv2D] = field(default_factory=list)
    constants: list[tuple[Node, str]] = field(default_factory=list)
    readers: list[ir.Weighted] = field(default_factory=list)

    @property
    def may_go(self) -> bool:
        return not self.fixed and self.size > 1 and bool(self.readers)


class Tied(dict[int, Channels]):
    """By the id of a tensor."""

    def __init__(self, graph: Graph) -> None:
        self._readers = Counter(id(n.weights) for n in graph.nodes if isinstance(n, ir.Weighted))
        for edge in graph.inputs:
            self._add(edge.tensor, fixed=True)
        for node in graph.nodes:
            if not self._follow(node):
                for tensor in node.inputs:
                    if id(tensor) in self:
                        self[id(tensor)].fixed = True
                for tensor in node.outputs:
                    self._add(tensor, fixed=True)
        for tensor in [*(e.tensor for e in graph.outputs), *(t for tensors in graph.alike for t in tensors)]:
            if id(tensor) in self:
                self[id(tensor)].fixed = True

    def all(self) -> list[Channels]:
        """In the order in which they are made."""
        return list(dict.fromkeys(self.values()))

    def _add(self, tensor: Tensor, fixed: bool = False) -> Channels:
        made = self[id(tensor)] = Channels((1, *tensor.shape)[-1], fixed, [tensor])
        return made

    def _join(self, tensor: Tensor, channels: Channels) -> bool:
        self[id(tensor)] = channels
        channels.tensors.append(tensor)
        return True

    def _merge(self, kept: Channels, other: Channels) -> None:
        if kept is other:
            return
        kept.fixed |= other.fixed
        for name in ("tensors", "makers", "depthwise", "constants", "readers"):
            getattr(kept, name).extend(getattr(other, name))
        for tensor in other.tensors:
            self[id(tensor)] = kept

    def _follow(self, node: Node) -> bool:
        """Whether it is known what a layer does with channels; then they are noted."""
        if isinstance(node, ir.Weighted):
            return self._follow_weighted(node)
        if isinstance(node, ir.Clamped | ir.Maximum | ir.Minimum | ir.PRelu):
            return self._follow_pair(node)
        if not isinstance(node, ir.Unary | ir.Pad) or id(node.source) not in self:
            return False
        channels = self[id(node.source)]
        last = len(node.source.shape) - 1
        if isinstance(node, ir.Reshape):
            fits = bool(node.output.shape) and node.output.shape[-1] % channels.size == 0
        else:
            fits = last >= 0 and node.source.shape[-1:] == node.output.shape[-1:] == (channels.size,)
            if isinstance(node, ir.Reduction):
                fits &= last not in node.axes
            elif isinstance(node, ir.Pad):
                fits &= node.paddings[-1] == (0, 0)
            else:
                fits &= isinstance(node, ir.Elementwise | ir.Pool | ir.Copy)
        return fits and self._join(node.output, channels)

    def _follow_weighted(self, node: ir.Weighted) -> bool:
        constant = node.weights.data is not None and (node.bias is None or node.bias.data is not None)
        channels = self.get(id(node.source))
        if channels is None or not constant or self._readers[id(node.weights)] > 1:
            return False
        if isinstance(node, ir.DepthwiseConv2D):
            if node.source.shape[-1] == 1:
                channels.fixed = True
            elif node.output.shape[-1] == node.source.shape[-1] == channels.size:
                channels.depthwise.append(node)
                return self._join(node.output, channels)
            else:
                return False
        elif isinstance(node, ir.Dense):
            if node.weights.shape[1] % channels.size or node.output.shape[-1] != node.weights.shape[0]:
                return False
            channels.readers.append(node)
        elif isinstance(node, ir.Conv2D) and node.weights.shape[3] == node.source.shape[-1] == channels.size:
            channels.readers.append(node)
        else:
            return False
        self._add(node.output).makers.append(node)
        return True

    def _follow_pair(self, node: ir.Binary) -> bool:
        computed = [t for t in (node.first, node.second) if t.data is None]
        if not computed or any(id(t) not in self for t in computed):
            return False
        channels = self[id(computed[0])]
        if any(t.shape[-1:] != (channels.size,) for t in [*computed, node.output]):
            return False
        for name in ("first", "second"):
            data = getattr(node, name).data
            if data is None or data.size == 1:
                continue
            if data.size != channels.size or data.shape[-1] != channels.size:
                return False
            channels.constants.append((node, name))
        if len(computed) == 2:
            other = self[id(computed[1])]
            if other.size != channels.size:
                return False
            self._merge(channels, other)
        return self._join(node.output, channels)


def columns(node: ir.Weighted, size: int) -> np.ndarray:
    """(size, n) of the numbers that the columns of `as_matrix` have for each of the channels that it reads."""
    depth = int(np.prod(node.weights.shape[1:]))
    return np.arange(depth).reshape(-1, size).T


def as_matrix(node: ir.Weighted) -> np.ndarray:
    """(outputs, values of a window) of a layer that mixes channels; float64."""
    return np.asarray(node.weights.data, np.float64).reshape(node.weights.shape[0], -1)


def set_matrix(node: ir.Weighted, matrix: np.ndarray, bias: np.ndarray) -> None:
    node.weights = replace(node.weights, data=matrix.reshape(node.weights.shape).astype(np.float32))
    name = node.bias.name if node.bias is not None else f"{node.weights.name}/bias"
    node.bias = Tensor(name, bias.shape, "float32", bias.astype(np.float32))


def multiplications(node: ir.Weighted) -> int:
    """Multiply-accumulates of a layer."""
    if isinstance(node, ir.TransposeConv2D):
        return node.source.size * (node.weights.size // node.weights.shape[3])
    return node.output.size * (node.weights.size // node.weights.shape[node.CHANNEL_AXIS])


def narrow(channels: Channels, kept: np.ndarray) -> None:
    """Leaves the graph those of the channels whose numbers are in `kept`."""
    for maker in [*channels.makers, *channels.depthwise]:
        maker.weights = _taken(maker.weights, kept, maker.CHANNEL_AXIS)
        if maker.bias is not None:
            maker.bias = _taken(replace(maker.bias, shape=(channels.size,)), kept, 0)
    for node, name in channels.constants:
        tensor = getattr(node, name)
        setattr(node, name, _taken(tensor, kept, len(tensor.shape) - 1))
    for reader in channels.readers:
        if isinstance(reader, ir.Dense):
            at = columns(reader, channels.size)[kept].T.reshape(-1)
            reader.weights = _taken(reader.weights, at, 1)
        else:
            reader.weights = _taken(reader.weights, kept, 3)
    for tensor in channels.tensors:
        tensor.shape = (*tensor.shape[:-1], tensor.shape[-1] // channels.size * len(kept))
    channels.size = len(kept)


def _taken(tensor: Tensor, kept: np.ndarray, axis: int) -> Tensor:
    assert tensor.data is not None
    data = np.ascontiguousarray(tensor.data.reshape(tensor.shape).take(kept, axis))
    return replace(tensor, data=data, shape=data.shape)
