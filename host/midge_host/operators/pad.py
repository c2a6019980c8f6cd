"""PAD with zeros, where a convolution did not take it in."""

from __future__ import annotations

from ..graph import Graph, Node
from ..program import Context, Step


def paddings(node: Node) -> list[tuple[int, int]]:
    """(before, after) for each dimension."""
    tensor = node.inputs[1]
    if tensor is None or tensor.data is None:
        raise node.refuse("its paddings are computed by the model", "use constant paddings")
    pairs = [(int(a), int(b)) for a, b in tensor.data.reshape(-1, 2)]
    if any(v < 0 for pair in pairs for v in pair):
        raise node.refuse(f"its paddings {pairs} are negative", "use a crop layer")
    source, output = node.inputs[0], node.outputs[0]
    if tuple(n + sum(pair) for n, pair in zip(source.shape, pairs, strict=False)) != output.shape:
        raise node.refuse(f"its paddings {pairs} do not make {source.shape} {output.shape}", "export the model again")
    return pairs


def lower(graph: Graph, node: Node) -> list[Step]:
    source, output = node.inputs[0], node.outputs[0]
    if len(source.shape) > 4:
        raise node.refuse(f"it pads {len(source.shape)} dimensions, the limit is 4", "reshape before it")
    if node.per_tensor(source) != node.per_tensor(output):
        raise node.refuse("input and output have different scales", "export the model again with TFLiteConverter")
    _, zero = node.per_tensor(output)
    lead = 4 - len(source.shape)
    pairs = paddings(node)
    fields = {
        "in_shape": (1,) * lead + source.shape,
        "before": (0,) * lead + tuple(before for before, _ in pairs),
        "out_shape": (1,) * lead + output.shape,
        "value": zero,
    }
    return [Step("PAD", node.name, [source], output, fields)]


def run(context: Context) -> None:
    op = context.op
    out = context.tensor(op["out_shape"], "output")
    out[:] = op["value"]
    inside = tuple(slice(b, b + n) for b, n in zip(op["before"], op["in_shape"], strict=True))
    out[inside] = context.tensor(op["in_shape"])
