"""Random Keras models through TensorFlow's converter: every backend gives TensorFlow Lite Micro's bytes.

`make fuzz-graphs N=1000` runs others, any number of them.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from fuzz.graphs import check

SEEDS = range(80)


@pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason='no TensorFlow here: pip install "midge[keras]"'
)
@pytest.mark.parametrize("seed", SEEDS)
def test_random_graph(seed: int, tmp_path: Path) -> None:
    """A process of MicroPython takes long to start: for some of the models."""
    check(seed, tmp_path, micropython=seed % 10 == 0)
