"""Boards that are plugged in: serial ports and drives; and what is in the way when one does not answer.

Looking at a port does not open it: opening restarts some boards, and the REPL stops what runs there.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import MidgeError, install
from . import drive

LOADER = "INFO_UF2.TXT"  # on the drive of a bootloader that takes UF2 files
# Who answers by (vendor, product), from the firmware's sources; a bootloader has to be left before a board can answer.
KNOWN = {
    (0x2E8A, 0x0003): "RP2040 in its bootloader",
    (0x2E8A, 0x000F): "RP2350 in its bootloader",
    (0x2E8A, 0x0005): "MicroPython on an RP2040 or RP2350",
    (0x303A, 0x0002): "ESP32-S2 in download mode",
    (0x303A, 0x1001): "ESP32-S3, C3 or C6, its own USB port",
    (0xF055, 0x9800): "MicroPython",
    (0xF055, 0x9802): "MicroPython",
    (0x0D28, 0x0204): "micro:bit",
    (0x0483, 0x374B): "ST-Link of a Nucleo or Discovery",
    (0x0483, 0x374E): "ST-Link of a Nucleo or Discovery",
    (0x0483, 0xDF11): "STM32 in its bootloader (DFU)",
    (0x10C4, 0xEA60): "CP210x bridge, as on ESP32 boards",
    (0x1A86, 0x7523): "CH340 bridge, as on ESP32 boards",
    (0x1A86, 0x55D4): "CH9102 bridge, as on ESP32 boards",
    (0x0403, 0x6001): "FTDI bridge",
}
LEAVE = {
    "bootloader": "press its reset button; if it comes back as a bootloader, its firmware is missing",
    "download mode": "press its reset button without the boot button; if it comes back so, its firmware is missing",
}


@dataclass(frozen=True)
class Port:
    """A serial port on USB. `about` is what the product's numbers tell, "" for nothing."""

    device: str
    usb: tuple[int, int]
    product: str
    about: str

    @property
    def title(self) -> str:
        names = dict.fromkeys(name for name in (self.product, self.about) if name)
        return f"{self.device} ({', '.join(names) or 'no name'})"


@dataclass(frozen=True)
class Drive:
    """`firmware`: as CircuitPython says, "" for a bootloader that waits for a UF2 file; `board`: who it says it is."""

    folder: Path
    firmware: str
    board: str


def ports() -> list[Port]:
    """Serial ports on USB, in the system's order. Raises MidgeError without pyserial."""
    try:
        from serial.tools import list_ports
    except ImportError:
        raise MidgeError(f"pyserial, which lists ports, is not installed; {install('deploy')}") from None
    found = [port for port in list_ports.comports() if port.vid is not None]
    return [
        Port(p.device, (p.vid, p.pid or 0), p.product or "", KNOWN.get((p.vid, p.pid or 0), ""))
        for p in sorted(found, key=lambda p: p.device)
    ]


def drives() -> list[Drive]:
    """Drives of boards that are mounted here."""
    if sys.platform == "win32":
        places: Iterable[Path] = (Path(f"{letter}:/") for letter in "DEFGHIJKLMNOPQRSTUVWXYZ")
    else:
        places = (path for root in drive.ROOTS for pattern in ("*", "*/*") for path in sorted(Path(root).glob(pattern)))
    return [found for found in map(_drive, places) if found]


def _drive(folder: Path) -> Drive | None:
    try:
        if (folder / drive.ABOUT).is_file():
            text = (folder / drive.ABOUT).read_text(encoding="utf-8", errors="replace")
            found = re.match(r"Adafruit (CircuitPython \S+)[^;]*; ([^\n]*)", text)
            return Drive(folder, *found.groups()) if found else Drive(folder, "CircuitPython", "")
        if (folder / LOADER).is_file():
            text = (folder / LOADER).read_text(encoding="utf-8", errors="replace")
            model = re.search(r"(?m)^Model: *([^\r\n]*)", text)
            return Drive(folder, "", model[1].strip() if model else "")
    except OSError:  # unplugged in this moment, or of another user
        pass
    return None


def only(found: list[Port]) -> Port:
    """The one port that a board can be on; MidgeError says why there is none, or which there are."""
    if len(found) == 1:
        return found[0]
    if found:
        raise MidgeError(f"several boards: {'; '.join(port.title for port in found)}; choose one with --port")
    for there in drives():
        if there.firmware:
            name = there.board or drive.LABEL
            raise MidgeError(f"no serial port, but the drive {there.folder} of {name}: use --with drive")
        raise MidgeError(_waits(there))
    for about in loaders():
        raise MidgeError(f"no serial port, but an {about}: {LEAVE['bootloader']}")
    raise MidgeError(
        "no board on a serial port: plug it in, with a cable that carries data and not power alone; some boards need a "
        "driver for their USB bridge (CP210x, CH340); `midge boards` shows what there is"
    )


def loaders(devices: Path = Path("/sys/bus/usb/devices")) -> list[str]:
    """Bootloaders on USB that show no serial port, as Linux lists them; none elsewhere."""
    found = []
    for path in sorted(devices.glob("*/idVendor")):
        try:
            usb = int(path.read_text(), 16), int((path.parent / "idProduct").read_text(), 16)
        except (OSError, ValueError):  # unplugged in this moment
            continue
        if "bootloader" in KNOWN.get(usb, ""):
            found.append(KNOWN[usb])
    return found


def _waits(loader: Drive) -> str:
    return (
        f"{loader.folder}: {loader.board or 'a board'} is in its bootloader, without MicroPython running: copy the "
        "firmware's .uf2 file to this drive, or press reset if it has firmware"
    )


def hindrance(device: str) -> str:
    """Why no board answers on a port, and what to do about it."""
    import serial

    others = [port for port in ports() if port.device == device]
    for port in others:
        for state, advice in LEAVE.items():
            if state in port.about:
                return f"{port.about}: {advice}"
    try:
        serial.Serial(device, exclusive=True).close()
    except serial.SerialException as error:
        return _refused(device, error)
    except (OSError, ValueError) as error:
        return f"{error}; `midge boards` shows the ports that there are"
    waiting = next((found for found in drives() if not found.firmware), None)
    if waiting:
        return _waits(waiting)
    return (
        "the port opens, but no REPL answers: press reset and try again; without MicroPython or CircuitPython on the "
        "board, or with an ESP32 in download mode (boot button held at reset), nothing can answer; check port and cable"
    )


def _refused(device: str, error: OSError) -> str:
    text = str(error)
    if error.errno == errno.ENOENT or "FileNotFoundError" in text:
        there = ", ".join(port.device for port in ports())
        return (
            f"there is no such port; {f'there are {there}' if there else 'no board is on any; check cable and power'}"
        )
    if error.errno == errno.EACCES and sys.platform != "win32":
        return (
            f"no permission: sudo usermod -a -G {_group(device)} $USER, then log out and in again, once; or a udev "
            "rule for this board"
        )
    if error.errno in (errno.EBUSY, errno.EAGAIN) or "PermissionError" in text or "exclusively lock" in text:
        return "another program has the port open: close Thonny, mpremote, a serial monitor, the Arduino IDE"
    return text


def _group(device: str) -> str:
    """Who may open a port: dialout on Debian, uucp on Arch."""
    try:
        import grp

        return grp.getgrgid(os.stat(device).st_gid).gr_name
    except (ImportError, OSError, KeyError):
        return "dialout"
