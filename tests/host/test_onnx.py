"""The door for .onnx files: what they may be like, what is refused, and real models."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, external_data_helper, helper
from onnx_models import Maker, evaluated, loaded, readings, reference

from midge_host import frontends
from midge_host.conversion import convert
from midge_host.errors import MidgeError
from midge_host.frontends.onnx import READERS, load_onnx
from midge_host.ir import operators as ir
from midge_host.passes.transposes import moves_elements


def small(batch: int | str = 1) -> onnx.ModelProto:
    maker = Maker()
    x = maker.input((batch, 6))
    return maker.model(maker.add("Relu", maker.add("Gemm", x, maker.constant((6, 3)), maker.constant((3,)))))


def check(model: onnx.ModelProto, wanted: onnx.ModelProto) -> None:
    inputs = readings(wanted)
    np.testing.assert_allclose(evaluated(loaded(model), inputs)[0], reference(wanted, inputs)[0], atol=1e-5)


def test_batch_of_any_size() -> None:
    check(small("N"), small())


def test_batch_on_another_axis() -> None:
    maker = Maker()
    made = loaded(maker.model(maker.add("Relu", maker.input((5, "batch_size", 3)))))
    assert made.graph.inputs[0].tensor.shape == (5, 1, 3)


def test_pixels_are_cast() -> None:
    """Integers that are made real at once are readings as good as real ones."""
    maker = Maker()
    x = maker.add("Cast", maker.input((1, 3, 4, 4), TensorProto.UINT8), to=TensorProto.FLOAT)
    made = loaded(maker.model(maker.add("Mul", x, maker.constant(np.float32(1 / 255)))))
    assert made.graph.inputs[0].dtype == "float32" and "whole numbers" in made.notes[0]


def test_constants_among_the_inputs() -> None:
    """As files of IR version 3 have them."""
    model = small()
    for constant in model.graph.initializer:
        info = helper.make_tensor_value_info(constant.name, constant.data_type, constant.dims)
        model.graph.input.append(info)
    check(model, small())


@pytest.mark.parametrize("dtype", [TensorProto.FLOAT16, TensorProto.DOUBLE])
def test_other_real_numbers(dtype: int) -> None:
    """All are float32 here."""
    model, wanted = small(), small()
    for constant in model.graph.initializer:
        array = onnx.numpy_helper.to_array(constant).astype(helper.tensor_dtype_to_np_dtype(dtype))
        constant.CopyFrom(onnx.numpy_helper.from_array(array, constant.name))
    model.graph.input[0].type.tensor_type.elem_type = dtype
    inputs = readings(wanted)
    np.testing.assert_allclose(evaluated(loaded(model), inputs)[0], reference(wanted, inputs)[0], atol=2e-3)


def test_weights_in_a_file_beside(tmp_path: Path) -> None:
    wanted, model = small(), small()
    external_data_helper.convert_model_to_external_data(model, location="weights.bin", size_threshold=0)
    onnx.save_model(model, tmp_path / "m.onnx")
    made = frontends.load(tmp_path / "m.onnx")
    inputs = readings(wanted)
    np.testing.assert_allclose(evaluated(made, inputs)[0], reference(wanted, inputs)[0], atol=1e-5)
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(MidgeError, match="put both files into one folder"):
        frontends.load(tmp_path / "m.onnx")


def test_a_condition_that_is_known() -> None:
    maker = Maker()
    x = maker.input((1, 4))
    infos = [helper.make_tensor_value_info("branch", TensorProto.FLOAT, None)]
    then, other = (
        helper.make_graph([helper.make_node(kind, [x], ["branch"])], kind, [], infos) for kind in ("Relu", "Neg")
    )
    sizes = maker.add("Gather", maker.add("Shape", x), maker.constant(np.array([1])))
    condition = maker.add("Equal", sizes, maker.constant(np.array([4])))
    model = maker.model(maker.add("If", condition, then_branch=then, else_branch=other))
    check(model, model)


def test_a_loop_of_known_length() -> None:
    """As tf2onnx writes recurrent layers that it does not know; the steps share their weights."""
    maker = Maker()
    x, weights = maker.input((3, 1, 4)), maker.constant((4, 4))
    body = helper.make_graph(
        [
            helper.make_node("Gather", [x, "turn"], ["step"]),
            helper.make_node("MatMul", ["hidden", weights], ["product"]),
            helper.make_node("Add", ["product", "step"], ["sum"]),
            helper.make_node("Tanh", ["sum"], ["next"]),
            helper.make_node("Identity", ["go"], ["goes"]),
            helper.make_node("Identity", ["next"], ["each"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("hidden", TensorProto.FLOAT, [1, 4]),
        ],
        [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in ("goes", "next", "each")],
    )
    zero = maker.constant(np.zeros((1, 4), np.float32))
    turns, go = maker.constant(np.int64(3)), maker.constant(np.bool_(True))
    model = maker.model(*maker.add("Loop", turns, go, zero, count=2, body=body))
    inputs = readings(model)
    made = loaded(model)
    for wanted, ours in zip(reference(model, inputs), evaluated(made, inputs), strict=True):
        np.testing.assert_allclose(ours, wanted.reshape(ours.shape), atol=1e-5)  # the reference joins, ONNX stacks
    assert len({id(n.weights) for n in made.graph.nodes if isinstance(n, ir.Dense)}) == 1


def test_sizes_from_the_shape() -> None:
    """Flatten as older torch.onnx writes it."""
    maker = Maker()
    x = maker.input(("N", 4, 3))
    batch = maker.add("Gather", maker.add("Shape", x), maker.constant(np.int64(0)), axis=0)
    shape = maker.add(
        "Concat", maker.add("Unsqueeze", batch, maker.constant(np.array([0]))), maker.constant(np.array([-1])), axis=0
    )
    model = maker.model(maker.add("MatMul", maker.add("Reshape", x, shape), maker.constant((12, 2))))
    check(model, model)


def test_an_example_gives_open_sizes() -> None:
    maker = Maker()
    model = maker.model(maker.add("Relu", maker.input(("N", "T", 3))))
    with pytest.raises(MidgeError, match="sizes that are open"):
        loaded(model)
    made = load_onnx(model.SerializeToString(), "m.onnx", example=[np.zeros((1, 5, 3), np.float32)])
    assert made.graph.inputs[0].tensor.shape == (1, 5, 3)


def test_the_order_of_axes_is_told() -> None:
    maker = Maker()
    made = loaded(maker.model(maker.add("Conv", maker.input((1, 3, 8, 6)), maker.constant((2, 3, 3, 3)))))
    assert [e.axes for e in (*made.graph.inputs, *made.graph.outputs)] == [(0, 2, 3, 1)] * 2
    assert made.notes[0] == "the input 'x0' is (8, 6, 3): height, width, channels"


def with_operator(kind: str, *shape: int, **attributes: Any) -> onnx.ModelProto:
    maker = Maker()
    return maker.model(maker.add(kind, maker.input(shape), **attributes))


def two_inputs(kind: str, *shapes: tuple[int, ...]) -> onnx.ModelProto:
    maker = Maker()
    return maker.model(maker.add(kind, *map(maker.input, shapes)))


def with_opset(version: int) -> onnx.ModelProto:
    model = small()
    model.opset_import[0].version = version
    return model


def for_training() -> onnx.ModelProto:
    model = small()
    model.training_info.add()
    return model


def with_loss() -> onnx.ModelProto:
    """As the evaluation model of ONNX Runtime's artifacts."""
    maker = Maker()
    scores = maker.add("Gemm", maker.input((1, 4)), maker.constant((4, 3)))
    return maker.model(maker.add("SoftmaxCrossEntropyLoss", scores, maker.input((1,), TensorProto.INT64)))


