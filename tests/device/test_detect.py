"""Model.detect(): boxes are those of reference decoders, native and portable ones the same, everywhere; and what a file
may say of heads."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import detections
import midge_detect
import numpy as np
import pytest

import midge
from midge import _portable_detect
from midge_host.backends import micropython
from midge_host.conversion import compiled, convert
from midge_host.device import model_file, spec
from midge_host.device.program import Program
from midge_host.ir.graph import Tensor
from midge_host.plan.arena import Plan
from midge_host.plan.regions import Cut, cut
from midge_host.targets import EVERY_BOARD, Target
from tflite_models import ModelBuilder

CASES = detections.CASES
PICTURES = 100  # in all


@pytest.mark.parametrize("name", CASES)
def test_boxes_are_those_of_the_reference(name: str) -> None:
    """Within a pixel, of the same outputs; the portable twin gives the same bytes."""
    case = CASES[name]
    made = case.detection()
    section, total = made.to_bytes(), 0
    for seed in range(PICTURES // len(CASES)):
        arena = case.arena(seed)
        native = detections.found(midge_detect.find, section, arena, made.most, made.keypoints)
        portable = detections.found(_portable_detect.find, section, arena, made.most, made.keypoints)
        assert native == portable
        got, expected = detections.things(native), case.expected(arena)
        assert [thing[0] for thing in got] == [thing[0] for thing in expected], seed
        for one, other in zip(got, expected, strict=True):
            assert np.abs(np.array(one[1:6]) - other[1:6]).max() <= 1, (seed, one, other)
            assert one[6].size == 0 or np.abs(one[6] - other[6]).max() <= 1
        total += len(got)
    assert total > 10


def test_more_candidates_than_are_kept() -> None:
    """The best ones are."""
    case = CASES["faces"]
    made = case.detection(0.01)
    made.mode, made.overlap, made.most = "suppress", 1.0, 20
    arena = np.random.default_rng(3).integers(-128, 60, case.model().arena_bytes).astype(np.int8)
    results = [
        detections.found(core.find, made.to_bytes(), arena, 20, made.keypoints)
        for core in (midge_detect, _portable_detect)
    ]
    assert results[0] == results[1]
    scores = [thing[1] for thing in detections.things(results[0])]
    tensor = case.model().outputs[1]
    logits = (arena[tensor.offset : tensor.offset + tensor.size].astype(float) - tensor.zero_point) * tensor.scale
    assert np.allclose(scores, np.sort(detections.sigmoid(logits))[::-1][:20], atol=1e-4)


@pytest.mark.parametrize("name", ["faces in four", "v5", "two grids", "fomo"])
def test_hostile_sections(name: str) -> None:
    """Refused for the same reason by both, or taken by both with the same result."""
    case = CASES[name]
    made = case.detection()
    arena = case.arena(1)
    reasons = set()
    for section in detections.hostile_sections(made.to_bytes()):
        native, portable = (
            detections.found(core.find, section, arena, made.most, made.keypoints)
            for core in (midge_detect, _portable_detect)
        )
        assert native == portable
        reasons.add(native if isinstance(native, int) else 0)
    assert reasons == {0, 2, 4}  # taken, BAD_TENSOR, BAD_PARAMETER


CELL, SIZE = 8, 64  # of the test's network: a bright cell is a thing


@pytest.fixture
def bright(tmp_path: Path) -> Path:
    """A network that finds what is bright: the mean of each cell."""
    m = ModelBuilder()
    x = m.tensor((1, SIZE, SIZE, 1), "int8", (1 / 256, -128))
    path = tmp_path / "bright.tflite"
    path.write_bytes(m.build([x], [m.average_pool_2d(x, (CELL, CELL))]))
    (tmp_path / "labels.txt").write_text("lamp\n")
    convert(path, tmp_path / "bright.midge", labels=tmp_path / "labels.txt", detect="fomo")
    return tmp_path / "bright.midge"


VIEWS = [
    {"crop": crop, "rotate": rotate, "flip": flip}
    for crop in ("centre", "fit", (64, 16, 96, 96), (32, 0, 128, 64))
    for rotate in (0, 90, 180, 270)
    for flip in (False, True)
]


@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_places_are_those_of_the_frame(bright: Path, view: dict) -> None:
    """Whatever the Image cropped, turned and flipped."""
    frame = np.zeros((112, 160), np.uint8)
    frame[32:48, 80:112] = 255
    model = midge.load(str(bright))
    (thing,) = model.detect(midge.Image(frame, **view))
    assert thing[0] == "lamp" and thing[1] > 0.5
    x, y, width, height = thing[2:]
    # A cell is as much as 20 pixels of the frame, and half of one may be dark.
    edges = np.array([x, y, x + width, y + height])
    assert np.abs(edges - (80, 32, 112, 48)).max() <= 13


def test_readings_that_are_no_image(bright: Path) -> None:
    """Places are those of the input."""
    pixels = np.zeros((SIZE, SIZE), np.uint8)
    pixels[8:24, 40:48] = 255
    model = midge.load(str(bright))
    assert model.detect(pixels.tobytes()) == [("lamp", 255 / 256, 40, 8, 8, 16)]
    assert model.detect(bytes(SIZE * SIZE)) == []
    assert model.detect(pixels.tobytes(), keypoints=True)[0][-1] == []
    with pytest.raises(ValueError, match="takes 4096 values"):
        model.detect(bytes(9))


def test_layers_in_strips_of_rows_find_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the input comes in by rows or is there as a whole. A Window, which fills an input itself, is refused."""
    m = ModelBuilder()
    x = y = m.tensor((1, SIZE, SIZE, 1), "int8", (1 / 256, -128))
    for _ in range(3):
        y = m.average_pool_2d(y, (2, 2))
    path = tmp_path / "bright.tflite"
    path.write_bytes(m.build([x], [y]))
    (tmp_path / "labels.txt").write_text("lamp\n")
    draw = np.random.default_rng(5)
    frame = np.kron((draw.random((8, 8)) < 0.25).astype(np.uint8) * 255, np.ones((8, 8), np.uint8))
    found = []

    def chosen(name: str, program: Program, outputs: list[Tensor], target: Target, arena: Plan) -> tuple[Plan, Cut]:
        strips = cut(program, outputs, 2, is_fed, 12)
        assert strips
        return strips.plan(outputs, EVERY_BOARD), strips

    monkeypatch.setattr(compiled, "choose", chosen)
    for ram, is_fed in ((0, False), (1, False), (1, True)):
        made = convert(path, tmp_path / "bright.midge", labels=tmp_path / "labels.txt", detect="fomo", ram=ram)
        assert (made.region.is_fed if made.region else None) == (is_fed if ram else None)
        model = midge.load(str(tmp_path / "bright.midge"))
        for reading in (midge.Image(frame), frame.tobytes()):
            found.append(model.detect(reading))
        if made.region:
            with pytest.raises(ValueError, match="convert it without --ram"):
                midge.Window(model, 1)
    assert len(found[0]) > 3 and all(things == found[0] for things in found)


