"""examples/machine: its program for the board in MicroPython, with a stand-in sensor, and what its model tells."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from midge_host import backends
from midge_host.backends import micropython
from midge_host.device import model_file
from midge_host.machine import demo, simulation
from midge_host.machine.simulation import Damage

MODEL = demo.HERE / "machine.midge"


def scores(damage: Damage | None, count: int = 320) -> np.ndarray:
    x = simulation.machine(count, demo.WINDOW, np.random.default_rng(5), damage)
    stored = backends.run("cpython", MODEL, [x[:, None, :, None]]).outputs[0]
    return model_file.read(MODEL).outputs[0].real(stored).reshape(-1)


@pytest.mark.parametrize(
    ("race", "size", "least"), [("outer", 0.2, 0.97), ("outer", 0.4, 0.995), ("inner", 0.2, 0.9), ("inner", 0.4, 0.99)]
)
def test_damage_is_told_from_sound_machines(race: str, size: float, least: float) -> None:
    """As README.md's table has it."""
    sound, damaged = scores(None), scores(Damage(race, size))
    assert roc_auc_score(np.repeat([0, 1], len(sound)), np.concatenate([sound, damaged])) >= least


def test_impulses_come_as_often_as_balls_pass() -> None:
    """The peak of the spectrum of the envelope, mean of several; no noise covers a damage as large."""
    samples = simulation.RATE * 2
    hertz = np.fft.rfftfreq(samples, 1 / simulation.RATE)
    near = (hertz > 60) & (hertz < 160)
    for race, passes in simulation.PASSES.items():
        x = simulation.machine(8, samples, np.random.default_rng(2), Damage(race, 4.0))
        power = (x - x.mean(1, keepdims=True)) ** 2
        spectrum = (np.abs(np.fft.rfft(power - power.mean(1, keepdims=True))) ** 2).sum(0)
        smooth = np.convolve(spectrum, np.ones(9), "same")
        assert hertz[near][smooth[near].argmax()] == pytest.approx(passes * simulation.TURNS, rel=0.03)


def test_board_tells_when_the_bearing_wears_out() -> None:
    if why := micropython.problem("micropython"):
        pytest.skip(why)
    lines = demo.play(demo.vibration())
    each = demo.WINDOWS // 8
    assert len(lines) == each * len(demo.STATES)
    alarms = ["unlike a sound machine" in line for line in lines]
    for i, damage in enumerate(demo.STATES):
        if damage is None or damage.size >= 0.2:
            assert alarms[each * i : each * (i + 1)] == [damage is not None] * each


def test_without_a_sensor() -> None:
    if why := micropython.problem("micropython"):
        pytest.skip(why)
    with pytest.raises(RuntimeError, match="no ADXL345 on this SPI bus; check the wiring"):
        demo.play(np.zeros(1), identity=0)
