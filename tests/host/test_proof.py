"""A model that lost what it knew is never written in silence: what `midge convert` finds, its words and exit codes; and
no false alarm where all is well. The models are trained here, in closed form."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from midge_host.backends.machine import Machine
from midge_host.commands import main as cli
from midge_host.commands.compare import first_wrong
from midge_host.conversion import build_with_layers, convert
from midge_host.device.model_file import read
from midge_host.errors import CheckFailed, MidgeError
from midge_host.files.readings import Readings
from midge_host.frontends.tflite import to_tflite
from midge_host.ir import operators as ir
from midge_host.ir.builder import Builder
from midge_host.ir.graph import Graph
from midge_host.quantize import is_float, quantise, scores
from midge_host.quantize.layers import mark_rescaled, remember, remembered
from midge_host.quantize.proof import LayerProof, Source, compare_layers, prove

SIZE, CLASSES = 8, 4


def pictures(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(N, 8, 8, 1) of 0..1, bars at four places, and which."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, count)
    x = rng.uniform(0, 0.35, (count, SIZE, SIZE, 1))
    for i, label in enumerate(labels):
        x[i, :, 2 * label : 2 * label + 2] += rng.uniform(0.25, 0.6)
    return (np.round(x * 255) / 255).clip(0, 1).astype(np.float32), labels


def nearest_mean(x: np.ndarray, labels: np.ndarray, sharpness: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights (classes, values) and biases of the classifier by the nearest mean of its class."""
    flat = x.reshape(len(x), -1)
    means = np.stack([flat[labels == c].mean(0) for c in range(int(labels.max()) + 1)])
    return 2 * sharpness * means, -sharpness * (means * means).sum(1)


