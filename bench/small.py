"""Files against accuracy of `midge convert --small`, for docs/compression.md.

Reads ../shared/data beside the project's folder. Weights are made by some rows, and the others are tested: on the
device library under CPython. `--random` adds what random nets keep.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "support"))

import float_graphs
from midge_host import frontends
from midge_host.conversion import Wanted, convert
from midge_host.ir import batch
from midge_host.ir.graph import Graph
from midge_host.quantize import quantise
from midge_host.quantize.readings import encoded
from midge_host.quantize.small import channel_effects, coarse, rounding, shrinkable
from quantise import DATA, digits, objects, people, words

RANDOM = 50
KB = 1024
CROPS = 32  # of each picture that is tested
MADE_FROM = 15  # of each one that weights are made from


def cropped(pictures: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Parts of pictures (N, 96, 96, 3), two thirds of a side or more, as large as they were, half of them mirrored."""
    from PIL import Image

    made = []
    for picture in np.repeat(np.round(pictures * 255).astype(np.uint8), count, 0):
        side = int(rng.integers(64, 97))
        top, left = rng.integers(0, 97 - side, 2)
        part = Image.fromarray(picture[top : top + side, left : left + side]).resize(
            (96, 96), Image.Resampling.BILINEAR
        )
        made.append(np.asarray(part)[:, :: rng.choice([1, -1])])
    return np.stack(made).astype(np.float32) / 255


@dataclass(frozen=True)
class Split:
    """tested: readings that nobody may know the labels of; known: those with labels."""

    calibration: np.ndarray
    tested: np.ndarray
    known: np.ndarray
    labels: np.ndarray


def dealt(rows: Callable[[], tuple[np.ndarray, np.ndarray | None]], count: int) -> Split:
    readings, labels = rows()
    assert labels is not None
    order = np.random.default_rng(1).permutation(len(readings))
    others = readings[order[count:]]
    return Split(readings[order[:count]], others, others, labels[order[count:]])


def crops() -> Split:
    """Of twelve pictures and four of another collection; the others' are tested for the same answers as of floats, and
    all pictures as they are for the right ones."""
    pictures, labels = people()
    assert labels is not None
    split = dealt(people, 12)
    known = np.load(DATA / "data/cfu_vww4.npz")
    four = next(known[k] for k in known if known[k].ndim == 4).astype(np.float32)
    readings = np.concatenate([split.calibration, (four + 128) / 255])
    rng = np.random.default_rng(1)
    made = np.concatenate([readings, cropped(readings, MADE_FROM, rng)])
    return Split(made, cropped(split.tested, CROPS, rng), pictures, labels)


@dataclass(frozen=True)
class Asked:
    """What --bytes and --macs are."""

    size: int
    macs: float = 1.0

    def __str__(self) -> str:
        return f"--bytes {self.size}" + (f" --macs {self.macs:g}" if self.macs != 1 else "")


MODELS: dict[str, tuple[Callable[[], Split], tuple[Asked, ...]]] = {
    "vww_96_float": (crops, (Asked(18 * KB, macs=0.97),)),
    "kws_float": (lambda: dealt(words, 200), (Asked(12 * KB), Asked(10 * KB))),
    "pretrainedResnet_float": (lambda: dealt(objects, 100), (Asked(36 * KB), Asked(30 * KB))),
    "mnist_cnn_fp32": (lambda: dealt(digits, 300), (Asked(2560), Asked(2048))),
}


def measure(name: str) -> None:
    """Prints a line for the model of floats, one for int8, and one for each size."""
    source = DATA / "models" / f"{name}.tflite"
    split = MODELS[name][0]()
    graph = frontends.load(source).graph
    floats, right = (
        batch.run(graph, [x])[id(graph.outputs[0].tensor)].reshape(len(x), -1).argmax(1)
        for x in (split.tested, split.known)
    )
    print(f"| {name} | floats | | {100 * (right == split.labels).mean():.1f} % | | |", flush=True)
    for asked in (None, *MODELS[name][1]):
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.midge"
            wanted = Wanted(asked.size) if asked else None
            macs = asked.macs if asked else 1.0
            convert(source, path, calibration=split.calibration, small=wanted, macs=macs, allow_loss=True)
            seconds = time.perf_counter() - start
            same = 100 * (run(path, split.tested) == floats).mean()
            right = 100 * (run(path, split.known) == split.labels).mean()
            written = path.stat().st_size
        print(f"| | {asked or 'int8'} | {written:,} | {right:.1f} % | {same:.1f} % | {seconds:.0f} s |", flush=True)


def run(path: Path, readings: np.ndarray) -> np.ndarray:
    """The class that the model gives each reading."""
    from midge_host import backends

    return backends.run("cpython", path, [readings]).outputs[0].reshape(len(readings), -1).argmax(1)


def kept_at_4_bits(seed: int) -> float:
    """The share of decisions of a random net's int8 form that weights of 4 bits on average keep, on readings that
    neither was made from."""
    graph, draw = float_graphs.classifier(seed)
    quantised = quantise(graph, [draw(96, 1)])
    reference, used = quantised.reference, quantised.calibration.readings
    effects = {i: channel_effects(reference, used, i) for i in shrinkable(reference)}

    def made(price: float) -> Graph:
        return coarse(reference, used, None, quantised.activations, effects, price)[0].graph

    low, high = 1e-4, 1.0
    for _ in range(6):
        price = (low * high) ** 0.5
        low, high = (price, high) if bits(made(price)) > 4 else (low, price)
    tested = [draw(400, 2)]
    return float((decisions(made(high), tested) == decisions(quantised.graph, tested)).mean())


def bits(graph: Graph) -> float:
    """Of a weight, on average, as an ideal code of each layer would take."""
    sizes = [0.0, 0]
    for index in shrinkable(graph):
        weights = graph.nodes[index].inputs[1]
        assert weights.data is not None and weights.quantization is not None
        data = np.moveaxis(weights.data, weights.quantization.axis, 0).reshape(weights.scale.size, -1).astype(int)
        levels = data // np.maximum(np.gcd.reduce(data, axis=1), 1)[:, None]
        sizes = [sizes[0] + rounding.level_bits(levels, 128)[levels + 128].sum(), sizes[1] + levels.size]
    return sizes[0] / max(sizes[1], 1)


def decisions(graph: Graph, readings: list[np.ndarray]) -> np.ndarray:
    output = graph.outputs[0].tensor
    return batch.run(graph, encoded(graph, readings))[id(output)].reshape(len(readings[0]), -1).argmax(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="models whose name holds this")
    parser.add_argument("--random", action="store_true", help="random nets in their place")
    arguments = parser.parse_args()
    if arguments.random:
        kept = [kept_at_4_bits(seed) for seed in range(RANDOM)]
        print(f"{100 * np.mean(kept):.2f} % of int8's decisions, {100 * min(kept):.1f} % at least")
        return
    print("| model | weights | bytes | right | as floats | converted in |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in MODELS:
        if arguments.only in name:
            measure(name)


if __name__ == "__main__":
    main()
