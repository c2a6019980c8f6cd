"""The board's program, in MicroPython, is near the truth for readings that train.py held apart."""

import numpy as np
import pytest
from play import HERE, play

from midge_host.backends import micropython


@pytest.mark.skipif(bool(micropython.problem("micropython")), reason="no MicroPython for this PC")
def test_values_are_near_the_truth():
    said = np.array([float(line.split()[0]) for line in play()])
    truth = np.load(HERE / "test.npz")["labels"][::10, 0]
    assert np.abs(said - truth).mean() < 0.05 * (truth.max() - truth.min())
