"""examples/normal: its program for the board in MicroPython, with a stand-in sensor."""

from __future__ import annotations

import re

import pytest

from midge_host.backends import micropython
from midge_host.device import model_file
from midge_host.normal import demo

HOLD = 3  # readings that an alarm begins and ends with


def test_board_learns_a_hum_and_tells_when_it_changes() -> None:
    if why := micropython.problem("micropython"):
        pytest.skip(why)
    said, watching, *lines = demo.play(demo.vibration())
    assert (said, watching) == ("learning what is normal", "watching")
    alarms = ["not as it was" in line for line in lines]
    late, each = HOLD - 1, demo.READINGS
    assert alarms == [False] * (each + late) + [True] * 2 * each + [False] * (each - late)


def test_main_learns_of_what_the_demo_plays() -> None:
    program = (demo.HERE / "main.py").read_text()
    numbers = [int(re.search(rf"^{name} = (\d+)", program, re.M)[1]) for name in ("COUNT", "TOGETHER")]
    assert numbers == [demo.COUNT, demo.TOGETHER]


def test_the_model() -> None:
    model = model_file.read(demo.MODEL)
    assert model.learning and "midge_learn" in model.modules
