"""Sound on emulated boards of every architecture: the scores of the NumPy reference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import audio_graphs
from midge_host import backends
from midge_host.boards import qemu

BOARDS = [
    pytest.param(name, marks=[pytest.mark.board(name), pytest.mark.xdist_group(name)])
    for name in (*qemu.BOARDS, "qemu-xtensa")
]
SPEECH = audio_graphs.signals()["speech"][:1600].reshape(5, 320)  # of which a frame each is due


@pytest.mark.parametrize("weights", ["ram", "stream"])
@pytest.mark.parametrize("board", BOARDS)
def test_scores_of_sound(board: str, weights: str, tmp_path: Path) -> None:
    if why := backends.problem(board):
        pytest.skip(why)
    path = audio_graphs.hearing(tmp_path, audio_graphs.window(3), every=1)
    expected = backends.run("numpy", path, [SPEECH]).outputs[0]
    assert len(expected) == 6
    np.testing.assert_array_equal(backends.run(board, path, [SPEECH], weights).outputs[0], expected)
