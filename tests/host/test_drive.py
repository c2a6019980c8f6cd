"""`midge deploy --with drive`, onto folders that stand for a CIRCUITPY drive, alone or beside a serial port."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from console import Console

import models
from midge_host.backends import micropython
from midge_host.commands.deploy import command
from midge_host.deploy import board_side
from midge_host.deploy import drive as drive_module
from midge_host.deploy.drive import Folder, deploy_to_drive, describe, find
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


ARMV6M, NONE = 4 << 10 | 3 << 8 | 6, 6  # sys.implementation._mpy


@pytest.fixture
def console():
    """console(folder, ...) -> a board's serial port, which runs the self-test of .py files on MicroPython.

    name, number, memory: what the board says of itself. fails: the traceback of its self-test. lives: see Console.
    """
    running = []

    def make(
        folder: Path,
        number: int = ARMV6M,
        memory: int = 150_000,
        name: str = "circuitpython",
        fails: str = "",
        lives: int = 1000,
    ) -> Console:
        def run(code: str) -> tuple[str, str]:
            if code == board_side.DESCRIBE:
                return repr((name, number, 1 << 20, ["", "/", "/lib"], "a board", memory)), ""
            assert code.endswith(board_side.SELFTEST)
            if fails or (folder / "lib/midge/__init__.mpy").exists():
                return repr(("native", "ram", 1000, 2000, 3000)), fails
            script = "import sys\nsys.path.insert(0, 'lib')\n" + code
            done = subprocess.run([micropython.executable(), "-c", script], cwd=folder, capture_output=True, text=True)
            return done.stdout, done.stderr

        running.append(Console(run, lives).__enter__())
        return running[-1]

    yield make
    for one in running:
        one.__exit__()


def settled(console: Console) -> bool:
    """Whether the board comes to run its program again."""
    end = time.monotonic() + 5
    while console.state != "program" and time.monotonic() < end:
        time.sleep(0.01)
    return console.state == "program"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def native(there: dict[str, bytes]) -> set[str]:
    """The native modules on a Pico's drive."""
    start = "lib/midge/_c_armv6m_"
    assert all(name.startswith(start) for name in there if "/_c_" in name)
    return {name[len(start) : -len(".mpy")] for name in there if name.startswith(start)}


def test_frames_of_cameras_only_where_the_input_is_a_picture(board, make_model) -> None:
    folder = board()
    deploy_to_drive(make_model(models.dense()), folder)
    assert native(contents(folder)) == {"core"}


def test_deploy_and_again(board, model: Path) -> None:
    folder = board()
    (folder / "lib" / "midge").mkdir()
    (folder / "lib" / "midge" / "__init__.py").write_text("old")
    first = deploy_to_drive(model, folder)
    there = contents(folder)
    assert there[model.name] == model.read_bytes() and there["code.py"] == b"print('mine')\n"
    assert native(there) == {"core", "image"}
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
        (PICO.replace("rp2040", "ESP32-C3FN4"), (10, 4), ("rv32imc",)),
        (PICO.replace("rp2040", "samd21g18"), (10, 4), ()),
        (PICO.replace("rp2040", "abc1"), (10, 4), ("x64", "armv6m", "armv7emsp", "xtensawin", "rv32imc")),
    ],
)
def test_what_the_board_is(board, about: str, version: tuple[int, int], architectures: tuple[str, ...]) -> None:
    found = describe(Folder(board(about)))
    assert (found.version, found.architectures) == (version, architectures)


