"""Channels that cannot matter leave the steps; every byte of the model's outputs stays.

Such are channels that all readers multiply by 0, and channels that hold the same byte for every input: what these add
to a sum goes into the reader's bias, and their weights become 0. In memory, element i of a tensor of n channels
belongs to channel i mod n, whatever dimensions a reshape gives it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..device import registry
from ..device.banks import CORE
from ..device.numerics import wrap32
from ..device.ops.blocks import canonicalise
from ..device.ops.window import reaches_padding, requantize
from ..device.program import Program
from ..device.record import Context, Rows, Step
from ..device.registry import record_shapes
from ..ir.graph import Tensor
from .words import count

VARIES = 128  # in place of a byte: it depends on the model's inputs


@dataclass(eq=False)
class Channels:
    """Knowledge of a tensor's n channels.

    constant: (n,) int64, the byte that a channel always holds, or VARIES.
    live: (n,) bool, what has to stay. Tensors whose channels stay or go together share the array.
    """

    constant: np.ndarray
    live: np.ndarray


class Known(dict[Tensor, Channels]):
    """By tensor. One that a reshape renames has its source's channels."""

    def __init__(self, aliases: dict[Tensor, Tensor]) -> None:
        self.aliases = aliases

    def __missing__(self, tensor: Tensor) -> Channels:
        return self[self.aliases[tensor]]


def drop_channels(program: Program) -> str:
    """Narrows the steps and their tensors. Every tensor keeps at least one channel; the model's inputs, outputs and
    state stay whole."""
    steps, known = program.steps, Known(program.aliases)
    for tensor in program.inputs:
        known[tensor] = _whole((1, *tensor.shape)[-1])
    for step in steps:
        known[step.output] = _follow(step, known)
    for tensor in [*program.outputs, *program.state]:
        known[tensor].live[:] = True
    for step in reversed(steps):
        _mark(step, known)
    for channels in known.values():
        channels.live[0] |= not channels.live.any()
    for step in steps:
        _narrow(step, known)
    dropped: dict[int, int] = {}  # by the array that tensors share
    for tensor in {t for step in steps for t in (*step.inputs, step.output)}:
        live = known[tensor].live
        if not live.all():
            tensor.shape = (tensor.size // live.size, int(live.sum()))
            program.live[tensor] = live
            dropped[id(live)] = int((~live).sum())
    return count(sum(dropped.values()), "channel that changes no output", "channels that change no output")


def _whole(count: int) -> Channels:
    return Channels(np.full(count, VARIES), np.ones(count, bool))


def _mixes(step: Step) -> bool:
    """True for a convolution whose every output reads every input channel."""
    return step.rows is not None and step.rows.weights.shape[3] == step.fields["in_c"]


def _follow(step: Step, known: Known) -> Channels:
    """The channels of a step's output. What is constant in the input goes into a convolution's biases."""
    if registry.of_step(step).bank is not CORE:
        for tensor in step.inputs:
            known[tensor].live[:] = True
        return _whole((1, *step.output.shape)[-1])
    source = known[step.inputs[0]]
    count = source.live.size
    width_in, width_out = (shape[-1] for shape in record_shapes(registry.fields(step)))
    regular = width_in % count == 0
    output = _whole(width_out)
    if step.rows is not None:
        if regular:
            step.rows = _folded(step, step.rows, source.constant)
        rows = step.rows = canonicalise(step.rows, step.fields)
        always = requantize(step.fields, rows.bias, rows.multiplier, rows.shift).astype(np.int64)
        output.constant = np.where(rows.weights.any((1, 2, 3)), VARIES, always)
    if regular and _mixes(step):
        output.live[:] = False
    elif regular and width_in == width_out and registry.of_step(step).channelwise:
        output.constant = _agreed(output.constant, count) if step.rows else _computed(step, source.constant)
        output.live = source.live
    else:
        for tensor in step.inputs:
            known[tensor].live[:] = True
    return output


def _folded(step: Step, rows: Rows, constant: np.ndarray) -> Rows:
    """The rows, and added to their biases what constant channels of the input contribute. Where a window reaches the
    padding, only those are constant that hold the padding's value."""
    op = step.fields
    values = np.resize(constant, op["in_c"])  # of each column; if depthwise, of each row
    if not _mixes(step):
        values = values.repeat(op["out_c"] // op["in_c"])[:, None, None, None]
    folds = values == op["input_zero"] if reaches_padding(op) else values != VARIES
    part = np.where(folds, rows.weights, 0)
    bias = wrap32(rows.bias + (part * values).sum((1, 2, 3)))
    return Rows(rows.weights - part, bias, rows.multiplier, rows.shift)


def _agreed(values: np.ndarray, count: int) -> np.ndarray:
    """(count,): the value of each channel whose elements in `values` are alike, or VARIES."""
    pixels = values.reshape(-1, count).astype(np.int64)
    return np.where((pixels == pixels[0]).all(0), pixels[0], VARIES)


def _computed(step: Step, constant: np.ndarray) -> np.ndarray:
    """(count,): what a channelwise operator makes of `constant` of its input, found by running it on that."""
    if (constant == VARIES).all():
        return constant
    arena = np.zeros(step.inputs[0].size + step.output.size, np.int8)
    image, output = np.split(arena, [step.inputs[0].size])
    image.reshape(-1, constant.size)[:] = np.where(constant == VARIES, 0, constant)
    table = np.frombuffer(b"".join(step.blocks), np.uint8)
    places = {"input": 0, "output": image.size, "weights": 0, "block_bytes": table.size}
    registry.of_step(step).run(Context({**registry.fields(step), **places}, arena, table))
    return np.where(constant == VARIES, VARIES, _agreed(output, constant.size))


def _mark(step: Step, known: Known) -> None:
    """Marks the channels that the live outputs of a convolution read."""
    if step.rows is None or not _mixes(step):
        return
    source, output = known[step.inputs[0]].live, known[step.output].live
    if not source.all():
        source |= step.rows.weights[output].any((0, 1, 2)).reshape(-1, source.size).any(0)


def _narrow(step: Step, known: Known) -> None:
    """Leaves a step the live channels of its input and output."""
    if not step.inputs:
        return
    source, output = known[step.inputs[0]].live, known[step.output].live
    if step.rows is not None:
        r, kept = step.rows, np.resize(output, step.fields["out_c"])
        columns = np.resize(source, step.fields["in_c"]) if _mixes(step) else slice(None)
        step.rows = Rows(r.weights[kept][..., columns], r.bias[kept], r.multiplier[kept], r.shift[kept])
    for name, live in {"in_c": source, "out_c": output, "inner": output, "count": output}.items():
        if name in step.fields and not live.all():
            step.fields[name] = step.fields[name] // live.size * int(live.sum())
