"""Real models: every output byte equals TensorFlow Lite Micro's, for all recorded inputs, on every backend."""

from __future__ import annotations

import numpy as np
import pytest
from reference_models import MODELS, sets_of

from midge_host import backends
from midge_host.commands.info import facts

NATIVE = [("numpy", "auto"), ("cpython", "ram"), ("cpython", "stream"), ("cpython", "map"), ("micropython", "ram")]
NATIVE += [("micropython", "stream")]
SMALL = [
    "mnist_cnn_int8",
    "mnist_valid_q",
    "hello_world_int8",
    "micro_speech_quantized",
    "ad01_int8",
    "magic_wand",
    "ww_alexa_v2",
]
PORTABLE = [("portable", "auto"), ("micropython-portable", "auto")]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("backend", "weights"), NATIVE)
def test_exact(converted, name: str, backend: str, weights: str) -> None:
    path, data = converted(name)
    sets = [""] + [f"real_{s}_" for s in sets_of(data)]
    for prefix in sets:
        result = backends.run(backend, path, [data[f"{prefix}inputs"]], weights)
        np.testing.assert_array_equal(result.outputs[0], data[f"{prefix}tflm"].reshape(result.outputs[0].shape))
        if prefix and f"{prefix}labels" in data:
            right = result.outputs[0].reshape(len(data[f"{prefix}labels"]), -1).argmax(1) == data[f"{prefix}labels"]
            stated = MODELS[name][1][prefix.removeprefix("real_").rstrip("_")]
            assert round(100 * right.mean(), 2) == stated


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize(("backend", "weights"), PORTABLE)
def test_portable_is_exact(converted, name: str, backend: str, weights: str) -> None:
    test_exact(converted, name, backend, weights)


@pytest.mark.parametrize("name", MODELS)
def test_arena_is_no_larger_than_tflms(converted, name: str) -> None:
    """But for the scratch memory of fast kernels."""
    found = facts(converted(name)[0])
    tensors = found["arena_bytes"] - found["scratch_bytes"]
    assert tensors <= MODELS[name][0]
    assert 0 <= found["scratch_bytes"] <= 8192


def test_vww_is_at_its_lower_bound(converted) -> None:
    found = facts(converted("vww_96_int8")[0])
    assert found["arena_bytes"] - found["scratch_bytes"] == 55296


def test_a_large_file_is_little_more_than_its_weights(converted) -> None:
    assert facts(converted("person_detect")[0])["overhead_percent"] <= 5


def test_every_layer_of_these_models_fits_a_small_window(converted) -> None:
    for name in MODELS:
        assert facts(converted(name)[0])["window_bytes"] <= 8192