def test_older_versions_get_python_files(board, model: Path) -> None:
    folder = board(PICO.replace("10.4.0", "9.2.1"))
    deploy_to_drive(model, folder)
    assert "lib/midge/__init__.py" in contents(folder) and not list(folder.rglob("*.mpy"))


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("number", [0, 3, 10])
@pytest.mark.parametrize("code", [errno.EROFS, errno.ENOSPC, errno.EIO])
def test_cut_in_the_middle(
    board, console, model: Path, number: int, code: int, beside: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read-only, full, pulled out: the former files are there, and nothing in part; then it goes on."""
    folder = board()
    serial = console(folder) if beside else None
    port = serial.port if serial else None
    (folder / model.name).write_bytes(b"former")
    before, left = contents(folder), [number]

    def fsync(_: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(MidgeError, match=f"{os.strerror(code)}; its former files are as they were"):
            deploy_to_drive(model, folder, port=port)
    assert contents(folder) == before
    assert serial is None or (settled(serial) and serial.starts == 2)
    assert deploy_to_drive(model, folder, port=port).skipped == 0


@pytest.mark.parametrize("beside", [False, True])
def test_no_room(board, console, model: Path, beside: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = board()
    serial = console(folder) if beside else None
    before = contents(folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=20_000))
    with pytest.raises(CheckFailed, match=r"the drive has 20,000 bytes free and deploy needs [\d,]+"):
        deploy_to_drive(model, folder, port=serial.port if serial else None)
    assert contents(folder) == before
    assert serial is None or settled(serial)


def test_what_a_cut_left_is_no_obstacle(board, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = board()
    (folder / f"{model.name}.new").write_bytes(model.read_bytes()[:-1])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    assert deploy_to_drive(model, folder, library=False).copied == [model.name]
    assert not (folder / f"{model.name}.new").exists()


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
        describe(Folder(folder))


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


def test_with_a_serial_port(board, console, model: Path) -> None:
    """code.py rests while files are written, then starts again; the self-test runs on MicroPython."""
    folder = board(PICO.replace("10.4.0", "9.2.1"))
    (folder / "lib/midge").mkdir()
    (folder / "lib/midge/__init__.mpy").write_bytes(b"stale")
    serial = console(folder)
    states = set()
    first = deploy_to_drive(model, folder, progress=lambda done: states.add(serial.state), port=serial.port)
    assert states == {"raw"} and not list(folder.rglob("*.mpy"))
    assert first.selftest and first.selftest.backend == "portable" and first.selftest.free_bytes > 0
    assert settled(serial) and serial.starts == 2
    again = deploy_to_drive(model, folder, port=serial.port)
    assert not again.copied and again.skipped == len(first.copied) and settled(serial) and serial.starts == 3


@pytest.mark.parametrize(("number", "native"), [(ARMV6M, {"_c_armv6m_core.mpy", "_c_armv6m_image.mpy"}), (NONE, set())])
def test_the_board_says_what_it_loads(board, console, model: Path, number: int, native: set[str]) -> None:
    folder = board(PICO.replace("rp2040", "abc1"))
    port = console(folder, number).port
    done = CliRunner().invoke(command, [str(model), "--drive", str(folder), "--port", port])
    assert done.exit_code == 0, done.output
    assert "self-test passed: native kernels, weights: ram, arena 1,000 bytes, heap 2,000 used" in done.output
    assert {path.name for path in folder.rglob("_c_*")} == native


@pytest.mark.parametrize(
    ("says", "error", "message"),
    [
        ({"memory": 100}, CheckFailed, r"100 bytes of memory free and the model's arena alone takes [\d,]+"),
        ({"name": "micropython"}, MidgeError, "on that port answers a board with micropython, not the drive's"),
        ({"lives": 2}, MidgeError, "connection lost .*; every file on the drive is whole; run it again"),
        ({"fails": "Traceback\r\nValueError: no\r\n"}, CheckFailed, "the self-test fails there: ValueError: no"),
    ],
)
def test_what_the_board_says_is_wrong(board, console, model: Path, says: dict, error: type, message: str) -> None:
    folder = board()
    before = contents(folder)
    serial = console(folder, **says)
    with pytest.raises(error, match=message):
        deploy_to_drive(model, folder, port=serial.port)
    assert "lives" in says or settled(serial)
    assert (contents(folder) == before) == bool({"memory", "name"} & set(says))
    with pytest.raises(MidgeError, match="no MicroPython board answers"):
        deploy_to_drive(model, folder, port=str(folder / "ttyNONE"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--with", "mpremote", "--drive", "."], "--drive is not for --with mpremote, but for drive"),
        (["--with", "web", "--host", "a", "--password", "b", "--port", "c"], "--port is not for --with web"),
        (["--with", "ampy", "--host", "a"], "--host is not for --with ampy, but for web"),
    ],
)
def test_options_of_another_way_are_refused(model: Path, arguments: list[str], words: str) -> None:
    done = CliRunner().invoke(command, [str(model), *arguments])
    assert isinstance(done.exception, MidgeError) and words in str(done.exception)
