"""Bad usage and bad input on the command line: exit code 2, one line that names what is wrong and what to do, and
nothing written: no output, no temporary file, and a former output as it was."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import interrupts
import numpy as np
import pytest

import hostile
from midge_host.commands import main as cli
from midge_host.conversion import build, compiled, convert
from midge_host.device import reference
from midge_host.device.model_file import read
from midge_host.device.ops import LOWERINGS
from midge_host.errors import MidgeError
from midge_host.frontends import tflite
from midge_host.ir import operators
from tflite_models import ModelBuilder, one_operator

MIDGE = Path(sys.executable).parent / "midge"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0\0\0\1\0\x08\2\0\0\0" + bytes(range(200))
QUANT = (0.05, -3)


def weights(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).integers(-127, 128, shape).astype(np.int8)


def unsupported_operator() -> bytes:
    m = ModelBuilder()
    x = m.tensor((1, 8), quant=QUANT, name="x")
    y, z = m.tensor((1, 8), quant=QUANT, name="model/squash/Sign"), m.tensor((1, 8), quant=QUANT)
    m.op("SIGN", [x], [y])
    m.op("RELU", [y], [z], version=2)
    return m.build([x], [z])


def custom_operator() -> bytes:
    m = ModelBuilder()
    x, y = m.tensor((1, 8), quant=QUANT), m.tensor((1, 8), quant=QUANT, name="odd")
    m.op("CUSTOM", [x], [y])
    return m.build([x], [y])


def float_model() -> bytes:
    m = ModelBuilder()
    x, y = m.tensor((1, 8), "float32"), m.tensor((1, 4), "float32", name="dense")
    w = m.constant(np.ones((4, 8), np.float32))
    m.op("FULLY_CONNECTED", [x, w, -1], [y], options_table="FullyConnectedOptions")
    return m.build([x], [y])


def int16_model() -> bytes:
    m = ModelBuilder()
    x, y = m.tensor((1, 8), "int16", QUANT), m.tensor((1, 8), "int16", QUANT)
    m.op("ELU", [x], [y])
    return m.build([x], [y])


def batches() -> bytes:
    return one_operator("conv_2d", (2, 4, 4, 1), QUANT, weights=weights(2, 3, 3, 1), weight_scales=0.1, quant=QUANT)


def padded() -> bytes:
    m = ModelBuilder()
    x = m.tensor((1, 4, 4, 2), quant=QUANT)
    y = m.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
    bias = np.zeros(3, np.int32)
    return m.build([x], [m.conv_2d(y, weights(3, 3, 3, 2), bias, weight_scales=0.1, quant=QUANT, padding="VALID")])


def without_layers() -> bytes:
    return ModelBuilder().build([], [])


def zipped(path: Path, damage: Callable[[bytes], bytes], **arrays: np.ndarray) -> None:
    np.savez_compressed(path, **arrays)
    path.write_bytes(damage(path.read_bytes()))


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every file that the cases name; they change nothing in it."""
    at = tmp_path_factory.mktemp("shelf")
    (at / "good.tflite").write_bytes(hostile.network())
    convert(at / "good.tflite", at / "good.midge")
    (at / "add.tflite").write_bytes(one_operator("add", (1, 4), QUANT, second_quant=QUANT))
    convert(at / "add.tflite", at / "add.midge")
    good = (at / "good.tflite").read_bytes()
    rng = np.random.default_rng(4)
    for name, data in {
        "png": PNG,
        "empty": b"",
        "text": "Привет\n".encode() * 20,
        "half": good[: len(good) // 2],
        "start": good[:100],
        "noise": b"\x1c\0\0\0TFL3" + rng.integers(0, 256, 4000, dtype=np.uint8).tobytes(),
        "zeros": b"\0\0\0\0TFL3" + bytes(1000),
        "sign": unsupported_operator(),
        "custom": custom_operator(),
        "float": float_model(),
        "int16": int16_model(),
        "batch": batches(),
        "nothing": without_layers(),
    }.items():
        (at / f"{name}.tflite").write_bytes(data)
    midge_file = (at / "good.midge").read_bytes()
    (at / "png.midge").write_bytes(PNG)
    (at / "empty.midge").write_bytes(b"")
    (at / "half.midge").write_bytes(midge_file[:700])
    (at / "flipped.midge").write_bytes(midge_file[:-3] + b"\xff" + midge_file[-2:])
    (at / "version.midge").write_bytes(midge_file[:4] + b"\x09" + midge_file[5:])
    (at / "folder").mkdir()
    (at / "folder.tflite").mkdir()
    (at / "notes.docx").write_bytes(b"PK")
    (at / "two.txt").write_text("a\nb\n")
    (at / "none.txt").write_text("\n\n")
    (at / "latin.txt").write_bytes("zéro\nun\ndeux\n".encode("latin-1"))
    inputs = np.zeros((3, 1, 4, 5, 2), np.int8)
    np.savez(at / "good.npz", inputs=inputs)
    for name, array in {
        "shape": np.zeros((3, 1, 4, 5, 3), np.int8),
        "flat": np.zeros(40, np.int8),
        "scalar": np.int8(3),
        "hollow": np.zeros((3, 0), np.int8),
        "int32": inputs.astype(np.int32),
        "complex": inputs.astype(np.complex64),
        "text": np.full((3, 40), "a"),
        "nan": np.full((3, 40), np.nan, np.float32),
        "nan64": np.full((3, 40), np.nan),
    }.items():
        np.savez(at / f"{name}.npz", inputs=array)
    np.savez(at / "eight.npz", inputs=np.eye(8, dtype=np.float32))
    np.savez(at / "nan8.npz", inputs=np.full((3, 8), np.nan))
    np.savez(at / "label9.npz", inputs=inputs, labels=np.array([0, 9, 1]))
    np.savez(at / "objects.npz", inputs=np.array([None, {}], object))
    np.savez(at / "key.npz", images=inputs)
    np.savez(at / "two.npz", inputs=inputs, inputs_1=inputs)
    np.savez(at / "counts.npz", inputs=np.zeros((3, 4), np.int8), inputs_1=np.zeros((2, 4), np.int8))
    np.save(at / "array.npy", inputs)
    (at / "array.npy").rename(at / "array.npz")
    (at / "png.npz").write_bytes(PNG)
    (at / "empty.npz").write_bytes(b"")
    noise = rng.integers(-9, 9, (3, 1, 4, 5, 2)).astype(np.int8)
    zipped(at / "half.npz", lambda data: data[: len(data) // 2], inputs=noise)
    zipped(at / "damaged.npz", lambda data: data[:70] + b"\xff" * 30 + data[100:], inputs=noise)
    with zipfile.ZipFile(at / "header.npz", "w") as file:
        file.writestr(
            "inputs.npy", b"\x93NUMPY\1\0v\0{'descr': 'f8', 'fortran_order': False, 'shape': (9**12,), }" + b" " * 60
        )
    with zipfile.ZipFile(at / "member.npz", "w") as file:
        file.writestr("inputs.npy", b"no array")
    return at


CONVERT = "convert {} -o out.midge"
CALIBRATE = "convert float.tflite -o out.midge --calibration {}"
RUN = "run good.midge --inputs {} --outputs out.npz"
CASES = [
    # Models.
    (CONVERT.format("missing.tflite"), "missing.tflite: no such file"),
    (CONVERT.format("missing.keras"), "missing.keras: no such file"),
    (CONVERT.format("folder"), "folder: .*SavedModel.*give"),
    (CONVERT.format("folder.tflite"), "folder.tflite: .*SavedModel.*give"),
    (CONVERT.format("notes.docx"), "notes.docx: cannot tell what this is; midge reads .tflite"),
    (CONVERT.format("good.midge"), "good.midge: converted already: `midge info`"),
    (CONVERT.format("png.tflite"), "png.tflite: not a TensorFlow Lite model.*export"),
    (CONVERT.format("empty.tflite"), "empty.tflite: not a TensorFlow Lite model.*export"),
    (CONVERT.format("text.tflite"), "text.tflite: not a TensorFlow Lite model.*export"),
    (CONVERT.format("half.tflite"), "half.tflite: .*export"),
    (CONVERT.format("start.tflite"), "start.tflite: damaged .*export"),
    (CONVERT.format("noise.tflite"), "noise.tflite: damaged .*export"),
    (CONVERT.format("zeros.tflite"), "zeros.tflite: .*export"),
    (CONVERT.format("nothing.tflite"), "nothing: .*no input.*export"),
    (CONVERT.format("sign.tflite"), r"layer 'squash' \(SIGN\): midge has no such operator; .*replace the layer"),
    (CONVERT.format("custom.tflite"), r"layer 'odd' \(CUSTOM:.*\): only the runtime that it was made for"),
    (CONVERT.format("float.tflite"), "float.tflite: a model of floats.*give --calibration DATA"),
    (CONVERT.format("int16.tflite"), r"\(ELU\): .*int16.*quantise the whole model to int8"),
    (CONVERT.format("batch.tflite"), r"\(CONV_2D\): .*\(2, 4, 4, \d\).*batch size 1"),
    # Files beside the model.
    ("convert good.tflite -o out.midge --labels missing.txt", "missing.txt: cannot read labels .*No such file"),
    ("convert good.tflite -o out.midge --labels folder", "folder: cannot read labels .*directory"),
    ("convert good.tflite -o out.midge --labels two.txt", "two.txt: 2 labels for a model with 3 outputs; write one"),
    ("convert good.tflite -o out.midge --labels none.txt", "none.txt: 0 labels for a model with 3 outputs; write one"),
    ("convert good.tflite -o out.midge --labels latin.txt", "latin.txt: cannot read labels; save the text as UTF-8"),
    ("convert good.tflite -o out.midge --ram 10", "10 bytes of working memory are too few, it takes .* at least"),
    ("convert good.tflite -o out.midge --ram 10 --slowdown 3", "--ram .*--slowdown .*give one of them"),
    ("convert good.tflite -o out.midge --calibration good.npz", "good.tflite: .*quantised already"),
    (CALIBRATE.format("good.npz"), r"good.npz: shape \(3, 1, 4, 5, 2\), but the model takes \(N, 8\)"),
    (CALIBRATE.format("missing.npz"), "missing.npz: no such file or folder; give an .npz, .npy or .csv"),
    (CALIBRATE.format("notes.docx"), "notes.docx: cannot tell what these readings are; give an .npz, .npy or .csv"),
    (CALIBRATE.format("folder"), "folder: holds no pictures, WAVs or recordings; give"),
    (CALIBRATE.format("nan8.npz"), "nan8.npz: holds NaN or values beyond float32; check the data"),
    (CALIBRATE.format("eight.npz --pixels 0-1"), "--pixels 0-1: give what pixels 0 and 255 were in training, such as"),
    (CALIBRATE.format("eight.npz --precision int4"), "'int4' is not one of 'int8', 'int16', 'auto'"),
    (CALIBRATE.format("eight.npz --macs 0.01"), "0.01 is not in the range"),
    ("convert good.tflite -o out.midge --macs 0.5", "good.tflite: --macs leaves channels of models of floats out"),
    # Tests.
    ("test good.midge missing.npz", "missing.npz: no such file or folder; give"),
    ("test good.midge good.npz", "good.npz: holds no labels to test with; add `labels`"),
    ("test good.midge label9.npz", "label9.npz: label 9, but the model's classes are 0 to 2"),
    ("test good.midge two.npz", "two.npz: 2 inputs, the model has 1"),
    (
        "compare good.tflite good.midge --test good.npz",
        "good.tflite: is quantised itself; compare with the model of fl",
    ),
    ("compare float.tflite good.midge --test good.npz", "good.midge: takes 1x4x5x2, float.tflite 1x8: not two forms"),
    # Outputs.
    ("convert good.tflite -o nowhere/out.midge", "nowhere/out.midge: cannot write here .*No such file.*choose"),
    ("convert good.tflite -o good.midge/out.midge", "good.midge/out.midge: cannot write here .*choose"),
    ("convert good.tflite -o folder", "folder: is there and is no file; choose another name"),
    ("convert good.tflite -o .", ".: is there and is no file; choose another name"),
    ("convert good.tflite -o good.tflite", "good.tflite: the output would overwrite the input"),
    ("convert good.tflite -o two.txt --labels two.txt", "two.txt: the output would overwrite the input"),
    ("run good.midge --inputs good.npz --outputs nowhere/out.npz", "nowhere/out.npz: cannot write here .*choose"),
    ("run good.midge --inputs good.npz --outputs folder", "folder: is there and is no file; choose another name"),
    ("run good.midge --inputs good.npz --outputs good.npz", "good.npz: the output would overwrite the input"),
    ("run good.midge --inputs good.npz --outputs good.midge", "good.midge: the output would overwrite the input"),
    # .midge files.
    ("info missing.midge", "missing.midge: No such file"),
    ("info folder", "folder: Is a directory"),
    ("info png.midge", "png.midge: not a .midge file; make one with `midge convert`"),
    ("info good.tflite", "good.tflite: not a .midge file; make one with `midge convert`"),
    ("info empty.midge --json", "empty.midge: not a .midge file"),
    ("info half.midge", "half.midge: 700 bytes long, 1608 expected; copy it again"),
    ("info flipped.midge", "flipped.midge: damaged .*copy or convert it again"),
    ("info version.midge", "version.midge: format 9, this midge reads 4; install the midge that made it"),
    ("run missing.midge --inputs good.npz --outputs out.npz", "missing.midge: No such file"),
    ("run folder --inputs good.npz --outputs out.npz", "folder: Is a directory"),
    ("run half.midge --inputs good.npz --outputs out.npz", "half.midge: .*copy it again"),
    # Inputs.
    (RUN.format("missing.npz"), "missing.npz: No such file"),
    (RUN.format("folder"), "folder: Is a directory"),
    (RUN.format("png.npz"), r"png.npz: not an .npz file; save the arrays with numpy.savez\('png.npz', inputs=...\)"),
    (RUN.format("empty.npz"), "empty.npz: not an .npz file; save the arrays"),
    (RUN.format("good.midge"), "good.midge: not an .npz file; save the arrays"),
    (RUN.format("array.npz"), "array.npz: not an .npz file; save the arrays"),
    (RUN.format("half.npz"), "half.npz: .*save the arrays"),
    (RUN.format("damaged.npz"), "damaged.npz: cannot be read as .npz .*save the arrays"),
    (RUN.format("header.npz"), "header.npz: cannot be read as .npz .*save the arrays"),
    (RUN.format("member.npz"), "member.npz: .*save the arrays"),
    (RUN.format("objects.npz"), "objects.npz: cannot be read as .npz .*save the arrays"),
    (RUN.format("key.npz"), "key.npz: no array `inputs`; save the arrays"),
    (RUN.format("shape.npz"), r"input 'image': shape \(3, 1, 4, 5, 3\), \(N, 1, 4, 5, 2\) needed"),
    (RUN.format("flat.npz"), r"input 'image': shape \(40,\), \(N, 1, 4, 5, 2\) needed"),
    (RUN.format("scalar.npz"), r"input 'image': shape \(\), \(N, 1, 4, 5, 2\) needed"),
    (RUN.format("hollow.npz"), r"input 'image': shape \(3, 0\), \(N, 1, 4, 5, 2\) needed"),
    (RUN.format("int32.npz"), "input 'image': dtype int32; give int8, uint8 or float32"),
    (RUN.format("complex.npz"), "input 'image': dtype complex64; give int8, uint8 or float32"),
    (RUN.format("text.npz"), "input 'image': dtype <U1; give int8, uint8 or float32"),
    (RUN.format("nan.npz"), "input 'image': holds NaN; check the data"),
    (RUN.format("nan64.npz"), "input 'image': holds NaN; check the data"),
    (RUN.format("two.npz"), "the model has 1 inputs, the file 2"),
    ("run add.midge --inputs counts.npz --outputs out.npz", "input 't1': 2 readings, but 3 for the first input"),
    ("run add.midge --inputs good.npz --outputs out.npz", "the model has 2 inputs, the file 1"),
    # Options.
    (RUN.format("good.npz") + " --backend gpu", "no backend 'gpu'; there are cpython, portable, numpy"),
    (RUN.format("good.npz") + " --weights fast", "--weights fast: choose one of auto, ram, map, stream"),
    (RUN.format("good.npz") + " --backend micropython --weights map", "not in mapped memory.*use another"),
    ("run good.midge --inputs good.npz", "--outputs.*see `midge run --help`"),
    ("run --inputs good.npz --outputs out.npz", "MODEL.*see `midge run --help`"),
    ("convert empty.tflite", "empty.midge: is there, and midge did not make it; say with -o where"),
    ("convert good.tflite --to tflite", "good.tflite: is there, and midge did not make it; say with -o where"),
    ("convert -o out.midge", "SRC.*see `midge convert --help`"),
    ("convert good.tflite good.tflite -o out.midge", "see `midge convert --help`"),
    ("convert good.tflite -o out.midge --quantize", "--quantize.*see `midge convert --help`"),
    ("report half.midge -o page.html", "half.midge: .*copy it again"),
    ("report good.midge -o good.midge", "the output would overwrite the input good.midge"),
    ("report good.midge -o folder", "folder: is there and is no file; choose another name"),
    ("report good.midge -o missing/page.html", "missing/page.html: cannot write here"),
    ("train good.tflite", "train.*see `midge --help`"),
    ("--verbose", "--verbose.*see `midge --help`"),
]


def contents(folder: Path) -> dict[str, bytes | None]:
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in folder.rglob("*")}


@pytest.fixture
def bench(shelf: Path, tmp_path: Path) -> Path:
    """A folder of one's own with the shelf's files, and files that stand where the outputs go."""
    for path in shelf.iterdir():
        if path.is_dir():
            (tmp_path / path.name).mkdir()
        else:
            (tmp_path / path.name).hardlink_to(path)
    return tmp_path


def check(code: int, out: str, err: str, words: str) -> None:
    assert code == 2 and out == "", f"{code}: {out}{err}"
    assert err.startswith("midge: ") and err.endswith("\n") and err.count("\n") == 1, err
    assert re.search(words, err), err
    assert "Traceback" not in err


@pytest.fixture
def refused(bench: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    """refused(command, words): checks it in this process, which saves a second."""

    def run(command: str, words: str) -> None:
        before = contents(bench)
        monkeypatch.chdir(bench)
        monkeypatch.setattr(sys, "argv", ["midge", *command.split()])
        with pytest.raises(SystemExit) as exit_code:
            cli.main()
        captured = capsys.readouterr()
        check(exit_code.value.code, captured.out, captured.err, words)
        assert contents(bench) == before

    return run


@pytest.mark.parametrize(("command", "words"), CASES, ids=lambda value: value[:60])
def test_refusals(refused, command: str, words: str) -> None:
    refused(command, words)


@pytest.mark.parametrize(("command", "words"), CASES[::10], ids=lambda value: value[:60])
def test_refusals_of_a_process(bench: Path, command: str, words: str) -> None:
    before = contents(bench)
    done = subprocess.run([MIDGE, *command.split()], cwd=bench, capture_output=True, text=True)
    check(done.returncode, done.stdout, done.stderr, words)
    assert contents(bench) == before


@pytest.mark.parametrize(("command", "words"), [c for c in CASES if " out." in c[0] and "folder" not in c[0]])
def test_a_former_output_stays(bench: Path, refused, command: str, words: str) -> None:
    for name in ("out.midge", "out.npz"):
        (bench / name).write_bytes(b"former")
    refused(command, words)


def test_names_are_not_markup(bench: Path) -> None:
    """Square brackets in a name are shown, not interpreted."""
    name = "[/bold] [red]x"
    for command in (["convert", "good.tflite", "-o", "[b].midge", "--name", name], ["info", "[b].midge"]):
        done = subprocess.run([MIDGE, *command], cwd=bench, capture_output=True, text=True)
        assert done.returncode == 0 and done.stderr == "", done.stderr
    assert name in done.stdout


def test_names_do_not_steer_a_terminal(bench: Path) -> None:
    for command in (["convert", "good.tflite", "-o", "x.midge", "--name", "red \x1b[31m"], ["info", "x.midge"]):
        done = subprocess.run([MIDGE, *command], cwd=bench, capture_output=True, text=True)
        assert done.returncode == 0 and "\x1b" not in done.stdout, done.stdout
    assert "red" in done.stdout


def test_names_of_several_lines(bench: Path) -> None:
    """The file has a name a line, so a tensor's name must not bring lines of its own."""
    m = ModelBuilder()
    x = m.tensor((1, 4), quant=QUANT, name="one\ntwo\r\n")
    (bench / "lines.tflite").write_bytes(m.build([x], [m.relu(x)]))
    model = convert(bench / "lines.tflite", bench / "lines.midge")
    assert read(bench / "lines.midge").inputs[0].name == model.inputs[0].name == "one_two__"


def test_output_through_a_link(bench: Path) -> None:
    """The file behind a link is written; the link stays."""
    (bench / "folder" / "real.midge").write_bytes(b"former")
    (bench / "link.midge").symlink_to("folder/real.midge")
    convert(bench / "good.tflite", bench / "link.midge")
    assert (bench / "link.midge").is_symlink()
    assert (bench / "folder" / "real.midge").read_bytes() == (bench / "good.midge").read_bytes()


def test_full_disk(bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error or Ctrl-C while the file is written leaves the former file and nothing else."""
    before = contents(bench)
    for error, expected in (
        (OSError(28, "No space left on device"), MidgeError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ):

        def fail(*_: object, error: BaseException = error) -> None:
            raise error

        monkeypatch.setattr("midge_host.files.os.replace", fail)
        with pytest.raises(expected):
            convert(bench / "good.tflite", bench / "out.midge")
        with pytest.raises(expected):
            convert(bench / "good.tflite", bench / "good.midge")
        assert contents(bench) == before


# Commands that work.

BACKENDS = ["cpython", "portable", "numpy", "micropython", "micropython-portable", "wasm"]


def run_midge(folder: Path, *command: str) -> subprocess.CompletedProcess:
    done = subprocess.run([MIDGE, *command], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return done


@pytest.mark.parametrize("backend", BACKENDS)
def test_no_inputs_give_no_outputs(bench: Path, backend: str) -> None:
    np.savez(bench / "in.npz", inputs=np.zeros((0, 1, 4, 5, 2), np.int8))
    run_midge(bench, "run", "good.midge", "--inputs", "in.npz", "--outputs", "out.npz", "--backend", backend)
    with np.load(bench / "out.npz") as file:
        assert file["outputs"].shape == (0, 1, 3) and file["outputs"].dtype == np.int8


def test_thousands_of_inputs(bench: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(bench / "in.npz", inputs=rng.integers(-128, 128, (2000, 1, 4, 5, 2)).astype(np.int8))
    outputs = []
    for backend in BACKENDS[:1] + BACKENDS[2:4]:
        run_midge(bench, "run", "good.midge", "--inputs", "in.npz", "--outputs", "out.npz", "--backend", backend)
        with np.load(bench / "out.npz") as file:
            outputs.append(file["outputs"])
    assert outputs[0].shape == (2000, 1, 3) and len(np.unique(outputs[0])) > 20
    assert all(np.array_equal(outputs[0], other) for other in outputs[1:])


@pytest.mark.parametrize("backend", ["portable", "micropython-portable"])
def test_interrupted(bench: Path, backend: str) -> None:
    """Ctrl-C, which reaches the child process as well: one line, exit code 130, nothing written."""
    np.savez(bench / "in.npz", inputs=np.zeros((30_000, 1, 4, 5, 2), np.int8))
    before, temporary = contents(bench), bench / "tmp"
    temporary.mkdir()
    started = bench / "started"
    hook = f"{interrupts.HOOK}import midge_host.commands.main as c; open({str(started)!r}, 'w').close(); c.main()"
    command = [sys.executable, "-c", hook, "run", "good.midge", "--inputs", "in.npz", "--outputs", "out.npz"]
    child = subprocess.Popen(
        [*command, "--backend", backend],
        cwd=bench,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not started.exists():
        time.sleep(0.02)
    time.sleep(2)  # for what it imports on the way
    os.killpg(child.pid, signal.SIGINT)
    out, err = child.communicate(timeout=20)
    assert (child.returncode, out, err.lstrip("\n")) == (130, "", "midge: interrupted\n")
    started.unlink()
    assert list(temporary.iterdir()) == []
    temporary.rmdir()
    assert contents(bench) == before


# A fault of midge's own.


def _key_error(*_: object) -> None:
    raise KeyError("planted")


@pytest.mark.parametrize("where", ["lowering", "pass", "reader", "writer"])
def test_a_fault_of_midges_own(
    bench: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    """Exit code 3, and a file with the traceback; nothing that blames the model."""
    if where == "lowering":
        entry = LOWERINGS[operators.Add]
        monkeypatch.setitem(LOWERINGS, operators.Add, entry._replace(lower=_key_error))
    elif where == "pass":
        monkeypatch.setattr(compiled, "PASSES", [_key_error])
    elif where == "reader":
        monkeypatch.setitem(tflite.OPERATORS, "ADD", tflite.OPERATORS["ADD"]._replace(make=_key_error))
    else:
        monkeypatch.setattr(compiled, "lay_out", _key_error)
    monkeypatch.setattr("tempfile.tempdir", str(bench))
    before = contents(bench)
    monkeypatch.chdir(bench)
    monkeypatch.setattr("sys.argv", ["midge", "convert", "add.tflite", "-o", "out.midge"])
    with pytest.raises(SystemExit) as exit_code:
        cli.main()
    captured = capsys.readouterr()
    assert exit_code.value.code == 3 and captured.out == "" and captured.err.count("\n") == 1
    assert "midge's own" in captured.err and "export" not in captured.err and "again" not in captured.err
    (traceback,) = bench.glob("midge-fault-*.txt")
    assert str(traceback) in captured.err
    assert "KeyError: 'planted'" in traceback.read_text(encoding="utf-8")
    traceback.unlink()
    assert contents(bench) == before


def test_verbose_says_what_passes_did(bench: Path) -> None:
    (bench / "padded.tflite").write_bytes(padded())
    quiet = run_midge(bench, "convert", "padded.tflite", "-o", "padded.midge").stdout
    said = run_midge(bench, "convert", "padded.tflite", "-o", "padded.midge", "-v").stdout
    assert said == "fuse padding: 1 padding of a convolution\n" + quiet


# Damaged .tflite files, in this process.


def sizes(code: str, before: tuple[int, ...], after: tuple[int, ...], **options: object) -> bytes:
    """An operator whose output has a shape that it cannot give."""
    m = ModelBuilder()
    x = m.tensor(before, quant=QUANT)
    y = m.tensor(after, quant=(1 / 256, -128) if code in ("SOFTMAX", "LOGISTIC") else QUANT, name="odd")
    constants = {
        "CONV_2D": [m.constant(weights(2, 3, 3, 1), scales=[0.1]), -1],
        "DEPTHWISE_CONV_2D": [m.constant(weights(1, 3, 3, 1), scales=[0.1]), -1],
        "FULLY_CONNECTED": [m.constant(weights(2, 8), scales=[0.1]), -1],
        "MEAN": [m.constant(np.array([1], np.int32))],
        "PAD": [m.constant(np.array([(0, 0), (1, 2)], np.int32))],
        "ADD": [x],
        "RESHAPE": [m.constant(np.array([1, 9], np.int32))],
    }
    m.op(code, [x, *constants.get(code, [])], [y], **options)
    return m.build([x], [y])


WINDOW = {"StrideH": 1, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1}
POOL = {"options_table": "Pool2DOptions", "StrideH": 2, "StrideW": 2, "FilterHeight": 2, "FilterWidth": 2}
MISFITS = [
    sizes("RELU", (1, 8), (1, 9)),
    sizes("LOGISTIC", (1, 8), (1, 7)),
    sizes("SOFTMAX", (1, 8), (1, 4), options_table="SoftmaxOptions", Beta=1.0),
    sizes("MEAN", (1, 8, 3), (1, 4), options_table="ReducerOptions"),
    sizes("PAD", (1, 8), (1, 10)),
    sizes("PAD", (1, 8), (1, 1, 11)),
    sizes("ADD", (1, 8), (1, 9), options_table="AddOptions"),
    sizes("RESHAPE", (1, 8), (1, 9)),
    sizes("FULLY_CONNECTED", (1, 8), (1, 3), options_table="FullyConnectedOptions"),
    sizes("CONV_2D", (1, 4, 4, 1), (1, 4, 5, 2), options_table="Conv2DOptions", **WINDOW),
    sizes("CONV_2D", (1, 4, 4, 1), (1, 4, 4, 3), options_table="Conv2DOptions", **WINDOW),
    sizes("CONV_2D", (1, 4, 4, 1), (1, 4, 4, 2), options_table="Conv2DOptions", **{**WINDOW, "StrideW": 0}),
    sizes("CONV_2D", (1, 4, 4, 1), (1, 4, 4, 2), options_table="Conv2DOptions", **{**WINDOW, "DilationHFactor": 0}),
    sizes("CONV_2D", (1, 4, 4, 1), (1, 1, 1, 2), options_table="Conv2DOptions", **{**WINDOW, "StrideW": -1}),
    sizes("DEPTHWISE_CONV_2D", (1, 4, 4, 1), (1, 3, 4, 1), options_table="DepthwiseConv2DOptions", **WINDOW),
    sizes("MAX_POOL_2D", (1, 4, 4, 1), (1, 2, 3, 1), **POOL),
    sizes("AVERAGE_POOL_2D", (1, 4, 4, 1), (1, 2, 2, 2), **POOL),
    sizes("AVERAGE_POOL_2D", (1, 4, 4, 1), (1, 2, 2, 1), **{**POOL, "FilterWidth": 0}),
]


@pytest.mark.parametrize("data", MISFITS, ids=range(len(MISFITS)))
def test_shapes_that_do_not_fit(data: bytes) -> None:
    with pytest.raises(MidgeError, match=r"layer 'odd' |operator 0 \(odd\)"):
        build(tflite.load_tflite(data, "m.tflite"))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [0.0, -0.1, float("inf"), float("nan"), 1e-39, 1e-35, 1e35])
def test_scales_that_cannot_be(scale: float) -> None:
    for data in (
        one_operator("relu", (1, 4), (scale, 0)),
        one_operator("relu6", (1, 4), (scale, 0)),
        one_operator("max_pool_2d", (1, 4, 4, 1), (scale, 0), window=(2, 2)),
    ):
        with pytest.raises(MidgeError, match=r"impossible|do not fit"):
            build(tflite.load_tflite(data, "m.tflite"))
    for wrong in {scale, -0.1} - {0.0, 1e-39, 1e-35, 1e35}:
        data = one_operator("fully_connected", (1, 4), QUANT, weights=weights(2, 4), weight_scales=wrong, quant=QUANT)
        with pytest.raises(MidgeError, match="its weights have an impossible scale"):
            build(tflite.load_tflite(data, "m.tflite"))


def graph_or_refusal(data: bytes, where: str) -> bool:
    """True where `data` is read and, where it is a model, can be built; anything but MidgeError is a failure."""
    try:
        model = build(tflite.load_tflite(data, "m.tflite"))
        if hostile.work(model.records) < 1_000_000:
            reference.golden_values(model)
    except MidgeError as error:
        assert "\n" not in str(error) and len(str(error)) > 10
        return False
    except Exception as error:
        raise AssertionError(f"{where}: {error!r}") from error
    return True


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("seed", range(4))
def test_mutated_tflite(seed: int) -> None:
    """Bytes changed at random, a few at a time, and the file cut: a graph or a MidgeError."""
    rng = np.random.default_rng(seed)
    good = np.frombuffer(hostile.network(), np.uint8)
    built = 0
    for i in range(500):
        data = good.copy()
        for at in rng.integers(0, len(data), rng.integers(1, 6)):
            data[at] = rng.choice([0, 1, 4, 127, 128, 255, int(rng.integers(256)), data[at] ^ 1 << rng.integers(8)])
        size = len(data) if rng.integers(4) else int(rng.integers(8, len(data)))
        built += graph_or_refusal(data[:size].tobytes(), f"seed {seed}, {i}")
    assert 20 < built < 480


@pytest.mark.filterwarnings("error")
def test_every_word_of_a_tflite() -> None:
    """Every aligned 32-bit word of the file set to extremes: offsets, lengths, shapes, scales, options."""
    good, rng = hostile.network(), np.random.default_rng(7)
    extremes = (0, 1, 2**16, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
    for at in range(8, len(good) - 3, 4):
        for word in rng.choice(extremes, 2, replace=False).tolist():
            graph_or_refusal(good[:at] + word.to_bytes(4, "little") + good[at + 4 :], f"{word:#x} at {at}")
