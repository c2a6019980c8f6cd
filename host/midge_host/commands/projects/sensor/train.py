"""Train a small network on data/VALUE/*.csv: a line volts,celsius for each reading; VALUE is what it should become."""

import sys
from pathlib import Path

import numpy as np
import skops.io
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

APART = 5  # one recording of so many is for the test

paths = sorted(Path("data").glob("*/*.csv"))
if len(paths) < APART:
    sys.exit(f"data/: {len(paths)} recordings; record {APART} or more")
recordings = [np.loadtxt(path, np.float32, delimiter=",", ndmin=2) for path in paths]
x, lengths = np.concatenate(recordings), [len(recording) for recording in recordings]
y = np.repeat([float(path.parent.name) for path in paths], lengths)
apart = np.repeat(np.arange(len(paths)) % APART == 0, lengths)

network = MLPRegressor(hidden_layer_sizes=(12, 12), solver="lbfgs", max_iter=2000, alpha=0.1, random_state=0)
model = make_pipeline(StandardScaler(), network).fit(x[~apart], y[~apart])
skops.io.dump(model, "PROJECT.skops")
error = np.abs(model.predict(x[apart]) - y[apart])
print(f"PROJECT.skops: {error.mean():.2f} off on average, {error.max():.2f} at most, {apart.sum()} readings held apart")
np.savez("test.npz", inputs=x[apart], labels=y[apart, None])

# What the board's converter gives for every tenth of them, for the stand-in to play: volts of 3.3 as 16 bits, the
# probe's and those of the Pico's own thermometer (sensor.py has the formula).
volts, celsius = x[apart][::10].T
pairs = np.stack([volts, 0.706 - (celsius - 27) * 0.001721], axis=1) / 3.3 * 65535
Path("standin/readings.bin").write_bytes(np.round(pairs).astype("<u2").tobytes())
