"""The inputs of the fuzz targets: those that they begin with, the kept corpus, and every past crash."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

from . import native, readers

HERE = Path(__file__).resolve().parent
TARGETS = [*native.TARGETS, *readers.READERS]


def archive(name: str) -> Path:
    return HERE / "corpus" / f"{name}.zip"


def seeds(name: str) -> list[bytes]:
    return native.seeds(name) if name in native.TARGETS else list(readers.READERS[name].seeds())


def inputs(name: str) -> Iterator[tuple[str, bytes]]:
    """All inputs of a target, by names that tell where each comes from."""
    for i, data in enumerate(seeds(name)):
        yield f"seed-{i}", data
    if archive(name).exists():
        with zipfile.ZipFile(archive(name)) as file:
            for member in file.namelist():
                yield f"corpus-{member}", file.read(member)
    for path in sorted((HERE / "crashes" / name).glob("*")):
        yield f"crash-{path.name}", path.read_bytes()


def keep_crash(name: str, data: bytes) -> Path:
    """Adds an input to the past crashes."""
    path = HERE / "crashes" / name / hashlib.sha256(data).hexdigest()[:12]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
