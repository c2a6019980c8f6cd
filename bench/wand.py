"""A gesture model of raw accelerations in g beside rates in degrees a second, for docs/quantising.md.

Trains small Keras models, with a Normalization layer and without one, on each half of the recordings in ../shared/data;
quantises them with that half and tests on the other one.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from midge_host.frontends import tflite
from midge_host.ir import batch
from midge_host.quantize import Options
from quantise import DATA, quantised_outputs, score

# What a model without normalisation is told of the size of accelerations and rates.
UNITS = np.array([1, 1, 1, 0.005, 0.005, 0.005], np.float32)


def trained(readings: np.ndarray, labels: np.ndarray, normalises: bool) -> keras.Model:
    keras.utils.set_random_seed(1)
    first = keras.layers.Normalization() if normalises else keras.layers.Activation("linear")
    if normalises:
        first.adapt(readings)
    layers = [
        keras.layers.Input(readings.shape[1:]),
        first,
        keras.layers.Conv1D(12, 5, strides=2, padding="same", activation="relu"),
        keras.layers.Conv1D(16, 5, strides=2, padding="same", activation="relu"),
        keras.layers.GlobalAveragePooling1D(),
        keras.layers.Dense(int(labels.max()) + 1, activation="softmax"),
    ]
    model = keras.Sequential(layers)
    if not normalises:  # as if it had been trained for long: weights that fit the units
        kernel, bias = model.layers[1].get_weights()
        model.layers[1].set_weights([kernel * UNITS[None, :, None], bias])
    optimiser = keras.optimizers.Adam(0.005)
    model.compile(optimiser, "sparse_categorical_crossentropy")
    model.fit(readings, labels, epochs=60, batch_size=16, verbose=0)
    return model


def main() -> None:
    data = np.load(DATA / "data/imu_wand_train.npz")
    readings = next(data[k] for k in data if data[k].ndim == 3).astype(np.float32)
    labels = data["y"]
    order = np.random.default_rng(0).permutation(len(labels))
    halves = order[: len(order) // 2], order[len(order) // 2 :]
    print("| model | float | midge |")
    print("| --- | --- | --- |")
    for normalises in (True, False):
        scores = []
        for half, rest in (halves, halves[::-1]):
            model = trained(readings[half], labels[half], normalises)
            graph = tflite.load_tflite(tf.lite.TFLiteConverter.from_keras_model(model).convert(), "wand")
            floats = batch.run(graph, [readings[rest]])[id(graph.outputs[0].tensor)]
            integers = quantised_outputs(graph, readings[half], readings[rest], Options())
            scores.append([score(made, floats, labels[rest]) for made in (floats, integers)])
        name = "with Normalization" if normalises else "raw"
        print(f"| {name} | {np.mean(scores, 0)[0]:.1f} | {np.mean(scores, 0)[1]:.1f} |")


if __name__ == "__main__":
    main()
