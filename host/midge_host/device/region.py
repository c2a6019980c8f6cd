"""Layers that are made in strips of rows: docs/FORMAT.md, "Rows"."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import spec

if TYPE_CHECKING:
    from .model_file import ModelFile, TensorInfo

_check = import_module("midge._region").check


@dataclass(frozen=True)
class Ring:
    """A `ring` of spec.py."""

    offset: int
    row_bytes: int
    height: int
    rows: int
    step: int
    source: int = 0
    source2: int = 0

    @property
    def bytes(self) -> int:
        """Of memory."""
        return self.rows * self.row_bytes


@dataclass(frozen=True)
class Region:
    """The first records of a prediction, one for each of `rings` but the first; turns: numbers of rings."""

    rings: tuple[Ring, ...]
    turns: bytes

    @property
    def count(self) -> int:
        """Of its records."""
        return len(self.rings) - 1

    @property
    def is_fed(self) -> bool:
        """Whether the source comes in by rows."""
        return self.rings[0].step > 0

    def to_bytes(self) -> bytes:
        head = spec.REGION.pack(records=self.count, turns=len(self.turns))
        return head + b"".join(spec.RING.pack(**vars(ring)) for ring in self.rings) + self.turns


def from_bytes(data: bytes) -> Region:
    """ValueError where it cannot be a region."""
    head = spec.REGION.unpack(data) if len(data) >= spec.REGION.size else {"records": 0, "turns": 0}
    start = spec.REGION.size + (head["records"] + 1) * spec.RING.size
    if len(data) != start + head["turns"]:
        raise ValueError(f"section 'ROWS' of {len(data)} bytes")
    places = range(spec.REGION.size, start, spec.RING.size)
    return Region(tuple(Ring(**spec.RING.unpack(data, at)) for at in places), data[start:])


def check(model: ModelFile, region: Region, inputs: list[bytes]) -> None:
    """ValueError for a region that a board would refuse. inputs: descriptions of the inputs."""
    first, last = model.predict.start, model.predict.stop
    _check(region.to_bytes(), model.program(), first, last, inputs, model.arena_bytes, model.window_bytes)


def whole(model: ModelFile) -> ModelFile:
    """The same model without its region: it makes whole tensors, in memory behind the arena."""
    if model.region is None:
        return model
    region, end = model.region, model.arena_bytes
    places = []
    for ring in region.rings:
        if ring.rows == ring.height:
            places.append(ring.offset)
            continue
        end = spec.align(end, spec.BLOCK_ALIGNMENT)
        places.append(end)
        end += ring.height * ring.row_bytes
    records = list(model.records)
    for number in range(1, region.count + 1):
        index = model.predict.start + number - 1
        records[index] = _whole_record(records[index], region, places, number)
    inputs: list[TensorInfo] = model.inputs
    if region.is_fed:
        inputs = [replace(model.inputs[0], offset=places[0])]
    return replace(model, inputs=inputs, records=records, arena_bytes=end, region=None)


def _whole_record(record: dict[str, Any], region: Region, places: list[int], number: int) -> dict[str, Any]:
    ring = region.rings[number]
    size = ring.height * ring.row_bytes
    made = {**record, "input": places[ring.source], "output": places[number], "output_bytes": size}
    if "count" in record:
        return made | {"count": size, "input2": places[ring.source2]}
    return made | {"in_h": region.rings[ring.source].height, "out_h": ring.height}
