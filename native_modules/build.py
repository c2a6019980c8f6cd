"""Builds the native modules for each architecture, with MicroPython's own py/dynruntime.mk, and wasm.wasm.

    python native_modules/build.py --micropython <source> --output native_modules/prebuilt x64 armv6m wasm

Writes MODULE-ARCH.mpy for every bank, all banks as one wasm.wasm, and manifest.json. --check builds anew and compares
with what is there instead: exit code 1 if something differs, or with --require all if something could not be compared.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import wasm
from stack import depth

FOLDER = Path(__file__).resolve().parent
XTENSA = Path("toolchains") / "xtensa"
BINDING = Path("bindings") / "micropython"
COMMON = [f"{BINDING}/{name}" for name in ("function_table.h", "libc.h", "Makefile")]  # sources of each module


class Arch(NamedTuple):
    compiler: str
    number: int  # MP_NATIVE_ARCH_... in py/persistentcode.h


ARCHES = {
    "x64": Arch("gcc", 2),
    "armv6m": Arch("arm-none-eabi-gcc", 4),
    "armv7emsp": Arch("arm-none-eabi-gcc", 7),
    "xtensawin": Arch("xtensa-esp32-elf-gcc", 10),
    "rv32imc": Arch("riscv64-unknown-elf-gcc", 11),
}

# From the header that is generated from the table of banks.
BANKS = [name.lower() for name in re.findall(r"#define MIDGE_BANK_(\w+)", (FOLDER / "core" / "banks.h").read_text())]

# What runs a model on two cores, where MicroPython lets native code have them: bindings/micropython/cores.c.
CORES = "cores"
# What takes the turns of layers that are made by rows, on every architecture: bindings/micropython/turns.c.
ROWS = "rows"
WITH_CORES = ("armv6m", "armv7emsp")

# For browsers: one file with all banks, and no MicroPython.
WASM = "wasm"

# Modules that are no banks, each with a binding of its own: what takes frames of cameras into a model's input, what
# learns, what decodes weights, and what finds things in pictures.
ALONE = ("image", "learn", "packed", "detect")


def every_module(arches: Iterable[str]) -> dict[str, tuple[str, str]]:
    """By its name in the manifest: bank (or what else is a module of its own) and architecture."""
    found = {}
    for arch in arches:
        names = [] if arch == WASM else [*BANKS, *ALONE, ROWS, *[CORES] * (arch in WITH_CORES)]
        found |= {f"midge_{bank}-{arch}": (bank, arch) for bank in names} or {WASM: ("", WASM)}
    return found


def file_name(name: str) -> str:
    return f"{name}.wasm" if name == WASM else f"{name}.mpy"


# This Python first, which has what MicroPython's tools need. Last, what stands in for Espressif's compiler.
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"], str(FOLDER / XTENSA)])


def source_hash(bank: str, arch: str) -> str:
    """SHA-256 over everything of ours that goes into a module."""
    if arch == WASM:
        return wasm.source_hash()
    if bank in (CORES, ROWS):
        patterns = [
            "mpy_ld.py",
            *(["core/format.h"] if bank == CORES else ["core/*.h", f"{XTENSA}/[!R]*", f"{XTENSA}/include/*.h"]),
            f"{BINDING}/{'cores' if bank == CORES else 'turns'}.[ch]",
            *COMMON,
        ]
    else:
        patterns = _bank_sources(bank, arch)
    digest = hashlib.sha256()
    for path in sorted(path for pattern in patterns for path in FOLDER.glob(pattern) if path.is_file()):
        digest.update(path.relative_to(FOLDER).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


BANK_BINDING = ("native_module.c", "functions.h")


def _bank_sources(bank: str, arch: str) -> list[str]:
    patterns = [
        "mpy_ld.py",
        "core/*.[ch]",
        *(f"{BINDING}/{name}" for name in ((f"{bank}.c", f"{bank}_functions.h") if bank in ALONE else BANK_BINDING)),
        *COMMON,
    ]
    patterns += ["kernels/generic/*.h", f"kernels/generic/{bank}/*", f"kernels/{arch}/*.h", f"kernels/{arch}/{bank}/*"]
    if arch == "xtensawin":
        patterns += [f"{XTENSA}/[!R]*", f"{XTENSA}/include/*.h"]  # all but README.md
    return patterns


def compiler_version(arch: str) -> str | None:
    """First line of what the compiler says of itself; None if it is not here."""
    if arch == WASM:
        return wasm.versions()
    path = shutil.which(ARCHES[arch].compiler, path=PATH)
    done = path and subprocess.run([path, "--version"], capture_output=True, text=True)
    return done.stdout.splitlines()[0] if done and done.returncode == 0 else None


def compiler(arch: str) -> str:
    return " or ".join(wasm.TOOLS) if arch == WASM else ARCHES[arch].compiler


def micropython_version(source: Path) -> str:
    text = (source / "py" / "mpconfig.h").read_text()
    return ".".join(re.search(rf"MICROPY_VERSION_{part} (\d+)", text)[1] for part in ("MAJOR", "MINOR", "MICRO"))


def writable_statics(file: Path) -> list[str]:
    """Names of an object file's writable variables. mpy_ld.py sees the initialised ones, but links others for some
    architectures without a word, and the module crashes."""
    from elftools.elf.elffile import ELFFile

    with open(file, "rb") as stream:
        elf = ELFFile(stream)
        sections = {"SHN_COMMON": ""}
        for index, section in enumerate(elf.iter_sections()):
            # .data.rel.ro: constants with addresses, written only by the loader.
            writable = section["sh_flags"] & 3 == 3 and not section.name.startswith(".data.rel.ro")
            if writable and section["sh_size"]:
                sections[index] = section.name
        symbols = elf.get_section_by_name(".symtab").iter_symbols()
        names = [s.name for s in symbols if s["st_shndx"] in sections and s["st_info"]["type"] == "STT_OBJECT"]
        return names or [name for name in sections.values() if name]


@functools.cache
def _libraries() -> tempfile.TemporaryDirectory:
    """Where MicroPython's linker notes what the compilers' libraries hold: to read libgcc takes six times as long as
    all else about a module."""
    return tempfile.TemporaryDirectory()


def build(bank: str, arch: str, micropython: Path) -> tuple[bytes, dict]:
    """The file, and what the manifest says of it."""
    if arch == WASM:
        return wasm.build()
    module = f"midge_{bank}"
    with tempfile.TemporaryDirectory() as temporary:
        # A copy, so that no object of an earlier build is taken for a new one, and no path gets into the file.
        work = Path(temporary) / "native_modules"
        for part in ("core", "kernels", BINDING, XTENSA):
            shutil.copytree(FOLDER / part, work / part, ignore=shutil.ignore_patterns("build", ".*", "*.mpy"))
        shutil.copy(FOLDER / "mpy_ld.py", work)
        (work / BINDING / ".mpy_ld_cache").symlink_to(_libraries().name)

        def make(*targets: str, **environment: str) -> str:
            done = subprocess.run(
                ["make", f"BANK={bank}", f"ARCH={arch}", f"MPY_DIR={micropython.resolve()}", *targets],
                cwd=work / BINDING,
                env={**os.environ, "PATH": PATH, "CFLAGS": "-fcallgraph-info=su", **environment},  # changes no code
                capture_output=True,
                text=True,
            )
            if done.returncode:
                raise SystemExit(f"{module}-{arch}: the build failed\n{done.stdout}{done.stderr}")
            return done.stdout

        said = make()
        for item in (work / BINDING / "build").rglob("*.o"):
            if names := writable_statics(item):
                raise SystemExit(f"{module}-{arch}: {item.stem}.c has writable statics: {', '.join(names)}")
        data = (work / BINDING / f"{module}.mpy").read_bytes()
        # What calls banks takes less than they do.
        stack = (
            {} if bank in (CORES, ROWS) else {"stack": depth(work / BINDING / "build", work / "kernels" / arch / bank)}
        )
        # The same objects for CircuitPython: what mpy_ld.py links for it is what deploy has to make of the module.
        linked = f"build/{module}.native.mpy"
        (work / BINDING / linked).unlink()
        make(linked, CIRCUITPYTHON="1")
        circuitpython = (work / BINDING / linked).read_bytes()
    # Header: 'M', version, architecture * 4 + sub-version, bits of a small integer.
    if data[2] >> 2 != ARCHES[arch].number:
        raise SystemExit(f"{module}-{arch}: the module is for another architecture, number {data[2] >> 2}")
    sizes = {name: int(size) for name, size in re.findall(r"^(text|rodata) size: +(\d+)$", said, re.M)}
    return data, {
        "abi": f"{data[1]}.{data[2] & 3}",
        "bytes": len(data),
        **sizes,
        **stack,
        "sha256": hashlib.sha256(data).hexdigest(),
        "circuitpython": hashlib.sha256(circuitpython).hexdigest(),
        "sources": source_hash(bank, arch),
        "compiler": compiler_version(arch),
        "micropython": micropython_version(micropython),
    }


def write(arches: list[str], micropython: Path, output: Path) -> bool:
    manifest = {name: entry for name, entry in read_manifest(output).items() if name in every_module([*ARCHES, WASM])}
    if missing := [arch for arch in arches if not compiler_version(arch)]:
        names = ", ".join(f"{compiler(arch)} ({arch})" for arch in missing)
        print(f"not installed: {names}; on Debian, `make toolchains` as root installs all. Nothing was built.")
        return False
    for name, (bank, arch) in every_module(arches).items():
        data, manifest[name] = build(bank, arch, micropython)
        (output / file_name(name)).write_bytes(data)
        print(f"{name}: {len(data):,} bytes")
    (output / "manifest.json").write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    return True


def check(arches: list[str], micropython: Path, output: Path, require_all: bool) -> bool:
    manifest = read_manifest(output)
    modules = every_module(arches)
    stale = {name: stale_because(name, *modules[name], output, manifest.get(name)) for name in modules}
    if any(stale.values()):  # found without building anything
        for name, problem in stale.items():
            if problem:
                print(f"{name}: {problem}; run `make natmods`")
        return False
    good = True
    for name, (bank, arch) in modules.items():
        problem, why_not = compare(bank, arch, micropython, output, manifest[name])
        if problem:
            print(f"{name}: {problem}; run `make natmods`")
        elif why_not:
            print(f"{name}: not compared: {why_not}")
        else:
            print(f"{name}: {manifest[name]['bytes']:,} bytes, as built from source")
        good = good and not problem and not (require_all and why_not)
    return good


def stale_because(name: str, bank: str, arch: str, output: Path, known: dict | None) -> str:
    """The fault of the module in `output` by what the manifest says of it; "" if there is none."""
    path = output / file_name(name)
    if known is None or not path.exists():
        return f"there is no module in {output}"
    if hashlib.sha256(path.read_bytes()).hexdigest() != known["sha256"]:
        return f"{path.name} is not what the manifest says"
    if source_hash(bank, arch) != known["sources"]:
        return "the sources have changed since it was built"
    return ""


def compare(bank: str, arch: str, micropython: Path, output: Path, known: dict) -> tuple[str, str]:
    """How the module in `output` differs from what its sources give, and why it could not be compared; both empty if
    it is right."""
    tools = {"compiler": compiler_version(arch)}
    if tools["compiler"] is None:
        return "", f"{compiler(arch)} is not installed (on Debian, as root: make toolchains)"
    if arch != WASM:
        tools["micropython"] = micropython_version(micropython)
    for tool, version in tools.items():
        if version != known[tool]:
            return "", f"it was built with {tool} {known[tool]}, here is {version}"
    data, entry = build(bank, arch, micropython)
    if entry != known or hashlib.sha256(data).hexdigest() != known["sha256"]:
        return "it is not what its sources give", ""
    return "", ""


def read_manifest(output: Path) -> dict:
    path = output / "manifest.json"
    return json.loads(path.read_text()) if path.exists() else {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("arches", nargs="+", choices=[*ARCHES, WASM])
    parser.add_argument("--micropython", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--require", choices=["none", "all"], default="none")
    args = parser.parse_args()
    if args.check:
        good = check(args.arches, args.micropython, args.output, args.require == "all")
    else:
        good = write(args.arches, args.micropython, args.output)
    sys.exit(not good)


if __name__ == "__main__":
    main()
