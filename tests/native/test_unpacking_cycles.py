"""Coded weights on an emulated Cortex-M0+: the bytes that were coded, and what it takes."""

from __future__ import annotations

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
    [(2.2, 7, 1, 26), (1.0, 3, 1, 25), (30.0, 127, 1, 80), (2.2, 7, 0, 26), (1.0, 1, 0, 24)],
    ids=["4 bits, Huffman", "3 bits, Huffman", "8 bits, Huffman", "4 bits", "2 bits"],
)
def test_cycles_of_a_byte(spread: float, limit: int, tables: int, most: float) -> None:
    for plain in (False, True):
        _, cycles = unpacking.count(unpacking.assemble(plain), piece(spread, limit, tables))
        assert plain or sum(cycles) / (2 * ROWS * ROW_BYTES) <= most
