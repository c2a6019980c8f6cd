"""midge_rows on MicroPython, called with whatever a script may come up with: refused, or done as by its twin."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

import hostile
from midge_host.backends import micropython

SCRIPT = """
import json
import sys
import midge_core as core
import midge_rows
import midge._portable_rows

with open("case.json") as file:
    case = json.load(file)
_portable_rows = sys.modules["midge._portable_rows"]
NAMES = ("single", "program", "first", "rows", "state", "record", "arena", "weights", "base", "turn", "end")
ERRORS = (TypeError, ValueError, OverflowError, IndexError)


def given():
    made = {name: bytearray(value) if type(value) is list else value for name, value in case.items()}
    return [core.run if name == "single" else made[name] for name in NAMES]


def said(module, args):
    try:
        return module.run(*args)
    except ERRORS as error:
        return type(error).__name__


def everything(args):
    # Calls until nothing is left to do, or the module says no.
    before = everything
    turn = args[9]
    while turn != before:
        before = args[9] = turn
        turn = said(midge_rows, args)
        if type(turn) is str or turn < 0:
            break
    return turn


# In order, as the portable twin does it.
args, others = given(), given()
turn = 0
while turn < args[-1]:
    args[9] = others[9] = turn
    turn = midge_rows.run(*args)
    assert turn == _portable_rows.run(*others) > 0
    assert args[4:7] == others[4:7]
assert midge_rows.run(*args[:9], turn, turn) == turn  # nothing left to do

# Each argument of a wrong type, too long or too short, at odd addresses, and read only.
refused = done = 0
for at, name in enumerate(NAMES):
    fitting = given()[at]
    wrong = [None, "text", 1.5, [], -1, 0, 1 << 15, 1 << 16, (1 << 31) - 1, 1 << 31, 1 << 40, b"", bytearray(3), len]
    if type(fitting) is bytearray:
        wrong += [fitting[:-1], fitting[:4], fitting + b"x", memoryview(bytearray(1) + fitting)[1:], bytes(fitting)]
        wrong += [bytearray(len(fitting)), bytearray(b"\\xff" * len(fitting))]
    for value in wrong:
        args = given()
        args[at] = value
        end = everything(args)
        if type(end) is str or end < 0:
            refused += 1
        else:
            done += 1
for count in (0, 10, 12):
    assert said(midge_rows, (given() * 2)[:count]) == "TypeError"

# Turns in a wrong order, twice, and with a state of another time: minus a status, or what is in memory.
for end in range(1, len(case["turns"]) + 1):
    for turn in range(end):
        args = given()
        args[9:] = turn, end
        everything(args)
args = given()
everything(args)
args[9] = 0
assert everything(args) < 0  # no rows are left to be made


for single in (None, lambda *_: None, lambda *_: -1, lambda *_: (1 << 30) - 1):
    args = given()
    args[0] = single
    everything(args)
print(refused > 100, done > 5)
"""


@pytest.mark.parametrize("number", range(len(hostile.regions())))
def test_hostile_calls(number: int, tmp_path: Path) -> None:
    if micropython.problem("micropython"):
        pytest.skip("no MicroPython here")
    model = hostile.regions()[number]
    region = model.region
    assert region
    state = bytearray(4 * len(region.rings))
    if not region.is_fed:
        state[2:4] = region.rings[0].height.to_bytes(2, "little")
    case = {
        "program": list(model.program()),
        "first": model.predict.start,
        "rows": list(region.to_bytes()),
        "state": list(state),
        "record": [0] * 72,
        "arena": [i & 255 for i in range(model.arena_bytes)],
        "weights": list(model.weights),
        "base": 0,
        "turn": 0,
        "end": len(region.turns),
        "turns": list(region.turns),
    }
    micropython.lay_out(tmp_path, native=True)
    (tmp_path / "case.json").write_text(json.dumps(case))
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [micropython.executable(), "script.py"]
    env = {"MICROPYPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "True True\n"), done.stdout + done.stderr
