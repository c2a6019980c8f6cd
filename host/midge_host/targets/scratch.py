"""Scratch memory: the bytes of an arena that kernels ask for beside its tensors."""

from __future__ import annotations

from typing import NamedTuple


class Scratch(NamedTuple):
    """Bytes for a layer: below `least` it is slow, above `most` there is nothing to gain."""

    least: int
    most: int
