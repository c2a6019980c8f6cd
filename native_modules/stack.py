"""How deep a native module's stack gets: a bound from the call graphs that GCC writes with -fcallgraph-info=su.

A call through a pointer may reach every function that nobody calls by name: the kernels and checks of the operator
tables. Assembly says itself what it takes: `// Stack: 92 bytes, and midge_scale_exactly.`, the largest of a file's
functions and what they call. What MicroPython's own functions and the compiler's runtime (division, 64-bit numbers)
take is not counted.
"""

from __future__ import annotations

import re
from pathlib import Path

NODE = re.compile(r'node: \{ title: "([^"]+)" label: "[^"]+\\n(\d+) bytes \(([\w,]+)\)')
EDGE = re.compile(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')
ASSEMBLY = re.compile(r"^// Stack: (\d+) bytes(?:, and (\w+))?\.$", re.M)
GLOBAL = re.compile(r"^(?:\.global|begin_function|rows_1) (midge_\w+)", re.M)
INDIRECT = "__indirect_call"
BINDINGS = (
    "native_module",
    "image",
    "learn",
    "packed",
    "detect",
)  # what these files call through pointers is MicroPython's


def depth(objects: Path, sources: Path) -> int:
    """Bytes of stack that a call of a module takes. `objects`: its objects and call graphs. `sources`: its assembly."""
    frames: dict[str, int] = {}
    calls: dict[str, set[str]] = {}
    binding: set[str] = set()
    for path in sorted(objects.rglob("*.ci")):
        text = path.read_text()
        for name, size, kind in NODE.findall(text):
            if kind == "dynamic":
                raise ValueError(f"{name} takes as much stack as its arguments say")
            frames[name] = int(size)
        if path.stem in BINDINGS:
            binding |= {name for name, _, _ in NODE.findall(text)}
        for source, target in EDGE.findall(text):
            if target != INDIRECT or source not in binding:
                calls.setdefault(source, set()).add(target)
    for path in sorted(sources.rglob("*.S")):
        found = ASSEMBLY.search(path.read_text())
        for name in GLOBAL.findall(path.read_text()) if found else ():
            frames[name] = int(found[1])
            calls[name] = {found[2]} - {""}
    pointed_at = frames.keys() - set().union(*calls.values()) - binding
    # What a kernel calls through a pointer is no kernel that does so, too.
    plain = [name for name in pointed_at if not reaches(name, INDIRECT, calls)]
    inner = depths(frames, calls, 0)
    kernels = depths(frames, calls, max((inner[name] for name in plain), default=0))
    everything = depths(frames, calls, max((kernels[name] for name in pointed_at), default=0))
    return max(everything[name] for name in binding)


def reaches(name: str, target: str, calls: dict[str, set[str]]) -> bool:
    return any(other == target or reaches(other, target, calls) for other in calls.get(name, ()))


def depths(frames: dict[str, int], calls: dict[str, set[str]], pointed_at: int) -> dict[str, int]:
    """The depth below each function, where a call through a pointer takes `pointed_at`."""
    found = {INDIRECT: pointed_at}

    def below(name: str) -> int:  # recursion would end in a RecursionError: there is none in C, and no bound with it
        if name not in found:
            found[name] = frames.get(name, 0) + max(map(below, calls.get(name, ())), default=0)
        return found[name]

    return {name: below(name) for name in frames}
