"""Readings shared between threads: the same outputs in the same order, whatever their number."""

from __future__ import annotations

import numpy as np
import pytest

import midge
import models
from midge_host.backends import local

if why := local.problem("cpython"):
    pytest.skip(why, allow_module_level=True)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every model that is loaded."""
    found: list[str] = []
    load = midge.load
    monkeypatch.setattr(midge, "load", lambda *arguments: found.append(arguments[0]) or load(*arguments))
    return found


@pytest.mark.parametrize("weights", ["ram", "stream"])
def test_any_number_of_threads_gives_the_same(make_model, loads: list[str], weights: str) -> None:
    model = make_model(models.residual(two_outputs=True))
    for count in (0, 1, 16, 17, 100):
        inputs = models.residual_inputs(count) if count else [x[:0] for x in models.residual_inputs(1)]
        alone = local.predict(model, inputs, weights, "native", threads=1)
        assert count < 2 or len(np.unique(alone.outputs[0].reshape(count, -1), axis=0)) > 1
        for threads in (2, 3, 8):
            loads.clear()
            shared = local.predict(model, inputs, weights, "native", threads=threads)
            assert len(loads) == max(1, min(threads, -(-count // local.PART)))
            for one, other in zip(alone.outputs, shared.outputs, strict=True):
                assert one.dtype == other.dtype and one.shape == other.shape
                assert np.array_equal(one, other)


def test_a_model_that_remembers_is_never_shared(make_model, loads: list[str]) -> None:
    model = make_model(models.streaming())
    shape = midge.load(str(model)).inputs[0].shape
    inputs = [np.random.default_rng(1).integers(-128, 128, (100, *shape)).astype(np.int8)]
    for reset in (False, True):
        loads.clear()
        local.predict(model, inputs, "auto", "native", reset, threads=8)
        assert len(loads) == 1


def test_a_fault_in_a_thread_is_the_callers(make_model) -> None:
    model = make_model(models.residual())
    inputs = [x.reshape(100, -1)[:, 1:] for x in models.residual_inputs(100)]
    with pytest.raises(ValueError):
        local.predict(model, inputs, "auto", "native", threads=4)
