"""Builds the core with all banks as one WebAssembly module, which browsers and node run: clang, lld and binaryen."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
TOOLS = ("clang", "wasm-ld", "wasm-opt")
# Browsers have these since 2023 at the latest. Without memory instructions the core would need memcpy() and memset().
FEATURES = ("bulk-memory", "sign-ext", "simd128")
FLAGS = ["--target=wasm32", "-std=c99", "-ffreestanding", "-Wall", "-Wextra", "-Werror", "-DMIDGE_OUT_OF_LINE"]
# Most of a prediction's time is spent in convolutions. -Os makes vectors of their loops: faster than
# -O2 and -O3, which unroll them. A page waits for every byte of the rest, which is optimised as one program (LTO).
FAST, SMALL = ["-Os"], ["-Oz", "-fno-inline-functions", "-flto"]
OFTEN = [f"kernels/generic/core/{name}.c" for name in ("conv", "depthwise_conv")]
# Passes of wasm-opt; the last two give what is used most the shortest numbers. Below 1024 lies only the end of the
# stack, so that no address is so small.
SHRINK = ("--low-memory-unused", "--flatten", "--rereloop", "-Oz", "-Oz", "--reorder-functions", "--reorder-locals")
STACK_BYTES = 32768


def sources() -> list[Path]:
    patterns = ("bindings/wasm/*.c", "core/*.c", "kernels/generic/*/*.c")
    # A page neither learns nor finds things, and decodes weights in JavaScript.
    left_out = ("learn", "detect", "packed")
    return sorted(path for pattern in patterns for path in FOLDER.glob(pattern) if path.parent.name not in left_out)


def source_hash() -> str:
    """SHA-256 over everything of ours that goes into the module."""
    headers = [path for pattern in ("core/*.h", "kernels/generic/**/*.h") for path in FOLDER.glob(pattern)]
    digest = hashlib.sha256()
    for path in sorted([Path(__file__).resolve(), *sources(), *headers]):
        digest.update(path.relative_to(FOLDER).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def versions() -> str | None:
    """What the tools say of themselves; None if one of them is not here."""
    return ", ".join(_versions()) if all(map(shutil.which, TOOLS)) else None


def _versions() -> Iterator[str]:
    for tool in TOOLS:
        yield subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]


def build() -> tuple[bytes, dict]:
    """The .wasm file, and what the manifest says of it."""
    with tempfile.TemporaryDirectory() as temporary:
        objects = [str(Path(temporary) / f"{i}.o") for i in range(len(sources()))]
        with ThreadPoolExecutor() as pool:
            list(pool.map(_compile, sources(), objects))
        linked, small = (str(Path(temporary) / name) for name in ("linked.wasm", "small.wasm"))
        # The stack lies below everything else: where it is too small, the module stops.
        _run("wasm-ld", "--no-entry", "--strip-all", "--compress-relocations", "--export=__heap_base", "--stack-first",
            "--lto-O2", "-z", f"stack-size={STACK_BYTES}", "-o", linked, *objects)  # fmt: skip
        enabled = [f"--enable-{feature.removesuffix('128')}" for feature in FEATURES]
        _run("wasm-opt", *enabled, *SHRINK, linked, "-o", small)
        data = Path(small).read_bytes()
    return data, {
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "sources": source_hash(),
        "compiler": versions(),
    }


def _compile(source: Path, output: str) -> None:
    level = FAST if source.relative_to(FOLDER).as_posix() in OFTEN else SMALL
    includes = [f"-I{FOLDER / folder}" for folder in ("core", "kernels/generic")]
    _run("clang", *FLAGS, *(f"-m{feature}" for feature in FEATURES), *level, *includes, "-c", str(source), "-o", output)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"wasm: the build failed\n{' '.join(command)}\n{done.stdout}{done.stderr}")
