""".onnx files, read with the package onnx: models of floats, and quantised ones (QDQ and QOperator)."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from pathlib import Path

import numpy as np

from ...device import spec
from ...errors import MidgeError
from ...ir.builder import Builder
from ...ir.graph import Tensor
from ...passes.transposes import cancel_transposes
from .. import Loaded, Request, read_file
from . import arithmetic, estimators, moves, quantised, recurrence, reductions, trees, windows  # noqa: F401 - register readers
from .importer import READERS, Importer
from .integers import fold_integers
from .reading import DOMAINS, FIRST_OPSET, LAST_OPSET, Subgraph, read

__all__ = ["DOMAINS", "FIRST_OPSET", "LAST_OPSET", "READERS", "load", "load_onnx"]


def load(source: Path, request: Request) -> Loaded:
    """The graph of an .onnx file."""
    data = read_file(source)
    return load_onnx(data, source.name, source.parent, request.example)


def load_onnx(data: bytes, where: str, folder: Path | None = None, example: Sequence[np.ndarray] = ()) -> Loaded:
    """The model in `data`. folder: where its files with weights lie, if it has any. example: inputs whose shapes
    stand for sizes that the file leaves open. Raises MidgeError naming `where` when it is no sound model."""
    file = read(data, where, folder)
    name = where.rsplit(".", 1)[0]
    importer = Importer(file, Builder(name))
    _inputs(importer, where, example)
    try:
        importer.run(file.graph)
    except MidgeError as error:
        raise type(error)(f"{where}: {error}") from None
    _outputs(importer, where)
    graph = importer.graph
    fold_integers(graph, importer.stored)
    cancel_transposes(graph, edges=True)
    return Loaded(graph, data, importer.labels, importer.notes + _orders(importer))


def _inputs(importer: Importer, where: str, example: Sequence[np.ndarray]) -> None:
    for i, (name, (shape, dtype)) in enumerate(importer.file.graph.inputs.items()):
        given = np.shape(example[i]) if i < len(example) else None
        if given is not None and (shape is None or len(shape) == len(given)):
            known: tuple[int | None, ...] = shape or (None,) * len(given)
            shape = tuple(n or m for n, m in zip(known, given, strict=True))
        if shape is None:
            raise MidgeError(f"{where}: the input {name!r} has no shape; export the model with fixed shapes")
        sizes = [n or 1 for n in shape[:1]] + list(shape[1:])  # a batch of any size is one of 1
        if None in sizes:
            open_axes = ", ".join(str(i) for i, n in enumerate(sizes) if n is None)
            raise MidgeError(
                f"{where}: the input {name!r} has sizes that are open (axes {open_axes} of {shape}); export it with "
                "fixed shapes"
            )
        if len(sizes) == 4 and sizes[0] != 1:
            raise MidgeError(
                f"{where}: the input {name!r} is a batch of {sizes[0]} pictures; export the model with batch 1"
            )
        if dtype not in ("float32", "bool") and _is_cast(importer.file.graph, name):
            dtype = "float32"
            importer.notes.append(f"the input {name!r} takes whole numbers; its readings are those (see --pixels)")
        if prod(n or 1 for n in sizes) > spec.MAX_ARENA_BYTES:
            raise MidgeError(
                f"{where}: the input {name!r} is {shape}: more than a board could hold; use smaller readings"
            )
        importer.values[name] = importer.builder.input(name, [int(n or 1) for n in sizes], dtype)


def _is_cast(graph: Subgraph, name: str) -> bool:
    """Whether an input of integers is made real before anything is done with it."""
    readers = [operator.kind for operator in graph.operators if name in operator.inputs]
    return bool(readers) and set(readers) == {"Cast"}


def _outputs(importer: Importer, where: str) -> None:
    """Scores are an output; the class that follows from them is none."""
    for name in importer.file.graph.outputs:
        if name not in importer.values:
            raise MidgeError(f"{where}: nothing computes the output {name!r}; export the model again")
    outputs = {name: importer.values[name] for name in importer.file.graph.outputs}
    scores = {name: tensor for name, tensor in outputs.items() if not importer.is_class(tensor)}
    for name in outputs.keys() - (scores or outputs).keys():
        importer.notes.append(f"the output {name!r}, the best class, is left out: classify() tells it from the scores")
    for name, tensor in (scores or outputs).items():
        importer.builder.output(tensor, "_".join(name.split()) or "output")


def _orders(importer: Importer) -> list[str]:
    """In words, which inputs and outputs have their axes in another order than in the file."""
    notes = []
    for what, edges in (("input", importer.graph.inputs), ("output", importer.graph.outputs)):
        for edge in edges:
            if edge.axes is not None:
                notes.append(f"the {what} {edge.name!r} is {edge.tensor.shape[1:]}: {_words(edge.tensor, edge.axes)}")
    return notes


def _words(tensor: Tensor, axes: tuple[int, ...]) -> str:
    if axes == (0, 2, 3, 1):
        return "height, width, channels"
    if axes == (0, 2, 1):
        return "steps, channels"
    return "the file's axes " + ", ".join(map(str, axes))
