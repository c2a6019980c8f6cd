"""Filters and features of windows of motion and other series: a list of them in words, what they are of given samples,
to train on, and models that compute them on the board.

`features` gives the very numbers that a board computes.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np

from ..errors import MidgeError
from ..ir import series
from ..ir.graph import Edge, Graph, Quantization, Tensor
from ..ir.operators import SeriesFeatures, SeriesFilter
from ..passes.edges import fold_edges

TYPES = ("float32", "int8", "int16")  # of an input that features can make

KNOWN = f"{', '.join(series.KINDS)} and bands:N; before them {' and '.join(f'{name}:HERTZ' for name in series.FILTERS)}"


@dataclass(frozen=True)
class Recipe:
    """What is made of each channel: `sections` (n, 6) int32, as `ir.series.filtered` takes them, then `kinds`, as
    `ir.series.features` takes them."""

    kinds: bytes
    sections: np.ndarray

    def of(self, samples: np.ndarray, unit: float) -> np.ndarray:
        """(windows, channels * kinds) float32 of real values (windows, length, channels), which become steps of
        `unit`."""
        samples = series.steps(samples, unit)
        if len(self.sections):
            samples = series.filtered(samples, self.sections)
        return (series.features(samples, self.kinds) / series.UNIT).astype(np.float32)


def parse(recipe: str, rate: float | None = None) -> Recipe:
    """Of a list such as "highpass:0.5,std,min,max,bands:8". rate: samples in a second, which filters need.

    Raises MidgeError for a word that is not known, for a filter behind a feature, and for one that the rate does not
    allow."""
    kinds: list[int] = []
    sections: list[np.ndarray] = []
    for word in (word.strip() for word in recipe.split(",")):
        name, colon, number = word.partition(":")
        if name == "bands" and colon:
            if series.BAND in kinds:
                raise MidgeError(f"features {recipe!r}: bands stand there twice")
            if not number.isdecimal() or not 1 <= int(number) <= series.MAX_ROWS // 2:
                raise MidgeError(f"features {recipe!r}: {word!r} needs a number of bands, as in bands:8")
            kinds += [series.BAND] * int(number)
        elif name in series.FILTERS and colon:
            if kinds:
                raise MidgeError(f"features {recipe!r}: {word!r} stands behind a feature; filters come first, for all")
            sections.append(_section(recipe, word, rate))
        elif name in series.KINDS and not colon:
            kinds.append(series.KINDS.index(name))
        else:
            raise MidgeError(f"features {recipe!r}: {word!r} is not known; there are {KNOWN}")
    if not kinds:
        raise MidgeError(f"features {recipe!r}: filters alone make no features; name some behind them, as in std")
    if rate is not None and not sections:
        raise MidgeError("a rate is for filters: name one in features, as in highpass:0.5,std")
    return Recipe(bytes(kinds), np.array(sections, np.int32).reshape(-1, 6))


def _section(recipe: str, word: str, rate: float | None) -> np.ndarray:
    name, _, number = word.partition(":")
    try:
        hertz = float(number)
    except ValueError:
        raise MidgeError(f"features {recipe!r}: {word!r} needs a frequency in hertz, as in {name}:0.5") from None
    if rate is None:
        raise MidgeError(f"features {recipe!r}: {word!r} needs the rate of the samples: how many in a second")
    if not 0 < rate < 1e9:
        raise MidgeError(f"rate is how many samples there are in a second, above 0, not {rate:g}")
    low, high = series.LOWEST * rate, series.HIGHEST * rate
    if not low <= hertz <= high:
        raise MidgeError(f"features {recipe!r}: {word!r}: at {rate:g} samples a second from {low:g} to {high:g} Hz")
    return series.section(name, hertz / rate)


def asked_for(features: str, window: int | None, unit: float, rate: float | None) -> tuple[bool, Recipe | None]:
    """What `--features` asks for: whether trees compare int16, and the features of samples, None for none.

    Raises MidgeError for words, a window, a unit and a rate that do not go together."""
    words = [word.strip() for word in features.split(",")]
    types = [word for word in words if word in ("float32", "int16")]
    recipe = ",".join(word for word in words if word not in types)
    if len(set(types)) > 1:
        raise MidgeError(f"features {features!r}: int16 and float32 exclude each other; name one")
    if recipe and window is None:
        raise MidgeError(f"features {features!r}: features of samples need a window: how many samples they are of")
    if window is not None and not recipe:
        raise MidgeError("a window is for features of samples: name them in features, as in std,min,max,bands:8")
    if unit != 1 and not recipe:
        raise MidgeError("a unit is for features of samples: name them in features, as in std,min,max,bands:8")
    if rate is not None and not recipe:
        raise MidgeError("a rate is for filters of samples: name them in features, as in highpass:0.5,std")
    if not 1e-30 < unit < 1e30:
        raise MidgeError(f"unit is the value of one step of a sample, above 0, not {unit:g}")
    return "int16" in types, parse(recipe, rate) if recipe else None


def names(recipe: str, channels: int, rate: float | None = None) -> list[str]:
    """What the columns of `features` are: "0 std" and so on, "0 band 1" for the second part of a spectrum."""
    kinds = parse(recipe, rate).kinds
    of_one = [series.KINDS[k] if k < series.BAND else f"band {kinds[:i].count(k)}" for i, k in enumerate(kinds)]
    return [f"{channel} {name}" for channel in range(channels) for name in of_one]


def windows(samples: np.ndarray | Sequence[Sequence[float]], length: int, hop: int) -> np.ndarray:
    """(windows, length, channels) of one recording (samples, channels), as midge.Window cuts it."""
    samples = np.asarray(samples)
    samples = samples[:, None] if samples.ndim == 1 else samples
    starts = range(0, len(samples) - length + 1, hop)
    if length < 1 or hop < 1 or samples.ndim != 2 or not starts:
        raise MidgeError(f"no window of {length} samples, {hop} apart, in samples of shape {samples.shape}")
    return np.stack([samples[start : start + length] for start in starts])


def features(samples: np.ndarray, recipe: str, unit: float = 1.0, rate: float | None = None) -> np.ndarray:
    """(windows, channels * features) float32 of windows of real values (windows, length, channels), those of the first
    channel first: exactly what a model converted with the same `features`, `unit` and `rate` computes.

    recipe, rate: as for `parse`. unit: the value of one step of the board's int16 samples; features are in such steps.
    Raises MidgeError for samples of another shape, and for a list that is not known or does not fit the window.
    """
    samples = np.asarray(samples)
    if samples.ndim != 3:
        raise MidgeError(f"samples have shape {samples.shape}, not (windows, length, channels)")
    made = parse(recipe, rate)
    _check(made.kinds, samples.shape[1])
    return made.of(samples, unit)


def with_features(graph: Graph, recipe: Recipe, window: int, unit: float = 1.0) -> Graph:
    """A copy of a graph of one input, float32 or quantised, that begins with samples: int16 [1, window, channels].

    Raises MidgeError where the features do not make the input."""
    made, kinds = deepcopy(graph), recipe.kinds
    fold_edges(made)
    edge = made.inputs[0]
    target = edge.tensor
    reading = edge.reading or target.quantization
    if len(made.inputs) > 1 or target.dtype not in TYPES or (reading is None) != (target.dtype == "float32"):
        raise MidgeError(f"{graph.name}: features of samples are for models of one input of float32, int8 or int16")
    if target.size % len(kinds):
        reason = f"it takes {target.size} values, and features makes {len(kinds)} of each channel"
        raise MidgeError(f"{graph.name}: {reason}; name those that it was trained on, in their order")
    _check(kinds, window)
    scale = Quantization(np.array([unit], np.float32), np.zeros(1, np.int64))
    samples = Tensor("samples", (1, window, target.size // len(kinds)), "int16", quantization=scale)
    source, before = samples, []
    if len(recipe.sections):
        source = Tensor("filtered", samples.shape, "int16")
        before = [SeriesFilter(name="series_filter", source=samples, output=source, sections=recipe.sections)]
    name = "series_features" if reading is None else "quantised_features"
    features = SeriesFeatures(name=name, source=source, output=target, kinds=kinds, reading=reading)
    made.nodes[:0] = [*before, features]
    made.inputs = [Edge(samples, "int16", samples.name)]
    return made


def _check(kinds: bytes, window: int) -> None:
    if not 2 <= window <= series.MAX_ROWS:
        raise MidgeError(f"a window of {window:,} samples; features take 2 to {series.MAX_ROWS:,}")
    bands = kinds.count(series.BAND)
    if bands > window // 2:
        raise MidgeError(f"{bands} bands: a window of {window} samples has a spectrum of {window // 2} bins")
