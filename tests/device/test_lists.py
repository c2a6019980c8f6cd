"""Readings as lists: piece by piece by way of arrays, to the same bytes as value by value, on every backend."""

from __future__ import annotations

from array import array
from pathlib import Path

import numpy as np
import pytest

import midge
from midge import _convert
from midge_host.device import model_file
from tflite_models import ModelBuilder

SHAPE = (1, 37, 5, 3)  # more than a piece, and no whole number of them
KINDS = {"int8": (0.05, -3), "int16": (2e-3, 0)}


@pytest.fixture(params=[(kind, channels) for kind in KINDS for channels in (0, 3)], ids=lambda p: f"{p[0]}-{p[1]}")
def path(request: pytest.FixtureRequest, make_model) -> Path:
    """A model that gives back what its first input holds; the second one lies behind it."""
    kind, channels = request.param
    m = ModelBuilder()
    pair = [m.tensor(SHAPE, kind, KINDS[kind], name=name) for name in ("first", "second")]
    file = make_model(m.build(pair, [m.max_pool_2d(x, (1, 1), strides=(1, 1)) for x in pair]))
    model = model_file.read(file)
    if channels:
        model.inputs[0].channel_scales, model.inputs[0].channel_zero_points = (0.03, 4.0, 0.1), (0, -1, -638)
    file.write_bytes(model.to_bytes())
    return file


def reals() -> np.ndarray:
    values = np.random.default_rng(3).normal(size=SHAPE) * (2, 200, 40)
    values[0, :4, 0] = [(np.inf, -np.inf, 3e38), (1e-40, -0.0, 1e30), (0.025, -2.0, 0.05), (0.015, 2.0, -0.05)]
    return values.astype(np.float32)


@pytest.mark.parametrize("backend", ["native", "portable"])
def test_lists_are_arrays(path: Path, backend: str) -> None:
    model = midge.load(str(path), backend=backend)
    real = reals()
    tensor = model.inputs[0]
    _convert._quantize(tensor, real.reshape(-1).tolist(), model._arena, 0, 0)
    held = slice(tensor.offset, tensor.offset + tensor.bytes)
    wanted = bytes(model._arena[held])
    rows = real.reshape(-1, 3).tolist()
    forms = {
        "flat": real.reshape(-1).tolist(),
        "tuple": tuple(real.reshape(-1).tolist()),
        "rows": rows,
        "tuples in a list": [tuple(row) for row in rows],
        "lists in a tuple": tuple(rows),
        "nested": real.tolist(),
        "uneven": [real.reshape(-1).tolist()[:70], real.reshape(-1).tolist()[70:]],
        "wide rows": real.reshape(3, -1).tolist(),
        "an array": array("f", real.reshape(-1)),
    }
    for name, form in forms.items():
        model._arena[held] = bytes(tensor.bytes)
        _convert.load_tensor(tensor, form, model._arena)
        assert bytes(model._arena[held]) == wanted, name


@pytest.mark.parametrize("backend", ["native", "portable"])
@pytest.mark.parametrize("wrong", ["one more", "a row more", "a row less", "a word", "a nan", "a loop", "a dict"])
def test_what_is_wrong_stays_within_the_tensor(path: Path, backend: str, wrong: str) -> None:
    """The message is that of a value; no byte behind the tensor is touched."""
    model = midge.load(str(path), backend=backend)
    tensor = model.inputs[0]
    rows = reals().reshape(-1, 3).tolist()
    size = tensor.size
    said = {"one more": f"got {size + 1}", "a row more": f"got {size + 3}", "a row less": f"got {size - 3}"}
    said |= {"a word": "value 100 is str", "a nan": "NaN", "a loop": "nested", "a dict": "dict"}
    if wrong == "one more":
        rows = [v for row in rows for v in row] + [1.0]
    elif wrong == "a row more":
        rows.append([1.0, 2.0, 3.0])
    elif wrong == "a row less":
        rows.pop()
    elif wrong == "a dict":
        rows[33] = dict.fromkeys([1.0, 2.0, 3.0])
    elif wrong == "a loop":
        rows.insert(0, rows)
    else:
        rows[33][1] = "x" if wrong == "a word" else float("nan")
    for i in range(len(model._arena)):
        model._arena[i] = 90
    with pytest.raises((ValueError, TypeError), match=said[wrong]):
        _convert.load_tensor(tensor, rows, model._arena)
    arena = bytes(model._arena)
    assert set(arena[: tensor.offset] + arena[tensor.offset + tensor.bytes :]) <= {90}
