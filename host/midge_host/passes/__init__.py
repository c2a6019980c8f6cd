"""Rewrites of a model on its way to a device; each keeps every byte of the model's outputs.

Those of FLOAT_PASSES rewrite a graph of floats before it is quantised, and keep its outputs but for rounding. Those of
PASSES rewrite the graph, and leave it as ir.verify wants it; those of PROGRAM_PASSES the steps that lowering
makes of it. They run in this order. Each says in a few words what it did, or "" if nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from ..device.program import Program
from ..ir.graph import Pass
from .activations import fuse_activations
from .bools import hold_bools
from .channels import drop_channels
from .clamps import fuse_clamps
from .constants import fold_constants
from .dilation import fuse_dilation
from .edges import fold_edges
from .factors import fold_factors
from .floats import tabulate_floats
from .functions import fuse_functions
from .padding import fuse_padding
from .state import resolve_state
from .tables import fuse_tables
from .unsigned import shift_unsigned
from .unused import drop_unused
from .variables import quantize_variables
from .views import name_parts

PASSES: list[Pass] = [
    fuse_dilation,
    quantize_variables,
    resolve_state,
    fold_edges,
    shift_unsigned,
    tabulate_floats,
    hold_bools,
    drop_unused,
    fuse_padding,
]
FLOAT_PASSES: list[Pass] = [
    fold_constants,
    drop_unused,
    fuse_activations,
    fold_factors,
    fuse_activations,
    fuse_functions,
]
PROGRAM_PASSES: list[Callable[[Program], str]] = [fuse_tables, fuse_clamps, drop_channels, name_parts]
