"""A step of the front ends on emulated cores: the reference's bytes, what it takes, and how much code."""

from __future__ import annotations

from dataclasses import replace

import pytest

import audio_graphs
from counting import armv6m, front_end
from counting.counters import COUNTERS
from counting.layers import model_layers
from midge_host.conversion import build
from midge_host.frontends import audio, logmel, mfcc
from midge_host.ir.graph import Graph

# Cycles of a step on a Cortex-M0+, instructions on others.
MOST = {
    "armv6m": {"speech": 96_000, "noise": 99_000, "silence": 85_000, "lows": 103_000},
    "armv7emsp": {"speech": 75_000},
    "rv32imc": {"speech": 88_000},
    "xtensawin": {"speech": 91_000},
}


@pytest.mark.parametrize("arch", MOST)
def test_a_step(arch: str) -> None:
    counter = COUNTERS[arch]
    if why := counter.problem():
        pytest.skip(why)
    program = counter.assemble(bank=front_end.BANK)
    for name, most in MOST[arch].items():
        counts = counter.count(program, front_end.layers(name))  # fails where an output differs
        assert sum(counts) <= most, (name, counts)


@pytest.mark.skipif(armv6m.problem() is not None, reason=str(armv6m.problem()))
def test_every_signal_on_a_cortex_m0() -> None:
    """FFTs and peaks of both kinds; tables at even and odd addresses, which the core cannot load from as words."""
    program = armv6m.assemble(bank=front_end.BANK)
    for front in (audio.MicroFrontend(), audio_graphs.SMALL):
        graph = audio.graph(front=front)
        graph.nodes[0].peak_wraps = front is audio_graphs.SMALL
        model = build(graph)
        for at, samples in enumerate(audio_graphs.signals().values()):
            frame = audio_graphs.frames(samples, size=front.window)[-1]
            armv6m.count(program, [replace(layer, weights_at=at % 4) for layer in model_layers(model, frame)])


@pytest.mark.skipif(armv6m.problem() is not None, reason=str(armv6m.problem()))
@pytest.mark.parametrize(
    "graph, size, most",
    [(mfcc.graph(0.58, 83), 480, 407_000), (logmel.graph(0.5, 80), 512, 513_000)],
    ids=["mfcc", "logmel"],
)
def test_mel_on_a_cortex_m0(graph: Graph, size: int, most: int) -> None:
    program, model = armv6m.assemble(bank="mel"), build(graph)
    for at, samples in enumerate(audio_graphs.signals().values()):
        layers = model_layers(model, audio_graphs.frames(samples, size=size)[3])
        cycles = armv6m.count(program, [replace(layer, weights_at=at % 4) for layer in layers])
        if at % 4 == 0:
            assert sum(cycles) <= most, cycles
