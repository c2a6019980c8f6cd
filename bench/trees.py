"""`python bench/trees.py`: forests of scikit-learn in midge's file and in emlearn's C, their sizes and their time here.

emlearn (`pip install emlearn`) writes C, which gcc compiles; where arm-none-eabi-gcc is, its size is that on a
Cortex-M0+ with -Os. Readings are whole numbers of 16 bits, as emlearn takes them: it does not scale them itself. Times
are the best of a second of calls from Python, whose own part is among them.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from array import array
from pathlib import Path
from typing import Any, NamedTuple

import emlearn
import numpy as np
from pc import best
from sklearn import datasets, ensemble

import midge
from midge_host.conversion import convert

ARM = ["arm-none-eabi-gcc", "-mcpu=cortex-m0plus", "-mthumb"]


class Case(NamedTuple):
    """What is trained, and on what: half of a data set of scikit-learn, scaled to 16 bits."""

    name: str
    model: Any
    data: Any


CASES = (
    Case("RandomForest, 10 trees, iris", ensemble.RandomForestClassifier(10, random_state=0), datasets.load_iris),
    Case(
        "RandomForest, 50 trees, cancer",
        ensemble.RandomForestClassifier(50, random_state=0),
        datasets.load_breast_cancer,
    ),
    Case(
        "RandomForest, 50 trees of depth 5, cancer",
        ensemble.RandomForestClassifier(50, max_depth=5, random_state=0),
        datasets.load_breast_cancer,
    ),
    Case("RandomForest, 20 trees, digits", ensemble.RandomForestClassifier(20, random_state=0), datasets.load_digits),
    Case("ExtraTrees, 20 trees, digits", ensemble.ExtraTreesClassifier(20, random_state=0), datasets.load_digits),
    Case(
        "RandomForest, 20 trees of depth 5, digits",
        ensemble.RandomForestClassifier(20, max_depth=5, random_state=0),
        datasets.load_digits,
    ),
)


class Row(NamedTuple):
    """bytes: of all that holds the model. equal: share of labels that are scikit-learn's. microseconds: of a
    prediction."""

    name: str
    bytes: int
    equal: float
    microseconds: float


def midges(model: Any, x: np.ndarray, features: str, folder: Path) -> Row:
    path = folder / "m.midge"
    convert(model, path, features=features)
    loaded = midge.load(str(path), backend="native")
    readings = [array("f", row) for row in x.astype(np.float32)]
    labels = [int(loaded.classify(reading)[0]) for reading in readings]
    out = array("f", [0.0] * loaded.outputs[0].size)
    time = best(lambda: loaded.predict_into(readings[0], out))
    return Row(f"midge, {features}", path.stat().st_size, float(np.mean(labels == model.predict(x))), time * 1000)


def emlearns(model: Any, x: np.ndarray, method: str, folder: Path) -> Row:
    code = emlearn.convert(model, method=method, dtype="int16_t", leaf_bits=8).save(name="forest", include_proba=False)
    source, library, target = (folder / f"forest.{suffix}" for suffix in ("c", "so", "o"))
    source.write_text(code)
    include = ["-I", str(Path(emlearn.__file__).parent)]
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", *include, str(source), "-o", str(library)], check=True)
    arm = ARM if shutil.which(ARM[0]) else ["gcc"]
    subprocess.run(
        [*arm, "-Os", "-c", "-ffunction-sections", "-fdata-sections", *include, str(source), "-o", str(target)],
        check=True,
    )
    predict = ctypes.CDLL(str(library)).forest_predict
    readings = [(ctypes.c_int16 * len(row))(*row) for row in x.astype(int).tolist()]
    count = ctypes.c_int32(x.shape[1])
    labels = model.classes_[[predict(reading, count) for reading in readings]]
    time = best(lambda: predict(readings[0], count))
    return Row(f"emlearn, {method}", _size(target), float(np.mean(labels == model.predict(x))), time * 1000)


def _size(target: Path) -> int:
    """Code and constants that a program needs: what starts at forest_predict."""
    linked = target.with_suffix(".elf")
    arm = bool(shutil.which(ARM[0]))
    tools = "arm-none-eabi-" if arm else ""
    linker = ([*ARM, "--specs=nosys.specs"] if arm else ["gcc"]) + [
        "-nostartfiles",
        "-Wl,--gc-sections",
        "-Wl,-e,forest_predict",
    ]
    subprocess.run([*linker, str(target), "-lm", "-o", str(linked)], check=True)
    told = subprocess.run([f"{tools}size", str(linked)], check=True, capture_output=True, text=True).stdout
    text, data = told.splitlines()[1].split()[:2]
    return int(text) + int(data)


def scaled(x: np.ndarray) -> np.ndarray:
    """Whole numbers of 16 bits, each feature over 0 to 30,000."""
    low, high = x.min(0), x.max(0)
    return np.round((x - low) / np.where(high > low, high - low, 1) * 30000)


def main() -> None:
    for case in CASES:
        x, y = case.data(return_X_y=True)
        x = scaled(x)
        model = case.model.fit(x[::2], y[::2])
        nodes = sum(tree.tree_.node_count for tree in model.estimators_)
        with tempfile.TemporaryDirectory() as folder:
            rows = [midges(model, x[1::2], features, Path(folder)) for features in ("float32", "int16")]
            rows += [emlearns(model, x[1::2], method, Path(folder)) for method in ("loadable", "inline")]
        for row in rows:
            each = f"{row.bytes:,} | {row.bytes / nodes:.1f} | {row.equal * 100:.1f} % | {row.microseconds:.1f}"
            print(f"| {case.name} | {nodes:,} | {row.name} | {each} |")


if __name__ == "__main__":
    main()