def classifier(scale: float = 1.0, weights: np.ndarray | None = None) -> Graph:
    """Trained on pictures of 0..scale."""
    x, labels = pictures(400, 1)
    trained, bias = nearest_mean(x, labels, 1.5)
    b = Builder("bars")
    image = b.input("image", (1, SIZE, SIZE, 1))
    flat = b.add(ir.Reshape, "flat", source=image, shape=(1, SIZE * SIZE))
    weights = (trained if weights is None else weights) / scale
    logits = b.add(ir.Dense, "logits", source=flat, weights=weights.astype(np.float32), bias=bias.astype(np.float32))
    b.output(b.add(ir.Softmax, "scores", source=logits))
    return b.graph


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models and readings as files."""
    at = tmp_path_factory.mktemp("proof")
    (at / "bars.tflite").write_bytes(to_tflite(classifier()))
    (at / "raw.tflite").write_bytes(to_tflite(classifier(255.0)))
    x, _ = pictures(60, 2)
    tests, labels = pictures(200, 3)
    np.savez(at / "good.npz", inputs=x)
    np.savez(at / "bytes.npz", inputs=np.round(x * 255).astype(np.uint8))
    np.savez(at / "pixels.npz", inputs=x * 255)
    np.savez(at / "zeros.npz", inputs=x * 0)
    np.savez(at / "same.npz", inputs=np.repeat(x[:1], 9, 0))
    np.savez(at / "test.npz", inputs=tests, labels=labels)
    np.savez(at / "test255.npz", inputs=tests * 255, labels=labels)
    (at / "names.txt").write_text("left\nmiddle left\nmiddle right\nright\n")
    return at


def midge(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["midge", *command.split()])
    with pytest.raises(SystemExit) as done:
        cli.main()
    return done.value.code or 0, *capsys.readouterr()


GOOD = [
    ("bars.tflite --calibration good.npz", "60 readings: 100.0 % answered as before quantising"),
    ("bars.tflite --calibration good.npz --test test.npz", "100.0 % right, 100.0 % before quantising"),
    ("bars.tflite --calibration bytes.npz", "pixels 0..255 are taken as 0..1"),
    ("raw.tflite --calibration bytes.npz --pixels 0..255 --test test255.npz", "100.0 % right"),
    ("raw.tflite --calibration pixels.npz", "100.0 % answered"),
]
BAD = [
    ("bars.tflite --calibration pixels.npz", "pixels of 0..255, where the model was trained on 0..1.*prepare"),
    ("bars.tflite --calibration pixels.npz --test test.npz", "pixels of 0..255.*costs accuracy, 100.0 % to"),
    ("bars.tflite --calibration bytes.npz --pixels 0..255", "pixels of 0..255, where the model was trained on 0..1"),
    ("raw.tflite --calibration good.npz", "pixels of 0..1, where the model was trained on 0..255.*prepare"),
    ("raw.tflite --calibration good.npz --test test255.npz", "pixels of 0..1, where"),
    ("bars.tflite --calibration zeros.npz", "the calibration tells nothing: all values are 0 in zeros.npz; calibrate"),
    ("bars.tflite --calibration same.npz", "the calibration tells nothing: all readings are the same one"),
]


@pytest.mark.parametrize(("command", "words"), GOOD)
def test_good(shelf: Path, monkeypatch, capsys, command: str, words: str) -> None:
    code, out, err = midge(shelf, monkeypatch, capsys, f"convert {command} -o good.midge")
    assert code == 0 and err == "" and words in out and "warning" not in out, out + err
    assert out.splitlines()[-1].startswith("good.midge: ")


@pytest.mark.parametrize(("command", "words"), BAD)
def test_bad(shelf: Path, monkeypatch, capsys, command: str, words: str) -> None:
    """Exit code 1, one line with the cause and the cure, and no file; a former one stays."""
    code, _, err = midge(shelf, monkeypatch, capsys, f"convert {command} -o none.midge")
    assert code == 1 and err.count("\n") == 1 and re.search(words, err) and "nothing was written" in err, err
    assert not (shelf / "none.midge").exists()
    (shelf / "former.midge").write_bytes(b"former")
    assert midge(shelf, monkeypatch, capsys, f"convert {command} -o former.midge")[0] == 1
    assert (shelf / "former.midge").read_bytes() == b"former"


def test_allow_loss(shelf: Path, monkeypatch, capsys) -> None:
    command = "convert bars.tflite --calibration pixels.npz --test test.npz --allow-loss -o lost.midge"
    code, out, err = midge(shelf, monkeypatch, capsys, command)
    assert code == 0 and err == "" and "warning: the readings of pixels.npz look like pixels of 0..255" in out
    assert read(shelf / "lost.midge").records
    code, out, err = midge(
        shelf, monkeypatch, capsys, "convert bars.tflite --calibration same.npz --allow-loss -o a.midge"
    )
    assert code == 0 and "warning: the calibration tells nothing" in out, err


def test_channels_of_unlike_ranges() -> None:
    """g beside degrees a second, also behind a layer that normalises them: a scale for each channel, nothing lost."""
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 3, 300)
    g = rng.normal(0, 0.2, (300, 16, 2)) + np.stack([labels == 1, labels == 2], 1)[:, None, :] * 0.5
    x = np.concatenate([g, rng.uniform(-2000, 2000, (300, 16, 2))], 2).astype(np.float32)
    mean, deviation = x.mean((0, 1)), x.std((0, 1))
    weights, bias = nearest_mean((x - mean) / deviation, labels, 1.0)
    b = Builder("wand")
    reading = b.input("motion", (1, 16, 4))
    shifted = b.add(ir.Sub, "shifted", first=reading, second=mean.reshape(1, 1, 4))
    normal = b.add(ir.Mul, "normal", first=shifted, second=(1 / deviation).reshape(1, 1, 4))
    flat = b.add(ir.Reshape, "flat", source=normal, shape=(1, 64))
    dense = b.add(ir.Dense, "dense", source=flat, weights=weights.astype(np.float32), bias=bias.astype(np.float32))
    b.output(b.add(ir.Softmax, "scores", source=dense))
    proof = proven(b.graph, Readings([x[:100].reshape(-1, 1, 16, 4)]), Readings([x.reshape(-1, 1, 16, 4)], labels))
    assert proof.warnings == [] and proof.accuracy >= proof.source_accuracy - 0.01 > 0.8


def proven(graph: Graph, calibration: Readings, test: Readings | None = None):
    quantised = quantise(graph, calibration.inputs)
    model, layers = build_with_layers(quantised.graph)
    return prove(Source(graph, quantised.reference), model, layers, calibration, test)


def test_a_channel_of_few_steps(tmp_path: Path) -> None:
    """An input that a quantiser gave one scale for all channels."""
    b = Builder("motion")
    b.output(b.add(ir.Relu, "relu", source=b.input("motion", (1, 8, 3))))
    rng = np.random.default_rng(5)
    x = (rng.uniform(0, 1, (40, 1, 8, 3)) * [2.0, 2000.0, 2000.0]).astype(np.float32)
    warnings = proven(b.graph, Readings([x])).warnings
    assert len(warnings) == 1 and "1 of 3 channels, as channel 0, uses 1 of 256 steps" in warnings[0], warnings
    # A channel of two values needs no more than two steps.
    x[..., 0] = np.round(x[..., 0] / 2) * 2000
    assert proven(b.graph, Readings([x])).warnings == []


def test_calibration_of_next_to_nothing() -> None:
    x, labels = pictures(200, 3)
    proof = proven(classifier(), Readings([x[:60] * np.float32(0.11)]), Readings([x], labels))
    assert any("of the test's values lie beyond what input image holds" in w for w in proof.warnings)
    assert proof.saturated > 0.1


def test_calibration_of_one_kind() -> None:
    dark = Readings([pictures(60, 3)[0] * np.float32(0.01)])
    assert "gives all 60 readings of readings the same answer" in proven(classifier(), dark).warnings[0]


def test_a_model_quantised_elsewhere(shelf: Path, monkeypatch, capsys) -> None:
    """Nothing is known of its floats; its answers and what its input holds are looked at all the same."""
    command = "convert bars.tflite --calibration good.npz --to tflite -o int8.tflite"
    assert midge(shelf, monkeypatch, capsys, command)[0] == 0
    code, out, err = midge(shelf, monkeypatch, capsys, "convert int8.tflite --test test.npz -o int8.midge")
    assert code == 0 and "test.npz, 200 readings: 100.0 % right\n" in out, out + err
    code, _, err = midge(shelf, monkeypatch, capsys, "convert int8.tflite --test test255.npz -o beyond.midge")
    assert code == 1 and "of the test's values lie beyond what input image holds" in err
    assert not (shelf / "beyond.midge").exists()
    code, out, _ = midge(shelf, monkeypatch, capsys, "compare bars.tflite int8.midge --test test.npz")
    assert code == 0 and "only outputs are compared" in out and "100.0 % answered as before quantising" in out
    code, _, err = midge(shelf, monkeypatch, capsys, "convert int8.tflite --calibration good.npz -o beyond.midge")
    assert code == 2 and "quantised already" in err


@pytest.mark.parametrize("labelled", [True, False])
def test_what_quantising_cost(labelled: bool) -> None:
    """Another model's weights in the place of rounded ones: the numbers tell, and the words."""
    x, labels = pictures(200, 3)
    rng = np.random.default_rng(6)
    trained, _ = nearest_mean(*pictures(400, 1), 1.5)
    quantised = quantise(classifier(weights=trained + rng.normal(0, 1.5, trained.shape)), [x])
    model, layers = build_with_layers(quantised.graph)
    source = classifier()
    proof = prove(Source(source, source), model, layers, Readings([x], labels if labelled else None))
    answers = np.stack([Machine(model).predict([r])[0].reshape(-1) for r in x]).argmax(1)
    if labelled:
        assert proof.accuracy == (answers == labels).mean() < proof.source_accuracy - 0.01
        assert proof.warnings[0].startswith("quantising costs accuracy, 100.0 % to")
    else:
        assert proof.agreement < 0.95 and proof.warnings[0].startswith("only ")
    assert "most of it in layer logits" in proof.warnings[0] and "calibrate with more readings" in proof.warnings[0]
    assert first_wrong(proof.layers).name == "logits"


