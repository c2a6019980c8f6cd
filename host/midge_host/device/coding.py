"""Coded weights: pieces of a file that are smaller than what they are decoded to. docs/FORMAT.md, "Coded weights"."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from importlib import import_module
from typing import Any

import numpy as np

from . import registry, spec
from .ops.blocks import ENTRY_BITS
from .rules import Holds, Require, evaluate

try:
    DECODER = import_module("midge_packed")
except ImportError:  # installed without a compiler
    DECODER = import_module("midge._portable_packed")

GROUP_BITS = 24  # of an entry that are stored together
MOST_BYTES = 0xFFFF  # of a row
MOST_TABLES = 4  # each takes 262 bytes of RAM, and a fifth seldom pays
ROUNDS = 8  # of choosing tables for rows and rows for tables
RAW_KIND = (1, 8)  # any row can be of it


@dataclass(frozen=True)
class Coded:
    """Weights as a file stores them: the sections CODE and WGHT, and the rows of WDIR."""

    code: bytes
    pieces: tuple[dict[str, int], ...]
    data: bytes


@dataclass(frozen=True)
class Shape:
    """What a block is made of: rows, and an entry for each before them, of three parts. The bits of the middle one are
    0."""

    rows: int
    row_bytes: int
    first_bits: int = 0
    zero_bits: int = 0
    last_bits: int = 0

    @property
    def entry_bits(self) -> int:
        return self.first_bits + self.zero_bits + self.last_bits

    @property
    def entries_bytes(self) -> int:
        return spec.align(-(-self.rows * self.entry_bits // 8), spec.BLOCK_ALIGNMENT)

    @property
    def block_bytes(self) -> int:
        return spec.align(self.entries_bytes + self.rows * self.row_bytes, spec.BLOCK_ALIGNMENT)


@dataclass
class Piece:
    """The blocks of an operator. steps, values: of each row, what its values are multiples of, and the values."""

    raw: bytes
    shape: Shape
    entries: np.ndarray  # uint8 [blocks][bits]
    steps: np.ndarray
    values: np.ndarray  # int16 [rows][row_bytes]


def encode(records: list[dict[str, Any]], pieces: list[dict[str, int]], weights: bytes) -> Coded | None:
    """The weights of a program, each piece coded where that takes fewer bytes; None where it pays for no piece.

    pieces: as they are where all are raw.
    """
    cut = [_cut(records, piece, weights) for piece in pieces]
    candidates = [piece for piece in cut if piece]
    if not candidates:
        return None
    best: Coded | None = None
    for count in range(MOST_TABLES + 1):
        found = stored(cut, tables_of(candidates, count), weights, pieces)
        if found and (best is None or _bytes(found) < _bytes(best)):
            best = found
    if best is None or _bytes(best) >= len(weights):
        return None
    if decode(best) != weights:
        raise AssertionError("coded weights are decoded to others")
    return best


def decode(coded: Coded) -> bytes:
    """The weights; ValueError where a piece is impossible or is not what is stored, to the last bit."""
    count = coded.code[spec.CODING.offsets["tables"]] if len(coded.code) >= spec.CODING.size else 0
    tables = array("H", bytes(2 * spec.LOOKUP_ENTRIES * min(count, spec.CODE_LIMITS["tables"])))
    if coded.code and DECODER.prepare(coded.code, tables):
        raise ValueError("section 'CODE' says something impossible; convert the model again")
    parts = []
    for number, piece in enumerate(coded.pieces):
        data = coded.data[piece["offset"] :][: piece["stored_bytes"]]
        if piece["encoding"] == spec.RAW:
            parts.append(data)
            continue
        made = bytearray(piece["bytes"])
        state = array("I", bytes(spec.UNPACKING.size))
        at = DECODER.unpack(coded.code, tables, state, data, len(data), made, 0, len(made))
        left = dict(zip((f.name for f in spec.UNPACKING.fields), state, strict=True))
        ended = left["phase"] == spec.UNPACKING_PHASES["kinds"] and left["row"] == left["rows"]
        if at != len(made) or not ended or left["taken"] != len(data) or left["have"] >= 8:
            raise ValueError(f"piece {number} of the weights cannot be decoded; copy it again")
        parts.append(bytes(made))
    return b"".join(parts)


def memory(coded: Coded) -> int:
    """Bytes of RAM that a board takes to decode: tables, state, and what is read of the file at a time."""
    tables = spec.CODING.unpack(coded.code)["tables"]
    return 2 * spec.LOOKUP_ENTRIES * tables + spec.UNPACKING.size + spec.READ_BYTES


def _bytes(coded: Coded) -> int:
    return len(coded.code) + len(coded.data)


def _cut(records: list[dict[str, Any]], piece: dict[str, int], weights: bytes) -> Piece | None:
    """A piece in rows; None for one whose blocks are too large for that."""
    raw = weights[piece["offset"] :][: piece["bytes"]]
    readers = [r for r in records if r["blocks"] and r["weights"] == piece["offset"]]
    record = max(readers, key=lambda r: r["blocks"] * r["block_bytes"])
    shape = _shape(record, raw)
    if shape is None:
        return None
    return rows_of(raw, shape)


def rows_of(raw: bytes, shape: Shape) -> Piece:
    """Blocks of such a shape in rows."""
    table = np.frombuffer(raw, np.uint8).reshape(-1, shape.block_bytes)
    head, end = shape.entries_bytes, shape.entries_bytes + shape.rows * shape.row_bytes
    rows = table[:, head:end].reshape(-1, shape.row_bytes).view(np.int8).astype(np.int16)
    steps = np.gcd.reduce(rows, axis=1)
    return Piece(raw, shape, _entries_of(table, shape), steps, rows // np.maximum(steps, 1)[:, None])


def _shape(record: dict[str, Any], raw: bytes) -> Shape | None:
    """How a record's blocks are cut: those of convolutions into the rows of their channels, others not at all."""
    rules = [rule for rule in registry.of_record(record).check.rules if isinstance(rule, Require)]
    held = next((c for rule in rules for c in rule.conditions if isinstance(c, Holds)), None)
    if held is None or "block_channels" not in record:
        size = record["block_bytes"]
        return Shape(1, size) if size <= MOST_BYTES and len(raw) % size == 0 else None
    rows = record["block_channels"]
    row_bytes = evaluate(held.rest, record) // rows
    bits = sum(record[f] for f in ENTRY_BITS) if "mult_bits" in record else 8 * evaluate(held.head, record) // rows
    plain = Shape(rows, row_bytes, bits)
    if row_bytes > MOST_BYTES or plain.block_bytes != record["block_bytes"]:
        return None
    table = np.frombuffer(raw, np.uint8).reshape(-1, plain.block_bytes)
    first, zeros = _longest_zeros(_entries_of(table, plain).reshape(-1, bits))
    return Shape(rows, row_bytes, first, zeros, bits - first - zeros)


