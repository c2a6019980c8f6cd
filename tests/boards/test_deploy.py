"""`midge deploy` end to end: an emulated board whose serial port is a terminal, mpremote and ampy."""

from __future__ import annotations

import functools
import hashlib
import http.server
import os
import pty
import select
import subprocess
import sys
import threading
import tty
from pathlib import Path
from types import SimpleNamespace

import pytest
from serial.tools import list_ports

import models
from midge_host import deploy as deploy_module
from midge_host.backends.qemu import library as qemu_library
from midge_host.boards import qemu
from midge_host.commands import boards
from midge_host.conversion import convert
from midge_host.deploy import ARCHITECTURES, Board, deploy, describe, native_modules
from midge_host.deploy.links import open_link
from midge_host.device.banks import MODULES
from midge_host.errors import CheckFailed, MidgeError

BOARD = "qemu-m0"
TOOLS = ["mpremote", "ampy"]


@pytest.fixture
def model(tmp_path: Path):
    """model(seed) -> m.midge, another one for every seed."""

    def make(seed: int = 0) -> Path:
        (tmp_path / "m.tflite").write_bytes(models.residual(seed))
        convert(tmp_path / "m.tflite", tmp_path / "m.midge")
        return tmp_path / "m.midge"

    return make


@pytest.fixture
def board():
    """A running board; its serial port is at board.port."""
    with started({}) as running:
        yield running


@pytest.fixture
def installed():
    """The same with the library on it, as an earlier deploy left it."""
    with started(qemu_library(BOARD)) as running:
        yield running


def started(disk: dict[str, bytes]) -> qemu.Qemu:
    why = qemu.problem(BOARD)
    if why:
        pytest.skip(f"{BOARD}: {why}")
    return qemu.Qemu(BOARD, disk=disk, pty=True)


def ask(port: str, code: str) -> str:
    link = open_link("mpremote", port)
    try:
        return link.run(code).strip()
    finally:
        link.close()


LISTING = "import os\nprint(sorted(os.listdir('/')))"
WORKS = "import midge\nprint(midge.load('m.midge').selftest())"


@pytest.mark.parametrize("tool", TOOLS)
def test_deploy(model, tool: str) -> None:
    """ampy writes 32 bytes at a time: the board that it finds lacks a part of the library, mpremote's has nothing."""
    lacks = {"lib/midge/_image.mpy", "lib/midge_core.mpy", "lib/midge_image.mpy"}
    there = qemu_library(BOARD) if tool == "ampy" else {}
    with started({path: data for path, data in there.items() if path not in lacks}) as board:
        first = deploy(model(), board.port, tool)
        assert first.native_module == "armv6m" and first.selftest.backend == "native"
        assert {"m.midge", *lacks} <= set(first.copied) and set(first.skipped) <= set(there)
        again = deploy(model(), board.port, tool)
        assert not again.copied and set(again.skipped) == {*first.copied, *first.skipped}
        other = deploy(model(seed=3), board.port, tool, library=False)
        assert other.copied == ["m.midge"]
        assert ask(board.port, LISTING) == "['lib', 'm.midge', 'rom']"


def test_other_banks_where_it_is_needed(model, tmp_path: Path) -> None:
    (tmp_path / "s.tflite").write_bytes(models.streaming())
    convert(tmp_path / "s.tflite", tmp_path / "s.midge")
    bank = "lib/midge_tensor.mpy"
    with started({path: data for path, data in qemu_library(BOARD).items() if path != bank}) as board:
        assert deploy(model(), board.port).copied == ["m.midge"]
        report = deploy(tmp_path / "s.midge", board.port)
    assert sorted(report.copied) == [bank, "s.midge"] and report.selftest.backend == "native"


def test_command_line(board, model) -> None:
    command = [Path(sys.executable).parent / "midge", "deploy", model(), "--port", board.port]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "self-test passed: native kernels" in done.stdout
    assert done.stderr == ""


def test_boards_that_are_asked(board, monkeypatch) -> None:
    port = SimpleNamespace(device=board.port, vid=0x2E8A, pid=5, product="Board in FS mode")
    monkeypatch.setattr(list_ports, "comports", lambda: [port])
    (found,) = boards.boards(ask=True)["ports"]
    assert found["firmware"].startswith("micropython 1.") and found["native_modules"] == "armv6m", found
    assert "with" in found["machine"] and found["free_bytes"] > 0 and found["product"] == "Board in FS mode"


