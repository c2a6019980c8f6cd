"""LightGBM: models of trees, from the text that save_model() writes. Needs no package.

A value x goes left where x <= threshold in float64; leaves are added in float64, tree by tree. decision_type: bit 0 a
category, bit 1 missing values go left, bits 2 and 3 what counts as missing: 0 nothing (NaN is 0), 1 zero, 2 NaN
(LightGBM's include/LightGBM/tree.h).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import MidgeError, UnsupportedError
from ..ir.trees import ABOVE_ZERO, Tree, at_most
from . import Loaded, Request, read_file
from .sklearn.chain import Chain

IDENTITY = ("regression", "regression_l1", "huber", "fair", "quantile", "mape")
MISSING_ZERO, MISSING_NAN = 1, 2


def load(source: Path | Any, request: Request) -> Loaded:
    """A model file, or an object of lightgbm. Raises MidgeError for what is no text of LightGBM, UnsupportedError for
    an objective or trees that midge does not know."""
    labels: list[str] = []
    if isinstance(source, Path):
        data, name = read_file(source), source.name
    else:
        name = type(source).__name__
        data = getattr(source, "booster_", source).model_to_string().encode()
        labels = [str(label) for label in getattr(source, "classes_", ())]
    try:
        head, *sections = _sections(data.decode())
        if "tree" not in head or "objective" not in head:
            raise ValueError("no line `tree` or no line `objective`")
        outputs = int(head["num_tree_per_iteration"])
        trees = [_tree(section, i % outputs, name) for i, section in enumerate(sections)]
        objective, *options = head["objective"].split()
    except (ValueError, KeyError, IndexError) as error:
        raise MidgeError(f"{name}: not a model that LightGBM's save_model() writes ({error!r})") from None
    chain = Chain(name, int(head["max_feature_idx"]) + 1, takes_nan=True)
    chain.trees(trees, np.zeros(outputs))
    divisor = len(trees) / outputs if "average_output" in head else 1.0
    if objective == "multiclass":
        return Loaded(chain.largest(divisor, probabilities=True), data, labels)
    if objective == "binary":
        sigmoid = next((float(o.partition(":")[2]) for o in options if o.startswith("sigmoid:")), 1.0)
        return Loaded(chain.threshold(ABOVE_ZERO, divisor / sigmoid, probabilities=True), data, labels)
    if objective in IDENTITY and "sqrt" not in options:
        return Loaded(chain.results(divisor), data)
    known = ", ".join(("binary", "multiclass", *IDENTITY))
    raise UnsupportedError(f"{name}: objective {head['objective']!r}; midge converts {known}")


def _sections(text: str) -> list[dict[str, str]]:
    """The lines `key=value` of the head, then of each tree."""
    sections: list[dict[str, str]] = [{}]
    for line in text.splitlines():
        if line.strip() == "end of trees":
            break
        key, _, value = line.strip().partition("=")
        if key == "Tree":
            sections.append({})
        elif key:
            sections[-1][key] = value
    return sections


def _tree(section: dict[str, str], output: int, name: str) -> Tree:
    """Its splits, then its leaves: children below 0 are leaves, -1 the first."""
    if int(section["num_cat"]):
        raise UnsupportedError(f"{name}: it splits at categories; encode them as numbers and train anew")
    if int(section.get("is_linear", 0)):
        raise UnsupportedError(f"{name}: its leaves are linear models; train it without linear_tree")
    leaves = np.array(section["leaf_value"].split(), np.float64)
    splits = len(leaves) - 1

    def column(key: str, dtype: type) -> np.ndarray:
        values: np.ndarray = np.array(section.get(key, "").split(), dtype)
        if len(values) != splits:
            raise ValueError(f"{len(values)} values of {key} for {splits} splits")
        return values

    threshold, kinds = column("threshold", np.float64), column("decision_type", np.int64)
    missing = kinds >> 2 & 3
    if np.any(missing == MISSING_ZERO):
        raise UnsupportedError(f"{name}: zeros count as missing; train it without zero_as_missing")
    goes_left = np.where(missing == MISSING_NAN, kinds >> 1 & 1, threshold >= 0)
    children = [column(key, np.int64) for key in ("left_child", "right_child")]
    left, right = (np.where(child < 0, splits + ~child, child) for child in children)
    rest, none = np.zeros(len(leaves), np.int64), np.full(len(leaves), -1)
    return Tree(
        np.concatenate([column("split_feature", np.int64), none]),
        at_most(np.concatenate([threshold, rest])),
        np.concatenate([left, rest]),
        np.concatenate([right, rest]),
        np.concatenate([goes_left, rest]).astype(bool),
        np.concatenate([np.zeros(splits), leaves]),
        output,
    )
