"""How a model learns on a board: the section LERN. docs/FORMAT.md, "Learning"."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from . import spec


def _none(*shape: int, dtype: str = "int8") -> np.ndarray:
    return np.zeros(shape, dtype)


@dataclass
class Learning:
    """What a Learner starts with. offset, size, zero_point: of the embedding in the arena; what the other numbers are
    says spec.LEARN. matrix: int8 [size, size] and centre: int32 [size], of whitening. start: int16 [classes, size + 1],
    a head's weights. exemplars: int8 [count, size], of: the class of each."""

    offset: int
    size: int
    zero_point: int
    method: str = "prototypes"
    limit: int = spec.LEARN_FAR
    angular: bool = False
    shift: int = 1
    neighbours: int = 1
    input_bits: int = 1
    fraction: int = 0
    rate: int = 0
    epochs: int = 1
    matrix: np.ndarray | None = None
    centre: np.ndarray | None = None
    start: np.ndarray | None = None
    exemplars: np.ndarray = field(default_factory=lambda: _none(0, 0))
    of: np.ndarray = field(default_factory=lambda: _none(0, dtype="uint8"))
    labels: list[str] = field(default_factory=list)

    def to_bytes(self) -> bytes:
        """The section."""
        is_white = self.matrix is not None
        facts = spec.LEARN.pack(
            offset=self.offset,
            size=self.size,
            zero_point=self.zero_point,
            method=spec.LEARN_METHODS[self.method],
            flags=spec.LEARN_FLAGS["angular"] * self.angular | spec.LEARN_FLAGS["whitened"] * is_white,
            shift=self.shift,
            neighbours=self.neighbours,
            input_bits=self.input_bits,
            fraction=self.fraction,
            rate=self.rate,
            epochs=self.epochs,
            limit=self.limit,
            classes=len(self.labels),
            exemplars=len(self.exemplars),
        )
        parts: list[np.ndarray] = []
        if self.centre is not None:
            parts.append(self.centre.astype("<i4"))
        if self.method == "head":
            start = self.start if self.start is not None else _none(len(self.labels), self.size + 1)
            parts += [start.astype("<i2"), exponents().astype("<u2")]
        if self.matrix is not None:
            parts.append(self.matrix.astype(np.int8))
        parts += [self.exemplars.astype(np.int8), self.of.astype(np.uint8)]
        return facts + b"".join(part.tobytes() for part in parts) + "\n".join(self.labels).encode()


def exponents() -> np.ndarray:
    """e^(-i / 16) in 1 / 65535, of a head's softmax."""
    return np.round(65535 * np.exp(-np.arange(spec.LEARN_EXPONENTS) / 16))
