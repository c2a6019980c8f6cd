"""DATA of the command line: what is read, and what is refused with words that say what is needed."""

from __future__ import annotations

import contextlib
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from midge_host.errors import MidgeError
from midge_host.files.readings import Readings, read_readings

ROWS = np.arange(12, dtype=np.float32).reshape(2, 6) / 4


def write_wav(path: Path, samples: np.ndarray, rate: int = 16000, channels: int = 1) -> None:
    path.parent.mkdir(exist_ok=True)
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(samples.astype("<i2").tobytes())


def write_picture(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels.astype(np.uint8)).save(path)


# Tables


@pytest.mark.parametrize(
    ("arrays", "labels", "classes"),
    [
        ({"inputs": ROWS}, None, []),
        ({"inputs": ROWS.astype(np.float64), "labels": [1, 0]}, [1, 0], []),
        ({"x": ROWS, "y": [1.0, 0.0]}, [1, 0], []),
        ({"X_test": ROWS, "y_test": ["yes", "no"]}, [1, 0], ["no", "yes"]),
        ({"inputs": ROWS, "labels": [[0, 0, 1], [1, 0, 0]]}, [2, 0], []),
        ({"inputs": ROWS, "labels": [["10"], ["9"]]}, [1, 0], ["9", "10"]),
        ({"inputs": ROWS, "labels": [0.25, 1.5]}, [0.25, 1.5], []),
    ],
)
def test_npz(tmp_path: Path, arrays: dict, labels: list | None, classes: list[str]) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    readings = read_readings(tmp_path / "a.npz", [(1, 6)])
    np.testing.assert_array_equal(readings.inputs[0], ROWS.reshape(2, 1, 6))
    assert readings.classes == classes and readings.inputs[0].dtype == np.float32
    assert readings.labels is None if labels is None else readings.labels.tolist() == labels


@pytest.mark.parametrize("given_shape", [(5, 4, 3, 2), (5, 1, 4, 3, 2), (5, 24), (5, 4, 3, 2, 1)])
def test_shapes_that_hold_the_same(tmp_path: Path, given_shape: tuple[int, ...]) -> None:
    values = np.arange(120, dtype=np.uint8)
    np.save(tmp_path / "a.npy", values.reshape(given_shape))
    readings = read_readings(tmp_path / "a.npy", [(1, 4, 3, 2)])
    np.testing.assert_array_equal(readings.inputs[0], values.reshape(5, 1, 4, 3, 2))
    assert readings.inputs[0].dtype == np.uint8


def test_a_single_reading(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((4, 3, 2)))
    assert read_readings(tmp_path / "a.npy", [(4, 3, 2)]).inputs[0].shape == (1, 4, 3, 2)


def test_channels_first(tmp_path: Path) -> None:
    """As PyTorch and ONNX have them: turned around, and said."""
    values = np.random.default_rng(0).random((5, 3, 4, 6)).astype(np.float32)
    np.save(tmp_path / "a.npy", values)
    readings = read_readings(tmp_path / "a.npy", [(1, 4, 6, 3)])
    np.testing.assert_array_equal(readings.inputs[0][:, 0], values.transpose(0, 2, 3, 1))
    assert "channels first" in readings.notes[0]


