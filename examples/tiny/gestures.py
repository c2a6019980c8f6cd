"""Train the very small gesture models: pip install "midge[keras,sklearn]"; python examples/tiny/gestures.py

Takes a minute or two. The gestures are simulated, as in examples/gesture. Writes the models beside itself.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

import midge_host
from midge_host import series
from midge_host.gesture import simulation

HERE = Path(__file__).resolve().parent
LABELS = HERE / "gestures.txt"
WINDOW = 128  # samples, 1.28 s
HOP = 32
UNIT = 1 / 8192  # g for a step
SEED = 7
EPOCHS, BATCH = 30, 256


def recorded(count: int, seed: int, far: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Windows (N, 128, 3) float32 in g, and the number of each one's gesture."""
    cut = [(name, series.windows(samples, WINDOW, HOP)) for name, samples in simulation.recordings(count, 8, seed, far)]
    labels = np.repeat([simulation.GESTURES.index(name) for name, _ in cut], [len(windows) for _, windows in cut])
    return np.concatenate([windows for _, windows in cut]), labels


def fitted(features: np.ndarray, labels: np.ndarray, nodes: int):
    """A Keras model of features to a score for each gesture: linear, or with nodes > 0 the sum of as many of Bonsai's,
    W x * tanh(V x), without its paths."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(SEED)
    classes = len(simulation.GESTURES)
    normalised = layers.Normalization()
    normalised.adapt(features)
    source = keras.Input(features.shape[1:])
    x = normalised(source)
    if nodes:
        gate = layers.Dense(nodes * classes, activation="tanh")(x)
        x = layers.Multiply()([layers.Dense(nodes * classes)(x), gate])
    model = keras.Model(source, layers.Dense(classes)(x))
    steps = EPOCHS * -(-len(features) // BATCH)
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.03, steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    model.fit(features, labels, epochs=EPOCHS, batch_size=BATCH, verbose=0)
    return model


def tree(features: np.ndarray, labels: np.ndarray, leaves: int):
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=SEED).fit(features, labels)


# Of each model its features of motion, those of trees behind their type, and how it is trained.
MODELS = {
    "linear": ("rms,diff", lambda x, y: fitted(x, y, 0)),
    "linear_range": ("range,rms,diff", lambda x, y: fitted(x, y, 0)),
    "tree": ("int16,range,rms,diff", lambda x, y: tree(x, y, 14)),
    "nodes": ("range,rms,diff", lambda x, y: fitted(x, y, 3)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains the very small gesture models.")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(MODELS)}; all, if not given")
    parser.add_argument("-o", "--output", type=Path, default=HERE, help="folder")
    arguments = parser.parse_args()
    windows, labels = recorded(100, SEED)
    for name in arguments.names or MODELS:
        recipe, train = MODELS[name]
        model = train(series.features(windows, recipe.removeprefix("int16,"), unit=UNIT), labels)
        path = arguments.output / f"{name}.midge"
        options = {"features": recipe, "window": WINDOW, "unit": UNIT, "calibration": windows[::40]}
        midge_host.convert(model, path, labels=LABELS, bare=True, **options)
        print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
