"""TREES: what the leaves of decision trees add up to, in float64; CODES: int16 for float32 readings; SCORES: float32
results of such sums."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from ...ir.operators import Codes, Decision, Scores, TreeSums
from ...ir.trees import CODE_LIMIT, MISSING, ZERO_UNIT
from ..banks import TREES
from ..definition import Constant, Operand, Operator, fit, record
from ..record import Context, Step
from ..rules import (
    WIDE,
    Check,
    Choice,
    HasFlag,
    Holds,
    When,
    aligned,
    at_most,
    equal,
    nonzero,
    parameters,
    product,
    total,
    weights,
)
from . import tree_blocks
from .tree_blocks import CODE_FEATURES, CODES, FLOATS, HEAD_BYTES, LAST, Block, Form, order_of

DOUBLE = 8  # bytes
MAX_FEATURES = FLOATS.features
MAX_SPLITS = FLOATS.splits
MAX_SUMS = 1 << 15
BLOCK_TARGET = 4096  # a record takes further trees up to here

FIRST, MIXED, SINGLE = 1, 2, 4
DECIDES, PROBABILITIES, PAIR = 1, 2, 4

TREES_RECORD = record(
    "trees",
    "The leaves' values of some trees, tree by tree, are added to the sums. flags 1: the sums begin at the block's "
    "bias, otherwise where the record before left them; 2: a leaf has a list of values, otherwise one for the tree's "
    "sum; 4: a sum is rounded to float32 after each addition. Of int16 activations, nodes hold codes and leaves int16.",
    [
        ("H", "features", "values of a reading: float32, or int16 codes"),
        ("H", "outputs", "float64 sums"),
        ("H", "trees", "number of trees"),
        ("H", "nodes", "nodes that split, of all trees"),
        ("H", "values", "values of leaves: float64, or int16"),
        ("H", "entries", "with flag 2: entries of lists"),
        ("H", "leaves", "with flag 2: leaves, each the first entry of a list"),
        ("B", "place_bits", "of codes: bits of a node's place"),
    ],
)

CODES_RECORD = record(
    "codes",
    "int16 codes of float32 values, each with a power of two and a zero of its own; -32768 for NaN.",
    [("H", "count", "number of values")],
)

SCORES_RECORD = record(
    "scores",
    "float32 results of float64 sums, each sum / divisor. flags 1: of a classifier, so that the class it decides for "
    "has the largest score and none that is equal stands before it; 2: probabilities, the softmax of the scores; 4: of "
    "one sum two scores, -sum / divisor (with flag 2: 0) and sum / divisor, and it decides for the second class where "
    "the sum is not below the threshold.",
    [
        ("H", "sums", "number of sums"),
        ("H", "outputs", "number of results"),
        ("2I", "divisor", "of all sums: float64"),
        ("2I", "threshold", "with flag 4: float64"),
    ],
)


def lower_trees(node: TreeSums) -> list[Step]:
    if node.source.dtype not in ("float32", "int16"):
        raise node.refuse(f"it reads {node.source.dtype}", "train the trees on the readings themselves")
    codes = node.source.dtype == "int16"
    dtype = "int16" if codes else "int8"
    features, outputs = node.source.size, node.output.size
    if features > MAX_FEATURES or outputs > MAX_SUMS:
        reason = f"it takes {features:,} values and gives {outputs:,}, the limits are {MAX_FEATURES:,} and {MAX_SUMS:,}"
        raise node.refuse(reason, "train it on fewer")
    if not (mixed := node.trees[0].value.ndim == 2) and any(tree.value.ndim == 2 for tree in node.trees):
        raise node.refuse("its trees have leaves of two kinds", "export the model again")
    if codes and mixed and outputs > tree_blocks.CODE_SUMS:
        reason = f"it tells {outputs:,} classes apart, the limit of int16 features is {tree_blocks.CODE_SUMS}"
        raise node.refuse(reason, "convert it without --features int16")
    form = tree_blocks.codes(features) if codes else FLOATS
    steps = []
    for number, block in enumerate(_blocks(node, form)):
        body = (node.bias.astype("<f8").tobytes() if number == 0 else b"") + block.to_bytes()
        fields = {
            "flags": FIRST * (number == 0) | MIXED * mixed | SINGLE * node.single,
            "features": features,
            "outputs": outputs,
            "place_bits": form.place_bits if codes else 0,
            **block.counts,
        }
        name = f"{node.name}_{number}" if number else node.name
        blocks = [body + bytes(-len(body) % 4)]
        steps.append(Step("TREES", name, [node.source], node.output, fields, blocks, partial=True, dtype=dtype))
    steps[-1].partial = False
    return steps


def _blocks(node: TreeSums, form: Form) -> Iterator[Block]:
    """Trees together as long as their block is small: a piece of the weights is all that must be in memory."""
    block = Block(form)
    for i, tree in enumerate(node.trees):
        splits = len(tree.order())
        if splits > form.splits:
            reason = f"tree {i} has {splits:,} nodes that split, the limit is {form.splits:,}"
            raise node.refuse(reason, "train it with max_depth or max_leaf_nodes")
        values = splits + 1 if tree.value.ndim == 1 else 0
        if block.heads and block.size + form.node * splits + form.value * values > BLOCK_TARGET:
            yield block
            block = Block(form)
        block.add(tree)
        if len(block.leaves) > form.splits or block.counts["entries"] > 0xFFFF:
            raise node.refuse(f"tree {i} has too many different leaves", "train it with max_depth or max_leaf_nodes")
    yield block


def lower_codes(node: Codes) -> list[Step]:
    if node.source.size > CODE_FEATURES:
        reason = f"it takes {node.source.size:,} values, the limit of int16 features is {CODE_FEATURES:,}"
        raise node.refuse(reason, "train it on fewer, or convert it without --features int16")
    words = node.zeros // ZERO_UNIT << 8 | node.exponents & 255
    block = words.astype("<i4").tobytes()
    return [Step("CODES", node.name, [node.source], node.output, {"count": node.source.size}, [block])]


def lower_scores(node: Scores) -> list[Step]:
    fields = {
        "flags": DECIDES * (node.decision is not Decision.NONE)
        | PROBABILITIES * node.probabilities
        | PAIR * (node.decision is Decision.THRESHOLD),
        "sums": node.source.size,
        "outputs": node.output.size,
        "divisor": struct.unpack("<2I", struct.pack("<d", node.divisor)),
        "threshold": struct.unpack("<2I", struct.pack("<d", node.threshold)),
    }
    return [Step("SCORES", node.name, [node.source], node.output, fields)]


def run_trees(context: Context) -> None:
    op = context.op
    codes = context.dtype == np.int16
    form = CODES._replace(place_bits=op["place_bits"]) if codes else FLOATS
    x = context.tensor((op["features"],), "input", np.int16 if codes else np.float32)
    sums = context.tensor((op["outputs"],), "output", np.float64)
    block = context.block(0)
    at = 0

    def part(dtype: str, count: int) -> np.ndarray:
        nonlocal at
        start, at = at, at + np.dtype(dtype).itemsize * count
        return block[start:at].view(dtype)

    if op["flags"] & FIRST:
        sums[:] = part("<f8", op["outputs"])
    heads, nodes = part("<u2", 2 * op["trees"]).reshape(-1, 2), part("u1", form.node * op["nodes"])
    nodes = nodes.reshape(-1, form.node)
    values = part("<i2" if codes else "<f8", op["values"])
    entries, leaves = part("<u2", (1 if codes else 2) * op["entries"]), part("<u2", op["leaves"])
    first = base = 0
    for count, output in heads.tolist():
        leaf = _leaf(nodes[first : first + count], form, x)
        first += count
        if not op["flags"] & MIXED:
            _add(op, sums, output, np.float64(values[base + leaf]))
            base += count + 1
            continue
        for e in range(leaves[leaf], op["entries"]):
            entry = int(entries[e if codes else 2 * e])
            k = entry >> 8 & 127 if codes else entry & (LAST - 1)
            _add(op, sums, k, np.float64(entry & 255 if codes else values[entries[2 * e + 1]]))
            if entry & LAST:
                break


def _add(op: dict, sums: np.ndarray, output: int, value: np.float64) -> None:
    sums[output] += value
    if op["flags"] & SINGLE:
        sums[output] = np.float32(sums[output])


def _leaf(nodes: np.ndarray, form: Form, x: np.ndarray) -> int:
    at = 0
    while True:
        node, split = nodes[at].tobytes(), form.node // 2
        threshold = int.from_bytes(node[:split], "little", signed=True)
        word = int.from_bytes(node[split:], "little")
        flags, place = word >> form.flags, word & form.splits
        value = x[word >> form.place_bits & (form.features - 1)]
        if form is FLOATS:
            missing, order = np.isnan(value), order_of(value)
        else:
            missing, order = value == MISSING, int(value)
        goes_left = bool(flags & 1) if missing else order <= threshold
        if flags & (2 if goes_left else 4):
            return place + (not goes_left and bool(flags & 2))
        at += 1 if goes_left or flags & 2 else place


def run_codes(context: Context) -> None:
    op = context.op
    x = context.tensor((op["count"],), "input", np.float32).astype(np.float64)
    words = context.block(0)[: 4 * op["count"]].view("<i4")
    with np.errstate(all="ignore"):
        codes = np.clip(np.ceil(np.ldexp(x, words.astype(np.int8))) - ZERO_UNIT * (words >> 8), -CODE_LIMIT, CODE_LIMIT)
        codes = np.where(np.isnan(x), MISSING, codes).astype(np.int16)
    context.tensor(codes.shape, "output", np.int16)[:] = codes


def run_scores(context: Context) -> None:
    op = context.op
    sums = context.tensor((op["sums"],), "input", np.float64)
    divisor, threshold = (np.array(op[name], "<u4").view("<f8")[0] for name in ("divisor", "threshold"))
    with np.errstate(all="ignore"):
        scores = sums / divisor
        if op["flags"] & PAIR:
            winner = int(sums[0] >= threshold)
            scores = np.array([0.0 if op["flags"] & PROBABILITIES else -scores[0], scores[0]])
        else:
            winner = int(np.argmax(scores))
        if op["flags"] & PROBABILITIES:
            powers = [exp(value - scores.max()) for value in scores]
            whole = np.float64(0.0)
            for power in powers:
                whole += power
            scores = np.array(powers) / whole
        results = scores.astype(np.float32)
    results[np.isnan(results)] = np.nan
    if op["flags"] & DECIDES:
        orders = [_top(value) for value in results]
        for i, value in enumerate(orders):
            limit = orders[winner] - (i < winner)
            if i != winner and value > limit:
                bits = limit if limit >= 0 else 0x80000000 | -limit
                results[i] = np.uint32(bits).view(np.float32)
    context.tensor((op["outputs"],), "output", np.float32)[:] = results


def _top(value: np.float32) -> int:
    return 0x7FFFFFFF if np.isnan(value) else order_of(value)


# 1 / n!, from n = 9 down to 0.
_TERMS = [1 / float(np.prod(np.arange(1.0, n + 1))) for n in range(9, -1, -1)]


def exp(x: np.float64) -> np.float64:
    """e^x for x <= 0: 2^-k e^r with |r| <= ln 2 / 2, e^r by its Taylor series; 0 below -700."""
    if np.isnan(x):
        return np.float64(np.nan)
    if x < -700:
        return np.float64(0.0)
    k = int(-x * np.float64(np.log2(np.e)) + 0.5)
    r = x + k * np.float64(np.log(2.0))
    whole = np.float64(_TERMS[0])
    for term in _TERMS[1:]:
        whole = whole * r + term
    return np.float64(np.ldexp(whole, -k))


_TREES_TENSORS = (Operand("input", ("features",), Choice(WIDE, 2, 4)), Operand("output", ("outputs",), DOUBLE))
_SCORES_TENSORS = (Operand("input", ("sums",), DOUBLE), Operand("output", ("outputs",), 4))

_TREES_CHECK = Check(
    "trees",
    (
        parameters(
            at_most("flags", FIRST | MIXED | SINGLE), nonzero("features", "outputs"), aligned(4, "input", "output")
        ),
        parameters(at_most("place_bits", CODES.flags)),
        weights(
            equal("blocks", 1),
            Holds(
                total(
                    Choice(HasFlag(FIRST), product(DOUBLE, "outputs"), 0),
                    product(HEAD_BYTES, "trees"),
                    product(Choice(WIDE, CODES.node, FLOATS.node), "nodes"),
                    product(Choice(WIDE, CODES.value, FLOATS.value), "values"),
                    product(Choice(WIDE, CODES.entry, FLOATS.entry), "entries"),
                    product(2, "leaves"),
                )
            ),
        ),
        fit(*_TREES_TENSORS),
    ),
)
_CODES_TENSORS = (Operand("input", ("count",), 4), Operand("output", ("count",), 2))
_CODES_CHECK = Check(
    "codes",
    (
        parameters(equal("flags", 0), nonzero("count"), aligned(4, "input", "output")),
        weights(equal("blocks", 1), Holds(product(4, "count"))),
        fit(*_CODES_TENSORS),
    ),
)
_SCORES_CHECK = Check(
    "scores",
    (
        parameters(
            at_most("flags", DECIDES | PROBABILITIES | PAIR), nonzero("sums", "outputs"), aligned(4, "input", "output")
        ),
        When(
            HasFlag(PAIR), (parameters(equal("sums", 1), equal("outputs", 2)),), (parameters(equal("sums", "outputs")),)
        ),
        fit(*_SCORES_TENSORS),
    ),
)


def _trees(dtype: str) -> Operator:
    return Operator(
        64,
        "TREES",
        TREES,
        TREES_RECORD,
        "trees",
        _TREES_CHECK,
        _TREES_TENSORS,
        run_trees,
        dtype=dtype,
        has_blocks=True,
        constants=(
            Constant("TREES_FIRST", FIRST, "flag of TREES: the sums begin at the bias"),
            Constant("TREES_MIXED", MIXED, "flag of TREES: leaves of several values"),
            Constant("TREES_SINGLE", SINGLE, "flag of TREES: sums are rounded to float32"),
            Constant("TREES_NODE", FLOATS.node, "bytes of a node: a threshold, a word"),
            Constant("TREES_CODE_NODE", CODES.node, "the same where readings are codes"),
            Constant("TREES_PLACES", FLOATS.place_bits, "of a node's word: behind them the feature"),
            Constant("TREES_FLAGS", FLOATS.flags, "the first bit of its flags"),
            Constant("TREES_CODE_FLAGS", CODES.flags, "the same where readings are codes"),
        ),
    )


DEFINITIONS = (
    _trees("int8"),
    _trees("int16"),
    Operator(
        71,
        "CODES",
        TREES,
        CODES_RECORD,
        "codes",
        _CODES_CHECK,
        _CODES_TENSORS,
        run_codes,
        has_blocks=True,
    ),
    Operator(
        65,
        "SCORES",
        TREES,
        SCORES_RECORD,
        "scores",
        _SCORES_CHECK,
        _SCORES_TENSORS,
        run_scores,
        constants=(
            Constant("SCORES_DECIDE", DECIDES, "flag of SCORES: a classifier's"),
            Constant("SCORES_PROBABILITIES", PROBABILITIES, "flag of SCORES"),
            Constant("SCORES_PAIR", PAIR, "flag of SCORES: two scores of one sum"),
        ),
    ),
)
