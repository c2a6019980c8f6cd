"""Chooses how a model learns, by leaving classes out and teaching them anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...device import spec
from ...device.learning import Learning
from ...device.model_file import ModelFile
from ...errors import MidgeError
from ...files.readings import Readings
from .embedding import seen
from .methods import Method, answers, learner, methods, teach

SHOTS = 5  # examples of a new class
SPLITS = 5  # of the classes into known and new ones
NEW_SHARE = 4  # a quarter of the classes is left out
MOST = 60  # examples of a class that are looked at: more take time and tell little
WORTH = 0.01  # of accuracy: a method that is better by less is not worth being less simple
PROBABILITY = 1 << 15  # one
CHANCE = 1.5  # times chance: a new class that is found more seldom was not learnt


@dataclass
class Trial:
    """What a method did on average: shares of all, of the known and of the new classes that were found."""

    method: Method
    everything: float
    known: float
    new: float


def taught(model: ModelFile, readings: Readings, tell: Callable[[str], None]) -> Learning:
    """A model's `learning` with the method, exemplars and limit that serve best for what it sees in readings of
    classes. `tell` hears what was chosen and what to expect of it, and a warning where the embedding tells nothing."""
    y, labels = classes_of(readings, "--exemplars")
    most = spec.LEARN_LIMITS["classes"]
    if len(labels) > most or len(y) > spec.LEARN_LIMITS["samples"]:
        raise MidgeError(
            f"--exemplars {readings.where}: {len(y):,} examples of {len(labels)} classes; a learner takes up to "
            f"{spec.LEARN_LIMITS['samples']:,} of {most}"
        )
    x, base = seen(model, readings.inputs), model.learning
    assert isinstance(base, Learning)
    trials = [trial(method, base, x, y) for method in methods(base.size)]
    best = trials[0]
    for other in trials[1:]:
        if other.everything > best.everything + WORTH:
            best = other
    for one in trials:
        tell(
            f"learning, {one.method.text}: {one.everything:.0%} of all, {one.known:.0%} of known classes, "
            f"{one.new:.0%} of new ones with {SHOTS} examples each"
        )
    made = best.method.prepare(base, x, y, labels)
    limit, kept, refused = _limit(best.method, base, x, y, labels)
    tell(
        f"learns by {best.method.text}; of what is none of its classes {refused:.0%} are refused, and of what is one "
        f"{1 - kept:.0%}"
    )
    if best.new < CHANCE / len(labels):
        tell(
            f"warning: new classes are found in {best.new:.0%} of cases, and by chance in {1 / len(labels):.0%}: what "
            "this layer sees does not tell them apart. Try another layer, or a model trained on more kinds of things"
        )
    return replace(made, limit=limit)


def classes_of(readings: Readings, option: str) -> tuple[np.ndarray, list[str]]:
    """(N,) numbers of the classes of readings, from 0 on, and their names. MidgeError where they are too few."""
    y = readings.labels
    if y is None or y.ndim != 1 or y.dtype.kind not in "iu":
        raise MidgeError(f"{option} {readings.where}: no labels; a learner needs examples of classes")
    numbers, y = np.unique(y, return_inverse=True)
    labels = [readings.classes[n] if readings.classes else str(n) for n in numbers]
    fewest = min(np.bincount(y), default=0)
    if len(labels) < 2 or fewest < 2 * SHOTS:
        raise MidgeError(
            f"{option} {readings.where}: {len(labels)} classes, of one {fewest} examples; give 2 classes or more, "
            f"{2 * SHOTS} examples of each"
        )
    return y, labels


def splits(y: np.ndarray, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each trial which classes are new, and a shuffled order of the examples, MOST of a class."""
    random = np.random.default_rng(1)
    found = []
    for _ in range(SPLITS):
        new = random.permutation(count)[: max(1, count // NEW_SHARE)]
        order = random.permutation(len(y))
        rank = np.zeros(len(y), int)
        for c in range(count):
            rank[order[y[order] == c]] = np.arange((y == c).sum())
        found.append((new, np.where(rank < MOST, rank, -1)))
    return found


def _half(y: np.ndarray) -> np.ndarray:
    """Of each example, half of how many of its class are looked at."""
    return (np.minimum(np.bincount(y), MOST) // 2)[y]


def trial(method: Method, base: Learning, x: np.ndarray, y: np.ndarray) -> Trial:
    """Leaves classes out and teaches them anew. x: embeddings, int8 (N, size), of classes y, (N,), from 0 on."""
    rows = []
    labels = [str(c) for c in range(int(y.max()) + 1)]
    for new, rank in splits(y, len(labels)):
        is_new = np.isin(y, new)
        half = _half(y)
        known, taught_now = ~is_new & (rank >= 0) & (rank < half), is_new & (rank >= 0) & (rank < SHOTS)
        tested = np.where(is_new, rank >= SHOTS, rank >= half)
        learning = _prepared(method, base, x[known], y[known], labels)
        learns = learner(learning)
        teach(learns, x[taught_now], y[taught_now], labels)
        told = [label for label, _ in answers(learns, x[tested])]
        right = np.array(told) == np.array(labels)[y[tested]]
        by_class = np.array([right[y[tested] == c].mean() for c in range(len(labels))])
        rows.append((by_class.mean(), np.delete(by_class, new).mean(), by_class[new].mean()))
    return Trial(method, *np.mean(rows, 0))


def _limit(method: Method, base: Learning, x: np.ndarray, y: np.ndarray, labels: list[str]) -> tuple[int, float, float]:
    """The limit that keeps known classes and strange ones apart best, and the shares of both that it does keep and
    refuse: strange ones are the classes left out."""
    inside: list[int] = []
    outside: list[int] = []
    for new, rank in splits(y, len(labels)):
        is_new = np.isin(y, new)
        half = _half(y)
        known = ~is_new & (rank >= 0) & (rank < half)
        learning = _prepared(method, base, x[known], y[known], labels)
        learns = learner(learning)
        inside += strangeness(learning, learns, x[~is_new & (rank >= half)])
        outside += strangeness(learning, learns, x[is_new & (rank >= 0)])
    genuine, strange = np.sort(inside), np.sort(outside)
    candidates = np.unique(np.concatenate([genuine, strange]))
    kept = np.searchsorted(genuine, candidates, "right") / len(genuine)
    refused = 1 - np.searchsorted(strange, candidates, "right") / len(strange)
    best = int(np.argmax(kept + refused))
    chosen = candidates[best]
    return max(1, abs(int(chosen))), float(kept[best]), float(refused[best])


def strangeness(learning: Learning, learns: Any, x: np.ndarray) -> list[int]:
    """Of each embedding its squared distance from the class that a learner of `learning` tells; of a head less its
    probability in 1 / 2^15."""
    scores = [score for _, score in answers(learns, x)]
    if learning.method == "head":
        return [-round(score * PROBABILITY) for score in scores]
    return [round((1 - score) ** 2 * learning.limit) for score in scores]


def _prepared(method: Method, base: Learning, x: np.ndarray, y: np.ndarray, labels: list[str]) -> Learning:
    """A method that knows the classes of y alone."""
    present = np.unique(y)
    return method.prepare(base, x, np.searchsorted(present, y), [labels[c] for c in present])
