"""Train a forest on data/GESTURE/*.csv, each a recording: a line x,y,z in g for a sample, 100 a second."""

import sys
from pathlib import Path

import numpy as np
import skops.io
from sklearn.ensemble import RandomForestClassifier

from midge_host import series

# `midge convert` is given the first three too.
FEATURES = "std,min,max,bands:8"
WINDOW = 128  # samples
UNIT = 0.0001220703125  # g, 1 / 8192: 4 g fill int16
HOP = 32  # samples from one window to the next, as in main.py
APART = 5  # one recording of so many is for the test


def windows(recordings):
    """(windows, WINDOW, 3) and the gesture of each."""
    each = [series.windows(samples, WINDOW, HOP) for _, samples in recordings]
    return np.concatenate(each), np.repeat([name for name, _ in recordings], [len(cut) for cut in each])


paths = sorted(Path("data").glob("*/*.csv"))
if len(paths) < APART:
    sys.exit(f"data/: {len(paths)} recordings; record each gesture {APART} times or more")
recordings = [(path.parent.name, np.loadtxt(path, np.float32, delimiter=",", ndmin=2)) for path in paths]
apart = recordings[::APART]
x, y = windows([r for i, r in enumerate(recordings) if i % APART])
forest = RandomForestClassifier(12, max_depth=6, min_samples_leaf=3, random_state=0)
forest.fit(series.features(x, FEATURES, unit=UNIT), y)
skops.io.dump(forest, "PROJECT.skops")

x, y = windows(apart)
np.savez("test.npz", inputs=x, labels=y)
right = (forest.predict(series.features(x, FEATURES, unit=UNIT)) == y).mean()
print(f"PROJECT.skops: {right:.1%} of {len(y)} windows of {len(apart)} recordings held apart are named right")

# One recording of each gesture for the stand-in sensor to play: int16 steps, of a sensor at address 0x68.
played = np.concatenate(list({name: samples for name, samples in apart}.values()))
Path("standin/samples.bin").write_bytes(np.round(played / UNIT).clip(-32768, 32767).astype("<i2").tobytes())
Path("standin/address.txt").write_text(str(0x68))
