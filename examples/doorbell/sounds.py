"""Simulated sounds at a door: what train.py trains on, in place of recordings.

No such sound was ever recorded: bells, fists and voices are sums of damped sines, pulses and noise in an echo, drawn
anew each time. Real doors do more.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

RATE = 16_000
LABELS = ("knock", "other", "ring")
SECONDS = 1.2  # of a clip
METAL = (1.0, 1.51, 2.0, 2.74, 3.76, 4.07)  # partials of a struck bell or plate
FORMANTS = ((250, 900), (800, 2400), (2200, 3500))  # Hz, of a voice
TUBE = (1.0, 2.76, 5.40)  # of a struck tube


class Sounds:
    """Draws sounds. far: with parameters outside those of any without, for a test set apart."""

    def __init__(self, rng: np.random.Generator, far: bool = False) -> None:
        self._rng = rng
        self._far = far

    def clip(self, label: str) -> np.ndarray:
        """int16 (SECONDS * RATE): a room's noise, and from within its first 90 ms on one of LABELS, louder."""
        makers = {
            "knock": (self.knock,),
            "ring": (self.chime, self.bell, self.buzzer),
            "other": (self.voice, self.steps, self.clink, self.bark, self.slam, self.music, self.wind),
        }[label]
        return self.heard(makers[self._rng.integers(len(makers))])

    def heard(self, sound: Callable[[], np.ndarray]) -> np.ndarray:
        """int16: a sound in a room, as loud as it comes there."""
        echo = self._rng.normal(size=round(self._draw(0.05, 0.25) * RATE))
        echo *= np.exp(-np.linspace(0, 6, len(echo))) * self._draw(0.01, 0.06)
        echo[0] = 1
        made = _spectrum(sound(), lambda values, n: values * np.fft.rfft(echo, n))
        made *= self._draw(1500, 20000) / np.abs(made).max()
        start = self._rng.integers(round(0.09 * RATE))
        made = np.concatenate([np.zeros(start), made])[: len(made)]
        made += self.noise(len(made), -1) * np.abs(made).max() * self._draw(0.0005, 0.02)
        return np.clip(np.round(made), -32768, 32767).astype(np.int16)

    # ---- rings

    def chime(self) -> np.ndarray:
        """Ding, mostly dong."""
        base, decay = self._draw(400, 1100), self._draw(0.25, 0.9)
        partials = METAL if self._rng.random() < 0.3 else TUBE if self._rng.random() < 0.5 else (1.0, 2.0, 3.0, 4.2)
        made = self._struck(base, partials, decay)
        if self._rng.random() < 0.8:
            second = self._struck(base * self._draw(0.7, 0.9), partials, decay)
            made = self._later(made, second, self._draw(0.25, 0.7))
        return made

    def bell(self) -> np.ndarray:
        """A hammer that an electromagnet drives."""
        stroke = self._struck(self._draw(900, 2600), METAL, self._draw(0.03, 0.2))
        return self._repeated(stroke, 1 / self._draw(11, 28), self._draw(0.5, 1.2), 0.04)

    def buzzer(self) -> np.ndarray:
        hertz = self._draw(90, 420)
        phase = 2 * np.pi * hertz * self._time()
        made = np.zeros(self._count())
        for n in range(1, int(3800 / hertz), 2):
            made += np.sin(n * phase + n) / n ** self._draw(0.5, 1.2)
        made *= 1 + 0.3 * np.sin(2 * np.pi * self._draw(8, 50) * self._time())
        return made * self._gate(0, self._draw(0.35, 1.1))

    # ---- knocks

    def knock(self) -> np.ndarray:
        """A fist on a door, two to five times."""
        wood = [self._struck(self._draw(80, 700), (1.0,), self._draw(0.008, 0.035)) for _ in range(4)]
        blow = sum(mode * self._draw(0.3, 1) for mode in wood)
        blow += self._burst(self._draw(0.001, 0.006), self._draw(-1.5, -0.5)) * self._draw(0.2, 0.8)
        count = self._rng.integers(2, 6)
        period = self._draw(0.11, 0.32)
        return self._repeated(blow, period, period * (count - 0.5), 0.12)

    # ---- what else there is

    def voice(self) -> np.ndarray:
        """Pulses of a throat and hiss, through resonances that change several times a second."""
        sway = np.cumsum(self._rng.normal(size=self._count())) / self._count() ** 0.5
        pitch = self._draw(80, 300) * (1 + 0.15 * sway)
        pulses = np.diff(np.floor(np.cumsum(pitch) / RATE), prepend=0)
        made, at = np.zeros(self._count()), 0
        while at < self._count():
            part = slice(at, at + round(self._draw(0.06, 0.25) * RATE))
            source = pulses[part]
            if self._rng.random() < 0.25:
                source = self.noise(len(source), 0) * 0.1
            spoken = sum(self._resonance(source, self._draw(*formant), 90) for formant in FORMANTS)
            made[part] = spoken * self._draw(0.2, 1)
            at = part.stop
        smooth = np.hanning(320)
        return np.convolve(made, smooth / smooth.sum(), "same") * 0.3 + made

    def steps(self) -> np.ndarray:
        step = self._burst(self._draw(0.03, 0.09), self._draw(-2, -1)) * self._draw(0.5, 1)
        return self._repeated(step, self._draw(0.4, 0.75), 2, 0.1)

    def clink(self) -> np.ndarray:
        """Dishes."""
        made = np.zeros(self._count())
        for _ in range(self._rng.integers(1, 7)):
            struck = self._struck(self._draw(2200, 5000), METAL, self._draw(0.01, 0.08)) * self._draw(0.2, 1)
            made = self._later(made, struck, self._rng.uniform(0, 0.8))
        return self._later(np.zeros(self._count()), np.roll(made, -int(np.argmax(made != 0))), 0)

    def bark(self) -> np.ndarray:
        length = self._draw(0.08, 0.2)
        bend = np.exp(-((self._time() / length - 0.4) ** 2) * 4)
        phase = 2 * np.pi * np.cumsum(self._draw(250, 700) * (0.7 + 0.6 * bend)) / RATE
        made = sum(np.sin(n * phase) / n for n in range(1, 9)) + 0.4 * self.noise(self._count(), 0)
        return self._repeated(np.asarray(made) * bend * self._gate(0, length), self._draw(0.25, 0.6), 2, 0.2)

    def slam(self) -> np.ndarray:
        thump = self._struck(self._draw(40, 120), (1.0, 1.6), self._draw(0.04, 0.15))
        return thump + self._burst(self._draw(0.03, 0.3), -1.2) * self._draw(0.2, 1)

    def music(self) -> np.ndarray:
        """Chords that swell."""
        made, at = np.zeros(self._count()), 0.0
        while at < SECONDS:
            length = self._draw(0.12, 0.5)
            root = 110 * 2 ** (self._rng.integers(0, 30) / 12)
            swell = np.minimum(self._time() / self._draw(0.02, 0.1), 1) * self._gate(0, length)
            for step in (0, 4, 7)[: self._rng.integers(1, 4)]:
                hertz = root * 2 ** (step / 12)
                chord = sum(np.sin(2 * np.pi * hertz * n * self._time()) / n for n in range(1, 7))
                made = self._later(made, np.asarray(chord) * swell, at)
            at += length
        return made

    def wind(self) -> np.ndarray:
        """Wind, traffic, a vacuum cleaner."""
        sway = 1 + 0.7 * np.sin(2 * np.pi * self._draw(0.3, 4) * self._time() + self._rng.uniform(0, 6))
        made = self.noise(self._count(), self._draw(-2.5, 0)) * sway
        return made * np.minimum(self._time() / self._draw(0.01, 0.5), 1)

    def noise(self, count: int, slope: float) -> np.ndarray:
        """Noise whose amplitude goes with the frequency to the power of `slope` above 50 Hz; its peak is 1."""

        def shaped(values: np.ndarray, n: int) -> np.ndarray:
            return values * np.maximum(np.fft.rfftfreq(n, 1 / RATE), 50) ** slope

        made = _spectrum(self._rng.normal(size=count), shaped)
        return made / np.abs(made).max()

    # ---- parts of sounds

    def _draw(self, low: float, high: float) -> float:
        """Of the middle four fifths of a range; far: of the rest."""
        at = self._rng.uniform(0.1, 0.9)
        if self._far:
            at = self._rng.uniform(0, 0.1) + 0.9 * self._rng.integers(2)
        return low * (high / low) ** at if low > 0 else low + (high - low) * at

    def _count(self) -> int:
        return round(SECONDS * RATE)

    def _time(self) -> np.ndarray:
        return np.arange(self._count()) / RATE

    def _gate(self, start: float, length: float) -> np.ndarray:
        """1 between two times, with edges of 5 ms."""
        time = self._time()
        return np.clip((time - start) / 0.005, 0, 1) * np.clip((start + length - time) / 0.005, 0, 1)

    def _struck(self, hertz: float, partials: tuple[float, ...], decay: float) -> np.ndarray:
        """Damped sines, each shorter than the one below."""
        made = np.zeros(self._count())
        for partial in partials:
            if hertz * partial < RATE / 2:
                tone = np.sin(2 * np.pi * hertz * partial * self._time() * self._rng.uniform(0.995, 1.005))
                made += tone * np.exp(-self._time() * partial**0.5 / decay) * self._rng.uniform(0.3, 1)
        return made

    def _burst(self, length: float, slope: float) -> np.ndarray:
        return self.noise(self._count(), slope) * np.exp(-self._time() / length)

    def _resonance(self, source: np.ndarray, hertz: float, width: float) -> np.ndarray:
        def shaped(values: np.ndarray, n: int) -> np.ndarray:
            return values / (1 + 1j * (np.fft.rfftfreq(n, 1 / RATE) - hertz) / width)

        return _spectrum(source, shaped)

    def _later(self, sound: np.ndarray, other: np.ndarray, seconds: float) -> np.ndarray:
        start = round(seconds * RATE)
        made = sound.copy()
        made[start:] += other[: len(made) - start]
        return made

    def _repeated(self, sound: np.ndarray, period: float, seconds: float, uneven: float) -> np.ndarray:
        """uneven: share of the period by which a repetition may come early or late, and of its loudness."""
        made, at = np.zeros(self._count()), 0.0
        while at < min(seconds, SECONDS):
            made = self._later(made, sound * self._rng.uniform(1 - 3 * uneven, 1), at)
            at += period * self._rng.uniform(1 - uneven, 1 + uneven)
        return made


def _spectrum(values: np.ndarray, change: Callable[[np.ndarray, int], np.ndarray]) -> np.ndarray:
    """Values whose spectrum is changed, without going around in a circle."""
    n = 2 * len(values)
    return np.fft.irfft(change(np.fft.rfft(values, n), n), n)[: len(values)]
