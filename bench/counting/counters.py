"""The counters, by architecture: modules with problem(), assemble() and count(program, layers)."""

from __future__ import annotations

from . import armv6m, rv32imc, xtensawin

COUNTERS = {"armv6m": armv6m, "rv32imc": rv32imc, "xtensawin": xtensawin}
UNITS = {"armv6m": "cycles", "rv32imc": "instructions", "xtensawin": "instructions"}
