"""Single operators: every backend gives the reference's bytes. `-k "SOFTMAX and portable"` chooses some."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from interpreters import interpreter

from midge_host import backends
from operator_cases import CASES, Case, random_cases

BACKENDS = ["numpy", "cpython", "portable", "micropython", "micropython-portable", "wasm"]
Prepared = tuple[Case, Path, list[np.ndarray]]  # a case, its .midge file, TFLM's outputs


def outputs(backend: str, path: Path, inputs: list[np.ndarray], weights: str) -> list[np.ndarray]:
    """One process of MicroPython serves all models."""
    if backend.startswith("micropython"):
        return interpreter(backend == "micropython").run(path, inputs, weights)
    return backends.run(backend, path, inputs, weights).outputs


def check(backend: str, case: Case, path: Path, expected: list[np.ndarray]) -> None:
    for weights in ["auto", "stream"] if backend in ("cpython", "micropython") else ["auto"]:
        for got, want in zip(outputs(backend, path, case.inputs, weights), expected, strict=True):
            assert got.dtype == (np.int8 if want.dtype == np.bool_ else want.dtype)  # the board gives 0 and 1
            np.testing.assert_array_equal(got, want, err_msg=f"{case.name} on {backend}, weights {weights}")


FIRST = {case.operator: case for case in reversed(CASES)}


def parameter(case: Case):
    """All backends of a case follow each other, on one of pytest-xdist's workers: it is made, and asked of TFLM, once.
    `make check` takes a case of each operator."""
    marks = [pytest.mark.xdist_group(case.name)]
    if case is not FIRST[case.operator]:
        marks.append(pytest.mark.thorough)
    return pytest.param(case, id=case.name, marks=marks)


@pytest.fixture(scope="module", params=map(parameter, CASES))
def prepared(request: pytest.FixtureRequest, make_shared_model) -> Prepared:
    case = request.param
    return case, make_shared_model(case.tflite), case.expected()


@pytest.mark.parametrize("backend", BACKENDS)
def test_operator(prepared: Prepared, backend: str) -> None:
    check(backend, *prepared)


@pytest.mark.thorough
def test_random_operators(make_model) -> None:
    for case in random_cases(1200, seed=20261121):
        path, expected = make_model(case.tflite), case.expected()
        for backend in ["numpy", "cpython", "portable"]:
            check(backend, case, path, expected)
