"""ONNX models made for tests, and their results by ONNX's own reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from midge_host.frontends import Loaded
from midge_host.frontends.onnx import load_onnx
from midge_host.ir.evaluate import Evaluator
from midge_host.ir.verify import verify

OPSET = 17


class Maker:
    """A model in the making; names stand for tensors."""

    def __init__(self, opset: int = OPSET, seed: int = 0) -> None:
        self.opset = opset
        self.rng = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[str] = []
        self.domains: set[str] = set()

    def input(self, shape: Sequence[int | str], dtype: int = TensorProto.FLOAT) -> str:
        name = f"x{len(self.inputs)}"
        self.inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def constant(self, value: Any) -> str:
        """Numbers; a tuple is a shape to be filled with random ones."""
        if isinstance(value, tuple):
            value = self.rng.normal(0, 0.5, value)
        array = np.asarray(value)
        array = array.astype(np.float32) if array.dtype == np.float64 else array
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def add(self, kind: str, *inputs: str, count: int = 1, domain: str = "", **attributes: Any) -> Any:
        """The name of a new operator's output, or their names."""
        names = [f"{kind.lower()}{len(self.nodes)}_{i}" for i in range(count)]
        self.nodes.append(helper.make_node(kind, inputs, names, domain=domain, **attributes))
        self.domains.add(domain)
        return names[0] if count == 1 else names

    def model(self, *outputs: str) -> onnx.ModelProto:
        infos = [helper.make_tensor_value_info(n, TensorProto.UNDEFINED, None) for n in outputs]
        graph = helper.make_graph(self.nodes, "test", self.inputs, infos, self.constants)
        versions = {"": self.opset, "ai.onnx.ml": 3, "com.microsoft": 1}
        opsets = [helper.make_opsetid(d, versions[d]) for d in sorted({"", *self.domains})]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


@dataclass(frozen=True)
class Case:
    """One operator. inputs: shapes of what the model is given. constants: what follows, as Maker.constant takes it.
    values: from which to which the inputs are drawn."""

    kind: str
    inputs: tuple[tuple[int, ...], ...]
    constants: tuple[Any, ...] = ()
    opset: int = OPSET
    count: int = 1
    values: tuple[float, float] = (-2.0, 2.0)
    attributes: dict[str, Any] = field(default_factory=dict)
    domain: str = ""

    def __str__(self) -> str:
        words = [f"{k}={v}" for k, v in self.attributes.items() if not isinstance(v, onnx.TensorProto)]
        shapes = [str(i).replace(" ", "") for i in self.inputs]
        return "-".join([self.kind, *shapes, *words, f"opset{self.opset}"]).replace(" ", "")[:120]

    def model(self) -> onnx.ModelProto:
        maker = Maker(self.opset)
        names = [maker.input(shape) for shape in self.inputs]
        names += ["" if c is None else maker.constant(c) for c in self.constants]
        made = maker.add(self.kind, *names, count=self.count, domain=self.domain, **self.attributes)
        return maker.model(*([made] if self.count == 1 else made))


def readings(model: onnx.ModelProto, values: tuple[float, float] = (-2.0, 2.0), seed: int = 1) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    shapes = [[d.dim_value or 1 for d in i.type.tensor_type.shape.dim] for i in model.graph.input]
    return [rng.uniform(*values, shape).astype(np.float32) for shape in shapes]


def reference(model: onnx.ModelProto, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    named = dict(zip((i.name for i in model.graph.input), inputs, strict=True))
    with np.errstate(all="ignore"):
        return [np.asarray(a) for a in ReferenceEvaluator(model).run(None, named)]


def loaded(model: onnx.ModelProto) -> Loaded:
    made = load_onnx(model.SerializeToString(), "test.onnx")
    verify(made.graph)
    return made


def evaluated(made: Loaded, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """What the graph gives, with its axes as the file has them."""
    graph = made.graph
    given = [x if e.axes is None else x.transpose(e.axes) for e, x in zip(graph.inputs, inputs, strict=True)]
    outputs = Evaluator(graph).predict(given)
    return [
        y if e.axes is None else y.transpose(np.argsort(e.axes)) for e, y in zip(graph.outputs, outputs, strict=True)
    ]


def specimens() -> list[onnx.ModelProto]:
    """A few networks with operators of every kind, for what is to be damaged."""
    pictures = Maker()
    x = pictures.add("Conv", pictures.input((1, 3, 8, 8)), pictures.constant((4, 3, 3, 3)), pads=[1, 1, 1, 1])
    x = pictures.add("MaxPool", pictures.add("Relu", x), kernel_shape=[2, 2], strides=[2, 2])
    x = pictures.add("ConvTranspose", x, pictures.constant((4, 2, 2, 2)), strides=[2, 2])
    x = pictures.add("Resize", x, "", pictures.constant(np.array([1, 1, 2, 2], np.float32)), mode="linear")
    x = pictures.add("Pad", x, pictures.constant(np.array([0, 0, 1, 0, 0, 0, 0, 1])))
    a, b = pictures.add("Split", x, axis=1, count=2)
    x = pictures.add("Softmax", pictures.add("Concat", a, pictures.add("Mul", a, b), axis=1), axis=1)
    x = pictures.add("ReduceMean", x, axes=[2, 3], keepdims=0)
    rows = pictures.add("Slice", x, *(pictures.constant(np.array([n])) for n in (0, 2, 1)))
    networks = [pictures.model(pictures.add("Gemm", rows, pictures.constant((2, 3)), pictures.constant((3,))))]
    for kind, gates in (("LSTM", 4), ("GRU", 3)):
        steps = Maker()
        weights = [steps.constant(shape) for shape in ((1, gates * 2, 3), (1, gates * 2, 2), (1, gates * 4))]
        made = steps.add(kind, steps.input((4, 1, 3)), *weights, count=2, hidden_size=2)
        networks.append(steps.model(*made))
    whole = Maker(21)
    pair = [whole.constant(np.float32(0.02)), whole.constant(np.int8(3))]
    x = whole.add("DequantizeLinear", whole.add("QuantizeLinear", whole.input((1, 4)), *pair), *pair)
    integers = [whole.constant(np.ones((3, 4), np.int8)), whole.constant(np.float32(0.01)), whole.constant(np.int8(0))]
    x = whole.add("Gemm", x, whole.add("DequantizeLinear", *integers), transB=1)
    x = whole.add("DequantizeLinear", whole.add("QuantizeLinear", x, *pair), *pair)
    return [*networks, whole.model(x)]
