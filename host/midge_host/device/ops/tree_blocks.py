"""What trees take in a weight block: with thresholds of float32, and with int16 codes in about half of that."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ...ir.trees import Tree

HEAD_BYTES = 4
LAST = 1 << 15  # of an entry


class Form(NamedTuple):
    """Bytes of a node, of a leaf's value and of a list's entry. A node is a threshold, then a word of a place in
    `place_bits`, the feature in those up to `flags`, and from there: NaN goes left, left is a leaf, right is one."""

    node: int
    value: int
    entry: int
    place_bits: int
    flags: int

    @property
    def features(self) -> int:
        """How many a node can tell apart."""
        return 1 << (self.flags - self.place_bits)

    @property
    def splits(self) -> int:
        """At most of a tree."""
        return (1 << self.place_bits) - 1


FLOATS = Form(8, 8, 4, 15, 29)
CODES = Form(5, 2, 2, 15, 21)
CODE_FEATURES = 1 << 14
CODE_SUMS = 128  # with lists: an entry has 7 bits for the sum


def codes(features: int) -> Form:
    """The form of codes: what few features leave is for places."""
    return CODES._replace(place_bits=min(15, CODES.flags - (features - 1).bit_length()))


@dataclass
class Block:
    """Some trees."""

    form: Form
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
            flags = tree.missing_left[at] + 2 * (left in children) + 4 * (right in children)
            word = place | int(tree.feature[at]) << self.form.place_bits | int(flags) << self.form.flags
            self.nodes += self.node(tree.threshold[at], word)

    def node(self, threshold: np.float32, word: int) -> bytes:
        if self.form is FLOATS:
            return struct.pack("<iI", order_of(threshold), word)
        return struct.pack("<h", int(threshold)) + word.to_bytes(3, "little")

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
        found = b"".join(self.entry(int(k), float(values[k]), LAST * (k == outputs[-1])) for k in outputs)
        if found not in self.lists:
            self.lists[found] = len(self.entries) // self.form.entry
            self.entries += found
        return self.lists[found]

    def entry(self, k: int, value: float, last: int) -> bytes:
        if self.form is FLOATS:
            return struct.pack("<HH", k | last, self.values.setdefault(value, len(self.values)))
        return struct.pack("<H", int(value) | k << 8 | last)

    @property
    def size(self) -> int:
        values = self.form.value * len(self.values)
        return len(self.heads) + len(self.nodes) + values + len(self.entries) + 2 * len(self.leaves)

    @property
    def counts(self) -> dict[str, int]:
        """Fields of the record."""
        return {
            "trees": len(self.heads) // HEAD_BYTES,
            "nodes": len(self.nodes) // self.form.node,
            "values": len(self.values),
            "entries": len(self.entries) // self.form.entry,
            "leaves": len(self.leaves),
        }

    def to_bytes(self) -> bytes:
        values = [key[1] if isinstance(key, tuple) else key for key in self.values]
        numbers = np.array(values, "<f8" if self.form is FLOATS else "<i2").tobytes()
        leaves = struct.pack(f"<{len(self.leaves)}H", *self.leaves)
        return b"".join([self.heads, self.nodes, numbers, self.entries, leaves])


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
