"""Models in the flash between MicroPython and its file system, on an emulated Raspberry Pi Pico."""

from __future__ import annotations

import json
from ast import literal_eval
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner
from littlefs import LittleFS

import models
from midge_host import deploy
from midge_host.boards import cache, pico
from midge_host.commands import load
from midge_host.conversion import convert
from midge_host.deploy.flash import Gap, deploy_to_flash
from midge_host.deploy.library import library_files, native_files
from midge_host.deploy.links import open_mpremote
from midge_host.deploy.live import board_with
from midge_host.device import spec
from midge_host.device.pointer import Pointer
from midge_host.errors import CheckFailed, MidgeError

pytestmark = pytest.mark.board("pico")

GAP_ENDS = pico.STOCK.files_offset  # in flash
SECTOR = 4096
# Of a prediction of ad01_int8, and of its heap with library and core: the weights stay where they are.
CYCLES = 3_300_000
HEAP = 22 << 10


@pytest.fixture(scope="module", autouse=True)
def here() -> None:
    why = pico.problem()
    if why:
        pytest.skip(why)


def in_the_gap(model: Path) -> tuple[dict[str, bytes], dict[int, bytes]]:
    """The files of a board whose model lies at the top of the gap, and what is in flash there."""
    data = model.read_bytes()
    place = (GAP_ENDS - len(data)) // SECTOR * SECTOR
    pointer = Pointer.to(data, spec.FLASH + place).pack()
    return pico.library() | {"model.midge": pointer}, {place: data}


PREDICT = """
import gc
import json
from array import array
from cycles import mark

gc.collect()
free = gc.mem_free()
import midge

model = midge.load("model.midge")
gc.collect()
heap = free - gc.mem_free()
with open("in.bin", "rb") as file:
    reading = array("b", file.read())
out = array("b", bytes(model.outputs[0].size))
model.predict_into(reading, out)
mark(0)
mark(1)
model.predict_into(reading, out)
mark(2)
print(json.dumps((model.weights_mode, model.selftest(), heap, list(out))))
"""


def test_autoencoder_from_the_gap(converted, record_property) -> None:
    """264 KB of weights, in little heap and few cycles."""
    path, data = converted("ad01_int8")
    disk, flash = in_the_gap(path)
    done = pico.run(disk | {"main.py": PREDICT.encode(), "in.bin": data["inputs"][:1].tobytes()}, flash=flash)
    mode, passed, heap, out = json.loads(done.report)
    assert (mode, passed, out) == ("map", True, data["tflm"][0].reshape(-1).tolist())
    a, b, c = (cycle for _, cycle in done.marks)
    cycles = (c - b) - (b - a)
    record_property("measured", {"model": "ad01_int8", "weights": "flash", "heap": heap, "cycles": cycles})
    assert cycles <= CYCLES and heap <= HEAP, (cycles, heap)


REFUSED = """
import midge

try:
    midge.load("model.midge")
except ValueError as error:
    print(error)
"""


def test_firmware_that_has_grown_over_the_model(make_model) -> None:
    """It begins at the lower end, and so takes the first part of the model first."""
    disk, flash = in_the_gap(make_model(models.dense(layers=3, width=100)))
    grown = {place: bytes(256) for place in flash}
    done = pico.run(disk | {"main.py": REFUSED.encode()}, flash=flash | grown)
    assert done.report.startswith("model.midge: its model is not in flash any more, where a new firmware may lie now")


@pytest.fixture
def model(tmp_path: Path):
    """model(width) -> m.midge of three sectors."""

    def make(width: int = 56) -> Path:
        (tmp_path / "m.tflite").write_bytes(models.dense(width=width))
        convert(tmp_path / "m.tflite", tmp_path / "m.midge")
        return tmp_path / "m.midge"

    return make


