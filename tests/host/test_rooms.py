"""Who may look where: docs/development.md, "Folders, and what may import what"."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = [path for folder in ("host", "tests", "bench") for path in sorted((ROOT / folder).rglob("*.py"))]
# The device library's modules are private to scripts. Tests open them, and what measures them on a board.
OPENS_LIBRARY = {
    "host/midge_host/boards/pico_bench.py",
    "host/midge_host/boards/qemu_bench.py",
    "host/midge_host/deploy/live/board_compare.py",
    "host/midge_host/deploy/live/board_profile.py",
}


def is_private(name: str) -> bool:
    return any(part.startswith("_") and not part.startswith("__") for part in name.split("."))


def foreign_names(path: Path) -> Iterator[str]:
    """Private names of other packages: imported, or taken from a module that is imported."""
    imported: dict[str, str] = {}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            beside = node.level == 1 or (path.parent / f"{node.module}.py").exists()
            if not beside:
                imported |= {alias.asname or alias.name: f"{module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            imported |= {alias.asname or alias.name: alias.name for alias in node.names}
    yield from filter(is_private, imported.values())
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = imported.get(node.value.id)
            if module and is_private(node.attr):
                yield f"{module}.{node.attr}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_private_names_stay_in_their_package(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    found = {name for name in foreign_names(path) if name != "_thread"}
    if name.startswith("tests/") or name in OPENS_LIBRARY:
        found = {name for name in found if not name.startswith("midge._")}
    assert not found


def test_the_rule_finds_offenders(tmp_path: Path) -> None:
    path = tmp_path / "offender.py"
    path.write_text(
        "import numpy as np\nimport midge._model\nfrom midge_host.files import _x, whole\nfrom ..plan import arena\n"
        "from .beside import _own\nnp._secret()\narena._root()\nwhole.public\n"
    )
    names = {"midge._model", "midge_host.files._x", "numpy._secret", "..plan.arena._root"}
    assert set(foreign_names(path)) == names


def test_nothing_hides_what_a_script_on_a_board_imports() -> None:
    """MicroPython on this PC looks for modules in the script's own folder first."""
    script = ROOT / "host" / "midge_host" / "backends" / "board_script.py"
    nodes = list(ast.walk(ast.parse(script.read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    assert {"midge", "instructions", "cycles"} <= names
    assert not names & {path.stem for path in script.parent.iterdir()}


def test_rooms_of_the_host() -> None:
    """A folder of more entries is one in which nobody finds anything."""
    entries = [path.name for path in (ROOT / "host" / "midge_host").iterdir() if path.name != "__pycache__"]
    assert len(entries) <= 18, sorted(entries)
