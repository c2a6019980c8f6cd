"""What the records of a model give as real numbers, layer by layer.

A file says the scales of its inputs and outputs; a board needs no others. Those of what lies between are kept in its
provenance (INFO), where a board does not look, so that a file can be compared with its source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..device.model_file import ModelFile
from ..device.program import Program
from ..errors import MidgeError
from ..ir import batch
from ..ir.graph import Graph, Tensor
from .readings import encoded

KEY = "layers"  # of ModelFile.info


@dataclass(frozen=True)
class Layer:
    """A tensor that a record completes: real = scale * (stored - zero_point). name: of the node that gives it in the
    source. live: (channels,) bool, of a tensor whose other channels left; empty where all stayed. rescaled: its
    channels have factors that the source's have not, as equalising gives them."""

    record: int
    name: str
    dtype: str
    scale: float
    zero_point: int
    live: np.ndarray
    rescaled: bool = False

    def stored(self, model: ModelFile, arena: np.ndarray) -> np.ndarray:
        """The integers that the arena holds once the record has run: (rows, channels that stayed), or (n,)."""
        record = model.records[self.record]
        data = arena[record["output"] : record["output"] + record["output_bytes"]]
        values = np.frombuffer(data.tobytes(), self.dtype)
        return values.reshape(-1, int(self.live.sum())) if self.live.size else values

    def real(self, stored: np.ndarray) -> np.ndarray:
        return (stored.astype(np.float32) - np.float32(self.zero_point)) * np.float32(self.scale)

    def of(self, source: np.ndarray) -> np.ndarray | None:
        """The part of the source's tensor that `stored` shows, in its shape; None if they do not fit together."""
        if not self.live.size:
            return source.reshape(-1)
        return source.reshape(-1, self.live.size)[:, self.live] if source.size % self.live.size == 0 else None

    @property
    def limits(self) -> tuple[float, float]:
        """The least and the greatest real value that it can hold."""
        low, high = self.real(np.array([np.iinfo(self.dtype).min, np.iinfo(self.dtype).max]))
        return float(low), float(high)


def layers_of(program: Program, names: Mapping[Tensor, str]) -> list[Layer]:
    """Those of a program whose tensors have one scale, in the order of its records. names: the nodes that made them."""
    last = {step.output: i for i, step in enumerate(program.steps) if i >= program.init_count}
    found = []
    for tensor, index in last.items():
        if tensor.scale.size == 1:
            live = program.live.get(tensor, np.zeros(0, bool))
            numbers = float(tensor.scale[0]), int(tensor.zero_point[0])
            found.append(Layer(index, names[tensor], tensor.dtype, *numbers, live))
    return sorted(found, key=lambda layer: layer.record)


def mark_rescaled(
    layers: Sequence[Layer], source: Graph, reference: Graph, readings: Sequence[np.ndarray]
) -> list[Layer]:
    """`layers`, which are those of `reference`, marked where `source` gives something else for a reading."""
    values = [
        {n.name: run[id(n.outputs[0])] for n in graph.nodes if len(n.outputs) == 1 and id(n.outputs[0]) in run}
        for graph in (source, reference)
        for run in [batch.run(graph, encoded(graph, [x[:1] for x in readings]))]
    ]
    return [replace(layer, rescaled=_differ(*(v.get(layer.name) for v in values))) for layer in layers]


def _differ(ours: np.ndarray | None, theirs: np.ndarray | None) -> bool:
    if ours is None or theirs is None or ours.shape != theirs.shape:
        return False
    return not np.allclose(ours, theirs, rtol=1e-3, atol=1e-3 * float(np.abs(ours).max(initial=0)))


def remember(model: ModelFile, layers: Sequence[Layer]) -> None:
    """Writes `layers` into the model's provenance."""
    model.info[KEY] = [
        [
            layer.record,
            layer.name if layer.name != model.names[layer.record] else "",
            layer.dtype,
            float(f"{layer.scale:.8g}"),
            layer.zero_point,
            len(layer.live),
            np.packbits(layer.live).tobytes().hex(),
            int(layer.rescaled),
        ]
        for layer in layers
    ]


def remembered(model: ModelFile) -> list[Layer]:
    """The layers that a file tells of; none of one that was quantised elsewhere. MidgeError for an impossible list."""
    try:
        layers = [_layer(model, row) for row in model.info.get(KEY, ())]
        arena = np.zeros(model.arena_bytes, np.int8)
        for layer in layers:
            layer.stored(model, arena)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, ZeroDivisionError):
        raise MidgeError("the file's list of its layers is damaged; convert the model again") from None
    return layers


def _layer(model: ModelFile, row: list[Any]) -> Layer:
    record, name, dtype, scale, zero_point, channels, mask, rescaled = row
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(mask), np.uint8), count=channels).astype(bool)
    if dtype not in ("int8", "int16", "int32") or record < 0 or (channels and not bits.any()):
        raise ValueError(f"layer {record}")
    return Layer(record, name or model.names[record], dtype, float(scale), int(zero_point), bits, bool(rescaled))
