"""Make motion.midge: pip install "midge[keras]"; python examples/teach/train.py

Takes seconds, as nothing is trained: the network's first layer brings features of motion to one size, and the learner
looks at these. How much they vary, and how near one gesture comes to another, is told from simulated gestures (those of
examples/gesture, which were never measured on a hand).
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import midge_host
from midge_host import series
from midge_host.files.readings import Readings
from midge_host.gesture import simulation

HERE = Path(__file__).resolve().parent
FEATURES = "std,min,max,diff,crossings,bands:6"
WINDOW, HOP = 128, 32  # samples, 1.28 s
UNIT = 1 / 8192  # g for a step: 4 g fill int16
SEED = 7


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes motion.midge.")
    parser.add_argument("-o", "--output", type=Path, default=HERE / "motion.midge")
    output = parser.parse_args().output
    recorded = simulation.recordings(30, 4, SEED)
    windows = [series.windows(samples, WINDOW, HOP) for _, samples in recorded]
    labels = np.repeat([simulation.GESTURES.index(name) for name, _ in recorded], [len(w) for w in windows])
    x = np.concatenate(windows)
    features = series.features(x, FEATURES, unit=UNIT)
    normalised = keras.layers.Normalization()
    normalised.adapt(features)
    network = keras.Sequential([keras.Input(features.shape[1:]), normalised, keras.layers.Dense(1)])
    midge_host.convert(
        network,
        output,
        features=FEATURES,
        window=WINDOW,
        unit=UNIT,
        calibration=x,
        learn="auto",
        impostors=Readings([x], labels, list(simulation.GESTURES), "simulated gestures"),
        false_accepts=0.1,
        name="motion",
        allow_loss=True,  # of a layer that nobody looks at
        tell=print,
    )
    print(f"{output.name}: {output.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
