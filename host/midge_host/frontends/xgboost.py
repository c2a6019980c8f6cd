"""XGBoost: models of trees, from the JSON that save_model() writes. Needs no package.

A float32 value x goes left where x < split_condition; leaves are added in float32, tree by tree, to the margin of
base_score (https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import MidgeError, UnsupportedError
from ..ir.trees import ABOVE_ZERO, Tree, below
from . import Loaded, Request, read_file
from .sklearn.chain import Chain

# Objectives by what becomes of the sums.
IDENTITY = ("reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror", "reg:quantileerror")
LOGISTIC = ("binary:logistic", "binary:logitraw", "reg:logistic")
CLASSES = ("multi:softprob", "multi:softmax")


def load(source: Path | Any, request: Request) -> Loaded:
    """A model file, or an object of xgboost. Raises MidgeError for what is no JSON of XGBoost, UnsupportedError for
    a booster or an objective that midge does not know."""
    labels: list[str] = []
    if isinstance(source, Path):
        data, name = read_file(source), source.name
        if source.suffix.lower() == ".ubj":
            raise MidgeError(f"{source}: XGBoost's binary form; write the other with model.save_model('model.json')")
    else:
        name = type(source).__name__
        booster = source.get_booster() if hasattr(source, "get_booster") else source
        data = bytes(booster.save_raw("json"))
        labels = [str(label) for label in getattr(source, "classes_", ())]
    try:
        learner = json.loads(data)["learner"]
        chain = _chain(learner, name)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise MidgeError(f"{name}: not a model that XGBoost's save_model('model.json') writes ({error!r})") from None
    objective = learner["objective"]["name"]
    if objective in CLASSES:
        return Loaded(chain.largest(probabilities=True), data, labels)
    if objective in LOGISTIC:
        return Loaded(chain.threshold(ABOVE_ZERO, probabilities=True), data, labels)
    return Loaded(chain.results(), data)


def _chain(learner: dict[str, Any], name: str) -> Chain:
    objective, booster = learner["objective"]["name"], learner["gradient_booster"]
    if booster["name"] != "gbtree":
        raise UnsupportedError(f"{name}: booster {booster['name']!r}; midge converts gbtree")
    if objective not in (*IDENTITY, *LOGISTIC, *CLASSES):
        known = ", ".join((*IDENTITY, *LOGISTIC, *CLASSES))
        raise UnsupportedError(f"{name}: objective {objective!r}; midge converts {known}")
    parameters, model = learner["learner_model_param"], booster["model"]
    outputs = max(int(parameters["num_class"]), int(parameters.get("num_target", 1)), 1)
    # Of one sum as a number, of several in brackets; older files have the number alone.
    score = np.array(str(parameters["base_score"]).strip("[]").split(","), np.float32)
    margins = np.resize(score, outputs)
    if objective in LOGISTIC and objective != "binary:logitraw":
        margins = -np.log(np.float32(1) / margins - np.float32(1))
    chain = Chain(name, int(parameters["num_feature"]), takes_nan=True)
    trees = [_tree(tree, int(output), name) for tree, output in zip(model["trees"], model["tree_info"], strict=True)]
    chain.trees(trees, margins.astype(np.float64), single=True)
    return chain


def _tree(tree: dict[str, Any], output: int, name: str) -> Tree:
    if any(tree.get("split_type", ())) or tree.get("categories"):
        raise UnsupportedError(f"{name}: it splits at categories; encode them as numbers and train anew")
    if int(tree["tree_param"].get("size_leaf_vector", 1)) > 1:
        raise UnsupportedError(f"{name}: leaves of several values; train it with multi_strategy='one_output_per_tree'")
    left, right = np.array(tree["left_children"], np.int64), np.array(tree["right_children"], np.int64)
    conditions = np.array(tree["split_conditions"], np.float32)
    is_leaf = left < 0
    feature = np.where(is_leaf, -1, np.array(tree["split_indices"], np.int64))
    default_left = np.array(tree["default_left"], bool)
    return Tree(feature, below(conditions), left, right, default_left, conditions.astype(np.float64), output)