class BadCable:
    """A terminal in front of `port` that dies after `limit` bytes have gone to the board. With `damage`, it changes a
    byte of a file before: another hexadecimal digit in the literal of bytes that carries it."""

    def __init__(self, port: str, limit: int, damage: bool = False):
        self._near, far = pty.openpty()
        tty.setraw(far)
        self.port = os.ttyname(far)
        self._far = far
        self._board = os.open(port, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self._board)
        self._left = limit
        self._damage = damage
        self._thread = threading.Thread(target=self._forward)
        self._thread.start()

    def _forward(self) -> None:
        while self._left > 0:
            ready, _, _ = select.select([self._near, self._board], [], [], 0.1)
            for source in ready:
                data = os.read(source, 4096)
                if source == self._near:
                    data = data[: self._left]
                    self._left -= len(data)
                    digit = data.find(b"\\x") + 2  # 1 where there is none
                    if self._damage and 1 < digit < len(data):
                        changed = b"1" if data[digit : digit + 1] == b"0" else b"0"
                        data = data[:digit] + changed + data[digit + 1 :]
                        self._damage = False
                    os.write(self._board, data)
                else:
                    os.write(self._near, data)
        os.close(self._far)
        os.close(self._near)
        os.close(self._board)

    def unplug(self) -> None:
        self._left = 0
        self._thread.join()


@pytest.mark.parametrize(("tool", "share"), [("mpremote", 0.1), ("mpremote", 0.5), ("mpremote", 0.9), ("ampy", 0.5)])
def test_cut_cable_leaves_the_former_model(installed, model, tool: str, share: float) -> None:
    path = model()
    deploy(path, installed.port)
    before = path.read_bytes()
    new = model(seed=7)
    cable = BadCable(installed.port, int(2000 + share * new.stat().st_size))
    with pytest.raises(MidgeError, match="run it again"):
        deploy(new, cable.port, tool, library=False)
    cable.unplug()
    size_and_works = ask(installed.port, f"import os\nprint(os.stat('m.midge')[6])\n{WORKS}")
    assert size_and_works.split() == [str(len(before)), "True"]
    assert deploy(new, installed.port, tool).copied == ["m.midge"]
    assert "True" in ask(installed.port, WORKS)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_byte_that_changes_on_the_way_is_noticed(installed, model, tool: str) -> None:
    path = model()
    deploy(path, installed.port)
    before = path.read_bytes()
    new = model(seed=7)
    cable = BadCable(installed.port, limit=1 << 20, damage=True)
    with pytest.raises(MidgeError, match=r"m\.midge arrived damaged; its former files are as they were"):
        deploy(new, cable.port, tool, library=False)
    cable.unplug()
    assert ask(installed.port, LISTING) == "['lib', 'm.midge', 'rom']"
    there = ask(
        installed.port, f"import hashlib\nprint(hashlib.sha256(open('m.midge', 'rb').read()).digest())\n{WORKS}"
    )
    assert there.splitlines() == [repr(hashlib.sha256(before).digest()), "True"]
    assert deploy(new, installed.port, tool).copied == ["m.midge"]


@pytest.mark.parametrize("tool", TOOLS)
def test_full_file_system_is_refused_and_left_alone(model, tool: str) -> None:
    if qemu.problem(BOARD):
        pytest.skip(f"{BOARD}: {qemu.problem(BOARD)}")
    with qemu.Qemu(BOARD, pty=True, disk_bytes=32768) as small:
        with pytest.raises(CheckFailed, match="bytes free for files and deploy needs"):
            deploy(model(), small.port, tool)
        assert ask(small.port, LISTING) == "['rom']"


