"""Training that makes models small: what the kernels of a Keras model are held to while they learn.

A kernel keeps its own values. For each batch it is taken as what it is held to, zeros where it is pruned or a channel's
levels, and the gradient for that moves its own values (a straight-through estimator: Bengio et al., "Estimating or
propagating gradients through stochastic neurons", 2013; for whole nets Courbariaux et al., "BinaryConnect", 2015).
"""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from keras import layers

Held = Callable[[tf.Tensor], tf.Tensor]
TEMPERATURE = 4.0  # of what a teacher tells
BATCH, SEED = 64, 7


def kernels(model: keras.Model) -> list[keras.Variable]:
    """Of all convolutions and dense layers, in their order."""
    return [
        layer.kernel
        for layer in model.layers
        if isinstance(layer, (layers.Conv2D, layers.DepthwiseConv2D, layers.Dense))
    ]


def pruned(kernel: np.ndarray, share: float) -> Held:
    """Holds the `share` of the weights that are smallest now at 0 (Han et al., "Learning both weights and connections",
    2015)."""
    magnitudes = np.abs(kernel)
    kept = tf.constant((magnitudes > np.quantile(magnitudes, share)).astype(np.float32)) if share else 1.0
    return lambda values: values * kept


def levels(axis: int, bits: int) -> Held:
    """Holds weights at whole multiples of their output channel's step, 2^(bits - 1) - 1 of them at most on either
    side of 0. Zeros stay zeros.

    The step is 2 mean(|w|) / sqrt(most), over weights that are not 0: where learned step sizes begin (Esser et al.,
    "Learned step size quantization", 2020). axis: of output channels.
    """
    most = 2.0 ** (bits - 1) - 1

    def held(values: tf.Tensor) -> tf.Tensor:
        others = [a for a in range(len(values.shape)) if a != axis]
        magnitudes = tf.abs(values)
        count = tf.reduce_sum(tf.cast(magnitudes > 0, tf.float32), others, keepdims=True)
        mean = tf.reduce_sum(magnitudes, others, keepdims=True) / tf.maximum(count, 1)
        step = tf.maximum(2 * mean / most**0.5, 1e-12)
        return step * tf.clip_by_value(tf.round(values / step), -most, most)

    return held


def channel_axis(kernel: keras.Variable) -> int:
    """Of a kernel's output channels: a depthwise one's are those of its input."""
    is_depthwise = len(kernel.shape) == 4 and kernel.shape[-1] == 1
    return len(kernel.shape) - (2 if is_depthwise else 1)


def fit(
    model: keras.Model,
    readings: np.ndarray,
    labels: np.ndarray,
    epochs: int,
    rate: float,
    told: np.ndarray | None = None,
    held: list[Held] | None = None,
) -> None:
    """Trains a classifier that ends in a softmax, its kernels in the end what they are held to.

    readings: float32 (N, ...). labels: int (N,). rate: of Adam, at first; it falls as a cosine. told: a teacher's
    probabilities (N, classes), which count half, softened (Hinton et al., "Distilling the knowledge in a neural
    network", 2015). held: for each of `kernels(model)`.
    """
    steps = len(readings) // BATCH
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, epochs * steps))
    optimizer.build(model.trainable_variables)
    pairs = list(zip(kernels(model), held, strict=True)) if held else []
    targets = tf.one_hot(labels, model.output_shape[-1])
    softened = soft(tf.constant(told, tf.float32)) if told is not None else targets
    known = tf.constant(readings)

    @tf.function(autograph=False)
    def step(chosen: tf.Tensor) -> None:
        own = [tf.identity(kernel.value) for kernel, _ in pairs]
        for kernel, hold in pairs:
            kernel.assign(hold(kernel.value))
        with tf.GradientTape() as tape:
            answers = model(tf.gather(known, chosen), training=True)
            loss = apart(tf.gather(targets, chosen), answers)
            if told is not None:
                loss = (loss + TEMPERATURE**2 * apart(tf.gather(softened, chosen), soft(answers))) / 2
        gradients = tape.gradient(loss, model.trainable_variables)
        for (kernel, _), values in zip(pairs, own, strict=True):
            kernel.assign(values)
        optimizer.apply(gradients, model.trainable_variables)

    order = np.random.default_rng(SEED)
    for _ in range(epochs):
        for chosen in order.permutation(len(readings))[: steps * BATCH].reshape(steps, BATCH):
            step(tf.constant(chosen))
    for kernel, hold in pairs:
        kernel.assign(hold(kernel.value))


def apart(told: tf.Tensor, answers: tf.Tensor) -> tf.Tensor:
    """Cross-entropy, mean of a batch."""
    return tf.reduce_mean(keras.losses.categorical_crossentropy(told, answers))


def soft(answers: tf.Tensor) -> tf.Tensor:
    """Probabilities as a softmax of TEMPERATURE gives them."""
    rooted = tf.maximum(answers, 1e-4) ** (1 / TEMPERATURE)
    return rooted / tf.reduce_sum(rooted, -1, keepdims=True)