def pictures(batch: int) -> onnx.ModelProto:
    return with_operator("Relu", batch, 3, 4, 4)


REFUSALS: list[tuple[Callable[[], onnx.ModelProto], str]] = [
    (lambda: with_opset(6), "export with opset_version"),
    (lambda: with_opset(99), "midge reads 7 to 21"),
    (for_training, "for training"),
    (with_loss, "for training"),
    (lambda: pictures(32), "export the model with batch 1"),
    (lambda: with_operator("NonZero", 1, 4), "midge has no operator NonZero"),
    (lambda: with_operator("MaxPool", 1, 2, 4, 4, kernel_shape=[2, 2], dilations=[2, 2]), "dilated"),
    (lambda: with_operator("LpPool", 1, 2, 4, 4, kernel_shape=[2, 2]), "no such pool"),
    (lambda: with_operator("MaxPool", 1, 2, 4, 4, 4, kernel_shape=[2, 2, 2]), "pictures and sequences"),
    (lambda: two_inputs("Conv", (1, 2, 4, 4), (1, 2, 3, 3)), "weights are computed"),
    (lambda: two_inputs("Reshape", (1, 4), (2,)), "shape is computed"),
    (lambda: two_inputs("MatMulInteger", (1, 4), (4, 2)), "give midge the float model"),
]


