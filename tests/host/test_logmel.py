"""Log-mel spectra: librosa's, before they are rounded, on every backend of the PC."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import audio_graphs
import midge
import tflm
from midge_host import backends
from midge_host.conversion import build
from midge_host.errors import MidgeError, UnsupportedError
from midge_host.frontends import logmel, sound
from midge_host.frontends.logmel import LogMelFrontend

SIGNALS = audio_graphs.signals()
STEP = 320
FRONTS = {
    "usual": LogMelFrontend(),
    "htk": LogMelFrontend(n_fft=1024, n_mels=64, fmin=50, fmax=7600, htk=True, norm=False, ref=0.01),
    "anomaly": LogMelFrontend(n_fft=1024, n_mels=128),
    "small": LogMelFrontend(n_fft=32, n_mels=3, fmin=700),
    "large": LogMelFrontend(n_fft=4096, n_mels=80, htk=True),
}
# A window of `sample`, every seventh band, in dB, as librosa 0.11 says it in float64: melspectrogram(y=sample(n_fft) /
# 32768, sr=16000, center=False, and the names above), then power_to_db(ref=ref, top_db=None).
# fmt: off
LIBROSA = {
    "usual": [-31.0078, -29.2686, -27.1298, -24.8825, -30.4115, -28.7086],
    "htk": [14.641, 16.0842, 13.2595, 16.2084, 17.9598, 18.7219, 23.2645, 21.3416, 22.5605, 23.7219],
    "anomaly": [
        -23.279, -20.0444, -22.7986, -17.7338, -24.3198, -23.0206, -22.9158, -22.7352, -20.3704, -23.8041,
        -19.0917, -20.6133, -22.4426, -21.4784, -20.908, -21.7979, -21.5222, -20.388, -21.2538,
    ],
    "small": [-33.7907],
    "large": [
        -10.1706, -10.001, 29.4763, -5.7316, -11.2128, -10.0478, -7.1763, -11.1119, -10.3037, -9.7857, -9.6457,
        -7.4459,
    ],
}
# fmt: on
BAR = 1e-4  # dB, before rounding
DEPTH = 80  # dB below a frame's loudest band, up to which the bar holds: librosa's top_db


def sample(size: int) -> np.ndarray:
    """Two tones and noise, int16."""
    n = np.arange(size)
    tones = 8000 * np.sin(2 * np.pi * 440 * n / 16_000) + 3000 * np.sin(2 * np.pi * 2500 * n / 16_000)
    return np.round(tones + n * n * 7919 % 2003 - 1001).astype(np.int16)


def decibels(frames: np.ndarray, front: LogMelFrontend) -> np.ndarray:
    """(frames, bands) float64, by the formulas of librosa's documentation."""
    windowed = frames / 32768 * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(front.n_fft) / front.n_fft))
    powers = np.abs(np.fft.rfft(windowed)) ** 2
    hertz, places = logmel.edges(front), np.arange(front.n_fft // 2 + 1) * 16_000 / front.n_fft
    rises = (places - hertz[:-2, None]) / np.diff(hertz)[:-1, None]
    falls = (hertz[2:, None] - places) / np.diff(hertz)[1:, None]
    filters = np.maximum(0, np.minimum(rises, falls))
    if front.norm:
        filters *= 2 / (hertz[2:] - hertz[:-2])[:, None]
    return 10 * np.log10(np.maximum(1e-10, powers @ filters.T)) - 10 * np.log10(max(1e-10, front.ref))


def run(path: Path, backend: str, frames: np.ndarray) -> np.ndarray:
    return backends.run(backend, path, [frames]).outputs[0].reshape(len(frames), -1)


def converted(
    folder: Path, front: LogMelFrontend, scale: float = 1 / 256, zero_point: int = 0, dtype: str = "int16"
) -> Path:
    path = folder / "logmel.midge"
    path.write_bytes(build(logmel.graph(scale, zero_point, front, dtype)).to_bytes())
    return path


@pytest.mark.parametrize("name", FRONTS)
def test_librosa_says_the_same(name: str) -> None:
    np.testing.assert_allclose(
        decibels(sample(FRONTS[name].n_fft)[None], FRONTS[name])[0, ::7], LIBROSA[name], atol=6e-5
    )


@pytest.mark.parametrize("name", FRONTS)
def test_sizes(name: str, tmp_path: Path) -> None:
    """Rounded from what is within the bar; also where one sample is not 0, and the window is small."""
    front = FRONTS[name]
    path = converted(tmp_path, front)
    rng = np.random.default_rng(front.n_fft)
    noise = np.clip(rng.normal(size=front.n_fft) * 3000, -32768, 32767).astype(np.int16)
    clicks = 32767 * np.eye(front.n_fft, dtype=np.int16)[[1, 3, 10, 30]]
    frames = np.stack([sample(front.n_fft), noise, *clicks])
    found = run(path, "cpython", frames)
    assert np.abs(found / 256 - decibels(frames, front)).max() < 0.5 / 256 + BAR
    assert np.array_equal(run(path, "portable", frames), found)
    assert np.array_equal(run(path, "numpy", frames), found)


@pytest.mark.parametrize("name", SIGNALS)
def test_signals(name: str, tmp_path: Path) -> None:
    """Within the bar up to DEPTH."""
    for front in FRONTS.values():
        path = converted(tmp_path, front, zero_point=-20 * 256)  # -108 dB to 148
        samples = np.pad(SIGNALS[name], (0, max(0, front.n_fft - len(SIGNALS[name]))))
        frames = audio_graphs.frames(samples, STEP, front.n_fft)[:16]
        expected, found = decibels(frames, front), run(path, "cpython", frames)
        below = expected.max(1, keepdims=True) - expected
        assert (np.abs(found / 256 + 20 - expected) - 0.5 / 256)[below < DEPTH].max() < BAR
        if front == LogMelFrontend():
            assert np.array_equal(run(path, "portable", frames[:3]), found[:3])
            assert np.array_equal(run(path, "numpy", frames[:3]), found[:3])


@pytest.mark.parametrize(
    "changes, says",
    [({"n_fft": 500}, "an FFT of 500"), ({"n_fft": 8192}, "an FFT of 8192"), ({"n_mels": 200}, "200 bands")],
)
def test_refusals(changes: dict, says: str) -> None:
    with pytest.raises(UnsupportedError, match=says):
        build(logmel.graph(1, 0, dataclasses.replace(LogMelFrontend(), **changes)))


@pytest.mark.parametrize(
    "text, again",
    [
        ("logmel", "logmel:20ms"),
        ("logmel:32ms,n_mels=128,n_fft=1024", "logmel:32ms,n_fft=1024,n_mels=128"),
        ("logmel:10ms,htk=1,norm=0,fmin=50,fmax=7600,ref=1e-3", "logmel:10ms,fmin=50,fmax=7600,htk=1,norm=0,ref=0.001"),
    ],
)
def test_words(text: str, again: str) -> None:
    how = sound.parse(text)
    assert str(how) == again and sound.parse(again) == how


@pytest.mark.parametrize(
    "text, says",
    [
        ("logmel:12ms", "midge knows"),
        ("mfcc:20ms,n_mels=64", "midge knows"),
        ("logmel:20ms,", "'' is not known"),
        ("logmel:20ms,bands=64", "'bands=64' is not known; there are n_fft=512, n_mels=40"),
        ("logmel:20ms,n_mels=6.5", "'n_mels=6.5' is not known"),
        ("logmel:20ms,htk=2", "'htk=2' is not known"),
        ("logmel:20ms,fmin=nan", "'fmin=nan' is not known"),
        ("logmel:20ms,n_mels=129", "n_mels from 1 to 128"),
        ("logmel:20ms,n_fft=400", "power of two from 32 to 4096"),
        ("logmel:20ms,fmin=4000,fmax=300", "fmin and fmax from 0 to 8000"),
        ("logmel:20ms,ref=0", "a power from 1e-05 to 500"),
    ],
)
def test_words_that_are_wrong(text: str, says: str) -> None:
    with pytest.raises(MidgeError, match=says):
        sound.parse(text)


@pytest.mark.parametrize("backend", ["cpython", "portable", "numpy", "micropython", "micropython-portable", "wasm"])
def test_a_model_that_hears(tmp_path: Path, backend: str) -> None:
    """Scores of samples are the model's of these features."""
    if why := backends.problem(backend):
        pytest.skip(why)
    scale, zero_point, front = 0.4, 100, LogMelFrontend(n_mels=10)
    data, samples = audio_graphs.window(4, (scale, zero_point), 10), SIGNALS["speech"][:6000]
    path = audio_graphs.hearing(tmp_path, data, audio="logmel:20ms,n_mels=10", every=3)
    features = converted(tmp_path, front, scale, zero_point, "int8")
    frames = run(features, "cpython", audio_graphs.frames(samples, STEP, front.n_fft))
    expected = tflm.run(data, [np.stack([frames[last - 4 : last] for last in range(4, len(frames) + 1, 3)])])[0]
    assert len(np.unique(expected)) > 2
    found = backends.run(backend, path, [samples[None]]).outputs[0]
    np.testing.assert_array_equal(found, expected)
    assert midge.load(str(path)).front == "logmel" and midge.load(str(path)).hop == STEP
