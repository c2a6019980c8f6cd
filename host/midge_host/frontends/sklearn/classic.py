"""Linear models, MLP, nearest neighbours, k-means and naive Bayes of scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import cluster, linear_model, naive_bayes, neighbors, neural_network, svm

from ...errors import UnsupportedError
from ...ir.graph import Graph
from ...ir.trees import ABOVE_ZERO
from .chain import Chain


def _affine(model: Any, chain: Chain) -> None:
    weights = np.atleast_2d(np.asarray(model.coef_, np.float64))
    bias = np.broadcast_to(np.asarray(model.intercept_, np.float64), len(weights))
    chain.affine(weights, bias)


def _regression(model: Any, chain: Chain) -> Graph:
    _affine(model, chain)
    return chain.results()


def _classification(model: Any, chain: Chain) -> Graph:
    """By the decision function; probabilities where the classifier has those of a softmax."""
    _affine(model, chain)
    name = type(model).__name__
    logistic = name in ("LogisticRegression", "LogisticRegressionCV") or getattr(model, "loss", "") == "log_loss"
    if chain.tensor.size == 1:
        return chain.threshold(ABOVE_ZERO, probabilities=logistic)
    if len(model.classes_) != chain.tensor.size:
        raise UnsupportedError(f"{name}: it has several outputs; train a model for each")
    return chain.largest(probabilities=logistic and not name.startswith("SGD"))


def _perceptron(model: Any, chain: Chain) -> Graph:
    for i, (weights, bias) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        last = i == len(model.coefs_) - 1
        chain.affine(weights.T, bias, "identity" if last else model.activation)
    if not hasattr(model, "classes_"):
        return chain.results()
    if model.out_activation_ == "softmax":
        return chain.largest(probabilities=True)
    if chain.tensor.size > 1:
        raise UnsupportedError(f"{type(model).__name__}: it has several labels a reading; train a model for each")
    return chain.threshold(ABOVE_ZERO, probabilities=True)


def _neighbors(model: Any, chain: Chain) -> Graph:
    name = type(model).__name__
    if model.effective_metric_ != "euclidean" or model.weights not in ("uniform", "distance", None):
        reason = f"metric {model.effective_metric_!r}, weights {model.weights!r}"
        raise UnsupportedError(f"{name}: {reason}; the Euclidean metric with uniform or distance weights works")
    table = model._fit_X
    if not isinstance(table, np.ndarray) or np.ndim(model._y) > 1:
        raise UnsupportedError(f"{name}: a sparse table, or several outputs; train it with arrays, a model for each")
    classifies = hasattr(model, "classes_")
    targets = np.asarray(model._y, np.uint64 if classifies else np.float64)
    outputs = len(model.classes_) if classifies else 1
    weighted = model.weights == "distance"
    chain.nearest(table, targets, model.n_neighbors, outputs, weighted)
    whole = 1.0 if weighted else float(model.n_neighbors)
    return chain.largest(whole) if classifies else chain.results(whole)


def _clusters(model: Any, chain: Chain) -> Graph:
    """The nearest centre: scores are 2 x c - c^2, the largest where (x - c)^2 is the least."""
    centres = np.asarray(model.cluster_centers_, np.float64)
    chain.affine(2 * centres, -(centres**2).sum(1))
    return chain.largest()


def _naive_bayes(model: Any, chain: Chain) -> Graph:
    variance = np.asarray(model.var_, np.float64)
    bias = np.log(model.class_prior_) - 0.5 * np.log(2 * np.pi * variance).sum(1)
    chain.distances(model.theta_, 0.5 / variance, bias)
    return chain.largest(probabilities=True)


_REGRESSIONS = (
    linear_model.LinearRegression,
    linear_model.Ridge,
    linear_model.RidgeCV,
    linear_model.Lasso,
    linear_model.ElasticNet,
    linear_model.SGDRegressor,
    svm.LinearSVR,
)
_CLASSIFICATIONS = (
    linear_model.LogisticRegression,
    linear_model.RidgeClassifier,
    linear_model.RidgeClassifierCV,
    linear_model.SGDClassifier,
    linear_model.Perceptron,
    svm.LinearSVC,
)
MODELS: dict[type, Callable[[Any, Chain], Graph]] = {
    **dict.fromkeys(_REGRESSIONS, _regression),
    **dict.fromkeys(_CLASSIFICATIONS, _classification),
    neural_network.MLPClassifier: _perceptron,
    neural_network.MLPRegressor: _perceptron,
    neighbors.KNeighborsClassifier: _neighbors,
    neighbors.KNeighborsRegressor: _neighbors,
    cluster.KMeans: _clusters,
    cluster.MiniBatchKMeans: _clusters,
    naive_bayes.GaussianNB: _naive_bayes,
}
