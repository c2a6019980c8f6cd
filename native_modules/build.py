"""Builds the native modules for each architecture, with MicroPython's own py/dynruntime.mk.

    python native_modules/build.py --micropython <source> --output native_modules/prebuilt x64 armv6m

Writes midge_native-ARCH.mpy, midge_extra-ARCH.mpy and manifest.json. --check builds anew and compares with what is
there instead: exit code 1 if something differs, or with --require all if something could not be compared.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).resolve().parent
XTENSA = Path("toolchains") / "xtensa"


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

MODULES = ("midge_native", "midge_extra")

# This Python first, which has what MicroPython's tools need. Last, what stands in for Espressif's compiler.
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"], str(FOLDER / XTENSA)])


def source_hash(module: str, arch: str) -> str:
    """SHA-256 over everything of ours that goes into a module."""
    patterns = ["mpy_ld.py", "core/*.[ch]", "midge_native/midge_native.c", "midge_native/Makefile"]
    patterns += [f"arch/{arch}/*"] if module == "midge_native" else ["core/extra/*"]
    if arch == "xtensawin":
        patterns += [f"{XTENSA}/[!R]*", f"{XTENSA}/include/*.h"]  # all but README.md
    digest = hashlib.sha256()
    for path in sorted(path for pattern in patterns for path in FOLDER.glob(pattern) if path.is_file()):
        digest.update(path.relative_to(FOLDER).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def compiler_version(arch: str) -> str | None:
    """First line of what the compiler says of itself; None if it is not here."""
    path = shutil.which(ARCHES[arch].compiler, path=PATH)
    done = path and subprocess.run([path, "--version"], capture_output=True, text=True)
    return done.stdout.splitlines()[0] if done and done.returncode == 0 else None


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


def build(module: str, arch: str, micropython: Path) -> tuple[bytes, dict]:
    """The .mpy file, and what the manifest says of it."""
    with tempfile.TemporaryDirectory() as temporary:
        # A copy, so that no object of an earlier build is taken for a new one, and no path gets into the file.
        work = Path(temporary) / "native_modules"
        for part in ("core", "arch", "midge_native", XTENSA):
            shutil.copytree(FOLDER / part, work / part, ignore=shutil.ignore_patterns("build", "*.mpy"))
        shutil.copy(FOLDER / "mpy_ld.py", work)
        done = subprocess.run(
            ["make", f"MOD={module}", f"ARCH={arch}", f"MPY_DIR={micropython.resolve()}"],
            cwd=work / "midge_native",
            env={**os.environ, "PATH": PATH},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise SystemExit(f"{module}-{arch}: the build failed\n{done.stdout}{done.stderr}")
        for item in (work / "midge_native" / "build").rglob("*.o"):
            if names := writable_statics(item):
                raise SystemExit(f"{module}-{arch}: {item.stem}.c has writable statics: {', '.join(names)}")
        data = (work / "midge_native" / f"{module}.mpy").read_bytes()
    # Header: 'M', version, architecture * 4 + sub-version, bits of a small integer.
    if data[2] >> 2 != ARCHES[arch].number:
        raise SystemExit(f"{module}-{arch}: the module is for another architecture, number {data[2] >> 2}")
    sizes = {name: int(size) for name, size in re.findall(r"^(text|rodata) size: +(\d+)$", done.stdout, re.M)}
    return data, {
        "abi": f"{data[1]}.{data[2] & 3}",
        "bytes": len(data),
        **sizes,
        "sha256": hashlib.sha256(data).hexdigest(),
        "sources": source_hash(module, arch),
        "compiler": compiler_version(arch),
        "micropython": micropython_version(micropython),
    }


def write(arches: list[str], micropython: Path, output: Path) -> bool:
    manifest = read_manifest(output)
    if missing := [arch for arch in arches if not compiler_version(arch)]:
        names = ", ".join(f"{ARCHES[arch].compiler} ({arch})" for arch in missing)
        print(f"not installed: {names}; on Debian, `make toolchains` as root installs all. Nothing was built.")
        return False
    for arch, module in itertools.product(arches, MODULES):
        name = f"{module}-{arch}"
        data, manifest[name] = build(module, arch, micropython)
        (output / f"{name}.mpy").write_bytes(data)
        print(f"{name}: {len(data):,} bytes, text {manifest[name]['text']:,}")
    (output / "manifest.json").write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    return True


def check(arches: list[str], micropython: Path, output: Path, require_all: bool) -> bool:
    manifest = read_manifest(output)
    good = True
    for arch, module in itertools.product(arches, MODULES):
        name = f"{module}-{arch}"
        problem, why_not = compare(module, arch, micropython, output, manifest.get(name))
        if problem:
            print(f"{name}: {problem}; run `make natmods`")
        elif why_not:
            print(f"{name}: not compared: {why_not}")
        else:
            print(f"{name}: {manifest[name]['bytes']:,} bytes, as built from source")
        good = good and not problem and not (require_all and why_not)
    return good


def compare(module: str, arch: str, micropython: Path, output: Path, known: dict | None) -> tuple[str, str]:
    """What is wrong with the module in `output`, and why it could not be compared; both empty if it is right."""
    path = output / f"{module}-{arch}.mpy"
    if known is None or not path.exists():
        return f"there is no module in {output}", ""
    if hashlib.sha256(path.read_bytes()).hexdigest() != known["sha256"]:
        return f"{path.name} is not what the manifest says", ""
    if source_hash(module, arch) != known["sources"]:
        return "the sources have changed since it was built", ""
    tools = {"compiler": compiler_version(arch), "micropython": micropython_version(micropython)}
    if tools["compiler"] is None:
        return "", f"{ARCHES[arch].compiler} is not installed (on Debian, as root: make toolchains)"
    for tool, version in tools.items():
        if version != known[tool]:
            return "", f"it was built with {tool} {known[tool]}, here is {version}"
    data, entry = build(module, arch, micropython)
    if entry != known or data != path.read_bytes():
        return "it is not what its sources give", ""
    return "", ""


def read_manifest(output: Path) -> dict:
    path = output / "manifest.json"
    return json.loads(path.read_text()) if path.exists() else {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("arches", nargs="+", choices=ARCHES)
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
