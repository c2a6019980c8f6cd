"""Files that point to a model in flash, on a board that has no more than that: what is read of them, and refused."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import midge
import models
from midge_host.device import model_file, spec
from midge_host.device.pointer import Pointer
from midge_host.errors import MidgeError

FILES = 1 << 20  # where the file system begins in flash


@pytest.fixture
def flash(monkeypatch) -> bytearray:
    """A board's flash below its file system, as MicroPython shows it."""
    found = bytearray(FILES)

    def at(address: int, size: int) -> memoryview:
        start = address - spec.FLASH
        assert 0 <= start <= start + size <= FILES, "reads outside of the flash"
        return memoryview(found)[start : start + size]

    shown = SimpleNamespace(addressof=lambda flash: spec.FLASH + FILES, bytearray_at=at)
    monkeypatch.setitem(sys.modules, "uctypes", shown)
    monkeypatch.setitem(sys.modules, "rp2", SimpleNamespace(Flash=object))
    return found


@pytest.fixture
def model(make_model):
    return make_model(models.residual())


@pytest.fixture
def pointer(flash, model, tmp_path):
    """The model lies in flash, and this file points to it."""
    data = model.read_bytes()
    flash[0x8000 : 0x8000 + len(data)] = data
    path = tmp_path / "pointer.midge"
    path.write_bytes(Pointer.to(data, spec.FLASH + 0x8000).pack())
    return path


@pytest.mark.parametrize("backend", ["native", "portable"])
@pytest.mark.parametrize("weights", ["auto", "map", "ram", "stream"])
def test_it_computes_the_same_in_place(pointer, model, flash, weights: str, backend: str) -> None:
    mapped, copied = midge.load(str(pointer), weights, backend), midge.load(str(model), "ram", backend)
    reading = np.arange(mapped.inputs[0].size, dtype=np.int8)
    assert mapped.weights_mode == "map" and mapped.predict(reading) == copied.predict(reading)
    assert mapped.selftest() and [name for name, _ in mapped.profile(reading)]
    assert mapped.backend == backend


@pytest.mark.parametrize("place", ["first", "weights", "last"])
def test_new_firmware_over_the_model(pointer, model, flash, place: str) -> None:
    size = len(model.read_bytes())
    flash[0x8000 + {"first": 0, "weights": size // 2, "last": size - 1}[place]] ^= 1
    with pytest.raises(ValueError, match=r"pointer\.midge: its model is not in flash any more.*midge deploy --flash"):
        midge.load(str(pointer))


def test_what_comes_over_it_later(pointer, model, flash) -> None:
    loaded = midge.load(str(pointer))
    flash[0x8000] ^= 1
    with pytest.raises(ValueError, match="was changed; load it again"):
        loaded.selftest()


@pytest.mark.parametrize("change", ["cut", "longer", "version", "address", "bytes", "crc", "own_crc"])
def test_damaged_pointers(pointer, change: str) -> None:
    data = bytearray(pointer.read_bytes())
    if change == "cut":
        del data[-1]
    elif change == "longer":
        data += b"\0"
    else:
        data[spec.POINTER.offsets[change]] ^= 32
    pointer.write_bytes(data)
    with pytest.raises(ValueError, match=r"pointer\.midge: a damaged pointer"):
        midge.load(str(pointer))
    assert Pointer.unpack(bytes(data)) is None


@pytest.mark.parametrize(
    "places",
    [
        {"address": spec.FLASH - 16},
        {"address": 0x20000000},
        {"address": 0xFFFFFFF0},
        {"address": spec.FLASH + FILES - 16},
        {"size": 0xFFFFFFFF},
        {"size": FILES},
    ],
)
def test_nothing_is_read_outside_of_flash(pointer, places: dict[str, int]) -> None:
    found = Pointer.unpack(pointer.read_bytes())
    pointer.write_bytes(replace(found, **places).pack())
    with pytest.raises(ValueError, match="is not in flash any more"):
        midge.load(str(pointer))


def test_of_no_model(pointer, flash) -> None:
    """A pointer trusts nothing: what lies there is checked as any file is."""
    pointer.write_bytes(Pointer.to(bytes(64), spec.FLASH + 0x20000).pack())
    with pytest.raises(ValueError, match=r"not a \.midge file"):
        midge.load(str(pointer))
    pointer.write_bytes(Pointer.to(b"", spec.FLASH + 0x20000).pack())
    with pytest.raises(ValueError, match=r"not a \.midge file"):
        midge.load(str(pointer))


def test_elsewhere(pointer, monkeypatch) -> None:
    """On other boards, on a PC, and where the firmware does not show its flash."""
    monkeypatch.setitem(sys.modules, "rp2", None)
    with pytest.raises(ValueError, match=r"pointer\.midge points to a model in the flash of an RP2040 or RP2350"):
        midge.load(str(pointer))
    with pytest.raises(MidgeError, match="points to a model in a board's flash; give the model's own file"):
        model_file.read(pointer)
