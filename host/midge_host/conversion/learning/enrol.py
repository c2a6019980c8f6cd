"""A model that enrols: it learns one thing, a voice or a face, from a few examples, and tells it from all others. How
far others are is learnt on the PC from impostors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ...device.learning import Learning
from ...device.model_file import ModelFile
from ...files.readings import Readings
from .choose import SHOTS, classes_of, strangeness
from .embedding import seen
from .methods import Method, learner, methods, teach, without_classes

MOST = 40  # of each one's readings that are looked at


@dataclass
class Trial:
    """With what limit the wanted share of the impostors is taken for the one enrolled, and what share of that one's own
    readings is known then."""

    method: Method
    limit: int
    known: float


def enrolling(model: ModelFile, impostors: Readings, false_accepts: float, tell: Callable[[str], None]) -> Learning:
    """A model's `learning` without classes, with the method and the limit that serve best to tell one from others, as
    readings of others show: with that limit the share `false_accepts` of these is taken for the one. `tell` hears what
    to expect."""
    y, labels = classes_of(impostors, "--impostors")
    x, base = seen(model, impostors.inputs), model.learning
    assert isinstance(base, Learning)
    trials = [_trial(method, base, x, y, false_accepts) for method in methods(base.size) if method.name == "prototypes"]
    best = max(trials, key=lambda trial: trial.known)
    tell(
        f"enrols by {best.method.text}: with {SHOTS} examples of one, {best.known:.0%} of its further readings are "
        f"known, and {false_accepts:.0%} of those of {len(labels) - 1} impostors are taken for it"
    )
    made = best.method.prepare(base, x, y, labels)
    return replace(without_classes(made), limit=best.limit)


def _trial(method: Method, base: Learning, x: np.ndarray, y: np.ndarray, false_accepts: float) -> Trial:
    """Enrols each one in turn. What the method learns of all beforehand, it learns of the others alone."""
    random = np.random.default_rng(1)
    own: list[int] = []
    others: list[int] = []
    for one in range(int(y.max()) + 1):
        order = random.permutation(np.flatnonzero(y == one))
        rest = random.permutation(np.flatnonzero(y != one))
        numbers, of = np.unique(y[rest], return_inverse=True)
        prepared = without_classes(method.prepare(base, x[rest], of, [str(number) for number in numbers]))
        learns = learner(prepared)
        teach(learns, x[order[:SHOTS]], np.zeros(SHOTS, int), ["one"])
        own += strangeness(prepared, learns, x[order[SHOTS:MOST]])
        others += strangeness(prepared, learns, x[rest[:MOST]])
    limit = int(np.quantile(others, false_accepts))
    return Trial(method, max(1, limit), float(np.mean(np.array(own) <= limit)))
