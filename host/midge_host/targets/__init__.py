"""Targets: what differs from core to core.

A record grants scratch memory as a target wants it. One file serves all boards, so records grant what the target wants
that gains most by it; the kernels of others leave it alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..device.record import Step
from . import armv6m
from .scratch import Scratch


class Target(NamedTuple):
    """A core: what its kernels can use of scratch memory, and the bytes that this may add to an arena."""

    name: str
    wanted: Callable[[Step], Scratch]
    growth_limit: int


ARMV6M = Target("armv6m", armv6m.wanted, armv6m.GROWTH_LIMIT)
EVERY_BOARD = ARMV6M