def test_outputs_that_are_values() -> None:
    """A regression: signal to noise, and the mean squared error against the labels."""
    rng = np.random.default_rng(7)
    weights = rng.normal(0, 1, (2, 6)).astype(np.float32)
    x = rng.normal(0, 1, (100, 1, 6)).astype(np.float32)
    wanted = x.reshape(-1, 6) @ weights.T
    b = Builder("line")
    b.output(b.add(ir.Dense, "line", source=b.input("x", (1, 6)), weights=weights))
    proof = proven(b.graph, Readings([x], wanted))
    assert proof.warnings == [] and proof.source_error < 1e-9 < proof.error < 0.01 and proof.decibels[0] > 30


def test_answers_that_lie_within_a_step_are_the_same() -> None:
    """Outputs of probabilities next to 0 that int8 has no steps for are no loss."""
    b = Builder("never")
    dense = b.add(ir.Dense, "dense", source=b.input("x", (1, 4)), weights=np.full((1, 4), 0.1), bias=np.array([-9.0]))
    b.output(b.add(ir.Logistic, "score", source=dense))
    x = np.random.default_rng(8).normal(0, 1, (50, 1, 4)).astype(np.float32)
    assert proven(b.graph, Readings([x])).warnings == []


@pytest.mark.parametrize(
    ("name", "data", "make", "rows"),
    [
        ("mnist_cnn_fp32", "mnist", lambda z: z["x"].astype(np.float32) / 255, 100),
        ("kws_float", "kws01_mfcc_int8", lambda z: (z["x"].astype(np.float32) - 83) * np.float32(0.5847029), 50),
        ("pretrainedResnet_float", "cifar10_jpg", lambda z: z["x"].astype(np.float32), 30),
        ("vww_96_float", "coco_vww_train", lambda z: z["x96"].astype(np.float32) / 255, 20),
        ("ad01_fp32", "ad_toycar_clips", None, 100),
    ],
)
def test_no_false_alarm(shared_data: Path, tmp_path: Path, name: str, data: str, make, rows: int) -> None:
    """Models in use, calibrated with sensible readings."""
    with np.load(shared_data / "data" / f"{data}.npz") as file:
        if make is None:
            clip = (file["spectrogram"][0].astype(np.float32) - 89) * np.float32(0.39101523)
            x = np.stack([clip[i : i + 5].reshape(-1) for i in range(rows)])
        else:
            x = make(file)
    told: list[str] = []
    chosen = np.linspace(0, len(x) - 1, rows).astype(int)
    convert(shared_data / "models" / f"{name}.tflite", tmp_path / "a.midge", calibration=x[chosen], tell=told.append)
    assert (tmp_path / "a.midge").exists() and not any("warning" in line for line in told)


