"""Train the doorbell's ear: pip install "midge[keras]"; python examples/doorbell/train.py [FOLDER]

Takes some minutes. The sounds are simulated (sounds.py); FOLDER has recordings of your own besides, LABEL/*.wav. Writes
doorbell.midge beside itself.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from multiprocessing import Pool
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

import midge_host
from midge_host.doorbell.sounds import LABELS, RATE, Sounds
from midge_host.files.wav import read_wav_of
from midge_host.frontends.features import Frames
from midge_host.frontends.sound import parse

HERE = Path(__file__).resolve().parent
AUDIO = "micro:20ms"
FRAMES = 49  # of 0.99 s
SEED = 7
PER_CLASS = {"knock": 1600, "other": 3600, "ring": 2400}
TESTED = dict.fromkeys(LABELS, 300)
CHUNK = 100
EPOCHS = 30
PARTS = 5  # of one's own recordings one in so many is for the test
OFTEN = 10  # the others are seen as often as so many simulated sounds


def chunk(job: tuple[str, int, bool]) -> np.ndarray:
    """Features (CHUNK, FRAMES, 40) float32 of clips of a class: what the board's front end makes, having heard nothing
    before."""
    label, seed, far = job
    sounds, frames = Sounds(np.random.default_rng(seed), far), Frames(parse(AUDIO))
    return np.stack([frames.of(sounds.clip(label))[:FRAMES] for _ in range(CHUNK)])


def examples(counts: dict[str, int], seed: int, far: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Features (N, FRAMES, 40), and the class of each."""
    jobs = [
        (label, len(LABELS) * (seed * 1000 + i) + LABELS.index(label), far)
        for label, count in counts.items()
        for i in range(count // CHUNK)
    ]
    with Pool(2) as pool:
        made = pool.map(chunk, jobs)
    return np.concatenate(made), np.repeat([LABELS.index(label) for label, _, _ in jobs], CHUNK)


def own(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """The same of recordings, FOLDER/LABEL/*.wav, from 60 ms before they become loud."""
    frames, made, labels = Frames(parse(AUDIO)), [], []
    for i, label in enumerate(LABELS):
        for path in sorted((folder / label).glob("*.wav")):
            samples = read_wav_of(path, RATE).astype(int)
            loud = np.flatnonzero(np.abs(samples) > np.abs(samples).max() / 5)
            start = max(0, loud[0] - round(0.06 * RATE)) if len(loud) else 0
            features = frames.of(samples[start:].astype(np.int16))[:FRAMES]
            if len(features) < FRAMES:
                sys.exit(f"{path}: record a second more: {len(samples) - start} samples from where it becomes loud")
            made.append(features)
            labels.append(i)
    if len(made) < PARTS:
        sys.exit(f"{folder}: {len(made)} recordings; record knock/*.wav, other/*.wav and ring/*.wav, ten each or more")
    return np.stack(made), np.array(labels)


def network():
    """Features (49, 40) to a probability of each class."""
    from keras import Input, Model, layers

    def normalised(x):
        return layers.ReLU()(layers.BatchNormalization()(x))

    features = Input((FRAMES, 40), name="sound")
    x = layers.Reshape((FRAMES, 40, 1))(layers.GaussianNoise(1.0)(features))
    x = normalised(layers.Conv2D(8, (5, 8), strides=(2, 4), padding="same", use_bias=False)(x))
    for channels, strides in ((16, 2), (24, 1), (32, 2)):
        x = normalised(layers.DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False)(x))
        x = normalised(layers.Conv2D(channels, 1, use_bias=False)(x))
    x = layers.Dropout(0.3)(layers.GlobalAveragePooling2D()(x))
    return Model(features, layers.Dense(len(LABELS), activation="softmax", name="door")(x))


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains the doorbell's ear.")
    parser.add_argument("folder", nargs="?", type=Path, help="recordings, LABEL/*.wav; without it simulated ones alone")
    parser.add_argument("-o", "--output", type=Path, default=HERE / "doorbell.midge")
    arguments = parser.parse_args()
    recorded = own(arguments.folder) if arguments.folder else None

    import keras

    keras.utils.set_random_seed(SEED)
    x, y = examples(PER_CLASS, 1)
    tests = {
        "like those trained on": examples(TESTED, 2),
        "with other parameters": examples(TESTED, 2, far=True),
    }
    if recorded:
        apart = np.arange(len(recorded[0])) % PARTS == 0
        x = np.concatenate([x, *[recorded[0][~apart]] * OFTEN])
        y = np.concatenate([y, *[recorded[1][~apart]] * OFTEN])
        tests["recorded"] = recorded[0][apart], recorded[1][apart]
    model = network()
    rate = keras.optimizers.schedules.CosineDecay(2e-3, EPOCHS * len(x) // 64)
    model.compile(keras.optimizers.Adam(rate), keras.losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
    model.fit(x, y, batch_size=64, epochs=EPOCHS, verbose=2)
    for kind, (tested, wanted) in tests.items():
        named = model.predict(tested, verbose=0).argmax(axis=1)
        print(f"{(named == wanted).mean():.1%} of {len(wanted)} sounds {kind}")
        for i in np.unique(wanted):
            print(f"  {LABELS[i]:6s} {(named[wanted == i] == i).mean():.1%}")
    with tempfile.TemporaryDirectory() as folder:
        names = Path(folder, "labels.txt")
        names.write_text("\n".join(LABELS))
        midge_host.convert(
            model,
            arguments.output,
            audio=AUDIO,
            every=FRAMES,
            calibration=x[::10],
            labels=names,
            name="doorbell",
            tell=print,
        )
    print(f"{arguments.output.name}: {arguments.output.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
