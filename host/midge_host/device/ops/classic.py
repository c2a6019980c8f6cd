"""AFFINE, SCALE, DISTANCES, NEAREST, VOTES: models of float32 readings in double precision."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from ...ir.operators import Affine, Distances, Nearest, Scale, Votes
from ..banks import TREES
from ..definition import Constant, Operand, Operator, fit, record
from ..record import Context, Step
from ..rules import Check, Choice, HasFlag, Holds, aligned, at_most, equal, nonzero, parameters, product, total, weights
from .trees import DOUBLE, exp

BLOCK_TARGET = 2048
WIDE, FLOAT = 1, 2
RELU, TANH, LOGISTIC = 1, 2, 3
ACTIVATIONS = {"identity": 0, "relu": RELU, "tanh": TANH, "logistic": LOGISTIC}
MULTIPLY, CLIP = 1, 2
DOUBLES = 2
VALUES, WEIGHTED = 1, 2

AFFINE_RECORD = record(
    "affine",
    "AFFINE: bias + sum of value * weight for each output. DISTANCES: bias - sum of weight * (value - centre)^2. flags "
    "1: the values are float64, otherwise float32; 2: the outputs of AFFINE are float32, otherwise float64.",
    [
        ("H", "inputs", "number of values"),
        ("H", "outputs", "number of outputs"),
        ("H", "rows", "outputs of a weight block"),
        ("B", "activation", "of AFFINE: 0 none, 1 ReLU, 2 hyperbolic tangent, 3 logistic function"),
    ],
)
SCALE_RECORD = record(
    "scaler",
    "float32 values, each with two float64 parameters: (x - a) / b, with flag 1 x * a + b, rounded to float32 after "
    "each operation. flags 2: limited to low and high.",
    [("H", "count", "number of values"), ("I", "low", "with flag 2: float32"), ("I", "high", "with flag 2: float32")],
)
NEAREST_RECORD = record(
    "nearest",
    "The rows of a table whose squared distances from a reading are the least, nearest first: a float64 distance and 8 "
    "bytes of the row's own for each. flags 1: the values are float64, otherwise float32; 2: so are the table's.",
    [
        ("H", "inputs", "number of values"),
        ("H", "neighbors", "how many rows are wanted"),
        ("H", "table", "rows of the table"),
        ("H", "rows", "rows of a weight block"),
    ],
)
VOTES_RECORD = record(
    "votes",
    "Of what NEAREST found: how many rows there are of each class, as float64. flags 1: the sum of the rows' float64 "
    "values; 2: shares, or the mean of the values, where a row has the weight 1 / distance.",
    [("H", "neighbors", "rows found"), ("H", "outputs", "classes; 1 with flag 1")],
)


def _blocks(node: Affine | Distances | Nearest, rows: list[bytes], heads: list[bytes]) -> tuple[int, list[bytes]]:
    """Rows of a block, and the blocks: a head of each row, then the rows. As many rows as divide their number."""
    count, size = len(rows), len(rows[0]) + len(heads[0])
    if count > 0xFFFF:
        raise node.refuse(f"it has {count:,} rows, the limit is 65,535", "use fewer")
    fits = [n for n in range(1, count + 1) if count % n == 0 and (n == 1 or n * size <= BLOCK_TARGET)]
    per_block = max(fits)
    starts = range(0, count, per_block)
    return per_block, [b"".join(heads[at : at + per_block] + rows[at : at + per_block]) for at in starts]


def _fields(node: Affine | Distances | Nearest) -> dict[str, Any]:
    if node.source.size > 0xFFFF:
        raise node.refuse(f"it reads {node.source.size:,} values, the limit is 65,535", "use fewer")
    return {"flags": WIDE * (node.source.dtype == "float64"), "inputs": node.source.size}


def lower_affine(node: Affine) -> list[Step]:
    rows = [row.tobytes() for row in node.weights.astype("<f4")]
    fields = _fields(node)
    fields["flags"] |= FLOAT * (node.output.dtype == "float32")
    fields["rows"], blocks = _blocks(node, rows, [struct.pack("<d", bias) for bias in node.bias])
    fields |= {"outputs": node.output.size, "activation": ACTIVATIONS[node.activation]}
    return [Step("AFFINE", node.name, [node.source], node.output, fields, blocks)]


def lower_distances(node: Distances) -> list[Step]:
    rows = [np.stack(pair, 1).astype("<f4").tobytes() for pair in zip(node.centres, node.weights, strict=True)]
    fields = _fields(node) | {"outputs": node.output.size}
    fields["rows"], blocks = _blocks(node, rows, [struct.pack("<d", bias) for bias in node.bias])
    return [Step("DISTANCES", node.name, [node.source], node.output, fields, blocks)]


def lower_scale(node: Scale) -> list[Step]:
    low, high = node.limits or (0.0, 0.0)
    fields = {
        "flags": MULTIPLY * node.multiplies | CLIP * (node.limits is not None),
        "count": node.source.size,
        "low": int(np.float32(low).view(np.uint32)),
        "high": int(np.float32(high).view(np.uint32)),
    }
    block = np.concatenate([node.first, node.second]).astype("<f8").tobytes()
    return [Step("SCALE", node.name, [node.source], node.output, fields, [block])]


def lower_nearest(node: Nearest) -> list[Step]:
    exact = np.array_equal(node.table.astype(np.float32).astype(np.float64), node.table)
    own = [struct.pack("<d" if node.targets.dtype == np.float64 else "<Q", target) for target in node.targets]
    rows = [a + row.tobytes() for a, row in zip(own, node.table.astype("<f4" if exact else "<f8"), strict=True)]
    rows = [row + bytes(-len(row) % 4) for row in rows]
    fields = _fields(node)
    fields["flags"] |= DOUBLES * (not exact)
    fields["rows"], blocks = _blocks(node, rows, [b""] * len(rows))
    fields |= {"neighbors": node.neighbors, "table": len(rows)}
    return [Step("NEAREST", node.name, [node.source], node.output, fields, blocks)]


def lower_votes(node: Votes) -> list[Step]:
    fields = {
        "flags": VALUES * node.values | WEIGHTED * node.weighted,
        "neighbors": node.source.size // 2,
        "outputs": node.output.size,
    }
    return [Step("VOTES", node.name, [node.source], node.output, fields)]


def _values(context: Context, count: int) -> np.ndarray:
    dtype = np.float64 if context.op["flags"] & WIDE else np.float32
    return context.tensor((count,), "input", dtype).astype(np.float64)


def _rows(context: Context, unit: int) -> tuple[np.ndarray, np.ndarray]:
    """Biases and rows of `unit` float32 for each value, as float64."""
    op = context.op
    blocks = [context.block(i) for i in range(op["blocks"])]
    head, end = DOUBLE * op["rows"], DOUBLE * op["rows"] + 4 * unit * op["rows"] * op["inputs"]
    bias = np.concatenate([block[:head].view("<f8") for block in blocks])
    rows = np.concatenate([block[head:end].view("<f4") for block in blocks])
    return bias, rows.astype(np.float64).reshape(len(bias), op["inputs"], unit)


def run_affine(context: Context) -> None:
    op = context.op
    sums, rows = _rows(context, 1)
    with np.errstate(all="ignore"):
        for i, value in enumerate(_values(context, op["inputs"])):
            sums = sums + value * rows[:, i, 0]
        if op["activation"] == RELU:
            sums = np.where(np.isnan(sums), sums, np.where(sums > 0, sums, 0.0))
        elif op["activation"]:
            sums = np.array([_sigmoid(x, op["activation"] == TANH) for x in sums])
        result = sums.astype(np.float32 if op["flags"] & FLOAT else np.float64)
    context.tensor(result.shape, "output", result.dtype)[:] = _one_nan(result)


def _one_nan(values: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(values), values.dtype.type(np.nan), values)


def _sigmoid(x: np.float64, tanh: bool) -> np.float64:
    far = -np.abs(x)
    power = exp(far + far if tanh else far)
    one = np.float64(1.0)
    if tanh:
        return np.copysign((one - power) / (one + power), x)
    return (power if np.signbit(x) else one) / (one + power)


def run_distances(context: Context) -> None:
    sums, rows = _rows(context, 2)
    with np.errstate(all="ignore"):
        for i, value in enumerate(_values(context, context.op["inputs"])):
            far = value - rows[:, i, 0]
            sums = sums - far * far * rows[:, i, 1]
    context.tensor(sums.shape, "output", np.float64)[:] = _one_nan(sums)


def run_scale(context: Context) -> None:
    op = context.op
    a, b = context.block(0)[: 2 * DOUBLE * op["count"]].view("<f8").reshape(2, -1)
    x = context.tensor((op["count"],), "input", np.float32).astype(np.float64)
    with np.errstate(all="ignore"):
        x = (x * a if op["flags"] & MULTIPLY else x - a).astype(np.float32).astype(np.float64)
        y = (x + b if op["flags"] & MULTIPLY else x / b).astype(np.float32)
    if op["flags"] & CLIP:
        low, high = (np.uint32(op[name]).view(np.float32) for name in ("low", "high"))
        y = np.where(y < low, low, y)
        y = np.where(y > high, high, y)
    context.tensor(y.shape, "output", np.float32)[:] = _one_nan(y)


def run_nearest(context: Context) -> None:
    op = context.op
    x, unit = _values(context, op["inputs"]), 8 if op["flags"] & DOUBLES else 4
    row = DOUBLE + unit * op["inputs"]
    blocks = [context.block(i)[: row * op["rows"]].reshape(-1, row) for i in range(op["blocks"])]
    rows = np.concatenate(blocks)
    table = np.ascontiguousarray(rows[:, DOUBLE:]).view(f"<f{unit}").astype(np.float64)
    far = np.zeros(len(rows))
    with np.errstate(all="ignore"):
        for i in range(op["inputs"]):
            far = far + (x[i] - table[:, i]) * (x[i] - table[:, i])
    far = np.where(np.isnan(far), np.inf, far)
    order = np.argsort(far, kind="stable")[: op["neighbors"]]
    order = order[far[order] < np.inf]
    found = context.tensor((op["neighbors"], 2), "output", np.float64)
    found[:] = [np.inf, 0.0]
    found[: len(order), 0] = far[order]
    found[: len(order), 1] = np.ascontiguousarray(rows[order, :DOUBLE]).view("<f8")[:, 0]


def run_votes(context: Context) -> None:
    op = context.op
    found = context.tensor((op["neighbors"], 2), "input", np.float64)
    sums, whole = np.zeros(op["outputs"]), np.float64(0)
    with np.errstate(all="ignore"):
        for far, target in found:
            weight = np.float64(1)
            if op["flags"] & WEIGHTED:
                weight = np.float64(far == 0) if found[0, 0] == 0 else weight / np.sqrt(far)
            if op["flags"] & VALUES:
                sums[0] += target * weight
                whole += weight
            elif (number := int(target.view(np.uint64))) < len(sums):
                sums[number] += weight
        if op["flags"] & WEIGHTED:
            if not op["flags"] & VALUES:
                for part in sums:
                    whole += part
            sums = sums / whole
    context.tensor(sums.shape, "output", np.float64)[:] = _one_nan(sums)


_UNIT = Choice(HasFlag(WIDE), DOUBLE, 4)
_INPUT = Operand("input", ("inputs",), _UNIT)
_AFFINE = (_INPUT, Operand("output", ("outputs",), Choice(HasFlag(FLOAT), 4, DOUBLE)))
_DISTANCES = (_INPUT, Operand("output", ("outputs",), DOUBLE))
_SCALE = (Operand("input", ("count",), 4), Operand("output", ("count",), 4))
_NEAREST = (_INPUT, Operand("output", ("neighbors", 2), DOUBLE))
_VOTES = (Operand("input", ("neighbors", 2), DOUBLE), Operand("output", ("outputs",), DOUBLE))
_WORDS = aligned(4, "input", "output")


def _check_rows(name: str, flags: int, value_bytes: int, tensors: tuple[Operand, ...]) -> Check:
    rows = (product(DOUBLE, "rows"), product("rows", "inputs", value_bytes))
    sizes = (nonzero("inputs", "outputs", "rows"), equal(product("blocks", "rows"), "outputs"))
    return Check(
        name,
        (
            parameters(at_most("flags", flags), at_most("activation", 3), *sizes, _WORDS),
            weights(Holds(*rows)),
            fit(*tensors),
        ),
    )


_AFFINE_CHECK = _check_rows("affine", WIDE | FLOAT, 4, _AFFINE)
_DISTANCES_CHECK = _check_rows("distances", WIDE, 8, _DISTANCES)
_SCALE_CHECK = Check(
    "scaler",
    (
        parameters(at_most("flags", MULTIPLY | CLIP), nonzero("count"), _WORDS),
        weights(equal("blocks", 1), Holds(product(2 * DOUBLE, "count"))),
        fit(*_SCALE),
    ),
)
_NEAREST_CHECK = Check(
    "nearest",
    (
        parameters(at_most("flags", WIDE | DOUBLES), nonzero("inputs", "neighbors", "rows", "table"), _WORDS),
        weights(
            equal(product("blocks", "rows"), "table"),
            Holds(product(DOUBLE, "rows"), product("rows", "inputs", Choice(HasFlag(DOUBLES), DOUBLE, 4))),
        ),
        fit(*_NEAREST),
    ),
)
_VOTES_CHECK = Check(
    "votes", (parameters(at_most("flags", VALUES | WEIGHTED), nonzero("neighbors", "outputs"), _WORDS), fit(*_VOTES))
)
_MACS = product("inputs", "outputs")

DEFINITIONS = (
    Operator(
        66,
        "AFFINE",
        TREES,
        AFFINE_RECORD,
        "affine",
        _AFFINE_CHECK,
        _AFFINE,
        run_affine,
        has_blocks=True,
        macs=_MACS,
        parameters=total(product(4, "inputs", "outputs"), product(DOUBLE, "outputs")),
        constants=(
            Constant("AFFINE_WIDE", WIDE, "flag of AFFINE and DISTANCES: values of float64"),
            Constant("AFFINE_FLOAT", FLOAT, "flag of AFFINE: outputs of float32"),
            Constant("AFFINE_RELU", RELU, "activation of AFFINE"),
            Constant("AFFINE_TANH", TANH, "activation of AFFINE"),
        ),
    ),
    Operator(
        67,
        "SCALE",
        TREES,
        SCALE_RECORD,
        "scale_floats",
        _SCALE_CHECK,
        _SCALE,
        run_scale,
        has_blocks=True,
        in_place=True,
        constants=(
            Constant("SCALE_MULTIPLY", MULTIPLY, "flag of SCALE: x * a + b"),
            Constant("SCALE_CLIP", CLIP, "flag of SCALE: limited"),
        ),
    ),
    Operator(
        68,
        "DISTANCES",
        TREES,
        AFFINE_RECORD,
        "distances",
        _DISTANCES_CHECK,
        _DISTANCES,
        run_distances,
        has_blocks=True,
        macs=_MACS,
    ),
    Operator(
        69,
        "NEAREST",
        TREES,
        NEAREST_RECORD,
        "nearest",
        _NEAREST_CHECK,
        _NEAREST,
        run_nearest,
        has_blocks=True,
        macs=product("inputs", "table"),
        constants=(
            Constant("NEAREST_WIDE", WIDE, "flag of NEAREST: values of float64"),
            Constant("NEAREST_DOUBLES", DOUBLES, "flag of NEAREST: a table of float64"),
        ),
    ),
    Operator(
        70,
        "VOTES",
        TREES,
        VOTES_RECORD,
        "votes",
        _VOTES_CHECK,
        _VOTES,
        run_votes,
        constants=(
            Constant("VOTES_VALUES", VALUES, "flag of VOTES: a sum of values"),
            Constant("VOTES_WEIGHTED", WEIGHTED, "flag of VOTES: by 1 / distance"),
        ),
    ),
)
