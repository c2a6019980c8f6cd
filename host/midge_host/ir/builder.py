"""Makes a graph of floats operator by operator. Shapes follow from the evaluator: it runs each operator on zeros."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .evaluate import fold, results_of_zeros
from .graph import Edge, Graph, Node, Tensor
from .operators import ReadVariable, WriteVariable


class Builder:
    """A graph in the making. What only constants give is computed at once and leaves no operator."""

    def __init__(self, name: str) -> None:
        self.graph = Graph(name, [], [], [])
        self._names: dict[str, int] = {}

    def input(self, name: str, shape: Sequence[int], dtype: str = "float32") -> Tensor:
        """An input of the model; `shape` with its batch of 1."""
        tensor = Tensor(self._unique(name), tuple(shape), dtype)
        self.graph.inputs.append(Edge.of(tensor))
        return tensor

    def constant(self, value: Any, name: str = "constant") -> Tensor:
        """Numbers of float64 become float32."""
        data = np.ascontiguousarray(value)
        if data.dtype == np.float64:
            data = data.astype(np.float32)
        return Tensor(self._unique(name), np.shape(value), data.dtype.name, data.reshape(np.shape(value)))

    def add(
        self,
        operator: type[Node],
        name: str,
        *,
        kind: str = "",
        shape: Sequence[int] | None = None,
        dtype: str = "",
        **fields: Any,
    ) -> Tensor:
        """The output of a new operator, named `name`, as is its layer.

        fields: of the operator; arrays and numbers in the place of tensors become constants. shape, dtype: of the
        output, where the operator's other fields do not tell (Reshape, Broadcast, Tile, Resize, ...; Cast, Quantize).
        Raises UnsupportedError where its operands do not fit together.
        """
        return self._add(operator, name, kind, [shape], "output", fields, dtype)[0]

    def add_parts(
        self, operator: type[Node], name: str, shapes: Sequence[Sequence[int]], *, kind: str = "", **fields: Any
    ) -> list[Tensor]:
        """The outputs of an operator that has several: Split, Unstack."""
        return self._add(operator, name, kind, list(shapes), "parts", fields)

    def read(self, variable: str, initial: np.ndarray) -> Tensor:
        """The value of a variable, which holds `initial` before the first prediction."""
        self.graph.variables[variable] = initial
        output = Tensor(self._unique(f"{variable}/read"), initial.shape, initial.dtype.name)
        self.graph.nodes.append(ReadVariable(name=output.name, variable=variable, output=output))
        return output

    def write(self, variable: str, value: Tensor) -> None:
        """Gives a variable its value for the next prediction."""
        self.graph.nodes.append(WriteVariable(name=f"{variable}/write", variable=variable, source=value))

    def output(self, tensor: Tensor, name: str = "") -> None:
        """Makes `tensor` an output of the model."""
        self.graph.outputs.append(Edge(tensor, tensor.dtype, name or tensor.name))

    def _add(
        self,
        operator: type[Node],
        name: str,
        kind: str,
        shapes: list[Sequence[int] | None],
        results: str,
        fields: dict[str, Any],
        dtype: str = "",
    ) -> list[Tensor]:
        made = [Tensor(self._unique(name), tuple(shape or ()), "float32") for shape in shapes]
        for operand in operator.OPERANDS:
            fields[operand] = self._operand(fields.get(operand), f"{name}/{operand}")
        fields[results] = made if results == "parts" else made[0]
        node = operator(name=made[0].name, kind=kind, **fields)
        for tensor, shape, result in zip(made, shapes, results_of_zeros(node), strict=True):
            tensor.shape = tuple(shape) if shape is not None else result.shape
            tensor.dtype = dtype or result.dtype.name
        if not fold(node):
            self.graph.nodes.append(node)
        return made

    def _operand(self, value: Any, name: str) -> Any:
        if value is None or isinstance(value, Tensor):
            return value
        if isinstance(value, list):
            return [self._operand(v, name) for v in value]
        return self.constant(value, name)

    def _unique(self, name: str) -> str:
        """`name`, with a number behind it if it is taken."""
        name = "_".join(name.split()) or "layer"
        seen = self._names[name] = self._names.get(name, -1) + 1
        return self._unique(f"{name}_{seen}") if seen else name
