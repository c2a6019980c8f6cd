"""The ways to learn from embeddings, each prepared from examples of the classes that are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

import midge

from ...device import spec
from ...device.learning import Learning

EXEMPLARS = 5  # of a class: what a head is trained with again, and prototypes are made of
NEIGHBOURS = 16  # of a class, where they are all that is known of it
SHRINKAGE = 0.2  # of the covariance within classes towards a multiple of the identity (Ledoit and Wolf's idea, fixed)
WHITE_MOST, WHITE_SHARE = 255, 0.999  # what whitened values are clamped to, and the share that is within


@dataclass(frozen=True)
class Method:
    """A way to learn: its name in spec.LEARN_METHODS, its words, and what prepares it from embeddings x, int8 (N,
    size), of classes y, (N,), named."""

    name: str
    text: str
    prepare: Callable[[Learning, np.ndarray, np.ndarray, list[str]], Learning]


def learner(learning: Learning) -> Any:
    """A Learner of the device library without a model: for embeddings."""
    raw = learning.to_bytes()
    arena = learning.offset + learning.size
    model: Any = SimpleNamespace(_path="", _crcs=(0,), backend="native", arena_bytes=arena)
    return midge.Learner(model, None, raw)


def by_angle(base: Learning, x: np.ndarray, y: np.ndarray, labels: list[str]) -> Learning:
    return with_exemplars(replace(base, method="prototypes", angular=True, limit=spec.LEARN_FAR), x, y, labels)


def by_distance(base: Learning, x: np.ndarray, y: np.ndarray, labels: list[str]) -> Learning:
    return with_exemplars(replace(base, method="prototypes", angular=False, limit=spec.LEARN_FAR), x, y, labels)


def whitened(base: Learning, x: np.ndarray, y: np.ndarray, labels: list[str]) -> Learning:
    """Distances by the covariance within classes: those of linear discriminant analysis (Fisher 1936)."""
    u = x.astype(np.float64) - base.zero_point
    means = np.array([u[y == c].mean(0) for c in range(len(labels))])
    inner = u - means[y]
    covariance = inner.T @ inner / max(len(u) - len(labels), 1)
    size = covariance.shape[0]
    average = max(np.trace(covariance) / size, 1e-3)
    covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * average * np.eye(size)
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors / np.sqrt(values)) @ vectors.T
    root *= WHITE_MOST / max(np.quantile(np.abs((u - u.mean(0)) @ root.T), WHITE_SHARE), 1e-9)
    shift = int(np.clip(np.floor(np.log2(127 / np.abs(root).max())), 1, 30))
    matrix = np.clip(np.round(root * 2.0**shift), -127, 127)
    centre = np.round(-matrix @ (u.mean(0) + base.zero_point))
    made = replace(base, method="prototypes", angular=False, limit=spec.LEARN_FAR)
    made = replace(made, shift=shift, matrix=matrix, centre=centre)
    return with_exemplars(made, x, y, labels)


def neighbours(base: Learning, x: np.ndarray, y: np.ndarray, labels: list[str]) -> Learning:
    made = replace(base, method="neighbours", neighbours=3, angular=False, limit=spec.LEARN_FAR)
    return with_exemplars(made, x, y, labels)


def head(base: Learning, x: np.ndarray, y: np.ndarray, labels: list[str]) -> Learning:
    """A softmax head that knows the classes already: trained with all of x."""
    u = x.astype(np.float64) - base.zero_point
    energy = np.square(u).sum(1).mean() if len(u) else 1
    bits = int(np.clip(np.round(np.log2(max(energy, 1)) / 2), 1, 8))
    made = replace(base, method="head", angular=False, input_bits=bits, fraction=11, epochs=20, limit=1)
    made = replace(made, exemplars=x, of=y, labels=list(labels))
    if len(labels):
        trained = learner(made)
        trained.train()
        made = replace(made, start=np.frombuffer(trained._rows, np.int16).reshape(len(labels), -1))
    return with_exemplars(made, x, y, labels)


def with_exemplars(made: Learning, x: np.ndarray, y: np.ndarray, labels: list[str]) -> Learning:
    """With a few embeddings of each class: those whose mean comes nearest to the mean of all, chosen one after the
    other (herding: Welling 2009, and Rebuffi et al. 2017, iCaRL)."""
    most = NEIGHBOURS if made.method == "neighbours" else EXEMPLARS
    chosen, of = [], []
    for c in range(len(labels)):
        own = x[y == c]
        u = own.astype(np.float64)
        if made.angular:
            u = (u - made.zero_point) / np.maximum(np.linalg.norm(u - made.zero_point, axis=1, keepdims=True), 1)
        mean, total, left = u.mean(0), np.zeros(u.shape[1]), list(range(len(u)))
        for count in range(1, min(most, len(u)) + 1):
            best = min(left, key=lambda i: float(np.square((total + u[i]) / count - mean).sum()))
            left.remove(best)
            total += u[best]
            chosen.append(own[best])
            of.append(c)
    size = made.size
    return replace(
        made,
        exemplars=np.array(chosen, np.int8).reshape(-1, size),
        of=np.array(of, np.uint8),
        labels=list(labels),
    )


def without_classes(made: Learning) -> Learning:
    """The same, with what a method learnt of them all, but of no class."""
    return replace(made, exemplars=made.exemplars[:0], of=made.of[:0], labels=[])


def methods(size: int) -> list[Method]:
    """Those that an embedding of this size can have, the simplest first."""
    found = [
        Method("prototypes", "prototypes by angle", by_angle),
        Method("prototypes", "prototypes by distance", by_distance),
    ]
    if size <= MOST_WHITENED:
        found.append(Method("prototypes", "prototypes by distance, whitened", whitened))
    found.append(Method("neighbours", "nearest neighbours", neighbours))
    if size <= spec.LEARN_LIMITS["head_size"]:
        found.append(Method("head", "a softmax head", head))
    return found


MOST_WHITENED = 96  # of larger embeddings the matrix would take more memory than it is worth


def teach(taught: Any, x: np.ndarray, y: np.ndarray, labels: list[str]) -> None:
    """Adds examples to a learner, and trains it."""
    for embedded, c in zip(x, y, strict=True):
        taught.add_embedding(embedded.tobytes(), labels[c])
    taught.train()


def answers(taught: Any, x: np.ndarray) -> list[tuple[str | None, float]]:
    """What a learner says of each embedding."""
    return [taught.classify_embedding(embedded.tobytes()) for embedded in x]
