"""microWakeWord: a wake word's manifest, .json, beside its .tflite (https://esphome.io/components/micro_wake_word)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..errors import MidgeError
from . import Loaded, Request, read_file, tflite
from .sound import KNOWN, STEPS, Audio

OLD_STEP = 20  # ms, of manifests of version 1, which do not say


def is_manifest(source: Path) -> bool:
    """Whether a .json file is one; False, too, for what cannot be read."""
    try:
        content = json.loads(source.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and content.get("type") == "micro"


def load(source: Path, request: Request) -> Loaded:
    """The model that the manifest names, and how it hears. MidgeError for a manifest that says nothing sound."""
    content = json.loads(read_file(source))
    try:
        audio = _audio(content["micro"])
        path, word = source.parent / Path(str(content["model"])).name, str(content["wake_word"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise MidgeError(
            f"{source}: not a manifest of microWakeWord as ESPHome has it ({error!r}); it says `model`, `wake_word` "
            "and `micro`, with `probability_cutoff` from 0 to 1, `sliding_window_size` and `feature_step_size`"
        ) from None
    if audio.step not in STEPS:
        raise MidgeError(f"{source}: features each {audio.step} ms; midge knows {KNOWN}")
    if not path.exists():
        raise MidgeError(f"{source}: its model {path.name} is not beside it; download it, too")
    loaded = tflite.load(path, request)
    label = " ".join(word.split())
    return Loaded(loaded.graph, loaded.data, [label] if label else [], loaded.notes, audio)


def _audio(micro: dict[str, Any]) -> Audio:
    step = int(micro.get("feature_step_size", OLD_STEP))
    window = int(
        micro["sliding_window_size"] if "sliding_window_size" in micro else micro["sliding_window_average_size"]
    )
    cutoff = float(micro["probability_cutoff"])
    if not 0 <= cutoff <= 1 or not 0 < window <= 0xFFFF:
        raise ValueError(f"cutoff {cutoff}, window {window}")
    return Audio(step, cutoff, window)