@pytest.fixture
def board(tmp_path: Path):
    """board(files, ...) -> a running Pico whose flash is the file tmp_path / "flash"; the same flash again without
    files."""
    running: list[pico.Pico] = []

    def start(files: dict[str, bytes] | None = None, power: int | None = None, image: bytes | None = None) -> pico.Pico:
        for former in running:
            former.close()
        if files is not None:
            image = pico.flash_image(files)
        if image:
            (tmp_path / "flash").write_bytes(image)
        running[:] = [pico.Pico(flash=tmp_path / "flash", power=power)]
        return running[0]

    yield start
    for former in running:
        former.close()


def lies(tmp_path: Path) -> bytes:
    return (tmp_path / "flash").read_bytes()


FILES = {"main.py": b"print('here')", "data/log.csv": b"1" * 9000}
KNOWN = {"lib/midge/__init__.py": b"", "lib/midge/_flash.py": b""}  # a board whose library would know pointers


def library() -> dict[str, bytes]:
    """The files of a board with midge."""
    found = library_files("micropython") | (native_files(pico.ARCHITECTURE, ["midge_core"]) or {})
    return FILES | {f"lib/{name}": data for name, data in found.items()}


def files_in(image: bytes) -> dict[str, bytes]:
    """All files of a flash."""
    disk = LittleFS(block_size=SECTOR, block_count=pico.STOCK.files_bytes // SECTOR, mount=False)
    disk.context.buffer = bytearray(image[GAP_ENDS:])
    disk.mount()
    found = {}
    for folder, _, names in disk.walk("/"):
        for name in names:
            with disk.open(f"{folder}/{name}", "rb") as file:
                found[f"{folder}/{name}".lstrip("/")] = file.read()
    return found


def test_deploy(board, model, tmp_path: Path) -> None:
    """The model comes into the gap, a pointer into the file system; nothing else changes anywhere."""
    there = library()
    running, path = board(there), model()
    before = lies(tmp_path)
    report = deploy_to_flash(path, running.port, library=False)
    assert report.copied == ["m.midge"] and report.selftest and report.selftest.weights_mode == "map"
    firmware_bytes = (cache() / "pico" / pico.STOCK.name).stat().st_size
    assert report.gap == Gap(spec.FLASH + firmware_bytes, spec.FLASH + GAP_ENDS, {})
    place, size = report.pointer.address - spec.FLASH, report.pointer.size
    assert report.sectors > 1 and place + report.sectors * SECTOR == GAP_ENDS
    after = lies(tmp_path)
    assert after[:place] == before[:place] and after[place : place + size] == path.read_bytes()
    assert set(after[place + size : GAP_ENDS]) <= {0xFF}
    assert files_in(after) == there | {"m.midge": report.pointer.pack()}

    with board_with(path, running.port):  # for midge profile and compare it is the same model
        pass
    with pytest.raises(MidgeError, match="is not on the board as it is here"), board_with(model(55), running.port):
        pass

    # The same again changes nothing; another one comes beside it, as the former file has to work meanwhile.
    again = deploy_to_flash(model(), running.port, library=False)
    assert not again.sectors and not again.copied and lies(tmp_path) == after
    other = deploy_to_flash(model(55), running.port, library=False)
    assert other.pointer.address == report.pointer.address - report.sectors * SECTOR
    assert lies(tmp_path)[place : place + size] == after[place : place + size]


# Changes of the flash: two for each of the model's three sectors, then those of the file system.
@pytest.mark.parametrize("power", [6, 9])
def test_the_power_fails_on_the_way(board, model, tmp_path: Path, power: int) -> None:
    """The files are as before, or as they should be."""
    former = model(width=55).read_bytes()
    there = FILES | KNOWN | {"m.midge": former}
    path = model()
    cut = board(there, power=power)
    before = lies(tmp_path)
    with pytest.raises(MidgeError, match=r"connection lost .* the board keeps its former files; run it again"):
        deploy_to_flash(path, cut.port, library=False)
    cut.close()
    after = lies(tmp_path)
    place = GAP_ENDS - spec.align(path.stat().st_size, SECTOR)
    assert after[:place] == before[:place]
    assert after[GAP_ENDS:] == before[GAP_ENDS:] or power > 6
    found = files_in(after)
    found.pop("m.midge.new", None)
    if power == 9 and found != there:  # the new name has come in already
        new = Pointer.unpack(found["m.midge"])
        assert new and new.address == spec.FLASH + place
        assert after[place:].startswith(path.read_bytes())
        found["m.midge"] = former
    assert found == there


def test_a_power_cut_is_made_good(board, model, tmp_path: Path) -> None:
    path = model()
    with pytest.raises(MidgeError):
        deploy_to_flash(path, board(library(), power=4).port, library=False)
    assert files_in(lies(tmp_path)) == library()
    report = deploy_to_flash(path, board().port, library=False)
    assert report.sectors == 2 and report.selftest and report.selftest.weights_mode == "map"


def test_by_uf2(board, model, tmp_path: Path) -> None:
    """What the boot drive does with the file is done here: it erases a sector before the first page that goes there."""
    path, output = model(), tmp_path / "m.uf2"
    before = pico.flash_image(library())
    command = [str(path), "--flash", "--uf2", str(output), "--no-library", "--port"]
    first = CliRunner().invoke(load("deploy"), [*command, board(image=before).port])
    assert first.exit_code == 0 and "hold BOOTSEL" in first.output, first.output
    assert lies(tmp_path) == before
    image = bytearray(before)
    for at in range(0, len(output.read_bytes()), 512):
        block = output.read_bytes()[at : at + 512]
        place = int.from_bytes(block[12:16], "little") - spec.FLASH
        if place % SECTOR == 0:
            image[place : place + SECTOR] = b"\xff" * SECTOR
        image[place : place + 256] = block[32:288]
    second = CliRunner().invoke(load("deploy"), [*command, board(image=bytes(image)).port])
    assert second.exit_code == 0 and "written   nothing: the model is there" in second.output, second.output
    assert "copied    m.midge;" in second.output and "weights: map" in second.output
    assert lies(tmp_path)[:GAP_ENDS] == image[:GAP_ENDS]


def test_no_room(board, tmp_path: Path, make_model) -> None:
    path = make_model(models.dense(layers=3, width=345))
    running = board(FILES | KNOWN)
    before = lies(tmp_path)
    with pytest.raises(CheckFailed, match=r"leaves 339,968 bytes of flash .* takes \d{3},\d{3}; deploy it without"):
        deploy_to_flash(path, running.port, library=False)
    assert lies(tmp_path) == before


def test_a_romfs_is_left_alone() -> None:
    """It lies where the gap would end. A board with one has its models there."""
    with pico.Pico(firmware=pico.WITH_ROMFS) as running:
        link = open_mpremote(running.port)
        link.run((files(deploy) / "board_flash.py").read_text(encoding="utf-8"))
        assert literal_eval(link.run("print(gap())"))[1] == spec.FLASH + pico.WITH_ROMFS.romfs_offset
        link.close()


# A driver that is not the firmware's own, as another layout of its objects would be.
OTHER_DRIVER = b"""
import rp2
real = rp2.Flash
rp2.Flash = lambda **places: real(**places)
"""


def test_what_is_not_known_is_refused(board, model, tmp_path: Path) -> None:
    path = model()
    running = board(FILES | {"m.midge": b"1"})
    before = lies(tmp_path)
    with pytest.raises(MidgeError, match="missing, or older than pointers; deploy without --no-library"):
        deploy_to_flash(path, running.port, library=False)
    assert lies(tmp_path) == before
    running = board(FILES | KNOWN | {"m.midge": b"1", "boot.py": OTHER_DRIVER})
    before = lies(tmp_path)
    with pytest.raises(
        MidgeError, match="its driver of the flash is another one; this firmware is not known well enough"
    ):
        deploy_to_flash(path, running.port, library=False)
    assert lies(tmp_path) == before
