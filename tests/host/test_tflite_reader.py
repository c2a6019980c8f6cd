""".tflite files beside the plain int8 one: floats, weights stored in other ways, sparse weights, constants behind the
flatbuffer, open batches, several signatures."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.random import default_rng

import tflm
from midge_host.errors import MidgeError
from midge_host.frontends import Request, tflite
from midge_host.ir import operators as ir
from midge_host.ir.evaluate import Evaluator
from midge_host.ir.graph import Graph
from midge_host.ir.verify import verify
from tflite_models import ModelBuilder, one_operator

FLOATS = ["vww_96_float", "kws_float", "pretrainedResnet_float", "mnist_cnn_fp32", "ad01_fp32", "sine_float"]
SCALES = np.array([0.01, 0.02, 0.03, 0.04], np.float32)


@pytest.fixture(scope="module")
def schema() -> Any:
    """The object API of TensorFlow's schema: files as its own writers make them."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from tensorflow.lite.python import schema_py_generated

    return schema_py_generated


def unpacked(schema: Any, data: bytes) -> Any:
    return schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))


def packed(model: Any) -> bytes:
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def results(graph: Graph, readings: np.ndarray) -> np.ndarray:
    verify(graph)
    evaluator = Evaluator(graph)
    return np.stack([evaluator.predict([reading])[0] for reading in readings])


@pytest.mark.parametrize("name", FLOATS)
def test_float_models(shared_data: Path, name: str) -> None:
    """Within float32's rounding of LiteRT's reference kernels."""
    data = (shared_data / "models" / f"{name}.tflite").read_bytes()
    recorded = np.load(shared_data / "models" / f"{name}.npz")
    graph = tflite.load_tflite(data, "m.tflite")
    got = results(graph, recorded["inputs"][:3])
    want = recorded["litert_ref"][:3].reshape(got.shape)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5 * max(1, np.abs(want).max()))


def floats(weights: np.ndarray, **quantisation: Any) -> bytes:
    """A layer of floats with `weights` as the file stores them, and a ReLU behind it."""
    m = ModelBuilder()
    x = m.tensor((1, 6), "float32", name="x")
    w = m.constant(weights, **quantisation)
    bias = m.constant(np.array([0.5, -0.25, 1, 0], np.float32))
    y, z = (m.tensor((1, 4), "float32", name=name) for name in "yz")
    m.op("FULLY_CONNECTED", [x, w, bias], [y], options_table="FullyConnectedOptions")
    m.op("RELU", [y], [z])
    return m.build([x], [z])


def loaded(tmp_path: Path, data: bytes, **request: Any) -> Any:
    (tmp_path / "m.tflite").write_bytes(data)
    return tflite.load(tmp_path / "m.tflite", Request(**request))


def test_float16(tmp_path: Path) -> None:
    """Constants of float16 behind DEQUANTIZE, as the converter writes them, and without."""
    weights = default_rng(1).normal(0, 1, (4, 6)).astype(np.float16)
    m = ModelBuilder()
    x = m.tensor((1, 6), "float32", name="x")
    w, y = m.tensor((4, 6), "float32"), m.tensor((1, 4), "float32")
    m.op("DEQUANTIZE", [m.constant(weights)], [w], 3)
    m.op("FULLY_CONNECTED", [x, w, -1], [y], options_table="FullyConnectedOptions")
    for data in (m.build([x], [y]), floats(weights)):
        found = loaded(tmp_path, data)
        layer = found.graph.nodes[0]
        assert isinstance(layer, ir.Dense) and layer.weights.dtype == "float32"
        np.testing.assert_array_equal(layer.weights.data, weights.astype(np.float32))
        assert any("float16" in note for note in found.notes)


@pytest.mark.parametrize("scales", [SCALES[:1], SCALES])
def test_dynamic_range(tmp_path: Path, scales: np.ndarray) -> None:
    """Integer weights of a layer of floats: TensorFlow Lite Micro's float kernels with the real weights."""
    rng = default_rng(2)
    weights = rng.integers(-127, 128, (4, 6)).astype(np.int8)
    found = loaded(tmp_path, floats(weights, scales=scales, quantized_dimension=0))
    readings = rng.normal(0, 1, (3, 1, 6)).astype(np.float32)
    real = weights * (scales[:, None] if scales.size > 1 else scales)
    want = tflm.run(floats(real.astype(np.float32)), [readings])[0]
    np.testing.assert_allclose(results(found.graph, readings), want, rtol=1e-5, atol=1e-5)
    assert found.notes == [
        "dynamic range: 1 layers have integer weights, which are read as floats, and float activations"
    ]


