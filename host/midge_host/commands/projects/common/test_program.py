"""The board's program, in MicroPython, names every class of data/ when it is played what train.py held apart."""

import re

import pytest
from play import HERE, play

from midge_host.backends import micropython


@pytest.mark.skipif(bool(micropython.problem("micropython")), reason="no MicroPython for this PC")
def test_every_class_is_named():
    classes = {folder.name for folder in (HERE / "data").iterdir() if folder.is_dir()}
    named = set(re.findall(r"(\S+) \(score", "\n".join(play())))
    assert classes - {"nothing"} <= named
