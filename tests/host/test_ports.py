"""`midge boards`, finding the port, and what is said when no board answers. The ports are made up but for terminals."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import pty
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import serial
from ampy.pyboard import Pyboard
from click.testing import CliRunner
from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport
from serial.tools import list_ports

import models
from midge_host.commands import boards as boards_command
from midge_host.commands import deploy as deploy_command
from midge_host.commands import load
from midge_host.commands import ports as port_option
from midge_host.deploy import Board
from midge_host.deploy import drive as drive_module
from midge_host.deploy import ports as ports_module
from midge_host.deploy.links import open_link
from midge_host.deploy.ports import drives, hindrance, loaders, only, ports
from midge_host.errors import MidgeError

PICO = SimpleNamespace(device="/dev/ttyACM0", vid=0x2E8A, pid=5, product="Board in FS mode")
ESP32 = SimpleNamespace(device="/dev/ttyUSB0", vid=0x10C4, pid=0xEA60, product="CP2102 USB to UART Bridge Controller")
LOADER = SimpleNamespace(device="/dev/ttyACM1", vid=0x303A, pid=2, product=None)
BUILT_IN = SimpleNamespace(device="/dev/ttyS0", vid=None, pid=None, product=None)


@pytest.fixture
def plugged(monkeypatch, tmp_path):
    """plugged(*ports) -> a folder in which drives are mounted; nothing else is there."""
    monkeypatch.setattr(drive_module, "ROOTS", (str(tmp_path),))

    def plug(*there: SimpleNamespace) -> Path:
        monkeypatch.setattr(list_ports, "comports", lambda: [*there, BUILT_IN])
        return tmp_path

    return plug


def mount(folder: Path, name: str, file: str, text: str) -> Path:
    drive = folder / "me" / name
    drive.mkdir(parents=True)
    (drive / file).write_text(text)
    return drive


def mount_loader(folder: Path) -> Path:
    return mount(
        folder, "RPI-RP2", "INFO_UF2.TXT", "UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n"
    )


def mount_circuitpython(folder: Path) -> Path:
    about = "Adafruit CircuitPython 10.4.0 on 2026-10-01; Raspberry Pi Pico with rp2040\nBoard ID:raspberry_pi_pico\n"
    return mount(folder, "CIRCUITPY", "boot_out.txt", about)


def boards(*arguments: str) -> str:
    result = CliRunner().invoke(boards_command.command, arguments)
    assert result.exit_code == 0, result.exception
    return result.output


def test_ports_and_drives(plugged) -> None:
    folder = plugged(ESP32, PICO)
    mount_loader(folder)
    mount_circuitpython(folder)
    assert [port.device for port in ports()] == ["/dev/ttyACM0", "/dev/ttyUSB0"]
    assert [(drive.folder.name, drive.firmware, drive.board) for drive in drives()] == [
        ("CIRCUITPY", "CircuitPython 10.4.0", "Raspberry Pi Pico with rp2040"),
        ("RPI-RP2", "", "Raspberry Pi RP2"),
    ]
    output = boards()
    for text in (
        "/dev/ttyACM0   2e8a:0005  Board in FS mode, MicroPython on",
        "CP210x",
        "CircuitPython 10.4.0",
        "bootloader: copy",
    ):
        assert text in output
    found = json.loads(boards("--json"))
    assert found["ports"][0] | {"about": ""} == {
        "port": "/dev/ttyACM0",
        "usb": "2e8a:0005",
        "product": "Board in FS mode",
        "about": "",
    }
    assert [drive["firmware"] for drive in found["drives"]] == ["CircuitPython 10.4.0", None]


def test_nothing_plugged_in(plugged) -> None:
    plugged()
    assert "nothing is plugged in" in boards()


def test_listing_opens_nothing(plugged, monkeypatch) -> None:
    plugged(PICO)
    monkeypatch.setattr(boards_command, "open_link", lambda *_: pytest.fail("opened"))
    assert "ttyACM0" in boards()


def test_ask(plugged, monkeypatch) -> None:
    """tests/boards/test_deploy.py asks an emulated board."""
    pico = Board("micropython", "Pico with RP2040", "armv6m", (6, 3), 1000, "lib")
    plugged(PICO)
    link = SimpleNamespace(run=lambda code: "1.25.0\n", close=lambda: None)
    monkeypatch.setattr(boards_command, "open_link", lambda tool, port: link)
    monkeypatch.setattr(boards_command, "describe", lambda link: pico)
    assert "Pico with RP2040, micropython 1.25.0, armv6m" in boards("--ask")


def test_ask_a_port_that_does_not_answer(plugged, monkeypatch) -> None:
    """The others are listed all the same, whatever the tool raises."""

    def silent(code: str = "") -> str:
        raise RuntimeError("timeout waiting for first EOF reception")

    plugged(PICO, ESP32)
    monkeypatch.setattr(boards_command, "open_link", lambda tool, port: SimpleNamespace(run=silent, close=silent))
    said = boards("--ask")
    assert said.count("timeout waiting") == 2 and "/dev/ttyUSB0" in said


def test_ask_a_port_that_is_gone(plugged) -> None:
    plugged(PICO)
    assert "no MicroPython board answers" in boards("--ask")


# Which port


@pytest.mark.parametrize(
    "there, mounted, says",
    [
        ([PICO, ESP32], None, r"several boards: /dev/ttyACM0 .*; /dev/ttyUSB0 .*choose one with --port"),
        ([], None, "no board on a serial port.*cable.*data.*midge boards"),
        ([], mount_loader, "RPI-RP2: Raspberry Pi RP2 is in its bootloader.*copy the firmware"),
        ([], mount_circuitpython, "CIRCUITPY of Raspberry Pi Pico.*--with drive"),
    ],
)
def test_which_port(plugged, there, mounted, says: str) -> None:
    folder = plugged(*there)
    if mounted:
        mounted(folder)
    with pytest.raises(MidgeError, match=says):
        only(ports())


def test_deploy_takes_the_one_that_is_there(plugged, monkeypatch, make_model) -> None:
    used = []
    monkeypatch.setattr(deploy_command, "_over_port", lambda model, port, tool, library: used.append(port))
    path = str(make_model(models.dense(layers=1)))
    plugged(PICO)
    result = CliRunner().invoke(deploy_command.command, [path])
    assert used == ["/dev/ttyACM0"] and "Board in FS mode" in result.output
    plugged(PICO, ESP32)
    assert "several boards" in str(CliRunner().invoke(deploy_command.command, [path]).exception)
    monkeypatch.setattr(
        port_option,
        "sys",
        SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True), stderr=SimpleNamespace(isatty=lambda: True)),
    )
    asked = CliRunner().invoke(deploy_command.command, [path], input="3\n2\n")
    assert used == ["/dev/ttyACM0", "/dev/ttyUSB0"] and "1  /dev/ttyACM0" in asked.output


# What is in the way


def test_no_such_port(plugged, tmp_path) -> None:
    plugged(PICO)
    assert "no such port; there are /dev/ttyACM0" in hindrance(str(tmp_path / "ttyX"))
    plugged()
    assert "no such port; no board is on any" in hindrance(str(tmp_path / "ttyX"))


def test_a_port_that_another_program_has(plugged) -> None:
    plugged()
    near, far = pty.openpty()
    try:
        fcntl.flock(far, fcntl.LOCK_EX)
        assert "another program has the port open: close Thonny" in hindrance(os.ttyname(far))
    finally:
        os.close(near)
        os.close(far)


@pytest.mark.parametrize(
    "number, text, says",
    [
        (errno.EACCES, "could not open port", r"usermod -a -G \w+ \$USER.*udev"),
        (errno.EBUSY, "could not open port", "another program"),
        (None, "could not open port 'COM3': PermissionError(13, 'Access is denied.', None, 5)", "another program"),
        (None, "could not open port 'COM9': FileNotFoundError(2, ...)", "no such port"),
        (errno.EIO, "Input/output error", "Input/output error"),
    ],
)
def test_a_port_that_cannot_be_opened(plugged, monkeypatch, number, text: str, says: str) -> None:
    def refuse(*_: object, **__: object) -> None:
        error = serial.SerialException(text)
        error.errno = number
        raise error

    plugged()
    monkeypatch.setattr(serial, "Serial", refuse)
    assert re.search(says, hindrance("/dev/ttyACM0"))


@pytest.mark.parametrize("tool", ["mpremote", "ampy"])
def test_a_port_without_a_board_is_let_go(plugged, monkeypatch, capsys, tool: str) -> None:
    """What opened it first must not be the program that has it open."""

    def mute(*_: object, **__: object) -> None:
        print(b"")
        raise TransportError("could not enter raw repl")

    plugged()
    monkeypatch.setattr(SerialTransport, "enter_raw_repl", mute)
    monkeypatch.setattr(Pyboard, "enter_raw_repl", mute)
    near, far = pty.openpty()
    try:
        with pytest.raises(MidgeError, match=r"no MicroPython board answers .*raw repl.*no REPL answers: press reset"):
            open_link(tool, os.ttyname(far))
        assert tool == "ampy" or not capsys.readouterr().out
    finally:
        os.close(near)
        os.close(far)


def test_a_board_in_its_bootloader(plugged, monkeypatch) -> None:
    plugged(LOADER)
    assert "ESP32-S2 in download mode: press its reset button" in hindrance("/dev/ttyACM1")
    folder = plugged(ESP32)
    near, far = pty.openpty()
    try:
        assert "no REPL answers" in hindrance(os.ttyname(far))
        mount_loader(folder)
        assert "is in its bootloader" in hindrance(os.ttyname(far))
    finally:
        os.close(near)
        os.close(far)


def test_a_bootloader_that_shows_no_port(plugged, monkeypatch, tmp_path) -> None:
    for name, numbers in {"1-1": ("2e8a", "0005"), "1-2": ("0483", "df11"), "1-3": ("", "")}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "idVendor").write_text(numbers[0] + "\n")
        (tmp_path / name / "idProduct").write_text(numbers[1] + "\n")
    assert loaders(tmp_path) == ["STM32 in its bootloader (DFU)"]
    plugged()
    monkeypatch.setattr(ports_module, "loaders", lambda: ["RP2040 in its bootloader"])
    monkeypatch.setattr(boards_command, "loaders", ports_module.loaders)
    shown = CliRunner().invoke(boards_command.command, [])
    assert shown.output.startswith("RP2040 in its bootloader: press its reset button"), shown.output
    with pytest.raises(MidgeError, match="no serial port, but an RP2040 in its bootloader: press its reset button"):
        only(ports())


@pytest.mark.parametrize(
    "command",
    [
        "compare m.midge",
        "deploy m.midge",
        "monitor",
        "profile m.midge",
        "record --label a -o data --sensor analog",
        "verify",
    ],
)
def test_every_command_says_what_is_in_the_way(plugged, monkeypatch, tmp_path, make_model, command: str) -> None:
    plugged()
    monkeypatch.chdir(tmp_path)
    make_model(models.dense(layers=1)).rename("m.midge")
    name, *rest = command.split()
    near, far = pty.openpty()
    try:
        fcntl.flock(far, fcntl.LOCK_EX)
        result = CliRunner().invoke(load(name), [*rest, "--port", os.ttyname(far)])
    finally:
        os.close(near)
        os.close(far)
    assert "another program has the port open: close Thonny" in str(result.exception), result.output
    alone = CliRunner().invoke(load(name), [*rest, "--port"])
    assert "no board on a serial port" in str(alone.exception), alone.output
