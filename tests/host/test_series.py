"""Features of windows of samples: NumPy's in floats but for the rounding stated, and the same bits on every backend."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx_models
import pytest
from click.testing import CliRunner
from scipy import signal
from sklearn.ensemble import RandomForestClassifier
from sklearn.neural_network import MLPClassifier

import midge
import series_graphs
from midge_host import backends, convert, series
from midge_host.commands.convert import command
from midge_host.conversion import build
from midge_host.device import reference
from midge_host.device.ops import series_features
from midge_host.errors import MidgeError
from midge_host.ir import series as exact
from midge_host.ir.graph import Graph
from midge_host.quantize import Precision

BACKENDS = ["numpy", "cpython", "portable", "micropython", "micropython-portable"]
SHAPES = [(2, 1), (3, 2), (10, 3), (50, 1), (64, 3), (129, 2)]

FORMULAS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mean": lambda x: x.mean(1),
    "std": lambda x: x.std(1),
    "min": lambda x: x.min(1),
    "max": lambda x: x.max(1),
    "range": lambda x: np.ptp(x, 1),
    "rms": lambda x: np.sqrt((x**2).mean(1)),
    "diff": lambda x: np.abs(np.diff(x, axis=1)).mean(1),
    "crossings": lambda x: (np.diff(x >= x.mean(1, keepdims=True), axis=1)).sum(1),
    "median": lambda x: np.percentile(x, 50, axis=1, method="lower"),
}


def recipe_of(rows: int) -> str:
    return f"{series_graphs.EVERY},bands:{min(5, rows // 2)}"


def write(graph: Graph, folder: Path) -> Path:
    model = build(graph)
    model.golden_seed = 1
    model.golden = reference.golden_values(model)
    path = folder / "series.midge"
    path.write_bytes(model.to_bytes())
    return path


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize(("rows", "channels"), SHAPES)
def test_statistics_are_numpys(rows: int, channels: int, name: str) -> None:
    x = series_graphs.windows(rows, channels)
    difference = FORMULAS[name](x.astype(np.float64)) - series.features(x, name)
    assert difference.min() >= -1e-6 and difference.max() < 1 / 256


@pytest.mark.parametrize(("rows", "channels"), SHAPES)
def test_bands_are_numpys(rows: int, channels: int) -> None:
    """The share of the standard deviation that lies in each, within what docs/NUMERICS.md says."""
    x = series_graphs.windows(rows, channels)
    bands, bins = min(5, rows // 2), rows // 2
    both = np.abs(np.fft.rfft(x.astype(np.float64), axis=1)[:, 1:]) ** 2 * 2
    if rows % 2 == 0:
        both[:, -1] /= 2
    ends = [i * bins // bands for i in range(bands + 1)]
    wanted = np.stack([np.sqrt(both[:, a:b].sum(1)) / rows for a, b in pairwise(ends)], 2)
    got = series.features(x, f"bands:{bands}").reshape(wanted.shape)
    largest = np.abs(x.astype(np.int32)).max((1, 2))[:, None, None]
    limit = 1 / 256 + np.sqrt(np.diff(ends)) * (1 / (16 * rows) + 2.0**-14 * largest)
    assert (np.abs(got - wanted) <= limit).all()
    np.testing.assert_allclose(np.sqrt((wanted**2).sum(2)), x.std(1), rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("rows", "channels"), SHAPES)
def test_backends_agree(rows: int, channels: int, backend: str, tmp_path: Path) -> None:
    if why := backends.problem(backend):
        pytest.skip(why)
    recipe, x = recipe_of(rows), series_graphs.windows(rows, channels)
    path = write(series_graphs.features(recipe, rows, channels), tmp_path)
    got = backends.run(backend, path, [x[:, None]]).outputs[0].reshape(len(x), -1)
    np.testing.assert_array_equal(got.view(np.uint32), series.features(x, recipe).view(np.uint32))


FILTERS = [("lowpass", 0.001), ("lowpass", 0.05), ("lowpass", 0.4), ("highpass", 0.005), ("highpass", 0.3)]
FILTERS += [("highpass", 0.001), ("lowpass", 0.49), ("highpass", 0.49)]


@pytest.mark.parametrize(("kind", "cutoff"), FILTERS)
def test_filters_are_scipys(kind: str, cutoff: float) -> None:
    """A step from Butterworth's of second order, begun as if the first sample had been there always."""
    x = np.concatenate([series_graphs.windows(n, 1) for n in (4096, 700)], axis=1)
    sos = signal.butter(2, cutoff, kind, output="sos", fs=1)
    start = signal.sosfilt_zi(sos)[:, None] * x[None, :, 0, 0, None]
    wanted = signal.sosfilt(sos, x[:, :, 0].astype(np.float64), axis=1, zi=start)[0]
    got = exact.filtered(x, exact.section(kind, cutoff)[None])[:, :, 0]
    fits = (np.abs(wanted) < 60000).all(1)  # beyond, what is kept has its limit
    assert np.abs(np.clip(wanted, -32768, 32767) - got)[fits].max() <= 1
    assert fits.sum() >= len(x) - 2