# midge test


def test_test(shelf: Path, monkeypatch, capsys) -> None:
    midge(shelf, monkeypatch, capsys, "convert bars.tflite --calibration good.npz --labels names.txt -o bars.midge")
    code, out, _ = midge(shelf, monkeypatch, capsys, "test bars.midge test.npz")
    assert code == 0 and out.startswith("100.0 % right: 200 of 200 readings\n") and "middle left" in out
    for backend in ("numpy", "portable"):
        code, out, _ = midge(shelf, monkeypatch, capsys, f"test bars.midge test.npz --backend {backend} --json")
        found = json.loads(out)
        labels = np.load(shelf / "test.npz")["labels"]
        assert found["confusion"] == np.diag(np.bincount(labels)).tolist() and found["recall"] == [1.0] * 4
    code, out, _ = midge(shelf, monkeypatch, capsys, "test bars.midge test255.npz")
    assert "of the input values lie beyond the input's range" in out and "prepare the readings as for training" in out


def test_confusion() -> None:
    outputs = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    assert scores.confusion(outputs, np.array([0, 1, 1]), 2).tolist() == [[1, 0], [1, 1]]
    assert scores.choices(np.array([[0.4], [0.6]])).tolist() == [0, 1]
    assert scores.choices(np.array([[-3.0], [2.0]])).tolist() == [0, 1]
    assert scores.choices(np.array([[3], [5]], np.int32)).tolist() == [3, 5]


def test_signal_to_noise() -> None:
    ratio = scores.SignalToNoise()
    signal = np.array([1.0, -1.0] * 50)
    ratio.add(signal[:40], signal[:40] * 0.9)
    ratio.add(signal[40:], signal[40:] * 0.9)
    assert ratio.decibels == pytest.approx(20) and ratio.error == pytest.approx(0.1)
    same = scores.SignalToNoise()
    same.add(signal, signal)
    assert same.decibels == float("inf")


# midge compare


def test_compare(shelf: Path, monkeypatch, capsys) -> None:
    midge(shelf, monkeypatch, capsys, "convert bars.tflite --calibration good.npz -o bars.midge")
    code, out, _ = midge(shelf, monkeypatch, capsys, "compare bars.tflite bars.midge --test test.npz")
    assert code == 0 and "logits" in out and "scores" in out and out.endswith("no layer goes wrong\n"), out
    code, out, _ = midge(shelf, monkeypatch, capsys, "compare bars.tflite bars.midge --test test.npz --json")
    found = json.loads(out)
    assert [layer["name"] for layer in found["layers"]] == ["logits", "scores"] and found["first_wrong"] is None
    assert all(layer["decibels"] > 20 for layer in found["layers"]) and found["accuracy"] == 1.0
    code, out, _ = midge(shelf, monkeypatch, capsys, "compare raw.tflite bars.midge --test test.npz")
    assert out.endswith("the first layer that goes wrong: logits (FULLY_CONNECTED)\n"), out


