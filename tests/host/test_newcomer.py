"""What somebody does who has Python and pip alone: the wheel without compiled code, a prediction, a report."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import newcomer
from midge_host import errors
from midge_host.backends import micropython
from midge_host.commands import demos
from midge_host.commands.projects import missing


def test_without_a_compiler(tmp_path: Path) -> None:
    (tmp_path / "wheel").mkdir()
    wheel = newcomer.build_wheel(tmp_path / "wheel")
    assert wheel.name.endswith("-py3-none-any.whl")
    packages = Path(np.__file__).parents[1]
    printed = newcomer.without_compiler(sys.executable, wheel, tmp_path, packages)
    assert printed["midge convert"].startswith("digits.midge: 14,616 bytes, 12 operators")
    assert printed["python predict.py"] == "1 0.99609375 portable\n"
    assert "of 10 readings" in printed["midge test"]
    assert "digits.html" in printed["midge report"] and (tmp_path / "digits.html").stat().st_size > 10_000


def test_demo_without_micropython(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr(micropython, "executable", lambda: "")
    demos.run("digits")
    said = capsys.readouterr()
    assert "accuracy on this PC, int8            98.2% of 1000 images" in said.out and "heap" not in said.out
    assert said.err.startswith("with backend cpython, to the bytes of MicroPython: MicroPython is not installed; run")


def test_what_other_systems_lack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert errors.packages("micropython") == []
    assert not [package for package in missing("gesture") if "micropython" in package]
    monkeypatch.setattr(micropython, "executable", lambda: "")
    assert micropython.problem("micropython") == "there is no MicroPython for Windows; WSL has one, as any Linux"
