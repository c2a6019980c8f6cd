"""Every operator of ONNX that midge reads: the graph's floats are those of ONNX's reference."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import onnx
import pytest
from onnx_models import Case, Maker, evaluated, loaded, readings, reference

CASES: list[Case] = []


def add(kind: str, *inputs: tuple[int, ...], constants: tuple[Any, ...] = (), **more: Any) -> None:
    known = {k: more.pop(k) for k in ("opset", "count", "values", "domain") if k in more}
    CASES.append(Case(kind, inputs, constants, attributes=more, **known))


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


PICTURE = (1, 4, 9, 7)
SEQUENCE = (1, 4, 11)

# Convolutions.
for strides, pads, dilations in product(((1, 1), (2, 3)), ((0, 0, 0, 0), (1, 2, 0, 1)), ((1, 1), (2, 1))):
    add("Conv", PICTURE, constants=((6, 4, 3, 2), (6,)), strides=strides, pads=pads, dilations=dilations)
for group, out in ((4, 4), (4, 8), (2, 6)):
    add("Conv", PICTURE, constants=((out, 4 // group, 3, 3), (out,)), group=group, pads=[1, 1, 1, 1])
for auto, strides in product(("SAME_UPPER", "SAME_LOWER", "VALID"), ((1, 1), (2, 2))):
    add("Conv", PICTURE, constants=((3, 4, 3, 2),), auto_pad=auto, strides=strides)
add("Conv", SEQUENCE, constants=((5, 4, 3), (5,)), pads=[1, 1], strides=[2])
add("Conv", SEQUENCE, constants=((4, 1, 3),), group=4, dilations=[2], kernel_shape=[3])
add("Conv", (1, 1, 5, 5), constants=((2, 1, 3, 3),), opset=7)
for strides, pads, more in (
    ((1, 1), (0, 0, 0, 0), (0, 0)),
    ((2, 2), (1, 1, 1, 1), (1, 1)),
    ((2, 3), (0, 1, 1, 0), (0, 2)),
):
    add("ConvTranspose", PICTURE, constants=((4, 3, 3, 3), (3,)), strides=strides, pads=pads, output_padding=more)
add("ConvTranspose", PICTURE, constants=((4, 1, 2, 2),), group=4, strides=[2, 2])
add("ConvTranspose", PICTURE, constants=((4, 2, 3, 3),), dilations=[2, 1])
add("ConvTranspose", PICTURE, constants=((4, 2, 3, 3),), strides=[2, 2], auto_pad="SAME_UPPER")
add("ConvTranspose", SEQUENCE, constants=((4, 2, 3),), strides=[2])

# Pools.
for kind, ceil, pads in product(("MaxPool", "AveragePool"), (0, 1), ((0, 0, 0, 0), (1, 0, 1, 1))):
    add(kind, PICTURE, kernel_shape=[3, 2], strides=[2, 2], ceil_mode=ceil, pads=pads)
add("AveragePool", PICTURE, kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
for kind, auto in product(("MaxPool", "AveragePool"), ("SAME_UPPER", "VALID")):
    add(kind, PICTURE, kernel_shape=[2, 2], strides=[2, 2], auto_pad=auto)
for kind in ("MaxPool", "AveragePool"):
    add(kind, SEQUENCE, kernel_shape=[3], strides=[2])
for kind in ("GlobalAveragePool", "GlobalMaxPool"):
    add(kind, PICTURE)
add("GlobalAveragePool", SEQUENCE)

# Resizing.
for mode, place in (
    ("nearest", "asymmetric"),
    ("nearest", "half_pixel"),
    ("linear", "half_pixel"),
    ("linear", "align_corners"),
    ("linear", "asymmetric"),
    ("linear", "pytorch_half_pixel"),
):
    extra = {"nearest_mode": "floor"} if place == "asymmetric" and mode == "nearest" else {}
    add(
        "Resize",
        PICTURE,
        constants=(None, np.array([1, 1, 2, 3], np.float32)),
        mode=mode,
        coordinate_transformation_mode=place,
        **extra,
    )
    add("Resize", PICTURE, constants=(None, None, ints(1, 4, 5, 14)), mode=mode, coordinate_transformation_mode=place)
add("Resize", PICTURE, constants=(None, None, ints(18, 14)), axes=[2, 3], opset=18, mode="nearest")
add("Resize", SEQUENCE, constants=(None, np.array([1, 1, 2], np.float32)), mode="nearest", nearest_mode="floor")
for mode in ("DCR", "CRD"):
    add("DepthToSpace", (1, 8, 3, 4), blocksize=2, mode=mode)
add("SpaceToDepth", (1, 3, 4, 6), blocksize=2)

# Functions of elements.
for kind in (
    *("Relu", "Sigmoid", "Tanh", "HardSwish", "Softplus", "Erf", "Exp", "Abs", "Neg", "Floor", "Ceil", "Round"),
    *("Sign", "Sin", "Cos", "Elu", "Celu", "Selu", "LeakyRelu", "HardSigmoid", "Softsign", "Identity"),
):
    add(kind, PICTURE)
for kind in ("Log", "Sqrt", "Reciprocal"):
    add(kind, PICTURE, values=(0.1, 3))
add("Mish", PICTURE, opset=18)
add("Gelu", PICTURE, opset=20)
add("Gelu", PICTURE, opset=20, approximate="tanh")
for kind, alpha in (("Elu", 0.5), ("Celu", 2.0), ("LeakyRelu", 0.3), ("HardSigmoid", 0.1667)):
    add(kind, PICTURE, alpha=alpha)
add("Selu", PICTURE, alpha=1.5, gamma=1.1)
add("PRelu", PICTURE, constants=((4, 1, 1),))
for limits in ((0, 6), (-1, 1), (0, None), (None, 1), (-0.5, 0.7)):
    add("Clip", PICTURE, constants=tuple(None if n is None else np.float32(n) for n in limits))
add("Clip", PICTURE, opset=9, min=0.0, max=6.0)
for exponent in (2, 3, 1, -1, 0.5, -0.5, 1.5):
    add("Pow", PICTURE, constants=(np.float32(exponent),), values=(0.5, 2))
add("Dropout", PICTURE, opset=10)

# Two tensors and more.
for kind in ("Add", "Sub", "Mul", "Div"):
    add(kind, PICTURE, PICTURE, values=(0.5, 2))
    add(kind, PICTURE, (1, 4, 1, 1), values=(0.5, 2))
    add(kind, PICTURE, constants=((4, 1, 1),))
    add(kind, (1, 7), PICTURE, values=(0.5, 2))
for kind in ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"):
    add(kind, (1, 6), (1, 6))
for kind in ("Sum", "Mean", "Min", "Max"):
    add(kind, (1, 6), (1, 6), (1, 1))
    add(kind, (1, 6))

# Products.
for a, b, alpha, beta in product((0, 1), (0, 1), (1.0, 0.5), (1.0, 2.0)):
    weights = (5, 6) if b else (6, 5)
    add("Gemm", (6, 1) if a else (1, 6), constants=(weights, (5,)), transA=a, transB=b, alpha=alpha, beta=beta)
add("Gemm", (1, 6), (6, 5), (1, 5), alpha=0.5)
add("Gemm", (3, 6), constants=((6, 5), (3, 5)))
add("MatMul", (1, 6), constants=((6, 5),))
add("MatMul", (1, 3, 6), constants=((6, 5),))
add("MatMul", (1, 2, 3, 6), (1, 2, 6, 4))
add("MatMul", (1, 2, 3, 6), constants=((2, 6, 4),))
add("MatMul", (1, 3, 6), constants=((6,),))
add("MatMul", (6,), (6, 4))
for equation, shapes in (
    ("bij,bjk->bik", ((1, 3, 4), (1, 4, 5))),
    ("bhid,bhjd->bhij", ((1, 2, 3, 4), (1, 2, 5, 4))),
    ("bnc,nk->bck", ((1, 3, 4), (3, 5))),
):
    add("Einsum", *shapes, equation=equation)

# Softmax and others over an axis.
for kind, axis in product(("Softmax", "LogSoftmax"), (1, 2, -1)):
    add(kind, (1, 3, 4), axis=axis)
add("Softmax", PICTURE, axis=1)
for p, axis in product((1, 2), (1, -1)):
    add("LpNormalization", PICTURE, p=p, axis=axis, values=(0.1, 2))

# Reductions.
for kind, axes, keep in product(
    ("ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare"),
    ([2, 3], [1], [-1]),
    (0, 1),
):
    add(kind, PICTURE, axes=axes, keepdims=keep)
for kind in ("ReduceLogSum", "ReduceLogSumExp"):
    add(kind, PICTURE, axes=[1], values=(0.1, 2))
add("ReduceSum", PICTURE, constants=(ints(2, 3),))
add("ReduceMean", PICTURE, constants=(ints(1),), opset=18)
add("ReduceMax", PICTURE)
add("ReduceSum", PICTURE, noop_with_empty_axes=1)
for kind, keep, axis in product(("ArgMax", "ArgMin"), (0, 1), (1, -1)):
    add(kind, PICTURE, keepdims=keep, axis=axis)
add("TopK", (1, 6), constants=(ints(1),), count=2)
for exclusive, reverse in product((0, 1), (0, 1)):
    add("CumSum", (1, 3, 5), constants=(np.int64(1),), exclusive=exclusive, reverse=reverse)

# Normalisations.
add("BatchNormalization", PICTURE, constants=((4,), (4,), (4,), np.array([0.5, 1, 2, 3], np.float32)))
add("InstanceNormalization", PICTURE, constants=((4,), (4,)))
for axis, size in ((-1, (7,)), (2, (9, 7)), (1, (4, 9, 7))):
    add("LayerNormalization", PICTURE, constants=(size, size), axis=axis)
add("LayerNormalization", (1, 5, 6), constants=((6,),))
add("GroupNormalization", PICTURE, constants=((4,), (4,)), num_groups=2, opset=21)
add("MeanVarianceNormalization", PICTURE)

# Moves.
add("Concat", PICTURE, (1, 2, 9, 7), axis=1)
add("Concat", PICTURE, constants=((1, 4, 9, 2),), axis=-1)
add("Split", PICTURE, axis=1, count=2)
add("Split", PICTURE, constants=(ints(1, 3),), axis=1, count=2)
add("Split", PICTURE, axis=2, count=2, opset=18, num_outputs=2)
add("Split", PICTURE, axis=3, split=[3, 4], count=2, opset=11)
add("Slice", PICTURE, constants=(ints(1, 2), ints(3, -1), ints(1, 2), ints(1, 2)))
add("Slice", PICTURE, constants=(ints(-1), ints(-100), ints(3), ints(-2)))
add("Slice", PICTURE, opset=9, starts=[1], ends=[1000], axes=[2])
for indexes, axis in ((ints(2, 0, -1), 1), (np.int64(-1), 2), (np.array([[0, 1], [2, 3]]), 3), (ints(1), 2)):
    add("Gather", PICTURE, constants=(indexes,), axis=axis)
add("GatherElements", (1, 4), constants=(np.array([[3, 0, -1]]),), axis=1)
for wanted in ((1, -1), (0, 0, 63), (1, 2, 2, 9, 7), (252,)):
    add("Reshape", PICTURE, constants=(ints(*wanted),))
for axis in (0, 1, 3, -1):
    add("Flatten", PICTURE, axis=axis)
add("Squeeze", (1, 4, 1, 3), constants=(ints(2),))
add("Squeeze", (1, 4, 1, 3), axes=[-2], opset=11)
add("Unsqueeze", (1, 4), constants=(ints(0, -1),))
add("Unsqueeze", (1, 4), axes=[1], opset=11)
for perm in ((0, 2, 3, 1), (3, 1, 2, 0)):
    add("Transpose", PICTURE, perm=perm)
add("Transpose", (1, 4, 3))
for mode in ("constant", "reflect", "edge"):
    add("Pad", PICTURE, constants=(ints(0, 0, 1, 2, 0, 0, 2, 1),), mode=mode)
add("Pad", PICTURE, constants=(ints(1, 2), np.float32(0), ints(-1)), opset=18)
add("Pad", PICTURE, opset=9, pads=[0, 0, 1, 1, 0, 0, 1, 1], value=1.0)
add("Expand", (1, 4, 1), constants=(ints(2, 1, 1, 3),))
add("Tile", PICTURE, constants=(ints(1, 2, 1, 3),))


# What the reference does not compute, or not as ONNX's text says, beside what it does.
SCALES = np.array([1, 1, 2, 2], np.float32)
SAME: list[tuple[Case, list[tuple[str, tuple[Any, ...], dict[str, Any]]]]] = [
    (Case("GlobalMaxPool", (SEQUENCE,)), [("ReduceMax", (), {"axes": [2]})]),
    (
        Case("Softmax", ((1, 3, 4),), opset=11, attributes={"axis": 1}),
        [("Flatten", (), {}), ("Softmax", (), {"axis": 1}), ("Reshape", (ints(1, 3, 4),), {})],
    ),
    (
        Case("LogSoftmax", ((1, 3, 4),), opset=11, attributes={"axis": 1}),
        [("Flatten", (), {}), ("LogSoftmax", (), {"axis": 1}), ("Reshape", (ints(1, 3, 4),), {})],
    ),
    (
        Case("Pad", (PICTURE,), (ints(0, 0, -1, 2, 0, 1, 0, -2), np.float32(0.5))),
        [
            ("Slice", (ints(1, 0), ints(9, 5), ints(2, 3)), {}),
            ("Pad", (ints(0, 0, 0, 2, 0, 1, 0, 0), np.float32(0.5)), {}),
        ],
    ),
    (
        Case("MaxPool", (PICTURE,), attributes={"kernel_shape": [3, 2], "strides": [2, 2], "auto_pad": "SAME_LOWER"}),
        [("MaxPool", (), {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 1, 1, 0]})],
    ),
    *(
        (
            Case(kind, (PICTURE,), (SCALES,), opset=opset, attributes={"mode": mode}),
            [
                (
                    "Resize",
                    (np.zeros(0, np.float32), SCALES),
                    {"mode": mode, "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
                )
            ],
        )
        for kind, opset, mode in (("Resize", 10, "nearest"), ("Resize", 10, "linear"), ("Upsample", 9, "nearest"))
    ),
    (
        Case("ConvTranspose", (PICTURE,), ((4, 2, 3, 3),), attributes={"strides": [2, 2], "output_shape": [18, 14]}),
        [("ConvTranspose", ((4, 2, 3, 3),), {"strides": [2, 2], "pads": [1, 1, 0, 0]})],
    ),
]


def check(case: Case, model: onnx.ModelProto) -> None:
    inputs = readings(model, case.values)
    wanted = reference(model, inputs)
    made = evaluated(loaded(case.model()), inputs)
    for w, m in zip(wanted, made, strict=True):
        assert m.shape == w.shape
        np.testing.assert_allclose(m.astype(np.float64), w.astype(np.float64), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_operator(case: Case) -> None:
    check(case, case.model())


@pytest.mark.parametrize(("case", "chain"), SAME, ids=[str(case) for case, _ in SAME])
def test_operator_as_others(case: Case, chain: list[tuple[str, tuple[Any, ...], dict[str, Any]]]) -> None:
    maker = Maker()
    made = maker.input(case.inputs[0])
    for kind, constants, attributes in chain:
        made = maker.add(kind, made, *map(maker.constant, constants), **attributes)
    check(case, maker.model(made))
