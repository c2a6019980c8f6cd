"""`midge deploy --with drive`, onto folders that stand for a CIRCUITPY drive."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

import models
from midge_host.commands.deploy import command
from midge_host.deploy import drive as drive_module
from midge_host.deploy.drive import deploy_to_drive, describe, find
from midge_host.errors import CheckFailed, MidgeError

PICO = "Adafruit CircuitPython 10.4.0 on 2026-10-01; Raspberry Pi Pico with rp2040\nBoard ID:raspberry_pi_pico\n"


@pytest.fixture
def board(tmp_path: Path):
    """board(about) -> the folder of a drive with a program on it."""

    def make(about: str = PICO, name: str = "CIRCUITPY") -> Path:
        folder = tmp_path / name
        (folder / "lib").mkdir(parents=True)
        (folder / "boot_out.txt").write_text(about)
        (folder / "code.py").write_text("print('mine')\n")
        return folder

    return make


@pytest.fixture
def model(make_model) -> Path:
    return make_model(models.residual())


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_deploy_and_again(board, model: Path) -> None:
    folder = board()
    (folder / "lib" / "midge").mkdir()
    (folder / "lib" / "midge" / "__init__.py").write_text("old")
    first = deploy_to_drive(model, folder)
    there = contents(folder)
    assert there[model.name] == model.read_bytes() and there["code.py"] == b"print('mine')\n"
    assert {name for name in there if "/_c_" in name} == {"lib/midge/_c_armv6m_core.mpy"}
    assert "lib/midge/__init__.mpy" in there and "lib/midge/__init__.py" not in there
    assert all(data[:1] == b"C" for name, data in there.items() if name.endswith(".mpy"))
    assert not [name for name in there if name.endswith(".new")]
    assert set(first.copied) == set(there) - {"code.py", "boot_out.txt"} and first.skipped == 0
    again = deploy_to_drive(model, folder)
    assert not again.copied and again.skipped == len(first.copied) and contents(folder) == there
    assert deploy_to_drive(model, folder, library=False).skipped == 1


@pytest.mark.parametrize(
    ("about", "version", "architectures"),
    [
        (PICO, (10, 4), ("armv6m",)),
        (PICO.replace("rp2040", "rp2350a").replace("10.4.0", "11.0.0-beta.1"), (11, 0), ("armv7emsp",)),
        (PICO.replace("rp2040", "ESP32S3"), (10, 4), ("xtensawin",)),
        (PICO.replace("rp2040", "ESP32C6"), (10, 4), ("rv32imc",)),
        (PICO.replace("rp2040", "samd21g18"), (10, 4), ()),
        (PICO.replace("rp2040", "abc1"), (10, 4), ("x64", "armv6m", "armv7emsp", "xtensawin", "rv32imc")),
    ],
)
def test_what_the_board_is(board, about: str, version: tuple[int, int], architectures: tuple[str, ...]) -> None:
    found = describe(board(about))
    assert (found.version, found.architectures) == (version, architectures)


def test_older_versions_get_python_files(board, model: Path) -> None:
    folder = board(PICO.replace("10.4.0", "9.2.1"))
    deploy_to_drive(model, folder)
    assert "lib/midge/__init__.py" in contents(folder) and not list(folder.rglob("*.mpy"))


@pytest.mark.parametrize("number", [0, 3, 10])
@pytest.mark.parametrize("code", [errno.EROFS, errno.ENOSPC, errno.EIO])
def test_cut_in_the_middle(board, model: Path, number: int, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read-only, full, pulled out: the former files are there, and nothing in part; then it goes on."""
    folder = board()
    (folder / model.name).write_bytes(b"former")
    before, left = contents(folder), [number]

    def fsync(_: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(MidgeError, match=f"{os.strerror(code)}; its former files are as they were"):
            deploy_to_drive(model, folder)
    assert contents(folder) == before
    assert deploy_to_drive(model, folder).skipped == 0


def test_no_room(board, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = board()
    before = contents(folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=20_000))
    with pytest.raises(CheckFailed, match=r"the drive has 20,000 bytes free and deploy needs [\d,]+"):
        deploy_to_drive(model, folder)
    assert contents(folder) == before


def test_no_drive(board, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drive_module, "ROOTS", (str(tmp_path),))
    with pytest.raises(MidgeError, match="no CIRCUITPY drive is mounted"):
        find()
    with pytest.raises(MidgeError, match="this is not the drive of a board"):
        deploy_to_drive(model, tmp_path)
    folder = board(name="someone/CIRCUITPY")
    assert find() == folder
    board(name="someone/CIRCUITPY1")
    with pytest.raises(MidgeError, match=r"several drives: .*choose one with --drive"):
        find()
    (folder / "boot_out.txt").write_text("?")
    with pytest.raises(MidgeError, match="does not say which CircuitPython it is"):
        describe(folder)


def test_command(board, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = board()
    monkeypatch.setattr(drive_module, "ROOTS", (str(folder.parent),))
    done = CliRunner().invoke(command, [str(model), "--with", "drive"])
    assert done.exit_code == 0, done.output
    assert "board     Raspberry Pi Pico with rp2040, CircuitPython 10.4\n" in done.output
    done = CliRunner().invoke(command, [str(model), "--drive", str(folder), "--no-library"])
    assert "copied    nothing; 1 files were there already\n" in done.output
    done = CliRunner().invoke(command, [str(model)])
    assert "--with drive" in str(done.exception)
