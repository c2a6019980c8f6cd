"""docs/sizes.md says what the native modules take. Code and stack: test_natmods.py compares the manifest with what the
sources give, if the compiler is the same version."""

from __future__ import annotations

import json

import pytest

import sizes
from midge_host.boards import qemu


def test_the_page_is_current() -> None:
    assert sizes.PAGE.read_text() == sizes.page(), "run `make sizes`"


@pytest.mark.parametrize(
    "arch", [pytest.param(arch, marks=pytest.mark.board(board)) for arch, board in sizes.BOARDS.items()]
)
def test_heap(arch: str) -> None:
    why = qemu.problem(sizes.BOARDS[arch])
    if why:
        pytest.skip(why)
    assert sizes.heaps(arch) == json.loads(sizes.HEAPS.read_text())[arch], "run `make sizes`"
