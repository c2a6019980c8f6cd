"""No kernel becomes slower unseen: every layer is counted anew and compared with bench/counting/figures.json.

All layers of all models are counted, which takes a few seconds for each architecture. Code of another compiler than the
figures' is not compared.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from types import ModuleType

import numpy as np
import pytest

from counting import armv6m, figures, page
from counting.build import TOOLCHAINS, Program
from counting.counters import COUNTERS
from counting.layers import Layer
from midge_host.errors import MidgeError

# Million cycles of a prediction on a Cortex-M0+, MicroPython apart, that the models must not exceed.
MOST = {
    "vww_96_int8": 17.0,
    "kws_ref_model": 8.9,
    "person_detect": 24.0,
    "str_ww_ref_model": 5.5,
    "ww_alexa_v2": 0.8,
}
COLUMN = 40  # cycles a product of depthwise layers of k x 1

ADVICE = "if that is meant, run: make bench-kernels"


@pytest.fixture(scope="module")
def assembled() -> Callable[[str], tuple[ModuleType, Program]]:
    """assembled(arch) -> its counter and the program, built once."""

    @cache
    def get(arch: str) -> tuple[ModuleType, Program]:
        counter = COUNTERS[arch]
        if why := counter.problem():
            pytest.skip(why)
        return counter, counter.assemble()

    return get


def small_layers() -> list[Layer]:
    return [layer for layer in figures.load_layers(figures.SHAPES) if layer.macs < 50_000]


@pytest.mark.parametrize("model", figures.MODELS)
@pytest.mark.parametrize("arch", COUNTERS)
def test_no_layer_is_slower(arch, model, assembled, request):
    if model != figures.SHAPES:
        request.getfixturevalue("shared_data")
    counter, program = assembled(arch)
    known = figures.read()
    if known.compilers[arch] != (here := TOOLCHAINS[arch].version()):
        pytest.skip(f"the figures are of {known.compilers[arch]}, here is {here}; make bench-kernels takes them anew")
    layers = figures.load_layers(model)
    counts = counter.count(program, layers)
    if arch == "armv6m" and model in MOST:
        assert sum(counts) <= MOST[model] * 1e6
    found = figures.compare(known.models[model], layers, counts, arch)
    assert not found.changed, "\n".join([*found.changed, ADVICE])
    assert not found.slower, "\n".join([*found.slower, ADVICE])
    if found.faster:
        warnings.warn("\n".join([f"{model}, {arch}: faster:", *found.faster, "make bench-kernels"]), stacklevel=1)


def test_streaming_on_a_cortex_m0(shared_data):
    """A step of a model that moves its state by records of another bank."""
    if why := armv6m.problem():
        pytest.skip(why)
    layers = figures.load_layers("ww_alexa_v2")
    counts = armv6m.count_banks(layers)
    assert sum(counts) <= MOST["ww_alexa_v2"] * 1e6
    (column,) = (i for i, layer in enumerate(layers) if layer.shape.endswith(", 21x1"))
    assert counts[column] <= COLUMN * layers[column].macs


def test_vww_with_all_channels(assembled, shared_data):
    _, program = assembled("armv6m")
    known = figures.read()
    if known.compilers["armv6m"] != TOOLCHAINS["armv6m"].version():
        pytest.skip(f"the figures are of {known.compilers['armv6m']}")
    assert figures.count_all_channels(program) == pytest.approx(known.all_channels, rel=figures.TOLERANCE), ADVICE


@pytest.mark.parametrize("arch", COUNTERS)
def test_counts_repeat(arch, assembled):
    counter, program = assembled(arch)
    layers = small_layers()
    assert counter.count(program, layers) == counter.count(program, layers)


def test_a_profile_adds_up(assembled):
    counter, program = assembled("armv6m")
    layer = small_layers()[0]
    (cycles,) = counter.count(program, [layer])
    profile = counter.profile(program, layer)
    assert sum(profile.cycles.values()) == sum(profile.by_symbol().values()) == cycles


@pytest.mark.parametrize("arch", COUNTERS)
def test_a_wrong_output_is_not_counted(arch, assembled):
    counter, program = assembled(arch)
    layer = small_layers()[0]
    expected = layer.expected.copy()
    expected.flat[-1] ^= 1
    with pytest.raises(MidgeError, match=f"1 of {expected.size} output bytes are wrong"):
        counter.count(program, [replace(layer, expected=expected)])


def test_weight_blocks_by_themselves(assembled):
    counter, program = assembled("armv6m")
    layer = next(layer for layer in figures.load_layers(figures.SHAPES) if layer.blocks > 2)
    first, rest = layer.part(0, 1), layer.part(1, layer.blocks)
    counts = counter.count(program, [first, rest, layer])
    assert first.macs + rest.macs == layer.macs and first.outputs + rest.outputs == layer.outputs
    assert counts[2] <= counts[0] + counts[1] < 1.1 * counts[2]


def test_code_that_does_not_return_or_faults_is_reported(assembled, monkeypatch):
    counter, program = assembled("armv6m")
    layer = small_layers()[0]
    monkeypatch.setattr(armv6m, "LIMIT", 100)
    with pytest.raises(MidgeError, match="no return after 100 cycles"):
        counter.count(program, [layer])
    with pytest.raises(MidgeError, match="does not fit"):
        counter.count(program, [replace(layer, arena=bytes(armv6m.RAM_BYTES))])


@pytest.mark.parametrize("change, slower, faster", [(0.03, 1, 0), (0.01, 0, 0), (-0.01, 0, 0), (-0.03, 0, 1)])
def test_comparison(change, slower, faster):
    layers = small_layers()
    known = [{**figures.describe(layer), "armv6m": 100_000} for layer in layers]
    counts = [100_000] * len(layers)
    counts[1] = round(100_000 * (1 + change))
    found = figures.compare(known, layers, counts, "armv6m")
    assert (len(found.slower), len(found.faster), found.changed) == (slower, faster, [])
    assert all(text.startswith(layers[1].title) for text in found.slower + found.faster)


def test_comparison_of_other_layers():
    layers = small_layers()
    known = [{**figures.describe(layer), "armv6m": 1} for layer in layers]
    assert figures.compare(known[1:], layers, [1] * len(layers), "armv6m").changed
    known[0]["shape"] = "1 → 1"
    found = figures.compare(known, layers, [1] * len(layers), "armv6m")
    assert len(found.changed) == 1 and not found.slower


def test_shapes_are_realistic():
    """Outputs spread over int8, no channel is constant, and not everything is behind the clamp."""
    for layer in figures.load_layers(figures.SHAPES):
        if layer.operator in page.WINDOWED:
            assert len(np.unique(layer.expected)) > 150, layer.title
            assert np.ptp(layer.expected.astype(int), axis=0).min() > 20, layer.title
            assert np.isin(layer.expected, (-128, 127)).mean() < 0.4, layer.title


def test_page_is_what_the_figures_give():
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.render(text, figures.read()) == text, "docs/performance.md is out of date; run: make bench-kernels"


def test_figures_are_written_as_they_are_read():
    assert figures.dump(figures.read()) == figures.PATH.read_text(encoding="utf-8")
