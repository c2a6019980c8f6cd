"""--audio: which front end makes a model's inputs of sound, and how."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import ClassVar

import numpy as np

from ..device.ops.magnitudes import POINTS
from ..device.ops.mel_bands import MAX_BANDS
from ..errors import MidgeError
from ..ir.graph import Graph
from . import audio, logmel, mfcc

STEPS = (10, 20)  # ms from one frame to the next: those that models are trained with
LOGMEL_STEPS = (10, 16, 20, 32)
USUAL_LOGMEL = logmel.LogMelFrontend()
UNIT = Fraction(10, 256)  # a feature as real number: the micro front end's logarithm times this, 0 to about 26
FINE_UNIT = Fraction(1, 256)  # that of MFCC, and of decibels
FFTS = tuple(2 * points for points in POINTS)
REFS = (1e-5, 500.0)  # powers of which 0 dB can be one, so that features in FINE_UNIT are within 16 bits
# (v * 256 + 333) / 666 - 128, as TensorFlow Lite Micro's micro_speech and ESPHome's micro_wake_word have it. It stands
# for 0 to 26, for which models have this scale, more or less.
TFLM_INT8 = (256, 333, 666, -128)
TFLM_SCALE, SCALE_TOLERANCE = 26 / 255, 0.01
LOWEST, LEAST_HIGHEST, MOST_HIGHEST = -6.0, 8.0, 60.0  # of a range that real features may have
PAUSE = 100  # ms between predictions of windows, if nothing else is said


@dataclass(frozen=True)
class Micro:
    """The micro front end."""

    name: ClassVar[str] = "micro"
    steps: ClassVar[tuple[int, ...]] = STEPS
    words: ClassVar[str] = ""
    values: int = audio.MicroFrontend().channels  # of a frame
    window: int = audio.MicroFrontend().window  # samples
    unit: Fraction = UNIT

    def graph(self) -> Graph:
        """A frame's features as int16, in `unit`."""
        return audio.graph()

    def graph_for(self, scale: float, zero_point: int, is_tflm: bool, name: str) -> Graph:
        """A frame's features as an input's bytes: see to_int8."""
        return audio.graph(to_int8(scale, zero_point, is_tflm, name))


@dataclass(frozen=True)
class Mfcc:
    """MFCC of MLPerf Tiny's keyword spotting."""

    name: ClassVar[str] = "mfcc"
    steps: ClassVar[tuple[int, ...]] = STEPS
    words: ClassVar[str] = ""
    values: int = mfcc.Mfcc().coefficients
    window: int = mfcc.Mfcc().window
    unit: Fraction = FINE_UNIT

    def graph(self) -> Graph:
        return mfcc.graph(float(self.unit), 0, dtype="int16")

    def graph_for(self, scale: float, zero_point: int, is_tflm: bool, name: str) -> Graph:
        return mfcc.graph(scale, zero_point)


@dataclass(frozen=True)
class LogMel:
    """librosa's log-mel spectra."""

    name: ClassVar[str] = "logmel"
    steps: ClassVar[tuple[int, ...]] = LOGMEL_STEPS
    how: logmel.LogMelFrontend = USUAL_LOGMEL
    unit: Fraction = FINE_UNIT

    @property
    def values(self) -> int:
        return self.how.n_mels

    @property
    def window(self) -> int:
        return self.how.n_fft

    @property
    def words(self) -> str:
        """What is not as it usually is, as --audio has it."""
        changed = {f.name: getattr(self.how, f.name) for f in fields(self.how)}
        changed = {name: value for name, value in changed.items() if value != getattr(USUAL_LOGMEL, name)}
        return "".join(
            f",{name}={value:{'d' if isinstance(value, bool) else '.9g'}}" for name, value in changed.items()
        )

    def graph(self) -> Graph:
        return logmel.graph(float(self.unit), 0, self.how, "int16")

    def graph_for(self, scale: float, zero_point: int, is_tflm: bool, name: str) -> Graph:
        return logmel.graph(scale, zero_point, self.how)


Front = Micro | Mfcc | LogMel
FRONTS: dict[str, Front] = {front.name: front for front in (Micro(), Mfcc(), LogMel())}
KNOWN = ", ".join(f"{name}:{step}ms" for name, front in FRONTS.items() for step in front.steps)
USUAL = {"mfcc": 20, "logmel": 20}  # the step where none is given


@dataclass(frozen=True)
class Audio:
    """step: ms from one frame of features to the next. cutoff, window: what a wake word's manifest says of scores, see
    device.model_file.Sound."""

    step: int
    cutoff: float = 0.0
    window: int = 1
    front: Front = Micro()

    @property
    def name(self) -> str:
        """The front end's, in FRONTS."""
        return self.front.name

    @property
    def hop(self) -> int:
        """Samples of a step."""
        return audio.RATE * self.step // 1000

    def __str__(self) -> str:
        return f"{self.name}:{self.step}ms{self.front.words}"


