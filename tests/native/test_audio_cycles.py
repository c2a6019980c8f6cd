"""A step of the micro front end on an emulated Cortex-M0+: the reference's bytes, and what it takes."""

from __future__ import annotations

import pytest

import audio_graphs
from counting import armv6m
from counting.layers import Layer, model_layers
from midge_host.conversion import build
from midge_host.frontends import audio

# Cycles of a step. Samples of -32768 have to be looked at again.
MOST = {"speech": 142_000, "noise": 142_000, "silence": 142_000, "lows": 160_000}


def layers(name: str) -> list[Layer]:
    """The fourth frame's, which finds no noise estimates before it: that costs the same."""
    model = build(audio.graph(audio_graphs.TO_INT8))
    return model_layers(model, audio_graphs.frames(audio_graphs.signals()[name])[3])


@pytest.mark.skipif(armv6m.problem() is not None, reason=str(armv6m.problem()))
def test_a_step_on_a_cortex_m0() -> None:
    program = armv6m.assemble(bank="audio")
    for name, most in MOST.items():
        cycles = armv6m.count(program, layers(name))  # fails where an output differs
        assert sum(cycles) <= most, (name, cycles)
