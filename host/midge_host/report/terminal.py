"""Pictures and values in a terminal: braille, 2 x 4 dots a character, or with colours half blocks, 1 x 2 pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.console import Console
from rich.text import Text

DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
# Ordered dithering: of 16 dots, as many are set as a value is sixteenths.
THRESHOLDS = (np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) + 0.5) / 16
BARS = "▁▂▃▄▅▆▇█"
WIDEST, USUAL = 32, 14  # columns of a picture; larger ones are made smaller, small ones larger, by whole factors


def has_greys(console: Console) -> bool:
    """Whether a terminal has colours enough for pictures."""
    return console.color_system in ("256", "truecolor") and not console.no_color


def braille(dots: np.ndarray) -> list[str]:
    """(height, width) bool as lines."""
    height, width = dots.shape
    whole = np.zeros((-(-height // 4) * 4, -(-width // 2) * 2), bool)
    whole[:height, :width] = dots
    cells = whole.reshape(whole.shape[0] // 4, 4, whole.shape[1] // 2, 2)
    codes = 0x2800 + (cells * DOTS[:, None, :]).sum(axis=(1, 3))
    return ["".join(map(chr, line)) for line in codes]


def picture(values: np.ndarray, coloured: bool) -> list[Text]:
    """(height, width), or (height, width, 3) for red, green and blue, of 0..1, as lines of one width."""
    values = sized(values, 1 if coloured else 2)
    if coloured:
        return _half_blocks(values)
    grey = values if values.ndim == 2 else values.mean(2)
    height, width = grey.shape
    thresholds = np.tile(THRESHOLDS, (height // 4 + 1, width // 4 + 1))[:height, :width]
    return [Text(line) for line in braille(grey > thresholds)]


def sized(values: np.ndarray, dots: int) -> np.ndarray:
    """The same with as many pixels as fit; dots: in a character's width."""
    height, width = values.shape[:2]
    if width > WIDEST * dots:
        return _smaller(values, -(-width // (WIDEST * dots)))
    factor = max(round(USUAL * dots / max(width, height)), 1)
    return values.repeat(factor, 0).repeat(factor, 1)


def _smaller(values: np.ndarray, factor: int) -> np.ndarray:
    """Means of squares of `factor` pixels a side; those at the ends may be smaller."""
    for axis in (0, 1):
        starts = np.arange(0, values.shape[axis], factor)
        counts = np.diff([*starts, values.shape[axis]])
        shape = [-1 if i == axis else 1 for i in range(values.ndim)]
        values = np.add.reduceat(values, starts, axis) / counts.reshape(shape)
    return values


def _half_blocks(values: np.ndarray) -> list[Text]:
    if values.ndim == 2:
        values = values[:, :, None].repeat(3, 2)
    bytes_ = np.round(values * 255).astype(int)
    lines = []
    for top in range(0, len(bytes_), 2):
        line = Text()
        for column in range(bytes_.shape[1]):
            style = f"rgb({','.join(map(str, bytes_[top, column]))})"
            if top + 1 < len(bytes_):
                style += f" on rgb({','.join(map(str, bytes_[top + 1, column]))})"
            line.append("▀", style)
        lines.append(line)
    return lines


def beside(pictures: Sequence[list[Text]], gap: int) -> list[Text]:
    """Pictures of one height, side by side."""
    return [Text(" " * gap).join(line) for line in zip(*pictures, strict=True)]


def bars(values: np.ndarray, width: int) -> list[str]:
    """(n,) of 0..1 as bars of eight heights, `width` in a line."""
    places = np.minimum((values * len(BARS)).astype(int), len(BARS) - 1)
    text = "".join(BARS[i] for i in places)
    return [text[at : at + width] for at in range(0, len(text), width)]