def parse(text: str) -> Audio:
    """MidgeError for what --audio does not know."""
    found = re.fullmatch(r"(\w+)(?::(\d{1,4})ms)?((?:,[^,]*)*)", text)
    front = FRONTS.get(found[1]) if found else None
    step = int(found[2] or USUAL.get(found[1], 0)) if found else 0
    if not found or front is None or step not in front.steps or (found[3] and not isinstance(front, LogMel)):
        raise MidgeError(f"--audio {text}: midge knows {KNOWN}: the front end and its step, as in training")
    if isinstance(front, LogMel):
        front = LogMel(_log_mel(text, found[3].split(",")[1:]))
    return Audio(step, front=front)


def _log_mel(text: str, words: list[str]) -> logmel.LogMelFrontend:
    """Of words NAME=VALUE, with librosa's names. MidgeError for what it cannot be."""
    how, known = USUAL_LOGMEL, {f.name: f for f in fields(logmel.LogMelFrontend)}
    for word in words:
        name, _, value = word.partition("=")
        try:
            kind = type(getattr(how, name)) if name in known else None
            number = float(value)
            if kind is None or not math.isfinite(number) or number != (made := kind(number)):
                raise ValueError
        except ValueError:
            names = ", ".join(f"{name}={getattr(how, name):g}" for name in known)
            raise MidgeError(f"--audio {text}: {word!r} is not known; there are {names}, as librosa has them") from None
        how = replace(how, **{name: made})
    if how.n_fft not in FFTS:
        raise MidgeError(f"--audio {text}: an n_fft of {how.n_fft}; give a power of two from {FFTS[0]} to {FFTS[-1]}")
    if not 0 < how.n_mels <= MAX_BANDS:
        raise MidgeError(f"--audio {text}: {how.n_mels} bands; give n_mels from 1 to {MAX_BANDS}")
    if not 0 <= how.fmin < how.fmax <= logmel.HIGHEST:
        raise MidgeError(
            f"--audio {text}: bands from {how.fmin:g} to {how.fmax:g} Hz; give fmin and fmax from 0 to 8000"
        )
    if not REFS[0] <= how.ref <= REFS[1]:
        raise MidgeError(f"--audio {text}: a ref of {how.ref:g}; give a power from {REFS[0]:g} to {REFS[1]:g}")
    return how


def rows_of(shape: Sequence[int], how: Audio, name: str) -> int:
    """How many frames of features an input of this shape takes."""
    core, values = [n for n in shape if n != 1], how.front.values
    if core and core[-1] % values == 0 and (len(core) == 1 or (len(core) == 2 and core[1] == values)):
        return math.prod(core) // values
    given = "x".join(map(str, shape))
    raise MidgeError(
        f"{name}: --audio {how} makes frames of {values} features, but the model takes {given}; "
        "train it on what `midge features` gives"
    )


def to_int8(scale: float, zero_point: int, is_tflm: bool, name: str) -> tuple[int, int, int, int]:
    """(multiplier, addend, divisor, offset) that make an input's bytes of features, as ir.operators.FilterBank takes
    them: by the input's scale. is_tflm: as TFLM's examples do it, where the scale is about theirs."""
    if is_tflm and zero_point == -128 and abs(scale / TFLM_SCALE - 1) < SCALE_TOLERANCE:
        return TFLM_INT8
    low, high = (-128 - zero_point) * scale, (127 - zero_point) * scale
    if low < LOWEST or not LEAST_HIGHEST < high < MOST_HIGHEST:
        raise MidgeError(
            f"{name}: its input goes from {low:.3g} to {high:.3g}, features of --audio from 0 to about 26; train it on "
            "what `midge features` gives, as it is"
        )
    factor = UNIT / Fraction(float(np.float32(scale)))
    rounded = factor.limit_denominator(1 << 14)
    values = np.arange(1 << 10, dtype=np.int64)

    def bytes_by(ratio: Fraction) -> np.ndarray:
        return (2 * values * ratio.numerator + ratio.denominator) // (2 * ratio.denominator)

    ratio = rounded if np.array_equal(bytes_by(rounded), bytes_by(factor)) else factor
    return 2 * ratio.numerator, ratio.denominator, 2 * ratio.denominator, zero_point


def pause(rows: int, step: int, is_streaming: bool, every: int | None, name: str) -> int:
    """Frames from one prediction to the next. A network that remembers takes each frame once; one that reads a window
    of them slides by a tenth of a second, if `every` does not say otherwise."""
    if is_streaming:
        if every not in (None, rows):
            raise MidgeError(f"--every {every}: {name} remembers what it saw, and takes {rows} new frames each time")
        return rows
    if every is None:
        return max(1, PAUSE // step)
    if not 0 < every <= 0xFFFF:
        raise MidgeError(f"--every {every}: give a number of frames from 1 to 65535")
    return every
