"""An operator as a .tflite file has it, and what the importer asks of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import UnsupportedError
from ...ir.graph import Tensor
from ...ir.operators import Activation, Pair


@dataclass
class FileNode:
    """An operator as the file has it."""

    kind: str
    name: str
    inputs: list[Tensor | None]
    outputs: list[Tensor]
    options: dict[str, Any]

    def refuse(self, reason: str, advice: str = "export the model again") -> UnsupportedError:
        return UnsupportedError(f"layer {self.name!r} ({self.kind}): {reason}; {advice}")

    def optional(self, index: int) -> Tensor | None:
        return self.inputs[index] if index < len(self.inputs) else None

    def input(self, index: int = 0) -> Tensor:
        tensor = self.optional(index)
        if tensor is None:
            raise self.refuse("an input is missing")
        return tensor

    @property
    def output(self) -> Tensor:
        if len(self.outputs) != 1:
            raise self.refuse(f"it has {len(self.outputs)} outputs, not one")
        return self.outputs[0]

    def constant(self, index: int, what: str, advice: str) -> np.ndarray:
        """The elements of input `index`, which must be a constant."""
        data = self.input(index).data
        if data is None:
            raise self.refuse(f"its {what} computed by the model", advice)
        return data.reshape(-1)

    def axis(self, value: Any, rank: int) -> int:
        """An axis that may count from the end, counted from 0."""
        if not -rank <= int(value) < rank:
            raise self.refuse(f"it has an axis {int(value)} of {rank} dimensions")
        return int(value) % rank

    def axes(self, index: int) -> tuple[int, ...]:
        rank = len(self.input().shape)
        self.constant(index, "axes are", "use constant axes")
        return tuple(sorted({self.axis(a, rank) for a in self.numbers(index)}))

    def numbers(self, index: int) -> list[int]:
        constants = self.constant(index, "parameters are", "use constant shapes, positions and axes")
        if constants.dtype.kind not in "iu":
            raise self.refuse(f"its parameters are {constants.dtype}")
        return [int(v) for v in constants]

    def pairs(self, index: int) -> tuple[Pair, ...]:
        numbers = self.numbers(index)
        if len(numbers) % 2:
            raise self.refuse(f"it has {len(numbers)} numbers where pairs should be")
        return tuple(zip(numbers[::2], numbers[1::2], strict=True))

    def rows(self, *indexes: int) -> list[tuple[int, ...]]:
        """The numbers of several inputs, one of each together."""
        columns = [self.numbers(index) for index in indexes]
        if len({len(column) for column in columns}) > 1:
            raise self.refuse("its positions and sizes have different lengths")
        return list(zip(*columns, strict=True))

    def number(self, index: int) -> int:
        numbers = self.numbers(index)
        if len(numbers) != 1:
            raise self.refuse(f"it has {len(numbers)} numbers where one should be")
        return numbers[0]

    @property
    def activation(self) -> Activation:
        name = self.options["activation"]
        if name not in Activation.__members__:
            raise self.refuse(f"its activation is {name}", "put the activation into a layer of its own")
        return Activation[name]

    def pair(self, option: str) -> Pair:
        pair = (int(self.options[f"{option}_h"]), int(self.options[f"{option}_w"]))
        if min(pair) < 1:
            raise self.refuse(f"its {option} is {pair}")
        return pair

    def sizes(self, tensor: Tensor) -> Pair:
        """Height and width of an image, or of the weights of a convolution."""
        if len(tensor.shape) != 4:
            raise self.refuse(f"tensor {tensor.name!r} has shape {tensor.shape}, which is not of 4 dimensions")
        return tensor.shape[1], tensor.shape[2]
