"""The fuzz targets on their seeds, on the corpus that `make fuzz` has gathered and on every past crash."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from fuzz import corpus, native, readers


@pytest.mark.parametrize("name", native.TARGETS)
def test_native(name: str, tmp_path: Path) -> None:
    if not shutil.which("gcc"):
        pytest.skip("no gcc here")
    program = native.build(name, tmp_path)
    files = []
    for file, data in corpus.inputs(name):
        (tmp_path / file).write_bytes(data)
        files.append(file)
    quiet = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
    done = subprocess.run([program, *files], cwd=tmp_path, env=quiet, capture_output=True, text=True, timeout=120)
    done_files = done.stdout.split()
    assert done.returncode == 0, f"{done_files[-1:]}: {done.stderr[:3000]}"
    assert done_files == files


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("name", readers.READERS)
def test_readers(name: str) -> None:
    for file, data in corpus.inputs(name):
        try:
            readers.READERS[name].run(data)
        except Exception as error:
            raise AssertionError(f"{file}: {error!r}") from error
