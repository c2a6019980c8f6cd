"""Decision trees of scikit-learn, and what is made of many of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import ensemble, tree

from ...errors import UnsupportedError
from ...ir.graph import Graph
from ...ir.trees import ABOVE_ZERO, Tree, at_most
from .chain import Chain


def _tree(fitted: Any, values: np.ndarray, output: int = 0, features: np.ndarray | None = None) -> Tree:
    """A tree of scikit-learn (`tree_`) with these values of its nodes. features: the reading's numbers of its own."""
    found = fitted.tree_
    inner = found.children_left >= 0
    feature = np.where(inner, found.feature, -1)
    if features is not None:
        feature = np.where(inner, np.asarray(features)[feature], -1)
    missing = getattr(found, "missing_go_to_left", np.zeros(len(feature)))
    left, right = (np.asarray(child, np.int64) for child in (found.children_left, found.children_right))
    return Tree(feature, at_most(found.threshold), left, right, np.asarray(missing, bool), values, output)


def _averaged(model: Any, chain: Chain) -> Graph:
    """One tree, or the mean of several."""
    trees = list(getattr(model, "estimators_", [model]))
    values = [np.asarray(t.tree_.value, np.float64) for t in trees]
    classifies = hasattr(model, "classes_")
    if classifies and model.n_outputs_ > 1:
        raise UnsupportedError(f"{type(model).__name__}: it has {model.n_outputs_} outputs; train a model for each")
    per_node = [v[:, 0, :] if classifies else v[:, :, 0] for v in values]
    outputs = per_node[0].shape[1]
    if outputs == 1:
        per_node = [v[:, 0] for v in per_node]
    chain.trees([_tree(t, v) for t, v in zip(trees, per_node, strict=True)], np.zeros(outputs))
    return chain.largest(len(trees)) if classifies else chain.results(len(trees))


def _gradient_boosting(model: Any, chain: Chain) -> Graph:
    constant = model.init_ == "zero" or type(model.init_).__module__ == "sklearn.dummy"
    if not constant:
        kind = type(model.init_).__name__
        raise UnsupportedError(f"{type(model).__name__}: it begins with a {kind} (init=...); train it without init")
    bias = model._raw_predict_init(np.zeros((1, model.n_features_in_), np.float32))[0]
    rate = model.learning_rate
    trees = [
        _tree(fitted, rate * fitted.tree_.value[:, 0, 0], k)
        for stage in model.estimators_
        for k, fitted in enumerate(stage)
    ]
    chain.trees(trees, bias)
    if not hasattr(model, "classes_"):
        return chain.results()
    if len(bias) > 1:
        return chain.largest(probabilities=True)
    # The exponential loss takes twice the sum for the logarithm of the odds.
    return chain.threshold(0.0, divisor=0.5 if model.loss == "exponential" else 1.0, probabilities=True)


def _hist_gradient_boosting(model: Any, chain: Chain) -> Graph:
    name = type(model).__name__
    if getattr(model, "is_categorical_", None) is not None and np.any(model.is_categorical_):
        raise UnsupportedError(
            f"{name}: it splits at categories; encode them as numbers (OrdinalEncoder) and train anew"
        )
    classifies = hasattr(model, "classes_")
    if not classifies and model.loss not in ("squared_error", "absolute_error", "quantile"):
        raise UnsupportedError(f"{name}: loss {model.loss!r}; squared_error, absolute_error and quantile work")
    trees = []
    for iteration in model._predictors:
        for k, predictor in enumerate(iteration):
            nodes = predictor.nodes
            is_leaf = nodes["is_leaf"].astype(bool)
            trees.append(
                Tree(
                    np.where(is_leaf, -1, nodes["feature_idx"].astype(np.int64)),
                    at_most(nodes["num_threshold"]),
                    nodes["left"].astype(np.int64),
                    nodes["right"].astype(np.int64),
                    nodes["missing_go_to_left"].astype(bool),
                    nodes["value"].astype(np.float64),
                    k,
                )
            )
    bias = np.asarray(model._baseline_prediction, np.float64).reshape(-1)
    chain.trees(trees, bias)
    if not classifies:
        return chain.results()
    return chain.largest(probabilities=True) if len(bias) > 1 else chain.threshold(ABOVE_ZERO, probabilities=True)


def _isolation_forest(model: Any, chain: Chain) -> Graph:
    """The sum of the path lengths, which decides: scores are how far the mean one is beyond its limit."""
    trees = [
        _tree(fitted, np.asarray(depths) + average - 1.0, features=features)
        for fitted, features, depths, average in zip(
            model.estimators_,
            model.estimators_features_,
            model._decision_path_lengths,
            model._average_path_length_per_tree,
            strict=True,
        )
    ]
    limit = _least_inlier(model, len(trees))
    chain.trees(trees, [0.0])
    return chain.threshold(limit, divisor=float(len(trees)))


def _average_path_length(samples: int) -> float:
    """Of a search in a binary tree of so many leaves that finds nothing: Liu, Ting, Zhou, Isolation Forest (2008)."""
    if samples <= 2:
        return float(samples - 1)
    return float(2.0 * (np.log(samples - 1.0) + np.euler_gamma) - 2.0 * (samples - 1.0) / samples)


def _least_inlier(model: Any, trees: int) -> float:
    """The least sum of path lengths that scikit-learn calls an inlier, by its own formula: halved until it is exact."""
    denominator = trees * np.array([_average_path_length(model._max_samples)])

    def is_inlier(depth: float) -> bool:
        scores = 2 ** (-np.divide(np.array([depth]), denominator))
        return bool((-scores - model.offset_)[0] >= 0)

    low, high = 0.0, float(trees * 4 * model._max_samples)
    if is_inlier(low):
        return low
    while np.nextafter(low, high) < high:
        middle = low + (high - low) / 2
        low, high = (low, middle) if is_inlier(middle) else (middle, high)
    return high


MODELS: dict[type, Callable[[Any, Chain], Graph]] = {
    tree.DecisionTreeClassifier: _averaged,
    tree.DecisionTreeRegressor: _averaged,
    ensemble.RandomForestClassifier: _averaged,
    ensemble.RandomForestRegressor: _averaged,
    ensemble.ExtraTreesClassifier: _averaged,
    ensemble.ExtraTreesRegressor: _averaged,
    ensemble.GradientBoostingClassifier: _gradient_boosting,
    ensemble.GradientBoostingRegressor: _gradient_boosting,
    ensemble.HistGradientBoostingClassifier: _hist_gradient_boosting,
    ensemble.HistGradientBoostingRegressor: _hist_gradient_boosting,
    ensemble.IsolationForest: _isolation_forest,
}