def _longest_zeros(entries: np.ndarray) -> tuple[int, int]:
    """Where the longest run of bits begins that are 0 in all entries, and how many these are."""
    used = np.flatnonzero(entries.any(0))
    edges = np.concatenate([[-1], used, [entries.shape[1]]])
    zeros = np.diff(edges) - 1
    longest = int(zeros.argmax())
    return int(edges[longest]) + 1, int(zeros[longest])


def _entries_of(table: np.ndarray, shape: Shape) -> np.ndarray:
    """Bits of the entries of blocks, uint8 [blocks][bytes]: uint8 [blocks][bits]."""
    bits = np.unpackbits(table[:, : shape.entries_bytes], axis=1, bitorder="little")
    return bits[:, : shape.rows * shape.entry_bits]


def _histograms(values: np.ndarray) -> np.ndarray:
    """How often each value stands in each row: [rows][256]."""
    rows = np.repeat(np.arange(len(values)), values.shape[1])
    return np.bincount(rows * 256 + values.reshape(-1) + 128, minlength=len(values) * 256).reshape(-1, 256)


def _widths(values: np.ndarray) -> np.ndarray:
    """Bits of two's complement that the values of each row need; 0 where all are 0."""
    most = np.maximum(values.max(1), -1 - values.min(1)).astype(np.int64)
    bits = np.ceil(np.log2(most + 1)).astype(np.int64) + 1
    return np.where(values.any(1), np.maximum(bits, 1), 0)


