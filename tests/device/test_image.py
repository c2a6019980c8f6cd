"""midge.Image: frames of cameras become a model's input, the same bytes on every backend, within 1 of OpenCV's."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import zlib
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import midge
import models
import pictures
from midge import _model, _portable, _portable_image
from midge_host.backends import micropython
from midge_host.device import spec
from pictures import Case
from tflite_models import one_operator

midge_core = pytest.importorskip("midge_core")
midge_image = pytest.importorskip("midge_image")

MODULES = {"native": midge_core, "portable": _portable}
EVERY = [*pictures.CASES, *pictures.random_cases(60)]
GUARD = 8
CODES = {name: code for code, (name, _) in enumerate(spec.REASONS, 1)}
BAD_TENSOR, BAD_PARAMETER = CODES["BAD_TENSOR"], CODES["BAD_PARAMETER"]


def taken(case: Case, module: Any, frame: Any = None, **mapping: int) -> np.ndarray:
    """The input tensor, (height, width, channels) int8, with nothing written around it."""
    frame = case.frame() if frame is None else frame
    if case.odd:
        frame = memoryview(b"0" + frame)[1:]
    size = int(np.prod(case.shape))
    tensor = _model.Tensor("image", pictures.descriptor(case.shape, GUARD, **mapping), b"", [module])
    arena = bytearray(b"\x55" * (size + 2 * GUARD))
    midge.Image(frame, **case.options())._load(tensor, arena)
    assert arena[:GUARD] == arena[-GUARD:] == b"\x55" * GUARD
    return np.frombuffer(arena, np.int8)[GUARD:-GUARD].reshape(case.shape)


@pytest.mark.parametrize("name", MODULES)
def test_equals_the_reference(name: str) -> None:
    for case in EVERY:
        if name == "portable" and case.width * case.height > 5000:
            continue
        wanted = pictures.reference(case, MODULES[name]).astype(np.int16) - 128
        np.testing.assert_array_equal(taken(case, MODULES[name]), wanted, str(case))


@pytest.mark.parametrize("name", MODULES)
def test_strips_are_the_rows_of_the_whole(name: str) -> None:
    """Strips of every number of rows, one after the other."""
    for case in EVERY:
        height, width, channels = case.shape
        if case.width * case.height + height * width > (700 if name == "portable" else 5000):
            continue
        whole, row = taken(case, MODULES[name]), width * channels
        image = midge.Image(case.frame(), **case.options())
        tensor = _model.Tensor("image", pictures.descriptor(case.shape, GUARD), b"", [MODULES[name]])
        for most in (1, 2, 3, height):
            for first in range(0, height, most):
                rows = min(most, height - first)
                struct.pack_into("<II", tensor.raw, 0, GUARD, rows * row)
                arena = bytearray(b"\x55" * (rows * row + 2 * GUARD))
                image._load(tensor, arena, first)
                assert arena[:GUARD] == arena[-GUARD:] == b"\x55" * GUARD
                assert arena[GUARD:-GUARD] == whole[first : first + rows].tobytes(), (case, first, rows)


def opencv(case: Case) -> np.ndarray:
    """(height, width, channels) float32 of 0..255: converted, cropped, turned and resized by OpenCV."""
    cv2 = pytest.importorskip("cv2")
    channels = case.shape[2]
    raw = np.frombuffer(case.frame(), np.uint8).reshape(case.height, case.width, -1)
    name = case.format
    if name == "rgb565be":
        raw, name = np.ascontiguousarray(raw[:, :, ::-1]), "rgb565"
    codes = {
        # OpenCV's BGR565 has blue in the lower bits, as rgb565 has.
        "rgb565": (cv2.COLOR_BGR5652RGB, cv2.COLOR_BGR5652GRAY),
        "bgr565": (cv2.COLOR_BGR5652BGR, None),
        "yuv422": (cv2.COLOR_YUV2RGB_YUY2, cv2.COLOR_YUV2GRAY_YUY2),
        "grey": (cv2.COLOR_GRAY2RGB, None),
        "rgb888": (None, cv2.COLOR_RGB2GRAY),
    }
    code = codes[name][channels == 1]
    if name == "bgr565" and channels == 1:
        image = cv2.cvtColor(cv2.cvtColor(raw, cv2.COLOR_BGR5652BGR), cv2.COLOR_RGB2GRAY)
    else:
        image = raw if code is None else cv2.cvtColor(raw, code)
    view = pictures.view(case, midge_core)
    corners = [(i, j) for i in (0, view["width"] - 1) for j in (0, view["height"] - 1)]
    places = [view["first"] + i * view["across"] + j * view["down"] for i, j in corners]
    rows, columns = [i // case.width for i in places], [i % case.width for i in places]
    image = image[min(rows) : max(rows) + 1, min(columns) : max(columns) + 1]
    turns = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
    if case.rotate:
        image = cv2.rotate(image, turns[case.rotate])
    if case.flip:
        image = cv2.flip(image, 1)
    size = view["columns"], view["rows"]
    is_smaller = [n >= m for n, m in zip(image.shape[1::-1], size, strict=True)]
    image = image.astype(np.float32)
    for ways, method in ((is_smaller, cv2.INTER_AREA), ([not s for s in is_smaller], cv2.INTER_LINEAR)):
        to = [m if way else n for way, n, m in zip(ways, image.shape[1::-1], size, strict=True)]
        image = cv2.resize(image, to, interpolation=method)
    made = np.zeros(case.shape, np.float32)
    top, left = view["top"], view["left"]
    made[top : top + view["rows"], left : left + view["columns"]] = image.reshape(*size[::-1], channels)
    return made


def test_within_one_of_opencv() -> None:
    for case in EVERY:
        difference = np.abs(taken(case, midge_core) + 128.0 - np.rint(opencv(case)))
        assert difference.max() <= 1, (case, difference.max())


SCRIPT = """
import json
import sys
from binascii import crc32