def test_several_inputs(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", inputs=ROWS, inputs_1=ROWS[:, :2])
    assert [x.shape for x in read_readings(tmp_path / "a.npz", [(6,), (2,)]).inputs] == [(2, 6), (2, 2)]


@pytest.mark.parametrize(
    ("text", "labels", "classes"),
    [
        ("0,0.25,0.5,0.75,1,1.25\n1.5,1.75,2,2.25,2.5,2.75\n", None, []),
        ("a,b,c,d,e,f\n0,0.25,0.5,0.75,1,1.25\n1.5,1.75,2,2.25,2.5,2.75\n", None, []),
        ("\ufeffa;b;label;c;d;e;f\r\n0;0.25;1;0.5;0.75;1;1.25\r\n1.5;1.75;0;2;2.25;2.5;2.75\r\n", [1, 0], []),
        ("0,0.25,0.5,0.75,1,1.25,7\n\n1.5,1.75,2,2.25,2.5,2.75,3\n", [7, 3], []),
        ("wave,0,0.25,0.5,0.75,1,1.25\nshake it,1.5,1.75,2,2.25,2.5,2.75\n", [1, 0], ["shake it", "wave"]),
        ("0\t0.25\t0.5\t0.75\t1\t1.25\t0.5\n1.5\t1.75\t2\t2.25\t2.5\t2.75\t1\n", [0.5, 1.0], []),
    ],
)
def test_csv(tmp_path: Path, text: str, labels: list | None, classes: list[str]) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8", newline="")
    readings = read_readings(tmp_path / "a.csv", [(1, 3, 2)])
    np.testing.assert_array_equal(readings.inputs[0].reshape(2, 6), ROWS)
    assert readings.classes == classes
    assert readings.labels is None if labels is None else readings.labels.tolist() == labels


# Folders


def test_pictures(tmp_path: Path) -> None:
    """Sorted by class and name; cut around the middle to the model's proportions; grey or RGB as it takes them."""
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = (255, 0, 0)
    write_picture(tmp_path / "red" / "b.png", wide)
    write_picture(tmp_path / "red" / "a.png", np.full((10, 10, 3), (255, 0, 0), np.uint8))
    write_picture(tmp_path / "grey" / "c.bmp", np.full((5, 5), 100, np.uint8))
    colour = read_readings(tmp_path, [(1, 10, 10, 3)])
    assert colour.classes == ["grey", "red"] and colour.labels.tolist() == [0, 1, 1]
    assert colour.inputs[0].dtype == np.uint8 and (colour.inputs[0][0] == 100).all()
    assert (colour.inputs[0][1:] == (255, 0, 0)).all()
    assert "3 pictures of 10x10 pixels, RGB, 2 of them cut" in colour.notes[0]
    grey = read_readings(tmp_path, [(1, 10, 10, 1)]).inputs[0]
    assert grey.shape == (3, 1, 10, 10, 1) and (grey[0] == 100).all() and (grey[1] == 76).all()  # ITU-R 601: 0.299 R
    real = colour.as_real((-1, 1))
    assert real.inputs[0].max() == 1 and real.inputs[0].min() == -1 and "taken as -1..1" in real.notes[-1]


def test_sounds(tmp_path: Path) -> None:
    samples = np.arange(-50, 50) * 300
    write_wav(tmp_path / "yes" / "a.wav", samples)
    write_wav(tmp_path / "no" / "b.wav", np.concatenate([[9] * 10, samples, [9] * 10]))
    readings = read_readings(tmp_path, [(1, 100, 1)])
    assert readings.classes == ["no", "yes"] and readings.labels.tolist() == [0, 1]
    np.testing.assert_array_equal(readings.inputs[0].reshape(2, 100) * 32768, [samples, samples])
    assert "16000 Hz" in readings.notes[0]


def test_a_folder_without_classes(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", np.zeros((4, 4)))
    (tmp_path / ".hidden.png").write_bytes(b"")
    (tmp_path / "notes.md").write_text("none")
    readings = read_readings(tmp_path, [(4, 4)])
    assert len(readings) == 1 and readings.labels is None and readings.classes == []


# Classes of the data, and of the model


@pytest.mark.parametrize(
    ("classes", "names", "count", "expected"),
    [
        ([], [], 3, [0, 1]),
        (["no", "yes"], ["yes", "maybe", "no"], 3, [2, 0]),
        (["no", "yes"], [], 2, [0, 1]),
        (["2", "7"], [], 10, [2, 7]),
    ],
)
def test_numbers_of_classes(classes: list[str], names: list[str], count: int, expected: list[int]) -> None:
    readings = Readings([ROWS], np.array([0, 1]), classes)
    assert readings.numbered(names, count).tolist() == expected


@pytest.mark.parametrize(
    ("labels", "classes", "names", "words"),
    [
        ([0, 1], ["on", "off"], ["yes", "no"], "classes on, off, but the model has yes, no; name them alike"),
        ([0, 1], ["on", "off"], [], "classes on, off, but the model has 3 without names"),
        ([0, 3], [], [], "label 3, but the model's classes are 0 to 2"),
        ([-1, 1], [], [], "label -1, but"),
    ],
)
def test_classes_that_do_not_fit(labels: list[int], classes: list[str], names: list[str], words: str) -> None:
    with pytest.raises(MidgeError, match=words):
        Readings([ROWS], np.array(labels), classes).numbered(names, 3)


# What is refused

Make = Callable[[Path], None]


def saved(**arrays: object) -> Make:
    return lambda path: np.savez(path, **{k: np.asarray(v) for k, v in arrays.items()})


def written(data: str | bytes) -> Make:
    return lambda path: path.write_bytes(data.encode() if isinstance(data, str) else data) and None


def two_rates(path: Path) -> None:
    write_wav(path / "a.wav", np.zeros(6))
    write_wav(path / "b.wav", np.zeros(6), rate=8000)


def both_kinds(path: Path) -> None:
    write_wav(path / "a.wav", np.zeros(6))
    write_picture(path / "b.png", np.zeros((2, 3)))


def empty_class(path: Path) -> None:
    write_wav(path / "a.wav", np.zeros(6))
    (path / "a.wav").unlink()
    write_wav(path / "yes" / "a.wav", np.zeros(6))
    (path / "no").mkdir()


def broken_picture(path: Path) -> None:
    write_picture(path / "a.png", np.zeros((3, 2)))
    (path / "a.png").write_bytes((path / "a.png").read_bytes()[:40])


@pytest.mark.parametrize(
    ("name", "make", "shape", "words"),
    [
        ("a.npz", saved(), (6,), "no array `inputs`, it holds nothing"),
        ("a.npz", saved(pictures=ROWS), (6,), "no array `inputs`, it holds `pictures`; save it with"),
        ("a.npz", saved(inputs=ROWS[:0]), (6,), "holds no readings"),
        ("a.npz", saved(inputs=ROWS, labels=[1]), (6,), "2 readings, but 1 labels"),
        ("a.npz", saved(inputs=ROWS, inputs_1=ROWS), (6,), "2 inputs, the model has 1"),
        ("a.npz", saved(inputs=ROWS), (1, 7), r"shape \(2, 6\), but the model takes \(N, 7\)"),
        ("a.npz", saved(inputs=ROWS + np.inf), (6,), "NaN"),
        ("a.npz", saved(inputs=ROWS.astype(complex)), (6,), "values of type complex128"),
        ("a.npz", saved(inputs=np.zeros((2, 3, 9, 8))), (8, 9, 3), r"shape \(2, 3, 9, 8\), but the model takes"),
        ("a.npz", written(b"PK"), (6,), "cannot be read as .npz"),
        ("a.npy", written(b""), (6,), "cannot be read as .npy|No data"),
        ("a.csv", written(""), (6,), "holds no readings"),
        ("a.csv", written("1,2,3\n4,5,6\n"), (6,), r"3 columns; the model takes 6 values \(6\)"),
        ("a.csv", written("1,2,3\n4,5\n"), (3,), "line 2: 2 columns, the lines before have 3"),
        ("a.csv", written("1,2,3\n4,x,6\n"), (3,), "line 2: column 2 'x' is no number"),
        ("a.csv", written("1,2,3\n4,,6\n"), (3,), "line 2: column 2 is empty"),
        ("a.csv", written("1,2,nan\n"), (3,), "NaN"),
        ("a.csv", written("é,1\n".encode("latin-1")), (1,), "save the table as .csv"),
        ("a.docx", written("x"), (6,), "cannot tell what these readings are; give an .npz"),
        ("d", two_rates, (6,), "b.wav: another sample rate"),
        ("d", both_kinds, (6,), "both pictures and WAVs"),
        ("d", empty_class, (6,), "no: holds no WAVs, but is a class"),
        (
            "d",
            lambda p: write_wav(p / "a.wav", np.zeros(5)),
            (6,),
            r"5 samples \(16000 a second\), but the model takes 6",
        ),
        (
            "d",
            lambda p: write_wav(p / "a.wav", np.zeros(12), channels=2),
            (6,),
            "2 channels of 16 bits; save it as mono",
        ),
        (
            "d",
            lambda p: write_wav(p / "a.wav", np.zeros(6)),
            (2, 3),
            "takes 2x3 values, no samples: compute its features",
        ),
        ("d", broken_picture, (3, 2), "a.png: cannot be read as a picture"),
        ("d", lambda p: write_picture(p / "a.png", np.zeros((3, 2))), (3, 2, 5), "pictures, but the model takes 3x2x5"),
        ("d", lambda p: p.mkdir(), (6,), "holds no pictures, WAVs or recordings; give"),
    ],
)
def test_refused(tmp_path: Path, name: str, make: Make, shape: tuple[int, ...], words: str) -> None:
    make(tmp_path / name)
    with pytest.raises(MidgeError, match=words) as refusal:
        read_readings(tmp_path / name, [shape])
    assert str(tmp_path) in str(refusal.value) and "\n" not in str(refusal.value)


@given(st.binary(max_size=300), st.sampled_from([".npz", ".npy", ".csv"]))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes, suffix: str) -> None:
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    path.write_bytes(data)
    with contextlib.suppress(MidgeError):
        assert len(read_readings(path, [(2,)])) > 0


@given(st.lists(st.tuples(*[st.floats(-1e6, 1e6, width=32)] * 3), min_size=1, max_size=5), st.sampled_from(",;\t"))
def test_any_table(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, ...]], mark: str) -> None:
    path = tmp_path_factory.getbasetemp() / "table.csv"
    path.write_text("\n".join(mark.join(map(repr, row)) for row in rows))
    np.testing.assert_array_equal(read_readings(path, [(3,)]).inputs[0], np.array(rows, np.float32))
