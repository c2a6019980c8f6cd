"""native_modules/stack.py: the bound of a module's stack."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("stack", ROOT / "native_modules" / "stack.py")
stack = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(stack)


def node(name: str, size: int, kind: str = "static") -> str:
    return f'node: {{ title: "{name}" label: "{name}\\n../x.c:1:2\\n{size} bytes ({kind})" }}\n'


def edge(source: str, target: str) -> str:
    return f'edge: {{ sourcename: "{source}" targetname: "{target}" label: "../x.c:3:4" }}\n'


BINDING = (
    node("native_module.c:run", 10, "dynamic,bounded")
    + edge("native_module.c:run", "midge_run")
    + edge("native_module.c:run", stack.INDIRECT)
)
CORE = node("midge_run", 20) + edge("midge_run", stack.INDIRECT) + edge("midge_run", "__divsi3")
PLAIN = node("plain", 30) + node("helper", 5) + edge("plain", "helper")
POINTER = node("pointer", 40) + edge("pointer", stack.INDIRECT)
ASSEMBLY = node("tuned", 8) + edge("tuned", "midge_tiles") + node("midge_exactly", 16)


@pytest.mark.parametrize(
    ("kernels", "expected"),
    [
        (PLAIN, 10 + 20 + 30 + 5),
        (PLAIN + POINTER, 10 + 20 + 40 + 30 + 5),
        (ASSEMBLY, 10 + 20 + 8 + 92 + 16),
    ],
)
def test_depth(kernels: str, expected: int, tmp_path: Path) -> None:
    (tmp_path / "native_module.ci").write_text(BINDING)
    (tmp_path / "run.ci").write_text(CORE + kernels)
    (tmp_path / "tiles.S").write_text("// Stack: 92 bytes, and midge_exactly.\n.global midge_tiles\n")
    if "midge_tiles" not in kernels:
        (tmp_path / "tiles.S").unlink()
    assert stack.depth(tmp_path, tmp_path) == expected


def test_no_bound(tmp_path: Path) -> None:
    (tmp_path / "native_module.ci").write_text(BINDING + CORE + node("array", 100, "dynamic"))
    with pytest.raises(ValueError, match="array"):
        stack.depth(tmp_path, tmp_path)