import midge
import midge._model

def main(backend):
    name = "midge_core" if backend == "native" else "midge._portable"
    __import__(name)
    module = sys.modules[name]
    with open(sys.argv[2]) as file:
        cases = json.load(file)
    with open(sys.argv[3], "rb") as file:
        for raw, size, frame, options in cases:
            tensor = midge._model.Tensor("image", bytes(raw), b"", [module])
            arena = bytearray(size)
            if isinstance(options["crop"], list):
                options["crop"] = tuple(options["crop"])
            midge.Image(file.read(frame), **options)._load(tensor, arena)
            print(crc32(arena))

main(sys.argv[1])
"""


@pytest.mark.parametrize("backend", MODULES)
def test_in_micropython(backend: str, tmp_path: Path) -> None:
    if why := micropython.problem("micropython"):
        pytest.skip(why)
    micropython.lay_out(tmp_path, native=backend == "native")
    cases = [case for case in EVERY if backend == "native" or case.width * case.height < 700]
    job = [(list(pictures.descriptor(c.shape)), int(np.prod(c.shape)), len(c.frame()), c.options()) for c in cases]
    (tmp_path / "cases.json").write_text(json.dumps(job))
    (tmp_path / "frames").write_bytes(b"".join(case.frame() for case in cases))
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [micropython.executable(), "script.py", backend, "cases.json", "frames"]
    env = {"MICROPYPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    expected = [zlib.crc32(taken(case, midge_core).tobytes()) for case in cases]
    assert list(map(int, done.stdout.split())) == expected


def test_scratch_memory_is_exact() -> None:
    """What is prepared for a frame is what the native function asks for."""
    for case in EVERY[::7]:
        view, size = pictures.prepared(case, midge_core)
        arena, raw = bytearray(int(np.prod(case.shape))), pictures.descriptor(case.shape)
        words = array("i", view.values())
        assert midge_image.load(words, case.frame(), raw, b"", bytearray(size), arena) == 0
        assert midge_image.load(words, case.frame(), raw, b"", bytearray(size - 1), arena) == BAD_PARAMETER


FRAME = Case("yuv422", 8, 6, (4, 4, 3), (0, 0, 8, 6))


@pytest.mark.parametrize("name", MODULES)
def test_what_leaves_the_frame_is_refused(name: str) -> None:
    """By the functions themselves, whatever a script hands to them; the input stays as it was."""
    load = midge_image.load if name == "native" else _portable_image.load
    good, scratch = pictures.prepared(FRAME, midge_core)
    views = [{**good, key: value} for key in good for value in (-(1 << 31), -100_000, -1, 100_000, (1 << 31) - 1)]
    views += [{**good, key: good[key] + 1} for key in ("first", "left", "top", "columns", "rows", "width", "height")]
    views += [{**good, key: value} for key, value in (("across", 2), ("down", 9))]
    for view in views:
        arena = bytearray(b"\x55" * 48)
        words, raw = array("i", view.values()), pictures.descriptor(FRAME.shape)
        assert load(words, FRAME.frame(), raw, b"", bytearray(scratch), arena) == BAD_PARAMETER, view
        assert arena == b"\x55" * 48
    for begin, size in ((3, 24), (0, 23), (0, 60), (0, 0)):  # strips of rows that there are not
        raw = bytearray(pictures.descriptor(FRAME.shape))
        struct.pack_into("<I", raw, 4, size)
        words = array("i", {**good, "begin": begin}.values())
        arena = bytearray(60)
        assert load(words, FRAME.frame(), raw, b"", bytearray(scratch), arena) in (BAD_TENSOR, BAD_PARAMETER)
        assert arena == bytes(60)
    words = array("i", good.values())
    for change in ({"tables": bytes(100)}, {"tables": bytes(256)}, {"frame": FRAME.frame()[:-1]}, {"frame": b""}):
        given = {"frame": FRAME.frame(), "tables": b"", **change}
        raw = pictures.descriptor(FRAME.shape)
        assert load(words, given["frame"], raw, given["tables"], bytearray(scratch), bytearray(48)) == BAD_PARAMETER
    for shape in ((4, 4, 2), (5, 4, 3)):
        raw = pictures.descriptor(shape)
        assert load(words, FRAME.frame(), raw, b"", bytearray(scratch), bytearray(48)) == BAD_TENSOR


@pytest.mark.parametrize("name", MODULES)
def test_the_inputs_own_scales(name: str) -> None:
    """Another mapping of pixels, and scales for each channel: what readings of these real values become."""
    case = Case("rgb565", 20, 16, (8, 8, 3))
    pixels = pictures.reference(case, midge_core).astype(np.int64)
    got = taken(case, MODULES[name], multiplier=40_000, addend=-(90 << 16))
    np.testing.assert_array_equal(got, np.clip((pixels * 40_000 - (90 << 16) + (1 << 15)) >> 16, -128, 127))
    for scales, unit in (((0.9, 1.1, 0.7), 1), ((0.004, 0.003, 0.006), 255)):
        zeros = (-128, -100, -140)
        channels = b"".join(struct.pack("<fi", *pair) for pair in zip(scales, zeros, strict=True))
        tensor = _model.Tensor("image", pictures.descriptor(case.shape), channels, [MODULES[name]])
        arena = bytearray(pixels.size)
        midge.Image(case.frame(), **case.options())._load(tensor, arena)
        real = np.float32(pixels / unit) / np.float32(scales)
        wanted = np.clip(np.trunc(real.astype(float) + 0.5) + zeros, -128, 127)
        np.testing.assert_array_equal(np.frombuffer(arena, np.int8).reshape(case.shape), wanted)


BAD_OPTIONS = [
    ({"format": "rgb24"}, "format is rgb565, .*, not 'rgb24'"),
    ({"width": 0}, "width and height are 1 to 16384"),
    ({"width": 7, "format": "yuv422"}, "even in yuv422"),
    ({"rotate": 45}, "rotate is 0, 90, 180 or 270, not 45"),
    ({"crop": "center"}, "crop is .* within 8 x 6 pixels, not 'center'"),
    ({"crop": (1, 1, 8, 2)}, "not .1, 1, 8, 2"),
    ({"crop": 3}, "not 3"),
    ({"height": 7}, "8 x 7 pixels in rgb565 has 112 bytes, the buffer 96"),
]


@pytest.mark.parametrize(("options", "words"), BAD_OPTIONS, ids=[str(options) for options, _ in BAD_OPTIONS])
def test_mistakes(options: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        midge.Image(bytes(96), **{"width": 8, "height": 6, "format": "rgb565", **options})


def test_mistakes_at_a_prediction(make_model) -> None:
    image = midge.Image(bytearray(96), 8, 6, "rgb565")
    no_picture = midge.load(str(make_model(models.dense())))
    with pytest.raises(TypeError, match=r"pictures need \(1, height, width, 1 or 3\) of int8"):
        no_picture.predict(image)
    model = midge.load(str(make_model(models.residual())))
    model.predict(image)
    image.buffer = bytearray(95)
    with pytest.raises(ValueError, match="has 96 bytes, the buffer 95"):
        model.predict(image)
    with pytest.raises(AttributeError):
        _ = midge.Picture


def test_numpy_and_pillow() -> None:
    """Without width, height and format, which they know; arrays need not be contiguous."""
    pil = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(2).integers(0, 256, (13, 21, 3), np.uint8)
    case = Case("rgb888", 21, 13, (8, 8, 3))
    wanted = taken(case, midge_core, frame=pixels.tobytes())
    tensor = _model.Tensor("image", pictures.descriptor(case.shape), b"", [midge_core])
    for picture in (pixels, pixels[:, ::-1][:, ::-1], pil.fromarray(pixels), pil.fromarray(pixels).convert("RGBA")):
        arena = bytearray(wanted.size)
        midge.Image(picture)._load(tensor, arena)
        assert arena == wanted.tobytes()
    for picture in (pixels[:, :, 0], pixels[:, :, :1], pil.fromarray(pixels[:, :, 0])):
        image = midge.Image(picture)
        assert (image.width, image.height, image.format) == (21, 13, "grey")
    for wrong in (pixels.astype(float), pixels[:, :, :2], bytes(10), [1, 2]):
        with pytest.raises(TypeError, match="give width, height and format"):
            midge.Image(wrong)


def halfwords(pixels: np.ndarray, kind: str = "<u2") -> bytes:
    """RGB as 5, 6 and 5 bits."""
    red, green, blue = (pixels[..., c].astype(np.uint16) for c in range(3))
    return (red >> 3 << 11 | green >> 2 << 5 | blue >> 3).astype(kind).tobytes()


def test_vww_loses_nothing(converted, shared_data: Path) -> None:
    """33 pictures with and without people, in 5, 6 and 5 bits: 31 right as the int8 model has them in 8 bits, 32 here.
    With red and blue swapped it is 22, which sanity() says of most."""
    data = np.load(shared_data / "data" / "coco_vww_train.npz")
    model = midge.load(str(converted("vww_96_int8")[0]))

    def right(name: str, frames: list[bytes]) -> int:
        answers = [model.classify(midge.Image(frame, 96, 96, name))[0] for frame in frames]
        return sum(int(answer == label) for answer, label in zip(answers, data["y"], strict=True))

    frames = [halfwords(pixels) for pixels in data["x96"]]
    swapped = [halfwords(pixels, ">u2") for pixels in data["x96"]]
    assert right("rgb565", frames) >= 31 and right("rgb565be", swapped) >= 31
    assert right("bgr565", frames) < 25

    def said(name: str, frames: list[bytes]) -> list[str]:
        return [midge.Image(frame, 96, 96, name).sanity() or "" for frame in frames]

    assert sum(map(bool, said("rgb565", frames))) <= 2
    assert all("two bytes" in words for words in said("rgb565be", frames) + said("rgb565", swapped))
    assert sum("red and blue" in words for words in said("bgr565", frames)) >= 20


def test_sanity() -> None:
    assert "black" in midge.Image(bytes(96), 8, 6, "rgb565").sanity()
    assert "no contrast" in midge.Image(b"\x90" * 48, 8, 6, "grey").sanity()
    light = np.arange(48, dtype=np.uint8) * 5
    pair = np.stack([light, np.full(48, 128, np.uint8)], 1)
    assert midge.Image(pair.tobytes(), 8, 6, "yuv422").sanity() is None
    assert "U Y V Y" in midge.Image(pair[:, ::-1].tobytes(), 8, 6, "yuv422").sanity()


def test_run_a_photo(converted, tmp_path: Path) -> None:
    """`midge run MODEL photo.png`: what a script gets for it."""
    pil = pytest.importorskip("PIL.Image")
    path = converted("vww_96_int8")[0]
    pixels = np.random.default_rng(3).integers(0, 256, (30, 50, 3), np.uint8)
    pil.fromarray(pixels).save(tmp_path / "photo.png")
    command = [Path(sys.executable).with_name("midge"), "run", path, tmp_path / "photo.png", "--crop", "fit"]
    done = subprocess.run(command, capture_output=True, text=True)
    label, score = midge.load(str(path)).classify(midge.Image(pixels, crop="fit"))
    assert done.stdout.startswith(f"{tmp_path / 'photo.png'}: {label} {score:.3g}, "), done.stdout + done.stderr


def test_without_the_native_module(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Python does the same, and says so."""
    case = Case("rgb565", 20, 16, (8, 8, 3))
    wanted = taken(case, midge_core)
    assert not capsys.readouterr().out
    monkeypatch.setitem(sys.modules, "midge_image", None)
    np.testing.assert_array_equal(taken(case, midge_core), wanted)
    assert "midge_image" in capsys.readouterr().out


def test_beside_other_inputs(make_model) -> None:
    """A model of two pictures; profile() takes them, too."""
    model = midge.load(str(make_model(one_operator("add", (1, 8, 8, 3), (0.5, 0), second_quant=(0.5, 0)))))
    cases = Case("rgb888", 30, 20, (8, 8, 3)), Case("yuv422", 20, 24, (8, 8, 3), flip=True, seed=5)
    images = [midge.Image(case.frame(), **case.options()) for case in cases]
    pixels = [pictures.reference(case, midge_core).tobytes() for case in cases]
    assert model.predict(images) == model.predict(pixels)
    assert len(model.profile(images)) == 1
