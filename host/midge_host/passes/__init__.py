"""Rewrites of a model on its way to a device; each keeps every byte of the model's outputs.

Those of PASSES rewrite the graph, and leave it as ir.verify wants it; those of PROGRAM_PASSES the steps that lowering
makes of it. They run in this order. Each says in a few words what it did, or "" if nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from ..device.program import Program
from ..ir.graph import Pass
from .channels import drop_channels
from .clamps import fuse_clamps
from .dilation import fuse_dilation
from .edges import fold_edges
from .floats import tabulate_floats
from .padding import fuse_padding
from .state import resolve_state
from .tables import fuse_tables
from .unsigned import shift_unsigned
from .unused import drop_unused

PASSES: list[Pass] = [
    fuse_dilation,
    resolve_state,
    fold_edges,
    shift_unsigned,
    tabulate_floats,
    drop_unused,
    fuse_padding,
]
PROGRAM_PASSES: list[Callable[[Program], str]] = [fuse_tables, fuse_clamps, drop_channels]
