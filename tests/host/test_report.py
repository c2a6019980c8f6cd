"""`midge report`: what it says of a model's memory holds, and what stands on the page. tests/web opens the page."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from small_models import SMALL

import audio_graphs
import models
from midge_host.backends.machine import Machine
from midge_host.commands import main as cli
from midge_host.commands.report import report
from midge_host.conversion import convert
from midge_host.device import reference
from midge_host.device.model_file import ModelFile, read
from midge_host.report import samples, values
from midge_host.report.lifetimes import lifetimes


def written(folder: Path, source: bytes, **options: str) -> ModelFile:
    """The model of a .tflite, as folder/model.midge."""
    (folder / "model.tflite").write_bytes(source)
    convert(folder / "model.tflite", folder / "model.midge", **options)
    return read(folder / "model.midge")


def check_lifetimes(model: ModelFile) -> None:
    """Noise in all bytes without a tensor between the steps of two predictions changes no output."""
    lives, rng = lifetimes(model), np.random.default_rng(1)
    clean = reference.start(model)
    noisy = clean.copy()
    for _ in range(2):
        for tensor in model.inputs:
            low, high = (0, 3) if tensor.element == "int32" else (-100, 100)
            drawn = rng.integers(low, high, tensor.shape)
            for arena in (clean, noisy):
                reference.view(arena, tensor)[...] = drawn
        for step, index in enumerate(lives.steps):
            for arena in (clean, noisy):
                list(reference.run_records(model, arena, range(index, index + 1)))
            free = np.ones(model.arena_bytes, bool)
            for tensor in lives.tensors:
                if tensor.first <= step < tensor.last:
                    free[tensor.offset : tensor.offset + tensor.bytes] = False
            noisy[free] = rng.integers(-128, 128, int(free.sum()))
        for tensor in model.outputs:
            np.testing.assert_array_equal(*(reference.view(arena, tensor) for arena in (clean, noisy)))
    assert max(lives.used()) <= model.arena_bytes


@pytest.mark.parametrize("name", SMALL)
def test_lifetimes(name: str) -> None:
    check_lifetimes(SMALL[name])


def test_lifetimes_of_a_model_that_hears(tmp_path: Path) -> None:
    model = written(tmp_path, audio_graphs.stream(), audio="micro:10ms")
    assert set(lifetimes(model).steps) > set(model.predict)
    check_lifetimes(model)


def test_every_model_has_a_page(tmp_path: Path) -> None:
    for name, model in SMALL.items():
        (tmp_path / "model.midge").write_bytes(model.to_bytes())
        page = report(tmp_path / "model.midge", None, None, None, None, False).decode()
        assert page.count('<rect class="box layer"') == len(model.feed) + len(model.predict), name


def test_histograms(tmp_path: Path) -> None:
    """Weights as the source has them; inputs and outputs as the model takes and gives them."""
    model = written(tmp_path, models.dense(layers=1))
    rows = np.random.default_rng(1).integers(-127, 128, (10, 10))  # as models.dense draws them
    (found,) = values.weights(model).values()
    assert (found.low, found.high, found.dtype) == (rows.min(), rows.max(), "int8")
    np.testing.assert_array_equal(found.counts, np.histogram(rows, values.BINS, (-128, 128))[0])

    x = np.random.default_rng(2).integers(-128, 128, (9, *model.inputs[0].shape)).astype(np.int8)
    x[0, 0, :2] = -128, 127
    (entered,), made = values.activations(model, [x])
    machine = Machine(model)
    y = np.stack([machine.predict([row])[0] for row in x])
    for histogram, wanted in ((entered, x), (made[0], y)):
        np.testing.assert_array_equal(histogram.counts, np.histogram(wanted, values.BINS, (-128, 128))[0])
        assert histogram.ends == (np.mean(wanted == -128), np.mean(wanted == 127))
    assert entered.real == pytest.approx(((-128 - 4) * 0.05, (127 - 4) * 0.05))


@pytest.mark.parametrize(
    ("shape", "width", "lines"),
    [
        ((1, 8, 9, 3), 9, 0),
        ((1, 300, 200, 3), 85, 0),
        ((8, 9), 9, 0),
        ((1, 8, 9, 1), 9, 0),
        ((50, 3), 128, 3),
        ((1, 40), 128, 1),
        ((1, 1), 128, 1),
    ],
)
def test_misread_readings_are_drawn(shape: tuple[int, ...], width: int, lines: int) -> None:
    readings = np.random.default_rng(3).normal(size=(30, *shape)).astype(np.float32)
    outputs = np.tile(np.float32([0.1, 0.9]), (30, 1))
    outputs[7] = 0.0, 1.0
    labels = np.where(np.arange(30) < 20, 0, 1)
    found = samples.misread(readings, outputs, labels, ["no", "yes"])
    assert len(found) == samples.SHOWN and found[0].number == 7
    assert all((s.label, s.taken, s.width, len(s.lines)) == ("no", "yes", width, lines) for s in found)
    assert all(s.picture.startswith("data:image/png;base64,") == (lines == 0) for s in found)
    assert not any("nan" in line for s in found for line in s.lines)


def test_without_jinja2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path, models.dense())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    monkeypatch.setattr(sys, "argv", ["midge", "report", "model.midge", "-o", "page.html"])
    with pytest.raises(SystemExit) as done:
        cli.main()
    assert done.value.code == 2 and "made with jinja2; run in midge's folder: pip install" in capsys.readouterr().err
    assert not (tmp_path / "page.html").exists()
