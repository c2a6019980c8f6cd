"""midge.Normal: the same scores under CPython and MicroPython, alarms for what is not normal and for nothing else."""

from __future__ import annotations

import json
import subprocess
from array import array
from pathlib import Path

import learners
import numpy as np
import pytest

import midge
from midge_host.backends import micropython
from midge_host.conversion import convert
from tflite_models import ModelBuilder

SIZE, COUNT = 12, 90
SCRIPT = """
import json
from array import array
import midge

def main(path, readings, count, saved):
    model = midge.load(path)
    found = []
    for source in (lambda reading: reading, model):
        normal = midge.Normal(source, count)
        for reading in readings:
            normal.update(array("b", reading))
            found.append([normal.score and int(normal.score * 1000000), normal.alarm, normal.learning])
        normal.save(saved)
        again = midge.Normal(source, path=saved)
        again.update(array("b", readings[-1]))
        found.append([again.score == normal.score, again.learning])
    return found
"""


def readings(strange: bool, count: int, seed: int = 1) -> list[list[int]]:
    random = np.random.default_rng(seed)
    centre = np.random.default_rng(9).integers(-40, 40, SIZE) + 25 * strange
    return np.clip(centre + random.normal(0, 8, (count, SIZE)), -128, 127).astype(int).tolist()


@pytest.fixture
def autoencoder(tmp_path: Path) -> Path:
    """Gives back a part of its input: what lies along its first half."""
    m = ModelBuilder()
    x = m.tensor((1, SIZE), "int8", (0.05, 3))
    weights = np.diag(np.where(np.arange(SIZE) < SIZE // 2, 100, 60)).astype(np.int8)
    path = tmp_path / "auto.tflite"
    path.write_bytes(m.build([x], [m.fully_connected(x, weights, weight_scales=0.01, quant=(0.04, -5))]))
    convert(path, tmp_path / "auto.midge")
    return tmp_path / "auto.midge"


def test_the_same_in_micropython(autoencoder: Path, tmp_path: Path) -> None:
    data = readings(False, COUNT + 10) + readings(True, 10)
    names: dict = {}
    exec(SCRIPT, names)
    here = names["main"](str(autoencoder), data, COUNT, str(tmp_path / "saved"))
    kept = (tmp_path / "saved").read_bytes()
    folder = tmp_path / "board"
    folder.mkdir()
    micropython.lay_out(folder, native=True)
    (folder / "data.json").write_text(json.dumps(data))
    main = f"""
with open("data.json") as file:
    data = json.load(file)
print(json.dumps(main("{autoencoder}", data, {COUNT}, "saved")))
"""
    (folder / "script.py").write_text(SCRIPT + main)
    command = [micropython.executable(), "script.py"]
    done = subprocess.run(command, cwd=folder, env={"MICROPYPATH": "."}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout) == json.loads(json.dumps(here))
    assert (folder / "saved").read_bytes() == kept


def test_alarms() -> None:
    """None in 2,000 normal readings, one soon where something is wrong, and its end."""
    normal = midge.Normal(lambda reading: reading, COUNT)
    for reading in readings(False, COUNT):
        assert normal.update(reading) is None and normal.score is None
    assert not normal.learning
    assert not any(normal.update(reading) for reading in readings(False, 2000, 2))
    assert [normal.update(reading) for reading in readings(True, 5, 3)] == [False, False, True, True, True]
    assert normal.score > 1
    assert [normal.update(reading) for reading in readings(False, 4, 4)] == [True, True, False, False]


def test_what_the_model_sees(tmp_path: Path) -> None:
    learners.model(tmp_path, learners.METHODS[0])
    see = midge.load(str(tmp_path / "learns.midge")).learner().see
    normal = midge.Normal(see, 15)
    x, y = learners.data()
    for row in x[y == 0]:
        normal.update(row.data)
    assert normal.score is not None and normal.score < 1
    normal.update(array("b", [127] * learners.SIZE))
    assert normal.score > 1


def test_against_numpy() -> None:
    """The score is the mean of squared z-scores, the variance a step more, to 1/256."""
    data = np.array(readings(False, COUNT + 1))
    normal = midge.Normal(lambda reading: reading, COUNT)
    for reading in data:
        normal.update(reading.tolist())
    learnt = data[: COUNT - COUNT // 3]
    scores = ((data - learnt.mean(0)) ** 2 / (learnt.var(0) + 1)).mean(1)
    held = scores[len(learnt) : COUNT]
    limit = 2 * held.max() - held.mean()
    assert normal.score == pytest.approx(scores[-1] / limit, abs=0.01)


def test_numbers_that_no_file_holds(tmp_path: Path) -> None:
    normal = midge.Normal(list, 6)
    for _ in range(6):
        normal.update([1, 1 << 31])
    with pytest.raises(ValueError, match="too large to be saved"):
        normal.save(str(tmp_path / "saved"))
    assert not list(tmp_path.iterdir())


MISTAKES = [
    ("midge.Normal(str)", ValueError, "count is how many readings to learn from, 6 to 65535, not None"),
    ("midge.Normal(str, 5)", ValueError, "6 to 65535, not 5"),
    ("midge.Normal(str, 9, hold=0)", ValueError, "hold is a whole number from 1 on, not 0"),
    ("midge.Normal(model, 9)", ValueError, "a model of int8 that gives back its input"),
    ("midge.Normal(list, 9).save('x')", RuntimeError, "it learns for another 9 readings"),
    ("midge.Normal(list, path=saved)", ValueError, "another model"),
    ("midge.Normal(list, 9).update([])", ValueError, "the source gave 0 numbers before, now 0"),
    ("[normal.update(r) for r in ([1, 2], [1, 2, 3])]", ValueError, "the source gave 2 numbers before, now 3"),
]


@pytest.mark.parametrize("expression,kind,words", MISTAKES, ids=[case[0] for case in MISTAKES])
def test_mistakes(expression: str, kind: type, words: str, tmp_path: Path) -> None:
    learners.model(tmp_path, learners.METHODS[0])
    model = midge.load(str(tmp_path / "learns.midge"))
    saved = str(tmp_path / "saved")
    model.learner().save(saved)
    names = {"midge": midge, "model": model, "saved": saved, "normal": midge.Normal(list, 9)}
    with pytest.raises(kind, match=words):
        eval(expression, names)
