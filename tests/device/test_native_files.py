"""Which file the library takes for native code: by runtime and processor, and no other is opened."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

import midge
import models
from midge import _native
from midge_host.backends import micropython
from midge_host.deploy.library import both_runtimes, in_library, library_files, native_files
from midge_host.device.architectures import ARCHITECTURES, BUILT, runs
from midge_host.device.banks import MODULES

NUMBERS = {name: number for number, name in ARCHITECTURES.items()}
LOADS = """
import sys
import midge
model = midge.load("m.midge")
print(model.backend, model.selftest(), [name for name in sys.modules if "core" in name])
shape = model.inputs[0].shape
model.predict(midge.Image(bytes(3 * shape[1] * shape[2]), shape[2], shape[1], "rgb888"))
print("midge_image" in sys.modules, "midge._portable_image" in sys.modules)
"""


class Without:
    """Finds no native module."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if "core" in name:
            raise ImportError(name)


@pytest.fixture
def firmware(monkeypatch: pytest.MonkeyPatch):
    """firmware(implementation, architecture, *modules): this Python takes itself for that firmware, with those."""

    def pretend(implementation: str, architecture: str | None, *modules: str) -> None:
        number = NUMBERS[architecture] if architecture else 0
        known = vars(sys.implementation)
        monkeypatch.setattr(
            sys, "implementation", SimpleNamespace(**known | {"name": implementation, "_mpy": number << 10 | 0x306})
        )
        monkeypatch.setattr(sys, "meta_path", [Without(), *sys.meta_path])
        for name in [name for name in sys.modules if "midge" in name and "core" in name]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "midge_core", None)  # so that it goes away afterwards
        del sys.modules["midge_core"]
        for name in modules:
            monkeypatch.setitem(sys.modules, name, ModuleType(name))

    return pretend


@pytest.mark.parametrize(
    ("architecture", "there", "taken"),
    [
        ("armv6m", ("armv6m", "armv7emsp"), "armv6m"),
        ("armv7emsp", ("armv6m", "armv7emsp"), "armv7emsp"),
        ("armv7emdp", ("armv6m",), "armv6m"),
        ("armv7m", ("armv6m", "armv7emsp"), "armv6m"),
        ("rv32imc", BUILT, "rv32imc"),
        ("xtensawin", BUILT, "xtensawin"),
    ],
)
def test_by_processor(firmware, architecture: str, there: tuple[str, ...], taken: str) -> None:
    for implementation in ("circuitpython", "micropython"):
        names = [in_library("midge_core", name, implementation).replace("/", ".") for name in there]
        firmware(implementation, architecture, *names)
        found = _native.load("midge_core")
        assert found.__name__ == in_library("midge_core", taken, implementation).replace("/", ".")
        assert sys.modules["midge_core"] is found is _native.load("midge_core")
    assert taken == next(name for name in runs(architecture) if name in there)


@pytest.mark.parametrize("architecture", [None, "xtensa", "x86", "armv6m"])
def test_none_fits(firmware, architecture: str | None) -> None:
    """On MicroPython nobody expects any; on CircuitPython the folder has them."""
    firmware("micropython", architecture, "midge._c_armv6m_core", "midge._m_x64_core")
    with pytest.raises(ImportError):
        _native.load("midge_core")
    firmware("circuitpython", architecture, "midge._m_armv6m_core", "midge._c_x64_core")
    words = "no file for this processor" if architecture else "this firmware loads no native code"
    with pytest.raises(ValueError, match=words):
        _native.load("midge_core")


def test_what_it_says(firmware, make_model, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(make_model(models.residual()))
    firmware("circuitpython", None)
    model = midge.load(path)
    assert model.backend == "portable"
    words = "midge_core does not fit this board (this firmware loads no native code)"
    assert capsys.readouterr().out == f"midge: {words}; using the slow portable kernels\n"


def test_one_folder_for_both_runtimes(make_model, tmp_path: Path) -> None:
    """MicroPython takes its own files out of it; what is for others may be broken, which would hang an import."""
    if why := micropython.problem("micropython"):
        pytest.skip(why)
    folder = both_runtimes()
    assert set(library_files("")) <= set(folder)
    for architecture in BUILT:
        for implementation in ("micropython", "circuitpython"):
            names = [f"{in_library(name, architecture, implementation)}.mpy" for name in MODULES]
            data = (native_files(architecture, MODULES, implementation) or {}).values()
            assert [folder[name] for name in names] == list(data)[: len(MODULES)]
    (tmp_path / "midge").mkdir()
    for name, content in folder.items():
        cut = name.endswith(".mpy") and "_m_x64_" not in name
        (tmp_path / name).write_bytes(content[: len(content) // 2] if cut else content)
    (tmp_path / "m.midge").write_bytes(make_model(models.residual()).read_bytes())
    (tmp_path / "main.py").write_text(LOADS)
    command = [micropython.executable(), "main.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout == "native True ['midge_core']\nTrue False\n", done.stderr