def test_report(shelf: Path, monkeypatch, capsys) -> None:
    """What `midge compare` and `midge test` find stands on the page of `midge report`."""
    midge(shelf, monkeypatch, capsys, "convert bars.tflite --calibration good.npz --labels names.txt -o named.midge")
    command = "report named.midge --test test.npz -o page.html --source"
    code, out, err = midge(shelf, monkeypatch, capsys, f"{command} bars.tflite")
    assert code == 0, err
    page = (shelf / "page.html").read_text()
    assert out == f"page.html: {len(page.encode()):,} bytes; open it in a browser\n"
    assert "No layer goes wrong" in page and "first to go wrong" not in page
    assert "100.0 % right</strong> of 200 readings" in page and "Misread" not in page
    code, _, _ = midge(shelf, monkeypatch, capsys, f"{command} raw.tflite")
    page = (shelf / "page.html").read_text()
    assert re.search(r'goes wrong: <strong class="bad">logits<', page) and page.count("first to go wrong") == 1
    for options, words in [
        ("--source bars.tflite", "--source needs readings to run both on: add --test DATA"),
        ("--source named.midge --test test.npz", "named.midge"),
        ("--test missing.npz", "missing.npz: no such file"),
        ("--test test.npz --pixels 3", "--pixels 3: give what pixels 0 and 255 were"),
    ]:
        code, out, err = midge(shelf, monkeypatch, capsys, f"report named.midge -o page.html {options}")
        assert (code, out) == (2, "") and words in err and err.count("\n") == 1, err
    assert (shelf / "page.html").read_text() == page


def test_layers_with_factors_of_their_own() -> None:
    """What equalising did to a layer's channels is no error; what is beyond that is."""
    rng = np.random.default_rng(11)
    weights, x = rng.normal(0, 1, (5, 6)).astype(np.float32), rng.normal(0, 1, (40, 1, 6)).astype(np.float32)

    def layer(factors: np.ndarray) -> Graph:
        b = Builder("dense")
        matrix = (weights * factors[:, None]).astype(np.float32)
        b.output(b.add(ir.Dense, "dense", source=b.input("x", (1, 6)), weights=matrix))
        return b.graph

    source, other = layer(np.ones(5)), layer(np.array([1, 3, 9, 0.5, 1]))
    model, layers = build_with_layers(quantise(other, [x]).graph)
    assert compare_layers(source, model, layers, Readings([x]))[0].decibels < 5
    marked = mark_rescaled(layers, source, other, [x])
    assert [m.rescaled for m in marked] == [True]
    assert compare_layers(source, model, marked, Readings([x]))[0].decibels > 25
    assert [m.rescaled for m in mark_rescaled(layers, other, other, [x])] == [False]


def test_first_wrong() -> None:
    def layers(*decibels: float) -> list[LayerProof]:
        return [LayerProof(str(i), "ADD", d, 0, 0, 0) for i, d in enumerate(decibels)]

    assert first_wrong(layers(40, 35, 9, 8)).name == "2"
    assert first_wrong(layers(40, 35, 17, 16)).name == "2"
    assert first_wrong(layers(float("inf"), 40, 38, 30, 29)) is None


def test_layers_are_remembered() -> None:
    x, _ = pictures(60, 2)
    model, layers = build_with_layers(quantise(classifier(), [x]).graph)
    remember(model, layers)
    again = remembered(model)
    assert [(a.record, a.name, a.dtype, a.zero_point) for a in again] == [
        (a.record, a.name, a.dtype, a.zero_point) for a in layers
    ]
    np.testing.assert_allclose([a.scale for a in again], [a.scale for a in layers], rtol=1e-7)
    for damage in (
        [[0]],
        7,
        [[99, "", "int8", 1.0, 0, 0, "", 0]],
        [[0, "", "int8", 1.0, 0, 5, "00", 0]],
        [[0, "", "f", 1, 0, 0, "", 0]],
    ):
        model.info["layers"] = damage
        with pytest.raises(MidgeError, match="list of its layers is damaged; convert the model again"):
            remembered(model)


def test_from_python(tmp_path: Path, shelf: Path) -> None:
    """Arrays in the place of files; CheckFailed, unless loss is allowed."""
    x, labels = pictures(60, 2)
    path = tmp_path / "a.midge"
    convert(shelf / "bars.tflite", path, calibration=x, test=Readings([x], labels))
    assert is_float(classifier()) and path.exists()
    with pytest.raises(CheckFailed, match="prepare them as for training"):
        convert(shelf / "bars.tflite", path, calibration=x * 255)
    with pytest.raises(MidgeError, match="2 arrays, the model has 1 inputs"):
        convert(shelf / "bars.tflite", path, calibration=[x, x])
