"""What midge_image computes, with NumPy: part of a frame, turned and scaled, as pixels of an input."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .spec import FRAME_FORMATS, TAP_BITS

ONE = 1 << TAP_BITS
GREY_WEIGHTS = (9798, 19235, 3735)  # of red, green and blue, in 1 / 2^15


def pixels(view: Mapping[str, int], frame: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """(height, width, channels) uint8: the frame as an input of this shape, by a view (spec.VIEW).

    frame: (bytes,) uint8.
    """
    name = list(FRAME_FORMATS)[view["format"]]
    u, v = np.arange(view["width"]), np.arange(view["height"])[:, None]
    places = view["first"] + u * view["across"] + v * view["down"]
    source = colours(name, frame)[places] if shape[2] == 3 else greys(name, frame)[places][:, :, None]
    down, across = weights(view["height"], view["rows"]), weights(view["width"], view["columns"])
    sums = np.einsum("yv,vuc,xu->yxc", down, source, across, optimize=True)
    made = np.zeros(shape, np.uint8)
    top, left = view["top"], view["left"]
    made[top : top + view["rows"], left : left + view["columns"]] = (sums + ONE * ONE // 2) // (ONE * ONE)
    return made


def weights(n: int, m: int) -> np.ndarray:
    """(m, n) int64: what n pixels of a line weigh in each of the m that it becomes, in 1 / 2^11."""
    made = np.zeros((m, n), np.int64)
    o = np.arange(m)[:, None]
    if n >= m:
        covered = np.clip(np.arange(n + 1) * m - o * n, 0, n)
        return np.diff((covered * ONE + n // 2) // n, axis=1)
    at = np.maximum(0, (2 * o + 1) * n - m)[:, 0]
    first = at // (2 * m)
    weight = np.where(first + 1 < n, (at % (2 * m) * ONE + m) // (2 * m), 0)
    made[np.arange(m), first] = ONE - weight
    made[np.arange(m), np.minimum(first + 1, n - 1)] += weight
    return made


def colours(name: str, frame: np.ndarray) -> np.ndarray:
    """(pixels, 3) int64: red, green and blue of every pixel."""
    if name == "grey":
        return np.repeat(frame.astype(np.int64)[:, None], 3, 1)
    if name == "rgb888":
        return frame[: len(frame) // 3 * 3].reshape(-1, 3).astype(np.int64)
    if name == "yuv422":
        y, u, _, v = frame[: len(frame) // 4 * 4].reshape(-1, 4).astype(np.int64).T
        y = frame[: len(frame) // 4 * 4 : 2].astype(np.int64)
        u, v = np.repeat(u, 2) - 128, np.repeat(v, 2) - 128
        light = np.maximum(0, y - 16) * 1220542 + (1 << 19)
        rgb = light + 1673527 * v, light - 852492 * v - 409993 * u, light + 2116026 * u
        return np.clip(np.stack(rgb, 1) >> 20, 0, 255)
    words = frame[: len(frame) // 2 * 2].view(">u2" if name == "rgb565be" else "<u2").astype(np.int64)
    rgb = words >> 11 << 3, (words >> 5 & 63) << 2, (words & 31) << 3
    return np.stack(rgb[::-1] if name == "bgr565" else rgb, 1)


def greys(name: str, frame: np.ndarray) -> np.ndarray:
    """(pixels,) int64."""
    if name == "grey":
        return frame.astype(np.int64)
    if name == "yuv422":
        return frame[: len(frame) // 4 * 4 : 2].astype(np.int64)
    return (colours(name, frame) @ np.array(GREY_WEIGHTS) + (1 << 14)) >> 15
