"""`midge deploy --with drive`: onto the CIRCUITPY drive of a board with CircuitPython, without a serial port.

CircuitPython starts code.py anew whenever the drive is written to, and an import of a .mpy that is there in part hangs.
So every file is written beside its place, under a name that nobody imports, read back, and renamed when all are there.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from ..device import model_file
from ..device.architectures import BUILT
from ..device.banks import Bank
from ..errors import CheckFailed, MidgeError
from . import BESIDE
from .library import ABI, library_files, native_files
from .links import Progress

LABEL = "CIRCUITPY"
ROOTS = ("/Volumes", "/media", "/run/media", "/mnt")  # where macOS and Linux mount drives
ABOUT = "boot_out.txt"  # CircuitPython writes it at every start
OTHER_FORM = {".py": ".mpy", ".mpy": ".py"}  # a .py would be imported in place of its .mpy
BLOCK = 4096  # what a file's size is rounded up to
# Processors as boot_out.txt names them, by their beginnings; "" for those whose firmware loads no native code.
PROCESSORS = {
    "rp2040": "armv6m",
    "rp2350": "armv7emsp",
    "stm32f4": "armv7emsp",
    "nrf52": "armv7emsp",
    "samd51": "armv7emsp",
    "same5": "armv7emsp",
    "samd21": "",
    "esp32c": "rv32imc",
    "esp32h": "rv32imc",
    "esp32p": "rv32imc",
    "esp32": "xtensawin",
}


@dataclass
class Drive:
    """What boot_out.txt says of the board."""

    folder: Path
    board: str
    version: tuple[int, int]
    architectures: tuple[str, ...]  # one, or all where the processor is not known


@dataclass
class Report:
    """The files that deploy copied, and how many were there already."""

    drive: Drive
    copied: list[str]
    skipped: int


def deploy_to_drive(model: Path, folder: Path | None, library: bool = True, progress: Progress | None = None) -> Report:
    """Copies what the drive lacks; folder: where it is mounted, else it is looked for. Raises MidgeError for a bad file
    or a drive that cannot be written, CheckFailed when there is too little room: its files are as they were."""
    banks = model_file.read(model).banks
    drive = describe(folder or find())
    wanted = {model.name: model.read_bytes()}
    if library:
        wanted |= {f"lib/{name}": data for name, data in _library(drive, banks).items()}
    todo = {name: data for name, data in wanted.items() if not _same(drive.folder / name, data)}
    need = sum(-(-len(data) // BLOCK) * BLOCK for data in todo.values())
    free = shutil.disk_usage(drive.folder).free
    if need > free:
        raise CheckFailed(
            f"the drive has {free:,} bytes free and deploy needs {need:,} beside the former files; delete files, or "
            "use a smaller model. Nothing was changed"
        )
    try:
        _write(drive.folder, todo, progress or (lambda done: None))
    except OSError as error:
        for name in todo:
            with contextlib.suppress(OSError):
                (drive.folder / (name + BESIDE)).unlink()
        raise MidgeError(f"{drive.folder}: {error.strerror or error}; its former files are as they were") from None
    try:
        for name in todo:
            os.replace(drive.folder / (name + BESIDE), drive.folder / name)
        for path in (drive.folder / name for name in wanted):
            if path.suffix in OTHER_FORM:
                path.with_suffix(OTHER_FORM[path.suffix]).unlink(missing_ok=True)
    except OSError as error:
        raise MidgeError(f"{drive.folder}: {error.strerror or error}; some files are new: run it again") from None
    return Report(drive, list(todo), len(wanted) - len(todo))


def find() -> Path:
    """The CIRCUITPY drive that is mounted here."""
    places = [Path(f"{letter}:/") for letter in "DEFGHIJKLMNOPQRSTUVWXYZ" if _windows_label(letter) == LABEL]
    for root in ROOTS:
        # Users' folders, too. Systems number drives of one name: CIRCUITPY1, CIRCUITPY 1.
        places += [*Path(root).glob(f"{LABEL}*"), *Path(root).glob(f"*/{LABEL}*")]
    found = [path for path in places if (path / ABOUT).is_file()]
    if len(found) == 1:
        return found[0]
    if found:
        raise MidgeError(f"several drives: {', '.join(map(str, found))}; choose one with --drive")
    raise MidgeError(f"no {LABEL} drive is mounted; plug in the board, or say where it is with --drive")


def _windows_label(letter: str) -> str:
    if sys.platform != "win32":
        return ""
    name = ctypes.create_unicode_buffer(64)
    found = ctypes.windll.kernel32.GetVolumeInformationW(f"{letter}:\\", name, 64, None, None, None, None, 0)
    return name.value if found else ""


def describe(folder: Path) -> Drive:
    """Reads what the board says of itself."""
    try:
        text = (folder / ABOUT).read_text(encoding="utf-8", errors="replace")
    except OSError:
        raise MidgeError(f"{folder}: no {ABOUT}; this is not the drive of a board with CircuitPython") from None
    found = re.match(r"Adafruit CircuitPython (\d+)\.(\d+)\S* on [^;]*; (.* with (\S+))", text)
    if found is None:
        raise MidgeError(f"{folder / ABOUT} does not say which CircuitPython it is; restart the board")
    major, minor, board, processor = found.groups()
    known = [name for start, name in PROCESSORS.items() if processor.lower().startswith(start)]
    architectures = tuple(name for name in known[:1] if name) if known else BUILT
    return Drive(folder, board, (int(major), int(minor)), architectures)


def _library(drive: Drive, banks: list[Bank]) -> dict[str, bytes]:
    """The library and native modules, of which the board takes what its firmware can load."""
    if drive.version < (10, 0):  # of another ABI
        return library_files("circuitpython", (0, 0))
    files = library_files("circuitpython", ABI)
    for architecture in drive.architectures:
        files |= native_files(architecture, banks, "circuitpython") or {}
    return files


def _same(path: Path, data: bytes) -> bool:
    return path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data


def _write(folder: Path, todo: dict[str, bytes], progress: Progress) -> None:
    done = 0
    for name, data in todo.items():
        path = folder / (name + BESIDE)
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.read_bytes() != data:
            raise OSError(f"{name} arrived damaged")
        done += len(data)
        progress(done)