def test_weights_behind_dequantize(tmp_path: Path) -> None:
    """Weight-only quantisation; the scales' axis counts."""
    weights = default_rng(3).integers(-127, 128, (4, 6)).astype(np.int8)
    m = ModelBuilder()
    x = m.tensor((1, 6), "float32", name="x")
    w, y = m.tensor((4, 6), "float32"), m.tensor((1, 4), "float32")
    m.op("DEQUANTIZE", [m.constant(weights, scales=SCALES, quantized_dimension=0)], [w], 5)
    m.op("FULLY_CONNECTED", [x, w, -1], [y], options_table="FullyConnectedOptions")
    (layer,) = tflite.load_tflite(m.build([x], [y]), "m.tflite").nodes
    assert isinstance(layer, ir.Dense)
    np.testing.assert_array_equal(layer.weights.data, weights * SCALES[:, None])


# What only other writers do.


def dense_int8(seed: int = 4) -> bytes:
    weights = default_rng(seed).integers(-127, 128, (4, 6)).astype(np.int8)
    weights[weights < 40] = 0
    return one_operator("fully_connected", (1, 6), (0.02, 3), weights=weights, weight_scales=0.01, quant=(0.05, -7))


def assert_reads_as(data: bytes, original: bytes) -> None:
    """The same graph."""
    got, want = (tflite.load_tflite(d, "m.tflite") for d in (data, original))
    assert tflite.to_tflite(got) == tflite.to_tflite(want)


def test_operator_codes_in_one_field(schema: Any) -> None:
    """The larger field counts, whichever it is."""
    original = one_operator("mul", (1, 4), (0.02, 3), second_quant=(0.03, -5), quant=(0.05, -7))
    for current in (True, False):
        model = unpacked(schema, original)
        for code in model.operatorCodes:
            number = max(code.builtinCode, code.deprecatedBuiltinCode)
            code.builtinCode, code.deprecatedBuiltinCode = (number, 0) if current else (0, number)
        assert_reads_as(packed(model), original)


def behind(schema: Any, data: bytes, shift: int = 0) -> bytes:
    """The constants moved behind the flatbuffer, `shift` bytes further than the file says."""
    model = unpacked(schema, data)
    contents = [b"" if buffer.data is None else bytes(buffer.data) for buffer in model.buffers]
    for buffer in model.buffers:
        buffer.data, buffer.offset, buffer.size = None, 1, 1  # as large as the final numbers
    for _ in range(2):
        at = len(packed(model)) + shift
        for buffer, content in zip(model.buffers, contents, strict=True):
            if content:
                buffer.offset, buffer.size, at = at, len(content), at + len(content)
    return packed(model) + b"".join(contents)


def test_constants_behind_the_flatbuffer(schema: Any) -> None:
    assert_reads_as(behind(schema, dense_int8()), dense_int8())
    with pytest.raises(MidgeError, match="damaged"):
        tflite.load_tflite(behind(schema, dense_int8(), 1000), "m.tflite")


def test_tensors_that_nothing_uses(schema: Any) -> None:
    """Whatever their type and shape."""
    model = unpacked(schema, dense_int8())
    for kind, shape in ((schema.TensorType.STRING, [1]), (schema.TensorType.COMPLEX128, [0, -1]), (99, [1 << 30] * 3)):
        tensor = copy.deepcopy(model.subgraphs[0].tensors[0])
        tensor.type, tensor.shape, tensor.name = kind, shape, b"unused"
        model.subgraphs[0].tensors.append(tensor)
    assert_reads_as(packed(model), dense_int8())


def sparse(schema: Any, order: list[int], block_map: list[int], levels: list[Any], values: np.ndarray) -> bytes:
    """dense_int8 with its weights stored so. levels: a dense size, or segments and indices of a type."""
    model = unpacked(schema, dense_int8())
    graph = model.subgraphs[0]
    tensor = graph.tensors[graph.operators[0].inputs[1]]
    model.buffers[tensor.buffer].data = np.frombuffer(values.astype(np.int8).tobytes(), np.uint8)
    tensor.sparsity = schema.SparsityParametersT()
    tensor.sparsity.traversalOrder, tensor.sparsity.blockMap = order, block_map
    tensor.sparsity.dimMetadata = []
    for level in levels:
        metadata = schema.DimensionMetadataT()
        if isinstance(level, int):
            metadata.denseSize = level
        else:
            segments, indices, kind = level
            metadata.format = schema.DimensionType.SPARSE_CSR
            number = getattr(schema.SparseIndexVector, kind)
            metadata.arraySegmentsType = metadata.arrayIndicesType = number
            metadata.arraySegments, metadata.arrayIndices = (getattr(schema, f"{kind}T")() for _ in "si")
            element = {"Int32Vector": np.int32, "Uint16Vector": np.uint16, "Uint8Vector": np.uint8}[kind]
            metadata.arraySegments.values = np.array(segments, element)
            metadata.arrayIndices.values = np.array(indices, element)
        tensor.sparsity.dimMetadata.append(metadata)
    return packed(model)


