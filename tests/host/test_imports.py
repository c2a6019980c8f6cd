"""What starting up imports: counted, since time depends on the machine."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "numpy",
    "rich",
    "tensorflow",
    "tflite",
    "flatbuffers",
    "onnx",
    "torch",
    "sklearn",
    "json",
    "importlib.metadata",
}
MAIN = (
    "import sys; from midge_host.commands.main import main; sys.argv[1:] = [{!r}]\ntry: main()\nexcept SystemExit: pass"
)


def imported(code: str) -> set[str]:
    """Modules that a program adds to those that Python itself starts with."""
    show = "\nimport sys; print('\\n', *sys.modules)"

    def modules(program: str) -> set[str]:
        done = subprocess.run([sys.executable, "-c", program + show], capture_output=True, text=True, check=True)
        return set(done.stdout.splitlines()[-1].split())

    return modules(code) - modules("")


def test_the_library_imports_nothing_before_a_model_is_loaded() -> None:
    assert imported("import midge") <= {"midge", "gc"}


@pytest.mark.parametrize("argument", ["--help", "nonsense"])
def test_the_command_line_imports_only_what_it_calls(argument: str) -> None:
    found = imported(MAIN.format(argument))
    assert not found & HEAVY
    ours = {name for name in found if name.startswith("midge")}
    assert ours == {"midge_host", "midge_host.commands", "midge_host.commands.main", "midge_host.errors"}


def test_info_leaves_the_converter_out() -> None:
    found = imported("import midge_host.commands.info")
    left_out = ("conversion", "frontends", "passes", "quantize", "plan", "backends", "boards")
    assert not [name for name in found for part in left_out if name.startswith(f"midge_host.{part}")]


def test_convert_is_there_when_asked_for() -> None:
    assert "midge_host.conversion" in imported("from midge_host import convert")
