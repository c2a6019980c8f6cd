"""TreeEnsembleClassifier and TreeEnsembleRegressor, as skl2onnx writes forests and boosted trees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...ir import operators as ir
from ...ir.graph import Tensor
from ...ir.trees import ABOVE_ZERO, Tree, at_most, below
from .estimators import ML, classes_of, named
from .importer import Call, reads

_ADVICE = "give midge the model that it was made from (.skops, XGBoost's .json, LightGBM's .txt)"
_MODES = {"BRANCH_LEQ": (at_most, False), "BRANCH_LT": (below, False)}
_MODES |= {"BRANCH_GT": (at_most, True), "BRANCH_GTE": (below, True)}  # what is true goes right


@reads("TreeEnsembleRegressor", domain=ML)
def regressor(call: Call) -> Tensor:
    targets = int(call.attribute("n_targets", 1))
    how, post = call.attribute("aggregate_function", "SUM"), call.attribute("post_transform", "NONE")
    if how not in ("SUM", "AVERAGE") or post != "NONE":
        raise call.refuse(f"it computes {how} and {post} of its trees", _ADVICE)
    trees = list(_trees(call, "target", targets))
    count = len(trees) if how == "AVERAGE" else 1
    sums = _sums(call, trees, count * _base(call, targets))
    return call.add(ir.Scores, source=sums, decision=ir.Decision.NONE, divisor=float(count), shape=sums.shape)


@reads("TreeEnsembleClassifier", domain=ML)
def classifier(call: Call) -> list[Tensor]:
    """The class and the scores of all classes."""
    classes = classes_of(call)
    post = call.attribute("post_transform", "NONE")
    pair = len(classes) == 2 and len(set(call.attribute("class_ids") or [])) == 1
    if post not in ("NONE", "LOGISTIC" if pair else "SOFTMAX"):
        raise call.refuse(f"its post_transform is {post} of {len(classes)} classes", _ADVICE)
    trees = list(_trees(call, "class", 1 if pair else len(classes)))
    base = _base(call, 1 if pair else len(classes))
    weights = np.concatenate([tree.value[tree.feature < 0].reshape(-1) for tree in trees])
    decision = ir.Decision.LARGEST
    threshold = 0.0
    if pair and post == "NONE" and weights.min() >= 0:
        # Chances of the second class, which is decided for above a half; of the first each tree gives what is left.
        base = np.array([-base[0], base[0]])
        whole = np.float32(1 / len(trees))
        for tree in trees:
            tree.value = np.stack([whole - tree.value.astype(np.float32), tree.value], 1).astype(np.float64)
    elif pair:
        decision, threshold = ir.Decision.THRESHOLD, ABOVE_ZERO
    scores = call.add(
        ir.Scores,
        "scores",
        source=_sums(call, trees, base),
        decision=decision,
        threshold=threshold,
        probabilities=post != "NONE",
        shape=(1, len(classes)),
    )
    best = call.add(ir.ArgMax, "class", source=scores, axis=1, dtype="int32")
    return [named(call, best, classes), scores]


@reads("TreeEnsemble", domain=ML)
def ensemble(call: Call) -> Tensor:
    raise call.refuse("it is an ensemble of trees of ai.onnx.ml 5", f"export it with ai.onnx.ml 3, or {_ADVICE}")


def _sums(call: Call, trees: list[Tree], bias: np.ndarray) -> Tensor:
    x = call.input()
    if all(edge.tensor is not x for edge in call.importer.graph.inputs) or x.dtype != "float32":
        raise call.refuse("what it reads is computed before, not the model's input of float32", _ADVICE)
    if any(tree.feature.max(initial=0) >= x.size for tree in trees):
        raise call.refuse(f"it splits at values that its input {x.shape} does not have", "export the model again")
    # Sums of float32, as ONNX Runtime has them.
    return call.add(ir.TreeSums, "sums", source=x, trees=trees, bias=bias, single=True, shape=(1, bias.size))


def _base(call: Call, outputs: int) -> np.ndarray:
    values = _numbers(call, "base_values")
    if len(values) not in (0, outputs):
        raise call.refuse(f"it has {len(values)} base values for {outputs} sums", "export the model again")
    return values if len(values) else np.zeros(outputs)


def _numbers(call: Call, name: str) -> np.ndarray:
    """An attribute of floats, or of doubles as a tensor."""
    values = call.attribute(f"{name}_as_tensor")
    return np.asarray(call.attribute(name) or [] if values is None else values, np.float64).reshape(-1)


def _texts(values: Sequence[bytes | str]) -> list[str]:
    return [value.decode() if isinstance(value, bytes) else value for value in values]


def _trees(call: Call, prefix: str, outputs: int) -> Iterator[Tree]:
    """prefix: of the attributes that say what leaves hold."""
    columns = {
        name: np.asarray(call.attribute(f"nodes_{name}") or [], np.int64)
        for name in ("treeids", "nodeids", "featureids", "truenodeids", "falsenodeids")
    }
    modes = np.array(_texts(call.attribute("nodes_modes") or []))
    thresholds = _numbers(call, "nodes_values")
    count = len(modes)
    tracks = np.asarray(call.attribute("nodes_missing_value_tracks_true") or np.zeros(count), bool)
    ids = {
        name: np.asarray(call.attribute(f"{prefix}_{name}") or [], np.int64) for name in ("treeids", "nodeids", "ids")
    }
    weights = _numbers(call, f"{prefix}_weights")
    sizes = {len(c) for c in (*columns.values(), thresholds, tracks)} | {count}
    if not count or len(sizes) > 1 or len({len(c) for c in (*ids.values(), weights)}) > 1:
        raise call.refuse("its attributes have different lengths", "export the model again")
    if unknown := sorted(set(modes) - {*_MODES, "LEAF"}):
        raise call.refuse(f"its nodes compare by {', '.join(unknown)}", _ADVICE)
    if np.any((ids["ids"] < 0) | (ids["ids"] >= outputs)):
        raise call.refuse(f"its leaves add to more than {outputs} sums", "export the model again")
    places = {
        pair: i for i, pair in enumerate(zip(columns["treeids"].tolist(), columns["nodeids"].tolist(), strict=True))
    }
    held = np.zeros((count, outputs))
    kinds: dict[int, set[int]] = {}
    for tree, node, k, weight in zip(
        *(ids[name].tolist() for name in ("treeids", "nodeids", "ids")), weights, strict=True
    ):
        if (tree, node) not in places:
            raise call.refuse(f"it has no node {node} of tree {tree}", "export the model again")
        held[places[tree, node], k] += weight
        kinds.setdefault(tree, set()).add(k)
    lists = any(len(kind) > 1 for kind in kinds.values())
    for tree in dict.fromkeys(columns["treeids"].tolist()):
        order, children = _order(call, tree, places, modes, columns)
        number = {at: i for i, at in enumerate(order)}
        feature = np.where(modes[order] == "LEAF", -1, columns["featureids"][order])
        left, right = (np.array([number.get(children[at][side], 0) for at in order]) for side in (0, 1))
        limits = [_MODES.get(modes[at], _MODES["BRANCH_LEQ"]) for at in order]
        threshold = np.array([limit(thresholds[at]) for at, (limit, _) in zip(order, limits, strict=True)], np.float32)
        missing = np.array([tracks[at] != swapped for at, (_, swapped) in zip(order, limits, strict=True)])
        output = min(kinds.get(tree, {0}))
        yield Tree(feature, threshold, left, right, missing, held[order] if lists else held[order, output], output)


def _order(
    call: Call, tree: int, places: dict[tuple[int, int], int], modes: np.ndarray, columns: dict[str, np.ndarray]
) -> tuple[list[int], dict[int, tuple[int, int]]]:
    """The nodes of a tree, each before those below it, and the children of each: left, right."""
    found: list[int] = []
    children: dict[int, tuple[int, int]] = {}
    waiting = [next(i for (t, _), i in places.items() if t == tree)]
    while waiting:
        at = waiting.pop()
        if at in children:
            raise call.refuse(f"its tree {tree} comes to a node twice", "export the model again")
        found.append(at)
        children[at] = (-1, -1)
        if modes[at] != "LEAF":
            pair = [places.get((tree, int(columns[name][at]))) for name in ("truenodeids", "falsenodeids")]
            if pair[0] is None or pair[1] is None:
                raise call.refuse(f"a node of its tree {tree} has a child that is not there", "export the model again")
            swapped = _MODES[modes[at]][1]
            children[at] = (pair[1], pair[0]) if swapped else (pair[0], pair[1])
            waiting += children[at][::-1]
    return found, children
