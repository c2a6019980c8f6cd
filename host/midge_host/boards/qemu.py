"""MicroPython boards that QEMU emulates: real firmware, real native modules, a LittleFS disk and a ROMFS.

firmware/build_qemu.sh builds the firmware. What the firmware finds at boot, the host has put into RAM that the
firmware does not use: a ROMFS image, mounted at /rom, with a boot.py that formats a disk and mounts it at /.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from ..errors import MidgeError
from . import cache, romfs
from .repl import FileStream, Repl

DISK_BYTES = 1 << 20
ROM_BYTES = 8 << 20
STAGE = "disk"  # folder of /rom with what the first boot copies to the disk
OPTIONS = ("-nographic", "-monitor", "none", "-semihosting")  # ports/qemu calls the debugger at boot


@dataclass(frozen=True)
class Board:
    """A board: its core, the native module for it, its firmware's folder, how QEMU is called. The disk lies below
    `rom_address`, which firmware/qemu/port/port.c knows too. One that can count its instructions does so with QEMU's
    option -icount, `shift`; `counter` is then its module `instructions`."""

    core: str
    arch: str
    firmware: str
    command: str
    rom_address: int
    counter: str = ""
    shift: int = 0


BOARDS = {
    "qemu-m0": Board(
        "Cortex-M0",
        "armv6m",
        "MICROBIT",
        "qemu-system-arm -machine microbit -global nrf51-soc.flash-size=1048576 -global nrf51-soc.sram-size=10485760",
        0x20200000,
    ),
    "qemu-m3": Board("Cortex-M3", "armv6m", "MPS2_AN385", "qemu-system-arm -machine mps2-an385", 0x21200000),
    "qemu-m4": Board(
        "Cortex-M4F",
        "armv7emsp",
        "MPS2_AN386",
        "qemu-system-arm -machine mps2-an386",
        0x21200000,
        counter="qemu_count_thumb.py",
        shift=8,
    ),
    "qemu-rv32": Board(
        "RISC-V",
        "rv32imc",
        "VIRT_RV32",
        "qemu-system-riscv32 -machine virt -bios none",
        0x81200000,
        counter="qemu_count_rv32.py",
    ),
}


def firmware(name: str) -> Path:
    return cache() / "qemu" / BOARDS[name].firmware / "firmware.elf"


def problem(name: str) -> str | None:
    """Why a board cannot start here; None if it can."""
    system = BOARDS[name].command.split()[0]
    if shutil.which(system) is None:
        return f"{system} is not installed; as root on Debian: make toolchains"
    if not firmware(name).exists():
        return "its firmware is not built; run `make boards` in midge's source tree, or set MIDGE_BOARDS"
    return None


class Qemu:
    """A running board. Use it in a with statement: the firmware polls its serial port, so that even an idle board keeps
    a processor busy. It ends with this process too, however that ends.

    rom: files for /rom, in place in memory. disk: files for the disk. Both by path, without a leading slash.
    With `pty`, the serial port is the terminal at `port` for others to open, and there is no `repl`. With `counting`, a
    board that can counts its instructions, and is slower.
    """

    repl: Repl

    def __init__(
        self,
        name: str,
        rom: Mapping[str, bytes] | None = None,
        disk: Mapping[str, bytes] | None = None,
        pty: bool = False,
        disk_bytes: int = DISK_BYTES,
        counting: bool = False,
    ) -> None:
        why = problem(name)
        if why:
            raise MidgeError(f"{name}: {why}")
        self.name = name
        board = BOARDS[name]
        self._image = tempfile.NamedTemporaryFile(prefix="midge-", suffix=".romfs")  # noqa: SIM115 - QEMU opens it
        counting = counting and bool(board.counter)
        image = romfs.image(_rom(board, disk_bytes, rom or {}, disk or {}, counting))
        if len(image) > ROM_BYTES:
            raise MidgeError(f"{name}: {len(image):,} bytes of files, {ROM_BYTES:,} fit")
        self._image.write(image)
        self._image.flush()
        command = [*board.command.split(), *OPTIONS, "-kernel", str(firmware(name))]
        command += ["-device", f"loader,file={self._image.name},addr={board.rom_address:#x},force-raw=on"]
        command += ["-icount", f"shift={board.shift}"] if counting else []
        command += ["-serial", "pty" if pty else "stdio"]
        if shutil.which("setpriv"):  # the kernel ends QEMU when this process is killed
            command = ["setpriv", "--pdeathsig", "KILL", *command]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
        )
        self._end = weakref.finalize(self, _kill, self._process)
        assert self._process.stdin and self._process.stdout
        try:
            stream = FileStream(self._process.stdout.fileno(), self._process.stdin.fileno())
            if pty:
                self.port = _port(stream)
            else:
                self.repl = Repl(stream)
                said = self.repl.wait_for_prompt()
                if "OSError: 28" in said:
                    raise MidgeError(f"{name}: the files do not fit its disk of {disk_bytes:,} bytes")
                if "Traceback" in said:
                    raise MidgeError(f"{name}: boot.py failed: {said}")
                self.repl.enter()
        except BaseException:
            self.close()
            raise

    def exec(self, code: str, timeout: float | None = None) -> str:
        """Runs code on the board, returns what it printed."""
        return self.repl.exec(code, timeout)

    def copy(self, source: str, target: str) -> None:
        """Copies a file on the board, within a second or so for any that fits."""
        self.exec(f"copy_file({source!r}, {target!r})")

    def close(self) -> None:
        self._end()
        self._image.close()

    def __enter__(self) -> Qemu:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _rom(
    board: Board, disk_bytes: int, rom: Mapping[str, bytes], disk: Mapping[str, bytes], counting: bool
) -> dict[str, bytes]:
    boot = f"DISK_ADDRESS = {board.rom_address - DISK_BYTES:#x}\nDISK_BYTES = {disk_bytes}\nSTAGE = {STAGE!r}\n"
    everything = {"boot.py": boot.encode() + (files(__package__) / "qemu_boot.py").read_bytes()}
    if counting:
        everything["lib/instructions.py"] = (files(__package__) / board.counter).read_bytes()
    return everything | dict(rom) | {f"{STAGE}/{path}": data for path, data in disk.items()}


def _port(stream: FileStream, seconds: float = 10) -> str:
    """QEMU prints where its pty is."""
    text = ""
    while not (found := re.search(r"redirected to (\S+)", text)):
        data = stream.read(seconds)
        if not data:
            raise MidgeError(f"QEMU does not start: {text}")
        text += data.decode(errors="replace")
    return found[1]


def _kill(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()
