"""Train a small network on data/THING/*.png or .jpg: pictures of any size, cut to a square around their middle."""

import os
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from midge_host.person.demo import frame

os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
import keras

SIDE = 48  # pixels that the network sees
APART = 5  # one picture of so many is for the test
PLAYED = 3  # of each class, by the stand-in camera

paths = sorted(path for path in Path("data").glob("*/*") if path.suffix.lower() in (".png", ".jpg", ".jpeg"))
if len(paths) < APART:
    sys.exit(f"data/: {len(paths)} pictures; take {APART} or more of each thing")
pictures = [Image.open(path).convert("RGB") for path in paths]
x = np.array([np.asarray(ImageOps.fit(picture, (SIDE, SIDE))) for picture in pictures], np.float32) / 255
things, y = np.unique([path.parent.name for path in paths], return_inverse=True)
apart = np.arange(len(x)) % APART == 0

keras.utils.set_random_seed(0)
network = keras.Sequential(
    [
        keras.layers.Input((SIDE, SIDE, 3)),
        keras.layers.Conv2D(8, 5, strides=2, padding="same", activation="relu"),
        keras.layers.SeparableConv2D(16, 3, strides=2, padding="same", activation="relu"),
        keras.layers.SeparableConv2D(32, 3, strides=2, padding="same", activation="relu"),
        keras.layers.GlobalMaxPooling2D(),
        keras.layers.Dense(len(things), activation="softmax"),
    ]
)
network.compile(optimizer=keras.optimizers.Adam(0.005), loss="sparse_categorical_crossentropy")
network.fit(x[~apart], y[~apart], epochs=30, batch_size=16, verbose=0)
network.save("PROJECT.keras")
right = (network.predict(x[apart], verbose=0).argmax(1) == y[apart]).mean()
print(f"PROJECT.keras: {right:.1%} of {apart.sum()} pictures held apart are named right")

Path("labels.txt").write_text("\n".join(things) + "\n")
np.savez("calibration.npz", inputs=x[~apart])
np.savez("test.npz", inputs=x[apart], labels=y[apart])

# Frames of 16 bits, 160 x 120 pixels, for the stand-in camera to play. The first is the one that main.py looks at.
played = [i for k in range(len(things)) for i in np.flatnonzero(apart & (y == k))[:PLAYED]]
frames = [frame(np.asarray(pictures[i])) for i in [played[0], *played]]
Path("standin/frames.bin").write_bytes(b"".join(frames))
