"""The fuzz targets on their seeds, on the corpus that `make fuzz` has gathered and on every past crash."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fuzz import corpus, native, readers


def replay(name: str, folder: Path, coverage: bool = False) -> None:
    if not shutil.which("gcc"):
        pytest.skip("no gcc here")
    inputs = dict(corpus.inputs(name))
    done = native.replay(name, folder, inputs.items(), coverage)
    files = done.stdout.split()
    assert done.returncode == 0, f"{files[-1:]}: {done.stderr[:3000]}"
    assert files == list(inputs)


@pytest.mark.parametrize("name", native.TARGETS)
def test_native(name: str, tmp_path: Path) -> None:
    replay(name, tmp_path)


def test_coverage(tmp_path: Path) -> None:
    """These inputs execute 95 % of the core's lines, of all its operators. `make coverage` shows each file."""
    for name in native.TARGETS:
        replay(name, tmp_path / name, coverage=True)
    counts = native.coverage(tmp_path)
    sources = {path.relative_to(native.NATIVE) for part in native.PARTS for path in part.rglob("*.c")}
    # For ARMv6-M only; for kernels of boards; for a build of the wide bank alone.
    tuned = {Path("core/fixed_point.c"), Path("kernels/generic/core/scale.c")}
    alone = {Path(f"kernels/generic/wide/{name}16.c") for name in ("arithmetic", "batch_matmul")}
    assert sources - set(counts) == tuned | alone
    executed, lines = map(sum, zip(*counts.values(), strict=True))
    assert executed / lines >= 0.95, counts


def test_a_relative_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Makefile's CACHE is one, and the compiler runs in another folder."""
    if not shutil.which("gcc"):
        pytest.skip("no gcc here")
    monkeypatch.chdir(tmp_path)
    assert native.build("edge", Path("cache/edge")).is_file()


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("name", readers.READERS)
def test_readers(name: str) -> None:
    for file, data in corpus.inputs(name):
        try:
            readers.READERS[name].run(data)
        except Exception as error:
            raise AssertionError(f"{file}: {error!r}") from error
