"""Accuracy of real models: in float, and as midge quantises them, for docs/quantising.md.

Reads ../shared/data beside the project's folder. Calibration readings are other rows than those that are tested: the
rows are dealt into parts, and each part is tested with scales from the others.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from midge_host import backends, frontends
from midge_host.conversion import build
from midge_host.ir import batch
from midge_host.ir.graph import Graph
from midge_host.quantize import Options, quantise

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
PARTS = 3

Rows = tuple[np.ndarray, np.ndarray | None]  # readings, labels


def people() -> Rows:
    data = np.load(DATA / "data/coco_vww_train.npz")
    return data["x96"].astype(np.float32) / 255, data["y"]


def objects() -> Rows:
    data = np.load(DATA / "data/cifar10_jpg.npz")
    return next(data[k] for k in data if data[k].ndim == 4).astype(np.float32), data["y"]


def digits() -> Rows:
    data = np.load(DATA / "data/mnist.npz")
    return next(data[k] for k in data if data[k].ndim == 3).astype(np.float32)[..., None] / 255, data["y"]


def words() -> Rows:
    data = np.load(DATA / "data/kws01_mfcc_int8.npz")
    return (data["x"].astype(np.float32) - 83) * np.float32(0.5847029), data["y"]


def machine() -> Rows:
    frames = np.fromfile(DATA / "data/normal_id_01_00000000_hist_librosa.bin", "<f4").reshape(200, 128)
    return np.stack([frames[i : i + 5].ravel() for i in range(196)]), None


MODELS: dict[str, Callable[[], Rows]] = {
    "models/vww_96_float.tflite": people,
    "models/pretrainedResnet_float.tflite": objects,
    "models/mnist_cnn_fp32.tflite": digits,
    "models/kws_float.tflite": words,
    "models/ad01_fp32.tflite": machine,
    "onnx/model_kws.onnx": words,
    "onnx/model_vww.onnx": people,  # midge takes its channels last
}


def score(outputs: np.ndarray, readings: np.ndarray, labels: np.ndarray | None) -> float:
    """Per cent of right classes; of an autoencoder the mean squared error."""
    outputs = outputs.reshape(len(outputs), -1)
    if labels is None:
        return float(((outputs - readings.reshape(len(readings), -1)) ** 2).mean())
    return 100 * float((outputs.argmax(1) == labels).mean())


def quantised_outputs(graph: Graph, calibration: np.ndarray, readings: np.ndarray, options: Options) -> np.ndarray:
    """What the device library gives, as real numbers."""
    made = quantise(graph, [calibration], options)
    model = build(made.graph)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.midge"
        path.write_bytes(model.to_bytes())
        stored = backends.run("cpython", path, [readings.astype(np.float32)]).outputs[0]
    output = model.outputs[0]
    return (stored.astype(np.float64) - output.zero_point) * output.scale


def measure(name: str, options: Options) -> tuple[float, float, float]:
    """The score of floats, that of integers, and the seconds that quantising and running took."""
    graph = frontends.load(DATA / name).graph
    readings, labels = MODELS[name]()
    floats = batch.run(graph, [readings])[id(graph.outputs[0].tensor)]
    start = time.perf_counter()
    outputs = np.zeros((len(readings), graph.outputs[0].tensor.size))
    part = np.arange(len(readings)) % PARTS
    for i in range(PARTS):
        outputs[part == i] = quantised_outputs(graph, readings[part != i], readings[part == i], options).reshape(
            -1, outputs.shape[1]
        )
    seconds = time.perf_counter() - start
    return score(floats, readings, labels), score(outputs, readings, labels), seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="models whose name holds this")
    parser.add_argument("--precision", default="int8")
    arguments = parser.parse_args()
    print("| model | float | midge |")
    print("| --- | --- | --- |")
    for name in MODELS:
        if arguments.only in name:
            real, integers, seconds = measure(name, Options(precision=arguments.precision))
            print(f"| {Path(name).name} | {real:.3f} | {integers:.3f} | {seconds:.1f}", flush=True)


if __name__ == "__main__":
    main()
