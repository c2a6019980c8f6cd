"""Models that hear: a front end before the network."""

from __future__ import annotations

from collections.abc import Callable

from ..device.feed import with_feed
from ..device.model_file import ModelFile, Sound
from ..errors import MidgeError
from ..frontends.audio import RATE
from ..frontends.sound import Audio, parse, pause, rows_of
from .compiled import Compiled, compile_graph, laid_out


def asked_for(text: str | None, every: int | None, known: Audio | None, to: str, where: str) -> Audio | None:
    """How the model hears, by --audio or by what the source says of itself."""
    given = parse(text) if text else None
    if given and known and str(given) != str(known):
        raise MidgeError(f"--audio {given}: {where} says {known}; leave --audio out")
    found = known or given
    if every is not None and not found:
        raise MidgeError("--every says how often a model of sound predicts; say with --audio how it hears")
    if found and to == "tflite":
        raise MidgeError("--to tflite has no front ends: leave --audio out, and give the model features")
    return found


def with_front_end(
    compiled: Compiled, audio: Audio, every: int | None, came_quantised: bool, where: str, tell: Callable[[str], None]
) -> ModelFile:
    """The model with the front end before it."""
    if len(compiled.graph.inputs) != 1 or compiled.program.inputs[0].dtype != "int8":
        raise MidgeError(f"{where}: --audio takes models with one input, of int8; quantise it so")
    (edge,) = compiled.graph.inputs
    rows = rows_of(edge.tensor.shape, audio, where)
    known = edge.reading or edge.tensor.quantization
    if known is None or known.scale.size != 1:
        raise MidgeError(f"{where}: its input has scales of its channels; --audio takes one for all features")
    is_streaming = compiled.program.init_count > 0
    front = compile_graph(audio.front.graph_for(float(known.scale[0]), int(known.zero_point[0]), came_quantised, where))
    frames = pause(rows, audio.step, is_streaming, every, where)
    sound = Sound(RATE, audio.hop, rows, frames, audio.window, audio.cutoff, audio.name)
    milliseconds = sound.every * audio.step
    tell(f"hears {audio}: {rows} frames of features a prediction, one each {milliseconds} ms")
    program = with_feed(compiled.program, front.program, audio.hop)
    return laid_out(compiled, program, front.graph.inputs, sound)
