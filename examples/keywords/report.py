"""How well the network does on recordings: python examples/keywords/report.py FOLDER|FILE.npz

FOLDER has a folder of WAVs for each word (16,000 samples a second, of which the middle one is heard), as the Speech
Commands have; FILE.npz has `x` (N, 49, 10, 1), MFCC in MLPerf Tiny's int8, and `y`, numbers of MLPERF, as EEMBC's
recordings of keywords (kws01) are.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

import midge_host
from midge_host import backends
from midge_host.files.wav import read_wav_of
from midge_host.keywords.clips import RATE
from midge_host.keywords.demo import HERE, converted
from midge_host.keywords.words import KEYWORDS, LABELS

MLPERF = ("down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes", "silence", "unknown")
NOISE = ("silence", "_background_noise_")
SURE = 0.6  # of 1: a keyword whose score is below counts as unknown


def scores_of_features(network: Path, features: np.ndarray) -> np.ndarray:
    """(N, classes) float32 of MFCC in MLPerf Tiny's int8, which are the bytes that the network takes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "network.midge")
        model = midge_host.convert(network, path)
        return real(model.outputs[0], backends.run("cpython", path, [features]).outputs[0])


def scores_of_sound(network: Path, recordings: np.ndarray) -> np.ndarray:
    """(N, classes) float32 of int16 samples (N, 16000), by the front end of the board."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "network.midge")
        model = converted(path)
        return real(model.outputs[0], backends.run("cpython", path, [recordings], reset=True).outputs[0])


def real(tensor, outputs: np.ndarray) -> np.ndarray:
    return (outputs.reshape(-1, len(LABELS)).astype(np.float32) - tensor.zero_point) * tensor.scale


def decided(scores: np.ndarray) -> np.ndarray:
    """The number of the class that each row is taken for."""
    best = scores.argmax(axis=1)
    doubtful = (scores.max(axis=1) < SURE) & np.isin(best, [LABELS.index(word) for word in KEYWORDS])
    return np.where(doubtful, LABELS.index("unknown"), best)


def figures(words: list[str], found: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Confusions (class, found as), balanced accuracy, and the share of other words that were taken for a keyword."""
    classes = np.array([LABELS.index(word) if word in LABELS else LABELS.index("unknown") for word in words])
    confusions = np.zeros((len(LABELS), len(LABELS)), int)
    np.add.at(confusions, (classes, found), 1)
    heard = confusions[confusions.sum(axis=1) > 0]
    recalls = confusions.diagonal()[confusions.sum(axis=1) > 0] / heard.sum(axis=1)
    others = confusions[LABELS.index("unknown")]
    alarms = sum(others[LABELS.index(word)] for word in KEYWORDS) / max(1, others.sum())
    return confusions, float(recalls.mean()), float(alarms)


def recordings(folder: Path) -> tuple[list[str], np.ndarray]:
    """The word of each WAV, and the second in its middle."""
    words, samples = [], []
    for path in sorted(folder.glob("*/*.wav")):
        sound = read_wav_of(path, RATE)
        missing = max(0, RATE - len(sound))
        sound = np.pad(sound, (missing // 2, missing - missing // 2))
        first = (len(sound) - RATE) // 2
        words.append("silence" if path.parent.name in NOISE else path.parent.name)
        samples.append(sound[first : first + RATE])
    return words, np.stack(samples)


def main() -> None:
    parser = argparse.ArgumentParser(description="Tells how well the keyword network does on recordings.")
    parser.add_argument("source", type=Path, metavar="FOLDER|FILE.npz")
    parser.add_argument("--network", type=Path, default=HERE / "keywords.tflite")
    arguments = parser.parse_args()
    if arguments.source.is_dir():
        words, samples = recordings(arguments.source)
        scores = scores_of_sound(arguments.network, samples)
    else:
        with np.load(arguments.source) as file:
            words, features = [MLPERF[i] for i in file["y"]], file["x"]
        scores = scores_of_features(arguments.network, features)
    found = decided(scores)
    confusions, accuracy, alarms = figures(words, found)
    print(f"{'':10}" + "".join(f"{label:>9}" for label in LABELS) + "   recall")
    for label, row in zip(LABELS, confusions, strict=True):
        print(f"{label:10}" + "".join(f"{n:9}" for n in row) + f"{row[LABELS.index(label)] / max(1, row.sum()):9.1%}")
    print(f"balanced accuracy {accuracy:.1%}; other words taken for a keyword: {alarms:.1%}")
    for word in sorted({word for word in words if word not in LABELS}):
        taken = [LABELS[i] for i, said in zip(found, words, strict=True) if said == word and LABELS[i] in KEYWORDS]
        if taken:
            counts = ", ".join(f"{k} {taken.count(k)}" for k in KEYWORDS if k in taken)
            print(f"  {word}: taken for {counts} of {words.count(word)}")


if __name__ == "__main__":
    main()
