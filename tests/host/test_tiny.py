"""examples/tiny: models in some hundred bytes, how large and how right they are, and how they are trained."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from midge_host import backends, series
from midge_host.device import model_file
from midge_host.gesture import simulation

HERE = Path(__file__).resolve().parents[2] / "examples" / "tiny"
# Of each model the most bytes, and the least share of windows that it names right.
MODELS = {
    "linear": (600, 0.95),
    "linear_range": (640, 0.98),
    "tree": (900, 0.85),
    "nodes": (2048, 0.98),
}


@pytest.fixture(scope="module")
def windows() -> tuple[np.ndarray, np.ndarray]:
    """Of gestures unlike those trained on, and each one's number."""
    far = simulation.recordings(25, 8, seed=8, far=True)
    cut = [series.windows(samples, 128, 32) for _, samples in far]
    labels = np.repeat([simulation.GESTURES.index(name) for name, _ in far], [len(w) for w in cut])
    return np.concatenate(cut), labels


@pytest.mark.parametrize("name", MODELS)
def test_size_and_accuracy(windows: tuple[np.ndarray, np.ndarray], name: str) -> None:
    path, (readings, labels) = HERE / f"{name}.midge", windows
    most, least = MODELS[name]
    assert path.stat().st_size <= most
    model = model_file.read(path)
    assert model.is_bare and model.labels == list(simulation.GESTURES)
    scores = backends.run("cpython", path, [readings]).outputs[0].reshape(len(labels), -1)
    assert (scores.argmax(axis=1) == labels).mean() >= least


@pytest.mark.parametrize("backend", ["numpy", "portable", "micropython"])
@pytest.mark.parametrize("name", MODELS)
def test_the_same_bytes(windows: tuple[np.ndarray, np.ndarray], name: str, backend: str) -> None:
    some = windows[0][::550]
    ours, theirs = (backends.run(b, HERE / f"{name}.midge", [some]).outputs[0] for b in ("cpython", backend))
    assert np.array_equal(ours, theirs)


def test_training(tmp_path: Path) -> None:
    """The tree, which needs no TensorFlow, comes out as it is here."""
    program = HERE / "gestures.py"
    done = subprocess.run([sys.executable, program, "tree", "-o", tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "tree.midge").read_bytes() == (HERE / "tree.midge").read_bytes()
