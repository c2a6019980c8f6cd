"""What a room, a microphone and a hasty speaker make of a clean clip: one second of samples, drawn anew each time."""

from __future__ import annotations

import numpy as np
from scipy.fft import next_fast_len
from scipy.signal import fftconvolve

from midge_host.keywords.clips import FULL, RATE

LENGTH = RATE  # samples of an example


class Sounds:
    """Draws examples of each class from clips.

    clips: int16 samples of each word. rng: where chance comes from.
    """

    def __init__(self, clips: dict[str, list[np.ndarray]], keywords: tuple[str, ...], rng: np.random.Generator) -> None:
        self._rng = rng
        self._keywords = {word: clips[word] for word in keywords}
        self._others = [clip for word, of_word in clips.items() if word not in keywords for clip in of_word]

    def keyword(self, word: str) -> np.ndarray:
        """(16000,) int16"""
        return self._heard(self._spoken(self._drawn(self._keywords[word])))

    def unknown(self) -> np.ndarray:
        """Another word, or two of them, or a part of a keyword."""
        rng = self._rng
        kind = rng.random()
        if kind < 0.8:
            return self._heard(self._spoken(self._drawn(self._others)))
        if kind < 0.92:
            cut = rng.integers(LENGTH // 4, 3 * LENGTH // 4)
            first, second = (self._spoken(self._drawn(self._others)) for _ in range(2))
            scene = np.zeros(LENGTH, np.float32)
            scene[:cut] = placed(first, cut - len(first), cut)
            scene[cut:] = placed(second, 0, LENGTH - cut)
            return self._heard(scene)
        clip = self._spoken(self._drawn(self._keywords[str(rng.choice(list(self._keywords)))]))
        third = len(clip) // 3
        return self._heard(clip[: third + third // 4] if rng.random() < 0.5 else clip[-third:])

    def silence(self) -> np.ndarray:
        """Noise of any loudness, or nothing at all."""
        rng = self._rng
        if rng.random() < 0.04:
            return np.zeros(LENGTH, np.int16)
        loud = rng.uniform(2.5, 4.1) if rng.random() < 0.6 else rng.uniform(-0.5, 2.5)
        noise = self._noise() * np.float32(10**loud)
        return np.clip(np.round(noise), -FULL - 1, FULL).astype(np.int16)

    def _drawn(self, clips: list[np.ndarray]) -> np.ndarray:
        return clips[self._rng.integers(len(clips))]

    def _spoken(self, clip: np.ndarray) -> np.ndarray:
        """By a larger or a smaller speaker, and at times not to its end."""
        rng = self._rng
        samples = clip.astype(np.float32) / FULL
        if rng.random() < 0.7:
            factor = 2 ** rng.uniform(-0.25, 0.25)
            samples = np.interp(np.arange(0, len(samples) - 1, factor), np.arange(len(samples)), samples)
        if rng.random() < 0.12:
            lost = round(len(samples) * rng.uniform(0.05, 0.2))
            samples = samples[lost:] if rng.random() < 0.5 else samples[: len(samples) - lost]
        return samples.astype(np.float32)

    def _heard(self, samples: np.ndarray) -> np.ndarray:
        """In a room, through a microphone, at a distance, among noises."""
        rng = self._rng
        if rng.random() < 0.5:
            samples = fftconvolve(samples, self._room())[: len(samples) + 3000]
        if rng.random() < 0.8:
            samples = self._coloured(samples)
        free = LENGTH - len(samples)
        at = rng.normal(free / 2, 2400) if rng.random() < 0.6 else rng.uniform(min(0, free), max(0, free))
        if free > 0:
            at = np.clip(at, 0, free)
        scene = placed(samples, round(at), LENGTH)
        loudness = np.sqrt((samples**2).mean()) + 1e-9
        scene += self._noise() * loudness * 10 ** (-rng.uniform(6, 50) / 20)
        if rng.random() < 0.2:  # a compressor, or a microphone too near
            scene = np.tanh(scene / scene.std() * rng.uniform(0.3, 1.2))
        if rng.random() < 0.08:  # a recording that was short
            scene[rng.integers(LENGTH // 2, LENGTH) :] = 0
        peak = FULL * (rng.uniform(0.4, 1.2) if rng.random() < 0.5 else 10 ** rng.uniform(-2, -0.3))
        return np.clip(np.round(scene * (peak / (np.abs(scene).max() + 1e-9))), -FULL - 1, FULL).astype(np.int16)

    def _room(self) -> np.ndarray:
        """Its echo: what comes straight, and noise that dies away."""
        rng = self._rng
        length = rng.integers(300, 4000)
        echo = rng.standard_normal(length) * np.exp(-np.arange(length) / length * rng.uniform(3, 8))
        echo *= rng.uniform(0.03, 0.3)
        echo[0] = 1
        return echo.astype(np.float32)

    def _coloured(self, samples: np.ndarray) -> np.ndarray:
        """By a microphone: a slope, a resonance or two, an end below and above."""
        rng = self._rng
        length = next_fast_len(len(samples), real=True)
        spectrum = np.fft.rfft(samples, length)
        hertz = np.linspace(0, RATE / 2, len(spectrum))
        gain = rng.uniform(-9, 9) * np.log2((hertz + 150) / 1200) / 3
        for _ in range(rng.integers(0, 3)):
            gain += rng.uniform(-9, 9) * np.exp(-(((hertz - rng.uniform(200, 5000)) / rng.uniform(150, 1500)) ** 2))
        if rng.random() < 0.35:
            gain[hertz < rng.uniform(80, 400)] -= 25
        if rng.random() < 0.3:
            gain[hertz > rng.uniform(2500, 7500)] -= 25
        return np.fft.irfft(spectrum * 10 ** (gain / 20), length)[: len(samples)].astype(np.float32)

    def _noise(self) -> np.ndarray:
        """(16000,) float32 of RMS 1: hiss, rumble, hum, taps, voices, or some of them."""
        rng = self._rng
        kind = rng.random()
        if kind < 0.08:  # other voices, far away
            noise = np.zeros(LENGTH, np.float32)
            for _ in range(rng.integers(3, 7)):
                clip = self._drawn(self._others).astype(np.float32)
                noise += placed(clip, rng.integers(-4000, LENGTH - 4000), LENGTH) * rng.uniform(0.3, 1)
            noise = fftconvolve(noise, self._room())[:LENGTH] + rng.standard_normal(LENGTH) * 300
        else:
            spectrum = np.fft.rfft(rng.standard_normal(LENGTH))
            order = np.arange(1, len(spectrum) + 1)
            spectrum *= order ** -rng.uniform(0, 1.5)
            if rng.random() < 0.4:  # a whistle, a fan
                centre, width = rng.uniform(3.5, 8.5), rng.uniform(0.02, 0.6)
                spectrum *= 1 + rng.uniform(1, 10) * np.exp(-((np.log(order) - centre) ** 2) / width)
            noise = np.fft.irfft(spectrum, LENGTH)
            noise /= noise.std()
            if kind < 0.25:  # of the mains
                time = np.arange(LENGTH) / RATE
                for harmonic in range(1, rng.integers(2, 8)):
                    wave = np.sin(2 * np.pi * rng.choice((50, 60)) * harmonic * time + rng.uniform(0, 6))
                    noise += wave * rng.uniform(0, 1.5) / harmonic
            if rng.random() < 0.25:  # that swells
                noise *= 0.2 + np.abs(np.sin(np.arange(LENGTH) / rng.uniform(500, 20_000) + rng.uniform(0, 3)))
            if rng.random() < 0.3:  # taps and knocks
                for _ in range(rng.integers(1, 9)):
                    length = rng.integers(20, 3000)
                    tap = rng.standard_normal(length) * np.exp(-np.arange(length) / length * 5) * rng.uniform(2, 12)
                    noise += placed(tap, rng.integers(0, LENGTH), LENGTH)
        return (noise / (noise.std() + 1e-9)).astype(np.float32)


def placed(samples: np.ndarray, at: int, length: int) -> np.ndarray:
    """(length,) float32: silence, with samples from `at` on, as far as they are inside."""
    scene = np.zeros(length, np.float32)
    first, last = max(0, at), min(length, at + len(samples))
    if first < last:
        scene[first:last] = samples[first - at : last - at]
    return scene
