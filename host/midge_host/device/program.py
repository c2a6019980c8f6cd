"""The program that a graph is lowered to: steps, and which of their tensors are the model's."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..ir.graph import Tensor
from .record import Step


@dataclass
class Program:
    """The first `init_count` steps set the state, the next `feed_count` take a step of a raw reading. aliases: from a
    tensor to the one whose memory it is, or begins `places` bytes into. live: for a tensor that lost channels, which of
    its (count,) channels stayed."""

    steps: list[Step]
    init_count: int
    inputs: list[Tensor]
    outputs: list[Tensor]
    state: list[Tensor]
    aliases: dict[Tensor, Tensor]
    live: dict[Tensor, np.ndarray] = field(default_factory=dict)
    places: dict[Tensor, int] = field(default_factory=dict)
    feed_count: int = 0

    @property
    def kept(self) -> list[Tensor]:
        """Tensors that are read elsewhere too, as outputs or state of the model or under another name."""
        return [*self.outputs, *self.aliases.values(), *self.state]

    def sole_source(self, step: Step, before: list[Step]) -> Step | None:
        """The step among `before` that makes the input of `step`, if it could as well make its output: nobody else
        reads that input and, as the output may be a state, nobody reads what that held since."""
        source = step.inputs[0]
        if source in self.kept or sum(source in s.inputs for s in self.steps) > 1:
            return None
        at = next((i for i, s in enumerate(before) if s.output is source), len(before))
        rest = before[at:]
        return rest[0] if rest and not any(step.output in s.inputs for s in rest) else None
