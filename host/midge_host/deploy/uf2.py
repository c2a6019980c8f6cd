"""UF2 files for the boot drives of RP2040 and RP2350: https://github.com/microsoft/uf2"""

from __future__ import annotations

import struct

# Of the RP2350 the family whose blocks go to the flash as their addresses say, whatever its partitions.
FAMILIES = {"RP2040": 0xE48BFF56, "RP2350": 0xE48BFF57}
PAGE = 256  # bytes in a block, which has room for more
MAGIC, END = (0x0A324655, 0x9E5D5157), 0x0AB16F30
HAS_FAMILY = 0x2000


def pack(data: bytes, address: int, chip: str) -> bytes:
    """A file that puts `data`, whole pages, into the flash at an address in memory."""
    count = len(data) // PAGE
    blocks = (
        struct.pack(
            "<8I476sI",
            *MAGIC,
            HAS_FAMILY,
            address + number * PAGE,
            PAGE,
            number,
            count,
            FAMILIES[chip],
            data[number * PAGE : (number + 1) * PAGE],
            END,
        )
        for number in range(count)
    )
    return b"".join(blocks)
