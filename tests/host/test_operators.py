"""Single operators: every backend gives TensorFlow Lite Micro's bytes."""

from __future__ import annotations

import numpy as np
import pytest

import tflm
from midge_host import backends
from operator_cases import CASES, Case, random_cases

# The MicroPython backends start a process for each model.
BACKENDS = ["numpy", "cpython", "portable", "micropython", "micropython-portable"]


def check(path, case: Case, names: list[str], expected: list[np.ndarray]) -> None:
    for name in names:
        for weights in ["auto", "stream"] if name in ("cpython", "micropython") else ["auto"]:
            result = backends.run(name, path, case.inputs, weights)
            for got, want in zip(result.outputs, expected, strict=True):
                assert got.dtype == want.dtype
                np.testing.assert_array_equal(got, want, err_msg=f"{case.name} on {name}, weights {weights}")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_operator(case: Case, make_model) -> None:
    check(make_model(case.tflite), case, BACKENDS, tflm.run(case.tflite, case.inputs))


def test_random_operators(make_model) -> None:
    for case in random_cases(1200, seed=20261121):
        check(make_model(case.tflite), case, ["numpy", "cpython", "portable"], tflm.run(case.tflite, case.inputs))