@pytest.mark.parametrize(("make", "words"), REFUSALS, ids=[words for _, words in REFUSALS])
def test_refusals(make: Callable[[], onnx.ModelProto], words: str) -> None:
    with pytest.raises(MidgeError, match=words) as raised:
        loaded(make())
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "data", [b"", b"nonsense", b"\x08\x07", b"PK\x03\x04" * 40], ids=["empty", "text", "bare", "zip"]
)
def test_damaged(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(data)
    with pytest.raises(MidgeError, match=r"m\.onnx: .*export"):
        frontends.load(tmp_path / "m.onnx")


@pytest.mark.parametrize("step", range(8))
def test_shortened(step: int) -> None:
    data = small().SerializeToString()
    with pytest.raises(MidgeError):
        load_onnx(data[: step * len(data) // 8], "m.onnx")


# What skl2onnx writes.


def test_linear_classifier() -> None:
    """Scaled readings, a LinearClassifier, probabilities of named classes: the class itself is no output."""
    maker = Maker()
    ml = {"domain": "ai.onnx.ml"}
    x = maker.add("Scaler", maker.input(("N", 4)), offset=[0.1, 0.2, 0.3, 0.4], scale=[1.0, 2.0, 0.5, 1.5], **ml)
    weights = maker.rng.normal(0, 1, (3, 4))
    label, scores = maker.add(
        "LinearClassifier",
        x,
        count=2,
        coefficients=weights.reshape(-1).tolist(),
        intercepts=[0.1, 0.0, -0.1],
        classlabels_strings=["one", "two", "three"],
        post_transform="SOFTMAX",
        **ml,
    )
    made = loaded(maker.model(label, maker.add("Normalizer", scores, norm="L1", **ml)))
    assert made.labels == ["one", "two", "three"]
    assert [e.name for e in made.graph.outputs] == ["normalizer2_0"]
    assert "classify() tells it" in made.notes[0]
    value = np.array([[0.5, -1, 2, 0.1]], np.float32)
    logits = (value - [0.1, 0.2, 0.3, 0.4]) * [1.0, 2.0, 0.5, 1.5] @ weights.T + [0.1, 0.0, -0.1]
    golden = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(evaluated(made, [value])[0], golden, atol=1e-5)


STUMP = {
    "nodes_treeids": [0, 0, 0],
    "nodes_nodeids": [0, 1, 2],
    "nodes_featureids": [3, 0, 0],
    "nodes_values": [0.5, 0.0, 0.0],
    "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"],
    "nodes_truenodeids": [1, 0, 0],
    "nodes_falsenodeids": [2, 0, 0],
    "target_treeids": [0, 0],
    "target_nodeids": [1, 2],
    "target_ids": [0, 0],
    "target_weights": [-1.5, 2.5],
    "n_targets": 1,
    "domain": "ai.onnx.ml",
}


@pytest.mark.parametrize(
    ("mode", "low", "same", "high"),
    [("LEQ", -1.5, -1.5, 2.5), ("LT", -1.5, 2.5, 2.5), ("GT", 2.5, 2.5, -1.5), ("GTE", 2.5, -1.5, -1.5)],
)
def test_tree_regressor(mode: str, low: float, same: float, high: float) -> None:
    maker = Maker()
    modes = [f"BRANCH_{mode}", "LEAF", "LEAF"]
    made = loaded(
        maker.model(maker.add("TreeEnsembleRegressor", maker.input((1, 4)), **STUMP | {"nodes_modes": modes}))
    )
    for value, wanted in ((np.nextafter(np.float32(0.5), np.float32(0)), low), (0.5, same), (7.0, high)):
        assert evaluated(made, [np.array([[0, 0, 0, value]], np.float32)])[0].reshape(-1) == [wanted]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"nodes_modes": ["BRANCH_EQ", "LEAF", "LEAF"]}, "compare by BRANCH_EQ"),
        ({"nodes_falsenodeids": [7, 0, 0]}, "a child that is not there"),
        ({"nodes_falsenodeids": [0, 0, 0]}, "comes to a node twice"),
        ({"nodes_featureids": [4, 0, 0]}, r"values that its input \(1, 4\) does not have"),
        ({"nodes_values": [0.5]}, "different lengths"),
        ({"target_ids": [0, 1]}, "more than 1 sums"),
        ({"target_nodeids": [1, 9]}, "no node 9"),
        ({"aggregate_function": "MAX"}, "MAX"),
        ({"base_values": [1.0, 2.0]}, "2 base values"),
    ],
)
def test_tree_regressor_refused(changes: dict[str, Any], words: str) -> None:
    maker = Maker()
    with pytest.raises(MidgeError, match=words):
        loaded(maker.model(maker.add("TreeEnsembleRegressor", maker.input((1, 4)), **STUMP | changes)))


