"""MicroPython's linker for native modules, corrected.

    python mpy_ld.py <MicroPython source> [arguments of its tools/mpy_ld.py]

With CIRCUITPYTHON in the environment it links for CircuitPython. What differs stands in
host/midge_host/deploy/circuitpython.py, which makes the one file into the other.

- On Xtensa an address in a literal, such as that of a static function, is known by its section's name and its
  offset alone, so that two files can come to share one: https://github.com/micropython/micropython/issues/19276.
  Here a section's name says which file it comes from.
- The end of a hardware loop, written by toolchains/xtensa/windowed.inc as a difference of labels, is in place already.
- Parts of libgcc are linked in the order of a set. Here they are sorted: the same sources give the same module.
"""

import os
import sys

sys.path.insert(0, sys.argv.pop(1) + "/tools")
import mpy_ld

R_XTENSA_PDIFF8 = 57

from_elfsec = mpy_ld.Section.from_elfsec
relocate = mpy_ld.do_relocation_text
resolve = mpy_ld.ar_util.resolve


def from_elfsec_of_file(elfsec, filename):
    section = from_elfsec(elfsec, filename)
    section.name += ":" + filename
    return section


def relocate_but_loops(env, address, relocation):
    if env.arch.name != "EM_XTENSA" or relocation["r_info_type"] != R_XTENSA_PDIFF8:
        relocate(env, address, relocation)


def resolve_in_order(archives, symbols):
    objects, unresolved = resolve(archives, symbols)
    return sorted(objects, key=lambda found: (found[0].fn, found[1])), unresolved


mpy_ld.Section.from_elfsec = staticmethod(from_elfsec_of_file)
mpy_ld.do_relocation_text = relocate_but_loops
mpy_ld.ar_util.resolve = resolve_in_order


class CircuitPythonOutput(mpy_ld.MPYOutput):
    def open(self, fname):
        super().open(fname)
        self.write_bytes = self.write_header

    def write_header(self, buf):
        del self.write_bytes
        self.write_bytes(b"C" + buf[1:])


if "CIRCUITPYTHON" in os.environ:
    mpy_ld.MPYOutput = CircuitPythonOutput
    mpy_ld.MP_SCOPE_FLAG_VIPERRELOC = 0x20
    mpy_ld.MP_SCOPE_FLAG_VIPERRODATA = 0x40
    mpy_ld.MP_SCOPE_FLAG_VIPERBSS = 0x80
    mpy_ld.MP_FUN_TABLE_MP_TYPE_TYPE_OFFSET = 74
mpy_ld.main()
