# The types of midge's API, for editors and type checkers: docs/api.md. tests/device/test_types.py compares them with
# what runs. Boards do not need this file.

from collections.abc import Callable, Sequence
from typing import Any, type_check_only

# A reading, or room for a result: bytes, bytearray, memoryview, array, list or tuple of numbers (lists may be nested),
# an array of NumPy or ulab; a reading may be an Image. A model with several inputs or outputs takes a list of them.
Reading = Any
Out = Any

__version__: str

def load(
    path: str,
    weights: str = "auto",
    backend: str = "auto",
    cores: int = 1,
) -> Model: ...

class Image:
    buffer: Any
    width: int
    height: int
    format: str
    def __init__(
        self,
        buffer: Any,
        width: int | None = None,
        height: int | None = None,
        format: str | None = None,
        crop: str | tuple[int, int, int, int] = "centre",
        rotate: int = 0,
        flip: bool = False,
    ) -> None: ...
    def sanity(self) -> str | None: ...
    def view(self, shape: Sequence[int]) -> Sequence[int]: ...

class Normal:
    score: Any  # float, or None while it learns
    alarm: bool
    learning: bool
    def __init__(
        self, source: Model | Callable[[Any], Any], count: int | None = None, hold: int = 3, path: str | None = None
    ) -> None: ...
    def update(self, reading: Reading) -> bool | None: ...
    def save(self, path: str) -> None: ...

class Learner:
    labels: list[str]
    method: str
    def __init__(self, model: Model, path: str | None = None, raw: bytes | None = None) -> None: ...
    def add_embedding(self, x: bytes, label: str) -> None: ...
    def classify_embedding(self, x: bytes) -> tuple[str | None, float]: ...
    def add(self, reading: Reading, label: str) -> bool: ...
    def train(self, epochs: int | None = None) -> None: ...
    def classify(self, reading: Reading) -> tuple[str | None, float] | None: ...
    def forget(self, label: str) -> None: ...
    def save(self, path: str) -> None: ...
    def see(self, reading: Reading) -> bytes | None: ...

class Detector:
    cutoff: float
    window: int
    hold: int
    def __init__(
        self, model: Model, cutoff: float | None = None, window: int | None = None, hold: int = 10
    ) -> None: ...
    def detect(self, reading: Reading) -> Sequence[tuple[str | int, float]]: ...
    def update(self, scores: Sequence[float]) -> tuple[str | int, float] | None: ...
    def reset(self) -> None: ...

# These classes come with load(); there is no midge.Model to call.
@type_check_only
class Tensor:
    name: str
    shape: tuple[int, ...]
    size: int
    dtype: str
    element: str
    scale: float
    zero_point: int
    channels: Sequence[tuple[float, int]]

@type_check_only
class Model:
    inputs: list[Tensor]
    outputs: list[Tensor]
    labels: list[str]
    arena_bytes: int
    weights_mode: str
    backend: str
    cores: int
    def predict(self, reading: Reading) -> list[Any]: ...
    def predict_into(self, reading: Reading, out: Out) -> None: ...
    def classify(self, reading: Reading) -> tuple[str | int, float]: ...
    def reset(self) -> None: ...
    def profile(self, reading: Reading) -> list[tuple[str, int]]: ...
    def selftest(self) -> bool: ...
    def learner(self, path: str | None = None) -> Learner: ...
    def detect(self, frame: Reading, keypoints: bool = False) -> list[tuple[Any, ...]]: ...

class Window:
    length: int
    channels: int
    scores: Any
    def __init__(self, model: Model, hop: int, channels: int | None = None) -> None: ...
    def push(self, sample: Reading) -> Any: ...
    def best(self) -> tuple[str | int, float]: ...
    def reset(self) -> None: ...

# Of a model that takes sound.
@type_check_only
class AudioModel(Model):
    rate: int
    hop: int
    first: int
    every: int
    cutoff: float
    window: int
    front: str
    def predict(self, reading: Reading) -> list[Any] | None: ...  # type: ignore[override]
    def predict_into(self, reading: Reading, out: Out) -> bool: ...  # type: ignore[override]
    def predict_each(self, reading: Reading, out: Out, each: Callable[[], None]) -> bool: ...
    def classify(self, reading: Reading) -> tuple[str | int, float] | None: ...  # type: ignore[override]
    def reset(self) -> None: ...
