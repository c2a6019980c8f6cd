"""First layers in strips of rows: no byte changes, whatever the cut and however rows come in; what cannot be is
refused."""

from __future__ import annotations

import json
import struct
import subprocess
from array import array
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.random import Generator

import midge
from midge_host import backends
from midge_host.backends import micropython
from midge_host.commands.main import app
from midge_host.conversion import compiled as conversion
from midge_host.conversion import convert
from midge_host.device import model_file, picture, reference, spec
from midge_host.device.model_file import ModelFile
from midge_host.device.region import Region
from midge_host.errors import MidgeError
from midge_host.frontends.tflite import load_tflite
from midge_host.plan.regions import PIXELS, cut
from midge_host.targets import EVERY_BOARD
from random_layers import generators
from tflite_models import ModelBuilder

NETS = 12
CUTS = 3  # of a network
ENDS = [("cpython", "ram"), ("cpython", "stream"), ("cpython", "map"), ("portable", "stream")]


def network(rng: Generator) -> bytes:
    """Convolutions, pools and residual branches on an image, and a class at the end."""
    m = ModelBuilder()
    size = int(rng.integers(9, 20)), int(rng.integers(1, 9)), int(rng.integers(1, 4))
    x = y = m.tensor((1, *size), quant=(0.02, int(rng.integers(-128, 128))))

    def quant() -> tuple[float, int]:
        return float(rng.uniform(0.03, 0.08)), int(rng.integers(-128, 128))

    def convolution(y: int, kind: str, same: bool) -> int:
        _, height, width, channels = m.tensors[y].shape
        kernel = min(height, int(rng.integers(1, 5))), min(width, int(rng.integers(1, 4)))
        strides = (1, 1) if same else tuple(int(n) for n in rng.integers(1, 3, 2))
        padding = "SAME" if same or rng.integers(2) else "VALID"
        out = channels if same or kind == "depthwise_conv_2d" else int(rng.integers(1, 9))
        shape = (1, *kernel, out) if kind == "depthwise_conv_2d" else (out, *kernel, channels)
        weights, bias = rng.integers(-127, 128, shape).astype(np.int8), rng.integers(-900, 900, out).astype(np.int32)
        scales = list(rng.uniform(0.001, 0.01, out))
        window = {"strides": strides, "padding": padding}
        return getattr(m, kind)(y, weights, bias, weight_scales=scales, quant=quant(), **window)

    for _ in range(int(rng.integers(2, 5))):
        _, height, width, _ = m.tensors[y].shape
        match int(rng.integers(5)):
            case 0 if height > 2 and width > 2:
                pool = (m.max_pool_2d, m.average_pool_2d)[rng.integers(2)]
                y = pool(y, (2, 2), strides=(int(rng.integers(1, 3)),) * 2, padding=("SAME", "VALID")[rng.integers(2)])
            case 1:
                branch = convolution(convolution(y, "conv_2d", True), "depthwise_conv_2d", True)
                y = m.add(y, branch, quant=quant())
            case 2:
                y = convolution(y, "depthwise_conv_2d", False)
            case _:
                y = convolution(y, "conv_2d", False)
    y = m.mean(convolution(y, "conv_2d", True), [1, 2], quant=quant())
    return m.build([x], [m.softmax(y)])


def ways(data: bytes, rng: Generator) -> Iterator[ModelFile]:
    """A model as it is, then cut in some of the ways that there are."""
    compiled = conversion.compile_graph(load_tflite(data, "network.tflite"))
    yield compiled.model()
    compiled.target = compiled.target._replace(ram=1)
    program = compiled.program
    choices = product(range(2, len(program.steps)), (False, True), PIXELS[:5])
    cuts = [made for choice in choices if (made := cut(program, program.outputs, *choice))]
    for number in rng.permutation(len(cuts))[:CUTS]:
        with patch.object(
            conversion, "choose", lambda n, p, o, target, arena, c=cuts[number]: (c.plan(o, EVERY_BOARD), c)
        ):
            yield compiled.model()


def test_random_networks(tmp_path: Path) -> None:
    """Every cut gives the bytes of whole tensors, and the reader's model is the writer's."""
    path = tmp_path / "m.midge"
    cuts = smaller = 0
    for i, rng in generators(NETS, 20):
        whole, *cut_ones = ways(network(rng), rng)
        x = rng.integers(-128, 128, (2, *whole.inputs[0].shape)).astype(np.int8)
        path.write_bytes(whole.to_bytes())
        (expected,) = backends.run("numpy", path, [x]).outputs
        for number, model in enumerate(cut_ones):
            model.golden_seed = 7
            model.golden = reference.golden_values(model)
            path.write_bytes(model.to_bytes())
            assert model_file.read(path).region == model.region
            assert [r["output_bytes"] for r in model.whole.records] == [r["output_bytes"] for r in whole.records]
            for name, weights in ENDS[:-1] if number else ENDS:
                (found,) = backends.run(name, path, [x], weights).outputs
                np.testing.assert_array_equal(found, expected, err_msg=f"{i} {number} {name} {weights}")
            assert midge.load(str(path), "ram").selftest()
            cuts += 1
            smaller += model.arena_bytes < whole.arena_bytes
    assert cuts > 2 * NETS and smaller > NETS // 2


