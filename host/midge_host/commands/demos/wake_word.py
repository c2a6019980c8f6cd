"""`midge demo wake-word`: the program of examples/wake_word hears recordings, as if a microphone heard them."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from pathlib import Path

from ...conversion import convert
from ...errors import MidgeError
from ...files.wav import read_wav_of
from .microphone import RATE, hear

WORD = "alexa"


def run(given: tuple[Path, ...]) -> None:
    """Converts a wake word and runs the example on the recordings `given`, each with a second of silence around it.

    Raises MidgeError when the wake word or MicroPython is not installed, no recording is given, or one cannot be read.
    """
    manifest = _manifest()
    if not given:
        raise MidgeError(
            f"midge demo wake-word FILE.wav: name a recording of {WORD!r}, mono, 16 bits, {RATE:,} samples a second"
        )
    recordings = {str(path): read_wav_of(path, RATE) for path in given}
    hear("midge_host.wake_word", f"{WORD}.midge", partial(convert, manifest), recordings)


def _manifest() -> Path:
    """Of the wake word that comes with pymicro-wakeword, which need not be imported."""
    package = find_spec("pymicro_wakeword")
    if package is None or package.origin is None:
        raise MidgeError("the demo needs a wake word; run: pip install --no-deps pymicro-wakeword")
    return Path(package.origin).parent / "models" / f"{WORD}.json"
