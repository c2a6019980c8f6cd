"""Coded weights on an emulated Cortex-M0+: the bytes that were coded, and what it takes."""

from __future__ import annotations

import random

import numpy as np
import pytest

from counting import armv6m, unpacking
from midge_host.device import coding, spec

ROWS, ROW_BYTES = 24, 144

pytestmark = pytest.mark.skipif(armv6m.problem() is not None, reason=str(armv6m.problem()))


def piece(spread: float, limit: int, tables: int) -> coding.Coded:
    """Rows of normally distributed values, in a Huffman code or in the fewest bits that hold them."""
    values = np.random.default_rng(1).normal(0, spread, (2 * ROWS, ROW_BYTES))
    raw = (np.clip(np.round(values), -limit, limit) * (127 // limit)).astype(np.int8).tobytes()
    shape = coding.Shape(ROWS, ROW_BYTES)
    rows = coding.rows_of(raw, shape)
    where = [{"offset": 0, "stored_bytes": len(raw), "bytes": len(raw), "encoding": spec.RAW}]
    coded = coding.stored([rows], coding.tables_of([rows], tables), raw, where)
    assert coded is not None and coding.decode(coded) == raw
    return coded


@pytest.mark.parametrize(
    ("spread", "limit", "tables", "most"),
    [
        (2.2, 7, 1, 20),
        (1.0, 3, 1, 19),
        (30.0, 127, 1, 34),
        (5.0, 15, 0, 23),
        (2.2, 7, 0, 10),
        (1.0, 3, 0, 12),
        (1.0, 1, 0, 9),
    ],
    ids=["4 bits, Huffman", "3 bits, Huffman", "8 bits, Huffman", "5 bits", "4 bits", "3 bits", "2 bits"],
)
def test_cycles_of_a_byte(spread: float, limit: int, tables: int, most: float) -> None:
    for plain in (False, True):
        _, cycles = unpacking.count(unpacking.assemble(plain), piece(spread, limit, tables))
        assert plain or sum(cycles) / (2 * ROWS * ROW_BYTES) <= most


def test_any_state() -> None:
    """Whatever a script says, the loops of this architecture write nothing outside, and end."""
    code, guard, size = piece(2.2, 7, 2).code, b"\xa5" * 64, 192
    calls = []
    for seed in range(120):
        draw = random.Random(seed)
        words = [draw.choice([0, 1, 8, 31, 32, 255, 1 << 16, draw.randrange(1 << 32)]) for _ in spec.UNPACKING.fields]
        some = {"phase": spec.UNPACKING_PHASES["values"], "taken": draw.randrange(8), "have": draw.randrange(33)}
        some |= {"rows": 9, "row": 0, "row_bytes": 99}
        some |= {"first_bits": 8, "zero_bits": 0, "last_bits": 8, "kind_bits": draw.randrange(4), "put_bits": 0}
        some |= {"how": draw.choice([1, 2, 3, 4, 5, 8, spec.IS_TABLE]), "step": draw.randrange(1, 256)}
        some |= {"left": draw.choice([1, 2, 15, 16, 99, 1 << 31]), "kind": 0}
        state = spec.UNPACKING.pack(**dict(zip((f.name for f in spec.UNPACKING.fields), words, strict=True)) | some)
        tables = draw.randbytes(2 * spec.LOOKUP_ENTRIES)
        data = draw.randbytes(draw.randrange(8, 200))
        calls.append([code, tables, state, data, bytes(size), guard])
    made = unpacking.after(unpacking.assemble(), calls)
    assert all(out[size:] == guard for out in made)
    assert sum(any(out[:size]) for out in made) > 80
