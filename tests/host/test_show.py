"""`midge show`: a value that is traced ends at the byte that the core computes; what is shown of a reading."""

from __future__ import annotations

import dataclasses
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reference_models import MODELS as REFERENCE
from rich.console import Console
from small_models import SMALL

import audio_graphs
import hostile
from midge_host.backends.machine import Machine
from midge_host.commands import main as cli
from midge_host.commands import show
from midge_host.conversion import convert
from midge_host.device.model_file import ModelFile
from midge_host.report import terminal
from midge_host.report.activations import watch
from midge_host.report.trace import TRACED

PLACES = 5  # of each layer that are traced


def entered(model: ModelFile, seed: int) -> Machine:
    """A machine with a random reading."""
    machine, rng = Machine(model), np.random.default_rng(seed)
    limits = {"int8": (-128, 128), "int16": (-9000, 9000), "float32": (-100, 100), "int32": (0, 3)}
    machine.enter([rng.integers(*limits[t.element], t.shape).astype(t.element) for t in model.inputs])
    return machine


def check(model: ModelFile) -> set[str]:
    """Values of every layer end at the core's bytes; returns the operators that were traced."""
    rng = np.random.default_rng(len(model.records))
    wishes = []
    for shown in watch(entered(model, 1)).shown:
        if shown.index is not None:
            places = ([int(rng.integers(n)) for n in shown.values.shape] for _ in range(PLACES))
            wishes += [",".join(map(str, (shown.index, *place))) for place in places]
    found = watch(entered(model, 1), wishes).traces
    assert len(found) == len(wishes)
    for traced in found:
        assert (traced.made is not None) == (traced.operator in TRACED and model.operator(traced.index).dtype == "int8")
        assert traced.made is None or traced.agrees, (traced.index, traced.place, traced.made.lines, traced.core)
    return {traced.operator for traced in found if traced.made}


def test_traces_end_at_the_bytes_of_the_core() -> None:
    traced = set()
    for model in SMALL.values():
        traced |= check(model)
    assert traced == set(TRACED)


@pytest.mark.parametrize("name", REFERENCE)
def test_traces_of_reference_models(converted: Any, name: str) -> None:
    from midge_host.device.model_file import read

    assert check(read(converted(name)[0]))


def test_a_trace_that_ends_elsewhere_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    model = SMALL["dense"]
    (traced,) = watch(entered(model, 1), [f"{model.predict.start},0,0,0"]).traces
    assert "too: checked" in show.verdict(traced)
    with pytest.raises(Exception, match=r"the trace of \d+,0,0,0 ends at .* report it"):
        show.verdict(dataclasses.replace(traced, core=traced.core ^ 1))


def test_real_numbers_are_those_of_floats(tmp_path: Path) -> None:
    """The inputs times the weights, and the bias, as real numbers, are what the source's layer would give."""
    (tmp_path / "m.tflite").write_bytes(hostile.sources()["conv"])
    convert(tmp_path / "m.tflite", tmp_path / "m.midge")
    machine = entered(SMALL["conv"], 2)
    (traced,) = watch(machine, ["0,2,3,1"]).traces
    assert traced.made is not None
    exact = sum((t.real or 0) * (t.real_weight or 0) for t in traced.made.terms)
    lines = {line.what: line for line in traced.made.lines}
    assert exact + lines["bias"].real == pytest.approx(lines["sum of both"].real, rel=1e-5)
    step = SMALL["conv"].outputs[0].scale
    low, high = ((q - SMALL["conv"].outputs[0].zero_point) * step for q in (-128, 127))
    assert traced.made.lines[-1].real == pytest.approx(np.clip(lines["sum of both"].real, low, high), abs=step)


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """Exit code, and what `midge show` prints."""
    monkeypatch.setattr(sys, "argv", ["midge", "show", *map(str, arguments)])
    with pytest.raises(SystemExit) as done:
        cli.main()
    printed = capsys.readouterr()
    return int(done.value.code or 0), printed.out + printed.err


