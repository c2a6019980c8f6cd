"""Which estimators of scikit-learn midge converts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...errors import UnsupportedError
from ...ir.graph import Graph
from . import classic, trees
from .chain import Chain

MODELS: dict[type, Callable[[Any, Chain], Graph]] = {**trees.MODELS, **classic.MODELS}


def find(model: Any) -> Callable[[Any, Chain], Graph]:
    """The function that converts it. A subclass may compute otherwise, so that the class itself has to be known."""
    if type(model) in MODELS:
        return MODELS[type(model)]
    names = ", ".join(sorted(kind.__name__ for kind in MODELS))
    raise UnsupportedError(
        f"{type(model).__name__}: midge does not convert it; it converts {names}, alone or in a Pipeline behind "
        "StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler and PCA"
    )


def are_trees(model: Any) -> bool:
    return type(model) in trees.MODELS