def test_what_a_cut_left_is_no_obstacle(tmp_path: Path) -> None:
    """A model of more than half the disk: what arrived of it before the cable was cut takes the room that it needs."""
    if qemu.problem(BOARD):
        pytest.skip(f"{BOARD}: {qemu.problem(BOARD)}")
    (tmp_path / "m.tflite").write_bytes(models.dense(width=75))
    convert(tmp_path / "m.tflite", tmp_path / "m.midge")
    size = (tmp_path / "m.midge").stat().st_size
    with qemu.Qemu(BOARD, pty=True, disk_bytes=32768) as small:
        cable = BadCable(small.port, int(2000 + 2.5 * size))
        with pytest.raises(MidgeError, match="run it again"):
            deploy(tmp_path / "m.midge", cable.port, library=False)
        cable.unplug()
        left = int(ask(small.port, "import os\nprint(os.stat('m.midge.new')[6])"))
        assert size / 2 < left < size
        with pytest.raises(CheckFailed, match="no module named 'midge'"):  # the self-test
            deploy(tmp_path / "m.midge", small.port, library=False)
        assert ask(small.port, LISTING) == "['m.midge', 'rom']"


def test_disk_that_fills_up_on_the_way(model, monkeypatch) -> None:
    """A board that cannot tell its free space: the write fails half-way, and nothing half-written stays."""
    if qemu.problem(BOARD):
        pytest.skip(f"{BOARD}: {qemu.problem(BOARD)}")
    real = deploy_module.describe

    def without_free_space(link) -> Board:
        found = real(link)
        found.free_bytes = None
        return found

    monkeypatch.setattr(deploy_module, "describe", without_free_space)
    with qemu.Qemu(BOARD, pty=True, disk_bytes=32768) as small:
        with pytest.raises(MidgeError, match="its former files are as they were"):
            deploy(model(), small.port)
        assert "m.midge" not in ask(small.port, LISTING)


def test_no_board(tmp_path: Path, model) -> None:
    with pytest.raises(MidgeError, match="no MicroPython board answers"):
        deploy(model(), str(tmp_path / "ttyNONE"))
    with pytest.raises(MidgeError, match="choose mpremote, ampy, drive or web"):
        deploy(model(), str(tmp_path / "ttyNONE"), "rshell")


def test_damaged_model_does_not_reach_the_board(model) -> None:
    path = model()
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(MidgeError, match="bytes long"):
        deploy(path, "/dev/null")


def test_library_that_shadows_is_removed(board, model) -> None:
    """A .py of the library, copied by hand before, would be imported in place of the new .mpy."""
    ask(
        board.port, "import os\nos.mkdir('lib')\nos.mkdir('lib/midge')\nopen('lib/midge/__init__.py', 'w').write('old')"
    )
    deploy(model(), board.port)
    assert "__init__.py'" not in ask(board.port, "import os\nprint(os.listdir('lib/midge'))")


@pytest.mark.parametrize(("architecture", "module"), [("armv6m", "armv6m"), ("armv7em", "armv6m"), ("x86", None)])
def test_native_modules_for_an_architecture(architecture: str, module: str | None) -> None:
    for names in (MODULES[:1], MODULES[:2], MODULES):
        found = native_modules(Board("micropython", "", architecture, (6, 3), None, ""), names)
        assert (found[0] if found else None) == module
        assert not found or list(found[1]) == [*(f"{name}.mpy" for name in names), "midge_cores.mpy"]
        there = native_modules(Board("circuitpython", "", architecture, (6, 3), None, ""), names)
        assert (there[0] if there else None) == module
        assert not there or list(there[1]) == [f"midge/_c_{module}_{name[6:]}.mpy" for name in names]
        for other in (("micropython", (6, 2)), ("circuitpython", (6, 1)), ("pycopy", (6, 3))):
            assert native_modules(Board(other[0], "", architecture, other[1], None, ""), names) is None


def test_architecture_numbers(board) -> None:
    link = open_link("mpremote", board.port)
    try:
        assert describe(link).architecture == "armv6m"
    finally:
        link.close()
    assert ARCHITECTURES[10] == "xtensawin"


def test_mip(board, model) -> None:
    """`mpremote mip install` with the project's package.json files, from a server on this machine."""
    root = Path(__file__).resolve().parents[2]
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=root)
    handler.log_message = lambda *_: None
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        for package in ("package.json", "native_modules/prebuilt/armv6m.json"):
            url = f"http://127.0.0.1:{server.server_port}/{package}"
            command = [Path(sys.executable).parent / "mpremote", "connect", board.port, "mip", "install", url]
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
    finally:
        server.shutdown()
    report = deploy(model(), board.port, library=False)
    assert report.selftest.backend == "native"
