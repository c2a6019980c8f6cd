"""A step of the micro front end, 30 ms of samples to 40 features, as layers to count. They are in another bank."""

from __future__ import annotations

import audio_graphs
from midge_host.conversion import build
from midge_host.frontends import audio

from .layers import Layer, model_layers

BANK = "audio"
NAME = "front_end"


def layers(signal: str = "speech") -> list[Layer]:
    """Of the fourth window of a signal, which finds no estimates of noise: that costs the same."""
    model = build(audio.graph(audio_graphs.TO_INT8))
    return model_layers(model, audio_graphs.frames(audio_graphs.signals()[signal])[3])
