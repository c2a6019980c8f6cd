"""`midge deploy --with drive`: onto the CIRCUITPY drive of a board with CircuitPython.

CircuitPython starts code.py anew whenever the drive is written to, and an import of a .mpy that is there in part hangs.
So every file is written beside its place, under a name that nobody imports, read back, and renamed when all are there.
With a serial port too, code.py is stopped before, the board says which native code it loads, and the self-test runs.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from ..device import model_file
from ..device.architectures import BUILT, runs
from ..errors import CheckFailed, MidgeError
from . import BESIDE, SelfTest, connection, selftest
from . import describe as describe_itself
from .library import ABI, library_files, native_files
from .links import Mpremote, Progress, open_mpremote

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


class Files(Protocol):
    """A board's files, by their path on the board without a leading slash. All but `name` may raise OSError."""

    name: str  # for messages

    def read(self, path: str) -> bytes | None:
        """A file's contents; None where there is no such file."""

    def write(self, path: str, data: bytes) -> None:
        """Writes a whole file, in a folder that is made where it is missing."""

    def replace(self, path: str, other: str) -> None:
        """Renames a file to another one's name, in whose place it comes."""

    def remove(self, path: str) -> None:
        """Removes a file if it is there."""

    def free_bytes(self) -> int: ...


class Folder:
    """The files of a mounted drive."""

    def __init__(self, folder: Path):
        self._folder, self.name = folder, str(folder)

    def read(self, path: str) -> bytes | None:
        return (self._folder / path).read_bytes() if (self._folder / path).is_file() else None

    def write(self, path: str, data: bytes) -> None:
        (self._folder / path).parent.mkdir(parents=True, exist_ok=True)
        with open(self._folder / path, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def replace(self, path: str, other: str) -> None:
        os.replace(self._folder / path, self._folder / other)

    def remove(self, path: str) -> None:
        (self._folder / path).unlink(missing_ok=True)

    def free_bytes(self) -> int:
        return shutil.disk_usage(self._folder).free


@dataclass
class Drive:
    """What boot_out.txt says of the board."""

    files: Files
    board: str
    version: tuple[int, int]
    architectures: tuple[str, ...]  # one, or all where the processor is not known


@dataclass
class Report:
    """The files that deploy copied, and how many were there already."""

    drive: Drive
    copied: list[str]
    skipped: int
    selftest: SelfTest | None = None  # with a serial port


def deploy_to_drive(
    model: Path,
    folder: Path | None,
    library: bool = True,
    progress: Progress | None = None,
    port: str | None = None,
) -> Report:
    """Copies what the drive lacks; folder: where it is mounted, else it is looked for; port: the board's serial port.

    Raises MidgeError for a bad file, a drive that cannot be written or a connection that is lost, CheckFailed when
    there is too little room or memory, or the self-test fails.
    """
    modules = model_file.read(model).modules
    drive = describe(Folder(folder or find()))
    if port is None:
        return copy(model, drive, modules, library, progress)
    link = open_mpremote(port)
    with connection(link, port, "every file on the drive is whole"):
        try:
            drive.architectures = _loads(link, model)
            report = copy(model, drive, modules, library, progress)
            link.reset()
            report.selftest = selftest(link, model)
        finally:
            with contextlib.suppress(Exception):  # if the connection is lost
                link.restart()
    return report


def _loads(link: Mpremote, model: Path) -> tuple[str, ...]:
    """The native code that the board loads, by its own account: one architecture or none."""
    board = describe_itself(link)
    if board.implementation != "circuitpython":
        raise MidgeError(f"on that port answers a board with {board.implementation}, not the drive's; check --port")
    need = model_file.read(model).arena_bytes
    if board.memory_bytes is not None and board.memory_bytes < need:
        raise CheckFailed(
            f"the board has {board.memory_bytes:,} bytes of memory free and the model's arena alone takes {need:,}; "
            "use a smaller model. Nothing was changed"
        )
    return tuple(runs(board.architecture))[:1]


def copy(model: Path, drive: Drive, modules: Sequence[str], library: bool, progress: Progress | None) -> Report:
    """Copies what a drive lacks, in such a way that its former files work until all have arrived."""
    files = drive.files
    wanted = {model.name: model.read_bytes()}
    if library:
        wanted |= {f"lib/{name}": data for name, data in _library(drive, modules).items()}
    try:
        todo = {name: data for name, data in wanted.items() if files.read(name) != data}
        need, free = _room(todo.values()), files.free_bytes()
        if need > free:  # what an earlier, broken run left is written over
            free += _room(files.read(name + BESIDE) or b"" for name in todo)
    except OSError as error:
        raise MidgeError(f"{files.name}: {error.strerror or error}; nothing was changed") from None
    if need > free:
        raise CheckFailed(
            f"the drive has {free:,} bytes free and deploy needs {need:,} beside the former files; delete files, or "
            "use a smaller model. Nothing was changed"
        )
    try:
        _write(files, todo, progress or (lambda done: None))
    except OSError as error:
        for name in todo:
            with contextlib.suppress(OSError):
                files.remove(name + BESIDE)
        raise MidgeError(f"{files.name}: {error.strerror or error}; its former files are as they were") from None
    try:
        for name in todo:
            files.replace(name + BESIDE, name)
        for path in map(PurePosixPath, wanted):
            if path.suffix in OTHER_FORM:
                files.remove(str(path.with_suffix(OTHER_FORM[path.suffix])))
    except OSError as error:
        raise MidgeError(f"{files.name}: {error.strerror or error}; some files are new: run it again") from None
    return Report(drive, list(todo), len(wanted) - len(todo))


def _room(contents: Iterable[bytes]) -> int:
    """Bytes of whole blocks that files of these contents take."""
    return sum(-(-len(data) // BLOCK) * BLOCK for data in contents)


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


def describe(files: Files) -> Drive:
    """Reads what the board says of itself."""
    try:
        data = files.read(ABOUT)
    except OSError as error:
        raise MidgeError(f"{files.name}: {error.strerror or error}") from None
    if data is None:
        raise MidgeError(f"{files.name}: no {ABOUT}; this is not the drive of a board with CircuitPython")
    text = data.decode("utf-8", errors="replace")
    found = re.match(r"Adafruit CircuitPython (\d+)\.(\d+)\S* on [^;]*; (.* with (\S+))", text)
    if found is None:
        raise MidgeError(f"{files.name}: {ABOUT} does not say which CircuitPython it is; restart the board")
    major, minor, board, processor = found.groups()
    processor = processor.lower().replace("-", "")  # ESP32C6, ESP32-C3FN4
    known = [name for start, name in PROCESSORS.items() if processor.startswith(start)]
    architectures = tuple(name for name in known[:1] if name) if known else BUILT
    return Drive(files, board, (int(major), int(minor)), architectures)


def _library(drive: Drive, modules: Sequence[str]) -> dict[str, bytes]:
    """The library and native modules, of which the board takes what its firmware can load."""
    if drive.version < (10, 0):  # of another ABI
        return library_files("circuitpython", (0, 0))
    files = library_files("circuitpython", ABI)
    for architecture in drive.architectures:
        files |= native_files(architecture, modules, "circuitpython") or {}
    return files


def _write(files: Files, todo: dict[str, bytes], progress: Progress) -> None:
    done = 0
    for name, data in todo.items():
        files.write(name + BESIDE, data)
        if files.read(name + BESIDE) != data:
            raise OSError(f"{name} arrived damaged")
        done += len(data)
        progress(done)