def test_frequency_response() -> None:
    """Within 0.01 dB of scipy's at every frequency down to -40 dB."""
    rate, rows = 1000.0, 4000
    time = np.arange(rows)
    hertz = np.array([1, 5, 20, 49, 50, 51, 80, 200, 350, 490.0])
    x = np.round(30000 * np.sin(2 * np.pi * hertz[:, None] * time / rate)).astype(np.int16)[:, :, None]
    for kind in exact.FILTERS:
        got = exact.filtered(x, exact.section(kind, 50 / rate)[None])[:, rows // 2 :, 0]
        turns = np.exp(-2j * np.pi * hertz[:, None] * time[rows // 2 :] / rate)
        gain = np.abs((got * turns).sum(1)) / np.abs((x[:, rows // 2 :, 0] * turns).sum(1))
        wanted = np.abs(signal.sosfreqz(signal.butter(2, 50, kind, output="sos", fs=rate), hertz, fs=rate)[1])
        heard = wanted > 0.01
        assert np.abs(20 * np.log10(gain[heard] / wanted[heard])).max() < 0.01
        assert gain[~heard].max(initial=0) < 0.0101


@pytest.mark.parametrize("backend", BACKENDS)
def test_filters_agree(backend: str, tmp_path: Path) -> None:
    """Of the numbers that a file may hold, which make no filter, too."""
    if why := backends.problem(backend):
        pytest.skip(why)
    rows, channels = 40, 2
    x = series_graphs.windows(rows, channels)
    designed = series.parse("highpass:1,lowpass:30,lowpass:5,std", 100).sections
    ends = np.array([-(2**31), 2**31 - 1, 0, 1, -1, 2**30], np.int64)
    wild = np.random.default_rng(2).choice(ends, (8, 6)).astype(np.int32)
    unstable = np.array([[2**30, 0, 0, 2**31 - 1, -(2**30) - 2**20, 2**31 - 1]], np.int32)
    for i, sections in enumerate((designed, wild, wild[::-1], unstable)):
        graph = series_graphs.filters(sections, rows, channels)
        (tmp_path / str(i)).mkdir()
        got = backends.run(backend, write(graph, tmp_path / str(i)), [x[:, None]]).outputs[0]
        np.testing.assert_array_equal(got.reshape(x.shape), exact.filtered(x, sections))


def test_filtered_features(tmp_path: Path) -> None:
    recipe, x = "highpass:2,lowpass:30,mean,std,bands:3", series_graphs.windows(64, 3)
    path = write(series_graphs.features(recipe, 64, 3, rate=100), tmp_path)
    got = backends.run("cpython", path, [x[:, None]]).outputs[0].reshape(len(x), -1)
    np.testing.assert_array_equal(got, series.features(x, recipe, rate=100))
    of_whole = series.features(x, "std", rate=None)
    assert not np.array_equal(got[:, 1::5], of_whole)
    assert midge.load(str(path)).arena_bytes == 64 * 3 * 2 + 15 * 4  # filtered where they lie


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_quantised_features(backend: str, dtype: str, tmp_path: Path) -> None:
    """The same bytes everywhere, and within a step of what the scales say."""
    if why := backends.problem(backend):
        pytest.skip(why)
    recipe, x = recipe_of(10), series_graphs.windows(10, 3)
    graph = series_graphs.quantised(recipe, 10, 3, dtype)
    reading = graph.nodes[0].reading  # type: ignore[attr-defined]
    got = backends.run(backend, write(graph, tmp_path), [x[:, None]]).outputs[0].reshape(len(x), -1)
    limits = np.iinfo(dtype)
    exactly = series.features(x, recipe).astype(np.float64) / reading.scale + reading.zero_point
    assert np.abs(np.clip(exactly, limits.min, limits.max) - got).max() <= 0.5 + 1e-4
    kinds = series.parse(recipe).kinds
    rescales = series_features.rescales(graph.nodes[0])
    np.testing.assert_array_equal(got, exact.requantised(exact.features(x, kinds), rescales, dtype))


def network(folder: Path, inputs: str, recipe: str, rate: float | None) -> tuple[Path, np.ndarray, np.ndarray]:
    """A network trained on features of `motion`, as .onnx; windows, and what scikit-learn says of them. inputs: "layer"
    where it normalises them in a layer, "weights" where its weights do."""
    x, labels = motion(240)
    x = x.astype(np.float32)
    features = series.features(x, recipe, UNIT, rate)
    mean, std = features.mean(0), features.std(0)
    net = MLPClassifier((12,), max_iter=300, random_state=0).fit((features - mean) / std, labels)
    maker = onnx_models.Maker()
    value, first = maker.input([1, features.shape[1]]), net.coefs_[0]
    bias = net.intercepts_[0]
    if inputs == "layer":
        value = maker.add("Div", maker.add("Sub", value, maker.constant(mean)), maker.constant(std))
    else:
        first, bias = first / std[:, None], bias - mean / std @ first
    value = maker.add("Relu", maker.add("Gemm", value, maker.constant(first), maker.constant(bias)))
    value = maker.add("Gemm", value, maker.constant(net.coefs_[1]), maker.constant(net.intercepts_[1]))
    path = folder / "network.onnx"
    path.write_bytes(maker.model(maker.add("Softmax", value)).SerializeToString())
    return path, x, net.predict_proba((features - mean) / std)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize("precision", ["int8", "int16"])
@pytest.mark.parametrize("inputs", ["layer", "weights"])
def test_network(inputs: str, precision: Precision, tmp_path: Path) -> None:
    """Features whose ranges differ a hundredfold; calibrated with samples; sample by sample."""
    recipe, rate = "highpass:3,std,min,crossings,bands:4", 100
    path, x, wanted = network(tmp_path, inputs, recipe, rate)
    told: list[str] = []
    options = {"features": recipe, "window": 32, "unit": UNIT, "rate": rate, "precision": precision}
    convert(path, tmp_path / "net.midge", calibration=x[::2], tell=told.append, **options)  # type: ignore[arg-type]
    assert "100.0 % answered as before quantising" in told[-1] and "series_" not in told[-1]
    model = midge.load(str(tmp_path / "net.midge"))
    assert model.selftest() and model.inputs[0].dtype == "int16"
    window = midge.Window(model, 32)
    got = np.array([list(s) for s in map(window.push, x[1::2].reshape(-1, 3).tolist()) if s])
    assert np.abs(got - wanted[1::2]).max() < 0.02
    assert (got.argmax(1) == wanted[1::2].argmax(1)).all() and len(np.unique(got.argmax(1))) == 3


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_network_that_is_quantised(tmp_path: Path) -> None:
    """Features take the scale that its input has."""
    path, x, wanted = network(tmp_path, "weights", "std", None)  # all of one size: .tflite has one scale for an input
    convert(path, tmp_path / "net.tflite", calibration=series.features(x, "std", UNIT), to="tflite")
    convert(tmp_path / "net.tflite", tmp_path / "net.midge", features="std", window=32, unit=UNIT)
    model = midge.load(str(tmp_path / "net.midge"))
    got = np.array([model.predict(samples.reshape(-1).tolist()) for samples in x])
    assert np.abs(got - wanted).max() < 0.05
    for name in ("net.tflite", "net.midge"):
        (tmp_path / name).unlink()
    with pytest.raises(MidgeError, match="TensorFlow Lite has no such operator; leave out --to tflite"):
        convert(path, tmp_path / "net.tflite", calibration=x, to="tflite", features="std", window=32, unit=UNIT)
    with pytest.raises(MidgeError, match=r"shape \(240, 3\), but the model takes \(N, 32, 3\)"):
        convert(path, tmp_path / "net.midge", calibration=series.features(x, "std", UNIT), features="std", window=32)
    assert [p.name for p in tmp_path.iterdir()] == ["network.onnx"]


def test_longest_window() -> None:
    """Sums at their ends."""
    rows = 4096
    for x in (np.full((1, rows, 1), -32768), np.where(np.arange(rows) % 2, 32767, -32768).reshape(1, rows, 1)):
        values = x.astype(np.float64)
        for name in ("mean", "std", "rms", "diff", "range"):
            assert abs(FORMULAS[name](values) - series.features(x.astype(np.int16), name)).max() < 1 / 256


@pytest.mark.parametrize("rows", [4096])
def test_longest_window_in_c(rows: int, tmp_path: Path) -> None:
    time = np.arange(rows)
    x = np.stack([np.full(rows, -32768), np.where(time % 2, 32767, -32768), np.where(time % 100 < 50, 32767, -32768)])
    x = x.astype(np.int16)[:, :, None]
    recipe = f"{series_graphs.EVERY},bands:2"
    path = write(series_graphs.features(recipe, rows, 1), tmp_path)
    got = backends.run("cpython", path, [x[:, None]]).outputs[0].reshape(len(x), -1)
    np.testing.assert_array_equal(got, series.features(x, recipe))


def motion(windows: int, length: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Windows of three axes in g: rest, a slow turn, a shake."""
    rng = np.random.default_rng(9)
    labels = np.arange(windows) % 3
    time = np.arange(length)[None, :, None]
    turn = np.array([0.0, 0.15, 1.3])[labels][:, None, None]
    size = np.array([0.02, 0.5, 0.9])[labels][:, None, None]
    phase = rng.uniform(0, 6, (windows, 1, 3))
    return np.array([0, 0, 1]) + size * np.sin(turn * time + phase) + 0.02 * rng.normal(
        size=(windows, length, 3)
    ), labels


UNIT = 1 / 8192


@pytest.mark.parametrize("options", [[], ["int16"]])
def test_forest_from_the_command_line(options: list[str], tmp_path: Path) -> None:
    """Labels are scikit-learn's, on samples that come one by one."""
    recipe = "std,min,max,bands:4"
    x, labels = motion(120)
    x = x.astype(np.float32)
    forest = RandomForestClassifier(8, random_state=0).fit(series.features(x, recipe, UNIT), labels)
    joblib = pytest.importorskip("joblib")
    joblib.dump(forest, tmp_path / "forest.joblib")
    arguments = [str(tmp_path / "forest.joblib"), "-o", str(tmp_path / "forest.midge"), "--trust", "--window", "32"]
    arguments += ["--features", ",".join([*options, recipe]), "--unit", str(UNIT)]
    np.savez(tmp_path / "test.npz", inputs=x, labels=labels)
    arguments += ["--test", str(tmp_path / "test.npz")]
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 0, done.output
    assert not options or "100.0 % answered as before quantising" in done.output
    model = midge.load(str(tmp_path / "forest.midge"))
    assert model.inputs[0].shape == (1, 32, 3) and model.selftest()
    window = midge.Window(model, 8)
    expected = forest.predict(series.features(series.windows(x[:40].reshape(-1, 3), 32, 8), recipe, UNIT))
    got = []
    for sample in x[:40].reshape(-1, 3).tolist():
        if window.push(sample):
            got.append(int(window.best()[0]))
    np.testing.assert_array_equal(got, expected)
    assert len(np.unique(expected)) == 3


def test_names_and_windows() -> None:
    assert series.names("std,bands:2", 2) == ["0 std", "0 band 0", "0 band 1", "1 std", "1 band 0", "1 band 1"]
    np.testing.assert_array_equal(series.windows(np.arange(7), 4, 2)[:, :, 0], [[0, 1, 2, 3], [2, 3, 4, 5]])


MISTAKES = [
    ({"features": "std,variance", "window": 8}, "'variance' is not known; there are mean, std, "),
    ({"features": "bands", "window": 8}, "'bands' is not known"),
    ({"features": "bands:x", "window": 8}, "needs a number of bands, as in bands:8"),
    ({"features": "bands:2,std,bands:3", "window": 8}, "bands stand there twice"),
    ({"features": "mean,min,max,median", "window": 8}, "takes 3 values, and features makes 4 of each channel"),
    ({"features": "bands:3", "window": 4}, "3 bands: a window of 4 samples has a spectrum of 2 bins"),
    ({"features": "std", "window": 5000}, "a window of 5,000 samples; features take 2 to 4,096"),
    ({"features": "std"}, "features of samples need a window"),
    ({"features": "float32", "window": 8}, "a window is for features of samples"),
    ({"unit": 0.5}, "a unit is for features of samples"),
    ({"features": "highpass:2,std", "window": 8}, "'highpass:2' needs the rate of the samples"),
    ({"features": "highpass:2", "window": 8, "rate": 50}, "filters alone make no features"),
    ({"features": "std,highpass:2", "window": 8, "rate": 50}, "'highpass:2' stands behind a feature"),
    ({"features": "highpass:slow,std", "window": 8, "rate": 50}, "needs a frequency in hertz, as in highpass:0.5"),
    ({"features": "lowpass:30,std", "window": 8, "rate": 50}, "at 50 samples a second from 0.05 to 24.5 Hz"),
    ({"features": "lowpass:nan,std", "window": 8, "rate": 50}, "at 50 samples a second from 0.05 to 24.5 Hz"),
    ({"features": "lowpass:3,std", "window": 8, "rate": -1}, "rate is how many samples there are in a second"),
    ({"features": "std", "window": 8, "rate": 50}, "a rate is for filters"),
    ({"rate": 50.0}, "a rate is for filters"),
    ({"features": "int16,float32"}, "int16 and float32 exclude each other"),
    ({"features": "std", "window": 8, "unit": 0.0}, "unit is the value of one step of a sample, above 0"),
]


@pytest.mark.parametrize(("options", "words"), MISTAKES)
def test_mistakes(options: dict, words: str, tmp_path: Path) -> None:
    x, y = np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2
    forest = RandomForestClassifier(2, random_state=0).fit(x, y)
    with pytest.raises(MidgeError) as caught:
        convert(forest, tmp_path / "forest.midge", **options)
    assert words in str(caught.value)
    assert not list(tmp_path.iterdir())
