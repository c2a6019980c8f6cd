"""When which bytes of a model's arena hold what, from its records: a file does not tell of its tensors.

A tensor is born where a record writes it, and lives until the last record that reads a byte of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..device import registry, rules
from ..device.model_file import ModelFile
from ..device.ops.copy import OUTPUT_HAS_STRIDES

START = -1  # before the first step
NOBODY = -1  # has written a byte
Span = tuple[int, int]  # first byte and end


@dataclass
class Tensor:
    """`bytes` of the arena from `offset` on, from step `first` to step `last`, both included; START and the number of
    steps stand for before and behind them. maker: the step that writes it, None for an input or a state. readers: the
    steps that read it. in_place: the step `last` writes its output over it. kind: input, activation, or state, which
    is kept from one prediction to the next."""

    name: str
    offset: int
    bytes: int
    first: int
    last: int
    kind: str = "activation"
    maker: int | None = None
    readers: list[int] = field(default_factory=list)
    in_place: bool = False

    @property
    def end(self) -> int:
        """The step from which on its bytes are another's, or free."""
        return self.last + (not self.in_place)


@dataclass
class Lifetimes:
    """steps: the records in the order in which a prediction runs them, those that take a raw reading first."""

    steps: list[int]
    tensors: list[Tensor]

    def used(self) -> list[int]:
        """Bytes that hold tensors that are alive in each step: those of an output over its input count once."""
        live = [
            sorted((t.offset, t.offset + t.bytes) for t in self.tensors if t.first <= i < t.end)
            for i in range(len(self.steps))
        ]
        return [_covered(spans) for spans in live]


def _covered(spans: list[Span]) -> int:
    """Bytes of sorted spans."""
    total = end = 0
    for start, stop in spans:
        total += max(0, stop - max(start, end))
        end = max(end, stop)
    return total


def lifetimes(model: ModelFile) -> Lifetimes:
    """Of one prediction, and of one step of the raw reading before it where the model takes one."""
    steps = [*model.feed, *model.predict]
    arena = _Arena(model)
    for tensor in model.inputs:
        arena.write((tensor.offset, tensor.offset + tensor.bytes), START, tensor.name, "input")
    building: set[int] = set()  # offsets of outputs of which steps have written a part
    for step, index in enumerate(steps):
        record = model.records[index]
        reads, output = _spans(record)
        for span in reads:
            arena.read(span, step)
        if record["output_bytes"]:
            output = record["output"], record["output"] + record["output_bytes"]
        else:  # a part; another record tells how large the whole is
            same = (model.records[i] for i in steps[step:] if model.records[i]["output"] == record["output"])
            size = next((r["output_bytes"] for r in same if r["output_bytes"]), 0)
            output = (record["output"], record["output"] + size) if size else output
        if output[0] in building:
            arena.read(output, step, completes=True)
        else:
            arena.write(output, step, model.names[index])
        (building.discard if record["output_bytes"] else building.add)(output[0])
    for tensor in model.outputs:
        arena.read((tensor.offset, tensor.offset + tensor.bytes), len(steps))
    arena.close(len(steps))
    return Lifetimes(steps, arena.tensors)


def _spans(record: dict[str, Any]) -> tuple[list[Span], Span]:
    """What a record reads, one for each operand, and what it writes."""
    operator = registry.of_record(record)
    found = {}
    for operand in operator.operands:
        start = record[operand.field]
        found[operand.field] = start, start + rules.evaluate(operand.bytes, record)
    if operator.name == "COPY":
        strided = "output" if record["flags"] & OUTPUT_HAS_STRIDES else "input"
        steps = [(n - 1) * stride for n, stride in zip(record["shape"], record["strides"], strict=True)]
        first = record[strided] + record["at"]
        end = first + sum(n for n in steps if n > 0) + record["run"]
        found[strided] = first + sum(n for n in steps if n < 0), end
    output = found.pop("output")
    return list(found.values()), output


class _Arena:
    """The tensors so far, and for each byte the number of the one that it belongs to."""

    def __init__(self, model: ModelFile) -> None:
        self.tensors: list[Tensor] = []
        self._owner = np.full(model.arena_bytes, NOBODY, np.int64)
        self._kept = np.zeros(model.arena_bytes, bool)  # read before anybody wrote it: by the prediction before

    def write(self, span: Span, step: int, name: str, kind: str = "activation") -> None:
        start, end = span
        former = set(self._owner[start:end].tolist()) - {NOBODY}
        self._owner[start:end] = len(self.tensors)
        for number in former:
            if not (self._owner == number).any():
                self.tensors[number].in_place = self.tensors[number].last == step
        maker = step if step != START else None
        self.tensors.append(Tensor(name, start, end - start, step, step, kind, maker))

    def read(self, span: Span, step: int, completes: bool = False) -> None:
        """completes: the step writes the rest of what others began."""
        start, end = span
        self._find_state(start, end)
        for number in sorted(set(self._owner[start:end].tolist())):
            tensor = self.tensors[number]
            tensor.last = max(tensor.last, step)
            if not completes and step not in tensor.readers:
                tensor.readers.append(step)

    def _find_state(self, start: int, end: int) -> None:
        free = np.flatnonzero(self._owner[start:end] == NOBODY) + start
        for run in np.split(free, np.flatnonzero(np.diff(free) != 1) + 1) if free.size else []:
            first, size = int(run[0]), len(run)
            self._owner[first : first + size] = len(self.tensors)
            self._kept[first : first + size] = True
            self.tensors.append(Tensor("state", first, size, START, START, "state"))

    def close(self, end: int) -> None:
        """What holds bytes that the next prediction reads lives to the end."""
        for number in sorted(set(self._owner[self._kept].tolist())):
            self.tensors[number].last, self.tensors[number].kind = end, "state"
