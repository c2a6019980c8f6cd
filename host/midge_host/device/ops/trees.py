"""TREES: what the leaves of decision trees add up to, in float64; SCORES: float32 results of such sums."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from ...ir.operators import Decision, Scores, TreeSums
from ...ir.trees import Tree
from ..banks import TREES
from ..definition import Constant, Operand, Operator, fit, record
from ..record import Context, Step
from ..rules import (
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

DOUBLE = 8  # bytes
NODE_BYTES, HEAD_BYTES, ENTRY_BYTES = 8, 4, 4
MAX_FEATURES = 1 << 14
MAX_SPLITS = (1 << 15) - 1  # of a tree
MAX_SUMS = 1 << 15
BLOCK_TARGET = 4096  # a record takes further trees up to here

FIRST, MIXED, SINGLE = 1, 2, 4
DECIDES, PROBABILITIES, PAIR = 1, 2, 4

# A node's second word: 15 bits of where, 14 bits of the feature, and these.
MISSING_LEFT, LEFT_LEAF, RIGHT_LEAF = 1 << 29, 1 << 30, 1 << 31
LAST = 1 << 15  # of an entry's output

TREES_RECORD = record(
    "trees",
    "The leaves' values of some trees, tree by tree, are added to the sums. flags 1: the sums begin at the block's "
    "bias, otherwise where the record before left them; 2: a leaf has a list of values, otherwise one for the tree's "
    "sum; 4: a sum is rounded to float32 after each addition.",
    [
        ("H", "features", "float32 values of a reading"),
        ("H", "outputs", "float64 sums"),
        ("H", "trees", "number of trees"),
        ("H", "nodes", "nodes that split, of all trees"),
        ("H", "values", "float64 values of leaves"),
        ("H", "entries", "with flag 2: entries of lists"),
        ("H", "leaves", "with flag 2: leaves, each the first entry of a list"),
    ],
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


@dataclass
class _Block:
    """What some trees take in a record."""

    heads: bytearray = field(default_factory=bytearray)
    nodes: bytearray = field(default_factory=bytearray)
    values: dict[tuple[int, float] | float, int] = field(default_factory=dict)
    entries: bytearray = field(default_factory=bytearray)
    lists: dict[bytes, int] = field(default_factory=dict)
    leaves: list[int] = field(default_factory=list)
    pairs: dict[tuple[int, ...], int] = field(default_factory=dict)

    def add(self, tree: Tree) -> None:
        order = tree.order()
        if not order:  # one leaf alone: a node with two of it
            tree = _doubled(tree)
            order = [0]
        number = {at: i for i, at in enumerate(order)}
        base = len(self.values)
        self.heads += struct.pack("<HH", len(order), tree.output)
        for at in order:
            left, right = int(tree.left[at]), int(tree.right[at])
            children = [child for child in (left, right) if tree.feature[child] < 0]
            place = self.place(tree, children, base) if children else number[right] - number[at]
            word = place | int(tree.feature[at]) << 15 | MISSING_LEFT * bool(tree.missing_left[at])
            word |= LEFT_LEAF * (left in children) | RIGHT_LEAF * (right in children)
            self.nodes += struct.pack("<iI", order_of(tree.threshold[at]), word)

    def place(self, tree: Tree, children: list[int], base: int) -> int:
        """Where the leaves are: neighbours where there are two."""
        if tree.value.ndim == 1:
            first = len(self.values)
            for child in children:
                self.values[len(self.values), float(tree.value[child])] = len(self.values)
            return first - base
        key = tuple(self.list_of(tree.value[child]) for child in children)
        if key not in self.pairs:
            self.pairs[key] = len(self.leaves)
            for i, value in enumerate(key):
                self.pairs.setdefault((value,), len(self.leaves) + i)
            self.leaves += key
        return self.pairs[key]

    def list_of(self, values: np.ndarray) -> int:
        """The first entry of the list of a leaf's values that are not 0."""
        outputs = np.flatnonzero(values)
        outputs = outputs if outputs.size else np.zeros(1, np.int64)
        numbers = [self.values.setdefault(float(values[k]), len(self.values)) for k in outputs]
        last = [LAST * (i == len(numbers) - 1) for i in range(len(numbers))]
        found = b"".join(struct.pack("<HH", k | end, n) for k, end, n in zip(outputs, last, numbers, strict=True))
        if found not in self.lists:
            self.lists[found] = len(self.entries) // ENTRY_BYTES
            self.entries += found
        return self.lists[found]

    @property
    def size(self) -> int:
        return len(self.heads) + len(self.nodes) + DOUBLE * len(self.values) + len(self.entries) + 2 * len(self.leaves)

    @property
    def limits(self) -> tuple[int, ...]:
        """What the record's fields, and places in nodes, have to hold."""
        return len(self.heads) // HEAD_BYTES, len(self.nodes) // NODE_BYTES, len(self.values), len(self.leaves)