def test_readings_of_all_kinds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.midge").write_bytes(SMALL["conv"].to_bytes())
    (tmp_path / "forest.midge").write_bytes(SMALL["forest"].to_bytes())
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(3).normal(size=(3, 5, 6, 3)).astype(np.float32)
    np.savez("x.npz", inputs=x)
    np.save("x.npy", x)
    np.savetxt("x.csv", x.reshape(3, -1), delimiter=",")
    texts = {name: run(monkeypatch, capsys, "m.midge", name, "--reading", 2) for name in ("x.npz", "x.npy", "x.csv")}
    assert {code for code, _ in texts.values()} == {0}
    assert len({text.partition("\n")[2] for _, text in texts.values()}) == 1
    assert "x.npz, reading 2 of 3" in texts["x.npz"][1]
    assert run(monkeypatch, capsys, "m.midge", "x.npz", "-o")[0] == 0 and (tmp_path / "x.html").exists()
    code, text = run(monkeypatch, capsys, "m.midge", "x.npz", "--reading", 3)
    assert code == 2 and "--reading 3: x.npz has 3, counted from 0" in text
    size = SMALL["forest"].inputs[0].size
    np.savetxt("row.csv", x.reshape(-1)[None, :size], delimiter=",")
    code, text = run(monkeypatch, capsys, "forest.midge", "row.csv")
    assert code == 0 and text


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ("9,0,0,0", "give a layer, by its number from 0 to 0 or its name, and where: LAYER,Y,X,C"),
        ("0", "give a layer"),
        ("nothing,1,2,3", "give a layer"),
        ("0,5,0,0", "the layer gives 5x6x6 values, counted from 0"),
        ("0,0,0", "the layer gives 5x6x6 values"),
        ("0,1,0,0,0", "the layer gives 5x6x6 values"),
    ],
)
def test_wishes_that_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wish: str, said: str
) -> None:
    (tmp_path / "m.midge").write_bytes(SMALL["conv"].to_bytes())
    np.save(tmp_path / "x.npy", np.zeros((1, 5, 6, 3), np.float32))
    monkeypatch.chdir(tmp_path)
    code, text = run(monkeypatch, capsys, "m.midge", "x.npy", "--trace", wish, "-o", "page.html")
    assert code == 2 and said in text and not (tmp_path / "page.html").exists()


def test_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The features of a recording, and the scores that `midge listen` has for the same prediction."""
    (tmp_path / "m.tflite").write_bytes(audio_graphs.window(49))
    convert(tmp_path / "m.tflite", tmp_path / "m.midge", audio="micro:20ms")
    speech = audio_graphs.signals()["speech"]
    for name, samples in {"speech.wav": np.concatenate([speech, speech]), "short.wav": speech[:4000]}.items():
        with wave.open(str(tmp_path / name), "wb") as file:
            file.setparams((1, 2, 16_000, 0, "NONE", ""))
            file.writeframes(samples.tobytes())
    monkeypatch.chdir(tmp_path)
    code, text = run(monkeypatch, capsys, "m.midge", "speech.wav", "--reading", 3)
    assert code == 0 and "made by the front end micro 49x40" in text
    from midge_host.commands.listen import hear

    heard = list(hear(tmp_path / "m.midge", np.concatenate([speech, speech])))
    assert f"prediction 3 of {len(heard)}, up to {heard[3]['seconds']:.2f} s" in text
    assert f"{max(heard[3]['scores']):8.3g}" in text
    code, text = run(monkeypatch, capsys, "m.midge", "short.wav")
    assert code == 2 and "short.wav: 4,000 samples, " in text and "are needed for a prediction" in text


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "xterm"}, False),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, False),
    ],
)
def test_dots_where_there_are_no_greys(environment: dict[str, str], coloured: bool) -> None:
    assert terminal.has_greys(Console(force_terminal=True, _environ=environment)) == coloured


def test_pictures_in_a_terminal() -> None:
    """A dot for each pixel that is light; with colours two pixels a character."""
    light = np.zeros((28, 28))
    light[:4, :2] = 1
    lines = [line.plain for line in terminal.picture(light, coloured=False)]
    assert [len(line) for line in lines] == [14] * 7
    assert lines[0][0] == "\u28ff" and set("".join(lines)) == {"\u28ff", "\u2800"}
    lines = terminal.picture(light, coloured=True)
    assert [line.cell_len for line in lines] == [28] * 14
    assert str(lines[0].spans[0].style) == "rgb(255,255,255) on rgb(255,255,255)"
    large = terminal.picture(np.ones((96, 100)), coloured=False)
    assert all(line.plain == "\u28ff" * 25 for line in large[:-1])
    assert terminal.bars(np.array([0, 0.5, 1]), 2) == ["▁▅", "█"]
