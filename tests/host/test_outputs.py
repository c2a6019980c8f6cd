"""Where results go without -o: beside their source, over midge's own, never over what is somebody else's."""

from __future__ import annotations

import sys
import wave
from pathlib import Path

import pytest

import float_graphs
import models
from midge_host.commands import main as cli
from midge_host.conversion import convert
from midge_host.errors import MidgeError
from midge_host.files.outputs import MODELS, beside
from midge_host.frontends.tflite import to_tflite

COMMANDS = {
    "m.midge": "convert there/m.tflite",
    "m.html": "report there/m.midge",
    "m-web": "web there/m.midge",
    "words.npz": "features there/words --audio micro:20ms",
}


def run(monkeypatch: pytest.MonkeyPatch, line: str) -> int:
    monkeypatch.setattr(sys, "argv", ["midge", *line.split()])
    with pytest.raises(SystemExit) as done:
        cli.main()
    return int(done.value.code or 0)


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of sources; the working folder is another one."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "there"
    (folder / "words").mkdir(parents=True)
    (folder / "m.tflite").write_bytes(models.residual())
    convert(folder / "m.tflite", folder / "m.midge")
    with wave.open(str(folder / "words" / "one.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(16_000))
    return folder


@pytest.mark.parametrize("name", COMMANDS)
def test_beside_the_source(
    there: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = there / name
    for _ in range(2):  # also over what it made
        assert run(monkeypatch, COMMANDS[name]) == 0
        assert made.exists() and f"{Path('there') / name}: " in capsys.readouterr().out
    assert {path.name for path in there.parent.iterdir()} == {"there"}
    foreign = made
    if made.is_dir():
        (made / MODELS).unlink()
        foreign = made / "index.html"
    foreign.write_bytes(b"something of one's own")
    former = foreign.read_bytes()
    assert run(monkeypatch, COMMANDS[name]) == 2
    assert "is there, and midge did not make it; say with -o where" in capsys.readouterr().err
    assert foreign.read_bytes() == former
    assert run(monkeypatch, f"{COMMANDS[name]} -o {made}") == 0  # as it was told to
    assert foreign.read_bytes() != former


def test_a_model_for_others(there: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """--to tflite: the source is never written over, whoever made it; what midge wrote is."""
    for data in (models.residual(), to_tflite(float_graphs.graph("images"))):
        (there / "m.tflite").write_bytes(data)
        assert run(monkeypatch, "convert there/m.tflite --to tflite") == 2
        assert (there / "m.tflite").read_bytes() == data
    assert beside(there / "m.onnx", ".tflite") == there / "m.tflite"
    (there / "m.tflite").write_bytes(models.residual())
    with pytest.raises(MidgeError, match="midge did not make it"):
        beside(there / "m.onnx", ".tflite")


def test_folders_have_names_too(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert beside(there / "words", ".npz") == there / "words.npz"
    monkeypatch.chdir(there / "words")
    assert beside(Path("."), ".npz").resolve() == there / "words.npz"
    with pytest.raises(MidgeError, match="has no name"):
        beside(Path("/"), ".npz")
