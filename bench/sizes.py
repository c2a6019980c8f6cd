"""What the native modules take: writes docs/sizes.md.

    python bench/sizes.py             shows the table
    python bench/sizes.py --update    measures the heap on the emulated boards, writes bench/sizes.json and the page

Code, constants and stack come from native_modules/prebuilt/manifest.json: `make natmods` notes them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from midge_host import generate
from midge_host.boards.qemu import Qemu, problem
from midge_host.device.banks import BANKS

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "sizes.md"
HEAPS = ROOT / "bench" / "sizes.json"
PREBUILT = ROOT / "native_modules" / "prebuilt"
BOARDS = {"armv6m": "qemu-m0", "armv7emsp": "qemu-m4", "rv32imc": "qemu-rv32"}
ARCHES = ("armv6m", "armv7emsp", "rv32imc", "xtensawin", "x64")
IMPORT = """import gc
import {module}
del {module}
import sys
sys.modules.pop("{module}")
gc.collect()
before = gc.mem_alloc()
import {module}
gc.collect()
print(gc.mem_alloc() - before)
"""  # the second import: the first leaves names behind that stay


def heaps(arch: str) -> dict[str, int]:
    """Bytes of MicroPython's heap that each module takes on an emulated board, measured."""
    found = {}
    for bank in BANKS:
        data = (PREBUILT / f"{bank.module}-{arch}.mpy").read_bytes()
        with Qemu(BOARDS[arch], rom={f"lib/{bank.module}.mpy": data}) as board:
            found[bank.module] = int(board.exec(IMPORT.format(module=bank.module)))
    return found


def rows() -> Iterator[list[str]]:
    manifest = json.loads((PREBUILT / "manifest.json").read_text())
    measured = json.loads(HEAPS.read_text())
    for arch in ARCHES:
        for bank in BANKS:
            entry = manifest[f"{bank.module}-{arch}"]
            heap = measured.get(arch, {}).get(bank.module)
            figures = (entry["text"], entry.get("rodata", 0), entry["stack"])
            yield [arch, f"`{bank.module}`", *(f"{n:,}" for n in figures), f"{heap:,}" if heap else ""]


def page() -> str:
    """docs/sizes.md as it should be."""
    lines = ["| architecture | module | code | constants | stack | heap |", "| --- | --- | --: | --: | --: | --: |"]
    lines += [f"| {' | '.join(row)} |" for row in rows()]
    return generate.fill(PAGE.read_text(), {"sizes": lambda: "\n".join(lines)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--update", action="store_true")
    if parser.parse_args().update:
        for arch, board in BOARDS.items():
            if why := problem(board):
                raise SystemExit(f"{board} ({arch}): {why}")
        HEAPS.write_text(json.dumps({arch: heaps(arch) for arch in BOARDS}, indent=2) + "\n")
        PAGE.write_text(page())
    for row in rows():
        print("{:10} {:18} {:>7} {:>5} {:>6} {:>7}".format(*row))


if __name__ == "__main__":
    main()