def test_trees_behind_a_scaler() -> None:
    maker = Maker()
    x = maker.add("Scaler", maker.input((1, 4)), offset=[0.1], scale=[2.0], domain="ai.onnx.ml")
    with pytest.raises(MidgeError, match=r"what it reads is computed before.*\.skops"):
        loaded(maker.model(maker.add("TreeEnsembleRegressor", x, **STUMP)))


# Real models.


@pytest.mark.parametrize("name", ["model_kws", "model_vww"])
def test_real_models(shared_data: Path, name: str) -> None:
    """Results recorded with onnxruntime; no transposes."""
    path = shared_data / "onnx" / f"{name}.onnx"
    made = frontends.load(path)
    with np.load(path.with_suffix(".npz")) as recorded:
        for x, y in zip(recorded["inputs"], recorded["onnxruntime"], strict=True):
            np.testing.assert_allclose(evaluated(made, [x])[0], y, atol=1e-5)
    assert not sum(map(moves_elements, made.graph.nodes))


def test_channels_first_readings(shared_data: Path, tmp_path: Path) -> None:
    """A picture model is given its calibration as it was trained: channels first."""
    path = shared_data / "onnx" / "model_vww.onnx"
    pictures = np.random.default_rng(1).uniform(0, 1, (8, 3, 96, 96)).astype(np.float32)
    np.savez(tmp_path / "c.npz", inputs=pictures)
    told: list[str] = []
    model = convert(path, tmp_path / "m.midge", calibration=tmp_path / "c.npz", allow_loss=True, tell=told.append)
    assert model.inputs[0].shape[1:] == (96, 96, 3)
    assert any("height, width, channels" in line for line in told)
    assert any("has its channels first" in line for line in told)


def test_the_page_names_every_operator() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "onnx.md").read_text()
    table, refused = page.split("## What is refused")
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    named = set(re.findall(r"`(\w+)`", "\n".join(rows)))
    known = {kind for _, kind in READERS}
    only_refused = {kind for kind in known if f"`{kind}`" in refused} - named
    assert named == known - only_refused
