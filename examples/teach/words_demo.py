"""words.py, the board's program for words, in MicroPython on this PC, with words of a machine and a stand-in for the
button: pip install "midge[micropython]"; python examples/teach/words_demo.py
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

from midge_host import keywords
from midge_host.backends import micropython
from midge_host.conversion import convert
from midge_host.errors import MidgeError
from midge_host.keywords.clips import RATE, read_clips

HERE = Path(__file__).resolve().parent
KEYWORDS = Path(keywords.__file__).parent
EXAMPLES = 5
PAUSE, NOISE = RATE // 2, 20  # samples before a word and behind it; how loud it is there
TAUGHT, SHOWN = ("music", "yes", "stop"), ("stop", "music", "yes", "music", "stop", "yes")


def spoken(clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(samples,) float: a clip slower or quicker, higher or lower with it, louder or softer, with pauses around it."""
    at = np.arange(0, len(clip) - 1, 2 ** rng.uniform(-0.15, 0.15))
    loudness = rng.uniform(0.3, 1)
    return np.pad(loudness * np.interp(at, np.arange(len(clip)), clip), PAUSE)


def lesson() -> tuple[np.ndarray, list[tuple[int, int]]]:
    """What the microphone hears, (samples,) int16: each word taught EXAMPLES times, then some shown; and when the
    button goes down and up, in samples."""
    rng = np.random.default_rng(1)
    clips = {word: samples for word, _, samples in read_clips(KEYWORDS / "clips.npz")}
    parts: list[np.ndarray] = []
    presses: list[tuple[int, int]] = []

    def goes_on(part: np.ndarray, held: bool) -> None:
        now = sum(map(len, parts))
        parts.append(part)
        if held:
            presses.append((now + PAUSE // 4, now + len(part) - PAUSE // 4))

    for number, word in enumerate(TAUGHT):
        if number:
            goes_on(np.zeros(PAUSE), held=True)
        for _ in range(EXAMPLES):
            goes_on(spoken(clips[word], rng), held=True)
    for word in SHOWN:
        goes_on(spoken(clips[word], rng), held=False)
    goes_on(np.zeros(2 * PAUSE), held=False)
    samples = np.concatenate(parts)
    samples += rng.normal(0, NOISE, len(samples))
    return np.clip(samples.round(), -32768, 32767).astype(np.int16), presses


def play(samples: np.ndarray, presses: list[tuple[int, int]]) -> list[str]:
    """The lines that the program for the board prints while its microphone hears int16 samples. presses: when the
    button goes down and up, in samples."""
    with tempfile.TemporaryDirectory(prefix="midge-teach-") as temporary:
        folder = Path(temporary)
        micropython.lay_out(folder, native=True)
        convert(KEYWORDS / "keywords.tflite", folder / "words.midge", audio="mfcc", learn="auto", name="words")
        for path in (HERE / "words.py", HERE / "standin" / "machine.py"):
            shutil.copy(path, folder)
        (folder / "sound.raw").write_bytes(samples.astype("<i2").tobytes())
        (folder / "presses.txt").write_text("".join(f"{down} {up}\n" for down, up in presses))
        return micropython.script(folder, "words.py").splitlines()


def run(given: tuple[Path, ...] = ()) -> None:
    """MidgeError where something is missing."""
    if given:
        raise MidgeError("midge demo teach-words takes no files")
    if why := micropython.problem("micropython"):
        raise MidgeError(why)
    print(f"taught: {', '.join(TAUGHT)} ({EXAMPLES} examples each); then shown: {', '.join(SHOWN)}")
    print(*play(*lesson()), sep="\n")


if __name__ == "__main__":
    try:
        run()
    except MidgeError as error:
        sys.exit(str(error))
