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
    needed: Callable[[Step], Scratch]  # scratch memory for an output to lie over its input
    # Roughly, of a step with so much scratch memory, whose output lies over its input or does not.
    cycles: Callable[[Step, int, bool], float]
    overlaps: bool = True  # whether outputs may lie over inputs
    slowdown: float = 0.02  # the share by which all steps together may take longer then
    ram: int = 0  # bytes of an arena in which the least time is wanted, whatever the slowdown; 0 for no such wish


ARMV6M = Target("armv6m", armv6m.wanted, armv6m.GROWTH_LIMIT, armv6m.needed, armv6m.cycles)
EVERY_BOARD = ARMV6M
# Two cores cannot share a layer whose output lies over its input.
TWO_CORES = ARMV6M._replace(overlaps=False)
