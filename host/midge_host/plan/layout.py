"""Steps become records and the weight section of a file."""

from __future__ import annotations

import struct
from typing import Any

from ..device import registry, spec
from ..device.ops import blocks
from ..device.record import Step
from ..errors import UnsupportedError
from .arena import Plan


def lay_out(steps: list[Step], arena: Plan) -> tuple[list[dict[str, Any]], bytes]:
    """Records with their offsets, and the weight section in execution order. Equal weights are there once."""
    records: list[dict[str, Any]] = []
    weights = bytearray()
    places: dict[bytes, int] = {}
    for step in steps:
        overlaps = step in arena.overlaps
        # Blocks of a convolution are run one after the other, and each reads the whole input.
        single = overlaps and step.operator == "CONV_2D"
        packed, parts = blocks.pack(step.rows, single) if step.rows else ({}, step.blocks)
        record: dict[str, Any] = {
            **registry.fields(step),
            **packed,
            "blocks": len(parts),
            "input": arena.offset(step.inputs[0]) if step.inputs else 0,
            "output": arena.offset(step.output),
            "block_bytes": len(parts[0]) if parts else 0,
        }
        record["flags"] |= spec.OVERLAPS * overlaps
        record["scratch"], record["scratch_bytes"] = arena.scratch.get(step, (0, 0))
        for i, tensor in enumerate(step.inputs[1:], 2):
            record[f"input{i}"] = arena.offset(tensor)
        section = b"".join(parts)
        if section:
            record["weights"] = places.setdefault(section, len(weights))
            if record["weights"] == len(weights):
                weights += section
        layout = registry.of_step(step).layout
        try:
            record = layout.unpack(layout.pack(**record))
        except struct.error as error:
            reason = f"a size is beyond what a record holds ({error})"
            raise UnsupportedError(f"layer {step.name!r} ({step.operator}): {reason}; split the layer") from None
        records.append(record)
    return records, bytes(weights)
