"""scikit-learn: fitted estimators, alone or behind scalers in a Pipeline; from Python, .skops files or pickles."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import MidgeError, UnsupportedError, install
from .. import Loaded, Request

if TYPE_CHECKING:
    from ...ir.graph import Graph

PICKLES = (".pkl", ".pickle", ".joblib")
# Modules of scikit-learn whose classes fitted estimators hold, and that skops does not vouch for: trees,
# losses, indexes of neighbours, optimisers.
OWN = (
    "sklearn._loss.",
    "sklearn.ensemble._hist_gradient_boosting.",
    "sklearn.linear_model._sgd_fast.",
    "sklearn.metrics._dist_metrics.",
    "sklearn.neighbors._ball_tree.",
    "sklearn.neighbors._kd_tree.",
    "sklearn.neural_network._stochastic_optimizers.",
    "sklearn.tree._tree.",
)


def load(source: Path | Any, request: Request) -> Loaded:
    """An estimator, or the one in a file. Raises MidgeError for a file that cannot be read, or that asks for trust;
    UnsupportedError, with what works, for an estimator that cannot be converted."""
    model, data = _read(source, request.trust) if isinstance(source, Path) else (source, _bytes_of(source))
    graph, labels = to_graph(model)
    return Loaded(graph, data, labels)


def to_graph(model: Any) -> tuple[Graph, list[str]]:
    """The graph of a fitted estimator or Pipeline, and the names of its classes."""
    from . import models, scalers
    from .chain import Chain

    steps, final = scalers.split(model)
    convert = models.find(final)
    if not hasattr(final, "n_features_in_"):
        raise UnsupportedError(f"{type(final).__name__}: it is not fitted; call fit() first")
    first = steps[0] if steps else final
    chain = Chain(type(final).__name__, int(first.n_features_in_), _takes_nan(model, first.n_features_in_))
    trees = models.are_trees(final)
    graph = convert(final, chain) if trees and not steps else scalers.behind(steps, chain, final, convert, trees)
    return graph, _labels(final)


def _labels(model: Any) -> list[str]:
    if hasattr(model, "classes_"):
        return [str(name) for name in model.classes_]
    if type(model).__name__ == "IsolationForest":
        return ["-1", "1"]
    if hasattr(model, "cluster_centers_"):
        return [str(i) for i in range(len(model.cluster_centers_))]
    return []


def _takes_nan(model: Any, features: int) -> bool:
    """Whether it predicts where a value is missing."""
    try:
        model.predict(np.full((1, features), np.nan, np.float32))
    except ValueError:
        return False
    return True


def _bytes_of(model: Any) -> bytes:
    try:
        return pickle.dumps(model)
    except Exception:  # what somebody's class may raise
        return repr(model).encode()


def _read(source: Path, trust: bool) -> tuple[Any, bytes]:
    from .. import read_file

    data = read_file(source)
    if source.suffix.lower() in PICKLES:
        return _unpickle(source, data, trust), data
    try:
        from skops import io
    except ImportError:
        raise MidgeError(f"{source}: .skops files need the package skops; {install('sklearn')}") from None
    try:
        unknown = io.get_untrusted_types(data=data)
    except Exception as error:  # a damaged archive raises errors of many kinds
        raise MidgeError(f"{source}: cannot be read as .skops ({error}); save it with skops.io.dump") from None
    foreign = [name for name in unknown if not name.startswith(OWN)]
    if foreign and not trust:
        names = ", ".join(foreign)
        raise MidgeError(
            f"{source}: it holds types beyond scikit-learn's: {names}; if you trust its author, add --trust"
        )
    try:
        return io.loads(data, trusted=unknown), data
    except Exception as error:
        raise MidgeError(f"{source}: cannot be read as .skops ({error}); save it with skops.io.dump") from None


def _unpickle(source: Path, data: bytes, trust: bool) -> Any:
    if not trust:
        raise MidgeError(
            f"{source}: a pickle can run any code when it is opened; add --trust if you trust its author, or save the "
            "model with skops.io.dump, which runs none"
        )
    try:
        import joblib

        return joblib.load(source)
    except Exception as error:  # anything can happen in a pickle
        reason = f"{type(error).__name__}: {error}"
        raise MidgeError(
            f"{source}: cannot be opened here ({reason}); open it with the scikit-learn that wrote it"
        ) from None
