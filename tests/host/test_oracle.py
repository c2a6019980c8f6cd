"""The oracle itself: TFLM, or TensorFlow Lite, takes every case, says why it refuses, and repeats known results."""

from pathlib import Path

import numpy as np
import pytest

import tflm
from operator_cases import CASES, Case, random_cases
from tflite_models import ModelBuilder

MODELS = Path(__file__).resolve().parents[3] / "shared" / "data" / "models"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case_is_accepted(case: Case) -> None:
    for output in case.expected():
        assert len(output) == len(case.inputs[0])


def test_random_cases_are_accepted_and_repeatable() -> None:
    for case, again in zip(random_cases(400, seed=1), random_cases(400, seed=1), strict=True):
        case.expected()
        assert case.tflite == again.tflite


def test_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_refusal_says_why() -> None:
    model = ModelBuilder()
    x, y = model.tensor((1, 4), quant=(0.1, 0)), model.tensor((1, 4), quant=(1 / 256, 0))
    model.op("LOGISTIC", [x], [y], version=2)
    with pytest.raises(tflm.Refused, match="zero_point"):
        tflm.run(model.build([x], [y]), [np.zeros((1, 4), np.int8)])


@pytest.mark.parametrize("name", ["hello_world_int8", "mnist_valid_q"])
def test_known_results(name: str) -> None:
    if not MODELS.is_dir():
        pytest.skip(f"no reference models in {MODELS}")
    with np.load(MODELS / f"{name}.npz") as known:
        (output,) = tflm.run((MODELS / f"{name}.tflite").read_bytes(), [known["inputs"]])
        np.testing.assert_array_equal(output, known["tflm"])
