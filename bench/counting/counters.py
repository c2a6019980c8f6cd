"""The counters, by architecture: modules with problem(), assemble(bank=) and count(program, layers)."""

from __future__ import annotations

from . import armv6m, armv7emsp, rv32imc, xtensawin

COUNTERS = {"armv6m": armv6m, "armv7emsp": armv7emsp, "rv32imc": rv32imc, "xtensawin": xtensawin}
UNITS = {arch: "cycles" if arch == "armv6m" else "instructions" for arch in COUNTERS}
