"""What a file has around its network, whatever its weights are: labels, heads, a front end, provenance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..device.model_file import ModelFile
from ..errors import MidgeError
from ..frontends.sound import Audio
from .compiled import Compiled
from .detection import heads_of
from .sound import with_front_end
from .told import nobody

GOLDEN_SEED = 1


@dataclass(frozen=True)
class Around:
    """where: the source's name, for errors. labels_from: what --labels names, "" for none. detect, score, anchors,
    every: of `convert`. hearing: how the model hears, None for one that does not. info: name and provenance."""

    where: str
    labels: list[str]
    labels_from: str
    detect: str
    score: float | None
    anchors: Sequence[tuple[float, float]]
    hearing: Audio | None
    every: int | None
    info: dict[str, Any]

    def network(self, compiled: Compiled, tell: Callable[[str], None]) -> ModelFile:
        """With labels and heads, as it takes features where it hears."""
        model = compiled.model()
        model.labels = self.labels
        model.detection = heads_of(model, self.detect, self.score, self.anchors, tell) or b""
        if (self.labels_from or (self.hearing and self.labels)) and not model.detection:
            self._check_labels(model)
        return model

    def hears(self, compiled: Compiled, came_quantised: bool, tell: Callable[[str], None]) -> ModelFile:
        """The network behind the front end that makes its features of sound."""
        assert self.hearing is not None
        model = with_front_end(compiled, self.hearing, self.every, came_quantised, self.where, tell)
        model.labels = self.labels
        return model

    def as_large(self, compiled: Compiled) -> ModelFile:
        """As large as its file before weights are coded, but for what it learns; golden values are 0."""
        model = self.hears(compiled, False, nobody) if self.hearing else self.network(compiled, nobody)
        model.info |= self.info
        model.golden_seed, model.golden = GOLDEN_SEED, [0] * len(model.records)
        return model

    def _check_labels(self, model: ModelFile) -> None:
        classes = model.outputs[0].shape[-1] if model.outputs and model.outputs[0].shape else 1
        if len(model.labels) != classes:
            raise MidgeError(
                f"{self.labels_from or self.where}: {len(model.labels)} labels for a model with {classes} outputs; "
                "write one label per line"
            )
