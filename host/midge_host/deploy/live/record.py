"""Readings of a board's sensor as labelled files, which --calibration, --test and training take."""

from __future__ import annotations

import io
import re
import wave
import zlib
from ast import literal_eval
from base64 import b64decode
from binascii import Error
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from ...errors import MidgeError
from ...files import write_whole
from ..links import BoardError, Mpremote
from . import program

SENSORS = ("imu", "microphone", "analog")
PART = 192  # bytes of readings in a line
TRIES = 3
CLIPPED = 0.002  # of the values: more at the ends of the range are a signal that is too large
SLOW = 0.05  # of the time: a board that is later has lost readings
SETTING = r"(?m)^{} = ([^#\n]*)"  # of a sensor's program


@dataclass(frozen=True)
class Sensor:
    """A program for the board that defines read() and RATE; `limits`: of its values, None where nothing is known."""

    name: str
    source: str
    rate: float
    limits: tuple[float, float] | None


@dataclass(frozen=True)
class Take:
    """values: (samples, channels) float32, or (samples,) int16 of sound. seconds: that the board took for them."""

    values: np.ndarray
    rate: float
    seconds: float

    @property
    def is_sound(self) -> bool:
        return self.values.dtype == np.int16


def sensor(name: str, settings: Sequence[str] = ()) -> Sensor:
    """One of SENSORS, or a file of one's own. settings: NAME=VALUE, for what the program sets in its first lines.

    A program's read() gives a sample: a number, or a tuple of one for each channel; or a buffer of int16 samples, and
    then waits until there are some. RATE: samples a second; LIMITS, if it is there: the lowest and highest value.
    Raises MidgeError for a file without these, or a setting that it does not have.
    """
    if name in SENSORS:
        source = (files(__package__) / "sensors" / f"{name}.py").read_text(encoding="utf-8")
        if name == "imu":
            source = (files("midge_host.gesture") / "sensor.py").read_text(encoding="utf-8") + source
    else:
        path = Path(name)
        if path.suffix != ".py" or not path.is_file():
            raise MidgeError(f"--sensor {name}: choose {', '.join(SENSORS)}, or give a file that ends with .py")
        source = path.read_text(encoding="utf-8")
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not re.search(SETTING.format(re.escape(key)), source):
            known = ", ".join(re.findall(r"(?m)^([A-Z][A-Z_0-9]*) = ", source))
            raise MidgeError(f"--set {setting}: {name} has {known or 'nothing to set'}; give NAME=VALUE")
        source = re.sub(SETTING.format(re.escape(key)), f"{key} = {value}  ".replace("\\", r"\\"), source)
    if not re.search(r"(?m)^(def read\(|read = )", source):
        raise MidgeError(f"{name}: defines no read(), which gives a reading of the sensor")
    rate, limits = _literal(name, source, "RATE"), _literal(name, source, "LIMITS")
    if not isinstance(rate, (int, float)) or not 0 < rate <= 1e6:
        raise MidgeError(f"{name}: has no line such as RATE = 100, samples a second")
    return Sensor(name, source, rate, limits)


def _literal(name: str, source: str, key: str):
    found = re.search(SETTING.format(key), source)
    try:
        return literal_eval(found[1].strip()) if found else None
    except (ValueError, SyntaxError):
        raise MidgeError(f"{name}: {key} = {found[1].strip() if found else ''} is no number that can be read") from None


def start(link: Mpremote, chosen: Sensor) -> None:
    """Sets the sensor up on the board."""
    link.run(chosen.source + "\n" + program("record"), 30)


def take(link: Mpremote, chosen: Sensor, seconds: float) -> Take:
    """Records so many seconds. Raises MidgeError where they have no sample, the board has no memory for them, or its
    line is not sound."""
    if seconds * chosen.rate < 1:
        raise MidgeError(f"{seconds:g} s have no sample at {chosen.rate:g} a second; give more --seconds")
    try:
        *_, line = link.lines(f"take({seconds!r})", seconds + 30)
    except BoardError as error:
        if "MemoryError" in str(error):
            raise MidgeError(f"{seconds:g} s of readings do not fit the board's memory; give fewer --seconds") from None
        raise
    kind, channels, count, milliseconds = literal_eval(line)
    size, dtype = (2, "<i2") if kind == "blocks" else (4 * channels, "<f4")
    data = _fetch(link, size * count, 1 if kind == "blocks" else 4)
    values = np.frombuffer(data, dtype).astype(np.int16 if kind == "blocks" else np.float32)
    return Take(values if kind == "blocks" else values.reshape(-1, channels), chosen.rate, milliseconds / 1e3)


def _fetch(link: Mpremote, size: int, item: int) -> bytes:
    """What the board holds: lines that do not arrive as they were sent are asked for again. item: bytes of one."""
    parts: dict[int, bytes] = {}
    wanted = range(-(-size // PART))
    for _ in range(TRIES):
        missing = [i for i in wanted if i not in parts]
        for line in link.lines(f"send({missing[0]}, {missing[-1] + 1}, {PART // item})", 30):
            parts |= received(line)
        if all(i in parts for i in wanted):
            return b"".join(parts[i] for i in wanted)
    raise MidgeError("readings arrive damaged again and again; try another cable or port")


def received(line: str) -> dict[int, bytes]:
    """A line that send() printed, by its number; nothing where it is not whole."""
    try:
        number, text, checksum = line.split()
        data = b64decode(text, validate=True)
        return {int(number): data} if zlib.crc32(data) == int(checksum, 16) else {}
    except (ValueError, Error):
        return {}


def problem(found: Take, limits: tuple[float, float] | None) -> str:
    """What is wrong with readings, and what to do; "" for sound ones."""
    values = found.values.reshape(len(found.values), -1)
    wanted = len(values) / found.rate
    if not np.isfinite(values).all():
        return "there are readings that are no numbers (NaN): check the sensor's read()"
    still = [i for i in range(values.shape[1]) if values[:, i].min() == values[:, i].max()]
    if still:
        which = f"channel {', '.join(map(str, still))} is" if values.shape[1] > 1 else "they are"
        return f"{which} {values[0, still[0]] + 0.0:g} all the time: check wiring and power of the sensor"
    if found.is_sound:
        limits = (-32768, 32767)
    if limits:
        share = float(((values <= limits[0]) | (values >= limits[1])).mean())
        if share > CLIPPED:
            return f"{share:.1%} of the values are at the end of the range: clipped; move less, or farther away"
    if found.seconds > (1 + SLOW) * wanted + 0.1:
        rate = len(values) / found.seconds
        return (
            f"the board takes {rate:.0f} readings a second, not {found.rate:g}: give RATE less, or make read() quicker"
        )
    return ""


def save(found: Take, folder: Path, label: str) -> Path:
    """Writes readings as the next file of a label's folder: sound as .wav, others as .csv, a sample a line, of float32
    with the digits that it takes."""
    place = folder / label
    place.mkdir(parents=True, exist_ok=True)
    suffix = ".wav" if found.is_sound else ".csv"
    taken = [int(path.stem) for path in place.glob(f"*{suffix}") if path.stem.isdecimal()]
    path = place / f"{max(taken, default=0) + 1:03d}{suffix}"
    if found.is_sound:
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as sound:
            sound.setparams((1, 2, round(found.rate), 0, "NONE", "not compressed"))
            sound.writeframes(found.values.astype("<i2").tobytes())
        data = buffer.getvalue()
    else:
        lines = [",".join(np.format_float_positional(value, trim="-") for value in row) for row in found.values]
        data = "".join(f"{line}\n" for line in lines).encode()
    write_whole(path, data)
    return path
