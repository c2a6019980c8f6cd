"""Real models: every output byte equals TensorFlow Lite Micro's, for all recorded inputs, on every backend."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from reference_models import MODELS, sets_of

from midge_host import backends
from midge_host.commands.info import facts
from midge_host.conversion import convert

NATIVE = [("numpy", "auto"), ("cpython", "ram"), ("cpython", "stream"), ("cpython", "map"), ("micropython", "ram")]
NATIVE += [("micropython", "stream"), ("wasm", "auto")]
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
    assert found["scratch_bytes"] >= 0 and found["arena_bytes"] <= MODELS[name][0] + 8192


def test_vww_is_at_its_lower_bound(converted) -> None:
    found = facts(converted("vww_96_int8")[0])
    assert found["arena_bytes"] - found["scratch_bytes"] == 37248  # input and output of its largest layer, overlapping


@pytest.mark.parametrize(
    ("name", "arena_bytes"),
    [("vww_96_int8", 41_680), ("person_detect", 51_236), ("pretrainedResnet_quant", 42_624), ("kws_ref_model", 22_188)],
)
def test_outputs_lie_over_inputs(converted, name: str, arena_bytes: int) -> None:
    """55,296 bytes and more of tensors in visual wake words without that."""
    assert facts(converted(name)[0])["arena_bytes"] <= arena_bytes


@pytest.mark.parametrize(("name", "ram"), [("mnist_cnn_int8", 2253), ("kws_ref_model", 16_384)])
def test_the_least_time_in_so_much_memory(shared_data: Path, tmp_path: Path, name: str, ram: int) -> None:
    path = tmp_path / "m.midge"
    convert(shared_data / "models" / f"{name}.tflite", path, ram=ram)
    assert facts(path)["arena_bytes"] <= ram
    with np.load(shared_data / "models" / f"{name}.npz") as data:
        (output,) = backends.run("cpython", path, [data["inputs"]]).outputs
        np.testing.assert_array_equal(output, data["tflm"].reshape(output.shape))


def test_more_time_takes_no_more_memory(shared_data: Path, tmp_path: Path) -> None:
    sizes = []
    for slowdown in (0.02, 0.1, 0.5, 5):
        path = tmp_path / "m.midge"
        convert(shared_data / "models" / "mnist_cnn_int8.tflite", path, slowdown=slowdown)
        sizes.append(facts(path)["arena_bytes"])
    assert sizes == sorted(sizes, reverse=True) and sizes[-1] < sizes[0]


def test_a_large_file_is_little_more_than_its_weights(converted) -> None:
    assert facts(converted("person_detect")[0])["overhead_percent"] <= 5


def test_every_layer_of_these_models_fits_a_small_window(converted) -> None:
    for name in MODELS:
        assert facts(converted(name)[0])["window_bytes"] <= 8192