def order_of(value: np.float32) -> int:
    """An integer in the order of the numbers; 0.0 and -0.0 have the same."""
    bits = int(np.float32(value).view(np.uint32))
    return -(bits & 0x7FFFFFFF) if bits >> 31 else bits


def _doubled(tree: Tree) -> Tree:
    """A tree of one leaf with a split before it that does not matter."""
    left, right = np.array([1, 0, 0]), np.array([2, 0, 0])
    value, nothing = np.repeat(tree.value[:1], 3, 0), np.zeros(3)
    feature = np.array([0, -1, -1])
    return Tree(feature, nothing.astype(np.float32), left, right, nothing.astype(bool), value, tree.output)


def lower_trees(node: TreeSums) -> list[Step]:
    if node.source.dtype != "float32":
        raise node.refuse(f"it reads {node.source.dtype}", "train the trees on the readings themselves")
    features, outputs = node.source.size, node.output.size
    if features > MAX_FEATURES or outputs > MAX_SUMS:
        reason = f"it takes {features:,} values and gives {outputs:,}, the limits are {MAX_FEATURES:,} and {MAX_SUMS:,}"
        raise node.refuse(reason, "train it on fewer")
    if not (mixed := node.trees[0].value.ndim == 2) and any(tree.value.ndim == 2 for tree in node.trees):
        raise node.refuse("its trees have leaves of two kinds", "export the model again")
    steps = []
    for number, block in enumerate(_blocks(node)):
        trees, nodes, values, leaves = block.limits
        bias = node.bias.astype("<f8").tobytes() if number == 0 else b""
        pad = bytes(2 * (leaves % 2))
        body = b"".join(
            [
                bias,
                block.heads,
                block.nodes,
                _doubles(block),
                block.entries,
                struct.pack(f"<{leaves}H", *block.leaves),
                pad,
            ]
        )
        fields = {
            "flags": FIRST * (number == 0) | MIXED * mixed | SINGLE * node.single,
            "features": features,
            "outputs": outputs,
            "trees": trees,
            "nodes": nodes,
            "values": values,
            "entries": len(block.entries) // ENTRY_BYTES,
            "leaves": leaves,
        }
        name = f"{node.name}_{number}" if number else node.name
        steps.append(Step("TREES", name, [node.source], node.output, fields, [body], partial=True))
    steps[-1].partial = False
    return steps


def _doubles(block: _Block) -> bytes:
    values = [key[1] if isinstance(key, tuple) else key for key in block.values]
    return np.array(values, "<f8").tobytes()


