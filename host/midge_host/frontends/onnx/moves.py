"""Operators that move elements, and arithmetic on shapes."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ...ir import operators as ir
from ...ir.evaluate import MAX_ELEMENTS
from ...ir.graph import Tensor
from .importer import Call, Made, reads
from .reading import Subgraph


@reads("Constant")
def constant(call: Call) -> Tensor:
    for name in ("value", "value_float", "value_floats", "value_int", "value_ints"):
        value = call.attribute(name)
        if value is not None:
            dtype = None if name == "value" else np.float32 if "float" in name else np.int64
            return call.number(np.asarray(value, dtype))
    raise call.refuse("it holds no numbers", "midge computes with numbers")


@reads("Shape")
def shape(call: Call) -> Tensor:
    whole = np.array(call.input().shape, np.int64)
    return call.number(whole[slice(call.attribute("start", 0), call.attribute("end"))])


@reads("Size")
def size(call: Call) -> Tensor:
    return call.number(np.int64(call.input().size))


@reads("Reshape")
def reshape(call: Call) -> Tensor:
    x = call.input(0)
    wanted = call.attribute("shape") if call.opset < 5 else [int(n) for n in call.constant(1, "shape is").reshape(-1)]
    if not call.attribute("allowzero", 0):
        wanted = [x.shape[i] if n == 0 and i < len(x.shape) else n for i, n in enumerate(wanted)]
    known = prod(n for n in wanted if n != -1)
    if wanted.count(-1) == 1 and known > 0 and x.size % known == 0:
        wanted = [x.size // known if n == -1 else n for n in wanted]
    if prod(wanted) != x.size or min(wanted, default=1) < 1:
        raise call.refuse(f"it makes {tuple(wanted)} of {x.shape}", "export the model with batch 1 and fixed shapes")
    return call.reshape(x, wanted, "")


@reads("Flatten")
def flatten(call: Call) -> Tensor:
    x = call.input()
    rank = len(x.shape)
    axis = int(call.attribute("axis", 1))
    axis = axis if axis == rank else call.axis(axis, rank)
    return call.reshape(x, (prod(x.shape[:axis]), prod(x.shape[axis:])), "")


@reads("Squeeze")
def squeeze(call: Call) -> Tensor:
    x = call.input()
    given = call.integers("axes", 1, "axes are", 13)
    axes = {call.axis(a, len(x.shape)) for a in given} if given else {i for i, n in enumerate(x.shape) if n == 1}
    if any(x.shape[a] != 1 for a in axes):
        raise call.refuse(f"it takes axes {sorted(axes)} from {x.shape}", "export the model with batch 1")
    return call.reshape(x, [n for i, n in enumerate(x.shape) if i not in axes], "")


@reads("Unsqueeze")
def unsqueeze(call: Call) -> Tensor:
    x, given = call.input(), call.integers("axes", 1, "axes are", 13) or []
    rank = len(x.shape) + len(given)
    axes = {call.axis(a, rank) for a in given}
    sizes = iter(x.shape)
    return call.reshape(x, [1 if i in axes else next(sizes) for i in range(rank)], "")


@reads("Transpose")
def transpose(call: Call) -> Tensor:
    x = call.input()
    axes = [call.axis(a, len(x.shape)) for a in call.attribute("perm") or reversed(range(len(x.shape)))]
    return call.transpose(x, axes, "")


@reads("Concat")
def concat(call: Call) -> Tensor:
    tensors = call.inputs
    if len(tensors) == 1:
        return tensors[0]
    axis = call.axis(int(call.attribute("axis", 1)), len(tensors[0].shape))
    return call.add(ir.Concatenate, sources=tensors, axis=axis)


@reads("Split")
def split(call: Call) -> list[Tensor]:
    x = call.input()
    axis = call.axis(int(call.attribute("axis", 0)), len(x.shape))
    sizes = call.integers("split", 1, "sizes are", 13)
    count, whole = len(call.operator.outputs), x.shape[axis]
    if not sizes:
        each = -(-whole // max(1, int(call.attribute("num_outputs", count))))
        sizes = [min(each, whole - i * each) for i in range(count)]
    if sum(sizes) != whole or len(sizes) != count or min(sizes) < 1:
        raise call.refuse(f"its parts of {whole} are {sizes}", "export the model again")
    shapes = [(*x.shape[:axis], n, *x.shape[axis + 1 :]) for n in sizes]
    return [x] if count == 1 else call.add_parts(ir.Split, shapes, source=x, axis=axis)


@reads("Slice")
def slice_(call: Call) -> Tensor:
    x = call.input()
    rank = len(x.shape)
    starts, ends = (call.integers(n, i, "positions are", 10) or [] for i, n in enumerate(("starts", "ends"), 1))
    axes = call.integers("axes", 3, "axes are", 10) or list(range(len(starts)))
    steps = call.integers("steps", 4, "steps are", 10) or [1] * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps:
        raise call.refuse("its positions, axes and steps do not belong together", "export the model again")
    index = [slice(None)] * rank
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        axis = call.axis(axis, rank)
        first, last, by = slice(start, end, step).indices(x.shape[axis])
        index[axis] = slice(first, None if last < 0 else last, by)
    if all(len(range(*cut.indices(n))) == n and cut.step in (1, None) for cut, n in zip(index, x.shape, strict=True)):
        return x
    return call.add(ir.Slice, source=x, index=tuple(index))


def _indexes(call: Call, x: Tensor, axis: int) -> Tensor:
    """The second input, counted from 0."""
    indexes = call.input(1)
    if indexes.data is None:
        return indexes
    size = x.shape[axis]
    if np.any((indexes.data < -size) | (indexes.data >= size)):
        raise call.refuse(f"it takes elements beyond {size}", "export the model again")
    return call.number(indexes.data % size)


@reads("Gather")
def gather(call: Call) -> Tensor:
    x = call.input(0)
    axis = call.axis(int(call.attribute("axis", 0)), len(x.shape))
    indexes = _indexes(call, x, axis)
    if indexes.data is not None and indexes.size == 1:
        at = int(indexes.data.item())
        cut = call.add(ir.Slice, "element", source=x, index=(*[slice(None)] * axis, slice(at, at + 1), ...))
        return call.reshape(cut, (*x.shape[:axis], *indexes.shape, *x.shape[axis + 1 :]), "")
    return call.add(ir.Gather, source=x, indexes=indexes, axis=axis)


@reads("GatherElements")
def gather_elements(call: Call) -> Tensor:
    x = call.input(0)
    axis = call.axis(int(call.attribute("axis", 0)), len(x.shape))
    indexes = _indexes(call, x, axis)
    if indexes.data is None:
        raise call.refuse("its positions are computed by the model", "use constant positions")
    places = np.take_along_axis(np.arange(x.size).reshape(x.shape), indexes.data, axis)
    return call.add(ir.Gather, source=call.reshape(x, (x.size,), "flat"), indexes=places, axis=0)


@reads("Pad")
def pad(call: Call) -> Tensor:
    x = call.input()
    rank = len(x.shape)
    pads = call.integers("pads", 1, "paddings are", 11) or call.attribute("paddings") or []
    if call.opset >= 18 and call.optional(3) is not None:
        axes = [call.axis(int(a), rank) for a in call.constant(3, "axes are").reshape(-1)]
    else:
        axes = list(range(rank))
    if len(pads) != 2 * len(axes):
        raise call.refuse(f"its paddings {pads} do not fit {rank} dimensions", "export the model again")
    pairs = [(0, 0)] * rank
    for i, axis in enumerate(axes):
        pairs[axis] = (int(pads[i]), int(pads[i + len(axes)]))
    cuts = tuple(slice(max(0, -b), n - max(0, -e)) for (b, e), n in zip(pairs, x.shape, strict=True))
    pairs = [(max(0, before), max(0, behind)) for before, behind in pairs]
    grows = any(map(any, pairs))
    if any(cut != slice(0, n) for cut, n in zip(cuts, x.shape, strict=True)):
        x = call.add(ir.Slice, "cut" if grows else "", source=x, index=cuts)
    if not grows:
        return x
    mode = call.attribute("mode", "constant")
    if mode == "reflect":
        return call.add(ir.MirrorPad, source=x, paddings=tuple(pairs))
    if mode in ("edge", "wrap"):
        for axis, ((before, behind), n) in enumerate(zip(pairs, x.shape, strict=True)):
            if before or behind:
                places = np.arange(-before, n + behind)
                places = np.clip(places, 0, n - 1) if mode == "edge" else places % n
                x = call.add(ir.Gather, f"axis{axis}", source=x, indexes=places, axis=axis)
        return x
    if mode != "constant":
        raise call.refuse(f"it pads with mode {mode}", "use constant, reflect or edge")
    value = call.attribute("value", 0.0)
    if call.opset >= 11:
        given = call.optional_constant(2, "value is")
        value = given.item() if given is not None and given.size else 0.0
    return call.add(ir.Pad, source=x, paddings=tuple(pairs), value=None if value == 0 else value)


@reads("Expand")
def expand(call: Call) -> Tensor:
    x, wanted = call.input(0), call.constant(1, "shape is").reshape(-1)
    if len(wanted) > 8 or prod(max(1, int(n)) for n in wanted) > MAX_ELEMENTS:
        raise call.refuse("it makes more elements than a board could hold", "use a smaller model")
    try:
        whole = np.broadcast_shapes(x.shape, tuple(int(n) for n in wanted))
    except ValueError:
        raise call.refuse(f"it makes {tuple(wanted)} of {x.shape}", "export the model with fixed shapes") from None
    x = call.reshape(x, (1,) * (len(whole) - len(x.shape)) + x.shape, "rank")
    return x if x.shape == whole else call.add(ir.Broadcast, source=x, shape=whole)


@reads("Tile")
def tile(call: Call) -> Tensor:
    x, times = call.input(0), [int(n) for n in call.constant(1, "repeats are").reshape(-1)]
    if len(times) != len(x.shape) or min(times, default=1) < 1:
        raise call.refuse(f"it repeats {x.shape} by {times}", "export the model again")
    shape = tuple(n * t for n, t in zip(x.shape, times, strict=True))
    return x if shape == x.shape else call.add(ir.Tile, source=x, shape=shape)


MAX_TURNS = 1000  # of a loop, whose layers are made anew for each


@reads("Loop")
def loop(call: Call) -> Made:
    """A loop whose number of turns is known, turn by turn."""
    body, importer = call.attribute("body"), call.importer
    most, condition = call.optional_constant(0, "number of turns is"), call.optional_constant(1, "condition is")
    if not isinstance(body, Subgraph):
        raise call.refuse("it has no body", "export the model again")
    turns = MAX_TURNS + 1 if most is None else min(int(most.item()), MAX_TURNS + 1)
    goes_on = condition is None or bool(condition.all())
    names = list(body.inputs)
    state = [call.input(i) for i in range(2, len(call.operator.inputs))]
    scanned: list[list[Tensor]] = [[] for _ in body.outputs[1 + len(state) :]]
    turn = 0
    while goes_on and turn < turns:
        if turn == MAX_TURNS:
            raise call.refuse(f"it turns more than {MAX_TURNS} times", "use a shorter sequence")
        begin = [call.number(np.int64(turn)), call.number(np.bool_(True)), *state]
        importer.values.update(zip(names, begin, strict=True))
        importer.run(body)
        again, *made = (importer.values[name] for name in body.outputs)
        if again.data is None:
            raise call.refuse("its readings tell when it ends", "export the model with sequences of a fixed length")
        state, goes_on, turn = made[: len(state)], bool(again.data.all()), turn + 1
        for steps, tensor in zip(scanned, made[len(state) :], strict=True):
            steps.append(call.reshape(tensor, (1, *tensor.shape), "step"))
    if any(not steps for steps in scanned):
        raise call.refuse("it never turns", "export the model again")
    return [*state, *(_joined(call, steps) for steps in scanned)]


def _joined(call: Call, steps: list[Tensor]) -> Tensor:
    return steps[0] if len(steps) == 1 else call.add(ir.Concatenate, "steps", sources=steps, axis=0)


@reads("If")
def if_(call: Call) -> Made:
    condition = call.constant(0, "condition is")
    branch = call.attribute("then_branch" if condition.any() else "else_branch")
    if not isinstance(branch, Subgraph):
        raise call.refuse("it has no branches", "export the model again")
    call.importer.run(branch)
    values: dict[str, Any] = call.importer.values
    return [values[name] for name in branch.outputs]