def csr(rows: np.ndarray, kind: str) -> tuple[list[int], list[int], str]:
    """The sparse level below dense ones."""
    segments = [0, *np.cumsum([int((row != 0).sum()) for row in rows])]
    return segments, [int(i) for row in rows for i in np.flatnonzero(row)], kind


@pytest.mark.parametrize("kind", ["Int32Vector", "Uint16Vector", "Uint8Vector"])
def test_sparse_rows(schema: Any, kind: str) -> None:
    (layer,) = tflite.load_tflite(dense_int8(), "m.tflite").nodes
    assert isinstance(layer, ir.Dense) and layer.weights.data is not None
    weights = layer.weights.data
    rows = sparse(schema, [0, 1], [], [4, csr(weights, kind)], weights[weights != 0])
    columns = sparse(schema, [1, 0], [], [6, csr(weights.T, kind)], weights.T[weights.T != 0])
    for data in (rows, columns):
        assert_reads_as(data, dense_int8())


def test_sparse_blocks(schema: Any) -> None:
    """Blocks of 2 x 3: dimensions 2 and 3 divide 0 and 1."""
    (layer,) = tflite.load_tflite(dense_int8(), "m.tflite").nodes
    assert isinstance(layer, ir.Dense) and layer.weights.data is not None
    blocks = layer.weights.data.reshape(2, 2, 2, 3).transpose(0, 2, 1, 3)
    used = blocks.any((2, 3))
    data = sparse(schema, [0, 1, 2, 3], [0, 1], [2, csr(used, "Uint8Vector"), 2, 3], blocks[used])
    assert_reads_as(data, dense_int8())


@pytest.mark.parametrize(
    ("order", "levels"),
    [
        ([0, 0], [4, ([0, 1, 2, 3, 4], [0, 1, 2, 3], "Uint8Vector")]),
        ([0, 1], [4, ([0, 1, 2, 3, 4], [0, 1, 2, 6], "Uint8Vector")]),
        ([0, 1], [4, ([0, 1, 2, 1, 4], [0, 1, 2, 3], "Uint8Vector")]),
        ([0, 1], [4, ([0, 1, 2, 4], [0, 1, 2, 3], "Uint8Vector")]),
        ([0, 1], [4, ([0, 1, 2, 3, 5], [0, 1, 2, 3, 4], "Uint8Vector")]),
        ([0, 1], [1 << 30, 1 << 30]),
    ],
)
def test_damaged_sparse_weights(schema: Any, order: list[int], levels: list[Any]) -> None:
    with pytest.raises(MidgeError, match="damaged"):
        tflite.load_tflite(sparse(schema, order, [], levels, np.arange(1, 5)), "m.tflite")


# Signatures and open batches.


def two_signatures(schema: Any) -> bytes:
    """`encode` of the second subgraph, with one input; `decode` of the first, with two."""
    first = one_operator("mul", (1, 4), (0.02, 3), second_quant=(0.03, -5), quant=(0.05, -7))
    model, other = unpacked(schema, first), unpacked(schema, one_operator("relu", (1, 8), (0.02, 3)))
    for operator in other.subgraphs[0].operators:
        operator.opcodeIndex = len(model.operatorCodes)
    model.operatorCodes += other.operatorCodes
    model.subgraphs += other.subgraphs
    model.signatureDefs = []
    for key, subgraph, inputs, outputs in (("decode", 0, ["a", "b"], ["product"]), ("encode", 1, ["x"], ["code"])):
        definition = schema.SignatureDefT()
        definition.signatureKey, definition.subgraphIndex = key, subgraph
        graph = model.subgraphs[subgraph]
        for names, indexes, which in ((inputs, graph.inputs, "inputs"), (outputs, graph.outputs, "outputs")):
            maps = []
            for name, index in zip(names, indexes, strict=True):
                entry = schema.TensorMapT()
                entry.name, entry.tensorIndex = name, index
                maps.append(entry)
            setattr(definition, which, maps)
        model.signatureDefs.append(definition)
    return packed(model)