MODELS = {"vww_96_int8": 26_000, "person_detect": 26_000, "pretrainedResnet_quant": 31_000}


@pytest.mark.parametrize(("name", "ram"), MODELS.items())
def test_reference_models(shared_data: Path, tmp_path: Path, name: str, ram: int) -> None:
    """TFLM's bytes in about half the memory."""
    path = tmp_path / "m.midge"
    model = convert(shared_data / "models" / f"{name}.tflite", path, ram=ram)
    assert model.arena_bytes <= ram and model.region
    data = np.load(shared_data / "models" / f"{name}.npz")
    for end, weights in [("numpy", "auto"), ("cpython", "ram"), ("cpython", "stream"), ("micropython", "stream")]:
        (found,) = backends.run(end, path, [data["inputs"]], weights).outputs
        np.testing.assert_array_equal(found, data["tflm"].reshape(found.shape))


@pytest.fixture(scope="module")
def fed() -> ModelFile:
    """A model whose input comes in by rows."""
    rng = np.random.default_rng(4)
    made = [m for _ in range(3) for m in ways(network(rng), rng) if m.region and m.region.is_fed]
    made = [m for m in made if m.inputs[0].shape[-1] != 2]  # pictures have 1 or 3 channels
    model = max(made, key=lambda m: (m.region.count, len(m.region.turns)))
    model.golden_seed = 1
    model.golden = reference.golden_values(model)
    return model


@pytest.fixture
def loaded(fed: ModelFile, tmp_path: Path) -> midge.Model:
    (tmp_path / "m.midge").write_bytes(fed.to_bytes())
    return midge.load(str(tmp_path / "m.midge"))


def test_readings(fed: ModelFile, loaded: midge.Model) -> None:
    """Whatever others take, and rows one after the other."""
    rng = np.random.default_rng(2)
    (tensor,) = fed.inputs
    q = rng.integers(-128, 128, tensor.shape).astype(np.int8)
    real = ((q.astype(np.float64) - tensor.zero_point) * tensor.scale).astype(np.float32)
    pixels = rng.integers(0, 256, tensor.shape).astype(np.uint8)

    def outputs(reading: object) -> list[float]:
        return loaded.predict(reading)

    expected = outputs(q.reshape(-1).data)
    flat = real.reshape(-1).tolist()
    rows = [row.reshape(-1) for row in real[0]]
    for reading in (q, q.data, array("b", q.tobytes()), real, flat, tuple(flat), array("f", flat), real.tolist()):
        assert outputs(reading) == expected
    for reading in (real[0].tolist(), iter(rows), (list(row) for row in rows)):
        assert outputs(reading) == expected
    assert outputs(row.reshape(-1).data for row in pixels[0]) == outputs(pixels.tobytes())
    assert len(loaded.profile(q.reshape(-1).data)) == len(fed.records)
    assert loaded.selftest() and outputs(flat) == expected
    assert loaded.classify(flat)[1] == max(expected)


FRAMES = [
    {"format": "rgb565", "crop": "fit"},
    {"format": "rgb565be", "rotate": 90},
    {"format": "yuv422", "crop": (3, 2, 13, 11), "rotate": 180, "flip": True},
    {"format": "grey", "crop": (5, 0, 3, 14), "rotate": 270},
    {"format": "rgb888", "flip": True},
]

SCRIPT = """
import sys

import midge
from frames import FRAMES

model = midge.load("../m.midge", "auto", sys.argv[1])
with open("../frame", "rb") as file:
    frame = file.read()
for options in FRAMES:
    print(model.predict(midge.Image(frame, 24, 16, **options)))
"""


