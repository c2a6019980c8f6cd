"""Train the keyword network: python examples/keywords/train.py FOLDER

FOLDER has clips.npz, from voices.py. README.md says what must be installed and how long it takes. Writes
keywords.tflite, int8, beside itself; `midge convert --audio mfcc` makes of it what a board hears with.
"""

from __future__ import annotations

import argparse
import os
from functools import cache, partial
from multiprocessing import Pool
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

import midge_host
from midge_host.frontends.features import Frames
from midge_host.frontends.sound import parse
from midge_host.keywords.augment import Sounds
from midge_host.keywords.clips import read_clips
from midge_host.keywords.words import KEYWORDS, LABELS

HERE = Path(__file__).resolve().parent
SEED = 7
FRAMES, VALUES = 49, 10  # of a second of sound, as `--audio mfcc` makes them
# What the network's input can hold: MLPerf Tiny's scale and zero point, so that features published with these fit.
SCALE, ZERO_POINT = 0.5847029, 83
SHARES = {"no": 0.17, "silence": 0.12, "stop": 0.14, "unknown": 0.42, "yes": 0.15}  # of the examples
WEIGHTS = {"kokoro": 6}  # its voices are the most alive, and the most costly
CHUNK = 250  # examples of one seed
CHANNELS = 40
EPOCHS, BATCH = 22, 128


@cache
def clips_of(path: Path) -> dict[str, list[np.ndarray]]:
    """int16 samples of each word; a clip is there as often as WEIGHTS say."""
    clips: dict[str, list[np.ndarray]] = {}
    for word, engine, samples in read_clips(path):
        clips.setdefault(word, []).extend([samples] * WEIGHTS.get(engine, 1))
    return clips


def held(features: np.ndarray) -> np.ndarray:
    """Features as the network's int8 input holds them."""
    return (np.clip(np.round(features / SCALE + ZERO_POINT), -128, 127) - ZERO_POINT).astype(np.float32) * SCALE


def chunk(path: Path, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features (CHUNK, 49, 10) float32, and the class of each."""
    rng = np.random.default_rng(seed)
    sounds, frames = Sounds(clips_of(path), KEYWORDS, rng), Frames(parse("mfcc"))
    labels = rng.choice(len(LABELS), CHUNK, p=[SHARES[label] for label in LABELS])
    make = {"silence": sounds.silence, "unknown": sounds.unknown}
    samples = (make[name]() if name in make else sounds.keyword(name) for name in (LABELS[i] for i in labels))
    return held(np.stack([frames.of(x) for x in samples])), labels


def examples(path: Path, count: int, processes: int) -> tuple[np.ndarray, np.ndarray]:
    with Pool(processes) as pool:
        chunks = pool.map(partial(chunk, path), range(SEED, SEED + -(-count // CHUNK)))
    features, labels = zip(*chunks, strict=True)
    return np.concatenate(features)[..., None], np.concatenate(labels)


def network(channels: int):
    """Depthwise separable: features (49, 10, 1) to a probability of each class."""
    from keras import Input, Model, layers

    def normalised(x):
        return layers.ReLU()(layers.BatchNormalization(momentum=0.95)(x))

    features = Input((FRAMES, VALUES, 1), name="features")
    x = layers.Conv2D(channels, (10, 4), strides=2, padding="same", use_bias=False)(features)
    x = layers.Dropout(0.1)(normalised(x))
    for _ in range(4):
        x = normalised(layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x))
        x = normalised(layers.Conv2D(channels, 1, use_bias=False)(x))
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    return Model(features, layers.Dense(len(LABELS), activation="softmax", name="scores")(x))


def varied(features, labels):
    """Another microphone (a shift of each coefficient), and moments that nobody heard."""
    import tensorflow as tf

    count = tf.shape(features)[0]
    spread = tf.constant([4.0, *[0.6] * (VALUES - 1)])
    shift = tf.random.normal((count, 1, VALUES, 1)) * spread[None, None, :, None]
    first = tf.random.uniform((count, 1), 0, FRAMES, tf.int32)
    length = tf.random.uniform((count, 1), 0, 7, tf.int32)
    at = tf.range(FRAMES)[None]
    hidden = ((at >= first) & (at < first + length))[..., None, None]
    mean = tf.reduce_mean(features, axis=1, keepdims=True)
    return tf.where(hidden, mean, features) + shift, labels


def fitted(features: np.ndarray, labels: np.ndarray, channels: int, epochs: int):
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(SEED)
    targets = np.eye(len(LABELS), dtype=np.float32)[labels]
    model = network(channels)
    steps = epochs * -(-len(features) // BATCH)
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, steps)),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.02),
        metrics=["accuracy"],
    )
    data = tf.data.Dataset.from_tensor_slices((features, targets)).shuffle(len(features), seed=SEED)
    model.fit(data.batch(BATCH).map(varied).prefetch(2), epochs=epochs, verbose=2)
    return model


def write(model, features: np.ndarray, output: Path) -> None:
    """The network in int8, its input with SCALE and ZERO_POINT."""
    calibration = features[:1000].copy()
    calibration[0, 0, :2, 0] = np.float32([-128 - ZERO_POINT, 127 - ZERO_POINT]) * np.float32(SCALE)
    midge_host.convert(model, output, calibration=calibration, to="tflite", tell=print)
    print(f"{output.name}: {output.stat().st_size:,} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains the keyword network.")
    parser.add_argument("folder", type=Path, help="with clips.npz")
    parser.add_argument("-o", "--output", type=Path, default=HERE / "keywords.tflite")
    parser.add_argument("--examples", type=int, default=30_000)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()
    features, labels = examples(arguments.folder / "clips.npz", arguments.examples, arguments.processes)
    model = fitted(features, labels, CHANNELS, arguments.epochs)
    write(model, features, arguments.output)


if __name__ == "__main__":
    main()