@pytest.mark.parametrize(
    ("wanted", "operator", "names"),
    [
        (None, ir.Mul, ["a", "b", "product"]),
        ("decode", ir.Mul, ["a", "b", "product"]),
        ("encode", ir.Relu, ["x", "code"]),
    ],
)
def test_signatures(schema: Any, tmp_path: Path, wanted: str | None, operator: type[ir.Node], names: list[str]) -> None:
    found = loaded(tmp_path, two_signatures(schema), signature=wanted)
    assert [type(n) for n in found.graph.nodes] == [operator]
    assert [edge.name for edge in [*found.graph.inputs, *found.graph.outputs]] == names
    said = [] if wanted else ["signature: 'decode' of 'decode', 'encode'; --signature NAME converts another"]
    assert found.notes == said


def test_a_signature_that_is_not_there(schema: Any, tmp_path: Path) -> None:
    with pytest.raises(MidgeError, match="no signature 'train'; it has 'decode', 'encode'"):
        loaded(tmp_path, two_signatures(schema), signature="train")
    with pytest.raises(MidgeError, match="no signature 'train'; it has none"):
        loaded(tmp_path, dense_int8(), signature="train")


def opened(schema: Any, data: bytes, *signature: int, shape: list[int] | None = None) -> bytes:
    """The file with an open input."""
    model = unpacked(schema, data)
    tensor = model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]]
    tensor.shapeSignature = list(signature)
    tensor.shape = shape or tensor.shape
    return packed(model)


def test_an_open_batch_is_1(schema: Any) -> None:
    for shape in ([1, 6], [-1, 6]):
        assert_reads_as(opened(schema, dense_int8(), -1, 6, shape=shape), dense_int8())


@pytest.mark.parametrize(("signature", "shape"), [([-1, -1], [1, 1]), ([1, -1], [1, -1]), ([], [1, 0])])
def test_other_open_sizes_are_refused(schema: Any, signature: list[int], shape: list[int]) -> None:
    with pytest.raises(MidgeError, match=r"has shape \(.*\?\), and a board needs sizes that are fixed"):
        tflite.load_tflite(opened(schema, dense_int8(), *signature, shape=shape), "m.tflite")


# What TensorFlow's converter makes.


def converted(make: Callable[[Any], Any], *, integers: bool = True, sparse: bool = False) -> bytes:
    import tensorflow as tf

    model = make(tf.keras)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.EXPERIMENTAL_SPARSITY] if sparse else []
    if integers:
        converter.optimizations.append(tf.lite.Optimize.DEFAULT)
        shape = (1, *model.inputs[0].shape[1:])
        rng = default_rng(5)
        converter.representative_dataset = lambda: ([rng.uniform(-1, 1, shape).astype(np.float32)] for _ in range(8))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def rows(keras: Any) -> Any:
    """Dense layers on three dimensions: the converter computes the shapes between them."""
    layers = keras.layers
    return keras.Sequential([keras.Input((9, 16)), layers.Dense(5, activation="relu"), layers.Dense(3)])


def dilated(keras: Any) -> Any:
    """An open batch that SPACE_TO_BATCH makes larger, and a transposed convolution of a computed shape."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.DepthwiseConv2D(3, dilation_rate=2, padding="same"),
            layers.Conv2DTranspose(3, 3, strides=2),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )


def pruned(keras: Any) -> Any:
    model = keras.Sequential([keras.Input((32,)), keras.layers.Dense(64, activation="relu"), keras.layers.Dense(3)])
    for layer in model.layers:
        kernel, bias = layer.get_weights()
        layer.set_weights([np.where(np.abs(kernel) < np.quantile(np.abs(kernel), 0.85), 0, kernel), bias])
    return model


@pytest.mark.parametrize(
    ("make", "options"),
    [(rows, {}), (rows, {"integers": False}), (dilated, {"integers": False}), (pruned, {"sparse": True})],
    ids=["dense on rows", "dense on rows, float", "computed shapes, float", "sparse"],
)
def test_converted_models(make: Callable[[Any], Any], options: dict[str, bool]) -> None:
    data = converted(make, **options)
    graph = tflite.load_tflite(data, "m.tflite")
    (edge,) = graph.inputs
    rng = default_rng(6)
    readings = rng.uniform(-1, 1, (3, *edge.tensor.shape)).astype(np.float32)
    if edge.dtype == "int8":
        readings = rng.integers(-128, 128, readings.shape).astype(np.int8)
    got, want = results(graph, readings), tflm.tensorflow_lite(data, readings)
    steps = 1 if edge.dtype == "int8" else 1e-5
    np.testing.assert_allclose(got.astype(float), want.reshape(got.shape), atol=steps)
