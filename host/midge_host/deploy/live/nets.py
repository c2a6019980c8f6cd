"""Small networks with random weights that hold every operator of the device: what `midge verify` runs on a board."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np

from ...conversion import GOLDEN_SEED, build, convert
from ...device import reference
from ...frontends import audio, logmel, mfcc, series
from ...frontends.sklearn.chain import Chain
from ...ir import operators as ir
from ...ir.builder import Builder
from ...ir.graph import Edge, Graph, Node, Quantization, Tensor
from ...ir.trees import Tree
from ...quantize import Options, Precision, quantise
from ...quantize.features import with_int16_features

Rng = np.random.Generator
SAME, NONE = ((1, 1), (1, 1)), ((0, 0), (0, 0))
READINGS = 16  # that set the scales


def models() -> dict[str, bytes]:
    """.midge files by name. Every operator of every type is in one of them."""
    graphs = {
        **{f"{name}_{kind}": _quantised(make, kind) for name, make, kinds in _QUANTISED for kind in kinds},
        "gates_int16": _gates(),
        "forest": _forest(),
        "forest_codes": with_int16_features(_forest())[0],
        "perceptron": _perceptron(),
        "neighbours": _neighbours(),
        "bayes": _bayes(),
        "micro": audio.graph(front=audio.MicroFrontend(window=136, channels=6, lower=300.0)),
        "micro_int8": audio.graph((256, 333, 666, -128), audio.MicroFrontend(window=136, channels=6, lower=300.0)),
        "mfcc": mfcc.graph(0.5, 20, mfcc.Mfcc(window=50, bands=8, coefficients=3)),
        "mfcc_int16": mfcc.graph(0.01, -300, mfcc.Mfcc(window=50, bands=8, coefficients=3), "int16"),
        "logmel": logmel.graph(0.5, 80, logmel.LogMelFrontend(n_fft=64, n_mels=7)),
        "logmel_int16": logmel.graph(0.01, -300, logmel.LogMelFrontend(n_fft=64, n_mels=7), "int16"),
        "motion": _motion(),
    }
    return {name: _file(name, graph) for name, graph in graphs.items()} | _examples()


def _file(name: str, graph: Graph) -> bytes:
    model = build(graph)
    model.info |= {"name": name}
    model.golden_seed = GOLDEN_SEED
    model.golden = reference.golden_values(model)
    return model.to_bytes()


def _examples() -> dict[str, bytes]:
    """The trained networks that come with midge."""
    with tempfile.TemporaryDirectory(prefix="midge-") as folder, as_file(files("midge_host.digits")) as digits:
        convert(digits / "digits.tflite", Path(folder) / "digits.midge")
        found = {"digits": (Path(folder) / "digits.midge").read_bytes()}
    return found | {"gesture": (files("midge_host.gesture") / "gesture.midge").read_bytes()}


def _quantised(make: Callable[[Builder, Rng], Tensor], precision: Precision) -> Graph:
    rng = np.random.default_rng(1)
    builder = Builder(make.__name__.strip("_"))
    builder.output(make(builder, rng))
    graph = builder.graph
    readings = [rng.normal(size=(READINGS, *e.tensor.shape)).astype(np.float32) for e in graph.inputs]
    return quantise(graph, readings, Options(precision)).graph


def _weights(rng: Rng, *shape: int) -> np.ndarray:
    return rng.normal(size=shape).astype(np.float32) / 3


def _pictures(b: Builder, rng: Rng) -> Tensor:
    x = b.add(
        ir.Conv2D,
        "conv",
        source=b.input("x", (1, 8, 8, 3)),
        weights=_weights(rng, 6, 3, 3, 3),
        bias=_weights(rng, 6),
        strides=(1, 1),
        padding=SAME,
        activation=ir.Activation.RELU6,
    )
    y = b.add(
        ir.DepthwiseConv2D, "depthwise", source=x, weights=_weights(rng, 1, 3, 3, 6), strides=(1, 1), padding=SAME
    )
    y = b.add(ir.Add, "add", first=x, second=y)
    y = b.add(ir.MaxPool2D, "max_pool", source=y, kernel=(2, 2), strides=(2, 2), padding=NONE)
    y = b.add(ir.AveragePool2D, "average_pool", source=y, kernel=(2, 2), strides=(1, 1), padding=NONE)
    y = b.add(ir.Tanh, "tanh", source=y)
    y = b.add(ir.Mean, "mean", source=y, axes=(1, 2))
    y = b.add(ir.Dense, "dense", source=y, weights=_weights(rng, 5, 6), bias=_weights(rng, 5))
    return b.add(ir.Softmax, "softmax", source=y)


def _pairs(b: Builder, rng: Rng) -> Tensor:
    x, y = b.input("x", (1, 4, 6)), b.input("y", (1, 4, 6))
    z = b.add(ir.Mul, "mul", first=b.add(ir.Sub, "sub", first=x, second=y), second=y)
    z = b.add(ir.Select, "select", condition=b.add(ir.Greater, "greater", first=x, second=y), first=z, second=x)
    z = b.add(ir.Concatenate, "joined", sources=[z, _weights(rng, 1, 4, 2)], axis=2)
    z = b.add(ir.Pad, "pad", source=z, paddings=((0, 0), (1, 0), (0, 1)), value=-1.0)
    return b.add(ir.MatMul, "product", first=z, second=z, transpose_second=True)


def _rare(b: Builder, rng: Rng) -> Tensor:
    y = b.input("x", (1, 4, 6, 2))
    y = b.add(ir.ResizeNearest, "near", source=y, shape=(1, 7, 5, 2))
    y = b.add(ir.ResizeBilinear, "between", source=y, half_pixel_centers=True, shape=(1, 6, 6, 2))
    y = b.add(ir.Transpose, "turned", source=y, axes=(0, 3, 1, 2))
    y, z = b.add_parts(ir.Split, "split", [(1, 1, 6, 6)] * 2, source=y, axis=1)
    y = b.add(ir.Div, "div", first=y, second=b.add(ir.Add, "more", first=b.add(ir.Abs, "abs", source=z), second=1.5))
    y = b.add(ir.Reshape, "flat", source=y, shape=(1, 6, 6))
    y = b.add(ir.CumSum, "sums", source=y, axis=1, is_real=True)
    y = b.add(ir.LogSoftmax, "log_softmax", source=b.add(ir.L2Normalize, "normal", source=y))
    return b.add(ir.ArgMax, "largest", source=y, axis=2, dtype="int32")


def _gathered(b: Builder, rng: Rng) -> Tensor:
    x = b.input("x", (1, 12))
    best = b.add(ir.ArgMax, "largest", source=x, axis=1, dtype="int32")
    return b.add(ir.Gather, "gather", source=x, indexes=best, axis=1)


def _lstm(b: Builder, rng: Rng) -> Tensor:
    cells = 5
    hidden, cell = (Tensor(name, (1, cells), "float32", is_variable=True) for name in ("hidden", "cell"))
    return b.add(
        ir.Lstm,
        "lstm",
        source=b.input("x", (1, 4, 3)),
        kernels=[_weights(rng, cells, 3) for _ in range(4)],
        recurrent=[_weights(rng, cells, cells) for _ in range(4)],
        biases=[_weights(rng, cells) for _ in range(4)],
        hidden=hidden,
        cell=cell,
    )


def _svdf(b: Builder, rng: Rng) -> Tensor:
    return b.add(
        ir.Svdf,
        "svdf",
        source=b.input("x", (1, 10)),
        feature_weights=_weights(rng, 8, 10),
        time_weights=_weights(rng, 8, 5),
        bias=_weights(rng, 4),
        state=Tensor("state", (1, 40), "float32", is_variable=True),
        rank=2,
        activation=ir.Activation.RELU,
    )


def _gates() -> Graph:
    """Functions of int16, which the quantiser would compute with tables."""
    x, opened, bent = (
        Tensor(name, (1, 20), "int16", quantization=Quantization(np.array([scale], np.float32), np.array([0])))
        for name, scale in (("x", 1 / 4096), ("open", 2**-15), ("bent", 2**-15))
    )
    nodes: list[Node] = [ir.Logistic(name="open", source=x, output=opened), ir.Tanh(name="bent", source=x, output=bent)]
    return Graph("gates", nodes, [Edge.of(x)], [Edge.of(opened), Edge.of(bent)])


_BOTH: tuple[Precision, ...] = ("int8", "int16")
_QUANTISED: tuple[tuple[str, Callable[[Builder, Rng], Tensor], tuple[Precision, ...]], ...] = (
    ("pictures", _pictures, _BOTH),
    ("pairs", _pairs, _BOTH),
    ("rare", _rare, ("int8",)),
    ("gathered", _gathered, ("int8",)),
    ("lstm", _lstm, _BOTH),
    ("svdf", _svdf, ("int8",)),
)


def _trees(rng: Rng, features: int, outputs: int) -> list[Tree]:
    """Of one split each."""
    made = []
    for _ in range(5):
        shares = rng.integers(0, 4, (3, outputs)) / 4
        feature, threshold = np.array([rng.integers(features), -1, -1]), rng.normal(size=3).astype(np.float32)
        left, right = np.array([1, 0, 0]), np.array([2, 0, 0])
        made.append(Tree(feature, threshold, left, right, np.zeros(3, bool), shares, 0))
    return made


def _forest() -> Graph:
    chain = Chain("forest", 4)
    chain.trees(_trees(np.random.default_rng(2), 4, 3), np.zeros(3))
    return chain.largest(5)


def _perceptron() -> Graph:
    rng = np.random.default_rng(3)
    chain = Chain("perceptron", 4)
    chain.scale(rng.normal(size=4), rng.uniform(0.5, 2, 4), False, None)
    chain.affine(rng.normal(size=(5, 4)), rng.normal(size=5), "tanh")
    chain.affine(rng.normal(size=(3, 5)), rng.normal(size=3), "identity")
    return chain.largest(probabilities=True)


def _neighbours() -> Graph:
    rng = np.random.default_rng(4)
    chain = Chain("neighbours", 3)
    chain.nearest(rng.normal(size=(7, 3)), rng.integers(0, 3, 7).astype(np.uint64), 3, 3)
    return chain.largest(3.0)


def _bayes() -> Graph:
    rng = np.random.default_rng(5)
    chain = Chain("bayes", 4)
    chain.distances(rng.normal(size=(3, 4)), rng.uniform(0.1, 3, (3, 4)), rng.normal(size=3))
    return chain.largest(probabilities=True)


def _motion() -> Graph:
    recipe = series.parse("lowpass:20,mean,bands:3,std,crossings,rms,median", 100)
    chain = Chain("motion", 2 * len(recipe.kinds))
    chain.trees(_trees(np.random.default_rng(6), chain.input.size, 3), np.zeros(3))
    return series.with_features(chain.largest(5), recipe, 10)