def test_frames(fed: ModelFile, loaded: midge.Model, tmp_path: Path) -> None:
    """A frame of a camera, of which rows are taken when they are due."""
    frame = np.random.default_rng(3).bytes(24 * 16 * 3)
    expected = []
    for options in FRAMES:
        shape = fed.inputs[0].shape
        image = midge.Image(frame, 24, 16, **options)
        view = dict(zip([field.name for field in spec.VIEW.fields], image.view(shape), strict=True))
        made = picture.pixels(view, np.frombuffer(frame, np.uint8), shape[1:])
        expected.append(loaded.predict(made.tobytes()))
        assert [loaded.predict(image) for _ in range(2)] == [expected[-1]] * 2
    (tmp_path / "frame").write_bytes(frame)
    for backend in ("native", "portable"):
        folder = tmp_path / backend
        folder.mkdir()
        micropython.lay_out(folder, native=backend == "native")
        (folder / "frames.py").write_text(f"FRAMES = {FRAMES}")
        (folder / "script.py").write_text(SCRIPT)
        command = [micropython.executable(), "script.py", backend]
        env = {"MICROPYPATH": str(folder)}
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        assert [json.loads(line) for line in done.stdout.splitlines()] == [pytest.approx(e) for e in expected]


@pytest.mark.parametrize(
    ("reading", "error", "words"),
    [
        ([0.0], ValueError, "values"),
        ("text", TypeError, "not str"),
        (7, TypeError, "not int"),
        (b"", ValueError, "got 0"),
        ([], ValueError, "got 0"),
        (iter([]), ValueError, "rows, got 0"),
    ],
)
def test_readings_that_are_none(loaded: midge.Model, reading: object, error: type[Exception], words: str) -> None:
    for _ in range(2):
        with pytest.raises(error, match=words):
            loaded.predict(reading)
    size = loaded.inputs[0].size
    with pytest.raises(ValueError, match="NaN"):
        loaded.predict([float("nan")] * size)
    with pytest.raises(TypeError, match="not a number"):
        loaded.predict(["text"] * size)
    loaded.predict(bytes(size))


def test_a_row_of_another_length(fed: ModelFile, loaded: midge.Model) -> None:
    row = fed.inputs[0].size // fed.inputs[0].shape[1]
    with pytest.raises(ValueError, match=f"takes {row} values"):
        loaded.predict(bytes(row + 1) for _ in range(100))


def _changed(region: Region, ring: int, **changes: int) -> Region:
    rings = list(region.rings)
    rings[ring] = replace(rings[ring], **changes)
    return replace(region, rings=tuple(rings))


def test_regions_that_cannot_be(fed: ModelFile, tmp_path: Path) -> None:
    """Each number of the section at its limits: both readers refuse it or none, and what is taken runs to its end."""
    path = tmp_path / "m.midge"
    header, sections = model_file.unpack(fed.to_bytes())
    edge = {name: header[name] for name in ("arena_bytes", "window_bytes", "input_count", "output_count")}
    flags = {tag: flag for tag, _, flag, _ in spec.SECTIONS}
    assert flags["ROWS"] == spec.REQUIRED
    region = fed.region
    assert region
    bad = [b"\0", region.to_bytes()[:-1], region.to_bytes() + b"\1", struct.pack("<HH", 0, 0), region.to_bytes()[:4]]
    for number, ring in enumerate(region.rings):
        for name, value in vars(ring).items():
            size = spec.RING.fields[list(spec.RING.offsets).index(name)].size
            for other in {0, 1, value + 1, value - 1, value + 4, 255, 65_535, 1 << 31} - {value}:
                if 0 <= other < 1 << 8 * size:
                    bad.append(_changed(region, number, **{name: other}).to_bytes())
    turns = bytearray(region.turns)
    for at in range(0, len(turns), 5):
        for other in {0, 1, region.count, 255} - {turns[at]}:
            bad.append(replace(region, turns=bytes(turns[:at] + bytes([other]) + turns[at + 1 :])).to_bytes())
    refused = 0
    for content in bad:
        changed = [(t, flags[t], content if t == "ROWS" else data) for t, data in sections.items() if t != "GOLD"]
        path.write_bytes(model_file.pack(edge, changed))
        try:
            model_file.read(path)
        except MidgeError:
            refused += 1
            with pytest.raises(ValueError, match="convert the model again"):
                midge.load(str(path))
        else:
            midge.load(str(path)).predict(bytes(fed.inputs[0].size))
    assert refused > 0.8 * len(bad)


def test_the_command(shared_data: Path, tmp_path: Path) -> None:
    source, path = str(shared_data / "models" / "mnist_cnn_int8.tflite"), str(tmp_path / "m.midge")
    with pytest.raises(MidgeError, match="bytes of working memory"):
        convert(Path(source), Path(path), ram=300)
    assert not Path(path).exists()
    found = CliRunner().invoke(app, ["convert", source, "-o", path, "--ram", "1700"])
    assert found.exit_code == 0 and "in strips of rows" in found.output
    assert json.loads(CliRunner().invoke(app, ["info", path, "--json"]).output)["rows"]["layers"] > 1
    assert CliRunner().invoke(app, ["report", path, "-o", str(tmp_path / "r.html")]).exit_code == 0
