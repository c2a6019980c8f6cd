"""In which order rows of tensors are made, each when somebody needs it, and how many of them are in memory then."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..device import spec
from ..device.record import Step
from ..ir.graph import Tensor

WINDOWS = ("CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D")

Root = Callable[[Tensor], Tensor]  # the tensor whose memory one is


class Shape(NamedTuple):
    """Of a tensor of rows."""

    height: int
    row_bytes: int
    width: int


class Reach(NamedTuple):
    """Rows of a tensor, the first and the one behind the last."""

    first: int
    last: int


def reach(step: Step, first: int, last: int, height: int) -> Reach:
    """The rows of its input, which has so many, that rows first to last - 1 of a step's output are made of."""
    if step.operator == "ADD":
        return Reach(first, last)
    f = step.fields
    begin = first * f["stride_h"] - f["pad_top"]
    end = (last - 1) * f["stride_h"] - f["pad_top"] + (f["kernel_h"] - 1) * f["dilation_h"] + 1
    return Reach(max(0, begin), min(height, end))


def shapes_of(steps: list[Step], source: Tensor, root: Root) -> dict[Tensor, Shape] | None:
    """Of the tensors that steps read and make, the source first; None where they are not made of rows."""
    shapes: dict[Tensor, Shape] = {}
    for step in steps:
        ins = [root(t) for t in step.inputs]
        if step.dtype != "int8" or step.partial:
            return None
        if step.operator == "ADD":
            if any(t not in shapes for t in ins) or shapes[ins[0]] != shapes[ins[1]]:
                return None
            shapes[step.output] = shapes[ins[0]]
        elif step.operator in WINDOWS:
            f = step.fields
            shape = Shape(f["in_h"], f["in_w"] * f["in_c"], f["in_w"])
            if ins[0] is source:
                shapes.setdefault(source, shape)
            rows = [reach(step, y, y + 1, shape.height) for y in range(f["out_h"])]
            # Windows that lie wholly in the padding have no rows to be made of.
            if shapes.get(ins[0]) != shape or any(first >= last for first, last in rows):
                return None
            shapes[step.output] = Shape(f["out_h"], f["out_w"] * f["out_c"], f["out_w"])
        else:
            return None
    return shapes if len(shapes) == len(steps) + 1 <= spec.MOST_RINGS else None


class Turns:
    """order: numbers of tensors, of which rows are made one after the other; memory: rows of each that need room.

    shapes: of the source and of what each step makes, in this order. at_a_time: rows of each that are made in a turn;
    of a source that is there from the start, 0.
    """

    def __init__(
        self, steps: list[Step], shapes: dict[Tensor, Shape], root: Root, at_a_time: dict[Tensor, int]
    ) -> None:
        self.order: list[int] = []
        self._steps, self._shapes, self._root, self._at_a_time = steps, shapes, root, at_a_time
        self._tensors = list(shapes)
        self._readers = {t: [s for s in steps if t in map(root, s.inputs)] for t in shapes}
        self._made = {t: 0 if at_a_time[t] else shape.height for t, shape in shapes.items()}
        self.memory = dict(self._made)
        for tensor in reversed(self._tensors):
            self._pull(tensor, shapes[tensor].height)

    def _pull(self, tensor: Tensor, end: int) -> None:
        """Makes rows until there are so many."""
        number, height = self._tensors.index(tensor), self._shapes[tensor].height
        while self._made[tensor] < end:
            last = min(self._made[tensor] + self._at_a_time[tensor], height)
            if number:
                step = self._steps[number - 1]
                for t in map(self._root, step.inputs):
                    self._pull(t, reach(step, self._made[tensor], last, self._shapes[t].height).last)
            self.memory[tensor] = max(self.memory[tensor], last - self._needed(tensor))
            self._made[tensor] = last
            self.order.append(number)

    def _needed(self, tensor: Tensor) -> int:
        """The first row that somebody will read."""
        made, height = self._made, self._shapes[tensor].height
        readers = [s for s in self._readers[tensor] if made[s.output] < self._shapes[s.output].height]
        return min([made[tensor], *(reach(s, made[s.output], made[s.output] + 1, height).first for s in readers)])
