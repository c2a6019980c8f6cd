"""A model in memory, record by record: what its layers give, from the real arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np

from ..device import reference, spec
from ..device.banks import BANKS
from ..device.model_file import ModelFile
from . import numpy as reference_backend


class Machine:
    """Runs a model's records with the C core where this Python has it, else with the NumPy reference: the same bytes.

    arena: (arena_bytes,) int8, what the model's memory holds at the moment.
    """

    def __init__(self, model: ModelFile) -> None:
        self.model = model
        self._program = model.program()
        self._modules = _native_modules(model)
        self._memory = bytearray(model.arena_bytes)
        self.arena = np.frombuffer(self._memory, np.int8)
        self.reset()

    def reset(self) -> None:
        """The state before the first prediction."""
        self.arena[:] = 0
        self._run(self.model.init)

    def predict(self, readings: list[np.ndarray]) -> list[np.ndarray]:
        """Outputs in the model's own types, as a caller of the library gets them."""
        self.enter(readings)
        self._run(self.model.predict)
        return self.outputs()

    def steps(self) -> Iterator[int]:
        """Runs the records of a prediction of what was entered; yields each one's index when it is done."""
        for index in self.model.predict:
            self._run(range(index, index + 1))
            yield index

    def outputs(self) -> list[np.ndarray]:
        return [reference_backend.decode(t, reference.view(self.arena, t).copy()) for t in self.model.outputs]

    def enter(self, readings: list[np.ndarray]) -> None:
        """A reading for each input."""
        for tensor, values in zip(self.model.inputs, readings, strict=True):
            encoded = reference_backend.encode(tensor, values.reshape(tensor.shape))
            reference.view(self.arena, tensor)[...] = encoded

    def hear(self, samples: np.ndarray) -> Iterator[None]:
        """Takes samples, int16, of any number, into a model that hears; yields when a prediction is due."""
        return reference.Ear(self.model, self.arena, self._run).due(samples)

    def each(self, readings: list[np.ndarray]) -> Iterator[None]:
        """Enters a reading, or hears a recording from a fresh start; yields before the steps of each prediction."""
        if self.model.sound:
            self.reset()
            yield from self.hear(readings[0])
        else:
            self.enter(readings)
            yield

    @property
    def native(self) -> bool:
        """Whether it is the C core that computes."""
        return bool(self._modules)

    def _run(self, indexes: range) -> None:
        if not self._modules:
            for _ in reference.run_records(self.model, self.arena, indexes):
                pass
            return
        at = indexes.start
        while at < indexes.stop:
            bank = self.model.records[at]["bank"]
            end = at + 1
            while end < indexes.stop and self.model.records[end]["bank"] == bank:
                end += 1
            status = self._modules[bank].run(self._program, at, end, self._memory, self.model.weights)
            if status:
                reason = spec.REASONS[(status & 15) - 1][1]
                raise RuntimeError(f"record {(status >> 4) - 1} of {at}..{end}: {reason}")
            at = end


def _native_modules(model: ModelFile) -> dict[int, Any]:
    """By number: the native modules of the banks that a model needs; none where one of them is not built."""
    try:
        return {bank.number: import_module(bank.module) for bank in BANKS if bank in model.banks}
    except ImportError:
        return {}
