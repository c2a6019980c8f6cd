"""Train the gesture classifier: pip install "midge[sklearn]"; python examples/gesture/train.py [FOLDER]

Takes seconds. Without FOLDER the gestures are simulated (simulation.py); FOLDER holds recordings of your own as
`midge record` writes them: a folder for each gesture, a sample (x, y, z in g) a line. Writes gesture.midge beside
itself.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from sklearn.ensemble import RandomForestClassifier

import midge_host
from midge_host import series
from midge_host.errors import MidgeError
from midge_host.files.readings.folders import read_recording
from midge_host.gesture import simulation

HERE = Path(__file__).resolve().parent
FEATURES = "std,min,max,bands:8"
WINDOW = 128  # samples, 1.28 s
HOP = 32
UNIT = 1 / 8192  # g for a step: 4 g fill int16
SEED = 7
PARTS = 5  # of one's own recordings one in so many is for the test


def features(recordings: list[tuple[str, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """(windows, 33) float32 and the gesture of each window."""
    windows = [series.windows(samples, WINDOW, HOP) for _, samples in recordings]
    labels = np.repeat([name for name, _ in recordings], [len(w) for w in windows])
    return series.features(np.concatenate(windows), FEATURES, unit=UNIT), labels


def own(folder: Path) -> tuple[list[tuple[str, np.ndarray]], list[tuple[str, np.ndarray]]]:
    """Recordings to train on and to test with: whole ones, since windows of one recording are alike."""
    paths = sorted(folder.glob("*/*.csv"))
    if len(paths) < PARTS:
        sys.exit(f"{folder}: {len(paths)} files GESTURE/*.csv; record at least {PARTS} of each gesture")
    read = [(path.parent.name, recording(path)) for path in paths]
    return [r for i, r in enumerate(read) if i % PARTS], read[::PARTS]


def recording(path: Path) -> np.ndarray:
    """(samples, 3) float32 in g of a file that `midge record` made."""
    try:
        samples = read_recording(path)
    except MidgeError as error:
        sys.exit(str(error))
    if len(samples) < WINDOW or samples.shape[1] != 3:
        sys.exit(f"{path}: {samples.shape} numbers; a recording has {WINDOW} lines or more of three, x,y,z in g")
    return samples


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains the gesture classifier.")
    parser.add_argument("folder", nargs="?", type=Path, help="recordings, GESTURE/*.csv; without it simulated ones")
    parser.add_argument("-o", "--output", type=Path, default=HERE / "gesture.midge")
    arguments = parser.parse_args()
    if arguments.folder:
        train, test = own(arguments.folder)
    else:
        train = simulation.recordings(100, 8, seed=SEED)
        test = simulation.recordings(25, 8, seed=SEED + 1, far=True)
    x, y = features(train)
    forest = RandomForestClassifier(12, max_depth=6, min_samples_leaf=3, random_state=SEED).fit(x, y)
    x, y = features(test)
    predicted = forest.predict(x)
    print(f"{(predicted == y).mean():.1%} of {len(y)} windows of the {len(test)} recordings held apart")
    for name in forest.classes_:
        print(f"  {name:8s} {(predicted[y == name] == name).mean():.1%} of {(y == name).sum()}")
    midge_host.convert(forest, arguments.output, features=FEATURES, window=WINDOW, unit=UNIT, name="gesture")
    print(f"{arguments.output.name}: {arguments.output.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
