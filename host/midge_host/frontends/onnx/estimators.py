"""Operators of the domain ai.onnx.ml, as skl2onnx writes them."""

from __future__ import annotations

import numpy as np

from ...ir import operators as ir
from ...ir.graph import Tensor
from .importer import Call, reads
from .reductions import lp_normalised

ML = "ml"
_POST = {"NONE": None, "LOGISTIC": ir.Logistic, "SOFTMAX": ir.Softmax}


def _linear(call: Call, rows: int, name: str, suffix: str) -> Tensor:
    x = call.input()
    weights = np.asarray(call.attribute("coefficients"), np.float32).reshape(rows, -1)
    offsets = np.resize(np.asarray(call.attribute(name) or [0.0], np.float32), rows)
    if weights.shape[1] != x.shape[-1]:
        raise call.refuse(f"its coefficients {weights.shape} do not fit {x.shape}", "export the model again")
    return call.add(ir.Dense, suffix, source=x, weights=weights, bias=offsets, shape=(*x.shape[:-1], rows))


def _post(call: Call, x: Tensor) -> Tensor:
    name = call.attribute("post_transform", "NONE")
    if name not in _POST:
        raise call.refuse(f"its post_transform is {name}", "use NONE, LOGISTIC or SOFTMAX")
    kind = _POST[name]
    return x if kind is None else call.add(kind, source=x)


@reads("LinearRegressor", domain=ML)
def linear_regressor(call: Call) -> Tensor:
    return _post(call, _linear(call, int(call.attribute("targets", 1)), "intercepts", "sums"))


@reads("LinearClassifier", domain=ML)
def linear_classifier(call: Call) -> list[Tensor]:
    """The class and the scores of all classes."""
    classes = classes_of(call)
    rows = len(call.attribute("intercepts") or classes)
    scores = _linear(call, rows, "intercepts", "sums")
    if rows == 1:  # the second class; the first has what is left
        if call.attribute("post_transform", "NONE") == "LOGISTIC":
            second = call.add(ir.Logistic, "second", source=scores)
            first = call.binary(ir.Sub, call.number(1.0), second, "first")
        else:
            first, second = call.add(ir.Neg, "first", source=scores), scores
        scores = call.add(ir.Concatenate, "scores", sources=[first, second], axis=len(scores.shape) - 1)
    else:
        scores = _post(call, scores)
    best = call.add(ir.ArgMax, "class", source=scores, axis=len(scores.shape) - 1, dtype="int32")
    return [named(call, best, classes), scores]


def classes_of(call: Call) -> list[str]:
    for name in ("classlabels_strings", "classlabels_ints", "classlabels_int64s"):
        if call.attribute(name):
            return [str(label) for label in call.attribute(name)]
    raise call.refuse("it names no classes", "export the model again")


def named(call: Call, number: Tensor, classes: list[str]) -> Tensor:
    """The number of a class: its name is among the model's labels."""
    call.importer.name_classes(number, classes)
    return number


@reads("Scaler", domain=ML)
def scaler(call: Call) -> Tensor:
    x = call.input()
    offset = np.asarray(call.attribute("offset") or [0.0], np.float32)
    scale = np.asarray(call.attribute("scale") or [1.0], np.float32)
    return call.binary(ir.Mul, call.binary(ir.Sub, x, call.number(offset), "offset"), call.number(scale))


@reads("Normalizer", domain=ML)
def normalizer(call: Call) -> Tensor:
    x, norm = call.input(), call.attribute("norm", "MAX")
    if norm == "MAX":
        most = call.add(ir.ReduceMax, "most", source=x, axes=(len(x.shape) - 1,), keep_dims=True)
        return call.binary(ir.Div, x, most)
    return lp_normalised(call, x, -1, {"L1": 1, "L2": 2}[norm])


@reads("Binarizer", domain=ML)
def binarizer(call: Call) -> Tensor:
    more = call.binary(ir.Greater, call.input(), float(call.attribute("threshold", 0.0)), "more")
    return call.add(ir.Cast, source=more, dtype="float32")


@reads("FeatureVectorizer", domain=ML)
def feature_vectorizer(call: Call) -> Tensor:
    return call.add(ir.Concatenate, sources=call.inputs, axis=1) if len(call.inputs) > 1 else call.input()


@reads("ZipMap", domain=ML)
def zip_map(call: Call) -> Tensor:
    """Probabilities by class, whose names are the model's labels."""
    return call.input()


@reads("ArrayFeatureExtractor", domain=ML)
def array_feature_extractor(call: Call) -> Tensor:
    """Elements of the last axis; of the list of classes, the class itself."""
    x, index = call.input(0), call.input(1)
    if x.data is not None and index.data is None:
        return named(call, index, [str(label) for label in x.data.reshape(-1)])
    places = call.constant(1, "positions are").reshape(-1).astype(np.int64)
    return call.add(ir.Gather, source=x, indexes=places, axis=len(x.shape) - 1)


@reads("LabelEncoder", domain=ML)
def label_encoder(call: Call) -> Tensor:
    """Of a number of a class its name."""
    x = call.input()
    values = next((v for n, v in call.operator.attributes.items() if n.startswith("values_")), None)
    keys = next((v for n, v in call.operator.attributes.items() if n.startswith("keys_")), None)
    if values is None or keys is None or list(map(str, keys)) != list(map(str, range(len(keys)))):
        raise call.refuse("it encodes more than numbers of classes", "give the model numbers")
    return named(call, x, [str(v) for v in values])


@reads("SVMClassifier", "SVMRegressor", domain=ML)
def support_vectors(call: Call) -> Tensor:
    raise call.refuse("it compares with support vectors", "use a linear model, a network or trees")
