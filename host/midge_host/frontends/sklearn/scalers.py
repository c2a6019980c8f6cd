"""What stands before an estimator in a Pipeline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn import decomposition, pipeline, preprocessing

from ...errors import UnsupportedError
from ...ir import operators as ir
from ...ir.graph import Graph
from .chain import Chain

# A float32 value becomes another one, and a larger one none that is smaller.
MONOTONE = (
    preprocessing.StandardScaler,
    preprocessing.MinMaxScaler,
    preprocessing.MaxAbsScaler,
    preprocessing.RobustScaler,
)


def split(model: Any) -> tuple[list[Any], Any]:
    """The transformers of a Pipeline, those within others too, and the estimator behind them."""
    if not isinstance(model, pipeline.Pipeline):
        return [], model
    parts = [part for _, part in model.steps if part is not None and part != "passthrough"]
    found: list[Any] = []
    for part in parts[:-1]:
        inner, last = split(part)
        found += [*inner, last]
    inner, final = split(parts[-1])
    found += inner
    for part in found:
        if type(part) not in (*MONOTONE, decomposition.PCA):
            names = ", ".join(kind.__name__ for kind in (*MONOTONE, decomposition.PCA))
            raise UnsupportedError(f"{type(part).__name__} in a Pipeline: midge converts {names} there")
    return found, final


def behind(
    steps: Sequence[Any], chain: Chain, model: Any, convert: Callable[[Any, Chain], Graph], trees: bool
) -> Graph:
    """The graph of a model behind transformers."""
    if trees and all(isinstance(step, MONOTONE) for step in steps):
        graph = convert(model, chain)
        for node in graph.nodes:
            if isinstance(node, ir.TreeSums):
                _move_thresholds(node, steps, chain.input.size)
        return graph
    for i, step in enumerate(steps):
        if isinstance(step, decomposition.PCA):
            _project(step, steps[i + 1 :], chain, "float32" if trees else "float64")
            break
        _scale(step, chain)
    return convert(model, chain)


def _scale(step: Any, chain: Chain) -> None:
    """scikit-learn's scalers compute with float32 readings in float32."""
    first, second, multiplies = _parameters(step, chain.tensor.size)
    limits = None
    if getattr(step, "clip", False):
        low, high = step.feature_range if isinstance(step, preprocessing.MinMaxScaler) else (-1.0, 1.0)
        limits = (float(low), float(high))
    chain.scale(first, second, multiplies, limits)


def _parameters(step: Any, features: int) -> tuple[np.ndarray, np.ndarray, bool]:
    """a, b, and whether a value x becomes x * a + b rather than (x - a) / b."""
    if isinstance(step, preprocessing.MinMaxScaler):
        return step.scale_, step.min_, True
    centre, scale = np.zeros(features), np.ones(features)
    if isinstance(step, preprocessing.StandardScaler):
        # It takes its parameters as float32.
        centre = step.mean_.astype(np.float32) if step.with_mean else centre
        scale = step.scale_.astype(np.float32) if step.with_std else scale
    elif isinstance(step, preprocessing.RobustScaler):
        centre = step.center_ if step.with_centering else centre
        scale = step.scale_ if step.with_scaling else scale
    else:
        scale = step.scale_
    return centre, scale, False


def _project(step: Any, rest: Sequence[Any], chain: Chain, dtype: str) -> None:
    """PCA, and what stands behind it: one affine map."""
    weights = np.asarray(step.components_, np.float64)
    bias = np.zeros(len(weights)) if step.mean_ is None else -weights @ step.mean_
    if step.whiten:
        deviation = np.sqrt(step.explained_variance_)
        weights, bias = weights / deviation[:, None], bias / deviation
    for after in rest:
        if getattr(after, "clip", False):
            raise UnsupportedError(f"{type(after).__name__} with clip behind PCA; put it before, or leave clip out")
        if isinstance(after, decomposition.PCA):
            shift = 0.0 if after.mean_ is None else after.mean_
            scale = np.sqrt(after.explained_variance_) if after.whiten else np.ones(len(after.components_))
            turned = after.components_ / scale[:, None]
            weights, bias = turned @ weights, turned @ (bias - shift)
            continue
        first, second, multiplies = _parameters(after, len(bias))
        weights = weights * first[:, None] if multiplies else weights / second[:, None]
        bias = bias * first + second if multiplies else (bias - first) / second
    chain.affine(weights, bias, dtype=dtype)


def _move_thresholds(node: ir.TreeSums, steps: Sequence[Any], features: int) -> None:
    """Thresholds of scaled values become those of the readings: the largest float32 that the scalers, which round
    as they do, leave at or below the threshold."""
    feature = np.concatenate([tree.feature for tree in node.trees])
    threshold = np.concatenate([tree.threshold for tree in node.trees])
    inner = np.flatnonzero(feature >= 0)
    moved = threshold.copy()
    for start in range(0, len(inner), _ROWS):
        some = inner[start : start + _ROWS]
        moved[some] = _largest_below(steps, feature[some], threshold[some], features)
    at = 0
    for tree in node.trees:
        tree.threshold = moved[at : at + len(tree.feature)]
        at += len(tree.feature)


_ROWS = 4096
_FINITE = 0x7F7FFFFF  # the largest finite float32 as an integer


def _largest_below(steps: Sequence[Any], feature: np.ndarray, threshold: np.ndarray, features: int) -> np.ndarray:
    rows = np.arange(len(feature))

    def goes_left(order: np.ndarray) -> np.ndarray:
        readings = np.zeros((len(feature), features), np.float32)
        readings[rows, feature] = _float_of(order)
        with np.errstate(over="ignore"):
            for step in steps:
                readings = step.transform(readings)
        return np.asarray(readings, np.float32)[rows, feature] <= threshold

    low, high = np.full(len(feature), -_FINITE - 1), np.full(len(feature), _FINITE + 1)
    while np.any(high - low > 1):
        middle = np.clip((low + high) // 2, -_FINITE, _FINITE)
        left = goes_left(middle)
        low, high = np.where(left & (middle > low), middle, low), np.where(~left & (middle < high), middle, high)
    return _float_of(low)


def _float_of(order: np.ndarray) -> np.ndarray:
    """The float32 with that place in the order of the numbers; infinities behind the ends."""
    bits = np.where(order < 0, 0x80000000 | -order, order)
    return bits.astype(np.uint32).view(np.float32)
