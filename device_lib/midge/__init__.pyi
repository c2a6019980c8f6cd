# The types of midge's API, for editors and type checkers: docs/api.md. tests/device/test_types.py compares them with
# what runs. Boards do not need this file.

from collections.abc import Sequence
from typing import Any, type_check_only

# A reading, or room for a result: bytes, bytearray, memoryview, array, list or tuple of numbers (lists may be nested),
# an array of NumPy or ulab. A model with several inputs or outputs takes a list of them.
Reading = Any
Out = Any

__version__: str

def load(
    path: str,
    weights: str = "auto",
    backend: str = "auto",
    cores: int = 1,
) -> Model: ...

# The classes come with load(); there is no midge.Model to call.
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
