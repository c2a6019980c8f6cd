"""Train a small network on data/WORD/*.wav: mono, 16 bits, 16,000 samples a second, one second or longer."""

import os
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np

os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
import keras

AUDIO, FRAMES = "micro:20ms", 49  # a second; `midge convert` is given the first
APART = 5  # one recording of so many is for the test
SILENCE = bytes(2 * 16_000)

paths = sorted(Path("data").glob("*/*.wav"))
if len(paths) < APART:
    sys.exit(f"data/: {len(paths)} recordings; record each word {APART} times or more")
# The features that the board will compute, byte for byte.
command = ["midge", "features", "data", "-o", "features.npz", "--audio", AUDIO, "--frames", str(FRAMES)]
if subprocess.run(command).returncode:
    sys.exit(1)
loaded = np.load("features.npz")
x, (words, y) = loaded["inputs"][..., None], np.unique(loaded["labels"], return_inverse=True)
apart = np.arange(len(x)) % APART == 0

keras.utils.set_random_seed(0)
network = keras.Sequential(
    [
        keras.layers.Input(x.shape[1:]),
        keras.layers.Conv2D(8, (10, 8), strides=2, padding="same", activation="relu"),
        keras.layers.SeparableConv2D(16, 3, strides=2, padding="same", activation="relu"),
        keras.layers.SeparableConv2D(32, 3, padding="same", activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(len(words), activation="softmax"),
    ]
)
network.compile(optimizer=keras.optimizers.Adam(0.005), loss="sparse_categorical_crossentropy")
network.fit(x[~apart], y[~apart], epochs=30, batch_size=16, verbose=0)
network.save("PROJECT.keras")
right = (network.predict(x[apart], verbose=0).argmax(1) == y[apart]).mean()
print(f"PROJECT.keras: {right:.1%} of {apart.sum()} recordings held apart are named right")

Path("labels.txt").write_text("\n".join(words) + "\n")
np.savez("calibration.npz", inputs=x[~apart], audio=loaded["audio"])
np.savez("test.npz", inputs=x[apart], labels=y[apart], audio=loaded["audio"])

# One recording of each word for the stand-in microphone to play, with silence between them.
heard = SILENCE
for word in words:
    with wave.open(str(next(p for p, a in zip(paths, apart, strict=True) if a and p.parent.name == word))) as file:
        heard += file.readframes(file.getnframes()) + SILENCE
Path("standin/sound.raw").write_bytes(heard)