def tables_of(pieces: list[Piece], count: int) -> list[np.ndarray]:
    """Lengths of the codes of so many tables at most, 0 where a value has none: each for rows that it suits best."""
    histograms = np.concatenate([_histograms(piece.values) for piece in pieces])
    bits = histograms.sum(1) * np.concatenate([_widths(piece.values) for piece in pieces])
    entropy = _entropies(histograms)
    groups = np.array_split(np.argsort(entropy, kind="stable"), count) if count else []
    tables: list[np.ndarray] = []
    for _ in range(ROUNDS):
        sums = [histograms[group].sum(0) for group in groups]
        tables = [code_lengths(each) for each in sums if each.any()]
        costs = np.stack([_costs(histograms, table) for table in tables], 1) if tables else bits[:, None]
        chosen = np.where(costs.min(1) < bits, costs.argmin(1), -1)
        groups = [np.flatnonzero(chosen == number) for number in range(len(tables))]
    return tables


def _entropies(histograms: np.ndarray) -> np.ndarray:
    """Bits for each value of a row that a code of its own would take."""
    total = histograms.sum(1, keepdims=True)
    return -(histograms * np.log2(np.maximum(histograms, 1) / total)).sum(1) / total[:, 0]


def _costs(histograms: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Bits of each row's values by a table; very many where it has no code for one."""
    return histograms @ np.where(table, table, 1 << 20)


def code_lengths(counts: np.ndarray) -> np.ndarray:
    """Bits of each value's Huffman code, CODE_BITS at most: counts are halved until it is so."""
    counts = counts.copy()
    while np.count_nonzero(counts) < 2:  # no code may be left over
        counts[np.flatnonzero(counts == 0)[0]] = 1
    while True:
        heap: list[tuple[int, int, tuple[int, ...]]] = [
            (int(count), int(value), (int(value),)) for value, count in enumerate(counts) if count
        ]
        heapify(heap)
        lengths = np.zeros(256, np.int64)
        while len(heap) > 1:
            (a, key, left), (b, _, right) = heappop(heap), heappop(heap)
            lengths[[*left, *right]] += 1
            heappush(heap, (a + b, key, left + right))
        if lengths.max() <= spec.CODE_BITS:
            return lengths
        counts = (counts + 1) // 2


def stored(
    cut: list[Piece | None], tables: list[np.ndarray], weights: bytes, pieces: list[dict[str, int]]
) -> Coded | None:
    """The weights with these tables; None where all pieces stay raw."""
    hows = [_hows(piece, tables) if piece else None for piece in cut]
    kinds = _kinds([(piece, how) for piece, how in zip(cut, hows, strict=True) if piece and how is not None])
    codes = [_codes(table) for table in tables]
    data, directory = b"", []
    for piece, how, place in zip(cut, hows, pieces, strict=True):
        data += bytes(-len(data) % spec.BLOCK_ALIGNMENT)
        raw = weights[place["offset"] :][: place["bytes"]]
        made = _piece(piece, how, kinds, codes) if piece and how is not None else raw
        encoding = spec.CODED if len(made) < len(raw) else spec.RAW
        kept = made if encoding == spec.CODED else raw
        directory.append({"offset": len(data), "stored_bytes": len(kept), "bytes": len(raw), "encoding": encoding})
        data += kept
    if all(row["encoding"] == spec.RAW for row in directory):
        return None
    head = spec.CODING.pack(kinds=len(kinds), tables=len(tables))
    head += b"".join(bytes(kind) for kind in kinds) + b"".join(map(_pack_table, tables))
    return Coded(head, tuple(directory), data)


def _hows(piece: Piece, tables: list[np.ndarray]) -> np.ndarray:
    """How each row is coded: so many bits for a value, or a table, whatever is less."""
    bits = _widths(piece.values)
    if not tables:
        return bits
    histograms = _histograms(piece.values)
    costs = np.stack([_costs(histograms, table) for table in tables], 1)
    return np.where(costs.min(1) < bits * piece.shape.row_bytes, spec.IS_TABLE + costs.argmin(1), bits)


def _kinds(rows: list[tuple[Piece, np.ndarray]]) -> list[tuple[int, int]]:
    """The kinds of all rows, in order; as many as there may be, the most frequent ones."""
    counts: dict[tuple[int, int], int] = {}
    for piece, hows in rows:
        for step, how in zip(piece.steps, hows, strict=True):
            kind = (int(step), int(how))
            counts[kind] = counts.get(kind, 0) + 1
    most = spec.CODE_LIMITS["kinds"]
    if len(counts) > most:
        kept = sorted(counts, key=lambda kind: -counts[kind])[: most - 1]
        counts = dict.fromkeys([*kept, RAW_KIND], 0)
    return sorted(counts)


def _codes(lengths: np.ndarray) -> np.ndarray:
    """The canonical codes of values of such lengths, shorter ones first."""
    codes, code, former = np.zeros(256, np.int64), 0, 0
    for value in _in_order(lengths):
        code <<= int(lengths[value]) - former
        former = int(lengths[value])
        codes[value] = code
        code += 1
    return np.stack([codes, lengths])


def _in_order(lengths: np.ndarray) -> Iterator[int]:
    values = np.flatnonzero(lengths)
    return iter(values[np.argsort(lengths[values], kind="stable")].tolist())


def _pack_table(lengths: np.ndarray) -> bytes:
    counts = [int(np.count_nonzero(lengths == bits)) for bits in range(1, spec.CODE_BITS + 1)]
    return bytes(counts) + bytes((value - 128) & 255 for value in _in_order(lengths))


def _piece(piece: Piece, hows: np.ndarray, kinds: list[tuple[int, int]], codes: list[np.ndarray]) -> bytes:
    """A coded piece. A row of a kind that there is not is stored as it is."""
    shape = piece.shape
    numbers = {kind: number for number, kind in enumerate(kinds)}
    keys = [(int(step), int(how)) for step, how in zip(piece.steps, hows, strict=True)]
    keys = [key if key in numbers else RAW_KIND for key in keys]
    chosen = np.array([numbers[key] for key in keys])
    base = int(chosen.min())
    kind_bits = int(chosen.max() - base).bit_length()
    values, lengths = [], []
    for block in range(len(piece.raw) // shape.block_bytes):
        for value, length in _entries(piece.entries[block], shape):
            values.append(value)
            lengths.append(length)
        for row in range(block * shape.rows, (block + 1) * shape.rows):
            values.append(np.array([chosen[row] - base]))
            lengths.append(np.array([kind_bits]))
            value, length = _row(piece, row, keys[row], codes)
            values.append(value)
            lengths.append(length)
    fields = {"kind": base, "kind_bits": kind_bits, **vars(shape)}
    return spec.CODED_PIECE.pack(**fields) + _bits(np.concatenate(values), np.concatenate(lengths))


def _row(piece: Piece, row: int, kind: tuple[int, int], codes: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The codes of a row's values, and their lengths."""
    step, how = kind
    values = piece.values[row].astype(np.int64)
    if step != piece.steps[row]:
        values = values * piece.steps[row]
    if how >= spec.IS_TABLE:
        found, lengths = codes[how - spec.IS_TABLE]
        return found[values + 128], lengths[values + 128]
    return values & (1 << how) - 1, np.full(values.shape, how)


def _entries(bits: np.ndarray, shape: Shape) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """What is stored of a block's entries: numbers, and how many bits each has."""
    for entry in bits.reshape(-1, shape.entry_bits) if shape.entry_bits else ():
        for part in (entry[: shape.first_bits], entry[shape.first_bits + shape.zero_bits :]):
            groups = [part[at : at + GROUP_BITS] for at in range(0, len(part), GROUP_BITS)]
            if groups:
                numbers = np.array([int(group @ (1 << np.arange(len(group)))) for group in groups])
                yield numbers, np.array([len(group) for group in groups])


def _bits(values: np.ndarray, lengths: np.ndarray) -> bytes:
    """A stream of numbers, the most significant bit first."""
    owner = np.repeat(np.arange(len(values)), lengths)
    ends = np.cumsum(lengths)
    shifts = ends[owner] - 1 - np.arange(len(owner))
    return np.packbits((values[owner] >> shifts & 1).astype(np.uint8)).tobytes()
