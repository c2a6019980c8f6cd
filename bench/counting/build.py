"""The core as the native module has it, linked to plain memory."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from midge_host.errors import MidgeError

HERE = Path(__file__).resolve().parent
NATIVE = HERE.parents[1] / "native_modules"
MODULE = NATIVE / "bindings" / "micropython"
XTENSA = NATIVE / "toolchains" / "xtensa"
PATH = os.pathsep.join([os.environ["PATH"], str(XTENSA)])  # last, what stands in for Espressif's compiler


@dataclass(frozen=True)
class Toolchain:
    """A compiler, and what MicroPython's py/dynruntime.mk calls it with."""

    prefix: str
    flags: str
    runtime: tuple[Path | str, ...] = ("-lgcc",)

    @property
    def compiler(self) -> str:
        return f"{self.prefix}gcc"

    def version(self) -> str | None:
        """First line of what the compiler says of itself; None if it is not here."""
        path = shutil.which(self.compiler, path=PATH)
        done = path and subprocess.run([path, "--version"], capture_output=True, text=True)
        return done.stdout.splitlines()[0] if done and done.returncode == 0 else None


TOOLCHAINS = {
    "armv6m": Toolchain("arm-none-eabi-", "-mthumb -mcpu=cortex-m0"),
    "armv7emsp": Toolchain("arm-none-eabi-", "-mthumb -mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard"),
    # Debian's gcc 12 takes zicsr, for the counter, as a part of rv32imac only by the older specification.
    "rv32imc": Toolchain(
        "riscv64-unknown-elf-", "-march=rv32imac -mabi=ilp32 -mno-relax -misa-spec=2.2 -ffreestanding"
    ),
    "xtensawin": Toolchain("xtensa-esp32-elf-", "", ()),
}


def compiler_problem(arch: str) -> str | None:
    """Why nothing can be built for an architecture here; None if it can."""
    toolchain = TOOLCHAINS[arch]
    if toolchain.version() is None:
        return f"{toolchain.compiler} is not installed; as root on Debian: make toolchains"
    return None


@dataclass(frozen=True)
class Program:
    """A linked program: the ELF file's bytes."""

    arch: str
    elf: bytes

    @cached_property
    def _file(self) -> ELFFile:
        return ELFFile(io.BytesIO(self.elf))

    @cached_property
    def base(self) -> int:
        return min(s["p_vaddr"] for s in self._segments())

    @cached_property
    def image(self) -> bytes:
        """The bytes in memory from `base` on."""
        end = max(s["p_vaddr"] + s["p_memsz"] for s in self._segments())
        image = bytearray(end - self.base)
        for segment in self._segments():
            at = segment["p_vaddr"] - self.base
            image[at : at + segment["p_filesz"]] = segment.data()
        return bytes(image)

    @cached_property
    def symbols(self) -> dict[str, int]:
        """Addresses of functions and labels, without the bit that says Thumb."""
        found = {}
        table = self._file.get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        for symbol in table.iter_symbols():
            kind, section = symbol["st_info"]["type"], symbol["st_shndx"]
            is_code = isinstance(section, int) and self._file.get_section(section).name == ".text"
            if is_code and kind in ("STT_FUNC", "STT_NOTYPE") and symbol.name and symbol.name[0] not in "$.":
                found[symbol.name] = symbol["st_value"] & ~1
        return found

    def disassembly(self) -> list[tuple[int | None, str]]:
        """objdump's lines, with the address where a line is an instruction."""
        with tempfile.NamedTemporaryFile(suffix=".elf") as file:
            file.write(self.elf)
            file.flush()
            command = [f"{TOOLCHAINS[self.arch].prefix}objdump", "-d", file.name]
            text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        lines = []
        for line in text.splitlines():
            address = re.match(r" *([0-9a-f]+):\t", line)
            lines.append((int(address[1], 16) if address else None, line))
        return lines

    def _segments(self) -> list:
        return [s for s in self._file.iter_segments("PT_LOAD") if s["p_memsz"]]


def sources(arch: str, plain: bool = False, bank: str = "core") -> list[Path | str]:
    """A bank, and the kernels for this architecture alone; plain: without them. "image" and "packed" have no records to
    execute."""
    kernels = NATIVE / "kernels"
    executor = [] if bank in ("image", "packed") else (NATIVE / "core").glob("*.c")
    core = sorted([*executor, *(kernels / "generic" / bank).glob("*.c")])
    if plain:
        return ["-DMIDGE_GENERIC_ONLY", *core]
    return [*core, *sorted(path for path in (kernels / arch / bank).glob("*.[cS]"))]


def module_flags(arch: str, bank: str = "core") -> list[str]:
    """CFLAGS_EXTRA of the native module's Makefile; relative to its folder."""
    with tempfile.TemporaryDirectory() as folder:
        stub = Path(folder) / "py" / "dynruntime.mk"
        stub.parent.mkdir()
        stub.write_text(".PHONY: flags\nflags:\n\t@echo $(CFLAGS_EXTRA)\n")
        command = ["make", "--no-print-directory", "-s", f"ARCH={arch}", f"BANK={bank}", f"MPY_DIR={folder}", "flags"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
        return subprocess.run(
            command, cwd=MODULE, env=environment, capture_output=True, text=True, check=True
        ).stdout.split()


def build(
    arch: str, base: int, more: tuple[Path, ...] = (), plain: bool = False, bank: str = "core", program: str = "layer.c"
) -> Program:
    """Links a program of this folder, a bank and `more` sources at the address `base`; plain: without the
    architecture's kernels."""
    toolchain = TOOLCHAINS[arch]
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "program.elf"
        command: list[str | Path] = [toolchain.compiler, "-std=c99", "-Os", "-Wall", "-Werror", "-fpic", "-fno-common"]
        command += [*toolchain.flags.split(), *module_flags(arch, bank), "-nostdlib", "-static"]
        command += ["-T", HERE / "memory.ld", f"-Wl,--defsym=base={base:#x}", "-Wl,-n,--no-warn-rwx-segments"]
        command += ["-o", output, *more, HERE / program, *sources(arch, plain, bank), *toolchain.runtime]
        done = subprocess.run(command, cwd=MODULE, env={**os.environ, "PATH": PATH}, capture_output=True, text=True)
        if done.returncode:
            raise MidgeError(f"{arch}: the kernels do not build:\n{done.stderr.strip()}")
        return Program(arch, output.read_bytes())