def _blocks(node: TreeSums) -> Iterator[_Block]:
    """Trees together as long as their block is small: a piece of the weights is all that must be in memory."""
    block = _Block()
    for i, tree in enumerate(node.trees):
        splits = len(tree.order())
        if splits > MAX_SPLITS:
            reason = f"tree {i} has {splits:,} nodes that split, the limit is {MAX_SPLITS:,}"
            raise node.refuse(reason, "train it with max_depth or max_leaf_nodes")
        values = splits + 1 if tree.value.ndim == 1 else 0
        if block.heads and block.size + NODE_BYTES * splits + DOUBLE * values > BLOCK_TARGET:
            yield block
            block = _Block()
        block.add(tree)
        if len(block.leaves) > MAX_SPLITS or len(block.entries) // ENTRY_BYTES > 0xFFFF:
            raise node.refuse(f"tree {i} has too many different leaves", "train it with max_depth or max_leaf_nodes")
    yield block


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
    x = context.tensor((op["features"],), "input", np.float32)
    sums = context.tensor((op["outputs"],), "output", np.float64)
    block = context.block(0)
    at = 0

    def part(dtype: str, count: int) -> np.ndarray:
        nonlocal at
        start, at = at, at + np.dtype(dtype).itemsize * count
        return block[start:at].view(dtype)

    if op["flags"] & FIRST:
        sums[:] = part("<f8", op["outputs"])
    heads, nodes = part("<u2", 2 * op["trees"]).reshape(-1, 2), part("<i4", 2 * op["nodes"]).reshape(-1, 2)
    values, entries = part("<f8", op["values"]), part("<u2", 2 * op["entries"]).reshape(-1, 2)
    leaves = part("<u2", op["leaves"])
    first = base = 0
    for count, output in heads.tolist():
        leaf = _leaf(nodes[first : first + count], x)
        first += count
        if op["flags"] & MIXED:
            for k, number in entries[leaves[leaf] :].tolist():
                _add(op, sums, k & (LAST - 1), values[number])
                if k & LAST:
                    break
        else:
            _add(op, sums, output, values[base + leaf])
            base += count + 1


def _add(op: dict, sums: np.ndarray, output: int, value: np.float64) -> None:
    sums[output] += value
    if op["flags"] & SINGLE:
        sums[output] = np.float32(sums[output])


def _leaf(nodes: np.ndarray, x: np.ndarray) -> int:
    at = 0
    while True:
        threshold, word = int(nodes[at, 0]), int(nodes[at, 1]) & 0xFFFFFFFF
        value = x[word >> 15 & (MAX_FEATURES - 1)]
        place, both = word & MAX_SPLITS, word & LEFT_LEAF and word & RIGHT_LEAF
        goes_left = bool(word & MISSING_LEFT) if np.isnan(value) else order_of(value) <= threshold
        if word & (LEFT_LEAF if goes_left else RIGHT_LEAF):
            return place + (1 if both and not goes_left else 0)
        at += 1 if goes_left or word & LEFT_LEAF else place


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


_TREES_TENSORS = (Operand("input", ("features",), 4), Operand("output", ("outputs",), DOUBLE))
_SCORES_TENSORS = (Operand("input", ("sums",), DOUBLE), Operand("output", ("outputs",), 4))

_TREES_CHECK = Check(
    "trees",
    (
        parameters(
            at_most("flags", FIRST | MIXED | SINGLE), nonzero("features", "outputs"), aligned(4, "input", "output")
        ),
        weights(
            equal("blocks", 1),
            Holds(
                total(
                    Choice(HasFlag(FIRST), product(DOUBLE, "outputs"), 0),
                    product(HEAD_BYTES, "trees"),
                    product(NODE_BYTES, "nodes"),
                    product(DOUBLE, "values"),
                    product(ENTRY_BYTES, "entries"),
                    product(2, "leaves"),
                )
            ),
        ),
        fit(*_TREES_TENSORS),
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

DEFINITIONS = (
    Operator(
        64,
        "TREES",
        TREES,
        TREES_RECORD,
        "trees",
        _TREES_CHECK,
        _TREES_TENSORS,
        run_trees,
        has_blocks=True,
        constants=(
            Constant("TREES_FIRST", FIRST, "flag of TREES: the sums begin at the bias"),
            Constant("TREES_MIXED", MIXED, "flag of TREES: leaves of several values"),
            Constant("TREES_SINGLE", SINGLE, "flag of TREES: sums are rounded to float32"),
        ),
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
