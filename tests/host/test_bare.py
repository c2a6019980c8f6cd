"""midge convert --bare: files without self-test, names and provenance."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import midge
from midge_host import backends
from midge_host.commands import main as cli
from midge_host.deploy import selftest
from midge_host.device import model_file

HERE = Path(__file__).resolve().parents[2] / "examples" / "digits"


def run(*words: object) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["midge", *map(str, words)])
        with pytest.raises(SystemExit) as done:
            cli.main()
    return int(done.value.code or 0)


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> tuple[Path, Path]:
    """A model as it is written else, and bare."""
    folder = tmp_path_factory.mktemp("bare")
    whole, bare = folder / "whole.midge", folder / "bare.midge"
    words = ("convert", HERE / "digits.tflite", "--labels", HERE / "digits.txt", "-o")
    assert run(*words, whole) == run(*words, bare, "--bare") == 0
    return whole, bare


def test_what_stays_and_what_leaves(files: tuple[Path, Path]) -> None:
    whole, bare = map(model_file.read, files)
    assert bare.is_bare and not whole.is_bare
    assert (bare.program(), bare.weights, bare.labels) == (whole.program(), whole.weights, whole.labels)
    assert (bare.info, bare.golden, bare.inputs[0].name) == ({}, [], "0")
    _, sections = model_file.unpack(files[1].read_bytes())
    assert not {"GOLD", "NAME", "INFO"} & set(sections)
    assert bare.to_bytes() == files[1].read_bytes()


@pytest.mark.parametrize("backend", ["cpython", "portable", "micropython"])
def test_the_same_bytes(files: tuple[Path, Path], backend: str) -> None:
    shape = model_file.read(files[0]).inputs[0].shape
    pictures = np.random.default_rng(1).integers(-128, 128, (2, *shape[1:]), np.int8)
    whole, bare = (backends.run(backend, path, [pictures]).outputs[0] for path in files)
    assert np.array_equal(whole, bare)


def test_what_is_said(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    bare = files[1]
    with pytest.raises(ValueError, match="holds no self-test; convert it again, without --bare"):
        midge.load(str(bare)).selftest()
    capsys.readouterr()
    assert run("info", bare) == 0
    assert "bare.midge: bare, without self-test, names and provenance" in capsys.readouterr().out
    assert run("info", bare, "--json") == 0
    assert json.loads(capsys.readouterr().out)["bare"]
    assert run("report", bare, "-o", bare.with_suffix(".html")) == 0


def test_deployed(files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A bare model is loaded on the board, and nothing more."""

    class Board:
        def run(self, code: str) -> str:
            said = io.StringIO()
            with contextlib.redirect_stdout(said):
                exec(code, {})
            return said.getvalue()

    monkeypatch.chdir(files[0].parent)
    for name in ("mem_alloc", "mem_free"):
        monkeypatch.setattr(gc, name, lambda: 1 << 30, raising=False)
    assert [selftest(Board(), path).has_run for path in files] == [True, False]  # type: ignore[arg-type]