def test_the_same_under_micropython(bright: Path, tmp_path: Path) -> None:
    draw = np.random.default_rng(4)
    frame = np.kron((draw.random((8, 10)) < 0.25).astype(np.uint8) * 255, np.ones((8, 8), np.uint8))
    expected = [list(thing) for thing in midge.load(str(bright)).detect(midge.Image(frame))]
    assert len(expected) > 3
    (tmp_path / "frame.bin").write_bytes(frame.tobytes())
    for backend in ("native", "portable"):
        folder = tmp_path / backend
        folder.mkdir()
        micropython.lay_out(folder, native=backend == "native")
        (folder / "main.py").write_text(
            "import json, midge\n"
            f"model = midge.load('../bright.midge', backend={backend!r})\n"
            "image = midge.Image(open('../frame.bin', 'rb').read(), 80, 64, 'grey')\n"
            "print(json.dumps([model.detect(image) for _ in range(2)]))\n"
        )
        command = [micropython.executable(), "main.py"]
        done = subprocess.run(command, cwd=folder, env={"MICROPYPATH": "."}, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert json.loads(done.stdout.splitlines()[-1]) == [expected, expected]


def test_files_that_say_something_else(bright: Path, tmp_path: Path) -> None:
    model = model_file.read(bright)
    section = bytes(model.detection)
    assert "midge_detect" in model.modules
    model.detection = b""
    (tmp_path / "none.midge").write_bytes(model.to_bytes())
    with pytest.raises(ValueError, match="finds nothing in pictures"):
        midge.load(str(tmp_path / "none.midge")).detect(bytes(SIZE * SIZE))
    grid = spec.GRID.unpack(section, spec.DETECT.size)
    beyond = spec.GRID.pack(**(grid | {"scores": model.arena_bytes - 1}))
    for hostile in (section[:9], section[:-1], section[: spec.DETECT.size] + beyond + section[spec.DETECT.size + 72 :]):
        model.detection = hostile
        (tmp_path / "hostile.midge").write_bytes(model.to_bytes())
        for backend in ("native", "portable"):
            with pytest.raises(ValueError, match="section DETE says something impossible"):
                midge.load(str(tmp_path / "hostile.midge"), backend=backend).detect(bytes(SIZE * SIZE))


WRONG = [
    lambda s, a, f, o: (s[:-1], a, f, o),
    lambda s, a, f, o: (s, a[:9], f, o),
    lambda s, a, f, o: (s, a, f[:-1], o),
    lambda s, a, f, o: (s, a, f, o[:-1]),
    lambda s, a, f, o: (memoryview(bytes(1) + s)[1:], a, f, o),
    lambda s, a, f, o: (s, a, memoryview(bytearray(len(f) * 2 + 1))[1:], o),
]


@pytest.mark.parametrize("case", range(len(WRONG)))
def test_buffers_that_do_not_fit(case: int) -> None:
    kind = CASES["v8"]
    made = kind.detection()
    arena = bytearray(kind.arena(0).tobytes())
    found = memoryview(bytearray(2 * 6 * made.most)).cast("h")
    assert midge_detect.find(*WRONG[case](made.to_bytes(), arena, found, bytearray(1 + made.most)))
