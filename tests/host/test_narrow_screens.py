"""Tables and lines on screens of any width: no number is cut, and no line is longer than the screen."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import models
from midge_host.commands import main as cli
from midge_host.commands import test as test_command
from midge_host.commands.tables import print_table
from midge_host.conversion import convert

WIDTHS = [40, 60, 80, 100]
NUMBER = re.compile(r"(?<![\w.])\d[\d,.]*\d(?![\w.])")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "residual_network.tflite").write_bytes(models.residual(two_outputs=True))
    convert(tmp_path / "residual_network.tflite", tmp_path / "model.midge")
    return tmp_path / "model.midge"


@pytest.fixture(params=WIDTHS)
def screen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Its width."""
    for name, value in {"FORCE_COLOR": "1", "NO_COLOR": "1", "TERM": "xterm", "COLUMNS": str(request.param)}.items():
        monkeypatch.setenv(name, value)
    return request.param


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines, without what makes letters bold."""
    return re.sub(r"\x1b\[\d*m", "", capsys.readouterr().out).splitlines()


def numbers(found: Any, boards: bool) -> Iterator[int]:
    """Those that `midge info` shows of its facts."""
    if boards:
        yield from (b[key] for b in found["boards"] if b["heap"] for key in ("needs_bytes", "free_bytes"))
    for layer in found["layers"]:
        yield from (layer["macs"], layer["weights_bytes"], *layer["input_shape"], *layer["output_shape"])
    yield from (found["file_bytes"], found["macs"], found["arena_bytes"], found["scratch_bytes"])


@pytest.mark.parametrize("options", [[], ["--boards"], ["--battery", "lipo:1200mAh", "--rate", "0.25"]])
def test_info(
    model: Path, options: list[str], screen: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> None:
        monkeypatch.setattr(sys, "argv", ["midge", "info", str(model), *arguments])
        with pytest.raises(SystemExit) as done:
            cli.main()
        assert not done.value.code

    run("--json")
    wanted = {f"{n:,}" for n in numbers(json.loads(capsys.readouterr().out), bool(options)) if n}
    run(*options)
    lines = printed(capsys)
    text = " ".join(lines)
    assert max(map(len, lines)) <= screen
    assert "…" not in text
    assert wanted <= set(re.split(r"[\sx,;()]+(?!\d)|x|\s", text)), wanted
    monkeypatch.setenv("COLUMNS", "400")
    run(*options)
    assert sorted(NUMBER.findall(text)) == sorted(NUMBER.findall(" ".join(printed(capsys))))


def test_confusions_of_many_classes(screen: int, capsys: pytest.CaptureFixture[str]) -> None:
    """A class a column where there is room, else a paragraph a class."""
    names = [f"class{i}" for i in range(20)]
    table = np.eye(20, dtype=int) * 12345
    table[3, 4] = 6789
    recall = [float(row[i] / row.sum()) for i, row in enumerate(table)]
    found = {"accuracy": 0.97, "readings": int(table.sum()), "classes": names, "confusion": table.tolist()}
    test_command.show({**found, "recall": recall, "notes": [], "saturated": 0, "warnings": []})
    lines = printed(capsys)
    assert max(map(len, lines)) <= screen
    assert " ".join(lines).count("12345") == 20 and "6789" in " ".join(lines)


def test_words_are_folded_numbers_are_not(screen: int, capsys: pytest.CaptureFixture[str]) -> None:
    name, number = "a_rather_long_name_of_a_layer_" * 5, "123,456,789"
    print_table(["layer", "bytes", "MACs"], [[name, number, number], ["short", "1", "2"]], words=("layer",))
    lines = printed(capsys)
    assert max(map(len, lines)) <= screen
    assert sum(line.count(number) for line in lines) == 2
    assert name in "".join(line.split()[0] for line in lines[1:-1])
