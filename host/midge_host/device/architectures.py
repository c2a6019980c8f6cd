"""Processors as firmware knows them, and which native modules each runs."""

from __future__ import annotations

# sys.implementation._mpy, bits 10 to 15: MP_NATIVE_ARCH_... of py/persistentcode.h. 0: it loads no native code.
ARCHITECTURES = {
    1: "x86",
    2: "x64",
    3: "armv6",
    4: "armv6m",
    5: "armv7m",
    6: "armv7em",
    7: "armv7emsp",
    8: "armv7emdp",
    9: "xtensa",
    10: "xtensawin",
    11: "rv32imc",
}
BUILT = ("x64", "armv6m", "armv7emsp", "xtensawin", "rv32imc")  # that modules are built for
# A Cortex-M core runs the modules of the smaller ones.
_SMALLER = {"armv7m": "armv6m", "armv7em": "armv6m", "armv7emdp": "armv7emsp", "armv7emsp": "armv6m"}


def runs(architecture: str | None) -> list[str]:
    """The architectures whose modules one runs, the best first."""
    found = []
    while architecture:
        if architecture in BUILT:
            found.append(architecture)
        architecture = _SMALLER.get(architecture)
    return found
