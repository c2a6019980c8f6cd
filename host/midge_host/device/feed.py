"""A program that takes a raw reading step by step: a front end before the model, whose input becomes a state."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..ir.graph import Node, Tensor
from .ops import constant
from .ops.copy import gather, scatter
from .program import Program
from .record import Step


def with_feed(model: Program, front: Program, hop: int) -> Program:
    """`front` makes a row of features of a window of samples; the input of `model` are the newest such rows, one or
    more. A step of the feed entry makes a row of the samples that are there, adds it to the rows, and moves all samples
    but the first `hop` to the front: docs/FORMAT.md, "Sound"."""
    (samples,), (row,), (given,) = front.inputs, front.outputs, model.inputs
    rows = Tensor("frames", (given.size // row.size, row.size), given.dtype)
    aliases = {**front.aliases, **model.aliases, given: rows}
    feed = [replace(step, name=f"feed/{step.name}") for step in front.steps[front.init_count :]]
    feed += _shifted("feed/samples", samples, hop)
    init = front.steps[: front.init_count] + model.steps[: model.init_count]
    if rows.shape[0] > 1:
        init.append(constant.fill(rows, np.full(rows.shape, given.zero_point[0])))
        feed += _shifted("feed/frames", rows, 1)
        feed.append(scatter(Node(name="feed/frame"), row, rows, lambda x: x[-1], partial=False))
    else:
        aliases[row] = rows
    return Program(
        [*init, *feed, *model.steps[model.init_count :]],
        len(init),
        [samples],
        model.outputs,
        [*front.state, *model.state, samples, rows],
        aliases,
        model.live,
        {**front.places, **model.places},
        len(feed),
    )


def _shifted(name: str, tensor: Tensor, count: int) -> list[Step]:
    """Steps that move all but the first `count` of the first dimension to its beginning, by way of other memory."""
    node = Node(name=name)
    rest = tensor.shape[0] - count
    if rest == 0:
        return []
    moved = Tensor(name, (rest, *tensor.shape[1:]), tensor.dtype)

    def last(x: np.ndarray) -> np.ndarray:
        return x[count:]

    def first(x: np.ndarray) -> np.ndarray:
        return x[:rest]

    return [gather(node, tensor, moved, last), scatter(node, moved, tensor, first, partial=True)]
