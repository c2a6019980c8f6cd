"""`midge demo`: what it lists, and the examples that it runs in MicroPython."""

from __future__ import annotations

import re
import runpy
import sys
from array import array
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from test_recordings import run_midge

from midge_host.backends import micropython
from midge_host.commands import demos
from midge_host.commands.demos import wake_word
from midge_host.conversion import convert
from midge_host.errors import MidgeError
from midge_host.files.wav import read_wav

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "wake_word"


def test_the_list_names_every_demo() -> None:
    done = run_midge("demo", "--list")
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(demos.DEMOS)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["dogs"], "no demo 'dogs'; there are digits"), (["digits", "x.png"], "midge demo digits takes no files")],
    ids=str,
)
def test_what_is_no_demo(arguments: list[str | Path], words: str) -> None:
    done = run_midge("demo", *arguments)
    assert done.returncode == 2 and not done.stdout
    assert len(done.stderr.splitlines()) == 1 and words in done.stderr


@pytest.fixture
def alexa() -> Path:
    """The manifest of a real wake word, the .tflite beside it."""
    package = find_spec("pymicro_wakeword")
    if package is None or package.origin is None:
        pytest.skip("pymicro-wakeword is not installed; run: pip install --no-deps pymicro-wakeword")
    return Path(package.origin).parent / "models" / "alexa.json"


def test_a_wake_word(alexa: Path, shared_data: Path) -> None:
    """The example's main.py in MicroPython, with I2S that delivers a recording: the word is heard, once, and in another
    recording not at all."""
    if why := micropython.problem("micropython"):
        pytest.skip(why)
    done = run_midge("demo", "wake-word", *(shared_data / f"data/{name}.wav" for name in ("alexa_test", "hey_jane")))
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.split("hey_jane.wav")
    assert re.search(r"listening for Alexa\nheard Alexa \(score 0\.9\d\)\n", first)
    assert done.stdout.count("heard") == 1 and "listening for Alexa\n" in second


def test_a_wake_word_on_circuitpython(
    alexa: Path, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """code.py, with modules that stand in for the board's pins and microphone."""

    class I2SIn:
        def __init__(self, *pins: int, sample_rate: int, bit_depth: int, output_bit_depth: int) -> None:
            assert (pins, sample_rate, bit_depth, output_bit_depth) == ((10, 11, 12), 16_000, 32, 16)
            self.sound = iter(np.pad(read_wav(shared_data / "data/alexa_test.wav")[0], sample_rate).tolist())

        def record(self, samples: array, count: int) -> None:
            part = list(islice(self.sound, count))
            if len(part) < count:
                raise KeyboardInterrupt
            samples[:] = array("h", part)

    convert(alexa, tmp_path / "alexa.midge")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "audioi2sin", SimpleNamespace(I2SIn=I2SIn))
    monkeypatch.setitem(sys.modules, "board", SimpleNamespace(GP10=10, GP11=11, GP12=12))
    with pytest.raises(KeyboardInterrupt):
        runpy.run_path(str(EXAMPLE / "circuitpython" / "code.py"))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "self-test passed: True with native kernels"
    assert [line for line in lines if line.startswith("heard")] == lines[2:] and len(lines) == 3


def test_what_the_wake_word_needs(alexa: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MidgeError, match=r"midge demo wake-word FILE\.wav: name a recording of 'alexa'"):
        demos.run("wake-word")
    with pytest.raises(MidgeError, match="cannot be read as WAV"):
        demos.run("wake-word", (tmp_path / "none.wav",))
    monkeypatch.setattr(wake_word, "find_spec", lambda name: None)
    with pytest.raises(MidgeError, match="run: pip install --no-deps pymicro-wakeword"):
        demos.run("wake-word")
